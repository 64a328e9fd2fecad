"""The recipes of docs/recipes/: the main effect has the sign and the size of queueing theory and arithmetic."""

from pathlib import Path

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.statistics import theory

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


def compared(one, other, indicators):
    return cs.compare(RECIPES / f"{one}.toml", RECIPES / f"{other}.toml", indicators=indicators, workers=1).runs


def near(values, expected, errors=4.0):
    """Within so many standard errors of the mean over the replications."""
    return abs(values.mean() - expected) <= errors * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_is_without_a_fault(path):
    assert cs.check(path) == []


def test_one_stop_saves_a_clearance_and_a_queue():
    two, one = compared("chirundu", "chirundu_one_stop", ["tfi1"])
    rate = 134.0 / 24
    across = 0.5 / 20.0
    stop = theory.mmc_wait(rate, 0.3, 2) + 0.3 + 14.0
    merged = theory.mmc_wait(rate, 0.3, 4) + 0.3 + 14.0
    for direction in ("ZW>ZM", "ZM>ZW"):
        times = [result.rows.row("tfi1", kind="crossing", direction=direction) for result in (two, one)]
        # Departures of M/M/c are Poisson again, also after a stay: the second post has the wait of the first.
        assert near(times[0], 2 * stop + across)
        assert near(times[1], merged + across)
        # The survey of Kazungula has 30 to 12 hours: the same sign, a fall of half to two thirds.
        assert 0.4 < times[1].mean() / times[0].mean() < 0.6


def test_a_kept_booth_splits_one_line_in_two_that_are_erlangs():
    one, kept = compared("bridge", "bridge_fast", ["wait_h"])
    where = {"kind": "stage", "place": "entry_us.entry.booths"}
    fast, standard = (kept.rows.row("wait_h", cargo_class=name, **where) for name in ("fast", "standard"))
    assert near(standard, theory.mmc_wait(1020.0 / 24, 0.1, 5))
    assert near(fast, theory.mmc_wait(180.0 / 24, 0.0075, 1))
    # Who is trusted gains, who is not loses: a booth is gone, and with it less work than it could do.
    before = {name: one.rows.row("wait_h", cargo_class=name, **where) for name in ("fast", "standard")}
    assert (fast < before["fast"]).all()
    assert (standard > before["standard"]).mean() > 0.8


def test_booths_on_call_do_most_of_what_more_booths_do_for_a_part_of_their_hours():
    kept, on_call = compared("bridge_fast", "bridge_fast_on_call", ["wait_h", "queue", "extra_lanes"])
    where = {"kind": "stage", "place": "entry_us.entry.booths"}
    waits = [result.rows.row("wait_h", cargo_class="standard", **where) for result in (kept, on_call)]
    rate = 1020.0 / 24
    # Between five booths and seven, nearer to the threshold: with 15 before the others a wait is 15 / 50 h.
    assert theory.mmc_wait(rate, 0.1, 7) < waits[1].mean() < theory.mmc_wait(rate, 0.1, 5)
    assert (waits[1] < waits[0]).all()
    hours = on_call.rows.row("extra_lane_h_per_day", **where)
    assert 0 < hours.mean() < 0.5 * 2 * 24


def test_booked_slots_move_the_wait_home_and_no_shows_cost_places():
    road, booked = compared("e_queue", "e_queue_booked", ["wait_h", "component_h"])
    rate, slot_h, kept = 168.0 / 24, 24.0 / 192, 0.95
    stage = {"kind": "stage", "place": "chop.exit.lanes", "cargo_class": ""}
    before, after = (result.rows.row("wait_h", **stage) for result in (road, booked))
    assert near(before, theory.mmc_wait(rate, 0.116667, 1))
    home = booked.rows.row("component_h", kind="flow", place="trucks", of="slot_wait")
    # A place every D hours that is kept with probability q, a = rate D trucks in between: D (2 - q) / (2 (q - a)).
    assert near(home, slot_h * (2 - kept) / (2 * (kept - rate * slot_h)))
    # On the road there is less of a wait; in all there is more: slots are a limit of their own (rule D25).
    assert (after < before).all()
    assert (home + after > before).mean() > 0.8


def test_a_faster_change_of_gauge_saves_its_time_and_the_queue_before_it():
    slow, fast = compared("gauge", "gauge_faster", ["wait_h", "stay_h"])
    stage = {"kind": "stage", "place": "dostyk.entry.gauge", "cargo_class": ""}
    for result, mean_h in ((slow, 9.0), (fast, 4.25)):
        assert near(result.rows.row("wait_h", **stage), theory.mmc_wait(10.0 / 24, mean_h, 5))
    post = {"kind": "post", "place": "dostyk", "direction": "entry"}
    stays = [result.rows.row("stay_h", **post) for result in (slow, fast)]
    saved = stays[0] - stays[1]
    assert near(saved, 9.0 - 4.25 + theory.mmc_wait(10 / 24, 9.0, 5) - theory.mmc_wait(10 / 24, 4.25, 5))
    # More than the work alone: the queue goes too.
    assert saved.mean() > 4.75 + 1.0
