"""Laws and arrival processes as vector files write them, as those of the model.

A vector's rates and means are in its own unit of time and enter as plain
numbers. To add a law, add one line to `LAWS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from corridor_sim.core.draws.words import WordArray, further
from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray
from corridor_sim.model import arrivals, service_times
from corridor_sim.model.service_times import ServiceTime
from corridor_sim.verify.fields import Fields, Unsupported, steps_of

SINE_PIECES = 1440
"""Pieces of constant rate, each with its exact mean, that stand for one period of a sine."""
MINUTES_PER_DAY, MINUTES_PER_HOUR, DAYS_PER_WEEK = 1440.0, 60.0, 7


class Sum(ServiceTime):
    """The sum of independent times."""

    kind: ClassVar[str] = "sum"
    laws: tuple[Any, ...]

    @property
    def mean_h(self) -> float:
        """Sum of the means."""
        return math.fsum(law.mean_h for law in self.laws)

    @property
    def variance_h2(self) -> float:
        """Sum of the variances."""
        return math.fsum(law.variance_h2 for law in self.laws)

    def of_words(self, word: WordArray) -> FloatArray:
        """Sums of values, law k from further word k + 1."""
        return np.asarray(np.sum([law.of_words(further(word, k)) for k, law in enumerate(self.laws, 1)], axis=0))


def _gamma(fields: Fields, where: str) -> ServiceTime:
    del where
    mean = float(fields.need("mean"))
    cv = fields.get("cv")
    return service_times.Gamma(mean_h=mean, cv=float(cv) if cv is not None else float(fields.need("shape")) ** -0.5)


def _lognormal(fields: Fields, where: str) -> ServiceTime:
    del where
    names = {"mean": "mean_h", "cv": "cv", "median": "median_h", "sigma": "sigma"}
    given = {key: float(value) for name, key in names.items() if (value := fields.get(name)) is not None}
    return service_times.Lognormal(**given)


def _shifted(fields: Fields, where: str) -> ServiceTime:
    shift, mean = float(fields.need("shift")), float(fields.need("mean"))
    if mean <= shift:
        raise Unsupported(f"{where}: a mean of {mean:g} (shift included) with a shift of {shift:g}")
    return service_times.Shifted(shift_h=shift, law=service_times.Exponential(mean_h=mean - shift))


def _hyperexponential(fields: Fields, where: str) -> ServiceTime:
    del where
    return service_times.Hyperexponential(
        weights=tuple(map(float, fields.need("p"))), means_h=tuple(map(float, fields.need("means")))
    )


def _mixture(fields: Fields, where: str) -> ServiceTime:
    laws = tuple(law(one, where) for one in fields.need("of"))
    return service_times.Mixture(weights=tuple(map(float, fields.need("p"))), laws=laws)


LAWS: dict[str, Callable[[Fields, str], ServiceTime]] = {
    "deterministic": lambda f, _: service_times.Deterministic(value_h=float(f.need("value", "mean"))),
    "exponential": lambda f, _: service_times.Exponential(mean_h=float(f.need("mean"))),
    "erlang": lambda f, _: service_times.Erlang(k=int(f.need("k")), mean_h=float(f.need("mean"))),
    "gamma": _gamma,
    "lognormal": _lognormal,
    "uniform": lambda f, _: service_times.Uniform(low_h=float(f.need("low")), high_h=float(f.need("high"))),
    "triangular": lambda f, _: service_times.Triangular(
        low_h=float(f.need("low")), mode_h=float(f.need("mode")), high_h=float(f.need("high"))
    ),
    "weibull": lambda f, _: service_times.Weibull(shape=float(f.need("shape")), scale_h=float(f.need("scale"))),
    "hyperexponential": _hyperexponential,
    "shifted_exponential": _shifted,
    "mixture": _mixture,
    "sum": lambda f, where: Sum(laws=tuple(law(one, where) for one in f.need("of"))),
    "empirical": lambda f, _: service_times.Empirical(values_h=tuple(map(float, f.need("values")))),
}


def law(values: Any, where: str) -> ServiceTime:
    """The law that ``{"dist": ..., ...}`` describes.

    Raises
    ------
    Unsupported
        For a law, field or parameter that is not known or not possible.
    """
    fields = Fields(values, where)
    kind = str(fields.need("dist"))
    if kind not in LAWS:
        raise Unsupported(f"{where}: law {kind!r} (known: {', '.join(sorted(LAWS))})")
    try:
        made = LAWS[kind](fields, where)
    except ScenarioError as error:
        raise Unsupported(f"{where}: {kind}: {error}") from error
    fields.done()
    return made


def rate_of(values: Any, where: str, until: float) -> StepFunction:
    """A rate by date: a number, pieces, a sine, or base x hour x weekday x season."""
    if isinstance(values, Mapping):
        form = str(values.get("form", ""))
        if form == "sinusoid":
            return _sine(values, where, until)
        if form.startswith("base x hour x weekday x season"):
            return _profile(values, where, until)
    elif isinstance(values, Sequence) and values and all(len(piece) == 3 for piece in values):
        return pieces_of(values, None, where, until)
    return steps_of(values, where, until, what="rate")


def pieces_of(pieces: Sequence[Sequence[float]], period: float | None, where: str, until: float) -> StepFunction:
    """Rates as triples [from, to, rate] that join up, repeated with `period` if there is one; 0 after the last."""
    starts, ends, rates = (np.array(column, dtype=float) for column in zip(*pieces, strict=True))
    if starts[0] != 0 or (starts[1:] != ends[:-1]).any():
        raise Unsupported(f"{where}: pieces of the rate must join up from 0 on")
    if period is None:
        return StepFunction([*starts, ends[-1]], [*rates, 0.0])
    if period < ends[-1]:
        raise Unsupported(f"{where}: a period of {period:g} is shorter than the pieces")
    if period > ends[-1]:
        starts, rates = np.append(starts, ends[-1]), np.append(rates, 0.0)
    return StepFunction.periodic(starts.tolist(), rates.tolist(), float(period), until)


def _sine(values: Mapping[str, Any], where: str, until: float) -> StepFunction:
    fields = Fields(values, f"{where}: rate")
    fields.ignore("form", "formula")
    base, swing = float(fields.need("base")), float(fields.need("relative_amplitude"))
    period = float(fields.need("period"))
    fields.done()
    count = math.ceil(until / period) * SINE_PIECES
    edges = np.arange(count + 1) * (period / SINE_PIECES)
    turns = 2.0 * math.pi * edges / period
    mean = 1.0 - swing * np.diff(np.cos(turns)) / np.diff(turns)
    return StepFunction(edges[:-1], base * np.maximum(mean, 0.0))


def _profile(values: Mapping[str, Any], where: str, until: float) -> StepFunction:
    fields = Fields(values, f"{where}: rate")
    fields.ignore("form")
    hourly = np.array(fields.need("hourly"), dtype=float)
    weekly = np.array(fields.get("weekly", default=[1.0] * DAYS_PER_WEEK), dtype=float)
    base, seasons = float(fields.need("base_per_day")), fields.get("season", default=())
    fields.done()
    if hourly.shape != (24,) or weekly.shape != (DAYS_PER_WEEK,):
        raise Unsupported(f"{where}: a profile needs 24 hours and 7 weekdays")
    days = np.arange(math.ceil(until / MINUTES_PER_DAY) + 1)
    season = np.ones(len(days))
    for first, last, factor in seasons:
        season[(days >= first) & (days <= last)] = factor
    rate = base / MINUTES_PER_DAY * (season * weekly[days % DAYS_PER_WEEK])[:, None] * hourly[None, :]
    return StepFunction(np.arange(rate.size) * MINUTES_PER_HOUR, rate.ravel())


def arrivals_of(values: Any, where: str, until: float, saturating: int) -> tuple[str, arrivals.ArrivalPlan]:
    """Class and arrivals of one source; `saturating` is how many stand for an endless supply.

    Raises
    ------
    Unsupported
        For a process or field that is not known.
    """
    fields = Fields(values, where)
    name = str(fields.get("class", default=where))
    kind = str(fields.need("process"))
    batch = fields.get("batch", default=1)
    rate = StepFunction.constant(0.0)
    process: arrivals.Arrivals
    if kind in ("poisson", "nhpp"):
        rate = rate_of(fields.need("rate_per_min", "rate"), where, until)
        process = arrivals.Poisson()
        if batch != 1:
            process, rate = arrivals.Batches(size=int(batch)), StepFunction(rate.from_h, rate.value * int(batch))
    elif kind == "renewal" and batch == 1:
        gap = law(fields.need("interarrival"), f"{where} interarrival")
        process, rate = arrivals.Renewal(interarrival=gap), StepFunction.constant(1.0 / gap.mean_h)
    elif kind == "timetable":
        every, first = float(fields.need("every")), float(fields.get("first", default=0.0))
        process = arrivals.RegularArrivals(every_h=every, first_h=first, size=int(batch))
    elif kind == "all present at 0" and batch == 1:
        process = arrivals.AllAtStart(count=int(fields.get("count", default=saturating)))
    else:
        raise Unsupported(f"{where}: arrivals {kind!r}" + (f" in batches of {batch}" if batch != 1 else ""))
    fields.done()
    return name, arrivals.ArrivalPlan(process=process, rate=rate)
