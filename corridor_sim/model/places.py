"""What is a place: a node of the map, with the stages of those who change the kind of leg there?"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from corridor_sim.core.errors import ScenarioError
from corridor_sim.model.field_types import NonNegative, OrderedTable
from corridor_sim.model.holidays import KeepsHolidays
from corridor_sim.model.stages import Stages, holiday_problems, way_back_problems


class Place(KeepsHolidays):
    """A city, port, terminal or border of the map; a node of the graph.

    `transfer` are the stages (cranes, gauge change, berths) of consignments
    that change the kind of leg here.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Place(name="Baku", country="AZ", lat=40.4, lon=49.9).name
    'Baku'
    """

    name: str = ""
    """What tables and pictures call the place; its id if not given."""
    country: str = ""
    """ISO 3166 code of two letters."""
    kind: str = ""
    """City, port, terminal, border, ..."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude, WGS 84, north positive. [deg]"""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Longitude, WGS 84, east positive. [deg]"""
    transfer: Stages = OrderedTable()
    """Stages of consignments that change the kind of leg here, in order, by id."""
    handling_usd_t: NonNegative | None = None
    """Paid for a tonne handled here: where the kind of leg changes, and at ends that `handled_at` names. [US$/t]"""
    handling_usd_teu: NonNegative | None = None
    """The same for a container of twenty feet, of flows that are `handled_as = "teu"`. [US$/TEU]"""
    handled_through: bool = False
    """Whether cargo is handled here also where it goes on by the same kind of leg, as at a change of gauge."""

    @model_validator(mode="after")
    def _stages_fit(self) -> Self:
        if problems := holiday_problems(self, {"transfer": self.transfer}) + way_back_problems(
            "transfer", self.transfer
        ):
            raise ScenarioError(problems)
        return self
