"""The event engine against a simulation that looks at every unit of time: the same times, to the bit.

Whole-number times in a small range, so that ties are the rule.
"""

from dataclasses import replace

import pytest
from event_plans import LAWS, change, play, station
from event_strategies import any_stations, gates, outages, stations, trucks
from hypothesis import given, settings
from hypothesis import strategies as st
from tick_oracle import Ticks

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.steps import PatiencePlan, Step

UNTIL = 90


def routes(elements, patience):
    """All elements in order, with patience at some; who leaves the n-th of these takes the n-th route from there."""
    plain = tuple(Step(element=k, laws=LAWS, draws=one.id) for k, one in enumerate(elements))
    first, others = list(plain), []
    for k, one in enumerate(elements):
        if one.id in patience:
            terms = PatiencePlan(law=None, draws=f"{one.id} patience", variant=len(others) + 1, at_step=k + 1)
            first[k] = replace(plain[k], patience=terms)
            others.append(plain[: k + 1] if patience[one.id] == "lost" else plain)
    return (tuple(first), *others)


def assert_same(elements, rows, patience=None):
    variants = {flow: routes(elements, patience or {}) for flow in range(3)}
    out = play(elements, rows, horizon_h=UNTIL, variants=variants)
    expected = Ticks(elements, rows, UNTIL, patience).run()
    for k, element in enumerate(elements):
        for column in ("join", "start", "finish", "leave"):
            assert getattr(out, column)(element.id) == [getattr(row, column)[k] for row in expected], (
                column,
                element.id,
            )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(any_stations("A", None), trucks("A"))
def test_one_station_with_any_mechanism(one, rows):
    assert_same([one], rows)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(stations("A", None, "kept by lane"), trucks("A", least=4))
def test_lanes_kept_of_lanes_that_have_names_or_fail_one_by_one(one, rows):
    assert_same([one], rows)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_a_line_of_stations_with_yards_and_any_mechanism(data):
    yards = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 2)), min_size=1, max_size=2))
    elements = [data.draw(any_stations("A", None))]
    elements += [data.draw(any_stations(id, yard)) for id, yard in zip("BC", yards, strict=False)]
    assert_same(elements, data.draw(trucks("ABC"[: len(elements)])))


def with_gates(data, elements):
    """The line with gates at some stations but the last."""
    ids = [one.id for one in elements]
    return [
        change(one, gates=data.draw(gates(ids[k + 1 :])))
        if one.preemption is None and ids[k + 1 :] and data.draw(st.booleans())
        else one
        for k, one in enumerate(elements)
    ]


def with_patience(data, elements, rows):
    """What becomes of those who give up, by station, and the trucks with their patience."""
    patience = {}
    for k, one in enumerate(elements):
        # Who leaves a queue does not ask for a place in a yard: the road lies between.
        further = k + 1 < len(elements) and elements[k + 1].yard is not None
        if data.draw(st.booleans()):
            patience[one.id] = "lost" if further else data.draw(st.sampled_from(["lost", "on"]))
    waits = {id: [data.draw(st.integers(0, 9)) for _ in rows] for id in patience}
    rows = [
        replace(row, take={**row.take, **{f"{id} patience": float(each[k]) for id, each in waits.items()}})
        for k, row in enumerate(rows)
    ]
    return patience, rows


@pytest.mark.parametrize("shape", ["by queue", "interrupts"])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_a_crowd_where_the_queue_opens_lanes_or_a_class_interrupts(shape, data):
    elements = [data.draw(stations("A", None, shape))]
    if data.draw(st.booleans()):
        elements.append(data.draw(stations("B", data.draw(st.sampled_from([None, 1, 3])), shape)))
    assert_same(elements, data.draw(trucks("AB"[: len(elements)], least=6)))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_gates_in_a_line(data):
    yards = data.draw(st.lists(st.sampled_from([None, None, 0, 1, 2]), min_size=1, max_size=2))
    elements = [data.draw(any_stations("A", None))]
    elements += [data.draw(any_stations(id, yard)) for id, yard in zip("BC", yards, strict=False)]
    assert_same(with_gates(data, elements), data.draw(trucks("ABC"[: len(elements)])))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_who_gives_up_is_lost_or_goes_on(data):
    yards = data.draw(st.lists(st.sampled_from([None, None, 0, 1, 2]), max_size=2))
    elements = [data.draw(any_stations("A", None))]
    elements += [data.draw(any_stations(id, yard)) for id, yard in zip("BC", yards, strict=False)]
    if data.draw(st.integers(0, 3)) == 0:
        elements = with_gates(data, elements)
    patience, rows = with_patience(data, elements, data.draw(trucks("ABC"[: len(elements)])))
    assert_same(elements, rows, patience)


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
    elements = [data.draw(any_stations("ABC"[k], data.draw(st.sampled_from([None, 0, 1, 2])))) for k in range(count)]
    patience, rows = with_patience(data, elements, data.draw(trucks("ABC"[:count])))
    assert_same(with_gates(data, elements), rows, patience)
