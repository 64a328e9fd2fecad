"""What a service-time law is, and what can be done with any of them.

A law says what its value is for a word of 64 random bits (`of_words`). Words are those of a key
and an index (`core.draws.words`), so any value can be had without the others, and a change of the mean
scales the same draws (common random numbers). A law that can only be drawn in sequence
defines `sampler` instead; it is drawn block by block, whether or not its values are
used, and never by compiled code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from corridor_sim.core import units
from corridor_sim.core.draws.words import Key, WordArray, uniform, words
from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.registry import Registry
from corridor_sim.core.streams import key_of
from corridor_sim.core.units import FloatArray
from corridor_sim.model.base import Model
from corridor_sim.model.schemas import KindOf

LONGEST_H = 1e6
"""Longest time that a parameter may give (114 years); more is taken for a slip of the unit. [h]"""
WEIGHT_SLACK = 1e-9
"""How far weights may be from a sum of 1."""

Hours = Annotated[float, Field(gt=0, le=LONGEST_H)]
HoursFromZero = Annotated[float, Field(ge=0, le=LONGEST_H)]
BLOCK = 65536
"""Values drawn at once where nothing is compiled: enough that the few that need more steps cost little."""
Draw = Callable[[int], FloatArray]
"""The next `n` values of a law; n then m are the same bits as n + m. [h]"""

COMPILED: list[Callable[..., bool]] = []
"""The compiled form of `ServiceTime.at`; ``coded.py``, which knows all laws, puts it here."""

SERVICE_TIMES: Registry[type[ServiceTime]] = Registry("service-time law")


class ServiceTime(Model):
    """A distribution of durations, never negative. [h]

    Fields whose name ends in ``_h`` are times: `scaled` multiplies them.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> isinstance(cs.Gamma(mean_h=0.5, cv=0.4), cs.ServiceTime)
    True
    """

    kind: ClassVar[str]
    if TYPE_CHECKING:  # a field in some laws, derived in others

        @property
        def mean_h(self) -> float:
            """Mean of the values drawn. [h]"""

    @property
    def variance_h2(self) -> float:
        """Variance where it is known in closed form, else NaN. [h^2]"""
        return math.nan

    @property
    def largest_h(self) -> float:
        """Bound that no value exceeds, inf where the law has none. [h]"""
        return math.inf

    @property
    def by_index(self) -> bool:
        """Whether any value can be had without the others (`at`); if not, by `sampler` in sequence only."""
        mine = type(self)
        return mine.of_words is not ServiceTime.of_words and mine.sampler is ServiceTime.sampler

    def of_words(self, word: WordArray) -> FloatArray:
        """The value of each word, each from its own alone. [h]"""
        raise NotImplementedError(f"{type(self).__name__} can be drawn in sequence only")

    def at(self, key: Key, index: ArrayLike, *, on_grid: bool = False) -> FloatArray:
        """Values of a stream at some indices; key and indices have any shapes, which are broadcast. [h]

        Parameters
        ----------
        key : Key
            One stream, or arrays of words: one stream for each index.
        index : array of whole numbers >= 0
            Which values.
        on_grid : bool
            Round to the clock grid, and cap at `units.LONGEST_H`.

        Examples
        --------
        >>> from corridor_sim.core.streams import key
        >>> from corridor_sim.model.service_times import Gamma
        >>> law, stream = Gamma(mean_h=0.5, cv=0.8), key(7, 0, "duration", "export", "samur_az.exit.lanes")
        >>> bool((law.at(stream, [9, 2]) == law.at(stream, range(10))[[9, 2]]).all())
        True
        """
        numbers = np.asarray(index).astype(np.uint64, copy=False)
        first, second = np.asarray(key.first, dtype=np.uint64), np.asarray(key.second, dtype=np.uint64)
        shape = np.broadcast_shapes(numbers.shape, first.shape, second.shape)
        numbers = np.broadcast_to(numbers, shape).reshape(-1)
        alone = not first.ndim and not second.ndim
        if not alone:
            first, second = (np.broadcast_to(half, shape).reshape(-1) for half in (first, second))
        out = np.empty(shape)
        flat = out.reshape(-1)
        if any(fill(self, first, second, numbers, flat, on_grid=on_grid) for fill in COMPILED):
            return out
        for begin in range(0, flat.size, BLOCK):
            some = slice(begin, begin + BLOCK)
            part = Key(first, second) if alone else Key(first[some], second[some])
            flat[some] = self.of_words(words(part, numbers[some]))
        if on_grid:
            round_into(flat, flat)
        return out

    def sampler(self, rng: np.random.Generator) -> Draw:
        """A function that gives the next `n` values from `rng`, which it then owns.

        Values do not depend on how they are asked for: n then m are n + m, bit for bit.
        """
        key, given = key_of(rng), 0

        def draw(n: int) -> FloatArray:
            nonlocal given
            values = self.at(key, np.arange(given, given + n))
            given += n
            return values

        return draw


def scaled(law: ServiceTime, factor: float) -> ServiceTime:
    """`law` with every value multiplied by `factor` >= 0, drawn from the same variates.

    Raises
    ------
    ScenarioError
        If the factor is negative or the scaled law is out of range.

    Examples
    --------
    >>> from corridor_sim.model.service_times import Gamma
    >>> scaled(Gamma(mean_h=0.5, cv=0.8), 2.0)
    Gamma(mean_h=1.0, cv=0.8)
    """
    if not (math.isfinite(factor) and factor >= 0):
        raise ScenarioError([Problem("must be a finite number >= 0", "factor", factor)])
    if factor == 0:
        always: Callable[..., ServiceTime] = SERVICE_TIMES["deterministic"]
        return always(value_h=0.0)

    def times(name: str, value: Any) -> Any:
        if isinstance(value, ServiceTime):
            return scaled(value, factor)
        if isinstance(value, tuple):
            return tuple(times(name, item) for item in value)
        return value * factor if name.endswith("_h") and value is not None else value

    values = {name: times(name, getattr(law, name)) for name in type(law).model_fields if name in law.model_fields_set}
    return type(law)(**values)


def cv_of(law: ServiceTime) -> float:
    """Standard deviation over mean of a law; NaN where the variance is not known, 0 at mean 0."""
    return math.sqrt(law.variance_h2) / law.mean_h if law.mean_h > 0 else 0.0


class SimpleLaw(ServiceTime):
    """A law that is a function of one uniform, value by value.

    A subclass that defines `fill` draws other variates, in sequence.
    """

    def fill(self, rng: np.random.Generator, out: FloatArray) -> None:
        """Write the next variates into `out` (contiguous); uniforms in [0, 1) unless the law says otherwise."""
        rng.random(out=out)

    def of(self, variate: FloatArray) -> FloatArray:
        """Values of the variates, any shape; may write over them. [h]"""
        raise NotImplementedError(f"{type(self).__name__} has no of")

    def of_words(self, word: WordArray) -> FloatArray:
        """Values of the uniforms of the words."""
        return self.of(uniform(word))

    @property
    def by_index(self) -> bool:
        """Whether the variates are uniforms, one a value."""
        return type(self).fill is SimpleLaw.fill and type(self).sampler is SimpleLaw.sampler

    def sampler(self, rng: np.random.Generator) -> Draw:
        """The next values, one variate each."""
        if type(self).fill is SimpleLaw.fill:
            return super().sampler(rng)

        def draw(n: int) -> FloatArray:
            variate = np.empty(n)
            self.fill(rng, variate)
            return self.of(variate)

        return draw


Law = Annotated[ServiceTime, KindOf(SERVICE_TIMES)]
"""Field type for a law of any kind."""


def round_into(values: FloatArray, out: FloatArray) -> None:
    """Write times >= 0, capped at `LONGEST_H` and rounded to the clock grid, into `out`."""
    np.minimum(values, units.LONGEST_H, out=out)
    np.multiply(out, units.GRID_PER_H, out=out)
    np.rint(out, out=out)
    np.multiply(out, 1 / units.GRID_PER_H, out=out)


def require_weights(weights: tuple[float, ...], count: int, of: str) -> None:
    """Raise ScenarioError unless there are `count` >= 1 weights that sum to 1."""
    if len(weights) != count or not count:
        raise ScenarioError([Problem(f"must be as many as {of}, at least one", "weights", weights, f"{count} weights")])
    total = math.fsum(weights)
    if abs(total - 1) > WEIGHT_SLACK:
        raise ScenarioError([Problem(f"must sum to 1, sum to {total:.12g}", "weights", weights)])


MEANS = ("mean_h", "value_h")
"""Parameters that are the mean of their law, whatever its kind."""
CUT = "truncate_h"
"""A parameter that makes the mean another than the one stated."""


def states(law: ServiceTime, name: str) -> bool:
    """Whether a parameter, as files write it, is given."""
    fields = {str(field.validation_alias or key): key for key, field in type(law).model_fields.items()}
    return name in fields and getattr(law, fields[name]) is not None


def mean_parameter(law: ServiceTime | None) -> str:
    """The parameter that is the mean of the values drawn; "" where none is.

    Examples
    --------
    >>> from corridor_sim.model.service_times import Deterministic, Gamma, Lognormal
    >>> [mean_parameter(law) for law in (Gamma(mean_h=1.0, cv=0.5), Deterministic(value_h=0.5))]
    ['mean_h', 'value_h']
    >>> mean_parameter(Lognormal(median_h=1.0, sigma=0.5))
    ''
    """
    if law is None or states(law, CUT):
        return ""
    return next((name for name in MEANS if states(law, name)), "")
