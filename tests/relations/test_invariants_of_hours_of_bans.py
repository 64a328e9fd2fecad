"""What must hold of the hours of bans on legs, whatever the numbers (invariant 66)."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.compare import Case
from oracle.strategies import FREE, border, releases

UNTIL = 300.0
WAY_H = 1.5
KMH = 50.0


@st.composite
def windows(draw):
    """Hours of a ban by its own clock: from, until, and how far that is ahead of UTC."""
    begin = draw(st.integers(0, 23))
    return begin, (begin + draw(st.integers(1, 11))) % 24, draw(st.sampled_from([0.0, 3.0, -4.5]))


def inside(window, at):
    """Whether an instant lies in the hours of a ban."""
    begin, end, ahead = window
    hour = (at + ahead) % 24
    return begin <= hour < end if begin < end else hour >= begin or hour < end


def terms(window, look_ahead=False, classes=()):
    begin, end, ahead = window
    ban = {"hours": [f"{begin:02}:00-{end:02}:00"], "utc_offset_h": ahead, "look_ahead": look_ahead}
    return {**ban, "cargo_classes": list(classes)} if classes else ban


def play(bans, one, other, back):
    """Visits of the leg that is banned, and of the wait at its start, which both engines must tell alike."""
    leg = {"length_km": WAY_H * KMH, "bans": bans}
    flows = {"f": ("loaded", one), "v": ("vip", other), "back": ("loaded", back)}
    case = Case(border({"free": FREE}, flows=flows, leg=leg, horizon_h=UNTIL))
    found = case.event()
    assert found == case.batch()
    way = {truck: times[0] for truck, times in pairs(found, ("leg:br>", "leg:br<"))}
    return way, dict(pairs(found, {place for *_, place in found if ".ban." in place}))


def pairs(found, places):
    return [((flow, index), visits) for (flow, index, place), visits in found.items() if place in places]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(releases, releases, releases, windows(), windows(), st.booleans(), st.booleans())
def test_nobody_sets_out_in_a_ban_nobody_waits_without_one_and_others_are_free(
    one, other, back, window, second, look_ahead, both
):
    bans = {"night": terms(window, look_ahead, ["loaded"])}
    if both:
        bans["rest"] = terms(second)
    came = {(f, k): at for f, times in (("f", one), ("v", other), ("back", back)) for k, at in enumerate(times)}
    way, waited = play(bans, one, other, back)
    assert way.keys() == came.keys()
    # Whole and half hours are all that bans begin, end and are as long as; the way is three of them.
    halves = [k / 2 for k in range(int(2 * UNTIL))]

    def held(truck, at):
        mine = truck[0] != "v" and inside(window, at)
        return mine or (both and inside(second, at))

    def ahead(truck, at):
        return look_ahead and truck[0] != "v" and any(inside(window, at + k / 2) for k in range(int(2 * WAY_H)))

    for truck, (join, start, finish, _) in way.items():
        # The first instant from his coming on at which nothing holds him: then he sets out, whoever else waits.
        assert start == next(at for at in halves if at >= came[truck] and not held(truck, at) and not ahead(truck, at))
        assert (join, finish) == (start, start + WAY_H)
        if look_ahead and truck[0] != "v":
            assert not any(inside(window, start + k / 2) for k in range(int(2 * WAY_H)))
        if truck[0] == "v" and not both:
            assert truck not in waited
            assert start == came[truck]
    # Looking ahead lets nobody set out earlier.
    if look_ahead:
        free, _ = play({**bans, "night": {**bans["night"], "look_ahead": False}}, one, other, back)
        assert all(free[truck][1] <= way[truck][1] for truck in way)
