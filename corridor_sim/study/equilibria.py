"""What people choose, and what comes of it, in draws of the inputs.

In each draw every scenario has the values drawn, as `uncertainty` draws them, and is brought into equilibrium
(`in_equilibrium`). Scenarios share values and random streams, so their differences are of what differs between
them. Whether a draw reached the target is kept and told: one that did not is where its search ended.
"""

from __future__ import annotations

import concurrent.futures as futures
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.label import Label
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.called import Called
from corridor_sim.results.drawn_equilibria import DrawnEquilibria
from corridor_sim.statistics.scrambles import scrambled_points, scrambles_of
from corridor_sim.study.asked_run import Runnable, planned, root_of
from corridor_sim.study.behaviour import Behaviour, alternatives_of, in_equilibrium, scenario_behind
from corridor_sim.study.designs import with_values
from corridor_sim.study.equilibrium import Equilibrium
from corridor_sim.study.spread import hands, spread
from corridor_sim.study.uncertainty import space_of

PRIOR = "uniform"


def equilibria(
    base: Runnable,
    *others: Runnable,
    behaviour: Behaviour,
    draws: int = 32,
    replications: int = 2,
    target: float = 0.01,
    executor: futures.Executor | None = None,
    workers: int | None = None,
    **settings: Any,
) -> DrawnEquilibria:
    """Equilibria of scenarios under everything that their inputs may be.

    Parameters
    ----------
    base, *others : Scenario, path or name
    behaviour : Behaviour
        Where it names nobody, who passes where the base is overloaded at the stated values answers in every draw.
    draws : int
        A power of two.
    replications : int
        Of each run in a draw.
    target, **settings
        As for `cs.equilibrium`: averaging, most, rng, indicators, ...
    executor, workers
        As for `cs.uncertainty`; the answer does not depend on them.

    Returns
    -------
    DrawnEquilibria
        With `share_reached`, `interval(indicator, ...)`, `describe()` and `to_frame()`.

    Raises
    ------
    ArgumentError, CorridorError, ScenarioError
        As `cs.compare_with_behaviour`; of a draw with its number; and if nothing has a range.

    Notes
    -----
    Rows are those that every draw has in every scenario. Intervals hold draws that did not reach the target unless
    ``reached_only=True``; those that did are no fair sample of all, for where a post is overloaded the target is not
    reached more often.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> june = cs.load_scenario("growth_2028", {"run.horizon_days": 6, "run.warm_up_days": 1})
    >>> who = cs.Behaviour(50.0, {"south_bilateral": ["samur", "khanoba"]})
    >>> found = cs.equilibria(june, behaviour=who, draws=2, target=0.05, workers=1, indicators=["wait_h"])
    >>> found.shares[0]["south_bilateral"].shape
    (2, 2)
    """
    draws = arguments.whole("draws", draws, 2, MAX_REPLICATIONS)
    try:
        scrambles_of(draws)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    target = arguments.number("target", target, 1e-6, 0.5)
    scenarios = tuple(scenario_behind(one) for one in (base, *others))
    root = root_of(scenarios[0], settings.pop("rng", None))
    how = {**settings, "rng": root, "target": target, "workers": 1}
    how["replications"] = arguments.whole("replications", replications, 1)
    space = space_of(scenarios)
    if not len(space):
        raise CorridorError("no figure of these scenarios has a range: there is nothing to draw")
    named = replace(behaviour, alternatives=alternatives_of(scenarios[0], behaviour, how))
    points, scramble = scrambled_points(draws, len(space), root)
    each = range(len(scenarios))
    jobs = [(n, tuple(space.values(k, point, PRIOR) for k in each)) for n, point in enumerate(points)]
    told = dict(spread(_drawn, _EquilibriaShared(scenarios, named, how), jobs, hands(executor, workers), executor))
    found = [told[n] for n in range(draws)]
    labels, values = _table(found)
    return DrawnEquilibria(
        names=tuple(one.name or "run" for one in scenarios),
        labels=labels,
        values=values,
        gaps=np.array([[one[k].gap for one in found] for k in each]),
        target=target,
        points=points,
        scramble=np.asarray(scramble),
        ways=tuple(found[0][k].ways for k in each),
        shares=tuple(
            {flow: np.stack([one[k].shares[flow] for one in found]) for flow in found[0][k].ways} for k in each
        ),
        demand_factor=tuple(
            {flow: np.array([one[k].factor[flow] for one in found]) for flow in found[0][k].ways} for k in each
        ),
        called=_called(scenarios, found[0]),
    )


def _called(scenarios: Sequence[Scenario], ways: Sequence[Any]) -> dict[str, str]:
    """What is chosen among, and who chooses: flows and crossings by name."""
    found: dict[str, str] = {}
    for scenario, one in zip(scenarios, ways, strict=True):
        called = Called(planned(scenario))
        for id in {id for flow, listed in one.ways.items() for id in (flow, *listed)}:
            if id in scenario.flows or id in scenario.choices:
                found.setdefault(id, called.flow(id))
            else:
                found.setdefault(id, called.crossing(id))
    return found


@dataclass(frozen=True, slots=True)
class _EquilibriaShared:
    """What all draws share."""

    scenarios: tuple[Scenario, ...]
    behaviour: Behaviour
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _EquilibriumFound:
    """The equilibrium of one scenario in one draw."""

    labels: tuple[Label, ...]
    values: FloatArray
    gap: float
    ways: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, FloatArray]
    factor: Mapping[str, float]


def _drawn(shared: _EquilibriaShared, job: tuple[int, tuple[Mapping[str, Any], ...]]) -> tuple[_EquilibriumFound, ...]:
    """All scenarios of a draw."""
    number, values = job
    try:
        scenarios = [with_values(one, mine) for one, mine in zip(shared.scenarios, values, strict=True)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorridorWarning)  # What is not reached is told of all draws together.
            found = in_equilibrium(scenarios, shared.behaviour, shared.settings)
    except CorridorError as error:
        raise CorridorError(f"draw {number}: {error}") from None
    return tuple(_told(one) for one in found)


def _told(found: Equilibrium) -> _EquilibriumFound:
    rows = found.results.rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # A row of which no replication knows a value.
        values = np.nanmean(rows.values, axis=1) if rows.values.size else np.zeros(0)
    ways = {one.flow: one.flows if hasattr(one, "flows") else one.crossings for one in found.choosers}
    return _EquilibriumFound(
        tuple(rows.labels), values, found.gaps[-1], ways, dict(found.shares), dict(found.demand_factor)
    )


def _table(found: Sequence[Sequence[_EquilibriumFound]]) -> tuple[tuple[Label, ...], FloatArray]:
    """Rows that every draw of every scenario has, and their values, shape (rows, scenarios, draws)."""
    every = [one for draw in found for one in draw]
    common = set(every[0].labels).intersection(*(one.labels for one in every[1:]))
    labels = tuple(label for label in every[0].labels if label in common)
    values = np.zeros((len(labels), len(found[0]), len(found)))
    for n, draw in enumerate(found):
        for k, one in enumerate(draw):
            at = {label: number for number, label in enumerate(one.labels)}
            values[:, k, n] = one.values[[at[label] for label in labels]]
    return labels, values
