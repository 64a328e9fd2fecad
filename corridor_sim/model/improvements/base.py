"""What every improvement has: where, from when until when, works, cost, source.

An improvement edits nothing. `changes` says which values it sets, adds to or
multiplies, and when; `dated_changes` adds the ramp-up and the works.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.limits import MAX_LANES, MAX_RAMP_DAYS
from corridor_sim.core.registry import Registry
from corridor_sim.model.base import Model, Sourced
from corridor_sim.model.changes import Change, stamped
from corridor_sim.model.checkpoints import Checkpoint
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.field_types import Instant, NonNegative, Positive, at_most
from corridor_sim.model.spans import require_order
from corridor_sim.model.stages import Stage

MOST_LATE_DAYS = 36525.0
"""A century. [days]"""
NO_DATED_HOLIDAYS = (
    "is refused: which holidays a post keeps holds for the whole run; give the hours of these days with opening_hours "
    "from and until, or a closure, or run the years before and after apart"
)
IMPROVEMENTS: Registry[type[Improvement]] = Registry(
    "improvement",
    {"holidays": NO_DATED_HOLIDAYS},
    [f"corridor_sim.model.improvements.{name}" for name in ("bans", "network", "one_stop", "posts")],
)


class Works(Model):
    """Lanes lost while the improvement is built (a negative number).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> cs.Works(from_=dt.date(2024, 1, 2), until=dt.date(2024, 1, 5), lanes=-1).lanes
    -1
    """

    from_: Instant = Field(validation_alias="from", serialization_alias="from")
    """When works begin."""
    until: Instant
    """When works end."""
    lanes: Annotated[int, Field(lt=0, ge=-MAX_LANES)]
    """Change of the lanes meanwhile, below 0. [lanes]"""
    at: str = ""
    """The stage, if it is not the one that is improved."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        require_order(self.from_, self.until)
        return self


class Improvement(Sourced, ABC):
    """A named, dated, costed, sourced change of a corridor.

    Without `from` it is in force from the beginning, without `until` for good.
    `ramp_up_days` lets the effect grow in one step a day.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> sorted(cs.load_scenario("teaching_priority_lane").improvements)
    ['bread_lane_a', 'bread_lane_b', 'second_scanner']
    """

    kind: ClassVar[str] = ""

    name: str = ""
    """What tables and pictures call it; its id if not given."""
    at: str = ""
    """Path of what is improved, as ``checkpoints.samur_az.exit.documents``."""
    from_: Instant | None = Field(None, validation_alias="from", serialization_alias="from")
    """When it takes effect; the start of the run if not given."""
    until: Instant | None = None
    """When it ends; never if not given."""
    ramp_up_days: Annotated[NonNegative, at_most(MAX_RAMP_DAYS)] = 0.0
    """Time until it has its full effect, growing evenly. [days]"""
    works: Works | None = None
    """Lanes lost while it is built."""
    capex_usd: NonNegative = 0.0
    """What it costs to build, once. [US$]"""
    opex_usd_year: NonNegative = 0.0
    """What it costs to run. [US$/year]"""
    life_years: Positive | None = None
    """How long it lasts, for appraisals. [years]"""
    late_days: Annotated[NonNegative, at_most(MOST_LATE_DAYS)] = 0.0
    """So many days after `from` it takes effect: a date that is not certain is a range of this. [days]"""

    @model_validator(mode="after")
    def _dates(self) -> Self:
        if self.late_days and self.from_ is None:
            raise ScenarioError([Problem("needs a date `from` that it is later than", "late_days", self.late_days)])
        require_order(self.begins, self.until)
        if self.works is not None and self.from_ is not None:
            same = (self.works.until.tzinfo is None) == (self.from_.tzinfo is None)
            if not same or self.works.until > self.from_:
                text = "must not be later than the improvement takes effect"
                raise ScenarioError([Problem(text, "works.until", self.works.until, f"<= {self.from_}")])
        return self

    @abstractmethod
    def changes(self, corridor: Corridor) -> list[Change]:
        """What the improvement does to the corridor, with full effect.

        Raises
        ------
        ScenarioError
            If the corridor has not what the improvement refers to.
        """

    @property
    def path(self) -> str:
        """Path of what is improved."""
        return self.at

    def dated_changes(self, corridor: Corridor, by: str = "") -> list[Change]:
        """All changes with ramp-up and works, under the name `by`."""
        changes = self.changes(corridor)
        # What is on or off comes at once where something else of the improvement can grow.
        grows = [change for change in changes if not isinstance(change.value, bool)] or changes
        changes = [
            replace(change, ramp_up_days=self.ramp_up_days) if change in grows and not change.ramp_up_days else change
            for change in changes
        ]
        if self.works is not None:
            at = self.works.at or self.path
            require_lanes(corridor, at, "works.at" if self.works.at else "at")
            works = self.works
            changes.append(
                Change(path=f"{at}.lanes", operation="add", value=works.lanes, from_=works.from_, until=works.until)
            )
        return stamped(changes, by or self.name or type(self).kind)

    def change(self, path: str, operation: str, value: object) -> Change:
        """One change that is in force as long as the improvement is."""
        return Change(path=path, operation=operation, value=value, from_=self.begins, until=self.until)  # type: ignore[arg-type]

    @property
    def begins(self) -> dt.datetime | None:
        """When it takes effect: `from`, and so many days later as it is late."""
        if self.from_ is None or not self.late_days:
            return self.from_
        return self.from_ + dt.timedelta(days=self.late_days)


def place_problems(at: str, checkpoint: str, direction: str, stage: str) -> list[Problem]:
    """What is wrong with the two ways to name a place of a post: `at`, or the other three."""
    parts = {"checkpoint": checkpoint, "direction": direction, "stage": stage}
    problems: list[Problem] = []
    if at:
        text = "cannot be given together with at, which names the place already"
        problems += [Problem(text, name, value) for name, value in parts.items() if value]
    elif not checkpoint:
        problems.append(Problem("is required", "at", hint="or give checkpoint, direction and stage"))
    elif stage and not direction:
        problems.append(Problem("is required", "direction", allowed="exit, entry"))
    if direction and direction not in DIRECTIONS:
        hint = nearest(direction, DIRECTIONS)
        problems.append(Problem("is not a direction", "direction", direction, "exit, entry", hint))
    return problems


class PostImprovement(Improvement):
    """An improvement of a post, one of its directions or one of its stages.

    Say where with `at`, or with `checkpoint`, `direction` and `stage`.
    """

    checkpoint: str = ""
    """Id of the post, in place of `at`."""
    direction: str = ""
    """exit or entry, in place of `at`."""
    stage: str = ""
    """Id of the stage, in place of `at`."""
    depth: ClassVar[tuple[int, ...]] = (4,)
    """How many parts the path may have: 2 a post, 3 a direction, 4 a stage."""

    @model_validator(mode="after")
    def _place(self) -> Self:
        problems = place_problems(self.at, self.checkpoint, self.direction, self.stage)
        if problems:
            raise ScenarioError(problems)
        if len(self.path.split(".")) not in self.depth:
            names = {2: "checkpoints.POST", 3: "checkpoints.POST.exit", 4: "checkpoints.POST.exit.STAGE"}
            allowed = " or ".join(names[n] for n in self.depth)
            raise ScenarioError([Problem("must name what is improved", "at", self.path, allowed)])
        return self

    @property
    def path(self) -> str:
        """Path of what is improved."""
        if self.at:
            return self.at
        return ".".join(part for part in ("checkpoints", self.checkpoint, self.direction, self.stage) if part)

    def stage_paths(self, corridor: Corridor) -> list[str]:
        """Paths of the stages meant: the one named, or all of the post or direction named."""
        parts = self.path.split(".")
        if parts[0] == "places" or len(parts) == 4:
            require_stage(corridor, self.path)
            return [self.path]
        post = require_post(corridor, self.path)
        ways = DIRECTIONS if len(parts) == 2 else (parts[2],)
        return [f"checkpoints.{parts[1]}.{way}.{name}" for way in ways for name in post.stages(way)]


class LegImprovement(Improvement):
    """An improvement of a leg; say which with `at` or `leg`."""

    leg: str = ""
    """Id of the leg, in place of `at`."""

    @model_validator(mode="after")
    def _which(self) -> Self:
        if bool(self.at) == bool(self.leg):
            raise ScenarioError([Problem("is required: either at = 'legs.ID' or leg = 'ID'", "at", self.at or None)])
        return self

    @property
    def path(self) -> str:
        """Path of the leg."""
        return self.at or f"legs.{self.leg}"

    def leg_id(self, corridor: Corridor) -> str:
        """Id of the leg. Raises ScenarioError if the corridor has none of that name."""
        table, _, id = self.path.partition(".")
        if table != "legs":
            raise ScenarioError([Problem("must be the path of a leg", "at", self.path, "legs.ID")])
        require(corridor.legs, id, "leg", "leg" if self.leg else "at")
        return id


def require(table: Iterable[str], id: str, what: str, field: str = "at") -> None:
    """Raise ScenarioError, with the nearest known id, unless the table has `id`."""
    known = list(table)
    if id not in known:
        allowed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        raise ScenarioError(
            [Problem(f"names {what} {id!r}, which does not exist", field, None, allowed, nearest(id, known))]
        )


def require_post(corridor: Corridor, path: str, field: str = "at") -> Checkpoint:
    """The post that a path begins with; its direction, if the path has one, is checked too."""
    parts = path.split(".")
    if parts[0] != "checkpoints" or len(parts) < 2:
        raise ScenarioError([Problem("must begin with checkpoints.", field, path, "checkpoints.POST.exit.STAGE")])
    require(corridor.checkpoints, parts[1], "checkpoint", field)
    if len(parts) > 2:
        require(DIRECTIONS, parts[2], "direction", field)
    return corridor.checkpoints[parts[1]]


def require_stage(corridor: Corridor, path: str, field: str = "at") -> Stage:
    """The stage at a path, of a post or of a place."""
    parts = path.split(".")
    if len(parts) == 4 and parts[0] == "places":
        require(corridor.places, parts[1], "place", field)
        require(("transfer",), parts[2], "table", field)
        stages = corridor.places[parts[1]].transfer
    else:
        post = require_post(corridor, path, field)
        if len(parts) != 4:
            raise ScenarioError([Problem("must be the path of a stage", field, path, "checkpoints.POST.exit.STAGE")])
        stages = post.stages(parts[2])
    require(stages, parts[3], "stage", field)
    return stages[parts[3]]


def require_lanes(corridor: Corridor, path: str, field: str = "at") -> Stage:
    """The stage at a path, if it has a number of lanes."""
    stage = require_stage(corridor, path, field)
    if stage.lanes == "unlimited":
        raise ScenarioError([Problem("has unlimited lanes", field, path, "a stage with a number of lanes")])
    return stage
