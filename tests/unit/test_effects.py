"""What an answer hangs on: every estimator against functions whose effects are known exactly."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from corridor_sim.statistics import (
    first_order,
    ishigami,
    ishigami_indices,
    jansen_effects,
    morris_effects,
    morris_points,
    saltelli_points,
    shapley,
    shapley_effects,
    value_of_information,
    width_left,
    worth_by_chance,
)

G = np.array([0.0, 1.0, 4.5, 9.0, 99.0])
"""Coefficients of Sobol's g-function: the first matters most, the last hardly."""


def g_function(points):
    return np.prod((np.abs(4.0 * points - 2.0) + G) / (1.0 + G), axis=-1)


def g_parts():
    """Exact first-order and total effects of the g-function."""
    alone = 1.0 / 3.0 / (1.0 + G) ** 2
    variance = np.prod(1.0 + alone) - 1.0
    return alone / variance, np.array([v * np.prod(1.0 + np.delete(alone, k)) for k, v in enumerate(alone)]) / variance


def sobol_points(inputs, count, seed=5):
    return qmc.Sobol(inputs, seed=seed).random(count)


def test_first_order_effects_from_given_draws_are_those_of_ishigami():
    x = (2.0 * sobol_points(3, 1024) - 1.0) * math.pi
    found = first_order(x, ishigami(x.T))
    assert found.share == pytest.approx(ishigami_indices().first, abs=0.03)
    assert found.direction[0] > 0.3
    assert found.by_chance < 0.03


def test_first_order_effects_from_given_draws_are_those_of_the_g_function():
    x = sobol_points(5, 2048)
    # |4u - 2| has a corner: polynomials of degree 8 leave 1 % of it.
    assert first_order(x, g_function(x)).share == pytest.approx(g_parts()[0], abs=0.03)


def test_inputs_without_effect_stay_below_the_bound_of_chance():
    rng = np.random.default_rng(8)
    above = 0
    for _ in range(60):
        found = first_order(rng.random((64, 20)), rng.normal(size=64), rng=rng)
        above += found.share.max() > found.by_chance
    assert above <= 8  # 1 in 20 of 60 is 3; more than 8 once in 200


def test_a_constant_input_and_a_constant_answer_have_no_effect():
    x = np.column_stack([np.full(40, 2.0), np.linspace(0.0, 1.0, 40)])
    assert first_order(x, x[:, 1]).share == pytest.approx([0.0, 1.0])
    assert not first_order(x, np.ones(40)).share.any()


def test_total_effects_by_jansen_are_those_of_the_g_function():
    rng = np.random.default_rng(21)
    points = saltelli_points([[k] for k in range(5)], 4096, rng)
    found = jansen_effects(g_function(points))
    first, total = g_parts()
    assert (np.abs(found.first - first) < np.maximum(3.0 * found.first_error, 0.01)).all()
    assert (np.abs(found.total - total) < np.maximum(3.0 * found.total_error, 0.01)).all()


def test_a_group_has_the_total_effect_of_its_inputs_together():
    found = jansen_effects(g_function(saltelli_points([[0, 1], [2, 3, 4]], 4096, np.random.default_rng(3))))
    alone = 1.0 / 3.0 / (1.0 + G) ** 2
    variance = np.prod(1.0 + alone) - 1.0
    first, second = np.prod(1.0 + alone[:2]) - 1.0, np.prod(1.0 + alone[2:]) - 1.0
    exact = np.array([first * (1.0 + second), second * (1.0 + first)]) / variance
    assert found.total == pytest.approx(exact, abs=0.02)


def test_points_for_total_effects_are_a_power_of_two():
    with pytest.raises(ValueError, match="power of two"):
        saltelli_points([[0]], 100, np.random.default_rng(0))


def test_morris_gives_the_slopes_of_a_linear_function():
    groups = [[0], [1, 2], [3]]
    points = morris_points(groups, 12, np.random.default_rng(4))
    assert points.min() >= 0.0
    assert points.max() <= 1.0
    assert morris_effects(groups, points, points @ np.array([5.0, 0.0, 0.0, -2.0])) == pytest.approx([5.0, 0.0, 2.0])


@pytest.mark.parametrize("levels", [1, 3, 5, 0, -4])
def test_morris_refuses_levels_whose_half_is_no_level(levels):
    # A step of 5 levels is 5/8: from the middle it led to -1/8, outside the range of the input.
    with pytest.raises(ValueError, match=f"levels must be an even number from 2 on, got {levels}"):
        morris_points([[0], [1]], 5, np.random.default_rng(1), levels=levels)


@pytest.mark.parametrize("levels", [2, 4, 6, 10])
def test_morris_stays_within_the_cube_and_on_its_levels(levels):
    points = morris_points([[0, 2], [1]], 40, np.random.default_rng(1), levels=levels) * (levels - 1)
    assert points == pytest.approx(np.round(points))
    assert points.min() == pytest.approx(0.0)
    assert points.max() == pytest.approx(levels - 1)


def test_designs_refuse_answers_that_are_missing_or_do_not_fit():
    groups = [[0], [1]]
    points = morris_points(groups, 5, np.random.default_rng(1))
    with pytest.raises(ValueError, match="15 of 15 answers are missing"):
        morris_effects(groups, points, np.full((5, 3), np.nan))
    with pytest.raises(ValueError, match=r"answers \(4, 3\): they do not fit"):
        morris_effects(groups, points, np.ones((4, 3)))
    with pytest.raises(ValueError, match="1 groups of 2 inputs"):
        morris_effects([[0, 1]], points, np.ones((5, 3)))
    with pytest.raises(ValueError, match="trajectories must be 1 or more"):
        morris_points(groups, 0, np.random.default_rng(1))
    answers = np.ones((4, 8))
    answers[1, 2] = np.inf
    with pytest.raises(ValueError, match="1 of 32 answers are missing or not finite"):
        jansen_effects(answers)
    with pytest.raises(ValueError, match="1 of 64 answers"):
        shapley_effects(np.ones((64, 2)), np.r_[np.nan, np.ones(63)], groups)


def test_morris_moves_one_group_at_a_time():
    groups = [[0], [1, 2], [3]]
    moved = np.diff(morris_points(groups, 6, np.random.default_rng(4)), axis=1) != 0
    for trajectory in moved:
        assert sorted(tuple(np.flatnonzero(step)) for step in trajectory) == [(0,), (1, 2), (3,)]


def test_shapley_values_of_the_glove_game_are_those_of_the_textbook():
    # Player 0 has a left glove, 1 and 2 a right one; a pair is worth 1: 2/3, 1/6, 1/6.
    assert shapley(lambda who: float(0 in who and len(who) > 1), 3) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def linear_gaussian(beta, covariance):
    """Exact Shapley effects of sum(beta x) with x normal: Var(E[y | x_J]) by conditioning."""
    beta, covariance = np.asarray(beta), np.asarray(covariance)
    variance = beta @ covariance @ beta

    def worth(who):
        known = list(who)
        if not known:
            return 0.0
        towards = (covariance @ beta)[known]
        return float(towards @ np.linalg.solve(covariance[np.ix_(known, known)], towards))

    return shapley(worth, len(beta)) / variance


def test_shapley_effects_of_two_correlated_inputs_are_in_closed_form():
    b1, b2, s1, s2, rho = 1.0, 2.0, 1.5, 0.5, 0.6
    both = rho * b1 * b2 * s1 * s2
    one = (b1 * s1) ** 2 * (1 - rho**2 / 2) + both + (b2 * s2) ** 2 * rho**2 / 2
    two = (b2 * s2) ** 2 * (1 - rho**2 / 2) + both + (b1 * s1) ** 2 * rho**2 / 2
    covariance = [[s1**2, rho * s1 * s2], [rho * s1 * s2, s2**2]]
    assert linear_gaussian([b1, b2], covariance) == pytest.approx(np.array([one, two]) / (one + two))


def test_shapley_effects_from_draws_are_those_of_a_linear_gaussian_function():
    covariance = np.array([[1.0, 0.7, 0.0], [0.7, 1.0, 0.0], [0.0, 0.0, 1.0]])
    beta = np.array([1.0, 0.5, 0.8])
    x = np.random.default_rng(6).multivariate_normal(np.zeros(3), covariance, 8000)
    found = shapley_effects(x, x @ beta, [[0], [1], [2]])
    assert found.sum() == pytest.approx(1.0)
    assert found == pytest.approx(linear_gaussian(beta, covariance), abs=0.03)


def test_shapley_effects_refuse_groups_that_do_not_hold_every_input_once():
    with pytest.raises(ValueError, match="every input from 0 once"):
        shapley_effects(np.zeros((5, 2)), np.zeros(5), [[0], [0]])
    with pytest.raises(ValueError, match="12 at most"):
        shapley(lambda who: 0.0, 13)


def test_the_value_of_information_is_that_of_a_normal_payoff():
    # Do nothing (0) or act (mu + x1 + x2): E max(0, mu + s Z) - max(0, mu), s the spread of what gets known.
    mu, s1, s2 = 0.3, 1.0, 0.5
    x = stats.norm.ppf(sobol_points(2, 8192)) * [s1, s2]
    worth = mu + x.sum(axis=1)
    found = value_of_information(x, np.column_stack([np.zeros(len(x)), worth]))

    def exact(s):
        return s * stats.norm.pdf(mu / s) + mu * stats.norm.cdf(mu / s) - mu

    assert [one.value for one in found] == pytest.approx([exact(s1), exact(s2)], abs=0.005)
    assert found[0].perfect == pytest.approx(exact(math.hypot(s1, s2)), abs=0.005)


def test_information_that_cannot_change_the_decision_is_worth_nothing():
    x = sobol_points(1, 256)
    found = value_of_information(x, np.column_stack([np.zeros(256), 5.0 + x[:, 0]]))
    assert found[0].value == pytest.approx(0.0, abs=1e-12)
    assert found[0].perfect == pytest.approx(0.0, abs=1e-12)


def test_one_input_is_worth_no_more_than_all_also_where_few_draws_fit_a_polynomial_too_well():
    over = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        x, worth = rng.random((8, 6)), rng.normal(0.0, 1.0, 8)
        found = value_of_information(x, np.column_stack([np.zeros(8), worth]), 4)
        assert all(0.0 <= one.value <= one.perfect for one in found)
        over += any(one.value == one.perfect for one in found)
    assert over >= 1


def test_the_width_left_is_that_of_what_the_other_inputs_do():
    x = sobol_points(2, 1024)
    left = width_left(x, 3.0 * x[:, 0] + x[:, 1])
    assert left == pytest.approx([0.9, 2.7], rel=0.05)


def test_the_width_left_of_an_answer_that_is_zero_in_half_of_the_range_is_the_mean_of_both_halves():
    x = sobol_points(3, 1024)
    answer = np.where(x[:, 0] < 0.5, x[:, 1], 0.0)
    # As it is, 0 to 0.9. Known x0: 0.9 wide or nothing. Known x1: from 0 to x1 wide, 0.5 in the mean. x2 does nothing.
    assert width_left(x, answer) == pytest.approx([0.45, 0.5, 0.9], rel=0.1)


@pytest.mark.parametrize("draws", [64, 128])
def test_the_width_left_of_an_input_without_effect_is_the_width_as_it_is_also_with_few_draws(draws):
    found, whole = [], []
    for seed in range(20):
        x = sobol_points(4, draws, seed)
        answer = 2.0 * x[:, 0] + x[:, 1] ** 2
        found.append(width_left(x, answer))
        low, high = np.quantile(answer, [0.05, 0.95], method="weibull")
        whole.append(high - low)
    share = np.mean(found, axis=0) / np.mean(whole)
    assert share[2:] == pytest.approx([1.0, 1.0], abs=0.1)
    # Exact: 2.12 wide, 1.8 where x1 is known, 0.9 where x0 is (x1^2 from 0.0025 to 0.9025).
    assert share[:2] == pytest.approx([0.9 / 2.12, 1.8 / 2.12], abs=0.1)


def test_missing_values_and_wrong_shapes_are_errors():
    with pytest.raises(ValueError, match="missing"):
        first_order([[1.0], [2.0], [math.nan]], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="3 draws at least"):
        first_order([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="payoffs of shape"):
        value_of_information([[1.0]], [1.0])


def test_of_a_hundred_inputs_without_effect_none_is_worth_knowing_but_once_in_twenty():
    # The bound was that of one input: of a hundred, five were named in every study.
    named = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        inputs, payoffs = rng.random((64, 100)), np.column_stack([np.zeros(64), rng.normal(1.0, 4.0, 64)])
        bound = worth_by_chance(inputs, payoffs, 2)
        named.append(sum(one.value > bound for one in value_of_information(inputs, payoffs, 2)))
    assert sum(number > 0 for number in named) <= 6  # of 40 at 5 %: more with a chance of 0.3 %


def test_an_input_that_decides_is_above_what_chance_gives_and_its_worth_is_that_by_hand():
    # Building is worth 10 x - 4 with x even on [0, 1]: 1 whatever x is, 1.8 where it is built from x = 0.4 on.
    x = np.random.default_rng(2).permutation((np.arange(256) + 0.5) / 256)
    inputs = np.column_stack([x, np.random.default_rng(3).random((256, 60))])
    payoffs = np.column_stack([np.zeros(256), 10 * x - 4])
    found = value_of_information(inputs, payoffs)
    bound = worth_by_chance(inputs, payoffs)
    assert found[0].value == pytest.approx(0.8, abs=1e-3)
    assert found[0].perfect == pytest.approx(0.8, abs=1e-3)
    assert [k for k, one in enumerate(found) if one.value > bound] == [0]
    # What all options cost more, as money spent, changes no choice and so no worth.
    assert worth_by_chance(inputs, payoffs - 50.0) == pytest.approx(bound)
    with pytest.raises(ValueError, match="a value is missing"):
        worth_by_chance(inputs, payoffs * np.nan)
    with pytest.raises(ValueError, match="needs payoffs of shape"):
        worth_by_chance(inputs, x)
