"""The oracle that reads the scenario gives what was worked out by hand, rule by rule.

Expectations are starts, finishes or departures in hours, derived from the rule that the test
name says (S of the semantics, D of the decisions); no engine has a say here.
"""

import pytest
from oracle.compare import Case
from oracle.draws import Draws
from oracle.scenario_oracle import simulate
from oracle.strategies import FREE, at_hour, border, fixed
from oracle.words import by_hour, is_open, open_hours_per_day

from corridor_sim.model.scenario import Scenario
from corridor_sim.verify.files import packaged
from corridor_sim.verify.scenario_traces import build_scenario_trace

S = "checkpoints.p.exit.s"


def played(data, column, place="p.exit.s"):
    """One column of all visits to a place, in order of time."""
    at = {"join": 0, "start": 1, "finish": 2, "leave": 3}[column]
    found = [visit[at] for (_, _, where), visits in Case(data).oracle().items() if where == place for visit in visits]
    return sorted(time for time in found if time is not None)


def starts(data, place="p.exit.s"):
    return played(data, "start", place)


def stage(lanes=1, service_h=1.0, **rest):
    return {"s": {"lanes": lanes, "service": fixed(service_h), **rest}}


def test_hours_are_read_over_midnight_and_over_the_week():
    assert is_open(["Sun 22:00-06:00"], 6, 23)
    assert is_open(["Sun 22:00-06:00"], 0, 5.75)
    assert not is_open(["Sun 22:00-06:00"], 0, 6)
    assert is_open(["Fri-Mon 08:00-20:00"], 6, 8)
    assert not is_open(["Fri-Mon 08:00-20:00"], 1, 9)
    assert open_hours_per_day(["08:00-20:00"]) == 12
    assert by_hour({"06:00": 1, "22:00": 3}, 2, 5) == 3


def test_a_class_is_served_as_others_until_its_lane_exists_d28():
    vip = {"kind": "priority_lane", "at": S, "from": at_hour(30), "cargo_class": "vip", "lanes": 1, "new_lanes": 1}
    flows = {"f": ("loaded", [1.0, 2.0, 31.0, 32.0, 50.0]), "v": ("vip", [1.0, 2.0, 31.0, 32.0, 60.0])}
    data = border(stage(2), flows=flows, improvements={"vip": vip})
    oracle = Case(data).oracle()
    assert [oracle["v", k, "p.exit.s"][0][1] for k in range(5)] == [1, 2, 31, 32, 60]
    assert [oracle["f", k, "p.exit.s"][0][1] for k in range(5)] == [1, 2, 31, 32, 50]


def test_a_class_is_served_as_others_once_its_lane_is_gone_d28():
    vip = {"kind": "priority_lane", "at": S, "until": at_hour(30), "cargo_class": "vip", "lanes": 1}
    data = border(stage(2, 4.0), flows={"v": ("vip", [28.0, 28.0, 28.0])}, improvements={"vip": vip})
    assert starts(data) == [28, 30, 32]


def test_a_closure_wins_over_an_added_lane_d28():
    changes = {
        "closed": {"kind": "closure", "at": S, "from": at_hour(24), "until": at_hour(48)},
        "more": {"kind": "add_lanes", "at": S, "from": at_hour(12), "lanes": 1},
    }
    data = border(stage(), flows={"f": ("loaded", [1.0, 30.0, 31.0, 50.0])}, improvements=changes)
    assert starts(data) == [1, 48, 48, 50]


def test_nothing_sails_from_a_closed_leg_d28():
    table = {"timetable": {"every_h": 12.0, "first_h": 6.0, "places": 1}}
    storm = {"kind": "closure", "at": "legs.br", "from": at_hour(24), "until": at_hour(48)}
    times = [0.0, 12.0, 24.0, 36.0, 48.0, 60.0, 72.0, 84.0]
    data = border({"s": FREE}, flows={"f": ("loaded", times)}, leg=table, improvements={"storm": storm})
    assert starts(data, "leg:br>") == [6, 18, 54, 66, 78, 90]


@pytest.mark.parametrize(
    ("closing", "finishes"), [("suspend", [5, 6, 7, 8, 9, 12]), ("restart", [7, 10, 13, 16, 19, 22])]
)
def test_as_many_interrupted_services_go_on_as_there_are_lanes_d30(closing, finishes):
    night = {"00:00": 5, "02:00": 0, "04:00": 1}
    one = stage(5, 3.0, closing=closing, lanes_by_hour=night)
    data = border(one, flows={"f": ("loaded", [0.0] * 5 + [0.5])})
    assert played(data, "finish")[:6] == finishes


def test_nothing_added_opens_the_hours_without_lanes_d28():
    night = {"00:00": 0, "08:00": 2, "20:00": 0}
    more = {"kind": "add_lanes", "at": S, "lanes": 1}
    flows = {"f": ("loaded", [0.0, 1.0, 2.0, 3.0, 21.0, 22.0, 23.0])}
    data = border(stage(2, lanes_by_hour=night), flows=flows, improvements={"more": more})
    assert starts(data) == [8, 8, 8, 9, 32, 32, 32]


def test_lanes_added_to_no_lanes_by_day_count_d28():
    more = {"kind": "add_lanes", "at": S, "from": at_hour(5), "lanes": 1}
    data = border(stage(0), flows={"f": ("loaded", [0.0, 0.0])}, improvements={"more": more})
    assert starts(data) == [5, 6]


def test_a_full_night_of_added_lanes_is_36_a_day_d28():
    night = {"00:00": 0, "08:00": 2, "20:00": 0}
    more = {"kind": "add_lanes", "at": S, "lanes": 1}
    crowd = {"kind": "all_at_start", "count": 60}
    data = border(stage(2, lanes_by_hour=night), flows={"f": ("loaded", crowd)}, improvements={"more": more})
    assert sum(start < 24 for start in starts(data)) == 36


def test_nothing_is_taken_over_at_a_closed_post_d31():
    closed = {"kind": "closure", "at": "checkpoints.p", "from": at_hour(24), "until": at_hour(48)}
    crowd = {"kind": "all_at_start", "count": 9}
    post = {"acceptance": {"exit": {"per_day": 2}}}
    data = border(stage(), flows={"f": ("loaded", crowd)}, post=post, improvements={"closed": closed})
    assert [start for start in starts(data) if start < 96] == [0, 1, 48, 49, 72, 73]


def test_tokens_of_midnight_wait_for_the_opening_and_lapse_at_the_next_d31():
    post = {"acceptance": {"exit": {"per_day": 2}}}
    one = stage(opening_hours=["Mon 08:00-20:00", "Wed 22:00-24:00"])
    data = border(one, flows={"f": ("loaded", [0.0, 0.0, 0.0, 0.0, 0.0])}, post=post)
    assert starts(data) == [8, 9, 70, 71]


def test_a_dated_timetable_keeps_its_phase_from_the_calendar_of_the_run_d28():
    extra = {
        "kind": "timetable",
        "at": "legs.br",
        "from": at_hour(18),
        "until": at_hour(90),
        "timetable": {"every_h": 24.0, "first_h": 6.0, "places": 5},
    }
    table = {"timetable": {"every_h": 24.0, "first_h": 6.0, "places": 1}}
    flows = {"f": ("loaded", [0.0, 0.0, 0.0, 31.0])}
    data = border({"s": FREE}, flows=flows, leg=table, improvements={"extra": extra})
    assert starts(data, "leg:br>") == [6, 30, 30, 54]


def test_a_closure_of_one_direction_leaves_the_other_open():
    closed = {"kind": "closure", "at": "checkpoints.p", "direction": "entry", "from": at_hour(0), "until": at_hour(9)}
    data = border(stage(), flows={"f": ("loaded", [1.0])}, improvements={"closed": closed})
    data["checkpoints"]["p"]["entry"] = {"free": {"lanes": 1, "service": fixed(0.5)}}
    assert starts(data) == [1]


def test_a_closure_is_a_closing_to_which_the_policy_of_the_stage_applies_s08():
    closed = {"kind": "closure", "at": S, "from": at_hour(2), "until": at_hour(10)}
    flows = {"f": ("loaded", [0.5, 1.0, 3.0])}
    finishes = {
        "finish": [2.5, 12, 14],
        "suspend": [10.5, 12.5, 14.5],
        "restart": [12, 14, 16],
        "no_overrun": [12, 14, 16],
        "clear_queue": [2.5, 4.5, 12],
    }
    for closing, expected in finishes.items():
        data = border(stage(1, 2.0, closing=closing), flows=flows, improvements={"closed": closed})
        assert played(data, "finish") == expected, closing


def test_factors_multiply_and_are_read_at_the_start_d13_d28():
    changes = {
        "slow": {"kind": "service_time", "at": "checkpoints.p", "factor": 2.0, "from": at_hour(10)},
        "fast": {"kind": "service_time", "at": S, "factor": 0.25, "from": at_hour(20), "cargo_class": "loaded"},
    }
    data = border(stage(), flows={"f": ("loaded", [9.5, 9.75, 15.0, 25.0])}, improvements=changes)
    # The second joins before hour 10 and starts after it.
    assert played(data, "finish") == [10.5, 12.5, 17, 25.5]


def test_a_ramp_adds_whole_lanes_and_a_middle_part_of_a_factor_each_day():
    more = {"kind": "add_lanes", "at": S, "lanes": 2, "from": at_hour(0), "ramp_up_days": 2.0}
    crowd = {"f": ("loaded", [0.0] * 3 + [25.0] * 3 + [49.0] * 3)}
    # Days 0, 1 and on: (1/4, 3/4, 1) of 2 lanes, rounded towards none: 0, 1, 2.
    data = border(stage(), flows=crowd, improvements={"more": more})
    assert starts(data) == [0, 1, 2, 25, 25, 26, 49, 49, 49]


def test_works_take_lanes_before_the_improvement_comes():
    works = {"from": at_hour(4), "until": at_hour(8), "lanes": -1}
    more = {"kind": "add_lanes", "at": S, "lanes": 1, "from": at_hour(8), "works": works}
    data = border(stage(2), flows={"f": ("loaded", [4.0] * 4 + [8.0] * 3)}, improvements={"more": more})
    assert starts(data) == [4, 5, 6, 7, 8, 8, 8]


def test_a_blocked_consignment_holds_its_lane_until_the_yard_has_room_s14():
    stages = {"s": {"lanes": 1, "service": fixed(1.0)}, "t": {"lanes": 1, "service": fixed(3.0), "yard": 1}}
    data = border(stages, flows={"f": ("loaded", [0.0] * 4)})
    assert starts(data, "p.exit.t") == [1, 4, 7, 10]
    assert played(data, "leave") == [1, 2, 4, 7]


def test_a_one_stop_post_takes_the_stage_from_the_guest_for_who_is_released_from_its_date():
    merge = {"kind": "one_stop_post", "crossing": "x", "host": "p", "service_factor": 2.0, "from": at_hour(10)}
    entry = {"s": {"lanes": 1, "service": fixed(1.0)}}
    flows = {"f": ("loaded", [9.0, 20.0])}
    data = border(stage(), flows=flows, entry=entry, improvements={"merge": merge})
    assert played(data, "finish") == [10, 22]
    assert played(data, "finish", "q.entry.s") == [11]


def test_slots_are_booked_by_local_day_and_wait_away_from_the_post():
    post = {"utc_offset_h": 4.0}
    book = {"kind": "slot_booking", "at": "checkpoints.p.exit", "per_day": 4, "from": at_hour(24)}
    # 24 h of the post are hour 20 of the run; slots at 20, 26, 32, 38, ...
    data = border(stage(), flows={"f": ("loaded", [19.0, 21.0, 21.0])}, post=post, improvements={"book": book})
    assert starts(data) == [19, 26, 32]


def test_an_overrunning_service_counts_in_a_pooled_lane_and_not_in_a_named_one_s07():
    hours = {"00:00": 2, "02:00": 1}
    for named, expected in ((False, [0, 1, 5]), (True, [0, 1, 4])):
        one = stage(2, 4.0, named_lanes=named, lanes_by_hour=hours)
        # Lane 1 is taken 0-4, lane 2 1-5 and closed from 2 on: only the named lanes are free at 4.
        assert starts(border(one, flows={"f": ("loaded", [0.0, 1.0, 3.0])})) == expected


def test_a_truck_stays_in_the_lane_that_fails_with_the_service_that_is_left_s11():
    outage = {"o": {"lane": 1, "from": at_hour(2), "until": at_hour(6)}}
    finishes = {"resume": [4, 5, 8], "restart": [4, 5, 10], "finish": [4, 4, 5], "requeue": [4, 6, 7]}
    for policy, expected in finishes.items():
        one = stage(2, 4.0, outages=outage, outage_policy=policy)
        one["s"]["service"] = fixed(4.0)
        data = border(one, flows={"f": ("loaded", [0.0, 0.0]), "g": ("loaded", [3.0])})
        data["checkpoints"]["p"]["exit"]["s"]["factor_by_class"] = {"quick": 0.25}
        data["flows"]["g"]["cargo_class"] = "quick"
        assert played(data, "finish") == expected, policy


def test_what_the_oracle_does_not_know_is_said():
    data = border(stage(named_lanes=True, closing="suspend"), flows={"f": ("loaded", [0.0])})
    with pytest.raises(NotImplementedError, match="lanes of their own identity with closing suspend"):
        Case(data).oracle()


@pytest.mark.parametrize("trace", [one for one in packaged()["traces"] if "scenario" in one], ids=lambda one: one["id"])
def test_the_oracle_meets_every_instant_of_the_traces_of_a_scenario(trace):
    made = build_scenario_trace(trace)
    run = simulate(Scenario.model_validate(trace["scenario"]), Draws(made.plan, made.inputs))
    trucks = [(made.plan.flows[f].id, j) for f, j in made.cells]
    for word, expected in trace["expected"].items():
        if word == "depart":
            departed = {(truck.flow, truck.index): truck.depart for truck in run.trucks}
            assert [departed[truck] for truck in trucks] == expected
            continue
        for place, times in expected.items():
            found = {truck: [] for truck in trucks}
            for visit in run.visits:
                if visit.place.id == place:
                    found[visit.truck.flow, visit.truck.index].append(getattr(visit, word))
            listed = [at if isinstance(at, list) else [] if at is None else [at] for at in times]
            assert [found[truck] for truck in trucks] == listed, (word, place)
