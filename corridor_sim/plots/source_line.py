"""What a picture or an answer is of: scenario, counted period, replications; one line that goes wherever it goes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from corridor_sim.core.units import counted
from corridor_sim.plots.names import clean

LONGEST_NAME = 48
LONGEST_LINE = 200


def source_line(data: Any) -> str:
    """Scenarios, the first and last day that is counted, replications and draws; "" for what is no result.

    Parameters
    ----------
    data : Results, Comparison, Uncertainty, Attribution, Sweep, Appraisal, Worth, Programme, LawFits, QueuePrediction
           or Scenario
        What holds no runs says it itself in `drawn_from`.
    """
    said = getattr(data, "drawn_from", None)
    if said is not None:
        return clean(said, LONGEST_LINE)
    return "; ".join(part for part in (_names(data), _period(data), _replications(data)) if part)


def _runs(data: Any) -> tuple[Any, ...]:
    data = getattr(data, "comparison", data)
    if hasattr(data, "runs"):
        return tuple(data.runs) if isinstance(data.runs, tuple) else ()
    return (data,) if hasattr(data, "rows") and hasattr(data, "plan") else ()


def _names(data: Any) -> str:
    if hasattr(data, "base_name"):  # an appraisal
        return " against ".join(clean(name, LONGEST_NAME) for name in (data.name, data.base_name) if name)
    if hasattr(data, "budget_usd"):  # a programme
        return clean(data.base, LONGEST_NAME)
    if hasattr(data, "points"):  # a sweep
        return f"{clean(data.name, LONGEST_NAME)}, {counted(len(data.points), 'point')}"
    if hasattr(data, "improvements") and hasattr(data, "comparison"):  # an attribution
        return f"{clean(data.name, LONGEST_NAME)} with and without {counted(len(data.improvements), 'improvement')}"
    runs = _runs(data)
    if len(runs) > 1:
        data = getattr(data, "comparison", data)
        base, *others = (clean(name, LONGEST_NAME) for name in data.names)
        return f"{', '.join(others[:3])}{f' and {len(others) - 3} more' if len(others) > 3 else ''} against {base}"
    if runs:
        return clean(runs[0].name, LONGEST_NAME)
    return clean(data.name, LONGEST_NAME) if hasattr(data, "run") and hasattr(data, "legs") else ""


def _period(data: Any) -> str:
    if hasattr(data, "base_name"):
        return f"{int(data.years[0])}-{int(data.years[-1])}"
    runs = _runs(data)
    if runs:
        first, last = runs[0].instant(runs[0].plan.warm_up_h), runs[0].instant(runs[0].plan.counted_until_h)
        days = f"{runs[0].scope.window_days:g} days"
        return f"{_day(first)} to {_day(last)}" if first and last else days
    if hasattr(data, "budget_usd"):
        return f"runs of {data.window_h / 24:,.4g} days"
    settings: Any = getattr(data, "run", None)
    return f"{settings.start:%Y-%m-%d}, {settings.horizon_h / 24:g} days" if hasattr(settings, "horizon_h") else ""


def _day(when: datetime) -> str:
    return f"{when:%Y-%m-%d}" if (when.hour, when.minute) == (0, 0) else f"{when:%Y-%m-%d %H:%M}"


def _replications(data: Any) -> str:
    if hasattr(data, "base_name"):
        drawn = getattr(data, "inputs", None)
        draws = f", {counted(len(drawn.npv_usd), 'draw')} of the inputs" if drawn is not None else ""
        return counted(len(data.benefits_usd), "replication") + draws
    if hasattr(data, "budget_usd"):
        return counted(data.replications, "replication")
    runs = _runs(data)
    if not runs:
        return ""
    draws = f", {counted(data.draws, 'draw')} of the inputs" if hasattr(data, "drawn") else ""
    return counted(runs[0].replications, "replication") + draws
