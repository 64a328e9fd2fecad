"""What the pass reads of queues: lanes, timetables, acceptance, and which of them a kernel has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.servers import group_of, shares_of_lanes, up_of
from corridor_sim.engines.compiled import codes, kernel_tables
from corridor_sim.engines.compiled.coupling import coupling
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.engines.compiled.landings import first_after_landing, lands_boarding
from corridor_sim.engines.compiled.listing import (
    ClockTables,
    Drawn,
    FunctionTables,
    NumberLists,
    real,
    whole,
)
from corridor_sim.engines.queues.timetables import open_days
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.queue_levels import QueueLevels
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, PlanOutage, Quota, Station
from corridor_sim.plan.needs import needed
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs


class QueueTables:
    """Lines of those who wait, in order of their elements."""

    def __init__(self, plan: Plan, collector: Collector, clocks: ClockTables) -> None:
        self.plan, self.scope, self.clocks = plan, collector.scope, clocks
        found = coupling(plan)
        self.in_time = frozenset() if found is None else found.in_time
        levels, marks = collector.shared(QueueLevels), collector.shared(QueueMarks)
        self.lines = levels.lines
        at = {line: k for k, line in enumerate(self.lines)}
        self.groups = levels.groups
        self.group_line = [at[group] if len(group) > 1 else -1 for group in self.groups]
        widest = max(map(len, self.groups), default=1)
        self.group_lines = [[at[k,] for k in group] + [-1] * (widest - len(group)) for group in self.groups]
        self.place = {k: (g, n) for g, group in enumerate(self.groups) for n, k in enumerate(group)}
        self.row = {element: n for n, element in enumerate(marks.elements)}
        self.number: dict[tuple[int, int], int] = {}
        self._of_all: dict[int, int | None] = {}
        """The queue of each element asked for, None where flows have queues of their own."""
        self.by_flow = any(isinstance(one, Station) and one.reserved and one.keeps_lanes_apart for one in plan.elements)
        """Whether flows with the same itineraries may have other queues."""
        self.rows: list[tuple[Any, ...]] = []
        self.pieces = NumberLists()
        self.rank: list[list[int]] = []
        self.kernels: list[KernelTables] = []
        self.timetables: list[tuple[int, int]] = []
        self.drawn: list[tuple[int, Drawn]] = []
        self.changes = NumberLists()
        self.changes_of = plan.duration_changes_h()
        self.astride = 0

    def code(self, functions: FunctionTables) -> None:
        """Give every element that can queue its queues."""
        for k, element in enumerate(self.plan.elements):
            if isinstance(element, Station) and k in self.in_time:
                self._add(k, 0, codes.FULL_STATION, 1, [], -1)
            elif isinstance(element, Station):
                self._stations(k, element)
            elif isinstance(element, Quota):
                start = np.asarray(element.day_start_h, dtype=np.float64)
                end, limit = np.append(start[1:], np.inf), np.asarray(element.per_day, dtype=np.int64)
                if element.open is not None:
                    start, end, opens = open_days(start, end, element.open)
                    limit = np.where(opens, limit, 0)
                self._add(k, 0, codes.DAILY, 1, list(zip(start, end, limit, strict=True)), functions.of(element.open))
            elif isinstance(element, Departures):
                self._timetable(k, element)
            elif isinstance(element, LimitedLeg):
                if k in self.in_time:
                    self._add(k, 0, codes.LEG_IN_TIME, 1, [], -1, lines=1 if element.single_track is None else 2)
                elif needed(element):
                    self._add(k, 0, codes.LIMITED_LEG, 1, [], -1, kernel=kernel_tables.of_leg(element))
                else:
                    self._add(k, 0, codes.FREE, 1, [], -1)

    def _stations(self, k: int, station: Station) -> None:
        """A station as one queue, or as one for each group of flows that has lanes of its own."""
        single = [
            station.named,
            *(one.lane for one in station.outages),
            station.breakdown and station.breakdown.per_lane,
        ]
        if any(single):
            self._add(
                k, 0, codes.SINGLE_LANES, 1, [], -1, kernel=kernel_tables.of_single_lanes(station, station.outages)
            )
            if station.breakdown is not None:
                self.drawn.append((self.number[k, 0], partial(_drawn_lanes, k, station)))
        elif station.reserved and not station.keeps_lanes_apart:
            kernel = kernel_tables.of_reservations(station, len(self.plan.flows))
            self._add(k, 0, codes.RESERVED, 1, [], -1, kernel=kernel)
        else:
            pools = shares_of_lanes(station) if station.reserved else [station.lanes]
            for group, lanes in enumerate(pools):
                if station.closing == "finish" and not station.outages and station.breakdown is None:
                    self._station(k, group, station, lanes)
                    continue
                works = up_of([station.outages], always=True)
                kind, kernel = kernel_tables.of_hours(station, lanes, works, self.plan.horizon_h)
                self._add(k, group, kind, 1, [], -1, kernel=kernel)
                if station.breakdown is not None:
                    make = partial(_drawn_hours, k, station, lanes, self.plan.horizon_h)
                    self.drawn.append((self.number[k, group], make))

    def _station(self, k: int, group: int, station: Station, lanes: StepFunction) -> None:
        begin = [-np.inf, *lanes.from_h[1:].tolist()]
        ranks = list(station.rank or ())
        kind, classes = codes.DATED_LANES, {rank: n for n, rank in enumerate(sorted(set(ranks)))}
        if len(classes) > 1:
            kind = codes.URGENT_FIRST
        elif lanes.is_constant and lanes.value[0] >= 1:
            kind = codes.CONSTANT_LANES
        pieces = [(at, 0.0, int(value)) for at, value in zip(begin, lanes.value, strict=True)]
        most = max(int(lanes.value.max()), 1)
        self._add(k, group, kind, most, pieces, -1, [classes.get(rank, 0) for rank in ranks])

    def _timetable(self, k: int, table: Departures) -> None:
        """A departure takes all who join by then; so does a day of daily acceptance that ends just after."""
        if (np.diff(table.depart_h) < 0).any():
            raise SimulationError(f"{table.id}: departures must be in order of time")
        if table.when_full or table.priority is not None:
            loads = _full_loads if table.when_full else _loads_by_class
            make = partial(loads, k, table)
            if table.crossing is not None or table.cancel > 0:
                self.drawn.append((len(self.rows), make))
                kind, kernel = (codes.WHEN_FULL if table.when_full else codes.BY_CLASS), KernelTables()
            else:
                kind, kernel = make(None, 0)
            self._add(k, 0, kind, 1, [], -1, kernel=kernel)
            return
        if table.crossing is not None or table.cancel > 0:
            self.timetables.append((k, len(self.rows)))
        kind = codes.DAILY if table.crossing is None else codes.SAILING
        end = np.nextafter(table.depart_h, np.inf)
        self._add(k, 0, kind, 1, list(zip(table.depart_h, end, table.places, strict=True)), -1)

    def _add(
        self,
        k: int,
        group: int,
        kind: int,
        lanes: int,
        pieces: list[Any],
        opens: int,
        rank: Sequence[int] = (),
        kernel: KernelTables | None = None,
        lines: int = 1,
    ) -> None:
        self.number[k, group] = len(self.rows)
        self.kernels.append(kernel or KernelTables())
        clock = self.clocks.of(self.scope.clock(self.plan.elements[k].post))
        # An element that no itinerary visits has no place among the levels.
        where = self.place.get(k, (-1, 0))
        element, stops = self.plan.elements[k], self.scope.may_interrupt(k)
        if isinstance(element, Station) and stops:
            # At each end of the window each lane has one at most.
            pools = 1 + (len(element.reserved) if k in self.in_time else 0)
            most = int(element.lanes.value.max()) + len(element.named or ()) + 1
            if element.extra_lanes is not None:
                most += int(element.extra_lanes.most.value.max())
            if element.preemption is not None:
                # Of each rank as many as there are lanes may have been interrupted.
                orders = [element.rank, *(order for _, order in element.rank_changes)]
                most *= len({rank for order in orders for rank in order or (0,)})
            self.astride += 2 * pools * most
        self.rows.append((kind, lanes, opens, max(lines, max(rank, default=0) + 1), self.row[k], clock, stops, *where))
        self.pieces.add(pieces)
        self.changes.add(list(self.changes_of[k]) if kind in codes.READ_AGAIN else [])
        self.rank.append([*rank] or [0] * len(self.plan.flows))

    def of(self, element: int, flow: int) -> int:
        """The queue that a flow joins at an element, -1 for a delay."""
        if element not in self._of_all:
            thing = self.plan.elements[element]
            apart = isinstance(thing, Station) and thing.reserved and thing.keeps_lanes_apart
            apart = apart and element not in self.in_time
            self._of_all[element] = -1 if isinstance(thing, Delay) else None if apart else self.number[element, 0]
        queue = self._of_all[element]
        if queue is not None:
            return queue
        station = self.plan.elements[element]
        assert isinstance(station, Station)
        return self.number[element, group_of(station, flow)]

    def of_element(self) -> dict[int, tuple[int, ...]]:
        """The queues of each element, in order."""
        found: dict[int, tuple[int, ...]] = {}
        for (element, _), q in self.number.items():
            found[element] = (*found.get(element, ()), q)
        return found

    def _boarded(self) -> NDArray[np.bool_]:
        """Which queues somebody may join in the order in which he boarded."""
        found = np.zeros(len(self.rows), dtype=np.bool_)
        for f, v, k in first_after_landing(self.plan):
            if (queue := self.of(self.plan.flows[f].variants[v].steps[k].element, f)) >= 0:
                found[queue] = True
        return found

    def tables(self) -> list[Any]:
        """From `Tables.queue_kind` on."""
        kind, lanes, opens, classes, row, clock, stops, group, slot = ([one[k] for one in self.rows] for k in range(9))
        begin, until, number = ([piece[k] for piece in self.pieces.values] for k in range(3))
        packed = kernel_tables.packed(self.kernels)
        return [
            whole(kind),
            whole(lanes),
            whole(self.pieces.begin),
            real(begin),
            real(until),
            whole(number),
            whole(opens),
            whole(self.rank).reshape(len(self.rows), len(self.plan.flows)),
            whole(classes),
            whole(row),
            whole(clock),
            np.array(stops, dtype=np.bool_),
            whole(group),
            whole(slot),
            whole(self.group_line),
            whole(self.group_lines).reshape(len(self.groups), max(map(len, self.groups), default=1)),
            np.array([lands_boarding(self.plan, k) for k, _ in self.number], dtype=np.bool_),
            self._boarded(),
            np.zeros(len(number)),
            packed.times,
            packed.times_at,
            packed.counts,
            packed.counts_at,
            whole(self.changes.begin),
            real(self.changes.values),
        ]


# ---------------------------------------------------------------- kernels that depend on draws


def _outages(k: int, station: Station, inputs: SampledInputs | None, row: int) -> tuple[PlanOutage, ...]:
    if inputs is None or k not in inputs.outages:
        raise SimulationError(f"{station.id}: no outages were drawn for its breakdowns")
    return (*station.outages, *inputs.outages[k][row])


def _drawn_lanes(k: int, station: Station, inputs: SampledInputs | None, row: int) -> tuple[int, KernelTables]:
    return codes.SINGLE_LANES, kernel_tables.of_single_lanes(station, _outages(k, station, inputs, row))


def _drawn_hours(
    k: int, station: Station, lanes: StepFunction, horizon_h: float, inputs: SampledInputs | None, row: int
) -> tuple[int, KernelTables]:
    works = up_of([_outages(k, station, inputs, row)], always=False)
    return kernel_tables.of_hours(station, lanes, works, horizon_h)


def draws_of_departures(
    k: int, table: Departures, inputs: SampledInputs | None, row: int
) -> tuple[FloatArray | None, NDArray[np.bool_] | None]:
    """Crossings and cancellations of one replication by departure, None where there are none.

    Raises
    ------
    SimulationError
        If they are missing.
    """
    found: list[Any] = []
    # Departures when full have no timetable of which one could be cancelled.
    cancels = table.cancel > 0 and not table.when_full
    for name, needs, drawn in (
        ("crossing times", table.crossing is not None, inputs and inputs.crossing_h),
        ("cancellations", cancels, inputs and inputs.cancelled),
    ):
        if needs and (not drawn or k not in drawn or drawn[k].shape[1] < len(table.depart_h)):
            raise SimulationError(f"{table.id}: no {name} were drawn")
        found.append(drawn[k][row] if needs and drawn else None)
    return found[0], found[1]


def _full_loads(k: int, table: Departures, inputs: SampledInputs | None, row: int) -> tuple[int, KernelTables]:
    crossing_h, _ = draws_of_departures(k, table, inputs, row)
    return codes.WHEN_FULL, kernel_tables.of_full_loads(table, crossing_h)


def _loads_by_class(k: int, table: Departures, inputs: SampledInputs | None, row: int) -> tuple[int, KernelTables]:
    return codes.BY_CLASS, kernel_tables.of_classes(table, *draws_of_departures(k, table, inputs, row))
