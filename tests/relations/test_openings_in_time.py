"""A leg or a post that opens acts in its time and leaves nothing behind: rule D28 for `open_leg` and `open_post`.

Before `from` all joins and starts equal the base's, while the new crossing is closed nobody starts there,
and after `until` everything equals the base from the first instant at which both runs are empty. On both
engines; 12 pairs of runs for each kind and place in time, 200 with ``--long``.
"""

import datetime as dt

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.engines import batch, event
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler

START, HORIZON_H = dt.datetime(2024, 1, 1), 120
BORDER = """
schema = 1
name = "two crossings"
[run]
start = 2024-01-01
horizon_h = 120
[places.mill]
[places.market]
{legs}
[checkpoints.old_a]
crossing = "old"
[checkpoints.old_a.exit.gate]
lanes = {lanes}
closing = "{closing}"
{night}
service = {{ kind = "deterministic", value_h = {service} }}
[checkpoints.old_b]
crossing = "old"
[checkpoints.old_b.entry.gate]
lanes = 2
service = {{ kind = "deterministic", value_h = 0.5 }}
[checkpoints.new_a]
crossing = "new"
{shut}
[checkpoints.new_a.exit.gate]
lanes = 1
service = {{ kind = "deterministic", value_h = 1.0 }}
[checkpoints.new_b]
crossing = "new"
[checkpoints.new_b.entry.gate]
lanes = 1
service = {{ kind = "deterministic", value_h = 0.25 }}
[flows.f]
origin = "mill"
destination = "market"
per_day = 5
arrivals = {{ kind = "trace", times_h = {times} }}
"""
LEG = '[legs.{id}]\nkind = "road"\nfrom = "{a}"\nto = "{b}"\nlength_km = {km}\nspeed_kmh = 50\n{more}'
PLACEMENTS = ("from inside", "until inside", "both", "beside another kind", "over a closure", "at night")


def at_hour(hour):
    return (START + dt.timedelta(hours=int(hour))).isoformat()


def pair(kind, placement, rng):
    """Text of a base and of the base with the change; when it begins and ends. [h]"""
    shut_leg, shut_post = ("open = false", "") if kind == "open_leg" else ("", "open = false")
    legs = [
        ("far", "mill", "old_a", 60, ""),
        ("old", "old_a", "old_b", 1, "border = true"),
        ("home", "old_b", "market", 60, ""),
        ("near", "mill", "new_a", 10, ""),
        ("new", "new_a", "new_b", 1, f"border = true\n{shut_leg}"),
        ("on", "new_b", "market", 10, ""),
    ]
    times = np.sort(rng.integers(0, 100, int(rng.integers(10, 40)))).astype(float)
    night = 'lanes_by_hour = { "06:00" = 2, "20:00" = 0 }' if placement == "at night" or rng.random() < 0.3 else ""
    text = BORDER.format(
        legs="\n".join(LEG.format(id=id, a=a, b=b, km=km, more=more) for id, a, b, km, more in legs),
        lanes=int(rng.integers(1, 3)),
        closing=rng.choice(["finish", "suspend", "restart", "clear_queue"]),
        night=night,
        service=float(rng.choice([0.5, 1.0, 2.0])),
        shut=shut_post,
        times=times.tolist(),
    )
    begin = (
        int(rng.integers(4, 60)) if placement != "at night" else int(24 * rng.integers(1, 3) - 4 + rng.integers(0, 10))
    )
    end = begin + int(rng.integers(1, 30))
    since, until = begin if placement != "until inside" else 0, end if placement != "from inside" else HORIZON_H
    at, more = ("legs.new", "") if kind == "open_leg" else ("checkpoints.new_a", "shares = { f = 0.5 }\n")
    change = f'[improvements.change]\nkind = "{kind}"\nat = "{at}"\n{more}'
    change += f"from = {at_hour(since)}\n" if placement != "until inside" else ""
    change += f"until = {at_hour(until)}\n" if placement != "from inside" else ""
    if placement == "beside another kind":
        dates = f"from = {at_hour(begin + int(rng.integers(-3, 4)))}\nuntil = {at_hour(end + 4)}\n"
        text += f'[improvements.other]\nkind = "add_lanes"\nat = "checkpoints.old_a.exit.gate"\nlanes = 1\n{dates}'
    if placement == "over a closure":
        dates = f"from = {at_hour(begin + int(rng.integers(-3, 4)))}\nuntil = {at_hour(begin + 9)}\n"
        text += f'[improvements.other]\nkind = "closure"\nat = "checkpoints.new_a"\n{dates}'
    return text, text + change, since, until


def runs(text):
    """Visits (index, join, element, start, finish, leave) and journeys of one scenario, by engine."""
    plan = make_plan(cs.loads(text))
    inputs = Sampler(plan, 7).sample([0])
    found = {}
    for name, engine in (("event", event), ("batch", batch)):
        if name == "batch" and batch.refusals(plan):
            continue
        records = engine.simulate(plan, inputs)
        visits = [
            (
                int(one.index[0, k]),
                float(one.join_h[0, k]),
                element.id,
                float(one.start_h[0, k]),
                float(one.finish_h[0, k]),
                float(one.leave_h[0, k]),
            )
            for element, one in zip(plan.elements, records.elements, strict=True)
            for k in np.flatnonzero(one.flow[0] >= 0)
        ]
        found[name] = sorted(visits, key=str), records.journeys[0]
    return found


def empty_from(journeys, after_h):
    """First instant from `after_h` on at which nobody is under way in any of the runs."""
    now, moved = after_h, True
    while moved:
        moved = False
        for one in journeys:
            release, depart = one.release_h[0], one.depart_h[0]
            inside = (release < now) & ~(depart <= now)
            if inside.any():
                ends = depart[inside]
                if np.isnan(ends).any():
                    return np.inf
                now, moved = float(ends.max()), True
    return now


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("kind", ["open_leg", "open_post"])
def test_an_opening_acts_in_its_time_and_leaves_nothing_behind(kind, placement, request):
    used = compared = 0
    for seed in range(200 if request.config.getoption("--long") else 12):
        before, after, since, until = pair(kind, placement, np.random.default_rng([seed, PLACEMENTS.index(placement)]))
        base, changed = runs(before), runs(after)
        for engine in changed.keys() & base.keys():
            (old, old_journeys), (new, new_journeys) = base[engine], changed[engine]
            early = [(v[:3], v[3]) for v in old if v[1] < since and not v[3] >= since]
            assert early == [(v[:3], v[3]) for v in new if v[1] < since and not v[3] >= since], (seed, engine)
            released = dict(enumerate(new_journeys.release_h[0]))
            chosen = [v for v in new if v[2].startswith("new_a")]
            assert all(since <= released[v[0]] < until for v in chosen), (seed, engine)
            used += len(chosen)
            empty_h = empty_from((old_journeys, new_journeys), until)
            later = [v for v in old if released[v[0]] >= empty_h]
            assert str(later) == str([v for v in new if released[v[0]] >= empty_h]), (seed, engine)
            compared += len(later)
    assert used > 20
    assert compared > 20 or placement == "from inside"
