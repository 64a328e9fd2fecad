"""How long the drivers of a leg rest, what they have driven since, and where in a plan they do (rule S36)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from corridor_sim.model.drivers_hours import DriversHours
from corridor_sim.plan.elements import Delay
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import RestPlan, Step


def rest_place(hours: DriversHours, id: str, *, after: int) -> tuple[Delay, Step]:
    """Where the drivers of a leg rest, and the step behind it; `id` is that of the leg's element.

    `after` is the number of steps of the leg before it: its own, and that of a ban.
    """
    drive_h, rest_h = zip(*hours.levels, strict=True)
    plan = RestPlan(drive_h=drive_h, rest_h=rest_h, waiting_is_rest=hours.waiting_is_rest, after=after)
    return Delay(id=f"{id}.rest", component="rest"), Step(element=-1, rest=plan)


def rested(driven_h: Sequence[float], stood_h: float, leg_h: float, plan: RestPlan) -> tuple[float, list[float]]:
    """Hours of rest on a leg of `leg_h` at the wheel, and hours driven since each kind of rest at its end. [h]

    Parameters
    ----------
    driven_h : sequence of float
        Hours at the wheel since each kind of rest, as the drive before ended. [h]
    stood_h : float
        Time stood since then. [h]
    leg_h : float
        Time at the wheel on the leg. [h]
    plan : RestPlan
        Hours of each kind.

    Examples
    --------
    >>> eu = RestPlan(drive_h=(4.5, 9.0, 56.0), rest_h=(0.75, 11.0, 45.0))
    >>> rested([0.0, 0.0, 0.0], 0.0, 12.0, eu)
    (11.75, [3.0, 3.0, 12.0])
    >>> rested([3.0, 3.0, 12.0], 1.0, 4.0, eu)
    (0.0, [4.0, 7.0, 16.0])
    """
    driven, kinds, rest_h = list(driven_h), len(plan.drive_h), 0.0
    for k in reversed(range(kinds)):
        if stood_h >= plan.rest_h[k]:
            driven[: k + 1] = [0.0] * (k + 1)
            break
    left_h = leg_h
    while True:
        free_h = max(min(most - at for most, at in zip(plan.drive_h, driven, strict=True)), 0.0)
        now_h = min(left_h, free_h)
        driven = [at + now_h for at in driven]
        left_h -= now_h
        if left_h <= 0:
            return rest_h, driven
        due = max(k for k in range(kinds) if driven[k] >= plan.drive_h[k])
        rest_h += plan.rest_h[due]
        driven[: due + 1] = [0.0] * (due + 1)


def places_of_rest(plan: Plan) -> list[str]:
    """Elements at which drivers rest, by id."""
    return [plan.elements[k].id for k in sorted({step.element for _, step in _rests(plan)})]


def limited_drives(plan: Plan) -> list[str]:
    """Legs with drivers' hours that have a queue, in words: the time at the wheel is not that of a free road there."""
    found = {before.element for before, _ in _rests(plan) if not isinstance(plan.elements[before.element], Delay)}
    return [f"drivers' hours on a leg whose entry is limited at {plan.elements[k].id}" for k in sorted(found)]


def _rests(plan: Plan) -> Iterator[tuple[Step, Step]]:
    """Each step at which drivers rest, behind that of the leg."""
    for flow in plan.flows:
        for variant in flow.variants:
            yield from ((before, step) for before, step in pairwise(variant.steps) if step.rest is not None)
