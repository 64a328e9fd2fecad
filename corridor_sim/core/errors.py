"""What can go wrong, and how it is reported: one error with every problem in it.

A problem says where (file, line, path), what was found (value) and what is
allowed. Every error raised on purpose is a ``CorridorError``; nothing that a
user gave is silently repaired.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from corridor_sim.core.text import escaped


class CorridorError(Exception):
    """Base of all errors raised on purpose by corridor_sim.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> issubclass(cs.ScenarioError, cs.CorridorError)
    True
    """


class CorridorWarning(UserWarning):
    """A statistical or modelling warning that does not stop a run.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> issubclass(cs.CorridorWarning, UserWarning)
    True
    """


class StoreWarning(CorridorWarning):
    """A stored file that was damaged: it is named, set aside and made again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    ``path`` is dotted as in a scenario file (``checkpoints.samur_az.exit.lanes.lanes``);
    ``message`` is a phrase that reads on from it ("must be a whole number >= 0").

    Examples
    --------
    >>> import corridor_sim as cs
    >>> str(cs.Problem("must be > 0", "flows.flour.per_day", -1, "> 0"))
    'flows.flour.per_day = -1: must be > 0 (allowed: > 0)'
    """

    message: str
    path: str = ""
    value: Any = None
    allowed: str = ""
    hint: str = ""
    file: str = ""
    line: int | None = None
    severity: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        text = f"{place}: " if place else ""
        if self.severity == "warning":
            text += "warning: "
        if self.path:
            text += self.path
            if self.value is not None:
                text += f" = {_short(self.value)}"
            text += ": "
        elif self.value is not None:
            text += f"{_short(self.value)} "
        text += self.message
        if self.allowed:
            text += f" (allowed: {self.allowed})"
        if self.hint:
            text += f"; {self.hint}"
        return escaped(text)

    def at(self, prefix: str) -> Problem:
        """The same problem with `prefix` put before its path."""
        path = ".".join(part for part in (prefix, self.path) if part)
        return replace(self, path=path)


class ScenarioError(CorridorError, ValueError):
    """Input that the model cannot accept; ``problems`` holds every one of them.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> try:
    ...     cs.load_scenario("teaching").with_value("checkpoints.northgate_a.exit.lanes.lanes", 1.5)
    ... except cs.ScenarioError as error:
    ...     print(error.problems[0].path)
    checkpoints.northgate_a.exit.lanes.lanes
    """

    def __init__(self, problems: Iterable[Problem | str]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            problem if isinstance(problem, Problem) else Problem(problem) for problem in problems
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class ArgumentError(CorridorError, ValueError):
    """An argument of a function that has no meaning there: it says which, what was given and what is allowed."""


class EngineRefusal(CorridorError, ValueError):
    """An engine was asked by name for something it does not do.

    ``mechanisms`` names each mechanism with the place that uses it.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> issubclass(cs.EngineRefusal, cs.CorridorError)
    True
    """

    def __init__(self, engine: str, mechanisms: Iterable[str]) -> None:
        self.engine = engine
        self.mechanisms: tuple[str, ...] = tuple(mechanisms)
        listed = "\n".join(f"  - {mechanism}" for mechanism in self.mechanisms)
        hint = "" if engine == "event" else "\nuse engine='event' or engine='auto'"
        super().__init__(f"the {engine} engine does not do:\n{listed}{hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.engine, self.mechanisms)


class SimulationError(CorridorError, RuntimeError):
    """A run that could not go on (no progress, deadlock, too many consignments).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> issubclass(cs.SimulationError, cs.CorridorError)
    True
    """


class MissingExtra(CorridorError, ImportError):
    """An optional dependency is needed and not installed.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> issubclass(cs.MissingExtra, cs.CorridorError)
    True
    """

    def __init__(self, purpose: str, module: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{purpose} needs {module}. Install it with: pip install 'corridor-sim[{extra}]'")


def nearest(word: str, known: Iterable[str]) -> str:
    """``"did you mean 'X'?"`` for the known name nearest to `word` whatever its capitals, else ``""``."""
    folded: dict[str, str] = {}
    for one in known:
        folded.setdefault(str(one).casefold(), one)
    found = difflib.get_close_matches(str(word).casefold(), list(folded), n=1, cutoff=0.6)
    return f"did you mean {folded[found[0]]!r}?" if found else ""


def _short(value: Any, limit: int = 80) -> str:
    """The value about as a file writes it, cut where it is long."""
    if isinstance(value, (dt.date, dt.time)):
        text = value.isoformat().removesuffix("T00:00:00")
    else:
        try:
            text = str(value).lower() if isinstance(value, bool) else repr(value)
        except ValueError:  # a whole number of thousands of digits
            text = f"a number of about {int(value).bit_length() * 3 // 10} digits"
    return text if len(text) <= limit else text[: limit - 3] + "..."
