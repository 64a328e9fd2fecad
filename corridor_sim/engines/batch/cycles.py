"""Itineraries that form cycles (lanes shared by both directions), by sweeps to a fixed point.

Each sweep works every element out with the joinings that the sweep before, and the
elements before it in this sweep, have found. Positive services make every sweep
extend the time up to which all is right, so the sweeps end; when one changes nothing,
the answer is exact.
"""

from __future__ import annotations

import numpy as np

from corridor_sim.core.errors import EngineRefusal, SimulationError
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.merging import merge
from corridor_sim.engines.batch.reading import served as as_read
from corridor_sim.engines.batch.refusals import skippable
from corridor_sim.engines.batch.servers import server_for
from corridor_sim.engines.batch.tables import records_of, table_of
from corridor_sim.engines.batch.under_way import Cohort, DrawnBlock, JoiningCohort, duration_at, taken_at
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan.elements import Delay, Station
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import ElementVisits, Records

MOST_SWEEPS = 500
"""Sweeps after which the plan is left to the event engine."""


class _Itinerary:
    """Those of one block that have one itinerary, with the joining and leaving of every step."""

    def __init__(self, block: DrawnBlock, variant: int, cells: IntArray) -> None:
        self.block, self.variant, self.cells = block, variant, cells
        self.steps = block.plan.variants[variant].steps
        release = block.release_h[cells]
        # First guess: no waiting.
        self.leave_h: list[FloatArray] = []
        at = release
        for step in self.steps:
            duration = duration_at(block, step, self.cells, at) if step.laws or step.draws else 0.0
            at = at + duration
            self.leave_h.append(at)
        self.release_h = release
        self.join_h: list[FloatArray] = [np.full(release.shape, np.inf) for _ in self.steps]

    def comes_h(self, step: int) -> FloatArray:
        """When each one comes to a step."""
        return self.release_h if step == 0 else self.leave_h[step - 1]


def simulate_cycles(plan: Plan, inputs: SampledInputs) -> Records:
    """Every visit of every consignment of a plan with cycles; the event engine's bits at convergence.

    Raises
    ------
    EngineRefusal
        If the sweeps do not come to an end.
    SimulationError
        For a service of no length at a station of a cycle.
    """
    rows = len(inputs.replications)
    itineraries: list[_Itinerary] = []
    for f, drawn in enumerate(inputs.flows):
        index = np.broadcast_to(np.arange(drawn.release_h.shape[1], dtype=np.int64), drawn.release_h.shape)
        block = DrawnBlock.of(f, plan.flows[f], 0, drawn, index, index.size)
        itineraries += [
            _Itinerary(block, v, np.flatnonzero(drawn.variant.ravel() == v)) for v in range(len(plan.flows[f].variants))
        ]
    until_h = np.nextafter(plan.horizon_h, np.inf)
    cyclic, back, changes_h = in_cycle(plan), goes_back(plan), plan.duration_changes_h()
    for _ in range(MOST_SWEEPS):
        changed = False
        visits: list[ElementVisits | None] = []
        for number in range(len(plan.elements)):
            table, moved = _sweep(
                plan, number, inputs, itineraries, rows, until_h, changes_h[number], cyclic[number], back
            )
            visits.append(table)
            changed |= moved
        if not changed:
            break
    else:
        raise EngineRefusal("batch", [f"cycles of elements that {MOST_SWEEPS} sweeps do not settle"])
    departs = [np.full(drawn.release_h.shape, np.nan) for drawn in inputs.flows]
    for one in itineraries:
        end = one.comes_h(len(one.steps))
        departs[one.block.flow].ravel()[one.cells] = np.where(end <= plan.horizon_h, end, np.nan)
    return records_of(plan, inputs, {k: table for k, table in enumerate(visits) if table is not None}, departs)


def _sweep(
    plan: Plan,
    number: int,
    inputs: SampledInputs,
    itineraries: list[_Itinerary],
    rows: int,
    until_h: float,
    changes_h: tuple[float, ...],
    cyclic: bool,
    back: frozenset[int],
) -> tuple[ElementVisits | None, bool]:
    """One element with the joinings known so far: its table, and whether any consignment leaves at another time."""
    parts, owners, changed = [], [], False
    for one in itineraries:
        for s, step in enumerate(one.steps):
            if step.element != number:
                continue
            comes = one.comes_h(s)
            here = comes < until_h
            leave = np.where(here, comes, np.inf)
            cells, join = one.cells[here], comes[here]
            taken = taken_at(one.block, step, cells, join)
            inside = np.flatnonzero(here)
            if taken is not None:
                cells, join, inside = cells[taken], join[taken], inside[taken]
            if not len(cells):
                changed |= not np.array_equal(one.leave_h[s], leave)
                one.leave_h[s] = leave
                continue
            service = duration_at(one.block, step, cells, join)
            parts.append(JoiningCohort(Cohort(one.block, one.variant, s, cells, join), None, cells, join, service))
            owners.append((one, s, leave, inside))
    if not parts:
        return None, changed
    joining = merge(parts, rows, by_number=True)
    server = server_for(plan, number, inputs)
    served = as_read(server, joining, changes_h, plan.horizon_h, until_h, last=True)
    for (one, s, leave, inside), out in zip(owners, joining.by_part(joining.flat(served.leave_h)), strict=True):
        leave[inside] = out
        changed |= not np.array_equal(one.leave_h[s], leave)
        one.leave_h[s] = leave
    element = plan.elements[number]
    if (
        cyclic
        and isinstance(element, Station)
        and not changed
        and ((served.service_h == 0) & (served.start_h < until_h)).any()
    ):
        raise SimulationError(
            f"{element.id}: a service takes no time, and the station lies on a cycle of stations; "
            "the order within one instant would not be defined"
        )
    if number in back and not changed and ((served.leave_h == served.start_h) & (served.start_h < until_h)).any():
        raise SimulationError(
            f"{element.id}: a stay takes no time, and an itinerary goes back from there; what stands before it may "
            'have acted at that instant already. Take engine="event"'
        )
    times = (joining.join_h, served.start_h, served.finish_h, served.leave_h, served.service_h)
    return table_of(joining, times, plan.horizon_h), changed


def goes_back(plan: Plan) -> frozenset[int]:
    """Elements, delays apart, from where an itinerary goes on to one that does not stand after them in the plan."""
    found = set()
    for flow in plan.flows:
        for variant in flow.variants:
            for k, step in enumerate(variant.steps):
                for later in variant.steps[k + 1 :]:
                    if later.element <= step.element and not isinstance(plan.elements[step.element], Delay):
                        found.add(step.element)
                    if not skippable(later):
                        break
    return frozenset(found)


def in_cycle(plan: Plan) -> list[bool]:
    """Which elements can be come back to."""
    count = len(plan.elements)
    reach = np.zeros((count, count), dtype=bool)
    for flow in plan.flows:
        for variant in flow.variants:
            for k, step in enumerate(variant.steps):
                for later in variant.steps[k + 1 :]:
                    reach[step.element, later.element] = True
                    if not skippable(later):
                        break
    for k in range(count):
        reach |= reach[:, k : k + 1] & reach[k]
    return [bool(value) for value in np.diag(reach)]
