"""The same border without and with one dated change, for the three sentences of D28.

`pairs` draws a base and one improvement of a given kind at a given place in time:
from inside the run, until inside, both, beside another kind, over a closure, or with both
dates in the hours of the night that `lanes_by_hour` closes. `Pair` runs both on one engine
and answers what the sentences speak of.
"""

import datetime as dt
import math

from hypothesis import strategies as st

from oracle.compare import Case
from oracle.in_force import InForce
from oracle.strategies import (
    CLOSINGS,
    KINDS,
    at_hour,
    border,
    change,
    fits,
    fixed,
    halves,
    laws,
    stages,
    stages_with_lanes,
)

PLACEMENTS = ("from inside", "until inside", "both", "beside another kind", "over a closure", "at night")
NIGHT = {"00:00": 0, "06:00": 2, "20:00": 0}
TAKES_LANES = ("closure", "remove_lanes", "opening_hours", "works", "add_lanes", "set_capacity", "priority_lane")
HORIZON_H = 144


@st.composite
def bases(draw, kind, placement):
    """A border on which a change of this kind has something to change, sparse enough to be empty at times."""
    first = draw(stages(plain=kind in ("daily_acceptance", "inspection_share")))
    if first["lanes"] == 0:
        first["lanes"] = 1
    if placement == "at night":
        first = {
            "lanes": 2,
            "lanes_by_hour": NIGHT,
            "service": draw(laws()),
            "closing": draw(st.sampled_from(CLOSINGS)),
        }
    exits = {"s": first}
    if draw(st.integers(0, 3)) == 0 or kind == "yard_places":
        exits["t"] = {"lanes": draw(st.integers(1, 2)), "service": fixed(draw(halves))}
    entry = {"s": {"lanes": 1, "service": fixed(draw(halves))}} if kind == "one_stop_post" else None
    leg = {"length_km": 25.0} if draw(st.booleans()) else {}
    if kind == "timetable" and draw(st.booleans()):
        leg = {"length_km": 50.0, "timetable": {"every_h": 8.0, "first_h": 2.0, "places": 3}}
    some = st.lists(st.integers(0, 260).map(lambda n: n / 2), min_size=2, max_size=9).map(sorted)
    flows = {"f": ("loaded", draw(some)), "v": ("vip", draw(some))}
    if kind == "demand_growth":
        flows["f"] = ("loaded", {"kind": "poisson"})
    data = border(exits, flows=flows, entry=entry, leg=leg, horizon_h=HORIZON_H)
    if kind == "demand_growth":
        data["flows"]["f"]["per_day"] = 6.0
    data["checkpoints"]["p"]["utc_offset_h"] = draw(st.sampled_from([0.0, 3.0]))
    return data


@st.composite
def moments(draw, placement):
    """`from` and `until` of the change."""
    begin = draw(st.integers(4, 60))
    end = begin + draw(st.integers(1, 30))
    if placement == "at night":
        nights = st.tuples(st.integers(1, 2), st.integers(0, 9)).map(lambda pair: 24 * pair[0] - 4 + pair[1])
        begin = draw(nights)
        end = begin + draw(st.sampled_from([1, 24, 48]))
    if placement == "from inside":
        return {"from": at_hour(begin)}
    if placement == "until inside":
        return {"until": at_hour(end)}
    return {"from": at_hour(begin), "until": at_hour(end)}


@st.composite
def pairs(draw, kind, placement):
    """Tables of the base, and of the base with the change; None where the kind does not fit the base drawn."""
    base = draw(bases(kind, placement))
    when = draw(moments(placement))
    if kind == "works" and "from" not in when:
        when = {"from": when["until"] - dt.timedelta(hours=9), **when}
    one = draw(change(base, kind, when, night=True))
    if one is None:
        return None
    if kind == "closure":
        one = {**{k: v for k, v in one.items() if k not in ("from", "until")}, **when}
        if "until" not in one and placement == "from inside":
            one["until"] = at_hour(HORIZON_H - 24)
    other = None
    if placement == "beside another kind":
        more = draw(st.sampled_from([name for name in KINDS if name not in (kind, "demand_growth", "works")]))
        dates = {
            "from": when["from"] + dt.timedelta(hours=draw(st.integers(-6, 6))),
            "until": when["until"] + dt.timedelta(hours=draw(st.integers(-1, 12))),
        }
        if dates["from"] < dates["until"]:
            other = draw(change(base, more, dates))
    elif placement == "over a closure":
        begin = when["from"] + dt.timedelta(hours=draw(st.integers(-6, 6)))
        path = draw(st.sampled_from(sorted(stages_with_lanes(base))))
        until = begin + dt.timedelta(hours=draw(st.integers(2, 20)))
        other = {"kind": "closure", "at": path, "from": begin, "until": until}
    if other is not None:
        base["improvements"] = {"other": other}
        if kind != "closure" and not fits(base, one):
            return None
    elif placement in ("beside another kind", "over a closure"):
        return None
    return base, {**base, "improvements": {**base["improvements"], "change": one}}


class Pair:
    """Base and changed run on one engine, and when the change is in force. ScenarioError if either is not valid."""

    def __init__(self, base, changed):
        self.base, self.changed = Case(base), Case(changed)
        self.force = InForce(self.changed.scenario)
        self.one = self.changed.scenario.improvements["change"]
        self.kind = "works" if self.one.works is not None else self.one.kind
        self.begins, self.ends = self.force.begins(self.one), self.force.ends(self.one)
        if self.one.works is not None:
            self.begins = self.force.works_window(self.one)[0]
        self.horizon_h = self.base.scenario.run.horizon_h

    def refusals(self):
        """What the batch engine refuses of either run."""
        return [*self.base.refusals(), *self.changed.refusals()]

    @property
    def looks_ahead(self):
        """Whether somebody may act on the change before it comes: no_overrun sees a closing, a driver a ban."""
        if self.kind == "leg_bans":
            known = [ban for leg in self.base.scenario.legs.values() for ban in leg.bans.values()]
            return any(ban.look_ahead for ban in (*known, *self.one.bans.values()))
        stages = [
            stage
            for post in self.changed.scenario.checkpoints.values()
            for way in ("exit", "entry")
            for stage in post.stages(way).values()
        ]
        return self.kind in TAKES_LANES and any(stage.closing == "no_overrun" for stage in stages)

    def before(self, base, changed):
        """First sentence: what differs in joins and starts before `from`, "" if nothing does."""
        for key in sorted({*base, *changed}, key=str):
            if key[2] in ("depart", "p.exit.slots", "q.entry.slots") or key[2].endswith(".acceptance"):
                continue
            if _is_of_one(key, base, changed):
                early = [visit for visit in changed[key] if visit[0] < self.begins]
                if not _holds_nobody(early):
                    return f"{key} holds somebody before {self.begins:g} h: {early}"
                continue
            for column, name in ((0, "join"), (1, "start")):
                one, other = (
                    [visit[column] for visit in run.get(key, []) if (visit[column] or math.inf) < self.begins]
                    for run in (base, changed)
                )
                if one != other:
                    return f"{name} of {key} before {self.begins:g} h: {one} in the base, {other} with the change"
        return ""

    def while_closed(self, changed):
        """Second sentence: who starts in a closed stage or enters a closed leg, "" if nobody does."""
        for _, closure in self.force.of_kind("closure"):
            begins, ends = self.force.begins(closure), self.force.ends(closure)
            parts = self.force.where(closure)
            for (flow, index, place), visits in changed.items():
                if place == "depart":
                    continue
                for join, start, *_ in visits:
                    if start is None or not begins <= start < ends or not self._closes(parts, place):
                        continue
                    stage = self._stage(place)
                    if stage is not None and stage.closing == "clear_queue" and join < begins:
                        continue
                    return f"{flow} {index} starts at {place} at {start:g} h, closed {begins:g} to {ends:g} h"
        return ""

    def _closes(self, parts, place):
        if parts[0] == "legs":
            return place in (f"leg:{parts[1]}>", f"leg:{parts[1]}<")
        stage = self._stage(place)
        return stage is not None and stage.lanes != "unlimited" and place.split(".")[: len(parts) - 1] == parts[1:]

    def _stage(self, place):
        post, _, rest = place.partition(".")
        way, _, name = rest.partition(".")
        posts = self.changed.scenario.checkpoints
        return posts[post].stages(way).get(name) if post in posts else None

    def empty_from(self, base, changed):
        """The first instant from `until` on at which nobody is under way in either run; infinity if there is none.

        What is counted by the local day (acceptance, slots) begins anew at the next midnight, and a
        leg is empty only once its headway is over: two hours on the safe side.
        """
        after = self.ends
        if after == math.inf:
            return math.inf
        daily = ("daily_acceptance", "slot_booking")
        if self.kind in daily or any(one.kind in daily for _, one in self._others()):
            offset = self.changed.scenario.checkpoints["p"].utc_offset_h
            after = math.ceil((after + offset) / 24) * 24 - offset
        slack = 2.0 if "leg_capacity" in {self.kind, *(one.kind for _, one in self._others())} else 0.0
        released = sorted(self._released(base).items())
        departs = {key: run[key][0] for run in (base, changed) for key in run if key[2] == "depart"}
        candidates = sorted({after, *(time + slack for time in departs.values() if time is not None)})
        for at in candidates:
            if at < after:
                continue
            early = [key for key, release in released if release < at]
            gone = [(run.get((*key, "depart")) or [None])[0] for key in early for run in (base, changed)]
            if all(time is not None and time + slack <= at for time in gone):
                return at
        return math.inf

    def _others(self):
        return [(name, one) for name, one in self.changed.scenario.improvements.items() if name != "change"]

    def _released(self, run):
        return {key[:2]: visits[0][0] for key, visits in run.items() if key[2] == "leg:la>"}

    def after(self, base, changed, empty_h):
        """Third sentence: what differs for those released from the empty instant on, "" if nothing does."""
        later = {key for key, release in self._released(base).items() if release >= empty_h}
        for key in sorted({*base, *changed}, key=str):
            if key[:2] not in later or (_is_of_one(key, base, changed) and _holds_nobody(changed[key])):
                continue
            if base.get(key) != changed.get(key):
                return f"{key} from {empty_h:g} h on: {base.get(key)} in the base, {changed.get(key)} with the change"
        return ""

    def comes_later(self, base, empty_h):
        """Consignments of which the third sentence speaks."""
        return sum(release >= empty_h for release in self._released(base).values())


def _is_of_one(key, base, changed):
    """Whether a place is a ban that the base has not: one passes it at once while it does not hold."""
    return ".ban." in key[2] and key not in base and key in changed


def _holds_nobody(visits):
    return all(start == join for join, start, *_ in visits)
