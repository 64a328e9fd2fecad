"""The command line called in this process; the streams lie apart, as with the oldest click too."""

from dataclasses import dataclass
from importlib.metadata import version

from click.testing import CliRunner

from corridor_sim.cli import main

CLICK = tuple(int(part) for part in version("click").split(".")[:2])
APART = {} if CLICK >= (8, 2) else {"mix_stderr": False}


@dataclass(frozen=True)
class Called:
    """What a command came to."""

    exit_code: int
    stdout: str
    stderr: str
    exception: BaseException | None
    stdout_bytes: bytes

    @property
    def output(self):
        """All that it said, standard output first."""
        return self.stdout + self.stderr


def called(*arguments):
    """`corridor-sim` called with these arguments."""
    result = CliRunner(**APART).invoke(main, [str(argument) for argument in arguments])
    return Called(result.exit_code, result.stdout, result.stderr, result.exception, result.stdout_bytes)
