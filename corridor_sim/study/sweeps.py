"""Many runs of one scenario: over a grid of values, or until the intervals are narrow enough.

All points share root entropy and replications, so that they can be compared as pairs.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, nearest
from corridor_sim.core.streams import Rng
from corridor_sim.indicators.table import Table, join
from corridor_sim.plan.plan import Plan
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import Results
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.study.run import (
    Runnable,
    planned,
    replication_numbers,
    root_of,
    row_names,
    run,
    run_all,
    warnings_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.scenario import Scenario


def sweep(
    scenario: Scenario | str | os.PathLike[str],
    grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    rng: Rng = None,
    replications: int | Sequence[int] | None = None,
    store: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Sweep:
    """Run a scenario for every combination of values of some of its fields, on common random numbers.

    Parameters
    ----------
    scenario : Scenario, path or name
    grid : mapping of dotted path to values, or list of mappings
        ``{"checkpoints.samur_az.exit.lanes.lanes": [4, 5, 6]}`` runs all combinations; a list
        of ``{path: value}`` runs just those points.
    store : path, optional
        A folder with one folder a point, named by its content: points added later or in another
        order find what is there.
    **settings
        As for `run`.
    """
    base = planned(scenario).scenario
    if isinstance(base, Plan):
        raise CorridorError("a sweep changes fields of a scenario; a plan has none")
    arguments.instance("grid", grid, Iterable, "values by path, or a list of such tables")
    points = grid_points(grid)
    root, numbers = root_of(base, rng, None), replication_numbers(base, replications)
    # All points are looked at before the first is run.
    data = base.to_data()
    scenarios = [planned(with_values(base, point, data)) for point in points]
    found = run_all(scenarios, store, replications=numbers, rng=root, **settings)
    return Sweep(tuple(points), tuple(found))


@dataclass(frozen=True, eq=False)
class Sweep:
    """Points of a sweep and what each came to."""

    points: tuple[Mapping[str, Any], ...]
    runs: tuple[Results, ...]

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[tuple[Mapping[str, Any], Results]]:
        return zip(self.points, self.runs, strict=True)

    def compare(self, confidence: float = 0.95) -> Comparison:
        """Every point against the first."""
        return Comparison(self.runs, confidence=confidence)

    def to_frame(self, indicators: str | Iterable[str] | None = None, **where: Any) -> pd.DataFrame:
        """Summaries of all points as one frame, the values of the point in front."""
        import pandas as pd

        parts = []
        for number, (point, results) in enumerate(self):
            frame = results.summary(indicators, **where)
            for column, value in reversed([("point", number), *point.items()]):
                frame.insert(0, column, [value] * len(frame))
            parts.append(frame)
        return pd.concat(parts, ignore_index=True)


def run_until(
    scenario: Runnable,
    precision: Mapping[str, float],
    *,
    at_least: int = 10,
    step: int = 10,
    max_replications: int = 500,
    confidence: float = 0.95,
    rng: Rng = None,
    **settings: Any,
) -> Precise:
    """Add replications until the intervals of some indicators are narrow enough.

    Parameters
    ----------
    precision : mapping
        Indicator (or ``"indicator place"``, ``"indicator place direction"``) to the relative error
        wanted. Every row of that name must reach it, except rows without values.
    at_least, step, max_replications : int
        First number of replications, how many are added at a time, and where to give up.
    confidence : float
        Of all intervals together (Bonferroni over the rows).

    Notes
    -----
    A row has reached relative error g when half the width of its interval is <= g/(1+g) |mean| [law2015] sec. 9.4.1,
    looked at after every `step`; stopping is a little optimistic, the last look says so if it
    was not reached.
    """
    from corridor_sim.statistics import mean_limits

    given = planned(scenario)
    step, at_least = arguments.whole("step", step, 1), arguments.whole("at_least", at_least, 2)
    max_replications = arguments.whole("max_replications", max_replications, at_least)
    require_confidence(confidence)
    arguments.instance("precision", precision, Mapping, "a table of relative errors by indicator")
    if not precision:
        raise ArgumentError("precision must name at least one indicator")
    for name, error in precision.items():
        arguments.number(f"the precision of {name!r}", error, above=0)
        arguments.one_of("the indicator of precision", str(name).partition(" ")[0], row_names(given.plan))
    root = root_of(given.scenario, rng, None)
    results: Results | None = None
    count = at_least
    while True:
        have = 0 if results is None else results.replications
        more = run(given, replications=range(have, count), rng=root, **settings)
        if results is None:
            results = more
        else:
            results = replace(
                more,
                rows=join([results.rows, more.rows]),
                visits_count=results.visits_count + more.visits_count,
                wall_s=results.wall_s + more.wall_s,
            )
        rows = _rows_wanted(results.rows, precision)
        level = 1.0 - (1.0 - confidence) / max(len(rows), 1)
        values = np.array([results.rows.values[k] for k, _ in rows])
        mean, low, high = mean_limits(values.T, level)
        half = (high - low) / 2
        wanted = np.array([error / (1.0 + error) for _, error in rows]) * np.abs(mean)
        enough = (half <= wanted) | np.isnan(mean)
        if enough.all() or count >= max_replications:
            reached = {str(results.rows.labels[k]): bool(ok) for (k, _), ok in zip(rows, enough, strict=True)}
            return Precise(replace(results, warnings=warnings_of(results)), reached)
        count = min(count + step, max_replications)


@dataclass(frozen=True, eq=False)
class Precise:
    """Results of `run_until`, and which rows have reached their precision."""

    results: Results
    rows: Mapping[str, bool]

    @property
    def reached(self) -> bool:
        """Whether every row has."""
        return all(self.rows.values())


def _rows_wanted(table: Table, precision: Mapping[str, float]) -> list[tuple[int, float]]:
    found = []
    for name, error in precision.items():
        if not error > 0:
            raise ValueError(f"the precision of {name!r} must be > 0, got {error}")
        indicator, *place = name.split()
        rows = [
            k
            for k, label in enumerate(table.labels)
            if label.indicator == indicator
            and label.hour is None
            and label.day is None
            and place in ([], [label.place], [label.place, label.direction])
        ]
        if not rows:
            table.select(indicator)
            places = {label.place for label in table.labels if label.indicator == indicator}
            hint = nearest(place[0] if place else "", places)
            raise CorridorError(f"no row {name!r} in the results" + (f"; {hint}" if hint else ""))
        found += [(k, error) for k in rows]
    return found


def grid_points(grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The points of a grid (all combinations), or the points given.

    Raises
    ------
    CorridorError
        If there are none, or the values of a path are not several.
    """
    if not isinstance(grid, Mapping):
        given = list(grid)
        for point in given:
            arguments.instance("a point of the grid", point, Mapping, "a table of a value by path")
        points = [dict(point) for point in given]
    else:
        single = [path for path, values in grid.items() if isinstance(values, str) or not isinstance(values, Iterable)]
        if single:
            named = ", ".join(f"{path} = {grid[path]!r}" for path in single)
            raise CorridorError(f"{named}: give a list of the values to run")
        values = [list(grid[path]) for path in grid]
        points = [dict(zip(grid, chosen, strict=True)) for chosen in itertools.product(*values)] if values else []
    if not points:
        raise CorridorError("the sweep has no points: give at least one value for each path")
    return points


def with_values(scenario: Scenario, values: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> Scenario:
    """The scenario with some fields, by dotted path, replaced and everything validated again.

    `data` is its ``to_data()``, if it is at hand; it stays as it is.

    Raises
    ------
    ScenarioError
        If a path does not exist or a value is not allowed.
    """
    changed = dict(scenario.to_data() if data is None else data)
    set_values(changed, values)
    return type(scenario).model_validate(changed)


def set_values(data: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set fields of a scenario's data, by dotted path; tables inside are copied, not changed.

    Raises
    ------
    CorridorError
        If a path leads nowhere.
    """
    for path, value in values.items():
        at: Any = data
        *way, last = path.split(".")
        for key in way:
            if not isinstance(at, dict):
                raise CorridorError(f"{path}: {key!r} is not in a table")
            if key not in at and at is not data and key not in _TABLES:
                hint = nearest(key, at)
                raise CorridorError(f"{path}: there is no {key!r}" + (f"; {hint}" if hint else ""))
            inside = at.get(key, {})
            at[key] = dict(inside) if isinstance(inside, dict) else inside
            at = at[key]
        at[last] = value


_TABLES = ("entry", "exit", "improvements", "slots", "acceptance", "channels")
