"""Who takes which crossing when waiting counts: a stochastic user equilibrium by simulation.

Shares over crossings follow a logit of generalised cost, cost follows from the waits of a
run, and waits follow from the shares. The method of successive averages [sheffi1985] goes
from shares to waits to shares on common random numbers until hardly anybody would choose
otherwise. The steps are those of `averaging.py`: self-regulated [liu2009] by default, for the plain 1/k forgets
the first runs too slowly. It goes most of the way with few replications, and ends with all: where a queue
is long, waits answer steeply to shares and dozens of runs are needed. Demand may answer to the cost of the
journey, with an elasticity that the study states; by default it does not.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import FloatArray
from corridor_sim.model.flows import CHOSEN, Flow
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.called import Called, in_words
from corridor_sim.results.results import Results
from corridor_sim.study.asked_run import replication_numbers, root_of
from corridor_sim.study.averaging import AVERAGING, AveragedSteps
from corridor_sim.study.choice import Chooser, choosers, composite_usd, logit
from corridor_sim.study.run import run
from corridor_sim.study.starts import MOST_STARTS, OTHER_DEMAND, other_shares
from corridor_sim.study.way_choice import DELAY, WayChooser, way_choosers

if TYPE_CHECKING:
    import pandas as pd

SEARCH = 2
"""Replications of the runs that go most of the way."""
LEAST_PER_DAY = 1e-9
"""Consignments a day below which nobody takes a way of a choice set: a logit gives everything a share."""
WAITS = ("wait_h",)
"""Indicators that those runs are asked for; with choices among flows `way_choice.DELAY` besides."""


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Shares at which hardly anybody would choose otherwise.

    `scenario` is the given one with these shares (and demands); `results` is its run. `gaps` has
    the relative gap of each iteration; `reached` says whether the last is below the target.
    `unique` is whether the other starts came to the same but for at most twice the target (share of consignments that
    take another crossing, and relative demand), None if there was no other start or one did not reach the target;
    what they came to is in `others`, their last gaps in `other_gaps`. Starts that agree are no proof.
    Where demand answers nearly as much as it would take, ends of one answer may be further apart than that: a
    smaller target tells.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> june = cs.load_scenario("growth_2028", {"run.horizon_days": 12, "run.warm_up_days": 2})
    >>> of_samur = {"south_bilateral": ["samur", "khanoba"], "north_fresh": ["samur", "khanoba"]}
    >>> found = cs.equilibrium(june, scale_usd=50, alternatives=of_samur, replications=2, starts=1, workers=1)
    >>> found.gaps[-1] < 0.01
    True
    """

    scenario: Scenario
    results: Results
    choosers: tuple[Chooser | WayChooser, ...]
    shares: Mapping[str, FloatArray]
    costs_usd: Mapping[str, FloatArray]
    """Generalised cost by chooser, a consignment; of a choice set a tonne."""
    composite_usd: Mapping[str, float]
    demand_factor: Mapping[str, float]
    gaps: tuple[float, ...]
    target: float
    others: tuple[Mapping[str, FloatArray], ...] = ()
    searched: Mapping[str, FloatArray] | None = None
    """Shares at which the search with few replications ended, which `others` are compared with; None: `shares`."""
    other_gaps: tuple[float, ...] = ()
    """Gap at which each other start ended."""
    apart: tuple[float, ...] = ()
    """How far each other start ended from the first: share of consignments that take another crossing, or the relative
    difference of demand if larger."""

    @property
    def reached(self) -> bool:
        """Whether the gap came below the target."""
        return self.gaps[-1] < self.target

    @property
    def unique(self) -> bool | None:
        """Whether every start came to the same; None if there was one start, or one did not reach the target."""
        if not self.apart or not all(gap < self.target for gap in (*self.other_gaps, self.gaps[-1])):
            return None
        return all(one <= 2 * self.target for one in self.apart)

    def to_frame(self) -> pd.DataFrame:
        """One row a flow and crossing: share, cost, its parts, demand factor."""
        import pandas as pd

        rows = []
        for one in self.choosers:
            if isinstance(one, WayChooser):
                continue
            for k, way in enumerate(one.alternatives):
                cost = float(self.costs_usd[one.flow][k])
                rows.append(
                    {
                        "flow": one.flow,
                        "crossing": way.crossing,
                        "share": float(self.shares[one.flow][k]),
                        "share_before": one.shares[k],
                        "cost_usd": cost,
                        "unqueued_usd": way.unqueued_usd,
                        "wait_h": (cost - way.unqueued_usd) / one.value_of_time_usd_h,
                        "demand_factor": self.demand_factor[one.flow],
                    }
                )
        return pd.DataFrame(rows)

    def choices_frame(self) -> pd.DataFrame:
        """One row a choice set and flow: share of the tonnes, cost a tonne and its parts, demand factor."""
        import pandas as pd

        rows = []
        for one in self.choosers:
            if not isinstance(one, WayChooser):
                continue
            for k, way in enumerate(one.ways):
                cost, unqueued = float(self.costs_usd[one.name][k]), way.cost
                parts = {
                    "fare_usd_t": unqueued.fare_usd,
                    "fees_usd_t": unqueued.fees_usd,
                    "handling_usd_t": unqueued.handling_usd,
                    "time_usd_t": way.value_of_time_usd_h * unqueued.hours,
                }
                per_t = {name: value / way.load_t for name, value in parts.items()}
                per_t["constant_usd_t"] = way.constant_usd_t
                rows.append(
                    {
                        "choice": one.name,
                        "flow": way.flow,
                        "share": float(self.shares[one.name][k]),
                        "share_before": one.shares[k],
                        "cost_usd_t": cost,
                        **per_t,
                        "waiting_usd_t": cost - sum(per_t.values()),
                        "demand_factor": self.demand_factor[one.name],
                    }
                )
        return pd.DataFrame(rows)

    def describe(self, *, ids: bool = False) -> str:
        """The answer in words, one line a flow or choice set; by name, by id with `ids`."""
        called = Called(self.results, ids)
        told = "reached" if self.reached else "NOT reached"
        lines = [
            f"Equilibrium {told} after {len(self.gaps)} runs: {self.gaps[-1]:.1%} would choose otherwise"
            f" (target {self.target:.1%})"
        ]
        for one in self.choosers:
            is_set = isinstance(one, WayChooser)
            names = map(called.flow, one.flows) if isinstance(one, WayChooser) else map(called.crossing, one.crossings)
            who = (one.flow if ids else in_words(one.flow)) if is_set else called.flow(one.flow)
            ways = [
                f"{name} {share:.0%} (was {before:.0%})"
                for name, share, before in zip(names, self.shares[one.flow], one.shares, strict=True)
            ]
            more = self.demand_factor[one.flow]
            lines.append(f"  {who}: {', '.join(ways)}" + (f"; demand x {more:.3f}" if more != 1 else ""))
        lines.append(f"  {self._told_unique()}")
        return "\n".join(lines)

    def _told_unique(self) -> str:
        """Whether it is unique, in words."""
        if not self.apart:
            return "One start only: whether it is unique was not looked at."
        starts = len(self.apart) + 1
        if self.unique is None:
            worst = max(*self.other_gaps, self.gaps[-1])
            return f"Whether it is unique is not known: of {starts} starts one ended at {worst:.1%}, above the target."
        if self.unique:
            return f"Unique as far as was looked: {starts} starts came to the same within {max(self.apart):.1%}."
        return f"Not unique: of {starts} starts one came to another answer, {max(self.apart):.1%} away."


def equilibrium(
    scenario: Scenario | str | os.PathLike[str],
    *,
    scale_usd: float | None = None,
    choices: Sequence[str] | bool = (),
    averaging: str = "self-regulated",
    alternatives: Mapping[str, Sequence[str]] | None = None,
    elasticity: float | Mapping[str, float] = 0.0,
    reference: Equilibrium | Mapping[str, float] | None = None,
    follow: Mapping[str, str] | None = None,
    target: float = 0.01,
    most: int = 40,
    starts: int = 2,
    rng: Rng = None,
    replications: int | None = None,
    search_replications: int = SEARCH,
    **settings: Any,
) -> Equilibrium:
    """Shares over crossings when consignments know the mean waits and choose by a logit of generalised cost.

    Parameters
    ----------
    scenario : Scenario, path or name of a packaged scenario
    scale_usd : float
        Scale of the logit: the difference of generalised cost at which one crossing is taken e times as
        often as the other. It has no default; say where it comes from. Not needed where crossings are not chosen
        among (`choices` without it). [US$ a consignment]
    choices : sequence of str, or bool
        Choice sets of the scenario (`choices`) whose cargo chooses among their flows: branch, or road, rail and ship.
        True: all of them. Their scales are those of the scenario. [US$/t]
    averaging : {"self-regulated", "1/k", "adapted"}
        Rule of the step. "adapted" has a step for each flow: try it where waits answer so steeply to shares that the
        target is not reached.
    alternatives : mapping of flow to crossings of one border, optional
        Who chooses among what; one crossing is enough where demand answers. Without it (and with
        `scale_usd`) every flow with shares over two or more crossings, over the first such border on its list where
        there are several; shares elsewhere stay.
    elasticity : float, or mapping of flow to float
        Elasticity of demand to the composite cost of the journey, at most 0; demand is then
        (cost / reference cost) ** elasticity times that of the scenario. 0: demand does not answer.
    reference : Equilibrium or mapping of flow to US$
        Cost at which demand is that of the scenario: the equilibrium of the base case, for instance.
    follow : mapping of flow to flow, optional
        Flows whose demand changes as that of a flow that answers: empty trucks as those that they bring back.
    target : float
        Relative gap below which it ends: the share of consignments that would choose otherwise (and,
        with elasticity, the relative change of demand).
    most : int
        Runs at most for one start; as many again with all replications.
    starts : int
        1 to 10. With 2 it begins a second time, from the opposite shares and, where demand answers, a fifth of the
        demand, to see whether it comes to the same; each start more begins with nearly all by one way after the other.
        Shares that are their own opposite begin with that at once. With the replications of the search.
    search_replications : int
        How many of the replications are run until the gap is below the target for the first time; then all are, from
        the shares found. Where it is not reached with these, it is not looked for with more.
    rng, replications, **settings
        As for `run`; all runs share their random numbers.

    Returns
    -------
    Equilibrium

    Raises
    ------
    ScenarioError
        If a flow cannot choose: all problems at once.
    ArgumentError
        If an argument is out of its range.
    CorridorError
        If demand answers and having the choice costs 0 or less: the scale is too large for an elasticity of cost.

    Notes
    -----
    Mean waits over the counted window are known to all: no learning from day to day and no choice by the
    hour. In an overloaded post the wait grows with the horizon, and so does what the choice answers to.
    Dated entries of `crossing_shares` that name the crossings chosen among are replaced by one entry.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> june = cs.load_scenario("growth_2028", {"run.horizon_days": 12, "run.warm_up_days": 2})
    >>> of_samur = {"south_bilateral": ["samur", "khanoba"], "north_fresh": ["samur", "khanoba"]}
    >>> found = cs.equilibrium(june, scale_usd=50, alternatives=of_samur, replications=2, starts=1, workers=1)
    >>> found.reached, found.shares["south_bilateral"].round(1).tolist()
    (True, [0.5, 0.5])
    """
    from corridor_sim.files.scenario_files import load_scenario

    if scale_usd is not None:
        scale_usd = arguments.number("scale_usd", scale_usd, above=0)
    elif not choices:
        raise ArgumentError("scale_usd has no default: give it, or the choice sets that choose (choices=True)")
    arguments.one_of("averaging", averaging, AVERAGING)
    target = arguments.number("target", target, 1e-6, 0.5)
    most, starts = arguments.whole("most", most, 1, 1000), arguments.whole("starts", starts, 1, MOST_STARTS)
    if not isinstance(scenario, Scenario):
        arguments.instance("scenario", scenario, (str, os.PathLike), "a Scenario, the path of a file or its name")
        scenario = load_scenario(scenario)
    given = elasticity if isinstance(elasticity, Mapping) else dict.fromkeys(alternatives or (), elasticity)
    elastic = [flow for flow, value in given.items() if value and flow not in scenario.choices]
    # Without a scale nobody chooses among crossings; with choice sets named, crossings only where they are asked for.
    crossing = [] if scale_usd is None else choosers(scenario, alternatives, elastic)
    sets = list(scenario.choices) if choices is True else list(choices or ())
    if choices is True and not sets:
        raise ArgumentError("the scenario has no choice sets: give it some (`choices`), or name alternatives")
    ways = way_choosers(scenario, sets, crossing, scale_usd)
    who: list[Chooser | WayChooser] = [*crossing, *ways]
    answers = _Demand(who, elasticity, reference)
    behind = _followers(scenario, who, follow or {})
    root = root_of(scenario, rng)
    every = replication_numbers(scenario, replications)
    few = every[: arguments.whole("search_replications", search_replications, 1)]
    search = _Averaging(scenario, who, scale_usd, answers, target, most, behind)
    settings = {**settings, "rng": root}
    coarse = {**settings, "replications": few, "indicators": (*WAITS, *([DELAY] if ways else [])), "records": False}
    steps = AveragedSteps(averaging)
    first = search.run({one.flow: np.array(one.shares) for one in who}, coarse, steps)
    others = []
    for number in range(1, starts):
        begun = {one.flow: other_shares(np.array(one.shares), number) for one in who}
        demand = {one.flow: OTHER_DEMAND if answers.answers(one.flow) else 1.0 for one in who}
        others.append(search.run(begun, coarse, AveragedSteps(averaging), demand))
    # With all replications from there on; where there is nothing left to do, one run that tells all indicators.
    left = most if first.reached and few != every else 1
    steps.go_on(len(first.gaps))
    found = search.run(first.shares, {**settings, "replications": every}, steps, first.demand_factor, left)
    found = replace(
        found,
        gaps=first.gaps if few == every else (*first.gaps, *found.gaps),
        others=tuple(one.shares for one in others),
        searched=first.shares,
        other_gaps=tuple(one.gaps[-1] for one in others),
        apart=tuple(_apart(first, one) for one in others),
    )
    _warn(found)
    return found


class _Demand:
    """How demand answers to the composite cost of a flow."""

    def __init__(
        self,
        who: Sequence[Chooser | WayChooser],
        elasticity: float | Mapping[str, float],
        reference: Equilibrium | Mapping[str, float] | None,
    ) -> None:
        given = elasticity if isinstance(elasticity, Mapping) else {one.flow: elasticity for one in who}
        names = {one.flow for one in who}
        for flow in given:
            arguments.one_of("elasticity", flow, names)
        self.elasticity = {
            flow: arguments.number(f"elasticity of {flow}", value, -10, 0) for flow, value in given.items()
        }
        costs = reference.composite_usd if isinstance(reference, Equilibrium) else (reference or {})
        missing = [flow for flow, value in self.elasticity.items() if value and flow not in costs]
        if missing:
            raise ArgumentError(f"reference must give the cost at which demand is that of the scenario: {missing}")
        self.reference = {
            flow: arguments.number(f"reference of {flow}", cost, above=0)
            for flow, cost in costs.items()
            if self.elasticity.get(flow)  # Empty trucks with a wide choice may have a cost of it below 0.
        }

    def answers(self, flow: str) -> bool:
        """Whether demand of a flow answers."""
        return bool(self.elasticity.get(flow))

    def factor(self, flow: str, cost_usd: float) -> float:
        """Demand over that of the scenario at a composite cost."""
        power = self.elasticity.get(flow, 0.0)
        if not power:
            return 1.0
        if cost_usd <= 0:
            raise CorridorError(
                f"the cost of having the choice is {cost_usd:.3g} US$ for {flow}: demand has no elasticity to it; "
                "give a smaller scale_usd"
            )
        return float((cost_usd / self.reference[flow]) ** power)


@dataclass(frozen=True, slots=True)
class _Averaging:
    """The method of successive averages from one start."""

    scenario: Scenario
    who: Sequence[Chooser | WayChooser]
    scale_usd: float | None
    demand: _Demand
    target: float
    most: int
    follow: Mapping[str, str] = field(default_factory=dict)
    """Flow whose demand changes as that of a chooser: by its name."""

    def run(
        self,
        shares: Mapping[str, FloatArray],
        settings: Mapping[str, Any],
        steps: AveragedSteps,
        demand: Mapping[str, float] | None = None,
        most: int | None = None,
    ) -> Equilibrium:
        """Runs, costs, shares; until the gap is below the target or `most` runs are done.

        It begins with these shares and this demand, which is that of the scenario if not given.
        """
        factor = {one.flow: 1.0 for one in self.who} if demand is None else dict(demand)
        gaps: list[float] = []
        most = self.most if most is None else most
        for k in range(1, most + 1):
            tried = self._scenario(shares, factor)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CorridorWarning)
                results = run(tried, **settings)
            costs, wanted, composite = self._choice(results, shares)
            asked = {flow: self.demand.factor(flow, cost) for flow, cost in composite.items()}
            gaps.append(self._gap(shares, wanted, factor, asked))
            if gaps[-1] < self.target or k == most:
                break
            steps.note(gaps[-1])
            shares = {flow: steps.towards(flow, now, wanted[flow]) for flow, now in shares.items()}
            factor = {flow: steps.demand(flow, now, asked[flow]) for flow, now in factor.items()}
        return Equilibrium(tried, results, tuple(self.who), shares, costs, composite, factor, tuple(gaps), self.target)

    def _choice(
        self, results: Results, shares: Mapping[str, FloatArray]
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray], dict[str, float]]:
        """Costs with the waits of a run, the shares that they make, and the cost of having the choice."""
        costs: dict[str, FloatArray] = {}
        wanted: dict[str, FloatArray] = {}
        composite: dict[str, float] = {}
        for one in self.who:
            if isinstance(one, WayChooser):
                cost = one.costs_usd_t(results.rows, shares, self.scale_usd)
                wanted[one.flow], composite[one.flow] = one.wanted(cost), one.composite_usd_t(cost)
            else:
                assert self.scale_usd is not None
                cost = one.costs_usd(results.rows)
                wanted[one.flow], composite[one.flow] = logit(cost, self.scale_usd), composite_usd(cost, self.scale_usd)
            costs[one.flow] = cost
        return costs, wanted, composite

    def _gap(
        self,
        shares: Mapping[str, FloatArray],
        wanted: Mapping[str, FloatArray],
        factor: Mapping[str, float],
        asked: Mapping[str, float],
    ) -> float:
        """Share of consignments that would choose otherwise, or the largest relative change of demand if larger."""
        change = max(abs(asked[flow] / now - 1) if now else 0.0 for flow, now in factor.items())
        return max(_moved(self.who, factor, shares, wanted), change)

    def _scenario(self, shares: Mapping[str, FloatArray], factor: Mapping[str, float]) -> Scenario:
        """The scenario with these shares and demands."""
        flows: dict[str, Flow] = {}
        for one in self.who:
            if isinstance(one, WayChooser):
                continue
            flow = self.scenario.flows[one.flow]
            kept = {
                name: entry
                for name, entry in flow.crossing_shares.items()
                if not set(entry.shares) & set(one.crossings)
            }
            parts = np.maximum(shares[one.flow], 0.0)
            parts = parts / parts.sum()
            entry = {"shares": dict(zip(one.crossings, parts.tolist(), strict=True))}
            # What is said of shares that are no more goes with them.
            said = {
                of: figure
                for of, figure in flow.figures.items()
                if not of.startswith("crossing_shares.")
                or any(f"{of}.".startswith(f"crossing_shares.{name}.") for name in kept)
            }
            flow = flow.replace(crossing_shares={**kept, CHOSEN: entry}, figures=said)
            flows[one.flow] = _times(flow, factor[one.flow])
        for one in self.who:
            if isinstance(one, WayChooser):
                tonnes = one.tonnes_per_day * factor[one.flow]
                for way, share in zip(one.ways, np.maximum(shares[one.flow], 0.0).tolist(), strict=True):
                    flow = flows.get(way.flow, self.scenario.flows[way.flow])
                    per_day = tonnes * share / way.load_t
                    per_day = per_day if per_day >= LEAST_PER_DAY else 0.0
                    flows[way.flow] = flow.replace(per_day=per_day, tonnes_per_year=None)
        for name, leader in self.follow.items():
            flows[name] = _times(flows.get(name, self.scenario.flows[name]), factor[leader])
        return self.scenario.replace(flows={**self.scenario.flows, **flows})


def _times(flow: Flow, factor: float) -> Flow:
    """A flow with so many times its demand."""
    volumes = {name: getattr(flow, name) for name in ("per_day", "tonnes_per_year")}
    new = {name: volume * factor for name, volume in volumes.items() if volume is not None and factor != 1.0}
    return flow.replace(**new) if new else flow


def _followers(scenario: Scenario, who: Sequence[Chooser | WayChooser], follow: Mapping[str, str]) -> dict[str, str]:
    """Who follows whom.

    Raises
    ------
    ArgumentError
        If a flow is not there, or follows one that is not among those that choose, or that answers itself.
    """
    leaders = {one.flow for one in who} - set(follow)
    for name, leader in follow.items():
        arguments.one_of("follow", name, set(scenario.flows))
        arguments.one_of(f"flow that {name} follows", leader, leaders)
    return dict(follow)


def _apart(one: Equilibrium, other: Equilibrium) -> float:
    """How far two answers are from each other, as a gap is."""
    change = max(abs(other.demand_factor[flow] / now - 1) if now else 0.0 for flow, now in one.demand_factor.items())
    return max(_moved(one.choosers, one.demand_factor, one.shares, other.shares), change)


def _moved(
    who: Sequence[Chooser | WayChooser],
    factor: Mapping[str, float],
    one: Mapping[str, FloatArray],
    other: Mapping[str, FloatArray],
) -> float:
    """Share of all consignments that take another crossing under other shares, or of the tonnes of a choice set."""
    per_day = {
        chooser.flow: chooser.per_day * factor[chooser.flow] for chooser in who if not isinstance(chooser, WayChooser)
    }
    total = sum(per_day.values())

    def part(flow: str) -> float:
        return 0.5 * float(np.abs(other[flow] - one[flow]).sum())

    moved = sum(volume * part(flow) for flow, volume in per_day.items()) / total if total else 0.0
    return max([moved, *(part(chooser.flow) for chooser in who if isinstance(chooser, WayChooser))])


def _warn(found: Equilibrium) -> None:
    if not found.reached:
        text = (
            f"equilibrium not reached: {found.gaps[-1]:.1%} would still choose otherwise (target {found.target:.1%}); "
            'averaging="adapted" or a larger scale may help'
        )
        warnings.warn(text, CorridorWarning, stacklevel=3)
    if found.unique is False:
        text = "equilibrium not unique: from another start it comes to another answer (see `others`)"
        warnings.warn(text, CorridorWarning, stacklevel=3)
