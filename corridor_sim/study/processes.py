"""How processes start: as copies of this one where that is safe, else anew.

A copy (``fork``) has what this process has loaded, the library and its machine code, and needs no second start of
the main script; a new one (``spawn``) loads it all again. A copy is safe where nothing but this thread is at work, as
in a script or a command on Linux. Notebooks, clusters and programs with other threads have new ones, and so
have the other systems. The answers are the same.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from corridor_sim.core.plugins import begin_worker, imported

SWITCH = "CORRIDOR_SIM_FORK"
"""Environment variable; 0 starts every process anew."""
PROBE_S = 1.0
"""How long a copy that does nothing may take to end; assumed. [s]"""
ENDING_S = 5.0
"""How long to wait for a process that was told to end; assumed. [s]"""


def make_pool(workers: int, work: Sequence[Any] = ()) -> WorkerPool:
    """Processes of this library that wait for work; copies have `work`, arguments of calls to come, as they start."""
    return WorkerPool(workers, "fork" if may_copy() else "spawn", work)


class WorkerPool(futures.ProcessPoolExecutor):
    """Processes that leave interrupts to this one and end with it.

    Copies are told the number of an argument that is among `work`, which they have: nothing goes between processes.
    """

    def __init__(self, workers: int, method: str, work: Sequence[Any] = ()) -> None:
        self.are_copies = method == "fork"
        self._work = tuple(work) if self.are_copies else ()
        self._numbers = {id(one): number for number, one in enumerate(self._work)}
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ()) if self.are_copies else None
        super().__init__(
            workers,
            mp_context=multiprocessing.get_context(method),
            initializer=_begin,
            initargs=(imported(), mask, self._work),
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Hand out a call; processes may be started for it."""
        args = tuple(_Numbered(self._numbers[id(one)]) if id(one) in self._numbers else one for one in args)
        with _signals_held() if self.are_copies else contextlib.nullcontext():
            return super().submit(fn, *args, **kwargs)

    def stop(self) -> None:
        """End the processes, whatever they are at."""
        processes = list((getattr(self, "_processes", None) or {}).values())
        results: Any = getattr(self, "_result_queue", None)
        manager: Any = getattr(self, "_executor_manager_thread", None)
        self.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            with contextlib.suppress(Exception):
                process.terminate()
        # One that ended while it handed a result over leaves half of it, and who reads it here waits until no writer is
        # left: this process is one.
        for process in processes:
            with contextlib.suppress(Exception):
                multiprocessing.connection.wait([process.sentinel], ENDING_S)  # the pool's own thread joins it
        with contextlib.suppress(Exception):
            results._writer.close()
        # At the end of Python the pool wakes its thread, which may be closing just that way to wake it.
        with contextlib.suppress(Exception):
            manager.join(ENDING_S)


def may_copy() -> bool:
    """Whether this process may be copied: on Linux, from its only thread.

    Examples
    --------
    >>> may_copy() in (True, False)
    True
    """
    if sys.platform != "linux" or os.environ.get(SWITCH) == "0":
        return False
    if multiprocessing.get_start_method(allow_none=True) == "spawn":
        return False
    if threading.active_count() > 1 or threading.current_thread() is not threading.main_thread():
        return False
    # The threads that OpenBLAS holds for numpy end before a process is copied. Those that stay are somebody else's.
    return _threads() == 1 or (_copy_ends() and _threads() == 1)


def _threads() -> int:
    """Threads of this process, those that Python does not know of too; 0 where the system does not say."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def _copy_ends() -> bool:
    """Whether a copy that does nothing ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python tells of threads: that is the question here.
        number = os.fork()
    if number == 0:
        os._exit(0)
    until_s = time.monotonic() + PROBE_S
    while time.monotonic() < until_s:
        if os.waitpid(number, os.WNOHANG)[0]:
            return True
        time.sleep(0.0005)
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)
    return False


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Signals that come within this wait, so that no copy takes them for its own before it has begun."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Numbered:
    """An argument that copies have: only its number goes to them, and they read their own."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _of_this_copy, (self.number,)


_work: list[Any] = []
"""What the main process had for this one as it was copied."""


def _of_this_copy(number: int) -> Any:
    return _work[number]


def _begin(modules: tuple[str, ...], mask: set[signal.Signals | int] | None, work: tuple[Any, ...]) -> None:
    """Interrupts are the business of the main process, which stops its workers; a worker ends when it is gone.

    `mask` are the signals that are held in the main process, where this one is a copy of it, and `work` is what it is
    told by number.
    """
    _work[:] = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if mask is not None:
        # What it shares with the main process is not looked through for unused circles: each page would be copied.
        gc.freeze()
        signal.set_wakeup_fd(-1)
        if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begin_worker(modules)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    # The sentinel stays open where the parent has forked other children: so its number is looked at too.
    while not multiprocessing.connection.wait([parent.sentinel], timeout=1.0):
        if os.name == "posix" and os.getppid() != parent.pid:
            break
    os._exit(1)
