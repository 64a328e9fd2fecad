"""Which part of a plan goes exactly as in another plan: what need not be simulated twice.

Two plans on the same random numbers have the same consignments; these go the same way until
they meet the first thing that differs, or that others reach otherwise than in the base. Such an
element is *affected*, with all that comes after it. Whatever looks upstream (a full yard, an
announced wait) or couples elements (a staff pool, a queue that is reported for a whole post)
takes its group along. Where this module is in doubt, it says affected.

A mechanism by which elements depend on each other gets its line in `_Content.couplings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.plan.drivers_hours import places_of_rest
from corridor_sim.plan.elements import Delay, Element, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Span, Step, Variant


@dataclass(frozen=True, slots=True)
class SharedPart:
    """What of a plan goes as in a base plan, under the same root and replications.

    Attributes
    ----------
    flow_of
        The flow of the base with the same releases and routes, -1 where there is none.
    steps
        For each flow and each of its itineraries, how many steps at its beginning everybody comes to, takes and
        leaves as in the base; None if that holds for the whole itinerary.
    element_of
        For each element that is the same and is visited by the same at the same instants, the element of
        the base; else -1. Delays have no queue: theirs is a matter of each step.
    """

    flow_of: tuple[int, ...]
    steps: tuple[tuple[int | None, ...], ...]
    element_of: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Whether everything has to be simulated."""
        return all(number == 0 for flow in self.steps for number in flow)


def shared_part(base: Plan, plan: Plan) -> SharedPart:
    """What of `plan` goes as in `base`.

    Examples
    --------
    >>> from corridor_sim.plan.plan import Plan
    >>> empty = Plan(elements=(), flows=(), horizon_h=24.0)
    >>> shared_part(empty, empty)
    SharedPart(flow_of=(), steps=(), element_of=())
    """
    if not _same_question(base, plan):
        return nothing_shared(plan)
    return _Search(_content(_ById(base)), _Content(plan)).found()


class _ById:
    """A plan by itself: the same object is the same plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.plan is self.plan

    def __hash__(self) -> int:
        return id(self.plan)


@lru_cache(maxsize=1)
def _content(base: _ById) -> _Content:
    """The content of a base, which many plans are held against."""
    return _Content(base.plan)


def nothing_shared(plan: Plan) -> SharedPart:
    """The answer that everything is affected."""
    return SharedPart(
        (-1,) * len(plan.flows), tuple((0,) * len(flow.variants) for flow in plan.flows), (-1,) * len(plan.elements)
    )


def _same_question(base: Plan, plan: Plan) -> bool:
    """Whether hours, counted windows and clocks are the same, and numbers of consignments in the same order."""
    if any(getattr(base, name) != getattr(plan, name) for name in ("horizon_h", "warm_up_h", "start")):
        return False
    if base.counted_until_h != plan.counted_until_h or base.cyclic or plan.cyclic:
        return False
    if places_of_rest(base) or places_of_rest(plan):
        # What somebody has driven before is not handed over.
        return False
    ids = {flow.id for flow in base.flows} & {flow.id for flow in plan.flows}
    if [flow.id for flow in base.flows if flow.id in ids] != [flow.id for flow in plan.flows if flow.id in ids]:
        return False
    return all(_agree(one, other) for one, other in zip(_clocks(base), _clocks(plan), strict=True))


def _agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(other[key] == value for key, value in one.items() if key in other)


def _clocks(plan: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Local time of each post, and of each crossing: that of the first of its posts."""
    posts = {id: of.get("utc_offsets") for id, of in plan.labels.get("posts", {}).items()}
    crossings: dict[str, Any] = {}
    for id, of in plan.labels.get("posts", {}).items():
        crossings.setdefault(of.get("crossing"), posts[id])
    return posts, crossings


class _Content:
    """The content of the parts of one plan, with ids in place of numbers."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.flows = {flow.id: f for f, flow in enumerate(plan.flows)}
        self.elements = {element.id: k for k, element in enumerate(plan.elements)}
        self.pools = {pool.id: fingerprint(pool) for pool in plan.staff_pools}
        self._known: dict[str, str] = {}

    def element(self, id: str) -> Element:
        """The element of an id."""
        return self.plan.elements[self.elements[id]]

    def content(self, id: str) -> str:
        """Content of an element."""
        if id not in self._known:
            self._known[id] = fingerprint(self.element(id))
        return self._known[id]

    def spoken_of(self, id: str) -> tuple[str, ...]:
        """The flows, where an element speaks of them by their numbers."""
        element = self.element(id)
        speaks = any(getattr(element, name, None) for name in ("rank", "rank_changes", "reserved", "priority"))
        return tuple(self.flows) if speaks else ()

    def id_of(self, step: Step) -> str:
        """The element of a step."""
        return self.plan.elements[step.element].id

    def queues(self, variant: Variant, upto: int) -> set[str]:
        """Elements that an itinerary meets from a step on and at which consignments wait for each other."""
        elements = (self.plan.elements[step.element] for step in variant.steps[upto:])
        return {element.id for element in elements if not isinstance(element, Delay)}

    def couplings(self) -> dict[tuple[str, ...], set[str]]:
        """Elements that are affected together.

        Those of a staff pool, those with a gate and the queues at which it looks, those whose queue is reported as one.
        """
        groups: dict[tuple[str, ...], set[str]] = {}
        for element in self.plan.elements:
            if isinstance(element, Station) and element.staff_pool is not None:
                groups.setdefault((element.staff_pool,), set()).add(element.id)
            if isinstance(element, Station) and element.gates:
                groups["gate", element.id] = {element.id, *(id for gate in element.gates for id in gate.queues)}
            if element.post and not isinstance(element, Delay) and element.wait_component != "slot_wait":
                groups.setdefault((element.post, element.direction), set()).add(element.id)
        return groups

    def offered(self, pool: str) -> tuple[str | None, list[str]]:
        """A staff pool, and the stations in the order in which its free members are offered."""
        stations = [one.id for one in self.plan.elements if isinstance(one, Station) and one.staff_pool == pool]
        return self.pools.get(pool), stations


_SAID = attrgetter(*(column.name for column in fields(Step) if column.name != "element"))
"""What a step says but for the number of its element."""


class _Search:
    """Lowers the numbers of shared steps until nothing affected lies within them."""

    def __init__(self, base: _Content, plan: _Content) -> None:
        self.base, self.plan = base, plan
        self.flow_of = tuple(
            base.flows[flow.id]
            if flow.id in base.flows and _same_releases(base.plan.flows[base.flows[flow.id]], flow)
            else -1
            for flow in plan.plan.flows
        )
        self.upto: dict[tuple[int, int], int] = {}
        self.affected: set[str] = set()

    def found(self) -> SharedPart:
        """The answer."""
        self._begin()
        while self._lower():
            pass
        plan = self.plan.plan
        steps = tuple(
            tuple(
                None if self.upto.get((f, v), 0) > len(variant.steps) else self.upto.get((f, v), 0)
                for v, variant in enumerate(flow.variants)
            )
            for f, flow in enumerate(plan.flows)
        )
        element_of = tuple(
            -1 if element.id in self.affected or isinstance(element, Delay) else self.base.elements[element.id]
            for element in plan.elements
        )
        return SharedPart(self.flow_of, steps, element_of)

    def _pairs(self) -> Iterator[tuple[tuple[int, int], Variant, Variant]]:
        """(flow, itinerary) with the one of the base and the one of the plan, where flows go together."""
        for f, of in enumerate(self.flow_of):
            if of >= 0:
                one, other = self.base.plan.flows[of], self.plan.plan.flows[f]
                for v, (before, after) in enumerate(zip(one.variants, other.variants, strict=True)):
                    yield (f, v), before, after

    def _begin(self) -> None:
        """Elements that differ are affected, itineraries are shared as far as their steps are the same."""
        base, plan = self.base, self.plan
        for id in {*base.elements, *plan.elements}:
            if id not in base.elements or id not in plan.elements or not self._same_element(id):
                self.affected.add(id)
        for pool in {*base.pools, *plan.pools}:
            if base.offered(pool) != plan.offered(pool):
                self.affected |= {*base.offered(pool)[1], *plan.offered(pool)[1]}
        for where, before, after in self._pairs():
            pairs = zip(before.steps, after.steps, strict=False)
            differ = (k for k, (one, other) in enumerate(pairs) if not self._same(one, other))
            ends = (len(before.steps), len(after.steps))
            # One more than there are: the whole itinerary.
            self.upto[where] = next(differ, ends[0] + 1 if ends[0] == ends[1] else max(min(ends) - 1, 0))
        matched = {of for of in self.flow_of if of >= 0}
        for content, alone in (
            (base, [flow for f, flow in enumerate(base.plan.flows) if f not in matched]),
            (plan, [flow for f, flow in enumerate(plan.plan.flows) if self.flow_of[f] < 0]),
        ):
            for flow in alone:
                self.affected |= set().union(*(content.queues(variant, 0) for variant in flow.variants))

    def _same_element(self, id: str) -> bool:
        """Whether an element is the same in both, and speaks of the same flows."""
        base, plan = self.base, self.plan
        if base.spoken_of(id) != plan.spoken_of(id):
            return False
        return base.element(id) is plan.element(id) or base.content(id) == plan.content(id)

    def _same(self, one: Step, other: Step) -> bool:
        """Whether a step of the base and one of the plan lead to the same element and say the same."""
        if self.base.id_of(one) != self.plan.id_of(other):
            return False
        # Mostly they are equal, which is soon seen; what is not may still be the same content.
        if one is other:
            return True
        mine, yours = _SAID(one), _SAID(other)
        return bool(mine == yours) or fingerprint(mine) == fingerprint(yours)

    def _lower(self) -> bool:
        """One round over everything; whether something more is affected after it."""
        state = len(self.affected), dict(self.upto)
        for where, before, after in self._pairs():
            shared = after.steps[: self.upto[where]]
            met = next((k for k, step in enumerate(shared) if self.plan.id_of(step) in self.affected), self.upto[where])
            upto = min(_with_whole_spans(before.spans, after.spans, met), self._held_back(before, after))
            if self._chooses_otherwise(self.base, before, upto) or self._chooses_otherwise(self.plan, after, upto):
                # Who goes where in this flow is another matter then.
                self.upto.update({one: 0 for one in self.upto if one[0] == where[0]})
                upto = 0
            self.upto[where] = upto
            self.affected |= self.base.queues(before, upto) | self.plan.queues(after, upto)
        for content in (self.base, self.plan):
            for group in content.couplings().values():
                if group & self.affected:
                    self.affected |= group
        return state != (len(self.affected), self.upto)

    def _held_back(self, *variants: Variant) -> int:
        """Steps before the first that holds consignments because an affected place further on may be full."""
        found = [len(variants[0].steps) + 1]
        for content, variant in zip((self.base, self.plan), variants, strict=True):
            for k, step in enumerate(variant.steps):
                element = content.plan.elements[step.element]
                if element.id in self.affected and isinstance(element, Station) and element.may_be_full:
                    # The last one before it that nobody passes by.
                    found.append(max([n for n in range(k) if not variant.steps[n].may_be_skipped], default=0))
        return min(found)

    def _chooses_otherwise(self, content: _Content, variant: Variant, upto: int) -> bool:
        """Whether somebody may balk or leave a queue in another way: by an affected place, or at a step that is."""
        for k, step in enumerate(variant.steps):
            if step.patience is not None and (k >= upto or content.id_of(step) in self.affected):
                return True
            if step.balk is not None:
                asked = [variant.steps[at] for at in step.balk.stages] or [step]
                if k >= upto or any(content.id_of(one) in self.affected for one in asked):
                    return True
        return False


def _same_releases(one: FlowPlan, other: FlowPlan) -> bool:
    """Whether the consignments of two flows (given ones are the same) are released alike, to the same itineraries."""
    if one is other:
        return True
    if len(one.variants) != len(other.variants) or not _is_alike(one.arrivals, other.arrivals):
        return False
    return all(
        mine.id == yours.id and _is_alike(mine.share, yours.share)
        for mine, yours in zip(one.variants, other.variants, strict=True)
    )


def _is_alike(one: Any, other: Any) -> bool:
    """Whether two things are the same object, as plans that are made from each other have them, or of one content."""
    return one is other or fingerprint(one) == fingerprint(other)


def _key(span: Span) -> tuple[str, str, str, int]:
    return span.kind, span.id, span.direction, span.first


def _with_whole_spans(before: tuple[Span, ...], after: tuple[Span, ...], upto: int) -> int:
    """Fewer shared steps where a span does not lie alike in both itineraries.

    One that is over within the shared steps must be the same in both; one that is under way at their end must
    have begun in both, and not be over in either.
    """
    mine, yours = (
        {(span.kind, span.id, span.direction, span.first): span.last for span in spans} for spans in (before, after)
    )
    if len(mine) < len(before) or len(yours) < len(after):
        return upto if before == after else 0
    for key in {*mine, *yours}:
        if key not in mine or key not in yours:
            upto = min(upto, key[3])
        elif mine[key] != yours[key]:
            upto = min(upto, mine[key], yours[key])
    return upto
