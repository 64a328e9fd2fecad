"""The batch engine gives the bits of the event engine, on plans in which every mechanism may occur.

Run with ``--long`` for 2,000 small plans and 500 big ones (at least three stations,
200 consignments and three mechanisms); how often each mechanism was there is printed.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from lines_and_cycles import random_cycle, random_line
from plans import KINDS, DrawnDice, NumpyDice, random_case
from windows import GivenDraws, gathered

from corridor_sim.core.errors import EngineRefusal, SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import batch, event
from corridor_sim.engines.batch import streaming
from corridor_sim.engines.queues import compiled, fifo, hours, limited_legs, priority  # noqa: F401
from corridor_sim.engines.queues.compiled import SWITCH
from corridor_sim.plan.elements import Station
from corridor_sim.plan.needs import needed, needs_at
from corridor_sim.plan.plan import Plan
from corridor_sim.records.visits import chunk_of

FORMS = [sys.modules[f"corridor_sim.engines.queues.{name}"] for name in ("fifo", "hours", "limited_legs", "priority")]
BIG = {"elements": (3, 6), "consignments": (200, 260), "rows": (1, 2), "flows": (2, 4), "span": 120}


def changing(monkeypatch):
    """Machine code at every other call of a kernel or so, as when numba is loaded within a run."""
    dice, made = np.random.default_rng(5), compiled.loop
    monkeypatch.setattr(compiled, "loop", lambda *of: made(of[0]) if len(of) == 1 or dice.random() < 0.5 else None)


@pytest.fixture(params=[0, 16, None, "either"], ids=["rows", "scalar", "compiled", "changing"])
def form(request, monkeypatch):
    """Each kernel's forms, whatever the number of replications; or now one, now another."""
    if request.param in (None, "either"):
        pytest.importorskip("numba")
        monkeypatch.delenv(SWITCH, raising=False)
        if request.param:
            changing(monkeypatch)
        return
    monkeypatch.setenv(SWITCH, "0")
    for module in FORMS:
        if hasattr(module, "SCALAR_BELOW"):
            monkeypatch.setattr(module, "SCALAR_BELOW", request.param)
    monkeypatch.setattr(FORMS[-1], "ROW_NS", request.param * 1e9)


def difference(case) -> str | None:
    """What differs between the engines in words, "" if nothing does, None if the case cannot run."""
    if batch.refusals(case.plan):
        return None
    try:
        expected = event.simulate(case.plan, case.inputs)
    except SimulationError:
        with pytest.raises(SimulationError):
            batch.simulate(case.plan, case.inputs)
        return None
    return batch.simulate(case.plan, case.inputs).same_as(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_one_mechanism_after_the_other_has_the_same_visits(kind, form):
    ran = 0
    for seed in range(25):
        case = random_case(NumpyDice(np.random.default_rng(seed)), kinds=(kind, "fifo"), elements=(1, 3))
        found = difference(case)
        assert not found, (seed, found)
        ran += found is not None
    assert ran >= 15


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_small_plans_have_the_same_visits(data):
    case = random_case(DrawnDice(data.draw), consignments=(0, 6), rows=(1, 2))
    assert not difference(case)


@pytest.mark.parametrize("seed", range(12))
def test_plans_with_many_consignments_have_the_same_visits(seed, form):
    found = difference(random_case(NumpyDice(np.random.default_rng(seed)), **BIG))
    assert not found, found


@pytest.mark.parametrize("seed", range(40))
def test_lines_with_finite_yards_have_the_same_visits(seed):
    case = random_line(NumpyDice(np.random.default_rng(seed)), most=120 if seed % 10 == 0 else 8)
    assert difference(case) == ""


@pytest.mark.parametrize("seed", range(40))
def test_lanes_shared_by_both_directions_have_the_same_visits(seed):
    case = random_cycle(NumpyDice(np.random.default_rng(seed)), most=100 if seed % 10 == 0 else 8)
    assert difference(case) == ""


@pytest.mark.parametrize(("window_h", "drawn_h"), [(1.0, 1.0), (3.0, 9.0), (7.5, 7.5), (1.0, 5.5)])
def test_windows_of_time_hold_the_same_visits_and_spans(window_h, drawn_h):
    for seed in range(40):
        case = random_case(NumpyDice(np.random.default_rng(seed)))
        try:
            whole = gathered([chunk_of(batch.simulate(case.plan, case.inputs))])
        except SimulationError:
            continue
        rows = case.inputs.replications
        source = GivenDraws(case.plan, case.inputs).stream(range(len(rows)))
        assert gathered(streaming.windows(case.plan, source, rows, window_h, drawn_h, who=True)) == whole, seed


def test_forms_may_change_from_window_to_window(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.delenv(SWITCH, raising=False)
    changing(monkeypatch)
    test_windows_of_time_hold_the_same_visits_and_spans(3.0, 3.0)


@pytest.mark.parametrize("seed", range(6))
def test_the_budget_changes_the_chunks_and_nothing_else(seed):
    case = random_case(NumpyDice(np.random.default_rng(seed + 100)), **BIG | {"rows": (3, 3)})
    draws = GivenDraws(case.plan, case.inputs)
    big = list(batch.stream(case.plan, draws, [0, 1, 2], memory_gb=1.0, who=True))
    small = list(batch.stream(case.plan, draws, [0, 1, 2], memory_gb=1e-6, who=True))
    assert len(small) > len(big)
    assert gathered(small) == gathered(big)


def test_each_replication_is_the_same_alone_and_in_company():
    case = random_case(NumpyDice(np.random.default_rng(8)), **BIG | {"rows": (3, 3)})
    draws = GivenDraws(case.plan, case.inputs)
    visits, spans = gathered(batch.stream(case.plan, draws, [0, 1, 2], who=True))
    for k in range(3):
        alone_visits, alone_spans = gathered(batch.stream(case.plan, draws, [k], who=True))
        assert alone_visits == {key: value for key, value in visits.items() if key[0] == k}
        assert alone_spans == {key: value for key, value in spans.items() if key[0] == k}


def test_what_is_not_done_is_refused_by_name_and_place():
    station = Station(id="samur.lanes", lanes=StepFunction.constant(2), staff_pool="customs")
    plan = Plan(elements=(station,), flows=(), horizon_h=10.0)
    assert batch.refusals(plan) == ["a staff pool at samur.lanes"]
    with pytest.raises(EngineRefusal, match=r"a staff pool at samur\.lanes"):
        batch.stream(plan, None, [0])


def test_random_plans_have_every_mechanism_that_both_engines_do():
    found = set()
    for seed in range(150):
        dice = NumpyDice(np.random.default_rng(seed))
        for case in (random_case(dice), random_line(dice, most=2), random_cycle(dice, most=2)):
            if not batch.refusals(case.plan):
                found.update(needed(case.plan), *map(needed, case.plan.flows), *needs_at(case.plan))
    # Drivers' hours have random plans of their own (`test_compiled_pass.py`).
    assert {one.name for one in (event.DOES & batch.DOES) - found} == {"DRIVERS_HOURS"}


@pytest.mark.long
def test_two_thousand_small_and_five_hundred_big_plans_have_the_same_visits(capsys):
    seen: dict[str, Counter] = {"small": Counter(), "big": Counter()}
    for name, wanted, size in (("small", 2000, {}), ("big", 500, BIG)):
        ran, seed = 0, 0
        while ran < wanted:
            case = random_case(NumpyDice(np.random.default_rng([7, seed])), **size)
            seed += 1
            if name == "big" and len(case.mechanisms) < 3:
                continue
            found = difference(case)
            if found is None:
                continue
            assert found == "", (name, seed - 1, found)
            ran += 1
            seen[name].update(case.mechanisms.keys())
    with capsys.disabled():
        for name, counts in seen.items():
            print(f"\n{name}: " + ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items())))
    for counts in seen.values():
        assert min(counts[kind] for kind in KINDS) >= 30
