"""Commands that read measured data. To add one, add a function here."""

from __future__ import annotations

from pathlib import Path

import click

from corridor_sim.cli.commands import main
from corridor_sim.cli.options import format_option, output_options, picture_option
from corridor_sim.cli.output import deliver, refuse_unwritable
from corridor_sim.cli.pictures import drawn, kind_of


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--column", help="Header of the times; not needed where the file has one column.")
@click.option("--law", "laws", multiple=True, help="Only this law; repeatable. All that can be fitted if not given.")
@click.option("--censored", help="Header of a column that says which times were still going on (1, true, yes).")
@click.option("--upper", help="Header of upper bounds, where times are known between two; inf is still going on.")
@click.option("--unit", type=click.Choice(["h", "min", "s"]), default="h", show_default=True, help="Of the times.")
@click.option("--location", type=float, default=0.0, show_default=True, help="Least time that is possible. [unit]")
@click.option("--rounded-to", type=float, help="Step to which times were rounded. [unit]")
@click.option("--delimiter", default=",", show_default=True, help="Between the cells of the file.")
@click.option("--source", default="", help="Source of the times, for the text that a scenario takes.")
@format_option
@picture_option
@output_options
def fit(
    file: Path,
    column: str | None,
    laws: tuple[str, ...],
    censored: str | None,
    upper: str | None,
    unit: str,
    location: float,
    rounded_to: float | None,
    delimiter: str,
    source: str,
    form: str,
    pictures: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
) -> None:
    """Fit laws to the measured times of a CSV file.

    The nearest by AIC is first, and is printed as a table of a scenario file takes it.
    """
    from corridor_sim.report import tables
    from corridor_sim.study.law_fits import fit_law

    drawings = {path: kind_of(path, "fit") for path in pictures}
    refuse_unwritable(overwrite, output, *pictures)
    fits = fit_law(
        file,
        laws or None,
        column=column,
        censored=censored,
        upper=upper,
        unit=unit,
        location=location,
        rounded_to=rounded_to,
        delimiter="\t" if delimiter == "\\t" else delimiter,
    )
    frame, text = fits.table(), fits.to_toml(source=source)
    if form == "csv":
        told = tables.to_csv(frame)
    elif form == "json":
        body = {"about": fits.about, "left_out": dict(fits.left_out), "toml": text}
        told = tables.to_json({**body, "laws": tables.records(frame)})
    else:
        rows = [
            [row.law, f"{row.above_best:.1f}", f"{row.weight:.2f}", f"{row.distance:.3f}", row.parameters]
            for row in frame.itertuples()
        ]
        heads = ["law", "AIC above the best", "weight", "distance", "parameters (95 %)"]
        left = "".join(f"{kind}: {why}\n" for kind, why in fits.left_out.items())
        told = f"{fits.about}\n\n{tables.to_text(heads, rows, 100)}{left}\n{text}"
    for path, kind in drawings.items():
        deliver(drawn(kind, fits, path, {}), path, overwrite)
    deliver(told, output, overwrite)
