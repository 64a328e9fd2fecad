"""The years of the roadmaps: what goes in comes out, and what the posts of 2017 would have held back."""

import dataclasses
import runpy
from pathlib import Path

import pytest

import corridor_sim as cs
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.load import loads
from corridor_sim.results.delivered import CONSERVATION, delivered_ratios, same_demand

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
RUN = {"replications": 2, "indicators": ["delivered"], "workers": 1}


@pytest.fixture(scope="module")
def year_2017():
    return cs.run("observed_2017", **RUN)


@pytest.fixture(scope="module")
def year_2023():
    return cs.run("observed_2023", **RUN)


def ratio(base, other, **where):
    """Ratio of deliveries at the border to Russia."""
    frame = delivered_ratios(base, other, ["border", *(name for name in where if name != "quantity")])
    frame = frame[frame.border == "AZ-RU"]
    for name, value in {"quantity": "tonnes", **where}.items():
        frame = frame[frame[name] == value]
    assert set(frame.kind) == {CONSERVATION}
    return frame.ratio.item(), frame.other.item()


def test_published_ratios_of_2017_to_2023_come_out_as_a_conservation_check_of_inputs(year_2017, year_2023):
    # Cabinet of Ministers, January 2024: all cargo +87 %, transit almost four times, the corridor +44 %.
    assert ratio(year_2017, year_2023)[0] == pytest.approx(1.87, rel=0.04)
    assert ratio(year_2017, year_2023, trade="transit")[0] == pytest.approx(4.0, rel=0.04)
    assert ratio(year_2017, year_2023, corridor="north_south")[0] == pytest.approx(1.44, rel=0.04)
    # Trade: 2.14 bn USD in 2017, over 4.3 in 2023.
    trade, value = ratio(year_2017, year_2023, trade="bilateral", quantity="value_usd")
    assert trade == pytest.approx(4.35 / 2.14, rel=0.04)
    assert value == pytest.approx(4.35e9, rel=0.04)


def test_half_the_transit_of_2023_is_half_the_ratio(year_2017, year_2023):
    scenario = load_scenario("observed_2023")
    flows = {
        id: flow.replace(per_day=flow.per_day / 2) if flow.trade == "transit" else flow
        for id, flow in scenario.flows.items()
    }
    half = cs.run(scenario.replace(flows=flows), **RUN)
    whole = ratio(year_2017, year_2023, trade="transit")[0]
    assert ratio(year_2017, half, trade="transit")[0] == pytest.approx(whole / 2, rel=0.04)


def test_posts_of_2017_made_as_good_as_those_of_2023_bring_the_difference_to_zero():
    with_measures, observed = (make_plan(load_scenario(name)) for name in ("roadmap_2018_2023", "observed_2023"))
    # The same plan to the last bit: whatever is run on it is the same.
    one, other = (fingerprint(dataclasses.replace(plan, name="")) for plan in (with_measures, observed))
    assert one == other


def test_the_posts_of_2017_are_held_against_those_of_2023_under_the_same_demand():
    without, observed = (make_plan(load_scenario(name)) for name in ("no_roadmap_2023", "observed_2023"))
    assert same_demand(without, observed)
    at = {one.element: one.load for one in loads(without)}
    assert at["yarag_kazmalyar_ru.exit.lanes"] > 1.5
    assert at["yarag_kazmalyar_ru.entry.lanes"] > 1.5
    assert max(one.load for one in loads(observed)) < 1.0
    posts = {element.post for element in without.elements}
    assert not posts & {"khanoba_az", "tagirkent_kazmalyar_ru", "novo_filya_ru", "shirvanovka_az"}


def test_every_measure_between_2018_and_2023_is_dated_and_sourced():
    measures = load_scenario("roadmap_2018_2023").improvements.values()
    assert len(measures) == 7
    assert all(one.from_.year in range(2018, 2024) and one.source for one in measures)


def test_trains_of_the_target_of_2028_need_the_second_station_at_yalama():
    scenario = load_scenario("target_2028")

    def load(scenario):
        return {one.element: one.load for one in loads(make_plan(scenario))}["leg:border_yalama>"]

    assert load(scenario) < 0.9
    without = scenario.without_improvements("yalama_2_border", "yalama_2_line")
    assert load(without) > 1.0


def test_as_many_are_let_out_of_iran_in_the_closure_as_were_reported():
    run = cs.run("disrupted_2026", replications=1, records=True, workers=1)
    visits = run.visits()
    out = visits[visits.element.isin(["leg:border_astara<", "leg:border_bilasuvar<"])]
    # 150 from 6 March 16:00 to 7 March 20:00 local time, nobody until 9 March 10:00.
    assert len(out[out.start_h < 28]) == pytest.approx(150, abs=2)
    assert not ((out.start_h >= 28) & (out.start_h < 66)).any()
    waited = visits[visits.flow.str.startswith("initial_queue") & (visits.join_h < 0)]
    assert len(waited) == 1150
    assert waited.wait_h.max() > 150


def test_the_script_of_the_draws_of_the_roadmaps_runs_the_lorries_of_both_years_alone():
    (script,) = (Path(__file__).parents[1] / "benchmarks").glob("what_the_roadmaps_bought.py")
    found = runpy.run_path(str(script))
    for name in ("no_roadmap_2023", "observed_2023"):
        scenario = load_scenario(name)
        lorries = found["road"](scenario)
        assert make_plan(lorries).flows
        # All that pass the posts to Russia, and all that are followed.
        to_russia = {
            id
            for id, flow in scenario.flows.items()
            if any("samur" in at for one in flow.crossing_shares.values() for at in one.shares)
        }
        assert to_russia <= {*lorries.flows}
        assert {*found["FOLLOW"], *found["FOLLOW"].values()} <= {*lorries.flows}
