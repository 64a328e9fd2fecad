"""Which scenario is best: what is run for it, what is promised, and what is refused."""

import json
import math

import numpy as np
import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim import statistics
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.study import staged

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")

SCANNER = {"second_scanner": cs.AddLanes(at="checkpoints.northgate_b.entry.xray", lanes=1)}
LANE = {"one_lane": cs.AddLanes(at="checkpoints.northgate_b.entry.lanes", lanes=1)}


@pytest.fixture(scope="module")
def scenarios():
    teaching = cs.load_scenario("teaching")
    teaching = teaching.replace(run=teaching.run.replace(horizon_days=3, warm_up_days=0))
    bare = teaching.without_improvements("second_scanner")
    return [bare.replace(name=name, improvements=one) for name, one in
            [("none", {}), ("scanner", SCANNER), ("lane", LANE), ("none again", {})]]  # fmt: skip


@pytest.fixture
def runs(monkeypatch):
    """(scenario, replication) of every run."""
    made, original = [], staged.run_all

    def counted(options, store, *, replications, **settings):
        made.extend((one.scenario.name, r) for one in options for r in replications)
        return original(options, store, replications=replications, **settings)

    monkeypatch.setattr(staged, "run_all", counted)
    return made


def test_the_best_is_found_and_nobody_out_of_contention_is_run_again(scenarios, runs):
    found = cs.select(scenarios, "delay_truck_h", delta="60 h", workers=1)
    assert found.best == "scanner"
    assert found.reached
    assert len(set(runs)) == len(runs) == sum(found.replications)
    for name, out, count in zip(found.names, found.eliminated_at, found.replications, strict=True):
        mine = sorted(r for one, r in runs if one == name)
        assert mine == list(range(count))
        assert out in (None, count)
    # The two that are one scenario leave together, the best stays to the end.
    assert found.eliminated_at[0] == found.eliminated_at[3]
    assert max(found.replications) == found.replications[1]


def test_equal_scenarios_end_the_search_instead_of_being_run_for_ever(scenarios):
    found = cs.select([scenarios[0], scenarios[3]], "delay_truck_h", delta=60.0, workers=1)
    assert found.replications == (10, 10)
    assert found.reached
    assert found.means[0] == found.means[1]


def test_means_are_those_of_plain_runs_on_the_same_numbers(scenarios):
    found = cs.select(scenarios[:2], "delay_truck_h", delta="60 h", workers=1)
    for scenario, mean, count in zip(scenarios, found.means, found.replications, strict=False):
        run = cs.run(scenario, replications=count, rng=found.root, workers=1)
        assert mean == pytest.approx(run.rows.row("delay_truck_h", kind="corridor", place="all").mean(), rel=1e-12)


def test_a_part_of_the_corridor_gives_the_same_choice_and_the_same_means(scenarios):
    where = {"kind": "post", "place": "northgate_b", "direction": "entry"}
    whole = cs.select(scenarios[:2], "wait_h", delta=0.2, where=where, workers=1)
    part = cs.select(scenarios[:2], "wait_h", delta=0.2, where=where, at="northgate", workers=1)
    assert part.means == whole.means
    assert part.replications == whole.replications


def test_a_store_holds_every_stage_and_a_second_search_runs_nothing(scenarios, tmp_path):
    first = cs.select(scenarios[:2], "delay_truck_h", delta="60 h", workers=1, store=tmp_path)
    again = cs.select(scenarios[:2], "delay_truck_h", delta="60 h", workers=1, store=tmp_path)
    assert again.means == first.means
    assert again.replications == first.replications


def test_the_promise_names_zone_and_unit_and_is_withdrawn_at_the_limit(scenarios):
    found = cs.select(scenarios[:2], "delay_truck_h", delta="60 h", workers=1)
    assert "60 h or more" in found.guarantee
    assert "0.95" in found.guarantee
    cut = cs.select([scenarios[0], scenarios[2]], "delay_truck_h", delta="0.01 h", workers=1, first=5, most=6)
    assert not cut.reached
    assert cut.guarantee.startswith("No guarantee")


@pytest.mark.parametrize("method", ["rinott", "ocba"])
def test_methods_for_independent_scenarios_refuse_common_random_numbers(scenarios, method):
    with pytest.raises(ArgumentError, match="takes the scenarios for independent"):
        cs.select(scenarios[:2], "delay_truck_h", delta=60.0, method=method, budget=40 if method == "ocba" else None)


def test_rinott_and_ocba_run_each_scenario_on_streams_of_its_own(scenarios):
    pair = [scenarios[0], scenarios[3]]
    found = cs.select(pair, "delay_truck_h", delta=2000.0, method="rinott", common=False, workers=1)
    assert found.means[0] != found.means[1]
    spread = cs.select(
        scenarios[:3], "delay_truck_h", delta=60.0, method="ocba", common=False, budget=45, first=5, workers=1
    )
    assert spread.best == "scanner"
    assert sum(spread.replications) == 45
    assert spread.guarantee.startswith("No guarantee")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"delta": 0.0}, "delta"),
        ({"delta": "60 min"}, "must be in h"),
        ({"delta": "a bit"}, "a number and a unit"),
        ({"alpha": 0.0}, "alpha"),
        ({"first": 1}, "first"),
        ({"indicator": "delay"}, "indicator"),
        ({"indicator": "wait_h"}, "say which with where"),
        ({"where": {"town": "x"}}, "no column 'town'"),
        ({"budget": 10}, "budget"),
        ({"method": "luck"}, "method"),
        ({"replications": 5}, "replications is for select to say"),
        ({"draws": 8}, "draws must be at least 39"),
        ({"draws": 64, "common": False}, "common random numbers"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_run(scenarios, runs, change, words):
    settings = {"indicator": "delay_truck_h", "delta": 60.0} | change
    with pytest.raises((ArgumentError, CorridorError), match=words):
        cs.select(scenarios[:2], settings.pop("indicator"), **settings)
    assert runs == []


def test_one_scenario_is_no_choice(scenarios):
    with pytest.raises(ArgumentError, match="two or more"):
        cs.select(scenarios[:1], "delay_truck_h", delta=60.0)
    longer = scenarios[1].replace(run=scenarios[1].run.replace(horizon_days=4))
    with pytest.raises(CorridorError, match="horizon"):
        cs.select([scenarios[0], longer], "delay_truck_h", delta=60.0)


def test_drawn_inputs_void_the_promise_and_give_intervals_against_the_best_of_the_others(scenarios):
    found = cs.select(scenarios[:3], "delay_truck_h", delta=60.0, draws=64, workers=1)
    assert "void" in found.guarantee
    assert "scanner" in found.contenders
    assert sum(found.share_best) == pytest.approx(1.0)
    for (low, high), mean in zip(found.intervals, found.means, strict=True):
        rest = min(other for other in found.means if other != mean)
        assert low <= mean - rest <= high
    assert found.draws == 64


def test_the_command_line_says_what_python_says(scenarios, tmp_path):
    files = []
    for scenario in scenarios[:2]:
        files.append(tmp_path / f"{scenario.name}.toml")
        cs.save_scenario(scenario, files[-1])
    how = ["--indicator", "delay_truck_h", "--delta", "60 h", "--workers", 1, "-q"]
    found = cs.select(scenarios[:2], "delay_truck_h", delta="60 h", workers=1)
    told = called("select", *files, *how)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("Best of 2 by truck-hours of delay on the whole corridor [h], smallest: scanner")
    assert found.guarantee in " ".join(told.stdout.split())
    assert max(map(len, told.stdout.splitlines())) <= 80
    data = json.loads(called("select", *files, *how, "--format", "json").stdout)
    assert data["best"] == "scanner"
    assert [one["replications"] for one in data["scenarios"]] == [found.replications[1], found.replications[0]]
    refused = called("select", *files, *how, "--method", "rinott")
    assert refused.exit_code == 2
    assert "independent" in refused.stderr


def test_the_command_line_selects_with_independent_streams_and_with_draws_that_observations_leave(scenarios, tmp_path):
    files = []
    for scenario in scenarios[:2]:
        files.append(tmp_path / f"{scenario.name}.toml")
        cs.save_scenario(scenario, files[-1])
    how = [*files, "--indicator", "delay_truck_h", "--delta", "60 h", "--workers", 1, "-q"]
    for method, more in (("rinott", []), ("ocba", ["--budget", 30])):
        refused = called("select", *how, "--method", method, *more)
        assert refused.exit_code == 2
        assert "takes the scenarios for independent" in refused.stderr
    spread = called("select", *how, "--method", "ocba", "--budget", 30, "--independent")
    assert spread.exit_code == 0, spread.output
    assert "No guarantee" in spread.stdout
    seen = tmp_path / "seen.toml"
    seen.write_text(
        '[observations.delay]\nvalue = 0.0\nunit = "h"\nsd = 1e9\nindicator = "delay_truck_h"\n'
        'where = { kind = "corridor", place = "all" }\n',
        encoding="utf-8",
    )
    drawn = called("select", *how, "--inputs", 64, "--observations", seen)
    assert drawn.exit_code == 0, drawn.output
    assert "void" in drawn.stdout
    alone = called("select", *how, "--observed")
    assert alone.exit_code == 2
    assert "--observed needs --inputs" in alone.stderr


def test_packaged_scenarios_are_chosen_from_by_name():
    found = cs.select(
        ["teaching", "teaching_priority_lane"], "delay_truck_h", delta="50 h", first=4, most=30, workers=1
    )
    assert found.names == ("teaching", "teaching_priority_lane")
    assert found.root == 1
    assert found.reached


@pytest.mark.long
def test_programmes_of_2028_are_compared_at_one_crossing():
    names = ["growth_2028", "russian_programme_2028", "roadmap_2027_2028_growth"]
    found = cs.select(names, "tfi1", delta="0.5 h", at="samur RU>AZ", first=5, most=40, workers=1)
    assert found.best != "growth_2028"
    assert found.eliminated_at[0] is not None


# ---------------------------------------------------------------- what is promised


def right_choices(rounds, options, correlation, seed, alpha=0.1, delta=0.5, first=8):
    """Share of right choices where the best is better than every other by exactly delta (slippage)."""
    rng = np.random.default_rng(seed)
    right = 0
    for _ in range(rounds):
        common = rng.normal(size=4000)
        best = int(rng.integers(options))

        def observe(asked, replication, common=common, best=best):
            own = rng.normal(size=len(asked)) * np.where(np.array(asked) % 2, 1.5, 1.0)
            shared = math.sqrt(correlation) * common[replication] + math.sqrt(1 - correlation) * own
            return np.where(np.array(asked) == best, -delta, 0.0) + shared

        right += statistics.select_best(observe, options, delta, alpha=alpha, n0=first).best == best
    return right / rounds


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("options", [2, 6])
def test_the_promise_is_kept_where_all_others_are_just_delta_worse(options, correlation):
    rounds = 150
    found = right_choices(rounds, options, correlation, seed=options)
    assert found >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / rounds)


@pytest.mark.long
@pytest.mark.parametrize("alpha", [0.05, 0.1])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("options", [2, 5, 10, 25])
def test_the_promise_is_kept_in_many_slippage_configurations(options, correlation, alpha):
    rounds = 1000
    found = right_choices(rounds, options, correlation, seed=options, alpha=alpha)
    assert found >= 1 - alpha - 3 * math.sqrt(alpha * (1 - alpha) / rounds)


def stay(mean_h, name):
    """A scenario whose mean stay is known: nobody waits, one law."""
    teaching = cs.load_scenario("teaching")
    bare = teaching.without_improvements("second_scanner")
    data = bare.replace(run=bare.run.replace(horizon_days=1, warm_up_days=0)).to_data()
    data["name"] = name
    data["flows"] = {"flour": data["flows"]["flour"]}
    data["checkpoints"]["northgate_a"]["exit"] = {
        "documents": {"lanes": "unlimited", "service": {"kind": "exponential", "mean_h": mean_h}}
    }
    data.pop("ranges", None)
    return type(bare).model_validate(data)


def simulated_choices(rounds, others=3, delta=0.1, alpha=0.1):
    """Right choices of `cs.select` where the best stay is shorter by exactly delta, on independent streams."""
    options = [stay(1.0 if k else 1.0 - delta, f"stay{k}") for k in range(others + 1)]
    where = {"kind": "post", "place": "northgate_a", "direction": "exit"}
    settings = {"delta": delta, "alpha": alpha, "where": where, "first": 6, "step": 12, "workers": 1}
    return sum(
        cs.select(options, "stay_h", common=False, rng=[7, k], **settings).best == "stay0" for k in range(rounds)
    )


def test_simulated_scenarios_just_delta_apart_are_told_apart_as_often_as_promised():
    rounds = 12
    assert simulated_choices(rounds) / rounds >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / rounds)


@pytest.mark.long
def test_many_simulated_scenarios_just_delta_apart_are_told_apart_as_often_as_promised():
    rounds = 200
    assert simulated_choices(rounds) / rounds >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / rounds)


# ---------------------------------------------------------------- compared over draws


def test_intervals_over_draws_are_of_order_statistics_by_hand():
    # Two options, 39 draws, differences 1, 2, ..., 39: alpha 0.05 needs ceil(40 x 0.975) = 39 of 39 draws, all of
    # them, so the band is 1 to 39; without noise nothing is added.
    values = np.array([np.arange(1.0, 40.0), np.zeros(39)])
    found = statistics.compare_over_draws(values, np.zeros((2, 2)), 9)
    assert found.depth == 1
    assert found.intervals == ((1.0, 39.0), (-39.0, -1.0))
    # alpha 0.2 needs ceil(40 x 0.9) = 36: 2 to 38 holds 37, 3 to 37 only 35.
    assert statistics.compare_over_draws(values, np.zeros((2, 2)), 9, 0.2).intervals[0] == (2.0, 38.0)
    # Noise: t(9) at 1 - 0.025 / 2 is 2.685011 on both sides.
    noisy = statistics.compare_over_draws(values, np.full((2, 2), 2.0), 9)
    assert noisy.intervals[0] == pytest.approx((1 - 2 * 2.685011, 39 + 2 * 2.685011), abs=1e-5)
    largest = statistics.compare_over_draws(values, np.zeros((2, 2)), 9, maximise=True)
    assert largest.intervals == ((1.0, 39.0), (-39.0, -1.0))
    with pytest.raises(ValueError, match="too few"):
        statistics.compare_over_draws(values[:, :38], np.zeros((2, 2)), 9)


def test_inputs_that_all_options_share_do_not_blur_their_order():
    # Each option spreads by 100 over the draws, their differences by 1: the common inputs cancel.
    rng = np.random.default_rng(3)
    inputs = 100.0 * rng.normal(size=64)
    values = inputs + np.array([[0.0], [10.0], [20.0]]) + rng.normal(size=(3, 64))
    found = statistics.compare_over_draws(values, np.full((3, 3), 0.1), 20)
    assert found.intervals[0][1] < 0
    assert found.intervals[1][0] > 0


def test_a_new_draw_lies_in_all_intervals_as_often_as_said():
    rng = np.random.default_rng(5)
    inside, rounds, alpha = 0, 300, 0.2
    mix = rng.normal(size=(4, 3))
    for _ in range(rounds):
        drawn = np.exp(mix @ rng.normal(size=(3, 128)))
        found = statistics.compare_over_draws(drawn, np.zeros((4, 4)), 9, alpha)
        new = np.exp(mix @ rng.normal(size=3))
        rest = [np.delete(new, i).min() for i in range(4)]
        inside += all(low <= v - b <= high for (low, high), v, b in zip(found.intervals, new, rest, strict=True))
    share = 1 - alpha / 2  # the other half is for noise, of which there is none here
    assert inside / rounds >= share - 0.02 - 3 * math.sqrt(share * (1 - share) / rounds)
