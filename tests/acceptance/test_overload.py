"""What is overload and what is not (rule D29): by the load where a capacity is planned, by lasting growth elsewhere."""

from __future__ import annotations

import math
import warnings

import pytest

import corridor_sim as cs
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.load import check, loads

BORDER = """
schema = 1
name = "gate"
[run]
start = 2024-01-01
horizon_days = {days}
warm_up_days = 2
replications = {replications}
[places.mill]
[places.market]
[legs.in]
kind = "road"
from = "mill"
to = "a"
length_km = 10
speed_kmh = 10
[legs.bridge]
kind = "road"
from = "a"
to = "b"
length_km = 0
speed_kmh = 10
border = true
[legs.out]
kind = "road"
from = "b"
to = "market"
length_km = 10
speed_kmh = 10
[checkpoints.a]
crossing = "gate"
{post}
[checkpoints.a.exit.lanes]
{stage}
[checkpoints.b]
crossing = "gate"
[checkpoints.b.entry.free]
lanes = "unlimited"
service = {{ kind = "deterministic", value_h = 0.0 }}
[flows.f]
origin = "mill"
destination = "market"
cargo_class = "loaded"
{flow}
{more}
"""
BY_DAY = 'opening_hours = ["08:00-16:00"]'
STAGE, QUOTA = "a.exit.lanes", "a.exit.acceptance"
OPEN_WIDE = 'lanes = "unlimited"\nservice = { kind = "deterministic", value_h = 0.0 }'


def law(kind="deterministic", **values):
    given = ", ".join(f"{name} = {value}" for name, value in values.items())
    return f'service = {{ kind = "{kind}", {given} }}'


def run(stage, flow, *, post="", more="", days=60, replications=5, engine="auto"):
    text = BORDER.format(stage=stage, flow=flow, post=post, more=more, days=days, replications=replications)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(cs.loads(text), rng=1, engine=engine)


def mean(results, indicator, place=STAGE):
    frame = results.summary(indicator, place=place, of="")
    return float(frame["mean"].iloc[0])


def told(results):
    return {place: one.reason for place, one in results.overloaded().items()}


UNIFORM = law("uniform", low_h=1.0, high_h=3.0)


@pytest.mark.parametrize("engine", ["event", "batch"])
def test_inspections_that_start_only_what_ends_pass_less_than_their_open_hours(engine):
    # Four lanes, eight hours, 2 h each: 16 a day by hours, 13.6 under saturation; 15 come.
    results = run(f'lanes = 4\n{BY_DAY}\nclosing = "no_overrun"\n{UNIFORM}', "per_day = 15", days=110, engine=engine)
    assert mean(results, "capacity_per_day") == pytest.approx(13.6, abs=0.1)
    assert told(results) == {STAGE: "load"}


def test_inspections_that_run_over_closing_time_pass_more_than_their_open_hours():
    results = run(f'lanes = 4\n{BY_DAY}\nclosing = "finish"\n{UNIFORM}', "per_day = 17", days=110)
    assert mean(results, "capacity_per_day") == pytest.approx(18.2, abs=0.2)
    assert told(results) == {}


def test_three_hours_into_eight_go_twice_if_each_must_end_by_closing():
    flow = 'arrivals = { kind = "timetable", every_h = 48, first_h = 6, size = 5 }'
    results = run(f'lanes = 1\n{BY_DAY}\nclosing = "no_overrun"\n{law(value_h=3.0)}', flow, days=32)
    assert mean(results, "capacity_per_day") == 2.0
    assert told(results) == {STAGE: "load"}


@pytest.mark.parametrize("engine", ["event", "batch"])
def test_a_post_that_clears_its_queue_every_evening_is_not_overloaded(engine):
    # Four hours of a lane are 16 trucks of a quarter of an hour; twenty come at 11:00 and all are served the same day.
    flow = 'arrivals = { kind = "timetable", every_h = 24, first_h = 10, size = 20 }'
    stage = f'lanes = 1\nopening_hours = ["08:00-12:00"]\nclosing = "clear_queue"\n{law(value_h=0.25)}'
    results = run(stage, flow, days=32, engine=engine)
    assert mean(results, "queue_growth_per_day") == 0.0
    assert mean(results, "saturation") < 0.5
    assert told(results) == {}


def test_services_longer_than_their_window_by_finishing_are_no_overload():
    # One hour open, 0.9 h each: two a day begin in it.
    flow = 'arrivals = { kind = "timetable", every_h = 24, first_h = 6, size = 2 }'
    results = run(f'lanes = 1\nopening_hours = ["08:00-09:00"]\n{law(value_h=0.9)}', flow, days=32)
    assert mean(results, "capacity_per_day") == pytest.approx(2.0)
    assert told(results) == {STAGE: "even"}


PER_DAY = """
[checkpoints.a.acceptance.exit]
per_day = {}
"""


def test_demand_as_high_as_the_daily_acceptance_has_no_steady_state():
    results = run(OPEN_WIDE, "per_day = 250", post=PER_DAY.format(250), days=60, replications=20)
    assert told(results) == {QUOTA: "even"}
    assert any("no steady state" in one for one in results.warnings)
    assert "no steady state" in results.describe()


def test_a_stable_daily_acceptance_does_not_grow():
    # A hundred come at 10:00 every day and a hundred are taken over; fifty wait from the first day on.
    flow = 'arrivals = { kind = "timetable", every_h = 24, first_h = 9, size = 100 }'
    more = '[flows.g]\norigin = "mill"\ndestination = "market"\narrivals = { kind = "all_at_start", count = 50 }'
    results = run(OPEN_WIDE, flow, post=PER_DAY.format(100), more=more, days=20, replications=2)
    assert mean(results, "queue_growth_per_day", QUOTA) == 0.0
    assert mean(results, "load_per_day", QUOTA) == 100.0
    assert mean(results, "throughput_per_day", "a") == 100.0
    assert told(results) == {QUOTA: "even"}


BREAKDOWN = (
    'breakdown = { up = { kind = "deterministic", value_h = 12.0 }, down = { kind = "deterministic", value_h = 12.0 } }'
)
TAKING = {
    "a breakdown half of the time": (f"lanes = 1\n{law(value_h=0.25)}\n{BREAKDOWN}", 60, "", 48.0),
    "a lane that is down throughout": (
        f"lanes = 2\n{law(value_h=0.25)}\noutages.one = {{ from = 2024-01-01, until = 2024-06-01, lane = 2 }}",
        120,
        "",
        96.0,
    ),
    "one person for four lanes": (
        f'lanes = 4\n{law(value_h=0.25)}\nstaff_pool = "crew"',
        120,
        "[staff_pools.crew]\nmembers = 1",
        96.0,
    ),
    "three lanes of four kept for few": (
        f"lanes = 4\n{law(value_h=0.25)}\nreserved.vip = {{ lanes = 3 }}",
        120,
        '[flows.vip]\norigin = "mill"\ndestination = "market"\ncargo_class = "vip"\nper_day = 10',
        384.0,
    ),
}


@pytest.mark.parametrize("what", TAKING)
def test_what_takes_lane_time_is_in_the_load_of_check_and_run(what):
    stage, per_day, more, capacity = TAKING[what]
    text = BORDER.format(stage=stage, flow=f"per_day = {per_day}", post="", more=more, days=30, replications=3)
    (warned,) = loads_told(text)
    assert "load 1.25: " in warned
    results = run(stage, f"per_day = {per_day}", more=more, days=30)
    assert mean(results, "capacity_per_day") == pytest.approx(capacity)
    assert told(results) == {STAGE: "load"}
    assert results.overloaded()[STAGE].load == pytest.approx(1.25, rel=0.05)
    assert "a, exit lanes" in results.describe()
    assert STAGE in results.describe(ids=True)
    assert "OVERLOAD" in results.describe()


def loads_told(text):
    return [str(one) for one in check(cs.loads(text)) if one.message.startswith("load ")]


SHARED_CREW = """
[checkpoints.a.exit.scan]
lanes = 4
service = { kind = "deterministic", value_h = 0.25 }
staff_pool = "crew"
[staff_pools.crew]
members = 1
"""


def test_a_queue_that_keeps_growing_is_overload_where_no_capacity_is_planned():
    # One person for two stages of a quarter of an hour each: 48 a day pass, 60 come.
    stage = f'lanes = 4\n{law(value_h=0.25)}\nstaff_pool = "crew"'
    results = run(stage, "per_day = 60", more=SHARED_CREW, days=40, replications=5)
    row = results.summary("capacity_per_day", place=STAGE).iloc[0]
    assert math.isnan(row["mean"])
    assert row["note"].startswith("no planned capacity: staff pool 'crew' is shared with a.exit.scan")
    assert "growth" in set(told(results).values())
    assert "grows by" in results.describe()


def test_a_queue_that_grew_once_is_no_overload_but_the_queue_at_the_end():
    # All is calm until the last days: the growth is not there in the first half.
    rush = (
        '[flows.rush]\norigin = "mill"\ndestination = "market"\n'
        'arrivals = { kind = "trace", times_h = [' + ", ".join(["940.0"] * 60) + "] }"
    )
    results = run(f"lanes = 1\n{law(value_h=0.5)}", "per_day = 20", more=rush, days=40)
    assert told(results) == {}
    assert "queue at the end" in results.describe()


def test_one_replication_has_no_interval_so_growth_alone_says_nothing():
    stage = f'lanes = 4\n{law(value_h=0.25)}\nstaff_pool = "crew"'
    results = run(stage, "per_day = 60", more=SHARED_CREW, days=40, replications=1)
    assert "growth" not in set(told(results).values())


def test_a_stage_that_serves_hardly_any_of_those_who_come_is_a_warning():
    stage = f'lanes = 1\nopening_hours = ["08:00-09:00"]\n{law(value_h=1.0)}'
    results = run(stage, "per_day = 30", days=20, replications=2)
    assert any("under a tenth of those who came were served at a, exit lanes" in one for one in results.warnings)


@pytest.mark.parametrize("engine", ["event", "batch"])
@pytest.mark.parametrize(
    "faster",
    [
        'kind = "service_time"\nat = "checkpoints.a.exit.lanes"\nfactor = 0.25',
        'kind = "set_capacity"\nat = "checkpoints.a.exit.lanes"\ntrucks_per_day = 96',
        'kind = "pre_arrival"\nat = "checkpoints.a.exit.lanes"\nshare = 1.0\nfactor = 0.25',
        'kind = "add_lanes"\nat = "checkpoints.a.exit.lanes"\nlanes = 3',
    ],
    ids=["service_time", "set_capacity", "pre_arrival", "add_lanes"],
)
def test_who_waits_is_served_in_the_new_time_however_the_service_grows_faster(faster, engine):
    """Rule D13: 160 of 400 wait after ten days of 24 a day; then 96 a day are served, and all have gone on day 13."""
    more = f"[improvements.faster]\n{faster}\nfrom = 2024-01-11\n"
    stage = f"lanes = 1\n{law(value_h=1.0)}"
    results = run(stage, "per_day = 40", days=20, more=more, replications=5, engine=engine)
    assert mean(results, "queue_growth_per_day") < 0
    assert mean(results, "throughput_per_day", "a") == pytest.approx((800 - 48) / 18, rel=0.05)
    # Of the 18 days that are counted 8 have 24 and 10 have 96.
    assert mean(results, "capacity_per_day") == pytest.approx((8 * 24 + 10 * 96) / 18)


def test_a_post_passes_what_its_scarcest_stage_passes_however_few_come_to_it():
    # Of 200 a day the first stage lets 100 through; half of them are scanned, 40 scans a day: 80 a day.
    stage = f"lanes = 2\n{law(value_h=0.48)}\n[checkpoints.a.exit.scan]\nlanes = 1\n{law(value_h=0.6)}\nshare = 0.5"
    results = run(stage, "per_day = 200", days=40, replications=2)
    assert mean(results, "capacity_per_day", "a") == pytest.approx(80, rel=0.03)
    assert mean(results, "saturation", "a") == pytest.approx(200 / 80, rel=0.03)
    scanned = results.summary("visit_share", place="a", of="scan")
    assert float(scanned["mean"].iloc[0]) == pytest.approx(0.5, rel=0.03)
    # All of them come to a last stage that passes 90 a day, if they get there.
    stage = f"lanes = 2\n{law(value_h=0.48)}\n[checkpoints.a.exit.last]\nlanes = 3\n{law(value_h=0.8)}"
    assert mean(run(stage, "per_day = 200", days=20, replications=2), "capacity_per_day", "a") == pytest.approx(90)


def test_a_change_within_a_day_counts_from_its_hour_on():
    # One lane: 24 a day until 06:00 of the third day, then 96. Of four days two are counted.
    more = """[improvements.faster]
kind = "service_time"
at = "checkpoints.a.exit.lanes"
factor = 0.25
from = 2024-01-03T06:00:00"""
    results = run(f"lanes = 1\n{law(value_h=1.0)}", "per_day = 20", more=more, days=4, replications=2)
    assert mean(results, "capacity_per_day") == (6 * 1 + 42 * 4) / 2
    by_day = [float(values[0]) for _, values in results.rows.select("capacity_by_day", place="a")]
    assert by_day == [24.0, 24.0, 6 + 18 * 4, 96.0]


@pytest.mark.parametrize("per_day", [40, 70])
def test_check_and_the_run_weigh_a_change_within_the_run_alike(per_day):
    """24 a day for ten days, then 96: 60 a day can pass on average, whatever share of those who come needs an hour."""
    more = (
        '[improvements.faster]\nkind = "service_time"\nat = "checkpoints.a.exit.lanes"\nfactor = 0.25\n'
        "from = 2024-01-11\n"
    )
    text = BORDER.format(
        stage=f"lanes = 1\n{law(value_h=1.0)}", flow=f"per_day = {per_day}", post="", more=more, days=20, replications=1
    )
    (load,) = [one for one in loads(make_plan(cs.loads(text))) if one.element == STAGE]
    assert load.capacity_per_day == pytest.approx(60)
    assert load.demand_per_day == pytest.approx(per_day)
    assert any("load" in str(problem) for problem in check(cs.loads(text))) == (per_day > 60)


def test_a_daily_number_that_begins_within_the_run_is_overloaded_by_its_growth():
    """Without a limit before, it has no capacity over the window: 40 a day come, 30 are taken over from day 6 on."""
    more = '[improvements.q]\nkind = "daily_acceptance"\nat = "checkpoints.a.exit"\nper_day = {}\nfrom = 2024-01-06\n'
    few = told(run(OPEN_WIDE, "per_day = 40", more=more.format(30), days=20))
    assert few[QUOTA] == "growth"
    assert QUOTA not in told(run(OPEN_WIDE, "per_day = 40", more=more.format(60), days=20))


@pytest.mark.parametrize("since", ["", "from = 2024-01-11"])
def test_whom_a_relief_spares_a_stage_is_in_neither_its_load_nor_its_capacity(since):
    """Two lanes of an hour pass 48 a day of those who join, whoever else passes the stage by."""
    more = (
        f'[improvements.q]\nkind = "pre_arrival"\nat = "checkpoints.a.exit.lanes"\nshare = 0.5\nfactor = 0.0\n{since}\n'
    )
    stage = f"lanes = 2\n{law(value_h=1.0)}"
    results = run(stage, "per_day = 120", more=more, days=22)
    assert mean(results, "capacity_per_day") == pytest.approx(48)
    joins = 60 if not since else (8 * 120 + 12 * 60) / 20
    assert mean(results, "load_per_day") == pytest.approx(joins, rel=0.05)
    assert told(results)[STAGE] == "load"
    (load,) = [
        one
        for one in loads(
            make_plan(
                cs.loads(BORDER.format(stage=stage, flow="per_day = 120", post="", more=more, days=22, replications=1))
            )
        )
        if one.element == STAGE
    ]
    assert load.load == pytest.approx((22 * 60 + (10 * 60 if since else 0)) / 22 / 48)
