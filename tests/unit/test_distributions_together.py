"""Distributions of several places, read at once, are those that are read one by one."""

from __future__ import annotations

import numpy as np
import pytest

from corridor_sim.indicators import distributions
from corridor_sim.indicators.distributions import Distribution, TimeCounts


@pytest.fixture(params=[1 << 20, 37])
def counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> TimeCounts:
    """Five places in three replications; nobody at one place, nor in one replication of another; few and many."""
    monkeypatch.setattr(distributions, "AT_ONCE", request.param)
    rng, counts = np.random.default_rng(3), TimeCounts(5, 3, 50.0)
    for place, number in enumerate((1, 40, 0, 700, 3)):
        row = rng.integers(0, 2 if place == 1 else 3, number)
        counts.add(place, row, rng.gamma(2.0, 3.0, number))
    return counts


def test_percentiles_are_those_of_each(counted: TimeCounts) -> None:
    together = counted.of_several(slice(0, 5))
    for percent in (0.0, 5.0, 50.0, 95.0, 100.0):
        found = together.percentile(percent)
        for place in range(5):
            np.testing.assert_array_equal(found[place], counted.of(place).percentile(percent))
    assert np.isnan(found[2]).all()
    assert np.isnan(found[1, 2])


def test_numbers_and_sums_are_the_same_bits(counted: TimeCounts) -> None:
    together = counted.of_several(slice(1, 5))
    worth = np.sqrt(together.value_h + 1.0)
    (found,) = together.sums_of(worth)
    for place in range(4):
        one = counted.of(place + 1)
        np.testing.assert_array_equal(together.number[place], one.number)
        assert found[place].tobytes() == (one.counts * worth).sum(axis=1).tobytes()


def test_counts_by_value_are_those_that_occur(counted: TimeCounts) -> None:
    for place, (value_h, counts) in enumerate(counted.of_several(slice(0, 5)).by_value()):
        one: Distribution = counted.of(place)
        values, of_each = one.by_value()
        there = of_each.any(axis=0)
        np.testing.assert_array_equal(value_h, values[there])
        np.testing.assert_array_equal(counts, of_each[:, there])
        assert counts.dtype == of_each.dtype
