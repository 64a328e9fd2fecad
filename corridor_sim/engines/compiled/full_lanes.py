"""Machine code of the pass, stations with everything: which lanes there are, who may use them, who is in which.

As `LaneStation` and `Reservations` of the event engine.
"""
# mypy: ignore-errors

from __future__ import annotations

from corridor_sim.engines.compiled.announcing import extra_usable
from corridor_sim.engines.compiled.codes import CLEAR_QUEUE
from corridor_sim.engines.compiled.drawing import function_at
from corridor_sim.engines.compiled.parts import stage


@stage
def shared_out(x, lanes, at, f):
    """`Reservations.share_out`."""
    general = f.pool_from[x]
    for y in range(general + 1, f.pool_from[x + 1]):
        wanted = function_at(y, at, f.kept_from, f.kept_h, f.kept)
        f.bound[y] = wanted > 0
        f.capacity[y] = min(wanted, lanes)
        lanes -= f.capacity[y]
    f.capacity[general] = lanes


@stage
def counted(x, f):
    """`LaneStation._count`: lanes to share out, and who counts against them."""
    begin, end, general = f.lane_from[x], f.lane_from[x + 1], f.pool_from[x]
    lanes = 0
    for z in range(begin, end):
        if f.is_open[z] and f.down[z] == 0:
            lanes += 1
    shared_out(x, lanes, f.read_h[x], f)
    for y in range(general, f.pool_from[x + 1]):
        f.used[y] = 0
    for z in range(begin, end):
        i = f.occupant[z]
        if i >= 0 and f.down[z] == 0 and (f.is_open[z] or not f.named[x]):
            f.used[general + f.pool[i]] += 1


@stage
def lanes_read(x, at, f):
    """`FullStation._read_lanes` and that of `LaneStation`."""
    lanes, begin = f.lanes_now[x], f.lane_from[x]
    cleared = f.closed[x] and f.closing[x] == CLEAR_QUEUE
    if not f.by_lane[x]:
        if cleared:
            lanes = f.open_before[x]
        shared_out(x, 0 if f.down[begin] > 0 else lanes, at, f)
        f.capacity[f.pool_from[x]] += extra_usable(x, f)
        return
    for z in range(begin, f.lane_from[x + 1]):
        if f.named[x]:
            if not cleared and f.calendar_from[z] < f.calendar_from[z + 1]:
                f.is_open[z] = function_at(z, at, f.calendar_from, f.calendar_h, f.calendar) > 0
        else:
            f.is_open[z] = z - begin < (f.open_before[x] if cleared else lanes)
    f.read_h[x] = at
    counted(x, f)


@stage
def lane_idle(x, f):
    """Whether a lane that is open and up is idle: all may be held while a pool has room."""
    z, end = f.lane_from[x], f.lane_from[x + 1]
    while z < end and (f.occupant[z] >= 0 or not f.is_open[z] or f.down[z] > 0):
        z += 1
    return z < end


@stage
def pool_for(x, group, f):
    """`Reservations.pool_for`."""
    general = f.pool_from[x]
    if f.by_lane[x] and f.pool_from[x + 1] > general + 1 and not lane_idle(x, f):
        return -1
    y = general + group
    if f.bound[y]:
        if f.used[y] < f.capacity[y]:
            return group
        if not f.overflow[y]:
            return -1
    many = 0
    for y in range(general, f.pool_from[x + 1]):
        if not f.bound[y]:
            many += f.used[y]
    return 0 if many < f.capacity[general] else -1


@stage
def occupied(i, x, pool, f):
    """A lane of a pool is taken."""
    f.pool[i] = pool
    if not f.by_lane[x]:
        f.used[f.pool_from[x] + pool] += 1
        return
    z = f.lane_from[x]
    while z + 1 < f.lane_from[x + 1] and (f.occupant[z] >= 0 or not f.is_open[z] or f.down[z] > 0):
        z += 1
    f.lane[i] = z - f.lane_from[x]
    f.occupant[z] = i
    counted(x, f)


@stage
def vacated(i, x, f):
    """A lane is free again."""
    if f.by_lane[x]:
        f.occupant[f.lane_from[x] + f.lane[i]] = -1
        counted(x, f)
    else:
        f.used[f.pool_from[x] + f.pool[i]] -= 1
