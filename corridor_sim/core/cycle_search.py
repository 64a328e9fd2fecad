"""The search for reference cycles, put off while much is made that has none.

Python looks for cycles each time some thousand objects have been made, in the end through all that there are: while
a plan or a table is made that is a tenth of the time, and finds nothing.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

_LOCK = threading.Lock()
_BEGUN: list[bool] = []
"""One entry for each pause under way, in whatever thread: whether the search was on as it began."""


@contextlib.contextmanager
def put_off() -> Iterator[None]:
    """Within this no cycles are looked for; the last of several pauses at once leaves it as the first found it.

    For a step that makes a bounded number of objects, none of them in cycles that hold much memory.

    >>> with put_off():
    ...     gc.isenabled()
    False
    """
    with _LOCK:
        _BEGUN.append(gc.isenabled() if not _BEGUN else _BEGUN[0])
        gc.disable()
    try:
        yield
    finally:
        with _LOCK:
            was_on = _BEGUN.pop()
            if was_on and not _BEGUN:
                gc.enable()
