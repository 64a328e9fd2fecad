"""Corners in which the engines once differed, or the cut of a run showed; each is the smallest case of its kind."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from windows import GivenDraws

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import batch, event
from corridor_sim.engines.batch import streaming
from corridor_sim.indicators import Collector, visit_blocks
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, PlanOutage, Quota, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.records.inputs import FlowInputs, SampledInputs, default_numbers
from corridor_sim.records.visits import chunk_of

ONE = StepFunction.constant(1)
TIME = Deterministic(value_h=1.0)


def case(elements, flows, horizon_h=40.0, **more):
    """A plan and the inputs of one replication; flows are (element numbers, releases, durations by element)."""
    plans, inputs = [], []
    for f, (path, release_h, duration_h) in enumerate(flows):
        shape = (1, len(release_h))
        steps = tuple(
            Step(element=e, laws=((0.0, TIME),), draws=str(e)) if e in duration_h else Step(element=e) for e in path
        )
        plans.append(FlowPlan(id=f"f{f}", variants=(Variant(id="v", steps=steps),)))
        durations = {str(e): (np.array([values], dtype=float),) for e, values in duration_h.items()}
        inputs.append(
            FlowInputs(
                np.array([release_h], dtype=float),
                np.zeros(shape, dtype=np.int64),
                default_numbers(f, shape),
                durations,
            )
        )
    plan = Plan(elements=tuple(elements), flows=tuple(plans), horizon_h=horizon_h, **more)
    return plan, SampledInputs(np.arange(1), tuple(inputs))


def same(plan, inputs):
    return batch.simulate(plan, inputs).same_as(event.simulate(plan, inputs))


@pytest.mark.parametrize("worth_a_tile", [1, 16384])
def test_who_begins_at_the_very_horizon_counts_the_same_however_the_run_is_cut(worth_a_tile, monkeypatch):
    plan, inputs = case([Delay(id="d")], [((0,), [0.0, 4.0], {0: [0.5, 0.5]})], 4.0, warm_up_h=1.0)
    monkeypatch.setattr(visit_blocks, "WORTH_A_BLOCK", worth_a_tile)
    tables = []
    for chunks in (
        [chunk_of(event.simulate(plan, inputs))],
        streaming.windows(plan, GivenDraws(plan, inputs).stream([0]), [0], 1.0, 1.0),
    ):
        collector = Collector(plan, [0])
        for chunk in chunks:
            collector.add(chunk)
        tables.append(collector.finish())
    assert tables[0].values.tobytes() == tables[1].values.tobytes()
    assert tables[0].select("arrivals_per_day").values.tolist() == [[0.0]]


def test_those_who_landed_in_boarding_order_keep_it_before_stations_that_block():
    ferry = Departures(id="ferry", depart_h=np.array([10.0]), places=np.array([2]), landing="boarding")
    stations = [Station(id="a", lanes=ONE), Station(id="b", lanes=ONE, yard=0)]
    flows = [((0, 1, 2), [2.0], {1: [1.0], 2: [1.0]}), ((0, 1, 2), [1.0], {1: [1.0], 2: [1.0]})]
    plan, inputs = case([ferry, *stations], flows)
    assert not same(plan, inputs)
    assert event.simulate(plan, inputs).elements[1].start_h[0].tolist() == [11.0, 10.0]


QUOTA = Quota(id="q", day_start_h=np.array([0.0, 8.0]), per_day=np.array([0, 9]))
BOAT = Departures(id="boat", depart_h=np.array([8.0, 12.0]), places=np.array([9, 9]))
LEG = LimitedLeg(id="leg", open=StepFunction([0.0, 8.0], [0, 1]))


@pytest.mark.parametrize("instant", [QUOTA, BOAT, LEG], ids=["quota", "sailing", "leg"])
def test_a_way_back_from_where_nobody_stays_is_refused_by_name(instant):
    station = Station(id="s", lanes=ONE)
    flows = [((1, 0), [7.0], {0: [1.0]}), ((0, 1), [8.0], {0: [1.0]})]
    plan, _ = case([station, instant], flows, cyclic=True)
    assert batch.refusals(plan) == [f"a way back from {instant.id}, which may take no time"]
    # The other way round no itinerary goes back from there.
    plan, inputs = case([instant, station], [((0, 1), [7.0], {1: [1.0]}), ((1, 0), [8.0], {1: [1.0]})], cyclic=True)
    assert not batch.refusals(plan)
    assert not same(plan, inputs)


def test_a_leg_that_happens_to_take_no_time_is_said_where_an_itinerary_goes_back_from_it():
    flows = [((1, 0), [7.0], {0: [1.0], 1: [0.0]}), ((0, 1), [8.0], {0: [1.0], 1: [0.0]})]
    plan, inputs = case([Station(id="s", lanes=ONE), LEG], flows, cyclic=True)
    with pytest.raises(SimulationError, match=r"leg: a stay takes no time, .* Take engine=.event."):
        batch.simulate(plan, inputs)


def test_a_rare_flow_does_not_keep_the_arrays_of_a_busy_one():
    releases = np.sort(np.random.default_rng(1).integers(0, 2000, 400) / 64).tolist()
    flows = [((0,), releases, {0: [1 / 64] * 400}), ((0,), [3.0, 20.0], {0: [1 / 64] * 2})]
    plan, inputs = case([Station(id="s", lanes=StepFunction.constant(4))], flows)
    (chunk,) = streaming.windows(plan, GivenDraws(plan, inputs).stream([0]), [0], 40.0, 40.0)
    for visits in chunk.visits:
        for times in (visits.start_h, visits.finish_h, visits.leave_h):
            assert times.base is None or times.base.size <= 2 * times.size


@pytest.mark.parametrize("laws", [2, 33, 70])
def test_a_step_may_have_any_number_of_dated_laws(laws):
    plan, inputs = case([Station(id="s", lanes=ONE)], [((0,), np.arange(40.0).tolist(), {0: [0.5] * 40})])
    step = Step(element=0, laws=tuple((float(k) / 2, TIME) for k in range(laws)), draws="0")
    flow = FlowPlan(id="f0", variants=(Variant(id="v", steps=(step,)),))
    durations = {"0": tuple(np.full((1, 40), (k % 5 + 1) / 8) for k in range(laws))}
    drawn = inputs.flows[0]
    inputs = SampledInputs(np.arange(1), (FlowInputs(drawn.release_h, drawn.variant, drawn.number, durations),))
    assert not same(Plan(elements=plan.elements, flows=(flow,), horizon_h=40.0), inputs)


def test_nobody_and_no_replication_give_no_chunks():
    plan = Plan(elements=(), flows=(), horizon_h=24.0)
    nothing = SampledInputs(np.arange(1), ())
    assert not same(plan, nothing)
    assert not [c for c in batch.stream(plan, GivenDraws(plan, nothing), [0]) if c.visits or c.spans]
    assert list(batch.stream(plan, GivenDraws(plan, nothing), [])) == []


def test_windows_without_length_are_refused():
    plan, inputs = case([Delay(id="d")], [((0,), [0.0], {0: [0.5]})])
    with pytest.raises(ValueError, match="window_h must be > 0"):
        next(streaming.windows(plan, GivenDraws(plan, inputs).stream([0]), [0], 0.0, 0.0))


def test_the_clock_of_a_station_that_fails_is_made_once(monkeypatch):
    from corridor_sim.engines.queues import Hours

    made = []
    real = Hours.of.__func__
    monkeypatch.setattr(Hours, "of", classmethod(lambda *given: made.append(1) or real(*given)))
    station = Station(
        id="s", lanes=ONE, outages=(PlanOutage(from_h=5.0, until_h=6.0), PlanOutage(from_h=21.5, until_h=22.0))
    )
    plan, inputs = case([station], [((0,), np.arange(0.0, 40.0, 0.5).tolist(), {0: [0.25] * 80})])
    chunks = list(streaming.windows(plan, GivenDraws(plan, inputs).stream([0]), [0], 1.0, 1.0))
    assert len(chunks) > 30
    assert sum(made) == 1
    assert not same(plan, inputs)
