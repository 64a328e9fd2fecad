"""A single track for one vehicle at a time against its Markov chain, direction by direction (rule S28)."""

import math

import numpy as np
import pytest
from one_bridge import bridge
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
LONGEST = 60
"""Longest queue of each direction in the chain: what is beyond has a weight far below any standard error."""


def settled(state, convoy):
    """The state once all may have entered who may: (waiting one way, the other way, way set, in a row, busy)."""
    waiting, way, row, busy = [state[0], state[1]], *state[2:]
    while any(waiting):
        if waiting[1 - way] and (not waiting[way] or row >= convoy):
            way, row = 1 - way, 0
        if busy:
            break
        row = min(row + (waiting[1 - way] > 0), convoy)
        waiting[way] -= 1
        busy = 1
    return (*waiting, way, row, busy)


def mean_waiting(rates, convoy):
    """Mean number waiting in each direction of the stationary chain; passages of mean 1."""
    first = (0, 0, 0, 0, 0)
    states, ahead, moves = {first: 0}, [first], []
    while ahead:
        state = ahead.pop()
        steps = []
        for way, rate in enumerate(rates):
            if state[way] < LONGEST:
                more = list(state)
                more[way] += 1
                steps.append((rate, settled(tuple(more), convoy)))
        if state[4]:
            steps.append((1.0, settled((*state[:4], 0), convoy)))
        for flow, to in steps:
            if to not in states:
                states[to] = len(states)
                ahead.append(to)
            moves.append((states[state], states[to], flow))
    n = len(states)
    source, to, flow = (np.array(column) for column in zip(*moves, strict=True))
    out = np.bincount(source, flow, n)
    balance = coo_matrix(
        (np.concatenate([flow, -out]), (np.concatenate([to, np.arange(n)]), np.concatenate([source, np.arange(n)]))),
        shape=(n, n),
    ).tolil()
    balance[0] = 1.0
    weight = spsolve(balance.tocsc(), np.eye(1, n, 0)[0])
    numbers = np.array(list(states))
    return weight @ numbers[:, 0], weight @ numbers[:, 1]


def test_both_together_wait_as_in_one_queue():
    # Equal passages, no switch: the number of those who wait is that of M/M/1 whatever the order.
    for convoy in (1, 3):
        assert sum(mean_waiting((0.4, 0.2), convoy)) == pytest.approx(0.6**2 / 0.4, rel=1e-6)


@pytest.mark.parametrize("convoy", [1, 3])
def test_waits_of_each_direction_are_those_of_the_markov_chain(convoy):
    rates = (0.5, 0.2)
    waiting = mean_waiting(rates, convoy)
    scenario = bridge(
        f'max_vehicles = 1\nsingle_track = {{ convoy = {convoy} }}\ntravel = {{ kind = "exponential", mean_h = 1.0 }}',
        demand=f"per_day = {24 * rates[0]}",
        back=f"per_day = {24 * rates[1]}",
        days=305,
        exponential=True,
    )
    run = cs.run(scenario, replications=10, rng=4, workers=1, records=True)
    visits = run.visits()
    visits = visits[(visits["element"] == "leg:bridge<>") & (visits["join_h"] >= 120.0)]
    visits = visits.assign(wait=visits["start_h"] - visits["join_h"])
    for flow, number, rate in (("f", waiting[0], rates[0]), ("back", waiting[1], rates[1])):
        values = visits[visits["flow"] == flow].groupby("replication")["wait"].mean()
        error = values.std(ddof=1) / math.sqrt(len(values))
        assert error < 0.05 * number / rate, flow
        assert abs(values.mean() - number / rate) < 4 * error, flow
