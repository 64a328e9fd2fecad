"""What must hold of bans on a leg by date, whatever the numbers (invariant 63)."""

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.compare import Case
from oracle.strategies import FREE, at_hour, bans, border, releases

ways = st.tuples(st.integers(1, 60), st.integers(1, 40), st.booleans(), st.booleans())


def set_out(data):
    """Of each consignment (flow, index), when it came to the leg and when it set out on it; never is inf."""
    found = {}
    for key, visits in Case(data).event().items():
        if key[2].startswith("leg:br") and key[2] != "depart":
            for join, start, *_ in visits:
                earlier = found.get(key[:2], (join, math.inf))
                started = math.inf if start is None else start
                late = started if ".ban." not in key[2] or math.isinf(started) else earlier[1]
                found[key[:2]] = (min(earlier[0], join), late)
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(bans(), bans(), ways, releases, releases)
def test_a_further_ban_delays_and_a_lifted_one_hastens_and_nothing_changes_outside_the_dates(
    own, more, terms, times, urgent
):
    begin, length, lifts, dated = terms
    flows = {"f": ("loaded", times), "v": ("vip", urgent), "back": ("loaded", times)}
    leg = {"length_km": 50.0, "bans": own}
    change = {"kind": "leg_bans", "at": "legs.br"}
    change |= {"lifts": sorted(own)[:1]} if lifts else {"bans": {f"new_{name}": ban for name, ban in more.items()}}
    if dated:
        change |= {"from": at_hour(begin), "until": at_hour(begin + length)}
    cases = [
        border({"free": FREE}, flows=flows, leg=leg, improvements=improvements)
        for improvements in ({}, {"change": change})
    ]
    before, after = (set_out(data) for data in cases)
    assert set(before) == set(after)
    for key, (join, start) in before.items():
        changed = after[key][1]
        assert after[key][0] == join
        assert changed <= start if lifts else changed >= start
        ahead = any(ban.get("look_ahead") for ban in (*own.values(), *more.values()))
        if dated and (join >= begin + length or (start < begin and not ahead)):
            assert changed == start
    for found in (before, after):
        for flow in flows:
            of_flow = sorted(pair for key, pair in found.items() if key[0] == flow)
            assert [start for _, start in of_flow] == sorted(start for _, start in of_flow)
