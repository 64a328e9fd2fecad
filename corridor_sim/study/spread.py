"""Calls of one function spread over processes: results as they come, the same for any number of workers.

For many small runs of different scenarios, where `workers.py` is for the blocks of one. What all
calls share travels to a process once.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import functools
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from corridor_sim.core.errors import SimulationError
from corridor_sim.study.workers import _pool, _refuse_in_a_worker, _script_aside, _stop

Result = TypeVar("Result")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    function: Callable[[Any, Any], Result], shared: Any, jobs: Sequence[Any], workers: int
) -> Iterator[tuple[int, Result]]:
    """(number of the job, ``function(shared, job)``), in whatever order they are finished.

    Parameters
    ----------
    function : callable
        Of a module, so that a process can import it.
    workers : int
        Processes; with 1 everything stays in this one.

    Raises
    ------
    SimulationError
        If a process died.
    Exception
        The first that a call raised, as it is; calls that were begun are left to end.
    """
    if workers <= 1 or len(jobs) <= 1:
        for number, job in enumerate(jobs):
            yield number, function(shared, job)
        return
    _refuse_in_a_worker()
    # What the main script defines is found again only by running it again.
    content = pickle.dumps((function, shared))
    aside = contextlib.nullcontext if b"__main__" in content else _script_aside
    pool = _pool(min(workers, len(jobs)))
    waiting: dict[futures.Future[Result], int] = {}
    left = list(enumerate(jobs))[::-1]
    try:
        while left or waiting:
            while left and len(waiting) < 2 * workers:
                number, job = left.pop()
                with aside():
                    waiting[pool.submit(_call, content, job)] = number
            finished, _ = futures.wait(waiting, return_when=futures.FIRST_COMPLETED)
            for future in sorted(finished, key=waiting.__getitem__):
                number = waiting.pop(future)
                yield number, future.result()
    except futures.BrokenExecutor as error:
        raise SimulationError("a process was killed: out of memory? try fewer workers") from error
    finally:
        _stop(pool)


def _call(content: bytes, job: Any) -> Any:
    function, shared = _unpacked(content)
    return function(shared, job)


@functools.lru_cache(maxsize=2)
def _unpacked(content: bytes) -> Any:
    return pickle.loads(content)
