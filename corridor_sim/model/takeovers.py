"""How many are taken over in one direction of a post, and when: numbers a day, and booked slots."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MIN_GAP_H
from corridor_sim.model.base import Sourced
from corridor_sim.model.calendars import CountByHour
from corridor_sim.model.field_types import Positive, PositiveCount, Probability, at_least
from corridor_sim.model.written_laws import Law


class Acceptance(Sourced):
    """Most consignments a local day that are taken over in one direction.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Acceptance(per_day=250).per_day
    250
    """

    per_day: PositiveCount
    """Most that are taken over from one local midnight to the next. [consignments/day]"""


class Slots(Sourced):
    """Booked slots: so many a local day, evenly spaced or in groups every `every_h`, or by the hour (rule S29).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Slots(per_day=200, every_h=1).every_h
    1.0
    """

    per_day: PositiveCount | None = None
    """Slots from one local midnight to the next. [consignments/day]"""
    by_hour: CountByHour | None = None
    """Slots an hour by local time, in place of `per_day`: none while the post is closed. [consignments/h]"""
    every_h: Annotated[Positive, at_least(MIN_GAP_H)] | None = None
    """Time between groups of slots; without it every slot has its own time. [h]"""
    share: Probability = 1.0
    """Share of the consignments that book; the others come when they come. [-]"""
    no_show: Probability = 0.0
    """Share of the places whose holder does not come: they are lost, and he takes the next that is free. [-]"""
    late_share: Probability | None = None
    """Share of those with a slot that come after it, and stand in line as they come; nobody if not given. [-]"""
    late_by: Law | None = None
    """Law of the time by which they are late. [h]"""

    @model_validator(mode="after")
    def _group(self) -> Self:
        problems = []
        if self.every_h is not None and self.every_h > 24:
            problems.append(Problem("must be at most a day", "every_h", self.every_h, "> 0 and <= 24"))
        if (self.per_day is None) is (self.by_hour is None):
            problems.append(Problem("needs per_day or by_hour, one of them", "per_day", self.per_day))
        if self.by_hour is not None and self.every_h is not None:
            problems.append(Problem("has no meaning with by_hour", "every_h", self.every_h))
        if self.by_hour is not None and not any(self.by_hour.values()):
            problems.append(Problem("has no slot", "by_hour", dict(self.by_hour)))
        if self.no_show == 1:
            problems.append(Problem("leaves no place to anybody", "no_show", self.no_show, "< 1"))
        if self.late_share is None if self.late_by is not None else bool(self.late_share):
            problems.append(Problem("goes with late_by, a law of the time by which they are late", "late_share"))
        if problems:
            raise ScenarioError(problems)
        return self
