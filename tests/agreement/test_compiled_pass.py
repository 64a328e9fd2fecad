"""The compiled pass fills the shared sums with the bits of the batch and event engines, however it is cut.

Run with ``--long`` for 2,000 random plans; of how many of those that have a mechanism each engine ran is printed.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lines_and_cycles import backwards, behind_a_boat, random_cycle, random_line, with_dated_yards
from plans import (
    APART,
    MIXED,
    TRACKS,
    NumpyDice,
    coupled,
    in_boarding_order,
    random_case,
    with_gates,
    with_kept_lanes,
    with_patience,
    with_preemption,
    with_rests,
)
from windows import GivenDraws

from corridor_sim.core.errors import EngineRefusal, SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import batch, compiled, event
from corridor_sim.engines.compiled.coupling import balks, coupling
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.indicators import INDICATORS, Collector, Indicator
from corridor_sim.model.arrivals import ArrivalPlan, Poisson
from corridor_sim.model.service_times import Exponential
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.elements import PlanBreakdown, PlanOutage, Station
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.needs import needed, needs_at
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Span, Step, Variant
from corridor_sim.records.inputs import default_numbers
from corridor_sim.records.visits import chunk_of
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.study.engine_choice import choose_engine, expected_visits
from corridor_sim.study.execution import EARNED
from corridor_sim.study.run import run
from corridor_sim.study.sweeps import sweep
from corridor_sim.verify.files import packaged
from corridor_sim.verify.scenario_traces import build_scenario_trace

pytest.importorskip("numba")
from corridor_sim.engines.compiled import machine


@pytest.fixture(autouse=True)
def _switched_on(monkeypatch):
    monkeypatch.delenv("CORRIDOR_SIM_FAST", raising=False)


def with_usual_numbers(case, seed):
    """The case with default numbers, a counted window inside the run, and spans of every kind."""
    dice = np.random.default_rng(seed)
    inputs = dataclasses.replace(
        case.inputs,
        flows=tuple(
            dataclasses.replace(flow, number=default_numbers(f, flow.release_h.shape))
            for f, flow in enumerate(case.inputs.flows)
        ),
    )
    horizon_h = case.plan.horizon_h
    warm_up_h = float(dice.integers(0, max(int(horizon_h) // 3, 1)))
    until_h = float(dice.integers(int(warm_up_h) + 1, int(horizon_h) + 1)) if dice.integers(2) else horizon_h
    flows = []
    for flow in case.plan.flows:
        variants = []
        for variant in flow.variants:
            spans = variant.spans
            for kind in ("leg", "crossing", "leg"):
                if variant.steps:
                    first = int(dice.integers(len(variant.steps)))
                    last = int(dice.integers(first, len(variant.steps)))
                    spans += (Span(kind=kind, id=f"{kind} {first} {last}", first=first, last=last),)
            variants.append(dataclasses.replace(variant, spans=spans))
        flows.append(dataclasses.replace(flow, variants=tuple(variants)))
    # Planned capacity asks for laws; the times are those of the case all the same.
    law = PlanBreakdown(up=Exponential(mean_h=20.0), down=Exponential(mean_h=4.0))
    elements = tuple(
        dataclasses.replace(one, breakdown=dataclasses.replace(law, per_lane=one.breakdown.per_lane))
        if isinstance(one, Station) and one.breakdown is not None
        else one
        for one in case.plan.elements
    )
    plan = dataclasses.replace(
        case.plan, elements=elements, flows=tuple(flows), warm_up_h=warm_up_h, count_until_h=min(until_h, horizon_h)
    )
    return plan, inputs


def tables(plan, inputs, window_h=7.0):
    """Of the pass, of batch if it does the plan, and of event: the table, and the visits of each replication."""
    rows = range(len(inputs.replications))
    found = []
    engines = ("compiled", "event") if batch.refusals(plan) else ("compiled", "batch", "event")
    for how in engines:
        collector = Collector(plan, inputs.replications)
        if how == "compiled":
            compiled.reduce(plan, GivenDraws(plan, inputs), rows, collector, window_h=window_h)
        elif how == "batch":
            collector.add(chunk_of(batch.simulate(plan, inputs), inputs.outages, whole=True))
        else:
            collector.add(chunk_of(event.simulate(plan, inputs), inputs.outages, whole=True))
        found.append((how, collector.finish(), collector.visits))
    return found


def difference(plan, inputs, window_h=7.0):
    """What differs, in words."""
    (_, table, visits), *others = tables(plan, inputs, window_h)
    for name, other, other_visits in others:
        assert table.labels == other.labels
        if table.values.tobytes() != other.values.tobytes():
            wrong = ~((table.values == other.values) | (np.isnan(table.values) & np.isnan(other.values)))
            first = [table.labels[k] for k in np.flatnonzero(wrong.any(axis=1))[:3]]
            return f"{name}: {first}"
        if not np.array_equal(visits, other_visits):
            return f"{name}: visits {visits.tolist()} and {other_visits.tolist()}"
    return ""


def cases(seeds, **size):
    """(seed, plan, inputs) of random plans that the pass does."""
    for seed in seeds:
        plan, inputs = case_of(seed, **size)
        if not compiled.refusals(plan):
            yield seed, plan, inputs


def case_of(seed, **size):
    """Plan and inputs of a random case; every third has pools and balking, every sixth among what the pass can do."""
    dice, number = NumpyDice(np.random.default_rng(seed)), int(np.max(seed))
    if number % 3:
        # What requeues is no case for batch.
        return with_usual_numbers(random_case(dice, requeues=number % 3 == 1, **size), seed)
    kinds = {"kinds": APART} if number % 2 else {}
    if number % 12 == 6:
        kinds = {"kinds": MIXED}
    if number % 36 == 24:
        kinds = {"kinds": TRACKS}
    return coupled(dice, *with_usual_numbers(random_case(dice, **kinds, **size), seed))


@pytest.mark.parametrize("window_h", [1.0, 7.0, 1000.0])
def test_small_random_plans_have_the_same_table(window_h):
    ran = 0
    for seed, plan, inputs in cases(range(150)):
        assert difference(plan, inputs, window_h) == "", seed
        ran += 1
    assert ran >= 80


@pytest.mark.parametrize("seed", range(12))
def test_plans_with_many_consignments_have_the_same_table(seed):
    size = {"elements": (3, 6), "consignments": (200, 260), "rows": (1, 2), "flows": (2, 4), "span": 120}
    for number, plan, inputs in cases(range(seed * 10, seed * 10 + 10), **size):
        assert difference(plan, inputs) == "", number


@pytest.mark.parametrize("seed", range(6))
def test_coupled_plans_with_many_consignments_have_the_same_table(seed):
    balked = pooled = 0
    size = {"elements": (3, 6), "consignments": (200, 260), "rows": (1, 2), "flows": (1, 3), "span": 120}
    for number in range(seed * 12, seed * 12 + 12):
        dice = NumpyDice(np.random.default_rng([7, number]))
        plan, inputs = coupled(dice, *with_usual_numbers(random_case(dice, kinds=APART, **size), number))
        if compiled.refusals(plan):
            continue
        assert difference(plan, inputs, (1.0, 7.0, 1000.0)[number % 3]) == "", number
        records = event.simulate(plan, inputs)
        balked += any(
            (journeys.variant != flow.variant).any()
            for journeys, flow in zip(records.journeys, inputs.flows, strict=True)
        )
        pooled += len({one.staff_pool for one in plan.elements if isinstance(one, Station)} - {None})
    assert balked >= 3
    assert pooled >= 3


def mixed_cases(seeds, together, kinds=MIXED, **size):
    """(seed, plan, inputs) of plans of stations with everything; `together`: with pools and balking."""
    for seed in seeds:
        dice = NumpyDice(np.random.default_rng([11, seed]))
        plan, inputs = with_usual_numbers(random_case(dice, kinds=kinds, **size), seed)
        if together:
            plan, inputs = coupled(dice, plan, inputs)
        if not compiled.refusals(plan):
            yield seed, plan, inputs


def same_table_or_error(plan, inputs, window_h, seed):
    """Whether the pass has the table of the event engine; False where a service fits into no opening."""
    try:
        event.simulate(plan, inputs)
    except SimulationError:
        with pytest.raises(SimulationError, match="could never start"):
            difference(plan, inputs, window_h)
        return False
    assert difference(plan, inputs, window_h) == "", seed
    return True


def test_a_station_without_a_kernel_is_worked_through_in_time_order_and_the_rest_by_kernels():
    ran, alone = 0, Counter()
    size = {"elements": (1, 3), "consignments": (20, 40), "rows": (1, 2), "flows": (1, 3), "span": 40}
    for seed, plan, inputs in mixed_cases(range(90), together=False, **size):
        ran += same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed)
        for what in {text.rsplit(" at ", 1)[0] for text in batch.refusals(plan)}:
            alone[what] += 1
    assert ran >= 50
    # Among what batch refuses and the pass does:
    assert alone["outages that requeue"] >= 5
    assert alone["priority whose order changes within the run"] >= 5
    assert alone["reserved lanes with outages"] >= 5
    assert alone["priority with outages"] >= 3
    assert alone["lanes of their own identity with closing 'restart'"] >= 2


def test_lanes_opened_by_the_queue_have_the_table_of_the_event_engine():
    opened = Counter()
    size = {"elements": (1, 3), "consignments": (20, 60), "rows": (1, 2), "flows": (1, 3), "span": 40}
    for together in (False, True):
        for seed, plan, inputs in mixed_cases(range(100), together=together, **size):
            if Mechanism.EXTRA_LANES not in frozenset().union(*needs_at(plan)):
                continue
            if not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
                continue
            changes = event.simulate(plan, inputs).extra_lanes
            for k in {k for k, replications in changes.items() if any(replications)}:
                opened.update(needed(plan.elements[k]))
    for one in (Mechanism.SUSPEND, Mechanism.CLEAR_QUEUE, Mechanism.PRIORITY, Mechanism.RESERVED_LANES):
        assert opened[one] >= 1, one
    assert opened[Mechanism.EXTRA_LANES] >= 8


def test_single_tracks_of_both_directions_have_the_table_of_the_event_engine():
    ran, turned = 0, 0
    size = {"elements": (1, 3), "consignments": (30, 80), "rows": (1, 2), "flows": (1, 3), "span": 40, "kinds": TRACKS}
    for together in (False, True):
        for seed, plan, inputs in mixed_cases(range(60), together=together, **size):
            if Mechanism.SINGLE_TRACK not in frozenset().union(*needs_at(plan)):
                continue
            ran += same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed)
            ways = {(s.element, s.opposite) for flow in plan.flows for way in flow.variants for s in way.steps}
            turned += any((k, not opposite) in ways for k, opposite in ways)
    assert ran >= 50
    assert turned >= 30


def test_gates_by_the_queue_further_on_have_the_table_of_the_event_engine():
    gated, held_back = Counter(), 0
    size = {"elements": (2, 4), "consignments": (20, 60), "rows": (1, 2), "flows": (1, 3), "span": 40}
    for together in (False, True):
        for seed in range(70):
            dice = NumpyDice(np.random.default_rng([12, seed]))
            kinds = (*MIXED, "quota") if seed % 2 else ("fifo", "priority", "mixed", "delay")
            free, inputs = with_usual_numbers(random_case(dice, kinds=kinds, **size), seed)
            if together:
                free, inputs = coupled(dice, free, inputs)
            plan = with_gates(dice, free, 40)
            if compiled.refusals(plan) or Mechanism.GATE not in frozenset().union(*needs_at(plan)):
                continue
            if not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
                continue
            waits = event.simulate(plan, inputs).same_as(event.simulate(free, inputs)) != ""
            held_back += waits
            for element in plan.elements:
                if waits and getattr(element, "gates", ()):
                    gated.update(needed(element))
    found = (Mechanism.SUSPEND, Mechanism.CLEAR_QUEUE, Mechanism.PRIORITY, Mechanism.RESERVED_LANES)
    for one in (*found, Mechanism.OUTAGES_REQUEUE, Mechanism.NAMED_LANES, Mechanism.NO_OVERRUN, Mechanism.STAFF_POOL):
        assert gated[one] >= 1, one
    assert held_back >= 25


def test_lanes_kept_of_lanes_that_have_names_or_fail_one_by_one_have_the_table_of_the_event_engine():
    ran = Counter()
    size = {"elements": (1, 2), "consignments": (20, 60), "rows": (1, 2), "flows": (2, 3), "span": 40}
    for seed in range(60):
        dice = NumpyDice(np.random.default_rng([16, seed]))
        kinds = ("mixed", "mixed", "named", "lane_outage")
        plan, inputs = with_usual_numbers(random_case(dice, kinds=kinds, **size), seed)
        if seed % 4 == 0:
            plan, inputs = coupled(dice, plan, inputs)
        plan = with_kept_lanes(dice, plan, 40)
        if compiled.refusals(plan) or not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
            continue
        for needs in map(needed, plan.elements):
            if Mechanism.RESERVED_LANES in needs:
                ran.update(needs)
    policies = (Mechanism.OUTAGES_RESTART, Mechanism.OUTAGES_FINISH, Mechanism.OUTAGES_REQUEUE)
    closings = (Mechanism.SUSPEND, Mechanism.RESTART, Mechanism.CLEAR_QUEUE)
    for one in (*policies, *closings, Mechanism.RESERVED_OVERFLOW, Mechanism.PRIORITY, Mechanism.LANE_BREAKDOWNS):
        assert ran[one] >= 1, one
    assert ran[Mechanism.NAMED_LANES] >= 10
    assert ran[Mechanism.LANE_OUTAGES] >= 20


def impatient_case(seed, interrupts):
    """A plan in which some leave a queue, or also interrupt each other."""
    size = {"elements": (2, 4), "consignments": (20, 60), "rows": (1, 2), "flows": (2, 3), "span": 40}
    dice = NumpyDice(np.random.default_rng([13, seed]))
    kinds = (*MIXED, "quota") if seed % 2 else ("fifo", "dated", "priority", "mixed", "delay")
    plan, inputs = with_usual_numbers(random_case(dice, kinds=kinds, **size), seed)
    if seed % 5 == 0:
        plan, inputs = coupled(dice, plan, inputs)
    if interrupts:
        plan = with_preemption(dice, plan)
    return with_patience(dice, plan, inputs) if not interrupts or seed % 3 else (plan, inputs)


@pytest.mark.parametrize("interrupts", [False, True])
def test_patience_and_priority_that_interrupts_have_the_table_of_the_event_engine(interrupts):
    left, lost, cut, ran = Counter(), 0, Counter(), 0
    for seed in range(120):
        plan, inputs = impatient_case(seed, interrupts)
        if compiled.refusals(plan) or not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
            continue
        ran += 1
        records = event.simulate(plan, inputs)
        for element, needs, visits in zip(plan.elements, needs_at(plan), records.elements, strict=True):
            if (np.isnan(visits.start_h) & (visits.leave_h <= plan.horizon_h)).any():
                left.update(needs)
            if getattr(element, "preemption", None):
                stopped = visits.finish_h - visits.start_h - visits.service_h
                if (stopped > 0).any():
                    cut.update(needs)
        lost += sum(
            plan.flows[f].variants[v].lost
            for f, journeys in enumerate(records.journeys)
            for v in journeys.variant[journeys.variant >= 0].tolist()
        )
    assert ran >= 60
    assert lost >= 20
    usual = (Mechanism.SUSPEND, Mechanism.RESTART, Mechanism.CLEAR_QUEUE, Mechanism.OUTAGES, Mechanism.EXTRA_LANES)
    if interrupts:
        for one in (*usual, Mechanism.PREEMPTION, Mechanism.PREEMPTION_RESTART, Mechanism.PATIENCE):
            assert cut[one] >= 1, one
        return
    others = (Mechanism.NO_OVERRUN, Mechanism.RESERVED_LANES, Mechanism.NAMED_LANES, Mechanism.STAFF_POOL)
    for one in (*usual, *others, Mechanism.OUTAGES_REQUEUE, Mechanism.PRIORITY, Mechanism.BALKING):
        assert left[one] >= 1, one


BOATS = (
    *("timetable", "timetable", "timetable", "when_full", "when_full", "boarding_by_class", "delay", "delay"),
    *("fifo", "dated", "priority", "named", "suspend", "reserved", "quota", "headway"),
)


def test_landing_in_boarding_order_has_the_table_of_batch_and_of_the_event_engine():
    ran, matters, kinds = 0, 0, Counter()
    size = {"elements": (3, 5), "consignments": (40, 90), "rows": (1, 2), "flows": (2, 3), "span": 40}
    for seed in range(120):
        dice = NumpyDice(np.random.default_rng([21, seed]))
        by_number, inputs = with_usual_numbers(random_case(dice, kinds=BOATS, **size), seed)
        plan = in_boarding_order(by_number)
        if Mechanism.BOARDING_ORDER not in frozenset().union(*needs_at(plan)):
            continue
        assert compiled.refusals(plan) == batch.refusals(plan) == []
        assert difference(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3]) == "", seed
        ran += 1
        one, other = event.simulate(plan, inputs), event.simulate(by_number, inputs)
        matters += one.same_as(other) != ""
        for element, here, there in zip(plan.elements, one.elements, other.elements, strict=True):
            kinds[element.kind] += not np.array_equal(here.start_h, there.start_h, equal_nan=True)
    assert ran >= 40
    assert matters >= 20
    assert min(kinds[kind] for kind in ("station", "departures", "quota", "limited_leg")) >= 1


def test_those_who_landed_keep_their_order_before_stations_that_are_worked_through_in_time_order():
    ran, matters = 0, 0
    size = {"elements": (3, 5), "consignments": (40, 90), "rows": (1, 2), "flows": (2, 3), "span": 40}
    for seed in range(120):
        dice = NumpyDice(np.random.default_rng([22, seed]))
        kinds = ("timetable", "when_full", "delay", "mixed", "mixed")
        by_number, inputs = with_usual_numbers(random_case(dice, kinds=kinds, **size), seed)
        if seed % 3 == 0:
            by_number, inputs = with_patience(dice, by_number, inputs)
        plan = in_boarding_order(by_number)
        if Mechanism.BOARDING_ORDER not in frozenset().union(*needs_at(plan)) or compiled.refusals(plan):
            continue
        if coupling(plan) is None or not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
            continue
        ran += 1
        matters += event.simulate(plan, inputs).same_as(event.simulate(by_number, inputs)) != ""
    assert ran >= 30
    assert matters >= 10


def line_case(seed):
    """Plan and inputs of a line of stations with yards: of every four seeds two with dated ones, one behind a boat."""
    case = random_line(NumpyDice(np.random.default_rng([23, seed])), most=100 if seed % 10 == 0 else 8)
    dice = np.random.default_rng([24, seed])
    if seed % 2:
        case = with_dated_yards(case, dice)
    if seed % 4 == 2:
        case = behind_a_boat(case, dice)
    return with_usual_numbers(case, seed)


def test_lines_of_stations_with_yards_have_the_table_of_batch_and_of_the_event_engine():
    ran, with_batch, held_up, in_order = 0, 0, 0, 0
    for seed in range(120):
        plan, inputs = line_case(seed)
        assert compiled.refusals(plan) == []
        assert difference(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3]) == "", seed
        ran += 1
        with_batch += not batch.refusals(plan)
        records = event.simulate(plan, inputs)
        held_up += any((visits.leave_h > visits.finish_h).any() for visits in records.elements)
        held_up += any((np.isnan(visits.leave_h) & ~np.isnan(visits.finish_h)).any() for visits in records.elements)
        in_order += plan.elements[0].id == "boat"
    assert ran == 120
    assert with_batch >= 60
    assert held_up >= 40
    assert in_order >= 20


def test_a_yard_elsewhere_is_refused_by_name():
    three = StepFunction.constant(3)
    law = ((0.0, Exponential(mean_h=1.0)),)
    stations = (Station(id="a", lanes=three), Station(id="b", lanes=three, yard=2))

    def of(*ways, elements=stations, cyclic=False):
        variants = tuple(
            Variant(id=f"v{v}", steps=tuple(Step(element=k, laws=law, draws=elements[k].id) for k in way))
            for v, way in enumerate(ways)
        )
        flow = FlowPlan(id="f", variants=variants)
        return compiled.refusals(Plan(elements=elements, flows=(flow,), horizon_h=24.0, cyclic=cyclic))

    assert of((0, 1)) == []
    assert of((1,)) == []
    assert of((0, 1), (1,)) == ["a yard outside a linear first-come-first-served run that all visit at b"]
    assert of((0, 1), (0,)) == ["a yard outside a linear first-come-first-served run that all visit at b"]
    other = Station(id="c", lanes=three)
    round_about = of((0, 1, 2), (2, 0, 1), elements=(*stations, other), cyclic=True)
    assert "yards in a plan whose itineraries go round in cycles" in round_about


def rested_case(seed):
    """A plan with drivers who rest behind some of its roads."""
    size = {"elements": (3, 5), "consignments": (20, 60), "rows": (1, 2), "flows": (1, 2), "span": 40}
    dice = NumpyDice(np.random.default_rng([15, seed]))
    case = random_case(dice, kinds=("delay", "delay", "delay", "fifo", "dated"), **size)
    return with_rests(dice, *with_usual_numbers(case, seed))


def test_drivers_hours_have_the_table_and_the_visits_of_the_event_engine():
    ran, rested, in_batch = 0, 0, 0
    for seed in range(60):
        plan, inputs = rested_case(seed)
        if Mechanism.DRIVERS_HOURS not in frozenset().union(*needs_at(plan)):
            continue
        records = event.simulate(plan, inputs)
        if not batch.refusals(plan):
            assert records.same_as(batch.simulate(plan, inputs)) == "", seed
            in_batch += 1
        if compiled.refusals(plan) or not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
            continue
        ran += 1
        for element, visits in zip(plan.elements, records.elements, strict=True):
            if getattr(element, "component", "") == "rest":
                rested += int((visits.leave_h > visits.start_h).sum())
    assert min(ran, in_batch) >= 40
    assert rested >= 200


def test_drivers_rest_between_stations_that_are_worked_through_in_time_order():
    ran, between, rested = 0, 0, 0
    size = {"elements": (4, 8), "consignments": (20, 60), "rows": (1, 1), "flows": (1, 1), "span": 40}
    for seed in range(60):
        dice = NumpyDice(np.random.default_rng([17, seed]))
        case = random_case(dice, kinds=("delay", "delay", "mixed", "fifo", "dated"), **size)
        plan, inputs = coupled(dice, *with_rests(dice, *with_usual_numbers(case, seed)))
        if compiled.refusals(plan) or not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
            continue
        ran += 1
        groups = [set(group) for group in (coupling(plan).groups if coupling(plan) else ()) if len(group) > 1]
        rests = {
            step.element
            for variant in plan.flows[0].variants
            for n, step in enumerate(variant.steps)
            if step.rest is not None
            for group in groups
            if group & {one.element for one in variant.steps[:n]} and group & {one.element for one in variant.steps[n:]}
        }
        between += bool(rests)
        records = event.simulate(plan, inputs)
        rested += sum(int((records.elements[k].leave_h > records.elements[k].start_h).sum()) for k in rests)
    assert ran >= 35
    assert between >= 5
    assert rested >= 50


def test_pools_and_balking_go_with_everything_that_stations_legs_and_acceptance_have():
    ran, pooled, announced = 0, Counter(), Counter()
    size = {"elements": (3, 5), "consignments": (30, 60), "rows": (1, 1), "flows": (1, 2), "span": 40}
    for seed, plan, inputs in mixed_cases(range(240), together=True, **size):
        if not same_table_or_error(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3], seed):
            continue
        ran += 1
        found = coupling(plan)
        for k in {k for group in found.groups if len(group) > 1 for k in group} if found else ():
            pooled.update(needed(plan.elements[k]))
        for _, variant, k, balk in balks(plan):
            for n in {k, *balk.stages}:
                announced.update(needed(plan.elements[variant.steps[n].element]))
    assert ran >= 70
    closings = (Mechanism.SUSPEND, Mechanism.RESTART, Mechanism.NO_OVERRUN, Mechanism.CLEAR_QUEUE)
    outages = (Mechanism.OUTAGES, Mechanism.LANE_OUTAGES, Mechanism.BREAKDOWNS, Mechanism.OUTAGES_REQUEUE)
    between = (Mechanism.ACCEPTANCE, Mechanism.HEADWAY, Mechanism.CLOSURES, Mechanism.VEHICLE_LIMIT)
    for one in (*closings, *outages, *between, Mechanism.DEPARTURES, Mechanism.RESERVED_LANES, Mechanism.NAMED_LANES):
        assert pooled[one] >= 1, one
    for one in (*closings, *outages, Mechanism.RESERVED_LANES, Mechanism.RESERVED_OVERFLOW, Mechanism.NAMED_LANES):
        assert announced[one] >= 2, one


def test_lanes_that_both_directions_use_are_worked_through_in_time_order():
    for seed in range(40):
        case = random_cycle(NumpyDice(np.random.default_rng(seed)), most=100 if seed % 10 == 0 else 8)
        plan, inputs = with_usual_numbers(case, seed)
        assert compiled.refusals(plan) == []
        assert len(coupling(plan).round_about) >= 2
        assert difference(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3]) == "", seed


def test_itineraries_that_go_back_have_the_table_of_the_event_engine_or_its_error():
    ran, stopped, seen = 0, 0, Counter()
    size = {"elements": (2, 5), "consignments": (10, 40), "rows": (1, 2), "flows": (1, 3), "span": 40}
    for seed in range(240):
        dice, kinds = (
            NumpyDice(np.random.default_rng([3, seed])),
            ({}, {"kinds": MIXED}, {"kinds": APART}, {"kinds": TRACKS})[seed % 4],
        )
        case = backwards(random_case(dice, **kinds, **size), np.random.default_rng(seed))
        plan, inputs = with_usual_numbers(case, seed)
        if compiled.refusals(plan):
            continue
        try:
            event.simulate(plan, inputs)
        except SimulationError as error:
            found = "takes no time" if "takes no time" in str(error) else "could never start"
            with pytest.raises(SimulationError, match=found):
                compiled.reduce(
                    plan,
                    GivenDraws(plan, inputs),
                    range(len(inputs.replications)),
                    Collector(plan, inputs.replications),
                    window_h=7.0,
                )
            stopped += 1
            continue
        try:
            assert difference(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3]) == "", seed
        except SimulationError as error:
            # By sweeps it cannot be told what stood before a stay of no length.
            assert "Take engine" in str(error)  # noqa: PT017
            continue
        ran += 1
        found = coupling(plan)
        for k in {k for group in found.groups for k in group} if found else ():
            seen.update(needed(plan.elements[k]))
    assert ran >= 70
    assert stopped >= 50
    between = (Mechanism.ACCEPTANCE, Mechanism.HEADWAY, Mechanism.CLOSURES, Mechanism.VEHICLE_LIMIT)
    for one in (*between, Mechanism.DEPARTURES, Mechanism.PRIORITY, Mechanism.RESERVED_LANES, Mechanism.OUTAGES):
        assert seen[one] >= 1, one


def test_outages_of_a_station_that_requeue_where_lanes_stay_the_same_have_the_table_of_the_event_engine():
    ran = 0
    kinds = ("station_outage", "drawn_outage", "fifo", "delay", "timetable")
    size = {"elements": (2, 4), "consignments": (60, 90), "rows": (1, 2), "span": 60, "kinds": kinds, "requeues": True}
    for seed in range(90):
        plan, inputs = with_usual_numbers(random_case(NumpyDice(np.random.default_rng(seed)), **size), seed)
        if Mechanism.OUTAGES_REQUEUE not in frozenset().union(*needs_at(plan)) or compiled.refusals(plan):
            continue
        assert difference(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3]) == "", seed
        ran += 1
    assert ran >= 20


@pytest.mark.parametrize("trace", [one for one in packaged()["traces"] if "scenario" in one], ids=lambda one: one["id"])
def test_traces_by_hand_of_a_scenario_have_the_table_of_the_engines_that_meet_them(trace):
    made = build_scenario_trace(trace)
    assert compiled.refusals(made.plan) == []
    assert difference(made.plan, made.inputs) == ""


def test_random_plans_have_every_mechanism_of_the_pass():
    found = set()
    for _, plan, _ in cases(range(150)):
        found.update(needed(plan), *map(needed, plan.flows), *needs_at(plan))
    # Gates, ways round, patience, priority that interrupts, drivers' hours and yards have random plans of their own.
    own = {"CYCLES", "DRIVERS_HOURS", "GATE", "PATIENCE", "PREEMPTION", "PREEMPTION_RESTART", "YARD", "DATED_YARD"}
    assert {one.name for one in compiled.DOES - found} == own


@pytest.mark.parametrize("scenario", ["baseline_2023", "do_nothing_2026", "year_2026_base"])
@pytest.mark.parametrize("window_h", [9.0, 48.0, 5000.0])
def test_a_packaged_scenario_has_the_same_table(scenario, window_h):
    plan = make_plan(load_scenario(scenario, {"run.horizon_days": 12, "run.warm_up_days": 3}))
    assert_same_as_batch(plan, window_h)


@pytest.mark.parametrize("lanes", range(1, 8))
def test_any_number_of_lanes_has_the_table_of_batch(lanes):
    """Few lanes have their free times in registers, more in a table (`serving.served`)."""
    station = Station(id="s", lanes=StepFunction.constant(lanes))
    steps = (Step(element=0, laws=((0.0, Exponential(mean_h=0.9)),), draws="s"),)
    # A little more than the lanes can do, so that a long queue grows beyond the first table of levels.
    rate = StepFunction.constant(1.2 * lanes / 0.9)
    flow = FlowPlan(
        id="f", variants=(Variant(id="all", steps=steps),), arrivals=ArrivalPlan(process=Poisson(), rate=rate)
    )
    plan = Plan(elements=(station,), flows=(flow,), horizon_h=600.0)
    assert assert_same_as_batch(plan, 48.0).row("queue_max", place="s").min() > 64


def with_clocks(plan, seed):
    """The plan with posts whose local clocks change within the run, at some elements and spans."""
    dice = np.random.default_rng(seed)

    def pieces():
        at = sorted({float(dice.integers(1, plan.horizon_h)) for _ in range(dice.integers(1, 4))})
        return tuple((from_h, float(dice.integers(-12, 28)) / 2) for from_h in (-48.0, *at))

    posts = {id: {"crossing": "x", "utc_offsets": pieces()} for id in ("all", "north", "south")}
    elements = [dataclasses.replace(one, post=("", "north", "south")[dice.integers(3)]) for one in plan.elements]
    flows = []
    for flow in plan.flows:
        variants = [
            dataclasses.replace(
                variant,
                spans=tuple(
                    dataclasses.replace(span, id="x") if span.kind == "crossing" else span for span in variant.spans
                ),
            )
            for variant in flow.variants
        ]
        flows.append(dataclasses.replace(flow, variants=tuple(variants)))
    start = datetime(2022, 3, 20, int(dice.integers(24)))
    return dataclasses.replace(plan, elements=tuple(elements), flows=tuple(flows), labels={"posts": posts}, start=start)


def test_plans_with_local_clocks_that_change_within_the_run_have_the_same_table():
    ran = 0
    size = {"elements": (2, 5), "consignments": (40, 80), "flows": (1, 3), "span": 60}
    for seed, plan, inputs in cases(range(400, 460), **size):
        shown = with_clocks(plan, seed)
        assert difference(shown, inputs, (1.0, 7.0, 1000.0)[seed % 3]) == "", seed
        ran += 1
    assert ran >= 30


def test_the_week_of_a_change_of_clocks_has_the_same_table():
    """Tehran goes to summer time on 22 March 2022, at midnight of the first day of a week."""
    changes = {"run.start": "2022-03-14", "run.horizon_days": 21, "run.warm_up_days": 3}
    plan = make_plan(load_scenario("do_nothing_2026", changes))
    assert any(0 < at < plan.horizon_h for post in plan.labels["posts"].values() for at, _ in post["utc_offsets"])
    assert_same_as_batch(plan, 48.0)


def assert_same_as_batch(plan, window_h):
    """Two replications of a plan give the same table, which is given back, by the pass and by batch."""
    rows = range(2)
    mine, theirs = Collector(plan, rows), Collector(plan, rows)
    compiled.reduce(plan, Sampler(plan, 11), rows, mine, window_h=window_h)
    for chunk in batch.stream(plan, Sampler(plan, 11), rows):
        theirs.add(chunk)
    one, other = mine.finish(), theirs.finish()
    assert one.labels == other.labels
    assert one.values.tobytes() == other.values.tobytes()
    assert np.array_equal(mine.visits, theirs.visits)
    return one


def test_a_replication_is_the_same_alone_and_in_company():
    plan = make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1}))
    together = Collector(plan, range(3))
    compiled.reduce(plan, Sampler(plan, 11), range(3), together)
    whole = together.finish().values
    for k in range(3):
        alone = Collector(plan, [k])
        compiled.reduce(plan, Sampler(plan, 11), [k], alone)
        assert alone.finish().values.tobytes() == np.ascontiguousarray(whole[:, k : k + 1]).tobytes()


def test_what_the_pass_does_not_do_goes_to_batch_and_is_named():
    plan = make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1}))
    assert choose_engine(plan, "auto") == ("compiled", "auto: it does all that is asked for")
    engine, reason = choose_engine(plan, "auto", records=True)
    assert (engine, reason) == ("batch", "auto: compiled does not do records of each visit")
    with pytest.raises(EngineRefusal, match="records of each visit"):
        choose_engine(plan, "compiled", records=True)


STOPS = [("no_overrun", "could never start"), ("when_full", "one more is needed")]


@pytest.mark.parametrize(("kind", "message"), STOPS)
def test_what_stops_a_run_stops_the_pass_with_the_same_error(kind, message):
    """A service longer than any opening, and crossings that were not drawn."""
    raised = 0
    for seed in range(60):
        case = random_case(NumpyDice(np.random.default_rng(seed)), kinds=(kind,), elements=(1, 1), consignments=(6, 8))
        plan, inputs = with_usual_numbers(case, seed)
        if kind == "no_overrun":
            station = dataclasses.replace(plan.elements[0], lanes=StepFunction([0, 2, 20, 22], [1, 0, 1, 0]))
            plan = dataclasses.replace(plan, elements=(station,))
        else:
            inputs = dataclasses.replace(inputs, crossing_h={k: v[:, :1] for k, v in inputs.crossing_h.items()})
        try:
            batch.simulate(plan, inputs)
        except SimulationError:
            collector = Collector(plan, inputs.replications)
            with pytest.raises(SimulationError, match=message):
                compiled.reduce(plan, GivenDraws(plan, inputs), range(len(inputs.replications)), collector)
            raised += 1
    assert raised >= 5


def test_auto_compiles_only_for_long_runs():
    plan = make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1}))
    assert choose_engine(plan, "auto", visits=lambda: EARNED["batch"])[0] == "compiled"
    short = ("batch", "auto: it does all that is asked for, and the run is small")
    assert choose_engine(plan, "auto", visits=lambda: 0.99 * EARNED["batch"]) == short
    assert choose_engine(plan, "compiled", visits=lambda: 1.0) == ("compiled", "asked for")


def test_auto_does_not_compile_where_every_process_would_have_to(monkeypatch):
    plan = make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1}))
    monkeypatch.setattr(machine, "IS_KEPT", False)
    engine, reason = choose_engine(plan, "auto")
    assert engine == "batch"
    assert "NUMBA_CACHE_DIR" in reason


def test_seven_forms_are_compiled_with_kernels_queues_in_time_order_stations_with_everything_yards_and_without():
    compiled.prepare(make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1})))
    for _, plan, inputs in cases(range(60)):
        collector = Collector(plan, inputs.replications)
        compiled.reduce(plan, GivenDraws(plan, inputs), range(len(inputs.replications)), collector)
    compiled.prepare(Plan(elements=(), flows=(), horizon_h=24.0))
    assert 4 <= len(machine.replications.signatures) <= 7


def test_the_header_of_a_run_names_the_part_that_is_worked_through_in_time_order():
    plan = make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1}))
    k = next(k for k, one in enumerate(plan.elements) if isinstance(one, Station))
    elements = list(plan.elements)
    elements[k] = dataclasses.replace(
        elements[k], outages=(PlanOutage(from_h=3.0, until_h=9.0),), outage_policy="finish"
    )
    part = dataclasses.replace(plan, elements=tuple(elements))
    named = f"auto: it does all that is asked for; in time order {elements[k].id}"
    assert choose_engine(part, "auto") == ("compiled", named)
    assert choose_engine(plan, "auto") == ("compiled", "auto: it does all that is asked for")


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_runs_that_are_many_together_take_the_pass(monkeypatch):
    scenario = load_scenario("do_nothing_2026", {"run.horizon_days": 3, "run.warm_up_days": 1})
    grid = {"flows.south_bilateral.per_day": [150.0, 160.0, 170.0]}
    settings = {"replications": 2, "rng": 1, "workers": 1, "indicators": ["throughput_per_day"]}
    monkeypatch.setitem(EARNED, "batch", 2.0 * expected_visits(make_plan(scenario), 1, 2))
    assert run(scenario, **settings).engine == "batch"
    found = sweep(scenario, grid, **settings).runs
    assert [one.engine for one in found] == ["compiled"] * 3
    one = sweep(scenario, {path: values[1:2] for path, values in grid.items()}, **settings).runs[0]
    assert one.engine == "batch"
    assert one.rows.values.tobytes() == found[1].rows.values.tobytes()


def test_the_switch_turns_the_pass_off(monkeypatch):
    plan = make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1}))
    monkeypatch.setenv("CORRIDOR_SIM_FAST", "0")
    engine, reason = choose_engine(plan, "auto")
    assert engine == "batch"
    assert "CORRIDOR_SIM_FAST=0" in reason
    with pytest.raises(EngineRefusal, match="CORRIDOR_SIM_FAST=0"):
        run(plan, engine="compiled", replications=1, rng=1)


def test_an_indicator_that_looks_at_visits_goes_to_batch_and_is_named():
    plan = make_plan(load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1}))

    @INDICATORS.register("longest_of_a_test")
    class Longest(Indicator):
        """The longest visit."""

        def add_visits(self, block):
            """Look at visits."""

        def table_rows(self):
            """No rows."""
            yield from ()

    try:
        engine, reason = choose_engine(plan, "auto", indicators=["longest_of_a_test"])
    finally:
        INDICATORS.unregister("longest_of_a_test")
    assert engine == "batch"
    assert "indicator longest_of_a_test, which takes what happened block by block" in reason


def any_case(seed):
    """As `case_of`; of every 16 seeds one with gates besides, one each with ways round, yards, patience, rests."""
    dice = NumpyDice(np.random.default_rng([10, seed]))
    if seed % 16 == 5:
        return with_usual_numbers(random_cycle(dice, most=8), [9, seed])
    if seed % 16 == 9:
        return line_case(seed // 16)
    if seed % 16 == 11:
        return impatient_case(seed // 16, interrupts=bool(seed // 16 % 4))
    if seed % 16 == 13:
        return rested_case(seed // 16)
    plan, inputs = case_of([9, seed])
    return (with_gates(dice, plan, 40) if seed % 16 == 7 else plan), inputs


@pytest.mark.long
def test_two_thousand_random_plans_have_the_same_table(capsys):
    had, ran = Counter(), {"compiled": Counter(), "batch": Counter(), "event": Counter()}
    for seed in range(2000):
        plan, inputs = any_case(seed)
        mechanisms = frozenset().union(needed(plan), *map(needed, plan.flows), *needs_at(plan))
        had.update(mechanisms)
        for name, engine in (("compiled", compiled), ("batch", batch), ("event", event)):
            if not engine.refusals(plan):
                ran[name].update(mechanisms)
        if not compiled.refusals(plan):
            try:
                assert difference(plan, inputs) == "", seed
            except SimulationError:
                continue
    with capsys.disabled():
        for one in sorted(had, key=lambda one: one.name):
            shares = ", ".join(f"{name} {ran[name][one] / had[one]:.0%}" for name in ran)
            print(f"\n{one.name} ({had[one]}): {shares}", end="")
    assert {one.name for one in compiled.DOES if not ran["compiled"][one]} == set()
