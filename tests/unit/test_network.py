import json

import networkx as nx

import corridor_sim as cs

NETWORKX = tuple(int(part) for part in nx.__version__.split(".")[:2])


def test_geojson_has_every_place_post_and_leg_in_lon_lat():
    corridor = cs.load_corridor("north_south")
    network = json.loads(json.dumps(cs.network_geojson(corridor)))
    shapes = [feature["geometry"]["type"] for feature in network["features"]]
    assert shapes.count("Point") == len(corridor.places) + len(corridor.checkpoints)
    assert shapes.count("LineString") == len(corridor.legs)
    assert not network["left_out"]
    baku = next(feature for feature in network["features"] if feature["id"] == "baku")
    lon, lat = baku["geometry"]["coordinates"]
    assert (lon, lat) == (corridor.places["baku"].lon, corridor.places["baku"].lat)
    assert 49 < lon < 51
    assert 40 < lat < 41


def test_a_place_without_coordinates_is_named_with_its_legs():
    corridor = cs.load_corridor("north_south")
    nowhere = corridor.places["baku"].replace(lat=None, lon=None)
    corridor = corridor.replace(places={**corridor.places, "baku": nowhere})
    network = cs.network_geojson(corridor)
    touching = [id for id, leg in corridor.legs.items() if "baku" in (leg.from_, leg.to)]
    assert network["left_out"] == ["baku", *touching]


def test_node_link_json_comes_back_as_the_same_graph():
    corridor = cs.load_corridor("north_south")
    data = json.loads(json.dumps(cs.network_json(corridor)))
    again = nx.node_link_graph(data, **{"edges" if NETWORKX >= (3, 4) else "link": "edges"})
    graph = corridor.graph
    assert set(again.nodes) == set(graph.nodes)
    assert set(again.edges(keys=True)) == set(graph.edges(keys=True))
    assert all(again.edges[edge]["length_km"] == graph.edges[edge]["length_km"] for edge in graph.edges(keys=True))
    assert all(again.edges[edge]["forward"] == graph.edges[edge]["forward"] for edge in graph.edges(keys=True))
