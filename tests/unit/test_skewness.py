"""Intervals of means whose values lean to one side."""

import math

import numpy as np
import pytest

from corridor_sim.results.comparison import paired_statistics
from corridor_sim.statistics import lean_p_values, mean_limits, t_half_widths, t_quantile
from corridor_sim.statistics.skewness import ENOUGH, arms, lean_t, leaning

LEANING = [0.2, 0.3, 0.1, 0.9, 0.4, 0.2, 0.3, 0.5, 0.1, 2.5, 0.3, 0.6, 0.2, 0.4, 1.1]


def test_the_ends_are_the_farther_ones_of_the_published_formula_and_of_students():
    # Willink (2005): G(r) = ([1 + 6 a (r - a)]^(1/3) - 1) / (2 a), a = third moment / (6 sqrt(n) s^3).
    values, n = np.array(LEANING), len(LEANING)
    s = values.std(ddof=1)
    third = n / ((n - 1) * (n - 2)) * ((values - values.mean()) ** 3).sum()
    a, t = third / (6 * math.sqrt(n) * s**3), t_quantile(0.95, n - 1)

    def g(r):
        return float(np.cbrt(1 + 6 * a * (r - a)) - 1) / (2 * a)

    mean, low, high = mean_limits(values)
    assert 0 < g(t) < t < -g(-t)
    assert float(low) == pytest.approx(values.mean() - t * s / math.sqrt(n), rel=1e-12)
    assert float(high) == pytest.approx(values.mean() - g(-t) * s / math.sqrt(n), rel=1e-12)
    assert float(high - mean) > float(mean - low)


def test_values_mirrored_shifted_and_scaled_take_their_interval_along():
    mean, low, high = mean_limits(LEANING)
    other = mean_limits([7.0 - 3.0 * value for value in LEANING])
    assert [float(one) for one in other] == pytest.approx([7 - 3 * mean, 7 - 3 * high, 7 - 3 * low])


def test_values_that_do_not_lean_and_fewer_than_ten_have_students_interval():
    for values in (np.linspace(0.0, 1.0, 21), np.array(LEANING[: ENOUGH - 1])):
        mean, half = (float(one) for one in t_half_widths(values))
        ends = [mean, mean - half, mean + half]
        assert [float(one) for one in mean_limits(values)] == pytest.approx(ends, rel=1e-9)
    assert not np.allclose(mean_limits(LEANING[:ENOUGH])[2], sum(t_half_widths(LEANING[:ENOUGH])))


def test_gaps_and_constant_values_are_passed_over():
    gaps = np.array([*LEANING, math.nan, math.nan])
    columns = np.array([gaps, np.full(17, 2.0), np.full(17, math.nan), [1.0] + [math.nan] * 16]).T
    mean, low, high = mean_limits(columns)
    assert [mean[0], low[0], high[0]] == pytest.approx([float(one) for one in mean_limits(LEANING)], rel=1e-12)
    assert (mean[1], low[1], high[1]) == (2.0, 2.0, 2.0)
    assert np.isnan([low[2:], high[2:]]).all()


def test_the_mean_is_inside_however_far_one_value_stands_out_and_however_low_the_confidence():
    for confidence in (0.01, 0.5, 0.95, 0.9999):
        for size in (10, 20, 400):
            mean, low, high = mean_limits([0.0] * (size - 1) + [1e9], confidence)
            assert low <= mean < high


def test_a_p_value_is_small_exactly_where_0_is_outside_the_interval():
    rng = np.random.default_rng(3)
    values = rng.exponential(size=(14, 4000)) - 0.4
    for confidence in (0.8, 0.95):
        mean, low, high = mean_limits(values, confidence)
        p = lean_p_values(mean / (values.std(axis=0, ddof=1) / math.sqrt(14)), 14, leaning(values))
        outside = (low > 0) | (high < 0)
        assert 0 < outside.sum() < 4000
        assert ((p < 1 - confidence) == outside).all()


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_means_of_leaning_values_are_held_as_often_as_said_where_students_interval_is_not(confidence):
    values = np.random.default_rng(4).exponential(size=(20, 8000))
    _, low, high = mean_limits(values, confidence)
    mean, half = t_half_widths(values, confidence)
    covered = ((low <= 1.0) & (high >= 1.0)).mean()
    assert confidence - 0.01 < covered < confidence + 0.02
    assert (np.abs(mean - 1.0) <= half).mean() < confidence - 0.02


def test_means_of_values_far_out_on_both_sides_are_held_as_often_as_said_where_willinks_interval_is_not():
    # Most differences of throughput are near 0, few are far on either side: here one of ten, ten times as far.
    rng = np.random.default_rng(8)
    values = rng.normal(size=(20, 8000)) * np.where(rng.random((20, 8000)) < 0.1, 10.0, 1.0)
    mean, low, high = mean_limits(values)
    assert 0.94 < ((low <= 0.0) & (high >= 0.0)).mean() < 0.98
    willinks = lean_t(mean / (values.std(axis=0, ddof=1) / math.sqrt(20)), leaning(values))
    assert (np.abs(willinks) <= t_quantile(0.95, 19)).mean() < 0.93


def test_the_differences_of_a_comparison_have_the_interval_of_their_own_values():
    base = np.array([LEANING, [*LEANING[:-1], math.nan]])
    other = base * 0.8 - 0.1
    found = paired_statistics(base, other, 0.95)
    for row in range(2):
        _, low, high = mean_limits(other[row] - base[row])
        assert (found["low"][row], found["high"][row]) == pytest.approx((float(low), float(high)), rel=1e-9)
    assert (found["p"] < 0.05).all()


def test_student_arms_are_the_same_on_both_sides():
    below, above = arms(np.array([1.0]), np.array([20]), np.array([0.0]), 0.95)
    assert below == above == pytest.approx([t_quantile(0.95, 19)])
