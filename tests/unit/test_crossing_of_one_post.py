"""A crossing of which one post makes no controls: each way across is told apart; one post alone is no crossing."""

import warnings

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.model.resolution import problems
from corridor_sim.model.scenario import Scenario
from corridor_sim.report.answers import answers
from corridor_sim.study.asked_run import planned

SERVICE_H = 0.25


def data():
    law = {"kind": "deterministic", "value_h": SERVICE_H}
    lanes = {"lanes": {"lanes": 20, "service": law}}
    road = {"kind": "road", "length_km": 10.0, "speed_kmh": 50.0}
    return {
        "run": {"start": "2024-01-01", "horizon_days": 10.0},
        "places": {"a": {}, "b": {}},
        "checkpoints": {
            "near": {"country": "A", "crossing": "x", "name": "Gate"},
            "far": {"country": "B", "crossing": "x", "name": "Gate, other side", "entry": lanes},
        },
        "legs": {
            "a_near": {"from": "a", "to": "near", **road},
            "over": {"from": "near", "to": "far", "border": True, **road, "length_km": 5.0},
            "far_b": {"from": "far", "to": "b", **road},
        },
        "flows": {
            "out": {"origin": "a", "destination": "b", "per_day": 40.0},
            "back": {"origin": "b", "destination": "a", "per_day": 40.0},
        },
    }


@pytest.fixture(scope="module", params=["batch", "event"])
def run(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(Scenario.model_validate(data()), replications=2, rng=1, workers=1, engine=request.param)


def test_both_ways_are_rows_of_their_own(run):
    times = {label.direction: values for label, values in run.rows.select("tfi1", kind="crossing")}
    # Out: 5 km at 50 km/h and the service, which nobody waits for; back: only the way, nothing is done.
    assert set(times) == {"A>B", "B>A"}
    np.testing.assert_allclose(times["A>B"], SERVICE_H + 0.1, rtol=1e-4)
    np.testing.assert_allclose(times["B>A"], 0.1, rtol=1e-4)


def test_it_is_called_by_both_posts_and_countries(run):
    told = {sentence.place for _, part in answers(run) for sentence in part}
    assert "Gate – Gate, other side, A→B" in told
    assert "Gate, other side – Gate, B→A" in told


def test_a_plan_whose_posts_all_make_controls_is_what_it_was():
    plan = planned(cs.load_scenario("teaching")).plan
    spans = [span for flow in plan.flows for way in flow.variants for span in way.spans]
    assert {span.direction for span in spans if span.kind == "crossing"} == {""}


def test_a_crossing_of_one_post_is_told_to_need_two():
    tables = data()
    del tables["checkpoints"]["far"]
    tables["legs"] = {"a_near": tables["legs"]["a_near"], "near_b": {**tables["legs"]["far_b"], "from": "near"}}
    tables["checkpoints"]["near"]["exit"] = data()["checkpoints"]["far"]["entry"]
    (told,) = [one for one in problems(Scenario.model_validate(tables)) if "no flow passes" in one.message]
    assert told.message == "no flow passes near.exit"
    assert told.hint.startswith("a crossing is two posts, one of each country, with a leg between them that has border")
    assert told.hint.endswith("x has one post")


def test_posts_that_no_flow_passes_are_not_told_so_where_the_crossing_has_two():
    tables = data()
    del tables["flows"]["out"]
    (told,) = [one for one in problems(Scenario.model_validate(tables)) if "no flow passes" in one.message]
    assert (told.message, told.hint) == ("no flow passes far.entry", "")
