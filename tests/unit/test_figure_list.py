"""The list of figures: each with status, source and range; how many ranges have a source."""

import csv
import io
import json

import pytest
from command_line import called
from small_corridor import small

import corridor_sim as cs
from corridor_sim.model.provenance import figures_of
from corridor_sim.report.figure_list import counts_of, text_of


def test_figures_are_listed_with_status_source_and_range():
    frame = cs.figures("year_2026_roadmap").set_index("path")
    quota = frame.loc["checkpoints.astara_ir.acceptance.exit.per_day"]
    assert (quota["value"], quota["low"], quota["high"], quota["whole"]) == (250.0, 230.0, 400.0, True)
    assert (quota["status"], quota["range_status"], quota["range_source"]) == (
        "derived",
        "sourced",
        "mehr_2025_10b, tehrantimes_2025_12",
    )
    start = frame.loc["flows.south_bilateral.crossing_shares.start.samur"]
    assert (start["range_status"], bool(start["exact"])) == ("exact", True)
    assert not (frame["range_status"] == "").any()


def test_the_share_of_ranges_with_a_source_is_counted():
    told = {"of": ["flows.*.per_day"], "low_factor": 0.5, "high_factor": 2.0}
    counts = counts_of(list(figures_of(small(ranges={"a": {**told, "source": "a count"}}))))
    assert counts["share_sourced"] == 1.0
    assert counts["without"] == counts["figures"] - counts["ranged"] > 0
    assert counts_of(list(figures_of(small())))["share_sourced"] is None


@pytest.mark.parametrize("name", ["year_2026_roadmap", "opening_2022", "teaching"])
def test_the_table_is_no_wider_than_a_terminal_and_counts_every_figure_once(name):
    rows = list(figures_of(cs.load_scenario(name)))
    text = text_of(name, rows)
    assert max(len(line) for line in text.splitlines()) <= 80
    paths = {row.path for row in rows}
    listed = [line.strip().split(", ") for line in text.splitlines() if line.strip().split(", ")[0] in paths]
    assert sum(1 + (int(more[0].split()[0]) if more else 0) for _, *more in listed) == len(rows)


def test_figures_that_do_not_move_together_stand_under_what_they_are():
    scenario = small(ranges={"a": {"of": ["flows.*.per_day"], "alternatives": [60, 90], "reason": "x", "apart": True}})
    text = text_of("small", [row for row in figures_of(scenario) if row.path.endswith(".per_day")])
    assert "each on its own" in text
    assert " or " in text


def test_the_command_lists_figures_as_table_csv_and_json():
    table = called("figures", "teaching")
    assert table.exit_code == 0
    assert table.stdout.startswith("teaching: 49 figures; 8 with a range, 41 exact, 0 with neither.")
    rows = list(csv.DictReader(io.StringIO(called("figures", "teaching", "base", "--format", "csv").stdout)))
    assert {row["scenario"] for row in rows} == {"teaching", "base"}
    (told,) = json.loads(called("figures", "teaching", "--format", "json").stdout)["scenarios"]
    assert (told["ranged"], told["sourced"], len(told["rows"])) == (8, 0, 49)


def test_only_the_figures_asked_for_are_listed():
    rows = list(
        csv.DictReader(io.StringIO(called("figures", "teaching", "--only", "*.share", "--format", "csv").stdout))
    )
    assert [row["path"] for row in rows] == ["checkpoints.northgate_b.entry.xray.share"]
    nothing = called("figures", "teaching", "--only", "flows.*.shares")
    assert nothing.exit_code == 2
    assert "no figure of teaching fits 'flows.*.shares'" in nothing.stderr


def test_a_value_that_is_set_is_the_one_that_is_listed():
    set_to = called("figures", "teaching", "--set", "flows.flour.per_day=200", "--only", "flows.flour.per_day")
    assert "200, 170 to 210" in set_to.stdout
