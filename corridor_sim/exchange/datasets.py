"""Indicators as an xarray Dataset: a variable an indicator, its dimensions by name, its unit as an attribute."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError, MissingExtra
from corridor_sim.indicators.table import Label, Table
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import Results

AXES = ("place", "direction", "cargo_class", "of", "hour", "day")
"""Columns of a table that are dimensions where an indicator has them; `scenario` stands before, `replication` last."""
MOST_VALUES = 200_000_000
"""Values of a dataset (1.6 GB): beyond them a selection is asked for. Assumed to fit a machine of 8 GB."""
UNITS = {"-": "1"}
"""Units written otherwise: a pure number is 1 in the CF conventions."""


def to_dataset(
    source: Results | Comparison, indicators: str | Iterable[str] | None = None, *, by_time: bool = False, **where: Any
) -> Any:
    """The indicators of a run, or of every run of a comparison, by their dimensions (extra ``xarray``).

    Parameters
    ----------
    source : Results or Comparison
    indicators : str or iterable of str, optional
        Only these; every one if None.
    by_time : bool
        Also the rows by hour and by day, as variables of their own: ``queue_by_hour``, and ``queue_p50_km_by_hour``
        where the indicator has rows of the whole run too.
    **where
        Columns to match, as in `Results.summary` (``kind="post"``).

    Returns
    -------
    xarray.Dataset
        A variable an indicator with the attribute ``units``, of the dimensions ``scenario``, then those of `AXES` in
        which its rows differ, then ``replication``; NaN where there is no such row. ``kind`` is a coordinate of
        ``place``. An id that two kinds of places share stands there as ``post:ID`` and ``leg:ID``.

    Raises
    ------
    CorridorError
        If it would have more than 200 million values.
    MissingExtra
        If xarray is not installed.
    """
    try:
        import xarray as xr
    except ModuleNotFoundError as error:
        raise MissingExtra("to_dataset()", "xarray", "xarray") from error
    names, runs = named_runs(source)
    tables = [_selected(run.rows, indicators, by_time, where) for run in runs]
    kinds: dict[str, set[str]] = {}
    for table in tables:
        for label in table.labels:
            kinds.setdefault(label.place, set()).add(label.kind)

    def key(label: Label) -> dict[str, Any]:
        found = {axis: getattr(label, axis) for axis in AXES}
        if len(kinds[label.place]) > 1:
            found["place"] = f"{label.kind}:{label.place}"
        return found

    groups: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}
    units: dict[str, str] = {}
    whole = {label.indicator for table in tables for label in table.labels if label.hour is None and label.day is None}
    of_kind: dict[str, str] = {}
    for number, table in enumerate(tables):
        for row, label in enumerate(table.labels):
            name = _variable(label, whole)
            at = key(label)
            groups.setdefault(name, []).append((number, row, at))
            units[name] = label.unit
            of_kind[at["place"]] = label.kind
    replications = runs[0].rows.replications
    axes = _axes(groups)
    sizes = {axis: len(values) for axis, values in axes.items()}
    dims = {name: _dims(rows) for name, rows in groups.items()}
    count = sum(len(runs) * len(replications) * math.prod(sizes[a] for a in d) for d in dims.values())
    if count > MOST_VALUES:
        raise CorridorError(
            f"a dataset of all dimensions would have {count:,} values (at most {MOST_VALUES:,}); select: "
            'to_dataset(["wait_h"], kind="post"), or fewer scenarios'
        )
    places = {axis: {value: k for k, value in enumerate(values)} for axis, values in axes.items()}
    data = {}
    for name, rows in groups.items():
        shape = (len(runs), *(sizes[axis] for axis in dims[name]), len(replications))
        values = np.full(shape, np.nan)
        for number, row, at in rows:
            values[(number, *(places[axis][at[axis]] for axis in dims[name]))] = tables[number].values[row]
        attributes = {"units": UNITS.get(units[name], units[name]), "long_name": name.replace("_", " ")}
        data[name] = xr.Variable(("scenario", *dims[name], "replication"), values, attributes)
    coordinates: dict[str, Any] = {"scenario": list(names), "replication": replications}
    used = {axis for d in dims.values() for axis in d}
    coordinates |= {axis: np.array(values) for axis, values in axes.items() if axis in used}
    if "place" in used:
        coordinates["kind"] = ("place", np.array([of_kind[place] for place in axes["place"]]))
    if "day" in used and (first := runs[0].scope.first_date("")) is not None:
        coordinates["date"] = ("day", np.array([str(first + timedelta(days=int(day))) for day in axes["day"]]))
    about = {name: str(value) for name, value in runs[0].about().items() if name not in ("scenario", "wall_s")}
    return xr.Dataset(data, coordinates, {"title": ", ".join(names), **about})


def named_runs(source: Results | Comparison) -> tuple[tuple[str, ...], tuple[Results, ...]]:
    """Names and runs of what is written: one, or those of a comparison with the base first."""
    if isinstance(source, Comparison):
        return source.names, source.runs
    return (source.name,), (source,)


def write_netcdf(dataset: Any, path: Any) -> None:
    """A dataset as a NetCDF-4 file, compressed without loss."""
    squeezed = {name: {"zlib": True, "complevel": 4} for name in dataset.data_vars}
    dataset.to_netcdf(path, engine="h5netcdf", encoding=squeezed)


def netcdf_bytes(dataset: Any) -> bytes:
    """A dataset as the bytes of a NetCDF-4 file."""
    import tempfile
    from pathlib import Path

    try:
        import h5netcdf  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("NetCDF", "h5netcdf", "xarray") from error
    with tempfile.TemporaryDirectory() as folder:
        write_netcdf(dataset, Path(folder) / "run.nc")
        return (Path(folder) / "run.nc").read_bytes()


def _selected(table: Table, indicators: str | Iterable[str] | None, by_time: bool, where: Any) -> Table:
    found = table.select(None if indicators == "all" else indicators, **where)
    if by_time:
        return found
    kept = [k for k, label in enumerate(found.labels) if label.hour is None and label.day is None]
    return Table(tuple(found.labels[k] for k in kept), found.values[kept], found.replications)


def _variable(label: Label, whole: set[str]) -> str:
    """Name of the variable of a row: that of its indicator, apart for rows by hour or day where both are there."""
    if label.indicator in whole:
        ends = [f"by_{axis}" for axis in ("hour", "day") if getattr(label, axis) is not None]
        return "_".join([label.indicator, *ends])
    return label.indicator


def _dims(rows: Sequence[tuple[int, int, dict[str, Any]]]) -> tuple[str, ...]:
    """Dimensions in which the rows of a variable differ, or say something."""
    return tuple(axis for axis in AXES if axis == "place" or {at[axis] for _, _, at in rows} - {"", None})


def _axes(groups: dict[str, list[tuple[int, int, dict[str, Any]]]]) -> dict[str, list[Any]]:
    """Values of each dimension over all variables, in order of appearance; hours and days in order."""
    found: dict[str, dict[Any, None]] = {axis: {} for axis in AXES}
    for rows in groups.values():
        for axis in _dims(rows):
            found[axis] |= dict.fromkeys(at[axis] for _, _, at in rows)
    return {axis: sorted(values) if axis in ("hour", "day") else list(values) for axis, values in found.items()}
