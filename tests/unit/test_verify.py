"""The verification itself: it passes what is right, fails what is wrong, and names what it cannot do."""

import copy
import csv
import io
import json

import pytest

import corridor_sim.verify
from corridor_sim.core.errors import EngineRefusal, ScenarioError
from corridor_sim.verify import verify
from corridor_sim.verify.engine import engine_named
from corridor_sim.verify.files import packaged
from corridor_sim.verify.traces import check_trace

VECTORS = packaged()
TRACES = {trace["id"]: trace for trace in VECTORS["traces"]}
CASES = {case["id"]: case for case in VECTORS["cases"]}


def trace(elements, trucks, expected, **rest):
    """A trace from elements and (arrival, route, service) of trucks."""
    listed = [
        {"id": f"t{k}", "arrival": arrival, "route": list(route), "service": service, **more}
        for k, (arrival, route, service, more) in enumerate((*truck, {})[:4] for truck in trucks)
    ]
    return {"id": "T", "elements": elements, "trucks": listed, "expected": expected, **rest}


def check(one, engine="event"):
    return check_trace(one, engine_named(engine), {})


@pytest.mark.parametrize("id", TRACES)
def test_a_trace_is_met_to_the_last_bit(id):
    item = check_trace(TRACES[id], engine_named("event"), TRACES)
    assert item.status == "passed", item.detail
    assert item.deviation == 0.0


@pytest.mark.parametrize("vector", VECTORS["arrival_traces"], ids=lambda vector: vector["id"])
def test_an_arrival_trace_is_met(vector):
    assert verify({"arrival_traces": [vector]}).ok


def test_one_wrong_instant_and_one_wrong_value_fail_and_nothing_else():
    some = ["TR-01", "TR-11", "TR-12", "TR-18"]
    vectors = {
        "traces": [copy.deepcopy(TRACES[id]) for id in some],
        "cases": [copy.deepcopy(CASES[id]) for id in ("ARR-01", "FER-04", "CAL-05")],
    }
    assert verify(vectors).ok
    vectors["traces"][2]["expected"]["start"]["B"][3] += 1
    ferry = vectors["cases"][1]["measures"]
    next(measure for measure in ferry if measure["name"] == "mean_wait")["value"] *= 1.2
    failures = verify(vectors).failures()
    assert [item.name for item in failures] == ["TR-12", "FER-04 mean_wait"]
    assert failures[0].deviation == 1.0
    assert "start B [4]" in failures[0].detail
    assert failures[1].share > 1.0


@pytest.mark.parametrize("id", ["TR-02", "TR-11", "TR-13", "TR-14b", "TR-24"])
def test_a_wrong_kpi_fails(id):
    wrong = copy.deepcopy(TRACES[id])
    name = next(name for name, value in wrong["kpi"].items() if not isinstance(value, str))
    wrong["kpi"][name] += 1
    item = check_trace(wrong, engine_named("event"), TRACES)
    assert item.status == "failed"
    assert name in item.detail


def test_a_kpi_that_is_not_known_is_said_to_be_unchecked():
    item = check_trace(TRACES["TR-01"] | {"kpi": {"mean_mood": 3}}, engine_named("event"), TRACES)
    assert item.status == "not checked"
    assert "mean_mood" in item.detail


@pytest.mark.parametrize("id", [id for id, one in TRACES.items() if "alternatives" in one])
def test_the_answers_under_other_rules_are_told_apart(id):
    for other in TRACES[id]["alternatives"].values():
        assert check(TRACES[id] | {"expected": other, "kpi": {}}).status == "failed"


def test_pooled_and_named_lanes_are_told_apart():
    one, other = TRACES["TR-07a"], TRACES["TR-07b"]
    assert check(one | {"expected": other["expected"]}).status == "failed"
    assert check(other | {"expected": one["expected"]}).status == "failed"


def test_the_horizon_does_not_come_from_the_answers():
    short = copy.deepcopy(TRACES["TR-20"])
    short["expected"] = {"depart": [None] * len(short["trucks"])}
    assert check(short).status == "failed"


OF_SCENARIOS = [id for id, one in TRACES.items() if "scenario" in one]
NOT_IN_BATCH = {"TR-41a", "TR-41b"}
"""Kept lanes where lanes have names or fail one by one."""


@pytest.mark.parametrize("id", OF_SCENARIOS)
def test_a_trace_of_a_scenario_is_met_by_batch_and_one_wrong_instant_of_each_place_is_found(id):
    refused = id in NOT_IN_BATCH
    assert check(TRACES[id], "batch").status == ("refused" if refused else "passed")
    for word, places in TRACES[id]["expected"].items():
        for place in places if word != "depart" else [None]:
            wrong = copy.deepcopy(TRACES[id])
            times = wrong["expected"][word] if place is None else wrong["expected"][word][place]
            k = next(k for k, at in enumerate(times) if at is not None)
            times[k] = times[k] + 0.25 if not isinstance(times[k], list) else [times[k][0] + 0.25, *times[k][1:]]
            for engine in ("event",) if refused else ("event", "batch"):
                item = check(wrong, engine)
                assert (item.status, item.deviation) == ("failed", 0.25), (word, place, engine)


def test_what_a_trace_of_a_scenario_leaves_to_chance_is_refused_by_name():
    def detail(change, id="TR-29b"):
        one = copy.deepcopy(TRACES[id])
        change(one)
        item = check(one)
        assert item.status == "refused", item
        return item.detail

    slots = "p.exit.slots"
    assert "no uniform 'p.exit.slots' of flow 'f'" in detail(lambda one: one["given"].pop("uniform"))
    assert "one of [0, 1) a consignment" in detail(lambda one: one["given"]["uniform"]["f"][slots].pop())
    assert "which places of 'p.exit.slots' are lost" in detail(lambda one: one["given"].pop("lost"))
    assert "no place to be lost at 8.25" in detail(lambda one: one["given"]["lost"][slots].append(8.25))
    assert "no place to be lost at 8.5" in detail(lambda one: one["given"]["lost"][slots].append(8.5))
    assert "nothing is lost at 'q'" in detail(lambda one: one["given"]["lost"].update(q=[1]))
    assert "no flow 'g'" in detail(lambda one: one["given"]["uniform"].update(g={}))
    assert "does not use a uniform 'x'" in detail(lambda one: one["given"]["uniform"]["f"].update(x=[0.5] * 8))
    assert "unknown field 'luck'" in detail(lambda one: one["given"].update(luck=1))
    assert "unknown field 'elements'" in detail(lambda one: one.update(elements=[]))
    chance = {"kind": "exponential", "mean_h": 1.0}
    gate = detail(lambda one: one["scenario"]["checkpoints"]["p"]["exit"]["gate"].update(service=chance))
    assert "p.exit.gate: a random law" in gate
    flow = detail(lambda one: one["scenario"]["flows"]["f"].update(per_day=3.0, arrivals={"kind": "poisson"}))
    assert "flow f: releases that are not a list of hours" in flow
    assert "speed" in detail(lambda one: one["scenario"]["legs"]["out"].update(speed_kmh=-1), "TR-30a")


def test_a_given_horizon_is_kept():
    one = trace(
        [{"type": "station", "id": "A", "lanes": 1}],
        [(0, "A", {"A": 5}), (0, "A", {"A": 5})],
        {"depart": [5, None], "start": {"A": [0, 5]}},
        horizon=7,
    )
    assert check(one).status == "passed"


def test_truck_numbers_follow_arrival_then_source_then_place_in_the_file():
    trucks = [
        (5, "A", {"A": 2}, {"source": "west"}),
        (0, "A", {"A": 5}, {"source": "west"}),
        (5, "A", {"A": 2}, {"source": "east"}),
    ]
    station = [{"type": "station", "id": "A", "lanes": 1}]
    assert check(trace(station, trucks, {"start": {"A": [5, 0, 7]}})).status == "passed"
    assert check(trace(station, trucks, {"start": {"A": [7, 0, 5]}}, sources=["east", "west"])).status == "passed"


def test_a_station_visited_twice_takes_a_list():
    elements = [{"type": "station", "id": "A", "lanes": 1}, {"type": "station", "id": "B", "lanes": 1}]
    truck = (0, "ABA", {"A": [2, 3], "B": 4})
    assert check(trace(elements, [truck], {"start": {"A": [[0, 6]]}, "depart": [9]})).status == "passed"
    assert check(trace(elements, [(0, "ABA", [2, 4, 3])], {"depart": [9]})).status == "passed"
    assert check(trace(elements, [truck], {"start": {"A": [0]}})).status == "refused"


def test_lanes_may_have_calendars_of_their_own():
    lanes = [[[0, 1]], [[0, 1], [30, 0], [60, 1]], [[0, 1], [30, 0]]]
    one = copy.deepcopy(TRACES["TR-07b"])
    one["elements"][0] = {"type": "station", "id": "A", "lanes": lanes}
    assert check(one).status == "passed"


def test_priority_may_differ_between_stations():
    elements = [{"type": "station", "id": id, "lanes": 1, "discipline": "priority"} for id in "AB"]
    trucks = [
        (0, "AB", {"A": 1, "B": 5}),
        (0, "AB", {"A": 1, "B": 1}, {"priority": {"A": 0, "B": 1}}),
        (0, "AB", {"A": 1, "B": 1}, {"priority": {"A": 1, "B": 0}}),
    ]
    assert check(trace(elements, trucks, {"start": {"A": [0, 1, 2], "B": [1, 7, 6]}})).status == "passed"


def test_a_boat_may_sail_every_so_often_cross_in_unequal_times_and_miss_a_sailing():
    boat = {"type": "ferry", "id": "F", "sailings": [10, 20, 30], "capacity": 1, "crossing": [5, 6, 7]}
    trucks = [(0, "F", {}), (0, "F", {})]
    assert check(trace([boat], trucks, {"depart": [15, 26]})).status == "passed"
    assert check(trace([boat | {"cancelled": [False, True, False]}], trucks, {"depart": [15, 37]})).status == "passed"
    often = {"type": "ferry", "id": "F", "headway": 10, "capacity": 1, "crossing": 5}
    assert check(trace([often], trucks, {"sail": {"F": [10, 20]}, "land": {"F": [15, 25]}})).status == "passed"
    full = {"type": "ferry", "id": "F", "departs": "when full", "capacity": 2, "crossing": 5}
    assert check(trace([full], [(0, "F", {}), (3, "F", {})], {"depart": [8, 8]})).status == "passed"


@pytest.mark.parametrize("words", [{"no_overtaking": True}, {"overtaking": False}])
def test_a_leg_may_forbid_overtaking_and_be_closed(words):
    leg = {"type": "leg", "id": "L", "headway": 1, "closures": [[2, 10]], **words}
    trucks = [(0, "L", {"L": 9}), (1, "L", {"L": 4}), (3, "L", {"L": 4})]
    assert check(trace([leg], trucks, {"depart": [9, 9, 14], "start": {"L": [0, 1, 10]}})).status == "passed"


def test_an_outage_of_the_whole_station_holds_everybody():
    station = {"type": "station", "id": "A", "lanes": 2, "outages": [{"lane": None, "from": 3, "to": 8}]}
    trucks = [(0, "A", {"A": 4}), (0, "A", {"A": 1}), (4, "A", {"A": 1})]
    assert check(trace([station], trucks, {"depart": [9, 1, 9]})).status == "passed"


def test_fractions_of_a_minute_are_compared_on_the_clock_grid():
    one = trace(
        [{"type": "station", "id": "A", "lanes": 1}],
        [(0.1, "A", {"A": 0.2}), (0.1, "A", {"A": 0.7})],
        {"depart": [0.3, 1.0]},
    )
    assert check(one).status == "passed"
    one["expected"]["depart"][1] = 1.001
    assert check(one).status == "failed"


UNKNOWN = {
    "reserved": ({"reserved": 1}, "'reserved'"),
    "lane": ({"lane": 2}, "did you mean 'lanes'"),
    "closing": ({"closing": "kick_out"}, "'kick_out'"),
    "identity": ({"lanes_are": "crew"}, "'crew'"),
    "breakdown": ({"breakdown": {"up": {"dist": "exponential", "mean": 9}, "down": 1}}, "a random law in a trace"),
    "lanes": ({"lanes": 1.5}, "whole numbers"),
    "dated": ({"lanes": [[5, 1]]}, "before 5"),
    "outage": ({"outages": [{"lane": 7, "from": 1, "to": 2}]}, "lane 7, of 1"),
    "policies": (
        {"outages": [{"from": 1, "to": 2, "policy": "finish"}, {"from": 3, "to": 4, "policy": "resume"}]},
        "different policies",
    ),
    "yard": ({"yard": -1}, "yard -1"),
}


@pytest.mark.parametrize(("words", "named"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_is_refused_by_name(words, named):
    one = trace([{"type": "station", "id": "A", "lanes": 1} | words], [(0, "A", {"A": 1})], {"depart": [1]})
    item = check(one)
    assert item.status == "refused"
    assert named in item.detail


def test_unknown_fields_of_trucks_elements_and_answers_are_refused():
    station = [{"type": "station", "id": "A", "lanes": 1}]
    good = trace(station, [(0, "A", {"A": 1})], {"depart": [1]})
    assert check(good).status == "passed"
    for wrong in (
        good | {"weather": "snow"},
        good | {"elements": [{"type": "airport", "id": "A"}]},
        good | {"expected": {"mood": [1]}},
        good | {"expected": {"land": {"A": [1]}}},
        trace(station, [(0, "A", {"A": 1}, {"colour": "red"})], {"depart": [1]}),
        trace(station, [(0, "B", {"B": 1})], {"depart": [1]}),
        trace(station, [(0, "A", {})], {"depart": [1]}),
        trace(station, [(0, "A", {"A": 1, "B": 2})], {"depart": [1]}),
    ):
        assert check(wrong).status == "refused"


def test_a_missing_answer_fails():
    one = trace([{"type": "station", "id": "A", "lanes": 1}], [(0, "A", {"A": 1}), (0, "A", {"A": 1})], {"depart": [1]})
    assert check(one).status == "failed"


def test_an_engine_that_refuses_is_quoted(monkeypatch):
    def refuse(plan, inputs):
        raise EngineRefusal("batch", ["requeue at A"])

    monkeypatch.setattr("corridor_sim.verify.engine_named", lambda name: refuse)
    report = verify({"traces": [TRACES["TR-01"]], "cases": [CASES["MMC-01"]]}, engine="batch")
    assert {item.status for item in report.items} == {"refused"}
    assert all(item.detail == "requeue at A" for item in report.items)
    assert report.ok
    assert report.exit_code() == 1
    assert report.exit_code(allow_partial=True) == 0


def test_a_case_with_an_unknown_field_or_law_is_refused():
    for change in (
        lambda model: model.update(weather="snow"),
        lambda model: model["stations"][0].update(mood=1),
        lambda model: model["stations"][0]["service"].update(dist="cauchy"),
        lambda model: model["sources"][0].update(process="hawkes"),
        lambda model: model.update(blocking="before service"),
        lambda model: model.update(priority={"bus": 0}),
    ):
        case = copy.deepcopy(CASES["MMC-01"])
        change(case["model"])
        report = verify({"cases": [case]}, only="MMC-01 mean_wait")
        assert [item.status for item in report.items] == ["refused"]


def test_a_measure_that_is_not_known_is_not_checked():
    case = copy.deepcopy(CASES["ARR-01"])
    case["measures"].append({"name": "mean_mood", "value": 1.0, "check": "simulate", "tol_quick": 1.0})
    (item,) = verify({"cases": [case]}, only="ARR-01 mean_mood").items
    assert item.status == "not checked"
    assert verify({"cases": [case]}, only="ARR-01 mean_mood").exit_code() == 1


def test_reference_values_are_shown_and_do_not_count():
    case = copy.deepcopy(CASES["ARR-01"])
    case["measures"].append({"name": "wait_q50", "value": 0.0, "check": "value only, too noisy"})
    report = verify({"cases": [case]})
    assert report.items[-1].status == "not checked"
    assert report.exit_code() == 0


def test_a_formula_that_is_not_known_is_not_checked():
    vector = {"id": "X", "what": "tea leaves", "inputs": {}, "expected": {"h": 1.0}}
    assert verify([vector]).items[0].status == "not checked"


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others():
    found = [
        [item.found for item in verify(only="ARR-02", rng=seed).items if item.status == "passed"] for seed in (0, 0, 1)
    ]
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_selection_by_id_pattern_section_and_measure():
    assert [item.id for item in verify(only="TR-0[12]").items] == ["TR-01", "TR-02"]
    assert {item.section for item in verify(only=["arrival_traces", "AN-16"]).items} == {"arrival_traces", "analytics"}
    (item,) = verify(only="ARR-01 expected_count[[]total]").items
    assert item.measure == "expected_count[total]"
    assert len(verify(only="ARR-01 expected_count[total]").items) == 1
    with pytest.raises(ValueError, match="nothing is called"):
        verify(only="TR-99")


def test_unknown_engines_and_designs_are_errors():
    with pytest.raises(ValueError, match="no engine 'warp'"):
        verify(engine="warp")
    with pytest.raises(ValueError, match="no design"):
        verify(design="huge")


def test_a_file_and_a_folder_are_read(tmp_path):
    (tmp_path / "some.json").write_text(json.dumps({"meta": {}, "traces": [TRACES["TR-01"]]}), "utf-8")
    (tmp_path / "more.json").write_text(json.dumps([v for v in VECTORS["analytics"] if v["id"] == "AN-16"]), "utf-8")
    assert [item.id for item in verify(tmp_path / "some.json").items] == ["TR-01"]
    assert [item.id for item in verify(str(tmp_path)).items] == ["TR-01", "AN-16"]


BAD_FILES = {
    "no json": ("{", "is not JSON"),
    "no vectors": ("{}", "holds no vectors"),
    "unknown section": ('{"trace": []}', "did you mean 'traces'"),
    "no id": ('{"traces": [{}]}', "must be a table with an id"),
    "a number": ("7", "must be a table or a list"),
    "nan": ('{"traces": NaN}', "NaN"),
    "no trucks": ('{"traces": [{"id": "a", "elements": [], "expected": {}}]}', "'trucks'"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_not_one_of_vectors_says_why(tmp_path, text, message):
    path = tmp_path / "bad.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ScenarioError) as caught:
        verify(path)
    assert message in str(caught.value)
    assert "bad.json" in str(caught.value)


def test_missing_files_and_double_ids_are_errors(tmp_path):
    with pytest.raises(ScenarioError, match="no such file"):
        verify(tmp_path / "none.json")
    with pytest.raises(ScenarioError, match="no JSON file"):
        verify(tmp_path)
    with pytest.raises(ScenarioError, match="comes twice"):
        verify({"traces": [TRACES["TR-01"], TRACES["TR-01"]]})


def test_the_report_can_be_read_as_text_csv_json_and_frame():
    report = verify({"traces": [TRACES["TR-01"], TRACES["TR-10"]], "cases": [CASES["ARR-01"]]})
    rows = list(csv.DictReader(io.StringIO(report.to_csv())))
    body = json.loads(report.to_json())
    frame = report.to_frame()
    assert len(rows) == len(body["items"]) == len(frame) == len(report.items) == 9
    assert rows[0]["status"] == body["items"][0]["status"] == frame.status[0] == "passed"
    assert body["ok"]
    assert body["complete"]
    assert body["seed"] == report.seed
    text = report.to_text()
    assert "TR-10" in text
    assert "7 of 7 measures within tolerance" in text
    assert "9 passed" in text
    assert len(report.to_text(verbose=True).splitlines()) > len(text.splitlines())


def test_a_failure_is_spelled_out_in_the_text():
    case = copy.deepcopy(CASES["ARR-01"])
    case["measures"][0]["value"] *= 1.2
    text = verify({"cases": [case]}).to_text()
    assert "failed" in text
    assert "expected_count[total]" in text
    assert "expected 20160" in text


def test_an_empty_report_is_no_success():
    report = verify({"traces": []})
    assert report.ok
    assert report.exit_code() == 1


def test_progress_is_told_at_every_vector_and_at_the_end():
    seen = []
    verify(only=["TR-01", "TR-02"], progress=lambda id, done, total: seen.append((id, done, total)))
    assert seen == [("TR-01", 0, 2), ("TR-02", 1, 2), ("", 2, 2)]


def test_the_module_can_be_called_by_its_name():
    assert corridor_sim.verify(only="TR-01").ok


def test_packaged_files_stay_small():
    from importlib import resources

    for file in (resources.files("corridor_sim") / "data" / "vectors").iterdir():
        assert len(file.read_bytes()) < 400_000


def test_a_value_wrong_by_a_fifth_is_found_where_the_quick_tolerance_is_wider():
    case = copy.deepcopy(CASES["CAL-04"])
    measure = next(m for m in case["measures"] if m["name"] == "mean_Lq")
    assert measure["tol_quick"] > 0.2 * measure["value"]
    measure["value"] *= 0.8
    (failed,) = verify({"cases": [case]}, engine="batch").failures()
    assert failed.measure == "mean_Lq"
    assert failed.n == case["run"]["reps_full"]


def test_routes_and_shares_may_differ_by_class():
    case = {
        "id": "X",
        "model": {
            "sources": [{"class": name, "process": "poisson", "rate_per_min": 0.01} for name in ("car", "truck")],
            "stations": [
                {"id": id, "lanes": 9, "service": {"dist": "deterministic", "value": minutes}}
                for id, minutes in (("A", 4), ("B", 6))
            ],
            "route": {"car": ["A"], "truck": ["A", {"station": "B", "probability": {"car": 0.0}}]},
        },
        "run": {"kind": "steady", "window": 20000, "reps_quick": 3},
        "measures": [
            {"name": f"mean_sojourn[{name}]", "value": minutes, "check": "simulate", "tol_quick": 0.01}
            for name, minutes in (("car", 4.0), ("truck", 10.0))
        ],
    }
    assert verify({"cases": [case]}).exit_code() == 0
    case["model"]["route"].pop("car")
    assert {item.status for item in verify({"cases": [case]}).items} == {"refused"}


def test_rates_of_every_form_have_their_integral():
    from corridor_sim.verify.laws import rate_of

    sine = {"form": "sinusoid", "base": 0.5, "relative_amplitude": 0.6, "period": 1440.0}
    # 720 base + base amp period / pi over the first half of the day
    assert rate_of(sine, "s", 1440).integral(720) == pytest.approx(360 + 0.5 * 0.6 * 1440 / 3.141592653589793, rel=1e-9)
    pieces = {
        "form": "piecewise_constant",
        "cyclic": True,
        "pieces": [{"duration": 60, "rate": 0.1}, {"duration": 60, "rate": 0.3}],
    }
    assert rate_of(pieces, "s", 300).integral(240) == pytest.approx(48)
    assert rate_of([[0, 60, 0.1], [60, 120, 0.5]], "s", 300).integral(300) == pytest.approx(36)
    profile = {"form": "base x hour x weekday x season", "base_per_day": 24, "hourly": [1] * 24, "season": [[1, 1, 2]]}
    assert rate_of(profile, "s", 2880).integral(2880) == pytest.approx(24 + 48)
