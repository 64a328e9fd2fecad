"""A number with its half-width reads the same wherever it is written."""

import ast
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import corridor_sim
from corridor_sim.core.rounding import ends, estimate
from corridor_sim.report.answers import amount

CASES = {
    (-2.4812, 1.2814): "-2.5 ±1.3",
    (1.2345, 0.0512): "1.234 ±0.051",
    (0.25, 0.0996): "0.25 ±0.10",
    (431.2, 12.0): "431 ±12",
    (9.96, 9.96): "10 ±10",
    (-60_892_101.0, 702_607.0): "-60,890,000 ±700,000",
    (3.0, 40.0): "3 ±40",
    (-0.004, 1.2): "0.0 ±1.2",
    (0.0, 0.0): "0 ±0",
    (250.0, 0.0): "250 ±0",
    (0.1 + 0.2, 1e-17): "0.3 ±0",
    (-0.25, 3e-8): "-0.25 ±0",
    (4611.4, math.nan): "4,611",
    (999.6, math.nan): "1,000",
    (0.087612, math.nan): "0.0876",
    (math.nan, math.nan): "-",
}


@pytest.mark.parametrize(("given", "text"), CASES.items(), ids=CASES.values())
def test_the_half_width_has_two_digits_and_the_mean_its_decimals(given, text):
    assert estimate(*given) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((-20.3, -0.41), ("-20.3", "-0.4")),
        ((-199.0, -0.41), ("-199", "-0.4")),
        ((-492.2, 0.000212), ("-490", "0.0002")),
        ((-0.0371, 812.0), ("-0.04", "810")),
        ((-1040.4, 0.0), ("-1,040", "0")),
        ((-1040.4, -1e-12), ("-1,040", "0")),
        ((-20.0, 3e-8), ("-20", "3e-08")),
        ((1.0, 1.0), ("1", "1")),
        ((0.0, 0.0), ("0", "0")),
    ],
)
def test_an_end_of_an_interval_is_written_as_0_only_where_it_is_0(given, text):
    assert ends(*given) == text


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_no_end_loses_its_sign(one, other):
    low, high = min(one, other), max(one, other)
    for end, text in zip((low, high), ends(low, high), strict=True):
        if abs(end) > 1e-9 * max(abs(low), abs(high)):
            assert math.copysign(1.0, float(text.replace(",", ""))) == math.copysign(1.0, end)
            assert float(text.replace(",", "")) != 0


def test_a_sign_is_written_where_it_is_asked_for():
    assert estimate(2.04, 0.31, "+") == "+2.04 ±0.31"
    assert estimate(-2.04, 0.31, "+") == "-2.04 ±0.31"
    assert estimate(2.04, sign="+") == "+2.04"


@given(st.floats(-1e7, 1e7), st.floats(1e-4, 1e6))
def test_what_is_written_is_within_a_twentieth_of_the_half_width(mean, half):
    shown, width = (float(part.replace(",", "")) for part in estimate(mean, half).split(" ±"))
    if half > 1e-9 * abs(mean):
        assert abs(width - half) <= 0.05 * half * (1 + 1e-6)
        assert abs(shown - mean) <= 0.05 * half * (1 + 1e-6)


def test_amounts_of_the_report_are_rounded_as_the_tables_are():
    assert amount(-2.4812, -2.4812 - 1.2814, -2.4812 + 1.2814, "h") == "-2.5 h (-3.8 to -1.2)"
    assert amount(50761.2, 50761.2 - 8195.4, 50761.2 + 8195.4, "t") == "50,800 t (42,600 to 59,000)"


def test_no_other_place_writes_a_half_width():
    """The sign stands between two values of one text in the source of `estimate` alone."""
    found = set()
    for path in Path(corridor_sim.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                signs = [str(getattr(part, "value", "")).rstrip().endswith("±") for part in node.values[:-1]]
                found |= {path.name for sign in signs if sign}
    assert found == {"rounding.py"}
