"""What a time release study says of the figures of a scenario: values with ranges, what it cannot say, the overlay."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corridor_sim.files.writer import to_toml
from corridor_sim.results.law_fits import LawFits

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class FittedFigure:
    """One figure: path, what the scenario had, value, range, how many consignments say so, and what is to be said."""

    path: str
    stated: Any
    value: Any
    low: float
    high: float
    n: int
    note: str = ""


@dataclass(frozen=True, eq=False)
class ReleaseFit:
    """A scenario's figures from a time release study.

    Attributes
    ----------
    name : str
        Of the study.
    figures : tuple of FittedFigure
    refused : tuple of (what, why)
        What the study cannot say.
    laws : mapping of str to LawFits
        By stage, all laws that were fitted.
    by_channel : DataFrame
        Mean service by stage and channel.
    tables : mapping
        What the overlay sets.
    removed : tuple of str
        What it takes out of the scenario: ranges and capacities of before.
    extends : str
        The scenario, as a file names it.
    """

    name: str
    figures: tuple[FittedFigure, ...]
    refused: tuple[tuple[str, str], ...]
    laws: Mapping[str, LawFits]
    by_channel: pd.DataFrame
    tables: Mapping[str, Any]
    removed: tuple[str, ...] = ()
    extends: str = ""
    notes: tuple[str, ...] = field(default=())

    def table(self) -> pd.DataFrame:
        """A line a figure: path, stated, value, low, high, n, note."""
        import pandas as pd

        names = ("path", "stated", "value", "low", "high", "n", "note")
        return pd.DataFrame([[getattr(one, name) for name in names] for one in self.figures], columns=list(names))

    def to_toml(self, name: str = "", extends: str = "") -> str:
        """A scenario file that lays the figures over the scenario, with ranges and the study as their source."""
        from corridor_sim.model.ids import id_fault

        own = name or f"{self.name}_fitted"
        if fault := id_fault(own):
            raise ValueError(f"name as an id {fault}")
        head: dict[str, Any] = {
            "schema": 1,
            "name": own,
            "about": f"Figures from the time release study {self.name}.",
            "extends": extends or self.extends,
        }
        if self.removed:
            head["remove"] = list(self.removed)
        return to_toml({**head, **self.tables})

    def describe(self) -> str:
        """Figures with their ranges, what is refused and why, as a terminal shows them."""
        lines = [f"{self.name}: figures of {self.extends or 'the scenario'}", ""]
        wide = max([len(one.path) for one in self.figures] + [10])
        lines.append(f"{'figure':<{wide}}  {'stated':>10}  {'fitted':>10}  {'range':<18}  {'n':>5}")
        for one in self.figures:
            stated = "-" if one.stated is None else _short(one.stated)
            between = f"{one.low:.3g} to {one.high:.3g}" if one.low < one.high else "-"
            lines.append(f"{one.path:<{wide}}  {stated:>10}  {_short(one.value):>10}  {between:<18}  {one.n:>5}")
            lines += _folded(one.note, "    ") if one.note else []
        if self.refused:
            lines += ["", "not fitted:"]
            for what, why in self.refused:
                lines += _folded(f"{what}: {why}", "  ")
        return "\n".join([*lines, *([""] if self.notes else []), *self.notes]) + "\n"


def _folded(text: str, before: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=before, subsequent_indent=before + "  ", break_on_hyphens=False)


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
