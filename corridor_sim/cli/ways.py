"""The command that tells days and cost of each way from door to door."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.options import MAX_WORKERS, format_option, ids_option, output_options, quiet_option
from corridor_sim.cli.output import deliver, refuse_unwritable
from corridor_sim.core.errors import CorridorWarning


@main.command("door-to-door")
@click.argument("file")
@click.option("--flow", "flows", multiple=True, help="Only this flow; repeatable. All if not given.")
@click.option("--against", help="The flow that the others are compared with; the last if not given.")
@click.option(
    "--per",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="What a consignment is divided by for its costs: 124 for a TEU of a train of 124.",
)
@click.option("--draws", type=click.IntRange(2, 65536), default=64, show_default=True, help="A power of two.")
@click.option(
    "--replications", "-n", type=click.IntRange(1, 10_000), default=2, show_default=True, help="Of each draw."
)
@click.option("--prior", type=click.Choice(["uniform", "triangular"]), default="uniform", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the points and of the streams.")
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), help="Processes; all cores if not given.")
@quiet_option
@format_option
@ids_option
@output_options
def door_to_door(
    file: str,
    ids: bool,
    flows: tuple[str, ...],
    seed: int | None,
    quiet: bool,
    form: str,
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Days and cost of each flow from door to door, with both uncertainties.

    And the share of draws of the inputs in which it is less than that of the flow it is compared with.
    """
    from corridor_sim.files.scenario_files import load_scenario
    from corridor_sim.report import tables
    from corridor_sim.study.door_to_door import door_to_door as ways

    refuse_unwritable(overwrite, output)
    scenario = load_scenario(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        frame = ways(scenario, list(flows) or None, rng=seed, progress=not quiet, **settings)
    if form == "csv":
        told = csv_of(frame)
    elif form == "json":
        told = tables.to_json({"interval": frame.attrs["interval"], "rows": tables.records(frame)})
    else:
        names = {} if ids else {id: flow.name or id.replace("_", " ") for id, flow in scenario.flows.items()}
        told = _ways_as_text(frame, names)
    deliver(told, output, overwrite)


def _ways_as_text(frame: Any, names: Mapping[str, str]) -> str:
    """Ways for the terminal: the name of each above its quantities, and the way that they are compared with."""
    from corridor_sim.report import tables

    other = str(frame.columns[-1]).removeprefix("less_than_")
    head = [str(name).replace("_", " ") for name in frame.columns[1:-1]] + ["share less"]
    rows, flows = [], frame["flow"].tolist()
    for row in frame.iloc[:, 1:].to_numpy().tolist():
        texts = [value if isinstance(value, str) else f"{value:.3g}" for value in row]
        rows.append(
            [f"  {_QUANTITIES.get(texts[0], texts[0])}", *("-" if text == "nan" else text for text in texts[1:])]
        )
    first, *lines = tables.to_text(head, rows, 100).rstrip("\n").split("\n")
    told = [f"  {first}"]
    for k, line in enumerate(lines):
        if k == 0 or flows[k] != flows[k - 1]:
            told.append(names.get(flows[k], flows[k]))
        told.append(f"  {line}")
    told.append(f"share less: of the draws in which it is less than that of {names.get(other, other)}")
    return "\n".join([*told, frame.attrs["interval"]]) + "\n"


_QUANTITIES = {
    "days": "days",
    "usd_transport": "transport US$",
    "usd_handling": "handling US$",
    "usd_fees": "fees US$",
    "usd_time": "time US$",
    "usd_waiting": "of it waiting US$",
    "usd_together": "together US$",
}
"""Quantities of a way, as they are called."""
