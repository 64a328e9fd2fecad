"""A run or a comparison as one HTML page: question, answer with intervals, figures, tables, inputs, how to repeat it.

The page needs nothing else: no network, no script, styles allowed by their hash,
figures inside it, everything that a user named escaped. The same results give the
same bytes. The words are in `answers.py`, tables and sources in `parts.py`, the
layout in ``page.html``. A plot joins the page by ``report=<position>`` where it is
registered.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

from corridor_sim.core.errors import CorridorError
from corridor_sim.results.appraisal import Appraisal
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.doubts import MORE_COMES
from corridor_sim.results.results import NOISE, Results
from corridor_sim.results.uncertain import Uncertainty

__all__ = ["report", "to_html"]

Reported = Results | Comparison | Uncertainty | Appraisal
"""What there is a page of."""


def report(
    data: Reported,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    **options: Any,
) -> Path:
    """Write results or a comparison as one HTML page; see `to_html` for the options.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    CorridorError
        If the file exists and `overwrite` is not set, or its folder does not exist.
    """
    from corridor_sim.files.writing import refuse_existing, write

    target = Path(path)
    refuse_existing(target, overwrite=overwrite)
    write(to_html(data, **options), target, overwrite=overwrite)
    return target


def html_of(data: Reported, path: str | os.PathLike[str] | None = None, **options: Any) -> str:
    """The text of the page, also written to `path` if given; what ``results.to_html`` is bound to."""
    page = to_html(data, **options)
    if path is not None:
        Path(path).write_text(page, encoding="utf-8")
    return page


def to_html(data: Reported, *, title: str | None = None, question: str | None = None) -> str:
    """Results, a comparison, an uncertainty or an appraisal as the text of one HTML page.

    Parameters
    ----------
    data : Results, Comparison, Uncertainty or Appraisal
    title, question : str, optional
        Instead of those made from the names of the scenarios.
    """
    from corridor_sim.report import parts
    from corridor_sim.report.answers import answers
    from corridor_sim.report.uncertain import NO_CLEAR, assumed_told, draws_told, uncertain_answers

    if isinstance(data, Appraisal):
        from corridor_sim.report.appraisal import context_of

        return _rendered("appraisal.html", context_of(data, title, question))
    sure = data if isinstance(data, Uncertainty) else None
    if isinstance(data, Uncertainty):
        data = data.comparison if len(data.runs) > 1 else data.runs[0]
    comparison = data if isinstance(data, Comparison) else None
    base = data.base if isinstance(data, Comparison) else data
    names = comparison.names if comparison is not None else (base.name,)
    others = ", ".join(names[1:])
    context = {
        "title": title or (f"{others} against {names[0]}" if comparison is not None else names[0]),
        "question": question
        or (
            f"What does {others} change against {names[0]}?"
            if comparison is not None
            else f"How does traffic fare in {names[0]}?"
        ),
        "abouts": [(name, run.scenario.about) for name, run in _named(data) if getattr(run.scenario, "about", "")],
        "sure": uncertain_answers(sure, minutes=True) if sure is not None else [],
        "no_clear": NO_CLEAR,
        "sure_notes": [assumed_told(sure), *draws_told(sure)] if sure is not None else [],
        "answers": answers(data),
        "noise": NOISE,
        "joint": len(names) > 2,
        "replications": base.replications,
        "figures": [*(_tornado(sure) if sure is not None else []), *_figures(data, sure)],
        "tables": parts.tables_of(data),
        "base_name": names[0],
        "differences": parts.differences_of(comparison) if comparison is not None else [],
        "changes": list(comparison.inputs_diff().items()) if comparison is not None else [],
        "inputs": parts.inputs_of(data),
        "method": parts.method_of(base),
        "repeat": parts.repeat_of(data),
        # That more comes than can pass leads the answer, with its numbers.
        "warnings": [
            (name, text) for name, run in _named(data) for text in run.warnings if not text.startswith(MORE_COMES)
        ],
    }
    return _rendered("page.html", context)


def _rendered(template: str, context: dict[str, Any]) -> str:
    """A page with its style, allowed by its hash."""
    style = _source("page.css")
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text: str = _environment().get_template(template).render(**context, style=style, style_hash=style_hash)
    return text


def _named(data: Results | Comparison) -> list[tuple[str, Results]]:
    if isinstance(data, Comparison):
        return list(zip(data.names, data.runs, strict=True))
    return [(data.name, data)]


def _figures(data: Results | Comparison, sure: Uncertainty | None) -> list[dict[str, Any]]:
    """The registered plots that have a place in reports, in its order, as SVG with a caption; both intervals where
    both are known."""
    from corridor_sim.plots import PLOTS
    from corridor_sim.plots.accessor import Plots
    from corridor_sim.report.figures import svg_of

    fitting = {"results", "scenario"} | ({"comparison"} if isinstance(data, Comparison) else set())
    wanted = []
    for name in PLOTS:
        about = PLOTS.example(name)
        if "report" in about and about.get("of", "results") in fitting:
            wanted.append((about["report"], name))
    found = []
    for _, name in sorted(wanted):
        try:
            both = sure is not None and PLOTS.example(name).get("inputs")
            axes = getattr(Plots(sure if both else data), name)()
        except CorridorError:  # the run was asked for other indicators
            continue
        if not axes.axison:
            continue
        caption = (PLOTS[name].__doc__ or name).partition("\n")[0]
        found.append({"name": name, "caption": caption, "svg": svg_of(axes.figure, caption)})
    return found


def _tornado(sure: Uncertainty) -> list[dict[str, Any]]:
    """What the first answer hangs on."""
    from corridor_sim.plots import PLOTS
    from corridor_sim.report.figures import svg_of

    axes = PLOTS["tornado"](sure)
    if not axes.axison:
        return []
    caption = (PLOTS["tornado"].__doc__ or "").partition("\n")[0]
    return [{"name": "tornado", "caption": caption, "svg": svg_of(axes.figure, caption)}]


def _source(name: str) -> str:
    from importlib.resources import files

    return files("corridor_sim.report").joinpath(name).read_text(encoding="utf-8")


def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
