"""What does it cost: transport along the legs, time, per consignment and per tonne-km."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, Reducer, Row, ratio
from corridor_sim.indicators.components import Components
from corridor_sim.indicators.shared_sums import SpanSums
from corridor_sim.indicators.visit_sums import VisitSums


class TravelCosts(Reducer):
    """Distance, transport cost and value of time of the journeys done, by flow."""

    def start(self) -> None:
        self.spans = self.shared(SpanSums)
        flows = self.scope.plan.flows
        self._flow_of = {flow.id: f for f, flow in reversed(list(enumerate(flows)))}
        self._km: dict[int, FloatArray] = {}
        self._transport_usd: dict[int, FloatArray] = {}
        self._place_of = {place[1]: n for n, place in self.scope.places("flow")}

    def flow_of(self, id: str) -> int:
        """Number of the flow of this id."""
        return self._flow_of[id]

    def place_of_flow(self, flow: int) -> int:
        """Number of the span place of a flow."""
        return self._place_of[self.scope.plan.flows[flow].id]

    def value_of_time(self, flow: int) -> float:
        """Value of an hour of one consignment. [US$/h]"""
        return float(self.scope.plan.flows[flow].labels.get("value_of_time_usd_h", 0.0))

    def km(self, flow: int) -> FloatArray:
        """Distance of the journeys done, shape (replication,). [km]"""
        if flow not in self._km:
            self._km[flow] = self._all_km(flow)
        return self._km[flow]

    def _all_km(self, flow: int) -> FloatArray:
        total = np.zeros(len(self.scope.replications))
        variants = self.scope.plan.flows[flow].variants
        for variant, number in zip(variants, self.spans.journeys_by_variant(flow), strict=True):
            total = total + number * variant.length_km
        return total

    def transport_usd(self, flow: int) -> FloatArray:
        """Cost of moving the load of the journeys done along their legs. [US$]"""
        if flow not in self._transport_usd:
            self._transport_usd[flow] = self._all_transport_usd(flow)
        return self._transport_usd[flow]

    def _all_transport_usd(self, flow: int) -> FloatArray:
        total = np.zeros(len(self.scope.replications))
        plan = self.scope.plan.flows[flow]
        for variant, number in zip(plan.variants, self.spans.journeys_by_variant(flow), strict=True):
            usd_t = sum(span.length_km * span.cost_usd_tkm for span in variant.spans if span.kind == "leg")
            total = total + number * (usd_t * plan.load_t)
        return total

    def mean_transport_usd(self, flow: int) -> FloatArray:
        """Cost of moving and handling the load of a mean journey; 0 where none is done. [US$]"""
        paid = self.transport_usd(flow)
        if self.pays_for_handling(flow):
            paid = paid + self.handling_usd(flow)
        mean = ratio(paid, self.done(flow))
        return np.where(np.isnan(mean), 0.0, mean)

    def pays_for_handling(self, flow: int) -> bool:
        """Whether any itinerary of a flow pays for handling."""
        return any(variant.handling_usd > 0 for variant in self.scope.plan.flows[flow].variants)

    def handling_usd(self, flow: int) -> FloatArray:
        """Cost of handling of the journeys done. [US$]"""
        total = np.zeros(len(self.scope.replications))
        variants = self.scope.plan.flows[flow].variants
        for variant, number in zip(variants, self.spans.journeys_by_variant(flow), strict=True):
            total = total + number * variant.handling_usd
        return total

    def time_usd(self, flow: int) -> FloatArray:
        """Value of the time of the journeys done, door to door. [US$]"""
        hours = self.spans.of(self.spans.stay_h, self.place_of_flow(flow))
        return hours * self.value_of_time(flow)

    def done(self, flow: int) -> FloatArray:
        """Journeys begun in the window and done."""
        return self.spans.of(self.spans.done, self.place_of_flow(flow))

    def per_tonne_km(self, flow: int) -> FloatArray:
        """Cost of transport and time per tonne-km. [US$/(t km)]"""
        tonne_km = self.km(flow) * self.scope.plan.flows[flow].load_t
        whole = self.transport_usd(flow) + self.time_usd(flow)
        if self.pays_for_handling(flow):
            whole = whole + self.handling_usd(flow)
        return ratio(whole, tonne_km)


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
        for _, place in self.scope.places("flow"):
            if taken := self.taken(place):
                yield from taken
                continue
            flow = costs.flow_of(place[1])
            done = costs.done(flow)
            transport, time = costs.transport_usd(flow), costs.time_usd(flow)
            yield self.row(ratio(transport, done), *place, of="transport")
            yield self.row(ratio(time, done), *place, of="time")
            together = transport + time
            if costs.pays_for_handling(flow):
                handling = costs.handling_usd(flow)
                yield self.row(ratio(handling, done), *place, of="handling")
                together = together + handling
            yield self.row(ratio(together, done), *place)
            yield self.row(costs.per_tonne_km(flow), *place, name="cost_usd_tkm", unit="US$/(t km)")


@INDICATORS.register("delay_cost_usd")
class DelayCost(Indicator):
    """Value of the waits, blocking and interruptions of a mean journey, by flow. [US$]"""

    unit = "US$"

    def start(self) -> None:
        self._costs, self._spans = self.shared(TravelCosts), self.shared(SpanSums)
        self._components = self.shared(Components)

    def table_rows(self) -> Iterator[Row]:
        for n, place in self.scope.places("flow"):
            if taken := self.taken(place):
                yield from taken
                continue
            flow = self._costs.flow_of(place[1])
            elements = self.scope.flow_elements[flow]
            hours = self._components.delay_h(elements, self._spans.of(self._spans.begun, n), place, (flow,))
            yield self.row(hours * self._costs.value_of_time(flow), *place)


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
        total = np.zeros(len(self.scope.replications))
        lost_h = self._visits.lost_by_flow_h()
        for n, place in self.scope.places("flow"):
            parts = self._parts(n, place, lost_h)
            for part, usd in parts.items():
                yield self.row(usd, *place, of=part)
            of_flow = np.sum(list(parts.values()), axis=0)
            total = total + of_flow
            yield self.row(of_flow, *place)
        yield self.row(total, "corridor", "all")

    def _parts(self, n: int, place: tuple[str, str, str], lost_h: FloatArray) -> dict[str, FloatArray]:
        costs, begun = self._costs, self._spans.of(self._spans.begun, n)
        flow = costs.flow_of(place[1])
        usd_h = costs.value_of_time(flow)
        flows = self._spans.flows_at(n)
        elements = self.scope.flow_elements[flows[0]]
        parts = {"waiting": lost_h[flow] * usd_h}
        there = self._components.names(elements)
        for part, names in (("service_time", ("service", "dwell")), ("travel_time", ("travel", "rest"))):
            hours = np.zeros(len(begun))
            for name in names:
                if name in there:
                    mean_h = self._components.mean_h(name, elements, begun, place, flows)
                    hours = hours + np.where(np.isnan(mean_h), 0.0, mean_h)
            parts[part] = begun * hours * usd_h
        parts["transport_cost"] = begun * costs.mean_transport_usd(flow)
        return parts
