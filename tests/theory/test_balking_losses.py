"""Balking against theory: drivers who leave at a threshold make a queue of limited length."""

import math

import pytest

import corridor_sim as cs

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def share_turned_away(offered: float, lanes: int, most: int) -> float:
    """Probability that M/M/c/K is full [gross2008]."""
    weights = [
        offered**n / math.factorial(n) if n <= lanes else offered**n / math.factorial(lanes) / lanes ** (n - lanes)
        for n in range(most + 1)
    ]
    return weights[-1] / sum(weights)


def border(lanes, service_h, per_day, threshold_h):
    def post(country, crossing, stage):
        side = {"exit": {"lanes": stage}} if country == "A" else {"entry": {"lanes": stage}}
        return cs.Checkpoint(country=country, crossing=crossing, **side)

    quick = cs.Stage(lanes=999, service=cs.Deterministic(value_h=0.01))
    near = cs.Stage(lanes=lanes, service=cs.Exponential(mean_h=service_h))
    posts, legs = {}, {}
    for crossing, first, km in (("near", near, 10), ("far", quick, 20)):
        posts |= {f"{crossing}_a": post("A", crossing, first), f"{crossing}_b": post("B", crossing, quick)}
        ways = {"p": ("p", f"{crossing}_a", km), "b": (f"{crossing}_a", f"{crossing}_b", 0),
                "q": (f"{crossing}_b", "q", km)}  # fmt: skip
        for name, (start, end, length) in ways.items():
            legs[f"{name}_{crossing}"] = cs.Road(
                from_=start, to=end, length_km=length, speed_kmh=50, border=name == "b"
            )
    flow = cs.Flow(
        origin="p", destination="q", per_day=per_day, balk=cs.Balk(crossing="far", threshold_h=threshold_h),
        crossing_shares={"all": {"near": 1.0, "far": 0.0}},
    )  # fmt: skip
    settings = cs.RunSettings(start="2025-01-06", horizon_days=65, warm_up_days=5)
    return cs.Scenario(
        name="b", places={"p": cs.Place(), "q": cs.Place()}, checkpoints=posts, legs=legs, flows={"f": flow},
        run=settings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lanes", "per_day", "threshold_h", "most"),
    [
        # A driver is told (n + 1) x 1 h / lanes when all lanes are busy and n wait, and stays up to the threshold.
        (1, 24, 2.0, 3),  # 1 h, 2 h, then 3 h: two wait at most
        (2, 48, 1.0, 4),
        (2, 96, 0.4, 2),  # nobody waits at all: Erlang's loss formula
    ],
)
def test_those_who_balk_are_the_lost_of_a_queue_with_limited_places(lanes, per_day, threshold_h, most):
    found = cs.run(border(lanes, 1.0, per_day, threshold_h), replications=8, rng=3, workers=1).rows

    def left(post):
        return found.row("throughput_per_day", kind="post", place=post, direction="exit")

    shares = left("far_a") / (left("near_a") + left("far_a"))
    expected = share_turned_away(per_day / 24, lanes, most)
    error = shares.std(ddof=1) / math.sqrt(len(shares))
    assert error < 0.02
    assert abs(shares.mean() - expected) < 4 * error
