"""One Excel workbook with every table of a run, a comparison, a sweep or an appraisal (extra ``excel``).

To add a sheet, add it to the function that lists the sheets of its kind of result.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import numbers
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from corridor_sim.core.errors import CorridorError, MissingExtra
from corridor_sim.exchange.datasets import named_runs
from corridor_sim.report.input_list import diff
from corridor_sim.results.annex import criteria_told
from corridor_sim.results.appraisal import Appraisal
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import Results

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS, MOST_COLUMNS, MOST_TEXT = 1_048_576, 16_384, 32_767
"""What one sheet holds, and one cell [characters]: limits of the format."""
WIDEST, NARROWEST = 48, 8
"""Widths of columns. [characters]"""
Sheets = Iterator[tuple[str, "pd.DataFrame"]]


def workbook_bytes(source: Any, more: Mapping[str, pd.DataFrame] | None = None) -> bytes:
    """A workbook with a sheet a table, as the bytes of an ``.xlsx`` file.

    Parameters
    ----------
    source : Results, Comparison, Appraisal or Sweep
    more : mapping of str to DataFrame, optional
        Further sheets, by name.

    Returns
    -------
    bytes
        Sheets of a run: ``about``, ``summary`` (means with intervals), ``by time`` (rows by hour and day),
        ``replications`` (a column each). A comparison has ``inputs`` (what differs, before and after) and
        ``differences`` besides, and its runs stand one under another with their name. A sweep: ``points``,
        ``summary``. An appraisal: ``criteria``, ``figures``, ``annex`` (the table of a bank's annex), ``years``,
        ``gains``. Texts are texts, never formulas.

    Raises
    ------
    CorridorError
        If a table is larger than a sheet.
    MissingExtra
        If xlsxwriter is not installed.
    """
    try:
        import xlsxwriter
    except ModuleNotFoundError as error:
        raise MissingExtra("an Excel workbook", "xlsxwriter", "excel") from error
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(target, options)
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for name, frame in (*sheets_of(source), *(more or {}).items()):
        _write(book.add_worksheet(name), name, frame, head, day)
    book.close()
    return target.getvalue()


def sheets_of(source: Any) -> Sheets:
    """Name and table of each sheet of a workbook."""
    if isinstance(source, Appraisal):
        yield from _of_appraisal(source)
    elif isinstance(source, (Results, Comparison)):
        yield from _of_runs(source)
    else:
        yield "about", _about([(source.name, source.runs[0])])
        yield "points", source.table("all")
        yield "summary", source.to_frame()


def _of_runs(source: Results | Comparison) -> Sheets:
    import pandas as pd

    names, runs = named_runs(source)
    pairs = list(zip(names, runs, strict=True))

    def stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
        for (name, _), frame in zip(pairs, frames, strict=True):
            if "scenario" in frame:
                frame["scenario"] = name
            else:
                frame.insert(0, "scenario", name)
        return pd.concat(frames, ignore_index=True)

    yield "about", _about(pairs)
    if isinstance(source, Comparison):
        from corridor_sim.model.scenario import Scenario

        if all(isinstance(run.scenario, Scenario) for run in runs):
            others = [(name, diff(runs[0].scenario, run.scenario)) for name, run in pairs[1:]]
            for name, frame in others:
                frame.insert(0, "scenario", name)
            yield "inputs", pd.concat([frame for _, frame in others], ignore_index=True)
        yield "differences", source.table("all")
    yield "summary", stacked([run.summary() for run in runs])
    by_time = [run.summary(by_time=True) for run in runs]
    yield "by time", stacked([one[one["hour"].notna() | one["day"].notna()].copy() for one in by_time])
    yield "replications", stacked([run.to_frame(wide=True) for run in runs])


def _of_appraisal(source: Appraisal) -> Sheets:
    import pandas as pd

    rows = [("name", source.name), ("discount rate", source.discount_rate), *criteria_told(source)]
    rows += [("without any cost", name) for name in source.unpriced] + [("note", note) for note in source.notes]
    npv, ratio, rate = source.npv_usd, source.benefit_cost_ratio, source.eirr
    numbers_of = {"npv_usd": npv, "benefit_cost_ratio": ratio, "eirr": rate}
    criteria = pd.DataFrame(rows, columns=["what", "value"])
    yield "criteria", criteria
    yield (
        "figures",
        pd.DataFrame(
            [(name, *values) for name, values in numbers_of.items()], columns=["criterion", "mean", "low", "high"]
        ),
    )
    yield "annex", source.annex()
    yield "years", source.to_frame()
    gains = [
        {"by": what, "who": name, "present_benefit_usd": gain, "present_cost_usd": cost}
        for what in ("country", "class", "flow")
        for name, (gain, cost) in source.gains_by(what).items()
    ]
    yield "gains", pd.DataFrame(gains, columns=["by", "who", "present_benefit_usd", "present_cost_usd"])


def _about(pairs: list[tuple[str, Results]]) -> pd.DataFrame:
    import pandas as pd

    told = [
        (name, key, value if isinstance(value, (str, int, float)) or value is None else json.dumps(value, default=str))
        for name, run in pairs
        for key, value in run.about().items()
    ]
    return pd.DataFrame(told, columns=["scenario", "what", "value"])


def _write(sheet: Any, name: str, frame: pd.DataFrame, head: Any, day: Any) -> None:
    rows, columns = frame.shape
    if rows >= MOST_ROWS or columns > MOST_COLUMNS:
        raise CorridorError(
            f"the table {name!r} has {rows:,} rows and {columns:,} columns; a sheet holds {MOST_ROWS - 1:,} and "
            f"{MOST_COLUMNS:,}: take fewer scenarios, or write Parquet (.parquet)"
        )
    for column, header in enumerate(frame.columns):
        sheet.write_string(0, column, str(header), head)
        values = frame.iloc[:, column].tolist()
        widest = len(str(header))
        for row, value in enumerate(values, start=1):
            widest = max(widest, _write_cell(sheet, row, column, value, day))
        sheet.set_column(column, column, min(max(widest + 1, NARROWEST), WIDEST))
    sheet.freeze_panes(1, 0)
    if rows and columns:
        sheet.autofilter(0, 0, rows, columns - 1)


def _write_cell(sheet: Any, row: int, column: int, value: Any, day: Any) -> int:
    """Write one cell by its type; characters that it takes. What is not there stays empty."""
    if value is None or str(value) in ("nan", "<NA>", "NaT", ""):
        return 0
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
        return 5
    if isinstance(value, numbers.Real):
        if math.isfinite(value):
            sheet.write_number(row, column, float(value))
            return 10
        value = str(value)
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        sheet.write_datetime(row, column, value, day)
        return 16
    text = str(value)
    if len(text) > MOST_TEXT:
        text = text[: MOST_TEXT - 20] + "... (longer, cut)"
    sheet.write_string(row, column, text)
    return min(len(text), WIDEST)
