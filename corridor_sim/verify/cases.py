"""Stochastic cases: simulate, measure, compare with the exact value and its tolerance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from corridor_sim.errors import CorridorError, EngineRefusal
from corridor_sim.sampling import Sampler
from corridor_sim.units import FloatArray
from corridor_sim.verify.case_plans import CasePlan, build_case
from corridor_sim.verify.engine import Simulate
from corridor_sim.verify.fields import Unsupported
from corridor_sim.verify.measures import Block, NotMeasured, Unfinished, evaluate
from corridor_sim.verify.report import Item

Design = Literal["quick", "full"]
BLOCK_VISITS = 500_000
"""Visits that are simulated together, which bounds memory."""
LONGER = (1.0, 4.0, 16.0, 64.0)
"""Cool-downs tried in turn, until all counted trucks are through."""
Z = 4.4
"""Standard errors of a tolerance that a file does not give itself (false alarm 1e-5)."""


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
    try:
        replications = int(values.get("run", {}).get(f"reps_{design}", 10))
        names = [m["name"] for m in due]
        exact = {m["name"]: float(m["value"]) for m in values.get("measures", ())}
        found = _estimates(values, simulate, replications, seed, names, exact) if names else {}
    except (Unsupported, EngineRefusal) as error:
        return [item(measure=m["name"], status="refused", detail="; ".join(error.mechanisms)) for m in measures]
    except CorridorError as error:
        return [item(measure=m["name"], status="failed", detail=f"{type(error).__name__}: {error}") for m in measures]
    items = []
    for m in measures:
        make = partial(item, measure=m["name"], expected=float(m["value"]))
        if not to_check(m):
            items.append(make(status="not checked", detail=str(m["check"]), due=False))
            continue
        estimate = found[m["name"]]
        if isinstance(estimate, str):
            items.append(make(status="not checked", detail=estimate))
            continue
        allowed = tolerance_of(m, design, replications)
        if math.isnan(allowed):
            items.append(make(status="not checked", detail="the file gives no tolerance", found=estimate))
            continue
        deviation = abs(estimate - float(m["value"]))
        items.append(
            make(
                # Written so that an estimate that is not a number fails.
                status="passed" if deviation <= allowed else "failed",
                found=estimate,
                deviation=deviation if not math.isnan(deviation) else math.inf,
                tolerance=allowed,
                n=replications,
            )
        )
    return items


def _estimates(
    values: Mapping[str, Any],
    simulate: Simulate,
    replications: int,
    seed: int,
    names: Sequence[str],
    exact: Mapping[str, float],
) -> dict[str, float | str]:
    """Estimate of each measure over all replications, or why there is none."""
    root = root_of(seed, str(values.get("id")))
    for longer in LONGER:
        try:
            return _run(build_case(values, longer), simulate, replications, root, names, exact)
        except Unfinished:
            continue
    return dict.fromkeys(names, "trucks of the window are not through long after it")


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
        block = Block(case, inputs, None if only_counts else simulate(case.plan, inputs))
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
