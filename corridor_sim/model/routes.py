"""Routes: which legs and posts a flow goes through, found in the corridor's graph.

The cheapest route is the one of least generalised cost: cost of carriage plus
hours (travel, half the time between departures, unqueued time at posts) times
the value of time. A stage counts by the share of the flow's class that needs
it, that of its risk channels included. What is not connected is reported with both
components. `passes` turns legs into the ordered list of legs, posts and
transfers that the plan is made of.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from corridor_sim.core.errors import Problem, nearest
from corridor_sim.model.changes import DatedChange
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.flows import Flow
from corridor_sim.model.shares import share_at
from corridor_sim.model.stages import Stage


@dataclass(frozen=True, slots=True)
class Hop:
    """One leg travelled in one direction; `forward` is the direction in which the leg is written."""

    leg: str
    start: str
    end: str
    forward: bool


@dataclass(frozen=True, slots=True)
class Pass:
    """One thing on the way: a leg, a post in one direction, or the transfer at a place."""

    what: Literal["leg", "post", "transfer"]
    id: str
    direction: str = ""
    """``exit`` or ``entry`` at a post, ``>`` or ``<`` on a leg."""


@dataclass(frozen=True, slots=True)
class State:
    """What of a corridor is open, how fast its legs are, and who needs which stage, at one time."""

    closed_legs: frozenset[str] = frozenset()
    closed_posts: frozenset[str] = frozenset()
    speed: Mapping[str, float] = field(default_factory=dict)
    """Speed of a leg over its base speed, where it is not 1."""
    changes: Mapping[str, Sequence[DatedChange]] = field(default_factory=dict)
    """Dated changes by path; the shares of stages and risk channels are read from them at `time_h`."""
    time_h: float = 0.0
    post_hours: dict[tuple[str, str, str], float] = field(default_factory=dict, compare=False, repr=False)
    """Those that have been asked for, by post, direction and class. [h]"""


class NoRoute(Exception):
    """There is no way; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def post_hours(corridor: Corridor, post: str, direction: str, cargo_class: str, state: State) -> float:
    """Mean time of one class at a post without any queue, each stage by the share that needs it. [h]"""
    key = post, direction, cargo_class
    if key not in state.post_hours:
        state.post_hours[key] = _post_hours(corridor, post, direction, cargo_class, state)
    return state.post_hours[key]


def _post_hours(corridor: Corridor, post: str, direction: str, cargo_class: str, state: State) -> float:
    at = corridor.checkpoints[post]
    channels = at.channels.get(direction)
    return sum(
        stage.cycle_h
        * share_at(state.changes, f"checkpoints.{post}.{direction}", name, stage, channels, cargo_class, state.time_h)
        * stage.factor_by_class.get(cargo_class, 1.0)
        for name, stage in at.stages(direction).items()
    )


def edge_cost(corridor: Corridor, flow: Flow, state: State, start: str, end: str, id: str) -> float:
    """Generalised cost of one directed edge, its border posts included. [US$, or h where nothing has a price]"""
    leg = corridor.legs[id]
    hours = leg.mean_travel_h / state.speed.get(id, 1.0)
    if leg.timetable is not None:
        hours += leg.timetable.mean_wait_h
    if leg.border:
        hours += post_hours(corridor, start, "exit", flow.cargo_class, state)
        hours += post_hours(corridor, end, "entry", flow.cargo_class, state)
    return leg.cost_usd_tkm * flow.load_t * leg.length_km + (flow.value_of_time_usd_h or 1.0) * hours


Network: TypeAlias = dict[str, dict[str, tuple[float, str]]]
"""By node the nodes that a flow may go on to, with the cost and the cheapest leg of parallel ones."""


def usable(corridor: Corridor, flow: Flow, state: State, without: Collection[str] = ()) -> Network:
    """The network that the flow may use; border legs of the crossings `without` are left out."""
    network: Network = {
        node: {} for node in (*corridor.places, *corridor.checkpoints) if node not in state.closed_posts
    }
    barred = {id for crossing in without for id in corridor.border_legs(crossing)}
    for start, end, id in corridor.ways:
        open_ = start in network and end in network and id not in state.closed_legs and id not in barred
        if not open_ or (flow.modes and corridor.legs[id].mode not in flow.modes):
            continue
        cost = edge_cost(corridor, flow, state, start, end, id)
        if end not in network[start] or cost < network[start][end][0]:
            network[start][end] = cost, id
    return network


def shortest(
    network: Network, start: str, end: str, without: Collection[str] = ()
) -> tuple[float, tuple[str, ...]] | None:
    """Cost and nodes of the cheapest way between two nodes, not through some others; None if there is none.

    Dijkstra's method; of ways of one cost the one found first.

    Examples
    --------
    >>> network = {"a": {"b": (1.0, "near"), "c": (5.0, "far")}, "b": {"c": (2.0, "on")}, "c": {}}
    >>> shortest(network, "a", "c"), shortest(network, "a", "c", {"b"}), shortest(network, "c", "a")
    ((3.0, ('a', 'b', 'c')), (5.0, ('a', 'c')), None)
    """
    before: dict[str, str] = {}
    least, settled = {start: 0.0}, set(without) - {start}
    found, number = [(0.0, 0, start)], itertools.count(1)
    while found:
        cost, _, node = heapq.heappop(found)
        if node == end:
            way = [end]
            while way[-1] != start:
                way.append(before[way[-1]])
            return cost, tuple(reversed(way))
        if node in settled:
            continue
        settled.add(node)
        for after, (more, _) in network[node].items():
            if after not in settled and (after not in least or cost + more < least[after]):
                least[after], before[after] = cost + more, node
                heapq.heappush(found, (cost + more, next(number), after))
    return None


def cheapest(
    corridor: Corridor, id: str, state: State, through: Sequence[str] = (), without: Collection[str] = ()
) -> tuple[Hop, ...]:
    """The cheapest route of flow `id`, through given crossings and not through others.

    Raises
    ------
    NoRoute
        If there is none; the problem names the flow and the two components.
    """
    flow = corridor.flows[id]
    network = usable(corridor, flow, state, without)
    for end in (flow.origin, flow.destination):
        if end not in network:
            raise NoRoute(Problem(f"begins or ends at {end!r}, which is not open", f"flows.{id}"))
    best: tuple[float, tuple[str, ...]] | None = None
    for nodes, cost in _ways_through(corridor, network, flow, through):
        if best is None or (cost, nodes) < best:
            best = cost, nodes
    if best is None:
        joined = shortest(network, flow.origin, flow.destination) is not None
        raise NoRoute(not_through(corridor, network, id, through) if joined else not_connected(network, id, flow))
    return tuple(hop_of(corridor, network[start][end][1], start, end) for start, end in itertools.pairwise(best[1]))


def _ways_through(
    corridor: Corridor, network: Network, flow: Flow, through: Sequence[str]
) -> Iterable[tuple[tuple[str, ...], float]]:
    """Cheapest simple ways for every order and direction of the crossings to pass, with their cost."""
    choices = [
        [(leg.from_, leg.to) for leg in map(corridor.legs.__getitem__, corridor.border_legs(crossing))]
        for crossing in through
    ]
    pairs = [
        [(start, end) for a, b in choice for start, end in ((a, b), (b, a)) if end in network.get(start, ())]
        for choice in choices
    ]
    for order in itertools.permutations(range(len(through))):
        for borders in itertools.product(*(pairs[k] for k in order)):
            stops = [flow.origin, *(node for pair in borders for node in pair), flow.destination]
            nodes: list[str] = [flow.origin]
            cost = 0.0
            for k, (start, end) in enumerate(itertools.pairwise(stops)):
                if k % 2:  # the border itself
                    cost, nodes = cost + network[start][end][0], [*nodes, end]
                elif start != end:
                    # No node twice: neither one passed before nor a stop that is still to come.
                    part = shortest(network, start, end, {*nodes, *stops} - {start, end})
                    if part is None:
                        break
                    cost, nodes = cost + part[0], [*nodes, *part[1][1:]]
            else:
                if len(set(nodes)) == len(nodes):
                    yield tuple(nodes), cost


def joined_to(network: Network, node: str) -> set[str]:
    """Nodes from which, or to which, there is a way of legs in any direction."""
    beside: dict[str, set[str]] = {one: set(after) for one, after in network.items()}
    for one, after in network.items():
        for other in after:
            beside[other].add(one)
    found, coming = {node}, [node]
    while coming:
        new = beside[coming.pop()] - found
        found |= new
        coming += new
    return found


def not_connected(network: Network, id: str, flow: Flow) -> Problem:
    """What to say of a flow whose ends lie in two components of the network."""
    parts = [_listed(joined_to(network, node)) for node in (flow.origin, flow.destination)]
    text = f"no path from {flow.origin!r} to {flow.destination!r}: {flow.origin!r} is joined to {parts[0]}"
    hint = "" if not flow.modes else f"it may use {', '.join(flow.modes)} only"
    return Problem(f"{text}, {flow.destination!r} to {parts[1]}", f"flows.{id}", hint=hint)


def not_through(corridor: Corridor, network: Network, id: str, through: Sequence[str]) -> Problem:
    """What to say of a flow that has ways, but none through its crossings: the first part of one that is missing."""
    flow = corridor.flows[id]
    text = f"no path from {flow.origin!r} to {flow.destination!r} through {' and '.join(map(repr, through))}"
    for crossing in through:
        posts = [post for post in corridor.crossings[crossing] if post in network]
        if not any(b in network[a] for a, b in itertools.permutations(posts, 2)):
            return Problem(f"{text}: its border leg is not there, or not open", f"flows.{id}")
        for end in (flow.origin, flow.destination):
            part = joined_to(network, end)
            for post in posts:
                if post not in part:
                    apart = f"{end!r} is joined to {_listed(part)}"
                    other = f"{post!r} to {_listed(joined_to(network, post))}"
                    return Problem(f"{text}: {apart}, {other}", f"flows.{id}")
    return Problem(f"{text} without passing one post twice", f"flows.{id}")


def explicit(corridor: Corridor, id: str) -> tuple[Hop, ...]:
    """The route of a flow that lists its legs.

    Raises
    ------
    NoRoute
        If a leg does not exist or does not follow on the one before.
    """
    flow = corridor.flows[id]
    hops: list[Hop] = []
    node = flow.origin
    for k, name in enumerate(flow.route):
        path = f"flows.{id}.route.{k}"
        if name not in corridor.legs:
            raise NoRoute(Problem("names a leg that does not exist", path, name, hint=nearest(name, corridor.legs)))
        leg = corridor.legs[name]
        if node not in (leg.from_, leg.to):
            ends = f"{leg.from_!r} and {leg.to!r}"
            raise NoRoute(Problem(f"does not go on from {node!r}: the leg joins {ends}", path, name))
        end = leg.to if node == leg.from_ else leg.from_
        hops.append(hop_of(corridor, name, node, end))
        node = end
    if node != flow.destination:
        raise NoRoute(Problem(f"ends at {node!r}, not at the destination {flow.destination!r}", f"flows.{id}.route"))
    return tuple(hops)


def hop_of(corridor: Corridor, leg: str, start: str, end: str) -> Hop:
    """The hop over a leg from one of its ends to the other."""
    return Hop(leg, start, end, corridor.legs[leg].from_ == start)


def passes(corridor: Corridor, hops: Sequence[Hop], handled_at: Collection[str] = ()) -> tuple[Pass, ...]:
    """Legs, posts and transfers in the order in which they are passed.

    A post is passed in `entry` direction after its border leg and in `exit`
    direction before it. A place's transfer is passed where the leg type changes,
    and at the ends that `handled_at` names (``origin``, ``destination``).
    """
    found: list[Pass] = []
    if "origin" in handled_at:
        found += _handled(corridor, hops[0].start)
    for k, hop in enumerate(hops):
        before = hops[k - 1] if k else None
        found += _at_node(corridor, before, hop, hop.start)
        found.append(Pass("leg", hop.leg, ">" if hop.forward else "<"))
    found += _at_node(corridor, hops[-1], None, hops[-1].end)
    if "destination" in handled_at:
        found += _handled(corridor, hops[-1].end)
    return tuple(found)


def _handled(corridor: Corridor, node: str) -> list[Pass]:
    """The transfer at a node, if it has one."""
    return [Pass("transfer", node, "transfer")] if node in corridor.places and corridor.places[node].transfer else []


def _at_node(corridor: Corridor, before: Hop | None, after: Hop | None, node: str) -> list[Pass]:
    found: list[Pass] = []
    if node in corridor.checkpoints:
        for direction, hop in (("entry", before), ("exit", after)):
            if hop is not None and corridor.legs[hop.leg].border:
                found.append(Pass("post", node, direction))
    elif before is not None and after is not None:
        changes = corridor.legs[before.leg].mode != corridor.legs[after.leg].mode
        if changes:
            found += _handled(corridor, node)
    return found


def crossings_of(corridor: Corridor, hops: Sequence[Hop]) -> tuple[str, ...]:
    """Crossings whose border legs a route uses, in order."""
    return tuple(corridor.checkpoints[hop.start].crossing for hop in hops if corridor.legs[hop.leg].border)


def border_of(corridor: Corridor, crossing: str) -> frozenset[str]:
    """The countries that a crossing joins: crossings with the same ones are ways over one border."""
    return frozenset(corridor.checkpoints[post].country or post for post in corridor.crossings.get(crossing, ()))


def stages_at(corridor: Corridor, at: Pass) -> Mapping[str, Stage]:
    """Stages of a post in one direction, or of a transfer."""
    if at.what == "transfer":
        return corridor.places[at.id].transfer
    assert at.direction in DIRECTIONS
    return corridor.checkpoints[at.id].stages(at.direction)


def _listed(nodes: Iterable[str], most: int = 8) -> str:
    names = sorted(nodes)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return "{" + ", ".join(names[:most]) + more + "}"
