"""What differs between scenarios: in their inputs, in words; in their indicators, with paired intervals.

Scenarios that share root entropy, horizon and replications share every draw they
have in common, so replication is compared with replication. A difference whose
interval contains 0 is called not distinguishable. Intervals are simultaneous over
the scenarios compared with the base (Bonferroni), p-values adjusted by Holm.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import GRID_PER_H, H_PER_YEAR, FloatArray
from corridor_sim.indicators.places import Options
from corridor_sim.indicators.table import COLUMNS, Label, Table
from corridor_sim.model.flows import CHOSEN
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.plan import Plan
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.results.called import Called
from corridor_sim.results.exchanged import Exchanged
from corridor_sim.results.input_differences import inputs_diff
from corridor_sim.results.input_words import inputs_told
from corridor_sim.results.pooled_differences import pooled_differences
from corridor_sim.results.reliability import UNRELIABLE, unreliable_difference
from corridor_sim.results.results import NOISE, OVERLOAD, TIMES, Results
from corridor_sim.results.worth import Worth, worth_of
from corridor_sim.statistics.intervals import require_confidence, t_half_width, t_p_values
from corridor_sim.statistics.skewness import arms, lean_p_values, leaning

if TYPE_CHECKING:
    import pandas as pd

SAME, EQUAL, MORE, LESS, UNKNOWN = "not distinguishable", "no difference", "more", "less", "interval not available"
MAIN = (
    "wait_h",
    "stay_h",
    "tfi1",
    "door_to_door_h",
    "throughput_per_day",
    "queue_mean",
    "saturation",
    "delay_truck_h",
    "delivered_t",
)
"""Indicators of the table unless others are asked for."""


@dataclass(frozen=True, eq=False)
class Comparison(Exchanged):
    """Runs of several scenarios, each compared with the first.

    Attributes
    ----------
    runs : tuple of Results
        The base first.
    confidence : float
        Of the intervals of one row over all scenarios together.
    paired : bool
        False for runs on different random numbers: then intervals are Welch's, and wider.

    Raises
    ------
    CorridorError
        If runs that are to be paired differ in root entropy, random-number scheme, horizon,
        counted window or replications.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> comparison = cs.compare("teaching", "teaching_priority_lane", replications=5, rng=1, workers=1)
    >>> comparison.names
    ('teaching', 'teaching_priority_lane')
    """

    runs: tuple[Results, ...]
    confidence: float = 0.95
    paired: bool = True

    def __post_init__(self) -> None:
        if len(self.runs) < 2:
            raise CorridorError("a comparison needs at least two runs")
        require_confidence(self.confidence)
        refuse([problem for other in self.runs[1:] for problem in unpaired(self.runs[0], other, self.paired)])

    @property
    def plot(self) -> Pictures:
        """Every registered plot as a method; matplotlib is imported only now."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    @property
    def base(self) -> Results:
        """The run that the others are compared with."""
        return self.runs[0]

    @property
    def names(self) -> tuple[str, ...]:
        """One name a run, made different where scenarios share a name."""
        names: list[str] = []
        for run in self.runs:
            name, count = run.name, 1
            while name in names:
                count += 1
                name = f"{run.name} ({count})"
            names.append(name)
        return tuple(names)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.names)}: {self.base.replications} replications>"

    def stream_frame(self) -> pd.DataFrame:
        """All differences from the base with their intervals, for the Arrow stream."""
        return self.table("all")

    def about(self) -> dict[str, Any]:
        """What was run, scenario by scenario."""
        return {"runs": [{**run.about(), "scenario": name} for name, run in zip(self.names, self.runs, strict=True)]}

    def _repr_html_(self) -> str:
        return str(bound("first_screen")(self))

    def inputs_diff(self, *, ids: bool = False) -> dict[str, list[str]]:
        """What each scenario changes against the base, each value before and after; `ids`: a line a path, by id."""
        base, told = self.base.scenario, inputs_diff if ids else inputs_told
        return {name: told(base, run.scenario) for name, run in zip(self.names[1:], self.runs[1:], strict=True)}

    def differences(self, other: int, table: Table | None = None) -> tuple[Table, Table]:
        """Rows that both the base and run number `other` have: (base, other), in the order of the base."""
        first = table if table is not None else self.base.rows
        second = self.runs[other].rows
        at = {label: k for k, label in enumerate(second.labels)}
        kept = [(k, at[label]) for k, label in enumerate(first.labels) if label in at]
        rows, others = [k for k, _ in kept], [k for _, k in kept]
        labels = tuple(first.labels[k] for k in rows)
        return (
            Table(labels, first.values[rows], first.replications),
            Table(labels, second.values[others], second.replications),
        )

    def table(
        self,
        indicators: str | Iterable[str] | None = None,
        *,
        by_time: bool = False,
        delta: float | Mapping[str, float] | None = None,
        **where: Any,
    ) -> pd.DataFrame:
        """Differences from the base with simultaneous intervals.

        Parameters
        ----------
        indicators : str or iterable of str, optional
            Which; by default the main ones, for all classes together. ``"all"`` is every one.
        by_time : bool
            Also the rows by hour and day.
        delta : float or mapping of indicator to float, optional
            Smallest difference that matters; adds the column ``matters`` ("yes" where the
            whole interval is beyond it, "no" where none of it is, else "open").
        **where
            Columns to match, as in `Table.select`.

        Returns
        -------
        DataFrame
            Labels, ``scenario``, ``base`` and ``other`` (means), ``difference`` (other less base), ``low``,
            ``high``, ``n``, ``p_holm``, ``correlation`` and ``variance_ratio`` achieved by the common random
            numbers, ``verdict`` and ``note``. Rows ``..._pooled`` are of percentiles of all consignments
            (`results/pooled_differences.py`); they are there where asked for by name or by ``"all"``.
        """
        import pandas as pd

        if indicators is not None and indicators != "all":
            indicators = self.base.rows.named(indicators)
        base = self._selected(indicators, by_time, where)
        parts = []
        statistics = [self._statistics(other, base, indicators or (), where) for other in range(1, len(self.runs))]
        adjusted = self._holm([(labels, found["p"]) for labels, found, _ in statistics])
        for number, ((labels, found, doubtful), p_holm) in enumerate(zip(statistics, adjusted, strict=True), start=1):
            frame = pd.DataFrame({column: [getattr(label, column) for label in labels] for column in COLUMNS})
            frame["hour"], frame["day"] = frame["hour"].astype("Int64"), frame["day"].astype("Int64")
            if not by_time:
                frame = frame.drop(columns=["hour", "day"])
            frame.insert(0, "scenario", self.names[number])
            for column in ("base", "other", "difference", "low", "high", "n"):
                frame[column] = found[column]
            frame["p_holm"] = p_holm
            frame["correlation"], frame["variance_ratio"] = found["correlation"], found["variance_ratio"]
            frame["verdict"] = [_verdict(*row) for row in zip(*(found[c] for c in _OF_VERDICT), strict=True)]
            if delta is not None:
                frame["matters"] = [
                    _matters(low, high, delta.get(label.indicator) if isinstance(delta, Mapping) else delta)
                    for label, low, high in zip(labels, found["low"], found["high"], strict=True)
                ]
            flagged = self.base.flagged() | self.runs[number].flagged()
            frame["note"] = [
                OVERLOAD
                if label.indicator.replace("_pooled", "") in TIMES
                and (label.kind, label.place, label.direction) in flagged
                else UNRELIABLE
                if not_reliable
                else ""
                for label, not_reliable in zip(labels, doubtful, strict=True)
            ]
            parts.append(frame)
        result = pd.concat(parts, ignore_index=True)
        result.attrs["interval"] = NOISE if self.paired else f"{NOISE}; runs on different random numbers"
        return result

    def _selected(self, indicators: str | Iterable[str] | None, by_time: bool, where: Mapping[str, Any]) -> Table:
        table = self.base.rows
        if indicators is None:
            main = [name for name in MAIN if name in table.indicators]
            table = table.select(main or None, **({"cargo_class": "", "of": ""} | dict(where)))
        else:
            table = table.select(None if indicators == "all" else indicators, **where)
        if by_time:
            return table
        rows = [k for k, label in enumerate(table.labels) if label.hour is None and label.day is None]
        return Table(tuple(table.labels[k] for k in rows), table.values[rows], table.replications)

    def _statistics(
        self, other: int, base: Table, indicators: str | Iterable[str], where: Mapping[str, Any]
    ) -> tuple[tuple[Label, ...], dict[str, FloatArray], list[bool]]:
        """Labels, what is known of each difference, whether its interval is not to be relied on; pooled rows last."""
        first, second = self.differences(other, base)
        # All intervals of one row hold together over the scenarios.
        level = 1.0 - (1.0 - self.confidence) / (len(self.runs) - 1)
        step = resolution(first.labels, first.values, second.values)
        if self.paired:
            found = paired_statistics(first.values, second.values, level, step)
        else:
            found = welch_statistics(first.values, second.values, level, step)
        doubtful = [
            not (self.paired and np.array_equal(mine, theirs, equal_nan=True))
            and unreliable_difference(label, mine, theirs, self.paired)
            for label, mine, theirs in zip(first.labels, first.values, second.values, strict=True)
        ]
        labels, pooled, few = pooled_differences(
            self.base.rows, self.runs[other].rows, indicators, where, level, self.paired
        )
        joined = {name: np.concatenate([found[name], pooled[name]]) for name in found}
        return (*first.labels, *labels), joined, doubtful + few

    @staticmethod
    def _holm(found: list[tuple[tuple[Label, ...], FloatArray]]) -> list[FloatArray]:
        """Holm-adjusted p-values of each row over the scenarios that have it."""
        from corridor_sim.statistics import holm

        if len(found) == 1:
            return [found[0][1]]
        where: dict[Label, list[tuple[int, int]]] = {}
        for scenario, (labels, _) in enumerate(found):
            for row, label in enumerate(labels):
                where.setdefault(label, []).append((scenario, row))
        adjusted = [np.full(len(p), np.nan) for _, p in found]
        for places in where.values():
            raw = np.array([found[scenario][1][row] for scenario, row in places])
            there = ~np.isnan(raw)
            if there.any():
                raw[there] = holm(raw[there])
            for (scenario, row), p in zip(places, raw, strict=True):
                adjusted[scenario][row] = p
        return adjusted

    def saved_truck_h_per_year(self, other: int = 1) -> FloatArray:
        """Truck-hours of delay that a scenario saves against the base, a year, each replication. [h/year]

        The counted window stands for the year: a window that is not a typical year (a winter,
        a week of strike) must be weighted before.
        """
        first, second = (run.rows.row("delay_truck_h", kind="corridor", cargo_class="") for run in self._two(other))
        return (first - second) * (H_PER_YEAR / self.base.scope.window_h)

    def worth(
        self,
        other: int = 1,
        *,
        discount_rate: float,
        capex_usd: float,
        opex_usd_year: float = 0.0,
        life_years: int,
        benefit_growth: float = 0.0,
    ) -> Worth:
        """Net present value, benefit-cost ratio and delay saved per US$, paired replication by replication.

        Benefits are the value of the truck-hours of delay saved (``delay_value_usd``), a year.

        Parameters
        ----------
        discount_rate : float
            Real rate a year, e.g. 0.06; there is no default.
        capex_usd, opex_usd_year, life_years
            Paid at the beginning; at the end of every year; number of years.
        benefit_growth : float
            Growth of the benefits a year after the first; 0 is constant traffic.

        Raises
        ------
        CorridorError
            If the base is overloaded and no flow of it can choose another crossing: waits then measure the
            length of the run (rule D38). `saved_truck_h_per_year` is told all the same.
        """
        if reason := without_behaviour(self.base):
            raise CorridorError(f"no net present value: {reason}")
        first, second = (run.rows.row("delay_value_usd", kind="corridor") for run in self._two(other))
        per_year = H_PER_YEAR / self.base.scope.window_h
        found = worth_of(
            (first - second) * per_year,
            self.saved_truck_h_per_year(other),
            discount_rate=discount_rate,
            capex_usd=capex_usd,
            opex_usd_year=opex_usd_year,
            life_years=life_years,
            benefit_growth=benefit_growth,
            confidence=self.confidence,
        )
        pair = Comparison((self.base, self.runs[other]), self.confidence, self.paired)
        return replace(found, drawn_from=str(bound("source_line")(pair)))

    def _two(self, other: int) -> tuple[Results, Results]:
        if not 1 <= other < len(self.runs):
            raise CorridorError(
                f"there is no scenario number {other} to compare with the base (1-{len(self.runs) - 1})"
            )
        return self.base, self.runs[other]

    def describe(self, width: int = 80, *, ids: bool = False) -> str:
        """The comparison in words: inputs, then the main differences, at most `width` wide; ids with `ids`."""
        return str(bound("describe_comparison")(self, width, ids=ids))

    def to_html(self, path: str | os.PathLike[str] | None = None, **options: Any) -> str:
        """One HTML page that needs nothing else; written to `path` if given."""
        return str(bound("to_html")(self, path, **options))


def without_behaviour(base: Results) -> str:
    """Why waits of a base are no ground for money: an overload that nobody can leave; empty if there is none."""
    over = base.overloaded()
    if not over or not nobody_can_choose(base):
        return ""
    return (
        f"{', '.join(map(Called(base).element, sorted(over)))} overloaded in the base, "
        "where nobody can choose another crossing, so waits measure the length of the run; let demand answer "
        "(--scale-usd with --elasticity, its source and --reference-year; cs.appraise_with_behaviour), "
        "let flows choose where they have several crossings (--scale-usd), or compare "
        "with a base that demand fits"
    )


def nobody_can_choose(base: Results) -> bool:
    """Whether no flow of a run leaves a queue, or takes another crossing, for what it waits."""
    flows = base.scenario.flows.values() if isinstance(base.scenario, Scenario) else ()
    return not any(flow.balk is not None or CHOSEN in flow.crossing_shares for flow in flows)


_OF_VERDICT = ("difference", "low", "high", "n", "same")


def refuse(problems: Sequence[str]) -> None:
    """Raise CorridorError if there are reasons against a comparison."""
    if problems:
        raise CorridorError("these runs cannot be compared as pairs:\n" + "\n".join(f"  - {p}" for p in problems))


Asked = tuple[str, Plan, Options]
"""What a run asks: its name, plan and options of the indicators."""


def other_question(base: Asked, other: Asked) -> list[str]:
    """In which windows or options two runs differ, in words; empty if they answer the same question."""
    mine, theirs = base[1], other[1]
    pairs = [
        ("horizon [h]", mine.horizon_h, theirs.horizon_h),
        ("warm-up [h]", mine.warm_up_h, theirs.warm_up_h),
        ("counted until [h]", mine.counted_until_h, theirs.counted_until_h),
    ]
    pairs += [
        (f"option {option.name} of the indicators", getattr(base[2], option.name), getattr(other[2], option.name))
        for option in fields(Options)
    ]
    return [_differ(what, here, base[0], there, other[0]) for what, here, there in pairs if here != there]


def _differ(what: str, here: Any, base: str, there: Any, other: str) -> str:
    return f"{what}: {here} in {base!r}, {there} in {other!r}"


def unpaired(base: Results, other: Results, paired: bool = True) -> list[str]:
    """Why two runs cannot be compared (as pairs), in words; empty if they can."""
    found = other_question(*((run.name, run.plan, run.options) for run in (base, other)))
    if not paired:
        return found
    scheme = "stream_scheme"
    pairs = [
        ("root entropy", base.root, other.root),
        ("scheme of the random streams", base.versions.get(scheme), other.versions.get(scheme)),
    ]
    found += [_differ(what, here, base.name, there, other.name) for what, here, there in pairs if here != there]
    mine, theirs = base.rows.replications, other.rows.replications
    if not np.array_equal(mine, theirs):
        found.append(f"replications: {len(mine)} in {base.name!r}, {len(theirs)} in {other.name!r}, or other ones")
    return found


def resolution(labels: Sequence[Label], base: FloatArray, other: FloatArray) -> FloatArray:
    """Smallest step of each row, shape (row,): 1 for counts, else that of the clock grid in the row's own unit."""
    whole = np.array([label.unit == "1" for label in labels], dtype=np.bool_)
    for values in (base, other):
        whole &= (np.isnan(values) | (values == np.rint(values))).all(axis=1)
    return np.where(whole, 1.0, 1.0 / GRID_PER_H)


def paired_statistics(
    base: FloatArray, other: FloatArray, confidence: float, step: FloatArray | float = 1.0 / GRID_PER_H
) -> dict[str, FloatArray]:
    """Means, difference, interval, p-value, correlation and variance ratio of each row.

    Parameters
    ----------
    base, other : arrays, shape (row, replication)
        NaN where a replication has no value; a pair counts where both have one.
    step : array of shape (row,) or float
        Resolution of the values (`resolution`). Where pairs differ, either arm of the interval is at least this
        over n: equal differences in few replications do not make an interval of no width.

    Returns
    -------
    dict of arrays, shape (row,)
        ``same`` is 1 where all pairs are equal to the bit. Source: [law2015] sec. 10.2.1; from ten pairs on
        the interval follows the skewness of the differences (`statistics/skewness.py`).
    """
    there = ~np.isnan(base) & ~np.isnan(other)
    n = there.sum(axis=1)
    difference = np.where(there, other - base, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = difference.sum(axis=1) / n
        first = np.where(there, base, 0.0).sum(axis=1) / n
        second = np.where(there, other, 0.0).sum(axis=1) / n
        residual = np.where(there, other - base - mean[:, None], 0.0)
        error = np.sqrt((residual**2).sum(axis=1) / (n - 1) / n)
        lean = leaning(np.where(there, other - base, np.nan).T)
        below, above = arms(error, n, lean, confidence)
        p = lean_p_values(mean / error, np.maximum(n, 2), lean)
        a = np.where(there, base - first[:, None], 0.0)
        b = np.where(there, other - second[:, None], 0.0)
        spread_a, spread_b = (a**2).sum(axis=1), (b**2).sum(axis=1)
        correlation = (a * b).sum(axis=1) / np.sqrt(spread_a * spread_b)
        saved = (spread_a + spread_b) / (residual**2).sum(axis=1)
    same = (np.where(there, other == base, True)).all(axis=1) & (n > 0)
    enough = n > 1
    least = np.where(same | ~enough, 0.0, step / np.maximum(n, 1))
    p = np.where(same, 1.0, p)
    return {
        "base": first,
        "other": second,
        "difference": mean,
        "low": np.where(enough, mean - np.maximum(below, least), np.nan),
        "high": np.where(enough, mean + np.maximum(above, least), np.nan),
        "n": n,
        "p": np.where(enough, p, np.nan),
        "correlation": np.where(enough, correlation, np.nan),
        "variance_ratio": np.where(enough, saved, np.nan),
        "same": same.astype(np.float64),
    }


def welch_statistics(
    base: FloatArray, other: FloatArray, confidence: float, step: FloatArray | float = 1.0 / GRID_PER_H
) -> dict[str, FloatArray]:
    """As `paired_statistics`, for runs on different random numbers [welch1938].

    ``same`` is 1 where all values of both runs are one value, so that any pairing has equal pairs.
    Elsewhere the half-width is at least `step` over the smaller number of values: two runs without any
    spread, but of different values, are not known better than that. Their degrees of freedom are those of
    the smaller number of values, for Welch's are not defined there.
    """

    def moments(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        there = ~np.isnan(values)
        n = there.sum(axis=1).astype(np.float64)
        mean = np.where(there, values, 0.0).sum(axis=1) / n
        return n, mean, np.where(there, values - mean[:, None], 0.0).__pow__(2).sum(axis=1) / (n - 1) / n

    with np.errstate(invalid="ignore", divide="ignore"):
        n1, first, error1 = moments(base)
        n2, second, error2 = moments(other)
        mean, error = second - first, np.sqrt(error1 + error2)
        df = (error1 + error2) ** 2 / (error1**2 / (n1 - 1) + error2**2 / (n2 - 1))
        fewer = np.minimum(n1, n2)
        df = np.where(error == 0, fewer - 1, df)
        same = (error == 0) & (mean == 0)
        half = t_half_width(error, df, confidence)
        half = np.where(same, half, np.maximum(half, step / fewer))
        p = np.where(same, 1.0, t_p_values(mean / error, df))
    none = np.full(len(mean), np.nan)
    return {
        "base": first,
        "other": second,
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "n": fewer,
        "p": p,
        "correlation": none,
        "variance_ratio": none,
        "same": same.astype(np.float64),
    }


def _verdict(difference: float, low: float, high: float, n: float, same: float) -> str:
    if n == 0:
        return "nobody"
    if same:
        return EQUAL
    if n < 2 or np.isnan(low):
        return UNKNOWN
    if low <= 0 <= high:
        return SAME
    return MORE if difference > 0 else LESS


def _matters(low: float, high: float, delta: float | None) -> str:
    if delta is None or np.isnan(low):
        return ""
    if low > delta or high < -delta:
        return "yes"
    return "no" if -delta <= low and high <= delta else "open"
