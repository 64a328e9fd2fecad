"""What was observed, as far as it can judge draws of the inputs, or the model: counts of traffic, and rows of a run.

An observation states three spreads before any draw is looked at: its own, and how far the model may be off at
its best (its discrepancy); the noise of few replications is reckoned. Those with ``use = "validation"`` judge
nothing: `validation.py` holds the model against them. How draws are ruled out is in `statistics/history_matching.py`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.indicators.label import COLUMNS
from corridor_sim.model.resolution import resolve
from corridor_sim.plan.build import plan_of
from corridor_sim.plan.load import expected_visits, loads
from corridor_sim.plan.plan import Plan

CALIBRATION, VALIDATION = "calibration", "validation"
VEHICLES, TONNES = "vehicles", "tonnes"
WAYS = ("exit", "entry")
NUMBERS = ("value", "sd", "discrepancy_sd", "share")
WORDS = ("unit", "indicator", "use", "measure", "scenario", "not_scored", "cause")
DATES = ("since", "until")
HOURS = {"min": 1 / 60, "h": 1.0, "days": 24.0}
"""Units of time that are turned into each other. [h]"""
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
    measure : str
        What is counted at posts: ``"vehicles"``, or ``"tonnes"`` that they carry.
    share : float
        The count is this share of the sum: 0.5 for "each way".
    since, until : date
        Time of the count.
    indicator, where
        The row of the base scenario over its own counted window, as in `Uncertainty.row`.
    use
        ``"calibration"`` judges draws, ``"validation"`` does not.
    scenario, settings
        For validation only: the scenario whose run answers it, instead of the one that is asked about, and values
        set in it by path.
    earlier : sequence of float or str
        For validation: earlier values of the same, in order of time, or names of observations that they are. The last
        one is what the forecast "last value" says.
    not_scored : str
        For validation: why it is listed and not scored, such as a count of the press at one moment.
    cause : str
        For validation: why the model misses it, where it does.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Observation(name="passed", value=170.0, sd=3.0, indicator="throughput_per_day").value
    170.0
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
    measure: str = VEHICLES
    scenario: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    earlier: tuple[float | str, ...] = ()
    not_scored: str = ""
    cause: str = ""

    def __post_init__(self) -> None:
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "name"}
        problems = observation_faults(given)
        if not isinstance(self.name, str) or not self.name:
            problems.insert(0, Problem("must be a text", "name", self.name))
        if problems:
            raise ScenarioError([problem.at(f"observation {self.name}") for problem in problems])
        object.__setattr__(self, "posts", tuple((post, way) for post, way in self.posts))
        object.__setattr__(self, "earlier", tuple(self.earlier))

    @property
    def is_count(self) -> bool:
        """Whether it is of traffic, told by demand and capacity without a run."""
        return bool(self.posts)

    def factor(self, unit: str) -> float:
        """What a row in this unit is multiplied by to be what was observed: its `share`, and the unit of time.

        Raises
        ------
        ScenarioError
            If the two units are not of one kind.
        """
        # A number of vehicles is called as one likes.
        a_day = unit == "1/day" and self.unit.endswith(("/day", "a day"))
        if self.unit in ("", unit) or unit == "1" or a_day:
            return self.share
        if not {self.unit, unit} <= set(HOURS):
            raise ScenarioError([Problem(f"is in {self.unit}, {self.indicator} in {unit}", f"observation {self.name}")])
        return self.share * HOURS[unit] / HOURS[self.unit]


KNOWN = tuple(one.name for one in fields(Observation) if one.name != "name")
"""Fields of an observation, but for its name."""


def observation_faults(given: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with the fields of an observation; those left out have their defaults."""
    problems = [
        Problem("is not a field of an observation", key, hint=nearest(key, KNOWN)) for key in given if key not in KNOWN
    ]
    if "value" not in given:
        problems.append(Problem("is required", "value"))
    for key, value in given.items():
        problems += _field_faults(key, value)
    wrong = {problem.path for problem in problems}

    def sound(*names: str) -> bool:
        return not wrong & set(names)

    is_row, is_count = bool(given.get("indicator")), bool(given.get("posts"))
    use = given.get("use", CALIBRATION)
    if sound("indicator", "posts") and is_row == is_count:
        problems.append(Problem("needs either an indicator or the posts of a count"))
    elif sound("indicator", "posts"):
        problems += _row_faults(given) if is_row else _count_faults(given, sound("since", "until"))
    if is_count and sound("value", "posts") and given["value"] < 0:
        problems.append(Problem("must not be below 0: it is a count", "value", given["value"]))
    exact = sound("sd", "discrepancy_sd") and not any(given.get(one, 0.0) > 0 for one in ("sd", "discrepancy_sd"))
    if use == CALIBRATION and exact:
        problems.append(Problem("needs sd or discrepancy_sd > 0 to judge"))
    if use == CALIBRATION:
        named = [name for name in ("scenario", "settings") if sound(name) and given.get(name)]
        problems += [Problem("is for validation only", name) for name in named]
    return problems


def _row_faults(given: Mapping[str, Any]) -> list[Problem]:
    """What a row has that only a count may have."""
    text = "is of a count at posts; a row is of the time that the scenario counts"
    problems = [Problem(text, name) for name in DATES if given.get(name) is not None]
    if given.get("measure", VEHICLES) == TONNES:
        problems.append(Problem("is of a count at posts", "measure", TONNES))
    return problems


def _count_faults(given: Mapping[str, Any], dates_are_sound: bool) -> list[Problem]:
    """What a count lacks, or has that only a row may have."""
    problems = []
    since, until = given.get("since"), given.get("until")
    if dates_are_sound and (since is None or until is None or since >= until):
        problems.append(Problem("a count needs the time that it is of, from since to until"))
    if given.get("where"):
        problems.append(Problem("is of a row; a count has posts", "where"))
    return problems


def _field_faults(key: str, value: Any) -> list[Problem]:
    """What is wrong with one field by itself."""
    if key in NUMBERS:
        if not _is_number(value):
            return [Problem("must be a finite number", key, value)]
        if key in ("sd", "discrepancy_sd") and value < 0:
            return [Problem("must not be below 0", key, value)]
        if key == "share" and value <= 0:
            return [Problem("must be above 0", key, value)]
    if key in WORDS and not isinstance(value, str):
        return [Problem("must be text", key, value)]
    choices = {"use": (CALIBRATION, VALIDATION), "measure": (VEHICLES, TONNES)}.get(key, ())
    if choices and value not in choices:
        return [Problem("is not known", key, value, " or ".join(choices), nearest(value, choices))]
    is_date = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if key in DATES and value is not None and not is_date:
        return [Problem("must be a date", key, value)]
    if key == "where":
        if not isinstance(value, Mapping):
            return [Problem("must be a table such as { kind = 'post', place = 'northgate_b' }", key, value)]
        return [
            Problem("is no column of a table of indicators", f"where.{name}", None, ", ".join(COLUMNS))
            for name in value
            if name not in COLUMNS
        ]
    if key == "settings" and not isinstance(value, Mapping):
        return [Problem("must be a table of values by path", key, value)]
    listed = isinstance(value, (list, tuple))
    if key == "earlier" and not (listed and all(_is_earlier(one) for one in value)):
        return [Problem("must be a list of numbers above 0 or names of observations", key, value)]
    if key == "posts" and not (listed and all(_is_post(one) for one in value)):
        return [Problem('must be a list of [post, "exit" or "entry"]', key, value)]
    return []


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _is_earlier(one: Any) -> bool:
    """Whether it is a name, or a number that a ratio can be taken of."""
    return isinstance(one, str) or (_is_number(one) and one > 0)


def _is_post(one: Any) -> bool:
    pair = isinstance(one, (list, tuple)) and len(one) == 2 and all(isinstance(part, str) for part in one)
    return pair and one[1] in WAYS


def passed_per_day(plan: Plan, posts: Iterable[tuple[str, str]], *, capacity: bool = True) -> float:
    """Traffic of posts that a plan expects: what comes, as far as the scarcest stage can pass it. [1/day]

    Without `capacity` all that comes.

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
        scarce = [1.0 / one.load for one in mine if one.load > 1 and not one.flows] if capacity else []
        total += comes * min([1.0, *scarce])
    return total


def tonnes_per_day(plan: Plan, posts: Iterable[tuple[str, str]], power: int = 1) -> float:
    """Tonnes of freight that posts are expected to pass, as `passed_per_day` of the vehicles. [t/day]

    With `power` 2 the sum of squares of the loads, which is the variance of the tonnes of a day where vehicles come
    independently. [t2/day]
    """
    visits, days = expected_visits(plan), plan.horizon_h / 24.0
    loads_t = np.array([flow.load_t**power for flow in plan.flows])
    total = 0.0
    for post, direction in posts:
        here = [k for k, one in enumerate(plan.elements) if (one.post, one.direction) == (post, direction)]
        comes = passed_per_day(plan, [(post, direction)], capacity=False)
        if not here or comes == 0:
            continue
        share = passed_per_day(plan, [(post, direction)]) / comes
        total += share * float(visits[here].max(axis=0) @ loads_t) / days
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
    """What a scenario expects for each count of traffic; only flows that come to one of its posts are planned. [1/day,
    t/day]

    Raises
    ------
    ScenarioError
        If the scenario cannot be planned at that time.
    """
    return tuple(value for value, _ in expected_counts(scenario, counts))


def expected_counts(scenario: Any, counts: Sequence[Observation]) -> tuple[tuple[float, float], ...]:
    """What a scenario expects for each count, and the standard deviation of a count where vehicles come independently.

    [1/day, t/day]
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
        if plan is None:
            found.append((0.0, 0.0))
            continue
        days = plan.horizon_h / 24.0
        if one.measure == TONNES:
            value, square = tonnes_per_day(plan, one.posts), tonnes_per_day(plan, one.posts, 2)
        else:
            value = square = passed_per_day(plan, one.posts)
        found.append((one.share * value, one.share * math.sqrt(square / days)))
    return tuple(found)
