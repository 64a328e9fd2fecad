"""Tables as an Arrow stream, which duckdb, polars, pyarrow and others read without a copy through text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corridor_sim.core.errors import MissingExtra

if TYPE_CHECKING:
    import pandas as pd


def arrow_table(frame: pd.DataFrame, about: dict[str, Any] | None = None) -> Any:
    """A frame as a pyarrow Table, `about` as JSON in its metadata under ``corridor_sim`` (extra ``parquet``).

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise MissingExtra("an Arrow stream", "pyarrow", "parquet") from error
    frame = frame.copy(deep=False)
    frame.attrs = {}
    table = pa.Table.from_pandas(frame, preserve_index=False)
    told = {b"corridor_sim": json.dumps(about, default=str, sort_keys=True).encode()} if about else {}
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **told})


def arrow_stream(frame: pd.DataFrame, about: dict[str, Any] | None = None, requested_schema: Any = None) -> Any:
    """The capsule that ``__arrow_c_stream__`` hands over; see `arrow_table`."""
    return arrow_table(frame, about).__arrow_c_stream__(requested_schema)


def stream_bytes(table: Any) -> bytes:
    """A pyarrow Table as the bytes of an Arrow IPC stream (``.arrows``)."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def parquet_bytes(table: Any) -> bytes:
    """A pyarrow Table as the bytes of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())
