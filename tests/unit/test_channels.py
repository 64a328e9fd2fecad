"""Risk channels with stages of their own: who takes which stage, what the load counts, dated shares, engines."""

import numpy as np
import pytest
from one_gate import ROADS

import corridor_sim as cs
from corridor_sim.engines import batch, compiled, event
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.load import loads
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
STAGES = ("lane", "papers", "scan", "search")


def border(more="", per_day=96):
    return cs.loads(
        f"""
schema = 1
name = "channels"
[run]
start = 2024-01-01
horizon_days = 30
{ROADS.format(bridge="")}[checkpoints.a]
crossing = "gate"
[checkpoints.a.channels.exit]
green = 0.5
yellow = 0.3
red = 0.2
[checkpoints.a.exit.lane]
lanes = 2
channels = ["green"]
service = {{ kind = "exponential", mean_h = 0.1 }}
[checkpoints.a.exit.papers]
lanes = 2
channels = ["yellow"]
service = {{ kind = "exponential", mean_h = 0.5 }}
[checkpoints.a.exit.scan]
lanes = 2
channels = ["red"]
service = {{ kind = "exponential", mean_h = 0.5 }}
[checkpoints.a.exit.search]
lanes = 4
channels = ["yellow", "red"]
share_by_class = {{ checked = 0.5 }}
service = {{ kind = "exponential", mean_h = 1.0 }}
[checkpoints.b]
crossing = "gate"
[flows.f]
origin = "mill"
destination = "market"
per_day = {per_day}
cargo_class = "plain"
{more}
"""
    )


def visited(plan, inputs, flow=0):
    """Of each stage, whom it has seen."""
    records = event.simulate(plan, inputs)
    found = {}
    for name in STAGES:
        visits = records.elements[plan.element_index(f"a.exit.{name}")]
        found[name] = set(visits.index[0][(visits.flow[0] == flow) & ~np.isnan(visits.join_h[0])].tolist())
    return found


def test_each_channel_has_its_own_stages_and_everybody_one_channel():
    plan = make_plan(border())
    inputs = Sampler(plan, 1).sample([0])
    seen, u = visited(plan, inputs), inputs.flows[0].uniform["a.exit.channel"][0]
    everybody = set(np.flatnonzero(inputs.flows[0].release_h[0] <= plan.horizon_h - 1).tolist())
    for one, other in (("lane", "papers"), ("lane", "scan"), ("papers", "scan")):
        assert not seen[one] & seen[other]
    assert everybody <= seen["lane"] | seen["papers"] | seen["scan"]
    assert seen["search"] <= seen["papers"] | seen["scan"]
    for name, low, high in (("scan", 0.0, 0.2), ("papers", 0.2, 0.5), ("lane", 0.5, 1.0)):
        assert everybody & seen[name] == {k for k in everybody if low <= u[k] < high}


def test_load_counts_each_channel_by_its_share():
    plan = make_plan(border())
    demand = {one.element: one.demand_per_day for one in loads(plan, 0.0)}
    assert demand["a.exit.lane"] == pytest.approx(48)
    assert demand["a.exit.papers"] == pytest.approx(28.8)
    assert demand["a.exit.scan"] == pytest.approx(19.2)
    assert demand["a.exit.search"] == pytest.approx(48)
    at = {"kind": "stage", "direction": "exit"}
    rows = cs.run(border(), replications=4, rng=1, workers=1).rows
    for name in STAGES:
        saturation = rows.row("saturation", place=f"a.exit.{name}", **at).mean()
        planned = next(one.load for one in loads(plan, 0.0) if one.element == f"a.exit.{name}")
        assert saturation == pytest.approx(planned, rel=0.1)


def test_dated_shares_move_the_bounds_and_engines_agree():
    more = """
[improvements.risk]
kind = "inspection_share"
at = "checkpoints.a.channels.exit"
channels = { green = 0.75, yellow = 0.125, red = 0.125 }
from = 2024-01-16
[flows.g]
origin = "mill"
destination = "market"
per_day = 40
cargo_class = "checked"
"""
    plan = make_plan(border(more))
    inputs = Sampler(plan, 1).sample([0])
    seen, u = visited(plan, inputs), inputs.flows[0].uniform["a.exit.channel"][0]
    later = np.flatnonzero((inputs.flows[0].release_h[0] > 360) & (inputs.flows[0].release_h[0] < 700)).tolist()
    for name, low, high in (("scan", 0.0, 0.125), ("papers", 0.125, 0.25), ("lane", 0.25, 1.0)):
        assert seen[name] & set(later) == {k for k in later if low <= u[k] < high}
    assert not batch.refusals(plan)
    assert batch.simulate(plan, inputs).same_as(event.simulate(plan, inputs)) == ""
    if not compiled.unavailable():
        tables = [
            cs.run(border(more), engine=engine, replications=2, rng=1, workers=1).rows
            for engine in ("batch", "compiled")
        ]
        assert tables[0].values.tobytes() == tables[1].values.tobytes()


def test_channels_of_one_class_have_bounds_of_their_own():
    more = """
[checkpoints.a.channels.exit.by_class.plain]
green = 0.0
yellow = 1.0
red = 0.0
"""
    plan = make_plan(border(more))
    assert [one.id for one in plan.elements if one.id.startswith("a.")] == ["a.exit.papers", "a.exit.search"]
    demand = {one.element: one.demand_per_day for one in loads(plan, 0.0)}
    assert demand == pytest.approx({"a.exit.papers": 96, "a.exit.search": 96})


RISK = """
[improvements.{name}]
kind = "inspection_share"
at = "checkpoints.a.channels.exit"
channels = {{ green = {green}, yellow = {yellow}, red = {red} }}
{more}
"""
OWN = """
[checkpoints.a.channels.exit.by_class.plain]
green = 0.75
yellow = 0.25
red = 0.0
"""
SECOND = """
[flows.g]
origin = "mill"
destination = "market"
per_day = 40
cargo_class = "checked"
"""


def bounds(text):
    """Of each class and stage, (hour, lower, upper bound) of the uniforms of those who take it, where they change."""
    plan = make_plan(border(text))
    found = {}
    for flow in plan.flows:
        for step in flow.variants[0].steps:
            if not step.share_draws:
                continue
            low = [one.share for one in step.reliefs]
            edges = sorted({*step.share.from_h.tolist(), *(low[0].from_h.tolist() if low else ())})
            name = flow.cargo_class, plan.elements[step.element].id.split(".")[-1]
            found[name] = [(hour, low[0].at(hour) if low else 0.0, step.share.at(hour)) for hour in edges]
    return found


def test_channels_set_for_all_hold_for_a_class_with_shares_of_its_own():
    strict = RISK.format(name="strict", green=0.25, yellow=0.25, red=0.5, more="from = 2024-01-16\nuntil = 2024-01-21")
    found = bounds(OWN + strict + SECOND)
    # Hours 360 to 480: everybody has the same channels, before and after each class its own.
    assert found["plain", "scan"] == [(0.0, 0.0, 0.0), (360.0, 0.0, 0.5), (480.0, 0.0, 0.0)]
    assert found["plain", "papers"] == [(0.0, 0.0, 0.25), (360.0, 0.5, 0.75), (480.0, 0.0, 0.25)]
    assert found["plain", "lane"] == [(0.0, 0.25, 1.0), (360.0, 0.75, 1.0), (480.0, 0.25, 1.0)]
    assert found["checked", "scan"] == [(0.0, 0.0, 0.2), (360.0, 0.0, 0.5), (480.0, 0.0, 0.2)]


@pytest.mark.parametrize("own", ["", OWN])
def test_channels_set_for_a_class_win_over_those_set_for_all(own):
    strict = RISK.format(name="strict", green=0.25, yellow=0.25, red=0.5, more="from = 2024-01-16")
    trusted = 'cargo_class = "plain"\nfrom = 2024-01-11\nuntil = 2024-01-21'
    light = RISK.format(name="light", green=1.0, yellow=0.0, red=0.0, more=trusted)
    found = bounds(own + strict + light + SECOND)
    base = 0.0 if own else 0.2
    assert found["plain", "scan"] == [
        one for one in [(0.0, 0.0, base), (240.0, 0.0, 0.0), (480.0, 0.0, 0.5)] if base or one[0] != 240.0
    ]
    assert found["checked", "scan"] == [(0.0, 0.0, 0.2), (360.0, 0.0, 0.5)]


def test_shares_of_a_stage_and_of_a_class_end_with_their_date():
    more = """
[improvements.campaign]
kind = "inspection_share"
at = "checkpoints.a.exit.search"
factor = 0.5
cargo_class = "checked"
from = 2024-01-16
until = 2024-01-21
"""
    found = bounds(more + SECOND)
    # Half of the class in the channels of half of all; for five days a quarter.
    assert found["checked", "search"] == [(0.0, 0.0, 0.25), (360.0, 0.0, 0.125), (480.0, 0.0, 0.25)]
    assert found["plain", "search"] == [(0.0, 0.0, 0.5)]
