"""How many wait at a place at every mark of a run: the curve of a queue, for studies that ask for it."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import ON_REQUEST, Indicator, PlaceKey
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.places import PlanView
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.table import Table

PLACES = ("post", "leg", "crossing")
"""Kinds of places that have a curve."""


def queueing_places(scope: PlanView) -> dict[PlaceKey, tuple[int, ...]]:
    """Elements at which one may wait at each post, leg and crossing, by direction; places without any are left out.

    Who waits for a booked slot does so away from the border.
    """
    found: dict[PlaceKey, set[int]] = {("post", *key): set(elements) for key, elements in scope.post_elements.items()}
    for flow in scope.plan.flows:
        for variant in flow.variants:
            for span in variant.spans:
                if span.kind in ("leg", "crossing"):
                    covered = (step.element for step in variant.steps[span.first : span.last + 1])
                    found.setdefault(scope.place_of(variant, span), set()).update(covered)
    queues = {
        place: tuple(sorted(k for k in elements if _queues(scope, k))) for place, elements in sorted(found.items())
    }
    return {place: elements for place, elements in queues.items() if elements}


def _queues(scope: PlanView, element: int) -> bool:
    one = scope.plan.elements[element]
    return one.kind != "delay" and one.wait_component != "slot_wait" and len(scope.element_cells[element]) > 0


@ON_REQUEST.register("queue_readings")
class QueueReadings(Indicator):
    """Number waiting at a post, leg or crossing just before every mark of the counted window (`of`: its hour).

    A mark lies every quarter of an hour in runs up to 93 days, else every hour. So many rows are not part of a table
    unless a study asks for them (`cs.disruption`).
    """

    unit = "1"
    window = "window"

    def start(self) -> None:
        self._marks = self.shared(QueueMarks)

    def table_rows(self) -> Iterator[Row]:
        hours = [f"{mark:g}" for mark in self._marks.mark_h.tolist()]
        for place, elements in queueing_places(self.scope).items():
            yield self.rows_by("of", hours, self._marks.waiting(*elements).T.astype(np.float64), place)


def curves_of(table: Table) -> dict[PlaceKey, tuple[FloatArray, FloatArray]]:
    """Of each place hours of the marks and the number waiting, shapes (mark,) and (replication, mark)."""
    rows = table.select("queue_readings")
    found: dict[PlaceKey, tuple[FloatArray, FloatArray]] = {}
    at = 0
    for place, labels in groupby(rows.labels, lambda label: (label.kind, label.place, label.direction)):
        hours = np.array([float(label.of) for label in labels])
        found[place] = hours, np.asarray(rows.values[at : at + len(hours)].T)
        at += len(hours)
    return found


def curve_of(table: Table, place: PlaceKey) -> tuple[FloatArray, FloatArray]:
    """Hours of the marks, and the number waiting at one place, shapes (mark,) and (replication, mark)."""
    return curves_of(table)[place]
