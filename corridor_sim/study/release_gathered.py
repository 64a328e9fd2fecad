"""What is gathered while a scenario is fitted to a time release study: figures with ranges, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from corridor_sim.model.scenario import Scenario
from corridor_sim.records.release_study import ReleaseStudy
from corridor_sim.records.study_columns import StudyColumns
from corridor_sim.results.law_fits import LawFits
from corridor_sim.results.release_fits import FittedFigure

DIGITS = 6
"""Significant digits of figures in a file; decimals of shares."""


@dataclass
class Gathered:
    """What has been found so far."""

    study: ReleaseStudy
    scenario: Scenario
    raw: Mapping[str, Any]
    """Tables of the scenario's file, to know what to take out."""
    confidence: float
    figures: list[FittedFigure] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    laws: dict[str, LawFits] = field(default_factory=dict)
    by_channel: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    @property
    def columns(self) -> StudyColumns:
        """Of the study."""
        return self.study.columns

    def table(self, *path: str) -> dict[str, Any]:
        """The table of the overlay at a path."""
        here = self.tables
        for part in path:
            here = here.setdefault(part, {})
        return here

    def set_figure(
        self,
        where: tuple[str, ...],
        name: str,
        value: Any,
        low: float,
        high: float,
        n: int,
        stated: Any,
        note: str = "",
    ) -> None:
        """Set one number with its range; ranges that the scenario's own table has of it are taken out."""
        here = self.table(*where)
        inner, _, last = name.rpartition(".")
        target = self.table(*where, *inner.split(".")) if inner else here
        target[last] = rounded(value)
        range_of = {"status": "derived", "source": self.columns.name}
        if low < high:
            range_of |= {
                "low": rounded(low),
                "high": rounded(high),
                "range_source": self.columns.name,
                "range_reason": f"{self.confidence:.0%} confidence interval of the study",
            }
        here.setdefault("figures", {})[name] = range_of
        self.figures.append(FittedFigure(".".join([*where, name]), stated, value, low, high, n, note))

    def take_out(self, *path: str) -> None:
        """Take a value out of the scenario, if its file has it."""
        here: Any = self.raw
        for part in path:
            if not isinstance(here, Mapping) or part not in here:
                return
            here = here[part]
        told = ".".join(part if part.replace("_", "").replace("-", "").isalnum() else f'"{part}"' for part in path)
        if told not in self.removed:
            self.removed.append(told)


def rounded(value: Any) -> Any:
    """A number to the digits that a file gets."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
