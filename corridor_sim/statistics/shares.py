"""Shares of a count, with intervals."""

from __future__ import annotations

import math
from statistics import NormalDist


def share_interval(count: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share by the score test [wilson1927]: never outside 0 and 1, and wide where little was counted.

    Examples
    --------
    >>> tuple(round(end, 4) for end in share_interval(18, 100))
    (0.117, 0.2667)
    >>> tuple(round(end, 4) for end in share_interval(0, 10))
    (0.0, 0.2775)
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    if not of:
        return 0.0, 1.0
    share, scale = count / of, 1.0 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    half = z / scale * math.sqrt(share * (1.0 - share) / of + z * z / (4.0 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)
