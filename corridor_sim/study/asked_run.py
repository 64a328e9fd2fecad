"""What is asked for: which scenario with its plan, which replications, from which seed, by how many workers?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.streams import Rng, root_entropy
from corridor_sim.indicators import Options
from corridor_sim.plan.build import Planned, with_plan
from corridor_sim.plan.plan import Plan
from corridor_sim.study.store import Store

if TYPE_CHECKING:
    from corridor_sim.model.scenario import Scenario

Runnable: TypeAlias = "Scenario | Plan | Planned | str | os.PathLike[str]"
"""What can be run: a scenario, its file or name, a plan, or a scenario with its plan."""


def options_of(scenario: Any) -> Options:
    """Options of the indicators with the factors that a scenario gives (`Corridor.factors`)."""
    factors = getattr(scenario, "factors", None)
    if factors is None:
        return Options()
    given: dict[str, Any] = {
        name: value for name in ("idling_co2_kg_h", "vehicle_gap_m") if (value := getattr(factors, name)) is not None
    }
    if factors.border_fee_usd is not None:
        given["fees_usd"] = dict.fromkeys(scenario.crossings, factors.border_fee_usd)
    return Options(**given)


def hands_of(workers: Any, executor: Any, progress: Any) -> int | None:
    """The number of workers, if it is given; ArgumentError unless all three can do the work and tell of it."""
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ArgumentError(f"executor must have a method submit, as those of concurrent.futures, got {executor!r}")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentError(f"progress must be True, False or a function, got {progress!r}")
    return None if workers is None else arguments.whole("workers", workers, 1)


def planned(scenario: Runnable, base: Planned | None = None) -> Planned:
    """A scenario (read from its file, if need be) with its plan; a plan stands for itself.

    What is made from the same as in `base` is taken from it.
    """
    if isinstance(scenario, Planned):
        return scenario
    if isinstance(scenario, Plan):
        return Planned(scenario, scenario)
    if isinstance(scenario, (str, os.PathLike)):
        from corridor_sim.files.scenario_files import load_planned

        return load_planned(scenario, base)
    if not hasattr(scenario, "run") or not hasattr(scenario, "flows"):
        text = f"scenario must be a Scenario, a Plan, the path of a file or a packaged name, got {scenario!r:.80}"
        raise ArgumentError(text)
    return with_plan(scenario, base)


def planned_together(base: Runnable, *others: Runnable) -> list[Planned]:
    """Scenarios with their plans, all that is made from the same as in the first made once."""
    first = planned(base)
    return [first, *(planned(other, first) for other in others)]


def replication_numbers(scenario: Any, replications: int | Sequence[int] | None) -> tuple[int, ...]:
    """Numbers of the replications to run: those given, the first so many, or as the scenario says."""
    if replications is None:
        replications = 1 if isinstance(scenario, Plan) else int(scenario.run.replications)
    if isinstance(replications, (bool, np.bool_, str, bytes)) or not isinstance(
        replications, (int, np.integer, Iterable)
    ):
        text = f"replications must be a whole number, or several numbers of replications, got {replications!r}"
        raise ArgumentError(text)
    if isinstance(replications, (int, np.integer)):
        if not 1 <= replications <= MAX_REPLICATIONS:
            raise ArgumentError(f"replications must be >= 1 and at most {MAX_REPLICATIONS}, got {replications}")
        return tuple(range(int(replications)))
    numbers = tuple(arguments.whole("a number of a replication", r, 0) for r in replications)
    if not numbers or len(set(numbers)) != len(numbers) or len(numbers) > MAX_REPLICATIONS:
        shown = f"{numbers[:10]}" if len(numbers) <= 10 else f"{len(numbers)} of them"
        raise ArgumentError(f"replications must be different whole numbers >= 0, at least one, got {shown}")
    return tuple(sorted(numbers))


def root_of(scenario: Any, rng: Rng, store: str | os.PathLike[str] | None = None) -> int:
    """Root entropy: of `rng`, else the seed of the scenario, else that of the stored run, else fresh."""
    if rng is not None:
        return root_entropy(rng)
    if not isinstance(scenario, Plan):
        return int(scenario.run.seed)
    held = Store(store).manifest if store is not None else None
    return int(held["root_entropy"]) if held is not None else root_entropy(None)
