"""Laws made of other laws or of measured values.

To add such a law, add one class here with `@SERVICE_TIMES.register(kind, **example)`,
`mean_h` and `of_words` (or `of`, see `simple.py`); and its name to ``__init__.py``. A
law that needs several random numbers takes `further` words.
"""

from __future__ import annotations

import functools
import math
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from corridor_sim.core.draws import variates
from corridor_sim.core.draws.words import WordArray, further, uniform
from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.model import csv_columns
from corridor_sim.model.field_types import Probability, TupleOf
from corridor_sim.model.service_times.base import (
    SERVICE_TIMES,
    Draw,
    Hours,
    HoursFromZero,
    Law,
    ServiceTime,
    SimpleLaw,
    require_weights,
)


@SERVICE_TIMES.register("shifted", shift_h=0.1, law={"kind": "exponential", "mean_h": 0.3})
class Shifted(ServiceTime):
    """A fixed time and then that of another law.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Shifted(shift_h=0.2, law=cs.Exponential(mean_h=0.1)).mean_h
    0.30000000000000004
    """

    kind: ClassVar[str] = "shifted"
    shift_h: HoursFromZero
    """Least time. [h]"""
    law: Law
    """Law of what is added. [h]"""

    @property
    def mean_h(self) -> float:
        """Shift plus the mean of the law. [h]"""
        return self.shift_h + self.law.mean_h

    @property
    def largest_h(self) -> float:
        """Bound that no value exceeds. [h]"""
        return self.shift_h + self.law.largest_h

    @property
    def variance_h2(self) -> float:
        """That of the law."""
        return self.law.variance_h2

    @property
    def by_index(self) -> bool:
        """That of the law."""
        return self.law.by_index

    def of_words(self, word: WordArray) -> FloatArray:
        """Values of the law, later by the shift."""
        return self.law.of_words(word) + self.shift_h

    def sampler(self, rng: np.random.Generator) -> Draw:
        """Values of the law, later by the shift."""
        if self.by_index:
            return super().sampler(rng)
        draw = self.law.sampler(rng)
        return lambda n: draw(n) + self.shift_h


@SERVICE_TIMES.register(
    "mixture",
    weights=(0.8, 0.2),
    laws=({"kind": "gamma", "mean_h": 0.2, "cv": 0.5}, {"kind": "uniform", "low_h": 1.0, "high_h": 2.0}),
)
class Mixture(ServiceTime):
    """One of several laws, chosen independently for each consignment.

    Each law has a word of its own for every consignment, so that other weights change
    only which value counts.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Mixture(weights=[0.8, 0.2], laws=[cs.Deterministic(value_h=0.1), cs.Exponential(mean_h=1)]).mean_h
    0.28
    """

    kind: ClassVar[str] = "mixture"
    weights: TupleOf[Probability]
    """Probability of each law; they sum to 1. [-]"""
    laws: TupleOf[Law]
    """The laws that are mixed."""

    @model_validator(mode="after")
    def _weights(self) -> Self:
        require_weights(self.weights, len(self.laws), "laws")
        return self

    @property
    def mean_h(self) -> float:
        """Weighted mean of the means. [h]"""
        return math.fsum(weight * law.mean_h for weight, law in zip(self.weights, self.laws, strict=True))

    @property
    def largest_h(self) -> float:
        """Bound that no value exceeds: the largest of the laws. [h]"""
        return max(law.largest_h for weight, law in zip(self.weights, self.laws, strict=True) if weight > 0)

    @property
    def variance_h2(self) -> float:
        """Mean of the squares less the square of the mean. [h^2]"""
        parts = zip(self.weights, self.laws, strict=True)
        return math.fsum(w * (law.variance_h2 + law.mean_h**2) for w, law in parts) - self.mean_h**2

    @property
    def by_index(self) -> bool:
        """Whether all laws are."""
        return all(law.by_index for law in self.laws)

    def of_words(self, word: WordArray) -> FloatArray:
        """Values of the laws chosen, law k from further word k + 1."""
        chosen = choice(self.weights, word)
        values = np.empty(word.shape)
        for k, law in enumerate(self.laws):
            mine = chosen == k
            values[mine] = law.of_words(further(word[mine], k + 1))
        return values

    def sampler(self, rng: np.random.Generator) -> Draw:
        """Choices from `rng`, each law from a generator of its own, if one of them can only be drawn in sequence."""
        if self.by_index:
            return super().sampler(rng)
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
    """Exponential times whose mean is chosen independently for each consignment; cv above 1.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Hyperexponential(weights=[0.9, 0.1], means_h=[0.2, 1.2]).mean_h
    0.30000000000000004
    """

    kind: ClassVar[str] = "hyperexponential"
    weights: TupleOf[Probability]
    """Probability of each exponential; they sum to 1. [-]"""
    means_h: TupleOf[Hours]
    """Mean of each exponential. [h]"""

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

    def of_words(self, word: WordArray) -> FloatArray:
        """Unit exponentials of the first further words times the chosen means."""
        values = variates.exponential(further(word, 1))
        values *= np.array(self.means_h)[choice(self.weights, word)]
        return values


@SERVICE_TIMES.register("empirical", values_h=(0.15, 0.2, 0.2, 0.35, 1.1))
class Empirical(SimpleLaw):
    """One of the measured values, all alike.

    Give `values_h`, or `csv` and `column` (a header); a file is read once and
    `values_h` then holds its values, so a stored scenario is complete in itself.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Empirical(values_h=[0.1, 0.2, 0.6]).mean_h
    0.3
    """

    kind: ClassVar[str] = "empirical"
    values_h: TupleOf[HoursFromZero]
    """Measured times; each is as likely as another. [h]"""
    csv: str = ""
    """File that the values came from, relative to the scenario file."""
    column: str = ""
    """Header of the column with times. [h]"""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The sign between the cells of the file."""
    decimal: csv_columns.Decimal = "."
    """The sign before the decimals of its numbers."""

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
    def largest_h(self) -> float:
        """Bound that no value exceeds. [h]"""
        return max(self.values_h)

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


def choice(weights: tuple[float, ...], word: WordArray) -> NDArray[np.int64]:
    """Which of several things with some weights the uniforms of words choose."""
    return np.asarray(np.searchsorted(np.cumsum(weights)[:-1], uniform(word), side="right"))
