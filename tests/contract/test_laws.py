"""What every registered service-time law must do, whoever wrote it."""

import pickle

import numpy as np
import pytest

from corridor_sim.core.draws.words import Key
from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.machine_code import SWITCH
from corridor_sim.core.streams import key, keys
from corridor_sim.core.units import LONGEST_H, to_grid
from corridor_sim.model.field_types import Positive
from corridor_sim.model.schemas import KindOf
from corridor_sim.model.service_times import SERVICE_TIMES, ServiceTime, SimpleLaw, coded, cv_of, scaled

EXAMPLES = [(kind, SERVICE_TIMES.example(kind)) for kind in SERVICE_TIMES]
VARIANTS = [
    ("erlang", {"k": 1, "mean_h": 2.0}),
    ("gamma", {"mean_h": 0.1, "cv": 1.6}),
    ("lognormal", {"mean_h": 0.7, "cv": 0.4}),
    ("lognormal", {"median_h": 0.5, "sigma": 0.9}),
    ("lognormal", {"median_h": 1.0, "sigma": 0.5, "truncate_h": 0.8}),
    ("triangular", {"low_h": 0.0, "mode_h": 0.0, "high_h": 1.0}),
    ("triangular", {"low_h": 0.2, "mode_h": 1.0, "high_h": 1.0}),
    ("uniform", {"low_h": 0.3, "high_h": 0.3}),
    ("weibull", {"shape": 0.8, "scale_h": 0.5}),
    ("hyperexponential", {"weights": [0.2, 0.5, 0.3], "means_h": [0.1, 0.5, 1.0]}),
    ("shifted", {"shift_h": 0.5, "law": {"kind": "lognormal", "median_h": 0.2, "sigma": 1.0, "truncate_h": 3.0}}),
    (
        "mixture",
        {
            "weights": [0.25, 0.25, 0.5],
            "laws": [
                {"kind": "deterministic", "value_h": 0.1},
                {"kind": "hyperexponential", "weights": [0.5, 0.5], "means_h": [0.1, 1.0]},
                {"kind": "mixture", "weights": [1.0], "laws": [{"kind": "exponential", "mean_h": 0.2}]},
            ],
        },
    ),
]
LAWS = [KindOf(SERVICE_TIMES).make({"kind": kind, **values}, ServiceTime) for kind, values in EXAMPLES + VARIANTS]
KEY = key(9, 2, "duration", "f", "e")
each_law = pytest.mark.parametrize("law", LAWS, ids=repr)


def generator(seed=3):
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


def draw(law, n, seed=3):
    return law.sampler(generator(seed))(n)


def assert_mean(values, theory, standard_errors=4.0):
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - theory) <= standard_errors * error + 1e-12


@each_law
def test_a_law_says_its_own_kind(law):
    assert SERVICE_TIMES[law.kind] is type(law)


@each_law
def test_a_law_has_the_mean_it_states_and_is_never_negative(law):
    values = draw(law, 200_000)
    assert values.shape == (200_000,)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert_mean(values, law.mean_h)


@each_law
def test_a_law_has_the_variance_it_states(law):
    assert not np.isnan(law.variance_h2), "a packaged law knows its variance"
    assert_mean((draw(law, 200_000, seed=4) - law.mean_h) ** 2, law.variance_h2, standard_errors=4.5)
    assert cv_of(law) * law.mean_h == pytest.approx(np.sqrt(law.variance_h2))


@each_law
@pytest.mark.parametrize("sizes", [(1,) * 9, (0, 7, 2), (3, 0, 6), (8, 1)])
def test_drawing_in_parts_gives_the_same_bits(law, sizes):
    sampler = law.sampler(generator())
    parts = np.concatenate([sampler(n) for n in sizes])
    assert np.array_equal(parts, draw(law, 20_001)[: sum(sizes)])


@each_law
def test_long_parts_of_odd_length_give_the_same_bits(law):
    sampler = law.sampler(generator())
    parts = np.concatenate([sampler(n) for n in (4097, 1, 8191, 33, 7679)])
    assert np.array_equal(parts, draw(law, 20_001))


@each_law
def test_a_law_leaves_values_it_gave_alone(law):
    sampler = law.sampler(generator())
    first = sampler(100)
    before = first.copy()
    sampler(100)
    assert np.array_equal(first, before)


@each_law
@pytest.mark.parametrize("factor", [0.25, 1.0, 1.7])
def test_a_scaled_law_multiplies_every_value(law, factor):
    changed = scaled(law, factor)
    assert type(changed) is type(law)
    assert changed.mean_h == pytest.approx(law.mean_h * factor, rel=1e-12)
    np.testing.assert_allclose(draw(changed, 2000), factor * draw(law, 2000), rtol=1e-12, atol=1e-12)


@each_law
def test_scaling_by_zero_takes_no_time_and_by_less_is_refused(law):
    assert draw(scaled(law, 0), 5).tolist() == [0.0] * 5
    for factor in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ScenarioError, match="factor"):
            scaled(law, factor)


@each_law
def test_a_law_is_a_value(law):
    again = KindOf(SERVICE_TIMES).make(law.to_data(), ServiceTime)
    assert again == law
    assert hash(again) == hash(law)
    copied = pickle.loads(pickle.dumps(law))
    assert copied == law
    assert np.array_equal(draw(copied, 50), draw(law, 50))


@each_law
def test_any_value_is_the_same_alone_in_any_order_and_beside_other_streams(law):
    whole = law.at(KEY, np.arange(20_001))
    assert law.by_index
    some = np.random.default_rng(1).integers(0, 20_001, size=(40, 3))
    assert np.array_equal(law.at(KEY, some), whole[some])
    assert np.array_equal(law.at(KEY, np.arange(20_001)[::-1]), whole[::-1])
    assert float(law.at(KEY, 77)) == whole[77]
    many = keys(9, range(3), "duration", "f", "e")
    beside = law.at(Key(many.first[:, None], many.second[:, None]), np.arange(500))
    assert np.array_equal(beside[2], whole[:500])


@each_law
def test_values_on_the_grid_are_the_values_rounded(law):
    values = law.at(KEY, np.arange(3000))
    assert np.array_equal(law.at(KEY, np.arange(3000), on_grid=True), to_grid(np.minimum(values, LONGEST_H)))


@each_law
def test_compiled_values_have_the_bits_of_numpy(law, monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv(SWITCH, "0")
    index = np.arange(200_000)
    plain = law.at(KEY, index)
    grid = law.at(KEY, index[:5000], on_grid=True)
    monkeypatch.setenv(SWITCH, "1")
    assert coded.encode([law]) is not None
    assert law.at(KEY, index).tobytes() == plain.tobytes()
    assert law.at(KEY, index[:5000], on_grid=True).tobytes() == grid.tobytes()


# ---------------------------------------------------------------- planted mistakes


class Coin(SimpleLaw):
    """Half or one and a half times the mean."""

    kind = "coin"
    mean_h: Positive

    @property
    def variance_h2(self):
        return (0.5 * self.mean_h) ** 2

    def of(self, variate):
        return np.where(variate < 0.5, 0.5, 1.5) * self.mean_h


class OtherMean(Coin):
    """The mean is not the one stated."""

    def of(self, variate):
        return super().of(variate) + 0.01


class Negative(Coin):
    """Some times are below zero."""

    def of(self, variate):
        return np.where(variate < 0.5, -0.5, 2.5) * self.mean_h


class OtherSpread(Coin):
    """The variance is not the one stated."""

    @property
    def variance_h2(self):
        return 0.3 * self.mean_h**2


class ByCall(Coin):
    """What is drawn depends on how much is asked for at once."""

    def of(self, variate):
        return np.roll(super().of(variate), 1)


class Additive(Coin):
    """A part of the time does not scale."""

    def of(self, variate):
        return super().of(variate) - self.mean_h + 1.0


def caught(law):
    """The mistakes that the tests above find in a law."""
    tests = {
        "mean": test_a_law_has_the_mean_it_states_and_is_never_negative,
        "variance": test_a_law_has_the_variance_it_states,
        "parts": lambda law: test_drawing_in_parts_gives_the_same_bits(law, (3, 0, 6)),
        "index": test_any_value_is_the_same_alone_in_any_order_and_beside_other_streams,
        "scale": lambda law: test_a_scaled_law_multiplies_every_value(law, 1.7),
    }
    found = []
    for name, test in tests.items():
        try:
            test(law)
        except AssertionError:
            found.append(name)
    return found


def test_a_new_law_without_mistake_passes():
    assert caught(Coin(mean_h=1.0)) == []


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        (OtherMean, "mean"),
        (Negative, "mean"),
        (OtherSpread, "variance"),
        (ByCall, "parts"),
        (ByCall, "index"),
        (Additive, "scale"),
    ],
    ids=lambda given: getattr(given, "__name__", given),
)
def test_a_mistake_planted_in_a_law_is_caught(mistake, name):
    assert name in caught(mistake(mean_h=1.0))
