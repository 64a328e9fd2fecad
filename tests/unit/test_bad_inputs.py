"""Bad scenario files, one small file each: what a user is told, by the API and on the command line.

The first line of a file in `tests/bad` says what is expected of it:
row of the list of bad inputs | exit code of `check` | beginning of the path | words of the message.
Exit 0 without path and words means that nothing at all is said.
"""

import contextlib
import copy
import datetime as dt
import re
import time
import tomllib
from pathlib import Path

import pytest
from command_line import called
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import corridor_sim as cs
from corridor_sim.files.writer import to_toml
from corridor_sim.plan.load import check as check_scenario

pytestmark = pytest.mark.usefixtures("a_gigabyte")

FOLDER = Path(__file__).parent.parent / "bad"
HEADER = re.compile(r"# row (\d+) \| exit ([02]) \| (.*?) \| (.*)\n")
CPU_S = 2.0


def cases():
    for path in sorted(FOLDER.glob("[0-9]*.toml")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            header = HEADER.fullmatch(lines.readline())
        yield pytest.param(path, int(header[2]), header[3], header[4], id=path.stem)


CASES = list(cases())
ERRORS = [case for case in CASES if case.values[1] == 2]


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch):
    monkeypatch.chdir(FOLDER)
    before = {(path, path.stat().st_mtime_ns) for path in FOLDER.iterdir()}
    began = time.process_time()
    yield
    assert time.process_time() - began < CPU_S
    assert {(path, path.stat().st_mtime_ns) for path in FOLDER.iterdir()} == before


@pytest.mark.parametrize(("path", "code", "where", "words"), CASES)
def test_a_bad_file_is_told_with_place_and_reason(path, code, where, words):
    problems = cs.check(path.name)
    if not where and not words:
        assert problems == []
    else:
        told = [p for p in problems if p.path.startswith(where) and words in str(p)]
        assert told, [str(p) for p in problems]
        assert told[0].file in (path.name, "good.toml")
        assert told[0].severity == ("error" if code else "warning")
    assert any(p.severity == "error" for p in problems) == (code == 2)


@pytest.mark.parametrize(("path", "code", "where", "words"), CASES)
def test_a_file_with_an_error_cannot_be_loaded(path, code, where, words):
    overload = "a day come" in " ".join(str(p) for p in cs.check(path.name) if p.severity == "error")
    expected = pytest.raises(cs.ScenarioError) if code and not overload else contextlib.nullcontext()
    with expected as caught:
        cs.load_scenario(path.name)
    if caught is not None:
        assert any(words in str(p) for p in caught.value.problems)


@pytest.mark.parametrize(("path", "code", "where", "words"), CASES)
def test_check_on_the_command_line_ends_with_the_stated_code(path, code, where, words):
    result = called("check", path.name)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert words in result.output
    strict = called("check", "--strict", path.name)
    assert strict.exit_code == (2 if words else 0)


@pytest.mark.parametrize(("path", "code", "where", "words"), ERRORS)
def test_a_run_of_a_bad_file_ends_before_it_begins(path, code, where, words):
    result = called("run", path.name, "--output", "never.csv", "--replications", "1")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in result.stderr


def test_the_file_that_the_bad_ones_extend_is_good():
    assert cs.check("good.toml") == []


def test_all_problems_of_a_file_are_told_at_once(tmp_path):
    text = (FOLDER / "good.toml").read_text(encoding="utf-8")
    text = (
        text.replace("per_day = 30", 'per_day = "30"')
        .replace("lanes = 3\n", "lanes = -3\n")
        .replace("cv = 0.3", "cv = 0.0")
    )
    text = text.replace("horizon_days = 7", "horizon_day = 7")
    path = tmp_path / "many.toml"
    path.write_text(text, encoding="utf-8")
    problems = cs.check(path)
    assert {p.path for p in problems} >= {
        "run.horizon_day",
        "checkpoints.north_a.exit.lanes.lanes",
        "checkpoints.north_b.entry.lanes.lanes",
        "checkpoints.north_a.exit.lanes.service.cv",
        "flows.bread.per_day",
    }
    lines = text.split("\n")
    for problem in problems:
        if problem.value is not None:
            assert problem.path.split(".")[-1] in lines[problem.line - 1]


GOOD = tomllib.loads((FOLDER / "good.toml").read_text(encoding="utf-8"))
JUNK = [
    *(
        None,
        True,
        -1,
        0,
        1,
        2**70,
        -0.5,
        1e300,
        1e-300,
        float("nan"),
        float("inf"),
        "",
        "lanes",
        "3",
        "=1",
        "\x00",
        "a" * 200,
    ),
    *([], [1], ["x"], [[]], {}, {"kind": "gamma"}, {"a": {"b": 1}}, [{"kind": "road"}]),
    *(dt.date(2024, 2, 3), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23), dt.time(3), "unlimited", "north_a"),
]


def places_in(table, path=()):
    for key, value in table.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from places_in(value, (*path, key))


PLACES = [path for path in places_in(GOOD) if path != ("schema",)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(JUNK), st.booleans()), min_size=1, max_size=3))
@example([(("run", "start"), dt.datetime(9999, 12, 31, 23), False)])
def test_whatever_stands_in_a_file_is_a_scenario_or_a_scenario_error(changes):
    data = copy.deepcopy(GOOD)
    for path, junk, beside in changes:
        table = data
        for key in path[:-1]:
            table = table.get(key) if isinstance(table, dict) else None
        if isinstance(table, dict):
            key = f"{path[-1]}_x" if beside else path[-1]
            table.pop(key, None) if junk is None else table.update({key: copy.deepcopy(junk)})
    text = to_toml(data)
    try:
        scenario, problems = cs.loads(text), []
    except cs.ScenarioError as error:
        scenario, problems = None, error.problems
    if scenario is None:
        assert problems
        assert all(problem.file == "text" and problem.message for problem in problems)
    else:
        assert cs.loads(cs.dumps(scenario)) == scenario
        assert all(problem.message for problem in check_scenario(scenario))
