"""What happened: every visit of every consignment, as arrays.

Both engines fill the same tables, so that they can be compared with ``==`` and
no indicator can tell which engine ran. Rows are replications, columns are
visits or consignments; rows shorter than the longest are padded (flow = -1,
times NaN). A time later than the horizon did not happen and is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.plan.elements import PlanOutage
from corridor_sim.plan.plan import Plan

IntArray = NDArray[np.int64]


LaneChanges = tuple[tuple[float, int], ...]
"""(instant, number open from then on): extra lanes of one station in one replication. [h]"""


@dataclass(frozen=True, slots=True, eq=False)
class ElementVisits:
    """Visits to one element, in order of (join time, number), shape (replication, visit).

    ``wait = start - join``; ``interrupted = finish - start - service``;
    ``blocked = leave - finish``; ``service`` is the duration after its factors.
    For a `Delay` start = join and finish = leave. For a `Departures` start is the
    departure and leave the landing. For a `LimitedLeg` start is the entry. For a
    `Quota` start = finish = leave. All in [h].
    """

    flow: IntArray
    index: IntArray
    step: IntArray
    join_h: FloatArray
    start_h: FloatArray
    finish_h: FloatArray
    leave_h: FloatArray
    service_h: FloatArray

    @property
    def count(self) -> IntArray:
        """Visits in each replication."""
        return np.asarray((self.flow >= 0).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Journeys:
    """Consignments of one flow, in order of release, shape (replication, consignment).

    `depart_h` is the end of the journey, NaN if unfinished at the horizon;
    `variant` is the itinerary taken, -1 in the padding.
    """

    release_h: FloatArray
    depart_h: FloatArray
    variant: IntArray

    @property
    def count(self) -> IntArray:
        """Consignments in each replication."""
        return np.asarray((self.variant >= 0).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Everything that happened in a block of replications of one plan."""

    plan: Plan
    replications: IntArray
    elements: tuple[ElementVisits, ...]
    journeys: tuple[Journeys, ...]
    extra_lanes: Mapping[int, tuple[LaneChanges, ...]] = field(default_factory=dict)
    """By element, one a replication: when lanes that the queue opens were opened and closed (rule S27)."""

    def same_as(self, other: Records) -> str:
        """ "" if both hold the same bits, else the first difference in words."""
        if not np.array_equal(self.replications, other.replications):
            return "replications differ"
        pairs = [
            (f"element {element.id}", mine, theirs)
            for element, mine, theirs in zip(self.plan.elements, self.elements, other.elements, strict=True)
        ] + [
            (f"flow {flow.id}", mine, theirs)
            for flow, mine, theirs in zip(self.plan.flows, self.journeys, other.journeys, strict=True)
        ]
        for name, mine, theirs in pairs:
            for column in fields(mine):
                a, b = getattr(mine, column.name), getattr(theirs, column.name)
                if a.shape != b.shape:
                    return f"{name}.{column.name}: shapes {a.shape} and {b.shape}"
                same = (a == b) | ((a != a) & (b != b))
                if not same.all():
                    where = tuple(int(i) for i in np.argwhere(~same)[0])
                    return f"{name}.{column.name}{list(where)}: {a[where]!r} and {b[where]!r}"
        if self.extra_lanes != other.extra_lanes:
            return "extra lanes differ"
        return ""


def stack(plan: Plan, blocks: Sequence[Records]) -> Records:
    """Blocks of replications one after the other as one, padded to the longest row."""

    def pad(arrays: Sequence[NDArray[np.generic]], fill: float) -> NDArray[np.generic]:
        width = max(array.shape[1] for array in arrays)
        parts = [
            np.pad(array, ((0, 0), (0, width - array.shape[1])), constant_values=array.dtype.type(fill))
            for array in arrays
        ]
        return np.concatenate(parts)

    def join(rows: Sequence[ElementVisits] | Sequence[Journeys]) -> list[NDArray[np.generic]]:
        names = [column.name for column in fields(rows[0])]
        return [pad([getattr(row, n) for row in rows], np.nan if n.endswith("_h") else -1) for n in names]

    elements = tuple(
        ElementVisits(*join([block.elements[k] for block in blocks]))  # type: ignore[arg-type]
        for k in range(len(plan.elements))
    )
    journeys = tuple(
        Journeys(*join([block.journeys[k] for block in blocks]))  # type: ignore[arg-type]
        for k in range(len(plan.flows))
    )
    extra = {k: tuple(one for block in blocks for one in block.extra_lanes[k]) for k in blocks[0].extra_lanes}
    return Records(plan, np.concatenate([block.replications for block in blocks]), elements, journeys, extra)


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Visits of one flow to one element, as flat arrays: the first ``count[0]`` in the first replication, and so on.

    Times are those of `ElementVisits`. `index` and `step` say whose visit it is, and are -1
    where that was not asked for.
    """

    element: int
    flow: int
    count: IntArray
    index: IntArray
    step: IntArray
    join_h: FloatArray
    start_h: FloatArray
    finish_h: FloatArray
    leave_h: FloatArray
    service_h: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SpanTimes:
    """When the consignments of one itinerary entered and left one of its spans, as flat arrays.

    The first ``count[0]`` belong to the first replication, and so on. `begin_h` is the
    joining of the first step, `end_h` the leaving of the last (NaN if not by the horizon);
    `index` is the consignment's index in its flow, -1 where that was not asked for. For
    the whole journey `span` is -1, begin is the release and end the departure.
    """

    flow: int
    variant: int
    span: int
    count: IntArray
    index: IntArray
    begin_h: FloatArray
    end_h: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Who has joined an element and whose start depends on who joins later; the visits follow in a later chunk.

    Flat arrays, the first ``count[0]`` in the first replication, and so on.
    """

    element: int
    count: IntArray
    join_h: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A part of what happened, each visit and span in exactly one chunk of a run.

    Indicators are reduced chunk by chunk: an engine may hand over a whole replication, a
    block of them, or a block of time. An element or a span may have several tables, or none.

    `outages` are those drawn, by element one tuple a replication; `extra_lanes` are what the queue opened
    and closed, in the chunk that is the last of a replication. `settled` says how far this
    and earlier chunks of these replications are complete: of the elements before the first
    number, everybody who joins or starts before the instant is in their visits, or joins in
    `waiting` (in each case exactly once); None promises nothing.
    """

    plan: Plan
    replications: IntArray
    visits: tuple[Visits, ...]
    spans: tuple[SpanTimes, ...]
    waiting: tuple[Joined, ...] = ()
    settled: tuple[int, float] | None = None
    outages: Mapping[int, tuple[tuple[PlanOutage, ...], ...]] = field(default_factory=dict)
    extra_lanes: Mapping[int, tuple[LaneChanges, ...]] = field(default_factory=dict)


def chunk_of(
    records: Records, outages: Mapping[int, tuple[tuple[PlanOutage, ...], ...]] | None = None, *, whole: bool = False
) -> Chunk:
    """Full records as one chunk, spans derived from the visits; `whole` if no other chunk follows for them."""
    visits = tuple(
        Visits(k, f, (table.flow == f).sum(axis=1), *(getattr(table, name)[table.flow == f] for name in _OF_A_VISIT))
        for k, table in enumerate(records.elements)
        for f in range(len(records.plan.flows))
        if (table.flow == f).any()
    )
    settled = (len(records.elements), np.inf) if whole else None
    spans, drawn = tuple(_spans_of(records)), outages or {}
    return Chunk(records.plan, records.replications, visits, spans, (), settled, drawn, records.extra_lanes)


_OF_A_VISIT = ("index", "step", "join_h", "start_h", "finish_h", "leave_h", "service_h")


def _spans_of(records: Records) -> Iterator[SpanTimes]:
    """Spans of all consignments, from the visits they consist of."""
    for f, (flow, journeys) in enumerate(zip(records.plan.flows, records.journeys, strict=True)):
        shape = journeys.variant.shape
        join: dict[tuple[int, int], FloatArray] = {}
        leave: dict[tuple[int, int], FloatArray] = {}
        for k, visits in enumerate(records.elements):
            row, column = np.nonzero(visits.flow == f)
            if not len(row):
                continue
            index, step = visits.index[row, column], visits.step[row, column]
            for s in np.unique(step):
                at = step == s
                cell = (row[at], index[at])
                for table, times in ((join, visits.join_h), (leave, visits.leave_h)):
                    table.setdefault((int(s), k), np.full(shape, np.nan))[cell] = times[row, column][at]
        for v, variant in enumerate(flow.variants):
            mine = (journeys.variant == v) & ~np.isnan(journeys.release_h)
            if not mine.any():
                continue
            yield _span(f, v, -1, mine, journeys.release_h, journeys.depart_h)
            for n, span in enumerate(variant.spans):
                begin, end = np.full(shape, np.nan), np.full(shape, np.nan)
                for s in range(span.first, span.last + 1):
                    joined = join.get((s, variant.steps[s].element))
                    if joined is None:
                        continue
                    left = leave[(s, variant.steps[s].element)]
                    begin = np.where(np.isnan(begin), joined, begin)
                    end = np.where(mine & ~np.isnan(joined), left, end)
                # A consignment that has not come out of its last step here is still inside.
                later = np.zeros(shape, dtype=bool)
                for s in range(span.last + 1, len(variant.steps)):
                    joined = join.get((s, variant.steps[s].element))
                    later |= ~np.isnan(joined) if joined is not None else False
                out = later | ~np.isnan(journeys.depart_h)
                yield _span(f, v, n, mine & ~np.isnan(begin), begin, np.where(out, end, np.nan))


def _span(
    flow: int, variant: int, span: int, those: NDArray[np.bool_], begin_h: FloatArray, end_h: FloatArray
) -> SpanTimes:
    return SpanTimes(flow, variant, span, those.sum(axis=1), np.nonzero(those)[1], begin_h[those], end_h[those])
