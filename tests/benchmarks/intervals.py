"""How often the 95 % intervals of a study hold what they are about: ``python tests/benchmarks/intervals.py``.

A post of two lanes (M/M/2) at loads 0.3, 0.7 and 0.9, 31 days a replication of which one is
warm-up, twenty replications a study, `--studies` of them at each load. What a row is about is
its mean over all replications of all studies together (for a pooled percentile, that of all
consignments): its own error is a twentieth of a half-width or less. Printed for each row:
coverage in per cent over the studies whose note does not say "interval not reliable", and how
often it does. Shorter replications at high load have skewer means: with ten days instead of 31 the
mean wait at load 0.9 is covered in 91 of 100 studies.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import corridor_sim as cs
from corridor_sim.indicators.pools import SECTIONS, percentile_interval
from corridor_sim.results.reliability import unreliable
from corridor_sim.results.results import Results
from corridor_sim.statistics import t_half_widths, t_quantile

LOADS, SIZE, MEAN_H, LANES = (0.3, 0.7, 0.9), 20, 0.5, 2
SCENARIO = """
schema = 1
name = "two lanes"
[run]
start = 2024-01-01
horizon_days = 31
warm_up_days = 1
[places.mill]
[places.market]
[legs.in]
kind = "road"
from = "mill"
to = "a"
length_km = 0
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


@dataclass(frozen=True)
class Coverage:
    """One row of the table of indicators at one load."""

    load: float
    row: str
    covered: float
    warned: float
    """Share of the studies whose note says that the interval is not reliable."""
    studies: int


def simulate(load: float, studies: int, rng: int) -> Results:
    """All replications of all studies at one load."""
    per_day = load * LANES / MEAN_H * 24
    text = SCENARIO.format(lanes=LANES, mean_h=MEAN_H, per_day=per_day)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(cs.loads(text), replications=studies * SIZE, rng=rng, engine="batch", workers=1)


def rows(results: Results) -> Iterator[tuple[str, np.ndarray, object]]:
    """Rows of the whole window at the places that queue, one of each name and place."""
    for label, values in results.rows:
        plain = label.hour is None and label.day is None and not label.cargo_class and label.of in ("", "wait", "6 h")
        if plain and label.place in PLACES and len(np.unique(values[~np.isnan(values)])) > 1:
            yield f"{label.indicator} {label.place} {label.of}".strip(), values, label


def coverage(load: float, studies: int, rng: int = 2024) -> list[Coverage]:
    """Coverage of every row at one load."""
    results, found = simulate(load, studies, rng), []
    for name, values, label in rows(results):
        by_study = values.reshape(studies, SIZE).T
        mean, half = t_half_widths(by_study)
        truth = np.nanmean(values)
        there = ~np.isnan(half)
        warned = np.array([unreliable(label, study) for study in by_study.T])
        told = there & ~warned
        inside = np.abs(mean - truth)[told] <= half[told] * (1 + 1e-12)
        covered = float(inside.mean()) if told.any() else np.nan
        found.append(Coverage(load, name, covered, float(warned.mean()), int(told.sum())))
    return found


def pooled_coverage(load: float, studies: int, rng: int = 2024) -> list[Coverage]:
    """Coverage of the pooled percentiles: each study is a run of its own replications."""
    per_day = load * LANES / MEAN_H * 24
    scenario = cs.loads(SCENARIO.format(lanes=LANES, mean_h=MEAN_H, per_day=per_day))
    kinds = ["wait_p95_h", "stay_percentiles_h", "door_to_door_h", "tfi1"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        runs = [
            cs.run(
                scenario, replications=range(k * SIZE, (k + 1) * SIZE), rng=rng, engine="batch", workers=1,
                indicators=kinds,
            )
            for k in range(studies)
        ]  # fmt: skip
    quantile, found = t_quantile(0.95, min(SIZE, SECTIONS) - 1), []
    for number, (label, which, percent) in enumerate(runs[0].rows.pools.percentiles):
        if label.place not in PLACES:
            continue
        values = np.concatenate([run.rows.pools.of(which)[0] for run in runs])
        counts = np.concatenate([run.rows.pools.of(which)[1].sum(axis=1) for run in runs])
        order = np.argsort(values, kind="stable")
        upto = np.cumsum(counts[order])
        truth = values[order][np.argmax(upto >= percent / 100 * upto[-1])]
        inside, warned = 0, 0
        for run in runs:
            _, low, high = percentile_interval(*run.rows.pools.of(which), percent, quantile)
            bad = not (np.isfinite(low) and np.isfinite(high))
            warned += bad
            inside += not bad and low <= truth <= high
        name = f"{runs[0].rows.pools.percentiles[number][0].indicator} {label.place}"
        good = studies - warned
        found.append(Coverage(load, name, inside / good if good else np.nan, warned / studies, good))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--pooled", type=int, default=100, help="studies for pooled percentiles")
    given = parser.parse_args()
    table: dict[str, dict[float, Coverage]] = {}
    for load in LOADS:
        for one in [*coverage(load, given.studies), *pooled_coverage(load, given.pooled)]:
            table.setdefault(one.row, {})[load] = one
    print(f"{'row':<44}" + "".join(f"{f'load {load}':>18}" for load in LOADS))
    print(f"{'':<44}" + "".join(f"{'covered  warned':>18}" for _ in LOADS))
    for row, by_load in sorted(table.items()):
        cells = [
            f"{100 * by_load[load].covered:>9.1f}{100 * by_load[load].warned:>8.0f}%"
            if load in by_load
            else f"{'-':>18}"
            for load in LOADS
        ]
        print(f"{row:<44}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
