"""Arguments of public functions, checked before anything is simulated: one clear error each.

A message says the name of the argument, what is allowed and what was given. Numbers of
numpy are numbers; true and false are none; a fraction is no whole number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import ArgumentError, CorridorError, Problem, ScenarioError, nearest


def whole(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """`value` as a whole number of Python within bounds; ArgumentError if it is none.

    Examples
    --------
    >>> whole("replications", np.int64(3), 1)
    3
    """
    fits = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not fits or (least is not None and value < least) or (most is not None and value > most):
        raise ArgumentError(f"{name} must be a whole number{_between(least, most)}, got {_given(value)}")
    return int(value)


def number(
    name: str, value: Any, least: float | None = None, most: float | None = None, *, above: float | None = None
) -> float:
    """`value` as a finite number within bounds; ArgumentError if it is none."""
    fits = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if fits:
        try:
            fits = math.isfinite(value)
        except OverflowError:
            fits = False
    low = (least is not None and fits and value < least) or (above is not None and fits and value <= above)
    if not fits or low or (most is not None and value > most):
        bound = f" > {above:g}" if above is not None else ""
        raise ArgumentError(f"{name} must be a finite number{bound}{_between(least, most)}, got {_given(value)}")
    return float(value)


def array(name: str, values: Any) -> NDArray[np.float64]:
    """`values` as an array of numbers; ArgumentError for texts, dates, complex numbers and what has no one shape."""
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "iufb" and not (found.dtype.kind == "O" and found.size):
            raise TypeError(f"an array of {found.dtype}")
        return np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"{name} must be numbers, got {_given(values)} ({error})") from None


def flag(name: str, value: Any) -> bool:
    """`value` if it is true or false."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(f"{name} must be True or False, got {_given(value)}")
    return bool(value)


def one_of(name: str, value: Any, known: Iterable[str]) -> str:
    """`value` if it is one of the known names."""
    names = list(known)
    if not isinstance(value, str) or value not in names:
        hint = nearest(value, names) if isinstance(value, str) else ""
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise ArgumentError(f"{name} must be one of {listed}, got {_given(value)}" + (f"; {hint}" if hint else ""))
    return value


def instance(name: str, value: Any, kinds: type | tuple[type, ...], words: str) -> None:
    """Raise ArgumentError unless `value` is of one of the kinds, which are called `words`."""
    if not isinstance(value, kinds):
        raise ArgumentError(f"{name} must be {words}, got {_given(value)}")


class Faults:
    """What is wrong with several arguments, told together.

    Examples
    --------
    >>> faults = Faults()
    >>> with faults.noted():
    ...     most = whole("most", 1, 2)
    >>> with faults.noted():
    ...     alpha = number("alpha", 3, 0, 1)
    >>> faults.refuse()
    Traceback (most recent call last):
    corridor_sim.core.errors.ArgumentError: most must be a whole number >= 2, got 1
    alpha must be a finite number >= 0 and <= 1, got 3
    """

    def __init__(self) -> None:
        self._found: list[CorridorError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """What is refused within is kept, not raised."""
        try:
            yield
        except CorridorError as error:
            if not isinstance(error, (ArgumentError, ScenarioError)) and type(error) is not CorridorError:
                raise
            self._found.append(error)

    def add(self, text: str) -> None:
        """Keep one more, in words."""
        self._found.append(ArgumentError(text))

    def refuse(self) -> None:
        """Raise what was kept, if anything was: one error as it was, several as one.

        Raises
        ------
        ScenarioError
            If problems of a scenario are among several.
        ArgumentError
            Else.
        """
        if not self._found:
            return
        if len(self._found) == 1:
            raise self._found[0]
        if any(isinstance(one, ScenarioError) for one in self._found):
            raise ScenarioError(
                problem
                for one in self._found
                for problem in (one.problems if isinstance(one, ScenarioError) else [Problem(str(one))])
            )
        raise ArgumentError("\n".join(map(str, self._found)))


def _between(least: float | None, most: float | None) -> str:
    low = f" >= {least:g}" if least is not None else ""
    return low + (f"{' and' if low else ''} <= {most:g}" if most is not None else "")


def _given(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."
