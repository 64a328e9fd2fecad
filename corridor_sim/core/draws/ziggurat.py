"""Tables of the ziggurat: 1,024 layers of equal area under the normal and the exponential density [marsaglia2000].

A word gives a layer (its lowest 10 bits) and a place in it (its highest bits). Most places lie under
the density whatever it is there (`inner`); the others are looked at one by one. The tables are
worked out with the functions of `elementary`, so they have the same bits on every machine. An edge
follows from the one below it, so the edges take their time: they are kept in ``ziggurat.npy``,
which ``python -m corridor_sim.core.draws.ziggurat`` writes; a test works them out again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from corridor_sim.core.draws.elementary import exp, log
from corridor_sim.core.units import FloatArray

LAYERS = 1024
BASE = LAYERS - 1
"""The layer below, which has the tail."""


class Layers(NamedTuple):
    """By layer: width of one step of the place; where it is surely inside; density at the inner and the outer edge."""

    step: FloatArray
    inner: FloatArray
    high: FloatArray
    low: FloatArray
    tail: float
    """Where the tail begins."""


EDGES = Path(__file__).with_name("ziggurat.npy")
NORMAL_TAIL, NORMAL_AREA = 4.038849846109506, 0.0012263246463530809
EXPONENTIAL_TAIL, EXPONENTIAL_AREA = 9.256164544265545, 0.00097967899066202
"""Where a tail begins and the area of a layer that closes the top layer at the peak, found to 1e-15 by bisection."""


def _normal(x: FloatArray) -> FloatArray:
    return exp(-0.5 * x * x)


def _exponential(x: FloatArray) -> FloatArray:
    return exp(-x)


def edges() -> FloatArray:
    """Edges of the layers from the peak to the base, of the normal and of the exponential. (2, LAYERS + 1)"""
    return np.array(
        [
            _edges(NORMAL_TAIL, NORMAL_AREA, _normal, lambda y: np.sqrt(-2.0 * log(y))),
            _edges(EXPONENTIAL_TAIL, EXPONENTIAL_AREA, _exponential, lambda y: -log(y)),
        ]
    )


def _edges(
    tail: float, area: float, density: Callable[[FloatArray], FloatArray], inverse: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    edge = np.zeros(LAYERS + 1)
    edge[LAYERS:], edge[BASE] = area / density(np.array([tail])), tail
    for i in range(LAYERS - 2, 0, -1):
        below = edge[i + 1 : i + 2]
        edge[i : i + 1] = inverse(area / below + density(below))
    return edge


def _layers(edge: FloatArray, density: Callable[[FloatArray], FloatArray], steps: float) -> Layers:
    value = density(edge)
    return Layers(edge[1:] / steps, edge[:-1].copy(), value[:-1].copy(), value[1:].copy(), float(edge[BASE]))


if __name__ == "__main__":
    np.save(EDGES, edges())

_NORMAL_EDGES, _EXPONENTIAL_EDGES = np.load(EDGES)
NORMAL = _layers(_NORMAL_EDGES, _normal, 2.0**45)
"""Half of the standard normal; places are whole numbers from -2^45 to 2^45 - 1."""
EXPONENTIAL = _layers(_EXPONENTIAL_EDGES, _exponential, 2.0**53)
"""The unit exponential; places are whole numbers from 0 to 2^53 - 1."""
