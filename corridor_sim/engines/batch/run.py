"""A plan worked through element by element, in blocks of time or in one.

`Run` holds the state of a block of replications. Consignments are fed as they are
released; `advance` then takes every element, in topological order, through all who
join it before an instant. Whoever leaves later waits in its block for the next advance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from corridor_sim.engines import queues
from corridor_sim.engines.batch.blocks import Block, Part, duration_at, part_of
from corridor_sim.engines.batch.merging import Joining, in_queue_order, kept, lay_out, layout_of, merge
from corridor_sim.engines.batch.refusals import blocking_lines
from corridor_sim.engines.batch.servers import Departures, Free, Server, server_for
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.inputs import NUMBER_PER_FLOW, FlowInputs, SampledInputs
from corridor_sim.plan import Plan, Station, Timetable
from corridor_sim.results import ElementVisits, SpanTimes

THIN = 0.125
"""Share of a block under way below which the others are dropped."""


class Run:
    """A block of replications of one plan under way.

    Parameters
    ----------
    plan : Plan
        A plan that `refusals` has nothing against.
    inputs : SampledInputs
        Replications, outages, crossings and cancellations; its flows are not looked at.
    spans : bool
        Whether to note when consignments enter and leave the spans of their itineraries.
    who : bool
        Whether tables say which consignment made a visit, and at which step (else -1).
    """

    def __init__(self, plan: Plan, inputs: SampledInputs, *, spans: bool, who: bool = True) -> None:
        self.plan, self.inputs, self.spans, self.who = plan, inputs, spans, who
        self.rows = len(inputs.replications)
        self.blocks: list[list[Block]] = [[] for _ in plan.flows]
        self.places: list[list[tuple[int, list[tuple[int, int]]]]] = [[] for _ in plan.elements]
        for number in range(len(plan.elements)):
            for f, flow in enumerate(plan.flows):
                places = [
                    (v, s)
                    for v, variant in enumerate(flow.variants)
                    for s, step in enumerate(variant.steps)
                    if step.element == number
                ]
                if places:
                    self.places[number].append((f, places))
        self.servers: dict[int, Server] = {}
        self.lines = {run[0]: run for run in blocking_lines(plan)}
        self.inner = {number for run in self.lines.values() for number in run[1:]}
        self.by_number = False

    def feed(self, flows: Sequence[FlowInputs], first: Sequence[IntArray] | None = None) -> None:
        """Take in consignments; `first` is the index of the first of each row (default 0).

        Those of one flow are fed in order of release, all that are released before an
        instant before `advance` is asked to go there.
        """
        for f, drawn in enumerate(flows):
            if not drawn.release_h.shape[1]:
                continue
            column = np.arange(drawn.release_h.shape[1], dtype=np.int64)
            index = np.broadcast_to(column, drawn.release_h.shape).copy()
            if first is not None:
                index += first[f][:, None]
            if not self.by_number:
                usual = f * NUMBER_PER_FLOW + index
                self.by_number = bool(((drawn.number != usual) & (drawn.variant >= 0)).any())
            self.blocks[f].append(Block(f, self.plan.flows[f], drawn, index, spans=self.spans))

    def renew(self, inputs: SampledInputs) -> None:
        """Take over draws of elements that have grown longer (crossings of departures when full)."""
        self.inputs = inputs
        for number, server in self.servers.items():
            if isinstance(server, Departures):
                server.crossing_h = inputs.crossing_h.get(number)

    def advance(self, until_h: float, *, last: bool) -> Iterator[tuple[int, ElementVisits]]:
        """Work out everything that joins before `until_h`; with `last`, nobody comes after.

        Yields the number of each element with the visits that became known there, element by
        element, so that those of one can be dealt with before the next are worked out.
        """
        for number in range(len(self.plan.elements)):
            if number in self.inner:
                continue
            parts = self._parts(number, until_h)
            if not parts:
                continue
            if number in self.lines:
                yield from self._line(self.lines[number], parts)
                continue
            server = self._server(number)
            if self.spans and isinstance(server, Free):
                visits = self._free(parts)
                self._done(number, until_h)
            else:
                joining = merge(parts, self.rows, by_number=self.by_number)
                visits = self._serve(number, server, joining, until_h, last=last)
            yield number, visits

    def _parts(self, number: int, until_h: float) -> list[Part]:
        parts = []
        for f, places in self.places[number]:
            for block in self.blocks[f]:
                part = part_of(block, places, until_h)
                if part is not None:
                    parts.append(part)
        return parts

    def _done(self, number: int, until_h: float) -> None:
        for f, places in self.places[number]:
            for block in self.blocks[f]:
                block.none_before(places, until_h)

    def _server(self, number: int) -> Server:
        if number not in self.servers:
            self.servers[number] = server_for(self.plan, number, self.inputs)
        return self.servers[number]

    def _free(self, parts: list[Part]) -> ElementVisits:
        """A delay: nobody waits for anybody, so nobody lines up."""
        shape, place = lay_out(parts, self.rows)
        for part in parts:
            leave = part.join_h + part.service_h
            self._move_part(part, leave, None, boarding=False)
            part.leave_h = leave
        joining = Joining(parts, shape, place, None, np.empty(0), np.empty(0))
        join, service, leave = (
            joining.laid_out(np.concatenate([getattr(part, name) for part in parts]), np.inf)
            for name in ("join_h", "service_h", "leave_h")
        )
        return ElementVisits(
            *layout_of(joining, [join, join, leave, leave, service], self.plan.horizon_h, who=self.who)
        )

    def _serve(self, number: int, server: Server, joining: Joining, until_h: float, *, last: bool) -> ElementVisits:
        """Those who join an element, served and sent on, as a table."""
        element, horizon_h = self.plan.elements[number], self.plan.horizon_h
        served = server.serve(joining, until_h, last=last)
        times = [joining.join_h, served.start_h, served.finish_h, served.leave_h, served.service_h]
        if isinstance(element, Timetable):
            times[4] = np.where(served.start_h <= horizon_h, times[4], np.nan)
        laid = {id(at): joining.back(at) for at in times}
        leave = laid[id(served.leave_h)]
        decided = None if served.decided is None or served.decided.all() else joining.back(served.decided)
        boarding = isinstance(element, Timetable) and element.landing == "boarding"
        going = [None] * len(joining.parts) if decided is None else joining.gather(decided)
        for part, leaves, goes in zip(joining.parts, joining.gather(leave), going, strict=True):
            self._move_part(part, leaves, goes, boarding=boarding)
        if served.decided is None:
            self._done(number, until_h)
        columns = layout_of(joining, [laid[id(at)] for at in times], horizon_h, who=self.who)
        if decided is not None:
            return kept(columns, decided)
        if not self.spans:
            columns = in_queue_order(joining, columns)
        return ElementVisits(*columns)

    def _move_part(self, part: Part, leave: np.ndarray, decided: np.ndarray | None, *, boarding: bool) -> None:
        block = part.block
        if boarding or block.ready_h is not None:
            if block.ready_h is None:
                block.ready_h = np.full(block.release_h.shape, np.nan)
            cells = part.cells if decided is None else part.cells[decided]
            block.ready_h.ravel()[cells] = (
                part.join_h[slice(None) if decided is None else decided] if boarding else np.nan
            )
        for variant, step, who in part.groups:
            if who is None and decided is None:
                block.move(part.cells, variant, step, part.join_h, leave)
                continue
            mine = np.arange(len(part.cells)) if who is None else who
            if decided is not None:
                mine = mine[decided[mine]]
            if len(mine):
                block.move(part.cells[mine], variant, step, part.join_h[mine], leave[mine])

    def _line(self, run: list[int], parts: list[Part]) -> list[tuple[int, ElementVisits]]:
        """A run of stations that block each other, worked out in one piece."""
        plan = self.plan
        stations = [plan.elements[number] for number in run]
        assert all(isinstance(station, Station) for station in stations)
        joining = merge(parts, self.rows, by_number=self.by_number)
        # Services beyond the first station do not depend on the date (`blocking_lines` sees to that).
        services = [joining.service_h]
        for offset in range(1, len(run)):
            later = np.concatenate([_later_service(part, offset) for part in parts])
            services.append(joining.queued(joining.laid_out(later, 0.0)))
        number = joining.number
        rank = np.argsort(np.argsort(number, axis=1, kind="stable"), axis=1, kind="stable")
        stations_times = queues.line(
            joining.join_h,
            services,
            [station.lanes for station in stations],  # type: ignore[union-attr]
            [None, *(station.yard for station in stations[1:])],  # type: ignore[union-attr]
            number=rank,
            until_h=plan.horizon_h,
        )
        found = []
        for offset, (place, at) in enumerate(zip(run, stations_times, strict=True)):
            there = at.join_h <= plan.horizon_h
            order = np.lexsort((number, np.where(there, at.join_h, np.inf)), axis=-1)
            order = order[:, : int(there.sum(axis=1).max(initial=0))]
            moved = [
                Part(p.block, p.cells, join, p.service_h, [(v, s + offset, who) for v, s, who in p.groups])
                for p, join in zip(parts, joining.gather(joining.back(at.join_h)), strict=True)
            ]
            times = [at.join_h, at.start_h, at.finish_h, at.leave_h, services[offset]]
            columns = layout_of(
                Joining(moved, joining.shape, joining.place, None, times[0], times[1]),
                [joining.back(column) for column in times],
                plan.horizon_h,
            )
            columns = [np.take_along_axis(joining.queued(column), order, axis=1) for column in columns]
            found.append((place, kept(columns, np.take_along_axis(there, order, axis=1))))
            for part, leave in zip(moved, joining.gather(joining.back(at.leave_h)), strict=True):
                came = part.join_h <= plan.horizon_h
                self._move_part(part, leave, came, boarding=False)
        return found

    def finished(self, *, last: bool) -> list[SpanTimes]:
        """Spans of the blocks that are over (with `last`, of all that are left), which are then forgotten.

        A block of which few are under way gives its spans and goes on with these few.
        """
        found: list[SpanTimes] = []
        horizon_h = self.plan.horizon_h
        for f, blocks in enumerate(self.blocks):
            kept = []
            for block in blocks:
                if last or not block.left:
                    found += block.span_times(horizon_h, under_way=True)
                elif block.left < THIN * block.code.size:
                    found += block.span_times(horizon_h, under_way=False)
                    kept.append(block.thinned())
                else:
                    kept.append(block)
            self.blocks[f] = kept
        return found


def _later_service(part: Part, offset: int) -> np.ndarray:
    service = np.empty(len(part.cells))
    for variant, number, who in part.groups:
        mine = slice(None) if who is None else who
        step = part.block.plan.variants[variant].steps[number + offset]
        service[mine] = duration_at(part.block, step, part.cells[mine], part.join_h[mine])
    return service
