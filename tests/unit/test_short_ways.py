"""Short ways of the machine code beside the long ones: the same bits."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("numba")

import corridor_sim as cs
from corridor_sim.core.draws import scalar, ziggurat
from corridor_sim.core.draws.elementary import HIGHEST
from corridor_sim.core.units import GRID_PER_H, LONGEST_H, to_grid
from corridor_sim.engines.compiled import codes
from corridor_sim.engines.compiled.tables import coded
from corridor_sim.indicators.base import Collector
from corridor_sim.model.service_times import Lognormal
from corridor_sim.plan.build import make_plan


def test_times_are_rounded_as_by_scaling():
    some = np.random.default_rng(5).lognormal(0.0, 4.0, 20_000)
    between = (np.arange(4001) + 0.5) / GRID_PER_H
    ends = [0.0, 5e-324, 2.0**-21, LONGEST_H, np.nextafter(LONGEST_H, 0.0), LONGEST_H * 3, 1e300, math.inf]
    for time_h in np.concatenate([some, between, ends]).tolist():
        assert scalar.on_grid(time_h) == to_grid(min(time_h, LONGEST_H))


def test_no_lognormal_leaves_the_limits_of_the_exponential():
    # The tail adds -log(u) / N_TAIL, u at least half a step of 2^-52, to where it begins.
    largest = ziggurat.NORMAL_TAIL - math.log(2.0**-53) / ziggurat.NORMAL_TAIL
    laws = Lognormal(median_h=1.0, sigma=5.0), Lognormal(mean_h=1.0, cv=30.0)
    assert largest < 14
    assert max(law._log_sd for law in laws) <= 5 < HIGHEST / 14
    for beyond in ({"median_h": 1.0, "sigma": 5.01}, {"mean_h": 1.0, "cv": 30.1}):
        with pytest.raises(ValueError, match="must be a number > 0 and <="):
            Lognormal(**beyond)


def test_shares_of_whole_numbers_are_those_of_uniforms():
    plan = make_plan(cs.load_scenario("baseline_2023"))
    tables = coded(plan, Collector(plan, [0]), 168.0).tables
    least = tables.step_h[:, codes.SHARE_BITS].copy().view(np.int64)
    some = tables.take == codes.SOME
    assert some.any()
    for share, first in zip(tables.share_of[some].tolist(), least[some].tolist(), strict=True):
        assert (first - 1) * 2.0**-53 < share <= first * 2.0**-53, share


def test_a_step_knows_the_flow_of_its_itinerary():
    plan = make_plan(cs.load_scenario("baseline_2023"))
    tables = coded(plan, Collector(plan, [0]), 168.0).tables
    of_routes = np.repeat(tables.route_flow, tables.route_end - tables.route_begin)
    assert np.array_equal(tables.step[:, codes.FLOW], of_routes)
