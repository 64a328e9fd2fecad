"""Mechanisms of a border, from a file to a table: slots, daily acceptance, two changes of one value, waits by kind."""

import itertools
import math
import warnings

import pytest

import corridor_sim as cs

BOOKING = """
[improvements.booking]
kind = "slot_booking"
at = "checkpoints.north_a.exit"
per_day = 288
"""


def records_of(name):
    """One replication of a scenario with its records."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(cs.load_scenario(name), replications=1, records=True, workers=1)


def options(*names):
    return [part for name in names for part in ("--indicator", name)]


# ---------------------------------------------------------------- slot booking


def test_slots_at_equal_capacity_move_the_wait_away_from_the_border_and_shorten_no_journey(folder):
    # Three lanes of a quarter of an hour pass 288 a day; so many slots are booked.
    slots = folder.write("slots", BOOKING)
    wanted = options("wait_h", "component_h", "door_to_door_h", "tfi1")
    rows = folder.rows("compare", "border.toml", slots, "-n", 6, "--workers", 1, *wanted)
    post = {"kind": "post", "place": "north_a", "direction": "exit"}
    border = folder.value(rows, "wait_h", "difference", **post)
    booked = folder.value(rows, "component_h", "difference", of="slot_wait", **post)
    whole = {"kind": "flow", "place": "flour"}
    assert folder.value(rows, "wait_h", "high", **post) < 0
    assert folder.value(rows, "component_h", "low", of="slot_wait", **post) > 0
    assert folder.value(rows, "door_to_door_h", "low", **whole) >= 0
    assert folder.value(rows, "door_to_door_h", "difference", **whole) < 0.25
    assert border < -1 < 1 < booked
    assert folder.value(rows, "component_h", "base", of="slot_wait", **post) == 0


def test_the_wait_for_a_slot_is_told_wherever_the_wait_at_the_border_is(folder):
    slots = folder.write("slots", BOOKING)
    few = ("-n", 3, "--workers", 1, "-q")
    assert "slot wait, away from the border: north a exit" in folder.call("run", slots, *few).stdout
    for pair, verdict in (("border.toml", slots), "more"), ((slots, "border.toml"), "less"):
        lines = folder.call("compare", *pair, *few).stdout.splitlines()
        head = next(k for k, line in enumerate(lines) if line.startswith("wait for a booked slot [h]"))
        assert lines[head + 1].split()[:3] == ["north", "a,", "exit"]
        assert lines[head + 1].endswith(verdict)


def test_who_waits_for_a_slot_is_in_no_queue_at_the_post(folder):
    slots = folder.write("slots", BOOKING)
    rows = folder.rows("run", slots, "-n", 2, "--workers", 1, "--indicator", "queue_mean")
    assert folder.value(rows, "queue_mean", place="north_a.exit.slots") > 10
    assert folder.value(rows, "queue_mean", kind="post", place="north_a") == 0


# ---------------------------------------------------------------- daily acceptance

STANDING = """
[run]
horizon_days = 10
warm_up_days = 0
[checkpoints.north_a]
acceptance.exit = {{ per_day = {before} }}
[checkpoints.north_a.exit.lanes]
lanes = 6
[checkpoints.north_b.entry.lanes]
lanes = 6
[flows.flour]
arrivals = {{ kind = "all_at_start", count = 2000 }}
[improvements.agreement]
kind = "daily_acceptance"
at = "checkpoints.north_a.exit"
per_day = 360
from = 2024-01-03
"""


@pytest.mark.parametrize("engine", ["event", "batch"])
def test_a_standing_queue_of_2000_drains_at_the_arithmetic_rate(folder, engine):
    queue = folder.write("queue", STANDING.format(before=250))
    rows = folder.rows(
        "run", queue, "-n", 1, "--workers", 1, "--engine", engine, "--indicator", "passed_by_day", "--per-replication"
    )
    left = {
        int(row["day"]): float(row["value"]) for row in rows
        if row["place"] == "north_a" and row["direction"] == "exit" and row["of"] == "left"
    }  # fmt: skip
    # 250 on each of two days, then 360 a day: 2000 - 500 = 4 x 360 + 60.
    assert [left[day] for day in range(10)] == [250, 250, 360, 360, 360, 360, 60, 0, 0, 0]


def test_a_queue_that_goes_on_growing_falls_by_the_difference_of_the_rates(folder):
    # 2,000 stand there and 240 a day come, evenly: 250 a day leave 10 less every day, 360 a day 120 less.
    more = """
[flows.standing]
origin = "mill"
destination = "market"
per_day = 10
arrivals = { kind = "all_at_start", count = 2000 }
"""
    text = STANDING.format(before=250) + more
    text = text.replace('{ kind = "all_at_start", count = 2000 }', '{ kind = "timetable", every_h = 0.1, size = 1 }', 1)
    queue = folder.write("queue", text.replace("horizon_days = 10", "horizon_days = 8"))
    assert folder.call("check", queue).exit_code == 0
    visits = records_of(queue).visits()
    at = visits[visits["element"] == "north_a.exit.acceptance"]
    ends_h = [24.0 * day for day in range(1, 9)]
    standing = [int(((at["join_h"] < end) & ~(at["start_h"] < end)).sum()) for end in ends_h]
    steps = [before - after for before, after in itertools.pairwise(standing)]
    assert steps[:1] == [10]
    assert steps[1:] == [120] * 6


# ---------------------------------------------------------------- waits by kind

MANY_WAITS = """
[run]
horizon_days = 3
warm_up_days = 0
[checkpoints.north_a]
slots.exit = { per_day = 260 }
acceptance.exit = { per_day = 240 }
[checkpoints.north_a.exit.lanes]
closing = "suspend"
opening_hours = ["06:00-22:00"]
[checkpoints.north_a.exit.stay]
lanes = "unlimited"
service = { kind = "deterministic", value_h = 0.5 }
[checkpoints.north_b.entry.lanes]
lanes = 2
yard = 1
[legs.bridge]
headway_h = 0.05
[legs.from_border]
timetable = { every_h = 3, places = 40 }
"""
COMPONENTS = (
    "wait", "slot_wait", "acceptance_wait", "entry_wait", "sailing_wait", "blocked", "interrupted", "service", "dwell",
    "travel",
)  # fmt: skip


def test_every_kind_of_wait_has_a_component_of_its_own(folder):
    waits = folder.write("waits", MANY_WAITS)
    rows = folder.rows("run", waits, "-n", 2, "--workers", 1, "--indicator", "component_h")
    found = {row["of"]: float(row["mean"]) for row in rows if row["kind"] == "flow"}
    assert set(found) == set(COMPONENTS)
    assert all(found[name] > 0 for name in COMPONENTS), found


def test_the_components_of_every_visit_add_up_to_the_journey(folder):
    waits = folder.write("waits", MANY_WAITS)
    results = records_of(waits)
    visits, journeys = results.visits(), results.journeys().set_index("consignment")
    done = journeys.index[journeys["depart_h"].notna()]
    assert len(done) > 50
    stay = (visits["leave_h"] - visits["join_h"]).groupby(visits["consignment"]).sum()
    assert (stay[done] == journeys.loc[done, "door_to_door_h"]).all()


def test_who_still_waits_at_the_end_is_reported_with_the_wait_so_far(folder):
    cut = folder.write("cut", STANDING.format(before=250).replace("horizon_days = 10", "horizon_days = 1.75"))
    rows = folder.rows("run", cut, "-n", 1, "--workers", 1, *options("unserved", "unserved_wait_h", "unfinished"))
    at = {"place": "north_a.exit.acceptance"}
    assert folder.value(rows, "unserved", **at) == 2000 - 2 * 250
    # All have stood there since they came off the road, 1.5 h after the start.
    assert folder.value(rows, "unserved_wait_h", **at) == 42 - 1.5
    assert folder.value(rows, "unfinished", kind="corridor") == 1500
    waits = folder.rows("run", cut, "-n", 1, "--workers", 1, "--indicator", "wait_h")
    # Those taken over waited until 1.5 h (the first day) or 24 h: the others are in no mean.
    assert folder.value(waits, "wait_h", **at) == pytest.approx((0 + 22.5) / 2)


# ---------------------------------------------------------------- two improvements, one value

SET_TWICE = {
    "acceptance": (
        'kind = "daily_acceptance"\nat = "checkpoints.north_a.exit"\nper_day = {}\n', 300, 350,
        "checkpoints.north_a.acceptance.exit.per_day",
    ),
    "capacity": (
        'kind = "set_capacity"\nat = "checkpoints.north_a.exit.lanes"\ntrucks_per_day = {}\n', 300, 350,
        "checkpoints.north_a.exit.lanes.service",
    ),
    "hours": (
        'kind = "opening_hours"\nat = "checkpoints.north_a.exit.lanes"\nopening_hours = ["{}:00-22:00"]\n', "06", "07",
        "checkpoints.north_a.exit.lanes.opening_hours",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SET_TWICE)
def test_two_improvements_that_set_one_value_at_one_time_are_refused(folder, what):
    body, first, second, path = SET_TWICE[what]

    def file(name, begin):
        text = f"[improvements.one]\n{body.format(first)}from = 2024-01-03\nuntil = 2024-01-08\n"
        return folder.write(name, text + f"[improvements.two]\n{body.format(second)}from = {begin}\n")

    result = folder.call("check", file("both", "2024-01-07"))
    assert result.exit_code == 2
    for words in ("'one'", "'two'", path):
        assert words in result.output
    assert folder.call("run", "both.toml").exit_code == 2
    # One after the other is no conflict.
    assert folder.call("check", file("in_turn", "2024-01-08")).exit_code == 0


def test_improvements_that_add_to_one_value_add_up(folder):
    two = [
        f'[improvements.{name}]\nkind = "add_lanes"\nat = "checkpoints.north_a.exit.lanes"\nlanes = {n}\n'
        for name, n in (("one", 1), ("two", 2))
    ]
    plan = cs.make_plan(cs.load_scenario(folder.write("both", "".join(two))))
    lanes = plan.elements[plan.element_index("north_a.exit.lanes")].lanes
    assert set(lanes.value) == {6.0}
    assert math.isclose(float(lanes.from_h[0]), 0.0)
