"""What a way costs a consignment without any queue: fares of the legs, fees at borders, handling, hours.

Handling is paid where the kind of leg changes and at the ends that `handled_at` names, at the rates of the place.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from corridor_sim.model.corridor import Corridor
from corridor_sim.model.flows import Flow
from corridor_sim.model.routes import Hop, State, passes, post_hours, stages_at
from corridor_sim.model.shares import share_at

LAND = ("road", "rail")
"""Kinds of legs that can lead over a border by land."""


@dataclass(frozen=True, slots=True)
class WayCost:
    """Cost and hours of one consignment on one way, nobody waiting."""

    fare_usd: float
    """Along the legs. [US$]"""
    fees_usd: float
    """At borders that are crossed by land. [US$]"""
    handling_usd: float
    """Where cargo changes between kinds of legs, and at the ends named. [US$]"""
    hours: float
    """On the way, in service and at rest. [h]"""
    timetable_h: float
    """Half the times between departures: what somebody waits who comes at any time. [h]"""

    def unqueued_usd(self, value_of_time_usd_h: float) -> float:
        """All of it but the waits, with the value of the hours. [US$]"""
        return self.fare_usd + self.fees_usd + self.handling_usd + value_of_time_usd_h * self.hours


def handled_at(corridor: Corridor, hops: Sequence[Hop], ends: Collection[str] = ()) -> list[str]:
    """Places where the cargo of a way is handled, in order: where the kind of leg changes, and the ends named."""
    found = [hops[0].start] if "origin" in ends else []
    for before, after in pairwise(hops):
        node = corridor.places.get(after.start)
        changes = corridor.legs[before.leg].mode != corridor.legs[after.leg].mode
        if changes or (node is not None and node.handled_through):
            found.append(after.start)
    found += [hops[-1].end] if "destination" in ends else []
    return [node for node in found if node in corridor.places]


def handling_usd(corridor: Corridor, flow: Flow, hops: Sequence[Hop]) -> float:
    """What handling costs one consignment on a way. [US$]

    Examples
    --------
    >>> import corridor_sim as cs
    >>> from corridor_sim.model.routes import explicit
    >>> ways = cs.load_scenario("routes_mumbai_moscow")
    >>> sea = ways.flows["suez_novorossiysk"]
    >>> round(handling_usd(ways, sea, explicit(ways, "suez_novorossiysk")) / sea.teu)  # two ports
    230
    """
    if flow.handled_as == "rolling":
        return 0.0
    total = 0.0
    for node in handled_at(corridor, hops, flow.handled_at):
        place = corridor.places[node]
        if flow.handled_as == "teu":
            total += (place.handling_usd_teu or 0.0) * flow.teu
        else:
            total += (place.handling_usd_t or 0.0) * flow.load_t
    return total


def land_borders(corridor: Corridor, hops: Sequence[Hop]) -> int:
    """How many borders a way crosses by land."""
    country = {id: node.country for id, node in corridor.places.items()}
    country |= {id: node.country for id, node in corridor.checkpoints.items()}
    ends = [(country[hop.start], country[hop.end]) for hop in hops if corridor.legs[hop.leg].kind in LAND]
    return sum(one != other for one, other in ends if one and other)


def way_cost(corridor: Corridor, id: str, state: State, hops: Sequence[Hop]) -> WayCost:
    """Cost and hours of a consignment of a flow on a way at one time, without any queue."""
    flow = corridor.flows[id]
    fares, hours, timetable_h = [], [], 0.0
    for hop in hops:
        leg = corridor.legs[hop.leg]
        fares.append(leg.cost_usd_tkm * flow.load_t * leg.length_km)
        hours.append(leg.mean_travel_h / state.speed.get(hop.leg, 1.0))
        timetable_h += leg.timetable.mean_wait_h if leg.timetable is not None else 0.0
    for at in passes(corridor, hops, flow.handled_at):
        if at.what == "post":
            hours.append(post_hours(corridor, at.id, at.direction, flow.cargo_class, state))
        elif at.what == "transfer":
            hours += [
                stage.cycle_h
                * share_at(state.changes, f"places.{at.id}.transfer", name, stage, None, flow.cargo_class, state.time_h)
                * stage.factor_by_class.get(flow.cargo_class, 1.0)
                for name, stage in stages_at(corridor, at).items()
            ]
    fee = corridor.factors.border_fee_usd or 0.0
    return WayCost(
        math.fsum(fares),
        fee * land_borders(corridor, hops),
        handling_usd(corridor, flow, hops),
        math.fsum(hours),
        timetable_h,
    )
