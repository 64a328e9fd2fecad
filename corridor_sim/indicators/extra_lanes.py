"""Lanes that queues open (rule S27): how long they are open, and how often one is opened.

Staff is paid for hours of lanes, so `extra_lane_h_per_day` is what a cost is multiplied by.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.indicators.base import INDICATORS, Indicator, Reducer, element_place
from corridor_sim.indicators.label import Row
from corridor_sim.plan.elements import Station
from corridor_sim.records.visits import Chunk, IntArray


class ExtraLaneHours(Reducer):
    """Lane-hours and openings of extra lanes in the counted window, shape (element with such lanes, replication)."""

    def start(self) -> None:
        elements = enumerate(self.scope.plan.elements)
        self.elements = [k for k, one in elements if isinstance(one, Station) and one.extra_lanes is not None]
        shape = (len(self.elements), len(self.scope.replications))
        self.open_h, self.opened = np.zeros(shape), np.zeros(shape)

    def add_chunk(self, rows: IntArray, chunk: Chunk) -> None:
        since_h, until_h = self.scope.from_h, self.scope.until_h
        for element, replications in chunk.extra_lanes.items():
            for row, changes in zip(rows.tolist(), replications, strict=True):
                open_h, opened, before, at_h = 0.0, 0, 0, 0.0
                for change_h, number in (*changes, (until_h, 0)):
                    open_h += before * max(min(change_h, until_h) - max(at_h, since_h), 0.0)
                    if since_h <= change_h < until_h:
                        opened += max(number - before, 0)
                    before, at_h = number, change_h
                self.put(element, row, open_h, opened)

    def put(self, element: int, row: int, open_h: float, opened: int) -> None:
        """Take in one station in one replication: lane-hours, and how often a lane was opened. [h], [-]"""
        place = self.elements.index(element)
        self.open_h[place, row] += open_h
        self.opened[place, row] += opened


@INDICATORS.register("extra_lanes")
class ExtraLaneRows(Indicator):
    """Lanes opened by the queue: lane-hours a day, and openings a day, of the counted window.

    Rows ``extra_lane_h_per_day`` [h/day] and ``extra_lane_openings_per_day`` [1/day] of each stage that has
    such lanes; a lane counts from its opening to its closing, busy or not, and not while it is got ready.
    """

    window = "window"

    def start(self) -> None:
        self._hours = self.shared(ExtraLaneHours)

    def table_rows(self) -> Iterator[Row]:
        days = self.scope.window_days
        for place, element in enumerate(self._hours.elements):
            if not len(self.scope.element_cells[element]):
                continue
            where = element_place(self.scope.plan.elements[element])
            yield self.row(self._hours.open_h[place] / days, *where, name="extra_lane_h_per_day", unit="h/day")
            yield self.row(self._hours.opened[place] / days, *where, name="extra_lane_openings_per_day", unit="1/day")
