"""What a service-time law is, and what can be done with any of them.

A law draws only from the generator it is handed. Draws are read by a
consignment's index, so each value uses one draw of every variate of the law, and
a change of the mean scales the same draws (common random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.registry import Registry
from corridor_sim.core.units import FloatArray
from corridor_sim.model.base import KindOf, Model

LONGEST_H = 1e6
"""Longest time that a parameter may give (114 years); more is taken for a slip of the unit. [h]"""
WEIGHT_SLACK = 1e-9
"""How far weights may be from a sum of 1."""

Hours = Annotated[float, Field(gt=0, le=LONGEST_H)]
HoursFromZero = Annotated[float, Field(ge=0, le=LONGEST_H)]
Draw = Callable[[int], FloatArray]
"""The next `n` values of a law; n then m are the same bits as n + m. [h]"""

SERVICE_TIMES: Registry[type[ServiceTime]] = Registry("service-time law")


class ServiceTime(Model):
    """A distribution of durations, never negative. [h]

    Fields whose name ends in ``_h`` are times: `scaled` multiplies them.
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
    def is_simple(self) -> bool:
        """Whether the values may be drawn by `SimpleLaw.fill` and `of`."""
        return isinstance(self, SimpleLaw)

    def sampler(self, rng: np.random.Generator) -> Draw:
        """A function that gives the next `n` values from `rng`, which it then owns.

        Values do not depend on how they are asked for: n then m are n + m, bit for bit.
        """
        raise NotImplementedError(f"{type(self).__name__} has no sampler")


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
    """A law that is a function of one standard variate, value by value.

    Whole blocks of consignments are then drawn at once: `fill` row by row, `of`
    for the block.
    """

    def fill(self, rng: np.random.Generator, out: FloatArray) -> None:
        """Write the next variates into `out` (contiguous); uniforms in [0, 1) unless the law says otherwise."""
        rng.random(out=out)

    def of(self, variate: FloatArray) -> FloatArray:
        """Values of the variates, any shape; may write over them. [h]"""
        raise NotImplementedError(f"{type(self).__name__} has no of")

    def sampler(self, rng: np.random.Generator) -> Draw:
        """The next values, one variate each."""

        def draw(n: int) -> FloatArray:
            variate = np.empty(n)
            self.fill(rng, variate)
            return self.of(variate)

        return draw


Law = Annotated[ServiceTime, KindOf(SERVICE_TIMES)]
"""Field type for a law of any kind."""


def minus_log(uniform: FloatArray) -> FloatArray:
    """Unit exponentials -log(1 - u) of uniforms in [0, 1), written over them."""
    np.negative(uniform, out=uniform)
    np.log1p(uniform, out=uniform)
    np.negative(uniform, out=uniform)
    return uniform


def require_weights(weights: tuple[float, ...], count: int, of: str) -> None:
    """Raise ScenarioError unless there are `count` >= 1 weights that sum to 1."""
    if len(weights) != count or not count:
        raise ScenarioError([Problem(f"must be as many as {of}, at least one", "weights", weights, f"{count} weights")])
    total = math.fsum(weights)
    if abs(total - 1) > WEIGHT_SLACK:
        raise ScenarioError([Problem(f"must sum to 1, sum to {total:.12g}", "weights", weights)])
