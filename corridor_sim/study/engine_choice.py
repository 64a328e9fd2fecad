"""Which engine runs a plan, and why not another one?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from corridor_sim.core import arguments
from corridor_sim.core.errors import EngineRefusal, nearest
from corridor_sim.indicators import Collector, Options
from corridor_sim.plan.plan import Plan
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.study.execution import EARNED

ENGINES = ("auto", "event", "batch", "compiled")


def choose_engine(
    plan: Plan,
    engine: str,
    *,
    indicators: Iterable[str] | None = None,
    options: Options | None = None,
    records: bool = False,
    visits: Callable[[], float] = lambda: math.inf,
    reducers: Callable[[], Collector] | None = None,
) -> tuple[str, str]:
    """The engine that will run a plan, and why; `visits` says about how many there will be.

    `reducers` makes what one replication of it is reduced by, or hands it out where it is there.

    Raises
    ------
    EngineRefusal
        If an engine was asked for that cannot do what the plan needs.
    ValueError
        For an engine that does not exist.
    """
    if engine not in ENGINES:
        hint = nearest(engine, ENGINES)
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}" + (f"; {hint}" if hint else ""))
    reducers = reducers or partial(Collector, plan, [0], indicators, options)
    against = {"compiled": partial(against_compiled, plan, reducers, records=records)}
    against |= {"batch": partial(_against_batch, plan), "event": partial(_against_event, plan)}
    if engine != "auto":
        if refused := against[engine]():
            raise EngineRefusal(engine, refused)
        return engine, f"asked for{_in_time_order(plan) if engine == 'compiled' else ''}"
    does_not = []
    other = "batch"
    if refused := against["batch"]():
        does_not.append(f"batch does not do {_first(refused)}")
        other = "event"
        if refused := against["event"]():
            raise EngineRefusal("event", refused)
    if visits() >= EARNED[other]:
        refused = against["compiled"]() or _not_kept()
        if not refused:
            return "compiled", f"auto: it does all that is asked for{_in_time_order(plan)}"
        does_not.insert(0, f"compiled does not do {_first(refused)}")
    return other, f"auto: {'; '.join(does_not) or 'it does all that is asked for, and the run is small'}"


def engine_for(
    plan: Plan,
    engine: str,
    *,
    root: int,
    replications: int,
    indicators: Iterable[str],
    options: Options,
    among: int = 1,
) -> str:
    """The engine that `run_those_that_can` would take for a plan that is one `among` as many like it."""
    arguments.one_of("engine", engine, ENGINES)
    return choose_engine(
        plan,
        engine,
        indicators=indicators,
        options=options,
        visits=lambda: among * expected_visits(plan, root, replications),
    )[0]


def _in_time_order(plan: Plan) -> str:
    """The part of a plan that the pass works through in time order, in words; "" where there is none."""
    from corridor_sim.engines import compiled

    found = compiled.in_time_order(plan)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"; in time order {', '.join(found[:3])}{more}" if found else ""


def _first(refused: Sequence[str]) -> str:
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    return f"{refused[0]}{more}"


def _against_event(plan: Plan) -> list[str]:
    from corridor_sim.engines import event

    return event.refusals(plan)


def _against_batch(plan: Plan) -> list[str]:
    from corridor_sim.engines import batch

    return batch.refusals(plan)


def against_compiled(plan: Plan, reducers: Callable[[], Collector], *, records: bool) -> list[str]:
    """What the compiled pass cannot do of a run, by name: of the plan, of the indicators, of what is kept."""
    from corridor_sim.engines import compiled

    found = compiled.refusals(plan)
    if not found and (missing := compiled.unavailable()):
        found = [missing]
    if records:
        found.append("records of each visit")
    if not found:
        found = compiled.not_counted(reducers())
    return found


def _not_kept() -> list[str]:
    """What speaks against compiling where every process would have to do it again."""
    from corridor_sim.engines import compiled

    return [] if compiled.is_kept() else ["its work without a folder for machine code (NUMBA_CACHE_DIR names one)"]


def expected_visits(plan: Plan, root: int, replications: int) -> float:
    """About how many visits a run will make."""
    expected = Sampler(plan, root).expected
    longest = [max(len(variant.steps) for variant in flow.variants) for flow in plan.flows]
    return float(sum(n * steps for n, steps in zip(expected, longest, strict=True))) * replications
