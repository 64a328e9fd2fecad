"""Improvements that change who may set out on a leg, and when: bans by night, at weekends, for a class (rule S30)."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.changes import Change
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.field_types import FrozenDict, NamesOf, TableOf
from corridor_sim.model.improvements.base import IMPROVEMENTS, LegImprovement, require
from corridor_sim.model.legs import LegBan


@IMPROVEMENTS.register("leg_bans", at="legs.leg", bans={"night": {"hours": ["22:00-06:00"]}})
class ChangeBans(LegImprovement):
    """Bans that hold on a leg from a date on, and bans of the leg that hold no more (rule S30).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> night = cs.LegBan(hours=["22:00-06:00"], cargo_classes=["loaded"])
    >>> cs.ChangeBans(at="legs.bridge", bans={"night": night}).bans["night"].hours
    ('22:00-06:00',)
    """

    bans: TableOf[LegBan] = FrozenDict()
    """Bans that hold, by name; one of a name that the leg has stands in its place."""
    lifts: NamesOf = ()
    """Names of bans of the leg that do not hold."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.bans and not self.lifts:
            raise ScenarioError([Problem("is required", "bans", hint="or name in lifts what does not hold")])
        if both := [name for name in self.lifts if name in self.bans]:
            raise ScenarioError([Problem("is given by bans too", "lifts", both[0])])
        return self

    def changes(self, corridor: Corridor) -> list[Change]:
        """Each ban set, or taken away."""
        id = self.leg_id(corridor)
        leg = corridor.legs[id]
        if leg.timetable is not None:
            raise ScenarioError([Problem("names a leg with a timetable, which has no bans", "at", self.path)])
        for name in self.lifts:
            require(leg.bans, name, "ban", "lifts")
        terms = {**dict.fromkeys(self.lifts), **self.bans}
        return [self.change(f"legs.{id}.bans.{name}", "set", ban) for name, ban in terms.items()]
