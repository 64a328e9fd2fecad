"""Which of several scenarios is best, and what may be relied on: with exact inputs, and with drawn ones."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corridor_sim.indicators.label import Label

if TYPE_CHECKING:
    import pandas as pd

METHOD_WORDS = {
    "kn": "sequential elimination (KN)",
    "rinott": "two stages (Rinott)",
    "ocba": "a fixed number of runs, spread where they help most (OCBA)",
}
VOID = (
    "Inputs are drawn, so the promise of a selection procedure is void: no number of runs makes up for figures that "
    "are not known."
)


@dataclass(frozen=True, eq=False)
class Selected:
    """What `cs.select` chose, how, and when the others were eliminated.

    Attributes
    ----------
    names : tuple of str
        The scenarios, in the order given.
    label : Label
        The row they were judged by.
    delta : float
        Indifference zone: a smaller difference does not matter. In the unit of the row.
    alpha : float
        Chance of a wrong choice that is allowed.
    means : tuple of float
        Over the replications that each scenario had.
    replications : tuple of int
    eliminated_at : tuple of int or None
        Replications after which each was eliminated; None for the best, for those equal to it, and where the method
        eliminates none.
    reached : bool
        False where the runs came to their limit before the choice was made.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> pair = [cs.load_scenario(name) for name in ("teaching", "teaching_priority_lane")]
    >>> found = cs.select(pair, "delay_truck_h", delta="50 h", rng=1, workers=1)
    >>> found.best
    'teaching_priority_lane'
    """

    names: tuple[str, ...]
    label: Label
    delta: float
    alpha: float
    method: str
    common: bool
    maximise: bool
    number: int
    means: tuple[float, ...]
    replications: tuple[int, ...]
    eliminated_at: tuple[int | None, ...]
    reached: bool
    root: int
    warnings: tuple[str, ...] = ()
    about: str = ""
    """The row in words, "" if no more is known than its label."""

    @property
    def best(self) -> str:
        """Name of the scenario that was chosen."""
        return self.names[self.number]

    @property
    def zone(self) -> str:
        """The indifference zone with its unit."""
        return f"{self.delta:g} {self.label.unit}"

    @property
    def guarantee(self) -> str:
        """What may be relied on, in words."""
        if self.method == "ocba":
            return "No guarantee: the runs were spread to make the right choice likely, how likely is not known."
        if not self.reached:
            return f"No guarantee: the runs came to their limit of {max(self.replications)} before the choice was made."
        how = "common random numbers" if self.common else "independent streams"
        return (
            f"The best scenario, if it is better than every other by {self.zone} or more, is named with a probability "
            f"of at least {1 - self.alpha:g} ({METHOD_WORDS[self.method]}, {how}, values of replications taken as "
            f"normal). One nearer to the best than {self.zone} may be named in its place. Inputs are taken as exact."
        )

    def table(self) -> pd.DataFrame:
        """One line a scenario, the best first: mean, difference from the best, replications, when eliminated."""
        import pandas as pd

        order = self._order()
        return pd.DataFrame(
            {
                "scenario": [self.names[k] for k in order],
                "mean": [self.means[k] for k in order],
                "from_best": [self.means[k] - self.means[self.number] for k in order],
                "unit": self.label.unit,
                "replications": [self.replications[k] for k in order],
                "eliminated_at": pd.array([self.eliminated_at[k] for k in order], dtype="Int64"),
            }
        )

    def to_data(self) -> dict[str, Any]:
        """The choice as plain values."""
        return {
            "best": self.best,
            "row": str(self.label),
            "delta": self.delta,
            "unit": self.label.unit,
            "alpha": self.alpha,
            "method": self.method,
            "common_random_numbers": self.common,
            "maximise": self.maximise,
            "reached": self.reached,
            "guarantee": self.guarantee,
            "root_entropy": self.root,
            "warnings": list(self.warnings),
            "scenarios": [
                {
                    "scenario": self.names[k],
                    "mean": self.means[k],
                    "replications": self.replications[k],
                    "eliminated_at": self.eliminated_at[k],
                }
                for k in self._order()
            ],
        }

    def describe(self, *, ids: bool = False) -> str:
        """The choice in words and its table; the place by name, by id with `ids`."""
        row = self.label if ids or not self.about else self.about
        lines = [
            f"Best of {len(self.names)} by {row}, {'largest' if self.maximise else 'smallest'}: {self.best}",
            *_folded(self.guarantee),
            *_folded(f"{sum(self.replications)} runs in all, {METHOD_WORDS[self.method]}, seed {self.root}."),
            "",
            f"  {'scenario':25s}{'mean':>14s}{'from best':>14s}{'runs':>7s}  eliminated after",
        ]
        for k in self._order():
            after = "" if self.eliminated_at[k] is None else str(self.eliminated_at[k])
            from_best = self.means[k] - self.means[self.number]
            lines.append(
                f"  {self.names[k]:25s}{self.means[k]:14.6g}{from_best:14.6g}{self.replications[k]:7d}  {after}"
            )
        for text in self.warnings:
            lines += _folded(f"warning: {text}")
        return "\n".join(line.rstrip() for line in lines)

    def _order(self) -> list[int]:
        """Numbers of the scenarios, the best first."""
        sign = -1.0 if self.maximise else 1.0
        return sorted(range(len(self.names)), key=lambda k: (k != self.number, sign * self.means[k]))

    def __repr__(self) -> str:
        return f"<Selected {self.best} of {len(self.names)} by {self.label.indicator}>"


def _folded(text: str) -> list[str]:
    """A sentence in lines of 80 characters, indented."""
    return textwrap.wrap(text, 80, initial_indent="  ", subsequent_indent="    ")


@dataclass(frozen=True, eq=False)
class BestUnderInputs:
    """Every scenario against the best of the others, under draws of the inputs: what a selection becomes then.

    Attributes
    ----------
    intervals : tuple of (low, high)
        Of scenario less best of the others, all together with confidence 1 - `alpha`: spread over the draws and
        noise of sampling.
    draws : int
        Draws that the observations left.
    share_best : tuple of float
        In how many of the draws each was the best.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> short = {"run.horizon_days": 5, "run.warm_up_days": 1, "flows.flour.per_day": 100.0}
    >>> pair = [cs.load_scenario(name, short) for name in ("teaching", "teaching_priority_lane")]
    >>> found = cs.select(pair, "delay_truck_h", delta="50 h", draws=64, rng=1, workers=1)
    >>> found.best
    'teaching'
    """

    names: tuple[str, ...]
    label: Label
    delta: float
    alpha: float
    maximise: bool
    means: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    share_best: tuple[float, ...]
    draws: int
    replications: int
    prior: str
    root: int
    warnings: tuple[str, ...] = ()
    about: str = ""
    """The row in words, "" if no more is known than its label."""

    @property
    def number(self) -> int:
        """Number of the scenario whose mean over the draws is best."""
        sign = -1.0 if self.maximise else 1.0
        return min(range(len(self.names)), key=lambda k: sign * self.means[k])

    @property
    def best(self) -> str:
        """Name of the scenario whose mean over the draws is best; others may be as good, see `contenders`."""
        return self.names[self.number]

    @property
    def contenders(self) -> tuple[str, ...]:
        """Scenarios that may be the best."""
        ends = [-high if self.maximise else low for low, high in self.intervals]
        return tuple(name for name, end in zip(self.names, ends, strict=True) if end <= 0)

    @property
    def within_zone(self) -> tuple[str, ...]:
        """Scenarios that are the best or within the indifference zone of it, as far as can be told."""
        ends = [-low if self.maximise else high for low, high in self.intervals]
        return tuple(name for name, end in zip(self.names, ends, strict=True) if end <= self.delta)

    @property
    def zone(self) -> str:
        """The indifference zone with its unit."""
        return f"{self.delta:g} {self.label.unit}"

    @property
    def guarantee(self) -> str:
        """What may be relied on, in words."""
        said = (
            f"{VOID} Instead each is compared with the best of the others over {self.draws} draws ({self.prior} prior)"
        )
        sure = (
            f"the intervals hold together with {1 - self.alpha:.0%} if the true figures are like a draw of the ranges."
        )
        told = self.within_zone
        zone = f"Within {self.zone} of the best for certain: {', '.join(told) if told else 'none'}."
        return f"{said}; {sure} {zone}"

    def table(self) -> pd.DataFrame:
        """One line a scenario, the best mean first: mean, interval against the best of the others, share of draws."""
        import pandas as pd

        sign = -1.0 if self.maximise else 1.0
        order = sorted(range(len(self.names)), key=lambda k: sign * self.means[k])
        may = self.contenders
        return pd.DataFrame(
            {
                "scenario": [self.names[k] for k in order],
                "mean": [self.means[k] for k in order],
                "low": [self.intervals[k][0] for k in order],
                "high": [self.intervals[k][1] for k in order],
                "unit": self.label.unit,
                "best_in_draws": [self.share_best[k] for k in order],
                "may_be_best": [self.names[k] in may for k in order],
            }
        )

    def to_data(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return {
            "best": self.best,
            "row": str(self.label),
            "delta": self.delta,
            "unit": self.label.unit,
            "alpha": self.alpha,
            "maximise": self.maximise,
            "draws": self.draws,
            "replications": self.replications,
            "prior": self.prior,
            "guarantee": self.guarantee,
            "contenders": list(self.contenders),
            "within_zone": list(self.within_zone),
            "root_entropy": self.root,
            "warnings": list(self.warnings),
            "scenarios": self.table().to_dict("records"),
        }

    def describe(self, *, ids: bool = False) -> str:
        """The comparison in words and its table; the place by name, by id with `ids`."""
        which = "largest" if self.maximise else "smallest"
        row = self.label if ids or not self.about else self.about
        lines = [
            f"Best of {len(self.names)} by {row}, {which}, inputs drawn: {', '.join(self.contenders)}",
            *_folded(self.guarantee),
            f"  {self.draws} draws of {self.replications} replications, seed {self.root}.",
            "",
            f"  {'scenario':32s}{'mean':>14s}   against the best of the others   best in",
        ]
        for one in self.table().itertuples():
            between = f"{one.low:.6g} to {one.high:.6g}"
            lines.append(f"  {one.scenario:32s}{one.mean:14.6g}   {between:28s}{one.best_in_draws:10.0%} of draws")
        for text in self.warnings:
            lines += _folded(f"warning: {text}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<BestUnderInputs {', '.join(self.contenders)} of {len(self.names)} by {self.label.indicator}>"
