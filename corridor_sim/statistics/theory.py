"""What theory says of a waiting time: exact formulas and well-known approximations.

They plan runs, screen options and stand beside simulated values as a control;
an approximation is never the truth. To add a formula, add one function here
with its source and a value from the literature in ``tests/unit/test_queueing.py``.

Arguments are the arrival rate `rate`, the mean service time `mean`, the number
of `lanes` and squared coefficients of variation `ca2` (between arrivals) and
`cs2` (service). Any unit of time will do if it is used throughout; waits come
back in it. A load of one or more has no steady state: the wait is inf.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core import arguments
from corridor_sim.core.limits import MAX_COUNT
from corridor_sim.core.units import FloatArray


def _check(rate: float, mean: float, lanes: int) -> float:
    """Load per lane; raises ValueError for arguments without meaning."""
    arguments.number("rate", rate, 0)
    arguments.number("mean", mean, above=0)
    arguments.whole("lanes", lanes, 1, MAX_COUNT)
    return rate * mean / lanes


def erlang_b(lanes: int, offered: float) -> float:
    """Probability that all lanes are busy when there is no room to wait [erlang1917].

    `offered` is rate x mean service, in lanes. By the stable recursion
    B(c) = a B(c-1) / (c + a B(c-1)).
    """
    arguments.whole("lanes", lanes, 0, MAX_COUNT)
    arguments.number("offered", offered, 0)
    blocked = 1.0
    for c in range(1, int(lanes) + 1):
        blocked = offered * blocked / (c + offered * blocked)
    return blocked


def erlang_c(lanes: int, offered: float) -> float:
    """Probability of waiting in M/M/c [erlang1917]; 1 when the load is one or more."""
    arguments.whole("lanes", lanes, 1, MAX_COUNT)
    arguments.number("offered", offered, 0)
    if offered >= lanes:
        return 1.0
    blocked = erlang_b(lanes, offered)
    return lanes * blocked / (lanes - offered * (1.0 - blocked))


def mmc_wait(rate: float, mean: float, lanes: int = 1) -> float:
    """Mean wait in M/M/c: C(c, a) s / (c - a). Source: [gross2008] sec. 2.3."""
    if _check(rate, mean, lanes) >= 1.0:
        return math.inf
    return erlang_c(lanes, rate * mean) * mean / (lanes - rate * mean)


def mmc_wait_quantile(rate: float, mean: float, lanes: int, q: float) -> float:
    """The q-quantile of the wait in M/M/c; 0 where q <= 1 - C(c, a).

    From P(W > t) = C(c, a) exp(-(c/s - rate) t). Source: [gross2008] sec. 2.3.
    """
    if not 0.0 <= q < 1.0:
        raise ValueError(f"q must be in [0, 1), got {q}")
    if _check(rate, mean, lanes) >= 1.0:
        return math.inf
    waits = erlang_c(lanes, rate * mean)
    return max(0.0, math.log(waits / (1.0 - q)) / (lanes / mean - rate)) if waits > 0 else 0.0


def mmc_wait_exceeds(rate: float, mean: float, lanes: int, time: ArrayLike) -> FloatArray:
    """P(wait > time) in M/M/c, for times of any shape."""
    if _check(rate, mean, lanes) >= 1.0:
        return np.ones(np.shape(time))
    return np.asarray(erlang_c(lanes, rate * mean) * np.exp(-(lanes / mean - rate) * np.asarray(time, dtype=float)))


def pollaczek_khinchine(rate: float, mean: float, cs2: float) -> float:
    """Mean wait in M/G/1, exact. Source: [kleinrock1975] sec. 5.6."""
    load = _check(rate, mean, 1)
    return math.inf if load >= 1.0 else load * mean * (1.0 + cs2) / (2.0 * (1.0 - load))


def priority_waits(
    rates: Sequence[float], means: Sequence[float], lanes: int = 1, cs2: Sequence[float] | None = None
) -> FloatArray:
    """Mean waits by class under non-preemptive priority, most urgent first, exact.

    One lane: any service law of each class [cobham1954]. Several lanes: one
    exponential law for all classes. inf from the first class that is overloaded on.

    Raises
    ------
    ValueError
        For several lanes with unequal means, or with `cs2` other than 1.
    """
    spread = np.ones(len(rates)) if cs2 is None else np.asarray(cs2, dtype=float)
    rate, mean = np.asarray(rates, dtype=float), np.asarray(means, dtype=float)
    load = rate * mean / lanes
    if lanes == 1:
        residual = float((rate * mean**2 * (1.0 + spread)).sum()) / 2.0
    elif np.ptp(mean) == 0 and (spread == 1.0).all():
        residual = erlang_c(lanes, float(rate.sum() * mean[0])) * float(mean[0]) / lanes
    else:
        raise ValueError("several lanes: all classes must share one exponential service time")
    through = np.cumsum(load)
    before = through - load
    with np.errstate(divide="ignore"):
        return np.where(through < 1.0, residual / ((1.0 - before) * np.maximum(1.0 - through, 0.0)), np.inf)


def kingman(rate: float, mean: float, ca2: float, cs2: float) -> float:
    """Mean wait in GI/G/1 in heavy traffic: rho/(1-rho) (ca2+cs2)/2 s [kingman1961]."""
    load = _check(rate, mean, 1)
    return math.inf if load >= 1.0 else load / (1.0 - load) * (ca2 + cs2) / 2.0 * mean


def kingman_bound(rate: float, mean: float, ca2: float, cs2: float) -> float:
    """Upper bound of the mean wait in GI/G/1: rate (var a + var s) / (2 (1-rho)) [kingman1962]."""
    load = _check(rate, mean, 1)
    if load >= 1.0:
        return math.inf
    return rate * (ca2 / rate**2 + cs2 * mean**2) / (2.0 * (1.0 - load)) if rate > 0 else 0.0


def kraemer_langenbach_belz(rate: float, mean: float, ca2: float, cs2: float) -> float:
    """Kingman's approximation with the correction of Kraemer and Langenbach-Belz [kraemer1976]."""
    load = _check(rate, mean, 1)
    if load >= 1.0 or load == 0.0:
        return math.inf if load else 0.0
    if ca2 + cs2 == 0.0:
        return 0.0
    if ca2 <= 1.0:
        exponent = -2.0 * (1.0 - load) * (1.0 - ca2) ** 2 / (3.0 * load * (ca2 + cs2))
    else:
        exponent = -(1.0 - load) * (ca2 - 1.0) / (ca2 + 4.0 * cs2)
    return kingman(rate, mean, ca2, cs2) * math.exp(exponent)


def allen_cunneen(rate: float, mean: float, lanes: int, ca2: float, cs2: float) -> float:
    """Mean wait in GI/G/c: (ca2+cs2)/2 times that of M/M/c [allen1990]."""
    return (ca2 + cs2) / 2.0 * mmc_wait(rate, mean, lanes)


def sakasegawa(rate: float, mean: float, lanes: int, ca2: float, cs2: float) -> float:
    """Mean wait in GI/G/c without Erlang C: rho^(sqrt(2(c+1))-1) / (c (1-rho)) [sakasegawa1977]."""
    load = _check(rate, mean, lanes)
    if load >= 1.0:
        return math.inf
    busy = math.pow(load, math.sqrt(2.0 * (lanes + 1.0)) - 1.0)
    return (ca2 + cs2) / 2.0 * mean * busy / (lanes * (1.0 - load))


def _cosmetatos_gamma(load: float, lanes: int) -> float:
    return (1.0 - load) * (lanes - 1.0) * (math.sqrt(4.0 + 5.0 * lanes) - 2.0) / (16.0 * lanes * load)


def cosmetatos(rate: float, mean: float, lanes: int, cs2: float = 0.0) -> float:
    """Mean wait in M/G/c between M/M/c and M/D/c [cosmetatos1976]; `cs2` = 0 is M/D/c."""
    load = _check(rate, mean, lanes)
    if load >= 1.0 or load == 0.0:
        return math.inf if load else 0.0
    exponential = mmc_wait(rate, mean, lanes)
    constant = 0.5 * (1.0 + _cosmetatos_gamma(load, lanes)) * exponential
    return cs2 * exponential + (1.0 - cs2) * constant


def whitt_gigm(rate: float, mean: float, lanes: int, ca2: float, cs2: float) -> float:
    """Mean wait in GI/G/m: [whitt1993] eq. 2.16-2.25."""
    load = _check(rate, mean, lanes)
    if load >= 1.0 or load == 0.0:
        return math.inf if load else 0.0
    if ca2 + cs2 == 0.0:
        return 0.0
    gamma = min(0.24, _cosmetatos_gamma(load, lanes))
    light, heavy = 1.0 + gamma, (1.0 - 4.0 * gamma) * math.exp(-2.0 * (1.0 - load) / (3.0 * load))
    spread = (ca2 + cs2) / 2.0
    psi = 1.0 if spread >= 1.0 else min(1.0, (light + heavy) / 2.0) ** (2.0 * (1.0 - spread))
    if ca2 >= cs2:
        phi = (4.0 * (ca2 - cs2) * light + cs2 * psi) / (4.0 * ca2 - 3.0 * cs2)
    else:
        phi = ((cs2 - ca2) * heavy + (cs2 + 3.0 * ca2) * psi) / (2.0 * ca2 + 2.0 * cs2)
    return phi * spread * mmc_wait(rate, mean, lanes)


@dataclass(frozen=True, slots=True)
class BacklogPeriod:
    """One period of the stationary backlog-carryover approximation."""

    artificial_rate: float
    """Arrivals of the period and the backlog of the one before."""
    blocking_prob: float
    """Erlang B at the artificial rate."""
    backlog_rate: float
    """What is carried over into the next period."""
    utilisation: float
    modified_rate: float
    """Rate at which an M/M/c queue has this utilisation."""
    mean_queue: float
    """Mean number waiting in that M/M/c queue."""


def backlog_carryover(rates: Sequence[float], mean: float, lanes: int | Sequence[int]) -> tuple[BacklogPeriod, ...]:
    """Stationary backlog-carryover (SBC) approximation of M(t)/M(t)/c(t), also through overload.

    Parameters
    ----------
    rates : sequence of float
        Arrival rate of each period, all of one length.
    mean : float
        Mean service time.
    lanes : int or sequence of int
        Lanes open in each period, at least 1.

    Notes
    -----
    Source: [stolletz2008].
    """
    open_lanes = [lanes] * len(rates) if isinstance(lanes, int) else list(lanes)
    if len(open_lanes) != len(rates):
        raise ValueError(f"{len(rates)} rates but {len(open_lanes)} numbers of lanes")
    periods, backlog = [], 0.0
    for rate, c in zip(rates, open_lanes, strict=True):
        artificial = rate + backlog
        _check(artificial, mean, c)
        blocked = erlang_b(c, artificial * mean)
        backlog = artificial * blocked
        modified = artificial * (1.0 - blocked)
        periods.append(
            BacklogPeriod(
                artificial, blocked, backlog, modified * mean / c, modified, modified * mmc_wait(modified, mean, c)
            )
        )
    return tuple(periods)
