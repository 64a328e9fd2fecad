"""Of sets that are as good as the best for the question asked, the cheapest: what the indifference zone says of money.

KN names the best of the last sets and knows no price: of two sets within the zone it names either. Here the cheaper
ones are held against it on replications that no stage before has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics import mean_limits
from corridor_sim.statistics.portfolios import Set, SetRules


def cheapest_within(
    leader: Set,
    others: Sequence[Set],
    observe: Callable[[Sequence[Set], Sequence[int]], FloatArray],
    replications: Sequence[int],
    rules: SetRules,
    price: FloatArray,
    zone: float,
    alpha: float,
) -> tuple[Set, float]:
    """The cheapest set that is shown to be worse than the leader by no more than the zone.

    Shown: the upper end of a one-sided interval of the paired differences, at 1 - `alpha` for all cheaper sets together
    (Bonferroni), is within the zone. A set whose interval reaches beyond is not taken, however near its mean.

    Parameters
    ----------
    leader : frozenset of int
        The set that the comparison named.
    others : sequence of frozenset
        Sets that may take its place; those that cost less and fit the budget do.
    observe : function of sets and replications
        Values without the price, smaller is better, shape (set, replication).
    replications : sequence of int
        That no stage before has seen: two or more.
    price : array, shape (option,)
        Added to the value for each option of a set.

    Returns
    -------
    set, float
        The leader itself and 0 where none is shown; else what it is worse by at most, in the unit of the value.
    """
    cheaper = [one for one in dict.fromkeys(others) if rules.allows(one) and rules.cost(one) < rules.cost(leader)]
    if not cheaper:
        return leader, 0.0
    values = observe([leader, *cheaper], replications)
    values = values + [[float(price[list(one)].sum())] for one in [leader, *cheaper]]
    confidence = max(1.0 - 2.0 * alpha / len(cheaper), 1e-6)
    most = {
        one: float(mean_limits(row - values[0], confidence)[2]) for one, row in zip(cheaper, values[1:], strict=True)
    }
    shown = [one for one in cheaper if most[one] <= zone]
    if not shown:
        return leader, 0.0
    chosen = min(shown, key=lambda one: (rules.cost(one), most[one], sorted(one)))
    return chosen, most[chosen]
