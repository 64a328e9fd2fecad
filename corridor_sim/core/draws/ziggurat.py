"""Tables of the ziggurat: 1,024 layers of equal area under the normal and the exponential density [marsaglia2000].

A word gives a layer (its lowest 10 bits) and a place in it (its highest bits). Most places lie under
the density whatever it is there (`inner`); the others are looked at one by one. The tables are
worked out with the functions of `elementary`, so they have the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
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


def _scalar(function: Callable[[FloatArray], FloatArray], x: float) -> float:
    return float(function(np.array([x]))[0])


def _layers(
    tail: float, area: float, density: Callable[[float], float], inverse: Callable[[float], float], steps: float
) -> Layers:
    edge = np.zeros(LAYERS + 1)
    edge[LAYERS], edge[BASE] = area / density(tail), tail
    for i in range(LAYERS - 2, 0, -1):
        edge[i] = inverse(area / edge[i + 1] + density(float(edge[i + 1])))
    value = np.array([density(float(x)) for x in edge])
    return Layers(edge[1:] / steps, edge[:-1].copy(), value[:-1].copy(), value[1:].copy(), tail)


# Beginning of the tail and area of a layer that close the top layer at the peak, found to 1e-15 by bisection.
NORMAL = _layers(
    4.038849846109506,
    0.0012263246463530809,
    lambda x: _scalar(exp, -0.5 * x * x),
    lambda y: float(np.sqrt(-2.0 * _scalar(log, y))),
    2.0**45,
)
"""Half of the standard normal; places are whole numbers from -2^45 to 2^45 - 1."""
EXPONENTIAL = _layers(
    9.256164544265545, 0.00097967899066202, lambda x: _scalar(exp, -x), lambda y: -_scalar(log, y), 2.0**53
)
"""The unit exponential; places are whole numbers from 0 to 2^53 - 1."""
