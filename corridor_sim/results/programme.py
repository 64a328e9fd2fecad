"""Which upgrades to build with a budget, in which year: the answer, its rivals, and what it hangs on."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corridor_sim.core.errors import CorridorError
from corridor_sim.indicators.words import indicator_called
from corridor_sim.model.upgrades import Upgrade
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.results.selected import VOID
from corridor_sim.statistics.selection import DrawnComparison

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.results.appraisal import Appraisal

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class BuiltSet:
    """A set of upgrades with what it costs and what it came to.

    `value` is the mean over fresh replications in the unit of the objective (smaller is better), `low` and
    `high` the 95 % interval of sampling noise of its difference from doing nothing, `saved`.
    """

    ids: tuple[str, ...]
    capex_usd: float
    value: float
    saved: float
    low: float
    high: float

    @property
    def called(self) -> str:
        """Ids of its upgrades in words."""
        return " + ".join(self.ids) or NOTHING


@dataclass(frozen=True, slots=True)
class Single:
    """What one upgrade brings alone, simulated and by formulas, and what others make of it."""

    id: str
    saved: float
    analytic: float
    partner: str
    """The upgrade with which it acts most, "" if there is none."""
    interaction: float
    """What both together save more than the sum of each alone; below 0 they do each other's work."""


SIGN_TEST = 3.84
"""Squared difference of two counts of signs over their sum that chance passes in 5 % [conover1999] sec. 3.4."""


@dataclass(frozen=True, eq=False)
class Regret:
    """What each of the last sets loses against the best of them, draw by draw of the inputs.

    Attributes
    ----------
    regret : array, shape (set, draw)
        In the unit of the objective; 0 for the set that is best in a draw.
    compared : DrawnComparison
        Each set against the best of the others, over the draws.
    """

    regret: Any
    compared: DrawnComparison
    draws: int
    drawn: int
    inputs: Mapping[str, float]
    """Inputs that the saving of the chosen set hangs on most, with their share of its variance."""
    values: Any
    """What each set comes to in each draw, as `regret`."""
    nothing: Any
    """What doing nothing comes to in each draw, shape (draw,)."""
    drawn_values: Mapping[str, Sequence[Any]]
    """Value of each input in each draw, by name; of inputs that move together that of the first."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What inputs are called, by name."""


@dataclass(frozen=True, eq=False)
class Programme:
    """What `cs.portfolio` found.

    Attributes
    ----------
    base : str
        Name of the scenario that is improved.
    upgrades : tuple of Upgrade
    budget_usd : mapping of year to money
    chosen : tuple of str
        Ids of the upgrades to build.
    years : mapping of id to year
        In which each is built.
    sets : tuple of BuiltSet
        The last sets, on fresh replications, the chosen one first, then by value.
    leader : BuiltSet
        The set that the comparison names best; the chosen one may be a cheaper one.
    worse_at_most : float
        By how much at most the chosen set is worse than it (one-sided, 1 - `alpha`); 0 where it is that set.
    staged : tuple of (year, BuiltSet)
        What stands at the end of each year, on fresh replications.
    frontier : tuple of BuiltSet
        By cost: the best set found for budgets from nothing to everything.
    singles : tuple of Single
    reached : bool
        False where the comparison of the last sets came to its limit.
    runs : int
        One set in one replication each, all stages together.

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

    base: str
    upgrades: tuple[Upgrade, ...]
    objective: str
    unit: str
    delta: float
    alpha: float
    budget_usd: Mapping[int, float]
    chosen: tuple[str, ...]
    years: Mapping[str, int]
    sets: tuple[BuiltSet, ...]
    leader: BuiltSet
    worse_at_most: float
    staged: tuple[tuple[int, BuiltSet], ...]
    frontier: tuple[BuiltSet, ...]
    singles: tuple[Single, ...]
    reached: bool
    runs: int
    replications: int
    window_h: float
    root: int
    regret: Regret | None = None
    appraisal: Appraisal | None = None
    warnings: tuple[str, ...] = ()
    wall_s: float = 0.0
    no_regret: str = ""
    """Why there is no regret although inputs were drawn, and what to give instead."""

    def _repr_html_(self) -> str:
        return str(bound("first_screen")(self))

    @property
    def plot(self) -> Pictures:
        """``plot.frontier()``, ``plot.regret()``, ``plot.build_order()``; matplotlib is imported only now."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    @property
    def best(self) -> BuiltSet:
        """The chosen set: the cheapest of those that are shown to be within the zone of the leader, or the leader."""
        return self.sets[0]

    @property
    def is_cheaper(self) -> bool:
        """Whether a cheaper set was chosen than the one that the comparison names best."""
        return self.best.ids != self.leader.ids

    @property
    def zone(self) -> str:
        """The indifference zone with its unit."""
        return f"{self.delta:g} {self.unit}"

    @property
    def near_optimal(self) -> tuple[BuiltSet, ...]:
        """Sets not worse than the leader by more than the zone, on fresh replications; the chosen one is the first."""
        return tuple(one for one in self.sets if one is self.best or one.value <= self.leader.value + self.delta)

    @property
    def guarantee(self) -> str:
        """What may be relied on, in words."""
        if not self.reached:
            said = "No guarantee: the comparison of the last sets came to its limit."
        else:
            said = (
                f"Of the last {len(self.sets)} sets the best, if it is better than every other by {self.zone} or more, "
                f"is named with a probability of at least {1 - self.alpha:g} (KN, common random numbers). That a "
                "better set never came so far is not excluded; the search is tested against all sets of a small border."
            )
        if self.is_cheaper:
            said += (
                " The chosen set is a cheaper one, shown on further replications to be worse than that one by no more "
                f"than the zone (one-sided, {1 - self.alpha:g})."
            )
        return said if self.regret is None else f"{said} {VOID}"

    def table(self) -> pd.DataFrame:
        """One line a set that was compared at the end: cost, value, what it saves with its interval, regret."""
        import pandas as pd

        frame = pd.DataFrame(
            {
                "set": [one.called for one in self.sets],
                "capex_usd": [one.capex_usd for one in self.sets],
                "value": [one.value for one in self.sets],
                "saved": [one.saved for one in self.sets],
                "low": [one.low for one in self.sets],
                "high": [one.high for one in self.sets],
                "unit": self.unit,
            }
        )
        if self.regret is not None:
            frame["mean_regret"] = self.regret.regret.mean(axis=1)
            frame["largest_regret"] = self.regret.regret.max(axis=1)
            frame["best_in_draws"] = (self.regret.regret == 0).mean(axis=1)
        return frame

    def draws_table(self) -> pd.DataFrame:
        """One line a set and draw, also of doing nothing: the inputs drawn, what it came to, what it saves, its regret.

        Returns
        -------
        DataFrame
            ``draw``, ``set``, ``capex_usd``, a column an input, ``value``, ``saved`` (against doing nothing in the same
            draw), ``regret`` (against the best of the last sets in it; that of doing nothing too).

        Raises
        ------
        CorridorError
            If inputs were not drawn.
        """
        import pandas as pd

        if self.regret is None:
            raise CorridorError("inputs were not drawn: give draws")
        found, best = self.regret, self.regret.values.min(axis=0)
        parts = []
        named = [(one.called, one.capex_usd) for one in self.sets]
        values = list(found.values)
        if NOTHING not in (name for name, _ in named):
            named, values = [*named, (NOTHING, 0.0)], [*values, found.nothing]
        for (name, capex), value in zip(named, values, strict=True):
            front = {"draw": range(found.draws), "set": name, "capex_usd": capex}
            answer = {"value": value, "saved": found.nothing - value, "regret": value - best}
            parts.append(pd.DataFrame({**front, **found.drawn_values, **answer}))
        return pd.concat(parts, ignore_index=True)

    def to_ema(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """The draws as experiments and outcomes, as ema_workbench takes them (``prim``, ``feature_scoring``, ...).

        Returns
        -------
        experiments : DataFrame
            A column an input, one a lever (an upgrade, built or not), then ``scenario`` (the draw), ``policy`` (the
            set) and ``model``.
        outcomes : dict of str to array
            ``value``, ``saved`` and ``regret``, a number an experiment.

        Raises
        ------
        CorridorError
            If inputs were not drawn.

        Notes
        -----
        ema_workbench itself is not needed for this.
        """
        table = self.draws_table()
        outcomes = {name: table.pop(name).to_numpy(dtype=float) for name in ("value", "saved", "regret")}
        built = {one.called: frozenset(one.ids) for one in self.sets} | {NOTHING: frozenset()}
        experiments = table.drop(columns=["draw", "set", "capex_usd"])
        for upgrade in self.upgrades:
            experiments[upgrade.id] = [upgrade.id in built[name] for name in table["set"]]
        return experiments.assign(scenario=table["draw"], policy=table["set"], model=self.base), outcomes

    def to_data(self) -> dict[str, Any]:
        """The programme as plain values."""
        return {
            "base": self.base,
            "objective": self.objective,
            "unit": self.unit,
            "delta": self.delta,
            "budget_usd": {str(year): money for year, money in self.budget_usd.items()},
            "chosen": list(self.chosen),
            "years": dict(self.years),
            "named_best": list(self.leader.ids),
            "worse_at_most": self.worse_at_most,
            "near_optimal": [_plain(one) for one in self.near_optimal],
            "guarantee": self.guarantee,
            "sets": self.table().to_dict("records"),
            "staged": [{"year": year, **_plain(one)} for year, one in self.staged],
            "frontier": [_plain(one) for one in self.frontier],
            "singles": [
                {
                    "id": one.id,
                    "saved": one.saved,
                    "analytic": one.analytic,
                    "partner": one.partner,
                    "interaction": one.interaction,
                }
                for one in self.singles
            ],
            "hangs_on": {} if self.regret is None else dict(self.regret.inputs),
            "appraisal": None if self.appraisal is None else self.appraisal.to_data(),
            "runs": self.runs,
            "root_entropy": self.root,
            "warnings": list(self.warnings),
            "wall_s": self.wall_s,
        }

    def answer(self, *, ids: bool = False) -> str:
        """The answer in five sentences, with what it hangs on; upgrades by name, by id with `ids`."""
        best, money = self.best, sum(self.budget_usd.values())
        order = sorted(self.years, key=lambda id: (self.years[id], self.chosen.index(id)))
        by_year: dict[int, list[str]] = {}
        for id in order:
            by_year.setdefault(self.years[id], []).append(self._called(id, ids))
        when = "; ".join(f"{year}: {', '.join(names)}" for year, names in by_year.items())
        first = f"With {_m(money)} build {when}." if when else f"With {_m(money)} build nothing."
        if (rather := self.better_over_draws()) is not None:
            share = float((self.regret.regret[self.sets.index(rather)] == 0).mean())  # type: ignore[union-attr]
            first = (
                f"{first[:-1]} at the stated figures; over the draws of the inputs the set "
                f"{self.beside(rather, ids=ids)} ({_m(rather.capex_usd)}) is the better choice, "
                f"best in {share:.0%} of them."
            )
        what = self.objective if ids else indicator_called(self.objective)
        second = (
            f"Together they cost {_m(best.capex_usd)} and save {best.saved:,.0f} {self.unit} ({what}; "
            f"{best.low:,.0f} to {best.high:,.0f}, sampling noise only) against {self.base}"
            + ("." if self.appraisal is not None else f" in {self.window_h / 24:,.4g} days.")
        )
        third = self._third(ids)
        return " ".join([first, second, third, self._fourth(ids), self._fifth(ids)])

    def better_over_draws(self) -> BuiltSet | None:
        """The set that the draws of the inputs speak for against the chosen one, if there is one.

        It loses least on average, and it is better than the chosen set in more draws than chance would have it
        (sign test, 5 %). None without draws.
        """
        if self.regret is None:
            return None
        regret = self.regret.regret
        least = int(regret.mean(axis=1).argmin())
        better, worse = (int((regret[least] < regret[0]).sum()), int((regret[least] > regret[0]).sum()))
        return self.sets[least] if least and (better - worse) ** 2 > SIGN_TEST * (better + worse) else None

    def _third(self, ids: bool) -> str:
        """What else is as good, what it costs, and why the cheaper is recommended or not."""
        rivals = self.near_optimal[1:]
        if self.is_cheaper:
            more = len(rivals) - (self.leader in rivals)
            others = f"; of the others {more} {_is(more)} within it too" if more else ""
            worse, dearer = max(self.worse_at_most, 0.0), self.leader.capex_usd - self.best.capex_usd
            return (
                f"It is recommended as the cheapest that is as good: the set that the comparison names best "
                f"({self.beside(self.leader, ids=ids)}) costs {_m(dearer)} more and saves at most "
                f"{worse:,.0f} {self.unit} more ({1 - self.alpha:.0%}), within the {self.zone} that do not "
                f"matter{others}."
            )
        if not rivals:
            return f"No other set that was compared at the end is within {self.zone} of it."
        least = min(rivals, key=lambda one: one.capex_usd)
        less = self.best.capex_usd - least.capex_usd
        told = f", {_m(less)} less, but not shown to be as good" if less > 0 else ", so none is cheaper"
        return (
            f"{len(rivals)} other set{'s' if len(rivals) > 1 else ''} {_is(len(rivals))} within {self.zone} of it, the "
            f"cheapest ({self.beside(least, ids=ids)}) for {_m(least.capex_usd)}{told}."
        )

    def beside(self, one: BuiltSet, *, ids: bool = False) -> str:
        """A set as what it has that the chosen one has not, and the other way round: ``+ lane - scanner``."""
        more = [f"+ {self._called(id, ids)}" for id in one.ids if id not in self.chosen]
        less = [f"- {self._called(id, ids)}" for id in self.chosen if id not in one.ids]
        return (" " if ids else "; ").join([*more, *less]) or "the chosen set"

    def _fourth(self, ids: bool) -> str:
        if self.no_regret:
            return self.no_regret
        if self.regret is None:
            return "Inputs are taken as exact; draw them (draws=) to see what an error of them costs."
        regret = self.regret.regret
        robust = int(regret.max(axis=1).argmin())
        same = "it loses least at worst"
        if robust:
            other = self.sets[robust]
            most = f"{regret[robust].max():,.0f} {self.unit} at most"
            same = f"the set {self.beside(other, ids=ids)} ({_m(other.capex_usd)}) loses least at worst, {most}"
        draws = f"{self.regret.draws} draws of the inputs"
        if self.regret.draws < self.regret.drawn:
            draws = f"the {self.regret.draws} of {self.regret.drawn} draws of the inputs that the observations leave"
        return (
            f"Over {draws} it is the best in {(regret[0] == 0).mean():.0%} and loses "
            f"{regret[0].mean():,.0f} {self.unit} on average and {regret[0].max():,.0f} at most against the best "
            f"of the others; {same}."
        )

    def _fifth(self, ids: bool) -> str:
        if self.regret is not None and self.regret.inputs:
            words = {} if ids else self.regret.called
            (first, share), *rest = ((words.get(name, name), share) for name, share in self.regret.inputs.items())
            more = "".join(f", {name} ({share:.0%})" for name, share in rest)
            return f"What it saves hangs most on {first} ({share:.0%} of its variance over the draws){more}."
        strongest = max(self.singles, key=lambda one: abs(one.interaction), default=None)
        if strongest is None or not strongest.partner:
            if not self._pairs():
                return "No two upgrades can be built together, so none was seen to act on another."
            return "No two upgrades act on each other."
        how = "less" if strongest.interaction < 0 else "more"
        return (
            f"It hangs on what upgrades do together: {self._called(strongest.id, ids)} and "
            f"{self._called(strongest.partner, ids)} save "
            f"{abs(strongest.interaction):,.0f} {self.unit} {how} than the sum of each alone."
        )

    def _pairs(self) -> bool:
        """Whether two of the upgrades that were run can stand beside each other."""
        run = {one.id for one in self.singles if not math.isnan(one.saved)}
        each = [one for one in self.upgrades if one.id in run]
        return any(a.id not in b.excludes and b.id not in a.excludes for a, b in itertools.combinations(each, 2))

    def describe(self, *, ids: bool = False) -> str:
        """The answer in five sentences, the sets, the years, what each upgrade brings; by name, by id with `ids`."""
        lines = [self.answer(ids=ids), "", self.guarantee, ""]
        lines.append(f"{'sets compared at the end':76s}{'US$ m':>7s}{'saved':>13s}{'interval':>25s}")
        for one in self.sets:
            between = f"{one.low:,.0f} to {one.high:,.0f}"
            called = self.beside(one, ids=ids)
            if one is self.best:
                called = f"chosen: {'; '.join(self._called(id, ids) for id in one.ids) or NOTHING}"
            called += " (named best)" if self.is_cheaper and one.ids == self.leader.ids else ""
            *above, last = textwrap.wrap(called, 75, subsequent_indent="  ")
            lines += [*above, f"{last:76s}{one.capex_usd / 1e6:7.2f}{one.saved:13,.0f}{between:>25s}"]
        saved = "saved" if self.appraisal is not None else f"saved in {self.window_h / 24:,.4g} days like these"
        near = self.near_optimal
        if len(near) > 1:
            costs = sorted(one.capex_usd for one in near)
            lines.append(f"{len(near)} of them within {self.zone} of the best, for {_m(costs[0])} to {_m(costs[-1])}")
        lines += ["", f"{'at the end of':15s}{'US$ m':>9s}{saved:>30s}"]
        for year, one in self.staged:
            lines.append(f"{year:<15d}{one.capex_usd / 1e6:9.2f}{one.saved:30,.0f}")
        lines += ["", f"{'upgrade alone':40s}{'US$ m':>9s}{'saved':>12s}{'by formula':>12s}  acts most with"]
        for upgrade, single in zip(self.upgrades, self.singles, strict=True):
            act = f"{self._called(single.partner, ids)} ({single.interaction:+,.0f})" if single.partner else ""
            *above, last = textwrap.wrap(self._called(single.id, ids), 39, subsequent_indent="  ")
            lines += above
            lines.append(
                f"{last:40s}{upgrade.capex_usd / 1e6:9.2f}{_number(single.saved):>12s}"
                f"{_number(single.analytic):>12s}  {act}"
            )
        lines += ["", f"{self.runs} runs of one set, seed {self.root}, {self.wall_s:.0f} s."]
        lines += [f"warning: {text}" for text in self.warnings]
        return "\n".join(lines)

    def _called(self, id: str, ids: bool = False) -> str:
        return id if ids else next((one.called for one in self.upgrades if one.id == id), id)

    def __repr__(self) -> str:
        return f"<Programme {self.best.called}: {_m(self.best.capex_usd)} of {_m(sum(self.budget_usd.values()))}>"


def _plain(one: BuiltSet) -> dict[str, Any]:
    return {
        "set": list(one.ids),
        "capex_usd": one.capex_usd,
        "value": one.value,
        "saved": one.saved,
        "low": one.low,
        "high": one.high,
    }


def _number(value: float) -> str:
    """A number, or a dash where there is none: an upgrade that cannot be built, an objective without a formula."""
    return "-" if math.isnan(value) else f"{value:,.0f}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _m(usd: float) -> str:
    """Millions of US$."""
    return f"US$ {usd / 1e6:,.1f} m"
