"""Calibrate a scenario: find values of a few figures with which it gives what was observed, and how sure they are."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning, ScenarioError, nearest
from corridor_sim.core.streams import Rng
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.label import Label
from corridor_sim.model.provenance import figures_of
from corridor_sim.plan.plan import Plan
from corridor_sim.results.calibrations import Calibration, FreeFigure, Seen
from corridor_sim.statistics.calibrating import FEWEST_LEFT, calibrated
from corridor_sim.statistics.emulators import terms_of
from corridor_sim.study.asked_run import planned, root_of
from corridor_sim.study.designs import with_values
from corridor_sim.study.draws import Draw, Drawing, simulate_draw
from corridor_sim.study.given_observations import listed_observations, refuse_unknown_posts, rows_of
from corridor_sim.study.input_space import UNIFORM, InputSpace, Ranged, ranged_figures
from corridor_sim.study.observations import CALIBRATION, Observation
from corridor_sim.study.progress import Progress, shown
from corridor_sim.study.spread import cores, spread

if TYPE_CHECKING:
    from corridor_sim.model.scenario import Scenario

MOST_FREE = 10
"""Figures that are calibrated together: more cannot be told apart by the few observations that there are (rule D33)."""


def calibrate(
    scenario: Scenario | str,
    free: str | Iterable[str] | Mapping[str, tuple[float, float]],
    observations: Iterable[Observation] | str | os.PathLike[str],
    *,
    draws: int = 32,
    waves: int = 2,
    replications: int = 4,
    rng: Rng = None,
    engine: str = "auto",
    workers: int | None = None,
    progress: Progress = None,
) -> Calibration:
    """Find the values of some figures with which a scenario gives what was observed.

    Parameters
    ----------
    scenario : Scenario, path or name
    free : list of names, or mapping of path to (low, high)
        Figures to find, at most ten: paths as in `sweep` or groups of ranges. Where no ends are given they are those of
        the scenario's own range.
    observations : iterable of Observation, path of a TOML file (`read_observations`), or ``"packaged"``
        Those with ``use = "calibration"`` judge; those with ``use = "validation"`` are predicted and compared.
    draws : int
        Points of a wave, a power of two; more than the coefficients of a quadratic of the free figures.
    waves : int
        Of runs, each over what the one before left.
    replications : int
        Of each point, at least 2, with the same random streams at all points.
    rng
        Seed of the points and of the streams; by default that of the scenario.
    workers : int, optional
        Processes; by default all cores. The answer does not depend on it.

    Returns
    -------
    Calibration

    Raises
    ------
    ScenarioError
        If a value in the ranges is not allowed.
    CorridorError
        If a figure or row is not known, has no range, or nothing judges.
    ArgumentError
        For settings that are not allowed.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> where = {"kind": "post", "place": "northgate_b", "direction": "entry"}
    >>> seen = cs.Observation(name="passed", value=150.0, sd=5.0, indicator="throughput_per_day", where=where)
    >>> free = {"flows.flour.per_day": (80.0, 140.0)}
    >>> made = cs.calibrate("teaching", free, [seen], draws=8, waves=1, rng=1, workers=1)
    >>> low, high = made.interval("flows.flour.per_day")
    >>> low < 110.0 < high
    True
    """
    given = planned(scenario)
    base = given.scenario
    if isinstance(base, Plan):
        raise CorridorError("figures of a scenario are calibrated; a plan has none")
    waves, replications = arguments.whole("waves", waves, 1, 10), arguments.whole("replications", replications, 2)
    space = _space(base, free)
    figures = tuple(
        FreeFigure(one.name, one.paths, one.stated, one.low, one.high, members[0].whole)
        for one, members in zip(space.inputs, space.members[0], strict=True)
    )
    draws, least = arguments.whole("draws", draws, 2), terms_of(len(space)) + 1
    if draws < least or draws & (draws - 1):
        raise ArgumentError(f"draws must be a power of two >= {least} for {len(space)} free figures, got {draws}")
    listed = _listed(observations, base)
    labels, kinds = rows_of(given.plan, listed)
    root = root_of(base, rng)
    shared = Drawing(
        scenarios=(base,),
        labels=tuple(dict.fromkeys(labels)),
        kinds=kinds,
        replications=tuple(range(replications)),
        root=root,
        engine=engine,
        options=None,
        memory_gb=2.0,
        store=None,
        data=(base.to_data(),),
        counts=tuple(one for one in listed if one.is_count),
    )
    processes = cores() if workers is None else arguments.whole("workers", workers, 1)
    with shown(progress, "", draws * waves, unit="run") as tell:

        def run(points: FloatArray) -> FloatArray:
            jobs = [
                Draw(", ".join(f"{p} = {v}" for p, v in values.items()), (values,))
                for values in (space.values(0, point, UNIFORM) for point in points)
            ]
            found: list[FloatArray] = [np.empty(0)] * len(jobs)
            for number, drawn in spread(simulate_draw, shared, jobs, processes):
                if drawn.problems:
                    raise ScenarioError(
                        replace(problem, message=f"at {jobs[number].name}: {problem.message}")
                        for problem in drawn.problems
                    )
                found[number] = _given(drawn.values[:, 0], drawn.counted, listed, labels, shared.labels)
                tell(1)
            return np.stack(found)

        found = calibrated(
            run,
            np.array([one.value for one in listed]),
            np.array([math.hypot(one.sd, one.discrepancy_sd) for one in listed]),
            np.array([one.use == CALIBRATION for one in listed]),
            len(space),
            draws=draws,
            waves=waves,
            root=root % 2**31,
            snap=(lambda points: _snapped(points, space)) if any(one.whole for one in figures) else None,
        )
        values = space.values(0, found.best, UNIFORM)
        simulated = run(found.best[None, :])[0].mean(axis=1)
    candidates = np.stack([_values_of(found.points[:, k], members[0]) for k, members in enumerate(space.members[0])], 1)
    doubts = _doubts(found, figures, candidates)
    for doubt in doubts:
        warnings.warn(doubt, CorridorWarning, stacklevel=2)
    return Calibration(
        scenario=with_values(base, values),
        free=figures,
        values=values,
        candidates=candidates,
        found=found,
        seen=tuple(Seen(o.name, o.use, o.value, float(s)) for o, s in zip(listed, simulated, strict=True)),
        warnings=doubts,
    )


def _doubts(found: Any, figures: Sequence[FreeFigure], candidates: FloatArray) -> tuple[str, ...]:
    """What is to be said of the answer."""
    if not found.weights.any():
        told = "the model, its ranges or the stated discrepancy is wrong, or an observation is"
        return (f"no values of the free figures give what was observed: {told}",)
    doubts = []
    if found.effective < FEWEST_LEFT:
        doubts.append(f"the law of the figures is carried by {found.effective:.0f} points only: take another wave")
    for k, one in enumerate(figures):
        low, high = found.quantile(candidates[:, k], np.array([0.05, 0.95]))
        if high - low > 0.8 * 0.9 * (one.high - one.low):
            doubts.append(f"{one.name} is not told by these observations: its interval is nearly its range")
        elif min(low - one.low, one.high - high) < 0.01 * (one.high - one.low):
            doubts.append(f"{one.name} lies at an end of its range: it may be beyond")
    return tuple(doubts)


# ---------------------------------------------------------------- free figures


def _space(scenario: Scenario, free: Any) -> InputSpace:
    """The free figures as coordinates."""
    if isinstance(free, str):
        free = [free]
    if not isinstance(free, Iterable) or not (names := list(free)):
        raise ArgumentError("free must name at least one figure: a list of paths, or a table of (low, high) by path")
    if len(names) > MOST_FREE:
        raise ArgumentError(f"free must name at most {MOST_FREE} figures, got {len(names)}")
    space = InputSpace.of([_between(scenario, free) if isinstance(free, Mapping) else _ranged(scenario, names)])
    for members in space.members[0]:
        if any(one.alternatives for one in members):
            raise ArgumentError(f"{members[0].path} has alternatives, which are compared, not calibrated")
    return space


def _between(scenario: Scenario, free: Mapping[str, Any]) -> list[Ranged]:
    rows = {row.path: row for row in figures_of(scenario)}
    found = []
    for path, ends in free.items():
        if path not in rows:
            hint = nearest(str(path), rows)
            raise CorridorError(f"{path!r} is no figure of this scenario" + (f"; {hint}" if hint else ""))
        if not isinstance(ends, (list, tuple)) or len(ends) != 2:
            raise ArgumentError(f"the ends of {path} must be (low, high), got {ends!r}")
        low = arguments.number(f"the low end of {path}", ends[0])
        high = arguments.number(f"the high end of {path}", ends[1], above=low)
        row = rows[path]
        value = int(row.value) if row.whole else row.value
        found.append(Ranged(path, value, low, high, whole=row.whole))
    return found


def _ranged(scenario: Scenario, names: Sequence[Any]) -> list[Ranged]:
    known = ranged_figures(scenario)
    by_name: dict[str, list[Ranged]] = {}
    for one in known:
        together = [other for other in known if one.group and other.group == one.group] or [one]
        by_name[one.path] = together
        by_name.setdefault(one.group or one.path, together)
    found: dict[str, Ranged] = {}
    for name in names:
        if name not in by_name:
            hint = nearest(str(name), by_name)
            text = f"{name!r} is no figure with a range; give its ends: {{path: (low, high)}}"
            raise CorridorError(text + (f"; {hint}" if hint else ""))
        found |= {one.path: one for one in by_name[name]}
    return list(found.values())


def _values_of(places: FloatArray, figure: Ranged) -> FloatArray:
    return np.array([float(figure.at(float(place), UNIFORM)) for place in places])


def _snapped(points: FloatArray, space: InputSpace) -> FloatArray:
    """Points in which whole numbers stand in the middle of the places that give them."""
    found = points.copy()
    for k, members in enumerate(space.members[0]):
        if members[0].whole:
            count = math.floor(members[0].high) - math.ceil(members[0].low) + 1
            found[:, k] = (np.minimum(np.floor(points[:, k] * count), count - 1) + 0.5) / count
    return found


# ---------------------------------------------------------------- observations


def _listed(observations: Any, scenario: Scenario) -> list[Observation]:
    found = listed_observations(observations)
    if not any(one.use == CALIBRATION for one in found):
        raise CorridorError(f'no observation is marked use = "{CALIBRATION}", so nothing judges the values')
    refuse_unknown_posts(found, scenario)
    return found


def _given(
    rows: FloatArray,
    counted: Sequence[float],
    observations: Sequence[Observation],
    labels: Sequence[Label],
    order: Sequence[Label],
) -> FloatArray:
    """What a draw gives for each observation, shape (observations, replications)."""
    of_rows, of_counts = iter(labels), iter(counted)
    found = [
        np.full(rows.shape[1], next(of_counts)) if one.is_count else _in_its_unit(one, next(of_rows), rows, order)
        for one in observations
    ]
    return np.stack(found)


def _in_its_unit(one: Observation, label: Label, rows: FloatArray, order: Sequence[Label]) -> FloatArray:
    found: FloatArray = one.factor(label.unit) * rows[order.index(label)]
    return found
