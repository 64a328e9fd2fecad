"""Machine code of the pass, stations with everything: who waits, in which order, and who is inside.

Two lists a station, each linked by consignment, and the heap of what is still to come in a group.
"""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from corridor_sim.engines.compiled.heap import push
from corridor_sim.engines.compiled.parts import stage, written_in


@stage
def without_void(k, queues, g, f):
    """Take the ends of services and of patience that no longer count off the heap of a group."""
    heap_h, heap_of, size, many = g.heap_h[k], g.heap_of[k], g.heap_size[k], len(f.leaves_h)
    kept = 0
    for z in range(size):
        at, what = heap_h[z], heap_of[z]
        i = -1 - what - 2 * queues
        counts = i < 0
        if i >= many:
            counts = f.leaves_h[i - many] == at
        elif i >= 0:
            counts = f.ending[i] and f.due_h[i] == at
        if counts:
            push(heap_h, heap_of, kept, at, what)
            kept += 1
    g.heap_size[k] = kept


@written_in
def comes_before(i, j, join_of, f):
    """Queue order (rules S04, S05); those put back stand at the head."""
    found = i < j
    if f.requeued[i] != f.requeued[j]:
        found = f.requeued[i]
    elif f.rank_of[i] != f.rank_of[j]:
        found = f.rank_of[i] < f.rank_of[j]
    elif join_of[i] != join_of[j]:
        found = join_of[i] < join_of[j]
    elif f.ready_h[i] != f.ready_h[j]:
        found = f.ready_h[i] < f.ready_h[j]
    return found


@stage
def queued(i, x, c, f):
    """One more waits, in its place."""
    u = f.slot_from[x] + (2 * f.group[i] + (0 if f.requeued[i] else 1)) * f.classes[x] + f.rank_of[i]
    head, tail, behind, join_of = f.head, f.tail, c.behind, c.join_h
    behind[i] = -1
    if head[u] < 0:
        head[u] = i
        tail[u] = i
    elif comes_before(tail[u], i, join_of, f):
        behind[tail[u]] = i
        tail[u] = i
    else:
        before, one = np.int64(-1), np.int64(head[u])
        while comes_before(one, i, join_of, f):
            before, one = one, np.int64(behind[one])
        behind[i] = one
        if before < 0:
            head[u] = i
        else:
            behind[before] = i


@written_in
def first_line(x, group, f):
    """The line in which the first of a group waits, -1 if nobody does."""
    u = f.slot_from[x] + 2 * group * f.classes[x]
    end = u + 2 * f.classes[x]
    while u < end and f.head[u] < 0:
        u += 1
    return u if u < end else -1


@stage
def gone_in(i, x, f):
    """A service has begun: one more, the last in order of starts."""
    last = f.inside_tail[x]
    f.before[i], f.after[i] = last, -1
    if last < 0:
        f.inside_head[x] = i
    else:
        f.after[last] = i
    f.inside_tail[x] = i


@stage
def gone_out(i, x, f):
    """A service is over, or its consignment is put back."""
    before, after = f.before[i], f.after[i]
    if before < 0:
        f.inside_head[x] = after
    else:
        f.after[before] = after
    if after < 0:
        f.inside_tail[x] = before
    else:
        f.before[after] = before


@stage
def interrupted(i, at, f):
    """`FullStation._interrupt`."""
    if f.ending[i]:
        f.ending[i] = False
        f.remaining_h[i] = f.due_h[i] - at


@stage
def resumed(k, i, queues, at, g, f):
    """`FullStation._resume`, of a service of which something is left."""
    f.due_h[i] = at + f.remaining_h[i]
    f.ending[i] = True
    push(g.heap_h[k], g.heap_of[k], g.heap_size[k], f.due_h[i], np.int64(-1 - 2 * queues - i))
    g.heap_size[k] += 1


@stage
def taken_out(i, x, c, g, f):
    """One who waits is taken out of his line (`StationQueue.drop`), or out of those who came after a closing."""
    behind, before = c.behind, np.int64(-1)
    u = f.slot_from[x] + (2 * f.group[i] + 1) * f.classes[x] + f.rank_of[i]
    one = np.int64(f.head[u])
    while one >= 0 and one != i:
        before, one = one, np.int64(behind[one])
    if one == i:
        g.ahead[c.step_of[i]] -= 1
        if before < 0:
            f.head[u] = behind[i]
        else:
            behind[before] = behind[i]
            if f.tail[u] == i:
                f.tail[u] = before
        return
    before, one = np.int64(-1), np.int64(f.later_head[x])
    while one != i:
        before, one = one, np.int64(behind[one])
    if before < 0:
        f.later_head[x] = behind[i]
    else:
        behind[before] = behind[i]
    if f.later_tail[x] == i:
        f.later_tail[x] = before
