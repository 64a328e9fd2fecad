"""Invariants that are about whole runs or stochastic, with the numbers of docs/invariants.md.

What is stochastic is compared within four standard errors of independent replications.
"""

import itertools

import numpy as np
import pytest
from event_plans import change, play, station
from event_strategies import trucks
from hypothesis import given
from hypothesis import strategies as st
from small_corridor import small

from corridor_sim import queues
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.model import improvements as im
from corridor_sim.plan.build import make_plan

ROWS, CUSTOMERS = 400, 4000


def arrivals(rate, rng, rows=ROWS, customers=CUSTOMERS):
    return rng.exponential(1 / rate, (rows, customers)).cumsum(axis=1)


def leaving(arrive_h, service_h, lanes=1):
    return queues.fifo(arrive_h, service_h, lanes) + service_h


def waits(arrive_h, service_h, lanes=1):
    return queues.fifo(arrive_h, service_h, lanes) - arrive_h


def assert_equal_means(a, b, standard_errors=4.0):
    """Means of two sets of independent replications."""
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    assert abs(a.mean() - b.mean()) <= standard_errors * error


@given(trucks("AB"), st.data())
def test_24_in_a_tandem_of_single_lanes_faster_fewer_and_earlier_trucks_delay_nobody_anywhere(rows, data):
    rows = [change(row, flow=0) for row in rows]
    line = [station("A"), station("B")]
    base = play(line, rows)
    faster = [change(row, take={id: data.draw(st.integers(0, s)) for id, s in row.take.items()}) for row in rows]
    earlier = [change(row, release=max(0, row.release - 2)) for row in rows]
    gone = data.draw(st.integers(0, len(rows) - 1))
    for id in "AB":
        for better in (play(line, faster), play(line, earlier)):
            assert all(x <= y for x, y in zip(better.leave(id), base.leave(id), strict=True))
        if len(rows) > 1:
            left = [time for k, time in enumerate(base.leave(id)) if k != gone]
            fewer = play(line, rows[:gone] + rows[gone + 1 :]).leave(id)
            assert all(x <= y for x, y in zip(fewer, left, strict=True))


def test_40_improvements_at_different_stations_commute_and_leave_the_base_alone():
    base = small()
    before = fingerprint(make_plan(base))
    some = {
        "lane": im.AddLanes(at="checkpoints.samur_az.exit.documents", lanes=1, from_="2024-01-05"),
        "fast": im.ServiceTimeChange(at="checkpoints.samur_ru.entry.documents", factor=0.5, from_="2024-01-08"),
        "more": im.DemandGrowth(factor=1.1),
    }
    plans = {
        fingerprint(make_plan(base.with_improvements(**dict(order)))) for order in itertools.permutations(some.items())
    }
    assert len(plans) == 1
    assert plans != {before}
    assert fingerprint(make_plan(base)) == before
    assert base.with_improvements() == base


def test_45_poisson_arrivals_see_what_time_sees():
    rng = np.random.default_rng(45)
    arrive_h = arrivals(0.7, rng, rows=150)
    leave_h = leaving(arrive_h, rng.exponential(1.0, arrive_h.shape))
    end_h = arrive_h[:, -1]
    for n in (0, 1, 3):
        seen, time = [], []
        for arrive, leave, end in zip(arrive_h, np.sort(leave_h, axis=1), end_h, strict=True):
            present = np.arange(len(arrive)) - np.searchsorted(leave, arrive, side="left")
            seen.append((present == n).mean())
            instants = np.sort(np.concatenate([arrive, leave[leave <= end]]))
            level = np.searchsorted(arrive, instants[:-1], "right") - np.searchsorted(leave, instants[:-1], "right")
            time.append(np.diff(instants)[level == n].sum() / end)
        difference = np.array(seen) - np.array(time)
        assert abs(difference.mean()) <= 4 * difference.std(ddof=1) / np.sqrt(len(difference)) + 1 / CUSTOMERS


def test_46_departures_of_a_markov_queue_are_poisson():
    rng = np.random.default_rng(46)
    arrive_h = arrivals(2.1, rng)
    leave_h = np.sort(leaving(arrive_h, rng.exponential(1.0, arrive_h.shape), 3), axis=1)
    edges = np.arange(200.0, 1700.0, 10.0)
    counts = np.stack([np.histogram(row, edges)[0] for row in leave_h])
    dispersion = counts.var(axis=1, ddof=1) / counts.mean(axis=1)
    assert abs(dispersion.mean() - 1) <= 4 * dispersion.std(ddof=1) / np.sqrt(len(dispersion))
    assert abs(counts.mean() - 21) <= 4 * counts.mean(axis=1).std(ddof=1) / np.sqrt(len(counts))


def test_47_exchanging_exponential_single_lane_stations_leaves_the_exits_alone_in_law():
    def sojourns(means, seed):
        rng = np.random.default_rng(seed)
        arrive_h = arrivals(0.5, rng)
        first = leaving(arrive_h, rng.exponential(means[0], arrive_h.shape))
        return (leaving(first, rng.exponential(means[1], arrive_h.shape)) - arrive_h)[:, ::40]

    one, other = sojourns((0.9, 1.4), 47), sojourns((1.4, 0.9), 48)
    assert_equal_means(one.mean(axis=1), other.mean(axis=1))
    assert_equal_means((one > 6).mean(axis=1), (other > 6).mean(axis=1))


def test_51_waits_grow_with_variability_and_pooling_lowers_the_mean():
    rng = np.random.default_rng(51)
    arrive_h = arrivals(1.6, rng)
    uniform = rng.random((4, *arrive_h.shape))
    services = {
        "constant": np.ones_like(arrive_h),
        "erlang": -np.log1p(-uniform).mean(axis=0),
        "exponential": -np.log1p(-uniform[0]),
        "hyperexponential": -np.log1p(-uniform[0]) * np.where(uniform[1] < 0.5, 0.25, 1.75),
    }
    wait_h = {name: waits(arrive_h, service_h, 2).mean(axis=1) for name, service_h in services.items()}
    for less, more in itertools.pairwise(services):
        difference = wait_h[more] - wait_h[less]
        assert difference.mean() > 4 * difference.std(ddof=1) / np.sqrt(len(difference)), (less, more)
    apart = arrivals(0.8, rng)
    alone = waits(apart, services["exponential"]).mean(axis=1)
    assert alone.mean() > 2 * wait_h["exponential"].mean()


def test_52_beyond_its_capacity_a_queue_grows_by_the_difference_of_the_rates():
    rng = np.random.default_rng(52)
    arrive_h = arrivals(2.5, rng)
    leave_h = leaving(arrive_h, rng.exponential(1.0, arrive_h.shape), 2)
    until_h = 1200.0
    left = (arrive_h <= until_h).sum(axis=1) - (leave_h <= until_h).sum(axis=1)
    growth = left / until_h
    assert abs(growth.mean() - 0.5) <= 4 * growth.std(ddof=1) / np.sqrt(len(growth)) + 5 / until_h


def test_53_common_random_numbers_pay_and_others_do_not():
    def means(mean_h, seed):
        rng = np.random.default_rng(seed)
        arrive_h = arrivals(0.8, rng)
        return waits(arrive_h, rng.exponential(1.0, arrive_h.shape) * mean_h).mean(axis=1)

    base = means(1.0, 53)
    assert np.corrcoef(base, means(0.96, 53))[0, 1] > 0.9
    assert abs(np.corrcoef(base, means(0.96, 54))[0, 1]) < 4 / np.sqrt(ROWS)


def test_55_a_run_from_empty_underestimates_the_wait_until_it_has_warmed_up():
    rng = np.random.default_rng(55)
    arrive_h = arrivals(0.9, rng)
    wait_h = waits(arrive_h, rng.exponential(1.0, arrive_h.shape))
    exact_h = 0.9 / (1 - 0.9)
    early, late = wait_h[:, :100].mean(axis=1), wait_h[:, 2000:].mean(axis=1)
    assert early.mean() < exact_h - 10 * early.std(ddof=1) / np.sqrt(ROWS)
    assert abs(late.mean() - exact_h) <= 4 * late.std(ddof=1) / np.sqrt(ROWS)


@pytest.mark.parametrize("ranks", [(0, 1), (1, 0)])
def test_50_ranks_move_waits_between_classes_and_leave_their_weighted_sum_alone(ranks):
    rng = np.random.default_rng(50)
    arrive_h = arrivals(0.7, rng, rows=20, customers=3000)
    long = rng.random(arrive_h.shape) < 0.4
    service_h = rng.exponential(1.0, arrive_h.shape) * np.where(long, 1.6, 0.6)
    rank = np.where(long, ranks[0], ranks[1])

    def work_weighted(start_h):
        return (service_h * (start_h - arrive_h)).sum(axis=1) / service_h.sum(axis=1)

    ranked = work_weighted(queues.priority(arrive_h, service_h, rank, 1))
    np.testing.assert_allclose(ranked, work_weighted(queues.fifo(arrive_h, service_h, 1)), rtol=1e-9)
