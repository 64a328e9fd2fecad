"""Observations of a border of one's own: from a list, a file or the package, and whether they fit the scenario."""

import json
import math

import numpy as np
import pytest
from command_line import called
from test_observations import ROOM, SETTINGS, SPRING, count
from test_uncertainty import ranged

import corridor_sim as cs
from corridor_sim.core.errors import CorridorError, ScenarioError
from corridor_sim.files.packaged import scenario_files
from corridor_sim.study.given_observations import SIGNED, judging_observations

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
WHERE = {"kind": "crossing", "place": "astara", "direction": "IR>AZ"}
FILE = """[observations.count]
value = 50.0
discrepancy_sd = 2.0
posts = [["astara_ir", "exit"]]
since = 2024-03-01
until = 2024-04-01
"""


# ---------------------------------------------------------------- which observations judge


def test_the_packaged_counts_of_no_post_of_a_corridor_do_not_blame_its_model():
    with pytest.raises(CorridorError, match="no packaged observation belongs to this corridor: no flow of it comes to"):
        cs.uncertainty("teaching", observations="packaged", draws=4, rng=1, workers=1)


def test_the_command_says_the_same_of_a_border_without_the_packaged_posts():
    result = called("compare", "teaching", "teaching", "--inputs", "4", "--observed", "-q", "--workers", "1")
    assert result.exit_code == 2
    assert "no packaged observation belongs to this corridor" in " ".join(result.stderr.split())


def test_packaged_counts_of_posts_that_no_flow_comes_to_are_left_out_and_named():
    scenario = cs.load_scenario("year_2026_base")
    here = {id: flow for id, flow in scenario.flows.items() if id.startswith("astara")}
    with pytest.warns(cs.CorridorWarning, match="are left out: .*bilasuvar_2025"):
        found = judging_observations("packaged", scenario.replace(flows=here))
    assert {post for one in found for post, _ in one.posts} == {"astara_ir"}


def test_every_packaged_count_belongs_to_the_scenarios_of_2026(recwarn):
    names = [one.name for one in judging_observations("packaged", cs.load_scenario("year_2026_base"))]
    assert {"astara_out_2025", "bilasuvar_2025", "russia_2024_h1"} <= set(names)
    assert not [one for one in recwarn if "left out" in str(one.message)]


def test_a_file_judges_as_the_list_does_and_so_it_does_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seen.toml").write_text(FILE)
    listed = cs.uncertainty(ranged(**ROOM), observations=[count()], **SETTINGS)
    read = cs.uncertainty(ranged(**ROOM), observations="seen.toml", **SETTINGS)
    assert np.array_equal(listed.main.kept, read.main.kept)
    assert 0 < read.main.kept.sum() < 64
    cs.save_scenario(ranged(**ROOM), tmp_path / "base.toml")
    cs.save_scenario(ranged(**ROOM).replace(name="same"), tmp_path / "same.toml")
    words = ["--inputs", "64", "-n", "1", "--prior", "uniform", "--at", "astara", "--seed", "3", "--workers", "1", "-q"]
    result = called("compare", "base.toml", "same.toml", *words, "--observations", "seen.toml", "--format", "json")
    assert json.loads(result.stdout)["draws"]["kept"] == {"uniform": int(read.main.kept.sum())}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--observations", "seen.toml"], "--observations needs --inputs"),
        (["--inputs", "4", "--observed", "--observations", "x.toml"], "give one of the two"),
        (["--inputs", "4", "--waves", "2"], "--waves needs --observed or --observations"),
        (["--inputs", "1"], "1 is not in the range"),
        (["--inputs", "4", "--observations", "none.toml"], "none.toml: does not exist"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words, told):
    result = called("compare", "teaching", "teaching", *words, "-q")
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


# ---------------------------------------------------------------- do they fit the scenario


def row(name="row", value=5.0, **more):
    return cs.Observation(name=name, value=value, **({"sd": 1.0, "indicator": "tfi1", "where": WHERE} | more))


def test_what_does_not_fit_is_told_before_anything_runs_all_at_once(monkeypatch):
    monkeypatch.setattr("corridor_sim.study.uncertainty.run_all", lambda *_, **__: pytest.fail("ran"))
    with pytest.raises(ScenarioError) as error:
        cs.uncertainty(
            ranged(),
            observations=[
                row("name", indicator="tfi9"),
                row("place", where=WHERE | {"place": "nowhere"}),
                row("unit", unit="km"),
                row("less", value=-1.0),
            ],
            **SETTINGS,
        )
    told = str(error.value)
    expected = [
        "observation name: 0 rows match tfi9",
        "did you mean 'tfi",
        "observation place: 0 rows match tfi1",
        "observation unit: is in km, tfi1 in h",
        "observation less.value = -1.0: must not be below 0",
    ]
    for text in expected:
        assert text in told, text
    with pytest.raises(ScenarioError, match=r"observation count.posts = 'astara_xx': is no post of the scenario"):
        cs.uncertainty(ranged(), observations=[count(posts=(("astara_xx", "exit"),))], **SETTINGS)
    delay = row("delay", indicator="delay_truck_h", where={"kind": "corridor"})
    with pytest.raises(ScenarioError, match="observation delay: is not of astara alone"):
        cs.uncertainty(ranged(), observations=[delay], **SETTINGS)


@pytest.mark.parametrize(("unit", "factor"), [("h", 1.0), ("min", 60.0), ("days", 1 / 24)])
def test_a_row_judges_in_the_unit_of_the_observation(unit, factor):
    stated = cs.uncertainty(ranged(**ROOM), **SETTINGS).stated(0, 0)
    kept = [
        cs.uncertainty(
            ranged(**ROOM),
            observations=[row(value=1.02 * stated * scale, sd=0.001 * stated * scale, unit=name)],
            **SETTINGS,
        ).main.kept
        for name, scale in (("", 1.0), (unit, factor))
    ]
    assert np.array_equal(*kept)


def test_only_rows_that_are_differences_are_below_0_in_packaged_runs():
    below = {
        label.indicator
        for name in ("teaching", "chop_zahony_2025", "disrupted_2026")
        for label, values in cs.run(name, replications=1, rng=1, workers=1).rows
        if (values < 0).any()
    }
    assert below <= set(SIGNED)
    assert "teaching" in scenario_files()


# ---------------------------------------------------------------- one observation


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"value": math.nan}, "value = nan: must be a finite number"),
        ({"value": "fifty"}, "value = 'fifty': must be a finite number"),
        ({"value": True}, "must be a finite number"),
        ({"value": -5.0}, "value = -5.0: must not be below 0"),
        ({"sd": math.inf}, "sd = inf: must be a finite number"),
        ({"sd": -1.0}, "sd = -1.0: must not be below 0"),
        ({"share": 0.0}, "share = 0.0: must be above 0"),
        ({"posts": (("astara_ir", "out"),)}, "must be a list of .post, .exit. or .entry"),
        ({"since": "March"}, "since = 'March': must be a date"),
        ({"where": {"at": 1}, "posts": (), "indicator": "tfi1"}, "where.at: is no column"),
        ({"where": WHERE}, "where: is of a row"),
        ({"indicator": "tfi1", "posts": ()}, "since: is of a count at posts"),
        ({"earlier": (0.0,)}, "earlier = .*: must be a list of numbers above 0"),
        ({"settings": 3}, "settings = 3: must be a table"),
        ({"name": ""}, "name = .*: must be a text"),
    ],
)
def test_values_that_nothing_was_observed_as_are_refused(wrong, told):
    with pytest.raises(ScenarioError, match=told):
        cs.Observation(**({"name": "count", "value": 50.0, "discrepancy_sd": 2.0, **SPRING} | wrong))


def test_four_faults_of_a_file_are_four_lines_with_their_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    faults = FILE.replace("50.0", '"many"').replace("2.0", "-2.0").replace("exit", "out") + 'colour = "red"\n'
    (tmp_path / "seen.toml").write_text(faults)
    with pytest.raises(ScenarioError) as error:
        cs.read_observations("seen.toml")
    lines = str(error.value).splitlines()
    assert sorted(line.split(": ")[0] for line in lines) == [f"seen.toml:{n}" for n in (2, 3, 4, 7)]


def test_a_fault_of_the_whole_table_is_told_beside_those_of_its_fields(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seen.toml").write_text(
        '[observations.a]\nvalue = nan\nindicator = "tfi1"\nsdd = 1\n[observations.b]\nvalue = 1'
    )
    with pytest.raises(ScenarioError) as error:
        cs.read_observations("seen.toml")
    told = str(error.value)
    expected = [
        "seen.toml:2: observations.a.value = nan",
        "seen.toml:4: observations.a.sdd",
        "seen.toml:1: observations.a: needs sd",
        "seen.toml:5: observations.b: needs either an indicator or the posts",
    ]
    for text in expected:
        assert text in told, text
