"""A GeoPackage of a run: the layers of `maps.py`, every mean as a table beside them.

Written by the standard (OGC 12-128r19, version 1.4) with the sqlite3 of Python: a GeoPackage is a SQLite file with
three tables of its own and geometries as WKB behind a header. The libraries that write it bring GDAL, a hundred
times the size of this package, for what are 60 lines here; they are read against in the tests.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from corridor_sim.exchange.datasets import named_runs
from corridor_sim.exchange.maps import Layer, layers_of, units_of
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import Results

if TYPE_CHECKING:
    import pandas as pd

APPLICATION_ID = 0x47504B47  # "GPKG"
VERSION = 10400
WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""
_SYSTEMS = (
    ("WGS 84 geodetic", 4326, "EPSG", 4326, WGS84, "longitude and latitude in degrees"),
    ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinates"),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinates"),
)
_TYPES = {bool: "BOOLEAN", int: "INTEGER", float: "DOUBLE", str: "TEXT"}


def geopackage_bytes(source: Results | Comparison) -> bytes:
    """A run, or all runs of a comparison, as the bytes of a GeoPackage.

    Layers ``places``, ``posts``, ``legs`` and ``crossings`` with the columns of `to_geojson`, of a comparison besides
    ``post_differences``, ``leg_differences`` and ``crossing_differences``; the tables ``summary`` with every mean,
    ``units`` with the unit of each column, and ``about`` with what was run (WGS 84, longitude and latitude).

    Raises
    ------
    CorridorError
        If nothing has coordinates.
    """
    import pandas as pd

    layers, left_out = layers_of(source)
    names, runs = named_runs(source)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    base = sqlite3.connect(":memory:")
    try:
        base.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        base.execute(f"PRAGMA user_version = {VERSION}")
        base.executescript(_TABLES)
        base.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", _SYSTEMS)
        for layer in layers:
            _write_layer(base, layer, now)
        parts = []
        for name, run in zip(names, runs, strict=True):
            frame = run.summary()
            frame.insert(0, "scenario", name)
            parts.append(frame)
        _write_table(base, "summary", pd.concat(parts, ignore_index=True), now)
        units = pd.DataFrame(units_of(source, layers), columns=["layer", "column", "unit"])
        _write_table(base, "units", units, now)
        told = [
            (name, key, value if isinstance(value, str) else json.dumps(value, default=str))
            for name, run in zip(names, runs, strict=True)
            for key, value in {**run.about(), "left_out": left_out}.items()
        ]
        _write_table(base, "about", pd.DataFrame(told, columns=["scenario", "what", "value"]), now)
        base.commit()
        return bytes(base.serialize())
    finally:
        base.close()


def _write_layer(base: sqlite3.Connection, layer: Layer, now: str) -> None:
    columns = {
        name: _type_of(
            [row[name] for row in layer.rows], "TEXT" if name.endswith(("overloaded", "_verdict")) else "DOUBLE"
        )
        for name in layer.rows[0]
    }
    listed = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items() if name != "id")
    base.execute(
        f"CREATE TABLE {_quoted(layer.name)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "
        f"geom {layer.shape.upper()}, id TEXT, {listed})"
    )
    points = [point for one in layer.coordinates for point in ([one] if layer.shape == "Point" else one)]
    x, y = zip(*points, strict=True)
    ends = (min(x), min(y), max(x), max(y))
    base.execute(
        "INSERT INTO gpkg_contents VALUES (?, 'features', ?, '', ?, ?, ?, ?, ?, 4326)",
        (layer.name, layer.name, now, *ends),
    )
    base.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, 4326, 0, 0)", (layer.name, layer.shape.upper())
    )
    names = ["geom", *columns]
    _insert(
        base,
        layer.name,
        names,
        [
            [_geometry(layer.shape, at), *(row[name] for name in columns)]
            for at, row in zip(layer.coordinates, layer.rows, strict=True)
        ],
    )


def _write_table(base: sqlite3.Connection, name: str, frame: pd.DataFrame, now: str) -> None:
    values = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    kinds = [_type_of([row[k] for row in values], "TEXT") for k in range(len(frame.columns))]
    listed = ", ".join(f"{_quoted(str(column))} {kind}" for column, kind in zip(frame.columns, kinds, strict=True))
    base.execute(f"CREATE TABLE {_quoted(name)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {listed})")
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) VALUES (?, 'attributes', ?, ?)",
        (name, name, now),
    )
    _insert(base, name, [str(column) for column in frame.columns], values)


def _insert(base: sqlite3.Connection, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    marks = ", ".join("?" * len(names))
    base.executemany(f"INSERT INTO {_quoted(table)} ({', '.join(map(_quoted, names))}) VALUES ({marks})", rows)


def _type_of(values: Sequence[Any], of_none: str) -> str:
    """SQL type of a column: that of its values, `of_none` where there are none; whole and other numbers are DOUBLE."""
    kinds = {_TYPES[type(value)] for value in values if value is not None}
    if not kinds:
        return of_none
    return kinds.pop() if len(kinds) == 1 else "DOUBLE" if kinds == {"INTEGER", "DOUBLE"} else "TEXT"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _geometry(shape: str, coordinates: Any) -> bytes:
    """Header and well-known binary of a point or line, little-endian; no envelope."""
    header = struct.pack("<2sBBi", b"GP", 0, 1, 4326)
    if shape == "Point":
        return header + struct.pack("<BIdd", 1, 1, *coordinates)
    flat = [value for point in coordinates for value in point]
    return header + struct.pack(f"<BII{len(flat)}d", 1, 2, len(coordinates), *flat)
