"""Rows without a note hold what they are about as often as they say: `tests/benchmarks/intervals.py`, in small.

Ninety-two to ninety-seven of a hundred, and what so many studies leave open. With ``--long`` all loads
and 1,000 studies.
"""

import importlib.util
import math
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "intervals.py"
spec = importlib.util.spec_from_file_location("intervals", SCRIPT)
intervals = importlib.util.module_from_spec(spec)
sys.modules["intervals"] = intervals
spec.loader.exec_module(intervals)


def assert_covered(found, standard_errors=4):
    told = [one for one in found if one.studies]
    assert len(told) > 25
    for one in told:
        error = standard_errors * math.sqrt(0.05 * 0.95 / one.studies)
        assert 0.92 - error <= one.covered <= 0.97 + error, one


def test_rows_without_a_note_cover_at_a_load_of_seven_tenths():
    assert_covered(intervals.coverage(0.7, 60))


def test_pooled_percentiles_cover_at_a_load_of_seven_tenths():
    found = intervals.pooled_coverage(0.7, 25)
    assert {one.row for one in found} >= {"wait_p95_pooled_h a.exit.lanes", "door_to_door_p95_pooled_h trucks"}
    for one in found:
        assert one.covered >= 0.95 - 4 * math.sqrt(0.05 * 0.95 / one.studies), one


@pytest.mark.long
@pytest.mark.parametrize("load", intervals.LOADS)
def test_rows_without_a_note_cover_at_every_load(load):
    assert_covered(intervals.coverage(load, 1000), standard_errors=3)
