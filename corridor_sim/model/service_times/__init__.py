"""Service-time laws: how long one consignment holds a lane, stays at a post or travels a leg.

To add a law, add one class to `simple.py` or `composed.py`; both say how.
"""

from corridor_sim.model.service_times.base import (
    SERVICE_TIMES,
    Draw,
    Hours,
    HoursFromZero,
    Law,
    ServiceTime,
    SimpleLaw,
    cv_of,
    require_weights,
    round_into,
    scaled,
)
from corridor_sim.model.service_times.coded import encode
from corridor_sim.model.service_times.composed import (
    Empirical,
    Hyperexponential,
    Mixture,
    Shifted,
)
from corridor_sim.model.service_times.simple import (
    Deterministic,
    Erlang,
    Exponential,
    Gamma,
    Lognormal,
    Triangular,
    Uniform,
    Weibull,
)

__all__ = [
    "SERVICE_TIMES",
    "Deterministic",
    "Draw",
    "Empirical",
    "Erlang",
    "Exponential",
    "Gamma",
    "Hours",
    "HoursFromZero",
    "Hyperexponential",
    "Law",
    "Lognormal",
    "Mixture",
    "ServiceTime",
    "Shifted",
    "SimpleLaw",
    "Triangular",
    "Uniform",
    "Weibull",
    "cv_of",
    "encode",
    "require_weights",
    "round_into",
    "scaled",
]
