"""What must hold of a way back to an earlier stage, whatever the numbers (invariant 62)."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.compare import Case, difference
from oracle.strategies import border, fixed, halves, releases


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(releases, releases, halves, halves, st.sampled_from([0.0, 0.3, 0.7, 1.0]), st.integers(1, 4), st.booleans())
def test_nobody_comes_more_often_than_the_limit_and_everybody_goes_on(one, other, first, scale, share, most, near):
    def visits(back):
        exits = {
            "papers": {"lanes": 2, "service": fixed(first)},
            "scale": {"lanes": 1, "service": fixed(scale), **({"back": back} if back else {})},
        }
        flows = {"f": ("loaded", one), "v": ("vip", other)}
        case = Case(border(exits, flows=flows, horizon_h=400))
        found = case.event()
        assert difference(case.oracle(), found) == ""
        assert None not in [at for key, times in found.items() if key[2] == "depart" for at in times]
        return Counter({key: len(times) for key, times in found.items() if key[2] != "depart"})

    back = {"share": share, "most": most, "to": "scale" if near else "papers"}
    plain, again = visits(None), visits(back)
    assert plain.keys() == again.keys()
    for (flow, index, place), number in again.items():
        assert plain[flow, index, place] <= number <= most + 1
        if near and place != "p.exit.scale":
            assert number == 1
        elif place.startswith("p.exit."):
            assert number == again[flow, index, "p.exit.scale"]
    if share in (0.0, 1.0):
        assert {again[key] for key in again if key[2] == "p.exit.scale"} == {1 + most * int(share)}
    # A higher limit only adds visits.
    further = visits({**back, "most": most + 1})
    assert all(number <= further[key] for key, number in again.items())
