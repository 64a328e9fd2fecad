"""What does it emit: CO2 of moving loads along the legs, and of engines idling in queues.

Moving: tonne-km times the factor of the leg (distance x mass x factor as in ISO 14083 [iso2023],
factors and their source are the scenario's). Idling: hours waited before stages,
legs and departures times `Options.idling_co2_kg_h`, left out while that is None.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.indicators.base import INDICATORS, Indicator, Row
from corridor_sim.indicators.shared_sums import SpanSums
from corridor_sim.indicators.visit_sums import VisitSums


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
        total = {part: np.zeros(len(scope.replications)) for part in parts}
        for _, place in scope.places("flow"):
            flow = next(f for f, plan in enumerate(scope.plan.flows) if plan.id == place[1])
            plan = scope.plan.flows[flow]
            emitted = {part: np.zeros(len(scope.replications)) for part in parts}
            for variant, number in zip(plan.variants, self._spans.journeys_by_variant(flow), strict=True):
                g_t = sum(span.length_km * span.co2_g_tkm for span in variant.spans if span.kind == "leg")
                emitted["moving"] = emitted["moving"] + number * (g_t * plan.load_t * 1e-6)
            if idling_kg_h is not None:
                waited_h = np.zeros(len(scope.replications))
                for cell, (element, f) in enumerate(scope.cells):
                    if f == flow and scope.plan.elements[element].wait_component in (
                        "wait",
                        "entry_wait",
                        "sailing_wait",
                    ):
                        waited_h = waited_h + self._visits.wait_in_window_h[cell]
                emitted["idling"] = waited_h * (idling_kg_h * 1e-3)
            for part in parts:
                total[part] = total[part] + emitted[part]
                yield self.row(emitted[part], *place, of=part)
        for part in parts:
            yield self.row(total[part], "corridor", "all", of=part)
