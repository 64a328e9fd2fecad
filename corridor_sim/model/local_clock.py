"""What places, posts, staff pools and profiles share: a local time, by a zone's name or a fixed offset (rule D32)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.local_time import LocalTime, zone_info
from corridor_sim.model.base import Sourced

ONE_CLOCK = 'leave one of them out; zone = "" takes out a zone that a base gives'


def _known_zone(name: str) -> str:
    if name:
        zone_info(name)
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""An IANA name such as ``Asia/Baku``; "" where an offset stands instead."""
OffsetHours = Annotated[float, Field(ge=-12, le=14)]
"""Local time minus UTC. [h]"""


class OnLocalTime(Sourced):
    """An object with a local time of its own."""

    zone: ZoneName = ""
    """IANA name of the local time, with its changes of the clock."""
    utc_offset_h: OffsetHours = 0.0
    """Local time minus UTC all year, where no zone is named. [h]"""

    @property
    def local_time(self) -> LocalTime:
        """The zone, or the fixed offset."""
        return LocalTime(self.zone) if self.zone else LocalTime(utc_offset_h=self.utc_offset_h)

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        if self.zone and "utc_offset_h" in self.model_fields_set:
            text = "does not go with a `zone`"
            raise ScenarioError([Problem(text, "utc_offset_h", self.utc_offset_h, hint=ONE_CLOCK)])
        return self
