"""Before and after a run: scenarios checked all at once, progress shown, warnings printed."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corridor_sim.cli.group import BAD_INPUT, FAILED, folded
from corridor_sim.cli.options import AUTO
from corridor_sim.core.errors import (
    CorridorError,
    CorridorWarning,
    Problem,
    ScenarioError,
    SimulationError,
    StoreWarning,
)

if TYPE_CHECKING:
    import concurrent.futures as futures

    from corridor_sim.model.designs import Design
    from corridor_sim.plan.build import Planned
    from corridor_sim.plan.plan import Plan
    from corridor_sim.results.results import Results
    from corridor_sim.results.uncertain import Uncertainty
    from corridor_sim.study.equilibrium import Equilibrium
    from corridor_sim.study.sweeps import Sweep


def files_of(paths: Sequence[str]) -> tuple[str, ...]:
    """Files and names as they are; for a folder the scenario files (.toml) that lie in it, by name.

    Raises
    ------
    CorridorError
        If a folder holds none.
    """
    found: list[str] = []
    for path in paths:
        if not Path(path).is_dir():
            found.append(path)
            continue
        inside = sorted(str(file) for file in Path(path).glob("*.toml") if file.is_file())
        if not inside:
            raise CorridorError(f"{path}: the folder holds no scenario file (*.toml)")
        found += inside
    return tuple(found)


@contextlib.contextmanager
def executor_of(settings: Mapping[str, Any]) -> Iterator[futures.Executor | None]:
    """The executor of the cluster of --dask; None without."""
    if settings.get("dask") is None:
        yield None
        return
    from corridor_sim.study.cluster import dask_executor

    with dask_executor(settings["dask"]) as executor:
        yield executor


def read_scenarios(
    files: Sequence[str], settings: Mapping[str, Any], left_out: list[str] | None = None
) -> list[Planned]:
    """All scenarios with their plans, checked before anything runs; ScenarioError with every error of every file.

    With `left_out`, files with errors are added to it and the others are returned.
    """
    from corridor_sim.files import scenario_files

    overrides = dict(settings["settings"])
    if settings["horizon_days"] is not None:
        overrides |= {"run.horizon_h": None, "run.horizon_days": settings["horizon_days"]}
    planned, problems = [], []
    for file in files:
        one, told = scenario_files.examine(file, overrides)
        if left_out is not None and any(problem.severity == "error" for problem in told):
            click.echo("\n".join(folded(str(problem)) for problem in told if problem.severity == "error"), err=True)
            left_out.append(file)
            continue
        problems += told
        if one is not None:
            planned.append(one)
    errors = [problem for problem in problems if problem.severity == "error"]
    # Scenarios that share a base share its warnings.
    found = list({str(problem): problem for problem in problems if problem.severity == "warning"}.values())
    if found and not settings["quiet"]:
        click.echo("\n".join(folded(str(warning)) for warning in found), err=True)
    if errors:
        raise ScenarioError(errors)
    if found and settings["strict"]:
        raise ScenarioError([Problem(f"{len(found)} warnings, taken for errors")])
    return planned


@contextlib.contextmanager
def as_asked(settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the options say of how to run, as every function that runs takes it; warnings come afterwards."""
    with without_warnings(settings["quiet"]) as progress, executor_of(settings) as executor:
        yield {
            "executor": executor,
            "replications": settings["replications"],
            "rng": settings["seed"],
            "engine": settings["engine"],
            "workers": settings["workers"],
            "progress": progress,
        }


def run_one(scenario: Planned, settings: Mapping[str, Any], **more: Any) -> Results:
    """One scenario run as the options say."""
    from corridor_sim.study.run import run

    with as_asked(settings) as how:
        return run(scenario, **how | more)


def run_each(
    scenarios: Sequence[Planned],
    settings: Mapping[str, Any],
    failed: list[SimulationError] | None = None,
    **more: Any,
) -> list[Results]:
    """Several scenarios, each as the options say, with seed and replications of its own.

    With `failed`, the errors of those that failed are added to it and the runs of the others returned.
    """
    from corridor_sim.study.run import run_all

    with as_asked(settings) as how:
        return run_all(scenarios, failed=failed, **how | more)


def tell_left_out(files: Sequence[str], failed: Sequence[CorridorError]) -> None:
    """End a --keep-going that left something out: what failed, and 1 if a run failed, else 2."""
    for error in failed:
        click.echo("\n".join(folded(line) for line in f"corridor-sim: {error}".split("\n")), err=True)
    if files:
        click.echo(folded(f"corridor-sim: left out, with errors: {', '.join(files)}"), err=True)
    if files or failed:
        sys.exit(FAILED if any(isinstance(error, SimulationError) for error in failed) else BAD_INPUT)


def compare_all(
    scenarios: Sequence[Planned],
    settings: Mapping[str, Any],
    failed: list[CorridorError] | None = None,
    **more: Any,
) -> Any:
    """Scenarios run on common random numbers, each compared with the first.

    With `failed`, the errors of those that cannot be compared or whose run failed are added to it.
    """
    from corridor_sim.study.run import compare

    with as_asked(settings) as how:
        return compare(*scenarios, failed=failed, **how | more)


def sweep_all(
    base: Planned, design: Design, settings: Mapping[str, Any], *, keep_going: bool = False, **more: Any
) -> Sweep:
    """The points of a design run on common random numbers."""
    from corridor_sim.study.sweeps import sweep

    with as_asked(settings) as how:
        return sweep(base, design, keep_going=keep_going, **how | more)


def balanced(scenario: Planned, settings: Mapping[str, Any], **more: Any) -> Equilibrium:
    """The scenario in equilibrium of choice, run as the options say."""
    from corridor_sim.model.scenario import Scenario
    from corridor_sim.study.equilibrium import equilibrium

    assert isinstance(scenario.scenario, Scenario)
    with as_asked(settings) as how:
        return equilibrium(scenario.scenario, **how | more)


def refuse_odd_draws(draws: int) -> None:
    """Refuse a number of draws that no set of points has."""
    from corridor_sim.statistics.scrambles import scrambles_of

    try:
        scrambles_of(draws)
    except ValueError as error:
        raise click.UsageError(f"--inputs: {error}") from None


def refuse_both_judges(observed: bool, observations: str | None, waves: int = 1) -> None:
    """Refuse observations from two places, and waves without any."""
    if observed and observations:
        raise click.UsageError("--observed is --observations packaged: give one of the two")
    if waves > 1 and not (observed or observations):
        raise click.UsageError("--waves needs --observed or --observations")


def refuse_without_inputs(settings: Mapping[str, Any], pictures: Iterable[str] = ()) -> None:
    """Refuse what has a meaning only where inputs are drawn, before anything runs."""
    from corridor_sim.cli.pictures import of_uncertainty

    if settings["inputs"] is not None:
        refuse_odd_draws(AUTO_DRAWS if settings["inputs"] == AUTO else settings["inputs"])
        refuse_both_judges(settings["observed"], settings["observations"], settings["waves"])
        return
    for option in ("at", "observed", "observations", "waves", "prior"):
        if settings[option] and settings[option] != 1:
            raise click.UsageError(f"--{option} needs --inputs")
    for kind in pictures:
        if of_uncertainty(kind):
            raise click.UsageError(f"the picture {kind} needs --inputs")


OF_OVERLOAD = ("saturation", "queue_growth_per_day", "load_per_day")
"""Rows that tell which stages are overloaded."""
AUTO_DRAWS = 64
"""Draws with ``--inputs auto``, of one replication each: with them and twenty replications of the whole the packaged
pair of 2026 takes less than a minute on two cores."""
DRAWN = 2
"""Replications of each draw of the inputs, unless they are given: two tell inputs from interaction."""


def uncertain_all(scenarios: Sequence[Planned], settings: Mapping[str, Any], **more: Any) -> Uncertainty:
    """Scenarios compared under many draws of their inputs.

    With ``auto`` the comparison at the stated values is run first, as without draws; it says where to draw.
    """
    from corridor_sim.study.uncertainty import MOST_CHANGED, uncertainty

    auto, prior = settings["inputs"] == AUTO, settings["prior"]
    asked: dict[str, Any] = {"replications": settings["replications"] or DRAWN}
    if auto:
        asked = {"replications": 1, "stated_replications": settings["replications"]}
        if len(scenarios) > 1:
            asked = {"replications": 1, "stated": compare_all(scenarios, settings, store=more.get("store"))}
    at = settings["at"] or (MOST_CHANGED if "stated" in asked else ())
    prior = prior or ("uniform" if auto else "both")
    with as_asked(settings) as how:
        return uncertainty(
            *scenarios,
            draws=AUTO_DRAWS if auto else settings["inputs"],
            at=at,
            observations="packaged" if settings["observed"] else settings["observations"],
            waves=settings["waves"],
            priors=("uniform", "triangular") if prior == "both" else (prior,),
            **how | asked | more,
        )


@contextlib.contextmanager
def without_warnings(quiet: bool) -> Iterator[bool]:
    """Whether to show progress; warnings of a run are printed afterwards, not as Python warnings.

    What a store says of damaged files is printed when it is found.
    """

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        click.echo(folded(f"corridor-sim: warning: {message}"), err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        if not quiet:
            warnings.simplefilter("always", StoreWarning)
            warnings.showwarning = show
        yield not quiet


@contextlib.contextmanager
def progress_bar(quiet: bool, unit: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """A function that shows what is done now, and how many of all are; None where it is not shown."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit=unit, file=sys.stderr, leave=False) as bar:

        def tell(name: str, done: int, total: int) -> None:
            bar.total = total
            bar.set_postfix_str(name, refresh=False)
            bar.update(done - bar.n)

        yield tell


def print_warnings(runs: Sequence[Results], settings: Mapping[str, Any], ids: bool = False, *, shown: bool) -> None:
    """Print the warnings of runs, unless the output shows them already; with --strict end with 1."""
    from corridor_sim.results.doubts import warnings_of

    found = [(run.name, told) for run in runs for told in (warnings_of(run, ids=True) if ids else run.warnings)]
    if found and not shown and not settings["quiet"]:
        click.echo("\n".join(folded(f"{name}: warning: {warning}") for name, warning in found), err=True)
    if found and settings["strict"]:
        click.echo(f"corridor-sim: {len(found)} warnings, taken for errors", err=True)
        sys.exit(FAILED)


def asked_for(names: tuple[str, ...], plan: Plan) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Indicators to reckon and rows to show, for indicators or rows named; None for all.

    A row is named as it stands in a table (``queue_mean``); the name of an indicator without such a row
    (``queue``) means all its rows.
    """
    if not names:
        return None, None
    from corridor_sim.core.errors import nearest
    from corridor_sim.indicators import INDICATORS, Collector
    from corridor_sim.indicators.row_names import rows_of

    # Which rows an indicator has depends on the plan alone: ask it without a run.
    rows = {kind: Collector(plan, [0], [kind]).finish().indicators for kind in INDICATORS}
    kinds, shown = [], []
    for name in names:
        owners = [kind for kind in rows if name in rows[kind]]
        lacking = [kind for kind in rows if name in rows_of(kind)]
        if lacking and name not in rows and not owners:
            raise click.UsageError(f"this scenario has no row {name!r} of {lacking[0]!r}")
        if name not in rows and not owners:
            hint = nearest(name, {*rows, *(row for found in rows.values() for row in found)})
            text = f"no indicator {name!r}" + (f"; {hint}" if hint else "; `corridor-sim kinds indicators` lists them")
            raise click.UsageError(text)
        kinds += owners or [name]
        shown += [name] if owners else list(rows[name])
    return tuple(dict.fromkeys(kinds)), tuple(dict.fromkeys(shown))
