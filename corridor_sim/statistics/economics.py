"""Is an upgrade worth its money: discounting, and choosing under a budget.

Flows are at year ends, the first one now (year 0). Rates are arguments, never
hidden defaults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


def net_present_value(rate: float, flows: ArrayLike) -> float:
    """Sum of flows discounted to year 0."""
    flow = np.asarray(flows, dtype=float)
    return float((flow / (1.0 + rate) ** np.arange(len(flow))).sum())


def benefit_cost_ratio(rate: float, benefits: ArrayLike, costs: ArrayLike) -> float:
    """Present benefits over present costs (upkeep is a cost, not a lesser benefit)."""
    cost = net_present_value(rate, costs)
    return net_present_value(rate, benefits) / cost if cost > 0 else math.nan


def internal_rate_of_return(flows: ArrayLike) -> float:
    """Rate at which the net present value is 0; NaN where the flows give none, or it is not known to be the only one.

    The only one: where the flows change their sign once (Descartes); else, where their running total does and the
    first is not 0, it is the only rate above 0 [norstrom1972], so a renewal in mid-life leaves a rate. A cost at the
    end that outweighs what was gained does not: -100, 230, -132 is worth nothing at 10 % and at 20 %.
    """
    from scipy.optimize import brentq

    flow = np.asarray(flows, dtype=float)
    if _sign_changes(flow) == 1:
        low = -0.9
    elif len(flow) and flow[0] != 0 and flow.sum() != 0 and _sign_changes(np.cumsum(flow)) == 1:
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


def _sign_changes(values: np.ndarray) -> int:
    signs = np.sign(values[values != 0])
    return int((np.diff(signs) != 0).sum())


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
