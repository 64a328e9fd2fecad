"""Does a queue that stands at the start fit the corridor: is there such a place, and does every flow pass it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from corridor_sim.core.errors import Problem, nearest
from corridor_sim.model.dated_routes import DatedRoute
from corridor_sim.model.directions import DIRECTIONS
from corridor_sim.model.routes import Pass, passes
from corridor_sim.model.scenario import Scenario


def place_of(at: str) -> tuple[str, str, str]:
    """Post, direction and stage ("" for the queue before the post) of ``checkpoints.<post>.<direction>[.<stage>]``.

    >>> place_of("checkpoints.astara_ir.exit.xray"), place_of("checkpoints.astara_ir.exit")
    (('astara_ir', 'exit', 'xray'), ('astara_ir', 'exit', ''))
    """
    _, post, direction, *stage = at.split(".")
    return post, direction, ".".join(stage)


def problems(scenario: Scenario, ways: Mapping[str, Sequence[DatedRoute]]) -> list[Problem]:
    """Places that are none, flows that are none, and flows that do not pass the place when the run begins."""
    found: list[Problem] = []
    for id, queue in scenario.run.initial_queue.items():
        path = f"run.initial_queue.{id}"
        wrong = list(_place_problems(scenario, f"{path}.at", queue.at))
        found += wrong
        for flow in queue.flows:
            at = f"{path}.flows.{flow}"
            if flow not in scenario.flows:
                found.append(Problem("is not a known flow", at, flow, hint=nearest(flow, scenario.flows)))
            elif not wrong and flow in ways and not any(_passes(scenario, way, queue.at) for way in ways[flow]):
                post, direction, _ = place_of(queue.at)
                text = f"does not pass {post} ({direction}) when the run begins"
                found.append(Problem(text, at, flow))
    return found


def share_at_start(way: DatedRoute) -> float:
    """Share of a way among those of its flow when the run begins."""
    return way.share[0][1]


def _passes(scenario: Scenario, way: DatedRoute, at: str) -> bool:
    post, direction, _ = place_of(at)
    return share_at_start(way) > 0 and Pass("post", post, direction) in passes(scenario, way.hops)


def _place_problems(scenario: Scenario, path: str, at: str) -> Iterator[Problem]:
    parts = at.split(".")
    if len(parts) not in (3, 4) or parts[0] != "checkpoints":
        form = "checkpoints.<post>.<exit or entry>, or with a stage after it"
        yield Problem("is no place where a queue can stand", path, at, form)
        return
    post, direction, stage = place_of(at)
    if post not in scenario.checkpoints:
        yield Problem("is not a known checkpoint", path, post, hint=nearest(post, scenario.checkpoints))
        return
    if direction not in DIRECTIONS:
        yield Problem("is not a direction", path, direction, ", ".join(DIRECTIONS), nearest(direction, DIRECTIONS))
        return
    stages = scenario.checkpoints[post].stages(direction)
    if stage and stage not in stages:
        yield Problem(f"is not a stage of {post} ({direction})", path, stage, ", ".join(stages), nearest(stage, stages))
        return
    if stage and stages[stage].lanes == "unlimited":
        limited = ", ".join(name for name, one in stages.items() if one.lanes != "unlimited")
        yield Problem(f"nobody waits before {stage}, which has no limit of lanes", path, at, limited)
