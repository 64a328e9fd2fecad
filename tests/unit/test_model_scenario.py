"""A whole scenario: what it must hold together, its graph, its values by path, its way to data and back."""

import copy
import datetime as dt
import pickle
import sys
from pathlib import Path

import networkx as nx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from small_corridor import DATA, law, small

from corridor_sim.core.errors import ScenarioError
from corridor_sim.model.corridor import Corridor
from corridor_sim.model.resolution import problems
from corridor_sim.model.scenario import Scenario

ROAD = {"kind": "road", "length_km": 10, "speed_kmh": 50}


def told(scenario, severity=None):
    return "\n".join(str(one) for one in problems(scenario) if severity in (None, one.severity))


def test_the_small_scenario_has_no_errors():
    assert told(small(), "error") == ""


def test_the_graph_has_two_edges_a_leg_and_knows_its_nodes():
    graph = small().graph
    assert isinstance(graph, nx.MultiDiGraph)
    assert set(graph) == {*DATA["places"], *DATA["checkpoints"]}
    assert graph.number_of_edges() == 2 * len(DATA["legs"])
    assert graph.edges["baku", "samur_az", "baku_samur"]["length_km"] == 200
    assert graph.edges["samur_az", "baku", "baku_samur"]["forward"] is False
    assert graph.nodes["samur_az"]["kind"] == "checkpoint"
    assert small().crossings["samur"] == ("samur_az", "samur_ru")


def test_a_scenario_comes_back_from_its_data_and_from_a_pickle():
    scenario = small(
        improvements={"more": {"kind": "add_lanes", "at": "checkpoints.samur_az.exit.documents", "lanes": 1}}
    )
    assert Scenario.model_validate(scenario.to_data()) == scenario
    assert next(iter(scenario.to_data())) == "schema"
    assert scenario.graph.number_of_nodes() == 11
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    assert copy.deepcopy(scenario) == scenario
    assert hash(scenario) == hash(small(improvements=scenario.to_data()["improvements"]))


def test_the_order_of_stages_is_part_of_a_scenario():
    stages = DATA["checkpoints"]["samur_az"]["exit"]
    turned = small(checkpoints__samur_az__exit=dict(reversed(stages.items())))
    assert turned != small()


def test_the_corridor_alone_has_no_run():
    corridor = small().corridor
    assert type(corridor) is Corridor
    assert corridor.graph.number_of_nodes() == 11
    assert corridor.flows == small().flows


def test_a_value_is_changed_by_its_path_and_validated():
    scenario = small().with_value("checkpoints.samur_az.exit.documents.lanes", 7)
    assert scenario.checkpoints["samur_az"].exit["documents"].lanes == 7
    assert scenario.with_value("checkpoints.samur_az.exit.documents.lanes", 4) == small()
    assert small().with_value("run.horizon_days", 56).run.horizon_h == 1344
    assert small().with_value("checkpoints.samur_az.exit.documents.share_by_class.fruit", 0.5)
    for path, value, message in (
        ("checkpoints.samur_az.exit.documents.lanes", -7, r"documents\.lanes = -7: must be a whole number >= 0"),
        ("flows.north.per_dy", 3, "flows.north.per_dy: does not exist"),
        ("nothing.at.all", 3, "does not exist"),
    ):
        with pytest.raises(ScenarioError, match=message):
            small().with_value(path, value)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"flows__north__origin": "bakku"}, "flows.north.origin = 'bakku': is not a known place or checkpoint"),
        ({"flows__north__origin": "bakku"}, "did you mean 'baku'"),
        ({"flows__north__profile": "p"}, "flows.north.profile = 'p': is not a known profile"),
        ({"flows__north__route": ["baku_samr"]}, "did you mean 'baku_samur'"),
        ({"flows__north__route": ["baku_samur", "khanoba"]}, "does not go on from 'samur_az'"),
        ({"flows__north__route": ["baku_samur"]}, "ends at 'samur_az', not at the destination"),
        ({"flows__north__per_day": None}, "flows.north.per_day: is required"),
        ({"flows__north__per_day": 1e12}, "the run would create 2.8e+13 consignments in 28 days (limit 1e+08)"),
        ({"flows__north__crossing_shares": {"s": {"samr": 1.0}}}, "did you mean 'samur'"),
        ({"flows__north__crossing_shares": {"s": {"samur": 0.5, "astara": 0.5}}}, "crossings of different borders"),
        (
            {"flows__north__crossing_shares": {"a": {"samur": 1.0}, "b": {"samur": 1.0}}},
            "crossing_shares.b: begins when 'a' does",
        ),
        ({"flows__north__crossing_shares": {"s": {"astara": 1.0}}}, "no path from 'baku' to 'moscow' through 'astara'"),
        ({"flows__north__modes": ["road", "rial"]}, "did you mean 'rail'"),
        ({"flows__north__balk": {"crossing": "kanoba", "threshold_h": 3.0}}, "did you mean 'khanoba'"),
        ({"legs__new": {**ROAD, "from": "baku", "to": "mosco"}}, "legs.new.to = 'mosco': is not a known place"),
        ({"legs__new": {**ROAD, "from": "baku", "to": "moscow", "border": True}}, "must join the two posts of one"),
        ({"legs__samur__border": False}, "joins the two posts of one crossing; write border = true"),
        ({"legs__baku": {**ROAD, "from": "baku", "to": "moscow"}}, "legs.baku: is the id of places.baku too"),
        ({"places__SAMUR_AZ": {}}, "is the same id as 'SAMUR_AZ' but for case or accents"),
        ({"checkpoints__samur_az__crossing": "a/b"}, "crossing = 'a/b': as an id must not hold"),
        ({"checkpoints__samur_az__exit__documents__staff_pool": "x"}, "staff_pool = 'x': is not a known staff pool"),
        ({"checkpoints__samur_az__exit__documents__lanes": 0}, "never opens, but 3 flows use it"),
        (
            {"checkpoints__samur_az__exit__documents": {
                "lanes": 1, "service": law(0.1), "discipline": "priority", "priority": ["perishabel"]}},
            "is not the cargo class of any flow",
        ),
        (
            {"checkpoints__samur_az__exit__documents__outages": {
                "x": {"lane": 7, "from": "2024-01-02", "until": "2024-01-03"}}},
            "names lane 7; the stage has 4",
        ),
        (
            {"checkpoints__samur_az__exit__documents": {
                "lanes": 1, "service": law(3.0), "closing": "no_overrun", "opening_hours": ["08:00-10:00"]}},
            "longer than every opening (2 h)",
        ),
        ({"checkpoints__samur_az__open": False, "checkpoints__khanoba_az__open": False}, "flows.north: no path from"),
        (
            {"checkpoints__samur_az__open": False, "flows__north__route": ["baku_samur", "samur", "samur_moscow"]},
            "uses post 'samur_az', which is not open",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_an_error(tables, message):
    assert message in told(small(**tables), "error")


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"flows__north__per_day": 0.4}, "creates 0.4 consignments a day; typical are 10 to 5000"),
        ({"flows__north__per_day": 400 * 1440}, "creates 576000 consignments a day"),
        ({"flows__north__per_day": 0}, "this flow creates nothing"),
        ({"flows": {}}, "no flow is given"),
        ({"checkpoints__samur_az__exit__documents__service": law(15.0)}, "the mean service is 15 h; the unit is hours"),
        ({"checkpoints__samur_az__exit__documents__service": law(0.0)}, "the service takes no time"),
        ({}, "no flow passes khanoba_az.exit, khanoba_ru.entry"),
        ({"checkpoints__samur_az__exit__documents__share": 0.0}, "no flow needs this stage"),
        ({"profiles": {"p": {"weekday": [1.0] * 7}}}, "profiles: nothing uses p"),
        (
            {"flows__north__arrivals": {"kind": "timetable", "every_h": 4.0, "size": 3}},
            "flows.north.per_day: has no effect: arrivals of kind 'timetable'",
        ),
        ({"checkpoints__samur_az__exit__documents__share_by_class": {"emty": 0.0}}, "is not the cargo class of any"),
        ({"legs__ferry__timetable__first_h": 1000.0}, "has no departure within the run"),
        ({"legs__baku_port__headway_h": 1000.0}, "at most one entry within the run"),
        (
            {"legs__ferry__timetable": {"departures": [dt.date(2024, 1, 5), dt.date(2024, 1, 3)], "places": 3}},
            "is not in order of time; it is sorted",
        ),
        (
            {"legs__ferry__timetable": {"departures": [dt.date(2024, 1, 5), dt.date(2024, 1, 5)], "places": 3}},
            "names a departure twice; the places add up",
        ),
        (
            {"legs__ferry__timetable": {"departures": [dt.date(2023, 1, 5), dt.date(2024, 1, 5)], "places": 3}},
            "1 of 2 departures lie before the run",
        ),
        (
            {"checkpoints__samur_az__exit__documents__outages": {
                "x": {"from": "2024-01-02", "until": "2024-01-04"},
                "y": {"from": "2024-01-03", "until": "2024-01-05"}}},
            "overlaps 'x'; both together count as one",
        ),
    ],
)  # fmt: skip
def test_what_is_odd_is_a_warning(tables, message):
    scenario = small(**tables)
    assert message in told(scenario, "warning")
    assert told(scenario, "error") == ""


def test_all_problems_are_told_at_once():
    scenario = small(
        flows__north__origin="bakku",
        flows__south__profile="p",
        legs__ferry__to="aktuu",
        improvements={
            "a": {"kind": "add_lanes", "at": "checkpoints.samur_az.exit.documnts", "lanes": 1},
            "b": {"kind": "leg_speed", "leg": "fery", "factor": 2.0},
        },
    )
    paths = {one.path for one in problems(scenario) if one.severity == "error"}
    assert paths == {
        "flows.north.origin",
        "flows.south.profile",
        "legs.ferry.to",
        "improvements.a.at",
        "improvements.b.leg",
    }


def test_the_version_of_the_schema_is_checked():
    with pytest.raises(ScenarioError, match="schema = 3"):
        small(schema=3)


def test_growth_of_a_flow_with_arrivals_of_its_own_is_a_warning():
    scenario = small(
        flows__north={
            "origin": "baku",
            "destination": "moscow",
            "arrivals": {"kind": "timetable", "every_h": 4.0, "size": 3},
        },
        improvements={"grow": {"kind": "demand_growth", "flow": "north", "factor": 2.0}},
    )
    assert "improvements.grow: has no effect on flow 'north'" in told(scenario, "warning")


def test_the_schema_describes_the_tables_of_shares_as_they_are_written():
    from corridor_sim.model.schemas import json_schema

    schema = json_schema(Scenario)
    for name in ("Channels", "CrossingShares"):
        table = schema["$defs"][name]
        assert "shares" not in table["properties"]
        assert table["additionalProperties"]["maximum"] == 1
    assert {one["properties"]["kind"]["const"] for one in schema["$defs"]["improvement"]["oneOf"]} >= {"add_lanes"}
    assert schema["properties"]["schema"]["const"] == 1
