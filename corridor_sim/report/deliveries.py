"""What was delivered, as the terminal, the page and the first screen say it: by border, and over each corridor."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

from corridor_sim.core.rounding import narrow
from corridor_sim.results.called import Called, in_words
from corridor_sim.results.delivered import CONSERVATION, QUANTITIES, Sums, same_demand, told, told_of_corridors
from corridor_sim.results.results import Results

DELIVERED = {"tonnes": ("kt", 1e3), "teu": ("TEU", 1.0), "value_usd": ("m US$", 1e6)}
"""Unit in which a quantity is printed, and how many of its own unit that is."""
OF_BORDERS = "in the counted window; who crosses two borders stands at both"
OF_CORRIDORS = "in the line of a whole corridor once"

LEAST_CHANGE = 0.005
"""A ratio nearer to 1 reads as 1.00: what was delivered is said to have changed from here on."""


def delivered_rows(results: Results, *, ids: bool = False) -> tuple[list[str], list[tuple[list[str], list[str]]]]:
    """Units and, for each border, trade and mode and then each corridor, the cells of what was delivered."""
    borders, corridors = told(results), told_of_corridors(results)
    sums = [of for *_, of in borders] + list(corridors.values())
    there = [quantity for quantity in QUANTITIES if any(quantity in of for of in sums)]
    names = [[border or "no border", trade or "-", mode or "-"] for border, trade, mode, _ in borders]
    names += [[_at_border(*key, ids=ids), "-", "-"] for key in corridors]
    cells = [[narrow(*_scaled(of.get(quantity), DELIVERED[quantity][1])) for quantity in there] for of in sums]
    return [DELIVERED[quantity][0] for quantity in there], list(zip(names, cells, strict=True))


def whom(results: Results) -> str:
    """Where a consignment stands in the rows of what was delivered."""
    return f"{OF_BORDERS}, {OF_CORRIDORS}" if told_of_corridors(results) else OF_BORDERS


def delivered_lines(called: Called, width: int) -> list[str]:
    """The rows as the terminal prints them; nothing where nothing is known."""
    units, body = delivered_rows(called.results, ids=called.ids)
    if not body:
        return []
    rows = [(["delivered at", "trade", "mode"], units), *body]
    # The name of a corridor may run on over trade and mode, which it has not.
    own = [names for names, _ in rows if names[1:] != ["-", "-"]]
    sizes = [max(len(names[k]) for names in own) for k in range(3)]
    cells = [max(len(texts[k]) for _, texts in rows) for k in range(len(units))]
    room = max(20, width - sum(size + 2 for size in cells))
    left = min(room, max(sum(sizes) + 2, *(len(names[0]) for names, _ in rows)))
    lines = [""]
    for names, texts in rows:
        if names[1:] == ["-", "-"]:
            text = names[0]
        else:
            text = " ".join(f"{name:<{size}}" for name, size in zip(names, sizes, strict=True))
        text = text if len(text) <= left else text[: left - 1] + "…"
        lines.append(f"{text:<{left}}" + "".join(f"  {cell:>{size}}" for cell, size in zip(texts, cells, strict=True)))
    return lines + textwrap.wrap(whom(called.results), width)


def corridor_called(id: str, *, ids: bool = False) -> str:
    """A corridor in words, or by its id: ``corridor north south``."""
    return f"corridor {id if ids else in_words(id)}"


def _at_border(id: str, border: str, *, ids: bool = False) -> str:
    return corridor_called(id, ids=ids) + (f" at {border}" if border else ", whole")


@dataclass(frozen=True, slots=True)
class CorridorChange:
    """Tonnes delivered over a corridor in two runs.

    Attributes
    ----------
    corridor, border
        Its id, and the border at which they are counted; "" is the whole corridor.
    base, other
        Mean and half-width over the replications. [t]
    ratio
        Of the means; NaN where the base delivered nothing.
    of_inputs
        Whether the demands of the two runs differ, so that the ratio is a conservation check of inputs (rule D39).
    """

    corridor: str
    border: str
    base: tuple[float, float]
    other: tuple[float, float]
    ratio: float
    of_inputs: bool

    def amounts(self) -> str:
        """Before and after: ``250±10 -> 360±12 kt, 1.44 times``."""
        kt = [narrow(mean / 1e3, half / 1e3) for mean, half in (self.base, self.other)]
        return f"{kt[0]} -> {kt[1]} kt" + ("" if math.isnan(self.ratio) else f", {self.ratio:.2f} times")

    def words(self) -> str:
        """The same as a sentence, with what the ratio is where demands differ."""
        return f"delivered {self.amounts()}" + (f" ({CONSERVATION}: demands differ)" if self.of_inputs else "")


def corridor_change_lines(base: Called, other: Called, width: int) -> list[str]:
    """The changes as the terminal prints them."""
    found = corridor_changes(base.results, other.results)
    texts = [f"{_at_border(one.corridor, one.border, ids=other.ids)}: {one.words()}" for one in found]
    return [line for text in texts for line in textwrap.wrap(text, width, subsequent_indent="  ")]


def corridor_changes(base: Results, other: Results) -> list[CorridorChange]:
    """What each corridor delivered in a run against a base, where that differs by half a per cent or more."""
    if not all("delivered_t" in run.rows.indicators for run in (base, other)):
        return []
    of_inputs = not same_demand(base.plan, other.plan)
    before, after = told_of_corridors(base), told_of_corridors(other)
    nothing: Sums = {"tonnes": (0.0, 0.0)}
    found = []
    for key in dict.fromkeys([*before, *after]):
        pair = [side.get(key, nothing)["tonnes"] for side in (before, after)]
        ratio = pair[1][0] / pair[0][0] if pair[0][0] > 0 else math.nan
        if not abs(ratio - 1.0) < LEAST_CHANGE:
            found.append(CorridorChange(*key, pair[0], pair[1], ratio, of_inputs))
    return found


def _scaled(pair: tuple[float, float] | None, unit: float) -> tuple[float, float]:
    return (math.nan, math.nan) if pair is None else (pair[0] / unit, pair[1] / unit)
