"""Chunk after chunk of what happened, in little memory whatever the horizon and the replications.

Replications are worked through in blocks, and each block in windows of time where
the plan allows it: all who join an element in a window are there once the
elements before it have been worked through, so only those under way, the queues'
states and the window's draws are held. Plans with cycles or blocking are not cut
in time; they take fewer replications at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from corridor_sim.core.errors import EngineRefusal
from corridor_sim.engines.batch.refusals import blocking_lines, is_cyclic, refusals
from corridor_sim.engines.batch.run import Run
from corridor_sim.engines.batch.whole_runs import simulate
from corridor_sim.plan.elements import Departures, Quota
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import Chunk, IntArray, chunk_of

MOST_ROWS = 512
"""Replications side by side; more gain little and need shorter windows."""
SHORTEST_H = 24.0
"""Windows shorter than a day cost more than fewer replications side by side. [h]"""
DRAWN = 1000
"""Consignments of a flow and a replication that are drawn at once, where memory allows."""
CELLS = 400_000
"""Visits to one busy element in one window, summed over replications: larger ones leave the cache."""


class WindowSource(Protocol):
    """Hands out the consignments of some replications in order of release (`sampling.BlockSampler`)."""

    def next(self, until_h: float) -> SampledInputs:
        """Those released before `until_h` and not handed out yet."""
        ...


class DrawSource(Protocol):
    """What is needed of `sampling.Sampler`."""

    expected: tuple[float, ...]

    @property
    def bytes_per_replication(self) -> float:
        """Size of the inputs of one replication."""
        ...

    def sample(self, replications: Sequence[int]) -> SampledInputs:
        """All draws of some replications."""
        ...

    def stream(self, replications: Sequence[int]) -> WindowSource:
        """The same draws window by window."""
        ...


@dataclass(frozen=True, slots=True)
class Blocks:
    """How a run is cut: replications side by side, hours worked through at once, hours drawn at once."""

    rows: int
    window_h: float
    drawn_h: float


def stream(
    plan: Plan, sampler: DrawSource, replications: Sequence[int], memory_gb: float = 2.0, *, who: bool = False
) -> Iterator[Chunk]:
    """What happened in some replications, each visit and each span in exactly one chunk.

    Parameters
    ----------
    plan : Plan
        What to run.
    sampler : Sampler
        Draws of that plan.
    replications : sequence of int
        Which ones.
    memory_gb : float
        About what may be held at once. A smaller budget means more, smaller chunks and the
        same bits. [GB]
    who : bool
        Whether visits say whose they are: `index` and `step` of their tables are -1 otherwise.
        Indicators need not know, and finding out costs a tenth of the time.

    Yields
    ------
    Chunk

    Raises
    ------
    EngineRefusal
        Before any work, if the plan uses a mechanism that `refusals` names.
    """
    found = refusals(plan)
    if found:
        raise EngineRefusal("batch", found)
    return _chunks(plan, sampler, list(replications), memory_gb, who=who)


def _chunks(
    plan: Plan, sampler: DrawSource, replications: list[int], memory_gb: float, *, who: bool
) -> Iterator[Chunk]:
    if not replications:
        return
    cut = cut_of(plan, sampler, len(replications), memory_gb)
    whole = is_cyclic(plan) or bool(blocking_lines(plan))
    for first in range(0, len(replications), cut.rows):
        rows = replications[first : first + cut.rows]
        if whole:
            inputs = sampler.sample(rows)
            yield chunk_of(simulate(plan, inputs), inputs.outages, whole=True)
        else:
            yield from windows(plan, sampler.stream(rows), rows, cut.window_h, cut.drawn_h, who=who)


def windows(
    plan: Plan, source: WindowSource, rows: Sequence[int], window_h: float, drawn_h: float, *, who: bool = False
) -> Iterator[Chunk]:
    """The chunks of one block of replications, window after window, element after element.

    `drawn_h` is how much is drawn at once, at least a window.

    Raises
    ------
    ValueError
        If a window has no length.
    """
    if not window_h > 0:
        raise ValueError(f"window_h must be > 0, got {window_h}")
    numbers = np.asarray(rows, dtype=np.int64)
    handed: list[IntArray] = [np.zeros(len(rows), dtype=np.int64) for _ in plan.flows]
    run: Run | None = None
    until_h, drawn_until_h, last = 0.0, 0.0, False
    while not last:
        until_h = until_h + window_h
        last = until_h >= plan.horizon_h
        if until_h > drawn_until_h:
            drawn_until_h = max(until_h, drawn_until_h + drawn_h)
            inputs = source.next(math.inf if drawn_until_h >= plan.horizon_h else drawn_until_h)
            if run is None:
                run = Run(plan, inputs, records=False, who=who)
            run.renew(inputs)
            run.feed(inputs.flows, handed)
            handed = [before + drawn.count for before, drawn in zip(handed, inputs.flows, strict=True)]
        assert run is not None
        known_h, worked = math.inf if last else until_h, 0
        for found in run.advance(run.end_h if last else until_h, last=last):
            worked = found.element + 1
            settled = worked, known_h
            yield Chunk(plan, numbers, found.visits, found.spans, found.waiting, settled, run.inputs.outages)
            # The reader has finished with this chunk: its memory is for the next one.
            del found
        if worked < len(plan.elements):
            yield Chunk(plan, numbers, (), (), (), (len(plan.elements), known_h), run.inputs.outages)


def cut_of(plan: Plan, sampler: DrawSource, replications: int, memory_gb: float) -> Blocks:
    """How many replications go side by side, and how many hours at once, within a budget."""
    horizon_h = max(plan.horizon_h, 1.0)
    expected = max(sum(sampler.expected), 1.0)
    visits = [0.0] * len(plan.elements)
    held = longest_h = 0.0
    for flow, count in zip(plan.flows, sampler.expected, strict=True):
        steps = [step for variant in flow.variants for step in variant.steps]
        for step in steps:
            visits[step.element] += count / len(flow.variants)
        spans = max((len(variant.spans) for variant in flow.variants), default=0)
        held += count * (40 + 16 * spans)
        for variant in flow.variants:
            longest_h = max(longest_h, sum(_stay_h(plan, step.element, step.laws) for step in variant.steps))
    held += sampler.bytes_per_replication
    # Per visit at the busiest element its table and the arrays at work there: elements come one by one.
    window = max(visits, default=0.0) * 700
    budget = 0.7 * memory_gb * 1e9
    if is_cyclic(plan) or blocking_lines(plan):
        rows = int(budget / (3 * (held + window + sum(visits) * 64)))
        return Blocks(max(1, min(rows, replications, MOST_ROWS)), horizon_h, horizon_h)
    per_h, work_per_h = held / horizon_h, window / horizon_h
    busiest = max(max(visits, default=0.0), expected / max(len(plan.flows), 1), 1.0) / horizon_h
    rows = max(1, min(replications, MOST_ROWS))
    while True:
        # What is held: those under way, two windows of new ones, what one element takes.
        room_h = (budget / rows - per_h * longest_h) / max(2 * per_h + work_per_h, 1e-9)
        if rows == 1 or room_h >= SHORTEST_H:
            break
        rows = max(1, min(rows - 1, int(rows * 0.75)))
    # A budget that has no room for a day of one replication is not kept: shorter windows would not end.
    window_h = max(min(CELLS / (rows * busiest), max(room_h, SHORTEST_H)), 1.0)
    # Equal blocks of replications: the last one is as full as the others.
    rows = math.ceil(replications / math.ceil(replications / rows))
    window_h = min(window_h, horizon_h)
    # Draws of short windows are made for several at once, so that the calls weigh little.
    many = DRAWN * len(plan.flows) / expected * horizon_h
    fits = 0.1 * budget / (rows * max(sampler.bytes_per_replication, 1.0)) * horizon_h
    return Blocks(rows, window_h, window_h * max(1, math.ceil(min(many, fits) / window_h)))


def _stay_h(plan: Plan, element: int, laws: Sequence[tuple[float, object]]) -> float:
    """About how long one is at an element, without the queue."""
    longest = max((float(getattr(law, "mean_h", 1.0)) for _, law in laws), default=0.0)
    thing = plan.elements[element]
    if isinstance(thing, Departures):
        crossing = float(getattr(thing.crossing, "mean_h", 0.0)) if thing.crossing is not None else 0.0
        return crossing + (plan.horizon_h / max(len(thing.depart_h), 1) if not thing.when_full else 24.0)
    return longest + (24.0 if isinstance(thing, Quota) else 0.0)
