"""Calendars on clocks that change: the plan against a walk through the standard library's zones (rule D32)."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_walk import HOUR, WEEK, ZONES, element, walk, zone_of
from small_corridor import DATA, law

from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.local_time import LocalTime, zone_release
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import make_plan


def plan_of(zone, start, days, **stage):
    data = {**DATA, "run": {"start": start, "horizon_days": days, "replications": 1, "seed": 1}}
    post = {
        "crossing": "astara",
        "country": "IR",
        "zone": zone,
        "exit": {"gate": {"lanes": 3, "service": law(0.1), **stage}},
        "acceptance": {"exit": {"per_day": 250}},
        "slots": {"exit": {"per_day": 24, "every_h": 2}},
    }
    profile = {
        "hour": [float(h + 1) for h in range(24)],
        "weekday": [1.0, 1, 1, 1, 2, 1, 1],
        "month": [1.0] * 11 + [3.0],
    }
    data = {
        **data,
        "checkpoints": {**DATA["checkpoints"], "astara_ir": post},
        "profiles": {"p": profile},
        "flows": {**DATA["flows"], "transit": {**DATA["flows"]["transit"], "profile": "p"}},
    }
    return make_plan(Scenario.model_validate(data))


@pytest.mark.parametrize(("zone", "start"), ZONES)
def test_opening_hours_and_lanes_hold_by_what_the_clock_shows(zone, start):
    hours = ["Mon-Fri 00:30-22:30", "Sat 23:00-02:30"]
    plan = plan_of(zone, start, 730, opening_hours=hours, lanes_by_hour={"00:00": 2, "01:30": 4, "23:30": 1})
    lanes = element(plan, "astara_ir.exit.gate").lanes
    wrong = []
    for hour, local in walk(zone, start, 730):
        minute, day = local.hour * 60 + local.minute, WEEK[local.weekday()]
        is_open = (
            (day not in ("Sat", "Sun") and 30 <= minute < 22 * 60 + 30)
            or (day == "Sat" and minute >= 23 * 60)
            or (day == "Sun" and minute < 150)
        )
        expected = is_open * (2 if minute < 90 else 4 if minute < 23 * 60 + 30 else 1)
        if lanes.at(hour) != expected:
            wrong.append((hour, local, lanes.at(hour), expected))
    assert wrong == []


@pytest.mark.parametrize(("zone", "start"), ZONES)
def test_a_profile_is_read_at_the_local_hour_weekday_and_month(zone, start):
    plan = plan_of(zone, start, 400)
    rate = next(flow for flow in plan.flows if flow.id == "transit").arrivals.rate
    usual = 48 / 24 / 12.5 / (8 / 7) / (14 / 12)
    seen = {
        hour: usual * (local.hour + 1) * (2 if local.weekday() == 4 else 1) * (3 if local.month == 12 else 1)
        for hour, local in walk(zone, start, 400)
    }
    assert rate(list(seen)) == pytest.approx(list(seen.values()), rel=1e-12)


@pytest.mark.parametrize(("zone", "start"), ZONES)
def test_a_quota_begins_anew_when_the_clock_first_shows_the_date(zone, start):
    quota = element(plan_of(zone, start, 730), "astara_ir.exit.acceptance")
    first, seen = {}, walk(zone, start, 730, minutes=1 if zone == "Africa/Cairo" else 5)
    for hour, local in seen:
        first.setdefault(local.date(), hour)
    starts = list(first.values())[1:]
    assert quota.day_start_h[quota.day_start_h > 0][: len(starts)] == pytest.approx(starts, abs=1e-6)


def test_tehran_has_a_day_of_23_and_a_day_of_25_hours_in_2022():
    quota = element(plan_of("Asia/Tehran", dt.date(2022, 3, 20), 200), "astara_ir.exit.acceptance")
    days = {
        (dt.datetime(2022, 3, 20) + begin * HOUR).strftime("%m-%d %H:%M"): end - begin
        for begin, end in zip(quota.day_start_h, quota.day_start_h[1:], strict=False)
    }
    assert days["03-20 20:30"] == 24  # 21 March, midnight is 20:30 UTC
    assert days["03-21 20:30"] == 23  # 22 March begins at 01:00, which is 20:30 UTC
    assert days["03-22 19:30"] == 24
    assert days["09-20 19:30"] == 25  # 21 September
    assert set(days.values()) == {23.0, 24.0, 25.0}
    assert sorted(days.values()) == [23.0, *[24.0] * (len(days) - 2), 25.0]


def test_slots_keep_their_local_times_and_none_is_lost():
    slots = element(plan_of("Asia/Tehran", dt.date(2022, 3, 20), 200), "astara_ir.exit.slots")
    begin = dt.datetime(2022, 3, 20, tzinfo=dt.UTC)
    local = [(begin + hour * HOUR).astimezone(zone_of("Asia/Tehran")) for hour in slots.depart_h]
    by_date = {}
    for at, places in zip(local, slots.places, strict=True):
        by_date.setdefault(at.date(), []).append((at.strftime("%H:%M"), int(places)))
    usual = [(f"{hour:02}:00", 2) for hour in range(0, 24, 2)]
    assert by_date[dt.date(2022, 3, 21)] == usual
    assert by_date[dt.date(2022, 3, 22)] == [("01:00", 2), *usual[1:]]  # 00:00 does not exist: at the change
    assert by_date[dt.date(2022, 9, 21)] == by_date[dt.date(2022, 9, 22)] == usual
    assert {sum(places for _, places in of) for of in list(by_date.values())[1:-1]} == {24}


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("Asia/Tehran", "2022-03-22 00:30", "2022-03-21 20:30"),  # does not exist: the instant of the change
        ("Asia/Tehran", "2022-03-22 00:00", "2022-03-21 20:30"),
        ("Asia/Tehran", "2022-03-22 01:00", "2022-03-21 20:30"),
        ("Asia/Tehran", "2022-09-21 23:30", "2022-09-21 19:00"),  # comes twice: the first
        ("Asia/Tehran", "2022-09-22 00:00", "2022-09-21 20:30"),
        ("Europe/Kyiv", "2024-03-31 03:30", "2024-03-31 01:00"),
        ("Europe/Kyiv", "2024-10-27 03:30", "2024-10-27 00:30"),
        ("Australia/Lord_Howe", "2024-10-06 02:15", "2024-10-05 15:30"),
        ("Asia/Baku", "2026-03-09 10:00", "2026-03-09 06:00"),
    ],
)
def test_local_times_that_do_not_exist_or_come_twice(zone, local, utc):
    assert LocalTime(zone).utc(dt.datetime.fromisoformat(local)) == dt.datetime.fromisoformat(utc)


def test_a_date_in_a_file_is_local_and_one_with_an_offset_is_not():
    works = {"kind": "closure", "at": "checkpoints.astara_ir", "status": "assumed", "source": "test"}

    def closed_from(instant):
        data = {**DATA, "improvements": {"works": {**works, "from": instant}}}
        data["run"] = {**DATA["run"], "start": dt.date(2022, 3, 20), "horizon_days": 14}
        data["checkpoints"] = {**DATA["checkpoints"]}
        data["checkpoints"]["astara_ir"] = {**DATA["checkpoints"]["astara_ir"], "zone": "Asia/Tehran"}
        lanes = element(make_plan(Scenario.model_validate(data)), "astara_ir.exit.gate").lanes
        return lanes.from_h[1]

    assert closed_from(dt.datetime(2022, 3, 22)) == 44.5
    assert closed_from(dt.datetime(2022, 3, 24)) == 91.5  # +04:30 by then
    assert closed_from(dt.datetime.fromisoformat("2022-03-24T00:00:00+03:30")) == 92.5


def test_an_unknown_zone_is_refused_with_the_nearest_name():
    data = {**DATA, "places": {**DATA["places"], "baku": {"country": "AZ", "zone": "Asia/Bakku"}}}
    with pytest.raises(ScenarioError, match=r"places\.baku\.zone.*is no IANA time zone.*Asia/Baku"):
        Scenario.model_validate(data)


def test_a_place_has_one_clock():
    data = {**DATA, "places": {**DATA["places"], "baku": {"zone": "Asia/Baku", "utc_offset_h": 4}}}
    with pytest.raises(ScenarioError, match="does not go with a `zone`"):
        Scenario.model_validate(data)


def test_the_release_of_the_zones_is_known():
    assert zone_release()[:2] == "20"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([zone for zone, _ in ZONES]),
    st.dates(dt.date(2017, 1, 1), dt.date(2027, 1, 1)),
    st.floats(0, 2000),
)
def test_days_of_reports_are_local_days(zone, start, hour):
    pieces = LocalTime(zone).pieces(dt.datetime.combine(start, dt.time()), 2000.0)
    begin = dt.datetime.combine(start, dt.time(), dt.UTC)
    offset = begin.astimezone(zone_of(zone)).utcoffset() / HOUR
    first = begin.astimezone(zone_of(zone)).date()
    day_h = 24.0 * (offset // 24.0)
    kept = [piece for k, piece in enumerate(pieces) if k + 1 == len(pieces) or pieces[k + 1][0] > 0]
    clock = PostClock(tuple((from_h, shift - day_h) for from_h, shift in kept))
    hour = round(hour, 3)
    local = (begin + dt.timedelta(hours=hour, milliseconds=1)).astimezone(zone_of(zone))
    day = int(clock.day_of(hour + 1 / 3.6e6))
    assert day == (local.date() - first).days
    assert clock.begins_h(day) <= hour + 1e-6 < clock.begins_h(day + 1) + 1e-5
    assert np.floor(clock.shown_h(hour + 1 / 3.6e6)) % 24 == local.hour
