"""What must hold of one stop for both countries, whatever the numbers (invariant 59)."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.compare import Case
from oracle.strategies import border, fixed, halves, releases

stages = st.lists(st.tuples(st.integers(1, 2), halves), min_size=1, max_size=3)
posts = st.sampled_from(["entry", "exit", "p", "q"])


def visits(out, times=False):
    """Places that each consignment was at, each with how long the service was."""
    rows = [
        (key[0], key[1], key[2], one[2] - one[1])
        for key, all_ in out.items()
        if key[2] != "depart"
        for one in all_
        if one[2] is not None
    ]
    return sorted(rows)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(stages, stages, posts, releases)
def test_everybody_passes_the_same_controls_whoever_hosts_them(left, entered, host, times):
    tables = [
        {f"s{k}": {"lanes": lanes, "service": fixed(hours)} for k, (lanes, hours) in enumerate(drawn)}
        for drawn in (left, entered)
    ]
    flows = {"f": ("loaded", times), "back": ("loaded", times)}
    change = {"kind": "one_stop_post", "crossing": "x", "host": host, "controls": "in_turn"}
    plans = []
    for improvements in ({}, {"one": change}):
        data = border(tables[0], entry=tables[1], flows=flows, improvements=improvements, horizon_h=400)
        # The way back is as the way there, with lanes of its own.
        data["checkpoints"]["q"]["exit"], data["checkpoints"]["p"]["entry"] = tables
        plans.append(Case(data))
    apart, one = (case.event() for case in plans)
    assert visits(apart) == visits(one)
    assert None not in [time for key, times in one.items() if key[2] == "depart" for time in times]
    # A consignment alone is as long under way: its controls take the same, wherever they are made.
    if len(times) == 1:
        assert [apart[f, 0, "depart"] for f in flows] == [one[f, 0, "depart"] for f in flows]
    # Where one country hosts one direction, everything it does lies on one side of the border.
    away = {"entry": ("p.exit.", 1), "exit": ("q.entry.", -1)}.get(host)
    if away is not None:
        prefix, sign = away
        for k in range(len(times)):
            crossed = one["f", k, "leg:br>"][0]
            for key, all_ in one.items():
                if key[:2] == ("f", k) and key[2].startswith(prefix):
                    assert all(v[0] >= crossed[3] if sign > 0 else v[3] <= crossed[0] for v in all_)
