"""Machine code of the pass: what happens next, earliest first."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from corridor_sim.engines.compiled.parts import nth, written_in


@written_in
def push(heap_h, heap_of, size, at_h, what):
    """Put something that happens at an instant on a heap of `size`."""
    j = size
    while j > 0 and heap_h[nth((j - 1) >> 1)] > at_h:
        above = nth((j - 1) >> 1)
        heap_h[nth(j)], heap_of[nth(j)] = heap_h[above], heap_of[above]
        j = (j - 1) >> 1
    heap_h[nth(j)], heap_of[nth(j)] = at_h, what


@written_in
def drop_first(heap_h, heap_of, size):
    """Take the first off a heap that has `size` without it: the gap goes down, and the last is put there."""
    j, child = np.int64(0), np.int64(1)
    while child < size:
        # Which of two is earlier nobody can foresee, and a wrong guess costs more than the sum.
        child += np.int64((child + 1 < size) & (heap_h[nth(child + 1)] < heap_h[nth(child)]))
        heap_h[nth(j)], heap_of[nth(j)] = heap_h[nth(child)], heap_of[nth(child)]
        j = child
        child = 2 * j + 1
    push(heap_h, heap_of, j, heap_h[nth(size)], heap_of[nth(size)])
