"""Calibration: known truths come back within the stated intervals, the rest of the observations is a check, errors."""

import datetime as dt
import json
import math
import tomllib

import numpy as np
import pytest
from command_line import called
from hypothesis import given
from hypothesis import strategies as st
from small_corridor import law, small

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.statistics.calibrating import calibrated
from corridor_sim.statistics.emulators import emulate_all, terms_of
from corridor_sim.study.designs import with_values

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
POST = {"kind": "post", "place": "astara_ir", "direction": "exit"}
FREE = {"flows.transit.per_day": (40.0, 70.0), "checkpoints.astara_ir.exit.gate.service.mean_h": (0.8, 1.1)}
SETTINGS = {"draws": 16, "waves": 1, "replications": 2, "rng": 5, "workers": 1}


def border():
    """The small scenario with a busy gate at Astara, two weeks."""
    gate = {"lanes": 3, "service": {"kind": "gamma", "mean_h": 1.0, "cv": 0.5}}
    return small(run__horizon_days=16, run__warm_up_days=2, checkpoints__astara_ir__exit__gate=gate)


def alone():
    """Only the flow through Astara, so that a run costs little."""
    data = border().to_data()
    data["flows"] = {"transit": data["flows"]["transit"]}
    return cs.Scenario.model_validate(data)


# ---------------------------------------------------------------- emulators and waves


@given(st.integers(1, 3), st.integers(0, 50))
def test_a_quadratic_is_found_whole_and_without_error(inputs, seed):
    rng = np.random.default_rng(seed)
    points, slopes = rng.random((40, inputs)), rng.normal(size=inputs)

    def truth(at):
        return 3.0 + at @ slopes + (at @ slopes) ** 2

    found = emulate_all(points, truth(points))
    new = rng.random((10, inputs))
    assert found(new) == pytest.approx(truth(new), abs=1e-8)
    assert found.sd < 1e-8
    assert len(found.coefficients) == terms_of(inputs)


def test_the_error_of_an_emulator_is_that_of_runs_left_out():
    rng = np.random.default_rng(3)
    points = rng.random((12, 1))
    values = np.sin(6 * points[:, 0])
    left_out = [values[k] - emulate_all(np.delete(points, k, 0), np.delete(values, k))(points[k : k + 1])[0]
                for k in range(12)]  # fmt: skip
    assert emulate_all(points, values).sd == pytest.approx(math.sqrt(np.mean(np.square(left_out))), rel=1e-6)


def test_runs_without_a_value_are_left_out_and_too_few_are_refused():
    points = np.linspace(0.0, 1.0, 8)[:, None]
    values = points[:, 0] ** 2
    values[3] = np.nan
    assert emulate_all(points, values)(points)[3] == pytest.approx(points[3, 0] ** 2, abs=1e-9)
    with pytest.raises(ArgumentError, match="of 1 inputs needs 4 runs with a value, got 3"):
        emulate_all(points[:3], values[:3])


def linear(points):
    """Two observations of one input each, the third of their sum; no noise."""
    both = np.column_stack([points[:, 0], points[:, 1], points.sum(axis=1)])
    return np.repeat(both[:, :, None], 2, axis=2)


def test_the_law_of_a_linear_model_is_the_normal_law_of_the_observations():
    found = calibrated(
        linear, np.array([0.4, 0.6, 1.0]), np.array([0.05, 0.1, 9.0]), np.array([True, True, False]), 2,
        draws=16, waves=2, root=1,
    )  # fmt: skip
    for k, (value, sd) in enumerate(((0.4, 0.05), (0.6, 0.1))):
        low, high = found.quantile(found.points[:, k], np.array([0.05, 0.95]))
        assert (low, high) == pytest.approx((value - 1.645 * sd, value + 1.645 * sd), abs=0.01)
    assert found.best == pytest.approx([0.4, 0.6], abs=1e-3)
    assert found.left[1] < found.left[0] * 1.01
    assert found.runs == 32


def test_an_observation_for_validation_does_not_judge():
    sd, both = np.full(3, 0.05), np.array([True, True, False])
    here, there = (
        calibrated(linear, np.array([0.4, 0.6, seen]), sd, both, 2, draws=16, waves=1, root=1) for seen in (1.0, 1.5)
    )
    assert np.array_equal(here.weights, there.weights)


def test_observations_that_no_value_gives_leave_nothing():
    found = calibrated(
        linear, np.array([0.4, 0.6, 1.6]), np.full(3, 0.02), np.full(3, True), 2, draws=16, waves=2, root=1
    )
    assert found.left[-1] == 0.0
    assert not found.weights.any()
    assert found.effective == 0.0
    assert np.isnan(found.quantile(found.points[:, 0], np.array([0.5]))).all()


def wait_h(per_day, hold_h, lanes=3):
    """Mean wait by Erlang's formula. [h]"""
    offered = per_day / 24.0 * hold_h
    terms = [offered**k / math.factorial(k) for k in range(lanes)]
    last = offered**lanes / math.factorial(lanes) * lanes / (lanes - offered)
    return last / (sum(terms) + last) * hold_h / (lanes - offered)


def share_held(studies, draws=32):
    """How often 90 % intervals of demand and service time hold the truth, of a border that is a formula."""
    held = []
    for study in studies:
        rng = np.random.default_rng(study)
        truth, noise = rng.random(2), 1.0 + 0.02 * rng.normal(size=4)

        def gives(point):
            per_day, hold_h = 40.0 + 36.0 * point[0], 0.7 + 0.2 * point[1]
            return np.array([wait_h(per_day, hold_h), per_day])

        def run(points, gives=gives, noise=noise):
            return np.array([gives(point) for point in points])[:, :, None] * noise

        spread = np.array([0.1 * gives(truth)[0], 1.5])
        seen = gives(truth) + spread * rng.normal(size=2)
        found = calibrated(run, seen, spread, np.full(2, True), 2, draws=draws, waves=2, root=study)
        for k in range(2):
            low, high = found.quantile(found.points[:, k], np.array([0.05, 0.95]))
            held.append(low <= truth[k] <= high)
    return float(np.mean(held))


def test_intervals_hold_the_truth_as_often_as_they_say_in_repeated_studies():
    assert share_held(range(25)) >= 0.82


@pytest.mark.long
def test_intervals_hold_the_truth_in_86_to_97_of_100_of_many_studies():
    assert 0.86 <= share_held(range(300)) <= 0.97


# ---------------------------------------------------------------- scenarios


def observed(scenario, values, seed):
    """What one real fortnight would have shown: throughput and mean queue at the gate, each with its own spread."""
    runs = cs.run(with_values(scenario, values), replications=12, rng=seed, workers=1)
    found = []
    for name in ("throughput_per_day", "queue_mean", "wait_h"):
        real = runs.rows.row(name, cargo_class="", hour=None, day=None, of="", **POST)
        found.append(
            cs.Observation(
                name=name, value=float(real[0]), sd=float(np.std(real, ddof=1)), indicator=name, where=POST,
                use="validation" if name == "wait_h" else "calibration", discrepancy_sd=0.01,
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def made():
    truth = {"flows.transit.per_day": 58.0, "checkpoints.astara_ir.exit.gate.service.mean_h": 0.95}
    return cs.calibrate(alone(), FREE, observed(alone(), truth, 99), **SETTINGS)


def test_a_made_up_border_is_found_within_its_intervals_and_the_rest_is_held(made):
    low, high = made.interval("flows.transit.per_day")
    assert high - low < 0.5 * 30.0
    low, high = made.interval("flows.transit.per_day", 0.99)
    assert low < 58.0 < high
    low, high = made.interval("checkpoints.astara_ir.exit.gate.service.mean_h", 0.99)
    assert low < 0.95 < high
    checks = made.checks().set_index("observation")
    assert checks.loc["wait_h", "use"] == "validation"
    assert checks.held.all()


def test_the_calibrated_scenario_has_the_likeliest_values_and_its_text_is_read_back(made, tmp_path):
    data = made.scenario.to_data()
    assert data["flows"]["transit"]["per_day"] == made.values["flows.transit.per_day"]
    (tmp_path / "base.toml").write_text(cs.dumps(alone()), encoding="utf-8")
    (tmp_path / "found.toml").write_text('schema = 1\nname = "found"\nextends = "base.toml"\n' + made.to_toml())
    read = cs.load_scenario(tmp_path / "found.toml").to_data()
    assert read["flows"]["transit"]["per_day"] == pytest.approx(data["flows"]["transit"]["per_day"], rel=1e-5)


def test_the_table_and_the_draws_are_of_the_law_that_is_left(made):
    row = made.table().set_index("figure").loc["flows.transit.per_day"]
    assert (row.stated, row.range_low, row.range_high) == (48.0, 40.0, 70.0)
    assert (row.low, row.high) == made.interval("flows.transit.per_day")
    drawn = [one["flows.transit.per_day"] for one in made.draws(2000)]
    assert np.quantile(drawn, [0.05, 0.95]) == pytest.approx(made.interval("flows.transit.per_day"), abs=0.5)
    assert "flows.transit.per_day" in repr(made)


def test_the_answer_does_not_depend_on_the_number_of_workers(made):
    truth = {"flows.transit.per_day": 58.0, "checkpoints.astara_ir.exit.gate.service.mean_h": 0.95}
    two = cs.calibrate(alone(), FREE, observed(alone(), truth, 99), **(SETTINGS | {"workers": 2}))
    assert two.values == made.values
    assert np.array_equal(two.found.weights, made.found.weights)


def lanes_between(low, high):
    gate = {
        "lanes": 3,
        "service": law(1.0),
        "figures": {"lanes": {"low": low, "high": high, "range_reason": "assumed for a test", "status": "assumed"}},
    }
    data = small(run__horizon_days=8, run__warm_up_days=1, checkpoints__astara_ir__exit__gate=gate).to_data()
    data["flows"] = {"transit": data["flows"]["transit"] | {"per_day": 300.0}}
    return cs.Scenario.model_validate(data)


def test_whole_numbers_stay_whole_and_take_the_range_of_the_scenario():
    scenario = lanes_between(2, 8)
    seen = cs.Observation(name="passed", value=120.0, sd=2.0, indicator="throughput_per_day", where=POST)
    found = cs.calibrate(scenario, ["checkpoints.astara_ir.exit.gate.lanes"], [seen], **(SETTINGS | {"draws": 8}))
    assert found.values["checkpoints.astara_ir.exit.gate.lanes"] == 5
    assert isinstance(found.values["checkpoints.astara_ir.exit.gate.lanes"], int)
    assert set(np.unique(found.candidates)) <= set(range(2, 9))
    assert "gate.lanes = 5  #" in found.to_toml()


def test_a_count_judges_without_a_run_and_what_is_not_told_is_said():
    count = cs.Observation(
        name="count", value=55.0, discrepancy_sd=1.0, posts=(("astara_ir", "exit"),),
        since=dt.date(2024, 1, 3), until=dt.date(2024, 1, 10),
    )  # fmt: skip
    found = cs.calibrate(alone(), FREE, [count], **SETTINGS)
    low, high = found.interval("flows.transit.per_day")
    assert (low, high) == pytest.approx((55.0 - 1.645, 55.0 + 1.645), abs=0.4)
    told = "checkpoints.astara_ir.exit.gate.service.mean_h is not told by these observations"
    assert any(doubt.startswith(told) for doubt in found.warnings)


def test_a_wrong_model_leaves_nothing_and_says_so():
    seen = [
        cs.Observation(name="passed", value=120.0, sd=1.0, indicator="throughput_per_day", where=POST),
        cs.Observation(name="queue", value=1.0, sd=0.1, indicator="queue_mean", where=POST),
    ]
    with pytest.warns(cs.CorridorWarning, match="no values of the free figures give what was observed"):
        found = cs.calibrate(alone(), FREE, seen, **SETTINGS)
    assert np.isnan(found.interval("flows.transit.per_day")).all()
    assert found.draws(3) == []


@pytest.mark.long
def test_simulated_borders_are_found_as_often_as_their_intervals_say():
    rng, held = np.random.default_rng(8), []
    for study in range(25):
        truth = {path: float(rng.uniform(low, high)) for path, (low, high) in FREE.items()}
        found = cs.calibrate(alone(), FREE, observed(alone(), truth, 500 + study), **(SETTINGS | {"rng": study}))
        held += [found.interval(path)[0] <= value <= found.interval(path)[1] for path, value in truth.items()]
    assert np.mean(held) >= 0.8


# ---------------------------------------------------------------- calls, files and commands

SEEN = cs.Observation(name="passed", value=50.0, sd=2.0, indicator="throughput_per_day", where=POST)


def count_at(post):
    time = {"since": dt.date(2024, 3, 1), "until": dt.date(2024, 4, 1)}
    return cs.Observation(name="x", value=1.0, sd=1.0, posts=((post, "exit"),), **time)


@pytest.mark.parametrize(
    ("free", "observations", "more", "told"),
    [
        ([], [SEEN], {}, "free must name at least one figure"),
        (3, [SEEN], {}, "free must name at least one figure"),
        (["flows.transit.per_day"], [SEEN], {}, r"no figure with a range; give its ends"),
        ({"flows.transit.perday": (1, 2)}, [SEEN], {}, "is no figure of this scenario; did you mean"),
        ({"flows.transit.per_day": 3}, [SEEN], {}, r"must be \(low, high\)"),
        ({"flows.transit.per_day": (3, 2)}, [SEEN], {}, "the high end of flows.transit.per_day"),
        ({f"flows.x{k}.per_day": (1, 2) for k in range(11)}, [SEEN], {}, "at most 10 figures"),
        (FREE, [], {}, "nothing judges"),
        (FREE, [SEEN, SEEN], {}, "names of their own, got passed twice"),
        (FREE, 3, {}, "observations must be a list"),
        (FREE, ["seen"], {}, "each of observations must be an Observation"),
        (FREE, [cs.Observation(name="x", value=1.0, sd=1.0, indicator="throughput")], {}, "0 rows match throughput"),
        (FREE, [cs.Observation(name="x", value=1.0, sd=1.0, indicator="wait_h")], {}, "rows match wait_h"),
        (
            FREE,
            [count_at("astara_irr")],
            {},
            "observation x.posts = 'astara_irr': is no post.*did you mean 'astara_ir'",
        ),
        (FREE, "none.toml", {}, "none.toml: does not exist"),
        (FREE, [SEEN], {"draws": 4}, "draws must be a power of two >= 7 for 2 free figures"),
        (FREE, [SEEN], {"draws": 12}, "draws must be a power of two"),
        (FREE, [SEEN], {"waves": 0}, "waves must be a whole number"),
        (FREE, [SEEN], {"replications": 1}, "replications must be a whole number >= 2"),
        (FREE, [SEEN], {"workers": 0}, "workers must be a whole number"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_clear_error(free, observations, more, told):
    with pytest.raises(CorridorError, match=told):
        cs.calibrate(alone(), free, observations, **(SETTINGS | more))


FILE = """
[observations.passed]
value = 150.0
sd = 3.0
indicator = "throughput_per_day"
where = { kind = "post", place = "northgate_b", direction = "entry" }

[observations.counted]
value = 160
discrepancy_sd = 10.0
posts = [["northgate_b", "entry"]]
since = 2024-01-03
until = 2024-01-10
use = "validation"
"""


def test_observations_are_read_from_a_file_with_their_use(tmp_path):
    path = tmp_path / "seen.toml"
    path.write_text(FILE, encoding="utf-8")
    found = cs.read_observations(path)
    assert [(one.name, one.use) for one in found] == [("passed", "calibration"), ("counted", "validation")]
    assert found[1].posts == (("northgate_b", "entry"),)


def test_everything_wrong_with_a_file_of_observations_is_told_at_once(tmp_path):
    path = tmp_path / "seen.toml"
    path.write_text(
        'x = 1\n[observations.a]\nvalue = "many"\nsdd = 1.0\n[observations.b]\nsd = 1.0\nposts = ["x"]\nsince = 3\n'
        '[observations.c]\nvalue = 1.0\nsd = 1.0\nindicator = "wait_h"\nuse = "both"\n'
    )
    with pytest.raises(cs.ScenarioError) as error:
        cs.read_observations(path)
    told = str(error.value)
    expected = [
        "x: is not known here",
        "observations.a.value = 'many'",
        "did you mean 'sd'?",
        "observations.b.value",
        "observations.b.posts",
        "observations.b.since = 3: must be a date",
        "observations.c.use = 'both': is not known (allowed: calibration or validation)",
    ]
    for text in expected:
        assert text in told, text
    assert told.count("seen.toml") >= 7
    path.write_text("= 3")
    with pytest.raises(cs.ScenarioError, match="is not TOML"):
        cs.read_observations(path)
    with pytest.raises(cs.ScenarioError, match=r"none.toml: does not exist"):
        cs.read_observations(tmp_path / "none.toml")


def test_the_command_prints_values_intervals_checks_and_lines_for_a_file(tmp_path):
    path = tmp_path / "seen.toml"
    path.write_text(FILE, encoding="utf-8")
    words = ["calibrate", "teaching", "--observations", path, "--draws", 8, "--waves", 1, "-n", 2, "--seed", 1,
             "--workers", 1, "--quiet"]  # fmt: skip
    told = called(*words, "--free", "flows.flour.per_day=80:140")
    assert told.exit_code == 0, told.stderr
    assert "flows.flour.per_day = " in told.stdout
    assert "validation" in told.stdout
    alone = tmp_path / "found.toml"
    assert called(*words, "--free", "flows.flour.per_day=80:140", "-o", alone).exit_code == 0
    assert tomllib.loads(alone.read_text(encoding="utf-8"))["flows"]["flour"]["per_day"] > 0
    assert alone.read_text(encoding="utf-8").strip() in told.stdout
    found = json.loads(called(*words, "--free", "volumes", "--format", "json").stdout)
    assert found["figures"][0]["figure"] == "volumes"
    assert called(*words, "--free", "flows.flour.per_day=80").exit_code == 2
    assert called(*words, "--free", "flows.flour.per_day=80:140", "--free", "volumes").exit_code == 2
