"""A trace by hand as a Plan with its inputs.

The plan is made from what a trace gives, its horizon from the inputs alone;
the answers are not read here. Trucks of one priority are one flow, their
routes its variants. A truck's number is its rank in (arrival, order of its
source, order in the file); minutes enter as plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray, grid_point
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import PatiencePlan, Step, Variant
from corridor_sim.records.inputs import FlowInputs, SampledInputs
from corridor_sim.verify.elements import Given, Layout, add_element, in_topological_order
from corridor_sim.verify.fields import Fields, Unsupported, readable

NO_END = 2.0**24
"""Patience of a truck of which none is given, beyond every trace."""
FEW_PERIODS = 2
"""Periods of a calendar that a service may lose at its two ends."""


@dataclass(frozen=True, slots=True)
class Truck:
    """One truck of a trace; `place` is its place in the file, `ranks` its priority by element (or everywhere).

    `opposite` are the single tracks that it passes in the second direction, `patience` how long it waits
    at most at elements, where it leaves the queue and is lost.
    """

    place: int
    arrival: float
    source: int
    route: tuple[str, ...]
    durations: tuple[float, ...]
    ranks: int | Mapping[str, int]
    opposite: tuple[str, ...] = ()
    patience: Mapping[str, float] = field(default_factory=dict)

    @property
    def way(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Its route with the directions."""
        return self.route, self.opposite


@dataclass(frozen=True, slots=True)
class TracePlan:
    """A trace as a plan with its inputs; `cells` gives flow and index of each truck in file order."""

    plan: Plan
    inputs: SampledInputs
    trucks: tuple[Truck, ...]
    cells: tuple[tuple[int, int], ...]


def build_trace(values: Mapping[str, Any]) -> TracePlan:
    """Plan and inputs of a trace.

    Raises
    ------
    Unsupported
        For every field or value that is not known.
    """
    with readable(f"trace {values.get('id')}"):
        return _build(values)


def _build(values: Mapping[str, Any]) -> TracePlan:
    fields = Fields(values, str(values.get("id", "trace")))
    fields.ignore("id", "title", "feature", "expected", "semantics", "why", "kpi", "alternatives", "note", "source")
    listed, described = fields.need("trucks"), fields.need("elements")
    sources, given_until = fields.get("sources", default=()), fields.get("horizon")
    fields.done()
    trucks = _trucks(listed, list(sources))
    reach = _instants(described, trucks)
    layout = Layout()
    for one in described:
        add_element(layout, one, reach, _given)
    if given_until is None:
        until = _horizon(layout, described, trucks, reach)
        layout = Layout()
        for one in described:
            add_element(layout, one, until, _given)
    else:
        until = float(given_until)
    if layout.service or layout.travel:
        names = ", ".join([*layout.service, *layout.travel])
        raise Unsupported(f"element {names}: service and travel of a trace belong to the trucks")
    return _assemble(layout, trucks, until, str(values.get("id", "")))


def _given(values: Any, where: str) -> Given:
    """Stands for a law in a trace: only a fixed time may be there."""
    if isinstance(values, Mapping) and values.get("dist") == "deterministic":
        return Given(float(values["value"]))
    raise Unsupported(f"{where}: a random law in a trace ({values!r})")


def _trucks(listed: Sequence[Any], sources: list[Any]) -> tuple[Truck, ...]:
    trucks = []
    for place, one in enumerate(listed):
        fields = Fields(one, f"truck {one.get('id', place + 1)}" if isinstance(one, Mapping) else f"truck {place + 1}")
        fields.ignore("id", "class", "name", "note")
        route = tuple(str(name) for name in fields.need("route"))
        source = fields.get("source")
        if source is not None and source not in sources:
            sources.append(source)
        priority = fields.get("priority", "rank", default=0)
        service = fields.get("service", "travel", default={})
        arrival = float(fields.need("arrival"))
        opposite = tuple(sorted(str(name) for name in fields.get("opposite", default=())))
        patience = {str(name): float(value) for name, value in fields.get("patience", default={}).items()}
        fields.done()
        if strange := [name for name in patience if route.count(name) != 1]:
            raise Unsupported(f"{fields.where}: patience at {strange[0]!r}, which is not on its route, or not once")
        if strange := [name for name in opposite if name not in route]:
            raise Unsupported(f"{fields.where}: {strange[0]!r} in the opposite direction, which is not on its route")
        trucks.append(
            Truck(
                place,
                arrival,
                sources.index(source) if source is not None else -1,
                route,
                tuple(_durations(service, route, fields.where)),
                dict(priority) if isinstance(priority, Mapping) else int(priority),
                opposite,
                patience,
            )
        )
    return tuple(trucks)


def _durations(service: Any, route: Sequence[str], where: str) -> list[float]:
    """Duration at each stop of a route, NaN where none is given."""
    if isinstance(service, Mapping):
        if strange := [name for name in service if name not in route]:
            raise Unsupported(f"{where}: service at {strange[0]!r}, which is not on its route")
        seen: dict[str, int] = {}
        found = []
        for name in route:
            value = service.get(name, math.nan)
            if isinstance(value, Sequence):
                value = value[seen.get(name, 0)]
            elif route.count(name) > 1 and name in service:
                raise Unsupported(f"{where}: one service for several visits of {name!r}; give a list")
            seen[name] = seen.get(name, 0) + 1
            found.append(float(value))
    else:
        found = [float(value) for value in service]
        if len(found) != len(route):
            raise Unsupported(f"{where}: {len(route)} stops and {len(found)} services")
    if any(value < 0 for value in found):
        raise Unsupported(f"{where}: a negative service")
    return found


def _instants(described: Sequence[Any], trucks: Sequence[Truck]) -> float:
    """Latest instant that the elements and arrivals name: after it nothing changes by date, calendars apart."""
    latest = max([0.0, *(truck.arrival for truck in trucks)])

    def visit(value: Any, key: str = "") -> None:
        nonlocal latest
        if isinstance(value, Mapping):
            for name, inner in value.items():
                visit(inner, str(name))
        elif isinstance(value, (list, tuple)):
            for inner in value:
                visit(inner, key)
        elif isinstance(value, (int, float)) and key not in ("lane", "id"):
            latest = max(latest, float(value))

    for one in described:
        visit(one)
    return latest


def _horizon(layout: Layout, described: Sequence[Any], trucks: Sequence[Truck], reach: float) -> float:
    """An instant by which everything that can happen has: all work in one line after the last change.

    Every stop may cost its duration, a headway, a crossing and a wait for the
    next opening; a long service may need several openings.
    """
    period = {one["id"]: one.get("lanes_period", one.get("period")) for one in described}
    headways = [element.headway_h for element in layout.elements.values() if isinstance(element, LimitedLeg)]
    longest = max([0.0, *(float(headway.value.max()) for headway in headways if headway is not None)])
    tracks = [element.single_track for element in layout.elements.values() if isinstance(element, LimitedLeg)]
    longest += max([0.0, *(track.switch_h for track in tracks if track is not None)])
    until = reach
    for truck in trucks:
        at_wheel = sum(duration for duration in truck.durations if not math.isnan(duration))
        for name, duration in zip(truck.route, truck.durations, strict=True):
            if (terms := layout.rest.get(name)) is not None:
                longest_h = max(rest_h for rest_h in terms.rest_h if rest_h < math.inf)
                until += (math.ceil(at_wheel / min(terms.drive_h)) + 1) * longest_h
            time = 0.0 if math.isnan(duration) else duration
            until += time + longest
            element, cycle = layout.elements.get(name), period.get(name)
            if isinstance(element, Station) and cycle:
                open_time = sum(
                    end - start
                    for start, end, lanes in zip(
                        element.lanes.from_h, [*element.lanes.from_h[1:], math.inf], element.lanes.value, strict=True
                    )
                    if lanes > 0 and end <= cycle
                )
                open_time = open_time or cycle / 16
                until += cycle * (math.ceil(time / open_time) + FEW_PERIODS)
            elif isinstance(element, Departures):
                each = layout.crossing.get(name)
                if each is not None:
                    until += float(each.max(initial=0.0))
                elif isinstance(element.crossing, Given):
                    until += element.crossing.mean_h
    return 2.0 ** math.ceil(math.log2(until + 1.0))


def _assemble(layout: Layout, trucks: Sequence[Truck], until: float, name: str) -> TracePlan:
    for truck in trucks:
        if missing := [stop for stop in truck.route if stop not in layout.elements]:
            raise Unsupported(f"truck {truck.place + 1}: no element {missing[0]!r}")
    order = in_topological_order(list(layout.elements), [truck.route for truck in trucks])
    place = {element: k for k, element in enumerate(order)}
    signature = {
        truck.place: tuple(
            truck.ranks if isinstance(truck.ranks, int) else int(truck.ranks.get(id, 0))
            for id in sorted(layout.by_class)
        )
        for truck in trucks
    }
    classes = sorted(set(signature.values()))
    ranks = {id: tuple(key[k] for key in classes) or None for k, id in enumerate(sorted(layout.by_class))}
    elements = tuple(_ranked(layout.elements[id], ranks.get(id)) for id in order)
    # sorted() is stable: equal arrivals and sources keep their order in the file.
    number = {truck.place: n for n, truck in enumerate(sorted(trucks, key=lambda t: (t.arrival, t.source)))}
    flows, inputs, cells = [], [], {}
    for f, key in enumerate(classes):
        members = sorted((t for t in trucks if signature[t.place] == key), key=lambda t: number[t.place])
        cells.update({truck.place: (f, j) for j, truck in enumerate(members)})
        ways = sorted({truck.way for truck in members})
        variants = tuple(
            Variant(id=f"route {v + 1}", steps=_steps(route, opposite, layout, place))
            for v, (route, opposite) in enumerate(ways)
        )
        duration: dict[str, FloatArray] = {}
        variants = _with_patience(variants, ways, members, duration)
        flows.append(FlowPlan(id=f"class {f + 1:03d}", variants=variants))
        for j, truck in enumerate(members):
            for (_, draws), time, stop in zip(_draws(truck.route), truck.durations, truck.route, strict=True):
                if isinstance(layout.elements[stop], (Station, Delay, LimitedLeg)) and stop not in layout.rest:
                    if math.isnan(time):
                        raise Unsupported(f"truck {truck.place + 1}: no service at {stop!r}")
                    duration.setdefault(draws, np.zeros((1, len(members))))[0, j] = grid_point(time)
                elif time > 0:
                    raise Unsupported(f"truck {truck.place + 1}: a service of its own at {stop!r}")
        inputs.append(
            FlowInputs(
                np.array([[grid_point(truck.arrival) for truck in members]]),
                np.array([[ways.index(truck.way) for truck in members]], dtype=np.int64),
                np.array([[number[truck.place] for truck in members]], dtype=np.int64),
                {draws: (values,) for draws, values in duration.items()},
            )
        )
    crossing, cancelled = {}, {}
    for id, k in place.items():
        element = layout.elements[id]
        if isinstance(element, Departures) and isinstance(element.crossing, Given):
            sailings = len(trucks) if element.when_full else len(element.depart_h)
            each = layout.crossing.get(id, np.full(sailings, element.crossing.mean_h))
            crossing[k] = np.array([[grid_point(float(time)) for time in each]]).reshape(1, -1)
        if id in layout.cancelled:
            cancelled[k] = layout.cancelled[id][None, :]
    plan = Plan(elements=elements, flows=tuple(flows), horizon_h=until, name=name)
    drawn = SampledInputs(np.zeros(1, dtype=np.int64), tuple(inputs), {}, crossing_h=crossing, cancelled=cancelled)
    return TracePlan(plan, drawn, tuple(trucks), tuple(cells[truck.place] for truck in trucks))


def _with_patience(
    variants: tuple[Variant, ...],
    ways: Sequence[tuple[tuple[str, ...], tuple[str, ...]]],
    members: Sequence[Truck],
    duration: dict[str, FloatArray],
) -> tuple[Variant, ...]:
    """The routes with the patience of those on them, and where those end who leave; `duration` gets their patience."""
    found = list(variants)
    for v, (route, opposite) in enumerate(ways):
        for n, stop in enumerate(route):
            waits = [truck.patience.get(stop, NO_END) for truck in members]
            if not any(stop in truck.patience for truck in members if truck.way == (route, opposite)):
                continue
            draws = f"{stop} patience"
            duration[draws] = np.array([[grid_point(time) for time in waits]])
            terms = PatiencePlan(law=Given(), draws=draws, variant=len(found), at_step=n + 1)
            steps = found[v].steps
            found.append(Variant(id=f"left {stop}", steps=steps[: n + 1], share=StepFunction.constant(0.0), lost=True))
            with_terms = tuple(replace(step, patience=terms) if k == n else step for k, step in enumerate(steps))
            found[v] = replace(found[v], steps=with_terms)
    return tuple(found)


def _rank(truck: Truck, id: str) -> int:
    return truck.ranks if isinstance(truck.ranks, int) else int(truck.ranks.get(id, 0))


def _ranked(element: Any, rank: tuple[int, ...] | None) -> Any:
    if rank is None:
        return element
    return replace(element, rank=rank) if isinstance(element, Station) else replace(element, priority=rank)


def _draws(route: Sequence[str]) -> list[tuple[str, str]]:
    """Each stop with the name of its durations; later visits of one element have names of their own."""
    seen: dict[str, int] = {}
    found = []
    for name in route:
        seen[name] = seen.get(name, 0) + 1
        found.append((name, name if seen[name] == 1 else f"{name} visit {seen[name]}"))
    return found


def _steps(route: Sequence[str], opposite: Sequence[str], layout: Layout, place: Mapping[str, int]) -> tuple[Step, ...]:
    return tuple(
        Step(element=place[stop], laws=((0.0, Given()),), draws=draws, opposite=stop in opposite)
        if isinstance(layout.elements[stop], (Station, Delay, LimitedLeg)) and stop not in layout.rest
        else Step(element=place[stop], rest=layout.rest.get(stop))
        for stop, draws in _draws(route)
    )
