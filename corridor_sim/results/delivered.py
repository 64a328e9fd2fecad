"""What was delivered: tonnes, TEU and value by commodity, mode, border, bilateral or transit, and corridor.

What arrives is what was sent, less what a border holds back: a ratio of delivered tonnes that equals the ratio of
demands says that nothing is lost on the way, and nothing about the border (rule D39). `delivered_ratios` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.units import FloatArray
from corridor_sim.plan.plan import FlowPlan, Plan

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.results.results import Results

ABOUT = ("flow", "commodity", "cargo_class", "vehicle", "mode", "direction", "border", "trade", "corridor")
"""What a delivery is told by."""
QUANTITIES = {"tonnes": "t", "teu": "TEU", "value_usd": "US$"}
"""What is summed, with its unit."""
CONSERVATION = "conservation check of inputs"
"""What a ratio of deliveries is where the demands differ (rule D39)."""
Sums = dict[str, tuple[float, float]]
"""Mean and half-width of each quantity of a group."""
_ROWS = {"tonnes": "delivered_t", "teu": "delivered_teu", "value_usd": "delivered_value_usd"}


def delivered(results: Results, by: str | Iterable[str] | None = None, *, confidence: float = 0.95) -> pd.DataFrame:
    """What arrived in the counted window.

    Parameters
    ----------
    results : Results
    by : str or iterable of str, optional
        Sum over all but these of `flow`, `commodity`, `cargo_class`, `vehicle`, `mode`, `direction`, `border`,
        `trade` and `corridor`.
    confidence : float
        Of the intervals over the replications.

    Returns
    -------
    pandas.DataFrame
        Without `by` tidy: one line a flow, border and replication, with `tonnes`, `teu` and `value_usd`. A flow that
        crosses several borders has a line at each (`border` is its two countries, ``"AZ-RU"``, and "" where it
        crosses none): add up within one border. With `by` one line a group and quantity, with mean, `low`, `high`
        and the number of replications; without `border` among them each consignment is counted once.

    Raises
    ------
    CorridorError
        If the run was asked for other indicators than ``delivered``.
    ArgumentError
        If `by` names something else.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> results = cs.run("teaching", replications=5, rng=1)
    >>> cs.delivered(results, by="border")[["border", "quantity", "unit"]].values.tolist()[:1]
    [['A-B', 'tonnes', 't']]
    """
    import pandas as pd

    names = _names(by)
    if by is None:
        lines = [
            (*about, replication, *(float(sums[quantity][k]) for quantity in QUANTITIES))
            for about, sums in _lines(results)
            for k, replication in enumerate(results.rows.replications.tolist())
        ]
        return pd.DataFrame(lines, columns=[*ABOUT, "replication", *QUANTITIES])
    found = [
        (*group, quantity, QUANTITIES[quantity], mean, mean - half, mean + half, results.replications)
        for group, sums in _grouped(results, names, confidence).items()
        for quantity, (mean, half) in sums.items()
    ]
    return pd.DataFrame(found, columns=[*names, "quantity", "unit", "mean", "low", "high", "n"])


def delivered_ratios(base: Results, other: Results, by: str | Iterable[str] = "border") -> pd.DataFrame:
    """Deliveries of another run over those of a base, group by group.

    Returns
    -------
    pandas.DataFrame
        The groups with `quantity`, `base`, `other`, `ratio` (NaN where the base has none) and `kind`:
        ``"conservation check of inputs"`` where the demands of the two runs differ, so that the ratio is one of
        inputs; "" where the same demand was sent through other posts.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> base = cs.load_scenario("teaching")
    >>> half = base.with_value("flows.flour.per_day", 65.0).replace(name="half the flour")
    >>> runs = [cs.run(one, replications=5, rng=1, workers=1) for one in (base, half)]
    >>> cs.delivered_ratios(*runs).columns.tolist()
    ['border', 'quantity', 'unit', 'base', 'other', 'ratio', 'kind']
    """
    names = _names(by)
    keys = [*names, "quantity", "unit"]
    pair = [delivered(one, by)[[*keys, "mean"]] for one in (base, other)]
    frame = pair[0].merge(pair[1], on=keys, how="outer", suffixes=("_base", "_other")).fillna({"mean_other": 0.0})
    frame = frame.rename(columns={"mean_base": "base", "mean_other": "other"})
    frame["ratio"] = (frame["other"] / frame["base"]).where(frame["base"] > 0)
    frame["kind"] = "" if same_demand(base.plan, other.plan) else CONSERVATION
    return frame


def same_demand(one: Plan, other: Plan) -> bool:
    """Whether two plans are expected to send the same tonnes and value on every flow."""

    def sent(plan: Plan) -> dict[str, tuple[float, float, float]]:
        flows = (flow for flow in plan.flows if flow.arrivals is not None)
        return {
            flow.id: (flow.arrivals.expected_count(plan.horizon_h), flow.load_t, flow.value_usd_t) for flow in flows
        }

    return one.horizon_h == other.horizon_h and sent(one) == sent(other)


def _names(by: str | Iterable[str] | None) -> list[str]:
    names = [by] if isinstance(by, str) else list(by or ())
    if unknown := [name for name in names if name not in ABOUT]:
        raise ArgumentError(f"by must be some of {', '.join(ABOUT)}, got {', '.join(map(repr, unknown))}")
    return names


def _lines(results: Results) -> list[tuple[tuple[str, ...], dict[str, FloatArray]]]:
    """What each flow delivered at each border: what it is told by, and sums of shape (replication,)."""
    if "delivered_t" not in results.rows.indicators:
        raise CorridorError("this run was not asked for what is delivered: run it with the indicator 'delivered'")
    plan, table = results.plan, results.rows
    found: list[tuple[tuple[str, ...], dict[str, FloatArray]]] = []
    for flow in plan.flows:
        sums = {quantity: np.zeros(len(table.replications)) for quantity in QUANTITIES}
        for quantity, name in _ROWS.items():
            if name in table.indicators:
                for _, values in table.select(name, kind="flow", place=flow.id):
                    sums[quantity] = values
        commodity = flow.labels.get("commodity") or flow.cargo_class
        first = flow.id, commodity, flow.cargo_class, flow.vehicle, mode_of(flow), flow.direction
        for border, trade in borders(plan, flow):
            found.append(((*first, border, trade, flow.labels.get("corridor", "")), sums))
    return found


def _grouped(results: Results, names: Sequence[str], confidence: float = 0.95) -> dict[tuple[str, ...], Sums]:
    """Mean and half-width by group and quantity; each consignment once where borders are not told apart."""
    from corridor_sim.statistics import t_half_widths

    total: dict[tuple[str, ...], dict[str, FloatArray]] = {}
    seen: set[str] = set()
    for about, sums in _lines(results):
        if "border" not in names and about[0] in seen:
            continue
        seen.add(about[0])
        of = dict(zip(ABOUT, about, strict=True))
        group = total.setdefault(tuple(of[name] for name in names), {})
        for quantity, values in sums.items():
            group[quantity] = group.get(quantity, 0.0) + values
    found: dict[tuple[str, ...], Sums] = {}
    for key in sorted(total):
        for quantity, values in total[key].items():
            if quantity == "tonnes" or values.any():
                mean, half = t_half_widths(values[:, None], confidence)
                found.setdefault(key, {})[quantity] = float(mean[0]), float(half[0])
    return found


def mode_of(flow: FlowPlan) -> str:
    """Modes of the legs of a flow in the order in which it takes them, joined by ``+``."""
    modes = [span.mode for variant in flow.variants for span in variant.spans if span.kind == "leg" and span.mode]
    return "+".join(dict.fromkeys(modes))


def borders(plan: Plan, flow: FlowPlan) -> list[tuple[str, str]]:
    """The borders that a flow crosses, by the two countries, and what its cargo is there: bilateral or transit."""
    posts, countries = plan.labels.get("posts", {}), plan.labels.get("countries", {})
    crossed: dict[str, None] = {}
    for span in (span for variant in flow.variants for span in variant.spans):
        crossing = span.id if span.kind == "crossing" else posts.get(span.id, {}).get("crossing", "")
        if span.kind in ("crossing", "post") and crossing:
            sides = sorted({of["country"] for of in posts.values() if of["crossing"] == crossing and of["country"]})
            crossed.setdefault("-".join(sides) or crossing)
    ends = sorted({countries.get(flow.origin, ""), countries.get(flow.destination, "")})
    given = flow.labels.get("trade", "")
    by_ends = ["" if "" in ends else "bilateral" if "-".join(ends) == border else "transit" for border in crossed]
    return [(border, given or found) for border, found in zip(crossed, by_ends, strict=True)] or [("", given)]


def told(results: Results) -> list[tuple[str, str, str, Sums]]:
    """(border, trade, mode, {quantity: (mean, half-width)}) of what was delivered, for tables; nothing if unknown."""
    if not _is_known(results):
        return []
    groups = _grouped(results, ("border", "trade", "mode"))
    return [(*key, sums) for key, sums in groups.items() if sums["tonnes"][0] > 0]  # type: ignore[misc]


def told_of_corridors(results: Results) -> dict[tuple[str, str], Sums]:
    """What was delivered by (corridor that flows are counted as, border), ``""`` the whole corridor, where each
    consignment counts once; nothing if unknown."""
    if not _is_known(results):
        return {}
    whole, at_borders = _grouped(results, ("corridor",)), _grouped(results, ("corridor", "border"))
    found: dict[tuple[str, str], Sums] = {}
    for (corridor,), sums in whole.items():
        if corridor and sums["tonnes"][0] > 0:
            parts = {key: of for key, of in at_borders.items() if key[0] == corridor and key[1] and of["tonnes"][0] > 0}
            found |= {(corridor, border): of for (_, border), of in parts.items()}
            found[corridor, ""] = sums
    return found


def _is_known(results: Results) -> bool:
    """Whether the run was asked for what was delivered, and its flows carry something."""
    return "delivered_t" in results.rows.indicators and any(flow.load_t for flow in results.plan.flows)
