"""What fails is named, the rest is finished and kept, running again ends in the same bytes, and no process stays."""

import concurrent.futures as futures
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corridor_sim.core.errors import CorridorWarning, SimulationError
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.indicators import INDICATORS
from corridor_sim.study import store as store_module
from corridor_sim.study.run import run, run_all
from corridor_sim.study.store import load
from corridor_sim.study.sweeps import sweep

pytestmark = [
    pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning"),
    pytest.mark.skipif(os.name != "posix", reason="kills processes by POSIX signals"),
]
KINDS = ["created", "wait_h", "queue"]


def teaching(days=1, **changes):
    scenario = load_scenario("teaching")
    return scenario.replace(run=scenario.run.replace(horizon_days=days, warm_up_days=0), **changes)


def run_small(store=None, replications=4, **more):
    settings = {"engine": "event", "workers": 1, "indicators": KINDS, **more}
    return run(teaching(), replications=replications, store=store, **settings)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run of four replications that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole") / "kept"
    run_small(folder)
    return folder


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def table(folder):
    return (folder / "summary.csv").read_bytes(), load(folder).rows.values.tobytes()


@pytest.fixture
def failing(monkeypatch):
    """The indicators that fail are known, and do."""
    known = "killing_indicator" in sys.modules
    import killing_indicator

    if known:
        INDICATORS.register("killer")(killing_indicator.Killer)
        INDICATORS.register("raiser")(killing_indicator.Raiser)
    monkeypatch.setenv("FAILS", "1")
    yield
    INDICATORS.unregister("killer")
    INDICATORS.unregister("raiser")


# ---------------------------------------------------------------- killed


def in_a_child(work):
    """A process forked from this one that does some work and ends with 0, or with 1 if that raises."""

    def child():
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    return process


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_batch_of_forty_blocks_killed_twenty_times_ends_in_the_same_bytes(tmp_path):
    def batch(folder):
        return run(
            teaching(), replications=40, store=tmp_path / folder, engine="event", workers=1, indicators=["wait_h"]
        )

    def blocks(folder):
        return len(list((tmp_path / folder).glob("blocks/[!.]*.npz")))

    began = time.monotonic()
    batch("whole")
    block_s = (time.monotonic() - began) / 40
    moments = random.Random(1)
    for _ in range(20):
        # After none, one or two more blocks and a part of the next.
        wanted = blocks("killed") + moments.randrange(3)
        process = in_a_child(lambda: batch("killed"))
        while blocks("killed") < wanted and process.is_alive():
            time.sleep(0.002)
        process.join(moments.uniform(0.0, block_s))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    assert 10 < blocks("killed") < 40
    batch("killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", ["half written", "written", "moved"])
def test_a_run_that_ends_at_any_write_goes_on_to_the_same_bytes(tmp_path, whole, monkeypatch, moment):
    really, dead = store_module.write_whole, in_a_child(lambda: None)
    dead.join()
    left = 0

    def write(path, content):
        nonlocal left
        left -= 1
        if left != 0:
            really(path, content)
            return
        if moment == "moved":
            really(path, content)
        else:
            # As a killed process leaves it, under the name of a process that is gone.
            with monkeypatch.context() as patch:
                patch.setattr("os.getpid", lambda: dead.pid)
                patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(Killed))
                patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
                with pytest.raises(Killed):
                    really(path, content[: len(content) // 2] if moment == "half written" else content)
        raise Killed

    writes = 3 + 4 + 2  # manifest, scenario, labels; blocks; summary, manifest
    monkeypatch.setattr(store_module, "write_whole", write)
    for number in range(1, writes + 1):
        left, folder = number, tmp_path / str(number)
        with pytest.raises(Killed):
            run_small(folder)
        left = 0
        run_small(folder)
        assert contents(folder) == contents(whole), number
    left = writes + 1
    run_small(tmp_path / "all")
    assert left == 1


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_two_processes_at_once_on_one_folder_both_end_right(tmp_path, whole):
    def one(number, replications):
        found = run_small(tmp_path / "kept", replications, engine="batch")
        (tmp_path / f"{number}.rows").write_bytes(found.rows.only(range(4)).values.tobytes())

    # Eight replications a time: of one in a block, of two, of two again.
    processes = [in_a_child(lambda n=n, k=k: one(n, k)) for n, k in enumerate((8, 16, 16))]
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert len({(tmp_path / f"{number}.rows").read_bytes() for number in range(3)}) == 1
    run_small(tmp_path / "kept", 16)
    run_small(tmp_path / "alone", 16)
    assert table(tmp_path / "kept") == table(tmp_path / "alone")
    assert load(tmp_path / "kept").rows.only(range(4)).values.tobytes() == load(whole).rows.values.tobytes()
    assert not list((tmp_path / "kept").rglob("*.part"))


# ---------------------------------------------------------------- workers


def kill_a_worker(done, of):
    """Kill one of the workers when the first block is in."""
    if done == 1:
        multiprocessing.active_children()[0].kill()


def test_a_run_whose_worker_is_killed_goes_on_and_ends_in_the_same_bytes(tmp_path, whole):
    run_small(tmp_path / "kept", workers=2, progress=kill_a_worker)
    assert contents(tmp_path / "kept") == contents(whole)


def test_a_run_whose_executor_lost_a_worker_ends_here_in_the_same_bytes(tmp_path, whole):
    context = multiprocessing.get_context("spawn")
    with (
        futures.ProcessPoolExecutor(1, mp_context=context) as executor,
        pytest.warns(CorridorWarning, match="the executor broke, .* the rest runs in processes started here"),
    ):
        run_small(tmp_path / "kept", executor=executor, progress=kill_a_worker)
    assert contents(tmp_path / "kept") == contents(whole)


def test_an_executor_that_broke_before_is_done_without(tmp_path, whole):
    class Broken(futures.Executor):
        _max_workers = 1

        def submit(self, function, /, *arguments, **named):
            raise futures.BrokenExecutor("broken long ago")

    with pytest.warns(CorridorWarning, match="the executor broke"):
        found = run_small(replications=2, executor=Broken())
    assert found.rows.values.tobytes() == load(whole).rows.only([0, 1]).values.tobytes()


def test_what_an_executor_says_of_a_lost_worker_is_told_by_replication(tmp_path, whole):
    class LosesTheSecond(futures.Executor):
        """As a cluster does that has given a task up: the others are done."""

        _max_workers = 4
        count = 0

        def submit(self, function, /, *arguments, **named):
            future = futures.Future()
            self.count += 1
            if self.count == 2:
                future.set_exception(RuntimeError("KilledWorker: node 7 is gone\nmore lines"))
            else:
                future.set_result(function(*arguments, **named))
            return future

    told = r"scenario 'teaching', replication 1, engine event: its worker gave no answer: .*node 7 is gone\n"
    with pytest.raises(SimulationError, match=told):
        run_small(tmp_path / "kept", executor=LosesTheSecond())
    assert len(list((tmp_path / "kept" / "blocks").iterdir())) == 3
    run_small(tmp_path / "kept")
    assert contents(tmp_path / "kept") == contents(whole)


def test_a_worker_that_dies_is_named_the_others_are_kept_and_the_store_goes_on(tmp_path, failing, monkeypatch):
    settings = {"indicators": [*KINDS, "killer"], "replications": 3}
    with pytest.raises(SimulationError, match=r"replication 1, engine event: its worker died: .*out of memory") as told:
        run_small(tmp_path / "kept", workers=2, **settings)
    assert "the other replications are kept in" in str(told.value)
    assert [path.name for path in sorted((tmp_path / "kept" / "blocks").iterdir())] == [
        "000000-000000.npz",
        "000002-000002.npz",
    ]
    monkeypatch.delenv("FAILS")
    run_small(tmp_path / "kept", **settings)
    run_small(tmp_path / "whole", **settings)
    assert contents(tmp_path / "kept") == contents(tmp_path / "whole")


# ---------------------------------------------------------------- replications


@pytest.mark.parametrize("engine", ["event", "batch"])
def test_a_replication_that_raises_is_named_and_the_rest_of_its_block_is_kept(tmp_path, failing, engine):
    settings = {"engine": engine, "indicators": [*KINDS, "raiser"]}
    said = f"scenario 'teaching', replication 1, engine {engine}: KeyError: 'a key of mine'"
    with pytest.raises(SimulationError) as told:
        run_small(**settings)
    assert str(told.value) == said
    assert "killing_indicator.py" in "".join(told.value.__notes__)
    replications = 24 if engine == "batch" else 4
    with pytest.raises(SimulationError) as told:
        run_small(tmp_path / "kept", replications, **settings)
    kept = f"the other replications are kept in {tmp_path / 'kept'}; running again does only what is missing"
    assert str(told.value) == f"{said}\n{kept}"
    held = {int(r) for r in load(tmp_path / "kept").rows.replications}
    assert held == set(range(replications)) - {1}


def test_a_block_of_which_everything_fails_is_given_up_and_says_so(monkeypatch):
    from corridor_sim.study import execution
    from corridor_sim.study.execution import Job, attempt

    tried = []

    def fail(job):
        tried.append(job.replications)
        raise ZeroDivisionError

    monkeypatch.setattr(execution, "simulate_block", fail)
    job = Job(load_plan(), 1, tuple(range(512)), "batch", (), (), None, 1.0, False)
    found = attempt(job, most=8)
    assert sorted(r for failure in found for r in failure.replications) == list(range(512))
    assert [str(failure).rpartition(": ")[2] for failure in found[7:9]] == [
        "ZeroDivisionError",
        "not tried after 8 had failed",
    ]
    assert len(tried) < 30


def load_plan():
    from corridor_sim.plan.build import make_plan

    return make_plan(teaching())


def test_scenarios_after_one_that_failed_are_run_and_kept(tmp_path, failing, monkeypatch):
    path = "checkpoints.northgate_a.exit.lanes.lanes"
    settings = {"replications": 2, "engine": "event", "workers": 1, "indicators": ["created", "raiser"]}
    with pytest.raises(SimulationError) as told:
        sweep(teaching(), {path: [2, 3]}, store=tmp_path, **settings)
    assert str(told.value).count("replication 1, engine event: KeyError") == 2
    assert len(list(tmp_path.glob("*/blocks/*.npz"))) == 2
    monkeypatch.delenv("FAILS")
    assert len(sweep(teaching(), {path: [2, 3]}, store=tmp_path, **settings)) == 2
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(SimulationError) as told:
        run_all([teaching(), teaching()], None, **settings)
    assert str(told.value).count("replication 1, engine event: KeyError") == 1


# ---------------------------------------------------------------- disk


def test_a_full_disk_is_told_by_replication_and_the_store_goes_on(tmp_path, whole):
    import resource

    run_small(tmp_path / "kept", 1)
    limit = (tmp_path / "kept" / "blocks" / "000000-000000.npz").stat().st_size - 1
    before = contents(tmp_path / "kept")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(SimulationError) as told:
            run_small(tmp_path / "kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    lines = str(told.value).splitlines()
    assert [line.split(", ")[1] for line in lines[:3]] == ["replication 1", "replication 2", "replication 3"]
    assert "simulated, not stored: " in lines[0]
    assert "File too large" in lines[0]
    assert contents(tmp_path / "kept") == before
    run_small(tmp_path / "kept")
    assert contents(tmp_path / "kept") == contents(whole)


def test_a_disk_that_is_full_at_the_start_fails_the_run_by_name(tmp_path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(SimulationError, match=r"scenario 'teaching': not stored: .*File too large"):
            run_small(tmp_path / "kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not contents(tmp_path)


# ---------------------------------------------------------------- signals


def _hears_signals():
    """A suite in the background, or one that outlives its terminal, ignores signals; what it starts would too."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def started(folder, *more, **environment):
    """A stored run on the command line, in a session of its own, once its first block is there."""
    command = [sys.executable, "-m", "corridor_sim", "run", "teaching", "--engine", "event", "-n", "2000"]
    process = subprocess.Popen(
        [*command, "--store", str(folder), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | environment,
        preexec_fn=_hears_signals,
    )
    until = time.monotonic() + 120
    while not list(folder.glob("blocks/[!.]*.npz")) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    return process


def is_empty(session):
    """Whether no process of a session is left, after some seconds at the most."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    os.killpg(session, signal.SIGKILL)
    return False


@pytest.mark.parametrize(
    ("number", "code", "workers", "copied"),
    [
        (signal.SIGTERM, 143, "2", "1"),
        (signal.SIGTERM, 143, "2", "0"),
        (signal.SIGINT, 130, "2", "1"),
        (signal.SIGHUP, 129, "1", "1"),
        (signal.SIGHUP, 129, "2", "1"),
        (signal.SIGKILL, -9, "2", "1"),
        (signal.SIGKILL, -9, "2", "0"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_signal_ends_a_run_with_its_code_and_no_process_stays(tmp_path, number, code, workers, copied):
    more = ["--workers", workers, "--output", str(tmp_path / "out.csv")]
    process = started(tmp_path / "kept", *more, CORRIDOR_SIM_FORK=copied)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert is_empty(process.pid)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    if code > 0:
        how = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
        assert f"{how}; nothing was written but what a --store already holds" in told
        assert "Traceback" not in told
        assert not list(tmp_path.rglob("*.part"))


def test_a_signal_that_is_ignored_stays_so():
    from corridor_sim.cli.signals import Ended, ended_by_signals

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            with pytest.raises(Ended, match="SIGTERM"):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.long
def test_a_batch_of_a_minute_killed_twenty_times_on_the_command_line_ends_in_the_same_table(tmp_path):
    command = [sys.executable, "-m", "corridor_sim", "run", "teaching", "--engine", "event", "-n", "40"]
    command += ["--horizon-days", "60", "--workers", "2", "--format", "csv", "--overwrite"]

    def batch(name):
        arguments = ["--store", str(tmp_path / name), "-o", str(tmp_path / f"{name}.csv")]
        return subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL, start_new_session=True)

    began = time.monotonic()
    assert batch("whole").wait() == 0
    takes_s = time.monotonic() - began
    moments = random.Random(2)
    for _ in range(20):
        process = batch("killed")
        try:
            process.wait(moments.uniform(1.0, takes_s / 10))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        assert is_empty(process.pid)
    assert batch("killed").wait() == 0
    assert (tmp_path / "killed.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert contents(Path(tmp_path / "killed")) == contents(Path(tmp_path / "whole"))
