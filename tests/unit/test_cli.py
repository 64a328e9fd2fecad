"""The command line: data on standard output, the rest on standard error, one exit code a cause."""

import atexit
import csv
import gc
import importlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.cli import commands, main
from corridor_sim.cli.commands import MODULES
from corridor_sim.cli.kinds import all_kinds
from corridor_sim.study import run as study
from corridor_sim.study.asked_run import planned as planned_as

SHORT = ["-n", "2", "--horizon-days", "3", "--workers", "1"]


def invoke(*arguments):
    result = called(*arguments)
    assert "Traceback" not in result.output
    return result


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# ---------------------------------------------------------------- commands


@pytest.mark.parametrize("module", MODULES)
def test_a_module_makes_the_commands_that_are_listed_for_it(module):
    importlib.import_module(f"corridor_sim.cli.{module}")
    made = {name for name, one in main.commands.items() if one.callback.__module__ == f"corridor_sim.cli.{module}"}
    assert made == set(MODULES[module].split())


def test_every_module_with_commands_is_listed():
    folder = Path(commands.__file__).parent
    assert {path.stem for path in folder.glob("*.py") if "@main.command(" in path.read_text("utf-8")} == set(MODULES)


def test_only_the_module_of_the_command_is_imported():
    code = (
        "import sys; from corridor_sim.cli import main; main(['check', 'teaching'], standalone_mode=False); "
        "print(*(name for name in sys.modules if name.startswith('corridor_sim.cli.')))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name for name in MODULES if f"corridor_sim.cli.{name}" in told.split()} == {"reading"}


# ---------------------------------------------------------------- run


def test_a_run_says_what_was_run_and_every_mean_with_its_interval():
    result = invoke("run", "teaching", *SHORT)
    assert result.exit_code == 0
    for words in ("teaching", "2024-01-01 00:00 to 2024-01-04 00:00", "replications  2", "engine", "visits"):
        assert words in result.stdout
    assert "±" in result.stdout
    assert "sampling noise only" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_places_are_called_by_name_and_on_request_by_id():
    how = ("run", "teaching", "-n", 3, "--workers", 1, "-q")
    names, ids = invoke(*how).stdout, invoke(*how, "--ids").stdout
    assert re.search(r"^Northgate A +exit ", names, re.MULTILINE)
    assert re.search(r"^northgate_a +exit ", ids, re.MULTILINE)
    assert "northgate_a" not in names.split("warning:")[0]
    numbers = [re.sub(r"^.*?(exit|entry)", "", line) for line in names.splitlines() if " exit " in line[:26]]
    assert numbers == [re.sub(r"^.*?(exit|entry)", "", line) for line in ids.splitlines() if " exit " in line[:26]]
    how = ("compare", "teaching", "teaching_priority_lane", "-n", 3, "--workers", 1, "-q")
    assert "for Flour to market" in " ".join(invoke(*how).stdout.split())
    ids = invoke(*how, "--ids").stdout
    assert "for flour" in " ".join(ids.split())
    assert "adds improvements.bread_lane_a" in ids


def test_csv_has_a_row_for_every_indicator_with_its_interval():
    rows = rows_of(invoke("run", "teaching", *SHORT, "--format", "csv").stdout)
    assert {"scenario", "indicator", "unit", "place", "mean", "low", "high", "n", "note"} <= set(rows[0])
    waits = [row for row in rows if row["indicator"] == "wait_h" and row["mean"]]
    assert waits
    assert all(float(row["low"]) <= float(row["mean"]) <= float(row["high"]) for row in waits if row["low"])
    assert not any("nan" in value.lower() for row in rows for value in (row["mean"], row["low"], row["high"]))


@pytest.fixture
def counted(monkeypatch):
    """How often scenarios are read into the model, checked, planned, and their load reckoned."""
    from corridor_sim.files import scenario_files
    from corridor_sim.model import checks
    from corridor_sim.plan import build, load

    calls = Counter()

    def count(owner, name, word):
        original = getattr(owner, name)

        def wrapped(*arguments, **options):
            calls[word] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, wrapped)

    count(scenario_files, "_made", "read")
    count(checks, "references", "checked")
    count(build._Builder, "plan", "planned")
    count(load, "load_problems", "load")
    return calls


@pytest.mark.parametrize(
    ("arguments", "scenarios"),
    [
        (("run", "teaching", *SHORT), 1),
        (("run", "teaching", "teaching_priority_lane", *SHORT, "--indicator", "wait_h"), 2),
        (("compare", "teaching", "teaching_priority_lane", *SHORT), 2),
        (("plot", "teaching", "--kind", "map", "-o", "map.png"), 1),
        (("plot", "teaching", "teaching_priority_lane", *SHORT, "--kind", "queue", "-o", "queue.png"), 2),
        (("report", "teaching", "teaching_priority_lane", *SHORT, "-o", "page.html"), 2),
        (("check", "teaching"), 1),
    ],
    ids=lambda given: " ".join(given[:2]) if isinstance(given, tuple) else "",
)
def test_a_command_reads_checks_and_plans_each_scenario_once(arguments, scenarios, counted):
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    assert counted == dict.fromkeys(("read", "checked", "planned", "load"), scenarios)


def test_a_run_from_python_reads_checks_and_plans_a_file_once(counted):
    planned = planned_as("teaching")
    study.compare(planned, "teaching_priority_lane", replications=5, workers=1, indicators=["wait_h"])
    assert counted == {"read": 2, "checked": 2, "planned": 2}


def test_several_files_make_one_table():
    rows = rows_of(invoke("run", "teaching", "teaching_priority_lane", *SHORT, "--format", "csv").stdout)
    assert {row["scenario"] for row in rows} == {"teaching", "teaching_priority_lane"}


def test_json_is_complete_and_strict():
    def refuse(constant):
        raise AssertionError(constant)

    result = invoke("run", "teaching", *SHORT, "--format", "json")
    (run,) = json.loads(result.stdout, parse_constant=refuse)["runs"]
    assert run["scenario"] == "teaching"
    assert run["root_entropy"] == 1
    assert run["replications"] == 2
    assert run["rows"]


def test_the_same_seed_gives_the_same_text_whatever_the_workers_and_the_engine():
    def text(*more):
        return invoke("run", "teaching", "-n", 4, "--horizon-days", 3, "--format", "csv", *more).stdout

    one = text("--workers", 1, "--seed", 5)
    assert one == text("--workers", 2, "--seed", 5)
    assert one == text("--workers", 1, "--seed", 5, "--engine", "event")
    assert one != text("--workers", 1, "--seed", 6)
    assert text("--seed", 0) == text("--seed", 0) != one


def test_one_replication_has_no_interval():
    rows = rows_of(invoke("run", "teaching", *SHORT[2:], "-n", 1, "--format", "csv").stdout)
    assert {row["low"] for row in rows} == {""}
    assert "interval not available" in {row["note"] for row in rows}


def test_a_run_in_which_nobody_comes_has_no_numbers_and_no_warnings_of_arithmetic():
    nobody = [word for flow in ("flour", "bread", "back") for word in ("--set", f"flows.{flow}.per_day=0")]
    result = invoke("run", "teaching", *SHORT, *nobody, "--format", "csv", "--quiet")
    assert result.exit_code == 0
    assert result.stderr == ""
    waits = [row for row in rows_of(result.stdout) if row["indicator"] == "wait_h"]
    assert waits
    assert {(row["mean"], row["low"], row["n"], row["note"]) for row in waits} == {("", "", "0", "nobody")}


def test_only_the_indicators_asked_for_are_printed():
    rows = rows_of(invoke("run", "teaching", *SHORT, "--indicator", "tfi1", "--format", "csv").stdout)
    assert {row["indicator"] for row in rows} == {"tfi1"}
    table = invoke("run", "teaching", *SHORT, "--indicator", "tfi1").stdout
    assert "tfi1 [h] Northgate A – Northgate B, A→B" in table
    wrong = invoke("run", "teaching", *SHORT, "--indicator", "tfi11")
    assert wrong.exit_code == 2
    assert "did you mean 'tfi1" in wrong.stderr


def test_a_row_for_every_replication():
    text = invoke("run", "teaching", *SHORT, "--indicator", "tfi1", "--per-replication", "--format", "csv").stdout
    assert {row["replication"] for row in rows_of(text)} == {"0", "1"}
    assert invoke("run", "teaching", *SHORT, "--per-replication").exit_code == 2


def test_values_can_be_set_on_the_command_line():
    lanes = "checkpoints.northgate_a.exit.lanes.lanes=30"
    text = invoke("run", "teaching", *SHORT, "--set", lanes, "--set", "name=wide", "--format", "csv").stdout
    waits = {
        row["place"]: row["mean"] for row in rows_of(text) if row["indicator"] == "wait_h" and row["kind"] == "stage"
    }
    assert rows_of(text)[0]["scenario"] == "wide"
    assert float(waits["northgate_a.exit.lanes"]) == 0.0


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("flows.flour.per_day=-3", "override: flows.flour.per_day = -3: must be a number >= 0"),
        ("flows.flour.per_dya=3", "did you mean 'per_day'?"),
        ("flows.flour.per_day", "is not path=value"),
        ("flows.flour.name=1\nx=2", "override: flows.flour.name = '1\\nx=2': must not hold control characters ('\\n')"),
    ],
)
def test_a_bad_setting_is_told(setting, words):
    result = invoke("run", "teaching", *SHORT, "--set", setting)
    assert result.exit_code == 2
    assert words in result.stderr


def test_output_goes_to_a_file_that_is_never_overwritten_unasked(tmp_path):
    arguments = ["run", "teaching", *SHORT, "--format", "csv", "--output", "out.csv"]
    first = invoke(*arguments)
    assert first.exit_code == 0
    assert first.stdout == ""
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert rows_of(text)
    again = invoke(*arguments, "--seed", 9)
    assert again.exit_code == 2
    assert "out.csv exists" in again.stderr
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == text
    assert invoke(*arguments, "--seed", 9, "--overwrite").exit_code == 0
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") != text
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("output", ["nowhere/out.csv", "."])
def test_an_output_that_cannot_be_written_is_refused_before_the_run(output, monkeypatch):
    monkeypatch.setattr(study, "run", None)
    assert invoke("run", "teaching", "--output", output).exit_code == 2


def test_every_visit_can_be_written(tmp_path):
    assert invoke("run", "teaching", *SHORT, "--records", "visits.csv").exit_code == 0
    visits = rows_of((tmp_path / "visits.csv").read_text(encoding="utf-8"))
    assert {"replication", "flow", "element", "join_h", "start_h"} <= set(visits[0])
    assert invoke("run", "teaching", "teaching", "--records", "other.csv").exit_code == 2
    assert invoke("run", "teaching", "--records", "other.csv", "--store", "x").exit_code == 2


def test_a_stored_run_goes_on_and_gives_the_same(tmp_path):
    arguments = ["run", "teaching", "--horizon-days", 3, "--workers", 1, "--format", "csv"]
    whole = invoke(*arguments, "-n", 4).stdout
    invoke(*arguments, "-n", 2, "--store", "kept")
    assert invoke(*arguments, "-n", 4, "--store", "kept").stdout == whole
    other = invoke(*arguments, "-n", 4, "--seed", 8, "--store", "kept")
    assert other.exit_code == 2
    assert "holds another run" in other.stderr


def test_a_name_that_looks_like_a_formula_is_made_safe():
    rows = rows_of(invoke("run", "teaching", *SHORT, "--set", 'name="=1+1"', "--format", "csv").stdout)
    assert {row["scenario"] for row in rows} == {"'=1+1"}


def test_warnings_become_errors_when_asked():
    flags = ["--set", "flows.flour.per_day=0.2"]
    loose = invoke("run", "teaching", *SHORT, *flags)
    assert loose.exit_code == 0
    assert "warning: flows.flour.per_day: creates 0.2 consignments a day" in loose.stderr
    assert invoke("run", "teaching", *SHORT, *flags, "--quiet").stderr == ""
    strict = invoke("run", "teaching", *SHORT, *flags, "--strict")
    assert strict.exit_code == 2
    assert strict.stdout == ""


def test_doubts_about_a_result_are_told_and_fail_a_strict_run():
    within = ["--set", "improvements.second_scanner.from=2024-01-02"]
    result = invoke("run", "teaching", *SHORT, *within, "--format", "csv", "--strict")
    assert result.exit_code == 1
    assert rows_of(result.stdout)
    assert "only 2 replications" in result.stderr


# ---------------------------------------------------------------- usage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], "No such command 'rnu'"),
        (["run"], "Missing argument"),
        (["run", "teaching", "--replications", "ten"], "'ten' is not a valid integer"),
        (["run", "teaching", "--replications", "0"], "is not in the range 1<=x<=100000"),
        (["run", "teaching", "--replications", "1000000000"], "is not in the range 1<=x<=100000"),
        (["run", "teaching", "--replicatons", "3"], "No such option"),
        (["run", "teaching", "--workers", "0"], "is not in the range 1<=x<=256"),
        (["run", "teaching", "--workers", "-1"], "is not in the range 1<=x<=256"),
        (["run", "teaching", "--workers", "1000000"], "is not in the range 1<=x<=256"),
        (["run", "teaching", "--seed", "-1"], "is not in the range x>=0"),
        (["run", "teaching", "--seed", "1.5"], "is not a valid integer"),
        (["run", "teaching", "--engine", "fast"], "is not one of 'auto', 'event', 'batch'"),
        (["run", "teaching", "--horizon-days", "0"], "is not in the range x>0"),
        (["run", "teaching", "--horizon-days", "nan"], "horizon_days"),
        (["run", "teaching", "--horizon-days", "1"], "must be shorter than the horizon"),
        (["run", "teeching"], "did you mean 'teaching'?"),
        (["run", "gone.toml"], "gone.toml: does not exist"),
        (["compare", "teaching"], "Missing argument"),
        (["kinds", "lawz"], "did you mean 'laws'?"),
        (["plot", "teaching", "--kind", "queue"], "Missing option '--output'"),
        (["verify", "--design", "slow"], "is not one of 'quick', 'full'"),
        (["verify", "gone.json"], "gone.json"),
        (["verify", "--only", "TR-99999"], "nothing is called"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(arguments, words):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in result.stderr


def test_a_wrong_word_is_told_with_the_right_one():
    assert "--replications" in invoke("run", "teaching", "--replicatons", "3").stderr


def test_without_a_command_the_commands_are_listed():
    result = invoke("--help")
    assert result.exit_code == 0
    for command in ("run", "compare", "check", "verify", "kinds", "schema", "plot", "report"):
        assert f"  {command} " in result.stdout
        assert invoke(command, "--help").exit_code == 0


def test_the_version_is_that_of_the_package():
    assert cs.__version__ in invoke("--version").stdout


# ---------------------------------------------------------------- causes and codes


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (cs.SimulationError("no progress at t = 480"), 1, "no progress at t = 480"),
        (cs.ScenarioError([cs.Problem("is bad", "a.b", 3)]), 2, "a.b = 3: is bad"),
        (cs.EngineRefusal("batch", ["balking at x"]), 2, "balking at x"),
        (cs.MissingExtra("this", "pyarrow", "parquet"), 1, "pip install"),
        (cs.CorridorError("these runs differ"), 2, "these runs differ"),
        (OSError(28, "No space left on device", "out.csv"), 1, "out.csv: No space left"),
        (MemoryError(), 1, "out of memory"),
        (KeyError("surprise"), 1, "internal error: KeyError: 'surprise'"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_cause_has_its_exit_code_and_one_message(error, code, words, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(study, "run", fail)
    result = invoke("run", "teaching", "--output", "out.csv")
    assert result.exit_code == code
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []
    if not isinstance(error, KeyboardInterrupt):
        shown = called("--debug", "run", "teaching")
        assert shown.exception is error


def test_an_engine_that_cannot_do_it_refuses_by_name():
    at = "checkpoints.northgate_a.exit.lanes"
    outage = f"{at}.outages={{ storm = {{ from = 2024-01-02, until = 2024-01-03 }} }}"
    settings = ["--set", outage, "--set", f"{at}.outage_policy=requeue"]
    result = invoke("run", "teaching", *SHORT, *settings, "--engine", "batch")
    assert result.exit_code == 2
    assert "the batch engine does not do" in result.stderr
    assert "northgate_a.exit.lanes" in result.stderr
    assert invoke("run", "teaching", *SHORT, *settings).exit_code == 0


def listens():
    """Interrupts reach the command also where whoever runs the tests ignores them (a job in the background)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_run_ends_with_130_and_leaves_nothing_but_its_store(tmp_path):
    command = [sys.executable, "-m", "corridor_sim", "run", "baseline_2023", "-n", "400", "--engine", "event"]
    command += ["--workers", "1", "--store", "kept", "--output", "out.csv"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=listens)
    until = time.monotonic() + 120
    while not (tmp_path / "kept" / "manifest.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "interrupted" in told
    assert "Traceback" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert not list(tmp_path.rglob("*.part"))


# ---------------------------------------------------------------- compare


def test_a_comparison_says_what_differs_in_the_inputs_and_in_the_results():
    result = invoke("compare", "teaching", "teaching_priority_lane", "-n", 3, "--workers", 1)
    assert result.exit_code == 0
    assert "reserved perishable lanes 0 -> 1; lanes 3 -> 4" in " ".join(result.stdout.split())
    assert "±" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_a_scenario_compared_with_itself_does_not_differ():
    rows = rows_of(invoke("compare", "teaching", "teaching", *SHORT, "--format", "csv").stdout)
    assert {row["verdict"] for row in rows} <= {"no difference", "interval not available"}
    assert "no difference" in {row["verdict"] for row in rows}


def test_a_comparison_in_json_holds_inputs_and_differences():
    body = json.loads(invoke("compare", "teaching", "teaching_priority_lane", *SHORT, "--format", "json").stdout)
    assert [run["scenario"] for run in body["runs"]] == ["teaching", "teaching_priority_lane"]
    assert len({run["root_entropy"] for run in body["runs"]}) == 1
    assert body["inputs"]["teaching_priority_lane"]
    assert body["differences"]


def test_runs_of_different_length_are_not_compared(tmp_path):
    (tmp_path / "longer.toml").write_text('schema = 1\nextends = "teaching"\n[run]\nhorizon_days = 15\n')
    result = invoke("compare", "teaching", "longer.toml", "-n", 2, "--workers", 1)
    assert result.exit_code == 2
    assert "horizon [h]: 336.0" in result.stderr


# ---------------------------------------------------------------- check, kinds, schema


def test_check_is_quiet_about_a_good_file():
    result = invoke("check", "teaching")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "no errors, no warnings in 1 file\n"


def test_check_tells_the_problems_of_all_files(tmp_path):
    (tmp_path / "a.toml").write_text('schema = 1\nextends = "teaching"\n[flows.flour]\nper_day = -1\n')
    (tmp_path / "b.toml").write_text('schema = 1\nextends = "teaching"\n[run]\nseed = -1\n')
    result = invoke("check", "a.toml", "b.toml", "teaching")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "a.toml:4: flows.flour.per_day = -1: must be a number >= 0",
        "b.toml:4: run.seed = -1: must be a whole number >= 0",
    ]
    assert result.stderr == "2 errors, no warnings in 3 files\n"
    problems = json.loads(invoke("check", "a.toml", "b.toml", "--format", "json").stdout)["problems"]
    assert [(p["file"], p["line"], p["path"], p["value"]) for p in problems] == [
        ("a.toml", 4, "flows.flour.per_day", -1),
        ("b.toml", 4, "run.seed", -1),
    ]


@pytest.mark.parametrize("what", list(all_kinds()))
def test_kinds_lists_everything_with_a_sentence(what):
    result = invoke("kinds", what)
    assert result.exit_code == 0
    listed = json.loads(invoke("kinds", what, "--format", "json").stdout)[what]
    assert listed
    for row in listed:
        assert row["about"], row
        assert f"  {row['kind']} " in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_every_indicator_that_kinds_lists_is_one_that_a_table_takes():
    results = cs.run("teaching", replications=10, workers=1)
    listed = {row["kind"] for row in json.loads(invoke("kinds", "indicators", "--format", "json").stdout)["indicators"]}
    # TEU, lanes opened by the queue and patience are there only where a scenario states them.
    elsewhere = {"delivered_teu", "extra_lanes", "extra_lane_h_per_day", "extra_lane_openings_per_day"}
    elsewhere |= {"left_queue", "left_queue_share", "left_queue_wait_h", "lost"}
    assert set(results.rows.indicators) | elsewhere - {"extra_lanes"} <= listed
    for name in sorted(listed - elsewhere):
        assert len(results.to_frame(name)) or "_pooled" in name, name
    assert set(results.to_frame("queue")["indicator"]) == {"queue_mean", "queue_p95", "queue_max"}
    assert set(results.summary("stay_percentiles_h")["indicator"]) == {
        "stay_p50_h", "stay_p95_h", "stay_p50_pooled_h", "stay_p95_pooled_h",
    }  # fmt: skip
    same = cs.Comparison((results, results))
    assert set(same.table("tfi4")["indicator"]) == {"tfi4_swod", "tfi4_swd", "tfi4_swd_cv"}


def test_the_schema_is_printed():
    full, overlay = (json.loads(invoke("schema", *flags).stdout) for flags in ([], ["--overlay"]))
    assert full == json.loads(json.dumps(cs.schema()))
    assert "run" in full["required"]
    assert overlay["required"] == ["schema"]


# ---------------------------------------------------------------- plot and verify


@pytest.mark.parametrize("name", ["queue.png", "queue.svg", "queue.pdf"])
def test_a_picture_is_written_the_same_twice(name, tmp_path):
    arguments = ["plot", "teaching", "--kind", "queue", "--post", "northgate_a", "--direction", "exit", *SHORT]
    assert invoke(*arguments, "-o", name).exit_code == 0
    first = (tmp_path / name).read_bytes()
    assert first.startswith({".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[name[-4:]])
    assert invoke(*arguments, "-o", name, "--overwrite").exit_code == 0
    assert (tmp_path / name).read_bytes() == first


def test_scenarios_are_drawn_together_or_without_a_run(tmp_path, monkeypatch):
    two = ["teaching", "teaching_priority_lane"]
    assert invoke("plot", *two, "--kind", "time_distance", *SHORT, "-o", "td.svg").exit_code == 0
    assert "teaching_priority_lane" not in invoke("plot", *two, "--kind", "timeline", "-o", "tl.svg").stderr
    assert (tmp_path / "td.svg").stat().st_size > 1000


def test_a_run_and_a_comparison_draw_pictures_named_after_their_kind(tmp_path):
    two = ["compare", "teaching", "teaching_priority_lane", *SHORT]
    assert invoke(*two, "--picture", "queue.png", "--picture", "time_distance.svg").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"queue.png", "time_distance.svg"}
    assert invoke("run", "teaching", *SHORT, "--picture", "load.pdf").exit_code == 0
    again = invoke("run", "teaching", *SHORT, "--picture", "load.pdf")
    assert again.exit_code == 2
    assert "load.pdf exists" in again.stderr
    assert invoke("run", "teaching", "teaching", *SHORT, "--picture", "map.png").exit_code == 2
    wrong = invoke("run", "teaching", "--picture", "queu.png")
    assert wrong.exit_code == 2
    assert "did you mean 'queue'?" in wrong.stderr
    assert "must end in" in invoke("run", "teaching", "--picture", "queue.gif").stderr


def test_stored_comparisons_have_a_folder_for_each_scenario(tmp_path):
    arguments = ["compare", "teaching", "teaching_priority_lane", *SHORT, "--format", "csv"]
    first = invoke(*arguments, "--store", "kept")
    assert first.exit_code == 0
    held = {json.loads(path.read_text())["scenario"] for path in (tmp_path / "kept").glob("*/manifest.json")}
    assert held == {"teaching", "teaching_priority_lane"}
    assert invoke(*arguments, "--store", "kept").stdout == first.stdout == invoke(*arguments).stdout


def test_a_damaged_block_is_told_on_the_terminal_and_made_again(tmp_path):
    arguments = ["run", "teaching", *SHORT, "--format", "csv", "--store", "kept"]
    whole = invoke(*arguments).stdout
    block = next((tmp_path / "kept" / "blocks").iterdir())
    block.write_bytes(block.read_bytes()[:-40])
    again = invoke(*arguments)
    assert again.stdout == whole
    assert f"warning: {os.path.join('kept', 'blocks', block.name)}: not a whole block" in again.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--kind", "queue", "-o", "x.gif"], "must end in .png, .svg, .pdf"),
        (["--kind", "queu", "-o", "x.png"], "did you mean 'queue'?"),
        (["--kind", "timeline", "--flow", "flour", "-o", "x.png"], "--flow has no meaning"),
        (["--kind", "points", "-o", "x.png"], "`corridor-sim sweep FILE --picture points.png` does"),
        (["--kind", "npv", "-o", "x.png"], "comparison.worth(...).plot.npv()"),
        (["--kind", "time_distance", "--flow", "flower", *SHORT, "-o", "x.png"], "no flow 'flower'"),
    ],
)
def test_a_picture_that_cannot_be_is_refused(more, words, tmp_path):
    result = invoke("plot", "teaching", *more)
    assert result.exit_code == 2
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_one_page_with_its_title_escaped(tmp_path):
    title = ["--title", "<script>alert(1)</script> & more"]
    result = invoke("report", "teaching", "teaching_priority_lane", *SHORT, *title, "-o", "report.html")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "teaching_priority_lane" in page
    assert invoke("report", "teaching", *SHORT, "-o", "alone.html").exit_code == 0
    assert invoke("report", "teaching", *SHORT, "-o", "report.html").exit_code == 2
    assert invoke("report", "teaching", *SHORT, "-o", "report.txt").exit_code == 2


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_verify_prints_what_was_checked(form):
    result = invoke("verify", "--only", "TR-01", "--format", form)
    assert result.exit_code == 0
    assert "TR-01" in result.stdout
    if form == "json":
        assert json.loads(result.stdout)["ok"] is True
    if form == "csv":
        assert rows_of(result.stdout)[0]["status"] == "passed"


def test_a_missed_answer_ends_with_1(tmp_path):
    from corridor_sim.verify.files import packaged

    trace = json.loads(json.dumps(next(t for t in packaged()["traces"] if t["id"] == "TR-01")))
    text = json.dumps({"traces": [trace]})
    (tmp_path / "right.json").write_text(text, encoding="utf-8")
    assert invoke("verify", "right.json").exit_code == 0
    assert invoke("verify", "right.json", "right.json", "--format", "csv").stdout.count("section") == 1
    expected = trace["expected"]
    name = next(key for key in expected if isinstance(expected[key], (list, dict)))
    trace["expected"] = json.loads(json.dumps(expected).replace("5", "6"))
    assert trace["expected"] != expected, name
    (tmp_path / "wrong.json").write_text(json.dumps({"traces": [trace]}), encoding="utf-8")
    wrong = invoke("verify", "wrong.json")
    assert wrong.exit_code == 1
    assert "failed" in wrong.stdout


def test_what_cannot_be_checked_fails_unless_allowed():
    from corridor_sim.verify.files import packaged

    refused = next(
        item for item in cs.verify({"traces": packaged()["traces"]}, engine="batch").items if item.status == "refused"
    )
    arguments = ["verify", "--engine", "batch", "--only", refused.id]
    assert invoke(*arguments).exit_code == 1
    assert invoke(*arguments, "--allow-partial").exit_code == 0


def test_an_equilibrium_is_told_and_its_scenario_written(tmp_path):
    file = tmp_path / "chosen.toml"
    how = ("--scale-usd", "50", "-n", "1", "--horizon-days", "12", "--starts", "1", "--workers", "1")
    result = invoke("equilibrium", "roadmap_2027_2028_growth", *how, "--target", "0.2", "-o", str(file))
    assert result.exit_code == 0, result.output
    assert "Equilibrium reached after" in result.stdout
    assert "Russia to Azerbaijan: Yarag-Kazmalyar – Samur" in result.stdout
    shares = cs.load_scenario(str(file)).flows["south_bilateral"].crossing_shares
    assert set(shares) == {"chosen"}
    missed = invoke("equilibrium", "roadmap_2027_2028_growth", *how, "--target", "0.000001", "--most", "1")
    assert missed.exit_code == 1
    assert "NOT reached" in missed.stdout
    assert invoke("equilibrium", "teaching", *how).exit_code == 2


def test_measures_are_appraised(tmp_path):
    how = ("--discount-rate", "0.06", "--years", "10", "-n", "3", "--workers", "1", "-q")
    result = invoke("appraise", "teaching", "teaching", *how)
    assert result.exit_code == 2
    assert "nothing to appraise" in result.stderr
    base = tmp_path / "none.toml"
    lines = ["schema = 1", 'extends = "teaching"', 'name = "none"', 'remove = ["improvements.second_scanner"]']
    base.write_text("\n".join(lines), encoding="utf-8")
    told = invoke("appraise", str(base), "teaching", *how)
    assert told.exit_code == 0, told.output
    assert "net present value" in told.stdout
    rows = json.loads(invoke("appraise", str(base), "teaching", *how, "--format", "json").stdout)
    assert len(rows["years"]) == 11
    assert rows["years"][0]["capex_usd"] == 3e6
    annex, picture = tmp_path / "annex.csv", tmp_path / "cash_flows.png"
    files = ("--annex", str(annex), "--picture", str(picture))
    table = invoke("appraise", str(base), "teaching", *how, *files, "--format", "csv").stdout.splitlines()
    assert annex.read_text(encoding="utf-8").splitlines()[-1].startswith("present value at 6 %,")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert table[0].startswith("year,capex_usd")
    assert len(table) == 12


def test_circles_of_objects_are_looked_for_seldom_while_a_command_runs_and_as_before_after_it(monkeypatch):
    seen = []
    monkeypatch.setattr(gc, "freeze", lambda: seen.append("frozen"))

    @main.command("how-often", hidden=True)
    def how_often():
        seen.append(gc.get_threshold())

    before = gc.get_threshold()
    try:
        for usual in (before, (700, 10, 10), (90_000, 5, 5)):
            gc.set_threshold(*usual)
            assert called("how-often").exit_code == 0
            assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*before)
        main.commands.pop("how-often")
        atexit.unregister(gc.freeze)
    assert seen == [(max(before[0], 50_000), *before[1:]), (50_000, 10, 10), (90_000, 5, 5)]
