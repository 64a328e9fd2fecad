"""From a scenario to answers: the same bits whatever runs them, frames, precision, sweeps, attribution."""

import concurrent.futures as futures
import gc
import inspect
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from small_border import plan as hand_plan

from corridor_sim.core.errors import CorridorError, CorridorWarning, EngineRefusal, ScenarioError
from corridor_sim.engines import compiled
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.indicators import INDICATORS, Indicator, Options
from corridor_sim.indicators.table import join
from corridor_sim.plan.plan import Plan
from corridor_sim.plan.steps import PlanBalk
from corridor_sim.results.results import OVERLOAD
from corridor_sim.statistics.skewness import mean_limits
from corridor_sim.study.attribution import attribute, where_the_delay_is
from corridor_sim.study.designs import with_values
from corridor_sim.study.engine_choice import choose_engine
from corridor_sim.study.precision import _enough, run_until
from corridor_sim.study.run import compare, run
from corridor_sim.study.sweeps import sweep

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def teaching(days=4, **changes):
    scenario = load_scenario("teaching")
    return scenario.replace(run=scenario.run.replace(horizon_days=days, warm_up_days=1), **changes)


@pytest.fixture(scope="module")
def serial():
    return run(teaching(), replications=4, rng=5, workers=1, records=True)


def bits(results):
    return results.rows.labels, results.rows.values.tobytes(), results.rows.replications.tobytes()


def test_both_engines_give_the_same_table_to_the_bit(serial):
    assert serial.engine == "batch"
    event = run(teaching(), replications=4, rng=5, engine="event", workers=1)
    assert bits(event) == bits(serial)
    assert event.visits_count == serial.visits_count
    streamed = run(teaching(), replications=4, rng=5, engine="batch", workers=1, memory_gb=0.01)
    assert bits(streamed) == bits(serial)


class Backwards(futures.Executor):
    """Runs every job at once when the last one is in, the last one first."""

    _max_workers = 4

    def __init__(self):
        self.jobs = []

    def submit(self, function, /, *arguments, **named):
        future = futures.Future()
        self.jobs.append((future, function, arguments, named))
        if len(self.jobs) == 4:
            for one, do, given, more in reversed(self.jobs):
                one.set_running_or_notify_cancel()
                one.set_result(do(*given, **more))
        return future


def test_executor_workers_and_order_of_completion_do_not_show(serial):
    executor = Backwards()
    assert bits(run(teaching(), replications=4, rng=5, executor=executor)) == bits(serial)
    assert len(executor.jobs) == 4
    with futures.ThreadPoolExecutor(3) as pool:
        assert bits(run(teaching(), replications=4, rng=5, executor=pool, engine="event")) == bits(serial)
    assert bits(run(teaching(), replications=4, rng=5, workers=2)) == bits(serial)


def test_replications_are_those_of_their_numbers(serial):
    some = run(teaching(), replications=[3, 1], rng=5, workers=1)
    assert some.rows.replications.tolist() == [1, 3]
    assert some.rows.values.tobytes() == serial.rows.only([1, 3]).values.tobytes()


def test_seed_of_the_scenario_is_the_root_unless_another_is_given():
    one = run(teaching(2), replications=1, workers=1, indicators=["created"])
    assert one.root == 1
    other = run(teaching(2), replications=1, rng=0, workers=1, indicators=["created"])
    assert other.root == 0
    assert bits(one) != bits(other)


def test_records_become_tidy_frames(serial):
    visits, journeys = serial.visits(), serial.journeys()
    assert len(visits) == serial.visits_count
    assert len(journeys) == serial.rows.row("created", kind="corridor").sum()
    lanes = visits[visits["element"] == "northgate_a.exit.lanes"]
    counted = lanes[(lanes["join_h"] >= 24) & (lanes["replication"] == 2)]
    expected = serial.rows.row("wait_h", kind="stage", place="northgate_a.exit.lanes")[2]
    assert counted["wait_h"].mean() == pytest.approx(expected)
    log = serial.event_log()
    assert set(log["lifecycle"]) == {"schedule", "start", "complete"}
    assert log["timestamp"].min() >= np.datetime64("2024-01-01")
    assert (log.groupby("replication")["time_h"].diff().dropna() >= 0).all()
    with pytest.raises(CorridorError, match="records=True"):
        run(teaching(2), replications=1, workers=1, indicators=["created"]).visits()


def test_results_and_comparisons_share_table(serial):
    frame = serial.table("wait_h", kind="stage", by_time=True)
    assert frame.equals(serial.summary("wait_h", kind="stage", by_time=True))
    assert serial.table().equals(serial.summary())
    assert serial.table("all").equals(serial.summary())
    assert serial.table("tfi1", confidence=0.5)["high"][0] < serial.table("tfi1")["high"][0]
    compared = serial.compare(serial)
    for table in (serial.table, compared.table):
        assert list(inspect.signature(table).parameters)[:2] == ["indicators", "by_time"]


def test_who_still_takes_table_for_the_rows_is_told_their_name(serial):
    with pytest.raises(AttributeError, match=r"results\.table is a method since 0\.2 .*results\.rows\.values"):
        serial.table.values  # noqa: B018
    with pytest.raises(AttributeError, match=r"results\.rows\.select"):
        serial.table.select("wait_h")
    assert pickle.loads(pickle.dumps(serial)).table("tfi1").equals(serial.table("tfi1"))


def test_a_table_that_comes_from_another_process_has_the_labels_of_this_one():
    table = run("teaching", replications=2, rng=1, workers=1, engine="batch").rows
    again = pickle.loads(pickle.dumps(table))
    assert again.labels == table.labels
    assert all(type(label) is type(other) for label, other in zip(again.labels, table.labels, strict=True))
    once_more = pickle.loads(pickle.dumps(table))
    assert all(label is other for label, other in zip(once_more.labels, again.labels, strict=True))
    assert again.values.tobytes() == table.values.tobytes()
    assert np.array_equal(again.replications, table.replications)
    mine, theirs = table.pools.arrays(), again.pools.arrays()
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    nothing = type(table)((), np.empty((0, 2)), table.replications)
    assert len(pickle.loads(pickle.dumps(nothing))) == 0


def test_summary_has_mean_interval_number_and_unit(serial):
    frame = serial.summary("stay_h", kind="post")
    frame = frame[(frame["direction"] == "exit") & (frame["cargo_class"] == "")]
    row = frame[frame["place"] == "northgate_a"].iloc[0]
    values = serial.rows.row("stay_h", kind="post", place="northgate_a", direction="exit")
    assert row["mean"] == pytest.approx(values.mean())
    assert row["high"] - row["mean"] == pytest.approx(3.182446 * values.std(ddof=1) / 2, rel=1e-5)
    assert (row["n"], row["unit"]) == (4, "h")
    assert frame.attrs["interval"].endswith("sampling noise only")
    hourly = serial.summary("queue_by_day", by_time=True)
    assert hourly["date"].iloc[0] == "2024-01-01"


def test_one_replication_says_that_there_is_no_interval():
    with pytest.warns(match="one replication"):
        one = run(teaching(2), replications=1, workers=1)
    frame = one.summary("stay_h")
    assert frame["low"].isna().all()
    # A single replication may be overloaded by its own draws; that note leads.
    assert set(frame["note"]) <= {"interval not available", OVERLOAD}
    assert "interval not available" in set(frame["note"])
    assert "no interval" in one.describe()


def test_description_fits_in_80_columns_and_leads_with_the_run(serial):
    lines = serial.describe().splitlines()
    assert max(len(line) for line in lines) <= 80
    assert lines[0].split() == ["scenario", "teaching"]
    assert lines[1].startswith("study         terminating")
    assert "2024-01-01 00:00 to 2024-01-05 00:00 UTC, 4 days" in lines[2]
    assert any(line.startswith("replications  4, root entropy 5") for line in lines)
    assert any(line.startswith("post ") for line in lines)


def test_an_overloaded_post_leads_and_its_times_are_flagged():
    full = teaching(8).replace(run=teaching(8).run.replace(warm_up_days=0))
    crowded = with_values(full, {"flows.flour.per_day": 500})
    with pytest.warns(match="more comes than can pass"):
        results = run(crowded, replications=3, workers=1)
    over = results.overloaded()
    assert "northgate_a.exit.lanes" in over
    text = results.describe()
    assert text.index("OVERLOAD") < text.index("post ")
    assert "saturated from 2024-01-02" in " ".join(text.split())
    notes = results.summary("wait_h", kind="stage", place="northgate_a.exit.lanes")["note"]
    assert set(notes) == {OVERLOAD}
    growth = results.rows.row("queue_growth_per_day", kind="stage", place="northgate_a.exit.lanes")
    assert (growth > 50).all()


def test_a_scenario_compared_with_itself_differs_in_nothing():
    scenario = teaching()
    found = compare(scenario, scenario, replications=3, rng=9, workers=1)
    frame = found.table("all", by_time=True)
    known = frame[frame["n"] > 0]
    assert len(known) > 500
    assert (known["difference"] == 0).all()
    assert set(known["verdict"]) == {"no difference"}
    assert found.inputs_diff() == {"teaching (2)": []}


def test_an_improvement_is_compared_on_common_random_numbers():
    base = teaching(8, improvements={})
    better = with_values(base, {"checkpoints.northgate_a.exit.lanes.lanes": 4}).replace(name="four lanes")
    found = compare(base, better, replications=6, workers=1)
    assert found.inputs_diff() == {"four lanes": ["Northgate A, exit, Truck lanes: lanes 3 -> 4"]}
    assert found.inputs_diff(ids=True) == {
        "four lanes": ["changes checkpoints.northgate_a.exit.lanes.lanes from 3 to 4"]
    }
    row = found.table("wait_h", kind="stage", place="northgate_a.exit.lanes", cargo_class="").iloc[0]
    assert row["verdict"] == "less"
    # More lanes delay nobody at the stage, in any replication.
    waits = [one.rows.row("wait_h", place="northgate_a.exit.lanes", kind="stage") for one in found.runs]
    assert (waits[1] < waits[0]).all()
    # Nothing upstream of the change moves.
    arrivals = [
        one.rows.row("arrivals_per_day", kind="post", place="northgate_a", direction="exit") for one in found.runs
    ]
    assert np.array_equal(arrivals[0], arrivals[1])
    assert found.runs[0].compare(found.runs[1]).table("wait_h").equals(found.table("wait_h"))
    assert "four lanes against teaching" in found.describe()
    assert max(len(line) for line in found.describe().splitlines()) <= 80


def test_a_toy_indicator_goes_through_run_and_compare():
    @INDICATORS.register("toy_visits")
    class ToyVisits(Indicator):
        unit = "1"

        def start(self):
            self.count = np.zeros(len(self.scope.replications))

        def add_visits(self, block):
            self.count += block.number

        def table_rows(self):
            yield self.row(self.count, "corridor", "all")

    try:
        scenario = teaching(2)
        found = compare(scenario, scenario, replications=2, workers=1, indicators=["toy_visits"])
        assert found.base.rows.row("toy_visits").sum() == found.base.visits_count
        assert found.table("toy_visits")["verdict"].tolist() == ["no difference"]
    finally:
        INDICATORS.unregister("toy_visits")


def test_engines_are_chosen_and_refused_with_the_reason():
    import dataclasses

    plain = hand_plan()
    assert choose_engine(plain, "auto")[0] == ("batch" if compiled.unavailable() else "compiled")
    small = ("batch", "auto: it does all that is asked for, and the run is small")
    assert choose_engine(plain, "auto", visits=lambda: 1e6) == small
    flow = plain.flows[0]
    steps = list(flow.variants[0].steps)
    steps[1] = dataclasses.replace(steps[1], balk=PlanBalk(threshold_h=1, variant=0, at_step=4))
    balking: Plan = dataclasses.replace(
        plain,
        flows=(dataclasses.replace(flow, variants=(dataclasses.replace(flow.variants[0], steps=tuple(steps)),)),),
    )
    engine, reason = choose_engine(balking, "auto")
    assert engine == "event"
    assert "batch does not do" in reason
    with pytest.raises(EngineRefusal):
        choose_engine(balking, "batch")
    with pytest.raises(ValueError, match="did you mean 'batch'"):
        choose_engine(plain, "batsh")


def test_precision_is_reached_or_said_not_to_be():
    enough = run_until(teaching(), {"throughput_per_day northgate_a exit": 0.10}, at_least=4, step=4, workers=1)
    assert enough.reached
    values = enough.results.rows.row("throughput_per_day", kind="post", place="northgate_a", direction="exit")
    assert len(values) % 4 == 0
    again = run(teaching(), replications=len(values), workers=1)
    assert bits(again) == bits(enough.results)
    never = run_until(teaching(2), {"wait_h": 0.0001}, at_least=2, step=2, max_replications=4, workers=1)
    assert not never.reached
    assert never.results.replications == 4
    with pytest.raises(CorridorError, match="did you mean 'wait_h'"):
        run_until(teaching(2), {"wait_hh": 0.1}, at_least=2, workers=1)
    with pytest.raises(CorridorError, match="did you mean 'northgate_b'"):
        run_until(teaching(2), {"wait_h northgate_bb": 0.1}, at_least=2, workers=1)


def test_a_row_that_two_names_mean_is_held_against_the_smaller_error_and_said_not_to_be_reached():
    # The larger error of the second name was the one that was told.
    name, rest = "throughput_per_day", {"at_least": 4, "step": 4, "max_replications": 8, "workers": 1}
    wanted = {f"{name} northgate_a exit": 0.0001, name: 0.9}
    with pytest.warns(CorridorWarning, match=r"not reached after 8 replications by \d of \d+ rows: throughput_per_day"):
        found = run_until(teaching(2), wanted, indicators=[name], **rest)
    assert not found.reached
    table = found.table()
    strict = table["row"].str.contains("northgate_a exit").tolist()
    assert strict.count(True) >= 1
    assert table["wanted"].tolist() == [0.0001 if one else 0.9 for one in strict]
    assert (table["relative_error"] > table["wanted"]).tolist() == strict == (~table["reached"]).tolist()
    line = table[table["row"].str.endswith("northgate_a exit")].iloc[0]
    mean = found.results.rows.row(name, kind="post", place="northgate_a", direction="exit").mean()
    assert line["mean"] == pytest.approx(mean)
    share = (line["high"] - line["low"]) / 2 / mean
    assert line["relative_error"] == pytest.approx(share / (1 - share))
    assert repr(found).startswith("<Precise: 8 replications of 'teaching', ")


def test_a_precision_warns_of_what_all_replications_leave_open_and_not_of_a_step():
    # Steps of two warned that there were only two replications.
    with warnings.catch_warnings():
        warnings.simplefilter("error", CorridorWarning)
        found = run_until(teaching(2), {"created": 0.9}, at_least=8, step=2, workers=1, indicators=["created"])
    assert found.reached
    assert found.results.warnings == ()


def test_every_wrong_precision_is_told_at_once():
    with pytest.raises(ValueError, match=r"5 %\? write 0.05") as caught:
        run_until(teaching(2), {"tfi1": 5, "wait_hh": -1, "stay_h": float("nan")}, workers=1)
    told = str(caught.value)
    assert "did you mean 'wait_h'" in told
    assert "'wait_hh' must be a finite number > 0, got -1" in told
    assert "'stay_h' must be a finite number > 0, got nan" in told
    with pytest.raises(CorridorError, match="no row 'tfi1' in the results; `indicators` leaves it out"):
        run_until(teaching(2), {"tfi1": 0.1}, indicators=["created"], at_least=2, workers=1)
    with pytest.raises(CorridorError, match="no indicator 'tfi1' in this table; the run was not asked for it"):
        run(teaching(2), replications=2, indicators=["created"], workers=1).table("tfi1")


def test_intervals_where_the_rule_stops_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        values, n = rng.exponential(1.0, 500), 10
        while True:
            mean, low, high = mean_limits(values[:n, None], 0.95)
            if _enough(mean, low, high, {0: 0.3}).all() or n == 500:
                break
            n += 10
        held += bool(low[0] <= 1.0 <= high[0])
    assert held >= 273  # 91 of 100: with 95 fewer than that come once in 500


def test_a_sweep_runs_every_combination_and_keeps_the_points():
    lanes = "checkpoints.northgate_a.exit.lanes.lanes"
    found = sweep(teaching(2), {lanes: [2, 3], "flows.flour.per_day": [100, 130]}, replications=2, workers=1)
    assert [tuple(point.values()) for point in found.points] == [(2, 100), (2, 130), (3, 100), (3, 130)]
    frame = found.to_frame("load_per_day", kind="post", place="northgate_a", direction="exit")
    assert frame[lanes].tolist() == [2, 2, 3, 3]
    assert frame["mean"].iloc[0] < frame["mean"].iloc[1]
    with pytest.raises(CorridorError, match="did you mean 'northgate_b'"):
        with_values(teaching(2), {"checkpoints.northgate_bb.exit.lanes.lanes": 2})
    with pytest.raises(ScenarioError, match="lanes"):
        with_values(teaching(2), {lanes: -1})


def test_attribution_shows_each_alone_and_as_the_last():
    found = attribute(teaching(8), replications=3, workers=1)
    frame = found.table().set_index("improvement")
    assert list(frame.index) == [*found.improvements, "all"]
    whole = frame.loc["all", "alone"]
    assert frame.loc["all", "last"] == whole
    assert frame.loc["all", "sum_alone"] == pytest.approx(frame["alone"].iloc[:-1].sum())
    if len(found.improvements) == 1:
        assert frame["alone"].iloc[0] == whole
    with pytest.raises(CorridorError, match="no improvement"):
        attribute(teaching(2, improvements={}))


def test_delay_by_place_adds_up_to_that_of_the_corridor(serial):
    frame = where_the_delay_is(serial)
    total = serial.rows.row("delay_truck_h", kind="corridor", cargo_class="").mean()
    assert frame["delay_truck_h"].sum() == pytest.approx(total)
    assert frame["share"].sum() == pytest.approx(1.0)
    assert frame["delay_truck_h"].is_monotonic_decreasing


def test_arguments_that_make_no_run_are_refused():
    with pytest.raises(ValueError, match="replications must be >= 1"):
        run(teaching(2), replications=0)
    with pytest.raises(ValueError, match="different whole numbers"):
        run(teaching(2), replications=[1, 1])
    with pytest.raises(ValueError, match="workers must be a whole number >= 1, got 0"):
        run(teaching(2), replications=1, workers=0)
    with pytest.raises(ScenarioError, match="did you mean 'stay_h'"):
        run(teaching(2), replications=1, indicators=["stay_hh"])
    with pytest.raises(CorridorError, match="at least two"):
        compare(teaching(2))


def test_progress_counts_replications_to_the_end():
    seen = []
    run(teaching(2), replications=5, workers=1, indicators=["created"], progress=lambda n, of: seen.append((n, of)))
    assert seen[-1] == (5, 5)
    assert [n for n, _ in seen] == sorted(n for n, _ in seen)


def test_frames_for_other_tools(serial, tmp_path):
    pandas = pytest.importorskip("pandas")
    serial.to_csv(tmp_path / "rows.csv")
    assert len(pandas.read_csv(tmp_path / "rows.csv")) == len(serial.rows) * 4
    xarray = pytest.importorskip("xarray")
    array = serial.to_xarray()
    assert isinstance(array, xarray.DataArray)
    assert array.sel(replication=2).shape == (len(serial),)
    pytest.importorskip("pyarrow")
    serial.to_parquet(tmp_path / "rows.parquet")
    assert pandas.read_parquet(tmp_path / "rows.parquet")["unit"].nunique() > 3


def test_options_reach_the_indicators():
    results = run(
        teaching(2), replications=2, workers=1, indicators=["cleared_within"], options=Options(targets_h=(1.0,))
    )
    assert {label.of for label in results.rows.labels} == {"1 h"}


def test_workers_are_not_started_for_indicators_of_a_notebook(monkeypatch):
    class Here(Indicator):
        def table_rows(self):
            yield self.row(np.full(len(self.scope.replications), float(os.getpid())), "corridor", "all")

    Here.__module__ = "__main__"
    INDICATORS.register("process")(Here)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = run(teaching(2), replications=2, workers=2, indicators=["process"])
        assert set(results.rows.row("process")) == {float(os.getpid())}
    finally:
        INDICATORS.unregister("process")


def test_plots_are_bound_to_results_and_comparisons_when_first_used(serial):
    assert "stay" in dir(serial.plot)
    assert serial.plot.stay().get_xlabel()
    both = serial.compare(serial)
    assert dir(both.plot) == dir(serial.plot)
    with pytest.raises(AttributeError, match="has no attribute 'plots'"):
        _ = serial.plots


SCRIPT = """
import corridor_sim as cs
from corridor_sim.model.service_times import SERVICE_TIMES, Exponential

{law}
plan = cs.make_plan(cs.load_scenario("teaching", {{"run.horizon_days": 1, "run.warm_up_days": 0}}))
{use}
print("visits", cs.run(plan, replications=4, workers=2, rng=1).visits_count)
"""
LAW = """
@SERVICE_TIMES.register("of_the_script", mean_h=1.0)
class OfTheScript(Exponential):
    pass
"""
USE = """
from dataclasses import replace
flow = plan.flows[0]
steps = flow.variants[0].steps
steps = (replace(steps[0], laws=((0.0, OfTheScript(mean_h=1.0)),)), *steps[1:])
plan = replace(plan, flows=(replace(flow, variants=(replace(flow.variants[0], steps=steps),)), *plan.flows[1:]))
"""


@pytest.mark.parametrize(("law", "use"), [("", ""), (LAW, USE)], ids=["plain", "with a law of its own"])
def test_a_script_without_a_guard_runs_once_or_is_told_of_the_guard(tmp_path, law, use):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(law=law, use=use), encoding="utf-8")
    new = os.environ | {"CORRIDOR_SIM_FORK": "0"}  # a copy would not run the script again
    call = [sys.executable, "-W", "ignore", str(script)]
    ran = subprocess.run(call, capture_output=True, text=True, check=False, env=new)
    if not law:
        assert (ran.returncode, ran.stdout.count("visits")) == (0, 1), ran.stderr
    else:
        assert ran.returncode
        last = ran.stderr.strip().splitlines()[-1]
        assert "its worker died: the script that calls run() lacks `if __name__ == '__main__':`, or" in last


@pytest.mark.parametrize("memory_gb", [0, -1.0, np.nan, np.inf, "2"])
def test_a_budget_of_memory_is_a_positive_number(memory_gb):
    with pytest.raises(ValueError, match="memory_gb must be a finite number > 0, got"):
        run(teaching(2), memory_gb=memory_gb)


def test_a_comparison_of_other_questions_is_refused_before_anything_is_simulated():
    said = []
    with pytest.raises(CorridorError, match=r"horizon \[h\]: 96.0 in 'teaching', 48.0 in 'teaching'"):
        compare(teaching(), teaching(2), replications=2, progress=lambda *told: said.append(told))
    assert not said


def test_every_point_of_a_sweep_is_looked_at_before_the_first_is_run():
    path, said = "checkpoints.northgate_a.exit.lanes.lanes", []
    with pytest.raises(ScenarioError, match=r"lanes = -6: must be a whole number"):
        sweep(teaching(2), {path: [5, -6]}, replications=2, progress=lambda *told: said.append(told))
    assert not said
    with pytest.raises(CorridorError, match="lanes = 5: give a list"):
        sweep(teaching(2), {path: 5})
    for nothing in ({}, {path: []}, []):
        with pytest.raises(CorridorError, match="no points"):
            sweep(teaching(2), nothing)


def test_blocks_are_gathered_into_a_few_and_nothing_of_it_shows():
    from corridor_sim.plan.build import make_plan
    from corridor_sim.study.execution import Job, gather, simulate_block

    job = Job(make_plan(teaching()), 5, tuple(range(11)), "batch", ("wait_h", "wait_p95_h"), (), None, 1.0, False)
    whole, found = simulate_block(job), []
    for block in (range(8, 11), range(0, 2), range(2, 3), range(3, 4), range(4, 8)):
        gather(found, simulate_block(job.of(tuple(block))))
    assert [len(one.visits) for one in found] == [7, 4]
    assert found[1].table.labels is found[0].table.labels
    assert found[0].visits.tolist() == whole.visits[found[0].table.replications].tolist()
    table = join([one.table for one in found])
    assert table.replications.tolist() == list(range(11))
    assert table.values.tobytes() == whole.table.values.tobytes()
    for ours, theirs in zip(*(one.pools.arrays().values() for one in (table, whole.table)), strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.tobytes() == theirs.tobytes()


def test_what_a_block_was_counted_in_is_gone_when_it_is_done():
    from corridor_sim.indicators import Collector
    from corridor_sim.plan.build import make_plan
    from corridor_sim.study.execution import Job, simulate_block

    def alive():
        # By their types: asking an object itself fails for a weak reference whose object is gone.
        return sum(issubclass(type(one), Collector) for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        simulate_block(Job(make_plan(teaching()), 5, (0, 1), "batch", None, (), None, 1.0, False))
        assert alive() == before
    finally:
        gc.enable()
