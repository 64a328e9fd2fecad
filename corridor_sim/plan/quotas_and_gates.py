"""What looks at other elements of a plan: quotas at the stages of their post, gates at queues ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from corridor_sim.core.errors import Problem
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import H_PER_DAY
from corridor_sim.plan.elements import NO_LIMIT, Element, Quota, Station
from corridor_sim.plan.itineraries import Itinerary
from corridor_sim.plan.names import file_path
from corridor_sim.plan.timelines import combine, is_one, steps


def quotas_of_open_posts(elements: Mapping[str, Element], itineraries: Iterable[Itinerary]) -> dict[str, Quota]:
    """Quotas that change since nobody is taken over at a closed post: each waits for its direction (rule D31).

    A direction is open when each of its stages that has lanes and that anybody needs then has one open.
    """
    found: dict[str, Quota] = {}
    needs: dict[str, dict[str, list[StepFunction]]] = {}
    quotas = {id for id, element in elements.items() if isinstance(element, Quota)}
    for made in itineraries:
        taken = steps(made.way.share)
        if not taken.value.any():  # the way of those who turn away from another post
            taken = StepFunction.constant(1.0)
        for span in made.spans:
            inside = range(span.first, span.last + 1)
            quota = next((made.elements[n] for n in inside if made.elements[n] in quotas), None)
            if span.kind != "post" or quota is None:
                continue
            for n in inside:
                if isinstance(elements[made.elements[n]], Station):
                    share = made.steps[n].share or StepFunction.constant(1.0)
                    needed = combine(lambda t, s: (t > 0) & (s > 0), taken, share)
                    needs.setdefault(quota, {}).setdefault(made.elements[n], []).append(needed)
    for id, stages in needs.items():
        quota_ = elements[id]
        assert isinstance(quota_, Quota)
        opened = [_open_or_idle(elements[stage], needed) for stage, needed in stages.items()]
        limited = StepFunction(quota_.day_start_h, quota_.per_day < NO_LIMIT)
        is_open = combine(lambda day, *all_: np.where(day > 0, np.min(all_, axis=0), 1.0), limited, *opened)
        if not is_one(is_open):
            days = quota_.day_start_h.tolist()
            ends = [*days[1:], days[-1] + H_PER_DAY]  # a local day may have 23 or 25 hours
            opens = [is_open.integral(end, day) > 0 for day, end in zip(days, ends, strict=True)]
            # A day that never opens takes none over: so capacity and load know it too.
            found[id] = replace(quota_, open=is_open, per_day=np.where(opens, quota_.per_day, 0))
    return found


def gates_ahead(
    elements: Mapping[str, Element], ways: Sequence[Sequence[str]]
) -> tuple[dict[str, Station], list[Problem]]:
    """Stations with gates: these look at queues that there are, and to which who has passed them comes (rule S31).

    The second of what is returned are gates that look at no such queue.
    """
    found: dict[str, Station] = {}
    problems: list[Problem] = []
    for id, station in elements.items():
        if not isinstance(station, Station) or not station.gates:
            continue
        behind = {later for way in ways if id in way for later in way[way.index(id) + 1 :]}
        gates = []
        for gate in station.gates:
            queues = tuple(one for one in gate.queues if isinstance(elements.get(one), (Station, Quota)) and one != id)
            gates.append(replace(gate, queues=queues))
            if not behind.intersection(queues):
                text = f"nobody who passes here comes to {' or '.join(gate.queues)} later: a gate looks ahead"
                problems.append(Problem(text, f"{file_path(station)}.gate"))
        found[id] = replace(station, gates=tuple(gates))
    return found, problems


def _open_or_idle(station: Element, needed: list[StepFunction]) -> StepFunction:
    """1 where a station has a lane open, or nobody needs it."""
    assert isinstance(station, Station)
    return combine(lambda n, *use: (n > 0) | ~np.any(use, axis=0), station.lanes, *needed)
