"""A stochastic case as a Plan: its stations, boats and legs, its sources, how long it runs.

Clock values, means and rates enter as plain numbers in the case's own unit
(minutes). Each source is a flow; a stop with a probability is a step with a share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.elements import Delay, Departures, LimitedLeg, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.verify.elements import Layout, add_element, in_topological_order
from corridor_sim.verify.fields import Fields, Unsupported, readable
from corridor_sim.verify.laws import arrivals_of, law

COOLDOWN = 0.02
"""Least cool-down as a share of the window, where a case gives none or too little."""


@dataclass(frozen=True, slots=True)
class CasePlan:
    """A case ready to be drawn and run.

    Attributes
    ----------
    plan
        Elements, flows and horizon (cool-down included).
    classes
        Numbers of the flows of each class, classes in file order.
    since, until
        The window in which trucks are counted and averages taken.
    cycle
        Length of a cycle, None where there is none.
    saturated
        Whether all are there from the start.
    landings
        (first, every) of a source with a timetable, for what is left before a landing.
    args
        Arguments of measures, as in the file.
    """

    plan: Plan
    classes: Mapping[str, tuple[int, ...]]
    since: float
    until: float
    cycle: float | None
    saturated: bool
    landings: tuple[float, float] | None
    args: Mapping[str, Any]


def build_case(values: Mapping[str, Any], longer: float = 1.0) -> CasePlan:
    """Plan of a case, its cool-down `longer` times as long.

    Raises
    ------
    Unsupported
        For every field or value that is not known.
    """
    with readable(f"case {values.get('id')}"):
        return _build(values, longer)


def _build(values: Mapping[str, Any], longer: float) -> CasePlan:
    fields = Fields(values, str(values.get("id", "case")))
    fields.ignore("id", "family", "title", "load", "rho", "source", "calculator", "checked_by", "notes", "measures")
    model, run = Fields(fields.need("model"), "model"), Fields(fields.need("run"), "run")
    args = fields.get("args", default={})
    fields.done()
    since, until, cycle, horizon = _window(run, longer)
    model.ignore("peak_rho", "capacity_per_min", "horizon_days", "note")
    blocking = str(model.get("blocking", default="after service"))
    if not blocking.startswith("after service"):
        raise Unsupported(f"blocking {blocking!r} (known: after service)")
    layout = Layout()
    for plural, kind in (("stations", "station"), ("legs", "leg"), ("rests", "rest"), ("bulk", "ferry")):
        for one in model.get(plural, default=()):
            add_element(layout, one, horizon, law, kind)
    if layout.crossing or layout.cancelled:
        raise Unsupported("crossings or cancellations given one by one, in a stochastic case")
    route = model.get("route", default=())
    ranks = {str(name): int(rank) for name, rank in model.get("priority", default={}).items()}
    sources = model.need("sources")
    model.done()
    names = [str(source.get("class", f"source {k + 1}")) for k, source in enumerate(sources)]
    stops = {name: [_stop(one, name) for one in _route_of(route, name)] for name in names}
    if missing := [stop for way in stops.values() for stop, _ in way if stop not in layout.elements]:
        raise Unsupported(f"route: no element {missing[0]!r}")
    order = in_topological_order(list(layout.elements), [[stop for stop, _ in way] for way in stops.values()])
    place = {name: k for k, name in enumerate(order)}
    enough = _enough(layout, horizon)
    flows: list[FlowPlan] = []
    classes: dict[str, tuple[int, ...]] = {}
    for k, source in enumerate(sources):
        name, arrivals = arrivals_of(source, f"source {k + 1}", horizon, enough)
        steps = tuple(_step(stop, share, layout, place, name) for stop, share in stops[name])
        classes[name] = (*classes.get(name, ()), k)
        flows.append(
            FlowPlan(
                id=f"{k:03d} {name}", variants=(Variant(id="route", steps=steps),), arrivals=arrivals, cargo_class=name
            )
        )
    if unknown := [name for name in ranks if name not in classes]:
        raise Unsupported(f"priority of {unknown[0]!r}, which no source has")
    rank = tuple(ranks.get(flow.cargo_class, 0) for flow in flows)
    elements = tuple(_ranked(layout.elements[id], rank if id in layout.by_class else None) for id in order)
    landing = next((s for s in sources if s.get("process") == "timetable"), None)
    return CasePlan(
        Plan(
            elements=elements,
            flows=tuple(flows),
            horizon_h=horizon,
            warm_up_h=since,
            count_until_h=until,
            cyclic=cycle is not None,
            name=str(values.get("id", "")),
        ),
        classes,
        since,
        until,
        cycle,
        any(source.get("process") == "all present at 0" for source in sources),
        (float(landing.get("first", 0.0)), float(landing["every"])) if landing else None,
        args,
    )


def _window(run: Fields, longer: float) -> tuple[float, float, float | None, float]:
    """Start and end of the window, cycle and horizon."""
    kind = run.choice("kind", allowed={k: k for k in ("steady", "cyclic", "terminating")}, default="steady")
    run.ignore("rule", "reps_quick", "reps_full", "trucks_per_rep", "first_sailing", "relaxation_time")
    since = float(run.get("warmup", default=0.0))
    cooldown, cycle = float(run.get("cooldown", default=0.0)), run.get("cycle")
    if kind == "terminating":
        until = float(run.need("horizon"))
        run.ignore("window")
    else:
        until = since + float(run.need("window"))
    run.done()
    cooldown = max(cooldown, COOLDOWN * (until - since)) * longer
    return since, until, None if cycle is None else float(cycle), until + cooldown


def _route_of(route: Any, name: str) -> Sequence[Any]:
    """The stops of a class: one route for all, or routes by class."""
    if not isinstance(route, Mapping):
        return list(route)
    if name not in route:
        raise Unsupported(f"route: none for {name!r}")
    return list(route[name])


def _stop(one: Any, name: str) -> tuple[str, float]:
    """An element and the probability that a truck of class `name` goes there."""
    if isinstance(one, str):
        return one, 1.0
    fields = Fields(one, "route")
    share = fields.get("probability", default=1.0)
    if isinstance(share, Mapping):
        share = share.get(name, 1.0)
    stop = str(fields.need("station", "element", "leg", "id")), float(share)
    fields.done()
    if not 0.0 <= stop[1] <= 1.0:
        raise Unsupported(f"route: a probability of {stop[1]:g}")
    return stop


def _step(stop: str, share: float, layout: Layout, place: Mapping[str, int], name: str) -> Step:
    element = layout.elements[stop]
    laws: tuple[tuple[float, Any], ...] = ()
    if stop in layout.rest:
        return Step(element=place[stop], rest=layout.rest[stop])
    if isinstance(element, (Station, Delay, LimitedLeg)):
        if stop in layout.travel:
            laws = ((0.0, layout.travel[stop]),)
        else:
            service = layout.service.get(stop)
            if isinstance(service, Mapping) and "dist" not in service:
                if name not in service:
                    raise Unsupported(f"station {stop}: no service for {name!r}")
                service = service[name]
            laws = ((0.0, law(service, f"station {stop} service")),)
    return Step(
        element=place[stop],
        laws=laws,
        draws=stop if laws else "",
        share=None if share == 1.0 else StepFunction.constant(share),
        share_draws="" if share == 1.0 else stop,
    )


def _ranked(element: Any, rank: tuple[int, ...] | None) -> Any:
    if rank is None:
        return element
    return replace(element, priority=rank) if isinstance(element, Departures) else replace(element, rank=rank)


def _enough(layout: Layout, horizon: float) -> int:
    """More trucks than the slowest station can serve by the horizon, for an endless supply."""
    rates = []
    for id, element in layout.elements.items():
        service = layout.service.get(id)
        if isinstance(element, Station) and isinstance(service, Mapping) and "dist" in service:
            rates.append(float(element.lanes.value.max()) / law(service, f"station {id} service").mean_h)
    most = horizon * min(rates, default=1.0)
    waiting: Sequence[int] = [element.yard or 0 for element in layout.elements.values() if isinstance(element, Station)]
    return math.ceil(most + 8.0 * math.sqrt(most) + sum(waiting) + 100)
