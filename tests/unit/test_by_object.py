"""What follows from one object is worked out once, and goes with it."""

from __future__ import annotations

import gc
import weakref

from corridor_sim.core import by_object


class Thing:
    """An object that equals all of its kind."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)

    __hash__ = None  # type: ignore[assignment]


def _counted():
    asked: list[object] = []

    @by_object.once
    def answer(thing: object, *more: int, by: int = 1) -> tuple[int, ...]:
        asked.append(type(thing))
        return len(asked), *more, by

    return answer, asked


def test_the_very_object_is_asked_about_once_and_its_equal_again():
    answer, asked = _counted()
    one, equal = Thing(), Thing()
    assert answer(one) == answer(one) == (1, 1)
    assert answer(equal) == (2, 1)
    assert len(asked) == 2


def test_what_else_is_asked_is_told_apart():
    answer, asked = _counted()
    one = Thing()
    assert [answer(one, 2), answer(one, 3), answer(one, by=3), answer(one, 2)] == [
        (1, 2, 1),
        (2, 3, 1),
        (3, 3),
        (1, 2, 1),
    ]
    assert len(asked) == 3


def test_nothing_is_held_and_what_comes_in_its_place_is_asked_about():
    answer, _ = _counted()
    for number in range(1, 50):
        one = Thing()
        assert answer(one) == (number, 1)
        there = weakref.ref(one)
        del one
        gc.collect()
        assert there() is None


def test_what_cannot_be_held_weakly_is_asked_about_each_time():
    answer, asked = _counted()
    both = 1, 2
    assert answer(both) != answer(both)
    assert len(asked) == 2
