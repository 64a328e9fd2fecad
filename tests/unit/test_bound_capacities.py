"""Lanes and the time in one are drawn together where what they pass a day is known: rule D33."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_corridor import small

import corridor_sim as cs
from corridor_sim.files.packaged import scenario_files
from corridor_sim.model.daily_capacities import DERIVED, bound_capacities
from corridor_sim.model.paths import all_stages
from corridor_sim.model.provenance import figures_of, range_problems
from corridor_sim.statistics.scrambles import scrambled_points
from corridor_sim.study.designs import with_values
from corridor_sim.study.input_space import Ranged, bound_figures
from corridor_sim.study.uncertainty import space_of

WHY = {"range_reason": "made up"}
STAGE = "checkpoints.astara_ir.exit.gate"
LANES, TIME, DAY = f"{STAGE}.lanes", f"{STAGE}.service.mean_h", f"{STAGE}.{DERIVED}"
PRIORS = ("uniform", "triangular")


def gate(lanes=(4, 6), time_h=(0.2, 0.3), day=(400.0, 600.0), **more):
    """A gate of five lanes and 0.24 h in one: 500 trucks a day."""
    figures = {
        name: {"low": ends[0], "high": ends[1], **WHY}
        for name, ends in (("lanes", lanes), ("service.mean_h", time_h), (DERIVED, day))
        if ends
    }
    stage = {"lanes": 5, "service": {"kind": "gamma", "mean_h": 0.24, "cv": 0.3}, "figures": figures, **more}
    return small(checkpoints__astara_ir__exit__gate=stage)


def draws(scenario, prior="uniform", count=256):
    space = space_of((scenario,))
    points, _ = scrambled_points(count, len(space), root=1)
    return points, [space.values(0, point, prior) for point in points]


def passed(scenario, values):
    """What each bound stage passes a day, by the scenario with the values set, as a run would take it."""
    changed = with_values(scenario, values)
    return {path: stage.derived().get(DERIVED) for path, stage in all_stages(changed)}


# ---------------------------------------------------------------- the figure


def test_what_the_lanes_pass_is_a_figure_where_it_has_a_range():
    (row,) = [one for one in figures_of(gate()) if one.path == DAY]
    assert (row.value, row.low, row.high, row.status, row.range_status) == (
        pytest.approx(500.0),
        400.0,
        600.0,
        "derived",
        "assumed",
    )
    assert DAY not in {one.path for one in figures_of(gate(day=None))}


def test_a_stage_that_states_it_has_a_range_of_what_it_states():
    stated = gate(trucks_per_day=500.0, time_h=None)
    assert bound_figures(stated) == []
    assert {one.path for one in space_of((stated,)).members[0][1]} == {DAY}


def test_hours_and_lanes_by_the_hour_count_as_the_stage_counts_them():
    by_hour = {"06:00": 4, "18:00": 2}
    stage = gate(lanes=None, day=(200.0, 230.0), lanes_by_hour=by_hour, opening_hours=["06:00-20:00"])
    ((bound,), found) = bound_figures(stage), dict(all_stages(stage))[STAGE]
    assert [hours for _, hours, _ in bound.lanes] == pytest.approx([12.0, 2.0])
    assert bound.lane_h({}) == pytest.approx(found.lane_h_per_day) == pytest.approx(52.0)
    assert bound.lane_h({bound.lanes[0][0]: 5}) == pytest.approx(64.0)


# ---------------------------------------------------------------- draws


@pytest.mark.parametrize("prior", PRIORS)
def test_by_hand_the_time_is_drawn_from_what_its_lanes_leave_of_it(prior):
    _, found = draws(gate(), prior)
    for values in found:
        # 4 lanes: 96 lane-hours over 400 to 600 trucks are 0.16 to 0.24 h; 5: 0.2 to 0.3; 6: 0.24 to 0.36.
        least, most = {4: (0.2, 0.24), 5: (0.2, 0.3), 6: (0.24, 0.3)}[values[LANES]]
        assert least - 1e-12 <= values[TIME] <= most + 1e-12
    for lanes, (least, most) in {4: (0.2, 0.24), 5: (0.2, 0.3), 6: (0.24, 0.3)}.items():
        times = np.array([one[TIME] for one in found if one[LANES] == lanes])
        assert times.min() < least + 0.15 * (most - least)
        assert times.max() > most - 0.15 * (most - least)


def test_lanes_keep_their_law_and_the_time_its_order_and_other_inputs_their_values():
    scenario, free = gate(), gate(day=None)
    points, bound = draws(scenario)
    again, loose = draws(free)
    assert np.array_equal(points, again)
    assert [one[LANES] for one in bound] == [one[LANES] for one in loose]
    assert {k: [one[k] for one in bound] for k in bound[0] if k != TIME} == {
        k: [one[k] for one in loose] for k in loose[0] if k != TIME
    }
    # Of one number of lanes the time rises with its place: it is the same coordinate.
    mine = sorted((a[TIME], b[TIME]) for a, b in zip(loose, bound, strict=True) if a[LANES] == 4)
    assert [b for _, b in mine] == sorted(b for _, b in mine)
    counts = np.unique([one[LANES] for one in bound], return_counts=True)[1]
    assert counts == pytest.approx([256 / 3] * 3, abs=4)


def test_the_law_of_the_time_is_its_own_given_that_it_is_inside():
    figure = Ranged("time", 0.24, 0.2, 0.3)
    places = (np.arange(2000) + 0.5) / 2000
    for prior in PRIORS:
        whole = np.array([figure.at(place, prior) for place in places])
        inside = np.sort(whole[(whole >= 0.22) & (whole <= 0.27)])
        cut = np.array([figure.within(0.22, 0.27, place, prior) for place in places])
        share = (np.arange(len(inside)) + 0.5) / len(inside)
        assert np.quantile(cut, share) == pytest.approx(inside, abs=1e-4)


def test_a_time_without_a_range_cuts_the_lanes_instead():
    _, found = draws(gate(lanes=(1, 9), time_h=None))
    lanes = [one[LANES] for one in found]
    assert set(lanes) == {4, 5, 6}  # 0.24 h: 400 to 600 are 4 to 6 lanes
    assert np.unique(lanes, return_counts=True)[1] == pytest.approx([256 / 3] * 3, abs=4)


def test_one_end_given_twice_fixes_the_product():
    scenario = gate(day=(500.0, 500.0), time_h=(0.15, 0.3))
    for values in draws(scenario, count=4)[1]:
        assert passed(scenario, values)[STAGE] == pytest.approx(500.0)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lanes=st.tuples(st.integers(1, 4), st.integers(6, 9)),
    time_h=st.tuples(st.floats(0.05, 0.24), st.floats(0.24, 0.9)),
    day=st.tuples(st.floats(50.0, 500.0), st.floats(500.0, 1500.0)),
    prior=st.sampled_from(PRIORS),
)
def test_every_draw_keeps_all_three_ranges_or_the_file_is_refused(lanes, time_h, day, prior):
    scenario = gate(lanes, time_h, day)
    wrong = range_problems(scenario)
    fits = all(
        max(time_h[0], 24 * count / day[1]) <= min(time_h[1], 24 * count / day[0]) * (1 + 1e-9) for count in lanes
    )
    if wrong:
        assert not fits
        assert [one.path for one in wrong] == [DAY]
        return
    assert fits
    (bound,) = bound_figures(scenario)
    for values in draws(scenario, prior, 16)[1]:
        assert lanes[0] <= values[LANES] <= lanes[1]
        assert time_h[0] - 1e-12 <= values.get(TIME, 0.24) <= time_h[1] + 1e-12
        passes = bound.lane_h(values) / values.get(TIME, bound.time_h)
        assert day[0] * (1 - 1e-9) <= passes <= day[1] * (1 + 1e-9)


# ---------------------------------------------------------------- what contradicts itself


def test_lanes_that_no_time_lets_pass_what_is_published_are_one_error():
    (problem,) = range_problems(gate(lanes=(2, 6)))
    assert problem.path == DAY
    assert "the fewest lanes (2) pass at most 240 a day, outside 400 to 600" in problem.message
    (problem,) = range_problems(gate(lanes=(2, 9)))
    assert "the most lanes (9) pass at least 720" in problem.message
    assert problem.message.count("contradicts") == 1
    with pytest.raises(cs.ScenarioError, match="contradicts the ranges of lanes and time"):
        space_of((gate(lanes=(2, 6)),))


def test_a_range_that_does_not_hold_what_the_stage_passes_is_refused():
    (problem,) = range_problems(gate(day=(300.0, 450.0)))
    assert (problem.path, problem.value, problem.allowed) == (DAY, pytest.approx(500.0), "300 to 450")


def test_lanes_by_the_hour_need_a_range_of_the_time():
    (problem,) = range_problems(
        small(
            checkpoints__astara_ir__exit__gate={
                "lanes": 5,
                "lanes_by_hour": {"06:00": 6, "18:00": 4},
                "service": {"kind": "gamma", "mean_h": 0.24, "cv": 0.3},
                "figures": {
                    DERIVED: {"low": 400.0, "high": 600.0, **WHY},
                    "lanes_by_hour.06:00": {"low": 4, "high": 7, **WHY},
                },
            }
        )
    )
    assert "needs a range of" in problem.message


def test_it_is_told_with_file_and_line_and_check_tells_it_too(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text(
        'schema = 1\nextends = "baseline_2023"\n[ranges.lanes_samur]\nlow = 2\nreason = "made up"\n'
        '[ranges.trucks_a_day_samur]\nlow = 450\nreason = "made up"\n'
    )
    with pytest.raises(cs.ScenarioError, match="pass at most 240 a day, outside 450 to 600"):
        cs.load_scenario(file)
    errors = [one for one in cs.check(file) if one.severity == "error"]
    assert [one.path for one in errors] == [f"checkpoints.samur_az.{way}.lanes.{DERIVED}" for way in ("exit", "entry")]


def test_lanes_set_by_hand_run_and_are_not_drawn():
    path = "checkpoints.samur_az.exit.lanes.lanes"
    scenario = cs.load_scenario("baseline_2023", {path: 9})
    assert scenario.checkpoints["samur_az"].exit["lanes"].lanes == 9
    with pytest.raises(cs.ScenarioError, match=r"ranges.trucks_a_day_samur does not hold the value"):
        space_of((scenario,))


def test_a_scenario_with_such_a_range_is_written_and_read_back():
    scenario = gate()
    assert cs.loads(cs.dumps(scenario)) == scenario
    assert bound_figures(cs.loads(cs.dumps(scenario))) == bound_figures(scenario)


# ---------------------------------------------------------------- the packaged corridor


@pytest.mark.parametrize("file", scenario_files())
def test_every_draw_of_a_packaged_scenario_passes_what_is_published(file):
    scenario = cs.load_scenario(file)
    bound = bound_figures(scenario)
    space = space_of((scenario,))
    if not len(space):
        assert not bound
        return
    points, _ = scrambled_points(16, len(space), root=0)
    for prior, point in itertools.product(PRIORS, points):
        values = space.values(0, point, prior)
        told = {one.path: one.lane_h(values) / values[one.time] for one in bound}
        for one in bound:
            assert one.low * (1 - 1e-9) <= told[one.path] <= one.high * (1 + 1e-9), one.path
    if bound:
        found = passed(scenario, values)
        assert {path: found[path.rpartition(".")[0]] for path in told} == pytest.approx(told)


def test_lanes_and_time_of_a_post_are_drawn_apart_nowhere():
    free = set()
    for file in scenario_files():
        scenario = cs.load_scenario(file)
        rows = {one.path: one for one in figures_of(scenario)}
        bound = {one.path for one in bound_capacities(scenario, rows.values())}
        for path, stage in all_stages(scenario):
            lanes = [row for at, row in rows.items() if at.startswith(f"{path}.lanes") and row.low != row.high]
            time = rows.get(f"{path}.service.mean_h")
            apart = bool(lanes) and time is not None and time.low != time.high and stage.derived()
            if apart and f"{path}.{DERIVED}" not in bound:
                free.add(path.rpartition(".")[2])
    # Units of scanners: 83 scans a day are published of one unit, not of a post.
    assert free == {"xray"}


@pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
def test_draws_are_the_same_whatever_the_engine():
    made = [
        cs.uncertainty(
            gate(), draws=2, replications=1, priors=["uniform"], rng=3, engine=engine, workers=1, stated_replications=5
        )
        for engine in ("event", "batch")
    ]
    for one in made[1:]:
        assert one.main.points.tobytes() == made[0].main.points.tobytes()
        assert np.array_equal(one.main.values, made[0].main.values, equal_nan=True)
