"""Sets of upgrades as runs: the base with their improvements, on the part of the corridor that is asked about.

Sets are run in groups, beside the base: the compiled pass then works through each set only from where it
differs. One pool of processes serves the whole search, and each process keeps the plans that it made. What
was seen once is not run again; with a folder (`observed_sets`) not in a later search either.
"""

from __future__ import annotations

import concurrent.futures as futures
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators import INDICATORS, Collector, Options
from corridor_sim.indicators.table import Label
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.upgrades import Upgrade
from corridor_sim.plan.build import Planned, plan_of
from corridor_sim.plan.plan import Plan
from corridor_sim.statistics.portfolios import Set
from corridor_sim.study.asked_rows import ids_at, is_at
from corridor_sim.study.asked_run import options_of
from corridor_sim.study.draws import asked_part, routes_of
from corridor_sim.study.engine_choice import engine_for
from corridor_sim.study.observed_sets import ObservedSets
from corridor_sim.study.run import run_all
from corridor_sim.study.selecting import row_of
from corridor_sim.study.spread import spread

TOGETHER = 16
"""Sets that are run beside one run of the base."""
AMONG = 100
"""About how many sets a search runs: together they may be worth compiling for."""
COMPILED = "compiled"
NOTHING: Set = frozenset()

Group = tuple[tuple[Set, ...], tuple[int, ...]]
"""Sets, and the replications in which they are run."""


@dataclass(frozen=True, slots=True)
class SetRuns:
    """What the runs of all sets share; a process gets it once."""

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
    beside: bool
    """Whether sets are worked through from where they differ from the base."""
    known: dict[Set, Plan] = field(default_factory=dict, compare=False)
    """Plans that this process has made."""

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

    def kept_plan(self, chosen: Set) -> Plan:
        """The plan of a set, made once in a process."""
        if chosen not in self.known:
            self.known[chosen] = self.plan(chosen).plan
        return self.known[chosen]


def run_group(shared: SetRuns, group: Group) -> FloatArray:
    """Sums of the rows of the objective, shape (set, replication); runs in workers too.

    Raises
    ------
    CorridorError
        If a replication has no value, as where nobody came.
    """
    sets, replications = group
    alone = not shared.beside or all(one == NOTHING for one in sets)
    wanted = list(dict.fromkeys(sets if alone else (NOTHING, *sets)))
    plans = [shared.kept_plan(one) for one in wanted]
    runs = run_all(
        [Planned(plan, plan) for plan in plans], None, replications=replications, rng=shared.root,
        engine=shared.engine, workers=1, indicators=shared.kinds, options=shared.options, among=AMONG, warn=False,
    )  # fmt: skip
    values = {}
    for one, run in zip(wanted, runs, strict=True):
        at = {label: k for k, label in enumerate(run.rows.labels)}
        values[one] = np.sum([run.rows.values[at[label]] for label in shared.labels], axis=0)
        if np.isnan(values[one]).any():
            raise CorridorError(f"{run.name}: the objective has no value in some replication: nobody came")
    return np.array([values[one] for one in sets])


@dataclass(eq=False)
class UpgradeSets:
    """Values of sets of upgrades, run when they are asked for.

    Attributes
    ----------
    plans : tuple of Plan
        Of the base, then of each upgrade alone.
    seen : mapping of set to value by replication
    extra_runs : int
        Runs beside those of `seen`: of an appraisal, of draws.
    """

    shared: SetRuns
    plans: tuple[Plan, ...]
    places: tuple[str, ...]
    warnings: tuple[str, ...]
    workers: int = 1
    executor: futures.Executor | None = None
    kept: ObservedSets | None = None
    seen: dict[Set, dict[int, float]] = field(default_factory=dict)
    extra_runs: int = 0

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
        replications: int,
    ) -> UpgradeSets:
        """The base and each upgrade planned; problems of all of them are told at once."""
        elements = ids_at(plan, places) if places else ()
        part = asked_part(plan, elements)
        labels = objective_rows(part, objective, elements, places, where)
        kinds = tuple(
            kind for kind in INDICATORS if set(labels) & set(Collector(part, [0], [kind]).finish().labels)
        )  # fmt: skip
        options = options_of(scenario)
        chosen = engine_for(
            part, engine, root=root, replications=replications, indicators=kinds, options=options, among=AMONG
        )
        improvements = tuple(one.improvements for one in listed)

        def runs(flows: tuple[str, ...], routes: Any) -> SetRuns:
            return SetRuns(
                scenario,
                improvements,
                elements,
                flows,
                routes,
                labels,
                kinds,
                root,
                engine,
                options,
                chosen == COMPILED,
            )

        shared = runs((), None)
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
            shared = runs(flows, routes_of(resolve(scenario)))
        from corridor_sim.plan.load import loads

        over = [one.element for one in loads(part) if one.load >= 1.0]
        said = f"{scenario.name}: more comes than can pass at {', '.join(over)}: waits there measure the horizon"
        return cls(shared, (part, *plans), places, (said,) if over else ())

    @property
    def runs(self) -> int:
        """One set in one replication each, all stages together; those of a folder count as if they were made now."""
        return self.extra_runs + sum(len(one) for one in self.seen.values())

    def observe(self, sets: Sequence[Set], replications: Sequence[int]) -> FloatArray:
        """Value of each set in each replication, shape (set, replication)."""
        missing: dict[tuple[int, ...], list[Set]] = {}
        for one in dict.fromkeys(sets):
            mine = self.seen.setdefault(one, {})
            if self.kept is not None:
                mine.update((r, value) for r, value in self.kept.of(one).items() if r in replications)
            if left := tuple(r for r in replications if r not in mine):
                missing.setdefault(left, []).append(one)
        groups: list[Group] = []
        for left, wanted in missing.items():
            size = self._size(len(wanted))
            groups += [(tuple(wanted[k : k + size]), left) for k in range(0, len(wanted), size)]
        for number, values in spread(run_group, self.shared, groups, self.workers, self.executor):
            members, left = groups[number]
            for one, row in zip(members, values.tolist(), strict=True):
                self.seen[one].update(zip(left, row, strict=True))
            if self.kept is not None:
                self.kept.add(members, left, values)
        return np.array([[self.seen[one][r] for r in replications] for one in sets])

    def _size(self, count: int) -> int:
        """How many sets are run together, so that all workers have about as much."""
        if not self.shared.beside:
            return 1
        rounds = -(-count // (TOGETHER * self.workers))
        return -(-count // (rounds * self.workers))


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
