"""Places, posts and legs on the map with what a run came to there: waits, load, queue. GeoJSON here.

To add a column, add its indicator to `OF_POSTS` or `OF_LEGS`; GeoPackage (`geopackages.py`) then has it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.exchange.datasets import named_runs
from corridor_sim.model.scenario import Scenario
from corridor_sim.results.comparison import Comparison
from corridor_sim.results.results import Results

OF_POSTS = ("wait_h", "stay_h", "queue_mean", "queue_p95", "saturation", "throughput_per_day", "capacity_per_day")
OF_LEGS = ("throughput_per_day", "saturation", "wait_h", "queue_mean")
WAYS = {">": "forward", "<": "backward", "": "both"}
"""What columns call the directions of a leg: forward is the way in which it is written."""
WITH_INTERVAL = ("wait_h",)


@dataclass(frozen=True)
class Layer:
    """Features of one kind: a geometry and a row each.

    Attributes
    ----------
    name : str
        ``places``, ``posts`` or ``legs``.
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

    Raises
    ------
    CorridorError
        If a run was made from a plan, which has no map, or nothing has coordinates.
    """
    names, runs = named_runs(source)
    layers = [Layer("places", "Point"), Layer("posts", "Point"), Layer("legs", "LineString")]
    left_out: dict[str, None] = {}
    for name, run in zip(names, runs, strict=True):
        if not isinstance(run.scenario, Scenario):
            raise CorridorError(f"{name} is a plan without a scenario: it has no places on a map")
        left_out |= dict.fromkeys(_add(layers, name, run))
    if not any(layer.rows for layer in layers):
        raise CorridorError("nothing has coordinates (lat and lon of places and checkpoints): there is no map to write")
    return [layer for layer in layers if layer.rows], list(left_out)


def to_geojson(source: Results | Comparison) -> dict[str, Any]:
    """Places, posts and legs of a run or comparison with its means, as a GeoJSON FeatureCollection (RFC 7946).

    Properties end in the direction (``wait_h_exit``, ``saturation_forward``); ``low`` and ``high`` are the ends of
    the interval of sampling noise. What has no coordinates is named in ``left_out``. Write it with `json.dump`.

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
    about = {"about": runs[0].about(), "left_out": left_out}
    return {"type": "FeatureCollection", "name": ", ".join(names), **about, "features": features}


def _add(layers: list[Layer], name: str, run: Results) -> list[str]:
    """The features of one run; ids without coordinates are returned."""
    places, posts, legs = layers
    corridor = run.scenario
    nodes = {**corridor.places, **corridor.checkpoints}
    at = {id: [node.lon, node.lat] for id, node in nodes.items() if None not in (node.lon, node.lat)}
    left_out = [id for id in nodes if id not in at]
    overloaded = run.overloaded()
    means = _means(run)
    for id, place in corridor.places.items():
        if id in at:
            places.coordinates.append(at[id])
            row = {"scenario": name, "id": id, "name": place.name or id, "country": place.country, "kind": place.kind}
            places.rows.append(row)
    for id, post in corridor.checkpoints.items():
        if id in at:
            row = {"scenario": name, "id": id, "name": post.name or id, "country": post.country}
            row |= {"crossing": post.crossing, "replications": run.replications}
            for direction in ("exit", "entry"):
                row |= _columns(means, "post", id, direction, direction, OF_POSTS)
            row["overloaded"] = "; ".join(one for one in overloaded if one.split(".")[0] == id)
            posts.coordinates.append(at[id])
            posts.rows.append(row)
    for id, leg in corridor.legs.items():
        if leg.from_ not in at or leg.to not in at:
            left_out.append(id)
            continue
        row = {"scenario": name, "id": id, "name": leg.name or id, "mode": leg.mode}
        row |= {"from": leg.from_, "to": leg.to, "length_km": float(leg.length_km), "hours": leg.mean_travel_h}
        row |= {"border": leg.border, "replications": run.replications}
        for sign, word in WAYS.items():
            row |= _columns(means, "leg", id, sign, word, OF_LEGS)
        row["overloaded"] = "; ".join(one for one in overloaded if one.split(".")[0] == id)
        legs.coordinates.append([at[leg.from_], at[leg.to]])
        legs.rows.append(row)
    return left_out


Means = Mapping[tuple[str, str, str, str], tuple[float, float, float]]


def _means(run: Results) -> Means:
    """Mean and interval by indicator, kind, place and direction, all classes together."""
    from corridor_sim.statistics import mean_limits

    known = set(run.rows.indicators)
    wanted = [name for name in dict.fromkeys((*OF_POSTS, *OF_LEGS)) if name in known]
    if not wanted:
        return {}
    table = run.rows.select(wanted, cargo_class="", of="", hour=None, day=None)
    mean, low, high = mean_limits(table.values.T)
    return {
        (label.indicator, label.kind, label.place, label.direction): (float(m), float(lo), float(hi))
        for label, m, lo, hi in zip(table.labels, mean, low, high, strict=True)
    }


def _columns(means: Means, kind: str, id: str, direction: str, word: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Columns of one place and direction; None where there is no value."""
    found: dict[str, Any] = {}
    for name in names:
        values = means.get((name, kind, id, direction), (np.nan, np.nan, np.nan))
        shown = [None if not np.isfinite(value) else value for value in values]
        found[f"{name}_{word}"] = shown[0]
        if name in WITH_INTERVAL:
            found |= {f"{name}_{word}_low": shown[1], f"{name}_{word}_high": shown[2]}
    return found
