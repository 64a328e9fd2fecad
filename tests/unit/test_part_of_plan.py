"""The part of a plan that decides what happens at some elements: unchanged to the bit, no larger than it must be."""

import dataclasses

import numpy as np
import pytest
from event_plans import station
from small_corridor import plan_with, small

import corridor_sim as cs
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.indicators.places import PlanView
from corridor_sim.plan.elements import Reservation
from corridor_sim.plan.part import OUTSIDE, part_of
from corridor_sim.plan.plan import FlowPlan, Plan, PlanStaffPool
from corridor_sim.plan.steps import Step, Variant

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
ROWS = ["tfi1", "wait_h", "stay_h", "queue", "throughput_per_day", "saturation", "delay_truck_h"]


def elements_at(plan, crossing, direction):
    return PlanView(plan, np.arange(1)).crossing_elements[crossing, direction]


def rows_at(results, ids):
    """Values of the stages of these ids, and of the crossings and posts that they belong to."""
    kept = {"stage": ids, "crossing": {"astara", "samur"}}
    return {label: values for label, values in results.rows if label.kind in kept and label.place in kept[label.kind]}


@pytest.mark.parametrize("engine", ["event", "batch"])
@pytest.mark.parametrize(("crossing", "direction"), [("astara", "IR>AZ"), ("samur", "AZ>RU"), ("samur", "RU>AZ")])
def test_what_happens_at_a_crossing_is_the_same_to_the_bit(crossing, direction, engine):
    plan = plan_with()
    wanted = elements_at(plan, crossing, direction)
    part = part_of(plan, wanted)
    ids = {plan.elements[k].id for k in wanted}
    settings = {"replications": 2, "rng": 5, "engine": engine, "indicators": ROWS}
    whole, mine = cs.run(plan, **settings), rows_at(cs.run(part, **settings), ids)
    theirs = {label: values for label, values in rows_at(whole, ids).items() if label in mine}
    of_crossing = {label for label in theirs if label.kind == "crossing" and label.direction == direction}
    assert of_crossing
    assert len(theirs) > 10
    for label, values in theirs.items():
        if label.kind == "stage" or label in of_crossing:
            assert np.array_equal(values, mine[label], equal_nan=True), label


def test_the_packaged_year_at_astara_is_the_same_to_the_bit_from_a_sixth_of_the_visits():
    scenario = cs.load_scenario("year_2026_roadmap")
    scenario = scenario.replace(run=scenario.run.replace(horizon_days=40.0, horizon_h=None))
    plan = cs.make_plan(scenario)
    part = part_of(plan, elements_at(plan, "astara", "IR>AZ"))
    settings = {"replications": 2, "rng": 1, "indicators": ROWS}
    whole, less = cs.run(plan, **settings), cs.run(part, **settings)
    assert less.visits_count < whole.visits_count / 6
    same = {label: values for label, values in whole.rows if label.kind == "stage" or label.place == "astara"}
    compared = 0
    for label, values in less.rows:
        if label.kind == "stage" or (label.kind == "crossing" and label.direction == "IR>AZ"):
            assert np.array_equal(values, same[label], equal_nan=True), label
            compared += 1
    assert compared > 30


def test_flows_that_meet_nothing_are_left_out_and_itineraries_end_with_the_part():
    plan = plan_with()
    part = part_of(plan, elements_at(plan, "astara", "IR>AZ"))
    assert [flow.id for flow in part.flows] == ["transit"]
    assert [element.id for element in part.elements][-1] == "astara_az.entry.gate"
    assert all(span.last < len(v.steps) for flow in part.flows for v in flow.variants for span in v.spans)


def test_an_itinerary_that_meets_none_stands_outside():
    elements = (station("A"), station("B"))
    ways = (Variant(id="a", steps=(Step(element=0),)), Variant(id="b", steps=(Step(element=1),)))
    part = part_of(Plan(elements=elements, flows=(FlowPlan(id="f", variants=ways),), horizon_h=1.0), [1])
    assert [element.id for element in part.elements] == ["B", OUTSIDE]
    assert [variant.steps[0].element for variant in part.flows[0].variants] == [1, 0]


def line(*elements, flows=1, **rest):
    ways = (Variant(id="way", steps=tuple(Step(element=k) for k in range(len(elements)))),)
    many = tuple(FlowPlan(id=f"f{k}", variants=ways) for k in range(flows))
    return Plan(elements=elements, flows=many, horizon_h=10.0, **rest)


def test_a_station_that_can_block_belongs_to_the_one_before_it():
    ids = [
        e.id
        for e in part_of(line(station("A"), station("B", yard=2), station("C", yard=1), station("D")), [0]).elements
    ]
    assert ids == ["A", "B", "C"]
    assert [e.id for e in part_of(line(station("A"), station("B")), [0]).elements] == ["A"]


def test_stations_of_one_staff_pool_belong_together():
    plan = line(station("A", staff_pool="p"), station("B"), station("C", staff_pool="p"))
    plan = dataclasses.replace(plan, staff_pools=(PlanStaffPool(id="p", members=StepFunction.constant(1)),))
    assert [element.id for element in part_of(plan, [0]).elements] == ["A", "B", "C"]
    assert part_of(line(station("A"), station("B")), [0]).staff_pools == ()


def test_who_else_comes_belongs_to_a_part_and_what_they_passed_before():
    elements = (station("A"), station("B"), station("C"), station("D"))
    ways = [(0, 2), (1, 2, 3), (3,)]
    flows = tuple(
        FlowPlan(id=f"f{k}", variants=(Variant(id="v", steps=tuple(Step(element=e) for e in way)),))
        for k, way in enumerate(ways)
    )
    part = part_of(Plan(elements=elements, flows=flows, horizon_h=1.0), [2])
    assert [element.id for element in part.elements] == ["A", "B", "C"]
    assert [flow.id for flow in part.flows] == ["f0", "f1"]


def test_ranks_and_reservations_are_those_of_the_flows_that_are_left():
    kept = Reservation(flows=frozenset({0, 2}), lanes=StepFunction.constant(1))
    one = station("A", lanes=2, rank=(3, 2, 1), rank_changes=((0.0, (3, 2, 1)), (5.0, None)), reserved=(kept,))
    elements = (one, station("B"))
    ways = [(1,), (1,), (0, 1)]
    flows = tuple(
        FlowPlan(id=f"f{k}", variants=(Variant(id="v", steps=tuple(Step(element=e) for e in way)),))
        for k, way in enumerate(ways)
    )
    left = part_of(Plan(elements=elements, flows=flows, horizon_h=1.0), [0]).elements[0]
    assert (left.rank, left.rank_changes) == ((1,), ((0.0, (1,)), (5.0, None)))
    assert left.reserved[0].flows == frozenset({0})


def test_drivers_who_may_turn_away_keep_their_whole_itineraries():
    plan = cs.make_plan(small(flows__north__balk={"threshold_h": 1.0, "crossing": "khanoba"}))
    part = part_of(plan, elements_at(plan, "samur", "AZ>RU"))
    flow = next(flow for flow in part.flows if flow.id == "north")
    there = next(flow for flow in plan.flows if flow.id == "north")
    assert [len(variant.steps) for variant in flow.variants] == [len(variant.steps) for variant in there.variants]


def test_a_part_that_nobody_visits_is_an_error():
    with pytest.raises(ValueError, match="no flow visits"):
        part_of(dataclasses.replace(line(station("A")), elements=(station("A"), station("B"))), [1])
