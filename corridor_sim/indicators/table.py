"""The table of indicators: one labelled value a replication.

A `Table` holds what the reducers of this folder came to: a list of labels
(which indicator, where, in which direction, for which class, when) and for each label
one value a replication. Blocks of replications are joined, selections made and
frames built here; means and intervals are the business of `results/results.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.errors import CorridorError, nearest
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.label import COLUMNS as COLUMNS
from corridor_sim.indicators.label import Label as Label
from corridor_sim.indicators.label import by_column, from_columns
from corridor_sim.indicators.pools import PooledCounts, together
from corridor_sim.indicators.row_names import ROWS, rows_of
from corridor_sim.records.visits import IntArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Table:
    """Values of many indicators: ``values[k, r]`` is label `k` in replication ``replications[r]``.

    NaN means that there is no such value in that replication (no consignment came).
    """

    labels: tuple[Label, ...]
    values: FloatArray
    replications: IntArray
    pools: PooledCounts | None = None
    """Counts for the percentiles of all consignments; None where replications were left out."""

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.labels), len(self.replications)):
            raise ValueError(f"values of shape {self.values.shape} for {len(self.labels)} labels")

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_parts, (by_column(self.labels), self.values, self.replications, self.pools)

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[tuple[Label, FloatArray]]:
        return zip(self.labels, self.values, strict=True)

    def __repr__(self) -> str:
        return f"<Table: {len(self.labels)} rows, {len(self.replications)} replications>"

    @cached_property
    def _rows_of(self) -> dict[str, list[int]]:
        """Rows of each indicator, in order of appearance."""
        found: dict[str, list[int]] = {}
        for k, label in enumerate(self.labels):
            found.setdefault(label.indicator, []).append(k)
        return found

    @cached_property
    def indicators(self) -> tuple[str, ...]:
        """Names of the indicators, in order of appearance."""
        pooled = [label.indicator for label, _, _ in self.pools.percentiles] if self.pools is not None else []
        return tuple(dict.fromkeys((*self._rows_of, *pooled)))

    def named(self, indicator: str | Iterable[str] | None) -> tuple[str, ...] | None:
        """Names of rows; an indicator that is no row (``queue``) stands for all its rows. None for None.

        Raises
        ------
        CorridorError
            If a name is neither.
        """
        if indicator is None:
            return None
        known, found = self.indicators, []
        for name in dict.fromkeys([indicator] if isinstance(indicator, str) else indicator):
            rows = [name] if name in known else [row for row in rows_of(name) if row in known]
            if not rows:
                left_out = any(name in (kind, *rows) for kind, rows in ROWS.items())
                hint = "the run was not asked for it" if left_out else nearest(name, {*known, *ROWS})
                raise CorridorError(f"no indicator {name!r} in this table" + (f"; {hint}" if hint else ""))
            found += rows
        return tuple(dict.fromkeys(found))

    def select(self, indicator: str | Iterable[str] | None = None, **where: Any) -> Table:
        """The rows whose labels match, e.g. ``select("wait_h", kind="post", hour=None)``; see `named` for names.

        Raises
        ------
        CorridorError
            If an indicator or a column is not known here.
        """
        names = self.named(indicator)
        for column in where:
            if column not in COLUMNS:
                raise CorridorError(f"no column {column!r} in a table of indicators (known: {', '.join(COLUMNS)})")
        among: Iterable[int] = range(len(self.labels))
        if names is not None:
            among = sorted(k for name in names for k in self._rows_of.get(name, ()))
        labels = self.labels
        rows = list(among)
        if where:
            of, wanted = attrgetter(*where), tuple(where.values())
            sought = wanted if len(wanted) > 1 else wanted[0]
            rows = [k for k in rows if of(labels[k]) == sought]
        return Table(tuple(self.labels[k] for k in rows), self.values[rows], self.replications)

    def row(self, indicator: str, **where: Any) -> FloatArray:
        """The values of exactly one row, shape (replication,).

        Class, hour, day and part are empty unless named: ``row("wait_h", place="samur_az")``
        is the row for all classes and the whole run.

        Raises
        ------
        CorridorError
            If no row or more than one row matches.
        """
        empty = {"cargo_class": "", "hour": None, "day": None, "of": ""}
        found = self.select(indicator, **(empty | where))
        if len(found) != 1:
            rows = "; ".join(str(label) for label in found.labels[:4])
            raise CorridorError(f"{len(found)} rows match {indicator} {where}" + (f": {rows}" if rows else ""))
        return np.asarray(found.values[0])

    def only(self, replications: Iterable[int]) -> Table:
        """The same rows for some replications, in the order given."""
        at = {int(r): k for k, r in enumerate(self.replications)}
        wanted = [int(r) for r in replications]
        pools = self.pools if sorted(wanted) == sorted(at) else None
        return Table(self.labels, self.values[:, [at[r] for r in wanted]], np.array(wanted, dtype=np.int64), pools)

    def to_frame(self, wide: bool = False) -> pd.DataFrame:
        """Tidy frame: one line a label and replication; `wide`: one column a replication."""
        import pandas as pd

        labels = pd.DataFrame([asdict(label) for label in self.labels], columns=list(COLUMNS))
        for column in ("hour", "day"):
            labels[column] = labels[column].astype("Int64")
        if wide:
            values = pd.DataFrame(self.values, columns=[f"replication_{r}" for r in self.replications])
            return pd.concat([labels, values], axis=1)
        count = len(self.replications)
        frame = labels.loc[np.repeat(np.arange(len(labels)), count)].reset_index(drop=True)
        frame["replication"] = np.tile(self.replications, len(labels))
        frame["value"] = self.values.ravel()
        return frame


def _from_parts(columns: tuple[tuple[Any, ...], ...], *parts: Any) -> Table:
    """A table that comes from another process."""
    return Table(from_columns(columns), *parts)


def join(tables: Sequence[Table]) -> Table:
    """Tables of disjoint blocks of replications as one, in order of replication.

    Raises
    ------
    ValueError
        If the labels differ or a replication is there twice.
    """
    if not tables:
        raise ValueError("no tables to join")
    first = tables[0]
    if len(tables) == 1 and (first.replications[1:] > first.replications[:-1]).all():
        return first
    for table in tables[1:]:
        if table.labels != first.labels:
            raise ValueError("blocks of one run must have the same labels")
    replications = np.concatenate([table.replications for table in tables])
    if len(np.unique(replications)) != len(replications):
        raise ValueError("a replication appears in two blocks")
    order = np.argsort(replications)
    values = np.empty((len(first), len(order)), dtype=np.float64)
    # Each column goes straight to its place: the values are there twice, and not three times.
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    end = 0
    for table in tables:
        begin, end = end, end + len(table.replications)
        values[:, place[begin:end]] = table.values
    return Table(first.labels, values, replications[order], together(table.pools for table in tables))


def relabel(table: Table, **changes: Any) -> Table:
    """The same values with some columns of every label replaced."""
    return Table(tuple(replace(label, **changes) for label in table.labels), table.values, table.replications)
