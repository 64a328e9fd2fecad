"""An itinerary in the making: steps with the ids of their elements, not numbered yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from corridor_sim.model.dated_routes import DatedRoute
from corridor_sim.model.kept_parts import Entry
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.steps import PatiencePlan, PlanBalk, Span, Step


@dataclass(slots=True)
class Itinerary:
    """Steps of one way, each with the id of its element, and the spans over them."""

    way: DatedRoute
    elements: list[str]
    steps: list[Step]
    spans: list[Span]
    balks: dict[int, PlanBalk] = field(default_factory=dict)
    """Balks by the number of the step."""
    patience: dict[int, PatiencePlan] = field(default_factory=dict)
    """Patience by the number of the step."""
    lost: bool = False
    """Whether those on it have left a queue for good."""
    left_at: str = ""
    """Element that those who balk leave for this itinerary; "" where nobody does."""
    leaves_for: int = 0
    """Number of the step that they leave it for."""
    id: str = ""
    """A name of its own; "" for one made of the crossings on the way."""


def entries_of(scenario: Scenario, ways: Iterable[DatedRoute]) -> list[Entry]:
    """Entries of the scenario that itineraries are made from: legs, their ends, and the posts of crossings passed."""
    found: dict[Entry, None] = {}
    for way in ways:
        for hop in way.hops:
            found["legs", hop.leg] = None
            for node in (hop.start, hop.end):
                found["checkpoints" if node in scenario.checkpoints else "places", node] = None
        for crossing in way.crossings:
            found.update((("checkpoints", post), None) for post in scenario.crossings[crossing])
    return list(found)


def named(itineraries: Sequence[Itinerary]) -> list[str]:
    """A name of each: its crossings, with a number where they do not tell it apart."""
    found: list[str] = []
    for made in itineraries:
        name = made.id or "+".join(made.way.crossings) or "direct"
        alike = sum(other == name or other.startswith(f"{name}#") for other in found)
        found.append(f"{name}#{alike + 1}" if alike else name)
    return found
