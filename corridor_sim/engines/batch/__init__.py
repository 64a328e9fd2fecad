"""The performance core: numpy over replications, element by element in topological order.

`simulate` gives the same bits as `engines.event.simulate`; `stream` gives the same
visits in chunks that need little memory; `refusals` names what is not done here.
Chance, hours and improvements are all resolved in the plan and its inputs. Where a
new mechanism goes: see `servers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from corridor_sim.engines.batch.cycles import simulate_cycles
from corridor_sim.engines.batch.refusals import is_cyclic, refusals
from corridor_sim.engines.batch.run import Run
from corridor_sim.engines.batch.streaming import stream
from corridor_sim.errors import EngineRefusal
from corridor_sim.inputs import SampledInputs
from corridor_sim.plan import Plan
from corridor_sim.results import ElementVisits, Journeys, Records

__all__ = ["refusals", "simulate", "stream"]


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
    found = refusals(plan)
    if found:
        raise EngineRefusal("batch", found)
    if is_cyclic(plan):
        return simulate_cycles(plan, inputs)
    run = Run(plan, inputs, spans=False)
    run.feed(inputs.flows)
    visits = dict(run.advance(np.nextafter(plan.horizon_h, np.inf), last=True))
    return records(plan, inputs, run, visits)


def records(plan: Plan, inputs: SampledInputs, run: Run, visits: Mapping[int, ElementVisits]) -> Records:
    """What a run over the whole horizon has found, as records."""
    rows = len(inputs.replications)
    journeys = []
    for f, drawn in enumerate(inputs.flows):
        width = int((drawn.variant >= 0).sum(axis=1).max(initial=0))
        release = np.where(drawn.release_h <= plan.horizon_h, drawn.release_h, np.nan)
        depart = np.full(drawn.release_h.shape, np.nan)
        for block in run.blocks[f]:
            depart = np.where(block.depart_h <= plan.horizon_h, block.depart_h, np.nan)
        variant = np.asarray(drawn.variant, dtype=np.int64)
        journeys.append(Journeys(release[:, :width], depart[:, :width], variant[:, :width]))
    return Records(
        plan,
        inputs.replications,
        tuple(visits[k] if k in visits else nobody(rows) for k in range(len(plan.elements))),
        tuple(journeys),
    )


def nobody(rows: int) -> ElementVisits:
    """The table of an element that nobody visits."""
    numbers = np.empty((rows, 0), dtype=np.int64)
    times = np.empty((rows, 0))
    return ElementVisits(numbers, numbers, numbers, times, times, times, times, times)
