"""What must hold of patience, whatever the numbers (rule S34)."""

import sys
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_plans import LAWS, a, play, station

from corridor_sim.plan.steps import PatiencePlan, Step

trucks = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 8), st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=25
)
lanes = st.sampled_from(
    [1, 2, [(0, 1), (10, 0), (15, 2)], [(0, 0), (5, 2), (20, 1)], [(0, 2), (6, 0), (9, 1), (30, 0)]]
)
closings = st.sampled_from(["finish", "suspend", "restart", "clear_queue"])


def steps(patience_at="A", lost=True):
    """Routes of a flow by A and B: with patience at A, and of those who leave."""
    a_, b_ = (Step(element=k, laws=LAWS, draws=id) for k, id in enumerate("AB"))
    terms = PatiencePlan(law=None, draws="P", variant=1, at_step=1)
    return ((replace(a_, patience=terms), b_), (a_,) if lost else (a_, b_))


@settings(max_examples=200)
@given(trucks, lanes, closings, st.booleans(), st.booleans())
def test_nobody_served_has_waited_longer_than_his_patience_and_nobody_is_forgotten(drawn, open_, closing, ranked, lost):
    listed = [
        a(release, service, 1, flow=rank if ranked else 0)
        for release, service, _, rank in sorted(drawn, key=lambda one: one[0])
    ]
    patience = [one[2] for one in sorted(drawn, key=lambda one: one[0])]
    listed = [replace(truck, take={**truck.take, "P": float(p)}) for truck, p in zip(listed, patience, strict=True)]
    count = max(truck.flow for truck in listed) + 1
    rank = tuple(range(count)) if count > 1 else None
    routes = {f: steps(lost=lost) for f in range(count)}
    plan = [station("A", lanes=open_, closing=closing, rank=rank), station("B", lanes=1)]
    out = play(plan, listed, variants=routes, horizon_h=100)
    left = served = there = 0
    for truck, (p, join, start, leave, way) in enumerate(
        zip(patience, out.join("A"), out.start("A"), out.leave("A"), out.variant, strict=True)
    ):
        if way == 1:
            # Who leaves does so when his patience is over, without a service.
            left += 1
            assert start is None
            assert leave == join + p
            assert (out.join("B")[truck] is None) == lost
        elif start is not None:
            served += 1
            assert start - join <= p
        else:
            there += 1
            assert join + p > 100
    assert left + served + there == len(listed)


@settings(max_examples=100)
@given(trucks, lanes, closings)
def test_endless_patience_changes_nothing(drawn, open_, closing):
    listed = [a(release, service, 1) for release, service, _, _ in sorted(drawn)]
    endless = [replace(truck, take={**truck.take, "P": 1e5}) for truck in listed]
    plan = [station("A", lanes=open_, closing=closing), station("B", lanes=1)]
    a_, b_ = (Step(element=k, laws=LAWS, draws=id) for k, id in enumerate("AB"))
    free = play(plan, listed, variants={0: ((a_, b_), (a_,))}, horizon_h=100)
    patient = play(plan, endless, variants={0: steps()}, horizon_h=100)
    assert patient.records.same_as(free.records) == ""
