"""How much time is lost, where, for which flows: truck-hours of delay against a named baseline.

Baselines (`Options.delay_baseline`):

``"unqueued"``
    the same passage without waiting: waits for lanes, slots, acceptance and
    departures, blocking and interruptions are delay. It adds up over places.
``"free_flow"``
    the 5th percentile of the times over the crossing in the same replication.
``"low_volume"``
    the mean time over the crossing of those that begin in the six local hours with
    fewest arrivals, so that inspection is no delay [fhwa2002].

Delay against another scenario is the paired difference of a comparison.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, ratio
from corridor_sim.indicators.components import Components
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.shared_sums import SpanHours, SpanSums, StayTimes
from corridor_sim.indicators.visit_sums import VisitSums

QUIET_HOURS = 6
"""Local hours of the day that make the low-volume baseline."""


def low_volume_h(begun: FloatArray, stay_h: FloatArray) -> FloatArray:
    """Mean stay of those that begin in the quietest hours of the day, shape (replication,). [h]

    Hours without a passage do not count as quiet; the hour decides between equals.
    """
    key = np.where(begun > 0, begun, np.inf)
    quiet = np.argsort(key, axis=1, kind="stable")[:, :QUIET_HOURS]
    number, hours = np.take_along_axis(begun, quiet, axis=1), np.take_along_axis(stay_h, quiet, axis=1)
    return ratio(hours.sum(axis=1), number.sum(axis=1))


@INDICATORS.register("delay_truck_h")
class TruckHours(Indicator):
    """Truck-hours of delay within the counted window, unserved consignments included. [h]

    Against the unqueued passage, hence exact and additive: by stage, by post, by origin,
    destination and class (`of` and `cargo_class`, over all places), and in all.
    """

    unit = "h"
    window = "window"

    def start(self) -> None:
        self._visits = self.shared(VisitSums)

    def _lost(self, elements: tuple[int, ...], flows: tuple[int, ...] | None = None) -> FloatArray:
        visits = self._visits
        total = np.zeros(len(self.scope.replications))
        for values in (visits.wait_in_window_h, visits.interrupted_in_window_h, visits.blocked_in_window_h):
            total = total + visits.of(values, elements, flows)
        return total

    def table_rows(self) -> Iterator[Row]:
        scope = self.scope
        everywhere = tuple(range(len(scope.plan.elements)))
        queueing = (((k,), place) for k, place in scope.queueing)
        yield from self.rows_at(queueing, lambda elements, place: (self.row(self._lost(elements), *place),))
        yield from self.rows_at(scope.post_places, lambda elements, place: (self.row(self._lost(elements), *place),))
        for flow, lost_h in zip(scope.plan.flows, self._visits.lost_by_flow_h(), strict=True):
            yield self.row(lost_h, "flow", flow.id, flow.direction)
        for what in ("origin", "destination"):
            for end in sorted({getattr(flow, what) for flow in scope.plan.flows} - {""}):
                flows = tuple(f for f, flow in enumerate(scope.plan.flows) if getattr(flow, what) == end)
                yield self.row(self._lost(everywhere, flows), "corridor", "all", of=f"{what} {end}")
        for name, flows in scope.classes.items():
            yield self.row(self._lost(everywhere, flows), "corridor", "all", cargo_class=name)
        yield self.row(self._lost(everywhere), "corridor", "all")
        per_day = self._lost(everywhere) / scope.window_days
        yield self.row(per_day, "corridor", "all", name="delay_truck_h_per_day", unit="h/day")


@INDICATORS.register("delay_value_usd")
class DelayValue(Indicator):
    """Value of the truck-hours of delay in the window, with each flow's value of time. [US$]"""

    unit = "US$"
    window = "window"

    def start(self) -> None:
        self._visits = self.shared(VisitSums)

    def table_rows(self) -> Iterator[Row]:
        total = np.zeros(len(self.scope.replications))
        for flow, lost_h in zip(self.scope.plan.flows, self._visits.lost_by_flow_h(), strict=True):
            total = total + lost_h * float(flow.labels.get("value_of_time_usd_h", 0.0))
        yield self.row(total, "corridor", "all")


@INDICATORS.register("delay_h")
class PostDelay(Indicator):
    """Mean delay of a passage of a crossing against the baseline named by `of`. [h]

    All three baselines are shown; the one of the row without `of` is `Options.delay_baseline`.
    """

    unit = "h"

    def start(self) -> None:
        self._spans, self._times = self.shared(SpanSums), self.shared(StayTimes)
        self._hours, self._components = self.shared(SpanHours), self.shared(Components)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("crossing"), self._of_crossing)

    def _of_crossing(self, n: int, place: PlaceKey) -> Iterator[Row]:
        scope, spans = self.scope, self._spans
        mean_h = ratio(spans.of(spans.stay_h, n), spans.of(spans.done, n))
        elements = scope.crossing_elements[place[1], place[2]]
        found = {
            "unqueued": self._components.delay_h(elements, spans.of(spans.begun, n), place),
            "free_flow": mean_h - self._times.of(n).percentile(5),
            "low_volume": mean_h - low_volume_h(*self._hours.of(n)),
        }
        for baseline, delay_h in found.items():
            yield self.row(delay_h, *place, of=baseline)
        yield self.row(found[scope.options.delay_baseline], *place)
