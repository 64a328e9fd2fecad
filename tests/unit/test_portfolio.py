"""Which upgrades to build: sets, money and years by hand, all sets by brute force, what is refused, what is said."""

import dataclasses
import html
import itertools
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim import Observation
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning, ScenarioError
from corridor_sim.files.upgrade_files import read_upgrades
from corridor_sim.plots import PLOTS
from corridor_sim.plots.programmes import _short
from corridor_sim.statistics.portfolios import (
    PairModel,
    SetRules,
    best_sets,
    best_sets_by_milp,
    build_years,
    find_best_set,
    near,
)
from corridor_sim.study import upgrade_sets
from corridor_sim.study.analytic_delay import analytic_delay_h
from corridor_sim.study.cheaper_sets import cheapest_within
from corridor_sim.study.upgrade_sets import UpgradeSets

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def all_sets(options):
    return [frozenset(s) for n in range(options + 1) for s in itertools.combinations(range(options), n)]


def model_of(value, options):
    return PairModel.fit({one: value(one) for one in all_sets(options)}, options)


# ---------------------------------------------------------------- sets by hand


def test_a_pair_that_is_worth_more_together_is_chosen_where_the_sum_would_choose_others():
    # Alone 0 and 1 save 1 each, 2 saves 3; together 0 and 1 save 10. Budget for two of cost 1, or 2 alone of cost 2.
    value = lambda s: -(1.0 * (0 in s) + 1.0 * (1 in s) + 3.0 * (2 in s) + 8.0 * ({0, 1} <= s))  # noqa: E731
    rules = SetRules((1.0, 1.0, 2.0), 2.0)
    assert best_sets(model_of(value, 3), rules, 1) == [frozenset({0, 1})]
    assert best_sets_by_milp(model_of(value, 3), rules, 2) == [frozenset({0, 1}), frozenset({2})]
    # They do each other's work: together they save no more than one of them.
    shared = lambda s: -(4.0 * bool(s & {0, 1}) + 3.0 * (2 in s))  # noqa: E731
    assert best_sets_by_milp(model_of(shared, 3), SetRules((1.0, 1.0, 1.0), 2.0), 1)[0] & {2} == {2}


@pytest.mark.parametrize("seed", range(6))
def test_integer_programming_and_looking_at_all_sets_give_the_same_list(seed):
    rng = np.random.default_rng(seed)
    k = 6
    pair = {(a, b): float(rng.normal()) for a, b in itertools.combinations(range(k), 2)}
    model = PairModel(0.0, rng.normal(size=k), pair)
    rules = SetRules(tuple(rng.uniform(1, 3, k)), 7.0, excludes=((0, 1),), needs=((2, 3),))
    price = rng.uniform(0, 1, k)
    first, second = best_sets(model, rules, 5, price), best_sets_by_milp(model, rules, 5, price)
    assert first == second
    by_hand = sorted(
        (one for one in all_sets(k) if rules.allows(one)), key=lambda s: model.value(s) + price[list(s)].sum()
    )
    assert first == by_hand[:5]
    for one in first:
        assert not {0, 1} <= one
        assert 3 in one or 2 not in one
        assert near(one, rules) <= set(filter(rules.allows, all_sets(k))) - {one}


def test_what_an_option_needs_comes_with_it():
    rules = SetRules((1.0, 1.0, 1.0), 3.0, needs=((0, 1), (1, 2)))
    assert rules.with_needs([0]) == {0, 1, 2}
    assert not rules.is_possible(frozenset({0, 1}))
    assert best_sets(PairModel(0.0, np.array([-5.0, 1.0, 1.0]), {}), rules, 1) == [frozenset({0, 1, 2})]


def test_the_order_follows_the_money_what_is_saved_first_and_what_is_needed_first():
    # 0 saves 5 a year for 2, 1 saves 4 for 2, 2 saves 1 for 2 and 1 needs 2; 2 of money a year: 0 first, then 2 + 1?
    # 2 alone brings 1 of the years left, 1 brings 4 a year after it: 0, 2, 1 saves 5x2 + 1x1 = 11 in the two years
    # after the first, 2, 1, 0 saves 1x2 + 4x1 = 6.
    model = PairModel(0.0, np.array([-5.0, -4.0, -1.0]), {})
    rules = SetRules((2.0, 2.0, 2.0), 6.0, needs=((1, 2),))
    money = {2026: 2.0, 2027: 2.0, 2028: 2.0}
    assert build_years(model, rules, frozenset({0, 1, 2}), money, {}) == {0: 2026, 2: 2027, 1: 2028}
    assert build_years(model, rules, frozenset({0, 2}), money, {0: 2027}) == {2: 2026, 0: 2027}
    assert build_years(model, rules, frozenset({0, 2}), {2026: 4.0}, {}) == {0: 2026, 2: 2026}
    assert build_years(model, rules, frozenset({0}), {2026: 1.0, 2027: 0.0, 2028: 1.0}, {}) == {0: 2028}
    with pytest.raises(ValueError, match="cannot all be built"):
        build_years(model, rules, frozenset({0, 2}), {2026: 3.0}, {})


def test_a_pair_that_only_works_together_is_built_in_the_same_year():
    model = PairModel(0.0, np.array([0.0, 0.0, -1.0]), {(0, 1): -10.0})
    rules = SetRules((1.0, 1.0, 1.0), 3.0)
    years = build_years(model, rules, frozenset({0, 1, 2}), {2026: 2.0, 2027: 1.0}, {})
    assert years == {0: 2026, 1: 2026, 2: 2027}


@pytest.mark.parametrize("seed", range(12))
def test_years_are_the_best_of_all_ways_to_lay_them_out(seed):
    rng = np.random.default_rng(seed)
    k, years = 4, (2026, 2027, 2028)
    pair = {(a, b): 2.0 * float(rng.normal()) for a, b in itertools.combinations(range(k), 2)}
    model = PairModel(0.0, -rng.exponential(2.0, size=k), pair)
    rules = SetRules(tuple(rng.integers(1, 4, k).astype(float)), 99.0, needs=((2, 3),) if seed % 2 else ())
    money = dict.fromkeys(years, 2.0) | {2028: sum(rules.costs)}
    earliest, rate = ({0: 2027} if seed % 3 == 0 else {}), (0.1 if seed % 4 == 0 else 0.0)

    def by(order, year):
        return frozenset(u for u in range(k) if order[u] <= year)

    def worth(order):
        return sum(model.value(by(order, year)) * (1 + max(rate, 1e-6)) ** -t for t, year in enumerate(years))

    def allowed(order):
        paid = all(rules.cost(by(order, y)) <= sum(money[z] for z in years if z <= y) for y in years)
        return (
            paid
            and all(order[u] >= y for u, y in earliest.items())
            and all(order[b] <= order[a] for a, b in rules.needs)
        )

    every = (dict(enumerate(order)) for order in itertools.product(years, repeat=k))
    best = min(worth(order) for order in every if allowed(order))
    found = build_years(model, rules, frozenset(range(k)), money, earliest, rate)
    assert allowed(found)
    assert worth(found) == pytest.approx(best, rel=1e-6)


# ---------------------------------------------------------------- against all sets


def stations(upgrades, seed):
    """A made-up border: its upgrades, what they cost, and the delay of every set in many replications.

    Trucks pass three posts in a row; upgrades are lanes and faster service there. All sets are simulated once.
    """
    rng = np.random.default_rng(seed)
    stages = ["northgate_a.exit.lanes", "northgate_b.entry.lanes", "northgate_b.entry.xray", "northgate_b.exit.lanes",
              "northgate_a.entry.lanes"]  # fmt: skip
    found = {}
    for u in range(upgrades):
        at = f"checkpoints.{stages[u % len(stages)]}"
        cost = float(rng.integers(10, 40)) * 1e5
        if u < len(stages):
            found[f"lane{u}"] = cs.AddLanes(at=at, lanes=1, capex_usd=cost)
        else:
            factor = float(rng.uniform(0.75, 0.92))
            found[f"fast{u}"] = cs.ServiceTimeChange(at=at, factor=factor, capex_usd=cost)
    return found


def border():
    teaching = cs.load_scenario("teaching").without_improvements("second_scanner")
    return teaching.replace(run=teaching.run.replace(horizon_days=3, warm_up_days=0))


def brute_force(upgrades, replications):
    """Delay of every set in every replication, by set."""
    base = border()
    ids = list(upgrades)
    sets = all_sets(len(ids))
    table = {}
    for one in sets:
        chosen = base.replace(improvements={ids[u]: upgrades[ids[u]] for u in one})
        run = cs.run(chosen, replications=replications, rng=11, workers=1, indicators=["delay_truck_h"])
        table[one] = run.rows.row("delay_truck_h", kind="corridor", place="all")
    return table


def good_choices(table, rules, repeats, delta, **how):
    """(choices within delta of the best of all sets, most runs of one search), replications drawn anew each time."""
    truth = {one: float(values.mean()) for one, values in table.items() if rules.allows(one)}
    best, good, most = min(truth.values()), 0, 0
    replications = len(next(iter(table.values())))
    for repeat in range(repeats):
        mine = np.random.default_rng(repeat).permutation(replications)

        def observe(sets, numbers, mine=mine):
            return np.array([table[one][mine[list(numbers)]] for one in sets])

        found = find_best_set(observe, rules, delta=delta, **how)
        good += truth[found.best] <= best + delta
        most = max(most, found.runs)
    return good, most


def test_the_search_finds_a_good_set_of_all_sets_with_few_of_the_runs():
    upgrades = stations(6, 3)
    table = brute_force(upgrades, 60)
    costs = tuple(one.capex_usd for one in upgrades.values())
    rules = SetRules(costs, 0.5 * sum(costs))
    delta = 0.05 * float(table[frozenset()].mean() - min(v.mean() for s, v in table.items() if rules.allows(s)))
    good, most = good_choices(table, rules, 20, delta, screening=2, finalists=4, first=8, most=40)
    assert good >= 18
    assert most <= 0.15 * len(table) * 60


@pytest.mark.long
def test_ten_upgrades_a_good_set_in_185_of_200_searches_with_a_twentieth_of_the_runs():
    # All 2^10 sets in 100 replications once; a brute force of 20 replications a set takes 20,480 runs.
    upgrades = stations(10, 1)
    table = brute_force(upgrades, 100)
    costs = tuple(one.capex_usd for one in upgrades.values())
    rules = SetRules(costs, 0.4 * sum(costs), excludes=((0, 5),), needs=((6, 1),))
    delta = 0.03 * float(table[frozenset()].mean() - min(v.mean() for s, v in table.items() if rules.allows(s)))
    good, most = good_choices(table, rules, 200, delta, screening=3, finalists=8, first=10, most=60)
    assert good >= 185
    assert most <= 0.05 * 20 * len(table)


def test_the_price_of_options_counts_and_an_empty_budget_is_said():
    value = lambda s: 100.0 - 10.0 * (0 in s) - 4.0 * (1 in s)  # noqa: E731

    def observe(sets, numbers):
        return np.array([[value(one) + 0.1 * (r % 3) for r in numbers] for one in sets])

    rules = SetRules((1.0, 1.0), 2.0)
    assert find_best_set(observe, rules, delta=1.0).best == {0, 1}
    assert find_best_set(observe, rules, delta=1.0, price=[0.0, 6.0]).best == {0}
    with pytest.raises(ValueError, match="no option fits"):
        find_best_set(observe, SetRules((3.0, 3.0), 2.0), delta=1.0)


# ---------------------------------------------------------------- a border with its upgrades


UPGRADES = {
    "scanner": cs.AddLanes(at="checkpoints.northgate_b.entry.xray", lanes=1, capex_usd=3e6),
    "lane_in": cs.AddLanes(at="checkpoints.northgate_b.entry.lanes", lanes=1, capex_usd=2e6),
    "lane_back": cs.AddLanes(at="checkpoints.northgate_a.entry.lanes", lanes=1, capex_usd=2e6),
}
HOW = {"delta": "100 h", "screening": 2, "final": 5, "first": 6, "most": 20, "rounds": 1, "finalists": 3, "workers": 1}


@pytest.fixture(scope="module")
def programme():
    return cs.portfolio(border(), UPGRADES, budget_usd={2024: 3e6, 2025: 2e6}, draws=64, draw_replications=1, **HOW)


def test_the_best_set_its_years_its_rivals_and_what_it_saves(programme):
    assert "scanner" in programme.chosen
    assert programme.best.capex_usd <= 5e6
    assert programme.years["scanner"] == 2024
    assert [year for year, _ in programme.staged] == [2024, 2025]
    assert programme.staged[-1][1].ids == programme.chosen
    assert programme.near_optimal[0] is programme.best
    assert all(one.low <= one.saved <= one.high for one in programme.sets)
    costs = [one.capex_usd for one in programme.frontier]
    assert costs == sorted(costs)
    assert programme.frontier[0].ids == ()
    assert programme.frontier[0].saved == 0
    for upgrade, single in zip(programme.upgrades, programme.singles, strict=True):
        assert upgrade.id == single.id


def test_values_are_those_of_plain_runs_on_replications_that_the_search_never_saw(programme):
    base = border()
    chosen = base.replace(improvements={id: UPGRADES[id] for id in programme.chosen})
    numbers = range(22, 27)  # 2 of the first look, 20 of the comparison at most, then 5
    run = cs.run(chosen, replications=numbers, rng=programme.root, workers=1)
    value = run.rows.row("delay_truck_h", kind="corridor", place="all").mean()
    assert programme.best.value == pytest.approx(float(value), rel=1e-12)


def test_regret_is_zero_for_the_best_of_a_draw_and_never_negative(programme):
    regret = programme.regret.regret
    assert regret.shape == (len(programme.sets), 64)
    assert (regret >= 0).all()
    assert (regret.min(axis=0) == 0).all()
    assert "void" in programme.guarantee


def test_the_answer_is_five_sentences_and_says_what_it_hangs_on(programme):
    sentences = re.findall(r"[^.]+(?:\.\d[^.]*)*\.(?= |$)", programme.answer())
    assert len(sentences) == 5
    for words in ("US$ 5.0 m", "2024: scanner", "sampling noise only", "draws of the inputs", "hangs most on"):
        assert words in programme.answer()
    assert programme.answer() in programme.describe()
    data = json.loads(json.dumps(programme.to_data()))
    assert data["chosen"] == list(programme.chosen)
    assert data["hangs_on"]


def test_a_notebook_shows_the_answer_of_a_programme_and_its_frontier(programme):
    shown = programme._repr_html_()
    told = re.sub(r"\s+", " ", html.unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", shown, flags=re.DOTALL)))
    for words in ("US$ 5.0 m", "2024: scanner", "sampling noise only", "hangs most on"):
        assert words in told
    assert shown.count("<svg") == 1
    assert "<table" not in shown


def test_the_pictures_show_money_years_and_regret(programme):
    shown = {name: PLOTS[name](programme) for name in ("frontier", "regret", "build_order")}
    assert "US$ m" in shown["frontier"].get_xlabel()
    assert "[h]" in shown["frontier"].get_ylabel()
    assert len(shown["regret"].get_yticks()) == len(programme.sets)
    drawn = [text.get_text() for text in [*shown["frontier"].texts, *shown["regret"].get_yticklabels()]]
    assert all(
        set(re.findall("[+\u2212] ([^;\n]+)", text)) <= {one.called for one in programme.upgrades} for text in drawn
    )
    assert any("+ " in text for text in drawn)
    labels = [text.get_text() for text in shown["build_order"].get_xticklabels()]
    assert [text.split("\n")[0] for text in labels] == ["2024", "2025"]
    assert shown["build_order"].texts[0].get_text() == "3.0"
    with pytest.raises(ValueError, match="programme"):
        PLOTS["frontier"](object())


def test_workers_do_not_change_the_answer():
    one = cs.portfolio(border(), UPGRADES, budget_usd=5e6, **HOW)
    two = cs.portfolio(border(), UPGRADES, budget_usd=5e6, **HOW | {"workers": 2})
    assert one.table().equals(two.table())
    assert one.years == two.years


def test_crossings_cut_out_of_the_corridor_give_unchanged_numbers():
    base = cs.load_scenario("growth_2028", {"run.horizon_days": 3, "run.warm_up_days": 0})
    upgrades, scenario = read_upgrades("samur_astara_2026_2030", base)
    assert len(upgrades) == 12
    made = UpgradeSets.of(
        cs.make_plan(scenario), scenario, upgrades, "delay_truck_h", ("samur", "astara"), None, 5, "auto", 2
    )
    assert made.shared.flows
    assert 0 < len(made.plans[0].elements) < len(cs.make_plan(scenario).elements)
    for chosen in (frozenset(), frozenset({0, 1, 2}), frozenset({5, 7, 10})):
        (values,) = made.observe([chosen], range(2))
        run = cs.run(made.shared.scenario(chosen), replications=2, rng=5, workers=1, indicators=["delay_truck_h"])
        whole = sum(
            row
            for label, row in run.rows
            if label.kind == "post" and not label.cargo_class and re.match("(samur|yarag|astara)", label.place)
        )
        assert np.array_equal(values, whole)


def test_formulas_give_more_delay_for_more_load_and_a_fluid_backlog_above_capacity():
    def delay(per_day):
        flow = border().flows["back"].replace(per_day=per_day)
        scenario = border().replace(flows={"back": flow})
        return analytic_delay_h(cs.make_plan(scenario))["northgate_a.entry.lanes"]

    values = [delay(per_day) for per_day in (100, 180, 195, 199, 201, 210, 300)]
    assert values == sorted(values)
    # Two lanes take 200 a day. The first three days are Monday to Wednesday, 1.1 of the mean: 330 and 221.1 come, so
    # 130 and 21.1 a day are left over, and (130 - 21.1) 3^2 / 2 truck-days are 24 times as many truck-hours.
    assert delay(300) - delay(201) == pytest.approx(24 * 0.5 * (130 - 21.1) * 9, rel=1e-3)


# ---------------------------------------------------------------- the cheaper of two that are as good


def test_a_cheaper_set_takes_the_place_of_the_best_only_where_it_is_shown_to_be_within_the_zone_by_hand():
    leader, cheap, cheapest, dear = frozenset({0, 1}), frozenset({0}), frozenset({2}), frozenset({0, 1, 2})
    worse = {leader: [0, 0, 0, 0], cheap: [2, 3, 4, 3], cheapest: [8, 8, 8, 8], dear: [-9, -9, -9, -9]}
    common = np.array([100.0, 120.0, 90.0, 105.0])

    def found(zone, price=(0.0, 0.0, 0.0)):
        def observe(sets, numbers):
            return np.array([common + worse[one] for one in sets])[:, list(numbers)]

        rules, others = SetRules((3.0, 2.0, 2.0), 5.0), [cheap, cheapest, dear]
        return cheapest_within(leader, others, observe, range(4), rules, np.array(price), zone, 0.05)

    # Two sets are cheaper (the dear one is over the budget): 1 - 0.05/2 each, t(3) = 3.1824. The differences 2, 3, 4, 3
    # have mean 3 and standard error 0.8165/2 = 0.40825, so the upper end is 4.2992.
    assert found(5.0) == (cheap, pytest.approx(4.2992, abs=1e-4))
    assert found(4.2) == (leader, 0.0)
    assert found(8.0) == (cheapest, pytest.approx(8.0))
    # The price of an option counts with the value: without the 2 of option 1 cheap is 1 worse, 2.2992 at most.
    assert found(4.2, (0.0, 2.0, 0.0)) == (cheap, pytest.approx(2.2992, abs=1e-4))


def test_where_nothing_that_is_saved_matters_nothing_is_built_and_the_answer_says_why():
    wide = cs.portfolio(border(), UPGRADES, budget_usd=5e6, **HOW | {"delta": "1e7 h"})
    assert wide.chosen == ()
    assert "scanner" in wide.leader.ids
    assert wide.is_cheaper
    told = wide.answer()
    assert told.startswith("With US$ 5.0 m build nothing.")
    assert "recommended as the cheapest that is as good" in told
    assert f"costs US$ {wide.leader.capex_usd / 1e6:,.1f} m more" in told
    assert "within the 1e+07 h that do not matter" in told
    assert wide.near_optimal[0] is wide.best
    assert wide.leader in wide.near_optimal
    assert "(named best)" in wide.describe()
    assert "chosen set is a cheaper one" in wide.guarantee
    assert wide.to_data()["named_best"] == list(wide.leader.ids)
    # Where everything matters the set that the comparison names best is built.
    fine = cs.portfolio(border(), UPGRADES, budget_usd=5e6, **HOW | {"delta": "1e-3 h"})
    assert fine.best == fine.leader
    assert fine.worse_at_most == 0.0
    assert "named best" not in fine.describe()


# ---------------------------------------------------------------- money


def test_net_present_value_is_reckoned_as_the_appraisal_does():
    calm = border().replace(flows={id: one.replace(per_day=0.5 * one.per_day) for id, one in border().flows.items()})
    upgrades = {
        "scanner": UPGRADES["scanner"].replace(capex_usd=1e5, life_years=10.0),
        "gold": UPGRADES["lane_in"].replace(capex_usd=9e7, life_years=10.0),
    }
    how = {"discount_rate": 0.06, "years": 10}
    found = cs.portfolio(calm, upgrades, budget_usd=1e8, objective="npv_usd", appraisal=how, **HOW | {"delta": 1e4})
    assert found.chosen == ("scanner",)
    assert found.unit == "US$"
    assert found.appraisal.npv_usd[0] == pytest.approx(found.best.saved, rel=1e-6)


def test_a_net_present_value_of_an_overloaded_base_is_refused_with_the_reason():
    how = {"discount_rate": 0.06, "years": 10}
    full = border().replace(flows={id: one.replace(per_day=2 * one.per_day) for id, one in border().flows.items()})
    with pytest.raises(CorridorError, match="no appraisal"):
        cs.portfolio(full, UPGRADES, budget_usd=1e7, objective="npv_usd", appraisal=how, **HOW | {"delta": 1e4})


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget_usd": 0}, "budget_usd"),
        ({"budget_usd": {}}, "at least one year"),
        ({"budget_usd": {2024: -1.0}}, r"budget_usd\[2024\]"),
        ({"budget_usd": 1e3}, "no option fits the budget: the cheapest that can be built costs 2,000,000"),
        ({"delta": "5 min"}, "must be in h"),
        ({"objective": "delay"}, "indicator"),
        ({"objective": "wait_h", "at": "northgate"}, "do not add up"),
        ({"objective": "npv_usd"}, "appraisal"),
        ({"appraisal": {"years": 5}}, "appraisal"),
        ({"budget_usd": float("nan")}, "budget_usd"),
        ({"budget_usd": -5e6}, "budget_usd"),
        ({"budget_usd": "much"}, "budget_usd"),
        ({"budget_usd": {2024: 0.0}}, "budget_usd"),
        ({"budget_usd": {"soon": 5e6}}, "a year of budget_usd"),
        ({"draws": 8}, "draws"),
        ({"draws": 65}, "power of two"),
        ({"observations": "packaged"}, "need draws"),
        ({"waves": 2}, "need draws"),
        ({"store": 3}, "store"),
        ({"upgrades": {"free": UPGRADES["scanner"].replace(capex_usd=0.0)}}, "has no cost"),
        ({"upgrades": {"lane": cs.AddLanes(at="checkpoints.nowhere.exit.lanes", lanes=1, capex_usd=1e6)}}, "nowhere"),
        (
            {"upgrades": [cs.Upgrade("a", {"x": UPGRADES["scanner"]}), cs.Upgrade("a", {"y": UPGRADES["lane_in"]})]},
            "is the id of two upgrades",
        ),
        (
            {"upgrades": [cs.Upgrade("a", {"x": UPGRADES["scanner"]}), cs.Upgrade("b", {"x": UPGRADES["scanner"]})]},
            "is in two upgrades",
        ),
        (
            {
                "upgrades": [
                    cs.Upgrade("a", {"x": UPGRADES["scanner"]}, needs=("b", "c")),
                    cs.Upgrade("b", {"y": UPGRADES["lane_in"]}, excludes=("c",)),
                    cs.Upgrade("c", {"z": UPGRADES["lane_back"]}),
                ]
            },
            "can never be built",
        ),
        ({"screening": 0}, "screening"),
        ({"upgrades": {}}, "at least one"),
        ({"upgrades": 3}, "upgrades must be"),
        ({"at": "nowhere"}, "no crossing or post"),
    ],
)
def test_what_is_not_allowed_is_refused(change, words):
    settings = {"upgrades": UPGRADES, "budget_usd": 5e6, **HOW} | change
    with pytest.raises((ArgumentError, CorridorError), match=words):
        cs.portfolio(border(), settings.pop("upgrades"), **settings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {
                "alpha": 0.7,
                "screening": 0,
                "most": 3,
                "budget_usd": {2024: -1.0, 1800: 5.0},
                "delta": "5 min",
                "store": 3,
            },
            ["alpha", "screening", "most", "a year of budget_usd", "budget_usd[2024]", "store", "delta must be in h"],
        ),
        ({"first": 9, "most": 8, "final": 1, "waves": 2}, ["most must be a whole number >= 9", "final", "need draws"]),
        (
            {"objective": "npv_usd", "at": "northgate", "waves": 2, "delta": -1.0},
            ["appraisal says", "leave out at", "need draws", "delta"],
        ),
        ({"draws": 65, "budget_usd": 0, "rounds": -1}, ["power of two", "budget_usd", "rounds"]),
        ({"at": "nowhere", "finalists": 0}, ["no crossing or post", "finalists"]),
    ],
)
def test_all_that_is_not_allowed_is_told_at_once(change, words):
    with pytest.raises(ArgumentError) as caught:
        cs.portfolio(border(), UPGRADES, **{"budget_usd": 5e6, **HOW} | change)
    told = str(caught.value).split("\n")
    assert len(told) == len(words)
    assert all(sum(word in line for line in told) == 1 for word in words), told


def test_wrong_arguments_are_told_with_wrong_upgrades():
    upgrades = {"free": UPGRADES["scanner"].replace(capex_usd=0.0)}
    with pytest.raises(ScenarioError) as caught:
        cs.portfolio(border(), upgrades, budget_usd=-1.0, **HOW | {"most": 2})
    told = [str(one) for one in caught.value.problems]
    assert len(told) == 3
    assert all(any(word in one for one in told) for word in ("has no cost", "budget_usd", "most"))


FILE = """
schema = 1
name = "upgrades"
[improvements.scanner]
kind = "add_lanes"
at = "checkpoints.northgate_b.entry.xray"
lanes = 1
capex_usd = 3e6
[improvements.lane]
kind = "add_lanes"
at = "checkpoints.northgate_b.entry.lanes"
lanes = 1
capex_usd = 2e6
[improvements.lane_back]
kind = "add_lanes"
at = "checkpoints.northgate_a.entry.lanes"
lanes = 1
capex_usd = 2e6
[upgrades.lanes]
name = "Lanes both ways"
of = ["lane", "lane_back"]
excludes = ["scanner"]
earliest_year = 2025
"""


def test_a_file_says_what_is_built_together_and_what_excludes_what(tmp_path):
    file = tmp_path / "upgrades.toml"
    file.write_text(FILE, encoding="utf-8")
    upgrades, _ = read_upgrades(file, border())
    assert [one.id for one in upgrades] == ["scanner", "lanes"]
    assert upgrades[1].capex_usd == 4e6
    assert upgrades[1].excludes == ("scanner",)
    assert upgrades[1].earliest_year == 2025
    assert upgrades[1].called == "Lanes both ways"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('excludes = ["scanner"]', 'excludes = ["scaner"]', "scanner"),
        ('of = ["lane", "lane_back"]', 'of = ["lane", "lanes"]', "does not have"),
        ('of = ["lane", "lane_back"]', "of = 3", "must be a list"),
        ("earliest_year = 2025", 'earliest_year = "soon"', "must be a year"),
        ("earliest_year = 2025", "earliest = 2025", "not a field of an upgrade"),
        ("capex_usd = 3e6", "", "has no cost"),
        ("capex_usd = 3e6", "capex_usd = 3e6\nfrom = 2024-01-02", "in which year"),
        ("northgate_b.entry.xray", "northgate_c.entry.xray", "northgate_c"),
        ('[upgrades.lanes]', '[flows.more]\nper_day = 3\n[upgrades.lanes]', "not a table"),
        ('of = ["lane", "lane_back"]', 'of = ["lane", "scanner"]', "names itself|two upgrades|does not exist"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told_with_its_line(tmp_path, old, new, words):
    file = tmp_path / "upgrades.toml"
    assert old in FILE
    file.write_text(FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError, match=words) as caught:
        read_upgrades(file, border())
    assert all("upgrades.toml" in str(problem) for problem in caught.value.problems)


def test_names_of_upgrades_are_told_with_wrong_values(tmp_path):
    file = tmp_path / "upgrades.toml"
    text = FILE.replace("entry.xray", "entry.scan").replace("lanes = 1\ncapex_usd = 2e6", "lanes = -1\ncapex_usd = 2e6")
    text = text.replace('excludes = ["scanner"]', 'excludes = ["scaner"]').replace('"lane_back"]', '"lane_bak"]')
    file.write_text(text + "[flows.more]\nper_day = 3\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read_upgrades(file, border())
    found = [one.path for one in caught.value.problems]
    assert sorted(found) == [
        "flows",
        "improvements.lane.lanes",
        "improvements.lane_back.lanes",
        "improvements.scanner.at",
        "upgrades.lanes.excludes",
        "upgrades.lanes.of",
    ]
    assert all("upgrades.toml" in str(one) and one.line for one in caught.value.problems)


def test_what_an_upgrade_costs_is_not_judged_where_an_improvement_of_it_cannot_be_read(tmp_path):
    file = tmp_path / "upgrades.toml"
    file.write_text(FILE.replace("lanes = 1\ncapex_usd = 3e6", "lanes = 0.5"), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read_upgrades(file, border())
    assert [one.path for one in caught.value.problems] == ["improvements.scanner.lanes"]


def test_an_upgrade_that_names_itself_is_given_no_other_name(tmp_path):
    file = tmp_path / "upgrades.toml"
    file.write_text(FILE.replace('excludes = ["scanner"]', 'needs = ["lanes"]'), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"names itself$"):
        read_upgrades(file, border())


def test_the_command_line_says_what_python_says(tmp_path):
    base, file = tmp_path / "base.toml", tmp_path / "upgrades.toml"
    cs.save_scenario(border(), base)
    file.write_text(FILE, encoding="utf-8")
    how = ["--delta", "100 h", "--screening", 2, "--finalists", 2, "--workers", 1, "-q"]
    told = called("portfolio", base, file, "--budget", "2024=3e6", "--budget", "2025=1e6", *how)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("With US$ 4.0 m build 2024: scanner.")
    data = json.loads(called("portfolio", base, file, "--budget", "4e6", *how, "--format", "json").stdout)
    assert data["chosen"] == ["scanner"]
    assert math.isfinite(data["sets"][0]["saved"])
    refused = called("portfolio", base, file, "--budget", "much", *how)
    assert refused.exit_code == 2
    assert "neither a number of US$" in refused.stderr
    twice = called("portfolio", base, file, "--budget", "2024=1e6", "--budget", "2024=3e6", *how)
    assert twice.exit_code == 2
    assert "2024 is given twice" in twice.stderr
    several = ["--waves", 2, "--observed", "--draws-table", tmp_path / "draws.csv", "--budget", "much"]
    refused = called("portfolio", base, file, *several, *how)
    assert refused.exit_code == 2
    for words in ("neither a number of US$", "--observed needs --inputs", "--draws-table needs --inputs"):
        assert refused.stderr.count(words) == 1
    refused = called("portfolio", base, file, "--budget", "1e3", "--waves", 2, "--draws-table", "draws.csv", *how)
    assert refused.exit_code == 2
    assert "--waves needs --observed or --observations\n--draws-table needs --inputs" in refused.stderr
    missing = called("portfolio", base, "no_such_list", "--budget", "4e6", *how)
    assert missing.exit_code == 2
    assert "samur_astara_2026_2030" in missing.stderr


# ---------------------------------------------------------------- draws of the inputs


def test_observations_leave_draws_and_the_regret_is_of_those_alone(programme):
    # A draw is ruled out three deviations away: of the observation, 1 h, and of one replication of the base.
    base, where = programme.regret.nothing, {"kind": "corridor", "place": "all"}
    noise = (
        cs.run(border(), replications=5, rng=programme.root, workers=1).rows.row("delay_truck_h", **where).std(ddof=1)
    )
    lowest = np.sort(base)
    seen = Observation(
        name="delay",
        value=float(lowest[13:15].mean()) + 3 * math.hypot(1.0, noise),
        unit="h",
        sd=1.0,
        indicator="delay_truck_h",
        where=where,
    )
    how = {"budget_usd": {2024: 3e6, 2025: 2e6}, "draws": 64, "draw_replications": 1} | HOW
    found = cs.portfolio(border(), UPGRADES, observations=[seen], **how)
    left = base > lowest[13]
    assert (found.regret.draws, found.regret.drawn) == (50, 64)
    assert np.array_equal(found.regret.nothing, base[left])
    assert found.sets == programme.sets
    assert np.array_equal(found.regret.values, programme.regret.values[:, left])
    assert "Over the 50 of 64 draws of the inputs that the observations leave" in found.answer()
    nobody = dataclasses.replace(seen, value=1e9)
    # Where next to nothing is left the programme comes out all the same, and says what leaves more.
    with pytest.warns(CorridorWarning):
        alone = cs.portfolio(border(), UPGRADES, observations=[nobody], **how)
    assert alone.regret is None
    assert alone.sets == programme.sets
    told = alone.answer()
    assert "The observations leave 0 of 64 draws of the inputs, too few to tell a regret (at least 5)" in told
    assert "waves = 2 (--waves 2)" in told


@pytest.mark.parametrize(("better", "told"), [(45, True), (33, False)])
def test_the_first_sentence_says_where_the_draws_speak_for_another_set(programme, better, told):
    """Of 64 draws another set is better in 45 and worse in 19: 26^2 / 64 = 10.6 > 3.84; 33 and 31 may be chance."""
    regret = np.full_like(programme.regret.regret, 50.0)
    regret[0, :better], regret[0, better:] = 30.0, 0.0
    regret[1, :better], regret[1, better:] = 0.0, 10.0
    found = dataclasses.replace(programme, regret=dataclasses.replace(programme.regret, regret=regret))
    other = found.sets[1]
    words = (
        f"over the draws of the inputs the set {found.beside(other)} (US$ {other.capex_usd / 1e6:,.1f} m) is the better"
    )
    assert (words in found.answer()) == told
    assert (found.better_over_draws() is other) == told
    assert (f"best in {45 / 64:.0%} of them" in found.answer()) == told


def test_the_table_of_draws_has_a_line_a_set_and_draw_with_its_inputs(programme):
    table = programme.draws_table()
    names = [*(one.called for one in programme.sets), "nothing"]
    assert len(table) == 64 * len(dict.fromkeys(names))
    mine = table[table["set"] == programme.best.called]
    assert np.array_equal(mine["regret"], programme.regret.regret[0])
    assert np.array_equal(mine["saved"], programme.regret.nothing - programme.regret.values[0])
    assert (table.groupby("draw")["regret"].min() == 0).all() or (table.groupby("draw")["regret"].min() <= 0).all()
    ranged = [one for one in table.columns if one not in ("draw", "set", "capex_usd", "value", "saved", "regret")]
    assert set(programme.regret.inputs) <= set(ranged)
    for name in ranged:
        assert table.groupby("draw")[name].nunique().eq(1).all()
        assert table[name].nunique() > 1


def test_draws_go_to_ema_workbench_as_experiments_and_outcomes(programme):
    experiments, outcomes = programme.to_ema()
    assert set(outcomes) == {"value", "saved", "regret"}
    assert all(len(values) == len(experiments) for values in outcomes.values())
    assert list(experiments.columns[-3:]) == ["scenario", "policy", "model"]
    chosen = experiments[experiments["policy"] == programme.best.called]
    assert all(chosen[id].all() == (id in programme.chosen) for id in UPGRADES)
    assert not experiments.loc[experiments["policy"] == "nothing", list(UPGRADES)].any(axis=None)


def test_without_draws_there_is_no_table_of_them():
    found = cs.portfolio(border(), UPGRADES, budget_usd=5e6, **HOW | {"most": 6, "rounds": 0})
    for ask in (found.draws_table, found.to_ema):
        with pytest.raises(CorridorError, match="give draws"):
            ask()


@pytest.mark.filterwarnings("ignore")
def test_ema_workbench_takes_the_draws_as_the_page_says(programme):
    pytest.importorskip("ema_workbench")
    page = (Path(__file__).parents[2] / "docs" / "portfolio.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^```py\n(.*?)^```", page, flags=re.M | re.S)
    names = {"found": programme}
    exec(recipe, names)
    assert names["scores"][1].idxmax() == next(iter(programme.regret.inputs))
    assert names["box"] is not None


# ---------------------------------------------------------------- a search that goes on


def test_a_store_ends_in_the_same_answer_and_runs_nothing_twice(tmp_path, monkeypatch):
    how = {"budget_usd": 5e6} | HOW
    plain = cs.portfolio(border(), UPGRADES, **how)
    groups, run_group = [], upgrade_sets.run_group

    def counted(shared, group):
        groups.append(group)
        if len(groups) == 3 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        return run_group(shared, group)

    stopped = []
    monkeypatch.setattr(upgrade_sets, "run_group", counted)
    with pytest.raises(KeyboardInterrupt):
        cs.portfolio(border(), UPGRADES, store=tmp_path, **how)
    done = groups[:2]
    groups.clear()
    found = cs.portfolio(border(), UPGRADES, store=tmp_path, **how)
    assert not set(done) & set(groups)
    assert found.to_data() | {"wall_s": 0} == plain.to_data() | {"wall_s": 0}
    groups.clear()
    again = cs.portfolio(border(), UPGRADES, store=tmp_path, **how)
    assert groups == []
    assert again.to_data() | {"wall_s": 0} == plain.to_data() | {"wall_s": 0}
    # Another budget finds what was seen; another seed is another question.
    cs.portfolio(border(), UPGRADES, store=tmp_path, **how | {"budget_usd": 4e6})
    asked = {(one, r) for sets, numbers in groups for one in sets for r in numbers}
    assert not asked & {(frozenset(), 0), (frozenset({0}), 1)}
    cs.portfolio(border(), UPGRADES, store=tmp_path, rng=5, **how)
    assert len(list(tmp_path.glob("sets-*"))) == 2


def test_a_damaged_table_of_the_store_is_told_set_aside_and_made_again(tmp_path):
    how = {"budget_usd": 5e6, "store": tmp_path} | HOW | {"most": 6, "rounds": 0}
    first = cs.portfolio(border(), UPGRADES, **how)
    file = sorted(tmp_path.glob("sets-*/*.csv"))[0]
    file.write_text(file.read_text(encoding="utf-8").replace("0,", "1,", 1), encoding="utf-8")
    with pytest.warns(CorridorWarning, match="damaged, set aside"):
        again = cs.portfolio(border(), UPGRADES, **how)
    assert again.table().equals(first.table())
    assert file.with_suffix(".damaged").exists()


# ---------------------------------------------------------------- which sets can be


def test_rules_of_a_file_hold_in_the_answer(tmp_path):
    # Both lanes are one upgrade and exclude the scanner; money enough for everything.
    file = tmp_path / "upgrades.toml"
    file.write_text(FILE, encoding="utf-8")
    money = {2024: 3e6, 2025: 1e7}
    found = cs.portfolio(border(), file, budget_usd=money, **HOW)
    assert all(set(one.ids) != {"scanner", "lanes"} for one in (*found.sets, *found.frontier))
    assert "No two upgrades can be built together, so none was seen to act on another." in found.answer()
    assert len(found.chosen) == 1
    assert _short(found, found.best) == "chosen: 1 upgrade"
    needed = FILE.replace('excludes = ["scanner"]', 'needs = ["scanner"]')
    file.write_text(needed, encoding="utf-8")
    found = cs.portfolio(border(), file, budget_usd=money, **HOW)
    assert all("scanner" in one.ids for one in (*found.sets, *found.frontier) if "lanes" in one.ids)
    assert found.years.get("lanes", 2025) == 2025
    assert found.years["scanner"] == 2024


def test_what_no_year_is_late_enough_for_is_told_and_not_chosen(tmp_path):
    file = tmp_path / "upgrades.toml"
    file.write_text(FILE.replace('excludes = ["scanner"]', "excludes = []"), encoding="utf-8")
    found = cs.portfolio(border(), file, budget_usd=1e7, **HOW)
    assert found.chosen == ("scanner",)
    assert any("lanes is not chosen" in text and "2025" in text for text in found.warnings)
    assert "lanes" in found.describe()
    rules = SetRules((1.0, 1.0, 1.0), 9.0, never=frozenset({1}))
    model = PairModel(0.0, np.array([-1.0, -9.0, -2.0]), {})
    assert best_sets(model, rules, 1) == best_sets_by_milp(model, rules, 1) == [frozenset({0, 2})]


@pytest.mark.parametrize("budget", [2e6, 1e9], ids=["room for one", "room for all"])
def test_one_upgrade_is_a_choice_between_it_and_nothing(budget):
    found = cs.portfolio(border(), {"lane_in": UPGRADES["lane_in"]}, budget_usd=budget, **HOW)
    assert {one.called for one in found.sets} <= {"lane_in", "nothing"}
    assert "act on each other" not in found.answer()
    assert len(re.findall(r"[^.]+(?:\.\d[^.]*)*\.(?= |$)", found.answer())) == 5
    assert found.describe()
    for name in ("frontier", "regret", "build_order"):
        assert PLOTS[name](found)


def test_the_command_line_draws_stores_and_writes_the_table_of_draws(tmp_path):
    base, file, table, store = (tmp_path / name for name in ("base.toml", "upgrades.toml", "draws.csv", "kept"))
    cs.save_scenario(border(), base)
    file.write_text(FILE, encoding="utf-8")
    how = ["--delta", "100 h", "--screening", 1, "--finalists", 2, "--workers", 1, "-q", "--alpha", 0.5]
    how += ["--kind", "post", "--place", "northgate_b", "--direction", "entry", "--budget", "2025=4e6"]
    told = called("portfolio", base, file, *how, "--inputs", 8, "--draws-table", table, "--store", store)
    assert told.exit_code == 0, told.output
    assert "8 draws of the inputs" in told.stdout
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 8 * 3
    assert list(store.glob("sets-*/*.csv"))
    again = called("portfolio", base, file, *how, "--inputs", 8, "--store", store)
    assert again.stdout.rpartition(",")[0] == told.stdout.rpartition(",")[0]
    alone = called("portfolio", base, file, *how, "--draws-table", tmp_path / "other.csv")
    assert alone.exit_code == 2
    assert "--draws-table needs --inputs" in alone.stderr
