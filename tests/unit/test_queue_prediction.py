"""Counts of a queue and what is predicted from them: nothing of the future is used, made-up borders, scores."""

import datetime as dt
import json

import numpy as np
import pytest
from command_line import called
from hypothesis import given
from hypothesis import strategies as st

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.records.queue_counts import QueueCounts, present
from corridor_sim.statistics.weekly_flow import by_week, drawn_week, joining_per_h, mean_week, only_joining, smoothed
from corridor_sim.study.queue_prediction import (
    CHOP,
    WEEKDAYS,
    calibrated_scenario,
    hour_of_week,
    last_value,
    past_weeks,
)

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
ORIGIN = dt.datetime(2025, 7, 9, 8, 30)


@pytest.fixture(scope="module")
def counts():
    return cs.queue_counts("chop_zahony_2025")


# ---------------------------------------------------------------- counts


def test_the_packaged_counts_are_what_their_page_says(counts):
    assert len(counts) == 1072
    assert (counts.count.min(), counts.count.max(), np.median(counts.count)) == (4, 599, 154)
    assert counts.count.mean() == pytest.approx(187.2, abs=0.05)
    assert np.diff(counts.time_h).min() == pytest.approx(40.4 / 60, abs=0.01)
    assert np.diff(counts.time_h).max() == pytest.approx(81.0 / 60, abs=0.01)


def test_counts_between_two_are_on_the_line_and_those_in_a_gap_or_outside_are_not_known():
    made = QueueCounts(dt.datetime(2025, 1, 1), np.array([1.0, 2.0, 6.0, 7.0]), np.array([10.0, 20.0, 60.0, 50.0]))
    found = made.at(np.array([0.5, 1.0, 1.5, 2.0, 4.0, 6.0, 6.5, 7.5]))
    assert np.array_equal(found, [np.nan, 10.0, 15.0, 20.0, np.nan, 60.0, 55.0, np.nan], equal_nan=True)


def test_every_bad_row_of_counts_is_named(tmp_path):
    path = tmp_path / "queue.csv"
    path.write_text(
        "time_utc,vehicles\n2025-01-01 00:00,3\n2025-01-01 00:00,4\nyesterday,5\n2025-01-01 02:00,-1\n"
        "2025-01-01 03:00,2.5\n2025-01-01 04:00,many\n",
        encoding="utf-8",
    )
    with pytest.raises(cs.ScenarioError) as error:
        cs.queue_counts(path)
    for row, what in ((3, "later than the row before"), (4, "'yesterday'"), (5, "'-1'"), (6, "'2.5'"), (7, "'many'")):
        assert f"row {row}, column" in str(error.value)
        assert what in str(error.value)
    with pytest.raises(cs.ScenarioError, match="did you mean 'vehicles'"):
        cs.queue_counts(path, count="vehicle")
    with pytest.raises(CorridorError, match="neither a file nor a packaged series"):
        cs.queue_counts("chop")


def test_a_row_without_a_count_is_one_that_was_not_counted(tmp_path):
    path = tmp_path / "queue.csv"
    path.write_text("time_utc,vehicles\n2025-01-01 00:00,3\n2025-01-01 01:00,\n2025-01-01 02:00,5\n", encoding="utf-8")
    assert cs.queue_counts(path).time_h.tolist() == [0.0, 2.0]


def test_a_time_with_an_offset_is_read_in_utc(tmp_path):
    path = tmp_path / "queue.csv"
    path.write_text("time_utc,vehicles\n2025-01-01T03:00+03:00,3\n2025-01-01 02:30,4\n", encoding="utf-8")
    assert cs.queue_counts(path).time_h.tolist() == [0.0, 2.5]


def test_those_present_are_those_who_came_less_those_who_left():
    plan = cs.make_plan(cs.load_scenario("chop_zahony_2025"))
    results = cs.run(plan, replications=[0], rng=1, records=True, indicators=(), workers=1)
    hours = np.array([0.5, 20.0, 100.0])
    came, left = np.zeros(3), np.zeros(3)
    stay, lanes = (results.records.elements[k] for k, one in enumerate(plan.elements) if one.post == "chop_ua")
    line = next(k for k, flow in enumerate(plan.flows) if flow.id == "initial_queue.line.trucks_tue")
    for k, hour in enumerate(hours):
        came[k] = (stay.join_h[0] <= hour).sum() + ((lanes.join_h[0] <= hour) & (lanes.flow[0] == line)).sum()
        left[k] = (lanes.leave_h[0] <= hour).sum()
    assert present(results.records, "chop_ua", "exit", hours)[0].tolist() == (came - left).tolist()
    assert present(results.records, "chop_ua", "exit", np.array([0.01]))[0, 0] == pytest.approx(204, abs=2)
    with pytest.raises(CorridorError, match="on the way of any flow"):
        present(results.records, "chop_ua", "entry", hours)


# ---------------------------------------------------------------- weeks


@given(st.integers(1, 30), st.floats(5.0, 12.0), st.floats(20.0, 40.0))
def test_the_joining_that_was_put_into_a_queue_comes_out_of_its_counts(seed, capacity, inside):
    rng = np.random.default_rng(seed)
    joining, count = rng.uniform(0.0, 15.0, 400), [inside * 3]
    for rate in joining:
        # The mean of the count over the hour decides what leaves: solved, as it also stands on the other side.
        there = count[-1]
        after = there + rate - capacity
        if (there + after) / 2 < inside:
            after = (there * (1 - capacity / (2 * inside)) + rate) / (1 + capacity / (2 * inside))
        count.append(after)
    assert joining_per_h(np.array(count), capacity, inside) == pytest.approx(joining, abs=1e-6)


def test_hour_zero_of_a_week_is_where_the_hours_are_a_multiple_of_a_week():
    hours = np.arange(500.0, 500.0 + 3 * 168)
    weeks = by_week(hours, 500 + 3 * 168)
    assert weeks.shape == (3, 168)
    assert (weeks % 168 == np.arange(168)).all()


def test_an_hour_that_was_not_counted_has_the_mean_of_the_other_weeks(counts):
    weeks = np.array([np.arange(168.0), np.full(168, np.nan)])
    assert np.array_equal(mean_week(weeks), np.arange(168.0))
    weeks[0, 5] = np.nan
    with pytest.raises(ArgumentError, match="1 hours of the week were counted in none"):
        mean_week(weeks)
    hour = counts.hour(ORIGIN)
    holes = QueueCounts(
        counts.start,
        np.delete(counts.time_h, range(200, 209)),
        np.delete(counts.count, range(200, 209)),
    )
    whole, with_hole = (past_weeks(one, int(hour), 8.6, CHOP) for one in (counts, holes))
    assert np.isnan(with_hole).sum() == pytest.approx(10, abs=1)
    known = ~np.isnan(with_hole)
    assert np.array_equal(with_hole[known], whole[known])


def test_smoothing_keeps_the_sum_of_a_week():
    rates = np.random.default_rng(1).uniform(0, 9, 168)
    assert smoothed(rates, 3).sum() == pytest.approx(rates.sum())
    assert smoothed(rates, 3)[0] == pytest.approx((rates[-1] + rates[0] + rates[1]) / 3)
    assert np.array_equal(smoothed(rates, 1), rates)


def test_rates_below_zero_are_taken_out_and_every_day_keeps_its_sum():
    rng = np.random.default_rng(2)
    rates = rng.normal(3.0, 5.0, 168)
    rates[24:48] = -1.0
    found = only_joining(rates)
    assert (found >= 0.0).all()
    kept = np.maximum(rates.reshape(7, 24).sum(axis=1), 0.0)
    assert found.reshape(7, 24).sum(axis=1) == pytest.approx(kept)
    assert only_joining(np.abs(rates)) == pytest.approx(np.abs(rates), rel=1e-12)


def test_drawn_weeks_have_the_mean_of_the_past_and_are_as_wide_as_one_more_week():
    rng = np.random.default_rng(5)
    past = 50.0 + np.repeat(rng.normal(size=(4, 1)), 168, axis=1)
    drawn = np.array([drawn_week(past, (0,), 0.0, 0.0, 1, rng) for _ in range(4000)])[:, 7]
    assert drawn.mean() == pytest.approx(past.mean(), abs=0.06)
    # With k weeks: population variance times (k + 1) / (k - 1), which is s^2 (1 + 1 / k).
    assert drawn.var() == pytest.approx(past[:, 0].var(ddof=1) * (1 + 1 / 4), rel=0.08)
    drifting = np.array([drawn_week(past, (0,), 2.0, 1.0, 1, rng) for _ in range(4000)])
    assert drifting[:, 7].var() == pytest.approx(drawn.var() + 5.0, rel=0.1)
    together = np.cov(drifting[:, 7], drifting[:, 30])[0, 1]
    assert together == pytest.approx(drawn.var() + 1.0, rel=0.15)


def test_parts_of_the_week_are_drawn_from_weeks_of_their_own():
    past = np.repeat(np.array([[0.0], [1000.0], [2000.0]]), 168, axis=1) + 5000.0
    drawn = np.array([drawn_week(past, (0, 108), 0.0, 0.0, 1, np.random.default_rng(k)) for k in range(60)])
    assert (drawn[:, :108] == drawn[:, :1]).all()
    assert (drawn[:, 108:] == drawn[:, 108:109]).all()
    assert 0.2 < (drawn[:, 0] == drawn[:, 110]).mean() < 0.5


# ---------------------------------------------------------------- predictions


@pytest.fixture(scope="module")
def made(counts):
    return cs.predict_queue(counts, ORIGIN, horizon_h=48, draws=16, rng=3)


def test_nothing_after_the_origin_is_used(counts, made):
    hour = counts.hour(ORIGIN)
    later = counts.time_h > hour
    other = QueueCounts(counts.start, counts.time_h, np.where(later, 17.0, counts.count))
    assert np.array_equal(cs.predict_queue(other, ORIGIN, horizon_h=48, draws=16, rng=3).draws, made.draws)
    for rule in (last_value, hour_of_week):
        here, there = (rule(one, made.origin, made.time_h) for one in (counts, other))
        assert np.array_equal(here.draws, there.draws)


def test_a_prediction_is_the_same_for_any_number_of_workers_and_begins_at_the_last_count(counts, made):
    two = cs.predict_queue(counts, ORIGIN, horizon_h=48, draws=16, rng=3, workers=2)
    assert np.array_equal(two.draws, made.draws)
    assert made.origin == counts.instant(counts.time_h[counts.time_h <= counts.hour(ORIGIN)][-1])
    start = cs.predict_queue(counts, ORIGIN, horizon_h=48, draws=16, rng=3, time_h=[0.02]).draws
    assert start.mean() == pytest.approx(204, abs=2)


def test_the_bands_lie_in_each_other_and_the_table_tells_them(made):
    low50, high50 = made.band(0.5)
    low90, high90 = made.band(0.9)
    assert (low90 <= low50).all()
    assert (low50 <= high50).all()
    assert (high50 <= high90).all()
    table = made.table()
    assert table["high_90%"].tolist() == high90.tolist()
    assert table.time_utc.iloc[0] == made.origin + dt.timedelta(hours=1)


def test_the_scores_of_a_prediction_are_those_of_its_bands(made):
    seen = made.quantile(0.5) + 1.0
    scores = made.score(seen, 24.0)
    low, high = (end[:24] for end in made.band(0.9))
    assert scores["interval_score_90%"] == cs.statistics.interval_score(low, high, seen[:24], 0.9).mean()
    assert scores["coverage_50%"] == cs.statistics.coverage(*(end[:24] for end in made.band(0.5)), seen[:24])
    assert scores["absolute_error"] == 1.0
    assert scores["counts"] == 24


def made_up_counts(study):
    """Seven weeks of a border whose weeks differ by a level from 85 to 115 %, with a rise each Sunday."""
    rng = np.random.default_rng(100 + study)
    base = 4.0 + 4.0 * (np.arange(168) % 24 > 8) + 30.0 * np.isin(np.arange(168), range(148, 154))
    count, series = 200.0, []
    for _week in range(7):
        for joins in rng.poisson(base * rng.uniform(0.85, 1.15)):
            count = max(count + joins - rng.poisson(9.5 * min(count / 29.0, 1.0)), 0.0)
            series.append(count)
    return QueueCounts(dt.datetime(2025, 1, 6), np.arange(1.0, len(series) + 1.0), np.array(series))


def share_held(studies, draws, horizon_h):
    """Share of the counts of made-up borders that the 90 % bands hold."""
    held = []
    for study in studies:
        border = made_up_counts(study)
        origin = border.instant(6 * 168 - 40.0)
        found = cs.predict_queue(border, origin, horizon_h=horizon_h, draws=draws, rng=study)
        held.append(found.score(border.at(border.hour(found.origin) + found.time_h))["coverage_90%"])
    return float(np.mean(held))


def test_the_bands_hold_the_counts_of_made_up_borders():
    assert share_held(range(6), 20, 168.0) > 0.7


@pytest.mark.long
def test_the_bands_hold_the_counts_of_many_made_up_borders_as_often_as_they_say():
    assert 0.84 < share_held(range(20), 48, 168.0) < 0.99


def test_the_simulated_prediction_of_chop_scores_better_than_both_rules(counts):
    origins = [dt.datetime(2025, 7, day, 12, 30) for day in (4, 9, 14)]
    found = cs.rolling_scores(counts, origins, draws=16, rng=1, workers=1)
    table = found.table().set_index(["horizon_h", "method"])
    assert set(table.index) == {
        (horizon, method)
        for horizon in (24.0, 72.0, 168.0)
        for method in ("simulated", "last value", "hour-of-week mean")
    }
    for horizon in (24.0, 72.0, 168.0):
        for other in ("last value", "hour-of-week mean"):
            for score in ("interval_score_90%", "crps"):
                mine, theirs = table.loc[(horizon, "simulated"), score], table.loc[(horizon, other), score]
                assert mine < theirs, (horizon, other, score)
    assert (table.origins == 3).all()


def test_counts_with_a_day_missing_are_predicted_and_origins_in_the_gap_are_left_out(counts):
    hour = counts.hour(dt.datetime(2025, 7, 5))
    known = (counts.time_h < hour) | (counts.time_h > hour + 24.0)
    holes = QueueCounts(counts.start, counts.time_h[known], counts.count[known])
    found = cs.rolling_scores(holes, every_h=12.0 * 24, horizons_h=[24.0], draws=4, rng=1, workers=1)
    whole = cs.rolling_scores(counts, every_h=12.0 * 24, horizons_h=[24.0], draws=4, rng=1, workers=1)
    assert len(found.predictions["simulated"]) == len(whole.predictions["simulated"]) == 2
    assert np.isfinite(found.table().drop(columns="method").to_numpy(dtype=float)).all()
    late = [counts.instant(hour + 12.0)]
    with pytest.raises(ArgumentError, match="at most 3 h after a count"):
        cs.rolling_scores(holes, late, draws=4, rng=1, workers=1)


def test_the_bands_of_the_rules_are_those_of_what_was_seen():
    hours = np.arange(0.0, 5 * 168.0 + 1.0)
    level = np.append(100.0, np.repeat([100.0, 110.0, 120.0, 130.0, 140.0], 168))
    steps = QueueCounts(dt.datetime(2025, 1, 6), hours, level)
    ahead = np.array([10.0, 30.0])
    mean = hour_of_week(steps, steps.instant(hours[-1]), ahead)
    assert mean.quantile(0.5) == pytest.approx([120.0, 120.0], abs=6.0)
    low, high = mean.band(0.9)
    assert (high - low) == pytest.approx(40.0 * np.sqrt(6 / 4), rel=0.05)
    last = last_value(steps, steps.instant(hours[-1]), ahead)
    assert last.quantile(0.5) == pytest.approx([140.0, 140.0])


# ---------------------------------------------------------------- the packaged scenario


def test_the_packaged_scenario_is_the_mean_of_the_weeks_before_it_and_the_queue_of_its_hour(counts):
    packaged, made = cs.load_scenario("chop_zahony_2025"), calibrated_scenario(counts, ORIGIN)
    for name in WEEKDAYS:
        flow = f"trucks_{name}"
        assert packaged.corridor.flows[flow].per_day == pytest.approx(made.corridor.flows[flow].per_day, abs=0.02)
        assert packaged.corridor.profiles[flow].hour == pytest.approx(made.corridor.profiles[flow].hour, abs=0.006)
    assert packaged.corridor.flows["inside"] == made.corridor.flows["inside"]
    here, there = (one.run.initial_queue["line"] for one in (packaged, made))
    assert here.count == there.count == 175
    assert here.over_h == pytest.approx(there.over_h, abs=0.01)
    for stage in ("stay", "lanes"):
        here, there = (one.corridor.checkpoints["chop_ua"].exit[stage].service for one in (packaged, made))
        assert here.mean_h == pytest.approx(there.mean_h, abs=1e-6)
    assert abs((packaged.run.start - made.run.start).total_seconds()) < 1.0


# ---------------------------------------------------------------- calls and commands


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda c: cs.predict_queue(c, dt.datetime(2025, 6, 20)), "needs 3 weeks of counts before its origin, got 1"),
        (lambda c: cs.predict_queue(c, dt.datetime(2025, 8, 20)), "at most 3 h after a count"),
        (lambda c: cs.predict_queue(c, "2025-07-20"), "the instant must be a date and time"),
        (lambda c: cs.predict_queue(c, ORIGIN, horizon_h=200), "horizon_h must be a finite number"),
        (lambda c: cs.predict_queue(c, ORIGIN, draws=1), "draws must be a whole number >= 2"),
        (lambda c: cs.predict_queue(c, ORIGIN, time_h=[200.0]), "time_h must be hours from 0"),
        (lambda c: cs.predict_queue(c, ORIGIN, queue="chop"), "queue must be a WeeklyQueue"),
        (lambda c: cs.predict_queue(3), "source must be a path"),
        (lambda c: cs.rolling_scores(c, horizons_h=[]), "at least one horizon"),
        (lambda c: cs.rolling_scores(c, []), "no origin"),
        (lambda c: cs.WeeklyQueue(**{**vars(CHOP), "capacity_per_h": (9.0, 8.0)}), "capacity_per_h must be"),
        (lambda c: cs.WeeklyQueue(**{**vars(CHOP), "smooth_h": 2}), "odd number of hours"),
        (lambda c: cs.WeeklyQueue(**{**vars(CHOP), "begins": (200,)}), "begins must be a whole number"),
        (lambda c: cs.WeeklyQueue(**{**vars(CHOP), "begins": ()}), "begins must be a whole number"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_clear_error(counts, call, told):
    with pytest.raises(CorridorError, match=told):
        call(counts)


def test_the_picture_has_bands_counts_and_units(counts, made):
    ax = made.plot.prediction(counts=counts)
    assert ax.get_ylabel() == "vehicles in the queue [1]"
    assert ax.get_xlabel() == "date (UTC)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["90% band", "50% band", "median", "counted"]
    with pytest.raises(ValueError, match=r"cs\.predict_queue"):
        cs.fit_law([1.0, 2.0, 3.0]).plot.prediction()


def test_the_command_predicts_and_scores(tmp_path):
    words = ["predict", "chop_zahony_2025", "--draws", 4, "--seed", 1, "--workers", 1, "--quiet"]
    told = called(*words, "--origin", "2025-07-12", "--days", 1, "--picture", tmp_path / "prediction.png")
    assert told.exit_code == 0, told.stderr
    assert "low 90%" in told.stdout
    assert len(told.stdout.splitlines()) == 25
    assert (tmp_path / "prediction.png").stat().st_size > 10_000
    found = json.loads(called(*words, "--scores", "--every-hours", 400, "--format", "json").stdout)
    assert {row["method"] for row in found["rows"]} == {"simulated", "last value", "hour-of-week mean"}
    assert called(*words, "--scores", "--origin", "2025-07-12").exit_code == 2
    assert called("predict", tmp_path / "none.csv").exit_code == 2
