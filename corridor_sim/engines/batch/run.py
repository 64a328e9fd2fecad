"""A plan worked through element by element, in blocks of time or in one.

`Run` holds the state of a block of replications. Consignments are fed as they are
released; `advance` then takes every element, in topological order, through all who
join it before an instant. Those who leave later wait for the next advance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.engines import queues
from corridor_sim.engines.batch.merging import Joining, concatenated, merge
from corridor_sim.engines.batch.reading import served as as_read
from corridor_sim.engines.batch.refusals import blocking_lines
from corridor_sim.engines.batch.servers import DelayServer, DeparturesServer, Served, Server, server_for
from corridor_sim.engines.batch.tables import by_horizon, table_of, unknown, visits_of
from corridor_sim.engines.batch.under_way import (
    Cohort,
    DrawnBlock,
    JoiningCohort,
    Route,
    joined,
    joining_cohort,
)
from corridor_sim.engines.queues.layout import IntArray
from corridor_sim.plan.elements import Departures, Station
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import NUMBER_PER_FLOW, FlowInputs, SampledInputs
from corridor_sim.records.visits import ElementVisits, Joined, SpanTimes, Visits

THIN = 0.125
"""Share of a block under way below which the draws of the others are dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What became known at one element: flat tables for chunks, or one matrix for records; spans that are over.

    `waiting` are those who joined since the last advance and are not decided yet.
    """

    element: int
    visits: tuple[Visits, ...]
    table: ElementVisits | None
    spans: tuple[SpanTimes, ...]
    waiting: tuple[Joined, ...] = ()


class Run:
    """A block of replications of one plan under way.

    Parameters
    ----------
    plan : Plan
        A plan that `refusals` has nothing against.
    inputs : SampledInputs
        Replications, outages, crossings and cancellations; its flows are not looked at.
    records : bool
        Give the matrices of records and journeys, else flat visits, journeys and spans.
    who : bool
        Whether tables say which consignment made a visit, and at which step (else -1).
    """

    def __init__(self, plan: Plan, inputs: SampledInputs, *, records: bool, who: bool = True) -> None:
        self.plan, self.inputs, self.records, self.who = plan, inputs, records, who
        self.rows = len(inputs.replications)
        self.end_h = float(np.nextafter(plan.horizon_h, np.inf))
        self.routes = [[Route(variant, spans=not records) for variant in flow.variants] for flow in plan.flows]
        # Of each flow, itinerary and step: who is on the way to it.
        self.coming: list[list[list[list[Cohort]]]] = [
            [[[] for _ in route.steps] for route in routes] for routes in self.routes
        ]
        self.places: list[list[tuple[int, int, int]]] = [[] for _ in plan.elements]
        for f, routes in enumerate(self.routes):
            for v, route in enumerate(routes):
                for s, step in enumerate(route.steps):
                    self.places[step.element].append((f, v, s))
        self.blocks = 0
        self.servers: dict[int, Server] = {}
        self.changes_h = plan.duration_changes_h()
        self.lines = {run[0]: run for run in blocking_lines(plan)}
        self.inner = {number for run in self.lines.values() for number in run[1:]}
        self.by_number = False
        self.since_h = -np.inf
        self.over: list[SpanTimes] = []

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
            variants = range(len(self.routes[f]))
            there = (drawn.variant.ravel() >= 0) & (drawn.release_h.ravel() <= self.plan.horizon_h)
            block = DrawnBlock.of(f, self.plan.flows[f], self.blocks, drawn, index, int(np.count_nonzero(there)))
            self.blocks += 1
            for v in variants:
                mine = there if len(variants) == 1 else there & (drawn.variant.ravel() == v)
                cells = np.flatnonzero(mine)
                if len(cells):
                    self._queue_for_step(Cohort(block, v, 0, cells, block.release_h[cells]))

    def renew(self, inputs: SampledInputs) -> None:
        """Take over draws of elements that have grown longer (crossings of departures when full)."""
        self.inputs = inputs
        for number, server in self.servers.items():
            if isinstance(server, DeparturesServer):
                server.crossing_h = inputs.crossing_h.get(number)

    def advance(self, until_h: float, *, last: bool) -> Iterator[Found]:
        """Work out everything that joins before `until_h`; with `last`, none come after.

        Yields what became known element by element, so that what is known of one can be dealt
        with before the next are worked out.
        """
        for number in range(len(self.plan.elements)):
            if number in self.inner:
                continue
            parts = self._parts(number, until_h)
            if parts and number in self.lines:
                yield from self._line(self.lines[number], parts)
            elif parts:
                yield self._serve(number, parts, until_h, last=last)
            elif self.over:
                # No consignment took the step, but some passed it.
                yield Found(number, (), None, self._over())
        self.since_h = until_h
        self._thin()

    def _over(self) -> tuple[SpanTimes, ...]:
        over, self.over = tuple(self.over), []
        return over

    def _queue_for_step(self, cohort: Cohort) -> None:
        """Put a cohort in the queue for its step, or end its journey after the last step."""
        steps = self.coming[cohort.block.flow][cohort.variant]
        if cohort.step < len(steps):
            steps[cohort.step].append(cohort)
        else:
            self._end_journey(cohort, cohort.time_h)

    def _end_journey(self, cohort: Cohort, depart_h: FloatArray) -> None:
        """Record journeys that are over, or that will not go on by the horizon, with the spans under way."""
        for k, begin in cohort.begin_h.items():
            self._span(cohort, k, begin, np.full(len(begin), np.nan))
        self._span(cohort, -1, cohort.block.release_h[cohort.cells], depart_h)
        cohort.block.left -= len(cohort.cells)

    def _span(self, cohort: Cohort, span: int, begin_h: FloatArray, end_h: FloatArray) -> None:
        cells, end_h = cohort.cells, by_horizon(end_h, self.plan.horizon_h)
        begun = begin_h == begin_h
        if not begun.all():
            cells, begin_h, end_h = cells[begun], begin_h[begun], end_h[begun]
        if len(cells):
            count = cohort.block.count(cells)
            index = cohort.block.index[cells] if self.who else unknown(len(cells))
            self.over.append(SpanTimes(cohort.block.flow, cohort.variant, span, count, index, begin_h, end_h))

    def _parts(self, number: int, until_h: float) -> list[JoiningCohort]:
        """Those who join an element before an instant, in order of flow, block and itinerary."""
        parts = []
        for f, v, s in self.places[number]:
            coming = self.coming[f][v]
            together: dict[int, list[Cohort]] = {}
            for cohort in coming[s]:
                together.setdefault(id(cohort.block), []).append(cohort)
            coming[s] = []
            for cohorts in together.values():
                here, rest = joined(cohorts).split(until_h)
                if rest is not None:
                    coming[s].append(rest)
                if here is None:
                    continue
                part = joining_cohort(here)
                if part is None:
                    self._advance_step(here, here.time_h)
                else:
                    parts.append(part)
        return sorted(parts, key=lambda part: (part.block.flow, part.block.serial))

    def _advance_step(self, cohort: Cohort, leave_h: FloatArray) -> None:
        """Let all of a cohort, whose spans have been opened, come to the next step."""
        after = Cohort(
            cohort.block, cohort.variant, cohort.step + 1, cohort.cells, leave_h, dict(cohort.begin_h), cohort.ready_h
        )
        for k in self.routes[cohort.block.flow][cohort.variant].closes[cohort.step]:
            begin = after.begin_h.pop(k, None)
            if begin is not None:
                self._span(after, k, begin, leave_h)
        on_time, late = after.split(self.end_h)
        if late is not None:
            self._end_journey(late, late.time_h)
        if on_time is not None:
            self._queue_for_step(on_time)

    def _leave(self, part: JoiningCohort, leave_h: FloatArray, *, boarding: bool = False) -> None:
        """Send a part on, with those of its cohort who have passed the step by."""
        # Why as one: a cohort is split by time only. Those who skip the step go on in the same cohort, so that its
        # cells stay in ascending order; the columns are written at the places of those who took the step alone.
        cohort, join_h = part.cohort, part.join_h
        all_join = len(part.cells) == len(cohort.cells)
        who = slice(None) if all_join else part.positions

        def written(before: FloatArray | None, values: FloatArray) -> FloatArray:
            if all_join:
                return values
            after = np.full(len(cohort.cells), np.nan) if before is None else before.copy()
            after[who] = values
            return after

        for k, begun in self.routes[cohort.block.flow][cohort.variant].opens[cohort.step]:
            before = cohort.begin_h.get(k)
            if begun and before is not None:
                cohort.begin_h[k] = written(before, np.where(np.isnan(before[who]), join_h, before[who]))
            else:
                cohort.begin_h[k] = written(None, join_h)
        if boarding:
            cohort.ready_h = written(cohort.ready_h, join_h)
        elif cohort.ready_h is not None:
            cohort.ready_h = None if all_join else written(cohort.ready_h, np.full(len(join_h), np.nan))
        self._advance_step(cohort, written(cohort.time_h, leave_h))

    def _server(self, number: int) -> Server:
        if number not in self.servers:
            self.servers[number] = server_for(self.plan, number, self.inputs)
        return self.servers[number]

    def _serve(self, number: int, parts: list[JoiningCohort], until_h: float, *, last: bool) -> Found:
        """Those who join an element, served and sent on."""
        element, server = self.plan.elements[number], self._server(number)
        if isinstance(server, DelayServer) and not self.records:
            return self._free(number, parts)
        joining = merge(parts, self.rows, by_number=self.by_number)
        served = as_read(server, joining, self.changes_h[number], self.plan.horizon_h, until_h, last=last)
        boarding = isinstance(element, Departures) and element.landing == "boarding"
        if self.records:
            # The whole run at once: no start is left undecided.
            times = (joining.join_h, served.start_h, served.finish_h, served.leave_h, served.service_h)
            for part, leave in zip(parts, joining.by_part(joining.flat(served.leave_h)), strict=True):
                self._leave(part, leave, boarding=boarding)
            return Found(number, (), table_of(joining, times, self.plan.horizon_h), self._over())
        visits, waiting = [], []
        decided = None if served.decided is None else joining.by_part(joining.flat(served.decided))
        for k, (part, *own) in enumerate(zip(parts, *_by_part(joining, served), strict=True)):
            going, times_h = part, own
            if decided is not None and not decided[k].all():
                going, staying = part.settled(decided[k])
                new = ~decided[k] & (part.join_h >= self.since_h)
                waiting.append(Joined(number, part.block.count(part.cells[new]), part.join_h[new]))
                times_h = [column[decided[k]] for column in own]
                self._queue_for_step(staying)
            if len(going.cells):
                visits.append(self._visits(number, going, times_h))
            if len(going.cohort.cells):
                self._leave(going, times_h[2], boarding=boarding)
        return Found(number, tuple(visits), None, self._over(), tuple(waiting))

    def _free(self, number: int, parts: list[JoiningCohort]) -> Found:
        """No consignment waits for another, so no queue is needed."""
        visits = []
        for part in parts:
            leave = part.join_h + part.service_h
            visits.append(self._visits(number, part, (part.join_h, leave, leave, part.service_h)))
            self._leave(part, leave)
        return Found(number, tuple(visits), None, self._over())

    def _visits(self, number: int, part: JoiningCohort, times: Sequence[FloatArray]) -> Visits:
        return visits_of(number, part, times, self.plan.horizon_h, who=self.who)

    def _line(self, run: list[int], parts: list[JoiningCohort]) -> Iterator[Found]:
        """A run of stations that block each other, worked out in one piece."""
        plan = self.plan
        stations = [plan.elements[number] for number in run]
        assert all(isinstance(station, Station) for station in stations)
        joining = merge(parts, self.rows, by_number=self.by_number)
        services = [_in_line(joining, offset, joining.join_h) for offset in range(len(run))]
        rank = np.argsort(np.argsort(joining.number, axis=1, kind="stable"), axis=1, kind="stable")
        changes = any(self.changes_h[number] for number in run)
        while True:
            stations_times = queues.line(
                joining.join_h,
                services,
                [station.lanes for station in stations],  # type: ignore[union-attr]
                [None, *(station.yard for station in stations[1:])],  # type: ignore[union-attr]
                number=rank,
                until_h=plan.horizon_h,
            )
            # Read as they start, or as they join where they do not (D13); see `reading`.
            before = services
            at_h = [np.where(at.start_h < np.inf, at.start_h, at.join_h) for at in stations_times]
            services = [_in_line(joining, offset, at) for offset, at in enumerate(at_h)] if changes else before
            if all(np.array_equal(new, old) for new, old in zip(services, before, strict=True)):
                break
        for offset, (number, at, service) in enumerate(zip(run, stations_times, services, strict=True)):
            times = (at.join_h, at.start_h, at.finish_h, at.leave_h, service)
            yield Found(number, (), table_of(joining, times, plan.horizon_h, offset), ())
        for part, leave in zip(parts, joining.by_part(joining.flat(stations_times[-1].leave_h)), strict=True):
            part.cohort.step += len(run) - 1
            self._leave(part, leave)
        yield Found(run[-1], (), None, self._over())

    def _thin(self) -> None:
        """Drop the draws of the others where few of a block are under way."""
        kept: dict[int, list[Cohort]] = {}
        places = [cohorts for flow in self.coming for variant in flow for cohorts in variant]
        for cohorts in places:
            for cohort in cohorts:
                if cohort.block.left < THIN * cohort.block.size:
                    kept.setdefault(id(cohort.block), []).append(cohort)
        for few in kept.values():
            cells = np.sort(np.concatenate([cohort.cells for cohort in few]))
            thin = few[0].block.thinned(cells)
            for cohort in few:
                cohort.block, cohort.cells = thin, np.searchsorted(cells, cohort.cells)


def _by_part(joining: Joining, served: Served) -> list[list[FloatArray]]:
    """Start, finish, leave and service of each part; what is two in one is worked out once."""
    known = {
        id(joining.join_h): [part.join_h for part in joining.parts],
        id(joining.service_h): [part.service_h for part in joining.parts],
    }
    columns = []
    for times in (served.start_h, served.finish_h, served.leave_h, served.service_h):
        if id(times) not in known:
            known[id(times)] = joining.by_part(joining.flat(times))
        columns.append(known[id(times)])
    return columns


def _in_line(joining: Joining, offset: int, at_h: FloatArray) -> FloatArray:
    """Durations, so many steps further on, as read at some instants in queue order (infinite: at joining the first)."""
    by_part = zip(joining.parts, joining.by_part(joining.flat(at_h)), strict=True)
    return joining.queued(concatenated([part.started(at, offset) for part, at in by_part]), 0.0)
