"""The command line: ``corridor-sim run | compare | check | fit | predict | select | ...``; ``--help`` lists all.

Data go to standard output, messages and progress to standard error. Exit codes: 0
ok, 1 a run failed, 2 bad input or an engine that cannot do what was asked of it by
name, 130 interrupted (Ctrl-C), 129 and 143 ended by SIGHUP and SIGTERM.
"""

from corridor_sim.cli import choosing as choosing
from corridor_sim.cli import disturbing as disturbing
from corridor_sim.cli import exporting as exporting
from corridor_sim.cli import importing as importing
from corridor_sim.cli import measured as measured
from corridor_sim.cli import reading as reading
from corridor_sim.cli import releasing as releasing
from corridor_sim.cli import showing as showing
from corridor_sim.cli import simulating as simulating
from corridor_sim.cli import verifying as verifying
from corridor_sim.cli import ways as ways
from corridor_sim.cli import weighing as weighing
from corridor_sim.cli.commands import main

__all__ = ["main"]
