"""A plan that differs from a base in a part only: the pass takes its consignments up where they go their own way.

The pass over the base notes when each comes to the step from which it is *affected*
(`plan.shared_part`), and which spans it is in by then; from there the other plan is worked
through. What the shared steps, spans and queues came to is taken from the sums of the base. These are
whole numbers and times on the clock grid, so the sums are those of a run of its own, to the bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from corridor_sim.engines.batch.refusals import blocking_lines
from corridor_sim.engines.batch.streaming import WindowSource
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.coupled import Together
from corridor_sim.engines.compiled.coupling import coupling
from corridor_sim.engines.compiled.handing_over import Levels
from corridor_sim.engines.compiled.kept_tables import coded_once
from corridor_sim.engines.compiled.landings import first_after_landing
from corridor_sim.engines.compiled.lines import YardLinesOfPlan
from corridor_sim.engines.compiled.listing import Ints, whole
from corridor_sim.engines.compiled.state import Draws, PassState, Sums
from corridor_sim.engines.compiled.tables import Coded, with_rows
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.many_distributions import Occurring
from corridor_sim.indicators.queue_levels import QueueLevels, grid_points
from corridor_sim.indicators.queue_marks import QueueMarks
from corridor_sim.indicators.shared_sums import SpanDays, SpanHours, StationDays, StayTimes, WaitTimes
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.shared_part import SharedPart, nothing_shared, shared_part
from corridor_sim.plan.steps import Span
from corridor_sim.records.inputs import FlowInputs, SampledInputs
from corridor_sim.records.visits import IntArray

NOBODY = -1


class ReleasedSource(Protocol):
    """What is needed of `sampling.Sampler`."""

    def stream(self, replications: Sequence[int], released: Sequence[FlowInputs | None]) -> WindowSource:
        """Draws of some replications for those who are released, by flow; None draws the releases too."""
        ...


@dataclass(slots=True, eq=False)
class Other:
    """Another plan to be run with a base, on the same root and replications.

    Attributes
    ----------
    shared
        What goes as in the base, where it is known already.
    again
        Visits that were simulated for it, by replication; filled by the run.
    goes_as
        What was not simulated but taken from the base; filled by the run.
    """

    plan: Plan
    sampler: ReleasedSource
    collector: Collector
    shared: SharedPart | None = None
    again: IntArray = field(init=False)
    goes_as: SharedPart = field(init=False)

    def __post_init__(self) -> None:
        self.again = np.zeros(len(self.collector.scope.replications), dtype=np.int64)
        self.goes_as = nothing_shared(self.plan)


class Pairs(NamedTuple):
    """Things that are the same in the base and in another plan; `runs` are those that follow each other in both."""

    base: Ints
    other: Ints
    runs: tuple[tuple[slice, slice], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Pairs:
        """As two arrays."""
        both = whole(list(pairs)).reshape(-1, 2)
        breaks = (np.flatnonzero((np.diff(both, axis=0) != 1).any(axis=1)) + 1).tolist()
        runs = []
        for first, upto in pairwise([0, *breaks, len(both)] if len(both) else ()):
            mine, here = both[first].tolist()
            runs.append((slice(mine, mine + upto - first), slice(here, here + upto - first)))
        return cls(np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1]), tuple(runs))

    def put(self, base: NDArray[Any], into: NDArray[Any]) -> None:
        """Have rows of an array of the base as those of the other plan."""
        for mine, here in self.runs:
            into[here] = base[mine]

    def add(self, base: NDArray[Any], into: NDArray[Any]) -> None:
        """Add rows of an array of the base to those of the other plan."""
        for mine, here in self.runs:
            into[here] += base[mine]


class GoingOn(NamedTuple):
    """Consignments of one itinerary that are handed over: flow here, flow and route in the base, at which mark, slots.

    `mark` is `NOBODY` where they begin at their release.
    """

    flow: int
    variant: int
    mark: int
    slots: tuple[tuple[int, int], ...]


class Differing:
    """One other plan, as the pass reads it, and what of its sums is the base's."""

    def __init__(self, other: Other, base: Plan, base_code: Coded, step_h: float) -> None:
        self.plan, self.sampler, self.collector, self.again = other.plan, other.sampler, other.collector, other.again
        self.base_code = base_code
        # Coupled queues are simulated whole, and so are lines with yards.
        whole_run = any(coupling(plan) is not None or blocking_lines(plan) for plan in (base, other.plan))
        if whole_run:
            self.part = nothing_shared(other.plan)
        else:
            self.part = other.shared or shared_part(base, other.plan)
        if any(self.part.steps[f][v] == k for f, v, k in first_after_landing(other.plan)):
            # Who boarded when is not handed over.
            self.part = nothing_shared(other.plan)
        other.goes_as = self.part
        code = coded_once(other.plan, other.collector, step_h)
        begin = code.tables.route_begin.copy()
        for f, flow in enumerate(self.part.steps):
            for v, upto in enumerate(flow):
                begin[code.first_route[f] + v] += upto or 0
        self.code = replace(code, tables=code.tables._replace(route_begin=begin))
        self.first_step = code.tables.route_begin
        self.coupled, self.lines_with_yards = Together(other.plan, code), YardLinesOfPlan(other.plan, code)
        self._spans = [
            {
                (f, v): _same_spans(base.flows[of].variants[v].spans, variant.spans)
                for v, variant in enumerate(flow.variants)
            }
            if of >= 0
            else {}
            for f, (of, flow) in enumerate(zip(self.part.flow_of, other.plan.flows, strict=True))
        ]
        self.going_on: list[GoingOn] = []
        self.steps, self.spans = Pairs.of(self._steps()), Pairs.of(self._shared_spans())
        elements = [(of, k) for k, of in enumerate(self.part.element_of) if of >= 0]
        self.rows = Pairs.of((self._queue_row(base_code, of), self._queue_row(self.code, k)) for of, k in elements)
        self.queues = whole([q for of, _ in elements for q in base_code.queue_numbers[of]])
        self.delays = self.steps.base[base_code.tables.queue[self.steps.base] < 0]
        lines = {line: k for k, line in enumerate(base_code.lines)}
        self.lines = Pairs.of(
            (lines[tuple(sorted(self.part.element_of[k] for k in line))], n)
            for n, line in enumerate(self.code.lines)
            if all(self.part.element_of[k] >= 0 for k in line)
        )
        self.begin = grid_points(code.window.from_h)
        # Rows of the base that hold what is shared alone; known once the rows are split.
        self.stay_rows = self.post_rows = self.crossing_rows = Pairs.of(())
        self.stay_places, self.mixed_stay = self._whole_stays()

    @staticmethod
    def _queue_row(code: Coded, element: int) -> int:
        return int(code.tables.queue_row[code.queue_numbers[element][0]])

    def _steps(self) -> Iterable[tuple[int, int]]:
        """Shared steps; those of elements that queue only where the element is shared, which it is."""
        for f, of in enumerate(self.part.flow_of):
            for v, upto in enumerate(self.part.steps[f]):
                if of >= 0 and upto != 0:
                    number = len(self.plan.flows[f].variants[v].steps) if upto is None else upto
                    here = self.first_step[self.code.first_route[f] + v]
                    there = self.base_code.tables.route_begin[self.base_code.first_route[of] + v]
                    yield from ((int(there) + k, int(here) + k) for k in range(number))

    def _shared_spans(self) -> Iterable[tuple[int, int]]:
        at = {key: o for o, key in enumerate(self.base_code.span_keys)}
        for o, (f, v, n) in enumerate(self.code.span_keys):
            of, upto = self.part.flow_of[f], self.part.steps[f][v]
            if of < 0:
                continue
            if upto is None or (n >= 0 and self.plan.flows[f].variants[v].spans[n].last < upto):
                yield at[of, v, self._spans[f][f, v][n] if n >= 0 else -1], o

    def _whole_stays(self) -> tuple[Pairs, NDArray[np.bool_]]:
        """Places at which all passages are those at one of the base; of each place here whether it is none of these."""
        tables, base = self.code.tables, self.base_code.tables
        timed, timed_there = tables.span_kind != codes.LEG, base.span_kind != codes.LEG
        comes_to = np.full(len(base.span_kind), NOBODY)
        comes_to[self.spans.base] = tables.span_stay[self.spans.other]
        own = timed.copy()
        own[self.spans.other] = False
        mixed = np.zeros(self.collector.shared(StayTimes).counts.shape[0], dtype=np.bool_)
        mixed[tables.span_stay[own]] = True
        found: dict[int, set[int]] = {}
        for there, here in zip(base.span_stay[timed_there].tolist(), comes_to[timed_there].tolist(), strict=True):
            found.setdefault(there, set()).add(here)
        places = {there: here for there, (here, *more) in found.items() if not more and here != NOBODY}
        several = Counter(here for some in found.values() for here in some)
        pairs = [(there, here) for there, here in places.items() if several[here] == 1 and not mixed[here]]
        mixed[:] = True
        mixed[[here for _, here in pairs]] = False
        return Pairs.of(sorted(pairs)), mixed

    def signature(self) -> list[tuple[int, int]]:
        """For each span of the base, its rows of stays and of days or hours here, -1 where it is affected."""
        found = [(-1, -1)] * len(self.base_code.span_keys)
        tables = self.code.tables
        for mine, here in zip(self.spans.base.tolist(), self.spans.other.tolist(), strict=True):
            found[mine] = int(tables.span_stay[here]), int(tables.span_row[here])
        return found

    def hand_over_at(self, marks: dict[tuple[int, int], int]) -> None:
        """Say who is handed over, `marks` being the column of each (route, number of shared steps) of the base."""
        for f, of in enumerate(self.part.flow_of):
            for v, upto in enumerate(self.part.steps[f]):
                if upto is None:
                    continue
                mark = marks[int(self.base_code.first_route[of]) + v, upto] if upto else NOBODY
                slots = tuple(self._under_way(f, v, upto)) if upto else ()
                self.going_on.append(GoingOn(f, v, mark, slots))

    def _under_way(self, f: int, v: int, upto: int) -> Iterable[tuple[int, int]]:
        """Slots, in the base and here, of the spans that consignments may be in as they are handed over."""
        of = self.part.flow_of[f]
        at = {key: o for o, key in enumerate(self.base_code.span_keys)}
        spans = self.plan.flows[f].variants[v].spans
        for o, (flow, variant, n) in enumerate(self.code.span_keys):
            if (flow, variant) == (f, v) and n >= 0 and spans[n].first < upto <= spans[n].last:
                mine = at[of, v, self._spans[f][f, v][n]]
                yield int(self.base_code.tables.span_slot[mine]), int(self.code.tables.span_slot[o])

    def released(self, flows: Sequence[FlowInputs]) -> list[FlowInputs | None]:
        """Releases of the base by flow; nobody where all go as in the base, None where there are others."""
        found: list[FlowInputs | None] = []
        for f, of in enumerate(self.part.flow_of):
            if of < 0:
                found.append(None)
            elif all(upto is None for upto in self.part.steps[f]):
                found.append(_nobody(flows[of]))
            else:
                found.append(flows[of])
        return found

    def taken_up(self, base_draws: Draws, base_state: PassState, draws: Draws, state: PassState) -> Draws:
        """Where the consignments go on, from what the base has handed over; the spans they are in go to the state."""
        come_h = np.full(len(draws.release_h), np.nan)
        state.begun[: len(come_h)] = np.nan
        for one in self.going_on:
            begin, end = draws.base[one.flow : one.flow + 2].tolist()
            if end == begin:
                continue
            which: Any = slice(None)
            if len(self.part.steps[one.flow]) > 1:
                which = np.flatnonzero(draws.route[begin:end] == self.code.first_route[one.flow] + one.variant)
            if one.mark == NOBODY:
                come_h[begin:end][which] = draws.release_h[begin:end][which]
                continue
            first = int(base_draws.base[self.part.flow_of[one.flow]])
            there = slice(first, first + end - begin)
            come_h[begin:end][which] = base_state.handed_h[one.mark, there][which]
            for mine, here in one.slots:
                state.begun[begin:end, here][which] = base_state.handed_begun[one.mark, there, mine][which]
        return draws._replace(come_h=come_h)

    def add_shared(self, base: Sums, sums: Sums) -> int:
        """Add what is the base's to the sums, those of its split rows; how many visits that is."""
        for rows, names in (
            (self.steps, ("inner", "at_edge")),
            (self.spans, ("passed", "passed_edge")),
            (self.stay_rows, ("near",)),
            (self.post_rows, ("begun_days", "ended_days")),
            (self.crossing_rows, ("hours", "hours_h")),
        ):
            for name in names:
                rows.add(getattr(base, name), getattr(sums, name))
        here = dict(zip(self.steps.base.tolist(), self.steps.other.tolist(), strict=True))
        for one in base.astride[: base.found[0]]:
            if int(one[0]) in here:
                sums.astride[sums.found[0]] = here[int(one[0])], *one[1:]
                sums.found[0] += 1
        return int(base.inner[self.delays, 0].sum() + base.late[self.delays].sum() + base.served[self.queues].sum())

    def add_shared_stays(self, base: Occurring, counts: NDArray[Any]) -> None:
        """Add the times of passages that are the base's, those of its split rows, to counts of shape (place, value).

        Those of places at which there are no others (`stay_places`) are taken once, of all replications.
        """
        mixed = self.mixed_stay[self.stay_rows.other]
        if not mixed.any():
            return
        place = base.which // len(self.again)
        row = np.full(max(int(place.max(initial=0)), int(self.stay_rows.base.max(initial=0))) + 1, NOBODY)
        row[self.stay_rows.base[mixed]] = self.stay_rows.other[mixed]
        base.add_to(counts, row[place])

    def note_outages(self, row: int, inputs: SampledInputs, k: int) -> None:
        """Keep the outages that were drawn for the k-th replication of some inputs."""
        for e, drawn in inputs.outages.items():
            self.collector.note_outages(e, row, drawn[k])

    def own_queues(self) -> list[slice]:
        """Rows of queues that are not the base's, those that follow each other together."""
        number = len(self.collector.shared(QueueMarks).net)
        ends = [here for _, here in self.rows.runs]
        begins = [0, *(one.stop for one in ends)]
        return [slice(a, b) for a, b in zip(begins, [*(one.start for one in ends), number], strict=True) if a < b]

    def own_lines(self) -> list[int]:
        """Lines that are not the base's."""
        return np.setdiff1d(np.arange(len(self.code.lines)), self.lines.other).tolist()  # type: ignore[no-any-return]

    def nobody_waits(self) -> Levels:
        """The levels of queues to which nobody comes."""
        lines = len(self.code.lines)
        return np.zeros((lines, 1), np.int64), np.zeros(lines, np.int64), np.full(lines, self.begin)

    def take_places(self, base: Collector) -> None:
        """What is known of queues and passages that are the base's, once all of its replications are there."""
        own = self.collector
        stays = self.stay_places
        own.shared(StayTimes).counts.have(base.shared(StayTimes).counts, stays.base, stays.other)
        self.rows.put(base.shared(QueueMarks).net, own.shared(QueueMarks).net)
        self.rows.put(base.shared(StationDays).joined_by_day, own.shared(StationDays).joined_by_day)
        self.rows.put(base.shared(WaitTimes).counts.counts, own.shared(WaitTimes).counts.counts)
        for there, here in zip(self.lines.base.tolist(), self.lines.other.tolist(), strict=True):
            line = self.base_code.lines[there]
            own.shared(QueueLevels).take(self.code.lines[here], base.shared(QueueLevels), line)


class Base:
    """A base with the marks that others need, and with rows that hold what is shared with each of them alone."""

    def __init__(self, plan: Plan, code: Coded, collector: Collector, others: Sequence[Other], step_h: float) -> None:
        self.others = [Differing(other, plan, code, step_h) for other in others]
        marks = self._marks()
        mark = code.tables.mark.copy()
        for (route, upto), column in marks.items():
            mark[code.tables.route_begin[route] + upto] = column
        for other in self.others:
            other.hand_over_at(marks)
        tables = code.tables
        kind = tables.span_kind
        signatures = list(zip(*(other.signature() for other in self.others), strict=True)) or [()] * len(kind)
        self.stays, stay = _split(
            tables.span_stay, kind != codes.LEG, signatures, collector.shared(StayTimes).counts.shape[0]
        )
        self.posts, post = _split(
            tables.span_row, kind == codes.POST, signatures, len(collector.shared(SpanDays).begun_by_day)
        )
        self.crossings, crossing = _split(
            tables.span_row, kind == codes.CROSSING, signatures, len(collector.shared(SpanHours).begun)
        )
        row = np.where(kind == codes.POST, post, np.where(kind == codes.CROSSING, crossing, tables.span_row))
        self.code = replace(code, tables=with_rows(tables._replace(mark=mark, span_stay=stay, span_row=row)))
        for other in self.others:
            span, here = other.spans, other.code.tables
            for name, rows, wanted, mine in (
                ("stay_rows", stay, kind != codes.LEG, here.span_stay),
                ("post_rows", post, kind == codes.POST, here.span_row),
                ("crossing_rows", crossing, kind == codes.CROSSING, here.span_row),
            ):
                some = wanted[span.base]
                pairs = zip(rows[span.base[some]].tolist(), mine[span.other[some]].tolist(), strict=True)
                setattr(other, name, Pairs.of(sorted(set(pairs))))

    def _marks(self) -> dict[tuple[int, int], int]:
        """The column of each (route, number of shared steps); the columns of a route are numbered from 0."""
        wanted: dict[int, set[int]] = {}
        for other in self.others:
            for f, of in enumerate(other.part.flow_of):
                for v, upto in enumerate(other.part.steps[f]):
                    if upto:
                        wanted.setdefault(int(other.base_code.first_route[of]) + v, set()).add(upto)
        return {(route, upto): k for route, some in wanted.items() for k, upto in enumerate(sorted(some))}

    @property
    def more_rows(self) -> dict[str, Ints]:
        """Of each row that the split needs more the row to which it belongs, by name of the sums."""
        return {
            "stays": self.stays,
            "near": self.stays,
            "begun_days": self.posts,
            "ended_days": self.posts,
            "hours": self.crossings,
            "hours_h": self.crossings,
        }


def _same_spans(base: tuple[Span, ...], other: tuple[Span, ...]) -> list[int]:
    """For each span of an itinerary the one of the base that begins alike, -1 where there is none."""
    if base == other:
        return list(range(len(other)))
    at = {(span.kind, span.id, span.direction, span.first): n for n, span in enumerate(base)}
    return [at.get((span.kind, span.id, span.direction, span.first), -1) for span in other]


def _split(rows: Ints, which: NDArray[np.bool_], signatures: Sequence[Any], count: int) -> tuple[Ints, Ints]:
    """Rows such that spans of different signatures never have one together.

    Returns the row to which each one belongs that is added behind the `count` there are, and the row of each span.
    """
    held: dict[int, Any] = {}
    more: dict[tuple[int, Any], int] = {}
    out = rows.copy()
    for o in np.flatnonzero(which).tolist():
        row, signature = int(rows[o]), signatures[o]
        if held.setdefault(row, signature) != signature:
            out[o] = count + more.setdefault((row, signature), len(more))
    return whole([row for row, _ in more]), out


def _nobody(flow: FlowInputs) -> FlowInputs:
    """No consignments, of as many replications."""
    shown = flow.release_h[:, :0], flow.variant[:, :0], flow.number[:, :0]
    return replace(flow, release_h=shown[0], variant=shown[1], number=shown[2], counted=None)
