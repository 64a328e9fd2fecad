"""What choice and demand come to in every draw of the inputs, and how many of the draws reached it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.label import Label
from corridor_sim.results.called import in_words
from corridor_sim.statistics.input_intervals import InputInterval, input_interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class DrawnEquilibria:
    """Equilibria of scenarios under draws of their inputs (`cs.equilibria`).

    `values` has shape (rows, scenarios, draws), the mean over the replications of a draw in the unit of its row;
    `gaps` (scenarios, draws) the gap at which each search ended; `shares` and `demand_factor` what was chosen, by
    scenario and flow, with a row for each draw. `ways` names their columns.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> june = cs.load_scenario("growth_2028", {"run.horizon_days": 6, "run.warm_up_days": 1})
    >>> who = cs.Behaviour(50.0, {"south_bilateral": ["samur", "khanoba"]})
    >>> found = cs.equilibria(june, behaviour=who, draws=2, target=0.05, workers=1, indicators=["wait_h"])
    >>> found.share_reached, found.ways[0]["south_bilateral"]
    (1.0, ('samur', 'khanoba'))
    """

    names: tuple[str, ...]
    labels: tuple[Label, ...]
    values: FloatArray
    gaps: FloatArray
    target: float
    points: FloatArray
    scramble: FloatArray
    """Which scramble each draw is of."""
    ways: tuple[Mapping[str, tuple[str, ...]], ...]
    shares: tuple[Mapping[str, FloatArray], ...]
    demand_factor: tuple[Mapping[str, FloatArray], ...]
    called: Mapping[str, str] = field(default_factory=dict)
    """What flows, choice sets and crossings are called, by id."""

    @property
    def reached(self) -> FloatArray:
        """Which draws came below the target in every scenario, shape (draws,)."""
        return np.asarray((self.gaps < self.target).all(axis=0))

    @property
    def share_reached(self) -> float:
        """Share of the draws that came below the target in every scenario."""
        return float(self.reached.mean())

    def row(self, indicator: str, **where: str) -> int:
        """Number of the row of an indicator at a place (``kind="post", place="samur_az", direction="exit"``).

        Raises
        ------
        CorridorError
            If not exactly one row is meant.
        """
        found = [
            number
            for number, label in enumerate(self.labels)
            if label.indicator == indicator
            and all(getattr(label, name, None) == value for name, value in where.items())
        ]
        if len(found) > 1 and "of" not in where:
            found = [number for number in found if not self.labels[number].of] or found
        if len(found) != 1:
            raise CorridorError(f"{len(found)} rows are {indicator} {where or ''}, one must be")
        return found[0]

    def of(self, indicator: str, *, scenario: int | str | None = None, **where: str) -> FloatArray:
        """Values of a row in each draw: of one scenario, else of the last less the first. Shape (draws,)."""
        row = self.values[self.row(indicator, **where)]
        if scenario is None:
            return np.asarray(row[0] if len(row) == 1 else row[-1] - row[0])
        if isinstance(scenario, str):
            arguments.one_of("scenario", scenario, self.names)
            scenario = self.names.index(scenario)
        return np.asarray(row[scenario])

    def interval(
        self,
        indicator: str,
        *,
        scenario: int | str | None = None,
        level: float = 0.9,
        reached_only: bool = False,
        **where: str,
    ) -> InputInterval:
        """Interval of a row over what the inputs may be; of the draws that reached the target with `reached_only`."""
        values = self.of(indicator, scenario=scenario, **where)
        kept = self.reached if reached_only else np.ones(len(values), bool)
        return input_interval(values[kept], self.scramble[kept], level)

    def to_frame(self) -> pd.DataFrame:
        """One row a draw, scenario, flow and way: share, demand factor, gap, whether it was reached."""
        import pandas as pd

        rows: list[dict[str, Any]] = [
            {
                "draw": draw,
                "scenario": name,
                "flow": flow,
                "way": way,
                "share": float(shares[draw, k]),
                "demand_factor": float(self.demand_factor[number][flow][draw]),
                "gap": float(self.gaps[number, draw]),
                "reached": bool(self.gaps[number, draw] < self.target),
            }
            for draw in range(self.gaps.shape[1])
            for number, name in enumerate(self.names)
            for flow, shares in self.shares[number].items()
            for k, way in enumerate(self.ways[number][flow])
        ]
        return pd.DataFrame(rows)

    def describe(self, *, ids: bool = False) -> str:
        """How many draws reached the target, and what was chosen over the draws; by name, by id with `ids`."""
        called = (lambda id: id) if ids else (lambda id: self.called.get(id) or in_words(id))
        count = self.gaps.shape[1]
        lines = [
            f"{int(self.reached.sum())} of {count} draws reached an equilibrium"
            f"{' of every scenario' if len(self.names) > 1 else ''}: "
            f"in them less than {self.target:.1%} would choose otherwise."
        ]
        if not self.reached.all():
            lines.append(f"In the others up to {self.gaps.max():.1%} would: their values are where the search ended.")
        for number, name in enumerate(self.names):
            lines.append(f"{name}: {int((self.gaps[number] < self.target).sum())} of {count} draws reached")
            for flow, shares in self.shares[number].items():
                ways = ", ".join(
                    f"{called(way)} {np.median(mine):.0%} ({mine.min():.0%} to {mine.max():.0%})"
                    for way, mine in zip(self.ways[number][flow], shares.T, strict=True)
                )
                factor = self.demand_factor[number][flow]
                more = f"; demand x {np.median(factor):.3f} ({factor.min():.3f} to {factor.max():.3f})"
                lines.append(f"  {called(flow)}: {ways}{more if (factor != 1).any() else ''}")
        return "\n".join(lines)
