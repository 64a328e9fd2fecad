"""Which set of options is best under a budget, when what they bring together is not the sum of what each brings.

A search in stages. Every option alone and every pair is observed, and a model of single and pair effects is fitted;
integer programming gives the sets that the model holds for best; these are observed, the model is fitted again, and
so on. The last few are compared on observations that no stage before has seen. Values are costs: smaller is better.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.selection import Selection, select_best

Set = frozenset[int]
Observed = Callable[[Sequence[Set], Sequence[int]], FloatArray]
"""(sets, replications) -> values, shape (set, replication)."""
RIDGE = 1e-6
"""Penalty of effects in the fit, in shares of the weights: it decides only what no observation does (assumed)."""
ENUMERATED = 14
"""Options up to which all sets are gone through: 16,384."""
NEAR = 0.5
"""How fast the error of the model at one set stops telling of others, a step of one option apart (assumed)."""


@dataclass(frozen=True)
class SetRules:
    """What sets are allowed: costs and a budget, pairs that exclude each other, options that need another.

    Attributes
    ----------
    costs : tuple of float
    budget : float
    excludes : tuple of (int, int)
    needs : tuple of (int, int)
        (option, what it needs).
    never : frozenset of int
        Options that no set has.
    """

    costs: tuple[float, ...]
    budget: float = math.inf
    excludes: tuple[tuple[int, int], ...] = ()
    needs: tuple[tuple[int, int], ...] = ()
    never: Set = frozenset()

    def cost(self, chosen: Iterable[int]) -> float:
        """Cost of a set."""
        return math.fsum(self.costs[u] for u in chosen)

    def is_possible(self, chosen: Set) -> bool:
        """Whether a set could be built, whatever it costs."""
        apart = not any(a in chosen and b in chosen for a, b in self.excludes)
        return apart and not chosen & self.never and all(b in chosen for a, b in self.needs if a in chosen)

    def allows(self, chosen: Set) -> bool:
        """Whether a set can be built within the budget."""
        return self.is_possible(chosen) and self.cost(chosen) <= self.budget * (1 + 1e-12)

    def with_needs(self, chosen: Iterable[int]) -> Set:
        """A set with all that its options need."""
        found, before = set(chosen), -1
        while len(found) != before:
            before = len(found)
            found |= {b for a, b in self.needs if a in found}
        return frozenset(found)


@dataclass(frozen=True, eq=False)
class PairModel:
    """Value of a set from a constant, effects of options and of pairs, and what it missed at sets near by."""

    constant: float
    single: FloatArray
    pair: Mapping[tuple[int, int], float]
    missed: Mapping[Set, float] = field(default_factory=dict)

    @classmethod
    def fit(cls, values: Mapping[Set, float], options: int) -> PairModel:
        """Weighted least squares over observed sets; those near the best weigh most."""
        sets = list(values)
        observed = np.array([values[one] for one in sets])
        pairs = [
            (a, b)
            for a, b in itertools.combinations(range(options), 2)
            if any(a in one and b in one for one in sets)
        ]  # fmt: skip
        x = np.zeros((len(sets), 1 + options + len(pairs)))
        for k, one in enumerate(sets):
            x[k, 0] = 1.0
            x[k, [1 + u for u in one]] = 1.0
            x[k, [1 + options + p for p, (a, b) in enumerate(pairs) if a in one and b in one]] = 1.0
        spread = max(float(observed.max() - observed.min()), 1e-300)
        weight = 1.0 / (0.1 + (observed - observed.min()) / spread) ** 2
        root = np.sqrt(weight / weight.max())
        penalty = np.diag(np.r_[0.0, np.full(x.shape[1] - 1, math.sqrt(RIDGE))])
        found = np.linalg.lstsq(
            np.vstack([x * root[:, None], penalty]), np.r_[observed * root, np.zeros(x.shape[1])], rcond=None
        )[0]
        plain = cls(
            float(found[0]), found[1 : 1 + options], dict(zip(pairs, found[1 + options :].tolist(), strict=True))
        )
        return cls(plain.constant, plain.single, plain.pair, {one: values[one] - plain.value(one) for one in sets})

    def value(self, chosen: Set) -> float:
        """What the effects give for a set, without what they missed near by."""
        both = math.fsum(self.pair.get(pair, 0.0) for pair in itertools.combinations(sorted(chosen), 2))
        return self.constant + float(self.single[list(chosen)].sum()) + both

    def predict(self, chosen: Set) -> float:
        """Value of a set, corrected by what the effects missed at sets that differ in few options."""
        weights = {one: NEAR ** (2 * len(one ^ chosen)) for one in self.missed}
        total = NEAR + math.fsum(weights.values())
        return self.value(chosen) + math.fsum(weights[one] * self.missed[one] for one in weights) / total


def best_sets(model: PairModel, rules: SetRules, count: int, price: FloatArray | None = None) -> list[Set]:
    """Sets of least modelled value within the rules, the best first.

    Up to `ENUMERATED` options all sets are looked at; with more, `best_sets_by_milp` gives the same.
    """
    k = len(rules.costs)
    if k > ENUMERATED:
        return best_sets_by_milp(model, rules, count, price)
    x = (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(float)
    fits = x @ np.array(rules.costs) <= rules.budget * (1 + 1e-12)
    for a, b in rules.excludes:
        fits &= x[:, a] + x[:, b] < 2
    for a, b in rules.needs:
        fits &= x[:, a] <= x[:, b]
    fits &= ~x[:, sorted(rules.never)].any(axis=1)
    x = x[fits]
    value = x @ (model.single + (0.0 if price is None else price))
    for (a, b), effect in model.pair.items():
        value += effect * x[:, a] * x[:, b]
    order = np.argsort(value, kind="stable")[:count]
    return [frozenset(np.flatnonzero(row).tolist()) for row in x[order]]


def best_sets_by_milp(model: PairModel, rules: SetRules, count: int, price: FloatArray | None = None) -> list[Set]:
    """Sets of least modelled value within the rules, the best first, by integer programming (HiGHS).

    A product of two choices is a variable of its own, tied to them by inequalities; a set that was found
    is cut off and the program solved again.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    k, pairs = len(rules.costs), [pair for pair, effect in model.pair.items() if effect]
    size = k + len(pairs)
    aim = np.r_[model.single + (0.0 if price is None else price), [model.pair[pair] for pair in pairs]]
    scale = float(np.abs(aim).max()) or 1.0
    rows: list[FloatArray] = []
    low: list[float] = []
    high: list[float] = []

    def require(entries: Mapping[int, float], least: float, most: float) -> None:
        row = np.zeros(size)
        row[list(entries)] = list(entries.values())
        rows.append(row)
        low.append(least)
        high.append(most)

    if math.isfinite(rules.budget):
        largest = max(max(rules.costs), rules.budget, 1e-300)
        require({u: cost / largest for u, cost in enumerate(rules.costs)}, -math.inf, rules.budget / largest + 1e-9)
    for a, b in rules.excludes:
        require({a: 1.0, b: 1.0}, -math.inf, 1.0)
    for a, b in rules.needs:
        require({a: 1.0, b: -1.0}, -math.inf, 0.0)
    for u in rules.never:
        require({u: 1.0}, 0.0, 0.0)
    for p, (a, b) in enumerate(pairs, start=k):
        # Only the side that the aim pulls to needs a bound.
        if aim[p] > 0:
            require({p: 1.0, a: -1.0, b: -1.0}, -1.0, math.inf)
        else:
            require({p: 1.0, a: -1.0}, -math.inf, 0.0)
            require({p: 1.0, b: -1.0}, -math.inf, 0.0)
    found: list[Set] = []
    whole = np.r_[np.ones(k), np.zeros(len(pairs))]
    while len(found) < count:
        within = [LinearConstraint(np.array(rows), low, high)] if rows else []
        solved = milp(aim / scale, constraints=within, integrality=whole, bounds=Bounds(0, 1))
        if solved.x is None:
            break
        chosen = frozenset(int(u) for u in np.flatnonzero(np.round(solved.x[:k]) == 1))
        found.append(chosen)
        require({u: -1.0 if u in chosen else 1.0 for u in range(k)}, 1.0 - len(chosen), math.inf)
    return found


@dataclass(frozen=True, eq=False)
class FoundSets:
    """What a search came to.

    Attributes
    ----------
    best : frozenset of int
    finalists : tuple of frozenset
        Compared on fresh observations, in the order of their cost.
    choice : Selection
        How they were compared.
    screened : mapping of set to float
        Mean of the first observations of every set that was looked at.
    model : PairModel
    runs : int
        Observations that were taken: one set in one replication each.
    fresh_from : int
        First replication that the search has not used.
    """

    best: Set
    finalists: tuple[Set, ...]
    choice: Selection
    screened: Mapping[Set, float]
    model: PairModel
    runs: int
    fresh_from: int


def find_best_set(
    observe: Observed,
    rules: SetRules,
    *,
    delta: float,
    alpha: float = 0.05,
    price: Sequence[float] | None = None,
    screening: int = 3,
    rounds: int = 6,
    each: int = 6,
    finalists: int = 8,
    first: int = 10,
    most: int = 60,
) -> FoundSets:
    """The set of least value within the rules, by a search in stages.

    Parameters
    ----------
    observe : function of sets and replications
        Values, smaller is better; replications of all sets share their random numbers.
    rules : SetRules
    delta : float
        Indifference zone of the last comparison.
    price : sequence of float, optional
        Added to the value for each option of a set: what it costs in the unit of the value.
    screening : int
        Observations of each set before the last comparison: replications 0, 1, ...
    rounds, each : int
        Rounds of model and observation, and sets observed in each.
    finalists, first, most : int
        Sets compared at the end by KN [kim2001] on replications that no stage before has seen; replications of its
        first stage; at most.

    Returns
    -------
    FoundSets

    Raises
    ------
    ValueError
        If no option fits the budget.

    Notes
    -----
    KN promises something of the finalists, not of the sets that never came so far. The search is tested
    against all sets of a small border.
    """
    k = len(rules.costs)
    prices = np.zeros(k) if price is None else np.asarray(price, dtype=float)
    seen: dict[Set, float] = {}
    runs = 0

    def look(sets: Iterable[Set]) -> None:
        nonlocal runs
        new = [one for one in dict.fromkeys(sets) if one not in seen]
        if new:
            values = observe(new, range(screening))
            runs += values.size
            seen.update(zip(new, values.mean(axis=1).tolist(), strict=True))

    def score(one: Set) -> float:
        return seen[one] + float(prices[list(one)].sum())

    singles = [rules.with_needs([u]) for u in range(k)]
    pairs = [rules.with_needs(pair) for pair in itertools.combinations(range(k), 2)]
    look([frozenset(), *(one for one in (*singles, *pairs) if rules.is_possible(one))])
    allowed = [one for one in seen if rules.allows(one)]
    if len(allowed) < 2:
        least = min((rules.cost(one) for one in singles if rules.is_possible(one)), default=None)
        more = f": the cheapest that can be built costs {least:,.0f}" if least is not None else ""
        raise ValueError(f"no option fits the budget{more}")
    model = PairModel.fit(seen, k)
    for _ in range(rounds):
        allowed = sorted((one for one in seen if rules.allows(one)), key=lambda one: (score(one), rules.cost(one)))
        ahead = {
            *best_sets(model, rules, 2 * each, prices),
            *itertools.chain(*(near(one, rules) for one in allowed[:3])),
        }
        new = {one: model.predict(one) + float(prices[list(one)].sum()) for one in ahead if one not in seen}
        wanted = sorted(new, key=lambda one: (new[one], sorted(one)))[:each]
        if not wanted or new[wanted[0]] > score(allowed[0]) + max(
            delta, 0.25 * abs(seen[frozenset()] - seen[allowed[0]])
        ):
            break
        look(wanted)
        model = PairModel.fit(seen, k)
    allowed = sorted((one for one in seen if rules.allows(one)), key=lambda one: (score(one), rules.cost(one)))
    last = tuple(sorted(allowed[:finalists], key=lambda one: (rules.cost(one), sorted(one))))

    kept: dict[tuple[Set, int], float] = {}

    def fresh(options: Sequence[int], replication: int) -> list[float]:
        nonlocal runs
        # A few at once: each call may have to plan the sets again.
        ahead = min(first if replication == 0 else max(1, first // 2), most - replication)
        missing = [last[o] for o in options if (last[o], replication) not in kept]
        if missing:
            values = observe(missing, range(screening + replication, screening + replication + ahead))
            runs += values.size
            for one, row in zip(missing, values.tolist(), strict=True):
                kept.update({(one, replication + r): value for r, value in enumerate(row)})
        return [kept[last[o], replication] + float(prices[list(last[o])].sum()) for o in options]

    choice = select_best(fresh, len(last), delta, alpha=alpha, n0=first, max_replications=most)
    return FoundSets(last[choice.best], last, choice, seen, model, runs, screening + most)


def near(chosen: Set, rules: SetRules) -> set[Set]:
    """Sets within the rules that differ by one option more, one less, or one for another, with what they need."""
    k = range(len(rules.costs))
    more = {rules.with_needs(chosen | {u}) for u in k if u not in chosen}
    less = {frozenset(chosen - {u}) for u in chosen}
    other = {rules.with_needs((chosen - {u}) | {v}) for u in chosen for v in k if v not in chosen}
    return {one for one in more | less | other if rules.allows(one)} - {chosen}


def build_years(
    model: PairModel,
    rules: SetRules,
    chosen: Set,
    money: Mapping[int, float],
    earliest: Mapping[int, int],
    discount_rate: float = 0.0,
) -> dict[int, int]:
    """In which year each option of a set is built so that the years are worth most, by integer programming.

    Parameters
    ----------
    model : PairModel
        Of the value of a year with what has been built; what is built in a year works from the next on.
    money : mapping of year to money
        That comes in each year; what is not spent is kept.
    earliest : mapping of option to year
    discount_rate : float
        Of the values of later years.

    Returns
    -------
    dict of option to year

    Raises
    ------
    ValueError
        If the money never suffices for all of them, or an option is not possible in these years.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    years, options = sorted(money), sorted(chosen)
    if not options:
        return {}
    place = {u: n for n, u in enumerate(options)}
    pairs = [pair for pair in itertools.combinations(options, 2) if model.pair.get(pair)]
    width, count = len(options) + len(pairs), len(years)
    aim, low, high, rows = np.zeros(width * count), [], [], []

    def require(entries: Mapping[int, float], least: float, most: float) -> None:
        row = np.zeros(width * count)
        row[list(entries)] = list(entries.values())
        rows.append(row)
        low.append(least)
        high.append(most)

    # Later years count a trifle less also without discounting, so that nothing waits for no reason.
    largest = max(max(rules.costs), sum(money.values()), 1e-300)
    for t, year in enumerate(years):
        base, weight = t * width, (1.0 + max(discount_rate, 1e-6)) ** -t
        aim[base : base + len(options)] = model.single[options] * weight
        for p, pair in enumerate(pairs, start=len(options)):
            aim[base + p] = model.pair[pair] * weight
            a, b = base + place[pair[0]], base + place[pair[1]]
            if aim[base + p] > 0:
                require({base + p: 1.0, a: -1.0, b: -1.0}, -1.0, math.inf)
            else:
                require({base + p: 1.0, a: -1.0}, -math.inf, 0.0)
                require({base + p: 1.0, b: -1.0}, -math.inf, 0.0)
        for u in options:
            if earliest.get(u, years[0]) > year:
                require({base + place[u]: 1.0}, 0.0, 0.0)
            if t:
                require({base + place[u]: 1.0, base - width + place[u]: -1.0}, 0.0, math.inf)
        for a, b in rules.needs:
            if a in place and b in place:
                require({base + place[a]: 1.0, base + place[b]: -1.0}, -math.inf, 0.0)
        spent = {base + place[u]: rules.costs[u] / largest for u in options}
        require(spent, -math.inf, sum(money[y] for y in years[: t + 1]) / largest + 1e-9)
    for u in options:
        require({(count - 1) * width + place[u]: 1.0}, 1.0, 1.0)
    whole = np.tile(np.r_[np.ones(len(options)), np.zeros(len(pairs))], count)
    scale = float(np.abs(aim).max()) or 1.0
    within = LinearConstraint(np.array(rows), low, high)
    solved = milp(aim / scale, constraints=within, integrality=whole, bounds=Bounds(0, 1))
    if solved.x is None:
        raise ValueError("the options cannot all be built in these years with this money")
    built = np.round(solved.x).reshape(count, width)[:, : len(options)]
    return {u: years[int(np.argmax(built[:, place[u]] == 1))] for u in options}
