"""What must hold of lanes opened by the queue, whatever the numbers (invariant 56)."""

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_plans import a, dated, play, station

from corridor_sim.plan.elements import ExtraLanesPlan

arrivals = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), min_size=1, max_size=25)


@st.composite
def terms(draw):
    above = draw(st.integers(1, 5))
    return above, draw(st.integers(1, above)), draw(st.integers(1, 3)), draw(st.integers(0, 6))


def waiting_at(out, at):
    """How many have come and not started, once the instant has settled."""
    pairs = zip(out.join("A"), out.start("A"), strict=True)
    return sum(join <= at and (start is None or start > at) for join, start in pairs)


@settings(max_examples=150)
@given(arrivals, terms(), st.integers(1, 2))
def test_never_more_than_the_limit_and_each_change_by_the_queue(trucks, numbers, lanes):
    above, below, most, start_up = numbers
    extra = ExtraLanesPlan(above=dated(above), below=dated(below), most=dated(most), start_up_h=dated(start_up))
    out = play([station(lanes=lanes, extra_lanes=extra)], [a(at, hold) for at, hold in sorted(trucks)])
    changes = list(out.records.extra_lanes[0][0])
    before = 0
    for at, number in changes:
        assert abs(number - before) == 1
        assert 0 <= number <= most
        if number > before:
            # Since it was got ready the queue has not been below the lower threshold.
            asked = at - start_up
            assert waiting_at(out, asked) > above or start_up == 0
            assert all(waiting_at(out, now) >= below for now in range(int(asked), int(at)))
        else:
            assert waiting_at(out, at) < below
        before = number
    # Never more in service than lanes there may be; without extra lanes nobody starts earlier.
    for at in range(80):
        inside = sum(start <= at < end for start, end in zip(out.start("A"), out.finish("A"), strict=True))
        assert inside <= lanes + most
    plain = play([station(lanes=lanes)], [a(at, hold) for at, hold in sorted(trucks)])
    assert all(one <= other for one, other in zip(out.start("A"), plain.start("A"), strict=True))
