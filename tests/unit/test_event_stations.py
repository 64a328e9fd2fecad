"""Stations of the event engine where the rules are silent: what the package's docstring settles."""

import numpy as np
import pytest
from event_plans import Truck, a, dated, ferry, play, station, to

from corridor_sim.core.errors import SimulationError
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.elements import PlanBreakdown, PlanOutage, Quota, Reservation
from corridor_sim.plan.plan import PlanStaffPool
from corridor_sim.plan.steps import PlanBalk, Step


@pytest.mark.parametrize(("closing", "ends"), [("suspend", [13, 16, 20, 21]), ("restart", [18, 26, 35, 36])])
def test_as_many_interrupted_services_go_on_as_there_are_lanes_in_order_of_their_starts(closing, ends):
    hours = station(lanes=[(0, 3), (5, 0), (10, 1)], closing=closing)
    out = play([hours], [a(0, 8), a(0, 8), a(0, 9), a(1, 1)])
    assert out.finish("A") == ends


def test_a_partial_fall_of_capacity_interrupts_nobody():
    for closing in ("suspend", "restart", "clear_queue"):
        shift = station(lanes=[(0, 2), (5, 1)], closing=closing)
        assert play([shift], [a(0, 8), a(0, 9), a(1, 1)]).finish("A") == [8, 9, 10]


def test_clear_queue_goes_on_with_the_lanes_open_before_closing():
    hours = station(lanes=[(0, 3), (4, 2), (6, 0), (50, 1)], closing="clear_queue")
    out = play([hours], [a(5, 10), a(5, 10), a(5, 4), a(5, 4), a(6, 1)])
    assert out.start("A") == [5, 5, 15, 15, 50]


def test_clear_queue_leaves_over_until_opening_who_comes_after_closing_however_urgent():
    hours = station(lanes=[(0, 1), (6, 0), (50, 1)], closing="clear_queue", rank=(1, 0))
    out = play([hours], [a(0, 10), a(1, 10), a(7, 1, flow=1)])
    assert out.start("A") == [0, 10, 50]


def test_a_priority_order_that_changes_is_read_when_one_joins():
    # From 5 on flow 1 is urgent. The one of flow 1 that joined at 2 keeps its place among the others.
    ranked = station(rank_changes=((0.0, None), (5.0, (1, 0))))
    out = play([ranked], [a(0, 10), a(1, 3), a(2, 3, flow=1), a(6, 3), a(7, 3, flow=1)])
    # At 10: ranks 0 (before the change) at 1 and 2, rank 1 at 6, rank 0 at 7.
    assert out.start("A") == [0, 10, 13, 19, 16]


def test_a_yard_that_grows_lets_in_who_is_blocked_and_one_that_shrinks_sends_nobody_away():
    # One place until 6, then two, from 8 none. B takes 10 h each; A 1 h each.
    growing = station("B", yard=1, yard_changes=((0.0, 1), (6.0, 2), (8.0, 0)))
    out = play([station("A"), growing], [a(0, 1, 10), a(0, 1, 10), a(0, 1, 10), a(0, 1, 10)])
    # 1: in the lane; 2: in the yard; 3 is finished at 3 and waits for 6; the fourth finishes at 7, B starts
    # the second at 11 and the third at 21, and only then takes one straight from A at 31.
    assert out.leave("A") == [1, 2, 6, 31]
    assert out.start("B") == [1, 11, 21, 31]


def test_no_overrun_lets_nobody_pass_the_first_that_does_not_fit():
    hours = station(lanes=[(0, 1), (10, 0), (20, 1)], closing="no_overrun")
    assert play([hours], [a(0, 7), a(1, 5), a(2, 1)]).start("A") == [0, 20, 25]


def test_no_overrun_with_a_service_longer_than_every_window_is_an_error():
    hours = station(lanes=[(0, 1), (10, 0), (20, 1), (31, 0)], closing="no_overrun")
    assert play([hours], [a(5, 11)]).start("A") == [20]
    with pytest.raises(SimulationError, match=r"A: the service of f0\[0\] takes 12 h.*11 h"):
        play([hours], [a(5, 12)])


def test_an_overrunning_service_of_a_reopened_pooled_station_still_counts():
    hours = station(lanes=[(0, 1), (5, 0), (10, 1)])
    assert play([hours], [a(0, 20), a(1, 1)]).start("A") == [0, 20]


def test_a_station_wide_outage_stops_all_lanes_and_the_starts():
    failing = station(lanes=2, outages=(PlanOutage(from_h=5, until_h=9),))
    out = play([failing], [a(0, 10), a(1, 5), a(2, 1), a(7, 1)])
    assert out.start("A") == [0, 1, 10, 11]
    assert out.finish("A") == [14, 10, 11, 12]


def test_overlapping_and_adjacent_outages_are_one_and_an_empty_one_is_none():
    whole = (PlanOutage(from_h=5, until_h=20),)
    parts = (
        PlanOutage(from_h=5, until_h=12),
        PlanOutage(from_h=8, until_h=10),
        PlanOutage(from_h=12, until_h=20),
        PlanOutage(from_h=2, until_h=2),
    )
    trucks = [a(0, 9), a(1, 4), a(6, 2)]
    for policy in ("resume", "restart", "finish", "requeue"):
        for lane in (None, 1):
            runs = [
                play([station(lanes=2, outage_policy=policy, outages=tuple(lane_of(o, lane) for o in outages))], trucks)
                for outages in (whole, parts)
            ]
            assert runs[0].records.same_as(_with_plan(runs[1].records, runs[0].records.plan)) == ""


def lane_of(outage, lane):
    return PlanOutage(from_h=outage.from_h, until_h=outage.until_h, lane=lane)


def _with_plan(records, plan):
    return type(records)(plan, records.replications, records.elements, records.journeys)


def test_one_on_a_lane_that_is_down_takes_no_other_lane():
    # The service on lane 2 is completed though the lane is down; lane 1 goes on serving meanwhile.
    failing = station(lanes=2, outages=(PlanOutage(from_h=5, until_h=30, lane=2),), outage_policy="finish")
    out = play([failing], [a(0, 6), a(0, 20), a(1, 3), a(2, 3)])
    assert out.start("A") == [0, 0, 6, 9]
    assert out.finish("A") == [6, 20, 9, 12]


def test_outages_drawn_are_added_to_those_given():
    given = station(lanes=1, outages=(PlanOutage(from_h=2, until_h=3),), breakdown=PlanBreakdown(up=None, down=None))
    out = play([given], [a(0, 10)], outages={"A": [PlanOutage(from_h=5, until_h=7)]})
    assert out.finish("A") == [13]
    with pytest.raises(SimulationError, match="A: no outages were drawn"):
        play([given], [a(0, 10)])


def test_requeued_trucks_stand_before_more_urgent_ones():
    failing = station(rank=(1, 0), outages=(PlanOutage(from_h=5, until_h=8),), outage_policy="requeue")
    out = play([failing], [a(0, 10), a(6, 1, flow=1)])
    assert out.finish("A") == [13, 14]
    assert out.start("A") == [0, 13]  # the first start is kept: 3 of the 13 hours are interruption


def test_an_outage_during_suspension_loses_nothing_more_under_resume_and_all_under_restart():
    hours = [(0, 1), (5, 0), (10, 1)]
    for policy, finish in (("resume", 17), ("restart", 22)):
        one = station(lanes=hours, closing="suspend", outages=(PlanOutage(from_h=7, until_h=14),), outage_policy=policy)
        assert play([one], [a(0, 8)]).finish("A") == [finish]


def test_reserved_lanes_come_first_when_capacity_falls():
    one = station(lanes=[(0, 2), (5, 1)], reserved=(Reservation(flows=frozenset({1}), lanes=dated(1)),))
    out = play([one], [a(0, 5), a(1, 1), a(6, 2, flow=1)])
    assert out.start("A") == [0, None, 6]


def test_a_general_truck_passes_one_that_waits_for_its_reserved_lane():
    one = station(lanes=2, reserved=(Reservation(flows=frozenset({1}), lanes=dated(1)),))
    out = play([one], [a(0, 9, flow=1), a(1, 1, flow=1), a(2, 1)])
    assert out.start("A") == [0, 9, 2]


def test_each_pool_of_lanes_is_pooled_for_itself_when_reservations_change_by_date():
    one = station(lanes=2, reserved=(Reservation(flows=frozenset({1}), lanes=dated([(0, 0), (10, 1)])),))
    out = play([one], [a(9, 5), a(9, 5), a(10, 1), a(11, 1, flow=1)])
    # The general pool is overrun from 10 to 14; the reserved one is not.
    assert out.start("A") == [9, 9, 14, 11]


def test_a_staff_pool_serves_the_stations_in_topological_order():
    pool = PlanStaffPool(id="crew", members=dated(1))
    elements = [station("A", 2, staff_pool="crew"), station("B", 2, staff_pool="crew")]
    out = play(elements, [a(0, 5, 3), a(1, 5, 1)], staff_pools=[pool])
    assert out.start("A") == [0, 5]  # at 5 the member goes to A, though B's truck joined no later
    assert out.start("B") == [10, 13]


def test_staff_is_held_during_an_interruption_and_not_while_blocked():
    pool = PlanStaffPool(id="crew", members=dated(1))
    failing = station("A", staff_pool="crew", outages=(PlanOutage(from_h=2, until_h=6),))
    other = station("B", staff_pool="crew")
    routes = {0: [to(0)], 1: [to(1)]}
    assert play([failing, other], [a(0, 5), a(1, 0, 1, flow=1)], variants=routes, staff_pools=[pool]).start("B") == [
        None,
        9,
    ]
    line = [station("A", staff_pool="crew"), station("B", yard=0), station("C", staff_pool="crew")]
    trucks = [a(0, 1, 10), a(0, 1, 1), Truck(3, {"C": 2}, flow=1)]
    out = play(line, trucks, variants={0: [to(0, 1)], 1: [to(2)]}, staff_pools=[pool])
    assert out.leave("A") == [1, 11, None]
    assert out.start("C") == [None, None, 3]


def test_a_pool_that_shrinks_takes_nobody_from_a_service_and_starts_nobody_until_it_suffices():
    pool = PlanStaffPool(id="crew", members=dated([(0, 4), (1, 2), (20, 4)]))
    one = station("A", 3, staff_pool="crew", staff_per_service=2)
    out = play([one], [a(0, 5), a(0, 7), a(2, 1), a(8, 30), a(9, 1)], staff_pools=[pool])
    assert out.start("A") == [0, 0, 7, 8, 20]


def test_a_station_of_an_unknown_staff_pool_is_an_error():
    with pytest.raises(SimulationError, match="no staff pool 'crew'"):
        play([station(staff_pool="crew")], [a(0, 1)])


def planned(mean_h):
    """A law of which only the mean counts: the durations are those given to `play`."""
    return ((0.0, Deterministic(value_h=mean_h)),)


BALKING = [Step(element=0, laws=planned(3), draws="A", balk=PlanBalk(threshold_h=5, variant=1, at_step=0))]


def test_balking_leaves_for_the_other_itinerary_when_the_announced_wait_is_too_long():
    # Announced to the third: (1 waiting + 1 - 0 free) x 3 / 1 = 6 > 5.
    elements = [station("A"), station("B")]
    out = play(elements, [a(0, 9, 1), a(1, 9, 1), a(2, 9, 1)], variants={0: [BALKING, to(1)]})
    assert out.join("A") == [0, 1, None]
    assert out.join("B") == [None, None, 2]
    assert out.variant == [0, 0, 1]
    assert out.records.elements[1].step.tolist() == [[0]]


def test_balking_counts_those_who_come_at_the_same_instant_before():
    out = play([station("A"), station("B")], [a(0, 1, 1) for _ in range(4)], variants={0: [BALKING, to(1)]})
    # No service has started yet: 1 - 1, 2 - 1 (x 3 = 3), 3 - 1 (x 3 = 6): from the third on they leave.
    assert out.variant == [0, 0, 1, 1]


def test_a_closed_station_is_a_wait_until_it_opens():
    # Opens at 9; announced at 1 are 8 h, at 4 there are 5 h. The second finds nobody waiting.
    out = play([station("A", [(0, 0), (9, 1)]), station("B")], [a(1, 1, 1), a(4, 1, 1)], variants={0: [BALKING, to(1)]})
    assert out.variant == [1, 0]
    assert out.start("A") == [None, 9]


def test_balking_out_of_a_lane_frees_it():
    step = Step(element=1, laws=planned(3), draws="B", balk=PlanBalk(threshold_h=2, variant=1, at_step=1))
    elements = [station("A"), station("B", yard=1), station("C")]
    routes = {0: [(*to(0), step), to(0, 2)]}
    out = play(elements, [a(0, 1, 20, 1), a(0, 1, 20, 1), a(0, 1, 20, 1)], variants=routes)
    assert out.variant == [0, 1, 1]
    assert out.leave("A") == [1, 2, 3]
    assert out.depart == [21, 3, 4]


def test_balking_from_one_to_the_other_for_ever_is_no_progress():
    back = Step(element=1, laws=planned(1), draws="B", balk=PlanBalk(threshold_h=0, variant=0, at_step=0))
    forth = Step(element=0, laws=planned(1), draws="A", balk=PlanBalk(threshold_h=0, variant=1, at_step=0))
    with pytest.raises(SimulationError, match="no progress at t = 7"):
        play([station("A", 0), station("B", 0)], [a(7, 1, 1)], variants={0: [[forth], [back]]})


def test_a_zero_length_service_on_a_cycle_is_refused_and_off_it_is_not():
    elements = [station("A"), station("B")]
    both = {0: [to(0, 1)], 1: [to(1, 0)]}
    assert play(elements, [a(0, 1, 2), a(0, 3, 1, flow=1)], variants=both).depart == [3, 4]
    with pytest.raises(SimulationError, match=r"A: the service of f1\[0\].*cycle"):
        play(elements, [a(0, 1, 2), a(0, 0, 1, flow=1)], variants=both)
    assert play(elements, [a(0, 0, 0)]).depart == [0]


def test_lanes_shared_by_both_directions():
    # Outbound A then B, inbound B then A. At 4 A ends for the first outbound and B for the inbound one.
    elements = [station("A"), station("B")]
    trucks = [a(0, 4, 2), a(1, 4, 2), a(0, 3, 4, flow=1), a(1, 3, 4, flow=1)]
    out = play(elements, trucks, variants={0: [to(0, 1)], 1: [to(1, 0)]})
    assert out.start("A") == [0, 4, 8, 11]
    assert out.start("B") == [8, 10, 0, 4]


def test_landings_join_like_everybody_else():
    out = play([ferry("F", [10]), station("B")], [Truck(3, {"B": 5}), Truck(10, {"B": 2}, flow=1, number=-1)],
               variants={0: [(Step(element=0), *[Step(element=1, laws=((0.0, None),), draws="B")])],
                         1: [[Step(element=1, laws=((0.0, None),), draws="B")]]})  # fmt: skip
    # The load lands at 10 on a boat that takes no time; the one from outside joined at 10 too and has the
    # smaller number, so it goes first.
    assert out.start("B") == [12, 10]


def test_one_that_comes_at_t_after_the_station_has_settled_still_stands_by_its_number():
    # The quota comes later in the plan than the station behind it: its truck 0 joins A at 3 after truck 1 has.
    quota = Quota(id="B", day_start_h=np.array([0.0]), per_day=np.array([9]))
    routes = {0: [to(1, 0)], 1: [to(0)], 2: [to(0)]}
    trucks = [Truck(3, {"A": 1}), Truck(3, {"A": 1}, flow=1), Truck(0, {"A": 5}, flow=2)]
    assert play([station("A"), quota], trucks, variants=routes).start("A") == [5, 6, 0]


def test_one_that_an_outage_puts_back_takes_no_place_in_the_yard():
    failing = station("B", yard=1, outages=(PlanOutage(from_h=5, until_h=9),), outage_policy="requeue")
    out = play([station("A"), failing], [a(0, 1, 10), a(5, 1, 1), a(6, 1, 1)])
    assert out.join("B") == [1, 6, 15]
    assert out.leave("A") == [1, 6, 15]
    # Nor does it leave one free once it has gone on: at 15 one starts and the next takes the one place.
    assert out.start("B") == [1, 15, 16]
    more = play([station("A"), failing], [a(0, 1, 10), a(5, 1, 4), a(6, 1, 4), a(7, 1, 4), a(8, 1, 4)])
    assert more.join("B") == [1, 6, 15, 19, 23]


def test_a_service_that_needs_two_members_does_not_start_with_one():
    pool = PlanStaffPool(id="crew", members=dated(3))
    one = station("A", 3, staff_pool="crew", staff_per_service=2)
    assert play([one], [a(0, 5), a(0, 5)], staff_pools=[pool]).start("A") == [0, 5]


def test_one_that_an_outage_puts_back_keeps_its_staff_and_takes_no_more():
    pool = PlanStaffPool(id="crew", members=dated(2))
    failing = station("A", staff_pool="crew", outages=(PlanOutage(from_h=2, until_h=4),), outage_policy="requeue")
    elements = [failing, station("B", 2, staff_pool="crew")]
    trucks = [a(0, 5), Truck(3, {"B": 9}, flow=1), Truck(5, {"B": 1}, flow=1)]
    out = play(elements, trucks, variants={0: [to(0)], 1: [to(1)]}, staff_pools=[pool])
    assert out.finish("A") == [7, None, None]
    assert out.start("B") == [None, 3, 7]


def test_an_overrunning_service_counts_on_pooled_lanes_that_fail_one_by_one_too():
    shift = station(lanes=[(0, 2), (5, 1)], outages=(PlanOutage(from_h=50, until_h=51, lane=1),))
    assert play([shift], [a(0, 6), a(0, 20), a(1, 1)]).start("A") == [0, 0, 20]


def test_clear_queue_without_a_yard_lets_nobody_in_after_closing():
    hours = station("B", [(0, 1), (10, 0), (20, 1)], closing="clear_queue", yard=0)
    out = play([station("A"), hours], [a(0, 8, 4), a(1, 1, 4), a(2, 2, 1)])
    # The second is done at A at 9 but has not joined B by 10, so it waits in A's lane until 20.
    assert out.leave("A") == [8, 20, 24]
    assert out.start("B") == [8, 20, 24]


def test_an_outage_while_closed_does_not_open_for_those_who_came_after_closing():
    hours = station(
        lanes=[(0, 1), (10, 0), (30, 1)], closing="clear_queue", outages=(PlanOutage(from_h=15, until_h=16),)
    )
    assert play([hours], [a(12, 1)]).start("A") == [30]


def test_without_a_yard_nobody_slips_past_one_on_the_road_that_does_not_fit_before_closing():
    hours = station("B", [(0, 1), (10, 0), (20, 1)], closing="no_overrun", yard=0)
    trucks = [Truck(7, {"B": 5}, flow=1), a(7, 1, 1)]
    out = play([station("A"), hours], trucks, variants={0: [to(0, 1)], 1: [to(1)]})
    assert out.start("B") == [20, 25]
    assert out.leave("A") == [None, 25]


def test_a_lane_newly_kept_for_some_serves_nobody_while_others_hold_it():
    """Lanes with an identity: the pool has room from hour 5 on, and no lane is idle before hour 8."""
    kept = Reservation(flows=frozenset({1}), lanes=dated([(0, 0), (5, 1)]), overflow=False)
    breakdown = PlanOutage(from_h=90.0, until_h=91.0, lane=1)
    lanes = station(lanes=2, reserved=(kept,), outages=(breakdown,))
    out = play([lanes], [a(0, 8), a(0, 9), a(5, 1, flow=1), a(5, 1)], variants={0: [to(0)], 1: [to(0)]})
    assert out.start("A") == [0, 0, 8, 9]


def test_of_fewer_lanes_than_are_kept_the_first_reservation_has_its_own():
    """Two of three lanes kept for each of two flows, so none is general; from hour 1 to 10 only the second is up."""
    kept = tuple(Reservation(flows=frozenset({flow}), lanes=dated(2), overflow=False) for flow in (1, 2))
    down = tuple(PlanOutage(from_h=1.0, until_h=10.0, lane=lane) for lane in (1, 3))
    lanes = station(lanes=3, reserved=kept, outages=down)
    trucks = [a(0, 4, flow=2), a(2, 1, flow=2), a(3, 2, flow=1), a(4, 2, flow=1), a(5, 1)]
    out = play([lanes], trucks, variants={flow: [to(0)] for flow in range(3)})
    # The first stands in lane 1 from 1 to 10, with 3 h left. The one lane up is of flow 1; from 10 on two are, and
    # the third is of flow 2, which the first uses until 13. No lane is general.
    assert out.start("A") == [0, 13, 3, 5, None]
    assert out.leave("A") == [13, 14, 5, 7, None]
