"""Coasts and land borders to draw beneath a map: the packaged outline of the world (Natural Earth, public domain
[naturalearth2018])."""

from __future__ import annotations

import functools
from importlib.resources import files

import numpy as np

from corridor_sim.core.units import FloatArray

Piece = tuple[str, FloatArray]
"""``"coast"`` or ``"border"``, and longitude and latitude, shape (point, 2). [degrees]"""


@functools.cache
def world() -> tuple[Piece, ...]:
    """All pieces; how they were made stands beside the data (``data/outline/README.md``)."""
    text = files("corridor_sim.data").joinpath("outline", "world.txt").read_text(encoding="ascii")
    found = []
    for line in text.splitlines():
        kind, *numbers = line.split()
        found.append((kind, np.cumsum(np.array(numbers, dtype=float).reshape(-1, 2), axis=0) / 100))
    return tuple(found)


def within(west: float, east: float, south: float, north: float) -> list[Piece]:
    """The parts of the pieces that a frame shows, each line cut where it leaves it by more than a point. [degrees]

    Examples
    --------
    >>> {kind for kind, _ in within(48.0, 50.0, 37.5, 42.5)} == {"coast", "border"}  # the Caspian at Astara and Samur
    True
    >>> within(-30.0, -29.0, 40.0, 41.0)  # the open Atlantic
    []
    """
    found = []
    for kind, xy in world():
        lon, lat = xy.T
        # A segment is seen if its box meets the frame.
        east_end, west_end = np.maximum(lon[:-1], lon[1:]), np.minimum(lon[:-1], lon[1:])
        north_end, south_end = np.maximum(lat[:-1], lat[1:]), np.minimum(lat[:-1], lat[1:])
        seen = np.flatnonzero((east_end >= west) & (west_end <= east) & (north_end >= south) & (south_end <= north))
        if not len(seen):
            continue
        for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
            found.append((kind, xy[run[0] : run[-1] + 2]))
    return found
