"""A way back to an earlier stage with a limit, as for a second weighing; worked out by hand (rule S33)."""

import numpy as np
import pytest
from oracle.compare import Case, difference
from oracle.strategies import border, fixed

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.engines import batch, compiled, event
from corridor_sim.indicators import Collector
from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.load import loads
from corridor_sim.records.visits import chunk_of
from corridor_sim.sampling.sampler import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def weighed(back, times=(0.0, 0.0, 0.5), first=None, scale=None, horizon_h=96, **more):
    """Papers (0.5 h) and a weighbridge (1 h) with a way back."""
    exits = {
        "papers": {"lanes": 1, "service": fixed(0.5), **(first or {})},
        "scale": {"lanes": 1, "service": fixed(1.0), "back": back, **(scale or {})},
    }
    flows = {"f": ("loaded", list(times))}
    return border(exits, flows=flows, horizon_h=horizon_h, **more)


def starts(data, place):
    """Starts at a place, of each consignment in order; all engines and the oracle must say the same."""
    case = Case(data)
    found = case.event()
    assert difference(case.oracle(), found) == ""
    assert batch.refusals(case.plan) == []
    assert difference(case.oracle(), case.batch()) == ""
    count = len(data["flows"]["f"]["arrivals"]["times_h"])
    return [[visit[1] for visit in found.get(("f", k, place), [])] for k in range(count)]


def test_all_go_back_to_the_same_stage_and_stand_behind_those_who_came_meanwhile():
    data = weighed({"share": 1.0, "most": 2})
    # Papers 0, 0.5, 1; the first is weighed 0.5-1.5 and stands behind the second (1) and the third (1.5: who joins at
    # one instant stands by number, so the first is before the third).
    assert starts(data, "p.exit.papers") == [[0], [0.5], [1]]
    assert starts(data, "p.exit.scale") == [[0.5, 2.5, 5.5], [1.5, 4.5, 7.5], [3.5, 6.5, 8.5]]


def test_who_goes_back_to_an_earlier_stage_passes_all_from_there_again():
    data = weighed({"share": 1.0, "to": "papers"}, times=[0.0, 3.0])
    assert starts(data, "p.exit.papers") == [[0, 1.5], [3, 4.5]]
    assert starts(data, "p.exit.scale") == [[0.5, 2], [3.5, 5]]


def test_one_uniform_says_how_often_and_a_larger_share_or_limit_only_adds_visits():
    counts = {}
    for share in (0.2, 0.5):
        for most in (1, 2, 3):
            data = weighed({"share": share, "most": most}, times=[n * 5.0 for n in range(300)], horizon_h=2000)
            case = Case(data)
            uniform = case.inputs.flows[0].uniform["checkpoints.p.exit.scale.back"][0]
            counts[share, most] = np.array([len(one) for one in starts(data, "p.exit.scale")])
            often = 1 + sum((uniform >= 1 - share**n).astype(int) for n in range(1, most + 1))
            assert counts[share, most].tolist() == often.tolist()
    for most in (1, 2, 3):
        assert (counts[0.2, most] <= counts[0.5, most]).all()
        assert (counts[0.5, 1] <= counts[0.5, most]).all()
        assert set(counts[0.5, most].tolist()) == set(range(1, most + 2))


def test_who_does_not_need_the_stage_is_not_sent_back_by_it():
    data = weighed({"share": 1.0, "to": "papers"}, times=[n * 3.0 for n in range(30)], scale={"share": 0.5})
    papers, scale = starts(data, "p.exit.papers"), starts(data, "p.exit.scale")
    assert {(len(a), len(b)) for a, b in zip(papers, scale, strict=True)} == {(1, 0), (2, 2)}


def test_classes_may_have_shares_of_their_own():
    data = weighed({"share": 1.0, "share_by_class": {"loaded": 0.0}})
    assert starts(data, "p.exit.scale") == [[0.5], [1.5], [2.5]]


def test_load_counts_every_visit():
    back = {"share": 0.5, "most": 2}
    data = weighed(back, times=[])
    data["flows"]["f"] |= {"per_day": 12.0, "arrivals": {"kind": "poisson"}}
    stages = {one.element: one for one in loads(cs.make_plan(Scenario.model_validate(data)))}
    ratio = stages["p.exit.scale"].demand_per_day / stages["p.exit.papers"].demand_per_day
    assert ratio == pytest.approx(1 + 0.5 + 0.25)


@pytest.mark.parametrize("to", ["papers", "scale"])
def test_the_compiled_pass_counts_what_the_event_engine_counts(to):
    pytest.importorskip("numba")
    law = {"kind": "exponential", "mean_h": 0.2}
    back = {"share": 0.4, "to": to, "most": 3}
    data = weighed(
        back, times=[n / 3 for n in range(250)], first={"service": law}, scale={"service": law, "share": 0.8}
    )
    plan = Case(data).plan
    sampler = Sampler(plan, 3)
    assert compiled.refusals(plan) == []
    ran, told, third = (Collector(plan, [0, 1]) for _ in range(3))
    compiled.reduce(plan, sampler, [0, 1], ran, window_h=7.0)
    inputs = sampler.sample([0, 1])
    told.add(chunk_of(event.simulate(plan, inputs), inputs.outages, whole=True))
    third.add(chunk_of(batch.simulate(plan, inputs), inputs.outages, whole=True))
    assert ran.finish().values.tobytes() == told.finish().values.tobytes() == third.finish().values.tobytes()


@pytest.mark.parametrize(
    ("back", "more", "path", "text"),
    [
        ({"share": 0.5, "to": "gate"}, {}, "exit.scale.back.to", "is not this stage or an earlier one"),
        ({"share": 0.5, "to": "papers"}, {"back": {"share": 0.1}}, "exit.scale.back.to", "may not hold one another"),
        ({"share": 1.5}, {}, "exit.scale.back.share", "must be"),
        ({"share": 0.5, "most": 0}, {}, "exit.scale.back.most", "must be"),
        ({"share": 0.5, "most": 21}, {}, "exit.scale.back.most", "must be"),
    ],
)
def test_what_does_not_go_with_it_is_named(back, more, path, text):
    with pytest.raises(ScenarioError) as error:
        cs.make_plan(Scenario.model_validate(weighed(back, first=more)))
    assert any(p.path == f"checkpoints.p.{path}" and text in p.message for p in error.value.problems), str(error.value)


def test_a_yard_or_a_share_on_the_way_back_is_refused():
    back = {"share": 0.5, "to": "papers"}
    for first, scale, text in (
        ({"share": 0.5}, {"share": 0.5}, "one of both must be for all"),
        ({}, {"yard": 2}, "may block itself"),
        ({"patience": {"law": fixed(2.0)}}, {}, "where one has patience"),
        ({"service": fixed(0.0)}, {}, "no time"),
    ):
        with pytest.raises(ScenarioError, match=text):
            cs.make_plan(Scenario.model_validate(weighed(back, first=first, scale=scale)))
