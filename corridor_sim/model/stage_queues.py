"""Who does not simply wait at a stage for his turn: who is held back before it, gives up, or comes again?"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.base import Sourced
from corridor_sim.model.field_types import FrozenDict, PositiveCount, Probability, TableOf, at_most
from corridor_sim.model.written_laws import Law


class QueueGate(Sourced):
    """Nobody more is taken while the queue at a place further on is long (rule S31).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.QueueGate(queue_at="checkpoints.northgate_b.entry.xray", close_at=20, open_below=10).open_below
    10
    """

    queue_at: str
    """Path of the stage, or of the direction of a post, whose queue counts: ``"checkpoints.<post>.exit.<stage>"``."""
    close_at: PositiveCount
    """The gate closes when so many wait there, or more. [consignments]"""
    open_below: PositiveCount
    """It opens again when fewer wait there; at most `close_at`. [consignments]"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.open_below > self.close_at:
            hint = "the gate would open at the queue at which it closes"
            allowed = f"1 to {self.close_at}"
            raise ScenarioError([Problem("must be at most close_at", "open_below", self.open_below, allowed, hint)])
        return self


class Patience(Sourced):
    """Who has waited longer than his patience leaves the queue (rule S34): for good, or for another crossing.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Patience(law=cs.Exponential(mean_h=12), by_class={"perishable": cs.Exponential(mean_h=4)}).to is None
    True
    """

    law: Law | None = None
    """Law of the longest wait in the queue, from joining it; without it only classes of `by_class` leave. [h]"""
    by_class: TableOf[Law] = FrozenDict()
    """The law of a cargo class, in place of `law`. [h]"""
    to: str | None = None
    """Crossing of the same border for which he leaves; not given, he turns back and is lost."""

    @model_validator(mode="after")
    def _of_somebody(self) -> Self:
        if self.law is None and not self.by_class:
            raise ScenarioError([Problem("is required", "law", hint="or give laws of classes by by_class")])
        return self


class WayBack(Sourced):
    """A share of those whose service ends at the stage goes back and comes again, at most so often (rule S33).

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.WayBack(share=0.2, to="weighbridge", most=2).most
    2
    """

    share: Probability
    """Share of those who come from the stage that go back, each time. [-]"""
    share_by_class: TableOf[Probability] = FrozenDict()
    """Share of a cargo class, in place of `share`. [-]"""
    to: str = ""
    """Id of the stage of the same direction where they begin again; this one if not given."""
    most: Annotated[PositiveCount, at_most(20)] = 1
    """Most times that a consignment goes back; after that it goes on whatever comes out. [-]"""
