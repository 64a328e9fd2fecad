"""Legs, departures and quotas of the event engine where the rules are silent."""

import numpy as np
import pytest
from event_plans import Truck, a, dated, ferry, play, station

from corridor_sim.core.errors import SimulationError
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, Quota


def test_a_delay_keeps_nobody_waiting():
    out = play([Delay(id="A")], [a(0, 5), a(0, 3), a(1, 0)])
    assert out.start("A") == out.join("A") == [0, 0, 1]
    assert out.finish("A") == out.leave("A") == out.depart == [5, 3, 1]


def test_the_first_entry_after_a_closure_is_at_its_end_and_the_headway_still_holds():
    leg = LimitedLeg(id="A", headway_h=dated(4), open=dated([(0, 1), (10, 0), (20, 1)]))
    out = play([leg], [a(9, 1), a(9, 1), a(15, 1)])
    assert out.start("A") == [9, 20, 24]
    # A closure shorter than the headway does not lengthen it.
    short = LimitedLeg(id="A", headway_h=dated(4), open=dated([(0, 1), (10, 0), (12, 1)]))
    assert play([short], [a(9, 1), a(9, 1)]).start("A") == [9, 13]


def test_the_headway_is_read_at_the_entry_of_the_one_before():
    leg = LimitedLeg(id="A", headway_h=dated([(0, 3), (4, 10)]))
    assert play([leg], [a(0, 1), a(0, 1), a(0, 1), a(0, 1)]).start("A") == [0, 3, 6, 16]


def test_a_fall_of_the_vehicle_limit_takes_nobody_off_the_leg():
    leg = LimitedLeg(id="A", max_vehicles=dated([(0, 3), (2, 1), (20, 2)]))
    out = play([leg], [a(0, 6), a(0, 8), a(0, 30), a(1, 5), a(1, 1)])
    assert out.start("A") == [0, 0, 0, 20, 25]


def test_one_that_waits_for_room_keeps_its_place_on_the_leg():
    elements = [LimitedLeg(id="A", max_vehicles=dated(1)), station("B", yard=0)]
    out = play(elements, [a(0, 1, 10), a(0, 1, 10), a(0, 1, 10)])
    assert out.start("A") == [0, 1, 11]
    assert out.finish("A") == [1, 2, 12]
    assert out.leave("A") == [1, 11, 21]


def test_one_that_waits_for_room_after_a_delay_a_boat_or_a_quota_waits_there():
    narrow = station("B", yard=0)
    late = play([Delay(id="A"), narrow], [a(0, 1, 10), a(0, 1, 10)])
    assert late.finish("A") == [1, 1]
    assert late.leave("A") == [1, 11]
    boat = play([ferry("A", [5]), narrow], [a(0, 0, 10), a(0, 0, 10)])
    assert boat.finish("A") == [5, 5]
    assert boat.leave("A") == [5, 15]
    quota = Quota(id="A", day_start_h=np.array([0.0]), per_day=np.array([9]))
    daily = play([quota, narrow], [a(0, 0, 10), a(0, 0, 10)])
    assert daily.finish("A") == [0, 0]
    assert daily.leave("A") == [0, 10]


def test_a_cancelled_departure_leaves_its_load_for_the_next():
    out = play([ferry("F", [10, 20], cancel=0.5)], [Truck(1), Truck(12)], cancelled={"F": [True, False]})
    assert out.start("F") == [20, 20]


def test_two_sailings_at_one_instant_are_one_with_the_places_of_both():
    trucks = [Truck(1), Truck(2), Truck(3), Truck(4)]
    two = play([ferry("F", [10, 10, 20], places=[1, 2, 9])], trucks)
    one = play([ferry("F", [10, 20], places=[3, 9])], trucks)
    assert two.start("F") == one.start("F") == [10, 10, 10, 20]


def test_a_boat_that_leaves_when_full_leaves_at_that_instant_and_takes_each_crossing_in_turn():
    boat = Departures(id="F", when_full=2, crossing="given")
    out = play([boat], [Truck(t) for t in (1, 4, 4, 6, 9)], crossing={"F": [10, 3, 5]})
    assert out.start("F") == [4, 4, 6, 6, None]
    assert out.leave("F") == [14, 14, 9, 9, None]
    with pytest.raises(SimulationError, match="F: 1 crossings were drawn"):
        play([boat], [Truck(t) for t in (1, 4, 4, 6, 9)], crossing={"F": [10]})


def test_boarding_by_class_leaves_the_others_in_their_order():
    boat = ferry("F", [10, 20, 30], places=2, priority=(1, 0))
    trucks = [Truck(1), Truck(2), Truck(3, flow=1), Truck(4), Truck(15, flow=1)]
    assert play([boat], trucks).start("F") == [10, 20, 10, 30, 20]


def test_who_gets_ready_at_the_instant_of_sailing_through_stays_of_no_length_still_boards():
    line = [station("A"), Delay(id="B"), ferry("C", [5]), station("D"), ferry("E", [5], crossing=2)]
    out = play(line, [a(5, 0, 0, 0, 0)], crossing={"E": 2})
    assert out.start("C") == out.start("E") == [5]
    assert out.depart == [7]


def test_a_landing_at_the_horizon_happens_and_one_after_it_does_not():
    for horizon, landed in ((17, 17), (16.5, None)):
        out = play([ferry("F", [10], crossing=7)], [Truck(1)], crossing={"F": 7}, horizon_h=horizon)
        assert out.start("F") == [10]
        assert out.leave("F") == out.depart == [landed]


def test_departures_out_of_order_and_missing_draws_are_errors():
    with pytest.raises(SimulationError, match="in order of time"):
        play([ferry("F", [10, 5])], [Truck(1)])
    with pytest.raises(SimulationError, match="no crossing times"):
        play([ferry("F", [10], crossing=7)], [Truck(1)])
    with pytest.raises(SimulationError, match="no cancellations"):
        play([ferry("F", [10], cancel=0.1)], [Truck(1)])


def test_a_quota_lets_pass_so_many_a_day_and_loses_what_is_left_over():
    quota = Quota(id="A", day_start_h=np.array([-2.0, 22, 46, 70]), per_day=np.array([2, 5, 1, 1]))
    out = play([quota], [a(t, 0) for t in (21, 21.5, 21.75, 46, 47, 71, 72)])
    # Day 0 takes two and the third waits for 22. Day 1 leaves four places over: day 2 (46-70) still takes one.
    # Day 3 takes the one that waits since 47, and there is no day after it.
    assert out.start("A") == [21, 21.5, 22, 46, 70, None, None]
    assert out.leave("A") == out.finish("A") == out.start("A")


def test_a_quota_takes_those_who_join_at_one_instant_in_the_order_of_their_numbers():
    quota = Quota(id="A", day_start_h=np.array([0.0, 24]), per_day=np.array([1, 9]))
    assert play([quota], [a(3, 0, number=5), a(3, 0, flow=1, number=2)]).start("A") == [24, 3]
