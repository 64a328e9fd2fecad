"""Machine code of the pass: loads that are unloaded in the order of boarding (rule S12).

Where somebody lands is noted as his boat arrives (`landed`). Whom he joins at that very instant, with nothing but steps
that he passes by in between, he joins in the order of boarding, before those who come by then and have not landed.
"""
# mypy: ignore-errors

from __future__ import annotations

from math import nan

from corridor_sim.engines.compiled.drawing import taken
from corridor_sim.engines.compiled.parts import ID, stage


@stage
def landed(m, c):
    """Those in `c.who` come from departures that land in boarding order, at `c.when_h`."""
    for k in range(m):
        i = c.who[k]
        c.boarded_h[i], c.landed_h[i], c.landed_from[i] = c.join_h[i], c.when_h[k], c.step_of[i]


@stage
def nobody_landed(many, t, c):
    """As a replication of so many consignments begins."""
    lands = False
    for q in range(len(t.queue_lands)):
        lands = lands or t.queue_lands[q]
    if lands:
        for i in range(many):
            c.landed_h[i] = nan


@stage
def ready_h(i, t, d, c):
    """What settles ties before the number: when one who has landed boarded, else when he joins. [h]"""
    at, s, r = c.join_h[i], c.step_of[i], d.route[i]
    # Who has balked since is on another itinerary.
    if c.landed_h[i] != at or c.landed_from[i] < t.route_begin[r] or c.landed_from[i] >= s:
        return at
    j = i - d.base[t.route_flow[r]]
    for u in range(c.landed_from[i] + 1, s):
        if taken(u, j, at, t, d):
            return at
    return c.boarded_h[i]


@stage
def in_boarding_order(n, t, d, c):
    """Those lined up who join at one instant change places: by readiness, then by number, as they stand."""
    line, ready = c.line, c.arrival_h
    for k in range(n):
        i = line[k] & ID
        at = c.join_h[i]
        before = k - 1
        if (before < 0 or c.join_h[line[before] & ID] != at) and (k + 1 == n or c.join_h[line[k + 1] & ID] != at):
            continue
        x, mine = line[k], ready_h(i, t, d, c)
        while before >= 0 and c.join_h[line[before] & ID] == at and ready[before] > mine:
            line[before + 1], ready[before + 1] = line[before], ready[before]
            before -= 1
        line[before + 1], ready[before + 1] = x, mine
