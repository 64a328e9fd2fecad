"""A gate by the queue further on against its Markov chain: exponential gaps and services at two posts (rule S31)."""

import math

import numpy as np
import pytest
from one_gate import ROADS

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
LONGEST = 60
"""Longest queue of the chain in front of the gate: what is beyond it has a weight far below any standard error."""
TEXT = """
schema = 1
name = "two_posts"
[run]
start = 2024-01-01
horizon_days = {days}
warm_up_days = 5
{roads}[checkpoints.a]
crossing = "gate"
[checkpoints.a.exit.lanes]
lanes = 1
service = {{ kind = "exponential", mean_h = {first_h} }}
{gate}
[checkpoints.b]
crossing = "gate"
[checkpoints.b.entry.lanes]
lanes = 1
service = {{ kind = "exponential", mean_h = 1.0 }}
[flows.f]
origin = "mill"
destination = "market"
per_day = {per_day}
"""


def chain(rate, first_rate, close_at, open_below, longest=LONGEST):
    """(mean number waiting at the gate, mean number waiting behind it) of the stationary chain; its services of 1 h."""

    def after(waiting, busy, behind, closed, *, freed):
        """The state once an instant has settled: the gated stage first, then the one behind, then the gate."""
        if freed and not closed and not busy and waiting:
            waiting, busy = waiting - 1, 1
        queue = max(behind - 1, 0)
        if queue >= close_at:
            closed = True
        elif queue < open_below:
            closed = False
        if not closed and not busy and waiting:
            waiting, busy = waiting - 1, 1
        return waiting, busy, behind, closed

    first = (0, 0, 0, False)
    states, ahead, moves = {first: 0}, [first], []
    while ahead:
        state = ahead.pop()
        waiting, busy, behind, closed = state
        steps = [(rate, after(waiting + 1, busy, behind, closed, freed=True))] if waiting < longest else []
        steps += [(first_rate, after(waiting, 0, behind + 1, closed, freed=True))] if busy else []
        steps += [(1.0, after(waiting, busy, behind - 1, closed, freed=False))] if behind else []
        for flow, to in steps:
            if to not in states:
                states[to] = len(states)
                ahead.append(to)
            moves.append((states[state], states[to], flow))
    balance = np.zeros((len(states), len(states)))
    for source, to, flow in moves:
        balance[to, source] += flow
        balance[source, source] -= flow
    # One equation follows from the others: the weights sum to 1 in its place.
    balance[-1] = 1.0
    weight = np.linalg.solve(balance, np.eye(len(states))[-1])
    numbers = np.array(list(states))
    return float(weight @ numbers[:, 0]), float(weight @ np.maximum(numbers[:, 2] - 1, 0))


def test_without_a_gate_the_chain_is_a_tandem_of_two_queues():
    waiting, behind = chain(0.4, 1.5, 25, 25, longest=25)
    assert waiting == pytest.approx(0.4 * cs.theory.mmc_wait(0.4, 1 / 1.5, 1), rel=1e-6)
    assert behind == pytest.approx(0.4 * cs.theory.mmc_wait(0.4, 1.0, 1), rel=1e-6)


@pytest.mark.parametrize(("close_at", "open_below"), [(2, 1), (3, 3), (1, 1)])
def test_a_gate_holds_the_queues_of_its_markov_chain(close_at, open_below):
    rate, first_rate = 0.6, 1.25
    waiting, behind = chain(rate, first_rate, close_at, open_below)
    gate = f'gate = {{ queue_at = "checkpoints.b.entry", close_at = {close_at}, open_below = {open_below} }}'
    text = TEXT.format(roads=ROADS.format(bridge=""), days=805, first_h=1 / first_rate, gate=gate, per_day=24 * rate)
    found = cs.run(cs.loads(text), replications=12, rng=5, workers=1).rows
    for post, direction, truth in (("a", "exit", waiting / rate), ("b", "entry", behind / rate)):
        values = found.row("wait_h", kind="stage", place=f"{post}.{direction}.lanes", direction=direction)
        error = values.std(ddof=1) / math.sqrt(len(values))
        assert error < 0.05 * truth
        assert abs(values.mean() - truth) < 4 * error, post
    # The gate is seen: without it the first post has the wait of a single queue.
    assert waiting > 1.05 * rate * cs.theory.mmc_wait(rate, 1 / first_rate, 1)
