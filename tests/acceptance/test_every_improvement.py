"""Every improvement kind from a scenario file: its date and its end, its works, its growing effect."""

import itertools
import math

import pytest

import corridor_sim as cs
from corridor_sim.model.improvements import IMPROVEMENTS

NETWORK = """
[run]
horizon_days = 30
warm_up_days = 0
replications = 2
[checkpoints.north_a]
channels.exit = { green = 0.8, red = 0.2 }
slots.exit = { per_day = 400 }
acceptance.exit = { per_day = 600 }
[checkpoints.north_a.exit.scan]
lanes = 2
channels = ["red"]
service = { kind = "deterministic", value_h = 0.25 }
[checkpoints.north_b.entry.check]
lanes = 4
share = 0.3
service = { kind = "deterministic", value_h = 0.25 }
[checkpoints.south_a]
crossing = "south"
open = false
[checkpoints.south_a.exit.lanes]
lanes = 3
service = { kind = "deterministic", value_h = 0.25 }
[checkpoints.south_b]
crossing = "south"
[checkpoints.south_b.entry.lanes]
lanes = 3
service = { kind = "deterministic", value_h = 0.25 }
[legs.to_south]
kind = "road"
from = "mill"
to = "south_a"
length_km = 90
speed_kmh = 40
[legs.south_bridge]
kind = "road"
from = "south_a"
to = "south_b"
length_km = 1
speed_kmh = 10
border = true
[legs.from_south]
kind = "road"
from = "south_b"
to = "market"
length_km = 90
speed_kmh = 40
[legs.short_cut]
kind = "road"
from = "north_b"
to = "market"
length_km = 20
speed_kmh = 40
open = false
[legs.railway]
kind = "rail"
from = "mill"
to = "market"
length_km = 300
speed_kmh = 50
headway_h = 2.0
[flows.train]
origin = "mill"
destination = "market"
route = ["railway"]
vehicle = "train"
per_day = 8
[flows.bread]
origin = "mill"
destination = "market"
cargo_class = "perishable"
per_day = 20
"""
BEFORE, DURING, AFTER = 4.5 * 24, 14.5 * 24, 25.5 * 24
"""Noon of 5, 15 and 26 January: before the improvement, while it holds, and after its end. [h]"""
DATES = "from = 2024-01-10\nuntil = 2024-01-20\n"


def step(plan, flow, element, variant=0):
    number = plan.element_index(element)
    found = next(one for one in plan.flows if one.id == flow).variants[variant].steps
    return next(one for one in found if one.element == number)


def at(element, name, index=None):
    """A value of an element over time."""

    def probe(plan, hour):
        value = getattr(plan.elements[plan.element_index(element)], name)
        value = value if index is None else value[index]
        return float(getattr(value, "lanes", value).at(hour))

    return probe


def of_step(flow, element, name):
    """A value of a step over time."""

    def probe(plan, hour):
        value = getattr(step(plan, flow, element), name)
        return 1.0 if value is None else float(value.at(hour))

    return probe


def relieved(plan, hour):
    return sum(float(one.share.at(hour)) for one in step(plan, "flour", "north_a.exit.lanes").reliefs)


def departures(element):
    """Departures of a table in the day around an hour."""

    def probe(plan, hour):
        table = plan.elements[plan.element_index(element)]
        return float(((table.depart_h >= hour - 12) & (table.depart_h < hour + 12)).sum())

    return probe


def places(element):
    def probe(plan, hour):
        table = plan.elements[plan.element_index(element)]
        return float(table.places[(table.depart_h >= hour - 12) & (table.depart_h < hour + 12)].sum())

    return probe


def quota(plan, hour):
    one = plan.elements[plan.element_index("north_a.exit.acceptance")]
    return float(one.per_day[one.day_start_h <= hour][-1])


def share_through(leg):
    def probe(plan, hour):
        flow = next(one for one in plan.flows if one.id == "flour")
        return sum(float(v.share.at(hour)) for v in flow.variants if any(span.id == leg for span in v.spans))

    return probe


def rate(plan, hour):
    return float(next(one for one in plan.flows if one.id == "train").arrivals.rate.at(hour))


def merged(plan, hour):
    """Share of the flow that passes lanes of the south crossing but once."""
    flow = next(one for one in plan.flows if one.id == "flour")
    south = {k for k, element in enumerate(plan.elements) if getattr(element, "crossing", "") == "south"}
    return sum(float(v.share.at(hour)) for v in flow.variants if sum(one.element in south for one in v.steps) == 1)


LANES = 'at = "checkpoints.north_a.exit.lanes"\n'
EXIT = 'at = "checkpoints.north_a.exit"\n'


def urgent(plan, hour):
    """How many flows come before others at the lanes: those of the most urgent rank, if there is more than one."""
    dated = plan.elements[plan.element_index("north_a.exit.lanes")].rank_changes
    rank = [one for from_h, one in dated if from_h <= hour][-1]
    return 0 if rank is None else sum(place == 0 for place in rank)


def yard(plan, hour):
    dated = plan.elements[plan.element_index("north_a.exit.lanes")].yard_changes
    places = [one for from_h, one in dated if from_h <= hour][-1]
    return math.inf if places is None else places


def most_extra(plan, hour):
    return plan.elements[plan.element_index("north_a.exit.lanes")].extra_lanes.most.at(hour)


def gate_closes_at(plan, hour):
    (one,) = plan.elements[plan.element_index("north_a.exit.lanes")].gates
    return one.close_at.at(hour)


def banned(plan, hour):
    found = [one for one in plan.elements if one.id == "leg:from_border>.ban.night"]
    return 1 - found[0].open.at(hour)


KINDS = {
    "add_lanes": (LANES + "lanes = 2\n", at("north_a.exit.lanes", "lanes"), (3, 5, 3)),
    "remove_lanes": (LANES + "lanes = 1\n", at("north_a.exit.lanes", "lanes"), (3, 2, 3)),
    "set_capacity": (LANES + "trucks_per_day = 360\n", of_step("flour", "north_a.exit.lanes", "factor"), (1, 0.8, 1)),
    "service_time": (LANES + "factor = 0.8\n", of_step("flour", "north_a.exit.lanes", "factor"), (1, 0.8, 1)),
    "inspection_share": (
        'at = "checkpoints.north_b.entry.check"\nshare = 0.1\n',
        of_step("flour", "north_b.entry.check", "share"), (0.3, 0.1, 0.3),
    ),
    "opening_hours": (
        'at = "checkpoints.north_b.entry.check"\nopening_hours = ["Mon-Sun 00:00-10:00"]\n',
        at("north_b.entry.check", "lanes"), (4, 0, 4),
    ),
    "priority_lane": (
        LANES + 'cargo_class = "perishable"\nlanes = 1\nnew_lanes = 1\n',
        at("north_a.exit.lanes", "reserved", 0), (0, 1, 0),
    ),
    "pre_arrival": (EXIT + "share = 0.4\nfactor = 0.5\n", relieved, (0, 0.4, 0)),
    "slot_booking": (EXIT + "per_day = 480\n", places("north_a.exit.slots"), (400, 480, 400)),
    "daily_acceptance": (EXIT + "per_day = 360\n", quota, (600, 360, 600)),
    "one_stop_post": (
        'crossing = "south"\nhost = "south_b"\n', merged, (0, 0.5, 0),
    ),
    "open_post": (
        'at = "checkpoints.south_a"\nshares = { flour = 0.5 }\n', share_through("from_south"), (0, 0.5, 0),
    ),
    "leg_speed": (
        'at = "legs.from_border"\nfactor = 1.25\n', of_step("flour", "leg:from_border>", "factor"), (1, 0.8, 1),
    ),
    "leg_capacity": ('at = "legs.railway"\npaths_per_day = 24\n', at("leg:railway>", "headway_h"), (2, 1, 2)),
    "open_leg": ('at = "legs.short_cut"\n', share_through("short_cut"), (0, 1, 0)),
    "timetable": (
        'at = "legs.railway"\ntimetable = { every_h = 2, places = 60 }\n', departures("leg:railway>"), (0, 12, 0),
    ),
    "demand_growth": ('flow = "train"\nfactor = 1.5\n', rate, (8 / 24, 12 / 24, 8 / 24)),
    "closure": ('at = "checkpoints.north_a.exit"\n', at("north_a.exit.lanes", "lanes"), (3, 0, 3)),
    "priority_class": (LANES + 'priority = ["perishable"]\n', urgent, (0, 1, 0)),
    "lanes_by_queue": (LANES + "above = 9\nbelow = 3\nmost = 2\n", most_extra, (0, 2, 0)),
    "gate_by_queue": (
        LANES + 'queue_at = "checkpoints.north_b.entry"\nclose_at = 9\nopen_below = 4\n',
        gate_closes_at,
        (2.0**53, 9, 2.0**53),
    ),
    "leg_bans": (
        'at = "legs.from_border"\nbans.night = { hours = ["00:00-24:00"] }\n', banned, (0, 1, 0),
    ),
    "yard_places": (LANES + "places = 40\n", yard, (math.inf, 40, math.inf)),
}  # fmt: skip
GROWING = {
    "add_lanes", "remove_lanes", "service_time", "inspection_share", "pre_arrival", "slot_booking", "daily_acceptance",
    "open_post", "leg_speed", "leg_capacity", "demand_growth",
}  # fmt: skip
"""Kinds whose effect may come bit by bit."""
BUILT = {"set_capacity", "add_lanes", "service_time", "priority_lane", "inspection_share", "opening_hours"}
"""Kinds that are built where there are lanes to lose."""
WORKS = "works = { from = 2024-01-04, until = 2024-01-07, lanes = -1 }\n"


def station(plan):
    return plan.elements[plan.element_index("north_a.exit.lanes")]


@pytest.fixture
def network(folder):
    folder.write("network", NETWORK)
    return folder


def plan_of(folder, kind, body, dates=DATES, more=""):
    text = more + f'[improvements.change]\nkind = "{kind}"\n{body}{dates}'
    return cs.make_plan(cs.load_scenario(folder.write("changed", text, extends="network.toml")))


def others_needed(kind):
    """What a kind needs beside it to be seen: one stop is made where consignments pass."""
    if kind != "one_stop_post":
        return ""
    return '[improvements.opening]\nkind = "open_post"\nat = "checkpoints.south_a"\nshares = { flour = 0.5 }\n'


def test_every_kind_there_is_is_tested_here():
    assert set(KINDS) == set(IMPROVEMENTS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_holds_from_its_date_until_its_end(network, kind):
    body, probe, expected = KINDS[kind]
    plan = plan_of(network, kind, body, more=others_needed(kind))
    if kind == "timetable":
        # Outside its dates the line runs as it did: the table is another element, in force for twelve days.
        found = tuple(timetabled(plan, hour) for hour in (BEFORE, DURING, AFTER))
    else:
        found = tuple(probe(plan, hour) for hour in (BEFORE, DURING, AFTER))
    assert found == pytest.approx(expected, rel=1e-5)


def timetabled(plan, hour):
    """Departures of the railway in the day around an hour that do not take everybody at once."""
    tables = [one for one in plan.elements if one.kind == "departures" and one.id.startswith("leg:railway>")]
    return float(
        sum(
            int(((one.depart_h >= hour - 12) & (one.depart_h < hour + 12) & (one.places == 60)).sum()) for one in tables
        )
    )


@pytest.mark.parametrize("kind", sorted(GROWING))
def test_an_effect_grows_day_by_day(network, kind):
    body, probe, (before, full, _) = KINDS[kind]
    plan = plan_of(network, kind, body, dates=DATES + "ramp_up_days = 4\n")
    days = [probe(plan, (9 + day) * 24.0 + 12.0) for day in range(-1, 6)]
    assert days[0] == pytest.approx(before)
    assert days[5:] == pytest.approx([full] * 2)
    rising = [(later - earlier) * (1 if full > before else -1) for earlier, later in itertools.pairwise(days)]
    assert all(one >= -1e-12 for one in rising)
    if kind not in ("add_lanes", "remove_lanes"):
        # A part of it holds on the first day, more on the second.
        assert rising[0] > 0
        assert rising[1] > 0


@pytest.mark.parametrize("kind", sorted(set(IMPROVEMENTS) - GROWING))
def test_what_cannot_grow_says_so_or_is_whole_at_once(network, kind):
    body = KINDS[kind][0]
    dates = "from = 2024-01-01\nramp_up_days = 4\n"
    text = others_needed(kind) + f'[improvements.change]\nkind = "{kind}"\n{body}{dates}'
    result = network.call("check", network.write("grown", text, extends="network.toml"))
    if result.exit_code == 2:
        assert "improvements.change" in result.output
    else:
        assert kind in ("closure", "priority_lane")


@pytest.mark.parametrize("kind", sorted(BUILT))
def test_works_take_a_lane_while_an_improvement_is_built(network, kind):
    body = KINDS[kind][0]
    stage = "north_b.entry.check" if "north_b" in body else "north_a.exit.lanes"
    lanes = at(stage, "lanes")
    plan = plan_of(network, kind, body, dates=DATES + WORKS)
    whole = lanes(plan, 2.5 * 24)
    assert [lanes(plan, (day - 1) * 24 + 9.0) - whole for day in (4, 6, 7)] == [-1, -1, 0]


def test_works_after_the_opening_are_refused(network):
    text = f'[improvements.change]\nkind = "add_lanes"\n{LANES}lanes = 1\nfrom = 2024-01-05\n{WORKS}'
    result = network.call("check", network.write("late", text, extends="network.toml"))
    assert result.exit_code == 2
    assert "must not be later than the improvement takes effect" in result.output


def test_all_kinds_together_run_from_one_file(network):
    parts = [
        f'[improvements.{kind}]\nkind = "{kind}"\n{body}'
        for kind, (body, *_) in KINDS.items()
    ]  # fmt: skip
    name = network.write("all", "".join(parts), extends="network.toml")
    assert network.call("check", name).exit_code == 2  # a direction that is closed throughout
    # The railway gets a timetable, and a limit of entries has no meaning there.
    left_out = ('"closure"', '"leg_capacity"')
    kept = [part for part in parts if not any(kind in part for kind in left_out)]
    name = network.write("all", "".join(kept), extends="network.toml")
    rows = network.rows("run", name, "-n", 1, "--horizon-days", 6, "--workers", 1, "--indicator", "finished")
    assert network.value(rows, "finished", kind="corridor") > 500
