"""What is counted, and when: the window is [start, end) for every indicator, whichever engine ran."""

import pytest

import corridor_sim as cs
from corridor_sim.indicators import Options

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
ENGINES = pytest.mark.parametrize("engine", ["event", "batch"])

BORDER = """
schema = 1
name = "counting"
[run]
start = {start}
replications = 1
{run}
[places.a]
[places.b]
[legs.la]
kind = "road"
from = "a"
to = "p"
length_km = 0
speed_kmh = 50
[legs.lb]
kind = "road"
from = "q"
to = "b"
length_km = 0
speed_kmh = 50
[legs.br]
kind = "road"
from = "p"
to = "q"
length_km = {km}
speed_kmh = 10
border = true
{leg}
[checkpoints.p]
crossing = "x"
{post}
[checkpoints.p.exit.s]
{stage}
[checkpoints.q]
crossing = "x"
[checkpoints.q.entry.free]
lanes = "unlimited"
service = {{ kind = "deterministic", value_h = 0.0 }}
[flows.f]
origin = "a"
destination = "b"
per_day = 1
load_t = 10
arrivals = {arrivals}
"""
FREE = 'lanes = "unlimited"\nservice = { kind = "deterministic", value_h = 0.0 }'


@pytest.fixture
def ran(tmp_path):
    """A function that runs a border of one stage and gives back its table."""

    def results(arrivals, engine, *, start="2024-01-01", run="", stage=FREE, leg="", post="", km=0, **settings):
        text = BORDER.format(arrivals=arrivals, start=start, run=run, stage=stage, leg=leg, post=post, km=km)
        path = tmp_path / "counting.toml"
        path.write_text(text, encoding="utf-8")
        return cs.run(cs.load_scenario(path), engine=engine, workers=1, **settings)

    return results


def one(results, indicator, **where):
    return float(results.rows.row(indicator, **where)[0])


@ENGINES
def test_what_happens_at_the_end_of_the_window_is_not_counted(ran, engine):
    # Twenty trucks every midnight, no service: the seventh midnight belongs to the next week.
    found = ran('{ kind = "timetable", every_h = 24.0, first_h = 0.0, size = 20 }', engine, run="horizon_days = 7")
    for at in ({"kind": "post", "place": "p"}, {"kind": "flow"}, {"kind": "crossing"}):
        assert one(found, "throughput_per_day", **at) == 20
        assert one(found, "arrivals_per_day", **at) == 20
    assert [one(found, name, kind="corridor") for name in ("created", "finished", "unfinished")] == [140, 140, 0]
    assert one(found, "delivered_t", kind="corridor") == 1400
    for day in range(7):
        for of in ("reached", "left"):
            assert one(found, "passed_by_day", place="p", day=day, of=of) == 20


@ENGINES
def test_a_ferry_that_lands_at_the_end_of_the_window_has_not_landed_in_it(ran, engine):
    found = ran(
        '{ kind = "all_at_start", count = 1000 }',
        engine,
        run="horizon_days = 4\nwarm_up_days = 1",
        leg="timetable = { every_h = 24, first_h = 18, places = 50 }",
        km=60,
    )
    assert one(found, "throughput_per_day", kind="flow") == 50
    assert one(found, "delivered_t", kind="corridor") == 1500


@ENGINES
@pytest.mark.parametrize("offset_h", [0, 3.5, -5])
def test_a_daily_quota_that_takes_all_who_come_has_no_growth_wherever_midnight_is(ran, engine, offset_h):
    # A hundred come every day at 11 UTC, a hundred a day are taken over.
    found = ran(
        '{ kind = "timetable", every_h = 24, first_h = 11, size = 100 }',
        engine,
        run="horizon_days = 20\nwarm_up_days = 10",
        post=f"utc_offset_h = {offset_h}\n[checkpoints.p.acceptance.exit]\nper_day = 100",
    )
    assert one(found, "queue_growth_per_day", kind="post", place="p") == 0
    assert one(found, "throughput_per_day", kind="post", place="p") == 100


@ENGINES
def test_a_quota_on_a_clock_that_changes_passes_its_number_every_local_day(ran, engine):
    # Ten come every hour from 20 March 2022 00:00 UTC; 22 March has 23 hours in Tehran and begins at 01:00.
    post = 'zone = "Asia/Tehran"\n[checkpoints.p.acceptance.exit]\nper_day = 100'
    every_hour = '{ kind = "timetable", every_h = 1, first_h = 0, size = 10 }'
    settings = {"start": "2022-03-20", "run": "horizon_days = 5", "post": post}
    found = ran(every_hour, engine, **settings, options=Options(period_days=1))
    # Day 0 begins at 03:30 local and ends after 20.5 hours; arrivals are on the hour in UTC.
    reached = [one(found, "passed_by_day", place="p", day=day, of="reached") for day in range(6)]
    left = [one(found, "passed_by_day", place="p", day=day, of="left") for day in range(6)]
    assert reached == [210, 240, 230, 240, 240, 40]
    assert left == [100, 100, 100, 100, 100, 100]
    by_hour = {row.hour for row, _ in found.rows.select("queue_by_hour", kind="post", place="p")}
    assert by_hour == set(range(24))


@ENGINES
@pytest.mark.parametrize(
    ("start", "off", "left"),
    [
        ("2022-03-20", "[2022-03-22]", [100, 100, 0, 100, 100]),  # the day of 23 hours is a holiday
        ("2022-03-20", "[2022-03-21, 2022-03-23]", [100, 0, 100, 0, 100]),
        ("2022-09-19", "[2022-09-21]", [100, 100, 0, 100, 100]),  # the day of 25 hours
        ("2022-09-19", "[2022-09-20, 2022-09-22]", [100, 0, 100, 0, 100]),
    ],
)
def test_nobody_is_taken_over_on_a_holiday_and_its_number_lapses(ran, engine, start, off, left):
    post = f'zone = "Asia/Tehran"\nholidays = {off}\n[checkpoints.p.acceptance.exit]\nper_day = 100'
    every_hour = '{ kind = "timetable", every_h = 1, first_h = 0, size = 10 }'
    stage = 'lanes = 50\nservice = { kind = "deterministic", value_h = 0.01 }'
    found = ran(
        every_hour, engine, start=start, run="horizon_days = 5", post=post, stage=stage, options=Options(period_days=1)
    )
    assert [one(found, "passed_by_day", place="p", day=day, of="left") for day in range(5)] == left


@ENGINES
@pytest.mark.parametrize("stay_h", [0.1, 0.25, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0])
def test_a_stay_equal_to_the_target_is_within_it(ran, engine, stay_h):
    found = ran(
        '{ kind = "trace", times_h = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0] }',
        engine,
        run="horizon_h = 200",
        options=Options(targets_h=(stay_h,)),
        stage=f'lanes = "unlimited"\nservice = {{ kind = "deterministic", value_h = {stay_h} }}',
    )
    assert one(found, "cleared_within", kind="post", place="p", of=f"{stay_h:g} h") == 1
    assert one(found, "cleared_within", kind="crossing", place="x", of=f"{stay_h:g} h") == 1


SUSPENDED = 'opening_hours = ["08:00-15:00"]\nclosing = "suspend"\n'
REPAIRED = "outages.works = { from = 2024-01-01T15:00:00, until = 2024-01-02T08:00:00 }\n"
LASTS = '{{ kind = "deterministic", value_h = {} }}'
BROKEN = f"breakdown = {{ up = {LASTS.format(15.0)}, down = {LASTS.format(17.0)} }}\n"
ONE_OF_8_H = 'lanes = 1\nservice = { kind = "deterministic", value_h = 8.0 }\n'


@ENGINES
@pytest.mark.parametrize(
    ("stop", "run", "utilisation", "delay_h"),
    [
        (SUSPENDED, "horizon_h = 20", 1.0, 5.0),
        (SUSPENDED, "horizon_h = 48\nwarm_up_h = 24", 1 / 7, 8.0),
        (SUSPENDED, "horizon_h = 48", 8 / 14, 17.0),
        (REPAIRED, "horizon_h = 20", 7 / 20, 5.0),
        (BROKEN, "horizon_h = 20", 7 / 20, 5.0),
        (BROKEN, "horizon_h = 48\nwarm_up_h = 24", 1 / 24, 8.0),
    ],
)
def test_a_service_that_stands_still_at_an_end_of_the_window_is_split_by_its_working_hours(
    ran, engine, stop, run, utilisation, delay_h
):
    found = ran('{ kind = "trace", times_h = [8.0] }', engine, run=run, stage=ONE_OF_8_H + stop)
    assert one(found, "utilisation", place="p.exit.s") == utilisation
    assert one(found, "delay_truck_h", place="p.exit.s") == delay_h


@ENGINES
def test_the_longest_queue_is_seen_in_a_long_run_although_it_is_gone_by_every_full_hour(ran, engine):
    # Sixteen come a quarter past every hour, one starts at once, the others a minute and a half after each other.
    found = ran(
        '{ kind = "timetable", every_h = 1.0, first_h = 0.25, size = 16 }',
        engine,
        run="horizon_days = 100",
        stage='lanes = 1\nservice = { kind = "deterministic", value_h = 0.03125 }',
    )
    for at in ({"kind": "stage", "place": "p.exit.s"}, {"kind": "post", "place": "p"}):
        assert one(found, "queue_max", **at) == 15
        assert one(found, "queue_mean", **at) == 15 * 16 / 2 / 32
        # 15 are there for a thirty-second of the time, 14 for another: 95 % of it at most 14 are.
        assert one(found, "queue_p95", **at) == 14
    # The readings by hour, just before every full hour, see nobody.
    assert one(found, "queue_by_hour", kind="post", place="p", hour=0) == 0
