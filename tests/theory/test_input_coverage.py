"""Simulation-based calibration: the truth is drawn from the ranges; do the intervals of many studies hold it?

The made-up border of the quick form is a formula (Erlang's waiting time), so 300 studies cost nothing; the long
form runs 300 studies of a simulated border through `cs.uncertainty`. The method is that of [talts2018].
"""

import datetime as dt
import math

import numpy as np
import pytest
from scipy import stats
from small_corridor import law, small

import corridor_sim as cs
from corridor_sim.statistics import implausibility, input_interval, judge
from corridor_sim.statistics.scrambles import scrambled_points
from corridor_sim.study.designs import with_values
from corridor_sim.study.input_space import InputSpace, Ranged

STUDIES = 300
SPACE = InputSpace.of(
    [[Ranged("per_day", 60.0, 40.0, 76.0), Ranged("hold_h", 0.8, 0.7, 0.9), Ranged("lanes", 3, 3.0, 4.0, whole=True)]]
)


def wait_h(values, more_lanes=0):
    """Mean wait at the border, by Erlang's formula. [h]"""
    rate, lanes = values["per_day"] / 24.0, values["lanes"] + more_lanes
    offered = rate * values["hold_h"]
    terms = [offered**k / math.factorial(k) for k in range(lanes)]
    last = offered**lanes / math.factorial(lanes) * lanes / (lanes - offered)
    return last / (sum(terms) + last) * values["hold_h"] / (lanes - offered)


def gain_h(values):
    """What one lane more changes."""
    return wait_h(values, 1) - wait_h(values)


def studies(draws, count=STUDIES, rng=77):
    """(point of the truth, points, scrambles, factor of the noise of each replication) of many studies."""
    generator = np.random.default_rng(rng)
    for study in range(count):
        points, scramble = scrambled_points(draws, len(SPACE), 1000 + study)
        yield generator.random(len(SPACE)), points, scramble, 1.0 + 0.02 * generator.normal(size=2)


def answers_of(points, noise, answer=gain_h):
    """Answers (draws, replications): all draws share the noise of a replication."""
    return np.array([answer(SPACE.values(0, point, "uniform")) for point in points])[:, None] * noise


def test_ranks_of_the_truth_are_uniform_and_90_percent_intervals_hold_86_to_94_of_100():
    ranks, held = [], []
    for truth, points, scramble, noise in studies(64):
        answers, true = answers_of(points, noise), gain_h(SPACE.values(0, truth, "uniform"))
        found = input_interval(answers, scramble)
        ranks.append(int((answers.mean(axis=1) < true).sum()))
        held.append(found.low <= true <= found.high)
    counts = np.histogram(ranks, bins=13, range=(0, 65))[0]
    assert stats.chisquare(counts).pvalue > 0.01
    assert 0.86 <= np.mean(held) <= 0.94


def test_with_an_observation_intervals_hold_at_least_86_of_100_and_are_narrower():
    generator = np.random.default_rng(5)
    held, widths, wide, left = [], [], [], []
    for truth, points, scramble, noise in studies(256):
        values = SPACE.values(0, truth, "uniform")
        seen = wait_h(values) * math.exp(0.1 * generator.normal()) * math.exp(0.05 * generator.normal())
        waits = answers_of(points, noise, wait_h)
        distance = implausibility(seen, waits.mean(axis=1), 0.1 * seen, 0.02 * seen / math.sqrt(2), 0.05 * seen)
        kept = judge(["wait"], [distance]).kept
        answers = answers_of(points, noise)
        found = input_interval(answers[kept], scramble[kept])
        held.append(found.low <= gain_h(values) <= found.high)
        widths.append(found.width)
        wide.append(input_interval(answers, scramble).width)
        left.append(int(kept.sum()))
    assert np.mean(held) >= 0.86
    assert np.median(widths) < 0.7 * np.median(wide)
    assert np.median(left) > 19


def test_a_wrong_model_is_exposed_by_implausibility():
    """The model takes a border with a long queue for two lanes larger than it is: no draw gives what is seen."""
    exposed, right = 0, 0
    for truth, points, _, noise in studies(64, count=100):
        values = SPACE.values(0, truth, "uniform") | {"per_day": 70.0, "lanes": 3}
        seen = wait_h(values)
        for more_lanes in (0, 2):
            waits = answers_of(points, noise, lambda one, more=more_lanes: wait_h(one, more))
            distance = implausibility(seen, waits.mean(axis=1), 0.1 * seen, 0.01 * seen, 0.05 * seen)
            none_left = not judge(["wait"], [distance]).effective
            exposed += none_left and more_lanes == 2
            right += not none_left and more_lanes == 0
    assert exposed >= 95
    assert right >= 95  # 64 draws may all miss the part of the box that gives so long a wait


# ---------------------------------------------------------------- the long form, simulated


def border():
    """One border and one flow, with three ranges."""
    gate = {
        "lanes": 3,
        "service": law(0.9),
        "figures": {"lanes": {"low": 3, "high": 4, "status": "assumed", "range_reason": "made up"}},
    }
    others = {f"flows__{name}": None for name in ("north", "fruit", "south", "east")}
    return small(
        **others,
        run__horizon_days=22,
        run__warm_up_days=2,
        flows__transit__figures={
            "per_day": {"low": 40.0, "high": 75.0, "status": "assumed", "range_reason": "made up"}
        },
        checkpoints__astara_ir__exit__gate=gate,
        legs__rasht_astara__figures={
            "length_km": {"low": 100.0, "high": 200.0, "status": "assumed", "range_reason": "made up"}
        },
    )


WHERE = {"kind": "crossing", "direction": "IR>AZ"}


def simulated_study(number):
    """One study of a border whose truth is drawn anew: rank of the truth among the draws, and by observations or not
    (whether the interval holds the truth, its width)."""
    base, generator = border(), np.random.default_rng([9, number])
    values = {
        "flows.transit.per_day": float(generator.uniform(40.0, 75.0)),
        "checkpoints.astara_ir.exit.gate.lanes": int(generator.integers(3, 5)),
        "legs.rasht_astara.length_km": float(generator.uniform(100.0, 200.0)),
    }
    truth = cs.run(with_values(base, values), replications=20, rng=10_000 + number, workers=1, indicators=["tfi1"])
    true = float(truth.rows.row("tfi1", **WHERE).mean())
    # Counted in another month, with an error of 5 %.
    seen = values["flows.transit.per_day"] * (1.0 + 0.05 * generator.normal())
    count = cs.Observation(
        name="count",
        value=seen,
        sd=0.05 * seen,
        discrepancy_sd=0.01 * seen,
        posts=(("astara_ir", "exit"),),
        since=dt.date(2024, 3, 1),
        until=dt.date(2024, 4, 1),
    )
    settings = {"priors": ("uniform",), "workers": 1, "at": "astara", "indicators": ("tfi1",)}
    found = cs.uncertainty(base, draws=64, replications=2, rng=number, observations=[count], **settings)
    row, rows = found.row("tfi1", **WHERE), found.main
    intervals = input_interval(rows.values[row, 0], rows.scramble), found.interval(row, 0)
    rank = int((rows.values[row, 0].mean(axis=1) < true).sum())
    return rank, *((one.low <= true <= one.high, one.width) for one in intervals)


def summary(results):
    """Of all studies: p of uniform ranks, and by observations or not the share held and the median width."""
    ranks, without, observed = zip(*results, strict=True)
    counts = np.histogram(ranks, bins=13, range=(0, 65))[0]
    found = {"ranks": counts.tolist(), "p": float(stats.chisquare(counts).pvalue)}
    for name, one in (("without", without), ("observed", observed)):
        held, widths = np.array(one).T
        found[name] = {"held": float(held.mean()), "width": float(np.median(widths))}
    return found


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_intervals_of_300_simulated_studies_hold_the_truth_as_often_as_told(capsys):
    found = summary([simulated_study(number) for number in range(STUDIES)])
    with capsys.disabled():
        print(f"\n{STUDIES} studies: {found}")
    assert found["p"] > 0.01
    assert 0.86 <= found["without"]["held"] <= 0.94
    assert found["observed"]["held"] >= 0.86
    assert found["observed"]["width"] < found["without"]["width"]
