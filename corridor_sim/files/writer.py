"""Plain tables as TOML text, in one shape: the same values always give the same text.

Values of a table come before the tables inside it; small tables stand on one
line, larger ones under a heading of their own. Tables keep their order.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 110
"""Longest line that a list or small table is written on."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def to_toml(data: Mapping[str, Any], first: Sequence[str] = ()) -> str:
    """TOML text of nested tables; keys in `first` come before the others.

    Raises
    ------
    TypeError
        For a value that TOML has no form for.

    Examples
    --------
    >>> print(to_toml({"legs": {"a b": {"length_km": 61.0, "paths": [1, 2]}}, "name": "x"}), end="")
    name = "x"
    <BLANKLINE>
    [legs]
    "a b" = { length_km = 61.0, paths = [1, 2] }
    """
    ordered = {key: data[key] for key in first if key in data}
    ordered.update((key, value) for key, value in data.items() if key not in ordered)
    return "\n".join(_table(ordered, ())).strip("\n") + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    # Where one table needs a heading all get one, so that their order is kept.
    headed = not path or any(not _is_small(key, value) for key, value in inner.items())
    lines = [_entry(key, value) for key, value in table.items() if not (headed and key in inner)]
    if path and (lines or not inner):
        yield ""
        yield f"[{dotted(path)}]"
    yield from lines
    if headed:
        for key, value in inner.items():
            yield from _table(value, (*path, key))


def _is_small(key: str, table: Mapping[str, Any]) -> bool:
    nested = [value for value in table.values() if isinstance(value, Mapping)]
    deep = any(isinstance(value, Mapping) for one in nested for value in one.values())
    return not deep and len(_key(key)) + 3 + len(_value(table)) <= WIDTH


def _entry(key: str, value: Any) -> str:
    line = f"{_key(key)} = {_value(value)}"
    if len(line) <= WIDTH or not isinstance(value, (list, tuple)):
        return line
    rows, row = [], "   "
    for item in value:
        text = f" {_value(item)},"
        if len(row) + len(text) > WIDTH and row.strip():
            rows.append(row)
            row = "   "
        row += text
    return "\n".join([f"{_key(key)} = [", *rows, row, "]"])


def dotted(path: Sequence[str]) -> str:
    """A path as TOML writes it: quotes about what is no bare key.

    Examples
    --------
    >>> dotted(("legs", "a b", "length_km"))
    'legs."a b".length_km'
    """
    return ".".join(_key(part) for part in path)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case str():
            return _text(value)
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case Mapping():
            inside = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
    raise TypeError(f"TOML has no form for {value!r}")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return repr(value)


def _text(text: str) -> str:
    def escaped(sign: str) -> str:
        if sign in _ESCAPES:
            return _ESCAPES[sign]
        return f"\\u{ord(sign):04x}" if ord(sign) < 32 or ord(sign) == 127 else sign

    return '"' + "".join(escaped(sign) for sign in text) + '"'
