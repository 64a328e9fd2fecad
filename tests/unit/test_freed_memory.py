"""Memory that is freed serves again."""

import os
import platform
import subprocess
import sys

import pytest

ROUNDS = """
import resource
import numpy as np
from corridor_sim.core import freed_memory

{first}
begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    arrays = [np.ones(250_000) for _ in range(8)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun)
"""


def pages(first: str) -> int:
    """Pages touched for the first time by ten rounds of eight arrays of 2 MB, in a process of their own.

    Without what the environment says of memory: a cluster of dask sets it for its workers, and for who begins it.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    script = ROUNDS.format(first=first)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, env=env)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the memory of another C library")
def test_arrays_that_are_made_anew_touch_no_new_pages():
    """Those of the first round, 16 MB, are the only ones; without asking it is as many in each."""
    asked, not_asked = pages("freed_memory.serves_again()"), pages("")
    assert asked < 2 * 16e6 / 4096 < not_asked


def test_it_takes_no_memory_of_its_own():
    """The piece that is freed is never written."""
    resource = pytest.importorskip("resource")
    from corridor_sim.core import freed_memory

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    freed_memory.serves_again.__wrapped__()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 2_000
