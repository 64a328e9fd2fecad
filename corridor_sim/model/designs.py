"""A design: which values of a scenario are varied together, and at how many points.

Points are made in `study/designs.py`; a file is read in `files/design_files.py`. To add a kind of
factor, add one class here with `@FACTORS.register`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import LARGEST, MAX_POINTS, MAX_REPLICATIONS
from corridor_sim.core.registry import Registry
from corridor_sim.model.base import Model, plain
from corridor_sim.model.field_types import OrderedTable, OrderedTableOf, TupleOf, at_most
from corridor_sim.model.ids import sound_ids
from corridor_sim.model.schemas import InSchema, KindOf

FACTORS: Registry[type[Factor]] = Registry("factor")
DIGITS = 12
"""Significant digits of a drawn number: a table shows the very value that was run, on every machine."""
COLUMNS = frozenset(
    [
        *("point", "scenario", "overloaded", "indicator", "unit", "kind", "place", "direction", "cargo_class", "of"),
        *("hour", "day", "date", "mean", "low", "high", "n", "note"),
    ]
)
"""What a factor cannot be called: columns of the tables that its values stand in."""


def _several(value: Any) -> Any:
    named = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, (list, tuple)) else ()
    if not named or not all(isinstance(one, str) and one and all(one.split(".")) for one in named):
        raise ValueError('must be a path such as "flows.bread.per_day", or a list of paths that get the same value')
    return named


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_several),
    InSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]
Bound = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Whole = Annotated[int, Field(ge=-int(LARGEST), le=int(LARGEST))]


class Factor(Model):
    """What is varied: the value at one path of the scenario, or the same value at several."""

    kind: ClassVar[str] = ""

    of: Names
    """Path of the value that is varied, or paths of several that get the same value."""
    note: str = ""
    """What else is to be known, in words."""

    @property
    def listed(self) -> tuple[Any, ...]:
        """The values that a grid takes."""
        raise NotImplementedError

    def at(self, share: float) -> Any:
        """The value at a place of [0, 1) of its range, evenly spread."""
        values = self.listed
        return values[min(int(share * len(values)), len(values) - 1)]

    def shown(self, value: Any) -> Any:
        """The value as a cell of a table."""
        return value

    def problems(self, kind: str) -> list[Problem]:  # noqa: ARG002
        """What is wrong with the factor in a design of a kind."""
        return []

    @property
    def count(self) -> int:
        """How many values a grid takes."""
        return len(self.listed)


def _require_order(low: float, high: float) -> None:
    if not low < high:
        raise ScenarioError([Problem("must be less than high", "low", low, f"< {high:.15g}")])


@FACTORS.register("number", of="flows.bread.per_day", low=10.0, high=40.0)
class Number(Factor):
    """A number between two ends."""

    low: Bound
    """Low end. [unit of the value]"""
    high: Bound
    """High end. [unit of the value]"""
    scale: Literal["linear", "log"] = "linear"
    """Whether equal steps or equal ratios are equally far apart."""
    levels: Annotated[int, Field(ge=2), at_most(MAX_POINTS)] | None = None
    """Values of a grid, both ends among them. [-]"""

    @model_validator(mode="after")
    def _range(self) -> Self:
        _require_order(self.low, self.high)
        if self.scale == "log" and self.low <= 0:
            raise ScenarioError([Problem('must be > 0 with scale = "log"', "low", self.low, "> 0")])
        return self

    @property
    def listed(self) -> tuple[float, ...]:
        """So many values as there are levels; the first is `low` and the last is `high`."""
        steps = (self.levels or 2) - 1
        return self.low, *(self.at(k / steps) for k in range(1, steps)), self.high

    @property
    def count(self) -> int:
        """How many values a grid takes."""
        return self.levels or 2

    def at(self, share: float) -> float:
        """The number at a share of the way from `low` to `high`."""
        if self.scale == "log":
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def problems(self, kind: str) -> list[Problem]:
        """A grid needs levels, other designs have none."""
        if kind == "grid" and self.levels is None:
            return [Problem("is required in a grid", "levels", hint="how many values, both ends among them")]
        if kind != "grid" and self.levels is not None:
            return [Problem(f'has no meaning with kind = "{kind}"', "levels", self.levels)]
        return []


@FACTORS.register("integer", of="checkpoints.north.exit.lanes.lanes", low=2, high=5)
class Integer(Factor):
    """A whole number, both ends included."""

    low: Whole
    """Low end. [unit of the value]"""
    high: Whole
    """High end. [unit of the value]"""

    @model_validator(mode="after")
    def _range(self) -> Self:
        _require_order(self.low, self.high)
        return self

    @property
    def listed(self) -> Sequence[int]:  # type: ignore[override]
        """All whole numbers from `low` to `high`."""
        return range(self.low, self.high + 1)


@FACTORS.register("category", of="checkpoints.north.exit.lanes.closing", values=["finish", "suspend"])
class Category(Factor):
    """One of the values listed: numbers, texts, dates, or whole tables such as laws of service times."""

    values: TupleOf[Any]
    """The values that it takes, two or more."""
    labels: TupleOf[str] = ()
    """What tables call the values, one for each; needed where a value is a table or a list."""

    @model_validator(mode="after")
    def _values(self) -> Self:
        problems: list[Problem] = []
        if len(self.values) < 2:
            problems.append(Problem("needs two values or more", "values", list(self.values)))
        seen: list[str] = []
        for k, value in enumerate(self.values):
            written = repr(plain(value))
            if not isinstance(value, (bool, int, float, str, dt.date, dt.time, dict, list)) or (
                isinstance(value, float) and not math.isfinite(value)
            ):
                problems.append(
                    Problem("must be a finite number, text, true, false, date or table", f"values.{k}", value)
                )
            elif written in seen:
                problems.append(Problem("is listed twice", f"values.{k}", value))
            seen.append(written)
        if self.labels and (len(self.labels) != len(self.values) or len(set(self.labels)) != len(self.labels)):
            problems.append(Problem(f"must be {len(self.values)} different texts", "labels", list(self.labels)))
        elif not self.labels and any(isinstance(value, (dict, list)) for value in self.values):
            problems.append(Problem("is required where a value is a table or a list", "labels"))
        if problems:
            raise ScenarioError(problems)
        return self

    @property
    def listed(self) -> tuple[Any, ...]:
        """The values as listed."""
        return self.values

    def shown(self, value: Any) -> Any:
        """Its label, if there are labels."""
        if not self.labels:
            return value
        return self.labels[[repr(plain(one)) for one in self.values].index(repr(plain(value)))]


@FACTORS.register("improvement", of="second_scanner")
class Switch(Factor):
    """Improvements of the base scenario, on or off together."""

    @property
    def listed(self) -> tuple[bool, ...]:
        """Off and on."""
        return False, True

    def problems(self, kind: str) -> list[Problem]:  # noqa: ARG002
        """It names improvements, not paths."""
        hint = "give the name of an improvement, as in [improvements.NAME]"
        return [
            Problem("is not the name of an improvement", f"of.{k}", name, hint=hint)
            for k, name in enumerate(self.of)
            if "." in name
        ]

    def shown(self, value: Any) -> str:
        """``on`` or ``off``."""
        return "on" if value else "off"


def _free_names(table: OrderedTable[Factor]) -> OrderedTable[Factor]:
    if not table:
        raise ScenarioError([Problem("needs at least one factor: a table [factors.NAME]")])
    taken = [Problem("is the name of a column of the tables; take another", name) for name in table if name in COLUMNS]
    if taken:
        raise ScenarioError(taken)
    return table


class Design(Model):
    """Values of a scenario that are varied together: factors, and the points at which they are run.

    A ``grid`` runs all combinations; ``lhs`` is a Latin hypercube [mckay1979]; ``sobol`` is a scrambled Sobol
    sequence [owen1995], whose number of points is a power of two. Points hang on the seed alone.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> cs.design("teaching_lanes").kind
    'grid'
    """

    schema_version: Literal[1] = Field(1, validation_alias="schema", serialization_alias="schema")
    """Version of the file format: 1. [-]"""
    name: str = ""
    """What tables and pictures call it."""
    about: str = ""
    """What it is for, in words."""
    base: str = ""
    """The scenario that is varied: a file beside the design or below, or the name of a packaged scenario."""
    kind: Literal["grid", "lhs", "sobol"]
    """How points are placed: all combinations (grid), Latin hypercube (lhs) or Sobol points (sobol)."""
    points: Annotated[int, Field(ge=1), at_most(MAX_POINTS)] | None = None
    """How many points; a grid has as many as there are combinations. [-]"""
    seed: Annotated[int, Field(ge=0)] | None = None
    """Of the points and of all random streams; by default that of the base. [-]"""
    replications: Annotated[int, Field(ge=1), at_most(MAX_REPLICATIONS)] | None = None
    """Of each point; by default those of the base. [-]"""
    factors: Annotated[
        OrderedTableOf[Annotated[Factor, KindOf(FACTORS)]], AfterValidator(sound_ids), AfterValidator(_free_names)
    ]
    """What is varied, by name."""

    _lines: dict[str, tuple[str, int | None]] = PrivateAttr(default_factory=dict)
    """File and line of each factor, where it was read from a file."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = [
            problem.at(f"factors.{name}") for name, one in self.factors.items() for problem in one.problems(self.kind)
        ]
        if self.kind == "grid":
            if self.points is not None:
                problems.append(Problem('has no meaning with kind = "grid"', "points", self.points))
            count = math.prod(one.count for one in self.factors.values())
            if count > MAX_POINTS:
                problems.append(Problem(f"are {count:.6g} combinations; at most {MAX_POINTS} are run", "factors"))
        elif self.points is None:
            problems.append(Problem("is required", "points", hint="how many points"))
        elif self.kind == "sobol" and self.points & (self.points - 1):
            near = 1 << self.points.bit_length() - 1
            hint = f"e.g. {near} or {2 * near}" if 2 * near <= MAX_POINTS else f"e.g. {near}"
            problems.append(Problem('must be a power of two with kind = "sobol"', "points", self.points, hint=hint))
        problems += self._twice()
        if problems:
            raise ScenarioError(problems)
        return self

    def _twice(self) -> list[Problem]:
        """Values that two factors set, or that one sets twice."""
        found: list[Problem] = []
        seen: dict[str, str] = {}
        for name, factor in self.factors.items():
            for k, path in enumerate(factor.of):
                full = f"improvements.{path}" if isinstance(factor, Switch) else path
                for other, owner in seen.items():
                    nested = not isinstance(factor, Switch) and not isinstance(self.factors[owner], Switch)
                    inside = nested and (full.startswith(f"{other}.") or other.startswith(f"{full}."))
                    if full == other or inside:
                        text = f"is set by the factor {owner} too" if owner != name else "is named twice"
                        found.append(Problem(text, f"factors.{name}.of.{k}", path))
                seen.setdefault(full, name)
        return found

    def replace(self, **changes: Any) -> Self:
        """The same design with some fields changed, validated again; where its factors stand is kept."""
        changed = super().replace(**changes)
        changed._lines = self._lines
        return changed

    def place_of(self, path: str) -> tuple[str, int | None]:
        """File and line of the factor that sets the value at a path of the scenario, or a part of it."""
        for name, factor in self.factors.items():
            for one in factor.of:
                own = f"improvements.{one}" if isinstance(factor, Switch) else one
                if path == own or path.startswith(f"{own}.") or (path and own.startswith(f"{path}.")):
                    return self._lines.get(f"factors.{name}", self._lines.get("", ("", None)))
        return self._lines.get("", ("", None))[0], None
