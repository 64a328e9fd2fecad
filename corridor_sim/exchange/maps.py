"""Places, posts, legs and crossings on the map with what a run came to there, and how scenarios differ. GeoJSON here.

To add a column, add its indicator to `OF_POSTS`, `OF_LEGS` or `OF_CROSSINGS`; GeoPackage (`geopackages.py`) then has
it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.exchange.datasets import UNITS, named_runs
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.called import crossing_name
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.leg_names import leg_called
from corridor_sim.results.results import Results

OF_POSTS = ("wait_h", "stay_h", "queue_mean", "queue_p95", "saturation", "throughput_per_day", "capacity_per_day")
OF_LEGS = ("throughput_per_day", "saturation", "wait_h", "queue_mean")
OF_CROSSINGS = ("tfi1", "tfi1_p95", "delay_h", "buffer_index", "throughput_per_day")
WAYS = {">": "forward", "<": "backward", "": "both"}
"""What columns call the directions of a leg: forward is the way in which it is written. Of a crossing it is that from
the first of its posts to the second; its columns `forward` and `backward` say the countries."""
WITH_INTERVAL = ("wait_h", "tfi1")
INDICATORS = tuple(dict.fromkeys((*OF_POSTS, *OF_LEGS, *OF_CROSSINGS)))
KINDS = {
    "place": ("places", "Point"),
    "post": ("posts", "Point"),
    "leg": ("legs", "LineString"),
    "crossing": ("crossings", "Point"),
}
"""Name and shape of the layer of each kind."""
Place = tuple[str, str, str]
"""Kind, id and direction of a row."""
Columns = Callable[[Sequence[Place], str, Sequence[str]], dict[str, Any]]
"""Columns of the first of some places that has a row, by the word for its direction and the indicators."""


@dataclass(frozen=True)
class Layer:
    """Features of one kind: a geometry and a row each.

    Attributes
    ----------
    name : str
        ``places``, ``posts``, ``legs`` or ``crossings``, or of differences ``post_differences`` and so on.
    shape : str
        ``Point`` or ``LineString``.
    coordinates : list
        Longitude and latitude of each point, or a list of them for each line; WGS 84. [deg]
    rows : list of dict
        The columns of each feature, the same names in all.
    """

    name: str
    shape: str
    coordinates: list[Any] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def layers_of(source: Results | Comparison) -> tuple[list[Layer], list[str]]:
    """The layers of a run, or of all runs of a comparison (column `scenario`), and ids that have no coordinates.

    Of a comparison there are besides layers of the differences of each scenario from the base (column `base`).

    Raises
    ------
    CorridorError
        If a run was made from a plan, which has no map, or nothing has coordinates.
    """
    names, runs = named_runs(source)
    refuse_without_map(run.scenario for run in runs)
    layers = {kind: Layer(plural, shape) for kind, (plural, shape) in KINDS.items()}
    changes = {kind: Layer(f"{kind}_differences", shape) for kind, (_, shape) in KINDS.items() if kind != "place"}
    left_out: dict[str, None] = {}
    for name, run in zip(names, runs, strict=True):
        left_out |= dict.fromkeys(_add(layers, run, {"scenario": name}, _means(run)))
    if isinstance(source, Comparison):
        for name, run in zip(names[1:], runs[1:], strict=True):
            _add(changes, run, {"scenario": name, "base": names[0]}, _differences(source, name))
    return [layer for layer in (*layers.values(), *changes.values()) if layer.rows], list(left_out)


def units_of(source: Results | Comparison, layers: Sequence[Layer]) -> list[tuple[str, str, str]]:
    """(layer, column, unit) of every column of an indicator; a pure number has the unit 1."""
    units = {label.indicator: label.unit for run in named_runs(source)[1] for label in run.rows.labels}
    found = []
    for layer in layers:
        for column in layer.rows[0]:
            of = [name for name in INDICATORS if column.startswith(f"{name}_") and name in units]
            if of and not column.endswith("_verdict"):
                unit = units[max(of, key=len)]
                found.append((layer.name, column, UNITS.get(unit, unit)))
    return found


def refuse_without_map(scenarios: Iterable[Any]) -> None:
    """Refuse what has no places on a map: a plan, or scenarios in which nothing has coordinates.

    Raises
    ------
    CorridorError
        With what is missing. It needs no run.
    """
    nodes: list[Any] = []
    for scenario in scenarios:
        if not isinstance(scenario, Scenario):
            raise CorridorError("a plan without a scenario has no places on a map")
        nodes += [*scenario.places.values(), *scenario.checkpoints.values()]
    if not any(_is_placed(node) for node in nodes):
        raise CorridorError("nothing has coordinates (lat and lon of places and checkpoints): there is no map to write")


def _is_placed(node: Any) -> bool:
    return None not in (node.lon, node.lat)


def to_geojson(source: Results | Comparison) -> dict[str, Any]:
    """Places, posts, legs and crossings of a run or comparison as a GeoJSON FeatureCollection (RFC 7946).

    Properties end in the direction (``wait_h_exit``, ``saturation_forward``); ``low`` and ``high`` are the ends of
    the interval of sampling noise. Of a comparison there are besides features of the layers ``post_differences``,
    ``leg_differences`` and ``crossing_differences``: scenario less base (``wait_h_exit_difference``) with its interval
    and verdict. A crossing stands in the middle between its two posts. ``units`` has the unit of each property,
    ``left_out`` what has no coordinates. Write it with `json.dump`.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> at = {"checkpoints.northgate_a.lat": 41.0, "checkpoints.northgate_a.lon": 48.0}
    >>> results = cs.run(cs.load_scenario("teaching", at), replications=10, rng=1)
    >>> features = to_geojson(results)["features"]
    >>> post = next(one for one in features if one["properties"]["layer"] == "posts")
    >>> post["geometry"]["type"], post["properties"]["wait_h_exit"] > 0
    ('Point', True)
    """
    layers, left_out = layers_of(source)
    names, runs = named_runs(source)
    features = []
    for layer in layers:
        for coordinates, row in zip(layer.coordinates, layer.rows, strict=True):
            id = row["id"] if len(runs) == 1 else f"{row['scenario']}/{row['id']}"
            features.append(
                {
                    "type": "Feature",
                    "id": f"{layer.name}/{id}",
                    "geometry": {"type": layer.shape, "coordinates": coordinates},
                    "properties": {"layer": layer.name, **row},
                }
            )
    units = {column: unit for _, column, unit in units_of(source, layers)}
    about = {"about": runs[0].about(), "units": units, "left_out": left_out}
    return {"type": "FeatureCollection", "name": ", ".join(names), **about, "features": features}


def _add(layers: Mapping[str, Layer], run: Results, scenario: Mapping[str, Any], columns: Columns) -> list[str]:
    """The features of one run to the layers that are asked for; ids without coordinates are returned."""
    corridor = run.scenario
    nodes = {**corridor.places, **corridor.checkpoints}
    at = {id: [node.lon, node.lat] for id, node in nodes.items() if _is_placed(node)}
    left_out = [id for id in nodes if id not in at]
    overloaded: dict[str, list[str]] = {}
    for element in run.overloaded():
        overloaded.setdefault(element.removeprefix("leg:").partition(".")[0].rstrip("<>"), []).append(element)
    counted = {"replications": run.replications}

    def add(kind: str, id: str, coordinates: Any, row: Mapping[str, Any]) -> None:
        layers[kind].coordinates.append(coordinates)
        worst = {} if kind in ("place", "crossing") else {"overloaded": "; ".join(overloaded.get(id, ()))}
        layers[kind].rows.append({**scenario, "id": id, **row, **worst})

    for id, place in corridor.places.items():
        if id in at and "place" in layers:
            add("place", id, at[id], {"name": place.name or id, "country": place.country, "kind": place.kind})
    for id, post in corridor.checkpoints.items():
        if id in at:
            row = {"name": post.name or id, "country": post.country, "crossing": post.crossing, **counted}
            for direction in ("exit", "entry"):
                row |= columns([("post", id, direction)], direction, OF_POSTS)
            add("post", id, at[id], row)
    for id, leg in corridor.legs.items():
        if leg.from_ not in at or leg.to not in at:
            left_out.append(id)
            continue
        row = {"name": leg_called(corridor, id), "mode": leg.mode}
        row |= {"from": leg.from_, "to": leg.to, "length_km": float(leg.length_km), "hours": leg.mean_travel_h}
        row |= {"border": leg.border, **counted}
        for sign, word in WAYS.items():
            # What is waited and served there has the id of its element, which is of one way or of both.
            row |= columns([("leg", id, sign), ("leg", f"leg:{id}{sign or '<>'}", "")], word, OF_LEGS)
        add("leg", id, [at[leg.from_], at[leg.to]], row)
    for id, posts in corridor.crossings.items():
        middle = _middle([at[post] for post in posts if post in at])
        if len(posts) != 2 or middle is None:
            left_out.append(id)
            continue
        sides = [corridor.checkpoints[post].country or post for post in posts]
        ways = {"forward": ">".join(sides), "backward": ">".join(reversed(sides))}
        row = {"name": crossing_name(run, id, ""), **ways, **counted}
        for word, way in ways.items():
            row |= columns([("crossing", id, way)], word, OF_CROSSINGS)
        add("crossing", id, middle, row)
    return left_out


def _middle(points: list[list[float]]) -> list[float] | None:
    """The point between those of two posts; None where they lie on both sides of the 180th meridian, or are not two."""
    if len(points) != 2 or abs(points[0][0] - points[1][0]) > 180:
        return None
    return [(points[0][k] + points[1][k]) / 2 for k in (0, 1)]


def _means(run: Results) -> Columns:
    """Columns of the mean of a run, all classes together, with the interval where it is wanted."""
    from corridor_sim.statistics import mean_limits

    wanted = [name for name in INDICATORS if name in run.rows.indicators]
    means: dict[tuple[str, ...], tuple[float, ...]] = {}
    if wanted:
        table = run.rows.select(wanted, cargo_class="", of="", hour=None, day=None)
        mean, low, high = mean_limits(table.values.T)
        for label, *values in zip(table.labels, mean, low, high, strict=True):
            means[label.indicator, label.kind, label.place, label.direction] = tuple(map(float, values))

    def columns(places: Sequence[Place], word: str, names: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in names:
            values = next((means[name, *at] for at in places if (name, *at) in means), (np.nan,) * 3)
            shown = [_number(value) for value in values]
            found[f"{name}_{word}"] = shown[0]
            if name in WITH_INTERVAL:
                found |= {f"{name}_{word}_low": shown[1], f"{name}_{word}_high": shown[2]}
        return found

    return columns


def _differences(comparison: Comparison, name: str) -> Columns:
    """Columns of the difference of one scenario from the base: with its interval, and whether it is one."""
    wanted = [one for one in INDICATORS if one in comparison.base.rows.indicators]
    rows: dict[tuple[str, ...], Any] = {}
    if wanted:
        frame = comparison.table(wanted, cargo_class="", of="")
        for row in frame[frame["scenario"] == name].itertuples():
            rows[str(row.indicator), str(row.kind), str(row.place), str(row.direction)] = row

    def columns(places: Sequence[Place], word: str, names: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in names:
            row = next((rows[one, *at] for at in places if (one, *at) in rows), None)
            of = f"{one}_{word}"
            for end in ("difference", "low", "high"):
                found[f"{of}_{end}"] = None if row is None else _number(getattr(row, end))
            found[f"{of}_verdict"] = None if row is None else str(row.verdict)
        return found

    return columns


def _number(value: float) -> float | None:
    """A number as files have it: none where there is none."""
    return float(value) if np.isfinite(value) else None
