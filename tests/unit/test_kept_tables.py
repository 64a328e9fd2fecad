"""Tables of a plan are made once for its blocks, and anew where anything that they are made from is another."""

import numpy as np
import pytest

pytest.importorskip("numba")

import corridor_sim as cs
from corridor_sim.engines.compiled import kept_tables
from corridor_sim.engines.compiled.kept_tables import coded_once
from corridor_sim.engines.compiled.tables import coded
from corridor_sim.indicators import Collector, Options
from corridor_sim.plan.build import make_plan

STEP_H = 168.0


@pytest.fixture
def plans():
    return [make_plan(cs.load_scenario("teaching")) for _ in range(3)]


def same(one, other):
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(one.tables, other.tables, strict=True))


def test_blocks_of_one_plan_have_the_tables_that_each_would_have_made(plans):
    first = coded_once(plans[0], Collector(plans[0], [0]), STEP_H)
    block = Collector(plans[0], [4, 5, 6])
    assert coded_once(plans[0], block, STEP_H) is first
    assert same(first, coded(plans[0], Collector(plans[0], [4, 5, 6]), STEP_H))


def test_other_options_windows_and_plans_have_tables_of_their_own(plans):
    plan = plans[0]
    first = coded_once(plan, Collector(plan, [0]), STEP_H)
    options = Options(targets_h=(1.0, 3.0))
    assert coded_once(plan, Collector(plan, [0], options=options), STEP_H) is not first
    assert coded_once(plan, Collector(plan, [0]), 24.0).window.step_h == 24.0
    assert coded_once(plans[1], Collector(plans[1], [0]), STEP_H) is not first


def test_few_plans_are_kept(plans):
    for plan in plans:
        coded_once(plan, Collector(plan, [0]), STEP_H)
    assert [known is plan for (known, *_), plan in zip(kept_tables._kept, plans[:0:-1], strict=True)] == [True, True]
