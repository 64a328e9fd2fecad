"""Proof as a public command: are the engines and formulas right?

`verify` runs traces by hand (exactly), stochastic cases against exact values
(within stated tolerances) and formulas against published numbers, from the
packaged vectors or from any file in the same formats. Nothing in a file is
passed over: what is not known is refused by name.
"""

from __future__ import annotations

import fnmatch
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from corridor_sim.core.streams import Rng, root_entropy
from corridor_sim.verify.analytics import check_analytic
from corridor_sim.verify.engine import ENGINES, engine_named
from corridor_sim.verify.files import SECTIONS, Vectors, packaged, read, sections_of
from corridor_sim.verify.report import Item, Status, VerifyReport

__all__ = ["ENGINES", "SECTIONS", "Item", "Status", "VerifyReport", "verify"]

SEED = 20240115
"""Root entropy unless another is given, so that a verification repeats itself."""


def verify(
    path: str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    *,
    engine: str = "event",
    rng: Rng = SEED,
    design: str = "quick",
    only: str | Sequence[str] | None = None,
    progress: Callable[[str, int, int], object] | None = None,
) -> VerifyReport:
    """Check the library against given answers.

    Parameters
    ----------
    path : path, dict, list or None
        A vector file, a folder of them, or what such a file holds; None is the
        packaged set.
    engine : str
        ``event``, ``batch`` or ``auto`` (batch where it can).
    rng : int, SeedSequence, Generator or None
        Seed of the random streams of the cases; None draws fresh entropy, which the
        report shows.
    design : str
        ``quick`` or ``full``: the case's replications and tolerances of that name;
        quick takes a second look, as in full, at wide tolerances that are used up by much.
    only : str or sequence of str, optional
        Ids or patterns (``MMC-*``), sections (``traces``), or an id with a measure
        (``"MMC-01 mean_wait"``).
    progress : callable, optional
        Called as ``progress(id, done, total)`` before each vector and, with
        ``done == total`` and an empty id, at the end.

    Returns
    -------
    VerifyReport
        Every item with its status and largest deviation; see `VerifyReport.exit_code`.

    Raises
    ------
    ScenarioError
        If a file cannot be read as vectors.
    ValueError
        For an unknown engine, design, or a selection that selects nothing.

    Examples
    --------
    >>> verify(only="TR-01").ok
    True
    """
    if design not in ("quick", "full"):
        raise ValueError(f"no design {design!r}; known: quick, full")
    simulate = engine_named(engine)
    seed = root_entropy(rng)
    vectors, source = _vectors(path)
    patterns = [only] if isinstance(only, str) else list(only) if only is not None else None
    chosen = [
        (section, vector, wanted)
        for section in SECTIONS
        for vector in vectors.get(section, ())
        if (wanted := _wanted(section, vector, patterns)) is not None
    ]
    if patterns is not None and not chosen:
        raise ValueError(f"nothing is called {' or '.join(patterns)}")
    others = {str(trace["id"]): trace for trace in vectors.get("traces", ())}
    items: list[Item] = []
    for done, (section, vector, wanted) in enumerate(chosen):
        if progress is not None:
            progress(str(vector["id"]), done, len(chosen))
        if section == "traces":
            from corridor_sim.verify.traces import check_trace

            items.append(check_trace(vector, simulate, others))
        elif section == "arrival_traces":
            from corridor_sim.verify.arrival_traces import check_arrivals

            items.append(check_arrivals(vector))
        elif section == "cases":
            from corridor_sim.verify.cases import check_case

            items += check_case(vector, simulate, "full" if design == "full" else "quick", seed, wanted or None)
        else:
            items.append(check_analytic(vector))
    if progress is not None:
        progress("", len(chosen), len(chosen))
    return VerifyReport(tuple(items), engine, design, seed, source)


def _vectors(path: Any) -> tuple[Vectors, str]:
    if path is None:
        return packaged(), "packaged vectors"
    if isinstance(path, (str, Path)):
        return read(path), str(path)
    return sections_of(path if isinstance(path, Mapping) else list(path)), "given vectors"


def _wanted(section: str, vector: Mapping[str, Any], patterns: Sequence[str] | None) -> list[str] | None:
    """Measures of a vector that are asked for, [] for all of it, None for nothing."""
    if patterns is None:
        return []
    name, measures = str(vector["id"]), [str(m["name"]) for m in vector.get("measures", ())]
    found: list[str] = []
    for pattern in patterns:
        if pattern == section or fnmatch.fnmatchcase(name, pattern):
            return []
        id_part, _, measure = pattern.partition(" ")
        if measure and fnmatch.fnmatchcase(name, id_part):
            found += [one for one in measures if one == measure or fnmatch.fnmatchcase(one, measure)]
    return found or None


class _CallableVerify(types.ModuleType):
    """Lets ``corridor_sim.verify(...)`` work: the name is the function's and the module's at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> VerifyReport:
        return verify(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableVerify
