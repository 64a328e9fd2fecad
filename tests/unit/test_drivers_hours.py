"""Drivers' hours on legs, from a file to a table; worked out by hand (rule S36)."""

import pytest
from one_gate import TEXT

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.engines import batch, compiled, event
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
EU = 'drivers_hours = { preset = "eu_561" }'


def border(before, after, times, *, stage_h=0.0, legs=("in", "out"), hours=EU, more="", out=""):
    """A way of so many hours at the wheel before the border and behind it, with so many hours at the gate between."""
    stage = f'lanes = "unlimited"\nservice = {{ kind = "deterministic", value_h = {stage_h} }}'
    demand = f'arrivals = {{ kind = "trace", times_h = {list(times)} }}'
    text = TEXT.format(days=30, warm_up=0, bridge="", stage=stage, demand=demand, more=more)
    for leg, end, length in (("in", "a", 50 * before), ("out", "market", 50 * after)):
        own = (hours if leg in legs else "") + (f"\n{out}" if leg == "out" else "")
        text = text.replace(f'to = "{end}"\nlength_km = 0', f'to = "{end}"\nlength_km = {length}\n{own}', 1)
    return cs.loads(text)


def simulated(scenario):
    """A plan and its records, the same on every engine that does it."""
    plan = make_plan(scenario)
    inputs = Sampler(plan, 7).sample([0])
    records = event.simulate(plan, inputs)
    if not batch.refusals(plan):
        assert records.same_as(batch.simulate(plan, inputs)) == ""
    return plan, records


def rests(scenario, leg="out"):
    """Hours of rest on a leg, in order of joining."""
    plan, records = simulated(scenario)
    table = records.elements[plan.element_index(f"leg:{leg}>.rest")]
    n = int(table.count[0])
    return (table.leave_h - table.start_h)[0, :n].tolist()


def arrives(scenario):
    return simulated(scenario)[1].journeys[0].depart_h[0].tolist()


def test_a_break_after_four_and_a_half_hours_and_a_night_after_nine():
    # 4.5, break of 0.75, 4.5, rest of 11, and what is left.
    for drive_h, rest_h in ((4.5, 0.0), (4.6, 0.75), (9.0, 0.75), (9.2, 11.75), (12.0, 11.75), (13.6, 12.5)):
        assert rests(border(0, drive_h, [0.0])) == [rest_h], drive_h
        assert arrives(border(0, drive_h, [0.0])) == pytest.approx([drive_h + rest_h])


def test_after_six_days_the_weekly_rest():
    # 56 h are six days of 9 and two hours: six nights, six breaks of the full days, then 45 h.
    assert rests(border(0, 56, [0.0])) == [6 * 11 + 6 * 0.75]
    assert rests(border(0, 57, [0.0])) == [6 * 11 + 6 * 0.75 + 45]


def test_what_was_driven_before_the_border_counts_after_it():
    # 3 h before, half an hour at the gate: 1.5 h are left, then the break.
    assert rests(border(3, 2, [0.0], stage_h=0.5)) == [0.75]
    # Three quarters at the gate are the break, eleven hours the rest of the day.
    assert rests(border(3, 2, [0.0], stage_h=0.75)) == [0.0]
    assert rests(border(9, 2, [0.0], stage_h=0.75)) == [11.0]
    assert rests(border(9, 2, [0.0], stage_h=11.0)) == [0.0]
    # What is shorter than the rest counts for nothing.
    assert rests(border(9, 2, [0.0], stage_h=10.9)) == [11.0]


def test_waiting_at_the_border_is_no_rest_where_one_has_to_move_up():
    off = 'drivers_hours = { preset = "eu_561", waiting_is_rest = false }'
    assert rests(border(9, 2, [0.0], stage_h=40.0, hours=off)) == [11.0]
    assert rests(border(3, 2, [0.0], stage_h=40.0, hours=off)) == [0.75]


@pytest.mark.parametrize("waiting", ["", ", waiting_is_rest = false"])
def test_the_hours_of_a_ban_are_a_rest_if_they_are_long_enough(waiting):
    hours = f'drivers_hours = {{ preset = "eu_561"{waiting} }}'
    night = 'bans.night = { hours = ["19:00-06:00"] }'
    # There at 9.75: he is on the leg before the ban, rests as a rest is due, and drives on whatever the hour.
    assert rests(border(9, 2, [0.0], hours=hours, out=night)) == [11.0]
    # Nine hours from 9.5 on end at 19.25; the ban ends at 30: not quite eleven hours, and the rest is due in full.
    assert rests(border(9, 2, [9.5], hours=hours, out=night)) == [11.0]
    # From 9.25 on: in the ban at exactly 19, for eleven hours.
    assert rests(border(9, 2, [9.25], hours=hours, out=night)) == [0.0]
    assert arrives(border(9, 2, [9.25], hours=hours, out=night)) == [32.0]


def test_who_waits_for_the_leg_itself_rests():
    off = 'drivers_hours = { preset = "eu_561", waiting_is_rest = false }'
    closed = "closures.storm = { from = 2024-01-01T00:00:00, until = 2024-01-01T20:00:00 }"
    # At the leg at 9.75, in at 20: ten hours and a quarter are no rest of a day. A day of nine hours is over at once.
    assert rests(border(9, 2, [0.0], hours=off, out=closed)) == [11.0]
    assert rests(border(8.25, 2, [0.0], hours=off, out=closed)) == [0.0]


def test_who_rests_stands_beside_the_road():
    # One vehicle at a time is on the leg: the second enters as the first has driven, not as it has rested.
    plan, records = simulated(border(0, 10, [0.0, 0.0], out="max_vehicles = 1"))
    table = records.elements[plan.element_index("leg:out>")]
    assert table.start_h[0].tolist() == [0.0, 10.0]
    assert rests(border(0, 10, [0.0, 0.0], out="max_vehicles = 1")) == [11.75, 11.75]


def test_two_drivers_in_turn_rest_nine_hours_after_eighteen():
    crew = 'drivers_hours = { preset = "eu_561_two_drivers" }'
    for drive_h, rest_h in ((18.0, 0.0), (19.0, 9.0), (37.0, 18.0)):
        assert rests(border(0, drive_h, [0.0], hours=crew)) == [rest_h]


def test_each_leg_has_its_own_hours_and_what_was_driven_counts():
    own = "drivers_hours = { drive_per_day_h = 6, daily_rest_h = 8 }"
    text = border(7, 1, [0.0], legs=("in",), out=own)
    # Seven hours before: more than the six of the leg behind, so the rest is due at once.
    assert rests(text) == [8.0]
    # A leg without hours neither counts nor rests.
    assert arrives(border(20, 2, [0.0], legs=("out",))) == [22.0]


def test_rest_is_a_component_of_the_journey_and_no_speed_without_delay():
    results = cs.run(border(0, 12, [0.0]), replications=1, rng=1, workers=1, engine="event")
    of = results.table("component_h", kind="flow").set_index("of")["mean"]
    assert of["rest"] == 11.75
    assert of["travel"] == 12.0
    without = results.table("tfi4_swod")["mean"].iloc[0]
    assert without == pytest.approx(50.0)
    assert results.table("tfi4_swd")["mean"].iloc[0] == pytest.approx(600 / 23.75)


@pytest.mark.skipif(bool(compiled.unavailable()), reason="needs numba")
@pytest.mark.parametrize("waiting", ["", ", waiting_is_rest = false"])
def test_the_pass_counts_what_the_event_engine_counts(waiting):
    hours = f'drivers_hours = {{ preset = "eu_561"{waiting} }}'
    night = 'bans.night = { hours = ["19:00-06:00"] }'
    scenario = border(9, 12, [0.0, 3.25, 9.25, 9.5, 20.0, 33.0, 100.0], stage_h=0.5, hours=hours, out=night)
    rows = [
        cs.run(scenario, engine=how, replications=1, rng=1, workers=1).rows for how in ("compiled", "event", "batch")
    ]
    assert rows[0].values.tobytes() == rows[1].values.tobytes() == rows[2].values.tobytes()


def test_a_leg_with_a_queue_needs_the_event_engine_which_says_why():
    plan = make_plan(border(0, 10, [0.0], out="max_vehicles = 1"))
    told = ["drivers' hours on a leg whose entry is limited at leg:out>"]
    assert batch.refusals(plan) == compiled.refusals(plan) == told


@pytest.mark.parametrize(
    ("hours", "path"),
    [
        ("{}", "legs.out.drivers_hours.preset"),
        ('{ preset = "us" }', "legs.out.drivers_hours.preset"),
        ("{ drive_per_day_h = 9 }", "legs.out.drivers_hours.daily_rest_h"),
        ("{ break_h = 0.75 }", "legs.out.drivers_hours.drive_before_break_h"),
        ('{ preset = "eu_561", drive_per_day_h = 4 }', "legs.out.drivers_hours.drive_per_day_h"),
        ('{ preset = "eu_561", break_h = 12 }', "legs.out.drivers_hours.daily_rest_h"),
        ('{ preset = "eu_561", break_h = 0 }', "legs.out.drivers_hours.break_h"),
    ],
)
def test_what_is_wrong_with_the_hours_is_named(hours, path):
    with pytest.raises(ScenarioError) as caught:
        make_plan(border(0, 1, [0.0], legs=(), out=f"drivers_hours = {hours}"))
    assert [problem.path for problem in caught.value.problems] == [path]


def test_a_leg_with_a_timetable_has_no_drivers_hours():
    table = f"{EU}\ntimetable = {{ every_h = 6, places = 5 }}"
    with pytest.raises(ScenarioError) as caught:
        make_plan(border(0, 1, [0.0], legs=(), out=table))
    assert [problem.path for problem in caught.value.problems] == ["legs.out.drivers_hours"]


def test_hours_are_written_back():
    scenario = border(9, 2, [0.0])
    assert cs.loads(cs.dumps(scenario)) == scenario


def test_hours_may_have_a_range():
    stated = 'status = "assumed", source = "road", '
    stated += 'figures.daily_rest_h = { low = 9.0, high = 11.0, range_reason = "reduced" }'
    hours = f"drivers_hours = {{ drive_per_day_h = 9.0, daily_rest_h = 11.0, {stated} }}"
    scenario = border(9, 2, [0.0], legs=("out",), hours=hours, more='[sources.road]\ntitle = "Hours of the road"\n')
    rows = cs.figures(scenario).set_index("path")
    assert rows.loc["legs.out.drivers_hours.daily_rest_h", ["low", "high"]].tolist() == [9.0, 11.0]
