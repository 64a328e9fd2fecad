"""Priority that interrupts, from a file to a table (rule S35)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_plans import a, play, station

import corridor_sim as cs
from corridor_sim.core.errors import EngineRefusal, ScenarioError
from corridor_sim.engines import batch, event
from corridor_sim.plan.elements import PlanOutage

VIPS = {"lanes": 2, "service": cs.Deterministic(value_h=1.0), "discipline": "priority", "priority": ["vip"]}


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"discipline": "fifo", "priority": ()}, "preemption"),
        ({"reserved": {"vip": cs.Reserved(lanes=1)}}, "reserved"),
        ({"named_lanes": True}, "named_lanes"),
        ({"staff_pool": "customs"}, "staff_pool"),
        ({"closing": "no_overrun"}, "closing"),
        ({"outage_policy": "requeue"}, "outage_policy"),
        ({"outages": {"o": cs.Outage(lane=1, from_="2024-01-01", until="2024-01-02")}}, "outages.o.lane"),
        ({"gate": cs.QueueGate(queue_at="checkpoints.b.entry", close_at=2, open_below=1)}, "gate"),
    ],
)
def test_what_does_not_go_with_a_priority_that_interrupts_is_named(more, names):
    with pytest.raises(ScenarioError) as told:
        cs.Stage(**{**VIPS, "preemption": "resume", **more})
    assert names in [problem.path for problem in told.value.problems]
    assert cs.Stage(**VIPS, preemption="restart").preemption == "restart"


def test_engines_refuse_by_name_what_does_not_go_with_it():
    two = station(
        "A", lanes=2, rank=(0, 1), preemption="resume", outages=(PlanOutage(from_h=1.0, until_h=2.0, lane=1),)
    )
    with pytest.raises(EngineRefusal, match="priority that interrupts services with outages of single lanes at A"):
        play([two], [a(0, 1), a(0, 1, flow=1)])
    plain = station("A", lanes=2, rank=(0, 1), preemption="resume")
    plan = play([plain], [a(0, 1), a(0, 1, flow=1)]).records.plan
    assert event.refusals(plan) == []
    assert batch.refusals(plan) == ["priority that interrupts services at A"]


def test_urgent_trucks_do_not_see_the_others():
    trucks = [a(at, 3, flow=1) for at in range(0, 30, 2)]
    urgent = [a(at, 2, flow=0) for at in (3, 4, 11, 20)]
    both = play([station("A", rank=(0, 1), preemption="resume")], urgent + trucks)
    alone = play([station("A")], urgent)
    assert both.finish("A")[:4] == alone.finish("A")
    # By hand: two who began at 10 and 18 are cut at 11 and 20, for 2 each; the wait ends with the first start.
    stays = zip(both.start("A")[4:], both.finish("A")[4:], strict=True)
    assert sum(finish - start - 3 for start, finish in stays) == 4
