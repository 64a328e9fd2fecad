"""Options of the test run, and how many examples hypothesis tries.

Tests marked `long` are left out unless --long is given. The profile of
hypothesis is `ci` where the environment has CI set, else `dev`; name another one
with HYPOTHESIS_PROFILE. Examples are the same on every run.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

COMMON = {
    "deadline": None,
    "derandomize": True,
    "print_blob": True,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("dev", max_examples=25, **COMMON)
settings.register_profile("ci", max_examples=100, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the long tests too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    for item in items:
        if "long" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs --long"))


@pytest.fixture
def a_gigabyte():
    """Whatever the test does may take one gigabyte more than is taken already: more is a MemoryError (Linux only)."""
    status = Path("/proc/self/statm")
    if not status.exists():
        yield
        return
    import resource

    taken = int(status.read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + 10**9, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
