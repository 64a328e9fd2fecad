"""What changes of a corridor do together, on records: closings, closed hours, dated reservations, timetables, quotas.

The right values are worked out by hand, by rules S07, S08, D28, D30 and D31. Every case runs in the event
engine and in the batch engine, compiled and not.
"""

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.plan.build import make_plan

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
ENGINES = [("event", "1"), ("batch", "1"), ("batch", "0")]
OPEN, SHUT = "2024-01-02", "2024-01-03"
"""Hours 24 and 48 of a run that begins on 2024-01-01."""


def border(stage, times_h, *, horizon_h=96, leg=None, post=None, others=None, improvements=()):
    """Two posts and one stage; `others` are the releases of a second class, vip, which stands behind at ties."""
    free = {"lanes": "unlimited", "service": {"kind": "deterministic", "value_h": 0.0}}
    road = {"kind": "road", "length_km": 0, "speed_kmh": 50}
    flow = {"origin": "a", "destination": "b", "per_day": 1}
    flows = {"f": {**flow, "arrivals": {"kind": "trace", "times_h": times_h}}}
    if others is not None:
        flows["v"] = {**flow, "cargo_class": "vip", "arrivals": {"kind": "trace", "times_h": others}}
    return cs.Scenario(
        name="border",
        run={"start": "2024-01-01", "horizon_h": horizon_h, "replications": 1},
        places={"a": {}, "b": {}},
        checkpoints={
            "p": {"crossing": "x", "exit": {"s": {"service": {"kind": "deterministic", "value_h": 1.0}, **stage}}}
            | (post or {}),
            "q": {"crossing": "x", "entry": {"free": free}},
        },
        legs={
            "la": {**road, "from": "a", "to": "p"},
            "br": {**road, "from": "p", "to": "q", "border": True} | (leg or {}),
            "lb": {**road, "from": "q", "to": "b"},
        },
        flows=flows,
        improvements={f"i{k}": one for k, one in enumerate(improvements)},
    )


def times(scenario, engine, fast, monkeypatch, element="p.exit.s", what="start_h", flow=None):
    monkeypatch.setenv("CORRIDOR_SIM_FAST", fast)
    records = cs.run(scenario, engine=engine, replications=1, workers=1, records=True).records
    visits = records.elements[records.plan.element_index(element)]
    mine = slice(None) if flow is None else visits.flow[0] == flow
    found = getattr(visits, what)[0][mine]
    return found[np.isfinite(found) & (found < 96)].tolist()


@pytest.fixture(params=ENGINES, ids=["event", "compiled", "plain"])
def seen(request, monkeypatch):
    if request.param == ("batch", "1"):
        pytest.importorskip("numba")
    return lambda scenario, **what: times(scenario, *request.param, monkeypatch, **what)


def closure(at="checkpoints.p.exit.s", **more):
    return {"kind": "closure", "at": at, "from": OPEN, "until": SHUT, **more}


STAGE = "checkpoints.p.exit.s"
NIGHT = {"lanes": 2, "lanes_by_hour": {"00:00": 0, "08:00": 2, "20:00": 0}}


# ---------------------------------------------------------------- closings and closed hours


def test_nobody_is_served_in_a_closed_stage_however_many_lanes_are_added(seen):
    more = {"kind": "add_lanes", "at": STAGE, "from": "2024-01-01T12:00:00", "lanes": 1}
    assert seen(border({"lanes": 1}, [1.0, 30.0, 31.0, 50.0], improvements=[closure(), more])) == [1, 48, 48, 50]


@pytest.mark.parametrize("lost", ["remove_lanes", "works"])
def test_a_lane_may_go_while_the_stage_is_closed(lost, seen):
    less = {"kind": "remove_lanes", "at": STAGE, "from": "2024-01-02T06:00:00", "lanes": 1}
    if lost == "works":
        works = {"from": "2024-01-02T06:00:00", "until": "2024-01-04", "lanes": -1}
        less = {"kind": "service_time", "at": STAGE, "from": "2024-01-04", "factor": 1.0, "works": works}
    scenario = border({"lanes": 3}, [1.0, 30.0, 31.0, 32.0], improvements=[closure(), less])
    assert seen(scenario) == [1, 48, 48, 49]


@pytest.mark.parametrize(
    ("change", "lanes"),
    [
        ({"kind": "add_lanes", "lanes": 1}, 3),
        ({"kind": "set_capacity", "trucks_per_day": 36, "lanes": 3}, 3),
        ({"kind": "remove_lanes", "lanes": 1}, 1),
        ({"kind": "opening_hours", "opening_hours": ["00:00-24:00"]}, 2),
        ({"kind": "priority_lane", "cargo_class": "loaded", "lanes": 1, "new_lanes": 1, "overflow": True}, 3),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_nothing_opens_an_hour_in_which_lanes_by_hour_is_0(change, lanes, seen):
    scenario = border(NIGHT, [0.0, 1.0, 2.0, 3.0, 21.0], improvements=[{"at": STAGE, **change}])
    by_day = [8.0 + k // lanes for k in range(4)]
    assert seen(scenario) == [*by_day, 32.0]


def test_a_lane_added_by_day_is_as_with_opening_hours(seen):
    more = {"kind": "add_lanes", "at": STAGE, "lanes": 1}
    when = [0.0, 1.0, 2.0, 3.0, 21.0, 22.0, 23.0]
    expected = [8, 8, 8, 9, 32, 32, 32]
    assert seen(border(NIGHT, when, improvements=[more])) == expected
    assert seen(border({"lanes": 2, "opening_hours": ["08:00-20:00"]}, when, improvements=[more])) == expected


def test_no_lanes_without_hours_is_a_count_to_which_lanes_are_added(seen):
    more = {"kind": "add_lanes", "at": STAGE, "from": OPEN, "lanes": 1}
    assert seen(border({"lanes": 0}, [1.0, 30.0], improvements=[more])) == [24, 30]


def test_trucks_a_day_are_what_lanes_by_hour_pass_in_a_day():
    stage = {"lanes": 5, "lanes_by_hour": {"08:00": 5, "20:00": 0}, "trucks_per_day": 500.0, "service": None}
    (station,) = (one for one in make_plan(border(stage, [0.0])).elements if one.id == "p.exit.s")
    plan = make_plan(border(stage, [0.0]))
    (step,) = (s for s in plan.flows[0].variants[0].steps if plan.elements[s.element].id == "p.exit.s")
    assert station.lanes.integral(24.0) / step.laws[0][1].mean_h == pytest.approx(500, rel=1e-5)
    capacity = {"kind": "set_capacity", "at": STAGE, "trucks_per_day": 550.0}
    plan = make_plan(border({**NIGHT, "lanes_by_hour": {"08:00": 6, "20:00": 5}}, [0.0], improvements=[capacity]))
    (step,) = (s for s in plan.flows[0].variants[0].steps if plan.elements[s.element].id == "p.exit.s")
    law, factor = step.laws[0][1].mean_h, 1.0 if step.factor is None else step.factor.at(0.0)
    assert (6 * 12 + 5 * 12) / (law * factor) == pytest.approx(550, rel=1e-5)


@pytest.mark.parametrize("closing", ["finish", "suspend", "no_overrun", "restart"])
@pytest.mark.parametrize(
    "stage",
    [
        {"lanes_by_hour": {"08:00": 5, "20:00": 0}, "trucks_per_day": 500.0, "service": None},
        {"opening_hours": ["08:00-20:00"], "trucks_per_day": 500.0, "service": None},
        {"opening_hours": ["08:00-20:00"], "service": {"kind": "deterministic", "value_h": 0.12}},
        {"opening_hours": ["08:00-09:00"], "service": {"kind": "deterministic", "value_h": 0.01}},
        {"opening_hours": ["08:00-20:00"], "service": {"kind": "deterministic", "value_h": 0.7}},
    ],
)
def test_an_opening_serves_as_many_constant_services_as_by_hand(seen, stage, closing):
    seconds = 432 if stage["service"] is None else round(stage["service"]["value_h"] * 3600)
    opening = 3600 if "08:00-09:00" in stage.get("opening_hours", []) else 12 * 3600
    interrupts = closing in ("suspend", "restart")
    what = "finish_h" if interrupts else "start_h"
    found = seen(border({"lanes": 5, "closing": closing, **stage}, [0.0] * (3 * 505)), what=what)
    whole, rest = divmod(opening, seconds)
    by_hand = [5 * (whole + (rest > 0 and closing == "finish"))] * 2
    if closing == "suspend":  # what is left of a service over the night is done in the morning
        by_hand = [5 * whole, 5 * (2 * opening // seconds - whole)]
    days = [sum(24 * day < at - (not interrupts) * 1e-9 <= 24 * (day + 1) for at in found) for day in range(2)]
    assert days == by_hand


@pytest.mark.parametrize(
    ("closing", "starts", "ends"),
    [
        ("finish", [22.5, 48.0], [25.0, 50.5]),
        ("suspend", [22.5, 49.0], [49.0, 51.5]),
        ("restart", [22.5, 50.5], [50.5, 53.0]),
        ("no_overrun", [48.0, 50.5], [50.5, 53.0]),
        ("clear_queue", [22.5, 25.0], [25.0, 27.5]),
    ],
)
def test_services_under_way_at_a_closure_follow_the_closing_of_the_stage(closing, starts, ends, seen):
    stage = {"lanes": 1, "closing": closing, "service": {"kind": "deterministic", "value_h": 2.5}}
    scenario = border(stage, [22.5, 23.0], improvements=[closure()])
    assert seen(scenario) == starts
    assert seen(scenario, what="finish_h") == ends


@pytest.mark.parametrize(
    ("place", "shut"),
    [
        ({"at": "checkpoints.p"}, True),
        ({"at": "checkpoints.p.exit"}, True),
        ({"at": "checkpoints.p", "direction": "exit"}, True),
        ({"at": "checkpoints.p", "direction": "exit", "stage": "s"}, True),
        ({"checkpoint": "p", "direction": "exit"}, True),
        ({"at": "crossings.x"}, True),
        ({"at": "legs.br"}, False),
        ({"leg": "br", "direction": "forward"}, False),
    ],
    ids=str,
)
def test_a_closure_reaches_stages_directions_posts_crossings_and_legs(place, shut, seen):
    where = {key: value for key, value in {**closure(), **place}.items() if key != "at" or "at" in place}
    scenario = border({"lanes": 2}, [1.0, 30.0, 50.0], improvements=[where])
    assert seen(scenario) == ([1, 48, 50] if shut else [1, 30, 50])
    assert seen(scenario, element="leg:br>") == ([2, 49, 51] if shut else [2, 48, 51])


def test_a_leg_closed_the_other_way_is_open_this_way(seen):
    back = {"kind": "closure", "leg": "br", "direction": "backward", "from": OPEN, "until": SHUT}
    assert seen(border({"lanes": 2}, [1.0, 30.0], improvements=[back]), element="leg:br>") == [2, 31]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"at": "checkpoints.p", "direction": "entrance"}, "is not a direction"),
        ({"at": "legs.br", "direction": "exit"}, "is not a direction"),
        ({"at": "crossings.x", "direction": "exit"}, "has no meaning here"),
        ({"at": "legs.br", "stage": "s"}, "has no meaning here"),
        ({"at": "checkpoints.p", "stage": "s"}, "is required"),
    ],
    ids=str,
)
def test_a_closure_that_names_no_place_is_refused_with_its_field(wrong, words):
    with pytest.raises(ScenarioError, match=words):
        border({"lanes": 1}, [1.0], improvements=[{**closure(), **wrong}])


# ---------------------------------------------------------------- interrupted services


@pytest.mark.parametrize(("closing", "ends"), [("suspend", [5, 6, 7, 8, 9, 12]), ("restart", [7, 10, 13, 16, 19, 22])])
def test_as_many_interrupted_services_go_on_as_lanes_open(closing, ends, seen):
    stage = {
        "lanes": 5,
        "lanes_by_hour": {"00:00": 5, "02:00": 0, "04:00": 1},
        "closing": closing,
        "service": {"kind": "deterministic", "value_h": 3.0},
    }
    assert seen(border(stage, [0.0] * 5 + [0.5], horizon_h=24), what="finish_h") == ends


# ---------------------------------------------------------------- reserved lanes


@pytest.mark.parametrize("overflow", [False, True])
@pytest.mark.parametrize("new", [0, 1])
def test_a_priority_lane_changes_nothing_before_its_date_and_after_its_end(new, overflow, seen):
    lane = {"kind": "priority_lane", "at": STAGE, "cargo_class": "vip", "lanes": 1, "new_lanes": new}
    lane |= {"overflow": overflow, "from": "2024-01-02T06:00:00", "until": "2024-01-03T06:00:00"}
    when = [1.0, 2.0, 31.0, 31.0, 60.0, 60.0]
    scenario = border({"lanes": 2}, when, others=when, improvements=[lane])
    # Before hour 30 and from hour 54 on two lanes for all, in order of joining; ties by flow.
    general, vip = seen(scenario, flow=0), seen(scenario, flow=1)
    assert (general[:2], vip[:2]) == ([1, 2], [1, 2])
    assert (general[4:], vip[4:]) == ([60, 60], [61, 61])
    inside = {(0, False): ([31, 32], [31, 32]), (1, False): ([31, 31], [31, 32])}
    inside |= {(0, True): ([31, 32], [31, 32]), (1, True): ([31, 31], [31, 32])}
    assert (general[2:4], vip[2:4]) == inside[new, overflow]


def test_a_class_whose_lane_goes_is_served_with_all_others_at_once(seen):
    # One lane of two is kept for vip until hour 30; three of them wait at hour 29.5 for the one that is theirs.
    lane = {"kind": "priority_lane", "at": STAGE, "cargo_class": "vip", "lanes": 1, "until": "2024-01-02T06:00:00"}
    scenario = border({"lanes": 2}, [90.0], others=[29.5, 29.5, 29.5], improvements=[lane])
    assert seen(scenario, flow=1) == [29.5, 30, 30.5]


def test_lanes_stay_reserved_while_the_stage_is_closed(seen):
    lane = {"kind": "priority_lane", "at": STAGE, "cargo_class": "vip", "lanes": 1}
    scenario = border({"lanes": 2}, [30.0, 30.0], others=[30.0, 30.0], improvements=[lane, closure()])
    assert (seen(scenario, flow=0), seen(scenario, flow=1)) == ([48, 49], [48, 49])


# ---------------------------------------------------------------- timetables and legs

FERRY = {"timetable": {"every_h": 12, "first_h": 6, "places": 1}}
FREE = {"lanes": "unlimited", "service": {"kind": "deterministic", "value_h": 0.0}}


def test_nothing_sails_while_its_leg_is_closed(seen):
    storm = closure("legs.br")
    scenario = border(FREE, [12.0 * k for k in range(8)], leg=FERRY, improvements=[storm])
    assert seen(scenario, element="leg:br>") == [6, 18, 54, 66, 78, 90]
    own = {**FERRY, "closures": {"storm": {"from": OPEN, "until": SHUT}}}
    assert seen(border(FREE, [12.0 * k for k in range(8)], leg=own), element="leg:br>") == [6, 18, 54, 66, 78, 90]


def test_a_dated_timetable_keeps_the_phase_of_the_calendar(seen):
    daily = {"timetable": {"every_h": 24, "first_h": 6, "places": 1}}
    more = {"kind": "timetable", "at": "legs.br", "from": "2024-01-02T12:00:00", "until": "2024-01-03T12:00:00"}
    often = {**more, "timetable": {"every_h": 6, "first_h": 0, "places": 1}}
    scenario = border(FREE, [0.0] * 20, leg=daily, improvements=[often])
    assert seen(scenario, element="leg:br>") == [6, 30, 36, 42, 48, 54, 78]
    wider = {**more, "timetable": {"every_h": 24, "first_h": 6, "places": 3}}
    assert seen(border(FREE, [0.0] * 6, leg=daily, improvements=[wider]), element="leg:br>") == [6, 30, 54, 54, 54, 78]


def test_crossings_of_the_base_timetable_are_drawn_alike_whatever_sails_beside_them(monkeypatch):
    law = {"speed_kmh": None, "travel": {"kind": "gamma", "mean_h": 3.0, "cv": 0.5}}
    daily = {**law, "timetable": {"every_h": 12, "first_h": 6, "places": 1}}
    often = {"kind": "timetable", "at": "legs.br", "from": OPEN, "until": SHUT}
    often["timetable"] = {"every_h": 3, "first_h": 0, "places": 1}
    when = [5.0, 17.0, 53.0, 65.0]
    for engine, fast in ENGINES[::2]:
        base = times(border(FREE, when, leg=daily), engine, fast, monkeypatch, "leg:br>", "service_h")
        changed = border(FREE, when, leg=daily, improvements=[often])
        assert times(changed, engine, fast, monkeypatch, "leg:br>", "service_h") == base


def test_a_leg_with_a_timetable_is_given_no_limit_of_entry():
    for limit in ({"paths_per_day": 1}, {"max_vehicles": 1}):
        change = {"kind": "leg_capacity", "at": "legs.br", "from": OPEN, **limit}
        with pytest.raises(ScenarioError, match=r"i0.*has no meaning on a leg with a timetable"):
            make_plan(border(FREE, [0.0], leg=FERRY, improvements=[change]))


def test_a_leg_that_departs_when_full_cannot_be_closed():
    full = {"timetable": {"when_full": 2}}
    with pytest.raises(ScenarioError, match="whenever it is full"):
        make_plan(border(FREE, [0.0], leg=full, improvements=[closure("legs.br")]))


@pytest.mark.parametrize("most", [1, 2, 10_000_000])
def test_a_limit_of_vehicles_from_a_date_holds_what_is_on_the_leg(most, seen):
    slow = {"length_km": 10, "speed_kmh": 10}
    limit = {"kind": "leg_capacity", "at": "legs.br", "from": OPEN, "max_vehicles": most}
    when = [1.0, 1.0, 23.5, 23.5, 30.0, 30.0, 31.0, 80.0, 80.0]
    expected = {
        1: [1, 1, 23.5, 23.5, 30, 31, 32, 80, 81],
        2: [1, 1, 23.5, 23.5, 30, 30, 31, 80, 80],
        10_000_000: when,
    }
    assert seen(border(FREE, when, leg=slow, improvements=[limit]), element="leg:br>") == expected[most]


def test_a_limit_of_vehicles_from_a_date_takes_no_memory_for_no_limit():
    from corridor_sim.core.step_functions import StepFunction
    from corridor_sim.engines.queues import LegState
    from corridor_sim.plan.elements import NO_LIMIT

    leg = LegState.empty(20, StepFunction([0, 24], [NO_LIMIT, 3]))
    assert leg.inside_h.shape == (20, 3)
    wide = LegState.empty(1, StepFunction([0.0], [10**8]))
    wide.make_room(StepFunction([0.0], [10**8]), 7)
    assert wide.inside_h.nbytes < 100_000


# ---------------------------------------------------------------- quotas at closed posts


def test_nobody_is_taken_over_at_a_closed_post(seen):
    post = {"acceptance": {"exit": {"per_day": 2}}}
    scenario = border({"lanes": 1}, [0.0] * 9, post=post, improvements=[closure("checkpoints.p")])
    assert seen(scenario) == [0, 1, 48, 49, 72, 73]


def test_a_day_is_taken_over_from_the_opening_on_and_what_is_left_lapses_at_midnight(seen):
    post = {"acceptance": {"exit": {"per_day": 2}}}
    stage = {"lanes": 1, "opening_hours": ["08:00-10:00", "14:00-16:00"]}
    when = [0.0, 9.5, 11.0, 25.0, 41.0, 47.0]
    # 1 January: two of three. 2 January: the third and the fourth at 08:00; who comes after 16:00 waits for the 3rd.
    assert seen(border(stage, when, post=post), element="p.exit.acceptance") == [8, 9.5, 32, 32, 56, 56]


def test_acceptance_from_a_date_holds_nobody_before_it(seen):
    rule = {"kind": "daily_acceptance", "at": "checkpoints.p.exit", "per_day": 1, "from": SHUT}
    stage = {"lanes": 1, "opening_hours": ["08:00-20:00"]}
    scenario = border(stage, [1.0, 2.0, 50.0, 50.0], improvements=[rule])
    assert seen(scenario, element="p.exit.acceptance") == [1, 2, 56, 80]


# ---------------------------------------------------------------- no overrun


def test_no_overrun_round_the_clock_is_as_without_hours(seen):
    stage = {"lanes": 2, "closing": "no_overrun", "service": {"kind": "gamma", "mean_h": 0.4, "cv": 0.5}}
    when = np.arange(0.0, 90.0, 0.25).tolist()
    clock = seen(border({**stage, "opening_hours": ["00:00-24:00"]}, when))
    assert clock == seen(border(stage, when))


def test_a_law_without_a_largest_value_is_named_under_no_overrun():
    from corridor_sim.plan.load import check

    stage = {"lanes": 2, "closing": "no_overrun", "opening_hours": ["08:00-20:00"]}
    laws = {
        "has no largest value": {"kind": "gamma", "mean_h": 0.4, "cv": 0.5},
        "takes up to 13 h": {"kind": "uniform", "low_h": 0.0, "high_h": 13.0},
        "": {"kind": "uniform", "low_h": 0.0, "high_h": 12.0},
    }
    for words, law in laws.items():
        found = [str(one) for one in check(border({**stage, "service": law}, [9.0])) if "ends the run" in one.message]
        assert len(found) == bool(words)
        assert all(words in one for one in found)


# ---------------------------------------------------------------- a change is held to the rules of its field


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "inspection_share", "at": STAGE, "factor": 3.0}, r"would make .*share 1.5"),
        ({"kind": "priority_lane", "at": STAGE, "cargo_class": "loaded", "lanes": 3}, "never has more than 2"),
        ({"kind": "priority_class", "at": STAGE, "priority": ["loaded", "loaded"]}, "listed twice"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_a_change_to_what_its_field_would_not_take_is_refused_with_the_path_of_the_improvement(change, words):
    with pytest.raises(ScenarioError, match=rf"improvements\.i0.*{words}"):
        make_plan(border({"lanes": 2, "share": 0.5}, [1.0], improvements=[change]))


def test_shares_that_two_improvements_raise_together_are_refused_where_both_hold():
    half = {"kind": "inspection_share", "at": STAGE, "factor": 1.6}
    apart = [{**half, "until": OPEN}, {**half, "from": OPEN}]
    make_plan(border({"lanes": 2, "share": 0.5}, [1.0], improvements=apart))
    with pytest.raises(ScenarioError, match=r"1\.28.* 24 h after the start, with i0"):
        make_plan(border({"lanes": 2, "share": 0.5}, [1.0], improvements=[half, {**half, "from": OPEN}]))


def test_overflow_does_not_change_while_lanes_are_reserved():
    stage = {"lanes": 3, "reserved": {"loaded": {"lanes": 1}}}
    change = {"kind": "priority_lane", "at": STAGE, "cargo_class": "loaded", "lanes": 2, "overflow": True, "from": OPEN}
    with pytest.raises(ScenarioError, match="may overflow"):
        make_plan(border(stage, [1.0], improvements=[change]))
