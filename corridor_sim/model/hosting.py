"""Which controls are made where on a way: at the post itself, or at the other one of the crossing (rule S32)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corridor_sim.core.errors import Problem
from corridor_sim.model.changes import OneStop
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.routes import Pass
from corridor_sim.model.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Halt:
    """One leg, post or transfer of a way, and whose controls are made there."""

    at: Pass
    controls: tuple[Pass, ...]
    """Posts whose stages are passed here, in order: its own, those of the two of a border, or none (elsewhere)."""
    crossing: str = ""
    terms: OneStop | None = None
    """Where controls stand at the crossing, if it is a post of one with one stop."""
    direction: str = ""
    """Of the crossing (``"ZW>ZM"``), where its controls do not follow each other as the itinerary is written."""


def stops(scenario: Scenario, passes: Sequence[Pass], terms: Mapping[str, OneStop]) -> list[Halt]:
    """What is done where on a way.

    Parameters
    ----------
    passes : sequence of Pass
        Legs, posts and transfers in order.
    terms : mapping
        By crossing, where the controls of both states stand.
    """
    found: list[Halt] = []
    left: dict[str, int] = {}
    for at in passes:
        crossing = scenario.checkpoints[at.id].crossing if at.what == "post" else ""
        there = terms.get(crossing)
        here = len(found)
        found.append(Halt(at, (at,), crossing, there))
        if at.what != "post" or there is None or not there.moved:
            continue
        if at.direction == "exit":
            left[crossing] = here
        elif crossing in left:
            start = left.pop(crossing)
            first = found[start].at
            both = (first, at)
            sides = [scenario.checkpoints[one.id].country or one.id for one in both]
            direction = ">".join(dict.fromkeys(sides))
            if (at.id, "entry") in there.hosts:
                found[start] = Halt(first, (), crossing, there, direction)
                found[here] = Halt(at, both, crossing, there, direction)
            elif (first.id, "exit") in there.hosts:
                found[start] = Halt(first, both, crossing, there, direction)
                found[here] = Halt(at, (), crossing, there, direction)
    return found


def stated(scenario: Scenario, crossing: str) -> OneStop | None:
    """Where the controls of both states stand by what the posts of a crossing say; None: each at its own post."""
    hosts = {
        (post, way)
        for post in scenario.crossings[crossing]
        for way in DIRECTIONS
        if scenario.checkpoints[post].hosts in (way, "both")
    }
    return OneStop(frozenset(hosts), moved=True) if hosts else None


def hosting_problems(scenario: Scenario) -> list[Problem]:
    """Posts of one crossing that both host the same consignments; a post that hosts and has no other beside it."""
    found = []
    for id, post in scenario.checkpoints.items():
        if post.hosts is None:
            continue
        others = [other for other in scenario.crossings[post.crossing] if other != id]
        if not others:
            text = f"needs another post of the crossing {post.crossing}, whose controls are made here"
            found.append(Problem(text, f"checkpoints.{id}.hosts", post.hosts))
        for other in others:
            # Who enters here leaves there: both would make all controls of the same consignments.
            if post.hosts in ("entry", "both") and scenario.checkpoints[other].hosts in ("exit", "both"):
                text = f"{other} makes the controls of both countries for who comes from there already"
                hint = 'write hosts = "entry" at both posts, or hosts = "both" at one'
                found.append(Problem(text, f"checkpoints.{id}.hosts", post.hosts, hint=hint))
    return found


def not_to_be_moved(scenario: Scenario, stop: Halt, has_gate: bool) -> list[Problem]:
    """What keeps the controls of a post from being made at the other one."""
    found = []
    path = f"checkpoints.{stop.at.id}"
    if has_gate:
        text = f"are given where nobody stops: the controls of both countries are made at one post of {stop.crossing}"
        hint = "acceptance and slots go to the post that hosts them"
        found.append(Problem(f"slots or acceptance {text}", f"{path}.{stop.at.direction}", hint=hint))
    post = scenario.checkpoints[stop.at.id]
    away = {"exit": "entry", "entry": "exit"}
    assert stop.terms is not None
    both = any(
        (other, way) in stop.terms.hosts and (other, away[way]) in stop.terms.hosts
        for other, way in stop.terms.hosts
        if other != stop.at.id
    )
    for name in post.stages(stop.at.direction):
        if post.is_shared(name) and not both:
            text = "uses the same lanes in both directions, whose controls are made at different posts"
            hint = "give each direction lanes of its own and a staff_pool for both"
            found.append(Problem(text, f"{path}.{stop.at.direction}.{name}.shared", True, hint=hint))
    return found
