"""Equilibria in draws of the inputs: each draw is the equilibrium of its own values, near that by formula."""

import numpy as np
import pytest
from test_equilibrium import SCALE, fixed_point, two_ways

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError

WHO = cs.Behaviour(SCALE, {"f": ["near", "far"]})
HOW = {"behaviour": WHO, "workers": 1}
LOW, HIGH = 60.0, 84.0


def ranged(**more):
    return two_ways(
        figures={"per_day": {"low": LOW, "high": HIGH, "status": "assumed", "range_reason": "made up"}},
        per_day=72.0,
        **more,
    )


def test_each_draw_is_the_equilibrium_of_its_values_and_near_the_fixed_point_by_formula():
    found = cs.equilibria(ranged(), draws=4, replications=4, **HOW)
    assert found.share_reached == 1.0
    assert found.reached.all()
    per_day = LOW + found.points[:, 0] * (HIGH - LOW)
    expected = [fixed_point(one) for one in per_day]
    assert max(expected) - min(expected) > 0.01
    assert found.shares[0]["f"][:, 0] == pytest.approx(expected, abs=0.015)
    for number in (0, 3):
        alone = cs.equilibrium(
            two_ways(per_day=float(per_day[number])), scale_usd=SCALE, starts=1, workers=1, replications=4
        )
        assert found.shares[0]["f"][number] == pytest.approx(alone.shares["f"], rel=1e-9)
        assert found.gaps[0, number] == pytest.approx(alone.gaps[-1])
        wait_h = alone.results.rows.select(
            "wait_h", kind="post", place="near_a", direction="exit", cargo_class="", of=""
        )
        mine = found.of("wait_h", kind="post", place="near_a", direction="exit", cargo_class="")
        assert mine[number] == pytest.approx(wait_h.values.mean(), rel=1e-9)
    assert "4 of 4 draws reached an equilibrium" in found.describe()
    frame = found.to_frame()
    assert len(frame) == 8
    assert frame.groupby("draw")["share"].sum().to_numpy() == pytest.approx(1.0)


def test_draws_that_did_not_reach_the_target_are_counted_and_the_workers_change_nothing():
    base, better = ranged(days=20), ranged(days=20, lanes=2)
    how = {"behaviour": WHO, "draws": 4, "most": 2, "target": 0.03, "indicators": ["wait_h"]}
    one = cs.equilibria(base, better, workers=1, **how)
    two = cs.equilibria(base, better, workers=2, **how)
    assert one.values.tobytes() == two.values.tobytes()
    assert one.gaps.tobytes() == two.gaps.tobytes()
    assert one.gaps.shape == (2, 4)
    assert one.reached.tolist() == [bool(max(gaps) < 0.03) for gaps in one.gaps.T]
    assert one.share_reached == pytest.approx(np.mean(one.reached))
    assert one.share_reached < 1
    assert f"{int(one.reached.sum())} of 4 draws reached an equilibrium of every scenario" in one.describe()
    # With a second lane the wait is shorter in every draw: differences are the last less the first.
    assert (one.of("wait_h", kind="post", place="near_a", direction="exit", cargo_class="") < 0).all()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(CorridorError, match="there is nothing to draw"):
        cs.equilibria(two_ways(days=8), draws=2, **HOW)
    with pytest.raises(ArgumentError, match="draws"):
        cs.equilibria(ranged(days=8), draws=3, **HOW)
