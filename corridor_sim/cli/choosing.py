"""Commands that choose: the best of several scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from corridor_sim.cli.commands import main
from corridor_sim.cli.options import format_option, output_options, run_options, store_option
from corridor_sim.cli.output import deliver, refuse_unwritable
from corridor_sim.cli.running import as_asked, read_scenarios


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--indicator", required=True, help="The row to judge by; `kinds indicators` lists them.")
@click.option("--delta", required=True, help="Difference that does not matter, in the unit of the row: '0.5 h'.")
@click.option("--alpha", type=click.FloatRange(0, 0.5, min_open=True), default=0.05, show_default=True)
@click.option("--maximise", is_flag=True, help="Larger is better.")
@click.option("--method", type=click.Choice(["kn", "rinott", "ocba"]), default="kn", show_default=True)
@click.option("--independent", is_flag=True, help="A stream of its own for each scenario; rinott and ocba need it.")
@click.option("--budget", type=click.IntRange(min=1), help="Runs of all scenarios together, for ocba.")
@click.option("--most", type=click.IntRange(min=2), default=1000, show_default=True, help="Replications of a scenario.")
@click.option("--inputs", type=click.IntRange(min=1), help="Draw the inputs so often (a power of two) and compare.")
@click.option("--at", multiple=True, help="Only the part that this crossing or post hangs on; repeatable.")
@click.option("--kind", help="Kind of the row: stage, post, crossing, flow, corridor.")
@click.option("--place", help="Place of the row.")
@click.option("--direction", help="Direction of the row.")
@store_option
@run_options
@format_option
@output_options
def select(
    files: tuple[str, ...],
    indicator: str,
    delta: str,
    independent: bool,
    inputs: int | None,
    at: tuple[str, ...],
    kind: str | None,
    place: str | None,
    direction: str | None,
    form: str,
    output: Path | None,
    overwrite: bool,
    alpha: float,
    maximise: bool,
    method: str,
    budget: int | None,
    most: int,
    store: Path | None,
    **settings: Any,
) -> None:
    """The best of several scenarios by one indicator, with no more runs than it takes to say so.

    -n is the number of replications of the first stage, with --inputs that of each draw.
    """
    from corridor_sim.report import tables
    from corridor_sim.study.selecting import select as selected

    refuse_unwritable(overwrite, output)
    given = read_scenarios(files, settings)
    named = {"kind": kind, "place": place, "direction": direction}
    where = {column: value for column, value in named.items() if value is not None}
    with as_asked(settings) as how:
        replications = how.pop("replications")
        more = (
            {}
            if replications is None
            else {"first": replications}
            if inputs is None
            else {"replications": replications}
        )
        found = selected(
            given,
            indicator,
            delta=delta,
            alpha=alpha,
            maximise=maximise,
            method=method,
            common=not independent,
            most=most,
            budget=budget,
            draws=inputs,
            at=at,
            store=store,
            where=where or None,
            **how | more,
        )
    if form == "table":
        text = found.describe() + "\n"
    elif form == "csv":
        text = tables.to_csv(found.table())
    else:
        text = tables.to_json(found.to_data())
    deliver(text, output, overwrite)
