"""When may each vehicle enter a leg with headway, closures or a vehicle limit, and when is it out?

Rules S18 and S19; entry in order of joining.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.engines.queues.hours import PiecesTable
from corridor_sim.engines.queues.layout import SCALAR_BELOW, Pieces, require_sorted, rows_of, upright
from corridor_sim.plan.elements import NO_LIMIT

UNLIMITED = 2**31
"""Stands for a leg that takes any number of vehicles."""
HELD_AHEAD = 4096
"""Exits of so many vehicles are held from the start; for a higher limit, of those who may be on the leg."""


@dataclass(slots=True, eq=False)
class LegState:
    """What a limited leg remembers between two blocks of time, one row a replication.

    `inside_h` are the latest exits of those who entered, sorted, as many as a limit can count (no columns
    without a limit), `free_h` the end of the headway, `last_h` and `exit_h` the last entry and exit.
    """

    inside_h: FloatArray
    free_h: FloatArray
    last_h: FloatArray
    exit_h: FloatArray

    @classmethod
    def empty(cls, count: int, most: StepFunction | None) -> LegState:
        """A leg before its first vehicle."""
        never = np.full(count, -np.inf)
        held = np.full((count, min(limit_of(most), HELD_AHEAD)), -np.inf)
        return cls(held, never, never.copy(), never.copy())

    def make_room(self, most: StepFunction | None, vehicles: int) -> None:
        """Hold the exits of all who may be on the leg once so many more have entered, or as many as the limit."""
        limit = limit_of(most)
        if limit <= self.inside_h.shape[1]:
            return
        gone = (self.inside_h <= self.last_h[:, None]).all(axis=0)
        kept = self.inside_h[:, np.count_nonzero(gone) :]
        more = max(min(limit, kept.shape[1] + vehicles) - kept.shape[1], 0)
        self.inside_h = np.concatenate([np.full((len(kept), more), -np.inf), kept], axis=1)


def limit_of(most: StepFunction | None) -> int:
    """The highest limit of vehicles that limits at all, 0 without one."""
    limits = [] if most is None else [int(number) for number in most.value if number < NO_LIMIT]
    return max(1, *limits) if limits else 0


def limited_leg(
    arrival_h: ArrayLike,
    travel_h: ArrayLike,
    *,
    headway_h: StepFunction | float | None = None,
    open: StepFunction | None = None,
    max_vehicles: StepFunction | int | None = None,
    no_overtaking: bool = False,
    leg: LegState | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Entries to and exits from a leg, in order of arrival.

    Parameters
    ----------
    arrival_h, travel_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing (padding inf), and travel times >= 0. [h]
    headway_h : StepFunction or float, optional
        Least time between entries, read at the entry of the one before. [h]
    open : StepFunction, optional
        1 where the leg may be entered.
    max_vehicles : StepFunction or int, optional
        Most vehicles between entry and exit; a place freed at t can be used at t.
    no_overtaking : bool
        No vehicle leaves before one that entered earlier.
    leg : LegState, optional
        State before the first vehicle, updated in place.

    Returns
    -------
    enter_h, exit_h : arrays, same shape
        inf for what never happens. [h]

    Notes
    -----
    A constant headway alone has a closed form (entry minus n headways is a running maximum),
    no overtaking is a running maximum of exits; else one pass in order, by a compiled loop, over
    rows of replications or in plain Python. The limit is the recursion of `pooled` with the stay on
    the leg as service.

    Examples
    --------
    >>> import numpy as np
    >>> limited_leg(np.array([0.0, 1.0, 2.0]), np.array([30.0, 20.0, 25.0]), headway_h=5.0)
    (array([ 0.,  5., 10.]), array([30., 25., 35.]))
    """
    (arrival, travel), back = rows_of(arrival_h, travel_h)
    require_sorted(arrival)
    most = StepFunction.constant(max_vehicles) if isinstance(max_vehicles, int) else max_vehicles
    headway = StepFunction.constant(headway_h) if isinstance(headway_h, (int, float)) else headway_h
    if headway is not None and not (headway.value >= 0).all():
        raise ValueError(f"headways must be >= 0, got {headway.value.min():g}")
    if leg is None:
        leg = LegState.empty(len(arrival), most)
    if most is None and open is None and (headway is None or headway.is_constant):
        enter, leave = _closed(arrival, travel, headway, no_overtaking, leg)
    else:
        pieces = room_of(open, most)
        leg.make_room(most, arrival.shape[1])
        if loop := compiled.loop(loops.limited_leg, compiled.SAVED * arrival.size):
            enter, leave = np.full(arrival.shape, np.inf), np.full(arrival.shape, np.inf)
            apart = np.empty((2, 1, 0)) if headway is None else np.stack([headway.from_h, headway.value])[:, None]
            state = leg.inside_h, leg.free_h[None], leg.last_h[None], leg.exit_h[None]
            loop(arrival, travel, *apart, pieces.start_h, pieces.value, int(no_overtaking), *state, enter, leave)
        elif len(arrival) >= SCALAR_BELOW and leg.inside_h.shape[1] <= 32:
            enter, leave = _rows(arrival, travel, headway, pieces, no_overtaking, leg)
        else:
            enter, leave = np.full(arrival.shape, np.inf), np.full(arrival.shape, np.inf)
            for k in range(len(arrival)):
                _one(arrival[k], travel[k], headway, pieces, no_overtaking, leg, k, enter[k], leave[k])
    return back(enter), back(leave)


def room_of(is_open: StepFunction | None, most: StepFunction | None) -> Pieces:
    """How many may be on the leg for one more to enter being refused: 0 while it is closed."""
    if is_open is None:
        return Pieces.of(UNLIMITED if most is None else most)
    edge = is_open.from_h if most is None else np.unique(np.concatenate([is_open.from_h, most.from_h]))
    value = np.where(is_open(edge) > 0, UNLIMITED if most is None else most(edge), 0)
    return Pieces.of(StepFunction(edge, value))


def _closed(
    arrival: FloatArray, travel: FloatArray, headway: StepFunction | None, no_overtaking: bool, leg: LegState
) -> tuple[FloatArray, FloatArray]:
    there = np.isfinite(arrival)
    count = there.sum(axis=1)
    enter = arrival.copy()
    if headway is not None and arrival.shape[1]:
        apart = float(headway.value[0])
        lag = np.arange(arrival.shape[1]) * apart
        enter -= lag
        np.maximum(enter[:, 0], leg.free_h, out=enter[:, 0])
        np.maximum.accumulate(enter, axis=1, out=enter)
        enter += lag
        enter[~there] = np.inf
        some = count > 0
        leg.free_h[some] = enter[some, count[some] - 1] + apart
    leave = np.where(there, enter + np.where(there, travel, 0.0), np.inf)
    if no_overtaking and arrival.shape[1]:
        np.maximum(leave[:, 0], leg.exit_h, out=leave[:, 0])
        np.maximum.accumulate(leave, axis=1, out=leave)
        some = count > 0
        leg.exit_h[some] = leave[some, count[some] - 1]
    return enter, leave


def _one(
    arrival: FloatArray,
    travel: FloatArray,
    headway: StepFunction | None,
    pieces: Pieces,
    no_overtaking: bool,
    leg: LegState,
    k: int,
    enter: FloatArray,
    leave: FloatArray,
) -> None:
    begin_of, value_of, end_of = pieces.start_h[0].tolist(), pieces.value[0].tolist(), pieces.end_h[0].tolist()
    inside, last_piece = leg.inside_h[k].tolist(), len(begin_of) - 1
    size = len(inside)
    free, last, gone = float(leg.free_h[k]), float(leg.last_h[k]), float(leg.exit_h[k])
    piece = max(0, bisect_right(begin_of, last) - 1)
    there = int(np.isfinite(arrival).sum())
    for i, (a, s) in enumerate(zip(arrival[:there].tolist(), travel[:there].tolist(), strict=True)):
        while True:
            room = value_of[piece]
            begin = max(a, free, begin_of[piece], last) if room else np.inf
            if room and room <= size:
                begin = max(begin, inside[size - room])
            if begin < end_of[piece] or piece == last_piece:
                break
            piece += 1
        last = begin
        if headway is not None and begin < np.inf:
            free = begin + headway.at(begin)
        end = begin + s
        if no_overtaking:
            end = gone = max(end, gone)
        enter[i], leave[i] = begin, end
        if size:
            insort(inside, end)
            del inside[0]
    leg.inside_h[k] = inside
    leg.free_h[k], leg.last_h[k], leg.exit_h[k] = free, last, gone


def _rows(
    arrival: FloatArray,
    travel: FloatArray,
    headway: StepFunction | None,
    pieces: Pieces,
    no_overtaking: bool,
    leg: LegState,
) -> tuple[FloatArray, FloatArray]:
    count, length = arrival.shape
    table = PiecesTable.of(pieces, count)
    size = leg.inside_h.shape[1]
    column = np.arange(count)
    # Row 0 is always free (no limit), the last row never is (closed).
    rows = np.concatenate([np.full((1, count), -np.inf), upright(leg.inside_h), np.full((1, count), np.inf)])
    inside = rows[1 : size + 1]
    limited = np.where(table.value > size, 0, size + 1 - table.value)
    row_of = np.where(table.value == 0, size + 1, limited) * count
    flat = rows.ravel()
    at = table.locate(leg.last_h)
    free, last, gone = leg.free_h, leg.last_h, leg.exit_h
    arrivals, travels = upright(arrival), upright(travel)
    enters, leaves = np.empty_like(arrivals), np.empty_like(arrivals)
    for i in range(length):
        a, begin = arrivals[i], enters[i]
        there = np.isfinite(a)
        earliest = np.maximum(a, np.maximum(free, last))
        np.maximum(earliest, table.start_h[at], out=begin)
        np.maximum(begin, flat[row_of[at] + column], out=begin)
        passed = (begin >= table.end_h[at]) & there & ~table.last[at]
        while np.count_nonzero(passed):
            moved = np.flatnonzero(passed)
            at[moved] += 1
            place = at[moved]
            fresh = np.maximum(earliest[moved], table.start_h[place])
            fresh = np.maximum(fresh, flat[row_of[place] + moved])
            begin[moved] = fresh
            passed[moved] = (fresh >= table.end_h[place]) & ~table.last[place]
        finish = np.add(begin, travels[i], out=leaves[i])
        np.copyto(last, begin, where=there)
        if headway is not None:
            np.copyto(free, begin + headway(begin), where=there)
        if no_overtaking:
            np.maximum(finish, gone, out=finish)
            np.copyto(gone, finish, where=there)
        if size:
            # One that is out before all of them takes no place among the latest exits.
            moving = np.maximum(np.where(there, finish, inside[0]), inside[0])
            for k in range(1, size):
                lower = np.minimum(inside[k], moving)
                moving = np.maximum(inside[k], moving)
                inside[k - 1] = lower
            inside[size - 1] = moving
    if size:
        leg.inside_h[...] = inside.T
    return upright(enters), upright(leaves)
