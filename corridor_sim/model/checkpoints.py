"""What is a border post, and do the stages of its two directions agree?

A `Checkpoint` is the post of one country. Its `exit` stages are for those who
leave the country of the post, its `entry` stages for those who enter it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.channels import Channels, channel_problems
from corridor_sim.model.directions import DIRECTIONS, Directed
from corridor_sim.model.field_types import FrozenDict, OrderedTable, TableOf
from corridor_sim.model.holidays import KeepsHolidays
from corridor_sim.model.stages import Stage, Stages, holiday_problems, way_back_problems
from corridor_sim.model.takeovers import Acceptance, Slots


class Checkpoint(KeepsHolidays):
    """One country's post at a border; a node of the graph.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> gate = cs.Stage(lanes=2, trucks_per_day=200)
    >>> cs.Checkpoint(crossing="hill", exit={"gate": gate}).stages("exit")["gate"].cycle_h
    0.24
    """

    name: str = ""
    """What tables and pictures call the post; its id if not given."""
    country: str = ""
    """ISO 3166 code of two letters: whose post it is."""
    crossing: str
    """Id of the crossing, shared by the posts on both sides of the border."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude, WGS 84, north positive. [deg]"""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Longitude, WGS 84, east positive. [deg]"""
    open: bool = True
    """Whether the post is in use before any improvement opens it."""
    exit: Stages = OrderedTable()
    """Stages of consignments that leave the country, in order, by id."""
    entry: Stages = OrderedTable()
    """Stages of consignments that enter the country, in order, by id."""
    acceptance: Annotated[TableOf[Acceptance], Directed] = FrozenDict()
    """Most that are taken over a day, by direction (exit, entry)."""
    slots: Annotated[TableOf[Slots], Directed] = FrozenDict()
    """Booked slots, by direction (exit, entry)."""
    channels: Annotated[TableOf[Channels], Directed] = FrozenDict()
    """Risk channels, by direction (exit, entry)."""
    hosts: Literal["entry", "exit", "both"] | None = None
    """Directions whose controls of both countries are made here, first those of the country that is left. Where each
    post of a crossing hosts its entry, a consignment stops once, after the border (juxtaposed posts)."""

    @model_validator(mode="after")
    def _directions_agree(self) -> Self:
        problems = holiday_problems(self, {"exit": self.exit, "entry": self.entry})
        for direction in DIRECTIONS:
            other = DIRECTIONS[1 - DIRECTIONS.index(direction)]
            channels = self.channels.get(direction)
            problems += way_back_problems(direction, self.stages(direction))
            for name, stage in self.stages(direction).items():
                at = f"{direction}.{name}"
                if stage.channels:
                    problems += channel_problems(stage.channels, channels, f"{at}.channels")
                if stage.shared:
                    twin = self.stages(other).get(name)
                    if twin is None:
                        hint = f"the direction {other} has no stage {name!r}"
                        problems.append(Problem("must exist in both directions", f"{at}.shared", True, hint=hint))
                    elif direction == "exit" or not twin.shared:
                        differ = [f for f in _LANE_FIELDS if getattr(stage, f) != getattr(twin, f)]
                        problems += [
                            Problem(f"must equal {other}.{name}.{f}: both directions use these lanes", f"{at}.{f}")
                            for f in differ
                        ]
        if problems:
            raise ScenarioError(problems)
        return self

    def stages(self, direction: str) -> OrderedTable[Stage]:
        """Stages of one direction, ``exit`` or ``entry``, in order."""
        stages = self.exit if direction == "exit" else self.entry
        assert isinstance(stages, OrderedTable)
        return stages

    def is_shared(self, stage: str) -> bool:
        """Whether both directions use the lanes of this stage."""
        return any(stage in self.stages(way) and self.stages(way)[stage].shared for way in DIRECTIONS)


_LANE_FIELDS = (
    "lanes",
    "opening_hours",
    "closing",
    "lanes_by_hour",
    "holiday_hours",
    "discipline",
    "priority",
    "reserved",
    "yard",
    "named_lanes",
    "outages",
    "outage_policy",
    "breakdown",
    "staff_pool",
    "staff_per_service",
    "extra_lanes",
    "gate",
)
"""What a stage with lanes shared by both directions must say alike in both."""
