"""An appraisal as one HTML page: criteria with intervals, who gains, what it hangs on, pictures, the bank's table.

The page needs nothing else and is the same to the byte for the same appraisal, as the page of a run (`page.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corridor_sim.results.annex import criteria_told, gains_told, millions
from corridor_sim.results.appraisal import Appraisal


def context_of(data: Appraisal, title: str | None, question: str | None) -> dict[str, Any]:
    """What the template ``appraisal.html`` shows."""
    from corridor_sim.report.figures import svg_of

    figures = []
    for name, draw, caption in _pictures(data):
        figures.append({"name": name, "caption": caption, "svg": svg_of(draw().figure, caption)})
    annex = data.annex()
    against = f" against {data.base_name}" if data.base_name else ""
    return {
        "title": title or f"Appraisal of {data.name}{against}",
        "question": question or f"Is {data.name} worth its money{against}?",
        "criteria": criteria_told(data),
        "rate": f"{data.discount_rate:.1%}",
        "confidence": f"{data.confidence:.0%}",
        "replications": len(data.benefits_usd),
        "span": f"{int(data.years[0])} to {int(data.years[-1])}",
        "opening": data.opening_year,
        "unpriced": data.unpriced,
        "notes": [*gains_told(data), *data.notes],
        "measures": [_measure(one) for one in data.measures],
        "gains": [(what, _gains(data, what)) for what in ("country", "class")],
        "drawn": data.inputs is not None,
        "hangs_on": _hangs_on(data),
        "figures": figures,
        "columns": [name.replace("_", " ") for name in annex.columns[1:]],
        "years": [
            (str(line[0]), [millions(float(value)) for value in line[1:]]) for line in annex.itertuples(index=False)
        ],
    }


def _pictures(data: Appraisal) -> list[tuple[str, Callable[[], Any], str]]:
    cash = "Discounted costs and benefits of each year, and the net present value so far."
    switching = "Net present value while one thing is changed alone; where a line crosses 0 is its switching value."
    return [("cash_flows", data.plot.cash_flows, cash), ("switching", data.plot.switching, switching)]


def _measure(one: Any) -> tuple[str, list[str]]:
    life = "" if one.life_years is None else f"{one.life_years:g}"
    if not one.priced:
        return one.name, ["no cost stated", "", life, one.country]
    return one.name, [millions(one.capex_usd), millions(one.opex_usd_year), life, one.country]


def _gains(data: Appraisal, what: str) -> list[tuple[str, str, str]]:
    return [
        (name, millions(gain), millions(cost) if what == "country" else "")
        for name, (gain, cost) in data.gains_by(what).items()
        if gain or cost
    ]


def _hangs_on(data: Appraisal) -> list[tuple[str, list[str]]]:
    """Rows of the inputs that the net present value hangs on; none without draws."""
    if data.inputs is None or not data.inputs.several:
        return []
    frame = data.inputs.effects()
    return [
        (
            str(line["called"]),
            [
                f"{line['low']:g} to {line['high']:g}",
                "a source" if line["sourced"] else "assumed",
                f"{line['share']:.0%}",
                f"{line['direction']:+.2f}",
                f"{line['narrows']:.0%}",
            ],
        )
        for line in frame[~frame["by_chance"]].head(10).to_dict("records")
    ]
