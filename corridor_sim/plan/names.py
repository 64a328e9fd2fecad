"""Where an element of the plan stands in the scenario: its path in the file, for messages."""

from __future__ import annotations

from corridor_sim.plan.elements import Departures, Element, Quota, Station


def file_path(element: Element) -> str:
    """Path of the table from which an element was made.

    Examples
    --------
    >>> from corridor_sim.plan.elements import Delay
    >>> file_path(Delay(id="leg:baku_samur>"))
    'legs.baku_samur'
    """
    if element.id.startswith("leg:"):
        leg = element.id.removeprefix("leg:").partition(".")[0]
        return f"legs.{leg.removesuffix('>').removesuffix('<')}"
    if isinstance(element, (Quota, Departures)):
        return f"checkpoints.{element.post}.{element.stage}.{element.direction}"
    table = "places" if element.direction == "transfer" else "checkpoints"
    shared = isinstance(element, Station) and element.direction == "both"
    return f"{table}.{element.post}.{'exit' if shared else element.direction}.{element.stage}"
