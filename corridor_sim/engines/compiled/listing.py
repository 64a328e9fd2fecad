"""Numbers of a plan as they are listed for the pass: lists of lists, step functions, clocks, columns of draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import by_object
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.engines.compiled.flow_layout import COLUMNS, FlowLayout
from corridor_sim.engines.compiled.kernel_tables import KernelTables
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.post_clock import PostClock
from corridor_sim.model.service_times import ServiceTime
from corridor_sim.model.service_times.coded import encode
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs

Ints = NDArray[np.int64]


class DrawColumn(NamedTuple):
    """A column of draws: of which flow, under which name, the how-manieth law of it (-1: a uniform)."""

    flow: int
    name: str
    law: int


Drawn = Callable[[SampledInputs | None, int], tuple[int, KernelTables]]
"""From inputs and their row to kind and tables of a kernel; None if nothing is drawn."""


class NumberLists:
    """Lists of numbers, one after the other."""

    def __init__(self) -> None:
        self.begin, self.values = [0], list[Any]()

    def add(self, values: Sequence[Any]) -> None:
        """The entries of the next one."""
        self.values += values
        self.begin.append(len(self.values))

    def add_all(self, lists: NumberLists, more: int) -> None:
        """The entries of as many as there are in other lists, each number so much higher."""
        first = len(self.values)
        self.values += [value + more for value in lists.values]
        self.begin += [first + begin for begin in lists.begin[1:]]


def whole(values: Sequence[Any]) -> Ints:
    """As an array of whole numbers."""
    return np.array(values, dtype=np.int64)


def real(values: Sequence[Any]) -> FloatArray:
    """As an array of numbers."""
    return np.array(values, dtype=np.float64)


class FunctionTables:
    """Step functions, one after the other, each once."""

    def __init__(self) -> None:
        self.number: dict[tuple[bytes, bytes], int] = {}
        self.pieces = NumberLists()
        self.value: list[float] = []

    def of(self, function: StepFunction | None) -> int:
        """Its number, -1 for none."""
        if function is None:
            return -1
        content = function.from_h.tobytes(), function.value.tobytes()
        if content not in self.number:
            self.number[content] = len(self.number)
            self.pieces.add(function.from_h.tolist())
            self.value += function.value.tolist()
        return self.number[content]


class ClockTables:
    """Local clocks, 0 that of places without a post."""

    def __init__(self, collector: Collector) -> None:
        self.number: dict[PostClock, int] = {}
        self.of(collector.scope.clock())

    def of(self, clock: PostClock) -> int:
        """Its number."""
        return self.number.setdefault(clock, len(self.number))

    def tables(self) -> list[Any]:
        """From `Tables.clock_from` to `clock_shift_h`."""
        pieces = NumberLists()
        for clock in self.number:
            pieces.add(clock.pieces)
        return [whole(pieces.begin), *(real([piece[k] for piece in pieces.values]) for k in range(2))]


class ColumnTables:
    """Columns of draws in order of first use; a law that has no code is drawn before the pass."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.number: dict[DrawColumn, int] = {}
        self.laws: list[ServiceTime | None] = []

    def add(self, flow: int, columns: Sequence[tuple[str, int, ServiceTime | None]]) -> int:
        """The columns of a flow: name, number of the law, law; the number of the first."""
        first = len(self.number)
        for n, (name, law, which) in enumerate(columns, start=first):
            self.number[DrawColumn(flow, name, law)] = n
            self.laws.append(which)
        return first

    def listed(self, layout: FlowLayout) -> tuple[DrawColumn, ...]:
        """The columns of all flows."""
        made = tuple(self.number)
        if layout.is_plain:
            return made
        which = zip(layout.flows(COLUMNS).tolist(), layout.made(COLUMNS).tolist(), strict=True)
        return tuple([DrawColumn(f, made[n].name, made[n].law) for f, n in which])

    def coded(self) -> tuple[Ints, tuple[Ints, FloatArray, Ints, FloatArray]]:
        """Node of each column (-1: a uniform, or drawn before the pass), and the laws as nodes."""
        # By object: many steps have one law, and laws are slow to compare.
        different = {id(law): law for law in self.laws if law is not None}
        known = {number: law for number, law in different.items() if _has_code(law)}
        code, node = encode(list(known.values())), {number: k for k, number in enumerate(known)}
        assert code is not None
        of_column = whole([node.get(id(law), -1) for law in self.laws])
        return of_column, (code.kind, code.number, code.place, code.table)


@by_object.once
def _has_code(law: ServiceTime) -> bool:
    return encode([law]) is not None
