"""Draws of a block of replications as the pass reads them: columns, and what is drawn for elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.compiled import codes, kernel_tables
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.engines.compiled.listing import Ints
from corridor_sim.engines.compiled.queue_tables import draws_of_departures
from corridor_sim.engines.compiled.state import Draws
from corridor_sim.engines.compiled.tables import Coded, Tables
from corridor_sim.plan.plan import Departures, Plan
from corridor_sim.records.inputs import NUMBER_PER_FLOW, FlowInputs, SampledInputs

_NONE = np.empty(0)


class DrawColumns:
    """Draws of a block of replications, as the pass reads them."""

    def __init__(self, code: Coded, flows: Sequence[FlowInputs]) -> None:
        self.code = code
        rows, many = len(flows[0].count) if flows else 0, len(code.columns)
        counts = np.stack([flow.count for flow in flows], axis=1) if flows else np.zeros((0, 0), np.int64)
        self.base = np.zeros((rows, len(flows) + 1), np.int64)
        np.cumsum(counts, axis=1, out=self.base[:, 1:])
        self.counts: list[list[int]] = counts.tolist()
        self.route = [
            (flow.variant + first).astype(np.int32)
            for flow, first in zip(flows, code.first_route.tolist(), strict=True)
        ]
        for f, flow in enumerate(flows):
            own = f * NUMBER_PER_FLOW + np.arange(flow.number.shape[1])
            if ((flow.number != own) & (flow.variant >= 0)).any():
                raise SimulationError("consignments have numbers of their own")
        self.first, self.second = np.zeros((rows, many), np.uint64), np.zeros((rows, many), np.uint64)
        self.ahead: dict[int, FloatArray] = {}
        for n, column in enumerate(code.columns):
            flow = flows[column.flow]
            drawn: FloatArray | None
            if column.law < 0:
                later: Any = flow.later.uniform.get(column.name)
                drawn = flow.uniform.get(column.name)
            else:
                later = (flow.later.duration_h.get(column.name) or [None] * (column.law + 1))[column.law]
                drawn = (flow.duration_h.get(column.name) or [None] * (column.law + 1))[column.law]
            if later is not None and (column.law < 0 or code.tables.node[n] >= 0):
                self.first[:, n], self.second[:, n] = later.keys
            elif later is not None:
                self.ahead[n] = _all_of(later, flows[column.flow].count)
            elif drawn is not None:
                self.ahead[n] = drawn
            else:
                what = "uniforms" if column.law < 0 else "durations"
                raise SimulationError(f"{what} are missing for {column.name!r}")

    def draws(self, k: int, flows: Sequence[FlowInputs]) -> Draws:
        """Those of the k-th replication."""
        base, counts = self.base[k], self.counts[k]
        if base[-1] >= 1 << codes.ID_BITS:
            raise SimulationError(f"{base[-1]} consignments in one replication, at most {1 << codes.ID_BITS}")
        release, route, given = _NONE, _NONE.astype(np.int32), _NONE
        if flows:
            release = np.concatenate([flow.release_h[k, :count] for flow, count in zip(flows, counts, strict=True)])
            route = np.concatenate([row[k, :count] for row, count in zip(self.route, counts, strict=True)])
        given_at = np.full(len(self.code.columns), -1, dtype=np.int64)
        if self.ahead:
            parts, length = [], 0
            for n, values in self.ahead.items():
                given_at[n] = length
                parts.append(values[k, : counts[self.code.columns[n].flow]])
                length += len(parts[-1])
            given = np.concatenate(parts)
        return Draws(base, release, route, self.first[k], self.second[k], given_at, given, _NONE)


def _all_of(column: Any, count: Ints) -> FloatArray:
    """All values of a column that is drawn by index, shape (replication, consignment)."""
    out = np.zeros((len(count), int(count.max(initial=0))))
    index = np.concatenate([np.arange(many) for many in count.tolist()])
    out[np.arange(out.shape[1]) < count[:, None]] = column.at(count, index)
    return out


def drawn_tables(code: Coded, plan: Plan, inputs: SampledInputs, k: int) -> tuple[Tables, Sequence[KernelTables]]:
    """The tables of the k-th replication, with what was drawn for elements, and those of the kernels."""
    tables, kernels = code.tables, list(code.kernels)
    if code.timetables:
        places, sailing_h = tables.queue_value.copy(), tables.sailing_h.copy()
        for e, q in code.timetables:
            begin, end = tables.queue_from[q : q + 2].tolist()
            element = plan.elements[e]
            assert isinstance(element, Departures)
            crossing_h, cancelled = draws_of_departures(e, element, inputs, k)
            if cancelled is not None:
                places[begin:end][cancelled[: end - begin]] = 0
            if crossing_h is not None:
                sailing_h[begin:end] = crossing_h[: end - begin]
        tables = tables._replace(queue_value=places, sailing_h=sailing_h)
    if code.drawn:
        kind = tables.queue_kind.copy()
        for q, make in code.drawn:
            kind[q], kernels[q] = make(inputs, k)
        packed = kernel_tables.packed(kernels)
        tables = tables._replace(
            queue_kind=kind,
            times=packed.times,
            times_at=packed.times_at,
            counts=packed.counts,
            counts_at=packed.counts_at,
        )
    return tables, kernels
