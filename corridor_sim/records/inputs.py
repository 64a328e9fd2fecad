"""Everything random in a block of replications, drawn before any engine runs.

Arrays have shape (replication, consignment), consignments of one flow in order
of release; rows are padded (release = inf). Times are on the clock grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.draws.words import WordArray
from corridor_sim.core.units import FloatArray
from corridor_sim.plan.elements import PlanOutage
from corridor_sim.records.visits import IntArray

NUMBER_PER_FLOW = 2**40
"""Consignment number = flow index x this + index in flow, unless given."""


class ColumnByIndex(Protocol):
    """Draws of one role of the consignments of a flow, made where they are asked for."""

    def at(self, count: IntArray, index: IntArray) -> FloatArray:
        """Values of consignments by index in their flow, replication by replication, `count[row]` of each."""
        ...


class StreamRows(NamedTuple):
    """Where the keys of the streams of one flow stand among those of all flows.

    Attributes
    ----------
    first, second
        Both halves of the keys of all flows, shape (stream, replication).
    begin
        The first row of this flow.
    at
        Rows from there on: of durations by their name, and of uniforms by theirs.
    """

    first: WordArray
    second: WordArray
    begin: int
    at: tuple[Mapping[str, int], Mapping[str, int]]


@dataclass(frozen=True, slots=True, eq=False)
class LaterDraws:
    """Draws of one flow that have not been made; the values are those that `FlowInputs` would hold.

    Attributes
    ----------
    duration_h, uniform
        As in `FlowInputs`.
    rows
        The keys of their streams, for who draws by himself.
    """

    duration_h: Mapping[str, tuple[ColumnByIndex, ...]] = field(default_factory=dict)
    uniform: Mapping[str, ColumnByIndex] = field(default_factory=dict)
    rows: StreamRows | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FlowInputs:
    """Draws of one flow.

    Attributes
    ----------
    release_h
        Release instants, non-decreasing along the row; inf in the padding.
    variant
        Itinerary of each consignment (drawn, read at its release); -1 in the padding.
    number
        The number that settles ties (rule D12), unique over all flows.
    duration_h
        By `Step.draws`: one array a law of the step, in the order of `Step.laws`.
    uniform
        By `Step.share_draws` and `Relief.draws`: uniforms in [0, 1).
    later
        Durations and uniforms that are drawn where they are used, if they are used: not in the two above.
    counted
        Consignments in each replication, where that is known already.
    """

    release_h: FloatArray
    variant: IntArray
    number: IntArray
    duration_h: Mapping[str, tuple[FloatArray, ...]] = field(default_factory=dict)
    uniform: Mapping[str, FloatArray] = field(default_factory=dict)
    later: LaterDraws = LaterDraws()
    counted: IntArray | None = None

    @property
    def count(self) -> IntArray:
        """Consignments in each replication."""
        if self.counted is not None:
            return self.counted
        return np.asarray((self.variant >= 0).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SampledInputs:
    """Draws of all flows and of the elements that fail or depart.

    `outages[element][row]` are the drawn outages (given ones are in the Plan);
    `crossing_h[element]` and `cancelled[element]` have shape (replication, departure).
    """

    replications: IntArray
    flows: tuple[FlowInputs, ...]
    outages: Mapping[int, tuple[tuple[PlanOutage, ...], ...]] = field(default_factory=dict)
    crossing_h: Mapping[int, FloatArray] = field(default_factory=dict)
    cancelled: Mapping[int, NDArray[np.bool_]] = field(default_factory=dict)

    def row(self, k: int) -> SampledInputs:
        """The inputs of one replication alone (row `k`), padding cut off."""
        flows = []
        for flow in self.flows:
            n = int((flow.variant[k] >= 0).sum())
            flows.append(
                FlowInputs(
                    flow.release_h[k : k + 1, :n],
                    flow.variant[k : k + 1, :n],
                    flow.number[k : k + 1, :n],
                    {key: tuple(a[k : k + 1, :n] for a in arrays) for key, arrays in flow.duration_h.items()},
                    {key: array[k : k + 1, :n] for key, array in flow.uniform.items()},
                )
            )
        return SampledInputs(
            self.replications[k : k + 1],
            tuple(flows),
            {e: (rows[k],) for e, rows in self.outages.items()},
            {e: a[k : k + 1] for e, a in self.crossing_h.items()},
            {e: a[k : k + 1] for e, a in self.cancelled.items()},
        )


def default_numbers(flow: int, shape: tuple[int, int]) -> IntArray:
    """Numbers of the consignments of flow `flow`: by flow, then by index."""
    return np.broadcast_to(flow * NUMBER_PER_FLOW + np.arange(shape[1], dtype=np.int64), shape).copy()
