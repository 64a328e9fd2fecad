"""What must hold of booked slots, whatever the numbers (invariant 65)."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.compare import Case
from oracle.strategies import border, fixed, halves, releases

UNTIL = 400.0
SLOTS, LATE, GATE = "p.exit.slots", "p.exit.slots.late", "p.exit.s"


def play(slots, one, other, gate_h, ahead_h):
    """The run and its visits, which both engines must tell alike."""
    stages = {"s": {"lanes": 1, "service": fixed(gate_h)}}
    post = {"utc_offset_h": ahead_h, "slots": {"exit": slots}}
    flows = {"f": ("loaded", one), "v": ("vip", other)}
    case = Case(border(stages, flows=flows, post=post, horizon_h=UNTIL))
    found = case.event()
    assert found == case.batch()
    return case, found


def places(case, per_day, ahead_h, no_show):
    """By instant, how many places of booked slots are not lost."""
    hours = [24 * day - ahead_h + 24 * k / per_day for day in range(20) for k in range(per_day)]
    hours = [at for at in hours if 0 <= at < UNTIL]
    lost = [False] * len(hours)
    for rows in case.inputs.cancelled.values():
        lost = rows[0].tolist()
    assert len(lost) == len(hours)
    # Of 33 places and more, with 0.4 lost each, some are lost and some are kept (a case has always the same seed).
    assert any(lost) == (no_show > 0)
    assert not all(lost)
    return Counter(at for at, gone in zip(hours, lost, strict=True) if not gone)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    releases,
    releases,
    halves,
    st.sampled_from([2, 6, 8, 24]),
    st.sampled_from([0.0, 3.0]),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    st.sampled_from([0.0, 0.4]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.5, 7.25]),
)
def test_each_place_has_one_of_those_who_wait_in_order_and_a_larger_share_adds_to_them(
    one, other, gate_h, per_day, ahead_h, share, no_show, late, late_h
):
    terms = {"per_day": per_day, "share": share, "no_show": no_show}
    if late:
        terms |= {"late_share": late, "late_by": fixed(late_h)}
    case, found = play(terms, one, other, gate_h, ahead_h)
    came = {("f", k): at for k, at in enumerate(one)} | {("v", k): at for k, at in enumerate(other)}
    kept = places(case, per_day, ahead_h, no_show)
    slot_of = {}
    for truck, at in came.items():
        at_post = found[*truck, GATE][0][0] if (*truck, GATE) in found else None
        if (*truck, SLOTS) not in found:
            # Who has not booked stands in line as he comes, and is never late.
            assert at_post == at
            assert (*truck, LATE) not in found
            continue
        ((join, start, _, leave),) = found[*truck, SLOTS]
        assert join == at
        assert start == leave
        slot_of[truck] = start
        if start is None or start + late_h >= UNTIL:
            continue
        assert at_post == start + (late_h if (*truck, LATE) in found else 0.0)
    # No slot takes more than it has places for, and each place takes the first of those who wait: none is idle.
    waiting = sorted((at, truck) for truck, at in came.items() if truck in slot_of)
    for at in sorted(kept):
        there = [truck for since, truck in waiting if since <= at]
        taken = there[: kept[at]]
        assert [truck for truck in there if slot_of[truck] == at] == taken, at
        waiting = [pair for pair in waiting if pair[1] not in taken]
    assert all(slot_of[truck] is None for _, truck in waiting)
    # Shares of 0 and 1 are nobody and everybody; a larger share only adds to those who book, and to those who are late.
    assert share not in (0.0, 1.0) or len(slot_of) == share * len(came)
    _, more = play({**terms, "share": (1 + share) / 2}, one, other, gate_h, ahead_h)
    for place in (SLOTS, LATE):
        now, then = ({truck for truck in came if (*truck, place) in visits} for visits in (found, more))
        assert now <= then
    # A place that is lost brings nobody his slot earlier.
    _, plain = play({**terms, "no_show": 0.0}, one, other, gate_h, ahead_h)
    for truck, at in slot_of.items():
        assert at is None or plain[*truck, SLOTS][0][1] <= at
