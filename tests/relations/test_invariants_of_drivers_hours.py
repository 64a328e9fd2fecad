"""What must hold of drivers' hours, whatever the numbers (rule S36)."""

import sys
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_plans import LAWS, a, play, station

from corridor_sim.plan.drivers_hours import rested
from corridor_sim.plan.elements import Delay
from corridor_sim.plan.steps import RestPlan, Step

NONE = float("inf")


@st.composite
def hours(draw):
    """Hours of one to three kinds, each longer than the one before."""
    kinds = draw(st.integers(1, 3))
    drive = sorted(draw(st.lists(st.integers(1, 40), min_size=kinds, max_size=kinds, unique=True)))
    rest = sorted(draw(st.lists(st.integers(1, 60), min_size=kinds, max_size=kinds, unique=True)))
    return RestPlan(drive_h=tuple(map(float, drive)), rest_h=tuple(map(float, rest)))


journeys = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 90), st.integers(0, 70), st.integers(0, 90)), min_size=1, max_size=12
)


def played(plan, drawn):
    """Over a leg A, through a station C and over a leg D, with rests B and E behind the legs."""
    elements = [Delay(id="A"), Delay(id="B", component="rest"), station("C"), Delay(id="D")]
    elements.append(Delay(id="E", component="rest"))
    steps = [
        Step(element=k, rest=plan) if id in "BE" else Step(element=k, laws=LAWS, draws=id)
        for k, id in enumerate("ABCDE")
    ]
    return play(elements, [a(at, first, 0, gate, second) for at, first, gate, second in drawn], variants={0: [steps]})


def rests(out, id):
    return [leave - start for leave, start in zip(out.leave(id), out.start(id), strict=True)]


@settings(max_examples=200)
@given(hours(), journeys)
def test_nobody_drives_longer_than_the_hours_and_no_rest_is_longer_than_needed(plan, drawn):
    drawn = sorted(drawn)
    out = played(plan, drawn)
    first, second, left, entered = rests(out, "B"), rests(out, "E"), out.leave("B"), out.start("D")
    for k, (_, way, _, rest_of_way) in enumerate(drawn):
        stood = entered[k] - left[k]
        kinds = [one for one in zip(plan.drive_h, plan.rest_h, strict=True) if NONE not in one]
        for drive_h, rest_h in kinds:
            # So many hours ask for at least so many rests of this kind or a longer one.
            longest = kinds[-1][1]
            least = max(-(-way // drive_h) - 1, 0)
            assert first[k] >= least * rest_h
            both = max(-(-(way + rest_of_way) // drive_h) - 1, 0)
            assert first[k] + second[k] + min(stood, longest) >= (both - (stood >= rest_h)) * rest_h
        # No more rests than counters that are full: each kind at most once in its hours.
        most = sum(max(-(-way // drive_h) - 1, 0) * rest_h for drive_h, rest_h in kinds)
        assert first[k] <= most
        if way <= plan.drive_h[0]:
            assert first[k] == 0
        if rest_of_way == 0:
            assert second[k] == 0


@settings(max_examples=100)
@given(hours(), journeys)
def test_hours_that_are_never_full_change_nothing(plan, drawn):
    drawn = sorted(drawn)
    never = RestPlan(drive_h=(181.0,), rest_h=plan.rest_h[:1])
    out, free = played(never, drawn), played(RestPlan(drive_h=(NONE,), rest_h=(NONE,)), drawn)
    assert rests(out, "B") == rests(out, "E") == [0.0] * len(drawn)
    assert out.depart == free.depart


@settings(max_examples=200)
@given(hours(), journeys, st.integers(1, 80))
def test_a_longer_stand_adds_no_rest_behind_it_where_there_is_one_kind_of_rest(plan, drawn, more):
    # One alone, so that nobody else has him stand longer.
    plan = RestPlan(drive_h=plan.drive_h[:1], rest_h=plan.rest_h[:1])
    at, way, gate, rest_of_way = drawn[0]
    short, longer = (played(plan, [(at, way, stand, rest_of_way)]) for stand in (gate, gate + more))
    assert rests(longer, "E")[0] <= rests(short, "E")[0]
    for one, other in pairwise((short, longer)):
        assert rests(one, "B") == rests(other, "B")


def test_a_longer_stand_may_add_rest_behind_it_where_there_are_several_kinds():
    # A stand of three hours is the weekly rest too: the eleven hours of a week begin anew, and end at an odd one.
    plan = RestPlan(drive_h=(1.0, 2.0, 11.0), rest_h=(1.0, 2.0, 3.0))
    assert rested([1.0, 1.0, 1.0], 2.0, 56.0, plan)[0] == 89.0
    assert rested([1.0, 1.0, 1.0], 3.0, 56.0, plan)[0] == 90.0
