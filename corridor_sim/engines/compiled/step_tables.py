"""What the pass reads of steps and of spans."""

from __future__ import annotations

from typing import Any, ClassVar

from corridor_sim.core.units import grid_point
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.listing import (
    ClockTables,
    ColumnTables,
    FunctionTables,
    NumberLists,
    real,
    whole,
)
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, StayTimes
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.plan import Step


class StepTables:
    """The columns of `Tables` that have an entry a step."""

    def __init__(self, functions: FunctionTables, columns: ColumnTables) -> None:
        self.functions, self.columns = functions, columns
        self.rows: list[tuple[Any, ...]] = []
        self._read: dict[int, tuple[Any, ...]] = {}
        self.laws, self.reliefs = NumberLists(), NumberLists()
        self.patience: list[int] = []
        """Column of the patience of each step, -1 where nobody leaves."""
        self.factor: list[int] = []
        self.share: list[int] = []
        self.rests: list[tuple[float, ...]] = []
        """Hours at the wheel and of rest, whether waiting is one, and steps of the leg, of each place of rest."""

    def add(self, f: int, step: Step, queue: int) -> None:
        """The next step, of flow `f`."""
        if id(step) not in self._read:
            self._read[id(step)] = self._of_all(step)
        how, fixed_h, take, share, factor, share_of, reliefs = self._read[id(step)]
        columns, column = self.columns, -1
        of = [columns.of(f, step.draws, k, law) for k, (_, law) in enumerate(step.laws)]
        if how == codes.AS_LAW:
            column = of[0]
        elif step.rest is not None:
            column = len(self.rests)
            self.rests.append((*step.rest.drive_h, *step.rest.rest_h, step.rest.waiting_is_rest, step.rest.after))
        share_column = -1 if step.share is None else columns.of(f, step.share_draws)
        self.rows.append((queue, how, fixed_h, column, take, share_column, share))
        self.laws.add([(from_h, number) for (from_h, _), number in zip(step.laws, of, strict=True)])
        patience = step.patience
        self.patience.append(-1 if patience is None else columns.of(f, patience.draws, 0, patience.law))
        self.factor.append(factor)
        self.share.append(share_of)
        self.reliefs.add([(columns.of(f, draws), *relief) for draws, *relief in reliefs])

    def _of_all(self, step: Step) -> tuple[Any, ...]:
        """What is the same for all flows that have this very step; many may share one."""
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
        factor, share_of = self.functions.of(step.factor), self.functions.of(step.share)
        reliefs = [(relief.draws, self.functions.of(relief.share), relief.factor) for relief in step.reliefs]
        return how, fixed_h, take, share, factor, share_of, reliefs

    def tables(self) -> list[Any]:
        """From `Tables.queue` to `share_of`."""
        kinds = (whole, whole, real, whole, whole, whole, real)
        return [as_array([row[k] for row in self.rows]) for k, as_array in enumerate(kinds)]

    def unusual(self) -> list[Any]:
        """From `Tables.step_law_from` to `relief_factor`."""
        return [
            whole(self.laws.begin),
            *(as_array([one[k] for one in self.laws.values]) for k, as_array in enumerate((real, whole))),
            whole(self.factor),
            whole(self.share),
            whole(self.reliefs.begin),
            *(as_array([one[k] for one in self.reliefs.values]) for k, as_array in enumerate((whole, whole, real))),
        ]


class SpanTables:
    """Spans of all itineraries, and each whole journey as one more."""

    KINDS: ClassVar[dict[str, int]] = {"post": codes.POST, "crossing": codes.CROSSING, "leg": codes.LEG}

    def __init__(self, collector: Collector, clocks: ClockTables) -> None:
        self.scope, self.clocks = collector.scope, clocks
        self.days, self.hours = collector.shared(SpanDays), collector.shared(SpanHours)
        self.stays = collector.shared(StayTimes)
        self.kind: list[int] = []
        self.rows: list[tuple[int, int, int, int]] = []
        self.cell: list[int] = []
        self.variant: list[int] = []
        self.lost: list[bool] = []
        """Of each itinerary whether those on it have left a queue for good."""
        self.key: list[tuple[int, int, int]] = []
        self.slots, self._variants = 0, 0

    def _add(self, found: tuple[int, int], kind: int, slot: int, row: int, clock: int, variant: int) -> int:
        place, cell = found
        self.kind.append(kind)
        self.rows.append((slot, row, 0 if kind == codes.LEG else self.stays.row_of(place), clock))
        self.cell.append(cell)
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

    def tables(self) -> list[Any]:
        """From `Tables.span_kind` to `span_clock`."""
        return [whole(self.kind), *(whole([row[k] for row in self.rows]) for k in range(4))]
