"""What higher rooms add to results: pictures, words, pages, comparisons; stated here, bound from above.

`Results` and `Comparison` are data and know nothing of plots and reports. The
package's own ``__init__`` binds a loader to each name when it is imported; the
protocols say what the loaded things can do, so that editors and type checkers see
them. To add one: a line in ``__init__``, a method or property on `Results`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


class Pictures(Protocol):
    """Every registered plot as a method that draws on `ax`, or on a new figure; ``dir()`` lists them."""

    def __getattr__(self, name: str) -> Callable[..., Axes]: ...


class Compared(Protocol):
    """What ``results.compare(...)`` gives: a `corridor_sim.Comparison`, as far as this room knows it."""

    @property
    def plot(self) -> Pictures:
        """Every registered plot as a method."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name a run, the base first."""

    def table(self, indicators: str | Iterable[str] | None = None, **options: Any) -> pd.DataFrame:
        """Differences from the base with intervals."""

    def inputs_diff(self, *, ids: bool = False) -> dict[str, list[str]]:
        """What each scenario changes against the base, in words."""

    def describe(self, width: int = 80, *, ids: bool = False) -> str:
        """The comparison in words."""

    def to_html(self, path: str | os.PathLike[str] | None = None, **options: Any) -> str:
        """One HTML page that needs nothing else."""


class SummaryTable:
    """What ``results.table`` is: a method. Until 0.2 it was the raw rows: who asks for those is told their name."""

    def __init__(self, summary: Callable[..., pd.DataFrame]) -> None:
        self._summary = summary

    def __call__(
        self,
        indicators: str | Iterable[str] | None = None,
        *,
        by_time: bool = False,
        confidence: float = 0.95,
        **where: Any,
    ) -> pd.DataFrame:
        """Mean over the replications with its interval, one line a row: `Results.summary`."""
        return self._summary(indicators, by_time=by_time, confidence=confidence, **where)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"results.table is a method since 0.2 and has no {name!r}: "
            f"the values of each replication are in results.rows (results.rows.{name})"
        )


_LOADERS: dict[str, Callable[[], Callable[..., Any]]] = {}


def bind(name: str, load: Callable[[], Callable[..., Any]]) -> None:
    """Let `bound(name)` call what `load` returns; `load` is called when the name is first needed."""
    _LOADERS[name] = load


def bound(name: str) -> Callable[..., Any]:
    """What was bound to a name.

    Raises
    ------
    KeyError
        If nothing was: the package's ``__init__`` binds all of them.
    """
    return _LOADERS[name]()
