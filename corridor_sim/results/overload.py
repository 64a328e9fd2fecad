"""Which places cannot pass what comes, and how one knows: by their load, or by a queue that keeps growing.

Rule D29: a place is overloaded if its load is at least its capacity over the counted
window, or if the lower bound of the interval of its queue's growth is above 2 % of the
arrivals and the growth holds in both halves of the window. At a load of 1.00 there is no
steady state. With one replication there is no interval, so only the load counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.places import element_place
from corridor_sim.indicators.table import Label, Table
from corridor_sim.plan.capacity import Accounts
from corridor_sim.plan.plan import Plan
from corridor_sim.statistics import mean_limits

EVEN = 0.005
"""A load this near to 1 is 1.00 as printed."""
GROWTH = 0.02
"""Growth of the queue over arrivals from which it counts as overload."""
HARDLY_SERVED = 0.1
"""Share of those who came below which a place that served them is warned of."""
HALVES = ("first half", "second half")
"""What the rows of a queue's growth in the halves of the window are of."""

Reason = Literal["load", "even", "growth"]


@dataclass(frozen=True, slots=True)
class Overload:
    """A place that is overloaded, and why.

    Attributes
    ----------
    place : str
        Id of the element: ``post.direction.stage`` or a leg.
    load : float
        Mean of what comes over what can pass; NaN where there is no planned capacity. [-]
    reason : {"load", "even", "growth"}
        Load above 1; a load of 1.00; a queue that grows although the load does not say so.
    growth_per_day : float
        Mean growth of the queue; NaN where it was not asked for. [1/day]
    """

    place: str
    load: float
    reason: Reason
    growth_per_day: float = math.nan

    @property
    def words(self) -> str:
        """The load or the growth, in a few words."""
        if self.reason == "growth":
            load = "no planned capacity" if math.isnan(self.load) else f"load {self.load:.2f}"
            return f"{load}, but the queue grows by {self.growth_per_day:.3g} a day throughout"
        return (
            "load 1.00 of capacity: no steady state" if self.reason == "even" else f"load {self.load:.2f} of capacity"
        )


def overloads(rows: Table) -> dict[str, Overload]:
    """Overloaded places of a run by id, the highest load first, those that only grow last."""
    found = []
    growth = {(label.kind, label.place): values for label, values in _rows(rows, "queue_growth_per_day")}
    halves = [
        {(label.kind, label.place): _mean(values) for label, values in _rows(rows, "queue_growth_per_day", half)}
        for half in HALVES
    ]
    arrivals = {(label.kind, label.place): _mean(values) for label, values in _rows(rows, "load_per_day")}
    come = _coming_to_posts(rows)
    for label, values in _rows(rows, "saturation"):
        key, load = (label.kind, label.place), _mean(values)
        more = growth.get(key)
        mean = _mean(more) if more is not None else math.nan
        if abs(load - 1) <= EVEN:
            found.append(Overload(label.place, load, "even", mean))
        elif load > 1:
            found.append(Overload(label.place, load, "load", mean))
        elif more is not None and _grows(key, more, halves, arrivals.get(key, math.inf)):
            found.append(Overload(label.place, load, "growth", mean))
    # What has no limit in a part of the window, as a daily number that begins within it, has no load either.
    limited = {(label.kind, label.place) for label, _ in _rows(rows, "saturation")}
    for key, more in growth.items():
        if key not in limited and _grows(key, more, halves, come.get(key[1].rpartition(".")[0], math.inf)):
            found.append(Overload(key[1], math.nan, "growth", _mean(more)))
    found.sort(key=lambda one: (one.reason == "growth", -one.load if one.load == one.load else 0.0))
    return {one.place: one for one in found}


def _grows(key: tuple[str, str], growth: FloatArray, halves: list[dict[tuple[str, str], float]], come: float) -> bool:
    """Whether a queue grows beyond noise, by more than a share of those who come, in both halves of the window."""
    much = GROWTH * come
    # The interval takes longest, and few queues come to it.
    return all(half.get(key, math.nan) > much for half in halves) and _lower(growth) > much


def _coming_to_posts(rows: Table) -> dict[str, float]:
    """Who comes to each direction of a post, ``post.direction``. [1/day]"""
    if "load_per_day" not in rows.indicators:
        return {}
    return {
        f"{label.place}.{label.direction}": _mean(values)
        for label, values in rows.select("load_per_day", kind="post", of="")
        if label.day is None and label.hour is None and not label.cargo_class
    }


def hardly_served(rows: Table) -> dict[str, float]:
    """Places that served under a tenth of those who came in the window, with the share that they served."""
    growth = {(label.kind, label.place): values for label, values in _rows(rows, "queue_growth_per_day")}
    found = {}
    for label, values in _rows(rows, "load_per_day"):
        came, more = _mean(values), growth.get((label.kind, label.place))
        waits = math.nan if more is None else _mean(more)
        if came > 0 and (came - waits) / came < HARDLY_SERVED:
            found[label.place] = max(0.0, (came - waits) / came)
    return found


def growing(rows: Table) -> dict[str, float]:
    """Places where a queue is longer at the end than at the start beyond noise and that are not overloaded. [1/day]"""
    over = overloads(rows)
    return {
        label.place: _mean(values)
        for label, values in _rows(rows, "queue_growth_per_day")
        if label.place not in over and _lower(values) > 0
    }


def no_planned_capacity(plan: Plan) -> dict[tuple[str, str, str], str]:
    """Places (kind, id, direction) without a planned capacity, and why (see `plan/capacity.py`)."""
    accounts, found = Accounts(plan), {}
    for k, element in enumerate(plan.elements):
        if reason := accounts.of(k).reason:
            found[element_place(element)] = reason
            if element.post:
                found.setdefault(("post", element.post, element.direction), f"{element.id}: {reason}")
    return found


def _rows(rows: Table, indicator: str, of: str = "") -> Iterator[tuple[Label, FloatArray]]:
    """Rows of single elements, over the whole window."""
    if indicator in rows.indicators:
        for label, values in rows.select(indicator, of=of):
            if label.kind in ("stage", "leg") and label.day is None and label.hour is None:
                yield label, values


def _mean(values: FloatArray) -> float:
    there = values[~np.isnan(values)]
    return float(np.add.reduce(there)) / len(there) if len(there) else math.nan


def _lower(values: FloatArray) -> float:
    """Lower end of the 95 % interval; -inf where there is none."""
    low = float(mean_limits(np.asarray(values)[:, None])[1][0])
    return low if math.isfinite(low) else -math.inf
