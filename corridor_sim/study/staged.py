"""Replications of several scenarios, run only when they are asked for: what sequential procedures observe.

What was run once is kept, so a procedure may ask again. Options that share a root are run together, on common
random numbers; with a store every stage finds what earlier ones left.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.table import Table
from corridor_sim.plan.build import Planned
from corridor_sim.results.called import Called
from corridor_sim.study.run import run_all

Value = Callable[[int, Table], FloatArray]
"""(option, its rows) -> one value a replication."""


@dataclass(eq=False)
class Staged:
    """Values of options by replication.

    Attributes
    ----------
    options : sequence of Planned
    roots : sequence of int
        Root entropy of each option; the same for all are common random numbers.
    value : function of option and rows
    step : int
        Replications that are run at once when one is missing.
    """

    options: Sequence[Planned]
    roots: Sequence[int]
    value: Value
    what: str = "the indicator"
    step: int = 1
    store: str | os.PathLike[str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    values: list[dict[int, float]] = field(init=False)
    warnings: dict[str, None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.values = [{} for _ in self.options]

    def observe(self, options: Sequence[int], replication: int) -> list[float]:
        """Values of some options in one replication; runs it, and `step - 1` after it, where it is not there."""
        missing = [k for k in options if replication not in self.values[k]]
        if missing:
            self.run(missing, range(replication, replication + self.step))
        return [self.values[k][replication] for k in options]

    def run(self, options: Iterable[int], replications: Sequence[int]) -> None:
        """Run replications of some options, unless they are there.

        Raises
        ------
        CorridorError
            If a replication has no value, as where nobody came.
        SimulationError
            If a replication failed.
        """
        groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for k in options:
            missing = tuple(r for r in replications if r not in self.values[k])
            if missing:
                groups.setdefault((self.roots[k], missing), []).append(k)
        for (root, numbers), members in groups.items():
            found = run_all(
                [self.options[k] for k in members],
                self.store,
                replications=numbers,
                rng=root,
                warn=False,
                **self.settings,
            )
            for k, results in zip(members, found, strict=True):
                first = not self.values[k]
                values = self.value(k, results.rows)
                if np.isnan(values).any():
                    at = int(results.rows.replications[int(np.isnan(values).argmax())])
                    raise CorridorError(f"{results.name}: {self.what} has no value in replication {at}: nobody came")
                self.values[k].update(zip((int(r) for r in results.rows.replications), values.tolist(), strict=True))
                over = results.overloaded() if first and "saturation" in results.rows.indicators else {}
                for one in over.values():
                    called = Called(results).element(one.place)
                    words = f"{results.name}: more comes than can pass at {called}: waits there measure the horizon"
                    self.warnings.setdefault(words)

    @property
    def counts(self) -> tuple[int, ...]:
        """Replications of each option that were run."""
        return tuple(len(one) for one in self.values)
