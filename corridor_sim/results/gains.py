"""Who gains from a measure: the benefits of each flow, by class and by country."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.units import FloatArray

NOT_STATED = "not stated"
"""Stands for a country or class that the scenario does not name."""


@dataclass(frozen=True, eq=False)
class Gain:
    """The benefit of one flow by year.

    Attributes
    ----------
    countries : tuple of two
        Of the places where the flow begins and ends.
    benefits_usd : array, shape (year,)
        Mean over replications. [US$]
    """

    flow: str
    cargo_class: str
    countries: tuple[str, str]
    benefits_usd: FloatArray


def benefits_by(gains: Iterable[Gain], what: str) -> dict[str, FloatArray]:
    """Benefits by year, each shape (year,), by ``"flow"``, ``"class"`` or ``"country"`` (half to either end). [US$]"""
    found: dict[str, FloatArray] = {}
    for one in gains:
        names = {
            "flow": {one.flow: 1.0},
            "class": {one.cargo_class or NOT_STATED: 1.0},
            "country": _ends(one.countries),
        }[what]
        for name, share in names.items():
            found[name] = np.asarray(found.get(name, 0.0) + share * one.benefits_usd)
    return found


def _ends(countries: tuple[str, str]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for country in countries:
        shares[country or NOT_STATED] = shares.get(country or NOT_STATED, 0.0) + 0.5
    return shares
