"""Designs: points that are what they say, files that are refused in words, sweeps that end in one line a point."""

import json
import math
import textwrap

import pytest
from command_line import called
from hypothesis import given
from hypothesis import strategies as st

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError, SimulationError
from corridor_sim.files import design_files
from corridor_sim.files.packaged import design_files as packaged_designs
from corridor_sim.study import one_run
from corridor_sim.study import run as study
from corridor_sim.study.designs import points_of, scenarios_of

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")

LANES = "checkpoints.northgate_a.exit.lanes.lanes"
FLOUR = "flows.flour.per_day"
KEPT = ["tfi1", "wait_h", "saturation"]


def teaching():
    scenario = cs.load_scenario("teaching")
    return scenario.replace(run=scenario.run.replace(horizon_days=1, warm_up_days=0, replications=2))


def number(low, high, **more):
    return {"kind": "number", "of": FLOUR, "low": low, "high": high, **more}


def integer(low, high):
    return {"kind": "integer", "of": LANES, "low": low, "high": high}


def rows_of(made, root=0):
    return [tuple(point.shown.values()) for point in points_of(made, root)]


# ---------------------------------------------------------------- points


INTEGERS = st.tuples(st.integers(-50, 50), st.integers(1, 12)).map(lambda ends: integer(ends[0], sum(ends)))
LISTED = st.lists(st.text("abcdef", min_size=1), min_size=2, max_size=4, unique=True).map(
    lambda values: {"kind": "category", "of": "flows.flour.cargo_class", "values": values}
)
ENDS = st.tuples(st.floats(1e-6, 1e6), st.floats(1e-3, 1e6)).map(lambda ends: (ends[0], ends[0] + ends[1]))
NUMBERS = st.tuples(ENDS.filter(lambda e: e[0] < e[1]), st.sampled_from(["linear", "log"])).map(
    lambda one: number(*one[0], scale=one[1])
)
SWITCH = st.just({"kind": "improvement", "of": "second_scanner"})


def several(*kinds):
    """Tables of factors of these kinds, each with a path of its own, and one improvement at most."""

    def with_paths(factors):
        switches = [one for one in factors if one["kind"] == "improvement"][:1]
        others = [one for one in factors if one["kind"] != "improvement"]
        named = {f"x{k}": {**one, "of": f"a.b{k}"} for k, one in enumerate(others)}
        return named | {f"y{k}": one for k, one in enumerate(switches)}

    return st.lists(st.one_of(*kinds), min_size=1, max_size=4).map(with_paths)


LEVELS = NUMBERS.flatmap(lambda one: st.integers(2, 5).map(lambda levels: {**one, "levels": levels}))
EVEN = st.sampled_from(["lhs", "sobol"])
FACTORS = several(INTEGERS, LISTED, NUMBERS, SWITCH)


@given(several(INTEGERS, LISTED, LEVELS, SWITCH))
def test_a_grid_is_the_product_of_its_factors_with_both_ends_of_each(factors):
    made = cs.design(kind="grid", factors=factors)
    rows = rows_of(made)
    assert len(rows) == math.prod(one.count for one in made.factors.values())
    assert len(set(rows)) == len(rows)
    for k, one in enumerate(made.factors.values()):
        shown = [one.shown(value) for value in one.listed]
        assert {row[k] for row in rows} == set(shown)
        if hasattr(one, "low"):
            assert (min(shown), max(shown)) == (one.low, one.high)


@given(
    several(INTEGERS, LISTED, NUMBERS, SWITCH),
    st.sampled_from(["lhs", "sobol"]),
    st.integers(0, 6),
    st.integers(0, 2**64),
)
def test_every_point_lies_within_its_bounds_and_whole_numbers_reach_both_ends(factors, kind, power, root):
    made = cs.design(kind=kind, points=2**power, factors=factors)
    rows = rows_of(made, root)
    assert len(rows) == 2**power
    for k, one in enumerate(made.factors.values()):
        values = [row[k] for row in rows]
        if type(one).kind == "number":
            assert all(one.low <= value <= one.high for value in values)
            continue
        shown = [one.shown(value) for value in one.listed]
        assert set(values) <= set(shown)
        assert {type(value) for value in values} == {type(shown[0])}
        if len(rows) >= len(shown):
            assert {shown[0], shown[-1]} <= set(values)


@given(FACTORS, EVEN, st.integers(0, 2**64))
def test_the_same_seed_gives_the_same_points(factors, kind, root):
    made = cs.design(kind=kind, points=8, factors=factors)
    again = cs.design(made.to_data())
    assert rows_of(made, root) == rows_of(again, root)


def test_another_seed_gives_other_points():
    made = cs.design(kind="sobol", points=8, factors={"x": number(0, 1)})
    assert rows_of(made, 1) != rows_of(made, 2)


@pytest.mark.parametrize("kind", ["lhs", "sobol"])
def test_every_equal_part_of_a_range_has_its_point(kind):
    made = cs.design(
        kind=kind, points=16, factors={"x": number(0, 1), "y": {**number(1, 10**4, scale="log"), "of": "a.b"}}
    )
    rows = rows_of(made, 5)
    assert sorted(int(16 * x) for x, _ in rows) == list(range(16))
    assert sorted(int(4 * math.log10(y)) for _, y in rows) == list(range(16))


def test_points_of_a_seed_are_these_with_every_scipy():
    """Pinned: the points of a stored study must be found again with another version of scipy."""
    factors = {"x": number(0, 1), "y": integer_at("a.b", 1, 8)}
    assert rows_of(cs.design(kind="lhs", points=4, factors=factors), 7) == PINNED["lhs"]
    assert rows_of(cs.design(kind="sobol", points=4, factors=factors), 7) == PINNED["sobol"]


def integer_at(path, low, high):
    return {**integer(low, high), "of": path}


PINNED = {
    "lhs": [(0.77866520484, 8), (0.68309786842, 5), (0.00351714731904, 4), (0.469349155472, 2)],
    "sobol": [(0.435116752051, 6), (0.662070244551, 3), (0.980236334726, 8), (0.238012582995, 1)],
}


def test_points_are_listed_without_a_run():
    made = cs.design(kind="grid", base="teaching", factors={"lanes": integer(2, 3), "flour": number(90, 150, levels=2)})
    frame = cs.design_points(made)
    assert frame.to_dict("list") == {"point": [0, 1, 2, 3], "lanes": [2, 2, 3, 3], "flour": [90.0, 150.0, 90.0, 150.0]}
    drawn = made.replace(kind="lhs", points=3, factors={"lanes": integer(2, 3)})
    assert cs.design_points(drawn).equals(cs.design_points(drawn, cs.load_scenario("teaching").run.seed))
    assert cs.design_points(drawn.replace(seed=5)).equals(cs.design_points(drawn, 5))


# ---------------------------------------------------------------- files


def file_of(folder, text, name="design.toml"):
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


GOOD = """\
    schema = 1
    name = "try"
    base = "teaching"
    kind = "lhs"
    points = 4
    [factors.lanes]
    kind = "integer"
    of = "checkpoints.northgate_a.exit.lanes.lanes"
    low = 2
    high = 4
    [factors.flour]
    kind = "number"
    of = "flows.flour.per_day"
    low = 90
    high = 150
    [factors.law]
    kind = "category"
    of = ["checkpoints.northgate_a.exit.lanes.service", "checkpoints.northgate_b.entry.lanes.service"]
    values = [{ kind = "deterministic", value_h = 0.24 }, { kind = "gamma", mean_h = 0.24, cv = 0.3 }]
    labels = ["even", "uneven"]
    [factors.scanner]
    kind = "improvement"
    of = "second_scanner"
    """


def test_a_file_gives_the_design_that_it_says(tmp_path):
    made = cs.design(file_of(tmp_path, GOOD))
    assert (made.name, made.base, made.kind, made.points) == ("try", "teaching", "lhs", 4)
    assert list(made.factors) == ["lanes", "flour", "law", "scanner"]
    assert cs.design(made.to_data()) == made
    assert cs.design(file_of(tmp_path, GOOD), points=8, seed=3).points == 8
    points = points_of(made, 3)
    assert {point.shown["law"] for point in points} == {"even", "uneven"}
    assert {point.shown["scanner"] for point in points} == {"on", "off"}


BAD = [
    ("schema = 1", "", "schema", "is required: the version of the file format"),
    ("schema = 1", "schema = 2", "schema", "not a version of the file format"),
    ('base = "teaching"', "", "base", "is required: the scenario that is varied"),
    ('base = "teaching"', 'base = "teachin"', "base", "did you mean 'teaching'"),
    ('base = "teaching"', 'base = "other.toml"', "base", "does not exist"),
    ('base = "teaching"', 'base = "../other.toml"', "base", "outside the folder"),
    ('base = "teaching"', "base = 3", "base", "must be text"),
    ('kind = "lhs"', 'kind = "random"', "kind", "is not one of the allowed values"),
    ('kind = "lhs"', "", "kind", "is required"),
    ("points = 4", "", "points", "is required"),
    ("points = 4", "points = 0", "points", "must be a whole number >= 1"),
    ("points = 4", "points = 2.5", "points", "must be a whole number"),
    ("points = 4", "points = true", "points", "must be a whole number"),
    ("points = 4", "points = 1000000000000", "points", "must be at most 10000"),
    ("points = 4", "points = 4\nseed = -1", "seed", "must be a whole number >= 0"),
    ("points = 4", "points = 4\nreplications = 0", "replications", "must be a whole number >= 1"),
    ("points = 4", "points = 4\npionts = 5", "pionts", "did you mean 'points'"),
    ('kind = "lhs"\n    points = 4', 'kind = "grid"\n    points = 4', "points", 'has no meaning with kind = "grid"'),
    ('kind = "lhs"\n    points = 4', 'kind = "grid"', "factors.flour.levels", "is required in a grid"),
    ('kind = "lhs"\n    points = 4', 'kind = "sobol"\n    points = 6', "points", "must be a power of two"),
    ("high = 150", "high = 150\n    levels = 3", "factors.flour.levels", 'has no meaning with kind = "lhs"'),
    ("high = 150", "high = 90", "factors.flour.low", "must be less than high"),
    ("high = 150", "high = inf", "factors.flour.high", "must be a finite number"),
    ("high = 150", 'high = "150"', "factors.flour.high", "must be a number"),
    ("low = 90", 'low = 0\n    scale = "log"', "factors.flour.low", 'must be > 0 with scale = "log"'),
    ("low = 90", 'low = 90\n    scale = "cubic"', "factors.flour.scale", "is not one of the allowed values"),
    ("low = 2", "low = 2.5", "factors.lanes.low", "must be a whole number"),
    ("low = 2", "low = 4", "factors.lanes.low", "must be less than high"),
    ("low = 2", "", "factors.lanes.low", "is required"),
    ("low = 2", "lower = 2", "factors.lanes.lower", "did you mean 'low'"),
    ('kind = "integer"', 'kind = "whole"', "factors.lanes.kind", "is not a known factor"),
    ('kind = "integer"', "", "factors.lanes.kind", "is required"),
    ("[factors.lanes]", "[factors.point]", "factors.point", "is the name of a column"),
    ("[factors.lanes]", '[factors."a.b"]', "factors.a.b", "must not hold a dot"),
    ('of = "flows.flour.per_day"', "of = 3", "factors.flour.of", "must be a path"),
    ('of = "flows.flour.per_day"', 'of = "flows..per_day"', "factors.flour.of", "must be a path"),
    ('of = "flows.flour.per_day"', "of = []", "factors.flour.of", "must be a path"),
    ('of = "flows.flour.per_day"', f'of = "{LANES}"', "factors.flour.of.0", "is set by the factor lanes too"),
    (
        'of = "flows.flour.per_day"',
        'of = "checkpoints.northgate_a.exit.lanes"',
        "factors.flour.of.0",
        "is set by the factor lanes too",
    ),
    (
        'of = "flows.flour.per_day"',
        'of = ["flows.flour.per_day", "flows.flour.per_day"]',
        "factors.flour.of.1",
        "is named twice",
    ),
    ('labels = ["even", "uneven"]', "", "factors.law.labels", "is required where a value is a table"),
    ('labels = ["even", "uneven"]', 'labels = ["even"]', "factors.law.labels", "must be 2 different texts"),
    ('labels = ["even", "uneven"]', 'labels = ["a", "a"]', "factors.law.labels", "must be 2 different texts"),
    (
        'values = [{ kind = "deterministic", value_h = 0.24 }, { kind = "gamma", mean_h = 0.24, cv = 0.3 }]',
        "values = [1]",
        "factors.law.values",
        "needs two values or more",
    ),
    (
        'values = [{ kind = "deterministic", value_h = 0.24 }, { kind = "gamma", mean_h = 0.24, cv = 0.3 }]',
        "values = [1.5, nan]",
        "factors.law.values.1",
        "must be a finite number",
    ),
    (
        'values = [{ kind = "deterministic", value_h = 0.24 }, { kind = "gamma", mean_h = 0.24, cv = 0.3 }]',
        'values = ["a", "a"]',
        "factors.law.values.1",
        "is listed twice",
    ),
    ('of = "second_scanner"', 'of = "improvements.second_scanner"', "factors.scanner.of.0", "is not the name of an"),
    ("points = 4", 'points = 4\nname = "x"', "name", "is set twice"),
    ("points = 4", "points = 04", "", "is not TOML"),
    ('name = "try"', 'name = "\\u001b[31mred"', "name", "must not hold control characters"),
]


@pytest.mark.parametrize(("good", "bad", "path", "words"), BAD)
def test_a_bad_design_is_refused_by_file_path_and_in_words(tmp_path, monkeypatch, good, bad, path, words):
    monkeypatch.chdir(tmp_path)
    text = textwrap.dedent(GOOD)
    good, bad = textwrap.dedent(good).replace("\n    ", "\n"), bad.replace("\n    ", "\n")
    assert text.count(good) == 1
    file_of(tmp_path, text.replace(good, bad))
    with pytest.raises(ScenarioError) as error:
        cs.design("design.toml")
    told = [problem for problem in error.value.problems if problem.path == path and words in str(problem)]
    assert told, str(error.value)
    assert told[0].file == "design.toml"
    result = called("sweep", "design.toml", "--output", "never.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert "internal error" not in result.output


def test_all_problems_of_a_design_are_told_at_once_each_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = textwrap.dedent(GOOD).replace("points = 4", "points = -4").replace("low = 2", "low = 2.5")
    file_of(tmp_path, text.replace('base = "teaching"', 'base = "teachin"').replace("high = 150", 'high = "150"'))
    with pytest.raises(ScenarioError) as error:
        cs.design("design.toml")
    lines = text.split("\n")
    found = {problem.path: problem for problem in error.value.problems}
    assert set(found) == {"points", "factors.lanes.low", "base", "factors.flour.high"}
    for path, problem in found.items():
        assert lines[problem.line - 1].startswith(path.rpartition(".")[2])
        assert problem.value is not None


def test_names_of_factors_are_told_with_wrong_values(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = textwrap.dedent(GOOD).replace("points = 4", "points = -4").replace("flour.per_day", "flower.per_day")
    text = text.replace("exit.lanes.lanes", "exit.lanes.lane").replace('"second_scanner"', '"second_scaner"')
    file_of(tmp_path, text)
    with pytest.raises(ScenarioError) as error:
        cs.design("design.toml")
    lines = text.split("\n")
    found = {problem.path: problem for problem in error.value.problems}
    assert set(found) == {"points", "factors.lanes.of", "factors.flour.of", "factors.scanner.of"}
    assert "did you mean 'flour'" in str(found["factors.flour.of"])
    assert "did you mean 'lanes'" in str(found["factors.lanes.of"])
    assert "did you mean 'second_scanner'" in str(found["factors.scanner.of"])
    for path, problem in found.items():
        assert lines[problem.line - 1].startswith(path.rpartition(".")[2])


def test_a_scenario_is_no_design_and_a_missing_file_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path, 'schema = 1\nextends = "teaching"\n')
    with pytest.raises(ScenarioError, match=r"design.toml: is a scenario; .*corridor-sim run"):
        cs.design("design.toml")
    with pytest.raises(ScenarioError, match=r"designs.toml: does not exist; did you mean 'design.toml'"):
        cs.design("designs.toml")
    with pytest.raises(ScenarioError, match="neither a file nor a packaged design"):
        cs.design("no_such_design")
    assert called("sweep", "teaching").exit_code == 2


def test_points_whose_scenario_is_not_allowed_are_told_by_line_of_the_design_each_problem_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = textwrap.dedent(GOOD).replace('kind = "lhs"\npoints = 4', 'kind = "grid"')
    text = text.replace("low = 2\nhigh = 4\n", "low = -2\nhigh = -1\n").replace("high = 150", "high = 150\nlevels = 2")
    file_of(tmp_path, text)
    with pytest.raises(ScenarioError) as error:
        cs.sweep(cs.design("design.toml"))
    first, second = error.value.problems
    assert (first.file, first.path, first.value) == ("design.toml", LANES, -2)
    assert text.split("\n")[first.line - 1] == "[factors.lanes]"
    assert first.hint == "at points 0, 1, 2, 3, 4 and 3 more"
    assert (second.value, second.hint) == (-1, "at points 8, 9, 10, 11, 12 and 3 more")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("flows.flower.per_day", r"flows.flower.per_day: there is no 'flower'; did you mean 'flour'"),
        ("flows.flour.per_dy", r"flows.flour.per_dy: is not a known key; did you mean 'per_day'"),
        ("flows.flour.name.x", r"flows.flour.name.x: 'x' is not in a table"),
        ("flows.flour.name.x.y", r"flows.flour.name.x.y: 'x' is not in a table"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_with_the_nearest(path, words):
    made = cs.design(kind="grid", base="teaching", factors={"x": {**number(1, 2, levels=2), "of": path}})
    with pytest.raises(ScenarioError, match=words):
        cs.sweep(made)


def test_an_improvement_that_the_base_does_not_have_is_told_with_the_nearest():
    made = cs.design(kind="grid", base="teaching", factors={"x": {"kind": "improvement", "of": "second_scaner"}})
    with pytest.raises(
        ScenarioError, match=r"improvements.second_scaner: is no improvement of the base .*second_scanner"
    ):
        cs.sweep(made)


@pytest.mark.parametrize("name", sorted(packaged_designs()))
def test_a_packaged_design_is_read_and_each_of_its_points_is_a_scenario(name):
    made = cs.design(name)
    assert made.name == name
    assert made.about
    base = cs.load_scenario(made.base)
    points = points_of(made, 0)
    assert len(scenarios_of(base, points[:3] + points[-1:], made, None)) == 4


def test_packaged_designs_fit_the_schema():
    import tomllib

    jsonschema = pytest.importorskip("jsonschema")
    schema = jsonschema.Draft202012Validator(design_files.schema())
    for path in packaged_designs().values():
        assert not list(schema.iter_errors(tomllib.loads(path.read_text(encoding="utf-8"))))
    for wrong in ({"kind": "random"}, {"points": -1}, {"factors": {"x": {"kind": "integer", "of": LANES}}}):
        assert list(schema.iter_errors({"schema": 1, "base": "teaching", "kind": "grid", "factors": {}} | wrong))


def test_the_schema_of_designs_is_printed():
    assert json.loads(called("schema", "--design").stdout) == design_files.schema()
    assert called("schema", "--design", "--overlay").exit_code == 2


# ---------------------------------------------------------------- sweeps


def small(**more):
    factors = {"lanes": integer(2, 3), "scanner": {"kind": "improvement", "of": "second_scanner"}}
    return cs.design(**{"kind": "grid", "factors": factors, **more})


def test_a_sweep_of_a_design_is_the_sweep_of_its_points():
    by_design = cs.sweep(
        teaching(), cs.design(kind="grid", factors={"lanes": integer(2, 3)}), indicators=KEPT, workers=1
    )
    by_hand = cs.sweep(teaching(), {LANES: [2, 3]}, indicators=KEPT, workers=1)
    assert [run.rows.values.tobytes() for run in by_design.runs] == [run.rows.values.tobytes() for run in by_hand.runs]
    assert by_design.points == ({"lanes": 2}, {"lanes": 3})


def test_an_improvement_that_is_off_is_not_there():
    base = teaching().replace(run=teaching().run.replace(start="2024-01-08"))
    found = cs.sweep(base, small(), indicators=KEPT, workers=1)
    assert [point["scanner"] for point in found.points] == ["off", "on", "off", "on"]
    assert [len(run.scenario.improvements) for run in found.runs] == [0, 1, 0, 1]
    without = cs.run(base.without_improvements().replace(name="x"), indicators=KEPT, workers=1)
    three = cs.sweep(base.without_improvements(), {LANES: [3]}, indicators=KEPT, workers=1)
    assert found.runs[2].rows.values.tobytes() == three.runs[0].rows.values.tobytes() == without.rows.values.tobytes()


def test_the_table_has_a_line_a_point_with_its_values_and_every_mean_with_its_interval():
    found = cs.sweep(teaching(), small(), indicators=KEPT, workers=1)
    table = found.table()
    assert table["point"].tolist() == [0, 1, 2, 3]
    assert table["lanes"].tolist() == [2, 2, 3, 3]
    assert table["scanner"].tolist() == ["off", "on", "off", "on"]
    long = found.to_frame("tfi1", kind="crossing", direction="A>B", cargo_class="")
    name = "tfi1 northgate A>B [h]"
    for column, of in ((name, "mean"), (f"{name} low", "low"), (f"{name} high", "high")):
        assert table[column].tolist() == long[of].tolist()
    assert list(table.columns)[:4] == ["point", "lanes", "scanner", "overloaded"]
    assert len(set(table.columns)) == len(table.columns)
    assert len(found.table("all").columns) > len(table.columns)
    assert table.attrs["interval"].startswith("95 % interval")
    assert table["overloaded"].tolist() == ["; ".join(run.overloaded()) for run in found.runs]
    alone = cs.sweep(teaching(), small(), indicators=["tfi1"], workers=1).table()
    assert "overloaded" not in alone


def test_seed_and_replications_are_those_given_else_of_the_design_else_of_the_base():
    base, factors = teaching(), {"lanes": integer(2, 3)}
    plain = cs.design(kind="grid", factors=factors)
    own = plain.replace(seed=9, replications=3)
    settings = {"indicators": ["created"], "workers": 1}
    asked = [cs.sweep(base, plain, **settings), cs.sweep(base, own, **settings)]
    asked.append(cs.sweep(base, own, rng=4, replications=1, **settings))
    assert [(one.runs[0].root, one.runs[0].replications) for one in asked] == [(base.run.seed, 2), (9, 3), (4, 1)]


def test_a_design_names_its_base_or_is_given_one(tmp_path):
    with pytest.raises(ArgumentError, match=r"names no base; .*sweep\(scenario, design\)"):
        cs.sweep(small())
    with pytest.raises(ArgumentError, match="names its points itself"):
        cs.sweep(small(base="teaching"), {LANES: [2]})
    cs.save_scenario(teaching(), tmp_path / "mine.toml")
    made = cs.design(file_of(tmp_path, textwrap.dedent(GOOD).replace('"teaching"', '"mine.toml"')), points=1)
    assert cs.sweep(made, indicators=["created"], workers=1).runs[0].name == "teaching point 0"


def test_with_keep_going_bad_points_and_failed_runs_are_left_out_and_told(monkeypatch):
    made = cs.design(kind="grid", factors={"lanes": integer(-1, 3)})
    really = study.finished_run

    def fail(begun, **settings):
        if begun.name == "teaching point 3":
            raise SimulationError("scenario 'teaching point 3', replication 1, engine event: made to fail")
        return really(begun, **settings)

    monkeypatch.setattr(study, "finished_run", fail)
    settings = {"indicators": ["created"], "workers": 1}
    found = cs.sweep(teaching(), made, keep_going=True, **settings)
    assert (found.numbers, found.points) == ((2, 4), ({"lanes": 1}, {"lanes": 3}))
    assert [one.number for one in found.left_out] == [0, 1]
    assert [one.point for one in found.left_out] == [{"lanes": -1}, {"lanes": 0}]
    assert [(problem.path, problem.value) for problem in found.left_out[0].problems] == [(LANES, -1)]
    assert [str(error) for error in found.failed] == [
        "scenario 'teaching point 3', replication 1, engine event: made to fail"
    ]
    assert found.table()["point"].tolist() == [2, 4]
    with pytest.raises(ScenarioError):
        cs.sweep(teaching(), made, **settings)
    with pytest.raises(ScenarioError):
        cs.sweep(teaching(), cs.design(kind="grid", factors={"lanes": integer(-2, -1)}), keep_going=True, **settings)


def test_a_stored_sweep_goes_on_and_points_added_find_the_others(tmp_path, monkeypatch):
    settings = {"indicators": KEPT, "workers": 1, "store": tmp_path}
    first = cs.sweep(teaching(), cs.design(kind="grid", factors={"lanes": integer(2, 3)}), **settings)
    ran = []
    really = one_run.simulated
    monkeypatch.setattr(one_run, "simulated", lambda jobs, *a, **k: ran.append(len(jobs)) or really(jobs, *a, **k))
    again = cs.sweep(teaching(), cs.design(kind="grid", factors={"lanes": integer(2, 4)}), **settings)
    assert ran[:2] == [0, 0]
    assert ran[2] > 0
    assert again.table().iloc[:2].to_csv() == first.table().to_csv()


# ---------------------------------------------------------------- on the command line


SMALL_RUN = ("--set", "run.horizon_days=1", "--set", "run.warm_up_days=0", "--workers", 1, "-q", "--indicator", "tfi1")


@pytest.fixture
def a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = textwrap.dedent(GOOD).replace(
        'kind = "lhs"\npoints = 4', 'kind = "lhs"\npoints = 3\nreplications = 2\nseed = 4'
    )
    return file_of(tmp_path, text)


def test_csv_has_a_line_a_point_and_with_long_a_line_a_row(a_file):
    wide = called("sweep", a_file, *SMALL_RUN, "--format", "csv")
    assert wide.exit_code == 0, wide.output
    head, *lines = wide.stdout.splitlines()
    assert head.startswith("point,lanes,flour,law,scanner,overloaded,tfi1 northgate ")
    assert [line.split(",")[0] for line in lines] == ["0", "1", "2"]
    long = called("sweep", a_file, *SMALL_RUN, "--format", "csv", "--long")
    assert long.stdout.splitlines()[0].startswith("point,lanes,flour,law,scanner,indicator,unit")
    assert len(long.stdout.splitlines()) > len(lines) + 1
    assert called("sweep", a_file, "--long").exit_code == 2
    assert called("sweep", a_file, *SMALL_RUN, "--format", "csv").stdout == wide.stdout
    assert "saturation" not in wide.stdout
    assert called("sweep", a_file, *SMALL_RUN, "--format", "csv", "--seed", 5).stdout != wide.stdout


def test_json_and_the_terminal_say_the_same_numbers(a_file):
    told = json.loads(called("sweep", a_file, *SMALL_RUN, "--format", "json").stdout)
    assert [one["point"] for one in told["points"]] == [0, 1, 2]
    assert told["points"][0]["values"].keys() == {"lanes", "flour", "law", "scanner"}
    text = called("sweep", a_file, *SMALL_RUN).stdout
    assert text.startswith("try: 3 points of 2 replications, seed 4\n  (1) tfi1 Northgate B")
    assert "\npoint  lanes  flour" in text
    assert "95 % interval: sampling noise only" in text


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_points_are_listed_and_nothing_is_run(a_file, form, monkeypatch):
    monkeypatch.setattr(one_run, "simulated", lambda *_, **__: pytest.fail("something was simulated"))
    result = called("sweep", a_file, "--points", "--format", form, "-q")
    assert result.exit_code == 0, result.output
    points = [point.shown for point in points_of(cs.design(a_file), 4)]
    if form == "json":
        assert json.loads(result.stdout)["points"] == [{"point": k, **point} for k, point in enumerate(points)]
    else:
        assert len(result.stdout.splitlines()) == 4


def test_keep_going_names_the_points_left_out_in_words_and_exit_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    factor = f'[factors.lanes]\nkind = "integer"\nof = "{LANES}"\nlow = -1\nhigh = 2\n'
    file_of(tmp_path, f'schema = 1\nbase = "teaching"\nkind = "grid"\nreplications = 2\n{factor}')
    refused = called("sweep", "design.toml", *SMALL_RUN, "--format", "csv")
    assert (refused.exit_code, refused.stdout) == (2, "")
    result = called("sweep", "design.toml", *SMALL_RUN, "--format", "csv", "--keep-going")
    assert result.exit_code == 2
    assert [line.split(",")[0] for line in result.stdout.splitlines()[1:]] == ["2", "3"]
    assert f"design.toml:5: {LANES} = -1: must be a whole number >= 0" in result.stderr
    assert "points left out, with errors: 0, 1" in result.stderr
    really = study.finished_run

    def fail(begun, **settings):
        if begun.name == "teaching point 3":
            raise SimulationError("scenario 'teaching point 3', replication 1, engine event: made to fail")
        return really(begun, **settings)

    monkeypatch.setattr(study, "finished_run", fail)
    result = called("sweep", "design.toml", *SMALL_RUN, "--format", "csv", "--keep-going")
    assert result.exit_code == 1
    assert [line.split(",")[0] for line in result.stdout.splitlines()[1:]] == ["2"]
    assert "teaching point 3', replication 1" in result.stderr


def test_errors_of_the_base_are_told_as_those_of_a_scenario(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path, 'schema = 1\nextends = "teaching"\nrun.horizon_days = -1\n', "mine.toml")
    file_of(tmp_path, textwrap.dedent(GOOD).replace('"teaching"', '"mine.toml"'))
    result = called("sweep", "design.toml")
    assert result.exit_code == 2
    assert "mine.toml:3: run.horizon_days = -1: must be a number > 0" in result.stderr


@pytest.mark.parametrize(
    "call",
    [
        lambda: cs.design(),
        lambda: cs.design(3),
        lambda: cs.design([]),
        lambda: cs.design(kind="grid", factors={}),
        lambda: cs.design(kind="grid", factors=[]),
        lambda: cs.design(kind="grid", factors={"x": 3}),
        lambda: cs.design(kind="lhs", points="4", factors={"x": number(0, 1)}),
        lambda: cs.design(kind="lhs", points=4, factors={"x": number(0, math.nan)}),
        lambda: cs.design(kind="grid", factors={"x": integer(0, 10**5)}),
        lambda: cs.design(kind="grid", factors={"x": integer(0, 10**14)}),
        lambda: cs.design(kind="grid", factors={"x": integer(-(10**400), 10**400)}),
        lambda: cs.design(kind="grid", factors={"x": number(0, 1, levels=10**12)}),
        lambda: cs.design_points(3),
        lambda: cs.design_points({"kind": "grid"}),
        lambda: cs.design_points(small(), rng="x"),
        lambda: cs.design_points(small(kind="lhs", points=4)),
        lambda: cs.sweep(teaching()),
        lambda: cs.sweep(teaching(), small(), keep_going=1),
        lambda: cs.sweep(teaching(), small(), replications=2.5),
        lambda: cs.sweep(teaching(), small(), rng=-1),
        lambda: cs.sweep(cs.make_plan(teaching()), small()),
    ],
)
def test_calls_that_make_no_sense_are_one_clear_error(call, monkeypatch):
    monkeypatch.setattr(one_run, "simulated", lambda *_, **__: pytest.fail("something was simulated"))
    with pytest.raises(CorridorError):
        call()
