"""Ways from door to door: days and costs by hand, both intervals, shares of draws in which one is less than another."""

import json

import numpy as np
import pytest
from command_line import called
from small_corridor import small

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError
from corridor_sim.study.door_to_door import _borders

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


def two_ways(**more):
    """Two flows over one crossing, one of them with a range of its speed on a leg of its own."""
    ranged = {
        "kind": "road",
        "from": "rasht",
        "to": "astara_ir",
        "length_km": 150,
        "speed_kmh": 50,
        "cost_usd_tkm": 0.05,
        "figures": {"speed_kmh": {"low": 30.0, "high": 75.0, "range_reason": "assumed"}},
    }
    return small(
        run__horizon_days=20,
        run__warm_up_days=2,
        run__cool_down_days=6,
        legs__rasht_astara=ranged,
        flows__transit__value_of_time_usd_h=2.0,
        flows__transit__load_t=20.0,
        **more,
    )


BRANCHES = {"western": 2, "trans_caspian": 0, "eastern": 3, "suez_novorossiysk": 0, "suez_st_petersburg": 0}
"""Borders that each way crosses by land: Astara and Yalama; Incheh Borun, Bolashak and Aksaraiskaya."""
SETTINGS = {"draws": 16, "replications": 1, "stated_replications": 5, "rng": 3, "workers": 1}


@pytest.fixture(scope="module")
def ways():
    return cs.door_to_door(two_ways(), ["north", "transit"], **SETTINGS)


def line(ways, flow, quantity):
    return ways.set_index(["flow", "quantity"]).loc[(flow, quantity)]


def test_a_cost_is_that_of_the_legs_and_of_the_time(ways):
    days = line(ways, "transit", "days")["stated"]
    parts = {name: line(ways, "transit", f"usd_{name}")["stated"] for name in ("transport", "time", "together")}
    # 20 t over 150 km at 0.05, the other legs cost nothing here.
    assert parts["transport"] == pytest.approx(20.0 * 150.0 * 0.05)
    assert parts["time"] == pytest.approx(2.0 * 24.0 * days)
    assert parts["together"] == pytest.approx(parts["transport"] + parts["time"])


def test_what_of_the_time_is_waiting_is_told_and_not_added(ways):
    waiting, time = (line(ways, "transit", f"usd_{name}") for name in ("waiting", "time"))
    assert 0 <= waiting["stated"] < time["stated"]
    assert waiting["inputs_high"] <= time["inputs_high"]
    assert "usd_fees" not in set(ways["quantity"])  # the scenario has none


def test_a_fee_is_paid_once_at_each_border_that_is_crossed_by_land(ways):
    fee = {
        "border_fee_usd": 50.0,
        "figures": {"border_fee_usd": {"low": 40.0, "high": 80.0, "range_reason": "assumed"}},
    }
    scenario = two_ways(factors=fee)
    nodes = {**scenario.places, **scenario.checkpoints}
    assert {nodes[post].country for post in ("astara_ir", "astara_az")} == {"IR", "AZ"}
    with_fees = cs.door_to_door(scenario, ["north", "transit"], per=2.0, **SETTINGS)
    fees = line(with_fees, "north", "usd_fees")
    assert fees["stated"] == pytest.approx(50.0 / 2)
    # From Rasht to Moscow there are two.
    assert line(with_fees, "transit", "usd_fees")["stated"] == pytest.approx(2 * 50.0 / 2)
    # Evenly spread draws, 16 of them: the smallest and the largest.
    assert 20.0 <= fees["inputs_low"] < 24.0
    assert 36.0 < fees["inputs_high"] <= 40.0
    parts = [line(with_fees, "transit", f"usd_{name}")["stated"] for name in ("transport", "time", "fees")]
    assert line(with_fees, "transit", "usd_together")["stated"] == pytest.approx(sum(parts))


def test_trains_of_the_branches_cross_two_and_three_borders_and_those_by_suez_none():
    assert _borders(cs.load_scenario("routes_mumbai_moscow"), BRANCHES) == BRANCHES


def test_the_inputs_move_the_days_by_the_speed_and_sampling_does_not(ways):
    days = line(ways, "transit", "days")
    # 150 km take 3 h, 5 h at 30 km/h and 2 h at 75 km/h.
    assert days["high"] - days["low"] < 0.2
    assert 1.2 / 24 < days["inputs_high"] - days["stated"] <= 2 / 24 + 0.02
    assert 0.6 / 24 < days["stated"] - days["inputs_low"] <= 1 / 24 + 0.02
    assert line(ways, "transit", "usd_transport")["inputs_low"] == pytest.approx(150.0)


def test_a_longer_way_over_the_same_legs_is_slower_in_every_draw(ways):
    assert line(ways, "north", "days")["less_than_transit"] == 1.0
    assert np.isnan(line(ways, "transit", "days")["less_than_transit"])


def test_costs_are_divided_and_days_are_not(ways):
    tenth = cs.door_to_door(two_ways(), ["north", "transit"], per=10.0, **SETTINGS)
    for quantity, factor in (("days", 1.0), ("usd_together", 10.0)):
        one, other = line(ways, "transit", quantity), line(tenth, "transit", quantity)
        assert one["stated"] == pytest.approx(factor * other["stated"])
        assert one["inputs_high"] == pytest.approx(factor * other["inputs_high"])


def test_a_flow_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="nobody"):
        cs.door_to_door(two_ways(), ["nobody"], **SETTINGS)


def test_branches_from_mumbai_to_moscow_from_the_terminal():
    options = ["routes_mumbai_moscow", "--draws", "8", "--workers", "1", "-q", "--per", "124", "--format", "json"]
    rows = json.loads(called("door-to-door", *options, "--against", "suez_novorossiysk").output)["rows"]
    days = {row["flow"]: row for row in rows if row["quantity"] == "days"}
    assert days["western"]["stated"] < days["suez_novorossiysk"]["stated"] < days["suez_st_petersburg"]["stated"]
    assert days["western"]["inputs_low"] < days["western"]["stated"] < days["western"]["inputs_high"]
    text = called("door-to-door", *options[:-2]).output
    assert "less than" in text
    assert "95 % interval of sampling" in text
