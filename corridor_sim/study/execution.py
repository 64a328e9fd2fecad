"""Blocks of replications, sampled, simulated and reduced: here, in workers or in any executor.

Which block runs where and when does not show in the answers. A worker that dies
takes only its block with it: what is left runs one block a process, and the
block that kills again is named.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corridor_sim.core.errors import SimulationError
from corridor_sim.indicators import Collector, Options
from corridor_sim.indicators.table import Table
from corridor_sim.plan.plan import Plan
from corridor_sim.records.visits import IntArray, Records, chunk_of, stack
from corridor_sim.sampling.sampler import Sampler

SMALL = {"event": 3e4, "batch": 3e6}
"""Expected visits up to which a run stays in this process: starting workers would take longer."""

FIXED_GB = 0.14
"""What a process takes whatever it runs: the library, and what the indicators hold back. [GB]"""


@dataclass(frozen=True, slots=True)
class Job:
    """One block of replications, all that a worker needs."""

    plan: Plan
    root: int
    replications: tuple[int, ...]
    engine: str
    indicators: tuple[str, ...]
    modules: tuple[str, ...]
    options: Options
    memory_gb: float
    keep_records: bool


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a worker hands back."""

    table: Table
    visits: IntArray
    records: Records | None


def simulate_block(job: Job) -> BlockResult:
    """Sample, simulate and reduce one block of replications; runs in workers too."""
    for module in job.modules:
        importlib.import_module(module)
    collector = Collector(job.plan, job.replications, job.indicators, job.options)
    sampler = Sampler(job.plan, job.root, memory_gb=max(job.memory_gb, 1.0) * 4)
    kept: Records | None = None
    if job.engine == "batch":
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
    return BlockResult(collector.finish(), collector.visits, kept)


def how_many_workers(executor: futures.Executor | None, workers: int | None, engine: str, expected: float) -> int:
    """Workers to cut the run for: those asked for, else one for short runs and all cores for long ones."""
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be >= 1, got {workers}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if executor is not None:
        return int(getattr(executor, "_max_workers", None) or workers or cores)
    if workers is not None:
        return workers
    return 1 if expected <= SMALL[engine] else cores


def cut_in_blocks(job: Job, numbers: Sequence[int], workers: int, *, in_steps: bool) -> list[tuple[int, ...]]:
    """Replications cut into blocks: enough for the workers, small enough for the memory."""
    if not numbers:
        return []
    held = Collector(job.plan, [0], job.indicators, job.options).nbytes
    fits = max(1, int(0.4 * job.memory_gb * 1e9 / workers / max(held, 1)))
    most = 512 if job.engine == "batch" else 16
    size = min(fits, most, -(-len(numbers) // workers))
    if job.engine == "event" and (workers > 1 or in_steps):
        # Small blocks keep all workers busy to the end and lose little when interrupted.
        size = 1
    elif in_steps:
        size = min(size, max(1, -(-len(numbers) // 8)))
    return [tuple(numbers[k : k + size]) for k in range(0, len(numbers), size)]


def simulated(jobs: Sequence[Job], executor: futures.Executor | None, workers: int) -> Iterator[BlockResult]:
    """Blocks as they are finished, in whatever order.

    Raises
    ------
    SimulationError
        If a block failed, or the process that ran it died; it is named.
    """
    if executor is not None:
        yield from _finished(jobs, executor)
    elif workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield _attempt(job)
    else:
        _refuse_in_a_worker()
        pool = _pool(min(workers, len(jobs)))
        done: set[tuple[int, ...]] = set()
        try:
            for block in _finished(jobs, pool, script=_of_the_script(jobs[0])):
                done.add(tuple(block.table.replications.tolist()))
                yield block
        except futures.BrokenExecutor:
            _stop(pool)
            yield from _one_by_one([job for job in jobs if job.replications not in done])
        except BaseException:
            _stop(pool)
            raise
        else:
            pool.shutdown()


def _attempt(job: Job) -> BlockResult:
    try:
        return simulate_block(job)
    except (MemoryError, ArithmeticError, LookupError) as error:
        raise SimulationError(f"{_named(job)}: {type(error).__name__}: {error}") from error


def _named(job: Job) -> str:
    first, last = job.replications[0], job.replications[-1]
    which = f"replication {first}" if first == last else f"replications {first}-{last}"
    return f"scenario {job.plan.name or 'run'!r}, {which}, engine {job.engine}"


def _finished(jobs: Sequence[Job], executor: futures.Executor, *, script: bool = True) -> Iterator[BlockResult]:
    """Blocks in order of completion; workers that start here run the main script again if `script`."""
    with contextlib.nullcontext() if script else _script_aside():
        waiting = {executor.submit(_attempt, job): job for job in jobs}
    try:
        for future in futures.as_completed(waiting):
            yield future.result()
    finally:
        for future in waiting:
            future.cancel()


def _one_by_one(jobs: Sequence[Job]) -> Iterator[BlockResult]:
    """After a worker has died: each block in a process of its own, so that the killer is found."""
    for job in jobs:
        pool = _pool(1)
        try:
            yield from _finished([job], pool, script=_of_the_script(job))
        except futures.BrokenExecutor:
            advice = "the process was killed: out of memory? try a smaller memory_gb"
            if _of_the_script(job):
                advice = f"{GUARD}, or {advice}"
            raise SimulationError(f"{_named(job)}: its worker died: {advice}") from None
        finally:
            _stop(pool)


GUARD = "the script that calls run() lacks `if __name__ == '__main__':`"


def _of_the_script(job: Job) -> bool:
    """Whether a job holds something that the main script defines, so that a worker has to run it again."""
    main = sys.modules.get("__main__")
    return getattr(main, "__file__", None) is not None and b"__main__" in pickle.dumps(job)


@contextlib.contextmanager
def _script_aside() -> Iterator[None]:
    """Processes that start within this do not run the main script again, so that it needs no guard."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _refuse_in_a_worker() -> None:
    """Raise SimulationError in a process that is running the main script again."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SimulationError(f"{GUARD}: a worker came by it when it ran the script again")


def _pool(workers: int) -> futures.ProcessPoolExecutor:
    return futures.ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
    )


def _ignore_interrupts() -> None:
    """An interrupt is the business of the main process, which stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(pool: futures.ProcessPoolExecutor) -> None:
    processes = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with contextlib.suppress(Exception):
            process.terminate()
