"""Run scenarios and compare them: the wiring from a scenario to answers; alone chooses an engine.

`run` makes a plan, cuts the replications into blocks, has each block sampled,
simulated and reduced (here, in worker processes or in any executor) and joins the
tables. `compare` runs several scenarios on common random numbers. Many points, or as
many replications as a precision needs, are in `sweeps.py`.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import logging
import math
import os
import platform
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import (
    ArgumentError,
    CorridorError,
    CorridorWarning,
    EngineRefusal,
    SimulationError,
    nearest,
)
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.local_time import zone_release
from corridor_sim.core.plugins import loaded
from corridor_sim.core.public_holidays import holidays_release
from corridor_sim.core.streams import SCHEME, Rng, root_entropy
from corridor_sim.indicators import INDICATORS, Collector, Options
from corridor_sim.indicators.table import Table, join
from corridor_sim.plan.build import Planned, with_plan
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.shared_part import SharedPart, shared_part
from corridor_sim.records.visits import IntArray, stack
from corridor_sim.results.comparison import Comparison, other_question, refuse
from corridor_sim.results.doubts import warnings_of
from corridor_sim.results.results import Results
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.study.execution import (
    EARNED,
    BlockResult,
    Failure,
    Job,
    cut_in_blocks,
    gather,
    room_beside,
    width_to_cut_for,
)
from corridor_sim.study.keys import key_of, library_version, parts_of
from corridor_sim.study.progress import Progress, shown
from corridor_sim.study.store import Batch, Store, machine
from corridor_sim.study.workers import Ahead, simulated

if TYPE_CHECKING:
    from corridor_sim.model.scenario import Scenario

ENGINES = ("auto", "event", "batch", "compiled")
Runnable: TypeAlias = "Scenario | Plan | Planned | str | os.PathLike[str]"
"""What can be run: a scenario, its file or name, a plan, or a scenario with its plan."""
LOG = logging.getLogger(__name__)
RECORD_BYTES = 160.0
"""About what one visit takes in kept records: eight columns of eight bytes, twice while blocks are joined, padding."""


def options_of(scenario: Any) -> Options:
    """Options of the indicators with the factors that a scenario gives (`Corridor.factors`)."""
    factors = getattr(scenario, "factors", None)
    if factors is None:
        return Options()
    given: dict[str, Any] = {
        name: value for name in ("idling_co2_kg_h", "vehicle_gap_m") if (value := getattr(factors, name)) is not None
    }
    if factors.border_fee_usd is not None:
        given["fees_usd"] = dict.fromkeys(scenario.crossings, factors.border_fee_usd)
    return Options(**given)


def run(
    scenario: Runnable,
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
    store: str | os.PathLike[str] | Batch | None = None,
) -> Results:
    """Simulate a scenario and reduce what happened to indicators.

    Parameters
    ----------
    scenario : Scenario, Plan, Planned, path or name of a packaged scenario
    replications : int or sequence of int, optional
        How many, or which ones; by default as many as the scenario says.
    rng : int, SeedSequence, Generator, BitGenerator or None
        Seed of all random streams. None takes the scenario's seed (fresh entropy for a Plan);
        it is recorded as `Results.root`.
    engine : {"auto", "event", "batch", "compiled"}
        ``"auto"`` takes the first of compiled (extra ``fast``; for long runs only, since it is compiled once on
        a machine), batch and event that does everything that is asked for; all that do give the same bits.
    executor : concurrent.futures.Executor, optional
        Runs the blocks; it is not shut down. That of a dask cluster (``client.get_executor()``) is cut for by the
        threads of its workers.
    workers : int, optional
        Processes to start where no executor is given; None starts them for long runs only,
        1 stays in this process. Results do not depend on it.
    records : bool
        Keep every visit (`Results.visits`, `journeys`, `event_log`): small runs only.
    progress : bool or callable, optional
        True shows a bar on standard error, or a line now and then where that is no terminal; a
        callable gets (replications done, all).
    memory_gb : float
        About the most memory to hold at once, over all workers of a machine. [GB]
    indicators : iterable of str, optional
        Registered kinds; by default all of them.
    options : Options, optional
        Targets, baselines and rates of the indicators; by default with the scenario's own factors.
    store : path or Batch, optional
        Folder that takes each finished block; running again goes on from there. More
        replications are added to it, fewer are selected. A `Batch` holds a folder a run.

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
        If a replication failed, a worker died or the disk is full; each replication is named. With
        `store` the others are finished and kept first.
    ValueError
        For settings that are not allowed.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> results = cs.run("teaching", replications=5, rng=1, workers=1)
    >>> wait = results.table("wait_h", kind="post", place="northgate_b", direction="entry", cargo_class="")
    >>> wait["mean"].round(2).tolist()
    [1.6]
    """
    workers = hands_of(workers, executor, progress)
    if store is not None:
        arguments.instance("store", store, (str, os.PathLike, Batch), "the path of a folder")
    begun = _begun(
        scenario,
        replications=replications,
        rng=rng,
        engine=engine,
        records=records,
        memory_gb=memory_gb,
        indicators=indicators,
        options=options,
        store=store,
    )
    return _finished(begun, executor=executor, workers=workers, progress=progress)


@dataclass(eq=False)
class _Begun:
    """A run that is planned, with what its store holds."""

    scenario: Any
    plan: Plan
    numbers: tuple[int, ...]
    job: Job
    reason: str
    expected: float
    folder: Store | None
    found: list[BlockResult]
    seconds: float
    _held_against: tuple[Plan, SharedPart] | None = None

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return str(self.scenario.name or "run")

    @property
    def done(self) -> set[int]:
        """Replications that need not be run any more."""
        return {int(r) for block in self.found for r in block.table.replications}

    @property
    def missing(self) -> list[int]:
        """Replications to run."""
        done = self.done
        return [r for r in self.numbers if r not in done]

    def goes_with(self, base: _Begun) -> bool:
        """Whether it can be worked through from where it differs from a base."""
        mine, theirs = self.job, base.job
        return (
            {mine.engine, theirs.engine} == {"compiled"}
            and mine.root == theirs.root
            and mine.options.targets_h == theirs.options.targets_h
            and self.missing == base.missing != []
            and not self.shared_with(base).is_empty
        )

    def shared_with(self, base: _Begun) -> SharedPart:
        """What goes as in a base; kept, since it is asked when blocks are cut and worked through too."""
        if self._held_against is None or self._held_against[0] is not base.plan:
            self._held_against = base.plan, shared_part(base.plan, self.plan)
        return self._held_against[1]


def hands_of(workers: Any, executor: Any, progress: Any) -> int | None:
    """The number of workers, if it is given; ArgumentError unless all three can do the work and tell of it."""
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ArgumentError(f"executor must have a method submit, as those of concurrent.futures, got {executor!r}")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentError(f"progress must be True, False or a function, got {progress!r}")
    return None if workers is None else arguments.whole("workers", workers, 1)


def _begun(
    scenario: Runnable,
    *,
    replications: int | Sequence[int] | None = None,
    rng: Rng = None,
    engine: str = "auto",
    records: bool = False,
    memory_gb: float = 2.0,
    indicators: Iterable[str] | None = None,
    options: Options | None = None,
    store: str | os.PathLike[str] | Batch | None = None,
    among: int = 1,
) -> _Begun:
    """Plan a run, choose its engine and look into its store; as `run`. It is one `among` as many like it."""
    began = time.perf_counter()
    memory_gb = arguments.number("memory_gb", memory_gb, above=0)
    records = arguments.flag("records", records)
    if options is not None:
        arguments.instance("options", options, Options, "an Options")
    arguments.one_of("engine", engine, ENGINES)
    if indicators is not None and not isinstance(indicators, Iterable):
        raise ArgumentError(f"indicators must be names of indicators, got {indicators!r}")
    indicators = [indicators] if isinstance(indicators, str) else indicators
    given = planned(scenario)
    scenario, plan = given.scenario, given.plan
    name = scenario.name or "run"
    LOG.info("%s: plan of %d elements and %d flows, %g h", name, len(plan.elements), len(plan.flows), plan.horizon_h)
    numbers = replication_numbers(scenario, replications)
    root = root_of(scenario, rng, store if not isinstance(store, Batch) else None)
    options = options or options_of(scenario)
    kinds = tuple(INDICATORS) if indicators is None else tuple(dict.fromkeys(indicators))
    visits = partial(_expected_visits, plan, root, len(numbers))
    engine, reason = choose_engine(
        plan, engine, indicators=kinds, options=options, records=records, visits=lambda: among * visits()
    )
    LOG.info("%s: engine %s (%s)", name, engine, reason)
    modules = tuple(sorted({INDICATORS[kind].__module__ for kind in kinds}))
    job = Job(plan, root, (), engine, kinds, modules, options, memory_gb, records)
    expected = visits()
    if records and expected * RECORD_BYTES > memory_gb * 1e9:
        text = f"records=True would hold about {expected * RECORD_BYTES / 1e9:.2g} GB ({expected:.2g} visits)"
        hint = "take fewer replications or a shorter horizon, or leave records out"
        raise ArgumentError(f"{text}, more than memory_gb = {memory_gb:g}; {hint}")

    found: list[BlockResult] = []
    folder: Store | None = None
    if store is not None:
        if records:
            raise CorridorError("records are not stored; give store or records=True, not both")
        about = _about(scenario, plan, job, reason)
        folder = store.of(key_of(about)) if isinstance(store, Batch) else Store(store)
        with _disk(plan):
            folder.open(about, scenario, _text(scenario))
            held = folder.load(lambda: Collector(plan, numbers[:1], kinds, options).finish().labels)
        found = [BlockResult(table, visits, None) for table, visits in held]
        found = [_only(block, numbers) for block in found if set(block.table.replications.tolist()) & set(numbers)]
    begun = _Begun(scenario, plan, numbers, job, reason, expected, folder, found, time.perf_counter() - began)
    if folder is not None:
        LOG.info("%s: store %s holds %d of %d replications", name, folder.folder, len(begun.done), len(numbers))
    return begun


@dataclass(frozen=True, slots=True)
class _Cut:
    """What of a run is handed to its workers: the blocks, and the runs that they hold beside it."""

    job: Job
    blocks: list[Job]
    beside: Sequence[_Begun]
    workers: int


def _cut(
    run: _Begun,
    executor: futures.Executor | None,
    workers: int | None,
    *,
    in_steps: bool,
    beside: Sequence[_Begun] = (),
) -> _Cut:
    """The blocks of what is missing of a run; the same as long as the same is missing."""
    job, missing = run.job, run.missing
    if executor is None and (workers is None or workers > 1) and "__main__" in job.modules:
        workers = 1
    beside = [other for other in beside if other.goes_with(run)]
    expected = sum(one.expected for one in (run, *beside))
    width = width_to_cut_for(executor, workers, job.engine, expected * len(missing) / max(len(run.numbers), 1))
    count = width.workers
    job = replace(job, memory_gb=job.memory_gb * width.machines)
    if beside:
        beside = beside[: room_beside(job, count)]
    job = replace(job, beside=tuple(replace(other.job, shared=other.shared_with(run)) for other in beside))
    blocks = cut_in_blocks(job, missing, count, in_steps=in_steps)
    share = replace(job, memory_gb=job.memory_gb / count)
    return _Cut(job, [share.of(block) for block in blocks], beside, count)


def _finished(
    run: _Begun,
    *,
    executor: futures.Executor | None = None,
    workers: int | None = None,
    progress: Progress = None,
    beside: Sequence[_Begun] = (),
    warn: bool = True,
) -> Results:
    """Run what is missing; with it, as far as there is room, that of the runs beside it, which take what is theirs."""
    began = time.perf_counter()
    plan, name, numbers, folder, found = run.plan, run.name, run.numbers, run.folder, run.found
    engine, missing, done = run.job.engine, run.missing, run.done
    cut = _cut(run, executor, workers, in_steps=folder is not None or progress is not None, beside=beside)
    job, beside, count, jobs = cut.job, cut.beside, cut.workers, cut.blocks
    LOG.info("%s: %d replications to run in %d blocks, %d workers", name, len(missing), len(jobs), count)
    failures: list[Failure] = []
    if engine == "compiled" and count > 1 and jobs:
        _prepare_compiled(plan)
    with shown(progress, name, len(numbers), len(done)) as tell:
        for outcome in simulated(jobs, executor, count, keep_going=folder is not None):
            if isinstance(outcome, BlockResult):
                for other, theirs in zip(beside, outcome.beside, strict=bool(outcome.beside)):
                    _take(other, theirs)
                outcome = replace(outcome, beside=())
                if folder is not None:
                    outcome = _stored(folder, outcome, job)
            if isinstance(outcome, Failure):
                LOG.error("%s", outcome)
                failures.append(outcome)
                if folder is None:
                    break
            else:
                gather(found, outcome)
                LOG.debug("%s: replications %s done", name, outcome.table.replications.tolist())
                tell(len(outcome.table.replications))
    if failures:
        raise _error_of(failures, folder)
    table = join([block.table for block in found])
    kept = [block for block in found if block.records is not None]
    kept.sort(key=lambda block: int(block.table.replications[0]))
    again = [block for block in found if block.simulated is not None]
    results = Results(
        scenario=run.scenario,
        plan=plan,
        rows=table,
        root=job.root,
        engine=engine,
        engine_reason=run.reason,
        options=job.options,
        visits_count=int(sum(block.visits.sum() for block in found)),
        simulated_again=_share_simulated(again) if len(again) == len(found) else None,
        wall_s=run.seconds + time.perf_counter() - began,
        versions=versions(),
        records=stack(plan, [block.records for block in kept if block.records is not None]) if kept else None,
    )
    LOG.info("%s: %d visits in %.1f s", name, results.visits_count, results.wall_s)
    results = replace(results, warnings=warnings_of(results))
    for doubt in results.warnings if warn else ():
        warnings.warn(doubt, CorridorWarning, stacklevel=_level_of_the_caller())
    if folder is not None:
        with _disk(plan):
            folder.finish(_of_all(folder.more_than(table.replications), results))
    return results


def _take(run: _Begun, block: BlockResult) -> None:
    """Take in a block that was worked through beside another run; what the disk does not take is run again."""
    taken = block if run.folder is None else _stored(run.folder, block, run.job)
    if isinstance(taken, BlockResult):
        gather(run.found, taken)


def _share_simulated(blocks: Sequence[BlockResult]) -> float | None:
    """Share of the visits that were simulated, the others being those of a base."""
    simulated = sum(int(block.simulated.sum()) for block in blocks if block.simulated is not None)
    return simulated / max(sum(int(block.visits.sum()) for block in blocks), 1) if blocks else None


def run_all(scenarios: Iterable[Planned], store: str | os.PathLike[str] | None, **settings: Any) -> list[Results]:
    """The runs of `run_those_that_can`, without those that failed."""
    return [results for results in run_those_that_can(scenarios, store, **settings) if results is not None]


def run_those_that_can(
    scenarios: Iterable[Planned],
    store: str | os.PathLike[str] | None,
    *,
    executor: futures.Executor | None = None,
    workers: int | None = None,
    progress: Progress = None,
    failed: list[SimulationError] | None = None,
    options: Options | Sequence[Options] | None = None,
    among: int = 1,
    warn: bool = True,
    **settings: Any,
) -> list[Results | None]:
    """Several scenarios, one after the other; with `store` the others are run even if one fails.

    With `failed`, errors are added to it and None stands for the runs that failed, also without a `store`.
    `options` may be one for each scenario. These runs are one set `among` as many like it, which is what decides
    whether compiling is worth it. Without `warn` nothing is warned of: these are some of many runs, of which others
    may go on in other threads.

    Where the compiled pass runs the first, the others are worked through with it from where they differ.

    Raises
    ------
    SimulationError
        If replications failed; it names them all.
    """
    workers = hands_of(workers, executor, progress)
    if store is not None:
        arguments.instance("store", store, (str, os.PathLike), "the path of a folder")
    batch = None if store is None else Batch(store)
    begun: dict[int, _Begun] = {}
    told: list[SimulationError] = [] if failed is None else failed
    scenarios = list(scenarios)
    among *= len(scenarios)
    each = options if isinstance(options, (list, tuple)) else [options] * len(scenarios)
    runs: list[Results | None] = [None] * len(scenarios)
    for k, (scenario, option) in enumerate(zip(scenarios, each, strict=True)):
        try:
            begun[k] = _begun(scenario, store=batch, among=among, options=option, **settings)
        except SimulationError as error:
            if batch is None and failed is None:
                raise
            told.append(error)
    first = next(iter(begun), None)
    ahead = Ahead(executor) if executor is not None and len(begun) > 1 else None
    coming = deque(begun.values())
    in_steps = batch is not None or progress is not None
    try:
        for k, one in begun.items():
            beside = [other for other in coming if other is not one and other.goes_with(one)] if k == first else []
            if ahead is not None and not beside:
                # All workers have work, also where one run has few blocks: those of the next are handed out too.
                while coming and (any(other is one for other in coming) or not ahead.is_busy):
                    cut = _cut(coming.popleft(), ahead, workers, in_steps=in_steps)
                    ahead.hand_out(cut.blocks, cut.workers, keep_going=batch is not None)
            elif ahead is not None:
                coming.popleft()
            try:
                runs[k] = _finished(
                    one,
                    executor=ahead or executor,
                    workers=workers,
                    progress=progress,
                    beside=beside,
                    warn=warn,
                )
            except SimulationError as error:
                if batch is None and failed is None:
                    raise
                told.append(error)
    finally:
        if ahead is not None:
            ahead.cancel()
    if failed is None and len(told) == 1:
        raise told[0]
    if failed is None and told:
        raise SimulationError("\n".join(str(error) for error in told)) from told[0]
    return runs


def compare(
    base: Runnable,
    *others: Runnable,
    replications: int | Sequence[int] | None = None,
    rng: Rng = None,
    confidence: float = 0.95,
    store: str | os.PathLike[str] | None = None,
    failed: list[CorridorError] | None = None,
    **settings: Any,
) -> Comparison:
    """Run scenarios on common random numbers and compare each with the first.

    The root is drawn once (`rng`, else the seed of `base`) and used for all, as are the
    replications of `base`. `settings` are those of `run`; with `store`, each scenario has a
    folder of its own in it, named by what it holds: another order or more scenarios find it again.

    With a list as `failed`, others that do not answer the question of `base` (`other_question`) or whose run
    failed are left out and their errors added to it.

    Raises
    ------
    CorridorError
        If there is nothing to compare with, or horizons or windows differ.
    SimulationError
        If a replication failed; with `failed`, if one of `base` did.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> comparison = cs.compare("teaching", "teaching_priority_lane", replications=5, rng=1, workers=1)
    >>> wait = comparison.table("wait_h", kind="post", place="northgate_b", direction="entry", cargo_class="")
    >>> wait["verdict"].tolist()
    ['not distinguishable']
    """
    if not others:
        raise CorridorError("compare needs at least two scenarios")
    require_confidence(confidence)
    together = [planned(scenario) for scenario in (base, *others)]
    first = together[0].scenario
    numbers = replication_numbers(first, replications)
    root = root_of(first, rng, None)
    given = settings.get("options")
    if given is not None:
        arguments.instance("options", given, Options, "an Options")
    asked = [(one.scenario.name or "run", one.plan, given or options_of(one.scenario)) for one in together]
    against = [other_question(asked[0], other) for other in asked]
    if failed is None:
        refuse([text for texts in against for text in texts])
        runs = run_all(together, store, replications=numbers, rng=root, **settings)
        return Comparison(tuple(runs), confidence=confidence)
    for other, texts in zip(asked, against, strict=True):
        if texts:
            failed.append(CorridorError(f"{other[0]!r} is left out: {'; '.join(texts)}"))
    together = [one for one, texts in zip(together, against, strict=True) if not texts]
    broken: list[SimulationError] = []
    found = run_those_that_can(together, store, failed=broken, replications=numbers, rng=root, **settings)
    failed += broken
    if found[0] is None:
        raise SimulationError("\n".join([*map(str, broken), f"{asked[0][0]!r}, the base, has no run to compare with"]))
    return Comparison(tuple(one for one in found if one is not None), confidence=confidence)


def choose_engine(
    plan: Plan,
    engine: str,
    *,
    indicators: Iterable[str] | None = None,
    options: Options | None = None,
    records: bool = False,
    visits: Callable[[], float] = lambda: math.inf,
) -> tuple[str, str]:
    """The engine that will run a plan, and why; `visits` says about how many there will be.

    Raises
    ------
    EngineRefusal
        If an engine was asked for that cannot do what the plan needs.
    ValueError
        For an engine that does not exist.
    """
    if engine not in ENGINES:
        hint = nearest(engine, ENGINES)
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}" + (f"; {hint}" if hint else ""))
    against = {"compiled": partial(against_compiled, plan, indicators, options, records=records)}
    against |= {"batch": partial(_against_batch, plan), "event": partial(_against_event, plan)}
    if engine != "auto":
        if refused := against[engine]():
            raise EngineRefusal(engine, refused)
        return engine, f"asked for{_in_time_order(plan) if engine == 'compiled' else ''}"
    does_not = []
    other = "batch"
    if refused := against["batch"]():
        does_not.append(f"batch does not do {_first(refused)}")
        other = "event"
        if refused := against["event"]():
            raise EngineRefusal("event", refused)
    if visits() >= EARNED[other]:
        refused = against["compiled"]() or _not_kept()
        if not refused:
            return "compiled", f"auto: it does all that is asked for{_in_time_order(plan)}"
        does_not.insert(0, f"compiled does not do {_first(refused)}")
    return other, f"auto: {'; '.join(does_not) or 'it does all that is asked for, and the run is small'}"


def engine_for(
    plan: Plan,
    engine: str,
    *,
    root: int,
    replications: int,
    indicators: Iterable[str],
    options: Options,
    among: int = 1,
) -> str:
    """The engine that `run_those_that_can` would take for a plan that is one `among` as many like it."""
    arguments.one_of("engine", engine, ENGINES)
    return choose_engine(
        plan,
        engine,
        indicators=indicators,
        options=options,
        visits=lambda: among * _expected_visits(plan, root, replications),
    )[0]


def _in_time_order(plan: Plan) -> str:
    """The part of a plan that the pass works through in time order, in words; "" where there is none."""
    from corridor_sim.engines import compiled

    found = compiled.in_time_order(plan)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"; in time order {', '.join(found[:3])}{more}" if found else ""


def _first(refused: Sequence[str]) -> str:
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    return f"{refused[0]}{more}"


def _against_event(plan: Plan) -> list[str]:
    from corridor_sim.engines import event

    return event.refusals(plan)


def _against_batch(plan: Plan) -> list[str]:
    from corridor_sim.engines import batch

    return batch.refusals(plan)


def against_compiled(
    plan: Plan, indicators: Iterable[str] | None, options: Options | None, *, records: bool
) -> list[str]:
    """What the compiled pass cannot do of a run, by name: of the plan, of the indicators, of what is kept."""
    from corridor_sim.engines import compiled

    found = compiled.refusals(plan)
    if not found and (missing := compiled.unavailable()):
        found = [missing]
    if records:
        found.append("records of each visit")
    if not found:
        found = compiled.not_counted(Collector(plan, [0], indicators, options))
    return found


def _prepare_compiled(plan: Plan) -> None:
    """Compile here, so that the workers find machine code on the disk."""
    from corridor_sim.engines import compiled

    began = time.perf_counter()
    compiled.prepare(plan)
    LOG.info("machine code of the compiled pass there in %.1f s", time.perf_counter() - began)


def _not_kept() -> list[str]:
    """What speaks against compiling where every process would have to do it again."""
    from corridor_sim.engines import compiled

    return [] if compiled.is_kept() else ["its work without a folder for machine code (NUMBA_CACHE_DIR names one)"]


def _level_of_the_caller() -> int:
    """How many calls up the user's own line is, as `warnings.warn` in the calling function counts."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("corridor_sim"):
        frame, level = frame.f_back, level + 1
    return level


def versions() -> dict[str, str]:
    """Versions that a rerun to the same bits needs to know."""
    return {
        "corridor_sim": library_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "stream_scheme": str(SCHEME),
        "time_zones": zone_release(),
        **({"holidays": release} if (release := holidays_release()) else {}),
        **{f"plug-in {name}": whence for name, whence in loaded().items()},
    }


# ---------------------------------------------------------------- before the run


def planned(scenario: Runnable) -> Planned:
    """A scenario (read from its file, if need be) with its plan; a plan stands for itself."""
    if isinstance(scenario, Planned):
        return scenario
    if isinstance(scenario, Plan):
        return Planned(scenario, scenario)
    if isinstance(scenario, (str, os.PathLike)):
        from corridor_sim.files.scenario_files import load_planned

        return load_planned(scenario)
    if not hasattr(scenario, "run") or not hasattr(scenario, "flows"):
        text = f"scenario must be a Scenario, a Plan, the path of a file or a packaged name, got {scenario!r:.80}"
        raise ArgumentError(text)
    return with_plan(scenario)


def replication_numbers(scenario: Any, replications: int | Sequence[int] | None) -> tuple[int, ...]:
    """Numbers of the replications to run: those given, the first so many, or as the scenario says."""
    if replications is None:
        replications = 1 if isinstance(scenario, Plan) else int(scenario.run.replications)
    if isinstance(replications, (bool, np.bool_, str, bytes)) or not isinstance(
        replications, (int, np.integer, Iterable)
    ):
        text = f"replications must be a whole number, or several numbers of replications, got {replications!r}"
        raise ArgumentError(text)
    if isinstance(replications, (int, np.integer)):
        if not 1 <= replications <= MAX_REPLICATIONS:
            raise ArgumentError(f"replications must be >= 1 and at most {MAX_REPLICATIONS}, got {replications}")
        return tuple(range(int(replications)))
    numbers = tuple(arguments.whole("a number of a replication", r, 0) for r in replications)
    if not numbers or len(set(numbers)) != len(numbers) or len(numbers) > MAX_REPLICATIONS:
        shown = f"{numbers[:10]}" if len(numbers) <= 10 else f"{len(numbers)} of them"
        raise ArgumentError(f"replications must be different whole numbers >= 0, at least one, got {shown}")
    return tuple(sorted(numbers))


def root_of(scenario: Any, rng: Rng, store: str | os.PathLike[str] | None = None) -> int:
    """Root entropy: of `rng`, else the seed of the scenario, else that of the stored run, else fresh."""
    if rng is not None:
        return root_entropy(rng)
    if not isinstance(scenario, Plan):
        return int(scenario.run.seed)
    held = Store(store).manifest if store is not None else None
    return int(held["root_entropy"]) if held is not None else root_entropy(None)


def row_names(plan: Plan) -> list[str]:
    """Names of the rows that a run of the plan has; they depend on the plan alone."""
    return list(Collector(plan, [0], None).finish().indicators)


def _expected_visits(plan: Plan, root: int, replications: int) -> float:
    """About how many visits a run will make."""
    expected = Sampler(plan, root).expected
    longest = [max(len(variant.steps) for variant in flow.variants) for flow in plan.flows]
    return float(sum(n * steps for n, steps in zip(expected, longest, strict=True))) * replications


def _only(block: BlockResult, numbers: Sequence[int]) -> BlockResult:
    wanted = np.isin(block.table.replications, numbers)
    return replace(block, table=block.table.only(block.table.replications[wanted]), visits=block.visits[wanted])


def _about(scenario: Any, plan: Plan, job: Job, reason: str) -> dict[str, Any]:
    return {
        **parts_of(scenario, plan, job.root, job.indicators, job.options),
        "scenario": scenario.name or "run",
        "engine": job.engine,
        "engine_reason": reason,
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
    from corridor_sim.files.scenario_files import dumps

    return dumps(scenario)


# ---------------------------------------------------------------- what went wrong


@contextlib.contextmanager
def _disk(plan: Plan) -> Iterator[None]:
    """A disk that does not take a file of the store is the failure of a run, named by its scenario."""
    try:
        yield
    except OSError as error:
        raise SimulationError(f"scenario {plan.name or 'run'!r}: not stored: {_of_disk(error)}") from error


def _of_disk(error: OSError) -> str:
    return f"{error.filename or 'a file of the store'}: {error.strerror or error}"


def _stored(folder: Store, block: BlockResult, job: Job) -> BlockResult | Failure:
    """The block, once it is on the disk."""
    try:
        folder.save(block.table, block.visits)
    except OSError as error:
        numbers = tuple(int(r) for r in block.table.replications)
        return Failure.of(replace(job, replications=numbers), f"simulated, not stored: {_of_disk(error)}")
    return block


def _error_of(failures: Sequence[Failure], folder: Store | None, most: int = 10) -> SimulationError:
    """One error that names every replication that failed, at most `most` lines of them."""
    lines = [str(failure) for failure in sorted(failures, key=lambda failure: failure.replications)]
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    kept = []
    if folder is not None:
        kept = [f"the other replications are kept in {folder.folder}; running again does only what is missing"]
    error = SimulationError("\n".join(lines[:most] + more + kept))
    details = next((failure.details for failure in failures if failure.details), "")
    if details:
        error.add_note(details)
    return error


def _of_all(blocks: Sequence[tuple[Table, IntArray]], results: Results) -> Results:
    """Results of all blocks of a folder; as they are if they are of all."""
    if not blocks:
        return results
    visits = int(sum(count.sum() for _, count in blocks))
    whole = replace(results, rows=join([table for table, _ in blocks]), visits_count=visits)
    return replace(whole, warnings=warnings_of(whole))
