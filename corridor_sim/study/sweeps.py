"""Many runs of one scenario: at the points of a design or grid.

All points share root entropy and replications, so that they can be compared as pairs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, SimulationError
from corridor_sim.core.streams import Rng
from corridor_sim.model.designs import Design
from corridor_sim.plan.plan import Plan
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.results.called import Called
from corridor_sim.results.comparison import MAIN, Comparison
from corridor_sim.results.exchanged import InArrow, InWorkbooks
from corridor_sim.results.results import NOISE, Results
from corridor_sim.study.asked_run import Runnable, planned, replication_numbers, root_of
from corridor_sim.study.designs import LeftOut, Point, base_of, grid_points, points_of, scenarios_of
from corridor_sim.study.designs import with_values as with_values
from corridor_sim.study.run import run_those_that_can

if TYPE_CHECKING:
    import pandas as pd


def sweep(
    scenario: Runnable | Design,
    grid: Design | Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]] | None = None,
    *,
    rng: Rng = None,
    replications: int | Sequence[int] | None = None,
    store: str | os.PathLike[str] | None = None,
    keep_going: bool = False,
    **settings: Any,
) -> Sweep:
    """Run a scenario at many points, on common random numbers.

    Parameters
    ----------
    scenario : Scenario, path or name, or Design
        What is varied; a `Design` alone names it itself (`base`).
    grid : Design, mapping of dotted path to values, or list of mappings
        A design as `design` gives it; ``{"checkpoints.samur_az.exit.lanes.lanes": [4, 5, 6]}`` runs all
        combinations; a list of ``{path: value}`` runs just those points.
    rng, replications
        As for `run`; by default those of the design, else those of the scenario. The points of a design hang on
        the seed too.
    store : path, optional
        A folder with one folder a point, named by its content: points added later or in another
        order find what is there.
    keep_going : bool
        Leave out points whose scenario is not allowed or whose run fails, and tell them in `Sweep.left_out` and
        `Sweep.failed`.
    **settings
        As for `run`.

    Raises
    ------
    ScenarioError
        If the scenario of a point is not allowed: every problem of every point, before the first is run.
    SimulationError
        If a replication failed.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> points = {"flows.flour.per_day": [100, 120]}
    >>> found = cs.sweep("teaching", points, indicators=["wait_h"], replications=5, workers=1)
    >>> found.table()["flows.flour.per_day"].tolist()
    [100, 120]
    """
    keep_going = arguments.flag("keep_going", keep_going)
    if isinstance(scenario, Design):
        if grid is not None:
            raise ArgumentError("a design names its points itself: sweep(design), or sweep(scenario, design)")
        base, grid = base_of(scenario).scenario, scenario
    else:
        base = planned(scenario).scenario
    if isinstance(base, Plan):
        raise CorridorError("a sweep changes fields of a scenario; a plan has none")
    design = grid if isinstance(grid, Design) else None
    if grid is None or design is None:
        arguments.instance("grid", grid, Iterable, "a design, values by path, or a list of such tables")
    if design is not None:
        rng = design.seed if rng is None else rng
        replications = design.replications if replications is None else replications
    root, numbers = root_of(base, rng, None), replication_numbers(base, replications)
    if design is not None:
        points = points_of(design, root)
    else:
        points = [Point(values, values) for values in grid_points(grid)]  # type: ignore[arg-type]
    # All points are looked at before the first is run.
    left_out: list[LeftOut] = []
    failed: list[SimulationError] = []
    there = scenarios_of(base, points, design, left_out if keep_going else None)
    found = run_those_that_can(
        there.values(), store, failed=failed if keep_going else None, replications=numbers, rng=root, **settings
    )
    runs = {number: results for number, results in zip(there, found, strict=True) if results is not None}
    return Sweep(
        points=tuple(points[number].shown for number in runs),
        runs=tuple(runs.values()),
        numbers=tuple(runs),
        left_out=tuple(left_out),
        failed=tuple(failed),
        name=(design.name if design is not None else "") or base.name or "run",
    )


@dataclass(frozen=True, eq=False)
class Sweep(InWorkbooks, InArrow):
    """Points of a sweep and what each came to.

    Attributes
    ----------
    points : tuple of mapping
        What was varied at each point: value by factor of the design, or by path.
    runs : tuple of Results
    numbers : tuple of int
        Number of each point, from 0; with `keep_going` some may be missing.
    left_out : tuple of LeftOut
        Points whose scenario is not allowed (`keep_going`).
    failed : tuple of SimulationError
        Runs that failed (`keep_going`).
    name : str
        Of the design, else of the scenario.
    """

    points: tuple[Mapping[str, Any], ...]
    runs: tuple[Results, ...]
    numbers: tuple[int, ...] = field(default=())
    left_out: tuple[LeftOut, ...] = ()
    failed: tuple[SimulationError, ...] = ()
    name: str = ""

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[tuple[Mapping[str, Any], Results]]:
        return zip(self.points, self.runs, strict=True)

    @property
    def plot(self) -> Pictures:
        """``plot.points()``, and the plots of a comparison of all points with the first."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    def _repr_html_(self) -> str:
        return str(bound("first_screen")(self))

    def stream_frame(self) -> pd.DataFrame:
        """Summaries of all points, for the Arrow stream."""
        return self.to_frame()

    def about(self) -> dict[str, Any]:
        """What was run: of the first point, which shares seed and replications with the others."""
        return {"sweep": self.name, "points": len(self), **(self.runs[0].about() if self.runs else {})}

    def compare(self, confidence: float = 0.95) -> Comparison:
        """Every point against the first."""
        return Comparison(self.runs, confidence=confidence)

    def to_frame(self, indicators: str | Iterable[str] | None = None, **where: Any) -> pd.DataFrame:
        """Summaries of all points as one frame, the values of the point in front: a line a point and row."""
        import pandas as pd

        parts = []
        for number, (point, results) in zip(self.numbers or range(len(self)), self, strict=True):
            frame = results.summary(indicators, **where)
            for column, value in reversed([("point", number), *point.items()]):
                frame.insert(0, column, [value] * len(frame))
            parts.append(frame)
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def table(self, indicators: str | Iterable[str] | None = None, **where: Any) -> pd.DataFrame:
        """One line a point: its number, its values, and of each indicator the mean with its 95 % interval.

        Parameters
        ----------
        indicators : str or iterable of str, optional
            Only these; None is the main ones, all classes together; ``"all"`` is every one.
        **where
            Columns to match, as in `Results.summary` (``kind="post"``).

        Returns
        -------
        DataFrame
            ``point``, a column a factor, ``overloaded`` (the stages that are; only where ``saturation`` was reckoned),
            then three columns a row:
            ``"tfi1 northgate A>B [h]"``, the same with ``low`` and with ``high``. NaN where a point has no such row.
        """
        import pandas as pd

        if indicators is None:
            where = {"cargo_class": "", "of": ""} | where
        lines: list[dict[str, Any]] = []
        columns: dict[str, None] = {}
        for number, (point, results) in zip(self.numbers or range(len(self)), self, strict=True):
            known = set(results.rows.indicators)
            wanted = [name for name in MAIN if name in known] if indicators is None else indicators
            frame = results.summary(wanted or None, **where)
            names = _column_names(frame)
            columns |= dict.fromkeys(names)
            line = {"point": number, **point}
            if "saturation" in known:
                line["overloaded"] = "; ".join(results.overloaded())
            for name, mean, low, high in zip(names, frame["mean"], frame["low"], frame["high"], strict=True):
                line |= {name: mean, f"{name} low": low, f"{name} high": high}
            lines.append(line)
        front = dict.fromkeys(name for point in self.points for name in point)
        triples = [column for name in columns for column in (name, f"{name} low", f"{name} high")]
        over = ["overloaded"] if any("overloaded" in line for line in lines) else []
        result = pd.DataFrame(lines, columns=["point", *front, *over, *triples])
        result.attrs["interval"] = NOISE
        result.attrs["rows"] = list(columns)
        return result

    def words_of_rows(self, indicators: str | Iterable[str] | None = None) -> dict[str, str]:
        """What the rows of `table` are about in words, by the name of their column."""
        where: dict[str, Any] = {"cargo_class": "", "of": ""} if indicators is None else {}
        found: dict[str, str] = {}
        for results in self.runs:
            known, called = set(results.rows.indicators), Called(results)
            wanted = [name for name in MAIN if name in known] if indicators is None else indicators
            frame = results.summary(wanted or None, **where)
            row: Any
            for name, row in zip(_column_names(frame), frame.to_dict("records"), strict=True):
                found.setdefault(name, f"{row['indicator']} {called.row(row)} [{row['unit']}]")
        return found


def _column_names(frame: pd.DataFrame) -> list[str]:
    """A name for each row of a summary: indicator, place and unit; also the kind of place where two would be alike."""
    parts = ("place", "direction", "cargo_class", "of")
    rows = frame.to_dict("records")
    short = [" ".join([row["indicator"], *(row[part] for part in parts if row[part])]) for row in rows]
    return [
        f"{name} [{row['unit']}]" if short.count(name) == 1 else f"{name} ({row['kind']}) [{row['unit']}]"
        for name, row in zip(short, rows, strict=True)
    ]
