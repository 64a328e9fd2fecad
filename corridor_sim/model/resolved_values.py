"""Is every changed value, over the whole run, one that its field would take if it stood there itself?

A change is held to the rules of what it changes (rule D28): after all changes in
force are resolved, a share lies between 0 and 1, a number of lanes is whole and not
negative, a leg with a timetable is given no headway. To hold another value to a rule, add it to
`_rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model.changes import DatedChange, is_number, pieces, value_at
from corridor_sim.model.dated_routes import ByPath
from corridor_sim.model.field_types import Count, Positive, PositiveCount, Probability, WholeOrUnlimited
from corridor_sim.model.improvements.base import require_stage
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.stages import Stage

Growth = Annotated[float, Field(gt=-1, le=10)]
SlotInterval = Annotated[float, Field(gt=0, le=24)]

_WORDS = {
    Count: "a whole number >= 0",
    PositiveCount: "a whole number >= 1",
    Positive: "a number > 0",
    Probability: "between 0 and 1",
    WholeOrUnlimited: "a whole number >= 0, or 'unlimited'",
    Growth: "> -1 and <= 10",
    SlotInterval: "> 0 and <= 24",
}
_WHOLE = (Count, PositiveCount, WholeOrUnlimited)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be, and what it is at an hour without changes; None where there is none to be held to."""

    allowed: Any
    base: Callable[[float], Any]


def problems(scenario: Scenario, changes: ByPath) -> list[Problem]:
    """Values that no field would take, one problem a path and improvement; then what does not go together."""
    found: list[Problem] = []
    for path, dated in changes.items():
        rule = _rule(scenario, changes, path)
        if rule is not None:
            found += _broken(rule, path, dated, scenario.run.horizon_h)
    return [*found, *_orders(changes), *_reservations(scenario, changes), *_legs_with_timetables(scenario, changes)]


def _rule(scenario: Scenario, changes: ByPath, path: str) -> Rule | None:
    """The rule of a path; None where the type of the change says all, or another check does."""
    table, id, *rest = path.split(".")
    match table, rest:
        case ("checkpoints", [_, _, *field]) | ("places", ["transfer", _, *field]) if rest[0] in _STAGE_TABLES:
            stage = require_stage(scenario, ".".join(path.split(".")[:4]))
            return _stage_rule(stage, changes, path.rpartition("." + ".".join(field))[0], field)
        case "checkpoints", ["acceptance" | "slots" as what, way, field]:
            thing = getattr(scenario.checkpoints[id], what).get(way)
            value = getattr(thing, field, None)
            return Rule(SlotInterval if field == "every_h" else PositiveCount, lambda _: value)
        case "checkpoints", ["channels", way, *where]:
            channels = scenario.checkpoints[id].channels[way]
            shares: Mapping[str, float] = channels.shares
            if where[0] == "by_class":
                shares = channels.by_class.get(where[1], shares)
            return Rule(Probability, lambda _: shares[where[-1]])
        case "legs", ["speed_kmh"]:
            return Rule(Positive, lambda _: scenario.legs[id].mean_speed_kmh)
        case "legs", ["headway_h"]:
            return Rule(Positive, lambda _: scenario.legs[id].entry_headway_h)
        case "legs", ["max_vehicles"]:
            return Rule(PositiveCount, lambda _: scenario.legs[id].max_vehicles)
        case "flows", ["growth_per_year"]:
            return Rule(Growth, lambda _: scenario.flows[id].growth_per_year)
        case "flows", ["diverted", _]:
            return Rule(Probability, lambda _: 0.0)
        case "staff_pools", ["members"]:
            pool = scenario.staff_pools[id]
            least = min((pool.members_by_hour or {"": pool.members}).values())
            return Rule(Count, lambda _: least)
    return None


_STAGE_TABLES = ("exit", "entry", "transfer")


def _stage_rule(stage: Stage, changes: ByPath, path: str, field: Sequence[str]) -> Rule | None:
    match field:
        case ["share"]:
            return Rule(Probability, lambda _: stage.share)
        case ["share_by_class", name]:
            general = changes.get(f"{path}.share", ())
            if name in stage.share_by_class:
                return Rule(Probability, lambda _: stage.share_by_class[name])
            return Rule(Probability, lambda hour: value_at(stage.share, general, hour))
        case ["factor"]:
            return Rule(Positive, lambda _: 1.0)
        case ["factor_by_class", name]:
            return Rule(Positive, lambda _: stage.factor_by_class.get(name, 1.0))
        case ["yard"]:
            return Rule(WholeOrUnlimited, lambda _: stage.yard)
        case ["reserved", name, "lanes"]:
            return Rule(Count, lambda _: stage.reserved[name].lanes if name in stage.reserved else 0)
        case ["lanes"] if isinstance(stage.lanes, int):
            # Fewer than none is told by the check of lanes, which knows who uses the stage.
            return Rule(Count, lambda _: max([int(stage.lanes), *(stage.lanes_by_hour or {}).values()]))
    return None


def _broken(rule: Rule, path: str, dated: Sequence[DatedChange], horizon_h: float) -> Iterator[Problem]:
    told: set[str] = set()
    edges = sorted({0.0, *(edge for one in dated for edge in one.edges() if 0 < edge < horizon_h)})
    for hour in edges:
        effects = [one.effect(hour) for one in dated]
        if not any(effects):
            continue
        value = value_at(rule.base(hour), dated, hour)
        if value is None or (rule.allowed is Count and path.endswith("lanes") and is_number(value) and value < 0):
            continue
        if rule.allowed in _WHOLE and is_number(value) and any(0 < effect < 1 for effect in effects):
            value = int(value)  # a number of things that grows day by day is rounded towards none
        by = next(one.change.by for one, effect in zip(reversed(dated), reversed(effects), strict=True) if effect)
        if by not in told and not _fits(rule.allowed, value):
            told.add(by)
            names = [
                one.change.by for one, effect in zip(dated, effects, strict=True) if effect and one.change.by != by
            ]
            with_ = f", with {', '.join(dict.fromkeys(names))}" if names else ""
            text = f"would make {path} {value!r} {hour:g} h after the start{with_}; it must be {_WORDS[rule.allowed]}"
            last = next(one.change for one in reversed(dated) if one.change.by == by)
            yield Problem(text, f"improvements.{by}{'.factor' if last.operation == 'multiply' else ''}")


@cache
def _adapter(allowed: Any) -> TypeAdapter[Any]:
    return TypeAdapter(allowed)


def _fits(allowed: Any, value: Any) -> bool:
    if allowed in _WHOLE and isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        _adapter(allowed).validate_python(value, strict=True)
    except (ValidationError, ScenarioError):
        return False
    return True


def _orders(changes: ByPath) -> Iterator[Problem]:
    """Orders of classes in which one stands twice."""
    for path, dated in changes.items():
        for one in dated if path.endswith(".priority") else ():
            order = one.change.value
            for name in sorted({name for name in order if order.count(name) > 1}):
                yield Problem("is listed twice", f"improvements.{one.change.by}.priority", name)


def _reservations(scenario: Scenario, changes: ByPath) -> Iterator[Problem]:
    """Lanes reserved that a stage never has, and overflow that changes while lanes are reserved."""
    horizon_h = scenario.run.horizon_h
    stages: dict[str, dict[str, None]] = {}
    for path in changes:
        at, reserved, rest = path.partition(".reserved.")
        if reserved:
            stages.setdefault(at, {})[rest.rpartition(".")[0]] = None
    for at, classes in stages.items():
        stage = require_stage(scenario, at)
        if stage.lanes == "unlimited":
            continue
        most = max([stage.lanes, *(stage.lanes_by_hour or {}).values()])
        most = max(value for _, value in pieces(most, changes.get(f"{at}.lanes", ()), horizon_h))
        names = dict.fromkeys((*stage.reserved, *classes))
        lanes = {name: _reserved(stage, changes, at, name, "lanes") for name in names}
        edges = {0.0, *(edge for _, dated in lanes.values() for one in dated for edge in one.edges() if edge > 0)}
        for hour in sorted(edge for edge in edges if edge < horizon_h):
            kept = sum(value_at(base, dated, hour) for base, dated in lanes.values())
            by = [one.change.by for _, dated in lanes.values() for one in dated if one.effect(hour)]
            if by and kept > most:
                text = f"would keep {kept:g} lanes of {at}, which never has more than {most:g}"
                yield Problem(text, f"improvements.{by[-1]}.lanes")
                break
        for name in classes:
            base, dated = _reserved(stage, changes, at, name, "overflow")
            hours = sorted({0.0, *(edge for one in (*dated, *lanes[name][1]) for edge in one.edges() if edge > 0)})
            in_force = [hour for hour in hours if hour < horizon_h and value_at(*lanes[name], hour)]
            if len({value_at(base, dated, hour) for hour in in_force}) > 1:
                text = f"would change whether {name} may overflow at {at} while lanes are reserved for it"
                hint = "end the first reservation when the second begins, or let both overflow"
                yield Problem(text, f"improvements.{dated[-1].change.by}.overflow", hint=hint)


def _reserved(stage: Stage, changes: ByPath, at: str, name: str, field: str) -> tuple[Any, Sequence[DatedChange]]:
    base = getattr(stage.reserved.get(name), field, 0 if field == "lanes" else False)
    return base, changes.get(f"{at}.reserved.{name}.{field}", ())


def _legs_with_timetables(scenario: Scenario, changes: ByPath) -> Iterator[Problem]:
    """Changes of the limits of entry while a leg has a timetable, which takes the place of those it had."""
    horizon_h = scenario.run.horizon_h
    for id, leg in scenario.legs.items():
        tables = changes.get(f"legs.{id}.timetable", ())
        for field in ("headway_h", "max_vehicles"):
            limits = changes.get(f"legs.{id}.{field}", ())
            edges = {0.0, *(edge for one in (*tables, *limits) for edge in one.edges() if 0 < edge < horizon_h)}
            for hour in sorted(edges):
                by = [one.change.by for one in limits if one.effect(hour)]
                if by and value_at(leg.timetable, tables, hour) is not None:
                    text = f"{field} has no meaning on a leg with a timetable, and legs.{id} has one {hour:g} h after"
                    yield Problem(f"{text} the start", f"improvements.{by[-1]}")
                    break
