"""Throughput, tonnes, value, queues, costs, emissions and delay, each reckoned by hand."""

import datetime as dt
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from small_border import Fixed, plan, records, straight, table, value

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.indicators.capacity import planned_hold_h
from corridor_sim.indicators.queue_marks import upper_percentile
from corridor_sim.plan.capacity import Accounts
from corridor_sim.plan.elements import Departures, LimitedLeg, Quota, Station
from corridor_sim.plan.offered_places import integral_until
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Relief, Step

TWO = [straight(0.0), straight(1.0, wait_a=1.0)]


def test_throughput_is_per_day_of_the_counted_window():
    found = table(records(plan(), TWO))
    # Two consignments in two days.
    assert value(found, "throughput_per_day", kind="post", place="a") == 1.0
    assert value(found, "throughput_per_day", kind="flow", place="f0") == 1.0
    # Window of [6, 48): the first left A at 5.5, the second at 7.5; 42 h.
    late = table(records(plan(warm_up_h=6.0), TWO))
    assert value(late, "throughput_per_day", kind="post", place="a") == pytest.approx(24 / 42)


def test_days_are_local_to_the_post():
    # Releases at 0 and 1 on 1 June 00:00 UTC reach A at 3 and 4, leave it at 5.5 and 7.5.
    found = table(records(plan(), TWO))
    assert value(found, "passed_by_day", place="a", day=0, of="reached") == 2
    # In a place 20 h ahead of UTC it is 23:00 and 24:00 at 3 and 4: the second comes on day 1.
    far = plan(labels={"posts": {"a": {"utc_offsets": ((0.0, 20.0),)}}})
    found = table(records(far, TWO))
    assert value(found, "passed_by_day", place="a", day=0, of="reached") == 1
    assert value(found, "passed_by_day", place="a", day=1, of="reached") == 1
    assert value(found, "passed_by_day", place="a", day=1, of="left") == 2


def test_tonnes_and_value_are_those_that_arrived():
    found = table(records(plan(), TWO))
    assert value(found, "delivered_t", kind="flow", place="f0") == 40.0
    assert value(found, "delivered_value_usd", kind="corridor", place="all") == 40_000.0


def test_mean_queue_is_hours_waited_over_hours():
    found = table(records(plan(), TWO))
    assert value(found, "queue_mean", place="a.exit.lanes") == 1.0 / 48
    assert value(found, "queue_mean", kind="post", place="a") == 1.0 / 48


def test_queue_at_the_marks_sees_who_waits_just_before_each_quarter_of_an_hour():
    # One waits from 4 to 5: seen at 4:15, 4:30, 4:45 and 5:00; 192 marks in 48 h.
    found = table(records(plan(), TWO))
    assert value(found, "queue_max", kind="post", place="a") == 1
    assert value(found, "queue_p95", kind="post", place="a") == 0
    # In the local hour from 4 to 5 of two days: 4 of 8 marks.
    assert value(found, "queue_by_hour", place="a", hour=4) == 0.5
    assert value(found, "queue_by_hour", place="a", hour=5) == 0.0
    assert value(found, "queue_by_day", place="a", day=0) == 4 / 96
    assert value(found, "queue_by_day", place="a", day=1) == 0.0
    # 17 m of vehicle and a gap of 3 m.
    assert value(found, "queue_max_km", place="a") == pytest.approx(0.020)
    assert value(found, "queue_p50_km", place="a", hour=4) == 0.0


def test_utilisation_is_busy_over_open_lane_hours():
    found = table(records(plan(), TWO))
    assert value(found, "utilisation", place="a.exit.lanes") == 4 / 48
    assert value(found, "utilisation", place="b.entry.lanes") == 2 / 96


def test_utilisation_of_a_window_counts_the_hours_within_it():
    # Services at A from 3 to 5 and from 5 to 7; in [4, 48) there are 1 + 2 h of them.
    found = table(records(plan(warm_up_h=4.0), TWO))
    assert value(found, "utilisation", place="a.exit.lanes") == 3 / 44
    # Waited in the window: 4 to 5.
    assert value(found, "queue_mean", place="a.exit.lanes") == 1 / 44


def test_truck_hours_of_delay_add_up_over_places_origins_and_classes():
    two = [straight(0.0), straight(1.0, wait_a=1.0, flow=1)]
    found = table(records(plan(flows=2), two))
    assert value(found, "delay_truck_h", kind="corridor", place="all") == 1.0
    assert value(found, "delay_truck_h", kind="post", place="a") == 1.0
    assert value(found, "delay_truck_h", kind="flow", place="f1") == 1.0
    assert value(found, "delay_truck_h", place="all", of="destination z") == 1.0
    assert value(found, "delay_truck_h", place="all", of="destination y") == 0.0
    assert value(found, "delay_truck_h", place="all", cargo_class="empty") == 1.0
    assert value(found, "delay_value_usd", place="all") == 10.0
    assert value(found, "delay_truck_h_per_day", place="all") == 0.5


def test_delay_is_against_the_named_baseline():
    found = table(records(plan(), TWO))
    # Crossing times 3.5 and 4.5, mean 4: one hour waited over two passages.
    assert value(found, "delay_h", place="ab", of="unqueued") == 0.5
    # The 5th percentile is the shorter of the two.
    assert value(found, "delay_h", place="ab", of="free_flow") == pytest.approx(0.5, abs=0.02)
    # Both hours have one arrival each, so both are quiet and their mean is the mean.
    assert value(found, "delay_h", place="ab", of="low_volume") == 0.0
    assert value(table(records(plan(), TWO), delay_baseline="low_volume"), "delay_h", place="ab") == 0.0


def test_low_volume_baseline_is_the_mean_of_the_six_quietest_hours():
    # Six hours with one truck without wait each, one hour with three that wait 2 h.
    trucks = [straight(float(hour)) for hour in range(6)] + [straight(10.0, wait_a=2.0) for _ in range(3)]
    found = table(records(plan(lanes_a=9.0), trucks))
    assert value(found, "tfi1", place="ab") == 3.5 + 6 / 9
    assert value(found, "delay_h", place="ab", of="low_volume") == pytest.approx(6 / 9)


def test_exactly_six_hours_make_the_low_volume_baseline():
    # One truck in each of the hours 0 to 5, of which that of hour 5 waits 6 h; then three in hour 10, 2 h each.
    trucks = [straight(float(hour), wait_a=6.0 if hour == 5 else 0.0) for hour in range(6)]
    trucks += [straight(10.0, wait_a=2.0) for _ in range(3)]
    found = table(records(plan(lanes_a=9.0), trucks))
    # Crossing times are 3.5 h and the wait: 12 h over nine passages against 6 h over the six quiet ones.
    assert value(found, "delay_h", place="ab", of="low_volume") == pytest.approx(12 / 9 - 6 / 6)


def test_a_lane_that_is_blocked_is_delay_in_hours_and_in_money():
    yard = plan()
    elements = [replace(one, yard=1) if one.id == "b.entry.lanes" else one for one in yard.elements]
    # Served at A from 3 to 5, the dwell of the booth is full until 6: one hour blocked, 10 US$ an hour.
    blocked = (0, 0.0, [(0, 0, 3, 3), (3, 3, 5, 6), (6, 6, 6.5, 6.5), (6.5, 6.5, 7.5, 7.5), (7.5, 7.5, 9.5, 9.5)])
    found = table(records(replace(yard, elements=tuple(elements)), [blocked]))
    assert value(found, "delay_truck_h", place="a.exit.lanes") == 1.0
    assert value(found, "delay_truck_h", kind="corridor", place="all") == 1.0
    assert value(found, "delay_value_usd", place="all") == 10.0


@pytest.mark.parametrize(
    ("count", "percent", "rank"), [(10, 95, 10), (20, 95, 19), (21, 95, 20), (1, 5, 1), (4, 50, 2)]
)
def test_a_percentile_of_numbers_waiting_is_the_least_that_so_many_do_not_exceed(count, percent, rank):
    # Numbers 1 to count: percent of them do not exceed the one of this rank, rounded up.
    assert upper_percentile(np.arange(1, count + 1)[None, :], percent).tolist() == [float(rank)]


def test_costs_are_transport_and_time():
    found = table(records(plan(), TWO))
    # 200 km at 0.05 US$/tkm and 20 t = 200 US$; 9 h on average at 10 US$/h.
    assert value(found, "cost_usd", place="f0", of="transport") == pytest.approx(200.0)
    assert value(found, "cost_usd", place="f0", of="time") == 90.0
    assert value(found, "cost_usd", place="f0") == pytest.approx(290.0)
    assert value(found, "cost_usd_tkm", place="f0") == pytest.approx(290 / 4000)
    assert value(found, "tfi3", place="f0") == pytest.approx(290 / 4000 * 500 * 20)
    assert value(found, "tfi2", place="ab", of="time") == 40.0
    assert value(found, "delay_cost_usd", place="f0") == 5.0
    with_fees = table(records(plan(), TWO), fees_usd={"ab": 60.0})
    assert value(with_fees, "tfi2", place="ab") == 100.0


def test_emissions_are_tonne_km_and_idling_only_when_its_rate_is_given():
    found = table(records(plan(), TWO))
    # 2 journeys x 200 km x 20 t x 80 g = 640 kg.
    assert value(found, "co2_t", kind="corridor", place="all", of="moving") == pytest.approx(0.64)
    assert len(found.select("co2_t", of="idling")) == 0
    idling = table(records(plan(), TWO), idling_co2_kg_h=8.0)
    assert value(idling, "co2_t", kind="corridor", place="all", of="idling") == pytest.approx(0.008)


def test_capacity_is_lane_hours_over_cycle_and_load_what_arrives():
    found = table(records(plan(), TWO))
    # One lane of 2 h: 12 a day at A; two lanes of 1 h: 48 a day at B; one arrival a day.
    assert value(found, "capacity_per_day", place="a.exit.lanes") == 12.0
    assert value(found, "capacity_per_day", kind="post", place="a") == 12.0
    assert value(found, "capacity_per_day", kind="post", place="b") == 48.0
    assert value(found, "load_per_day", kind="post", place="a") == 1.0
    assert value(found, "saturation", kind="post", place="a") == 1 / 12
    assert value(found, "load_by_day", place="a", day=0) == 2.0
    assert value(found, "saturation_by_day", place="a", day=0) == 2 / 12
    assert value(found, "saturation_by_day", place="a", day=1) == 0.0


def test_saturation_day_is_the_first_of_seven_days_at_the_limit():
    # Ten days; one truck every two hours (12 a day, load 1) from day 3 on.
    trucks = [straight(2.0 * n - 3.0) for n in range(36, 120)]
    found = table(records(plan(horizon_h=240.0), trucks))
    assert value(found, "saturation_day", place="a") == 3.0
    assert value(found, "days_saturated", place="a") == 0.7
    none = table(records(plan(horizon_h=240.0), TWO))
    assert np.isnan(value(none, "saturation_day", place="a"))
    assert value(none, "days_saturated", place="a") == 0.0


def test_queue_growth_is_the_change_over_the_window():
    # Six trucks join A at 3 within a day and none is served before the end.
    waiting = [(0, 0.0, [(0.0, 0.0, 3.0, 3.0), (3.0, np.nan, np.nan, np.nan)]) for _ in range(6)]
    found = table(records(plan(horizon_h=24.0), waiting))
    assert value(found, "queue_growth_per_day", kind="post", place="a") == 6.0
    assert value(found, "unserved", kind="post", place="a") == 6


def test_dates_are_those_of_the_post():
    collector_plan = plan(start=dt.datetime(2023, 6, 1, 22, 0), labels={"posts": {"a": {"utc_offsets": ((0.0, 4.0),)}}})
    from corridor_sim.indicators.base import PlanView

    scope = PlanView(collector_plan, np.array([0]))
    assert scope.first_date("a") == dt.date(2023, 6, 2)
    assert scope.clock_h("a") == 2.0
    assert scope.clock_h("b") == 22.0


def supply(element, edges_h):
    """What an element alone offers between the edges, None without a limit."""
    pools = Accounts(Plan(elements=(element,), flows=(), horizon_h=float(edges_h[-1]))).of(0).pools
    offered = pools[0].between(edges_h) if pools else np.array([np.inf])
    return None if np.isinf(offered).all() else offered


def test_lane_hours_follow_the_calendar_of_lanes():
    # Two lanes from 8 to 20 and one at night: 24 + 12 lane-hours a day.
    lanes = StepFunction.periodic([0.0, 8.0, 20.0], [1.0, 2.0, 1.0], 24.0, 48.0)
    edges = np.array([0.0, 10.0, 24.0, 48.0])
    assert integral_until(lanes, edges).tolist() == [0.0, 12.0, 36.0, 72.0]
    station = Station(id="a", lanes=lanes)
    assert supply(station, edges).tolist() == [12.0, 24.0, 36.0]
    direct = [lanes.integral(until, since) for since, until in pairwise(edges)]
    assert supply(station, edges).tolist() == direct


def test_places_of_departures_days_and_headways_are_capacity():
    edges = np.array([0.0, 24.0, 48.0])
    ferry = Departures(id="ferry", depart_h=np.array([6.0, 24.0, 30.0]), places=np.array([10, 20, 30]), cancel=0.5)
    assert supply(ferry, edges).tolist() == [5.0, 25.0]
    quota = Quota(id="quota", day_start_h=np.array([-4.0, 20.0, 44.0]), per_day=np.array([240, 480, 480]))
    # 20 h of 10 an hour and 4 h of 20 an hour; then 20 an hour.
    assert supply(quota, edges).tolist() == pytest.approx([280.0, 480.0])
    bridge = LimitedLeg(
        id="bridge",
        headway_h=StepFunction([0.0, 24.0], [0.5, 0.25]),
        open=StepFunction([0.0, 12.0, 36.0], [0.0, 1.0, 0.0]),
    )
    assert supply(bridge, edges).tolist() == [24.0, 48.0]
    assert supply(Quota(id="open", day_start_h=np.array([0.0, 24.0]), per_day=np.array([10**9] * 2)), edges) is None
    assert supply(Departures(id="full", when_full=40), edges) is None
    assert supply(LimitedLeg(id="free", headway_h=StepFunction.constant(0.0)), edges) is None


def test_planned_cycle_follows_dated_laws_factors_and_reliefs():
    step = Step(
        element=0,
        laws=((0.0, Fixed(2.0)), (24.0, Fixed(1.0))),
        factor=StepFunction([0.0, 36.0], [1.0, 0.5]),
        reliefs=(Relief(share=StepFunction([0.0, 30.0], [0.0, 0.4]), factor=0.5, draws="aeo"),),
    )
    # 2; 1; 1 less 40 % of half of it; half of that.
    assert planned_hold_h(step, np.array([0.0, 24.0, 30.0, 36.0])).tolist() == pytest.approx([2.0, 1.0, 0.8, 0.4])
    assert planned_hold_h(Step(element=0), np.array([0.0])) is None
