"""Given draws handed out window by window, and chunks gathered again, for tests of streaming."""

from __future__ import annotations

import dataclasses

import numpy as np

from corridor_sim.records.inputs import FlowInputs, SampledInputs


class GivenDraws:
    """A sampler whose draws are those of a case."""

    def __init__(self, plan, inputs: SampledInputs) -> None:
        self.plan, self.inputs = plan, inputs
        self.expected = tuple(float(flow.count.mean()) for flow in inputs.flows)
        self.bytes_per_replication = 100.0 * sum(self.expected)

    def sample(self, replications) -> SampledInputs:
        return rows_of(self.inputs, list(replications))

    def stream(self, replications, released=None) -> GivenWindows:
        inputs = self.sample(replications)
        if released is not None:
            flows = [
                flow
                if given is None
                else dataclasses.replace(
                    _cut_to(flow, given), release_h=given.release_h, variant=given.variant, number=given.number
                )
                for flow, given in zip(inputs.flows, released, strict=True)
            ]
            inputs = dataclasses.replace(inputs, flows=tuple(flows))
        return GivenWindows(inputs)


def _cut_to(flow: FlowInputs, given: FlowInputs) -> FlowInputs:
    """As many draws as there are releases given."""
    width = given.release_h.shape[1]
    return dataclasses.replace(
        flow,
        duration_h={key: tuple(a[:, :width] for a in arrays) for key, arrays in flow.duration_h.items()},
        uniform={key: a[:, :width] for key, a in flow.uniform.items()},
    )


def rows_of(inputs: SampledInputs, rows: list[int]) -> SampledInputs:
    flows = tuple(
        FlowInputs(
            flow.release_h[rows],
            flow.variant[rows],
            flow.number[rows],
            {key: tuple(a[rows] for a in arrays) for key, arrays in flow.duration_h.items()},
            {key: a[rows] for key, a in flow.uniform.items()},
        )
        for flow in inputs.flows
    )
    return SampledInputs(
        inputs.replications[rows],
        flows,
        {e: tuple(outages[k] for k in rows) for e, outages in inputs.outages.items()},
        {e: a[rows] for e, a in inputs.crossing_h.items()},
        {e: a[rows] for e, a in inputs.cancelled.items()},
    )


class GivenWindows:
    """Those released in each window, rows padded to the longest."""

    def __init__(self, inputs: SampledInputs) -> None:
        self.inputs, self.since_h = inputs, -np.inf

    def next(self, until_h: float) -> SampledInputs:
        flows = tuple(self._cut(flow, until_h) for flow in self.inputs.flows)
        self.since_h = until_h
        i = self.inputs
        return SampledInputs(i.replications, flows, i.outages, i.crossing_h, i.cancelled)

    def _cut(self, flow: FlowInputs, until_h: float) -> FlowInputs:
        here = (flow.variant >= 0) & (flow.release_h >= self.since_h) & (flow.release_h < until_h)
        order = np.argsort(~here, axis=1, kind="stable")[:, : int(here.sum(axis=1).max(initial=0))]
        kept = np.take_along_axis(here, order, axis=1)

        def pick(values):
            return np.take_along_axis(values, order, axis=1)

        number = pick(flow.number)
        return FlowInputs(
            np.where(kept, pick(flow.release_h), np.inf),
            np.where(kept, pick(flow.variant), -1),
            number,
            {key: tuple(pick(a) for a in arrays) for key, arrays in flow.duration_h.items()},
            {key: pick(a) for key, a in flow.uniform.items()},
        )


def gathered(chunks) -> tuple[dict, dict]:
    """All visits and spans of some chunks by who they belong to. Raises ValueError if one comes twice."""
    visits, spans = {}, {}

    def take(found: dict, where: tuple, chunk, table, *own: str, times: tuple[str, ...]) -> None:
        rows = np.repeat(chunk.replications, table.count).tolist()
        columns = [getattr(table, name).tolist() for name in (*own, *times)]
        for row, *values in zip(rows, *columns, strict=True):
            key = (row, *where, *values[: len(own)])
            if key in found:
                raise ValueError(f"{key} comes twice")
            found[key] = tuple(str(at) for at in values[len(own) :])

    for chunk in chunks:
        for table in chunk.visits:
            times = ("join_h", "start_h", "finish_h", "leave_h", "service_h")
            take(visits, (table.element, table.flow), chunk, table, "index", "step", times=times)
        for span in chunk.spans:
            take(spans, (span.flow, span.variant, span.span), chunk, span, "index", times=("begin_h", "end_h"))
    return visits, spans
