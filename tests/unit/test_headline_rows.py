"""Which row is told first: one that is more than noise of sampling; where none is, that is said."""

from types import SimpleNamespace

import pandas as pd
import pytest
from test_uncertainty import ranged

import corridor_sim as cs
from corridor_sim.plots.tornado import _row
from corridor_sim.report.uncertain import NO_CLEAR, _rows, describe_uncertainty
from corridor_sim.study.asked_rows import place_changed_most

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


def compared(**rows):
    """A comparison whose rows of an indicator are (place, difference, verdict)."""
    frames = {
        name: pd.DataFrame(
            [{"place": p, "direction": "out", "difference": d, "verdict": v} for p, d, v in told],
            columns=["place", "direction", "difference", "verdict"],
        )
        for name, told in rows.items()
    }
    empty = pd.DataFrame(columns=["place", "direction", "difference", "verdict"])
    return SimpleNamespace(table=lambda name, **_: frames.get(name, empty))


def test_a_row_of_noise_is_not_the_place_that_changes_most():
    clear, noise = ("gate", -2.0, "less"), ("bridge", 9.0, "not distinguishable")
    assert place_changed_most(compared(tfi1=[noise, clear])) == ("gate out",)
    assert place_changed_most(compared(tfi1=[noise], wait_h=[clear])) == ("gate out",)
    assert place_changed_most(compared(tfi1=[noise, ("port", 1.0, "not distinguishable")])) == ("bridge out",)
    assert place_changed_most(compared(tfi1=[("gate", 0.0, "no difference")])) == ()


def test_where_only_times_from_door_to_door_change_the_whole_corridor_is_asked_about():
    noise = ("bridge", 9.0, "not distinguishable")
    assert place_changed_most(compared(tfi1=[noise], door_to_door_h=[("flour", -3.0, "less")])) == ()


def made(*rows):
    """An uncertainty of rows (indicator, kind, difference, whether it is more than noise)."""
    labels = [SimpleNamespace(indicator=name, kind=kind, cargo_class="", of="") for name, kind, _, _ in rows]
    return SimpleNamespace(
        labels=labels, stated=lambda row, _: rows[row][2], is_clear=lambda row, _: rows[row][3], runs=(1, 2)
    )


def test_the_answer_is_of_rows_that_are_more_than_noise_and_of_flows_where_only_they_are():
    noise, small, large = (
        ("tfi1", "crossing", 9.0, False),
        ("tfi1", "crossing", 1.0, True),
        ("tfi1", "crossing", -2.0, True),
    )
    assert _rows(made(noise, small, large), 1) == [2, 1]
    assert _rows(made(noise, ("door_to_door_h", "flow", -1.0, True)), 1) == [1]
    assert _rows(made(("tfi1", "crossing", 1.0, False), noise), 1) == [1, 0]
    assert _rows(made(("tfi1", "crossing", 0.0, False)), 1) == []
    assert _row(made(noise, small, large), "tfi1", 1, {}) == 2


def test_it_is_said_where_no_difference_is_more_than_noise():
    base = ranged()
    law = {"kind": "lognormal", "mean_h": 1.0, "cv": 0.01}
    other = base.replace(name="other").with_improvements(
        same=cs.ServiceTimeChange(at="checkpoints.astara_ir.exit.gate", service=law)
    )
    found = cs.uncertainty(base, other, draws=4, replications=1, rng=3, workers=1, at="astara")
    clear = [found.is_clear(row) for row, label in enumerate(found.labels)]
    text = " ".join(describe_uncertainty(found).split())
    assert (
        (NO_CLEAR in text)
        == (not any(clear))
        == (NO_CLEAR in found.to_html().replace("No difference", "no difference"))
    )
    assert not any(clear)


def test_flows_are_told_where_only_the_way_from_door_to_door_changes():
    base = ranged()
    other = base.replace(name="faster road").with_improvements(road=cs.LegSpeed(leg="samur_moscow", factor=2.0))
    comparison = cs.compare(base, other, replications=3, rng=3, workers=1)
    assert place_changed_most(comparison) == ()
    found = cs.uncertainty(base, other, draws=4, replications=1, stated=comparison, at="most changed", rng=3, workers=1)
    first = found.describe().split("sampling noise")[0]
    assert "door to door" in first


def test_one_scenario_alone_has_a_table_of_its_values():
    found = cs.uncertainty(ranged(), draws=8, replications=1, rng=3, workers=1, at="astara")
    frame = found.table()
    assert set(frame["indicator"]) == {label.indicator for label in found.labels}
    assert (frame["inputs_low"] <= frame["inputs_high"]).all()
    assert not [name for name in frame if name.startswith("sign")]
    row = found.table("tfi1", direction="IR>AZ").iloc[0]
    interval = found.interval(found.row("tfi1", kind="crossing", direction="IR>AZ"), 0)
    assert (row["inputs_low"], row["inputs_high"]) == (interval.low, interval.high)


def test_the_answer_says_of_what_the_replications_are():
    found = cs.uncertainty(ranged(), draws=8, replications=1, rng=3, workers=1, at="astara")
    told = " ".join(found.describe().split())
    assert "8 draws under each prior (uniform, triangular), of 1 replication each; 5 replications at the stated" in told
