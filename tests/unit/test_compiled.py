"""Compiled forms of the kernels: the bits of the numpy forms, and nothing lost without numba.

Each comparison runs twice: with the loops as plain Python, which needs no numba, and as
machine code. Times are whole hours, so that ties are many.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import queues
from corridor_sim.engines.queues import compiled, loops
from corridor_sim.plan.elements import PlanOutage


@pytest.fixture(params=["plain", "compiled"])
def same(request, monkeypatch):
    """A check that a call gives the same bytes by numpy and by a loop."""

    def check(call, *about):
        monkeypatch.setenv(compiled.SWITCH, "0")
        expected = call()
        monkeypatch.delenv(compiled.SWITCH)
        for number, (one, other) in enumerate(zip(expected, call(), strict=True)):
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes(), (number, *about)

    if request.param == "plain":
        monkeypatch.setattr(compiled, "_machine_code", lambda plain: plain)
    else:
        pytest.importorskip("numba")
    return check


def some(seed, most=40):
    """A generator, arrivals with ties and padding, and services, for a few or many replications."""
    rng = np.random.default_rng(seed)
    rows, size = int(rng.choice([1, 3, 17])), int(rng.integers(0, most))
    arrival = np.sort(rng.integers(0, 60, (rows, size)), axis=1).astype(float)
    for row in arrival:
        if size and rng.random() < 0.4:
            row[int(rng.integers(0, size)) :] = np.inf
    return rng, arrival, rng.integers(0, 7, (rows, size)).astype(float)


def dated(rng, low=0, high=3):
    at = np.sort(rng.choice(np.arange(1, 90), int(rng.integers(1, 7)), replace=False))
    return StepFunction(np.concatenate([[0], at]), rng.integers(low, high + 1, len(at) + 1))


def pieces_by_row(rng, rows):
    """Step functions of different length, one a replication."""
    starts, values = np.full((rows, 4), np.inf), np.zeros((rows, 4), dtype=np.int64)
    starts[:, 0] = -np.inf
    for k in range(rows):
        size = int(rng.integers(1, 5))
        starts[k, 1:size] = np.sort(rng.choice(np.arange(1, 90), size - 1, replace=False))
        values[k, :size] = rng.integers(0, 3, size)
        values[k, size:] = values[k, size - 1]
    return queues.Pieces(starts, values)


def later(arrival):
    """The same rows two and a half days later."""
    return arrival + 60.0


def test_fifo_has_the_bits_of_the_numpy_forms(same):
    for seed in range(150):
        rng, arrival, service = some(seed)
        lanes = int(rng.integers(1, 7))

        def call():
            free = np.full((len(arrival), lanes), -np.inf)  # noqa: B023
            first = queues.fifo(arrival, service, lanes, free_h=free)  # noqa: B023
            kept = free.copy()
            return first, kept, queues.fifo(later(arrival), service, lanes, free_h=free), free  # noqa: B023

        same(call, seed)


@pytest.mark.parametrize("closing", ["finish", "suspend", "restart", "no_overrun", "clear_queue"])
def test_pooled_has_the_bits_of_the_numpy_forms(closing, same):
    for seed in range(150):
        rng, arrival, service = some(seed)
        capacity = pieces_by_row(rng, len(arrival)) if seed % 3 == 0 else queues.Pieces.of(dated(rng))

        def call():
            pool = queues.Pool.empty(len(arrival), capacity.largest)  # noqa: B023
            first = queues.pooled(arrival, service, capacity, closing, pool=pool)  # noqa: B023
            kept = pool.busy_h.copy(), pool.last_h.copy()
            second = queues.pooled(later(arrival), service, capacity, closing, pool=pool)  # noqa: B023
            return *first, *kept, *second, pool.busy_h, pool.last_h

        same(call, seed)


@pytest.mark.parametrize("ranks", [(0, 3), (-2, 2), (0, 400)])
@pytest.mark.parametrize("always_open", [False, True])
def test_priority_has_the_bits_of_the_numpy_forms_block_by_block(always_open, ranks, same):
    for seed in range(100):
        rng, arrival, service = some(seed)
        rank = rng.integers(*ranks, arrival.shape)
        capacity = queues.Pieces.of(int(rng.integers(1, 4)) if always_open else dated(rng))
        if seed % 3 == 0 and not always_open:
            capacity = pieces_by_row(rng, len(arrival))
        limits = (float(rng.integers(1, 40)), float(rng.integers(40, 80)), np.inf)

        def call():
            pool, left = queues.Pool.empty(len(arrival), capacity.largest), arrival  # noqa: B023
            found = []
            for until in limits:  # noqa: B023
                # Those whose start is open are handed in again, in order of joining.
                joins = np.where(left < until, left, np.inf)
                order = np.argsort(joins, axis=1, kind="stable")
                joining = [np.take_along_axis(array, order, axis=1) for array in (joins, service, rank)]  # noqa: B023
                start = queues.priority(*joining, capacity, pool=pool, until_h=until)  # noqa: B023
                found += [start, pool.busy_h.copy(), pool.last_h.copy()]
                begun = np.empty(start.shape, dtype=bool)
                np.put_along_axis(begun, order, np.isfinite(start), axis=1)
                left = np.where(begun, np.inf, left)
            return found

        same(call, seed)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("policy", ["resume", "restart", "finish"])
def test_lanes_have_the_bits_of_the_python_form(policy, named, same):
    for seed in range(100):
        rng, arrival, service = some(seed)
        count, rows = int(rng.integers(1, 5)), len(arrival)
        capacity = [dated(rng, 0, 1) for _ in range(count)] if named else dated(rng, 0, count)
        outages = [
            [
                PlanOutage(
                    lane=None if rng.random() < 0.2 else int(rng.integers(1, count + 1)), from_h=at, until_h=at + 5
                )
                for at in rng.integers(0, 80, int(rng.integers(0, 4)))
            ]
            for _ in range(rows)
        ]

        def call():
            free, last = np.full((rows, 5), -np.inf), np.full(rows, -np.inf)  # noqa: B023
            state = {"free_h": free, "last_h": last}
            first = queues.lanes(arrival, service, capacity, outages, policy, **state)  # noqa: B023
            kept = free.copy(), last.copy()
            second = queues.lanes(later(arrival), service, capacity, outages[0], policy, **state)  # noqa: B023
            return *first, *kept, *second, free, last

        same(call, seed)


@pytest.mark.parametrize("no_overtaking", [False, True])
@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("headway", ["none", "constant", "dated"])
def test_passage_has_the_bits_of_the_numpy_forms(headway, limited, no_overtaking, same):
    for seed in range(60):
        rng, arrival, travel = some(seed)
        options = {
            "headway_h": {"none": None, "constant": 1.0, "dated": dated(rng, 0, 2)}[headway],
            "open": StepFunction([0, 20, 30, 70, 80], [1, 0, 1, 0, seed % 2]),
            "max_vehicles": dated(rng, 1, 4) if limited else None,
            "no_overtaking": no_overtaking,
        }

        def call():
            leg = queues.LegState.empty(len(arrival), options["max_vehicles"])  # noqa: B023
            first = queues.limited_leg(arrival, travel, leg=leg, **options)  # noqa: B023
            kept = leg.inside_h.copy(), leg.last_h.copy(), leg.exit_h.copy()
            second = queues.limited_leg(later(arrival), travel, leg=leg, **options)  # noqa: B023
            # Behind a vehicle that never enters the headway makes no difference.
            return *first, *kept, *second, leg.inside_h, leg.last_h, leg.exit_h, np.maximum(leg.free_h, leg.last_h)

        same(call, seed)


def test_line_has_the_bits_of_the_python_form(same):
    for seed in range(300):
        rng, arrival, _ = some(seed, most=25)
        stations = int(rng.integers(1, 5))
        services = [rng.integers(0, 5, arrival.shape).astype(float) for _ in range(stations)]
        lanes = [dated(rng, 0, 3) if rng.random() < 0.4 else int(rng.integers(1, 4)) for _ in range(stations)]
        yards = [None, *(None if rng.random() < 0.2 else int(rng.integers(0, 3)) for _ in range(stations - 1))]
        number = np.argsort(rng.random(arrival.shape), axis=1) if seed % 2 else None
        until = float(rng.integers(10, 80)) if seed % 3 == 0 else np.inf

        def call():
            found = queues.line(arrival, services, lanes, yards, number=number, until_h=until)  # noqa: B023
            return [getattr(times, name) for times in found for name in ("join_h", "start_h", "finish_h", "leave_h")]

        same(call, seed)


def test_any_view_of_the_times_will_do(same):
    rng = np.random.default_rng(3)
    arrival = np.sort(rng.integers(0, 60, (40, 3)), axis=0).astype(float)
    packed = np.zeros(3 * 40, dtype=[("key", "i1"), ("time", "f8")])
    packed["time"] = arrival.T.ravel()
    assert not packed["time"].flags.aligned
    backwards = -np.sort(-arrival.T, axis=1)[:, ::-1]
    for view in (arrival.T, arrival.T[:, ::2], backwards, packed["time"].reshape(3, 40), np.broadcast_to(7.0, (3, 40))):
        same(lambda: (queues.fifo(view, 2.0, 2), *queues.pooled(view, 2.0, 2)), view.strides)  # noqa: B023
        same(lambda: (queues.priority(view, 2.0, [[1], [2], [3]], 2), queues.priority(view[0], 2.0, 1, 2)))  # noqa: B023


def test_a_named_compiled_form_says_what_is_missing(monkeypatch):
    monkeypatch.setenv(compiled.SWITCH, "0")
    with pytest.raises(ValueError, match="must have numba"):
        queues.fifo([0.0], [1.0], 1, form="compiled")


def test_every_loop_has_its_types_listed():
    found = {value for name in loops.__all__ if callable(value := getattr(loops, name))}
    assert found == set(compiled.ARGUMENTS)
    for plain, kinds in compiled.ARGUMENTS.items():
        assert plain.__code__.co_argcount == len(kinds.split())


SMALL = """
import hashlib, sys
{first}
import corridor_sim as cs
assert "numba" not in sys.modules or sys.modules["numba"] is None
table = cs.run("teaching", replications=2, rng=3, engine="batch").rows
assert cs.queues.fifo([0.0, 1.0], [2.0, 2.0], 1).tolist() == [0.0, 2.0]
print(hashlib.sha256(table.values.tobytes()).hexdigest(), sys.modules.get("numba") is not None)
"""


def small_run(first="", **environment):
    """What a small run in a process of its own answers, and whether it has used numba."""
    kept = {name: value for name, value in os.environ.items() if name != compiled.SWITCH}
    ran = subprocess.run(
        [sys.executable, "-c", SMALL.format(first=first)],
        capture_output=True, text=True, check=True, env=kept | environment,
    )  # fmt: skip
    return ran.stdout.split()


def test_a_run_is_the_same_without_numba_and_never_imports_it_unasked():
    switched_off = small_run(**{compiled.SWITCH: "0"})
    assert switched_off[1] == "False"
    assert small_run("sys.modules['numba'] = None") == switched_off
    # A small run is not worth loading it.
    assert small_run() == switched_off
    assert small_run(**{compiled.SWITCH: "1"}) == [switched_off[0], str(find_spec("numba") is not None)]
