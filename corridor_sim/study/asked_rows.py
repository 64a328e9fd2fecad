"""Which rows are kept of every draw, of which places they are, and at which place an answer changes most."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from corridor_sim.core.errors import CorridorError, nearest
from corridor_sim.indicators import INDICATORS, Collector
from corridor_sim.indicators.label import Label
from corridor_sim.indicators.places import PlanView
from corridor_sim.indicators.table import Table
from corridor_sim.plan.plan import Plan
from corridor_sim.results.comparison import LESS, MAIN, MORE, Comparison
from corridor_sim.results.uncertain import rows_wanted

CHANGES = (("tfi1", "crossing"), ("wait_h", "post"), ("door_to_door_h", "flow"))
"""Rows by which the place that changes most is looked for, the first of which one is more than noise."""


def place_changed_most(comparison: Comparison) -> tuple[str, ...]:
    """The crossing or post, with its direction, where time changes most in any of the scenarios.

    Rows whose interval excludes 0 come first; where none does, the largest difference is taken, though it may be noise.
    () is the whole corridor: where nothing changes, or only times from door to door do.
    Names are those that `at` takes: ``"astara IR>AZ"``.
    """
    frames = [(kind, comparison.table(indicator, kind=kind, cargo_class="", of="")) for indicator, kind in CHANGES]
    for wanted in ((MORE, LESS), None):
        for kind, frame in frames:
            rows = frame if wanted is None else frame[frame["verdict"].isin(wanted)]
            size = rows["difference"].abs()
            if len(rows) and size.max() > 0:
                line = rows.iloc[int(size.fillna(0.0).to_numpy().argmax())]
                return () if kind == "flow" else (f"{line['place']} {line['direction']}",)
    return ()


def rows_to_keep(
    plan: Plan,
    names: Sequence[str] | None,
    elements: Sequence[str],
    places: Sequence[str],
    judging: Collection[str] = (),
) -> tuple[tuple[str, ...], tuple[Label, ...]]:
    """Indicators to reckon and the rows that are kept of every draw."""
    rows = {kind: Collector(plan, [0], [kind]).finish().labels for kind in INDICATORS}
    known = {label.indicator for labels in rows.values() for label in labels}
    for name in names or ():
        if name not in known:
            hint = nearest(name, known)
            raise CorridorError(f"no row {name!r}" + (f"; {hint}" if hint else ""))
    kinds, kept = [], []
    for kind, labels in rows.items():
        wanted = [labels[k] for k in rows_wanted(labels, names, MAIN)]
        wanted += [labels[k] for k in rows_wanted(labels, judging, MAIN)] if judging else []
        if places:
            wanted = [label for label in wanted if is_at(label, elements, plan)]
        if wanted:
            kinds.append(kind)
            kept += [label for label in dict.fromkeys(wanted) if label not in kept]
    if not kept:
        raise CorridorError(
            f"no row is left of {', '.join(names or MAIN)}" + (f" at {', '.join(places)}" if places else "")
        )
    return tuple(kinds), tuple(kept)


def is_at(label: Label, elements: Sequence[str], plan: Plan) -> bool:
    """Whether a row is about elements that were asked for, and about nothing else."""
    wanted = set(elements)
    view = PlanView(plan, np.arange(1))
    if label.kind == "stage":
        return label.place in wanted
    if label.kind == "crossing":
        about = view.crossing_elements.get((label.place, label.direction), ())
    elif label.kind == "post":
        about = view.post_elements.get((label.place, label.direction), ())
    else:
        return False
    return bool(about) and all(plan.elements[k].id in wanted for k in about)


def ids_at(plan: Plan, places: Sequence[str]) -> tuple[str, ...]:
    """Ids of the elements of crossings, crossings with a direction, or posts."""
    view = PlanView(plan, np.arange(1))
    known: dict[str, set[int]] = {}
    for (id, direction), elements in (*view.crossing_elements.items(), *view.post_elements.items()):
        for name in (id, f"{id} {direction}"):
            known.setdefault(name, set()).update(elements)
    found: set[int] = set()
    for place in places:
        if place not in known:
            hint = nearest(place, known)
            raise CorridorError(f"no crossing or post {place!r} on the way of any flow" + (f"; {hint}" if hint else ""))
        found |= known[place]
    return tuple(sorted(plan.elements[k].id for k in found))


def only(table: Table, labels: Sequence[Label]) -> Table:
    """The rows of a table that have one of these labels, in the order of the labels."""
    at = {label: k for k, label in enumerate(table.labels)}
    rows = [at[label] for label in labels if label in at]
    return Table(tuple(table.labels[k] for k in rows), table.values[rows], table.replications)
