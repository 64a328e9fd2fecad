"""Queues whose customers come back against the traffic equations of an open network."""

import numpy as np
import pytest

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
RATE, MEAN_PAPERS_H, MEAN_SCALE_H, BACK, MOST = 2.0, 0.2, 0.18, 0.4, 12


def scenario(to):
    # At least a quarter of a second: a service that rounds to nothing is refused on a way back.
    law = "{{ kind = 'shifted', shift_h = 0.0001, law = {{ kind = 'exponential', mean_h = {} }} }}"
    return cs.loads(
        f"""
schema = 1
name = "feedback"
[run]
start = 2024-01-01
horizon_days = 60
warm_up_days = 5
replications = 24
seed = 4
[places.a]
[places.b]
[checkpoints.p]
crossing = "x"
[checkpoints.p.exit.papers]
lanes = 1
service = {law.format(MEAN_PAPERS_H)}
[checkpoints.p.exit.scale]
lanes = 1
service = {law.format(MEAN_SCALE_H)}
back = {{ share = {BACK}, most = {MOST}, to = "{to}" }}
[checkpoints.q]
crossing = "x"
[legs.road_a]
kind = "road"
from = "a"
to = "p"
length_km = 1.0
speed_kmh = 50.0
[legs.road_x]
kind = "road"
from = "p"
to = "q"
border = true
length_km = 1.0
speed_kmh = 50.0
[legs.road_b]
kind = "road"
from = "q"
to = "b"
length_km = 1.0
speed_kmh = 50.0
[flows.f]
origin = "a"
destination = "b"
per_day = {24 * RATE}
arrivals = {{ kind = "poisson" }}
"""
    )


@pytest.mark.parametrize("to", ["papers", "scale"])
def test_waits_per_visit_and_visits_are_those_of_the_traffic_equations(to):
    results = cs.run(scenario(to), engine="auto")
    often = sum(BACK**n for n in range(MOST + 1))
    for stage, mean_h, visits in (
        ("papers", MEAN_PAPERS_H, often if to == "papers" else 1.0),
        ("scale", MEAN_SCALE_H, often),
    ):
        # Each station of the network is as one alone whose arrivals are Poisson at the rate of all visits.
        load = RATE * visits * mean_h
        wait_h = load / (1 - load) * mean_h
        seen = results.rows.select("wait_h", kind="stage", place=f"p.exit.{stage}", cargo_class="", of="").values[0]
        half = 4 * seen.std(ddof=1) / np.sqrt(len(seen))
        assert half < 0.2 * wait_h
        assert abs(seen.mean() - wait_h) < half, stage
