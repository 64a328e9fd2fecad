"""What a verification found: one item a trace, measure or formula, and how to print them.

Statuses: ``passed``, ``failed``, ``refused`` (the engine or the reader does not
do the mechanism, which is named) and ``not checked`` (with the reason). An item
that its file marks as a reference value, not to be simulated, is ``not checked``
with `due` False: it is shown and does not count.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Status = Literal["passed", "failed", "refused", "not checked"]
STATUSES: tuple[Status, ...] = ("passed", "failed", "refused", "not checked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing checked.

    Attributes
    ----------
    section
        ``traces``, ``arrival_traces``, ``cases`` or ``analytics``.
    id, measure
        Id in the file, and the measure of a case ("" elsewhere).
    status, detail
        See the module; `detail` says what differs, was refused or why not checked.
    expected, found
        Where the deviation is largest relative to its tolerance; NaN where there is none.
    deviation, tolerance
        How far found is from expected, and what is allowed of it (0 = exact).
    n
        Replications behind a case's value.
    due
        False for reference values that are not meant to be simulated.
    """

    section: str
    id: str
    status: Status
    measure: str = ""
    detail: str = ""
    expected: float = math.nan
    found: float = math.nan
    deviation: float = math.nan
    tolerance: float = math.nan
    n: int = 0
    title: str = ""
    source: str = ""
    due: bool = True

    @property
    def share(self) -> float:
        """Deviation as a share of its tolerance; inf for a deviation where none is allowed."""
        if self.tolerance > 0:
            return self.deviation / self.tolerance
        return 0.0 if self.deviation == 0 else math.inf if self.deviation > 0 else math.nan

    @property
    def name(self) -> str:
        """Id, with the measure if there is one."""
        return f"{self.id} {self.measure}" if self.measure else self.id


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All items of a verification, in file order.

    Attributes
    ----------
    items
        What was checked.
    engine, design, seed
        How: the engine's name, ``quick`` or ``full``, the root entropy.
    source
        The files read.
    """

    items: tuple[Item, ...]
    engine: str
    design: str
    seed: int
    source: str

    @property
    def ok(self) -> bool:
        """Whether nothing failed (refused and unchecked items are not failures)."""
        return not any(item.status == "failed" for item in self.items)

    @property
    def complete(self) -> bool:
        """Whether everything that was due was checked."""
        return all(item.status in ("passed", "failed") for item in self.items if item.due)

    @property
    def counts(self) -> dict[str, int]:
        """Number of items by status."""
        found = Counter(item.status for item in self.items)
        return {status: found[status] for status in STATUSES}

    def exit_code(self, allow_partial: bool = False) -> int:
        """0 if all is well; 1 for a failure, or for anything due that was not checked.

        With `allow_partial` only failures count. A report without items is a failure.
        """
        if not self.items or not self.ok:
            return 1
        return 0 if allow_partial or self.complete else 1

    def failures(self) -> tuple[Item, ...]:
        """The items that failed."""
        return tuple(item for item in self.items if item.status == "failed")

    def rows(self) -> list[dict[str, Any]]:
        """One plain dict an item."""
        return [asdict(item) | {"share_of_tolerance": item.share} for item in self.items]

    def to_frame(self) -> pd.DataFrame:
        """One row an item."""
        import pandas as pd

        columns = [field.name for field in fields(Item)] + ["share_of_tolerance"]
        return pd.DataFrame(self.rows(), columns=columns)

    def to_csv(self) -> str:
        """One line an item, with a header."""
        text = io.StringIO()
        writer = csv.DictWriter(
            text, [field.name for field in fields(Item)] + ["share_of_tolerance"], lineterminator="\n"
        )
        writer.writeheader()
        for row in self.rows():
            writer.writerow({k: "" if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()})
        return text.getvalue()

    def to_json(self) -> str:
        """Summary and items; numbers that do not exist are null, a deviation where none is allowed "inf"."""

        def plain(value: Any) -> Any:
            if isinstance(value, float) and not math.isfinite(value):
                return None if math.isnan(value) else "inf"
            return value

        body = {
            "source": self.source,
            "engine": self.engine,
            "design": self.design,
            "seed": self.seed,
            "ok": self.ok,
            "complete": self.complete,
            "counts": self.counts,
            "items": [{k: plain(v) for k, v in row.items()} for row in self.rows()],
        }
        return json.dumps(body, indent=1, allow_nan=False)

    def to_text(self, verbose: bool = False) -> str:
        """A line an id (with `verbose` an item), everything that did not pass spelled out, and a summary."""
        lines: list[str] = []
        for group in _grouped(self.items):
            if len(group) == 1 or verbose:
                lines += [_line(item) for item in group]
                continue
            lines.append(_group_line(group))
            lines += ["    " + _line(item) for item in group if item.status in ("failed", "refused")]
            reasons = Counter(item.detail for item in group if item.status == "not checked" and item.due)
            lines += [f"    not checked ({count}): {reason}" for reason, count in reasons.items()]
        counts = ", ".join(f"{count} {status}" for status, count in self.counts.items() if count)
        unchecked = sum(not item.due for item in self.items)
        lines.append("")
        lines.append(f"{self.source}: engine {self.engine}, design {self.design}, seed {self.seed}")
        lines.append((counts or "nothing to check") + (f" ({unchecked} reference values only)" if unchecked else ""))
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        return self.to_text()


def _grouped(items: Sequence[Item]) -> list[list[Item]]:
    groups: list[list[Item]] = []
    for item in items:
        if groups and groups[-1][0].section == item.section and groups[-1][0].id == item.id:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _line(item: Item) -> str:
    text = f"{item.status:<12}{item.name}"
    if item.title and not item.measure:
        text += f"  {item.title}"
    if item.status in ("passed", "failed") and not math.isnan(item.deviation):
        text += f"  largest deviation {_number(item.deviation)}"
        text += (
            f" = {item.share:.2f} of its tolerance" if item.tolerance > 0 else " (exact)" if not item.deviation else ""
        )
    if item.status == "failed" and not math.isnan(item.expected):
        text += f"  expected {_number(item.expected)}, found {_number(item.found)}"
    if item.status != "passed" and item.detail:
        text += f"  {item.detail}"
    return text


def _group_line(group: Sequence[Item]) -> str:
    present = {item.status for item in group if item.due}
    worst = next((s for s in ("failed", "refused", "not checked", "passed") if s in present), "not checked")
    checked = [item for item in group if item.status in ("passed", "failed")]
    text = f"{worst:<12}{group[0].id}  {group[0].title}".rstrip()
    if checked:
        top = max(checked, key=lambda item: -1.0 if math.isnan(item.share) else item.share)
        passed = sum(item.status == "passed" for item in checked)
        text += f"  {passed} of {len(checked)} measures within tolerance"
        if not math.isnan(top.share):
            text += f", {top.measure} furthest ({top.share:.2f})"
    return text
