"""Given draws handed out window by window, and chunks gathered again, for tests of streaming."""

from __future__ import annotations

import numpy as np

from corridor_sim.inputs import FlowInputs, SampledInputs


class GivenDraws:
    """A sampler whose draws are those of a case."""

    def __init__(self, plan, inputs: SampledInputs) -> None:
        self.plan, self.inputs = plan, inputs
        self.expected = tuple(float(flow.count.mean()) for flow in inputs.flows)
        self.bytes_per_replication = 100.0 * sum(self.expected)

    def sample(self, replications) -> SampledInputs:
        return rows_of(self.inputs, list(replications))

    def stream(self, replications, *, memory_gb=1.0) -> GivenWindows:
        return GivenWindows(self.sample(replications))


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
    for chunk in chunks:
        for element, table in enumerate(chunk.elements):
            if table is None:
                continue
            for row, column in np.argwhere(table.flow >= 0).tolist():
                key = (
                    int(chunk.replications[row]),
                    element,
                    int(table.flow[row, column]),
                    int(table.index[row, column]),
                    int(table.step[row, column]),
                )
                if key in visits:
                    raise ValueError(f"visit {key} comes twice")
                visits[key] = tuple(
                    str(times[row, column])
                    for times in (table.join_h, table.start_h, table.finish_h, table.leave_h, table.service_h)
                )
        for span in chunk.spans:
            for row, column in np.argwhere(span.index >= 0).tolist():
                key = (int(chunk.replications[row]), span.flow, span.variant, span.span, int(span.index[row, column]))
                if key in spans:
                    raise ValueError(f"span {key} comes twice")
                spans[key] = (str(span.begin_h[row, column]), str(span.end_h[row, column]))
    return visits, spans
