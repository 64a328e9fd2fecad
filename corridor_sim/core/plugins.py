"""Kinds from elsewhere: packages that add laws, legs, improvements, indicators or plots.

A package names a module under the entry-point group ``corridor_sim.plugins``; importing it registers its
kinds, as the examples of ``docs/adding.md`` do. All are imported when the first public name is asked for, on
the command line before a command, and in every worker. ``--import MODULE`` does the same with a module that no package
names.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Sequence

from corridor_sim.core.errors import CorridorError, CorridorWarning
from corridor_sim.core.registry import all_or_nothing

GROUP = "corridor_sim.plugins"
SWITCH = "CORRIDOR_SIM_PLUGINS"
"""Environment variable; 0 leaves packages out (``--import`` stays)."""

_state: dict[str, bool] = {"begun": False}
_loaded: dict[str, str] = {}


def load_plugins() -> None:
    """Import what packages name under the group, once; one that fails is told in a warning and has no kinds.

    Examples
    --------
    >>> load_plugins()
    """
    if _state["begun"]:
        return
    _state["begun"] = True  # before anything: a plug-in asks for public names itself
    if os.environ.get(SWITCH) == "0":
        return
    from importlib.metadata import distributions, entry_points

    if not any(GROUP in (package.read_text("entry_points.txt") or "") for package in distributions()):
        return  # most often so, and seen without taking all their lists apart
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"
        try:
            with all_or_nothing():
                point.load()
        except (Exception, SystemExit) as error:  # a module that ends the program ends itself alone
            told = f"the plug-in {point.name!r} of {package} is left out: {type(error).__name__}: {error}"
            warnings.warn(told, CorridorWarning, stacklevel=2)
        else:
            _loaded[point.name] = package


def import_modules(modules: Sequence[str]) -> None:
    """Import modules for the kinds that they register; the working folder is looked through as well.

    Parameters
    ----------
    modules : sequence of str
        Names as after ``import``.

    Raises
    ------
    CorridorError
        With every module that cannot be imported, and why.

    Examples
    --------
    >>> import_modules(["no_such_module"])
    Traceback (most recent call last):
    corridor_sim.core.errors.CorridorError: cannot import no_such_module: ModuleNotFoundError: No module named ...
    """
    here = os.getcwd()
    if modules and here not in sys.path:
        sys.path.append(here)
    problems = []
    for name in modules:
        try:
            with all_or_nothing():
                importlib.import_module(name)
        except (Exception, SystemExit) as error:
            problems.append(f"cannot import {name}: {type(error).__name__}: {error}")
        else:
            _loaded[name] = "imported"
    if problems:
        raise CorridorError("\n".join(problems))


def loaded() -> dict[str, str]:
    """Plug-ins by name: the package with its version, or ``imported``.

    Examples
    --------
    >>> isinstance(loaded(), dict)
    True
    """
    return dict(_loaded)


def imported() -> tuple[str, ...]:
    """Modules that were imported by name, for workers to do the same.

    Examples
    --------
    >>> imported()
    ()
    """
    return tuple(name for name, whence in _loaded.items() if whence == "imported")


def begin_worker(modules: Sequence[str]) -> None:
    """In a process that was started: the plug-ins of packages, and those that were imported by name."""
    load_plugins()
    import_modules(modules)
