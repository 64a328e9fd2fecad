"""Is an upgrade worth its money: discounting, and choosing under a budget.

Flows are at year ends, the first one now (year 0). Rates are arguments, never
hidden defaults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray


def net_present_value(rate: float, flows: ArrayLike) -> float:
    """Sum of flows discounted to year 0."""
    flow = np.asarray(flows, dtype=float)
    return float((flow / (1.0 + rate) ** np.arange(len(flow))).sum())


def benefit_cost_ratio(rate: float, benefits: ArrayLike, costs: ArrayLike) -> float:
    """Present benefits over present costs (upkeep is a cost, not a lesser benefit)."""
    cost = net_present_value(rate, costs)
    return net_present_value(rate, benefits) / cost if cost > 0 else math.nan


def internal_rate_of_return(flows: ArrayLike) -> float:
    """Rate at which the net present value is 0; NaN where there is none, or it is not the only one.

    The only one: of flows that change their sign once (Descartes) the only one at all, else the only one above 0.
    Which it is follows from the signs of Bernstein coefficients of the net present value as a polynomial of the
    discount factor, halved until each part has no root or one [lane1981]. So a renewal in mid-life leaves a rate, as
    it does by the running total [norstrom1972], and so do early years in which little is gained and more is spent.
    -100, 230, -132 is worth nothing at 10 % and at 20 %: it has none.
    """
    from scipy.optimize import brentq

    flow = np.asarray(flows, dtype=float)
    flow = flow[np.argmax(flow != 0) :] if flow.any() else flow
    if _sign_changes(flow) == 1:
        low = -0.9
    elif flow.sum() != 0 and _roots_between_0_and_1(flow) == 1:
        low = 0.0
    else:
        return math.nan
    high = 1.0
    while net_present_value(low, flow) * net_present_value(high, flow) > 0 and high < 1e9:
        high *= 10.0
        if low < 0.0:
            low = max(-1.0 + (1.0 + low) / 10.0, -1.0 + 1e-9)
    if net_present_value(low, flow) * net_present_value(high, flow) > 0:
        return math.nan
    return float(brentq(lambda r: net_present_value(r, flow), low, high, xtol=1e-15))


def _sign_changes(values: FloatArray) -> int:
    signs = np.sign(values[values != 0])
    return int((np.diff(signs) != 0).sum())


HALVINGS = 30
"""Halvings of the range of discount factors, after which two roots so near count as not told apart."""


def _roots_between_0_and_1(coefficients: FloatArray) -> int | None:
    """How many roots a polynomial (constant first) has between 0 and 1; None where two cannot be told apart."""
    degree = len(coefficients) - 1
    # Of the power basis: b_j = sum over i <= j of C(j, i) / C(n, i) a_i, all weights between 0 and 1.
    bernstein = np.array(
        [sum(coefficients[i] * math.comb(j, i) / math.comb(degree, i) for i in range(j + 1)) for j in range(degree + 1)]
    )
    nothing = 1e-13 * float(np.abs(coefficients).sum())
    found, parts = 0, [(bernstein, 0)]
    while parts:
        part, depth = parts.pop()
        part = np.where(np.abs(part) <= nothing, 0.0, part)
        changes = _sign_changes(part)
        if changes < 2:
            found += changes
            continue
        if depth == HALVINGS:
            return None
        left, right = _halves(part)
        if abs(left[-1]) <= nothing:
            return None
        parts += [(left, depth + 1), (right, depth + 1)]
    return found


def _halves(bernstein: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bernstein coefficients over either half of the range, by repeated means (de Casteljau)."""
    left, right, row = [], [], bernstein
    while True:
        left.append(row[0])
        right.append(row[-1])
        if len(row) == 1:
            return np.array(left), np.array(right[::-1])
        row = 0.5 * (row[:-1] + row[1:])


def payback_year(flows: ArrayLike, rate: float = 0.0) -> int | None:
    """First year in which the (discounted) flows so far are >= 0; None if never."""
    flow = np.asarray(flows, dtype=float)
    total = np.cumsum(flow / (1.0 + rate) ** np.arange(len(flow)))
    paid = np.nonzero(total >= 0)[0]
    return int(paid[0]) if len(paid) else None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Options chosen under a budget (indices from 0, increasing)."""

    items: tuple[int, ...]
    benefit: float
    cost: float


def _chosen(items: list[int], cost: ArrayLike, benefit: ArrayLike) -> Portfolio:
    c, b = np.asarray(cost, dtype=float), np.asarray(benefit, dtype=float)
    index = sorted(items)
    return Portfolio(tuple(index), float(b[index].sum()), float(c[index].sum()))


def best_portfolio(cost: ArrayLike, benefit: ArrayLike, budget: float) -> Portfolio:
    """Options of greatest total benefit within the budget, benefits taken as additive.

    Queues make benefits non-additive (the bottleneck moves): use the result as a
    list to simulate, not as an answer. Solved by `scipy.optimize.milp`; of equally good
    portfolios the one of fewest options is given.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    c, b = np.asarray(cost, dtype=float), np.asarray(benefit, dtype=float)
    if c.shape != b.shape or c.ndim != 1:
        raise ValueError(f"need one cost and one benefit an option, got shapes {c.shape} and {b.shape}")
    if not len(c):
        return Portfolio((), 0.0, 0.0)
    within = LinearConstraint(c[None, :], -np.inf, budget)
    integer, once = np.ones(len(c)), Bounds(0, 1)
    solved = milp(-b, constraints=within, integrality=integer, bounds=once)
    if solved.x is None:
        raise ValueError(f"no portfolio fits the budget: {solved.message}")
    # Of equally good ones the shortest list, then the one with the smaller indices, so that the answer is one.
    good = LinearConstraint(b[None, :], -solved.fun - 1e-9 * max(1.0, abs(solved.fun)), np.inf)
    short = milp(1.0 + np.arange(len(c)) / len(c) ** 2, constraints=[within, good], integrality=integer, bounds=once)
    chosen = solved.x if short.x is None else short.x
    return _chosen([int(i) for i in np.nonzero(np.round(chosen) == 1)[0]], c, b)


def greedy_portfolio(cost: ArrayLike, benefit: ArrayLike, budget: float) -> Portfolio:
    """Options by falling benefit over cost while they fit: quick, and not the best."""
    c, b = np.asarray(cost, dtype=float), np.asarray(benefit, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.argsort(-(b / c), kind="stable")
    left, items = float(budget), []
    for i in order:
        if c[i] <= left:
            items.append(int(i))
            left -= float(c[i])
    return _chosen(items, c, b)
