"""Legs that both directions use in turn, in scenarios: one element, its rows, what it does not go with."""

import pytest
from one_bridge import TRACK, bridge

import corridor_sim as cs
from corridor_sim.core.errors import EngineRefusal, ScenarioError
from corridor_sim.engines import batch
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.elements import LimitedLeg

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def test_a_leg_of_a_file_is_one_element_of_both_directions():
    plan = make_plan(bridge())
    legs = [element for element in plan.elements if isinstance(element, LimitedLeg)]
    assert [leg.id for leg in legs] == ["leg:bridge<>"]
    assert (legs[0].single_track.switch_h, legs[0].single_track.convoy) == (0.5, 3)
    number = plan.element_index("leg:bridge<>")
    ways = {
        flow.id: {step.opposite for step in flow.variants[0].steps if step.element == number} for flow in plan.flows
    }
    assert ways == {"f": {False}, "back": {True}}
    assert not plan.cyclic
    text = cs.dumps(bridge())
    assert cs.dumps(cs.loads(text)) == text


def test_one_meets_the_other_and_waits_for_it():
    given = 'arrivals = { kind = "trace", times_h = [0, 5] }'
    other = 'arrivals = { kind = "trace", times_h = [0.25] }'
    run = cs.run(bridge(demand=given, back=other, days=6), replications=1, rng=1, workers=1, records=True)
    visits = run.visits()
    visits = visits[visits["element"] == "leg:bridge<>"].sort_values("start_h")
    assert visits["start_h"].tolist() == [0.0, 1.0, 5.5]
    assert visits["leave_h"].tolist() == [0.5, 1.5, 6.0]


def test_batch_refuses_it_by_name_and_auto_takes_another_engine():
    assert batch.refusals(make_plan(bridge())) == ["a single track of both directions at leg:bridge<>"]
    with pytest.raises(EngineRefusal, match="single track"):
        cs.run(bridge(), engine="batch", replications=1, rng=1, workers=1)


def test_a_second_track_takes_the_waits_away_and_leaves_the_traffic():
    one = bridge(demand="per_day = 20", back="per_day = 20")
    two = one.with_value("legs.bridge.single_track", None)
    waits, numbers = [], []
    for way in (one, two):
        visits = cs.run(way, replications=2, rng=1, workers=1, records=True).visits()
        visits = visits[visits["element"].str.startswith("leg:bridge")]
        waits.append((visits["start_h"] - visits["join_h"]).mean())
        numbers.append(len(visits))
    assert waits[0] > 0.2
    assert waits[1] == 0.0
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    ("track", "more", "path"),
    [
        ("single_track = { convoy = 0 }", "", "legs.bridge.single_track.convoy"),
        ("single_track = { switch_h = -1 }", "", "legs.bridge.single_track.switch_h"),
        ("single_track = { switch_h = 25 }", "", "legs.bridge.single_track.switch_h"),
        ("single_track = true", "", "legs.bridge.single_track"),
        (TRACK + "\ntimetable = { every_h = 6, places = 5 }", "", "legs.bridge.single_track"),
        (
            TRACK,
            '[improvements.x]\nkind = "timetable"\nat = "legs.bridge"\ntimetable = { every_h = 6, places = 5 }',
            "legs.bridge.timetable",
        ),
        (
            TRACK,
            '[improvements.x]\nkind = "closure"\nat = "legs.bridge"\ndirection = "forward"'
            "\nfrom = 2024-01-10\nuntil = 2024-01-11",
            "improvements.x.direction",
        ),
    ],
)
def test_what_does_not_go_with_a_single_track_is_named(track, more, path):
    with pytest.raises(ScenarioError) as caught:
        make_plan(bridge(track, more=more))
    assert path in {problem.path for problem in caught.value.problems}
