"""What differs between two scenarios, as people read it: names, old and new value, unit, dates."""

import json

import pytest
from click.testing import CliRunner

import corridor_sim as cs
from corridor_sim.cli.commands import main
from corridor_sim.results.input_words import inputs_told, words_of


def told(base, other):
    return inputs_told(cs.load_scenario(base), cs.load_scenario(other))


def test_the_pair_of_the_readme_says_what_the_roadmap_sets_where_and_when():
    lines = told("year_2026_base", "year_2026_roadmap")
    assert lines == [
        "Electronic queue at Tagirkent-Kazmalyar (from 2024-12-25): Tagirkent-Kazmalyar RU, exit: "
        "booked slots 200 a day",
        "Measures of 2025 at Yarag-Kazmalyar, exit (from 2025-01-01): Yarag-Kazmalyar RU, exit, Truck lanes: "
        "mean service time 0.24 -> 0.216 h",
        "Measures of 2025 at Yarag-Kazmalyar, entry (from 2025-01-01): Yarag-Kazmalyar RU, entry, Truck lanes: "
        "mean service time 0.24 -> 0.216 h",
        "More trucks a day taken over from Iran at Astara (from 2025-12-23): Astara IR, exit: "
        "daily acceptance 250 -> 360 a day",
        "More trucks a day taken over by Iran at Astara (from 2025-12-23): Astara AZ, exit: "
        "daily acceptance 250 -> 260 a day",
        "adds the range of Measures of 2025 at Yarag-Kazmalyar, entry and of 1 more figure: service time, factor "
        "0.85 to 1",
    ]


def test_the_other_way_round_values_change_places():
    assert (
        "without More trucks a day taken over from Iran at Astara (from 2025-12-23): Astara IR, exit: "
        "daily acceptance 360 -> 250 a day"
    ) in told("year_2026_roadmap", "year_2026_base")


def test_measures_at_one_value_follow_each_other():
    base = cs.load_scenario("teaching")
    lanes = cs.AddLanes(at="checkpoints.northgate_a.exit.lanes", lanes=2, from_="2025-01-01")
    more = cs.AddLanes(at="checkpoints.northgate_a.exit.lanes", lanes=1, from_="2025-02-01", until="2025-03-01")
    other = base.with_improvements(first=lanes, second=more)
    assert inputs_told(base, other) == [
        "first (from 2025-01-01): Northgate A, exit, Truck lanes: lanes 3 -> 5",
        "second (from 2025-02-01 until 2025-03-01): Northgate A, exit, Truck lanes: lanes 5 -> 6",
    ]


def test_a_place_that_two_values_of_a_measure_share_is_named_once():
    assert told("teaching", "teaching_priority_lane")[0] == (
        "bread lane a: Northgate A, exit, Truck lanes: reserved perishable lanes 0 -> 1; lanes 3 -> 4"
    )


def test_a_closure_says_when_and_that_what_was_open_is_closed():
    lines = told("do_nothing_2026", "shock_2026")
    closed = [line for line in lines if line.startswith("Astara closed")]
    when, what = "from 2026-03-05 13:00 until 2026-03-09 06:00", "leg Astara AZ – Astara IR: open -> closed"
    assert closed == [f"Astara closed ({when}): {what}"]
    assert "run: horizon 38 -> 45 days" in lines


def test_what_only_one_states_is_held_against_the_default_of_the_other():
    assert "Khanoba AZ: open no -> yes" in told("no_roadmap_2023", "observed_2023")


def test_things_that_come_and_go_are_called_by_name():
    base = cs.load_scenario("teaching")
    id, flow = next(iter(base.flows.items()))
    fewer = base.replace(flows={k: f for k, f in base.flows.items() if k != id})
    assert inputs_told(base, fewer) == [f"removes flow {flow.name or id}: {flow.per_day:g} a day"]
    assert inputs_told(fewer, base) == [f"adds flow {flow.name or id}: {flow.per_day:g} a day"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"of": ["flows.flour.per_day"], "low": 100.0, "high": 150.0},
            "the range of Flour to market: 100 to 150 a day",
        ),
        (
            {"of": ["flows.*.per_day"], "low_factor": 0.9, "high_factor": 1.2},
            "the range of Empty trucks back and of 2 more figures: 0.9 to 1.2 times the stated value",
        ),
        (
            {"of": ["checkpoints.northgate_a.exit.lanes.lanes"], "alternatives": [3, 4]},
            "the range of Northgate A, exit, Truck lanes: lanes 3 or 4",
        ),
        ({"of": ["flows.flour.per_day"], "exact": "counted"}, "the range of Flour to market: none, it is exact"),
    ],
)
def test_a_range_is_called_by_the_figures_that_have_it(given, words):
    base = cs.load_scenario("teaching")
    reason = {} if "exact" in given else {"reason": "made up"}
    base = base.replace(ranges={})
    other = base.replace(ranges={"mine": {**given, **reason}})
    assert inputs_told(base, other) == [f"adds {words}"]
    assert inputs_told(other, base) == [f"removes {words}"]


def test_sources_and_notes_are_one_line():
    base = cs.load_scenario("teaching")
    noted = {id: post.replace(note="another note", source="somebody") for id, post in base.checkpoints.items()}
    count = len(noted)
    assert inputs_told(base, base.replace(checkpoints=noted)) == [f"sources and notes: of {count} figures"]


def test_a_scenario_does_not_differ_from_itself():
    assert told("teaching", "teaching") == []


@pytest.mark.parametrize(
    ("path", "what", "unit"),
    [
        ("checkpoints.northgate_a.exit.lanes.service.mean_h", "mean service time", "h"),
        ("flows.flour.per_day", "", "a day"),
        ("flows.flour.value_usd_t", "value", "US$/t"),
        ("run.warm_up_days", "warm up", "days"),
        ("legs.road.speed_kmh", "speed", "km/h"),
    ],
)
def test_a_field_has_words_and_its_unit(path, what, unit):
    assert words_of(cs.load_scenario("teaching"), path)[1:] == (what, unit)


def test_diff_prints_names_and_on_request_ids():
    shown = CliRunner().invoke(main, ["diff", "year_2026_base", "year_2026_roadmap"])
    assert shown.exit_code == 0
    assert shown.output.startswith("year_2026_roadmap against year_2026_base: 6 differences\n")
    assert "daily acceptance 250 -> 360 a day\n" in shown.output
    assert max(map(len, shown.output.splitlines())) <= 80
    ids = CliRunner().invoke(main, ["diff", "year_2026_base", "year_2026_roadmap", "--ids"]).output
    assert "adds improvements.astara_acceptance_out_of_iran" in ids


def test_diff_in_json_has_numbers_and_paths():
    shown = CliRunner().invoke(main, ["diff", "astara_winter_2025", "astara_acceptance", "--format", "json"])
    first = json.loads(shown.output)["changes"][0]
    assert (first["old"], first["new"], first["unit"]) == (250, 360, "a day")
    assert first["path"] == "checkpoints.astara_ir.acceptance.exit.per_day"
    assert first["from"].startswith("2025-12-23")


def test_a_frame_has_a_row_a_value():
    frame = cs.diff("year_2026_base", "year_2026_roadmap")
    row = frame[frame["path"] == "checkpoints.yarag_kazmalyar_ru.exit.lanes.factor"].iloc[0]
    assert row["old"] == pytest.approx(0.24)
    assert row["new"] == pytest.approx(0.216)
    assert row["unit"] == "h"
