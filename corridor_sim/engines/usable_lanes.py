"""Lanes that a wait is announced for: open, up, and not kept for others (rule of `event/announced.py`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.elements import PlanOutage, Station


def usable_lanes(station: Station, outages: Sequence[PlanOutage]) -> list[StepFunction]:
    """Lanes open to each group of flows by date: the general group, then one a reservation.

    Examples
    --------
    >>> from corridor_sim.plan.elements import Reservation
    >>> three = StepFunction.constant(3)
    >>> kept = Reservation(flows=frozenset({1}), lanes=StepFunction([0.0, 5.0], [1, 0]))
    >>> down = PlanOutage(from_h=2.0, until_h=4.0)
    >>> general, own = usable_lanes(Station(id="A", lanes=three, reserved=(kept,)), [down])
    >>> general([0, 2, 4, 5]).tolist(), own([0, 2, 4, 5]).tolist()
    ([2.0, 0.0, 2.0, 3.0], [1.0, 0.0, 1.0, 3.0])
    """
    functions = [station.lanes, *(station.named or ()), *(kept.lanes for kept in station.reserved)]
    edges = np.unique(np.concatenate([*(f.from_h for f in functions), *([o.from_h, o.until_h] for o in outages)]))
    edges = edges[np.isfinite(edges)]
    if station.named is not None:
        is_open = np.array([lane(edges) > 0 for lane in station.named])
    else:
        is_open = station.lanes(edges) > np.arange(int(station.lanes.value.max()))[:, None]
    for outage in outages:
        while_down = (outage.from_h <= edges) & (edges < outage.until_h)
        if outage.lane is None:
            is_open[:, while_down] = False
        elif outage.lane <= len(is_open):
            is_open[outage.lane - 1, while_down] = False
    general = is_open.sum(axis=0).astype(float)
    kept_lanes = []
    for kept in station.reserved:
        kept_lanes.append(np.minimum(kept.lanes(edges), general))
        general = general - kept_lanes[-1]
    own = [
        # A reservation of no lanes binds nobody.
        np.where(kept.lanes(edges) > 0, lanes + general * kept.overflow, general)
        for kept, lanes in zip(station.reserved, kept_lanes, strict=True)
    ]
    return [StepFunction(edges, lanes) for lanes in (general, *own)]
