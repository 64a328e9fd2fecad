"""How a field says that it takes a law of durations."""

from __future__ import annotations

from typing import Annotated

from corridor_sim.model.schemas import KindOf
from corridor_sim.model.service_times import SERVICE_TIMES, ServiceTime

Law = Annotated[ServiceTime, KindOf(SERVICE_TIMES)]
"""A law of durations: an object, or a table with a kind."""
