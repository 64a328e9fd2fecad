"""What a run saves its users against another: waiting, time in service and on the way, and cost of transport.

Parts do not overlap: a journey consists of its components (rule S21), and each is counted once. Transport cost
is what legs cost a tonne-km, without the time on them, which has its own value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import FloatArray

PARTS = ("waiting", "service_time", "travel_time", "transport_cost")
"""What is saved, in US$; the first three are time, with the value of time of the flow."""
USER_COST, RELEASED = "user_cost_usd", "released"
INDICATORS = (USER_COST, RELEASED)
"""Rows that are read, those of flows."""

Rows = Callable[[str, str, str], "FloatArray | None"]
"""Values of a row, shape (replication,), by indicator, flow and ``of``; None where there is no such row."""


def saved_usd(before: Rows, after: Rows, flows: Iterable[str]) -> tuple[dict[str, dict[str, FloatArray]], bool]:
    """Savings in the counted window by flow and part, each shape (replication,), and whether demand differs. [US$]

    Notes
    -----
    Cost of the base less cost of the other, where as many consignments are released in both. Where n0 and n1 are
    released it is 1/2 (n0 + n1) (C0 / n0 - C1 / n1): the rule of half [mackie2005]; nothing where one is 0.

    Raises
    ------
    CorridorError
        If a run lacks what is read.
    """
    found: dict[str, dict[str, FloatArray]] = {}
    differs = False
    for flow in flows:
        n0, n1 = (_there(rows, RELEASED, flow, "") for rows in (before, after))
        found[flow] = {}
        same = np.array_equal(n0, n1)
        differs = differs or not same
        for part in PARTS:
            cost0, cost1 = (_there(rows, USER_COST, flow, part) for rows in (before, after))
            if same:
                found[flow][part] = cost0 - cost1
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                half = 0.5 * (n0 + n1) * (cost0 / n0 - cost1 / n1)
            found[flow][part] = np.where((n0 > 0) & (n1 > 0), half, 0.0)
    return found, differs


def _there(rows: Rows, indicator: str, flow: str, of: str) -> FloatArray:
    found = rows(indicator, flow, of)
    if found is None:
        raise CorridorError(f"no row {indicator} of the flow {flow}: an appraisal needs {', '.join(INDICATORS)}")
    return found
