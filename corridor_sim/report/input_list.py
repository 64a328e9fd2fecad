"""What differs between two scenarios, without a run: as a frame, and as text for a terminal."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING, Any

from corridor_sim.core.units import counted
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.model.changes import is_number
from corridor_sim.report.text import wrapped_change
from corridor_sim.results.input_differences import inputs_diff
from corridor_sim.results.input_words import input_changes, inputs_told, shown

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.scenario import Scenario

WIDTH = 80
COLUMNS = ("change", "name", "what", "old", "new", "unit", "from", "until", "by", "path")


def diff(base: Scenario | str | os.PathLike[str], other: Scenario | str | os.PathLike[str]) -> pd.DataFrame:
    """What differs between the inputs of two scenarios: each value before and after.

    Parameters
    ----------
    base, other : Scenario, path or name of a packaged scenario

    Returns
    -------
    pandas.DataFrame
        One row a value. `change` is ``changes``, ``adds`` or ``removes``; `name` and `what` are words, `path` is where
        it stands; `old` and `new` are numbers or texts, None where there is none; `by` is the improvement that does it,
        `from` and `until` its dates. Sources and notes that differ are one row.

    Raises
    ------
    ScenarioError
        If a file is not sound.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> row = cs.diff("astara_winter_2025", "astara_acceptance").iloc[0]
    >>> row["name"], row["what"], row["old"], row["new"], row["unit"], str(row["from"])
    ('Astara IR, exit', 'daily acceptance', 250, 360, 'a day', '2025-12-23 00:00:00')
    """
    import pandas as pd

    rows = [
        (
            one.change,
            one.name,
            one.what,
            _plain(one.old),
            _plain(one.new),
            one.unit,
            one.from_,
            one.until,
            one.by,
            one.path,
        )
        for one in input_changes(_read(base), _read(other))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def text_of(base: Scenario, other: Scenario, *, ids: bool = False) -> str:
    """The differences as lines, at most 80 columns wide."""
    lines = inputs_diff(base, other) if ids else inputs_told(base, other)
    head = f"{other.name or 'the second'} against {base.name or 'the first'}: "
    found = textwrap.wrap(head + (counted(len(lines), "difference") if lines else "the same inputs"), WIDTH)
    for line in lines:
        found += wrapped_change(line, WIDTH)
    return "\n".join(found) + "\n"


def _read(scenario: Any) -> Any:
    return load_scenario(scenario) if isinstance(scenario, (str, os.PathLike)) else scenario


def _plain(value: Any) -> Any:
    """A value as a cell: numbers as they are, what is not there None, anything else in words."""
    return value if value is None or is_number(value) or isinstance(value, str) else shown(value)
