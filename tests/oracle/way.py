"""Where a flow goes: its legs, and the posts on both sides of a border leg, in order.

Only borders with one way from origin to destination: choosing among several is
not this oracle's business, and it says so instead of guessing.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """One thing on the way: ``leg``, or ``post`` in one direction."""

    what: str
    id: str
    direction: str


def legs_of(scenario, flow):
    """Ids of the legs of a flow in order, each with whether it is travelled as it is written."""
    if not isinstance(flow.route, str):
        found, node = [], flow.origin
        for id in flow.route:
            leg = scenario.legs[id]
            found.append((id, leg.from_ == node))
            node = leg.to if leg.from_ == node else leg.from_
        return found
    ways = list(_ways(scenario, flow.origin, flow.destination, ()))
    if len(ways) != 1:
        raise NotImplementedError(f"{len(ways)} ways from {flow.origin} to {flow.destination}")
    return ways[0]


def _ways(scenario, node, goal, passed):
    if node == goal:
        yield list(passed)
        return
    been = {node} | {end for id, _ in passed for end in (scenario.legs[id].from_, scenario.legs[id].to)}
    for id, leg in scenario.legs.items():
        for begin, end, forward in ((leg.from_, leg.to, True), (leg.to, leg.from_, False)):
            if begin == node and end not in been:
                yield from _ways(scenario, end, goal, (*passed, (id, forward)))


def stops_of(scenario, flow):
    """Legs and posts in the order in which they are passed.

    Before a border leg comes the exit of the post where it begins, after it the
    entry of the post where it ends (D04).
    """
    found, node = [], flow.origin
    for id, forward in legs_of(scenario, flow):
        leg = scenario.legs[id]
        begin, end = (leg.from_, leg.to) if forward else (leg.to, leg.from_)
        assert begin == node
        if leg.border:
            found.append(Stop("post", begin, "exit"))
        found.append(Stop("leg", id, ">" if forward else "<"))
        if leg.border:
            found.append(Stop("post", end, "entry"))
        node = end
    return found
