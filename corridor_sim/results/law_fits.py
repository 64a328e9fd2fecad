"""Laws fitted to measured times: what each came to, which is nearest, and the text that a scenario file takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.streams import Rng, root_entropy
from corridor_sim.core.units import FloatArray, counted
from corridor_sim.files.writer import to_toml
from corridor_sim.model.base import Figure
from corridor_sim.model.service_times import SERVICE_TIMES, ServiceTime, Shifted, cv_of
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.statistics.law_fitting import FAMILIES, Durations, FamilyFit, Fitness, distance, goodness, shown

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 6
"""Significant digits of parameters in a file."""
STATUSES = ("published", "derived", "assumed")


@dataclass(frozen=True, eq=False)
class LawFit:
    """One law fitted to times.

    Attributes
    ----------
    law : ServiceTime
        As a scenario takes it; shifted, if the location is not 0.
    parameters : mapping
        Of the law without its shift, by field; those of a list by number (``"means_h.0"``).
    log_errors : mapping
        Standard errors of the logarithms of the parameters, NaN where there is none.
    log_likelihood, count
        Of the times in hours; parameters that were found.
    distance
        Largest distance from the share of times that are over (see `statistics.law_fitting.distance`).
    note
        What is to be said of it.
    """

    law: ServiceTime
    parameters: Mapping[str, float]
    log_errors: Mapping[str, float]
    log_likelihood: float
    count: int
    distance: float
    note: str
    location_h: float
    found: FamilyFit
    times: Durations
    about: str

    @property
    def kind(self) -> str:
        """Kind of the law, without its shift."""
        return self.found.kind

    @property
    def aic(self) -> float:
        """Akaike's criterion: twice the parameters less twice the log-likelihood [akaike1974]. Smaller is nearer."""
        return 2.0 * self.count - 2.0 * self.log_likelihood

    def standard_error(self, parameter: str) -> float:
        """Of one parameter, NaN where there is none."""
        return self.parameters[parameter] * self.log_errors[parameter]

    def interval(self, parameter: str, confidence: float = 0.95) -> tuple[float, float]:
        """Confidence interval of one parameter, symmetric in its logarithm; NaN where it has no standard error.

        Raises
        ------
        ArgumentError
            If the law has no such parameter.
        """
        from scipy.special import ndtri

        require_confidence(confidence)
        arguments.one_of("parameter", parameter, self.parameters)
        half = float(ndtri(0.5 + confidence / 2.0)) * self.log_errors[parameter]
        value = self.parameters[parameter]
        return value * math.exp(-half), value * math.exp(half)

    def quantile_h(self, share: Any) -> FloatArray:
        """Times that shares of all stay below. [h]"""
        return self.location_h + FAMILIES[self.kind].quantile(np.asarray(share, dtype=float), self.found.values)

    def goodness(self, draws: int = 199, rng: Rng = None) -> Fitness:
        """How often times drawn from this law are as far from their own fit as these are (parametric bootstrap).

        Of several bad laws one is still the nearest: a p-value below 0.05 says that this one is bad.

        Raises
        ------
        ValueError
            If some times are censored.
        """
        draws = arguments.whole("draws", draws, 19)
        return goodness(self.found, self.times, draws, np.random.default_rng(root_entropy(rng)))

    def to_toml(
        self,
        field: str = "service",
        *,
        status: str = "derived",
        source: str = "",
        ranges: bool = True,
        confidence: float = 0.95,
    ) -> str:
        """What a table of a scenario file takes: the law, where it comes from, and how far its parameters may be off.

        Parameters
        ----------
        field : str
            Name that the law has in the table: ``service`` of a stage, ``interarrival`` of arrivals.
        status, source : str
            Of the figures; the source is an id of the file's ``sources`` or words, by default what the times were.
        ranges : bool
            With the confidence intervals of the parameters as their ranges.

        Examples
        --------
        >>> import corridor_sim as cs
        >>> print(cs.fit_law([0.2, 0.3, 0.4, 0.3, 0.8], "exponential").best.to_toml(ranges=False), end="")
        service = { kind = "exponential", mean_h = 0.4 }
        status = "derived"
        source = "fit to 5 times"
        """
        arguments.one_of("status", status, STATUSES)
        require_confidence(confidence)
        source = source or f"fit to {self.about}"
        text = f"{field} = {_inline(_rounded(self.law.to_data()))}\n" + to_toml({"status": status, "source": source})
        if not ranges:
            return text
        inner = f"{field}.law" if self.location_h else field
        for name in self.parameters:
            low, high = self.interval(name, confidence)
            if "." in name or not low < high:
                continue
            figure = {
                "low": _digits(low),
                "high": _digits(high),
                "range_source": source if " " not in source else "",
                "range_reason": f"{confidence:.0%} confidence interval of the fit",
            }
            figure = {key: value for key, value in figure.items() if value != ""}
            Figure.model_validate(figure)
            text += f'figures."{inner}.{name}" = {_inline(figure)}\n'
        return text


@dataclass(frozen=True, eq=False)
class LawFits:
    """Several laws fitted to the same times, the nearest first.

    Attributes
    ----------
    fits
        By Akaike's criterion.
    left_out : mapping
        Laws that could not be fitted, and why.
    times : Durations
        Since the location. [h]
    location_h
        Least time that the laws can give. [h]
    about
        What the times are, in words.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.fit_law([12, 15, 9, 22, 14, 31, 11, 17], unit="min").table()["law"].iloc[0]
    'lognormal'
    """

    fits: tuple[LawFit, ...]
    left_out: Mapping[str, str]
    times: Durations
    location_h: float
    about: str

    @property
    def drawn_from(self) -> str:
        """What pictures of them are of: the times, which no scenario gave."""
        return f"{self.about}, measured; {counted(len(self.fits), 'law')} fitted"

    @property
    def best(self) -> LawFit:
        """The law with the smallest AIC."""
        return self.fits[0]

    def __len__(self) -> int:
        return len(self.fits)

    def __iter__(self) -> Iterator[LawFit]:
        return iter(self.fits)

    def __getitem__(self, kind: str) -> LawFit:
        arguments.one_of("law", kind, [fit.kind for fit in self.fits])
        return next(fit for fit in self.fits if fit.kind == kind)

    def table(self, confidence: float = 0.95) -> pd.DataFrame:
        """One line a law, the nearest first: parameters with intervals, AIC and what it is above the best.

        `weight` is Akaike's weight: how likely the law is the nearest of those that were fitted [burnham2002].
        """
        import pandas as pd

        require_confidence(confidence)
        least = self.best.aic
        weights = np.exp([-(fit.aic - least) / 2.0 for fit in self.fits])
        rows = [
            {
                "law": fit.kind,
                "parameters": ", ".join(_told(fit, name, confidence) for name in fit.parameters),
                "mean_h": fit.law.mean_h,
                "cv": cv_of(fit.law),
                "log_likelihood": fit.log_likelihood,
                "count": fit.count,
                "aic": fit.aic,
                "above_best": fit.aic - least,
                "weight": weight / weights.sum(),
                "distance": fit.distance,
                "note": fit.note,
            }
            for fit, weight in zip(self.fits, weights, strict=True)
        ]
        return pd.DataFrame(rows)

    def to_toml(self, field: str = "service", **options: Any) -> str:
        """The nearest law as a scenario file takes it: `LawFit.to_toml`."""
        return self.best.to_toml(field, **options)

    @property
    def plot(self) -> Pictures:
        """Pictures: ``fits.plot.qq()``."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    def __repr__(self) -> str:
        listed = ", ".join(f"{fit.kind} +{fit.aic - self.best.aic:.1f}" for fit in self.fits[1:])
        return f"<{self.about}: {self.best.kind} is nearest" + (f"; by AIC {listed}>" if listed else ">")


def made_fit(found: FamilyFit, times: Durations, location_h: float, about: str) -> LawFit:
    """A fit with its law.

    Raises
    ------
    ScenarioError
        If a parameter is beyond what the law of the model takes.
    """
    law = SERVICE_TIMES[found.kind].model_validate(FAMILIES[found.kind].data(found.values))
    values, errors = shown(found)
    return LawFit(
        law=Shifted(shift_h=location_h, law=law) if location_h else law,
        parameters=values,
        log_errors=errors,
        log_likelihood=found.log_likelihood,
        count=found.count,
        distance=distance(found.kind, found.values, times),
        note=found.note,
        location_h=location_h,
        found=found,
        times=times,
        about=about,
    )


def _told(fit: LawFit, name: str, confidence: float) -> str:
    low, high = fit.interval(name, confidence)
    value = f"{name} {fit.parameters[name]:.4g}"
    return f"{value} ({low:.3g} to {high:.3g})" if low < high else value


def _digits(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        rounded = {key: _rounded(item) for key, item in value.items()}
        if "weights" in rounded:  # that still sum to 1
            *most, _ = rounded["weights"]
            rounded["weights"] = [*most, 1.0 - math.fsum(most)]
        return rounded
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return _digits(value) if isinstance(value, float) else value


def _inline(table: Mapping[str, Any]) -> str:
    """A small table on one line."""
    return "{ " + ", ".join(to_toml({key: value}).strip() for key, value in table.items()) + " }"
