"""How does one run go: planned, cut into blocks, worked through with those beside it, joined?"""

from __future__ import annotations

import concurrent.futures as futures
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.core.streams import Rng
from corridor_sim.indicators import INDICATORS, Collector, Options
from corridor_sim.indicators.table import join
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.shared_part import SharedPart, shared_part
from corridor_sim.records.visits import stack
from corridor_sim.results.doubts import warnings_of
from corridor_sim.results.results import Results
from corridor_sim.study.asked_run import Runnable, options_of, planned, replication_numbers, root_of
from corridor_sim.study.engine_choice import ENGINES, choose_engine, expected_visits
from corridor_sim.study.execution import BlockResult, Failure, Job, cut_in_blocks, gather, room_beside, width_to_cut_for
from corridor_sim.study.keys import key_of
from corridor_sim.study.progress import Progress, shown
from corridor_sim.study.run_folders import (
    about_run,
    disk_of,
    error_of,
    of_all_blocks,
    only_of,
    stored_block,
    text_of_scenario,
    versions,
)
from corridor_sim.study.store import Batch, Store
from corridor_sim.study.workers import simulated

LOG = logging.getLogger(__name__)
RECORD_BYTES = 160.0
"""About what one visit takes in kept records: eight columns of eight bytes, twice while blocks are joined, padding."""


@dataclass(eq=False)
class BegunRun:
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

    def goes_with(self, base: BegunRun) -> bool:
        """Whether it can be worked through from where it differs from a base."""
        mine, theirs = self.job, base.job
        return (
            {mine.engine, theirs.engine} == {"compiled"}
            and mine.root == theirs.root
            and mine.options.targets_h == theirs.options.targets_h
            and self.missing == base.missing != []
            and not self.shared_with(base).is_empty
        )

    def shared_with(self, base: BegunRun) -> SharedPart:
        """What goes as in a base; kept, since it is asked when blocks are cut and worked through too."""
        if self._held_against is None or self._held_against[0] is not base.plan:
            self._held_against = base.plan, shared_part(base.plan, self.plan)
        return self._held_against[1]


def begun_run(
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
) -> BegunRun:
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
    visits = partial(expected_visits, plan, root, len(numbers))
    reducers = cache(partial(Collector, plan, [0], kinds, options))
    engine, reason = choose_engine(plan, engine, records=records, visits=lambda: among * visits(), reducers=reducers)
    LOG.info("%s: engine %s (%s)", name, engine, reason)
    modules = tuple(sorted({INDICATORS[kind].__module__ for kind in kinds}))
    job = Job(plan, root, (), engine, kinds, modules, options, memory_gb, records)
    job.note_reducers(reducers())
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
        about = about_run(scenario, plan, job, reason)
        folder = store.of(key_of(about)) if isinstance(store, Batch) else Store(store)
        with disk_of(plan):
            folder.open(about, scenario, text_of_scenario(scenario))
            held = folder.load(lambda: Collector(plan, numbers[:1], kinds, options).finish().labels)
        found = [BlockResult(table, visits, None) for table, visits in held]
        found = [only_of(block, numbers) for block in found if set(block.table.replications.tolist()) & set(numbers)]
    begun = BegunRun(scenario, plan, numbers, job, reason, expected, folder, found, time.perf_counter() - began)
    if folder is not None:
        LOG.info("%s: store %s holds %d of %d replications", name, folder.folder, len(begun.done), len(numbers))
    return begun


@dataclass(frozen=True, slots=True)
class _Cut:
    """What of a run is handed to its workers: the blocks, and the runs that they hold beside it."""

    job: Job
    blocks: list[Job]
    beside: Sequence[BegunRun]
    workers: int


def cut_run(
    run: BegunRun,
    executor: futures.Executor | None,
    workers: int | None,
    *,
    in_steps: bool,
    beside: Sequence[BegunRun] = (),
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


def finished_run(
    run: BegunRun,
    *,
    executor: futures.Executor | None = None,
    workers: int | None = None,
    progress: Progress = None,
    beside: Sequence[BegunRun] = (),
    warn: bool = True,
) -> Results:
    """Run what is missing; with it, as far as there is room, that of the runs beside it, which take what is theirs."""
    began = time.perf_counter()
    plan, name, numbers, folder, found = run.plan, run.name, run.numbers, run.folder, run.found
    engine, missing, done = run.job.engine, run.missing, run.done
    cut = cut_run(run, executor, workers, in_steps=folder is not None or progress is not None, beside=beside)
    job, beside, count, jobs = cut.job, cut.beside, cut.workers, cut.blocks
    LOG.info("%s: %d replications to run in %d blocks, %d workers", name, len(missing), len(jobs), count)
    failures: list[Failure] = []
    if engine == "compiled" and count > 1 and jobs:
        _prepare_compiled(plan, job.options)
    with shown(progress, name, len(numbers), len(done)) as tell:
        for outcome in simulated(jobs, executor, count, keep_going=folder is not None):
            if isinstance(outcome, BlockResult):
                for other, theirs in zip(beside, outcome.beside, strict=bool(outcome.beside)):
                    _take(other, theirs)
                outcome = replace(outcome, beside=())
                if folder is not None:
                    outcome = stored_block(folder, outcome, job)
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
        raise error_of(failures, folder)
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
        with disk_of(plan):
            folder.finish(of_all_blocks(folder.more_than(table.replications), results))
    return results


def _take(run: BegunRun, block: BlockResult) -> None:
    """Take in a block that was worked through beside another run; what the disk does not take is run again."""
    taken = block if run.folder is None else stored_block(run.folder, block, run.job)
    if isinstance(taken, BlockResult):
        gather(run.found, taken)


def _share_simulated(blocks: Sequence[BlockResult]) -> float | None:
    """Share of the visits that were simulated, the others being those of a base."""
    simulated = sum(int(block.simulated.sum()) for block in blocks if block.simulated is not None)
    return simulated / max(sum(int(block.visits.sum()) for block in blocks), 1) if blocks else None


def _prepare_compiled(plan: Plan, options: Options) -> None:
    """Compile here, so that the workers find machine code on the disk; copies have the tables of the plan as well."""
    from corridor_sim.engines import compiled

    began = time.perf_counter()
    compiled.prepare(plan, options)
    LOG.info("machine code of the compiled pass there in %.1f s", time.perf_counter() - began)


def _level_of_the_caller() -> int:
    """How many calls up the user's own line is, as `warnings.warn` in the calling function counts."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("corridor_sim"):
        frame, level = frame.f_back, level + 1
    return level
