"""The command line: ``corridor-sim run | compare | check | fit | predict | select | ...``; ``--help`` lists all.

Data go to standard output, messages and progress to standard error. Exit codes: 0
ok, 1 a run failed, 2 bad input or an engine that cannot do what was asked of it by
name, 130 interrupted (Ctrl-C), 129 and 143 ended by SIGHUP and SIGTERM.
"""

from corridor_sim.cli.commands import main

__all__ = ["main"]
