"""A wait that went elsewhere is said to be no gain, in the terminal and on the page."""

import re

import numpy as np
import pytest
from small_corridor import law, small

from corridor_sim.indicators import Label
from corridor_sim.indicators.table import Table
from corridor_sim.model.improvements import SlotBooking
from corridor_sim.plan.build import make_plan
from corridor_sim.report.answers import answers
from corridor_sim.report.page import to_html
from corridor_sim.report.text import describe_comparison, moved_wait_told
from corridor_sim.results.comparison import LESS, MORE, Comparison
from corridor_sim.results.moved_waits import MovedWait, TimeChange, _verdicts_by_class, _waits_longer, moved_waits
from corridor_sim.results.results import Results
from corridor_sim.study.run import compare

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")

CROSSING = ("tfi1", "h", "crossing", "samur", "AZ>RU")
POST = ("wait_h", "h", "post", "samur_az", "exit")
NORTH, FRUIT, SOUTH = (("door_to_door_h", "h", "flow", flow, "") for flow in ("north", "fruit", "south"))
# North and fruit pass Samur towards Russia, south passes it the other way.
BASE = {
    CROSSING: [5, 6, 7, 8],
    POST: [4, 5, 6, 7],
    NORTH: [50, 51, 52, 53],
    FRUIT: [40, 41, 42, 43],
    SOUTH: [1, 2, 3, 4],
}


def run_of(rows, name):
    labels = tuple(Label(*key) for key in rows)
    plan = make_plan(small())
    return Results(
        plan, plan, Table(labels, np.array(list(rows.values()), float), np.arange(4)), 7, "event", versions={}
    )


def changed(**moves):
    """Base and other: each row of the base moved by these values."""
    by_name = {"crossing": CROSSING, "post": POST, "north": NORTH, "fruit": FRUIT, "south": SOUTH}
    rows = dict(BASE)
    for name, by in moves.items():
        rows[by_name[name]] = [value + step for value, step in zip(BASE[by_name[name]], by, strict=True)]
    return Comparison((run_of(BASE, "base"), run_of(rows, "other")))


def told(comparison):
    return [(one.place[:2], [flow for flow, _ in one.longer], one.shorter) for one in moved_waits(comparison, 1)]


FALLS, RISES, EITHER = [-3.0, -3.1, -3.2, -3.1], [0.4, 0.5, 0.3, 0.4], [-1, 1, -0.5, 0.6]


def test_a_faster_border_with_longer_journeys_is_no_gain():
    comparison = changed(crossing=FALLS, post=FALLS, north=RISES)
    # The post is part of the crossing: said once.
    assert told(comparison) == [(("crossing", "samur"), ["north"], ())]
    text = " ".join(describe_comparison(comparison, ids=True).split())
    assert re.search(
        r"samur AZ>RU: the wait moved away from the border: clearing the posts -3\.10 ±0\.13 h, "
        r"door to door \+0\.40 ±0\.13 h \(north\): no gain",
        text,
    )
    sentences = [one.text for _, part in answers(comparison) for one in part]
    assert sum("the wait moved away from the border" in text for text in sentences) == 1


def test_a_post_says_it_where_the_crossing_does_not():
    comparison = changed(post=FALLS, north=RISES)
    assert told(comparison) == [(("post", "samur_az"), ["north"], ())]
    assert "waiting for lanes -3.1" in moved_wait_told(moved_waits(comparison, 1)[0])


@pytest.mark.parametrize(
    "moves",
    [
        {"crossing": FALLS, "north": FALLS},
        {"crossing": FALLS, "north": EITHER},
        {"crossing": EITHER, "north": RISES},
        {"crossing": RISES, "north": RISES},
        {"crossing": FALLS, "south": RISES},
    ],
    ids=["both fall", "the journey may not", "the border may not", "both rise", "a flow of the other direction"],
)
def test_nothing_is_said_where_no_wait_has_moved(moves):
    assert told(changed(**moves)) == []


def test_flows_that_gain_all_the_same_are_named():
    found = moved_waits(changed(crossing=FALLS, north=RISES, fruit=FALLS), 1)
    assert found[0].shorter == ("fruit",)
    assert moved_wait_told(found[0]).endswith("no gain for them; door to door falls for fruit")


@pytest.mark.parametrize(
    ("many", "end"), [(4, "longer for 1 more flow: no gain"), (5, "longer for 2 more flows: no gain")]
)
def test_of_many_flows_three_are_named(many, end):
    longer = tuple((f"flow_{n}", TimeChange(0.4, 0.3, 0.5)) for n in range(many))
    text = moved_wait_told(MovedWait(("crossing", "samur", "AZ>RU"), TimeChange(-3.0, -3.1, -2.9), longer, ()))
    assert "flow_2" in text
    assert "flow_3" not in text
    assert text.endswith(end)


def test_slot_booking_is_judged_by_the_whole_journey():
    # 168 trucks a day come, 192 can pass: they wait at times. 176 slots a day keep them waiting elsewhere, for longer.
    stages = {"documents": {"lanes": 4, "service": law(0.5)}}
    base = small(checkpoints__samur_az__exit=stages, run__warm_up_days=4)
    slots = SlotBooking(at="checkpoints.samur_az.exit", per_day=176)
    booked = base.with_improvements(slots=slots).replace(name="booked")
    comparison = compare(base, booked, replications=5, rng=3, workers=1)
    rows = comparison.table(["tfi1", "door_to_door_h"], cargo_class="", of="")
    verdict = {(row.indicator, row.kind, row.place, row.direction): row.verdict for row in rows.itertuples()}
    assert verdict["tfi1", "crossing", "samur", "AZ>RU"] == LESS
    assert verdict["door_to_door_h", "flow", "north", ""] == MORE
    moved = moved_waits(comparison, 1)
    assert {flow for flow, _ in moved[0].longer} == {"north", "fruit", "transit"}
    text = " ".join(describe_comparison(comparison).split())
    assert "the wait moved away from the border: clearing the posts -" in text
    assert max(map(len, describe_comparison(comparison).splitlines())) <= 80
    page = " ".join(re.sub(r"<[^>]+>", "", to_html(comparison)).split())
    assert "the wait moved away from the border: clearing the posts -" in page


def test_a_lane_kept_for_some_is_faster_on_average_and_not_away_from_the_border():
    """Bread had first call on three lanes and has one of its own now: it waits longer, and at the border."""
    comparison = compare("teaching", "teaching_priority_lane", replications=10, rng=1)
    (moved,) = moved_waits(comparison, 1)
    assert moved.place[:2] == ("crossing", "northgate")
    assert [flow for flow, _ in moved.longer] == ["bread"]
    assert moved.later == ("bread",)
    text = " ".join(describe_comparison(comparison).split())
    assert "faster on average, not for all: clearing the posts -0.0" in text
    assert "(Fresh bread to market), who wait longer there: no gain for them; door to door falls for Flour" in text
    assert "away from the border" not in text


def test_who_waits_longer_at_one_post_and_shorter_at_the_next_is_no_reason():
    low, high = (
        ("wait_h", "h", "post", post, way, "loaded") for post, way in (("samur_az", "exit"), ("yk_ru", "entry"))
    )
    run = run_of({**BASE, low: [1, 2, 3, 4], high: [1, 2, 3, 4]}, "base")
    other = run_of({**BASE, low: [2.0, 3.1, 4.0, 5.1], high: [0.0, 1.1, 2.0, 3.1]}, "other")
    comparison = Comparison((run, other))
    waits = _verdicts_by_class(comparison, comparison.names[1])
    posts = {("post", "samur_az", "exit"), ("post", "yk_ru", "entry")}
    assert not _waits_longer(waits, posts, "loaded")
    assert _waits_longer(waits, {("post", "samur_az", "exit")}, "loaded")
    assert not _waits_longer(waits, posts, "empty")
