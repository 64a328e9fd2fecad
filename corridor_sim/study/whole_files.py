"""Files of a store: there whole or not at all, also where two processes write the same one.

A file is written beside its place under a name of its writer (machine, process,
thread) and moved there. What a killed writer left behind is known by that name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import threading
import time
from pathlib import Path

SURELY_LEFT_S = 3600.0
"""A half-written file lives for moments. One older than this was left behind, whoever its writer was. [s], assumed"""
_HALF = re.compile(r"\..+\.(?P<machine>[0-9a-f]{8})\.(?P<process>\d+)\.\d+\.part")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file and have it on the disk before it takes its name.

    Raises
    ------
    OSError
        If the disk does not take it; nothing is left behind then.
    """
    half = path.with_name(f".{path.name}.{_this_machine()}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def is_half(path: Path) -> bool:
    """Whether this is the name of a file that is being written, or was left behind."""
    return path.name.startswith(".") and path.name.endswith(".part")


def remove_left_behind(folder: Path) -> None:
    """Remove the half-written files of processes that are gone; those of processes that run are left alone."""
    for path in folder.glob(".*.part"):
        found = _HALF.fullmatch(path.name)
        gone = found is not None and found["machine"] == _this_machine() and not _runs(int(found["process"]))
        with contextlib.suppress(OSError):
            if gone or time.time() - path.stat().st_mtime > SURELY_LEFT_S:
                path.unlink(missing_ok=True)


def _this_machine() -> str:
    return hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()


def _runs(process: int) -> bool:
    if os.name != "posix":
        # There is no harmless question here: `os.kill` would end the process.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
