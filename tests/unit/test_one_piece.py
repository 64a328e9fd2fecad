"""Arrays in one piece of memory are as arrays made one by one."""

from __future__ import annotations

import numpy as np
import pytest

from corridor_sim.core import freed_memory
from corridor_sim.engines.compiled.one_piece import LINE, in_one_piece

SHAPES = [((3,), np.int32), ((5, 2), np.float64), ((0,), np.int64), ((7,), np.uint8), ((2, 2, 2), np.float64)]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("mostly_unused", [False, True])
def test_arrays_are_zeros_of_their_own_that_begin_with_a_line(large: bool, mostly_unused: bool) -> None:
    shapes = [*SHAPES, ((freed_memory.LARGEST_BYTES,), np.uint8)] if large else SHAPES
    arrays = in_one_piece(shapes, mostly_unused=mostly_unused)
    assert [(array.shape, array.dtype) for array in arrays] == [(shape, np.dtype(kind)) for shape, kind in shapes]
    assert not any(array.any() for array in arrays)
    first = arrays[0].ctypes.data
    assert all((array.ctypes.data - first) % LINE == 0 for array in arrays)
    for number, array in enumerate(arrays, start=1):
        array[...] = number
    for number, array in enumerate(arrays, start=1):
        assert (array == number).all()
