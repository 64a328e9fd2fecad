"""What of a plan goes as in another: exactly what is reached by nothing that differs."""

from __future__ import annotations

import dataclasses

import pytest

import corridor_sim as cs
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.model.service_times import Exponential
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.elements import Delay, Station
from corridor_sim.plan.plan import FlowPlan, Plan, PlanStaffPool
from corridor_sim.plan.shared_part import shared_part
from corridor_sim.plan.steps import PlanBalk, Span, Step, Variant


def station(id, lanes=1, **also):
    return Station(id=id, lanes=StepFunction.constant(lanes), **also)


def step(element, **also):
    return Step(element=element, laws=((0.0, Exponential(mean_h=0.5)),), draws=f"s{element}", **also)


def two_roads(*elements):
    """Elements a to e: flow one passes a, b, c and flow two a, d, e; c and e stand alone at the ends."""
    found = {element.id: element for element in (*map(station, "abcde"), *elements)}
    flows = tuple(
        FlowPlan(id=id, variants=(Variant(id="v", steps=tuple(step("abcde".index(k)) for k in way)),))
        for id, way in (("one", "abc"), ("two", "ade"))
    )
    return Plan(elements=tuple(found[k] for k in "abcde"), flows=flows, horizon_h=100.0)


def with_step(plan, flow, number, new):
    """The plan with another step in the only itinerary of a flow."""
    variant = plan.flows[flow].variants[0]
    steps = (*variant.steps[:number], new, *variant.steps[number + 1 :])
    return with_variant(plan, flow, dataclasses.replace(variant, steps=steps))


def slower_at(plan, number):
    """The plan with twice the service times at a step of flow one."""
    old = plan.flows[0].variants[0].steps[number]
    return with_step(plan, 0, number, dataclasses.replace(old, factor=StepFunction.constant(2)))


def with_variant(plan, flow, variant):
    flows = list(plan.flows)
    flows[flow] = dataclasses.replace(flows[flow], variants=(variant,))
    return dataclasses.replace(plan, flows=tuple(flows))


def shared(base, plan):
    """Numbers of shared steps of the first itinerary of each flow, and the shared elements."""
    part = shared_part(base, plan)
    return [steps[0] for steps in part.steps], "".join(
        plan.elements[k].id for k, of in enumerate(part.element_of) if of >= 0
    )


def test_of_an_equal_plan_everything_is_shared():
    assert shared(two_roads(), two_roads()) == ([None, None], "abcde")


@pytest.mark.parametrize(
    ("changed", "steps", "elements"),
    [
        ("c", [2, None], "abde"),
        ("b", [1, None], "ade"),
        ("d", [None, 1], "abc"),
        ("a", [0, 0], ""),
    ],
)
def test_what_comes_after_a_changed_element_is_affected_and_nothing_else(changed, steps, elements):
    assert shared(two_roads(), two_roads(station(changed, 2))) == (steps, elements)


def test_a_changed_step_affects_those_who_meet_its_consignments_later():
    base = two_roads()
    slower = with_step(
        base, 0, 0, dataclasses.replace(base.flows[0].variants[0].steps[0], factor=StepFunction.constant(2))
    )
    # Flow two shares the first station with flow one, so it is affected from there.
    assert shared(base, slower) == ([0, 0], "")
    last = with_step(
        base, 0, 2, dataclasses.replace(base.flows[0].variants[0].steps[2], factor=StepFunction.constant(2))
    )
    assert shared(base, last) == ([2, None], "abde")


def test_a_delay_couples_nobody():
    base = dataclasses.replace(two_roads(), elements=(Delay(id="a"), *two_roads().elements[1:]))
    slower = with_step(
        base, 0, 0, dataclasses.replace(base.flows[0].variants[0].steps[0], factor=StepFunction.constant(2))
    )
    assert shared(base, slower) == ([0, None], "de")


def test_a_step_more_or_less_affects_what_comes_after_it():
    base = two_roads()
    variant = base.flows[0].variants[0]
    shorter = with_variant(base, 0, dataclasses.replace(variant, steps=(variant.steps[0], variant.steps[2])))
    assert shared(base, shorter) == ([1, None], "ade")
    assert shared(shorter, base) == ([1, None], "ade")
    first = with_variant(base, 0, dataclasses.replace(variant, steps=variant.steps[:2]))
    assert shared(base, first) == ([1, None], "ade")


def test_other_releases_or_another_flow_affect_all_that_they_reach():
    base = two_roads()
    one, two = base.flows
    more = dataclasses.replace(base, flows=(one, dataclasses.replace(two, arrivals=Exponential(mean_h=1.0))))
    assert shared(base, more) == ([0, 0], "")
    other = FlowPlan(id="three", variants=(Variant(id="v", steps=(step(2),)),))
    joined = dataclasses.replace(base, flows=(one, other, two))
    assert shared(base, joined) == ([2, 0, None], "abde")
    assert shared(joined, base) == ([2, None], "abde")
    assert shared_part(base, joined).flow_of == (0, -1, 1)


def test_ranks_by_number_mean_something_else_among_other_flows():
    base = two_roads(station("a", rank=(0, 1)))
    other = FlowPlan(id="three", variants=(Variant(id="v", steps=(step(2),)),))
    joined = dataclasses.replace(base, flows=(base.flows[0], other, base.flows[1]))
    assert shared(base, joined) == ([0, 0, 0], "")


def test_a_staff_pool_takes_its_stations_along():
    pool = {"staff_pools": (PlanStaffPool(id="crew", members=StepFunction.constant(2)),)}
    crew = [station(k, staff_pool="crew") for k in "ce"]
    base = dataclasses.replace(two_roads(*crew), **pool)
    assert shared(base, base) == ([None, None], "abcde")
    more = dataclasses.replace(two_roads(station("c", 2, staff_pool="crew"), crew[1]), **pool)
    assert shared(base, more) == ([2, 2], "abd")
    larger = dataclasses.replace(base, staff_pools=(PlanStaffPool(id="crew", members=StepFunction.constant(3)),))
    assert shared(base, larger) == ([2, 2], "abd")


def test_a_place_that_may_be_full_takes_along_what_is_before_it():
    base = two_roads(station("c", yard=2))
    assert shared(base, two_roads(station("c", 2, yard=2))) == ([1, None], "ade")
    assert shared(base, two_roads(station("e", 2), station("c", yard=2))) == ([None, 2], "abcd")


def test_who_balks_by_the_wait_at_an_affected_place_takes_the_flow_along():
    base = two_roads()
    variant = base.flows[0].variants[0]
    asks = dataclasses.replace(variant.steps[1], balk=PlanBalk(threshold_h=1.0, variant=0, at_step=2, stages=(1, 2)))
    plans = [with_step(two_roads(*changed), 0, 1, asks) for changed in ([], [station("c", 2)], [station("e", 2)])]
    assert shared(plans[0], plans[1]) == ([0, 0], "")
    assert shared(plans[0], plans[2]) == ([None, 2], "abcd")


def test_queues_of_one_post_are_affected_together():
    post = [station(k, post="p") for k in "bc"]
    assert shared(two_roads(*post), two_roads(post[0], station("c", 2, post="p"))) == ([1, None], "ade")


def test_a_span_that_ends_elsewhere_is_affected_with_its_steps():
    base = two_roads()
    variant = base.flows[0].variants[0]
    one, other = (
        with_variant(base, 0, dataclasses.replace(variant, spans=(Span(kind="post", id="p", first=0, last=last),)))
        for last in (1, 2)
    )
    assert shared(one, other) == ([1, None], "ade")
    assert shared(one, base) == ([0, 0], "")


@pytest.mark.parametrize("change", [{"horizon_h": 90.0}, {"warm_up_h": 1.0}, {"count_until_h": 50.0}])
def test_nothing_is_shared_where_other_hours_are_counted(change):
    part = shared_part(two_roads(), dataclasses.replace(two_roads(), **change))
    assert part.is_empty
    assert set(part.element_of) == {-1}


def test_two_lanes_at_the_end_of_the_packaged_corridor_affect_a_part_of_it():
    base = load_scenario("do_nothing_2026")
    lanes = cs.AddLanes(checkpoint="samur_az", direction="exit", stage="lanes", lanes=2)
    before, after = make_plan(base), make_plan(base.with_improvements(lanes))
    part = shared_part(before, after)
    queues = [k for k, element in enumerate(after.elements) if not isinstance(element, Delay)]
    affected = {after.elements[k].id for k in queues if part.element_of[k] < 0}
    assert "samur_az.exit.lanes" in affected
    assert {id.split(".")[0] for id in affected if "." in id} <= {"samur_az", "yarag_kazmalyar_ru"}
    assert len(affected) < len(queues) / 4
