"""What does it emit: CO2 of moving loads along the legs, and of engines idling in queues.

Moving: tonne-km times the factor of the leg (distance x mass x factor as in ISO 14083 [iso2023],
factors and their source are the scenario's). Idling: hours waited before stages,
legs and departures times `Options.idling_co2_kg_h`, left out while that is None.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, in_turn
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.shared_sums import SpanSums
from corridor_sim.indicators.visit_sums import VisitSums
from corridor_sim.plan.steps import Variant


@INDICATORS.register("co2_t")
class Co2(Indicator):
    """CO2 by flow and in all: `of` "moving" (journeys done) and "idling" (waits in the window). [t]"""

    unit = "t"
    window = "window"

    def start(self) -> None:
        self._spans, self._visits = self.shared(SpanSums), self.shared(VisitSums)

    def table_rows(self) -> Iterator[Row]:
        scope, idling_kg_h = self.scope, self.scope.options.idling_co2_kg_h
        parts = ("moving",) if idling_kg_h is None else ("moving", "idling")
        emitted = np.empty((len(scope.plan.flows), len(parts), len(scope.replications)))
        emitted[:, 0] = self._spans.journeys_times(_moving_g_t, lambda flow, g_t: g_t * flow.load_t * 1e-6)
        if idling_kg_h is not None:
            emitted[:, 1] = self._idling_h() * (idling_kg_h * 1e-3)
        yield from self.rows_of_flows([("", "", part) for part in parts], emitted, take=False)
        for k, part in enumerate(parts):
            yield self.row(in_turn(emitted[:, k]), "corridor", "all", of=part)

    def _idling_h(self) -> FloatArray:
        """Hours waited in the window before stages, legs and departures, shape (flow, replication). [h]"""
        scope = self.scope
        waited_h = np.zeros((len(scope.plan.flows), len(scope.replications)))
        for cell, (element, flow) in enumerate(scope.cells):
            if scope.plan.elements[element].wait_component in ("wait", "entry_wait", "sailing_wait"):
                waited_h[flow] += self._visits.wait_in_window_h[cell]
        return waited_h


def _moving_g_t(variant: Variant) -> float:
    """CO2 of moving a tonne along the legs of an itinerary. [g/t]"""
    return sum(span.length_km * span.co2_g_tkm for span in variant.spans if span.kind == "leg")
