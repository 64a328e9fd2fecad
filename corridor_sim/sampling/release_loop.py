"""Machine code: releases of a Poisson process, drawn and inverted one by one, without arrays in between.

Importing this needs numba. Every number is made by the operations, in the order, of `Arrivals.block_sampler`,
`operational_time.inverse` and `units.to_grid`, so the bits are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from corridor_sim.core.draws.scalar import exponential, word
from corridor_sim.core.machine_code import machine_code
from corridor_sim.core.units import GRID_PER_H


def _released(first, second, start_h, reached, divisor, total, horizon_h, out, count):  # type: ignore[no-untyped-def]
    """Write the releases of each stream not after the horizon into its row, and how many; false if one is too short.

    Unit gaps are summed, and each sum goes to the instant at which the cumulative rate reaches it.
    """
    pieces, size = len(start_h), out.shape[1]
    for row in range(len(first)):
        sums, piece, n, over = 0.0, 0, 0, False
        while n < size and not over:
            sums += exponential(word(first[row], second[row], types.uint64(n)))
            while piece + 1 < pieces and reached[piece + 1] < sums:
                piece += 1
            instant = np.inf
            if sums <= total:
                instant = start_h[piece] + (sums - reached[piece]) / divisor[piece]
            instant = np.rint(instant * GRID_PER_H) / GRID_PER_H
            if instant > horizon_h:
                over = True
            else:
                out[row, n] = instant
                n += 1
        if not over:
            return False
        count[row] = n
        for k in range(n, size):
            out[row, k] = np.inf
    return True


def _read(of: Any) -> Any:
    return types.Array(of, 1, "A", readonly=True, aligned=False)


released = machine_code(
    types.boolean(
        _read(types.uint64),
        _read(types.uint64),
        _read(types.float64),
        _read(types.float64),
        _read(types.float64),
        types.float64,
        types.float64,
        types.float64[:, ::1],
        types.int64[::1],
    ),
    _released,
)
