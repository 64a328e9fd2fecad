"""Where: the corridor in longitude and latitude, legs as broad as their traffic, posts sized by the delay at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray
from corridor_sim.plots.base import COLOURS, GREY, MODE_STYLE, PLOTS, legend_above, new_axes, no_data
from corridor_sim.plots.changes import LESS_COLOUR, MORE_COLOUR
from corridor_sim.plots.names import drawn
from corridor_sim.plots.outline import within
from corridor_sim.results.comparison import LESS, MORE, SAME, paired_statistics, welch_statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes


ASIDE_INCH, MOST_INCH = 1.5, 6.5
"""For labels and legend above and below a map, and at most in all. [inch]"""
LARGEST_POINTS = 16.0
"""Room for the circle of a post at the edge of a map. [point]"""
LEG_COLOUR = "#444444"
"""Of all legs where colours tell how delay differs: modes are told by their dashes there."""
CHANGE_COLOURS = {LESS: LESS_COLOUR, MORE: MORE_COLOUR, SAME: GREY}
"""Colour of a post whose delay is less, more or not distinguishable."""
NAME_POINTS = 158.0
"""Room for a name beside the corridor. [point]"""


@PLOTS.register("map", of="results", report=80)
def corridor_map(
    data: Any,
    *,
    ax: Axes | None = None,
    outline: Mapping[str, Any] | Literal["world"] | None = "world",
    other: int | None = None,
) -> Axes:
    """Places, posts and legs by mode; of results only what is used, legs as broad as their traffic, posts by delay.

    Parameters
    ----------
    data : Results, Comparison, Scenario or Corridor
        What is drawn; of a comparison its base, or with `other` a scenario.
    ax : Axes, optional
        Where to draw; a new figure if None.
    outline : mapping, "world" or None
        Drawn beneath: GeoJSON with lines or polygons, or the packaged coasts and land borders (Natural Earth, public
        domain, simplified); None for nothing.
    other : int, optional
        Of a comparison: number of the scenario, from 1 on, whose posts show how their delay differs from the base:
        more, less, or grey where the interval of the difference holds 0. Traffic is that of the scenario.

    Returns
    -------
    Axes
        Longitude against latitude [degrees], stretched to the true shape at the middle latitude. Where no place
        has coordinates the network is drawn instead, near what is near by hours of travel, not to scale.
    """
    own, ax = ax is None, new_axes(ax, (9.0, 6.5))
    changes = None
    if getattr(data, "runs", None) is not None:
        changes = None if other is None else _changes_h_day(data, other)
        data = data.runs[other or 0]
    elif other is not None:
        raise ArgumentError("other is of a comparison: a run alone differs from nothing")
    graph = getattr(data.scenario if hasattr(data, "table") else data, "graph", None)
    if graph is None:
        return no_data(ax, "a plan made by hand has no map")
    results = data if hasattr(data, "table") else None
    used = _used_legs(results) if results is not None else set()
    delay = {post: float(one.mean()) for post, one in _delay_h_day(results).items()} if results is not None else {}
    if changes is not None:
        delay = {post: abs(change) for post, (change, _) in changes.items()}
    traffic = _traffic_a_day(results) if results is not None else {}
    legs = {leg: (a, b) for a, b, leg in graph.edges(keys=True) if not used or leg in used}
    touched = {node for ends in legs.values() for node in ends}
    at = {node: (graph.nodes[node]["lon"], graph.nodes[node]["lat"]) for node in touched}
    at = {node: place for node, place in at.items() if None not in place}
    on_earth = bool(at)
    if not on_earth:
        at = _network(graph, touched)
    modes = _draw_legs(ax, graph, legs, at, traffic, None if changes is None else LEG_COLOUR)
    nodes = [node for node in graph.nodes if node in at]
    largest = max(delay.values(), default=0.0) or 1.0
    for node in nodes:
        x, y = at[node]
        if graph.nodes[node]["kind"] == "checkpoint":
            area = 30 + 600 * max(delay.get(node, 0.0), 0.0) / largest
            ax.scatter(
                x,
                y,
                s=area,
                marker="o" if node in delay else "s",
                color=COLOURS[3] if changes is None else CHANGE_COLOURS[changes.get(node, (0.0, SAME))[1]],
                alpha=0.75,
                edgecolor="white",
                linewidth=0.8,
                zorder=4,
            )
        else:
            ax.scatter(x, y, s=14, color="black", zorder=3)
    if not nodes:
        return no_data(ax, "there are no places")
    if own and not on_earth:
        ax.figure.set_size_inches(9.0, 4.0)  # type: ignore[union-attr]
    narrow = float(np.cos(np.radians(np.mean([at[node][1] for node in nodes])))) if on_earth else 1.0
    ax.set_aspect(1 / narrow, adjustable="box")
    points = _frame(ax, [at[node] for node in nodes], narrow, own)
    _name_apart(ax, _names(graph, nodes, at), points)
    if on_earth:
        if isinstance(outline, Mapping):
            _draw_outline(ax, outline)
        elif outline is not None:
            _draw_world(ax)
        ax.set_xlabel("longitude [°E]")
        ax.set_ylabel("latitude [°N]")
        ax.grid(True, color="#eeeeee", linewidth=0.6)
    else:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel("no place has coordinates: near is near by hours of travel [not to scale]")
    if own:
        _fit_height(ax, narrow)
    if modes:
        parts = ["leg", f"as broad as its traffic (most {max(traffic.values()):,.0f} a day)" if traffic else ""]
        what = "delay" if changes is None else "difference of delay from the base"
        parts.append(f"circle = {what} (most {largest:,.0f} truck-h a day)" if delay else "")
        for word in [one for one in CHANGE_COLOURS if one in {word for _, word in (changes or {}).values()}]:
            label = word if word == SAME else f"{word} delay"
            ax.scatter([], [], s=40, color=CHANGE_COLOURS[word], alpha=0.75, edgecolor="white", label=label)
        legend_above(ax, 4, title="; ".join(part for part in parts if part), title_fontsize=8, alignment="left")
    return ax


def _draw_legs(
    ax: Axes,
    graph: Any,
    legs: Mapping[str, tuple[str, str]],
    at: Mapping[str, tuple[float, float]],
    traffic: Mapping[str, float],
    colour_of_all: str | None,
) -> set[str]:
    """Lines of the legs whose ends have a place, in the colours of their modes or in one; the modes drawn."""
    modes: set[str] = set()
    most = max(traffic.values(), default=0.0) or 1.0
    for leg, (a, b) in legs.items():
        if a not in at or b not in at:
            continue
        mode = graph.edges[a, b, leg]["mode"]
        colour, dash = MODE_STYLE.get(mode, (GREY, "-"))
        colour = colour_of_all or colour
        broad = 0.8 + 4.2 * traffic.get(leg, 0.0) / most if traffic else 1.4
        (ax_, bx), (ay, by) = zip(at[a], at[b], strict=True)
        ax.plot([ax_, bx], [ay, by], dash, color=colour, lw=broad, zorder=2)
        modes.add(mode)
    for mode in sorted(modes):
        colour, dash = MODE_STYLE.get(mode, (GREY, "-"))
        colour = colour_of_all or colour
        ax.plot([], [], dash, color=colour, lw=1.4, label=mode)
    return modes


def _network(graph: Any, nodes: set[str]) -> dict[str, tuple[float, float]]:
    """A place for each node, near what is near by hours of travel; the longest way lies across."""
    import networkx as nx

    if len(nodes) < 2:
        return dict.fromkeys(nodes, (0.0, 0.0))
    plain = nx.Graph()
    plain.add_nodes_from(sorted(nodes))
    edges = [(a, b, float(hours or 0.0)) for a, b, hours in graph.edges(data="hours") if a in nodes and b in nodes]
    least = 0.2 * max(hours for *_, hours in edges)
    for a, b, hours in edges:
        plain.add_edge(a, b, hours=max(hours, least, 0.1))  # posts of one border must not lie on each other
    xy = nx.kamada_kawai_layout(plain, weight="hours")
    order = list(xy)
    places = np.array([xy[node] for node in order])
    places -= places.mean(axis=0)
    _, directions = np.linalg.eigh(places.T @ places)
    turned = places @ directions[:, ::-1]
    turned[:, 0] *= 1.0 if turned[0, 0] <= 0 else -1.0  # the same from run to run
    turned[:, 1] *= 1.0 if turned[np.abs(turned[:, 1]).argmax(), 1] >= 0 else -1.0
    # About ten degrees wide, and never flatter than a third of that, so that the picture has room for names.
    turned *= 10.0 / max(float(np.ptp(turned[:, 0])), 1e-9)
    flat = float(np.ptp(turned[:, 1]))
    if 1e-6 < flat < 3.0:
        turned[:, 1] *= 3.0 / flat
    elif flat <= 1e-6:
        turned[:, 1] = 1.5 * (-1.0) ** np.arange(len(turned))
    return {node: (float(x), float(y)) for node, (x, y) in zip(order, turned, strict=True)}


def _used_legs(results: Any) -> set[str]:
    """Legs on the itinerary of any flow."""
    flows = results.plan.flows
    return {s.id for flow in flows for v in flow.variants for s in v.spans if s.kind == "leg"}


def _traffic_a_day(results: Any) -> dict[str, float]:
    """Vehicles a day on each leg, both directions, mean over replications. [1/day]"""
    found: dict[str, float] = {}
    if "throughput_per_day" not in results.rows.indicators:
        return found
    for label, values in results.rows.select("throughput_per_day", kind="leg", cargo_class=""):
        found[label.place] = found.get(label.place, 0.0) + float(np.nanmean(values))
    return found if any(found.values()) else {}


def _delay_h_day(results: Any) -> dict[str, FloatArray]:
    """Truck-hours of delay a day at each post, both directions, each of shape (replication,)."""
    found: dict[str, FloatArray] = {}
    if "delay_truck_h" in results.rows.indicators:
        for label, values in results.rows.select("delay_truck_h", kind="post", cargo_class="", of=""):
            found[label.place] = found.get(label.place, 0.0) + values / results.scope.window_days
    return found


def _fit_height(ax: Axes, narrow: float) -> None:
    """A figure as high as its map: a flat one leaves no empty paper above and below."""
    (west, east), (south, north), figure = ax.get_xlim(), ax.get_ylim(), ax.figure
    wide = float(figure.get_size_inches()[0])  # type: ignore[union-attr]
    high = ASIDE_INCH + (wide - ASIDE_INCH / 2) * (north - south) / ((east - west) * narrow)
    figure.set_size_inches(wide, min(high, MOST_INCH))  # type: ignore[union-attr]


def _changes_h_day(comparison: Any, other: int) -> dict[str, tuple[float, str]]:
    """Difference of the truck-hours of delay a day at each post, both directions, and more, less or the same."""
    if not 1 <= other < len(comparison.runs):
        raise ArgumentError(
            f"other must be from 1 to {len(comparison.runs) - 1}, the number of a scenario, got {other}"
        )
    base, run = comparison.runs[0], comparison.runs[other]
    level = 1.0 - (1.0 - comparison.confidence) / (len(comparison.runs) - 1)
    sums = [_delay_h_day(one) for one in (base, run)]
    posts = [post for post in sums[1] if post in sums[0]]
    if not posts:
        return {}
    before, after = (np.array([of[post] for post in posts]) for of in sums)
    statistics = paired_statistics if comparison.paired else welch_statistics
    held = statistics(before, after, level)
    ends = zip(posts, held["difference"], held["low"], held["high"], strict=True)
    return {post: (float(d), MORE if low > 0 else LESS if high < 0 else SAME) for post, d, low, high in ends}


def _names(graph: Any, nodes: list[str], at: Mapping[str, tuple[float, float]]) -> list[tuple[float, float, str]]:
    """Points with their names; the posts of one crossing share a name at their middle."""
    named: list[tuple[float, float, str]] = []
    crossings: dict[str, list[str]] = {}
    for node in nodes:
        data = graph.nodes[node]
        if data["kind"] == "checkpoint":
            partners = [b for _, b, border in graph.out_edges(node, data="border") if border]
            crossings.setdefault(min([node, *partners]), []).append(node)
        else:
            named.append((*at[node], data["name"]))
    for posts in crossings.values():
        lon, lat = (float(np.mean([at[n][axis] for n in posts])) for axis in (0, 1))
        named.append((lon, lat, " / ".join(_post_name(graph.nodes[n]) for n in posts)))
    return named


def _post_name(node: Mapping[str, Any]) -> str:
    """Name and country, the country once."""
    name, country = str(node["name"]), str(node["country"])
    return name if not country or name.split()[-1:] == [country] else f"{name} {country}"


def _frame(ax: Axes, places: list[tuple[float, float]], narrow: float, own: bool) -> float:
    """Set limits with room for the names on both sides; points of a degree of latitude."""
    lon, lat = zip(*places, strict=True)
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
    above = max(0.05 * tall, LARGEST_POINTS / points)
    ax.set_ylim(min(lat) - above, max(lat) + above)
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


def _draw_world(ax: Axes) -> None:
    """Coasts and land borders within the frame, which stays as it is."""
    west, east, south, north = *ax.get_xlim(), *ax.get_ylim()
    for kind, xy in within(west, east, south, north):
        colour, dash = ("#9db4c6", "-") if kind == "coast" else ("#bbbbbb", (0, (4, 2)))
        ax.plot(xy[:, 0], xy[:, 1], color=colour, ls=dash, lw=0.7, zorder=1)
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)


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
