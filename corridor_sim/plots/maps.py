"""Where: the corridor in longitude and latitude, posts sized by the delay at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.plots.base import COLOURS, GREY, MODE_STYLE, PLOTS, legend_above, new_axes, no_data
from corridor_sim.plots.names import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes


NAME_POINTS = 158.0
"""Room for a name beside the corridor. [point]"""


@PLOTS.register("map", of="results", report=80)
def corridor_map(
    data: Any,
    *,
    ax: Axes | None = None,
    outline: Mapping[str, Any] | None = None,
) -> Axes:
    """Places, posts and legs by mode; of results only what is used, and posts sized by their delay.

    Parameters
    ----------
    data : Results, Comparison, Scenario or Corridor
        What is drawn; of a comparison its base.
    ax : Axes, optional
        Where to draw; a new figure if None.
    outline : mapping, optional
        GeoJSON with lines or polygons to draw beneath (coasts, borders); none is shipped.

    Returns
    -------
    Axes
        Longitude against latitude [degrees], stretched to the true shape at the middle latitude.
    """
    own, ax = ax is None, new_axes(ax, (9.0, 6.5))
    if getattr(data, "runs", None) is not None:
        data = data.runs[0]
    graph = getattr(data.scenario if hasattr(data, "table") else data, "graph", None)
    if graph is None:
        return no_data(ax, "a plan made by hand has no map")
    used = _used_legs(data) if hasattr(data, "table") else set()
    delay = _delay_h_day(data) if hasattr(data, "table") else {}
    seen: set[str] = set()
    modes: set[str] = set()
    for a, b, leg in graph.edges(keys=True):
        if leg in seen or (used and leg not in used):
            continue
        seen.add(leg)
        data = graph.edges[a, b, leg]
        ends = [graph.nodes[a], graph.nodes[b]]
        if any(end["lat"] is None or end["lon"] is None for end in ends):
            continue
        colour, dash = MODE_STYLE.get(data["mode"], (GREY, "-"))
        label = None if data["mode"] in modes else data["mode"]
        modes.add(data["mode"])
        ax.plot([e["lon"] for e in ends], [e["lat"] for e in ends], dash, color=colour, lw=1.4, label=label, zorder=2)
    touched = {node for a, b, leg in graph.edges(keys=True) if leg in seen for node in (a, b)}
    nodes = [n for n in graph.nodes if n in touched and graph.nodes[n]["lat"] is not None]
    largest = max(delay.values(), default=0.0) or 1.0
    for node in nodes:
        data = graph.nodes[node]
        if data["kind"] == "checkpoint":
            area = 30 + 600 * max(delay.get(node, 0.0), 0.0) / largest
            ax.scatter(
                data["lon"],
                data["lat"],
                s=area,
                marker="o" if node in delay else "s",
                color=COLOURS[3],
                alpha=0.75,
                edgecolor="white",
                linewidth=0.8,
                zorder=4,
            )
        else:
            ax.scatter(data["lon"], data["lat"], s=14, color="black", zorder=3)
    if not nodes:
        return no_data(ax, "the places have no coordinates")
    used_nodes = [graph.nodes[n] for n in nodes]
    middle = float(np.mean([node["lat"] for node in used_nodes]))
    narrow = float(np.cos(np.radians(middle)))
    if outline is not None:
        _draw_outline(ax, outline)
    ax.set_aspect(1 / narrow, adjustable="box")
    points = _frame(ax, used_nodes, narrow, own)
    _name_apart(ax, _names(graph, nodes), points)
    ax.set_xlabel("longitude [°E]")
    ax.set_ylabel("latitude [°N]")
    ax.grid(True, color="#eeeeee", linewidth=0.6)
    if modes:
        title = "leg" if not delay else f"leg; circle = delay (largest {largest:,.0f} truck-h/day)"
        legend_above(ax, 4, title=title, title_fontsize=8, alignment="left")
    return ax


def _used_legs(results: Any) -> set[str]:
    """Legs on the itinerary of any flow."""
    flows = results.plan.flows
    return {s.id for flow in flows for v in flow.variants for s in v.spans if s.kind == "leg"}


def _delay_h_day(results: Any) -> dict[str, float]:
    """Truck-hours of delay a day at each post, both directions."""
    days = (results.plan.counted_until_h - results.plan.warm_up_h) / 24
    found: dict[str, float] = {}
    for label, values in results.rows.select("delay_truck_h", kind="post"):
        found[label.place] = found.get(label.place, 0.0) + float(np.nanmean(values)) / days
    return found


def _names(graph: Any, nodes: list[str]) -> list[tuple[float, float, str]]:
    """Points with their names; the posts of one crossing share a name at their middle."""
    named: list[tuple[float, float, str]] = []
    crossings: dict[str, list[str]] = {}
    for node in nodes:
        data = graph.nodes[node]
        if data["kind"] == "checkpoint":
            partners = [b for _, b, border in graph.out_edges(node, data="border") if border]
            crossings.setdefault(min([node, *partners]), []).append(node)
        else:
            named.append((data["lon"], data["lat"], data["name"]))
    for posts in crossings.values():
        lon, lat = (float(np.mean([graph.nodes[n][axis] for n in posts])) for axis in ("lon", "lat"))
        named.append((lon, lat, " / ".join(f"{graph.nodes[n]['name']} {graph.nodes[n]['country']}" for n in posts)))
    return named


def _frame(ax: Axes, nodes: list[dict[str, Any]], narrow: float, own: bool) -> float:
    """Set limits with room for the names on both sides; points of a degree of latitude."""
    lon, lat = [node["lon"] for node in nodes], [node["lat"] for node in nodes]
    tall, wide = max(max(lat) - min(lat), 0.5), max(lon) - min(lon)
    box, inches = ax.get_position(original=True), ax.figure.get_size_inches()  # type: ignore[union-attr]
    # Axes of their own fill their figure when they are laid out, which is after this.
    share = (0.9, 0.8) if own else (box.width, box.height)
    across, high = 72 * share[0] * inches[0], 72 * share[1] * inches[1]
    points = high / (1.1 * tall)
    if wide * narrow * points + 2 * NAME_POINTS > across:
        points = max(across - 2 * NAME_POINTS, 0.2 * across) / max(wide * narrow, 1e-9)
    margin = NAME_POINTS / (narrow * points)
    ax.set_xlim(min(lon) - margin, max(lon) + margin)
    ax.set_ylim(min(lat) - 0.05 * tall, max(lat) + 0.05 * tall)
    return float(points)


def _name_apart(ax: Axes, named: list[tuple[float, float, str]], points: float) -> None:
    """Names in a column on either side of the corridor, in order of latitude, never overlapping."""
    lon, lat = np.array([p[0] for p in named]), np.array([p[1] for p in named])
    order = np.argsort(-lat)
    gap, middle, wide = 9.5 / points, float(np.median(lon)), float(np.diff(ax.get_xlim())[0])
    for side in (-1, 1):
        mine = [k for k in order if (lon[k] >= middle) == (side > 0)]
        heights = lat[mine].copy()
        for _ in range(2000):  # push neighbours apart from their middle until all gaps are wide enough
            overlap = np.maximum(gap - (heights[:-1] - heights[1:]), 0.0)
            if overlap.max(initial=0.0) < 0.01 * gap:
                break
            heights[:-1] += overlap / 2
            heights[1:] -= overlap / 2
        edge = (max if side > 0 else min)(lon) + side * wide * 0.03
        for k, height in zip(mine, heights, strict=True):
            ax.annotate(
                drawn(named[k][2], 44),
                (lon[k], lat[k]),
                xytext=(edge, height),
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=7.5,
                zorder=5,
                arrowprops={"arrowstyle": "-", "color": "#999999", "lw": 0.5, "shrinkA": 1, "shrinkB": 2},
            )
        low, high = ax.get_ylim()
        if len(mine):
            ax.set_ylim(min(low, heights.min() - gap), max(high, heights.max() + gap))


def _draw_outline(ax: Axes, outline: Mapping[str, Any]) -> None:
    for feature in outline.get("features", [outline]):
        geometry = feature.get("geometry", feature)
        lines = geometry["coordinates"]
        depth = {"LineString": 0, "Polygon": 1, "MultiLineString": 1, "MultiPolygon": 2}[geometry["type"]]
        for _ in range(depth - 1):
            lines = [line for part in lines for line in part]
        for line in lines if depth else [lines]:
            xy = np.asarray(line, dtype=float)
            ax.plot(xy[:, 0], xy[:, 1], color="#bbbbbb", lw=0.6, zorder=1)
