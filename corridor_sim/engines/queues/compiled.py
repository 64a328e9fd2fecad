"""Is there a compiled form of a kernel, and which?

`loop` answers with a function of `loops` as machine code where numba can be imported (the
extra ``fast``), and with None where it cannot or where the environment says
``CORRIDOR_SIM_FAST=0``; then the numpy forms, which are complete, do the work. Forms may change
within a run: they keep the same states. A new loop gets a line in `ARGUMENTS`. Numba is imported
when enough has been asked of the kernels to be worth it (`core.machine_code.earned`), never
before. Every loop is compiled once, for one set of types: 0.3 to 0.9 s each, kept on disk beside
the package (or where numba keeps its cache) for later processes, which spend some 0.8 s on
numba itself and a few ms a loop. Strict arithmetic: nothing is reordered.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import cache
from typing import Any

from corridor_sim.core.machine_code import SWITCH as SWITCH
from corridor_sim.core.machine_code import earned
from corridor_sim.engines.queues import loops

ARGUMENTS = {
    loops.fifo: "times times TIMES TIMES",
    loops.pooled: "times times times counts times times number TIMES TIMES TIMES TIMES",
    loops.priority: "times times counts times counts instant TIMES TIMES TIMES COUNTS COUNTS",
    loops.lanes: "times times times counts counts times times number number TIMES TIMES TIMES TIMES",
    loops.limited_leg: "times times times times times counts number TIMES TIMES TIMES TIMES TIMES TIMES",
    loops.parked: "times times times counts counts number TIMES TIMES TIMES TIMES",
    loops.reserved: "times times counts times counts counts counts number instant " + 3 * "TIMES " + 3 * "COUNTS ",
    loops.line: "times times counts times counts counts instant " + 5 * "TIMES " + 4 * "COUNTS ",
}
"""Types of the arguments of each loop; arrays have two axes, those in capitals are written to."""


SAVED, SAVED_PLAIN = 100.0, 1000.0
"""What machine code saves a consignment against arrays, and against the loop as plain Python. [ns, assumed]"""


def loop(plain: Callable[..., None], saved: float = math.inf) -> Callable[..., None] | None:
    """The compiled form of a function of `loops`; None if there is none or it is not wanted.

    With `saved`, what it would save this call [ns], also None as long as loading numba would cost more.

    Examples
    --------
    >>> import numpy as np
    >>> start = np.empty((1, 3))
    >>> fifo = loop(loops.fifo) or loops.fifo
    >>> fifo(np.array([[0.0, 1, 2]]), np.array([[4.0, 4, 1]]), np.zeros((1, 2)), start)
    >>> start
    array([[0., 1., 4.]])
    """
    if os.environ.get(SWITCH) == "0" or not earned(saved):
        return None
    return _machine_code(plain)


@cache
def _machine_code(plain: Callable[..., None]) -> Callable[..., None] | None:
    try:
        from numba import njit, types
    except ImportError:
        return None

    def array(of: Any, *, written: bool) -> Any:
        # Any strides and alignment, so that a view needs neither a copy nor another compilation.
        return types.Array(of, 2, "A", readonly=not written, aligned=False)

    kinds = {
        "times": array(types.float64, written=False),
        "counts": array(types.int64, written=False),
        "TIMES": array(types.float64, written=True),
        "COUNTS": array(types.int64, written=True),
        "number": types.int64,
        "instant": types.float64,
    }
    signature = types.void(*(kinds[word] for word in ARGUMENTS[plain].split()))
    made: Callable[..., None]
    try:
        made = njit(signature, cache=True)(plain)
    except RuntimeError:  # nowhere to keep it: compile for this process alone
        made = njit(signature)(plain)
    return made
