"""When is a queue back to normal? The band that it keeps undisturbed, and from when on it keeps it again.

Rule D42 says what is counted and why.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.intervals import require_confidence


def normal_band(queue: FloatArray, group: NDArray[np.int64], share: float = 0.9) -> tuple[FloatArray, FloatArray]:
    """Ends between which an undisturbed queue is for a share of the time, the same share beyond either.

    Parameters
    ----------
    queue : array, shape (replication, mark)
    group : array of int, shape (mark,)
        Marks of one group (an hour of the week) have one band: their values of all replications are taken together.
    share : float
        Above 0, below 1.

    Returns
    -------
    low, high : arrays, shape (mark,)

    Examples
    --------
    >>> low, high = normal_band(np.array([[0.0, 1.0, 10.0], [2.0, 3.0, 10.0]]), np.array([0, 0, 1]), 0.5)
    >>> high
    array([ 2.25,  2.25, 10.  ])
    """
    require_confidence(share)
    low, high = np.empty(queue.shape[1]), np.empty(queue.shape[1])
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    for marks in np.split(order, cuts):
        low[marks], high[marks] = np.quantile(queue[:, marks], [0.5 - share / 2.0, 0.5 + share / 2.0])
    return low, high


def back_h(beyond: NDArray[np.bool_], mark_h: FloatArray, end_h: float, settle_h: float) -> FloatArray:
    """Hours from an instant to the first mark from which nothing is beyond for some time, shape (replication,). [h]

    Parameters
    ----------
    beyond : array of bool, shape (replication, mark)
        Whether the queue is longer than it would be.
    mark_h : array, shape (mark,)
        Evenly spaced. [h]
    end_h : float
        The instant, e.g. the end of a closure. [h]
    settle_h : float
        How long nothing must be beyond. [h]

    Returns
    -------
    array, shape (replication,)
        NaN where the run ends before that is known.

    Examples
    --------
    >>> back_h(np.array([[1, 1, 0, 1, 0, 0], [0, 0, 0, 0, 1, 1]], dtype=bool), np.arange(1.0, 7.0), 1.0, 1.0)
    array([4., 0.])
    >>> back_h(np.ones((1, 6), dtype=bool), np.arange(1.0, 7.0), 1.0, 1.0)
    array([nan])
    """
    found = np.full(len(beyond), np.nan)
    first = int(np.searchsorted(mark_h, end_h, side="left"))
    # A mark shows what was just before it.
    needed = np.searchsorted(mark_h, mark_h + settle_h, side="left")
    known = needed < len(mark_h)
    for row, over in enumerate(beyond):
        last = np.append(np.where(over, np.arange(len(mark_h)), len(mark_h) + 1), len(mark_h) + 1)
        next_over = np.minimum.accumulate(last[::-1])[::-1][:-1]
        good = np.flatnonzero(known[first:] & (next_over[first:] > needed[first:]))
        if len(good):
            found[row] = max(mark_h[first + good[0]] - end_h, 0.0)
    return found
