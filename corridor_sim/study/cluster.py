"""How wide a given executor is, and the executor of a dask cluster.

Blocks are cut for the workers that run them, which on a cluster are not the cores of
this machine.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import importlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from corridor_sim.core.errors import MissingExtra, SimulationError

CONNECT_S = 20.0
"""How long to wait for a scheduler to answer; assumed. [s]"""


@dataclass(frozen=True, slots=True)
class Width:
    """Blocks that run at once: in all, and most on one machine, where they share its memory."""

    workers: int
    on_one_machine: int

    @property
    def machines(self) -> float:
        """How often the memory of one machine is there."""
        return max(self.workers / self.on_one_machine, 1.0)


def width_of(executor: futures.Executor, workers: int | None, cores: int) -> Width:
    """Width of an executor.

    A dask executor (``client.get_executor()``) is as wide as its workers have threads; `workers` says how many are
    expected where they are still to come. Others say it themselves (``_max_workers``), else it is `workers`, else
    `cores`.

    Raises
    ------
    ValueError
        If a dask cluster has no worker and `workers` does not say how many will come.

    Examples
    --------
    >>> import concurrent.futures
    >>> with concurrent.futures.ThreadPoolExecutor(3) as executor:
    ...     width_of(executor, None, 2)
    Width(workers=3, on_one_machine=3)
    """
    nthreads = getattr(getattr(executor, "_client", None), "nthreads", None)
    if nthreads is None:
        count = int(getattr(executor, "_max_workers", None) or workers or cores)
        return Width(count, count)
    threads: dict[str, int] = nthreads()
    hosts: Counter[str] = Counter()
    for address, number in threads.items():
        hosts[address.rpartition(":")[0]] += number
    count = workers or hosts.total()
    if not count:
        raise ValueError(
            "the dask cluster has no workers yet: wait for them (client.wait_for_workers(n)), or say how many will "
            "come (workers=n)"
        )
    return Width(count, min(max(hosts.values(), default=count), count))


@contextlib.contextmanager
def dask_executor(address: str) -> Iterator[futures.Executor]:
    """Executor of the dask cluster whose scheduler is at `address`; the connection is closed afterwards.

    Raises
    ------
    MissingExtra
        If dask.distributed is not installed.
    SimulationError
        If no scheduler answers there.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise MissingExtra("a dask cluster", "distributed", "cluster") from error
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise SimulationError(f"no dask scheduler at {address!r}: {first}") from error
    with client:
        executor: futures.Executor = client.get_executor()
        yield executor
