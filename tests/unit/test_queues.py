"""Each kernel against an oracle of a few scalar lines, for whole hours: every form, ties, padding, cuts in time."""

from __future__ import annotations

import inspect
import sys
from heapq import heapify, heapreplace

import numpy as np
import pytest

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import queues
from corridor_sim.engines.queues.compiled import SWITCH
from corridor_sim.plan.elements import PlanOutage

FORMS = [sys.modules[f"corridor_sim.engines.queues.{name}"] for name in ("fifo", "hours", "limited_legs", "priority")]


@pytest.fixture(params=[0, 16, None], ids=["rows", "scalar", "compiled"])
def form(request, monkeypatch):
    if request.param is None:
        pytest.importorskip("numba")
        monkeypatch.delenv(SWITCH, raising=False)
        return
    monkeypatch.setenv(SWITCH, "0")
    for module in FORMS:
        if hasattr(module, "SCALAR_BELOW"):
            monkeypatch.setattr(module, "SCALAR_BELOW", request.param)
    monkeypatch.setattr(FORMS[-1], "ROW_NS", request.param * 1e9)


def some(seed, rows=1, most=10, longest=6, until=40):
    """Arrivals (with ties) and services."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, most))
    arrival = np.sort(rng.integers(0, until, (rows, size)), axis=1).astype(float)
    return rng, arrival, rng.integers(0, longest + 1, (rows, size)).astype(float)


def dated(rng, low=0, high=3, last=1):
    at = np.sort(rng.choice(np.arange(1, 60), int(rng.integers(1, 6)), replace=False))
    value = rng.integers(low, high + 1, len(at) + 1)
    value[-1] = rng.integers(last, high + 1)
    return StepFunction(np.concatenate([[0], at]), value)


def fifo_oracle(arrival, service, lanes):
    free = [-np.inf] * lanes
    heapify(free)
    start = []
    for a, s in zip(arrival, service, strict=True):
        start.append(max(a, free[0]))
        heapreplace(free, start[-1] + s)
    return start


@pytest.mark.parametrize(
    ("name", "lanes"), [(n, c) for n in ("rows", "heap") for c in (1, 2, 3, 4, 5, 8)] + [("closed", 1)]
)
def test_fifo_is_the_recursion_with_a_heap(lanes, name):
    for seed in range(60):
        _, arrival, service = some(seed, rows=3)
        start = queues.fifo(arrival, service, lanes, form=name)
        for k in range(3):
            assert start[k].tolist() == fifo_oracle(arrival[k], service[k], lanes)


@pytest.mark.parametrize("lanes", [2, 3, 6])
@pytest.mark.parametrize("load", [0.5, 0.8, 0.95, 1.02])
def test_the_time_parallel_form_is_exact_at_any_load(lanes, load):
    rng = np.random.default_rng(lanes)
    arrival = np.rint(np.cumsum(rng.exponential(1, (2, 4001)), axis=1) * 1024) / 1024
    service = np.rint(rng.exponential(load * lanes, arrival.shape) * 1024) / 1024
    states = [np.full((2, lanes), -np.inf) for _ in range(2)]
    one = queues.fifo(arrival, service, lanes, form="heap", free_h=states[0])
    other = queues.fifo(arrival, service, lanes, form="parallel", free_h=states[1])
    assert (one == other).all()
    assert (np.maximum(states[0], arrival[:, -1:]) == np.maximum(states[1], arrival[:, -1:])).all()


@pytest.mark.parametrize("name", ["rows", "heap", "closed"])
def test_padding_moves_nothing_and_a_cut_in_time_changes_nothing(name):
    lanes = 1 if name == "closed" else 3
    for seed in range(60):
        _, arrival, service = some(seed, rows=2, most=12)
        arrival[1, arrival.shape[1] // 2 :] = np.inf
        whole = queues.fifo(arrival, service, lanes, form="heap")
        free = np.full((2, lanes), -np.inf)
        half = arrival.shape[1] // 2
        first = queues.fifo(arrival[:, :half], service[:, :half], lanes, form=name, free_h=free)
        second = queues.fifo(arrival[:, half:], service[:, half:], lanes, form=name, free_h=free)
        assert (np.concatenate([first, second], axis=1) == whole).all()


def hour_by_hour(arrival, service, lanes, closing, works, until=300):
    """The pooled station simulated hour by hour: who is inside, with how much left to do."""
    start, finish = np.full(len(arrival), np.inf), np.full(len(arrival), np.inf)
    left, inside, first = list(service), [], 0
    parked = []
    before = closed_since = lanes_before = None
    for t in range(until):
        c, up = int(lanes.at(t)), works is None or works.at(t) > 0
        if c == 0 and before:
            closed_since, lanes_before = t, before
            if closing == "restart":
                for i in inside:
                    left[i] = service[i]
            if closing in ("suspend", "restart"):
                parked, inside = sorted(parked + inside), []
        while True:
            ended = [i for i in inside if left[i] == 0]
            for i in ended:
                finish[i] = min(finish[i], t)
                inside.remove(i)
            while parked and up and len(inside) < c:
                inside.append(parked.pop(0))
            c_for_first = 0 if parked else c
            if first < len(arrival) and c == 0 and closing == "clear_queue" and closed_since is not None:
                c_for_first = lanes_before if arrival[first] < closed_since else 0
            if first < len(arrival) and arrival[first] <= t and up and len(inside) < c_for_first:
                closes = next((u for u in range(t, until) if lanes.at(u) == 0), np.inf)
                if closing != "no_overrun" or t + service[first] <= closes:
                    start[first] = t
                    inside.append(first)
                    first += 1
                    continue
            if not ended:
                break
        before = c
        if up and (c > 0 or closing not in ("suspend", "restart")):
            for i in inside:
                left[i] -= 1
                if left[i] == 0:
                    finish[i] = t + 1
            inside = [i for i in inside if left[i] > 0]
    return start, finish


@pytest.mark.parametrize("closing", ["finish", "suspend", "restart", "no_overrun", "clear_queue"])
def test_pooled_lanes_are_as_hour_by_hour_whatever_closing_does(closing, form):
    for seed in range(120):
        rng, (arrival,), (service,) = some(seed)
        lanes = dated(rng)
        start, finish = hour_by_hour(arrival, service, lanes, closing, None)
        found = queues.pooled(arrival, service, lanes, closing)
        assert (found[0] == start).all(), seed
        assert (found[1] == finish).all(), seed


@pytest.mark.parametrize("closing", ["finish", "suspend"])
def test_outages_of_the_station_freeze_services(closing, form):
    for seed in range(120):
        rng, (arrival,), (service,) = some(seed)
        lanes = dated(rng)
        at = np.sort(rng.choice(np.arange(1, 60), 4, replace=False))
        works = StepFunction(np.concatenate([[0], at]), [1, 0, 1, 0, 1])
        start, finish = hour_by_hour(arrival, service, lanes, closing, works)
        found = queues.pooled(arrival, service, lanes, closing, works=works)
        assert (found[0] == start).all(), seed
        assert (found[1] == finish).all(), seed


def test_constant_capacity_is_plain_fifo(form):
    for seed in range(40):
        _, arrival, service = some(seed, rows=2)
        assert (queues.pooled(arrival, service, 2)[0] == queues.fifo(arrival, service, 2)).all()


def priority_oracle(arrival, service, rank, lanes, until=300):
    start, ends, waiting = np.full(len(arrival), np.inf), [], []
    for t in range(until):
        waiting += [i for i in range(len(arrival)) if arrival[i] == t]
        while waiting and sum(end > t for end in ends) < lanes.at(t):
            i = min(waiting, key=lambda i: (rank[i], i))
            waiting.remove(i)
            start[i] = t
            ends.append(t + service[i])
    return start


def test_priority_serves_the_most_urgent_who_waits(form):
    for seed in range(150):
        rng, (arrival,), (service,) = some(seed, most=14, until=25)
        rank, lanes = rng.integers(0, 3, len(arrival)), dated(rng)
        expected = priority_oracle(arrival, service, rank, lanes)
        assert (queues.priority(arrival, service, rank, lanes) == expected).all(), seed


@pytest.mark.parametrize("load", [0.5, 0.8, 1.1])
def test_priority_in_two_blocks_of_time_is_priority_in_one(load, form):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        size = int(rng.integers(2, 120))
        arrival = np.sort(np.floor(rng.uniform(0, size / load, size) * 4) / 4)
        service, rank = np.floor(rng.exponential(2, size) * 4) / 4, rng.integers(0, 3, size)
        lanes = StepFunction([0, 5, 20, 30], [2, 0, 1, 2]) if seed % 3 == 0 else StepFunction.constant(2)
        whole = queues.priority(arrival, service, rank, lanes)
        until, pool = float(rng.integers(1, int(size / load) + 2)), queues.Pool.empty(1, 2)
        found = np.full(size, np.inf)
        for limit in (until, np.inf):
            here = (arrival < limit) & np.isinf(found)
            found[here] = queues.priority(arrival[here], service[here], rank[here], lanes, pool=pool, until_h=limit)
            assert (found[~np.isinf(found)] < limit).all()
        assert (found == whole).all(), seed


def test_equal_ranks_are_first_come_first_served(form):
    for seed in range(40):
        _, arrival, service = some(seed, rows=3)
        assert (queues.priority(arrival, service, 0, 2) == queues.fifo(arrival, service, 2)).all()


def lanes_oracle(arrival, service, calendars, down, policy, until=400):
    """Named lanes, hour by hour; the lowest lane that is idle, open and up."""
    count = len(calendars)
    start, finish = np.full(len(arrival), np.inf), np.full(len(arrival), np.inf)
    inside, left, first = [None] * count, [0.0] * count, 0
    was_down = [False] * count
    for t in range(until):
        is_down = [any(o.lane in (None, j + 1) and o.from_h <= t < o.until_h for o in down) for j in range(count)]
        for j in range(count):
            if is_down[j] and not was_down[j] and inside[j] is not None and policy == "restart":
                left[j] = service[inside[j]]
        was_down = is_down
        while True:
            idle = [j for j in range(count) if inside[j] is None and calendars[j].at(t) > 0 and not is_down[j]]
            if first == len(arrival) or arrival[first] > t or not idle:
                break
            start[first] = t
            if service[first] == 0:
                finish[first] = t
            else:
                inside[idle[0]], left[idle[0]] = first, service[first]
            first += 1
        for j in range(count):
            if inside[j] is not None and (not is_down[j] or policy == "finish"):
                left[j] -= 1
                if left[j] == 0:
                    finish[inside[j]], inside[j] = t + 1, None
    return start, finish


@pytest.mark.parametrize("policy", ["resume", "restart", "finish"])
def test_named_lanes_fail_and_open_one_by_one(policy):
    for seed in range(120):
        rng, (arrival,), (service,) = some(seed)
        calendars = [dated(rng, 0, 1) for _ in range(int(rng.integers(1, 4)))]
        down = [
            PlanOutage(
                lane=int(rng.integers(1, len(calendars) + 1)), from_h=float(b), until_h=float(b + rng.integers(0, 9))
            )
            for b in rng.integers(0, 40, 3)
        ]
        start, finish = lanes_oracle(arrival, service, calendars, down, policy)
        found = queues.lanes(arrival, service, calendars, down, policy)
        assert (found[0] == start).all(), seed
        assert (found[1] == finish).all(), seed


def passage_oracle(arrival, travel, headway, is_open, most, no_overtaking, until=400):
    enter, leave, first, last = np.full(len(arrival), np.inf), np.full(len(arrival), np.inf), 0, -np.inf
    for t in range(until):
        while first < len(arrival) and arrival[first] <= t and is_open.at(t) > 0:
            if first and t < enter[first - 1] + headway.at(enter[first - 1]):
                break
            if sum(leave[:first] > t) >= most.at(t):
                break
            enter[first], leave[first] = t, t + travel[first]
            if no_overtaking:
                leave[first] = last = max(last, leave[first])
            first += 1
    return enter, leave


@pytest.mark.parametrize("no_overtaking", [False, True])
@pytest.mark.parametrize("limited", [False, True])
def test_a_leg_keeps_headway_closures_limit_and_order(limited, no_overtaking, form):
    always, any_number = StepFunction.constant(1), StepFunction.constant(10**6)
    for seed in range(100):
        rng, (arrival,), (travel,) = some(seed)
        headway = dated(rng, 0, 2, last=0) if seed % 2 else StepFunction.constant(float(rng.integers(0, 3)))
        is_open, most = (dated(rng, 0, 1), dated(rng, 0, 3)) if limited else (always, any_number)
        expected = passage_oracle(arrival, travel, headway, is_open, most, no_overtaking)
        options = {"open": is_open, "max_vehicles": most} if limited else {}
        found = queues.limited_leg(arrival, travel, headway_h=headway, no_overtaking=no_overtaking, **options)
        assert (found[0] == expected[0]).all(), seed
        assert (found[1] == expected[1]).all(), seed


def boarding_oracle(arrival, depart, places, rank):
    start, waiting = np.full(len(arrival), np.inf), set(range(len(arrival)))
    for s, room in zip(depart, places, strict=True):
        for i in sorted((i for i in waiting if arrival[i] <= s), key=lambda i: (rank[i], i))[:room]:
            start[i] = s
            waiting.remove(i)
    return start


def test_departures_take_who_is_there_until_they_are_full():
    for seed in range(150):
        rng, (arrival,), _ = some(seed, most=16)
        depart = np.sort(rng.integers(0, 50, int(rng.integers(1, 8)))).astype(float)
        places, rank = rng.integers(0, 5, len(depart)), rng.integers(0, 3, len(arrival))
        nobody_first = np.zeros(len(arrival), dtype=int)
        expected = boarding_oracle(arrival, depart, places, nobody_first)
        assert (queues.timetable(arrival, depart, places)[1] == expected).all(), seed
        expected = boarding_oracle(arrival, depart, places, rank)
        assert (queues.timetable_by_class(arrival, depart, places, rank)[1] == expected).all(), seed


def test_a_day_takes_over_at_most_its_number():
    days = np.arange(0, 48, 8.0)
    for seed in range(150):
        rng, (arrival,), _ = some(seed, most=16)
        room = rng.integers(0, 4, len(days))
        expected, left, waiting = np.full(len(arrival), np.inf), 0, []
        for t in range(100):
            left = room[t // 8] if t % 8 == 0 and t < 48 else left
            waiting += [i for i in range(len(arrival)) if arrival[i] == t]
            while waiting and left:
                expected[waiting.pop(0)], left = t, left - 1
        assert (queues.quota(arrival, days, room) == expected).all(), seed


def test_a_load_leaves_when_it_is_full():
    departure, start = queues.when_full(np.array([1.0, 2, 2, 7, 9]), 2, first=5)
    assert departure.tolist() == [5, 5, 6, 6, -1]
    assert start.tolist() == [2, 2, 7, 7, np.inf]


def test_single_lanes_in_line_follow_the_blocking_recursion():
    for seed in range(100):
        rng, (arrival,), _ = some(seed, most=12, until=20)
        count, size = 3, len(arrival)
        service = [rng.integers(0, 6, size).astype(float) for _ in range(count)]
        yards = [None, *(int(k) for k in rng.integers(0, 3, count - 1))]
        leave = np.full((size, count), -np.inf)
        for i in range(size):
            ready = arrival[i]
            for j in range(count):
                finish = max(ready, leave[i - 1, j] if i else -np.inf) + service[j][i]
                behind = i - yards[j + 1] - 1 if j + 1 < count else -1
                ready = leave[i, j] = max(finish, leave[behind, j + 1] if behind >= 0 else -np.inf)
        found = queues.line(arrival, service, [1] * count, yards)
        assert (np.stack([station.leave_h for station in found], axis=1) == leave).all(), seed


def test_a_line_without_yards_to_fill_is_a_tandem():
    for seed in range(40):
        rng, (arrival,), (service,) = some(seed, most=12)
        other = rng.integers(1, 6, len(arrival)).astype(float)
        first, second = queues.line(arrival, [service, other], [2, 3], [None, None])
        start = queues.fifo(arrival, service, 2)
        assert (first.start_h == start).all()
        order = np.lexsort((np.arange(len(arrival)), start + service))
        assert (second.start_h[order] == queues.fifo((start + service)[order], other[order], 3)).all()


@pytest.mark.parametrize("call", [
    lambda: queues.fifo([3.0, 1.0], [1.0, 1.0], 1),
    lambda: queues.fifo([1.0, np.nan], [1.0, 1.0], 1),
    lambda: queues.fifo([1.0], [1.0], 0),
    lambda: queues.fifo([1.0], [1.0], 1, form="magic"),
    lambda: queues.fifo(np.zeros((1, 1, 1)), 1.0, 1),
    lambda: queues.pooled([1.0], [1.0], 1, "magic"),
    lambda: queues.when_full([1.0], 0),
    lambda: queues.lanes([1.0], [1.0], StepFunction.constant(1), policy="requeue"),
    lambda: queues.pooled([1.0], [1.0], StepFunction.constant(1.5)),
    lambda: queues.pooled([1.0], [1.0], StepFunction.constant(-1)),
    lambda: queues.timetable([1.0], [5.0, 3.0], [1, 1]),
    lambda: queues.timetable([1.0], [3.0, 5.0], [1]),
    lambda: queues.timetable([1.0], [3.0], [-1]),
    lambda: queues.timetable_by_class([1.0], [3.0, 5.0], [1], [0]),
    lambda: queues.timetable_by_class([1.0], [5.0, 3.0], [1, 1], [0]),
    lambda: queues.quota([1.0], [24.0, 0.0], [1, 1]),
    lambda: queues.quota([1.0], [0.0, 24.0], [1]),
    lambda: queues.limited_leg([1.0], [1.0], headway_h=-0.1),
    lambda: queues.line([1.0], [[1.0], [1.0]], [1, 1], [None, -1]),
    lambda: queues.line([1.0], [[1.0], [1.0]], [1, 1], [None]),
    lambda: queues.line([1.0], [[1.0]], [1, 1], [None, 1]),
    lambda: queues.when_full([1.0], 1.5),
    lambda: queues.slots([1.0], 5.0, -1.0, 3),
])  # fmt: skip
def test_what_cannot_be_served_is_said(call):
    with pytest.raises(ValueError, match=r"must|need"):
        call()


@pytest.mark.parametrize("name", [name for name in queues.__all__ if inspect.isfunction(getattr(queues, name))])
def test_every_kernel_has_an_example_that_runs(name):
    import doctest

    kernel = getattr(queues, name)
    found = doctest.DocTestFinder().find(kernel, name, globs=dict(vars(sys.modules[kernel.__module__])))
    runner = doctest.DocTestRunner()
    for test in found:
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


@pytest.mark.parametrize("wrong", [-1.0, np.nan])
def test_a_duration_that_is_no_time_is_named_where_it_stands(wrong):
    service = np.ones((2, 3))
    service[1, 2] = wrong
    with pytest.raises(ValueError, match=r"durations must be >= 0, got .* at consignment 2 of replication 1"):
        queues.fifo(np.zeros((2, 3)), service, lanes=2)
