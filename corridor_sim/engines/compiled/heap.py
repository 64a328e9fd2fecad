"""Machine code of the pass: what happens next, earliest first."""
# mypy: ignore-errors

from __future__ import annotations

from corridor_sim.engines.compiled.parts import written_in


@written_in
def push(heap_h, heap_of, size, at_h, what):
    """Put something that happens at an instant on a heap of `size`."""
    j = size
    while j > 0 and heap_h[(j - 1) >> 1] > at_h:
        heap_h[j], heap_of[j] = heap_h[(j - 1) >> 1], heap_of[(j - 1) >> 1]
        j = (j - 1) >> 1
    heap_h[j], heap_of[j] = at_h, what


@written_in
def drop_first(heap_h, heap_of, size):
    """Take the first off a heap that has `size` without it."""
    at_h, what, j, child = heap_h[size], heap_of[size], 0, 1
    while child < size:
        if child + 1 < size and heap_h[child + 1] < heap_h[child]:
            child += 1
        if heap_h[child] >= at_h:
            child = size
        else:
            heap_h[j], heap_of[j] = heap_h[child], heap_of[child]
            j = child
            child = 2 * j + 1
    heap_h[j], heap_of[j] = at_h, what
