"""Times at stages, posts, crossings and door to door, each reckoned by hand."""

import numpy as np
import pytest
from small_border import NAN, plan, records, straight, table, value

# Two trucks released at 0 and 1: both drive 3 h; the second reaches A at 4 while the first
# is served from 3 to 5, so it waits 1 h. Stay at A: 2.5 and 3.5; crossing 3.5 and 4.5;
# door to door 3 + 3.5 + 2 = 8.5 and 9.5.
TWO = [straight(0.0), straight(1.0, wait_a=1.0)]


def test_waits_stays_and_crossing_times_are_those_of_the_trucks():
    found = table(records(plan(), TWO))
    assert value(found, "wait_h", place="a.exit.lanes") == 0.5
    assert value(found, "wait_h", kind="post", place="a") == 0.5
    assert value(found, "wait_h", kind="post", place="b") == 0.0
    assert value(found, "stay_h", kind="post", place="a") == 3.0
    assert value(found, "stay_h", kind="leg", place="road1") == 3.0
    assert value(found, "tfi1", place="ab", direction="a>b") == 4.0
    assert value(found, "door_to_door_h", place="f0") == 9.0


def test_percentiles_are_within_half_a_bin_of_the_inverted_cdf():
    found = table(records(plan(), TWO))
    # Of 2.5 and 3.5 half are at most 2.5, and 95 % at most 3.5.
    assert value(found, "stay_p50_h", place="a") == pytest.approx(2.5, rel=0.004)
    assert value(found, "stay_p95_h", place="a") == pytest.approx(3.5, rel=0.004)
    assert value(found, "wait_p95_h", place="a.exit.lanes") == pytest.approx(1.0, rel=0.004)
    assert value(found, "wait_p95_h", place="b.entry.lanes") == 0.0
    assert value(found, "tfi1_p95", place="ab") == pytest.approx(4.5, rel=0.004)
    assert value(found, "buffer_h", place="ab") == pytest.approx(0.5, abs=0.02)
    assert value(found, "buffer_index", place="ab") == pytest.approx(0.5 / 4, abs=0.005)


def test_components_of_a_passage_add_up_to_the_stay():
    found = table(records(plan(), TWO)).select("component_h")
    post = {label.of: v[0] for label, v in found if label.place == "a"}
    assert post == {"wait": 0.5, "service": 2.0, "dwell": 0.5, "slot_wait": 0.0, "acceptance_wait": 0.0}
    flow = {label.of: v[0] for label, v in found if label.place == "f0"}
    assert {name: hours for name, hours in flow.items() if hours} == {
        "wait": 0.5, "service": 3.0, "dwell": 0.5, "travel": 5.0,
    }  # fmt: skip
    assert sum(flow.values()) == 9.0


def test_warm_up_counts_neither_waits_nor_passages_that_began_in_it():
    # Window from 4: the visit to A that joins at 4 counts, the one at 3 does not.
    found = table(records(plan(warm_up_h=4.0), TWO))
    assert value(found, "wait_h", place="a.exit.lanes") == 1.0
    assert value(found, "stay_h", kind="post", place="a") == 3.5
    # No consignment was released in the window.
    assert np.isnan(value(found, "door_to_door_h", place="f0"))


def test_the_end_of_the_window_counts_no_more():
    # Visits to A join at 3 and at 4, those to the crossing begin then; the window ends at 4.
    found = table(records(plan(count_until_h=4.0), TWO))
    assert value(found, "wait_h", place="a.exit.lanes") == 0.0
    assert value(found, "wait_p95_h", place="a.exit.lanes") == 0.0
    assert value(found, "stay_h", kind="post", place="a") == 2.5
    assert value(found, "tfi1", place="ab") == 3.5
    assert value(found, "arrivals_per_day", kind="post", place="a") == 24 / 4


def test_who_never_started_is_unserved_and_not_in_the_mean():
    # The second truck is still waiting at the horizon of 10: it joined at 4, so 6 h until then.
    waiting = (0, 1.0, [(1.0, 1.0, 4.0, 4.0), (4.0, NAN, NAN, NAN)])
    found = table(records(plan(horizon_h=10.0), [straight(0.0), waiting]))
    assert value(found, "wait_h", place="a.exit.lanes") == 0.0
    assert value(found, "unserved", place="a.exit.lanes") == 1
    assert value(found, "unserved_wait_h", place="a.exit.lanes") == 6.0
    assert value(found, "created", kind="flow", place="f0") == 2
    assert value(found, "finished", kind="flow", place="f0") == 1
    assert value(found, "unfinished", kind="flow", place="f0") == 1


def test_who_waits_further_up_the_post_is_in_no_mean_of_the_stages_behind():
    # The second truck is at A from 4 and has not come to the booth by the horizon of 10; both have begun the passage.
    waiting = (0, 1.0, [(1.0, 1.0, 4.0, 4.0), (4.0, NAN, NAN, NAN)])
    found = table(records(plan(horizon_h=10.0), [straight(0.0, wait_a=1.0), waiting]))
    assert value(found, "component_h", kind="post", place="a", of="wait") == 1.0
    assert value(found, "component_h", kind="post", place="a", of="dwell") == 0.5
    # The first waits 1 h and nobody waits at B.
    assert value(found, "delay_h", place="ab", of="unqueued") == 1.0


def test_classes_are_shown_where_there_is_more_than_one():
    two = [straight(0.0), straight(1.0, wait_a=1.0, flow=1)]
    found = table(records(plan(flows=2), two))
    assert value(found, "wait_h", kind="post", place="a", cargo_class="empty") == 1.0
    assert value(found, "wait_h", kind="post", place="a", cargo_class="loaded") == 0.0
    assert value(found, "wait_h", kind="post", place="a") == 0.5
    assert value(found, "stay_h", kind="post", place="a", cargo_class="empty") == 3.5
    alone = table(records(plan(), TWO)).select("wait_h", cargo_class="loaded")
    assert len(alone) == 0


def test_service_level_is_the_share_within_the_target():
    found = table(records(plan(), TWO), targets_h=(3.0, 5.0))
    assert value(found, "cleared_within", place="a", of="3 h") == 0.5
    assert value(found, "cleared_within", place="a", of="5 h") == 1.0


def test_a_stay_just_above_one_target_is_counted_once_for_the_next():
    # Stays of 2.5 and 3.504 h; 3.501, 3.503 and 3.504 lie in one bin of the histogram.
    found = table(records(plan(), [straight(0.0), straight(1.0, wait_a=1.00390625)]), targets_h=(3.501, 3.503, 4.0))
    shares = [value(found, "cleared_within", place="a", of=of) for of in ("3.501 h", "3.503 h", "4 h")]
    assert shares == [0.5, 0.5, 1.0]


def test_release_segments_give_time_and_share_by_stage():
    found = table(records(plan(), TWO))
    assert value(found, "release_time_h", place="a", of="lanes") == 2.5
    assert value(found, "release_time_h", place="a", of="booth") == 0.5
    assert value(found, "visit_share", place="a", of="lanes") == 1.0


def test_who_stands_in_a_growing_queue_changes_no_speed_without_stops():
    # Three trucks, 100 km in 3 h and 100 km in 2 h: one waits 1 h and arrives, one has waited 8 h at A and is on
    # the way, one still waits. Who arrived moved 5 h for 200 km.
    standing = (0, 0.0, [(0.0, 0.0, 3.0, 3.0), (3.0, 11.0, NAN, NAN)])
    waiting = (0, 1.0, [(1.0, 1.0, 4.0, 4.0), (4.0, NAN, NAN, NAN)])
    found = table(records(plan(horizon_h=12.0), [straight(0.0, wait_a=1.0), standing, waiting]))
    assert value(found, "tfi4_swod", kind="flow", place="f0") == 200 / 5
    assert value(found, "tfi4_swd", kind="flow", place="f0") == 200 / 9.5
    assert value(found, "tfi4_swod", kind="corridor", place="all") == 200 / 5


def test_speeds_are_distance_over_moving_and_over_all_time():
    found = table(records(plan(), TWO))
    # 200 km; moving 5 h each; door to door 8.5 and 9.5 h.
    assert value(found, "tfi4_swod", kind="flow", place="f0") == 400 / 10
    assert value(found, "tfi4_swd", kind="flow", place="f0") == 400 / 18
    speeds = np.array([200 / 8.5, 200 / 9.5])
    assert value(found, "tfi4_swd_cv", place="f0") == pytest.approx(speeds.std() / speeds.mean(), rel=0.1)
    assert value(found, "tfi4_swd", kind="corridor", place="all") == 400 / 18
