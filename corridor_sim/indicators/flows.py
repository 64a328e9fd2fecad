"""How much gets through: consignments, tonnes and value, and who had not been served at the end."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, element_place, in_turn, ratio
from corridor_sim.indicators.label import Label, Row, label_of
from corridor_sim.indicators.shared_sums import SpanDays, SpanSums, by_period
from corridor_sim.indicators.visit_sums import VisitSums


@INDICATORS.register("throughput_per_day")
class Throughput(Indicator):
    """Consignments that left a post, crossing or leg, or arrived, per day of the counted window. [1/day]"""

    unit = "1/day"
    window = "window"

    def start(self) -> None:
        self._spans = self.shared(SpanSums)

    def table_rows(self) -> Iterator[Row]:
        spans = self._spans
        yield from self.rows_at(self.scope.places("post", "crossing", "leg"), self._of_place)
        yield from self.rows_of_flows((("", "", ""),), spans.by_flow(spans.ended) / self.scope.window_days)

    def _of_place(self, n: int, place: PlaceKey) -> Iterator[Row]:
        yield self.row(self._spans.of(self._spans.ended, n) / self.scope.window_days, *place)


@INDICATORS.register("arrivals_per_day")
class ArrivalsPerDay(Indicator):
    """Consignments that reached a post, crossing or leg, or were released, per day of the window. [1/day]"""

    unit = "1/day"

    def start(self) -> None:
        self._spans = self.shared(SpanSums)

    def table_rows(self) -> Iterator[Row]:
        spans = self._spans
        yield from self.rows_at(self.scope.places("post", "crossing", "leg"), self._of_place)
        yield from self.rows_of_flows((("", "", ""),), spans.by_flow(spans.begun) / self.scope.window_days)

    def _of_place(self, n: int, place: PlaceKey) -> Iterator[Row]:
        yield self.row(self._spans.of(self._spans.begun, n) / self.scope.window_days, *place)


@INDICATORS.register("passed_by_day")
class PassedByDay(Indicator):
    """Consignments that reached (`of` "reached") and left ("left") a post in each period of local days."""

    unit = "1"
    window = "run"

    def start(self) -> None:
        self._days = self.shared(SpanDays)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post"), self._of_post)

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        for of, counts in (("reached", self._days.begun(n)), ("left", self._days.ended(n))):
            first, number = by_period(counts, self.scope, place[1])
            yield _labels_by_day(self.name, *place, of, first), number


@functools.lru_cache(maxsize=256)
def _labels_by_day(name: str, kind: str, place: str, direction: str, of: str, days: range) -> tuple[Label, ...]:
    return tuple(label_of(name, "1", kind, place, direction, "", None, day, of) for day in days)


@INDICATORS.register("delivered")
class Delivered(Indicator):
    """Tonnes, TEU and value of the consignments that arrived in the window, by flow and in all. [t, TEU, US$]

    TEU where a flow says how many one of its consignments is.
    """

    unit = "t"
    window = "window"

    def start(self) -> None:
        self._spans = self.shared(SpanSums)

    def table_rows(self) -> Iterator[Row]:
        flows, ended = self.scope.plan.flows, self._spans.by_flow(self._spans.ended)
        tonnes = ended * np.array([flow.load_t for flow in flows]).reshape(-1, 1)
        value = tonnes * np.array([flow.value_usd_t for flow in flows]).reshape(-1, 1)
        teu = [flow.labels.get("teu", 0.0) for flow in flows]
        if not any(teu):
            names = ("delivered_t", "", ""), ("delivered_value_usd", "US$", "")
            yield from self.rows_of_flows(names, np.stack([tonnes, value], axis=1), take=False)
        else:
            for f, (_, place) in enumerate(self.scope.places("flow")):
                yield self.row(tonnes[f], *place, name="delivered_t")
                yield self.row(value[f], *place, name="delivered_value_usd", unit="US$")
                if teu[f]:
                    yield self.row(ended[f] * teu[f], *place, name="delivered_teu", unit="TEU")
        yield self.row(in_turn(tonnes), "corridor", "all", name="delivered_t")
        yield self.row(in_turn(value), "corridor", "all", name="delivered_value_usd", unit="US$")


@INDICATORS.register("created")
class Created(Indicator):
    """Consignments released in the whole run, and how many of them are finished and unfinished at its end.

    ``created = finished + unfinished`` holds in every replication; where consignments leave queues for good
    (rule S34) it is ``created = finished + lost + unfinished``.
    """

    unit = "1"
    window = "run"

    def start(self) -> None:
        self._spans = self.shared(SpanSums)

    def table_rows(self) -> Iterator[Row]:
        lose = any(variant.lost for flow in self.scope.plan.flows for variant in flow.variants)
        names = ("created", "finished", "unfinished", *(("lost",) if lose else ()))
        spans = self._spans
        created, unfinished, lost = (spans.by_flow(number) for number in (spans.created, spans.inside, spans.lost))
        numbers = np.stack([created, created - unfinished - lost, unfinished, lost][: len(names)], axis=1)
        yield from self.rows_of_flows([(name, "", "") for name in names], numbers, take=False)
        for k, name in enumerate(names):
            yield self.row(in_turn(numbers[:, k]), "corridor", "all", name=name)


@INDICATORS.register("released")
class Released(Indicator):
    """Consignments of a flow released in the counted window."""

    unit = "1"

    def start(self) -> None:
        self._spans = self.shared(SpanSums)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_of_flows((("", "", ""),), self._spans.by_flow(self._spans.begun), take=False)


@INDICATORS.register("unserved")
class Unserved(Indicator):
    """Consignments still waiting at a stage at the end of the run, and their mean wait until then.

    Their waits are censored: they enter no mean wait of those that started (rule S23).
    """

    unit = "1"
    window = "run"

    def start(self) -> None:
        self._visits = self.shared(VisitSums)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.queueing, self._of_stage)
        yield from self.rows_at(self.scope.post_places, self._of_post)

    def _of_stage(self, k: int, place: PlaceKey) -> Iterator[Row]:
        visits = self._visits
        number = visits.of(visits.unserved, k)
        yield self.row(number, *place)
        waited = ratio(visits.of(visits.unserved_wait_h, k), number)
        yield self.row(waited, *place, name="unserved_wait_h", unit="h")

    def _of_post(self, elements: tuple[int, ...], place: PlaceKey) -> Iterator[Row]:
        yield self.row(self._visits.of(self._visits.unserved, elements), *place)


@INDICATORS.register("left_queue")
class LeftQueue(Indicator):
    """Consignments that left the queue of a stage because their patience was over, and how long they had waited.

    Of those who joined in the counted window and left by the end of the run (rule S34): their number, their share
    of all who joined in it, and their mean wait; these waits are in no mean wait of those that started.
    """

    unit = "1"

    def start(self) -> None:
        self._visits = self.shared(VisitSums)

    def table_rows(self) -> Iterator[Row]:
        visits = self._visits
        for k in sorted(self.scope.left_early):
            place = element_place(self.scope.plan.elements[k])
            number = visits.of(visits.gave_up, k)
            yield self.row(number, *place)
            yield self.row(ratio(number, visits.of(visits.joined, k)), *place, name="left_queue_share", unit="-")
            waited = ratio(visits.of(visits.gave_up_wait_h, k), number)
            yield self.row(waited, *place, name="left_queue_wait_h", unit="h")
