"""Formulas of queueing against exact and published values."""

import json
import math
from importlib import resources

import numpy as np
import pytest

from corridor_sim.statistics import theory

CASES = {
    case["id"]: case
    for case in json.loads((resources.files("corridor_sim") / "data/vectors/cases.json").read_text("utf-8"))["cases"]
}


def exact(id, name):
    return next(m["value"] for m in CASES[id]["measures"] if m["name"] == name)


def model(id):
    case = CASES[id]["model"]
    return case["sources"], case["stations"][0]


MMC = sorted(id for id in CASES if id.startswith("MMC"))


@pytest.mark.parametrize("id", MMC)
def test_m_m_c_waits_and_quantiles_are_exact(id):
    (source,), station = model(id)
    rate, mean, lanes = source["rate_per_min"], station["service"]["mean"], station["lanes"]
    assert theory.mmc_wait(rate, mean, lanes) == pytest.approx(exact(id, "mean_wait"), rel=1e-8)
    assert theory.erlang_c(lanes, rate * mean) == pytest.approx(exact(id, "p_wait"), rel=1e-8)
    for percent in (90, 95, 99):
        found = theory.mmc_wait_quantile(rate, mean, lanes, percent / 100)
        assert found == pytest.approx(exact(id, f"wait_q{percent}"), rel=1e-8, abs=1e-8)
        if found > 0:
            assert theory.mmc_wait_exceeds(rate, mean, lanes, found) == pytest.approx(1 - percent / 100, rel=1e-9)


SPREAD = {
    "MD1-01": 0.0,
    "MD1-02": 0.0,
    "MD1-03": 0.0,
    "MG1-01": 1 / 3,
    "MG1-02": 4.0,
    "MG1-04": 1.44,
    "MG1-05": 1 / 2.5,
}


@pytest.mark.parametrize(("id", "cs2"), SPREAD.items())
def test_pollaczek_khinchine_is_exact_for_one_lane(id, cs2):
    (source,), station = model(id)
    service = station["service"]
    mean = service.get("value", service.get("mean", 10.0))
    assert theory.pollaczek_khinchine(source["rate_per_min"], mean, cs2) == pytest.approx(
        exact(id, "mean_wait"), rel=1e-8
    )


@pytest.mark.parametrize("id", ["PRI-01", "PRI-02", "PRI-03", "PRI-04"])
def test_priority_waits_of_one_exponential_law_are_exact(id):
    sources, station = model(id)
    rates = [source["rate_per_min"] for source in sources]
    found = theory.priority_waits(rates, [station["service"]["mean"]] * len(rates), station["lanes"])
    assert found.tolist() == pytest.approx([exact(id, f"mean_wait[{s['class']}]") for s in sources], rel=1e-8)


def test_priority_waits_of_one_lane_take_each_class_its_law():
    found = theory.priority_waits([0.03, 0.05], [4.0, 12.0], 1, [0.0, 1.0])
    assert found.tolist() == pytest.approx([exact("PRI-05", f"mean_wait[class {k}]") for k in (1, 2)], rel=1e-8)


def test_priority_waits_say_which_classes_are_overloaded():
    found = theory.priority_waits([0.05, 0.06], [10.0, 10.0])
    assert math.isfinite(found[0])
    assert math.isinf(found[1])


def test_priority_waits_refuse_several_lanes_with_unequal_services():
    with pytest.raises(ValueError, match="one exponential"):
        theory.priority_waits([0.1, 0.1], [3.0, 4.0], lanes=2)


def test_erlang_b_and_c_of_two_lanes_by_hand():
    # a = 1: B = (1/2) / (1 + 1 + 1/2) = 1/5, C = 2 B / (2 - (1 - B)) = 1/3
    assert theory.erlang_b(2, 1.0) == pytest.approx(0.2)
    assert theory.erlang_c(2, 1.0) == pytest.approx(1 / 3)


def test_an_overloaded_station_has_no_mean_wait():
    assert math.isinf(theory.mmc_wait(1.0, 3.0, 3))
    assert math.isinf(theory.allen_cunneen(1.0, 3.0, 3, 1.0, 0.5))
    assert theory.mmc_wait_exceeds(1.0, 3.0, 3, [0.0, 5.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_every_approximation_is_exact_for_m_m_c(lanes):
    want = theory.mmc_wait(0.8 * lanes / 10.0, 10.0, lanes)
    arguments = 0.8 * lanes / 10.0, 10.0, lanes, 1.0, 1.0
    assert theory.allen_cunneen(*arguments) == pytest.approx(want)
    assert theory.whitt_gigm(*arguments) == pytest.approx(want)
    assert theory.cosmetatos(*arguments[:3], cs2=1.0) == pytest.approx(want)


def test_kingman_bound_lies_above_the_exact_wait_of_constant_arrivals():
    assert theory.kingman_bound(0.08, 10.0, 0.0, 1.0) > exact("GIM-02", "mean_wait")


def test_whitt_is_close_where_the_exact_wait_is_known():
    # M/D/4 at 0.7: -0.4 %, M/E2/8 at 0.9..0.95: below 1 %
    for id, cs2 in (("MDC-04", 0.0), ("MEC-05", 0.5)):
        (source,), station = model(id)
        service = station["service"]
        mean = service.get("value", service.get("mean"))
        found = theory.whitt_gigm(source["rate_per_min"], mean, station["lanes"], 1.0, cs2)
        assert found == pytest.approx(exact(id, "mean_wait"), rel=0.01)


def test_backlog_carryover_conserves_arrivals():
    rates = [0.05, 0.15, 0.35, 0.3, 0.1]
    periods = theory.backlog_carryover(rates, 15.0, 4)
    served = sum(period.modified_rate for period in periods)
    assert served + periods[-1].backlog_rate == pytest.approx(sum(rates))


def test_backlog_carryover_takes_lanes_by_period():
    periods = theory.backlog_carryover([0.1, 0.1], 10.0, [1, 2])
    assert periods[1].blocking_prob < periods[0].blocking_prob
    with pytest.raises(ValueError, match="numbers of lanes"):
        theory.backlog_carryover([0.1, 0.1], 10.0, [1])


@pytest.mark.parametrize(("rate", "mean", "lanes"), [(-1.0, 1.0, 1), (1.0, 0.0, 1), (1.0, 1.0, 0), (1.0, 1.0, 1.5)])
def test_arguments_without_meaning_are_refused(rate, mean, lanes):
    with pytest.raises(ValueError, match=r"(rate|mean|lanes) must be"):
        theory.mmc_wait(rate, mean, lanes)


def test_nobody_waits_without_arrivals():
    assert theory.mmc_wait(0.0, 5.0, 2) == 0.0
    assert theory.kraemer_langenbach_belz(0.0, 5.0, 1.0, 1.0) == 0.0
    assert np.isfinite(theory.mmc_wait_quantile(0.0, 5.0, 2, 0.99))
