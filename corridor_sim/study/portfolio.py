"""Which upgrades to build with a budget: a search over sets by runs, the last few compared on fresh random numbers.

`statistics/portfolios.py` says which sets to look at, `upgrade_sets.py` runs them; here what is asked is read, and what
is found is laid out: years, frontier, rivals. `programme_regret.py` has the draws of the inputs.
"""

from __future__ import annotations

import concurrent.futures as futures
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.table import Label
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.upgrades import Upgrade, upgrade_problems
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
from corridor_sim.study.asked_rows import ids_at
from corridor_sim.study.asked_run import Runnable, planned, root_of
from corridor_sim.study.cheaper_sets import cheapest_within
from corridor_sim.study.keys import parts_of
from corridor_sim.study.observed_sets import ObservedSets
from corridor_sim.study.programme_regret import judges_of, regret_of
from corridor_sim.study.run import run_all
from corridor_sim.study.selecting import zone_of
from corridor_sim.study.spread import hands, one_pool
from corridor_sim.study.upgrade_sets import NOTHING, UpgradeSets, objective_rows

NPV = "npv_usd"
FRONTIER = 8
"""Budgets of the frontier."""


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
    waves: int = 1,
    rng: Rng = None,
    engine: str = "auto",
    workers: int | None = None,
    executor: futures.Executor | None = None,
    store: str | os.PathLike[str] | None = None,
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
        Indifference zone, in the unit of the objective (``"500 h"``). Of sets shown to be within it, the cheapest is
        chosen.
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
        Fresh replications of the last sets, of the years and of the frontier; as many again tell whether a cheaper set
        is within the zone.
    draws : int, optional
        Draw the inputs so often (a power of two) and tell the regret of each of the last sets.
    draw_replications : int
        Of each draw.
    observations, waves
        As in `cs.uncertainty`: draws that the observations rule out are left out of the regret.
    rng
        Seed of all random streams; by default that of the base.
    workers, executor, engine
        As in `cs.run`; the sets are spread over the workers, and the answer does not depend on them.
    store : path, optional
        Folder that keeps what every set came to, and every draw: a search that was stopped goes on, and one with
        other budgets or other upgrades beside those that were there finds them.

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
        If a replication failed, or the disk does not take a file of the store.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> base = cs.load_scenario("teaching").without_improvements()
    >>> at = "checkpoints.northgate_"
    >>> upgrades = {
    ...     "scanner": cs.AddLanes(at=at + "b.entry.xray", lanes=1, capex_usd=3e6),
    ...     "lane": cs.AddLanes(at=at + "a.exit.lanes", lanes=1, capex_usd=2e6),
    ... }
    >>> found = cs.portfolio(base, upgrades, budget_usd=3e6, delta="100 h", rng=1, workers=1)
    >>> found.chosen
    ('scanner',)
    """
    began = time.perf_counter()
    given = planned(base)
    if isinstance(given.scenario, Plan):
        raise CorridorError("upgrades are of a scenario; a plan has none")
    scenario, judges, faults = given.scenario, None, arguments.Faults()
    listed: tuple[Upgrade, ...] = ()
    is_npv = objective == NPV
    places = (at,) if isinstance(at, str) else tuple(at)
    with faults.noted():
        scenario, listed = _upgrades(given.scenario, upgrades)
    with faults.noted():
        alpha = arguments.number("alpha", alpha, above=0, most=0.5)
        if draws is not None and listed:
            judges = judges_of(scenario, given.plan, listed, draws, observations, waves, alpha)
    fewest = first if isinstance(first, int) and first > 2 else 2
    for name, value, least in (("screening", screening, 1), ("rounds", rounds, 0), ("finalists", finalists, 1),
                               ("first", first, 2), ("most", most, fewest), ("final", final, 2),
                               ("draw_replications", draw_replications, 1)):  # fmt: skip
        with faults.noted():
            arguments.whole(name, value, least, MAX_REPLICATIONS)
    with faults.noted():
        money = _money(budget_usd, scenario)
    if is_npv != (appraisal is not None):
        faults.add(f"appraisal says how to reckon {NPV!r}, and is given with it alone")
    if is_npv and (places or where or draws):
        faults.add(f"{NPV!r} is of the whole corridor at the stated inputs: leave out at, where and draws")
    if draws is None and (observations is not None or waves != 1):
        faults.add("observations and waves say which draws are left, and need draws")
    if store is not None:
        with faults.noted():
            arguments.instance("store", store, (str, os.PathLike), "the path of a folder")
    with faults.noted():
        zone = zone_of(delta, _row(given.plan, objective, places, where))
    faults.refuse()
    made = UpgradeSets.of(
        given.plan, scenario, listed, "user_cost_usd" if is_npv else objective, places, where, root_of(scenario, rng),
        engine, screening,
    )  # fmt: skip
    rules, too_late = _rules(listed, money)
    if store is not None:
        shared = made.shared
        about = parts_of(scenario, made.plans[0], shared.root, shared.kinds, shared.options)
        asked = {**about, "rows": [str(label) for label in shared.labels]}
        made.kept = ObservedSets(store, asked, shared.improvements, [one.id for one in listed])

    made.workers = hands(executor, workers)
    with one_pool(made.shared, made.workers, executor) as pool:
        made.executor = pool
        factor, price = 1.0, np.zeros(len(listed))
        if appraisal is not None:
            factor, price = _money_of(made, listed, dict(appraisal))

        def observe(sets: Sequence[Set], replications: Sequence[int]) -> FloatArray:
            return factor * made.observe(sets, replications)

        try:
            found = find_best_set(
                observe, rules, delta=zone, alpha=alpha, price=price.tolist(), screening=screening, rounds=rounds,
                finalists=finalists, first=first, most=most,
            )  # fmt: skip
            frontier = _frontier(found, rules, price, observe, screening)
            unseen = range(found.fresh_from + final, found.fresh_from + 2 * final)
            rivals = [*found.finalists, *frontier]
            chosen, worse = cheapest_within(found.best, rivals, observe, unseen, rules, price, zone, alpha)
            years = _years(listed, found, chosen, rules, money, appraisal)
        except ValueError as error:
            if isinstance(error, (ScenarioError, ArgumentError)):
                raise
            raise ArgumentError(f"budget_usd: {error}") from None
        stages = {year: frozenset(u for u in chosen if years[u] <= year) for year in sorted(money)}
        wanted = list(dict.fromkeys([NOTHING, chosen, found.best, *found.finalists, *stages.values(), *frontier]))
        numbers = range(found.fresh_from, found.fresh_from + final)
        fresh = dict(zip(wanted, observe(wanted, numbers), strict=True))
        built = {one: _built(one, fresh, listed, rules, price) for one in wanted}
        others = sorted((one for one in found.finalists if one != chosen), key=lambda one: built[one].value)
        order = [chosen, *others]
        regret: Regret | str | None = None
        worth = None
        if draws is not None:
            regret = regret_of(made, order, draws, draw_replications, judges, waves, alpha, store)
        if appraisal is not None:
            worth = _appraised(made, chosen, numbers, dict(appraisal))
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
        sets=tuple(built[one] for one in order),
        leader=built[found.best],
        worse_at_most=worse,
        staged=tuple((year, built[one]) for year, one in stages.items()),
        frontier=_not_dominated([built[one] for one in frontier], built[chosen]),
        singles=_singles(made, listed, found, price, factor, rules),
        reached=found.choice.reached,
        runs=made.runs,
        replications=final,
        window_h=given.plan.counted_until_h - given.plan.warm_up_h,
        root=made.shared.root,
        regret=None if isinstance(regret, str) else regret,
        no_regret=regret if isinstance(regret, str) else "",
        appraisal=worth,
        warnings=(*made.warnings, *too_late),
        wall_s=time.perf_counter() - began,
    )


def _built(
    one: Set, fresh: Mapping[Set, FloatArray], listed: Sequence[Upgrade], rules: SetRules, price: FloatArray
) -> BuiltSet:
    """A set on fresh replications, against doing nothing."""
    cost = float(price[list(one)].sum())
    mean, low, high = (float(x) for x in mean_limits(fresh[NOTHING] - fresh[one] - cost))
    ids = tuple(listed[u].id for u in sorted(one))
    return BuiltSet(ids, rules.cost(one), float(fresh[one].mean()) + cost, mean, low, high)


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


def _row(plan: Plan, objective: str, places: tuple[str, ...], where: dict[str, Any] | None) -> Label:
    """A row of the objective, whose unit is that of the indifference zone."""
    if objective == NPV:
        return Label(objective, "usd", "corridor", "all")
    return objective_rows(plan, objective, ids_at(plan, places) if places else (), places, where)[0]


def _money(budget_usd: Any, scenario: Scenario) -> dict[int, float]:
    if isinstance(budget_usd, Mapping):
        if not budget_usd:
            raise ArgumentError("budget_usd must hold at least one year")
        money, faults = {}, arguments.Faults()
        for year, usd in sorted(budget_usd.items()):
            with faults.noted():
                number = arguments.whole("a year of budget_usd", year, 1900, 3000)
                money[number] = arguments.number(f"budget_usd[{year}]", usd, 0)
        faults.refuse()
        return money
    return {scenario.run.start_utc.year: arguments.number("budget_usd", budget_usd, above=0)}


def _rules(listed: Sequence[Upgrade], money: Mapping[int, float]) -> tuple[SetRules, list[str]]:
    """What sets are allowed; upgrades that no year of the budget is late enough for, in words."""
    last = max(money)
    late = {u: one for u, one in enumerate(listed) if one.earliest_year is not None and one.earliest_year > last}
    number = {one.id: k for k, one in enumerate(listed)}
    pairs = {tuple(sorted((number[one.id], number[other]))) for one in listed for other in one.excludes}
    rules = SetRules(
        costs=tuple(one.capex_usd for one in listed),
        budget=math.fsum(money.values()),
        excludes=tuple((a, b) for a, b in sorted(pairs)),
        needs=tuple((number[one.id], number[other]) for one in listed for other in one.needs),
        never=frozenset(late),
    )
    text = f"is not chosen: the last year of the budget is {last}, and it can be built from"
    return rules, [f"{one.id} {text} {one.earliest_year}" for one in late.values()]


# ---------------------------------------------------------------- money


def _money_of(made: UpgradeSets, listed: Sequence[Upgrade], how: dict[str, Any]) -> tuple[float, FloatArray]:
    """US$ of present value a US$ of cost to the users in a run, and present cost of each upgrade, by `cs.appraise`."""
    from corridor_sim.results.cash_flows import appraise
    from corridor_sim.results.comparison import Comparison

    runs = run_all(
        [made.shared.plan(one, whole=True) for one in ([], *([u] for u in range(len(listed))))], None,
        replications=range(2), rng=made.shared.root, engine=made.shared.engine, warn=False,
        workers=made.workers, executor=made.executor,
    )  # fmt: skip
    made.extra_runs += 2 * len(runs)
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


def _appraised(made: UpgradeSets, chosen: Set, numbers: Sequence[int], how: dict[str, Any]) -> Any:
    from corridor_sim.results.cash_flows import appraise
    from corridor_sim.results.comparison import Comparison

    if not chosen:
        return None
    both = (NOTHING, chosen)
    runs = run_all(
        [made.shared.plan(one, whole=True) for one in both], None, replications=numbers, rng=made.shared.root,
        engine=made.shared.engine, warn=False, workers=made.workers, executor=made.executor,
    )  # fmt: skip
    return appraise(Comparison(tuple(runs)), **how)


# ---------------------------------------------------------------- what is made of it


def _years(
    listed: Sequence[Upgrade],
    found: FoundSets,
    chosen: Set,
    rules: SetRules,
    money: Mapping[int, float],
    appraisal: Mapping[str, Any] | None,
) -> dict[int, int]:
    earliest = {u: year for u, one in enumerate(listed) if (year := one.earliest_year) is not None}
    rate = float(appraisal.get("discount_rate", 0.0)) if appraisal else 0.0
    return build_years(found.model, rules, chosen, money, earliest, rate)


def _frontier(
    found: FoundSets, rules: SetRules, price: FloatArray, observe: Callable[..., FloatArray], screening: int
) -> list[Set]:
    """The best set for budgets from nothing to everything: by the model, and among those that were looked at."""
    everything = math.fsum(rules.costs)
    seen = dict(found.screened)
    budgets = [everything * n / FRONTIER for n in range(1, FRONTIER + 1)]
    asked = {b: replace(rules, budget=b) for b in budgets}
    new = [one for b in budgets for one in best_sets(found.model, asked[b], 1, price) if one not in seen]
    if new := list(dict.fromkeys(new)):
        seen.update(zip(new, observe(new, range(screening)).mean(axis=1).tolist(), strict=True))

    def score(one: Set) -> float:
        return seen[one] + float(price[list(one)].sum())

    best = [min((s for s in seen if asked[b].allows(s)), key=lambda s: (score(s), rules.cost(s))) for b in budgets]
    best = [*best, found.best, NOTHING]
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
    made: UpgradeSets, listed: Sequence[Upgrade], found: FoundSets, price: FloatArray, factor: float, rules: SetRules
) -> tuple[Single, ...]:
    """What each upgrade saves alone (with what it needs), by runs and by formulas, and with which it acts most."""
    from corridor_sim.study.analytic_delay import analytic_delay_h

    wanted = set(made.shared.elements)
    formula = []
    for plan in made.plans:
        delay = analytic_delay_h(plan)
        formula.append(sum(value for id, value in delay.items() if not wanted or id in wanted))
    none = found.screened[NOTHING]
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
