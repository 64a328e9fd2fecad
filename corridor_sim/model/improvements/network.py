"""Improvements of the network: posts and legs opened, closed, faster, with more room; growth of demand.

To add one, write a class with `changes` here and register it.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.limits import MIN_GAP_H
from corridor_sim.model.changes import Change
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.field_types import (
    Factor,
    FrozenDict,
    NamesOf,
    Positive,
    PositiveCount,
    Probability,
    TableOf,
    at_least,
    at_most,
)
from corridor_sim.model.improvements.base import (
    IMPROVEMENTS,
    Improvement,
    LegImprovement,
    PostImprovement,
    require,
    require_post,
    require_stage,
)
from corridor_sim.model.legs import Timetable
from corridor_sim.model.paths import LEG_CLOSINGS

_LEG = {"at": "legs.leg"}


@IMPROVEMENTS.register("open_post", at="checkpoints.new_post", shares={"flow": 0.4})
class OpenPost(PostImprovement):
    """A post that stands in the corridor with ``open = false`` opens.

    Its border leg can be used when the posts at both ends are open. `shares` is
    the part of each flow that changes over to its crossing; flows with shares
    over crossings of their own are better dated there.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.OpenPost(at="checkpoints.khanoba_az").kind
    'open_post'
    """

    shares: TableOf[Probability] = FrozenDict()
    """Share of each flow that changes over to the crossing of the post, by flow. [-]"""
    depth: ClassVar[tuple[int, ...]] = (2,)

    def changes(self, corridor: Corridor) -> list[Change]:
        """The post opened, and the flows' shares."""
        post = require_post(corridor, self.path)
        changes = [self.change(f"{self.path}.open", "set", True)]
        for flow, share in self.shares.items():
            require(corridor.flows, flow, "flow", "shares")
            changes.append(self.change(f"flows.{flow}.diverted.{post.crossing}", "set", share))
        return changes


@IMPROVEMENTS.register("open_leg", **_LEG)
class OpenLeg(LegImprovement):
    """A leg that stands in the corridor with ``open = false`` is opened.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.OpenLeg(at="legs.rasht_astara").kind
    'open_leg'
    """

    def changes(self, corridor: Corridor) -> list[Change]:
        """The leg opened."""
        return [self.change(f"legs.{self.leg_id(corridor)}.open", "set", True)]


@IMPROVEMENTS.register("leg_speed", **_LEG, factor=1.2)
class LegSpeed(LegImprovement):
    """Another speed: a factor, or a new mean speed.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.LegSpeed(at="legs.bridge", factor=1.2).factor
    1.2
    """

    factor: Factor | None = None
    """Speed over what it would be. [-]"""
    speed_kmh: Positive | None = None
    """New mean speed. [km/h]"""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.factor is None) == (self.speed_kmh is None):
            raise ScenarioError([Problem("needs exactly one of factor and speed_kmh")])
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """The speed set or multiplied."""
        at = f"legs.{self.leg_id(corridor)}.speed_kmh"
        if self.factor is not None:
            return [self.change(at, "multiply", self.factor)]
        return [self.change(at, "set", self.speed_kmh)]


@IMPROVEMENTS.register("leg_capacity", **_LEG, paths_per_day=24.0)
class LegCapacity(LegImprovement):
    """Another limit of entries (headway, or paths a day) or of vehicles on a leg.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.LegCapacity(at="legs.bridge", paths_per_day=40).paths_per_day
    40.0
    """

    headway_h: Annotated[Positive, at_least(MIN_GAP_H)] | None = None
    """Least time between two entries in one direction. [h]"""
    paths_per_day: Annotated[Positive, at_most(24 / MIN_GAP_H)] | None = None
    """The same as entries in one direction. [1/day]"""
    max_vehicles: PositiveCount | None = None
    """Most between entry and exit in one direction. [consignments]"""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.headway_h is not None and self.paths_per_day is not None:
            raise ScenarioError([Problem("says the same as paths_per_day; give one of them", "headway_h")])
        if self.headway_h is None and self.paths_per_day is None and self.max_vehicles is None:
            raise ScenarioError([Problem("needs headway_h, paths_per_day or max_vehicles")])
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """The limits set."""
        at = f"legs.{self.leg_id(corridor)}"
        changes = []
        headway_h = 24 / self.paths_per_day if self.paths_per_day is not None else self.headway_h
        if headway_h is not None:
            changes.append(self.change(f"{at}.headway_h", "set", headway_h))
        if self.max_vehicles is not None:
            changes.append(self.change(f"{at}.max_vehicles", "set", self.max_vehicles))
        return changes


@IMPROVEMENTS.register("timetable", **_LEG, timetable={"every_h": 12.0, "places": 60})
class NewTimetable(LegImprovement):
    """Another timetable, or a first one, of a leg.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.NewTimetable(leg="ferry", timetable=cs.Timetable(every_h=24, places=30)).timetable.every_h
    24.0
    """

    timetable: Timetable
    """Departures and their places from then on."""

    def changes(self, corridor: Corridor) -> list[Change]:
        """The timetable set."""
        return [self.change(f"legs.{self.leg_id(corridor)}.timetable", "set", self.timetable)]


@IMPROVEMENTS.register("demand_growth", flow="flow", factor=1.1)
class DemandGrowth(Improvement):
    """More (or less) of some flows or of all: a factor from a date on, or another yearly growth.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.DemandGrowth(factor=1.2).factor
    1.2
    """

    flow: str = ""
    """Id of the flow, in place of `flows`."""
    flows: NamesOf = ()
    """Flow ids; none named means all flows."""
    factor: Factor | None = None
    """Volume over what it would be. [-]"""
    growth_per_year: Annotated[float, Field(gt=-1, le=10)] | None = None
    """Another growth of the volume, compounded. [1/year]"""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.factor is None) == (self.growth_per_year is None):
            raise ScenarioError([Problem("needs exactly one of factor and growth_per_year")])
        if sum(map(bool, (self.at, self.flow, self.flows))) > 1:
            raise ScenarioError([Problem("give one of at, flow and flows")])
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """The volume multiplied or its growth set."""
        named: tuple[str, ...] = (self.flow,) if self.flow else self.flows
        field = "flow" if self.flow else "flows"
        if self.at:
            table, _, id = self.at.partition(".")
            if table != "flows":
                raise ScenarioError([Problem("must be the path of a flow", "at", self.at, "flows.ID")])
            named, field = (id,), "at"
        for id in named:
            require(corridor.flows, id, "flow", field)
        ids = named or tuple(corridor.flows)
        if self.factor is not None:
            return [self.change(f"flows.{id}.per_day", "multiply", self.factor) for id in ids]
        return [self.change(f"flows.{id}.growth_per_year", "set", self.growth_per_year) for id in ids]


@IMPROVEMENTS.register("closure", at="checkpoints.post.exit", **{"from": "2024-01-10", "until": "2024-01-12"})
class Closure(Improvement):
    """A crossing, a post, a direction, a stage or a leg is closed; consignments wait, none turns back.

    Say where with `at`, or with `leg`, or with `checkpoint`; `direction` and `stage` narrow a post down,
    and `direction` closes a leg one way: ``forward`` is the way in which it is written, ``backward`` the other.
    A stage without a number of lanes cannot close; what becomes of services under way is its ``closing``.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> cs.Closure(at="checkpoints.northgate_a", from_=dt.date(2024, 1, 5), until=dt.date(2024, 1, 7)).kind
    'closure'
    """

    leg: str = ""
    """Id of the leg that is closed, in place of `at`."""
    checkpoint: str = ""
    """Id of the post that is closed, in place of `at`."""
    direction: str = ""
    """exit or entry of a post; forward or backward of a leg. Both if not given."""
    stage: str = ""
    """Id of the stage that is closed; all of them if not given."""

    @property
    def path(self) -> str:
        """Path of what is closed."""
        if self.leg:
            return f"legs.{self.leg}"
        at = self.at or f"checkpoints.{self.checkpoint}"
        if at.partition(".")[0] == "legs":
            return at
        return ".".join(part for part in (at, self.direction, self.stage) if part)

    @model_validator(mode="after")
    def _which(self) -> Self:
        if sum(map(bool, (self.at, self.leg, self.checkpoint))) != 1:
            raise ScenarioError([Problem("needs exactly one of at, leg and checkpoint")])
        table = "legs" if self.leg else self.at.partition(".")[0] or "checkpoints"
        problems: list[Problem] = []
        if self.stage and table == "checkpoints" and not self.direction and len(self.path.split(".")) != 4:
            problems.append(Problem("is required", "direction", allowed=", ".join(DIRECTIONS)))
        if self.stage and table != "checkpoints":
            problems.append(Problem("has no meaning here", "stage", self.stage, "the stage of a post"))
        if self.direction and table in ("legs", "checkpoints"):
            known = tuple(filter(None, LEG_CLOSINGS)) if table == "legs" else DIRECTIONS
            if self.direction not in known:
                hint = nearest(self.direction, known)
                problems.append(Problem("is not a direction", "direction", self.direction, ", ".join(known), hint))
        elif self.direction:
            hint = "at = checkpoints.POST with a direction"
            problems.append(Problem("has no meaning here", "direction", self.direction, hint=hint))
        if problems:
            raise ScenarioError(problems)
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """Every stage with lanes closed, or the leg closed for entry."""
        parts = self.path.split(".")
        if parts[0] == "legs":
            require(corridor.legs, ".".join(parts[1:]), "leg", "leg" if self.leg else "at")
            return [self.change(f"{self.path}.{LEG_CLOSINGS[self.direction]}", "close", True)]
        if parts[0] == "crossings" and len(parts) == 2:
            require(corridor.crossings, parts[1], "crossing", "at")
            posts = [f"checkpoints.{post}" for post in corridor.crossings[parts[1]]]
            paths = [path for post in posts for path in self._stages_of(corridor, post)]
        elif parts[0] == "places" or len(parts) == 4:
            paths = [self.path]
        else:
            paths = self._stages_of(corridor, self.path)
        paths = [path for path in paths if require_stage(corridor, path).lanes != "unlimited"]
        if not paths:
            raise ScenarioError([Problem("has no stage with lanes that could close", "at", self.path)])
        return [self.change(f"{path}.closed", "close", True) for path in paths]

    @staticmethod
    def _stages_of(corridor: Corridor, path: str) -> list[str]:
        post = require_post(corridor, path)
        _, id, *direction = path.split(".")
        return [f"checkpoints.{id}.{way}.{name}" for way in direction or DIRECTIONS for name in post.stages(way)]
