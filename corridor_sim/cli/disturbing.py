"""The command that tells what a disruption does to a queue and what it costs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from corridor_sim.cli import completion
from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.options import format_option, ids_option, output_options, picture_option, run_options
from corridor_sim.cli.output import deliver, refuse_unwritable
from corridor_sim.cli.pictures import drawn, kind_of
from corridor_sim.cli.running import as_asked, print_warnings, read_scenarios, refuse_odd_draws

INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@main.command()
@click.argument("base", shell_complete=completion.scenarios)
@click.argument("other", shell_complete=completion.scenarios)
@click.option("--at", default="", help="Whose queue: a post, leg or crossing; by default where most is waited more.")
@click.option("--since", type=INSTANT, help="When it begins (UTC); by default by the dates that OTHER alone has.")
@click.option("--until", type=INSTANT, help="When it ends (UTC).")
@click.option(
    "--band",
    type=click.Choice(["week", "instant"]),
    default="week",
    show_default=True,
    help="What is normal: by the same hour of all weeks, or by that hour alone.",
)
@click.option(
    "--settle-hours",
    type=click.FloatRange(min=0, min_open=True),
    default=24.0,
    show_default=True,
    help="How long the queue must be normal to be back.",
)
@click.option(
    "--inputs",
    type=click.IntRange(min=2),
    help="Draw every figure that has a range so often (a power of two): intervals of the inputs beside those of noise.",
)
@click.option("--by-flow", is_flag=True, help="With --format csv or json: more waiting and cost of each flow instead.")
@run_options
@format_option
@ids_option
@picture_option
@output_options
def disruption(
    base: str,
    ids: bool,
    other: str,
    at: str,
    since: dt.datetime | None,
    until: dt.datetime | None,
    band: str,
    settle_hours: float,
    inputs: int | None,
    by_flow: bool,
    form: str,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """What a disruption does: OTHER has it, BASE is the same without it.

    Time until the queue is back within its normal band, longest queue, more waiting, consignments that went another way
    or gave up, and cost, each with its interval. The picture is disruption.png.
    """
    from corridor_sim.report import tables
    from corridor_sim.study.disruption import disruption as disturbed

    if by_flow and form == "table":
        raise click.UsageError("--by-flow needs --format csv or json")
    drawings = {path: kind_of(path, "disruption") for path in pictures}
    if inputs is not None:
        refuse_odd_draws(inputs)
    refuse_unwritable(overwrite, output, *pictures)
    pair = read_scenarios((base, other), settings)
    with as_asked(settings) as how:
        found = disturbed(
            *pair, at=at, since=since, until=until, band=band, settle_h=settle_hours, inputs=inputs, **how
        )
    frame = found.by_flow() if by_flow else found.to_frame()
    if form == "csv":
        told = csv_of(frame)
    elif form == "json":
        about: dict[str, Any] = {
            "runs": [run.about() for run in found.runs],
            "place": " ".join(part for part in found.place if part),
        }
        about |= {"since_h": found.since_h, "until_h": found.until_h, "band": band, "settle_h": settle_hours}
        told = tables.to_json({**about, "notes": list(found.notes), "rows": tables.records(frame)})
    else:
        told = found.describe(ids=ids)
    for path, kind in drawings.items():
        deliver(drawn(kind, found, path, {}), path, overwrite)
    deliver(told, output, overwrite)
    print_warnings(found.runs, settings, ids, shown=False)
