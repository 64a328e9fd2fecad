"""Hold the model against observations that it was not made from, each with an interval of what may be observed.

A prediction interval holds what the inputs may be and the noise of one run together: each draw of the inputs, made as
`uncertainty.py` makes them, is run, and each run is one thing that may be observed.
Counts at posts are expected by demand and capacity without a run, with the noise of vehicles that come
independently. The error of the observation is added where it states one. How far the structure of the model may be off
(`discrepancy_sd`) is added on request only: an interval without it is what the model itself claims.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.streams import Rng, generator, key, root_entropy
from corridor_sim.core.units import FloatArray
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.values_by_path import set_values
from corridor_sim.results.validations import Predicted, Validation
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.statistics.scrambles import scrambled_points, scrambles_of
from corridor_sim.study.asked_run import planned, root_of
from corridor_sim.study.given_observations import PACKAGED, listed_observations, refuse_unknown_posts, rows_of
from corridor_sim.study.input_space import PRIORS
from corridor_sim.study.naive_forecasts import last_value_of, steps_of
from corridor_sim.study.observations import VALIDATION, Observation, expected_counts
from corridor_sim.study.overloaded_draws import LOAD, overloaded_draws, posts_of_row
from corridor_sim.study.packaged_figures import packaged_figures
from corridor_sim.study.progress import Progress, shown
from corridor_sim.study.run import run
from corridor_sim.study.spread import cores, spread
from corridor_sim.study.uncertainty import FEWEST_DRAWS, space_of, uncertainty

INPUTS, RUN, COUNTED = "what the inputs may be", "the noise of a run", "the noise of independent arrivals"


def validate(
    scenario: Scenario | str | os.PathLike[str] | None = None,
    observations: Iterable[Observation] | str | os.PathLike[str] = "packaged",
    *,
    draws: int = 64,
    replications: int = 1,
    prior: str = "uniform",
    confidence: float = 0.9,
    discrepancy: bool = False,
    rng: Rng = None,
    engine: str = "auto",
    workers: int | None = None,
    progress: Progress = None,
) -> Validation:
    """Predict what was observed, with intervals, and say how good that was.

    Parameters
    ----------
    scenario : Scenario, path or name, optional
        Whose run answers the observations that name none of their own. With ``"packaged"`` observations it is left out.
    observations : iterable of Observation, path of a file of them (`read_observations`), or "packaged"
        Those with ``use = "validation"`` are predicted; the others may be earlier values of them. ``"packaged"`` are
        those of the packaged corridor.
    draws : int
        Of the inputs, a power of two from 2 on. Fewer than 19 make no interval of 90 %: its ends are then the least and
        the most.
    replications : int
        Runs of each draw.
    prior : "uniform" or "triangular"
        How values lie in ranges that state no law.
    confidence : float
    discrepancy : bool
        Whether intervals hold `discrepancy_sd` too, which an observation states of the model.
    rng
        Seed of the points and of the streams; by default that of the scenario, 0 for the packaged observations.
    engine, workers, progress
        As for `uncertainty`.

    Returns
    -------
    Validation

    Raises
    ------
    CorridorError
        If no observation is marked for validation, or a row of one is not there.
    ScenarioError
        If a scenario or a draw of it is not allowed.
    ArgumentError
        If an argument is out of its range, or an observation names an earlier one that is not there.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> where = {"kind": "post", "place": "northgate_b", "direction": "entry"}
    >>> row = {"indicator": "throughput_per_day", "where": where, "unit": "1/day", "use": "validation"}
    >>> seen = [cs.Observation(name="passed", value=165.0, **row), cs.Observation(name="hoped", value=210.0, **row)]
    >>> made = cs.validate("teaching", seen, draws=32, rng=1, workers=1)
    >>> [one.name for one in made.missed], made.coverage
    (['hoped'], 0.5)
    """
    draws = arguments.whole("draws", draws, FEWEST_DRAWS, MAX_REPLICATIONS)
    try:
        scrambles_of(draws)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    arguments.one_of("prior", prior, PRIORS)
    require_confidence(confidence)
    listed, unanswered = _wanted(scenario, observations)
    base = None if scenario is None else _scenario_of(scenario)
    how = _How(
        draws=draws,
        replications=arguments.whole("replications", replications, 1, MAX_REPLICATIONS),
        prior=prior,
        root=root_entropy(0 if rng is None else rng) if base is None else root_of(base, rng),
        engine=engine,
        workers=cores() if workers is None else arguments.whole("workers", workers, 1),
    )
    asked = [one for one in listed if one.use == VALIDATION]
    if not asked and not unanswered:
        raise CorridorError(
            f'no observation is marked use = "{VALIDATION}", so there is nothing to hold the model against'
        )
    lost = [one.name for one in asked if not one.scenario and base is None]
    if lost:
        raise ArgumentError(f"scenario is needed: these observations name none of their own: {', '.join(lost)}")
    steps_of(listed)
    found: dict[str, _Told] = {}
    groups = _groups(asked)
    with shown(progress, "", len(asked), unit="observation") as tell:
        for (name, _), members in groups.items():
            mine = _with_settings(base if not name else None, name, members[0].settings)
            refuse_unknown_posts(members, mine)
            rows_of(planned(mine).plan, members)
            found |= _predicted(mine, members, how)
            tell(len(members))
    predicted = []
    for one in asked:
        told = found[one.name]
        made, holds = _with_error(one, told.values, told.holds, how.root, discrepancy)
        last, low, high = last_value_of(one, listed, confidence)
        predicted.append(
            Predicted(
                name=one.name,
                unit=one.unit,
                value=one.value,
                draws=made,
                confidence=confidence,
                last=last,
                last_low=low,
                last_high=high,
                not_scored=one.not_scored,
                cause=one.cause,
                holds=holds,
                overloads=told.overloads,
                overloaded_draws=told.overloaded_draws,
            )
        )
    return Validation(tuple(predicted), tuple(unanswered), draws, how.replications, prior, confidence)


@dataclass(frozen=True, slots=True)
class _How:
    """How draws are made and run."""

    draws: int
    replications: int
    prior: str
    root: int
    engine: str
    workers: int


@dataclass(frozen=True, slots=True)
class _Told:
    """What the model says of an observation: draws in its unit, what they hold, posts where draws are overloaded."""

    values: FloatArray
    holds: str
    overloads: tuple[tuple[str, int], ...] = ()
    overloaded_draws: int = 0


# ---------------------------------------------------------------- what is asked for


def _wanted(scenario: Any, observations: Any) -> tuple[list[Observation], list[tuple[str, str]]]:
    """Observations of a list, or of the package with those that nothing of the model answers."""
    if isinstance(observations, str) and observations == PACKAGED:
        if scenario is not None:
            raise ArgumentError(
                "the packaged observations name their own scenarios: leave out scenario, or give a list"
            )
        return packaged_figures()
    return listed_observations(observations), []


def _scenario_of(scenario: Any) -> Scenario:
    found = planned(scenario).scenario
    if not isinstance(found, Scenario):
        raise CorridorError("the inputs of a scenario are drawn; a plan has none")
    return found


def _groups(asked: Sequence[Observation]) -> dict[tuple[str, str], list[Observation]]:
    """Observations by what is run: those of one scenario with the same settings."""
    groups: dict[tuple[str, str], list[Observation]] = {}
    for one in asked:
        groups.setdefault((one.scenario, repr(sorted(one.settings.items()))), []).append(one)
    return groups


def _with_settings(base: Scenario | None, name: str, settings: Mapping[str, Any]) -> Scenario:
    if base is None:
        return load_scenario(name, dict(settings))
    if not settings:
        return base
    data = base.to_data()
    set_values(data, settings)
    return Scenario.model_validate(data)


# ---------------------------------------------------------------- what the model says


def _predicted(scenario: Scenario, members: Sequence[Observation], how: _How) -> dict[str, _Told]:
    """Draws of each observation in its unit, and what they hold."""
    counts = [one for one in members if one.is_count]
    rows = [one for one in members if not one.is_count]
    found: dict[str, _Told] = {}
    if counts:
        found |= _counts(scenario, counts, how)
    if rows:
        found |= _rows(scenario, rows, how)
    return found


@dataclass(frozen=True, slots=True)
class _Counting:
    """What all draws of a scenario share whose counts are expected."""

    scenario: type[Scenario]
    data: dict[str, Any]
    counts: tuple[Observation, ...]


def _counts(scenario: Scenario, counts: Sequence[Observation], how: _How) -> dict[str, _Told]:
    """Expected counts in every draw, with noise of arrivals."""
    space, root = space_of((scenario,)), how.root
    jobs: list[Mapping[str, Any]] = [{}] * how.draws
    if len(space):
        points, _ = scrambled_points(how.draws, len(space), root)
        jobs = [space.values(0, point, how.prior) for point in points]
    shared = _Counting(type(scenario), scenario.to_data(), tuple(counts))
    values, noise = np.zeros((len(counts), how.draws)), np.zeros((len(counts), how.draws))
    if len(space):
        for number, made in spread(_expected, shared, jobs, how.workers):
            values[:, number], noise[:, number] = np.array(made).T
    else:
        told = np.array(_expected(shared, {}))
        values[:], noise[:] = told[:, :1], told[:, 1:]
    holds = f"{INPUTS} and {COUNTED}" if len(space) else f"{COUNTED} only, for no input has a range"
    return {
        one.name: _Told(np.maximum(values[k] + noise[k] * _normal(root, one.name, "arrivals", how.draws), 0.0), holds)
        for k, one in enumerate(counts)
    }


def _expected(shared: _Counting, values: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    """Counts of one draw with the standard deviations of arrivals; runs in workers too."""
    data = dict(shared.data)
    set_values(data, values)
    return expected_counts(shared.scenario.model_validate(data), shared.counts)


def _rows(scenario: Scenario, members: Sequence[Observation], how: _How) -> dict[str, _Told]:
    """Rows of a run of every draw."""
    names = sorted({one.indicator for one in members})
    settings: dict[str, Any] = {"rng": how.root, "engine": how.engine, "workers": how.workers}
    with warnings.catch_warnings():
        # Few replications, an overload: each run is one thing that may be observed.
        warnings.simplefilter("ignore", CorridorWarning)
        if not len(space_of((scenario,))):
            alone = run(
                scenario, replications=how.draws * how.replications, indicators=_kinds(scenario, names), **settings
            )
            return {
                one.name: _Told(
                    _in_unit(one, alone.rows.row(one.indicator, **one.where), _unit(alone.rows, one)),
                    f"{RUN} only, for no input has a range",
                )
                for one in members
            }
        made = uncertainty(
            scenario,
            draws=how.draws,
            replications=how.replications,
            stated_replications=1,
            priors=(how.prior,),
            indicators=sorted({*names, LOAD} if any(posts_of_row(scenario, one.where) for one in members) else names),
            at=_places(members),
            **settings,
        )
    found = {}
    for one in members:
        row = made.row(one.indicator, **one.where)
        values = made.main.values[row, 0].ravel()
        overloads, any_of_them = overloaded_draws(made, scenario, one.where)
        found[one.name] = _Told(
            _in_unit(one, values, made.labels[row].unit), f"{INPUTS} and {RUN}", overloads, any_of_them
        )
    return found


def _kinds(scenario: Scenario, rows: Sequence[str]) -> list[str]:
    """Indicators that have these rows."""
    from corridor_sim.indicators import INDICATORS, Collector

    plan = planned(scenario).plan
    found = [kind for kind in INDICATORS if {*Collector(plan, [0], [kind]).finish().indicators} & set(rows)]
    missing = set(rows) - {name for kind in found for name in Collector(plan, [0], [kind]).finish().indicators}
    if missing:
        raise CorridorError(f"no row {', '.join(sorted(missing))}")
    return found


def _places(members: Sequence[Observation]) -> tuple[str, ...]:
    """Posts and crossings that all the rows are of: only their part is run; none if one is of something else."""
    if any(one.where.get("kind") not in ("post", "crossing") or not one.where.get("place") for one in members):
        return ()
    return tuple(sorted({one.where["place"] for one in members}))


def _unit(table: Any, one: Observation) -> str:
    return str(next(label.unit for label in table.labels if label.indicator == one.indicator))


def _in_unit(one: Observation, values: Any, unit: str) -> FloatArray:
    """Values in the unit of the observation, without those that a run does not tell.

    Raises
    ------
    CorridorError
        If no run tells a value.
    """
    factor = one.factor(unit)
    told = np.asarray(values, dtype=np.float64).ravel()
    told = told[~np.isnan(told)]
    if not len(told):
        raise CorridorError(f"observation {one.name}: no run tells {one.indicator}")
    return told * factor


def _normal(root: int, name: str, role: str, count: int) -> FloatArray:
    """Standard normal values, evenly spread over their law and in an order that hangs on the seed and the name."""
    from scipy.special import ndtri

    shares = (np.arange(count) + 0.5) / count
    return np.asarray(generator(key(root, 0, role, name)).permutation(ndtri(shares)))


# ---------------------------------------------------------------- the error of an observation


def _with_error(
    one: Observation, draws: FloatArray, holds: str, root: int, discrepancy: bool
) -> tuple[FloatArray, str]:
    """Draws with the error of the observation, and what they hold then."""
    own = math.hypot(one.sd, one.discrepancy_sd if discrepancy else 0.0)
    if own == 0:
        return draws, holds
    if one.sd > 0:
        holds += ", and the error of the observation"
    if discrepancy and one.discrepancy_sd > 0:
        holds += ", and what the model was said to be off"
    wide = draws + own * _normal(root, one.name, "observation", len(draws))
    # What is never below 0 is not observed below it.
    return np.maximum(wide, 0.0) if (draws >= 0).all() else wide, holds
