"""An appraisal in draws of the inputs where people answer: who chooses what is searched for in each draw.

Each draw is an appraisal of its own: reference, base and other are brought into equilibrium at its values, and its
costs, lives, discount rate and growth are its own. That is some dozens of runs a draw, where a draw without behaviour
is two.
"""

from __future__ import annotations

import concurrent.futures as futures
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.appraisal import Appraisal
from corridor_sim.results.cash_flows import appraise
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.drawn_worth import DrawnWorth, drawn_ranges
from corridor_sim.results.year_tables import measures_of
from corridor_sim.statistics.scrambles import scrambled_points, scrambles_of
from corridor_sim.study.asked_run import Runnable, root_of
from corridor_sim.study.behaviour import Behaviour, alternatives_of, compare_with_behaviour, scenario_behind
from corridor_sim.study.designs import with_values
from corridor_sim.study.spread import hands, spread
from corridor_sim.study.uncertainty import space_of
from corridor_sim.study.years import in_year

PRIOR = "uniform"


def appraise_with_behaviour(
    base: Runnable,
    other: Runnable,
    *,
    behaviour: Behaviour,
    discount_rate: float,
    years: int,
    simulate: Sequence[int] = (),
    draws: int | None = None,
    draw_replications: int = 2,
    discount_rates: tuple[float, float] | None = None,
    growths_after: tuple[float, float] | None = None,
    executor: futures.Executor | None = None,
    workers: int | None = None,
    appraisal: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Appraisal:
    """Appraise measures where people answer to queues, at the stated values and in draws of the inputs.

    Parameters
    ----------
    base, other : Scenario, path or name
    behaviour : Behaviour
        Where it names nobody, who passes where the base is overloaded at the stated values answers in every draw.
    discount_rate, years, discount_rates, growths_after
        As for `cs.appraise`.
    simulate : sequence of int
        Calendar years that are simulated; that of the run if empty.
    draws : int, optional
        A power of two. Without it there is no interval of the inputs.
    draw_replications : int
        Of each run in a draw.
    appraisal : mapping, optional
        What else `cs.appraise` is to know (``opening_year``, ``growth_after``, ...).
    **settings
        As for `cs.equilibrium`.

    Returns
    -------
    Appraisal

    Raises
    ------
    ArgumentError, CorridorError, ScenarioError
        As `cs.appraise` and `cs.equilibrium`; of a draw with its number.
    """
    pair = (scenario_behind(base), scenario_behind(other))
    measures_of(*pair)
    root = root_of(pair[0], settings.pop("rng", None))
    settings = {**settings, "rng": root}
    behaviour = replace(behaviour, alternatives=alternatives_of(pair[0], behaviour, settings))
    how = {**dict(appraisal or {}), "discount_rate": discount_rate, "years": years}
    if draws is None and (discount_rates is not None or growths_after is not None):
        raise ArgumentError("discount_rates and growths_after need draws")
    if draws is not None:
        draws = arguments.whole("draws", draws, 2, MAX_REPLICATIONS)
        try:
            scrambles_of(draws)
        except ValueError as error:
            raise ArgumentError(str(error)) from None
    stated = _Study(pair, behaviour, tuple(simulate), how, {**settings, "executor": executor, "workers": workers})
    found, reached = stated.appraised(pair, {})
    notes = [behaviour.told]
    if not reached:
        notes.append("The search for who chooses what did not reach its target at the stated values.")
    drawn = None
    if draws is not None:
        few = {**settings, "replications": arguments.whole("draw_replications", draw_replications, 1), "workers": 1}
        study = replace(stated, settings={name: value for name, value in few.items() if name != "progress"})
        at_once = hands(executor, workers)
        drawn, told = _drawn(study, found, draws, discount_rates, growths_after, root, at_once, executor)
        notes += told
    return replace(found, notes=(*notes, *found.notes), inputs=drawn)


@dataclass(frozen=True, slots=True)
class _Study:
    """What the stated values and all draws share."""

    pair: tuple[Scenario, Scenario]
    behaviour: Behaviour
    simulate: tuple[int, ...]
    how: Mapping[str, Any]
    settings: Mapping[str, Any]

    def appraised(self, pair: Sequence[Scenario], more: Mapping[str, Any]) -> tuple[Appraisal, bool]:
        """The appraisal of two scenarios in equilibrium, and whether every search reached its target."""

        def of_year(both: Sequence[Scenario]) -> tuple[Comparison, bool]:
            compared, found = compare_with_behaviour(*both, behaviour=self.behaviour, **self.settings)
            return compared, all(one.reached for one in found)

        how = {**self.how, **more}
        if not self.simulate:
            compared, reached = of_year(pair)
            return appraise(compared, **how), reached
        by_year = {year: of_year([in_year(one, year) for one in pair]) for year in self.simulate}
        return appraise({year: one for year, (one, _) in by_year.items()}, **how), all(r for _, r in by_year.values())


@dataclass(frozen=True, slots=True)
class _Job:
    """One draw: its number, the values of either scenario by path, and what the appraisal itself draws."""

    number: int
    values: tuple[Mapping[str, Any], ...]
    more: Mapping[str, float]


def _one_draw(study: _Study, job: _Job) -> tuple[float, float, float, bool, bool]:
    """Net present value, ratio and rate of a draw; whether its base stays overloaded, and whether it was reached."""
    try:
        pair = [with_values(one, values) for one, values in zip(study.pair, job.values, strict=True)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorridorWarning)
            found, reached = study.appraised(pair, job.more)
    except CorridorError as error:
        raise CorridorError(f"draw {job.number}: {error}") from None
    over = any("the base is overloaded although" in note for note in found.notes)
    return found.npv_usd[0], found.benefit_cost_ratio[0], found.eirr[0], over, reached


def _drawn(
    study: _Study,
    stated: Appraisal,
    draws: int,
    discount_rates: tuple[float, float] | None,
    growths_after: tuple[float, float] | None,
    root: int,
    workers: int,
    executor: futures.Executor | None,
) -> tuple[DrawnWorth, list[str]]:
    space = space_of(study.pair)
    if not len(space):
        raise CorridorError("no figure of these scenarios has a range: there is nothing to draw")
    points, scramble = scrambled_points(draws, len(space), root)
    growth = float(study.how.get("growth_after", 0.0))
    extra, more = drawn_ranges(root, draws, stated.discount_rate, growth, discount_rates, growths_after)
    named = [name for name, ends in (("discount_rate", discount_rates), ("growth_after", growths_after)) if ends]
    ends = [ends for ends in (discount_rates, growths_after) if ends]
    jobs = [
        _Job(
            n,
            tuple(space.values(number, point, PRIOR) for number in range(2)),
            {name: low + place * (high - low) for name, place, (low, high) in zip(named, extra[n], ends, strict=True)},
        )
        for n, point in enumerate(points)
    ]
    rows = dict(spread(_one_draw, study, jobs, workers, executor))
    values = np.array([rows[n][:3] for n in range(draws)])
    over, missed = (sum(rows[n][k] == wanted for n in range(draws)) for k, wanted in ((3, True), (4, False)))
    told = [f"Who chooses and who stays away was searched for in each of the {draws} draws."]
    if over:
        told.append(f"In {over} draws the base stays overloaded even so: their benefit measures the length of the run.")
    if missed:
        told.append(f"In {missed} draws the search did not reach its target.")
    drawn = DrawnWorth(
        prior=PRIOR,
        npv_usd=values[:, 0],
        benefit_cost_ratio=values[:, 1],
        eirr=values[:, 2],
        scramble=scramble,
        points=np.concatenate([points, extra], axis=1),
        inputs=(*space.inputs, *more),
    )
    return drawn, told
