"""Arrays in one piece of memory, one behind the other."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

from corridor_sim.core import freed_memory

LINE = 64
"""A line of the cache, at which each array begins. [bytes]"""


def in_one_piece(shapes: Sequence[tuple[tuple[int, ...], Any]], *, mostly_unused: bool = False) -> list[Any]:
    """Arrays of zeros of some shapes and types.

    A large piece is had in large pages, small ones are not. If it is `mostly_unused`, a large one is had in small
    pages from the system, so that only what is written takes memory.

    Examples
    --------
    >>> one, other = in_one_piece([((2, 3), np.float64), ((4,), np.int32)])
    >>> one.tolist(), other.dtype
    ([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype('int32'))
    """
    sizes = [math.prod(shape) * np.dtype(kind).itemsize for shape, kind in shapes]
    begins = np.cumsum([0, *(-(-size // LINE) * LINE for size in sizes)])
    size_of_all = int(begins[-1])
    if mostly_unused and size_of_all > freed_memory.LARGEST_BYTES:
        piece = np.frombuffer(mmap.mmap(-1, size_of_all), np.uint8)
    else:
        piece = np.zeros(size_of_all, np.uint8)
    return [
        piece[begin : begin + size].view(kind).reshape(shape)
        for (shape, kind), begin, size in zip(shapes, begins.tolist(), sizes, strict=False)
    ]
