"""What does it cost: transport along the legs, time, per consignment and per tonne-km."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, Reducer, in_turn, ratio
from corridor_sim.indicators.components import Components
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.shared_sums import SpanSums
from corridor_sim.indicators.visit_sums import VisitSums
from corridor_sim.plan.steps import Variant


class TravelCosts(Reducer):
    """Distance, transport cost and value of time of the journeys done of each flow, shape (flow, replication)."""

    def start(self) -> None:
        self.spans = self.shared(SpanSums)

    def value_of_time(self, flow: int) -> float:
        """Value of an hour of one consignment. [US$/h]"""
        return float(self.scope.plan.flows[flow].labels.get("value_of_time_usd_h", 0.0))

    @cached_property
    def values_of_time(self) -> FloatArray:
        """Those of all flows, shape (flow, 1). [US$/h]"""
        return np.array([self.value_of_time(f) for f in range(len(self.scope.plan.flows))]).reshape(-1, 1)

    # Everything below is to be asked once all is counted.

    @cached_property
    def km(self) -> FloatArray:
        """Distance of the journeys done. [km]"""
        return self.spans.journeys_times(lambda variant: variant.length_km)

    @cached_property
    def transport_usd(self) -> FloatArray:
        """Cost of moving the load of the journeys done along their legs. [US$]"""
        return self.spans.journeys_times(_transport_usd_t, lambda flow, usd_t: usd_t * flow.load_t)

    @cached_property
    def pays_for_handling(self) -> list[int]:
        """Flows any of whose itineraries pays for handling."""
        flows = self.scope.plan.flows
        return [f for f, flow in enumerate(flows) if any(variant.handling_usd > 0 for variant in flow.variants)]

    @cached_property
    def handling_usd(self) -> FloatArray:
        """Cost of handling of the journeys done. [US$]"""
        return self.spans.journeys_times(lambda variant: variant.handling_usd)

    @cached_property
    def time_usd(self) -> FloatArray:
        """Value of the time of the journeys done, door to door. [US$]"""
        return self.spans.by_flow(self.spans.stay_h) * self.values_of_time

    @cached_property
    def done(self) -> FloatArray:
        """Journeys begun in the window and done."""
        return self.spans.by_flow(self.spans.done)

    def mean_transport_usd(self) -> FloatArray:
        """Cost of moving and handling the load of a mean journey; 0 where none is done. [US$]"""
        mean = ratio(self.with_handling(self.transport_usd), self.done)
        return np.where(np.isnan(mean), 0.0, mean)

    def with_handling(self, usd: FloatArray) -> FloatArray:
        """Some cost of the journeys done, and their handling where it is paid for. [US$]"""
        if not self.pays_for_handling:
            return usd
        paid = usd.copy()
        paid[self.pays_for_handling] += self.handling_usd[self.pays_for_handling]
        return paid

    @cached_property
    def per_tonne_km(self) -> FloatArray:
        """Cost of transport and time per tonne-km. [US$/(t km)]"""
        tonne_km = self.km * np.array([flow.load_t for flow in self.scope.plan.flows]).reshape(-1, 1)
        return ratio(self.with_handling(self.transport_usd + self.time_usd), tonne_km)


def _transport_usd_t(variant: Variant) -> float:
    """Cost of moving a tonne along the legs of an itinerary. [US$/t]"""
    return sum(span.length_km * span.cost_usd_tkm for span in variant.spans if span.kind == "leg")


@INDICATORS.register("cost_usd")
class Cost(Indicator):
    """Cost of a mean journey, of transport, handling, time (`of`) and together; and per tonne-km. [US$]

    Handling has a row where a flow pays for it. Over consignments released in the window and arrived. Empty vehicles
    have no tonne-km.
    """

    unit = "US$"

    def start(self) -> None:
        self._costs = self.shared(TravelCosts)

    def table_rows(self) -> Iterator[Row]:
        costs = self._costs
        transport, time = ratio(costs.transport_usd, costs.done), ratio(costs.time_usd, costs.done)
        together = ratio(costs.with_handling(costs.transport_usd + costs.time_usd), costs.done)
        whole, per_tonne_km = ("", "", ""), ("cost_usd_tkm", "US$/(t km)", "")
        if not (pays := costs.pays_for_handling):
            names = (("", "", "transport"), ("", "", "time"), whole, per_tonne_km)
            yield from self.rows_of_flows(names, np.stack([transport, time, together, costs.per_tonne_km], axis=1))
            return
        handling = ratio(costs.handling_usd, costs.done)

        def of_flow(flow: int, place: PlaceKey) -> Iterator[Row]:
            yield self.row(transport[flow], *place, of="transport")
            yield self.row(time[flow], *place, of="time")
            if flow in pays:
                yield self.row(handling[flow], *place, of="handling")
            yield self.row(together[flow], *place)
            yield self.row(costs.per_tonne_km[flow], *place, name=per_tonne_km[0], unit=per_tonne_km[1])

        yield from self.rows_at(((f, place) for f, (_, place) in enumerate(self.scope.places("flow"))), of_flow)


@INDICATORS.register("delay_cost_usd")
class DelayCost(Indicator):
    """Value of the waits, blocking and interruptions of a mean journey, by flow. [US$]"""

    unit = "US$"

    def start(self) -> None:
        self._costs, self._spans = self.shared(TravelCosts), self.shared(SpanSums)
        self._components = self.shared(Components)

    def table_rows(self) -> Iterator[Row]:
        hours = self._components.journeys.delay_h(self._components)
        yield from self.rows_of_flows((("", "", ""),), hours * self._costs.values_of_time)


@INDICATORS.register("user_cost_usd")
class UserCost(Indicator):
    """What journeys cost those who send them: time waiting, in service and on the way, and transport (`of`). [US$]

    By flow and in all. ``waiting`` is that in the counted window, unserved consignments included (waits, interruptions,
    blocking); ``service_time`` (with dwell), ``travel_time`` and ``transport_cost`` (with handling) are of a mean
    journey times those released in the window. No hour is in two parts (rule S21). What an appraisal counts is what
    this row differs by.
    """

    unit = "US$"
    window = "window"

    def start(self) -> None:
        self._costs, self._visits = self.shared(TravelCosts), self.shared(VisitSums)
        self._spans, self._components = self.shared(SpanSums), self.shared(Components)

    def table_rows(self) -> Iterator[Row]:
        flows, parts = self.scope.plan.flows, self._parts()
        found = np.empty((len(flows), len(parts) + 1, len(self.scope.replications)))
        for k, usd in enumerate(parts.values()):
            found[:, k] = usd
        found[:, -1] = sum(parts.values())
        yield from self.rows_of_flows([("", "", part) for part in (*parts, "")], found, take=False)
        yield self.row(in_turn(found[:, -1]), "corridor", "all")

    def _parts(self) -> dict[str, FloatArray]:
        """Cost of each part, shape (flow, replication). [US$]"""
        costs, begun, usd_h = self._costs, self._spans.by_flow(self._spans.begun), self._costs.values_of_time
        parts = {"waiting": self._visits.lost_by_flow_h() * usd_h}
        for part, names in (("service_time", ("service", "dwell")), ("travel_time", ("travel", "rest"))):
            hours = np.zeros(begun.shape)
            for name in names:
                mean_h = self._components.journeys.mean_h(name)
                hours += np.where(np.isnan(mean_h), 0.0, mean_h)
            parts[part] = begun * hours * usd_h
        parts["transport_cost"] = begun * costs.mean_transport_usd()
        return parts
