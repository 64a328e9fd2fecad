"""How a number with its uncertainty is written: to two digits of the half-width, the same on every surface.

Terminal, report and plots all call `estimate`, so that one number reads the same
wherever it is seen.
"""

from __future__ import annotations

import math

MOST_DECIMALS = 6
NO_SPREAD = 1e-9
"""A half-width below this part of the mean is what is left of rounding, no spread."""
LEAST_SHOWN = 0.5 * 10.0**-MOST_DECIMALS
"""A half-width up to this would be written as zeros: it is finer than what the clock of a run tells (2^-20 h)."""


def estimate(mean: float, half: float = math.nan, sign: str = "") -> str:
    """A mean with its half-width: that to two significant digits, the mean to the same decimal place.

    Without a half-width (NaN) the mean has three significant digits, or all of its whole digits; without a
    mean it is ``"-"``. `sign` ``"+"`` writes the sign of positive means too.

    Examples
    --------
    >>> estimate(-2.4812, 1.2814), estimate(0.25, 0.0996), estimate(50761.2, 8195.4)
    ('-2.5 ±1.3', '0.25 ±0.10', '50,800 ±8,200')
    >>> estimate(250.0, 0.0), estimate(0.6123), estimate(4611.4), estimate(math.nan)
    ('250 ±0', '0.612', '4,611', '-')
    """
    if math.isnan(mean):
        return "-"
    if not math.isfinite(half) or half <= max(NO_SPREAD * abs(mean), LEAST_SHOWN):
        text = f"{mean:{sign},.3g}" if abs(mean) < 999.5 else f"{mean:{sign},.0f}"
        return f"{text} ±0" if math.isfinite(half) else text
    places = decimals(half)
    return f"{rounded(mean, places, sign)} ±{rounded(half, places)}"


def narrow(mean: float, half: float = math.nan) -> str:
    """The same for a cell of a narrow table: no space before the half-width, which is 0.001 or more if it is not 0.

    A thousandth of an hour is 3.6 seconds: less would not fit into the column.

    Examples
    --------
    >>> narrow(0.25, 0.0996), narrow(1.5, 0.00001), narrow(math.nan)
    ('0.25±0.10', '1.5000±0.0010', '-')
    """
    return estimate(mean, max(half, 0.001) if half > 0 else half).replace(" ±", "±")


def ends(low: float, high: float) -> tuple[str, str]:
    """The two ends of an interval, to two significant digits of its half-width; only a 0 is written as 0.

    An end so near to 0 that those digits would lose it has one significant digit of its own. What is below 1e-9 of the
    other end is what is left of rounding.

    Examples
    --------
    >>> ends(-605.7, -589.6), ends(-20.3, -0.41), ends(-492.2, 0.000212), ends(-1040.4, 0.0), ends(0.0, 0.0)
    (('-605.7', '-589.6'), ('-20.3', '-0.4'), ('-490', '0.0002'), ('-1,040', '0'), ('0', '0'))
    """
    half = (high - low) / 2
    if not math.isfinite(half) or half <= NO_SPREAD * max(abs(low), abs(high)):
        return estimate(low), estimate(high)
    largest = max(abs(low), abs(high))
    return _end(low, decimals(half), largest), _end(high, decimals(half), largest)


def _end(value: float, places: int, largest: float) -> str:
    if round(value, places) or abs(value) <= NO_SPREAD * largest:
        return rounded(value, places)
    own = -int(f"{value:.0e}".partition("e")[2])
    return rounded(value, own) if own <= MOST_DECIMALS else f"{value:.0e}"


def decimals(half: float) -> int:
    """Decimal place of the second significant digit of a half-width > 0; negative for tens and more, at most 6.

    >>> decimals(1.28), decimals(0.0996), decimals(8195.4)
    (1, 2, -2)
    """
    exponent = int(f"{half:.1e}".partition("e")[2])
    return min(MOST_DECIMALS, 1 - exponent)


def rounded(value: float, places: int, sign: str = "") -> str:
    """A number to so many decimals (negative: tens, hundreds), with separators of thousands and no minus zero."""
    return f"{round(value, places) + 0.0:{sign},.{max(places, 0)}f}"
