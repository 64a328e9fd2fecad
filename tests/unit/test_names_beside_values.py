"""A file with wrong values and names that point nowhere is mended once: both are told in one look."""

import copy

import pytest

import corridor_sim as cs
from corridor_sim.files.overlays import read_document
from corridor_sim.files.packaged import packaged_files
from corridor_sim.model.readable import with_names
from corridor_sim.model.scenario import Scenario

SLIPS = {
    "per_day = 130.0 ": ('per_day = "130,5" ', "flows.flour.per_day"),
    "lanes = 3\n": ("lanes = -3\n", "checkpoints.northgate_a.exit.lanes.lanes"),
    '"gamma", mean_h = 0.25': ('"gama", mean_h = 0.25', "checkpoints.northgate_b.entry.xray.service.kind"),
    "share = 0.35 ": ("share = 35 ", "checkpoints.northgate_b.entry.xray.share"),
    "start = 2024-01-01 ": ('start = "01.02.2024" ', "run.start"),
    'to = "northgate_a"': ('to = "nordgate_a"', "legs.mill_northgate.to"),
    'destination = "market"': ('destination = "marked"', "flows.flour.destination"),
    'profile = "by_day"': ('profile = "byday"', "flows.flour.profile"),
    'priority = ["perishable"]': ('priority = ["perishables"]', "checkpoints.northgate_a.exit.lanes.priority"),
}


def teaching():
    return packaged_files()["teaching"].read_text(encoding="utf-8")


def problems_of(text):
    with pytest.raises(cs.ScenarioError) as raised:
        cs.loads(text)
    return raised.value.problems


def test_names_and_values_are_told_in_one_look():
    text = teaching()
    for right, (wrong, _) in SLIPS.items():
        assert right in text
        text = text.replace(right, wrong, 1)
    found = problems_of(text)
    assert sorted(one.path for one in found) == sorted(path for _, path in SLIPS.values())
    assert all(one.line and one.file == "text" for one in found)
    assert [one.hint for one in found if one.path == "flows.flour.profile"] == ["did you mean 'by_day'?"]


def test_places_of_improvements_are_looked_at_beside_a_wrong_value():
    text = """
schema = 1
name = "mine"
extends = "teaching"
[flows.flour]
per_day = -1.0
[improvements.one]
kind = "add_lanes"
at = "checkpoints.northgate_b.entry.scanner"
lanes = 1
[improvements.two]
kind = "priority_lane"
at = "checkpoints.northgate_b.entry.lanes"
cargo_class = "perishables"
lanes = 1
"""
    assert [one.path for one in problems_of(text)] == [
        "flows.flour.per_day",
        "improvements.two.cargo_class",
        "improvements.one.at",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        # a stage whose law is unknown is there all the same, and so is a flow whose volume cannot be read
        '[improvements.one]\nkind = "add_lanes"\nat = "checkpoints.northgate_b.entry.xray"\nlanes = 1\n'
        '[checkpoints.northgate_b.entry.xray.service]\nkind = "gama"',
        '[improvements.one]\nkind = "demand_growth"\nat = "flows.flour"\nfactor = 1.2\n[flows.flour]\norigin = 5',
        # a class may be that of the flow whose class cannot be read
        "[flows.bread]\ncargo_class = 5",
        # a leg of an unknown kind may be of the mode that a flow asks for, and on its way
        '[flows.flour]\nmodes = ["rail"]\n[legs.bridge]\nkind = "bridge"',
        '[flows.flour]\nroute = ["mill_northgate", "bridge", "northgate_market"]\n[legs.bridge]\nkind = "bridge"',
        # and a post without a crossing may be of the one that is named
        '[flows.flour]\nbalk = { crossing = "other", threshold_h = 1.0 }\n[checkpoints.northgate_b]\ncrossing = 5',
    ],
)
def test_a_name_that_may_be_right_is_not_accused(lines):
    found = problems_of(f'schema = 1\nname = "mine"\nextends = "teaching"\n{lines}\n')
    assert len(found) == 1, "\n".join(map(str, found))


def leaves(table, path=()):
    for key, value in table.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))


def value_problems(data):
    try:
        Scenario.model_validate(data)
    except cs.ScenarioError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize("name", ["teaching_priority_lane", "shock_2026"])
def test_a_wrong_value_anywhere_accuses_no_name(name):
    """Every value and table of a sound file, each made unreadable: what is told are the problems of that value."""
    data = read_document(packaged_files()[name]).data
    paths = list(leaves(data))
    judged = 0
    for path in paths if len(paths) < 500 else paths[:: len(paths) // 60]:
        broken = copy.deepcopy(data)
        table = broken
        for key in path[:-1]:
            table = table[key]
        table[path[-1]] = [{"no": "value"}]
        problems = value_problems(broken)
        if problems:
            assert with_names(broken, problems) == problems, path
            judged += 1
    assert judged > 50


def test_tables_that_are_none_at_all_are_told_as_before():
    for text in ("flows = 3", "places = 1\ncheckpoints = 2", "run = 5", "legs.a.b.c = 1"):
        found = problems_of(f'schema = 1\nname = "mine"\nextends = "teaching"\n{text}\n')
        assert found
        assert all("known" not in one.message or "key" in one.message for one in found), found


def test_slips_that_are_no_toml_are_told_together():
    text = """schema = 1
name = "mine"
extends = "teaching"
[run]
start = 15.01.2024
[flows.flour]
per_day = 151,5
load_t = 20,5
[checkpoints.northgate_b.entry.xray]
service = { kind = "gamma", mean_h = 0,25, cv = 0.3 }
"""
    found = problems_of(text)
    assert [one.line for one in found] == [5, 7, 8, 10]
    assert found[0].hint == "write a date as 2026-01-31"
    assert {one.hint for one in found[1:]} == {"write numbers with a decimal point"}


def test_what_may_only_follow_from_a_line_left_out_is_not_told():
    found = problems_of('schema = 1\nname = "a"\nlist = 1,5\nother = [\n')
    assert [one.line for one in found] == [3]
    twenty = "\n".join(f"x{n} = 1,5" for n in range(60))
    assert len(problems_of(f"schema = 1\n{twenty}\n")) == 20
