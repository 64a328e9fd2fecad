"""What must hold of a priority that interrupts services, whatever the numbers (rule S35)."""

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_plans import a, play, station

trucks = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(0, 2)), min_size=1, max_size=25)


@settings(max_examples=200)
@given(trucks, st.integers(1, 3), st.sampled_from(["resume", "restart"]))
def test_the_most_urgent_are_in_the_lanes_and_no_work_is_lost(drawn, lanes, how):
    drawn = sorted(drawn)
    count = max(rank for _, _, rank in drawn) + 1
    rank = tuple(range(count)) if count > 1 else None
    listed = [a(release, service, flow=f) for release, service, f in drawn]
    out = play([station("A", lanes=lanes, rank=rank, preemption=how)], listed)
    join, start, finish = out.join("A"), out.start("A"), out.finish("A")
    assert None not in finish
    for f in range(count):
        # A class is served as if those less urgent were not there.
        alone = [truck for truck in listed if truck.flow <= f]
        kept = [k for k, truck in enumerate(listed) if truck.flow <= f]
        if not alone:
            continue
        of_them = tuple(range(f + 1)) if f else None
        free = play([station("A", lanes=lanes, rank=of_them, preemption=how)], alone)
        assert [start[k] for k in kept] == free.start("A")
        assert [finish[k] for k in kept] == free.finish("A")
    for one, (began, ended, truck) in enumerate(zip(start, finish, listed, strict=True)):
        assert ended - began >= truck.take["A"]
        for other in range(len(listed)):
            # Nobody starts while somebody more urgent waits to start.
            urgent = listed[other].flow < truck.flow
            assert not (urgent and join[other] <= began < start[other]), (one, other)
    if how == "resume" and lanes == 1:
        # Lanes that go on work whenever somebody is there: the busy time is that of the queue without classes.
        plain = play([station("A", lanes=1)], listed)
        assert max(finish) == max(plain.finish("A"))


@settings(max_examples=100)
@given(trucks, st.integers(1, 3), st.sampled_from(["resume", "restart"]))
def test_where_all_are_as_urgent_nothing_changes(drawn, lanes, how):
    listed = [a(release, service) for release, service, _ in sorted(drawn)]
    free = play([station("A", lanes=lanes)], listed)
    same = play([station("A", lanes=lanes, preemption=how)], listed)
    assert same.records.same_as(free.records) == ""
