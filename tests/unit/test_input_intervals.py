"""The interval over draws of the inputs, and the chance that a sign holds."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from corridor_sim.statistics import input_interval, sign_chance


def test_the_interval_holds_a_further_draw_as_often_as_it_says():
    answers = np.random.default_rng(3).gamma(2.0, size=(4000, 65))
    found = [input_interval(row[:64], level=0.9) for row in answers]
    held = np.mean([one.low <= row[64] <= one.high for one, row in zip(found, answers, strict=True)])
    assert abs(held - 0.9) < 3.0 * math.sqrt(0.9 * 0.1 / 4000)


def test_the_standard_errors_of_the_ends_are_those_seen_over_many_studies():
    ends, errors = [], []
    for study in range(300):
        scrambles = [qmc.Sobol(2, seed=8 * study + k).random(16) for k in range(8)]
        answers = np.concatenate([stats.norm.ppf(points).sum(axis=1) for points in scrambles])
        found = input_interval(answers, np.repeat(np.arange(8), 16))
        ends.append((found.low, found.high, found.width))
        errors.append((found.low_error, found.high_error, found.width_error))
    seen, told = np.std(ends, axis=0, ddof=1), np.sqrt(np.mean(np.square(errors), axis=0))
    assert told == pytest.approx(seen, rel=0.35)


def test_one_scramble_gives_no_standard_error():
    found = input_interval([1.0, 2.0, 3.0, 4.0])
    assert math.isnan(found.low_error)
    assert math.isnan(found.width_error)


def test_with_few_draws_the_interval_is_from_the_smallest_to_the_largest_and_says_so():
    found = input_interval([4.0, 1.0, 9.0, 2.0])
    assert (found.low, found.high, found.few) == (1.0, 9.0, True)
    assert not input_interval(range(19)).few


def test_replications_are_averaged_and_missing_answers_left_out():
    found = input_interval([[1.0, 3.0], [math.nan, 5.0], [4.0, 4.0]])
    assert (found.low, found.high, found.draws) == (2.0, 4.0, 2)
    assert math.isnan(input_interval([math.nan]).low)


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0])
def test_a_level_beyond_0_and_1_is_an_error(level):
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        input_interval([1.0, 2.0], level=level)


def test_the_chance_of_a_sign_is_the_share_of_draws_that_have_it():
    found = sign_chance(2.0, [1.0, 3.0, -1.0, 0.0], scramble=[0, 0, 1, 1])
    assert (found.sign, found.chance, found.holds) == (1, 0.5, False)
    assert found.error == pytest.approx(0.5)
    assert math.isnan(found.against_most)


def test_a_sign_that_all_draws_have_falls_with_one_corner_that_has_another():
    draws = [-1.0] * 60
    assert sign_chance(-5.0, draws).holds
    assert sign_chance(-5.0, draws).against_most == pytest.approx(0.05)
    found = sign_chance(-5.0, draws, corners=[-9.0, 0.5])
    assert (found.chance, found.holds, found.corners) == (1.0, False, 2)


def test_no_difference_is_a_sign_of_its_own():
    assert sign_chance(0.0, [0.0, 0.0]).holds
    assert not sign_chance(0.0, [0.0, 0.1]).holds


def test_an_answer_that_is_not_there_has_no_sign():
    assert math.isnan(sign_chance(math.nan, [1.0]).chance)
    assert not sign_chance(math.nan, [1.0]).holds


def test_draws_without_a_change_are_told_apart_from_those_of_the_other_sign():
    found = sign_chance(-3.0, [-1.0, -2.0, 0.0, 0.5])
    assert (found.chance, found.unchanged, found.holds) == (0.5, 1, False)
    assert sign_chance(0.0, [0.0, 0.0]).unchanged == 0
