"""History matching in waves: emulators say where to draw, the model says what survives."""

import dataclasses

import numpy as np
import pytest
from test_observations import ROOM, SETTINGS, count, volumes
from test_uncertainty import ranged

import corridor_sim as cs
from corridor_sim.statistics.emulators import emulate
from corridor_sim.statistics.scrambles import scrambled_points
from corridor_sim.study import draws as draws_module
from corridor_sim.study.observations import Observation
from corridor_sim.study.waves import WaveValues, next_points

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


def points(draws=128, dimensions=12, root=1):
    return scrambled_points(draws, dimensions, root)[0]


def model(x):
    """A made-up result: two inputs matter, ten do not."""
    return 10.0 + 4.0 * x[:, 3] + 3.0 * (2.0 * x[:, 7] - 1.0) ** 2


def test_an_emulator_takes_up_the_inputs_that_matter_and_is_exact_for_what_it_can_be():
    x = points()
    found = emulate(x, model(x))
    assert set(found.inputs.tolist()) == {3, 7}
    assert found.sd < 1e-9
    other = points(root=2)
    assert found(other) == pytest.approx(model(other))


def test_what_an_emulator_does_not_know_is_its_error():
    x = points()
    noise = np.random.default_rng(3).normal(size=len(x))
    found = emulate(x, model(x) + 0.5 * noise)
    assert found.sd == pytest.approx(0.5, rel=0.15)
    assert {3, 7} <= set(found.inputs.tolist())
    left = emulate(x, noise)
    assert left.sd == pytest.approx(1.0, rel=0.15)


def test_an_emulator_takes_up_ten_inputs_at_most_and_needs_results():
    x = points(dimensions=30)
    assert len(emulate(x, x @ np.arange(30.0)).inputs) == 10
    with pytest.raises(ValueError, match="at least 8"):
        emulate(x[:7], x[:7, 0])


def test_the_next_wave_is_drawn_from_what_the_observation_leaves():
    x = points()
    judge = Observation(name="seen", value=12.0, sd=0.1, discrepancy_sd=0.1, indicator="tfi1")
    fresh, scramble, left = next_points([judge], [[WaveValues(x, model(x), 0.0)]], 64, root=5, wave=2)
    reach = 3 * np.hypot(0.1, 0.1)
    assert len(fresh) == 64
    assert np.bincount(scramble).tolist() == [8] * 8
    assert (np.abs(model(fresh) - 12.0) <= reach + 1e-6).all()
    dense = np.random.default_rng(0).random((100_000, 12))
    assert left == pytest.approx(np.mean(np.abs(model(dense) - 12.0) <= reach), rel=0.1)
    again, _, _ = next_points([judge], [[WaveValues(x, model(x), 0.0)]], 64, root=5, wave=2)
    other, _, _ = next_points([judge], [[WaveValues(x, model(x), 0.0)]], 64, root=5, wave=3)
    assert np.array_equal(fresh, again)
    assert not np.array_equal(fresh, other)


def test_no_point_is_left_where_no_emulator_can_reach_the_observation():
    x = points()
    judge = Observation(name="seen", value=40.0, sd=0.1, indicator="tfi1")
    fresh, _, left = next_points([judge], [[WaveValues(x, model(x), 0.0)]], 64, root=5, wave=2)
    assert (len(fresh), left) == (0, 0.0)


def test_more_draws_survive_in_the_second_wave_and_each_is_judged_by_what_it_gives():
    settings = SETTINGS | {"observations": [count(discrepancy_sd=1.0)]}
    one, two = (cs.uncertainty(ranged(**ROOM), **settings, waves=waves) for waves in (1, 2))
    first, second = two.waves["uniform"]
    assert one.waves["uniform"] == (first,)
    assert (first.draws, second.draws) == (64, 64)
    assert second.kept > 2 * first.kept
    assert second.space == pytest.approx(6.0 / 40.0 / 0.96, rel=0.25)  # 47 to 53 of a demand of 40 to 80 with its days
    kept = two.main.kept
    assert kept.sum() == second.kept == two.judged["uniform"].effective
    assert np.array_equal(np.sort(volumes(two, kept)), np.sort(volumes(two, np.flatnonzero(kept))))
    text = " ".join(two.describe().split())
    assert "wave 1:" in text
    assert "wave 2:" in text
    assert two.about()["waves"]["uniform"][1] == dataclasses.asdict(second) | {"space": round(second.space, 4)}


def test_where_counts_alone_judge_only_the_draws_that_they_leave_are_run(monkeypatch):
    names = []
    run = draws_module.run_those_that_can
    monkeypatch.setattr(draws_module, "run_those_that_can", lambda *a, **k: names.append(1) or run(*a, **k))
    found = cs.uncertainty(ranged(**ROOM), **SETTINGS, waves=1, observations=[count(discrepancy_sd=1.0)])
    assert [one.draws for one in found.waves["uniform"]] == [64]
    kept = found.main.kept
    assert 0 < kept.sum() < 64
    assert len(names) == kept.sum() + 2  # and all low, all high
    assert not np.isnan(found.answers(0, 0)).any()
    assert np.isnan(found.main.values[:, :, ~kept]).all()


def test_nothing_is_run_where_the_observations_leave_nothing():
    never = count(value=500.0, discrepancy_sd=1.0)
    found = cs.uncertainty(ranged(**ROOM), **SETTINGS, waves=2, observations=[never])
    assert [one.kept for one in found.waves["uniform"]] == [0]
    assert np.isnan(found.main.values).all()
    assert len(found.answers(0, 0)) == 0


def test_waves_without_observations_are_refused():
    with pytest.raises(ValueError, match="waves = 2 needs observations"):
        cs.uncertainty(ranged(), **SETTINGS, waves=2)
