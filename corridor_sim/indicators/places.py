"""The plan as indicators see it: places, counted window, local days, and what a planner may choose.

To add a choice of the planner, add a field to `Options`; it is stored with the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.local_time import OffsetPieces, offset_at
from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.plan.elements import Element
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import Span, Variant
from corridor_sim.records.visits import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a planner may choose about the indicators; all of it is stored with the results.

    Attributes
    ----------
    targets_h
        Times within which a post should clear a consignment (level of service). [h]
    delay_baseline
        What truck-hours of delay are counted against: ``"unqueued"`` (waits, blocking,
        interruptions), ``"free_flow"`` or ``"low_volume"`` (see `delay.py`).
    saturation_limit
        Load over capacity from which a post has no headroom.
    vehicle_gap_m
        Gap between vehicles in a queue, assumed. [m]
    tfi3_km, tfi3_t
        Section length and load that the cost of travel is scaled to (CAREC CPMM).
    idling_co2_kg_h
        Emission of a waiting truck with its engine on; None leaves idling out. [kg/h]
    fees_usd
        Payments of one consignment by crossing, for TFI2. [US$]
    period_days
        Length of the periods of rows by day; None is 1 up to 92 days, else 7.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Options().saturation_limit
    0.9
    """

    targets_h: tuple[float, ...] = (2.0, 6.0, 24.0)
    delay_baseline: str = "unqueued"
    saturation_limit: float = 0.9
    vehicle_gap_m: float = 3.0
    tfi3_km: float = 500.0
    tfi3_t: float = 20.0
    idling_co2_kg_h: float | None = None
    fees_usd: Mapping[str, float] = field(default_factory=dict)
    period_days: int | None = None

    def __post_init__(self) -> None:
        def kept(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        arguments.one_of("delay_baseline", self.delay_baseline, ("unqueued", "free_flow", "low_volume"))
        if isinstance(self.targets_h, (str, bytes)) or not isinstance(self.targets_h, Iterable):
            raise ArgumentError(f"targets_h must be a list of hours > 0, got {self.targets_h!r}")
        kept("targets_h", tuple(arguments.number("targets_h", target, above=0) for target in self.targets_h))
        kept("saturation_limit", arguments.number("saturation_limit", self.saturation_limit, most=10, above=0))
        kept("vehicle_gap_m", arguments.number("vehicle_gap_m", self.vehicle_gap_m, 0))
        for name in ("tfi3_km", "tfi3_t"):
            kept(name, arguments.number(name, getattr(self, name), above=0))
        if self.idling_co2_kg_h is not None:
            kept("idling_co2_kg_h", arguments.number("idling_co2_kg_h", self.idling_co2_kg_h, 0))
        arguments.instance("fees_usd", self.fees_usd, Mapping, "a table of US$ by crossing")
        fees = {str(key): arguments.number(f"fees_usd[{key!r}]", fee, 0) for key, fee in self.fees_usd.items()}
        kept("fees_usd", fees)
        if self.period_days is not None:
            kept("period_days", arguments.whole("period_days", self.period_days, 1))


PlaceKey = tuple[str, str, str]
"""(kind, id, direction) of a place."""


@dataclass(frozen=True)
class PlanView:
    """The plan as the reducers see it: places, window, local days."""

    plan: Plan
    replications: IntArray
    options: Options = field(default_factory=Options)

    @property
    def from_h(self) -> float:
        """Start of the counted window. [h]"""
        return self.plan.warm_up_h

    @property
    def counts_from_h(self) -> float:
        """Who joins from then on counts: those too who wait as the run begins, if the window begins with it. [h]"""
        return self.from_h if self.from_h > 0 else -np.inf

    @cached_property
    def left_early(self) -> frozenset[int]:
        """Elements whose queue somebody may leave without a service (rule S34)."""
        steps = (step for variant in self.plan.different_variants() for step in variant.steps)
        return frozenset(step.element for step in steps if step.patience is not None)

    def standing(self, element: int) -> int:
        """How many wait at an element as the run begins."""
        return self._standing.get(element, 0)

    @cached_property
    def _standing(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for flow in self.plan.flows:
            if number := sum(at_h < 0 for at_h in flow.standing_h):
                first = flow.variants[0].steps[0].element
                found[first] = found.get(first, 0) + number
        return found

    @cached_property
    def longest_h(self) -> float:
        """No time in the run is longer: its length, and how long the first has waited as it begins. [h]"""
        return self.plan.horizon_h - min((at_h for flow in self.plan.flows for at_h in flow.standing_h), default=0.0)

    @property
    def until_h(self) -> float:
        """End of the counted window. [h]"""
        return self.plan.counted_until_h

    @property
    def window_h(self) -> float:
        """Length of the counted window. [h]"""
        return self.until_h - self.from_h

    @property
    def window_days(self) -> float:
        """Length of the counted window. [days]"""
        return self.window_h / H_PER_DAY

    def utc_offsets(self, post: str = "") -> OffsetPieces:
        """Local time less UTC at a post, from the labels of the plan; 0 where it has none. [h]"""
        pieces: OffsetPieces = self.plan.labels.get("posts", {}).get(post, {}).get("utc_offsets", ((0.0, 0.0),))
        return pieces

    def utc_offset_h(self, post: str = "", time_h: float = 0.0) -> float:
        """Local time less UTC at a post at an hour of the run. [h]"""
        return offset_at(self.utc_offsets(post), time_h)

    def clock(self, post: str = "") -> PostClock:
        """The local clock of a post, from local midnight of the day in which the run begins."""
        if post not in self._clocks:
            start = self.plan.start
            hour = start.hour + start.minute / 60 + start.second / 3600 if isinstance(start, datetime) else 0.0
            day_h = H_PER_DAY * ((hour + self.utc_offset_h(post)) // H_PER_DAY)
            begun = [k for k, (from_h, _) in enumerate(self.utc_offsets(post)) if k == 0 or from_h <= 0]
            kept = [piece for piece in self.utc_offsets(post)[begun[-1] :] if piece[0] < self.plan.horizon_h]
            self._clocks[post] = PostClock(tuple((from_h, hour + offset - day_h) for from_h, offset in kept))
        return self._clocks[post]

    @cached_property
    def _clocks(self) -> dict[str, PostClock]:
        return {}

    def clock_h(self, post: str = "") -> float:
        """Local hour of the day at hour 0 of the run, in [0, 24)."""
        return float(self.clock(post).shown_h(0.0))

    def first_date(self, post: str = "") -> date | None:
        """Local date of day 0, None if the plan has no dates."""
        start = self.plan.start
        if start is None:
            return None
        if isinstance(start, datetime):
            return (start + timedelta(hours=self.utc_offset_h(post))).date()
        return start  # type: ignore[no-any-return]

    def days(self, post: str = "") -> int:
        """Local days that the run touches, the broken ones included."""
        return self.clock(post).days(self.plan.horizon_h)

    @cached_property
    def most_days(self) -> int:
        """Width of arrays by day, enough for every post."""
        usual = int(np.ceil(self.plan.horizon_h / H_PER_DAY)) + 1
        return max([usual, *(self.days(post) for post in self.plan.labels.get("posts", {}))])

    @cached_property
    def period_days(self) -> int:
        """Days in one period of the rows by day."""
        return self.options.period_days or (1 if self.plan.horizon_h <= 92 * H_PER_DAY else 7)

    def day_edges_h(self, post: str = "") -> FloatArray:
        """Instants at which local days begin, day 0 cut at 0, the last one at the horizon. [h]"""
        clock = self.clock(post)
        if clock not in self._day_edges_h:
            edges = np.array([clock.begins_h(day) for day in range(clock.days(self.plan.horizon_h) + 1)])
            self._day_edges_h[clock] = np.asarray(np.clip(edges, 0.0, self.plan.horizon_h))
        return self._day_edges_h[clock]

    @cached_property
    def _day_edges_h(self) -> dict[PostClock, FloatArray]:
        return {}

    @cached_property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """(element, flow) pairs that occur, by element and then flow."""
        # By object: flows may share their itineraries.
        known = {id(flow.variants): flow.variants for flow in self.plan.flows}
        visited = {
            number: {step.element for variant in variants for step in variant.steps}
            for number, variants in known.items()
        }
        pairs = {(element, f) for f, flow in enumerate(self.plan.flows) for element in visited[id(flow.variants)]}
        return tuple(sorted(pairs))

    @cached_property
    def element_cells(self) -> tuple[range, ...]:
        """Cells of each element."""
        found: list[range] = []
        cells, at = self.cells, 0
        for k in range(len(self.plan.elements)):
            first = at
            while at < len(cells) and cells[at][0] == k:
                at += 1
            found.append(range(first, at))
        return tuple(found)

    @cached_property
    def flow_elements(self) -> tuple[tuple[int, ...], ...]:
        """Elements that each flow may visit, in increasing order."""
        found: list[list[int]] = [[] for _ in self.plan.flows]
        for element, flow in self.cells:
            found[flow].append(element)
        return tuple(map(tuple, found))

    @cached_property
    def cell_of(self) -> dict[tuple[int, int], int]:
        """Cell of each (element, flow) pair."""
        return {pair: cell for cell, pair in enumerate(self.cells)}

    @cached_property
    def span_places(self) -> tuple[PlaceKey, ...]:
        """Places of the spans: posts, crossings, legs in order of appearance, then the flows."""
        found: dict[PlaceKey, None] = {}
        for kind in ("post", "crossing", "leg"):
            for variant in self.plan.different_variants():
                for span in variant.spans:
                    if span.kind == kind:
                        found.setdefault(self.place_of(variant, span))
        return (*found, *(("flow", flow.id, flow.direction) for flow in self.plan.flows))

    @cached_property
    def span_cells(self) -> tuple[tuple[int, int], ...]:
        """(span place, flow) pairs that occur, sorted."""
        at = {place: n for n, place in enumerate(self.span_places)}
        known = {id(flow.variants): flow.variants for flow in self.plan.flows}
        passed = {
            number: {
                at[self.place_of(variant, span)]
                for variant in variants
                for span in variant.spans
                if span.kind in ("post", "crossing", "leg")
            }
            for number, variants in known.items()
        }
        pairs = {(place, f) for f, flow in enumerate(self.plan.flows) for place in passed[id(flow.variants)]}
        pairs |= {(at["flow", flow.id, flow.direction], f) for f, flow in enumerate(self.plan.flows)}
        return tuple(sorted(pairs))

    @cached_property
    def _span_cell_of(self) -> dict[tuple[int, int, int], tuple[int, int]]:
        at = {place: n for n, place in enumerate(self.span_places)}
        cell = {pair: n for n, pair in enumerate(self.span_cells)}
        found = {}
        # Number and place of the spans of each itinerary that have one.
        spans = {
            id(variant): [
                (n, at[place])
                for n, place in enumerate(self.place_of(variant, span) for span in variant.spans)
                if place in at
            ]
            for variant in self.plan.different_variants()
        }
        for f, flow in enumerate(self.plan.flows):
            whole = at["flow", flow.id, flow.direction]
            for v, variant in enumerate(flow.variants):
                found[f, v, -1] = (whole, cell[whole, f])
                for n, place in spans[id(variant)]:
                    found[f, v, n] = (place, cell[place, f])
        return found

    def span_cell(self, flow: int, variant: int, span: int) -> tuple[int, int] | None:
        """(place, cell) of one span of one itinerary, None if it is of no reported kind."""
        return self._span_cell_of.get((flow, variant, span))

    def place_of(self, variant: Variant, span: Span) -> PlaceKey:
        """Kind, id and direction of a span of an itinerary; a crossing is directed by its posts (``"AZ>RU"``)."""
        if span.kind != "crossing" or span.direction:
            return (span.kind, span.id, span.direction)
        labels = self.plan.labels.get("posts", {})
        inside = [one for one in variant.spans if one.kind == "post" and span.first <= one.first <= span.last]
        inside.sort(key=lambda one: one.first)
        sides = [str(labels.get(one.id, {}).get("country", "") or one.id) for one in inside]
        return ("crossing", span.id, ">".join(dict.fromkeys(sides)))

    @cached_property
    def passed(self) -> dict[PlaceKey, dict[tuple[int, int], int]]:
        """By place the itineraries through it, as (flow, variant), and how many of their spans are of it."""
        found: dict[PlaceKey, dict[tuple[int, int], int]] = {}
        for f, flow in enumerate(self.plan.flows):
            for v, variant in enumerate(flow.variants):
                for span in variant.spans:
                    by = found.setdefault(self.place_of(variant, span), {})
                    by[f, v] = by.get((f, v), 0) + 1
        return found

    @cached_property
    def _of_kinds(self) -> dict[tuple[str, ...], tuple[tuple[int, PlaceKey], ...]]:
        """Those asked for so far; every indicator asks."""
        return {}

    def places(self, *kinds: str) -> tuple[tuple[int, PlaceKey], ...]:
        """Numbered span places of these kinds."""
        if kinds not in self._of_kinds:
            numbered = enumerate(self.span_places)
            self._of_kinds[kinds] = tuple((n, place) for n, place in numbered if place[0] in kinds)
        return self._of_kinds[kinds]

    @cached_property
    def post_elements(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Elements of each (post, direction)."""
        found: dict[tuple[str, str], list[int]] = {}
        for k, element in enumerate(self.plan.elements):
            if element.post:
                found.setdefault((element.post, element.direction), []).append(k)
        return {key: tuple(elements) for key, elements in found.items()}

    @cached_property
    def post_places(self) -> tuple[tuple[tuple[int, ...], PlaceKey], ...]:
        """Elements of each post and direction, with its place."""
        return tuple((elements, ("post", *key)) for key, elements in self.post_elements.items())

    @cached_property
    def queueing(self) -> tuple[tuple[int, PlaceKey], ...]:
        """Elements that can queue and are on the way of a flow, with the places under which they are reported."""
        elements = enumerate(self.plan.elements)
        return tuple((k, element_place(one)) for k, one in elements if one.kind != "delay" and self.element_cells[k])

    @cached_property
    def crossing_elements(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Elements met within each (crossing, direction): what the itineraries' crossing spans cover."""
        found: dict[tuple[str, str], set[int]] = {}
        for flow in self.plan.flows:
            for variant in flow.variants:
                for span in variant.spans:
                    if span.kind == "crossing":
                        _, id, direction = self.place_of(variant, span)
                        covered = (step.element for step in variant.steps[span.first : span.last + 1])
                        found.setdefault((id, direction), set()).update(covered)
        return {key: tuple(sorted(elements)) for key, elements in found.items()}

    @cached_property
    def classes(self) -> dict[str, tuple[int, ...]]:
        """Flows of each cargo class."""
        found: dict[str, list[int]] = {}
        for f, flow in enumerate(self.plan.flows):
            found.setdefault(flow.cargo_class, []).append(f)
        return {name: tuple(flows) for name, flows in sorted(found.items()) if name}

    @cached_property
    def may_block(self) -> bool:
        """Whether a consignment can be held in a lane after service."""
        return any(getattr(element, "may_be_full", False) for element in self.plan.elements)

    def may_interrupt(self, element: int) -> bool:
        """Whether a service at this element can be interrupted."""
        station = self.plan.elements[element]
        if station.kind != "station":
            return False
        fails = bool(getattr(station, "outages", ())) or getattr(station, "breakdown", None) is not None
        stops = getattr(station, "preemption", None) is not None
        return fails or stops or getattr(station, "closing", "") in ("suspend", "restart")


def element_place(element: Element) -> PlaceKey:
    """Kind, id and direction under which an element is reported."""
    return ("stage" if element.post else "leg", element.id, element.direction)
