"""Measured times to laws: read a file or an array, refuse what is no time, fit every law that can be fitted."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, Problem, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.files.sheets import WORKBOOKS, columns_of_workbook
from corridor_sim.model import csv_columns
from corridor_sim.results.law_fits import LawFit, LawFits, made_fit
from corridor_sim.statistics.law_fitting import FAMILIES, Durations, fit_family

UNITS_H = {"h": 1.0, "min": 1.0 / 60.0, "s": 1.0 / 3600.0}
"""Hours in a unit of the times."""
FEWEST = 3
"""Times that ended, below which no law is fitted."""
YES, NO = ("1", "true", "yes"), ("0", "false", "no")


def fit_law(
    times: str | os.PathLike[str] | ArrayLike,
    laws: str | Iterable[str] | None = None,
    *,
    column: str | None = None,
    censored: str | ArrayLike | None = None,
    upper: str | ArrayLike | None = None,
    unit: str = "h",
    location: float = 0.0,
    rounded_to: float | None = None,
    delimiter: str = ",",
    decimal: str = ".",
    sheet: str | None = None,
) -> LawFits:
    """Fit the library's laws to measured times by maximum likelihood.

    Parameters
    ----------
    times : path of a CSV file or workbook (.xlsx, .ods), or array, shape (times,)
        Durations, >= 0. [unit]
    laws : str or iterable of str, optional
        Kinds to fit; by default all that can be: exponential, erlang, gamma, lognormal, weibull, hyperexponential,
        triangular, uniform.
    column : str, optional
        Header of the times in the file; may be left out where the file has one column.
    censored : header, or array of bool, shape (times,), optional
        Which were still going on when the time was taken (right-censored): 1, true or yes in a file.
    upper : header, or array, shape (times,), optional
        Each time lies between `times` and this; ``inf`` where it was still going on. [unit]
    unit : {"h", "min", "s"}
        Of the times, `location` and `rounded_to`; laws are in hours.
    location : float
        Least time that is possible; it is not fitted. The law is shifted by it. [unit]
    rounded_to : float, optional
        Times were rounded to multiples of this (1 where whole minutes were written down): each is then known between
        half a step below and above. Needed where some are 0. [unit]
    delimiter, decimal : str
        Between the cells of a CSV file, and before decimals.
    sheet : str, optional
        Of a workbook; may be left out where it has one.

    Returns
    -------
    LawFits
        The nearest law first; ``fits.table()``, ``fits.plot.qq()``, ``fits.to_toml()``.

    Raises
    ------
    ScenarioError
        If a time is not a finite number at or above `location`, with every bad row of the file or number of the array.
    ArgumentError
        For arguments that make no sense, and where too few times ended.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> fits = cs.fit_law([12, 15, 9, 22, 14, 31, 11, 17], ["gamma", "exponential"], unit="min")
    >>> fits.best.kind, round(fits.best.law.mean_h * 60, 3)
    ('gamma', 16.375)
    >>> still_there = [False] * 7 + [True]
    >>> round(cs.fit_law([1, 2, 1, 3, 2, 1, 2, 4], "exponential", censored=still_there).best.law.mean_h, 6)
    2.285714
    """
    wanted = [laws] if isinstance(laws, str) else list(FAMILIES) if laws is None else _listed(laws)
    for kind in wanted:
        arguments.one_of("laws", kind, FAMILIES)
    hours = UNITS_H[arguments.one_of("unit", unit, UNITS_H)]
    location = arguments.number("location", location, 0.0)
    step = None if rounded_to is None else arguments.number("rounded_to", rounded_to, above=0.0)
    if censored is not None and upper is not None:
        raise ArgumentError("give censored or upper, not both: an upper of inf says that a time was still going on")
    if isinstance(times, (str, os.PathLike)):
        path = os.fspath(times)
        is_workbook = path.lower().endswith(WORKBOOKS)
        if sheet is not None and not is_workbook:
            raise ArgumentError(f"sheet is of a workbook ({', '.join(WORKBOOKS)}), and {path} is none")
        csv_columns.require_signs(delimiter, decimal)
        signs = (",", ".") if is_workbook else (delimiter, decimal)
        low, high, about = _of_file(path, column, censored, upper, (*signs, sheet or ""), location, step)
    else:
        if sheet is not None:
            raise ArgumentError("sheet names one of a workbook, and times are no file")
        if column is not None:
            raise ArgumentError("column names a header of a file, and times are no file")
        low, high, about = _of_arrays(times, censored, upper, location, step)
    held = Durations(np.maximum(low - location, 0.0) * hours, (high - location) * hours)
    _refuse_too_few(held)
    return _fits(wanted, held, location * hours, about)


def _fits(wanted: Sequence[str], times: Durations, location_h: float, about: str) -> LawFits:
    fits: list[LawFit] = []
    left_out: dict[str, str] = {}
    for kind in dict.fromkeys(wanted):
        found = fit_family(kind, times)
        if isinstance(found, str):
            left_out[kind] = found
            continue
        try:
            fits.append(made_fit(found, times, location_h, about))
        except ScenarioError as error:
            left_out[kind] = f"would be beyond what the law takes: {error}"
    if not fits:
        raise ArgumentError("no law is left: " + "; ".join(f"{kind} {why}" for kind, why in left_out.items()))
    return LawFits(tuple(sorted(fits, key=lambda fit: fit.aic)), left_out, times, location_h, about)


def _refuse_too_few(times: Durations) -> None:
    ended = int((~times.open).sum())
    if ended < FEWEST:
        still = f", {int(times.open.sum())} were still going on" if times.open.any() else ""
        raise ArgumentError(f"a law needs at least {FEWEST} times that ended, got {ended}{still}")
    if times.complete and np.ptp(times.low) == 0.0:
        law = f'{{ kind = "deterministic", value_h = {times.low[0]:g} }}'
        raise ArgumentError(f"all times are {times.low[0]:g} h: write {law}, or give rounded_to")


def _listed(laws: Any) -> list[str]:
    if not isinstance(laws, Iterable):
        raise ArgumentError(f"laws must be names of laws, got {laws!r}")
    found = list(laws)
    if not found:
        raise ArgumentError(f"laws must name at least one of {', '.join(FAMILIES)}")
    return found


# ---------------------------------------------------------------- from arrays


def _of_arrays(
    times: Any, censored: Any, upper: Any, location: float, step: float | None
) -> tuple[FloatArray, FloatArray, str]:
    low = arguments.array("times", times)
    if low.ndim != 1 or not len(low):
        raise ArgumentError(f"times must be one list of numbers, got the shape {low.shape}")
    for name, given in (("censored", censored), ("upper", upper)):
        if isinstance(given, str):
            raise ArgumentError(f"{name} names a header of a file, and times are no file")
    going = np.zeros(len(low), dtype=bool)
    if censored is not None:
        flags = np.asarray(censored)
        if flags.dtype != bool or flags.shape != low.shape:
            raise ArgumentError(f"censored must be {len(low)} times True or False, got {censored!r}"[:200])
        going = flags
    high = low.copy()
    if upper is not None:
        high = arguments.array("upper", upper)
        if high.shape != low.shape:
            raise ArgumentError(f"upper must be as many as times, {len(low)}, got the shape {high.shape}")
    bad = [
        Problem(text, f"times.{k}", float(low[k]))
        for k in range(len(low))
        if (text := _wrong(float(low[k]), float(high[k]), location, step))
    ]
    _refuse(bad)
    return (*_bounds(low, high, going, location, step), _words(len(low), going | np.isinf(high), ""))


def _refuse(bad: list[Problem]) -> None:
    if bad:
        more = [Problem(f"and {len(bad) - csv_columns.SHOWN} more")] if len(bad) > csv_columns.SHOWN else []
        raise ScenarioError([*bad[: csv_columns.SHOWN], *more])


def _wrong(low: float, high: float, location: float, step: float | None) -> str:
    """What is wrong with one time, "" if nothing."""
    if not (math.isfinite(low) and low >= 0.0):
        return "must be a finite number >= 0"
    if math.isnan(high) or high < low:
        return f"must not be more than its upper bound, which is {high:g}"
    if step is None and low < location:
        return f"must not be below the location, {location:g}"
    if step is None and high == low == location:
        return "has no density at the location itself; say with rounded_to how finely times were written down"
    if step is not None and low + step / 2.0 <= location:
        return f"must not be below the location, {location:g}, by more than half a step"
    return ""


def _bounds(
    low: FloatArray, high: FloatArray, going: NDArray[np.bool_], location: float, step: float | None
) -> tuple[FloatArray, FloatArray]:
    """The bounds that each time lies between."""
    high = np.where(going, np.inf, high)
    if step is not None:
        low, high = np.maximum(low - step / 2.0, location), high + step / 2.0
    return low, high


def _words(count: int, going: NDArray[np.bool_], name: str) -> str:
    still = f", {int(going.sum())} of them still going on" if going.any() else ""
    return f"{count} times" + (f" of {name}" if name else "") + still


# ---------------------------------------------------------------- from files


def _of_file(
    path: str,
    column: str | None,
    censored: Any,
    upper: Any,
    form: tuple[str, str, str],
    location: float,
    step: float | None,
) -> tuple[FloatArray, FloatArray, str]:
    for name, given in (("column", column), ("censored", censored), ("upper", upper)):
        if given is not None and not isinstance(given, str):
            raise ArgumentError(f"{name} must be a header of {path}, got {given!r}"[:200])
    delimiter, decimal, sheet = form
    wanted = {name: header for name, header in (("censored", censored), ("upper", upper)) if header is not None}
    is_workbook = path.lower().endswith(WORKBOOKS)
    if is_workbook:
        headers = () if column is None else (column, *wanted.values())
        columns = columns_of_workbook(path, sheet, headers)
        column = _only(path, list(columns)) if column is None else column
    else:
        column = _only(path, _headers(path, delimiter)) if column is None else column
        columns = {header: csv_columns.read_column(path, header, delimiter) for header in (column, *wanted.values())}
    cells = columns[column]
    others = {name: [cell for _, cell in columns[header]] for name, header in wanted.items()}
    low, high, going, bad = np.zeros(len(cells)), np.zeros(len(cells)), np.zeros(len(cells), dtype=bool), []
    for k, (row, cell) in enumerate(cells):
        low[k] = csv_columns.number(cell, decimal)
        high[k] = csv_columns.number(others["upper"][k], decimal) if "upper" in others else low[k]
        text = _wrong(float(low[k]), float(high[k]), location, step)
        if text:
            hint = "" if is_workbook else csv_columns.other_decimal(cell, decimal)
            bad.append(f"row {row}, column {column}: {text}, got {cell!r}{hint}")
        if "censored" in others:
            word = others["censored"][k].lower()
            going[k] = word in YES
            if word not in YES + NO:
                allowed = "1, true, yes, 0, false or no"
                bad.append(f"row {row}, column {censored}: must be {allowed}, got {others['censored'][k]!r}")
    csv_columns.refuse_rows(path, bad, alone=True)
    if not cells:
        raise ScenarioError([Problem("has no rows below its header", "csv", path)])
    about = _words(len(cells), going | np.isinf(high), os.path.basename(path))
    return (*_bounds(low, high, going, location, step), about)


def _headers(path: str, delimiter: str) -> list[str]:
    """The headers of a CSV file."""
    text = csv_columns.text_of(path)
    first = text.splitlines()[0] if text.strip() else ""
    return [name.strip() for name in first.split(delimiter)]


def _only(path: str, headers: list[str]) -> str:
    """The header of a file that has one column."""
    if len(headers) != 1 or not headers[0]:
        raise ArgumentError(f"column must say which column of {path} has the times: {', '.join(headers) or 'none'}")
    return headers[0]
