"""What places and inputs are called: names of people, or ids for who is going to write a file or an option.

The one place that makes words of ids. Names come from the labels of a plan, so that results of a plan made by hand have
them too. They are whatever a user wrote: `clean` makes them one harmless line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from corridor_sim.core.clean_text import clean
from corridor_sim.indicators.label import Label
from corridor_sim.indicators.words import indicator_called
from corridor_sim.results.input_words import words_of
from corridor_sim.results.leg_names import ARROWS, leg_called

LONGEST = 60
"""Characters of a name in a text."""
LONGEST_INPUT = 90
"""Characters of what an input is called."""


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

    def crossing(self, id: str) -> str:
        """A crossing, whichever way it is passed."""
        return id if self.ids else clean(crossing_name(self.results, id, ""), LONGEST)

    def label(self, label: Label) -> str:
        """A row of a table with what it is about: ``wait for lanes at Samur AZ, exit [h]``."""
        named = {name: getattr(label, name) for name in ("kind", "place", "direction", "cargo_class", "of")}
        about = self.row(named)
        where = "on the whole corridor" if label.kind == "corridor" else f"at {about}" if about else ""
        what = label.indicator if self.ids else indicator_called(label.indicator)
        return f"{what} {where}".rstrip() + f" [{label.unit}]"

    def row(self, row: Mapping[str, Any]) -> str:
        """What a row of a table is about: place, direction, class and part, as far as it has them."""
        parts = [self.place(row["kind"], row["place"], row["direction"])] if row["place"] else []
        parts += [row[name] if self.ids else in_words(row[name]) for name in ("cargo_class", "of") if row[name]]
        return (" " if self.ids else ", ").join(parts)


def in_words(id: str) -> str:
    """An id that has no name of its own, as words.

    >>> in_words("slot_wait")
    'slot wait'
    """
    return id.replace("_", " ")


def input_called(scenarios: Iterable[Any], name: str) -> str:
    """What an input is called: a figure by its place, what of it and the unit, a group of figures by its words.

    Parameters
    ----------
    scenarios : iterable of Scenario
        The first that has the figure names it.
    name : str
        Path of the figure, or name of the group.

    Examples
    --------
    >>> from corridor_sim import load_scenario
    >>> input_called([load_scenario("teaching")], "flows.flour.per_day"), input_called([], "lane_cycles")
    ('Flour to market [a day]', 'lane cycles')
    """
    if "." not in name:
        return clean(in_words(name), LONGEST_INPUT)
    table, id, *_ = name.split(".")
    of = next((one for one in scenarios if id in (getattr(one, table, None) or ())), None)
    place, what, unit = words_of(of, name)
    words = ": ".join(part for part in (place.removeprefix("leg "), what) if part)
    return clean(f"{words} [{unit}]" if unit else words, LONGEST_INPUT)


def post_name(results: Any, post: str) -> str:
    """Name of a post with its country."""
    label = _labels(results, "posts").get(post, {})
    name, country = _named(label, post), str(label.get("country", ""))
    return name if not country or name.casefold().split()[-1:] == [country.casefold()] else f"{name} {country}"


def passage_name(results: Any, post: str, direction: str, most: int = 32) -> str:
    """Name of a post, cut if need be, and the direction in which it is passed."""
    return f"{clean(post_name(results, post), most)}, {direction}"


def flow_name(results: Any, flow: str) -> str:
    """Name of a flow."""
    for one in results.plan.flows:
        if one.id == flow:
            return _named(one.labels, flow)
    return in_words(flow)


def crossing_name(results: Any, crossing: str, direction: str) -> str:
    """Names of the posts of a crossing in the direction of travel (``"Samur – Yarag-Kazmalyar, AZ→RU"``)."""
    posts = _labels(results, "posts")
    sides = direction.split(">")
    mine = [
        (str(label.get("country", "")), _named(label, id))
        for id, label in posts.items()
        if label.get("crossing") == crossing
    ]
    mine.sort(key=lambda pair: sides.index(pair[0]) if pair[0] in sides else len(sides))
    names = list(dict.fromkeys(name for _, name in mine))
    return f"{' – '.join(names) or in_words(crossing)}, {direction.replace('>', '→')}".strip(", ")


def place_name(results: Any, kind: str, place: str, direction: str = "") -> str:
    """Name of any place that a row of the table is about, without marks that could turn what stands beside it."""
    return clean(_place_name(results, kind, place, direction), 1000)


def _place_name(results: Any, kind: str, place: str, direction: str) -> str:
    if kind == "corridor":
        return "whole corridor"
    if kind == "post":
        return f"{post_name(results, place)}, {direction}"
    if kind == "crossing":
        return crossing_name(results, place, direction)
    if kind == "flow":
        return flow_name(results, place)
    if kind == "stage":
        post, _, stage = place.partition(".")
        return f"{post_name(results, post)}, {in_words(stage.replace('.', ' '))}"
    return leg_name(results, place)


def leg_name(results: Any, element: str) -> str:
    """Name of a leg or of an element of it (``leg:derbent_samur>``): from where to where, if it has none of its own."""
    way, _, part = element.removeprefix("leg:").partition(".")
    id = way.rstrip("<>")
    name = str(results.plan.labels.get("legs", {}).get(id) or id)
    words = leg_called(results.scenario, id, way.removeprefix(id)) if name == id else ""
    if not words:
        words = f"{in_words(name)} {ARROWS[way.removeprefix(id)] if way != id else ''}".rstrip()
    more = in_words(part.replace(".", " ")) if part.startswith("ban.") else "rest of drivers" if part == "rest" else ""
    return f"{words}{more and f', {more}'}"


def _named(label: Mapping[str, Any], id: str) -> str:
    """The name that a label gives, where it gives another than the id; else the id as words."""
    name = str(label.get("name") or id)
    return in_words(id) if name == id else name


def _labels(results: Any, what: str) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = results.plan.labels.get(what, {})
    return found
