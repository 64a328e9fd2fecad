"""How sure are we: draws of all inputs that have a range, the same in every scenario, beside the noise of sampling.

The draws are evenly spread points of the box of the ranges, in independent scrambles, under two
priors. All draws and scenarios share the random streams of the replications, so a
difference between two draws is of the inputs alone. Points and streams hang on the seed
only: the answer is the same for any number of workers, and with `store` a study that was
interrupted goes on from what is there.
"""

from __future__ import annotations

import concurrent.futures as futures
import math
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning, Problem, ScenarioError
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators import Options
from corridor_sim.indicators.label import Label
from corridor_sim.plan.build import Planned
from corridor_sim.plan.plan import Plan
from corridor_sim.results.called import input_called
from corridor_sim.results.comparison import Comparison, other_question, refuse
from corridor_sim.results.uncertain import DrawnRows, Uncertainty, Wave
from corridor_sim.statistics.effects import first_order
from corridor_sim.statistics.history_matching import implausibility, judge
from corridor_sim.statistics.scrambles import scrambled_points, scrambles_of
from corridor_sim.study.active_inputs import active_inputs
from corridor_sim.study.asked_rows import ids_at, only, place_changed_most, rows_to_keep
from corridor_sim.study.asked_run import Runnable, hands_of, options_of, planned_together, root_of
from corridor_sim.study.draws import Draw, Drawing, Drawn, StatedPart, asked_part, planned_with, simulate_draw
from corridor_sim.study.given_observations import judging_observations, rows_of
from corridor_sim.study.input_space import PRIORS, InputSpace, bound_figures, ranged_figures
from corridor_sim.study.observations import Observation
from corridor_sim.study.progress import Progress, shown
from corridor_sim.study.replaced_values import replaced_values
from corridor_sim.study.run import run_all
from corridor_sim.study.spread import hands, spread
from corridor_sim.study.waves import WaveValues, next_points

FEWEST_DRAWS = 2
"""Of one draw there is no interval."""
STATED = 5
"""Least replications at the stated values: with fewer the interval of sampling noise is not to be relied on."""
MOST_TOLD = 20
"""Problems of draws that are told."""
MAX_WAVES = 20
"""Waves of history matching at most; three are usual."""
MOST_CHANGED = "most changed"
"""What stands for the place where a comparison that was run before changes most."""
AGAINST = 3
"""Answers against which a corner of the box is tried."""


def uncertainty(
    base: Runnable,
    *others: Runnable,
    draws: int = 64,
    replications: int = 2,
    rng: Rng = None,
    observations: Iterable[Observation] | str | os.PathLike[str] | None = None,
    waves: int = 1,
    priors: Sequence[str] = PRIORS,
    at: str | Iterable[str] = (),
    indicators: str | Iterable[str] | None = None,
    stated_replications: int | None = None,
    stated: Comparison | None = None,
    engine: str = "auto",
    executor: futures.Executor | None = None,
    workers: int | None = None,
    memory_gb: float = 2.0,
    options: Options | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: Progress = None,
) -> Uncertainty:
    """Compare scenarios under everything that their inputs may be.

    Parameters
    ----------
    base, *others : Scenario, path or name of a packaged scenario
        Without `others` the answers are the values of `base` themselves.
    draws : int
        Under each prior; a power of two from 2 on. Fewer than 19 give the smallest and the largest answer.
    replications : int
        Of each draw. 2 tells the part of the inputs from their interaction with the streams; with 1, twice as many
        draws cost the same and the interaction stands in the inputs' part.
    rng
        Seed of the streams and of the points, as in `run`; by default that of `base`.
    observations : iterable of Observation, path of a file of them (`read_observations`), or "packaged", optional
        That judge the draws of `base` (history matching): draws that one of them rules out are left out of every
        answer. ``"packaged"`` are the counts of the packaged corridor that are marked for it.
    waves : int
        Of history matching: from the second on, draws are taken from the part of the ranges that the observations
        leave, so that more survive. Each costs as much as the first.
    priors : sequence of "uniform", "triangular"
        How values lie in ranges that state no law; the first is that of the main interval. Each has its own draws.
    at : str or iterable of str
        Crossings, crossings with a direction (``"astara IR>AZ"``) or posts: only their rows are kept, and everything
        runs on the part of the corridor that they hang on, with the same numbers.
    indicators : str or iterable of str, optional
        Rows to keep; by default the main ones, all classes together.
    stated_replications : int, optional
        At the stated values; by default `replications`, at least 5.
    stated : Comparison, optional
        Of these scenarios at their stated values, run before with the same seed: its runs are not repeated. With it
        ``at="most changed"`` is the one crossing or post where time changes most in it, by more than noise if any does.
    workers : int, optional
        Processes; by default all cores. The answer does not depend on it.
    executor : concurrent.futures.Executor, optional
        Runs the draws, as in `run`; that of a dask cluster is cut for by the threads of its workers.
    store : path, optional
        Folder that keeps each finished run of each draw; on a cluster one that all its machines see.
    progress : bool or callable, optional
        Counts draws.

    Returns
    -------
    Uncertainty

    Raises
    ------
    ScenarioError
        If a scenario or a draw of it is not allowed, all such draws are named; or observations do not fit the base.
    CorridorError
        If no figure has a range, or a place is not known.
    SimulationError
        If a replication failed.
    ValueError
        For settings that are not allowed.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> short = {"run.horizon_days": 5, "run.warm_up_days": 1, "flows.flour.per_day": 100.0}
    >>> pair = [cs.load_scenario(name, short) for name in ("teaching", "teaching_priority_lane")]
    >>> found = cs.uncertainty(*pair, draws=16, replications=1, rng=1, workers=1)
    >>> found.table("wait_h", kind="post").columns[:3].tolist()
    ['scenario', 'indicator', 'unit']
    """
    began = time.perf_counter()
    named = tuple(priors) if isinstance(priors, (list, tuple)) else ()
    if not named or any(one not in PRIORS for one in named) or len(set(named)) != len(named):
        raise ArgumentError(f"priors must be a list of some of {', '.join(PRIORS)}, each once, got {priors!r:.80}")
    draws = arguments.whole("draws", draws, FEWEST_DRAWS, MAX_REPLICATIONS)
    try:
        scrambles_of(draws)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    replications = arguments.whole("replications", replications, 1, MAX_REPLICATIONS)
    if stated_replications is not None:
        stated_replications = arguments.whole("stated_replications", stated_replications, 1, MAX_REPLICATIONS)
    waves = arguments.whole("waves", waves, 1, MAX_WAVES)
    if waves > 1 and observations is None:
        raise ArgumentError(f"waves = {waves} needs observations")
    memory_gb = arguments.number("memory_gb", memory_gb, above=0)
    workers = hands_of(workers, executor, progress)
    for name, value in (("at", at), ("indicators", indicators)):
        several = value is None or isinstance(value, (str, list, tuple))
        if not several or not all(isinstance(one, str) for one in value or ()):
            raise ArgumentError(f"{name} must be a name, or a list of names, got {value!r:.80}")
    if store is not None:
        arguments.instance("store", store, (str, os.PathLike), "the path of a folder")
    if options is not None:
        arguments.instance("options", options, Options, "an Options")
    if stated is not None:
        arguments.instance("stated", stated, Comparison, "a Comparison")
        options = options or stated.base.options
    given = planned_together(base, *others)
    if any(isinstance(one.scenario, Plan) for one in given):
        raise CorridorError("the inputs of a scenario are drawn; a plan has none")
    scenarios = tuple(one.scenario for one in given if not isinstance(one.scenario, Plan))
    asked = [(one.scenario.name or "run", one.plan, options or options_of(one.scenario)) for one in given]
    refuse([text for other in asked[1:] for text in other_question(asked[0], other)])
    root = root_of(given[0].scenario, rng)
    space = space_of(scenarios)
    if not len(space):
        raise CorridorError("no figure of these scenarios has a range: there is nothing to draw")

    if stated is not None:
        _refuse_others(stated, given, root)
    if stated_replications is not None and stated is not None:
        raise ArgumentError("stated_replications has no meaning with stated: its runs are there")
    if at == MOST_CHANGED:
        if stated is None:
            raise ArgumentError(f"at = {MOST_CHANGED!r} needs stated, a comparison that was run before")
        at = place_changed_most(stated)
    places = (at,) if isinstance(at, str) else tuple(at)
    elements = tuple(ids_at(one.plan, places) for one in given) if places else ()
    parts = [
        Planned(one.scenario, asked_part(one.plan, ids))
        for one, ids in zip(given, elements or [()] * len(given), strict=True)
    ]
    names = None if indicators is None else (indicators,) if isinstance(indicators, str) else tuple(indicators)
    judges = judging_observations(observations, scenarios[0])
    judging, _ = rows_of(given[0].plan, judges)
    kinds, labels = rows_to_keep(
        parts[0].plan,
        names,
        elements[0] if elements else (),
        places,
        {one.indicator for one in judges if one.indicator},
    )
    _refuse_elsewhere([one for one in judges if not one.is_count], judging, labels, places)

    count = stated_replications or max(replications, STATED)
    settings: dict[str, Any] = {"rng": root, "engine": engine, "executor": executor, "workers": workers}
    settings["memory_gb"] = memory_gb
    like = draws * len(priors)
    if stated is not None:
        runs = list(stated.runs)
    else:
        runs = run_all(parts, None if places else store, replications=count, options=options, among=like, **settings)
        if places:
            runs = [one.with_rows(only(one.rows, labels)) for one in runs]

    kept = None if store is None else os.path.abspath(store)
    if kept is not None:
        os.makedirs(kept, exist_ok=True)
    shared = Drawing(
        scenarios=scenarios,
        labels=labels,
        kinds=kinds,
        replications=tuple(range(replications)),
        root=root,
        engine=engine,
        options=options,
        memory_gb=memory_gb,
        store=kept,
        elements=elements,
        parts=tuple(StatedPart.of(one.scenario, part.plan) for one, part in zip(given, parts, strict=True))
        if places
        else (),
        data=tuple(scenario.to_data() for scenario in scenarios),
        like=like,
        counts=tuple(one for one in judges if one.is_count),
    )
    acts = active_inputs(
        space, [one.plan for one in parts], partial(planned_with, shared), labels, root, part=bool(places)
    )
    points, scramble = scrambled_points(draws, len(space), root)
    # Counts of traffic are told without a run: where only these judge, draws that they rule out are never run.
    told_without_run = bool(judges) and all(one.is_count for one in judges)
    jobs = [
        _draw(space, f"{prior} draw {n}", point, prior, counts_only=told_without_run)
        for prior in priors
        for n, point in enumerate(points)
    ]
    ends = np.array([np.zeros(len(space)), np.ones(len(space))])
    jobs += [_draw(space, name, end, priors[0]) for name, end in zip(("all low", "all high"), ends, strict=True)]
    at_once = partial(_all_of, shared, workers=hands(executor, workers), executor=executor)
    count = len(jobs) + (waves - 1) * len(priors) * draws + (AGAINST if others else 0)
    with shown(progress, "", count, unit="draw") as tell:
        found = at_once(jobs, tell=tell)
        drawn = {
            prior: DrawnRows(
                prior, points, scramble, np.stack([one.values for one in found[k * draws : (k + 1) * draws]], axis=2)
            )
            for k, prior in enumerate(priors)
        }
        made = Uncertainty(
            runs=tuple(runs),
            labels=labels,
            drawn=drawn,
            inputs=tuple(replace(one, acts=act) for one, act in zip(space.inputs, acts, strict=True)),
            corners=np.stack([one.values.mean(axis=2) for one in found[len(priors) * draws :]], axis=2),
            part=places,
            space=space,
            figures=_counts(space),
        )
        if judges:
            by_prior = {p: found[k * draws : (k + 1) * draws] for k, p in enumerate(priors)}
            made = _in_waves(made, judges, by_prior, waves, space, partial(at_once, tell=tell))
        if others:
            against = [_draw(space, f"corner {k}", corner, priors[0]) for k, corner in enumerate(_corners(made))]
            corners = [one.values.mean(axis=2) for one in at_once(against, tell=tell)]
            if corners:
                made = replace(made, corners=np.concatenate([made.corners, np.stack(corners, axis=2)], axis=2))
    return replace(made, wall_s=time.perf_counter() - began)


def _refuse_others(stated: Comparison, given: Sequence[Planned], root: int) -> None:
    """Refuse a comparison that is not of these scenarios with this seed."""
    same = len(stated.runs) == len(given) and all(
        run.root == root and fingerprint(run.plan) == fingerprint(one.plan)
        for run, one in zip(stated.runs, given, strict=True)
    )
    if not same or not stated.paired:
        raise ArgumentError(
            "stated must be the comparison of these scenarios, in this order and with this seed "
            f"({', '.join(one.scenario.name or 'run' for one in given)}; {root}), got {stated!r:.200}"
        )


def _refuse_elsewhere(
    observations: Sequence[Observation], rows: Sequence[Label], kept: Sequence[Label], places: Sequence[str]
) -> None:
    """Refuse observations of rows that are not kept of the draws."""
    known = set(kept)
    text = (
        f"is not of {', '.join(places)} alone, where the draws run" if places else "is by hour or day: no draw keeps it"
    )
    problems = [
        Problem(f"{text}: {row}", f"observation {one.name}")
        for one, row in zip(observations, rows, strict=True)
        if row not in known
    ]
    if problems:
        raise ScenarioError(problems)


# ---------------------------------------------------------------- draws


def _draw(space: InputSpace, name: str, point: FloatArray, prior: str, *, counts_only: bool = False) -> Draw:
    values = tuple(space.values(number, point, prior) for number in range(len(space.members)))
    return Draw(name, values, counts_only)


def _all_of(
    shared: Drawing, jobs: Sequence[Draw], *, workers: int, executor: futures.Executor | None, tell: Any
) -> list[Drawn]:
    """All draws in order; ScenarioError with the problems of all that are not allowed."""
    found: dict[int, Drawn] = {}
    for number, drawn in spread(simulate_draw, shared, jobs, workers, executor):
        found[number] = drawn
        tell(1)
    problems = [
        replace(problem, message=f"{jobs[number].name}: {problem.message}")
        for number in sorted(found)
        for problem in found[number].problems
    ]
    if len(problems) > MOST_TOLD:
        problems = [*problems[:MOST_TOLD], Problem(f"and {len(problems) - MOST_TOLD} more")]
    if problems:
        raise ScenarioError(problems)
    return [found[number] for number in range(len(jobs))]


def _corners(made: Uncertainty) -> Iterator[FloatArray]:
    """Corners of the box against the answers that differ most: every input at the end that takes from them."""
    tried: list[tuple[float, ...]] = []
    for row, other in _main_answers(made):
        answers = made.answers(row, other).mean(axis=1)
        there = ~np.isnan(answers)
        if there.sum() < 3:
            continue
        towards = first_order(made.main.only_kept()[0][there], answers[there], degree=1).direction * np.sign(
            made.stated(row, other)
        )
        corner = np.where(towards > 0, 0.0, 1.0)
        if tuple(corner) not in tried:
            tried.append(tuple(corner))
            yield corner


def _main_answers(made: Uncertainty) -> list[tuple[int, int]]:
    """(row, scenario) of the answers that come first: time to cross where it changes most, else the largest."""
    rows = [k for k, label in enumerate(made.labels) if label.indicator == "tfi1" and label.kind == "crossing"]
    rows = rows or list(range(len(made.labels)))
    size = {(k, other): abs(made.stated(k, other)) for other in range(1, len(made.runs)) for k in rows}
    there = [key for key, value in size.items() if value > 0]
    return sorted(there, key=lambda key: (not made.is_clear(*key), -size[key]))[:AGAINST]


def _in_waves(
    made: Uncertainty,
    judges: Sequence[Observation],
    drawn: Mapping[str, Sequence[Drawn]],
    waves: int,
    space: InputSpace,
    run: Callable[[Sequence[Draw]], list[Drawn]],
) -> Uncertainty:
    """The draws of the last wave, judged; every wave after the first is drawn from what those before it leave.

    Where only counts of traffic judge, draws that they rule out have no values.
    """
    root, draws = made.runs[0].root, made.draws
    only_counts = all(one.is_count for one in judges)
    told: dict[str, tuple[Wave, ...]] = {}
    for prior, found in drawn.items():
        seen: list[list[WaveValues]] = [[] for _ in judges]
        rows, judged, known, left = made.drawn[prior], None, list(found), 1.0
        for wave in range(1, waves + 1):
            if wave > 1:
                points, scramble, left = next_points(judges, seen, draws, root, wave)
                if not len(points):
                    break
                jobs = [
                    _draw(space, f"{prior} wave {wave} draw {n}", one, prior, counts_only=only_counts)
                    for n, one in enumerate(points)
                ]
                known = run(jobs)
                rows = DrawnRows(prior, points, scramble, np.stack([one.values for one in known], axis=2))
            distances = []
            for number, one in enumerate(judges):
                seen[number].append(_seen(made, judges, number, rows, known))
                last = seen[number][-1]
                distances.append(implausibility(one.value, last.values, one.sd, last.noise_sd, one.discrepancy_sd))
            judged = judge([one.name for one in judges], distances)
            told[prior] = (*told.get(prior, ()), Wave(len(known), judged.effective, left))
            rows = replace(rows, kept=judged.kept)
        assert judged is not None
        if only_counts:  # Now those that are left are run, and only these.
            left_over = np.flatnonzero(judged.kept)
            again = run([_draw(space, f"{prior} draw {n}", rows.points[n], prior) for n in left_over])
            values = rows.values.copy()
            for n, one_draw in zip(left_over, again, strict=True):
                values[:, :, n] = one_draw.values
            rows = replace(rows, values=values)
        for doubt in judged.warnings:
            warnings.warn(f"{prior} prior: {doubt}", CorridorWarning, stacklevel=3)
        made = replace(made, drawn={**made.drawn, prior: rows}, judged={**made.judged, prior: judged})
    return replace(made, waves=told)


def _seen(
    made: Uncertainty, judges: Sequence[Observation], number: int, rows: DrawnRows, found: Sequence[Drawn]
) -> WaveValues:
    """What draws give for one of the observations."""
    one = judges[number]
    if one.is_count:
        at = sum(other.is_count for other in judges[:number])
        return WaveValues(rows.points, np.array([draw.counted[at] for draw in found]), 0.0)
    row = made.row(one.indicator, **one.where)
    factor = one.factor(made.labels[row].unit)
    noise = factor * _noise(made, row) / math.sqrt(made.replications)
    return WaveValues(rows.points, factor * rows.values[row, 0].mean(axis=1), noise)


def _noise(made: Uncertainty, row: int) -> float:
    """Standard deviation of a row of the base from replication to replication, at the stated values."""
    label = made.labels[row]
    found = next((values for one, values in made.runs[0].rows if one == label), np.empty(0))
    found = found[~np.isnan(found)]
    return float(found.std(ddof=1)) if len(found) > 1 else 0.0


# ---------------------------------------------------------------- inputs


def space_of(scenarios: Sequence[Any]) -> InputSpace:
    """The ranged inputs of several scenarios."""
    figures = [ranged_figures(scenario) for scenario in scenarios]
    space = InputSpace.of(
        figures,
        [replaced_values(scenario, mine) for scenario, mine in zip(scenarios, figures, strict=True)],
        [bound_figures(scenario) for scenario in scenarios],
    )
    return replace(space, inputs=tuple(replace(one, called=input_called(scenarios, one.name)) for one in space.inputs))


def _counts(space: InputSpace) -> dict[str, int]:
    """How many figures are ranged in all scenarios together, and of these how many by assumption."""
    figures = {figure.path: figure for members in space.members for one in members for figure in one}
    return {"ranged": len(figures), "assumed": sum(not figure.sourced for figure in figures.values())}
