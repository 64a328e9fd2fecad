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


@pytest.mark.skipif(bool(compiled.unavailable()), reason="needs numba")
def test_the_pass_counts_what_the_event_engine_counts():
    scenario = border(NIGHT, [5.5, 6.0, 21.5, 22.0, 23.0, 31.0, 46.0], more=VIP)
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
        ("timetable = { every_h = 6, places = 5 }\nbans.x = { hours = ['22:00-06:00'] }", "legs.out.bans"),
    ],
)
def test_what_is_wrong_with_a_ban_is_named(ban, path):
    with pytest.raises(ScenarioError) as caught:
        make_plan(border(ban, [0.0]))
    assert path in {problem.path for problem in caught.value.problems}
