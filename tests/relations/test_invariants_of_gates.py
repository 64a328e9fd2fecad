"""What must hold of a gate by the queue further on, whatever the numbers (invariant 58)."""

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_plans import a, dated, play, station

from corridor_sim.plan.elements import GatePlan

trucks = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6), st.integers(1, 12)), min_size=1, max_size=25)


@st.composite
def terms(draw):
    close_at = draw(st.integers(1, 5))
    return close_at, draw(st.integers(1, close_at))


def waiting_at(out, id, at):
    """How many have come and not started, once the instant has settled."""
    pairs = zip(out.join(id), out.start(id), strict=True)
    return sum(join is not None and join <= at and (start is None or start > at) for join, start in pairs)


@settings(max_examples=150)
@given(trucks, terms(), st.integers(1, 3), st.integers(1, 2))
def test_nobody_starts_behind_a_closed_gate_and_nobody_waits_before_an_open_one(drawn, numbers, lanes, behind):
    close_at, open_below = numbers
    gate = GatePlan(queues=("B",), close_at=dated(close_at), open_below=dated(open_below))
    listed = [a(*one) for one in sorted(drawn)]
    out = play([station("A", lanes=lanes, gates=(gate,)), station("B", lanes=behind)], listed)
    assert None not in out.depart
    closed = False
    for at in range(int(max(out.depart)) + 1):
        before = closed
        queue = waiting_at(out, "B", at)
        closed = queue >= close_at or (closed and queue >= open_below)
        inside = sum(s <= at < f for s, f in zip(out.start("A"), out.finish("A"), strict=True))
        if before and closed:
            assert at not in out.start("A")
        if not closed:
            assert inside == lanes or waiting_at(out, "A", at) == 0
        # Beyond the limit come those only who were in a lane, or took one as the gate closed.
        assert queue <= close_at - 1 + 2 * lanes
    free = play([station("A", lanes=lanes), station("B", lanes=behind)], listed)
    assert all(one >= other for one, other in zip(sorted(out.start("A")), sorted(free.start("A")), strict=True))
    never = GatePlan(queues=("B",), close_at=dated(100), open_below=dated(1))
    same = play([station("A", lanes=lanes, gates=(never,)), station("B", lanes=behind)], listed)
    assert same.records.same_as(free.records) == ""
