"""Calls of one function spread over processes or an executor: results as they come, the same for any of them.

For many small runs of different scenarios, where `workers.py` is for the blocks of one. What all
calls share travels to a process once.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import functools
import os
import pickle
import queue
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, TypeVar

from corridor_sim.core.errors import CorridorError, CorridorWarning, SimulationError
from corridor_sim.study.cluster import width_of
from corridor_sim.study.execution import in_words
from corridor_sim.study.processes import WorkerPool, make_pool, may_copy
from corridor_sim.study.workers import _refuse_in_a_worker, _script_aside

Result = TypeVar("Result")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hands(executor: futures.Executor | None, workers: int | None) -> int:
    """How many calls run at once: on the executor, else the processes asked for, else all cores.

    Raises
    ------
    ValueError
        If a dask cluster has no worker and `workers` does not say how many will come.
    """
    return (workers or cores()) if executor is None else width_of(executor, workers, cores()).workers


class _Pool(WorkerPool):
    """Processes that do not run the main script again, whenever they are started."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Hand out a call; a process may be started for it."""
        with _script_aside():
            return super().submit(fn, *args, **kwargs)


@contextlib.contextmanager
def one_pool(shared: Any, workers: int, executor: futures.Executor | None = None) -> Iterator[futures.Executor | None]:
    """An executor for many calls of `spread`, so that processes are started once and keep what they have made.

    The executor that is given, if there is one; None where everything stays in this process, as with one worker. What
    the main script defines keeps processes that are started for each call: `shared` is looked through for it.
    """
    if executor is not None or workers <= 1 or b"__main__" in pickle.dumps(shared):
        yield executor
        return
    _refuse_in_a_worker()
    pool = _Pool(workers, "fork" if may_copy() else "spawn")
    try:
        yield pool
    finally:
        pool.stop()


Numbered = tuple[int, Any]
"""A job and its number."""


def spread(
    function: Callable[[Any, Any], Result],
    shared: Any,
    jobs: Sequence[Any],
    workers: int,
    executor: futures.Executor | None = None,
) -> Iterator[tuple[int, Result]]:
    """(number of the job, ``function(shared, job)``), in whatever order they are finished.

    Parameters
    ----------
    function : callable
        Of a module, so that a process can import it; threads of one process may call it at once.
    workers : int
        Processes; with 1 and no executor everything stays in this one.
    executor : concurrent.futures.Executor, optional
        Takes the calls, twice as many at a time as there are workers; it is not shut down. Where it breaks, the rest
        runs in processes started here.

    Raises
    ------
    SimulationError
        If a process died, or the executor gives no answer for a job.
    Exception
        The first that a call raised, as it is; calls that were begun are left to end.
    """
    left = list(enumerate(jobs))
    if executor is None and (workers <= 1 or len(jobs) <= 1):
        for number, job in left:
            yield number, function(shared, job)
        return
    # What the main script defines is found again only by running it again.
    content = pickle.dumps((function, shared))
    if executor is not None:
        left = yield from _handed_out(content, left, executor, 2 * workers)
        if not left:
            return
        told = "the executor broke, as it does when a worker is killed; the rest runs in processes started here"
        warnings.warn(told, CorridorWarning, stacklevel=2)
    _refuse_in_a_worker()
    pool = make_pool(min(workers, len(left)))
    try:
        aside = contextlib.nullcontext if b"__main__" in content else _script_aside
        left = yield from _handed_out(content, left, pool, 2 * workers, aside)
        if left:
            raise SimulationError("a process was killed: out of memory? try fewer workers")
    finally:
        pool.stop()


def _handed_out(
    content: bytes,
    jobs: Sequence[Numbered],
    executor: futures.Executor,
    at_once: int,
    aside: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
) -> Generator[tuple[int, Any], None, list[Numbered]]:
    """Calls handed to an executor, so many at a time; those that it owes if it breaks."""
    waiting: dict[futures.Future[Any], Numbered] = {}
    finished: queue.SimpleQueue[futures.Future[Any]] = queue.SimpleQueue()
    left = list(jobs)[::-1]
    lost: list[Numbered] = []
    try:
        while (left and not lost) or waiting:
            while left and not lost and len(waiting) < at_once:
                try:
                    with aside():
                        future = executor.submit(_call, content, left[-1][1])
                except futures.BrokenExecutor:
                    lost.append(left.pop())
                    break
                waiting[future] = left.pop()
                # Not `futures.wait`: futures of a cluster are none of this module.
                future.add_done_callback(finished.put)
            if not waiting:
                break
            future = finished.get()
            number, job = waiting.pop(future)
            try:
                found = future.result()
            except futures.BrokenExecutor:
                lost.append((number, job))
            except (CorridorError, Warning):
                raise
            except Exception as error:  # Whatever an executor says of a worker that it lost.
                if isinstance(executor, futures.ProcessPoolExecutor | futures.ThreadPoolExecutor):
                    raise
                name = getattr(job, "name", number)
                raise SimulationError(f"{name}: its worker gave no answer: {in_words(error)}") from error
            else:
                yield number, found
    finally:
        for future in waiting:
            future.cancel()
    return sorted([*lost, *left], key=lambda one: one[0])


def _call(content: bytes, job: Any) -> Any:
    function, shared = _unpacked(content)
    return function(shared, job)


@functools.lru_cache(maxsize=2)
def _unpacked(content: bytes) -> Any:
    return pickle.loads(content)
