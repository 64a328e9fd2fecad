"""Counts of a Poisson flow are Poisson of the integral of its rate, whatever the profile (invariant 48).

Rates as in a planner's scenario: hours of the day times days of the week.
"""

import math

import numpy as np
import pytest
from scipy import stats

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_WEEK
from corridor_sim.model.arrivals import ArrivalPlan, Poisson, thin
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Variant
from corridor_sim.sampling.sampler import Sampler

WEEKS = 4
RUNS = 250
HOUR = np.array([1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 12, 10, 8, 8, 9, 10, 10, 9, 7, 5, 4, 3, 2, 1], dtype=float)
DAY = np.array([1.2, 1.1, 1.0, 1.0, 1.1, 0.7, 0.0])
PER_HOUR = np.tile((DAY[:, None] * HOUR / HOUR.mean() * 10 / DAY.mean()).ravel(), WEEKS)
RATE = StepFunction(np.arange(len(PER_HOUR)), PER_HOUR)
HORIZON_H = WEEKS * H_PER_WEEK


@pytest.fixture(scope="module")
def release_h():
    plan = Plan(
        elements=(),
        flows=(
            FlowPlan(id="f", variants=(Variant(id="v", steps=()),), arrivals=ArrivalPlan(process=Poisson(), rate=RATE)),
        ),
        horizon_h=HORIZON_H,
    )
    return Sampler(plan, 2024).sample(range(RUNS)).flows[0].release_h


@pytest.fixture(scope="module")
def counts(release_h):
    """Shape (run x week, weekday, hour)."""
    edges = np.arange(HORIZON_H + 1)
    return np.array([np.histogram(row, edges)[0] for row in release_h]).reshape(RUNS * WEEKS, 7, 24)


def assert_poisson(counts, mean):
    """Mean and variance of independent counts are `mean`, within 4.5 standard errors."""
    n = len(counts)
    assert abs(counts.mean() - mean) <= 4.5 * math.sqrt(mean / n)
    assert abs(counts.var(ddof=1) - mean) <= 4.5 * math.sqrt((mean + 2 * mean**2) / n)


@pytest.mark.parametrize("hour", [3, 8, 17, 23])
def test_counts_of_an_hour_of_the_day_have_variance_equal_to_the_mean(counts, hour):
    for day in range(6):
        assert_poisson(counts[:, day, hour], PER_HOUR[24 * day + hour])


@pytest.mark.parametrize("day", range(6))
def test_counts_of_a_weekday_have_variance_equal_to_the_mean(counts, day):
    assert_poisson(counts[:, day].sum(axis=1), PER_HOUR[24 * day : 24 * day + 24].sum())


def test_nobody_is_released_on_a_day_of_rate_0(counts):
    assert not counts[:, 6].any()


def test_counts_of_a_week_are_poisson(counts):
    total = counts.sum(axis=(1, 2))
    mean = PER_HOUR[:168].sum()
    assert_poisson(total, mean)
    assert stats.kstest(total + np.random.default_rng(1).random(len(total)), _smooth_poisson(mean)).pvalue > 1e-3


def test_counts_of_neighbouring_hours_are_not_correlated(counts):
    standard = (counts[:, :6] - PER_HOUR[:144].reshape(6, 24)) / np.sqrt(PER_HOUR[:144].reshape(6, 24))
    product = (standard[:, :, :-1] * standard[:, :, 1:]).mean(axis=0)
    assert abs(product.mean()) < 4.5 / math.sqrt(len(counts) * product.size)


def test_gaps_of_operational_time_are_unit_exponentials(release_h):
    """Time change of the releases by the cumulative rate (Brown et al. 2005)."""
    reached = np.append(0, np.cumsum(PER_HOUR))
    row = release_h[:5]
    gaps = np.concatenate([np.diff(np.interp(r[np.isfinite(r)], np.arange(len(reached)), reached)) for r in row])
    assert len(gaps) > 30_000
    # The clock grid of 3.4 ms moves a gap by at most 10^-4 of its mean.
    assert stats.kstest(gaps, stats.expon.cdf).pvalue > 1e-3


def test_thinning_gives_the_same_mean_counts():
    """The independent sampler of the same process, on its own draws."""
    rng, majorant, edges = np.random.default_rng(8), PER_HOUR.max(), np.arange(0, HORIZON_H + 1, 24)
    counts = []
    for _ in range(100):
        candidates = np.cumsum(rng.exponential(1 / majorant, int(majorant * HORIZON_H * 1.1)))
        candidates = candidates[candidates < HORIZON_H]
        counts.append(np.histogram(thin(candidates, rng.random(len(candidates)), RATE, majorant), edges)[0])
    theory = PER_HOUR.reshape(28, 24).sum(axis=1)
    error = np.sqrt(theory / 100)
    assert (np.abs(np.mean(counts, axis=0)[theory > 0] - theory[theory > 0]) <= 4.5 * error[theory > 0]).all()


def _smooth_poisson(mean):
    """Distribution function of a Poisson count plus an independent uniform."""

    def cdf(value):
        whole = np.floor(value)
        return stats.poisson.cdf(whole - 1, mean) + (value - whole) * stats.poisson.pmf(whole, mean)

    return cdf
