"""Random numbers that belong to an element, not to a consignment: outages, crossing times, cancellations.

Outages run on the calendar clock: a lane is up at hour 0 and fails whether idle
or busy (rule S26). Crossings and cancellations are drawn once a departure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import streams
from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.plan.elements import Departures, PlanOutage, Station
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import FlowInputs, SampledInputs
from corridor_sim.records.visits import IntArray
from corridor_sim.sampling.columns import CHUNK, Column

MAX_OUTAGES = 1e6
"""Most outages of one lane in one replication."""


class ElementDraws:
    """Draws of the elements of a plan for some replications, over the whole horizon.

    Raises
    ------
    ScenarioError
        For breakdowns so short that there would be more than `MAX_OUTAGES`.
    """

    def __init__(self, plan: Plan, root: int, replications: Sequence[int]) -> None:
        self.plan, self.root, self.replications = plan, root, replications
        self._outages: dict[int, tuple[tuple[PlanOutage, ...], ...]] = {}
        self._crossing_h: dict[int, FloatArray] = {}
        self._cancelled: dict[int, NDArray[np.bool_]] = {}
        for e, element in enumerate(plan.elements):
            if isinstance(element, Station) and element.breakdown is not None:
                self._outages[e] = tuple(outages(element, root, k, plan.horizon_h) for k in replications)
            elif isinstance(element, Departures) and element.when_full is None:
                self._sail(e, element, len(element.depart_h))
                self._number(e, element)

    def with_flows(self, flows: tuple[FlowInputs, ...], highest: IntArray) -> SampledInputs:
        """Inputs of these flows; `highest` is the largest index so far of each flow, plus 1."""
        for e, element in enumerate(self.plan.elements):
            if isinstance(element, Departures) and element.when_full is not None:
                boarders = sum(
                    int(count) * max(sum(step.element == e for step in variant.steps) for variant in flow.variants)
                    for flow, count in zip(self.plan.flows, highest, strict=True)
                )
                departures = boarders // element.when_full
                drawn = self._crossing_h.get(e, self._cancelled.get(e))
                if drawn is None or drawn.shape[1] < departures:
                    self._sail(e, element, departures + departures // 2 + 16)
        replications = np.asarray(self.replications, dtype=np.int64)
        return SampledInputs(replications, flows, dict(self._outages), dict(self._crossing_h), dict(self._cancelled))

    def _sail(self, e: int, element: Departures, departures: int) -> None:
        """Draw crossing times and cancellations of the first `departures`."""
        if element.draw_of is not None:
            departures = int(element.draw_of.max(initial=-1)) + 1
        count = np.full(len(self.replications), departures, dtype=np.int64)
        if element.crossing is not None:
            keys = streams.keys(self.root, self.replications, "crossing", "", element.id)
            self._crossing_h[e] = Column(keys, element.crossing).take(count)
        if element.cancel > 0:
            uniform = Column(streams.keys(self.root, self.replications, "cancel", "", element.id)).take(count)
            self._cancelled[e] = uniform < element.cancel

    def _number(self, e: int, element: Departures) -> None:
        """Give each departure the draw of its number."""
        if element.draw_of is None:
            return
        if e in self._crossing_h:
            self._crossing_h[e] = np.ascontiguousarray(self._crossing_h[e][:, element.draw_of])
        if e in self._cancelled:
            self._cancelled[e] = np.ascontiguousarray(self._cancelled[e][:, element.draw_of])


def outages(station: Station, root: int, replication: int, horizon_h: float) -> tuple[PlanOutage, ...]:
    """Drawn outages of one station that begin before the horizon, lane after lane, each in order of time.

    The stream of a lane does not depend on the other lanes; with `per_lane` every
    lane that the station ever has gets one.
    """
    breakdown = station.breakdown
    assert breakdown is not None
    cycle_h = breakdown.up.mean_h + breakdown.down.mean_h
    if not horizon_h <= MAX_OUTAGES * cycle_h:
        message = f"would fail about {horizon_h / cycle_h if cycle_h else math.inf:.3g} times (limit {MAX_OUTAGES:.3g})"
        raise ScenarioError([Problem(message, f"{station.id}.breakdown")])
    lanes: Sequence[int | None] = [None]
    if breakdown.per_lane:
        count = len(station.named) if station.named is not None else int(station.lanes.value.max())
        lanes = range(1, count + 1)
    return tuple(
        PlanOutage(from_h=float(begin), until_h=float(end), lane=lane)
        for lane in lanes
        for begin, end in zip(*_down_times(station, lane, root, replication, horizon_h), strict=True)
    )


def _down_times(
    station: Station, lane: int | None, root: int, replication: int, horizon_h: float
) -> tuple[FloatArray, FloatArray]:
    """Beginnings and ends of the outages of one lane. [h]"""
    breakdown = station.breakdown
    assert breakdown is not None
    entity = station.id if lane is None else f"{station.id}.lane{lane}"
    up = Column(streams.keys(root, [replication], "outage", "", entity), breakdown.up, keep=True)
    down = Column(streams.keys(root, [replication], "repair", "", entity), breakdown.down, keep=True)
    size = min(CHUNK, 8 + int(1.5 * horizon_h / (breakdown.up.mean_h + breakdown.down.mean_h)))
    count = np.array([size])
    now_h, begins, ends = 0.0, [], []
    while now_h < horizon_h:
        cycle = np.empty((size, 2))
        cycle[:, 0], cycle[:, 1] = up.take(count)[0], down.take(count)[0]
        turns = (now_h + cycle.ravel().cumsum()).reshape(size, 2)
        begins.append(turns[:, 0])
        ends.append(turns[:, 1])
        now_h = float(turns[-1, 1])
    begin, end = np.concatenate(begins), np.concatenate(ends)
    happens = (begin < horizon_h) & (end > begin)
    return begin[happens], end[happens]
