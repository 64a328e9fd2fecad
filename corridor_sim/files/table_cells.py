"""What tables of values said, as the tables of a scenario file, and the cell that each value stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from corridor_sim.core.errors import Problem


@dataclass
class InputTables:
    """What tables say, as the tables of a scenario file, and the cell of each value.

    Attributes
    ----------
    data : dict
        ``flows``, ``improvements``, ``checkpoints``, ``staff_pools``.
    places : dict of str to str
        File, sheet and cell by path.
    removed : list of tuple of str
        Paths of what is taken out of the base: rosters that are replaced, and what was said of what they replace.
    problems : list of Problem
    warnings : list of str
        What is to be told of the values.
    """

    data: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    removed: list[tuple[str, ...]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def put(self, path: Sequence[str], value: Any, place: str) -> None:
        """Set a value by its path."""
        table = self.data
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = value
        self.places[".".join(path)] = place

    def located(self, problem: Problem) -> Problem:
        """A problem with the cell of its value, else of the row that it is in."""
        parts = problem.path.split(".")
        for n in range(len(parts), 0, -1):
            place = self.places.get(".".join(parts[:n]))
            if place is not None:
                return replace(problem, file=place, line=None)
        return problem
