"""The corridor's network for other programs: GeoJSON for maps, node-link JSON for graphs.

Both are plain tables of the standard `json` module; write them with ``json.dump``.
"""

from __future__ import annotations

from typing import Any

from corridor_sim.model.corridor import Corridor


def network_geojson(corridor: Corridor) -> dict[str, Any]:
    """Places and posts as points, legs as straight lines (RFC 7946: longitude, latitude).

    Nodes without coordinates and legs that end at one are left out and named in the
    collection's ``left_out``.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> network = cs.network_geojson(cs.load_corridor("north_south"))
    >>> network["type"], network["features"][0]["geometry"]["type"]
    ('FeatureCollection', 'Point')
    """
    graph = corridor.graph
    at = {
        id: [node["lon"], node["lat"]] for id, node in graph.nodes(data=True) if None not in (node["lon"], node["lat"])
    }
    features = [
        _feature(id, "Point", at[id], {key: node[key] for key in ("kind", "name", "country")})
        for id, node in graph.nodes(data=True)
        if id in at
    ]
    left_out = [id for id in graph.nodes if id not in at]
    for id, leg in corridor.legs.items():
        if leg.from_ in at and leg.to in at:
            features.append(_feature(id, "LineString", [at[leg.from_], at[leg.to]], _leg(corridor, id)))
        else:
            left_out.append(id)
    return {"type": "FeatureCollection", "name": corridor.name, "left_out": left_out, "features": features}


def network_json(corridor: Corridor) -> dict[str, Any]:
    """The directed graph in networkx's node-link form (keys ``nodes`` and ``edges``).

    ``networkx.node_link_graph(data, edges="edges")`` reads it back with the same nodes,
    edges and keys (before networkx 3.4 the word is ``link="edges"``); where a leg's figures come
    from is ``figure_source``, since ``source`` is the node at which an edge begins.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> sorted(cs.network_json(cs.load_scenario("teaching")))
    ['directed', 'edges', 'graph', 'multigraph', 'nodes']
    """
    graph = corridor.graph
    nodes = [{"id": id, **node} for id, node in graph.nodes(data=True)]
    edges = [
        {"source": a, "target": b, "key": key, "forward": edge["forward"], **_leg(corridor, key)}
        for a, b, key, edge in graph.edges(keys=True, data=True)
    ]
    return {"directed": True, "multigraph": True, "graph": {"name": corridor.name}, "nodes": nodes, "edges": edges}


def _leg(corridor: Corridor, id: str) -> dict[str, Any]:
    leg = corridor.legs[id]
    return {
        "mode": leg.mode,
        "name": leg.name or id,
        "length_km": leg.length_km,
        "hours": leg.mean_travel_h,
        "border": leg.border,
        "status": leg.status,
        "figure_source": leg.source,
    }


def _feature(id: str, shape: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": id,
        "geometry": {"type": shape, "coordinates": coordinates},
        "properties": {"id": id, **properties},
    }
