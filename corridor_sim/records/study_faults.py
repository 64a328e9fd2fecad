"""Faults of a table in few words: what is wrong in the same way in many rows is told once, with the lines."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from corridor_sim.core.errors import Problem

ALIKE = 4
"""From so many faults of one kind on they are told together."""
LINES = 12
"""So many of their lines are named."""
_FORMS = (
    *("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y %H:%M"),
    *("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p"),
    *("%d-%m-%Y %H:%M", "%Y/%m/%d %H:%M", "%Y.%m.%d %H:%M", "%Y-%m-%d %H:%M"),
)
"""Ways to write a time that are common in logs."""
_CELL = re.compile(r"^(?P<event>.*?: must be .*), got '(?P<cell>.*)'$")
_NUMBER = re.compile(r"^consignment .+?: ")
_MINUTES = re.compile(r" is [\d.e+]+ min before ")


def together(problems: Iterable[Problem]) -> list[Problem]:
    """Problems of rows in the order of their lines; those of one kind as one, with their number and lines.

    >>> late = [Problem(f"consignment D{n}: 'Grün' is no channel", file="log.csv", line=n) for n in range(2, 8)]
    >>> print(*together(late))
    log.csv:2: 'Grün' is no channel; so in 6 rows: lines 2, 3, 4, 5, 6, 7
    """
    groups: dict[tuple[str, str], list[Problem]] = {}
    for one in sorted(problems, key=lambda one: one.line or 0):
        groups.setdefault((one.file, _kind(one)), []).append(one)
    found: list[Problem] = []
    for (_, kind), alike in groups.items():
        found += alike if len(alike) < ALIKE else [_as_one(kind, alike)]
    return sorted(found, key=lambda one: one.line or 0)


def _kind(problem: Problem) -> str:
    """The words of a fault without what is of its row alone."""
    text = _NUMBER.sub("", problem.message)
    cell = _CELL.match(text)
    return cell["event"] if cell else _MINUTES.sub(" is before ", text)


def _as_one(kind: str, alike: Sequence[Problem]) -> Problem:
    lines = [str(one.line) for one in alike]
    listed = ", ".join(lines[:LINES]) + (", ..." if len(lines) > LINES else "")
    cells = [found["cell"] for one in alike if (found := _CELL.match(one.message))]
    text = f"{kind}, got {cells[0]!r}" if cells else kind
    hints = [alike[0].hint, _form_of(cells) if cells else "", f"so in {len(alike)} rows: lines {listed}"]
    return replace(alike[0], message=text, hint="; ".join(filter(None, hints)))


def _form_of(cells: Sequence[str]) -> str:
    """In which common form all cells are written, as a line of the file of columns."""
    forms = [form for form in _FORMS if all(_fits(cell, form) for cell in cells)]
    if not forms:
        return ""
    if len(forms) > 1:
        return "say " + " or ".join(f'time_format = "{form}"' for form in forms)
    return f'say time_format = "{forms[0]}", or ["{forms[0]}", "ISO"] where both are there'


def _fits(cell: str, form: str) -> bool:
    try:
        dt.datetime.strptime(re.sub(r"\s*([+-]\d\d:\d\d|Z)$", "", cell), form)
    except ValueError:
        return False
    return True
