"""Priority that interrupts against theory: two classes at one lane, and several lanes by their Markov chain (S35)."""

import math

import numpy as np
import pytest

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def border(lanes, service_h, per_h, days):
    gate = cs.Stage(
        lanes=lanes,
        service=cs.Exponential(mean_h=1.0),
        factor_by_class={"vip": service_h[0], "loaded": service_h[1]},
        discipline="priority",
        priority=["vip"],
        preemption="resume",
    )
    free = cs.Stage(lanes="unlimited", service=cs.Deterministic(value_h=0.0))
    road = {"length_km": 0.0, "speed_kmh": 50.0}
    way = {"origin": "mill", "destination": "market"}
    return cs.Scenario(
        name="urgent",
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
        flows={
            "v": cs.Flow(cargo_class="vip", per_day=24 * per_h[0], **way),
            "w": cs.Flow(cargo_class="loaded", per_day=24 * per_h[1], **way),
        },
        run=cs.RunSettings(start="2024-01-01", horizon_days=days + 5, warm_up_days=5),
    )


def holds(rows, flow, truth):
    """Whether the mean time from door to door, which is that at the gate, is the truth within sampling error."""
    values = rows.row("door_to_door_h", kind="flow", place=flow)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert error < 0.06 * truth
    assert abs(values.mean() - truth) < 4 * error, (flow, values.mean(), truth, error)


@pytest.mark.parametrize(("service_h", "per_h"), [((1.0, 1.0), (0.3, 0.4)), ((0.5, 1.5), (0.6, 0.3))])
def test_two_classes_at_one_lane_have_the_times_of_the_formula(service_h, per_h):
    # Preemptive resume, exponential services: 1 / mu_k / (1 - s_(k-1)) + sum_i<=k of rate_i x 2 / mu_i^2 / 2 / (...).
    rows = cs.run(border(1, service_h, per_h, 600), replications=10, rng=5, workers=1).rows
    load = residual = 0.0
    for flow, mean_h, rate in zip("vw", service_h, per_h, strict=True):
        before, load = load, load + rate * mean_h
        residual += rate * mean_h**2
        holds(rows, flow, mean_h / (1 - before) + residual / (1 - before) / (1 - load))


def test_several_lanes_have_the_numbers_of_the_markov_chain():
    # Equal rates of service: who is there of the first class, and of both, are birth and death chains of their own.
    lanes, per_h = 2, (0.8, 0.7)

    def there(rate):
        number = np.arange(400)
        logs = np.concatenate([[0.0], np.cumsum(math.log(rate) - np.log(np.minimum(number[1:], lanes)))])
        weight = np.exp(logs - logs.max())
        return float(number @ weight / weight.sum())

    first, both = there(per_h[0]), there(sum(per_h))
    rows = cs.run(border(lanes, (1.0, 1.0), per_h, 600), replications=10, rng=6, workers=1).rows
    holds(rows, "v", first / per_h[0])
    holds(rows, "w", (both - first) / per_h[1])
    # Without interruptions the urgent would wait for the others.
    assert first / per_h[0] < 1 + cs.theory.mmc_wait(sum(per_h), 1.0, lanes)
