"""Sentences about upgrades that sound true and are not: a counter-example each, worked out by hand."""

import pytest
from event_plans import Truck, a, change, ferry, play, station, to


@pytest.mark.parametrize(("first", "start"), [(10, 10), (9, 14)])
def test_a_faster_service_may_delay_the_urgent(first, start):
    # With the first service at 9 the second, not urgent, has begun when the urgent one comes.
    out = play([station("A", rank=(1, 0))], [a(0, first), a(1, 5), a(10, 1, flow=1)])
    assert out.start("A")[-1] == start


@pytest.mark.parametrize(("lanes", "leave"), [(1, [6, 16]), (2, [12, 11])])
def test_a_lane_more_upstream_may_delay_one_and_lengthen_the_trips_in_all(lanes, leave):
    out = play([station("A", lanes), station("B")], [a(0, 5, 1), a(0, 1, 10)])
    assert out.depart == leave


@pytest.mark.parametrize(("lanes", "wait"), [(1, 0), (2, 6)])
def test_a_lane_more_upstream_may_move_the_queue_downstream(lanes, wait):
    out = play([station("A", lanes), station("B")], [a(0, 5, 1), a(0, 1, 10)])
    assert sum(start - join for start, join in zip(out.start("B"), out.join("B"), strict=True)) == wait


@pytest.mark.parametrize(("lanes", "last"), [(2, 22), (3, 24)])
def test_a_lane_more_upstream_may_end_the_day_later_where_two_lanes_follow(lanes, last):
    trucks = [a(1, 3, 2), a(3, 1, 4), a(4, 6, 8), a(4, 1, 8), a(5, 3, 6), a(5, 2, 8)]
    assert max(play([station("A", lanes), station("B", 2)], trucks).depart) == last


@pytest.mark.parametrize(("yard", "leave"), [(0, 18), (1, 26)])
def test_a_larger_yard_after_several_lanes_may_delay_one(yard, leave):
    trucks = [a(1, 3, 4), a(1, 4, 2), a(1, 4, 8), a(3, 1, 8), a(5, 2, 5)]
    assert play([station("A", 2), station("B", yard=yard)], trucks).depart[2] == leave


def test_a_later_truck_may_delay_an_earlier_one_after_several_lanes():
    line, one, two = [station("A", 2), station("B")], a(0, 9, 1), a(1, 2, 10)
    assert play(line, [one]).depart == [10]
    assert play(line, [one, two]).depart[0] == 14


@pytest.mark.parametrize(("places", "start"), [(1, 17), (2, 20)])
def test_more_places_on_a_boat_may_delay_one_beyond_it(places, start):
    # Landing together, the two go on by number, and the smaller number was ready later.
    line = [ferry("F", [10, 20], places, crossing=7), station("B")]
    out = play(line, [Truck(6, {"B": 3}), Truck(5, {"B": 1}, flow=1)], crossing={"F": 7})
    assert out.start("B")[1] == start


def test_one_queue_for_two_lanes_may_delay_one_who_had_a_lane_of_its_own():
    trucks = [a(0, 10), a(0, 10), Truck(1, {"A": 1, "B": 1}, flow=1)]
    apart = play([station("A"), station("B")], trucks, variants={0: [to(0)], 1: [to(1)]})
    assert apart.start("B")[2] == 1
    assert play([station("A", 2)], trucks).start("A")[2] == 10


@pytest.mark.parametrize(("lanes", "ends"), [(1, (16, 16)), (2, (8, 12))])
def test_ranks_leave_the_end_of_the_work_alone_on_one_lane_and_not_on_two(lanes, ends):
    trucks, line = [a(0, 8), a(0, 4, flow=1), a(0, 4, flow=1)], station("A", lanes)
    ranked = change(line, rank=(1, 0))
    assert (max(play([line], trucks).depart), max(play([ranked], trucks).depart)) == ends
