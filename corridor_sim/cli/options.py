"""Options that several commands share. To add one, add it here and to the commands that take it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from corridor_sim.cli import completion
from corridor_sim.cli.formats import remember_comma
from corridor_sim.core.limits import MAX_REPLICATIONS

if TYPE_CHECKING:
    SettingType = click.ParamType[tuple[str, Any]]
else:  # generic since click 8.4
    SettingType = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])
MAX_WORKERS = 256


class Setting(SettingType):
    """``path=value``: the value is written as in a scenario file; what is no TOML value is text."""

    name = "path=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Path and value of one setting."""
        if isinstance(value, tuple):
            return value
        path, equals, text = str(value).partition("=")
        if not equals or not path.strip():
            self.fail(f"{value!r} is not path=value, e.g. flows.flour.per_day=150", param, ctx)
        try:
            read = tomllib.loads(f"value = {text}")
        except ValueError:
            read = {"value": text}
        return path.strip(), read["value"] if list(read) == ["value"] else text


def stacked(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order in which the help lists them."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


files_argument = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, shell_complete=completion.scenarios
)
decimal_comma_option = click.option(
    "--decimal-comma",
    is_flag=True,
    expose_value=False,
    callback=remember_comma,
    help="CSV with a decimal comma and ; between the cells, as spreadsheets of many countries read it.",
)
BY_ENDING = "By the ending of -o if not given."
format_option = stacked(
    click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", help=BY_ENDING),
    decimal_comma_option,
)
workbook_format_option = stacked(
    click.option(
        "--format", "form", type=click.Choice(["table", "csv", "json", "xlsx"]), default="table", help=BY_ENDING
    ),
    decimal_comma_option,
)
output_options = stacked(
    click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file; - is standard output."),
    click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists."),
)
csv_options = stacked(
    click.option("--delimiter", default=",", show_default=True, help="Between the cells of the file."),
    click.option(
        "--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="Before decimals in the file."
    ),
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress and no warnings.")
strict_option = click.option("--strict", is_flag=True, help="Take warnings for errors.")
set_option = click.option(
    "--set", "settings", type=Setting(), multiple=True, help="Change a value of the files; repeatable."
)
run_options = stacked(
    click.option(
        "--replications",
        "-n",
        type=click.IntRange(1, MAX_REPLICATIONS),
        help="How many; the file's number if not given. With --inputs N: of each draw.",
    ),
    click.option(
        "--seed", type=click.IntRange(min=0), help="Seed of all random streams; the file's seed if not given."
    ),
    click.option(
        "--engine", type=click.Choice(["auto", "event", "batch", "compiled"]), default="auto", show_default=True
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, MAX_WORKERS),
        help="Processes; 1 stays in this one. If not given, long runs use all cores. Results do not depend on it.",
    ),
    click.option("--horizon-days", type=click.FloatRange(min=0, min_open=True), help="Another length of the run."),
    set_option,
    strict_option,
    quiet_option,
)
AUTO = "auto"
"""What stands for a usual number of draws at the place that changes most."""


class DrawsOrAuto(click.IntRange):
    """A number of draws, or ``auto``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or the word as it is."""
        if value == AUTO:
            return value
        try:
            int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of draws (a power of two, as 64) nor {AUTO!r}.", param, ctx)
        return super().convert(value, param, ctx)


input_options = stacked(
    click.option(
        "--inputs",
        type=DrawsOrAuto(2, MAX_REPLICATIONS),
        metavar="N|auto",
        help="Draw every figure that has a range so often (a power of two): intervals of the inputs beside those of "
        "sampling noise. -n is then of each draw, 2 if not given; the stated values are run 5 times at least. 'auto' "
        "first compares as without --inputs, with -n replications, then makes 64 draws of one replication each at the "
        "one place where time changes most.",
    ),
    click.option(
        "--at",
        multiple=True,
        help="With --inputs: only this crossing or post, or a crossing in one direction ('astara IR>AZ'), and only the "
        "part of the corridor that it hangs on; repeatable.",
    ),
    click.option(
        "--observed",
        is_flag=True,
        help="With --inputs: leave out draws that cannot have given the counts of the packaged corridor marked for it.",
    ),
    click.option(
        "--observations",
        metavar="FILE",
        help="With --inputs: leave out draws that cannot have given what this TOML file says was observed "
        "(docs/uncertainty.md has an example); 'packaged' is --observed.",
    ),
    click.option(
        "--waves",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="With --observed or --observations: from the second wave on, draws come from what the observations leave "
        "of the ranges. Each costs as much as the first.",
    ),
    click.option(
        "--prior",
        type=click.Choice(["both", "uniform", "triangular"]),
        default=None,
        help="With --inputs: how values lie in ranges that state no law. Both, the default, cost twice as much as one; "
        "with 'auto' it is uniform.",
    ),
)
indicator_option = click.option(
    "--indicator",
    "indicators",
    multiple=True,
    help="Only this indicator; repeatable. `kinds indicators` lists them.",
    shell_complete=completion.indicators,
)
ids_option = click.option("--ids", is_flag=True, help="Call places by the ids of files and options, not by name.")
picture_option = click.option(
    "--picture",
    "pictures",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Also draw this file, named after what it shows (queue.png, time_distance.svg); repeatable.",
)
dask_option = click.option(
    "--dask", metavar="ADDRESS", help="Run on the dask cluster whose scheduler is there, e.g. tcp://10.0.0.1:8786."
)
keep_going_option = click.option(
    "--keep-going",
    is_flag=True,
    help="Go on past a file that is wrong or a scenario that fails; it is named at the end, and the exit code tells.",
)
store_option = click.option(
    "--store", type=click.Path(path_type=Path), help="Folder that keeps finished blocks; a rerun goes on from there."
)
