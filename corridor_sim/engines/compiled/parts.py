"""How the parts of the machine code of the pass are compiled, and numbers they share. Importing this needs numba.

Each stage is one flat function: an array that crosses a call is counted by reference, so no
function that takes arrays is called for a single consignment, but those that are written into
the caller (`written_in`).
"""
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.core.options import DefaultOptions

from corridor_sim.core.units import GRID_PER_H
from corridor_sim.engines.compiled.codes import ID_BITS
from corridor_sim.indicators.distributions import TimeCounts

PART = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
UNCOUNTED = {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
"""For parts that make no arrays: those handed on are not counted by reference, which takes as long as all the rest."""
stage = njit(**PART, **UNCOUNTED)
"""A part of `replication`: it has no form of its own for callers in Python, which would take longer to compile."""
maker = njit(**PART)
"""A part that makes arrays."""
written_in = njit(inline="always", error_model="numpy")
nth: Any = np.uint64
"""A place in an array. Of a signed one the machine code asks each time whether it counts from the end."""

POINT = 1.0 / GRID_PER_H
SHIFT_H, DROPPED = TimeCounts.SHIFT_H, TimeCounts.DROPPED_BITS
ID = (1 << ID_BITS) - 1
