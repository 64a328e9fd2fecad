"""What was delivered, told by border, trade, mode, commodity and corridor; and improvements whose date is late."""

import datetime as dt

import pytest
from markupsafe import escape

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError
from corridor_sim.core.rounding import estimate
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.plan.build import make_plan
from corridor_sim.report.deliveries import corridor_changes
from corridor_sim.results.delivered import CONSERVATION, delivered, delivered_ratios, same_demand, told_of_corridors

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


@pytest.fixture(scope="module")
def border():
    return cs.run("teaching", replications=2, rng=1)


def test_what_was_delivered_is_told_flow_by_flow_and_replication_by_replication(border):
    frame = delivered(border)
    flows = [flow.id for flow in border.plan.flows]
    assert frame[["flow", "replication"]].values.tolist() == [[id, k] for id in flows for k in (0, 1)]
    for flow in border.plan.flows:
        mine = frame[frame.flow == flow.id]
        _, tonnes = next(iter(border.rows.select("delivered_t", kind="flow", place=flow.id)))
        assert mine.tonnes.tolist() == tonnes.tolist()
        assert mine.value_usd.tolist() == pytest.approx((tonnes * flow.value_usd_t).tolist())
        assert (mine["mode"].unique().tolist(), mine.border.unique().tolist()) == (["road"], ["A-B"])


def test_groups_add_up_and_have_the_interval_over_the_replications(border):
    by_class = delivered(border, by=("border", "cargo_class"))
    whole = delivered(border, by=())
    for quantity in ("tonnes", "value_usd"):
        parts = by_class[by_class.quantity == quantity]["mean"].sum()
        assert parts == pytest.approx(whole[whole.quantity == quantity]["mean"].item())
    assert (whole.low < whole["mean"]).all()
    assert whole.n.tolist() == [2, 2]


def test_a_consignment_that_crosses_two_borders_stands_at_both_and_counts_once_without_them():
    run = cs.run("baseline_2023", replications=1, rng=1, indicators=["delivered"])
    frame = delivered(run)
    twice = frame[frame.flow == "south_transit_iran"]
    assert twice[["border", "trade", "corridor"]].values.tolist() == [
        ["AZ-RU", "transit", "north_south"],
        ["AZ-IR", "transit", "north_south"],
    ]
    once = delivered(run, by="flow").set_index(["flow", "quantity"])["mean"]
    assert once["south_transit_iran", "tonnes"] == twice.tonnes.iloc[0]
    assert set(frame[frame.flow == "north_fresh"].commodity) == {"fruit and vegetables"}


def test_trade_follows_from_the_countries_at_both_ends_unless_it_is_given():
    scenario = load_scenario("baseline_2023")
    flows = {id: flow.replace(trade="") for id, flow in scenario.flows.items()}
    run = cs.run(scenario.replace(flows=flows), replications=1, rng=1, indicators=["delivered"])
    trade = delivered(run).set_index(["flow", "border"])["trade"]
    assert trade["south_bilateral", "AZ-RU"] == "bilateral"
    assert trade["south_transit_iran", "AZ-RU"] == trade["south_transit_iran", "AZ-IR"] == "transit"
    assert trade["astara_out_bilateral", "AZ-IR"] == "bilateral"


def test_containers_are_counted_where_a_flow_says_how_many_it_carries(border):
    scenario = load_scenario("teaching")
    flows = {id: flow.replace(teu=2.0) for id, flow in scenario.flows.items()}
    run = cs.run(scenario.replace(flows=flows), replications=2, rng=1)
    arrived = sum(
        values.mean() for _, values in run.rows.select("throughput_per_day", kind="flow", cargo_class="", of="")
    )
    frame = delivered(run, by=())
    assert frame[frame.quantity == "teu"]["mean"].item() == pytest.approx(2.0 * arrived * run.scope.window_days)
    assert "TEU" in run.describe()
    assert "TEU" not in border.describe()


def test_a_ratio_of_runs_with_other_demand_is_labelled_a_conservation_check(border):
    scenario = load_scenario("teaching")
    doubled = {id: flow.replace(load_t=2 * flow.load_t) for id, flow in scenario.flows.items()}
    other = cs.run(scenario.replace(flows=doubled), replications=2, rng=1)
    frame = delivered_ratios(border, other)
    assert frame[frame.quantity == "tonnes"].ratio.item() == pytest.approx(2.0)
    assert set(frame.kind) == {CONSERVATION}
    assert set(delivered_ratios(border, border).kind) == {""}
    assert not same_demand(border.plan, other.plan)


def test_run_and_page_tell_what_was_delivered(border):
    assert "delivered at trade" in border.describe()
    assert "Delivered" in border.to_html()


def test_what_cannot_be_told_is_one_clear_error(border):
    with pytest.raises(ArgumentError, match="by must be some of flow, commodity"):
        delivered(border, by="colour")
    with pytest.raises(CorridorError, match="run it with the indicator 'delivered'"):
        delivered(cs.run("teaching", replications=1, rng=1, indicators=["wait_h"]))


def test_an_improvement_that_is_late_takes_effect_so_many_days_later():
    one = cs.OpenLeg(leg="l", **{"from": dt.datetime(2028, 1, 1)}, late_days=366.0)
    assert one.begins == dt.datetime(2029, 1, 1)
    with pytest.raises(ScenarioError, match="needs a date `from`"):
        cs.OpenLeg(leg="l", late_days=2.0)


@pytest.mark.parametrize("late_days", [0.0, 366.0, 1461.0])
def test_the_railway_rasht_astara_opens_as_late_as_its_range_says(late_days):
    scenario = load_scenario("rasht_astara")
    opening = scenario.improvements["rasht_astara"].replace(late_days=late_days)
    plan = make_plan(scenario.replace(improvements={"rasht_astara": opening}))
    (flow,) = (one for one in plan.flows if one.id == "train_to_iran")
    by_rail = [v for v in flow.variants if any(s.id == "rail_astara_terminal_ir_rasht" for s in v.spans)]
    (way,) = by_rail
    assert way.share.from_h[way.share.value > 0].tolist() == [(31 + late_days) * 24]


# ---------------------------------------------------------------- the corridor alone, as users read it


@pytest.fixture(scope="module")
def year_2023():
    return cs.run("baseline_2023", replications=2, rng=1)


def of_corridor(results, border=""):
    """Mean tonnes of the corridor, summed here from the flows: at a border, or each consignment once."""
    frame = delivered(results)
    frame = frame[(frame.corridor == "north_south") & (frame.border == border if border else True)]
    return frame.drop_duplicates(["flow", "replication"]).tonnes.sum() / results.replications


def test_a_corridor_has_a_line_at_each_border_and_one_where_each_consignment_counts_once(year_2023):
    found = told_of_corridors(year_2023)
    assert set(found) == {("north_south", border) for border in ("AZ-IR", "AZ-RU", "")}
    for (_, border), sums in found.items():
        assert sums["tonnes"][0] == pytest.approx(of_corridor(year_2023, border))
    at_both = found["north_south", "AZ-IR"]["tonnes"][0] + found["north_south", "AZ-RU"]["tonnes"][0]
    assert found["north_south", ""]["tonnes"][0] < at_both


def test_terminal_page_and_first_screen_tell_what_the_corridor_delivered(year_2023):
    kt = estimate(of_corridor(year_2023, "AZ-RU") / 1e3).split(" ")[0]
    lines = year_2023.describe().splitlines()
    (line,) = (line for line in lines if line.startswith("corridor north south at AZ-RU"))
    assert line.split()[5].split("±")[0].startswith(kt[:2])
    assert max(map(len, lines)) <= 80
    assert "corridor north_south, whole" in year_2023.describe(ids=True)
    assert "corridor north south at AZ-RU" in year_2023.to_html()
    assert "corridor north south</bdi></b>: delivered at AZ-IR" in year_2023._repr_html_()


def test_borders_without_a_corridor_have_no_such_line(border):
    assert told_of_corridors(border) == {}
    assert "corridor" not in "\n".join(border.describe().splitlines()[-6:])


def test_a_comparison_tells_how_many_times_the_corridor_delivered(year_2023):
    scenario = load_scenario("baseline_2023")
    flows = {
        id: flow.replace(load_t=1.44 * flow.load_t) if flow.corridor else flow for id, flow in scenario.flows.items()
    }
    more = cs.run(scenario.replace(name="more", flows=flows), replications=2, rng=1)
    changes = corridor_changes(year_2023, more)
    assert [(one.corridor, one.border, one.of_inputs) for one in changes] == [
        ("north_south", border, True) for border in ("AZ-IR", "AZ-RU", "")
    ]
    assert [one.ratio for one in changes] == pytest.approx([1.44] * 3)
    compared = cs.Comparison((year_2023, more))
    told = " ".join(compared.describe().split())
    assert f"corridor north south at AZ-RU: {changes[1].words()}" in told
    assert "1.44 times (conservation check of inputs: demands differ)" in told
    for page in (compared.to_html(), compared._repr_html_()):
        assert str(escape(f"at AZ-RU {changes[1].amounts()}; in all")) in page
    assert corridor_changes(year_2023, year_2023) == []
