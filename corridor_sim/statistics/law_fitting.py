"""Laws of durations by maximum likelihood, from times that may be censored.

A time is exact, still going on (right-censored), or known to lie between two bounds. Times are divided by
their mean first, so that the same times in another unit give the same law. Each family has its parameters as the
laws of the model name them and works with their logarithms, in which intervals are more nearly symmetric
[meeker1998]. Standard errors are from the curvature of the log-likelihood there (observed information).

To add a family, add an entry to `FAMILIES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray

TOLERANCE = 1e-9
"""Of the logarithms of parameters, where the search ends."""
STEP = 1e-4
"""Of the logarithms of parameters, for the curvature."""
SIMPLEX = 0.3
"""First step of the search, of the logarithms of parameters."""
FARTHEST = 1e3
"""How often the largest time the end of a range is looked for."""
LEAST_WEIGHT = 1e-3
"""Of one of two means, below which it is not told from chance; assumed."""
FORBIDDEN = 1e300
"""What stands for a likelihood of 0, so that the search turns back."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Times since the location, each between two bounds: equal where it is exact, inf where it is still going on.

    Attributes
    ----------
    low, high : arrays, shape (times,)
        0 <= low <= high. Any one unit.
    """

    low: FloatArray
    high: FloatArray

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Which are known exactly."""
        return np.asarray(self.low == self.high)

    @property
    def open(self) -> NDArray[np.bool_]:
        """Which were still going on."""
        return np.asarray(np.isinf(self.high))

    @property
    def middle(self) -> FloatArray:
        """One number for each: the value, the middle of the bounds, or how long it has lasted."""
        return np.where(self.open, self.low, (self.low + np.where(self.open, 0.0, self.high)) / 2.0)

    @property
    def complete(self) -> bool:
        """Whether all are known exactly."""
        return bool(self.exact.all())

    def over(self, scale: float) -> Durations:
        """The same in another unit."""
        return Durations(self.low / scale, self.high / scale)


Values = Mapping[str, float]
"""Values of the parameters of a family, by the names of the fields of the law."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of law: density, distribution, quantiles, and where the search begins.

    `names` are the parameters that are searched for; `times` those of them that are a time. `fixed` are found
    otherwise (the number of phases). `search` replaces the general search.
    """

    names: tuple[str, ...]
    times: frozenset[str]
    log_density: Callable[[FloatArray, Values], FloatArray]
    survival: Callable[[FloatArray, Values], FloatArray]
    quantile: Callable[[FloatArray, Values], FloatArray]
    begin: Callable[[float, float], list[Values]]
    """Starting points from mean and standard deviation."""
    data: Callable[[Values], dict[str, Any]] = dict
    """Fields of the law, from the parameters."""
    search: Callable[[Durations], tuple[Values, str] | None] | None = None
    """Finds the parameters in another way, or None where it cannot; with a remark."""
    count: int = 0
    """Parameters that are counted where they are not `names`."""


@dataclass(frozen=True, slots=True)
class FamilyFit:
    """A family fitted to times.

    Attributes
    ----------
    kind
        Of the law.
    values
        Parameters, by the names of the fields of the law.
    covariance : array, shape (names, names)
        Of the logarithms of the parameters `names`; NaN where there is none.
    log_likelihood
        Of the times in their own unit.
    count
        Parameters found.
    """

    kind: str
    values: dict[str, float]
    names: tuple[str, ...]
    covariance: FloatArray
    log_likelihood: float
    count: int
    note: str = ""


# ---------------------------------------------------------------- densities


def _gamma_shape(values: Values) -> float:
    return float(values["k"] if "k" in values else values["cv"] ** -2)


def _gamma_log_density(x: FloatArray, values: Values) -> FloatArray:
    from scipy.special import gammaln, xlogy

    shape = _gamma_shape(values)
    rate = shape / values["mean_h"]
    return np.asarray(xlogy(shape - 1.0, x) + shape * math.log(rate) - rate * x - gammaln(shape))


def _gamma_survival(x: FloatArray, values: Values) -> FloatArray:
    from scipy.special import gammaincc

    shape = _gamma_shape(values)
    return np.asarray(gammaincc(shape, x * (shape / values["mean_h"])))


def _gamma_quantile(p: FloatArray, values: Values) -> FloatArray:
    from scipy.special import gammaincinv

    shape = _gamma_shape(values)
    return np.asarray(gammaincinv(shape, p) * (values["mean_h"] / shape))


def _normal_of(x: FloatArray, values: Values) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray((np.log(x) - math.log(values["median_h"])) / values["sigma"])


def _lognormal_log_density(x: FloatArray, values: Values) -> FloatArray:
    z = _normal_of(x, values)
    return np.asarray(-0.5 * z * z - np.log(x) - math.log(values["sigma"] * math.sqrt(2.0 * math.pi)))


def _lognormal_survival(x: FloatArray, values: Values) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(ndtr(-_normal_of(x, values)))


def _lognormal_quantile(p: FloatArray, values: Values) -> FloatArray:
    from scipy.special import ndtri

    return np.asarray(values["median_h"] * np.exp(values["sigma"] * ndtri(p)))


def _weibull_log_density(x: FloatArray, values: Values) -> FloatArray:
    shape, scale = values["shape"], values["scale_h"]
    u = x / scale
    return np.asarray(math.log(shape / scale) + (shape - 1.0) * np.log(u) - u**shape)


def _two_means(values: Values) -> tuple[float, float, float]:
    """Weight of the short times, their mean, and the mean of the long ones."""
    odds = values["odds"]
    return odds / (1.0 + odds), values["short_h"], values["short_h"] * (1.0 + values["longer"])


def _hyper_log_density(x: FloatArray, values: Values) -> FloatArray:
    weight, short, long = _two_means(values)
    return np.asarray(np.log(weight / short * np.exp(-x / short) + (1.0 - weight) / long * np.exp(-x / long)))


def _hyper_survival(x: FloatArray, values: Values) -> FloatArray:
    weight, short, long = _two_means(values)
    return np.asarray(weight * np.exp(-x / short) + (1.0 - weight) * np.exp(-x / long))


def _hyper_quantile(p: FloatArray, values: Values) -> FloatArray:
    """By halving: the distribution function has no inverse in closed form."""
    _, _, long = _two_means(values)
    low, high = np.zeros(np.shape(p)), -long * np.log1p(-np.asarray(p))
    for _ in range(80):
        middle = (low + high) / 2.0
        below = 1.0 - _hyper_survival(middle, values) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2.0)


def _hyper_data(values: Values) -> dict[str, Any]:
    weight, short, long = _two_means(values)
    return {"weights": (weight, 1.0 - weight), "means_h": (short, long)}


def _is_one_exponential(values: Values) -> bool:
    """Whether one of the two means hardly counts, or they are the same."""
    weight, short, long = _two_means(values)
    return not LEAST_WEIGHT < weight < 1.0 - LEAST_WEIGHT or long < short * (1.0 + LEAST_WEIGHT)


def _triangular_survival(x: FloatArray, values: Values) -> FloatArray:
    low, mode, high = 0.0, values["mode_h"], values["high_h"]
    left = 1.0 - np.square(np.clip(x, low, mode)) / (high * mode) if mode > 0 else np.ones(np.shape(x))
    right = np.square(high - np.clip(x, mode, high)) / (high * (high - mode)) if mode < high else np.zeros(np.shape(x))
    return np.asarray(np.where(x < mode, left, right))


def _triangular_log_density(x: FloatArray, values: Values) -> FloatArray:
    mode, high = values["mode_h"], values["high_h"]
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = np.log(x / mode), np.log((high - x) / (high - mode))
    return np.asarray(math.log(2.0 / high) + np.where(x == mode, 0.0, np.where(x < mode, left, right)))


def _triangular_quantile(p: FloatArray, values: Values) -> FloatArray:
    mode, high = values["mode_h"], values["high_h"]
    p = np.asarray(p)
    return np.where(p < mode / high, np.sqrt(p * high * mode), high - np.sqrt((1.0 - p) * high * (high - mode)))


def _triangular_search(times: Durations) -> tuple[Values, str] | None:
    """Highest likelihood over all ends; for each the mode is one of the times [oliver1972]."""
    from scipy.optimize import minimize_scalar

    if not times.complete:
        return None
    x = np.sort(times.low)
    n = len(x)
    logs = np.concatenate([[0.0], np.cumsum(np.log(x))])
    rank = np.arange(1, n + 1)

    def by_mode(high: float) -> FloatArray:
        above = np.log(high - x[:-1]) if high == x[-1] else np.log(high - x)
        beyond = np.concatenate([np.cumsum(above[::-1])[::-1], [0.0]])
        beyond = beyond if high > x[-1] else np.append(beyond, 0.0)
        with np.errstate(divide="ignore"):
            left = logs[rank] - rank * np.log(x)
            right = beyond[rank] - np.where(rank < n, (n - rank) * np.log(np.maximum(high - x, 1e-300)), 0.0)
        return np.asarray(n * math.log(2.0 / high) + left + right)

    def cost(log_room: float) -> float:
        return -float(by_mode(x[-1] * (1.0 + math.exp(log_room))).max())

    tried = np.linspace(math.log(1e-6), math.log(10.0), 60)
    costs = [cost(one) for one in tried]
    k = int(np.argmin(costs))
    ends = tried[max(k - 1, 0)], tried[min(k + 1, len(tried) - 1)]
    best = minimize_scalar(cost, bounds=ends, method="bounded", options={"xatol": TOLERANCE})
    high = float(x[-1] * (1.0 + math.exp(best.x)))
    return {"mode_h": float(x[int(np.argmax(by_mode(high)))]), "high_h": high}, NO_ERROR


def _uniform_search(times: Durations) -> tuple[Values, str] | None:
    """The largest time where all are exact, else the highest likelihood at or above it."""
    from scipy.optimize import minimize_scalar

    least = float(np.max(np.where(times.exact, times.high, times.low)))
    if times.complete:
        return {"high_h": least}, NO_ERROR

    def cost(log_room: float) -> float:
        return -log_likelihood("uniform", times, {"high_h": least * math.exp(log_room)})

    best = minimize_scalar(cost, bounds=(0.0, math.log(FARTHEST)), method="bounded", options={"xatol": TOLERANCE})
    return {"high_h": least * math.exp(float(best.x))}, NO_ERROR


def _erlang_search(times: Durations) -> tuple[Values, str] | None:
    """The two whole numbers of phases next to the shape of the gamma law, each with its own mean."""
    shape = _gamma_shape(_general("gamma", FAMILIES["gamma"], times)[0])
    best: tuple[float, Values] | None = None
    for k in {max(1, math.floor(shape)), max(1, math.ceil(shape))}:
        family = replace(
            FAMILIES["gamma"],
            names=("mean_h",),
            log_density=partial(_with_phases, _gamma_log_density, k),
            survival=partial(_with_phases, _gamma_survival, k),
            begin=lambda mean, _: [{"mean_h": mean}],
        )
        values, reached = _general("erlang", family, times)
        if best is None or reached > best[0]:
            best = reached, {"k": float(k), **values}
    return None if best is None else (best[1], "")


def _with_phases(of: Callable[[FloatArray, Values], FloatArray], k: int, x: FloatArray, values: Values) -> FloatArray:
    return of(x, {**values, "k": k})


NO_ERROR = "the end of a range has no standard error"

FAMILIES: dict[str, Family] = {
    "exponential": Family(
        ("mean_h",),
        frozenset({"mean_h"}),
        lambda x, v: np.asarray(-x / v["mean_h"] - math.log(v["mean_h"])),
        lambda x, v: np.asarray(np.exp(-x / v["mean_h"])),
        lambda p, v: np.asarray(-v["mean_h"] * np.log1p(-np.asarray(p))),
        lambda mean, _: [{"mean_h": mean}],
    ),
    "erlang": Family(
        ("mean_h",),
        frozenset({"mean_h"}),
        _gamma_log_density,
        _gamma_survival,
        _gamma_quantile,
        lambda mean, _: [{"mean_h": mean}],
        data=lambda v: {"k": round(v["k"]), "mean_h": v["mean_h"]},
        search=_erlang_search,
        count=2,
    ),
    "gamma": Family(
        ("mean_h", "cv"),
        frozenset({"mean_h"}),
        _gamma_log_density,
        _gamma_survival,
        _gamma_quantile,
        lambda mean, sd: [{"mean_h": mean, "cv": sd / mean}],
    ),
    "lognormal": Family(
        ("median_h", "sigma"),
        frozenset({"median_h"}),
        _lognormal_log_density,
        _lognormal_survival,
        _lognormal_quantile,
        lambda mean, sd: [
            {"median_h": mean / math.sqrt(1.0 + (sd / mean) ** 2), "sigma": math.sqrt(math.log1p((sd / mean) ** 2))}
        ],
    ),
    "weibull": Family(
        ("shape", "scale_h"),
        frozenset({"scale_h"}),
        _weibull_log_density,
        lambda x, v: np.asarray(np.exp(-((x / v["scale_h"]) ** v["shape"]))),
        lambda p, v: np.asarray(v["scale_h"] * (-np.log1p(-np.asarray(p))) ** (1.0 / v["shape"])),
        lambda mean, sd: [{"shape": max(mean / sd, 0.2), "scale_h": mean}],
    ),
    "hyperexponential": Family(
        ("odds", "short_h", "longer"),
        frozenset({"short_h"}),
        _hyper_log_density,
        _hyper_survival,
        _hyper_quantile,
        lambda mean, _: [
            {"odds": odds, "short_h": mean / 2.0, "longer": longer} for odds, longer in ((1.0, 2.0), (5.0, 8.0))
        ],
        data=_hyper_data,
    ),
    "triangular": Family(
        ("mode_h", "high_h"),
        frozenset({"mode_h", "high_h"}),
        _triangular_log_density,
        _triangular_survival,
        _triangular_quantile,
        lambda *_: [],
        data=lambda v: {"low_h": 0.0, **v},
        search=_triangular_search,
    ),
    "uniform": Family(
        ("high_h",),
        frozenset({"high_h"}),
        lambda x, v: np.where(x <= v["high_h"], -math.log(v["high_h"]), -math.inf),
        lambda x, v: np.asarray(np.clip(1.0 - x / v["high_h"], 0.0, 1.0)),
        lambda p, v: np.asarray(np.asarray(p) * v["high_h"]),
        lambda *_: [],
        data=lambda v: {"low_h": 0.0, **v},
        search=_uniform_search,
    ),
}
"""What can be fitted, by the kind of the law."""


# ---------------------------------------------------------------- fitting


def log_likelihood(kind: str, times: Durations, values: Values) -> float:
    """Logarithm of the likelihood of times under a law; -inf where they cannot come from it.

    Examples
    --------
    >>> log_likelihood("exponential", Durations(np.array([1.0, 2.0]), np.array([1.0, np.inf])), {"mean_h": 1.0})
    -3.0
    """
    return _log_likelihood(FAMILIES[kind], times, values)


def _log_likelihood(family: Family, times: Durations, values: Values) -> float:
    exact, going = times.exact, times.open
    between = ~exact & ~going
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        total = float(family.log_density(times.low[exact], values).sum()) if exact.any() else 0.0
        if going.any():
            total += float(np.log(family.survival(times.low[going], values)).sum())
        if between.any():
            lost = family.survival(times.low[between], values) - family.survival(times.high[between], values)
            total += float(np.log(lost).sum())
    return total if math.isfinite(total) else -math.inf


def fit_family(kind: str, times: Durations) -> FamilyFit | str:
    """The law of a kind that gives times the highest likelihood; why, where the kind cannot be fitted to them.

    Parameters
    ----------
    kind : str
        One of `FAMILIES`.
    times : Durations
        With at least two different ones.

    Returns
    -------
    FamilyFit
        In the unit of the times.
    """
    family = FAMILIES[kind]
    scale = float(times.middle.mean())
    plain = times.over(scale)
    note = ""
    if family.search is not None:
        told = family.search(plain)
        if told is None:
            return "is fitted to exact times only"
        values, note = dict(told[0]), told[1]
        reached = log_likelihood(kind, plain, values)
    else:
        found, reached = _general(kind, family, plain)
        values = dict(found)
    if not math.isfinite(reached):
        return "cannot give these times"
    if kind == "hyperexponential" and _is_one_exponential(values):
        return "falls together with the exponential law"
    covariance = np.full((len(family.names),) * 2, np.nan) if note else _covariance(family, plain, values)
    back = {name: value * scale if name in family.times else value for name, value in values.items()}
    density_unit = int(times.exact.sum()) * math.log(scale)
    return FamilyFit(
        kind, back, family.names, covariance, reached - density_unit, family.count or len(family.names), note
    )


def _general(kind: str, family: Family, times: Durations) -> tuple[Values, float]:
    """Parameters with the highest likelihood, by the simplex method [nelder1965] from each starting point, and it."""
    from scipy.optimize import minimize

    ended = times.middle[~times.open] if not times.open.all() else times.middle
    # What is still going on lasts longer than it has: the mean that an exponential law would have.
    mean = float(times.middle.sum() / len(ended))
    sd = max(float(ended.std()), 0.02 * mean)

    def cost(logs: FloatArray) -> float:
        if (np.abs(logs) > 100.0).any():
            return FORBIDDEN
        reached = _log_likelihood(family, times, dict(zip(family.names, np.exp(logs).tolist(), strict=True)))
        return -reached if math.isfinite(reached) else FORBIDDEN

    options = {"xatol": TOLERANCE, "fatol": 1e-13 * max(len(times.low), 1), "maxiter": 4000, "maxfev": 4000}
    best = None
    for begin in family.begin(mean, sd):
        start = np.log([begin[name] for name in family.names])
        for _ in range(2):  # once more from where it ended: a simplex may have fallen flat
            # A simplex of its own: scipy's is a share of the start, and nothing where that is 0.
            simplex = np.vstack([start, start + SIMPLEX * np.eye(len(start))])
            found = minimize(cost, start, method="Nelder-Mead", options={**options, "initial_simplex": simplex})
            start = found.x
        best = found if best is None or found.fun < best.fun else best
    if best is None:
        raise ValueError(f"{kind} has no starting point")
    return dict(zip(family.names, np.exp(best.x).tolist(), strict=True)), -float(best.fun)


def _covariance(family: Family, times: Durations, values: Values) -> FloatArray:
    """Inverse of the curvature of the log-likelihood at the highest point, in the logarithms of the parameters."""
    names = family.names
    at = np.log([values[name] for name in names])

    def reached(shift: FloatArray) -> float:
        moved = {**values, **dict(zip(names, np.exp(at + shift).tolist(), strict=True))}
        return _log_likelihood(family, times, moved)

    unit = np.eye(len(names)) * STEP
    curvature = np.empty((len(names), len(names)))
    for i in range(len(names)):
        for j in range(i + 1):
            corners = [reached(a * unit[i] + b * unit[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            curvature[i, j] = curvature[j, i] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4.0 * STEP**2)
    nothing = np.full(curvature.shape, np.nan)
    if not np.isfinite(curvature).all():
        return nothing
    try:
        found = np.linalg.inv(-curvature)
    except np.linalg.LinAlgError:
        return nothing
    return np.asarray(found) if (np.diag(found) > 0).all() else nothing


def steps_of(times: Durations) -> tuple[FloatArray, FloatArray]:
    """Times that ended and how much of all is over in the middle of each step (Kaplan and Meier's estimate).

    Times between bounds stand at their middle. [kaplan1958]

    Returns
    -------
    time, share : arrays, shape (different times that ended,)
    """
    from scipy.stats import CensoredData, ecdf

    middle, going = times.middle, times.open
    found = ecdf(CensoredData(uncensored=middle[~going], right=middle[going])).cdf
    after = np.asarray(found.probabilities)
    before = np.concatenate([[0.0], after[:-1]])
    ended = after > before
    return np.asarray(found.quantiles)[ended], ((before + after) / 2.0)[ended]


def distance(kind: str, values: Values, times: Durations) -> float:
    """Largest distance of the law from the estimate of `steps_of`: that of Kolmogorov and Smirnov, if all ended."""
    from scipy.stats import CensoredData, ecdf

    middle, going = times.middle, times.open
    found = ecdf(CensoredData(uncensored=middle[~going], right=middle[going])).cdf
    over = 1.0 - FAMILIES[kind].survival(np.asarray(found.quantiles), values)
    after = np.asarray(found.probabilities)
    before = np.concatenate([[0.0], after[:-1]])
    ended = after > before
    return float(np.maximum(np.abs(after - over), np.abs(over - before))[ended].max(initial=0.0))


def shown(found: FamilyFit) -> tuple[dict[str, float], dict[str, float]]:
    """Parameters by the paths they have in the law, and the standard errors of their logarithms (delta method).

    Whole numbers and what has no standard error have NaN; fields that are 0 are left out.

    Examples
    --------
    >>> x = np.array([0.5, 1.0, 1.5])
    >>> found = fit_family("exponential", Durations(x, x))
    >>> values, errors = shown(found)
    >>> round(values["mean_h"], 6), round(errors["mean_h"], 6) == round(3**-0.5, 6)
    (1.0, True)
    """
    values = _by_path(found.kind, found.values)
    slopes = np.zeros((len(values), len(found.names)))
    for j, name in enumerate(found.names):
        up, down = (
            _by_path(found.kind, {**found.values, name: found.values[name] * math.exp(step)}) for step in (STEP, -STEP)
        )
        slopes[:, j] = [(math.log(up[path]) - math.log(down[path])) / (2.0 * STEP) for path in values]
    variance = np.einsum("ij,jk,ik->i", slopes, found.covariance, slopes)
    moves = (slopes != 0.0).any(axis=1)
    errors = np.sqrt(np.where(moves & (variance > 0), variance, np.nan))
    return values, dict(zip(values, errors.tolist(), strict=True))


def _by_path(kind: str, values: Values) -> dict[str, float]:
    """Fields of the law that are above 0, lists by number."""
    paths: dict[str, float] = {}
    for name, value in FAMILIES[kind].data(values).items():
        if isinstance(value, tuple):
            paths.update({f"{name}.{k}": one for k, one in enumerate(value)})
        else:
            paths[name] = value
    return {path: value for path, value in paths.items() if value > 0}


@dataclass(frozen=True, slots=True)
class Fitness:
    """How far a fitted law is from the times, and how often a true law would be as far."""

    distance: float
    p_value: float
    draws: int


def goodness(found: FamilyFit, times: Durations, draws: int, rng: np.random.Generator) -> Fitness:
    """Whether times may come from the fitted law: the same fit to times drawn from it (parametric bootstrap).

    The parameters are fitted anew to each draw, without which the p-value would be too large [lilliefors1967].

    Raises
    ------
    ValueError
        If some times are censored: when they would have been, is not known of drawn ones.
    """
    if not times.complete:
        raise ValueError("goodness needs times that are all exact: of drawn ones it is not known which were censored")
    family = FAMILIES[found.kind]
    here = distance(found.kind, found.values, times)
    as_far, made = 0, 0
    for _ in range(draws):
        x = np.maximum(family.quantile(rng.random(len(times.low)), found.values), 1e-300)
        again = fit_family(found.kind, Durations(x, x))
        if isinstance(again, FamilyFit):
            made += 1
            as_far += distance(found.kind, again.values, Durations(x, x)) >= here
    return Fitness(here, (1 + as_far) / (1 + made), made)
