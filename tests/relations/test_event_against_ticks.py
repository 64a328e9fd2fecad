"""The event engine against a simulation that looks at every unit of time: the same times, to the bit.

Whole-number times in a small range, so that ties are the rule.
"""

import pytest
from event_plans import play, station
from event_strategies import outages, stations, trucks
from hypothesis import given, settings
from hypothesis import strategies as st
from tick_oracle import Ticks

from corridor_sim.plan.plan import StepFunction

UNTIL = 90


def assert_same(elements, rows):
    out = play(elements, rows, horizon_h=UNTIL)
    expected = Ticks(elements, rows, UNTIL).run()
    for k, element in enumerate(elements):
        for column in ("join", "start", "finish", "leave"):
            assert getattr(out, column)(element.id) == [getattr(row, column)[k] for row in expected], (
                column,
                element.id,
            )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(stations("A", None), trucks("A"))
def test_one_station_with_any_mechanism(one, rows):
    assert_same([one], rows)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_a_line_of_stations_with_yards_and_any_mechanism(data):
    yards = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 2)), min_size=1, max_size=2))
    elements = [data.draw(stations("A", None))]
    elements += [data.draw(stations(id, yard)) for id, yard in zip("BC", yards, strict=False)]
    assert_same(elements, data.draw(trucks("ABC"[: len(elements)])))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_no_overrun_with_classes_and_outages(data):
    longest = 5
    opened = [data.draw(st.integers(longest, 9)) for _ in range(3)]
    at, value = [0], [data.draw(st.integers(1, 2))]
    for length in opened:
        at += [at[-1] + length, at[-1] + length + data.draw(st.integers(1, 6))]
        value += [0, data.draw(st.integers(1, 2))]
    rank = data.draw(st.sampled_from([None, (0, 1, 2), (1, 0, 1)]))
    one = station("A", StepFunction(at, value), closing="no_overrun", rank=rank, outages=data.draw(outages()))
    assert_same([one], data.draw(trucks("A", longest=longest)))


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(st.data())
def test_lines_of_stations_at_length(data):
    count = data.draw(st.integers(1, 3))
    elements = [data.draw(stations("ABC"[k], data.draw(st.sampled_from([None, 0, 1, 2])))) for k in range(count)]
    assert_same(elements, data.draw(trucks("ABC"[:count])))
