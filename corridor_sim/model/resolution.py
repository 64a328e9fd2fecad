"""A scenario resolved: dated changes by path, routes by flow, and every problem found on the way.

`resolve` is what `corridor-sim check` and the flattening both start from. The
single checks are in `checks.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.model import checks, choice_checks, resolved_values, served, sizes, standing
from corridor_sim.model.changes import Change, DatedChange, conflicts, on_clock
from corridor_sim.model.dated_routes import ByPath, DatedRoute, dated_routes_of, read_by_routes
from corridor_sim.model.hosting import hosting_problems
from corridor_sim.model.kept_holidays import with_calendars
from corridor_sim.model.kept_parts import KeptParts
from corridor_sim.model.paths import canonical, local_time_of, path_problems
from corridor_sim.model.provenance import range_names
from corridor_sim.model.routes import State
from corridor_sim.model.scenario import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """A scenario with its dated changes by path and the ways of its flows.

    The scenario has the dates of the public holidays it names (`with_calendars`).
    `problems` holds errors and warnings; `changes` and `ways` are complete only
    if there is no error. `parts` are what was made for it, and will be for its plan.
    """

    scenario: Scenario
    changes: ByPath
    ways: dict[str, list[DatedRoute]]
    problems: tuple[Problem, ...]
    parts: KeptParts

    @property
    def errors(self) -> list[Problem]:
        """Problems that forbid a run."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def of(self, path: str) -> Sequence[DatedChange]:
        """Changes of one path, () if there are none."""
        return self.changes.get(path, ())


def problems(scenario: Scenario) -> list[Problem]:
    """Everything that does not fit together in a scenario: errors, warnings and information, all at once."""
    return list(resolve(scenario).problems)


def resolve(scenario: Scenario, base: KeptParts | None = None) -> Resolved:
    """Changes and ways of a scenario, with all problems; raises nothing.

    Parameters
    ----------
    base : KeptParts, optional
        Parts of a scenario that has a plan; what is made from the same is taken from it.
    """
    scenario, found = with_calendars(scenario)
    found += [
        *checks.ids(scenario),
        *checks.references(scenario),
        *checks.flows(scenario),
        *checks.timetables(scenario),
        *hosting_problems(scenario),
        *choice_checks.problems(scenario),
    ]
    changes, more = _changes(scenario, found)
    found += more
    parts = KeptParts(scenario, changes, base)
    if too_large := sizes.problems(scenario, changes):
        return Resolved(scenario, changes, {}, (*found, *too_large), parts)
    ways: dict[str, list[DatedRoute]] = {}
    states: dict[float, State] = {}
    network = [(table, id) for table in ("legs", "places") for id in getattr(scenario, table)]
    # The object stands for all that routes are found in: the base's own where that is the same.
    found_in = parts.part("network", network, object, read_by_routes(scenario, changes))
    for id in sorted(scenario.flows):
        prefix = f"flows.{id}."
        if any(p.severity == "error" and (p.path.startswith(prefix) or p.path.startswith("legs.")) for p in found):
            continue
        try:
            find = partial(dated_routes_of, scenario, changes, id, states)
            ways[id] = parts.part(("ways", id), [("flows", id)], find, found_in)
        except ScenarioError as error:
            found += error.problems
    found += checks.own_arrivals(scenario, changes)
    found += resolved_values.problems(scenario, changes)
    used = checks.used_stages(scenario, ways)
    found += checks.stages(scenario, changes, used)
    found += served.problems(scenario, changes, used)
    found += standing.problems(scenario, ways)
    if not any(problem.severity == "error" for problem in found):
        found += checks.unused(scenario, ways, used)
    return Resolved(scenario, changes, ways, tuple(found), parts)


def _changes_of(scenario: Scenario, name: str, known: Sequence[Problem]) -> tuple[list[Change], list[Problem]]:
    """Changes of an improvement, and what is wrong with the places it names; no changes where something is."""
    at = f"improvements.{name}"
    try:
        changes = scenario.improvements[name].dated_changes(scenario, name)
    except ScenarioError as error:
        return [], [problem.at(at) for problem in error.problems]
    wrong = path_problems(scenario, [change.path for change in changes], scenario.former_classes)
    if not wrong:
        return changes, []
    # A path that is wrong because the improvement names a wrong class is one mistake, not two.
    if any(problem.severity == "error" and problem.path.startswith(f"{at}.") for problem in known):
        return [], []
    return [], [problem.at(at) for problem in wrong]


def name_problems(scenario: Scenario) -> list[Problem]:
    """Names that point nowhere: places, posts, stages, flows, classes, calendars, sources; nothing of values."""
    _, found = with_calendars(scenario)
    found = [one for one in found if not one.path.startswith("calendars")] + checks.names(scenario)
    found += [one for one in choice_checks.problems(scenario) if isinstance(one.value, str)]
    for name in scenario.improvements:
        found += _changes_of(scenario, name, found)[1]
    found += [*standing.problems(scenario, {}), *range_names(scenario)]
    return [one for one in found if one.severity == "error"]


def _changes(scenario: Scenario, known: Sequence[Problem]) -> tuple[dict[str, list[DatedChange]], list[Problem]]:
    """Dated changes of all improvements by path, and what is wrong with them beside what is `known`."""
    by_path: dict[str, list[DatedChange]] = {}
    found: list[Problem] = []
    for name in scenario.improvements:
        at = f"improvements.{name}"
        changes, wrong = _changes_of(scenario, name, known)
        found += wrong
        dated = [_dated(scenario, change) for change in changes]
        found += [problem.at(at) for problem in _date_problems(dated, scenario.run.horizon_h)]
        for one in dated:
            by_path.setdefault(one.change.path, []).append(one)
    for dated in by_path.values():
        found += conflicts(dated)
    return by_path, found


def _dated(scenario: Scenario, change: Change) -> DatedChange:
    path = canonical(scenario, change.path)
    return on_clock(replace(change, path=path), scenario.run.start_utc, local_time_of(scenario, path))


def _date_problems(changes: Sequence[DatedChange], horizon_h: float) -> list[Problem]:
    found: list[Problem] = []
    if changes and all(one.from_h >= horizon_h for one in changes):
        first = min(changes, key=lambda one: one.from_h).change.from_
        found.append(Problem("takes effect after the run", "from", first, severity="warning"))
    if changes and all(one.until_h <= 0 for one in changes):
        found.append(Problem("is over before the run", "until", changes[0].change.until, severity="warning"))
    for one in changes:
        field = one.change.path.rpartition(".")[2]
        value = one.change.value
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if one.change.ramp_up_days and not number and field != "reliefs":
            found.append(Problem("works with numbers only", "ramp_up_days", one.change.ramp_up_days))
        elif one.change.ramp_up_days and field == "yard":
            text = "does not go with a yard, whose places are there all at once"
            found.append(Problem(text, "ramp_up_days", one.change.ramp_up_days))
        elif one.change.ramp_up_days and not math.isfinite(one.from_h):
            found.append(Problem("needs a date `from` to begin at", "ramp_up_days", one.change.ramp_up_days))
    return found
