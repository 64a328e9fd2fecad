"""From what happened to values with a unit; importing this package registers every indicator.

Each file answers one question. To add an indicator, see `base.py`.
"""

from corridor_sim.indicators import (
    capacity,
    costs,
    delay,
    emissions,
    extra_lanes,
    flows,
    queue_readings,
    queues,
    shapes,
    tfi,
    times,
)
from corridor_sim.indicators.base import INDICATORS, Collector, Indicator, Options, Reducer, SpanBlock, VisitBlock
from corridor_sim.indicators.table import Label, Table, join

__all__ = [
    "INDICATORS",
    "Collector",
    "Indicator",
    "Label",
    "Options",
    "Reducer",
    "SpanBlock",
    "Table",
    "VisitBlock",
    "capacity",
    "costs",
    "delay",
    "emissions",
    "extra_lanes",
    "flows",
    "join",
    "queue_readings",
    "queues",
    "shapes",
    "tfi",
    "times",
]
