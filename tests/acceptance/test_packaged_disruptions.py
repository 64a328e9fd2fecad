"""The packaged disruptions of Verkhny Lars against the arithmetic in the head of their files."""

from pathlib import Path

import numpy as np
import pytest

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
SCENARIOS = Path(__file__).parents[2] / "scenarios"
PER_DAY, CAPACITY = 575.0, 750.0
SCANS, SCANNED = 2 * 24 / 0.289, 0.15 * PER_DAY

CASES = {
    # days until it is over, and longest queue, by hand
    "lars_landslide": (3 * PER_DAY / (CAPACITY - PER_DAY), 3 * PER_DAY),
    "lars_system_outage": (10 / 24 * PER_DAY / (CAPACITY - PER_DAY), 10 / 24 * PER_DAY),
    "lars_inspection_campaign": (
        21 * (2.2 * SCANNED - SCANS) / (SCANS - SCANNED),
        21 * (2.2 * SCANNED - SCANS),
    ),
    "lars_perishables_flood": (10 * (1.5 * 150 + PER_DAY - CAPACITY) / (CAPACITY - PER_DAY), 500.0),
}


@pytest.mark.parametrize("name", CASES)
def test_a_packaged_disruption_is_over_when_the_arithmetic_says(name):
    base, other = (SCENARIOS / f"{one}.toml" for one in ("verkhny_lars", name))
    assert cs.check(other) == []
    found = cs.disruption(base, other, replications=4, workers=1)
    days, longest = CASES[name]
    assert found.recovered == 4
    back_h, queue = found.values["recover_h"], found.values["extra_queue"]
    error_h, error = (4 * one.std(ddof=1) / np.sqrt(4) for one in (back_h, queue))
    # Four standard errors, and what the arithmetic does not know: it ends at a queue of 0, the model within the normal
    # band, whose width is worked off at the difference of capacity and demand.
    spare_h = ((SCANS - SCANNED) if "campaign" in name else (CAPACITY - PER_DAY)) / 24
    swing = found.high.max()
    assert abs(back_h.mean() - 24 * days) <= error_h + swing / spare_h
    assert abs(queue.mean() - longest) <= error + swing
    assert (found.values["cost_usd"] > 0).all()
    assert (found.values["diverted"] == 0).all()


def test_in_the_flood_it_is_the_others_who_wait():
    found = cs.disruption(
        SCENARIOS / "verkhny_lars.toml", SCENARIOS / "lars_perishables_flood.toml", replications=4, workers=1
    )
    waits = found.by_flow().set_index("flow")["extra_wait_h"]
    assert waits["into_russia"] > 10 * waits["fresh"]
    assert abs(waits["out_of_russia"]) < 1
