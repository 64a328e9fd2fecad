"""Where more traffic makes a way cheaper there are two equilibria, and other starts find the other one (rule D38).

A boat departs when n = 21 consignments are aboard; they come as a Poisson process of rate x a day. The k-th on board
waits for n - k more, so the mean wait is (n - 1) / (2 x) days: 240 / x hours. Mail of 5 a day always takes the boat.
The other way is a road without a queue.
"""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorWarning
from corridor_sim.study.averaging import LONGEST, AveragedSteps
from corridor_sim.study.starts import NEARLY_ALL, OTHER_DEMAND, other_shares

VALUE_T, FULL, MAIL, CARGO = 0.5, 21, 5.0, 40.0
RULES = pytest.mark.parametrize("averaging", ["self-regulated", "adapted"])
pytestmark = pytest.mark.filterwarnings("ignore:only 2 replications")


def boat_or_road(share, *, road_usd_t, boat_usd_t=0.0, scale=3.0, days=400):
    """Cargo of which a share begins on the boat; the road costs so much a tonne, the boat so much beside the wait."""
    free = {"origin": "a", "destination": "b", "load_t": 20.0, "value_of_time_usd_h": VALUE_T * 20.0}
    way = {"from": "a", "to": "b", "length_km": 100, "speed_kmh": 1e6}
    return cs.Scenario(
        name="boat_or_road",
        run={"start": "2024-01-01", "horizon_days": days, "warm_up_days": 20, "replications": 2, "seed": 11},
        places={"a": {}, "b": {}},
        legs={
            "boat": {**way, "kind": "sea", "cost_usd_tkm": boat_usd_t / 100, "timetable": {"when_full": FULL}},
            "road": {**way, "kind": "road", "cost_usd_tkm": road_usd_t / 100},
        },
        flows={
            "by_boat": {**free, "route": ["boat"], "per_day": CARGO * share},
            "by_road": {**free, "route": ["road"], "per_day": CARGO * (1 - share)},
            "mail": {**free, "route": ["boat"], "per_day": MAIL},
        },
        choices={"cargo": {"flows": ["by_boat", "by_road"], "scale_usd_t": scale}},
    )


def wait_usd_t(per_day):
    return VALUE_T * 24 * (FULL - 1) / (2 * per_day)


def surplus(share):
    """What a logit gives to the boat less what it has; the road costs 6.5, the scale is 3 US$/t."""
    return 1 / (1 + math.exp((wait_usd_t(MAIL + CARGO * share) - 6.5) / 3.0)) - share


HIGH, LOW = brentq(surplus, 0.3, 0.99), brentq(surplus, 1e-6, 0.05)


def test_by_formula_there_are_three_fixed_points_and_the_one_in_the_middle_repels():
    middle = brentq(surplus, 0.05, 0.3)
    assert [round(one, 3) for one in (LOW, middle, HIGH)] == [0.004, 0.11, 0.731]
    slope = [(surplus(one + 1e-6) - surplus(one - 1e-6)) / 2e-6 for one in (LOW, middle, HIGH)]
    assert slope[0] < 0 < slope[1]
    assert slope[2] < 0


@RULES
@pytest.mark.parametrize(("begin", "here", "there"), [(0.95, HIGH, LOW), (0.02, LOW, HIGH)])
def test_a_boat_that_departs_when_full_has_two_equilibria_and_the_answer_is_not_unique(begin, here, there, averaging):
    with pytest.warns(CorridorWarning, match="equilibrium not unique"):
        found = cs.equilibrium(
            boat_or_road(begin, road_usd_t=6.5), choices=True, averaging=averaging, starts=2, workers=1
        )
    assert found.reached
    assert found.unique is False
    assert found.shares["cargo"][0] == pytest.approx(here, abs=0.04)
    assert found.others[0]["cargo"][0] == pytest.approx(there, abs=0.04)
    assert found.apart[0] == pytest.approx(abs(HIGH - LOW), abs=0.06)
    assert found.other_gaps[0] < found.target
    assert "Not unique: of 2 starts one came to another answer, 7" in found.describe()


def test_shares_that_are_their_own_opposite_do_not_begin_a_second_time_with_themselves():
    # From half and half it comes to the high one, from nearly all by boat too, from nearly all by road to the low one.
    scenario = boat_or_road(0.5, road_usd_t=6.5)
    two = cs.equilibrium(scenario, choices=True, starts=2, workers=1)
    assert two.unique
    assert two.apart[0] > 0.0  # It came from elsewhere: it is not the same run.
    with pytest.warns(CorridorWarning, match="equilibrium not unique"):
        three = cs.equilibrium(scenario, choices=True, starts=3, workers=1)
    assert [one <= 2 * three.target for one in three.apart] == [True, False]
    assert three.shares["cargo"].tolist() == two.shares["cargo"].tolist()


def only_demand_answers(days=400):
    """Both flows of the set take the boat: the choice is none. The wait of 45 a day is that of the reference.

    Having the choice among two that are alike is worth scale x ln 2, which is put on the fare.
    """
    scenario = boat_or_road(0.5, road_usd_t=1.0, boat_usd_t=30.0 + 3.0 * math.log(2), days=days)
    other = scenario.flows["by_road"].replace(route=["boat"])
    reference = 30.0 + wait_usd_t(MAIL + CARGO)
    how = {"elasticity": {"cargo": -10.0}, "reference": {"cargo": reference}, "choices": True, "workers": 1}
    return scenario.replace(flows={**scenario.flows, "by_road": other}), how


def test_where_only_demand_answers_a_start_from_little_demand_finds_the_other_equilibrium():
    # The elasticity is -10 to a cost of 30 US$/t and the wait. Of a hundredth of the demand boats wait so long that no
    # more come.
    def change(factor):
        cost, reference = (30.0 + wait_usd_t(MAIL + CARGO * one) for one in (factor, 1.0))
        return (cost / reference) ** -10 - factor

    low = brentq(change, 1e-3, 0.05)
    assert 0.005 < low < 0.02
    assert change(OTHER_DEMAND) < 0 < change(0.9)
    scenario, how = only_demand_answers()
    with pytest.warns(CorridorWarning, match="equilibrium not unique"):
        found = cs.equilibrium(scenario, averaging="adapted", starts=2, target=0.02, **how)
    assert found.reached
    assert found.unique is False
    assert found.demand_factor["cargo"] == pytest.approx(1.0, abs=0.1)
    assert found.apart[0] == pytest.approx(1 - low, abs=0.01)
    # One divisor grows too fast to come as far down: then nothing is known, and nothing is claimed.
    slower = cs.equilibrium(scenario, starts=2, target=0.02, **how)
    assert slower.reached
    assert slower.other_gaps[0] > 0.02
    assert slower.unique is None


def test_a_start_that_did_not_reach_the_target_tells_nothing_of_uniqueness():
    with pytest.warns(CorridorWarning, match="equilibrium not reached"):
        found = cs.equilibrium(boat_or_road(0.95, road_usd_t=6.5, days=60), choices=True, starts=2, most=1, workers=1)
    assert found.unique is None
    assert found.apart[0] == pytest.approx(0.9)  # One run each: they are where they began.
    assert "Whether it is unique is not known: of 2 starts one ended at" in found.describe()


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [1 / 3, 1 / 3, 1 / 3], [0.95, 0.05], [0.97, 0.02, 0.01]])
def test_every_other_start_begins_away_from_the_first_with_shares_that_sum_to_one(shares):
    first = np.array(shares)
    begun = [other_shares(first, number) for number in range(1, 10)]
    for one in begun:
        assert one.sum() == pytest.approx(1.0)
        assert (one > 0).all()
        assert 0.5 * np.abs(one - first).sum() >= 0.1
    for k in range(len(shares)):
        # Nearly all by each way, but for the one with which the first begins.
        assert first[k] > NEARLY_ALL - 0.1 or any(one[k] == pytest.approx(NEARLY_ALL) for one in begun)


def test_a_way_that_costs_so_much_more_that_its_share_is_next_to_nothing_is_taken_by_nobody():
    found = cs.equilibrium(boat_or_road(0.9, road_usd_t=1000.0, days=60), choices=True, starts=1, workers=1)
    assert found.reached
    assert found.scenario.flows["by_road"].per_day == 0.0
    assert found.scenario.flows["by_boat"].per_day == pytest.approx(CARGO)


def test_where_demand_answers_another_start_has_a_fifth_of_it():
    scenario, how = only_demand_answers(days=60)
    with pytest.warns(CorridorWarning, match="equilibrium not reached"):
        found = cs.equilibrium(scenario, starts=2, most=1, target=1e-6, **how)
    assert found.apart == pytest.approx((0.8,))


def test_adapted_steps_by_hand():
    steps = AveragedSteps("adapted")
    # A whole step; it turns back: half a step, of 2; it goes on: a 1.2th more than half.
    assert float(steps.towards("a", 0.0, 1.0)) == 1.0
    assert float(steps.towards("a", 1.0, -1.0)) == 0.0
    assert float(steps.towards("a", 0.0, -1.0)) == pytest.approx(-1.2 / 2)
    # Another thing has its own; demand at most doubles or halves.
    assert float(steps.towards("b", 0.0, 1.0)) == 1.0
    assert steps.demand("c", 1.0, 50.0) == pytest.approx(math.exp(LONGEST))
    assert steps.demand("d", 1.0, 0.0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("averaging", "moves"), [("1/k", [1, 1 / 2, 1 / 3, 1 / 4]), ("self-regulated", [1, 1 / 1.3, 1 / 2.8])]
)
def test_steps_of_one_divisor_by_hand(averaging, moves):
    steps, gaps = AveragedSteps(averaging), [0.5, 0.4, 0.6, 0.5]
    found = []
    for gap, _ in zip(gaps, moves, strict=False):
        steps.note(gap)
        found.append(float(steps.towards("a", 0.0, 1.0)))
    assert found == pytest.approx(moves)


@pytest.mark.parametrize(("slope", "runs"), [(3.0, 12), (30.0, 20), (300.0, 30)])
def test_adapted_steps_find_the_fixed_point_of_a_line_as_steep_as_it_may_be(slope, runs):
    # Wanted is 1 - slope x (now - 0.3) from 0.3 on, so the answer is (1 + 0.3 slope) / (1 + slope).
    steps, now = AveragedSteps("adapted"), 0.0
    for _ in range(runs):
        now = float(steps.towards("a", now, 1 - slope * (now - 0.3)))
    assert now == pytest.approx((1 + 0.3 * slope) / (1 + slope), abs=0.01 / slope)


def test_no_more_than_ten_starts():
    with pytest.raises(ArgumentError, match="starts must be"):
        cs.equilibrium(boat_or_road(0.9, road_usd_t=6.5), choices=True, starts=11, workers=1)
