"""What follows from one object alone, worked out once: for objects that nobody changes, as those of plans.

Plans that are made from each other have parts in common, the very same objects, and one plan is looked at more than
once on the way to a run. What was found is kept as long as its object, and goes with it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

T = TypeVar("T")
A = TypeVar("A")
P = ParamSpec("P")


class _Reference(weakref.ref[Any]):
    """An object that is not held, with what was found of it."""

    __slots__ = ("answers", "number")
    answers: dict[Hashable, Any]
    number: int


def once(function: Callable[Concatenate[A, P], T]) -> Callable[Concatenate[A, P], T]:
    """The function, answering from memory for the very object it was asked about before.

    What else it is asked with is compared as usual. Answers are shared between callers: nobody changes them, and
    they do not hold the object. Of what cannot be referred to weakly nothing is kept.

    Examples
    --------
    >>> class Word(str):
    ...     pass
    >>> @once
    ... def length(one):
    ...     print("looks")
    ...     return len(one)
    >>> word = Word("samur")
    >>> length(word), length(word)
    looks
    (5, 5)
    """
    held: dict[int, _Reference] = {}

    def gone(reference: _Reference) -> None:
        if held.get(reference.number) is reference:
            del held[reference.number]

    def kept_for(one: A) -> dict[Hashable, Any]:
        try:
            reference = _Reference(one, gone)
        except TypeError:
            return {}
        reference.number, reference.answers = id(one), {}
        held[reference.number] = reference
        return reference.answers

    @wraps(function)
    def answer(one: A, /, *more: P.args, **named: P.kwargs) -> T:
        known = held.get(id(one))
        answers = known.answers if known is not None and known() is one else kept_for(one)
        key = (*more, *named.items()) if more or named else ()
        if key not in answers:
            answers[key] = function(one, *more, **named)
        found: T = answers[key]
        return found

    return answer
