"""Answers with both uncertainties: the noise of sampling at the stated values, and what unknown inputs do.

An `Uncertainty` holds runs at the stated values (`runs`, with their intervals of sampling noise) and the
rows of many draws of the inputs (`DrawnRows`), the same draws in every scenario. The two intervals are
never added up: more replications narrow the first, only better figures the second.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import CorridorError, nearest
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.table import COLUMNS, Label
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import NOISE, Results
from corridor_sim.statistics.effects import first_order, width_left
from corridor_sim.statistics.history_matching import Judged
from corridor_sim.statistics.input_intervals import InputInterval, SignChance, input_interval, sign_chance
from corridor_sim.statistics.two_way import VarianceParts, crossed_variance

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.9
"""Share of the draws that an input interval is meant to hold."""
INPUTS = f"inputs_low, inputs_high: {100 * LEVEL:.0f} % of what the ranges of the inputs make of it"


@dataclass(frozen=True, slots=True)
class DrawnInput:
    """One input that is drawn: a figure with a range, or several that move together.

    Attributes
    ----------
    name
        Of the group, else the path of the figure.
    paths
        Paths of its figures in the scenario.
    stated, low, high
        Of the first figure; NaN for alternatives that are no numbers.
    sourced
        Whether the range has a source of its own, not only a reason why it is assumed.
    acts
        Whether it may act on the rows at all: moving it was not seen to leave the plan as it is.
    called
        What people call it, "" if no more is known than its name.
    """

    name: str
    paths: tuple[str, ...]
    stated: float
    low: float
    high: float
    sourced: bool
    acts: bool = True
    called: str = ""

    @property
    def words(self) -> str:
        """What people call it, else its name as words."""
        return self.called or self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of history matching: draws run, draws that no observation rules out, and the share of the ranges that
    it was drawn from, as emulators see it."""

    draws: int
    kept: int
    space: float = 1.0


@dataclass(frozen=True, eq=False)
class DrawnRows:
    """Rows of all scenarios in the draws of one prior.

    Attributes
    ----------
    prior
        ``"uniform"`` or ``"triangular"``.
    points : array, shape (draws, inputs)
        Where in its range each input is, from 0 to 1.
    scramble : array of int, shape (draws,)
    values : array, shape (rows, scenarios, draws, replications)
        NaN where a draw has no such value.
    """

    prior: str
    points: FloatArray
    scramble: NDArray[np.int64]
    values: FloatArray
    kept: NDArray[np.bool_] | None = None
    """Draws that the observations leave, shape (draws,); None without observations."""

    def only_kept(self) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
        """Points, scrambles and values of the draws that are left."""
        if self.kept is None:
            return self.points, self.scramble, self.values
        return self.points[self.kept], self.scramble[self.kept], self.values[:, :, self.kept]


class Ranges(Protocol):
    """Gives each figure its value at a point of its range."""

    def values(self, scenario: int, point: FloatArray, prior: str) -> dict[str, Any]:
        """By path."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What a comparison comes to, with both intervals; made by `corridor_sim.uncertainty`.

    Attributes
    ----------
    runs : tuple of Results
        At the stated values, the base first; alone if there is nothing to compare it with.
    labels : tuple of Label
        The rows that were kept of the draws.
    drawn : mapping of prior to DrawnRows
        The first prior is the one of `inputs_low` and `inputs_high`.
    inputs : tuple of DrawnInput
    corners : array, shape (rows, scenarios, corners)
        Rows where every input is at an end of its range: all low, all high, and against the main answers.
    judged : mapping of prior to Judged
        By the observations, if there are any.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> short = {"run.horizon_days": 5, "run.warm_up_days": 1, "flows.flour.per_day": 100.0}
    >>> pair = [cs.load_scenario(name, short) for name in ("teaching", "teaching_priority_lane")]
    >>> found = cs.uncertainty(*pair, draws=16, replications=1, rng=1, workers=1)
    >>> found.table("wait_h", kind="post").columns[:3].tolist()
    ['scenario', 'indicator', 'unit']
    """

    runs: tuple[Results, ...]
    labels: tuple[Label, ...]
    drawn: Mapping[str, DrawnRows]
    inputs: tuple[DrawnInput, ...]
    corners: FloatArray
    judged: Mapping[str, Judged] = field(default_factory=dict)
    waves: Mapping[str, tuple[Wave, ...]] = field(default_factory=dict)
    """By prior, where observations judge; `drawn` and `judged` are of the last wave."""
    part: tuple[str, ...] = ()
    """Places asked about, where the draws ran on the part of the corridor that these hang on."""
    space: Ranges | None = None
    """What gives the figures of a draw their values."""
    figures: Mapping[str, int] = field(default_factory=dict)
    """How many figures are ranged, and of these assumed, in all scenarios together."""
    wall_s: float = 0.0

    @property
    def plot(self) -> Pictures:
        """Every registered plot as a method; ``plot.tornado()`` is the one of inputs."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    @property
    def comparison(self) -> Comparison:
        """The comparison at the stated values.

        Raises
        ------
        CorridorError
            If there is one scenario only.
        """
        if len(self.runs) < 2:
            raise CorridorError("there is one scenario, so nothing is compared")
        return Comparison(self.runs)

    @property
    def names(self) -> tuple[str, ...]:
        """One name a run, the base first."""
        return self.comparison.names if len(self.runs) > 1 else (self.runs[0].name,)

    @property
    def main(self) -> DrawnRows:
        """The draws of the first prior."""
        return next(iter(self.drawn.values()))

    @property
    def draws(self) -> int:
        """Draws under each prior."""
        return len(self.main.points)

    @property
    def replications(self) -> int:
        """Replications of each draw."""
        return int(self.main.values.shape[3])

    @property
    def assumed_share(self) -> float:
        """Share of the ranged figures whose range is assumed; NaN if none is ranged."""
        ranged = self.figures.get("ranged", 0)
        return self.figures.get("assumed", 0) / ranged if ranged else math.nan

    def __repr__(self) -> str:
        return (
            f"<Uncertainty of {', '.join(self.names)}: {self.draws} draws of {len(self.inputs)} inputs "
            f"x {self.replications} replications, priors {', '.join(self.drawn)}>"
        )

    # ------------------------------------------------------------ one row

    def row(self, indicator: str, **where: Any) -> int:
        """Number of the row that matches, as `Table.row`; class, hour, day and part are empty unless named.

        Raises
        ------
        CorridorError
            If no row or more than one row of the draws matches.
        """
        wanted = {"cargo_class": "", "hour": None, "day": None, "of": ""} | where
        unknown = next((column for column in wanted if column not in COLUMNS), None)
        if unknown is not None:
            raise CorridorError(f"no column {unknown!r} in a table of indicators (known: {', '.join(COLUMNS)})")
        found = [
            k
            for k, label in enumerate(self.labels)
            if label.indicator == indicator and all(getattr(label, name) == value for name, value in wanted.items())
        ]
        if len(found) != 1:
            names = {label.indicator for label in self.labels}
            hint = "" if indicator in names else nearest(indicator, names)
            told = "; ".join(str(self.labels[k]) for k in found[:4]) or hint
            raise CorridorError(
                f"{len(found)} rows of the draws match {indicator} {where}" + (f": {told}" if told else "")
            )
        return found[0]

    def answers(self, row: int, other: int = 1, prior: str | None = None) -> FloatArray:
        """Answers of one row in the draws that are left, shape (draws, replications).

        The difference of scenario `other` from the base; `other` 0 is the base's own value.
        """
        _, _, values = self._of(prior).only_kept()
        return np.asarray(values[row, 0] if other == 0 else values[row, other] - values[row, 0])

    def _of(self, prior: str | None) -> DrawnRows:
        if prior is None:
            return self.main
        if prior not in self.drawn:
            raise CorridorError(f"no draws under the prior {prior!r}; there are {', '.join(self.drawn)}")
        return self.drawn[prior]

    def stated(self, row: int, other: int = 1) -> float:
        """The answer of one row at the stated values, mean over the replications; NaN if it is not there."""
        label = self.labels[row]

        def mean(results: Results) -> FloatArray | None:
            found = results.rows.select(label.indicator)
            at = {one: k for k, one in enumerate(found.labels)}
            return found.values[at[label]] if label in at else None

        mine = mean(self.runs[0])
        theirs = mine if other == 0 else mean(self.runs[other])
        if mine is None or theirs is None:
            return math.nan
        values: FloatArray = mine if other == 0 else theirs - mine
        there = values[~np.isnan(values)]
        return float(there.mean()) if len(there) else math.nan

    def sampling(self, row: int, other: int = 1) -> tuple[float, float]:
        """Interval of sampling noise of one answer at the stated values, 95 %; NaN where there is none."""
        label = self.labels[row]
        named = [name for name in COLUMNS if name not in (*_TIME, "indicator", "unit")]
        where: dict[str, Any] = {name: getattr(label, name) for name in named}
        if other == 0:
            frame = self.runs[0].summary(label.indicator, **where)
        else:
            frame = self.comparison.table(label.indicator, **where)
            frame = frame[frame["scenario"] == self.names[other]]
        return (float(frame["low"].iloc[0]), float(frame["high"].iloc[0])) if len(frame) else (math.nan, math.nan)

    def is_clear(self, row: int, other: int = 1) -> bool:
        """Whether one answer is more than noise of sampling: its interval at the stated values excludes 0."""
        low, high = self.sampling(row, other)
        return low > 0 or high < 0

    def interval(self, row: int, other: int = 1, prior: str | None = None, level: float = LEVEL) -> InputInterval:
        """Interval of one answer over the draws."""
        _, scramble, _ = self._of(prior).only_kept()
        return input_interval(self.answers(row, other, prior), scramble, level)

    def sign(self, row: int, other: int = 1, prior: str | None = None) -> SignChance:
        """The chance that one answer has the sign that it has at the stated values."""
        _, scramble, _ = self._of(prior).only_kept()
        at = self.corners[row]
        corners = at[0] if other == 0 else at[other] - at[0]
        return sign_chance(self.stated(row, other), self.answers(row, other, prior).mean(axis=1), corners, scramble)

    def variance(self, row: int, other: int = 1, prior: str | None = None) -> VarianceParts | None:
        """The variance of one answer by where it comes from; None where a value is missing, or with one draw."""
        values = self.answers(row, other, prior)
        if len(values) < 2 or np.isnan(values).any():
            return None
        return crossed_variance(values)

    def effects(self, row: int, other: int = 1, prior: str | None = None) -> pd.DataFrame:
        """What one answer hangs on, the largest effect first, of the inputs that may act on it.

        Columns ``input``, ``stated``, ``low``, ``high``, ``sourced`` (of the input), ``share`` (of the answer's
        variance, alone), ``direction`` (rank correlation), ``width_left`` (of the interval, if the input were known
        exactly), ``narrows`` (by which share of the width), ``by_chance`` (whether inputs without effect show as
        much). ``attrs["by_chance"]`` is the share that chance gives.
        """
        points, _, _ = self._of(prior).only_kept()
        answers = self.answers(row, other, prior).mean(axis=1)
        there = ~np.isnan(answers)
        if int(there.sum()) < 8:
            raise CorridorError(f"effects need at least 8 draws with an answer, got {int(there.sum())}")
        inputs = [k for k, one in enumerate(self.inputs) if one.acts]
        return effects_frame([self.inputs[k] for k in inputs], points[there][:, inputs], answers[there])

    def values_at(self, scenario: int, point: FloatArray, prior: str | None = None) -> dict[str, Any]:
        """Values of the ranged figures of one scenario at a point of the ranges, by path.

        Raises
        ------
        CorridorError
            If it was not made by `corridor_sim.uncertainty`.
        """
        if self.space is None:
            raise CorridorError("this Uncertainty does not know its ranges; make it with corridor_sim.uncertainty")
        return self.space.values(scenario, point, prior or self.main.prior)

    # ------------------------------------------------------------ all rows

    def table(self, indicators: str | Iterable[str] | None = None, **where: Any) -> pd.DataFrame:
        """The table of the comparison with what the inputs do to each row; of one scenario that of its values.

        Returns
        -------
        DataFrame
            Columns of `Comparison.table` (``low`` and ``high`` are sampling noise at the stated values), and
            ``inputs_low``, ``inputs_high``: interval over the draws; ``inputs_error``: standard error of its width;
            ``sign_holds``: whether all draws of all priors and all corners tried have the sign;
            ``sign_<prior>``: share of the draws that have it; ``inputs_low_<prior>``, ``inputs_high_<prior>`` of
            the other priors; ``input_share``: share of the inputs in the variance of one replication, missing with
            one replication a draw. Of one scenario alone columns of `Results.summary`, and no signs.
        """
        import pandas as pd

        alone = len(self.runs) == 1
        if alone:
            listed = list(dict.fromkeys(label.indicator for label in self.labels)) if indicators is None else indicators
            frame = self.runs[0].summary(listed, **where)
        else:
            frame = self.comparison.table(indicators, **where)
        at = {_key(label): k for k, label in enumerate(self.labels)}
        numbers = {name: number for number, name in enumerate(self.names)}
        added = []
        for line in frame.to_dict("records"):
            row = at.get(tuple(line[column] for column in COLUMNS if column in line and column not in _TIME))
            added.append(self._line(row, 0 if alone else numbers[line["scenario"]]))
        columns = [name for name in self._columns() if not (alone and name.startswith("sign_"))]
        told = pd.DataFrame(added, columns=columns, index=frame.index)
        result = pd.concat([frame, told], axis=1)
        result.attrs["interval"] = f"{frame.attrs.get('interval', NOISE)}; {INPUTS}"
        return result

    def _columns(self) -> list[str]:
        others = [prior for prior in self.drawn if prior != self.main.prior]
        return [
            "inputs_low",
            "inputs_high",
            "inputs_error",
            "sign_holds",
            *(f"sign_{prior}" for prior in self.drawn),
            *(name for prior in others for name in (f"inputs_low_{prior}", f"inputs_high_{prior}")),
            "input_share",
        ]

    def _line(self, row: int | None, other: int) -> dict[str, Any]:
        if row is None:
            return dict.fromkeys(self._columns())
        line: dict[str, Any] = {}
        signs = {prior: self.sign(row, other, prior) for prior in self.drawn}
        for prior in self.drawn:
            found = self.interval(row, other, prior)
            if prior == self.main.prior:
                line |= {"inputs_low": found.low, "inputs_high": found.high, "inputs_error": found.width_error}
            else:
                line |= {f"inputs_low_{prior}": found.low, f"inputs_high_{prior}": found.high}
            line[f"sign_{prior}"] = signs[prior].chance
        known = all(sign.draws and not math.isnan(sign.chance) for sign in signs.values())
        line["sign_holds"] = all(sign.holds for sign in signs.values()) if known else None
        parts = self.variance(row, other)
        line["input_share"] = parts.input_share if parts is not None and self.replications > 1 else math.nan
        return line

    def _repr_html_(self) -> str:
        return str(bound("first_screen")(self))

    def about(self) -> dict[str, Any]:
        """What the draws are, as JSON holds it."""
        return {
            "draws": self.draws,
            "replications": self.replications,
            "scrambles": len(np.unique(self.main.scramble)),
            "priors": list(self.drawn),
            "level": LEVEL,
            "corners": int(self.corners.shape[2]),
            "inputs": len(self.inputs),
            "inputs_that_act": sum(one.acts for one in self.inputs),
            "figures_ranged": self.figures.get("ranged", 0),
            "figures_assumed": self.figures.get("assumed", 0),
            "part": list(self.part),
            "waves": {
                prior: [{"draws": one.draws, "kept": one.kept, "space": round(one.space, 4)} for one in waves]
                for prior, waves in self.waves.items()
            },
            "kept": {prior: judged.effective for prior, judged in self.judged.items()},
            "interaction": "told apart" if self.replications > 1 else "stands in the inputs' part",
            "wall_s": round(self.wall_s, 3),
        }

    def describe(self, width: int = 80, *, ids: bool = False) -> str:
        """The answer in words, with both intervals, at most `width` columns wide; places by name, by id with `ids`."""
        return str(bound("describe_uncertainty")(self, width, ids=ids))

    def to_html(self, path: str | os.PathLike[str] | None = None, **options: Any) -> str:
        """One HTML page that needs nothing else; written to `path` if given."""
        return str(bound("to_html")(self, path, **options))


def effects_frame(inputs: Sequence[DrawnInput], points: FloatArray, answers: FloatArray) -> pd.DataFrame:
    """What answers hang on, shape (draws,), by where each input is, (draws, inputs); see `Uncertainty.effects`."""
    import pandas as pd

    found = first_order(points, answers)
    width = input_interval(answers).width
    left = width_left(points, answers)
    frame = pd.DataFrame(
        {
            "input": [one.name for one in inputs],
            "stated": [one.stated for one in inputs],
            "low": [one.low for one in inputs],
            "high": [one.high for one in inputs],
            "sourced": [one.sourced for one in inputs],
            "share": found.share,
            "direction": found.direction,
            "width_left": left,
            "narrows": (width - left) / width if width > 0 else 0.0,
            "by_chance": found.share <= found.by_chance,
            "called": [one.words for one in inputs],
        }
    )
    frame.attrs |= {"by_chance": found.by_chance, "width": width}
    return frame.sort_values("share", ascending=False, kind="stable", ignore_index=True)


_TIME = ("hour", "day")


def _key(label: Label) -> tuple[Any, ...]:
    return tuple(getattr(label, column) for column in COLUMNS if column not in _TIME)


def rows_wanted(labels: Sequence[Label], indicators: Iterable[str] | None, main: Sequence[str]) -> list[int]:
    """Rows that are kept of every draw: those asked for, else the main ones for all classes together, never by time."""
    names = set(main if indicators is None else indicators)
    return [
        k
        for k, label in enumerate(labels)
        if label.indicator in names
        and label.hour is None
        and label.day is None
        and (indicators is not None or (not label.cargo_class and not label.of))
    ]
