"""What places are called on axes and in tables: names of people, not ids of files.

Names come from the labels of the plan, so that results of a plan made by hand have
them too. They are whatever a user wrote: `drawn` makes them safe to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
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


def post_name(results: Any, post: str) -> str:
    """Name of a post with its country."""
    label = _labels(results, "posts").get(post, {})
    name, country = str(label.get("name") or post), str(label.get("country", ""))
    return name if not country or name.split()[-1:] == [country] else f"{name} {country}"


def passage_name(results: Any, post: str, direction: str, most: int = 32) -> str:
    """Name of a post, cut if need be, and the direction in which it is passed."""
    return f"{clean(post_name(results, post), most)}, {direction}"


def flow_name(results: Any, flow: str) -> str:
    """Name of a flow."""
    for one in results.plan.flows:
        if one.id == flow:
            return str(one.labels.get("name") or flow)
    return flow


def crossing_name(results: Any, crossing: str, direction: str) -> str:
    """Names of the posts of a crossing in the direction of travel (``"Samur – Yarag-Kazmalyar, AZ→RU"``)."""
    posts = _labels(results, "posts")
    sides = direction.split(">")
    mine = [(str(label.get("country", "")), label) for label in posts.values() if label.get("crossing") == crossing]
    mine.sort(key=lambda pair: sides.index(pair[0]) if pair[0] in sides else len(sides))
    names = list(dict.fromkeys(str(label.get("name") or crossing) for _, label in mine))
    return f"{' – '.join(names) or crossing}, {direction.replace('>', '→')}".strip(", ")


def place_name(results: Any, kind: str, place: str, direction: str = "") -> str:
    """Name of any place that a row of the table is about, without marks that could turn what stands beside it."""
    return clean(_place_name(results, kind, place, direction), 1000)


def _place_name(results: Any, kind: str, place: str, direction: str) -> str:
    if kind == "corridor":
        return "whole corridor"
    if kind == "post":
        return f"{post_name(results, place)}, {direction}"
    if kind == "crossing":
        return crossing_name(results, place, direction)
    if kind == "flow":
        return flow_name(results, place)
    if kind == "stage":
        post, _, stage = place.partition(".")
        return f"{post_name(results, post)}, {stage.replace('.', ' ')}"
    return leg_name(results, place)


def leg_name(results: Any, element: str) -> str:
    """Name of a leg or of an element of it (``leg:derbent_samur>``)."""
    way, _, part = element.removeprefix("leg:").partition(".")
    arrow = " ↔" if way.endswith("<>") else {">": " →", "<": " ←"}.get(way[-1:], "")
    id = way.rstrip("<>")
    name = results.plan.labels.get("legs", {}).get(id) or id
    ban = f", {part.replace('.', ' ').replace('_', ' ')}" if part.startswith("ban.") else ""
    return f"{str(name).replace('_', ' ')}{arrow}{ban}"


def _labels(results: Any, what: str) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = results.plan.labels.get(what, {})
    return found
