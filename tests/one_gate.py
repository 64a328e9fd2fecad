"""A border of one queue: one flow through one gate, nothing else that takes time."""

import corridor_sim as cs

ROADS = """\
[places.mill]
[places.market]
[legs.in]
kind = "road"
from = "mill"
to = "a"
length_km = 0
speed_kmh = 50
[legs.bridge]
kind = "road"
from = "a"
to = "b"
length_km = 0
speed_kmh = 50
border = true
{bridge}
[legs.out]
kind = "road"
from = "b"
to = "market"
length_km = 0
speed_kmh = 50
"""
"""Mill, post a, bridge, post b, market, and no time on the way; a hole for more of the bridge."""
TEXT = (
    """
schema = 1
name = "one_gate"
[run]
start = 2024-01-01
horizon_days = {days}
warm_up_days = {warm_up}
"""
    + ROADS
    + """[checkpoints.a]
crossing = "gate"
[checkpoints.a.exit.gate]
{stage}
[checkpoints.b]
crossing = "gate"
[checkpoints.b.entry.free]
lanes = "unlimited"
service = {{ kind = "deterministic", value_h = 0.0 }}
[flows.f]
origin = "mill"
destination = "market"
cargo_class = "loaded"
{demand}
{more}
"""
)
"""A scenario file with holes: days, warm_up, bridge, stage, demand, more."""


def one_gate(stage: str, demand: str = "per_day = 31.2", *, days: int = 40, more: str = "") -> cs.Scenario:
    """The scenario with a stage ``a.exit.gate``; the first five days are not counted."""
    return cs.loads(TEXT.format(days=days, warm_up=5, bridge="", stage=stage, demand=demand, more=more))
