"""From the words of a vector file to elements of a Plan.

Traces and cases describe stations, ferries and legs in slightly different
words; this file knows them all, and nothing else may pass. Times are plain
numbers in the file's own unit. To add a kind of element, add one function here
and its type to `KINDS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray, grid_point, to_grid
from corridor_sim.plan.elements import (
    Closing,
    Delay,
    Departures,
    Element,
    ExtraLanesPlan,
    GatePlan,
    LimitedLeg,
    OutagePolicy,
    PlanBreakdown,
    PlanOutage,
    Preemption,
    Quota,
    SingleTrackPlan,
    Station,
)
from corridor_sim.plan.steps import RestPlan
from corridor_sim.verify.fields import Fields, Unsupported, steps_of, total, whole

LawOf = Callable[[Any, str], Any]
"""(description, where) -> a law; raises `Unsupported` where random numbers are not allowed."""


@dataclass(frozen=True, slots=True)
class Given:
    """A law that is never drawn from: its values come with the inputs."""

    mean_h: float = math.nan

    def sampler(self, _: np.random.Generator) -> Callable[[int], Any]:
        """Not to be used."""
        raise TypeError("the durations of a trace are given, not drawn")


@dataclass(slots=True)
class Layout:
    """Elements made so far, and what the run needs to know of them.

    Attributes
    ----------
    elements
        By id, in file order.
    by_class
        Ids of stations and boats where the priority of a truck counts; ranks are
        filled in when the flows are known.
    travel
        Law of the travel time of legs that give one.
    service
        Description of the service of stations that give one.
    crossing
        Crossing times of timetables that give one a departure.
    cancelled
        Given cancellations, one a departure.
    rest
        Hours of the drivers of the leg before, of places where they rest.
    """

    elements: dict[str, Element] = field(default_factory=dict)
    by_class: set[str] = field(default_factory=set)
    travel: dict[str, Any] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)
    crossing: dict[str, FloatArray] = field(default_factory=dict)
    cancelled: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    rest: dict[str, RestPlan] = field(default_factory=dict)

    def add(self, element: Element) -> None:
        """Add one; its id must be new."""
        if element.id in self.elements:
            raise Unsupported(f"two elements are called {element.id!r}")
        self.elements[element.id] = element


CLOSINGS: dict[str, Closing] = {
    **{name.replace("_", " "): name for name in get_args(Closing)},
    "preempt resume": "suspend",
    "freeze": "suspend",
    "preempt repeat": "restart",
    "preempt repeat identical": "restart",
}
POLICIES: dict[str, OutagePolicy] = {
    **{name: name for name in get_args(OutagePolicy)},
    "preempt resume": "resume",
    "suspend": "resume",
    "preempt repeat": "restart",
    "preempt repeat identical": "restart",
    "head of queue": "requeue",
    "resume; interrupted truck goes to the head of the queue and takes any free working lane": "requeue",
}
PREEMPTIONS: dict[str, Preemption] = {name: name for name in get_args(Preemption)}
DISCIPLINES = {"fifo": False, "first come first served": False, "fcfs": False, "priority": True, "hol": True}
IDENTITY = {"pooled": False, "named": True, "false": False, "true": True}
CLOCKS = {"calendar (strikes idle or busy)": True, "calendar": True}


def _lanes_by_name(value: Any, where: str, until: float, period: float | None) -> tuple[StepFunction, ...] | None:
    """Calendars of lanes given one by one, or None if `value` is not such a list."""
    if not isinstance(value, Sequence) or not value or isinstance(value, str):
        return None
    if not all(isinstance(one, Sequence) and one and isinstance(one[0], Sequence) for one in value):
        return None
    return tuple(steps_of(one, f"{where} lane {k}", until, period) for k, one in enumerate(value, 1))


def _places(value: Any, where: str) -> int | None:
    if value is None or value == "unlimited":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unsupported(f"{where}: yard {value!r}")
    return value


def _outages(
    listed: Any, where: str, station_policy: OutagePolicy | None
) -> tuple[tuple[PlanOutage, ...], OutagePolicy]:
    outages, policies = [], set()
    for k, described in enumerate(listed or (), 1):
        fields = Fields(described, f"{where} outage {k}")
        lane = fields.get("lane", "lanes")
        lanes: list[Any] = lane if isinstance(lane, list) else [None if lane in ("all", "station") else lane]
        if any(one is not None and (isinstance(one, bool) or not isinstance(one, int) or one < 1) for one in lanes):
            raise Unsupported(f"{where} outage {k}: lane {lane!r}")
        start, end = float(fields.need("from", "start")), float(fields.need("to", "until", "end"))
        if end <= start:
            raise Unsupported(f"{where} outage {k}: ends at {end:g}, before it begins")
        policies.add(fields.choice("policy", allowed=POLICIES, default=station_policy or "resume"))
        fields.ignore("why", "note")
        fields.done()
        outages += [PlanOutage(from_h=grid_point(start), until_h=grid_point(end), lane=one) for one in lanes]
    if len(policies) > 1:
        raise Unsupported(f"{where}: outages of different policies at one station ({', '.join(sorted(policies))})")
    return tuple(outages), policies.pop() if policies else station_policy or "resume"


def _extra_lanes(described: Any, where: str) -> ExtraLanesPlan | None:
    """Lanes that the queue opens, each number by date."""
    if described is None:
        return None
    fields = Fields(described, f"{where} extra_lanes")
    names = ("above", "below", "most")
    numbers = {name: whole(steps_of(fields.need(name), where, 0.0, what=name), where) for name in names}
    start_up = steps_of(fields.get("start_up", default=0), where, 0.0, what="start_up")
    fields.done()
    return ExtraLanesPlan(**numbers, start_up_h=start_up)


def _gates(described: Any, where: str) -> tuple[GatePlan, ...]:
    """Gates by the queue further on, each number by date."""
    found = []
    for k, one in enumerate(described or ()):
        fields = Fields(one, f"{where} gate {k}")
        queues = fields.need("queues")
        names = ("close_at", "open_below")
        numbers = {name: whole(steps_of(fields.need(name), where, 0.0, what=name), where) for name in names}
        fields.done()
        found.append(GatePlan(queues=tuple(str(id) for id in queues), **numbers))
    return tuple(found)


def _identity(fields: Fields) -> Any:
    """Whether lanes keep their identity: true, false, or a list of calendars."""
    given = fields.get("named", "lanes_are")
    if given is None or isinstance(given, str):
        return fields.choice("named", "lanes_are", allowed=IDENTITY, default=False)
    return given


def add_station(layout: Layout, values: Any, until: float, law: LawOf) -> None:
    """A station, or a `Delay` where its lanes are unlimited."""
    name = str(Fields(values, "station").need("id"))
    where = f"station {name}"
    fields = Fields(values, where)
    fields.ignore("id", "type", "name", "title", "note")
    lanes, period = fields.need("lanes"), fields.get("lanes_period", "period")
    named = _identity(fields)
    closing = fields.choice("closing", "closing_policy", allowed=CLOSINGS, default="finish")
    by_class = fields.choice("discipline", allowed=DISCIPLINES, default=False)
    yard = _places(fields.get("yard"), where)
    station_policy = fields.choice("outage_policy", allowed=POLICIES, default=None)
    outages, policy = _outages(fields.get("outages"), where, station_policy)
    broken = fields.get("breakdown")
    breakdown = None
    if broken is not None:
        inner = Fields(broken, f"{where} breakdown")
        inner.choice("clock", allowed=CLOCKS, default=True)
        up, down = law(inner.need("up"), f"{where} up"), law(inner.need("down"), f"{where} down")
        breakdown = PlanBreakdown(up=up, down=down, per_lane=bool(inner.get("per_lane", default=False)))
        policy_drawn = inner.choice("policy", allowed=POLICIES, default=policy)
        inner.done()
        if outages and policy_drawn != policy:
            raise Unsupported(f"{where}: breakdowns and outages of different policies at one station")
        policy = policy_drawn
    if (service := fields.get("service")) is not None:
        layout.service[name] = service
    extra, gates = _extra_lanes(fields.get("extra_lanes"), where), _gates(fields.get("gates"), where)
    preemption = fields.choice("preemption", allowed=PREEMPTIONS, default=None)
    fields.done()
    if lanes is None or lanes == "unlimited":
        if yard is not None or outages or breakdown is not None or named or gates or extra is not None:
            raise Unsupported(
                f"{where}: unlimited lanes together with a yard, outages, named or extra lanes, or a gate"
            )
        layout.add(Delay(id=name, component="dwell"))
        return
    calendars = _lanes_by_name(lanes if isinstance(named, bool) else named, where, until, period)
    if calendars is None:
        if not isinstance(named, bool):
            raise Unsupported(f"{where}: named {named!r}")
        pooled = whole(steps_of(lanes, where, until, period), where)
        if named:
            calendars = tuple(
                StepFunction(pooled.from_h, (pooled.value >= lane).astype(float))
                for lane in range(1, int(pooled.value.max()) + 1)
            )
    else:
        if any((calendar.value != np.clip(np.rint(calendar.value), 0, 1)).any() for calendar in calendars):
            raise Unsupported(f"{where}: a calendar of one lane must be 0 or 1")
        pooled = total(calendars)
    most = int(pooled.value.max()) if calendars is None else len(calendars)
    if beyond := [outage.lane for outage in outages if outage.lane is not None and outage.lane > most]:
        raise Unsupported(f"{where}: an outage of lane {beyond[0]}, of {most}")
    layout.add(
        Station(
            id=name,
            lanes=pooled,
            closing=closing,
            named=calendars,
            outages=outages,
            breakdown=breakdown,
            outage_policy=policy,
            yard=yard,
            extra_lanes=extra,
            gates=gates,
            preemption=preemption,
        )
    )
    if by_class:
        layout.by_class.add(name)


FULL = {"when full": True}
BOARDING = {"fifo": False, "first come first served": False, "priority": True, "true": True, "false": False}
LANDING = {"number": "number", "truck number": "number", "boarding": "boarding", "boarding order": "boarding"}


def add_timetable(layout: Layout, values: Any, until: float, law: LawOf) -> None:
    """A ferry, train or convoy: given sailings, sailings every so often, or one when full."""
    name = str(Fields(values, "ferry").need("id"))
    where = f"ferry {name}"
    fields = Fields(values, where)
    fields.ignore("id", "type", "name", "title", "note")
    capacity, crossing = fields.need("capacity", "places"), fields.get("crossing", default=0)
    landing = fields.choice("landing", "landing_order", allowed=LANDING, default="number")
    by_class = fields.choice("boarding", "discipline", "priority", allowed=BOARDING, default=False)
    when_full = fields.choice("departs", allowed=FULL, default=False)
    cancelled = fields.get("cancelled")
    if fields.get("min_load", default=0):
        raise Unsupported(f"{where}: least load of {fields.get('min_load')!r}")
    times = fields.get("sailings", "departures")
    headway, first = fields.get("headway", "every"), fields.get("first", "first_sailing")
    fields.done()
    if by_class:
        layout.by_class.add(name)
    if when_full:
        if times is not None or headway is not None or not isinstance(capacity, int) or cancelled is not None:
            raise Unsupported(f"{where}: departs when full, and has a timetable, cancellations or several capacities")
        crosses, _ = _crossing(crossing, where, None, law)
        layout.add(Departures(id=name, when_full=capacity, crossing=crosses, landing=landing))
        return
    if times is None:
        if headway is None:
            raise Unsupported(f"{where} needs sailings, a headway or departs = 'when full'")
        start = float(headway if first is None else first)
        times = start + np.arange(max(0, math.floor((until - start) / headway) + 1)) * float(headway)
    elif headway is not None or first is not None:
        raise Unsupported(f"{where}: both sailings and a headway")
    sailings = to_grid(times)
    if (np.diff(sailings) < 0).any():
        raise Unsupported(f"{where}: sailings must be in order of time")
    places = np.asarray(capacity if isinstance(capacity, Sequence) else [capacity] * len(sailings), dtype=np.int64)
    if len(places) != len(sailings):
        raise Unsupported(f"{where}: {len(sailings)} sailings and {len(places)} capacities")
    if cancelled is not None:
        if len(cancelled) != len(sailings):
            raise Unsupported(f"{where}: {len(sailings)} sailings and {len(cancelled)} cancellations")
        layout.cancelled[name] = np.asarray(cancelled, dtype=bool)
    crosses, each = _crossing(crossing, where, len(sailings), law)
    if each is not None:
        layout.crossing[name] = each
    layout.add(
        Departures(
            id=name,
            depart_h=sailings,
            places=places,
            crossing=crosses,
            cancel=0.5 if cancelled is not None else 0.0,
            landing=landing,
        )
    )


def _crossing(value: Any, where: str, sailings: int | None, law: LawOf) -> tuple[Any, FloatArray | None]:
    """Law of the crossing, None for no time, and its values where each sailing has one of its own."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        if sailings is None or len(value) != sailings:
            raise Unsupported(f"{where}: {len(value)} crossings and {sailings} sailings")
        return Given(), np.asarray(value, dtype=float)
    if isinstance(value, Mapping):
        return law(value, f"{where} crossing"), None
    return (law({"dist": "deterministic", "value": value}, f"{where} crossing") if value else None), None


def add_leg(layout: Layout, values: Any, until: float, law: LawOf) -> None:
    """A leg, with what limits its entry."""
    name = str(Fields(values, "leg").need("id"))
    where = f"leg {name}"
    fields = Fields(values, where)
    fields.ignore("id", "type", "name", "title", "note")
    headway = fields.get("headway", "min_headway")
    most = fields.get("max_trucks", "max_vehicles", "capacity")
    passing = fields.get("overtaking")
    kept = fields.get("no_overtaking")
    if passing is not None and kept is not None:
        raise Unsupported(f"{where} gives overtaking and no_overtaking, which are the same")
    if not isinstance(passing, (bool, type(None))) or not isinstance(kept, (bool, type(None))):
        raise Unsupported(f"{where}: overtaking must be true or false")
    in_order = bool(kept) if kept is not None else passing is False
    track = _single_track(fields.get("single_track"), where)
    closures = fields.get("closures", "closed", default=())
    if (travel := fields.get("travel")) is not None:
        layout.travel[name] = law(travel, f"{where} travel")
    fields.done()
    is_open = None
    if closures:
        spans = sorted((float(a), float(b)) for a, b in (_span(one, where) for one in closures))
        if spans[0][0] < 0 or any(b <= a for a, b in spans):
            raise Unsupported(f"{where}: closures {spans}")
        edges = np.unique([0.0, *(edge for span in spans for edge in span)])
        closed = [any(a <= edge < b for a, b in spans) for edge in edges]
        is_open = StepFunction(edges, 1.0 - np.asarray(closed, dtype=float))
    if headway is None and most is None and not in_order and is_open is None and track is None:
        layout.add(Delay(id=name))
        return
    layout.add(
        LimitedLeg(
            id=name,
            headway_h=None if headway is None else steps_of(headway, where, until, what="headway"),
            max_vehicles=None if most is None else whole(steps_of(most, where, until, what="max_trucks"), where),
            open=is_open,
            no_overtaking=in_order,
            single_track=track,
        )
    )


def _single_track(described: Any, where: str) -> SingleTrackPlan | None:
    """Terms on which both directions use a leg in turn."""
    if described is None:
        return None
    fields = Fields(described, f"{where} single_track")
    switch, convoy = float(fields.get("switch", default=0)), fields.get("convoy")
    fields.done()
    return SingleTrackPlan(switch_h=switch, convoy=None if convoy is None else int(convoy))


def _span(one: Any, where: str) -> tuple[float, float]:
    if isinstance(one, Mapping):
        fields = Fields(one, f"{where} closure")
        span = float(fields.need("from", "start")), float(fields.need("to", "until", "end"))
        fields.done()
        return span
    start, end = one
    return float(start), float(end)


def add_quota(layout: Layout, values: Any, until: float, law: LawOf) -> None:
    """Daily acceptance: ``days`` as pairs [start, number]."""
    del until, law
    name = str(Fields(values, "quota").need("id"))
    fields = Fields(values, f"quota {name}")
    fields.ignore("id", "type", "name", "title", "note")
    days = fields.need("days")
    fields.done()
    start, number = zip(*days, strict=True)
    layout.add(Quota(id=name, day_start_h=to_grid(start), per_day=np.array(number, dtype=np.int64)))


def add_delay(layout: Layout, values: Any, until: float, law: LawOf) -> None:
    """Time without a queue."""
    del until, law
    fields = Fields(values, "delay")
    name = str(fields.need("id"))
    fields.ignore("type", "name", "title", "note")
    fields.done()
    layout.add(Delay(id=name, component="dwell"))


def add_rest(layout: Layout, values: Any, until: float, law: LawOf) -> None:
    """Where the drivers of the leg before rest: ``hours`` as pairs [at the wheel, rest], the shortest rest first."""
    del until, law
    name = str(Fields(values, "rest").need("id"))
    fields = Fields(values, f"rest {name}")
    fields.ignore("id", "type", "name", "title", "note")
    hours = [(float(drive), float(rest)) for drive, rest in fields.need("hours")]
    waiting, ban = fields.get("waiting_is_rest", default=True), fields.get("ban", default=False)
    fields.done()
    if not hours or any(b <= a for one in zip(*hours, strict=True) for a, b in pairwise((0.0, *one))):
        raise Unsupported(f"rest {name}: hours {hours}")
    drive_h, rest_h = (tuple(map(grid_point, one)) for one in zip(*hours, strict=True))
    plan = RestPlan(drive_h=drive_h, rest_h=rest_h, waiting_is_rest=bool(waiting), after=2 if ban else 1)
    layout.rest[name] = plan
    layout.add(Delay(id=name, component="rest"))


KINDS: dict[str, Callable[[Layout, Any, float, LawOf], None]] = {
    "station": add_station,
    "ferry": add_timetable,
    "train": add_timetable,
    "bulk": add_timetable,
    "leg": add_leg,
    "quota": add_quota,
    "delay": add_delay,
    "dwell": add_delay,
    "rest": add_rest,
}


def add_element(layout: Layout, values: Any, until: float, law: LawOf, kind: str | None = None) -> None:
    """One element of a file, by its ``type`` (or `kind`)."""
    named = kind or (values.get("type") if isinstance(values, Mapping) else None)
    if named not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise Unsupported(f"element type {named!r} (known: {known})")
    KINDS[named](layout, values, until, law)


def in_topological_order(ids: Sequence[str], routes: Sequence[Sequence[str]]) -> list[str]:
    """`ids` so that every route goes forward, in file order where it is free; file order on a cycle."""
    after: dict[str, set[str]] = {name: set() for name in ids}
    for route in routes:
        for k, name in enumerate(route):
            after[name].update(earlier for earlier in route[:k] if earlier != name)
    order: list[str] = []
    left = list(ids)
    while left:
        ready = next((name for name in left if after[name] <= set(order)), None)
        if ready is None:
            return list(ids)
        order.append(ready)
        left.remove(ready)
    return order
