"""Exact values of queueing theory against both engines, at the quick design with fixed seeds.

The batch engine runs every case; the event engine a sharp and cheap part of
them, and with --long all. That both give the same bits is tested elsewhere.
"""

import pytest

from corridor_sim.verify import verify
from corridor_sim.verify.files import packaged

CASES = {case["id"]: case for case in packaged()["cases"]}
SMOKE = [
    "BAS-01",
    "BAS-03",
    "BAS-05",
    "FER-01",
    "FER-02",
    "CAL-01",
    "CAL-02",
    "MD1-01",
    "MMC-01",
    "PRI-07",
    "LEG-01",
    "MTG-01",
    "BRK-03",
    "BRK-04",
    "SIM-01",
]


def assert_within_tolerance(id, engine):
    report = verify({"cases": [CASES[id]]}, engine=engine)
    assert report.ok, report.to_text()
    return report


@pytest.mark.parametrize("id", SMOKE)
def test_the_event_engine_meets_theory(id):
    assert assert_within_tolerance(id, "event").complete


@pytest.mark.parametrize("id", list(CASES))
def test_the_batch_engine_meets_theory(id):
    report = assert_within_tolerance(id, "batch")
    if not report.complete:
        assert {item.detail for item in report.items if item.status == "refused"} == {"outages that requeue at A"}


@pytest.mark.long
@pytest.mark.parametrize("id", [id for id in CASES if id not in SMOKE])
def test_the_event_engine_meets_all_of_theory(id):
    assert assert_within_tolerance(id, "event").complete
