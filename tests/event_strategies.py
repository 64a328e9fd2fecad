"""Hypothesis strategies for small plans in whole numbers, where ties are the rule."""

from event_plans import Truck, station
from hypothesis import strategies as st

from corridor_sim.plan.plan import PlanOutage, Reservation, StepFunction


@st.composite
def lanes(draw, most=3, close=True):
    """A dated number of lanes that ends open."""
    pieces = draw(st.lists(st.integers(1, 12), max_size=3))
    at, value = [0], [draw(st.integers(0 if close and pieces else 1, most))]
    for length in pieces:
        at.append(at[-1] + length)
        value.append(draw(st.integers(0 if close else 1, most)))
    if value[-1] == 0:
        at.append(at[-1] + draw(st.integers(1, 8)))
        value.append(draw(st.integers(1, most)))
    return StepFunction(at, value)


@st.composite
def outages(draw, lane=None):
    found = []
    for _ in range(draw(st.integers(0, 2))):
        from_h = draw(st.integers(1, 20))
        number = None if lane is None else draw(st.one_of(st.none(), st.integers(1, lane)))
        found.append(PlanOutage(from_h=from_h, until_h=from_h + draw(st.integers(0, 8)), lane=number))
    return tuple(found)


POLICIES = st.sampled_from(["resume", "restart", "finish", "requeue"])
CLOSINGS = st.sampled_from(["finish", "suspend", "restart", "clear_queue"])


@st.composite
def stations(draw, id, yard):
    """One station with any of the mechanisms, by no means all at once."""
    closing = draw(CLOSINGS)
    rest = {"closing": closing, "yard": yard, "outage_policy": draw(POLICIES)}
    shape = draw(st.sampled_from(["plain", "rank", "outages", "lane outages", "named", "reserved"]))
    number = draw(lanes())
    if shape == "rank":
        rest["rank"] = tuple(draw(st.lists(st.integers(0, 2), min_size=3, max_size=3)))
    elif shape == "outages":
        rest["outages"] = draw(outages())
    elif shape == "lane outages":
        rest["outages"] = draw(outages(lane=int(number.value.max())))
    elif shape == "named":
        calendars = tuple(draw(lanes(most=1)) for _ in range(draw(st.integers(1, 3))))
        at = sorted({x for calendar in calendars for x in calendar.from_h.tolist()})
        number = StepFunction(at, [sum(calendar.at(x) for calendar in calendars) for x in at])
        rest.update(named=calendars, outages=draw(outages(lane=len(calendars))))
    elif shape == "reserved":
        rest["reserved"] = tuple(
            Reservation(flows=frozenset({flow}), lanes=draw(lanes(most=2)), overflow=draw(st.booleans()))
            for flow in draw(st.lists(st.integers(0, 2), max_size=2, unique=True))
        )
    return station(id, number, **rest)


@st.composite
def trucks(draw, ids, longest=6):
    rows = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=8))
    rows.sort(key=lambda row: row[0])
    return [Truck(at, {id: draw(st.integers(0, longest)) for id in ids}, flow=flow) for at, flow in rows]
