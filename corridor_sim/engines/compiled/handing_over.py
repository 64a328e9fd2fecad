"""The sums of replications, added to the reducers of a collector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.compiled.full_tables import Full
from corridor_sim.engines.compiled.lines import YardLines
from corridor_sim.engines.compiled.listing import Ints
from corridor_sim.engines.compiled.one_piece import in_one_piece
from corridor_sim.engines.compiled.rooms import shapes_of_sums
from corridor_sim.engines.compiled.state import Sums
from corridor_sim.engines.compiled.tables import Coded
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.extra_lanes import ExtraLaneHours
from corridor_sim.indicators.many_distributions import Occurring
from corridor_sim.indicators.queue_levels import QueueLevels
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, SpanSums, StationDays, StayTimes, WaitTimes
from corridor_sim.indicators.visit_sums import VisitSums

HELD_BYTES = 8_000_000
"""Sums of replications that are held before they are handed over together. [bytes]"""
OF_QUEUES = ("net", "days", "waits")
"""Sums whose rows are the elements that can queue."""

Levels = tuple[Ints, Ints, Ints]
"""Of one replication: time at each number waiting, of each line; how many wait at the end of the run; since when."""


def alone(sums: Sums, k: int) -> Sums:
    """Those of the k-th replication; times of passages are counted in one place for all."""
    held: dict[str, Any] = sums._asdict()
    return Sums(**{name: array[0 if name == "stays" else k] for name, array in held.items()})


def listed(row: int, number: int, places: int, replications: int, ends: Ints, value: Ints, times: Any) -> Occurring:
    """Times of passages at so many places, of replications from a row on, as the machine has listed them."""
    which = np.arange(places) * replications + np.arange(row, row + number)[:, None]
    return Occurring(which.reshape(-1), ends, value, times)


class HeldSums:
    """Sums of replications one after the other, until they are added to their rows of the reducers together.

    They are counted where they are held, one replication beside the other, in arrays that serve again. Times of
    passages, of which few of all that there may be occur, are counted in one place for all, and listed as they are
    put.
    """

    def __init__(
        self,
        code: Coded,
        collector: Collector,
        more: Mapping[str, Ints] | None = None,
        queues: Sequence[slice] = (slice(None),),
        lines: Sequence[int] | None = None,
    ) -> None:
        """`more` are rows behind those there are, by name of the sums: of each the row to which it is added.

        Of queues only some rows and lines are handed over (`OF_QUEUES`), where those of the others come from elsewhere.
        """
        self.code, self.collector, self.more = code, collector, more or {}
        self.queues, self.lines = queues, range(len(code.lines)) if lines is None else lines
        shapes = dict(zip(Sums._fields, shapes_of_sums(code, collector), strict=True))
        for name, rows in self.more.items():
            (number, *shape), dtype = shapes[name]
            shapes[name] = (number + len(rows), *shape), dtype
        each = (math.prod(shape) * dtype.itemsize for name, (shape, dtype) in shapes.items() if name != "stays")
        bytes_held, in_pieces = (HELD_BYTES, False) if lines is None else (HELD_BYTES // 2, True)
        most = max(1, min(bytes_held // sum(each), len(collector.scope.replications)))
        held = [((1 if name == "stays" else most, *shape), dtype) for name, (shape, dtype) in shapes.items()]
        # Where little of it will be written it is had in small pages.
        self.sums = Sums(*(starmap(np.zeros, held) if in_pieces else in_one_piece(held)))
        self.stays = collector.shared(StayTimes).counts
        self.row, self.number, self.most = 0, 0, int(most)
        self.levels, self.level_bytes = list[Levels](), 0

    @property
    def left(self) -> int:
        """Replications for which there are sums in which nothing is counted yet."""
        return self.most - self.number

    def free(self) -> Sums:
        """Those of the replication that is put next."""
        return alone(self.sums, self.number)

    def put(self, row: int, number: int, levels: Sequence[Levels], stays: Occurring | None = None) -> None:
        """Hold the sums of so many replications, in rows that go on where the last ended, and the levels of queues.

        `stays` are the times of passages; None: of one replication, they are listed here.
        """
        if not self.number:
            self.row = row
        if stays is None:
            assert number == 1
            counts, replications = self.sums.stays[0], len(self.collector.scope.replications)
            stays = Occurring.of(counts, np.arange(len(counts)) * replications + row)
            counts.fill(0)
        if len(self.more.get("stays", ())):
            places, replications, _ = self.stays.shape
            own = np.concatenate([np.arange(places), self.more["stays"]])
            place, replication = np.divmod(stays.which, replications)
            stays = stays.renumbered(own[place] * replications + replication)
        self.stays.take(stays)
        self.levels += levels
        self.level_bytes += sum(spent.nbytes for spent, _, _ in levels)
        self.number += number
        if self.number == self.most or self.level_bytes >= HELD_BYTES:
            self.hand_over()

    def hand_over(self) -> None:
        """Add what is held to the reducers."""
        if not self.number:
            return
        found: list[Any] = [array[: self.number] for array in self.sums]
        sums = Sums(*found)
        _hand_over(self.code, self.collector, self.row, sums._replace(**self._joined(sums)), self.queues)
        if self.levels:
            _hand_over_levels(self.code, self.collector, self.row, self.levels, self.lines)
        for name, array in sums._asdict().items():
            # What is never written takes no memory.
            for some in self.queues if name in OF_QUEUES else (slice(None),):
                array[:, some].fill(0) if array.ndim > 1 else array.fill(0)
        self.number, self.levels, self.level_bytes = 0, [], 0

    def _joined(self, found: Sums) -> dict[str, Any]:
        """The sums that have more rows, without them: each is added to its own."""
        joined: dict[str, Any] = {}
        for name, rows in self.more.items():
            if name == "stays":
                continue
            array = getattr(found, name)
            number = array.shape[1] - len(rows)
            for k, row in enumerate(rows.tolist()):
                array[:, row] += array[:, number + k]
            joined[name] = array[:, :number]
        return joined


def _hand_over(code: Coded, collector: Collector, first: int, found: Sums, queues: Sequence[slice]) -> None:
    """Add the sums of replications, one beside the other, to their rows of the reducers, from a first row on."""
    number = len(found.found)
    rows, many = slice(first, first + number), np.arange(number)[:, None]

    def add(into: FloatArray, where: Ints, values: FloatArray) -> None:
        """Add values of shape (replication, place) to the cells of their places."""
        cells = len(into)
        total = np.bincount((where + cells * many).ravel(), values.ravel(), minlength=cells * number)
        into[:, rows] += total.reshape(number, cells).T

    visits, inner, edge, cell = collector.shared(VisitSums), found.inner, found.at_edge, code.step_cell
    times, wait, hold, interrupted = np.moveaxis(inner, -1, 0)
    for k, total in enumerate((visits.joined, visits.started, visits.left, visits.began)):
        add(total, cell, times + edge[..., k])
    add(visits.wait_h, cell, wait + edge[..., 4])
    add(visits.hold_h, cell, hold + edge[..., 5])
    add(visits.wait_in_window_h, cell, wait + edge[..., 6])
    add(visits.hold_in_window_h, cell, hold + edge[..., 7])
    add(visits.unserved, cell, edge[..., 8])
    add(visits.unserved_wait_h, cell, edge[..., 9])
    add(visits.interrupted_h, cell, interrupted + edge[..., 10])
    add(visits.interrupted_in_window_h, cell, interrupted + edge[..., 11])
    for k in np.flatnonzero(found.found[:, 0]).tolist():
        row = first + k
        for step, start, finish, service, in_window in found.astride[k, : found.found[k, 0]].tolist():
            worked = visits.worked_astride(int(code.step_element[int(step)]), row, start, finish, service)
            stopped = max(in_window - worked, 0.0)
            visits.hold_in_window_h[cell[int(step)], row] += in_window - stopped
            visits.interrupted_in_window_h[cell[int(step)], row] += stopped

    waits = collector.shared(WaitTimes)
    queued = np.flatnonzero(code.tables.queue >= 0)
    place = code.tables.queue_row[code.tables.queue[queued]]
    add(waits.started, place, (times + edge[..., 1])[:, queued])

    # Visits of delays that are a leg of their own are passages of it.
    passed, legs = found.passed, np.flatnonzero(code.tables.leg_of >= 0)
    passed[:, code.tables.leg_of[legs]] += inner[:, legs][..., [0, 2]]
    spans, edge, cell = collector.shared(SpanSums), found.passed_edge, code.span_cell
    times, stay = np.moveaxis(passed, -1, 0)
    if code.lost.any():
        # Journeys of those who are lost were counted as others: they begin, and are neither done nor ended.
        lost = np.flatnonzero((code.span_variant >= 0) & code.lost[np.maximum(code.span_variant, 0)])
        gone = times[:, lost] + edge[:, lost, 0] - edge[:, lost, 5]
        for total, column in ((spans.created, 0), (spans.begun, 1)):
            add(total, cell[lost], times[:, lost] + edge[:, lost, column])
        add(spans.lost, cell[lost], gone)
        times[:, lost] = stay[:, lost] = 0.0
        edge[:, lost, :5] = 0.0
    for total, column in ((spans.created, 0), (spans.begun, 1), (spans.done, 2), (spans.ended, 4)):
        add(total, cell, times + edge[..., column])
    add(spans.stay_h, cell, stay + edge[..., 3])
    add(spans.inside, cell, edge[..., 5])
    add(spans.inside_h, cell, edge[..., 6])
    journeys = np.flatnonzero(code.span_variant >= 0)
    add(spans.variant_done, code.span_variant[journeys], (times + edge[..., 2])[:, journeys])

    days, hours, stays = collector.shared(SpanDays), collector.shared(SpanHours), collector.shared(StayTimes)
    for array, name in (
        (collector.shared(QueueMarks).net, "net"),
        (collector.shared(StationDays).joined_by_day, "days"),
        (waits.counts.counts, "waits"),
        (days.begun_by_day, "begun_days"),
        (days.ended_by_day, "ended_days"),
        (hours.begun, "hours"),
        (hours.stay_h, "hours_h"),
        (stays.counts.near, "near"),
    ):
        # Each row is handed over once: to add would ask for every page of it twice.
        for some in queues if name in OF_QUEUES else (slice(None),):
            array[some, rows] = np.moveaxis(getattr(found, name)[:, some], 0, 1)


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


def _hand_over_levels(
    code: Coded, collector: Collector, first: int, levels: Sequence[Levels], lines: Sequence[int]
) -> None:
    """Time at each number waiting, of some lines, of replications from a first row on."""
    width = max(spent.shape[1] for spent, _, _ in levels)
    spent = np.zeros((len(levels), len(code.lines), width), np.int64)
    for into, (one, _, _) in zip(spent, levels, strict=True):
        into[:, : one.shape[1]] = one
    level, since = (np.stack([one[k] for one in levels]) for k in (1, 2))
    times = collector.shared(QueueLevels)
    wide = widths((spent != 0).any(axis=0))
    for k in lines:
        times.put_rows(first, code.lines[k], spent[:, k, : wide[k]], level[:, k], since[:, k])


def widths(there: Any) -> list[int]:
    """Levels up to the highest that is there, of each row; one at least."""
    return np.where(there.any(axis=1), there.shape[1] - np.argmax(there[:, ::-1], axis=1), 1).tolist()  # type: ignore[no-any-return]


def hand_over_leavers(code: Coded, collector: Collector, row: int, in_time: Full | None) -> None:
    """Those who left queues without a service; they were counted as served so far."""
    if in_time is None or not (in_time.patience >= 0).any():
        return
    visits, waits = collector.shared(VisitSums), collector.shared(WaitTimes)
    for s in np.flatnonzero(in_time.gave_up[:, 0]).tolist():
        number, wait_h = in_time.gave_up[s]
        visits.take_off(int(code.step_cell[s]), number, wait_h, slice(row, row + 1))
        waits.started[int(code.tables.queue_row[code.tables.queue[s]]), row] -= number


def hand_over_blocked(code: Coded, collector: Collector, row: int, lines: YardLines | None) -> None:
    """Hours for which those who were done held their lanes; they were counted as service so far."""
    if lines is None:
        return
    visits = collector.shared(VisitSums)
    for s in np.flatnonzero(lines.blocked_h.any(axis=1)).tolist():
        cell, (held_h, in_window_h) = int(code.step_cell[s]), lines.blocked_h[s].tolist()
        visits.hold_h[cell, row] -= held_h
        visits.blocked_h[cell, row] += held_h
        visits.hold_in_window_h[cell, row] -= in_window_h
        visits.blocked_in_window_h[cell, row] += in_window_h
