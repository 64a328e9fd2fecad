"""Random plans of risk channels with shares by class and date: every engine that does them has the event engine's bits.

In how many of the plans each engine ran is printed.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from plans import APART, KINDS, MIXED, NumpyDice, coupled, random_case
from random_channels import visits_by_bounds, with_channels
from test_compiled_pass import tables, with_usual_numbers

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines import batch, compiled, event
from corridor_sim.plan.mechanisms import Mechanism
from corridor_sim.plan.needs import needs_at

pytest.importorskip("numba")


@pytest.fixture(autouse=True)
def _switched_on(monkeypatch):
    monkeypatch.delenv("CORRIDOR_SIM_FAST", raising=False)


def plan_of(seed):
    """A plan with channels; every third has staff pools and steps at which some balk."""
    dice = NumpyDice(np.random.default_rng([20, seed]))
    kinds = (KINDS, MIXED, APART)[seed % 3]
    size = {"elements": (2, 5), "consignments": (20, 50), "rows": (1, 2), "flows": (1, 3), "span": 40}
    plan, inputs = with_usual_numbers(random_case(dice, kinds=kinds, **size), seed)
    if seed % 3:
        plan, inputs = coupled(dice, plan, inputs)
    return with_channels(dice, plan, inputs)


def test_random_channels_are_the_same_on_every_engine(capsys):
    has, ran, visits, stopped = Counter(), Counter(), Counter(), 0
    for seed in range(60):
        case = plan_of(seed)
        plan, inputs = case.plan, case.inputs
        try:
            records = event.simulate(plan, inputs)
        except SimulationError:
            stopped += 1  # a service that no opening is long enough for
            continue
        visits.update(dict(zip(("all", "wrong", "by date"), visits_by_bounds(plan, inputs, records), strict=True)))
        what = {name for name, times in case.has.items() if times}
        if Mechanism.STAFF_POOL in frozenset().union(*needs_at(plan)):
            what.add("staff pools")
        has.update(what)
        ran.update(("event", one) for one in what)
        if not batch.refusals(plan):
            assert batch.simulate(plan, inputs).same_as(records) == "", seed
            ran.update(("batch", one) for one in what)
        if not compiled.refusals(plan):
            (_, table, _), *others = tables(plan, inputs, (1.0, 7.0, 1000.0)[seed % 3])
            for name, other, _ in others:
                assert table.values.tobytes() == other.values.tobytes(), (seed, name)
            ran.update(("compiled", one) for one in what)
    with capsys.disabled():
        print(f"\n{visits['all']} visits of stages in channels, {visits['by date']} of them because of a date", end="")
        for one in sorted(has):
            shares = ", ".join(f"{name} {ran[name, one] / has[one]:.0%}" for name in ("event", "batch", "compiled"))
            print(f"\n{one} ({has[one]} plans): {shares}", end="")
    assert stopped <= 20
    assert visits["wrong"] == 0
    assert visits["by date"] >= 100
    assert {"channels of a class", "shares by date", "a channel in the middle", "staff pools"} <= set(has)
    assert [(name, one) for name in ("event", "compiled") for one in has if not ran[name, one]] == []
    assert [one for one in has if not ran["batch", one] and one != "staff pools"] == []
