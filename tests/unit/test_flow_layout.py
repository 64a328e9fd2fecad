"""Where entries of flows stand that were made once for several flows, by hand."""

import numpy as np
import pytest

from corridor_sim.engines.compiled.flow_layout import COLUMNS, ROUTES, STEPS, FlowLayout, Numbers

FIRST = Numbers(0, 0, 0, 0), Numbers(1, 2, 0, 1)
"""One route of two steps, no span, one column."""
SECOND = Numbers(1, 2, 0, 1), Numbers(3, 5, 1, 3)
"""Two routes with three steps, one span, two columns."""


@pytest.fixture
def layout():
    """Four flows: of the first kind, of the second, and again of each."""
    return FlowLayout([FIRST, SECOND], [0, 1, 0, 1])


def test_flows_stand_one_behind_the_other(layout):
    assert not layout.is_plain
    assert layout.begin.tolist() == [[0, 0, 0, 0], [1, 2, 0, 1], [3, 5, 1, 3], [4, 7, 1, 4], [6, 10, 2, 6]]
    assert layout.flows(ROUTES).tolist() == [0, 1, 1, 2, 3, 3]


def test_an_entry_is_the_one_that_was_made_for_its_kind(layout):
    assert layout.made(STEPS).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert layout.made(COLUMNS).tolist() == [0, 1, 2, 0, 1, 2]


def test_numbers_of_other_entries_go_on_where_the_flow_before_ends(layout):
    column_of_step = np.array([0, -1, 1, 2, 2])[layout.made(STEPS)]
    assert layout.moved(column_of_step, STEPS, COLUMNS).tolist() == [0, -1, 1, 2, 2, 3, -1, 4, 5, 5]
    only = np.array([True] + [False] * 9)
    assert layout.moved(column_of_step, STEPS, COLUMNS, only).tolist() == [0, -1, 1, 2, 2, 0, -1, 1, 2, 2]


def test_lists_of_numbers_are_laid_out_for_each_flow(layout):
    # Columns that each step reads: none, the first; and of the second kind both, none, the last.
    begin, read = np.array([0, 0, 1, 3, 3, 4]), np.array([0, 1, 2, 2])
    now, values, more = layout.lists(begin, STEPS, COLUMNS)
    assert now.tolist() == [0, 0, 1, 3, 3, 4, 4, 5, 7, 7, 8]
    assert (read[values] + more).tolist() == [0, 1, 2, 2, 3, 4, 5, 5]


def test_where_each_flow_has_itineraries_of_its_own_nothing_moves():
    plain = FlowLayout([FIRST, SECOND], [0, 1])
    assert plain.is_plain
    assert plain.made(STEPS).tolist() == [0, 1, 2, 3, 4]
