"""How long does it take: waits by stage and post, stays at posts, door to door, and what they consist of."""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, ratio
from corridor_sim.indicators.components import BOOKED, Components
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.pools import PooledRow, PooledRows
from corridor_sim.indicators.shared_sums import SpanSums, StayTimes, WaitTimes
from corridor_sim.indicators.visit_sums import VisitSums


@INDICATORS.register("wait_h")
class Wait(Indicator):
    """Mean wait before a stage, or over all stages of a post, of those that started. [h]

    Over visits joined in the counted window. At a post it is the wait for lanes alone
    (slots and daily acceptance are components of their own, see `component_h`).
    """

    unit = "h"

    def start(self) -> None:
        self._visits, self._spans = self.shared(VisitSums), self.shared(SpanSums)
        self._components = self.shared(Components)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.queueing, self._of_stage)
        yield from self.rows_at(self.scope.places("post"), self._of_post)

    def _of_stage(self, k: int, place: PlaceKey) -> Iterator[Row]:
        scope, visits = self.scope, self._visits
        wait_h, started = visits.wait_h, visits.started
        yield self.row(ratio(visits.of(wait_h, k), visits.of(started, k)), *place)
        present = {scope.cells[cell][1] for cell in scope.element_cells[k]}
        for name, flows in self._several(present):
            mean = ratio(visits.of(wait_h, k, flows), visits.of(started, k, flows))
            yield self.row(mean, *place, cargo_class=name)

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        elements = self.scope.post_elements.get(place[1:], ())
        passages = self._spans.of(self._spans.begun, n)
        yield self.row(self._components.mean_h("wait", elements, passages, place), *place)
        for name, flows in self._several(set(self._spans.flows_at(n))):
            passages = self._spans.of(self._spans.begun, n, flows)
            mean = self._components.mean_h("wait", elements, passages, place, flows)
            yield self.row(mean, *place, cargo_class=name)

    def _several(self, present: set[int]) -> list[tuple[str, tuple[int, ...]]]:
        """Classes among the flows of a place, if more than one."""
        found = [
            (name, tuple(flow for flow in flows if flow in present))
            for name, flows in self.scope.classes.items()
            if present & set(flows)
        ]
        return found if len(found) > 1 else []


@INDICATORS.register("wait_p95_h")
class WaitPercentile(Indicator):
    """95th percentile of waits at a stage: mean of the replications' own, and of all consignments. [h]

    ``wait_p95_h`` is the mean of the replications' percentiles, ``wait_p95_pooled_h`` the
    percentile of all consignments of all replications; within 0.4 % or half a second.
    """

    unit = "h"

    def start(self) -> None:
        self._times = self.shared(WaitTimes)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.queueing, self._of_stage)

    def _of_stage(self, k: int, place: PlaceKey) -> Iterator[Row]:
        yield self.row(self._times.of(k).percentile(95), *place)

    def pooled_rows(self) -> Iterator[PooledRow]:
        yield from self.pools_at(self.scope.queueing, self._pool_of)

    def _pool_of(self, k: int, place: PlaceKey) -> PooledRow:
        return self.pooled(self._times.of(k), *place, wait_p95_pooled_h=95)


@INDICATORS.register("stay_h")
class Stay(Indicator):
    """Mean time from reaching to leaving a post or a leg, waiting included. [h]

    Over passages begun in the counted window and ended by the end of the run.
    """

    unit = "h"

    def start(self) -> None:
        self._spans = self.shared(SpanSums)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post", "leg"), self._of_place)

    def _of_place(self, n: int, place: PlaceKey) -> Iterator[Row]:
        spans = self._spans
        yield self.row(ratio(spans.of(spans.stay_h, n), spans.of(spans.done, n)), *place)
        if place[0] != "post":
            return
        present = set(spans.flows_at(n))
        classes = [(name, flows) for name, flows in self.scope.classes.items() if present & set(flows)]
        for name, flows in classes if len(classes) > 1 else []:
            mean = ratio(spans.of(spans.stay_h, n, flows), spans.of(spans.done, n, flows))
            yield self.row(mean, *place, cargo_class=name)


@INDICATORS.register("stay_percentiles_h")
class StayPercentiles(Indicator):
    """Median and 95th percentile of stays at a post: means of the replications' own, and of all consignments. [h]

    ``stay_p95_h`` is a mean of the replications' percentiles, ``stay_p95_pooled_h`` the
    percentile of all consignments of all replications; within 0.4 %.
    """

    unit = "h"

    def start(self) -> None:
        self._times = self.shared(StayTimes)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post"), self._of_post)

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        times = self._times.of(n)
        yield self.row(times.percentile(50), *place, name="stay_p50_h")
        yield self.row(times.percentile(95), *place, name="stay_p95_h")

    def pooled_rows(self) -> Iterator[PooledRow]:
        yield from self.pools_at(self.scope.places("post"), self._pool_of)

    def _pool_of(self, n: int, place: PlaceKey) -> PooledRow:
        return self.pooled(self._times.of(n), *place, stay_p50_pooled_h=50, stay_p95_pooled_h=95)


@INDICATORS.register("door_to_door_h")
class DoorToDoor(Indicator):
    """Time from release to the end of the journey by flow: mean, median, 95th percentile. [h]

    Over consignments released in the counted window that arrived by the end of the run. Percentiles
    are means of the replications' own, and ``..._pooled_h`` those of all consignments.
    """

    unit = "h"

    def start(self) -> None:
        self._spans, self._times = self.shared(SpanSums), self.shared(StayTimes)

    def table_rows(self) -> Iterator[Row]:
        spans = self._spans
        found = np.empty((len(self.scope.plan.flows), 3, len(self.scope.replications)))
        found[:, 0] = ratio(spans.by_flow(spans.stay_h), spans.by_flow(spans.done))
        times = self._times.journeys
        found[:, 1], found[:, 2] = times.percentile(50), times.percentile(95)
        yield from self.rows_of_flows(
            (("", "", ""), ("door_to_door_p50_h", "", ""), ("door_to_door_p95_h", "", "")), found
        )

    def pooled_rows(self) -> Iterator[PooledRow | PooledRows]:
        found = self._times.journeys.by_value()
        yield from self.pools_of_flows(found, door_to_door_p50_pooled_h=50, door_to_door_p95_pooled_h=95)


@INDICATORS.register("component_h")
class Component(Indicator):
    """What a mean passage of a post or a mean journey consists of; `of` names the component. [h]

    Components are wait, slot_wait, acceptance_wait, entry_wait, sailing_wait, blocked,
    interrupted, service, dwell, travel and rest of drivers (rules S21, S36). Waits have a row even where
    no consignment waits: what moves from one wait to another must meet its zero
    in a comparison.
    """

    unit = "h"

    def start(self) -> None:
        self._components, self._spans = self.shared(Components), self.shared(SpanSums)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post"), self._of_post)
        yield from self._of_flows()

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        components = self._components
        elements, passages = self.scope.post_elements.get(place[1:], ()), self._spans.of(self._spans.begun, n)
        names = components.names(elements, BOOKED)
        hours = [components.mean_h(name, elements, passages, place) for name in names]
        yield self.rows_by("of", names, np.stack(hours), place)

    def _of_flows(self) -> Iterator[Row]:
        scope, journeys = self.scope, self._components.journeys
        by_flow = [
            self._components.names(elements, (*BOOKED, "entry_wait", "sailing_wait"))
            for elements in scope.flow_elements
        ]
        alike: dict[tuple[str, ...], list[int]] = {}
        for flow, names in enumerate(by_flow):
            alike.setdefault(names, []).append(flow)
        hours = {
            names: np.stack([journeys.mean_h(name)[flows] for name in names], axis=1) for names, flows in alike.items()
        }
        if len(alike) == 1:
            ((names, found),) = hours.items()
            yield from self.rows_of_flows([("", "", name) for name in names], found)
            return
        each = {names: iter(found) for names, found in hours.items()}
        flows = (
            ((names, next(each[names])), place) for (_, place), names in zip(scope.places("flow"), by_flow, strict=True)
        )
        yield from self.rows_at(flows, lambda named, place: (self.rows_by("of", *named, place),))


@INDICATORS.register("release_time_h")
class ReleaseTime(Indicator):
    """Mean time at a stage from joining to leaving, of those sent there, by class and stage. [h]

    The segments of a WCO Time Release Study [wco2018]: `of` is the stage, and ``share`` rows say
    which part of the passages of the post are sent to it (the channel).
    """

    unit = "h"

    def start(self) -> None:
        self._visits, self._spans = self.shared(VisitSums), self.shared(SpanSums)
        self._components = self.shared(Components)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post"), self._of_post)

    def _of_post(self, n: int, place: PlaceKey) -> Iterator[Row]:
        scope, visits = self.scope, self._visits
        elements, passages = scope.post_elements.get(place[1:], ()), self._spans.of(self._spans.begun, n)
        for k in elements:
            if not len(scope.element_cells[k]):
                continue
            total = np.zeros(len(scope.replications))
            for hours, number in (
                (visits.wait_h, visits.started),
                (visits.hold_h, visits.left),
                (visits.interrupted_h, visits.left),
                (visits.blocked_h, visits.left),
            ):
                total = total + ratio(visits.of(hours, k), visits.of(number, k))
            stage = scope.plan.elements[k].stage or scope.plan.elements[k].id
            yield self.row(total, *place, of=stage)
            share = np.where(passages > 0, self._components.share(k, elements, passages, place), np.nan)
            yield self.row(share, *place, of=stage, name="visit_share", unit="-")


@INDICATORS.register("cleared_within")
class ClearedWithin(Indicator):
    """Share of the passages of a post or crossing that took at most a target time. [-]

    The level of service; `of` is the target. A time equal to the target is within it.
    """

    def start(self) -> None:
        self._times = self.shared(StayTimes)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("post", "crossing"), self._of_place)

    def _of_place(self, n: int, place: PlaceKey) -> Iterator[Row]:
        for target_h in self.scope.options.targets_h:
            yield self.row(self._times.share_within(n, target_h), *place, of=f"{target_h:g} h")
