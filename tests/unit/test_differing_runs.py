"""Comparisons, sweeps and attributions simulate what differs, and nobody sees it in the numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.engines import compiled
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.study import execution
from corridor_sim.study.run import compare, run
from corridor_sim.study.store import load
from corridor_sim.study.sweeps import sweep

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


@pytest.fixture(autouse=True)
def _switched_on(monkeypatch):
    monkeypatch.delenv("CORRIDOR_SIM_FAST", raising=False)


@pytest.fixture(scope="module")
def base():
    return load_scenario("do_nothing_2026", {"run.horizon_days": 5, "run.warm_up_days": 1})


@pytest.fixture(scope="module")
def better(base):
    lanes = cs.AddLanes(checkpoint="samur_az", direction="exit", stage="lanes", lanes=2)
    return base.with_improvements(lanes).replace(name="better")


def assert_same(found, wanted):
    assert found.rows.labels == wanted.rows.labels
    assert found.rows.values.tobytes() == wanted.rows.values.tobytes()
    assert found.rows.replications.tolist() == wanted.rows.replications.tolist()
    assert found.visits_count == wanted.visits_count
    mine, theirs = found.rows.pools.arrays(), wanted.rows.pools.arrays()
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[key], theirs[key]) for key in ("which", "value", "counts"))


SETTINGS = {"engine": "compiled", "rng": 5}


@pytest.mark.parametrize("how", [{"workers": 1}, {"workers": 2}, {"workers": 1, "memory_gb": 0.02}])
def test_a_comparison_has_the_bytes_of_two_runs_however_it_is_cut(base, better, how):
    found = compare(base, better, replications=3, **SETTINGS, **how)
    for one, scenario in zip(found.runs, (base, better), strict=True):
        assert_same(one, run(scenario, replications=3, **SETTINGS))
    assert found.runs[0].simulated_again is None
    assert 0 < found.runs[1].simulated_again < 0.3 or "memory_gb" in how


def test_the_bytes_are_those_of_the_batch_engine(base, better):
    found = compare(base, better, replications=2, **SETTINGS)
    slow = compare(base, better, replications=2, rng=5, engine="batch")
    for one, other in zip(found.runs, slow.runs, strict=True):
        assert_same(one, other)
    assert [one.simulated_again for one in slow.runs] == [None, None]


def test_the_head_says_what_was_simulated_again(base, better):
    found = compare(base, better, replications=2, **SETTINGS)
    share = found.runs[1].simulated_again
    assert f"{100 * share:.1f} % of visits of better simulated again" in found.describe(width=200)
    assert "simulated again" not in compare(base, better, replications=2, rng=5, engine="batch").describe()


def test_points_of_a_sweep_and_runs_of_an_attribution_are_those_of_full_runs(base, better):
    points = sweep(base, {"checkpoints.samur_az.exit.lanes.lanes": [3, 4, 5]}, replications=2, **SETTINGS)
    for point, found in points:
        alone = sweep(base, [point], replications=2, **SETTINGS).runs[0]
        assert alone.simulated_again is None
        assert_same(found, alone)
    assert all(0 < found.simulated_again < 0.3 for found in points.runs[1:])
    attribution = cs.attribute(better, list(better.improvements)[-1:], replications=2, **SETTINGS)
    assert_same(attribution.comparison.runs[1], run(better, replications=2, **SETTINGS))
    assert 0 < attribution.comparison.runs[1].simulated_again < 0.3


def test_a_stored_comparison_holds_two_runs_that_stand_alone(base, better, tmp_path):
    found = compare(base, better, replications=3, store=tmp_path / "both", **SETTINGS)
    for one, scenario in zip(found.runs, (base, better), strict=True):
        assert_same(one, run(scenario, replications=3, store=tmp_path / one.name, **SETTINGS))
        own = json.loads((tmp_path / one.name / "manifest.json").read_text())
        folder = tmp_path / "both" / own["key"]
        assert (folder / "summary.csv").read_bytes() == (tmp_path / one.name / "summary.csv").read_bytes()
        assert {path.name for path in (folder / "blocks").iterdir()}
        assert_same(load(folder), load(tmp_path / one.name))
    # More replications: what is missing in both is run together, the rest is found.
    more = compare(base, better, replications=4, store=tmp_path / "both", **SETTINGS)
    for one, scenario in zip(more.runs, (base, better), strict=True):
        assert_same(one, run(scenario, replications=4, **SETTINGS))
    assert more.runs[1].simulated_again is None


def test_where_the_base_is_stored_already_the_other_is_run_alone(base, better, tmp_path):
    compare(base, base.replace(name="twin"), replications=2, store=tmp_path, **SETTINGS)
    found = compare(base, better, replications=2, store=tmp_path, **SETTINGS)
    assert_same(found.runs[1], run(better, replications=2, **SETTINGS))
    assert found.runs[1].simulated_again is None


def test_an_error_in_what_runs_beside_it_leaves_the_base_alone(base, better, monkeypatch):
    reduce = compiled.reduce

    def failing(*args, others=(), **settings):
        if others:
            raise RuntimeError("of the other")
        reduce(*args, **settings)

    monkeypatch.setattr(compiled, "reduce", failing)
    found = compare(base, better, replications=2, workers=1, **SETTINGS)
    assert_same(found.runs[0], run(base, replications=2, **SETTINGS))
    assert_same(found.runs[1], run(better, replications=2, **SETTINGS))
    assert found.runs[1].simulated_again is None


def test_blocks_of_plans_that_run_together_fit_into_the_memory(base):
    from corridor_sim.indicators import Collector, Options
    from corridor_sim.plan.build import make_plan

    plan = make_plan(base)
    job = execution.Job(plan, 1, (), "compiled", ("wait_h",), (), Options(), 2.0, False)
    held = Collector(plan, [0], ("wait_h",), Options()).nbytes
    assert job.bytes_per_replication == held
    together = execution.replace(job, beside=(job, job))
    assert together.bytes_per_replication == 3 * held
    small = execution.replace(together, memory_gb=3 * held * 2 / 0.4 / 1e9)
    blocks = execution.cut_in_blocks(small, range(7), 1, in_steps=False)
    assert [len(block) for block in blocks] == [2, 2, 2, 1]
    room = execution.room_beside(execution.replace(job, memory_gb=held * 12.5 / 0.4 / 1e9), 1)
    assert room == 2
    halves = execution.replace(together, replications=(1, 2, 3)).of((1, 2, 3)).halves()
    assert [[one.replications for one in half.beside] for half in halves] == [[(1,), (1,)], [(2, 3), (2, 3)]]
