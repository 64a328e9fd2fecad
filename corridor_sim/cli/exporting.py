"""``corridor-sim export``: runs and scenarios in the files of other programs. To add a format, add an `Export` here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corridor_sim.cli import completion
from corridor_sim.cli.commands import main
from corridor_sim.cli.formats import csv_of
from corridor_sim.cli.options import run_options
from corridor_sim.cli.output import STANDARD_OUTPUT, deliver, refuse_unwritable
from corridor_sim.cli.running import compare_all, print_warnings, read_scenarios, run_one
from corridor_sim.core.errors import nearest

if TYPE_CHECKING:
    from corridor_sim.plan.build import Planned
    from corridor_sim.results.comparison import Comparison
    from corridor_sim.results.results import Results

    AnyType = click.ParamType[Any]
else:  # generic since click 8.4
    AnyType = click.ParamType


@dataclass(frozen=True, eq=False)
class Exported:
    """What an `Export` writes: the scenarios, their runs (none where the format needs none), and what to take."""

    scenarios: Sequence[Planned]
    runs: Sequence[Results] = ()
    compared: Comparison | None = None
    """Of several scenarios: their runs side by side."""
    only: Mapping[str, Any] = field(default_factory=dict)
    """Of an event log: `places`, `since`, `until`, `replications`; what was not given is left out."""


@dataclass(frozen=True, eq=False)
class Export:
    """A format of ``export``.

    Attributes
    ----------
    endings
        Of the files, the usual one first.
    about
        What is in the file, for the help.
    content
        The file.
    runs, records, several
        Whether it needs runs, every visit of them, and whether it takes several scenarios (common random numbers).
    events
        Whether --place, --since, --until and --replication mean something.
    map
        Whether something must have coordinates.
    """

    endings: tuple[str, ...]
    about: str
    content: Callable[[Exported], str | bytes]
    runs: bool = True
    records: bool = False
    several: bool = False
    events: bool = False
    map: bool = False


def _events(told: Exported) -> str:
    return csv_of(told.runs[0].event_log(**told.only))


def _xes(told: Exported) -> str:
    return told.runs[0].to_xes(**told.only)


def _xes_gz(told: Exported) -> bytes:
    import gzip

    return gzip.compress(_xes(told).encode(), mtime=0)


def _together(told: Exported) -> Any:
    """The run, or the comparison of several with the first."""
    return told.runs[0] if told.compared is None else told.compared


def _workbook(told: Exported) -> bytes:
    from corridor_sim.exchange.workbooks import workbook_bytes

    return workbook_bytes(_together(told))


def _geojson(told: Exported) -> str:
    from corridor_sim.report import tables

    return tables.to_json(_together(told).to_geojson())


def _geopackage(told: Exported) -> bytes:
    from corridor_sim.exchange.geopackages import geopackage_bytes

    return geopackage_bytes(_together(told))


def _netcdf(told: Exported) -> bytes:
    from corridor_sim.exchange.datasets import netcdf_bytes

    return netcdf_bytes(_together(told).to_dataset(by_time=True))


def _arrow(told: Exported) -> bytes:
    from corridor_sim.exchange.arrow import stream_bytes

    return stream_bytes(_together(told).to_arrow())


def _parquet(told: Exported) -> bytes:
    from corridor_sim.exchange.arrow import parquet_bytes

    return parquet_bytes(_together(told).to_arrow())


def _network(told: Exported) -> str:
    from corridor_sim.files.network import network_json
    from corridor_sim.model.corridor import Corridor
    from corridor_sim.report import tables

    scenario = told.scenarios[0].scenario
    assert isinstance(scenario, Corridor)
    return tables.to_json(network_json(scenario))


EXPORTS: dict[str, Export] = {
    "events": Export((".csv",), "event log, a line an event", _events, records=True, events=True),
    "xes": Export((".xes",), "event log in XES (IEEE 1849-2023)", _xes, records=True, events=True),
    "xes-gz": Export((".xes.gz",), "the same, compressed", _xes_gz, records=True, events=True),
    "xlsx": Export((".xlsx",), "Excel workbook with every table", _workbook, several=True),
    "geojson": Export((".geojson",), "map with waits, load and queues", _geojson, several=True, map=True),
    "gpkg": Export((".gpkg",), "the same as layers of a GeoPackage", _geopackage, several=True, map=True),
    "netcdf": Export((".nc",), "every indicator by its dimensions", _netcdf, several=True),
    "arrow": Export((".arrows",), "Arrow stream of the indicators, or of the differences", _arrow, several=True),
    "parquet": Export((".parquet",), "the same as Parquet", _parquet, several=True),
    "network": Export((".json",), "the network as a node-link graph, nothing run", _network, runs=False),
}
"""Formats by name. Where two have an ending, the first is taken if no --format is given."""


def _listed() -> str:
    return "; ".join(f"{name} ({' '.join(one.endings)}): {one.about}" for name, one in EXPORTS.items())


def format_of(name: str | None, output: Path) -> Export:
    """The format of that name, else of the ending of the file; a usage error where they do not agree."""
    told = output.name.lower()
    fitting = [one for one in EXPORTS.values() if any(told.endswith(ending) for ending in one.endings)]
    if name is None:
        if output == STANDARD_OUTPUT:
            raise click.UsageError("--format is needed for standard output")
        if not fitting:
            hint = nearest(output.suffix, [ending for one in EXPORTS.values() for ending in one.endings])
            raise click.UsageError(
                f"no format ends in {output.suffix or 'nothing'}; known: {_listed()}" + (f"; {hint}" if hint else "")
            )
        return fitting[0]
    wanted = EXPORTS[name]
    if output != STANDARD_OUTPUT and wanted not in fitting:
        raise click.UsageError(f"--format {name} writes {' or '.join(wanted.endings)}, got {output.name!r}")
    return wanted


class InstantOption(AnyType):
    """Hours of the run, or a date and time in ISO form."""

    name = "hours or date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The hours or the date and time."""
        if not isinstance(value, str):
            return value
        try:
            return float(value)
        except ValueError:
            pass
        try:
            return dt.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither hours of the run nor a date such as 2024-06-01T08:30", param, ctx)


@main.command(epilog=f"Formats: {_listed()}.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=completion.scenarios)
@click.option("--format", "form", type=click.Choice(list(EXPORTS)), help="By the ending of the file if not given.")
@click.option("--place", "places", multiple=True, help="Event logs: only this post, crossing, leg or stage.")
@click.option("--since", type=InstantOption(), help="Event logs: visits that joined at or after this.")
@click.option("--until", type=InstantOption(), help="Event logs: visits that joined before this.")
@click.option("--counted", is_flag=True, help="Event logs: visits that the means of the run count.")
@click.option(
    "--replication",
    "numbers",
    type=click.IntRange(min=0),
    multiple=True,
    help="Event logs: only the replication of this number, from 0; repeatable.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="The file; - is standard output.")
@click.option("--overwrite", is_flag=True, help="Overwrite the output if it exists.")
@run_options
def export(
    files: tuple[str, ...],
    form: str | None,
    places: tuple[str, ...],
    since: Any,
    until: Any,
    counted: bool,
    numbers: tuple[int, ...],
    output: Path,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Write a run or a scenario for other programs.

    FILE is a scenario file or the name of a packaged scenario; several where the format takes them.
    """
    wanted = format_of(form, output)
    if len(files) > 1 and not wanted.several:
        text = f"{wanted.endings[0]} of export is the {wanted.about}: it takes one FILE, got {len(files)}"
        if wanted is EXPORTS["events"]:
            text += "; corridor-sim run and compare write tables of several as CSV"
        raise click.UsageError(text)
    if numbers and settings["replications"] is not None:
        raise click.UsageError("give --replications (how many) or --replication (which), not both")
    given = {"places": list(places), "since": since, "until": until, "replications": sorted(set(numbers))}
    only = {key: value for key, value in given.items() if value not in (None, [])}
    if (only or counted) and not wanted.events:
        raise click.UsageError("--place, --since, --until, --counted and --replication are for event logs")
    if counted and not {"since", "until"}.isdisjoint(only):
        raise click.UsageError("--counted says since and until when: leave out --since and --until")
    refuse_unwritable(overwrite, output)
    scenarios = read_scenarios(files, settings)
    if wanted.map:
        from corridor_sim.exchange.maps import refuse_without_map

        refuse_without_map(one.scenario for one in scenarios)
    runs: Sequence[Results] = ()
    compared: Comparison | None = None
    if len(scenarios) > 1:
        compared = compare_all(scenarios, settings)
        runs = compared.runs
    elif wanted.runs:
        more: dict[str, Any] = {"replications": only["replications"]} if numbers else {}
        runs = (run_one(scenarios[0], settings, records=wanted.records, **more),)
    if counted:
        only |= {"since": runs[0].scope.counts_from_h, "until": runs[0].scope.until_h}
    deliver(wanted.content(Exported(scenarios, runs, compared, only)), output, overwrite)
    print_warnings(runs, settings, shown=False)
