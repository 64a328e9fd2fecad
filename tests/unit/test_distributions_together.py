"""Distributions of several places, read at once, are those that are read one by one."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from corridor_sim.indicators import many_distributions
from corridor_sim.indicators.distributions import Distribution, TimeCounts
from corridor_sim.indicators.many_distributions import Distributions, Occurring


@pytest.fixture(params=[(1 << 20, None), (37, None), (1 << 20, slice(0, 5)), (37, slice(1, 5)), (4000, slice(0, 5))])
def counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> TimeCounts:
    """Five places in three replications; nobody at one place, nor in one replication of another; few and many.

    Counted one by one, or taken over from counts of all replications, the last of them by itself.
    """
    together, many = request.param
    monkeypatch.setattr(many_distributions, "AT_ONCE", together)
    rng, counts = np.random.default_rng(3), TimeCounts(5, 3, 50.0)
    for place, number in enumerate((1, 40, 0, 700, 3)):
        row = rng.integers(0, 2 if place == 1 else 3, number)
        counts.add(place, row, rng.gamma(2.0, 3.0, number))
    if many is None:
        return counts
    found, taken = TimeCounts(5, 3, 50.0, many=many), np.moveaxis(counts.counts, 0, 1).copy()
    for rows in ([2], [0, 1]):
        found.take(Occurring.of(taken[rows], (np.arange(5) * 3 + np.array(rows)[:, None]).reshape(-1)))
    assert "_of_many" not in vars(found)
    assert found.counts.shape == (5 - (many.stop - many.start), 3, found.bins)
    return found


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
    value_h_of_all, counts_of_all, ends = counted.of_several(slice(0, 5)).by_value()
    for place in range(5):
        here = slice(ends[place], ends[place + 1])
        value_h, counts = value_h_of_all[here], counts_of_all[:, here]
        one: Distribution = counted.of(place)
        values, of_each = one.by_value()
        there = of_each.any(axis=0)
        np.testing.assert_array_equal(value_h, values[there])
        np.testing.assert_array_equal(counts, of_each[:, there])
        assert counts.dtype == of_each.dtype


def test_one_place_is_read_as_if_all_had_been_counted(counted: TimeCounts) -> None:
    values, _, _ = counted.of_several(slice(3, 4)).by_value()
    one = counted.of(3)
    assert int(one.number.sum()) == 700
    assert set(values.tolist()) <= set(one.by_value()[0].tolist())
    np.testing.assert_array_equal(counted.share_within(3, 1e9), [1.0, 1.0, 1.0])


@pytest.mark.parametrize("size", [1, 5, 8, 13, 128, 129, 255, 1000, 1901, 1926, 5003])
def test_sums_of_what_occurs_are_those_of_numpy(size: int) -> None:
    rng = np.random.default_rng(size)
    counts = (rng.random((2, 3, size)) < 0.2) * rng.integers(1, 9, (2, 3, size)).astype(np.int32)
    counts[1, 1] = 0
    counts[0, :, : size // 2] = 0
    worth = rng.random(size)
    (found,) = Distributions.of(counts, worth).sums_of(worth)
    assert found.tobytes() == (counts * worth).sum(axis=2).tobytes()


def test_distributions_with_one_number_are_added_up_wherever_they_stand() -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(0.2, (9, 30)).astype(np.int32)
    counts[4] = 0
    for which in ([5, 1, 5, 2, 7, 7, 0, 5, 3], list(range(9)), [4] * 9):
        found = Occurring.of(counts, np.arange(9)).renumbered(np.array(which))
        assert sorted(found.which.tolist()) == sorted(set(which))
        again, wanted = np.zeros((10, 30), np.int32), np.zeros((10, 30), np.int32)
        found.add_to(again, found.which)
        np.add.at(wanted, which, counts)
        np.testing.assert_array_equal(again, wanted)
        for begin, end in zip(found.ends[:-1].tolist(), found.ends[1:].tolist(), strict=True):
            assert (np.diff(found.value[begin:end]) > 0).all()
            assert (found.times[begin:end] > 0).all()
        assert found.times.dtype == np.int32


def test_what_has_no_row_is_not_added() -> None:
    counts, into = np.array([[0, 2], [3, 0], [4, 5]], dtype=np.int32), np.zeros((2, 2), np.int32)
    Occurring.of(counts, np.arange(3)).add_to(into, np.array([1, -1, 1]))
    assert into.tolist() == [[0, 0], [4, 7]]


@pytest.mark.parametrize("spread", [False, True])
def test_places_are_had_from_others(counted: TimeCounts, spread: bool) -> None:
    many, alone = counted.many, copy.deepcopy(counted)
    one_by_one = [alone.of(place).counts.copy() for place in range(5)]
    if spread:
        counted.of(many.start)
    # One place more at the beginning, and what is of the same place is nothing here yet.
    here = slice(many.start + 1, many.stop + 1) if many.stop else slice(0, 0)
    found = TimeCounts(6, 3, 50.0, many=here)
    found.take(Occurring.of(np.zeros((6, 3, found.bins), dtype=np.int32), np.arange(18)))
    places = np.array([0, 1, 3, 4])
    found.have(counted, places, places + 1)
    together = found.of_several(here)
    for place in range(6):
        expected = one_by_one[place - 1] if place - 1 in places else np.zeros_like(one_by_one[0])
        if here.start <= place < here.stop:
            np.testing.assert_array_equal(together.number[place - here.start], expected.sum(axis=1))
        np.testing.assert_array_equal(found.of(place).counts, expected)
