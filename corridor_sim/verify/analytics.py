"""Vectors for formulas and statistics: what each describes is looked up and computed.

To add a method, add one function under the words by which vectors name it in
their ``what``; it takes the vector and returns values under the names of its
``expected``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from corridor_sim import statistics
from corridor_sim.statistics import theory
from corridor_sim.verify.report import Item

Vector = Mapping[str, Any]
Difference = tuple[float, float, str, float, float]
"""(deviation, allowed, where, expected, found)"""
RELATIVE, ABSOLUTE = 1e-9, 1e-12
NOT_GIVEN = object()


_METHODS: list[tuple[str, Callable[[Vector], dict[str, Any]], float]] = []


def method(
    words: str, tolerance: float = 0.0
) -> Callable[[Callable[[Vector], dict[str, Any]]], Callable[[Vector], dict[str, Any]]]:
    """Register a method for vectors whose ``what`` contains `words`; `tolerance` is absolute."""

    def decorate(function: Callable[[Vector], dict[str, Any]]) -> Callable[[Vector], dict[str, Any]]:
        _METHODS.append((words.lower(), function, tolerance))
        return function

    return decorate


def confidence_of(vector: Vector) -> float:
    """Confidence level: ``inputs.confidence``, ``inputs.alpha`` or the last percentage of ``what``; else 0.95."""
    inputs = vector["inputs"]
    if "confidence" in inputs:
        return float(inputs["confidence"])
    if "alpha" in inputs:
        return 1.0 - float(inputs["alpha"])
    levels = [float(p) for p in re.findall(r"(\d+(?:\.\d+)?)\s*%", vector.get("what", "")) if 50 <= float(p) < 100]
    return levels[-1] / 100.0 if levels else 0.95


@method("MSER")
def _mser(vector: Vector) -> dict[str, Any]:
    return asdict(statistics.mser(vector["inputs"]["series"], int(vector["inputs"].get("batch", 5))))


@method("batch means")
def _batch_means(vector: Vector) -> dict[str, Any]:
    found = statistics.batch_means(vector["inputs"]["series"], int(vector["inputs"]["batches"]), confidence_of(vector))
    return {
        "mean": found.interval.mean,
        "half_width": found.interval.half_width,
        "von_neumann_ratio": found.von_neumann,
        "lag1": found.lag1,
    }


@method("order-statistic")
def _quantile(vector: Vector) -> dict[str, Any]:
    found = statistics.quantile_interval(
        int(vector["inputs"]["n"]), float(vector["inputs"]["q"]), confidence_of(vector)
    )
    return {} if found is None else asdict(found)


@method("paired-t")
def _paired(vector: Vector) -> dict[str, Any]:
    found = statistics.paired_interval(vector["inputs"]["a"], vector["inputs"]["b"], confidence_of(vector))
    return {
        "mean_difference": found.interval.mean,
        "sd_difference": found.interval.sd,
        "half_width": found.interval.half_width,
        "t": found.t,
        "p_two_sided": found.p_value,
        "variance_ratio_independent_over_paired": found.variance_ratio,
        "correlation": found.correlation,
    }


@method("Welch interval")
def _welch(vector: Vector) -> dict[str, Any]:
    found = statistics.welch_interval(vector["inputs"]["a"], vector["inputs"]["b"], confidence_of(vector))
    return {"difference": found.mean, "df": found.df, "half_width": found.half_width}


@method("adjusted p-values")
def _adjusted(vector: Vector) -> dict[str, Any]:
    p = vector["inputs"]["p"]
    return {"bonferroni": statistics.bonferroni(p), "holm": statistics.holm(p)}


@method("sequential replications")
def _sequential(vector: Vector) -> dict[str, Any]:
    inputs, found = vector["inputs"], {}
    for name, adjusted in (("adjusted gamma/(1+gamma)", True), ("unadjusted", False)):
        stop = statistics.sequential_replications(
            inputs["outputs"],
            inputs["rel"],
            confidence=confidence_of(vector),
            at_least=int(inputs["n_min"]),
            adjusted=adjusted,
        )
        found[name] = {"n": stop.interval.n, "mean": stop.interval.mean, "half_width": stop.interval.half_width}
    return found


@method("KN constants")
def _kn(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    return asdict(
        statistics.kn_constants(int(inputs["k"]), float(inputs["alpha"]), int(inputs["n0"]), int(inputs.get("c", 1)))
    )


@method("KN screening")
def _kn_width(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    return {
        "W": statistics.kn_half_width(inputs["S2"], inputs["delta"], inputs["h2"], inputs["r"], int(inputs.get("c", 1)))
    }


@method("Dudewicz-Dalal", 1e-7)
def _dudewicz_dalal(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    return {"h": statistics.dudewicz_dalal_h(int(inputs["k"]), float(inputs["P"]), int(inputs["n0"]))}


@method("Rinott", 1e-7)
def _rinott(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    return {"h": statistics.rinott_h(int(inputs["k"]), float(inputs["P"]), int(inputs["n0"]))}


@method("OCBA")
def _ocba(vector: Vector) -> dict[str, Any]:
    largest = "largest mean is best" in vector.get("what", "")
    return {"fractions": statistics.ocba_fractions(vector["inputs"]["means"], vector["inputs"]["sds"], largest)}


@method("multiple comparisons with the best", 1e-6)
def _mcb(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    found = statistics.compare_with_best(
        inputs["means"],
        inputs["pooled_variance"],
        int(inputs["n_each"]),
        inputs["df"],
        confidence_of(vector),
        maximise="larger is better" in vector.get("what", ""),
    )
    return {"d": found.d, "w": found.width, "intervals": found.intervals}


@method("validation measures")
def _validation(vector: Vector) -> dict[str, Any]:
    found = statistics.fit(vector["inputs"]["simulated"], vector["inputs"]["observed"])
    return {
        "U1": found.theil_u1,
        "U_bias": found.bias,
        "U_variance": found.variance,
        "U_covariance": found.covariance,
        "U2_relative_change": found.theil_u2,
        "MAPE_percent": found.mape_percent,
        "wMAPE_percent": found.wmape_percent,
        "RMSE": found.rmse,
        "RMSPE_percent": found.rmspe_percent,
        "mean_error": found.mean_error,
    }


@method("GEH")
def _geh(vector: Vector) -> dict[str, Any]:
    return {"geh": statistics.geh(vector["inputs"]["simulated"], vector["inputs"]["observed"])}


_PROJECT = re.compile(
    r"([\d.]+) M in year 0, benefit ([\d.]+) M and upkeep ([\d.]+) M in years (\d+)-(\d+)", re.IGNORECASE
)


@method("NPV")
def _npv(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    rate, flows = float(inputs["rate"]), inputs["flows"]
    found = {
        "npv": statistics.net_present_value(rate, flows),
        "irr": statistics.internal_rate_of_return(flows),
        "payback_year": statistics.payback_year(flows),
        "discounted_payback_year": statistics.payback_year(flows, rate),
    }
    benefits, costs = inputs.get("benefits"), inputs.get("costs")
    words = _PROJECT.search(vector.get("what", ""))
    if benefits is None and words:
        # Flows are net of upkeep; the ratio needs benefits and costs apart, which the title gives.
        first, last = int(words[4]), int(words[5])
        years = [first <= year <= last for year in range(len(flows))]
        benefits = [float(words[2]) if year else 0.0 for year in years]
        costs = [float(words[1])] + [float(words[3]) if year else 0.0 for year in years[1:]]
    if benefits is not None and costs is not None:
        found["bcr"] = statistics.benefit_cost_ratio(rate, benefits, costs)
    return found


@method("portfolio")
def _portfolio(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    best = statistics.best_portfolio(inputs["cost"], inputs["benefit"], inputs["budget"])
    greedy = statistics.greedy_portfolio(inputs["cost"], inputs["benefit"], inputs["budget"])
    return {
        "optimal_items": best.items,
        "optimal_benefit": best.benefit,
        "greedy_items": greedy.items,
        "greedy_benefit": greedy.benefit,
    }


@method("control variate")
def _control(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    found = statistics.control_variate(inputs["y"], inputs["x"], float(inputs["mean_x"]), confidence_of(vector))
    return asdict(found)


@method("Sobol indices of the Ishigami", 0.01)
def _sobol(vector: Vector) -> dict[str, Any]:
    a, b = float(vector["inputs"]["a"]), float(vector["inputs"]["b"])
    found = statistics.sobol(lambda x: statistics.ishigami(x, a, b), [(-math.pi, math.pi)] * 3, n=2**14, rng=20240115)
    return {"S1": found.first, "ST": found.total}


@method("approximate mean wait")
def _waits(vector: Vector) -> dict[str, Any]:
    i = vector["inputs"]
    rate, mean, lanes, ca2, cs2 = i["lam"], i["mean_service"], int(i["c"]), i["ca2"], i["cs2"]
    found = {
        "allen_cunneen": theory.allen_cunneen(rate, mean, lanes, ca2, cs2),
        "sakasegawa": theory.sakasegawa(rate, mean, lanes, ca2, cs2),
        "whitt_gigm": theory.whitt_gigm(rate, mean, lanes, ca2, cs2),
    }
    if ca2 == 1.0:
        found["cosmetatos"] = theory.cosmetatos(rate, mean, lanes, cs2)
    if lanes == 1:
        found["kingman"] = theory.kingman(rate, mean, ca2, cs2)
        found["kraemer_langenbach_belz"] = theory.kraemer_langenbach_belz(rate, mean, ca2, cs2)
    return found


@method("stationary backlog-carryover")
def _backlog(vector: Vector) -> dict[str, Any]:
    inputs = vector["inputs"]
    periods = theory.backlog_carryover(inputs["rates_per_min"], inputs["mean_service"], inputs["lanes"])
    return {"periods": [asdict(period) for period in periods]}


@method("stream identity")
def _stream(vector: Vector) -> dict[str, Any]:
    sequence = np.random.SeedSequence(
        entropy=vector["inputs"]["entropy"], spawn_key=tuple(vector["inputs"]["spawn_key"])
    )
    raw = np.random.Philox(sequence).random_raw(len(vector["expected"]["raw_hex"]))
    return {"raw_hex": [f"0x{int(word):016x}" for word in raw]}


def check_analytic(vector: Vector) -> Item:
    """Compute one vector and compare every expected value."""
    what = str(vector.get("what", ""))
    item = partial(Item, section="analytics", id=str(vector["id"]), title=what, source=str(vector.get("source", "")))
    known = next(((function, allowed) for words, function, allowed in _METHODS if words in what.lower()), None)
    if known is None:
        return item(status="not checked", detail=f"no method known for {what!r}")
    compute, tolerance = known
    differences: list[Difference] = []
    missing: list[str] = []
    try:
        found = compute(vector)
        _compare(vector["expected"], found, "", tolerance, differences, missing)
    except Exception as error:  # a vector that cannot be computed is a finding, not the end of the verification
        return item(status="failed", detail=f"could not be computed: {type(error).__name__}: {error}")
    if missing:
        return item(status="not checked", detail=f"not computed: {', '.join(missing)}")
    if not differences:
        return item(status="not checked", detail="nothing is expected")
    deviation, allowed, path, expected, value = max(
        differences, key=lambda d: d[0] / d[1] if d[1] > 0 else d[0] * 1e300
    )
    failed = [d[2] for d in differences if not d[0] <= d[1]]
    return item(
        status="failed" if failed else "passed",
        detail=f"differs: {', '.join(failed)}" if failed else path,
        expected=expected,
        found=value,
        deviation=deviation,
        tolerance=allowed,
    )


def _compare(
    expected: Any,
    found: Any,
    path: str,
    tolerance: float,
    differences: list[Difference],
    missing: list[str],
) -> None:
    if found is NOT_GIVEN:
        missing.append(path)
    elif isinstance(expected, Mapping):
        for key, value in expected.items():
            inner = found.get(key, NOT_GIVEN) if isinstance(found, Mapping) else NOT_GIVEN
            _compare(value, inner, f"{path}.{key}".lstrip("."), tolerance, differences, missing)
    elif isinstance(expected, list):
        values = list(found) if isinstance(found, (list, tuple, np.ndarray)) else []
        if len(values) != len(expected):
            differences.append((math.inf, 0.0, f"{path} (length)", len(expected), len(values)))
            return
        for k, (one, other) in enumerate(zip(expected, values, strict=True)):
            _compare(one, other, f"{path}[{k}]", tolerance, differences, missing)
    elif isinstance(expected, str) or expected is None or found is None:
        same = expected == found
        differences.append((0.0 if same else math.inf, 0.0, path, math.nan, math.nan))
    else:
        want, got = float(expected), float(found)
        allowed = max(tolerance, RELATIVE * abs(want), ABSOLUTE)
        differences.append((abs(got - want) if not math.isnan(got) else math.inf, allowed, path, want, got))
