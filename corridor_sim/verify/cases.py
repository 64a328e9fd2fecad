"""Stochastic cases: simulate, measure, compare with the exact value and its tolerance.

The quick design looks twice: where its tolerance is wide for the value and the
estimate is not near, the measure is judged by the replications and the
tolerance of the full design, so that a value wrong by a fifth is found out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from corridor_sim.core.errors import EngineRefusal
from corridor_sim.core.units import FloatArray
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.verify.case_plans import CasePlan, build_case
from corridor_sim.verify.engine import Simulate
from corridor_sim.verify.fields import Unsupported
from corridor_sim.verify.measures import CaseBlock, NotMeasured, Unfinished, evaluate
from corridor_sim.verify.report import Item

Design = Literal["quick", "full"]
BLOCK_VISITS = 500_000
"""Visits that are simulated together, which bounds memory."""
LONGER = (1.0, 4.0, 16.0, 64.0)
"""Cool-downs tried in turn, until all counted trucks are through."""
WIDE, NEAR = 0.1, 0.4
"""A second look is taken if the tolerance is more than WIDE of the value and the deviation more than NEAR of it."""
Z = 4.4
"""Standard errors of a tolerance that a file does not give itself (false alarm 1e-5)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Value of a measure over `n` replications, or in words why there is none."""

    value: float | str
    n: int
    design: Design


def root_of(seed: int, id: str) -> int:
    """Root entropy of one case, so that no two cases share their draws."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{id}".encode(), digest_size=16).digest(), "little")


def tolerance_of(measure: Mapping[str, Any], design: Design, replications: int) -> float:
    """The file's tolerance, or that of its standard deviation, skewness and bias; NaN if it gives neither."""
    if (given := measure.get(f"tol_{design}")) is not None:
        return float(given)
    if (sd := measure.get("rep_sd")) is None:
        return math.nan
    root = math.sqrt(replications)
    skew = (Z**2 - 1.0) * abs(float(measure.get("skew", 0.0))) / (6.0 * root)
    return (
        (Z + skew) * float(sd) / root
        + abs(float(measure.get("bias", 0.0)))
        + Z * float(measure.get("reference_se", 0.0))
    )


def to_check(measure: Mapping[str, Any]) -> bool:
    """Whether a measure is meant to be simulated."""
    return not str(measure.get("check", "simulate")).startswith("value only")


def check_case(
    values: Mapping[str, Any],
    simulate: Simulate,
    design: Design,
    seed: int,
    wanted: Sequence[str] | None = None,
) -> list[Item]:
    """One item a measure (those of `wanted`, or all), in file order."""
    measures = [m for m in values.get("measures", ()) if wanted is None or m["name"] in wanted]
    item = partial(
        Item,
        section="cases",
        id=str(values.get("id")),
        title=str(values.get("title", "")),
        source=str(values.get("source", "")),
    )
    due = [m for m in measures if to_check(m)]
    exact = {m["name"]: float(m["value"]) for m in values.get("measures", ())}
    estimate = partial(_estimates, values, simulate, seed, exact)
    try:
        found = estimate(design, [m["name"] for m in due])
        doubtful = [m["name"] for m in due if design == "quick" and _doubtful(m, found[m["name"]])]
        found |= estimate("full", doubtful)
    except (Unsupported, EngineRefusal) as error:
        return [item(measure=m["name"], status="refused", detail="; ".join(error.mechanisms)) for m in measures]
    except Exception as error:  # whatever an engine raises is a finding, not the end of the verification
        return [item(measure=m["name"], status="failed", detail=f"{type(error).__name__}: {error}") for m in measures]
    return [_judged(partial(item, measure=m["name"]), m, found.get(m["name"])) for m in measures]


def _doubtful(measure: Mapping[str, Any], estimate: Estimate) -> bool:
    if isinstance(estimate.value, str) or "tol_full" not in measure:
        return False
    allowed, want = tolerance_of(measure, "quick", estimate.n), float(measure["value"])
    return NEAR * allowed < abs(estimate.value - want) <= allowed and allowed > WIDE * abs(want)


def _judged(make: Callable[..., Item], measure: Mapping[str, Any], estimate: Estimate | None) -> Item:
    """The item of one measure; `estimate` None if it is not meant to be simulated."""
    want = float(measure["value"])
    if estimate is None:
        return make(status="not checked", detail=str(measure["check"]), expected=want, due=False)
    if isinstance(estimate.value, str):
        return make(status="not checked", detail=estimate.value, expected=want)
    allowed = tolerance_of(measure, estimate.design, estimate.n)
    if math.isnan(allowed):
        return make(
            status="not checked",
            detail="the file gives no tolerance",
            expected=want,
            found=estimate.value,
            n=estimate.n,
        )
    deviation = abs(estimate.value - want)
    return make(
        # Written so that an estimate that is not a number fails.
        status="passed" if deviation <= allowed else "failed",
        expected=want,
        found=estimate.value,
        deviation=deviation if not math.isnan(deviation) else math.inf,
        tolerance=allowed,
        n=estimate.n,
    )


def _estimates(
    values: Mapping[str, Any],
    simulate: Simulate,
    seed: int,
    exact: Mapping[str, float],
    design: Design,
    names: Sequence[str],
) -> dict[str, Estimate]:
    """Estimate of each measure over all replications of a design, or why there is none."""
    if not names:
        return {}
    root, replications = root_of(seed, str(values.get("id"))), int(values["run"].get(f"reps_{design}", 10))
    for longer in LONGER:
        try:
            found = _run(build_case(values, longer), simulate, replications, root, names, exact)
        except Unfinished:
            continue
        return {name: Estimate(value, replications, design) for name, value in found.items()}
    reason = "trucks of the window are not through long after it"
    return {name: Estimate(reason, replications, design) for name in names}


def _run(
    case: CasePlan,
    simulate: Simulate,
    replications: int,
    root: int,
    names: Sequence[str],
    exact: Mapping[str, float],
) -> dict[str, float | str]:
    sampler = Sampler(case.plan, root)
    visits = max(1.0, sum(sampler.expected)) * max(1, len(case.plan.elements))
    size = max(1, int(BLOCK_VISITS // visits))
    only_counts = all(name.startswith("expected_count") for name in names)
    parts: dict[str, list[FloatArray]] = {name: [] for name in names}
    weights: dict[str, list[FloatArray]] = {name: [] for name in names}
    failed: dict[str, float | str] = {}
    for first in range(0, replications, size):
        inputs = sampler.sample(range(first, min(first + size, replications)))
        block = CaseBlock(case, inputs, None if only_counts else simulate(case.plan, inputs))
        for name in names:
            if name in failed:
                continue
            try:
                value = evaluate(name, block, exact)
            except NotMeasured as error:
                failed[name] = str(error)
                continue
            if isinstance(value, tuple):
                parts[name].append(value[0])
                weights[name].append(value[1])
            else:
                parts[name].append(value)
    found = dict(failed)
    for name in names:
        if name not in failed:
            total = np.concatenate(parts[name])
            found[name] = float(total.sum() / np.concatenate(weights[name]).sum() if weights[name] else total.mean())
    return found
