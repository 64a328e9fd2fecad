"""A trace by hand that begins with a scenario: calendars, bookings and shares are read from its words.

The scenario stands under ``scenario`` as in a file, and the clock counts hours. Trucks are its consignments
by flow and index, released by lists of hours. What chance there is, is given: a trace may not be drawn.

* ``given.uniform``: by flow and name of the draw, one number a consignment (rule S20);
* ``given.lost``: by booked slots, the instants of the places whose holder does not come (rule S29), an
  instant twice for two places.

A law of service must be one number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.units import FloatArray, grid_point
from corridor_sim.model.arrivals import Trace
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.elements import Departures, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.records.inputs import FlowInputs, SampledInputs
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.verify.fields import Fields, Unsupported, readable
from corridor_sim.verify.trace_plans import TracePlan, Truck

SEED = 0
"""Of draws that are all replaced by what is given."""


def build_scenario_trace(values: Mapping[str, Any]) -> TracePlan:
    """Plan and inputs of a trace with a scenario.

    Raises
    ------
    Unsupported
        For fields that are not known, a scenario that is refused, and chance that is not given.
    """
    name = str(values.get("id"))
    with readable(f"trace {name}"):
        fields = Fields(values, name)
        fields.ignore("id", "title", "feature", "expected", "semantics", "why", "kpi", "note", "source")
        described, given = fields.need("scenario"), fields.get("given", default={})
        fields.done()
        chances = Fields(given, f"{name}: given")
        uniform, lost = chances.get("uniform", default={}), chances.get("lost", default={})
        chances.done()
        try:
            scenario = Scenario.model_validate(described)
            plan = make_plan(scenario)
            drawn = Sampler(plan, SEED).sample([0])
        except ScenarioError as error:
            raise Unsupported(*(str(problem) for problem in error.problems)) from error
        _refuse_laws(scenario, plan)
        inputs = SampledInputs(
            drawn.replications,
            _uniforms(plan, drawn, dict(uniform)),
            {},
            drawn.crossing_h,
            _lost_places(plan, dict(lost)),
        )
    cells = [(f, j) for f, flow in enumerate(inputs.flows) for j in range(int(flow.count[0]))]
    trucks = [Truck(k, float(inputs.flows[f].release_h[0, j]), -1, (), (), 0) for k, (f, j) in enumerate(cells)]
    return TracePlan(plan, inputs, tuple(trucks), tuple(cells))


def _refuse_laws(scenario: Scenario, plan: Plan) -> None:
    """Name what is left to chance and cannot be given."""
    found = [
        f"flow {id}: releases that are not a list of hours"
        for id, flow in scenario.flows.items()
        if not isinstance(flow.arrivals, Trace)
    ]
    steps = [step for flow in plan.flows for variant in flow.variants for step in variant.steps]
    laws = {(plan.elements[step.element].id, law) for step in steps for _, law in step.laws}
    found += [f"{id}: a random law" for id, law in laws if not isinstance(law, Deterministic)]
    found += [f"{flow.id}: several ways" for flow in plan.flows if len(flow.variants) > 1]
    for element in plan.elements:
        if isinstance(element, Station) and element.breakdown is not None:
            found.append(f"{element.id}: drawn breakdowns")
        if isinstance(element, Departures) and element.crossing is not None:
            found.append(f"{element.id}: a drawn crossing")
    if found:
        raise Unsupported(*sorted(found))


def _uniforms(plan: Plan, drawn: SampledInputs, given: dict[str, Any]) -> tuple[FlowInputs, ...]:
    """The draws of the flows with the uniforms that are given; each that is used must be."""
    flows, strange = [], []
    for flow, inputs in zip(plan.flows, drawn.flows, strict=True):
        mine: dict[str, Sequence[float]] = dict(given.pop(flow.id, {}))
        uniform: dict[str, FloatArray] = {}
        for name in sorted(_names(flow)):
            if name not in mine:
                strange.append(f"given: no uniform {name!r} of flow {flow.id!r}")
                continue
            numbers = np.array([mine.pop(name)], dtype=float)
            if numbers.shape != inputs.release_h.shape or not ((numbers >= 0) & (numbers < 1)).all():
                strange.append(f"given: uniform {name!r} of flow {flow.id!r} must be one of [0, 1) a consignment")
            uniform[name] = numbers
        strange += [f"given: flow {flow.id!r} does not use a uniform {name!r}" for name in mine]
        flows.append(replace(inputs, uniform=uniform))
    strange += [f"given: no flow {id!r}" for id in given]
    if strange:
        raise Unsupported(*strange)
    return tuple(flows)


def _names(flow: FlowPlan) -> set[str]:
    """Names of the uniforms that a flow uses."""
    steps = [step for variant in flow.variants for step in variant.steps]
    return {name for step in steps for name in (step.share_draws, *(one.draws for one in step.reliefs)) if name}


def _lost_places(plan: Plan, given: dict[str, Any]) -> dict[int, NDArray[np.bool_]]:
    """Places whose holder does not come, by element."""
    found: dict[int, NDArray[np.bool_]] = {}
    for k, element in enumerate(plan.elements):
        if not isinstance(element, Departures) or element.cancel <= 0:
            continue
        if element.id not in given:
            raise Unsupported(f"given: which places of {element.id!r} are lost")
        row = np.zeros(len(element.depart_h), dtype=np.bool_)
        for instant in given.pop(element.id):
            there = np.flatnonzero((element.depart_h == grid_point(float(instant))) & ~row)
            if not there.size:
                raise Unsupported(f"given: {element.id!r} has no place to be lost at {instant!r}")
            row[there[0]] = True
        found[k] = row[None, :]
    if given:
        raise Unsupported(*(f"given: nothing is lost at {id!r}" for id in given))
    return found
