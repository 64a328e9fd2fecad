"""Observations as a study is given them: a list, a file or the packaged ones, and whether they fit a scenario.

All that does not fit is told before anything runs, in one error.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning, Problem, ScenarioError, nearest
from corridor_sim.indicators import INDICATORS, Collector
from corridor_sim.indicators.label import Label
from corridor_sim.plan.plan import Plan
from corridor_sim.study.observation_files import read_observations
from corridor_sim.study.observations import CALIBRATION, Observation
from corridor_sim.study.packaged_figures import packaged_observations

PACKAGED = "packaged"
SIGNED = ("delay_h", "delay_truck_h", "queue_growth_per_day")
"""Rows of the package that may be below 0."""


def listed_observations(given: Any) -> list[Observation]:
    """The observations of a list, or of a file; ``"packaged"`` are the counts of the packaged corridor that may judge.

    Raises
    ------
    ArgumentError
        If it is something else, or a name stands twice.
    ScenarioError
        With everything that is wrong with a file.
    """
    if isinstance(given, (str, os.PathLike)):
        return packaged_observations() if given == PACKAGED else read_observations(given)
    wanted = f"observations must be a list of Observation, the path of a file, or {PACKAGED!r}"
    if not isinstance(given, Iterable):
        raise ArgumentError(f"{wanted}, got {given!r:.80}")
    found = list(given)
    wrong = [one for one in found if not isinstance(one, Observation)]
    if wrong:
        raise ArgumentError(f"{wanted}; each of observations must be an Observation, got {wrong[0]!r:.80}")
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ArgumentError(f"observations must have names of their own, got {', '.join(twice)} twice")
    return found


def judging_observations(given: Any, scenario: Any) -> list[Observation]:
    """Those that judge draws of a scenario: given, marked for it, and of posts that it has; none if none are given.

    Packaged counts of posts that no flow of the scenario comes to judge nothing: they are left out with a warning.

    Raises
    ------
    CorridorError
        If none judges, because none is marked for it or no packaged one belongs to this corridor.
    ScenarioError
        With every post that the scenario does not have.
    """
    if given is None:
        return []
    found = [one for one in listed_observations(given) if one.use == CALIBRATION]
    if not found:
        raise CorridorError(f'no observation is marked use = "{CALIBRATION}", so nothing judges the draws')
    if isinstance(given, str) and given == PACKAGED:
        return _of_this_corridor(found, scenario)
    refuse_unknown_posts(found, scenario)
    return found


def what_leaves_more(left: int, draws: int, waves: int, fewest: int) -> str:
    """What to give instead where too few draws are left: another wave, or so many that twice the fewest should be."""
    wave = f"waves = {waves + 1} (--waves {waves + 1}): each wave draws from what the observations leave of the ranges"
    if not left:
        return wave
    more = 2 ** math.ceil(math.log2(2 * fewest * draws / left))
    return f"{wave}; or draws = {more} (--inputs {more})"


def refuse_unknown_posts(observations: Sequence[Observation], scenario: Any) -> None:
    """Refuse counts at posts that a scenario does not have: all of them at once."""
    known = scenario.checkpoints
    problems = [
        Problem("is no post of the scenario", f"observation {one.name}.posts", post, hint=nearest(post, known))
        for one in observations
        for post in dict.fromkeys(post for post, _ in one.posts)
        if post not in known
    ]
    if problems:
        raise ScenarioError(problems)


def _of_this_corridor(counts: Sequence[Observation], scenario: Any) -> list[Observation]:
    from corridor_sim.model.resolution import resolve

    visited = {
        end
        for ways in resolve(scenario).ways.values()
        for way in ways
        for hop in way.hops
        for end in (hop.start, hop.end)
    }
    found = [one for one in counts if {post for post, _ in one.posts} <= visited]
    if not found:
        posts = sorted({post for one in counts for post, _ in one.posts})
        raise CorridorError(
            f"no packaged observation belongs to this corridor: no flow of it comes to {', '.join(posts)}; "
            "give observations of its own (a file: --observations FILE)"
        )
    if left_out := [one.name for one in counts if one not in found]:
        told = f"packaged observations of posts that no flow of this scenario comes to are left out: {left_out}"
        warnings.warn(told.replace("'", ""), CorridorWarning, stacklevel=4)
    return found


def rows_of(plan: Plan, observations: Sequence[Observation]) -> tuple[list[Label], tuple[str, ...]]:
    """The row of each observation that is of one, in their order, and the indicators that have them.

    Raises
    ------
    ScenarioError
        With each that fits no row or several, whose unit is another, or which is below 0 where its row cannot be.
    """
    asked = [one for one in observations if not one.is_count]
    if not asked:
        return [], ()
    every = [(kind, label) for kind in INDICATORS for label in Collector(plan, [0], [kind]).finish().labels]
    problems: list[Problem] = []
    found: list[tuple[str, Label]] = []
    for one in asked:
        wanted = {"cargo_class": "", "hour": None, "day": None, "of": ""} | dict(one.where)
        fitting = [
            (kind, label)
            for kind, label in every
            if label.indicator == one.indicator and all(getattr(label, name) == v for name, v in wanted.items())
        ]
        path = f"observation {one.name}"
        if len(fitting) != 1:
            names = {label.indicator for _, label in every}
            told = "; ".join(str(label) for _, label in fitting[:4])
            told = told or ("" if one.indicator in names else nearest(one.indicator, names))
            text = f"{len(fitting)} rows match {one.indicator} {dict(one.where)}"
            problems.append(Problem(text, path, hint=told))
            continue
        ((kind, label),) = fitting
        try:
            one.factor(label.unit)
        except ScenarioError as error:
            problems += error.problems
        own = INDICATORS[kind].__module__.startswith("corridor_sim.")
        if one.value < 0 and own and label.indicator not in SIGNED:
            problems.append(Problem(f"must not be below 0: {label.indicator} never is", f"{path}.value", one.value))
        found.append((kind, label))
    if problems:
        raise ScenarioError(problems)
    return [label for _, label in found], tuple(dict.fromkeys(kind for kind, _ in found))
