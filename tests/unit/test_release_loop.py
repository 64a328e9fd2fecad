"""Releases by the compiled loop and by arrays are the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from corridor_sim.core import streams
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.model.arrivals import ArrivalPlan, Poisson
from corridor_sim.sampling import releases

HOURLY = 12.0 + 10.0 * np.sin(np.arange(240.0))
RATES = {
    "constant": StepFunction.constant(12.5),
    "by the hour": StepFunction(np.arange(240.0), HOURLY),
    "pauses": StepFunction([0.0, 10.0, 20.0, 30.0], [5.0, 0.0, 0.0, 7.0]),
    "ends": StepFunction([0.0, 10.0, 20.0, 30.0], [5.0, 0.0, 3.0, 0.0]),
    "from the middle of a piece": StepFunction([-5.0, 7.5], [2.0, 4.0]),
    "nobody": StepFunction.constant(0.0),
}


class BusyPoisson(Poisson):
    """A class of a user, with gaps of its own."""

    def unit_gaps(self, key, index):
        return 0.5 * super().unit_gaps(key, index)


@pytest.fixture
def loop_is_there(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv("CORRIDOR_SIM_FAST", "1")


def keys_of(rows: int):
    return streams.keys_of(7, range(rows), [("release", "trucks", "")]).at(0)


def by_arrays(plan: ArrivalPlan, rows: int, horizon_h: float) -> np.ndarray:
    expected = plan.expected_count(horizon_h, 0.0)
    return releases._by_arrays(plan, keys_of(rows), expected, horizon_h)


@pytest.mark.parametrize("horizon_h", [240.0, 33.3])
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_the_compiled_loop_gives_the_releases_of_the_arrays(loop_is_there, rate, horizon_h):
    plan = ArrivalPlan(process=Poisson(), rate=rate)
    assert releases.compiled(releases._loop) is not None
    found, number = releases.whole_run(plan, keys_of(40), plan.expected_count(horizon_h, 0.0), horizon_h)
    arrays = by_arrays(plan, 40, horizon_h)
    assert number.tolist() == (arrays < np.inf).sum(axis=1).tolist()
    assert found.tobytes() == arrays[:, : found.shape[1]].tobytes()
    assert not (arrays[:, found.shape[1] :] < np.inf).any()


def test_rows_too_short_for_the_loop_are_drawn_by_arrays(loop_is_there):
    plan = ArrivalPlan(process=Poisson(), rate=StepFunction.constant(12.5))
    found, number = releases.whole_run(plan, keys_of(5), 10.0, 240.0)
    assert number.min() > 2000
    whole, _ = releases.whole_run(plan, keys_of(5), 3000.0, 240.0)
    assert found.tobytes() == whole.tobytes()


def test_a_class_derived_from_the_poisson_process_keeps_its_own_gaps(loop_is_there):
    rate = StepFunction.constant(12.5)
    _, number = releases.whole_run(ArrivalPlan(process=BusyPoisson(), rate=rate), keys_of(5), 3000.0, 240.0)
    _, usual = releases.whole_run(ArrivalPlan(process=Poisson(), rate=rate), keys_of(5), 3000.0, 240.0)
    assert (number > 1.8 * usual).all()
