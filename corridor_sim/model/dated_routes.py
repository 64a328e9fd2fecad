"""The routes each flow takes over the time of the run, with their dated shares.

A route depends on what is open, how fast the legs are, who needs the stages of
posts, the shares over crossings and one-stop posts; all of these may change by date. `dated_routes_of` finds
the route in each period between two changes and joins equal ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_MIXES
from corridor_sim.model.calendars import hours_after
from corridor_sim.model.changes import DatedChange, OneStop, value_at
from corridor_sim.model.checkpoints import Checkpoint
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.hosting import stated
from corridor_sim.model.routes import (
    Hop,
    NoRoute,
    State,
    border_of,
    cheapest,
    crossings_of,
    explicit,
)
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.shares import is_share
from corridor_sim.model.stages import Stage

ByPath = Mapping[str, Sequence[DatedChange]]
"""Dated changes on the clock of the run, by the path that they change."""


@dataclass(frozen=True, slots=True)
class DatedRoute:
    """One itinerary of a flow: its legs, the one-stop posts on it, and its share by date."""

    hops: tuple[Hop, ...]
    crossings: tuple[str, ...]
    one_stop: tuple[tuple[str, OneStop], ...]
    share: tuple[tuple[float, float], ...]
    """Pieces (from hour, share), the first from 0."""


def state_at(scenario: Scenario, changes: ByPath, time_h: float) -> State:
    """What is open, how fast legs are and who needs which stage at one time."""

    def closed(table: str, things: Mapping[str, object]) -> frozenset[str]:
        return frozenset(
            id
            for id, thing in things.items()
            if not value_at(thing.open, changes.get(f"{table}.{id}.open", ()), time_h)  # type: ignore[attr-defined]
        )

    speed = {}
    for id, leg in scenario.legs.items():
        if dated := changes.get(f"legs.{id}.speed_kmh"):
            base = leg.mean_speed_kmh
            speed[id] = value_at(base, dated, time_h) / base
    return State(closed("legs", scenario.legs), closed("checkpoints", scenario.checkpoints), speed, changes, time_h)


def read_by_routes(scenario: Scenario, changes: ByPath) -> list[Any]:
    """What routes are found by beside the flow, the legs and the places: of the posts what opens and delays there."""
    posts = [
        (id, post.open, post.hosts, post.channels, [_read_of(name, stage) for name, stage in _stages(post)])
        for id, post in scenario.checkpoints.items()
    ]
    dated = [(path, change) for path, change in changes.items() if path.startswith("crossings.") or _at_posts(path)]
    return [posts, dated]


def _stages(post: Checkpoint) -> Iterator[tuple[tuple[str, str], Stage]]:
    return (((way, name), stage) for way in DIRECTIONS for name, stage in post.stages(way).items())


def _read_of(name: tuple[str, str], stage: Stage) -> tuple[Any, ...]:
    shares = stage.share, stage.share_by_class, stage.channels, stage.factor_by_class
    return (*name, stage.cycle_h, *shares, stage.patience)


def _at_posts(path: str) -> bool:
    """Whether a change opens a post, or says who needs its stages."""
    return path.startswith("checkpoints.") and (path.endswith(".open") or is_share(path))


def dated_routes_of(
    scenario: Scenario, changes: ByPath, id: str, states: dict[float, State] | None = None
) -> list[DatedRoute]:
    """The itineraries of flow `id` in the run.

    `states` are what is open and how fast at the times looked at so far, for all flows of the scenario.

    Raises
    ------
    ScenarioError
        If there is no route at some time.
    """
    horizon_h, states = scenario.run.horizon_h, {} if states is None else states
    problems: list[Problem] = []
    shares: dict[tuple[tuple[Hop, ...], tuple[tuple[str, OneStop], ...]], dict[float, float]] = {}
    edges = [0.0, *sorted(edge for edge in _edges(scenario, changes, id) if 0 < edge < horizon_h)]
    for time_h in edges:
        if time_h not in states:
            states[time_h] = state_at(scenario, changes, time_h)
        state = states[time_h]
        try:
            for hops, share in _routes_at(scenario, changes, id, time_h, state):
                key = hops, _one_stops(scenario, changes, hops, time_h)
                at = shares.setdefault(key, {})
                at[time_h] = at.get(time_h, 0.0) + share
        except NoRoute as error:
            if not any(problem.message == error.problem.message for problem in problems):
                problems.append(error.problem)
    if problems:
        raise ScenarioError(problems)
    return [
        DatedRoute(hops, crossings_of(scenario, hops), stops, tuple((edge, at.get(edge, 0.0)) for edge in edges))
        for (hops, stops), at in shares.items()
    ]


def _routes_at(
    scenario: Scenario, changes: ByPath, id: str, time_h: float, state: State
) -> list[tuple[tuple[Hop, ...], float]]:
    flow = scenario.flows[id]
    if not isinstance(flow.route, str):
        hops = explicit(scenario, id)
        _require_open(id, hops, state, time_h)
        return [(hops, 1.0)]
    groups = _shares_at(scenario, changes, id, time_h, state)
    # Who is meant for one crossing of a border does not make a detour over the others.
    borders = {border_of(scenario, crossing) for group in groups for crossing in group}
    listed = {crossing for crossing in scenario.crossings if border_of(scenario, crossing) in borders}
    found = []
    mixes = math.prod(len(group) for group in groups)
    if mixes > MAX_MIXES:
        text = f"spreads the flow over {mixes} combinations of crossings; at most {MAX_MIXES} are followed"
        raise NoRoute(Problem(text, f"flows.{id}.crossing_shares"))
    for combination in itertools.product(*(group.items() for group in groups)):
        share = math.prod(part for _, part in combination)
        through = tuple(crossing for crossing, _ in combination)
        if share > 0:
            found.append((cheapest(scenario, id, state, through, listed - set(through)), share))
    first = list(found)
    if flow.balk is not None:
        found += [(_way_round(scenario, id, state, hops, flow.balk.crossing), 0.0) for hops, _ in first]
    known = {flow.balk.crossing} if flow.balk is not None else set()
    for hops, _ in first:
        for to in sorted(_left_for(scenario, hops, flow.cargo_class) - known):
            try:
                found.append((_way_round(scenario, id, state, hops, to), 0.0))
            except NoRoute:
                continue  # who leaves the queue is lost
    return found


def _way_round(scenario: Scenario, id: str, state: State, hops: tuple[Hop, ...], to: str) -> tuple[Hop, ...]:
    """The way by another crossing of a border: an itinerary of its own, even if nobody takes it from the start."""
    border = border_of(scenario, to)
    kept = [c for c in crossings_of(scenario, hops) if border_of(scenario, c) != border]
    others = {c for c in scenario.crossings if border_of(scenario, c) == border} - {to}
    return cheapest(scenario, id, state, (*kept, to), others)


def _left_for(scenario: Scenario, hops: tuple[Hop, ...], cargo_class: str) -> set[str]:
    """Crossings for which a class may leave the queue of a stage on the way (rule S34)."""
    crossings, found = crossings_of(scenario, hops), set()
    for post in scenario.checkpoints.values():
        if post.crossing not in crossings:
            continue
        for stage in (stage for direction in DIRECTIONS for stage in post.stages(direction).values()):
            terms = stage.patience
            if terms is None or terms.to is None:
                continue
            if terms.to in scenario.crossings and terms.by_class.get(cargo_class, terms.law) is not None:
                found.add(terms.to)
    return found - set(crossings)


def _shares_at(scenario: Scenario, changes: ByPath, id: str, time_h: float, state: State) -> list[dict[str, float]]:
    """Shares over the crossings of each border for which the flow has shares at this time."""
    groups: list[dict[str, float]] = []
    for names, entries in _groups(scenario, id):
        active = [(from_h, n) for n, (from_h, _) in enumerate(entries) if from_h <= time_h]
        if active:
            groups.append({name: entries[max(active)[1]][1].get(name, 0.0) for name in names})
    for path, dated in changes.items():
        prefix = f"flows.{id}.diverted."
        if path.startswith(prefix):
            crossing = path.removeprefix(prefix)
            part = value_at(0.0, dated, time_h)
            if not part:
                continue
            border = border_of(scenario, crossing)
            group = next((g for g in groups if any(border_of(scenario, c) == border for c in g)), None)
            if group is None:
                usual = crossings_of(scenario, cheapest(scenario, id, state, (), (crossing,)))
                group = {c: 1.0 for c in usual if border_of(scenario, c) == border}
                groups.append(group)
            for name in group:
                group[name] *= 1 - part
            group[crossing] = group.get(crossing, 0.0) + part
    return groups


def _groups(scenario: Scenario, id: str) -> list[tuple[list[str], list[tuple[float, Mapping[str, float]]]]]:
    """Entries of `crossing_shares` that speak of the same crossings, with their instants."""
    groups: list[tuple[list[str], list[tuple[float, Mapping[str, float]]]]] = []
    for entry in scenario.flows[id].crossing_shares.values():
        from_h = -math.inf if entry.from_ is None else hours_after(entry.from_, scenario.run.start_utc)
        touching = [group for group in groups if set(group[0]) & set(entry.shares)]
        names = [name for group in touching for name in group[0]]
        names += [name for name in entry.shares if name not in names]
        entries = [one for group in touching for one in group[1]] + [(from_h, entry.shares)]
        groups = [group for group in groups if group not in touching] + [(names, entries)]
    return groups


def _edges(scenario: Scenario, changes: ByPath, id: str) -> set[float]:
    """Instants at which the routes of a flow may change."""
    edges: set[float] = set()
    for path, dated in changes.items():
        table, _, field = path.rpartition(".")
        if table == f"flows.{id}.diverted":
            edges.update(edge for one in dated for edge in one.edges())
        elif field in ("open", "one_stop") or (
            scenario.flows[id].route == "cheapest" and (field == "speed_kmh" or is_share(path))
        ):
            edges.update(edge for one in dated for edge in (one.from_h, one.until_h))
            edges.update(one.edges()[-1] for one in dated if one.edges())
    for entry in scenario.flows[id].crossing_shares.values():
        if entry.from_ is not None:
            edges.add(hours_after(entry.from_, scenario.run.start_utc))
    return {edge for edge in edges if math.isfinite(edge)}


def _one_stops(
    scenario: Scenario, changes: ByPath, hops: Sequence[Hop], time_h: float
) -> tuple[tuple[str, OneStop], ...]:
    found = []
    for crossing in crossings_of(scenario, hops):
        terms = value_at(stated(scenario, crossing), changes.get(f"crossings.{crossing}.one_stop", ()), time_h)
        if terms is not None:
            found.append((crossing, terms))
    return tuple(found)


def _require_open(id: str, hops: Sequence[Hop], state: State, time_h: float) -> None:
    when = "" if time_h == 0 else f" {time_h:g} h after the start of the run"
    for hop in hops:
        if hop.leg in state.closed_legs:
            raise NoRoute(Problem(f"uses leg {hop.leg!r}, which is not open{when}", f"flows.{id}.route"))
        for node in (hop.start, hop.end):
            if node in state.closed_posts:
                raise NoRoute(Problem(f"uses post {node!r}, which is not open{when}", f"flows.{id}.route"))
