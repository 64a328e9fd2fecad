"""The one-stop post: controls of both countries where a consignment stops once (rule S32)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.changes import Change, OneStop
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.field_types import Factor, NamesOf
from corridor_sim.model.improvements.base import IMPROVEMENTS, Improvement, require


@IMPROVEMENTS.register("one_stop_post", crossing="border", host="post")
class OneStopPost(Improvement):
    """One stop for the controls of both countries, at a post for both directions or at one for each (rule S32).

    The `host` is the id of a post, or ``"entry"``: each direction stops at the post of the country that it enters
    (juxtaposed posts), or ``"exit"``: at that of the country it leaves. With ``controls = "together"`` stages of one id
    are passed once, `stages` of them or all, in `service_factor` times the time of the host; with
    ``"in_turn"`` those of the country that is left come first, with their own lanes, and then those of the
    country that is entered. It holds for consignments released from its date on.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.OneStopPost(crossing="northgate", host="northgate_b", stages=["lanes"]).host
    'northgate_b'
    >>> cs.OneStopPost(crossing="northgate", host="entry", controls="in_turn").controls
    'in_turn'
    """

    crossing: str
    """Id of the crossing whose posts become one."""
    host: str
    """Id of the post at which all stop, or "entry" or "exit": the post of the country that is entered, or left."""
    controls: Literal["together", "in_turn"] = "together"
    """Whether stages of one id are passed once for both countries, or those of both one after the other."""
    stages: NamesOf = ()
    """Ids of the stages that are passed once; all that both posts have if not given."""
    service_factor: Factor = 1.0
    """Service time of the stages that are passed once over that at the host before. [-]"""

    @model_validator(mode="after")
    def _no_path(self) -> Self:
        problems = []
        if self.at:
            problems.append(Problem("has no meaning here; the crossing says where", "at", self.at))
        if self.controls == "in_turn":
            text, hint = 'has no meaning with controls = "in_turn"', "no stage is passed once for both"
            if self.stages:
                problems.append(Problem(text, "stages", list(self.stages), hint=hint))
            if self.service_factor != 1:
                problems.append(Problem(text, "service_factor", self.service_factor, hint=hint))
        if problems:
            raise ScenarioError(problems)
        return self

    @property
    def path(self) -> str:
        """Path of the crossing."""
        return f"crossings.{self.crossing}"

    def changes(self, corridor: Corridor) -> list[Change]:
        """The crossing made one stop from the date on."""
        require(corridor.crossings, self.crossing, "crossing", "crossing")
        posts = corridor.crossings[self.crossing]
        if self.host in posts or self.host not in DIRECTIONS:
            require((*posts, *DIRECTIONS), self.host, "post of the crossing", "host")
            hosts = {(self.host, way) for way in DIRECTIONS}
        else:
            hosts = {(post, self.host) for post in posts}
        moved = self.host not in posts or self.controls == "in_turn"
        if self.controls == "in_turn":
            terms = OneStop(frozenset(hosts), moved=True)
            return [self.change(f"crossings.{self.crossing}.one_stop", "set", terms)]
        merged = {
            name
            for host, home in hosts
            for guest in posts
            if guest != host
            for name in corridor.checkpoints[guest].stages(DIRECTIONS[1 - DIRECTIONS.index(home)])
            if name in corridor.checkpoints[host].stages(home)
        }
        if not merged:
            text = "both posts must have a stage of the same id to merge"
            hint = 'or give controls = "in_turn": those of one country after those of the other'
            raise ScenarioError([Problem(text, "crossing", self.crossing, hint=hint)])
        for name in self.stages:
            require(sorted(merged), name, "common stage", "stages")
        terms = OneStop(frozenset(hosts), frozenset(self.stages or merged), self.service_factor, moved)
        return [self.change(f"crossings.{self.crossing}.one_stop", "set", terms)]
