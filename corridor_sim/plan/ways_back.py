"""Steps of those who go back to an earlier stage, each visit a step of its own (rule S33).

Who goes back how often is one uniform of a consignment: at least n times where it is not below 1 - share^n. So
each visit is as likely as the one before times the share, and a larger share or limit only adds visits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.model.stage_queues import WayBack
from corridor_sim.plan.steps import Relief, Step


def visits_again(back: WayBack, cargo_class: str, body: Sequence[Step], draws: str, path: str) -> list[list[Step]]:
    """The steps of a way back, once for each time; draws of durations are still those of the first visit.

    Parameters
    ----------
    body : sequence of Step
        From the stage where they begin again to the one that sends back, as they are on the first visit.
    draws : str
        Name of the uniform that says how often a consignment goes back.
    path : str
        Of the stage that sends back, in a file.

    Raises
    ------
    ScenarioError
        Where a share of the consignments takes a stage on the way, and another share the stage that sends back.
    """
    share = back.share_by_class.get(cargo_class, back.share)
    if not share:
        return []
    last = body[-1]
    # Who passes the stage by that sends back does not go back from there.
    needs = [relief for relief in last.reliefs if not relief.factor]
    if last.share is not None and any(step.share is not None for step in body[:-1]):
        text = (
            "goes back over a stage that only a share needs, and only a share comes here: one of both must be for all"
        )
        raise ScenarioError([Problem(text, f"{path}.back.to", back.to)])
    found = []
    for n in range(1, back.most + 1):
        again = Relief(share=StepFunction.constant(1.0 - share**n), factor=0.0, draws=draws)
        steps = []
        for step in body[:-1]:
            more = tuple(relief for relief in needs if relief not in step.reliefs)
            if step.share is None and last.share is not None:
                step = replace(step, share=last.share, share_draws=last.share_draws)
            steps.append(replace(step, reliefs=(*step.reliefs, *more, again)))
        found.append([*steps, replace(last, reliefs=(*last.reliefs, again))])
    return found
