"""The rules S01 to S35, one by one, on the event engine: each trace was worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from event_plans import LAWS, Truck, a, dated, ferry, play, station, to

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.elements import ExtraLanesPlan, GatePlan, LimitedLeg, PlanOutage, Reservation, SingleTrackPlan
from corridor_sim.plan.steps import PatiencePlan, Relief, Step


def test_S01_times_on_the_clock_grid_add_up_without_rounding():
    tick = 2.0**-20
    trucks = [a(1000.1 // tick * tick, 0.3 // tick * tick), a(1000.1 // tick * tick + tick, 3 * tick)]
    out = play([station()], trucks)
    assert out.depart == [trucks[0].release + trucks[0].take["A"], trucks[0].release + trucks[0].take["A"] + 3 * tick]
    shifted = play([station()], [a(truck.release + 2.0**19, truck.take["A"]) for truck in trucks])
    assert [x - 2.0**19 for x in shifted.depart] == out.depart


def test_S02_lanes_are_open_from_the_opening_instant_up_to_but_not_at_the_closing_instant():
    hours = station(lanes=[(0, 0), (10, 1), (20, 0), (30, 1)])
    assert play([hours], [a(10, 1)]).start("A") == [10]
    assert play([hours], [a(19, 1)]).start("A") == [19]
    assert play([hours], [a(20, 1)]).start("A") == [30]


def test_S03_completions_then_calendar_then_arrivals_then_starts_then_sailings():
    # At 10: the service ends, a second lane opens, two arrive, the boat of 10 leaves, in this order.
    elements = [station("A", [(0, 1), (10, 2)]), ferry("F", [10, 20], places=3)]
    trucks = [a(0, 10), a(10, 0, flow=1), a(10, 0, flow=2), a(10, 5, flow=3)]
    out = play(elements, trucks)
    assert out.start("A") == [0, 10, 10, 10]
    assert out.start("F") == [10, 10, 10, 20]


def test_S03_all_arrivals_of_an_instant_join_before_any_of_them_starts():
    out = play([station(rank=(1, 0))], [a(4, 2, flow=0), a(4, 3, flow=1)])
    assert out.start("A") == [7, 4]


def test_S03_a_zero_length_service_ends_in_the_same_instant_and_the_next_station_still_waits_for_it():
    # The truck from A joins B at 5, as the one from outside does; its smaller number goes first.
    elements = [station("A"), station("B")]
    out = play(elements, [a(5, 0, 7), a(5, 0, 1, flow=1)], variants={0: [to(0, 1)], 1: [to(1)]})
    assert out.start("B") == [5, 12]


def test_S04_queue_order_is_joining_time_then_number_whatever_the_order_of_flows():
    trucks = [a(0, 5), a(1, 1, flow=2, number=7), a(1, 1, flow=1, number=9), a(1, 1, flow=0, number=8)]
    assert play([station()], trucks).start("A") == [0, 5, 7, 6]


def test_S05_priority_goes_to_the_head_of_the_line_and_interrupts_nobody():
    out = play([station(rank=(2, 0, 1))], [a(0, 10), a(1, 1), a(2, 1, flow=2), a(3, 1, flow=1), a(10, 1, flow=1)])
    assert out.start("A") == [0, 13, 12, 10, 11]


def test_S06_the_lowest_numbered_idle_lane_is_taken():
    # Lane 1 fails at 5: only if the truck took lane 1 of two idle ones it is interrupted.
    failing = station(lanes=2, outages=(PlanOutage(from_h=5, until_h=9, lane=1),))
    assert play([failing], [a(0, 10)]).finish("A") == [14]
    # The second truck takes lane 1, which falls free first, though lane 2 is idle for longer afterwards.
    assert play([failing], [a(0, 1), a(0, 2), a(3, 10)]).finish("A") == [1, 2, 17]


def test_S07_pooled_capacity_counts_overrunning_services():
    shift = station(lanes=[(0, 3), (30, 1), (60, 2)])
    out = play([shift], [a(0, 25), a(2, 40), a(4, 28), a(10, 10), a(12, 5), a(20, 6), a(31, 10), a(33, 4)])
    assert out.start("A") == [0, 2, 4, 25, 42, 47, 53, 60]


def test_S07_named_lanes_let_an_overrunning_truck_on_a_closed_lane_out_of_count():
    calendars = (dated(1), dated([(0, 1), (30, 0), (60, 1)]), dated([(0, 1), (30, 0)]))
    named = station(lanes=[(0, 3), (30, 1), (60, 2)], named=calendars)
    out = play([named], [a(0, 25), a(2, 40), a(4, 28), a(10, 10), a(12, 5), a(20, 6), a(31, 10), a(33, 4)])
    assert out.start("A") == [0, 2, 4, 25, 35, 40, 46, 56]


@pytest.mark.parametrize(
    ("closing", "finish"),
    [
        ("finish", [6, 12, 24]),
        ("suspend", [6, 22, 26]),
        ("restart", [6, 26, 30]),
        ("no_overrun", [6, 26, 30]),
        ("clear_queue", [6, 12, 16]),
    ],
)
def test_S08_service_in_progress_at_closing(closing, finish):
    # Open [0, 10), closed [10, 20), open from 20. The third joined before closing.
    out = play([station(lanes=[(0, 1), (10, 0), (20, 1)], closing=closing)], [a(0, 6), a(1, 6), a(9, 4)])
    assert out.finish("A") == finish


def test_S08_clear_queue_does_not_serve_who_joins_at_the_closing_instant():
    hours = station(lanes=[(0, 1), (10, 0), (20, 1)], closing="clear_queue")
    out = play([hours], [a(8, 5), a(9, 1), a(10, 1)])
    assert out.start("A") == [8, 13, 20]


def test_S09_a_start_is_allowed_at_the_opening_instant_and_not_at_the_closing_instant():
    hours = station(lanes=[(0, 1), (10, 0), (20, 1)])
    assert play([hours], [a(0, 10), a(1, 1)]).start("A") == [0, 20]


@pytest.mark.parametrize("closing", ["finish", "suspend", "restart", "no_overrun", "clear_queue"])
def test_S10_a_completion_exactly_at_closing_is_a_normal_one(closing):
    hours = station(lanes=[(0, 1), (10, 0), (20, 1)], closing=closing)
    assert play([hours], [a(2, 8)]).leave("A") == [10]


@pytest.mark.parametrize(
    ("policy", "finish"),
    [
        # Lane 2 is down in [5, 20); lane 1 frees at 10.
        ("resume", [10, 24, 13, 22]),
        ("restart", [10, 28, 13, 22]),
        ("finish", [10, 9, 13, 22]),
        ("requeue", [10, 14, 17, 22]),
    ],
)
def test_S11_breakdown_of_a_lane(policy, finish):
    failing = station(lanes=2, outages=(PlanOutage(from_h=5, until_h=20, lane=2),), outage_policy=policy)
    out = play([failing], [a(0, 10), a(1, 8), a(6, 3), a(21, 1)])
    assert out.finish("A") == finish


def test_S12_a_sailing_takes_who_is_ready_at_its_instant_in_order_until_full_and_lands_them_together():
    boat = ferry("F", [10, 20], places=2, crossing=7)
    out = play([boat, station("B")], [a(9, 0, 2), a(10, 0, 3), a(10, 0, 1), a(11, 0, 1)], crossing={"F": 7})
    assert out.start("F") == [10, 10, 20, 20]
    assert out.leave("F") == [17, 17, 27, 27]
    assert out.start("B") == [17, 19, 27, 28]


@pytest.mark.parametrize(("landing", "start"), [("number", [17, 22]), ("boarding", [18, 17])])
def test_S12_the_order_after_landing_is_by_number_or_by_boarding(landing, start):
    boat = ferry("F", [10], crossing=7, landing=landing)
    out = play([boat, station("B")], [Truck(9, {"B": 5}), Truck(8, {"B": 1}, flow=1)], crossing={"F": 7})
    assert out.start("B") == start


@pytest.mark.parametrize(("priority", "start"), [(None, [10, 20]), ((1, 0), [20, 10])])
def test_S12_classes_do_not_jump_the_queue_unless_the_boat_says_so(priority, start):
    out = play([ferry("F", [10, 20], places=1, priority=priority)], [Truck(1), Truck(2, flow=1)])
    assert out.start("F") == start


def test_S13_who_is_left_behind_stays_at_the_head():
    out = play([ferry("F", [10, 20, 30], places=[1, 1, 5])], [Truck(1), Truck(2), Truck(3), Truck(20)])
    assert out.start("F") == [10, 20, 30, 30]


def test_S14_a_finished_truck_holds_its_lane_until_there_is_room_and_room_goes_by_finish_then_number():
    # B takes one for 10 h at a time. The two at A finish at 3 and 2: the one of 2 moves first, at 11.
    elements = [station("A", 2), station("B", yard=0)]
    out = play(elements, [a(0, 1, 10), a(0, 3, 10), a(1, 1, 10), a(1, 1, 10)])
    assert out.finish("A") == [1, 3, 2, 12]
    assert out.leave("A") == [1, 21, 11, 31]
    assert out.start("A") == [0, 0, 1, 11]
    # A tie in the finish goes by number.
    tie = play(elements, [a(0, 1, 10), a(0, 2, 10, number=9), a(1, 1, 10, number=4)])
    assert tie.leave("A") == [1, 21, 11]


@pytest.mark.parametrize(
    ("yard", "leave"), [(None, [1, 2, 3, 4]), (2, [1, 2, 3, 11]), (1, [1, 2, 11, 21]), (0, [1, 11, 21, 31])]
)
def test_S15_the_yard_holds_its_places_besides_the_lanes(yard, leave):
    out = play([station("A"), station("B", yard=yard)], [a(0, 1, 10), a(0, 1, 10), a(0, 1, 10), a(0, 1, 10)])
    assert out.leave("A") == leave


def test_S15_the_road_before_the_first_station_is_unlimited():
    out = play([station("A", yard=0)], [a(0, 5), a(0, 5), a(0, 5)])
    assert out.join("A") == [0, 0, 0]
    assert out.start("A") == [0, 5, 10]


def test_S16_unblocking_goes_up_the_line_within_the_instant():
    line = [station("A"), station("B", yard=0), station("C", yard=0)]
    out = play(line, [a(0, 1, 1, 20), a(0, 1, 5, 1), a(0, 1, 1, 1), a(0, 1, 1, 1)])
    assert out.leave("C") == [22, 23, 24, 25]
    assert out.leave("B") == [2, 22, 23, 24]
    assert out.leave("A") == [1, 2, 22, 23]
    assert out.start("A") == [0, 1, 2, 22]


def test_S17_a_closed_station_still_takes_trucks_into_its_yard():
    out = play([station("A"), station("B", [(0, 0), (50, 1)], yard=1)], [a(0, 2, 1), a(0, 2, 1), a(0, 2, 1)])
    assert out.join("B") == [2, 50, 52]
    assert out.start("B") == [50, 51, 52]


def test_S18_entries_keep_the_headway_and_the_first_is_not_delayed():
    leg = LimitedLeg(id="A", headway_h=dated(5))
    out = play([leg], [a(3, 30), a(4, 20), a(20, 9), a(20, 1)])
    assert out.start("A") == [3, 8, 20, 25]
    assert out.leave("A") == [33, 28, 29, 26]
    strict = play(
        [LimitedLeg(id="A", headway_h=dated(5), no_overtaking=True)], [a(3, 30), a(4, 20), a(20, 9), a(20, 1)]
    )
    assert strict.start("A") == [3, 8, 20, 25]
    assert strict.leave("A") == [33, 33, 33, 33]


def test_S19_a_place_on_the_leg_that_falls_free_at_t_is_taken_at_t():
    out = play([LimitedLeg(id="A", max_vehicles=dated(2))], [a(0, 10), a(1, 12), a(2, 3), a(13, 1)])
    assert out.start("A") == [0, 1, 10, 13]


def test_S20_a_branch_is_read_from_the_uniform_of_the_truck_whoever_else_comes():
    share = {"share": dated(0.5), "share_draws": "red"}
    route = [Step(element=0, laws=LAWS, draws="A"), Step(element=1, laws=LAWS, draws="B", **share)]
    trucks = [a(0, 1, 4, uniform={"red": 0.49}), a(0, 1, 4, uniform={"red": 0.5}), a(5, 1, 4, uniform={"red": 0.1})]
    elements = [station("A", 9), station("B", 9)]
    assert play(elements, trucks, variants={0: [route]}).start("B") == [1, None, 6]
    assert play(elements, trucks[1:], variants={0: [route]}).start("B") == [None, 6]


def test_S20_each_stage_reads_the_bounds_of_the_date_at_which_one_comes_to_it():
    """Papers for a quarter beside the strictest channel, scan: that has a quarter, from 60 to 120 a half."""
    low, high = dated([(0, 0.25), (60, 0.5), (120, 0.25)]), dated([(0, 0.5), (60, 0.75), (120, 0.5)])
    papers = {"share": high, "share_draws": "channel", "reliefs": (Relief(share=low, factor=0.0, draws="channel"),)}
    route = [
        Step(element=0, laws=LAWS, draws="A"),
        Step(element=1, laws=LAWS, draws="B", **papers),
        Step(element=2, laws=LAWS, draws="C", share=low, share_draws="channel"),
    ]
    coming = [(0, 0.4), (46, 0.4), (47, 0.4), (48, 0.5), (49, 0.75), (100, 0.3), (101, 0.3)]
    trucks = [a(at, 10, 4, 6, uniform={"channel": u}) for at, u in coming]
    out = play([station("A"), station("B"), station("C")], trucks, variants={0: [route]})
    assert out.start("A") == [0, 46, 56, 66, 76, 100, 110]
    # The second leaves the papers at 60, when the scan takes half; the last comes at 120, when it is over.
    assert out.start("B") == [10, 56, None, 76, None, None, 120]
    assert out.start("C") == [None, 60, 66, None, None, 110, None]


def test_S21_wait_service_blocked_and_interrupted_add_up_to_the_stay():
    hours = station("A", [(0, 1), (10, 0), (20, 1)], closing="suspend")
    out = play([hours, station("B", yard=0)], [a(0, 6, 30), a(1, 6, 1)])
    assert [out.join("A")[1], out.start("A")[1], out.finish("A")[1], out.leave("A")[1]] == [1, 6, 22, 36]
    assert out.service("A")[1] == 6  # wait 5 + service 6 + interrupted 10 + blocked 14 = 35
    boat = play([ferry("F", [10], crossing=7)], [Truck(3)], crossing={"F": 7})
    assert boat.start("F")[0] - boat.join("F")[0] == 7
    assert boat.service("F") == [7]


def test_S22_hours_repeat_and_may_run_over_midnight():
    night = StepFunction.periodic([0, 6, 22], [1, 0, 1], 24, 100)
    out = play([station(lanes=night)], [a(5, 2), a(6, 1), a(23, 3), a(25, 6), a(31, 1)])
    assert out.start("A") == [5, 22, 23, 26, 46]


def test_S23_whoever_is_not_done_by_the_horizon_is_reported_from_there_on_as_not_known():
    out = play([station(), station("B")], [a(0, 6, 1), a(1, 4, 9), a(2, 5, 1), a(11, 1, 1)], horizon_h=10)
    assert out.join("A") == [0, 1, 2, None]
    assert out.start("A") == [0, 6, 10, None]
    assert out.finish("A") == [6, 10, None, None]
    assert out.join("B") == [6, 10, None, None]
    assert out.depart == [7, None, None, None]
    assert out.records.elements[0].count.tolist() == [3]
    assert out.records.journeys[0].count.tolist() == [4]


def test_S24_the_order_is_that_of_joining_each_station_so_trucks_may_pass_each_other():
    out = play([station("A", 2), station("B")], [a(0, 9, 1), a(1, 2, 5), a(1, 4, 5)])
    assert out.join("B") == [9, 3, 7]
    assert out.start("B") == [13, 3, 8]


def test_S25_releases_found_by_inversion_are_taken_as_they_are():
    # Releases of a rate 0.1, 0.5, 0, 0.2 per unit on four hours, inverted at unit-exponential sums by hand.
    release = [10, 55, 60, 62, 88, 119, 120, 185, 235, 240, 250, 302]
    out = play([station(lanes=99)], [a(at, 1) for at in release])
    assert out.join("A") == release
    assert out.start("A") == release
    assert np.array_equal(out.records.journeys[0].release_h[0], release)


def test_S26_a_lane_fails_by_the_calendar_whether_idle_or_busy():
    failing = station(lanes=1)
    drawn = {"A": [PlanOutage(from_h=2, until_h=6, lane=1), PlanOutage(from_h=9, until_h=10, lane=1)]}
    out = play([failing], [a(3, 4), a(20, 1)], outages=drawn)
    assert out.start("A") == [6, 20]  # it failed idle, at 2
    assert out.finish("A") == [11, 21]  # and busy, at 9


def test_reserved_lanes_serve_only_their_flows():
    kept = station(lanes=2, reserved=(Reservation(flows=frozenset({1}), lanes=dated(1)),))
    out = play([kept], [a(0, 10), a(0, 10), a(1, 10, flow=1), a(2, 10, flow=1)])
    assert out.start("A") == [0, 10, 1, 11]
    spill = station(lanes=2, reserved=(Reservation(flows=frozenset({1}), lanes=dated(1), overflow=True),))
    out = play([spill], [a(0, 10), a(0, 10), a(1, 10, flow=1), a(2, 10, flow=1)])
    assert out.start("A") == [0, 10, 1, 11]
    assert play([spill], [a(0, 10, flow=1), a(1, 10, flow=1), a(2, 1)]).start("A") == [0, 1, 11]


def extra(above, below, most=1, start_up=0):
    return ExtraLanesPlan(above=dated(above), below=dated(below), most=dated(most), start_up_h=dated(start_up))


def opened(out):
    """When which number of extra lanes was open."""
    return list(out.records.extra_lanes[0][0])


def test_S27_a_lane_opens_after_its_start_up_when_more_than_so_many_wait_and_closes_when_fewer_do():
    trucks = [a(at, 10) for at in (0, 1, 2, 3, 4, 5, 40, 41)]
    out = play([station(extra_lanes=extra(2, 1, start_up=5))], trucks)
    assert out.start("A") == [0, 8, 10, 18, 20, 28, 40, 50]
    assert opened(out) == [(8, 1), (28, 0)]
    # Who comes as it opens joins before it takes anybody: the more urgent goes first.
    urgent = station(rank=(1, 0), extra_lanes=extra(2, 1, start_up=5))
    assert play([urgent], [*trucks[:4], a(8, 3, flow=1)]).start("A") == [0, 10, 11, 20, 8]


def test_S27_busy_extra_lanes_close_one_after_the_other():
    trucks = [a(0, 20), a(1, 6), a(2, 6), a(3, 4), a(4, 4), a(4, 9), a(30, 5)]
    out = play([station(extra_lanes=extra(2, 2, most=2))], trucks)
    assert out.start("A") == [0, 3, 4, 9, 10, 20, 30]
    assert opened(out) == [(3, 1), (4, 2), (10, 1), (13, 0)]


def test_S27_what_is_being_got_ready_is_called_off_when_the_queue_is_short_or_the_stage_closes():
    hours = station(lanes=[(0, 1), (20, 0), (30, 1)], extra_lanes=extra(1, 1, start_up=4))
    early = [a(0, 18), a(1, 5), a(2, 3), a(17, 4), a(17, 4), a(23, 2), a(31, 7)]
    out = play([hours], [*early, a(50, 1), a(50, 1), a(50, 1), a(53, 5), a(53, 5), a(53, 5)])
    assert out.start("A") == [0, 6, 11, 18, 30, 34, 35, 50, 51, 52, 53, 57, 58]
    assert opened(out) == [(6, 1), (11, 0), (35, 1), (35, 0), (57, 1), (58, 0)]


def track(trucks, switch=0.0, convoy=None, **leg):
    """Starts on a single track of trucks (release, time, whether in the second direction)."""
    ways = [(Step(element=0, laws=LAWS, draws="L", opposite=opposite),) for opposite in (False, True)]
    element = LimitedLeg(id="L", single_track=SingleTrackPlan(switch_h=switch, convoy=convoy), **leg)
    moving = [Truck(at, {"L": time}, variant=int(opposite)) for at, time, opposite in trucks]
    return play([element], moving, variants={0: ways}).start("L")


def test_S28_the_direction_changes_when_nobody_of_it_waits_and_the_leg_is_empty():
    trucks = [(0, 10, 0), (1, 10, 0), (2, 10, 1), (3, 10, 0), (20, 10, 1), (31, 6, 0), (31, 10, 1)]
    assert track(trucks, headway_h=dated(2)) == [0, 2, 12, 22, 32, 44, 34]
    # Who comes to an empty leg that is set to the other direction waits for the change; in its own it does not.
    alone = [(0, 5, 0), (20, 5, 1), (22, 5, 1), (26, 5, 0), (40, 5, 0), (60, 5, 0)]
    assert track(alone, switch=4, max_vehicles=dated(1)) == [0, 24, 29, 38, 43, 60]


def test_S28_a_convoy_yields_after_so_many_while_others_wait():
    trucks = [(0, 10, 0), (0, 10, 1), (1, 10, 0), (1, 10, 0), (3, 10, 1), (4, 10, 1), (40, 10, 0), (60, 10, 1)]
    assert track(trucks, switch=3, convoy=2, headway_h=dated(2)) == [0, 13, 28, 30, 15, 43, 56, 69]
    # Those who entered before anybody waited on the other side are not counted.
    assert track([(0, 9, 0), (1, 9, 0), (2, 9, 1), (2, 9, 0), (3, 9, 0)], convoy=1) == [0, 1, 11, 2, 20]


def test_S28_a_closed_track_lets_nobody_in_but_the_direction_may_change():
    trucks = [(0, 4, 0), (5, 4, 1), (6, 4, 0)]
    assert track(trucks, switch=3, open=dated([(0, 1), (5, 0), (20, 1)])) == [0, 20, 27]


def gate(*queues, close_at, open_below):
    return GatePlan(queues=queues, close_at=dated(close_at), open_below=dated(open_below))


def test_S31_a_gate_closes_when_so_many_wait_further_on_and_opens_when_fewer_do():
    gated = station("A", gates=(gate("B", close_at=2, open_below=1),))
    out = play([gated, station("B")], [a(0, 2, 10) for _ in range(6)])
    assert out.start("A") == [0, 2, 4, 6, 32, 34]
    assert out.start("B") == [2, 12, 22, 32, 42, 52]


def test_S31_the_numbers_of_a_gate_change_at_their_date():
    gated = station("A", gates=(gate("B", close_at=[(0, 1), (23, 5)], open_below=[(0, 1), (23, 3)]),))
    out = play([gated, station("B", lanes=[(0, 0), (20, 1)])], [a(at, 3, 4) for at in range(4)])
    assert out.start("A") == [0, 3, 23, 26]
    assert out.start("B") == [20, 24, 28, 32]


def test_S31_whom_an_outage_put_back_or_a_closing_cut_goes_on_behind_a_closed_gate():
    put_back = {"outages": (PlanOutage(from_h=3, until_h=5),), "outage_policy": "requeue"}
    cut = {"lanes": [(0, 1), (3, 0), (5, 1)], "closing": "suspend"}
    for how in (put_back, cut):
        gated = station("A", gates=(gate("B", close_at=1, open_below=1),), **how)
        # Two go to B only, served from 1 and 20 on; the first one at A waits for B from 11 to 21.
        routes = {1: [to(1)]}
        trucks = [a(0, 9, 1), a(0, 1, 1), a(1, 0, 19, flow=1), a(1, 0, 1, flow=1)]
        out = play([gated, station("B")], trucks, variants=routes)
        assert out.start("A")[:2] == [0, 21]
        assert out.finish("A")[:2] == [11, 22]


def test_S31_two_gates_and_the_queues_of_several_places_add_up():
    both = station("A", lanes=3, gates=(gate("B", "C", close_at=3, open_below=2), gate("C", close_at=1, open_below=1)))
    routes = {1: [to(1)], 2: [to(2)]}
    crowd = [a(0, 0, 10, flow=1)] * 3  # one served at B, two wait
    last = [a(4, 0, 0, 10, flow=2), a(5, 0, 0, 3, flow=2)]  # one waits at C from 5 until 14
    out = play([both, station("B"), station("C")], [a(6, 1, 1, 1), *crowd, *last], variants=routes)
    # From 5 on three wait: closed. At 10 two wait at both, at 14 one does and none at C.
    assert out.start("A")[0] == 14


def impatient(id="A", k=0):
    """A route by the first elements up to one with patience, and that of those who are lost there."""
    way = tuple(Step(element=n, laws=LAWS, draws="AB"[n]) for n in range(k + 1))
    terms = PatiencePlan(law=None, draws="P", variant=1, at_step=k + 1)
    return (*way[:k], replace(way[k], patience=terms)), way


def waits(release, service, patience):
    """A truck with its patience at A."""
    return Truck(release, {"A": service, "P": patience})


def test_S34_who_may_start_as_his_patience_ends_starts_and_who_may_not_leaves():
    # At 10 the lane is free: the patience of two ends then, and one of them starts.
    trucks = [waits(0, 10, 0), waits(1, 10, 5), waits(2, 10, 8), waits(3, 10, 7), waits(12, 10, 0), waits(20, 10, 0)]
    out = play([station()], trucks, variants={0: impatient()})
    assert out.start("A") == [0, None, 10, None, None, 20]
    assert out.leave("A") == [10, 6, 20, 10, 12, 30]
    assert out.variant == [0, 1, 0, 1, 1, 0]
    # A lane that the queue opens at that instant comes in time: at 2 two wait, one of them has the lane.
    trucks = [waits(0, 10, 9), waits(1, 3, 9), waits(2, 3, 0)]
    out = play([station(extra_lanes=extra(above=1, below=1))], trucks, variants={0: impatient()})
    assert out.start("A") == [0, 2, None]
    assert out.leave("A") == [10, 5, 2]


def test_S34_patience_runs_on_while_the_stage_is_closed_and_ends_with_the_start():
    hours = [(0, 1), (10, 0), (30, 1)]
    for closing in ("finish", "clear_queue"):
        trucks = [waits(0, 6, 9), waits(11, 6, 10), waits(12, 6, 18), waits(13, 6, 20)]
        out = play([station(lanes=hours, closing=closing)], trucks, variants={0: impatient()})
        assert out.start("A") == [0, None, 30, None]
        assert out.leave("A") == [6, 21, 36, 33]
    # Whom the closing has stopped has started: his patience of 5 does not count any more.
    out = play([station(lanes=hours, closing="suspend")], [waits(8, 6, 5)], variants={0: impatient()})
    assert (out.start("A"), out.finish("A")) == ([8], [34])


def test_S34_a_yard_takes_the_next_as_one_leaves():
    trucks = [Truck(at, {"A": 1, "B": 20, "P": 6}) for at in range(4)]
    out = play([station("A", lanes=2), station("B", yard=1)], trucks, variants={0: impatient("B", 1)})
    # The second waits in the yard from 2 to 8; the third stands in its lane until then, and has patience from 8 on.
    assert out.join("B") == [1, 2, 8, 14]
    assert out.leave("B") == [21, 8, 14, 20]
    assert out.leave("A") == [1, 2, 8, 14]


def test_S35_the_least_urgent_who_took_his_lane_last_is_interrupted():
    three = station("A", rank=(0, 1, 2), preemption="resume")
    out = play([three], [a(0, 10, flow=2), a(2, 5, flow=1), a(4, 3), a(4, 1, flow=2), a(12, 2)])
    assert out.start("A") == [0, 2, 4, 20, 12]
    assert out.finish("A") == [20, 10, 7, 21, 14]
    two = station("A", lanes=2, rank=(0, 1), preemption="restart")
    out = play([two], [a(0, 10, flow=1), a(1, 10, flow=1), a(3, 4), a(8, 1), a(10, 2, flow=1)])
    assert out.start("A") == [0, 1, 3, 8, 10]
    assert out.finish("A") == [10, 19, 7, 9, 12]


def test_S35_nobody_is_interrupted_beyond_the_lanes_that_are_open():
    # Two run over as the second lane closes at 5: the urgent one of 6 would be one more than the lane that is open.
    less = station("A", lanes=[(0, 2), (5, 1)], rank=(0, 1), preemption="resume")
    out = play([less], [a(0, 9, flow=1), a(1, 9, flow=1), a(6, 1)])
    # At 9 one of them ends, and the urgent one takes the lane of the other, who goes on at 10.
    assert out.start("A") == [0, 1, 9]
    assert out.finish("A") == [9, 11, 10]
    closed = station("A", lanes=[(0, 1), (5, 0), (20, 1)], rank=(0, 1), preemption="resume")
    out = play([closed], [a(0, 9, flow=1), a(6, 1)])
    assert (out.start("A"), out.finish("A")) == ([0, 20], [9, 21])
    down = station("A", rank=(0, 1), preemption="resume", outages=(PlanOutage(from_h=2, until_h=6),))
    out = play([down], [a(0, 5, flow=1), a(3, 1)])
    # At 6 the service goes on, and is interrupted at once.
    assert (out.start("A"), out.finish("A")) == ([0, 6], [10, 7])


def test_S35_who_joined_before_the_closing_interrupts_after_it_where_the_queue_is_cleared():
    calendar = [(0, 2), (1, 1), (2, 0), (10, 1)]
    cleared = station("A", lanes=calendar, rank=(0, 1), preemption="resume", closing="clear_queue")
    out = play([cleared], [a(0, 3, flow=1), a(0, 2), a(1, 1), a(2, 1)])
    # At 2 one lane still serves the queue: the urgent one of 1 takes it. Who joins at the closing waits.
    assert out.start("A") == [0, 0, 2, 10]
    assert out.finish("A") == [4, 2, 3, 11]
