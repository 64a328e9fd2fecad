"""Arguments of public functions: wrong types and values are one clear error before anything is simulated."""

import math
import warnings

import numpy as np
import pytest
from small_corridor import small

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.indicators import Options

NAN, INF = math.nan, math.inf


@pytest.fixture(scope="module")
def scenario():
    return cs.load_scenario("teaching").replace(run={"start": "2024-01-01", "horizon_days": 2, "replications": 2})


@pytest.fixture(autouse=True)
def nothing_is_simulated(monkeypatch):
    """A run that gets so far fails the test."""

    def simulated(*_, **__):
        raise AssertionError("something was simulated")

    monkeypatch.setattr("corridor_sim.study.one_run.simulated", simulated)


RUN = [
    ("replications", 0),
    ("replications", -1),
    ("replications", 2.0),
    ("replications", 2.5),
    ("replications", True),
    ("replications", "2"),
    ("replications", NAN),
    ("replications", 10**12),
    ("replications", [0, 0.5]),
    ("replications", [0, -1]),
    ("replications", [1, 1]),
    ("replications", []),
    ("replications", [True]),
    ("replications", object()),
    ("workers", 0),
    ("workers", -2),
    ("workers", 1.5),
    ("workers", "2"),
    ("workers", True),
    ("memory_gb", 0),
    ("memory_gb", -1),
    ("memory_gb", NAN),
    ("memory_gb", INF),
    ("memory_gb", "1"),
    ("memory_gb", True),
    ("records", 1),
    ("records", "yes"),
    ("engine", "fast"),
    ("engine", None),
    ("engine", 3),
    ("options", {}),
    ("options", "all"),
    ("executor", 3),
    ("progress", 3),
    ("progress", "yes"),
    ("store", 3),
    ("indicators", 3),
    ("indicators", ["wait"]),
    ("rng", -1),
    ("rng", 1.5),
    ("rng", "seed"),
    ("rng", True),
]


@pytest.mark.parametrize(("name", "value"), RUN)
@pytest.mark.parametrize("called", ["run", "compare", "sweep"])
def test_settings_of_runs(scenario, called, name, value):
    function = {
        "run": lambda **settings: cs.run(scenario, **settings),
        "compare": lambda **settings: cs.compare(scenario, scenario.replace(name="other"), **settings),
        "sweep": lambda **settings: cs.sweep(scenario, {"flows.flour.per_day": [10, 20]}, **settings),
    }[called]
    with pytest.raises(CorridorError) as error:
        function(**{name: value})
    assert name.removesuffix("s") in str(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: cs.run(3),
        lambda s: cs.run(None),
        lambda s: cs.run({}),
        lambda s: cs.compare(s, 3),
        lambda s: cs.compare(s, s, confidence=95),
        lambda s: cs.compare(s, s, confidence=True),
        lambda s: cs.compare(s, s, confidence="0.9"),
        lambda s: cs.sweep(s, 3),
        lambda s: cs.sweep(s, {}),
        lambda s: cs.sweep(s, {"flows.flour.per_day": 3}),
        lambda s: cs.sweep(s, [3]),
        lambda s: cs.sweep(s),
        lambda s: cs.sweep(s, {"flows.flour.per_day": [10, 20]}, keep_going="yes"),
        lambda s: cs.design(3),
        lambda s: cs.design_points("teaching_lanes"),
        lambda s: cs.attribute(3),
        lambda s: cs.attribute(s, s),
        lambda s: cs.attribute(s, 3),
        lambda s: cs.attribute(s, "no_such_indicator"),
        lambda s: cs.attribute(s, confidence=2),
        lambda s: cs.run(s, replications=[0, 1], records="no"),
        lambda s: Options(targets_h=(-1.0,)),
        lambda s: Options(targets_h="2"),
        lambda s: Options(targets_h=(NAN,)),
        lambda s: Options(period_days=0),
        lambda s: Options(period_days=1.5),
        lambda s: Options(period_days=True),
    ],
)
def test_calls_that_make_no_sense(scenario, call):
    with pytest.raises(CorridorError):
        call(scenario)


UNCERTAINTY = [
    *(("draws", value) for value in (0, -1, 3, 2.0, 2.5, "16", True, NAN, None, 10**12, [16])),
    *(("replications", value) for value in (0, -1, 2.5, "2", True, None, 10**12, [0, 1])),
    *(("stated_replications", value) for value in (0, -1, 2.5, "2", True, 10**12)),
    *(("priors", value) for value in ([], "uniform", ["normal"], ["uniform", "uniform"], 3, None, [["uniform"]])),
    *(("at", value) for value in (3, None, ["no_such_post"], [3], {"a": 1}) if value is not None),
    *(("indicators", value) for value in (3, ["no_such_row"], [3])),
    *(("memory_gb", value) for value in (0, -1, NAN, INF, "1", True)),
    *(("executor", value) for value in (3, "dask")),
    *(("progress", value) for value in (3, "yes")),
    *(("workers", value) for value in (0, 1.5, "2", True)),
    *(("options", value) for value in ({}, "all")),
    *(("rng", value) for value in (-1, 1.5, "seed")),
    *(("engine", value) for value in ("fast", 3)),
    ("store", 3),
    ("observations", "own"),
]


@pytest.mark.parametrize(("name", "value"), UNCERTAINTY)
def test_settings_of_draws_of_inputs(name, value):
    base = small(run__horizon_days=1, run__warm_up_days=0)
    ranged = base.replace(flows={**base.flows, "transit": base.flows["transit"].replace(figures=RANGE)})
    with pytest.raises(CorridorError) as error:
        cs.uncertainty(ranged, **{"draws": 2, "workers": 1} | {name: value})
    assert name.removesuffix("s") in str(error.value) or repr(value).strip("[]'") in str(error.value)


RANGE = {"per_day": {"low": 40.0, "high": 80.0, "range_reason": "assumed"}}


@pytest.mark.parametrize(
    "call",
    [
        lambda: cs.queues.fifo([0.0, 1.0], [1.0, 1.0], 0),
        lambda: cs.queues.fifo([0.0, 1.0], [1.0, 1.0], 1.5),
        lambda: cs.queues.fifo([0.0, 1.0], [1.0, 1.0], True),
        lambda: cs.queues.fifo(["a", "b"], [1.0, 1.0], 1),
        lambda: cs.queues.fifo([0.0, 1.0], [1.0 + 1j, 1.0], 1),
        lambda: cs.statistics.t_interval([], 0.95),
        lambda: cs.statistics.t_interval(["a"], 0.95),
        lambda: cs.statistics.t_interval([1.0, 2.0], 95),
        lambda: cs.theory.mmc_wait(-1, 1, 1),
        lambda: cs.theory.mmc_wait(1, 0, 1),
        lambda: cs.theory.mmc_wait(1, 1, 1.5),
        lambda: cs.theory.mmc_wait(1, NAN, 2),
    ],
)
def test_kernels_and_statistics(call):
    with pytest.raises(ArgumentError):
        call()


def test_numbers_of_numpy_are_numbers(scenario, monkeypatch):
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        plain = cs.run(scenario, replications=2, rng=3, workers=1, memory_gb=1)
        numpy = cs.run(
            scenario, replications=np.int64(2), rng=np.int32(3), workers=np.uint8(1), memory_gb=np.float32(1.0)
        )
    assert plain.rows.values.tobytes() == numpy.rows.values.tobytes()
    assert cs.queues.fifo([0.0, 1.0], [1.0, 1.0], np.int64(1)) is not None


def test_records_that_would_not_fit_are_refused_with_the_estimate(scenario):
    with pytest.raises(ArgumentError, match=r"records=True would hold about .* GB .* more than memory_gb = 0\.001"):
        cs.run(scenario, records=True, replications=500, memory_gb=0.001)
