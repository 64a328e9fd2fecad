"""Hypothesis strategies for small plans in whole numbers, where ties are the rule."""

from event_plans import Truck, station
from hypothesis import strategies as st

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.plan.elements import ExtraLanesPlan, GatePlan, PlanOutage, Reservation


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
def dated(draw, values):
    """A number that may change once or twice."""
    at = draw(st.lists(st.integers(1, 30), max_size=2, unique=True).map(sorted))
    return StepFunction([0, *at], [draw(values) for _ in (0, *at)])


@st.composite
def thresholds(draw, most=4):
    """Two numbers by date, the second never above the first."""
    upper = draw(dated(st.integers(1, most)))
    return upper, StepFunction(upper.from_h, [draw(st.integers(1, int(value))) for value in upper.value])


@st.composite
def extra_lanes(draw):
    """Lanes that the queue opens."""
    above, below = draw(thresholds())
    return ExtraLanesPlan(
        above=above, below=below, most=draw(dated(st.integers(0, 2))), start_up_h=draw(dated(st.integers(0, 4)))
    )


@st.composite
def gates(draw, ids):
    """One or two gates by the queue at some of the stations further on."""
    found = []
    for _ in range(draw(st.integers(1, 2))):
        close_at, open_below = draw(thresholds(3))
        queues = tuple(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=len(ids), unique=True)))
        found.append(GatePlan(queues=queues, close_at=close_at, open_below=open_below))
    return tuple(found)


SHAPES = ["plain", "rank", "outages", "lane outages", "named", "reserved", "kept by lane"]


@st.composite
def named_lanes(draw):
    """One to three lanes with calendars of their own, and how many of them are open."""
    calendars = tuple(draw(lanes(most=1)) for _ in range(draw(st.integers(1, 3))))
    at = sorted({x for calendar in calendars for x in calendar.from_h.tolist()})
    return calendars, StepFunction(at, [sum(calendar.at(x) for calendar in calendars) for x in at])


@st.composite
def kept_lanes(draw, most=2):
    """Lanes kept for none, one or two of the flows, now fewer and now more than are open."""
    return tuple(
        Reservation(flows=frozenset({flow}), lanes=draw(lanes(most=most)), overflow=draw(st.booleans()))
        for flow in draw(st.lists(st.integers(0, 2), max_size=2, unique=True))
    )


@st.composite
def stations(draw, id, yard, shape=None):
    """One station with any of the mechanisms but lanes by the queue and priority that interrupts (ask by shape)."""
    closing = draw(CLOSINGS)
    rest = {"closing": closing, "yard": yard, "outage_policy": draw(POLICIES)}
    shape = shape or draw(st.sampled_from(SHAPES))
    number = draw(lanes())
    if shape == "by queue":
        rest["extra_lanes"] = draw(extra_lanes())
        rest["outages"] = draw(outages())
        if draw(st.booleans()):
            flow, kept, overflow = draw(st.integers(0, 2)), draw(lanes(most=2)), draw(st.booleans())
            rest["reserved"] = (Reservation(flows=frozenset({flow}), lanes=kept, overflow=overflow),)
    elif shape == "interrupts":
        rest["rank"] = tuple(draw(st.lists(st.integers(0, 2), min_size=3, max_size=3)))
        rest["preemption"] = draw(st.sampled_from(["resume", "restart"]))
        rest["outages"], rest["outage_policy"] = draw(outages()), draw(st.sampled_from(["resume", "restart", "finish"]))
        if draw(st.integers(0, 3)) == 0:
            rest["extra_lanes"] = draw(extra_lanes())
    elif shape == "rank":
        rest["rank"] = tuple(draw(st.lists(st.integers(0, 2), min_size=3, max_size=3)))
    elif shape == "outages":
        rest["outages"] = draw(outages())
    elif shape == "lane outages":
        rest["outages"] = draw(outages(lane=int(number.value.max())))
    elif shape == "named":
        calendars, number = draw(named_lanes())
        rest.update(named=calendars, outages=draw(outages(lane=len(calendars))))
    elif shape == "reserved":
        rest["reserved"] = draw(kept_lanes())
    elif shape == "kept by lane":
        if draw(st.booleans()):
            rest["named"], number = draw(named_lanes())
        rest["outages"] = draw(outages(lane=len(rest["named"]) if "named" in rest else int(number.value.max())))
        rest["reserved"] = draw(kept_lanes(most=3))
    return station(id, number, **rest)


@st.composite
def any_stations(draw, id, yard):
    """One station with any of the mechanisms, those that many invariants leave out too."""
    return draw(stations(id, yard, draw(st.sampled_from([*SHAPES, "by queue", "interrupts"]))))


@st.composite
def trucks(draw, ids, longest=6, least=1):
    rows = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=least, max_size=7 + least))
    rows.sort(key=lambda row: row[0])
    return [Truck(at, {id: draw(st.integers(0, longest)) for id in ids}, flow=flow) for at, flow in rows]
