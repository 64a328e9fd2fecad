"""Bans on legs by night, weekend and holiday, by class, in local time; worked out by hand (rule S30)."""

import pytest
from one_gate import TEXT

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.engines import batch, compiled, event
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
FREE = 'lanes = "unlimited"\nservice = { kind = "deterministic", value_h = 0.0 }'
VIP = """
[flows.vip]
origin = "mill"
destination = "market"
cargo_class = "vip"
arrivals = { kind = "trace", times_h = [22.0] }
"""


def border(ban, times, more=""):
    """A border whose way to the market takes four hours; the run begins on Monday, 1 January 2024."""
    demand = f'arrivals = {{ kind = "trace", times_h = {list(times)} }}'
    text = TEXT.format(days=14, warm_up=0, bridge="", stage=FREE, demand=demand, more=more)
    return cs.loads(text.replace('to = "market"\nlength_km = 0', f'to = "market"\nlength_km = 200\n{ban}', 1))


def enters(scenario, flow=0):
    """Instants at which a flow sets out on the way to the market, in order of its consignments, on every engine."""
    plan = make_plan(scenario)
    inputs = Sampler(plan, 7).sample([0])
    by_event, by_batch = event.simulate(plan, inputs), batch.simulate(plan, inputs)
    assert by_event.same_as(by_batch) == ""
    table = by_event.elements[plan.element_index("leg:out>")]
    n = int(table.count[0])
    return sorted(
        at for at, f in zip(table.start_h[0, :n].tolist(), table.flow[0, :n].tolist(), strict=True) if f == flow
    )


NIGHT = 'bans.night = { hours = ["22:00-06:00"] }'


def test_who_meets_a_ban_waits_at_the_start_of_the_leg_for_its_end():
    assert enters(border(NIGHT, [5.5, 6.0, 21.5, 22.0, 23.0, 31.0])) == [6.0, 6.0, 21.5, 30.0, 30.0, 31.0]


def test_who_is_under_way_when_a_ban_begins_drives_on():
    plan = make_plan(border(NIGHT, [21.5]))
    records = event.simulate(plan, Sampler(plan, 7).sample([0]))
    assert records.journeys[0].depart_h[0].tolist() == [25.5]


def test_looking_ahead_nobody_sets_out_who_would_meet_the_ban_on_the_way():
    ahead = 'bans.night = { hours = ["22:00-06:00"], look_ahead = true }'
    # Four hours: who sets out at 18 ends as the ban begins.
    assert enters(border(ahead, [18.0, 18.25, 21.5])) == [18.0, 30.0, 30.0]


def test_a_ban_is_of_its_classes_and_two_of_them_add_up():
    own = 'bans.night = { hours = ["22:00-06:00"], cargo_classes = ["loaded"] }\n'
    own += 'bans.rest = { hours = ["06:00-07:00"], cargo_classes = ["loaded", "vip"] }'
    scenario = border(own, [22.0], more=VIP)
    assert enters(scenario, 0) == [31.0]
    assert enters(scenario, 1) == [22.0]
    plan = make_plan(scenario)
    assert [one.id for one in plan.elements if ".ban" in one.id] == ["leg:out>.ban.night+rest", "leg:out>.ban.rest"]


def test_a_ban_holds_by_the_local_clock_of_its_zone():
    # Moscow is three hours ahead of UTC: from 19 to 3.
    assert enters(border(NIGHT.replace("] }", '], zone = "Europe/Moscow" }'), [18.5, 19.0])) == [18.5, 27.0]


def test_weekends_and_holidays():
    weekend = 'bans.weekend = { hours = ["Sat 08:00-24:00", "Sun 00:00-22:00"] }'
    # Saturday begins at hour 120; Sunday at 22 is hour 166.
    assert enters(border(weekend, [127.5, 128.0, 150.0])) == [127.5, 166.0, 166.0]
    day = "bans.feast = { holidays = [2024-01-03] }"
    assert enters(border(day, [47.5, 48.0, 60.0])) == [47.5, 72.0, 72.0]
    some = 'bans.feast = { hours = ["22:00-24:00"], holidays = [2024-01-03], holiday_hours = ["08:00-20:00"] }'
    assert enters(border(some, [46.5, 50.0, 60.0, 70.5])) == [48.0, 50.0, 68.0, 70.5]


def test_the_wait_is_part_of_the_leg_and_of_no_queue_of_the_leg():
    scenario = border(NIGHT + "\nmax_vehicles = 1", [22.0, 23.0])
    assert enters(scenario) == [30.0, 34.0]
    plan = make_plan(scenario)
    (leg,) = [span for span in plan.flows[0].variants[0].spans if span.kind == "leg" and span.id == "out"]
    inside = [plan.elements[s.element].id for s in plan.flows[0].variants[0].steps[leg.first : leg.last + 1]]
    assert inside == ["leg:out>.ban.night", "leg:out>"]


DATED = 'bans.night = { hours = ["22:00-06:00"], from = 2024-01-02, until = 2024-01-03T23:00:00 }'


def test_a_ban_holds_from_a_date_until_another():
    # Nights begin at 22, 46, 70; the ban holds from 24 to 71.
    assert enters(border(DATED, [22.0, 23.5, 24.0, 46.0, 70.5, 71.0, 94.0])) == [
        22.0,
        23.5,
        30.0,
        54.0,
        71.0,
        71.0,
        94.0,
    ]
    # Moscow is three hours ahead of UTC: from 21 of the day before, and its nights are 19 to 3.
    local = DATED.replace("from", 'zone = "Europe/Moscow", from')
    assert enters(border(local, [20.5, 21.0, 67.5])) == [20.5, 27.0, 68.0]


def test_a_ban_may_hold_in_one_direction():
    there, back = (NIGHT.replace(" }", f', direction = "{way}" }}') for way in ("forward", "backward"))
    assert enters(border(there, [22.0])) == [30.0]
    assert enters(border(back, [22.0])) == [22.0]
    plan = make_plan(border(back, [22.0]))
    assert [one.id for one in plan.elements if ".ban" in one.id] == []


def test_looking_ahead_knows_the_date_at_which_a_ban_begins_and_is_over():
    # Four hours on the way. By date the ban begins at 24, within its hours: from 20 on nobody sets out.
    ahead = DATED.replace(" }", ", look_ahead = true }")
    assert enters(border(ahead, [18.5, 20.0, 20.25, 42.0, 42.25])) == [18.5, 20.0, 30.0, 42.0, 54.0]
    # The last night ends with its date, at 71; who sets out at 68 would be on the way at 70.
    assert enters(border(ahead, [66.0, 66.25, 90.0])) == [66.0, 71.0, 90.0]


LEG_BANS = """
[improvements.{name}]
kind = "leg_bans"
at = "legs.out"
{terms}
from = 2024-01-02
until = 2024-01-04
"""


def test_an_improvement_brings_a_ban_takes_the_place_of_one_and_lifts_one():
    day = LEG_BANS.format(name="heat", terms='bans.day = { hours = ["10:00-18:00"], cargo_classes = ["vip"] }')
    later = border("", [10.0, 34.0], more=day + VIP.replace("[22.0]", "[10.0, 34.0, 82.0]"))
    assert enters(later, 0) == [10.0, 34.0]
    assert enters(later, 1) == [10.0, 42.0, 82.0]
    shorter = LEG_BANS.format(name="short", terms='bans.night = { hours = ["23:00-04:00"] }')
    # Nights of 22 to 6; from 24 to 72 of 23 to 4 in their place.
    assert enters(border(NIGHT, [22.5, 46.5, 47.0, 70.5, 71.5], more=shorter)) == [28.0, 46.5, 52.0, 70.5, 78.0]
    none = LEG_BANS.format(name="free", terms='lifts = ["night"]')
    assert enters(border(NIGHT, [22.5, 46.5, 71.0, 72.0], more=none)) == [24.0, 46.5, 71.0, 78.0]
    ahead = NIGHT.replace(" }", ", look_ahead = true }")
    # At 66 the night that begins at 70 is lifted until 72: nobody would be on the way then but who sets out after 68.
    assert enters(border(ahead, [44.0, 66.5, 68.0, 68.5], more=none)) == [44.0, 66.5, 68.0, 78.0]


def test_a_closure_comes_after_the_ban():
    closed = """
[improvements.storm]
kind = "closure"
at = "legs.out"
from = 2024-01-02T05:00:00
until = 2024-01-02T12:00:00
"""
    scenario = border(NIGHT, [22.0, 29.5, 31.0], more=closed)
    assert enters(scenario) == [36.0, 36.0, 36.0]
    plan = make_plan(scenario)
    records = event.simulate(plan, Sampler(plan, 7).sample([0]))
    assert sorted(records.elements[plan.element_index("leg:out>")].join_h[0].tolist()) == [30.0, 30.0, 31.0]
    # Without the ban: who comes before the storm is through.
    assert enters(border("", [22.0, 29.5, 31.0], more=closed)) == [22.0, 36.0, 36.0]


@pytest.mark.parametrize(
    ("terms", "path"),
    [
        ("", "improvements.x.bans"),
        ('lifts = ["day"]', "improvements.x.lifts"),
        ('lifts = ["night"]\nbans.night = { hours = ["01:00-02:00"] }', "improvements.x.lifts"),
        ("bans.day = {}", "improvements.x.bans.day.hours"),
        ("bans.day = { hours = ['01:00-02:00'], cargo_classes = ['gold'] }", "improvements.x.bans.day.cargo_classes"),
        ("bans.day = { hours = ['01:00-02:00'], direction = 'up' }", "improvements.x.bans.day.direction"),
    ],
)
def test_what_is_wrong_with_bans_of_an_improvement_is_named(terms, path):
    with pytest.raises(ScenarioError) as caught:
        make_plan(border(NIGHT, [0.0], more=LEG_BANS.format(name="x", terms=terms)))
    assert path in {problem.path for problem in caught.value.problems}


def test_two_that_set_one_ban_at_one_time_are_refused():
    two = "".join(LEG_BANS.format(name=name, terms='lifts = ["night"]') for name in "xy")
    with pytest.raises(ScenarioError, match="is set by two improvements 'x' and 'y' at the same time"):
        make_plan(border(NIGHT, [0.0], more=two))


def test_a_leg_with_a_timetable_gets_no_bans():
    more = LEG_BANS.format(name="x", terms='bans.day = { hours = ["01:00-02:00"] }')
    with pytest.raises(ScenarioError, match="has no bans"):
        make_plan(border("timetable = { every_h = 6, places = 5 }", [0.0], more=more))


def test_holidays_of_a_ban_of_an_improvement_are_kept():
    more = LEG_BANS.format(name="x", terms="bans.feast = { holidays = [2024-01-03] }")
    assert enters(border("", [47.5, 48.0, 60.0], more=more)) == [47.5, 72.0, 72.0]


@pytest.mark.skipif(bool(compiled.unavailable()), reason="needs numba")
def test_the_pass_counts_what_the_event_engine_counts():
    dated = LEG_BANS.format(name="x", terms='bans.day = { hours = ["08:00-20:00"], cargo_classes = ["vip"] }')
    scenario = border(DATED, [5.5, 6.0, 21.5, 22.0, 23.0, 31.0, 46.0], more=VIP + dated)
    rows = [
        cs.run(scenario, engine=how, replications=1, rng=1, workers=1).rows for how in ("compiled", "event", "batch")
    ]
    assert rows[0].values.tobytes() == rows[1].values.tobytes() == rows[2].values.tobytes()


@pytest.mark.parametrize(
    ("ban", "path"),
    [
        ("bans.x = {}", "legs.out.bans.x.hours"),
        ("bans.x = { hours = [] }", "legs.out.bans.x.hours"),
        ("bans.x = { hours = ['25:00-26:00'] }", "legs.out.bans.x.hours.0"),
        ("bans.x = { hours = ['22:00-06:00'], cargo_classes = ['gold'] }", "legs.out.bans.x.cargo_classes"),
        ("bans.x = { hours = ['22:00-06:00'], zone = 'Europe/Nowhere' }", "legs.out.bans.x.zone"),
        ("bans.x = { hours = ['03:00-24:00'], look_ahead = true }", "legs.out.bans.x.look_ahead"),
        ("bans.x = { hours = ['03:00-24:00'], from = 2024-01-03, until = 2024-01-02 }", "legs.out.bans.x.until"),
        ("timetable = { every_h = 6, places = 5 }\nbans.x = { hours = ['22:00-06:00'] }", "legs.out.bans"),
    ],
)
def test_what_is_wrong_with_a_ban_is_named(ban, path):
    with pytest.raises(ScenarioError) as caught:
        make_plan(border(ban, [0.0]))
    assert path in {problem.path for problem in caught.value.problems}
