"""Scenarios compared with people who answer: flows choose a crossing, and demand answers to the cost of the journey.

A base that is overloaded and in which nobody can do anything else is a base that nobody lives with (rule D38). Here the
study says who may choose among what and how demand answers, and base and others are brought into the equilibrium of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import Results
from corridor_sim.study.asked_run import Runnable, planned, replication_numbers
from corridor_sim.study.equilibrium import SEARCH, Equilibrium, equilibrium
from corridor_sim.study.run import run
from corridor_sim.study.years import in_year

OF_THE_SEARCH = ("target", "most", "search_replications", "averaging", "follow")
"""Settings of an equilibrium that a run does not know."""
NEXT_TO_NOTHING = -1e-9
"""Elasticity of the run that tells the reference cost: one crossing is enough for a flow that answers."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What people do about a queue, as the study states it.

    Attributes
    ----------
    scale_usd : float
        Scale of the logit, as in `cs.equilibrium`. [US$ a consignment]
    alternatives : mapping of flow to crossings, optional
        Who chooses among what. Without it: with an elasticity the flows that pass where the base is overloaded, each
        over the crossings that it takes; without one every flow with shares over several crossings.
    elasticity : float
        Of demand to the cost of the journey, at most 0.
    source : str
        Where the elasticity is from, or "assumed ..."; needed with one.
    reference_year : int, optional
        Demand is that of the scenario at the cost of the base in this year; that of the base itself if not given.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Behaviour(50.0, elasticity=-0.5, source="assumed", reference_year=2025).scale_usd
    50.0
    """

    scale_usd: float
    alternatives: Mapping[str, Sequence[str]] | None = None
    elasticity: float = 0.0
    source: str = ""
    reference_year: int | None = None

    def __post_init__(self) -> None:
        arguments.number("scale_usd", self.scale_usd, above=0)
        arguments.number("elasticity", self.elasticity, -10, 0)
        if self.elasticity and not self.source.strip():
            raise ArgumentError('an elasticity needs its source: where the figure is from, or "assumed" and why')
        if not self.elasticity and (self.source or self.reference_year is not None):
            raise ArgumentError("source and reference_year are of an elasticity, and there is none")

    @property
    def told(self) -> str:
        """In words, for the notes of an appraisal."""
        words = f"Flows choose their crossing by a logit with a scale of US$ {self.scale_usd:g} a consignment."
        if not self.elasticity:
            return words
        at = "of the base" if self.reference_year is None else f"of the base in {self.reference_year}"
        return (
            f"Demand answers to the cost of the journey with an elasticity of {self.elasticity:g} (source: "
            f"{self.source.strip()}); at the cost {at} it is that of the scenario. {words}"
        )


def compare_with_behaviour(
    base: Runnable, *others: Runnable, behaviour: Behaviour, **settings: Any
) -> tuple[Comparison, tuple[Equilibrium, ...]]:
    """`compare` where people answer: each scenario in its equilibrium, on common random numbers.

    Parameters
    ----------
    base, *others : Scenario, path or name
    behaviour : Behaviour
    **settings
        As for `cs.equilibrium`: replications, rng, target, most, ...

    Returns
    -------
    Comparison, tuple of Equilibrium
        The runs, and how they were come to (whether the search reached its target, who takes what).

    Raises
    ------
    CorridorError
        If demand is to answer and the base is overloaded nowhere, so that nobody is named who answers.
    ScenarioError
        If a flow cannot choose.
    """
    found = in_equilibrium([scenario_behind(one) for one in (base, *others)], behaviour, settings)
    return Comparison(tuple(one.results for one in found)), found


def in_equilibrium(
    scenarios: Sequence[Scenario], behaviour: Behaviour, settings: Mapping[str, Any]
) -> tuple[Equilibrium, ...]:
    """Each scenario in its equilibrium; the first is the base, which the reference cost of demand is of.

    Parameters
    ----------
    settings : mapping
        As for `cs.equilibrium`.
    """
    ways = alternatives_of(scenarios[0], behaviour, settings)
    how = {**settings, "scale_usd": behaviour.scale_usd, "alternatives": ways, "starts": 1}
    more: dict[str, Any] = {}
    if behaviour.elasticity:
        year = behaviour.reference_year
        calm = scenarios[0] if year is None else in_year(scenarios[0], year)
        at_rest = equilibrium(calm, **how, elasticity=NEXT_TO_NOTHING, reference=dict.fromkeys(ways or (), 1.0))
        more = {"elasticity": behaviour.elasticity, "reference": at_rest}
    return tuple(equilibrium(one, **how, **more) for one in scenarios)


def flows_over(scenario: Scenario, stages: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    """Flows that pass posts in these directions, and the crossings of that border that each takes.

    Parameters
    ----------
    stages : collection of (post, direction)
    """
    found: dict[str, list[str]] = {}
    for flow, ways in resolve(scenario).ways.items():
        for hop in (hop for way in ways for hop in way.hops if scenario.legs[hop.leg].border):
            if (hop.start, "exit") not in stages and (hop.end, "entry") not in stages:
                continue
            crossing = str(scenario.checkpoints[hop.start].crossing)
            listed = found.setdefault(flow, [])
            if crossing not in listed:
                listed.append(crossing)
    return found


def alternatives_of(
    base: Scenario, behaviour: Behaviour, settings: Mapping[str, Any]
) -> Mapping[str, Sequence[str]] | None:
    """Who chooses among what: as stated, else with an elasticity who passes where the base is overloaded."""
    if behaviour.alternatives is None and behaviour.elasticity:
        return _through_overload(base, settings)
    return behaviour.alternatives


def _through_overload(base: Scenario, settings: Mapping[str, Any]) -> dict[str, list[str]]:
    """The flows that pass where the base is overloaded, those that can answer."""
    few = replication_numbers(base, settings.get("replications"))[:SEARCH]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        results = run(base, **{**_of_a_run(settings), "replications": few})
    found = {
        flow: crossings
        for flow, crossings in flows_over(base, overloaded_posts(results)).items()
        if base.flows[flow].value_of_time_usd_h and base.flows[flow].route == "cheapest"
    }
    if not found:
        raise CorridorError(
            "demand is to answer, and no flow that could passes an overloaded post of the base: say who answers "
            "(alternatives={flow: [crossings]}, --choose FLOW=CROSSING)"
        )
    return found


def overloaded_posts(results: Results) -> set[tuple[str, str]]:
    """(post, direction) of the overloaded stages of a run."""
    over = results.overloaded()
    return {(str(one.post), str(one.direction)) for one in results.plan.elements if one.id in over and one.post}


def _of_a_run(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an equilibrium that a run knows too."""
    return {name: value for name, value in settings.items() if name not in OF_THE_SEARCH}


def scenario_behind(one: Runnable) -> Scenario:
    """The scenario of what is run.

    Raises
    ------
    CorridorError
        If it is a plan.
    """
    scenario = planned(one).scenario
    if not isinstance(scenario, Scenario):
        raise CorridorError("nobody chooses in a plan: give a scenario")
    return scenario
