"""Draws of a block of replications as the pass reads them: columns, and what is drawn for elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.compiled import codes, kernel_tables
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.engines.compiled.listing import Ints
from corridor_sim.engines.compiled.queue_tables import draws_of_departures
from corridor_sim.engines.compiled.state import BlockDraws
from corridor_sim.engines.compiled.tables import Coded, Tables
from corridor_sim.plan.elements import Departures
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import NUMBER_PER_FLOW, FlowInputs, SampledInputs, StreamRows

_NONE = np.empty(0)


def drawn_block(code: Coded, flows: Sequence[FlowInputs], rows: int) -> BlockDraws:
    """Draws of a block of so many replications, as the pass reads them.

    Raises
    ------
    SimulationError
        For too many consignments in one replication, numbers that are not those of their flow, or missing draws.
    """
    many = len(code.columns)
    counts = np.stack([flow.count for flow in flows], axis=1) if flows else np.zeros((rows, 0), np.int64)
    base = np.zeros((rows, len(flows) + 1), np.int64)
    np.cumsum(counts, axis=1, out=base[:, 1:])
    index = np.arange(max((flow.number.shape[1] for flow in flows), default=0))
    for f, flow in enumerate(flows):
        own = index[: flow.number.shape[1]]
        if flow.number.strides[0] == 0:  # the same row for all
            others = flow.number[:1] - f * NUMBER_PER_FLOW != own
        else:
            others = (flow.number - f * NUMBER_PER_FLOW != own) & (flow.variant >= 0)
        if others.any():
            raise SimulationError("consignments have numbers of their own")
    first, second, ahead = _keys_and_drawn(code, flows, rows)
    most = int(base[:, -1].max(initial=0))
    if most >= 1 << codes.ID_BITS:
        raise SimulationError(f"{most} consignments in one replication, at most {1 << codes.ID_BITS}")
    # One replication after the other, in each flow by flow.
    release, routes, given = _NONE, _NONE.astype(np.int32), _NONE
    upto = counts.tolist()
    if flows and rows:
        drawn = [flow.release_h for flow in flows]
        parts = [own[k, :number] for k in range(rows) for own, number in zip(drawn, upto[k], strict=True)]
        release = np.concatenate(parts)
        routes = _routes(code, flows, base)
    given_at = np.full((rows, many), -1, dtype=np.int64)
    if ahead and rows:
        parts, length = [], 0
        for k in range(rows):
            for n, values in ahead.items():
                given_at[k, n] = length
                parts.append(values[k, : upto[k][code.columns[n].flow]])
                length += len(parts[-1])
        given = np.concatenate(parts)
    at = np.zeros(rows + 1, np.int64)
    np.cumsum(base[:, -1], out=at[1:])
    return BlockDraws(at, base, release, routes, first, second, given_at, given, _NONE)


def _keys_and_drawn(
    code: Coded, flows: Sequence[FlowInputs], rows: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], dict[int, FloatArray]]:
    """Both halves of the keys of columns that are drawn where they are used; the values of the others, by column."""
    many = len(code.columns)
    first, second = np.zeros((rows, many), np.uint64), np.zeros((rows, many), np.uint64)
    ahead: dict[int, FloatArray] = {}
    where: list[int] = []
    keys: list[Any] = []
    # Of each piece of keys that several flows have in common: the columns, and the rows of the piece.
    pieces: dict[int, tuple[StreamRows, list[int], list[int]]] = {}
    rows_of = [flow.later.rows for flow in flows]
    # What nobody asks for is not looked up.
    nobody = [not flow.number.shape[1] for flow in flows]
    for n, (column, node) in enumerate(zip(code.columns, code.tables.node.tolist(), strict=True)):
        f, name, law = column
        if nobody[f]:
            continue
        mine = rows_of[f]
        if mine is not None and (law < 0 or node >= 0) and (row := mine.at[law < 0].get(name)) is not None:
            _, columns, places = pieces.setdefault(id(mine.first), (mine, [], []))
            columns.append(n)
            places.append(mine.begin + row)
            continue
        flow = flows[f]
        later: Any
        drawn: Any
        if law < 0:
            later, drawn = flow.later.uniform.get(column.name), flow.uniform.get(column.name)
        else:
            later, drawn = flow.later.duration_h.get(column.name), flow.duration_h.get(column.name)
            later, drawn = later and later[law], drawn and drawn[law]
        if later is not None and (law < 0 or node >= 0):
            where.append(n)
            keys.append(later.keys)
        elif later is not None:
            ahead[n] = _all_of(later, flows[column.flow].count)
        elif drawn is not None:
            ahead[n] = drawn
        else:
            what = "uniforms" if column.law < 0 else "durations"
            raise SimulationError(f"{what} are missing for {column.name!r}")
    for piece, columns, places in pieces.values():
        first[:, columns], second[:, columns] = piece.first[places].T, piece.second[places].T
    if where:
        for half, into in enumerate((first, second)):
            into[:, where] = np.array([key[half] for key in keys], dtype=np.uint64).T
    return first, second, ahead


def _routes(code: Coded, flows: Sequence[FlowInputs], base: Ints) -> NDArray[np.int32]:
    """The route of each consignment, one replication after the other."""
    number = np.diff(base, axis=1)
    routes = np.repeat(np.tile(code.first_route.astype(np.int32), len(base)), number.reshape(-1))
    several = np.flatnonzero(np.diff(code.first_route, append=len(code.tables.route_flow)) > 1).tolist()
    begin = 0
    for k, ends in enumerate(base.tolist() if several else ()):
        for f in several:
            own = routes[begin + ends[f] : begin + ends[f + 1]]
            own += flows[f].variant[k, : len(own)].astype(np.int32)
        begin += ends[-1]
    return routes


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
