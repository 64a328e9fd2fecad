"""A whole run at once: every replication side by side, every visit kept."""

from __future__ import annotations

import numpy as np

from corridor_sim.core.errors import EngineRefusal
from corridor_sim.engines.batch.cycles import simulate_cycles
from corridor_sim.engines.batch.refusals import is_cyclic, refusals
from corridor_sim.engines.batch.run import Run
from corridor_sim.engines.batch.tables import records_of
from corridor_sim.plan.plan import Plan
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import ElementVisits, Records


def simulate(plan: Plan, inputs: SampledInputs) -> Records:
    """Every visit of every consignment, all replications side by side.

    Parameters
    ----------
    plan : Plan
        What to run, up to and including ``plan.horizon_h``.
    inputs : SampledInputs
        The draws of at least one replication.

    Returns
    -------
    Records
        The same bits as the event engine's.

    Raises
    ------
    EngineRefusal
        If the plan uses a mechanism that `refusals` names.
    SimulationError
        If draws are missing, or a service is too long for every opening.
    """
    refused = refusals(plan)
    if refused:
        raise EngineRefusal("batch", refused)
    if is_cyclic(plan):
        return simulate_cycles(plan, inputs)
    run = Run(plan, inputs, records=True)
    run.feed(inputs.flows)
    tables: dict[int, ElementVisits] = {}
    departs = [np.full(drawn.release_h.shape, np.nan) for drawn in inputs.flows]
    for found in run.advance(run.end_h, last=True):
        if found.table is not None:
            tables[found.element] = found.table
        for ended in found.spans:
            row = np.repeat(np.arange(len(ended.count)), ended.count)
            departs[ended.flow][row, ended.index] = ended.end_h
    return records_of(plan, inputs, tables, departs)
