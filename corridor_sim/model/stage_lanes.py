"""Which lanes of a stage are down, kept for a class, or opened besides the others?"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_START_UP_H
from corridor_sim.model.base import Model, Sourced
from corridor_sim.model.calendars import CountByHour
from corridor_sim.model.field_types import Instant, LaneCount, NonNegative, PositiveCount, PositiveLanes, at_most
from corridor_sim.model.spans import require_order
from corridor_sim.model.written_laws import Law


class Outage(Model):
    """A lane (or the whole stage, without `lane`) that is down from an instant until another.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> cs.Outage(from_=dt.datetime(2024, 1, 3, 8), until=dt.datetime(2024, 1, 3, 18)).lane is None
    True
    """

    lane: PositiveLanes | None = None
    """Number of the lane that is down, from 1; the whole stage if not given. [-]"""
    from_: Instant = Field(validation_alias="from", serialization_alias="from")
    """When it begins; local time of the post where there is no offset."""
    until: Instant
    """When it ends; local time of the post where there is no offset."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        require_order(self.from_, self.until)
        return self


class Breakdown(Sourced):
    """Failures at random times: time up, time down, on the calendar clock (a lane fails whether busy or not).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Breakdown(up=cs.Exponential(mean_h=200), down=cs.Gamma(mean_h=4, cv=0.5)).per_lane
    False
    """

    up: Law
    """Law of the time from a repair to the next failure. [h]"""
    down: Law
    """Law of the time from a failure until it is repaired. [h]"""
    per_lane: bool = False
    """Whether each lane fails by itself; else the whole stage does."""

    @model_validator(mode="after")
    def _both_last(self) -> Self:
        words = {"up": "it would always be down", "down": "it would never be down; leave the breakdown out"}
        problems = [
            Problem("must have a mean > 0", name, getattr(self, name).mean_h, hint=hint)
            for name, hint in words.items()
            if not getattr(self, name).mean_h > 0
        ]
        if problems:
            raise ScenarioError(problems)
        return self


class Reserved(Model):
    """Lanes kept for one class; with `overflow` the class may use the other lanes too.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Reserved(lanes=1, overflow=True).overflow
    True
    """

    lanes: LaneCount
    """How many are kept. [lanes]"""
    overflow: bool = False
    """Whether the class may use the other lanes too."""


class ExtraLanes(Sourced):
    """Lanes besides those of the hours, opened and closed by how many wait (rule S27).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.ExtraLanes(above=10, below=3, most=2, start_up_h=0.5).most
    2
    """

    above: PositiveCount
    """One more is opened when more than so many wait. [consignments]"""
    below: PositiveCount
    """One is closed when fewer than so many wait; at most `above`. [consignments]"""
    most: PositiveLanes
    """Most extra lanes open at once: what the staff allows. [lanes]"""
    start_up_h: Annotated[NonNegative, at_most(MAX_START_UP_H)] = 0.0
    """Time from the decision until the lane is open. [h]"""
    most_by_hour: CountByHour | None = None
    """Most extra lanes by local time, in place of `most` where a roster says who can be called. [lanes]"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        problems = []
        if self.below > self.above:
            hint = "a lane would close at the queue at which it opens"
            problems.append(Problem("must be at most above", "below", self.below, f"1 to {self.above}", hint))
        if self.most_by_hour is not None:
            highest = max(self.most_by_hour.values())
            if highest == 0:
                problems.append(Problem("never allows a lane", "most_by_hour", dict(self.most_by_hour)))
            elif highest > self.most:
                problems.append(Problem("is above most", "most_by_hour", highest, f"at most {self.most}"))
        if problems:
            raise ScenarioError(problems)
        return self
