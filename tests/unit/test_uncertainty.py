"""Draws of the inputs: evenly spread, the same in every scenario, whole where they must be; the same on any machine."""

import math

import numpy as np
import pytest
from small_corridor import law, small

import corridor_sim as cs
from corridor_sim.statistics.scrambles import scrambled_points, scrambles_of
from corridor_sim.study import draws as draws_module
from corridor_sim.study.designs import with_values
from corridor_sim.study.input_space import InputSpace, Ranged, ranged_figures
from corridor_sim.study.uncertainty import space_of

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


def ranged(**tables):
    """A week of the small scenario, with ranges of the demand out of Iran and of the gate's lanes."""
    gate = {
        "lanes": 3,
        "service": law(1.0),
        "figures": {"lanes": {"low": 2, "high": 4, "range_source": "a count", "status": "published", "source": "test"}},
    }
    return small(
        **{
            "run__horizon_days": 8,
            "run__warm_up_days": 1,
            "flows__transit__figures": {"per_day": {"low": 40.0, "high": 80.0, "range_reason": "assumed"}},
            "checkpoints__astara_ir__exit__gate": gate,
        }
        | tables
    )


SETTINGS = {"draws": 16, "replications": 2, "rng": 3, "workers": 1, "at": "astara"}


@pytest.fixture(scope="module")
def faster():
    base = ranged()
    return base, base.replace(name="faster").with_improvements(
        cs.AddLanes(checkpoint="astara_ir", direction="exit", stage="gate", lanes=1)
    )


@pytest.fixture(scope="module")
def found(faster):
    return cs.uncertainty(*faster, **SETTINGS)


# ---------------------------------------------------------------- points


def test_points_of_a_scramble_are_evenly_spread_and_scrambles_differ():
    points, scramble = scrambled_points(64, 5, root=1)
    assert np.bincount(scramble).tolist() == [8] * 8
    for number in range(8):
        strata = np.floor(points[scramble == number] * 8).astype(int)
        assert all(sorted(column) == list(range(8)) for column in strata.T)
    assert len(np.unique(points[:, 0])) == 64


def test_the_same_root_gives_the_same_points_and_another_root_others():
    one, two, other = (scrambled_points(16, 3, root)[0] for root in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not (one == other).any()


@pytest.mark.parametrize("draws", [0, 3, 100])
def test_draws_are_a_power_of_two_and_the_error_names_some(draws):
    with pytest.raises(ValueError, match="power of two"):
        scrambles_of(draws)


# ---------------------------------------------------------------- values


def test_whole_numbers_stay_whole_and_each_is_as_likely():
    figure = Ranged("lanes", 3, 2.0, 5.0, whole=True)
    values = [figure.at(place, "uniform") for place in (np.arange(4000) + 0.5) / 4000]
    assert all(isinstance(value, int) for value in values)
    assert np.bincount(values)[2:].tolist() == [1000] * 4
    assert [figure.at(end, prior) for prior in ("uniform", "triangular") for end in (0.0, 1.0)] == [2, 5, 2, 5]


def test_the_triangular_prior_is_most_likely_at_the_value_stated():
    figure = Ranged("x", 2.0, 0.0, 10.0)
    values = np.array([figure.at(place, "triangular") for place in (np.arange(4000) + 0.5) / 4000])
    assert values.mean() == pytest.approx(12.0 / 3.0, rel=1e-3)  # (low + mode + high) / 3
    counts, edges = np.histogram(values, bins=20)
    assert edges[counts.argmax()] == pytest.approx(2.0, abs=0.6)


def test_alternatives_are_as_likely_as_each_other():
    figure = Ranged("hours", "a", alternatives=("a", "b", "c"))
    assert [figure.at(place, "triangular") for place in (0.0, 0.4, 0.99, 1.0)] == ["a", "b", "c", "c"]


def test_figures_of_a_group_move_together_each_in_its_own_range():
    low, high = Ranged("a", 1.0, 0.0, 2.0, group="g"), Ranged("b", 30.0, 20.0, 40.0, group="g")
    space = InputSpace.of([[low, high, Ranged("c", 1.0, 0.0, 1.0)]])
    assert [one.name for one in space.inputs] == ["c", "g"]
    assert space.values(0, np.array([0.5, 0.25]), "uniform") == {"c": 0.5, "a": 0.5, "b": 25.0}


def test_an_input_that_one_scenario_does_not_have_is_drawn_for_the_others():
    space = InputSpace.of([[Ranged("a", 1.0, 0.0, 1.0)], [Ranged("a", 1.0, 0.0, 2.0), Ranged("b", 1.0, 0.0, 1.0)]])
    assert space.values(0, np.array([0.5, 0.5]), "uniform") == {"a": 0.5}
    assert space.values(1, np.array([0.5, 0.5]), "uniform") == {"a": 1.0, "b": 0.5}


def test_the_ranged_figures_of_a_scenario_are_found_with_what_they_are():
    figures = {figure.path: figure for figure in ranged_figures(ranged())}
    lanes, volume = figures["checkpoints.astara_ir.exit.gate.lanes"], figures["flows.transit.per_day"]
    assert (lanes.whole, lanes.sourced, lanes.low, lanes.high) == (True, True, 2.0, 4.0)
    assert (volume.whole, volume.sourced) == (False, False)


# ---------------------------------------------------------------- answers


def test_rows_carry_both_intervals_named_apart(found):
    row = found.table("tfi1", direction="IR>AZ").iloc[0]
    assert row["low"] <= row["difference"] <= row["high"]
    assert row["inputs_low"] < row["inputs_high"]
    assert row["inputs_high"] - row["inputs_low"] > row["high"] - row["low"]
    assert 0.0 <= row["sign_uniform"] <= 1.0
    assert isinstance(bool(row["sign_holds"]), bool)
    assert "sampling" in found.table("tfi1").attrs["interval"]
    assert "inputs" in found.table("tfi1").attrs["interval"]


def test_the_answer_does_not_depend_on_the_number_of_workers(faster, found):
    other = cs.uncertainty(*faster, **(SETTINGS | {"workers": 2}))
    for prior, rows in found.drawn.items():
        assert np.array_equal(rows.values, other.drawn[prior].values, equal_nan=True)
    assert np.array_equal(found.corners, other.corners, equal_nan=True)


def test_the_part_asked_about_gives_the_numbers_of_the_whole(faster, found):
    whole = cs.uncertainty(*faster, **(SETTINGS | {"at": (), "indicators": ("tfi1", "queue_mean")}))
    for indicator, where in (
        ("tfi1", {"kind": "crossing", "direction": "IR>AZ"}),
        ("queue_mean", {"kind": "stage", "place": "astara_ir.exit.gate"}),
    ):
        mine, theirs = found.row(indicator, **where), whole.row(indicator, **where)
        assert np.array_equal(found.answers(mine), whole.answers(theirs))
        assert found.stated(mine) == whole.stated(theirs)


def test_draws_worked_through_from_where_they_differ_give_the_numbers_of_each_run_alone(faster, found):
    pytest.importorskip("numba")
    compiled = cs.uncertainty(*faster, **(SETTINGS | {"engine": "compiled"}))
    assert {run.engine for run in compiled.runs} == {"compiled"}
    for prior, rows in found.drawn.items():
        assert np.array_equal(rows.values, compiled.drawn[prior].values, equal_nan=True)


def test_a_draw_is_the_run_of_the_scenarios_with_its_values(faster, found):
    where = {"kind": "crossing", "place": "astara", "direction": "IR>AZ"}
    space = space_of(faster)
    for prior, draw in (("uniform", 3), ("triangular", 5)):
        for number, scenario in enumerate(faster):
            values = space.values(number, found.drawn[prior].points[draw], prior)
            alone = cs.run(with_values(scenario, values), replications=2, rng=3, workers=1)
            mine = found.drawn[prior].values[found.row("tfi1", **where), number, draw]
            assert np.array_equal(mine, alone.rows.row("tfi1", **where))


def test_a_scenario_against_itself_differs_in_no_draw(faster):
    base, _ = faster
    same = cs.uncertainty(base, base.replace(name="again"), **(SETTINGS | {"draws": 4}))
    row = same.table("tfi1", direction="IR>AZ").iloc[0]
    assert (row["inputs_low"], row["inputs_high"], bool(row["sign_holds"])) == (0.0, 0.0, True)


def test_the_interval_of_the_inputs_follows_the_range_of_the_demand():
    base = ranged(checkpoints__astara_ir__exit__gate={"lanes": 30, "service": law(0.1)})
    found = cs.uncertainty(base, **(SETTINGS | {"draws": 64, "replications": 1, "priors": ("uniform",)}))
    row = found.row("throughput_per_day", kind="crossing", place="astara", direction="IR>AZ")
    interval = found.interval(row, 0)
    # 90 % of the range from 40 to 80 a day; a Poisson week of 60 a day has a standard deviation of 2.9 a day.
    assert interval.low == pytest.approx(42.0, abs=6.0)
    assert interval.high == pytest.approx(78.0, abs=6.0)
    effects = found.effects(row, 0)
    assert effects["input"].iloc[0] == "flows.transit.per_day"
    assert effects["share"].iloc[0] > 0.9
    assert effects["narrows"].iloc[0] > 0.6


def test_the_parts_of_the_variance_are_told_apart_with_two_replications_only(faster, found):
    row = found.row("tfi1", kind="crossing", direction="IR>AZ")
    assert found.variance(row).interaction >= 0
    assert 0.0 <= found.table("tfi1", direction="IR>AZ")["input_share"].iloc[0] <= 1.0
    single = cs.uncertainty(*faster, **(SETTINGS | {"draws": 4, "replications": 1}))
    assert math.isnan(single.table("tfi1", direction="IR>AZ")["input_share"].iloc[0])
    assert math.isnan(single.variance(row).interaction)


def test_a_study_that_was_interrupted_goes_on_from_what_is_stored(faster, tmp_path, monkeypatch):
    settings = SETTINGS | {"draws": 4, "store": tmp_path / "study"}
    begun = []
    simulate = draws_module.simulate_draw

    def some(shared, draw):
        if len(begun) == 3:
            raise KeyboardInterrupt
        begun.append(draw.name)
        return simulate(shared, draw)

    monkeypatch.setattr("corridor_sim.study.uncertainty.simulate_draw", some)
    with pytest.raises(KeyboardInterrupt):
        cs.uncertainty(*faster, **settings)
    monkeypatch.undo()
    stored = set((tmp_path / "study").glob("*/blocks/*.npz"))
    assert len(set((tmp_path / "study").glob("*/manifest.json"))) == 6
    first = cs.uncertainty(*faster, **settings)
    assert stored < set((tmp_path / "study").glob("*/blocks/*.npz"))
    assert np.array_equal(
        first.main.values, cs.uncertainty(*faster, **(SETTINGS | {"draws": 4})).main.values, equal_nan=True
    )


def test_corners_of_the_box_are_tried_and_belong_to_the_sign(found):
    row = found.row("tfi1", kind="crossing", direction="IR>AZ")
    assert found.corners.shape[2] >= 3
    assert found.sign(row).corners == found.corners.shape[2]


def test_ranges_that_leave_what_is_allowed_are_named_with_their_problem():
    wrong = ranged(legs__astara__figures={"length_km": {"low": -5.0, "high": 3.0, "range_reason": "wrong"}})
    with pytest.raises(
        cs.ScenarioError, match=r"legs\.astara\.length_km: the range reaches to -5, which is not allowed"
    ):
        cs.uncertainty(wrong, **SETTINGS)


def test_scenarios_without_ranges_have_nothing_to_draw():
    with pytest.raises(cs.CorridorError, match="nothing to draw"):
        cs.uncertainty(small())


def test_settings_that_are_not_allowed_are_refused_before_anything_runs(faster):
    with pytest.raises(ValueError, match="priors must be"):
        cs.uncertainty(*faster, priors=["normal"])
    with pytest.raises(ValueError, match="replications"):
        cs.uncertainty(*faster, replications=0)
    with pytest.raises(cs.CorridorError, match="did you mean 'astara'"):
        cs.uncertainty(*faster, at="astra")
    with pytest.raises(cs.CorridorError, match="did you mean 'tfi1'"):
        cs.uncertainty(*faster, indicators="tfi11")


def test_a_row_of_the_draws_that_is_not_there_is_an_error(found):
    with pytest.raises(cs.CorridorError, match="0 rows"):
        found.row("tfi1", place="samur")
    with pytest.raises(cs.CorridorError, match="no column 'plaice'"):
        found.row("tfi1", plaice="samur")
    with pytest.raises(cs.CorridorError, match="prior 'normal'"):
        found.answers(0, prior="normal")


def test_no_pair_of_many_inputs_is_tied_in_the_points_of_one_seed_after_another():
    """Some pairs of Sobol's dimensions are tied in few points: they are not always those of the same two inputs."""
    together = [np.corrcoef(scrambled_points(256, 90, root)[0].T) for root in range(20)]
    tied = np.mean(np.square(together), axis=0)[np.triu_indices(90, 1)]
    assert tied.mean() < 1.5 / 256  # as of independent points
    assert tied.max() < 0.025  # 0.07 where the two share a dimension's first direction numbers in each scramble


def test_an_effect_of_one_of_many_inputs_is_not_told_of_another():
    points, _ = scrambled_points(512, 90, 20240115)
    share = cs.statistics.first_order(points, points[:, 2]).share  # dimension 81 was told to explain a seventh of it
    assert share.argmax() == 2
    assert np.sort(share)[-2] < 0.06


@pytest.fixture(scope="module")
def compared():
    base = ranged()
    lane = cs.AddLanes(checkpoint="astara_ir", direction="exit", stage="gate", lanes=1)
    faster = base.replace(name="faster").with_improvements(lane)
    return base, faster, cs.compare(base, faster, replications=6, rng=3, workers=1)


def test_a_comparison_that_was_run_gives_the_stated_values_and_says_where_to_draw(compared):
    base, faster, comparison = compared
    settings = {"draws": 16, "replications": 1, "rng": 3, "workers": 1}
    found = cs.uncertainty(base, faster, stated=comparison, at="most changed", **settings)
    assert found.runs == comparison.runs
    assert found.part == ("astara IR>AZ",)
    apart = cs.uncertainty(base, faster, at="astara IR>AZ", stated_replications=6, **settings)
    row, other = (one.row("tfi1", kind="crossing", direction="IR>AZ") for one in (found, apart))
    np.testing.assert_array_equal(found.answers(row), apart.answers(other))
    assert found.interval(row) == apart.interval(other)
    line = found.table("tfi1", kind="crossing", direction="IR>AZ").iloc[0]
    assert line["low"] < line["high"]
    assert line["inputs_low"] < line["inputs_high"]


@pytest.mark.parametrize("wrong", ["seed", "order", "none"])
def test_a_comparison_of_something_else_is_refused(compared, wrong):
    base, faster, comparison = compared
    asked = (faster, base) if wrong == "order" else (base, faster)
    given = None if wrong == "none" else comparison
    with pytest.raises(ValueError, match="stated"):
        cs.uncertainty(*asked, stated=given, at="most changed", draws=4, rng=4 if wrong == "seed" else 3, workers=1)


@pytest.mark.parametrize(("seen", "words"), [(60.0, "the same in"), (9000.0, "no draw is left to tell it by")])
def test_a_row_of_the_main_ones_judges_the_draws_and_nothing_is_told_where_none_is_left(faster, seen, words):
    where = {"kind": "post", "place": "astara_ir", "direction": "exit"}
    one = cs.Observation(name="seen", indicator="throughput_per_day", where=where, value=seen, unit="1/day", sd=30.0)
    found = cs.uncertainty(*faster, **SETTINGS | {"draws": 8, "at": ()}, observations=[one])
    assert words in found.describe()
