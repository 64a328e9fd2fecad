"""What a run hands to its user: indicators with intervals, and records when they were kept.

`Results` is data with thin accessors. What draws, describes or compares is bound from
above (`accessors.py`), so that this file knows neither plots nor reports.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.errors import CorridorError, MissingExtra
from corridor_sim.core.units import FloatArray
from corridor_sim.files.writing import write
from corridor_sim.indicators.base import Options, PlanView, element_place
from corridor_sim.indicators.pools import percentile_interval, sections
from corridor_sim.indicators.table import COLUMNS, Label, Table
from corridor_sim.plan.plan import Plan
from corridor_sim.records.visits import ElementVisits, Records
from corridor_sim.results.accessors import Compared, Pictures, SummaryTable, bound
from corridor_sim.results.exchanged import Exchanged
from corridor_sim.results.overload import Overload, no_planned_capacity, overloads
from corridor_sim.results.reliability import UNRELIABLE, unreliable

if TYPE_CHECKING:
    import pandas as pd

NOISE = "95 % interval: sampling noise only"
"""What every interval is labelled with: it knows nothing of wrong inputs."""
OVERLOAD = "overload: the mean measures the horizon"
TIMES = (
    "wait_h",
    "wait_p95_h",
    "stay_h",
    "stay_p50_h",
    "stay_p95_h",
    "door_to_door_h",
    "door_to_door_p50_h",
    "door_to_door_p95_h",
    "component_h",
    "release_time_h",
    "tfi1",
    "tfi1_p50",
    "tfi1_p95",
    "buffer_h",
    "delay_h",
)
"""Times that are flagged where a stage on the way is overloaded."""


@dataclass(frozen=True, eq=False)
class Results(Exchanged):
    """Everything that a run came to.

    Attributes
    ----------
    scenario : Scenario or Plan
        What was run.
    plan : Plan
    rows : Table
        Every indicator, one value a replication.
    root : int
        Root entropy; with the scenario it repeats the run to the bit.
    engine, engine_reason : str
        Which engine ran, and why.
    visits_count : int
        Visits over all replications.
    simulated_again : float or None
        Share of the visits that were simulated, where those of a base of the same comparison served for the
        others; None where all were simulated, or some were found in a store.
    wall_s : float
        Wall time of the run. [s]
    versions : mapping
        Of this library, Python and numpy, with the scheme of the random streams.
    warnings : tuple of str
    records : Records or None
        Every visit, if the run was asked to keep them.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> results = cs.run("teaching", replications=5, rng=1, workers=1)
    >>> results.replications
    5
    """

    scenario: Any
    plan: Plan
    rows: Table
    root: int
    engine: str
    engine_reason: str = ""
    options: Options = field(default_factory=Options)
    visits_count: int = 0
    simulated_again: float | None = None
    wall_s: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    records: Records | None = None

    @property
    def plot(self) -> Pictures:
        """Every registered plot as a method; matplotlib is imported only now."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return str(self.scenario.name or "run")

    @property
    def replications(self) -> int:
        """Number of replications."""
        return len(self.rows.replications)

    @property
    def scope(self) -> PlanView:
        """Places, window and local days of the plan."""
        return PlanView(self.plan, self.rows.replications, self.options)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, indicator: str) -> Table:
        """The rows of one indicator."""
        return self.rows.select(indicator)

    def __repr__(self) -> str:
        return (
            f"<Results of {self.name!r}: {self.replications} replications, {len(self.rows)} rows, "
            f"engine {self.engine}, root entropy {self.root}>"
        )

    def _repr_html_(self) -> str:
        return str(bound("first_screen")(self))

    def instant(self, time_h: float, post: str = "") -> datetime | None:
        """Local date and time of an instant of the run; None if the plan has no dates."""
        start = self.plan.start
        if start is None:
            return None
        if not isinstance(start, datetime):
            start = datetime(start.year, start.month, start.day)
        return start + timedelta(hours=time_h + self.scope.utc_offset_h(post, time_h))

    def overloaded(self) -> dict[str, Overload]:
        """Overloaded stages (and other limited elements) by id, and why; see `overload.py`."""
        return overloads(self.rows)

    def flagged(self) -> set[tuple[str, str, str]]:
        """Places whose times measure the horizon."""
        over = self.overloaded()
        if not over:
            return set()
        plan, scope, found = self.plan, self.scope, set()
        hit = {k for k, element in enumerate(plan.elements) if element.id in over}
        for k in hit:
            element = plan.elements[k]
            found.add(element_place(element))
            if element.post:
                found.add(("post", element.post, element.direction))
        for flow in plan.flows:
            for variant in flow.variants:
                met = [step.element in hit for step in variant.steps]
                if any(met):
                    found.add(("flow", flow.id, flow.direction))
                for span in variant.spans:
                    if any(met[span.first : span.last + 1]):
                        found.add(scope.place_of(variant, span))
        return found

    @property
    def table(self) -> SummaryTable:
        """``results.table("wait_h", kind="post")`` is `summary`, named as the table of a comparison is.

        Values of single replications are in `rows`.
        """
        return SummaryTable(self.summary)

    def summary(
        self,
        indicators: str | Iterable[str] | None = None,
        *,
        by_time: bool = False,
        confidence: float = 0.95,
        **where: Any,
    ) -> pd.DataFrame:
        """Mean over the replications with its interval, one line a row of the table.

        Parameters
        ----------
        indicators : str or iterable of str, optional
            Only these, by the name of a row (``queue_mean``) or of an indicator (``queue``, all its rows); None or
            ``"all"`` is every one.
        by_time : bool
            Also the rows by hour and by day.
        confidence : float
            Of the interval (`statistics/skewness.py`); it covers sampling noise only.
        **where
            Columns to match, as in `Table.select` (``kind="post"``).

        Returns
        -------
        DataFrame
            The label columns, ``mean``, ``low``, ``high``, ``n`` (replications that have a value) and
            ``note``. Rows ``..._pooled`` are percentiles of all consignments of all replications
            together: there ``mean`` is the percentile, its interval found by inverting the
            distribution function (`indicators/pools.py`). With fewer than two values the interval
            is not available (NaN); where it is not reliable (`unreliable`) the note says so.
        """
        import pandas as pd

        from corridor_sim.statistics import mean_limits

        table = self.rows.select(None if indicators == "all" else indicators, **where)
        if not by_time:
            kept = [k for k, label in enumerate(table.labels) if label.hour is None and label.day is None]
            table = Table(tuple(table.labels[k] for k in kept), table.values[kept], table.replications)
        mean, low, high = mean_limits(table.values.T, confidence)
        n = (~np.isnan(table.values)).sum(axis=1)
        frame = pd.DataFrame({column: [getattr(label, column) for label in table.labels] for column in COLUMNS})
        if by_time:
            frame["hour"], frame["day"] = frame["hour"].astype("Int64"), frame["day"].astype("Int64")
            frame["date"] = [self._date(label) for label in table.labels]
        else:
            frame = frame.drop(columns=["hour", "day"])
        frame["mean"], frame["low"], frame["high"], frame["n"] = mean, low, high, n
        flagged = self.flagged()
        frame["note"] = [
            _note(label, flagged, int(count), values) for (label, values), count in zip(table, n, strict=True)
        ]
        unplanned = (frame["indicator"] == "capacity_per_day") & (n == 0)
        if unplanned.any():
            why = no_planned_capacity(self.plan)
            places = zip(frame["kind"], frame["place"], frame["direction"], strict=True)
            notes = [f"no planned capacity: {why[place]}" if place in why else "" for place in places]
            frame.loc[unplanned, "note"] = [note for note, here in zip(notes, unplanned, strict=True) if here]
        frame = pd.concat([frame, self._pooled(indicators, confidence, where, flagged)], ignore_index=True)
        frame.attrs["interval"] = NOISE
        frame.attrs["replications"] = self.replications
        return frame

    def pooled_percentiles(
        self, indicators: str | Iterable[str] | None = None, *, confidence: float = 0.95, **where: Any
    ) -> list[tuple[Label, float, float, float]]:
        """Percentiles of all consignments of all replications together: label, percentile, low, high.

        NaN where there is nobody or no interval. None for a selection of replications, whose counts are not known.
        """
        from corridor_sim.statistics import t_quantile

        pools = self.rows.pools
        if pools is None:
            return []
        several = sections(self.rows.replications)
        quantile = t_quantile(confidence, several - 1) if several > 1 else math.nan
        return [
            (label, *percentile_interval(*pools.of(number), percent, quantile))
            for label, number, percent in pools.rows(indicators, where)
        ]

    def _pooled(
        self,
        indicators: str | Iterable[str] | None,
        confidence: float,
        where: Mapping[str, Any],
        flagged: set[tuple[str, str, str]],
    ) -> pd.DataFrame:
        """Percentiles of all consignments of all replications together, as lines of `summary`."""
        import pandas as pd

        several, rows = sections(self.rows.replications), []
        if indicators != "all":
            indicators = self.rows.named(indicators)
        for label, found, low, high in self.pooled_percentiles(indicators, confidence=confidence, **where):
            row = {column: getattr(label, column) for column in COLUMNS if column not in ("hour", "day")}
            over = (label.kind, label.place, label.direction) in flagged
            note = OVERLOAD if over else "nobody" if math.isnan(found) else _interval_note(low, high, several)
            rows.append({**row, "mean": found, "low": low, "high": high, "n": self.replications, "note": note})
        return pd.DataFrame(rows)

    def _date(self, label: Label) -> str:
        first = self.scope.first_date(label.place if label.kind == "post" else "")
        return "" if first is None or label.day is None else str(first + timedelta(days=label.day))

    def to_frame(self, indicators: str | Iterable[str] | None = None, *, wide: bool = False) -> pd.DataFrame:
        """Tidy frame: one line an indicator, place and replication (`wide`: one column a replication)."""
        frame = self.rows.select(indicators).to_frame(wide=wide)
        frame.insert(0, "scenario", self.name)
        return frame

    def _kept(self) -> Records:
        if self.records is None:
            raise CorridorError("this run kept no records; run it again with records=True")
        return self.records

    def visits(self) -> pd.DataFrame:
        """Every visit of every consignment to every element, if the run kept records. Times in [h]."""
        import pandas as pd

        records, parts = self._kept(), []
        for element, visits in zip(records.plan.elements, records.elements, strict=True):
            row, column = np.nonzero(visits.flow >= 0)
            flow = visits.flow[row, column]
            part: dict[str, Any] = {
                "replication": records.replications[row],
                "flow": np.array([one.id for one in records.plan.flows], dtype=object)[flow],
                "consignment": visits.index[row, column],
                "cargo_class": np.array([one.cargo_class for one in records.plan.flows], dtype=object)[flow],
                "element": element.id,
                "post": element.post,
                "direction": element.direction,
                "stage": element.stage,
            }
            for name in (one.name for one in fields(ElementVisits) if one.name.endswith("_h")):
                part[name] = getattr(visits, name)[row, column]
            part["wait_h"] = part["start_h"] - part["join_h"]
            part["blocked_h"] = part["leave_h"] - part["finish_h"]
            parts.append(pd.DataFrame(part))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def journeys(self) -> pd.DataFrame:
        """Every consignment from release to the end of its journey, if the run kept records. Times in [h]."""
        import pandas as pd

        records, parts = self._kept(), []
        for flow, journeys in zip(records.plan.flows, records.journeys, strict=True):
            row, column = np.nonzero(journeys.variant >= 0)
            variants = np.array([variant.id for variant in flow.variants], dtype=object)
            release, depart = journeys.release_h[row, column], journeys.depart_h[row, column]
            part = {
                "replication": records.replications[row],
                "flow": flow.id,
                "consignment": column,
                "cargo_class": flow.cargo_class,
                "origin": flow.origin,
                "destination": flow.destination,
                "variant": variants[journeys.variant[row, column]],
                "release_h": release,
                "depart_h": depart,
                "door_to_door_h": depart - release,
            }
            parts.append(pd.DataFrame(part))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def event_log(self, **only: Any) -> pd.DataFrame:
        """Flat event log for process mining: case, activity, lifecycle, timestamp (UTC), in order of time.

        The lifecycle words are those of XES: ``schedule`` is the joining of a queue, ``start`` the start,
        ``complete`` the leaving. `only` are `places`, `since`, `until` and `replications`, as
        `results.event_logs.event_log` takes them.
        """
        from corridor_sim.results.event_logs import event_log

        records = self._kept()
        return event_log(records.plan, records, PlanView(records.plan, records.replications, self.options), **only)

    def to_xes(self, path: str | os.PathLike[str] | None = None, **only: Any) -> str:
        """The event log as XES (IEEE 1849-2023), which pm4py, ProM and others read; written to `path` if given.

        `only` is that of `event_log`. A run that has no dates has no XES.
        """
        from corridor_sim.results.event_logs import xes_of

        about = f"corridor_sim {self.versions.get('corridor_sim', '')}, root entropy {self.root}"
        text = xes_of(self.event_log(**only), self.name, about)
        if path is not None:
            write(text, Path(path), overwrite=True)
        return text

    def to_csv(self, path: str | os.PathLike[str], *, decimal_comma: bool = False) -> None:
        """The tidy frame as a CSV file; with `decimal_comma` as ``1,5;2,25``."""
        sign, between = (",", ";") if decimal_comma else (".", ",")
        self.to_frame().to_csv(path, index=False, decimal=sign, sep=between)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """The tidy frame as a Parquet file (extra ``parquet``)."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ModuleNotFoundError as error:
            raise MissingExtra("Results.to_parquet()", "pyarrow", "parquet") from error
        table = pa.Table.from_pandas(self.to_frame(), preserve_index=False)
        about = {b"corridor_sim": _json(self.about()).encode()}
        pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **about}), path)

    def to_xarray(self) -> Any:
        """A DataArray of dims (row, replication), the label columns as coordinates of `row` (extra ``xarray``)."""
        try:
            import xarray as xr
        except ModuleNotFoundError as error:
            raise MissingExtra("Results.to_xarray()", "xarray", "xarray") from error
        coordinates: dict[str, Any] = {"replication": self.rows.replications}
        for column in COLUMNS:
            values = [getattr(label, column) for label in self.rows.labels]
            if column in ("hour", "day"):
                coordinates[column] = ("row", np.array([np.nan if v is None else v for v in values], dtype=float))
            else:
                coordinates[column] = ("row", np.array(values, dtype=str))
        about = {name: str(value) for name, value in self.about().items()}
        return xr.DataArray(
            self.rows.values, dims=("row", "replication"), coords=coordinates, name=self.name, attrs=about
        )

    def stream_frame(self) -> pd.DataFrame:
        """The tidy frame, for the Arrow stream."""
        return self.to_frame()

    def about(self) -> dict[str, Any]:
        """Everything needed to say where the numbers come from."""
        end = self.instant(self.plan.horizon_h)
        return {
            "scenario": self.name,
            "start": str(self.plan.start or ""),
            "end": str(end or ""),
            "horizon_h": self.plan.horizon_h,
            "warm_up_h": self.plan.warm_up_h,
            "counted_until_h": self.plan.counted_until_h,
            "replications": self.replications,
            "root_entropy": self.root,
            "engine": self.engine,
            "engine_reason": self.engine_reason,
            "visits": self.visits_count,
            "simulated_again": self.simulated_again,
            "wall_s": round(self.wall_s, 3),
            "versions": dict(self.versions),
            "warnings": list(self.warnings),
        }

    def describe(self, width: int = 80, *, ids: bool = False) -> str:
        """The run in words and its main table, at most `width` columns wide; places by name, by id with `ids`."""
        return str(bound("describe")(self, width, ids=ids))

    def to_html(self, path: str | os.PathLike[str] | None = None, **options: Any) -> str:
        """One HTML page that needs nothing else; written to `path` if given."""
        return str(bound("to_html")(self, path, **options))

    def compare(self, *others: Results, confidence: float = 0.95) -> Compared:
        """These results against those of other runs on the same random numbers: a `Comparison`."""
        comparison: Compared = bound("compare")((self, *others), confidence=confidence)
        return comparison

    def with_rows(self, rows: Table) -> Results:
        """The same run with other rows or replications."""
        return replace(self, rows=rows)


def mean_interval(values: FloatArray) -> tuple[float, float, float]:
    """Mean and ends of the 95 % interval of one row, as in `Results.summary`; NaN where there is none."""
    from corridor_sim.statistics import mean_limits

    mean, low, high = mean_limits(np.asarray(values)[:, None])
    return float(mean[0]), float(low[0]), float(high[0])


def _mean(values: FloatArray) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def _note(label: Label, flagged: set[tuple[str, str, str]], n: int, values: FloatArray) -> str:
    if label.indicator in TIMES and (label.kind, label.place, label.direction) in flagged:
        return OVERLOAD
    if n == 0:
        return "nobody"
    if n < 2:
        return "interval not available"
    return UNRELIABLE if unreliable(label, values) else ""


def _interval_note(low: float, high: float, several: int) -> str:
    if several < 2:
        return "interval not available"
    return UNRELIABLE if math.isnan(low) or math.isnan(high) else ""


def _json(value: Any) -> str:
    import json

    return json.dumps(value, default=str, sort_keys=True)
