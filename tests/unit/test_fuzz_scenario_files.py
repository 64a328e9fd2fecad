"""Packaged scenario files, damaged at random: whatever comes of it is a scenario or the library's own errors.

About 100 examples in the usual run and 20,000 in the long one (``--long``).
"""

import copy
import datetime as dt
import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corridor_sim as cs
from corridor_sim.core.text import is_invisible
from corridor_sim.files.packaged import packaged_files
from corridor_sim.files.writer import to_toml
from corridor_sim.plan.load import check as check_scenario

pytestmark = pytest.mark.usefixtures("a_gigabyte")

GOOD = (Path(__file__).parent.parent / "bad" / "good.toml").read_text(encoding="utf-8")
TEXTS = {"good": GOOD} | {
    name: path.read_text(encoding="utf-8") for name, path in packaged_files().items() if path.stat().st_size < 12_000
}
VALUES = [
    *(None, True, False, -1, 0, 1, 2**62, 10**30, 10**400, -0.5, 1e300, 1e-300, 5e-324, float("nan"), float("inf")),
    *("", "x", "3", "=1", "\x00", "\x1b[2J", "\u202e", "\u200c", "a" * 5000, "unlimited", "cheapest", "gamma"),
    *(
        [],
        [1],
        ["x"],
        [[]],
        [None],
        [1e308] * 24,
        {},
        {"kind": "gamma"},
        {"kind": []},
        {"a": {"b": 1}},
        [{"kind": "road"}],
    ),
    *(dt.date(2024, 2, 3), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23), dt.time(3)),
]
SIGNS = ["\x00", "\x1b", "\u202e", "\ufeff", "[", "]", "{", "}", "=", '"', "'''", "\\", "#", "\n", "1e999", "é", "𝟜"]


def places_in(value, path=()):
    for key, item in value.items():
        yield (*path, key)
        if isinstance(item, dict):
            yield from places_in(item, (*path, key))


def damage_a_table(data, dice):
    """Delete, copy, rename or replace one value somewhere in the tables."""
    places = list(places_in(data))
    if not places:
        return
    path = dice.choice(places)
    table = data
    for key in path[:-1]:
        table = table[key]
    match dice.randrange(4):
        case 0:
            del table[path[-1]]
        case 1:
            table[f"{path[-1]}_2"] = copy.deepcopy(table[path[-1]])
        case 2:
            table[dice.choice([*(p[-1] for p in places), "\u200b", "x.y"])] = table.pop(path[-1])
        case _:
            value = copy.deepcopy(dice.choice(VALUES))
            table[path[-1]] = value


def damage_a_text(text, dice):
    """Cut the text off, or put signs where they do not belong."""
    at = dice.randrange(len(text) + 1)
    if dice.random() < 0.3:
        return text[:at]
    return text[:at] + dice.choice(SIGNS) * dice.choice([1, 1, 3, 200]) + text[at + dice.randrange(3) :]


def damaged(name, seed):
    """A text that is a packaged scenario with one to four damages."""
    dice = random.Random(seed)
    text = TEXTS[name]
    if dice.random() < 0.8:
        data = tomllib.loads(text)
        for _ in range(dice.randint(1, 4)):
            damage_a_table(data, dice)
        try:
            text = to_toml(data)
        except TypeError:  # None has no form in TOML
            return damage_a_text(text, dice)
    return damage_a_text(text, dice) if dice.random() < 0.3 else text


def told(text):
    """Problems of a text; an exception that is not the library's own is not caught."""
    try:
        scenario = cs.loads(text)
    except cs.ScenarioError as error:
        assert error.problems  # noqa: PT017
        return error.problems
    return check_scenario(scenario)


def ends_in_words(name, seed):
    for problem in told(damaged(name, seed)):
        assert problem.message
        assert not any(is_invisible(sign) for sign in str(problem))


CASES = given(st.sampled_from(sorted(TEXTS)), st.integers(0, 2**32 - 1))


@settings(max_examples=100)
@CASES
def test_a_damaged_scenario_is_a_scenario_or_the_librarys_own_error(name, seed):
    ends_in_words(name, seed)


@pytest.mark.long
@settings(max_examples=20_000)
@CASES
def test_twenty_thousand_damaged_scenarios_end_in_words(name, seed):
    ends_in_words(name, seed)
