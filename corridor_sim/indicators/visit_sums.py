"""Numbers and hours of the visits to each element by each flow, counted once for all indicators."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import Reducer, VisitBlock
from corridor_sim.indicators.interruptions import WorkingTime, that_fits, worked_h, working_times
from corridor_sim.plan.elements import Station
from corridor_sim.records.visits import IntArray


class VisitSums(Reducer):
    """Numbers and hours by (element, flow) cell, shape (cell, replication).

    Over visits joined in the counted window: `joined`; `started` and `wait_h`
    (those started); `left`, `hold_h`, `interrupted_h`, `blocked_h` (those that have
    left). Within the window, for all visits: `began` (starts); clipped at its ends:
    `wait_in_window_h`, `hold_in_window_h`, `interrupted_in_window_h`, `blocked_in_window_h`. At the
    end of the run, whenever they joined: `unserved` and their wait so far,
    `unserved_wait_h`. `hold_h` is service, travel, crossing or dwell. Of those joined in the window
    `gave_up` left the queue without a service, after `gave_up_wait_h`: they are not among those started or
    left; in `began` and `wait_in_window_h` they count until then.
    """

    def start(self) -> None:
        shape = (len(self.scope.cells), len(self.scope.replications))

        def zeros() -> FloatArray:
            return np.zeros(shape)

        self.joined, self.started, self.left, self.began = zeros(), zeros(), zeros(), zeros()
        self.wait_h, self.hold_h, self.interrupted_h, self.blocked_h = zeros(), zeros(), zeros(), zeros()
        self.wait_in_window_h, self.hold_in_window_h = zeros(), zeros()
        self.interrupted_in_window_h, self.blocked_in_window_h = zeros(), zeros()
        self.unserved, self.unserved_wait_h = zeros(), zeros()
        self.gave_up, self.gave_up_wait_h = zeros(), zeros()
        self._found: dict[tuple[int | tuple[int, ...], tuple[int, ...] | None], IntArray] = {}
        self._found_each: dict[tuple[tuple[int, ...], tuple[int, ...] | None], tuple[IntArray, IntArray]] = {}
        self._working_times: dict[tuple[int, int], list[WorkingTime]] = {}

    def add_visits(self, block: VisitBlock) -> None:
        cell, kind = block.cell, self.scope.plan.elements[block.element].kind
        for number in (self.joined, self.started, self.left, self.began):
            number[cell] += block.inner_number
        if kind != "delay":
            wait = block.sum_inner(block.wait_h)
            self.wait_h[cell] += wait
            self.wait_in_window_h[cell] += wait
        splits = kind in ("station", "limited_leg") and self.scope.may_block
        blocked = block.sum_inner(block.leave_h - block.finish_h) if splits else 0.0
        interrupts = self.scope.may_interrupt(block.element)
        if kind == "station" and not interrupts:
            hold: FloatArray | float = block.sum_inner(block.service_h)
        elif kind == "quota":
            hold = 0.0
        else:
            hold = block.sum_inner(block.leave_h - block.start_h) - blocked
        if interrupts:
            service = block.sum_inner(block.service_h)
            interrupted = hold - service
            self.interrupted_h[cell] += interrupted
            self.interrupted_in_window_h[cell] += interrupted
            hold = service
        self.hold_h[cell] += hold
        self.hold_in_window_h[cell] += hold
        if splits:
            self.blocked_h[cell] += blocked
            self.blocked_in_window_h[cell] += blocked
        if len(block.edge):
            self._add_edge(block, kind)
        if len(gone := block.counted_gave_up):
            waited = block.leave_h[gone] - block.join_h[gone]
            self.take_off(cell, block.sum_of(gone, np.ones(len(gone))), block.sum_of(gone, waited))

    def take_off(
        self, cell: int, number: FloatArray | float, wait_h: FloatArray | float, rows: slice = slice(None)
    ) -> None:
        """Some visits to a cell, counted as served, were of those who left the queue after so many hours in all."""
        self.started[cell, rows] -= number
        self.left[cell, rows] -= number
        self.wait_h[cell, rows] -= wait_h
        self.gave_up[cell, rows] += number
        self.gave_up_wait_h[cell, rows] += wait_h

    def _add_edge(self, block: VisitBlock, kind: str) -> None:
        scope, horizon, cell, edge = self.scope, self.scope.plan.horizon_h, block.cell, block.edge
        join, start, finish, leave, service = (
            column[edge] for column in (block.join_h, block.start_h, block.finish_h, block.leave_h, block.service_h)
        )
        if kind == "delay":
            start = join
        if kind not in ("station", "limited_leg"):
            finish = leave
        ended = finish
        waiting, held, gone = np.isnan(start), np.isnan(finish), ~np.isnan(leave)
        counted = (join >= scope.counts_from_h) & (join < scope.until_h)

        def within(since: FloatArray, until: FloatArray) -> FloatArray:
            return np.asarray(np.clip(until, scope.from_h, scope.until_h) - np.clip(since, scope.from_h, scope.until_h))

        start = np.where(waiting, horizon, start)
        finish = np.where(held, horizon, finish)
        until = np.where(gone, leave, horizon)
        wait, hold, blocked = start - join, finish - start, until - finish
        interrupted = np.zeros_like(hold)
        if scope.may_interrupt(block.element):
            # What exceeds the service was interruption, unfinished services included.
            interrupted = np.maximum(hold - service, 0.0)
        in_window = within(start, finish)
        interrupted_in_window = np.zeros_like(hold)
        if scope.may_interrupt(block.element):
            worked = self._worked_h(block, start, ended, service, waiting)
            interrupted_in_window = np.where(waiting, 0.0, np.maximum(in_window - worked, 0.0))

        row, count = block.row[edge], len(scope.replications)

        def add(values: NDArray[np.generic]) -> FloatArray:
            return np.asarray(np.bincount(row, values, minlength=count), dtype=np.float64)

        self.joined[cell] += add(counted)
        self.started[cell] += add(counted & ~waiting)
        self.began[cell] += add(~waiting & (start >= scope.from_h) & (start < scope.until_h))
        self.left[cell] += add(counted & gone)
        self.wait_h[cell] += add(np.where(counted & ~waiting, wait, 0.0))
        self.hold_h[cell] += add(np.where(counted & gone, hold - interrupted, 0.0))
        self.interrupted_h[cell] += add(np.where(counted & gone, interrupted, 0.0))
        self.blocked_h[cell] += add(np.where(counted & gone, blocked, 0.0))
        self.wait_in_window_h[cell] += add(within(join, start))
        self.hold_in_window_h[cell] += add(in_window - interrupted_in_window)
        self.interrupted_in_window_h[cell] += add(interrupted_in_window)
        self.blocked_in_window_h[cell] += add(within(finish, until))
        self.unserved[cell] += add(waiting)
        self.unserved_wait_h[cell] += add(np.where(waiting, wait, 0.0))

    def _worked_h(
        self, block: VisitBlock, start: FloatArray, finish: FloatArray, service: FloatArray, waiting: NDArray[np.bool_]
    ) -> FloatArray:
        """Work done within the counted window on those at its edges; finish NaN where it goes on. [h]"""
        scope = self.scope
        began, over = ~waiting & (start < scope.until_h), finish <= scope.until_h
        worked = np.where(began & (start >= scope.from_h) & over, service, 0.0)
        astride = began & ~(finish <= scope.from_h) & ~((start >= scope.from_h) & over)
        for k in np.flatnonzero(astride).tolist():
            row = int(block.row[block.edge[k]])
            worked[k] = self.worked_astride(block.element, row, float(start[k]), float(finish[k]), float(service[k]))
        return worked

    def worked_astride(self, element: int, row: int, start_h: float, finish_h: float, service_h: float) -> float:
        """Work done in the counted window on a service under way at an end of it; finish NaN where it goes on. [h]"""
        scope, station = self.scope, self.scope.plan.elements[element]
        assert isinstance(station, Station)
        lost = station.closing == "restart" or (station.closing != "suspend" and station.outage_policy == "restart")
        lost = lost or station.preemption == "restart"
        drawn = self.collector.outages_of(element, row)
        key = element, row if drawn else -1
        if key not in self._working_times:
            self._working_times[key] = working_times(station, drawn)
        span = start_h, finish_h, service_h
        time = that_fits(self._working_times[key], *span)
        by = [worked_h(time, *span, at, scope.plan.horizon_h, lost=lost) for at in (scope.from_h, scope.until_h)]
        return by[1] - by[0]

    def of(
        self, values: FloatArray, elements: int | tuple[int, ...], flows: tuple[int, ...] | None = None
    ) -> FloatArray:
        """Sum of `values` over the cells of some elements (and flows), shape (replication,)."""
        cells = self._cells(elements, flows)
        if len(cells) == 1:
            return np.asarray(values[cells[0]] + 0.0)
        # Whole numbers and times on the grid: their sum is exact in any order.
        return np.asarray(values[cells].sum(axis=0)) if len(cells) else np.zeros(values.shape[1])

    def by_flow(self, values: FloatArray) -> FloatArray:
        """Sum of `values` over all that each flow visits, shape (flow, replication)."""
        found = np.zeros((len(self.scope.plan.flows), values.shape[1]))
        # Exact in any order, see `of`.
        np.add.at(found, [flow for _, flow in self.scope.cells], values)
        return found

    def lost_by_flow_h(self) -> FloatArray:
        """Waits, interruptions and blocking in the window, wherever they were, shape (flow, replication). [h]"""
        return self.by_flow(self.wait_in_window_h + self.interrupted_in_window_h + self.blocked_in_window_h)

    def _cells(self, elements: int | tuple[int, ...], flows: tuple[int, ...] | None) -> IntArray:
        """Cells of some elements and flows, looked up once."""
        if (elements, flows) not in self._found:
            some = (elements,) if isinstance(elements, int) else elements
            if flows is None:
                found = [cell for k in some for cell in self.scope.element_cells[k]]
            else:
                at = self.scope.cell_of
                found = [at[k, flow] for k in some for flow in flows if (k, flow) in at]
            self._found[elements, flows] = np.array(found, dtype=np.int64)
        return self._found[elements, flows]

    def visited(self, elements: tuple[int, ...], flows: tuple[int, ...] | None) -> tuple[int, ...]:
        """Those of some elements that one of the flows may visit."""
        return tuple(k for k in elements if len(self._cells(k, flows)))

    def of_each(self, values: FloatArray, visited: tuple[int, ...], flows: tuple[int, ...] | None = None) -> FloatArray:
        """Sum of `values` over the flows at each of some elements that they may visit, shape (element, replication)."""
        key = visited, flows
        if key not in self._found_each:
            found = [self._cells(k, flows) for k in visited]
            ends = np.cumsum([len(cells) for cells in found])
            self._found_each[key] = np.concatenate(found), ends - [len(cells) for cells in found]
        cells, first = self._found_each[key]
        # Exact in any order, see `of`.
        return values[cells] if len(cells) == len(first) else np.add.reduceat(values[cells], first, axis=0)
