"""Tables as text: for a terminal, for a spreadsheet, for a program.

CSV cells that a spreadsheet would read as a formula get an apostrophe in front;
what is not there is empty in CSV and null in JSON, never NaN.
"""

from __future__ import annotations

import json
import math
import numbers
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
GAP = "  "


def safe_cell(value: Any) -> Any:
    """A text cell that no spreadsheet takes for a formula; anything else as it is.

    >>> safe_cell("=1+1"), safe_cell("-"), safe_cell(-1.5)
    ("'=1+1", '-', -1.5)
    """
    if isinstance(value, str) and value != "-" and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def to_csv(frame: pd.DataFrame, *, decimal_comma: bool = False) -> str:
    """A frame as CSV text with a header, safe to open in a spreadsheet.

    With `decimal_comma` as spreadsheets read it where the comma is the decimal sign: ``1,5;2,25``.
    """
    safe = frame.rename(columns=safe_cell)
    for position, column in enumerate(safe.columns):
        if safe.dtypes.iloc[position].kind not in "fiub":
            safe[column] = safe[column].map(_csv_cell, na_action="ignore")
            if decimal_comma:
                safe[column] = safe[column].map(_with_comma, na_action="ignore")
    sign, between = (",", ";") if decimal_comma else (".", ",")
    return str(safe.to_csv(index=False, lineterminator="\n", decimal=sign, sep=between))


def _with_comma(value: Any) -> Any:
    """A number in a column of mixed cells with a decimal comma; pandas does so in columns of numbers only."""
    return str(value).replace(".", ",") if isinstance(value, float) else value


def _csv_cell(value: Any) -> Any:
    """A safe cell whose line breaks are those that are put in quotes."""
    safe = safe_cell(value)
    return safe.replace("\r\n", "\n").replace("\r", "\n") if isinstance(safe, str) else safe


def plain(value: Any) -> Any:
    """A value as JSON knows it: missing and infinite numbers are null, numpy's numbers are Python's."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    return None if str(value) == "<NA>" else str(value)


def to_json(value: Any) -> str:
    """A value as indented JSON text that ends with a line break."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dicts of plain values."""
    return [plain(row) for row in frame.to_dict("records")]


def to_text(header: Sequence[str], rows: Iterable[Sequence[Any]], width: int = 80) -> str:
    """Rows under a header, numbers to the right, at most `width` columns wide.

    The last column is wrapped where the table would be wider; cells of the others
    are cut.
    """
    given = [list(row) for row in rows]
    cells = [[_cell(value) for value in row] for row in given]
    columns = list(zip(*given, strict=True)) if given else [()] * len(header)
    right = [bool(column) and all(_is_none(v) or isinstance(v, numbers.Real) for v in column) for column in columns]
    widths = [max(len(text) for text in column) for column in zip(header, *cells, strict=True)]
    spare = width - sum(widths) - len(GAP) * (len(widths) - 1)
    if spare < 0:
        widths[-1] = max(16, widths[-1] + spare)
    lines: list[str] = []
    for row in (list(header), *cells):
        last = textwrap.wrap(row[-1], widths[-1], break_long_words=False) or [""]
        front = [_fit(text, w, r) for text, w, r in zip(row[:-1], widths, right, strict=False)]
        lines.append(GAP.join([*front, _fit(last[0], widths[-1], right[-1])]).rstrip())
        indent = " " * (sum(widths[:-1]) + len(GAP) * (len(widths) - 1))
        lines += [indent + more for more in last[1:]]
    return "\n".join(lines) + "\n"


def _fit(text: str, width: int, right: bool) -> str:
    return f"{text:>{width}}" if right else f"{text:<{width}}"


def _cell(value: Any) -> str:
    if _is_none(value):
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e5 else f"{value:,.0f}"
    return " ".join(str(value).split())


def _is_none(value: Any) -> bool:
    return value is None or str(value) in ("nan", "<NA>", "")
