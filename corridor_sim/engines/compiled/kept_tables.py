"""The tables of the plans read last, so that each block of a run need not read its plan again."""

from __future__ import annotations

from corridor_sim.engines.compiled.tables import Coded, coded
from corridor_sim.indicators.base import Collector
from corridor_sim.indicators.places import Options
from corridor_sim.plan.plan import Plan

MOST = 2
"""Plans whose tables are kept: a base and one beside it."""

_kept: list[tuple[Plan, Options, float, Coded]] = []


def coded_once(plan: Plan, collector: Collector, step_h: float) -> Coded:
    """As `coded`, and the same tables where this very plan was read lately, for whatever replications.

    A process that is copied afterwards has them too.
    """
    options = collector.scope.options
    for known, with_options, length_h, code in _kept:
        if known is plan and with_options == options and length_h == step_h:
            return code
    code = coded(plan, collector, step_h)
    _kept.insert(0, (plan, options, step_h, code))
    del _kept[MOST:]
    return code
