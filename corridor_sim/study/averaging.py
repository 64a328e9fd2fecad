"""How far shares and demands go from run to run towards what would be chosen.

With the plain rule the step is one over the number of the run [sheffi1985]. Self-regulated [liu2009] it is 1/b; b grows
by 0.3 where the gap fell and by 1.5 where it rose. Both have one step for all. Where a queue is long, waits answer so
steeply to shares that a step must be very small, and that of others need not. So the third rule, *adapted*, has a
divisor for each flow, as resilient propagation has for each weight [riedmiller1993]: twice as large where the flow
would turn back, smaller where it would go on. Near the answer of one flow whose wait answers with slope L a divisor
between 1 + L and twice that is found after log2(L) turns.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray

AVERAGING = ("self-regulated", "1/k", "adapted")
"""Rules of the step: [liu2009], one over the number of the run [sheffi1985], a step for each flow."""
FELL, ROSE = 0.3, 1.5
"""What is added to the divisor of the step where the gap fell, and where it rose: within the ranges of [liu2009]."""
TURNED, WENT_ON = 2.0, 1.2
"""By what an adapted divisor is multiplied where a flow would turn back, and divided where it would go on: the factors
1/0.5 and 1.2 of [riedmiller1993]."""
LONGEST = math.log(2)
"""With adapted steps demand at most doubles or halves from run to run: without a queue it would jump to many times what
can come."""
LEAST_DEMAND = 1e-9
"""Demand over that of the scenario of which a logarithm is still taken."""


class AveragedSteps:
    """Steps of one start; they go on where the search ended when all replications are run.

    Examples
    --------
    >>> steps = AveragedSteps("adapted")
    >>> [float(steps.towards("a", 0.0, wanted)) for wanted in (1.0, -1.0, -1.0)]
    [1.0, -0.5, -0.6]
    """

    def __init__(self, averaging: str) -> None:
        self.averaging = averaging
        self._divisor = 1.0
        self._gaps: list[float] = []
        self._before = 0
        self._own: dict[str, float] = {}
        self._moves: dict[str, FloatArray] = {}

    def go_on(self, runs: int) -> None:
        """Begin after so many runs with other replications: their gaps are compared with each other alone."""
        self._before = runs
        self._divisor = 1.0 + FELL * self._before
        self._gaps = []

    def note(self, gap: float) -> None:
        """The gap of the run after which steps are gone."""
        self._gaps.append(gap)
        if self.averaging == "1/k":
            self._divisor = float(self._before + len(self._gaps))
        elif len(self._gaps) > 1:
            self._divisor += FELL if gap < self._gaps[-2] else ROSE

    def towards(self, name: str, now: ArrayLike, wanted: ArrayLike, longest: float = math.inf) -> FloatArray:
        """Where a thing goes that is at one value and would be at another."""
        here = np.asarray(now, dtype=float)
        move = np.asarray(wanted, dtype=float) - here
        if self.averaging != "adapted":
            return np.asarray(here + move / self._divisor)
        before = self._moves.get(name)
        divisor = self._own.get(name, 1.0)
        if before is not None:
            turned = float(np.vdot(before, move)) < 0
            divisor = divisor * TURNED if turned else max(1.0, divisor / WENT_ON)
        self._moves[name], self._own[name] = move, divisor
        return np.asarray(here + np.clip(move / divisor, -longest, longest))

    def demand(self, name: str, now: float, asked: float) -> float:
        """Where a demand goes; adapted by its logarithm, for demand answers by a power of the cost."""
        if self.averaging != "adapted":
            return float(self.towards(name, now, asked))
        here, there = math.log(max(now, LEAST_DEMAND)), math.log(max(asked, LEAST_DEMAND))
        return math.exp(float(self.towards(f"demand of {name}", here, there, LONGEST)))
