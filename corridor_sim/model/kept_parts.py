"""Which parts of a plan are those of another one: what is made from the same is not made again.

Scenarios that are compared differ in a few posts or values. One rule holds for whatever is worked out on the way
from a scenario to its plan (routes, stations, steps, arrivals, whole flows): **a part that is made from the same as in
the base is the base's own object**. Who makes a part says which entries of the scenario's tables it is made from, and
what else. Entries are the same if they hold the same in the same order, and the dated changes of what lies in them do.
What every part may be made from, the *frame* (hours of the run, calendars, classes of the flows, crossings), must be
the same, or nothing is taken. Where this module is in doubt, a part is made anew.

Parts are shared between plans: nobody changes them once they are made.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from corridor_sim.model.base import Model
from corridor_sim.model.changes import DatedChange
from corridor_sim.model.scenario import Scenario

T = TypeVar("T")
Entry: TypeAlias = tuple[str, str]
"""A table of the scenario and an id in it: ``("checkpoints", "samur_az")``."""
ByEntry: TypeAlias = Mapping[Entry, Sequence[DatedChange]]

TABLES = ("places", "checkpoints", "legs", "profiles", "flows", "staff_pools")
"""Tables whose entries parts are made from, one by one."""
WORDS = ("name", "about", "status", "source", "note", "figures", "sources", "ranges", "improvements")
"""Fields that no part is made from: words, where figures come from and how far off they are; improvements are read as
the changes they make."""
RUN = ("start_utc", "horizon_h", "warm_up_h", "count_until_h", "initial_queue")
"""What of the run's settings a plan is made from."""


def is_same(one: Any, other: Any) -> bool:
    """Whether two values of a scenario are of the same types and hold the same in the same order.

    Examples
    --------
    >>> is_same({"a": 1, "b": (2.0,)}, {"a": 1, "b": (2.0,)}), is_same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    (True, False)
    >>> is_same(1, 1.0)
    False
    """
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is str or kind is int:
        return bool(one == other)
    if kind is float:
        return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
    if isinstance(one, Model):
        mine, yours = one.__dict__, other.__dict__
        return _are_same([mine[name] for name in kind.model_fields], [yours[name] for name in kind.model_fields])
    if isinstance(one, Mapping):
        return list(one) == list(other) and _are_same(one.values(), other.values())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and _are_same(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return _are_same([getattr(one, name) for name in names], [getattr(other, name) for name in names])
    return bool(one == other)


def _are_same(some: Iterable[Any], others: Iterable[Any]) -> bool:
    # Most values are the same object (None, a default, what was not made anew), which is soon seen.
    return all(one is other or is_same(one, other) for one, other in zip(some, others, strict=True))


class KeptParts:
    """What was made for one scenario, by name; with a base, what is the same there is taken from it.

    Parameters
    ----------
    scenario : Scenario
    changes : mapping
        Dated changes by path.
    base : KeptParts, optional
    """

    def __init__(
        self, scenario: Scenario, changes: Mapping[str, Sequence[DatedChange]], base: KeptParts | None = None
    ) -> None:
        self.scenario = scenario
        self.changes: dict[Entry, list[DatedChange]] = {}
        for path, dated in changes.items():
            table, id, *_ = (*path.split("."), "")
            self.changes.setdefault((table, id), []).extend(dated)
        self._made: dict[Hashable, tuple[Any, Any]] = {}
        self._same: dict[Entry, bool] = {}
        self._base = base if base is not None and is_same(_frame(scenario), _frame(base.scenario)) else None

    def part(self, name: Hashable, of: Iterable[Entry] | None, make: Callable[[], T], also: Any = None) -> T:
        """The part of this name: made already, the base's where that is made from the same, else made now.

        Parameters
        ----------
        name : hashable
            Tells the part from all others of the scenario.
        of : iterable of Entry or None
            What it is made from beside the frame; None if that cannot be said, and it is made.
        also
            What else it is made from.
        """
        if name in self._made:
            return self._made[name][1]  # type: ignore[no-any-return]
        held = None if self._base is None or of is None else self._base._made.get(name)
        if held is not None and of is not None and is_same(held[0], also) and all(map(self.is_of_base, of)):
            self._made[name] = held
        else:
            self._made[name] = also, make()
        return self._made[name][1]  # type: ignore[no-any-return]

    def is_of_base(self, entry: Entry) -> bool:
        """Whether there is a base, and an entry holds the same there, with the same changes."""
        if self._base is None:
            return False
        if entry not in self._same:
            base, (table, id) = self._base, entry
            tables = (getattr(self.scenario, table, {}), getattr(base.scenario, table, {}))
            self._same[entry] = is_same(*(one.get(id) for one in tables)) and is_same(
                self.changes.get(entry), base.changes.get(entry)
            )
        return self._same[entry]

    def let_go_of_base(self) -> None:
        """Everything is made: the base need not be held any longer."""
        self._base = None

    def forget(self) -> None:
        """Something was wrong: nothing of what was made is to be used again."""
        self._made.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process makes its own.
        return KeptParts, (self.scenario, {})


def _frame(scenario: Scenario) -> list[Any]:
    """What every part of a plan may be made from."""
    left_out = {*TABLES, *WORDS, "run"}
    others = [getattr(scenario, name) for name in type(scenario).model_fields if name not in left_out]
    classes = {id: flow.cargo_class for id, flow in scenario.flows.items()}
    countries = {id: post.country for id, post in scenario.checkpoints.items()}
    return [*others, *(getattr(scenario.run, name) for name in RUN), classes, scenario.crossings, countries]
