"""How far a run is: a bar on a terminal or in a notebook, else a line now and then.

Nothing is shown unless it is asked for, and all goes to standard error. What was done (plan, engine,
blocks, store) is told to the logger ``corridor_sim`` by whoever does it; it is configured by users only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

Progress = bool | Callable[[int, int], object] | None

LINE_EVERY_S = 15.0
"""Least time between two lines where standard error is no terminal; runs that are shorter say nothing. [s]"""


@contextlib.contextmanager
def shown(progress: Progress, name: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of replications just finished.

    Parameters
    ----------
    progress : bool, callable or None
        As in `run`: a callable gets (replications done, all).
    name : str
        Of the scenario, shown in front.
    total, done : int
        Replications to run in all, and those finished before (by an earlier run into the same store).
    """
    if callable(progress):
        yield _counted(progress, total, done)
    elif not progress:
        yield lambda _: None
    elif in_a_notebook() or sys.stderr.isatty():
        # Every block is told; tqdm's own thread, which would see to that, would keep workers from being copies.
        bars = type("Bar", (_bar(),), {"monitor_interval": 0})
        with bars(total=total, initial=done, desc=name, unit="replication", file=sys.stderr, miniters=1) as bar:
            yield bar.update
    else:
        yield _counted(Lines(name, done), total, done)


class Lines:
    """Writes a line at intervals: how many are done, the rate, the time left."""

    def __init__(self, name: str, done: int) -> None:
        self.name, self.before = name, done
        self.began_s = self.last_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """So many replications are done, of all."""
        now_s = time.monotonic()
        if now_s - self.last_s < LINE_EVERY_S or done >= total:
            return
        self.last_s = now_s
        per_s = (done - self.before) / (now_s - self.began_s)
        left_s = (total - done) / per_s
        text = f"{self.name}: {done} of {total} replications, {per_s:.3g} a second, about {duration(left_s)} left"
        print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """A time as it is said: ``40 s``, ``3 min 20 s``, ``2 h 05 min``.

    Examples
    --------
    >>> duration(40), duration(200), duration(7500)
    ('40 s', '3 min 20 s', '2 h 05 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def in_a_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def _bar() -> Any:
    """tqdm's widget in notebooks that have ipywidgets, its bar of letters elsewhere; without its warning."""
    if in_a_notebook() and importlib.util.find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm


def _counted(tell: Callable[[int, int], object], total: int, done: int) -> Callable[[int], None]:
    so_far = done

    def more(count: int) -> None:
        nonlocal so_far
        so_far += count
        tell(so_far, total)

    return more
