"""What must hold of a leg that both directions use in turn, whatever the numbers (invariant 57)."""

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_plans import LAWS, Truck, dated, play

from corridor_sim.plan.elements import LimitedLeg, SingleTrackPlan
from corridor_sim.plan.steps import Step

vehicles = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=200)
@given(vehicles, st.integers(0, 3), st.none() | st.integers(1, 3), st.integers(0, 2))
def test_never_two_directions_at_once_and_nobody_passed_over(trucks, switch, convoy, headway):
    trucks = sorted(trucks, key=lambda one: one[0])
    ways = [(Step(element=0, laws=LAWS, draws="L", opposite=opposite),) for opposite in (False, True)]
    element = LimitedLeg(id="L", headway_h=dated(headway), single_track=SingleTrackPlan(switch_h=switch, convoy=convoy))
    moving = [Truck(at, {"L": time}, variant=int(opposite)) for at, time, opposite in trucks]
    out = play([element], moving, variants={0: ways})
    passed = sorted(
        (enter, n, leave, way, join)
        for n, (enter, leave, join, (_, _, way)) in enumerate(
            zip(out.start("L"), out.leave("L"), out.join("L"), trucks, strict=True)
        )
    )
    assert len(passed) == len(trucks)
    last_out, last_in, entered, in_a_row = {False: -99, True: -99}, {False: -99, True: -99}, [], 0
    for k, (enter, n, leave, way, join) in enumerate(passed):
        others_wait = any(j <= enter < e and w != way for e, _, _, w, j in passed)
        if k and passed[k - 1][3] != way:
            # All of the other direction are out, and the direction has been switched.
            assert enter >= last_out[not way] + switch
            in_a_row = 0
        elif k:
            assert enter >= last_in[way] + headway
            assert in_a_row < (convoy or 99) or not others_wait
        in_a_row += others_wait
        assert enter >= join
        # Nobody of the same direction who joined before is still waiting.
        assert not [one for one in passed[k + 1 :] if one[3] == way and (one[4], one[1]) < (join, n)]
        last_out[way], last_in[way] = max(last_out[way], leave), enter
        entered.append(n)
    # A vehicle alone in its direction and out of everybody's way does not wait.
    if len(trucks) == 1:
        assert passed[0][0] == passed[0][4]
