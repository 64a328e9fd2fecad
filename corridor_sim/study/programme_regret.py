"""What the last sets of a programme lose against each other over draws of the inputs, and what that hangs on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.units import FloatArray
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.upgrades import Upgrade
from corridor_sim.plan.plan import Plan
from corridor_sim.results.programme import Regret
from corridor_sim.statistics import compare_over_draws, least_draws
from corridor_sim.statistics.effects import first_order
from corridor_sim.statistics.portfolios import Set
from corridor_sim.statistics.scrambles import scrambles_of
from corridor_sim.study.given_observations import judging_observations, rows_of, what_leaves_more
from corridor_sim.study.observations import Observation
from corridor_sim.study.uncertainty import space_of, uncertainty
from corridor_sim.study.upgrade_sets import NOTHING, UpgradeSets

HANGS_ON = 3
"""Inputs that are named."""
FEWEST = 5
"""Draws that the observations must leave, so that a largest regret says something (assumed)."""
STATED = 5
"""Replications at the stated values, which tell the noise of a draw."""
PRIOR = "uniform"


def judges_of(
    base: Scenario, plan: Plan, listed: Sequence[Upgrade], draws: int, observations: Any, waves: int, alpha: float
) -> list[Observation] | None:
    """The observations that judge the draws; what `regret_of` would refuse after the search is refused now.

    Raises
    ------
    ArgumentError
        If `draws` are too few for `alpha` or no power of two, or `waves` have nothing to judge them.
    CorridorError
        If observations do not fit the base, or no figure has a range.
    """
    draws = arguments.whole("draws", draws, least_draws(alpha), MAX_REPLICATIONS)
    try:
        scrambles_of(draws)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    if waves > 1 and observations is None:
        raise ArgumentError(f"waves = {waves} needs observations")
    more = {id: one for upgrade in listed for id, one in upgrade.improvements.items()}
    if not len(space_of([base])) and not any(one.figures for one in more.values()):
        raise CorridorError("no figure of these scenarios has a range: there is nothing to draw")
    judges = judging_observations(observations, base)
    rows_of(plan, judges)
    return judges or None


def regret_of(
    made: UpgradeSets,
    order: Sequence[Set],
    draws: int,
    replications: int,
    observations: Sequence[Observation] | None,
    waves: int,
    alpha: float,
    store: Any = None,
) -> Regret | str:
    """What each of the last sets loses over the draws of the inputs that the observations leave; in words if too few.

    Fewer than `FEWEST` tell nothing; with fewer than `alpha` asks for, intervals over the draws have the confidence
    that they allow.

    Raises
    ------
    ArgumentError
        If there are too few draws for `alpha`.
    """
    shared = made.shared
    draws = arguments.whole("draws", draws, least_draws(alpha), MAX_REPLICATIONS)
    sets = [NOTHING, *(one for one in dict.fromkeys(order) if one != NOTHING)]
    scenarios = [shared.scenario(one) for one in sets]
    sure = uncertainty(
        *scenarios, draws=draws, replications=replications, rng=shared.root, observations=observations,
        waves=waves, priors=(PRIOR,), at=made.places, indicators=shared.labels[0].indicator,
        stated_replications=STATED, engine=shared.engine, executor=made.executor,
        workers=made.workers, options=shared.options, store=store,
    )  # fmt: skip
    points, _, values = sure.main.only_kept()
    left = len(points)
    without_run = observations is not None and all(one.is_count for one in observations)
    made.extra_runs += len(sets) * ((left if without_run else waves * draws) * replications + STATED)
    if left < FEWEST:
        return (
            f"The observations leave {left} of {draws} draws of the inputs, too few to tell a regret (at least "
            f"{FEWEST}): give {what_leaves_more(left, draws, waves, FEWEST)}."
        )
    # Fewer draws than alpha asks for: intervals of the confidence that they allow, smallest to largest.
    alpha = max(alpha, 2.0 / (left + 1))
    rows = [sure.labels.index(label) for label in shared.labels]
    total = values[rows].sum(axis=0).mean(axis=2)
    stated = np.array(
        [
            np.sum([run.rows.values[run.rows.labels.index(label)] for label in shared.labels], axis=0)
            for run in sure.runs
        ]
    )
    noise = (stated[:, None, :] - stated[None, :, :]).std(axis=2, ddof=1) / math.sqrt(replications)
    compared = compare_over_draws(total, noise, stated.shape[1] - 1, alpha)
    at = [sets.index(one) for one in order]
    mine = total[at]
    return Regret(
        regret=mine - mine.min(axis=0),
        compared=compared,
        draws=left,
        drawn=draws,
        inputs=_hangs_on(sure, points, total[0] - mine[0]),
        values=mine,
        nothing=total[0],
        drawn_values=_drawn_values(scenarios, points),
        called={one.name: one.words for one in sure.inputs},
    )


def _drawn_values(scenarios: Sequence[Any], points: FloatArray) -> dict[str, list[Any]]:
    """Value of each input in each draw, by name; of inputs that move together that of the first figure."""
    space = space_of(scenarios)
    found: dict[str, list[Any]] = {one.name: [] for one in space.inputs}
    for point in points:
        values: dict[str, Any] = {}
        for number in range(len(scenarios)):
            values |= space.values(number, point, PRIOR)
        for one in space.inputs:
            found[one.name].append(values[one.paths[0]])
    return found


def _hangs_on(sure: Any, points: FloatArray, answers: FloatArray) -> dict[str, float]:
    """Inputs that explain most of what the chosen set saves, with their share of its variance over the draws."""
    if len(answers) < 16 or not float(np.ptp(answers)):
        return {}
    acting = [k for k, one in enumerate(sure.inputs) if one.acts]
    found = first_order(points[:, acting], answers)
    clear = [n for n in np.argsort(-found.share, kind="stable") if found.share[n] > found.by_chance]
    return {sure.inputs[acting[n]].name: float(found.share[n]) for n in clear[:HANGS_ON]}
