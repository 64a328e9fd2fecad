"""What the compiled pass works on in one replication: its draws, where everybody is, and what is counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.engines.compiled.listing import Ints


class Draws(NamedTuple):
    """Consignments of one replication and where their draws come from.

    Attributes
    ----------
    base
        Consignments ``base[f]`` up to ``base[f + 1]`` are those of flow f.
    first, second
        Key of each column.
    given_at, given
        Where the values of a column begin that was drawn before the pass (-1: it was not), and the values.
    come_h
        When each comes to the step where another pass hands it over (NaN: never; infinite: not within the run); empty
        where all begin at their release.
    """

    base: Ints
    release_h: FloatArray
    route: NDArray[np.int32]
    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    given_at: Ints
    given: FloatArray
    come_h: FloatArray


class BlockDraws(NamedTuple):
    """The same of some replications.

    Attributes
    ----------
    at
        Consignments ``at[k]`` up to ``at[k + 1]`` of `release_h`, `route` and `come_h` are those of replication k.
    base, first, second, given_at
        Shape (replication, ...); `given_at` counts from the first value of the first replication.
    """

    at: Ints
    base: Ints
    release_h: FloatArray
    route: NDArray[np.int32]
    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    given_at: Ints
    given: FloatArray
    come_h: FloatArray

    def alone(self, k: int) -> Draws:
        """Those of the k-th replication."""
        which = slice(int(self.at[k]), int(self.at[k + 1]))
        keys = self.first[k], self.second[k]
        return Draws(
            self.base[k],
            self.release_h[which],
            self.route[which],
            *keys,
            self.given_at[k],
            self.given,
            self.come_h[which],
        )

    @classmethod
    def of(cls, draws: Draws) -> BlockDraws:
        """Those of one replication."""
        at = np.array([0, len(draws.release_h)], dtype=np.int64)
        keys = draws.first[None], draws.second[None]
        return cls(
            at, draws.base[None], draws.release_h, draws.route, *keys, draws.given_at[None], draws.given, draws.come_h
        )


class PassState(NamedTuple):
    """Where everybody is, and what the queues remember; `wrong` is what went wrong, where (+ 1), and a number."""

    # consignments
    step_of: NDArray[np.int32]
    join_h: FloatArray
    behind: NDArray[np.int32]
    begun: FloatArray
    who: NDArray[np.int32]
    when_h: FloatArray
    line: Ints
    other: Ints
    span: NDArray[np.int32]
    span_begin_h: FloatArray
    span_end_h: FloatArray
    bucket: Ints
    hold_h: FloatArray
    # drivers: time at the wheel since each kind of rest, and since when they stand; empty where nobody has hours
    driven_h: FloatArray
    stands_h: FloatArray
    # queues
    inbox: Ints
    busy: FloatArray
    now_h: FloatArray
    piece: Ints
    taken: Ints
    waiting: Ints
    head: Ints
    tail: Ints
    # lengths of queues
    spots: Ints
    level: Ints
    since: Ints
    # kernels
    arrival_h: FloatArray
    service_h: FloatArray
    start_h: FloatArray
    finish_h: FloatArray
    behind_of: Ints
    kept: FloatArray
    kept_at: Ints
    scratch: Ints
    scratch_at: Ints
    # services that are read as they start: what the kernels remembered before, and two columns to work with
    kept_before: FloatArray
    again_h: FloatArray
    wrong: FloatArray
    # those who come to a step from which another plan goes its own way, and when the spans under way began
    handed_h: FloatArray
    handed_begun: FloatArray
    # those who land in boarding order: when they joined the quay, when they landed, and from which step
    boarded_h: FloatArray
    landed_h: FloatArray
    landed_from: NDArray[np.int32]


class Sums(NamedTuple):
    """What is counted in one replication.

    Attributes
    ----------
    inner
        By step, of visits wholly within the counted window: number, wait, hold, interruption.
    at_edge
        By step, of others: joined, started, left, began, wait, hold, wait and hold in the window,
        unserved and their wait, interruption, and interruption in the window.
    passed
        By span, of passages wholly within the counted window: number, time.
    passed_edge
        By span, of others: created, begun, done, time, ended, inside and their time.
    late
        By step, visits of delays that are not in `inner`.
    served
        By queue, visits.
    astride, found
        Services at stations that can be interrupted, under way at an end of the counted window: step, start,
        finish (NaN: goes on), service, time in the window; and their number.
    """

    inner: FloatArray
    at_edge: FloatArray
    passed: FloatArray
    passed_edge: FloatArray
    net: NDArray[np.int32]
    days: NDArray[np.int32]
    waits: NDArray[np.int32]
    begun_days: NDArray[np.int32]
    ended_days: NDArray[np.int32]
    hours: FloatArray
    hours_h: FloatArray
    stays: NDArray[np.int32]
    near: NDArray[np.int32]
    late: Ints
    served: Ints
    astride: FloatArray
    found: Ints
