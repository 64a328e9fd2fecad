"""How often the 95 % intervals of a study hold what they are about: ``python tests/benchmarks/intervals.py``.

A post of two lanes (M/M/2) at loads 0.3, 0.7 and 0.9, thirty days a replication (`--days`) after 21 days
of warm-up, twenty replications a study, `--studies` of them at each load (`--load` for one alone).
What a row is about is known by theory for the rows of `theory_of`; for the others it is the mean over all
replications of all studies together (for a pooled percentile, that of all consignments), whose own error
is a twentieth of a half-width with 400 studies. Differences are those from the same post with services
shorter by 4 %, in pairs and on other random numbers. Printed for each row, in per cent: coverage over the
studies whose note does not say "interval not reliable", coverage over all studies, and how often it says so.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import corridor_sim as cs
from corridor_sim.results.comparison import paired_statistics, resolution, welch_statistics
from corridor_sim.results.pooled_differences import pooled_differences
from corridor_sim.results.reliability import unreliable, unreliable_difference
from corridor_sim.results.results import Results
from corridor_sim.statistics import mean_limits, theory

LOADS, SIZE, MEAN_H, LANES = (0.3, 0.7, 0.9), 20, 0.5, 2
WARM_UP = 21
DAYS = {0.3: 30, 0.7: 30, 0.9: 30}
"""Counted days. At load 0.9 a queue forgets in four days: 1 / (2 lanes x 2 an hour x (1 - sqrt(0.9))^2) = 95 h."""
SCENARIO = """
schema = 1
name = "two lanes"
[run]
start = 2024-01-01
horizon_days = {days}
warm_up_days = {warm_up}
[places.mill]
[places.market]
[legs.in]
kind = "road"
from = "mill"
to = "a"
length_km = 50
speed_kmh = 50
[legs.bridge]
kind = "road"
from = "a"
to = "b"
length_km = 0
speed_kmh = 50
border = true
[legs.out]
kind = "road"
from = "b"
to = "market"
length_km = 0
speed_kmh = 50
[checkpoints.a]
crossing = "gate"
[checkpoints.a.exit.lanes]
lanes = {lanes}
service = {{ kind = "exponential", mean_h = {mean_h} }}
[checkpoints.b]
crossing = "gate"
[checkpoints.b.entry.free]
lanes = "unlimited"
service = {{ kind = "deterministic", value_h = 0.0 }}
[flows.trucks]
origin = "mill"
destination = "market"
per_day = {per_day}
load_t = 20.0
"""
PLACES = ("a", "a.exit.lanes", "gate", "trucks", "all")


FASTER = 0.96


def theory_of(row: str, load: float) -> float | None:
    """What a row is about in the long run, where the theory of M/M/c says it; None elsewhere."""
    rate, lanes = load * LANES / MEAN_H, LANES
    wait_h = theory.mmc_wait(rate, MEAN_H, lanes)
    waiting = theory.erlang_c(lanes, rate * MEAN_H)
    known = {
        "wait_h a.exit.lanes": wait_h,
        "stay_h a": wait_h + MEAN_H,
        "queue_mean a.exit.lanes": rate * wait_h,
        "utilisation a.exit.lanes": load,
        "arrivals_per_day a": rate * 24,
        "throughput_per_day a": rate * 24,
        # The number waiting exceeds k with probability C load^(k + 1).
        "queue_p95 a.exit.lanes": max(math.ceil(math.log(0.05 / waiting) / math.log(load)) - 1, 0),
        "wait_p95_pooled_h a.exit.lanes": theory.mmc_wait_quantile(rate, MEAN_H, lanes, 0.95),
    }
    return known.get(row)


@dataclass(frozen=True)
class Coverage:
    """One row of the table of indicators at one load."""

    load: float
    row: str
    covered: float
    """Share of the studies without a note whose interval holds what the row is about."""
    all_covered: float
    """That of all studies."""
    warned: float
    """Share of the studies whose note says that the interval is not reliable."""
    studies: int
    """Without the note."""
    truth: float
    long_run: float
    error: float
    """Standard error of `long_run`, the mean over all studies."""


def scenario_of(load: float, faster: float = 1.0) -> cs.Scenario:
    """The post at one load; `faster` shortens its services."""
    per_day = load * LANES / MEAN_H * 24
    text = SCENARIO.format(
        lanes=LANES, mean_h=MEAN_H * faster, per_day=per_day, days=WARM_UP + DAYS[load], warm_up=WARM_UP
    )
    return cs.loads(text)


def simulate(load: float, studies: int, rng: int, faster: float = 1.0) -> Results:
    """All replications of all studies at one load."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(scenario_of(load, faster), replications=studies * SIZE, rng=rng, engine="batch", workers=1)


def rows(results: Results) -> Iterator[tuple[str, np.ndarray, object]]:
    """Rows of the whole window at the places that queue, one of each name and place."""
    for label, values in results.rows:
        plain = label.hour is None and label.day is None and not label.cargo_class and label.of in ("", "wait", "6 h")
        if plain and label.place in PLACES and len(np.unique(values[~np.isnan(values)])) > 1:
            yield f"{label.indicator} {label.place} {label.of}".strip(), values, label


def coverage(load: float, studies: int, rng: int = 2024, results: Results | None = None) -> list[Coverage]:
    """Coverage of every row at one load."""
    found = []
    for name, values, label in rows(simulate(load, studies, rng) if results is None else results):
        by_study = values.reshape(studies, SIZE).T
        _, low, high = mean_limits(by_study)
        warned = np.array([unreliable(label, study) for study in by_study.T])
        found.append(counted(load, name, values, low, high, warned, theory_of(name, load)))
    return found


def difference_coverage(base: Results, other: Results, load: float, studies: int, paired: bool) -> list[Coverage]:
    """Coverage of the differences of two runs, in pairs or not."""
    theirs, found = dict(other.rows), []
    for name, values, label in rows(base):
        if label not in theirs:
            continue
        first, second = (one.reshape(studies, SIZE) for one in (values, theirs[label]))
        step = resolution([label] * studies, first, second)
        statistics = (paired_statistics if paired else welch_statistics)(first, second, 0.95, step)
        warned = np.array(
            [unreliable_difference(label, mine, its, paired) for mine, its in zip(first, second, strict=True)]
        )
        change = theirs[label] - values
        truth = None if paired else float(np.nanmean(theirs[label]) - np.nanmean(values))
        row = f"{'paired' if paired else 'unpaired'} {name}"
        # Pairs that are equal in every replication are "no difference": a word about these runs, no interval.
        low = np.where(statistics["same"] == 1, np.nan, statistics["low"]) if paired else statistics["low"]
        found.append(counted(load, row, change, low, statistics["high"], warned, truth))
    return found


def counted(
    load: float,
    row: str,
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    warned: np.ndarray,
    known: float | None,
) -> Coverage:
    """How many of the intervals hold the truth: what is known, else the mean of all values."""
    long_run = float(np.nanmean(values))
    truth = long_run if known is None else known
    there = ~np.isnan(low)
    slack = 1e-12 * abs(truth)
    inside = (low - slack <= truth) & (truth <= high + slack)
    told = there & ~warned
    error = float(np.nanstd(values) / math.sqrt(max((~np.isnan(values)).sum(), 1)))
    return Coverage(
        load, row, float(inside[told].mean()) if told.any() else math.nan,
        float(inside[there].mean()) if there.any() else math.nan,
        float(warned.mean()), int(told.sum()), truth, long_run, error,
    )  # fmt: skip


def pooled_coverage(load: float, studies: int, rng: int = 2024) -> list[Coverage]:
    """Coverage of pooled percentiles and of their differences: each study is a run of its own replications."""
    kinds = ["wait_p95_h", "stay_percentiles_h", "door_to_door_h", "tfi1"]

    def runs_of(faster: float) -> list[Results]:
        scenario = scenario_of(load, faster)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cs.CorridorWarning)
            return [
                cs.run(
                    scenario, replications=range(k * SIZE, (k + 1) * SIZE), rng=rng, engine="batch", workers=1,
                    indicators=kinds,
                )
                for k in range(studies)
            ]  # fmt: skip

    base, other, found = runs_of(1.0), runs_of(FASTER), []
    for label, number, percent in base[0].rows.pools.percentiles:
        if label.place not in PLACES:
            continue
        name, where = f"{label.indicator} {label.place}", {"place": label.place, "kind": label.kind}
        first, second = ((percentile_of_all(runs, number, percent)) for runs in (base, other))
        known = theory_of(name, load)
        intervals = np.array([run.pooled_percentiles(label.indicator, **where)[0][1:] for run in base])
        none = np.isnan(intervals[:, 1])
        truth = first if known is None else known
        found.append(counted(load, name, intervals[:, 0], intervals[:, 1], intervals[:, 2], none, truth))
        changes = [
            pooled_differences(one.rows, two.rows, label.indicator, where, 0.95)[1]
            for one, two in zip(base, other, strict=True)
        ]
        change, low, high = (np.array([one[column][0] for one in changes]) for column in ("difference", "low", "high"))
        found.append(counted(load, f"paired {name}", change, low, high, np.isnan(low), second - first))
    return found


def percentile_of_all(runs: list[Results], number: int, percent: float) -> float:
    """The percentile of all consignments of all studies."""
    values = np.concatenate([run.rows.pools.of(number)[0] for run in runs])
    counts = np.concatenate([run.rows.pools.of(number)[1].sum(axis=1) for run in runs])
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(counts[order])
    return float(values[order][np.argmax(upto >= percent / 100 * upto[-1])])


def every_coverage(load: float, studies: int, pooled: int) -> list[Coverage]:
    """Coverage of rows, of differences in pairs and on other numbers, and of pooled percentiles."""
    base, faster = simulate(load, studies, 2024), simulate(load, studies, 2024, FASTER)
    found = coverage(load, studies, results=base)
    found += difference_coverage(base, faster, load, studies, paired=True)
    found += difference_coverage(base, simulate(load, studies, 2025, FASTER), load, studies, paired=False)
    return found + pooled_coverage(load, pooled)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--pooled", type=int, default=100, help="studies for pooled percentiles")
    parser.add_argument("--load", type=float, choices=LOADS, action="append", help="only this load")
    parser.add_argument("--days", type=int, help="counted days, other than those of DAYS")
    given = parser.parse_args()
    loads = given.load or LOADS
    if given.days:
        DAYS.update(dict.fromkeys(LOADS, given.days))
    table: dict[str, dict[float, Coverage]] = {}
    for load in loads:
        for one in every_coverage(load, given.studies, given.pooled):
            table.setdefault(one.row, {})[load] = one
    print(f"{'row':<48}" + "".join(f"{f'load {load}':>22}" for load in loads))
    print(f"{'':<48}" + "".join(f"{'covered   all  note':>22}" for _ in loads))
    for row, by_load in sorted(table.items(), key=lambda item: (item[0].startswith(("paired", "unpaired")), item[0])):
        shares = {load: (one.covered, one.all_covered, one.warned) for load, one in by_load.items()}
        cells = [
            "{:.1f} {:5.1f}  {:4.0f}".format(*(100 * share for share in shares[load])) if load in shares else "-"
            for load in loads
        ]
        print(f"{row:<48}" + "".join(f"{cell:>22}" for cell in cells))
    print("-: every replication has the same value, or none; nan: every study has the note")


if __name__ == "__main__":
    main()
