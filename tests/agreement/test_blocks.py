"""How a run is cut must not show: the same bytes for any block of replications, budget and number of workers."""

from __future__ import annotations

import numpy as np
import pytest

from corridor_sim.engines import batch
from corridor_sim.engines.batch import streaming
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.indicators import Collector
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.study.run import run

REPLICATIONS = 1000


@pytest.fixture(scope="module")
def plan():
    """A day of the teaching corridor, seen from its first hour on."""
    return make_plan(load_scenario("teaching", {"run.horizon_days": 1, "run.warm_up_days": 0}))


def table_in_blocks(plan, rows, replications, monkeypatch):
    """Values of all indicators by replication, and how many blocks of replications there were."""
    monkeypatch.setattr(streaming, "MOST_ROWS", rows)
    sampler, blocks, values = Sampler(plan, 11), 0, []
    for first in range(0, replications, rows):
        numbers = range(first, min(first + rows, replications))
        collector = Collector(plan, numbers)
        for chunk in batch.stream(plan, sampler, numbers, memory_gb=4.0):
            assert len(chunk.replications) == len(numbers)
            collector.add(chunk)
        values.append(collector.finish().values)
        blocks += 1
    return np.concatenate(values, axis=1), blocks


@pytest.fixture(scope="module")
def whole(plan):
    """All replications side by side."""
    with pytest.MonkeyPatch.context() as patch:
        values, blocks = table_in_blocks(plan, REPLICATIONS, REPLICATIONS, patch)
    assert blocks == 1
    assert np.isfinite(values).any(axis=0).all()
    return values


@pytest.mark.parametrize(("rows", "replications"), [(64, REPLICATIONS), (7, 210), (1, 40)])
def test_the_block_of_replications_does_not_show(plan, whole, rows, replications, monkeypatch):
    values, blocks = table_in_blocks(plan, rows, replications, monkeypatch)
    assert blocks == -(-replications // rows)
    assert values.tobytes() == np.ascontiguousarray(whole[:, :replications]).tobytes()


def test_the_number_of_workers_does_not_show():
    one, two = (run("teaching", replications=6, rng=11, engine="batch", workers=workers).rows for workers in (1, 2))
    assert one.labels == two.labels
    assert one.values.tobytes() == two.values.tobytes()
