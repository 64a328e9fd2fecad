"""A dated change acts in its time and leaves nothing behind: the three sentences of rule D28, on records.

Before `from` all joins and starts equal the base's, except by what looks ahead (no_overrun,
works, booked slots). While closed nobody starts, except earlier joiners under clear_queue.
After `until` everything equals the base from the first instant at which both runs are empty.

Each kind of improvement, at each place in time, on both engines. Run with ``--long`` for 2,000
pairs of runs; counts by kind and place are printed. `demand_growth` is held to the first sentence
alone: it moves later releases, so no run after it can equal the base consignment by consignment.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.in_time import PLACEMENTS, Pair, pairs
from oracle.strategies import KINDS

from corridor_sim.core.errors import ScenarioError, SimulationError

CASES = 2000
ALL = [(kind, placement) for kind in KINDS for placement in PLACEMENTS]


class Tally:
    """Pairs of runs looked at, by kind and place in time."""

    def __init__(self):
        self.pairs, self.batch, self.later = Counter(), Counter(), Counter()
        self.invalid = Counter()

    def hold(self, kind, placement, base, changed):
        """Hold one pair to the three sentences on both engines; AssertionError with what differs."""
        try:
            pair = Pair(base, changed)
            runs = [("event", pair.base.event(), pair.changed.event())]
        except (ScenarioError, SimulationError) as error:
            self.invalid[str(error).split(": ")[-1][:60]] += 1
            return
        self.pairs[kind, placement] += 1
        if not pair.refusals():
            self.batch[kind, placement] += 1
            runs.append(("batch", pair.base.batch(), pair.changed.batch()))
        for engine, before, after in runs:
            if not pair.looks_ahead:
                assert not (found := pair.before(before, after)), f"{engine} engine: {found}"
            assert not (found := pair.while_closed(after)), f"{engine} engine: {found}"
            if kind == "demand_growth":
                continue
            empty_h = pair.empty_from(before, after)
            self.later[kind, placement] += engine == "event" and pair.comes_later(before, empty_h) > 0
            assert not (found := pair.after(before, after, empty_h)), f"{engine} engine: {found}"

    def text(self):
        """Counts in words."""
        lines = [f"{sum(self.pairs.values())} pairs of runs, {sum(self.batch.values())} in the batch engine too"]
        lines.append(f"{'':17s}" + "".join(f"{name:>21s}" for name in PLACEMENTS) + "   (pairs / with later ones)")
        for kind in KINDS:
            cells = [f"{self.pairs[kind, at]:d} / {self.later[kind, at]:d}" for at in PLACEMENTS]
            lines.append(f"{kind:17s}" + "".join(f"{cell:>21s}" for cell in cells))
        lines += [f"  {number:5d} not valid: {text}" for text, number in self.invalid.most_common(12)]
        return "\n".join(lines)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_acts_in_its_time_and_leaves_nothing_behind(kind):
    tally = Tally()

    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(st.data())
    def holds(data):
        placement = data.draw(st.sampled_from(PLACEMENTS), "placement")
        pair = data.draw(pairs(kind, placement))
        if pair is not None:
            tally.hold(kind, placement, *pair)

    holds()
    assert sum(tally.pairs.values()) > 0


@pytest.mark.long
def test_the_three_sentences_hold_for_2000_pairs_of_runs(capsys):
    tally = Tally()
    each = CASES // len(ALL) + 1

    try:
        for kind, placement in ALL:
            _hold_some(tally, kind, placement, each)
    finally:
        with capsys.disabled():
            print("\n" + tally.text())
    assert sum(tally.pairs.values()) >= CASES
    assert min(tally.pairs[one] for one in ALL) > 0


def _hold_some(tally, kind, placement, number):
    """At least so many pairs of one kind and place that are valid, unless there are hardly any."""

    @settings(max_examples=3 * number, suppress_health_check=list(HealthCheck))
    @given(pairs(kind, placement))
    def holds(pair):
        if pair is not None and tally.pairs[kind, placement] < number:
            tally.hold(kind, placement, *pair)

    holds()
