"""Values of improvements stay on their side of what they replace, in every draw and under every prior."""

import numpy as np
import pytest
from small_corridor import small

import corridor_sim as cs
from corridor_sim.files.packaged import scenario_files
from corridor_sim.statistics.scrambles import scrambled_points
from corridor_sim.study.designs import with_values
from corridor_sim.study.input_space import InputSpace, Ranged, Replaced, ranged_figures
from corridor_sim.study.replaced_values import replaced_values
from corridor_sim.study.uncertainty import space_of

QUOTA = "checkpoints.astara_ir.acceptance.exit.per_day"
RAISED = "improvements.raised.per_day"


def raised(low, high, value=360, quota=(230.0, 400.0)):
    """An acceptance that is known by a range only, raised to another range."""
    base = small(
        checkpoints__astara_ir__acceptance={
            "exit": {"per_day": 250, "figures": {"per_day": {"low": quota[0], "high": quota[1], "range_reason": "x"}}}
        }
    )
    measure = cs.DailyAcceptance(
        at="checkpoints.astara_ir.exit",
        per_day=value,
        figures={"per_day": {"low": low, "high": high, "range_reason": "x"}},
    )
    return base, base.replace(name="raised").with_improvements(raised=measure)


def drawn(space, scenario, path, prior="uniform", draws=256):
    points, _ = scrambled_points(draws, len(space), root=1)
    return np.array([space.values(scenario, point, prior)[path] for point in points])


@pytest.mark.parametrize("prior", ["uniform", "triangular"])
def test_a_raised_quota_is_in_no_draw_below_the_one_it_replaces(prior):
    space = space_of(raised(350.0, 400.0))
    before, after = drawn(space, 0, QUOTA, prior), drawn(space, 1, RAISED, prior)
    assert (after >= before).all()
    assert (after > before).any()
    assert before.max() > 380 > 360 > after.min()  # both ranges are drawn in full, they overlap
    assert np.array_equal(before, drawn(space, 1, QUOTA, prior))
    assert all(isinstance(value, (int, np.integer)) for value in after)


def test_a_lowered_value_stays_below_and_a_range_over_the_value_is_left_alone():
    lowered = raised(200.0, 250.0, value=220)
    space = space_of(lowered)
    assert (drawn(space, 1, RAISED) <= drawn(space, 1, QUOTA)).all()
    either = space_of(raised(240.0, 400.0))
    assert not either.replaced[1]
    assert (drawn(either, 1, RAISED) < drawn(either, 1, QUOTA)).any()


def test_an_improvement_of_an_exact_figure_is_drawn_from_its_own_range():
    _, other = raised(350.0, 400.0, quota=(250.0, 250.0))
    assert replaced_values(other, ranged_figures(other)) == []


# ---------------------------------------------------------------- service laws

GATE = "checkpoints.astara_ir.exit.gate"
WHY = {"range_reason": "x"}


def replaced_law(new, ranges, old=None, old_ranges=None):
    """A gate whose law is known by ranges only, and a measure that sets another."""
    gate = {
        "lanes": 2,
        "service": old or {"kind": "gamma", "mean_h": 0.5, "cv": 0.5},
        "figures": old_ranges or {"service.mean_h": {"low": 0.25, "high": 0.75, **WHY}},
    }
    base = small(checkpoints__astara_ir__exit__gate=gate)
    figures = {f"service.{name}": {"low": low, "high": high, **WHY} for name, (low, high) in ranges.items()}
    measure = cs.ServiceTimeChange(at=GATE, service=new, figures=figures)
    return base, base.replace(name="other law").with_improvements(faster=measure)


FASTER = {"kind": "gamma", "mean_h": 0.4, "cv": 0.5}


@pytest.mark.parametrize("prior", ["uniform", "triangular"])
@pytest.mark.parametrize(
    ("new", "ranges", "parameter"),
    [
        (FASTER, {"mean_h": (0.3, 0.5)}, "mean_h"),
        (FASTER, {}, "mean_h"),
        ({"kind": "exponential", "mean_h": 0.4}, {"mean_h": (0.3, 0.5)}, "mean_h"),
        ({"kind": "deterministic", "value_h": 0.4}, {"value_h": (0.3, 0.5)}, "value_h"),
        ({"kind": "lognormal", "mean_h": 0.4, "cv": 0.9}, {"mean_h": (0.3, 0.5)}, "mean_h"),
    ],
)
def test_a_law_that_is_faster_as_stated_is_slower_in_no_draw(new, ranges, parameter, prior):
    both = replaced_law(new, ranges)
    space = space_of(both)
    before = drawn(space, 1, f"{GATE}.service.mean_h", prior)
    after = drawn(space, 1, f"improvements.faster.service.{parameter}", prior)
    assert (after <= before).all()
    assert (after < before).any()
    assert before.min() < 0.3  # the ranges overlap, and that of the corridor is drawn in full
    changed = with_values(both[1], space.values(1, np.zeros(len(space)), prior))
    assert changed.improvements["faster"].service.mean_h <= changed.checkpoints["astara_ir"].exit["gate"].service.mean_h


def test_every_parameter_of_a_law_of_the_same_kind_stays_on_its_side():
    spread = {"service.mean_h": {"low": 0.25, "high": 0.75, **WHY}, "service.cv": {"low": 0.1, "high": 0.9, **WHY}}
    space = space_of(replaced_law(FASTER | {"cv": 0.3}, {"cv": (0.2, 0.5)}, old_ranges=spread))
    assert {one.path.rpartition(".")[2] for one in space.replaced[1]} == {"mean_h", "cv"}
    assert (drawn(space, 1, "improvements.faster.service.cv") <= drawn(space, 1, f"{GATE}.service.cv")).all()


def test_a_law_inside_a_law_is_held_by_the_parameters_that_both_have():
    def shifted(mean_h):
        return {"kind": "shifted", "shift_h": 0.1, "law": {"kind": "gamma", "mean_h": mean_h, "cv": 0.5}}

    ranges = {"service.law.mean_h": {"low": 0.25, "high": 0.75, **WHY}}
    space = space_of(replaced_law(shifted(0.4), {"law.mean_h": (0.3, 0.5)}, shifted(0.5), ranges))
    after = drawn(space, 1, "improvements.faster.service.law.mean_h")
    assert (after <= drawn(space, 1, f"{GATE}.service.law.mean_h")).all()


@pytest.mark.parametrize(
    ("new", "ranges"),
    [
        ({"kind": "gamma", "mean_h": 0.4, "cv": 0.5}, {"mean_h": (0.3, 0.6)}),
        ({"kind": "lognormal", "median_h": 0.4, "sigma": 0.5}, {"median_h": (0.3, 0.5)}),
        ({"kind": "lognormal", "mean_h": 0.4, "cv": 0.5, "truncate_h": 9.0}, {"mean_h": (0.3, 0.5)}),
    ],
)
def test_a_law_that_may_be_slower_or_states_no_mean_is_drawn_as_it_stands(new, ranges):
    assert not space_of(replaced_law(new, ranges)).replaced[1]


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_the_time_saved_by_a_faster_law_is_below_0_in_no_draw():
    both = replaced_law(FASTER, {"mean_h": (0.3, 0.5)})
    sure = cs.uncertainty(*both, draws=64, replications=1, rng=3, workers=1, at="astara IR>AZ", priors=["uniform"])
    saved = sure.answers(sure.row("tfi1", kind="crossing", direction="IR>AZ"))
    assert (saved <= 1e-9).all()
    assert saved.min() < -0.1


def test_an_improvement_without_a_range_stays_on_its_side_too():
    base, other = raised(360.0, 360.0)
    space = space_of((base, other))
    before, after = drawn(space, 0, QUOTA), drawn(space, 1, RAISED)
    assert np.array_equal(after, np.maximum(before, 360))
    assert before.max() > 360


# ---------------------------------------------------------------- the cut law


@pytest.mark.parametrize("prior", ["uniform", "triangular"])
def test_the_cut_law_is_the_law_of_the_draws_that_lie_on_the_right_side(prior):
    figure = Ranged("quota", 360.0, 350.0, 400.0)
    places = (np.arange(20000) + 0.5) / 20000
    whole = np.array([figure.at(place, prior) for place in places])
    for bound, side in ((370.0, 1), (355.0, 1), (390.0, -1), (340.0, 1), (410.0, -1)):
        cut = np.array([figure.beyond(bound, side, place, prior) for place in places])
        right = whole[side * (whole - bound) >= 0]
        assert np.quantile(cut, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(right, [0.1, 0.5, 0.9]), abs=0.02)


def test_a_bound_beyond_the_range_is_the_value_itself():
    figure = Ranged("quota", 360, 350.0, 400.0, whole=True)
    assert figure.beyond(420, 1, 0.3, "uniform") == 420
    assert figure.beyond(400, 1, 0.3, "triangular") == 400
    assert figure.beyond(340.5, -1, 0.3, "uniform") == 340
    alternatives = Ranged("lanes", 2, 2.0, 4.0, alternatives=(2, 3, 4))
    assert [alternatives.beyond(3, 1, place, "uniform") for place in (0.2, 0.8)] == [3, 4]
    assert alternatives.beyond(5, 1, 0.5, "uniform") == 5


def test_whole_numbers_beyond_a_bound_are_as_likely_as_each_other():
    figure = Ranged("lanes", 3, 2.0, 5.0, whole=True)
    values = [figure.beyond(3, 1, place, "uniform") for place in (np.arange(3000) + 0.5) / 3000]
    assert np.bincount(values)[3:].tolist() == [1000] * 3


def test_figures_of_one_group_keep_their_place_and_their_side():
    base, measure = Ranged("base", 2.0, 1.0, 4.0, group="g"), Ranged("measure", 3.0, 3.0, 4.0, group="g")
    space = InputSpace.of([[base, measure]], [[Replaced(measure, "base", 1)]])
    assert space.values(0, np.array([1.0]), "uniform") == {"base": 4.0, "measure": 4.0}
    assert space.values(0, np.array([0.0]), "uniform") == {"base": 1.0, "measure": 3.0}


def test_no_packaged_improvement_is_drawn_on_the_wrong_side_of_what_it_replaces():
    found = set()
    for name in scenario_files():
        scenario = cs.load_scenario(name)
        space = space_of([scenario])
        figures = {figure.path: figure for figure in ranged_figures(scenario)}
        for one in space.replaced[0]:
            found.add((one.path, one.side))
            before, after = (drawn(space, 0, path, draws=64) for path in (one.path, one.by.path))
            assert (one.side * (after - before) >= 0).all(), f"{name}: {one}"
            assert one.by.low <= after.max() <= max(one.by.high, figures[one.path].high)
    assert ("checkpoints.astara_ir.acceptance.exit.per_day", 1) in found
    assert ("checkpoints.astara_az.acceptance.exit.per_day", 1) in found


def test_no_packaged_capacity_can_be_drawn_below_the_one_it_replaces():
    """A capacity replaces lanes and their cycle together, which are not cut at it: its range must lie above theirs."""
    held = 0
    for name in scenario_files():
        scenario = cs.load_scenario(name)
        ends = {one.path: (one.low, one.high) for one in ranged_figures(scenario)}
        for id, one in scenario.improvements.items():
            if one.kind != "set_capacity":
                continue
            _, post, direction, stage = one.at.split(".")
            lanes = scenario.checkpoints[post].stages(direction)[stage]
            most = ends.get(f"{one.at}.lanes", (0, lanes.lanes))[1]
            cycle_h = ends.get(f"{one.at}.service.mean_h", (lanes.service.mean_h, 0))[0]
            least = ends.get(f"improvements.{id}.trucks_per_day", (one.trucks_per_day, 0))[0]
            assert least > most * lanes.open_h_per_day / cycle_h, f"{name}: {id}"
            held += 1
    assert held >= 4


def test_flows_that_come_from_one_count_move_together_and_the_rest_of_a_count_against_it():
    scenario = cs.load_scenario("baseline_2023")
    space = space_of([scenario])
    moves = {path: one.name for one in space.inputs for path in one.paths if path.endswith(".per_day")}
    volumes = {path: name for path, name in moves.items() if path.startswith("flows.")}
    assert len(volumes) == 24
    assert len(set(volumes.values())) == 9
    names = {flow: volumes[f"flows.{flow}.per_day"] for flow in scenario.flows}
    assert names["astara_out_bilateral"] == names["astara_out_empty"] != names["astara_in_empty"]
    growth = {one.name for one in space.inputs if any(path.endswith("growth_per_year") for path in one.paths)}
    assert growth == {"growth_iran", "growth_russia"}
    russia = [flow for flow in scenario.flows if flow.startswith(("south_bil", "south_tr", "north_bil", "north_tr"))]
    assert len({names[flow] for flow in russia}) == 1
    sums = []
    for place in (0.0, 0.5, 1.0):
        values = space.values(0, np.full(len(space), place), "uniform")
        sums.append(sum(values[f"flows.{flow}.per_day"] for flow in russia))
    # 447 of the 836 trucks a day that three counts agree on within 2 %.
    assert sums[1] == pytest.approx(467.0)
    assert all(abs(total - 447.0) < 0.06 * 836 for total in sums)
