"""The pieces of the model: calendars, posts, legs, flows, run settings, ids, sources of figures."""

import datetime as dt
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from small_corridor import law, small

from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.local_time import LocalTime
from corridor_sim.model import calendars
from corridor_sim.model.channels import Channels
from corridor_sim.model.checkpoints import Checkpoint
from corridor_sim.model.flows import CrossingShares, Flow, Profile
from corridor_sim.model.ids import alike, id_fault
from corridor_sim.model.legs import LEGS, Road, Timetable
from corridor_sim.model.provenance import figures_of
from corridor_sim.model.scenario import RunSettings
from corridor_sim.model.stages import Stage

# ---------------------------------------------------------------- calendars


@pytest.mark.parametrize(
    ("line", "windows"),
    [
        ("Mon 08:00-20:00", [(8, 20)]),
        ("Mon-Wed 00:00-24:00", [(0, 24), (24, 48), (48, 72)]),
        ("Fri-Mon 10:00-11:00", [(106, 107), (130, 131), (154, 155), (10, 11)]),
        ("Sun 22:00-06:00", [(166, 174)]),
        ("Tue,Thu 06:30-07:00", [(30.5, 31), (78.5, 79)]),
    ],
)
def test_opening_hours_are_read(line, windows):
    assert calendars.window_of(line) == windows


def test_hours_without_a_weekday_hold_every_day():
    assert len(calendars.window_of("08:00-20:00")) == 7


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("25:00-26:00", "is not a time of day"),
        ("24:00-06:00", "is not a time of day"),
        ("7:5-08:00", "is not a time of day"),
        ("8am-20:00", "is not a time of day"),
        ("08:00-08:00", "empty, or 24 hours"),
        ("Mo 08:00-20:00", "is not a weekday.*did you mean 'Mon'"),
        ("7 08:00-20:00", "is not a weekday"),
        ("monday 08:00-20:00", "is not a weekday"),
        ("Mon  08:00-20:00", "cannot be read"),
        ("Mon 08:00", "cannot be read"),
        ("Apr 31-Sep 08:00-20:00", r"is no date \(allowed: Apr 1 to Apr 30\)"),
        ("Apr-Sept 08:00-20:00", "is neither a weekday nor a season.*did you mean 'Sep'"),
        ("april-Sep 08:00-20:00", "'april'.*did you mean 'Apr'"),
        ("Apl-Sep Mon 08:00-20:00", "is neither a weekday nor a season.*did you mean 'Apr'"),
        ("Mon Apr-Sep 08:00-20:00", "is neither a weekday nor a season"),
        ("Apr-Sep Mo 08:00-20:00", "is not a weekday.*did you mean 'Mon'"),
        ("", "cannot be read"),
    ],
)
def test_opening_hours_that_cannot_be_read_are_refused(line, message):
    with pytest.raises(ScenarioError, match=message):
        Stage(lanes=1, service=law(0.1), opening_hours=[line])


def test_windows_that_overlap_are_one():
    lines = ["Mon 08:00-12:00", "Mon 10:00-14:00"]
    assert calendars.open_h_per_week(lines) == 6
    assert calendars.open_h_per_week(None) == 168


def test_lanes_by_hour_hold_over_midnight():
    cycle, length_h = calendars.lanes_of_cycle(None, {"20:00": 5, "08:00": 6})
    assert (cycle[:4], length_h) == ([(0.0, 5.0), (8.0, 6.0), (20.0, 5.0), (32.0, 6.0)], 168)
    with pytest.raises(ScenarioError, match="is not a time of day"):
        Stage(lanes=1, service=law(0.1), lanes_by_hour={"8": 3})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"Mon-Fri 06:00": 4}, r"lanes_by_hour: names no number on Sat, Sun; .*'Sat,Sun 00:00' = 0"),
        ({"Apr-Sep 06:00": 4}, "names no number on Mon, Tue, Wed, Thu, Fri, Sat, Sun all year: none from Jan 1 on"),
        ({"Apr-Sep 06:00": 4, "Oct-Mar 30 06:00": 3}, "all year: none from Mar 31 on"),
        (
            {"Mon-Fri 06:00": 4, "06:00": 2},
            r"lanes_by_hour.06:00: names a time that 'Mon-Fri 06:00' names too: Mon, Tue, Wed",
        ),
        ({"Apr-Sep 06:00": 4, "Sep-Apr 06:00": 2}, "names a time that 'Apr-Sep 06:00' names too"),
        ({"Mo-Fri 06:00": 4}, "is not a weekday.*did you mean 'Mon'"),
        ({"Mon-Fri 24:00": 4, "Sat,Sun 00:00": 1}, "is not a time of day"),
        ({"Mon-Fri": 4, "Sat,Sun 00:00": 1}, "is not a time of day"),
        ({"Mon-Fri 06:00-22:00": 4}, r"is no time of a roster \(allowed: as in '06:00', 'Mon-Fri 06:00'"),
        ({"Mon-Fri  06:00": 4, "Sat,Sun 00:00": 1}, "is no time of a roster"),
        ({f"{n // 60:02}:{n % 60:02}": 1 for n in range(101)}, "has 101 times; at most 100 are read"),
    ],
)
def test_rosters_with_gaps_overlaps_and_unknown_days_are_refused(table, message):
    with pytest.raises(ScenarioError, match=message):
        Stage(lanes=1, service=law(0.1), lanes_by_hour=table)


def test_a_roster_and_seasons_give_the_mean_of_the_year_to_trucks_a_day():
    week = {"Mon-Fri 06:00": 4, "Mon-Fri 22:00": 2, "Sat,Sun 00:00": 1}
    stage = Stage(lanes=4, trucks_per_day=100.0, lanes_by_hour=week)
    # From Monday 22:00 on two, until six; Monday 00:00 to 06:00 has the one of Sunday.
    assert stage.lane_h_per_day * 7 == 5 * 16 * 4 + (4 * 8 + 2) * 2 + (48 + 6) * 1
    summer = Stage(lanes=2, service=law(0.1), opening_hours=["Apr-Sep 06:00-22:00", "Oct-Mar 08:00-20:00"])
    days = 365.25  # of which 183 lie in April to September
    assert summer.lane_h_per_day == pytest.approx(2 * (16 * 183 + 12 * (days - 183)) / days, rel=1e-12)
    assert calendars.overlapping(["Apr-Sep 06:00-22:00", "Oct-Mar 08:00-20:00"]) == []
    assert len(calendars.overlapping(["Apr-Sep 06:00-22:00", "Sep 15-Mar 08:00-20:00"])) == 1
    assert calendars.overlapping(["Sun 22:00-06:00", "Mon 05:00-12:00"]) == [("Sun 22:00-06:00", "Mon 05:00-12:00")]


def test_hours_after_a_start_are_local_unless_the_instant_has_an_offset():
    start, noon = dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2, 12)
    assert calendars.hours_after(noon, start) == 36
    assert calendars.hours_after(noon, start, LocalTime(utc_offset_h=4.0)) == 32
    assert calendars.hours_after(noon.replace(tzinfo=dt.UTC), start, LocalTime(utc_offset_h=4.0)) == 36
    tehran = dt.timezone(dt.timedelta(hours=3.5))
    assert calendars.hours_after(noon.replace(tzinfo=tehran), start, LocalTime(utc_offset_h=4.0)) == 32.5


# ---------------------------------------------------------------- stages and posts


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lanes": 1}, "service: is required"),
        ({"lanes": "unlimited", "service": law(1.0), "yard": 3}, "yard = 3: needs a number of lanes"),
        ({"lanes": "unlimited", "trucks_per_day": 3.0}, "trucks_per_day: needs a number of lanes"),
        ({"lanes": 0, "trucks_per_day": 3.0}, "needs lanes >= 1"),
        ({"lanes": 1, "service": law(1.0), "discipline": "priority"}, "priority: is required"),
        ({"lanes": 1, "service": law(1.0), "priority": ["a"]}, 'needs discipline = "priority"'),
        ({"lanes": 1, "service": law(1.0), "discipline": "priority", "priority": ["a", "a"]}, "is listed twice"),
        ({"lanes": 1, "service": law(1.0), "reserved": {"a": {"lanes": 2}}}, "keeps 2 lanes, the stage has 1"),
        ({"lanes": 1, "service": law(1.0), "opening_hours": []}, "at least one window"),
        ({"lanes": 1, "service": law(1.0), "closing": "finnish"}, "did you mean 'finish'"),
        (
            {"lanes": 1, "service": law(1.0), "outages": {"x": {"from": "2024-01-02", "until": "2024-01-01"}}},
            r"outages\.x\.until .*must be later than from",
        ),
        (
            {"lanes": 1, "service": law(1.0), "outages": {"x": {"from": "2024-01-01T00:00Z", "until": "2024-01-02"}}},
            "must have an offset from UTC if the other",
        ),
    ],
)
def test_a_stage_must_fit_together(values, message):
    with pytest.raises(ScenarioError, match=message):
        Stage(**values)


def test_shares_of_channels_sum_to_one():
    with pytest.raises(ScenarioError, match=r"must sum to 1, they sum to 0\.98"):
        Channels(green=0.8, yellow=0.15, red=0.03)
    with pytest.raises(ScenarioError, match=r"by_class\.fruit: the shares must sum to 1, they sum to 1\.02"):
        Channels(green=0.8, red=0.2, by_class={"fruit": {"green": 1.0, "red": 0.02}})
    with pytest.raises(ScenarioError, match="must name the same channels in the same order"):
        Channels(green=0.8, red=0.2, by_class={"fruit": {"green": 1.0}})
    channels = Channels(green=0.8, yellow=0.15, red=0.05, status="assumed")
    assert channels.to_data() == {"green": 0.8, "yellow": 0.15, "red": 0.05, "status": "assumed"}
    assert Channels.model_validate(channels.to_data()) == channels


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"exit": {"a": {"lanes": 1, "service": law(1.0), "channels": ["red"]}}},
            "needs the channels of this direction",
        ),
        (
            {
                "channels": {"exit": {"green": 0.5, "red": 0.5}},
                "exit": {"a": {"lanes": 1, "service": law(1.0), "channels": ["rde"]}},
            },
            "did you mean 'red'",
        ),
        (
            {
                "channels": {"exit": {"green": 0.5, "yellow": 0.25, "red": 0.25}},
                "exit": {"a": {"lanes": 1, "service": law(1.0), "channels": ["green", "red"]}},
            },
            "must be channels that follow each other",
        ),
        ({"acceptance": {"exti": {"per_day": 3}}}, "did you mean 'exit'"),
        ({"exit": {"a": {"lanes": 1, "service": law(1.0), "shared": True}}}, "must exist in both directions"),
        (
            {
                "exit": {"a": {"lanes": 1, "service": law(1.0), "shared": True}},
                "entry": {"a": {"lanes": 2, "service": law(1.0)}},
            },
            r"exit\.a\.lanes: must equal entry\.a\.lanes",
        ),
        ({"exit": {"slots": {"lanes": 1, "service": law(1.0)}}}, "choose another id"),
        ({"exit": {"a.b": {"lanes": 1, "service": law(1.0)}}}, "must not hold a dot"),
    ],
)
def test_a_post_must_fit_together(values, message):
    with pytest.raises(ScenarioError, match=message):
        Checkpoint(crossing="c", **values)


# ---------------------------------------------------------------- legs


ROAD = {"from": "a", "to": "b", "length_km": 120.0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "speed_kmh: is required"),
        ({"speed_kmh": 0}, "must be a number > 0"),
        ({"speed_kmh": 60, "travel": law(1.0)}, "gives the travel time twice"),
        ({"travel": law(1.0), "speed_cv": 0.1}, "has no meaning with travel"),
        ({"speed_kmh": 60, "to": "a"}, "must be another node than from"),
        ({"speed_kmh": 60, "headway_h": 1.0, "paths_per_day": 24.0}, "says the same as paths_per_day"),
        ({"speed_kmh": 60, "headway_h": 0.0}, "must be a number > 0"),
        ({"speed_kmh": 60, "headway_h": 1.0, "timetable": {"when_full": 3}}, "on a leg with a timetable"),
        ({"speed_kmh": 60, "timetable": {"every_h": 3}}, "places: is required"),
        (
            {"speed_kmh": 60, "timetable": {"every_h": 3, "places": 0}},
            "timetable.places = 0: must be a whole number >= 1, or a list",
        ),
        ({"speed_kmh": 60, "timetable": {"places": 3}}, "needs exactly one of every_h"),
        ({"speed_kmh": 60, "timetable": {"when_full": 3, "cancel": 0.1}}, "has no meaning with when_full"),
        (
            {"speed_kmh": 60, "timetable": {"departures": ["2024-01-01"], "places": [1, 2]}},
            "one for each of the 1 departures",
        ),
    ],
)
def test_a_leg_must_fit_together(values, message):
    with pytest.raises(ScenarioError, match=message):
        Road(**{**ROAD, **values})


def test_travel_time_is_length_over_speed():
    assert Road(**ROAD, speed_kmh=60).mean_travel_h == 2.0
    assert Road(**ROAD, speed_kmh=60, speed_cv=0.3).mean_travel_h == pytest.approx(2.0)
    assert Road(**{**ROAD, "length_km": 0}, speed_kmh=60, speed_cv=0.3).mean_travel_h == 0.0
    assert Road(**ROAD, travel=law(3.0)).mean_speed_kmh == 40.0
    assert Road(**ROAD, speed_kmh=60, paths_per_day=12).entry_headway_h == 2.0


def test_the_mean_wait_for_a_timetable_is_half_the_interval():
    assert Timetable(every_h=48, places=1).mean_wait_h == 24
    dates = [dt.date(2024, 1, day) for day in (1, 3, 7)]
    assert Timetable(departures=dates, places=1).mean_wait_h == 36


@pytest.mark.parametrize("kind", list(LEGS))
def test_an_example_of_every_leg_type_can_be_made_and_written_back(kind):
    leg = LEGS[kind](**LEGS.example(kind))
    data = leg.to_data()
    assert data.pop("kind") == leg.mode == kind
    assert type(leg)(**data) == leg


# ---------------------------------------------------------------- flows


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hour": [1.0] * 25}, "must have 24 values, got 25"),
        ({"hour": [1.0] * 23}, "must have 24 values, got 23"),
        ({"weekday": [0.0] * 7}, "must not all be 0"),
        ({"month": [-1.0] + [1.0] * 11}, "month.0 = -1.0: must be a number >= 0"),
    ],
)
def test_a_profile_has_the_right_number_of_weights(values, message):
    with pytest.raises(ScenarioError, match=message):
        Profile(**values)


def test_a_profile_is_normalised_to_mean_one():
    profile = Profile(hour=[1.0] * 12 + [3.0] * 12, weekday=[2, 2, 2, 2, 2, 0, 4])
    assert profile.weight(0, 0, 1) == pytest.approx(0.5)
    assert profile.weight(13, 6, 7) == pytest.approx(1.5 * 2)
    total = sum(profile.weight(hour, weekday, 1) for hour in range(24) for weekday in range(7))
    assert total / 168 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"per_day": -1.0}, "must be a number >= 0"),
        ({"per_day": 1.0, "tonnes_per_year": 2.0}, "gives the volume twice"),
        ({"tonnes_per_year": 2.0}, "load_t = 0.0: must be > 0"),
        ({"destination": "a"}, "must be another node than origin"),
        ({"route": "shortest"}, "must be 'cheapest' or a list of leg ids"),
        ({"route": []}, "must name at least one leg"),
        ({"route": ["x"], "crossing_shares": {"start": {"c": 1.0}}}, "cannot be given together"),
        ({"arrivals": {"kind": "poison"}}, "did you mean 'poisson'"),
    ],
)
def test_a_flow_must_fit_together(values, message):
    with pytest.raises(ScenarioError, match=message):
        Flow(**{"origin": "a", "destination": "b", **values})


@pytest.mark.parametrize("total", [0.98, 1.02])
def test_shares_over_crossings_sum_to_one(total):
    with pytest.raises(ScenarioError, match=f"must sum to 1, they sum to {total:g}"):
        CrossingShares(one=total - 0.5, two=0.5)
    CrossingShares(one=1 / 3, two=1 / 3, three=1 / 3)


def test_shares_over_crossings_are_written_back_as_in_a_file():
    shares = CrossingShares.model_validate({"from": dt.date(2023, 3, 17), "samur": 0.6, "khanoba": 0.4})
    assert shares.to_data() == {"from": dt.date(2023, 3, 17), "samur": 0.6, "khanoba": 0.4}
    assert CrossingShares.model_validate(shares.to_data()) == shares


# ---------------------------------------------------------------- run settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "horizon_days: is required"),
        ({"horizon_days": 3, "horizon_h": 72}, "gives the length twice"),
        ({"horizon_h": 72, "warm_up_h": 72}, "must be shorter than the horizon"),
        ({"horizon_h": 72, "warm_up_h": -1}, "must be a number >= 0"),
        ({"horizon_h": 72, "warm_up_h": 40, "cool_down_h": 32}, "must leave time"),
        ({"horizon_h": 72, "replications": 0}, "must be a whole number >= 1"),
        ({"horizon_h": 72, "seed": -1}, "must be a whole number >= 0"),
        ({"horizon_h": 72, "seed": 1.5}, "must be a whole number >= 0"),
        ({"horizon_h": 72, "seed": "abc"}, "must be a whole number >= 0"),
        ({"horizon_days": 1e18}, "must be at most"),
        ({"horizon_h": 72, "kind": "steady-state"}, "did you mean 'steady'"),
    ],
)
def test_run_settings_must_fit_together(values, message):
    with pytest.raises(ScenarioError, match=message):
        RunSettings(start="2024-01-01", **values)


def test_large_seeds_are_seeds():
    assert RunSettings(start="2024-01-01", horizon_h=1, seed=2**200).seed == 2**200


def test_the_start_may_have_an_offset():
    run = RunSettings(start="2024-01-01T04:00+04:00", horizon_h=1)
    assert run.start_utc == dt.datetime(2024, 1, 1)


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize("id", ["samur_az", "Грузия", "边境", "🚚", "👩‍🚒", "Café", "lane 2", "a-b"])
def test_ids_in_any_script_are_fine(id):
    assert id_fault(id) == ""


@pytest.mark.parametrize(
    "id",
    [
        *("", " a", "a ", "a/b", "a\\b", "..", "a..b", "a.b", "a\nb", "a\x00", "a" * 101, "CON", "lpt1"),
        "a\u202eb",
        "=1+1",
    ],
)
def test_ids_that_would_harm_as_file_names_or_cells_are_not(id):
    assert id_fault(id)
    with pytest.raises(ScenarioError, match="as an id"):
        small(places={id: {}})


def test_ids_that_look_alike_are_found():
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    assert alike(["a", composed, decomposed, "A", "b"]) == [(composed, decomposed), ("a", "A")]
    with pytest.raises(ScenarioError, match="is the same id as 'Baku' but for case or accents"):
        small(places={"Baku": {}, "baku": {}})


# ---------------------------------------------------------------- where figures come from


def test_a_figure_has_its_own_status_or_that_of_its_table():
    post = Checkpoint(
        crossing="c",
        status="published",
        source="F001",
        acceptance={"exit": {"per_day": 250, "status": "conflicting", "source": "F044"}},
        exit={
            "lanes": {
                "lanes": 5,
                "service": law(0.24),
                "figures": {
                    "lanes": {"status": "derived", "source": "F010", "low": 4, "high": 6, "range_reason": "a lane off"}
                },
            },
            "dwell": {"lanes": "unlimited", "service": law(0.4), "status": "assumed", "note": "national mean"},
        },
    )
    rows = {row.path: row for row in figures_of(post, "checkpoints.x")}
    lanes = rows["checkpoints.x.exit.lanes.lanes"]
    assert (lanes.value, lanes.status, lanes.source, lanes.low, lanes.high) == (5, "derived", "F010", 4, 6)
    service = rows["checkpoints.x.exit.lanes.service.value_h"]
    assert (service.status, service.source) == ("published", "F001")
    dwell = rows["checkpoints.x.exit.dwell.service.value_h"]
    assert (dwell.status, dwell.source, dwell.note) == ("assumed", "", "national mean")
    assert rows["checkpoints.x.acceptance.exit.per_day"].status == "conflicting"
    assert len(rows) == 4
