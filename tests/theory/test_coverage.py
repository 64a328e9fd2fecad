"""Do 95 % intervals hold the truth in 95 of 100 studies? A test of the whole way from plan to interval.

Each study has 20 replications of an M/M/3 post (load 0.7, eighteen days of which one is
warm-up; in much shorter runs the means are so skewed that a t interval covers a little
less); the truth is exact. The same post with services shorter by 4 % is the upgrade.
`--long` repeats the study 1,000 times, otherwise 300 times.
"""

import warnings

import numpy as np
import pytest

from corridor_sim import statistics
from corridor_sim.core.errors import CorridorWarning
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.model.arrivals import ArrivalPlan, Poisson
from corridor_sim.model.service_times import Exponential
from corridor_sim.plan.elements import Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step, Variant
from corridor_sim.statistics import theory
from corridor_sim.study.run import run

PER_H, MEAN_H, LANES = 10.5, 0.2, 3
FASTER = 0.96


def post(mean_h):
    steps = (Step(element=0, laws=((0.0, Exponential(mean_h=mean_h)),), draws="post"),)
    arrivals = ArrivalPlan(process=Poisson(), rate=StepFunction.constant(PER_H))
    return Plan(
        elements=(
            Station(id="post", lanes=StepFunction.constant(LANES), post="post", direction="exit", stage="lanes"),
        ),
        flows=(FlowPlan(id="trucks", variants=(Variant(id="only", steps=steps),), arrivals=arrivals),),
        warm_up_h=25.0,
        count_until_h=425.0,
        horizon_h=429.0,
        name="post",
    )


def simulate(mean_h, studies):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        results = run(
            post(mean_h),
            replications=20 * studies,
            rng=2024,
            engine="batch",
            workers=1,
            indicators=["wait_h", "wait_p95_h"],
        )
    return {
        name: results.rows.row(name, place="post", kind="stage", direction="exit").reshape(studies, 20)
        for name in ("wait_h", "wait_p95_h")
    }


def share_covered(values, truth):
    _, low, high = statistics.mean_limits(values.T)
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("studies", [300, pytest.param(1000, marks=pytest.mark.long)])
def test_intervals_of_a_mean_a_percentile_and_a_paired_difference_hold_the_truth(studies):
    base, upgrade = simulate(MEAN_H, studies), simulate(MEAN_H * FASTER, studies)
    wait_h = theory.mmc_wait(PER_H, MEAN_H, LANES)
    saved_h = wait_h - theory.mmc_wait(PER_H, MEAN_H * FASTER, LANES)
    p95_h = theory.mmc_wait_quantile(PER_H, MEAN_H, LANES, 0.95)
    covered = {
        "mean wait": share_covered(base["wait_h"], wait_h),
        "95th percentile": share_covered(base["wait_p95_h"], p95_h),
        "paired difference": share_covered(base["wait_h"] - upgrade["wait_h"], saved_h),
    }
    print(covered)
    # Three standard errors of the count of studies about 0.95.
    error = 3 * (0.95 * 0.05 / studies) ** 0.5
    assert all(abs(share - 0.95) <= error for share in covered.values()), covered


def test_waits_of_one_run_taken_for_independent_do_not_hold_the_truth():
    # A test of the test: the interval that ignores autocorrelation must fail.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        results = run(
            post(MEAN_H), replications=200, rng=3, engine="batch", workers=1, records=True, indicators=["wait_h"]
        )
    visits = results.records.elements[0]
    wait_h = visits.start_h - visits.join_h
    counted = (visits.join_h >= 25.0) & (visits.join_h < 425.0)
    truth = theory.mmc_wait(PER_H, MEAN_H, LANES)
    hits = [statistics.t_interval(row[use]) for row, use in zip(wait_h, counted, strict=True)]
    assert np.mean([interval.low <= truth <= interval.high for interval in hits]) < 0.5
