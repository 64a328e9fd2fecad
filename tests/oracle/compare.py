"""The oracle beside the engines, visit by visit."""

import math

from corridor_sim.core.errors import ScenarioError
from corridor_sim.engines import batch, event
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler
from oracle.draws import Draws
from oracle.scenario_oracle import simulate

SEED = 20240101


class Case:
    """A scenario with its plan and draws, from tables as in a file.

    Raises ScenarioError if the library refuses the scenario.
    """

    def __init__(self, data, seed=SEED):
        self.scenario = data if isinstance(data, Scenario) else Scenario.model_validate(data)
        self.plan = make_plan(self.scenario)
        self.inputs = Sampler(self.plan, seed).sample([0])

    def oracle(self):
        """What the oracle says: {(flow, index, place): [(join, start, finish, leave), ...]}."""
        run = simulate(self.scenario, Draws(self.plan, self.inputs))
        found = {}
        for visit in run.visits:
            times = (visit.join, visit.start, visit.finish, visit.leave)
            _add(found, visit.truck.flow, visit.truck.index, visit.place.id, times)
        for truck in run.trucks:
            found[truck.flow, truck.index, "depart"] = [truck.depart]
        return within(found, self.scenario.run.horizon_h)

    def event(self):
        """What the event engine says, in the same shape."""
        return visits_of(event.simulate(self.plan, self.inputs))

    def refusals(self):
        """What the batch engine refuses, by name."""
        return batch.refusals(self.plan)

    def batch(self):
        """What the batch engine says, in the same shape."""
        return visits_of(batch.simulate(self.plan, self.inputs))


def visits_of(records):
    """Records as {(flow, index, place): [(join, start, finish, leave), ...]}, None for what did not happen."""
    found = {}
    ids = [flow.id for flow in records.plan.flows]
    for element, table in zip(records.plan.elements, records.elements, strict=True):
        for k in range(int(table.count[0])):
            times = tuple(
                None if math.isnan(column[0, k]) else float(column[0, k])
                for column in (table.join_h, table.start_h, table.finish_h, table.leave_h)
            )
            _add(found, ids[table.flow[0, k]], int(table.index[0, k]), element.id, times)
    for id, journeys in zip(ids, records.journeys, strict=True):
        for index, depart in enumerate(journeys.depart_h[0].tolist()):
            found[id, index, "depart"] = [None if math.isnan(depart) else depart]
    return within(found, records.plan.horizon_h)


def within(found, horizon_h):
    """What lies in [0, horizon): the last instant belongs to what comes after the run."""
    kept = {}
    for key, visits in found.items():
        if key[2] == "depart":
            kept[key] = [None if time is None or time >= horizon_h else time for time in visits]
            continue
        cut = [tuple(None if t is None or t >= horizon_h else t for t in times) for times in visits]
        if cut := [times for times in cut if times[0] is not None]:
            kept[key] = cut
    return kept


def _add(found, flow, index, place, times):
    # To pass an acceptance at once is no event: on days without a limit it is not there.
    if place.endswith(".acceptance") and times[0] == times[3]:
        return
    # A leg is one place, whether it is a road or has a timetable on that day.
    place = place.removesuffix(".timetable")
    found.setdefault((flow, index, place), []).append(times)


def difference(mine, theirs):
    """The first difference in words, in order of time; "" if there is none."""
    apart = [key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key)]
    if not apart:
        return ""
    key = min(apart, key=lambda key: (_first(mine, theirs, key), str(key)))
    return f"{key}: oracle {mine.get(key)}, engine {theirs.get(key)} ({len(apart)} differ)"


def _first(mine, theirs, key):
    """The first instant at which the two say different things."""
    one = [time for visit in mine.get(key, []) for time in (visit if isinstance(visit, tuple) else (visit,))]
    other = [time for visit in theirs.get(key, []) for time in (visit if isinstance(visit, tuple) else (visit,))]
    pairs = [(a, b) for a, b in zip(one, other, strict=False) if a != b] or [(one or [None], other or [None])]
    flat = [x for pair in pairs[:1] for x in pair]
    times = [x for x in flat if isinstance(x, float)]
    return min(times, default=math.inf)


__all__ = ["Case", "ScenarioError", "difference", "visits_of"]
