"""Releases: inversion and thinning by hand, every process, what is refused."""

import datetime as dt
import math

import numpy as np
import pytest

from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import to_grid
from corridor_sim.model.arrivals import (
    ARRIVALS,
    AllAtStart,
    ArrivalPlan,
    Arrivals,
    Batches,
    Poisson,
    RegularArrivals,
    Renewal,
    Trace,
    invert_rate,
    thin,
)
from corridor_sim.model.csv_columns import csv_files
from corridor_sim.model.schemas import KindOf
from corridor_sim.model.service_times import Deterministic, Gamma

CYCLE = StepFunction.periodic([0, 60, 120, 180], [0.1, 0.5, 0.0, 0.2], period_h=240, until_h=600)
"""The rate of the traces TR-22 and TR-23, per unit of the clock."""
ALL = [KindOf(ARRIVALS).make({"kind": kind, **ARRIVALS.example(kind)}, Arrivals) for kind in ARRIVALS]
each_process = pytest.mark.parametrize("process", ALL, ids=repr)


def generator(seed=11):
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


def releases(process, n, rate=CYCLE, seed=11, start=None):
    return ArrivalPlan(process=process, rate=rate, start=start).sampler(generator(seed))(n)


# ---------------------------------------------------------------- inversion and thinning (rule S25)


def test_arrivals_are_the_first_instants_at_which_the_cumulative_rate_reaches_the_sums():
    """TR-22: the cumulative rate is 6 at 60, 36 from 120 to 180, 48 at 240, 54 at 300."""
    sums = [1, 5.5, 6, 7, 20, 35.5, 36, 37, 47, 48, 49, 55]
    expected = [10, 55, 60, 62, 88, 119, 120, 185, 235, 240, 250, 302]
    assert to_grid(invert_rate(CYCLE, sums)).tolist() == expected
    assert to_grid(invert_rate(CYCLE, np.reshape(sums, (3, 4)))).ravel().tolist() == expected
    assert [float(to_grid(invert_rate(CYCLE, value))) for value in sums] == expected


def test_candidates_stay_where_the_uniform_times_the_majorant_is_below_the_rate():
    """TR-23: strictly below, and the rate at an instant of change is the new one."""
    candidates = [3, 20, 58, 60, 90, 119, 120, 150, 180, 200, 239]
    uniforms = [0.1, 0.2, 0.19, 0.99, 0.5, 0.999, 0.0, 0.3, 0.39, 0.41, 0.4]
    assert thin(candidates, uniforms, CYCLE, majorant=0.5).tolist() == [3, 58, 60, 90, 119, 180]


def test_a_sum_beyond_the_whole_cumulative_rate_is_never_reached():
    rate = StepFunction([0, 1, 3], [2.0, 0.0, 0.0])
    assert invert_rate(rate, [0.0, 1.0, 2.0, 2.5]).tolist() == [0.0, 0.5, 1.0, math.inf]
    assert invert_rate(StepFunction.constant(0.0), [0.0, 1.0]).tolist() == [0.0, math.inf]


def test_inversion_does_not_depend_on_shape_or_order():
    sums = np.cumsum(generator().exponential(size=2000)) % 60
    in_order = np.sort(sums)
    one_by_one = np.array([float(invert_rate(CYCLE, value)) for value in sums])
    assert np.array_equal(invert_rate(CYCLE, sums), one_by_one)
    assert np.array_equal(invert_rate(CYCLE, sums.reshape(40, 50)).ravel(), one_by_one)
    assert np.array_equal(invert_rate(CYCLE, in_order), np.sort(one_by_one))


def test_a_rate_that_begins_before_the_run_counts_from_hour_0():
    rate = StepFunction([-5, -1, 2], [7.0, 1.0, 4.0])
    assert invert_rate(rate, [1.0, 2.0, 6.0]).tolist() == [1.0, 2.0, 3.0]


def test_a_negative_or_endless_rate_is_refused():
    for value in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="finite and >= 0"):
            invert_rate(StepFunction.constant(value), [1.0])


def test_thinning_refuses_a_majorant_below_the_rate_and_unpaired_arrays():
    with pytest.raises(ValueError, match=r"at least the highest rate 0\.5"):
        thin([1.0], [0.5], CYCLE, majorant=0.4)
    with pytest.raises(ValueError, match="one uniform a candidate"):
        thin([1.0, 2.0], [0.5], CYCLE, majorant=0.5)


# ---------------------------------------------------------------- every process


@each_process
def test_a_process_is_a_value_and_says_its_kind(process):
    assert ARRIVALS[process.kind] is type(process)
    assert KindOf(ARRIVALS).make(process.to_data(), Arrivals) == process


@each_process
@pytest.mark.parametrize("sizes", [(1,) * 40, (0, 17, 23), (39, 1)])
def test_releases_do_not_go_back_and_do_not_depend_on_how_they_are_asked_for(process, sizes):
    whole = releases(process, 40)
    assert whole.shape == (40,)
    finite = whole[np.isfinite(whole)]
    assert (finite >= 0).all()
    assert (np.diff(finite) >= 0).all()
    assert np.isinf(whole[len(finite) :]).all()
    sampler = ArrivalPlan(process=process, rate=CYCLE).sampler(generator())
    assert np.array_equal(np.concatenate([sampler(n) for n in sizes]), whole)


@each_process
def test_the_expected_count_is_the_mean_number_of_releases(process):
    plan = ArrivalPlan(process=process, rate=CYCLE)
    runs = 400 if process.follows_rate else 1
    counts = np.array(
        [[(r <= 100).sum(), (r <= 480).sum()] for r in (releases(process, 2000, seed=k) for k in range(runs))]
    )
    expected = np.array([plan.expected_count(100), plan.expected_count(480)])
    if process.follows_rate:
        error = counts.std(axis=0, ddof=1) / math.sqrt(runs)
        # A renewal process that begins with a full gap is behind its rate by a bounded amount.
        slack = 0.5 if isinstance(process, Renewal) else 0.0
        assert (np.abs(counts.mean(axis=0) - expected) <= 4 * error + slack).all()
    else:
        assert counts[0].tolist() == expected.tolist()
    assert plan.expected_count(480, since_h=100) == pytest.approx(expected[1] - expected[0])


@pytest.mark.parametrize("process", [p for p in ALL if p.follows_rate], ids=repr)
def test_growth_moves_releases_and_reshuffles_nothing(process):
    """Twice the rate is the same sequence of operational time, read twice as fast."""
    rate, double = StepFunction.constant(2.0), StepFunction.constant(4.0)
    np.testing.assert_allclose(releases(process, 500, rate), 2 * releases(process, 500, double), rtol=1e-12)
    late = StepFunction([0, 50], [2.0, 3.0])
    before = releases(process, 500, rate)
    assert np.array_equal(releases(process, 500, late)[before <= 50], before[before <= 50])


# ---------------------------------------------------------------- one by one


def test_a_renewal_flow_of_constant_gaps_is_evenly_spaced():
    process = Renewal(interarrival=Deterministic(value_h=9.0))
    assert releases(process, 4, StepFunction.constant(4.0)).tolist() == [0.25, 0.5, 0.75, 1.0]


def test_at_a_constant_rate_of_one_over_the_mean_the_gaps_are_those_of_the_law():
    law = Gamma(mean_h=0.5, cv=0.7)
    gaps = np.diff(releases(Renewal(interarrival=law), 1001, StepFunction.constant(2.0)))
    np.testing.assert_allclose(gaps, law.sampler(generator())(1001)[1:], rtol=1e-9)


def test_a_renewal_flow_needs_gaps():
    with pytest.raises(ScenarioError, match=r"interarrival.* must have a mean > 0"):
        Renewal(interarrival=Deterministic(value_h=0.0))


def test_groups_arrive_together_with_their_sizes_as_often_as_their_weights():
    times = releases(Batches(size=[2, 5], weights=[0.75, 0.25]), 40_000, StepFunction.constant(1.0))
    _, sizes = np.unique(times, return_counts=True)
    assert set(sizes[:-1].tolist()) == {2, 5}
    share = (sizes[:-1] == 5).mean()
    assert abs(share - 0.25) < 4 * math.sqrt(0.25 * 0.75 / len(sizes))


def test_weights_of_sizes_must_fit():
    with pytest.raises(ScenarioError, match="as many as size"):
        Batches(size=[2, 5])
    with pytest.raises(ScenarioError, match="sum to 1"):
        Batches(size=[2, 5], weights=[0.5, 0.6])
    with pytest.raises(ScenarioError):
        Batches(size=0)


def test_trains_come_by_the_clock():
    assert releases(RegularArrivals(every_h=6, first_h=2, size=2), 5).tolist() == [2, 2, 8, 8, 14]
    plan = ArrivalPlan(process=RegularArrivals(every_h=6, first_h=0, size=2))
    assert [plan.expected_count(t) for t in (0, 5.9, 6, 12)] == [2, 2, 4, 6]


def test_everybody_is_there_at_hour_0():
    assert releases(AllAtStart(count=3), 5).tolist() == [0, 0, 0, math.inf, math.inf]


def test_a_trace_is_given_back():
    process = Trace(times_h=[0.5, 0.5, 3.0])
    assert releases(process, 4).tolist() == [0.5, 0.5, 3.0, math.inf]
    assert [ArrivalPlan(process=process).expected_count(t) for t in (0.25, 0.5, 3.0)] == [0, 2, 3]


def test_a_dated_trace_counts_hours_from_the_start_of_the_run_and_leaves_out_what_was_before():
    process = Trace(times=[dt.datetime(2023, 5, 31), dt.datetime(2023, 6, 1, 6), dt.datetime(2023, 6, 2)])
    start = dt.datetime(2023, 6, 1)
    assert releases(process, 3, start=start).tolist() == [6.0, 24.0, math.inf]
    assert ArrivalPlan(process=process, start=start).expected_count(12) == 1
    with pytest.raises(ScenarioError, match=r"run.start"):
        releases(process, 3)


def test_an_offset_in_a_trace_is_taken_into_account():
    baku = dt.timezone(dt.timedelta(hours=4))
    process = Trace(times=[dt.datetime(2023, 6, 1, 5, tzinfo=baku), dt.datetime(2023, 6, 1, 2)])
    assert releases(process, 2, start=dt.datetime(2023, 6, 1)).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("released\n0.5\n2\n", [0.5, 2.0]), ("released\n2023-06-01 00:30\n2023-06-01T06:00+04:00\n", [0.5, 2.0])],
)
def test_a_trace_from_a_file_holds_hours_or_dates(text, expected):
    with csv_files(lambda path: text):
        process = Trace(csv="gate.csv", column="released")
    assert releases(process, 2, start=dt.datetime(2023, 6, 1)).tolist() == expected
    assert KindOf(ARRIVALS).make(process.to_data(), Arrivals) == process


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"times_h": [1.0, 3.0, 2.0]}, r"times_h.2 = '2.0': must not go back in time: number 3 is before number 2"),
        ({"times_h": [1.0, -3.0]}, r"times_h.1 = -3.0"),
        ({"times_h": [1.0, math.nan]}, r"times_h.1 = nan"),
        ({}, r"give instants"),
        ({"times_h": [1.0], "times": [dt.datetime(2023, 6, 1)]}, r"give instants"),
    ],
)
def test_a_bad_trace_is_told_with_the_place_of_its_first_fault(values, says):
    with pytest.raises(ScenarioError, match=says):
        Trace(**values)


def test_bad_cells_of_a_trace_are_told_by_row():
    for text, says in (
        ("released\n2023-06-01 00:30\nlater\n", "row 3, column released: .*'later'"),
        ("released\n1\n2023-06-01\n", "row 3, column released: .*'2023-06-01'"),
    ):
        with csv_files(lambda path, text=text: text), pytest.raises(ScenarioError, match=says):
            Trace(csv="gate.csv", column="released")


def test_a_poisson_process_has_nothing_to_set():
    with pytest.raises(ScenarioError, match="per_day: is not a known key"):
        Poisson(per_day=3.0)
