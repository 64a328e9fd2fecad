"""What every registered improvement must do, whoever wrote it.

An improvement is made from the example it is registered with, in a corridor that has
what the examples name.
"""

import datetime as dt
import pickle

import pytest

from corridor_sim.core.errors import ScenarioError
from corridor_sim.model.improvements import IMPROVEMENTS, Improvement
from corridor_sim.model.improvements.base import PostImprovement
from corridor_sim.model.paths import path_problems
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.schemas import KindOf
from corridor_sim.plan.build import make_plan

LAW = {"kind": "deterministic", "value_h": 0.1}
LANES = {"lanes": 3, "service": LAW}
DATA = {
    "schema": 1,
    "name": "contract",
    "run": {"start": dt.date(2024, 1, 1), "horizon_days": 28, "replications": 1},
    "places": {"home": {}, "away": {}},
    "checkpoints": {
        "post": {
            "crossing": "border",
            "country": "A",
            "exit": {"lanes": LANES, "xray": {**LANES, "share": 0.3}},
            "entry": {"lanes": LANES},
        },
        "beyond": {"crossing": "border", "country": "B", "entry": {"lanes": LANES}, "exit": {"lanes": LANES}},
        "new_post": {"crossing": "new", "country": "A", "open": False, "exit": {"lanes": LANES}},
        "new_beyond": {"crossing": "new", "country": "B", "entry": {"lanes": LANES}},
    },
    "legs": {
        "to_post": {"kind": "road", "from": "home", "to": "post", "length_km": 100, "speed_kmh": 50},
        "border": {
            "kind": "road", "from": "post", "to": "beyond", "length_km": 1, "speed_kmh": 10, "border": True,
        },
        "leg": {"kind": "road", "from": "beyond", "to": "away", "length_km": 100, "speed_kmh": 50},
        "to_new": {"kind": "road", "from": "home", "to": "new_post", "length_km": 120, "speed_kmh": 50},
        "new_border": {
            "kind": "road", "from": "new_post", "to": "new_beyond", "length_km": 1, "speed_kmh": 10, "border": True,
        },
        "from_new": {"kind": "road", "from": "new_beyond", "to": "away", "length_km": 120, "speed_kmh": 50},
    },
    "flows": {
        "flow": {"origin": "home", "destination": "away", "per_day": 48, "cargo_class": "loaded"},
        "fruit": {"origin": "home", "destination": "away", "per_day": 12, "cargo_class": "perishable"},
    },
}  # fmt: skip
NEEDS = {"open_leg": {"legs__leg__open": False, "legs__other": {**DATA["legs"]["leg"], "length_km": 150}}}
"""What the corridor must be like for a kind to change anything, by dotted path with ``__`` for the dots."""


def base(kind=""):
    """The corridor without improvements, as the kind needs it."""
    scenario = Scenario.model_validate(DATA)
    for path, value in NEEDS.get(kind, {}).items():
        scenario = scenario.with_value(path.replace("__", "."), value)
    return scenario


def made(kind, **more):
    """The improvement of the registered example."""
    return KindOf(IMPROVEMENTS).make({"kind": kind, **IMPROVEMENTS.example(kind), **more}, Improvement)


# ---------------------------------------------------------------- what must hold, one function each


def check_paths(kind):
    """Every change names a value that exists, to its last field."""
    corridor = base(kind)
    changes = made(kind).dated_changes(corridor, "it")
    assert changes, "an improvement changes something"
    assert not path_problems(corridor, [change.path for change in changes])


def check_effect(kind):
    """The plan is another one with the improvement, and the scenario has no error."""
    corridor = base(kind)
    improved = corridor.with_improvements(it=made(kind))
    assert not resolve(improved).errors
    one, other = make_plan(corridor), make_plan(improved)
    assert pickle.dumps((one.elements, one.flows)) != pickle.dumps((other.elements, other.flows)), "it changes nothing"


def check_dates(kind):
    """Every change begins and ends with the improvement and carries its name."""
    from_, until = dt.datetime(2024, 1, 10), dt.datetime(2024, 1, 20)
    changes = made(kind, **{"from": from_, "until": until}).dated_changes(base(kind), "its name")
    assert {(change.from_, change.until, change.by) for change in changes} == {(from_, until, "its name")}


CHECKS = [check_paths, check_effect, check_dates]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("kind", list(IMPROVEMENTS))
def test_a_registered_improvement_keeps_its_promises(kind, check):
    check(kind)


@pytest.mark.parametrize("kind", list(IMPROVEMENTS))
def test_an_improvement_says_what_it_is_and_is_a_value(kind):
    one = made(kind)
    assert IMPROVEMENTS[kind].__doc__
    assert type(one) is IMPROVEMENTS[kind]
    assert KindOf(IMPROVEMENTS).make(one.to_data(), Improvement) == one


# ---------------------------------------------------------------- planted mistakes


@pytest.fixture
def planted():
    """Registers a lane improvement whose changes are those of a function, and forgets it afterwards."""

    def plant(changes):
        @IMPROVEMENTS.register("planted", at="checkpoints.post.exit.lanes")
        class Planted(PostImprovement):
            """Something with a mistake in it."""

            def changes(self, corridor):
                return changes(self)

    yield plant
    IMPROVEMENTS.unregister("planted")


WRONG_PATHS = {
    "lane": ("{at}.reserved.loaded.lane", "'lane' does not exist (allowed: lanes, overflow); did you mean 'lanes'?"),
    "class": ("{at}.factor_by_class.loded", "'loded' does not exist (allowed: loaded, perishable)"),
    "field": ("{at}.lane", "'lane' does not exist"),
    "stage": ("checkpoints.post.exit.lines.lanes", "'lines' does not exist (allowed: lanes, xray)"),
    "too long": ("{at}.lanes.lanes", "'checkpoints.post.exit.lanes.lanes' is a value and holds no 'lanes'"),
    "too short": ("{at}.reserved.loaded", "is no single value (allowed: {at}.reserved.loaded. and one of lanes, over"),
    "leg": ("legs.leg.speed_kmh.mean", "'legs.leg.speed_kmh' is a value and holds no 'mean'"),
    "crossing": ("flows.flow.diverted.nowhere", "'nowhere' does not exist (allowed: border, new)"),
    "slots": ("checkpoints.post.slots.exit.per_days", "did you mean 'per_day'?"),
    "no channels": ("checkpoints.post.channels.exit.shares.red", "'exit' does not exist"),
}


@pytest.mark.parametrize(("path", "words"), WRONG_PATHS.values(), ids=WRONG_PATHS)
def test_a_misspelt_path_is_caught_and_named(planted, path, words):
    at = "checkpoints.post.exit.lanes"
    planted(lambda self: [self.change(path.replace("{at}", at), "set", 1)])
    with pytest.raises(AssertionError):
        check_paths("planted")
    with pytest.raises(ScenarioError) as error:
        make_plan(base().with_improvements(it=made("planted")))
    (problem,) = error.value.problems
    assert problem.path == "improvements.it"
    assert words.replace("{at}", at) in str(problem)


def test_an_improvement_without_effect_is_caught(planted):
    planted(lambda self: [self.change(f"{self.path}.lanes", "multiply", 1)])
    check_paths("planted")
    with pytest.raises(AssertionError, match="it changes nothing"):
        check_effect("planted")


def test_an_improvement_that_forgets_its_end_is_caught(planted):
    from corridor_sim.model.changes import Change

    planted(lambda self: [Change(path=f"{self.path}.lanes", operation="add", value=1, from_=self.from_)])
    check_effect("planted")
    with pytest.raises(AssertionError):
        check_dates("planted")


def test_a_class_that_no_flow_has_is_told_once():
    lane = {"kind": "priority_lane", "at": "checkpoints.post.exit.lanes", "cargo_class": "perishible", "lanes": 1}
    improved = base().with_improvements(lane=KindOf(IMPROVEMENTS).make(lane, Improvement))
    assert [problem.path for problem in resolve(improved).errors] == ["improvements.lane.cargo_class"]


def test_a_path_may_name_a_class_whose_flows_were_taken_out():
    corridor = base()
    for kind in ("priority_lane", "service_time"):
        improved = corridor.with_improvements(it=made(kind, cargo_class="perishable"))
        left = improved.replace(flows={"flow": improved.flows["flow"]})
        assert not resolve(left).errors
        assert "improvements.it.cargo_class" in [problem.path for problem in resolve(left).problems]
        make_plan(left)
