"""Holidays against a walk, half an hour at a time, through the zones of the standard library and a plain list (D32)."""

import datetime as dt
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_walk import HOUR, WEEK, ZONES, element, walk, zone_of
from small_corridor import DATA, law
from test_rosters import DAY, clock, hours, is_open, rosters, words

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.local_time import LocalTime
from corridor_sim.core.public_holidays import public_holidays
from corridor_sim.model.holidays import HolidayCalendar, KeptHolidays
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import make_plan, with_plan
from corridor_sim.plan.load import check
from corridor_sim.plan.timelines import RunClock


def dates(year, text):
    return [dt.date.fromisoformat(f"{year}-{day}") for day in text.split()]


# Days off by the decrees of Azerbaijan (Novruz, Ramazan and Gurban of these years, days moved) and by the
# official calendars of Iran for 1399 to 1401.
AZ = [
    *dates(2021, "01-01 01-02 01-04 01-20 03-08 03-20 03-21 03-22 03-23 03-24 03-25 03-26 05-09 05-10 05-11 05-12"),
    *dates(2021, "05-13 05-14 05-28 06-15 06-26 06-28 07-19 07-20 07-21 11-08 11-09 12-31"),
    *dates(2022, "01-01 01-02 01-03 01-04 01-20 03-07 03-08 03-20 03-21 03-22 03-23 03-24 03-25 05-02 05-03 05-09"),
    *dates(2022, "05-28 05-30 06-15 06-26 06-27 07-09 07-10 07-11 07-12 11-07 11-08 11-09 12-31"),
]
AZ_WORKED = [*dates(2021, "05-08 05-16 07-17"), *dates(2022, "03-05 11-05")]
IR = [
    *dates(2021, "01-17 02-10 02-25 03-11 03-19 03-20 03-21 03-22 03-23 03-24 03-29 04-01 04-02 05-04 05-13 05-14"),
    *dates(2021, "06-04 06-05 06-06 07-21 07-29 08-18 08-19 09-27 10-05 10-07 10-15 10-24"),
    *dates(2022, "01-06 02-11 02-15 03-01 03-18 03-20 03-21 03-22 03-23 03-24 04-01 04-02 04-23 05-03 05-04 05-27"),
    *dates(2022, "06-04 06-05 07-10 07-18 08-07 08-08 09-17 09-25 09-27 10-05 10-14 12-27"),
]
TABLES = {"AZ": {"dates": AZ, "worked": AZ_WORKED}, "IR": {"dates": IR}}


def astara(start, days, iran=None, azerbaijan=None, calendars=TABLES, **more):
    """Astara with both posts: an office and a gate in Iran, a counter in Azerbaijan; in the clocks of both."""
    office = {"lanes": 4, "service": law(0.1)}
    iran = {"office": office, "gate": {**office, "holiday_hours": "usual"}} if iran is None else iran
    azerbaijan = {"counter": office} if azerbaijan is None else azerbaijan
    posts = {
        "astara_ir": {
            "crossing": "astara",
            "zone": "Asia/Tehran",
            "holidays": ["IR"],
            "exit": iran,
            "acceptance": {"exit": {"per_day": 250}},
        },
        "astara_az": {"crossing": "astara", "zone": "Asia/Baku", "holidays": "AZ", "entry": azerbaijan},
    }
    data = {
        **DATA,
        "run": {"start": start, "horizon_days": days, "replications": 1, "seed": 1},
        "checkpoints": {**DATA["checkpoints"], **posts},
        **more,
    }
    return Scenario.model_validate({**data, "calendars": calendars} if calendars else data)


def test_astara_on_the_holidays_of_both_countries_is_as_walked_in_2021_and_2022():
    roster = {"Sat-Wed 07:00": 4, "Sat-Wed 15:30": 2, "Thu 07:00": 3, "Thu 13:00": 0, "Fri 00:00": 0}
    office = {"lanes": 4, "service": law(0.1), "lanes_by_hour": roster}
    counter = {"lanes": 3, "service": law(0.1), "opening_hours": ["Mon-Fri 09:00-18:00", "Fri 22:00-02:00"]}
    gate = {"lanes": 2, "service": law(0.1), "holiday_hours": "usual"}
    start, days = dt.date(2021, 1, 1), 730
    plan = make_plan(astara(start, days, {"office": office, "gate": gate}, {"counter": counter}))
    office, gate = (element(plan, f"astara_ir.exit.{name}").lanes for name in ("office", "gate"))
    counter = element(plan, "astara_az.entry.counter").lanes
    assert gate.is_constant
    wrong = []
    for hour, local in walk("Asia/Tehran", start, days):
        # What holds is the last entry: Friday's 0 of midnight ends on Saturday at seven.
        minute, day = local.hour * 60 + local.minute, WEEK[local.weekday()]
        lanes = 4 if 420 <= minute < 930 else 2
        lanes = 2 if day in ("Sun", "Mon", "Tue", "Wed") and minute < 420 else lanes
        if day == "Sat" and minute < 420:
            lanes = 0
        if day == "Thu":
            lanes = 2 if minute < 420 else 3 if minute < 780 else 0
        if day == "Fri" or local.date() in IR:
            lanes = 0
        wrong += [(hour, local, office.at(hour), lanes)] if office.at(hour) != lanes else []
    for hour, local in walk("Asia/Baku", start, days):
        minute, today = local.hour * 60 + local.minute, local.date()
        usual = (today.weekday() < 5 or today in AZ_WORKED) and 540 <= minute < 1080
        # Night belongs to the Friday on which it begins, and no worked Saturday is a Friday.
        evening = today.weekday() == 4 and minute >= 1320
        night = today.weekday() == 5 and minute < 120 and today - DAY not in AZ
        lanes = 3 * (night or ((usual or evening) and today not in AZ))
        wrong += [(hour, local, counter.at(hour), lanes)] if counter.at(hour) != lanes else []
    assert wrong == []


def test_the_package_has_these_days():
    pytest.importorskip("holidays")
    for code, days, worked in (("AZ", AZ, AZ_WORKED), ("IR", IR, [])):
        of = [public_holidays(code, year) for year in (2021, 2022)]
        assert [date for one in of for date in one.dates] == days
        assert [date for one in of for date in one.worked] == worked


@pytest.mark.parametrize(("day", "length", "begins"), [("2022-03-22", 23, "01:00"), ("2022-09-21", 25, "00:00")])
@pytest.mark.parametrize("kept", [True, False])
def test_quota_days_of_23_and_25_hours_are_whole_days_or_none(day, length, begins, kept):
    date = dt.date.fromisoformat(day)
    off = {"IR": {"dates": [date] if kept else [date + 2 * DAY]}, "AZ": {"dates": [date + 3 * DAY]}}
    office = {"office": {"lanes": 4, "service": law(0.1)}}
    plan = make_plan(astara(date - 4 * DAY, 10, office, calendars=off))
    quota, lanes = element(plan, "astara_ir.exit.acceptance"), element(plan, "astara_ir.exit.office").lanes
    start = dt.datetime.combine(date - 4 * DAY, dt.time(), dt.UTC)
    begun = [(start + h * HOUR).astimezone(zone_of("Asia/Tehran")) for h in quota.day_start_h.tolist()]
    k = next(k for k, local in enumerate(begun) if local.date() == date)
    assert begun[k].strftime("%H:%M") == begins
    first, last = quota.day_start_h[k : k + 2].tolist()
    assert last - first == length
    assert quota.per_day[k] == (0 if kept else 250)
    assert [quota.per_day[n] for n in (k - 1, k + 1)] == [250, 250]
    assert lanes.integral(last, first) == (0 if kept else 4 * length)
    assert [lanes.at(first - 1e-3), lanes.at(last)] == [4, 4]


# ---------------------------------------------------------------- random rosters, holidays, and what is done on them


def kept_days(first):
    near = st.integers(-3, 130).map(lambda n: first + n * DAY)
    return st.tuples(st.sets(near, max_size=12), st.dictionaries(near, st.integers(0, 6), max_size=6))


@settings(max_examples=80)
@given(st.data(), st.sampled_from(ZONES), st.integers(0, 700), st.integers(1, 120))
def test_hours_and_rosters_with_holidays_are_as_walked(data, place, later, days):
    zone, first = place
    start = first + later * DAY
    off, worked = data.draw(kept_days(start))
    worked = {date: day for date, day in worked.items() if date not in off}
    on = data.draw(st.one_of(st.sampled_from(["closed", "usual", *WEEK]), hours()))
    lines = data.draw(st.one_of(st.none(), hours()))
    entries = data.draw(rosters())
    read = {id(some): [words(d, s, f"{clock(a)}-{clock(b)}") for d, s, a, b in some or ()] for some in (lines, on)
            if isinstance(some, list)}  # fmt: skip
    table = {words(named, season, clock(minute)): value for named, season, minute, value in entries}
    run = RunClock(dt.datetime.combine(start, dt.time()), days * 24.0)
    keeps = KeptHolidays(frozenset(off), tuple(sorted(worked.items())))
    at = run.observed(LocalTime(zone), keeps, read[id(on)] if isinstance(on, list) else on)
    found = run.open_hours(None if lines is None else read[id(lines)], at), run.roster(table, at)

    class Date(dt.date):
        """A date whose weekday is the one that it is worked as."""

        def weekday(self):
            plain = dt.date(self.year, self.month, self.day)
            if plain in off:
                return WEEK.index(on) if isinstance(on, str) and on in WEEK else plain.weekday()
            return worked.get(plain, plain.weekday())

    def lines_of(date):
        usual = [(set(range(7)), None, 0, 1440)] if lines is None else lines
        if date not in off or on == "usual" or on in WEEK:
            return usual
        return [] if on == "closed" else on

    def open_at(local):
        minute, today = local.hour * 60 + local.minute, local.date()
        for date, shift in ((today, 0), (today - DAY, 1440)):
            for named, season, begin, end in lines_of(date):
                last = end if end > begin else end + 1440
                if matches(date, named, season) and begin <= minute + shift < last:
                    return True
        return False

    def matches(date, named, season):
        months = (
            range(12) if season is None else [(season[0] + n) % 12 for n in range((season[1] - season[0]) % 12 + 1)]
        )
        return Date(date.year, date.month, date.day).weekday() in named and date.month - 1 in months

    def number_at(local):
        for back in range(10):
            date, until = local.date() - back * DAY, 1440 if back else local.hour * 60 + local.minute
            begun = [(m, n) for named, season, m, n in entries if m <= until and matches(date, named, season)]
            if begun:
                return max(begun)[1]
        return found[1].at(0.0)  # days worked as others can leave ten of them without an entry

    wrong = [
        (h, local)
        for h, local in walk(zone, start, days)
        if (found[0].at(h), found[1].at(h)) != (open_at(local), number_at(local))
    ]
    assert wrong == []
    if lines is not None and not off and not worked:
        assert all(found[0].at(h) == is_open(lines, local) for h, local in walk(zone, start, days, 240))


# ---------------------------------------------------------------- what holidays do, one by one

NOVRUZ = {"AZ": {"dates": dates(2024, "03-20 03-21 03-22 03-23 03-24")}, "IR": {"dates": dates(2024, "03-20 03-21")}}


def lanes_on(day, **stage):
    """Lanes of a counter in Baku at 02:00, 11:00 and 23:00 of a day in March 2024."""
    counter = {"counter": {"lanes": 4, "service": law(0.1), **stage}}
    lanes = element(make_plan(astara(dt.date(2024, 3, 11), 20, None, counter, NOVRUZ)), "astara_az.entry.counter").lanes
    return [lanes.at((day - 11) * 24 - 4 + hour) for hour in (2, 11, 23)]


@pytest.mark.parametrize(
    ("stage", "before", "holiday"),
    [
        ({}, [4, 4, 4], [0, 0, 0]),
        ({"holiday_hours": "usual"}, [4, 4, 4], [4, 4, 4]),
        ({"holiday_hours": ["10:00-14:00"]}, [4, 4, 4], [0, 4, 0]),
        ({"holiday_hours": "Sun", "opening_hours": ["Mon-Sat 08:00-24:00", "Sun 08:00-12:00"]}, [0, 4, 4], [0, 4, 0]),
        ({"holiday_hours": "Sun", "lanes_by_hour": {"Mon-Sat 06:00": 4, "Sun 06:00": 1}}, [4, 4, 4], [1, 1, 1]),
        ({"holiday_hours": ["10:00-14:00"], "lanes_by_hour": {"06:00": 3, "22:00": 1}}, [1, 3, 1], [0, 3, 0]),
    ],
)
def test_a_holiday_closes_changes_hours_or_is_worked_as_a_weekday(stage, before, holiday):
    assert lanes_on(19, **stage) == before  # a Tuesday
    assert lanes_on(21, **stage) == holiday  # a Thursday


def test_the_night_before_a_holiday_runs_on_into_it():
    assert lanes_on(20, opening_hours=["22:00-06:00"]) == [4, 0, 0]
    assert lanes_on(25, opening_hours=["22:00-06:00"]) == [0, 0, 4]


def test_a_weekend_day_is_worked_as_it_is_given():
    tables = {
        "AZ": {"dates": dates(2024, "04-29"), "worked": {"2024-04-27": "Fri"}},
        "IR": {"dates": dates(2024, "04-29")},
    }
    stage = {"lanes": 4, "service": law(0.1), "opening_hours": ["Mon-Thu 09:00-18:00", "Fri 09:00-13:00"]}
    plan = make_plan(astara(dt.date(2024, 4, 26), 7, None, {"counter": stage}, tables))
    lanes = element(plan, "astara_az.entry.counter").lanes
    open_h = [lanes.integral(24 * day + 20, 24 * day - 4 if day else 0) / 4 for day in range(6)]
    assert open_h == [4, 4, 0, 0, 9, 9]  # Friday, Saturday as a Friday, Sunday, holiday, Tuesday, Wednesday


def test_nothing_added_opens_a_holiday_and_hours_that_are_set_keep_it():
    more = {
        "lanes": {"kind": "add_lanes", "at": "checkpoints.astara_az.entry.counter", "lanes": 2},
        "hours": {"kind": "opening_hours", "at": "checkpoints.astara_az.entry", "opening_hours": ["06:00-22:00"]},
    }
    counter = {"counter": {"lanes": 4, "service": law(0.1)}}
    scenario = astara(dt.date(2024, 3, 11), 20, None, counter, NOVRUZ, improvements=more)
    lanes = element(make_plan(scenario), "astara_az.entry.counter").lanes
    assert [lanes.at(24 * d + 7) for d in (8, 9, 10, 14)] == [6, 0, 0, 6]


def test_a_staff_pool_has_nobody_on_its_holidays_whoever_is_added():
    counter = {"counter": {"lanes": 4, "service": law(0.1), "staff_pool": "crew", "holiday_hours": "usual"}}
    pool = {"members": 6, "zone": "Asia/Baku", "holidays": "AZ"}
    more = {"crew": {"kind": "add_lanes", "at": "staff_pools.crew", "lanes": 2}}

    def members(**how):
        pools = {"crew": {**pool, **how}}
        scenario = astara(dt.date(2024, 3, 11), 20, None, counter, NOVRUZ, staff_pools=pools, improvements=more)
        found = make_plan(scenario).staff_pools[0].members
        return [found.at(24 * d + 7) for d in (8, 9, 10, 14)]

    assert members() == [8, 0, 0, 8]
    assert members(holiday_hours=["10:00-12:00"]) == [8, 8, 8, 8]  # 07:00 UTC is 11:00 in Baku
    assert members(holiday_hours="Sun", members_by_hour={"Mon-Sat 00:00": 6, "Sun 00:00": 1}) == [8, 3, 3, 8]


def test_a_holiday_scales_a_flow_and_a_worked_weekend_has_its_weekday():
    profile = {"weekday": [2.0, 1, 1, 1, 1, 0.5, 0.5], "zone": "Asia/Tehran"}
    flow = {
        **DATA["flows"]["transit"],
        "profile": "p",
        "holidays": ["IR", dt.date(2022, 9, 21)],
        "holiday_factor": 0.25,
    }
    tables = {"IR": {"dates": IR, "worked": {"2022-09-24": "Mon"}}, "AZ": {"dates": AZ}}
    start = dt.date(2022, 9, 14)
    more = {"profiles": {"p": profile}, "flows": {**DATA["flows"], "transit": flow}}
    plan = make_plan(astara(start, 14, calendars=tables, **more))
    rate = next(one for one in plan.flows if one.id == "transit").arrivals.rate
    for hour, local in walk("Asia/Tehran", start, 14):
        date = local.date()
        weight = (2.0, 1, 1, 1, 1, 0.5, 0.5)[0 if date == dt.date(2022, 9, 24) else date.weekday()]
        factor = 0.25 if date in IR or date == dt.date(2022, 9, 21) else 1.0
        assert rate.at(hour) == pytest.approx(48 / 24 * weight * factor, rel=1e-12), local
    plain = {**flow, "profile": None}
    without = make_plan(astara(start, 14, calendars=tables, flows={**DATA["flows"], "transit": plain}))
    rate = next(one for one in without.flows if one.id == "transit").arrivals.rate
    assert set(rate.value.tolist()) == {2.0, 0.5}
    assert rate.integral(14 * 24) == 2.0 * (14 * 24) - 1.5 * (24 + 25 + 24 + 24)


# ---------------------------------------------------------------- where the dates come from


def test_the_dates_of_a_country_are_written_into_the_scenario_and_its_text_runs_without_the_package(monkeypatch):
    pytest.importorskip("holidays")
    made = with_plan(astara(dt.date(2022, 1, 1), 364, calendars=None))
    assert [date for date in made.scenario.calendars["AZ"].dates if date.year == 2022] == [
        d for d in AZ if d.year == 2022
    ]
    assert made.scenario.calendars["AZ"].worked == {"2022-03-05": "Mon", "2022-11-05": "Mon"}
    assert made.plan.labels["calendars"]["IR"]["dates"] == list(made.scenario.calendars["IR"].dates)
    without_package(monkeypatch)
    again = with_plan(cs.loads(cs.dumps(made.scenario)))
    assert again.scenario == made.scenario
    tables = make_plan(astara(dt.date(2022, 1, 1), 364))
    for id in ("astara_ir.exit.office", "astara_az.entry.counter"):
        assert element(again.plan, id).lanes == element(made.plan, id).lanes == element(tables, id).lanes


def without_package(monkeypatch):
    public_holidays.cache_clear()
    monkeypatch.setitem(sys.modules, "holidays", None)


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_a_stored_run_keeps_its_dates_when_the_package_says_something_else(tmp_path, monkeypatch):
    pytest.importorskip("holidays")
    scenario = astara(dt.date(2022, 3, 14), 14, calendars=None)
    first = cs.run(scenario, replications=2, store=tmp_path / "run")
    without_package(monkeypatch)
    stored = cs.load_results(tmp_path / "run")
    assert stored.scenario == first.scenario
    assert element(stored.plan, "astara_az.entry.counter").lanes == element(first.plan, "astara_az.entry.counter").lanes
    again = cs.run(stored.scenario, replications=2, store=tmp_path / "run")  # the same run: nothing is refused
    assert again.table("all").equals(stored.table("all"))


def test_without_the_package_one_error_names_the_extra(monkeypatch):
    without_package(monkeypatch)
    with pytest.raises(ScenarioError) as caught:
        make_plan(astara(dt.date(2022, 1, 1), 10, calendars=None))
    (problem,) = caught.value.problems
    assert str(problem) == (
        "checkpoints.astara_ir.holidays: needs the package holidays for IR, AZ: pip install 'corridor-sim[calendars]'; "
        "or list the dates in a table of calendars"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("XX", r"checkpoints\.astara_az\.holidays = 'XX': is no country.*ISO code of two letters.*table of calendars"),
        ("Azerbaijan", "is no country of the package"),
        ("az", "is no country of the package"),
        ("DE-ZZ", "is no part of DE.*allowed: BB, BE"),
    ],
)
def test_an_unknown_country_is_refused_by_its_path(name, message):
    pytest.importorskip("holidays")
    scenario = astara(dt.date(2022, 1, 1), 10)
    posts = {**scenario.checkpoints, "astara_az": scenario.checkpoints["astara_az"].replace(holidays=name)}
    with pytest.raises(ScenarioError, match=message):
        make_plan(scenario.replace(checkpoints=posts))


def test_what_is_uncertain_of_holidays_is_told():
    pytest.importorskip("holidays")
    told = [str(one) for one in check(astara(dt.date(2027, 3, 1), 30, calendars=None))]
    # Which dates those are is the package's: releases differ by a day.
    assert any("holds dates of IR that are estimated and may be a day off: 2027-0" in one for one in told)
    told = [str(one) for one in check(astara(dt.date(2027, 3, 1), 30))]
    assert any("calendars.AZ: has no date within the run" in one for one in told)
    tables = {name: {**TABLES[name], "years": [2021, 2022]} for name in TABLES}
    with pytest.raises(
        ScenarioError, match=r"calendars\.IR\.years = \[2021, 2022\]: is complete for some.*in 2027 too"
    ):
        make_plan(astara(dt.date(2027, 3, 1), 30, calendars=tables))


def test_a_date_is_a_holiday_or_worked_not_both():
    with pytest.raises(ScenarioError, match=r"worked\.2024-04-27: is a holiday too"):
        HolidayCalendar(dates=["2024-04-27"], worked=["2024-04-27"])
