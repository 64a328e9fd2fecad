"""How many places do departures and daily acceptances offer from one instant to another?"""

from __future__ import annotations

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.plan.elements import Departures, Quota


def departing(thing: Departures, edges_h: FloatArray) -> FloatArray:
    """Places of the departures in each period, less the share that is cancelled."""
    total = np.concatenate([[0.0], np.cumsum(thing.places.astype(np.float64))])
    return np.diff(total[np.searchsorted(thing.depart_h, edges_h, side="left")]) * (1.0 - thing.cancel)


def accepted(thing: Quota, edges_h: FloatArray) -> FloatArray:
    """Daily acceptance in each period, spread evenly over the local day; a day without an opening accepts none."""
    per_day, days = thing.per_day.astype(np.float64), np.append(thing.day_start_h, thing.day_start_h[-1] + H_PER_DAY)
    if thing.open is not None:
        per_day = np.where(np.diff(integral_until(thing.open, days)) > 0, per_day, 0.0)
    total = np.concatenate([[0.0], np.cumsum(per_day)])
    return np.diff(np.interp(edges_h, days, total))


def integral_until(function: StepFunction, time_h: FloatArray) -> FloatArray:
    """Integral of a step function from its first instant (or 0, if that is later) until each time. [value x h]"""
    starts = np.concatenate([[min(0.0, function.from_h[0])], function.from_h[1:]])
    before = np.concatenate([[0.0], np.cumsum(function.value[:-1] * np.diff(starts))])
    piece = np.maximum(np.searchsorted(starts, time_h, side="right") - 1, 0)
    return np.asarray(before[piece] + function.value[piece] * (time_h - starts[piece]))
