"""As many replications as a precision needs: added until the intervals of some rows are narrow enough."""

from __future__ import annotations

import concurrent.futures as futures
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning, nearest
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import FloatArray, counted
from corridor_sim.indicators import Options
from corridor_sim.indicators.label import Label
from corridor_sim.indicators.table import Table, join
from corridor_sim.results.doubts import warnings_of
from corridor_sim.results.results import Results
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.study.asked_run import Runnable, hands_of, planned, root_of
from corridor_sim.study.one_run import begun_run, finished_run
from corridor_sim.study.progress import Progress
from corridor_sim.study.run import row_names
from corridor_sim.study.store import Batch

if TYPE_CHECKING:
    import pandas as pd


def run_until(
    scenario: Runnable,
    precision: Mapping[str, float],
    *,
    at_least: int = 10,
    step: int = 10,
    max_replications: int = 500,
    confidence: float = 0.95,
    rng: Rng = None,
    engine: str = "auto",
    executor: futures.Executor | None = None,
    workers: int | None = None,
    records: bool = False,
    progress: Progress = None,
    memory_gb: float = 2.0,
    indicators: Iterable[str] | None = None,
    options: Options | None = None,
    store: str | os.PathLike[str] | Batch | None = None,
) -> Precise:
    """Add replications until the intervals of some indicators are narrow enough.

    Parameters
    ----------
    precision : mapping
        Indicator (or ``"indicator place"``, ``"indicator place direction"``) to the relative error
        wanted, above 0 and below 1: 0.1 is a tenth. Every row of that name must reach it, except rows without values;
        a row that two names mean, the smaller error.
    at_least, step, max_replications : int
        First number of replications, how many are added at a time, and where to give up.
    confidence : float
        Of all intervals together (Bonferroni over the rows).
    rng, engine, executor, workers, records, progress, memory_gb, indicators, options, store
        As of `run`.

    Notes
    -----
    A row has reached relative error g when half the width of its interval is <= ``g/(1+g)`` of the mean [law2015]
    sec. 9.4.1, looked at after every `step`. Stopping is a little optimistic: of 600 samples each, of normal values
    with a coefficient of variation of 0.5 and of exponential ones, intervals of 95 % held the mean in 94 to 96 of 100.
    What was not reached is warned of, and stands in `Precise.table`.

    Raises
    ------
    ValueError
        For a precision or a setting that is not allowed; with every wrong precision.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> found = cs.run_until("teaching", {"throughput_per_day": 0.2}, at_least=5, rng=1, workers=1)
    >>> found.reached
    True
    >>> found.results.replications
    15
    """
    from corridor_sim.statistics.skewness import mean_limits

    given = planned(scenario)
    step, at_least = arguments.whole("step", step, 1), arguments.whole("at_least", at_least, 2)
    max_replications = arguments.whole("max_replications", max_replications, at_least)
    require_confidence(confidence)
    wanted = _wanted(precision, row_names(given.plan))
    root, workers = root_of(given.scenario, rng, None), hands_of(workers, executor, progress)
    if store is not None:
        arguments.instance("store", store, (str, os.PathLike, Batch), "the path of a folder")
    results: Results | None = None
    count = at_least
    while True:
        have = 0 if results is None else results.replications
        begun = begun_run(
            given,
            replications=range(have, count),
            rng=root,
            engine=engine,
            records=records,
            memory_gb=memory_gb,
            indicators=indicators,
            options=options,
            store=store,
        )
        # What is to be doubted is told of all replications together, at the end: a step has few of its own.
        more = finished_run(begun, executor=executor, workers=workers, progress=progress, warn=False)
        if results is not None:
            more = replace(
                more,
                rows=join([results.rows, more.rows]),
                visits_count=results.visits_count + more.visits_count,
                wall_s=results.wall_s + more.wall_s,
            )
        results = more
        rows = _rows_wanted(results.rows, wanted)
        level = 1.0 - (1.0 - confidence) / len(rows)
        mean, low, high = mean_limits(np.array([results.rows.values[k] for k in rows]).T, level)
        found = Precise(
            results,
            {str(results.rows.labels[k]): bool(ok) for k, ok in zip(rows, _enough(mean, low, high, rows), strict=True)},
            np.column_stack([mean, low, high]),
            np.array(list(rows.values())),
        )
        if found.reached or count >= max_replications:
            break
        count = min(count + step, max_replications)
    doubts = (*warnings_of(results), *found.doubts)
    for doubt in doubts:
        warnings.warn(doubt, CorridorWarning, stacklevel=2)
    return replace(found, results=replace(results, warnings=doubts))


@dataclass(frozen=True, eq=False, repr=False)
class Precise:
    """Results of `run_until`, and which rows have reached their precision.

    Attributes
    ----------
    results : Results
        Of all replications.
    rows : mapping of str to bool
        Each row that was asked for, and whether its interval is narrow enough.
    limits : array, shape (row, 3)
        Mean and both ends of the interval at the level that was looked at: `confidence` for all rows together.
        Tables of `results` have those of each row by itself.
    errors : array, shape (row,)
        Relative error wanted.
    """

    results: Results
    rows: Mapping[str, bool]
    limits: FloatArray = field(default_factory=lambda: np.empty((0, 3)))
    errors: FloatArray = field(default_factory=lambda: np.empty(0))

    def __repr__(self) -> str:
        reached = f"{sum(self.rows.values())} of {counted(len(self.rows), 'row')} precise enough"
        return f"<Precise: {counted(self.results.replications, 'replication')} of {self.results.name!r}, {reached}>"

    @property
    def reached(self) -> bool:
        """Whether every row has."""
        return all(self.rows.values())

    @property
    def doubts(self) -> tuple[str, ...]:
        """What was not reached, in words; empty if all was."""
        short = [name for name, ok in self.rows.items() if not ok]
        if not short:
            return ()
        named = "; ".join(short[:3]) + (f" and {len(short) - 3} more" if len(short) > 3 else "")
        after = counted(self.results.replications, "replication")
        return (f"the precision was not reached after {after} by {len(short)} of {len(self.rows)} rows: {named}",)

    def table(self) -> pd.DataFrame:
        """One line a row: mean, interval, relative error as it is and as it was wanted, whether it was reached.

        Returns
        -------
        pandas.DataFrame
            Columns `row`, `mean`, `low`, `high` (unit in the name of the row), `relative_error`, `wanted` (shares
            of the mean; inf where half the interval is no less than the mean, NaN without values), `reached`.
        """
        import pandas as pd

        mean, low, high = self.limits.T
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(high > low, (high - low) / 2 / np.abs(mean), np.where(np.isnan(mean), np.nan, 0.0))
            error = np.where(share < 1, share / (1 - share), np.where(np.isnan(share), np.nan, np.inf))
        columns = {"mean": mean, "low": low, "high": high, "relative_error": error, "wanted": self.errors}
        return pd.DataFrame({"row": list(self.rows), **columns, "reached": list(self.rows.values())})


def _enough(mean: FloatArray, low: FloatArray, high: FloatArray, rows: Mapping[int, float]) -> FloatArray:
    """Which rows are narrow enough; one without values is."""
    errors = np.array(list(rows.values()))
    return np.asarray(((high - low) / 2 <= errors / (1.0 + errors) * np.abs(mean)) | np.isnan(mean))


def _wanted(precision: Any, known: Iterable[str]) -> dict[str, float]:
    """The relative error of each name; ArgumentError with everything that is wrong."""
    arguments.instance("precision", precision, Mapping, "a table of relative errors by indicator")
    if not precision:
        raise ArgumentError("precision must name at least one indicator")
    wrong = []
    for name, error in precision.items():
        try:
            arguments.one_of("the indicator of precision", str(name).partition(" ")[0], known)
        except ArgumentError as told:
            wrong.append(str(told))
        try:
            share = arguments.number(f"the precision of {name!r}", error, above=0)
        except ArgumentError as told:
            wrong.append(str(told))
            continue
        if share >= 1:
            hint = f"; {share:g} %? write {share / 100:g}" if share < 100 else ""
            wrong.append(f"the precision of {name!r} must be a share below 1, got {share:g}{hint}")
    if wrong:
        raise ArgumentError("\n".join(wrong))
    return {str(name): float(error) for name, error in precision.items()}


def _rows_wanted(table: Table, wanted: Mapping[str, float]) -> dict[int, float]:
    """Rows of a table by number, with the smallest error that a name asks of each."""
    found: dict[int, float] = {}
    for name, error in wanted.items():
        indicator, *place = name.split()
        labels = [(k, label) for k, label in enumerate(table.labels) if label.indicator == indicator]
        rows = [k for k, label in labels if _is_whole(label) and place in ([], *_places(label))]
        if not rows:
            hint = nearest(place[0] if place else "", {label.place for _, label in labels})
            if not labels:
                hint = "`indicators` leaves it out"
            raise CorridorError(f"no row {name!r} in the results" + (f"; {hint}" if hint else ""))
        for k in rows:
            found[k] = min(error, found.get(k, error))
    return found


def _is_whole(label: Label) -> bool:
    return label.hour is None and label.day is None


def _places(label: Label) -> tuple[list[str], list[str]]:
    return [label.place], [label.place, label.direction]
