"""What an engine runs: a scenario flattened to numbered elements and itineraries.

A Plan knows no corridor, improvement or file. It has

* **elements**: things that hold or delay consignments (`Station`, `Delay`,
  `LimitedLeg`, `Departures`, `Quota`), numbered in topological order, every change
  by date already resolved into step functions of time;
* **flows**: streams of consignments, in order of their id, each with one or
  more **variants** (itineraries), chosen by dated shares at release;
* **steps**: one element of one itinerary, with the law of its duration and the
  dated share, read when the consignment comes to it, and factors, read as the service starts.

Both engines read only a Plan and the sampled inputs. `build.py` makes Plans
from scenarios; tests and `verify.py` write them by hand.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import counted
from corridor_sim.model.initial_queues import Standing
from corridor_sim.plan.elements import Element
from corridor_sim.plan.steps import Variant


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class FlowPlan:
    """A stream of like consignments.

    `arrivals` is an object that `sampling/` can draw release instants from
    (see `model/arrivals.py`), with its rate over the horizon already resolved;
    None when the releases are given.
    """

    id: str
    variants: tuple[Variant, ...]
    arrivals: Any = None
    cargo_class: str = ""
    vehicle: str = ""
    origin: str = ""
    destination: str = ""
    direction: str = ""
    load_t: float = 0.0
    value_usd_t: float = 0.0
    vehicle_length_m: float = 0.0
    labels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def standing_h(self) -> tuple[float, ...]:
        """When those joined who wait at its first element as the run begins; () for other flows. [h]"""
        process = getattr(self.arrivals, "process", None)
        return process.times_h if isinstance(process, Standing) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStaffPool:
    """People shared by several stations: a service needs a lane and a member of the pool.

    Rule: at one instant the pool's free members go to the stations in topological
    order, at each in queue order; a member is held from start to finish (also
    while interrupted, not while blocked).
    """

    id: str
    members: StepFunction


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Plan:
    """A scenario as the engines see it. Elements in topological order, flows in order of id.

    Events later than `horizon_h` do not happen; consignments that join in
    [warm_up_h, count_until_h) are counted by per-consignment indicators
    (`count_until_h` < `horizon_h` gives a cool-down).
    """

    elements: tuple[Element, ...]
    flows: tuple[FlowPlan, ...]
    horizon_h: float
    warm_up_h: float = 0.0
    count_until_h: float | None = None
    staff_pools: tuple[PlanStaffPool, ...] = ()
    cyclic: bool = False
    name: str = ""
    start: Any = None
    """Date and time (UTC) of hour 0, or None."""
    labels: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        kinds = Counter(element.kind for element in self.elements)
        variants = sum(len(flow.variants) for flow in self.flows)
        name = textwrap.shorten(self.name, 80, placeholder="…")
        parts = [
            f"{counted(len(self.elements), 'element')} ({', '.join(f'{n} {kind}' for kind, n in kinds.most_common())})",
            f"{counted(len(self.flows), 'flow')} in {counted(variants, 'variant')}",
            f"{self.horizon_h:,g} h" + (f" from {self.start}" if self.start is not None else ""),
            f"counted from {self.warm_up_h:g} to {self.counted_until_h:g} h",
        ]
        return f"<Plan {name!r}: {', '.join(parts)}>"

    @property
    def counted_until_h(self) -> float:
        """End of the window in which joining consignments are counted. [h]"""
        return self.horizon_h if self.count_until_h is None else self.count_until_h

    def different_variants(self) -> list[Variant]:
        """The itineraries of all flows, in order of the first that has each: flows may share them."""
        return list({id(variant): variant for flow in self.flows for variant in flow.variants}.values())

    def duration_changes_h(self) -> list[tuple[float, ...]]:
        """Of each element, the instants of the run from which on a duration there may be another one, in order. [h]"""
        found: list[set[float]] = [set() for _ in self.elements]
        for variant in self.different_variants():
            for step in variant.steps:
                found[step.element].update(at for at in step.changes_h if at <= self.horizon_h)
        return [tuple(sorted(one)) for one in found]

    def element_index(self, id: str) -> int:
        """Number of the element of this id. Raises KeyError."""
        for index, element in enumerate(self.elements):
            if element.id == id:
                return index
        raise KeyError(id)
