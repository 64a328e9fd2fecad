"""Run scenarios and compare them: the wiring from a scenario to answers; alone chooses an engine.

`run` makes a plan, cuts the replications into blocks, has each block sampled,
simulated and reduced (here, in worker processes or in any executor) and joins the
tables. `compare` runs several scenarios on common random numbers, `sweep` a grid
of values, `run_until` as many replications as a precision needs.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import importlib
import itertools
import multiprocessing
import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.comparison import Comparison
from corridor_sim.errors import CorridorError, CorridorWarning, EngineRefusal, SimulationError, nearest
from corridor_sim.fingerprints import fingerprint
from corridor_sim.flatten import make_plan
from corridor_sim.indicators import INDICATORS, Collector, Options
from corridor_sim.indicators.table import Table, join
from corridor_sim.plan import Plan
from corridor_sim.results import IntArray, Records, chunk_of, stack
from corridor_sim.results_frames import ACCESSORS, Results, mean_interval
from corridor_sim.sampling import Sampler
from corridor_sim.store import Store, machine
from corridor_sim.streams import SCHEME, Rng, root_entropy

if TYPE_CHECKING:
    from corridor_sim.model.scenario import Scenario

ENGINES = ("auto", "event", "batch")
SMALL = {"event": 3e4, "batch": 3e6}
"""Expected visits up to which a run stays in this process: starting workers would take longer."""
Progress = bool | Callable[[int, int], object] | None


@dataclass(frozen=True, slots=True)
class Job:
    """One block of replications, all that a worker needs."""

    plan: Plan
    root: int
    replications: tuple[int, ...]
    engine: str
    indicators: tuple[str, ...]
    modules: tuple[str, ...]
    options: Options
    memory_gb: float
    keep_records: bool


@dataclass(frozen=True, slots=True)
class Block:
    """What a worker hands back."""

    table: Table
    visits: IntArray
    records: Records | None


def simulate_block(job: Job) -> Block:
    """Sample, simulate and reduce one block of replications; runs in workers too."""
    for module in job.modules:
        importlib.import_module(module)
    collector = Collector(job.plan, job.replications, job.indicators, job.options)
    sampler = Sampler(job.plan, job.root, memory_gb=max(job.memory_gb, 1.0) * 4)
    kept: Records | None = None
    if job.engine == "batch":
        from corridor_sim.engines import batch

        if job.keep_records:
            kept = batch.simulate(job.plan, sampler.sample(job.replications))
            collector.add(chunk_of(kept))
        else:
            for chunk in batch.stream(job.plan, sampler, job.replications, job.memory_gb):
                collector.add(chunk)
    else:
        from corridor_sim.engines import event

        parts = []
        for replication in job.replications:
            records = event.simulate(job.plan, sampler.sample([replication]))
            collector.add(chunk_of(records))
            if job.keep_records:
                parts.append(records)
        kept = stack(job.plan, parts) if parts else None
    return Block(collector.finish(), collector.visits, kept)


def run(
    scenario: Scenario | Plan | str | os.PathLike[str],
    *,
    replications: int | Sequence[int] | None = None,
    rng: Rng = None,
    engine: str = "auto",
    executor: futures.Executor | None = None,
    workers: int | None = None,
    records: bool = False,
    progress: Progress = None,
    memory_gb: float = 2.0,
    indicators: Iterable[str] | None = None,
    options: Options | None = None,
    store: str | os.PathLike[str] | None = None,
) -> Results:
    """Simulate a scenario and reduce what happened to indicators.

    Parameters
    ----------
    scenario : Scenario, Plan, path or name of a packaged scenario
    replications : int or sequence of int, optional
        How many, or which ones; by default as many as the scenario says.
    rng : int, SeedSequence, Generator, BitGenerator or None
        Root of all chance. None takes the scenario's seed (fresh entropy for a Plan);
        it is recorded as `Results.root`.
    engine : {"auto", "event", "batch"}
        ``"auto"`` takes batch where it does everything the plan asks for.
    executor : concurrent.futures.Executor, optional
        Runs the blocks; it is not shut down.
    workers : int, optional
        Processes to start where no executor is given; None starts them for long runs only,
        1 stays in this process. Results do not depend on it.
    records : bool
        Keep every visit (`Results.visits`, `journeys`, `event_log`): small runs only.
    progress : bool or callable, optional
        True shows a bar on standard error; a callable gets (replications done, all).
    memory_gb : float
        About the most memory to hold at once, over all workers. [GB]
    indicators : iterable of str, optional
        Registered kinds; by default all of them.
    options : Options, optional
        Targets, baselines and rates of the indicators.
    store : path, optional
        Folder that takes each finished block; running again goes on from there.

    Returns
    -------
    Results

    Raises
    ------
    ScenarioError
        If the scenario cannot be read, flattened or sampled.
    EngineRefusal
        If an engine was asked for by name that cannot do what the plan needs.
    SimulationError
        If a replication failed or a worker died; it is named.
    """
    began = time.perf_counter()
    scenario, plan = _planned(scenario)
    numbers = _numbers(scenario, replications)
    engine, reason = choose_engine(plan, engine)
    root = _root(scenario, rng, store)
    options = options or Options()
    kinds = tuple(INDICATORS) if indicators is None else tuple(dict.fromkeys(indicators))
    modules = tuple(sorted({INDICATORS[kind].__module__ for kind in kinds}))
    job = Job(plan, root, (), engine, kinds, modules, options, memory_gb, records)
    expected = _expected_visits(plan, root, len(numbers))

    found: list[Block] = []
    folder = Store(store) if store is not None else None
    if folder is not None:
        if records:
            raise CorridorError("records are not stored; give store or records=True, not both")
        folder.open(_about(scenario, plan, job, reason), _text(scenario))
        found = [Block(table, visits, None) for table, visits in folder.load()]
        found = [_only(block, numbers) for block in found if set(block.table.replications.tolist()) & set(numbers)]
    done = {int(r) for block in found for r in block.table.replications}
    missing = [r for r in numbers if r not in done]
    if executor is None and (workers is None or workers > 1) and "__main__" in modules:
        workers = 1
    count = _workers(executor, workers, engine, expected * len(missing) / max(len(numbers), 1))
    blocks = _blocks(job, missing, count, in_steps=folder is not None or progress is not None)
    share = replace(job, memory_gb=memory_gb / count)
    jobs = [replace(share, replications=block) for block in blocks]

    with _shown(progress, len(numbers), len(done)) as tell:
        for block in _simulated(jobs, executor, count):
            found.append(block)
            if folder is not None:
                folder.save(block.table, block.visits)
            tell(len(block.table.replications))
    table = join([block.table for block in found])
    kept = [block for block in found if block.records is not None]
    kept.sort(key=lambda block: int(block.table.replications[0]))
    results = Results(
        scenario=scenario,
        plan=plan,
        table=table,
        root=root,
        engine=engine,
        engine_reason=reason,
        options=options,
        visits_count=int(sum(block.visits.sum() for block in found)),
        wall_s=time.perf_counter() - began,
        versions=versions(),
        records=stack(plan, [block.records for block in kept if block.records is not None]) if kept else None,
    )
    results = replace(results, warnings=doubts(results))
    for doubt in results.warnings:
        warnings.warn(doubt, CorridorWarning, stacklevel=2)
    if folder is not None:
        folder.finish(results)
    return results


def compare(
    base: Scenario | Plan | str | os.PathLike[str],
    *others: Scenario | Plan | str | os.PathLike[str],
    replications: int | Sequence[int] | None = None,
    rng: Rng = None,
    confidence: float = 0.95,
    store: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Comparison:
    """Run scenarios on common random numbers and compare each with the first.

    The root is drawn once (`rng`, else the seed of `base`) and used for all, as are the
    replications of `base`. `settings` are those of `run`; with `store`, each scenario has a
    folder of its own in it.

    Raises
    ------
    CorridorError
        If there is nothing to compare with, or horizons or windows differ.
    """
    if not others:
        raise CorridorError("compare needs at least two scenarios")
    first, _ = _planned(base)
    numbers = _numbers(first, replications)
    root = _root(first, rng, None)
    runs = []
    for number, scenario in enumerate((first, *others)):
        folder = None if store is None else os.path.join(os.fspath(store), f"{number:02d}")
        runs.append(run(scenario, replications=numbers, rng=root, store=folder, **settings))
    return Comparison(tuple(runs), confidence=confidence)


def sweep(
    scenario: Scenario | str | os.PathLike[str],
    grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    rng: Rng = None,
    replications: int | Sequence[int] | None = None,
    store: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Sweep:
    """Run a scenario for every combination of values of some of its fields, on common random numbers.

    Parameters
    ----------
    scenario : Scenario, path or name
    grid : mapping of dotted path to values, or list of mappings
        ``{"checkpoints.samur_az.exit.lanes.lanes": [4, 5, 6]}`` runs all combinations; a list
        of ``{path: value}`` runs just those points.
    **settings
        As for `run`.
    """
    base, _ = _planned(scenario)
    if isinstance(base, Plan):
        raise CorridorError("a sweep changes fields of a scenario; a plan has none")
    points = grid_points(grid)
    root, numbers = _root(base, rng, None), _numbers(base, replications)
    found = []
    for number, point in enumerate(points):
        changed = with_values(base, point)
        folder = None if store is None else os.path.join(os.fspath(store), f"{number:04d}")
        found.append(run(changed, replications=numbers, rng=root, store=folder, **settings))
    return Sweep(tuple(points), tuple(found))


@dataclass(frozen=True, eq=False)
class Sweep:
    """Points of a sweep and what each came to."""

    points: tuple[Mapping[str, Any], ...]
    runs: tuple[Results, ...]

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[tuple[Mapping[str, Any], Results]]:
        return zip(self.points, self.runs, strict=True)

    def to_frame(self, indicators: str | Iterable[str] | None = None, **where: Any) -> Any:
        """Summaries of all points as one frame, the values of the point in front."""
        import pandas as pd

        parts = []
        for number, (point, results) in enumerate(self):
            frame = results.summary(indicators, **where)
            for column, value in reversed([("point", number), *point.items()]):
                frame.insert(0, column, [value] * len(frame))
            parts.append(frame)
        return pd.concat(parts, ignore_index=True)


def run_until(
    scenario: Scenario | Plan | str | os.PathLike[str],
    precision: Mapping[str, float],
    *,
    at_least: int = 10,
    step: int = 10,
    max_replications: int = 500,
    confidence: float = 0.95,
    rng: Rng = None,
    **settings: Any,
) -> Precise:
    """Add replications until the intervals of some indicators are narrow enough.

    Parameters
    ----------
    precision : mapping
        Indicator (or ``"indicator place"``, ``"indicator place direction"``) to the relative error
        wanted. Every row of that name must reach it, except rows without values.
    at_least, step, max_replications : int
        First number of replications, how many are added at a time, and where to give up.
    confidence : float
        Of all intervals together (Bonferroni over the rows).

    Notes
    -----
    A row has reached relative error g when half-width <= g/(1+g) |mean| (Law 2015, sec. 9.4.1),
    looked at after every `step`; stopping is a little optimistic, the last look says so if it
    was not reached.
    """
    from corridor_sim.statistics import t_half_widths

    if step < 1 or at_least < 2 or max_replications < at_least:
        raise ValueError("needs step >= 1, at_least >= 2 and max_replications >= at_least")
    given, _ = _planned(scenario)
    root = _root(given, rng, None)
    results: Results | None = None
    count = at_least
    while True:
        have = 0 if results is None else results.replications
        more = run(given, replications=range(have, count), rng=root, **settings)
        if results is None:
            results = more
        else:
            results = replace(
                more,
                table=join([results.table, more.table]),
                visits_count=results.visits_count + more.visits_count,
                wall_s=results.wall_s + more.wall_s,
            )
        rows = _rows_wanted(results.table, precision)
        level = 1.0 - (1.0 - confidence) / max(len(rows), 1)
        values = np.array([results.table.values[k] for k, _ in rows])
        mean, half = t_half_widths(values.T, level)
        wanted = np.array([error / (1.0 + error) for _, error in rows]) * np.abs(mean)
        enough = (half <= wanted) | np.isnan(mean)
        if enough.all() or count >= max_replications:
            reached = {str(results.table.labels[k]): bool(ok) for (k, _), ok in zip(rows, enough, strict=True)}
            return Precise(replace(results, warnings=doubts(results)), reached)
        count = min(count + step, max_replications)


@dataclass(frozen=True, eq=False)
class Precise:
    """Results of `run_until`, and which rows have reached their precision."""

    results: Results
    rows: Mapping[str, bool]

    @property
    def reached(self) -> bool:
        """Whether every row has."""
        return all(self.rows.values())


def _rows_wanted(table: Table, precision: Mapping[str, float]) -> list[tuple[int, float]]:
    found = []
    for name, error in precision.items():
        if not error > 0:
            raise ValueError(f"the precision of {name!r} must be > 0, got {error}")
        indicator, *place = name.split()
        rows = [
            k
            for k, label in enumerate(table.labels)
            if label.indicator == indicator
            and label.hour is None
            and label.day is None
            and place in ([], [label.place], [label.place, label.direction])
        ]
        if not rows:
            table.select(indicator)
            places = {label.place for label in table.labels if label.indicator == indicator}
            hint = nearest(place[0] if place else "", places)
            raise CorridorError(f"no row {name!r} in the results" + (f"; {hint}" if hint else ""))
        found += [(k, error) for k in rows]
    return found


def grid_points(grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The points of a grid (all combinations), or the points given."""
    if isinstance(grid, Mapping):
        names = list(grid)
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*(list(grid[n]) for n in names))]
    return [dict(point) for point in grid]


def with_values(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """The scenario with some fields, by dotted path, replaced and everything validated again.

    Raises
    ------
    ScenarioError
        If a path does not exist or a value is not allowed.
    """
    data = scenario.to_data()
    for path, value in values.items():
        at: Any = data
        *way, last = path.split(".")
        for key in way:
            if not isinstance(at, dict):
                raise CorridorError(f"{path}: {key!r} is not in a table")
            if key not in at and at is not data and key not in _TABLES:
                hint = nearest(key, at)
                raise CorridorError(f"{path}: there is no {key!r}" + (f"; {hint}" if hint else ""))
            at = at.setdefault(key, {})
        at[last] = value
    return type(scenario).model_validate(data)


_TABLES = ("entry", "exit", "improvements", "slots", "acceptance", "channels")


def choose_engine(plan: Plan, engine: str) -> tuple[str, str]:
    """The engine that will run a plan, and why.

    Raises
    ------
    EngineRefusal
        If `engine` is ``"batch"`` and the plan asks for what it does not do.
    ValueError
        For an engine that is not known.
    """
    if engine not in ENGINES:
        hint = nearest(engine, ENGINES)
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}" + (f"; {hint}" if hint else ""))
    if engine == "event":
        return "event", "asked for"
    from corridor_sim.engines import batch

    refused = batch.refusals(plan)
    if engine == "batch":
        if refused:
            raise EngineRefusal("batch", refused)
        return "batch", "asked for"
    if not refused:
        return "batch", "auto: it does all that the scenario asks for"
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    return "event", f"auto: batch does not do {refused[0]}{more}"


def doubts(results: Results) -> tuple[str, ...]:
    """Statistical doubts about a run, in words."""
    found = []
    if results.replications < 2:
        found.append("one replication: there is no interval, so no difference can be told from noise")
    elif results.replications < 5:
        found.append(f"only {results.replications} replications: the intervals are wide and themselves uncertain")
    over = results.overloaded()
    if over:
        worst = sorted(over.items(), key=lambda item: -item[1])
        named = ", ".join(f"{place} ({load:.2f})" for place, load in worst[:3])
        more = f" and {len(worst) - 3} more" if len(worst) > 3 else ""
        found.append(f"more comes than can pass at {named}{more}: waits there measure the horizon")
    return tuple(found)


def versions() -> dict[str, str]:
    """Versions that a rerun to the same bits needs to know."""
    return {
        "corridor_sim": library_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "stream_scheme": str(SCHEME),
    }


def library_version() -> str:
    """Version of this library as installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("corridor-sim")
    except PackageNotFoundError:
        return "unknown"


# ---------------------------------------------------------------- before the run


def _planned(scenario: Scenario | Plan | str | os.PathLike[str]) -> tuple[Any, Plan]:
    if isinstance(scenario, Plan):
        return scenario, scenario
    if isinstance(scenario, (str, os.PathLike)):
        from corridor_sim.scenario_files import load_scenario

        loaded = load_scenario(scenario)
        return loaded, make_plan(loaded)
    return scenario, make_plan(scenario)


def _numbers(scenario: Any, replications: int | Sequence[int] | None) -> tuple[int, ...]:
    if replications is None:
        replications = 1 if isinstance(scenario, Plan) else int(scenario.run.replications)
    if isinstance(replications, (int, np.integer)):
        if replications < 1:
            raise ValueError(f"replications must be >= 1, got {replications}")
        return tuple(range(int(replications)))
    numbers = tuple(int(r) for r in replications)
    if not numbers or len(set(numbers)) != len(numbers) or min(numbers) < 0:
        raise ValueError(f"replications must be different whole numbers >= 0, at least one, got {numbers}")
    return tuple(sorted(numbers))


def _root(scenario: Any, rng: Rng, store: str | os.PathLike[str] | None) -> int:
    if rng is not None:
        return root_entropy(rng)
    if not isinstance(scenario, Plan):
        return int(scenario.run.seed)
    held = Store(store).manifest if store is not None else None
    return int(held["root_entropy"]) if held is not None else root_entropy(None)


def _expected_visits(plan: Plan, root: int, replications: int) -> float:
    """About how many visits a run will make."""
    expected = Sampler(plan, root).expected
    longest = [max(len(variant.steps) for variant in flow.variants) for flow in plan.flows]
    return float(sum(n * steps for n, steps in zip(expected, longest, strict=True))) * replications


def _workers(executor: futures.Executor | None, workers: int | None, engine: str, expected: float) -> int:
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be >= 1, got {workers}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if executor is not None:
        return int(getattr(executor, "_max_workers", None) or workers or cores)
    if workers is not None:
        return workers
    return 1 if expected <= SMALL[engine] else cores


def _blocks(job: Job, numbers: Sequence[int], workers: int, *, in_steps: bool) -> list[tuple[int, ...]]:
    """Replications cut into blocks: enough for the workers, small enough for the memory."""
    if not numbers:
        return []
    held = Collector(job.plan, [0], job.indicators, job.options).nbytes
    fits = max(1, int(0.4 * job.memory_gb * 1e9 / workers / max(held, 1)))
    most = 512 if job.engine == "batch" else 16
    size = min(fits, most, -(-len(numbers) // workers))
    if job.engine == "event" and (workers > 1 or in_steps):
        # Small blocks keep all workers busy to the end and lose little when interrupted.
        size = min(size, max(1, len(numbers) // (4 * workers)))
    elif in_steps:
        size = min(size, max(1, -(-len(numbers) // 8)))
    return [tuple(numbers[k : k + size]) for k in range(0, len(numbers), size)]


def _only(block: Block, numbers: Sequence[int]) -> Block:
    wanted = np.isin(block.table.replications, numbers)
    return replace(block, table=block.table.only(block.table.replications[wanted]), visits=block.visits[wanted])


def _about(scenario: Any, plan: Plan, job: Job, reason: str) -> dict[str, Any]:
    return {
        "scenario": scenario.name or "run",
        "fingerprint": fingerprint((plan, job.options)),
        "root_entropy": job.root,
        "indicators": list(job.indicators),
        "options": asdict(job.options),
        "engine": job.engine,
        "engine_reason": reason,
        "library": library_version(),
        "versions": {key: value for key, value in versions().items() if key != "corridor_sim"},
        "machine": machine(),
        "start": str(plan.start or ""),
        "horizon_h": plan.horizon_h,
        "warm_up_h": plan.warm_up_h,
        "counted_until_h": plan.counted_until_h,
        "units": "each row of labels.json names its unit; clock in hours from start, UTC",
    }


def _text(scenario: Any) -> str:
    if isinstance(scenario, Plan):
        return ""
    from corridor_sim.scenario_files import dumps

    return dumps(scenario)


# ---------------------------------------------------------------- running the blocks


def _simulated(jobs: Sequence[Job], executor: futures.Executor | None, workers: int) -> Iterator[Block]:
    """Blocks as they are finished, in whatever order."""
    if executor is not None:
        yield from _finished(jobs, executor)
    elif workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield _attempt(job)
    else:
        pool = _pool(min(workers, len(jobs)))
        done: set[tuple[int, ...]] = set()
        try:
            for block in _finished(jobs, pool):
                done.add(tuple(block.table.replications.tolist()))
                yield block
        except futures.BrokenExecutor:
            _stop(pool)
            yield from _one_by_one([job for job in jobs if job.replications not in done])
        except BaseException:
            _stop(pool)
            raise
        else:
            pool.shutdown()


def _attempt(job: Job) -> Block:
    try:
        return simulate_block(job)
    except (MemoryError, ArithmeticError, LookupError) as error:
        raise SimulationError(f"{_named(job)}: {type(error).__name__}: {error}") from error


def _named(job: Job) -> str:
    first, last = job.replications[0], job.replications[-1]
    which = f"replication {first}" if first == last else f"replications {first}-{last}"
    return f"scenario {job.plan.name or 'run'!r}, {which}, engine {job.engine}"


def _finished(jobs: Sequence[Job], executor: futures.Executor) -> Iterator[Block]:
    waiting = {executor.submit(_attempt, job): job for job in jobs}
    try:
        for future in futures.as_completed(waiting):
            yield future.result()
    finally:
        for future in waiting:
            future.cancel()


def _one_by_one(jobs: Sequence[Job]) -> Iterator[Block]:
    """After a worker has died: each block in a process of its own, so that the killer is found."""
    for job in jobs:
        pool = _pool(1)
        try:
            yield pool.submit(_attempt, job).result()
        except futures.BrokenExecutor:
            main = getattr(sys.modules.get("__main__"), "__file__", None)
            advice = (
                "the process was killed (out of memory? try a smaller memory_gb), or the script that calls run() "
                "lacks `if __name__ == '__main__':`"
                if main
                else "the process was killed: out of memory? try a smaller memory_gb"
            )
            raise SimulationError(f"{_named(job)}: its worker died: {advice}") from None
        finally:
            _stop(pool)


def _pool(workers: int) -> futures.ProcessPoolExecutor:
    return futures.ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
    )


def _ignore_interrupts() -> None:
    """An interrupt is the business of the main process, which stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(pool: futures.ProcessPoolExecutor) -> None:
    processes = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with contextlib.suppress(Exception):
            process.terminate()


def _quietly(_: int) -> None:
    pass


@contextlib.contextmanager
def _shown(progress: Progress, total: int, done: int) -> Iterator[Callable[[int], None]]:
    """Something to call with the number of replications just finished."""
    if progress is None or progress is False:
        yield _quietly
    elif callable(progress):
        so_far = done

        def tell(more: int) -> None:
            nonlocal so_far
            so_far += more
            progress(so_far, total)

        yield tell
    else:
        from tqdm import tqdm

        with tqdm(total=total, initial=done, unit="replication", file=sys.stderr) as bar:
            yield bar.update


def _compare_with(results: Results) -> Callable[..., Comparison]:
    def compare_with(*others: Results, confidence: float = 0.95) -> Comparison:
        """These results against those of other runs on the same random numbers."""
        return Comparison((results, *others), confidence=confidence)

    return compare_with


ACCESSORS["compare"] = _compare_with
__all__ = ["Precise", "Sweep", "compare", "mean_interval", "run", "run_until", "sweep"]
