"""What indicators are called on axes and in tables, and how any name is drawn; what places are called is in
`results/called.py`.
"""

from __future__ import annotations

from typing import Any

from corridor_sim.core.clean_text import LONGEST as LONGEST
from corridor_sim.core.clean_text import clean as clean

WORDS = {
    "tfi1": "time to cross (TFI1)",
    "tfi1_p95_pooled": "95 of 100 cross within",
    "buffer_index": "buffer index",
    "delay_h": "delay of a crossing",
    "throughput_per_day": "left",
    "tfi2": "cost at the crossing (TFI2)",
    "wait_h": "wait for lanes",
    "stay_h": "stay",
    "stay_p95_pooled_h": "95 of 100 stay at most",
    "queue_mean": "mean queue",
    "queue_p95_km": "queue, 95th percentile",
    "saturation": "load / capacity",
    "door_to_door_h": "door to door",
    "door_to_door_p95_pooled_h": "95 of 100 arrive within",
    "tfi4_swod": "speed without stops (TFI4 SWOD)",
    "tfi4_swd": "speed with delays (TFI4 SWD)",
    "tfi3": "cost of 500 km and 20 t (TFI3)",
    "delay_truck_h": "truck-hours of delay",
    "delay_truck_h_per_day": "truck-hours of delay a day",
    "delay_value_usd": "value of the delay",
    "delivered_t": "delivered",
    "delivered_value_usd": "value delivered",
    "co2_t": "CO2",
    "user_cost_usd": "cost to users",
    "released": "consignments released in the window",
    "created": "consignments created",
    "finished": "consignments finished",
    "unfinished": "consignments unfinished",
}
"""Indicators in words."""


def drawn(text: Any, most: int = LONGEST) -> str:
    """A name as matplotlib draws it: no formula is read into its dollar signs, no line hidden for an underscore.

    >>> drawn("a $x$")
    'a \\\\$x\\\\$'
    """
    safe = clean(text, most).replace("$", r"\$")
    return f"\u200a{safe}" if safe.startswith("_") else safe
