"""Booked slots: who books, who does not come, who is late, slots by the hour; worked out by hand (rule S29)."""

import numpy as np
import pytest
from one_gate import TEXT, one_gate

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.engines import batch, event
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
GATE = 'lanes = 1\nservice = { kind = "deterministic", value_h = 0.5 }'


def border(slots, times=(), demand="", days=8):
    demand = demand or f'arrivals = {{ kind = "trace", times_h = {list(times)} }}'
    more = f"[checkpoints.a.slots.exit]\n{slots}"
    return cs.loads(TEXT.format(days=days, warm_up=0, bridge="", stage=GATE, demand=demand, more=more))


def visits(scenario, element, engine="event"):
    """(joins, starts) at an element in one replication, in order of joining."""
    plan = make_plan(scenario)
    module = {"event": event, "batch": batch}[engine]
    records = module.simulate(plan, Sampler(plan, 7).sample([0]))
    table = records.elements[plan.element_index(element)]
    n = int(table.count[0])
    return table.join_h[0, :n].tolist(), table.start_h[0, :n].tolist()


def test_slots_by_the_hour_are_evenly_spaced_within_the_opening():
    # Two an hour from 8, four an hour from 10, none from 12 on: 8 8.5 9 9.5 10 10.25 ... 11.75.
    plan = make_plan(border('by_hour = { "08:00" = 2, "10:00" = 4, "12:00" = 0 }', [0.0]))
    slots = plan.elements[plan.element_index("a.exit.slots")]
    day = [8, 8.5, 9, 9.5, *np.arange(10, 12, 0.25)]
    assert slots.depart_h[:12].tolist() == day
    assert slots.depart_h[12:24].tolist() == [24 + at for at in day]
    assert set(slots.places.tolist()) == {1}


def test_a_part_of_an_hour_is_carried_on_and_each_day_begins_anew():
    # One an hour from 8:30, two an hour from 9:00: the second is due when a whole one is, at 9:15.
    plan = make_plan(border('by_hour = { "08:30" = 1, "09:00" = 2, "10:00" = 0 }', [0.0]))
    assert plan.elements[plan.element_index("a.exit.slots")].depart_h[:4].tolist() == [8.5, 9.25, 9.75, 32.5]


def test_who_comes_with_slots_by_the_hour_waits_for_the_opening():
    scenario = border('by_hour = { "08:00" = 1, "10:00" = 0 }', [7.0, 7.5, 8.5, 9.5])
    for engine in ("event", "batch"):
        assert visits(scenario, "a.exit.slots", engine)[1] == [8.0, 9.0, 32.0, 33.0]


def test_who_does_not_book_stands_in_line_at_once():
    hourly = "per_day = 24\nshare = 0.0"
    plan = make_plan(border(hourly, [0.25, 0.5]))
    records = event.simulate(plan, Sampler(plan, 7).sample([0]))
    assert int(records.elements[plan.element_index("a.exit.slots")].count[0]) == 0
    assert visits(border(hourly, [0.25, 0.5]), "a.exit.gate")[0] == [0.25, 0.5]
    assert visits(border("per_day = 24", [0.25, 0.5]), "a.exit.gate")[0] == [1.0, 2.0]


def test_a_share_books_and_a_larger_one_only_adds_to_it():
    few, many = (
        set(visits(border(f"per_day = 48\nshare = {share}", np.arange(0, 150, 1.25).tolist()), "a.exit.slots")[0])
        for share in (0.3, 0.6)
    )
    assert few < many
    assert 0.15 < len(few) / 120 < 0.45


def test_a_place_without_its_holder_is_lost_and_he_takes_the_next_that_is_free():
    scenario = border("per_day = 24\nno_show = 0.4", np.arange(0.5, 60).tolist())
    plan = make_plan(scenario)
    lost = Sampler(plan, 7).sample([0]).cancelled[plan.element_index("a.exit.slots")][0]
    slots = plan.elements[plan.element_index("a.exit.slots")].depart_h
    kept = slots[~lost]
    expected, free = [], 0
    for at in np.arange(0.5, 60):
        free = max(free, int(np.searchsorted(kept, at)))
        expected.append(float(kept[free]))
        free += 1
    assert 0.3 < lost.mean() < 0.5
    for engine in ("event", "batch"):
        assert visits(scenario, "a.exit.slots", engine)[1] == expected


def test_late_comers_stand_in_line_as_they_come():
    late = 'per_day = 24\nlate_share = 1.0\nlate_by = { kind = "deterministic", value_h = 2.25 }'
    assert visits(border(late, [0.5, 1.5]), "a.exit.slots")[1] == [1.0, 2.0]
    assert visits(border(late, [0.5, 1.5]), "a.exit.gate")[0] == [3.25, 4.25]


def test_nobody_is_late_who_has_not_booked():
    half = 'per_day = 24\nshare = 0.5\nlate_share = 1.0\nlate_by = { kind = "deterministic", value_h = 0.25 }'
    times = np.arange(0.5, 100).tolist()
    booked = visits(border(half, times), "a.exit.slots")[1]
    assert visits(border(half, times), "a.exit.slots.late")[0] == booked


def test_a_share_of_nobody_late_is_as_if_nothing_were_said_of_it():
    law = "late_by = { kind = 'deterministic', value_h = 2.25 }"
    nobody, unsaid = (border(f"per_day = 24{more}", [0.5, 1.5, 9.0]) for more in (f"\nlate_share = 0.0\n{law}", ""))
    for stage in ("a.exit.slots", "a.exit.gate"):
        assert visits(nobody, stage) == visits(unsaid, stage)
    # So it is where a sweep or the low end of a range leads there, and as it is written and read again.
    some = border(f"per_day = 24\nlate_share = 0.5\n{law}", [0.5])
    path = "checkpoints.a.slots.exit.late_share"
    assert cs.loads(cs.dumps(some.with_value(path, 0.0))).checkpoints["a"].slots["exit"].late_share == 0.0
    from_nobody = "figures.late_share = { low = 0, high = 1, range_reason = 'assumed' }"
    drawn = border(f"per_day = 24\nlate_share = 0.5\n{law}\n{from_nobody}", [0.5])
    cs.uncertainty(
        drawn, drawn.with_value("checkpoints.a.exit.gate.lanes", 2), draws=16, replications=1, rng=1, workers=1
    )


def test_capacity_is_that_of_the_places_that_are_used():
    at = {"kind": "stage", "place": "a.exit.slots", "direction": "exit"}
    rows = cs.run(border("per_day = 24\nno_show = 0.25", demand="per_day = 20"), replications=2, rng=1, workers=1).rows
    assert rows.row("capacity_per_day", **at) == pytest.approx(18.0, rel=0.01)


@pytest.mark.parametrize(
    ("slots", "path"),
    [
        ("share = 0.5", "per_day"),
        ('per_day = 24\nby_hour = { "08:00" = 2 }', "per_day"),
        ('by_hour = { "08:00" = 2 }\nevery_h = 2', "every_h"),
        ('by_hour = { "08:00" = 0 }', "by_hour"),
        ("per_day = 24\nno_show = 1", "no_show"),
        ("per_day = 24\nno_show = -0.1", "no_show"),
        ("per_day = 24\nshare = 1.5", "share"),
        ("per_day = 24\nlate_share = 0.2", "late_share"),
        ('per_day = 24\nlate_by = { kind = "deterministic", value_h = 1 }', "late_share"),
    ],
)
def test_what_does_not_go_together_is_named(slots, path):
    with pytest.raises(ScenarioError) as caught:
        border(slots, [0.0])
    assert f"checkpoints.a.slots.exit.{path}" in {problem.path for problem in caught.value.problems}


def test_a_booking_that_ends_has_no_no_shows_and_slots_by_the_hour_take_no_number_a_day():
    ends = cs.SlotBooking(at="checkpoints.a.exit", per_day=12, from_="2024-01-03", until="2024-01-04")
    with pytest.raises(ScenarioError, match="numbers by the hour"):
        make_plan(border('by_hour = { "08:00" = 2 }', [0.0]).with_improvements(ends))
    assert make_plan(border("per_day = 24\nno_show = 0.1", [0.0]).with_improvements(ends))
    assert make_plan(one_gate(GATE).with_improvements(ends))
