"""Which departure, slot or day takes each consignment? Departures with places, full loads, daily acceptance.

Rules S12 and S13. First come first served has a closed form; boarding by class
goes departure by departure.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.queues.layout import IntArray, require_departures, require_sorted, rows_of

BoolArray = NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Quay:
    """What a timetable remembers between two blocks of time, one entry a replication.

    `joined` counts those who came, `taken` those that the departures before `next` took.
    """

    joined: IntArray
    taken: IntArray
    next: int = 0

    @classmethod
    def empty(cls, count: int) -> Quay:
        """The state before the first consignment."""
        return cls(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))


def timetable(
    arrival_h: ArrayLike,
    depart_h: ArrayLike,
    places: ArrayLike,
    *,
    quay: Quay | None = None,
    until_h: float = np.inf,
) -> tuple[IntArray, FloatArray]:
    """The departure that takes each consignment, first come first served.

    Parameters
    ----------
    arrival_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing; padding is inf. [h]
    depart_h : array, shape (departure,)
        Departures, non-decreasing; who joins at that very instant may board. [h]
    places : array of int, shape (departure,) or (replication, departure)
        Places of each; 0 where it is cancelled.
    quay : Quay, optional
        State before the first consignment, updated in place.
    until_h : float
        All who join before this instant have been handed in: departures before it
        are settled in `quay`.

    Returns
    -------
    departure : array of int, same shape as `arrival_h`
        Index of the departure; -1 for those that no departure takes.
    start_h : array, same shape
        Its instant; inf where there is none. [h]

    Notes
    -----
    With Q_k the places of the first k departures and n_k those who joined by the k-th, the
    first k take L_k = Q_k + min(0, min_j (n_j - Q_j)) in all, and the i-th to come sails
    with the first k that has L_k >= i. O(log) per consignment.

    Examples
    --------
    >>> import numpy as np
    >>> timetable(np.array([3.0, 10.0, 30.0, 31.0]), np.array([30.0, 60.0]), np.array([2, 4]))
    (array([0, 0, 1, 1]), array([30., 30., 60., 60.]))
    """
    (arrival,), back = rows_of(arrival_h)
    require_sorted(arrival)
    depart = np.asarray(depart_h, dtype=np.float64)
    offered = require_departures(depart, places, len(arrival))
    departure, start = _take(arrival, depart, offered, quay, until_h, "right")
    return back(departure), back(start)


def quota(
    arrival_h: ArrayLike,
    day_start_h: ArrayLike,
    per_day: ArrayLike,
    *,
    open: StepFunction | None = None,
    quay: Quay | None = None,
    until_h: float = np.inf,
) -> FloatArray:
    """Instants at which each consignment is taken over, at most so many a day, first come first served.

    Parameters
    ----------
    arrival_h : array, shape (consignment,) or (replication, consignment)
        Joining instants, non-decreasing; padding is inf. [h]
    day_start_h, per_day : arrays, shape (day,)
        Beginning of each day [h] and the number taken over in it; what a day leaves over is lost.
    open : StepFunction, optional
        1 where anybody is taken over; a day's number waits for the opening.
    quay, until_h
        As for `timetable`.

    Returns
    -------
    array, same shape as `arrival_h`
        The first open instant, not before joining, of the first day with room; inf if there is none. [h]

    Notes
    -----
    The closed form of `timetable`, a day being a departure that takes all who join before it closes
    for the last time (or ends); a day that never opens takes none.

    Examples
    --------
    >>> import numpy as np
    >>> quota(np.array([1.0, 2.0, 3.0, 50.0]), np.array([0.0, 24.0, 48.0]), np.array([2, 2, 2]))
    array([ 1.,  2., 24., 50.])
    """
    (arrival,), back = rows_of(arrival_h)
    require_sorted(arrival)
    start = np.asarray(day_start_h, dtype=np.float64)
    end = np.append(start[1:], np.inf)
    limit = require_departures(start, per_day, len(arrival))
    if open is not None:
        start, end, opens = open_days(start, end, open)
        limit = np.where(opens, limit, 0)
    day, _ = _take(arrival, end, limit, quay, until_h, "left")
    begin = np.maximum(arrival, np.append(start, np.inf)[day])
    return back(begin if open is None else _open_from(begin, open))


def open_days(start: FloatArray, end: FloatArray, open: StepFunction) -> tuple[FloatArray, FloatArray, BoolArray]:
    """First open instant and last closing of each day [h], and whether it opens at all."""
    first = _open_from(start, open)
    opens = first < end
    # The piece in force just before the day's end: where it is closed, it closed at its beginning.
    piece = np.maximum(np.searchsorted(open.from_h, end, side="left") - 1, 0)
    last = np.where(open.value[piece] > 0, end, open.from_h[piece])
    return np.where(opens, first, start), np.where(opens, last, start), opens


def _open_from(time_h: FloatArray, open: StepFunction) -> FloatArray:
    """The first open instant from each one on, inf if there is none. [h]"""
    later = np.append(np.where(open.value > 0, open.from_h, np.inf), np.inf)
    later = np.minimum.accumulate(later[::-1])[::-1]
    piece = np.maximum(np.searchsorted(open.from_h, time_h, side="right") - 1, 0)
    return np.asarray(np.where(open.value[piece] > 0, time_h, later[piece + 1]))


def _take(
    arrival: FloatArray,
    depart: FloatArray,
    places: IntArray,
    quay: Quay | None,
    until_h: float,
    side: Literal["left", "right"],
) -> tuple[IntArray, FloatArray]:
    count = len(arrival)
    if quay is None:
        quay = Quay.empty(count)
    departure = np.full(arrival.shape, -1, dtype=np.int64)
    settled = quay.next if until_h == -np.inf else int(np.searchsorted(depart, until_h, side="left"))
    settled = max(settled, quay.next)
    common = np.cumsum(places[quay.next :]) if places.ndim == 1 else None
    for k in range(count):
        row = arrival[k]
        there = int(np.searchsorted(row, np.inf, side="left"))
        offer = common if common is not None else np.cumsum(places[k, quay.next :])
        total = int(quay.joined[k]) + there
        waiting = total - int(quay.taken[k])
        # Departures after the one by which all have a place take none of these.
        last_h = row[there - 1] if there else -np.inf
        all_there = int(np.searchsorted(depart[quay.next :], last_h, side="right"))
        enough = waiting + (int(offer[all_there - 1]) if all_there else 0)
        upto = max(int(np.searchsorted(offer, enough, side="left")) + 1, settled - quay.next)
        times, offer = depart[quay.next : quay.next + upto], offer[:upto]
        by = np.searchsorted(row[:there], times, side=side) + quay.joined[k]
        taken = offer + np.minimum(quay.taken[k], np.minimum.accumulate(by - offer)) if len(offer) else offer
        if waiting and there and len(taken):
            number = quay.joined[k] + 1 + np.arange(there)
            found = np.searchsorted(taken, number, side="left")
            departure[k, :there] = np.where(found < len(taken), found + quay.next, -1)
        quay.joined[k] = total
        if settled > quay.next:
            quay.taken[k] = taken[settled - quay.next - 1]
    quay.next = settled
    start = np.append(depart, np.inf)[departure]
    return departure, start


def timetable_by_class(
    arrival_h: ArrayLike,
    depart_h: ArrayLike,
    places: ArrayLike,
    rank: ArrayLike,
    *,
    first: int = 0,
    until_h: float = np.inf,
) -> tuple[IntArray, FloatArray]:
    """The departure that takes each consignment where the most urgent board first.

    Parameters are those of `timetable` with the `rank` of each consignment, smaller first;
    the departures before number `first` have gone.
    Consignments that no departure before `until_h` takes get -1 and inf and are handed in
    again later.

    Notes
    -----
    O(log) per consignment in plain Python.

    Examples
    --------
    >>> import numpy as np
    >>> timetable_by_class(np.array([1.0, 2.0]), np.array([5.0, 9.0]), np.array([1, 1]), np.array([1, 0]))
    (array([1, 0]), array([9., 5.]))
    """
    (arrival,), back = rows_of(arrival_h)
    require_sorted(arrival)
    depart = np.asarray(depart_h, dtype=np.float64)
    offered = require_departures(depart, places, len(arrival))
    ranks = np.broadcast_to(np.asarray(rank, dtype=np.int64), np.shape(arrival_h)).reshape(arrival.shape)
    departure = np.full(arrival.shape, -1, dtype=np.int64)
    last = max(first, int(np.searchsorted(depart, until_h, side="left")))
    sailings = depart[first:last].tolist()
    for k in range(len(arrival)):
        joined, urgency = arrival[k].tolist(), ranks[k].tolist()
        waiting: list[tuple[int, int]] = []
        coming = 0
        room_of = (offered[k] if offered.ndim == 2 else offered)[first:last].tolist()
        for sailing, (sails, room) in enumerate(zip(sailings, room_of, strict=True), first):
            while coming < len(joined) and joined[coming] <= sails:
                heappush(waiting, (urgency[coming], coming))
                coming += 1
            for _ in range(min(room, len(waiting))):
                departure[k, heappop(waiting)[1]] = sailing
    start = np.append(depart, np.inf)[departure]
    return back(departure), back(start)


def when_full(arrival_h: ArrayLike, load: int, *, first: ArrayLike = 0) -> tuple[IntArray, FloatArray]:
    """The departure that takes each consignment where one leaves as soon as `load` are there.

    Parameters
    ----------
    arrival_h : array, shape (consignment,) or (replication, consignment)
        Joining instants of those not yet gone, non-decreasing; padding is inf. [h]
    load : int
        Consignments that make a departure, at least 1.
    first : int or array, shape (replication,)
        Number of the next departure.

    Returns
    -------
    departure, start_h : arrays, same shape
        -1 and inf for those who wait for the load to be full. [h]

    Examples
    --------
    >>> import numpy as np
    >>> when_full(np.array([1.0, 4.0, 5.0]), 2)
    (array([ 0,  0, -1]), array([ 4.,  4., inf]))
    """
    if load != int(load) or load < 1:
        raise ValueError(f"load must be a whole number >= 1, got {load}")
    (arrival,), back = rows_of(arrival_h)
    require_sorted(arrival)
    count, length = arrival.shape
    group = np.arange(length) // load
    closing = np.minimum((group + 1) * load, length + 1) - 1
    padded = np.concatenate([arrival, np.full((count, 1), np.inf)], axis=1)
    start = np.where(np.isfinite(arrival), padded[:, closing], np.inf)
    departure = np.where(np.isfinite(start), group + np.reshape(np.asarray(first), (-1, 1)), -1)
    return back(departure), back(start)


def slots(
    arrival_h: ArrayLike, first_h: float, every_h: float, count: int, per_slot: int = 1
) -> tuple[IntArray, FloatArray]:
    """Booked slots at regular instants: a timetable of `count` departures with `per_slot` places each.

    Examples
    --------
    >>> import numpy as np
    >>> slots(np.array([0.0, 0.0, 3.0]), 1.0, 2.0, 10)[1]
    array([1., 3., 5.])
    """
    return timetable(arrival_h, first_h + every_h * np.arange(count), np.full(count, per_slot))
