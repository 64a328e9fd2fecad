"""Names of the rows that each registered indicator gives, where these are not its own name alone.

A contract test holds this to what the indicators really give. A table takes the name of an indicator that is no row
(``queue``) for all its rows.
"""

from __future__ import annotations

ROWS: dict[str, tuple[str, ...]] = {
    "buffer_h": ("buffer_h", "buffer_index"),
    "cost_usd": ("cost_usd", "cost_usd_tkm"),
    "created": ("created", "finished", "unfinished", "lost"),
    "delay_truck_h": ("delay_truck_h", "delay_truck_h_per_day"),
    "delivered": ("delivered_t", "delivered_value_usd", "delivered_teu"),
    "door_to_door_h": (
        "door_to_door_h",
        "door_to_door_p50_h",
        "door_to_door_p95_h",
        "door_to_door_p50_pooled_h",
        "door_to_door_p95_pooled_h",
    ),
    "extra_lanes": ("extra_lane_h_per_day", "extra_lane_openings_per_day"),
    "headroom": ("days_saturated", "saturation_day"),
    "left_queue": ("left_queue", "left_queue_share", "left_queue_wait_h"),
    "queue": ("queue_mean", "queue_p95", "queue_max"),
    "queue_by_hour": ("queue_by_hour", "queue_by_hour_p95"),
    "queue_km": ("queue_p50_km", "queue_p90_km", "queue_p95_km", "queue_max_km"),
    "release_time_h": ("release_time_h", "visit_share"),
    "saturation": ("capacity_per_day", "load_per_day", "saturation"),
    "saturation_by_day": ("capacity_by_day", "load_by_day", "saturation_by_day"),
    "stay_percentiles_h": ("stay_p50_h", "stay_p95_h", "stay_p50_pooled_h", "stay_p95_pooled_h"),
    "tfi1": ("tfi1", "tfi1_p50", "tfi1_p95", "tfi1_p50_pooled", "tfi1_p95_pooled"),
    "tfi4": ("tfi4_swod", "tfi4_swd", "tfi4_swd_cv"),
    "unserved": ("unserved", "unserved_wait_h"),
    "wait_p95_h": ("wait_p95_h", "wait_p95_pooled_h"),
}


def rows_of(kind: str) -> tuple[str, ...]:
    """Names of the rows of an indicator.

    >>> rows_of("queue"), rows_of("stay_h")
    (('queue_mean', 'queue_p95', 'queue_max'), ('stay_h',))
    """
    return ROWS.get(kind, (kind,))
