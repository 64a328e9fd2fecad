"""The tables by which the pass works through lines of stations with yards between them, and what is there at hour 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.refusals import blocking_lines, entered_from_elements, is_cyclic
from corridor_sim.engines.compiled.coupling import coupling
from corridor_sim.engines.compiled.listing import Ints, NumberLists, real, whole
from corridor_sim.engines.compiled.tables import Coded
from corridor_sim.plan.elements import Station
from corridor_sim.plan.plan import Plan

UNLIMITED = 1 << 62
"""Waiting places of a yard without a number."""


class YardLines(NamedTuple):
    """Lines of stations of which each but the first has a yard (rules S14 to S17); "from" columns as in `Tables`.

    Attributes
    ----------
    of_queue
        Line whose first station a queue is, -1 for others.
    member_from, member, place
        Queues of each line, in order; place of a queue among all members.
    yard_from, yard_h, yard
        Waiting places of each member by date; those of the first of a line are not looked at.
    used, asking, yard_at, touched
        Of each member lanes held, the first of those who ask for a place (-1: nobody does), the piece of its yard in
        force, and whether it has to be looked at.
    heap_h, heap_of, heap_size, there
        Of each line ends of services to come and whose they are, how many; how many are in it.
    start_h, finish_h
        Of each consignment, at the station where it is.
    blocked_h
        By step, hours for which those done held their lanes: of visits that count and are over, and in the window.
    """

    of_queue: Ints
    member_from: Ints
    member: Ints
    place: Ints
    yard_from: Ints
    yard_h: FloatArray
    yard: Ints
    used: Ints
    asking: Ints
    yard_at: Ints
    touched: Ints
    heap_h: FloatArray
    heap_of: Ints
    heap_size: Ints
    there: Ints
    start_h: FloatArray
    finish_h: FloatArray
    blocked_h: FloatArray


def places_by_date(station: Station) -> list[tuple[float, int]]:
    """Waiting places of a station from one instant to the next.

    Examples
    --------
    >>> from corridor_sim.core.step_functions import StepFunction
    >>> places_by_date(Station(id="booth", lanes=StepFunction.constant(2), yard=5))
    [(0.0, 5)]
    """
    dated = station.yard_changes or ((0.0, station.yard),)
    return [(from_h, UNLIMITED if places is None else places) for from_h, places in dated]


class YardLinesOfPlan:
    """What is worked through as lines in a plan, made ready for one replication after the other."""

    def __init__(self, plan: Plan, code: Coded) -> None:
        queues = len(code.tables.queue_kind)
        self.steps = len(code.tables.queue)
        of_queue, place = np.full((2, queues), -1, dtype=np.int64)
        members, yards = NumberLists(), NumberLists()
        for n, line in enumerate(blocking_lines(plan)):
            numbers = [q for k in line for q in code.queue_numbers[k]]
            of_queue[numbers[0]] = n
            place[numbers] = len(members.values) + np.arange(len(numbers))
            members.add(numbers)
            for k in line:
                station = plan.elements[k]
                assert isinstance(station, Station)
                yards.add(places_by_date(station))
        self.tables: YardLines | None = None
        if len(members.begin) > 1:
            nobody, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
            self.tables = YardLines(
                of_queue,
                whole(members.begin),
                whole(members.values),
                place,
                whole(yards.begin),
                real([at for at, _ in yards.values]),
                whole([places for _, places in yards.values]),
                *(nobody,) * 4,
                np.zeros((0, 0)),
                np.zeros((0, 0), dtype=np.int64),
                *(nobody,) * 2,
                *(nothing,) * 2,
                np.zeros((0, 0)),
            )

    def at_hour_0(self, consignments: int) -> YardLines | None:
        """The tables with the state at hour 0, with room for so many consignments; None where there are no lines."""
        tables, size = self.tables, consignments + 1
        if tables is None:
            return None
        members, lines = len(tables.member), len(tables.member_from) - 1
        return tables._replace(
            used=np.zeros(members, np.int64),
            asking=np.full(members, -1, dtype=np.int64),
            yard_at=tables.yard_from[:-1].copy(),
            touched=np.zeros(members, np.int64),
            # What is never written takes no memory.
            heap_h=np.empty((lines, size)),
            heap_of=np.empty((lines, size), np.int64),
            heap_size=np.zeros(lines, np.int64),
            there=np.zeros(lines, np.int64),
            start_h=np.empty(size),
            finish_h=np.empty(size),
            blocked_h=np.zeros((self.steps, 2)),
        )


def unworkable_yards(plan: Plan) -> Iterator[str]:
    """Yards that hold somebody up elsewhere than in a line that is worked through for itself.

    Examples
    --------
    >>> list(unworkable_yards(Plan(elements=(), flows=(), horizon_h=24.0)))
    []
    """
    lines = blocking_lines(plan)
    if lines and is_cyclic(plan):
        yield "yards in a plan whose itineraries go round in cycles"
    found = coupling(plan)
    together = set() if found is None else {k for group in found.groups for k in group}
    for line in lines:
        yield from (
            f"a yard behind {plan.elements[k].id}, which is worked together with others" for k in line if k in together
        )
    inside = {k for line in lines for k in line}
    for k, element in enumerate(plan.elements):
        if isinstance(element, Station) and element.may_be_full and k not in inside and entered_from_elements(plan, k):
            yield f"a yard outside a linear first-come-first-served run that all visit at {element.id}"
