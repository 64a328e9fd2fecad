"""Which upgrades to build with a budget: a search over sets by runs, the last few compared on fresh random numbers.

Sets of upgrades are scenarios: the base with their improvements. `statistics/portfolios.py` says which sets to look
at; here they are planned (the part of the corridor that is asked about), run over processes, and what is found
is laid out: years, frontier, rivals, regret over draws of the inputs.
"""

from __future__ import annotations

import concurrent.futures as futures
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators import INDICATORS, Collector, Options
from corridor_sim.indicators.table import Label
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.upgrades import Upgrade, upgrade_problems
from corridor_sim.plan.build import Planned, plan_of
from corridor_sim.plan.plan import Plan
from corridor_sim.results.programme import BuiltSet, Programme, Regret, Single
from corridor_sim.statistics import mean_limits
from corridor_sim.statistics.portfolios import (
    FoundSets,
    Set,
    SetRules,
    best_sets,
    build_years,
    find_best_set,
)
from corridor_sim.study.asked_rows import ids_at, is_at
from corridor_sim.study.draws import asked_part, routes_of
from corridor_sim.study.run import Runnable, options_of, planned, root_of, run_all
from corridor_sim.study.selecting import row_of, zone_of
from corridor_sim.study.spread import hands, spread

NPV = "npv_usd"
FRONTIER = 8
"""Budgets of the frontier."""
HANGS_ON = 3
"""Inputs that are named."""


def portfolio(
    base: Runnable,
    upgrades: str | os.PathLike[str] | Sequence[Upgrade] | Mapping[str, Any],
    *,
    budget_usd: float | Mapping[int, float],
    delta: float | str,
    objective: str = "delay_truck_h",
    alpha: float = 0.05,
    at: str | Iterable[str] = (),
    where: dict[str, Any] | None = None,
    appraisal: Mapping[str, Any] | None = None,
    screening: int = 3,
    rounds: int = 6,
    finalists: int = 6,
    first: int = 10,
    most: int = 60,
    final: int = 10,
    draws: int | None = None,
    draw_replications: int = 2,
    observations: Any = None,
    rng: Rng = None,
    engine: str = "auto",
    workers: int | None = None,
    executor: futures.Executor | None = None,
) -> Programme:
    """Which upgrades to build with a budget, and in which year.

    Parameters
    ----------
    base : Scenario, path or name
        Its demand and its run stand for every year of the programme.
    upgrades : path, sequence of Upgrade, or mapping of id to Improvement
        A file as in ``docs/portfolio.md``, or a packaged list.
    budget_usd : float, or mapping of year to money
        For capital. Money of a year that is not spent is kept. A single number is there in the year of the run.
    delta : float or str
        Indifference zone, in the unit of the objective (``"500 h"``).
    objective : str
        A row to make small, or ``"npv_usd"``: net present value by `cs.appraise`, to make large.
    at : str or iterable of str
        Crossings or posts: only the part that they hang on is run, with the same numbers, and the objective is the sum
        of its rows at their posts.
    where : dict, optional
        Columns that find the row of the objective instead.
    appraisal : mapping, optional
        With ``"npv_usd"``: what `cs.appraise` needs (``discount_rate``, ``years``, ...).
    screening, rounds, finalists, first, most : int
        As in `statistics.portfolios.find_best_set`.
    final : int
        Fresh replications of the last sets, of the years and of the frontier.
    draws : int, optional
        Draw the inputs so often (a power of two) and tell the regret of each of the last sets.
    draw_replications : int
        Of each draw.
    observations
        As in `cs.uncertainty`: draws that they rule out are left out.
    rng
        Seed of all random streams; by default that of the base.
    workers, executor, engine
        As in `cs.run`; the sets are spread over the workers, and the answer does not depend on them.

    Returns
    -------
    Programme

    Raises
    ------
    ScenarioError
        With every problem of the upgrades.
    ArgumentError
        If an argument is not allowed, or no upgrade fits the budget.
    CorridorError
        If a net present value is asked for and `cs.appraise` refuses it (an overloaded base without behaviour).
    SimulationError
        If a replication failed.
    """
    began = time.perf_counter()
    given = planned(base)
    if isinstance(given.scenario, Plan):
        raise CorridorError("upgrades are of a scenario; a plan has none")
    scenario, listed = _upgrades(given.scenario, upgrades)
    alpha = arguments.number("alpha", alpha, above=0, most=0.5)
    for name, value, least in (("screening", screening, 1), ("rounds", rounds, 0), ("finalists", finalists, 1),
                               ("first", first, 2), ("most", most, first), ("final", final, 2),
                               ("draw_replications", draw_replications, 1)):  # fmt: skip
        arguments.whole(name, value, least, MAX_REPLICATIONS)
    money = _money(budget_usd, scenario)
    is_npv = objective == NPV
    places = (at,) if isinstance(at, str) else tuple(at)
    if is_npv != (appraisal is not None):
        raise ArgumentError(f"appraisal says how to reckon {NPV!r}, and is given with it alone")
    if is_npv and (places or where or draws):
        raise ArgumentError(f"{NPV!r} is of the whole corridor at the stated inputs: leave out at, where and draws")
    made = _Sets.of(
        given.plan, scenario, listed, "user_cost_usd" if is_npv else objective, places, where, root_of(scenario, rng),
        engine, hands(executor, workers), executor,
    )  # fmt: skip
    zone = zone_of(delta, Label(objective, "usd", "corridor", "all") if is_npv else made.shared.labels[0])
    rules = _rules(listed, sum(money.values()))
    factor, price, warnings = 1.0, np.zeros(len(listed)), list(made.warnings)
    if appraisal is not None:
        factor, price = _money_of(made, listed, dict(appraisal))

    def observe(sets: Sequence[Set], replications: Sequence[int]) -> FloatArray:
        return factor * made.observe(sets, replications)

    try:
        found = find_best_set(
            observe, rules, delta=zone, alpha=alpha, price=price.tolist(), screening=screening, rounds=rounds,
            finalists=finalists, first=first, most=most,
        )  # fmt: skip
        chosen = found.best
        years = _years(listed, found, rules, money, appraisal)
    except ValueError as error:
        if isinstance(error, (ScenarioError, ArgumentError)):
            raise
        raise ArgumentError(f"budget_usd: {error}") from None

    frontier = _frontier(found, rules, price, observe, screening)
    stages = {year: frozenset(u for u in chosen if years[u] <= year) for year in sorted(money)}
    wanted = list(dict.fromkeys([frozenset(), chosen, *found.finalists, *stages.values(), *frontier]))
    numbers = range(found.fresh_from, found.fresh_from + final)
    fresh = dict(zip(wanted, observe(wanted, numbers), strict=True))

    def built(one: Set) -> BuiltSet:
        cost = float(price[list(one)].sum())
        mean, low, high = (float(x) for x in mean_limits(fresh[frozenset()] - fresh[one] - cost))
        ids = tuple(listed[u].id for u in sorted(one))
        return BuiltSet(ids, rules.cost(one), float(fresh[one].mean()) + cost, mean, low, high)

    others = sorted((one for one in found.finalists if one != chosen), key=lambda one: built(one).value)
    order = [chosen, *others]
    regret = None
    if draws is not None:
        regret = _regret(made, order, draws, draw_replications, observations, alpha)
    worth = None if appraisal is None else _appraised(made, chosen, numbers, dict(appraisal))
    return Programme(
        base=scenario.name or "run",
        upgrades=listed,
        objective="net present cost" if is_npv else objective,
        unit="US$" if is_npv else made.shared.labels[0].unit,
        delta=zone,
        alpha=alpha,
        budget_usd=dict(money),
        chosen=tuple(listed[u].id for u in sorted(chosen)),
        years={listed[u].id: year for u, year in sorted(years.items())},
        sets=tuple(built(one) for one in order),
        staged=tuple((year, built(one)) for year, one in stages.items()),
        frontier=_not_dominated([built(one) for one in frontier], built(chosen)),
        singles=_singles(made, listed, found, price, factor, rules),
        reached=found.choice.reached,
        runs=made.runs,
        replications=final,
        window_h=given.plan.counted_until_h - given.plan.warm_up_h,
        root=made.shared.root,
        regret=regret,
        appraisal=worth,
        warnings=tuple(warnings),
        wall_s=time.perf_counter() - began,
    )


# ---------------------------------------------------------------- what is asked


def _upgrades(base: Scenario, upgrades: Any) -> tuple[Scenario, tuple[Upgrade, ...]]:
    if isinstance(upgrades, (str, os.PathLike)):
        from corridor_sim.files.upgrade_files import read_upgrades

        listed, base = read_upgrades(upgrades, base)
        return base, listed
    if isinstance(upgrades, Mapping):
        upgrades = [Upgrade(id, {id: one}, name=one.name) for id, one in upgrades.items()]
    if not isinstance(upgrades, Sequence) or not all(isinstance(one, Upgrade) for one in upgrades):
        raise ArgumentError(f"upgrades must be a file, a list of Upgrade or improvements by id, got {upgrades!r:.80}")
    if not upgrades:
        raise ArgumentError("upgrades must hold at least one")
    if problems := upgrade_problems(upgrades, taken=base.improvements):
        raise ScenarioError(problems)
    return base, tuple(upgrades)


def _money(budget_usd: Any, scenario: Scenario) -> dict[int, float]:
    if isinstance(budget_usd, Mapping):
        if not budget_usd:
            raise ArgumentError("budget_usd must hold at least one year")
        return {
            arguments.whole("a year of budget_usd", year, 1900, 3000): arguments.number(f"budget_usd[{year}]", usd, 0)
            for year, usd in sorted(budget_usd.items())
        }
    return {scenario.run.start_utc.year: arguments.number("budget_usd", budget_usd, above=0)}


def _rules(listed: Sequence[Upgrade], budget: float) -> SetRules:
    number = {one.id: k for k, one in enumerate(listed)}
    pairs = {tuple(sorted((number[one.id], number[other]))) for one in listed for other in one.excludes}
    return SetRules(
        costs=tuple(one.capex_usd for one in listed),
        budget=budget,
        excludes=tuple((a, b) for a, b in sorted(pairs)),
        needs=tuple((number[one.id], number[other]) for one in listed for other in one.needs),
    )


# ---------------------------------------------------------------- sets as runs


@dataclass(frozen=True, slots=True)
class _SetRuns:
    """What the runs of all sets share."""

    base: Scenario
    improvements: tuple[Mapping[str, Any], ...]
    elements: tuple[str, ...]
    flows: tuple[str, ...]
    routes: Any
    labels: tuple[Label, ...]
    kinds: tuple[str, ...]
    root: int
    engine: str
    options: Options
    among: int

    def scenario(self, chosen: Iterable[int]) -> Scenario:
        """The base with a set of upgrades."""
        more = {id: one for u in sorted(chosen) for id, one in self.improvements[u].items()}
        name = "set " + "-".join(str(u) for u in sorted(chosen)) if more else self.base.name
        return self.base.replace(improvements={**self.base.improvements, **more}, name=name)

    def plan(self, chosen: Iterable[int], *, whole: bool = False) -> Planned:
        """The part of a set that is run."""
        scenario = self.scenario(chosen)
        resolved = resolve(scenario)
        same = not whole and bool(self.flows) and not resolved.errors and routes_of(resolved) == self.routes
        return Planned(scenario, asked_part(plan_of(resolved, self.flows if same else None), self.elements))


def _run_set(shared: _SetRuns, job: tuple[Set, tuple[int, ...]], plan: Planned | None = None) -> FloatArray:
    """Sum of the rows of the objective, shape (replication,); runs in workers too."""
    chosen, replications = job
    (results,) = run_all(
        [plan or shared.plan(chosen)], None, replications=replications, rng=shared.root, engine=shared.engine,
        workers=1, indicators=shared.kinds, options=shared.options, among=shared.among, warn=False,
    )  # fmt: skip
    at = {label: k for k, label in enumerate(results.rows.labels)}
    values = np.sum([results.rows.values[at[label]] for label in shared.labels], axis=0)
    if np.isnan(values).any():
        raise CorridorError(f"{results.name}: the objective has no value in some replication: nobody came")
    return np.asarray(values)


@dataclass(eq=False)
class _Sets:
    """Sets of upgrades that are run when they are asked for."""

    shared: _SetRuns
    plans: tuple[Plan, ...]
    hands: int
    executor: futures.Executor | None
    places: tuple[str, ...]
    warnings: tuple[str, ...]
    known: dict[Set, Planned] = field(default_factory=dict)
    """Plans of this process."""
    runs: int = 0

    @classmethod
    def of(
        cls,
        plan: Plan,
        scenario: Scenario,
        listed: Sequence[Upgrade],
        objective: str,
        places: tuple[str, ...],
        where: dict[str, Any] | None,
        root: int,
        engine: str,
        hands: int,
        executor: futures.Executor | None,
    ) -> _Sets:
        """The base and each upgrade planned; problems of all of them are told at once."""
        elements = ids_at(plan, places) if places else ()
        part = asked_part(plan, elements)
        labels = objective_rows(part, objective, elements, places, where)
        kinds = tuple(
            kind for kind in INDICATORS if set(labels) & set(Collector(part, [0], [kind]).finish().labels)
        )  # fmt: skip
        improvements = tuple(one.improvements for one in listed)
        shared = _SetRuns(
            scenario, improvements, elements, (), None, labels, kinds, root, engine, options_of(scenario), 100
        )
        plans, problems = [], []
        for u, one in enumerate(listed):
            try:
                plans.append(shared.plan([u], whole=True).plan)
            except ScenarioError as error:
                problems += [problem.at(f"upgrade {one.id}") for problem in error.problems]
        if problems:
            raise ScenarioError(problems)
        flows = tuple(flow.id for flow in part.flows)
        if elements and all(tuple(flow.id for flow in one.flows) == flows for one in plans):
            # No upgrade makes more flows matter: those outside need not be planned again.
            routes = routes_of(resolve(scenario))
            shared = _SetRuns(
                scenario, improvements, elements, flows, routes, labels, kinds, root, engine, shared.options, 100
            )
        from corridor_sim.plan.load import loads

        over = [one.element for one in loads(part) if one.load >= 1.0]
        said = f"{scenario.name}: more comes than can pass at {', '.join(over)}: waits there measure the horizon"
        return cls(shared, (part, *plans), hands, executor, places, (said,) if over else ())

    def observe(self, sets: Sequence[Set], replications: Sequence[int]) -> FloatArray:
        """Value of each set in each replication, shape (set, replication)."""
        jobs = [(one, tuple(replications)) for one in sets]
        values = np.zeros((len(sets), len(replications)))
        self.runs += values.size
        if self.executor is None and self.hands <= 1:
            for number, job in enumerate(jobs):
                if job[0] not in self.known:
                    self.known[job[0]] = self.shared.plan(job[0])
                values[number] = _run_set(self.shared, job, self.known[job[0]])
            return values
        for number, row in spread(_run_set, self.shared, jobs, self.hands, self.executor):
            values[number] = row
        return values


def objective_rows(
    plan: Plan, objective: str, elements: Sequence[str], places: Sequence[str], where: dict[str, Any] | None
) -> tuple[Label, ...]:
    """Rows that sum up to the objective: one, or those of the posts at some places."""
    if places and where is None:
        labels = [label for kind in INDICATORS for label in Collector(plan, [0], [kind]).finish().labels]
        if objective not in ("delay_truck_h",):
            raise ArgumentError(
                f"rows of {objective} at several posts do not add up: say which with where, or take delay_truck_h"
            )
        fit = [
            one
            for one in dict.fromkeys(labels)
            if (one.indicator, one.kind, one.cargo_class, one.of, one.hour, one.day)
            == (objective, "post", "", "", None, None)
            and is_at(one, elements, plan)
        ]
        return tuple(fit)
    return (row_of(plan, objective, where, elements, places),)


# ---------------------------------------------------------------- money


def _money_of(made: _Sets, listed: Sequence[Upgrade], how: dict[str, Any]) -> tuple[float, FloatArray]:
    """US$ of present value a US$ of cost to the users in a run, and present cost of each upgrade, by `cs.appraise`."""
    from corridor_sim.results.cash_flows import appraise
    from corridor_sim.results.comparison import Comparison

    runs = run_all(
        [made.shared.plan(one, whole=True) for one in ([], *([u] for u in range(len(listed))))], None,
        replications=range(2), rng=made.shared.root, engine=made.shared.engine, warn=False,
        workers=made.hands if made.executor is None else None, executor=made.executor,
    )  # fmt: skip
    made.runs += 2 * len(runs)
    factors, price = [], []
    before = runs[0].rows.row("user_cost_usd", kind="corridor")
    for run in runs[1:]:
        found = appraise(Comparison((runs[0], run)), **how)
        weight = (1 + found.discount_rate) ** -(found.years - found.years[0])
        price.append(float((found.costs_usd * weight).sum()))
        saved = float((before - run.rows.row("user_cost_usd", kind="corridor")).mean())
        if saved:
            factors.append(float((found.benefits_usd.mean(axis=0) * weight).sum()) / saved)
    if not factors:
        raise CorridorError("no upgrade changes what users bear: nothing to choose")
    return float(np.median(factors)), np.array(price)


def _appraised(made: _Sets, chosen: Set, numbers: Sequence[int], how: dict[str, Any]) -> Any:
    from corridor_sim.results.cash_flows import appraise
    from corridor_sim.results.comparison import Comparison

    if not chosen:
        return None
    both: tuple[Set, Set] = (frozenset(), chosen)
    runs = run_all(
        [made.shared.plan(one, whole=True) for one in both], None, replications=numbers, rng=made.shared.root,
        engine=made.shared.engine, warn=False, workers=made.hands if made.executor is None else None,
        executor=made.executor,
    )  # fmt: skip
    return appraise(Comparison(tuple(runs)), **how)


# ---------------------------------------------------------------- what is made of it


def _years(
    listed: Sequence[Upgrade],
    found: FoundSets,
    rules: SetRules,
    money: Mapping[int, float],
    appraisal: Mapping[str, Any] | None,
) -> dict[int, int]:
    earliest = {u: year for u, one in enumerate(listed) if (year := one.earliest_year) is not None}
    rate = float(appraisal.get("discount_rate", 0.0)) if appraisal else 0.0
    return build_years(found.model, rules, found.best, money, earliest, rate)


def _frontier(found: FoundSets, rules: SetRules, price: FloatArray, observe: Any, screening: int) -> list[Set]:
    """The best set for budgets from nothing to everything: by the model, and among those that were looked at."""
    everything = math.fsum(rules.costs)
    seen = dict(found.screened)
    budgets = [everything * n / FRONTIER for n in range(1, FRONTIER + 1)]
    asked = {b: SetRules(rules.costs, b, rules.excludes, rules.needs) for b in budgets}
    new = [one for b in budgets for one in best_sets(found.model, asked[b], 1, price) if one not in seen]
    if new := list(dict.fromkeys(new)):
        seen.update(zip(new, observe(new, range(screening)).mean(axis=1).tolist(), strict=True))

    def score(one: Set) -> float:
        return seen[one] + float(price[list(one)].sum())

    best = [min((s for s in seen if asked[b].allows(s)), key=lambda s: (score(s), rules.cost(s))) for b in budgets]
    best = [*best, found.best, frozenset()]
    ordered: list[Set] = sorted(dict.fromkeys(best), key=lambda s: (rules.cost(s), score(s)))
    kept: list[Set] = []
    for one in ordered:
        if one == found.best or not kept or score(one) < min(score(other) for other in kept):
            kept.append(one)
    return kept


def _not_dominated(sets: Sequence[BuiltSet], chosen: BuiltSet) -> tuple[BuiltSet, ...]:
    """By cost, those that save more than every cheaper one on fresh replications; the chosen set stays."""
    kept: list[BuiltSet] = []
    for one in sorted(sets, key=lambda one: (one.capex_usd, one.value)):
        if one == chosen or not kept or one.value < min(other.value for other in kept):
            kept.append(one)
    return tuple(kept)


def _singles(
    made: _Sets, listed: Sequence[Upgrade], found: FoundSets, price: FloatArray, factor: float, rules: SetRules
) -> tuple[Single, ...]:
    """What each upgrade saves alone (with what it needs), by runs and by formulas, and with which it acts most."""
    from corridor_sim.study.analytic_delay import analytic_delay_h

    wanted = set(made.shared.elements)
    formula = []
    for plan in made.plans:
        delay = analytic_delay_h(plan)
        formula.append(sum(value for id, value in delay.items() if not wanted or id in wanted))
    none = found.screened[frozenset()]
    singles = []
    for u, one in enumerate(listed):
        alone = rules.with_needs([u])
        saved = none - found.screened[alone] if alone in found.screened else math.nan
        acts = {}
        for v in range(len(listed)):
            pair = rules.with_needs([u, v])
            parts = [rules.with_needs([u]), rules.with_needs([v])]
            if v != u and pair in found.screened and all(p in found.screened for p in parts) and pair not in parts:
                together = none - found.screened[pair]
                acts[v] = together - sum(none - found.screened[p] for p in parts)
        most = max(acts, key=lambda v: abs(acts[v]), default=None)
        strong = most is not None and acts[most] != 0
        singles.append(
            Single(
                one.id,
                saved - float(price[u]),
                factor * (formula[0] - formula[u + 1])
                if made.shared.labels[0].indicator == "delay_truck_h"
                else math.nan,
                listed[most].id if strong and most is not None else "",
                acts[most] if strong and most is not None else 0.0,
            )
        )
    return tuple(singles)


def _regret(
    made: _Sets,
    order: Sequence[Set],
    draws: int,
    replications: int,
    observations: Any,
    alpha: float,
) -> Regret:
    """What the last sets lose over draws of the inputs that the observations leave."""
    from corridor_sim.statistics import compare_over_draws, least_draws
    from corridor_sim.study.uncertainty import uncertainty

    shared = made.shared
    draws = arguments.whole("draws", draws, least_draws(alpha), MAX_REPLICATIONS)
    candidates = list(dict.fromkeys([*order, frozenset()]))
    indicator = shared.labels[0].indicator
    sure = uncertainty(
        shared.scenario([]), *(shared.scenario(one) for one in candidates if one), draws=draws,
        replications=replications, rng=shared.root, observations=observations, priors=("uniform",), at=made.places,
        indicators=indicator, stated_replications=5, engine=shared.engine,
        workers=None if made.executor is not None else made.hands, executor=made.executor, options=shared.options,
    )  # fmt: skip
    made.runs += len(candidates) * (draws * replications + 5)
    rows = [sure.labels.index(label) for label in shared.labels]
    points, _, values = sure.main.only_kept()
    if points.shape[0] < least_draws(alpha):
        raise CorridorError(
            f"the observations leave {points.shape[0]} of {draws} draws, too few for alpha = {alpha:g}: give more draws"
        )
    total = values[rows].sum(axis=0).mean(axis=2)
    at = {one: k for k, one in enumerate([frozenset(), *(one for one in candidates if one)])}
    total = total[[at[one] for one in candidates]]
    stated = np.array(
        [
            np.sum([run.rows.values[run.rows.labels.index(label)] for label in shared.labels], axis=0)
            for run in (sure.runs[at[one]] for one in candidates)
        ]
    )
    noise = (stated[:, None, :] - stated[None, :, :]).std(axis=2, ddof=1) / math.sqrt(replications)
    compared = compare_over_draws(total, noise, stated.shape[1] - 1, alpha)
    affordable = total[: len(order)]
    regret = affordable - affordable.min(axis=0)
    return Regret(regret, compared, points.shape[0], draws, _hangs_on(sure, points, total[-1] - total[0]))


def _hangs_on(sure: Any, points: FloatArray, answers: FloatArray) -> dict[str, float]:
    """Inputs that explain most of what the chosen set saves, with their share of its variance over the draws."""
    from corridor_sim.statistics.effects import first_order

    if len(answers) < 16 or not float(np.ptp(answers)):
        return {}
    acting = [k for k, one in enumerate(sure.inputs) if one.acts]
    found = first_order(points[:, acting], answers)
    clear = [n for n in np.argsort(-found.share, kind="stable") if found.share[n] > found.by_chance]
    return {sure.inputs[acting[n]].name: float(found.share[n]) for n in clear[:HANGS_ON]}
