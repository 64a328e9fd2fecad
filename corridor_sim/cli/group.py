"""The group of commands: every error becomes one message and an exit code."""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from corridor_sim.cli.formats import settle
from corridor_sim.cli.signals import INTERRUPTED, Ended, ended_by_signals
from corridor_sim.core.errors import CorridorError, MissingExtra, SimulationError, nearest

FAILED, BAD_INPUT = 1, 2
SELDOM = 50_000
"""New objects after which Python looks for unused circles: not every 700, as loading makes many that stay."""


class OneCommand(click.Command):
    """A command that takes each option once, but for the repeatable ones, and settles what its output is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; an option given twice is an error, not the last one of the two."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in order:
            once = isinstance(parameter, click.Option) and not (parameter.multiple or parameter.is_flag)
            if once and order.count(parameter) > 1:
                raise click.UsageError(f"{parameter.opts[-1]} is given twice", ctx)
        rest = super().parse_args(ctx, args)
        settle(ctx)
        return rest


class Commands(click.Group):
    """The commands, with every error reported in one line and by its exit code.

    `modules` says which module makes a command; it is imported when the command is asked for.
    """

    command_class = OneCommand

    def __init__(self, *args: Any, modules: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._modules = dict(modules or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands by name, those of modules that are not imported yet as well."""
        return sorted({*self._modules, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None if there is none."""
        if cmd_name in self._modules and cmd_name not in self.commands:
            importlib.import_module(self._modules[cmd_name])
        return super().get_command(ctx, cmd_name)

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the program, as `click.Group.main` does."""
        with collected_seldom():
            return super().main(*args, **settings)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for; for an unknown one the nearest name, which click says since 8.4 only."""
        if self.get_command(ctx, args[0]) is None and (hint := nearest(args[0], self.list_commands(ctx))):
            ctx.fail(f"No such command {args[0]!r}. {hint[0].upper()}{hint[1:]}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; errors become messages and exit codes unless --debug is given, interrupts always do."""
        kept = "nothing was written but what a --store already holds"
        try:
            with ended_by_signals():
                return super().invoke(ctx) if ctx.params.get("debug") else self._invoke_and_report(ctx)
        except Ended as told:
            end(ctx, told.code, f"ended by {told}; {kept}")
        except KeyboardInterrupt:
            end(ctx, INTERRUPTED, f"interrupted; {kept}")

    def _invoke_and_report(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (SimulationError, MissingExtra) as error:
            end(ctx, FAILED, str(error))
        except CorridorError as error:
            end(ctx, BAD_INPUT, str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            end(ctx, FAILED, f"{error.filename or 'a file'}: {error.strerror or error}")
        except MemoryError:
            end(ctx, FAILED, "out of memory; use fewer --workers or a shorter horizon")
        except Exception as error:
            text = f"internal error: {type(error).__name__}: {error}; corridor-sim --debug shows where"
            end(ctx, FAILED, text)


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Unused circles of objects are looked for seldom, and not at all when Python ends: a sixth of a short command."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], SELDOM), *before[1:])
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def end(ctx: click.Context, code: int, message: str) -> None:
    """Leave the program with a message and an exit code."""
    told = f"corridor-sim: {message}" if "\n" not in message else message
    try:
        click.echo("\n".join(folded(line) for line in told.split("\n")), err=True)
    except OSError:
        # The terminal is gone. What it has not taken must not fail again when Python ends.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    ctx.exit(code)


def folded(text: str) -> str:
    """A line as it fits on the terminal that reads it; whole where a file or a program does."""
    if not sys.stderr.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, 40)
    return "\n".join(textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))
