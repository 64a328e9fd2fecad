"""What places are called in a text: by name, or by id for who is going to write a file or an option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from corridor_sim.plots.names import clean, flow_name, place_name, post_name

LONGEST = 60
"""Characters of a name in a text."""


@dataclass(frozen=True, slots=True)
class Called:
    """Names of the places of one run; their ids where `ids` is set.

    Examples
    --------
    >>> Called(None, ids=True).place("crossing", "samur", "AZ>RU")
    'samur AZ>RU'
    """

    results: Any
    ids: bool = False

    def post(self, id: str) -> str:
        """A post, without its direction."""
        return id if self.ids else clean(post_name(self.results, id), LONGEST)

    def flow(self, id: str) -> str:
        """A flow."""
        return id if self.ids else clean(flow_name(self.results, id), LONGEST)

    def place(self, kind: str, place: str, direction: str = "") -> str:
        """What a row is about."""
        if self.ids:
            return place if kind == "flow" else f"{place} {direction}".strip()
        return clean(place_name(self.results, kind, place, direction), LONGEST)

    def element(self, id: str) -> str:
        """A stage or leg by the id of its element (``samur_az.exit.documents``)."""
        if self.ids:
            return id
        elements = {element.id: element for element in self.results.plan.elements}
        kind = "stage" if id in elements and elements[id].post else "leg"
        return clean(place_name(self.results, kind, id), LONGEST)

    def somewhere(self, id: str) -> str:
        """A stage, leg, post or flow, whichever has the id."""
        if self.ids:
            return id
        if id in self.results.plan.labels.get("posts", {}):
            return self.post(id)
        if id in {flow.id for flow in self.results.plan.flows}:
            return self.flow(id)
        return self.element(id)
