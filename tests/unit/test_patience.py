"""Patience, from a file to a table: who leaves a queue, where to, and how it is told (rule S34)."""

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.engines import batch, event
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.load import check
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
AT = {"kind": "stage", "place": "near_a.exit.gate", "direction": "exit"}


def border(patience=None, *, times_h=(0.0, 0.0, 0.0, 5.0), far=True, shares=True, run=None, **stage):
    """Two crossings of one border: the near one 1 h away with a lane of 2 h, the far one 2 h away with many."""
    gate = cs.Stage(lanes=1, service=cs.Deterministic(value_h=2.0), patience=patience, **stage)
    wide = cs.Stage(lanes=9, service=cs.Deterministic(value_h=0.5))
    free = cs.Stage(lanes="unlimited", service=cs.Deterministic(value_h=0.0))
    posts, legs = {}, {}
    for crossing, first, km in (("near", gate, 50), ("far", wide, 100)) if far else (("near", gate, 50),):
        posts[f"{crossing}_a"] = cs.Checkpoint(country="A", crossing=crossing, exit={"gate": first})
        posts[f"{crossing}_b"] = cs.Checkpoint(country="B", crossing=crossing, entry={"look": free})
        for name, start, end, length in (("in", "p", f"{crossing}_a", km), ("out", f"{crossing}_b", "q", km)):
            legs[f"{name}_{crossing}"] = cs.Road(from_=start, to=end, length_km=length, speed_kmh=50)
        legs[f"line_{crossing}"] = cs.Road(
            from_=f"{crossing}_a", to=f"{crossing}_b", length_km=0, speed_kmh=50, border=True
        )
    given = {"crossing_shares": {"all": {"near": 1.0, "far": 0.0}}} if far and shares else {}
    flow = cs.Flow(origin="p", destination="q", arrivals=cs.Trace(times_h=list(times_h)), load_t=10, **given)
    run = run or cs.RunSettings(start="2024-01-01", horizon_h=48, replications=1)
    return cs.Scenario(
        name="b", places={"p": cs.Place(), "q": cs.Place()}, checkpoints=posts, legs=legs, flows={"f": flow}, run=run
    )


def played(scenario):
    """Plan and records of one replication."""
    plan = make_plan(scenario)
    return plan, event.simulate(plan, Sampler(plan, 1).sample([0]))


def test_who_leaves_is_lost_or_drives_to_the_other_crossing():
    one_h = cs.Deterministic(value_h=1.0)
    # All come at 1: one is served until 3, two leave at 2; the last comes at 6 to a free lane.
    plan, records = played(border(cs.Patience(law=one_h)))
    gate = records.elements[plan.element_index("near_a.exit.gate")]
    assert gate.start_h[0].tolist()[0] == 1.0
    assert np.isnan(gate.start_h[0]).sum() == 2
    assert sorted(gate.leave_h[0].tolist()) == [2.0, 2.0, 3.0, 8.0]
    assert sorted(records.journeys[0].depart_h[0].tolist()) == [2.0, 2.0, 4.0, 9.0]
    assert sum(plan.flows[0].variants[v].lost for v in records.journeys[0].variant[0]) == 2
    # To the far crossing: back 1 h, on 2 h, 0.5 h there, 2 h to the end.
    plan, records = played(border(cs.Patience(law=one_h, to="far")))
    assert sorted(records.journeys[0].depart_h[0].tolist()) == [4.0, 7.5, 7.5, 9.0]
    assert not any(plan.flows[0].variants[v].lost for v in records.journeys[0].variant[0])
    far = records.elements[plan.element_index("far_a.exit.gate")]
    assert far.join_h[0].tolist() == [5.0, 5.0]
    # The way need not be one that anybody takes from the start; without a way by the far crossing he is lost.
    _, records = played(border(cs.Patience(law=one_h, to="far"), shares=False))
    assert sorted(records.journeys[0].depart_h[0].tolist()) == [4.0, 7.5, 7.5, 9.0]
    along = border(cs.Patience(law=one_h, to="far")).with_value("flows.f.crossing_shares", {})
    along = along.with_value("flows.f.route", ["in_near", "line_near", "out_near"])
    _, records = played(along)
    assert sorted(records.journeys[0].depart_h[0].tolist()) == [2.0, 2.0, 4.0, 9.0]


def test_the_table_tells_those_who_left_apart():
    scenario = border(cs.Patience(by_class={"loaded": cs.Deterministic(value_h=1.0)}))
    rows = cs.run(scenario, engine="event", rng=1, workers=1).rows
    assert rows.row("left_queue", **AT).tolist() == [2.0]
    assert rows.row("left_queue_share", **AT).tolist() == [0.5]
    assert rows.row("left_queue_wait_h", **AT).tolist() == [1.0]
    assert rows.row("wait_h", **AT).tolist() == [0.0]
    assert rows.row("unserved", **AT).tolist() == [0.0]
    assert rows.row("queue_max", **AT).tolist() == [2.0]
    assert rows.row("queue_mean", **AT).tolist() == [2.0 / 48]
    told = {
        name: rows.row(name, kind="flow", place="f").tolist() for name in ("created", "finished", "lost", "unfinished")
    }
    assert told == {"created": [4.0], "finished": [2.0], "lost": [2.0], "unfinished": [0.0]}
    assert rows.row("delivered_t", kind="flow", place="f").tolist() == [20.0]
    assert rows.row("door_to_door_h", kind="flow", place="f").tolist() == [4.0]
    # A class without a law waits as long as it takes.
    rows = cs.run(border(cs.Patience(by_class={"other": cs.Deterministic(value_h=1.0)})), rng=1, workers=1).rows
    assert "left_queue" not in rows.indicators
    assert rows.row("wait_h", **AT).tolist() == [(0 + 2 + 4 + 1) / 4]


def test_patience_of_a_queue_at_the_start_runs_from_hour_0():
    queue = {"near": {"at": "checkpoints.near_a.exit", "flows": {"f": 1}, "count": 3, "over_h": 6}}
    run = cs.RunSettings(start="2024-01-01", horizon_h=48, replications=1, initial_queue=queue)
    plan, records = played(border(cs.Patience(law=cs.Deterministic(value_h=3.0)), times_h=[20.0], run=run))
    gate = records.elements[plan.element_index("near_a.exit.gate")]
    # Joined at -6, -4 and -2: the lane takes one at 0 and one at 2, the third leaves at 3.
    assert gate.join_h[0].tolist() == [-6.0, -4.0, -2.0, 21.0]
    assert gate.start_h[0].tolist()[:2] == [0.0, 2.0]
    assert np.isnan(gate.start_h[0, 2])
    assert gate.leave_h[0].tolist() == [2.0, 4.0, 3.0, 23.0]


def test_draws_are_those_of_the_name_whatever_else_is_there():
    law = cs.Exponential(mean_h=1.0)
    plan = make_plan(border(cs.Patience(law=law)))
    other = make_plan(border(cs.Patience(law=law, to="far"), priority=["loaded"], discipline="priority"))
    one, two = (Sampler(p, 5).sample([0]).flows[0].duration_h["near_a.exit.gate.patience"][0] for p in (plan, other))
    assert one.tobytes() == two.tobytes()
    free = Sampler(make_plan(border()), 5).sample([0]).flows[0]
    assert free.release_h.tobytes() == Sampler(plan, 5).sample([0]).flows[0].release_h.tobytes()


def test_check_tells_how_many_must_leave_and_batch_refuses_by_name():
    busy = border(cs.Patience(law=cs.Exponential(mean_h=5.0))).with_value("flows.f.arrivals", {"kind": "poisson"})
    busy = busy.with_value("flows.f.per_day", 24.0)
    told = [str(problem) for problem in check(busy)]
    assert any("at least 12 a day leave the queue" in text for text in told)
    assert "patience that ends in the queue at near_a.exit.gate (flow f)" in batch.refusals(make_plan(busy))


@pytest.mark.parametrize(
    ("terms", "path"),
    [
        ({"to": "nowhere", "law": cs.Exponential(mean_h=1.0)}, "checkpoints.near_a.exit.gate.patience.to"),
        ({"to": "near", "law": cs.Exponential(mean_h=1.0)}, "checkpoints.near_a.exit.gate.patience.to"),
    ],
)
def test_a_crossing_that_cannot_be_is_named(terms, path):
    with pytest.raises(ScenarioError) as told:
        make_plan(border(cs.Patience(**terms)))
    assert path in [problem.path for problem in told.value.problems]


def test_patience_needs_a_law_and_lanes():
    with pytest.raises(ScenarioError, match="law"):
        cs.Patience(to="far")
    with pytest.raises(ScenarioError, match="unlimited"):
        cs.Stage(
            lanes="unlimited",
            service=cs.Deterministic(value_h=1.0),
            patience=cs.Patience(law=cs.Exponential(mean_h=1.0)),
        )


def test_event_logs_and_disruptions_tell_who_gave_up():
    run = cs.RunSettings(start="2024-01-01", horizon_h=48, replications=2, seed=1)
    scenario = border(cs.Patience(law=cs.Deterministic(value_h=1.0)), run=run)
    log = cs.run(scenario, engine="event", workers=1, records=True).event_log()
    there = log[(log["activity"] == "near_a.exit.gate") & (log["replication"] == 0)]
    assert there["lifecycle"].value_counts().to_dict() == {"schedule": 4, "start": 2, "complete": 2, "withdraw": 2}
    assert set(there.loc[there["lifecycle"] == "withdraw", "time_h"]) == {2.0}
    busy = scenario.with_value("run.horizon_h", 240.0).with_value("flows.f.arrivals", {"kind": "poisson"})
    busy = busy.with_value("flows.f.per_day", 6.0)
    shut = cs.Closure(at="checkpoints.near_a", from_="2024-01-04", until="2024-01-05")
    found = cs.disruption(busy, busy.with_improvements(shut), replications=4, rng=1, workers=1)
    lost = [one.rows.row("lost", kind="corridor") for one in found.runs]
    assert found.values["lost"].tolist() == (lost[1] - lost[0]).tolist()
    assert found.values["lost"].mean() > 2
