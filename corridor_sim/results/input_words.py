"""What differs between the inputs of two scenarios, as people read it: names, the value before and after, its unit.

`input_changes` gives one `InputChange` a figure; of an improvement it says what it does to each value.
Ids and paths are in `input_differences.py`. To give a field another word or unit, add it to `FIELDS` or `UNITS`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from corridor_sim.core.clean_text import clean
from corridor_sim.core.errors import ScenarioError
from corridor_sim.core.units import counted
from corridor_sim.model.changes import Change, Cycle, DatedChange, OneStop, ReliefTerms, is_number, on_clock, value_at
from corridor_sim.model.paths import canonical, local_time_of
from corridor_sim.plan.plan import Plan
from corridor_sim.results.input_differences import flat, inputs_diff, inputs_of, missing_table, tables
from corridor_sim.results.leg_names import leg_called

FIELDS = {
    "per_day": "",
    "lanes": "lanes",
    "factor": "service time, factor",
    "mean_h": "mean service time",
    "share": "share sent there",
    "yard": "places in the yard",
    "members": "members",
    "open": "open",
    "closed": "",
    "one_stop": "",
    "service": "service",
    "reliefs": "who is served faster",
    "growth_per_year": "growth",
    "every_h": "interval of slots",
    "cv": "spread over mean",
    "speed_cv": "speed, spread over mean",
    "co2_g_tkm": "CO2",
}
"""Words of a field; any other is its name with spaces."""
UNITS = {
    "per_day": "a day",
    "per_year": "a year",
    "usd_tkm": "US$/t km",
    "g_tkm": "g/t km",
    "usd_year": "US$ a year",
    "usd_h": "US$/h",
    "usd_t": "US$/t",
    "usd": "US$",
    "kmh": "km/h",
    "km": "km",
    "days": "days",
    "years": "years",
    "h": "h",
    "t": "t",
    "m": "m",
}
"""Unit by the end of a field's name."""
TABLES = {
    "checkpoints": "post",
    "legs": "leg",
    "flows": "flow",
    "places": "place",
    "improvements": "improvement",
    "ranges": "range",
    "staff_pools": "staff pool",
    "calendars": "calendar",
    "profiles": "profile",
    "crossings": "crossing",
}
"""What one entry of a table is called."""
SAID_OF_FIGURES = ("source", "status", "note", "figures", "quotes")
"""Fields that say where a figure is from: they change no result."""
MOST_EFFECTS = 3
"""Values named of one improvement in a line of text."""
LONGEST_NAME = 120
NOTHING = object()


@dataclass(frozen=True, slots=True)
class InputChange:
    """One value that differs, or one thing that is there in only one of the scenarios.

    Attributes
    ----------
    change
        ``changes``, ``adds`` or ``removes``.
    name
        Of the place or thing, as people call it.
    what
        Of its values, "" where the unit says it.
    old, new
        Before and after, None where there is no value.
    unit
        In words ("a day").
    from_, until
        When it takes effect and ends; None from the beginning and for good.
    by
        Name of the improvement that does it, "" where the scenario itself differs.
    path
        Where it stands in the scenario.
    """

    change: str
    name: str
    what: str
    old: Any
    new: Any
    unit: str
    path: str
    from_: dt.datetime | None = None
    until: dt.datetime | None = None
    by: str = ""

    @property
    def values(self) -> str:
        """What it is changed from and to.

        >>> InputChange("changes", "Astara IR, exit", "daily acceptance", 250, 360, "a day", "").values
        '250 -> 360 a day'
        """
        if self.old is None and self.new is None:
            return ""
        if self.old is None and self.change == "adds":
            return f"{shown(self.new)} {self.unit}".strip()
        if self.new is None and self.change == "removes":
            return f"{shown(self.old)} {self.unit}".strip()
        return f"{shown(self.old)} -> {shown(self.new)} {self.unit}".strip()

    @property
    def effect(self) -> str:
        """Place, what of it, and the values."""
        return ": ".join(part for part in (self.name, " ".join(p for p in (self.what, self.values) if p)) if part)


def inputs_told(base: Any, other: Any) -> list[str]:
    """What `other` changes against `base` in words, a line a change; the effects of one improvement are one line.

    Parameters
    ----------
    base, other : Scenario or Plan
        Of plans made by hand their parts are named by id.
    """
    if isinstance(base, Plan) or isinstance(other, Plan):
        return inputs_diff(base, other)
    lines: list[str] = []
    of_improvement: dict[tuple[str, str], list[InputChange]] = {}
    for one in input_changes(base, other):
        if one.by:
            of_improvement.setdefault((one.change, one.by), []).append(one)
        else:
            lines.append(f"{one.change} {one.effect}" if one.change != "changes" else one.effect)
    return [*(_improvement_told(*key, effects) for key, effects in of_improvement.items()), *lines]


def _improvement_told(change: str, by: str, effects: Sequence[InputChange]) -> str:
    """An improvement with its dates, and the first values that it changes; a place is named once."""
    parts: list[str] = []
    for k, one in enumerate(effects[:MOST_EFFECTS]):
        again = k > 0 and effects[k - 1].name == one.name
        parts.append(replace(one, name="").effect if again else one.effect)
    more = f"; {len(effects) - MOST_EFFECTS} more values" if len(effects) > MOST_EFFECTS else ""
    dates = _dates(effects[0])
    lead = {"adds": "", "removes": "without "}[change]
    return f"{lead}{by}{f' ({dates})' if dates else ''}: {'; '.join(parts)}{more}"


def input_changes(base: Any, other: Any) -> list[InputChange]:
    """Every difference of two scenarios; sources and notes as one line, name and description not at all."""
    first, second = flat(inputs_of(base)), flat(inputs_of(other))
    there = tables(first), tables(second)
    found: list[InputChange] = []
    whole: set[str] = set()
    said: set[str] = set()
    for path in sorted({*first, *second}):
        if path in first and path in second and first[path] == second[path]:
            continue
        mine, change, values = (other, "adds", second) if path in second else (base, "removes", first)
        table = missing_table(path, there[1] if path in first else there[0]) or _missing_range(path, *there)
        if table is not None:
            if table not in whole and not table.startswith("improvements."):
                whole.add(table)
                found.append(_thing(mine, table, change, values))
        elif _is_said(path):
            said.add(_figure_of(path))
        elif not path.startswith("improvements.") or _stays(path, base, other):
            part = path
            if path not in first or path not in second:
                part = _missing_part(path, there[1] if path in first else there[0])
            if part not in whole:
                whole.add(part)
                name, what, unit = words_of(mine, part)
                old, new = _stated(first, base, part), _stated(second, other, part)
                if old != new:
                    found.append(InputChange("changes", name, what, old, new, unit, part))
    found.sort(key=lambda one: one.path.startswith("ranges."))
    if said:
        found.append(
            InputChange("changes", "sources and notes", f"of {counted(len(said), 'figure')}", None, None, "", "")
        )
    return [*_by_improvements(base, other), *found]


# ---------------------------------------------------------------- improvements


def _stays(path: str, base: Any, other: Any) -> bool:
    id = path.split(".")[1]
    return id in base.improvements and id in other.improvements


def _by_improvements(base: Any, other: Any) -> Iterator[InputChange]:
    """What improvements of only one of the scenarios do to each value, one after the other by their dates."""
    for mine, theirs, change in ((other, base, "adds"), (base, other, "removes")):
        shared = [id for id in mine.improvements if id in theirs.improvements]
        applied = {id: _changes_of(mine, id) for id in shared}
        so_far: dict[str, list[DatedChange]] = {}
        for changes in applied.values():
            for one in changes:
                so_far.setdefault(one.change.path, []).append(one)
        only = [(id, one) for id in mine.improvements if id not in theirs.improvements for one in _changes_of(mine, id)]
        told: dict[str, list[InputChange]] = {id: [] for id in mine.improvements if id not in theirs.improvements}
        for id, one in sorted(only, key=lambda pair: pair[1].from_h):
            before = so_far.setdefault(one.change.path, [])
            told[id].append(_effect(mine, id, one, before, change))
            before.append(one)
        for id, effects in told.items():
            name = clean(mine.improvements[id].name or id.replace("_", " "), LONGEST_NAME)
            for effect in effects or [InputChange(change, "", "", None, None, "", f"improvements.{id}")]:
                yield replace(effect, by=name)


def _changes_of(scenario: Any, id: str) -> list[DatedChange]:
    try:
        changes = scenario.improvements[id].dated_changes(scenario, id)
        return [
            on_clock(
                replace(one, path=canonical(scenario, one.path)),
                scenario.run.start_utc,
                local_time_of(scenario, one.path),
            )
            for one in changes
        ]
    except ScenarioError:  # a scenario that does not fit is told by `check`
        return []


def _effect(scenario: Any, id: str, dated: DatedChange, before: Sequence[DatedChange], change: str) -> InputChange:
    one = dated.change
    name, what, unit = words_of(scenario, one.path)
    at = max(dated.from_h, 0.0) + 24.0 * math.ceil(one.ramp_up_days)
    at = min(at, max(dated.from_h, 0.0, dated.until_h - 1e-6)) if math.isfinite(dated.until_h) else at
    base = value_of(scenario, one.path)
    old, new = _values(one, base, before, at)
    if one.path.endswith(".factor") and is_number(old) and is_number(new):
        mean = value_of(scenario, f"{one.path.removesuffix('factor')}service.mean_h")
        if is_number(mean):
            old, new, what, unit = mean * old, mean * new, FIELDS["mean_h"], "h"
    if change == "removes":
        old, new = new, old
    return InputChange(change, name, what, old, new, unit, one.path, one.from_, one.until, id)


def _values(one: Change, base: Any, before: Sequence[DatedChange], at: float) -> tuple[Any, Any]:
    """The value before a change and with it at full effect."""
    if one.operation == "close":
        return "open", "closed"
    if isinstance(one.value, (Cycle, OneStop, ReliefTerms)) or not (base is None or is_number(base)):
        old = None if one.operation == "add" else base
        return old, one.value
    if base is None:
        if one.operation == "set":
            return None, one.value
        sign = "x" if one.operation == "multiply" else "+" if one.value >= 0 else ""
        return None, f"{sign} {shown(one.value)}".strip() if sign != "" else shown(one.value)
    old = value_at(base, before, at)
    if not is_number(old):
        return old, one.value
    if one.operation == "set":
        later = [dated for dated in before if dated.change.operation != "set"]
        return old, value_at(one.value, later, at)
    return old, old * one.value if one.operation == "multiply" else old + one.value


def value_of(scenario: Any, path: str) -> Any:
    """The stated value that a path names; of a factor 1, of what is reserved 0, else None if there is none."""
    *_, field = path.split(".")
    value: Any = scenario
    for name in path.split("."):
        given = getattr(value, name, NOTHING)
        value = value.get(name, NOTHING) if isinstance(value, Mapping) else getattr(value, f"{name}_", given)
        if value is None or value is NOTHING:
            if field == "factor" or ".factor_by_class." in path:
                return 1.0
            return 0 if ".reserved." in path or ".diverted." in path else None
    return None if isinstance(value, Mapping) else value


# ---------------------------------------------------------------- words


def words_of(scenario: Any, path: str) -> tuple[str, str, str]:
    """Name of the place, what of it, and the unit, for a path.

    Examples
    --------
    >>> from corridor_sim import load_scenario
    >>> words_of(load_scenario("teaching"), "checkpoints.northgate_a.exit.documents.lanes")[1:]
    ('lanes', '')
    """
    name, what, unit = _words_of(scenario, path)
    return clean(name, LONGEST_NAME), what, unit


def _words_of(scenario: Any, path: str) -> tuple[str, str, str]:
    table, *rest = path.split(".")
    if table == "checkpoints" and rest:
        return _post_words(scenario.checkpoints.get(rest[0]), rest)
    if table in TABLES and rest:
        things = getattr(scenario, table, None)
        thing = things.get(rest[0]) if isinstance(things, Mapping) else None
        name = leg_called(scenario, rest[0]) if table == "legs" else str(getattr(thing, "name", "") or "")
        name = name or rest[0].replace("_", " ")
        if table in ("legs", "ranges", "staff_pools", "calendars", "profiles", "crossings"):
            name = f"{TABLES[table]} {name}"
        return name, *_field_words(rest[1:])
    return table, *_field_words(rest)


def _post_words(post: Any, rest: Sequence[str]) -> tuple[str, str, str]:
    id, *rest = rest
    name, country = str(getattr(post, "name", "") or id.replace("_", " ")), str(getattr(post, "country", "") or "")
    called = name if not country or name.casefold().split()[-1:] == [country.casefold()] else f"{name} {country}"
    match rest:
        case [("exit" | "entry" | "transfer") as way, stage, *field]:
            stages = getattr(post, way, None) or {}
            title = str(getattr(stages.get(stage), "name", "") or stage.replace("_", " "))
            return f"{called}, {way}, {title}", *_field_words(field)
        case ["acceptance" | "slots" | "channels" as what, way, *field]:
            word = {"acceptance": "daily acceptance", "slots": "booked slots", "channels": "share of channel"}[what]
            more, unit = _field_words(field)
            return f"{called}, {way}", f"{word} {more}".strip(), unit
    return called, *_field_words(rest)


def _field_words(parts: Sequence[str]) -> tuple[str, str]:
    """What a field is called, and its unit."""
    if not parts:
        return "", ""
    last = parts[-1]
    front = [part for part in parts[:-1] if part not in ("service", "by_class", "shares", "lanes")]
    unit = next((unit for end, unit in UNITS.items() if last == end or last.endswith(f"_{end}")), "")
    end = next((end for end in UNITS if last.endswith(f"_{end}")), "")
    word = FIELDS.get(last, last.removesuffix(f"_{end}").replace("_", " ") if end else last.replace("_", " "))
    return " ".join([*(part.replace("_", " ") for part in front), word]).strip(), unit


def shown(value: Any) -> str:
    """A value as a reader writes it.

    >>> shown(0.1 + 0.2), shown(12500), shown(None), shown(["08:00-20:00"]), shown(True)
    ('0.3', '12,500', 'not set', '08:00-20:00', 'yes')
    """
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_number(value):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 10000 else f"{value:,.0f}"
    if isinstance(value, Cycle):
        return f"mean {shown(value.mean_h)} h"
    if isinstance(value, ReliefTerms):
        whom = f" of {', '.join(value.cargo_classes)}" if value.cargo_classes else ""
        return f"{value.share:.0%}{whom} in {shown(value.factor)} of the time"
    if isinstance(value, OneStop):
        return f"one stop at {value.where}"
    if isinstance(value, Mapping):
        text = ", ".join(f"{key} {shown(one)}" for key, one in value.items())
    elif isinstance(value, (list, tuple)):
        text = ", ".join(map(shown, value))
    else:
        mean = getattr(value, "mean_h", None)
        kind = str(getattr(type(value), "kind", "")).replace("_", " ")
        text = f"{kind}, mean {shown(mean)} h" if kind and is_number(mean) else clean(value, 200)
    return text if len(text) <= 60 else text[:57] + "..."


def _thing(scenario: Any, table: str, change: str, values: Mapping[str, Any]) -> InputChange:
    """A whole thing that only one of the scenarios has."""
    first, *_ = table.split(".")
    name, what, _ = words_of(scenario, table)
    word = TABLES.get(first, first) if not (first == "checkpoints" and table.count(".") > 1) else "stage"
    if name.startswith(f"{word} "):
        name = name.removeprefix(f"{word} ")
    if first == "ranges":
        name, what, ends = _range_words(scenario, table.partition(".")[2], values)
        before, after = (None, ends) if change == "adds" else (ends, None)
        return InputChange(change, name, what, before, after, "", table)
    per_day = values.get(f"{table}.per_day")
    value = f"{shown(per_day)} a day" if is_number(per_day) else None
    old, new = (None, value) if change == "adds" else (value, None)
    return InputChange(change, f"{word} {name}", what, old, new, "", table)


def _range_words(scenario: Any, id: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Whose range it is, of what, and how far it goes; by its id where no figure has it."""
    one = scenario.ranges[id]
    figures = sorted(path for path in values if one.is_of(path))
    name, what, unit = words_of(scenario, figures[0] if figures else f"ranges.{id}")
    more = f" and of {counted(len(figures) - 1, 'more figure')}" if len(figures) > 1 else ""
    if one.exact:
        ends = "none, it is exact"
    elif one.alternatives:
        ends = f"{' or '.join(map(shown, one.alternatives))} {unit}".strip()
    elif one.low is not None:
        ends = f"{shown(one.low)} to {shown(one.high)} {unit}".strip()
    else:
        ends = f"{shown(one.low_factor)} to {shown(one.high_factor)} times the stated value"
    return f"the range of {name}{more}" if figures else name, what, ends


def _missing_range(path: str, first: set[str], second: set[str]) -> str | None:
    table = ".".join(path.split(".")[:2])
    return table if path.startswith("ranges.") and not (table in first and table in second) else None


def _missing_part(path: str, there: set[str]) -> str:
    """The largest part that a path is in and that is not there."""
    parts = path.split(".")
    return next(part for k in range(1, len(parts) + 1) if (part := ".".join(parts[:k])) not in there)


def _stated(values: Mapping[str, Any], scenario: Any, path: str) -> Any:
    """What stands at a path: the value, all values of a table, else the default."""
    if path in values:
        return values[path]
    inside = {one.removeprefix(f"{path}.").replace("_", " "): value for one, value in values.items()
              if one.startswith(f"{path}.")}  # fmt: skip
    return inside or value_of(scenario, path)


def _is_said(path: str) -> bool:
    return any(part in SAID_OF_FIGURES for part in path.split(".")[1:])


def _figure_of(path: str) -> str:
    parts = path.split(".")
    return ".".join(parts[: next(k for k, part in enumerate(parts) if k and part in SAID_OF_FIGURES)])


def _dates(one: InputChange) -> str:
    begin = f"from {_day(one.from_)}" if one.from_ is not None else ""
    return f"{begin} until {_day(one.until)}".strip() if one.until is not None else begin


def _day(when: dt.datetime) -> str:
    midnight = when.time() == dt.time(0)
    return f"{when:%Y-%m-%d}" if midnight else f"{when:%Y-%m-%d %H:%M}"
