"""All figures of a scenario with status, source and range: as a frame, and as text for a terminal."""

from __future__ import annotations

import dataclasses
import os
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from corridor_sim.core.units import counted
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.model.provenance import FigureRow, figures_of

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.corridor import Corridor

WIDTH = 80
COLUMNS = (
    *("path", "value", "status", "source", "low", "high", "alternatives", "group", "opposite", "whole"),
    *("range_status", "range_source", "range_reason", "exact", "note"),
)


def figures(scenario: Corridor | str | os.PathLike[str]) -> pd.DataFrame:
    """Every figure of a scenario or corridor: value, where it is from, how far it may be off and who says so.

    Parameters
    ----------
    scenario : Scenario, Corridor, path or name of a packaged scenario

    Returns
    -------
    pandas.DataFrame
        One row a figure; `path` is the one by which it is set. `range_status` is ``sourced`` or ``assumed``,
        ``exact`` where the figure needs no range and ``""`` where it has none. Figures of one `group` move together.

    Raises
    ------
    ScenarioError
        If the file is not sound.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> frame = cs.figures("teaching").set_index("path")
    >>> frame.loc["flows.flour.per_day", "group"]
    'volumes'
    >>> float(frame.loc["flows.flour.per_day", "low"])
    110.5
    """
    import pandas as pd

    given = load_scenario(scenario) if isinstance(scenario, (str, os.PathLike)) else scenario
    return pd.DataFrame([record_of(row) for row in figures_of(given)], columns=list(COLUMNS))


def record_of(row: FigureRow) -> dict[str, Any]:
    """A row as plain values, in the order of `COLUMNS`."""
    values = dataclasses.asdict(row) | {"range_status": row.range_status}
    values["alternatives"] = " ".join(f"{one:g}" for one in row.alternatives)
    return {name: values[name] for name in COLUMNS}


def counts_of(rows: Sequence[FigureRow]) -> dict[str, Any]:
    """How many figures there are, have a range, need none, have neither; how many ranges have a source."""
    standing = [row.range_status for row in rows]
    ranged = standing.count("sourced") + standing.count("assumed")
    return {
        "figures": len(rows),
        "ranged": ranged,
        "exact": standing.count("exact"),
        "without": standing.count(""),
        "sourced": standing.count("sourced"),
        "share_sourced": standing.count("sourced") / ranged if ranged else None,
    }


def text_of(name: str, rows: Sequence[FigureRow]) -> str:
    """Figures by the group in which they move, alike ones once, at most 80 columns wide."""
    counts = counts_of(rows)
    share = "" if counts["share_sourced"] is None else f" ({counts['share_sourced']:.0%})"
    told = [
        f"{name}: {counted(len(rows), 'figure')}; {counts['ranged']} with a range, {counts['exact']} exact, "
        f"{counts['without']} with neither.",
        f"{counts['sourced']} of {counts['ranged']} ranges{share} have a source; the others are assumed, "
        "each with its reason.",
    ]
    lines = [line for text in told for line in _wrapped(text, "")]
    groups: dict[str, list[FigureRow]] = {}
    for row in rows:
        groups.setdefault(row.group or _alone(row), []).append(row)
    for group, mine in groups.items():
        lines += ["", *_group(group, mine)]
    return "\n".join(lines) + "\n"


def _alone(row: FigureRow) -> str:
    """What figures that do not move together are told under."""
    if row.ranged:
        return "each on its own"
    return "exact" if row.exact else "without a range"


def _group(group: str, rows: Sequence[FigureRow]) -> list[str]:
    together = rows[0].group and len(rows) > 1
    lines = _wrapped(f"{group} ({counted(len(rows), 'figure')}{', moving together' if together else ''})", "")
    kinds: dict[tuple[str, ...], dict[str, list[FigureRow]]] = {}
    for row in rows:
        about = row.range_status, row.range_source, row.range_reason or row.exact
        alike = f"{row.value:g}{_range(row)}; {row.status or 'no status'}{f', {row.source}' if row.source else ''}"
        kinds.setdefault(about, {}).setdefault(alike, []).append(row)
    for (standing, source, reason), several in kinds.items():
        if standing in ("sourced", "assumed"):
            reason = f"range {standing}{f' ({source})' if source else ''}{f': {reason}' if reason else ''}"
        lines += _wrapped(reason, "  ") if reason else []
        for alike, mine in several.items():
            more = f", {len(mine) - 1} more" if len(mine) > 1 else ""
            lines += [*_wrapped(f"{mine[0].path}{more}", "    "), *_wrapped(alike, "      ")]
    return lines


def _range(row: FigureRow) -> str:
    if row.alternatives:
        return " or " + " or ".join(f"{one:g}" for one in row.alternatives if one != row.value)
    if row.low is None or row.high is None:
        return ""
    return f", {row.low:g} to {row.high:g}" + (", the other way round" if row.opposite else "")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
