"""How much of a service has been done by an instant, where hours and outages interrupt it.

Records say when a service started and finished and how long it takes, not when it stood
still. Who straddles an end of the counted window is split by the hours in which the
station can work: its opening (with `suspend` and `restart`) and its outages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.plan.elements import PlanOutage, Station


@dataclass(frozen=True, slots=True, eq=False)
class WorkingTime:
    """When work goes on at a station: from each `from_h` on it does if the `up` beside it is 1."""

    from_h: FloatArray
    up: FloatArray
    before_h: FloatArray

    @classmethod
    def of(cls, station: Station, drawn: Sequence[PlanOutage] = (), lane: int | None = None) -> WorkingTime:
        """Of a station in one replication; with `lane` that lane's own outages count too."""
        edges = [np.array([-np.inf])]
        outages = [] if station.outage_policy == "finish" else [*station.outages, *drawn]
        down = [(one.from_h, one.until_h) for one in outages if one.lane is None or one.lane == lane]
        edges += [np.array(pair) for pair in down]
        stops = station.closing in ("suspend", "restart")
        if stops:
            edges.append(station.lanes.from_h)
        at_h = np.unique(np.concatenate(edges))
        up = (station.lanes(at_h) > 0).astype(np.float64) if stops else np.ones(len(at_h))
        for since, until in down:
            up[(at_h >= since) & (at_h < until)] = 0.0
        starts = np.maximum(at_h, 0.0)
        return cls(starts, up, np.concatenate([[0.0], np.cumsum(up[:-1] * np.diff(starts))]))

    def between(self, since_h: float, until_h: float) -> float:
        """Hours of work within [since_h, until_h)."""
        return self._upto(until_h) - self._upto(since_h)

    def _upto(self, at_h: float) -> float:
        k = max(int(np.searchsorted(self.from_h, at_h, side="right")) - 1, 0)
        return float(self.before_h[k] + self.up[k] * (at_h - self.from_h[k]))

    def first_stop_h(self, since_h: float) -> float:
        """First instant from `since_h` on at which no work goes on; inf if there is none."""
        k = max(int(np.searchsorted(self.from_h, since_h, side="right")) - 1, 0)
        stops = np.flatnonzero(self.up[k:] == 0)
        return max(float(self.from_h[k + stops[0]]), since_h) if len(stops) else math.inf

    def going_since_h(self, at_h: float) -> float:
        """Since when work has gone on without a stop until `at_h`; inf where it stands still then."""
        k = int(np.searchsorted(self.from_h, at_h, side="left")) - 1
        if k < 0 or not self.up[k]:
            return math.inf if k >= 0 else 0.0
        stops = np.flatnonzero(self.up[:k] == 0)
        return float(self.from_h[stops[-1] + 1]) if len(stops) else -math.inf


def worked_h(
    time: WorkingTime,
    start_h: float,
    finish_h: float,
    service_h: float,
    at_h: float,
    known_until_h: float,
    *,
    lost: bool,
) -> float:
    """Hours of a service done by `at_h`; `finish_h` is NaN where it goes on at `known_until_h`.

    Work is done whenever the station can work. Where the service took longer than that,
    its vehicle waited for a lane after a stop: then what was done before the first stop and
    what had to be done after `at_h` bound it. With `lost` an interruption loses the work, and
    only the attempt that succeeded (or goes on) counts.

    Examples
    --------
    >>> from corridor_sim.core.step_functions import StepFunction
    >>> lanes = StepFunction([0, 15, 32], [1, 0, 1])
    >>> day = WorkingTime.of(Station(id="s", lanes=lanes, closing="suspend"))
    >>> [worked_h(day, 8.0, 33.0, 8.0, at, 48.0, lost=False) for at in (10.0, 24.0, 32.5)]
    [2.0, 7.0, 7.5]
    """
    done = not math.isnan(finish_h)
    if at_h <= start_h:
        return 0.0
    if done and at_h >= finish_h:
        return service_h
    if lost:
        since = finish_h - service_h if done else max(start_h, time.going_since_h(known_until_h))
        return min(max(at_h - since, 0.0), service_h)
    early = min(time.between(start_h, at_h), service_h)
    if time.between(start_h, finish_h if done else known_until_h) <= service_h:
        return early
    before = min(time.first_stop_h(start_h) - start_h, early)
    return max(before, service_h - time.between(at_h, finish_h)) if done else before


def working_times(station: Station, drawn: Sequence[PlanOutage]) -> list[WorkingTime]:
    """Of the station as a whole, then of each lane that has outages of its own."""
    lanes = sorted({one.lane for one in (*station.outages, *drawn) if one.lane is not None})
    return [WorkingTime.of(station, drawn), *(WorkingTime.of(station, drawn, lane) for lane in lanes)]


def that_fits(times: Sequence[WorkingTime], start_h: float, finish_h: float, service_h: float) -> WorkingTime:
    """The lane whose stops explain how long a service took; the station's where none does.

    Which lane served whom is not recorded. Of a service that goes on at the end of the run the
    stops of its lane are not known; the station's alone count.
    """
    if len(times) > 1 and not math.isnan(finish_h) and finish_h - start_h > service_h:
        for time in times[1:]:
            if time.between(start_h, finish_h) == service_h:
                return time
    return times[0]
