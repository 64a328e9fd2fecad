"""What a run says while it runs: bars, lines, the log; and that it says nothing unasked."""

import importlib.util
import io
import logging
import subprocess
import sys
import types

import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.study import progress
from corridor_sim.study.progress import duration, in_a_notebook, shown

SHORT = {"replications": 3, "workers": 1, "rng": 1, "engine": "event", "indicators": ["created"]}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    hand = types.SimpleNamespace(now_s=0.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: hand.now_s)
    return hand


def run(**more):
    with pytest.warns(cs.CorridorWarning, match="only 3 replications"):
        return cs.run("teaching", **SHORT, **more)


def test_a_terminal_gets_a_bar_with_scenario_rate_and_number(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    run(progress=True)
    last = terminal.getvalue().split("\r")[-1]
    assert last.startswith("teaching: 100%")
    assert "3/3" in last
    assert "replication" in last


def test_a_short_run_into_a_file_writes_nothing(capsys):
    run(progress=True)
    assert capsys.readouterr() == ("", "")


def test_nothing_is_shown_unasked(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    run()
    run(progress=False)
    assert terminal.getvalue() == ""


def test_a_long_run_into_a_file_writes_a_line_at_intervals(clock, capsys):
    with shown(True, "border", total=100) as tell:
        for _ in range(10):
            clock.now_s += 6.0
            tell(10)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "border: 30 of 100 replications, 1.67 a second, about 42 s left",
        "border: 60 of 100 replications, 1.67 a second, about 24 s left",
        "border: 90 of 100 replications, 1.67 a second, about 6 s left",
    ]


def test_the_rate_leaves_out_what_an_earlier_run_did(clock, capsys):
    with shown(True, "border", total=100, done=50) as tell:
        clock.now_s = 5.0
        tell(10)
        clock.now_s = 25.0
        tell(10)
    assert capsys.readouterr().err == "border: 70 of 100 replications, 0.5 a second, about 1 min 00 s left\n"


def test_no_time_left_is_told_from_the_block_that_waited_for_machine_code(clock, capsys):
    with shown(True, "border", total=20) as tell:
        for now_s in (60.0, 64.0, 76.0):
            clock.now_s = now_s
            tell(2)
    assert capsys.readouterr().err.splitlines() == [
        "border: 2 of 20 replications",
        "border: 6 of 20 replications, 0.25 a second, about 56 s left",
    ]


def test_a_bar_tells_no_time_left_from_the_block_that_waited_for_machine_code(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with shown(True, "border", total=20) as tell:
        clock.now_s = 60.0
        tell(2)
        tell.__self__.refresh()
        first = terminal.getvalue().split("\r")[-1]
        clock.now_s = 64.0
        tell(4)
        tell.__self__.refresh()
        second = terminal.getvalue().split("\r")[-1]
    assert "2/20" in first
    assert "<?" in first
    assert "6/20" in second
    assert "<00:14" in second
    assert "1.00replication/s" in second


def test_a_line_counts_what_is_counted(clock, capsys):
    with shown(True, "", total=40, unit="observation") as tell:
        clock.now_s = 20.0
        tell(3)
    assert capsys.readouterr().err == "3 of 40 observations\n"


def test_times_left_are_said_in_the_unit_that_fits():
    assert [duration(s) for s in (0, 59.4, 59.6, 3599.6, 86400)] == [
        "0 s",
        "59 s",
        "1 min 00 s",
        "1 h 00 min",
        "24 h 00 min",
    ]


def test_a_callable_gets_numbers_of_all_with_those_done_before():
    seen = []
    with shown(lambda done, total: seen.append((done, total)), "border", total=5, done=2) as tell:
        tell(1)
        tell(2)
    assert seen == [(3, 5), (5, 5)]


def test_a_notebook_gets_the_widget_only_where_it_can_be_drawn(monkeypatch):
    assert not in_a_notebook()
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert in_a_notebook()
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ipywidgets" else find(name))
    assert progress._bar().__module__ == "tqdm.std"
    with_widgets = types.ModuleType("tqdm.notebook")
    with_widgets.tqdm = object()
    monkeypatch.setitem(sys.modules, "tqdm.notebook", with_widgets)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert progress._bar() is with_widgets.tqdm


def test_a_shell_of_ipython_without_a_kernel_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    for shell in (None, types.SimpleNamespace(config={"TerminalIPythonApp": {}})):
        monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert not in_a_notebook()


@pytest.mark.parametrize("quiet", [True, False])
def test_the_command_line_shows_progress_unless_quiet(quiet, monkeypatch):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    more = ["--quiet"] if quiet else []
    result = called("run", "teaching", "-n", "5", "--workers", "1", "--engine", "event", "--horizon-days", "3", *more)
    assert result.exit_code == 0
    lines = [line for line in result.stderr.splitlines() if " of 5 replications" in line]
    assert len(lines) == (0 if quiet else 4)  # the last replication needs no line
    assert "a second" not in result.stdout


def test_the_log_says_what_was_done(caplog, tmp_path):
    with caplog.at_level(logging.DEBUG, logger="corridor_sim"):
        run(store=tmp_path)
    text = caplog.text
    for words in (
        "teaching: plan of ",
        "teaching: engine event (asked for)",
        "holds 0 of 3 replications",
        "teaching: 3 replications to run in 3 blocks, 1 workers",
        "teaching: replications [2] done",
        " visits in ",
    ):
        assert words in text
    assert {record.name.split(".")[0] for record in caplog.records} == {"corridor_sim"}
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="corridor_sim"):
        run(store=tmp_path)
    assert "holds 3 of 3 replications" in caplog.text
    assert "done" not in caplog.text  # blocks are for DEBUG


def test_the_library_configures_no_logging():
    script = """
import logging, warnings
warnings.simplefilter("ignore")
import corridor_sim as cs
cs.run("teaching", replications=1, workers=1, indicators=["created"])
logger = logging.getLogger("corridor_sim")
assert [type(one).__name__ for one in logger.handlers] == ["NullHandler"], logger.handlers
assert logger.level == logging.NOTSET and logger.propagate
assert not logging.getLogger().handlers
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
