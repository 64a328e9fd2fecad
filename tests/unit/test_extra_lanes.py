"""Lanes opened by the queue in scenarios: the limit by roster, dates, what is counted, what it does not go with."""

import dataclasses

import numpy as np
import pytest
from one_gate import one_gate

import corridor_sim as cs
from corridor_sim.core.errors import EngineRefusal, ScenarioError
from corridor_sim.engines import batch, compiled, event
from corridor_sim.indicators.row_names import rows_of
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
AT = {"kind": "stage", "place": "a.exit.gate", "direction": "exit"}
HOURLY = 'arrivals = { kind = "timetable", every_h = 1.0, first_h = 0.0, size = 1 }'


def gate(extra, lanes=1, service_h=2.0, more=""):
    return f"""lanes = {lanes}
service = {{ kind = "deterministic", value_h = {service_h} }}
extra_lanes = {{ {extra} }}
{more}"""


def changes(scenario):
    """(hour, extra lanes open) of the gate in one replication, and its plan."""
    plan = make_plan(scenario)
    records = event.simulate(plan, Sampler(plan, 1).sample([0]))
    return list(records.extra_lanes[plan.element_index("a.exit.gate")][0])


def number_at(found, hour):
    return next((number for at, number in reversed(found) if at <= hour), 0)


def test_a_limit_by_roster_closes_what_is_beyond_it():
    # One an hour comes, one lane serves one in two hours: with three lanes at work the queue goes on growing by day.
    by_hour = 'above = 2, below = 1, most = 2, most_by_hour = { "Mon-Fri 08:00" = 1, "16:00" = 0, "Sat,Sun 08:00" = 2 }'
    found = changes(one_gate(gate(by_hour, service_h=6.0), HOURLY, days=8))
    assert [number_at(found, 24 * 1 + hour) for hour in (7.9, 8.0, 15.9, 16.0, 23.9)] == [0, 1, 1, 0, 0]
    assert [number_at(found, 24 * 5 + hour) for hour in (7.9, 8.0, 15.9, 16.0)] == [0, 2, 2, 0]


def test_an_improvement_brings_them_on_its_date():
    plain = 'lanes = 1\nservice = { kind = "deterministic", value_h = 2.0 }'
    dated = cs.LanesByQueue(
        at="checkpoints.a.exit.gate", above=2, below=1, most=1, from_="2024-01-03", until="2024-01-05"
    )
    scenario = one_gate(plain, HOURLY, days=8)
    assert make_plan(scenario).elements[make_plan(scenario).element_index("a.exit.gate")].extra_lanes is None
    found = changes(scenario.with_improvements(dated))
    assert found == [(48.0, 1), (96.0, 0)]


def test_another_limit_in_a_second_scenario_is_told_as_the_input_that_differs():
    one = one_gate(gate("above = 4, below = 2, most = 1"), days=12)
    more = one.with_value("checkpoints.a.exit.gate.extra_lanes.most", 3)
    found = cs.compare(one, more, replications=2, rng=1, workers=1)
    assert "extra_lanes.most" in str(found.inputs_diff(ids=True))


@pytest.mark.parametrize("cut_h", [(0.0, 960.0), (100.25, 700.5)])
def test_hours_and_openings_are_those_of_the_window_whichever_engine_counts(cut_h):
    plan = make_plan(
        one_gate(gate("above = 3, below = 2, most = 2, start_up_h = 0.5", service_h=1.6), "per_day = 24.0")
    )
    plan = dataclasses.replace(plan, warm_up_h=cut_h[0], count_until_h=cut_h[1])
    by_event = cs.run(plan, engine="event", replications=2, rng=3, workers=1).rows
    hours, openings = by_event.row("extra_lane_h_per_day", **AT), by_event.row("extra_lane_openings_per_day", **AT)
    assert set(rows_of("extra_lanes")) <= set(by_event.indicators)
    days = (cut_h[1] - cut_h[0]) / 24
    for k, replication in enumerate(Sampler(plan, 3).sample([0, 1]).replications):
        records = event.simulate(plan, Sampler(plan, 3).sample([int(replication)]))
        found = records.extra_lanes[plan.element_index("a.exit.gate")][0]
        quarters = np.arange(cut_h[0] * 2**20, cut_h[1] * 2**20, 2**14) / 2**20
        mean = np.mean([number_at(found, at) for at in quarters])
        assert hours[k] == pytest.approx(24 * mean, abs=0.1)
        before = [0, *(number for _, number in found)]
        ups = sum(new > old for old, (at, new) in zip(before, found, strict=False) if cut_h[0] <= at < cut_h[1])
        assert openings[k] == pytest.approx(ups / days)
    if not compiled.unavailable():
        by_pass = cs.run(plan, engine="compiled", replications=2, rng=3, workers=1).rows
        assert by_pass.row("extra_lane_h_per_day", **AT).tobytes() == hours.tobytes()
        assert by_pass.row("extra_lane_openings_per_day", **AT).tobytes() == openings.tobytes()
        assert by_pass.row("utilisation", **AT).tobytes() == by_event.row("utilisation", **AT).tobytes()


VIP = """[flows.vip]
origin = "mill"
destination = "market"
cargo_class = "vip"
arrivals = { kind = "trace", times_h = [1, 1, 1, 1, 1, 1] }
"""


@pytest.mark.parametrize(("overflow", "opened"), [("false", []), ("true", [(1.0, 1)])])
def test_who_may_use_kept_lanes_only_is_not_counted(overflow, opened):
    kept = f"reserved.vip = {{ lanes = 1, overflow = {overflow} }}"
    stage = gate("above = 2, below = 1, most = 1", lanes=2, service_h=100.0, more=kept)
    alone = one_gate(stage, 'arrivals = { kind = "trace", times_h = [0] }', days=8, more=VIP)
    assert changes(alone)[:1] == opened


def test_what_they_do_not_go_with_is_named():
    extra = "above = 3, below = 1, most = 1"
    for more, path in (
        ("named_lanes = true", "named_lanes"),
        ("outages.o = { from = 2024-01-02, until = 2024-01-03, lane = 1 }", "outages.o.lane"),
        ("yard = 3", "extra_lanes.above"),
    ):
        with pytest.raises(ScenarioError) as caught:
            one_gate(gate(extra, more=more))
        assert path in {problem.path.removeprefix("checkpoints.a.exit.gate.") for problem in caught.value.problems}
    with pytest.raises(ScenarioError, match="unlimited lanes"):
        one_gate(gate(extra).replace("lanes = 1\n", 'lanes = "unlimited"\n', 1))


def test_batch_refuses_them_by_name_and_auto_takes_another_engine():
    scenario = one_gate(gate("above = 3, below = 1, most = 1"))
    assert batch.refusals(make_plan(scenario)) == ["lanes opened by the queue at a.exit.gate"]
    with pytest.raises(EngineRefusal, match="lanes opened by the queue"):
        cs.run(scenario, engine="batch", replications=1, rng=1, workers=1)
    assert cs.run(scenario, replications=1, rng=1, workers=1).rows is not None


def test_load_counts_all_lanes():
    gated = gate("above = 5, below = 2, most = 2", service_h=1.0)
    rows = cs.run(one_gate(gated, "per_day = 48.0"), replications=2, rng=1, workers=1).rows
    assert rows.row("capacity_per_day", **AT) == pytest.approx(72.0)
    assert rows.row("saturation", **AT) == pytest.approx(48 / 72, rel=0.1)
