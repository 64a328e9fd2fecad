"""Places at which a plan and a base come to the same: their rows need not be worked out twice.

What a row is worked out from are the sums of the visits and passages at its place, and what the plan says
of the elements, flows and itineraries there. Both are the same where a plan goes as in its base
(`plan/shared_part.py`). Where this module is in doubt, a place is not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from operator import attrgetter

from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.places import PlaceKey, PlanView, element_place
from corridor_sim.indicators.table import Table
from corridor_sim.indicators.taken import Taken
from corridor_sim.plan.plan import FlowPlan
from corridor_sim.plan.shared_part import SharedPart
from corridor_sim.plan.steps import Step, Variant

_OF_FLOW = attrgetter(*(column.name for column in fields(FlowPlan) if column.name not in ("variants", "arrivals")))
_OF_WAY = attrgetter(*(column.name for column in fields(Variant) if column.name not in ("steps", "share")))


def tables_together(base: Collector, others: Sequence[tuple[Collector, SharedPart]]) -> list[Table]:
    """Tables of a base and of others of the same replications, each row that is the same made once.

    `others` come with what goes in them as in the base; they let go of their reducers.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> from corridor_sim.plan.shared_part import shared_part
    >>> plan = cs.make_plan(cs.load_scenario("teaching"))
    >>> one, other = Collector(plan, [0]), Collector(plan, [0])
    >>> base, same = tables_together(one, [(other, shared_part(plan, plan))])
    >>> base.labels == same.labels
    True
    """
    rows = Taken()
    tables = [base.finish(keep=rows)]
    for collector, shared in others:
        collector.taken = replace(rows, places=same_places(base.scope, collector.scope, shared))
        tables.append(collector.finish())
        collector.release()
    return tables


def same_places(base: PlanView, plan: PlanView, shared: SharedPart) -> frozenset[PlaceKey]:
    """The places of `plan`, of any kind but the whole corridor, whose rows are those of `base`.

    Both have the same replications and the same random numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import corridor_sim as cs
    >>> from corridor_sim.indicators.places import PlanView
    >>> from corridor_sim.plan.shared_part import shared_part
    >>> plan = cs.make_plan(cs.load_scenario("teaching"))
    >>> view, shared = PlanView(plan, np.arange(2)), shared_part(plan, plan)
    >>> ("flow", plan.flows[0].id, plan.flows[0].direction) in same_places(view, view, shared)
    True
    """
    if shared.is_empty or not _same_view(base, plan):
        return frozenset()
    return frozenset(_Places(base, plan, shared).found())


def _same_view(base: PlanView, plan: PlanView) -> bool:
    """Whether what rows of all places are worked out with is the same: window, clocks, options."""
    one, other = base.plan, plan.plan
    return (
        base.options == plan.options
        and (one.horizon_h, one.start) == (other.horizon_h, other.start)
        and (base.from_h, base.until_h) == (plan.from_h, plan.until_h)
        and (base.may_block, base.longest_h) == (plan.may_block, plan.longest_h)
        and one.labels.get("posts") == other.labels.get("posts")
        and not one.cyclic
        and not other.cyclic
    )


class _Places:
    """Elements that all come to as in the base, and the places that consist of such."""

    def __init__(self, base: PlanView, plan: PlanView, shared: SharedPart) -> None:
        self.base, self.plan, self.shared = base, plan, shared
        self.of_base = {element.id: k for k, element in enumerate(base.plan.elements)}
        self.alike = [
            of >= 0 and self._same_flow(base.plan.flows[of], flow)
            for of, flow in zip(shared.flow_of, plan.plan.flows, strict=True)
        ]
        affected = self._after_the_shared_steps()
        self.same = [k not in affected and self._same_visitors(k) for k in range(len(plan.plan.elements))]

    def found(self) -> set[PlaceKey]:
        """The places."""
        plan = self.plan
        elements = {element_place(one): self.same[k] for k, one in enumerate(plan.plan.elements)}
        spans = dict(zip(plan.span_places, self._same_spans(), strict=True))
        for (post, direction), some in plan.post_elements.items():
            place = ("post", post, direction)
            spans[place] = spans.get(place, True) and self._all_same(some, self.base.post_elements.get(place[1:], ()))
        for key, some in plan.crossing_elements.items():
            place = ("crossing", *key)
            spans[place] = spans.get(place, True) and self._all_same(some, self.base.crossing_elements.get(key, ()))
        return {place for place in {*elements, *spans} if elements.get(place, True) and spans.get(place, True)}

    def _same_flow(self, base: FlowPlan, flow: FlowPlan) -> bool:
        """Whether two flows with the same releases are the same but for what their steps say."""
        return _OF_FLOW(base) == _OF_FLOW(flow) and all(
            _OF_WAY(one) == _OF_WAY(other) and self._ids(self.base, one) == self._ids(self.plan, other)
            for one, other in zip(base.variants, flow.variants, strict=True)
        )

    def _ids(self, view: PlanView, way: Variant) -> list[tuple[str, bool]]:
        """The elements on an itinerary, and whether one may balk or leave there."""
        return [(view.plan.elements[step.element].id, _may_leave(step)) for step in way.steps]

    def _after_the_shared_steps(self) -> set[int]:
        """Elements to which some come otherwise than in the base."""
        found: set[int] = set()
        for f, flow in enumerate(self.plan.plan.flows):
            for way, upto in zip(flow.variants, self.shared.steps[f], strict=True):
                if not self.alike[f]:
                    found.update(step.element for step in way.steps)
                elif upto is not None:
                    found.update(step.element for step in way.steps[upto:])
        return found

    def _same_visitors(self, element: int) -> bool:
        """Whether an element is visited by the same flows as in the base, and is the same one if it queues."""
        one = self.plan.plan.elements[element]
        of = self.of_base.get(one.id, -1)
        if of < 0 or (one.kind != "delay" and self.shared.element_of[element] != of):
            return False
        mine = [self.shared.flow_of[self.plan.cells[cell][1]] for cell in self.plan.element_cells[element]]
        return mine == [self.base.cells[cell][1] for cell in self.base.element_cells[of]]

    def _all_same(self, elements: Iterable[int], of_base: Iterable[int]) -> bool:
        """Whether some elements are all as in the base, and these in the same order."""
        some = list(elements)
        return all(self.same[k] for k in some) and self._ids_of(self.plan, some) == self._ids_of(self.base, of_base)

    def _ids_of(self, view: PlanView, elements: Iterable[int]) -> list[str]:
        return [view.plan.elements[k].id for k in elements]

    def _same_spans(self) -> list[bool]:
        """For each place of spans, whether the same pass it, and each of them within the shared steps."""
        base, plan, flow_of = self.base, self.plan, self.shared.flow_of
        at = {place: n for n, place in enumerate(base.span_places)}
        passed: list[list[int]] = [[] for _ in plan.span_places]
        of_base: list[list[int]] = [[] for _ in base.span_places]
        for n, flow in plan.span_cells:
            passed[n].append(flow_of[flow] if self.alike[flow] else -1)
        for n, flow in base.span_cells:
            of_base[n].append(flow)
        found = [
            place in at and some == of_base[at[place]] for place, some in zip(plan.span_places, passed, strict=True)
        ]
        for f, of_flow in enumerate(plan.plan.flows):
            for v, (way, upto) in enumerate(zip(of_flow.variants, self.shared.steps[f], strict=True)):
                if upto is None:
                    continue
                for n in (-1, *(n for n, span in enumerate(way.spans) if span.last >= upto)):
                    if (where := plan.span_cell(f, v, n)) is not None:
                        found[where[0]] = False
        return self._with_whole_journeys(found)

    def _with_whole_journeys(self, found: list[bool]) -> list[bool]:
        """The same, but journeys of a flow only where their elements come in the order of the base."""
        of = {flow.id: f for f, flow in enumerate(self.base.plan.flows)}
        mine = {flow.id: f for f, flow in enumerate(self.plan.plan.flows)}
        for n, (kind, id, _) in enumerate(self.plan.span_places):
            if found[n] and kind == "flow":
                found[n] = self._all_same(self.plan.flow_elements[mine[id]], self.base.flow_elements[of[id]])
        return found


def _may_leave(step: Step) -> bool:
    return step.balk is not None or step.patience is not None
