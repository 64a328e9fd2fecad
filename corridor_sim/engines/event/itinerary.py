"""What moves and where to: consignments, their visits, and the steps of their itineraries.

Whether a step is taken is decided at the instant at which the consignment comes
to it: its share, and reliefs of factor 0, are read then. How long it takes is
read when the service starts: law, factor and the other reliefs (rule D13). A
step that is not taken leaves no visit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any, Final, Protocol

from simpy import Event

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.event.clock import DatedValue, Happening
from corridor_sim.plan.plan import FlowPlan
from corridor_sim.plan.steps import KINDS_OF_REST, PatiencePlan, PlanBalk, RestPlan, Step
from corridor_sim.records.inputs import FlowInputs

NOT_YET: Final = nan


class Stop(Protocol):
    """What a step leads to, as a consignment sees it; `element.Element` is one."""

    limited: bool

    def announced_h(self, consignment: Consignment, step: StepNow, now: float, after_h: float) -> float:
        """Wait announced at `now` to one who would join `after_h` later (stations only). [h]"""

    def arrive(self, consignment: Consignment, step: StepNow, now: float) -> None:
        """Let `consignment` join at `now`."""

    def present(self, consignment: Consignment, step: StepNow, origin: Any, visit: Visit) -> None:
        """Let `consignment`, still at the element `origin`, ask for room."""

    def durations_change(self, changes_h: Sequence[float]) -> None:
        """Durations of a step here change at these instants."""


class ReliefNow:
    """One relief of a step."""

    __slots__ = ("factor", "share", "uniform")

    def __init__(self, share: DatedValue, factor: float, uniform: Sequence[float]) -> None:
        self.share, self.factor, self.uniform = share, factor, uniform


class StepNow:
    """One step of an itinerary in one replication, with the draws of all its consignments."""

    __slots__ = (
        "_duration_h", "_factor", "_from_h", "_laws", "_needed", "_only_h", "_reliefs", "_share", "_uniform", "always",
        "balk", "changes_h", "element", "opposite", "order", "patience", "patience_h", "rest", "stands",
    )  # fmt: skip

    def __init__(
        self, step: Step, element: Stop, draws: FlowDraws, start_h: float, order: tuple[int, int, int] = (0, 0, 0)
    ) -> None:
        self.order = order
        """Flow, itinerary and number there."""
        self.element = element
        self.balk: PlanBalk | None = step.balk
        self.patience: PatiencePlan | None = step.patience
        self.patience_h = draws.patience(step.patience) if step.patience is not None else ()
        """How long each consignment waits here at most. [h]"""
        self.opposite = step.opposite
        """Whether it passes a single track in the second direction."""
        self.rest: RestPlan | None = step.rest
        self.stands = False
        """Whether who waits here rests before he drives, and no other wait is a rest (rule S36)."""
        self._from_h = [from_h for from_h, _ in step.laws]
        self._laws = step.laws
        self._duration_h = draws.durations(step)
        self._factor = DatedValue(step.factor, start_h) if step.factor is not None else None
        self._share = DatedValue(step.share, start_h) if step.share is not None else None
        self._uniform: Sequence[float] = draws.uniform(step.share_draws) if step.share is not None else ()
        needed = step.needed_share
        self._needed = DatedValue(needed, start_h) if needed is not None else None
        self._reliefs = [
            ReliefNow(DatedValue(r.share, start_h), r.factor, draws.uniform(r.draws)) for r in step.reliefs
        ]
        self.always = self._share is None and all(relief.factor != 0 for relief in self._reliefs)
        plain = len(self._duration_h) == 1 and self._factor is None and not self._reliefs
        self._only_h = self._duration_h[0] if plain else None
        self.changes_h = step.changes_h
        """Instants from which on a duration may be another one, in order; empty if it is always the same."""

    def taken(self, index: int, now: float) -> bool:
        """Whether consignment `index` takes the step if it comes to it at `now`."""
        if self._share is not None and self._uniform[index] >= self._share.at(now):
            return False
        return not any(r.factor == 0 and r.uniform[index] < r.share.at(now) for r in self._reliefs)

    def duration(self, index: int, now: float) -> float:
        """Duration of consignment `index` if its service starts at `now`, on the clock grid. [h]"""
        if self._only_h is not None:
            return self._only_h[index]
        if not self._duration_h:
            return 0.0
        drawn_h = duration_h = self._duration_h[self._law(now)][index]
        if self._factor is not None:
            duration_h *= self._factor.at(now)
        for relief in self._reliefs:
            if relief.factor and relief.uniform[index] < relief.share.at(now):
                duration_h *= relief.factor
        return drawn_h if duration_h == drawn_h else round(duration_h * GRID_PER_H) / GRID_PER_H

    def mean_h(self, now: float) -> float:
        """Mean duration planned for those who take the step, with the law, factor and reliefs in force. [h]"""
        if not self._laws:
            return 0.0
        mean_h = float(self._laws[self._law(now)][1].mean_h)
        if self._factor is not None:
            mean_h *= self._factor.at(now)
        for relief in self._reliefs:
            if relief.factor != 0:
                mean_h *= 1 - relief.share.at(now) * (1 - relief.factor)
        return mean_h

    def need(self, now: float) -> float:
        """Share of the flow's consignments that take the step if they come to it at `now`."""
        share = 1.0 if self._needed is None else self._needed.at(now)
        for relief in self._reliefs:
            if relief.factor == 0 and relief.uniform is not self._uniform:
                share *= 1 - relief.share.at(now)
        return share

    def _law(self, now: float) -> int:
        """Number of the law in force."""
        law = len(self._from_h) - 1
        while law > 0 and self._from_h[law] > now:
            law -= 1
        return max(law, 0)


class FlowDraws:
    """The draws of one flow in one replication as plain lists, each made once."""

    __slots__ = ("_durations", "_flow", "_inputs", "_uniforms")

    def __init__(self, flow: FlowPlan, inputs: FlowInputs) -> None:
        self._flow, self._inputs = flow, inputs
        self._durations: dict[str, list[list[float]]] = {}
        self._uniforms: dict[str, list[float]] = {}

    def durations(self, step: Step) -> list[list[float]]:
        """One list a law of the step; none where the step has no duration of its own."""
        name = step.draws
        if name not in self._durations:
            arrays = self._inputs.duration_h.get(name, ())
            self._durations[name] = [array[0].tolist() for array in arrays]
        found = self._durations[name]
        if len(step.laws) > max(len(found), 1) or (step.laws and not found):
            raise SimulationError(
                f"flow {self._flow.id}: {len(step.laws)} laws but {len(found)} arrays of durations for {name!r}"
            )
        return found

    def patience(self, terms: PatiencePlan) -> Sequence[float]:
        """How long each consignment waits at most. [h]"""
        if terms.draws not in self._inputs.duration_h:
            raise SimulationError(f"flow {self._flow.id}: no patience was drawn for {terms.draws!r}")
        found: list[float] = self._inputs.duration_h[terms.draws][0][0].tolist()
        return found

    def uniform(self, name: str) -> list[float]:
        """Uniforms of a share or relief."""
        if name not in self._uniforms:
            if name not in self._inputs.uniform:
                raise SimulationError(f"flow {self._flow.id}: no uniforms were drawn for {name!r}")
            self._uniforms[name] = self._inputs.uniform[name][0].tolist()
        return self._uniforms[name]


class FlowNow:
    """One flow in one replication: its itineraries and what happened to its consignments."""

    __slots__ = ("depart_h", "id", "index", "itineraries", "number", "release_h", "variant")

    def __init__(
        self, index: int, plan: FlowPlan, inputs: FlowInputs, elements: Sequence[Stop], start_h: float
    ) -> None:
        self.index, self.id = index, plan.id
        self.release_h: list[float] = inputs.release_h[0].tolist()
        self.variant: list[int] = inputs.variant[0].tolist()
        self.number: list[int] = inputs.number[0].tolist()
        self.depart_h = [NOT_YET] * len(self.release_h)
        draws = FlowDraws(plan, inputs)
        self.itineraries: list[list[StepNow]] = [
            [
                StepNow(step, elements[step.element], draws, start_h, (index, v, k))
                for k, step in enumerate(variant.steps)
            ]
            for v, variant in enumerate(plan.variants)
        ]
        for steps in self.itineraries:
            for k, step in enumerate(steps):
                if step.rest is not None and step.rest.after > 1 and not step.rest.waiting_is_rest:
                    steps[k - step.rest.after].stands = True


class Driver:
    """What the driver of a consignment has driven since each kind of rest, and since when he stands (rule S36)."""

    __slots__ = ("driven_h", "stands_from_h")

    def __init__(self) -> None:
        self.driven_h = [0.0] * KINDS_OF_REST
        self.stands_from_h = -inf


class Consignment:
    """One consignment under way.

    `ready_h` settles ties at the next element when a boat lands its load in
    boarding order; None elsewhere.
    """

    __slots__ = ("asked", "balked_h", "balks", "driver", "flow", "index", "number", "ready_h", "step", "steps")

    def __init__(self, flow: FlowNow, index: int) -> None:
        self.flow, self.index, self.number = flow, index, flow.number[index]
        self.steps = flow.itineraries[flow.variant[index]]
        self.step = -1
        self.ready_h: float | None = None
        self.balked_h, self.balks = NOT_YET, 0
        self.asked = -1
        """Step of this itinerary at which it last weighed whether to balk."""
        self.driver: Driver | None = None
        """What its driver has driven, once that counts."""

    def __str__(self) -> str:
        return f"{self.flow.id}[{self.index}]"

    def next_step(self, now: float) -> StepNow | None:
        """Go on to the next step that is taken at `now`; None at the end of the itinerary."""
        steps = self.steps
        k = self.step + 1
        end = len(steps)
        while k < end:
            step = steps[k]
            if step.always or step.taken(self.index, now):
                self.step = k
                return step
            k += 1
        self.step = end
        return None

    def leave_for(self, terms: PatiencePlan) -> None:
        """Take the itinerary of those who have left the queue of the present step (rule S34)."""
        flow = self.flow
        flow.variant[self.index] = terms.variant
        self.steps = flow.itineraries[terms.variant]
        self.step = terms.at_step - 1
        self.asked = -1

    def switch(self, balk: PlanBalk, now: float) -> None:
        """Take another itinerary instead of the present step.

        Raises
        ------
        SimulationError
            If the consignment has now balked more often in one instant than its
            flow has steps: it moves in a cycle and time does not advance.
        """
        flow = self.flow
        self.balks = self.balks + 1 if self.balked_h == now else 1
        self.balked_h = now
        if self.balks > sum(len(steps) for steps in flow.itineraries):
            raise SimulationError(f"no progress at t = {now:g} h: {self} balks from one itinerary to the next for ever")
        flow.variant[self.index] = balk.variant
        self.steps = flow.itineraries[balk.variant]
        self.step = balk.at_step - 1
        self.asked = -1


class Visit(Happening):
    """One visit of one consignment to one element; it is also the event of its own end.

    `service_h` is read at joining, and again as the service starts; who never starts keeps the first.
    """

    __slots__ = ("consignment", "finish_h", "join_h", "leave_h", "ready_h", "service_h", "start_h", "step")

    def __init__(
        self, consignment: Consignment, now: float, service_h: float, callbacks: list[Callable[[Event], None]]
    ) -> None:
        self.callbacks = callbacks
        self.consignment = consignment
        self.step = consignment.step
        self.join_h = now
        self.service_h = service_h
        self.start_h = self.finish_h = self.leave_h = NOT_YET
        ready_h = consignment.ready_h
        if ready_h is None:
            self.ready_h = now
        else:
            self.ready_h, consignment.ready_h = ready_h, None


def service_from(visit: Visit, now: float) -> float:
    """Duration of a visit that starts at `now` (rule D13). [h]"""
    consignment = visit.consignment
    step = consignment.steps[visit.step]
    return step.duration(consignment.index, now) if step.changes_h else visit.service_h


def by_turn(visit: Visit) -> tuple[float, float, int]:
    """Queue order without classes (rule S04): joining time, then readiness at a landing, then number."""
    return visit.join_h, visit.ready_h, visit.consignment.number
