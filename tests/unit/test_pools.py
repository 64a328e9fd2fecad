"""Percentiles of all consignments of all replications together, and their intervals."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from small_border import plan

import corridor_sim as cs
from corridor_sim.indicators.pools import percentile_interval, pooled, together
from corridor_sim.indicators.table import Label, Table, join
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.pooled_differences import pooled_differences
from corridor_sim.results.results import Results
from corridor_sim.statistics import t_quantile


def run(scenario="teaching", **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(scenario, rng=5, **({"replications": 6, "indicators": ["wait_p95_h"]} | settings))


@pytest.fixture(scope="module")
def kept():
    return run(records=True, replications=12)


def pooled_row(results, place="northgate_b.entry.xray"):
    return results.summary("wait_p95_pooled_h", place=place).iloc[0]


def test_five_in_a_hundred_of_all_consignments_wait_longer_than_the_pooled_percentile(kept):
    plan, records = kept.plan, kept.records
    for element, visits in zip(plan.elements, records.elements, strict=True):
        if element.kind != "station":
            continue
        counted = (visits.flow >= 0) & (visits.join_h >= plan.warm_up_h) & np.isfinite(visits.start_h)
        wait_h = np.sort((visits.start_h - visits.join_h)[counted])
        exact = wait_h[int(np.ceil(0.95 * len(wait_h))) - 1]
        assert pooled_row(kept, element.id)["mean"] == pytest.approx(exact, rel=0.004, abs=0.5 / 3600 + 1e-4)


def test_it_is_not_the_mean_of_the_percentiles_of_replications(kept):
    # A congested replication has more of the long waits than one twelfth.
    mean = kept.summary("wait_p95_h", place="northgate_b.entry.xray").iloc[0]
    assert pooled_row(kept)["mean"] > 1.02 * mean["mean"]


def test_how_the_run_is_cut_does_not_show():
    one, two = run(), run(workers=2)
    event = run(engine="event")
    for other in (two, event):
        assert one.rows.pools.counts.tobytes() == other.rows.pools.counts.tobytes()
        assert pooled_row(one).to_dict() == pooled_row(other).to_dict()


def test_a_stored_run_has_the_same_and_goes_on(tmp_path):
    run(store=tmp_path / "kept", replications=3)
    more = run(store=tmp_path / "kept", replications=6)
    assert pooled_row(more).to_dict() == pooled_row(run()).to_dict()
    assert pooled_row(cs.load_results(tmp_path / "kept")).to_dict() == pooled_row(run()).to_dict()


def test_a_selection_of_replications_has_no_pooled_row():
    results = run()
    some = results.with_rows(results.rows.only([0, 2]))
    assert some.rows.pools is None
    assert "wait_p95_pooled_h" not in some.rows.indicators


def test_one_replication_has_a_percentile_and_no_interval():
    row = pooled_row(run(replications=1))
    assert row["mean"] > 0
    assert np.isnan(row["low"])
    assert row["note"] == "interval not available"


LABEL = Label("p95", "h", "stage", "a")


def table(values, replications):
    counts = np.array(values, dtype=np.int64)
    row = ([(LABEL, 95.0)], np.arange(counts.shape[1], dtype=float), counts)
    replications = np.array(replications)
    return Table((), np.empty((0, len(replications))), replications, pooled([row], replications))


def test_blocks_are_joined_by_value():
    parts = [table([[3, 0, 1]], [0]), table([[0, 2, 0], [0, 0, 5]], [4, 2])]
    joined = join(parts)
    value, counts = joined.pools.of(0)
    assert value.tolist() == [0.0, 1.0, 2.0]
    assert counts[:, [0, 2, 4]].tolist() == [[3, 0, 0], [0, 0, 2], [1, 5, 0]]
    assert together([parts[0].pools, None]) is None


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed():
    # Ninety-five of a hundred at 1, five at 2.
    value, counts = np.array([1.0, 2.0]), np.array([[50, 45], [0, 5]])
    assert percentile_interval(value, counts, 95, np.nan)[0] == 1.0
    assert percentile_interval(value, counts, 95.5, np.nan)[0] == 2.0
    assert np.isnan(percentile_interval(value[:0], counts[:0], 95, 2.0)[0])


def test_the_interval_covers_the_percentile_of_a_known_law_as_often_as_it_says():
    # Sections of random size whose times share a level: the pooled law is a mixture known by a large sample.
    rng, sections, studies = np.random.default_rng(3), 20, 400
    grid = np.geomspace(0.01, 40.0, 2000)

    def counts():
        size = rng.integers(50, 150, sections)
        level = rng.gamma(8.0, 1 / 8.0, sections)
        found = np.zeros((len(grid), sections), dtype=np.int64)
        for k in range(sections):
            at = np.searchsorted(grid, level[k] * rng.exponential(1.0, size[k]))
            np.add.at(found[:, k], np.minimum(at, len(grid) - 1), 1)
        return found

    many = sum(counts().sum(axis=1) for _ in range(4000))
    truth = grid[np.argmax(np.cumsum(many) >= 0.95 * many.sum())]
    quantile, inside = t_quantile(0.95, sections - 1), 0
    for _ in range(studies):
        _, low, high = percentile_interval(grid, counts(), 95, quantile)
        inside += low <= truth <= high
    assert 0.92 <= inside / studies <= 0.975


def run_of(name, found, root=7):
    """A run whose pools are given; the rest is of no account."""
    named = plan(name=name)
    return Results(scenario=named, plan=named, rows=found, root=root, engine="event", versions={"stream_scheme": "2"})


def times(rng, factor=1.0, level=None, sections=20, size=400):
    """A table of exponential times, congested or not by section; `factor` makes all of them longer."""
    grid = np.geomspace(0.01, 60.0, 3000)
    level = rng.gamma(8.0, 1 / 8.0, sections) if level is None else level
    counts = np.zeros((sections, len(grid)), dtype=np.int64)
    for k in range(sections):
        at = np.searchsorted(grid, factor * level[k] * rng.exponential(1.0, size))
        np.add.at(counts[k], np.minimum(at, len(grid) - 1), 1)
    replications = np.arange(sections)
    return Table((), np.empty((0, sections)), replications, pooled([([(LABEL, 95.0)], grid, counts)], replications))


def test_a_comparison_has_pooled_percentiles_where_asked_for():
    base, other = run(), run("teaching_priority_lane")
    frame = Comparison((base, other)).table("wait_p95_pooled_h", place="northgate_a.exit.lanes")
    assert len(frame) == 1
    row = frame.iloc[0]
    known = [pooled_row(one, "northgate_a.exit.lanes")["mean"] for one in (base, other)]
    assert [row["base"], row["other"], row["difference"]] == [*known, known[1] - known[0]]
    assert row["low"] < row["difference"] < row["high"]
    everything = Comparison((base, other)).table("all")
    assert "wait_p95_pooled_h" in set(everything["indicator"])
    assert "wait_p95_pooled_h" not in set(Comparison((base, other)).table()["indicator"])


def test_pooled_percentiles_of_equal_runs_are_no_difference():
    found = times(np.random.default_rng(1))
    row = Comparison((run_of("a", found), run_of("b", found))).table("p95").iloc[0]
    assert row[["difference", "low", "high", "p_holm"]].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert row["verdict"] == "no difference"


def test_sections_that_are_congested_in_both_runs_narrow_the_interval_of_pairs():
    rng = np.random.default_rng(2)
    level = rng.gamma(8.0, 1 / 8.0, 20)
    runs = (run_of("a", times(rng, level=level)), run_of("b", times(rng, 1.2, level)))
    row, other = (Comparison(runs, paired=paired).table("p95").iloc[0] for paired in (True, False))
    assert row["difference"] == other["difference"] > 0
    assert row["high"] - row["low"] < 0.6 * (other["high"] - other["low"])
    assert row["correlation"] > 0.8
    assert row["variance_ratio"] > 1
    assert np.isnan(other["correlation"])


def test_one_replication_has_pooled_percentiles_and_no_interval_of_their_difference():
    rng = np.random.default_rng(3)
    runs = (run_of("a", times(rng, sections=1)), run_of("b", times(rng, 2.0, sections=1)))
    row = Comparison(runs).table("p95").iloc[0]
    assert row["difference"] != 0
    assert (row["verdict"], row["note"]) == ("interval not available", "")


@pytest.mark.parametrize("paired", [True, False])
def test_the_interval_of_a_pooled_difference_holds_it_as_often_as_it_says(paired):
    # The truth is that of a mixture, known by a large sample; the second run is 1.2 times the first.
    rng, studies, sections = np.random.default_rng(4), 200, 20
    many = rng.gamma(8.0, 1 / 8.0, 1_000_000) * rng.exponential(1.0, 1_000_000)
    truth = 0.2 * np.quantile(many, 0.95)
    inside = 0
    for _ in range(studies):
        level = rng.gamma(8.0, 1 / 8.0, sections) if paired else None
        first, second = times(rng, 1.0, level), times(rng, 1.2, level)
        _, found, _ = pooled_differences(first, second, "all", {}, 0.95, paired)
        inside += found["low"][0] <= truth <= found["high"][0]
    error = 3 * np.sqrt(0.05 * 0.95 / studies)
    assert 0.92 - error <= inside / studies <= 0.97 + error


@pytest.mark.parametrize("numbers", [range(70), range(5, 101), [3, 40, 35, 7, 67, 72], [*range(64), 200, 199]])
def test_counts_of_a_section_are_the_sums_of_its_replications(numbers):
    replications, value = np.array(numbers), np.arange(9.0)
    counts = np.random.default_rng(2).integers(0, 5, (len(replications), len(value))).astype(np.int32)
    counts[:, 4] = 0
    found = pooled([([(Label("x", "h", "post", "a"), 95.0)], value, counts)], replications)
    values, by_section = found.of(0)
    assert values.tolist() == [k for k in value if k != 4]
    for section in range(32):
        of_it = counts[replications % 32 == section].sum(axis=0)
        assert by_section[:, section].tolist() == np.delete(of_it, 4).tolist()
