"""Small plans by hand for the tests of the event engine: trucks in, times out, in the order given."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines.event import simulate
from corridor_sim.plan.elements import Departures, Element, PlanOutage, Station
from corridor_sim.plan.plan import FlowPlan, Plan, PlanStaffPool
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.records.inputs import FlowInputs, SampledInputs
from corridor_sim.records.visits import Records

LAWS = ((0.0, None),)


@dataclass(frozen=True)
class Truck:
    """One consignment: release, duration at each element (or one a law), uniforms by name."""

    release: float
    take: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    flow: int = 0
    variant: int = 0
    uniform: Mapping[str, float] = field(default_factory=dict)
    number: int | None = None


def station(id="A", lanes=1, **rest):
    """A station; `lanes` is a number or pairs (from, lanes)."""
    return Station(id=id, lanes=dated(lanes), **rest)


def dated(value):
    """A step function from a number or from pairs (from, value)."""
    if isinstance(value, StepFunction):
        return value
    if isinstance(value, (int, float)):
        return StepFunction.constant(value)
    return StepFunction([at for at, _ in value], [v for _, v in value])


def ferry(id="F", sailings=(), places=100, crossing=None, **rest):
    """A timetable; a crossing > 0 is given to `play` by the name of the element."""
    many = list(places) if isinstance(places, Sequence) else [places] * len(sailings)
    return Departures(
        id=id,
        depart_h=np.array(sailings, dtype=float),
        places=np.array(many, dtype=np.int64),
        crossing=None if crossing is None else "given",
        **rest,
    )


def a(release, *durations, flow=0, **rest):
    """A truck whose durations are for the elements A, B, C, ... in order."""
    return Truck(release, dict(zip("ABCDEFGH", durations, strict=False)), flow, **rest)


class Outcome:
    """Records of one replication, read truck by truck in the order in which they were given."""

    def __init__(self, records: Records, cells: Sequence[tuple[int, int]]):
        self.records, self.cells = records, cells

    def column(self, name: str, id: str, step: int | None = None) -> list[float | None]:
        """One column of an element's visits; None where there is no visit, or nothing happened by the horizon."""
        visits = self.records.elements[self.records.plan.element_index(id)]
        found = {}
        for k in range(visits.flow.shape[1]):
            if step is None or visits.step[0, k] == step:
                value = float(getattr(visits, name)[0, k])
                found[int(visits.flow[0, k]), int(visits.index[0, k])] = None if value != value else value
        return [found.get(cell) for cell in self.cells]

    def join(self, id, **which):
        return self.column("join_h", id, **which)

    def start(self, id, **which):
        return self.column("start_h", id, **which)

    def finish(self, id, **which):
        return self.column("finish_h", id, **which)

    def leave(self, id, **which):
        return self.column("leave_h", id, **which)

    def service(self, id, **which):
        return self.column("service_h", id, **which)

    @property
    def depart(self) -> list[float | None]:
        values = [float(self.records.journeys[f].depart_h[0, k]) for f, k in self.cells]
        return [None if value != value else value for value in values]

    @property
    def variant(self) -> list[int]:
        return [int(self.records.journeys[f].variant[0, k]) for f, k in self.cells]


def make(
    elements: Sequence[Element],
    trucks: Sequence[Truck],
    *,
    variants: Mapping[int, Sequence[Sequence[Step]]] | None = None,
    horizon_h: float = 1e6,
    outages: Mapping[str, Sequence[PlanOutage]] | None = None,
    crossing: Mapping[str, float | Sequence[float]] | None = None,
    cancelled: Mapping[str, Sequence[bool]] | None = None,
    staff_pools: Sequence[PlanStaffPool] = (),
):
    """Plan, inputs, and the (flow, index) of each truck. By default every flow visits all elements in order."""
    ids = [element.id for element in elements]
    count = max((truck.flow for truck in trucks), default=0) + 1
    everything = tuple(Step(element=k, laws=LAWS, draws=id) for k, id in enumerate(ids))
    flows, inputs = [], []
    cells: list[tuple[int, int]] = [(0, 0)] * len(trucks)
    for f in range(count):
        routes = (variants or {}).get(f, (everything,))
        flows.append(
            FlowPlan(id=f"f{f}", variants=tuple(Variant(id=f"v{k}", steps=tuple(r)) for k, r in enumerate(routes)))
        )
        mine = sorted((t for t, truck in enumerate(trucks) if truck.flow == f), key=lambda t: (trucks[t].release, t))
        for index, t in enumerate(mine):
            cells[t] = (f, index)
        durations = {}
        names = {step.draws for route in routes for step in route if step.draws}
        names |= {step.patience.draws for route in routes for step in route if step.patience}
        for id in names:
            taken = [trucks[t].take.get(id, 0.0) for t in mine]
            rows = [value if isinstance(value, tuple) else (value,) for value in taken]
            laws = max((len(row) for row in rows), default=1)
            durations[id] = tuple(np.array([[row[min(law, len(row) - 1)] for row in rows]]) for law in range(laws))
        names = {name for t in mine for name in trucks[t].uniform}
        inputs.append(
            FlowInputs(
                np.array([[trucks[t].release for t in mine]], dtype=float),
                np.array([[trucks[t].variant for t in mine]], dtype=np.int64),
                np.array([[t if trucks[t].number is None else trucks[t].number for t in mine]], dtype=np.int64),
                durations,
                {name: np.array([[trucks[t].uniform[name] for t in mine]]) for name in names},
            )
        )
    number = {id: k for k, id in enumerate(ids)}
    crossings = {
        number[id]: np.array([value if isinstance(value, Sequence) else [value] * 500], dtype=float)
        for id, value in (crossing or {}).items()
    }
    plan = Plan(elements=tuple(elements), flows=tuple(flows), horizon_h=horizon_h, staff_pools=tuple(staff_pools))
    drawn = SampledInputs(
        np.array([0]),
        tuple(inputs),
        {number[id]: (tuple(rows),) for id, rows in (outages or {}).items()},
        crossings,
        {number[id]: np.array([row]) for id, row in (cancelled or {}).items()},
    )
    return plan, drawn, cells


def play(elements, trucks, **rest) -> Outcome:
    """Run one replication of a plan by hand."""
    plan, drawn, cells = make(elements, trucks, **rest)
    return Outcome(simulate(plan, drawn), cells)


def to(*elements, **rest):
    """A route through elements by number, each with the draws of its letter A, B, C, ..."""
    return tuple(Step(element=k, laws=LAWS, draws="ABCDEFGH"[k], **rest) for k in elements)


def change(element, **rest):
    """The same element with something replaced."""
    return dataclasses.replace(element, **rest)
