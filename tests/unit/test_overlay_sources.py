"""A file that extends another: a new value never keeps what is said of the old one (rule D34)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import corridor_sim as cs
from corridor_sim.files import packaged
from corridor_sim.files.overlay_sources import resaid
from corridor_sim.files.overlays import read_document
from corridor_sim.model.provenance import FigureRow, figures_of

HEAD = 'schema = 1\nname = "mine"\nextends = "base.toml"\n'
BASE = """\
schema = 1
name = "base"
[run]
start = 2024-01-01
horizon_days = 7
[sources.count]
title = "Count of the post"
[sources.law]
title = "Study of the post"
[places.a]
[places.b]
[legs.road]
kind = "road"
from = "a"
to = "gate"
length_km = 10.0
speed_kmh = 50.0
status = "published"
source = "count"
[legs.on]
kind = "road"
from = "gate"
to = "b"
length_km = 5.0
speed_kmh = 40.0
[checkpoints.gate]
country = "AZ"
crossing = "gate"
utc_offset_h = 4.0
[checkpoints.gate.exit.lanes]
lanes = 3
service = { kind = "gamma", mean_h = 0.25, cv = 0.5 }
status = "derived"
source = "count"
note = "three lanes"
figures."service.mean_h" = { status = "published", source = "law", low = 0.2, high = 0.4, range_source = "law" }
figures."service.cv" = { status = "published", source = "law", exact = "It is said so." }
figures.trucks_per_day = { low = 100.0, high = 500.0, range_source = "count" }
[flows.goods]
origin = "a"
destination = "b"
direction = "southbound"
per_day = 100.0
load_t = 20.0
status = "published"
source = "count"
figures.per_day = { low = 90.0, high = 130.0, range_source = "count" }
"""


@pytest.fixture
def rows(tmp_path: Path):
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")

    def rows(text: str) -> dict[str, FigureRow]:
        (tmp_path / "mine.toml").write_text(HEAD + text, encoding="utf-8")
        scenario = cs.load_scenario(tmp_path / "mine.toml")
        assert cs.loads(cs.dumps(scenario)) == scenario
        return {row.path: row for row in figures_of(scenario)}

    return rows


UNSAID = "mine.toml, no source given"
LANES = "checkpoints.gate.exit.lanes"


def said(row: FigureRow) -> tuple[str, str, str]:
    return row.status, row.source, row.note


def test_a_new_value_without_a_source_is_assumed_and_keeps_a_range_that_holds_it(rows):
    found = rows("[flows.goods]\nper_day = 120.0\n")
    new, left = found["flows.goods.per_day"], found["flows.goods.load_t"]
    assert said(new) == ("assumed", UNSAID, "")
    assert (new.low, new.high, new.range_source) == (90.0, 130.0, "count")
    assert said(left) == ("published", "count", "")


def test_a_new_value_outside_of_the_old_range_is_refused(rows):
    with pytest.raises(cs.ScenarioError, match="does not hold the value"):
        rows("[flows.goods]\nper_day = 131.0\n")


def test_the_same_value_is_no_new_one(rows):
    assert said(rows("[flows.goods]\nper_day = 100.0\n")["flows.goods.per_day"]) == ("published", "count", "")


def test_a_source_is_of_the_values_of_its_table_and_not_of_those_left_to_the_base(rows):
    found = rows('[flows.goods]\nper_day = 120.0\nsource = "own scales"\nstatus = "derived"\n')
    assert said(found["flows.goods.per_day"]) == ("derived", "own scales", "")
    assert said(found["flows.goods.load_t"]) == ("published", "count", "")


def test_words_without_a_value_are_of_all_of_the_table(rows):
    found = rows('[flows.goods]\nsource = "own scales"\nstatus = "derived"\n')
    assert said(found["flows.goods.per_day"]) == said(found["flows.goods.load_t"]) == ("derived", "own scales", "")


def test_a_source_beside_the_value_does_not_take_over_the_old_status(rows):
    found = rows('[checkpoints.gate.exit.lanes]\nservice.mean_h = 0.3\nfigures."service.mean_h" = { source = "me" }\n')
    assert said(found[f"{LANES}.service.mean_h"]) == ("", "me", "")
    assert said(found[f"{LANES}.service.cv"]) == ("published", "law", "")


def test_a_parameter_of_a_law_alone_is_new_and_the_others_stay(rows):
    found = rows("[checkpoints.gate.exit.lanes]\nservice.cv = 0.7\n")
    assert said(found[f"{LANES}.service.cv"]) == ("assumed", UNSAID, "")
    assert not found[f"{LANES}.service.cv"].exact
    assert said(found[f"{LANES}.service.mean_h"]) == ("published", "law", "")
    assert said(found[f"{LANES}.lanes"]) == ("derived", "count", "three lanes")


def test_a_law_of_another_kind_takes_nothing_over_but_a_range_that_holds(rows):
    found = rows('[checkpoints.gate.exit.lanes]\nservice = { kind = "exponential", mean_h = 0.3 }\n')
    new = found[f"{LANES}.service.mean_h"]
    assert said(new) == ("assumed", UNSAID, "")
    assert (new.low, new.high) == (0.2, 0.4)
    found = rows('[checkpoints.gate.exit.lanes]\nservice = { kind = "deterministic", value_h = 0.25 }\n')
    assert said(found[f"{LANES}.service.value_h"]) == ("assumed", UNSAID, "")
    assert f"{LANES}.service.mean_h" not in found


def test_what_is_said_of_parameters_that_a_new_law_has_not_goes_where_the_table_has_a_source(rows):
    law = 'service = { kind = "exponential", mean_h = 0.3 }\nstatus = "derived"\nsource = "law"\n'
    found = rows(f"[checkpoints.gate.exit.lanes]\n{law}")
    assert "checkpoints.gate.exit.lanes.service.cv" not in found
    assert said(found["checkpoints.gate.exit.lanes.service.mean_h"])[:2] == ("derived", "law")
    # The lanes are left to the base, with what it says of them.
    assert said(found["checkpoints.gate.exit.lanes.lanes"]) == ("derived", "count", "three lanes")


def test_a_parameter_at_its_default_may_be_said(rows):
    found = rows('[checkpoints.gate.exit.lanes]\nservice = { kind = "lognormal", mean_h = 0.3, cv = 0.5 }\n')
    assert said(found[f"{LANES}.service.mean_h"]) == ("assumed", UNSAID, "")
    found = rows("[flows.goods]\ngrowth_per_year = 0.0\n")
    assert "flows.goods.growth_per_year" not in found


def test_what_follows_from_a_new_value_is_of_its_source(rows):
    product = rows("[checkpoints.gate.exit.lanes]\nlanes = 4\n")[f"{LANES}.trucks_per_day"]
    assert said(product) == ("derived", UNSAID, "")
    assert (product.low, product.high) == (100.0, 500.0)
    product = rows('[checkpoints.gate.exit.lanes]\nlanes = 4\nfigures.lanes.source = "me"\n')[f"{LANES}.trucks_per_day"]
    assert said(product) == ("derived", "me", "")
    assert said(rows("")[f"{LANES}.trucks_per_day"]) == ("derived", "count", "three lanes")


def test_other_ends_do_not_keep_who_gave_the_old_ones(rows):
    figure = "[flows.goods]\nfigures.per_day = { low = 80.0, high = 140.0"
    with pytest.raises(cs.ScenarioError, match="a range needs a source or a reason"):
        rows(figure + " }\n")
    row = rows(figure + ', range_reason = "by judgement" }\n')["flows.goods.per_day"]
    assert (row.low, row.high, row.range_source, row.range_reason) == (80.0, 140.0, "", "by judgement")
    row = rows('[flows.goods]\nfigures.per_day = { alternatives = [100.0, 120.0], range_reason = "two" }\n')
    assert row["flows.goods.per_day"].alternatives == (100.0, 120.0)
    assert row["flows.goods.per_day"].low is None
    row = rows('[flows.goods]\nfigures.per_day = { exact = "agreed" }\n')["flows.goods.per_day"]
    assert row.exact == "agreed"
    assert not row.ranged


def test_published_by_nobody_is_refused_at_its_line(rows):
    with pytest.raises(cs.ScenarioError, match=r"mine.toml:7: flows.goods.figures.per_day.status") as error:
        rows('[flows.goods]\nper_day = 120.0\n\nfigures.per_day.status = "published"\n')
    assert "no source" in error.value.problems[0].message


def test_what_is_said_to_be_assumed_needs_no_source(rows):
    found = rows('[flows.goods]\nper_day = 120.0\nfigures.per_day.status = "assumed"\n')
    assert said(found["flows.goods.per_day"]) == ("assumed", "", "")


def test_what_was_said_of_a_removed_value_goes_with_it_and_one_that_is_put_back_is_no_new_one(rows):
    found = rows(
        'remove = ["checkpoints.gate.exit.lanes.service"]\n'
        '[checkpoints.gate.exit.lanes]\nservice = { kind = "gamma", mean_h = 0.25, cv = 0.75 }\n'
    )
    at = "checkpoints.gate.exit.lanes.service"
    assert said(found[f"{at}.cv"])[:2] == ("assumed", "mine.toml, no source given")
    assert found[f"{at}.cv"].exact == ""
    assert said(found[f"{at}.mean_h"])[:2] == ("published", "law")
    assert (found[f"{at}.mean_h"].low, found[f"{at}.mean_h"].high) == (0.2, 0.4)


def test_a_new_object_and_one_without_words_in_the_base_say_no_more_than_they_say(rows):
    new = '[legs.new]\nkind = "road"\nfrom = "a"\nto = "b"\nlength_km = 9.0\nspeed_kmh = 9.0\n'
    found = rows("[legs.on]\nlength_km = 6.0\n" + new)
    assert said(found["legs.on.length_km"]) == said(found["legs.new.length_km"]) == ("", "", "")


def test_every_file_of_a_chain_answers_for_its_own_values(tmp_path):
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    (tmp_path / "one.toml").write_text(HEAD + "[flows.goods]\nper_day = 120.0\nload_t = 21.0\n", encoding="utf-8")
    two = HEAD.replace("base.toml", "one.toml") + '[flows.goods]\nper_day = 110.0\nsource = "me"\n'
    (tmp_path / "two.toml").write_text(two, encoding="utf-8")
    found = {row.path: row for row in figures_of(cs.load_scenario(tmp_path / "two.toml"))}
    assert said(found["flows.goods.per_day"]) == ("", "me", "")
    assert said(found["flows.goods.load_t"]) == ("assumed", "one.toml, no source given", "")
    told = [one for one in cs.check(tmp_path / "two.toml") if "no source" in one.message]
    assert [(Path(one.file).name, one.line, one.path) for one in told] == [("one.toml", 6, "flows.goods.load_t")]


def test_check_names_the_values_and_a_run_does_not(tmp_path):
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    (tmp_path / "mine.toml").write_text(HEAD + "[flows.goods]\nper_day = 120.0\nload_t = 21.0\n", encoding="utf-8")
    before = cs.check(tmp_path / "base.toml")
    (problem,) = [one for one in cs.check(tmp_path / "mine.toml") if one not in before]
    assert (problem.path, problem.line, problem.severity) == ("flows.goods.per_day", 5, "warning")
    assert "flows.goods.load_t" in problem.message
    cs.run(tmp_path / "mine.toml", replications=5)  # Warnings are errors in these tests.


def test_what_is_set_by_hand_is_assumed(tmp_path):
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    law = {"kind": "deterministic", "value_h": 0.25}
    values = {"flows.goods.per_day": 120.0, f"{LANES}.service": law, "flows.goods.load_t": 20.0}
    scenario = cs.load_scenario(tmp_path / "base.toml", values)
    found = {row.path: row for row in figures_of(scenario)}
    by_hand = ("assumed", "set by hand, no source given", "")
    assert said(found["flows.goods.per_day"]) == said(found[f"{LANES}.service.value_h"]) == by_hand
    assert said(found["flows.goods.load_t"]) == ("published", "count", "")
    changed = cs.load_scenario(tmp_path / "base.toml").with_value("flows.goods.per_day", 120.0)
    found = {row.path: row for row in figures_of(changed.with_value(f"{LANES}.service.cv", 0.7))}
    assert said(found["flows.goods.per_day"]) == said(found[f"{LANES}.service.cv"]) == by_hand
    assert said(found["flows.goods.load_t"]) == ("published", "count", "")
    assert said(found[f"{LANES}.service.mean_h"]) == ("published", "law", "")


def test_a_source_that_is_set_by_hand_stays(tmp_path):
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    values = {"flows.goods.per_day": 120.0, "flows.goods.figures.per_day.source": "me"}
    scenario = cs.load_scenario(tmp_path / "base.toml", values)
    assert scenario.flows["goods"].figures["per_day"].source == "me"


def test_who_says_a_value_is_no_other_input(tmp_path):
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    (tmp_path / "mine.toml").write_text(HEAD + "[flows.goods]\nper_day = 120.0\n", encoding="utf-8")
    compared = cs.compare(tmp_path / "base.toml", tmp_path / "mine.toml", replications=5)
    (lines,) = compared.inputs_diff(ids=True).values()
    assert lines == ["changes flows.goods.per_day from 100.0 to 120.0"]


@pytest.mark.parametrize("name", sorted(packaged.packaged_files()))
def test_every_new_value_of_a_packaged_scenario_has_a_source(name):
    assert read_document(packaged.packaged_files()[name]).assumed == ()


@pytest.mark.parametrize("page", ["recipes"])
def test_every_new_value_of_a_recipe_has_a_source(page):
    files = list((Path(__file__).parents[2] / "docs" / page).glob("*.toml"))
    extending = [file for file in files if "extends" in tomllib.loads(file.read_text(encoding="utf-8"))]
    assert extending
    assert all(read_document(file).assumed == () for file in extending)


def test_tables_that_are_none_are_left_to_who_reads_them():
    base = {"flows": {"a": {"per_day": 1.0, "source": "x", "figures": 3}}, "legs": 4}
    own = {"flows": {"a": {"per_day": 2.0, "status": 5}, "b": 7}, "legs": {"c": {"length_km": 1.0}}}
    assert resaid(base, own, [], "mine.toml", {}).new == [("flows", "a", "per_day")]
