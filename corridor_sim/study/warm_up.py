"""Does a run leave out enough of its beginning? The warm-up that the output itself asks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import CorridorError
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import H_PER_DAY
from corridor_sim.indicators import Options
from corridor_sim.model.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = {"queue_by_day": "", "passed_by_day": "left"}
"""What is looked at, day by day: the number waiting at a post, and how many have left it."""


def warm_up(
    scenario: Scenario | str | os.PathLike[str],
    *,
    replications: int | None = None,
    rng: Rng = None,
    cycle_days: int = 1,
    **settings: Any,
) -> pd.DataFrame:
    """Days that MSER would leave out at each post, against those that the scenario leaves out.

    The scenario is run from empty with nothing left out; daily outputs are averaged over
    the replications and over whole cycles, and the marginal standard error rule [white1997]
    is applied to the cycle means. It fits studies of a long-run or cyclic average:
    a terminating study (dated demand, growth, a measure that begins) needs only as much
    warm-up as fills the road.

    Parameters
    ----------
    scenario : Scenario, path or name of a packaged scenario
    replications, rng, **settings
        As for `run`.
    cycle_days : int
        Length of the cycle: 7 where weekdays differ. [days]

    Returns
    -------
    DataFrame
        Columns post, direction, output, warm_up_days (asked for by the output), set_days (left out
        by the scenario), enough, and too_short: the cut is so late that the run is too short to tell.

    Raises
    ------
    CorridorError
        If the run has fewer than four cycles.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> found = cs.warm_up("teaching", replications=5, rng=1, workers=1)
    >>> found.columns.tolist()
    ['post', 'direction', 'output', 'warm_up_days', 'set_days', 'enough', 'too_short']
    """
    import pandas as pd

    from corridor_sim.files.scenario_files import load_scenario
    from corridor_sim.statistics import mser
    from corridor_sim.study.run import run

    cycle_days = arguments.whole("cycle_days", cycle_days, 1, 366)
    if not isinstance(scenario, Scenario):
        arguments.instance("scenario", scenario, (str, os.PathLike), "a Scenario, the path of a file or its name")
        scenario = load_scenario(scenario)
    set_days = scenario.run.warm_up_h / H_PER_DAY
    from_empty = scenario.replace(run=scenario.run.replace(warm_up_days=0.0, warm_up_hours=None))
    results = run(
        from_empty,
        replications=replications,
        rng=rng,
        indicators=list(OUTPUTS),
        options=Options(period_days=1),
        **settings,
    )
    rows = []
    for output, of in OUTPUTS.items():
        days: dict[tuple[str, str], list[float]] = {}
        for label, values in results.rows.select(output, kind="post", of=of):
            if np.isfinite(values).any():
                days.setdefault((label.place, label.direction), []).append(float(np.nanmean(values)))
        for (post, direction), series in days.items():
            # The first and the last local day may be cut by the run.
            whole = np.array(series[1:-1])
            cycles = len(whole) // cycle_days
            if cycles < 4:
                raise CorridorError(
                    f"{len(whole)} whole days are too few to look for a warm-up in cycles of {cycle_days}"
                )
            means = whole[: cycles * cycle_days].reshape(cycles, cycle_days).mean(axis=1)
            found = mser(means, batch=1)
            asked = 1 + found.truncate_observations * cycle_days if found.truncate_observations else 0
            rows.append((post, direction, output, asked, set_days, asked <= set_days, found.too_short))
    columns = ["post", "direction", "output", "warm_up_days", "set_days", "enough", "too_short"]
    return pd.DataFrame(rows, columns=columns)
