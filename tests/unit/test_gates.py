"""Gates by the queue further on in scenarios: dates, the queue of a direction, what is refused, what is told."""

import pytest
from one_gate import ROADS

import corridor_sim as cs
from corridor_sim.core.errors import EngineRefusal, ScenarioError
from corridor_sim.engines import batch, event
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.capacity import Accounts
from corridor_sim.plan.load import check
from corridor_sim.plan.part import part_of
from corridor_sim.plan.shared_part import shared_part
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
AT = {"kind": "stage", "place": "a.exit.lanes", "direction": "exit"}
GATE = 'gate = { queue_at = "checkpoints.b.entry", close_at = 2, open_below = 1 }'


LAW = "{ kind = 'deterministic', value_h = 1 }"


def border(gate="", entry="", more=""):
    return cs.loads(
        f"""
schema = 1
name = "two_posts"
[run]
start = 2024-01-01
horizon_days = 8
{ROADS.format(bridge="")}[checkpoints.a]
crossing = "gate"
[checkpoints.a.exit.lanes]
lanes = 1
service = {{ kind = "deterministic", value_h = 0.5 }}
{gate}
[checkpoints.b]
crossing = "gate"
{entry}
[checkpoints.b.entry.lanes]
lanes = 1
service = {{ kind = "deterministic", value_h = 2.0 }}
[checkpoints.b.entry.stay]
lanes = "unlimited"
service = {{ kind = "deterministic", value_h = 1.0 }}
[flows.f]
origin = "mill"
destination = "market"
arrivals = {{ kind = "timetable", every_h = 1.0, first_h = 0.0, size = 1 }}
{more}
"""
    )


def starts(scenario, id="a.exit.lanes"):
    plan = make_plan(scenario)
    records = event.simulate(plan, Sampler(plan, 1).sample([0]))
    return records.elements[plan.element_index(id)].start_h[0]


def test_the_first_post_passes_what_the_second_one_can():
    free, gated = starts(border()), starts(border(GATE))
    assert ((free >= 24) & (free < 144)).sum() == 120
    assert ((gated >= 24) & (gated < 144)).sum() == 60


def test_an_improvement_brings_a_gate_on_its_date_and_takes_it_away():
    dated = cs.GateByQueue(
        at="checkpoints.a.exit.lanes",
        queue_at="checkpoints.b.entry.lanes",
        close_at=30,
        open_below=28,
        from_="2024-01-04",
        until="2024-01-06",
    )
    found = starts(border().with_improvements(dated))
    assert ((found >= 0) & (found < 72)).sum() == 72
    # 36 wait there by then; one more is served every two hours from 72.5 on, and with the ninth 27 wait.
    assert ((found >= 72.5) & (found < 88.5)).sum() == 0
    assert (found >= 144).sum() > 40
    plan = make_plan(border(GATE).with_improvements(dated))
    gates = plan.elements[plan.element_index("a.exit.lanes")].gates
    assert [one.queues for one in gates] == [("b.entry.lanes",), ("b.entry.lanes",)]
    assert [one.close_at.at(100) for one in gates] == [2.0**53, 30]


def test_who_waits_for_acceptance_is_in_the_queue_of_the_direction():
    accepted = "[checkpoints.b.acceptance.entry]\nper_day = 4"
    plan = make_plan(border(GATE, accepted))
    (gate,) = plan.elements[plan.element_index("a.exit.lanes")].gates
    assert gate.queues == ("b.entry.acceptance", "b.entry.lanes")
    found = starts(border(GATE, accepted))
    assert ((found >= 48) & (found < 144)).sum() == 16


def test_a_gate_that_looks_where_nobody_goes_is_an_error():
    wrong = [
        ('"checkpoints.b.entry.stay"', "has no lanes"),
        ('"checkpoints.a.entry"', "no stage and no direction"),
        ('"checkpoints.a.exit"', "its own queue"),
    ]
    for path, said in wrong:
        with pytest.raises(ScenarioError, match=said):
            make_plan(border(GATE.replace('"checkpoints.b.entry"', path)))
    back = "[checkpoints.b.exit.lanes]\nlanes = 1\nservice = { kind = 'deterministic', value_h = 2.0 }"
    with pytest.raises(ScenarioError, match="a gate looks ahead"):
        make_plan(border(GATE.replace("b.entry", "b.exit"), back))
    with pytest.raises(ScenarioError, match="number of lanes"):
        border(entry=f"[checkpoints.b.entry.free]\nlanes = 'unlimited'\nservice = {LAW}\n{GATE}")


def test_batch_refuses_a_gate_by_name_and_auto_takes_another_engine():
    plan = make_plan(border(GATE))
    assert batch.refusals(plan) == ["a gate by the queue further on at a.exit.lanes"]
    with pytest.raises(EngineRefusal, match="a gate by the queue"):
        cs.run(border(GATE), engine="batch", replications=1, rng=1, workers=1)
    assert cs.run(border(GATE), replications=1, rng=1, workers=1).rows is not None


def test_a_gated_stage_has_no_planned_capacity_and_says_why():
    plan = make_plan(border(GATE))
    assert (
        "a queue at b.entry.lanes can keep its lanes without work"
        in Accounts(plan).of(plan.element_index("a.exit.lanes")).reason
    )
    assert not Accounts(plan).of(plan.element_index("b.entry.lanes")).reason
    problems = [str(problem) for problem in check(border(GATE))]
    assert any("b.entry.lanes" in text and "load 2.01" in text for text in problems)


def test_what_lies_behind_a_gate_is_needed_for_it_and_affects_it():
    plan = make_plan(border(GATE))
    part = part_of(plan, [plan.element_index("a.exit.lanes")])
    assert {"a.exit.lanes", "b.entry.lanes"} <= {element.id for element in part.elements}
    faster = cs.AddLanes(at="checkpoints.b.entry.lanes", lanes=1, from_="2024-01-03")
    other = make_plan(border(GATE).with_improvements(faster))
    shared = shared_part(plan, other)
    assert shared.element_of[other.element_index("a.exit.lanes")] == -1
    plain, more = make_plan(border()), make_plan(border().with_improvements(faster))
    assert shared_part(plain, more).element_of[more.element_index("a.exit.lanes")] >= 0


def test_a_gate_is_written_back_and_told_where_it_differs():
    scenario = border(GATE)
    assert cs.loads(cs.dumps(scenario)) == scenario
    wider = scenario.with_value("checkpoints.a.exit.lanes.gate.close_at", 9)
    found = cs.compare(scenario, wider, replications=2, rng=1, workers=1)
    assert "gate.close_at" in str(found.inputs_diff(ids=True))
