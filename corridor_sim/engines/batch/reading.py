"""When is the time of a service read? As it starts (rule D13), whatever was in force at joining.

A server is given the times of services. Where they change by date it is asked again, with the times
in force at the starts that it found, until these are the ones it was given. A start does not depend on what comes
after it, so each turn makes at least the first wrong one right, and the turns come to an end; most
often after two or three.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.batch.merging import Joining, concatenated
from corridor_sim.engines.batch.servers import Served, Server


def served(
    server: Server, joining: Joining, changes_h: Sequence[float], horizon_h: float, until_h: float, *, last: bool
) -> Served:
    """As ``server.serve``, with durations that change at `changes_h` read at the starts, up to `horizon_h`."""
    ahead = [at for at in changes_h if at > joining.join_h.min(initial=np.inf)]
    if not ahead or not server.MOVES_ON:
        return server.serve(joining, until_h, last=last)
    before = _memory(server)

    def again(service_h: FloatArray, join_h: FloatArray) -> Served:
        _put_back(server, before)
        return server.serve(replace(joining, service_h=service_h, join_h=join_h), until_h, last=last)

    found = server.serve(joining, until_h, last=last)
    service_h, join_h = joining.service_h, joining.join_h
    if server.looks_ahead:
        # Whether a service may start depends on its time, so a time that is too short too early would let it
        # start before the change: who has not started by a change is held back until then.
        for at in ahead:
            late = (found.start_h >= at) & (joining.join_h < at)
            read = np.where(late, _read(joining, np.where(late, at, np.inf)), service_h)
            if not np.array_equal(read, service_h):
                service_h, join_h = read, np.where(late, at, join_h)
                found = again(service_h, join_h)
    else:
        while True:
            if not _over_a_change(joining.join_h, found.start_h, ahead, horizon_h).any():
                read = joining.service_h
            else:
                read = _read(joining, np.where(found.start_h <= horizon_h, found.start_h, np.inf))
            if np.array_equal(read, service_h):
                break
            service_h = read
            found = again(service_h, join_h)
    started = found.start_h <= horizon_h
    return replace(found, service_h=np.where(started, service_h, joining.service_h))


def _over_a_change(
    join_h: FloatArray, start_h: FloatArray, ahead: Sequence[float], horizon_h: float
) -> NDArray[np.bool_]:
    """Who starts after a change that came while it waited."""
    waits = (start_h > join_h) & (start_h <= horizon_h)
    found = np.zeros(join_h.shape, dtype=bool)
    joined, started = (np.searchsorted(ahead, at[waits], side="right") for at in (join_h, start_h))
    found[waits] = started > joined
    return found


def _read(joining: Joining, start_h: FloatArray) -> FloatArray:
    """Durations as read at starts in queue order; who never starts reads at joining."""
    by_part = zip(joining.parts, joining.by_part(joining.flat(start_h)), strict=True)
    return joining.queued(concatenated([part.started(at) for part, at in by_part]), 0.0)


def _memory(server: Server) -> dict[str, Any]:
    return {name: deepcopy(getattr(server, name)) for name in server.MOVES_ON}


def _put_back(server: Server, memory: dict[str, Any]) -> None:
    for name, value in memory.items():
        setattr(server, name, deepcopy(value))
