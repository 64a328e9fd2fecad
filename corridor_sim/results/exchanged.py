"""What `Results`, `Comparison` and `Appraisal` hand to other programs: methods here, the writers bound from above."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corridor_sim.files.writing import write
from corridor_sim.results.accessors import bound

if TYPE_CHECKING:
    import pandas as pd

PathLike = str | os.PathLike[str]


class InWorkbooks:
    """What can be written as one Excel workbook."""

    def to_excel(self, path: PathLike, *, overwrite: bool = False) -> None:
        """One workbook with every table (extra ``excel``); sheets as `corridor_sim.exchange.workbooks` lists them.

        Raises
        ------
        CorridorError
            If the file exists and `overwrite` is not set, or a table is larger than a sheet.
        MissingExtra
            If xlsxwriter is not installed.
        """
        write(bound("workbook_bytes")(self), Path(path), overwrite=overwrite)


class InArrow:
    """What other programs read as an Arrow stream: ``polars.DataFrame(x)``, ``duckdb.sql("from x")``."""

    def stream_frame(self) -> pd.DataFrame:
        """The frame that the stream is of."""
        raise NotImplementedError

    def about(self) -> dict[str, Any]:
        """What was run, for the metadata of the stream."""
        return {}

    def to_arrow(self) -> Any:
        """The table as a pyarrow Table, with what was run in its metadata (extra ``parquet``)."""
        return bound("arrow_table")(self.stream_frame(), self.about())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow().__arrow_c_stream__(requested_schema)


class Exchanged(InWorkbooks, InArrow):
    """What has runs with indicators: datasets, maps, workbooks, Arrow."""

    def to_dataset(self, indicators: str | Iterable[str] | None = None, *, by_time: bool = False, **where: Any) -> Any:
        """An xarray Dataset: a variable an indicator with its unit, dimensions by name (extra ``xarray``).

        Dimensions are ``scenario``, of ``place``, ``direction``, ``cargo_class``, ``of`` (``hour``, ``day`` with
        `by_time`) those that an indicator has, and ``replication``; see `corridor_sim.exchange.datasets.to_dataset`.
        """
        return bound("to_dataset")(self, indicators, by_time=by_time, **where)

    def to_netcdf(self, path: PathLike, indicators: str | Iterable[str] | None = None, **options: Any) -> None:
        """The dataset of `to_dataset` as a NetCDF-4 file (extra ``xarray``)."""
        bound("write_netcdf")(self.to_dataset(indicators, **options), path)

    def to_geojson(self) -> dict[str, Any]:
        """Places, posts and legs with their waits, load and queues as GeoJSON; see `corridor_sim.exchange.maps`."""
        found: dict[str, Any] = bound("to_geojson")(self)
        return found

    def to_geopackage(self, path: PathLike, *, overwrite: bool = False) -> None:
        """The same as layers of a GeoPackage, with a table of every mean.

        Raises
        ------
        CorridorError
            If nothing has coordinates, or the file exists and `overwrite` is not set.
        """
        write(bound("geopackage_bytes")(self), Path(path), overwrite=overwrite)
