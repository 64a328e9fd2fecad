"""How long and how dear the ways from door to door are, each with both uncertainties, and how sure their order is.

Each flow is a way. All draws of the inputs and all streams are the same for every way, so that a share of draws in
which one is faster than another is of the ways themselves.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import FloatArray
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.way_costs import land_borders
from corridor_sim.results.results import mean_interval
from corridor_sim.results.uncertain import INPUTS, Uncertainty
from corridor_sim.statistics.input_intervals import input_interval
from corridor_sim.study.asked_run import planned
from corridor_sim.study.uncertainty import uncertainty

if TYPE_CHECKING:
    import pandas as pd

TIME, COST, WAITING, AT_BORDERS = "door_to_door_h", "cost_usd", "delay_cost_usd", "tfi2"


def door_to_door(
    scenario: Scenario | str | os.PathLike[str],
    flows: Sequence[str] | None = None,
    *,
    against: str | None = None,
    per: float = 1.0,
    draws: int = 64,
    replications: int = 2,
    stated_replications: int = 20,
    prior: str = "uniform",
    **settings: Any,
) -> pd.DataFrame:
    """Days and cost of each flow from door to door, with the interval of sampling and that of the inputs.

    Parameters
    ----------
    scenario : Scenario, path or name
        With a flow for each way that is compared.
    flows : sequence of str, optional
        Which of them; all if not given.
    against : str, optional
        The flow that the others are compared with; the last if not given.
    per : float
        What a consignment is divided by for its costs: 124 for the cost of a TEU of a train of 124 TEU.
    draws, replications, prior
        As for `uncertainty`.
    stated_replications : int
        Runs at the stated values, of which the interval of sampling is made.
    **settings
        As for `uncertainty`: `rng`, `workers`, `progress` and others.

    Returns
    -------
    pandas.DataFrame
        One line a flow and quantity: ``days``; ``usd_transport`` along the legs; ``usd_handling`` in ports and
        terminals where the scenario has rates (`Place.handling_usd_teu`); ``usd_fees`` of each border that is
        crossed by land, where the scenario has a fee (`factors.border_fee_usd`, a consignment) and a post that somebody
        passes; ``usd_time`` of the cargo and ``usd_waiting``, what of that is of waits, blocking and interruptions;
        ``usd_together``, all but the waiting, which is in the time. Columns: `stated`, `low` and `high` (95 % interval
        of sampling at the stated values), `inputs_low` and `inputs_high` (90 % of the draws), `less_than_<against>`:
        share of the draws in which it is less than that of the flow it is compared with.

    Raises
    ------
    CorridorError
        If a flow is not there, or no consignment of it arrived.
    ArgumentError, ScenarioError
        As `uncertainty`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> two = ["western", "suez_novorossiysk"]
    >>> ways = cs.door_to_door("routes_mumbai_moscow", two, draws=4, stated_replications=5, workers=1)
    >>> ways.query("quantity == 'days'")["less_than_suez_novorossiysk"].tolist()
    [1.0, nan]
    """
    import pandas as pd

    per = arguments.number("per", per, above=0)
    base = planned(scenario).scenario
    known = list(base.flows) if isinstance(base, Scenario) else [flow.id for flow in base.flows]
    listed = known if flows is None else list(flows)
    for name in (*listed, *([against] if against else [])):
        arguments.one_of("flows", name, known)
    if len(listed) < 1:
        raise CorridorError("no flow is named")
    other = against or listed[-1]
    made = uncertainty(
        base,
        draws=draws,
        replications=replications,
        stated_replications=stated_replications,
        priors=(prior,),
        indicators=[TIME, COST, WAITING, AT_BORDERS],
        **settings,
    )
    fee = _fee(made)
    crossed = {} if fee is None else _borders(base, {*listed, other})
    handled = any(label.indicator == COST and label.of == "handling" for label in made.labels)
    rows = []
    for flow in listed:
        mine, theirs = (_costs(made, one, per, fee, crossed.get(one, 0), handled) for one in (flow, other))
        for quantity, (stated, drawn) in mine.items():
            if not len(stated):
                raise CorridorError(f"no consignment of {flow} arrived in the counted window")
            mean, low, high = mean_interval(stated)
            inputs = input_interval(drawn)
            beside = theirs[quantity][1]
            there = ~(np.isnan(drawn) | np.isnan(beside))
            less = float((drawn < beside)[there].mean()) if flow != other and there.any() else np.nan
            rows.append(
                {
                    "flow": flow,
                    "quantity": quantity,
                    "stated": mean,
                    "low": low,
                    "high": high,
                    "inputs_low": inputs.low,
                    "inputs_high": inputs.high,
                    f"less_than_{other}": less,
                }
            )
    frame = pd.DataFrame(rows)
    frame.attrs["interval"] = f"low, high: 95 % interval of sampling at the stated values; {INPUTS}"
    return frame


def _costs(
    made: Uncertainty, flow: str, per: float, fee: tuple[float, FloatArray] | None, crossed: int, handled: bool
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Values of each quantity of a flow: of the runs at the stated values, and of the draws."""

    def of(indicator: str, part: str = "", divisor: float = per) -> tuple[FloatArray, FloatArray]:
        row = made.row(indicator, kind="flow", place=flow, of=part)
        return _stated(made, row) / divisor, made.answers(row, 0).mean(axis=1) / divisor

    transport, time = of(COST, "transport"), of(COST, "time")
    found = {"days": of(TIME, divisor=24.0), "usd_transport": transport}
    together = [transport[0] + time[0], transport[1] + time[1]]
    if any(label.indicator == COST and label.place == flow and label.of == "handling" for label in made.labels):
        found["usd_handling"] = of(COST, "handling")
    elif handled:
        found["usd_handling"] = np.zeros(len(time[0])), np.zeros(len(time[1]))
    if "usd_handling" in found:
        together = [whole + more for whole, more in zip(together, found["usd_handling"], strict=True)]
    if fee is not None:
        fees = np.full(len(time[0]), fee[0] * crossed / per), fee[1] * crossed / per
        found["usd_fees"] = fees
        together = [whole + more for whole, more in zip(together, fees, strict=True)]
    return found | {"usd_time": time, "usd_waiting": of(WAITING), "usd_together": (together[0], together[1])}


def _fee(made: Uncertainty) -> tuple[float, FloatArray] | None:
    """Fee of a consignment at a border, as stated and of each draw: cost there less that of time; None if none."""
    for whole, label in enumerate(made.labels):
        if label.indicator == AT_BORDERS and label.kind == "crossing" and not label.of:
            time = made.row(AT_BORDERS, kind="crossing", place=label.place, direction=label.direction, of="time")
            stated = made.stated(whole, 0) - made.stated(time, 0)
            if stated > 0:
                return stated, (made.answers(whole, 0) - made.answers(time, 0)).mean(axis=1)
    return None


def _borders(scenario: Any, flows: Collection[str]) -> dict[str, int]:
    """How many borders the way of each flow crosses by land."""
    return {
        flow: land_borders(scenario, ways[0].hops) for flow, ways in resolve(scenario).ways.items() if flow in flows
    }


def _stated(made: Uncertainty, row: int) -> FloatArray:
    """Values of a row in the runs at the stated values that have one."""
    label = made.labels[row]
    table = made.runs[0].rows.select(label.indicator)
    values = table.values[table.labels.index(label)]
    return np.asarray(values[~np.isnan(values)])
