"""Arrivals: the instants at which the consignments of a flow are released.

A process (Poisson, renewal, batches, timetable, trace, all at once) says how
random numbers enter; the rate over the horizon (volume, growth, profiles) comes from
the flow as a step function. The two together are an `ArrivalPlan`. Processes
that follow a rate work in operational time: unit-mean gaps are summed and the
cumulative rate is inverted at the sums, so a change of volume moves releases
and reshuffles nothing.

To add a process, add one class to this file.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from corridor_sim.core import by_object
from corridor_sim.core.draws.words import Key, further, words
from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_GROUP
from corridor_sim.core.registry import Registry
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.streams import generator, key_of
from corridor_sim.core.units import FloatArray
from corridor_sim.model import csv_columns
from corridor_sim.model.base import Model
from corridor_sim.model.field_types import Count, Instant, NonNegative, Probability, TupleOf, at_most
from corridor_sim.model.operational_time import inverse, running_sums
from corridor_sim.model.operational_time import invert_rate as invert_rate
from corridor_sim.model.operational_time import thin as thin
from corridor_sim.model.schemas import KindOf
from corridor_sim.model.service_times import SERVICE_TIMES, Draw, Exponential, ServiceTime, require_weights
from corridor_sim.model.service_times.composed import choice

ARRIVALS: Registry[type[Arrivals]] = Registry("arrival process")

IntArray = NDArray[np.int64]
BlockDraw = Callable[[int, IntArray], FloatArray]
"""The next `n` values of the streams at some positions, shape (position, n)."""
Source: TypeAlias = "Key | np.random.Generator"
"""Where random numbers come from: a key, for what is drawn by index, or a generator."""
UNIT = Exponential(mean_h=1.0)


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class ArrivalPlan:
    """What ``FlowPlan.arrivals`` holds: a process and its rate over the horizon.

    Attributes
    ----------
    process : Arrivals
        How random numbers enter.
    rate : StepFunction
        Consignments per hour, >= 0; volume, growth, hour, weekday and month already
        multiplied in, on the clock of the run (UTC hours from its start). Read only
        if ``process.follows_rate``; a constant 0 will do otherwise.
    start : datetime or None
        Hour 0 of the run (UTC); needed only by a trace of date-times.
    """

    process: Arrivals
    rate: StepFunction = field(default_factory=lambda: StepFunction.constant(0.0))
    start: dt.datetime | None = None

    def sampler(self, rng: Source) -> Draw:
        """A function that gives the next `n` releases; n then m are the same as n + m. [h]"""
        return self.process.sampler(self, rng)

    def block_sampler(self, keys: Key) -> BlockDraw:
        """The same releases for many streams at once: a function of n and of which of them. [h]"""
        return self.process.block_sampler(self, keys)

    @by_object.once
    def expected_count(self, until_h: float, since_h: float = 0.0) -> float:
        """Mean number of releases in (since_h, until_h], that of a trace or timetable exactly."""
        return self.process.expected_count(self, since_h, until_h)


class Arrivals(Model):
    """How the releases of a flow come about.

    Classes that follow a rate define `unit_gaps` (gap k of a stream is a function of its key and
    of k) or `unit_sums` (sums drawn in sequence); others define `sampler` and `expected_count`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> isinstance(cs.Poisson(), cs.Arrivals)
    True
    """

    kind: ClassVar[str]
    follows_rate: ClassVar[bool] = True
    """Whether the volume of the flow (its rate) counts; if not, the process has its own."""

    by_key: ClassVar[bool] = False
    """Whether `sampler` and `unit_sums` take a key; if not, they get a generator made from it."""

    def unit_gaps(self, key: Key, index: IntArray) -> FloatArray:
        """Gaps of mean 1 (operational time) by key and index, whose shapes are broadcast."""
        raise NotImplementedError(f"{type(self).__name__} has no unit_gaps")

    def unit_sums(self, rng: Any) -> Draw:
        """The next `n` partial sums of gaps of mean 1 (operational time), non-decreasing."""
        key, given = key_of(rng), 0

        def gaps(n: int) -> FloatArray:
            nonlocal given
            given += n
            return self.unit_gaps(key, np.arange(given - n, given))

        return running_sums(gaps)

    def sampler(self, plan: ArrivalPlan, rng: Any) -> Draw:
        """The next `n` release instants, non-decreasing; inf once the process is over. [h]"""
        sums = self.unit_sums(rng)
        invert = inverse(plan.rate)
        return lambda n: invert(sums(n))

    @property
    def has_gaps(self) -> bool:
        """Whether the releases follow from gaps by index, so that many streams are drawn at once."""
        mine = type(self)
        own = mine.sampler is Arrivals.sampler and mine.unit_sums is Arrivals.unit_sums
        return own and mine.unit_gaps is not Arrivals.unit_gaps

    def block_sampler(self, plan: ArrivalPlan, keys: Key) -> BlockDraw:
        """What `sampler` gives for each key, shape (key, n); from gaps for all of them at once."""
        rows = len(keys.first)
        if not self.has_gaps:
            draws = [self.sampler(plan, key if self.by_key else generator(key)) for key in keys.alone()]
            return lambda n, which: np.stack([draws[k](n) for k in which])
        invert, total, given = inverse(plan.rate), np.zeros(rows), np.zeros(rows, dtype=np.int64)

        def draw(n: int, which: IntArray) -> FloatArray:
            index = given[which][:, None] + np.arange(n)
            given[which] += n
            sums = self.unit_gaps(keys.at((which, None)), index)
            if n:
                sums[:, 0] += total[which]
                np.cumsum(sums, axis=1, out=sums)
                total[which] = sums[:, -1]
            return invert(sums)

        return draw

    def expected_count(self, plan: ArrivalPlan, since_h: float, until_h: float) -> float:
        """Mean number of releases in (since_h, until_h]."""
        return plan.rate.integral(until_h, max(since_h, 0.0))


@ARRIVALS.register("poisson")
class Poisson(Arrivals):
    """Independent arrivals at the rate of the flow (a Poisson process, stationary or not).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Poisson().kind
    'poisson'
    """

    kind: ClassVar[str] = "poisson"

    def unit_gaps(self, key: Key, index: IntArray) -> FloatArray:
        """Unit exponentials."""
        return UNIT.at(key, index)


@ARRIVALS.register("renewal", interarrival={"kind": "erlang", "k": 4, "mean_h": 1.0})
class Renewal(Arrivals):
    """Independent gaps of one law, stretched and squeezed so that the flow has its rate.

    Only the shape of the law counts: its gaps are divided by its mean, and the
    rate of the flow sets the level (for a constant rate of 1/mean the gaps are
    those of the law).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Renewal(interarrival=cs.Gamma(mean_h=1, cv=0.5)).interarrival.cv
    0.5
    """

    kind: ClassVar[str] = "renewal"
    interarrival: Annotated[ServiceTime, KindOf(SERVICE_TIMES)]
    """Law of the gaps between releases; only its shape counts, the level is that of the flow."""

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.interarrival.mean_h <= 0:
            raise ScenarioError([Problem("must have a mean > 0", "interarrival", self.interarrival.mean_h)])
        return self

    @property
    def has_gaps(self) -> bool:
        """Whether the law of the gaps can be drawn by index."""
        return self.interarrival.by_index

    def unit_gaps(self, key: Key, index: IntArray) -> FloatArray:
        """Gaps over their mean."""
        return self.interarrival.at(key, index) / self.interarrival.mean_h

    def unit_sums(self, rng: Any) -> Draw:
        """Sums of the gaps; of a law that is drawn in sequence, from the generator."""
        if self.has_gaps:
            return super().unit_sums(rng)
        gaps, mean_h = self.interarrival.sampler(rng), self.interarrival.mean_h
        return running_sums(lambda n: gaps(n) / mean_h)


def _sizes(value: Any) -> Any:
    numbers = value if isinstance(value, (list, tuple)) else [value]
    if not numbers or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in numbers):
        raise ValueError("must be a whole number >= 1, or a list of them")
    if max(numbers) > MAX_GROUP:
        raise ValueError(f"must be at most {MAX_GROUP}")
    return tuple(value) if isinstance(value, list) else value


Group = Annotated[int, Field(ge=1), at_most(MAX_GROUP)]
"""Consignments that arrive together."""
Groups = Annotated[int | tuple[int, ...], BeforeValidator(_sizes)]


@ARRIVALS.register("batches", size=[20, 40], weights=[0.5, 0.5])
class Batches(Arrivals):
    """Groups that arrive together (a ship's load, a convoy), the groups as a Poisson process.

    The rate of the flow counts consignments, so groups come at the rate over the
    mean size.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Batches(size=[10, 20], weights=[0.5, 0.5]).mean_size
    15.0
    """

    kind: ClassVar[str] = "batches"
    size: Groups
    """Consignments in a group: one number, or several with `weights`. [consignments]"""
    weights: TupleOf[Probability] = ()
    """Probability of each size. [-]"""

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if isinstance(self.size, tuple) or self.weights:
            require_weights(self.weights, len(self._sizes), "size")
        return self

    @property
    def _sizes(self) -> tuple[int, ...]:
        return self.size if isinstance(self.size, tuple) else (self.size,)

    @property
    def mean_size(self) -> float:
        """Mean number of consignments in a group."""
        return math.fsum(w * n for w, n in zip(self.weights or (1.0,), self._sizes, strict=True))

    by_key: ClassVar[bool] = True

    def unit_sums(self, rng: Any) -> Draw:
        """Sums of exponentials of the mean size, each as often as the size of its group.

        Group g has the exponential of word g of the stream, and its size from the further word.
        """
        sizes, mean_size, key, weights = np.array(self._sizes), self.mean_size, key_of(rng), self.weights or (1.0,)
        formed = 0
        sums = running_sums(lambda n: UNIT.at(key, np.arange(formed, formed + n)) * mean_size)
        left: FloatArray = np.empty(0)

        def draw(n: int) -> FloatArray:
            nonlocal left, formed
            parts: list[FloatArray] = [left]
            have = len(left)
            while have < n:
                groups = max(1, math.ceil((n - have) / mean_size))
                size = sizes[choice(weights, further(words(key, np.arange(formed, formed + groups)), 1))]
                parts.append(np.repeat(sums(groups), size))
                formed += groups
                have += int(size.sum())
            ready = np.concatenate(parts)
            left = ready[n:]
            return ready[:n]

        return draw


@ARRIVALS.register("timetable", every_h=84.0, first_h=12.0, size=60)
class RegularArrivals(Arrivals):
    """So many consignments every so many hours (trains, regular ships); no random numbers.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.RegularArrivals(every_h=6, size=40).size
    40
    """

    kind: ClassVar[str] = "timetable"
    follows_rate: ClassVar[bool] = False
    by_key: ClassVar[bool] = True
    every_h: Annotated[float, Field(ge=1e-3)]
    """Time from one instant to the next. [h]"""
    first_h: NonNegative = 0.0
    """Hours after the start of the run. [h]"""
    size: Group = 1
    """Consignments at each instant. [consignments]"""

    def sampler(self, plan: ArrivalPlan, rng: Any) -> Draw:
        """The instants, each `size` times."""
        del plan, rng
        given = 0

        def draw(n: int) -> FloatArray:
            nonlocal given
            index: NDArray[np.int64] = np.arange(given, given + n)
            given += n
            return np.asarray(self.first_h + (index // self.size) * self.every_h, dtype=np.float64)

        return draw

    def expected_count(self, plan: ArrivalPlan, since_h: float, until_h: float) -> float:
        """Consignments of the instants in (since_h, until_h]; the one at 0 counts."""
        del plan

        def up_to(instant_h: float) -> int:
            return math.floor((instant_h - self.first_h) / self.every_h) + 1 if instant_h >= self.first_h else 0

        return float(self.size * (up_to(until_h) - (up_to(since_h) if since_h > 0 else 0)))


@ARRIVALS.register("trace", times_h=(0.5, 0.5, 2.0, 7.25))
class Trace(Arrivals):
    """Given instants, in order: hours after the start of the run, or dates and times (UTC without offset).

    Give `times_h`, `times`, or `csv` and `column`; the cells of a file are all
    hours or all dates and times. A file is read once, a stored scenario holds the
    instants. Dated instants outside the run are left out.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Trace(times_h=[0.5, 0.7, 3.0]).times_h
    (0.5, 0.7, 3.0)
    """

    kind: ClassVar[str] = "trace"
    follows_rate: ClassVar[bool] = False
    by_key: ClassVar[bool] = True
    times_h: TupleOf[NonNegative] = ()
    """Instants after the start of the run, in order. [h]"""
    times: TupleOf[Instant] = ()
    """Dates and times of the releases, in order; UTC where they have no offset."""
    csv: str = ""
    """File that the instants came from, relative to the scenario file."""
    column: str = ""
    """Header of the column with instants."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The sign between the cells of the file."""
    decimal: csv_columns.Decimal = "."
    """The sign before the decimals of its numbers."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or {"times_h", "times"} & set(values):
            return values
        filled = csv_columns.fill(values, "times_h", csv_columns.instant_column)
        instants = filled.get("times_h", ())
        if any(isinstance(instant, dt.datetime) for instant in instants):
            filled["times"] = filled.pop("times_h")
        return filled

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if bool(self.times_h) == bool(self.times):
            raise ScenarioError([Problem("give instants either as times_h or as times (or a csv and its column)")])
        name = "times" if self.times else "times_h"
        instants: list[Any] = [utc(instant) for instant in self.times] or list(self.times_h)
        late = [k for k, (one, other) in enumerate(itertools.pairwise(instants), start=1) if other < one]
        if late:
            k = late[0]
            message = f"must not go back in time: number {k + 1} is before number {k} ({len(late)} such in all)"
            raise ScenarioError([Problem(message, f"{name}.{k}", str(instants[k]))])
        return self

    def _hours(self, plan: ArrivalPlan) -> FloatArray:
        if not self.times:
            return np.array(self.times_h)
        if plan.start is None:
            raise ScenarioError([Problem("a trace of dates needs a run that starts at a date", "run.start")])
        start = utc(plan.start)
        hours = np.array([(utc(instant) - start).total_seconds() for instant in self.times]) / 3600
        return hours[hours >= 0]

    def sampler(self, plan: ArrivalPlan, rng: Any) -> Draw:
        """The instants one after another."""
        del rng
        rest = self._hours(plan)

        def draw(n: int) -> FloatArray:
            nonlocal rest
            ready, rest = rest[:n], rest[n:]
            return np.append(ready, np.full(n - len(ready), np.inf))

        return draw

    def expected_count(self, plan: ArrivalPlan, since_h: float, until_h: float) -> float:
        """Instants in (since_h, until_h]; those at 0 count."""
        hours = self._hours(plan)
        return float(((hours > since_h) | (hours == 0) & (since_h <= 0)).sum() - (hours > until_h).sum())


@ARRIVALS.register("all_at_start", count=500)
class AllAtStart(Arrivals):
    """All consignments are there at hour 0 (a queue to be cleared; saturated operation).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Flow(origin="mill", destination="market", arrivals=cs.AllAtStart(count=40)).arrivals.count
    40
    """

    kind: ClassVar[str] = "all_at_start"
    follows_rate: ClassVar[bool] = False
    by_key: ClassVar[bool] = True
    count: Count
    """How many are released at the beginning of the run. [consignments]"""

    def sampler(self, plan: ArrivalPlan, rng: Any) -> Draw:
        """Zeros, then inf: no more releases."""
        del plan, rng
        left = self.count

        def draw(n: int) -> FloatArray:
            nonlocal left
            now = min(n, left)
            left -= now
            return np.append(np.zeros(now), np.full(n - now, np.inf))

        return draw

    def expected_count(self, plan: ArrivalPlan, since_h: float, until_h: float) -> float:
        """All of them, at hour 0."""
        del plan
        return float(self.count) if since_h <= 0 <= until_h else 0.0


def utc(instant: dt.datetime) -> dt.datetime:
    """A date-time without offset, in UTC; one that has no offset is in UTC already."""
    return instant if instant.tzinfo is None else instant.astimezone(dt.UTC).replace(tzinfo=None)
