"""Small made-up borders with calendars, and changes of every kind the oracle knows, on quarter hours.

Everything lies on a coarse grid, so that ties are the rule: somebody joins at the very
instant at which a lane opens, closes or is added. All figures are made up (assumed).
`border` makes the tables by hand; `borders`, `change` and `scenarios` draw them.
What the strategies leave out is listed in `scenario_oracle`.
"""

import datetime as dt

from hypothesis import strategies as st

START = dt.datetime(2024, 1, 1)  # a Monday
HORIZON_H = 96
FREE = {"lanes": "unlimited", "service": {"kind": "deterministic", "value_h": 0.0}}
FIXED = "deterministic"
CLASSES = ("loaded", "vip")


def at_hour(hour):
    """A local date-time so many hours after the first midnight."""
    return START + dt.timedelta(hours=hour)


def fixed(hours):
    """A service that always takes so long."""
    return {"kind": FIXED, "value_h": hours}


def border(stages, *, flows, improvements=None, entry=None, leg=None, post=None, horizon_h=HORIZON_H):
    """A scenario as tables: place a, post p (exit), border leg, post q (entry), place b.

    `flows` are {id: (class, release hours)}; a class whose id begins with "back" goes from b to a.
    """
    road = {"kind": "road", "length_km": 0.0, "speed_kmh": 50.0}
    table = {
        id: {
            "origin": "b" if id.startswith("back") else "a",
            "destination": "a" if id.startswith("back") else "b",
            "cargo_class": cargo_class,
            "arrivals": {"kind": "trace", "times_h": list(times)} if isinstance(times, (list, tuple)) else times,
        }
        for id, (cargo_class, times) in flows.items()
    }
    found = {
        "schema": 1,
        "run": {"start": START, "horizon_h": float(horizon_h), "replications": 1},
        "places": {"a": {}, "b": {}},
        "legs": {
            "la": {**road, "from": "a", "to": "p"},
            "lb": {**road, "from": "q", "to": "b"},
            "br": {**road, "from": "p", "to": "q", "border": True, **(leg or {})},
        },
        "checkpoints": {
            "p": {"crossing": "x", "exit": dict(stages), "entry": {"free": FREE}, **(post or {})},
            "q": {"crossing": "x", "exit": {"free": FREE}, "entry": dict(entry or {"free": FREE})},
        },
        "flows": table,
        "improvements": dict(improvements or {}),
    }
    for name, stage in found["checkpoints"]["p"]["exit"].items():
        if "gate" in stage:
            places = gate_places(found, f"checkpoints.p.exit.{name}")
            rest = {key: value for key, value in stage.items() if key != "gate"}
            gate = {"gate": {**stage["gate"], "queue_at": places[0]}} if places else {}
            found["checkpoints"]["p"]["exit"][name] = {**rest, **gate}
    return found


def gate_places(data, path):
    """What lies behind a stage and has a queue, nearest first; only those who go out are followed."""
    lanes = list(stages_with_lanes(data))
    if path == "checkpoints.p.exit.s" and "checkpoints.p.exit.t" in lanes:
        found = ["checkpoints.p.exit.t"]
    else:
        found = []
    if path.startswith("checkpoints.p.exit.") and "checkpoints.q.entry.s" in lanes:
        found += ["checkpoints.q.entry", "checkpoints.q.entry.s"]
    return found


# ---------------------------------------------------------------- calendars and stages

halves = st.integers(1, 8).map(lambda n: n / 4)
HOURS = (
    ["08:00-20:00"],
    ["06:00-12:00", "13:00-22:00"],
    ["20:00-06:00"],
    ["Mon,Wed 00:00-24:00", "Tue 10:00-18:00", "Thu-Sun 08:00-20:00"],
    ["00:00-24:00"],
)
BY_HOUR = (
    {"00:00": 0, "08:00": 2, "20:00": 0},
    {"06:00": 1, "12:00": 3, "22:00": 1},
    {"07:00": 2, "19:00": 0},
    {"00:00": 1, "10:00": 2, "14:00": 0, "18:00": 3},
    {"Mon,Wed-Fri 06:00": 3, "Mon,Wed-Fri 20:00": 1, "Tue,Sat,Sun 07:00": 2, "Tue,Sat,Sun 19:00": 0},
    {"06:00": 2, "Tue 12:00": 0, "Tue-Thu 22:00": 1},
)
CLOSINGS = ("finish", "suspend", "restart", "no_overrun", "clear_queue")


@st.composite
def laws(draw):
    """A time that is always the same, or one of a few drawn by chance."""
    if draw(st.booleans()):
        return fixed(draw(halves))
    return {"kind": "empirical", "values_h": draw(st.lists(halves, min_size=2, max_size=3))}


MORE = (
    *("channels", "breakdown", "named", "lane outage", "extra lanes", "extra lanes", "gate", "gate"),
    *("patience", "patience", "interrupts", "interrupts"),
)


@st.composite
def extra_lanes(draw):
    """Lanes that the queue opens; thresholds that few trucks pass."""
    above = draw(st.integers(1, 3))
    most = draw(st.integers(1, 2))
    found = {"above": above, "below": draw(st.integers(1, above)), "most": most}
    found["start_up_h"] = draw(st.sampled_from([0.0, 0.25, 0.5, 1.5]))
    if draw(st.integers(0, 3)) == 0:
        found["most_by_hour"] = {"00:00": draw(st.integers(0, 1)), "07:00": most, "19:00": draw(st.integers(0, most))}
    return found


@st.composite
def patience(draw):
    """How long one waits at most: all, or one class, or each class for itself."""
    found = {"law": draw(laws())}
    if draw(st.booleans()):
        found["by_class"] = {"vip": draw(laws())}
        if draw(st.booleans()):
            del found["law"]
    return found


@st.composite
def bans(draw):
    """One or two bans, of all classes or of one."""
    found = {}
    for name in ("night", "rest")[: draw(st.integers(1, 2))]:
        lines = draw(st.sampled_from([["22:00-06:00"], ["Tue 08:00-20:00"], ["12:30-13:00", "Wed,Thu 00:00-24:00"]]))
        clock = draw(st.sampled_from([{"utc_offset_h": 0.0}, {"utc_offset_h": 3.5}, {"zone": "Europe/Helsinki"}]))
        found[name] = {"hours": lines, **clock}
        if draw(st.booleans()):
            found[name]["cargo_classes"] = ["vip"]
        if draw(st.integers(0, 2)) == 0:
            found[name]["look_ahead"] = True
        if draw(st.integers(0, 2)) == 0:
            found[name]["direction"] = draw(st.sampled_from(["forward", "backward"]))
        if "zone" not in found[name] and draw(st.integers(0, 2)) == 0:
            found[name] |= draw(dates())
    return found


@st.composite
def drivers_hours(draw):
    """Published hours, or so few that a short way asks for rests."""
    found = {"preset": draw(st.sampled_from(["eu_561", "eu_561_two_drivers"]))}
    if draw(st.integers(0, 3)):
        found = {
            "drive_per_day_h": draw(st.sampled_from([0.5, 1.5])),
            "daily_rest_h": draw(st.sampled_from([2.0, 5.0])),
        }
        if draw(st.booleans()):
            found |= {"drive_before_break_h": 0.25, "break_h": draw(st.sampled_from([0.25, 1.0]))}
        if draw(st.booleans()):
            found |= {"drive_per_week_h": 2.0, "weekly_rest_h": 8.0}
    if draw(st.booleans()):
        found["waiting_is_rest"] = False
    return found


@st.composite
def booked_slots(draw):
    """Slots of a day or by the hour, and who books, comes and is late."""
    found = {"per_day": draw(st.sampled_from([4, 8, 12, 24]))}
    if draw(st.integers(0, 2)) == 0:
        rosters = [{"08:00": 1, "12:00": 2, "20:00": 0}, {"00:00": 0, "Tue-Sun 06:00": 2}]
        found = {"by_hour": draw(st.sampled_from(rosters))}
    if draw(st.booleans()):
        found["share"] = draw(st.sampled_from([0.0, 0.5, 0.75]))
    if draw(st.booleans()):
        found["no_show"] = draw(st.sampled_from([0.25, 0.5]))
    if draw(st.booleans()):
        found |= {"late_share": draw(st.sampled_from([0.5, 1.0])), "late_by": draw(laws())}
    return found


@st.composite
def single_tracks(draw):
    """Terms on which both directions use a leg in turn."""
    found = {"switch_h": draw(st.sampled_from([0.0, 0.25, 1.0]))}
    if draw(st.booleans()):
        found["convoy"] = draw(st.integers(1, 2))
    return found


@st.composite
def gates(draw):
    """A gate; `border` has it look at a place that is there, or leaves it out."""
    close_at = draw(st.integers(1, 3))
    return {"queue_at": "checkpoints.q.entry", "close_at": close_at, "open_below": draw(st.integers(1, close_at))}


@st.composite
def stages(draw, plain=False):
    """A stage with lanes: hours or lanes by hour, a closing policy, and now and then one thing more."""
    stage = {"lanes": draw(st.integers(1, 3)), "service": draw(laws())}
    calendar = draw(st.sampled_from(["none", "none", "hours", "by hour"]))
    if calendar == "hours":
        stage["opening_hours"] = draw(st.sampled_from(HOURS))
    elif calendar == "by hour":
        stage["lanes_by_hour"] = draw(st.sampled_from(BY_HOUR))
        stage["lanes"] = max(stage["lanes_by_hour"].values())
    stage["closing"] = draw(st.sampled_from(CLOSINGS))
    if plain:
        return stage
    more = draw(
        st.sampled_from(["none", "none", "rank", "reserved", "outage", "share", "factor", "capacity", "zero", *MORE])
    )
    if more == "rank":
        stage |= {"discipline": "priority", "priority": ["vip"]}
    elif more == "reserved":
        kept = draw(st.integers(0, stage["lanes"]))
        stage["reserved"] = {"vip": {"lanes": kept, "overflow": draw(st.booleans())}}
    elif more == "outage":
        begin = draw(st.integers(1, 60))
        outage = {"from": at_hour(begin), "until": at_hour(begin + draw(st.integers(1, 9)))}
        policies = ["resume", "restart", "finish"] + (["requeue"] if stage["closing"] == "finish" else [])
        stage |= {"outages": {"o": outage}, "outage_policy": draw(st.sampled_from(policies))}
    elif more == "share":
        stage["share"] = draw(st.sampled_from([0.25, 0.5, 0.75]))
        if draw(st.booleans()):
            stage["share_by_class"] = {"vip": draw(st.sampled_from([0.0, 0.5, 1.0]))}
    elif more == "factor":
        stage["factor_by_class"] = {"vip": draw(st.sampled_from([0.5, 2.0]))}
    elif more == "capacity":
        stage["trucks_per_day"] = float(stage["lanes"] * draw(st.sampled_from([16, 24, 48])))
        if draw(st.booleans()):
            del stage["service"]
    elif more == "channels":
        stage["channels"] = draw(
            st.sampled_from([["red"], ["yellow", "red"], ["yellow"], ["green"], ["green", "yellow"]])
        )
    elif more == "breakdown":
        up = {"kind": "empirical", "values_h": draw(st.lists(st.integers(4, 30).map(float), min_size=1, max_size=3))}
        stage["breakdown"] = {"up": up, "down": fixed(draw(st.integers(1, 5)) / 2)}
        stage["outage_policy"] = draw(st.sampled_from(["resume", "restart", "finish"]))
        stage["breakdown"]["per_lane"] = stage["closing"] == "finish" and draw(st.booleans())
    elif more in ("named", "lane outage"):
        stage["closing"] = "finish"
        stage["named_lanes"] = more == "named"
        begin, lane = draw(st.integers(1, 60)), draw(st.integers(1, stage["lanes"]))
        outage = {"lane": lane, "from": at_hour(begin), "until": at_hour(begin + draw(st.integers(1, 20)))}
        if more == "lane outage" or draw(st.booleans()):
            stage |= {"outages": {"o": outage}}
            stage["outage_policy"] = draw(st.sampled_from(["resume", "restart", "finish", "requeue"]))
        if draw(st.booleans()):
            kept = draw(st.integers(1, stage["lanes"]))
            stage["reserved"] = {"vip": {"lanes": kept, "overflow": draw(st.booleans())}}
    elif more == "extra lanes":
        stage["extra_lanes"] = draw(extra_lanes())
    elif more == "patience":
        stage["patience"] = draw(patience())
    elif more == "interrupts":
        stage |= {
            "discipline": "priority",
            "priority": ["vip"],
            "preemption": draw(st.sampled_from(["resume", "restart"])),
        }
        if stage["closing"] == "no_overrun":
            stage["closing"] = "finish"
        if draw(st.booleans()):
            stage["patience"] = draw(patience())
    elif more == "gate":
        stage["gate"] = draw(gates())
    elif more == "zero" and calendar == "none":
        stage["lanes"] = 0  # a count: improvements may add to it
    return stage


releases = st.lists(st.integers(0, 140).map(lambda n: n / 2), min_size=1, max_size=7).map(sorted)
bursts = st.tuples(st.integers(0, 60), st.integers(2, 6)).map(lambda pair: [float(pair[0])] * pair[1])


@st.composite
def arrivals(draw):
    """Given instants, a crowd at the start, or regular groups."""
    kind = draw(st.sampled_from(["trace", "trace", "burst", "start", "regular"]))
    if kind == "start":
        return {"kind": "all_at_start", "count": draw(st.integers(1, 6))}
    if kind == "regular":
        every, first = draw(st.integers(12, 40)), draw(st.integers(0, 24))
        return {
            "kind": "timetable",
            "every_h": float(every),
            "first_h": float(first),
            "size": draw(st.integers(1, 3)),
        }
    return draw(releases if kind == "trace" else bursts)


@st.composite
def borders(draw):
    """A border of one or two stages before the line and one behind it, two classes, perhaps traffic back."""
    exits = {"s": draw(stages())}
    if draw(st.booleans()):
        exits["t"] = draw(stages(plain=draw(st.booleans())))
        if (yard := draw(st.sampled_from([None] * 9 + [0, 1, 2]))) is not None:
            exits["t"]["yard"] = yard
    if draw(st.integers(0, 5)) == 0:
        last = draw(st.sampled_from(sorted(exits)))
        exits[last]["back"] = {"share": draw(st.sampled_from([0.25, 0.5, 1.0])), "most": draw(st.integers(1, 3))}
        exits[last]["back"]["to"] = draw(st.sampled_from(["s", last]))
        if draw(st.integers(0, 2)) == 0:
            exits[last]["back"]["share_by_class"] = {"vip": draw(st.sampled_from([0.0, 0.5]))}
    entry = {"s": draw(stages(plain=True))} if draw(st.integers(0, 2)) == 0 else None
    flows = {"f": ("loaded", draw(arrivals())), "v": ("vip", draw(arrivals()))}
    if draw(st.integers(0, 3)) == 0:
        flows["back"] = ("loaded", draw(arrivals()))
    leg = draw(st.sampled_from([None, None, "road", "headway", "vehicles", "closed", "ferry", "track", "track"]))
    if leg == "track" and "back" not in flows:
        flows["back"] = ("loaded", draw(arrivals()))
    tables = {
        None: {},
        "road": {"length_km": 50.0},
        "headway": {"headway_h": 0.5, "length_km": 25.0, "no_overtaking": True},
        "vehicles": {"max_vehicles": 1, "length_km": 50.0},
        "closed": {"length_km": 25.0, "closures": {"c": {"from": at_hour(20), "until": at_hour(30)}}},
        "track": {"length_km": draw(st.sampled_from([12.5, 50.0])), "single_track": draw(single_tracks())},
        "ferry": {"length_km": 100.0, "timetable": {"every_h": 8.0, "first_h": 6.0, "places": 2}},
    }
    if leg != "ferry" and draw(st.integers(0, 3)) == 0:
        tables[leg] = {**tables[leg], "bans": draw(bans())}
    if leg != "ferry" and draw(st.integers(0, 4)) == 0:
        tables[leg] = {**tables[leg], "drivers_hours": draw(drivers_hours())}
    post = {"utc_offset_h": draw(st.sampled_from([0.0, 0.0, 3.0, 3.5, 4.0]))}
    outages = any("outages" in stage or "breakdown" in stage for stage in exits.values())
    if any("channels" in stage for stage in exits.values()):
        post["channels"] = {"exit": {"green": 0.5, "yellow": 0.25, "red": 0.25}}
        if draw(st.booleans()):
            own = draw(st.sampled_from([(0.0, 0.5, 0.5), (1.0, 0.0, 0.0), (0.25, 0.75, 0.0)]))
            post["channels"]["exit"]["by_class"] = {"vip": dict(zip(("green", "yellow", "red"), own, strict=True))}
    if not outages and draw(st.integers(0, 4)) == 0:
        post["acceptance"] = {"exit": {"per_day": draw(st.integers(1, 4))}}
    if draw(st.integers(0, 7)) == 0:
        post["slots"] = {"exit": draw(booked_slots())}
    found = border(exits, flows=flows, entry=entry, leg=tables[leg], post=post)
    for id, hosts in draw(st.sampled_from(HOSTS)).items():
        found["checkpoints"][id]["hosts"] = hosts
    if draw(st.integers(0, 4)) == 0:
        # What is driven before the border counts behind it.
        for id in ("la", "lb"):
            more = {"length_km": draw(st.sampled_from([12.5, 50.0])), "drivers_hours": draw(drivers_hours())}
            found["legs"][id] |= more
    return found


HOSTS = (*[{}] * 7, {"q": "entry"}, {"p": "exit"}, {"p": "both"}, {"p": "entry", "q": "entry"})
"""Which posts make the controls of both countries; mostly none."""

# ---------------------------------------------------------------- changes

STAGE_KINDS = (
    "add_lanes",
    "remove_lanes",
    "set_capacity",
    "service_time",
    "inspection_share",
    "opening_hours",
    "priority_class",
    "priority_lane",
    "pre_arrival",
    "yard_places",
    "closure",
    "works",
    "lanes_by_queue",
    "gate_by_queue",
)
POST_KINDS = ("daily_acceptance", "slot_booking", "one_stop_post")
LEG_KINDS = ("leg_speed", "leg_capacity", "timetable", "leg_bans")
FLOW_KINDS = ("demand_growth",)
KINDS = STAGE_KINDS + POST_KINDS + LEG_KINDS + FLOW_KINDS
RAMPED = ("add_lanes", "remove_lanes", "service_time", "pre_arrival", "inspection_share")


@st.composite
def dates(draw):
    """`from` and `until`, each there or not, inside the run or outside it."""
    begin = draw(st.none() | st.integers(-24, 80))
    end = draw(st.none() | st.integers(1, 40))
    found = {}
    if begin is not None:
        found["from"] = at_hour(begin)
    if end is not None:
        found["until"] = at_hour((begin or 0) + end)
    return found


def stages_with_lanes(data):
    """Paths and tables of the stages with lanes."""
    return {
        f"checkpoints.{post}.{way}.{name}": stage
        for post, table in data["checkpoints"].items()
        for way in ("exit", "entry")
        for name, stage in table[way].items()
        if stage["lanes"] != "unlimited"
    }


@st.composite
def change(draw, data, kind, when=None, night=False):
    """One improvement of a kind that fits the border, None if there is nothing it could improve.

    `when` gives its dates; with `night` works may take a lane at a stage whose lanes change by the hour.
    """
    dated = draw(dates()) if when is None else dict(when)
    lanes = stages_with_lanes(data)
    path = draw(st.sampled_from(sorted(lanes)))
    stage = lanes[path]
    post, way = path.split(".")[1:3]
    one = {"kind": kind, "at": path, **dated}
    if kind in RAMPED and when is None and "from" in dated and draw(st.integers(0, 5)) == 0:
        one["ramp_up_days"] = float(draw(st.integers(1, 3)))
    if kind in ("add_lanes", "works"):
        one |= {"kind": "add_lanes", "lanes": draw(st.integers(1, 2))}
        if kind == "works":
            if "from" not in dated or stage["lanes"] < 2 or ("lanes_by_hour" in stage and not night):
                return None
            ends = dated["from"] - dt.timedelta(hours=draw(st.integers(0, 6)))
            one["works"] = {"from": ends - dt.timedelta(hours=draw(st.integers(1, 12))), "until": ends, "lanes": -1}
    elif kind == "remove_lanes":
        least = min([stage["lanes"], *(n for n in stage.get("lanes_by_hour", {}).values() if n)])
        if least < (1 if "until" in dated else 2):
            return None
        one["lanes"] = 1
    elif kind == "set_capacity":
        one |= {"trucks_per_day": float(draw(st.sampled_from([24, 48, 96])))}
        if draw(st.booleans()) or not stage["lanes"]:
            one["lanes"] = draw(st.integers(1, 3))
    elif kind == "service_time":
        if draw(st.booleans()) or "ramp_up_days" in one or "trucks_per_day" in stage:
            one["factor"] = draw(st.sampled_from([0.5, 0.75, 1.5, 2.0]))
            if draw(st.booleans()):
                one["cargo_class"] = "vip"
            one["at"] = draw(st.sampled_from([path, f"checkpoints.{post}.{way}", f"checkpoints.{post}"]))
        else:
            one["service"] = draw(laws())
    elif kind == "inspection_share":
        name, value = draw(st.sampled_from([("share", 0.5), ("share", 0.0), ("factor", 0.5), ("share", 1.0)]))
        if "channels" in stage:
            # Who needs such a stage follows from its channels: other channels, or a factor here.
            other = draw(
                st.sampled_from([{"green": 0.25, "red": 0.75}, {"yellow": 0.5, "green": 0.5}, {"yellow": 1.0}])
            )
            name, value = draw(st.sampled_from([("channels", other), ("channels", other), ("factor", 0.5)]))
            if name == "channels":
                one["at"] = f"checkpoints.{post}.channels.{way}"
        one[name] = value
        if draw(st.booleans()):
            one["cargo_class"] = "vip"
    elif kind == "opening_hours":
        one["opening_hours"] = draw(st.sampled_from(HOURS))
        one["at"] = draw(st.sampled_from([path, f"checkpoints.{post}.{way}"]))
    elif kind == "priority_class":
        one["priority"] = draw(st.sampled_from([["vip"], ["loaded"], ["loaded", "vip"]]))
    elif kind == "priority_lane":
        built = draw(st.integers(0, 1))
        most = min([stage["lanes"], *(n for n in stage.get("lanes_by_hour", {}).values() if n)]) + built
        if most < 1:
            return None
        one |= {"cargo_class": "vip", "new_lanes": built, "lanes": draw(st.integers(1, most))}
        if "reserved" not in stage and draw(st.booleans()):
            one["overflow"] = True
    elif kind == "pre_arrival":
        one |= {"share": draw(st.sampled_from([0.5, 1.0])), "factor": draw(st.sampled_from([0.0, 0.5]))}
        one["at"] = draw(st.sampled_from([path, f"checkpoints.{post}.{way}", f"checkpoints.{post}"]))
        if draw(st.booleans()):
            one["cargo_classes"] = ["vip"]
    elif kind == "lanes_by_queue":
        failing = stage.get("breakdown", {}).get("per_lane") or any(
            "lane" in o for o in stage.get("outages", {}).values()
        )
        if stage.get("named_lanes") or failing:
            return None
        one |= draw(extra_lanes())
    elif kind == "gate_by_queue":
        places = gate_places(data, path)
        if not places:
            return None
        one |= {**draw(gates()), "queue_at": draw(st.sampled_from(places))}
    elif kind == "yard_places":
        one["places"] = draw(st.sampled_from([0, 1, 2, "unlimited"]))
    elif kind == "closure":
        if "from" not in dated or "until" not in dated:
            begin = draw(st.integers(-12, 60))
            one |= {"from": at_hour(begin), "until": at_hour(begin + draw(st.integers(1, 30)))}
        where = draw(st.sampled_from(["stage", "direction", "post", "narrowed", "named", "leg"]))
        if where == "leg":
            one["at"] = "legs.br"
        elif where == "narrowed":
            one |= {"at": f"checkpoints.{post}", "direction": way}
        elif where == "named":
            del one["at"]
            one |= {"checkpoint": post, "direction": way, "stage": path.split(".")[3]}
        else:
            one["at"] = {"stage": path, "direction": f"checkpoints.{post}.{way}", "post": f"checkpoints.{post}"}[where]
    elif kind == "daily_acceptance":
        if any({"outages", "breakdown"} & set(one_stage) for one_stage in data["checkpoints"][post][way].values()):
            return None
        one |= {"at": f"checkpoints.{post}.{way}", "per_day": draw(st.integers(1, 5))}
    elif kind == "slot_booking":
        one |= {"at": f"checkpoints.{post}.{way}", "per_day": draw(st.sampled_from([4, 8, 12, 24, 48]))}
        if draw(st.booleans()):
            one["every_h"] = float(draw(st.sampled_from([2, 4, 6])))
    elif kind == "one_stop_post":
        both = set(data["checkpoints"]["p"]["exit"]) & set(data["checkpoints"]["q"]["entry"])
        if any("acceptance" in table for table in data["checkpoints"].values()):
            return None
        del one["at"]
        one |= {"crossing": "x", "host": draw(st.sampled_from(["p", "q", "entry", "exit"]))}
        if both and draw(st.booleans()):
            one["service_factor"] = draw(st.sampled_from([1.0, 1.5]))
        else:
            one["controls"] = "in_turn"
    elif kind == "leg_speed":
        if "timetable" in data["legs"]["br"]:
            return None
        one |= {"at": "legs.br", **draw(st.sampled_from([{"factor": 2.0}, {"factor": 0.5}, {"speed_kmh": 100.0}]))}
    elif kind == "leg_capacity":
        if "timetable" in data["legs"]["br"]:
            return None
        limits = [{"headway_h": 0.5}, {"paths_per_day": 12.0}, {"max_vehicles": 1}, {"max_vehicles": 2}]
        one |= {"at": "legs.br", **draw(st.sampled_from(limits))}
    elif kind == "timetable":
        limited = ("headway_h", "max_vehicles", "closures", "no_overtaking", "single_track", "bans", "drivers_hours")
        if any(name in data["legs"]["br"] for name in limited):
            return None
        every = float(draw(st.sampled_from([4, 6, 10])))
        table = {"every_h": every, "first_h": float(draw(st.integers(0, 5))), "places": draw(st.integers(1, 3))}
        one |= {"at": "legs.br", "timetable": table}
    elif kind == "leg_bans":
        if "timetable" in data["legs"]["br"]:
            return None
        one["at"] = "legs.br"
        own = sorted(data["legs"]["br"].get("bans", {}))
        if own and draw(st.booleans()):
            one["lifts"] = [draw(st.sampled_from(own))]
        else:
            one["bans"] = draw(bans())
    elif kind == "demand_growth":
        del one["at"]
        one |= {"flow": "f", "factor": 1.5}
    return one


def sets_the_same(one, other):
    """Whether two improvements might set one value twice, which is an error (not an open question)."""
    if one["kind"] != other["kind"] or one["kind"] in ("add_lanes", "remove_lanes", "pre_arrival", "closure"):
        return False
    return not (one["kind"] in ("service_time", "leg_speed") and "factor" in one and "factor" in other)


def fits(data, one):
    """Whether an improvement may stand beside those that are there; what cannot is refused by the library."""
    others = list(data["improvements"].values())
    kinds = {other["kind"] for other in others} | {one["kind"]}
    if any(sets_the_same(one, other) for other in others):
        return False
    # Both set the law of service.
    if {"set_capacity", "service_time"} <= kinds or {"one_stop_post", "daily_acceptance"} <= kinds:
        return False
    # A leg with a timetable knows no limit, and its speed stays.
    return not ("timetable" in kinds and kinds & {"leg_capacity", "leg_speed", "leg_bans"})


@st.composite
def scenarios(draw, kinds=KINDS, least=0, most=3):
    """A border with up to three changes of different kinds or places; a stage without lanes gets some."""
    data = draw(borders())
    for path, stage in stages_with_lanes(data).items():
        if stage["lanes"] == 0:
            dated = {"from": at_hour(draw(st.integers(-5, 40)))} if draw(st.booleans()) else {}
            one = {"kind": "add_lanes", "at": path, "lanes": draw(st.integers(1, 2)), **dated}
            data["improvements"][f"first_{path.split('.')[3]}"] = one
            most -= 1
    number = max(least, draw(st.sampled_from([0, 1, 1, 2, 2, 3, 3])))
    often = (*kinds, "works") if len(kinds) > 1 and "works" in kinds else kinds  # works fit few stages
    for k in range(min(number, most)):
        one = draw(change(data, draw(st.sampled_from(often))))
        if one is not None and fits(data, one):
            data["improvements"][f"change{k}"] = one
    return data


@st.composite
def queues_at_start(draw, data):
    """The scenario with one or two queues that stand at its start, at places where one can."""
    places = ["checkpoints.p.exit", *(f"checkpoints.p.exit.{id}" for id in data["checkpoints"]["p"]["exit"])]
    queues = {}
    for k, at in enumerate(draw(st.lists(st.sampled_from(places), min_size=1, max_size=2, unique=True))):
        weights = {"f": draw(st.integers(1, 3)), "v": draw(st.integers(0, 3))}
        if draw(st.booleans()):
            how = {"count": draw(st.integers(0, 7)), "over_h": draw(st.sampled_from([0.0, 2.0, 7.0, 300.0]))}
        else:
            hours = draw(st.lists(st.integers(-20, 0), min_size=1, max_size=6))
            how = {"joined_h": [hour / 2 for hour in sorted(hours)]}
        queues[f"q{k}"] = {"at": at, "flows": weights, **how}
    return {**data, "run": {**data["run"], "initial_queue": queues}}
