"""Stages of posts and transfers as elements and steps of the plan.

A stage with lanes is a `Station`, one with unlimited lanes a `Delay`; daily
acceptance is a `Quota` and booked slots (`bookings.py`) are `Departures`, both before the
post's stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from corridor_sim.core.local_time import LocalTime
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import grid_point, whole_points
from corridor_sim.model.calendars import hours_after
from corridor_sim.model.changes import Cycle, OneStop, ReliefTerms
from corridor_sim.model.channels import Channels
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.kept_holidays import kept
from corridor_sim.model.kept_parts import Entry, KeptParts
from corridor_sim.model.paths import canonical
from corridor_sim.model.resolution import Resolved
from corridor_sim.model.routes import Pass, stages_at
from corridor_sim.model.service_times import Deterministic
from corridor_sim.model.stage_lanes import ExtraLanes
from corridor_sim.model.stage_queues import QueueGate
from corridor_sim.model.stages import Stage
from corridor_sim.plan.bookings import Bookings, bookings, by_day
from corridor_sim.plan.elements import (
    NEVER_REACHED,
    NO_LIMIT,
    Delay,
    Element,
    ExtraLanesPlan,
    GatePlan,
    PlanBreakdown,
    PlanOutage,
    Quota,
    Reservation,
    Station,
)
from corridor_sim.plan.steps import Relief, Step
from corridor_sim.plan.timelines import Observed, RunClock, combine, is_one, product, steps, switched

T = TypeVar("T")
_OTHER = {"exit": "entry", "entry": "exit"}


class Posts:
    """Makes elements and steps of posts and transfers for one resolved scenario."""

    def __init__(self, resolved: Resolved, clock: RunClock, classes: Sequence[str], parts: KeptParts) -> None:
        self.resolved, self.clock, self.classes, self.parts = resolved, clock, classes, parts
        """`classes` are the cargo classes of the flows, in order of the flows."""

    # ------------------------------------------------------------ where things are

    def table(self, at: Pass) -> str:
        """Path of the stages passed."""
        return f"places.{at.id}.transfer" if at.what == "transfer" else f"checkpoints.{at.id}.{at.direction}"

    def element_id(self, at: Pass, name: str) -> str:
        """Id of a stage's element; one for both directions where they share the lanes."""
        shared = at.what == "post" and self.resolved.scenario.checkpoints[at.id].is_shared(name)
        return f"{at.id}.{'shared' if shared else at.direction}.{name}"

    def local_time(self, at: Pass) -> LocalTime:
        """Local time of a post or place."""
        scenario = self.resolved.scenario
        return (scenario.places if at.what == "transfer" else scenario.checkpoints)[at.id].local_time

    def observed(self, at: Pass, stage: Stage) -> Observed:
        """The dates of the run at a post or place, with what the stage does on its holidays."""
        scenario = self.resolved.scenario
        where = (scenario.places if at.what == "transfer" else scenario.checkpoints)[at.id]
        hours = stage.holiday_hours or where.holiday_hours or "closed"
        return self.clock.observed(where.local_time, kept(scenario, where.holidays), hours)

    def labels(self, at: Pass, name: str) -> dict[str, str]:
        """Labels of an element for indicators."""
        post = at.what == "post"
        shared = post and self.resolved.scenario.checkpoints[at.id].is_shared(name)
        crossing = self.resolved.scenario.checkpoints[at.id].crossing if post else ""
        direction = "both" if shared else at.direction
        return {"post": at.id, "direction": direction, "stage": name, "crossing": crossing}

    def changes(self, at: Pass, name: str, field: str) -> Sequence[Any]:
        """Changes of one field of a stage."""
        if not self.resolved.changes:
            return ()
        return self.resolved.of(canonical(self.resolved.scenario, f"{self.table(at)}.{name}.{field}"))

    def made_from(self, at: Pass, one_stop: OneStop | None = None) -> list[Entry]:
        """Entries of the scenario that a stage, slots and acceptance are made from."""
        if at.what == "transfer":
            return [("places", at.id)]
        posts = {at.id}
        if one_stop is not None:  # which stages the other post has
            scenario = self.resolved.scenario
            posts |= {post for post, _ in one_stop.hosts} | {*scenario.crossings[scenario.checkpoints[at.id].crossing]}
        return [("checkpoints", post) for post in sorted(posts)]

    # ------------------------------------------------------------ elements

    def stage_element(self, at: Pass, name: str, stage: Stage) -> Element:
        """The station of a stage with lanes, the delay of one without."""
        # A gate looks at other posts.
        apart = stage.gate is None and not self.changes(at, name, "gate")
        of = self.made_from(at) if apart else None
        return self.parts.part(("station", at, name), of, lambda: self._stage_element(at, name, stage))

    def _stage_element(self, at: Pass, name: str, stage: Stage) -> Element:
        id, labels = self.element_id(at, name), self.labels(at, name)
        if stage.lanes == "unlimited":
            return Delay(id=id, component="dwell", **labels)
        lanes = self.lanes(at, name, stage)
        outages = self.outages(at, stage)
        per_lane = stage.breakdown is not None and stage.breakdown.per_lane
        named = stage.named_lanes or per_lane or any(outage.lane is not None for outage in outages)
        ranks, yards = self.ranks(at, name, stage), self.yards(at, name, stage)
        return Station(
            id=id,
            lanes=lanes,
            closing=stage.closing,
            named=_by_lane(lanes) if named else None,
            outages=outages,
            breakdown=None
            if stage.breakdown is None
            else PlanBreakdown(up=stage.breakdown.up, down=stage.breakdown.down, per_lane=per_lane),
            outage_policy=stage.outage_policy,
            rank=ranks[0][1],
            rank_changes=ranks if len(ranks) > 1 else (),
            preemption=stage.preemption,
            yard=yards[0][1],
            yard_changes=yards if len(yards) > 1 else (),
            reserved=self.reserved(at, name, stage),
            staff_pool=stage.staff_pool,
            staff_per_service=stage.staff_per_service,
            extra_lanes=self.extra_lanes(at, name, stage),
            gates=self.gates(at, name, stage),
            **labels,
        )

    def lanes(self, at: Pass, name: str, stage: Stage) -> StepFunction:
        """Open lanes: the number by hour with its changes, where hours are open and nothing is closed (rule D28).

        An hour with 0 in ``lanes_by_hour`` is a closed hour, whatever the number is set to or grows by.
        """
        assert isinstance(stage.lanes, int)
        where = self.observed(at, stage)
        by_hour, open_hours = StepFunction.constant(stage.lanes), StepFunction.constant(1.0)
        if stage.lanes_by_hour:
            by_hour = self.clock.roster(stage.lanes_by_hour, where)
            open_hours = combine(np.sign, by_hour)
        number = self.clock.changed(by_hour, self.changes(at, name, "lanes"))
        hours = self.clock.values(stage.opening_hours, self.changes(at, name, "opening_hours"))
        is_open = switched([(from_h, self.clock.open_hours(lines, where)) for from_h, lines in hours])
        opened = self.clock.opened(self.changes(at, name, "closed"))
        return combine(
            lambda n, *o: np.floor(np.maximum(n, 0.0) + 1e-9) * np.prod(o, axis=0), number, is_open, open_hours, opened
        )

    def extra_lanes(self, at: Pass, name: str, stage: Stage) -> ExtraLanesPlan | None:
        """Lanes that the queue opens, each number by date; None if there are never any."""
        dated: list[tuple[float, ExtraLanes | None]] = self.clock.values(
            stage.extra_lanes, self.changes(at, name, "extra_lanes")
        )
        if all(terms is None for _, terms in dated):
            return None
        known = next(terms for _, terms in dated if terms is not None)
        # While there are none the other numbers are of no account.
        listed = [(from_h, terms or known) for from_h, terms in dated]
        where = self.observed(at, stage)
        most = switched([(from_h, self._most_extra(terms, where)) for from_h, terms in dated])
        return ExtraLanesPlan(
            above=steps([(from_h, terms.above) for from_h, terms in listed]),
            below=steps([(from_h, terms.below) for from_h, terms in listed]),
            most=most,
            start_up_h=steps([(from_h, grid_point(terms.start_up_h)) for from_h, terms in listed]),
        )

    def _most_extra(self, terms: ExtraLanes | None, where: Observed) -> StepFunction:
        if terms is None:
            return StepFunction.constant(0.0)
        if terms.most_by_hour is None:
            return StepFunction.constant(terms.most)
        return self.clock.roster(terms.most_by_hour, where)

    def gates(self, at: Pass, name: str, stage: Stage) -> tuple[GatePlan, ...]:
        """Gates by the queue further on, each number by date; one for each place that is looked at in the run."""
        dated: list[tuple[float, QueueGate | None]] = self.clock.values(stage.gate, self.changes(at, name, "gate"))
        places = sorted({terms.queue_at for _, terms in dated if terms is not None})

        def number(place: str, field: str) -> StepFunction:
            here = [(from_h, terms if terms and terms.queue_at == place else None) for from_h, terms in dated]
            return steps([(from_h, getattr(terms, field) if terms else NEVER_REACHED) for from_h, terms in here])

        return tuple(
            GatePlan(
                queues=self._queues_at(place),
                close_at=number(place, "close_at"),
                open_below=number(place, "open_below"),
            )
            for place in places
        )

    def _queues_at(self, path: str) -> tuple[str, ...]:
        """Ids of the elements of a stage, or of a direction of a post with its daily acceptance, that have a queue."""
        table, id, direction, *stage = path.split(".")
        at = Pass("transfer" if table == "places" else "post", id, direction)
        if stage:
            return (self.element_id(at, stage[0]),)
        before = [f"{id}.{direction}.acceptance"] if direction in DIRECTIONS else []
        return (*before, *(self.element_id(at, name) for name in stages_at(self.resolved.scenario, at)))

    def outages(self, at: Pass, stage: Stage) -> tuple[PlanOutage, ...]:
        """Given outages inside the run; those of one lane that touch are one."""
        by_lane: dict[int | None, list[tuple[float, float]]] = {}
        for outage in stage.outages.values():
            from_h = max(0.0, self._hours(outage.from_, at))
            until_h = self._hours(outage.until, at)
            if until_h > 0 and from_h < self.clock.horizon_h:
                by_lane.setdefault(outage.lane, []).append((from_h, until_h))
        found = []
        for lane in sorted(by_lane, key=lambda lane: lane or 0):
            for from_h, until_h in _union(by_lane[lane]):
                found.append(PlanOutage(from_h=grid_point(from_h), until_h=grid_point(until_h), lane=lane))
        return tuple(found)

    def ranks(self, at: Pass, name: str, stage: Stage) -> tuple[tuple[float, tuple[int, ...] | None], ...]:
        """Rank of each flow by date of joining."""
        orders = self.clock.values(stage.priority, self.changes(at, name, "priority"))
        return _changing((from_h, rank_of(order, self.classes)) for from_h, order in orders)

    def yards(self, at: Pass, name: str, stage: Stage) -> tuple[tuple[float, int | None], ...]:
        """Waiting places by date, None for unlimited."""
        places = self.clock.values(stage.yard, self.changes(at, name, "yard"))
        return _changing((from_h, None if number == "unlimited" else int(number)) for from_h, number in places)

    def reserved(self, at: Pass, name: str, stage: Stage) -> tuple[Reservation, ...]:
        """Lanes reserved for each class, 0 where they bind nobody (rule D28)."""
        found = []
        for cargo_class in sorted({*stage.reserved, *self.classes}):
            base = stage.reserved.get(cargo_class)
            field = f"reserved.{cargo_class}"
            wanted = self.clock.number(base.lanes if base else 0, self.changes(at, name, f"{field}.lanes"))
            flows = frozenset(f for f, one in enumerate(self.classes) if one == cargo_class)
            if not flows or not wanted.value.any():
                continue
            # Overflow is the same as long as there are reserved lanes (`resolved_values`): the last one holds.
            overflow = self.clock.values(bool(base and base.overflow), self.changes(at, name, f"{field}.overflow"))
            in_force = [over for from_h, over in overflow if wanted.at(from_h)] or [overflow[0][1]]
            found.append(Reservation(flows=flows, lanes=wanted, overflow=in_force[-1]))
        return tuple(found)

    # ------------------------------------------------------------ steps

    def stage_step(self, at: Pass, name: str, stage: Stage, cargo_class: str, one_stop: OneStop | None) -> Step | None:
        """The step of a flow at a stage (its element is filled in later); None if its class never needs it.

        All flows of a class have the same one.
        """
        key = "step", at, name, cargo_class, one_stop
        make = partial(self._stage_step, at, name, stage, cargo_class, one_stop)
        return self.parts.part(key, self.made_from(at, one_stop), make)

    def _stage_step(self, at: Pass, name: str, stage: Stage, cargo_class: str, one_stop: OneStop | None) -> Step | None:
        if one_stop is not None and self._is_merged_away(at, name, one_stop):
            return None
        id = self.element_id(at, name)
        share = self.share(at, name, stage, cargo_class)
        if share is not None and not share.value.any():
            return None
        below = self.stricter(at, stage, cargo_class)
        if below and share is not None and not combine(np.subtract, share, below[0].share).value.any():
            return None
        laws, cycle = self.laws(at, name, stage)
        by_class = self.clock.number(
            stage.factor_by_class.get(cargo_class, 1.0), self.changes(at, name, f"factor_by_class.{cargo_class}")
        )
        merged = 1.0
        if one_stop is not None and self._is_merged_here(at, name, one_stop):
            merged = one_stop.service_factor
        factor = product(
            cycle, self.clock.number(1.0, self.changes(at, name, "factor")), by_class, StepFunction.constant(merged)
        )
        draws = f"{at.id}.{at.direction}.channel" if stage.channels else f"{at.id}.{at.direction}.{name}"
        return Step(
            element=-1,
            laws=laws,
            draws=id,
            factor=factor,
            share=share,
            share_draws=draws if share is not None else "",
            reliefs=(*below, *self.reliefs(at, name, cargo_class)),
        )

    def laws(self, at: Pass, name: str, stage: Stage) -> tuple[tuple[tuple[float, Any], ...], StepFunction]:
        """Laws of the service by date, and the factor that scales each to the lane cycle it stands for."""
        base: Any = stage.service
        if stage.trucks_per_day is not None:
            base = Cycle(stage.service or Deterministic(value_h=stage.cycle_h), stage.cycle_h)
        down = stage.closing in ("no_overrun", "suspend", "restart")
        laws: list[tuple[float, Any]] = []
        scale: list[tuple[float, float]] = []
        for from_h, value in self.clock.values(base, self.changes(at, name, "service")):
            law = value.law if isinstance(value, Cycle) else value
            mean_h = value.mean_h
            if isinstance(law, Deterministic):
                law = Deterministic(value_h=whole_points(law.value_h, down=down))
                mean_h = whole_points(mean_h, down=down)
            scale.append((from_h, mean_h / law.mean_h if isinstance(value, Cycle) and mean_h != law.mean_h else 1.0))
            if not laws or laws[-1][1] != law:
                laws.append((from_h, law))
        return tuple(laws), steps(scale)

    def share(self, at: Pass, name: str, stage: Stage, cargo_class: str) -> StepFunction | None:
        """Dated share of a class that needs the stage; None if all do."""
        own = self.changes(at, name, f"share_by_class.{cargo_class}")
        if cargo_class in stage.share_by_class:
            share = self.clock.number(stage.share_by_class[cargo_class], own)
        else:
            share = self.clock.changed(self.clock.number(stage.share, self.changes(at, name, "share")), own)
        if stage.channels:
            channels = self.resolved.scenario.checkpoints[at.id].channels[at.direction]
            parts = [self._channel(at, channels, channel, cargo_class) for channel in set(stage.channels)]
            below = self.stricter(at, stage, cargo_class)
            if below:
                # Of those whose uniform is not that of a stricter channel; all the rest if the lightest one is named.
                all_the_rest = next(iter(channels.shares)) in stage.channels
                share = combine(
                    lambda s, low, *c: np.where((s >= 1) & all_the_rest, 1.0, low + s * np.sum(c, axis=0)),
                    share,
                    below[0].share,
                    *parts,
                )
                return combine(lambda s: np.clip(s, 0.0, 1.0), share)
            if set(stage.channels) != set(channels.shares):
                share = combine(lambda s, *c: s * np.sum(c, axis=0), share, *parts)
        share = combine(lambda s: np.clip(s, 0.0, 1.0), share)
        return None if is_one(share) else share

    def stricter(self, at: Pass, stage: Stage, cargo_class: str) -> tuple[Relief, ...]:
        """Those in channels stricter than any that needs the stage, who pass it by; none where channels nest."""
        if not stage.channels:
            return ()
        channels = self.resolved.scenario.checkpoints[at.id].channels[at.direction]
        names = list(channels.shares)
        stricter = names[max(names.index(name) for name in stage.channels) + 1 :]
        if not stricter:
            return ()
        parts = [self._channel(at, channels, name, cargo_class) for name in stricter]
        share = combine(lambda *c: np.clip(np.sum(c, axis=0), 0.0, 1.0), *parts)
        return (Relief(share=share, factor=0.0, draws=f"{at.id}.{at.direction}.channel"),) if share.value.any() else ()

    def _channel(self, at: Pass, channels: Channels, channel: str, cargo_class: str) -> StepFunction:
        prefix = f"checkpoints.{at.id}.channels.{at.direction}"
        base = channels.by_class.get(cargo_class, channels.shares)[channel]
        # What is set for all holds for a class with shares of its own too; what is set for the class wins (rule S20).
        general = self.clock.number(base, self.resolved.of(f"{prefix}.shares.{channel}"))
        return self.clock.changed(general, self.resolved.of(f"{prefix}.by_class.{cargo_class}.{channel}"))

    def reliefs(self, at: Pass, name: str, cargo_class: str) -> tuple[Relief, ...]:
        """Dated shares of consignments whose time is shortened; one uniform for all stages of one improvement."""
        found = []
        for dated in self.resolved.of(f"{self.table(at)}.{name}.reliefs"):
            terms = dated.change.value
            assert isinstance(terms, ReliefTerms)
            if terms.cargo_classes and cargo_class not in terms.cargo_classes:
                continue
            edges = sorted({0.0, *(edge for edge in dated.edges() if 0 < edge < self.clock.horizon_h)})
            share = StepFunction(edges, [terms.share * dated.effect(edge) for edge in edges])
            if share.value.any():
                draws = f"pre_arrival:{dated.change.by}"
                found.append(Relief(share=share, factor=terms.factor, draws=draws))
        return tuple(found)

    def _is_merged_away(self, at: Pass, name: str, terms: OneStop) -> bool:
        other = _OTHER[at.direction]
        hosts = (post for post, way in terms.hosts if post != at.id and way == other)
        return name in terms.stages and any(
            name in self.resolved.scenario.checkpoints[post].stages(other) for post in hosts
        )

    def _is_merged_here(self, at: Pass, name: str, terms: OneStop) -> bool:
        scenario = self.resolved.scenario
        guests = (post for post in scenario.crossings[scenario.checkpoints[at.id].crossing] if post != at.id)
        has_twin = any(name in scenario.checkpoints[post].stages(_OTHER[at.direction]) for post in guests)
        return (at.id, at.direction) in terms.hosts and name in terms.stages and has_twin

    # ------------------------------------------------------------ before the stages

    def acceptance(self, at: Pass) -> Quota | None:
        """The daily acceptance of one direction of a post, if it ever holds in the run."""
        base = self.resolved.scenario.checkpoints[at.id].acceptance.get(at.direction)
        changes = self.resolved.of(f"checkpoints.{at.id}.acceptance.{at.direction}.per_day")
        days = self.clock.day_starts(self.local_time(at))
        per_day = by_day(self.clock, base.per_day if base else None, changes, days)
        if all(number is None for number in per_day):
            return None
        numbers = np.array([NO_LIMIT if number is None else int(number) for number in per_day], dtype=np.int64)
        return Quota(
            id=f"{at.id}.{at.direction}.acceptance",
            day_start_h=days,
            per_day=numbers,
            post=at.id,
            direction=at.direction,
            stage="acceptance",
            crossing=self.labels(at, "")["crossing"],
        )

    def slots(self, at: Pass) -> Bookings | None:
        """Booked slots of one direction of a post, if there are ever any in the run."""
        base = self.resolved.scenario.checkpoints[at.id].slots.get(at.direction)
        prefix = f"checkpoints.{at.id}.slots.{at.direction}"
        changes = {field: self.resolved.of(f"{prefix}.{field}") for field in ("per_day", "every_h")}
        return bookings(self.clock, at, self.local_time(at), base, changes)

    def _hours(self, instant: Any, at: Pass) -> float:
        return hours_after(instant, self.clock.start, self.local_time(at))


def rank_of(priority: Sequence[str], classes: Sequence[str]) -> tuple[int, ...] | None:
    """Rank of each flow by its class, classes not listed last; None without priorities (FIFO)."""
    if not priority:
        return None
    order: Mapping[str, int] = {name: k for k, name in enumerate(priority)}
    return tuple(order.get(one, len(order)) for one in classes)


def _by_lane(lanes: StepFunction) -> tuple[StepFunction, ...]:
    """Calendars of single lanes: lane k is open while at least k lanes are."""
    return tuple(StepFunction(lanes.from_h, lanes.value >= k) for k in range(1, int(lanes.value.max()) + 1))


def _changing(parts: Iterable[tuple[float, T]]) -> tuple[tuple[float, T], ...]:
    """Pieces (from hour, value) on the clock grid, without those that change nothing."""
    found: list[tuple[float, T]] = []
    for from_h, value in parts:
        if not found or found[-1][1] != value:
            found.append((grid_point(from_h), value))
    return tuple(found)


def _union(windows: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
