"""Service-time laws: how long one consignment holds a lane, stays at a post or travels a leg.

To add a law, add one class here with `@SERVICE_TIMES.register(kind, **example)`:
fields with the unit in the name, `mean_h`, and either `of` (a `SimpleLaw`, a
function of one standard variate) or `sampler`. A law draws only from the
generator it is handed. Draws are read by a consignment's index, so each value
uses one draw of every variate of the law, and a change of the mean scales the
same draws (common random numbers).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from corridor_sim.errors import Problem, ScenarioError
from corridor_sim.model import csv_columns
from corridor_sim.model.base import KindOf, Model, PositiveCount, Probability, TupleOf
from corridor_sim.registry import Registry
from corridor_sim.units import FloatArray

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
    >>> scaled(Gamma(mean_h=0.5, cv=0.8), 2.0)
    Gamma(mean_h=1.0, cv=0.8)
    """
    if not (math.isfinite(factor) and factor >= 0):
        raise ScenarioError([Problem("must be a finite number >= 0", "factor", factor)])
    if factor == 0:
        return Deterministic(value_h=0.0)

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


@SERVICE_TIMES.register("deterministic", value_h=0.24)
class Deterministic(ServiceTime):
    """Always the same time."""

    kind: ClassVar[str] = "deterministic"
    value_h: HoursFromZero

    @property
    def mean_h(self) -> float:
        """The value."""
        return self.value_h

    @property
    def variance_h2(self) -> float:
        """Zero."""
        return 0.0

    def sampler(self, rng: np.random.Generator) -> Draw:
        """The value over and over; draws nothing."""
        del rng
        return lambda n: np.full(n, self.value_h)


@SERVICE_TIMES.register("exponential", mean_h=0.4)
class Exponential(SimpleLaw):
    """Memoryless times."""

    kind: ClassVar[str] = "exponential"
    mean_h: Hours

    @property
    def variance_h2(self) -> float:
        """Square of the mean."""
        return self.mean_h**2

    def of(self, variate: FloatArray) -> FloatArray:
        """-mean log(1 - u)."""
        return np.multiply(minus_log(variate), self.mean_h, out=variate)


class _GammaShaped(SimpleLaw):
    """Gamma variates of shape `_shape`; they scale with the mean, whatever it is."""

    mean_h: Hours

    @property
    def _shape(self) -> float:
        raise NotImplementedError

    @property
    def variance_h2(self) -> float:
        """Square of the mean over the shape."""
        return self.mean_h**2 / self._shape

    def fill(self, rng: np.random.Generator, out: FloatArray) -> None:
        """Standard gamma variates."""
        rng.standard_gamma(self._shape, out=out)

    def of(self, variate: FloatArray) -> FloatArray:
        """Variates times mean over shape."""
        variate *= self.mean_h / self._shape
        return variate


@SERVICE_TIMES.register("erlang", k=3, mean_h=0.4)
class Erlang(_GammaShaped):
    """Sum of `k` independent exponential phases of equal mean; cv is k^-1/2."""

    kind: ClassVar[str] = "erlang"
    k: Annotated[PositiveCount, Field(le=1_000_000)]
    """Number of phases, a whole number >= 1."""

    @property
    def _shape(self) -> float:
        return float(self.k)


@SERVICE_TIMES.register("gamma", mean_h=0.5, cv=0.8)
class Gamma(_GammaShaped):
    """Gamma law given by mean and spread; `cv` = 1 is the exponential law."""

    kind: ClassVar[str] = "gamma"
    cv: Annotated[float, Field(ge=1e-3, le=30)]
    """Standard deviation over mean, 0.001 to 30; for no spread write a deterministic law."""

    @property
    def _shape(self) -> float:
        return self.cv**-2


@SERVICE_TIMES.register("lognormal", median_h=0.1833, sigma=1.86, truncate_h=24.0)
class Lognormal(SimpleLaw):
    """Log-normal law by mean and cv, or by median and sigma of the logarithm.

    With `truncate_h` the law is conditioned on values up to there; the parameters
    describe it before truncation, `mean_h` and `variance_h2` after it.
    """

    kind: ClassVar[str] = "lognormal"
    whole_mean_h: Hours | None = Field(default=None, validation_alias="mean_h", serialization_alias="mean_h")
    """Mean (before truncation), together with `cv`. [h]"""
    cv: Annotated[float, Field(gt=0, le=30)] | None = None
    """Standard deviation over mean (before truncation). [-]"""
    median_h: Hours | None = None
    """Median (before truncation), together with `sigma`. [h]"""
    sigma: Annotated[float, Field(gt=0, le=5)] | None = None
    """Standard deviation of the natural logarithm (before truncation); not the cv. [-]"""
    truncate_h: Hours | None = None
    """No value is larger. [h]"""

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        pairs = (self.whole_mean_h, self.cv), (self.median_h, self.sigma)
        given = [sum(value is not None for value in pair) for pair in pairs]
        if given not in ([2, 0], [0, 2]):
            raise ScenarioError([Problem("give mean_h with cv, or median_h with sigma", hint="sigma is not the cv")])
        if self.truncate_h is not None and self._kept(0) < 1e-3:
            message = "leaves less than 0.1 % of the law"
            raise ScenarioError([Problem(message, "truncate_h", self.truncate_h, f"near {self._median_h:g} or above")])
        return self

    @property
    def _log_sd(self) -> float:
        return self.sigma if self.sigma is not None else math.sqrt(math.log1p((self.cv or 0.0) ** 2))

    @property
    def _median_h(self) -> float:
        if self.median_h is not None:
            return self.median_h
        return (self.whole_mean_h or 0.0) / math.sqrt(1 + (self.cv or 0.0) ** 2)

    @property
    def _bound(self) -> float:
        """Standard normal value at which the law is cut."""
        return math.inf if self.truncate_h is None else math.log(self.truncate_h / self._median_h) / self._log_sd

    def _kept(self, moment: int) -> float:
        """Share of the moment that lies below the cut."""
        return 0.5 * math.erfc((moment * self._log_sd - self._bound) / math.sqrt(2))

    def _moment(self, moment: int) -> float:
        whole = self._median_h**moment * math.exp((moment * self._log_sd) ** 2 / 2)
        return whole * self._kept(moment) / self._kept(0)

    @property
    def mean_h(self) -> float:
        """Mean, after truncation. [h]"""
        if self.truncate_h is None and self.whole_mean_h is not None:
            return self.whole_mean_h
        return self._moment(1)

    @property
    def variance_h2(self) -> float:
        """Variance, after truncation. [h^2]"""
        return self._moment(2) - self._moment(1) ** 2

    @property
    def is_simple(self) -> bool:
        """Whether there is no truncation, which draws some values again."""
        return self.truncate_h is None

    def fill(self, rng: np.random.Generator, out: FloatArray) -> None:
        """Standard normal variates."""
        rng.standard_normal(out=out)

    def of(self, variate: FloatArray) -> FloatArray:
        """median exp(sigma z)."""
        variate *= self._log_sd
        np.exp(variate, out=variate)
        variate *= self._median_h
        return variate

    def sampler(self, rng: np.random.Generator) -> Draw:
        """Exponentials of normal variates; those beyond the cut are drawn anew below it by inversion."""
        if self.truncate_h is None:
            return super().sampler(rng)
        bound, kept, truncate_h = self._bound, self._kept(0), self.truncate_h
        again: np.random.Generator | None = None

        def draw(n: int) -> FloatArray:
            nonlocal again
            variate = rng.standard_normal(n)
            beyond = np.flatnonzero(variate > bound)
            if len(beyond):
                from scipy.special import ndtri

                again = again or rng.spawn(1)[0]
                variate[beyond] = ndtri((1.0 - again.random(len(beyond))) * kept)
            return np.minimum(self.of(variate), truncate_h)

        return draw


@SERVICE_TIMES.register("triangular", low_h=0.1, mode_h=0.2, high_h=0.6)
class Triangular(SimpleLaw):
    """Between `low_h` and `high_h`, most often near `mode_h`."""

    kind: ClassVar[str] = "triangular"
    low_h: HoursFromZero
    mode_h: HoursFromZero
    high_h: Hours

    @model_validator(mode="after")
    def _order(self) -> Self:
        if not self.low_h <= self.mode_h <= self.high_h or self.low_h == self.high_h:
            found = f"low_h {self.low_h:g}, mode_h {self.mode_h:g}, high_h {self.high_h:g}"
            raise ScenarioError([Problem(f"needs low_h <= mode_h <= high_h and low_h < high_h, got {found}")])
        return self

    @property
    def mean_h(self) -> float:
        """Mean of the three. [h]"""
        return (self.low_h + self.mode_h + self.high_h) / 3

    @property
    def variance_h2(self) -> float:
        """Variance. [h^2]"""
        low, mode, high = self.low_h, self.mode_h, self.high_h
        return (low * low + mode * mode + high * high - low * mode - low * high - mode * high) / 18

    def of(self, variate: FloatArray) -> FloatArray:
        """Inverse of the distribution function, from the left below the mode, from the right above."""
        low, mode, high = self.low_h, self.mode_h, self.high_h
        width = high - low
        left = np.sqrt(variate * (width * (mode - low)))
        right = np.sqrt((1.0 - variate) * (width * (high - mode)))
        return np.where(variate < (mode - low) / width, low + left, high - right)


@SERVICE_TIMES.register("uniform", low_h=0.2, high_h=0.5)
class Uniform(SimpleLaw):
    """Anything between `low_h` and `high_h`, all alike."""

    kind: ClassVar[str] = "uniform"
    low_h: HoursFromZero
    high_h: HoursFromZero

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.low_h > self.high_h:
            raise ScenarioError([Problem("must not be more than high_h", "low_h", self.low_h, f"<= {self.high_h:g}")])
        return self

    @property
    def mean_h(self) -> float:
        """Middle. [h]"""
        return (self.low_h + self.high_h) / 2

    @property
    def variance_h2(self) -> float:
        """Variance. [h^2]"""
        return (self.high_h - self.low_h) ** 2 / 12

    def of(self, variate: FloatArray) -> FloatArray:
        """low + (high - low) u."""
        variate *= self.high_h - self.low_h
        variate += self.low_h
        return variate


@SERVICE_TIMES.register("weibull", shape=1.5, scale_h=0.5)
class Weibull(SimpleLaw):
    """Weibull law; `shape` = 1 is the exponential law, less has a longer tail."""

    kind: ClassVar[str] = "weibull"
    shape: Annotated[float, Field(ge=0.1, le=1000)]
    scale_h: Hours

    @property
    def mean_h(self) -> float:
        """Mean. [h]"""
        return self.scale_h * math.gamma(1 + 1 / self.shape)

    @property
    def variance_h2(self) -> float:
        """Variance. [h^2]"""
        return self.scale_h**2 * math.gamma(1 + 2 / self.shape) - self.mean_h**2

    def of(self, variate: FloatArray) -> FloatArray:
        """scale (-log(1 - u))^(1/shape)."""
        values = minus_log(variate)
        np.power(values, 1 / self.shape, out=values)
        values *= self.scale_h
        return values


Law = Annotated[ServiceTime, KindOf(SERVICE_TIMES)]


@SERVICE_TIMES.register("shifted", shift_h=0.1, law={"kind": "exponential", "mean_h": 0.3})
class Shifted(ServiceTime):
    """A fixed time and then that of another law."""

    kind: ClassVar[str] = "shifted"
    shift_h: HoursFromZero
    law: Law

    @property
    def mean_h(self) -> float:
        """Shift plus the mean of the law. [h]"""
        return self.shift_h + self.law.mean_h

    @property
    def variance_h2(self) -> float:
        """That of the law."""
        return self.law.variance_h2

    def sampler(self, rng: np.random.Generator) -> Draw:
        """Values of the law, later by the shift."""
        draw = self.law.sampler(rng)
        return lambda n: draw(n) + self.shift_h


@SERVICE_TIMES.register(
    "mixture",
    weights=(0.8, 0.2),
    laws=({"kind": "gamma", "mean_h": 0.2, "cv": 0.5}, {"kind": "uniform", "low_h": 1.0, "high_h": 2.0}),
)
class Mixture(ServiceTime):
    """One of several laws, chosen anew for each consignment.

    Every law is drawn for every consignment, so that other weights change only
    which value counts.
    """

    kind: ClassVar[str] = "mixture"
    weights: TupleOf[Probability]
    laws: TupleOf[Law]

    @model_validator(mode="after")
    def _weights(self) -> Self:
        require_weights(self.weights, len(self.laws), "laws")
        return self

    @property
    def mean_h(self) -> float:
        """Weighted mean of the means. [h]"""
        return math.fsum(weight * law.mean_h for weight, law in zip(self.weights, self.laws, strict=True))

    @property
    def variance_h2(self) -> float:
        """Mean of the squares less the square of the mean. [h^2]"""
        parts = zip(self.weights, self.laws, strict=True)
        return math.fsum(w * (law.variance_h2 + law.mean_h**2) for w, law in parts) - self.mean_h**2

    def sampler(self, rng: np.random.Generator) -> Draw:
        """Choices from `rng`, each law from a generator of its own."""
        draws = [law.sampler(own) for law, own in zip(self.laws, rng.spawn(len(self.laws)), strict=True)]
        edges = np.cumsum(self.weights)[:-1]

        def draw(n: int) -> FloatArray:
            chosen = rng.random(n)
            values = draws[0](n)
            for edge, other in zip(edges, draws[1:], strict=True):
                np.copyto(values, other(n), where=chosen >= edge)
            return values

        return draw


@SERVICE_TIMES.register("hyperexponential", weights=(0.9, 0.1), means_h=(0.2, 2.0))
class Hyperexponential(ServiceTime):
    """Exponential times whose mean is chosen anew for each consignment; cv above 1."""

    kind: ClassVar[str] = "hyperexponential"
    weights: TupleOf[Probability]
    means_h: TupleOf[Hours]

    @model_validator(mode="after")
    def _weights(self) -> Self:
        require_weights(self.weights, len(self.means_h), "means_h")
        return self

    @property
    def mean_h(self) -> float:
        """Weighted mean. [h]"""
        return math.fsum(w * mean for w, mean in zip(self.weights, self.means_h, strict=True))

    @property
    def variance_h2(self) -> float:
        """Variance. [h^2]"""
        return math.fsum(2 * w * m * m for w, m in zip(self.weights, self.means_h, strict=True)) - self.mean_h**2

    def sampler(self, rng: np.random.Generator) -> Draw:
        """Unit exponentials times the chosen means."""
        own = rng.spawn(1)[0]
        edges, means_h = np.cumsum(self.weights)[:-1], self.means_h

        def draw(n: int) -> FloatArray:
            chosen = rng.random(n)
            scale_h = np.full(n, means_h[0])
            for edge, mean_h in zip(edges, means_h[1:], strict=True):
                np.copyto(scale_h, mean_h, where=chosen >= edge)
            scale_h *= minus_log(own.random(n))
            return scale_h

        return draw


@SERVICE_TIMES.register("empirical", values_h=(0.15, 0.2, 0.2, 0.35, 1.1))
class Empirical(SimpleLaw):
    """One of the measured values, all alike.

    Give `values_h`, or `csv` and `column` (a header); a file is read once and
    `values_h` then holds its values, so a stored scenario is complete in itself.
    """

    kind: ClassVar[str] = "empirical"
    values_h: TupleOf[HoursFromZero]
    csv: str = ""
    """File that the values came from, relative to the scenario file."""
    column: str = ""
    """Header of the column with times. [h]"""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: Any) -> Any:
        return csv_columns.fill(values, "values_h", csv_columns.number_column)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.values_h:
            raise ScenarioError([Problem("must hold at least one value", "values_h")])
        return self

    @property
    def mean_h(self) -> float:
        """Mean of the values. [h]"""
        return math.fsum(self.values_h) / len(self.values_h)

    @property
    def variance_h2(self) -> float:
        """Mean squared distance from the mean. [h^2]"""
        mean_h = self.mean_h
        return math.fsum((value - mean_h) ** 2 for value in self.values_h) / len(self.values_h)

    @functools.cached_property
    def _ranked_h(self) -> FloatArray:
        return np.sort(self.values_h)

    def of(self, variate: FloatArray) -> FloatArray:
        """The value at the rank that the uniform falls on."""
        variate *= len(self.values_h)
        return np.asarray(self._ranked_h[variate.astype(np.int64)])


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
