"""Clusters and other executors: the same bytes, cut for their workers, and a worker that dies is named."""

import concurrent.futures as futures
import contextlib
import multiprocessing
import os
import shutil
import threading

import pytest
from command_line import called
from small_corridor import law, small

from corridor_sim.core.errors import CorridorWarning, MissingExtra, SimulationError
from corridor_sim.files.design_files import design
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.model.improvements import AddLanes
from corridor_sim.study import execution
from corridor_sim.study import run as study
from corridor_sim.study.cluster import Width, dask_executor, width_of
from corridor_sim.study.draws import Draw, simulate_draw
from corridor_sim.study.execution import attempt
from corridor_sim.study.run import compare, run
from corridor_sim.study.spread import spread
from corridor_sim.study.sweeps import sweep
from corridor_sim.study.uncertainty import uncertainty

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
KINDS = ["created", "wait_h", "queue"]


def teaching():
    scenario = load_scenario("teaching")
    return scenario.replace(run=scenario.run.replace(horizon_days=1, warm_up_days=0))


def run_small(**more):
    return run(teaching(), **{"replications": 5, "engine": "event", "indicators": KINDS, **more})


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1", silence_logs=50
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


class AsDask(futures.Executor):
    def __init__(self, threads):
        self._client = self
        self.nthreads = lambda: threads


def test_a_cluster_is_as_wide_as_its_workers_have_threads_and_has_the_memory_of_its_machines():
    three = AsDask({"tcp://10.0.0.1:1": 4, "tcp://10.0.0.1:2": 4, "tcp://10.0.0.2:1": 8})
    assert width_of(three, None, 2) == Width(16, 8)
    assert width_of(three, None, 2).machines == 2
    assert width_of(three, 64, 2) == Width(64, 8)
    assert width_of(AsDask({}), 6, 2) == Width(6, 6)
    with pytest.raises(ValueError, match=r"the dask cluster has no workers yet: .*workers=n"):
        width_of(AsDask({}), None, 2)


def test_an_executor_that_does_not_say_its_width_is_as_wide_as_is_said_else_as_this_machine():
    assert width_of(futures.Executor(), 7, 2) == Width(7, 7)
    assert width_of(futures.Executor(), None, 2) == Width(2, 2)


@contextlib.contextmanager
def loky():
    reusable = pytest.importorskip("joblib.externals.loky")
    executor = reusable.get_reusable_executor(max_workers=2)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, kill_workers=True)


def processes():
    return futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone") / "kept"
    run_small(workers=1, store=folder)
    return folder


@pytest.mark.parametrize("made", [lambda: futures.ThreadPoolExecutor(2), processes, loky])
def test_threads_processes_and_loky_give_the_same_bytes(tmp_path, alone, made):
    with made() as executor:
        run_small(executor=executor, store=tmp_path / "kept")
    assert contents(tmp_path / "kept") == contents(alone)


def test_a_dask_cluster_gives_the_same_bytes_and_is_cut_for_by_its_workers(tmp_path, alone, client, monkeypatch):
    run_small(executor=client.get_executor(), store=tmp_path / "kept")
    assert contents(tmp_path / "kept") == contents(alone)
    cut = []
    really = execution.cut_in_blocks
    monkeypatch.setattr(
        "corridor_sim.study.one_run.cut_in_blocks",
        lambda job, numbers, workers, **more: cut.append(workers) or really(job, numbers, workers, **more),
    )
    monkeypatch.setattr(execution.os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    run_small(engine="batch", executor=client.get_executor())
    assert cut == [2]


def test_comparisons_and_sweeps_on_a_dask_cluster_give_the_same_table(client):
    path = "checkpoints.northgate_a.exit.lanes.lanes"
    settings = {"replications": 3, "engine": "event", "indicators": KINDS}
    here = sweep(teaching(), {path: [2, 3]}, workers=1, **settings).to_frame()
    there = sweep(teaching(), {path: [2, 3]}, executor=client.get_executor(), **settings).to_frame()
    assert there.to_csv() == here.to_csv()
    one, other = teaching(), teaching().replace(name="other")
    here = compare(one, other, workers=1, **settings).table().to_csv()
    assert compare(one, other, executor=client.get_executor(), **settings).table().to_csv() == here


# ---------------------------------------------------------------- designs and draws of inputs

DESIGN = {
    "kind": "sobol",
    "points": 4,
    "seed": 3,
    "replications": 2,
    "factors": {
        "lanes": {"kind": "integer", "of": "checkpoints.northgate_a.exit.lanes.lanes", "low": 2, "high": 4},
        "scanner": {"kind": "improvement", "of": "second_scanner"},
    },
}


@contextlib.contextmanager
def on_dask(client):
    yield client.get_executor()


EXECUTORS = {
    "threads": lambda _: futures.ThreadPoolExecutor(2),
    "processes": lambda _: processes(),
    "loky": lambda _: loky(),
    "dask": on_dask,
}


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_design_gives_the_same_bytes_on_every_executor(tmp_path, client, name):
    settings = {"engine": "event", "indicators": ["created", "wait_h", "tfi1"]}
    here = sweep(teaching(), design(DESIGN), workers=1, store=tmp_path / "here", **settings)
    with EXECUTORS[name](client) as executor:
        there = sweep(teaching(), design(DESIGN), executor=executor, store=tmp_path / "there", **settings)
    assert there.table().to_csv() == here.table().to_csv()
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_points_of_a_sweep_are_in_hand_at_once_where_there_are_workers_for_them():
    all_there = threading.Barrier(4)

    class TogetherOnly(futures.ThreadPoolExecutor):
        """A block begins when four are there; without them it fails after some seconds."""

        def submit(self, function, /, *arguments, **named):
            def begin():
                all_there.wait(timeout=30)
                return function(*arguments, **named)

            return super().submit(begin)

    made = design(DESIGN | {"replications": 1})
    settings = {"engine": "event", "indicators": KINDS}
    with TogetherOnly(4) as executor:
        there = sweep(teaching(), made, executor=executor, **settings)
    assert there.table().to_csv() == sweep(teaching(), made, workers=1, **settings).table().to_csv()


def test_a_point_that_fails_takes_no_other_with_it_and_the_rest_is_not_begun_for_nothing(tmp_path):
    class LosesThePoint(futures.ThreadPoolExecutor):
        def submit(self, function, /, *arguments, **named):
            if arguments[0].plan.name == "teaching point 1":
                future = futures.Future()
                future.set_exception(OSError("the machine is gone"))
                return future
            return super().submit(function, *arguments, **named)

    settings = {"engine": "event", "indicators": KINDS}
    told = r"scenario 'teaching point 1', replication 0, engine event: its worker gave no answer: OSError: the machine"
    with LosesThePoint(2) as executor:
        with pytest.raises(SimulationError, match=told):
            sweep(teaching(), design(DESIGN), executor=executor, **settings)
        with pytest.raises(SimulationError, match=told):
            sweep(teaching(), design(DESIGN), executor=executor, store=tmp_path / "kept", **settings)
        found = sweep(teaching(), design(DESIGN), executor=executor, keep_going=True, **settings)
    assert found.numbers == (0, 2, 3)
    whole = sweep(teaching(), design(DESIGN), workers=1, store=tmp_path / "kept", **settings)
    assert whole.table().drop(1).to_csv(index=False) == found.table().to_csv(index=False)


@pytest.fixture(scope="module")
def inputs():
    """A border of which two figures have a range, and an improvement of it."""
    lanes = {"lanes": {"low": 2, "high": 4, "range_reason": "assumed"}}
    flows = {"flows__transit__figures": {"per_day": {"low": 40.0, "high": 80.0, "range_reason": "assumed"}}}
    gate = {"lanes": 3, "service": law(1.0), "figures": lanes}
    base = small(**flows, checkpoints__astara_ir__exit__gate=gate, run__horizon_days=3, run__warm_up_days=1)
    lane = AddLanes(checkpoint="astara_ir", direction="exit", stage="gate", lanes=1)
    return base, base.replace(name="one more lane").with_improvements(lane)


def drawn(inputs, **more):
    settings = {"draws": 4, "replications": 2, "rng": 3, "at": "astara", "priors": ["uniform"]}
    return uncertainty(*inputs, **settings, **more)


def bytes_of(found):
    return [rows.values.tobytes() for rows in found.drawn.values()] + [found.corners.tobytes()]


@pytest.mark.parametrize("name", EXECUTORS)
def test_draws_of_inputs_are_the_same_on_every_executor(tmp_path, client, inputs, name):
    here = drawn(inputs, workers=1, store=tmp_path / "here")
    with EXECUTORS[name](client) as executor:
        there = drawn(inputs, executor=executor, store=tmp_path / "there")
    assert bytes_of(there) == bytes_of(here)
    assert there.table().to_csv() == here.table().to_csv()
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_draws_go_on_here_when_an_executor_has_lost_a_worker(inputs):
    alone = drawn(inputs, workers=1)
    with processes() as executor:
        executor.submit(os.getpid).result()
        for pid in executor._processes:
            os.kill(pid, 9)
        with pytest.warns(CorridorWarning, match="the executor broke"):
            found = drawn(inputs, executor=executor, workers=2)
    assert bytes_of(found) == bytes_of(alone)


def test_a_worker_that_gives_no_answer_for_a_draw_is_told_by_the_draw(inputs):
    class Lost(futures.Executor):
        def submit(self, function, /, *arguments, **named):
            future = futures.Future()
            future.set_exception(OSError("the machine is gone"))
            return future

    jobs = [Draw("uniform draw 0", ()), Draw("uniform draw 1", ())]
    with pytest.raises(
        SimulationError, match=r"uniform draw 0: its worker gave no answer: OSError: the machine is gone"
    ):
        list(spread(simulate_draw, None, jobs, 2, Lost()))


def test_a_machine_that_does_not_see_the_folder_of_the_store_is_told(tmp_path, inputs):
    gone = tmp_path / "gone"

    class Elsewhere(futures.ThreadPoolExecutor):
        def submit(self, function, /, *arguments, **named):
            if function is not attempt:
                shutil.rmtree(gone, ignore_errors=True)
            return super().submit(function, *arguments, **named)

    with (
        Elsewhere(1) as executor,
        pytest.raises(SimulationError, match=r"the folder .*gone is not there on .*: machines of a cluster need"),
    ):
        drawn(inputs, executor=executor, store=gone)


def test_a_dask_worker_that_dies_is_named_the_rest_is_kept_and_the_store_goes_on(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    import killing_indicator

    from corridor_sim.indicators import INDICATORS

    if "killer" not in INDICATORS:
        INDICATORS.register("killer")(killing_indicator.Killer)
        INDICATORS.register("raiser")(killing_indicator.Raiser)
    monkeypatch.setenv("FAILS", "1")
    settings = {"indicators": [*KINDS, "killer"], "replications": 4}
    told = r"scenario 'teaching', replication 1, engine event: its worker gave no answer: KilledWorker"
    try:
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1", silence_logs=50
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
            pytest.raises(SimulationError, match=told),
        ):
            run_small(executor=client.get_executor(), store=tmp_path / "kept", **settings)
        # dask counts the death against every block that the worker had in hand, so a neighbour may be named too.
        kept = {path.name for path in (tmp_path / "kept" / "blocks").iterdir()}
        assert kept
        assert "000001-000001.npz" not in kept
        monkeypatch.delenv("FAILS")
        run_small(workers=1, store=tmp_path / "kept", **settings)
        run_small(workers=1, store=tmp_path / "whole", **settings)
    finally:
        INDICATORS.unregister("killer")
        INDICATORS.unregister("raiser")
    assert contents(tmp_path / "kept") == contents(tmp_path / "whole")


@pytest.mark.skipif(os.name != "posix", reason="kills processes by POSIX signals")
def test_a_dask_worker_that_is_killed_once_costs_nothing_but_time(tmp_path, alone, client):
    pids = client.run(os.getpid)

    def kill(done, of):
        if done == 1:
            os.kill(next(iter(pids.values())), 9)

    run_small(executor=client.get_executor(), store=tmp_path / "kept", progress=kill)
    assert contents(tmp_path / "kept") == contents(alone)


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("corridor_sim.study.cluster.CONNECT_S", 0.5)
    with (
        pytest.raises(SimulationError, match=r"no dask scheduler at 'tcp://127.0.0.1:9'"),
        dask_executor("tcp://127.0.0.1:9"),
    ):
        pass


def test_without_the_extra_a_cluster_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"corridor-sim\[cluster\]"), dask_executor("tcp://127.0.0.1:9"):
        pass


# ---------------------------------------------------------------- on the command line


def invoke(*arguments):
    result = called("run", *arguments, "-n", "2", "--engine", "event", "--workers", "1", "--indicator", "created", "-q")
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def folder(tmp_path):
    for name, lanes in (("b", 3), ("a", 2)):
        lines = ["schema = 1", 'extends = "teaching"', f'name = "{name}"', "run.horizon_days = 1"]
        lines.append("run.warm_up_days = 0")
        lines.append(f"checkpoints.northgate_a.exit.lanes.lanes = {lanes}")
        (tmp_path / f"{name}.toml").write_text("\n".join(lines) + "\n")
    (tmp_path / "notes.txt").write_text("not a scenario")
    return tmp_path


def names(result):
    return [line.split(",")[0] for line in result.stdout.splitlines()[1:]]


def test_all_scenario_files_of_a_folder_are_run_by_name_with_a_store_each(folder):
    result = invoke(str(folder), "--format", "csv", "--store", str(folder / "kept"))
    assert result.exit_code == 0, result.output
    assert list(dict.fromkeys(names(result))) == ["a", "b"]
    assert len(list((folder / "kept").glob("*/manifest.json"))) == 2
    empty = folder / "empty"
    empty.mkdir()
    result = invoke(str(empty))
    assert result.exit_code == 2
    assert "holds no scenario file" in result.output


def test_keep_going_runs_the_others_and_names_a_bad_file_in_words_and_exit_code(folder):
    (folder / "aa.toml").write_text('schema = 1\nextends = "teaching"\nrun.horizon_days = -1\n')
    refused = invoke(str(folder), "--format", "csv")
    assert (refused.exit_code, refused.stdout) == (2, "")
    result = invoke(str(folder), "--format", "csv", "--keep-going")
    assert result.exit_code == 2
    assert list(dict.fromkeys(names(result))) == ["a", "b"]
    assert f"left out, with errors: {folder / 'aa.toml'}" in result.stderr
    assert "run.horizon_days" in result.stderr


def test_keep_going_names_a_scenario_that_failed_and_gives_the_others(folder, monkeypatch):
    really = study.finished_run

    def fail(begun, **settings):
        if begun.name == "a":
            raise SimulationError("scenario 'a', replication 1, engine event: made to fail")
        return really(begun, **settings)

    monkeypatch.setattr(study, "finished_run", fail)
    result = invoke(str(folder), "--format", "csv", "--keep-going")
    assert result.exit_code == 1
    assert set(names(result)) == {"b"}
    assert "scenario 'a', replication 1, engine event: made to fail" in result.stderr
    assert invoke(str(folder), "--format", "csv").stdout == ""


def compared(*arguments):
    result = called(
        "compare", *arguments, "-n", "2", "--workers", "1", "--indicator", "wait_h", "--format", "csv", "-q"
    )
    assert "Traceback" not in result.output
    return result


def test_a_comparison_keeps_going_past_a_bad_alternative_and_one_that_asks_something_else(folder):
    base, good, bad, longer = (folder / f"{name}.toml" for name in ("a", "b", "bad", "longer"))
    bad.write_text('schema = 1\nextends = "teaching"\nrun.horizon_days = -1\n')
    longer.write_text(good.read_text().replace('"b"', '"longer"').replace("horizon_days = 1", "horizon_days = 2"))
    refused = compared(base, good, bad, longer)
    assert (refused.exit_code, refused.stdout) == (2, "")
    result = compared(base, bad, longer, good, "--keep-going")
    assert result.exit_code == 2
    assert set(names(result)) == {"b"}
    assert result.stdout == compared(base, good).stdout
    assert f"left out, with errors: {bad}" in result.stderr
    assert "run.horizon_days" in result.stderr
    assert "'longer' is left out: horizon [h]: 24.0 in 'a', 48.0 in 'longer'" in result.stderr
    nothing = compared(base, bad, "--keep-going")
    assert (nothing.exit_code, nothing.stdout) == (2, "")
    of_the_base = compared(bad, good, "--keep-going")
    assert (of_the_base.exit_code, of_the_base.stdout) == (2, "")


@pytest.mark.parametrize(("fails", "code", "left"), [("b", 1, {"c"}), ("a", 1, set())])
def test_a_comparison_keeps_going_past_an_alternative_that_fails_but_not_past_the_base(
    folder, monkeypatch, fails, code, left
):
    (folder / "c.toml").write_text((folder / "b.toml").read_text().replace('"b"', '"c"'))
    really = study.finished_run

    def fail(begun, **settings):
        if begun.name == fails:
            raise SimulationError(f"scenario {fails!r}, replication 1, engine event: made to fail")
        return really(begun, **settings)

    monkeypatch.setattr(study, "finished_run", fail)
    result = compared(*(folder / f"{name}.toml" for name in "abc"), "--keep-going")
    assert result.exit_code == code
    assert set(names(result)) == left
    assert f"scenario {fails!r}, replication 1, engine event: made to fail" in result.stderr
    assert ("'a', the base, has no run to compare with" in result.stderr) == (fails == "a")


def test_a_design_runs_on_a_dask_address_and_prints_the_same(folder, client):
    text = 'schema = 1\nbase = "a.toml"\nkind = "grid"\nreplications = 2\n[factors.lanes]\nkind = "integer"\n'
    text += 'of = "checkpoints.northgate_a.exit.lanes.lanes"\nlow = 2\nhigh = 3\n'
    (folder / "design.toml").write_text(text)
    given = ("sweep", folder / "design.toml", "--format", "csv", "--indicator", "wait_h", "-q")
    here, there = called(*given), called(*given, "--dask", client.scheduler.address)
    assert (there.exit_code, there.stdout) == (0, here.stdout)


def test_a_dask_address_runs_there_and_prints_the_same(folder, client):
    here = invoke(str(folder), "--format", "csv")
    there = invoke(str(folder), "--format", "csv", "--dask", client.scheduler.address)
    assert (there.exit_code, there.stdout) == (0, here.stdout)
