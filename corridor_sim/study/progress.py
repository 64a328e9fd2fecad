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
def shown(
    progress: Progress, name: str, total: int, done: int = 0, unit: str = "replication"
) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of replications (or of another `unit`) just finished.

    Parameters
    ----------
    progress : bool, callable or None
        As in `run`: a callable gets (replications done, all).
    name : str
        Of the scenario, shown in front; "" for nothing.
    total, done : int
        Replications to run in all, and those finished before (by an earlier run into the same store).
    unit : str
        What is counted, one of it.
    """
    if callable(progress):
        yield _counted(progress, total, done)
    elif not progress:
        yield lambda _: None
    elif in_a_notebook() or sys.stderr.isatty():
        # Every block is told; tqdm's own thread, which would see to that, would keep workers from being copies.
        bars = type("Bar", (_Rated, _bar()), {"monitor_interval": 0})
        with bars(total=total, initial=done, desc=name or None, unit=unit, file=sys.stderr, miniters=1) as bar:
            yield bar.update
    else:
        yield _counted(Lines(name, unit), total, done)


class Rate:
    """How many are done in a second, from the first that were told on: they may have waited for machine code.

    Examples
    --------
    >>> rate = Rate()
    >>> rate.of(4, 60.0), rate.of(8, 62.0)
    (0.0, 2.0)
    """

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def of(self, done: float, now_s: float) -> float:
        """Rate when so many are done; 0 as long as there is none. [1/s]"""
        if self._first is None:
            self._first = (done, now_s)
        before, since_s = self._first
        return (done - before) / (now_s - since_s) if done > before and now_s > since_s else 0.0


class Lines:
    """Writes a line at intervals: how many are done, the rate, the time left."""

    def __init__(self, name: str, unit: str = "replication") -> None:
        self.front, self.unit, self.rate = f"{name}: " if name else "", unit, Rate()
        self.last_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """So many are done, of all."""
        now_s = time.monotonic()
        per_s = self.rate.of(done, now_s)
        if now_s - self.last_s < LINE_EVERY_S or done >= total:
            return
        self.last_s = now_s
        left = f", {per_s:.3g} a second, about {duration((total - done) / per_s)} left" if per_s else ""
        print(f"{self.front}{done} of {total} {self.unit}s{left}", file=sys.stderr, flush=True)


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


class _Rated:
    """What tqdm's bars lack: the time left is told from the second block on, as `Rate` reckons it."""

    n: float
    total: float
    _rate: Rate | None = None

    def update(self, n: float = 1) -> Any:
        """So many more are done."""
        if self._rate is None:
            self._rate = Rate()
            self._rate.of(self.n + n, time.monotonic())
        return super().update(n)  # type: ignore[misc]

    @property
    def format_dict(self) -> dict[str, Any]:
        """What is shown; a rate of 0 is shown as not known."""
        told: dict[str, Any] = super().format_dict  # type: ignore[misc]
        if self.n < self.total:
            told["rate"] = self._rate.of(self.n, time.monotonic()) if self._rate is not None else 0.0
        return told


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
