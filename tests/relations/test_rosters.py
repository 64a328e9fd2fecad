"""Rosters by weekday and season against a walk, half an hour at a time, through the standard library's zones (D32)."""

import calendar
import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st
from local_walk import WEEK, ZONES, element, walk
from small_corridor import DATA, law

from corridor_sim.core.local_time import LocalTime
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.timelines import RunClock

MONTHS = calendar.month_abbr[1:]
DAY = dt.timedelta(days=1)
BEGINS = st.sampled_from([0, 30, 90, 360, 480, 720, 1320, 1410])


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def words(days, season, times):
    """An entry as it stands in a file; all seven days and the whole year are left out."""
    weekdays = [] if len(days) == 7 else [",".join(WEEK[day] for day in sorted(days))]
    return " ".join([*([f"{MONTHS[season[0]]}-{MONTHS[season[1]]}"] if season else []), *weekdays, times])


def falls_in(date, days, season):
    months = range(12) if season is None else [(season[0] + k) % 12 for k in range((season[1] - season[0]) % 12 + 1)]
    return date.weekday() in days and date.month - 1 in months


@st.composite
def seasons(draw):
    """None, or two seasons that make up a year."""
    first = draw(st.integers(0, 11))
    last = (first + draw(st.integers(0, 10))) % 12
    return draw(st.sampled_from([[None], [(first, last), ((last + 1) % 12, (first - 1) % 12)]]))


@st.composite
def rosters(draw):
    """Entries (days, season, minute, number): the days of each season are dealt out, each time once."""
    entries = []
    for season in draw(seasons()):
        group = draw(st.lists(st.integers(0, 2), min_size=7, max_size=7))
        for days in ({d for d in range(7) if group[d] == k} for k in set(group)):
            for minute in draw(st.lists(BEGINS, min_size=1, max_size=3, unique=True)):
                entries.append((days, season, minute, draw(st.integers(0, 5))))
    return entries


@st.composite
def hours(draw):
    """Lines (days, season, begin, end); a line whose end is not after its begin runs over midnight."""
    lines = []
    for season in draw(seasons()):
        for _ in range(draw(st.integers(1, 2))):
            begin, end = draw(BEGINS), draw(st.sampled_from([0, 60, 390, 720, 1200, 1440]))
            if begin != end:
                lines.append((draw(st.sets(st.integers(0, 6), min_size=1)), season, begin, end))
    return lines


def number(entries, local):
    """The last number named at or before a local time, on its date or on the days before."""
    for back in range(10):
        date, until = local.date() - back * DAY, 1440 if back else local.hour * 60 + local.minute
        named = [(m, n) for days, season, m, n in entries if falls_in(date, days, season) and m <= until]
        if named:
            return max(named)[1]
    raise AssertionError(local)


def is_open(lines, local):
    """Whether a window that began today or yesterday is open at a local time."""
    minute, today = local.hour * 60 + local.minute, local.date()
    for days, season, begin, end in lines:
        last = end if end > begin else end + 1440
        if falls_in(today, days, season) and begin <= minute < last:
            return True
        if falls_in(today - DAY, days, season) and minute + 1440 < last:
            return True
    return False


RUNS = st.tuples(st.sampled_from(ZONES), st.integers(0, 700), st.integers(1, 120))


@settings(max_examples=60)
@given(RUNS, rosters())
def test_a_roster_is_as_walked_whatever_its_days_and_seasons(run, entries):
    (zone, first), later, days = run
    start = first + later * DAY
    table = {words(named, season, clock(minute)): value for named, season, minute, value in entries}
    run_clock = RunClock(dt.datetime.combine(start, dt.time()), days * 24.0)
    found = run_clock.roster(table, run_clock.observed(LocalTime(zone)))
    wrong = [(h, local, table) for h, local in walk(zone, start, days) if found.at(h) != number(entries, local)]
    assert wrong == []


@settings(max_examples=60)
@given(RUNS, hours())
def test_opening_hours_are_as_walked_whatever_their_days_and_seasons(run, lines):
    (zone, first), later, days = run
    start = first + later * DAY
    texts = [words(named, season, f"{clock(begin)}-{clock(end)}") for named, season, begin, end in lines]
    run_clock = RunClock(dt.datetime.combine(start, dt.time()), days * 24.0)
    found = run_clock.open_hours(texts, run_clock.observed(LocalTime(zone)))
    wrong = [(h, local, texts) for h, local in walk(zone, start, days) if found.at(h) != is_open(lines, local)]
    assert wrong == []


def plan_with(stage, days=14, pools=None, **more):
    data = {**DATA, "run": {"start": dt.date(2024, 3, 25), "horizon_days": days, "replications": 1, "seed": 1}}
    gate = {"lanes": 4, "service": law(0.1), **stage}
    post = {"crossing": "astara", "zone": "Asia/Baku", "exit": {"gate": gate}}
    data = {**data, "checkpoints": {**DATA["checkpoints"], "astara_ir": post}, "staff_pools": pools or {}, **more}
    return make_plan(Scenario.model_validate(data))


WEEKLY = {"Mon-Fri 06:00": 4, "Mon-Fri 22:00": 2, "Sat-Sun 00:00": 1}


def test_lanes_by_weekday_hold_from_their_time_until_the_next():
    lanes = element(plan_with({"lanes_by_hour": WEEKLY}), "astara_ir.exit.gate").lanes
    monday = 24 * 7 - 4  # the second Monday of the run, 00:00 in Baku
    assert [lanes.at(monday + h) for h in (-0.5, 0, 5.5, 6, 21.5, 22, 30, 5 * 24 - 0.5, 5 * 24)] == [
        *(1.0, 1.0, 1.0, 4.0, 4.0, 2.0, 4.0, 2.0, 1.0)
    ]


def test_a_staff_pool_has_a_roster_by_weekday_and_season():
    pools = {"crew": {"members": 9, "members_by_hour": {"Apr-Mar 30 Mon-Sun 00:00": 5, "Mar 31 00:00": 3}}}
    pools["crew"]["zone"] = "Asia/Baku"
    plan = plan_with({"staff_pool": "crew"}, pools=pools)
    members = plan.staff_pools[0].members
    assert (members.from_h.tolist(), members.value.tolist()) == ([0.0, 6 * 24 - 4.0, 7 * 24 - 4.0], [5.0, 3.0, 5.0])


def test_an_overnight_opening_belongs_to_the_day_it_begins_on():
    lanes = element(plan_with({"opening_hours": ["Mar Sun 22:00-06:00"]}), "astara_ir.exit.gate").lanes
    # Sunday 31 March is the last of the season: its night runs on into April, and 7 April has none.
    assert lanes.from_h.tolist() == [0.0, 2.0, 6 * 24 + 18.0, 7 * 24 + 2.0]
    assert lanes.value.tolist() == [4.0, 0.0, 4.0, 0.0]


def test_lanes_are_added_to_a_roster_and_its_closed_hours_stay_closed():
    more = {"kind": "add_lanes", "at": "checkpoints.astara_ir.exit.gate", "lanes": 2, "from": dt.date(2024, 4, 1)}
    roster = {"Mon-Fri 06:00": 4, "Mon-Fri 22:00": 2, "Sat-Sun 00:00": 0}
    plan = plan_with({"lanes_by_hour": roster}, improvements={"more": more})
    lanes = element(plan, "astara_ir.exit.gate").lanes
    assert [lanes.at(24 * d + 8) for d in (4, 5, 7, 12)] == [4.0, 0.0, 6.0, 0.0]  # Fri, Sat, Mon, Sat
