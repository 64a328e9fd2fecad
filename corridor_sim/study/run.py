"""Run scenarios and compare them: the wiring from a scenario to answers.

`run` makes a plan, cuts the replications into blocks, has each block sampled,
simulated and reduced (here, in worker processes or in any executor) and joins the
tables (`one_run.py`). `compare` runs several scenarios on common random numbers. Many points are in
`sweeps.py`, as many replications as a precision needs in `precision.py`.
"""

from __future__ import annotations

import concurrent.futures as futures
import os
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from corridor_sim.core import arguments
from corridor_sim.core.errors import CorridorError, SimulationError
from corridor_sim.core.streams import Rng
from corridor_sim.indicators import Collector, Options
from corridor_sim.plan.build import Planned
from corridor_sim.plan.plan import Plan
from corridor_sim.results.comparison import Comparison, other_question, refuse
from corridor_sim.results.results import Results
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.study.asked_run import Runnable, hands_of, options_of, planned_together, replication_numbers, root_of
from corridor_sim.study.one_run import BegunRun, begun_run, cut_run, finished_run
from corridor_sim.study.progress import Progress
from corridor_sim.study.store import Batch
from corridor_sim.study.workers import Ahead


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
    begun = begun_run(
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
    return finished_run(begun, executor=executor, workers=workers, progress=progress)


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
    begun: dict[int, BegunRun] = {}
    told: list[SimulationError] = [] if failed is None else failed
    scenarios = list(scenarios)
    among *= len(scenarios)
    each = options if isinstance(options, (list, tuple)) else [options] * len(scenarios)
    runs: list[Results | None] = [None] * len(scenarios)
    for k, (scenario, option) in enumerate(zip(scenarios, each, strict=True)):
        try:
            begun[k] = begun_run(scenario, store=batch, among=among, options=option, **settings)
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
                    cut = cut_run(coming.popleft(), ahead, workers, in_steps=in_steps)
                    ahead.hand_out(cut.blocks, cut.workers, keep_going=batch is not None)
            elif ahead is not None:
                coming.popleft()
            try:
                runs[k] = finished_run(
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
    together = planned_together(base, *others)
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


def row_names(plan: Plan) -> list[str]:
    """Names of the rows that a run of the plan has; they depend on the plan alone."""
    return list(Collector(plan, [0], None).finish().indicators)
