"""How a number with its uncertainty is written: to two digits of the half-width, the same on every surface.

Terminal, report and plots all call `estimate`, so that one number reads the same
wherever it is seen.
"""

from __future__ import annotations

import math

MOST_DECIMALS = 6
NO_SPREAD = 1e-9
"""A half-width below this part of the mean is what is left of rounding, no spread."""


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
    if not math.isfinite(half) or half <= NO_SPREAD * abs(mean):
        text = f"{mean:{sign},.3g}" if abs(mean) < 999.5 else f"{mean:{sign},.0f}"
        return f"{text} ±0" if math.isfinite(half) else text
    places = decimals(half)
    return f"{rounded(mean, places, sign)} ±{rounded(half, places)}"


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
