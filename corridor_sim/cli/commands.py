"""The program itself: the group that every command belongs to.

To add a command, add a function to the module of its group, and its name to `MODULES`: a module is imported when
one of its commands is asked for. A command is thin: it reads its files, calls the function of the same name and hands
over what comes.
"""

from __future__ import annotations

import click

from corridor_sim.cli.group import Commands
from corridor_sim.core.plugins import import_modules, load_plugins

MODULES = {
    "choosing": "portfolio select",
    "disturbing": "disruption",
    "exporting": "export",
    "importing": "import",
    "measured": "calibrate fit predict validate",
    "reading": "check diff figures kinds schema",
    "releasing": "fit-study release-times",
    "showing": "plot report",
    "simulating": "compare run sweep",
    "verifying": "verify",
    "ways": "door-to-door",
    "weighing": "appraise equilibrium",
}
"""Modules of this folder, and the commands that each makes."""


@click.group(
    cls=Commands,
    modules={name: f"corridor_sim.cli.{module}" for module, names in MODULES.items() for name in names.split()},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="corridor-sim", prog_name="corridor-sim")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.option(
    "--import", "modules", metavar="MODULE", multiple=True, help="Import a module that registers kinds; repeatable."
)
def main(debug: bool, modules: tuple[str, ...]) -> None:
    """Simulate freight on a border corridor and compare upgrades of its checkpoints.

    FILE is a scenario file (TOML) or the name of a packaged scenario; `corridor-sim kinds
    scenarios` lists them.
    """
    del debug
    load_plugins()
    import_modules(modules)
