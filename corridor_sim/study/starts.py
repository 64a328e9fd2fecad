"""Where other starts of an equilibrium begin: away from the first, for the same beginning tells of no other answer."""

from __future__ import annotations

import numpy as np

from corridor_sim.core.units import FloatArray

MOST_STARTS = 10
NEARLY_ALL = 0.95
"""Share of the way by which nearly all go at the beginning of a start."""
OTHER_DEMAND = 0.2
"""Demand over that of the scenario where other starts begin and demand answers."""
SAME = 0.1
"""Share of consignments on another way below which two beginnings are the same."""


def other_shares(shares: FloatArray, number: int) -> FloatArray:
    """Shares with which start `number` (1 is the second) begins.

    First the shares the other way round, then nearly all by one way after the other. What the first start began with is
    left out: half and half has itself the other way round.

    Examples
    --------
    >>> other_shares(np.array([0.8, 0.2]), 1).round(2).tolist()
    [0.2, 0.8]
    >>> other_shares(np.array([0.5, 0.5]), 1).round(2).tolist()
    [0.95, 0.05]
    """
    count = len(shares)
    if count == 1:
        return shares
    aside = (1 - NEARLY_ALL) / (count - 1)
    found = [(1 - shares) / (count - 1), *(np.full(count, aside) + (NEARLY_ALL - aside) * np.eye(count))]
    found = [one for one in found if 0.5 * np.abs(one - shares).sum() >= SAME]
    return np.asarray(found[(number - 1) % len(found)])
