"""The corridor: places, posts and legs as one graph, with the flows that use it.

`Corridor.graph` is the network as a networkx graph; each leg of
the data is two directed edges whose key is the leg's id. Route finding and the
report of what is not connected are in `corridor_sim/model/routes.py`.
"""

from __future__ import annotations

import functools
import textwrap
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.units import counted
from corridor_sim.model.base import NO_SOURCE, SAID, Model, Sourced
from corridor_sim.model.calendars import CountByHour
from corridor_sim.model.checkpoints import Checkpoint
from corridor_sim.model.choices import Choice
from corridor_sim.model.field_types import FrozenDict, LaneCount, NonNegative, TableOf
from corridor_sim.model.flows import Flow, Profile
from corridor_sim.model.holidays import HolidayCalendar, KeepsHolidays
from corridor_sim.model.ids import sound_ids
from corridor_sim.model.legs import AnyLeg
from corridor_sim.model.places import Place
from corridor_sim.model.ranges import Range

if TYPE_CHECKING:
    import networkx as nx


class Source(Sourced):
    """Where figures come from.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Source(title="Customs statistics 2023").title
    'Customs statistics 2023'
    """

    title: str = ""
    """Title of the publication."""
    publisher: str = ""
    """Who published it."""
    url: str = ""
    """Where it can be read."""
    date: str = ""
    """When it was published or read, as 2024-06-01; a year or a month is enough."""


class StaffPool(KeepsHolidays):
    """People whom several stages share: a service needs a lane and some of them.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.StaffPool(members=6).members
    6
    """

    name: str = ""
    """What tables call the pool; its id if not given."""
    members: LaneCount
    """People on duty. [people]"""
    members_by_hour: CountByHour | None = None
    """A roster: people on duty from a local time on, as { "06:00" = 8, "20:00" = 5 }. [people]"""


class Factors(Sourced):
    """Factors of cost and emission that belong to no leg and no flow; None leaves the indicator out."""

    idling_co2_kg_h: NonNegative | None = None
    """Emission of a waiting truck, its share of time with the engine on included. [kg/h]"""
    border_fee_usd: NonNegative | None = None
    """Paid for one vehicle and crossing of a border, official and unofficial together. [US$]"""
    vehicle_gap_m: NonNegative | None = None
    """Between two vehicles of a queue. [m]"""


Ids = AfterValidator(sound_ids)


class Corridor(Sourced):
    """Places, posts, legs and flows. Frozen; a change makes a new object.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.load_corridor("north_south").checkpoints["samur_az"].country
    'AZ'
    """

    name: str = ""
    """What tables, pictures and files call it."""
    about: str = ""
    """What it is, and what it is for, in words."""
    sources: Annotated[TableOf[Source], Ids] = FrozenDict()
    """Where figures come from, by id."""
    places: Annotated[TableOf[Place], Ids] = FrozenDict()
    """Cities, ports and terminals, by id: nodes of the network."""
    checkpoints: Annotated[TableOf[Checkpoint], Ids] = FrozenDict()
    """Posts, one country's each, by id: nodes of the network."""
    staff_pools: Annotated[TableOf[StaffPool], Ids] = FrozenDict()
    """People whom several stages share, by id."""
    calendars: Annotated[TableOf[HolidayCalendar], Ids] = FrozenDict()
    """Holidays by name; a country of this name is not asked of the package `holidays`."""
    legs: Annotated[TableOf[AnyLeg], Ids] = FrozenDict()
    """Links of the network, by id."""
    profiles: Annotated[TableOf[Profile], Ids] = FrozenDict()
    """Weights of hours, weekdays and months, by id; flows name them."""
    flows: Annotated[TableOf[Flow], Ids] = FrozenDict()
    """Streams of like consignments, by id."""
    choices: Annotated[TableOf[Choice], Ids] = FrozenDict()
    """Flows that carry the same cargo by different ways: in a run as they are, in an equilibrium they choose."""
    factors: Factors = Factors()
    """Factors of cost and emission that belong to no leg and no flow."""
    ranges: Annotated[TableOf[Range], Ids] = FrozenDict()
    """How far figures may be off that move together, by name of the group."""

    def __repr__(self) -> str:
        name = textwrap.shorten(self.name, 80, placeholder="…")
        return f"<{type(self).__name__} {name!r}: {', '.join(self._contents())}>"

    __str__ = __repr__

    def _contents(self) -> list[str]:
        """Numbers of what is in it, in words."""
        tables = {
            "place": self.places,
            "checkpoint": self.checkpoints,
            "crossing": self.crossings,
            "leg": self.legs,
            "flow": self.flows,
        }
        return [counted(len(table), word) for word, table in tables.items()]

    @functools.cached_property
    def ways(self) -> tuple[tuple[str, str, str], ...]:
        """(start, end, leg) of each leg in both directions, sorted; without those that name an unknown node."""
        known = {*self.places, *self.checkpoints}
        there = [(leg.from_, leg.to, id) for id, leg in self.legs.items() if {leg.from_, leg.to} <= known]
        return tuple(sorted({*there, *((end, start, id) for start, end, id in there)}))

    @functools.cached_property
    def graph(self) -> nx.MultiDiGraph:
        """The corridor as a networkx graph: a node for each place and post, two edges for each leg.

        Nodes carry ``kind`` (``place`` or ``checkpoint``), name, country, lat, lon;
        edges carry ``leg``, mode, length_km, hours, border and ``forward`` (True
        in the direction in which the leg is written). Legs that name an unknown
        node are left out; `problems` reports them.
        """
        import networkx as nx

        graph = nx.MultiDiGraph(name=self.name)
        for what, table in (("place", self.places), ("checkpoint", self.checkpoints)):
            for id, node in table.items():
                graph.add_node(id, kind=what, name=node.name or id, country=node.country, lat=node.lat, lon=node.lon)
        for id, leg in self.legs.items():
            if leg.from_ in graph and leg.to in graph:
                values = {
                    "leg": leg,
                    "mode": leg.mode,
                    "length_km": leg.length_km,
                    "hours": leg.mean_travel_h,
                    "border": leg.border,
                }
                graph.add_edge(leg.from_, leg.to, key=id, forward=True, **values)
                graph.add_edge(leg.to, leg.from_, key=id, forward=False, **values)
        return graph

    @functools.cached_property
    def crossings(self) -> dict[str, tuple[str, ...]]:
        """Posts of each crossing, by crossing id."""
        found: dict[str, tuple[str, ...]] = {}
        for id, post in self.checkpoints.items():
            found[post.crossing] = (*found.get(post.crossing, ()), id)
        return found

    def border_legs(self, crossing: str) -> list[str]:
        """Ids of the legs that join the posts of a crossing."""
        posts = set(self.crossings.get(crossing, ()))
        return [id for id, leg in self.legs.items() if leg.border and {leg.from_, leg.to} <= posts]

    def with_value(self, path: str, value: Any) -> Self:
        """The same corridor with the value at a dotted path changed (``flows.export.per_day``), validated again.

        The new value does not keep the source of the old one: it is *assumed*, set by hand.

        Raises
        ------
        ScenarioError
            If there is no such path, or the value does not fit.
        """
        first, *rest = path.split(".")
        if first not in type(self).model_fields:
            raise ScenarioError([Problem("does not exist", path)])
        try:
            return self.replace(**{first: _with(getattr(self, first), rest, value, path, _is_said(self))})
        except ScenarioError as error:
            known = [p if p.path.startswith(first) else p.at(path.rpartition(".")[0]) for p in error.problems]
            raise ScenarioError(known) from None


def _is_said(thing: Any) -> bool:
    """Whether an object names the status or source of what is in it."""
    return isinstance(thing, Sourced) and bool(thing.status or thing.source)


def _with(thing: Any, path: list[str], value: Any, whole: str, is_said: bool) -> Any:
    """`thing` with the value at `path` inside it changed; `is_said`: an object around it names a source."""
    if not path:
        return value
    key, *rest = path
    if isinstance(thing, dict):
        for n in range(len(path), 0, -1):  # ids may hold dots
            joined = ".".join(path[:n])
            if joined in thing:
                return {**thing, joined: _with(thing[joined], path[n:], value, whole, is_said)}
        if not rest:
            return {**thing, key: value}
    elif isinstance(thing, Model):
        names = {field.validation_alias or name: name for name, field in type(thing).model_fields.items()}
        if key in names:
            is_said = is_said or _is_said(thing)
            changed = {names[key]: _with(getattr(thing, names[key]), rest, value, whole, is_said)}
            if isinstance(thing, Sourced) and not _has_said(getattr(thing, names[key]), rest):
                changed |= _said_anew(thing, path, changed[names[key]], is_said)
            return thing.replace(**changed)
    raise ScenarioError([Problem("does not exist", whole)])


SET_BY_HAND = {"status": "assumed", "source": f"set by hand, {NO_SOURCE}"}
"""What is said of a value that is set in Python, or with ``--set``."""


def _has_said(thing: Any, path: list[str]) -> bool:
    """Whether an object further inside has said what a new value is."""
    for key in path:
        if isinstance(thing, Sourced):
            return True
        thing = thing.get(key) if isinstance(thing, dict) else getattr(thing, key, None)
    return False


def _said_anew(thing: Sourced, path: list[str], changed: Any, is_said: bool) -> dict[str, Any]:
    """The `figures` of an object in which a number, or an object of numbers without sources, is another one."""
    key, name = path[0], ".".join(path)
    fields = {
        field.validation_alias or field_name: field_name for field_name, field in type(thing).model_fields.items()
    }
    old = getattr(thing, fields[key])
    numbers = (int, float, Model, dict)
    if key in (*SAID, "figures") or old == changed or isinstance(changed, (bool, Sourced)):
        return {}
    if not isinstance(changed, numbers):
        return {}
    figures = {of: one.to_data() for of, one in thing.figures.items()}
    if not is_said and not any(of == name or of.startswith(f"{name}.") for of in figures):
        return {}
    kept = {}
    for of, one in figures.items():
        if of == name or of.startswith(f"{name}."):
            one = {word: told for word, told in one.items() if word not in (*SAID, "exact")}
        kept[of] = one
    kept[name] = {**kept.get(name, {}), **SET_BY_HAND}
    return {"figures": kept}
