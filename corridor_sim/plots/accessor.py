"""``results.plot.queue()``: every registered plot as a method of what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corridor_sim.plots.base import PLOTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


WHOLE = ("appraisal", "attribution", "uncertainty", "programme", "sweep", "worth")
"""What is drawn as it is; of anything else the runs in it are."""


class Plots:
    """The plots of one Results, Comparison, Uncertainty, Attribution, Sweep or Scenario; ``dir()`` lists them."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in PLOTS:
            problem = PLOTS.problem(name)
            raise AttributeError(
                f"no plot {name!r} (known: {problem.allowed})" + (f"; {problem.hint}" if problem.hint else "")
            )
        plot = PLOTS[name]

        def draw(**options: Any) -> Axes:
            data = self._data
            of = PLOTS.example(name).get("of")
            if of not in WHOLE and not (PLOTS.example(name).get("inputs") and hasattr(data, "drawn")):
                data = getattr(data, "comparison", data)
                data = data.compare() if hasattr(data, "points") else data
            if of == "scenario":
                data = getattr(data, "runs", [data])[-1]
                data = getattr(data, "scenario", data)
            axes: Axes = plot(data, **options)
            return axes

        draw.__doc__, draw.__name__ = plot.__doc__, name
        return draw

    def __dir__(self) -> list[str]:
        return list(PLOTS)

    def __repr__(self) -> str:
        return f"<plots: {', '.join(PLOTS)}>"
