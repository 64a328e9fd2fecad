"""What indicators and components are called on screens, axes and in tables; to name one, add it to its table."""

from __future__ import annotations

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
    "cost_usd": "cost",
    "npv_usd": "net present value",
    "wait_p95_pooled_h": "95 of 100 wait at most",
    "queue_p95": "queue, 95th percentile",
    "queue_max": "longest queue",
    "unserved": "not served by the end",
    "capacity_per_day": "capacity",
    "load_per_day": "load",
}
"""Indicators in words."""
COMPONENT_WORDS = {
    "slot_wait": "wait for a booked slot",
    "acceptance_wait": "wait for daily acceptance",
    "wait": "wait for lanes",
    "entry_wait": "wait to enter a leg",
    "sailing_wait": "wait for a departure",
    "rest": "rest of drivers",
}
"""Components of a stay or journey, where they are called more than their id."""


def indicator_called(name: str) -> str:
    """What an indicator is called; one without a name of its own by its id as words.

    >>> indicator_called("delay_truck_h"), indicator_called("my_own_rate")
    ('truck-hours of delay', 'my own rate')
    """
    return WORDS.get(name, name.replace("_", " "))


def component_called(name: str) -> str:
    """What a component, or a stage, is called.

    >>> component_called("sailing_wait"), component_called("x_ray")
    ('wait for a departure', 'x ray')
    """
    return COMPONENT_WORDS.get(name, name.replace("_", " "))
