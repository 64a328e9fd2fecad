"""What must hold on the event engine whatever the numbers: docs/invariants.md, by its number.

Times are whole numbers in a small range, so that ties are the rule, and every
comparison is exact.
"""

from heapq import heapreplace
from itertools import pairwise

import numpy as np
import pytest
from event_plans import Truck, change, dated, ferry, make, play, station
from event_strategies import lanes, outages, stations, trucks
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines.event import simulate
from corridor_sim.plan.elements import Delay, LimitedLeg, PlanOutage

many = settings(max_examples=100, deadline=None, derandomize=True)
few = settings(max_examples=50, deadline=None, derandomize=True)

CUTTING = ("finish", "suspend", "restart", "no_overrun")
small = st.integers(0, 6)


@st.composite
def lines(draw, most=3):
    """A line of stations with any mechanism, and trucks that visit all of it."""
    count = draw(st.integers(1, most))
    elements = [draw(stations("ABC"[k], draw(st.sampled_from([None, None, 0, 1, 2])))) for k in range(count)]
    return elements, draw(trucks("ABC"[:count]))


@st.composite
def hours(draw, longest=6):
    """Dated lanes with closed pieces, every open one long enough for any service, with a policy."""
    at, value = [0], [draw(st.integers(1, 3))]
    for _ in range(draw(st.integers(0, 3))):
        at.append(at[-1] + draw(st.integers(longest, 12)))
        at.append(at[-1] + draw(st.integers(1, 7)))
        value += [0, draw(st.integers(1, 3))]
    return StepFunction(at, value)


def rows_of(out, id):
    """Visits to one element as tuples (join, number, start, finish, leave, service)."""
    columns = [getattr(out, name)(id) for name in ("join", "start", "finish", "leave", "service")]
    return [(k, *row) for k, row in enumerate(zip(*columns, strict=True)) if row[0] is not None]


def no_later(these, those):
    return all(x <= y for x, y in zip(these, those, strict=True))


# -- A. accounting --------------------------------------------------------------------------


@many
@given(lines())
def test_01_02_time_present_is_the_integral_of_the_number_present_and_nobody_vanishes(line):
    elements, rows = line
    horizon = 25
    out = play(elements, rows, horizon_h=horizon)
    for element in elements:
        visits = rows_of(out, element.id)
        spans = [(join, horizon if leave is None else leave) for _, join, _, _, leave, _ in visits]
        present = [sum(join <= t < leave for join, leave in spans) for t in range(horizon)]
        assert sum(present) == sum(leave - join for join, leave in spans)
    for k, row in enumerate(rows):
        assert row.release > horizon or out.join("A")[k] == row.release
        for here, there in zip("AB", "BC", strict=True):
            if there in [element.id for element in elements]:
                assert out.leave(here)[k] == out.join(there)[k]
        assert out.depart[k] == out.leave(elements[-1].id)[k]


@many
@given(lines())
def test_03_07_times_add_up_and_keep_their_order(line):
    elements, rows = line
    out = play(elements, rows)
    for k, row in enumerate(rows):
        if out.depart[k] is None:  # reservations may leave a class without a lane for good
            continue
        total = 0
        for element in elements:
            join, start, finish, leave, service = (
                getattr(out, name)(element.id)[k] for name in ("join", "start", "finish", "leave", "service")
            )
            assert join <= start
            assert start + service <= finish <= leave
            assert service == row.take[element.id]
            total += (start - join) + service + (finish - start - service) + (leave - finish)
            if element.closing in ("finish", "no_overrun", "clear_queue") and not element.outages:
                assert finish == start + service
        assert out.depart[k] - row.release == total


@many
@given(hours(), trucks("A"), st.sampled_from(["suspend", "finish", "restart"]))
def test_04_a_suspended_service_gets_exactly_its_work_and_a_restarted_one_no_less(calendar, rows, closing):
    out = play([station("A", calendar, closing=closing)], rows)
    for _, _, start, finish, _, service in rows_of(out, "A"):
        open_h = sum(calendar.at(t) > 0 for t in range(int(start), int(finish)))
        assert {"suspend": open_h == service, "restart": open_h >= service, "finish": True}[closing]


@many
@given(lanes(), trucks("A"), st.sampled_from([None, (0, 1, 2)]))
def test_05_06_no_more_in_service_than_lanes_except_overrunning_and_none_idle_while_one_waits(calendar, rows, rank):
    out = play([station("A", calendar, rank=rank)], rows)
    visits = rows_of(out, "A")
    for _, _, start, finish, _, _ in visits:
        if finish > start:
            others = sum(s <= start < f for _, _, s, f, _, _ in visits)
            assert others <= calendar.at(start)
    for t in range(60):
        busy = sum(s <= t < f for _, _, s, f, _, _ in visits)
        waiting = sum(j <= t < s for _, j, s, _, _, _ in visits)
        assert not waiting or busy >= calendar.at(t)
        assert busy <= max(calendar.at(u) for u in range(t + 1))


@many
@given(st.integers(0, 2), st.integers(1, 2), trucks("AB"))
def test_05_no_more_in_the_yard_than_places(yard, count, rows):
    out = play([station("A", 3), station("B", count, yard=yard)], rows)
    visits = rows_of(out, "B")
    for t in range(80):
        assert sum(join <= t < start for _, join, start, _, _, _ in visits) <= yard


@many
@given(st.integers(0, 4), st.integers(1, 3), trucks("A"))
def test_05_a_leg_keeps_its_headway_and_its_limit(headway, most, rows):
    out = play([LimitedLeg(id="A", headway_h=dated(headway), max_vehicles=dated(most))], rows)
    entries = sorted(out.start("A"))
    assert all(later - earlier >= headway for earlier, later in pairwise(entries))
    for t in range(80):
        assert sum(s <= t < leave for _, _, s, _, leave, _ in rows_of(out, "A")) <= most


sailing_lists = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=6).map(sorted)


@many
@given(sailing_lists, trucks("F"))
def test_05_no_sailing_takes_more_than_its_places(sailings, rows):
    boat = ferry("F", [s for s, _ in sailings], places=[p for _, p in sailings])
    starts = play([boat], rows).start("F")
    for at in {s for s, _ in sailings}:
        assert starts.count(at) <= sum(p for s, p in sailings if s == at)


# -- B. order -------------------------------------------------------------------------------


@many
@given(hours(), trucks("A"), st.sampled_from([*CUTTING, "clear_queue"]))
def test_09_starts_follow_joining_time_and_number(calendar, rows, closing):
    out = play([station("A", calendar, closing=closing)], rows)
    starts = [start for _, _, start, *_ in sorted(rows_of(out, "A"), key=lambda row: (row[1], row[0]))]
    assert starts == sorted(starts)


@many
@given(trucks("A"), st.integers(1, 3), small, st.integers(0, 3))
def test_10_nobody_is_overtaken_where_that_cannot_be(rows, count, service, headway):
    equal = [Truck(row.release, {"A": service}) for row in rows]
    leg = LimitedLeg(id="A", headway_h=dated(headway))
    strict = LimitedLeg(id="A", headway_h=dated(headway), no_overtaking=True)
    for element, load in ((station("A"), rows), (station("A", count), equal), (leg, equal), (strict, rows)):
        depart = play([element], [change(row, flow=0) for row in load]).depart
        assert depart == sorted(depart)


@many
@given(lanes(), trucks("A"), st.permutations([0, 1, 2]))
def test_11_nobody_more_urgent_who_is_there_waits_when_one_starts(calendar, rows, rank):
    out = play([station("A", calendar, rank=tuple(rank))], rows)
    visits = rows_of(out, "A")
    for k, join, start, *_ in visits:
        for other, its_join, its_start, *_ in visits:
            mine, its = rank[rows[k].flow], rank[rows[other].flow]
            if its_join <= start and (its, its_join, other) < (mine, join, k):
                assert its_start <= start


@many
@given(lines(), st.integers(0, 5))
def test_12_equal_ranks_are_first_come_first_served(line, rank):
    elements, rows = line
    elements = [change(element, rank=None) for element in elements]
    ranked = [change(element, rank=(rank,) * 3) for element in elements]
    fifo, same = play(elements, rows), play(ranked, rows)
    for element in elements:
        assert rows_of(fifo, element.id) == rows_of(same, element.id)


@many
@given(trucks("A"), st.permutations([0, 1, 2]))
def test_13_the_busy_periods_of_one_lane_do_not_depend_on_the_ranks(rows, rank):
    def busy(ranks):
        visits = rows_of(play([station("A", rank=ranks)], rows), "A")
        return [any(s <= t < f for _, _, s, f, _, _ in visits) for t in range(80)]

    assert busy(None) == busy(tuple(rank))


@many
@given(trucks("A"), st.integers(1, 3))
def test_14_the_less_urgent_cost_the_most_urgent_at_most_one_service_on_one_lane_and_never_help(rows, count):
    urgent = [row for row in rows if row.flow == 0]
    assume(urgent)
    together = play([station("A", count, rank=(0, 1, 1))], rows).start("A")
    alone = play([station("A", count)], urgent).start("A")
    together = [start for start, row in zip(together, rows, strict=True) if row.flow == 0]
    assert no_later(alone, together)
    if count == 1:
        largest = max((row.take["A"] for row in rows if row.flow != 0), default=0)
        assert all(x <= y + largest for x, y in zip(together, alone, strict=True))


# -- C. monotonicity, where it holds truck by truck -----------------------------------------


@many
@given(lanes(), lanes(), trucks("A"))
def test_15_more_lanes_delay_nobody(few_lanes, extra, rows):
    at = sorted({*few_lanes.from_h.tolist(), *extra.from_h.tolist()})
    more = StepFunction(at, few_lanes(at) + extra(at))
    base, better = play([station("A", few_lanes)], rows), play([station("A", more)], rows)
    assert no_later(better.start("A"), base.start("A"))
    assert no_later(better.depart, base.depart)


@many
@given(st.data(), trucks("A"), st.sampled_from(CUTTING), st.integers(1, 2))
def test_16_longer_hours_delay_nobody(data, rows, closing, count):
    base = data.draw(hours())
    short = StepFunction(base.from_h, np.minimum(base.value, 1) * count)
    closed = [(a, b) for a, b in zip(short.from_h, short.from_h[1:], strict=False) if short.at(a) == 0]
    assume(closed)
    begin, end = data.draw(st.sampled_from(closed))
    cut = data.draw(st.integers(0, int(end - begin)))
    at = sorted({*short.from_h.tolist(), float(begin + cut)})
    longer = StepFunction(at, [count if begin <= t < begin + cut else short.at(t) for t in at])
    one, two = (play([station("A", lanes, closing=closing)], rows) for lanes in (short, longer))
    assert no_later(two.start("A"), one.start("A"))
    assert no_later(two.depart, one.depart)


@many
@given(hours(), trucks("A"), st.sampled_from(CUTTING), st.data())
def test_17_18_19_faster_fewer_and_earlier_trucks_delay_nobody(calendar, rows, closing, data):
    rows = [change(row, flow=0) for row in rows]
    one = station("A", calendar, closing=closing)
    base = play([one], rows)
    faster = [change(row, take={"A": data.draw(st.integers(0, row.take["A"]))}) for row in rows]
    assert no_later(play([one], faster).depart, base.depart)
    keep = [k for k in range(len(rows)) if data.draw(st.booleans())]
    fewer = play([one], [rows[k] for k in keep])
    assert no_later(fewer.depart, [base.depart[k] for k in keep])
    earlier = [data.draw(st.integers(0, int(row.release))) for row in rows]
    earlier = [max(earlier[: k + 1]) for k in range(len(rows))]
    assume(all(e <= row.release for e, row in zip(earlier, rows, strict=True)))
    sooner = play([one], [change(row, release=e) for row, e in zip(rows, earlier, strict=True)])
    assert no_later(sooner.start("A"), base.start("A"))
    assert no_later(sooner.depart, base.depart)


@many
@given(trucks("A"), st.integers(1, 3), st.data(), st.sampled_from(["resume", "restart", "finish"]))
def test_20_outages_help_nobody(rows, count, data, policy):
    down = data.draw(outages(lane=count))
    base = play([station("A", count)], rows)
    worse = play([station("A", count, outages=down, outage_policy=policy)], rows)
    assert no_later(base.start("A"), worse.start("A"))
    assert no_later(base.depart, worse.depart)


def test_20_one_outage_more_may_help_by_sending_a_truck_to_the_better_lane():
    def finish(*down):
        return play([station("A", 2, outages=down)], [Truck(5, {"A": 2})]).finish("A")

    assert finish(PlanOutage(from_h=6, until_h=7, lane=1)) == [8]
    assert finish(PlanOutage(from_h=6, until_h=7, lane=1), PlanOutage(from_h=0, until_h=6, lane=1)) == [7]


@many
@given(sailing_lists, trucks("F"), st.integers(0, 20), st.integers(0, 3), st.data())
def test_21_more_places_or_one_more_sailing_delay_nobody_and_sailings_of_one_instant_add_up(
    sailings, rows, at, places, data
):
    def starts(list_of_sailings):
        boat = ferry("F", [s for s, _ in list_of_sailings], places=[p for _, p in list_of_sailings])
        return [np.inf if start is None else start for start in play([boat], rows).start("F")]

    base = starts(sailings)
    assert no_later(starts(sorted([*sailings, (at, places)])), base)
    assert no_later(starts([(s, p + data.draw(small)) for s, p in sailings]), base)
    summed = {}
    for s, p in sailings:
        summed[s] = summed.get(s, 0) + p
    assert starts(sorted(summed.items())) == base


@many
@given(trucks("A"), small, small, st.integers(1, 3), st.integers(0, 2), small)
def test_22_a_smaller_headway_and_a_larger_limit_delay_nobody(rows, headway, less, most, more, travel):
    rows = [change(row, take={"A": travel}) for row in rows]
    base = play([LimitedLeg(id="A", headway_h=dated(headway + less), max_vehicles=dated(most))], rows)
    better = play([LimitedLeg(id="A", headway_h=dated(headway), max_vehicles=dated(most + more))], rows)
    assert no_later(better.start("A"), base.start("A"))
    assert no_later(better.depart, base.depart)


@many
@given(trucks("ABC"), st.tuples(small, small), st.tuples(small, small), st.data())
def test_23_in_a_line_of_single_lanes_larger_yards_and_faster_services_delay_nobody(rows, yards, more, data):
    rows = [change(row, flow=0) for row in rows]

    def line(k, l):  # noqa: E741
        return [station("A"), station("B", yard=k), station("C", yard=l)]

    base = play(line(*yards), rows)
    larger = play(line(yards[0] + more[0], yards[1] + more[1]), rows)
    faster = [change(row, take={id: data.draw(st.integers(0, s)) for id, s in row.take.items()}) for row in rows]
    shorter_list = play(line(*yards), rows[:-1]) if len(rows) > 1 else None
    for better in (larger, play(line(*yards), faster)):
        for id in "ABC":
            assert no_later(better.leave(id), base.leave(id))
    if shorter_list is not None:
        assert no_later(shorter_list.depart, base.depart[:-1])


@many
@given(trucks("AB"), lanes(), lanes(), st.integers(1, 3))
def test_26_27_an_upgrade_of_the_last_station_delays_nobody_and_upstream_never_the_end_of_one_lane(
    rows, first, last, more
):
    base = play([station("A", first), station("B", last)], rows)
    better = play([station("A", first), station("B", StepFunction(last.from_h, last.value + more))], rows)
    assert no_later(better.depart, base.depart)
    one = play([station("A", first), station("B")], rows)
    wide = play([station("A", StepFunction(first.from_h, first.value + more)), station("B")], rows)
    assert max(wide.depart) <= max(one.depart)


@few
@given(trucks("AB"), lanes(), st.integers(1, 2))
def test_28_extremes(rows, calendar, count):
    assert play([station("A", 50)], rows).start("A") == [row.release for row in rows]
    free = play([LimitedLeg(id="A", headway_h=dated(0), max_vehicles=dated(99))], rows)
    assert free.depart == play([Delay(id="A")], rows).depart
    wide = play([station("A", count), station("B", calendar, yard=len(rows))], rows)
    assert wide.leave("A") == wide.finish("A")
    assert wide.depart == play([station("A", count), station("B", calendar)], rows).depart
    instant = [change(row, take={**row.take, "A": 0}) for row in rows]
    assert play([station("A"), station("B", calendar)], instant).depart == play([station("B", calendar)], rows).depart


# -- D. causality and invariance ------------------------------------------------------------


@many
@given(lines(), st.integers(0, 15), st.integers(0, 6))
def test_29_what_changes_after_t_changes_nothing_up_to_t(line, t, more):
    elements, rows = line
    later = [row if row.release <= t else change(row, release=row.release + more) for row in rows]
    changed = [
        change(
            element,
            lanes=StepFunction(
                [*element.lanes.from_h[element.lanes.from_h <= t], t + 1, t + 9],
                [*element.lanes.value[element.lanes.from_h <= t], 0, 1],
            ),
        )
        if element.named is None
        else element
        for element in elements
    ]
    one, two = play(elements, rows, horizon_h=t), play(changed, later, horizon_h=t)
    for element in elements:
        assert rows_of(one, element.id) == rows_of(two, element.id)


@many
@given(lines(), st.integers(0, 30))
def test_30_a_longer_run_holds_the_shorter_one(line, horizon):
    elements, rows = line
    short, long = play(elements, rows, horizon_h=horizon), play(elements, rows)

    def cut(values):
        return [None if value is None or value > horizon else value for value in values]

    for element in elements:
        for name in ("join", "start", "finish", "leave"):
            assert getattr(short, name)(element.id) == cut(getattr(long, name)(element.id))


def moved(element, shift, scale):
    def along(function):
        return StepFunction(function.from_h * scale + shift, function.value)

    return change(
        element,
        lanes=along(element.lanes),
        named=None if element.named is None else tuple(along(calendar) for calendar in element.named),
        outages=tuple(
            PlanOutage(from_h=o.from_h * scale + shift, until_h=o.until_h * scale + shift, lane=o.lane)
            for o in element.outages
        ),
        reserved=tuple(change(reservation, lanes=along(reservation.lanes)) for reservation in element.reserved),
    )


@many
@given(lines(), st.integers(0, 100), st.sampled_from([1, 2, 0.5]))
def test_35_36_shifting_and_scaling_time_shifts_and_scales_every_result(line, shift, scale):
    elements, rows = line
    there = [
        change(row, release=row.release * scale + shift, take={id: s * scale for id, s in row.take.items()})
        for row in rows
    ]
    # The first piece holds before its instant too, so nothing else is cut off at 0.
    base, image = play(elements, rows), play([moved(element, shift, scale) for element in elements], there)

    def carry(values):
        return [None if value is None else value * scale + shift for value in values]

    assert image.depart == carry(base.depart)
    for element in elements:
        assert image.start(element.id) == carry(base.start(element.id))


@few
@given(lines(), st.randoms(use_true_random=False))
def test_37_the_order_of_rows_does_not_matter_where_the_numbers_stay(line, random):
    elements, rows = line
    numbered = [change(row, number=k) for k, row in enumerate(rows)]
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    base, other = play(elements, numbered), play(elements, [numbered[k] for k in shuffled])
    assert [base.depart[k] for k in shuffled] == other.depart


@few
@given(trucks("AB"), stations("A", None), stations("B", 1))
def test_38_two_flows_of_one_class_are_one_flow_with_the_merged_list(rows, first, second):
    elements = [change(element, rank=None, reserved=()) for element in (first, second)]
    merged = play(elements, [change(row, flow=0) for row in rows])
    assert play(elements, rows).depart == merged.depart


# -- E. exact laws of structure --------------------------------------------------------------


@few
@given(trucks("AB"), st.integers(1, 3), st.integers(1, 3), small, small)
def test_41_stations_with_constant_services_commute(rows, c1, c2, d1, d2):
    def rows_with(first, second):
        return [Truck(row.release, {"A": first, "B": second}) for row in rows]

    there = play([station("A", c1), station("B", c2)], rows_with(d1, d2)).depart
    back = play([station("A", c2), station("B", c1)], rows_with(d2, d1)).depart
    assert there == back
    if c1 == c2 == 1:
        one = play([station("A")], [Truck(row.release, {"A": max(d1, d2)}) for row in rows]).depart
        assert there == [depart + min(d1, d2) for depart in one]


@few
@given(st.lists(st.tuples(small, small, small), min_size=1, max_size=6), small, small)
def test_42_the_line_run_backwards_takes_as_long(services, k, l):  # noqa: E741
    # The road before the first station is unlimited, so all stand there at 0 [muth1979].
    def makespan(rows, yards):
        line = [station("A"), station("B", yard=yards[0]), station("C", yard=yards[1])]
        return max(play(line, [Truck(0, dict(zip("ABC", row, strict=True))) for row in rows]).depart)

    assert makespan(services, (k, l)) == makespan([row[::-1] for row in services[::-1]], (l, k))


@many
@given(trucks("A"), st.integers(1, 3))
def test_43_constant_lanes_follow_the_recursion_of_the_earliest_free_lane(rows, count):
    free, starts = [0.0] * count, []
    for row in rows:
        starts.append(max(row.release, free[0]))
        heapreplace(free, starts[-1] + row.take["A"])
    assert play([station("A", count)], [change(row, flow=0) for row in rows]).start("A") == starts


@many
@given(trucks("ABC"), small, small)
def test_43_a_line_of_single_lanes_with_yards_follows_the_max_plus_recursion(rows, k, l):  # noqa: E741
    rows = [change(row, flow=0) for row in rows]
    yards = [None, k, l]
    leave = [[0.0] * 3 for _ in rows]
    for i, row in enumerate(rows):
        ready = row.release
        for j, id in enumerate("ABC"):
            start = max(ready, leave[i - 1][j] if i else 0)
            done = start + row.take[id]
            if j < 2 and i - yards[j + 1] - 1 >= 0:
                # To join the next station, the one as many places and a lane ahead must have left it.
                done = max(done, leave[i - yards[j + 1] - 1][j + 1])
            ready = leave[i][j] = done
    out = play([station("A"), station("B", yard=k), station("C", yard=l)], rows)
    for j, id in enumerate("ABC"):
        assert out.leave(id) == [row[j] for row in leave]


def test_44_a_deterministic_peak_makes_the_kth_wait_k_times_the_difference():
    out = play([station("A")], [Truck(2 * k, {"A": 3}) for k in range(30)])
    assert [s - j for s, j in zip(out.start("A"), out.join("A"), strict=True)] == list(range(30))


@pytest.mark.parametrize(("better", "start"), [({}, 12), ({"lanes": dated(2)}, 103)], ids=["one lane", "two lanes"])
def test_a_lane_more_may_delay_the_urgent(better, start):
    # Not every upgrade helps all: with two lanes both long services have begun when the urgent one comes.
    rows = [Truck(at, {"A": s}, flow=f) for at, s, f in ((0, 10, 1), (1, 2, 1), (3, 100, 1), (4, 100, 1), (11, 1, 0))]
    one = change(station("A", rank=(0, 1)), **better)
    assert play([one], rows).start("A")[-1] == start


def test_the_same_inputs_give_the_same_records_twice():
    rows = [Truck(k % 7, {"A": k % 5, "B": k % 3}, flow=k % 3) for k in range(40)]
    plan, inputs, _ = make([station("A", 2, rank=(2, 0, 1)), station("B", 1, yard=1)], rows)
    assert simulate(plan, inputs).same_as(simulate(plan, inputs)) == ""
