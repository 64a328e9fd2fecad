"""What every registered indicator must do, whoever wrote it.

Trucks on the border of `small_border`, each with times given by hand, so that it is plain
who is counted: the window is [24, 48) in a run of 72 h. An indicator says with `window` what it
counts: "begun" (consignments that begin a visit or passage in the window), "window" (what
happens in the window, whoever it is) or "run" (the whole run, the rows say when).
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from small_border import NAN, plan, records, straight
from small_corridor import small

from corridor_sim.engines import batch, event
from corridor_sim.indicators import INDICATORS, Collector, Indicator, Options
from corridor_sim.indicators.row_names import rows_of
from corridor_sim.plan.build import make_plan
from corridor_sim.records.visits import chunk_of
from corridor_sim.sampling.sampler import Sampler

FROM_H, UNTIL_H, HORIZON_H = 24.0, 48.0, 72.0
OF_VISITS = [kind for kind in INDICATORS if kind not in ("extra_lanes", "left_queue")]
"""Lanes that a queue opens are no visits, and batch has none, nor leaves anybody a queue: `unit/test_extra_lanes.py`
and `unit/test_patience.py` hold what counts them."""


def drive(release, wait_a=0.0, flow=0, first_h=3.0, last_h=2.0):
    """Times of a truck that needs so long for the roads before and after the border, and waits before post A."""
    flow, release, times = straight(release, wait_a, flow)
    times[0] = (release, release, release + first_h, release + first_h)
    later = first_h - 3.0
    times[1:] = [tuple(time + later for time in visit) for visit in times[1:]]
    join = times[-1][0]
    times[-1] = (join, join, join + last_h, join + last_h)
    return flow, release, times


COUNTED = [drive(24.0 + 1.25 * n, 0.5 * (n % 3), n % 2, last_h=1.0 + 0.25 * (5 * n % 7)) for n in range(9)]
"""Released, and at their destination, within the window; of two classes."""
EARLY = [drive(4.0, 4.0), drive(5.0, 2.0, 1)]
"""At their destination before the window begins."""
LATE = [drive(48.0, 7.0, 0, first_h=9.0), drive(50.0, 3.0, 1)]
"""Released when the window ends, and later."""
STRADDLING = [
    (0, 12.0, [(12, 12, 15, 15), (15, 15, NAN, NAN)]),
    (1, 12.0, [(12, 12, 15, 15), (15, NAN, NAN, NAN)]),
    (1, 13.0, [(13, 13, 16, 16), (16, 30, NAN, NAN)]),
    drive(17.0, last_h=4.0),
]
"""Everything they join they join before the window: one is served to the end of the run, one waits until then,
one is served from the window on, one arrives in the window."""
OPTIONS = Options(idling_co2_kg_h=8.0, fees_usd={"ab": 100.0})


def border():
    return plan(horizon_h=HORIZON_H, warm_up_h=FROM_H, count_until_h=UNTIL_H, flows=2, lanes_a=9.0)


def table(kind, *parts, plan_=None):
    """The table of one indicator, the trucks of each part handed over as a chunk of its own."""
    collector = Collector(plan_ or border(), [0], [kind], OPTIONS)
    for part in parts:
        collector.add(chunk_of(records(collector.scope.plan, part)))
    return collector.finish()


def values(kind, *parts):
    found = table(kind, *parts)
    return {label: float(row[0]) for label, row in found}


def changed(kind, more):
    """Rows that are others when there are more trucks, with both values."""
    before, after = values(kind, COUNTED), values(kind, COUNTED + more)
    assert before.keys() == after.keys(), "which rows there are depends on the plan alone"
    return {str(label): (old, after[label]) for label, old in before.items() if not same(old, after[label])}


def same(one, other):
    return one == other or (np.isnan(one) and np.isnan(other))


# ---------------------------------------------------------------- what must hold, one function each


def check_it_says_what_it_is(kind):
    """A docstring, a unit in every row, one row a label."""
    assert INDICATORS[kind].__doc__, "the docstring is what `corridor-sim kinds` shows"
    assert INDICATORS[kind].window in ("begun", "window", "run")
    labels = table(kind, COUNTED).labels
    assert labels
    # TEU are there only where a flow states them, the lost only where somebody may leave a queue.
    assert set(table(kind, COUNTED).indicators) == set(rows_of(kind)) - {"delivered_teu", "lost"}
    assert len(set(labels)) == len(labels)
    assert all(label.unit for label in labels)


def check_it_sees_the_window(kind):
    """Trucks that all come at the very beginning of the window, of which one is never served, make another table
    than none."""
    crowd = [drive(FROM_H, 4.0, n % 2) for n in range(120)]
    none, some = values(kind, []), values(kind, [*crowd, (0, FROM_H, [(24, 24, 27, 27), (27, NAN, NAN, NAN)])])
    assert any(not same(none[label], value) for label, value in some.items())


def check_the_warm_up_is_left_out(kind):
    """Who was through before the window, or has joined before it, is not counted."""
    if INDICATORS[kind].window == "run":
        assert changed(kind, EARLY + STRADDLING), "it does not count the whole run: say so with `window`"
        return
    assert not changed(kind, EARLY)
    if INDICATORS[kind].window == "begun":
        assert not changed(kind, STRADDLING)
    else:
        assert changed(kind, STRADDLING), "it counts those alone that begin in the window: leave `window` as it is"


def check_the_window_does_not_hold_its_end(kind):
    """Who joins at the end of the window or after it is not counted."""
    if INDICATORS[kind].window != "run":
        assert not changed(kind, LATE)


def check_the_run_does_not_hold_its_end(kind):
    """Who comes at the end of the run has not come, and what ends then has not ended."""
    assert not changed(kind, [drive(HORIZON_H)])
    start = HORIZON_H - 30.0
    ends = (
        0,
        start,
        [(start, start, HORIZON_H - 5, HORIZON_H - 5), (HORIZON_H - 5, HORIZON_H - 4, HORIZON_H, HORIZON_H)],
    )
    goes_on = (0, start, [ends[2][0], (HORIZON_H - 5, HORIZON_H - 4, NAN, NAN)])
    assert all(
        same(one, other)
        for one, other in zip(values(kind, [ends]).values(), values(kind, [goes_on]).values(), strict=True)
    )


def check_classes_add_up(kind):
    """What stands by class adds up to the row of all, or averages to it with the numbers that passed."""
    found = values(kind, COUNTED)
    number = {"loaded": 5, "empty": 4}
    by_class = {}
    for label, value in found.items():
        if label.cargo_class:
            by_class.setdefault(replace(label, cargo_class=""), {})[label.cargo_class] = value
    for whole, parts in by_class.items():
        assert parts.keys() == number.keys()
        total = sum(parts.values())
        mean = sum(number[name] * value for name, value in parts.items()) / sum(number.values())
        assert found[whole] in (pytest.approx(total), pytest.approx(mean)), str(whole)


def check_the_order_of_chunks_does_not_show(kind):
    """The same table to the bit whether trucks come in one chunk or in several, in any order."""
    parts = [COUNTED[1::2], EARLY, STRADDLING, COUNTED[0::2]]
    whole = table(kind, [truck for part in parts for truck in part]).values
    for order in (parts, parts[::-1]):
        assert table(kind, *order).values.tobytes() == whole.tobytes()


CHECKS = [
    check_it_says_what_it_is,
    check_it_sees_the_window,
    check_the_warm_up_is_left_out,
    check_the_window_does_not_hold_its_end,
    check_the_run_does_not_hold_its_end,
    check_classes_add_up,
    check_the_order_of_chunks_does_not_show,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("kind", OF_VISITS)
def test_a_registered_indicator_keeps_its_promises(kind, check):
    check(kind)


# ---------------------------------------------------------------- the same from both engines


@pytest.fixture(scope="module")
def both_engines():
    """Chunks of the same draws from both engines: two crossings, a ferry, a railway, four weeks."""
    plan_ = make_plan(small(run__horizon_days=14, run__warm_up_days=3, run__cool_down_days=2))
    inputs = Sampler(plan_, 7).sample([0, 1])
    return plan_, [chunk_of(engine.simulate(plan_, inputs)) for engine in (event, batch)]


@pytest.mark.parametrize("kind", OF_VISITS)
def test_an_indicator_is_the_same_from_both_engines(kind, both_engines):
    plan_, chunks = both_engines
    tables = []
    for chunk in chunks:
        collector = Collector(plan_, [0, 1], [kind], OPTIONS)
        collector.add(chunk)
        tables.append(collector.finish())
    assert tables[0].labels == tables[1].labels
    assert tables[0].values.tobytes() == tables[1].values.tobytes()
    assert np.isfinite(tables[0].values).any()


# ---------------------------------------------------------------- planted mistakes


class LongestVisit(Indicator):
    """Longest visit of the consignments that join in the window. [h]"""

    unit = "h"

    def start(self):
        self.longest_h = np.zeros(len(self.scope.replications))

    def add_visits(self, block):
        counted = (block.join_h >= self.scope.from_h) & (block.join_h < self.scope.until_h)
        np.fmax.at(self.longest_h, block.row[counted], (block.leave_h - block.join_h)[counted])

    def table_rows(self):
        yield self.row(self.longest_h, "corridor", "all")


class LastVisit(LongestVisit):
    """The last visit is taken for the longest."""

    def add_visits(self, block):
        counted = (block.join_h >= self.scope.from_h) & (block.join_h < self.scope.until_h)
        self.longest_h[block.row[counted]] = (block.leave_h - block.join_h)[counted]


class WithWarmUp(LongestVisit):
    """The warm-up is not left out."""

    def add_visits(self, block):
        counted = block.join_h < self.scope.until_h
        np.fmax.at(self.longest_h, block.row[counted], (block.leave_h - block.join_h)[counted])


class WithItsEnd(LongestVisit):
    """The end of the window is counted."""

    def add_visits(self, block):
        counted = (block.join_h >= self.scope.from_h) & (block.join_h <= self.scope.until_h)
        np.fmax.at(self.longest_h, block.row[counted], (block.leave_h - block.join_h)[counted])


class WithoutUnit(LongestVisit):
    """No row says its unit."""

    unit = ""


class WithoutClasses(LongestVisit):
    """The rows by class do not add up to that of all."""

    def table_rows(self):
        yield from super().table_rows()
        for name in ("loaded", "empty"):
            yield self.row(self.longest_h * 0.7, "corridor", "all", cargo_class=name)


class Blind(LongestVisit):
    """Nobody is ever counted."""

    def add_visits(self, block):
        pass


class TooMuch(LongestVisit):
    """The whole run is said to be counted, and the window is."""

    window = "run"


def caught(indicator):
    """Names of the checks that an indicator does not pass."""
    INDICATORS.register("planted")(indicator)
    failed = []
    try:
        for check in CHECKS:
            try:
                check("planted")
            except AssertionError:
                failed.append(check.__name__.removeprefix("check_"))
    finally:
        INDICATORS.unregister("planted")
        indicator.name = ""
    return failed


def test_a_new_indicator_without_mistake_passes():
    assert caught(LongestVisit) == []


@pytest.mark.parametrize(
    ("mistake", "check"),
    [
        (LastVisit, "the_order_of_chunks_does_not_show"),
        (WithWarmUp, "the_warm_up_is_left_out"),
        (WithItsEnd, "the_window_does_not_hold_its_end"),
        (WithoutUnit, "it_says_what_it_is"),
        (WithoutClasses, "classes_add_up"),
        (Blind, "it_sees_the_window"),
        (TooMuch, "the_warm_up_is_left_out"),
    ],
    ids=lambda given: getattr(given, "__name__", given),
)
def test_a_planted_mistake_is_caught_by_the_contract(mistake, check):
    assert caught(mistake) == [check]
