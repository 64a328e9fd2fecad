"""Machine code of the pass: how long the driver of a consignment rests (rule S36)."""
# mypy: ignore-errors

from __future__ import annotations

from corridor_sim.engines.compiled.parts import written_in
from corridor_sim.plan.steps import KINDS_OF_REST


@written_in
def resting(row, i, enters_h, at_h, queued_h, rests, driven_h, stands_h):
    """Rest of one who has driven from one instant to another, as `plan.drivers_hours.rested`; what he drove is noted.

    `queued_h` is when he joined the last queue, which is that of a ban where the leg has one.
    """
    stood = 0.0
    if rests[row, 2 * KINDS_OF_REST] > 0:
        stood = enters_h - stands_h[i]
    elif rests[row, 2 * KINDS_OF_REST + 1] > 1:
        stood = enters_h - queued_h
    last = -1
    for k in range(KINDS_OF_REST):
        if stood >= rests[row, KINDS_OF_REST + k]:
            last = k
    left, rest = at_h - enters_h, 0.0
    while True:
        for k in range(last + 1):
            driven_h[i, k] = 0.0
        now = left
        for k in range(KINDS_OF_REST):
            now = min(now, max(rests[row, k] - driven_h[i, k], 0.0))
        for k in range(KINDS_OF_REST):
            driven_h[i, k] += now
        left -= now
        if left <= 0:
            break
        for k in range(KINDS_OF_REST):
            if driven_h[i, k] >= rests[row, k]:
                last = k
        rest += rests[row, KINDS_OF_REST + last]
    stands_h[i] = at_h + rest
    return rest
