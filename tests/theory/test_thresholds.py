"""Lanes opened by the queue against their Markov chain: exponential gaps and services, no start-up (rule S27)."""

import math

import numpy as np
import pytest
from one_gate import one_gate

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
LONGEST = 150
"""Longest queue of the chain: what is beyond it has a weight far below any standard error."""


def settled(queue, busy, extra, terms):
    """The state after all starts and all changes of an instant, and how many lanes were opened in it."""
    lanes, above, below, most = terms
    opened = 0
    while True:
        if queue and busy < lanes + extra:
            queue, busy = queue - 1, busy + 1
        elif queue > above and extra < most:
            extra, opened = extra + 1, opened + 1
        elif queue < below and extra and busy <= lanes + extra:
            extra -= 1
        else:
            return (queue, busy, extra), opened


def chain(rate, terms):
    """(mean number waiting, mean extra lanes open, openings an hour) of the stationary chain; services of 1 h."""
    states, ahead, moves = {(0, 0, 0): 0}, [(0, 0, 0)], []
    while ahead:
        state = ahead.pop()
        queue, busy, extra = state
        steps = [(rate, settled(queue + 1, busy, extra, terms))] if queue < LONGEST else []
        steps += [(float(busy), settled(queue, busy - 1, extra, terms))] if busy else []
        for flow, (to, opened) in steps:
            if to not in states:
                states[to] = len(states)
                ahead.append(to)
            moves.append((states[state], states[to], flow, opened))
    balance = np.zeros((len(states) + 1, len(states)))
    for source, to, flow, _ in moves:
        balance[to, source] += flow
        balance[source, source] -= flow
    balance[-1] = 1.0
    weight = np.linalg.lstsq(balance, np.eye(len(states) + 1)[-1], rcond=None)[0]
    numbers = np.array(list(states))
    openings = sum(weight[source] * flow * opened for source, _, flow, opened in moves)
    return float(weight @ numbers[:, 0]), float(weight @ numbers[:, 2]), float(openings)


def test_without_extra_lanes_the_chain_is_that_of_erlang():
    waiting, extra, openings = chain(1.5, (2, 3, 1, 0))
    assert waiting == pytest.approx(1.5 * cs.theory.mmc_wait(1.5, 1.0, 2))
    assert extra == pytest.approx(0)
    assert openings == pytest.approx(0)


@pytest.mark.parametrize(
    ("rate", "lanes", "above", "below", "most"),
    [
        (1.3, 1, 3, 1, 1),  # wide between opening and closing
        (1.3, 1, 3, 3, 1),  # opens at 4, closes at 2: as narrow as it may be
        (2.2, 1, 4, 2, 2),
        (0.8, 1, 1, 1, 3),  # seldom needed
    ],
)
def test_thresholds_give_the_queue_of_their_markov_chain(rate, lanes, above, below, most):
    waiting, extra, openings = chain(rate, (lanes, above, below, most))
    stage = f"""lanes = {lanes}
service = {{ kind = "exponential", mean_h = 1.0 }}
extra_lanes = {{ above = {above}, below = {below}, most = {most} }}"""
    found = cs.run(one_gate(stage, f"per_day = {24 * rate}", days=205), replications=8, rng=5, workers=1).rows
    at = {"kind": "stage", "place": "a.exit.gate", "direction": "exit"}
    for name, truth in (
        ("wait_h", waiting / rate),
        ("extra_lane_h_per_day", 24 * extra),
        ("extra_lane_openings_per_day", 24 * openings),
    ):
        values = found.row(name, **at)
        error = values.std(ddof=1) / math.sqrt(len(values))
        assert error < 0.05 * truth, name
        assert abs(values.mean() - truth) < 4 * error, name
