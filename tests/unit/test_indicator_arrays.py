"""What is worked out for many rows at once is what one row after the other gives."""

import numpy as np
import pytest
from test_indicators_base import busy_border

from corridor_sim.indicators import Collector
from corridor_sim.indicators.components import COMPONENTS, Components, _MeanVisits
from corridor_sim.indicators.distributions import STAY_STEPS_H
from corridor_sim.indicators.queue_marks import MarkGroups, PostReadings, QueueMarks, upper_percentile
from corridor_sim.indicators.shared_sums import SpanDays, SpanSums, StayTimes, by_period
from corridor_sim.records.visits import chunk_of


@pytest.fixture(scope="module")
def collector():
    made = busy_border(horizon_h=60.0, warm_up_h=12.0)
    found = Collector(made.plan, range(5))
    found.add(chunk_of(made))
    found.finish()
    return found


def test_all_journeys_at_once_are_each_flow_alone(collector):
    components, spans, scope = collector.shared(Components), collector.shared(SpanSums), collector.scope
    compared = 0
    for n, place in scope.places("flow"):
        (flow,) = spans.flows_at(n)
        begun = spans.of(spans.begun, n)
        alone = _MeanVisits(components, scope.flow_elements[flow], begun, place, (flow,))
        for name in COMPONENTS:
            expected = np.where(begun > 0, alone.hours_of(name), np.nan)
            found = components.journeys.mean_h(name)[flow]
            assert found.tobytes() == expected.tobytes(), (place, name)
            compared += int(np.nansum(expected) > 0)
    assert compared >= 4


def test_hours_of_marks_are_read_as_hour_by_hour(collector):
    readings, marks, scope = collector.shared(PostReadings), collector.shared(QueueMarks), collector.scope
    for k, element in enumerate(scope.plan.elements):
        for mark in (0, 7, len(marks.mark_h) - 1):
            assert np.array_equal(marks.waiting_at(k, mark), marks.waiting(k)[:, mark]), element.id
    queued = 0
    for (post, _), elements in scope.post_elements.items():
        waiting, hour = marks.waiting(*elements), scope.clock(post).hour_before(marks.mark_h) % 24
        found = readings.by_hour(elements, post)
        for h in range(24):
            here = np.sort(waiting[:, hour == h], axis=1)
            assert np.array_equal(found[h, 0], here.sum(axis=1) / here.shape[1])
            for k, percent in enumerate(readings.PERCENTS, 1):
                assert np.array_equal(found[h, k], upper_percentile(here, percent))
            assert np.array_equal(found[h, -1], here.max(axis=1))
            queued += int(here.max())
        first, mean = readings.by_period(elements, post)
        day = np.ceil(scope.clock(post).shown_h(marks.mark_h, before=True) / 24.0) - 1
        for k, begin in enumerate(first):
            inside = waiting[:, (day >= begin) & (day < begin + scope.period_days)]
            expected = inside.sum(axis=1) / inside.shape[1] if inside.shape[1] else np.full(5, np.nan)
            assert np.array_equal(mean[k], expected, equal_nan=True)
    assert queued


def test_groups_of_marks_need_no_order_and_no_equal_number():
    group = np.array([2, 0, 2, 1, 0, 2, 5])
    waiting = np.arange(14, dtype=np.int32).reshape(2, 7) ** 2
    groups = MarkGroups(group)
    there, mean = groups.means(waiting)
    assert there.tolist() == [0, 1, 2, 5]
    for k, value in enumerate(there):
        assert np.array_equal(mean[k], waiting[:, group == value].mean(axis=1))
    seen = {int(g): sorted(m.tolist()) for some, marks in groups.by_number() for g, m in zip(some, marks, strict=True)}
    assert seen == {int(g): np.flatnonzero(group == g).tolist() for g in there}


def test_shares_of_several_limits_are_each_alone(collector):
    times, scope = collector.shared(StayTimes), collector.scope
    for n, _ in scope.places("post"):
        found = times.shares_within(n, STAY_STEPS_H)
        for k, limit_h in enumerate(STAY_STEPS_H):
            assert np.array_equal(found[k], times.share_within(n, limit_h), equal_nan=True)
        assert 0 < np.nanmax(found) <= 1


def test_sums_by_period_are_those_of_their_days(collector):
    days, scope = collector.shared(SpanDays), collector.scope
    for n, (_, post, _) in scope.places("post"):
        first, found = by_period(days.begun(n), scope, post)
        for k, begin in enumerate(first):
            upto = min(begin + scope.period_days, scope.days(post))
            assert np.array_equal(found[k], days.begun(n)[:, begin:upto].sum(axis=1))
        assert found.sum() > 0


@pytest.mark.parametrize("length", [1, 7, 30])
def test_a_period_of_many_days_sums_as_it_does_alone(collector, length):
    class View:
        period_days = length

        def days(self, post):
            return 100

    values = np.random.default_rng(4).lognormal(size=(3, 101))
    first, found = by_period(values, View())
    for k, begin in enumerate(first):
        assert np.array_equal(found[k], values[:, begin : min(begin + length, 100)].sum(axis=1))
