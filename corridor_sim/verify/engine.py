"""The engines by name, as the rest of `verify` sees them: a plan and its draws in, records out."""

from __future__ import annotations

from collections.abc import Callable

from corridor_sim.core.errors import EngineRefusal
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import Records

Simulate = Callable[[Plan, SampledInputs], Records]
ENGINES = ("auto", "event", "batch")


def engine_named(name: str) -> Simulate:
    """The engine of this name; ``auto`` is batch where it can, else event.

    Raises
    ------
    ValueError
        If there is no such engine.
    """
    if name not in ENGINES:
        raise ValueError(f"no engine {name!r}; known: {', '.join(ENGINES)}")
    return {"auto": _auto, "event": _event, "batch": _batch}[name]


def _event(plan: Plan, inputs: SampledInputs) -> Records:
    from corridor_sim.engines import event

    return event.simulate(plan, inputs)


def _batch(plan: Plan, inputs: SampledInputs) -> Records:
    from corridor_sim.engines import batch

    if refused := batch.refusals(plan):
        raise EngineRefusal("batch", refused)
    return batch.simulate(plan, inputs)


def _auto(plan: Plan, inputs: SampledInputs) -> Records:
    from corridor_sim.engines import batch

    return _event(plan, inputs) if batch.refusals(plan) else _batch(plan, inputs)
