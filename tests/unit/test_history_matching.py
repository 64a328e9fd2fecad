"""Observations rule draws out: by how far, which one, and what is said when few are left."""

import math

import numpy as np
import pytest

from corridor_sim.statistics import implausibility, judge


def test_implausibility_counts_all_that_may_lie_between():
    assert implausibility(10.0, [16.0], 2.0, [1.0], 2.0) == pytest.approx([2.0])


def test_a_stated_discrepancy_is_needed_where_everything_else_is_exact():
    with pytest.raises(ValueError, match="state a discrepancy"):
        implausibility(10.0, [10.0], 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match=">= 0"):
        implausibility(10.0, [10.0], -1.0, 0.0, 2.0)


def test_a_draw_beyond_3_for_any_observation_is_ruled_out_and_a_missing_value_rules_nothing_out():
    found = judge(["queue", "wait"], [[3.0, 3.1, 0.0, math.nan], [0.0, 0.0, 9.0, 1.0]])
    assert found.kept.tolist() == [True, False, False, True]
    assert found.effective == 2
    assert found.table() == [("queue", 1, 1), ("wait", 1, 1)]


def test_what_an_observation_alone_rules_out_is_told_apart():
    found = judge(["queue", "wait"], [[4.0, 4.0, 0.0], [0.0, 4.0, 0.0]])
    assert found.table() == [("queue", 2, 1), ("wait", 1, 0)]


def test_few_draws_that_survive_are_a_warning_and_none_names_the_observation():
    assert "only 2 of 3" in judge(["queue"], [[4.0, 0.0, 0.0]]).warnings[0]
    assert "queue alone rules out all" in judge(["queue", "wait"], [[4.0, 5.0], [0.0, 9.0]]).warnings[0]
    assert judge(["queue"], [np.zeros(40)]).warnings == ()


def test_a_judgement_needs_observations_for_all_draws():
    with pytest.raises(ValueError, match="each observation"):
        judge([], [])
    with pytest.raises(ValueError, match="limit"):
        judge(["queue"], [[1.0]], limit=math.inf)
