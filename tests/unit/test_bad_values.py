"""Several hundred bad values, one at a time, in a good scenario: each is refused in words, with its path, at once.

The rows are in `bad_inputs/values.txt`: where a value is written, the value, the beginning of the
path that the message names, and words of the message. Rows of a TOML value each keep them short.
"""

import copy
import importlib.util
import time
import tomllib
from pathlib import Path

import pytest

import corridor_sim as cs
from corridor_sim.core.text import is_invisible
from corridor_sim.files.toml_lines import key_parts
from corridor_sim.files.writer import to_toml
from corridor_sim.plan.load import check as check_scenario

pytestmark = pytest.mark.usefixtures("a_gigabyte")

HERE = Path(__file__).parent
GOOD = tomllib.loads((HERE.parent / "bad" / "good.toml").read_text(encoding="utf-8"))
CPU_S = 2.0


def rows():
    for line in (HERE / "bad_inputs" / "values.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield tuple(line.split(" | "))


def written(path, value):
    """The good scenario as text with one value in it."""
    data = copy.deepcopy(GOOD)
    *tables, last = key_parts(path)
    table = data
    for part in tables:
        table = table.setdefault(part, {})
    table[last] = tomllib.loads(f"value = {value}")["value"]
    return to_toml(data, ("schema",))


def errors_of(text):
    """What is told of a text; an exception that is not the library's own is not caught."""
    try:
        scenario = cs.loads(text)
    except cs.ScenarioError as error:
        return error.problems
    return [problem for problem in check_scenario(scenario) if problem.severity == "error"]


def needs(path):
    """Marks of a row: what is wrong with a calendar is known where the extra `calendars` is there."""
    known = not path.endswith("holidays") or importlib.util.find_spec("holidays") is not None
    return () if known else pytest.mark.skip(reason="needs the extra calendars")


@pytest.mark.parametrize(
    ("path", "value", "where", "words"), [pytest.param(*row, marks=needs(row[0])) for row in rows()]
)
def test_a_bad_value_is_refused_by_its_path_and_in_words(path, value, where, words):
    text = written(path, value)
    began = time.process_time()
    problems = errors_of(text)
    assert time.process_time() - began < CPU_S
    assert problems, "nothing is said"
    told = [str(problem) for problem in problems if problem.path.startswith(where) and words in str(problem)]
    assert told, [str(problem) for problem in problems]
    assert not any(is_invisible(sign) for line in told for sign in line)


def test_there_are_at_least_four_hundred_bad_values_and_each_stands_there_once():
    found = [row[:2] for row in rows()]
    assert len(found) >= 400
    assert len(set(found)) == len(found)
