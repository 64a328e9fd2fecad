"""A border of nothing but a bridge that both directions use in turn."""

from one_gate import TEXT

import corridor_sim as cs

FREE = 'lanes = "unlimited"\nservice = { kind = "deterministic", value_h = 0.0 }'
BACK = """
[checkpoints.a.entry.free]
lanes = "unlimited"
service = { kind = "deterministic", value_h = 0.0 }
[checkpoints.b.exit.free]
lanes = "unlimited"
service = { kind = "deterministic", value_h = 0.0 }
[flows.back]
origin = "market"
destination = "mill"
cargo_class = "loaded"
"""
TRACK = "single_track = { switch_h = 0.5, convoy = 3 }"


def bridge(track=TRACK, demand="per_day = 12", back="per_day = 12", days=30, more="", exponential=False):
    """A border with nothing but a bridge of 25 km, half an hour long, used both ways."""
    text = TEXT.replace("length_km = 0\nspeed_kmh = 50\nborder = true", "length_km = 25\nspeed_kmh = 50\nborder = true")
    if exponential:  # the track itself gives the law of the passage
        text = text.replace("length_km = 25\nspeed_kmh = 50\nborder = true", "length_km = 25\nborder = true")
    return cs.loads(
        text.format(days=days, warm_up=5, bridge=track, stage=FREE, demand=demand, more=BACK + back + "\n" + more)
    )
