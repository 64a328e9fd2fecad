"""Waits that went elsewhere: a post is cleared faster, and the journeys through it take longer.

Booked slots let a truck wait at home, and the border looks better; so does a limit
upstream. What counts is the whole journey, so where the time at the border falls
and the door-to-door time of a flow through it rises, both beyond their paired
intervals, that is no gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from corridor_sim.indicators.places import PlaceKey
from corridor_sim.results.comparison import LESS, MORE, Comparison
from corridor_sim.results.results import Results


@dataclass(frozen=True, slots=True)
class TimeChange:
    """A difference from the base with its interval. [h]"""

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MovedWait:
    """A place where less time is spent, with the flows through it whose journeys are longer for it.

    Attributes
    ----------
    place
        (kind, id, direction): a crossing where ``tfi1`` falls, or a post where ``wait_h`` does.
    gain
        How the time at the place changes, below 0.
    longer
        Flows whose door-to-door time rises, each with its change.
    shorter
        Flows through the place whose door-to-door time falls all the same.
    later
        Those of `longer` whose class waits longer at the place itself: others pass before them.
    """

    place: PlaceKey
    gain: TimeChange
    longer: tuple[tuple[str, TimeChange], ...]
    shorter: tuple[str, ...]
    later: tuple[str, ...] = ()


def moved_waits(comparison: Comparison, other: int) -> list[MovedWait]:
    """Places where run number `other` only moved the wait away, crossings first; a post only where no crossing says it.

    Rows of all classes together are read; a difference is one whose paired interval leaves 0 out.
    """
    run, name = comparison.runs[other], comparison.names[other]
    known = comparison.base.rows.indicators
    wanted = [indicator for indicator in ("tfi1", "wait_h", "door_to_door_h") if indicator in known]
    if "door_to_door_h" not in wanted or len(wanted) < 2:
        return []
    frame = comparison.table(wanted, cargo_class="", of="")
    rows: list[Any] = list(frame[frame["scenario"] == name].itertuples())
    doors = {row.place: row for row in rows if row.indicator == "door_to_door_h" and row.kind == "flow"}
    through, posts_of = _through(run)
    waits = _verdicts_by_class(comparison, name) if "wait_h" in wanted else {}
    classes = {flow.id: flow.cargo_class for flow in run.plan.flows}
    found: list[MovedWait] = []
    covered: set[PlaceKey] = set()
    for indicator, kind in (("tfi1", "crossing"), ("wait_h", "post")):
        for row in rows:
            place = (row.kind, row.place, row.direction)
            if row.indicator != indicator or row.kind != kind or row.verdict != LESS or place in covered:
                continue
            flows = [flow for flow in through.get(place, ()) if flow in doors]
            longer = tuple((flow, _change(doors[flow])) for flow in flows if doors[flow].verdict == MORE)
            shorter = tuple(flow for flow in flows if doors[flow].verdict == LESS)
            if longer:
                posts = posts_of.get(place, set())
                later = tuple(flow for flow, _ in longer if _waits_longer(waits, posts or {place}, classes[flow]))
                found.append(MovedWait(place, _change(row), longer, shorter, later))
                covered |= posts
    return found


def _verdicts_by_class(comparison: Comparison, name: str) -> dict[tuple[PlaceKey, str], str]:
    """How the wait of each class at each post changes."""
    frame = comparison.table("wait_h", kind="post", of="")
    rows: list[Any] = list(frame[frame["scenario"] == name].itertuples())
    return {((row.kind, row.place, row.direction), row.cargo_class): row.verdict for row in rows if row.cargo_class}


def _waits_longer(waits: dict[tuple[PlaceKey, str], str], posts: set[PlaceKey], cargo_class: str) -> bool:
    """Whether a class waits longer at some of these posts, and shorter at none."""
    verdicts = {waits.get((post, cargo_class)) for post in posts}
    return MORE in verdicts and LESS not in verdicts


def _change(row: Any) -> TimeChange:
    return TimeChange(row.difference, row.low, row.high)


def _through(run: Results) -> tuple[dict[PlaceKey, list[str]], dict[PlaceKey, set[PlaceKey]]]:
    """Flows through each crossing and post, and the posts of each crossing, all by direction."""
    flows: dict[PlaceKey, list[str]] = {}
    posts: dict[PlaceKey, set[PlaceKey]] = {}
    view = run.scope
    for flow in run.plan.flows:
        for variant in flow.variants:
            spans = [(span, view.place_of(variant, span)) for span in variant.spans]
            for span, place in spans:
                if flow.id not in flows.setdefault(place, []):
                    flows[place].append(flow.id)
                if span.kind == "crossing":
                    inside = (at for one, at in spans if one.kind == "post" and span.first <= one.first <= span.last)
                    posts.setdefault(place, set()).update(inside)
    return flows, posts
