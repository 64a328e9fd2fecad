"""Pictures on the command line: which kind, of what data, as the bytes of a file."""

from __future__ import annotations

import inspect
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from corridor_sim.core.errors import nearest

FORMATS = (".png", ".svg", ".pdf")
DPI = 150


COMMAND_OF = {
    "fits": "fit",
    "prediction": "predict",
    "disruption": "disruption",
    "programme": "portfolio",
    "appraisal": "appraise",
    "sweep": "sweep",
}
"""What draws pictures of other things than runs, by what they are of."""


def kind_of(path: Path, command: str = "") -> str:
    """The kind of picture that a file is named after: ``queue.png`` is a ``queue``.

    Raises
    ------
    click.UsageError
        If no plot has that name, or the file is no picture.
    """
    from corridor_sim.plots import PLOTS

    if path.stem not in PLOTS:
        hint = nearest(path.stem, PLOTS)
        text = f"--picture: name the file after what it shows, e.g. queue.png; known: {', '.join(PLOTS)}"
        raise click.UsageError(text + (f"; {hint}" if hint else ""))
    refuse_of_others(path.stem, command)
    return require_picture(path, path.stem, {}, "--picture")


def refuse_of_others(kind: str, command: str = "") -> None:
    """Refuse a picture that another command draws."""
    from corridor_sim.plots import PLOTS

    if PLOTS.example(kind).get("of") == "worth":
        raise click.UsageError(f"the picture {kind} is drawn in Python: comparison.worth(...).plot.{kind}()")
    theirs = COMMAND_OF.get(str(PLOTS.example(kind).get("of")), "")
    if theirs != command and (theirs or command):
        hint = f"`corridor-sim {theirs} FILE --picture {kind}.png` does" if theirs else f"{command} draws other ones"
        raise click.UsageError(f"the picture {kind} is not drawn by this command; {hint}")


def require_picture(path: Path, kind: str, options: Mapping[str, Any], option: str = "--output") -> str:
    """The kind, if it can be drawn into a file of that name with these options; else a usage error."""
    from corridor_sim.plots import PLOTS

    if path.suffix.lower() not in FORMATS:
        raise click.UsageError(f"{option} must end in {', '.join(FORMATS)}, got {path.name!r}")
    if kind not in PLOTS:
        raise click.UsageError(f"--kind: {PLOTS.problem(kind)}")
    for name in options:
        if name not in inspect.signature(PLOTS[kind]).parameters:
            raise click.UsageError(f"--{name} has no meaning for the picture {kind!r}")
    return kind


def needs_a_run(kind: str) -> bool:
    """Whether a picture shows results, not a scenario."""
    from corridor_sim.plots import PLOTS

    return PLOTS.example(kind).get("of") != "scenario"


def of_uncertainty(kind: str) -> bool:
    """Whether a picture shows draws of the inputs."""
    from corridor_sim.plots import PLOTS

    return bool(PLOTS.example(kind).get("of") == "uncertainty")


def drawn(kind: str, data: Any, path: Path, options: Mapping[str, Any], dpi: int = DPI) -> bytes:
    """A picture as the bytes of a file like `path`; the same data give the same bytes.

    `data` are results, a comparison or a scenario; a picture of a scenario takes the last one.
    """
    import matplotlib as mpl

    from corridor_sim.plots import PLOTS

    if not needs_a_run(kind):
        last = getattr(data, "runs", (data,))[-1]
        data = getattr(last, "scenario", last)
    elif not of_uncertainty(kind) and not PLOTS.example(kind).get("inputs"):
        data = getattr(data, "comparison", data)
    if PLOTS.example(kind).get("inputs") and not hasattr(data, "drawn"):
        data = getattr(data, "comparison", data)
    try:
        axes = PLOTS[kind](data, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    form = path.suffix.lower()[1:]
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[form]
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "corridor_sim"}):
        axes.figure.savefig(buffer, format=form, dpi=dpi, metadata=metadata)
    return buffer.getvalue()
