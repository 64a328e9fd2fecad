"""Which lane takes which consignment where lanes have an identity: calendars and outages of single lanes.

Rules S06 (lowest-numbered idle open lane), S07 named, S11. One sorted vector
does not do here, so this is a plain loop, compiled or in Python, one replication after
the other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.engines.queues.layout import IntArray, require_sorted, rows_of
from corridor_sim.plan.elements import OutagePolicy, PlanOutage


def lanes(
    arrival_h: ArrayLike,
    service_h: ArrayLike,
    capacity: StepFunction | Sequence[StepFunction],
    outages: Sequence[Sequence[PlanOutage]] | Sequence[PlanOutage] = (),
    policy: OutagePolicy = "resume",
    *,
    free_h: FloatArray | None = None,
    last_h: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """First starts and finishes at lanes that open and fail one by one, first come first served.

    Parameters
    ----------
    arrival_h, service_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing (padding inf), and lane-holding times >= 0. [h]
    capacity : StepFunction or one a lane
        Pooled number of open lanes (1..c(t) are open), or a 0/1 calendar for each named lane.
    outages : sequence of PlanOutage, or one such sequence a replication
        Lane None takes the whole station down.
    policy : {"resume", "restart", "finish"}
        What happens to a service that an outage interrupts: it stays in its lane and goes on or
        starts again afterwards, or is completed.
    free_h, last_h : arrays, shape (replication, lane) and (replication,), optional
        When each lane is done, and the last start; updated in place.

    Returns
    -------
    start_h, finish_h : arrays, same shape
        inf for what never happens. [h]

    Notes
    -----
    Named lanes: a start is allowed iff a lane is idle, open and up. Pooled: iff those on
    lanes that are up, overrunning ones included, are fewer than the lanes open and up.
    O(lanes) steps of a loop for each consignment and each change it waits through.

    Examples
    --------
    >>> import numpy as np
    >>> down = [PlanOutage(lane=2, from_h=20, until_h=50)]
    >>> lanes(np.array([0.0, 5.0, 10.0]), np.array([30.0, 25.0, 10.0]), StepFunction.constant(2), down)
    (array([ 0.,  5., 30.]), array([30., 60., 40.]))
    """
    (arrival, service), back = rows_of(arrival_h, service_h)
    require_sorted(arrival)
    if policy not in ("resume", "restart", "finish"):
        raise ValueError(f"policy must be one of resume, restart, finish, got {policy!r}")
    count = len(arrival)
    by_row: list[Sequence[PlanOutage]]
    if all(isinstance(outage, PlanOutage) for outage in outages):
        by_row = [outages] * count  # type: ignore[list-item]
    else:
        by_row = list(outages)  # type: ignore[arg-type]
    size = lane_count(capacity, by_row)
    if free_h is None:
        free_h = np.full((count, size), -np.inf)
    if last_h is None:
        last_h = np.full(count, -np.inf)
    start, finish = np.full(arrival.shape, np.inf), np.full(arrival.shape, np.inf)
    loop = compiled.loop(loops.lanes, compiled.SAVED_PLAIN * arrival.size)
    states: dict[int, Calendar] = {}
    for k in range(count):
        key = id(by_row[k])
        if key not in states:
            states[key] = Calendar(capacity, by_row[k], free_h.shape[1])
        if loop is None:
            _one(arrival[k], service[k], states[key], policy, free_h, last_h, k, start[k], finish[k])
            continue
        row = slice(k, k + 1)
        state, found = (free_h[row], last_h[None, row]), (start[row], finish[row])
        loop(arrival[row], service[row], *states[key].as_arrays(), loops.POLICY[policy], *state, *found)
    return back(start), back(finish)


def lane_count(capacity: StepFunction | Sequence[StepFunction], outages: Sequence[Sequence[PlanOutage]]) -> int:
    """Lanes with an identity: those of the calendar and those that fail.

    Examples
    --------
    >>> lane_count(StepFunction([0, 8], [1, 2]), [[PlanOutage(lane=3, from_h=0, until_h=1)]])
    3
    """
    own = int(capacity.value.max()) if isinstance(capacity, StepFunction) else len(capacity)
    return max(own, 1, *(outage.lane or 0 for row in outages for outage in row))


class Calendar:
    """Which lanes are open and up between the instants at which that changes."""

    def __init__(
        self, capacity: StepFunction | Sequence[StepFunction], outages: Sequence[PlanOutage], size: int
    ) -> None:
        self._arrays: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray, int] | None = None
        self.pooled = isinstance(capacity, StepFunction)
        self.down = [_merged(outages, lane) for lane in range(1, size + 1)]
        functions = [capacity] if isinstance(capacity, StepFunction) else list(capacity)
        edges = {float(at) for function in functions for at in function.from_h[1:]}
        edges |= {at for row in self.down for interval in row for at in interval}
        self.edge_h = [-np.inf, *sorted(edges)]
        self.next_h = [*self.edge_h[1:], np.inf]
        self.open: list[list[int]] = []
        self.up: list[list[bool]] = []
        self.room: list[int] = []
        for at in self.edge_h:
            up = [not any(begin <= at < end for begin, end in row) for row in self.down]
            if isinstance(capacity, StepFunction):
                is_open = [lane < int(capacity.at(at)) for lane in range(size)]
            else:
                is_open = [lane < len(functions) and functions[lane].at(at) > 0 for lane in range(size)]
            self.open.append([lane for lane in range(size) if is_open[lane] and up[lane]])
            self.up.append(up)
            self.room.append(len(self.open[-1]))

    def as_arrays(self) -> tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray, int]:
        """The calendar as `loops.lanes` reads it: edges, open, up, outages from and until, whether pooled."""
        if self._arrays is None:
            shape = len(self.edge_h), len(self.down)
            is_open = np.zeros(shape, dtype=np.int64)
            for piece, found in enumerate(self.open):
                is_open[piece, found] = 1
            fails, returns = (np.full((shape[1], max(map(len, self.down))), np.inf) for _ in range(2))
            for lane, row in enumerate(self.down):
                if row:
                    fails[lane, : len(row)], returns[lane, : len(row)] = np.transpose(row)
            is_up = np.array(self.up, dtype=np.int64)
            self._arrays = np.array([self.edge_h]), is_open, is_up, fails, returns, int(self.pooled)
        return self._arrays


def _merged(outages: Sequence[PlanOutage], lane: int) -> list[tuple[float, float]]:
    """Outages of one lane as disjoint intervals; one that begins as another ends belongs to it."""
    merged: list[tuple[float, float]] = []
    for begin, end in sorted((o.from_h, o.until_h) for o in outages if o.lane in (None, lane) and o.from_h < o.until_h):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _one(
    arrival: FloatArray,
    service: FloatArray,
    calendar: Calendar,
    policy: OutagePolicy,
    free_h: FloatArray,
    last_h: FloatArray,
    k: int,
    start: FloatArray,
    finish: FloatArray,
) -> None:
    free = free_h[k].tolist()
    now = float(last_h[k])
    place = max(0, bisect_right(calendar.edge_h, now) - 1)
    next_h, pooled = calendar.next_h, calendar.pooled
    there = int(np.isfinite(arrival).sum())
    starts, finishes = [], []
    for a, s in zip(arrival[:there].tolist(), service[:there].tolist(), strict=True):
        now = max(now, a)
        while now < np.inf:
            while now >= next_h[place]:
                place += 1
            lane = next((j for j in calendar.open[place] if free[j] <= now), -1)
            if lane >= 0 and pooled:
                up = calendar.up[place]
                if sum(up[j] and free[j] > now for j in range(len(free))) >= calendar.room[place]:
                    lane = -1
            if lane >= 0:
                break
            now = min(next_h[place], min((f for f in free if f > now), default=np.inf))
        end = now
        if now < np.inf:
            end = free[lane] = _end(now, s, calendar.down[lane], policy)
        starts.append(now)
        finishes.append(end)
    start[:there], finish[:there] = starts, finishes
    free_h[k], last_h[k] = free, now


def _end(begin: float, service: float, down: list[tuple[float, float]], policy: OutagePolicy) -> float:
    """When a service that begins in a lane at `begin` is done."""
    end = begin + service
    if policy == "finish":
        return end
    for fails, back in down[bisect_right(down, (begin, np.inf)) :]:
        if end <= fails:
            break
        end = end + (back - fails) if policy == "resume" else back + service
    return end
