"""Arrival traces: given sums or candidates through the library's own inversion and thinning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.model.arrivals import invert_rate, thin
from corridor_sim.verify.fields import Fields, Unsupported
from corridor_sim.verify.laws import pieces_of
from corridor_sim.verify.report import Item

ROUNDING = 1e-9
"""Allowed relative deviation: the inverse of a sum of products is not exact in binary."""


def arrivals_found(values: Mapping[str, Any]) -> FloatArray:
    """Arrivals that the library makes of the sums, or of the candidates and uniforms, of an arrival trace.

    Raises
    ------
    Unsupported
        For every field that is not known, or if neither form is complete.
    """
    fields = Fields(values, str(values.get("id", "arrival trace")))
    fields.ignore("id", "title", "feature", "semantics", "why", "note", "source", "expected_arrivals")
    pieces = fields.need("rate_per_min", "rate")
    period, majorant = fields.get("cyclic_period", "period"), fields.get("majorant")
    sums = fields.get("unit_exponential_partial_sums")
    candidates, uniforms = fields.get("candidates"), fields.get("uniforms")
    fields.done()
    if sums is not None and candidates is None:
        per_period = sum((end - start) * rate for start, end, rate in pieces)
        cycles = math.ceil(max([0.0, *sums]) / per_period) + 1 if per_period > 0 else 1
        rate = pieces_of(pieces, period, fields.where, cycles * float(period or pieces[-1][1]))
        return invert_rate(rate, sums)
    if sums is None and candidates is not None and uniforms is not None and majorant is not None:
        rate = pieces_of(pieces, period, fields.where, max([0.0, *candidates]) + float(period or 0.0))
        return thin(candidates, uniforms, rate, float(majorant))
    raise Unsupported(f"{fields.where} needs either partial sums, or candidates with uniforms and a majorant")


def check_arrivals(values: Mapping[str, Any]) -> Item:
    """Compare the arrivals of one arrival trace with those expected."""
    item = partial(Item, section="arrival_traces", id=str(values.get("id")), title=str(values.get("feature", "")))
    try:
        found = arrivals_found(values)
    except Unsupported as error:
        return item(status="refused", detail="; ".join(error.mechanisms))
    except ValueError as error:
        return item(status="failed", detail=str(error))
    if "expected_arrivals" not in values:
        return item(status="not checked", detail="nothing is expected")
    expected = np.array(values["expected_arrivals"], dtype=float)
    if len(expected) != len(found):
        detail = f"{len(expected)} arrivals expected, {len(found)} found"
        return item(status="failed", detail=detail, expected=len(expected), found=len(found), deviation=math.inf)
    if not len(expected):
        return item(status="passed", deviation=0.0, tolerance=0.0)
    deviation = np.abs(found - expected)
    allowed = ROUNDING * np.maximum(1.0, np.abs(expected))
    k = int(np.argmax(deviation / allowed))
    wrong = [f"[{i + 1}]" for i in np.nonzero(~(deviation <= allowed))[0]]
    return item(
        status="failed" if wrong else "passed",
        detail=f"arrivals {', '.join(wrong)} differ" if wrong else "",
        expected=float(expected[k]),
        found=float(found[k]),
        deviation=float(deviation[k]),
        tolerance=float(allowed[k]),
        n=1,
    )
