"""Choice of branch and mode among flows: shares of tonnes by hand and by formula (rule D38).

By hand, without any queue. Cargo goes from a to b in lorries of 20 t, trains of 1,000 t or ships of 2,000 t.

===== ======================= ========= ================================== ===================== ============
way   fare, US$/t             time, h   value of the hour, US$/h a tonne    handling, US$/t       cost, US$/t
===== ======================= ========= ================================== ===================== ============
road  0.10 x 100 km = 10      2         0.5: 1                              0                     11
rail  0.05 x 100 km = 5       4         0.5: 2                              2 at each end: 4      11
ship  0.02 x 100 km = 2       8         0.5: 4                              4 at each end: 8      14
===== ======================= ========= ================================== ===================== ============

With one scale of 3 US$/t: weights 1, 1 and exp(-1) = 0.3679; shares 0.4223, 0.4223, 0.1554.
With road and rail in a nest of scale 1.5: its logsum is 11 - 1.5 ln 2 = 9.9603; the ship's part is
1 / (1 + exp((14 - 9.9603) / 3)) = 0.2064, road and rail have 0.3968 each.
"""

import math
import warnings

import numpy as np
import pytest
from scipy.optimize import brentq

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorWarning, ScenarioError
from corridor_sim.study.way_choice import nested_logit

VALUE_T, SCALE_T = 0.5, 3.0
LOADS = {"lorry": 20.0, "train": 1000.0, "ship": 2000.0}
KINDS = {"lorry": ("road", 100, 50.0, 0.10), "train": ("rail", 100, 25.0, 0.05), "ship": ("sea", 100, 12.5, 0.02)}
SETTINGS = {"workers": 1, "starts": 1}
pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


def three_ways(per_day=None, *, nests=None, scale=SCALE_T, days=20, handled=("train", "ship"), **flow_fields):
    """Three flows from a to b; trains are handled at 2, ships at 4 US$/t at each end."""
    per_day = per_day or {"lorry": 50.0, "train": 1.0, "ship": 0.5}
    places = {"a": {}, "b": {}, "c": {"handling_usd_t": 2.0}, "d": {"handling_usd_t": 2.0}}
    places |= {"e": {"handling_usd_t": 4.0}, "f": {"handling_usd_t": 4.0}}
    ends = {"lorry": ("a", "b"), "train": ("c", "d"), "ship": ("e", "f")}
    legs, flows = {}, {}
    for id, (kind, km, speed, rate) in KINDS.items():
        legs[f"by_{id}"] = {
            "kind": kind, "from": ends[id][0], "to": ends[id][1], "length_km": km, "speed_kmh": speed,
            "cost_usd_tkm": rate,
        }  # fmt: skip
        flows[id] = {
            "origin": ends[id][0],
            "destination": ends[id][1],
            "route": [f"by_{id}"],
            "per_day": per_day[id],
            "load_t": LOADS[id],
            "value_of_time_usd_h": VALUE_T * LOADS[id],
            "handled_at": ["origin", "destination"] if id in handled else [],
            **flow_fields,
        }
    return cs.Scenario(
        name="three_ways",
        run={"start": "2024-01-01", "horizon_days": days, "warm_up_days": 2, "replications": 2, "seed": 5},
        places=places,
        legs=legs,
        flows=flows,
        choices={"ab": {"flows": list(flows), "scale_usd_t": scale, "nests": nests or {}}},
    )


def test_without_a_queue_the_shares_are_those_by_hand_and_the_tonnes_stay():
    scenario = three_ways()
    found = cs.equilibrium(scenario, choices=True, **SETTINGS)
    assert found.reached
    table = found.choices_frame().set_index("flow")
    assert table["cost_usd_t"].tolist() == pytest.approx([11.0, 11.0, 14.0])
    assert table["fare_usd_t"].tolist() == pytest.approx([10.0, 5.0, 2.0])
    assert table["time_usd_t"].tolist() == pytest.approx([1.0, 2.0, 4.0])
    assert table["handling_usd_t"].tolist() == pytest.approx([0.0, 4.0, 8.0])
    assert found.shares["ab"] == pytest.approx([0.4223, 0.4223, 0.1554], abs=0.01)

    def tonnes(one):
        return sum(flow.per_day * flow.load_t for flow in one.flows.values())

    assert tonnes(found.scenario) == pytest.approx(tonnes(scenario))
    assert found.scenario.flows["ship"].per_day == pytest.approx(3000.0 * found.shares["ab"][2] / 2000.0)
    assert "lorry 42%" in found.describe()


def test_ways_of_one_nest_are_closer_substitutes():
    nested = three_ways(nests={"land": {"flows": ["lorry", "train"], "scale_usd_t": 1.5}})
    found = cs.equilibrium(nested, choices=["ab"], target=1e-3, **SETTINGS)
    assert found.shares["ab"] == pytest.approx([0.3968, 0.3968, 0.2064], abs=2e-3)


def test_shares_of_a_nested_logit_by_hand_and_those_of_one_scale_are_a_plain_logit():
    costs = np.array([11.0, 11.0, 14.0])
    shares, composite = nested_logit(costs, 3.0, [((0, 1), 1.5)])
    assert shares == pytest.approx([0.3968, 0.3968, 0.2064], abs=1e-4)
    assert composite == pytest.approx(-3.0 * math.log(math.exp(-(11 - 1.5 * math.log(2)) / 3) + math.exp(-14 / 3)))
    plain, whole = nested_logit(costs, 3.0)
    same, like = nested_logit(costs, 3.0, [((0, 2), 3.0)])
    assert plain == pytest.approx(same)
    assert whole == pytest.approx(like)
    # A dearer way inside a nest loses more to its fellow than to the way outside.
    dearer, _ = nested_logit(costs + np.array([1.0, 0.0, 0.0]), 3.0, [((0, 1), 1.5)])
    assert (dearer[1] / shares[1]) > (dearer[2] / shares[2]) > 1


@pytest.mark.parametrize("averaging", ["self-regulated", "1/k"])
def test_with_a_queue_on_the_way_the_shares_are_those_of_the_fixed_point_by_formula(averaging):
    # Lorries pass one lane of 0.25 h (M/D/1), trains nothing; 90 lorry loads a day in all, 1,800 t.
    service_h, per_day, scale = 0.25, 90.0, 0.6
    lane = {"s": {"lanes": 1, "service": {"kind": "deterministic", "value_h": service_h}}}
    free = {"s": {"lanes": "unlimited", "service": {"kind": "deterministic", "value_h": 0.0}}}
    road = {"kind": "road", "length_km": 50, "speed_kmh": 50, "cost_usd_tkm": 0.01}
    common = {"origin": "a", "destination": "b", "value_of_time_usd_h": 20.0, "load_t": 20.0}
    scenario = cs.Scenario(
        name="road_or_rail",
        run={"start": "2024-01-01", "horizon_days": 300, "warm_up_days": 5, "replications": 4, "seed": 5},
        places={"a": {}, "b": {}},
        checkpoints={
            "p": {"crossing": "near", "country": "A", "exit": lane},
            "q": {"crossing": "near", "country": "B", "entry": free},
        },
        legs={
            "to": {**road, "from": "a", "to": "p"},
            "over": {**road, "length_km": 0, "from": "p", "to": "q", "border": True},
            "on": {**road, "from": "q", "to": "b"},
            "rail": {**road, "kind": "rail", "from": "a", "to": "b", "length_km": 150},
        },
        flows={
            "lorries": {**common, "per_day": per_day / 2, "route": ["to", "over", "on"]},
            "wagons": {**common, "per_day": per_day / 2, "route": ["rail"]},
        },
        choices={"ab": {"flows": ["lorries", "wagons"], "scale_usd_t": scale}},
    )
    value_t = 20.0 / 20.0

    def wait_h(share):
        rho = share * per_day / 24 * service_h
        return rho * service_h / (2 * (1 - rho))

    def surplus(share):
        by_road = 0.01 * 100 + value_t * (2.0 + service_h + wait_h(share))
        by_rail = 0.01 * 150 + value_t * 3.0
        return share - 1 / (1 + math.exp((by_road - by_rail) / scale))

    expected = brentq(surplus, 1e-9, 0.999)
    found = cs.equilibrium(scenario, choices=True, averaging=averaging, workers=1, starts=2)
    assert 0.6 < expected < 0.88  # without the queue it were 0.89
    assert found.reached
    assert found.unique
    assert found.shares["ab"][0] == pytest.approx(expected, abs=0.015)
    frame = found.choices_frame().set_index("flow")
    assert frame.loc["wagons", "waiting_usd_t"] == pytest.approx(0.0, abs=1e-9)
    assert frame.loc["lorries", "waiting_usd_t"] == pytest.approx(value_t * wait_h(expected), rel=0.15)


def test_a_constant_that_is_set_for_it_holds_the_shares_of_the_scenario():
    # 1,000, 1,000 and 1,000 t a day: as dear as each other with 3 US$/t taken off the ship.
    scenario = three_ways()
    choice = scenario.choices["ab"].replace(constants_usd_t={"ship": -3.0})
    found = cs.equilibrium(scenario.replace(choices={"ab": choice}), choices=True, **SETTINGS)
    assert len(found.gaps) == 1
    assert found.shares["ab"] == pytest.approx([1 / 3] * 3)


def test_a_way_that_nobody_takes_costs_the_wait_for_the_next_departure():
    scenario = three_ways({"lorry": 50.0, "train": 1.0, "ship": 0.0})
    boat = scenario.legs["by_ship"].replace(timetable={"every_h": 24.0, "places": 5})
    found = cs.equilibrium(scenario.replace(legs={**scenario.legs, "by_ship": boat}), choices=True, most=1, **SETTINGS)
    # 2 + 0.5 x (8 + 24 / 2) + 8 = 20
    assert found.costs_usd["ab"][2] == pytest.approx(20.0)


def test_what_is_asked_wrongly_is_refused_by_name():
    with pytest.raises(ArgumentError, match="scale_usd has no default"):
        cs.equilibrium(three_ways())
    with pytest.raises(ScenarioError, match="is no choice set"):
        cs.equilibrium(three_ways(), choices=["sea"])
    with pytest.raises(ArgumentError, match="averaging"):
        cs.equilibrium(three_ways(), choices=True, averaging="fast")
    with pytest.raises(ArgumentError, match="has no choice sets"):
        cs.equilibrium(three_ways().replace(choices={}), choices=True)
    with pytest.raises(ScenarioError) as error:
        cs.run(
            three_ways(value_of_time_usd_h=0.0).replace(choices={"ab": {"flows": ["lorry", "boat"], "scale_usd_t": 3}})
        )
    assert "flows.lorry.value_of_time_usd_h" in str(error.value)
    assert "'boat'" in str(error.value)


def test_nests_that_do_not_fit_are_told_all_at_once():
    with pytest.raises(ScenarioError) as error:
        three_ways(
            nests={"x": {"flows": ["lorry"], "scale_usd_t": 4.0}, "y": {"flows": ["lorry", "plane"], "scale_usd_t": 1}}
        )
    text = str(error.value)
    for told in ("two or more", "at most the scale", "in the nest 'x' too", "'plane'"):
        assert told in text


def test_a_run_takes_the_flows_as_they_are():
    scenario = three_ways()
    with_choice, without = (cs.run(one, workers=1) for one in (scenario, scenario.replace(choices={})))
    assert with_choice.rows.values.tobytes() == without.rows.values.tobytes()


def test_what_is_not_reached_is_said():
    with pytest.warns(CorridorWarning, match="equilibrium not reached"):
        found = cs.equilibrium(three_ways(), choices=True, most=1, **SETTINGS)
    assert "NOT reached" in found.describe()


@pytest.fixture(autouse=True)
def _no_other_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield
