"""Blocks of replications: how a run is cut, and how one block is sampled, simulated and reduced.

Which block runs where and when (`workers.py`) does not show in the answers. A
replication that fails is named and takes no other with it.
"""

from __future__ import annotations

import concurrent.futures as futures
import importlib
import os
import traceback
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from corridor_sim.core.errors import EngineRefusal, ScenarioError
from corridor_sim.indicators import Collector, Options
from corridor_sim.indicators.same_places import tables_together
from corridor_sim.indicators.table import Table, join
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.shared_part import SharedPart
from corridor_sim.records.visits import IntArray, Records, chunk_of, stack
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.study.cluster import Width, width_of

if TYPE_CHECKING:
    from corridor_sim.engines import compiled

SMALL = {"event": 3e4, "batch": 3e6, "compiled": 8e6}
"""Expected visits up to which a run stays in this process: starting workers would take longer."""

EARNED = {"batch": 5e7, "event": 3e6}
"""Expected visits from which a run takes the compiled pass instead of another engine.

Compiling costs some 15 s of CPU once on a machine. The pass saves about 90 ns a visit against batch, so it is
earned by three such runs, and some 10 us against event (four-stage border and year_2026_base, one core).
"""

FIXED_GB = 0.14
"""What a process takes whatever it runs: the library, and what the indicators hold back. [GB]"""


@dataclass(frozen=True, slots=True)
class Job:
    """One block of replications, all that a worker needs.

    `beside` are blocks of other plans, of the same replications, that the compiled pass works through together
    with this one, each from where it differs; `shared` is what of such a plan goes as in this one.
    """

    plan: Plan
    root: int
    replications: tuple[int, ...]
    engine: str
    indicators: tuple[str, ...]
    modules: tuple[str, ...]
    options: Options
    memory_gb: float
    keep_records: bool
    beside: tuple[Job, ...] = ()
    shared: SharedPart | None = None
    sizes: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    """What was asked of it so far and is the same for each of its copies. [bytes]"""

    def of(self, replications: Sequence[int]) -> Job:
        """The same job with other replications, those beside it too."""
        some = tuple(replications)
        return replace(self, replications=some, beside=tuple(job.of(some) for job in self.beside))

    def alone(self) -> Job:
        """The same block with none beside it."""
        return replace(self, beside=())

    def halves(self) -> tuple[Job, Job]:
        """The same block in two."""
        middle = len(self.replications) // 2
        return self.of(self.replications[:middle]), self.of(self.replications[middle:])

    @property
    def bytes_per_replication(self) -> int:
        """What the reducers hold, of those beside it too. [bytes]"""
        if "reducers" not in self.sizes:
            self.note_reducers(Collector(self.plan, [0], self.indicators, self.options))
        return self.sizes["reducers"] + sum(job.bytes_per_replication for job in self.beside)

    def note_reducers(self, collector: Collector) -> None:
        """Note what one replication is reduced by takes, and let go of it."""
        self.sizes["reducers"] = max(collector.nbytes, 1)
        collector.release()


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a worker hands back.

    `simulated` are the visits that were simulated for it, by replication, where the others were taken from another
    plan; None: all. `beside` are the results of the jobs beside its own.
    """

    table: Table
    visits: IntArray
    records: Records | None
    simulated: IntArray | None = None
    beside: tuple[BlockResult, ...] = ()


def gather(found: list[BlockResult], block: BlockResult) -> None:
    """Add a block to those of a run; blocks that together are no larger become one, so that few are held.

    What every block holds besides its values, the counts by value, is then held a few times in all.
    """
    if found and found[0].table.labels == block.table.labels:
        # Held once.
        block = replace(block, table=replace(block.table, labels=found[0].table.labels))
    found.append(block)
    while len(found) > 1 and len(found[-2].visits) <= len(found[-1].visits):
        one, other = found[-2:]
        if one.records is not None or (one.simulated is None) != (other.simulated is None):
            break
        order = np.argsort(np.concatenate([one.table.replications, other.table.replications]))
        simulated = None
        if one.simulated is not None and other.simulated is not None:
            simulated = np.concatenate([one.simulated, other.simulated])[order]
        visits = np.concatenate([one.visits, other.visits])[order]
        found[-2:] = [BlockResult(join([one.table, other.table]), visits, None, simulated)]


@dataclass(frozen=True, slots=True)
class Failure:
    """Replications that came to nothing, and why; `details` is the traceback, if there is one."""

    scenario: str
    replications: tuple[int, ...]
    engine: str
    reason: str
    details: str = ""

    @classmethod
    def of(cls, job: Job, reason: str, details: str = "") -> Failure:
        """That of all replications of a block."""
        return cls(job.plan.name or "run", job.replications, job.engine, reason, details)

    def __str__(self) -> str:
        first, last = self.replications[0], self.replications[-1]
        which = f"replication {first}" if first == last else f"replications {first}-{last}"
        return f"scenario {self.scenario!r}, {which}, engine {self.engine}: {self.reason}"


def attempt(job: Job, most: int) -> list[BlockResult | Failure]:
    """A block, cut in halves where something is raised until the replication that raises it is found.

    After `most` replications have failed, the rest of the block is not tried any more. Where plans beside it were
    worked through too, it is tried alone first: theirs may have been the fault.

    Raises
    ------
    ScenarioError, EngineRefusal
        As they come: the input is wrong, not a replication.
    """
    found: list[BlockResult | Failure] = []
    waiting, failed = deque([job]), 0
    while waiting:
        one = waiting.popleft()
        if failed >= most:
            found.append(Failure.of(one, f"not tried after {failed} had failed"))
            continue
        try:
            found.append(simulate_block(one))
            continue
        except (ScenarioError, EngineRefusal):
            if not one.beside:
                raise
            reason = details = ""
        except Exception as error:
            reason, details = in_words(error), traceback.format_exc()
        if one.beside:
            waiting.appendleft(one.alone())
        elif len(one.replications) > 1:
            waiting.extendleft(reversed(one.halves()))
        else:
            failed += 1
            found.append(Failure.of(one, reason, details))
    return found


def in_words(error: BaseException) -> str:
    """Kind and first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def simulate_block(job: Job) -> BlockResult:
    """Sample, simulate and reduce one block of replications; runs in workers too."""
    for module in job.modules:
        importlib.import_module(module)
    collector = Collector(job.plan, job.replications, job.indicators, job.options)
    sampler = Sampler(job.plan, job.root, memory_gb=max(job.memory_gb, 1.0) * 4)
    kept: Records | None = None
    if job.engine == "compiled":
        from corridor_sim.engines import compiled

        collectors = [Collector(one.plan, one.replications, one.indicators, one.options) for one in job.beside]
        others = [
            compiled.Other(one.plan, Sampler(one.plan, one.root), theirs, one.shared)
            for one, theirs in zip(job.beside, collectors, strict=True)
        ]
        compiled.reduce(job.plan, sampler, job.replications, collector, others=others)
        if others:
            return _with_others(collector, others)
    elif job.engine == "batch":
        from corridor_sim.engines import batch

        if job.keep_records:
            inputs = sampler.sample(job.replications)
            kept = batch.simulate(job.plan, inputs)
            collector.add(chunk_of(kept, inputs.outages, whole=True))
        else:
            # The reducers have their share of the budget (`cut_in_blocks`); what is left must not vanish.
            left_gb = max(job.memory_gb - collector.nbytes / 1e9 - FIXED_GB, 0.4 * job.memory_gb)
            for chunk in batch.stream(job.plan, sampler, job.replications, left_gb):
                collector.add(chunk)
                del chunk
    else:
        from corridor_sim.engines import event

        parts = []
        for replication in job.replications:
            inputs = sampler.sample([replication])
            records = event.simulate(job.plan, inputs)
            collector.add(chunk_of(records, inputs.outages, whole=True))
            if job.keep_records:
                parts.append(records)
        kept = stack(job.plan, parts) if parts else None
    table = collector.finish()
    collector.release()
    return BlockResult(table, collector.visits, kept)


def _with_others(collector: Collector, others: Sequence[compiled.Other]) -> BlockResult:
    """The tables of a base and of those worked through with it, each row that they have in common made once."""
    table, *tables = tables_together(collector, [(one.collector, one.goes_as) for one in others])
    beside = [
        BlockResult(theirs, one.collector.visits, None, simulated=one.again)
        for one, theirs in zip(others, tables, strict=True)
    ]
    collector.release()
    return BlockResult(table, collector.visits, None, beside=tuple(beside))


def width_to_cut_for(executor: futures.Executor | None, workers: int | None, engine: str, expected: float) -> Width:
    """Workers to cut the run for: those of the executor or asked for, else one for short runs, all cores for long."""
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be >= 1, got {workers}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if executor is not None:
        return width_of(executor, workers, cores)
    if workers is None:
        workers = 1 if expected <= SMALL[engine] else cores
    return Width(workers, workers)


REDUCED_GB = 0.028
"""Most that the reducers of one plan hold in a block of the compiled pass, which holds one replication besides. [GB]"""
WORTH_A_BLOCK = 4
"""Replications that a block should have, so that ending the tables of its plans weighs little."""


def room_beside(job: Job, workers: int) -> int:
    """How many like it fit into the memory beside a job, in blocks of a size that is worth it."""
    return max(int(0.4 * job.memory_gb * 1e9 / workers / job.bytes_per_replication / WORTH_A_BLOCK) - 1, 0)


def cut_in_blocks(job: Job, numbers: Sequence[int], workers: int, *, in_steps: bool) -> list[tuple[int, ...]]:
    """Replications cut into blocks: enough for the workers, small enough for the memory."""
    if not numbers:
        return []
    each = job.bytes_per_replication
    fits = max(1, int(0.4 * job.memory_gb * 1e9 / workers / each))
    most = 16 if job.engine == "event" else 512
    if job.engine == "compiled":
        # Its own reducers alone: with plans beside it a block is as long as without, so that no table is ended twice.
        own = each if not job.beside else job.alone().bytes_per_replication
        most = min(most, max(WORTH_A_BLOCK, int(REDUCED_GB * 1e9 / own)))
    size = min(fits, most, -(-len(numbers) // workers))
    # As many blocks as that takes, all about as long.
    size = -(-len(numbers) // -(-len(numbers) // size))
    if job.engine == "event" and (workers > 1 or in_steps):
        # Small blocks keep all workers busy to the end and lose little when interrupted.
        size = 1
    elif in_steps:
        size = min(size, max(1, -(-len(numbers) // 8)))
    return [tuple(numbers[k : k + size]) for k in range(0, len(numbers), size)]
