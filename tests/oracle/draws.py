"""The chances of one run as the engines get them: read, never drawn, by flow, place and consignment.

Sampling is no resolution: who is chosen for inspection is `uniform < share`, and the
uniform is handed to the oracle as it is handed to the engines; the share at that
instant is the oracle's own business. This is the only module that knows how the
library stores its draws.
"""

from oracle.words import on_grid


class Draws:
    """Draws of one replication of one scenario, from what the sampler made for the engines."""

    def __init__(self, plan, inputs):
        self.flows = {flow.id: drawn for flow, drawn in zip(plan.flows, inputs.flows, strict=True)}
        self.outages = {
            plan.elements[number].id: [(one.from_h, one.until_h, one.lane) for one in rows[0]]
            for number, rows in inputs.outages.items()
        }
        """Breakdowns as they were drawn, by place: from, until, lane (None is the whole stage). [h]"""
        self.lost = {plan.elements[number].id: rows[0].tolist() for number, rows in inputs.cancelled.items()}
        """Whether each place of booked slots is lost, in order, by place."""
        self.laws = {}
        for flow in plan.flows:
            for variant in flow.variants:
                for step in variant.steps:
                    self.laws[flow.id, step.draws] = [law for _, law in step.laws]

    def releases(self, flow):
        """Release instants, in order. [h]"""
        return [float(at) for at in self.flows[flow].release_h[0] if at < float("inf")]

    def duration(self, flow, place, law, index):
        """Time that consignment `index` draws from a law at a place, before any factor. [h]"""
        if type(law).__name__ == "Deterministic":
            return on_grid(law.value_h)
        k = self.laws[flow, place].index(law)
        return float(self.flows[flow].duration_h[place][k][0][index])

    def patience(self, flow, place, index):
        """How long consignment `index` waits at a place before it leaves. [h]"""
        return float(self.flows[flow].duration_h[f"{place}.patience"][0][0][index])

    def chosen(self, flow, name, index, share):
        """Whether consignment `index` is one of a share: its uniform lies below it."""
        if share <= 0 or share >= 1:
            return share >= 1
        return float(self.flows[flow].uniform[name][0][index]) < share


def mean_of(law):
    """Mean of a law whose draws are rescaled to a lane cycle. [h]"""
    if type(law).__name__ == "Deterministic":
        return law.value_h
    assert type(law).__name__ == "Empirical", "only fixed and measured times are rescaled here"
    return sum(law.values_h) / len(law.values_h)
