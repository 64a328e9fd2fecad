"""From a scenario to the plan that the engines read."""

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from small_corridor import DATA, day, element, flow, law, path_of, plan_with, small, step

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.model import improvements as im
from corridor_sim.model.legs import LEGS, Leg
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, Station
from corridor_sim.plan.load import check, loads

NIGHT = "checkpoints__samur_az__exit__documents__"


def journey_h(plan, flow_id, variant=0):
    """Mean unhindered time of an itinerary. [h]"""
    total = 0.0
    for one in flow(plan, flow_id).variants[variant].steps:
        factor = one.factor.at(0) if one.factor is not None else 1.0
        share = one.share.at(0) if one.share is not None else 1.0
        total += share * factor * sum(part.mean_h for _, part in one.laws[:1])
        boat = plan.elements[one.element]
        if isinstance(boat, Departures) and boat.crossing is not None:
            total += boat.crossing.mean_h
    return total


# ---------------------------------------------------------------- itineraries and elements


def test_a_way_is_legs_and_posts_in_the_order_of_travel():
    plan = plan_with()
    assert path_of(plan, "transit") == [
        "leg:rasht_astara>",
        "astara_ir.exit.gate",
        "leg:astara>",
        "astara_az.entry.gate",
        "leg:astara_baku>",
        "leg:baku_samur>",
        "samur_az.exit.documents",
        "samur_az.exit.xray",
        "samur_az.exit.dwell",
        "leg:samur>",
        "samur_ru.entry.documents",
        "samur_ru.entry.release",
        "leg:samur_moscow>",
    ]
    assert path_of(plan, "south") == [
        "leg:samur_moscow<",
        "samur_ru.exit.documents",
        "leg:samur<",
        "samur_az.entry.documents",
        "leg:baku_samur<",
    ]


def test_a_transfer_is_passed_where_the_leg_type_changes():
    plan = plan_with()
    assert path_of(plan, "east") == ["leg:baku_port>", "port.transfer.cranes", "leg:ferry>"]
    assert [type(element(plan, id)) for id in path_of(plan, "east")] == [LimitedLeg, Station, Departures]


@pytest.mark.parametrize(
    ("handled_at", "path"),
    [
        ((), ["leg:baku_port<"]),
        (("origin",), ["port.transfer.cranes", "leg:baku_port<"]),
        # Baku has no transfer: there is nothing to pass.
        (("origin", "destination"), ["port.transfer.cranes", "leg:baku_port<"]),
    ],
)
def test_a_flow_that_is_handled_at_its_ends_passes_the_transfer_there(handled_at, path):
    back = {"origin": "port", "destination": "baku", "per_day": 2.0, "handled_at": list(handled_at)}
    assert path_of(plan_with(flows__back=back), "back") == path


def test_cargo_that_ends_at_a_port_is_handled_after_its_last_leg():
    there = {"origin": "baku", "destination": "port", "per_day": 2.0, "handled_at": ["destination"]}
    assert path_of(plan_with(flows__there=there), "there") == ["leg:baku_port>", "port.transfer.cranes"]


def test_elements_are_numbered_downstream_and_flows_by_id():
    plan = plan_with()
    assert [one.id for one in plan.flows] == sorted(DATA["flows"])
    for one in plan.flows:
        for variant in one.variants:
            numbers = [part.element for part in variant.steps]
            assert numbers == sorted(numbers)
    assert len({one.id for one in plan.elements}) == len(plan.elements)
    assert not plan.cyclic


def test_the_plan_does_not_depend_on_the_order_of_tables():
    turned = {
        name: dict(reversed(table.items())) for name, table in DATA.items() if name in ("places", "legs", "flows")
    }
    assert [one.id for one in make_plan(small(**turned)).elements] == [one.id for one in plan_with().elements]
    assert make_plan(small(**turned)).flows[2].variants == plan_with().flows[2].variants


def test_a_stay_is_a_delay_and_lanes_are_a_station():
    plan = plan_with()
    assert element(plan, "samur_az.exit.dwell") == Delay(
        id="samur_az.exit.dwell",
        component="dwell",
        post="samur_az",
        direction="exit",
        stage="dwell",
        crossing="samur",
    )
    assert isinstance(element(plan, "leg:baku_samur>"), Delay)


def test_spans_cover_posts_crossings_and_legs():
    plan = plan_with()
    path = path_of(plan, "north")
    spans = {(one.kind, one.id): (path[one.first], path[one.last]) for one in flow(plan, "north").variants[0].spans}
    assert spans["post", "samur_az"] == ("samur_az.exit.documents", "samur_az.exit.dwell")
    assert spans["post", "samur_ru"] == ("samur_ru.entry.documents", "samur_ru.entry.release")
    assert spans["crossing", "samur"] == ("samur_az.exit.documents", "samur_ru.entry.release")
    assert spans["leg", "samur_moscow"] == ("leg:samur_moscow>", "leg:samur_moscow>")
    assert flow(plan, "north").variants[0].length_km == 2002


def test_trucks_per_day_set_the_lane_cycle():
    visit = step(plan_with(), "north", "samur_ru.entry.documents")
    assert visit.laws[0][1].mean_h == pytest.approx(5 * 24 / 500, abs=2**-20)
    half_day = {"lanes": 5, "trucks_per_day": 500, "opening_hours": ["08:00-20:00"]}
    plan = plan_with(checkpoints__samur_ru__entry__documents=half_day)
    assert step(plan, "north", "samur_ru.entry.documents").laws[0][1].mean_h == pytest.approx(5 * 12 / 500, abs=2**-20)


def test_channels_nest_in_one_uniform():
    tables = {"checkpoints__samur_az__exit__open_up": {"lanes": 1, "service": law(1.0), "channels": ["red"]}}
    plan = plan_with(**tables)
    both = [step(plan, "north", f"samur_az.exit.{stage}") for stage in ("xray", "open_up")]
    assert [one.share.at(0) for one in both] == pytest.approx([0.2, 0.05])
    assert len({one.share_draws for one in both}) == 1


def test_a_class_that_never_needs_a_stage_does_not_pass_it():
    plan = plan_with(**{NIGHT + "share_by_class": {"perishable": 0.0, "transit": 0.5}})
    assert "samur_az.exit.documents" not in path_of(plan, "fruit")
    assert step(plan, "transit", "samur_az.exit.documents").share.at(0) == 0.5
    assert step(plan, "north", "samur_az.exit.documents").share is None


def test_a_factor_of_a_class_scales_its_service_only():
    plan = plan_with(**{NIGHT + "factor_by_class": {"perishable": 0.8}})
    assert step(plan, "fruit", "samur_az.exit.documents").factor.at(0) == 0.8
    assert step(plan, "north", "samur_az.exit.documents").factor is None


# ---------------------------------------------------------------- calendars


def test_lanes_by_hour_are_local_to_the_post():
    plan = plan_with(**{NIGHT + "lanes_by_hour": {"08:00": 6, "20:00": 5}})
    lanes = element(plan, "samur_az.exit.documents").lanes
    for hour, expected in ((3.99, 5), (4, 6), (15.99, 6), (16, 5)):
        assert lanes.at(day(9, hour)) == expected


def test_hours_over_midnight_and_over_the_end_of_the_week():
    plan = plan_with(**{NIGHT + "opening_hours": ["Sun 22:00-06:00"]})
    lanes = element(plan, "samur_az.exit.documents").lanes
    assert lanes.at(0) == 4  # Monday 04:00 at the post: the window began on Sunday, before the run
    assert [lanes.at(2 - 0.01), lanes.at(2), lanes.at(day(7, 17.99)), lanes.at(day(7, 18))] == [4, 0, 0, 4]
    assert lanes.integral(28 * 24) / 4 == pytest.approx(4 * 8)


def test_half_hour_offsets_from_utc():
    plan = plan_with(
        checkpoints__astara_ir__utc_offset_h=3.5,
        checkpoints__astara_ir__exit__gate={"lanes": 3, "service": law(0.1), "opening_hours": ["08:00-20:00"]},
    )
    lanes = element(plan, "astara_ir.exit.gate").lanes
    assert [lanes.at(day(3, 4.49)), lanes.at(day(3, 4.5)), lanes.at(day(3, 16.5))] == [0, 3, 0]


@pytest.mark.parametrize("start", [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 3, 17, 20), dt.datetime(2023, 12, 31)])
def test_a_calendar_is_the_same_wherever_the_run_begins(start):
    plan = plan_with(run__start=start, **{NIGHT + "opening_hours": ["Mon-Fri 08:00-20:00", "Sat 22:00-06:00"]})
    lanes = element(plan, "samur_az.exit.documents").lanes
    for hour in np.arange(0, 27 * 24, 3.7):
        local = start + dt.timedelta(hours=float(hour) + 4)
        clock = local.hour + local.minute / 60 + local.second / 3600
        weekday = local.weekday()
        is_open = (weekday < 5 and 8 <= clock < 20) or (weekday == 5 and clock >= 22) or (weekday == 6 and clock < 6)
        assert lanes.at(hour) == 4 * is_open, local


def test_named_lanes_have_a_calendar_each():
    tables = {NIGHT + "lanes_by_hour": {"08:00": 6, "20:00": 5}, NIGHT + "named_lanes": True}
    station = element(plan_with(**tables), "samur_az.exit.documents")
    assert len(station.named) == 6
    for hour in (day(2, 2), day(2, 9)):
        assert sum(one.at(hour) for one in station.named) == station.lanes.at(hour)
    assert station.named[4].is_constant
    assert not station.named[5].is_constant


def test_outages_are_local_and_join_where_they_overlap():
    outages = {
        "one": {"lane": 2, "from": dt.date(2024, 1, 3), "until": dt.date(2024, 1, 5)},
        "two": {"lane": 2, "from": dt.date(2024, 1, 4), "until": dt.date(2024, 1, 6)},
        "past": {"lane": 1, "from": dt.date(2023, 1, 4), "until": dt.date(2023, 1, 6)},
    }
    station = element(plan_with(**{NIGHT + "outages": outages}), "samur_az.exit.documents")
    (outage,) = station.outages
    assert (outage.lane, outage.from_h, outage.until_h) == (2, day(3) - 4, day(6) - 4)
    assert station.named is not None


def test_an_instant_with_an_offset_is_that_instant():
    utc = dt.datetime(2024, 1, 10, tzinfo=dt.UTC)
    plan = plan_with(im.AddLanes(at="checkpoints.samur_az.exit.documents", lanes=1, from_=utc))
    assert element(plan, "samur_az.exit.documents").lanes.from_h.tolist() == [0, day(10)]


def test_reserved_lanes_stay_reserved_while_the_stage_is_closed():
    tables = {
        NIGHT + "reserved": {"perishable": {"lanes": 2}, "transit": {"lanes": 3}},
        NIGHT + "lanes": 6,
        NIGHT + "opening_hours": ["08:00-20:00"],
    }
    station = element(plan_with(**tables), "samur_az.exit.documents")
    first, second = station.reserved
    assert (first.lanes.at(day(3, 10)), second.lanes.at(day(3, 10))) == (2, 3)
    assert (first.lanes.at(day(3, 0)), second.lanes.at(day(3, 0))) == (2, 3)
    assert station.lanes.at(day(3, 0)) == 0


def test_staff_pools_that_are_used_are_in_the_plan():
    plan = plan_with(
        staff_pools={"customs": {"members": 6}, "spare": {"members": 1}},
        **{NIGHT + "staff_pool": "customs"},
    )
    assert [(one.id, one.members.at(0)) for one in plan.staff_pools] == [("customs", 6)]
    assert element(plan, "samur_az.exit.documents").staff_pool == "customs"
    more = plan_with(
        im.AddLanes(at="staff_pools.customs", lanes=2),
        staff_pools={"customs": {"members": 6}},
        **{NIGHT + "staff_pool": "customs"},
    )
    assert more.staff_pools[0].members.at(0) == 8


# ---------------------------------------------------------------- shared lanes, cycles


SHARED = {NIGHT + "shared": True}


def test_shared_lanes_are_one_station_and_make_the_plan_cyclic():
    plan = plan_with(**SHARED)
    station = element(plan, "samur_az.shared.documents")
    assert station.direction == "both"
    assert "samur_az.shared.documents" in path_of(plan, "north")
    assert "samur_az.shared.documents" in path_of(plan, "south")
    assert not plan.cyclic  # two directions of one station alone do not close a ring
    ring = {**SHARED, "checkpoints__samur_ru__entry__documents__shared": True}
    assert plan_with(**ring).cyclic


def test_a_plan_with_a_ring_keeps_an_element_that_stands_alone():
    """A flow whose way is one element has nothing before it and nothing after it."""
    alone = {"kind": "sea", "from": "baku", "to": "rasht", "length_km": 300, "speed_kmh": 20}
    flow = {"origin": "baku", "destination": "rasht", "per_day": 1.0, "route": ["alone"]}
    plan = plan_with(**RING, legs__alone=alone, flows__alone=flow)
    assert plan.cyclic
    assert "leg:alone>" in {one.id for one in plan.elements}


def test_lanes_added_in_either_direction_are_lanes_of_both():
    for way in ("exit", "entry"):
        plan = plan_with(im.AddLanes(at=f"checkpoints.samur_az.{way}.documents", lanes=2), **SHARED)
        assert element(plan, "samur_az.shared.documents").lanes.at(0) == 6


RING = {**SHARED, "checkpoints__samur_ru__entry__documents__shared": True}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({NIGHT + "service": law(0.0)}, "may take no time inside the cycle"),
        (
            {NIGHT + "service": {"kind": "mixture", "weights": [0.5, 0.5], "laws": [law(0.0), law(1.0)]}},
            "may take no time inside the cycle",
        ),
        ({NIGHT + "yard": 3, "checkpoints__samur_az__entry__documents__yard": 3}, "may block itself"),
    ],
)
def test_what_could_go_on_for_ever_in_a_cycle_is_refused(tables, message):
    with pytest.raises(ScenarioError, match=message):
        plan_with(**RING, **tables)
    quiet = {path: value for path, value in tables.items() if path.startswith(NIGHT + "service")}
    if quiet:
        plan_with(**quiet)


# ---------------------------------------------------------------- demand


def test_the_rate_is_the_volume_of_the_flow():
    assert flow(plan_with(), "north").arrivals.rate.at(0) == 4.0
    tonnes = plan_with(
        flows__north={"origin": "baku", "destination": "moscow", "tonnes_per_year": 7305e2, "load_t": 20}
    )
    assert flow(tonnes, "north").arrivals.rate.at(0) * 24 == pytest.approx(100)


def test_a_profile_moves_arrivals_and_keeps_their_number():
    hours = [1.0] * 8 + [2.0] * 12 + [1.0] * 4
    tables = {"profiles": {"p": {"hour": hours, "weekday": [1, 1, 1, 1, 1, 0, 0]}}, "flows__north__profile": "p"}
    rate = flow(plan_with(**tables), "north").arrivals.rate
    assert rate.integral(28 * 24 - 4, 7 * 24 - 4) == pytest.approx(21 * 96)
    # Local time is that of the first post, four hours ahead.
    assert rate.at(day(3, 4.5)) == pytest.approx(2 * rate.at(day(3, 3.5)))
    assert rate.at(day(6, 10)) == 0


def test_a_month_profile_is_read_by_the_local_date():
    tables = {"profiles": {"p": {"month": [2.0] + [1.0] * 11, "utc_offset_h": 0.0}}, "flows__north__profile": "p"}
    rate = flow(plan_with(run__horizon_days=40, **tables), "north").arrivals.rate
    assert rate.at(day(31, 23.5)) == pytest.approx(2 * rate.at(day(32, 0.5)))


def test_growth_compounds_from_its_date():
    tables = {"flows__north__growth_per_year": 0.05, "flows__north__growth_from": dt.date(2022, 1, 1)}
    rate = flow(plan_with(**tables), "north").arrivals.rate
    assert rate.at(12) == pytest.approx(4.0 * 1.05 ** (((24 * 730) + 12) / 8766))
    assert rate.at(day(28)) > rate.at(0)


def test_flow_labels_reach_the_plan():
    north = flow(plan_with(), "north")
    assert (north.origin, north.destination, north.cargo_class, north.load_t) == ("baku", "moscow", "loaded", 20)


# ---------------------------------------------------------------- routes and shares


def test_shares_over_crossings_are_variants_by_date():
    shares = {
        "start": {"samur": 1.0},
        "later": {"from": dt.date(2024, 1, 10), "samur": 0.6, "khanoba": 0.4},
    }
    plan = plan_with(flows__north__crossing_shares=shares)
    found = {one.id: [one.share.at(day(n, 1)) for n in (9, 10)] for one in flow(plan, "north").variants}
    assert found == {"samur": [1.0, 0.6], "khanoba": [0.0, 0.4]}


def test_shares_over_two_borders_multiply():
    tables = {
        "checkpoints__bilasuvar_ir": {"crossing": "bilasuvar", "country": "IR"},
        "checkpoints__bilasuvar_az": {"crossing": "bilasuvar", "country": "AZ"},
        "legs__b1": {"kind": "road", "from": "rasht", "to": "bilasuvar_ir", "length_km": 250, "speed_kmh": 50},
        "legs__b2": {
            "kind": "road", "from": "bilasuvar_ir", "to": "bilasuvar_az", "length_km": 1, "speed_kmh": 20,
            "border": True,
        },
        "legs__b3": {"kind": "road", "from": "bilasuvar_az", "to": "baku", "length_km": 250, "speed_kmh": 60},
        "flows__transit__crossing_shares": {
            "north": {"samur": 0.75, "khanoba": 0.25},
            "south": {"astara": 0.5, "bilasuvar": 0.5},
        },
    }  # fmt: skip
    variants = flow(plan_with(**tables), "transit").variants
    assert {one.id: one.share.at(0) for one in variants} == {
        "astara+samur": 0.375,
        "bilasuvar+samur": 0.375,
        "astara+khanoba": 0.125,
        "bilasuvar+khanoba": 0.125,
    }


def test_a_route_may_be_a_list_of_legs():
    tables = {"flows__north__route": ["baku_khanoba", "khanoba", "khanoba_moscow"]}
    assert path_of(plan_with(**tables), "north") == [
        "leg:baku_khanoba>",
        "khanoba_az.exit.documents",
        "leg:khanoba<",
        "khanoba_ru.entry.documents",
        "leg:khanoba_moscow>",
    ]


def test_the_cheapest_route_weighs_money_and_time():
    toll = {"legs__samur_moscow__cost_usd_tkm": 0.05}
    assert flow(plan_with(**toll), "north").variants[0].id == "khanoba"  # 20 t pay 1800 dollars more
    assert flow(plan_with(**toll), "fruit").variants[0].id == "samur"  # carries no weight, wants the shorter way
    hurry = {**toll, "flows__north__value_of_time_usd_h": 1e4}
    assert flow(plan_with(**hurry), "north").variants[0].id == "samur"


def test_modes_limit_the_legs_of_a_flow():
    with pytest.raises(ScenarioError, match=r"flows\.east: no path from 'baku' to 'aktau'.*it may use road only"):
        plan_with(flows__east__modes=["road"])


def test_balking_goes_on_by_the_other_crossing_from_where_the_ways_part():
    tables = {
        "flows__north__crossing_shares": {"start": {"samur": 1.0, "khanoba": 0.0}},
        "flows__north__balk": {"crossing": "khanoba", "threshold_h": 12},
    }
    plan = plan_with(**tables)
    one = step(plan, "north", "samur_az.exit.documents")
    assert one.balk.threshold_h == 12
    variant = flow(plan, "north").variants[one.balk.variant]
    assert variant.id == "khanoba instead of samur"
    assert variant.share.at(0) == 0
    met = [plan.elements[step.element].id for step in variant.steps]
    assert met[:3] == ["leg:baku_samur>", "leg:baku_samur<", "leg:baku_khanoba>"]
    assert one.balk.at_step == 1


def test_doubling_a_leg_changes_the_time_of_the_flows_that_use_it_and_no_others():
    base = plan_with()
    longer = plan_with(legs__astara_baku__length_km=600)
    for one in base.flows:
        before, after = journey_h(base, one.id), journey_h(longer, one.id)
        if one.id == "transit":
            assert after == pytest.approx(before + 5.0)
        else:
            assert after == before


def test_without_a_leg_check_names_the_flow_and_both_components():
    text = "\n".join(map(str, check(small(legs__astara_baku=None))))
    assert "flows.transit: no path from 'rasht' to 'moscow'" in text
    assert "'rasht' is joined to {astara_az, astara_ir, rasht}" in text
    assert "'moscow' to {aktau, baku, khanoba_az, khanoba_ru, moscow, port, samur_az, samur_ru}" in text


def test_a_toy_leg_kind_works_with_no_other_change():
    from corridor_sim.model.service_times import Deterministic

    @LEGS.register("airship", **{"from": "a", "to": "b", "length_km": 10.0, "days": 1.0})
    class Airship(Leg):
        days: float

        def travel_problems(self):
            return []

        def travel_law(self):
            return Deterministic(value_h=self.days * 24)

    try:
        leg = {"kind": "airship", "from": "rasht", "to": "moscow", "length_km": 2000, "days": 0.25}
        plan = plan_with(legs__flight=leg)
        assert path_of(plan, "transit") == ["leg:flight>"]
        assert journey_h(plan, "transit") == 6.0
        assert flow(plan, "transit").variants[0].spans[0].mode == "airship"
    finally:
        LEGS.unregister("airship")


# ---------------------------------------------------------------- legs


def test_a_leg_with_limits_is_a_passage():
    closed = {"storm": {"from": dt.date(2024, 1, 5), "until": dt.date(2024, 1, 7)}}
    plan = plan_with(
        legs__samur_moscow={
            **DATA["legs"]["samur_moscow"],
            "max_vehicles": 50,
            "no_overtaking": True,
            "closures": closed,
        }
    )
    passage = element(plan, "leg:samur_moscow>")
    assert passage.max_vehicles.at(0) == 50
    assert passage.no_overtaking
    assert [passage.open.at(day(n, 12)) for n in (4, 5, 6, 7)] == [1, 0, 0, 1]


def test_departures_may_be_listed_and_come_in_order():
    table = {"departures": [dt.datetime(2024, 1, 9, 6), dt.date(2024, 1, 3), dt.date(2023, 1, 1)], "places": [5, 7, 9]}
    boat = element(plan_with(legs__ferry__timetable=table), "leg:ferry>")
    assert boat.depart_h.tolist() == [day(3), day(9, 6)]
    assert boat.places.tolist() == [7, 5]


def test_a_boat_may_leave_when_it_is_full():
    boat = element(plan_with(legs__ferry__timetable={"when_full": 40}), "leg:ferry>")
    assert boat.when_full == 40
    assert len(boat.depart_h) == 0


def test_spread_of_speed_keeps_the_mean_time():
    visit = step(plan_with(legs__samur_moscow__speed_cv=0.2), "north", "leg:samur_moscow>")
    assert visit.laws[0][1].mean_h == pytest.approx(30.0)


# ---------------------------------------------------------------- loads


def test_the_load_of_a_post_is_demand_over_capacity():
    found = {one.element: one for one in loads(plan_with())}
    documents = found["samur_az.exit.documents"]
    assert documents.demand_per_day == pytest.approx(96 + 24 + 48)
    assert documents.capacity_per_day == pytest.approx(4 * 24 / 0.1, rel=2e-5)
    assert found["leg:baku_port>"].capacity_per_day == pytest.approx(24)
    assert found["leg:ferry>"].load == pytest.approx(12 / 15, rel=0.05)


def test_overload_is_told_with_the_growth_of_the_queue_and_forbids_a_steady_study():
    tables = {"flows__north__per_day": 2000}
    found = [one for one in check(small(**tables)) if one.path == "checkpoints.samur_ru.entry.documents"]
    assert [one.severity for one in found] == ["warning"]
    assert "the queue grows by about 1572 a day" in found[0].message
    steady = [
        one for one in check(small(run__kind="steady", **tables)) if one.path == "checkpoints.samur_ru.entry.documents"
    ]
    assert [one.severity for one in steady] == ["error"]


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_the_load_of_a_run_that_is_shorter_than_the_way_is_lower_than_that_of_the_demand():
    scenario = small(run__horizon_days=1, run__warm_up_days=0)
    of_demand = {one.element: one.load for one in loads(make_plan(scenario))}
    rows = cs.run(scenario, replications=10, rng=1, workers=1).rows
    counted = {
        label.place: float(values.mean()) for label, values in rows.select("saturation", kind="stage") if not label.of
    }
    both = sorted(id for id in set(counted) & set(of_demand) if np.isfinite(counted[id]))
    assert len(both) > 2
    assert sum(counted[id] for id in both) < 0.8 * sum(of_demand[id] for id in both)


def test_a_used_stage_that_is_never_open_in_the_run_is_refused():
    tables = {NIGHT + "opening_hours": ["Sun 10:00-12:00"], "run__horizon_days": 2, "run__warm_up_days": 0}
    with pytest.raises(ScenarioError, match="never opens within the run, but fruit, north, transit use it"):
        plan_with(**tables)


def test_an_overload_is_told_at_the_path_in_the_file():
    tables = {
        "flows__transit__per_day": 500,
        "flows__east__per_day": 300,
        "checkpoints__astara_ir__acceptance": {"exit": {"per_day": 250}},
        "checkpoints__astara_az__slots": {"entry": {"per_day": 240}},
        "places__port__transfer__cranes__service": law(1.0),
    }
    paths = {one.path for one in check(small(**tables)) if one.message.startswith("load")}
    assert paths >= {
        "checkpoints.astara_ir.acceptance.exit",
        "checkpoints.astara_az.slots.entry",
        "legs.baku_port",
        "legs.ferry",
        "places.port.transfer.cranes",
    }


def test_the_run_reaches_the_plan():
    plan = plan_with(run__cool_down_days=2)
    assert (plan.horizon_h, plan.warm_up_h, plan.counted_until_h) == (672, 168, 624)
    assert plan.start == dt.datetime(2024, 1, 1)
    assert plan.name == "small"


def test_every_instant_is_on_the_clock_grid():
    plan = plan_with(
        im.SlotBooking(at="checkpoints.samur_az.exit", per_day=37),
        **{NIGHT + "lanes_by_hour": {"08:10": 6, "20:20": 5}},
    )
    instants = [element(plan, "samur_az.exit.slots").depart_h, element(plan, "samur_az.exit.documents").lanes.from_h]
    for array in instants:
        assert (array * 2**20 == np.rint(array * 2**20)).all()
