"""Where blocks run: in this process, in processes started here, or in any executor that is given.

A worker that dies takes only its blocks with it: those that it may have had in
hand run again, one at a time in another process, and the replication that kills again is
named. An executor of others that broke is left alone; what it still owed runs in
processes started here.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import multiprocessing
import pickle
import queue
import sys
import types
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from corridor_sim.core.errors import CorridorWarning, EngineRefusal, ScenarioError, SimulationError
from corridor_sim.study.execution import BlockResult, Failure, Job, attempt, in_words
from corridor_sim.study.processes import make_pool

GUARD = "the script that calls run() lacks `if __name__ == '__main__':`"
MOST_FAILURES = 8
"""Replications of a block that may fail, and workers that may die, before the rest is not tried any more; assumed."""

Outcome = BlockResult | Failure
Owed = tuple[list[Job], list[Job]]
"""Blocks that were in hand when an executor broke, and those that it was never given."""


def simulated(
    jobs: Sequence[Job], executor: futures.Executor | None, workers: int, *, keep_going: bool = False
) -> Iterator[Outcome]:
    """Blocks as they are finished, in whatever order, and the replications that failed.

    With `keep_going` everything is tried that can be; without it the caller is expected to stop at
    the first failure, so that no time is spent on finding others.

    Raises
    ------
    ScenarioError, EngineRefusal
        If a block says that the input is wrong.
    """
    most = MOST_FAILURES if keep_going else 1
    if executor is not None:
        lost, left = yield from _spread(jobs, executor, most, len(jobs))
        if lost or left:
            told = "the executor broke, as it does when a worker is killed; the rest runs in processes started here"
            warnings.warn(told, CorridorWarning, stacklevel=2)
            yield from _in_own_pools([*lost, *left], workers, most)
    elif workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield from attempt(job, most)
    else:
        yield from _in_own_pools(jobs, workers, most)


def _spread(
    jobs: Iterable[Job], executor: futures.Executor, most: int, at_once: int, *, script: bool = True
) -> Generator[Outcome, None, Owed]:
    """Hand blocks out, `at_once` at a time; workers that start here run the main script again if `script`."""
    left = deque(jobs)
    lost: list[Job] = []
    waiting: dict[futures.Future[list[Outcome]], Job] = {}
    finished: queue.SimpleQueue[futures.Future[list[Outcome]]] = queue.SimpleQueue()
    try:
        while waiting or (left and not lost):
            while left and not lost and len(waiting) < at_once:
                try:
                    with contextlib.nullcontext() if script else _script_aside():
                        future = executor.submit(attempt, left[0], most)
                except futures.BrokenExecutor:
                    lost.append(left.popleft())
                    break
                waiting[future] = left.popleft()
                future.add_done_callback(finished.put)
            if not waiting:
                break
            future = finished.get()
            job = waiting.pop(future)
            try:
                found = future.result()
            except futures.BrokenExecutor:
                lost.append(job)
            except (ScenarioError, EngineRefusal):
                raise
            except Exception as error:  # Whatever an executor says of a worker that it lost.
                yield Failure.of(job, f"its worker gave no answer: {in_words(error)}")
            else:
                yield from found
    finally:
        for future in waiting:
            future.cancel()
    return lost, list(left)


class Ahead(futures.Executor):
    """An executor that is handed the blocks of several runs before each has its turn.

    What a run submits in its turn is the future of the block that was handed out for it, if there is one.
    """

    def __init__(self, executor: futures.Executor) -> None:
        self._executor = executor
        self._given: dict[tuple[int, tuple[int, ...]], futures.Future[list[Outcome]]] = {}
        self._workers = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    @property
    def is_busy(self) -> bool:
        """Whether twice as many blocks as there are workers are still to be done."""
        return sum(not future.done() for future in self._given.values()) >= 2 * self._workers

    def hand_out(self, jobs: Iterable[Job], workers: int, *, keep_going: bool) -> None:
        """Give the executor blocks that will be asked for later."""
        self._workers = workers
        for job in jobs:
            try:
                future = self._executor.submit(attempt, job, MOST_FAILURES if keep_going else 1)
            except futures.BrokenExecutor:
                return  # It is told when their turn comes.
            self._given[id(job.plan), job.replications] = future

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> futures.Future[Any]:
        """The future of a block that was handed out, else that of a new call."""
        if function is attempt and isinstance(arguments[0], Job):
            future = self._given.pop((id(arguments[0].plan), arguments[0].replications), None)
            if future is not None:
                return future
        return self._executor.submit(function, *arguments, **named)

    def cancel(self) -> None:
        """Take back what nobody asked for."""
        for future in self._given.values():
            future.cancel()


def _in_own_pools(jobs: Sequence[Job], workers: int, most: int) -> Iterator[Outcome]:
    """In processes started here, in new ones after one has died."""
    _refuse_in_a_worker()
    left, dead = list(jobs), 0
    while left and dead < most:
        pool = make_pool(min(workers, len(left)), left)
        try:
            # No copy runs the main script.
            script = pool.are_copies or _of_the_script(left[0])
            lost, left = yield from _spread(left, pool, most, 2 * workers, script=script)
        except BaseException:
            pool.stop()
            raise
        if not lost:
            pool.shutdown()
            return
        pool.stop()
        dead = yield from _one_by_one([job.alone() for job in lost], dead, most)
    for job in left:
        yield Failure.of(job, f"not tried after {dead} workers had died")


def _one_by_one(jobs: Iterable[Job], dead: int, most: int) -> Generator[Outcome, None, int]:
    """One block at a time in one process, so that the one that kills it is found; how many have died."""
    waiting = list(jobs)
    while waiting and dead < most:
        of_the_script = _of_the_script(waiting[0])
        pool = make_pool(1)
        try:
            lost, waiting = yield from _spread(waiting, pool, most, 1, script=of_the_script)
        finally:
            pool.stop()
        for job in lost:
            if len(job.replications) > 1:
                waiting = [*job.halves(), *waiting]
                continue
            dead += 1
            advice = "the process was killed: out of memory? try a smaller memory_gb"
            yield Failure.of(job, f"its worker died: {GUARD + ', or ' if of_the_script else ''}{advice}")
    for job in waiting:
        yield Failure.of(job, f"not tried after {dead} workers had died")
    return dead


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
