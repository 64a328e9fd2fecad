"""Patience against theory: exponential gaps, services and patience make Erlang's A, M/M/c + M (rule S34)."""

import math

import numpy as np
import pytest

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
STAGE = {"kind": "stage", "place": "a.exit.gate", "direction": "exit"}
LONGEST = 2000
"""States of the chain: beyond them nobody is, with patience."""


def erlang_a(rate, service_h, patience_h, lanes):
    """(share that leaves, mean number waiting, mean wait of those who are served, mean wait of those who leave).

    Of the birth and death chain; the waits by the wait of one who finds n others, until he leaves or is served.
    """
    number = np.arange(LONGEST)
    death = np.minimum(number, lanes) / service_h + np.maximum(number - lanes, 0) / patience_h
    logs = np.concatenate([[0.0], np.cumsum(np.log(rate) - np.log(death[1:]))])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    queue = float(weight @ np.maximum(number - lanes, 0))
    left = queue / patience_h / rate
    # Who joins as the k-th in line (k = 1, 2, ...) moves up at lanes / service + (k - 1) / patience, and leaves at
    # 1 / patience.
    served = hours_served = 0.0
    for n in range(LONGEST - 1):
        if n < lanes:
            served += weight[n]
            continue
        if weight[n] < 1e-15:
            continue
        k = n - lanes + 1
        ahead = np.arange(k, 0, -1)
        moves, leaves = lanes / service_h + (ahead - 1) / patience_h, 1 / patience_h
        # Of those who are served, each stage takes a mean time of 1 / (moves + leaves).
        stays = np.prod(moves / (moves + leaves))
        served += weight[n] * stays
        hours_served += weight[n] * stays * np.sum(1 / (moves + leaves))
    hours = queue / rate
    return left, queue, hours_served / served, (hours - hours_served) / left


def border(rate, service_h, patience_h, lanes, days):
    gate = cs.Stage(
        lanes=lanes,
        service=cs.Exponential(mean_h=service_h),
        patience=cs.Patience(law=cs.Exponential(mean_h=patience_h)),
    )
    free = cs.Stage(lanes="unlimited", service=cs.Deterministic(value_h=0.0))
    road = {"length_km": 0.0, "speed_kmh": 50.0}
    return cs.Scenario(
        name="impatient",
        places={"mill": cs.Place(), "market": cs.Place()},
        checkpoints={
            "a": cs.Checkpoint(crossing="hill", exit={"gate": gate}),
            "b": cs.Checkpoint(crossing="hill", entry={"look": free}),
        },
        legs={
            "in": cs.Road(from_="mill", to="a", **road),
            "bridge": cs.Road(from_="a", to="b", border=True, **road),
            "out": cs.Road(from_="b", to="market", **road),
        },
        flows={"f": cs.Flow(origin="mill", destination="market", per_day=24 * rate)},
        run=cs.RunSettings(start="2024-01-01", horizon_days=days + 5, warm_up_days=5),
    )


@pytest.mark.parametrize(
    ("rate", "service_h", "patience_h", "lanes"),
    [
        (0.8, 1.0, 2.0, 1),
        (1.5, 1.0, 1.0, 1),  # more come than can be served: the rest leave
        (2.7, 1.0, 3.0, 3),
        (4.0, 0.5, 0.5, 2),  # patience as long as a service: the number there is that of a queue without limit of lanes
    ],
)
def test_those_who_leave_are_those_of_erlang_a(rate, service_h, patience_h, lanes):
    left, queue, wait_h, left_wait_h = erlang_a(rate, service_h, patience_h, lanes)
    found = cs.run(border(rate, service_h, patience_h, lanes, 500), replications=10, rng=7, workers=1).rows
    for name, truth in (
        ("left_queue_share", left),
        ("queue_mean", queue),
        ("wait_h", wait_h),
        ("left_queue_wait_h", left_wait_h),
    ):
        values = found.row(name, **STAGE)
        error = values.std(ddof=1) / math.sqrt(len(values))
        assert error < 0.06 * truth, name
        assert abs(values.mean() - truth) < 4 * error, (name, values.mean(), truth, error)


def test_patience_as_long_as_a_service_makes_a_queue_of_endless_lanes():
    # Then everybody stays the same time on average, whether he waits or is served: the number there is Poisson.
    _, queue, _, _ = erlang_a(4.0, 0.5, 0.5, 2)
    weights = [math.exp(-2.0) * 2.0**n / math.factorial(n) for n in range(60)]
    assert queue == pytest.approx(sum(max(n - 2, 0) * weight for n, weight in enumerate(weights)), rel=1e-9)


def test_endless_patience_is_the_queue_without():
    left, _, wait_h, _ = erlang_a(0.8, 1.0, 1e7, 1)
    assert left < 1e-6
    assert wait_h == pytest.approx(cs.theory.mmc_wait(0.8, 1.0, 1), rel=1e-3)
