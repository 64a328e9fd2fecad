"""Laws with parameters, values of one standard variate (or none).

To add such a law, add one class here with `@SERVICE_TIMES.register(kind, **example)`:
fields with the unit in the name, `mean_h`, and `of`, a function of one uniform, or
`of_words`, one of variates (`core.draws.variates`); and its name to ``__init__.py``. To have it
compiled too, add its code to ``coded.py`` and ``compiled.py``.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from corridor_sim.core.draws import variates
from corridor_sim.core.draws.elementary import exp, log
from corridor_sim.core.draws.words import WordArray
from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.model.field_types import PositiveCount
from corridor_sim.model.service_times.base import (
    SERVICE_TIMES,
    Hours,
    HoursFromZero,
    ServiceTime,
    SimpleLaw,
)


@SERVICE_TIMES.register("deterministic", value_h=0.24)
class Deterministic(ServiceTime):
    """Always the same time.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Deterministic(value_h=0.25).mean_h
    0.25
    """

    kind: ClassVar[str] = "deterministic"
    value_h: HoursFromZero
    """The time. [h]"""

    @property
    def mean_h(self) -> float:
        """The value."""
        return self.value_h

    @property
    def largest_h(self) -> float:
        """Bound that no value exceeds. [h]"""
        return self.value_h

    @property
    def variance_h2(self) -> float:
        """Zero."""
        return 0.0

    def of_words(self, word: WordArray) -> FloatArray:
        """The value, whatever the words."""
        return np.full(word.shape, self.value_h)


@SERVICE_TIMES.register("exponential", mean_h=0.4)
class Exponential(ServiceTime):
    """Memoryless times.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Exponential(mean_h=0.5).variance_h2
    0.25
    """

    kind: ClassVar[str] = "exponential"
    mean_h: Hours
    """Mean. [h]"""

    @property
    def variance_h2(self) -> float:
        """Square of the mean."""
        return self.mean_h**2

    def of_words(self, word: WordArray) -> FloatArray:
        """Unit exponentials times the mean."""
        values = variates.exponential(word)
        values *= self.mean_h
        return values


class _GammaShaped(ServiceTime):
    """Gamma variates of shape `_shape`; they scale with the mean, whatever it is."""

    mean_h: Hours
    """Mean. [h]"""

    @property
    def _shape(self) -> float:
        raise NotImplementedError

    @property
    def variance_h2(self) -> float:
        """Square of the mean over the shape."""
        return self.mean_h**2 / self._shape

    def of_words(self, word: WordArray) -> FloatArray:
        """Standard gamma variates times mean over shape."""
        values = variates.gamma(word, self._shape)
        values *= self.mean_h / self._shape
        return values


@SERVICE_TIMES.register("erlang", k=3, mean_h=0.4)
class Erlang(_GammaShaped):
    """Sum of `k` independent exponential phases of equal mean; cv is k^-1/2.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Erlang(mean_h=0.5, k=4).variance_h2
    0.0625
    """

    kind: ClassVar[str] = "erlang"
    k: Annotated[PositiveCount, Field(le=1_000_000)]
    """Number of phases, a whole number >= 1. [-]"""

    @property
    def _shape(self) -> float:
        return float(self.k)


@SERVICE_TIMES.register("gamma", mean_h=0.5, cv=0.8)
class Gamma(_GammaShaped):
    """Gamma law given by mean and spread; `cv` = 1 is the exponential law.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Gamma(mean_h=0.5, cv=0.4).variance_h2
    0.04000000000000001
    """

    kind: ClassVar[str] = "gamma"
    cv: Annotated[float, Field(ge=1e-3, le=30)]
    """Standard deviation over mean, 0.001 to 30; for no spread write a deterministic law. [-]"""

    @property
    def _shape(self) -> float:
        return self.cv**-2


@SERVICE_TIMES.register("lognormal", median_h=0.1833, sigma=1.86, truncate_h=24.0)
class Lognormal(ServiceTime):
    """Log-normal law by mean and cv, or by median and sigma of the logarithm.

    With `truncate_h` the law is conditioned on values up to there; the parameters
    describe it before truncation, `mean_h` and `variance_h2` after it.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Lognormal(mean_h=0.5, cv=0.8).mean_h
    0.5
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
    def largest_h(self) -> float:
        """Bound that no value exceeds. [h]"""
        return math.inf if self.truncate_h is None else self.truncate_h

    @property
    def variance_h2(self) -> float:
        """Variance, after truncation. [h^2]"""
        return self._moment(2) - self._moment(1) ** 2

    def of_words(self, word: WordArray) -> FloatArray:
        """median exp(sigma z); a normal value beyond the cut is drawn again below it."""
        cut_h = self.truncate_h
        values = variates.normal(word) if cut_h is None else variates.normal_below(word, self._bound)
        values *= self._log_sd
        values = exp(values)
        values *= self._median_h
        return values if cut_h is None else np.minimum(values, cut_h, out=values)


@SERVICE_TIMES.register("triangular", low_h=0.1, mode_h=0.2, high_h=0.6)
class Triangular(SimpleLaw):
    """Between `low_h` and `high_h`, most often near `mode_h`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Triangular(low_h=0.1, mode_h=0.2, high_h=0.6).mean_h
    0.3
    """

    kind: ClassVar[str] = "triangular"
    low_h: HoursFromZero
    """Least time. [h]"""
    mode_h: HoursFromZero
    """Most likely time. [h]"""
    high_h: Hours
    """Longest time. [h]"""

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
    def largest_h(self) -> float:
        """Bound that no value exceeds. [h]"""
        return self.high_h

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
    """Anything between `low_h` and `high_h`, all alike.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Uniform(low_h=0.1, high_h=0.5).mean_h
    0.3
    """

    kind: ClassVar[str] = "uniform"
    low_h: HoursFromZero
    """Least time. [h]"""
    high_h: HoursFromZero
    """Longest time. [h]"""

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
    def largest_h(self) -> float:
        """Bound that no value exceeds. [h]"""
        return self.high_h

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
class Weibull(ServiceTime):
    """Weibull law; `shape` = 1 is the exponential law, less has a longer tail.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Weibull(scale_h=0.5, shape=1).mean_h
    0.5
    """

    kind: ClassVar[str] = "weibull"
    shape: Annotated[float, Field(ge=0.1, le=1000)]
    """Below 1 for a long tail, 1 is exponential. [-]"""
    scale_h: Hours
    """Time that 63 % do not exceed (1 - 1/e). [h]"""

    @property
    def mean_h(self) -> float:
        """Mean. [h]"""
        return self.scale_h * math.gamma(1 + 1 / self.shape)

    @property
    def variance_h2(self) -> float:
        """Variance. [h^2]"""
        return self.scale_h**2 * math.gamma(1 + 2 / self.shape) - self.mean_h**2

    def of_words(self, word: WordArray) -> FloatArray:
        """scale E^(1/shape), E the unit exponential."""
        values = log(variates.exponential(word))
        values *= 1 / self.shape
        values = exp(values)
        values *= self.scale_h
        return values
