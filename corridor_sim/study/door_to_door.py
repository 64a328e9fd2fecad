"""How long and how dear the ways from door to door are, each with both uncertainties, and how sure their order is.

Each flow is a way. All draws of the inputs and all streams are the same for every way, so that a share of draws in
which one is faster than another is of the ways themselves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import FloatArray
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.results import mean_interval
from corridor_sim.results.uncertain import INPUTS, Uncertainty
from corridor_sim.study.run import planned
from corridor_sim.study.uncertainty import uncertainty

if TYPE_CHECKING:
    import pandas as pd

TIME, COST = "door_to_door_h", "cost_usd"
PARTS = {"transport": "transport", "time": "time", "": "together"}
"""Parts of the cost as rows name them, and as the table does."""


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
        One line a flow and quantity (``days``; ``usd_transport`` along the legs, ``usd_time`` of the cargo,
        ``usd_together``): `stated`, `low` and `high` (95 % interval of sampling at the stated values), `inputs_low`
        and `inputs_high` (90 % of the draws), `less_than_<against>`: share of the draws in which it is less than that
        of the flow it is compared with.

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
        indicators=[TIME, COST],
        **settings,
    )
    quantities = {"days": (TIME, "", 24.0)} | {f"usd_{word}": (COST, of, per) for of, word in PARTS.items()}
    rows = []
    for flow in listed:
        for quantity, (indicator, of, divisor) in quantities.items():
            row, beside = _row(made, indicator, flow, of), _row(made, indicator, other, of)
            stated = _stated(made, row) / divisor
            if not len(stated):
                raise CorridorError(f"no consignment of {flow} arrived in the counted window")
            mean, low, high = mean_interval(stated)
            inputs = made.interval(row, 0)
            mine, theirs = (made.answers(one, 0).mean(axis=1) for one in (row, beside))
            there = ~(np.isnan(mine) | np.isnan(theirs))
            less = float((mine < theirs)[there].mean()) if flow != other and there.any() else np.nan
            rows.append(
                {
                    "flow": flow,
                    "quantity": quantity,
                    "stated": mean,
                    "low": low,
                    "high": high,
                    "inputs_low": inputs.low / divisor,
                    "inputs_high": inputs.high / divisor,
                    f"less_than_{other}": less,
                }
            )
    frame = pd.DataFrame(rows)
    frame.attrs["interval"] = f"low, high: 95 % interval of sampling at the stated values; {INPUTS}"
    return frame


def _row(made: Uncertainty, indicator: str, flow: str, of: str) -> int:
    return made.row(indicator, kind="flow", place=flow, of=of)


def _stated(made: Uncertainty, row: int) -> FloatArray:
    """Values of a row in the runs at the stated values that have one."""
    label = made.labels[row]
    table = made.runs[0].rows.select(label.indicator)
    values = table.values[table.labels.index(label)]
    return np.asarray(values[~np.isnan(values)])
