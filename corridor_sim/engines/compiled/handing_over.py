"""The sums of replications, added to the reducers of a collector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.compiled.full_tables import Full
from corridor_sim.engines.compiled.listing import Ints
from corridor_sim.engines.compiled.state import PassState, Sums
from corridor_sim.engines.compiled.tables import Coded
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.extra_lanes import ExtraLaneHours
from corridor_sim.indicators.queue_levels import QueueLevels
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, SpanSums, StationDays, StayTimes, WaitTimes
from corridor_sim.indicators.visit_sums import VisitSums

HELD_BYTES = 8_000_000
"""Sums of replications that are held before they are handed over together. [bytes]"""


class HeldSums:
    """Sums of replications one after the other, until they are added to their rows of the reducers together."""

    def __init__(self, code: Coded, collector: Collector) -> None:
        self.code, self.collector = code, collector
        self.row, self.sums, self.nbytes = 0, list[Sums](), 0

    def put(self, row: int, sums: Sums) -> None:
        """Hold the sums of a replication, whose row is the next one."""
        if not self.sums:
            self.row = row
        self.sums.append(sums)
        self.nbytes += sum(array.nbytes for array in sums)
        if self.nbytes >= HELD_BYTES:
            self.hand_over()

    def hand_over(self) -> None:
        """Add what is held to the reducers."""
        if self.sums:
            _hand_over(self.code, self.collector, self.row, self.sums)
            self.sums, self.nbytes = [], 0


def _hand_over(code: Coded, collector: Collector, first: int, found: Sequence[Sums]) -> None:
    """Add the sums of replications to their rows of the reducers, from a first row on."""
    rows, many = slice(first, first + len(found)), np.arange(len(found))[:, None]

    def add(into: FloatArray, where: Ints, values: FloatArray) -> None:
        """Add values of shape (replication, place) to the cells of their places."""
        cells = len(into)
        total = np.bincount((where + cells * many).ravel(), values.ravel(), minlength=cells * len(found))
        into[:, rows] += total.reshape(len(found), cells).T

    def stacked(name: str) -> FloatArray:
        return np.stack([getattr(sums, name) for sums in found])

    visits, inner, edge, cell = collector.shared(VisitSums), stacked("inner"), stacked("at_edge"), code.step_cell
    number, wait, hold, interrupted = np.moveaxis(inner, -1, 0)
    for k, total in enumerate((visits.joined, visits.started, visits.left, visits.began)):
        add(total, cell, number + edge[..., k])
    add(visits.wait_h, cell, wait + edge[..., 4])
    add(visits.hold_h, cell, hold + edge[..., 5])
    add(visits.wait_in_window_h, cell, wait + edge[..., 6])
    add(visits.hold_in_window_h, cell, hold + edge[..., 7])
    add(visits.unserved, cell, edge[..., 8])
    add(visits.unserved_wait_h, cell, edge[..., 9])
    add(visits.interrupted_h, cell, interrupted + edge[..., 10])
    add(visits.interrupted_in_window_h, cell, interrupted + edge[..., 11])
    for row, sums in enumerate(found, first):
        for step, start, finish, service, in_window in sums.astride[: sums.found[0]].tolist():
            worked = visits.worked_astride(int(code.step_element[int(step)]), row, start, finish, service)
            stopped = max(in_window - worked, 0.0)
            visits.hold_in_window_h[cell[int(step)], row] += in_window - stopped
            visits.interrupted_in_window_h[cell[int(step)], row] += stopped

    waits = collector.shared(WaitTimes)
    queued = np.flatnonzero(code.tables.queue >= 0)
    place = code.tables.queue_row[code.tables.queue[queued]]
    add(waits.started, place, (number + edge[..., 1])[:, queued])

    # Visits of delays that are a leg of their own are passages of it.
    passed, legs = stacked("passed"), np.flatnonzero(code.tables.leg_of >= 0)
    passed[:, code.tables.leg_of[legs]] += inner[:, legs][..., [0, 2]]
    spans, edge, cell = collector.shared(SpanSums), stacked("passed_edge"), code.span_cell
    number, stay = np.moveaxis(passed, -1, 0)
    for total, column in ((spans.created, 0), (spans.begun, 1), (spans.done, 2), (spans.ended, 4)):
        add(total, cell, number + edge[..., column])
    add(spans.stay_h, cell, stay + edge[..., 3])
    add(spans.inside, cell, edge[..., 5])
    add(spans.inside_h, cell, edge[..., 6])
    journeys = np.flatnonzero(code.span_variant >= 0)
    add(spans.variant_done, code.span_variant[journeys], (number + edge[..., 2])[:, journeys])

    days, hours, stays = collector.shared(SpanDays), collector.shared(SpanHours), collector.shared(StayTimes)
    for array, name in (
        (collector.shared(QueueMarks).net, "net"),
        (collector.shared(StationDays).joined_by_day, "days"),
        (waits.counts.counts, "waits"),
        (days.begun_by_day, "begun_days"),
        (days.ended_by_day, "ended_days"),
        (hours.begun, "hours"),
        (hours.stay_h, "hours_h"),
        (stays.counts.counts, "stays"),
        (stays.counts.near, "near"),
    ):
        array[:, rows] += np.stack([getattr(sums, name) for sums in found], axis=1)


def hand_over_extra_lanes(code: Coded, collector: Collector, row: int, in_time: Full | None) -> None:
    """Lane-hours and openings of the lanes that queues opened, until the end of the window."""
    if in_time is None or not len(in_time.extra_h):
        return
    hours = collector.shared(ExtraLaneHours)
    for q, x in enumerate(in_time.number.tolist()):
        if x >= 0 and in_time.extra_from[x] < in_time.extra_from[x + 1]:
            since = max(float(in_time.extra_since_h[x]), code.window.from_h)
            last_h = int(in_time.extra_open[x]) * max(code.window.until_h - since, 0.0)
            open_h, opened = float(in_time.extra_open_h[x]) + last_h, int(in_time.extra_opened[x])
            hours.put(int(code.queue_element[q]), row, open_h, opened)


def hand_over_levels(code: Coded, collector: Collector, row: int, spent: Sequence[Ints], state: PassState) -> None:
    """Time at each number waiting, of each line."""
    levels = collector.shared(QueueLevels)
    for k, line in enumerate(code.lines):
        levels.put(row, line, spent[k], int(state.level[k]), int(state.since[k]))
