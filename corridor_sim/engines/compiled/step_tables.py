"""What the pass reads of steps and of spans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from corridor_sim.core import by_object
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import grid_point
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.flow_layout import COLUMNS, SPANS, STEPS, FlowLayout
from corridor_sim.engines.compiled.listing import (
    ClockTables,
    ColumnTables,
    FunctionTables,
    Ints,
    NumberLists,
    real,
    whole,
)
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, StayTimes
from corridor_sim.model.service_times import Deterministic, ServiceTime
from corridor_sim.plan.plan import FlowPlan
from corridor_sim.plan.steps import Step


class StepTables:
    """The columns of `Tables` that have an entry a step."""

    def __init__(self, functions: FunctionTables, columns: ColumnTables) -> None:
        self.functions, self.columns = functions, columns
        self.rows: list[tuple[Any, ...]] = []
        self.laws, self.reliefs = NumberLists(), NumberLists()
        self.patience: list[int] = []
        """Column of the patience of each step, -1 where nobody leaves."""
        self.factor: list[int] = []
        self.share: list[int] = []
        self.rests: list[tuple[float, ...]] = []
        """Hours at the wheel and of rest, whether waiting is one, and steps of the leg, of each place of rest."""

    def add(self, f: int, flow: FlowPlan, queue_of: Callable[[int, int], int]) -> None:
        """The steps of a flow, those of one itinerary after the other; `queue_of` takes an element and the flow."""
        read, functions, begun = _steps_of(flow), self.functions, len(self.factor)
        first, first_rest = self.columns.add(f, read.columns), len(self.rests)
        for element, how, fixed_h, column, take, share_column, share in read.rows:
            own = column + (first_rest if how == codes.RESTS else first) if column >= 0 else -1
            of_share = share_column + first if share_column >= 0 else -1
            self.rows.append((queue_of(element, f), how, fixed_h, own, take, of_share, share))
        self.rests += read.rests
        for laws in read.laws:
            self.laws.add([(from_h, number + first) for from_h, number in laws])
        self.patience += [number + first if number >= 0 else -1 for number in read.patience]
        none = [-1] * len(read.rows)
        self.factor += none
        self.share += none
        reliefs: dict[int, list[tuple[int, int, float]]] = {}
        for n, factor, part, some in read.functions:
            self.factor[begun + n], self.share[begun + n] = functions.of(factor), functions.of(part)
            reliefs[n] = [(number + first, functions.of(of), relieves) for number, of, relieves in some]
        for n in range(len(read.rows)):
            self.reliefs.add(reliefs.get(n, ()))

    def tables(self, layout: FlowLayout) -> list[Any]:
        """From `Tables.queue` to `share_of`."""
        kinds, made = (whole, whole, real, whole, whole, whole, real), layout.made(STEPS)
        queue, how, fixed_h, column, take, share_column, share = (
            as_array([row[k] for row in self.rows])[made] for k, as_array in enumerate(kinds)
        )
        column = layout.moved(column, STEPS, COLUMNS, how == codes.AS_LAW)
        return [queue, how, fixed_h, column, take, layout.moved(share_column, STEPS, COLUMNS), share]

    def unusual(self, layout: FlowLayout) -> list[Any]:
        """From `Tables.step_law_from` to `relief_factor`."""
        made = layout.made(STEPS)
        law_from, law, more = layout.lists(whole(self.laws.begin), STEPS, COLUMNS)
        law_h, law_column = (as_array([one[k] for one in self.laws.values]) for k, as_array in enumerate((real, whole)))
        relief_from, relief, moved = layout.lists(whole(self.reliefs.begin), STEPS, COLUMNS)
        of_relief, relief_share, factor = (
            as_array([one[k] for one in self.reliefs.values]) for k, as_array in enumerate((whole, whole, real))
        )
        return [
            law_from,
            law_h[law],
            law_column[law] + more,
            whole(self.factor)[made],
            whole(self.share)[made],
            relief_from,
            of_relief[relief] + moved,
            relief_share[relief],
            factor[relief],
        ]


class _StepsOf(NamedTuple):
    """What is read of the steps of one flow alone; columns of draws are numbered within it.

    Attributes
    ----------
    columns
        Name, number of the law and law of each column, in order of first use; -1 and None for uniforms.
    rows
        Element, how, duration if it is fixed, column (a place of rest where there is one), who takes it, column of the
        share, share of each step.
    laws
        Of each step from when on which column holds.
    patience
        Column of the patience of each step, -1 where nobody leaves.
    functions
        Number of each step that has such, its factor, its share, and column, share and factor of its reliefs.
    rests
        As `StepTables.rests`.
    """

    columns: list[tuple[str, int, ServiceTime | None]]
    rows: list[tuple[int, int, float, int, int, int, float]]
    laws: list[list[tuple[float, int]]]
    patience: list[int]
    functions: list[tuple[int, StepFunction | None, StepFunction | None, list[tuple[int, StepFunction, float]]]]
    rests: list[tuple[float, ...]]


@by_object.once
def _steps_of(flow: FlowPlan) -> _StepsOf:
    """The steps of a flow, one itinerary after the other."""
    read, number = _StepsOf([], [], [], [], [], []), dict[tuple[str, int], int]()

    def of(name: str, law: int = -1, which: ServiceTime | None = None) -> int:
        if (name, law) not in number:
            number[name, law] = len(number)
            read.columns.append((name, law, which))
        return number[name, law]

    for n, step in enumerate(step for variant in flow.variants for step in variant.steps):
        how, fixed_h, take, share = _how(step)
        columns, column = [of(step.draws, k, law) for k, (_, law) in enumerate(step.laws)], -1
        if how == codes.AS_LAW:
            column = columns[0]
        elif step.rest is not None:
            column = len(read.rests)
            read.rests.append((*step.rest.drive_h, *step.rest.rest_h, step.rest.waiting_is_rest, step.rest.after))
        share_column = -1 if step.share is None else of(step.share_draws)
        read.rows.append((step.element, how, fixed_h, column, take, share_column, share))
        read.laws.append([(from_h, k) for (from_h, _), k in zip(step.laws, columns, strict=True)])
        patience = step.patience
        read.patience.append(-1 if patience is None else of(patience.draws, 0, patience.law))
        reliefs = [(of(one.draws), one.share, one.factor) for one in step.reliefs]
        if step.factor is not None or step.share is not None or reliefs:
            read.functions.append((n, step.factor, step.share, reliefs))
    return read


def _how(step: Step) -> tuple[int, float, int, float]:
    """How the duration of a step is had, that duration if it is fixed, who takes the step, and which share of them."""
    how, fixed_h = codes.FIXED, 0.0
    relieved = [relief for relief in step.reliefs if relief.factor != 0]
    if len(step.laws) > 1 or (step.laws and (step.factor is not None or relieved)):
        how = codes.UNUSUAL
    elif step.laws:
        law = step.laws[0][1]
        how = codes.AS_LAW
        if isinstance(law, Deterministic):
            how, fixed_h = codes.FIXED, grid_point(law.value_h)
    if step.rest is not None:
        how = codes.RESTS
    take, share = codes.ALL, 0.0
    if step.share is not None:
        take, share = codes.SOME, float(step.share.value[0])
    if (step.share is not None and not step.share.is_constant) or len(relieved) < len(step.reliefs):
        take = codes.BY_DATE
    return how, fixed_h, take, share


class SpanTables:
    """Spans of all itineraries, and each whole journey as one more."""

    KINDS: ClassVar[dict[str, int]] = {"post": codes.POST, "crossing": codes.CROSSING, "leg": codes.LEG}

    def __init__(self, collector: Collector, clocks: ClockTables) -> None:
        self.scope, self.clocks = collector.scope, clocks
        self.days, self.hours = collector.shared(SpanDays), collector.shared(SpanHours)
        self.stays = collector.shared(StayTimes)
        self.kind: list[int] = []
        self.rows: list[tuple[int, int, int, int]] = []
        self.variant: list[int] = []
        self.lost: list[bool] = []
        """Of each itinerary whether those on it have left a queue for good."""
        self.key: list[tuple[int, int, int]] = []
        self.slots, self._variants = 0, 0

    def _add(self, found: tuple[int, int], kind: int, slot: int, row: int, clock: int, variant: int) -> int:
        place, _ = found
        self.kind.append(kind)
        self.rows.append((slot, row, 0 if kind == codes.LEG else self.stays.row_of(place), clock))
        self.variant.append(variant)
        return len(self.kind) - 1

    def of_route(self, f: int, v: int) -> dict[int, Any]:
        """The spans of an itinerary that are of a reported kind, by number; those under way together have slots."""
        found = {}
        taken: list[int] = []
        variant = self.scope.plan.flows[f].variants[v]
        for n, span in sorted(enumerate(variant.spans), key=lambda pair: (pair[1].first, pair[1].last)):
            where = self.scope.span_cell(f, v, n)
            if where is None or span.kind not in self.KINDS:
                continue
            slot = next((k for k, last in enumerate(taken) if last < span.first), len(taken))
            taken[slot : slot + 1] = [span.last]
            self.slots = max(self.slots, len(taken))
            kind, id = self.KINDS[span.kind], self.scope.span_places[where[0]][1]
            row, clock = 0, 0
            if kind == codes.POST:
                row, clock = self.days.row_of(where[0]), self.clocks.of(self.scope.clock(id))
            elif kind == codes.CROSSING:
                row, clock = self.hours.row_of(where[0]), self.clocks.of(self.hours.clock[id])
            found[self._add(where, kind, slot, row, clock, -1)] = span
            self.key.append((f, v, n))
        return found

    def journey(self, f: int, v: int) -> int:
        """The whole journey of an itinerary; that of those who are lost is in no distribution."""
        where = self.scope.span_cell(f, v, -1)
        assert where is not None
        self._variants += 1
        self.key.append((f, v, -1))
        lost = self.scope.plan.flows[f].variants[v].lost
        self.lost.append(lost)
        return self._add(where, codes.LEG if lost else codes.JOURNEY, 0, 0, 0, self._variants - 1)

    def keys(self, layout: FlowLayout) -> tuple[tuple[int, int, int], ...]:
        """Flow, itinerary and number there of each span, -1 for the whole journey."""
        if layout.is_plain:
            return tuple(self.key)
        flows, made = layout.flows(SPANS).tolist(), layout.made(SPANS).tolist()
        return tuple([(f, *self.key[o][1:]) for f, o in zip(flows, made, strict=True)])

    def cells(self, keys: Sequence[tuple[int, int, int]]) -> Ints:
        """Cell of `SpanSums` of each span."""
        return whole([found[1] for found in (self.scope.span_cell(*key) for key in keys) if found is not None])

    def tables(self, layout: FlowLayout) -> list[Any]:
        """From `Tables.span_kind` to `span_clock`."""
        made = layout.made(SPANS)
        kind, slot, row, stay, clock = (
            whole(one)[made] for one in (self.kind, *([row[k] for row in self.rows] for k in range(4)))
        )
        if not layout.is_plain:
            # Whole journeys are counted for each flow, all other spans at a place that flows have in common.
            journeys = np.flatnonzero(kind == codes.JOURNEY)
            places = [place for place, _ in self.scope.places("flow")]
            stay[journeys] = [self.stays.row_of(places[f]) for f in layout.flows(SPANS)[journeys].tolist()]
        return [kind, slot, row, stay, clock]
