"""How processes start: copies of this one where that is safe, new ones elsewhere, and no answer tells which."""

import os
import subprocess
import sys
import time

import pytest

from corridor_sim.study import processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")

MAY_COPY = "from corridor_sim.study.processes import may_copy\nprint(may_copy())\n"


def said(tmp_path, script, **environment):
    """What a script prints in a process of its own, line by line."""
    path = tmp_path / "script.py"
    path.write_text(script, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        ("", "True"),
        ("import numpy; numpy.ones((300, 300)) @ numpy.ones((300, 300))", "True"),
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "False"),
        # A thread that Python's own list does not have, as those of other libraries.
        ("import _thread, time; _thread.start_new_thread(time.sleep, (9,)); time.sleep(0.2)", "False"),
        ("import multiprocessing; multiprocessing.set_start_method('spawn')", "False"),
        ("import os; os.environ['CORRIDOR_SIM_FORK'] = '0'", "False"),
    ],
    ids=["a script", "numpy at work", "a thread", "a foreign thread", "spawn asked for", "switched off"],
)
def test_a_process_is_copied_only_from_its_single_thread(tmp_path, before, answer):
    assert said(tmp_path, f"{before}\n{MAY_COPY}") == [answer]


def test_a_copy_that_does_not_end_is_ended_and_nothing_is_copied(tmp_path):
    script = """
import os, time, _thread
from corridor_sim.study import processes
processes.PROBE_S = 0.2
os.register_at_fork(after_in_child=lambda: time.sleep(60))
_thread.start_new_thread(time.sleep, (9,))
time.sleep(0.2)
began = time.monotonic()
print(processes.may_copy(), time.monotonic() - began < 5)
"""
    assert said(tmp_path, script) == ["False True"]


RUN = """
import hashlib, multiprocessing, os, signal
import corridor_sim as cs

signal.signal(signal.SIGTERM, lambda *_: None)
methods = set()
def seen(done, of):
    methods.update(type(child).__name__ for child in multiprocessing.active_children())
results = cs.run("teaching", replications=6, rng=1, workers=2, engine="event", progress=seen)
print(hashlib.sha256(results.rows.values.tobytes()).hexdigest())
print(*sorted(methods))
"""


def test_copies_and_new_processes_give_the_same_bytes_also_from_a_script_with_handlers(tmp_path):
    guarded = RUN.replace("results = ", "if __name__ == '__main__':\n  results = ").replace("print(", "  print(")
    copied, new = said(tmp_path, RUN), said(tmp_path, guarded, CORRIDOR_SIM_FORK="0")
    assert (copied[1], new[1]) == ("ForkProcess", "SpawnProcess")
    assert copied[0] == new[0]


def test_what_a_script_defines_needs_no_guard_where_its_process_is_copied(tmp_path):
    script = """
from corridor_sim.study.spread import spread

def twice(shared, job):
    return shared * job

print(sorted(spread(twice, 2, [1, 2, 3], workers=2)))
"""
    assert said(tmp_path, script) == ["[(0, 2), (1, 4), (2, 6)]"]


def test_a_copy_ends_when_it_is_told_though_its_parent_would_not(tmp_path):
    script = """
import os, signal, time
from corridor_sim.study.processes import make_pool

signal.signal(signal.SIGTERM, signal.default_int_handler)
pool = make_pool(2)
print(pool.are_copies)
asked = [pool.submit(signal.getsignal, number) for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)]
print(*(one.result().name for one in asked))
print(pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result(), signal.pthread_sigmask(signal.SIG_BLOCK, ()))
children = list(pool._processes.values())
pool.submit(time.sleep, 60)
pool.stop()
# Who reaps a child first has its exit code, this thread or that of the pool: ask whether it is there.
until_s = time.monotonic() + 10
while any(os.path.exists(f"/proc/{child.pid}") for child in children) and time.monotonic() < until_s:
    [child.join(0.05) for child in children]
print(not any(os.path.exists(f"/proc/{child.pid}") for child in children))
"""
    assert said(tmp_path, script) == ["True", "SIG_IGN SIG_IGN SIG_DFL", "set() set()", "True"]


def test_a_copy_is_told_the_number_of_what_it_has_and_gives_the_same_answer(tmp_path):
    script = """
import pickle
from corridor_sim.study import processes

class Work:
    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        raise AssertionError("went between processes")

def named(work, times):
    return work.name * times

jobs = [Work("a"), Work("b")]
pool = processes.make_pool(2, jobs)
print(*(one.result() for one in [pool.submit(named, job, 2) for job in jobs]))
try:
    pool.submit(named, Work("c"), 2).result()
except AssertionError as error:
    print(error)
pool.shutdown()
"""
    assert said(tmp_path, script) == ["aa bb", "went between processes"]


def test_new_processes_are_handed_their_work():
    pool = processes.WorkerPool(1, "spawn", [work := [1, 2, 3]])
    try:
        assert pool.submit(sum, work).result() == 6
    finally:
        pool.shutdown()


def much(size):
    return b"x" * size


def test_processes_that_are_stopped_in_the_middle_of_a_result_leave_nobody_waiting():
    for wait_s in (0.3, 0.32, 0.34):
        pool = processes.make_pool(2)
        for _ in range(40):
            pool.submit(much, 20_000_000)
        reader = pool._executor_manager_thread
        time.sleep(wait_s)
        pool.stop()
        reader.join(20)
        assert not reader.is_alive()
