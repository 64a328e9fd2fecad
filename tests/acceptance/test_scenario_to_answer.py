"""From a scenario file to an answer: what an overlay changes and what it leaves alone, capacity, empty posts, bytes."""

import json
import warnings

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.sampling.sampler import Sampler

PUBLISHED_PER_DAY = (500.0, 600.0)
"""Trucks a day one way at Yarag-Kazmalyar: five lanes or six of 100 a day; 1,100 both ways were declared for 2023."""
PUBLISHED_STAY_H = 38 / 60
"""Mean stay at an empty Russian post, booth to booth."""
STAY_TOLERANCE_H = 2 / 60

TWO_MARKETS = """
[places.fair]
[legs.to_fair]
kind = "road"
from = "north_b"
to = "fair"
length_km = 30
speed_kmh = 40
[flows.cloth]
origin = "mill"
destination = "fair"
per_day = 30
"""


# ---------------------------------------------------------------- one leg


def journeys(scenario, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = cs.run(scenario, records=True, workers=1, **settings)
    return {flow.id: (flow, one) for flow, one in zip(results.plan.flows, results.records.journeys, strict=True)}


def door_to_door_h(journeys):
    return float(np.nanmean(journeys.depart_h - journeys.release_h))


def test_twice_the_length_of_a_last_leg_is_felt_by_the_flow_that_uses_it_and_by_no_other(folder):
    base = folder.write("base", TWO_MARKETS)
    far = folder.write("far", "[legs.to_fair]\nlength_km = 60\n", extends=base)
    assert folder.call("check", far).exit_code == 0
    before, after = (journeys(cs.load_scenario(name), replications=2) for name in (base, far))
    assert np.array_equal(before["flour"][1].depart_h, after["flour"][1].depart_h, equal_nan=True)
    (_, near), (_, longer) = before["cloth"], after["cloth"]
    both = ~np.isnan(longer.depart_h)
    assert both.sum() > 500
    # 30 km more at 40 km/h, to the bit of the clock grid.
    assert np.array_equal(longer.depart_h[both] - near.depart_h[both], np.full(both.sum(), 0.75))


def test_twice_the_length_of_a_real_road_is_felt_by_its_users_alone(folder):
    overlay = "[run]\nhorizon_days = 16\nwarm_up_days = 8\n[legs.road_samur_az_baku]\nlength_km = {}\n"
    base = folder.write("base", overlay.format(195.0), extends="baseline_2023")
    far = folder.write("far", overlay.format(390.0), extends="baseline_2023")
    assert folder.call("check", far).exit_code == 0
    before, after = (journeys(cs.load_scenario(name), replications=1) for name in (base, far))
    users = {
        id for id, (flow, _) in after.items()
        if any(span.id == "road_samur_az_baku" for variant in flow.variants for span in variant.spans)
    }  # fmt: skip
    assert 8 <= len(users) < len(after)
    more_h = {id: door_to_door_h(after[id][1]) - door_to_door_h(before[id][1]) for id in after}
    for id in users:
        # Samur carries about three quarters; the flow's other trucks drive by Khanoba as before.
        assert more_h[id] > 0.6 * 195 / 20
    # Others meet users at the posts only: no more than minutes of queue.
    assert max(abs(more_h[id]) for id in set(after) - users) < 0.1


def test_a_flow_meant_for_one_crossing_makes_no_detour_over_its_neighbours(folder):
    far = folder.write("far", "[legs.road_samur_az_baku]\nlength_km = 2000\n", extends="baseline_2023")
    plan = cs.make_plan(cs.load_scenario(far))
    borders = [
        [span.id for span in variant.spans if span.kind == "crossing"]
        for flow in plan.flows if flow.id == "south_bilateral" for variant in flow.variants
    ]  # fmt: skip
    assert borders == [["samur"], ["khanoba"]] or borders == [["khanoba"], ["samur"]]


def test_without_a_leg_check_names_the_flow_and_the_two_components(folder):
    cut = folder.write("cut", 'remove = ["legs.from_border"]\n')
    result = folder.call("check", cut)
    assert result.exit_code == 2
    for words in ("flows.flour", "'mill' is joined to {mill, north_a, north_b}", "'market' to {market}"):
        assert words in result.output
    assert folder.call("run", cut).exit_code == 2


def test_without_a_real_road_check_names_every_flow_that_used_it_with_both_components(folder):
    cut = folder.write("cut", 'remove = ["legs.road_samur_az_baku"]\n', extends="baseline_2023")
    result = folder.call("check", cut)
    assert result.exit_code == 2
    lines = [line for line in result.output.splitlines() if "no path from" in line]
    assert {line.split("flows.")[2].split(":")[0] for line in lines} == {
        "north_bilateral", "north_empty", "north_fresh", "north_fresh_iran", "north_fresh_west", "north_transit_iran",
        "north_transit_west", "south_bilateral", "south_empty", "south_transit_iran", "south_transit_west",
    }  # fmt: skip
    for line in lines:
        assert line.count("joined to {") == 1
        assert "samur_az" in line
        assert "baku" in line or "and 11 more" in line


# ---------------------------------------------------------------- demand


def demand(folder, factor, days, warm_up_days):
    text = (
        f"[run]\nhorizon_days = {days}\nwarm_up_days = {warm_up_days}\n"
        f'[improvements.all_demand]\nkind = "demand_growth"\nfactor = {factor}\n'
    )
    return folder.write("demand", text, extends="baseline_2023")


def test_ten_times_the_demand_passes_yarag_kazmalyar_at_its_capacity_and_says_overload(folder):
    many = demand(folder, 10, 9, 5)
    wanted = ("throughput_per_day", "saturation", "queue_growth_per_day", "unserved", "stay_h", "wait_h")
    options = [part for name in wanted for part in ("--indicator", name)]
    result = folder.call("run", many, "-n", 2, "--workers", 1, "-q", *options, "--per-replication", "--format", "csv")
    assert result.exit_code == 0
    passed = [
        float(line.rsplit(",", 1)[1]) for line in result.stdout.splitlines()
        if line.startswith("demand,throughput_per_day,") and ",post,yarag_kazmalyar_ru,exit," in line
    ]  # fmt: skip
    assert len(passed) == 2
    low, high = PUBLISHED_PER_DAY
    assert all(low <= each <= high for each in passed)
    # Declared: 1,100 both ways, 550 one way; four days of counted hours differ by the lanes' chance alone.
    assert np.mean(passed) == pytest.approx(550, rel=0.02)
    text = folder.call("run", many, "-n", 1, "--workers", 1, "-q", "--ids").stdout
    told = " ".join(text.split("OVERLOAD")[1].split("post  ")[0].split())
    yarag = told.split("yarag_kazmalyar_ru.exit.lanes:")[1].split("saturated from")[0]
    for words in ("of capacity; capacity 550", "passes", "queue +", "unserved"):
        assert words in yarag


def test_with_a_twentieth_of_the_demand_the_stay_is_that_of_an_empty_post(folder):
    few = demand(folder, 0.05, 22, 8)
    rows = folder.rows("run", few, "-n", 8, "--workers", 1, "--indicator", "stay_h", "--indicator", "wait_h")
    for direction in ("exit", "entry"):
        at = {"kind": "post", "place": "yarag_kazmalyar_ru", "direction": direction}
        error_h = (folder.value(rows, "stay_h", "high", **at) - folder.value(rows, "stay_h", **at)) / 2.36
        assert folder.value(rows, "stay_h", **at) == pytest.approx(PUBLISHED_STAY_H, abs=STAY_TOLERANCE_H + 3 * error_h)
        assert error_h < 0.03
        assert folder.value(rows, "wait_h", **at) < 0.01


# ---------------------------------------------------------------- the same draws, the same bytes

ADDED = {
    "lane": "[checkpoints.north_a.exit.lanes]\nlanes = 4\n",
    "stage": '[checkpoints.north_a.exit.scan]\nlanes = 1\nservice = { kind = "exponential", mean_h = 0.05 }\n',
    "flow": '[flows.almonds]\norigin = "mill"\ndestination = "market"\nper_day = 20\n',
    "checkpoint": """
[places.other]
[checkpoints.a_post]
crossing = "a"
exit.lanes = { lanes = 1, service = { kind = "exponential", mean_h = 0.1 } }
[checkpoints.a_post_too]
crossing = "a"
entry.lanes = { lanes = 1, service = { kind = "exponential", mean_h = 0.1 } }
[legs.a]
kind = "road"
from = "mill"
to = "a_post"
length_km = 5
speed_kmh = 40
[legs.aa]
kind = "road"
from = "a_post"
to = "a_post_too"
length_km = 5
speed_kmh = 40
border = true
[legs.aaa]
kind = "road"
from = "a_post_too"
to = "other"
length_km = 5
speed_kmh = 40
[flows.a_flow]
origin = "mill"
destination = "other"
per_day = 9
""",
    "improvement": """
[improvements.more]
kind = "add_lanes"
at = "checkpoints.north_b.entry.lanes"
lanes = 1
from = 2024-01-03
""",
}
RANDOM = """
[run]
horizon_days = 5
[checkpoints.north_a.exit.lanes]
service = { kind = "gamma", mean_h = 0.25, cv = 0.5 }
[checkpoints.north_b.entry.check]
lanes = 1
share = 0.3
service = { kind = "lognormal", mean_h = 0.1, cv = 1.0 }
breakdown = { up = { kind = "exponential", mean_h = 30 }, down = { kind = "exponential", mean_h = 1 } }
[legs.from_border]
speed_cv = 0.2
"""


def draws(name):
    """Every sampled number under a name that does not depend on what else there is."""
    plan = cs.make_plan(cs.load_scenario(name))
    sampled = Sampler(plan, 11).sample(range(2))
    found = {}
    for flow, inputs in zip(plan.flows, sampled.flows, strict=True):
        found[flow.id, "release"] = inputs.release_h
        for key, arrays in inputs.duration_h.items():
            found.update({(flow.id, "duration", key, k): array for k, array in enumerate(arrays)})
        found.update({(flow.id, "uniform", key): array for key, array in inputs.uniform.items()})
    for element, rows in sampled.outages.items():
        down = [[(one.from_h, one.until_h) for one in row] for row in rows]
        found["", "outage", plan.elements[element].id] = np.array([edge for row in down for one in row for edge in one])
    return found


@pytest.mark.parametrize("what", ADDED)
def test_what_is_added_leaves_every_other_sampled_number_bitwise_unchanged(folder, what):
    base = folder.write("base", RANDOM)
    more = folder.write("more", ADDED[what], extends=base)
    before, after = draws(base), draws(more)
    assert len(before) >= 8
    assert set(before) <= set(after)
    for key, numbers in before.items():
        assert numbers.size
        assert numbers.tobytes() == after[key].tobytes(), key


def test_one_and_two_processes_print_the_same_bytes(folder):
    base = folder.write("base", RANDOM)
    common = ("run", base, "-n", 5, "-q", "--format", "csv", "--per-replication")
    alone, together = (folder.call(*common, "--workers", workers) for workers in (1, 2))
    assert alone.exit_code == together.exit_code == 0
    assert len(alone.stdout) > 10_000
    assert alone.stdout == together.stdout


# ---------------------------------------------------------------- what a run says


def test_a_run_says_dates_visits_replications_and_intervals(folder):
    text = folder.call("run", "baseline_2023", "-n", 2, "--horizon-days", 14, "--workers", 1, "-q").stdout
    for words in ("2023-05-22 00:00 to 2023-06-05 00:00 UTC, 14 days", "replications  2", "visits", "95 % interval"):
        assert words in text
    assert text.count("±") > 20


def test_what_is_created_is_finished_or_inside(folder):
    options = [part for name in ("created", "finished", "unfinished") for part in ("--indicator", name)]
    rows = folder.rows("run", "border.toml", "-n", 2, "--workers", 1, *options)
    at = {"kind": "corridor", "place": "all"}
    created, finished, unfinished = (folder.value(rows, name, **at) for name in ("created", "finished", "unfinished"))
    assert created == finished + unfinished
    assert unfinished > 0


def test_every_indicator_listed_can_be_asked_for_by_its_name(folder):
    listed = folder.call("kinds", "indicators", "--format", "json").stdout
    names = [one["kind"] for one in json.loads(listed)["indicators"]]
    names.remove("delivered_teu")  # no flow of this border says how many TEU one of its consignments is
    names = [name for name in names if not name.startswith("extra_lane")]  # no stage here opens lanes by its queue
    names = [name for name in names if name != "lost" and not name.startswith("left_queue")]  # nor has one patience
    for name in names:
        rows = folder.rows("run", "border.toml", "-n", 1, "--horizon-days", 2, "--workers", 1, "--indicator", name)
        assert rows, name
    assert {row["indicator"] for row in folder.rows("run", "border.toml", "-n", 1, "--indicator", "queue")} == {
        "queue_mean", "queue_p95", "queue_max",
    }  # fmt: skip
    none = folder.call("run", "border.toml", "--indicator", "delivered_teu")
    assert none.exit_code == 2
    assert "this scenario has no row 'delivered_teu' of 'delivered'" in " ".join(none.output.split())
