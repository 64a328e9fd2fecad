"""Which improvement does what: each alone, all together, all but one; and where the delay is.

Improvements are not additive, because the bottleneck moves: what one saves alone
and what it adds to the others are both shown, on common random numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.indicators.table import Table
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import NOISE, Results
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.study.asked_run import planned
from corridor_sim.study.run import compare, row_names

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.scenario import Scenario


def attribute(
    scenario: Scenario | str | os.PathLike[str],
    improvements: Iterable[str] | None = None,
    *,
    indicator: str = "delay_truck_h",
    kind: str = "corridor",
    place: str = "all",
    direction: str = "",
    confidence: float = 0.95,
    **settings: Any,
) -> Attribution:
    """Run a scenario without its improvements, with each alone, with all and with all but each.

    Parameters
    ----------
    scenario : Scenario, path or name
        With at least one improvement.
    improvements : iterable of str, optional
        The ones to attribute to; the others stay in force throughout. By default all.
    indicator, kind, place, direction
        The row that is attributed.
    **settings
        As for `study.run`.

    Raises
    ------
    CorridorError
        If the scenario has no improvement.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> found = cs.attribute("teaching_priority_lane", replications=5, rng=1, workers=1)
    >>> found.table()["improvement"].tolist()
    ['second_scanner', 'bread_lane_a', 'bread_lane_b', 'all']
    """
    require_confidence(confidence)
    if isinstance(scenario, (str, os.PathLike)):
        from corridor_sim.files.scenario_files import load_scenario

        scenario = load_scenario(scenario)
    if not hasattr(scenario, "improvements"):
        raise ArgumentError(f"scenario must be a Scenario, the path of a file or a packaged name, got {scenario!r:.80}")
    arguments.one_of("indicator", indicator, row_names(planned(scenario).plan))
    if improvements is None:
        names = tuple(scenario.improvements)
    else:
        asked: Any = (improvements,) if isinstance(improvements, str) else improvements
        listed = tuple(asked) if isinstance(asked, Iterable) else (None,)
        if not all(isinstance(one, str) for one in listed):
            raise ArgumentError(f"improvements must be ids of improvements of the scenario, got {improvements!r:.80}")
        names = tuple(dict.fromkeys(listed))
    if not names:
        raise CorridorError(f"scenario {scenario.name!r} has no improvement to attribute anything to")
    base = scenario.without_improvements(*names).replace(name="none")
    runs = [scenario.replace(name="all")]
    if len(names) > 1:
        for name in names:
            others = [other for other in names if other != name]
            runs.append(scenario.without_improvements(*others).replace(name=f"only {name}"))
            runs.append(scenario.without_improvements(name).replace(name=f"all but {name}"))
    found = compare(base, *runs, confidence=confidence, **settings)
    where = {"kind": kind, "place": place, "direction": direction}
    return Attribution(found, names, indicator, where, name=scenario.name)


class Attribution:
    """What each improvement changes in one indicator, alone and as the last one added.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> found = cs.attribute("teaching_priority_lane", replications=5, rng=1, workers=1)
    >>> found.table()["improvement"].tolist()
    ['second_scanner', 'bread_lane_a', 'bread_lane_b', 'all']
    """

    def __init__(
        self,
        comparison: Comparison,
        improvements: tuple[str, ...],
        indicator: str,
        where: dict[str, str],
        name: str = "",
    ) -> None:
        self.comparison, self.improvements = comparison, improvements
        self.indicator, self.where = indicator, where
        self.name = name or "a scenario"
        """Of the scenario that has the improvements."""

    def __repr__(self) -> str:
        return f"<Attribution of {self.indicator} to {', '.join(self.improvements)}>"

    @property
    def plot(self) -> Any:
        """Every registered plot as a method; ``plot.attribution()`` is the waterfall by improvement."""
        from corridor_sim.plots.accessor import Plots

        return Plots(self)

    def _run(self, name: str) -> Results:
        return next(run for run in self.comparison.runs if run.name == name)

    def table(self) -> pd.DataFrame:
        """One line an improvement and one for all: change alone and as the last one, with intervals.

        Columns ``alone`` (against none) and ``last`` (all against all but it), each with ``low`` and
        ``high``; ``sum_alone`` in the line "all" is what the changes alone add up to: where it differs
        from the change of all, the improvements act on each other.
        """
        import pandas as pd

        none, everything = self.comparison.base, self._run("all")
        lines: list[dict[str, Any]] = []
        alone_sum = 0.0
        for name in self.improvements:
            single = len(self.improvements) == 1
            alone = self._change(none, everything if single else self._run(f"only {name}"))
            last = self._change(none if single else self._run(f"all but {name}"), everything)
            alone_sum += alone[0]
            lines.append(self._line(name, alone, last))
        whole = self._change(none, everything)
        lines.append({**self._line("all", whole, whole), "sum_alone": alone_sum})
        frame = pd.DataFrame(lines)
        frame.attrs["interval"] = NOISE
        return frame

    @staticmethod
    def _line(name: str, alone: tuple[float, ...], last: tuple[float, ...]) -> dict[str, Any]:
        line: dict[str, Any] = {"improvement": name}
        for column, (mean, low, high) in (("alone", alone), ("last", last)):
            line |= {column: mean, f"{column}_low": low, f"{column}_high": high}
        return line

    def _change(self, before: Results, after: Results) -> tuple[float, ...]:
        from corridor_sim.statistics import mean_limits

        rows = [run.rows.row(self.indicator, **self.where) for run in (before, after)]
        return tuple(float(one) for one in mean_limits(rows[1] - rows[0], self.comparison.confidence))


def where_the_delay_is(results: Results) -> pd.DataFrame:
    """Truck-hours of delay by stage, leg and departure, the largest first, with their share of all.

    The rows add up to the delay of the corridor, unserved consignments included.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> results = cs.run("teaching", replications=5, rng=1, workers=1)
    >>> cs.where_the_delay_is(results).columns.tolist()
    ['place', 'direction', 'delay_truck_h', 'low', 'high', 'share']
    """
    import pandas as pd

    from corridor_sim.statistics import mean_limits

    table = results.rows.select("delay_truck_h", cargo_class="", of="")
    rows = [k for k, label in enumerate(table.labels) if label.kind in ("stage", "leg")]
    found = Table(tuple(table.labels[k] for k in rows), table.values[rows], table.replications)
    mean, low, high = mean_limits(found.values.T)
    frame = pd.DataFrame(
        {
            "place": [label.place for label in found.labels],
            "direction": [label.direction for label in found.labels],
            "delay_truck_h": mean,
            "low": low,
            "high": high,
        }
    )
    total = float(frame["delay_truck_h"].sum())
    frame["share"] = frame["delay_truck_h"] / total if total > 0 else 0.0
    frame.attrs["interval"] = NOISE
    return frame.sort_values("delay_truck_h", ascending=False, kind="stable", ignore_index=True)
