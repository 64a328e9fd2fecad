"""Drivers' hours against theory: the rests of drives of exponential length (rule S36)."""

import numpy as np
import pytest

from corridor_sim.engines import event
from corridor_sim.model.service_times import Exponential
from corridor_sim.plan.drivers_hours import rested
from corridor_sim.plan.elements import Delay
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import RestPlan, Step, Variant
from corridor_sim.records.inputs import FlowInputs, SampledInputs

EU = RestPlan(drive_h=(4.5, 9.0, 54.0), rest_h=(0.75, 11.0, 45.0))


def mean_rest_h(mean_h):
    """Mean rest of a drive of exponential length: a counter of `t` hours is full P(drive > k t), k = 1, 2, ..., times.

    So often a longer rest stands for a shorter one, since 9 is twice 4.5 and 54 six times 9.
    """
    often = [1 / np.expm1(drive_h / mean_h) for drive_h in EU.drive_h]
    own = [often[0] - often[1], often[1] - often[2], often[2]]
    return float(np.dot(own, EU.rest_h))


@pytest.mark.parametrize("mean_h", [3.0, 12.0, 40.0])
def test_the_mean_rest_of_exponential_drives_is_that_of_the_formula(mean_h):
    count, replications = 400, 100
    law = Exponential(mean_h=mean_h)
    steps = (Step(element=0, laws=((0.0, law),), draws="A"), Step(element=1, rest=EU))
    flows = (FlowPlan(id="f", variants=(Variant(id="v", steps=steps),)),)
    plan = Plan(elements=(Delay(id="A"), Delay(id="A.rest", component="rest")), flows=flows, horizon_h=1e6)
    rng, means = np.random.default_rng(36), []
    for _ in range(replications):
        drive_h = np.rint(rng.exponential(mean_h, (1, count)) * 2**20) / 2**20
        zero = np.zeros((1, count))
        drawn = FlowInputs(zero, zero.astype(np.int64), np.arange(count)[None, :], {"A": (drive_h,)})
        records = event.simulate(plan, SampledInputs(np.zeros(1, dtype=np.int64), (drawn,), {}))
        table = records.elements[1]
        means.append(float((table.leave_h - table.start_h).mean()))
    error = np.std(means, ddof=1) / np.sqrt(replications)
    assert abs(np.mean(means) - mean_rest_h(mean_h)) <= 4 * error
    # The test of the test: nine hours and a half a day would be seen.
    assert mean_h < 10 or abs(np.mean(means) - mean_rest_h(mean_h * 9 / 9.5)) > 4 * error


def test_a_long_way_takes_a_day_for_nine_hours_of_it():
    # Fifty full days of 9 h and their nights, but for the last; eight full weeks of six days each have a longer rest.
    rest_h, driven_h = rested([0.0] * 3, 0.0, 450.0, EU)
    assert rest_h == 50 * 0.75 + 41 * 11 + 8 * 45
    assert driven_h == [4.5, 9.0, 18.0]
