"""Signals that end a command: SIGTERM and SIGHUP as Ctrl-C does, each with its exit code."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

INTERRUPTED = 130
"""Exit code of Ctrl-C (128 and the number of SIGINT); that of another signal is 128 and its number."""


class Ended(KeyboardInterrupt):
    """The command was told to end by a signal other than Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within this, SIGTERM and SIGHUP raise `Ended`; the second of a kind ends the process at once.

    A signal that is ignored (as `nohup` has it) or handled by somebody else stays so.
    """
    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [number for number in known if signal.getsignal(number) == signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    for number in numbers:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    signal.signal(number, signal.SIG_DFL)
    raise Ended(number)
