"""Which risk channel does a consignment go through, and may a stage name those that it names?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.model.base import Sourced
from corridor_sim.model.field_types import FrozenDict, OrderedTableOf, Probability, TableOf
from corridor_sim.model.schemas import with_shares


class Channels(Sourced):
    """Risk channels of one direction with the share of each, from the lightest to the strictest.

    A stage names the channels that need it: the strictest ones where channels nest, or any that stand side by side.

    Written as a table of shares, ``{ green = 0.80, yellow = 0.15, red = 0.05 }``;
    `by_class` gives other shares for some cargo classes.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.Channels(shares={"green": 0.8, "red": 0.2}).to_data()
    {'green': 0.8, 'red': 0.2}
    """

    shares: OrderedTableOf[Probability]
    """Share of the consignments by channel, the lightest first; they sum to 1. [-]"""
    by_class: TableOf[OrderedTableOf[Probability]] = FrozenDict()
    """Other shares for some cargo classes: by class, then by channel. [-]"""

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, values: Any) -> Any:
        if isinstance(values, dict) and "shares" not in values:
            own = {key: values[key] for key in values if key in cls.model_fields}
            return {**own, "shares": {key: values[key] for key in values if key not in cls.model_fields}}
        return values

    @model_validator(mode="after")
    def _sums(self) -> Self:
        problems = []
        if not self.shares:
            raise ScenarioError([Problem("names no channel", hint="as in { green = 0.8, red = 0.2 }")])
        for name, shares in {
            "": self.shares,
            **{f"by_class.{key}": item for key, item in self.by_class.items()},
        }.items():
            if abs(sum(shares.values()) - 1) > 1e-9:
                problems.append(Problem(f"the shares must sum to 1, they sum to {sum(shares.values()):g}", name))
            if list(shares) != list(self.shares):
                allowed = ", ".join(self.shares)
                problems.append(Problem("must name the same channels in the same order", name, allowed=allowed))
        if problems:
            raise ScenarioError(problems)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The shares stand in the table itself."""
        return with_shares(super().__get_pydantic_json_schema__(schema, handler), handler)

    def to_data(self) -> dict[str, Any]:
        """As a table of shares, as it stands in a file."""
        data = super().to_data()
        return {**data.pop("shares"), **data}


def neighbours(channels: Iterable[str], names: Sequence[str]) -> bool:
    """Whether channels stand side by side in the order of all of them.

    Examples
    --------
    >>> neighbours(["yellow"], ["green", "yellow", "red"]), neighbours(["green", "red"], ["green", "yellow", "red"])
    (True, False)
    """
    places = sorted(names.index(name) for name in set(channels))
    return places == list(range(places[0], places[-1] + 1))


def channel_problems(named: Sequence[str], channels: Channels | None, path: str) -> list[Problem]:
    """What is wrong with the channels that a stage names, of those of its direction."""
    if channels is None:
        return [Problem("needs the channels of this direction", path, list(named))]
    names = list(channels.shares)
    wrong = [name for name in named if name not in names]
    if wrong:
        return [
            Problem("is not a channel of this direction", path, name, ", ".join(names), nearest(name, names))
            for name in wrong
        ]
    if not neighbours(named, names):
        text = "must be channels that follow each other: write the shares of the channels in an order in which they do"
        return [Problem(text, path, list(named), f"some that stand side by side in {', '.join(names)}")]
    return []
