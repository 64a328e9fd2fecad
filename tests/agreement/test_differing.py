"""What differs from a base alone is simulated again, and the tables are those of full runs to the bit."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from plans import APART, DrawnDice, NumpyDice, coupled, random_case
from test_compiled_pass import with_usual_numbers
from windows import GivenDraws

import corridor_sim as cs
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import compiled
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.indicators import Collector
from corridor_sim.indicators.same_places import tables_together
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.elements import Departures, LimitedLeg, Quota, Station
from corridor_sim.sampling.sampler import Sampler

pytest.importorskip("numba")

SHORT = {"run.horizon_days": 12, "run.warm_up_days": 3}


@pytest.fixture(autouse=True)
def _switched_on(monkeypatch):
    monkeypatch.delenv("CORRIDOR_SIM_FAST", raising=False)


def at_posts(dice, plan):
    """The plan with its elements at posts, neighbours together."""
    elements, post = [], 0
    for element in plan.elements:
        post += dice.integer(0, 1)
        elements.append(dataclasses.replace(element, post=f"p{post}"))
    return dataclasses.replace(plan, elements=tuple(elements))


def changed_element(dice, element):
    """An element that does something else, or nothing else if it has nothing to change."""
    more = dice.integer(1, 2)
    if isinstance(element, Station):
        lanes = StepFunction(element.lanes.from_h, element.lanes.value + more)
        return dataclasses.replace(element, lanes=lanes)
    if isinstance(element, Quota):
        return dataclasses.replace(element, per_day=element.per_day + more)
    if isinstance(element, Departures):
        return dataclasses.replace(element, places=element.places + more)
    if isinstance(element, LimitedLeg):
        return dataclasses.replace(element, headway_h=StepFunction.constant(float(more)))
    return element


def changed_variant(dice, variant):
    """An itinerary with another factor, another share or a step less."""
    what, at = dice.integer(0, 2), dice.integer(0, len(variant.steps) - 1)
    step, rest = variant.steps[at], []
    if what == 0:
        step = dataclasses.replace(step, factor=StepFunction([0.0, 5.0], [1.0, 0.5]))
    elif what == 1 and step.share is not None:
        step = dataclasses.replace(step, share=StepFunction([0.0, 9.0], [0.75, 0.25]))
    elif what == 2 and len(variant.steps) > 1:
        spans = []
        for span in variant.spans:
            first, last = span.first - (span.first > at), span.last - (span.last >= at)
            if first <= last:
                spans.append(dataclasses.replace(span, first=first, last=last))
        return dataclasses.replace(
            variant, steps=variant.steps[:at] + variant.steps[at + 1 :], spans=tuple(dict.fromkeys(spans))
        )
    return dataclasses.replace(variant, steps=(*variant.steps[:at], step, *variant.steps[at + 1 :], *rest))


def differing(dice, plan):
    """A plan that differs from another in one or two places."""
    elements, flows = list(plan.elements), list(plan.flows)
    for _ in range(dice.integer(1, 2)):
        if dice.integer(0, 2):
            k = dice.integer(0, len(elements) - 1)
            elements[k] = changed_element(dice, elements[k])
        else:
            f = dice.integer(0, len(flows) - 1)
            variants = list(flows[f].variants)
            v = dice.integer(0, len(variants) - 1)
            if variants[v].steps:
                variants[v] = changed_variant(dice, variants[v])
            flows[f] = dataclasses.replace(flows[f], variants=tuple(variants))
    return dataclasses.replace(plan, elements=tuple(elements), flows=tuple(flows))


def alone(plan, sampler, replications, window_h):
    """Table and visits of a run of its own."""
    collector = Collector(plan, replications)
    compiled.reduce(plan, sampler, range(len(replications)), collector, window_h=window_h)
    return collector.finish(), collector.visits


def assert_same(found, wanted, what=""):
    """The same labels, bits, visits and counts of pooled percentiles."""
    (one, visits), (other, other_visits) = found, wanted
    assert one.labels == other.labels, what
    unlike = ~((one.values == other.values) | (np.isnan(one.values) & np.isnan(other.values))).all(axis=1)
    assert [one.labels[k] for k in np.flatnonzero(unlike)[:3]] == [], what
    assert one.values.tobytes() == other.values.tobytes(), what
    assert np.array_equal(visits, other_visits), what
    mine, theirs = one.pools.arrays(), other.pools.arrays()
    assert mine.keys() == theirs.keys(), what
    assert all(np.array_equal(mine[key], theirs[key]) for key in mine), what


def assert_as_full_runs(plans, samplers, replications, window_h=7.0):
    """The first plan with the others, and each alone; visits that were simulated again of all, by plan."""
    (plan, *more), (sampler, *their) = plans, samplers
    collector = Collector(plan, replications)
    others = [
        compiled.Other(other, source, Collector(other, replications)) for other, source in zip(more, their, strict=True)
    ]
    compiled.reduce(plan, sampler, range(len(replications)), collector, window_h=window_h, others=others)
    tables = tables_together(collector, [(other.collector, other.goes_as) for other in others])
    visits = [collector.visits, *(other.collector.visits for other in others)]
    found = list(zip(tables, visits, strict=True))
    for k, (result, other, source) in enumerate(zip(found, plans, samplers, strict=True)):
        assert_same(result, alone(other, source, replications, window_h), f"plan {k}")
    return [(int(other.again.sum()), int(visits.sum())) for other, (_, visits) in zip(others, found[1:], strict=True)]


def family(dice, seed, others, **size):
    """A random plan of the pass with others that differ from it; None where the pass does not do it."""
    case = random_case(dice, **size)
    if dice.integer(0, 2):
        # A run that ends while many are under way.
        horizon_h = float(max(int(case.plan.horizon_h * dice.integer(1, 9) / 10), 2))
        case = dataclasses.replace(case, plan=dataclasses.replace(case.plan, horizon_h=horizon_h))
    plan, inputs = with_usual_numbers(case, seed)
    if compiled.refusals(plan):
        return None
    plan = at_posts(dice, plan)
    plans = [plan, *(differing(dice, plan) for _ in range(others))]
    return None if any(map(compiled.refusals, plans)) else (plans, inputs)


@pytest.mark.parametrize("seed", range(8))
def test_random_plans_that_differ_in_places_have_the_tables_of_full_runs(seed):
    ran, again, all_visits = 0, 0, 0
    for number in range(60):
        if ran == 8:
            break
        size = {"elements": (3, 7), "consignments": (60, 160), "rows": (1, 2), "flows": (2, 4), "span": 90}
        found = family(NumpyDice(np.random.default_rng([seed, number])), number, 3, **size)
        if found is None:
            continue
        plans, inputs = found
        samplers = [GivenDraws(plan, inputs) for plan in plans]
        shares = assert_as_full_runs(plans, samplers, inputs.replications, (1.0, 7.0, 1000.0)[number % 3])
        again, all_visits = again + sum(a for a, _ in shares), all_visits + sum(n for _, n in shares)
        ran += 1
    assert ran == 8
    assert 0 < again < 0.9 * all_visits


def test_plans_with_staff_pools_and_balking_are_simulated_whole_and_have_the_tables_of_full_runs():
    ran = 0
    for number in range(40):
        dice = NumpyDice(np.random.default_rng([3, number]))
        case = random_case(dice, kinds=APART, elements=(3, 6), consignments=(60, 160), flows=(2, 3), span=90)
        plan, inputs = coupled(dice, *with_usual_numbers(case, number))
        plans = [at_posts(dice, plan)]
        # The other differs at a station; now and then only one of the two has pools.
        elements = tuple(changed_element(dice, one) for one in plans[0].elements)
        if dice.integer(0, 1):
            elements = tuple(
                dataclasses.replace(one, staff_pool=None) if isinstance(one, Station) else one for one in elements
            )
        plans.append(dataclasses.replace(plans[0], elements=elements))
        if any(map(compiled.refusals, plans)) or not plan.staff_pools:
            continue
        samplers = [GivenDraws(one, inputs) for one in plans]
        ((again, visits),) = assert_as_full_runs(plans, samplers, inputs.replications)
        assert again == visits
        ran += 1
    assert ran >= 8


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_small_plans_that_differ_have_the_tables_of_full_runs(data):
    found = family(DrawnDice(data.draw), 1, 2, elements=(1, 4), consignments=(0, 8), rows=(1, 2))
    if found is not None:
        plans, inputs = found
        assert_as_full_runs(plans, [GivenDraws(plan, inputs) for plan in plans], inputs.replications)


def improved(base, *improvements):
    """The plan of a scenario with improvements."""
    return make_plan(base.with_improvements(*improvements))


def test_improvements_of_the_packaged_corridor_have_the_tables_of_full_runs():
    base = load_scenario("do_nothing_2026", SHORT)
    lanes = cs.AddLanes(checkpoint="samur_az", direction="exit", stage="lanes", lanes=2)
    plans = [make_plan(base), improved(base, lanes), make_plan(load_scenario("year_2026_roadmap", SHORT))]
    plans.append(plans[0])
    shares = assert_as_full_runs(plans, [Sampler(plan, 11) for plan in plans], range(2), 48.0)
    assert 0 < shares[0][0] < 0.3 * shares[0][1]
    assert shares[2][0] == 0
