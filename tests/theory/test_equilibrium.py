"""Choice of crossing: the shares found are those of a fixed point known by formula, the rules of D38 hold.

Two ways from a to b: near (0.5 h to each post, one lane, constant service, Poisson arrivals: M/D/1) and far
(1.5 h to each post, unlimited lanes). With share s on the near way its mean wait is
rho / (2 mu (1 - rho)) with rho = s lambda / mu, so the equilibrium is the root of
s = 1 / (1 + exp((cost near(s) - cost far) / scale)).
"""

import math
import warnings

import numpy as np
import pytest
from scipy.optimize import brentq

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning, ScenarioError

FEW = pytest.mark.filterwarnings("ignore:only 4 replications")
VALUE, SCALE = 20.0, 15.0
SERVICE_H, PER_DAY = 0.25, 90.0


def two_ways(*, days=300, far_h=1.5, lanes=1, per_day=PER_DAY, shares=(0.5, 0.5), value=VALUE, **flow):
    posts, legs = {}, {}
    free = {"s": {"lanes": "unlimited", "service": {"kind": "deterministic", "value_h": 0.0}}}
    busy = {"s": {"lanes": lanes, "service": {"kind": "deterministic", "value_h": SERVICE_H}}}
    for name, hours in (("near", 0.5), ("far", far_h)):
        posts[f"{name}_a"] = {"crossing": name, "country": "A", "exit": busy if name == "near" else free}
        posts[f"{name}_b"] = {"crossing": name, "country": "B", "entry": free}
        road = {"kind": "road", "length_km": 50 * hours, "speed_kmh": 50}
        legs[f"to_{name}"] = {**road, "from": "a", "to": f"{name}_a"}
        legs[f"over_{name}"] = {**road, "length_km": 0, "from": f"{name}_a", "to": f"{name}_b", "border": True}
        legs[f"from_{name}"] = {**road, "from": f"{name}_b", "to": "b"}
    return cs.Scenario(
        name="two_ways",
        run={"start": "2024-01-01", "horizon_days": days, "warm_up_days": 5, "replications": 4, "seed": 5},
        places={"a": {}, "b": {}},
        checkpoints=posts,
        legs=legs,
        flows={
            "f": {
                "origin": "a",
                "destination": "b",
                "per_day": per_day,
                "value_of_time_usd_h": value,
                "crossing_shares": {"given": dict(zip(("near", "far"), shares, strict=True))},
                **flow,
            }
        },
    )


def md1_wait_h(per_day):
    rho = per_day / 24 * SERVICE_H
    return rho * SERVICE_H / (2 * (1 - rho))


def fixed_point(per_day=PER_DAY, far_h=1.5):
    def surplus(s):
        near = 1.0 + SERVICE_H + md1_wait_h(s * per_day)
        return s - 1 / (1 + math.exp(VALUE * (near - 2 * far_h) / SCALE))

    return brentq(surplus, 1e-9, min(1.0, 24 / SERVICE_H / per_day) - 1e-9)


@pytest.mark.parametrize("per_day", [60.0, 90.0])
def test_the_shares_are_those_of_the_fixed_point_by_formula(per_day):
    found = cs.equilibrium(two_ways(per_day=per_day), scale_usd=SCALE, workers=1)
    assert found.reached
    assert found.unique
    s = fixed_point(per_day)
    assert 0.6 < s < 0.95  # the queue counts: without it the near way had 0.91 or more
    assert found.shares["f"][0] == pytest.approx(s, abs=0.015)
    frame = found.to_frame().set_index("crossing")
    assert frame.loc["near", "wait_h"] == pytest.approx(md1_wait_h(s * per_day), rel=0.15)
    assert frame.loc["near", "unqueued_usd"] == pytest.approx(VALUE * (1.0 + SERVICE_H))
    assert frame.loc["far", "cost_usd"] == pytest.approx(VALUE * 3.0)


def test_ways_alike_are_taken_alike_whatever_was_given():
    scenario = two_ways(days=60, far_h=0.5, lanes=9, shares=(0.9, 0.1))
    near = scenario.checkpoints["near_a"]
    scenario = scenario.replace(checkpoints={**scenario.checkpoints, "far_a": near.replace(crossing="far")})
    found = cs.equilibrium(scenario, scale_usd=SCALE, workers=1)
    assert found.shares["f"] == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_small_scale_does_not_oscillate():
    """Deterministic choice jumps from one way to the other for ever; the averages settle."""
    found = cs.equilibrium(two_ways(days=100, lanes=1), scale_usd=1.0, starts=1, workers=1, most=40)
    assert found.reached
    near, far = found.costs_usd["f"]
    assert abs(near - far) < 8  # both ways are used, so they cost about the same
    assert found.unique is None


def test_the_same_seed_gives_the_same_shares_whatever_the_engine_and_the_workers():
    scenario = two_ways(days=8)
    one, two, three = (
        cs.equilibrium(scenario, scale_usd=SCALE, most=3, starts=1, target=0.3, **how)
        for how in ({"engine": "batch", "workers": 1}, {"engine": "event", "workers": 1}, {"workers": 2})
    )
    assert one.shares["f"].tobytes() == two.shares["f"].tobytes() == three.shares["f"].tobytes()


def test_demand_answers_with_its_elasticity_to_what_the_choice_costs():
    base = cs.equilibrium(two_ways(days=100), scale_usd=SCALE, starts=1, workers=1)
    better = two_ways(days=100, lanes=2)
    fixed = cs.equilibrium(better, scale_usd=SCALE, starts=1, workers=1)
    answers = cs.equilibrium(better, scale_usd=SCALE, starts=1, workers=1, elasticity=-1.0, reference=base)
    assert fixed.demand_factor["f"] == 1.0
    expected = base.composite_usd["f"] / answers.composite_usd["f"]
    assert expected > 1.1
    assert answers.demand_factor["f"] == pytest.approx(expected, rel=0.011)
    assert answers.scenario.flows["f"].per_day == pytest.approx(PER_DAY * answers.demand_factor["f"])
    same = cs.equilibrium(two_ways(days=100), scale_usd=SCALE, starts=1, workers=1, elasticity=-1.0, reference=base)
    assert same.demand_factor["f"] == pytest.approx(1.0, abs=0.02)


def test_demand_of_a_flow_that_follows_changes_as_that_of_the_one_it_follows():
    base = two_ways(days=100)
    empties = base.flows["f"].replace(origin="b", destination="a", per_day=20.0, crossing_shares={})
    both = base.replace(flows={**base.flows, "back": empties})
    found = cs.equilibrium(
        both,
        scale_usd=SCALE,
        starts=1,
        workers=1,
        alternatives={"f": ["near", "far"]},
        elasticity=-1.0,
        reference={"f": 20.0},
        follow={"back": "f"},
    )
    factor = found.demand_factor["f"]
    assert factor < 0.9
    assert found.scenario.flows["back"].per_day == pytest.approx(20.0 * factor)
    assert found.scenario.flows["f"].per_day == pytest.approx(PER_DAY * factor)


def test_a_reference_of_a_flow_whose_demand_does_not_answer_is_not_looked_at():
    found = cs.equilibrium(two_ways(days=8), scale_usd=SCALE, starts=1, workers=1, reference={"f": -3.0})
    assert found.demand_factor["f"] == 1.0


@pytest.mark.parametrize("follow", [{"nobody": "f"}, {"f": "nobody"}, {"f": "f"}])
def test_a_flow_that_is_not_there_or_follows_nobody_that_chooses_is_refused(follow):
    with pytest.raises(ArgumentError, match="follow"):
        cs.equilibrium(two_ways(days=8), scale_usd=SCALE, starts=1, workers=1, follow=follow)


def test_a_scale_too_large_for_an_elasticity_is_refused():
    with pytest.raises(CorridorError, match="demand has no elasticity to it; give a smaller scale_usd"):
        cs.equilibrium(two_ways(days=8), scale_usd=1e4, starts=1, workers=1, elasticity=-1.0, reference={"f": 50.0})


@FEW
def test_the_scenario_found_runs_as_it_was_run():
    found = cs.equilibrium(two_ways(days=20), scale_usd=SCALE, starts=1, workers=1)
    again = cs.run(cs.loads(cs.dumps(found.scenario)), rng=found.results.root, workers=1)
    assert again.rows.values.tobytes() == found.results.rows.values.tobytes()
    assert list(found.scenario.flows["f"].crossing_shares) == ["chosen"]
    assert "near" in found.describe()


def test_what_is_not_reached_is_said():
    with pytest.warns(CorridorWarning, match="equilibrium not reached"):
        found = cs.equilibrium(two_ways(days=20), scale_usd=SCALE, most=1, starts=1, workers=1, target=0.001)
    assert not found.reached
    assert "NOT reached" in found.describe()


def test_a_flow_that_cannot_choose_is_refused_with_all_its_problems():
    with pytest.raises(ScenarioError) as error:
        cs.equilibrium(
            two_ways(value=0.0), scale_usd=SCALE, alternatives={"f": ["near", "north"], "g": ["near", "far"]}
        )
    assert "value_of_time_usd_h" in str(error.value)
    assert "'north'" in str(error.value)
    assert "flows.g" in str(error.value)
    with pytest.raises(ScenarioError, match="no flow has shares over two or more crossings"):
        cs.equilibrium(two_ways(crossing_shares={}), scale_usd=SCALE)


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"scale_usd": 0}, "scale_usd must be"),
        ({"scale_usd": math.nan}, "scale_usd must be"),
        ({"target": 0}, "target must be"),
        ({"starts": 11}, "starts must be"),
        ({"most": 2.5}, "most must be"),
        ({"elasticity": 0.5}, "elasticity of f"),
        ({"elasticity": -0.5}, "reference must give"),
        ({"elasticity": {"g": -0.5}}, "elasticity must be one of"),
    ],
)
def test_a_wrong_argument_is_one_clear_error(bad, text):
    with pytest.raises(ArgumentError, match=text):
        cs.equilibrium(two_ways(), **{"scale_usd": SCALE, **bad})


def test_shares_of_a_logit_sum_to_one_and_follow_the_costs():
    from corridor_sim.study.choice import composite_usd, logit

    rng = np.random.default_rng(3)
    for _ in range(50):
        costs = rng.uniform(0, 1e6, rng.integers(2, 6))
        scale = float(rng.uniform(0.1, 1e4))
        shares = logit(costs, scale)
        assert shares.sum() == pytest.approx(1)
        assert (np.argsort(-shares, kind="stable") == np.argsort(costs, kind="stable")).all() or (shares == 0).any()
        assert composite_usd(costs, scale) <= costs.min()


@pytest.fixture(autouse=True)
def _no_other_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@FEW
def test_demand_that_answers_brings_an_overloaded_post_without_a_way_round_to_the_point_by_formula():
    # 120 a day come to one lane that passes 96: without an answer the queue grows as long as the run lasts.
    scenario, free_usd = two_ways(per_day=120.0), VALUE * (1.0 + SERVICE_H)

    def surplus(per_day):
        return per_day - 120.0 * ((free_usd + VALUE * md1_wait_h(per_day)) / free_usd) ** -0.5

    found = cs.equilibrium(
        scenario,
        scale_usd=SCALE,
        alternatives={"f": ["near"]},
        elasticity=-0.5,
        reference={"f": free_usd},
        workers=1,
    )
    assert found.reached
    assert found.unique
    # The cost is that of the mean wait of a run: of few replications at a load of 0.9.
    assert found.scenario.flows["f"].per_day == pytest.approx(brentq(surplus, 1.0, 95.9), rel=0.03)


@FEW
def test_the_search_with_few_replications_ends_where_that_with_all_ends():
    whole, few = (
        cs.equilibrium(two_ways(days=60), scale_usd=SCALE, starts=1, workers=1, search_replications=count)
        for count in (4, 1)
    )
    assert whole.reached
    assert few.reached
    # Both are within the target of the same point.
    assert abs(whole.shares["f"][0] - few.shares["f"][0]) <= 2 * whole.target
    assert few.results.replications == whole.results.replications == 4


@FEW
def test_what_few_replications_do_not_reach_is_not_looked_for_with_more():
    with pytest.warns(CorridorWarning, match="equilibrium not reached"):
        found = cs.equilibrium(two_ways(days=20), scale_usd=SCALE, most=2, starts=1, workers=1, target=1e-6)
    # Two of the search, and one with all replications that tells all indicators.
    assert len(found.gaps) == 3
    assert not found.reached
    assert "tfi1" in found.results.rows.indicators


@FEW
def test_adapted_steps_reach_it_where_waits_of_an_overload_answer_too_steeply_for_one_step_for_all():
    # 150 a day where the near way passes 96: its queue grows through the run, so waits answer steeply to shares.
    scenario = two_ways(days=100, per_day=150.0, far_h=3.0)
    how = {"scale_usd": 2.0, "starts": 1, "workers": 1}
    with pytest.warns(CorridorWarning, match="equilibrium not reached"):
        before = cs.equilibrium(scenario, **how)
    found = cs.equilibrium(scenario, averaging="adapted", **how)
    assert found.reached
    assert before.gaps[-1] > 0.1
    # Shares are those of the logit of the costs that are told.
    near, far = found.costs_usd["f"]
    assert near - far == pytest.approx(-2.0 * math.log(found.shares["f"][0] / found.shares["f"][1]), abs=0.5)


@pytest.mark.parametrize("per_day", [60.0, 90.0])
def test_adapted_steps_come_to_the_fixed_point_by_formula(per_day):
    found = cs.equilibrium(two_ways(per_day=per_day), scale_usd=SCALE, averaging="adapted", workers=1)
    assert found.reached
    assert found.unique
    assert found.shares["f"][0] == pytest.approx(fixed_point(per_day), abs=0.015)
