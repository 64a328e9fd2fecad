"""Traces worked out by hand from the rules: every mechanism that the packaged traces do not show, on both engines."""

import json
from pathlib import Path

import pytest
from command_line import called

from corridor_sim.verify import verify

FILE = Path(__file__).parent / "hand_traces.json"
TRACES = {trace["id"]: trace for trace in json.loads(FILE.read_text(encoding="utf-8"))["traces"]}
ONLY_EVENT = {"H-02", "H-03", "H-07", "H-08", "H-09", "H-11", "H-12", "H-13", "H-21", "H-24"}
"""Requeue, priority at closing, outages of a station that do not resume, yards outside a line."""


@pytest.mark.parametrize("id", TRACES)
def test_the_event_engine_meets_every_instant(id):
    (item,) = verify(str(FILE), engine="event", only=[id]).items
    assert item.status == "passed", item


@pytest.mark.parametrize("id", TRACES)
def test_the_batch_engine_meets_every_instant_or_refuses_by_name(id):
    (item,) = verify(str(FILE), engine="batch", only=[id]).items
    assert item.status in (("passed", "refused") if id in ONLY_EVENT else ("passed",)), item
    if item.status == "refused":
        assert "at " in item.detail


def test_one_wrong_instant_and_one_value_wrong_by_a_fifth_are_the_only_failures(tmp_path):
    content = json.loads(FILE.read_text(encoding="utf-8"))
    next(trace for trace in content["traces"] if trace["id"] == "H-11")["expected"]["start"]["B"][2] += 1
    # M/U/1 by Pollaczek and Khinchine: 0.08 x (10^2 + 12) / (2 x 0.2); M/M/3 in a leg that holds three: 4/9 / 0.1.
    sources = [{"class": "truck", "process": "poisson", "rate_per_min": 0.08}]
    station = {"id": "A", "lanes": 1, "service": {"dist": "uniform", "low": 4, "high": 16}}
    leg = {"id": "L", "max_trucks": 3, "travel": {"dist": "exponential", "mean": 10}}
    run = {"kind": "steady", "warmup": 3000, "window": 60000, "reps_quick": 40, "reps_full": 40}
    content["cases"] = [
        {
            "id": "U", "model": {"sources": sources, "stations": [station], "route": ["A"]}, "run": run,
            "measures": [
                {"name": "mean_wait", "value": 22.4 * 1.2, "check": "simulate", "tol_quick": 3.0},
                {"name": "p_wait", "value": 0.8, "check": "simulate", "tol_quick": 0.03},
            ],
        },
        {
            "id": "L", "run": run,
            "model": {"sources": [{**sources[0], "rate_per_min": 0.2}], "legs": [leg], "route": ["L"]},
            "measures": [{"name": "mean_wait", "value": 4 / 0.9, "check": "simulate", "tol_quick": 0.6}],
        },
    ]  # fmt: skip
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(content), encoding="utf-8")
    result = called("verify", wrong, "--engine", "event", "--format", "json", "-q")
    assert result.exit_code == 1
    report = verify(str(wrong), engine="event")
    failed = {(item.id, item.measure) for item in report.items if item.status != "passed"}
    assert failed == {("H-11", ""), ("U", "mean_wait")}
