"""One stop for the controls of both countries: where they are made, in which order; worked out by hand (rule S32)."""

import pytest
from oracle.compare import Case, difference
from oracle.strategies import at_hour, border, fixed

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.engines import compiled, event
from corridor_sim.indicators import Collector
from corridor_sim.model.scenario import Scenario
from corridor_sim.records.visits import chunk_of
from corridor_sim.sampling.sampler import Sampler

LEG = {"length_km": 100.0}
"""The way over the border takes two hours."""


def lanes(service_h, number=1, **rest):
    return {"lanes": number, "service": fixed(service_h), **rest}


def juxtaposed(improvements=None, hosts=(None, None), times=(0.0, 0.0, 10.0), back=(), **more):
    """Post p with documents (1 h) and a scan (0.5 h) on leaving, post q with documents (0.75 h) on entering."""
    flows = {"f": ("loaded", list(times)), **({"back": ("loaded", list(back))} if back else {})}
    exits = {"docs": lanes(1.0), "scan": lanes(0.5), **more.pop("exits", {})}
    data = border(exits, entry={"docs": lanes(0.75)}, flows=flows, leg=LEG, improvements=improvements, **more)
    data["checkpoints"]["q"]["exit"] = {"docs": lanes(0.25)}
    data["checkpoints"]["p"]["entry"] = {"docs": lanes(0.5)}
    for post, host in zip(("p", "q"), hosts, strict=True):
        if host:
            data["checkpoints"][post]["hosts"] = host
    return data


def visits(data):
    """Of every consignment the places with their start, by (flow, index), in order of time."""
    case = Case(data)
    found = case.event()
    assert difference(case.oracle(), found) == ""
    rows = [
        (key[0], key[1], one[1], key[2])
        for key, all_ in found.items()
        if key[2] != "depart"
        for one in all_
        if not key[2].startswith(("leg:l", "q.exit.free", "p.entry.free"))
    ]
    return {
        who: [(where, at) for *_, at, where in sorted(r for r in rows if r[:2] == who)] for who in {r[:2] for r in rows}
    }


def test_juxtaposed_posts_make_the_controls_of_both_countries_after_the_border():
    found = visits(juxtaposed(hosts=("entry", "entry"), back=[20.0]))
    road = "leg:br>"
    assert found["f", 0] == [(road, 0), ("p.exit.docs", 2), ("p.exit.scan", 3), ("q.entry.docs", 3.5)]
    # The second waits for the documents of p, an hour each, and for nothing else.
    assert found["f", 1] == [(road, 0), ("p.exit.docs", 3), ("p.exit.scan", 4), ("q.entry.docs", 4.5)]
    assert found["back", 0] == [("leg:br<", 20), ("q.exit.docs", 22), ("p.entry.docs", 22.25)]


def test_the_post_of_the_country_that_is_left_can_host_and_one_post_both_directions():
    found = visits(juxtaposed(hosts=("exit", None), times=[0.0], back=[20.0]))
    assert found["f", 0] == [("p.exit.docs", 0), ("p.exit.scan", 1), ("q.entry.docs", 1.5), ("leg:br>", 2.25)]
    assert found["back", 0] == [("q.exit.docs", 20), ("leg:br<", 20.25), ("p.entry.docs", 22.25)]
    both = visits(juxtaposed(hosts=("both", None), times=[0.0], back=[20.0]))
    assert both["f", 0] == found["f", 0]
    assert both["back", 0] == [("leg:br<", 20), ("q.exit.docs", 22), ("p.entry.docs", 22.25)]


def test_an_improvement_makes_it_one_stop_for_who_is_released_from_its_date():
    change = {"kind": "one_stop_post", "crossing": "x", "host": "entry", "controls": "in_turn", "from": at_hour(5)}
    found = visits(juxtaposed({"one": change}, back=[20.0]))
    before = [("p.exit.docs", 0), ("p.exit.scan", 1), ("leg:br>", 1.5), ("q.entry.docs", 3.5)]
    assert found["f", 0] == before
    assert found["f", 2] == [("leg:br>", 10), ("p.exit.docs", 12), ("p.exit.scan", 13), ("q.entry.docs", 13.5)]
    assert found["back", 0] == [("leg:br<", 20), ("q.exit.docs", 22), ("p.entry.docs", 22.25)]


def test_done_together_the_stage_of_one_id_is_passed_once_and_the_others_come_along():
    change = {"kind": "one_stop_post", "crossing": "x", "host": "entry", "service_factor": 2.0}
    found = visits(juxtaposed({"one": change}, times=[0.0], back=[20.0]))
    assert found["f", 0] == [("leg:br>", 0), ("p.exit.scan", 2), ("q.entry.docs", 2.5)]
    assert found["back", 0] == [("leg:br<", 20), ("p.entry.docs", 22)]
    case = Case(juxtaposed({"one": change}, times=[0.0], back=[20.0]))
    assert case.event()["back", 0, "p.entry.docs"] == [(22, 22, 23, 23)]


def test_it_does_not_matter_whether_the_posts_or_an_improvement_say_it():
    change = {"kind": "one_stop_post", "crossing": "x", "host": "entry", "controls": "in_turn"}
    assert visits(juxtaposed({"one": change}, back=[3.0])) == visits(juxtaposed(hosts=("entry", "entry"), back=[3.0]))
    change |= {"host": "p", "controls": "in_turn"}
    assert visits(juxtaposed({"one": change}, back=[3.0])) == visits(juxtaposed(hosts=("both", None), back=[3.0]))
    until = {**change, "host": "entry", "until": at_hour(5)}
    assert visits(juxtaposed({"one": until})) == visits(
        juxtaposed({"one": {**change, "host": "entry"}}, times=[0.0, 0.0])
    ) | {("f", 2): visits(juxtaposed())["f", 2]}


def test_the_day_of_the_host_is_open_when_the_lanes_of_both_countries_are():
    data = juxtaposed(hosts=("entry", "entry"), times=[0.0])
    data["checkpoints"]["q"]["acceptance"] = {"entry": {"per_day": 5}}
    data["checkpoints"]["p"]["exit"]["docs"]["opening_hours"] = ["08:00-20:00"]
    found = visits(data)["f", 0]
    assert dict(found) == {
        "leg:br>": 0, "q.entry.acceptance": 8, "p.exit.docs": 8, "p.exit.scan": 9, "q.entry.docs": 9.5
    }  # fmt: skip


def test_stays_are_at_the_host_and_controls_are_of_their_country():
    sc = Scenario.model_validate(juxtaposed(hosts=("entry", "entry"), times=[0.0]))
    plan = cs.make_plan(sc)
    spans = {(s.kind, s.id): [plan.elements[e.element].id for e in v.steps[s.first : s.last + 1]]
             for v in plan.flows[0].variants for s in v.spans}  # fmt: skip
    assert spans["post", "p"] == ["p.exit.docs", "p.exit.scan"]
    assert spans["post", "q"] == ["p.exit.docs", "p.exit.scan", "q.entry.docs"]
    assert spans["crossing", "x"] == ["leg:br>", *spans["post", "q"]]
    posts = {e.id: (e.post, e.direction) for e in plan.elements if e.post}
    assert posts["p.exit.docs"] == ("p", "exit")


@pytest.mark.parametrize("controls", ["in_turn", "together"])
@pytest.mark.parametrize("host", ["entry", "exit", "p"])
def test_the_compiled_pass_counts_what_the_event_engine_counts(host, controls):
    pytest.importorskip("numba")
    change = {"kind": "one_stop_post", "crossing": "x", "host": host, "controls": controls, "from": at_hour(20)}
    times = [n / 4 for n in range(160)]
    plan = Case(juxtaposed({"one": change}, times=times, back=times[::2])).plan
    sampler = Sampler(plan, 3)
    assert compiled.refusals(plan) == []
    ran = Collector(plan, [0, 1])
    compiled.reduce(plan, sampler, [0, 1], ran, window_h=7.0)
    told = Collector(plan, [0, 1])
    inputs = sampler.sample([0, 1])
    told.add(chunk_of(event.simulate(plan, inputs), inputs.outages, whole=True))
    assert ran.finish().values.tobytes() == told.finish().values.tobytes()


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        ({"p": {"hosts": "exit"}, "q": {"hosts": "entry"}}, "checkpoints.q.hosts", "already"),
        ({"q": {"hosts": "entry"}, "p": {"slots": {"exit": {"per_day": 5}}}}, "checkpoints.p.exit", "nobody stops"),
        ({"q": {"hosts": "entry"}, "p": {"acceptance": {"exit": {"per_day": 5}}}}, "checkpoints.p.exit", "nobody"),
        ({"q": {"hosts": "left"}}, "checkpoints.q.hosts", "allowed values"),
    ],
)
def test_what_does_not_go_with_it_is_named(change, path, text):
    data = juxtaposed(back=[1.0])
    for post, fields in change.items():
        data["checkpoints"][post] |= fields
    with pytest.raises(ScenarioError) as error:
        cs.make_plan(Scenario.model_validate(data))
    assert any(one.path == path and text in f"{one.message} {one.allowed}" for one in error.value.problems), str(
        error.value
    )


def test_lanes_of_both_directions_stand_at_one_post():
    data = juxtaposed(hosts=("entry", "entry"), back=[1.0])
    for way in ("exit", "entry"):
        data["checkpoints"]["p"][way]["docs"] = lanes(1.0, shared=True)
    with pytest.raises(ScenarioError, match="made at different posts"):
        cs.make_plan(Scenario.model_validate(data))


def test_a_post_alone_at_its_crossing_hosts_nobody():
    data = juxtaposed(hosts=("entry", None))
    data["checkpoints"]["q"]["crossing"] = "other"
    with pytest.raises(ScenarioError, match="needs another post"):
        cs.make_plan(Scenario.model_validate(data))
