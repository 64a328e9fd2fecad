"""Queues that stand as the run begins: both engines do what the oracle reads, and all three count alike."""

import tomllib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from oracle.compare import Case, difference
from oracle.strategies import FREE, border, fixed, queues_at_start, scenarios

from corridor_sim.core.errors import ScenarioError, SimulationError
from corridor_sim.engines import batch, compiled, event
from corridor_sim.files.writer import to_toml
from corridor_sim.indicators import Collector
from corridor_sim.model.scenario import Scenario
from corridor_sim.records.visits import chunk_of
from corridor_sim.sampling.sampler import Sampler

AT = "checkpoints.p.exit"
SEED = 20240101


@given(scenarios(most=2).flatmap(queues_at_start))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_both_engines_do_what_the_oracle_reads_of_the_queue_at_the_start(data):
    try:
        case = Case(data)
        oracle, found = case.oracle(), case.event()
    except (ScenarioError, SimulationError):  # a share of 0, a yard, a service that no opening is long enough for
        return
    assert not (apart := difference(oracle, found)), f"event engine, {apart}"
    if not case.refusals():
        assert not (apart := difference(oracle, case.batch())), f"batch engine, {apart}"


@given(scenarios(most=2).flatmap(queues_at_start))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
def test_all_engines_count_the_queue_at_the_start_alike(data):
    pytest.importorskip("numba")
    try:
        case = Case(data)
        records = event.simulate(case.plan, case.inputs)
    except (ScenarioError, SimulationError):
        return
    tables = [table_of(case, chunk=chunk_of(records, case.inputs.outages, whole=True))]
    if not case.refusals():
        tables.append(
            table_of(case, chunk=chunk_of(batch.simulate(case.plan, case.inputs), case.inputs.outages, whole=True))
        )
    if not compiled.refusals(case.plan):
        collector = Collector(case.plan, [0])
        compiled.reduce(case.plan, Sampler(case.plan, SEED), [0], collector, window_h=7.0)
        tables.append(collector.finish())
    for other in tables[1:]:
        wrong = ~((tables[0].values == other.values) | (np.isnan(tables[0].values) & np.isnan(other.values)))
        assert not wrong.any(), [tables[0].labels[k] for k in np.flatnonzero(wrong.any(axis=1))[:3]]


def table_of(case, chunk):
    collector = Collector(case.plan, [0])
    collector.add(chunk)
    return collector.finish()


def queue(data, **queues):
    return {**data, "run": {**data["run"], "initial_queue": queues}}


def one_lane(times=(0.0,), **rest):
    return border({"s": {"lanes": 1, "service": fixed(1.0)}}, flows={"f": ("loaded", list(times))}, **rest)


def rows(data, indicator, statistic=None, id="p.exit.s", **run):
    """Values of an indicator at a place, by the event engine."""
    case = Case({**data, "run": {**data["run"], **run}})
    frame = table_of(case, chunk_of(event.simulate(case.plan, case.inputs), whole=True)).to_frame()
    found = frame[(frame.indicator == indicator) & (frame.place == id) & (frame.hour.isna()) & (frame.day.isna())]
    return found.set_index("of").value.to_dict()


STANDS = {"at": AT, "flows": {"f": 1}, "joined_h": [-6.0, -2.0]}


def test_waits_are_counted_from_the_joining_before_the_start():
    # 6 h, 2 + 1 h, and 2 h of the one that comes at hour 0.
    assert list(rows(queue(one_lane(), q=STANDS), "wait_h").values()) == [pytest.approx(11 / 3)]


def test_after_a_warm_up_only_those_count_who_join_in_the_window():
    assert list(rows(queue(one_lane(times=(30.0,)), q=STANDS), "wait_h", warm_up_h=24.0).values()) == [0.0]


def test_a_queue_that_is_worked_off_has_fallen_by_as_many_as_stood_there():
    growth = rows(queue(one_lane(), q=STANDS), "queue_growth_per_day")
    # Two stood, one came, three started: two fewer in four days.
    assert growth[""] == -0.5
    assert growth["first half"] == -1.0
    assert growth["second half"] == 0.0


def test_the_highest_queue_is_that_of_the_start():
    assert rows(queue(one_lane(), q=STANDS), "queue_max")[""] == 2.0


def test_capacity_is_that_without_a_queue():
    quota = {"acceptance": {"exit": {"per_day": 3}}}
    for post in ({}, quota):
        data = one_lane(times=(1.0, 30.0), post={"utc_offset_h": 3.5, **post})
        assert rows(queue(data, q=STANDS), "capacity_per_day") == rows(data, "capacity_per_day")


def test_others_keep_their_draws_when_a_queue_stands_there():
    law = {"kind": "gamma", "mean_h": 1.0, "cv": 0.5}
    flows = {"f": ("loaded", {"kind": "poisson"}), "z": ("vip", {"kind": "poisson"})}
    data = border({"s": {"lanes": 2, "service": law}}, flows=flows)
    for flow in data["flows"].values():
        flow["per_day"] = 12.0
    without, with_queue = Case(data), Case(queue(data, q=STANDS))
    for id in ("f", "z"):
        one, other = (
            case.inputs.flows[[flow.id for flow in case.plan.flows].index(id)] for case in (without, with_queue)
        )
        assert np.array_equal(one.release_h, other.release_h)
        assert np.array_equal(one.duration_h["p.exit.s"][0], other.duration_h["p.exit.s"][0])


def test_a_day_takes_over_as_many_of_the_queue_as_its_quota():
    data = one_lane(times=(0.5,), post={"acceptance": {"exit": {"per_day": 2}}})
    case = Case(queue(data, q={"at": AT, "flows": {"f": 1}, "count": 3, "over_h": 30.0}))
    passed = [visits[0][1] for (_, _, place), visits in case.event().items() if place == "p.exit.acceptance"]
    assert sorted(passed) == [0.0, 0.0, 24.0, 24.0]


def test_the_shares_of_flows_are_spread_along_the_queue():
    case = Case(queue(two_flows(), q={"at": AT, "flows": {"f": 3, "v": 1}, "count": 4, "over_h": 8.0}))
    joined = {flow.id: flow.standing_h for flow in case.plan.flows if flow.standing_h}
    # Places of f at 1/6, 3/6, 5/6 and of v at 1/2; of two alike the first name.
    assert joined == {"initial_queue.q.f": (-8.0, -6.0, -2.0), "initial_queue.q.v": (-4.0,)}


def two_flows():
    flows = {"f": ("loaded", [0.0]), "v": ("vip", [0.0]), "back": ("loaded", [0.0])}
    return border({"s": {"lanes": 1, "service": fixed(1.0)}, "free": FREE}, flows=flows)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"at": "checkpoints.pp.exit"}, "at", "not a known checkpoint"),
        ({"at": "checkpoints.p.out"}, "at", "not a direction"),
        ({"at": "legs.br"}, "at", "no place where a queue can stand"),
        ({"at": f"{AT}.scan"}, "at", "not a stage of p"),
        ({"at": f"{AT}.free"}, "at", "no limit of lanes"),
        ({"flows": {"g": 1}}, "flows.g", "not a known flow"),
        ({"flows": {"back": 1}}, "flows.back", "does not pass p"),
        ({"flows": {"f": 0}}, "flows", "weight > 0"),
        ({"count": -1}, "count", ">= 0"),
        ({"count": 10**12}, "count", "at most"),
        ({"count": 2.5}, "count", "whole number"),
        ({"over_h": 10**5}, "over_h", "at most"),
        ({"over_h": None}, "over_h", "is required"),
        ({"joined_h": [-1.0], "over_h": None}, "count", "does not go with joined_h"),
        ({"count": None, "over_h": None, "joined_h": [-1.0, -2.0]}, "joined_h.1", "must not go back in time"),
        ({"count": None, "over_h": None, "joined_h": [1.0]}, "joined_h.0", "<= 0"),
    ],
)
def test_a_queue_that_cannot_be_is_refused_by_name(change, path, words):
    given = {"at": AT, "flows": {"f": 1}, "count": 2, "over_h": 4.0, **change}
    with pytest.raises(ScenarioError) as caught:
        Case(queue(two_flows(), q={key: value for key, value in given.items() if value is not None}))
    assert [(p.path, words in str(p)) for p in caught.value.problems] == [(f"run.initial_queue.q.{path}", True)]


def test_a_class_that_does_not_need_the_stage_does_not_wait_there():
    data = two_flows()
    data["checkpoints"]["p"]["exit"]["s"]["share_by_class"] = {"vip": 0.0}
    with pytest.raises(ScenarioError, match=r"does not need s of p \(exit\) when the run begins"):
        Case(queue(data, q={"at": f"{AT}.s", "flows": {"v": 1}, "count": 1, "over_h": 0.0}))


def test_a_queue_before_a_yard_is_refused():
    data = two_flows()
    data["checkpoints"]["p"]["exit"]["s"]["yard"] = 3
    with pytest.raises(ScenarioError, match="does not go with the yard"):
        Case(queue(data, q={"at": AT, "flows": {"f": 1}, "count": 1, "over_h": 0.0}))


def test_a_scenario_with_a_queue_is_written_and_read_back_the_same():
    case = Case(
        queue(two_flows(), q={"at": AT, "flows": {"f": 3, "v": 1}, "count": 4, "over_h": 8.0, "source": "seen"})
    )
    assert Scenario.model_validate(tomllib.loads(to_toml(case.scenario.to_data()))) == case.scenario
    assert "4 wait" in repr(case.scenario)
