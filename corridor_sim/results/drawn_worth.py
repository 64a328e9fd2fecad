"""What an appraisal comes to in draws of the inputs: costs, lives, values of time, demand and posts drawn together.

Each draw has its own benefits (its runs), its own costs and, where a range is given, its own discount rate and growth.
The interval is that of the inputs; sampling noise is told apart (rule D33).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.units import H_PER_YEAR, FloatArray
from corridor_sim.results.comparison import nobody_can_choose
from corridor_sim.results.overload import EVEN
from corridor_sim.results.savings import INDICATORS, Rows, saved_usd
from corridor_sim.results.uncertain import LEVEL, DrawnInput, Uncertainty, effects_frame
from corridor_sim.results.year_tables import YearsLayout, by_calendar, costs_of, measures_of, scenario_of
from corridor_sim.statistics.economics import internal_rate_of_return
from corridor_sim.statistics.effects import value_of_information, worth_by_chance
from corridor_sim.statistics.input_intervals import InputInterval, input_interval

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.improvements import Improvement

APPRAISAL_ROWS = (*INDICATORS, "saturation", "delay_truck_h")
"""Rows that draws must keep for an appraisal: ``cs.uncertainty(..., indicators=cs.APPRAISAL_ROWS)``."""
MONEY = ("capex_usd", "opex_usd_year", "life_years")
"""Fields of an improvement that its cost hangs on."""
TOUCHED = 0.01
"""Change of the delay at a stage, as a share of it, from which measures are taken to touch it."""
FEWEST = 8
"""Draws below which what an answer hangs on is not told."""
MANY = 128
"""Draws from which on four powers of an input are told from noise."""


@dataclass(frozen=True, eq=False)
class DrawnWorth:
    """Net present value, benefit-cost ratio and rate of return in the draws of one prior.

    Attributes
    ----------
    npv_usd, benefit_cost_ratio, eirr : arrays, shape (draw,)
        Of the draws that tell something, mean over the replications of each; a ratio or rate is NaN where there is
        none. [US$], [-], [1/year]
    scramble : array of int, shape (draw,)
    points : array, shape (draw, input)
        Where in its range each input is, from 0 to 1.
    inputs : tuple of DrawnInput
        Those that may act on the answer, costs, discount rate and growth among them.
    overloaded : int
        Further draws whose base is overloaded at a stage that the measures touch, where nobody can choose: they have
        no net present value. They are the draws with most traffic, so what is left tells too little of the gain.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> short = {"run.horizon_days": 5, "run.warm_up_days": 1, "flows.flour.per_day": 100.0}
    >>> base = cs.load_scenario("teaching", short).without_improvements()
    >>> lane = cs.AddLanes(at="checkpoints.northgate_b.entry.xray", lanes=1, capex_usd=1e6, life_years=15)
    >>> other = base.with_improvements(lane).replace(name="a scanner")
    >>> rows = cs.APPRAISAL_ROWS
    >>> sure = cs.uncertainty(base, other, draws=64, replications=1, indicators=rows, rng=1, workers=1)
    >>> low, high = cs.appraise(sure, discount_rate=0.06, years=15).inputs.probability_positive
    >>> 0 <= low <= high <= 1
    True
    """

    prior: str
    npv_usd: FloatArray
    benefit_cost_ratio: FloatArray
    eirr: FloatArray
    scramble: NDArray[np.int64]
    points: FloatArray
    inputs: tuple[DrawnInput, ...]
    overloaded: int = 0

    def interval(self, what: str = "npv_usd") -> InputInterval:
        """Interval of the inputs of ``"npv_usd"``, ``"benefit_cost_ratio"`` or ``"eirr"``, over draws that have one."""
        return input_interval(getattr(self, what), self.scramble, LEVEL)

    @property
    def probability_positive(self) -> tuple[float, float]:
        """Share of all draws whose net present value is above 0: at least, and at most if all untold ones are."""
        above, draws = int((self.npv_usd > 0).sum()), len(self.npv_usd) + self.overloaded
        return above / draws, (above + self.overloaded) / draws

    @property
    def several(self) -> bool:
        """Whether the draws are enough to tell what the answer hangs on."""
        return len(self.npv_usd) >= FEWEST

    @property
    def without_rate(self) -> int:
        """Draws whose flows have no rate of return, or more than one."""
        return int(np.isnan(self.eirr).sum())

    def effects(self) -> pd.DataFrame:
        """What the net present value hangs on, the largest effect first; columns as in `Uncertainty.effects`."""
        if not self.several:
            raise CorridorError(f"effects need at least {FEWEST} draws with an answer, got {len(self.npv_usd)}")
        return effects_frame(self.inputs, self.points, self.npv_usd)

    def information(self) -> pd.DataFrame:
        """What knowing an input exactly is worth before it is decided whether to build, the largest first.

        The expected value of partial perfect information [strong2014] of the choice between the measures and nothing,
        over the draws that have a net present value. Few draws find some worth in any input: `by_chance` marks
        what one of as many inputs without any effect shows as well. ``attrs["all_usd"]`` is the worth of knowing
        everything; 0 where one choice is right in every draw.

        Returns
        -------
        pandas.DataFrame
            Columns `input`, `worth_usd` [US$], `by_chance`.

        Raises
        ------
        CorridorError
            With fewer than 8 draws.
        """
        import pandas as pd

        if not self.several:
            raise CorridorError(f"what knowledge is worth needs at least {FEWEST} draws, got {len(self.npv_usd)}")
        degree = 2 if len(self.npv_usd) < MANY else 4
        payoffs = np.column_stack([np.zeros_like(self.npv_usd), self.npv_usd])
        found = value_of_information(self.points, payoffs, degree)
        bound = worth_by_chance(self.points, payoffs, degree)
        worth = np.array([one.value for one in found])
        frame = pd.DataFrame(
            {"input": [one.name for one in self.inputs], "worth_usd": worth, "by_chance": worth <= bound}
        )
        frame.attrs["all_usd"] = found[0].perfect if found else 0.0
        return frame.sort_values("worth_usd", ascending=False, kind="stable", ignore_index=True)

    def to_data(self) -> dict[str, Any]:
        """Intervals, counts and what the net present value hangs on, as plain values."""
        found = {what: self.interval(what) for what in ("npv_usd", "benefit_cost_ratio", "eirr")}
        return {
            "prior": self.prior,
            "draws": len(self.npv_usd),
            "level": LEVEL,
            **{what: [one.low, one.high] for what, one in found.items()},
            "probability_positive": list(self.probability_positive),
            "draws_overloaded": self.overloaded,
            "draws_without_rate": self.without_rate,
            "hangs_on": self.effects().head(5)[["input", "share", "direction"]].to_dict("records")
            if self.several
            else [],
            "measure_first": [
                {"input": name, "worth_usd": usd} for name, usd in (self.measure_first() if self.several else ())
            ],
        }

    def measure_first(self, most: int = 5) -> list[tuple[str, float]]:
        """Inputs worth knowing before deciding, by more than chance, the largest worth first. [US$]"""
        frame = self.information()
        first = frame[~frame["by_chance"]].head(most)
        return [(str(name), float(usd)) for name, usd in zip(first["input"], first["worth_usd"], strict=True)]


def drawn_worth(
    sures: Mapping[int, Uncertainty],
    other: int,
    layout: YearsLayout,
    discount_rates: tuple[float, float] | None = None,
    growths_after: tuple[float, float] | None = None,
) -> DrawnWorth:
    """The appraisal of each draw that is left, under the first prior.

    Parameters
    ----------
    sures : mapping of calendar year to Uncertainty
        With the same draws in every year, and rows `APPRAISAL_ROWS` of them.
    layout : YearsLayout
        As at the stated values.
    discount_rates, growths_after : (low, high), optional
        Drawn between them, anywhere alike.

    Raises
    ------
    ArgumentError
        If the years do not have the same draws.
    CorridorError
        If the draws keep other rows, or none tells anything.
    """
    first = next(iter(sures.values()))
    _refuse_other_draws(sures)
    readers = {year: _Reader(sure, other) for year, sure in sures.items()}
    points, scramble, _ = first.main.only_kept()
    extra, more = drawn_ranges(
        first.runs[0].root, len(points), layout.discount_rate, layout.growth_after, discount_rates, growths_after
    )
    overloaded = np.any([reader.overloaded() for reader in readers.values()], axis=0)
    rows = []
    for draw in np.flatnonzero(~overloaded):
        rate = layout.discount_rate if discount_rates is None else _at(discount_rates, extra[draw, 0])
        growth = layout.growth_after if growths_after is None else _at(growths_after, extra[draw, -1])
        benefits = by_calendar(
            {year: np.array([reader.saved_usd_year(int(draw))]) for year, reader in readers.items()},
            layout.years, layout.opening_year, growth, layout.building,
        )[0]  # fmt: skip
        measures = measures_of(*first_scenarios(first, other), _drawn_improvements(first, other, points[draw]))
        capex, opex, residual = costs_of(
            measures, layout.years, layout.opening_year, layout.spent, layout.optimism_bias
        )
        costs = capex + opex - residual
        factors = (1 + rate) ** -(layout.years - layout.years[0])
        gain, cost = float((benefits * factors).sum()), float((costs * factors).sum())
        rows.append((gain - cost, gain / cost if cost > 0 else math.nan, internal_rate_of_return(benefits - costs)))
    if not rows:
        raise CorridorError(
            "the base is overloaded in every draw, where nobody can choose: no draw has a present value"
        )
    values = np.array(rows)
    priced = {one.name for one in measures_of(*first_scenarios(first, other))}
    acts = [k for k, one in enumerate(first.inputs) if one.acts or _prices(one, priced)]
    return DrawnWorth(
        prior=first.main.prior,
        npv_usd=values[:, 0],
        benefit_cost_ratio=values[:, 1],
        eirr=values[:, 2],
        scramble=scramble[~overloaded],
        points=np.concatenate([points[:, acts], extra], axis=1)[~overloaded],
        inputs=(*(first.inputs[k] for k in acts), *more),
        overloaded=int(overloaded.sum()),
    )


def first_scenarios(sure: Uncertainty, other: int) -> tuple[Any, Any]:
    """The two scenarios at their stated values."""
    return scenario_of(sure.runs[0]), scenario_of(sure.runs[other])


class _Reader:
    """The draws of one simulated year, by row."""

    def __init__(self, sure: Uncertainty, other: int) -> None:
        self.sure, self.other = sure, other
        _, _, self.values = sure.main.only_kept()
        self.at = {
            (label.indicator, label.place, label.of): k
            for k, label in enumerate(sure.labels)
            if label.kind == "flow" and not label.cargo_class and label.day is None and label.hour is None
        }
        self.flows = [place for indicator, place, _ in self.at if indicator == INDICATORS[1]]
        loads, delays = (
            {
                label.place: k
                for k, label in enumerate(sure.labels)
                if label.indicator == indicator and label.kind in ("stage", "leg") and not label.of
                and not label.cargo_class and label.day is None and label.hour is None
            }
            for indicator in APPRAISAL_ROWS[2:]
        )  # fmt: skip
        if not self.flows or not loads:
            raise CorridorError(
                f"the draws keep no rows {', '.join(APPRAISAL_ROWS)} of flows and stages: an appraisal needs "
                "cs.uncertainty(..., indicators=cs.APPRAISAL_ROWS), of the whole corridor"
            )
        stages = [place for place in loads if place in delays]
        self.loads = self.values[[loads[place] for place in stages], 0].mean(axis=2)
        at = [delays[place] for place in stages]
        self.delays_h = [self.values[at, number].mean(axis=2) for number in (0, other)]
        self.per_year = H_PER_YEAR / sure.runs[0].scope.window_h

    def overloaded(self) -> NDArray[np.bool_]:
        """Draws whose base is overloaded where the measures change something and nobody can choose, shape (draw,).

        By the load alone: few replications have no growth that could be relied on. What waits at a stage that both
        scenarios leave alike falls out of their difference.
        """
        if not nobody_can_choose(self.sure.runs[0]):
            return np.zeros(self.loads.shape[1], dtype=np.bool_)
        before, after = (np.nan_to_num(hours) for hours in self.delays_h)
        touched = np.abs(before - after) > TOUCHED * before
        return np.asarray(((np.nan_to_num(self.loads) >= 1 - EVEN) & touched).any(axis=0))

    def saved_usd_year(self, draw: int) -> float:
        """Savings of a draw, mean over its replications. [US$/year]"""

        def rows(scenario: int) -> Rows:
            def of(indicator: str, flow: str, part: str) -> FloatArray | None:
                k = self.at.get((indicator, flow, part))
                return None if k is None else self.values[k, scenario, draw]

            return of

        found, _ = saved_usd(rows(0), rows(self.other), self.flows)
        return float(sum(usd.mean() for parts in found.values() for usd in parts.values()) * self.per_year)


def _drawn_improvements(
    sure: Uncertainty, other: int, point: FloatArray
) -> tuple[dict[str, Improvement], dict[str, Improvement]]:
    """Improvements of base and other with the costs and lives of a draw."""
    base, with_them = (
        _with_costs(scenario.improvements, sure.values_at(number, point))
        for number, scenario in zip((0, other), first_scenarios(sure, other), strict=True)
    )
    return base, with_them


def _with_costs(improvements: Mapping[str, Improvement], values: Mapping[str, Any]) -> dict[str, Improvement]:
    found = {}
    for name, one in improvements.items():
        drawn = {field: values[path] for field in MONEY if (path := f"improvements.{name}.{field}") in values}
        found[name] = one.model_copy(update=drawn) if drawn else one
    return found


def _prices(one: DrawnInput, measures: set[str]) -> bool:
    """Whether an input is a cost or a life of a measure that is appraised."""
    return any(path.split(".")[1] in measures and path.endswith(MONEY) for path in one.paths if path.count("."))


def drawn_ranges(
    root: int,
    draws: int,
    discount_rate: float,
    growth_after: float,
    discount_rates: tuple[float, float] | None,
    growths_after: tuple[float, float] | None,
) -> tuple[FloatArray, list[DrawnInput]]:
    """Points of what the appraisal itself draws, each a stratified sample of its own, and what they are."""
    wanted = (
        ("discount rate", discount_rate, discount_rates),
        ("growth after the last simulated year", growth_after, growths_after),
    )
    rng = np.random.default_rng([root, 38])
    columns, inputs = [], []
    for name, stated, ends in wanted:
        if ends is not None:
            columns.append((rng.permutation(draws) + rng.random(draws)) / draws)
            inputs.append(DrawnInput(name, (), stated, ends[0], ends[1], sourced=False))
    return np.array(columns).T.reshape(draws, len(columns)), inputs


def _at(ends: Sequence[float], place: float) -> float:
    return float(ends[0] + place * (ends[1] - ends[0]))


def _refuse_other_draws(sures: Mapping[int, Uncertainty]) -> None:
    first = next(iter(sures.values()))
    for year, one in list(sures.items())[1:]:
        same = (
            [a.name for a in one.inputs] == [a.name for a in first.inputs]
            and one.main.prior == first.main.prior
            and one.main.kept is None
            and first.main.kept is None
            and np.array_equal(one.main.points, first.main.points)
        )
        if not same:
            raise ArgumentError(
                f"the draws of {year} are not those of {next(iter(sures))}: give every year the same scenarios, draws, "
                "seed and priors, and no observations"
            )
