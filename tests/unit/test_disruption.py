"""What is told of a disruption: band and return by hand, dates, places, diversion, both intervals, bad calls."""

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from command_line import called

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError
from corridor_sim.indicators.queue_readings import curve_of, queueing_places
from corridor_sim.statistics.recovery import back_h, normal_band
from corridor_sim.study.disturbed_times import disturbed_h

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")  # few replications

BEGIN, END = dt.datetime(2024, 1, 8, 6), dt.datetime(2024, 1, 8, 18)
LONGER = {"run.horizon_days": 21}


def teaching(**more):
    return cs.load_scenario("teaching", LONGER | more)


def closed(base, begin=BEGIN, end=END, **more):
    shut = cs.Closure(at="checkpoints.northgate_b.entry", from_=begin, until=end, **more)
    return base.with_improvements(shut=shut).replace(name="closed")


def closed_two():
    shut = cs.Closure(at="checkpoints.a_one", from_=dt.date(2024, 1, 10), until=dt.date(2024, 1, 12))
    return cs.loads(TWO_CROSSINGS).replace(name="round", improvements={"shut": shut})


@pytest.fixture(scope="module")
def found():
    base = teaching()
    return cs.disruption(base, closed(base), replications=10, rng=1, workers=1)


# ---------------------------------------------------------------- band and return


def test_marks_of_one_group_have_the_band_of_all_their_values():
    queue = np.array([[0.0, 10.0, 2.0, 30.0], [1.0, 20.0, 3.0, 40.0]])
    low, high = normal_band(queue, np.array([0, 1, 0, 1]), 0.5)
    assert high.tolist() == [2.25, 32.5, 2.25, 32.5]
    assert low.tolist() == [0.75, 17.5, 0.75, 17.5]


def test_back_is_the_first_mark_from_which_it_settles():
    mark_h = np.arange(1.0, 11.0)
    over = np.zeros((3, 10), dtype=bool)
    over[0, [2, 3, 6]] = True  # again at 7: from 8 on
    over[1, 1] = True  # gone before the end of it
    over[2, 8] = True  # the run ends before it is known
    assert back_h(over, mark_h, 3.0, 2.0)[:2].tolist() == [5.0, 0.0]
    assert np.isnan(back_h(over[2:], mark_h, 8.0, 2.0)).all()
    assert back_h(over[:1], mark_h, 3.0, 1.0).tolist() == [2.0]


# ---------------------------------------------------------------- the curve


@pytest.mark.parametrize("engine", ["event", "batch"])
def test_the_curve_is_the_queue_read_from_every_visit(engine):
    run = cs.run("teaching", replications=2, engine=engine, indicators=["queue_readings"], records=True, workers=1)
    places = queueing_places(run.scope)
    assert {("post", "northgate_b", "entry"), ("leg", "bridge", ">")} <= set(places)
    for place, elements in places.items():
        mark_h, queue = curve_of(run.rows, place)
        assert mark_h[0] == run.scope.from_h + 0.25
        for row in range(2):
            for k in range(0, len(mark_h), 97):
                waiting = 0
                for element in elements:
                    visits = run.records.elements[element]
                    join, start = visits.join_h[row], visits.start_h[row]
                    waiting += int(((join < mark_h[k]) & ~(start < mark_h[k])).sum())
                assert queue[row, k] == waiting


def test_the_compiled_pass_reads_the_same_curve():
    pytest.importorskip("numba")
    settings = {"replications": 3, "indicators": ["queue_readings"], "workers": 1}
    one, other = (cs.run("teaching", engine=engine, **settings).rows for engine in ("batch", "compiled"))
    assert one.labels == other.labels
    assert np.array_equal(one.values, other.values)


def test_no_table_has_the_curve_unless_it_is_asked_for():
    assert "queue_readings" not in cs.run("teaching", replications=2, workers=1).rows.indicators


# ---------------------------------------------------------------- what is told


def test_a_closure_is_told_with_its_dates_its_place_and_its_cost(found):
    assert found.place == ("post", "northgate_b", "entry")
    # The post is two hours ahead of the clock of the run.
    assert (found.since_h, found.until_h) == (7 * 24 + 4, 7 * 24 + 16)
    assert found.recovered == 10
    runs = found.runs
    assert found.values["extra_wait_h"] == pytest.approx(
        runs[1].rows.row("delay_truck_h", kind="corridor") - runs[0].rows.row("delay_truck_h", kind="corridor")
    )
    by_flow = found.by_flow()
    assert by_flow["cost_usd"].sum() == pytest.approx(found.values["cost_usd"].mean())
    assert by_flow["extra_wait_h"].sum() == pytest.approx(found.values["extra_wait_h"].mean())
    parts = found.values["cost_waiting_usd"] + found.values["cost_other_usd"]
    assert parts == pytest.approx(found.values["cost_usd"])
    assert (found.values["lost"] == 0).all()


def test_before_the_disruption_both_queues_are_the_same(found):
    before = found.mark_h <= found.since_h
    assert before.sum() > 100
    assert np.array_equal(found.usual[:, before], found.disturbed[:, before])


def test_it_is_back_where_the_queues_are_one_again_and_never_earlier_than_it_is_beyond(found):
    for row in range(10):
        back = found.until_h + found.values["recover_h"][row]
        over = found.disturbed[row] > np.maximum(found.high, found.usual[row])
        settled = (found.mark_h >= back) & (found.mark_h < back + found.settle_h)
        assert not over[settled].any()
        if found.values["recover_h"][row] > 0:
            assert over[(found.mark_h < back) & (found.mark_h >= back - found.settle_h)].any()


def test_a_run_that_is_too_short_says_that_it_did_not_recover():
    base = cs.load_scenario("teaching", {"run.horizon_days": 8.5})
    short = cs.disruption(base, closed(base), replications=4, rng=1, workers=1)
    assert short.recovered == 0
    assert "Not recovered within the run in 4 of 4 replications" in short.describe()
    row = short.to_frame().set_index("measure").loc["recover_h"]
    assert row["mean"] == short.longest_seen_h
    assert row["note"].startswith("at least")
    assert "at least" in short._repr_html_()


def test_words_page_and_picture(found, tmp_path):
    told = found.describe()
    assert told.startswith("closed against teaching: queue at Northgate B, entry\nfrom 2024-01-08 04:00 to")
    assert "Back to normal within the run in all 10 replications." in told
    page = found._repr_html_()
    assert page.startswith("<div>")
    assert page.count("<tr>") == 1 + len(found.values)
    ax = found.plot.disruption()
    assert {"normal band", "with the disruption"} <= {text.get_text() for text in ax.get_legend().get_texts()}
    with pytest.raises(ValueError, match="draws a disrupted queue"):
        found.runs[0].plot.disruption()
    assert found.queue_frame().columns.tolist() == ["hour", "normal_low", "normal_high", "usual", "disturbed"]


def test_who_goes_round_is_counted_at_the_border():
    """Two crossings of one border; during the closure of one a dated share sends everybody over the other."""
    base = cs.loads(TWO_CROSSINGS)
    round_ = closed_two()
    # Nobody may go round: they wait.
    waits = cs.disruption(base, round_, replications=3, workers=1)
    assert (waits.values["diverted"] == 0).all()
    balking = cs.loads(TWO_CROSSINGS + 'balk = { crossing = "two", threshold_h = 6 }\n')
    goes = cs.disruption(balking, round_.replace(flows=balking.flows), replications=3, workers=1)
    # Two days of a hundred a day, less those whose announced wait is below six hours.
    assert ((goes.values["diverted"] > 120) & (goes.values["diverted"] <= 230)).all()
    assert (goes.values["extra_wait_h"] < waits.values["extra_wait_h"]).all()


TWO_CROSSINGS = """
schema = 1
name = "two_crossings"
run = { start = 2024-01-01, horizon_days = 28, warm_up_days = 3, replications = 3, seed = 1 }
[places.mill]
country = "A"
[places.market]
country = "B"
[legs]
in_one = { kind = "road", from = "mill", to = "a_one", length_km = 50, speed_kmh = 50 }
in_two = { kind = "road", from = "mill", to = "a_two", length_km = 80, speed_kmh = 50 }
one = { kind = "road", from = "a_one", to = "b_one", length_km = 1, speed_kmh = 50, border = true }
two = { kind = "road", from = "a_two", to = "b_two", length_km = 1, speed_kmh = 50, border = true }
out_one = { kind = "road", from = "b_one", to = "market", length_km = 50, speed_kmh = 50 }
out_two = { kind = "road", from = "b_two", to = "market", length_km = 80, speed_kmh = 50 }
[checkpoints.a_one]
crossing = "one"
country = "A"
exit.gate = { lanes = 1, service = { kind = "gamma", mean_h = 0.15, cv = 0.5 } }
[checkpoints.b_one]
crossing = "one"
country = "B"
[checkpoints.b_one.entry.look]
lanes = "unlimited"
service = { kind = "deterministic", value_h = 0.05 }
[checkpoints.a_two]
crossing = "two"
country = "A"
exit.gate = { lanes = 2, service = { kind = "gamma", mean_h = 0.15, cv = 0.5 } }
[checkpoints.b_two]
crossing = "two"
country = "B"
[checkpoints.b_two.entry.look]
lanes = "unlimited"
service = { kind = "deterministic", value_h = 0.05 }
[flows.flour]
origin = "mill"
destination = "market"
per_day = 100
"""


# ---------------------------------------------------------------- dates


def test_an_outage_and_a_campaign_have_their_dates():
    base = teaching()
    plain = base.to_data()
    plain["checkpoints"]["northgate_b"]["entry"]["xray"]["outages"] = {"it": {"from": BEGIN, "until": END}}
    down = type(base).model_validate(plain)
    assert disturbed_h(base, down) == (7 * 24 + 4, 7 * 24 + 16)
    more = cs.InspectionShare(
        at="checkpoints.northgate_b.entry.xray", factor=1.2, from_=dt.date(2024, 1, 6), until=dt.date(2024, 1, 13)
    )
    assert disturbed_h(base, base.with_improvements(more)) == (5 * 24 - 2, 12 * 24 - 2)


def test_other_dates_of_what_both_have_count():
    base = closed(teaching(), end=BEGIN + dt.timedelta(hours=1))
    assert disturbed_h(base, closed(teaching())) == (7 * 24 + 4, 7 * 24 + 16)


@pytest.mark.parametrize(
    ("change", "settings", "told"),
    [
        ({}, {}, "no dated improvement or outage"),
        ({"end": None}, {}, "does not end"),
        ({}, {"since": END, "until": BEGIN}, "must end after it begins"),
        ({"begin": dt.datetime(2024, 1, 2)}, {}, "must lie within what is counted"),
        (None, {"at": "elsewhere"}, "nothing queues at 'elsewhere'"),
        (None, {"band": "month"}, "band must be one of"),
        (None, {"settle_h": 0}, "settle_h"),
        (None, {"inputs": 3}, "power"),
        (None, {"replications": 1}, "at least two replications"),
        (None, {"since": "Monday"}, "since"),
        (None, {"confidence": 95}, "confidence"),
        (None, {"at": 3}, "at"),
    ],
)
def test_what_cannot_be_answered_is_said(change, settings, told):
    base = teaching()
    if change is None:
        other = closed(base)
    elif change or settings:
        other = closed(base, **change)
    else:
        other = base
    with pytest.raises((ArgumentError, cs.CorridorError), match=told):
        cs.disruption(base, other, **{"replications": 2, "rng": 1, "workers": 1} | settings)


def test_a_plan_has_no_dates():
    with pytest.raises(ArgumentError, match="a plan has no dates"):
        cs.disruption(cs.make_plan(teaching()), closed(teaching()), replications=2)


# ---------------------------------------------------------------- inputs, workers, command


def test_draws_of_the_inputs_have_an_interval_of_their_own_and_workers_change_nothing():
    data = teaching().to_data()
    data["flows"]["flour"]["figures"] = {"per_day": {"low": 60.0, "high": 130.0, "range_reason": "made up"}}
    base = cs.Scenario.model_validate(data)
    made = [
        cs.disruption(base, closed(base), replications=3, inputs=4, input_replications=2, rng=1, workers=workers)
        for workers in (1, 2)
    ]
    frames = [one.to_frame() for one in made]
    assert frames[0].equals(frames[1])
    row = frames[0].set_index("measure").loc["extra_wait_h"]
    # A border with more flour has the longer queue: the inputs spread more than the noise.
    assert row["input_high"] - row["input_low"] > 0.2 * row["mean"]
    assert made[0].draws == 4
    assert "90% of the inputs" in made[0].describe()
    with pytest.raises(cs.CorridorError, match="no figure of these scenarios has a range"):
        cs.disruption(cs.loads(TWO_CROSSINGS), closed_two(), replications=2, inputs=4, workers=1)


def test_the_command_says_the_same(tmp_path):
    base, other = tmp_path / "base.toml", tmp_path / "other.toml"
    cs.save_scenario(teaching(), base)
    cs.save_scenario(closed(teaching()), other)
    words = ["disruption", base, other, "-n", 4, "--seed", 1, "--workers", 1, "--quiet"]
    told = called(*words, "--picture", tmp_path / "disruption.png")
    assert told.exit_code == 0, told.output
    assert told.stdout == cs.disruption(base, other, replications=4, rng=1, workers=1).describe()
    assert (tmp_path / "disruption.png").stat().st_size > 10_000
    assert called(*words, "--format", "csv").stdout.startswith("measure,unit,mean,low,high,n,note")
    assert '"place": "post northgate_b entry"' in called(*words, "--format", "json").stdout
    flows = called(*words, "--format", "csv", "--by-flow").stdout
    assert flows.count("\n") == 4
    assert called(*words, "--by-flow").exit_code == 2
    assert called(*words, "--at", "nowhere").exit_code == 2
    assert called(*words, "--inputs", 3).exit_code == 2
    assert called(*words, "--picture", tmp_path / "queue.png").exit_code == 2
