"""The variance of runs that share their streams: parts that are known, and a split that is wrong for them."""

import math

import numpy as np
import pytest

from corridor_sim.statistics import crossed_variance, nested_variance

INPUTS, REPLICATIONS, INTERACTION = 4.0, 9.0, 1.0


def studies(count=400, draws=16, replications=4, rng=11):
    """Tables mu + A_d + B_r + AB_dr with variances INPUTS, REPLICATIONS and INTERACTION."""
    rng = np.random.default_rng(rng)
    a = rng.normal(0.0, math.sqrt(INPUTS), (count, draws, 1))
    b = rng.normal(0.0, math.sqrt(REPLICATIONS), (count, 1, replications))
    ab = rng.normal(0.0, math.sqrt(INTERACTION), (count, draws, replications))
    return 50.0 + a + b + ab


def off(values, truth):
    """Distance of a mean from the truth, in standard errors."""
    values = np.asarray(values)
    return abs(values.mean() - truth) / (values.std(ddof=1) / math.sqrt(len(values)))


@pytest.fixture(scope="module")
def tables():
    return studies()


@pytest.mark.parametrize(
    ("part", "truth"), [("inputs", INPUTS), ("replications", REPLICATIONS), ("interaction", INTERACTION)]
)
def test_each_part_of_a_known_two_way_function_is_met_within_two_standard_errors(tables, part, truth):
    assert off([getattr(crossed_variance(table), part) for table in tables], truth) < 2.0


def test_the_variance_of_the_mean_is_that_of_the_means_of_many_studies(tables):
    stated = INPUTS / 16 + REPLICATIONS / 4 + INTERACTION / 64
    seen = tables.mean(axis=(1, 2)).var(ddof=1)
    assert abs(seen / stated - 1.0) < 3.0 * math.sqrt(2.0 / 399)  # relative standard error of a variance
    # The estimate is cut at 0 part by part, so its mean is a little above.
    assert np.mean([crossed_variance(table).of_mean for table in tables]) == pytest.approx(stated, rel=0.1)


def test_the_nested_split_fails_where_streams_are_shared(tables):
    found = [nested_variance(table).inputs for table in tables]
    assert off(found, INPUTS) > 10.0
    assert off(found, INPUTS - REPLICATIONS / 4) < 2.0  # too low by the replications' part over R


def test_the_nested_split_is_right_where_every_draw_has_streams_of_its_own():
    rng = np.random.default_rng(12)
    noise = rng.normal(0.0, math.sqrt(REPLICATIONS), (400, 16, 4))
    tables = rng.normal(0.0, math.sqrt(INPUTS), (400, 16, 1)) + noise
    assert off([nested_variance(table).inputs for table in tables], INPUTS) < 2.0
    assert off([nested_variance(table).interaction for table in tables], REPLICATIONS) < 2.0


def test_with_one_replication_the_interaction_stands_in_the_inputs_part(tables):
    parts = [crossed_variance(table[:, :1]) for table in tables]
    assert off([part.inputs for part in parts], INPUTS + INTERACTION) < 2.0
    assert math.isnan(parts[0].interaction)
    assert math.isnan(parts[0].of_mean)


def test_the_share_of_the_inputs_is_of_all_parts_and_none_of_them_is_negative():
    parts = crossed_variance([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]])
    assert parts.inputs < 0
    assert parts.input_share == 0.0
    assert math.isnan(crossed_variance([[3.0, 3.0], [3.0, 3.0]]).input_share)


@pytest.mark.parametrize(
    ("values", "told"),
    [([1.0, 2.0], "shape"), ([[1.0, 2.0]], "two draws"), ([[1.0, math.nan], [2.0, 1.0]], "1 of 4 values")],
)
def test_a_table_that_cannot_be_split_is_an_error_that_says_why(values, told):
    with pytest.raises(ValueError, match=told):
        crossed_variance(values)


def test_the_nested_split_asks_for_two_replications():
    with pytest.raises(ValueError, match="two replications"):
        nested_variance([[1.0], [2.0]])
