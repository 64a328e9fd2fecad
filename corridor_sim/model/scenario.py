"""A scenario: a corridor, dated improvements and how it is to be run.

Frozen values; `with_improvements`, `without_improvements` and `replace` make a
new scenario. `corridor_sim.model.checks.problems` says what does not fit together.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.units import H_PER_DAY, counted
from corridor_sim.model.base import Model
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.field_types import FrozenDict, Instant, NonNegative, Positive, TableOf, TupleOf, at_most
from corridor_sim.model.flows import Flow
from corridor_sim.model.ids import LONGEST_ID, sound_ids
from corridor_sim.model.improvements import IMPROVEMENTS, Improvement
from corridor_sim.model.initial_queues import InitialQueue
from corridor_sim.model.schemas import KindOf

LONGEST_RUN_H = 2.0**20
"""About 119 years; keeps every sum of times exact on the clock grid. [h]"""


class RunSettings(Model):
    """When the run starts (UTC), how long it is, how often it is repeated.

    Give each length in days or in hours. The cool-down is the last part of the
    horizon, in which consignments still come but are not counted.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> cs.RunSettings(start=dt.date(2024, 1, 1), horizon_days=14, warm_up_days=2).replications
    20
    """

    start: Instant
    """Hour 0 of the run; UTC where there is no offset."""
    horizon_days: Positive | None = None
    """Time simulated, warm-up included. [days]"""
    horizon_hours: Positive | None = Field(None, validation_alias="horizon_h", serialization_alias="horizon_h")
    """Time simulated, warm-up included. [h]"""
    warm_up_days: NonNegative | None = None
    """Time at the beginning that indicators leave out. [days]"""
    warm_up_hours: NonNegative | None = Field(None, validation_alias="warm_up_h", serialization_alias="warm_up_h")
    """Time at the beginning that indicators leave out. [h]"""
    cool_down_days: NonNegative | None = None
    """Time at the end in which joining consignments are not counted. [days]"""
    cool_down_hours: NonNegative | None = Field(None, validation_alias="cool_down_h", serialization_alias="cool_down_h")
    """Time at the end in which joining consignments are not counted. [h]"""
    replications: Annotated[int, Field(ge=1), at_most(MAX_REPLICATIONS)] = 20
    """Independent repetitions of the run. [-]"""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of all random streams; the same seed gives the same results. [-]"""
    kind: Literal["terminating", "cyclic", "steady"] = "terminating"
    """What is asked: a stretch of time with a beginning and an end, one of a repeating cycle, or the long run."""
    initial_queue: Annotated[TableOf[InitialQueue], AfterValidator(sound_ids)] = FrozenDict()
    """Who waits where when the run begins, queue by queue."""

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        problems: list[Problem] = []
        for name in ("horizon", "warm_up", "cool_down"):
            if getattr(self, f"{name}_days") is not None and getattr(self, f"{name}_hours") is not None:
                hint = f'a variant takes the one of its base out with: remove = ["run.{name}_days"]'
                text = f"gives the length twice; give {name}_days or {name}_h"
                problems.append(Problem(text, f"{name}_h", hint=hint))
        if self.horizon_days is None and self.horizon_hours is None:
            problems.append(Problem("is required", "horizon_days", hint="or give horizon_h"))
        elif not problems:
            if self.horizon_h > LONGEST_RUN_H:
                text = f"must be at most {LONGEST_RUN_H:.0f} h ({LONGEST_RUN_H / 8766:.0f} years)"
                problems.append(Problem(text, "horizon_h", self.horizon_h))
            if self.warm_up_h >= self.horizon_h:
                allowed = f"< {self.horizon_h:g} h"
                problems.append(Problem("must be shorter than the horizon", "warm_up_h", self.warm_up_h, allowed))
            elif self.warm_up_h + self.cool_down_h >= self.horizon_h:
                text = "must leave time between warm-up and cool-down"
                problems.append(Problem(text, "cool_down_h", self.cool_down_h))
        if problems:
            raise ScenarioError(problems)
        return self

    def _length_h(self, name: str) -> float:
        days, hours = getattr(self, f"{name}_days"), getattr(self, f"{name}_hours")
        return float(days * H_PER_DAY if days is not None else hours or 0.0)

    @property
    def horizon_h(self) -> float:
        """Hours simulated, warm-up included. [h]"""
        return self._length_h("horizon")

    @property
    def warm_up_h(self) -> float:
        """Hours at the beginning that indicators leave out. [h]"""
        return self._length_h("warm_up")

    @property
    def cool_down_h(self) -> float:
        """Hours at the end that indicators leave out. [h]"""
        return self._length_h("cool_down")

    @property
    def count_until_h(self) -> float:
        """End of the hours in which joining consignments are counted. [h]"""
        return self.horizon_h - self.cool_down_h

    @property
    def start_utc(self) -> dt.datetime:
        """The start without an offset, in UTC."""
        if self.start.tzinfo is None:
            return self.start
        return self.start.astimezone(dt.UTC).replace(tzinfo=None)


def classes_of(data: Mapping[str, Any]) -> frozenset[str]:
    """Cargo classes of the flows in some tables; what is no flow is told elsewhere."""
    flows = data.get("flows")
    tables = [flow for flow in flows.values() if isinstance(flow, dict)] if isinstance(flows, dict) else []
    usual = Flow.model_fields["cargo_class"].default
    names = [flow.get("cargo_class", usual) for flow in tables]
    return frozenset(name for name in names if isinstance(name, str))


def former_classes(known: Iterable[str], classes: Iterable[str]) -> tuple[str, ...]:
    """Those of the known classes that are no class any more, in order of their names."""
    return tuple(sorted(set(known) - set(classes)))


class Scenario(Corridor):
    """A corridor with dated improvements and run settings.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> base = cs.load_scenario("teaching")
    >>> base.with_value("flows.flour.per_day", 150.0).replace(name="more flour").flows["flour"].per_day
    150.0
    """

    schema_version: Literal[1] = Field(1, validation_alias="schema", serialization_alias="schema")
    """Version of the file format: 1. [-]"""
    run: RunSettings
    """How long is simulated, and how often."""
    improvements: Annotated[TableOf[Annotated[Improvement, KindOf(IMPROVEMENTS)]], AfterValidator(sound_ids)] = (
        FrozenDict()
    )
    """Dated changes of the corridor, by id."""
    former_classes: TupleOf[str] = ()
    """Cargo classes that a scenario from which this one was made has, and none of its flows.

    What still names one of them (a priority, a reservation, a share) is a warning; what names a
    class that never was is an error. Filled in by ``extends`` and by `replace`.
    """

    def _contents(self) -> list[str]:
        run = self.run
        warm_up = f", warm-up {run.warm_up_h / H_PER_DAY:g}" if run.warm_up_h else ""
        return [
            *super()._contents(),
            counted(len(self.improvements), "improvement"),
            f"{run.horizon_h / H_PER_DAY:g} days from {run.start}{warm_up}",
            *([f"{sum(len(one.times_h) for one in run.initial_queue.values())} wait"] if run.initial_queue else []),
            counted(run.replications, "replication"),
            f"seed {run.seed}",
        ]

    @property
    def corridor(self) -> Corridor:
        """The corridor alone, without improvements and run settings."""
        return Corridor(**{name: getattr(self, name) for name in Corridor.model_fields})

    def replace(self, **changes: Any) -> Self:
        """The same scenario with some fields changed, validated again.

        With other `flows`, the classes that none of them has any more become `former_classes`, unless
        these are given too: taking the flows of a class out leaves the rest of the scenario valid.

        Raises
        ------
        ScenarioError
            If the changed scenario is not valid.
        """
        if "flows" not in changes or "former_classes" in changes:
            return super().replace(**changes)
        changed = super().replace(**changes)
        former = former_classes({*self.former_classes, *self.classes}, changed.classes)
        return changed if former == changed.former_classes else Model.replace(changed, former_classes=former)

    @property
    def classes(self) -> frozenset[str]:
        """Cargo classes of the flows."""
        return frozenset(flow.cargo_class for flow in self.flows.values())

    def with_improvements(self, *improvements: Improvement, **named: Improvement) -> Self:
        """The scenario with more improvements.

        Unnamed ones are called after their `name`, or after what they do and where.

        Raises
        ------
        ScenarioError
            If a name is taken or an improvement does not fit.
        """
        table = dict(self.improvements)
        pairs = [("", improvement) for improvement in improvements] + list(named.items())
        for given, improvement in pairs:
            name = given or self._name_for(improvement, table)
            if name in table:
                hint = f"take another name, or first without_improvements({name!r})"
                raise ScenarioError([Problem("is the name of another improvement", f"improvements.{name}", hint=hint)])
            table[name] = improvement
        return self.replace(improvements=table)

    def without_improvements(self, *names: str) -> Self:
        """The scenario without the improvements named; without names, without any.

        Raises
        ------
        ScenarioError
            If there is none of a name.
        """
        unknown = [name for name in names if name not in self.improvements]
        if unknown:
            known = ", ".join(self.improvements)
            raise ScenarioError(
                [
                    Problem(f"there is no improvement {n!r}", "", None, known, nearest(n, self.improvements))
                    for n in unknown
                ]
            )
        kept = {name: one for name, one in self.improvements.items() if names and name not in names}
        return self.replace(improvements=kept)

    def _repr_html_(self) -> str:
        from html import escape

        run = self.run
        posts = {id: f"{post.name or id} {post.country}".strip() for id, post in self.checkpoints.items()}
        dated = {
            id: f"{one.name or id} ({type(one).kind}{f', {one.from_:%Y-%m-%d}' if one.from_ else ''})"
            for id, one in self.improvements.items()
        }
        warm_up = f", {run.warm_up_h / H_PER_DAY:g} of them warm-up" if run.warm_up_h else ""
        rows = [
            ("run", f"{run.horizon_h / H_PER_DAY:g} days from {run.start}{warm_up}; {run.replications} replications"),
            ("posts", ", ".join(posts.values())),
            ("legs", str(len(self.legs))),
            ("flows", ", ".join(flow.name or id for id, flow in self.flows.items())),
            ("improvements", ", ".join(dated.values()) or "none"),
        ]
        body = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        about = f"<p>{escape(self.about)}</p>" if self.about else ""
        title = escape(self.name or "scenario")
        return f"<details open><summary>{title}</summary>{about}<table>{body}</table></details>"

    def to_data(self) -> dict[str, Any]:
        """As plain tables, with the version of the schema first."""
        return {"schema": self.schema_version, **super().to_data()}

    @staticmethod
    def _name_for(improvement: Improvement, taken: dict[str, Improvement]) -> str:
        words = improvement.name or f"{type(improvement).kind} {improvement.path.partition('.')[2]}"
        stem = re.sub(r"[^\w-]+", "_", words).strip("_")[: LONGEST_ID - 4] or "improvement"
        name, count = stem, 1
        while name in taken and not improvement.name:
            count += 1
            name = f"{stem}_{count}"
        return name
