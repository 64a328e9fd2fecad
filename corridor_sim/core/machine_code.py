"""Whether compiled forms are wanted and can be had.

They are the extra ``fast`` (numba). Without it, or with ``CORRIDOR_SIM_FAST=0``, the numpy forms do
the work; both give the same bits. Numba itself takes some 0.8 s of CPU to load: what saves less asks
`earned` first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

SWITCH = "CORRIDOR_SIM_FAST"
"""Environment variable; 0 turns compiled forms off, at any time; 1 loads numba at the first chance."""


LOADING = 8e8
"""What loading numba costs. [ns of CPU]"""
_missed = 0.0


def earned(saved: float) -> bool:
    """Whether numba is loaded, or machine code would by now have saved this process what loading it costs.

    `saved` is what it would save this time [ns]. So no more than twice the least is ever spent. With
    ``CORRIDOR_SIM_FAST=1`` it is loaded at once.
    """
    global _missed
    if "numba" in sys.modules or os.environ.get(SWITCH) == "1":
        return True
    _missed += saved
    return _missed >= LOADING


def compiled(make: Callable[[], Any]) -> Any:
    """What `make` gives, made once; None without numba or if compiled forms are switched off."""
    return None if os.environ.get(SWITCH) == "0" else _made(make)


@cache
def _made(make: Callable[[], Any]) -> Any:
    try:
        import numba  # noqa: F401
    except ImportError:
        return None
    return make()


def machine_code(signature: Any, plain: Callable[..., Any]) -> Any:
    """A function compiled for one signature, kept on disk where that is possible."""
    from numba import njit

    try:
        return njit(signature, cache=True, error_model="numpy")(plain)
    except RuntimeError:  # nowhere to keep it: compile for this process alone
        return njit(signature, error_model="numpy")(plain)
