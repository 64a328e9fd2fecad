"""Do the ranges of a fitted release study hold the truth as often as they say?

Studies are drawn from the made-up border of docs/time_release and fitted, each with its own random numbers: whole ones
of about 500 consignments, and their first forty, as a sample. `--long` draws more.
"""

import warnings
from dataclasses import replace

import made_up_study
import numpy as np
import pytest

import corridor_sim as cs

POST = "checkpoints.gate"
SPREAD = np.log1p(0.8**2)
TRUTH = {
    f"{POST}.entry.registration.service.mean_h": 0.4,
    f"{POST}.entry.registration.service.cv": 0.6,
    f"{POST}.entry.inspection.service.mean_h": 1.3,
    f"{POST}.entry.inspection.service.cv": 0.7,
    f"{POST}.entry.payment.service.median_h": 0.9 / np.exp(SPREAD / 2),
    f"{POST}.entry.payment.service.sigma": np.sqrt(SPREAD),
    f"{POST}.channels.entry.red": 0.18,
    "flows.goods.per_day": 56.0,
}
"""Of docs/time_release/truth.toml."""
LAWS = {"registration": "gamma", "inspection": "gamma", "payment": "lognormal"}
STATED = 0.95


def held(studies):
    """How often each range held the truth, and of how many."""
    hits: dict[str, list[bool]] = {}
    for study in studies:
        channel = np.where(study.channel == "green+yellow", "green", study.channel)
        known = replace(study, channel=np.where(np.isin(channel, ["green", "red"]), channel, ""))
        fit = cs.fit_release_study(known, made_up_study.FOLDER / "border.toml", laws=LAWS)
        for one in fit.figures:
            if one.path in TRUTH and one.low < one.high:
                hits.setdefault(one.path, []).append(one.low <= TRUTH[one.path] <= one.high)
    return {path: (np.mean(one), len(one)) for path, one in hits.items()}


def least(count, stated=STATED, standard_errors=4.0):
    """The share that a range which holds the truth as often as stated reaches but once in 30,000 times."""
    return stated - standard_errors * np.sqrt(stated * (1 - stated) / count)


@pytest.fixture(scope="module")
def studies(request):
    return made_up_study.drawn(2026, replications=300 if request.config.getoption("--long") else 60)


def test_ranges_of_whole_studies_hold_the_truth_as_often_as_stated(studies):
    found = held(studies)
    assert set(found) == set(TRUTH)
    for path, (share, count) in found.items():
        assert share >= least(count), (path, share, count)
    every = np.average([share for share, _ in found.values()], weights=[count for _, count in found.values()])
    assert 0.92 <= every <= 0.99  # not by being as wide as may be


def test_ranges_of_samples_of_forty_hold_the_truth_as_often_as_stated(studies):
    samples = [
        replace(one.taken(np.arange(len(one)) < 40), columns=one.columns.model_copy(update={"census": False}))
        for one in studies
    ]
    found = held(samples)
    assert set(found) == {path for path in TRUTH if not path.startswith("flows")}
    for path, (share, count) in found.items():
        assert share >= least(count), (path, share, count)


def test_a_range_of_half_the_width_would_be_found_out(studies):
    """The test of the test: ranges that are stated too narrow fail it."""
    found = []
    for study in studies:
        fit = cs.fit_release_study(study, made_up_study.FOLDER / "border.toml", laws=LAWS, confidence=0.6)
        found += [
            one.low <= TRUTH[one.path] <= one.high for one in fit.figures if "service" in one.path and one.path in TRUTH
        ]
    assert np.mean(found) < least(len(found))


def test_intervals_of_the_mean_time_to_the_release_hold_it_less_often_than_stated_in_nine_days_as_the_page_says(
    studies,
):
    """Consignments of one day share a queue and long queues are rare: 83 of 100 studies, where 95 are stated."""
    means = [one.total_h()[0].mean() for one in studies]
    truth = float(np.mean(means))
    hit = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in studies[:60]:
            row = cs.release_times(one).table("event").iloc[0]
            assert row["measure"] == "mean"
            hit.append(row["observed_low"] <= truth <= row["observed_high"])
    assert least(len(hit), 0.83) <= np.mean(hit) <= 0.95


def test_services_of_three_minutes_written_down_in_whole_minutes_are_in_their_ranges(studies):
    """The gate: only ends were written down, first come first served; the step is a third of the service."""
    columns = studies[0].columns.model_copy(update={"first_come_first_served": ("gate_out",)})
    laws = {**LAWS, "gate_out": "gamma"}
    hits = {"mean_h": [], "cv": []}
    for one in studies[:40]:
        minutes = np.floor(one.time_h * 60.0) / 60.0
        fit = cs.fit_release_study(
            replace(one, columns=columns, time_h=minutes, rounded_h=1 / 60),
            made_up_study.FOLDER / "border.toml",
            laws=laws,
        )
        for figure in fit.figures:
            name = figure.path.removeprefix(f"{POST}.entry.gate_out.service.")
            if name in hits:
                hits[name].append(figure.low <= {"mean_h": 0.05, "cv": 0.5}[name] <= figure.high)
    assert len(hits["cv"]) == 40
    for name, one in hits.items():
        assert np.mean(one) >= least(len(one)), name
