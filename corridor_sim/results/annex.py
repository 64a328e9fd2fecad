"""An appraisal as it is told: the words of the terminal, and the table of a bank's annex.

Banks print economic costs and benefits by year, capital and running cost apart, benefits by what is
saved, with sums and present values below [adb2017].
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.units import FloatArray

if TYPE_CHECKING:
    import pandas as pd


MOST = 6
"""Of those who gain, named at most."""
HANGS_ON = 4
"""Inputs named that the net present value hangs on."""


def annex_of(one: Any) -> pd.DataFrame:
    """The table of a bank's annex of an `Appraisal`; see `Appraisal.annex`."""
    import pandas as pd

    parts = dict(one.benefit_parts) or {"benefit": one.benefits_usd.mean(axis=0)}
    columns: dict[str, FloatArray] = {
        "capital_cost": one.capex_usd,
        "running_cost": one.opex_usd,
        "residual_value": -one.residual_usd,
        "total_cost": one.costs_usd,
        **parts,
        "total_benefit": one.benefits_usd.mean(axis=0),
        "net_benefit": one.net_usd,
    }
    labels = [*(str(int(year)) for year in one.years), "total", f"present value at {100 * one.discount_rate:g} %"]
    values = {
        name: np.round(np.concatenate([flows, [flows.sum(), float(one.present_usd(flows))]]), 6) + 0.0
        for name, flows in columns.items()
    }
    return pd.DataFrame({"year": labels, **values})


def criteria_told(one: Any, *, ids: bool = False) -> list[tuple[str, str]]:
    """Name and value of each criterion, in words."""
    npv, ratio, rate = one.npv_usd, one.benefit_cost_ratio, one.eirr
    rows = [
        (
            "net present value",
            f"US$ {millions(npv[0])} m ({millions(npv[1])} to {millions(npv[2])}, sampling noise only)",
        ),
        (
            "benefit-cost ratio",
            f"{ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})" if ratio[0] == ratio[0] else "none",
        ),
        (
            "EIRR",
            "none (the flows never change their sign, or more than one rate fits them)"
            if rate[0] != rate[0]
            else f"{rate[0]:.1%}" + (f" ({rate[1]:.1%} to {rate[2]:.1%})" if rate[1] == rate[1] else ""),
        ),
    ]
    rows += _inputs_told(one.inputs, ids)
    first = one.first_year_return
    if first == first:
        advice = "not below the discount rate" if first >= one.discount_rate else "below the discount rate: wait"
        rows.append(("first-year return", f"{first:.1%}, {advice}"))
    paid = one.payback_year
    when = "never in these years" if paid is None else f"in {paid}"
    rows.append(("paid back", f"{when}, discounted{_owed_again(one)}"))
    for what, factor in one.switching.items():
        if factor < 0:
            rows.append(("worth it" if what == "benefits" else "not worth it", f"even with no {what}"))
        elif factor == factor:
            rows.append(("worth nothing if", f"{what} x {factor:.2f}"))
    return rows


def _owed_again(one: Any) -> str:
    """What a renewal takes back after the year in which all was paid back."""
    total = np.cumsum(one.net_usd * one.factors)
    paid = np.nonzero(total >= 0)[0]
    owed = np.nonzero(total < 0)[0]
    if not len(paid) or not len(owed) or owed[-1] < paid[0]:
        return ""
    again = int(one.years[owed[owed > paid[0]][0]])
    last = int(one.years[owed[-1]])
    when = f"in {again}" if again == last else f"from {again} to {last}"
    return f", and owed again {when}"


def _inputs_told(drawn: Any, ids: bool) -> list[tuple[str, str]]:
    """What the draws of the inputs say, if there are any."""
    if drawn is None:
        return []
    npv, ratio, rate = (drawn.interval(what) for what in ("npv_usd", "benefit_cost_ratio", "eirr"))
    share = "smallest to largest" if npv.few else f"{100 * npv.level:.0f} %"
    rows = [
        ("inputs: NPV", f"US$ {millions(npv.low)} to {millions(npv.high)} m ({share} of {npv.draws} draws)"),
        ("chance NPV > 0", _chance(*drawn.probability_positive)),
    ]
    if ratio.draws:
        rows.append(("inputs: BCR", f"{ratio.low:.2f} to {ratio.high:.2f}"))
    if rate.draws:
        without = f" ({drawn.without_rate} draws have none)" if drawn.without_rate else ""
        rows.append(("inputs: EIRR", f"{rate.low:.1%} to {rate.high:.1%}{without}"))
    if drawn.overloaded:
        told = f"{drawn.overloaded} draws whose base is overloaded where the measures act: they have no present value"
        rows.append(("left out", f"{told}, and are those with most traffic"))
    named = hangs_on(drawn, ids=ids)
    if named:
        rows.append(("hangs on", "; ".join(f"{name} ({share:.0%})" for name, share in named)))
    if drawn.several:
        rows.append(("measure first", _measure_first(drawn, ids)))
    return rows


def _measure_first(drawn: Any, ids: bool = False) -> str:
    """Which input is worth knowing before it is decided, and how much in money."""
    everything = drawn.information().attrs["all_usd"]
    if everything <= 0.0:
        if drawn.overloaded:
            return f"not told: the same choice is right in every draw but perhaps the {drawn.overloaded} left out"
        return "nothing: to build or not is the same in every draw"
    told = drawn.measure_first(HANGS_ON)
    every = f"to know everything is worth US$ {millions(everything)} m before deciding"
    if not told:
        return f"no input by itself stands out of {len(drawn.npv_usd)} draws; {every}"
    words = {} if ids else {one.name: one.words for one in drawn.inputs}
    return "; ".join(f"{words.get(name, name)} (worth US$ {millions(usd)} m)" for name, usd in told) + f"; {every}"


def _chance(low: float, high: float) -> str:
    return f"{low:.0%} of the draws" if low == high else f"{low:.0%} to {high:.0%} (all those left out below or above)"


def hangs_on(drawn: Any, *, ids: bool = False) -> list[tuple[str, float]]:
    """The first inputs that the net present value hangs on, with their share of its variance."""
    if not drawn.several:
        return []
    frame = drawn.effects()
    return [
        (str(line["input" if ids else "called"]), float(line["share"]))
        for line in frame[~frame["by_chance"]].head(HANGS_ON).to_dict("records")
    ]


def gains_told(one: Any) -> list[str]:
    """Who gains and who pays, a line by country and one by class; nothing where it is not known."""
    lines = []
    for what in ("country", "class"):
        found = [(name, *both) for name, both in one.gains_by(what).items() if any(abs(usd) >= 5e3 for usd in both)]
        if not found:
            continue
        parts = []
        for name, gain, cost in found[:MOST]:
            parts.append(f"{name} {millions(gain)}" + (f", pays {millions(cost)}" if cost else ""))
        more = f"; and {len(found) - MOST} more" if len(found) > MOST else ""
        lines.append(f"who gains, by {what} [US$ m, present value]: {'; '.join(parts)}{more}")
    return lines


def told(one: Any, *, ids: bool = False) -> str:
    """The appraisal in words and its table."""
    span = f"{int(one.years[0])}-{int(one.years[-1])}"
    against = f" against {one.base_name}" if one.base_name else ""
    lines = [f"Appraisal of {one.name}{against}, {span}, {one.discount_rate:.1%} a year real"]
    for name, value in criteria_told(one, ids=ids):
        lines += textwrap.wrap(f"{name:<19s} {value}", 78, initial_indent="  ", subsequent_indent=" " * 22)
    if one.unpriced:
        lines += _wrapped(f"WITHOUT the cost of {', '.join(one.unpriced)}: no cost is stated for them")
    for text in (*gains_told(one), *one.notes):
        lines += _wrapped(text)
    lines.append("")
    lines.append(
        f"  {'year':>6s}{'capital':>10s}{'running':>10s}{'residual':>10s}{'benefits':>10s}{'net':>10s}  [US$ m]"
    )
    columns = (one.capex_usd, one.opex_usd, one.residual_usd, one.benefits_usd.mean(axis=0), one.net_usd)
    for year, *parts in zip(one.years, *columns, strict=True):
        lines.append(f"  {int(year):6d}" + "".join(f"{millions(float(part)):>10s}" for part in parts))
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="    ")


def millions(usd: float) -> str:
    """Millions of US$, to ten thousand."""
    return f"{round(usd / 1e6, 2) + 0.0:,.2f}"
