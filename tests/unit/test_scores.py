"""Scores of predictions: by hand, against closed forms, and proper: who says what he believes scores best."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from corridor_sim.core.errors import ArgumentError
from corridor_sim.statistics import coverage, crps, interval_score

Z90 = stats.norm.ppf(0.95)


def test_the_interval_score_is_the_width_and_ten_or_twenty_times_what_is_outside():
    assert interval_score(10.0, 20.0, [12.0, 10.0, 8.0, 23.0], 0.9) == pytest.approx([10, 10, 10 + 40, 10 + 60])
    assert interval_score(10.0, 20.0, 8.0, 0.5) == pytest.approx(10.0 + 8.0)


def test_the_mean_interval_score_of_a_normal_law_is_that_of_the_closed_form():
    # 2 z + (2 / alpha) 2 (phi(z) - z (1 - Phi(z))) for the right interval of a standard normal value.
    x = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    expected = 2 * Z90 + (2 / 0.1) * 2 * (stats.norm.pdf(Z90) - Z90 * stats.norm.sf(Z90))
    assert interval_score(-Z90, Z90, x, 0.9).mean() == pytest.approx(expected, rel=1e-4)


@given(st.floats(0.3, 3.0).filter(lambda factor: abs(factor - 1.0) > 0.05), st.floats(-1.0, 1.0))
def test_no_interval_but_the_right_one_scores_as_well(factor, shift):
    x = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    right = interval_score(-Z90, Z90, x, 0.9).mean()
    assert interval_score(shift - factor * Z90, shift + factor * Z90, x, 0.9).mean() > right


def test_coverage_counts_the_ends():
    assert coverage([0.0, 0.0, 0.0, 0.0], 1.0, [0.0, 1.0, 1.1, -0.1]) == 0.5


def test_the_crps_of_many_draws_is_that_of_the_normal_law():
    # Closed form for a standard normal law: y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi).
    y = np.array([-1.5, 0.0, 0.7])
    draws = np.repeat(stats.norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None], 3, axis=1)
    expected = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / math.sqrt(math.pi)
    assert crps(draws, y) == pytest.approx(expected, abs=1e-3)


def test_the_crps_of_few_draws_is_that_of_their_law_on_average():
    rng = np.random.default_rng(4)
    draws = rng.exponential(size=(3, 40_000))
    expected = integrate.quad(lambda x: (1 - math.exp(-x) - (x >= 1.0)) ** 2, 0.0, 40.0, points=[1.0])[0]
    assert crps(draws, np.ones(40_000)).mean() == pytest.approx(expected, abs=0.01)


def test_the_crps_of_one_value_told_twice_is_its_distance():
    assert crps([[3.0, 1.0], [3.0, 1.0]], [1.0, 1.0]).tolist() == [2.0, 0.0]


@given(st.floats(0.1, 50.0), st.floats(-50.0, 50.0))
def test_scores_are_in_the_unit_of_what_is_predicted(factor, shift):
    rng = np.random.default_rng(7)
    draws, seen = rng.normal(size=(9, 5)), rng.normal(size=5)
    moved = factor * draws + shift, factor * seen + shift
    assert crps(*moved) == pytest.approx(factor * crps(draws, seen), rel=1e-6, abs=1e-9)
    here = interval_score(draws.min(axis=0), draws.max(axis=0), seen, 0.9)
    assert interval_score(moved[0].min(axis=0), moved[0].max(axis=0), moved[1], 0.9) == pytest.approx(factor * here)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: interval_score(2.0, 1.0, 1.5, 0.9), "low end of an interval"),
        (lambda: interval_score(1.0, 2.0, math.nan, 0.9), "got NaN"),
        (lambda: interval_score(1.0, 2.0, 1.5, 90), "confidence"),
        (lambda: crps([[1.0]], [1.0]), "at least two draws"),
        (lambda: crps([[1.0], [2.0]], [1.0, 2.0]), "at least two draws of each observation"),
    ],
)
def test_what_cannot_be_scored_is_refused(call, told):
    with pytest.raises(ArgumentError, match=told):
        call()
