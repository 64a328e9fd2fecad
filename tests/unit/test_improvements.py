"""Every kind of improvement, by what it does to the plan that the engines read."""

import datetime as dt
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from small_corridor import day, element, flow, law, path_of, plan_with, small, step

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.model import improvements as im
from corridor_sim.model.changes import Change
from corridor_sim.model.resolution import problems
from corridor_sim.plan.build import make_plan

DOCUMENTS = "checkpoints.samur_az.exit.documents"
JAN_10 = dt.date(2024, 1, 10)
LOCAL_JAN_10 = day(10) - 4.0
"""Midnight of 10 January at the Azerbaijani post, UTC offset 4 h."""


def messages(scenario):
    return "\n".join(map(str, problems(scenario)))


def test_added_lanes_open_at_local_midnight_of_their_date():
    plan = plan_with(im.AddLanes(checkpoint="samur_az", stage="documents", direction="exit", lanes=2, from_=JAN_10))
    lanes = element(plan, "samur_az.exit.documents").lanes
    assert lanes.from_h.tolist() == [0.0, LOCAL_JAN_10]
    assert lanes.value.tolist() == [4.0, 6.0]
    assert element(plan, "samur_az.entry.documents").lanes.is_constant


def test_at_and_checkpoint_direction_stage_say_the_same():
    one = plan_with(im.AddLanes(at=DOCUMENTS, lanes=2))
    other = plan_with(im.AddLanes(checkpoint="samur_az", direction="exit", stage="documents", lanes=2))
    assert element(one, "samur_az.exit.documents") == element(other, "samur_az.exit.documents")


def test_an_improvement_before_the_run_holds_throughout_and_one_without_date_too():
    for dates in ({"from_": "2020-01-01"}, {}):
        lanes = element(plan_with(im.AddLanes(at=DOCUMENTS, lanes=1, **dates)), "samur_az.exit.documents").lanes
        assert lanes.is_constant
        assert lanes.at(0) == 5


def test_works_take_lanes_away_until_the_improvement_opens():
    works = {"from": "2024-01-05", "until": "2024-01-10", "lanes": -3}
    plan = plan_with(im.AddLanes(at=DOCUMENTS, lanes=2, from_=JAN_10, works=works))
    lanes = element(plan, "samur_az.exit.documents").lanes
    assert [lanes.at(day(n, 12)) for n in (4, 6, 9, 10)] == [4, 1, 1, 6]


def test_works_after_the_opening_are_an_error():
    works = {"from": "2024-01-05", "until": "2024-01-11", "lanes": -3}
    with pytest.raises(ScenarioError, match=r"works\.until .* must not be later"):
        im.AddLanes(at=DOCUMENTS, lanes=2, from_=JAN_10, works=works)


def test_removed_lanes_and_until():
    plan = plan_with(im.RemoveLanes(at=DOCUMENTS, lanes=1, from_=JAN_10, until="2024-01-12"))
    lanes = element(plan, "samur_az.exit.documents").lanes
    assert [lanes.at(day(n, 12)) for n in (9, 10, 11, 12)] == [4, 3, 3, 4]


def test_a_ramp_opens_whole_lanes_one_step_a_day():
    plan = plan_with(im.AddLanes(at=DOCUMENTS, lanes=2, from_=JAN_10, ramp_up_days=10))
    lanes = element(plan, "samur_az.exit.documents").lanes
    # On day k of 10 the effect is (k + 1/2) / 10 of two lanes: the first from day 5 on, the second after the ramp.
    assert lanes.from_h.tolist() == [0.0, LOCAL_JAN_10 + 5 * 24, LOCAL_JAN_10 + 10 * 24]
    assert lanes.value.tolist() == [4.0, 5.0, 6.0]


def test_half_a_lane_is_no_lane():
    plan = plan_with(im.AddLanes(at=DOCUMENTS, lanes=2, from_=JAN_10, ramp_up_days=4))
    lanes = element(plan, "samur_az.exit.documents").lanes
    # On day k of 4 there are 4 + 2 (k + 1/2) / 4 lanes, 4.25, 4.75, 5.25 and 5.75, and six after the ramp.
    assert [lanes.at(LOCAL_JAN_10 + 24 * k + 12) for k in range(-1, 5)] == [4, 4, 4, 5, 5, 6]


def test_a_part_of_a_lane_that_a_growing_factor_gives_is_no_lane():
    @im.IMPROVEMENTS.register("twice_the_lanes", at=DOCUMENTS)
    class Twice(im.PostImprovement):
        """As many lanes again."""

        def changes(self, corridor):
            return [self.change(f"{self.path}.lanes", "multiply", 2)]

    try:
        plan = plan_with(Twice(at=DOCUMENTS, from_=JAN_10, ramp_up_days=4))
    finally:
        im.IMPROVEMENTS.unregister("twice_the_lanes")
    lanes = element(plan, "samur_az.exit.documents").lanes
    # On day k of 4 there are 4 (1 + (k + 1/2) / 4) lanes, 4.5, 5.5, 6.5 and 7.5, and eight after the ramp.
    assert [lanes.at(LOCAL_JAN_10 + 24 * k + 12) for k in range(-1, 5)] == [4, 4, 5, 6, 7, 8]


def test_nothing_closes_little_by_little():
    with pytest.raises(ScenarioError, match="ramp_up_days"):
        plan_with(im.Closure(at=DOCUMENTS, from_=JAN_10, ramp_up_days=4))


def test_a_ramp_of_a_factor_is_linear_in_daily_steps():
    plan = plan_with(im.ServiceTimeChange(at=DOCUMENTS, factor=0.5, from_=JAN_10, ramp_up_days=2))
    factor = step(plan, "north", "samur_az.exit.documents").factor
    assert factor.value.tolist() == [1.0, 0.875, 0.625, 0.5]
    assert np.diff(factor.from_h).tolist() == [LOCAL_JAN_10, 24.0, 24.0]


def test_set_capacity_sets_the_lane_cycle_from_the_lanes():
    plan = plan_with(im.SetCapacity(at="checkpoints.samur_ru.entry.documents", trucks_per_day=750, lanes=10))
    assert element(plan, "samur_ru.entry.documents").lanes.at(0) == 10
    visit = step(plan, "north", "samur_ru.entry.documents")
    assert visit.laws[0][1].mean_h * (visit.factor.at(0) if visit.factor else 1) == pytest.approx(
        10 * 24 / 750, rel=1e-5
    )


def test_set_capacity_in_the_run_scales_the_law_and_keeps_its_draws():
    plan = plan_with(im.SetCapacity(at=DOCUMENTS, trucks_per_day=1920, from_=JAN_10))
    visit = step(plan, "north", "samur_az.exit.documents")
    assert len(visit.laws) == 1
    assert visit.factor.at(0) == 1
    assert visit.factor.at(day(11)) * 0.1 == pytest.approx(4 * 24 / 1920)


def test_a_service_factor_holds_for_one_class_or_for_all():
    one = plan_with(im.ServiceTimeChange(at=DOCUMENTS, factor=0.8, cargo_class="perishable"))
    assert step(one, "north", "samur_az.exit.documents").factor is None
    assert step(one, "fruit", "samur_az.exit.documents").factor.at(0) == 0.8
    whole = plan_with(im.ServiceTimeChange(at="checkpoints.samur_az.exit", factor=0.8))
    for stage in ("documents", "xray", "dwell"):
        assert step(whole, "fruit", f"samur_az.exit.{stage}").factor.at(0) == 0.8


def test_factors_multiply():
    plan = plan_with(im.ServiceTimeChange(at=DOCUMENTS, factor=0.8), im.ServiceTimeChange(at=DOCUMENTS, factor=0.5))
    assert step(plan, "north", "samur_az.exit.documents").factor.at(0) == pytest.approx(0.4)


def test_a_new_law_begins_at_its_date_and_uses_the_same_stream():
    new = {"kind": "exponential", "mean_h": 0.05}
    plan = plan_with(im.ServiceTimeChange(at=DOCUMENTS, service=new, from_=JAN_10))
    visit = step(plan, "north", "samur_az.exit.documents")
    assert [from_h for from_h, _ in visit.laws] == [0.0, LOCAL_JAN_10]
    assert [one.mean_h for _, one in visit.laws] == pytest.approx([0.1, 0.05], rel=1e-5)
    assert visit.draws == "samur_az.exit.documents"


def test_an_inspection_share_is_set_or_multiplied_by_class():
    at = "checkpoints.samur_az.exit.documents"
    plan = plan_with(
        im.InspectionShare(at=at, share=0.5, from_=JAN_10),
        im.InspectionShare(at=at, factor=0.2, cargo_class="perishable"),
    )
    assert [step(plan, "north", "samur_az.exit.documents").share.at(day(n)) for n in (2, 12)] == [1.0, 0.5]
    assert [step(plan, "fruit", "samur_az.exit.documents").share.at(day(n)) for n in (2, 12)] == pytest.approx(
        [0.2, 0.1]
    )


def test_other_risk_channels_change_every_stage_that_needs_them():
    new = {"green": 0.9, "yellow": 0.08, "red": 0.02}
    plan = plan_with(im.InspectionShare(at="checkpoints.samur_az.channels.exit", channels=new, from_=JAN_10))
    visit = step(plan, "north", "samur_az.exit.xray")
    assert visit.share.value.tolist() == pytest.approx([0.2, 0.1])
    assert visit.share_draws == "samur_az.exit.channel"


def test_opening_hours_close_the_lanes_at_night_from_the_date_on():
    plan = plan_with(im.OpeningHours(at=DOCUMENTS, opening_hours=["08:00-20:00"], from_=JAN_10))
    lanes = element(plan, "samur_az.exit.documents").lanes
    assert lanes.at(day(5, 2)) == 4
    local_8, local_20 = day(12, 4), day(12, 16)
    assert [lanes.at(local_8 - 0.01), lanes.at(local_8), lanes.at(local_20 - 0.01), lanes.at(local_20)] == [0, 4, 4, 0]


def test_opening_hours_of_a_direction_leave_the_stay_alone():
    plan = plan_with(im.OpeningHours(at="checkpoints.samur_az.exit", opening_hours=["08:00-20:00"]))
    assert element(plan, "samur_az.exit.xray").lanes.at(day(3, 2)) == 0
    assert element(plan, "samur_az.exit.dwell").kind == "delay"


def test_a_priority_class_is_served_first():
    plan = plan_with(im.PriorityClass(at=DOCUMENTS, priority=["perishable"]))
    rank = element(plan, "samur_az.exit.documents").rank
    assert {one.id: rank[k] for k, one in enumerate(plan.flows)} == {
        "east": 1, "fruit": 0, "north": 1, "south": 1, "transit": 1,
    }  # fmt: skip


def test_a_priority_order_and_a_yard_begin_at_their_date():
    ranked = element(
        plan_with(im.PriorityClass(at=DOCUMENTS, priority=["perishable"], from_=JAN_10)), "samur_az.exit.documents"
    )
    (first, none), (from_h, rank) = ranked.rank_changes
    assert (first, none, ranked.rank) == (0.0, None, None)
    assert from_h == LOCAL_JAN_10
    assert sorted(rank) == [0, 1, 1, 1, 1]
    yard = element(plan_with(im.YardPlaces(at=DOCUMENTS, places=3, from_=JAN_10)), "samur_az.exit.documents")
    assert yard.yard_changes == ((0.0, None), (LOCAL_JAN_10, 3))
    assert yard.may_be_full


def test_a_priority_lane_keeps_lanes_for_a_class():
    plan = plan_with(im.PriorityLane(at=DOCUMENTS, cargo_class="perishable", lanes=1, new_lanes=1, from_=JAN_10))
    station = element(plan, "samur_az.exit.documents")
    (kept,) = station.reserved
    assert {plan.flows[f].id for f in kept.flows} == {"fruit"}
    assert kept.lanes.value.tolist() == [0.0, 1.0]
    assert station.lanes.value.tolist() == [4.0, 5.0]
    assert not kept.overflow


def test_lanes_by_queue_hold_from_their_date_with_the_terms_of_the_improvement():
    lanes = im.LanesByQueue(at=DOCUMENTS, above=8, below=3, most=2, start_up_h=0.25, from_=JAN_10)
    extra = element(plan_with(lanes), "samur_az.exit.documents").extra_lanes
    assert extra.most.value.tolist() == [0.0, 2.0]
    assert (extra.above.at(240.0), extra.below.at(240.0), extra.start_up_h.at(240.0)) == (8.0, 3.0, 0.25)


def test_a_gate_by_the_queue_holds_from_its_date():
    gate = im.GateByQueue(
        at=DOCUMENTS, queue_at="checkpoints.samur_ru.entry.documents", close_at=40, open_below=25, from_=JAN_10
    )
    (made,) = element(plan_with(gate), "samur_az.exit.documents").gates
    assert made.queues == ("samur_ru.entry.documents",)
    assert made.close_at.at(200.0) > 1e6  # no gate before its date
    assert (made.close_at.at(240.0), made.open_below.at(240.0)) == (40.0, 25.0)


def test_a_ban_holds_from_its_date_for_its_class():
    night = {"hours": ["00:00-06:00"], "cargo_classes": ["loaded"]}
    plan = plan_with(im.ChangeBans(leg="baku_samur", bans={"night": night}, from_=JAN_10))
    place = element(plan, "leg:baku_samur>.ban.night")
    assert [place.open.at(hour) for hour in (195.0, 240.0, 245.9, 246.0, 264.0)] == [1, 0, 0, 1, 0]


def test_pre_arrival_relieves_the_same_share_at_every_stage():
    plan = plan_with(
        im.PreArrival(at="checkpoints.samur_az.exit", share=0.3, factor=0.5, from_=JAN_10, cargo_classes=["loaded"])
    )
    reliefs = [step(plan, "north", f"samur_az.exit.{stage}").reliefs for stage in ("documents", "xray", "dwell")]
    assert len({one.draws for (one,) in reliefs}) == 1
    assert reliefs[0][0].factor == 0.5
    assert reliefs[0][0].share.value.tolist() == [0.0, 0.3]
    assert step(plan, "fruit", "samur_az.exit.documents").reliefs == ()


def test_slot_booking_meters_releases_into_the_post():
    plan = plan_with(im.SlotBooking(at="checkpoints.samur_az.exit", per_day=48, from_=JAN_10))
    slots = element(plan, "samur_az.exit.slots")
    assert slots.component == "slot_wait"
    assert slots.depart_h[:3].tolist() == [LOCAL_JAN_10, LOCAL_JAN_10 + 0.5, LOCAL_JAN_10 + 1.0]
    assert set(slots.places) == {1}
    path = path_of(plan, "north")
    assert path.index("samur_az.exit.slots") + 1 == path.index("samur_az.exit.documents")
    assert step(plan, "north", "samur_az.exit.slots").share.value.tolist() == [0.0, 1.0]
    post = next(span for span in flow(plan, "north").variants[0].spans if span.kind == "post")
    assert path[post.first] == "samur_az.exit.documents"


def test_slots_in_groups_hold_the_whole_daily_number_and_end_with_a_release_of_all():
    plan = plan_with(
        im.SlotBooking(at="checkpoints.samur_az.exit", per_day=100, every_h=3, from_=JAN_10, until="2024-01-12")
    )
    slots = element(plan, "samur_az.exit.slots")
    assert slots.places[:8].sum() == 100
    assert len(slots.depart_h) == 17
    assert slots.places[-1] >= 10**6
    assert slots.depart_h[-1] == LOCAL_JAN_10 + 48


def test_daily_acceptance_changes_by_local_day():
    tables = {"checkpoints__astara_ir__acceptance": {"exit": {"per_day": 250}}}
    plan = plan_with(im.DailyAcceptance(at="checkpoints.astara_ir.exit", per_day=360, from_=JAN_10), **tables)
    quota = element(plan, "astara_ir.exit.acceptance")
    assert quota.day_start_h[0] <= 0
    assert quota.per_day[:9].tolist() == [250] * 9
    assert quota.per_day[9] == 360
    path = path_of(plan, "transit")
    assert path.index("astara_ir.exit.acceptance") + 1 == path.index("astara_ir.exit.gate")


def test_a_first_daily_acceptance_limits_nobody_before_its_date():
    plan = plan_with(im.DailyAcceptance(at="checkpoints.astara_ir.exit", per_day=360, from_=JAN_10))
    quota = element(plan, "astara_ir.exit.acceptance")
    assert quota.per_day[8] >= 10**6
    assert quota.per_day[9] == 360


def test_yard_places_hold_for_the_whole_run():
    plan = plan_with(im.YardPlaces(at=DOCUMENTS, places=30))
    assert element(plan, "samur_az.exit.documents").yard == 30
    assert element(plan_with(), "samur_az.exit.documents").yard is None


def test_a_one_stop_post_merges_the_common_stages_for_those_released_after_its_date():
    plan = plan_with(im.OneStopPost(crossing="samur", host="samur_ru", service_factor=1.5, from_=JAN_10))
    before, after = flow(plan, "north").variants
    assert "samur_az.exit.documents" in path_of(plan, "north", 0)
    assert "samur_az.exit.documents" not in path_of(plan, "north", 1)
    assert "samur_az.exit.xray" in path_of(plan, "north", 1)
    assert step(plan, "north", "samur_ru.entry.documents", 1).factor.at(0) == 1.5
    assert step(plan, "north", "samur_ru.entry.documents", 0).factor is None
    assert [before.share.at(day(n)) for n in (2, 12)] == [1, 0]
    assert [after.share.at(day(n)) for n in (2, 12)] == [0, 1]


def test_an_opened_post_takes_the_share_of_a_flow_that_is_diverted_to_it():
    tables = {"checkpoints__khanoba_az__open": False}
    closed = plan_with(**tables)
    assert [one.id for one in flow(closed, "north").variants] == ["samur"]
    plan = plan_with(im.OpenPost(checkpoint="khanoba_az", shares={"north": 0.4}, from_=JAN_10), **tables)
    shares = {one.id: one.share for one in flow(plan, "north").variants}
    assert shares["khanoba"].value.tolist() == [0.0, 0.4]
    assert shares["samur"].value.tolist() == [1.0, 0.6]
    assert [one.id for one in flow(plan, "fruit").variants] == ["samur"]


def test_an_opened_leg_draws_the_flows_for_which_it_is_cheaper():
    short = {"kind": "road", "from": "baku", "to": "samur_az", "length_km": 100, "speed_kmh": 80, "open": False}
    plan = plan_with(im.OpenLeg(leg="motorway", from_=JAN_10), legs__motorway=short)
    old, new = flow(plan, "north").variants
    assert path_of(plan, "north", 0)[0] == "leg:baku_samur>"
    assert path_of(plan, "north", 1)[0] == "leg:motorway>"
    assert [new.share.at(day(n)) for n in (2, 12)] == [0, 1]
    assert [old.share.at(day(n)) for n in (2, 12)] == [1, 0]


def test_a_faster_leg_takes_less_time_in_both_directions():
    plan = plan_with(im.LegSpeed(leg="samur_moscow", factor=1.25, from_=JAN_10))
    for id, who in (("leg:samur_moscow>", "north"), ("leg:samur_moscow<", "south")):
        assert step(plan, who, id).factor.value.tolist() == pytest.approx([1.0, 0.8])
    same = plan_with(im.LegSpeed(leg="samur_moscow", speed_kmh=75, from_=JAN_10))
    assert step(same, "north", "leg:samur_moscow>").factor == step(plan, "north", "leg:samur_moscow>").factor


def test_a_faster_ship_sails_faster_throughout_the_run():
    assert element(plan_with(), "leg:ferry>").crossing.mean_h == pytest.approx(20)
    assert element(plan_with(im.LegSpeed(leg="ferry", factor=2.0)), "leg:ferry>").crossing.mean_h == pytest.approx(10)
    with pytest.raises(ScenarioError, match=r"legs\.ferry: cannot change its speed within the run"):
        plan_with(im.LegSpeed(leg="ferry", factor=2.0, from_=JAN_10))


def test_leg_capacity_changes_the_headway_and_the_number_of_vehicles():
    plan = plan_with(im.LegCapacity(leg="baku_port", paths_per_day=48, max_vehicles=3, from_=JAN_10))
    passage = element(plan, "leg:baku_port>")
    assert passage.headway_h.value.tolist() == [1.0, 0.5]
    assert passage.max_vehicles.value.tolist() == [1e9, 3.0]


def test_a_new_timetable_replaces_the_old_departures_from_its_date_on():
    plan = plan_with(im.NewTimetable(leg="ferry", timetable={"every_h": 24, "places": 50}, from_=JAN_10))
    boat = element(plan, "leg:ferry>")
    old = boat.depart_h < day(10)
    assert boat.depart_h[old].tolist() == [12, 60, 108, 156, 204]
    assert boat.places[old].tolist() == [30] * 5
    assert boat.depart_h[~old][:2].tolist() == [day(10), day(11)]
    assert set(boat.places[~old]) == {50}


def test_a_first_timetable_takes_over_from_the_free_road_at_its_date():
    plan = plan_with(im.NewTimetable(leg="baku_port", timetable={"every_h": 6, "places": 50}, from_=JAN_10))
    path = path_of(plan, "east")
    assert path[:2] == ["leg:baku_port>", "leg:baku_port>.timetable"]
    shares = [step(plan, "east", id).share for id in path[:2]]
    for n, expected in ((2, [1, 0]), (12, [0, 1])):
        assert [share.at(day(n)) for share in shares] == expected


def test_demand_growth_of_one_flow_of_some_and_of_all():
    base = {one.id: one.arrivals.rate.integral(672) for one in plan_with().flows}
    grown = plan_with(im.DemandGrowth(flow="north", factor=1.5))
    assert {one.id for one in grown.flows if one.arrivals.rate.integral(672) != base[one.id]} == {"north"}
    every = plan_with(im.DemandGrowth(factor=1.1))
    for one in every.flows:
        assert one.arrivals.rate.integral(672) == pytest.approx(1.1 * base[one.id])


def test_another_yearly_growth_compounds_from_its_date_on():
    plan = plan_with(im.DemandGrowth(flow="north", growth_per_year=0.5, from_=JAN_10))
    rate = flow(plan, "north").arrivals.rate
    assert rate.at(day(9)) == pytest.approx(4.0)
    assert rate.at(day(28, 12)) == pytest.approx(4.0 * 1.5 ** ((day(28, 12) - day(10)) / 8766))


@pytest.mark.parametrize("at", ["checkpoints.samur_az", "checkpoints.samur_az.exit", DOCUMENTS])
def test_a_closure_closes_every_stage_with_lanes(at):
    plan = plan_with(im.Closure(at=at, from_=JAN_10, until="2024-01-12"))
    lanes = element(plan, "samur_az.exit.documents").lanes
    assert [lanes.at(day(n, 12)) for n in (9, 10, 11, 12)] == [4, 0, 0, 4]
    other = element(plan, "samur_az.entry.documents").lanes.at(day(11))
    assert other == (0 if at == "checkpoints.samur_az" else 4)


def test_a_closed_leg_cannot_be_entered():
    plan = plan_with(im.Closure(leg="samur_moscow", from_=JAN_10, until="2024-01-12"))
    passage = element(plan, "leg:samur_moscow>")
    assert [passage.open.at(day(n, 12)) for n in (9, 10, 11, 12)] == [1, 0, 0, 1]


def test_every_kind_is_tested_here():
    text = Path(__file__).read_text()
    assert {
        name for _, made in im.IMPROVEMENTS.items() for name in [made.__name__] if f"im.{name}(" not in text
    } == set()


# ---------------------------------------------------------------- what does not go together


def test_two_that_set_one_value_at_the_same_time_are_an_error_that_names_both():
    scenario = small().with_improvements(
        fast=im.SetCapacity(at=DOCUMENTS, trucks_per_day=900, from_="2024-01-05"),
        slow=im.ServiceTimeChange(at=DOCUMENTS, service=law(0.3), from_="2024-01-08"),
    )
    with pytest.raises(ScenarioError, match="'fast' and 'slow'"):
        make_plan(scenario)
    apart = small().with_improvements(
        fast=im.SetCapacity(at=DOCUMENTS, trucks_per_day=900, from_="2024-01-05", until="2024-01-08"),
        slow=im.ServiceTimeChange(at=DOCUMENTS, service=law(0.3), from_="2024-01-08"),
    )
    assert len(step(make_plan(apart), "north", "samur_az.exit.documents").laws) == 2


@pytest.mark.parametrize(
    ("improvement", "message"),
    [
        (im.AddLanes(checkpoint="samur_a", direction="exit", stage="documents", lanes=1), "did you mean 'samur_az'"),
        (im.AddLanes(at="checkpoints.samur_az.exit.documnts", lanes=1), "did you mean 'documents'"),
        (im.AddLanes(at="checkpoints.samur_az.exit.dwell", lanes=1), "has unlimited lanes"),
        (im.LegSpeed(leg="fery", factor=2.0), "did you mean 'ferry'"),
        (im.DemandGrowth(flow="nord", factor=2.0), "did you mean 'north'"),
        (im.OneStopPost(crossing="samur", host="astara_az"), "names post of the crossing 'astara_az'"),
        (im.InspectionShare(at="checkpoints.samur_az.exit.xray", share=0.1), "follows from its risk channels"),
        (im.RemoveLanes(at=DOCUMENTS, lanes=5), "removes more lanes than exist"),
        (im.RemoveLanes(at=DOCUMENTS, lanes=4, from_=JAN_10), "leaves no lane from 212 h"),
        (im.RemoveLanes(at=DOCUMENTS, lanes=4), "never opens with improvements.mine, but 3 flows use it"),
        (im.AddLanes(at=DOCUMENTS, lanes=1, from_="2030-01-01"), "warning: .*takes effect after the run"),
        (im.AddLanes(at=DOCUMENTS, lanes=1, until="2020-01-01"), "warning: .*is over before the run"),
        (im.ServiceTimeChange(at=DOCUMENTS, factor=20.0), "warning: .*more than doubles .*20 %\\? write 0.2"),
        (im.PriorityClass(at=DOCUMENTS, priority=["perishabel"]), "perishabel"),
        (
            im.OpeningHours(at=DOCUMENTS, opening_hours=["08:00-20:00"], from_=JAN_10, ramp_up_days=3),
            "works with numbers",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_does_not_fit_the_corridor_is_told_with_the_name_of_the_improvement(improvement, message):
    text = messages(small().with_improvements(mine=improvement))
    assert message in text or re.search(message, text), text
    assert "improvements.mine" in text


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("add_lanes", {"at": DOCUMENTS, "lanes": 0}, "whole number >= 1"),
        ("add_lanes", {"lanes": 1}, "at: is required"),
        ("add_lanes", {"checkpoint": "samur_az", "stage": "documents", "lanes": 1}, "direction: is required"),
        ("add_lanes", {"checkpoint": "samur_az", "stage": "x", "direction": "exti", "lanes": 1}, "did you mean 'exit'"),
        (
            "add_lanes",
            {"at": DOCUMENTS, "lanes": 1, "from": "2024-02-01", "until": "2024-01-01"},
            "must be later than from",
        ),
        ("service_time", {"at": DOCUMENTS, "factor": 0.0}, "must be a number > 0"),
        ("service_time", {"at": DOCUMENTS}, "exactly one of factor, service"),
        ("inspection_share", {"at": DOCUMENTS, "share": 25.0}, r"25 %\? write 0.25"),
        ("leg_speed", {"leg": "ferry"}, "exactly one of factor and speed_kmh"),
        ("daily_acceptance", {"at": DOCUMENTS, "per_day": 3}, "must name what is improved"),
    ],
)
def test_an_improvement_with_wrong_values_is_refused_when_it_is_made(kind, values, message):
    with pytest.raises(ScenarioError, match=message):
        im.IMPROVEMENTS[kind](**values)


def test_a_toy_kind_works_with_no_other_change():
    @im.IMPROVEMENTS.register("toy", post="samur_az")
    class Toy(im.Improvement):
        post: str

        def changes(self, corridor):
            return [self.change(f"checkpoints.{self.post}.exit.documents.lanes", "multiply", 2)]

    try:
        table = {"toy": {"kind": "toy", "post": "samur_az", "from": JAN_10}}
        plan = plan_with(improvements=table)
        assert element(plan, "samur_az.exit.documents").lanes.value.tolist() == [4.0, 8.0]
        wrong = small(improvements={"toy": {"kind": "toy", "post": "samur_zz"}})
        assert "improvements.toy: changes 'checkpoints.samur_zz.exit.documents.lanes'" in messages(wrong)
        assert wrong.to_data()["improvements"]["toy"]["kind"] == "toy"
    finally:
        im.IMPROVEMENTS.unregister("toy")


@pytest.mark.parametrize("kind", list(im.IMPROVEMENTS))
def test_an_example_of_every_kind_can_be_made_and_written_back(kind):
    made = im.IMPROVEMENTS[kind](**im.IMPROVEMENTS.example(kind))
    data = made.to_data()
    assert data.pop("kind") == kind
    assert type(made)(**data) == made


def test_improvements_are_added_and_removed_by_name():
    scenario = small().with_improvements(im.AddLanes(at=DOCUMENTS, lanes=1), im.AddLanes(at=DOCUMENTS, lanes=1))
    assert list(scenario.improvements) == [
        "add_lanes_samur_az_exit_documents",
        "add_lanes_samur_az_exit_documents_2",
    ]
    assert element(make_plan(scenario), "samur_az.exit.documents").lanes.at(0) == 6
    assert scenario.without_improvements() == small()
    with pytest.raises(ScenarioError, match="did you mean"):
        scenario.without_improvements("add_lanes_samur_az_exit_document")
    with pytest.raises(ScenarioError, match="is the name of another improvement"):
        scenario.with_improvements(add_lanes_samur_az_exit_documents=im.AddLanes(at=DOCUMENTS, lanes=1))


def test_changes_are_set_then_multiplied_then_added():
    from corridor_sim.model.changes import on_clock, value_at

    changes = [
        on_clock(Change(path="p", operation=operation, value=value), dt.datetime(2024, 1, 1), 0.0)
        for operation, value in (("add", 1), ("multiply", 3), ("set", 2))
    ]
    assert value_at(10, changes, 0.0) == 2 * 3 + 1


def test_an_improvement_that_changes_holidays_from_a_date_is_refused_by_name():
    text = cs.dumps(cs.load_scenario("teaching"))
    added = '\n[improvements.keeps_more]\nkind = "holidays"\nfrom = 2024-03-10\nat = "checkpoints.northgate_a"\n'
    with pytest.raises(cs.ScenarioError, match="holds for the whole run; give the hours of these days") as error:
        cs.loads(text + added)
    assert [problem.path for problem in error.value.problems] == ["improvements.keeps_more.kind"]
