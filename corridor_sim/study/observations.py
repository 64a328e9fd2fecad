"""What was observed, as far as it can judge draws of the inputs: counts of traffic, and rows of the base.

An observation states three spreads before any draw is looked at: its own, and how far the model may be off at
its best (its discrepancy); the noise of few replications is reckoned. Those with ``use = "validation"`` judge
nothing: they are kept to check the answer. How draws are ruled out is in `statistics/history_matching.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corridor_sim.core.errors import ArgumentError, CorridorError, Problem, ScenarioError
from corridor_sim.model.resolution import resolve
from corridor_sim.plan.build import plan_of
from corridor_sim.plan.load import loads
from corridor_sim.plan.plan import Plan

CALIBRATION, VALIDATION = "calibration", "validation"
TWO_SIDED_95 = 1.96
"""A tolerance or a range that is stated as such is read as a 95 % interval: so many standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One observed value; either a count of traffic (`posts`, `since`, `until`) or a row of the base (`indicator`).

    Attributes
    ----------
    name, value, unit
    sd
        Standard deviation of the observation.
    discrepancy_sd
        How far the model may be off with the right inputs, as a standard deviation, stated before.
    posts : sequence of (post, direction)
        The count is the sum of what they can pass of the demand in the time, a day.
    share : float
        The count is this share of the sum: 0.5 for "each way".
    since, until : date
        Time of the count.
    indicator, where
        The row of the base scenario over its own counted window, as in `Uncertainty.row`.
    use
        ``"calibration"`` judges draws, ``"validation"`` does not.
    """

    name: str
    value: float
    unit: str = ""
    sd: float = 0.0
    discrepancy_sd: float = 0.0
    posts: tuple[tuple[str, str], ...] = ()
    share: float = 1.0
    since: dt.date | None = None
    until: dt.date | None = None
    indicator: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    use: str = CALIBRATION

    def __post_init__(self) -> None:
        problems = []
        if bool(self.indicator) == bool(self.posts):
            problems.append("needs either an indicator or the posts of a count")
        if self.posts and (self.since is None or self.until is None or self.since >= self.until):
            problems.append("a count needs the time that it is of, from since to until")
        if self.sd < 0 or self.discrepancy_sd < 0 or not (self.sd > 0 or self.discrepancy_sd > 0):
            problems.append("needs sd or discrepancy_sd > 0, neither below 0")
        if self.use not in (CALIBRATION, VALIDATION):
            problems.append(f"use must be {CALIBRATION} or {VALIDATION}, got {self.use!r}")
        if problems:
            raise ScenarioError([Problem(text, f"observation {self.name}") for text in problems])

    @property
    def is_count(self) -> bool:
        """Whether it is of traffic, told by demand and capacity without a run."""
        return bool(self.posts)


def passed_per_day(plan: Plan, posts: Iterable[tuple[str, str]]) -> float:
    """Traffic of posts that a plan expects: what comes, as far as the scarcest stage can pass it. [1/day]

    A stage that only some need holds up the others too once they queue behind each other, so it passes the same share
    of all as of its own. The demand is that of the whole run, however long the queue is that it would make.
    """
    found = loads(plan)
    elements = {element.id: element for element in plan.elements}
    total = 0.0
    for post, direction in posts:
        mine = [
            one for one in found if (elements[one.element].post, elements[one.element].direction) == (post, direction)
        ]
        comes = max((one.demand_per_day for one in mine), default=0.0)
        total += comes * min([1.0, *(1.0 / one.load for one in mine if one.load > 1 and not one.flows)])
    return total


def time_of(data: Mapping[str, Any], since: dt.date, until: dt.date) -> dict[str, Any]:
    """The data of a scenario with its run moved to a time, without the queue that stands at its own start."""
    own = ("horizon", "warm_up", "cool_down", "initial_queue")
    run = {key: value for key, value in data["run"].items() if not key.startswith(own)}
    return {**data, "run": {**run, "start": since, "horizon_days": float((until - since).days), "warm_up_days": 0.0}}


def at_time(scenario: Any, since: dt.date, until: dt.date) -> Any:
    """The scenario with its run moved to a time; nothing else of it is looked at again."""
    run = time_of({"run": scenario.run.to_data()}, since, until)["run"]
    return scenario.model_copy(update={"run": type(scenario.run).model_validate(run)})


def expected_per_day(scenario: Any, counts: Sequence[Observation]) -> tuple[float, ...]:
    """What a scenario expects for each count of traffic; only flows that come to one of its posts are planned. [1/day]

    Raises
    ------
    ScenarioError
        If the scenario cannot be planned at that time.
    """
    posts: dict[tuple[dt.date, dt.date], set[str]] = {}
    for one in counts:
        assert one.since is not None
        assert one.until is not None
        posts.setdefault((one.since, one.until), set()).update(post for post, _ in one.posts)
    plans = {}
    for time, wanted in posts.items():
        resolved = resolve(at_time(scenario, *time))
        comes = [
            flow
            for flow, ways in resolved.ways.items()
            if any({hop.start, hop.end} & wanted for way in ways for hop in way.hops)
        ]
        plans[time] = plan_of(resolved, comes) if comes or resolved.errors else None
    found = []
    for one in counts:
        plan = plans[one.since, one.until]  # type: ignore[index]
        found.append(0.0 if plan is None else one.share * passed_per_day(plan, one.posts))
    return tuple(found)


def packaged_observations(use: str = CALIBRATION) -> list[Observation]:
    """Counts of the packaged corridor that can judge draws: those with a time and a tolerance, marked for `use`.

    The tolerance of a count was stated before the model was run: it is read as the 95 % half-width of what the model
    may be off, the range of a count as its own 95 % interval.
    """
    from importlib.resources import files
    from tomllib import loads as read

    text = (files("corridor_sim") / "data/north_south/validation.toml").read_text(encoding="utf-8")
    found = []
    for name, figure in read(text)["observed"].items():
        posts = _posts(figure)
        if figure.get("use") != use or not posts or not {"from", "until", "tolerance"} <= set(figure):
            continue
        value = float(figure["value"])
        spread = (float(figure.get("high", value)) - float(figure.get("low", value))) / 2.0
        found.append(
            Observation(
                name=name,
                value=value,
                unit=figure["unit"],
                sd=spread / TWO_SIDED_95,
                discrepancy_sd=float(figure["tolerance"]) * value / TWO_SIDED_95,
                posts=posts,
                share=0.5 if figure["direction"] == "each" else 1.0,
                since=figure["from"],
                until=figure["until"],
                use=use,
            )
        )
    return found


def _posts(figure: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Posts and directions of a count of traffic; none if it is something else.

    The count of a whole border names its posts: those of one of its countries, where each vehicle is seen once.
    """
    if figure["quantity"] not in ("trucks_per_day", "vehicles_per_day"):
        return ()
    table, _, name = figure["at"].partition(".")
    ways = {"both": ("exit", "entry"), "each": ("exit", "entry"), "exit": ("exit",), "entry": ("entry",)}
    names = figure.get("posts", [name] if table == "checkpoints" else [])
    if figure["direction"] not in ways:
        return ()
    return tuple((name, way) for name in names for way in ways[figure["direction"]])


def wanted_observations(given: Any) -> list[Observation]:
    """The observations that judge: those given, or with ``"packaged"`` those of the packaged corridor.

    Raises
    ------
    ArgumentError
        If it is something else.
    CorridorError
        If none of them judges.
    """
    if given is None:
        return []
    if given != "packaged" and not (
        isinstance(given, (list, tuple)) and all(isinstance(one, Observation) for one in given)
    ):
        raise ArgumentError(f"observations must be a list of Observation, or 'packaged', got {given!r:.80}")
    listed: Sequence[Observation] = packaged_observations() if isinstance(given, str) else list(given)
    found = [one for one in listed if one.use == CALIBRATION]
    if not found:
        raise CorridorError(f'no observation is marked use = "{CALIBRATION}", so nothing judges the draws')
    return found
