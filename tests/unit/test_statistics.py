"""Statistics over replications: published values, edges, and tests of the tests."""

import json
import math
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from corridor_sim import statistics
from corridor_sim.plots.base import mean_and_ends
from corridor_sim.results.comparison import paired_statistics
from corridor_sim.verify.analytics import check_analytic

VECTORS = json.loads((resources.files("corridor_sim") / "data/vectors/analytics.json").read_text("utf-8"))["analytics"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_published_value_is_met(vector):
    item = check_analytic(vector)
    assert item.status == "passed", item.detail


def test_one_value_has_no_interval():
    interval = statistics.t_interval([3.0])
    assert interval.mean == 3.0
    assert not interval.available
    assert not interval.excludes_zero
    assert math.isnan(statistics.paired_interval([1.0], [2.0]).interval.half_width)
    assert math.isnan(statistics.welch_interval([1.0], [2.0, 3.0]).half_width)


def test_no_value_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        statistics.t_interval([])


def test_the_t_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(5)
    samples = rng.normal(2.0, 3.0, (8, 4000))
    mean, half = statistics.t_half_widths(samples, 0.9)
    covered = np.abs(mean - 2.0) <= half
    assert abs(covered.mean() - 0.9) < 4 * math.sqrt(0.9 * 0.1 / 4000)


def test_students_half_width_is_reckoned_in_one_place_only():
    package = Path(statistics.__file__).parents[1]
    inverse = re.compile(r"stdtrit|\bppf\b")
    found = [path.name for path in package.rglob("*.py") for _ in inverse.findall(path.read_text(encoding="utf-8"))]
    # The only use is the constant h of a two-stage selection, which is no half-width.
    assert set(found) == {"selection.py"}
    users = [path.name for path in package.rglob("*.py") if "two_sided_quantile" in path.read_text(encoding="utf-8")]
    # No intervals of a mean of values: the forecast "last value" (the spread of single changes), the logarithm of a
    # volume of counts, and bootstrap draws of release times by clusters of days.
    others = ["arrival_shape.py", "censored.py", "last_value.py"]
    assert sorted(users) == sorted(["intervals.py", "student.py", *others])


# Closed forms of the quantile for 1, 2 and 4 degrees of freedom, and NIST/SEMATECH e-Handbook of Statistical
# Methods, table 1.3.6.7.2 (two-sided 0.95 is its column 0.975).
@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.9, 0.95, 0.99, 0.9999])
def test_the_t_quantile_is_that_of_the_closed_forms(confidence):
    beyond = 1 - confidence
    assert statistics.t_quantile(confidence, 1) == pytest.approx(1 / math.tan(math.pi * beyond / 2), rel=1e-13)
    a = beyond * (1 + confidence)
    assert statistics.t_quantile(confidence, 2) == pytest.approx(confidence * math.sqrt(2 / a), rel=1e-13)
    q = math.cos(math.acos(math.sqrt(a)) / 3) / math.sqrt(a)
    assert statistics.t_quantile(confidence, 4) == pytest.approx(2 * math.sqrt(q - 1), rel=1e-12)


@pytest.mark.parametrize(
    ("df", "published"), [(1, 12.706), (2, 4.303), (5, 2.571), (9, 2.262), (19, 2.093), (29, 2.045), (100, 1.984)]
)
def test_the_t_quantile_is_that_of_published_tables(df, published):
    assert round(statistics.t_quantile(0.95, df), 3) == published


def test_the_t_quantile_has_the_same_twelve_digits_with_every_scipy():
    # With 40 digits (mpmath 1.3): scipy 1.13 is off in the eleventh digit of the first two.
    exact = {1: "12.7062047362", 2: "4.30265272975", 5: "2.57058183564", 19: "2.09302405441", 99: "1.98421695159"}
    assert {df: f"{statistics.t_quantile(0.95, df):.12g}" for df in exact} == exact


def test_p_values_are_the_tails_beyond_the_quantile():
    for df in (0.4, 1, 2, 7.3, 19, 60, 999, 1e6, math.inf):
        for confidence in (0.05, 0.5, 0.95, 0.999):
            t = statistics.t_quantile(confidence, df)
            assert statistics.t_p_values([t, -t], df) == pytest.approx([1 - confidence] * 2, rel=1e-9)
    assert statistics.t_p_values([0.0, math.inf, math.nan], 5)[:2].tolist() == [1.0, 0.0]
    assert np.isnan(statistics.t_p_values([math.nan, 1.0], [5, 0])).all()


def test_p_values_of_far_tails_are_that_of_scipy():
    t = np.array([0.01, 0.5, 3.0, 10.0, 40.0])
    for df in (1, 2.5, 19, 199):
        assert statistics.t_p_values(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-10)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_half_widths_of_all_kinds_are_that_of_scipy(confidence):
    values = np.random.default_rng(5).normal(3.0, 2.0, (9, 3))
    low, high = stats.t.interval(confidence, 8, loc=values.mean(axis=0), scale=stats.sem(values, axis=0))
    expected = (high - low) / 2
    assert statistics.t_half_width(stats.sem(values, axis=0), 8, confidence) == pytest.approx(expected)
    assert statistics.t_half_widths(values, confidence)[1] == pytest.approx(expected)
    assert statistics.t_interval(values[:, 0], confidence).half_width == pytest.approx(expected[0])
    paired = paired_statistics(np.zeros((3, 9)), values.T, confidence)
    for _, *ends in (mean_and_ends(values.T, confidence), [0.0, paired["low"], paired["high"]]):
        assert ends[0] == pytest.approx(low)
        assert ends[1] == pytest.approx(high)


def test_many_intervals_at_once_are_those_one_by_one_and_pass_over_gaps():
    values = np.array([[1.0, 5.0, np.nan], [2.0, np.nan, np.nan], [4.0, 6.0, 7.0]])
    mean, half = statistics.t_half_widths(values)
    for k, column in enumerate(([1.0, 2.0, 4.0], [5.0, 6.0], [7.0])):
        interval = statistics.t_interval(column)
        assert mean[k] == pytest.approx(interval.mean)
        assert half[k] == pytest.approx(interval.half_width, nan_ok=True)


def test_a_scenario_against_itself_differs_by_exactly_nothing():
    found = statistics.paired_interval([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])
    assert found.interval.mean == 0.0
    assert found.interval.half_width == 0.0
    assert found.p_value == 1.0
    assert math.isinf(found.variance_ratio)


def test_a_constant_difference_is_certain():
    found = statistics.paired_interval([2.0, 3.0, 5.0], [1.0, 2.0, 4.0])
    assert found.p_value == 0.0
    assert found.interval.excludes_zero


def test_pairs_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="equally many"):
        statistics.paired_interval([1.0, 2.0], [1.0])


def test_holm_is_never_above_bonferroni_and_keeps_the_order():
    p = np.random.default_rng(2).random(12) ** 3
    holm, bonferroni = statistics.holm(p), statistics.bonferroni(p)
    assert (holm <= bonferroni).all()
    assert (np.diff(holm[np.argsort(p)]) >= 0).all()
    assert (holm >= p).all()


def test_mser_cuts_off_a_start_that_is_too_low():
    rng = np.random.default_rng(8)
    series = np.concatenate([np.zeros(50), rng.normal(10.0, 1.0, 450)])
    found = statistics.mser(series)
    assert 50 <= found.truncate_observations <= 80
    assert not found.too_short


def test_mser_says_when_the_run_is_too_short():
    assert statistics.mser(np.arange(100.0)).too_short


def test_batch_means_see_correlation():
    rng = np.random.default_rng(3)
    noise = rng.normal(size=4000)
    walk = np.empty(4000)
    walk[0] = 0.0
    for k in range(1, 4000):
        walk[k] = 0.999 * walk[k - 1] + noise[k]
    assert statistics.batch_means(walk, 40).lag1 > 0.5
    assert abs(statistics.batch_means(noise, 40).lag1) < 0.5


def test_batch_means_leave_out_the_remainder():
    assert statistics.batch_means([1.0, 3.0, 5.0, 7.0, 100.0], 2).interval.mean == 4.0


def test_a_quantile_interval_needs_enough_values():
    assert statistics.quantile_interval(10, 0.95) is None
    assert statistics.quantile_interval(100, 0.5).coverage >= 0.95


def test_sequential_replications_say_when_the_precision_was_not_reached():
    found = statistics.sequential_replications([1.0, 9.0, 2.0], absolute=0.1, at_least=2)
    assert not found.reached
    assert found.interval.n == 3
    assert statistics.sequential_replications([5.0] * 12, relative=0.1).interval.n == 10
    with pytest.raises(ValueError, match="either"):
        statistics.sequential_replications([1.0, 2.0])
    with pytest.raises(ValueError, match=r"the relative precision must be a finite number > 0, got -0\.1"):
        statistics.sequential_replications([1.0, 2.0], relative=-0.1)


def test_a_control_variate_takes_out_what_it_explains():
    rng = np.random.default_rng(4)
    x = rng.normal(5.0, 1.0, 200)
    y = 3.0 + 2.0 * x + rng.normal(0.0, 0.1, 200)
    found = statistics.control_variate(y, x, 5.0)
    assert abs(found.estimate - 13.0) < 4 * 0.1 / math.sqrt(200)
    assert found.variance_reduction > 100
    assert found.interval.half_width < statistics.t_interval(y).half_width


def test_kn_finds_the_best_as_often_as_it_promises():
    # Slippage configuration: the best is better by exactly delta = sd/2.
    rng = np.random.default_rng(11)
    rounds, right = 300, 0
    for _ in range(rounds):
        common = rng.normal(size=2000)

        def observe(options, replication, common=common):
            means = np.where(np.array(options) == 2, -0.5, 0.0)
            return means + 0.5 * common[replication] + math.sqrt(0.75) * rng.normal(size=len(options))

        found = statistics.select_best(observe, 5, 0.5)
        assert found.reached
        right += found.best == 2
    assert right / rounds >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / rounds)


def test_kn_with_a_cap_names_the_leader_without_a_promise():
    found = statistics.select_best(
        lambda options, r: [float(o) + (r % 2) for o in options], 3, 1e-3, max_replications=10
    )
    assert found.best == 0
    found = statistics.select_best(
        lambda options, r: np.random.default_rng(r).normal(size=3)[list(options)], 3, 1e-6, max_replications=12
    )
    assert not found.reached
    assert max(found.replications) == 12


def test_kn_can_look_for_the_largest():
    found = statistics.select_best(lambda options, r: [o + 0.01 * (r % 3) for o in options], 4, 0.5, maximise=True)
    assert found.best == 3
    assert found.means[3] > found.means[0]


def test_ocba_refuses_a_tie_for_the_best():
    with pytest.raises(ValueError, match="share the best"):
        statistics.ocba_fractions([1.0, 1.0, 2.0], [1.0, 1.0, 1.0])


def test_comparison_with_the_best_is_symmetric_in_the_direction():
    low = statistics.compare_with_best([1.0, 2.0, 4.0], 1.0, 10, 27)
    high = statistics.compare_with_best([-1.0, -2.0, -4.0], 1.0, 10, 27, maximise=True)
    mirrored = [(-upper, -lower) for lower, upper in high.intervals]
    assert np.allclose(low.intervals, mirrored)


def test_dunnett_for_one_other_is_student():
    assert statistics.dunnett_quantile(1, 20, 0.95) == pytest.approx(1.724718, abs=1e-5)


def test_the_fit_of_equal_series_is_perfect_and_zeros_do_not_break_it():
    found = statistics.fit([0.0, 3.0], [0.0, 3.0])
    assert found.rmse == 0.0
    assert found.wmape_percent == 0.0
    assert math.isnan(found.mape_percent)


def test_geh_of_nothing_is_nothing():
    assert statistics.geh([0.0], [0.0]).tolist() == [0.0]


def test_theils_shares_sum_to_one():
    rng = np.random.default_rng(6)
    found = statistics.fit(rng.random(30), rng.random(30))
    assert found.bias + found.variance + found.covariance == pytest.approx(1.0)


def test_rates_of_return_where_there_is_none():
    assert math.isnan(statistics.internal_rate_of_return([1.0, 2.0]))
    assert math.isnan(statistics.internal_rate_of_return([-1.0, 5.0, -5.0]))
    assert statistics.internal_rate_of_return([-100.0, 50.0]) == pytest.approx(-0.5)
    assert statistics.internal_rate_of_return([-1.0, 11.0]) == pytest.approx(10.0)
    # A renewal in mid-life: the running total -100, -40, 20, 5, 65 changes its sign once, and at 0.2 % steps no other
    # rate is found.
    renewed = [-100.0, 60.0, 60.0, -15.0, 60.0]
    rate = statistics.internal_rate_of_return(renewed)
    assert statistics.net_present_value(rate, renewed) == pytest.approx(0.0, abs=1e-9)
    values = [statistics.net_present_value(step / 500, renewed) for step in range(5_000)]
    assert [step for step in range(4_999) if values[step] * values[step + 1] < 0] == [math.floor(rate * 500)]
    # Both of two rates solve it: none is told.
    assert math.isnan(statistics.internal_rate_of_return([-100.0, 230.0, -132.0]))
    # No first flow: the running total of the years that have one.
    assert statistics.internal_rate_of_return([0.0, -100.0, 60.0, 60.0]) == pytest.approx(0.1306623862918075)
    assert statistics.payback_year([-5.0, 1.0, 1.0]) is None


def test_a_rate_is_told_just_where_the_roots_of_the_polynomial_leave_one():
    rng = np.random.default_rng(8)
    told = 0
    for _ in range(300):
        flows = rng.normal(size=rng.integers(3, 40))
        flows[0] = -3.0 * abs(flows[0])
        roots = np.roots(flows)
        rates = roots[(np.abs(roots.imag) < 1e-7) & (roots.real > 0)].real - 1.0
        above = rates[rates > 1e-9]
        found = statistics.internal_rate_of_return(flows)
        if len(above) == 1:
            assert found == pytest.approx(above[0], rel=1e-6)
            told += 1
        elif len(rates) != 1:
            assert math.isnan(found)
    assert told > 50
    # Two equal rates: -1 + 2.2 / q - 1.21 / q^2 = -(1 - 1.1 / q)^2 touches 0 at 10 %.
    assert math.isnan(statistics.internal_rate_of_return([-1.0, 2.2, -1.21]))


def test_the_best_portfolio_is_the_best_of_all_that_fit():
    rng = np.random.default_rng(9)
    cost, benefit = rng.integers(1, 30, 9), rng.integers(1, 30, 9)
    found = statistics.best_portfolio(cost, benefit, 60)
    chosen = ((np.arange(2**9)[:, None] >> np.arange(9)) & 1).astype(bool)
    fits = (chosen * cost).sum(axis=1) <= 60
    assert found.benefit == (chosen * benefit).sum(axis=1)[fits].max()
    assert found.cost <= 60
    assert statistics.greedy_portfolio(cost, benefit, 60).benefit <= found.benefit


def test_no_budget_buys_nothing():
    assert statistics.best_portfolio([1.0], [5.0], 0.0).items == ()
    assert statistics.best_portfolio([], [], 1.0).items == ()


def test_sobol_indices_of_a_sum_are_its_shares():
    found = statistics.sobol(lambda x: x[0] + 2.0 * x[1], [(0.0, 1.0), (0.0, 1.0)], n=1024, rng=1)
    assert found.first == pytest.approx([0.2, 0.8], abs=0.02)
    assert found.total == pytest.approx([0.2, 0.8], abs=0.02)
    with pytest.raises(ValueError, match="power of two"):
        statistics.sobol(lambda x: x[0], [(0.0, 1.0)], n=1000)


def test_two_stage_sizes_round_up_and_keep_the_first_stage():
    assert statistics.two_stage_sizes([1.0, 25.0], 2.0, 1.0, 10) == (10, 100)


def test_kn_constants_for_several_c_meet_their_equation():
    one, two = statistics.kn_constants(5, 0.05, 10), statistics.kn_constants(5, 0.05, 10, c=2)
    left = (1 + 2 * two.eta * 3 / 2) ** -4.5 - 0.5 * (1 + 2 * two.eta * 4 / 2) ** -4.5
    assert left == pytest.approx(0.05 / 4, rel=1e-6)
    assert one.h2 == pytest.approx(2 * one.eta * 9)
