"""The forecast "last value" of an observation: the value before it, give or take what such values changed by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from corridor_sim.core.errors import ArgumentError
from corridor_sim.statistics.last_value import FEWEST, last_value_interval
from corridor_sim.study.observations import Observation


@dataclass(frozen=True, slots=True)
class ForecastStep:
    """A value and the one before it: names of the observations that they are ("" if none), logarithm of their ratio."""

    before: str
    after: str
    change: float


def steps_of(listed: Sequence[Observation]) -> list[ForecastStep]:
    """All changes from one value to the next of all observations that have earlier ones.

    Raises
    ------
    ArgumentError
        If an earlier one is not there or not above 0.
    """
    values = {one.name: one.value for one in listed}
    steps = []
    for one in listed:
        if not one.earlier:
            continue
        chain: list[tuple[str, float]] = []
        for before in (*one.earlier, one.name):
            if isinstance(before, str) and before not in values:
                raise ArgumentError(f"observation {one.name}: no observation {before!r} is among those given")
            name, value = (before, values[before]) if isinstance(before, str) else ("", float(before))
            if not value > 0:
                raise ArgumentError(f"observation {one.name}: earlier values need to be above 0, got {value:g}")
            chain.append((name, value))
        steps += [ForecastStep(a, b, math.log(after / before)) for (a, before), (b, after) in pairwise(chain)]
    return steps


def last_value_of(one: Observation, listed: Sequence[Observation], confidence: float) -> tuple[float, float, float]:
    """The last value before an observation and its interval; NaN where there is none.

    The interval is of how much values changed elsewhere: in every step that this observation has no part in.
    """
    if not one.earlier:
        return math.nan, math.nan, math.nan
    named = {other.name: other.value for other in listed}
    before = one.earlier[-1]
    last = named[before] if isinstance(before, str) else float(before)
    changes = [step.change for step in steps_of(listed) if one.name not in (step.before, step.after)]
    if len(changes) < FEWEST:
        return last, math.nan, math.nan
    return (last, *last_value_interval(last, changes, confidence))
