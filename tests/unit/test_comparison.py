"""Comparisons: exact zeros, intervals by hand, Holm over scenarios, refusals, inputs in words."""

import math
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from small_border import plan

import corridor_sim as cs
from corridor_sim.core.errors import CorridorError, CorridorWarning
from corridor_sim.indicators import INDICATORS, Indicator, Label, Options, Table
from corridor_sim.results.comparison import Comparison, paired_statistics, resolution, welch_statistics
from corridor_sim.results.input_differences import inputs_diff
from corridor_sim.results.reliability import UNRELIABLE, unreliable, unreliable_difference
from corridor_sim.results.results import OVERLOAD, Results
from corridor_sim.results.worth import annuity, worth_of

VERSIONS = {"stream_scheme": "2"}


def made(rows, name="base", root=7, **plan_options):
    """Results with given values: {(indicator, kind, place): one value a replication}."""
    labels = tuple(Label(indicator, "h", kind, place) for indicator, kind, place in rows)
    values = np.array(list(rows.values()), dtype=float)
    table = Table(labels, values, np.arange(values.shape[1]))
    named = plan(name=name, **plan_options)
    return Results(scenario=named, plan=named, rows=table, root=root, engine="event", versions=VERSIONS)


WAIT = ("wait_h", "stage", "a.exit.lanes")


def test_paired_interval_is_that_of_the_differences():
    # Differences 1, 2, 3: mean 2, sd 1, half-width t(0.975, 2) / sqrt(3).
    found = Comparison((made({WAIT: [10, 20, 30]}), made({WAIT: [11, 22, 33]}, "more lanes"))).table("wait_h")
    row = found.iloc[0]
    half = stats.t.ppf(0.975, 2) / math.sqrt(3)
    assert (row["base"], row["other"], row["difference"], row["n"]) == (20, 22, 2, 3)
    assert row["low"] == pytest.approx(2 - half)
    assert row["high"] == pytest.approx(2 + half)
    assert row["p_holm"] == pytest.approx(2 * stats.t.sf(2 * math.sqrt(3), 2))
    # var 100 and 121 against a variance of the differences of 1.
    assert row["correlation"] == pytest.approx(1.0)
    assert row["variance_ratio"] == pytest.approx(221.0)
    assert row["verdict"] == "not distinguishable"


def test_a_null_comparison_is_exactly_zero():
    base = made({WAIT: [0.1, 0.7, 0.3]})
    row = Comparison((base, made({WAIT: [0.1, 0.7, 0.3]}, "same"))).table("wait_h").iloc[0]
    assert (row["difference"], row["low"], row["high"], row["p_holm"]) == (0.0, 0.0, 0.0, 1.0)
    assert row["verdict"] == "no difference"


def test_verdict_says_more_less_or_not_distinguishable():
    base = {WAIT: [1, 2, 3, 4], ("wait_h", "post", "a"): [1, 2, 3, 4], ("wait_h", "post", "b"): [1, 2, 3, 4]}
    other = {WAIT: [2.0, 3.1, 3.9, 5], ("wait_h", "post", "a"): [0, 1.1, 1.9, 3], ("wait_h", "post", "b"): [2, 1, 4, 3]}
    found = Comparison((made(base), made(other, "b"))).table("wait_h")
    assert found["verdict"].tolist() == ["more", "less", "not distinguishable"]


def test_one_replication_gives_no_interval_and_no_verdict():
    row = Comparison((made({WAIT: [1]}), made({WAIT: [2]}, "b"))).table("wait_h").iloc[0]
    assert row["difference"] == 1
    assert np.isnan(row["low"])
    assert row["verdict"] == "interval not available"


def test_several_scenarios_widen_the_intervals_and_adjust_p_by_holm():
    base = made({WAIT: [10.0, 20, 30, 40]})
    first = made({WAIT: [11.0, 22, 33, 41]}, "first")
    second = made({WAIT: [10.5, 20.2, 30.9, 40.1]}, "second")
    found = Comparison((base, first, second)).table("wait_h")
    raw = [stats.ttest_rel(run.rows.values[0], base.rows.values[0]).pvalue for run in (first, second)]
    # Holm: the smaller of two p-values doubled, the larger at least that.
    smaller, larger = sorted(raw)
    expected = {raw.index(smaller): 2 * smaller, raw.index(larger): max(2 * smaller, larger)}
    assert found["p_holm"].tolist() == pytest.approx([expected[0], expected[1]])
    # Both intervals hold together: each at 97.5 %.
    difference = first.rows.values[0] - base.rows.values[0]
    half = stats.t.ppf(1 - 0.025 / 2, 3) * difference.std(ddof=1) / 2
    assert found["high"].iloc[0] - found["difference"].iloc[0] == pytest.approx(half)


def test_pairs_with_no_value_on_one_side_do_not_count():
    first, second = np.array([[1.0, np.nan, 3.0, 5.0]]), np.array([[2.0, 9.0, np.nan, 8.0]])
    found = paired_statistics(first, second, 0.95)
    assert found["n"][0] == 2
    assert found["difference"][0] == 2.0
    nobody = paired_statistics(np.full((1, 3), np.nan), np.full((1, 3), np.nan), 0.95)
    assert nobody["n"][0] == 0
    assert np.isnan(nobody["difference"][0])


def test_one_pair_of_equals_among_others_is_a_difference_all_the_same():
    found = paired_statistics(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 3.0, 5.0]]), 0.95)
    assert found["same"].tolist() == [0.0]
    assert found["difference"].tolist() == [1.0]
    assert found["p"][0] < 1.0
    assert paired_statistics(np.ones((1, 3)), np.ones((1, 3)), 0.95)["same"].tolist() == [1.0]


def test_unpaired_runs_are_compared_by_welch_as_scipy_does():
    rng = np.random.default_rng(5)
    first, second = rng.normal(0, 1, (1, 9)), rng.normal(1, 3, (1, 12))
    found = welch_statistics(first, second, 0.9)
    expected = stats.ttest_ind(second[0], first[0], equal_var=False)
    interval = expected.confidence_interval(0.9)
    assert (found["low"][0], found["high"][0]) == pytest.approx((interval.low, interval.high))
    assert found["p"][0] == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (made({WAIT: [1, 2]}, "x", root=8), "root entropy: 7 in 'base', 8 in 'x'"),
        (made({WAIT: [1, 2, 3]}, "x"), "replications: 2 in 'base', 3 in 'x'"),
        (made({WAIT: [1, 2]}, "x", horizon_h=24.0), r"horizon \[h\]: 48.0 in 'base', 24.0 in 'x'"),
        (made({WAIT: [1, 2]}, "x", warm_up_h=1.0), r"warm-up \[h\]"),
        (replace(made({WAIT: [1, 2]}, "x"), versions={"stream_scheme": "0"}), "scheme of the random streams"),
        (
            replace(made({WAIT: [1, 2]}, "x"), options=Options(saturation_limit=0.8)),
            "option saturation_limit of the indicators: 0.9",
        ),
    ],
)
def test_runs_that_are_no_pairs_are_refused(other, said):
    with pytest.raises(CorridorError, match=said):
        Comparison((made({WAIT: [1, 2]}), other))


def test_different_roots_are_allowed_when_not_paired():
    found = Comparison((made({WAIT: [1, 2]}), made({WAIT: [4, 5, 6]}, "x", root=8)), paired=False).table("wait_h")
    assert found["difference"].iloc[0] == 3.5


def test_smallest_difference_that_matters_is_the_readers():
    base, other = made({WAIT: [1.0, 2, 3]}), made({WAIT: [2.0, 3.01, 3.99]}, "b")
    comparison = Comparison((base, other))
    assert comparison.table("wait_h", delta=0.5)["matters"].tolist() == ["yes"]
    assert comparison.table("wait_h", delta={"wait_h": 2.0})["matters"].tolist() == ["no"]
    assert comparison.table("wait_h", delta=1.0)["matters"].tolist() == ["open"]


def test_times_behind_an_overloaded_stage_are_flagged():
    rows = {WAIT: [1, 2], ("saturation", "stage", "a.exit.lanes"): [1.2, 1.3], ("tfi1", "crossing", "ab"): [3, 4]}
    base = made(rows)
    # The label of the crossing has no direction in this table, that of the plan is "a>b".
    found = Comparison((base, made(rows, "b"))).table("all")
    notes = dict(zip(found["indicator"], found["note"], strict=True))
    assert notes["wait_h"] == ""
    at_stage = replace(
        base,
        rows=Table(
            (replace(base.rows.labels[0], direction="exit"), *base.rows.labels[1:]),
            base.rows.values,
            base.rows.replications,
        ),
    )
    assert Comparison((at_stage, at_stage)).table("wait_h")["note"].tolist() == [OVERLOAD]
    assert at_stage.summary("wait_h")["note"].tolist() == [OVERLOAD]
    assert "OVERLOAD" in at_stage.describe()


class Tabled:
    """Something with `to_data`."""

    def __init__(self, **data):
        self.data = data

    def to_data(self):
        return self.data


def test_inputs_that_differ_are_named_in_words():
    base = Tabled(
        name="one",
        checkpoints={"samur": {"exit": {"lanes": {"lanes": 5, "share": 1.0}, "x_ray": {"lanes": 1}}}},
        flows={"north": {"per_day": 100}},
    )
    other = Tabled(
        name="two",
        checkpoints={"samur": {"exit": {"lanes": {"lanes": 7}, "scan": {"lanes": 2, "share": 0.1}}}},
        flows={"north": {"per_day": 100}},
        improvements={"fast": {"kind": "service_time", "at": "checkpoints.samur.exit.lanes", "factor": 0.8}},
    )
    assert inputs_diff(base, other) == [
        "changes checkpoints.samur.exit.lanes.lanes from 5 to 7",
        "no longer sets checkpoints.samur.exit.lanes.share (was 1.0)",
        "adds checkpoints.samur.exit.scan",
        "removes checkpoints.samur.exit.x_ray",
        "adds improvements.fast (service_time, checkpoints.samur.exit.lanes)",
    ]
    assert inputs_diff(base, base) == []


def test_plans_by_hand_are_told_apart_part_by_part():
    assert inputs_diff(plan(), plan()) == []
    assert inputs_diff(plan(), plan(lanes_a=2.0)) == ["changes elements.a.exit.lanes"]
    assert inputs_diff(plan(), plan(flows=2)) == ["adds flows.f1"]
    assert inputs_diff(plan(), plan(horizon_h=24.0)) == ["changes horizon_h from 48.0 to 24.0"]


def test_a_toy_indicator_is_compared_like_any_other():
    from small_border import records, straight, table

    @INDICATORS.register("toy")
    class Toy(Indicator):
        unit = "1"

        def table_rows(self):
            yield self.row(np.ones(len(self.scope.replications)), "corridor", "all")

    try:
        found = table(records(plan(), [straight(0.0)]))
        runs = [replace(made({WAIT: [1]}, name), rows=found) for name in ("one", "two")]
        assert Comparison(tuple(runs)).table("toy")["verdict"].tolist() == ["no difference"]
    finally:
        INDICATORS.unregister("toy")


# ---------------------------------------------------------------- worth


def test_annuity_is_the_present_value_of_ones():
    # 1/1.1 + 1/1.21 = 1.7355...; with 10 % growth each term is 1/1.1.
    assert annuity(0.1, 2) == pytest.approx(1 / 1.1 + 1 / 1.21)
    assert annuity(0.1, 2, growth=0.1) == pytest.approx(2 / 1.1)


def test_worth_is_reckoned_replication_by_replication():
    # Saves 100 or 140 a year for two years without discount; costs 150 at once and 10 a year.
    found = worth_of(
        np.array([100.0, 140.0]),
        np.array([10.0, 14.0]),
        discount_rate=0.0,
        capex_usd=150.0,
        opex_usd_year=10.0,
        life_years=2,
    )
    assert found.npv_values_usd.tolist() == [30.0, 110.0]
    assert found.npv_usd[0] == 70.0
    assert found.benefit_cost_ratio[0] == pytest.approx(240 / 170)
    assert found.first_year_return[0] == pytest.approx(110 / 150)
    # 20 and 28 truck-hours for a present cost of 170.
    assert found.truck_h_saved_per_1000_usd[0] == pytest.approx(24 / 170 * 1000)
    assert found.probability_positive == 1.0
    half = stats.t.ppf(0.975, 1) * np.std([30, 110], ddof=1) / math.sqrt(2)
    assert found.npv_usd[1] == pytest.approx(70 - half)


def test_a_net_present_value_on_an_overloaded_base_is_refused_with_the_reason():
    how = {"kind": "deterministic", "value_h": 1.0}
    free = {"s": {"lanes": "unlimited", "service": {"kind": "deterministic", "value_h": 0.0}}}
    road = {"kind": "road", "length_km": 10, "speed_kmh": 50}
    posts = {}
    legs = {}
    for name in ("near", "far"):
        posts[f"{name}_a"] = {"crossing": name, "country": "A", "exit": {"s": {"lanes": 1, "service": how}}}
        posts[f"{name}_b"] = {"crossing": name, "country": "B", "entry": free}
        legs[f"to_{name}"] = {**road, "from": "a", "to": f"{name}_a"}
        legs[f"over_{name}"] = {**road, "from": f"{name}_a", "to": f"{name}_b", "border": True}
        legs[f"on_{name}"] = {**road, "from": f"{name}_b", "to": "b"}
    flow = {"origin": "a", "destination": "b", "per_day": 30, "value_of_time_usd_h": 10}
    base = cs.Scenario(
        name="base",
        run={"start": "2024-01-01", "horizon_days": 20, "replications": 5, "seed": 1},
        places={"a": {}, "b": {}},
        checkpoints=posts,
        legs=legs,
        flows={"f": {**flow, "crossing_shares": {"all": {"near": 1.0, "far": 0.0}}}},
    )
    more = {"more": {"kind": "add_lanes", "at": "checkpoints.near_a.exit.s", "lanes": 1}}
    worth = {"discount_rate": 0.05, "capex_usd": 1e5, "life_years": 10}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        comparison = cs.compare(base, base.replace(name="more", improvements=more), workers=1)
        with pytest.raises(CorridorError, match=r"near a.*overloaded in the base, where nobody can choose"):
            comparison.worth(**worth)
        assert comparison.saved_truck_h_per_year().mean() > 0
        found = cs.equilibrium(base, scale_usd=20, workers=1, starts=1).scenario
        assert found.flows["f"].crossing_shares["chosen"].shares["near"] == pytest.approx(0.5, abs=0.05)
        chosen = cs.compare(found, found.replace(name="more", improvements=more), workers=1)
        assert chosen.worth(**worth).npv_usd[0] < 1e9


def test_worth_of_a_comparison_scales_the_window_to_a_year():
    def run(name, hours, usd):
        rows = {("delay_truck_h", "corridor", "all"): hours, ("delay_value_usd", "corridor", "all"): usd}
        return made(rows, name)

    # Window of 48 h: a year is 8766 / 48 windows.
    comparison = Comparison((run("base", [10.0, 12.0], [100.0, 120.0]), run("b", [4.0, 6.0], [40.0, 60.0])))
    assert comparison.saved_truck_h_per_year().tolist() == pytest.approx([6 * 8766 / 48] * 2)
    found = comparison.worth(discount_rate=0.05, capex_usd=1000.0, life_years=10)
    assert found.npv_usd[0] == pytest.approx(60 * 8766 / 48 * annuity(0.05, 10) - 1000)
    with pytest.raises(CorridorError, match="no scenario number 2"):
        comparison.worth(2, discount_rate=0.05, capex_usd=1.0, life_years=1)
    with pytest.raises(ValueError, match="life_years"):
        comparison.worth(discount_rate=0.05, capex_usd=1.0, life_years=0)


def test_pairs_that_differ_have_at_least_the_resolution_over_n_as_half_width():
    base, other = np.array([[1.0, 2.0, 3.0], [1.5, 2.0, 3.0]]), np.array([[2.0, 3.0, 4.0], [2.5, 3.0, 4.0]])
    labels = [Label("created", "1", "corridor", "all"), Label("wait_h", "h", "post", "a")]
    step = resolution(labels, base, other)
    assert step.tolist() == [1.0, 2.0**-20]
    found = paired_statistics(base, other, 0.95, step)
    assert (found["high"] - found["low"]).tolist() == pytest.approx([2 / 3, 2 * 2.0**-20 / 3])
    # Equal pairs are no difference, without any width.
    equal = paired_statistics(base, base, 0.95, step)
    assert equal["same"].tolist() == [1.0, 1.0]
    assert (equal["high"] - equal["low"]).tolist() == [0.0, 0.0]


def test_rare_values_and_percentiles_of_queues_are_said_to_have_no_reliable_interval():
    rare, spread = np.array([0.0] * 6 + [1.0, 2.0]), np.arange(8.0)
    wait, queue = Label("wait_h", "h", "post", "a"), Label("queue_p95", "1", "post", "a")
    assert unreliable(wait, rare)
    assert unreliable(queue, spread)
    assert not unreliable(wait, spread)
    assert not unreliable(wait, np.zeros(8))


def test_what_may_be_rare_needs_less_of_a_spread_where_replications_are_few():
    unserved = Label("unserved", "1", "post", "a")
    values = np.array([0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0])
    assert 0.5 < values.std(ddof=1) / values.mean() < 1.5
    assert unreliable(unserved, values)
    assert not unreliable(unserved, np.concatenate([values, values + 0.5]))
    assert unreliable(unserved, np.concatenate([values[:4], values[:4] + 0.5, [60.0, 90.0]]))


def test_a_difference_that_few_pairs_have_is_said_to_have_no_reliable_interval():
    base = np.arange(8.0)
    wait, unserved = Label("wait_h", "h", "post", "a"), Label("unserved", "1", "post", "a")
    rarely, always = base + np.array([0.0] * 6 + [3.0, 1.0]), base + np.linspace(1.0, 2.0, 8)
    assert unreliable_difference(wait, base, rarely)
    assert not unreliable_difference(wait, base, rarely, paired=False)
    assert not unreliable_difference(wait, base, always)
    # Nobody was left in the base: the interval is that of the other run alone.
    assert not unreliable_difference(unserved, np.zeros(8), 400.0 + base)
    # Nobody in either: of pairs that is said as it is, of runs on other numbers it is not known.
    assert not unreliable_difference(unserved, np.zeros(8), np.zeros(8))
    assert unreliable_difference(unserved, np.zeros(8), np.zeros(8), paired=False)
    found = Comparison((made({WAIT: base}), made({WAIT: rarely}, "b"))).table("wait_h")
    assert found["note"].tolist() == [UNRELIABLE]


def test_runs_on_other_numbers_have_at_least_the_resolution_over_n_as_half_width():
    # Without spread within the runs: known to the resolution, and no better.
    base, other = np.array([[3.0] * 4, [3.0] * 4, [0.5] * 4]), np.array([[5.0] * 4, [3.0] * 4, [0.25] * 4])
    labels = [Label("created", "1", "corridor", "all")] * 2 + [Label("wait_h", "h", "post", "a")]
    found = welch_statistics(base, other, 0.95, resolution(labels, base, other))
    assert found["difference"].tolist() == [2.0, 0.0, -0.25]
    assert (found["high"] - found["low"]).tolist() == pytest.approx([2 / 4, 0.0, 2 * 2.0**-20 / 4])
    assert found["same"].tolist() == [0.0, 1.0, 0.0]
    assert found["p"].tolist() == [0.0, 1.0, 0.0]
    # One value in all of one run, or a single replication.
    found = welch_statistics(np.full((1, 5), 2.0), np.array([[1.0, 2.0, 4.0]]), 0.95)
    assert found["same"].tolist() == [0.0]
    assert found["high"][0] - found["low"][0] == pytest.approx(2 * stats.t.ppf(0.975, 2) * stats.sem([1, 2, 4]))
    assert np.isnan(welch_statistics(np.ones((1, 1)), np.ones((1, 1)), 0.95)["low"][0])


def test_marks_tell_an_unreliable_interval_from_an_overload():
    rare = {("wait_h", "post", "a"): [0.0] * 12, ("tfi1", "crossing", "ab"): np.arange(12.0)}
    changed = {("wait_h", "post", "a"): [0.0] * 5 + [1.0] * 7, ("tfi1", "crossing", "ab"): np.arange(12.0) + 1}
    comparison = Comparison((made(rare), made(changed, "b")))
    assert comparison.table()["note"].tolist() == [UNRELIABLE, ""]
    text = comparison.describe()
    assert re.search(r"0\.58 ±0\.34\? more", text)
    assert "? interval not reliable" in text
    assert "overloaded" not in text
