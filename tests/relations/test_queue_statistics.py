"""Queue statistics against a replay of the records in plain Python, both engines, any cut of the run."""

import math
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "agreement"))

from plans import DrawnDice, NumpyDice, random_case
from windows import GivenDraws

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines import batch, event
from corridor_sim.engines.batch import streaming
from corridor_sim.indicators import Collector, queue_levels
from corridor_sim.records.visits import chunk_of


def at_a_post(plan, from_h, until_h):
    """The plan with everything that queues at one post, counted in a window."""
    elements = tuple(replace(one, post="p", direction="exit", stage=one.id) for one in plan.elements)
    return replace(plan, elements=elements, warm_up_h=from_h, count_until_h=until_h)


def replayed(records, elements, row, from_h, until_h):
    """(mean, 95th percentile, maximum) of the number waiting at some elements: one event after the other."""
    change = {}
    for k in elements:
        visits = records.elements[k]
        for n in range(visits.flow.shape[1]):
            if visits.flow[row, n] < 0:
                continue
            join, start = float(visits.join_h[row, n]), float(visits.start_h[row, n])
            change[join] = change.get(join, 0) + 1
            if not math.isnan(start):
                change[start] = change.get(start, 0) - 1
    spent, level, since = {}, 0, from_h
    for at in [*sorted(change), math.inf]:
        now = min(max(at, from_h), until_h)
        if now > since:
            spent[level] = spent.get(level, 0) + Fraction(now) - Fraction(since)
            since = now
        level += change.get(at, 0)
    total = Fraction(until_h) - Fraction(from_h)
    assert sum(spent.values()) == total
    upto, percentile = Fraction(0), None
    for length in sorted(spent):
        upto += spent[length]
        if percentile is None and upto >= total * Fraction(95, 100):
            percentile = length
    return float(sum(length * time for length, time in spent.items()) / total), percentile, max(spent)


def tables(plan, inputs):
    """The table of the queue indicator from the event engine, from batch as a whole and in short windows."""
    rows = list(range(len(inputs.replications)))
    whole = chunk_of(event.simulate(plan, inputs))
    yield [whole]
    yield [chunk_of(batch.simulate(plan, inputs), whole=True)]
    if not (streaming.is_cyclic(plan) or streaming.blocking_lines(plan)):
        for window_h in (1.0, 7.5):
            source = GivenDraws(plan, inputs).stream(rows)
            yield list(streaming.windows(plan, source, inputs.replications, window_h, window_h))


def check(case, from_h, length_h):
    """Whether a case could be run; its queues are as replayed."""
    until_h = min(from_h + length_h, case.plan.horizon_h)
    if from_h >= until_h or batch.refusals(case.plan):
        return False
    plan = at_a_post(case.plan, from_h, until_h)
    queued = [k for k, element in enumerate(plan.elements) if element.kind != "delay"]
    visited = {step.element for flow in plan.flows for variant in flow.variants for step in variant.steps}
    try:
        records = event.simulate(plan, case.inputs)
        batch.simulate(plan, case.inputs)
    except SimulationError:
        return False
    places = [(("stage", plan.elements[k].id), [k]) for k in queued if k in visited]
    places.append((("post", "p"), [k for k in queued if plan.elements[k].wait_component != "slot_wait"]))
    found = None
    for chunks in tables(plan, case.inputs):
        collector = Collector(plan, case.inputs.replications, ["queue", "queue_growth_per_day"])
        for chunk in chunks:
            collector.add(chunk)
        table = collector.finish()
        if found is None:
            found = table
            for (kind, place), elements in places:
                for row in range(len(case.inputs.replications)):
                    expected = replayed(records, elements, row, from_h, until_h)
                    got = [
                        table.row(name, kind=kind, place=place)[row]
                        for name in ("queue_mean", "queue_p95", "queue_max")
                    ]
                    assert got == list(expected), (place, row)
        assert table.values.tobytes() == found.values.tobytes()
    return True


@pytest.fixture(autouse=True)
def sorted_at_once(monkeypatch):
    """Events are taken in as soon as they may be, so that every cut shows."""
    monkeypatch.setattr(queue_levels, "WORTH_SORTING", 1)
    monkeypatch.setattr(queue_levels, "AT_ONCE", 3)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_queues_of_small_runs_are_as_replayed(data):
    case = random_case(DrawnDice(data.draw), consignments=(0, 6), rows=(1, 2))
    check(case, float(data.draw(st.integers(0, 12))), float(data.draw(st.integers(1, 60))))


@pytest.mark.parametrize("seed", range(60))
def test_queues_of_any_mechanism_are_as_replayed(seed):
    rng = np.random.default_rng(seed)
    check(random_case(NumpyDice(rng)), float(rng.integers(0, 12)), float(rng.integers(1, 80)))
