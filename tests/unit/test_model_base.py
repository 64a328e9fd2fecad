"""The base of the model: strict fields, all problems at once, kinds, plain data, schema."""

import copy
import datetime as dt
import pickle
from typing import Annotated, ClassVar

import pytest
from pydantic import Field

from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.registry import Registry
from corridor_sim.model.base import Model, Sourced
from corridor_sim.model.field_types import (
    Count,
    FrozenDict,
    Instant,
    OrderedTable,
    OrderedTableOf,
    Positive,
    Probability,
    TableOf,
    TupleOf,
    WholeOrUnlimited,
)
from corridor_sim.model.schemas import KindOf, json_schema

LAWS = Registry("test law")


class Law(Model):
    kind: ClassVar[str]


@LAWS.register("fixed", value_h=1.0)
class Fixed(Law):
    value_h: Positive


@LAWS.register("mix", parts=[{"kind": "fixed", "value_h": 1.0}])
class Mix(Law):
    parts: TupleOf[Annotated[Law, KindOf(LAWS)]]


class Desk(Sourced):
    lanes: Count
    share: Probability = 1.0
    pace: Positive | None = None
    yard: WholeOrUnlimited = "unlimited"
    law: Annotated[Law, KindOf(LAWS)] = Fixed(value_h=1.0)
    weights: TupleOf[float] = ()
    from_: Instant | None = Field(None, validation_alias="from", serialization_alias="from")


class Office(Model):
    desks: TableOf[Desk]
    order: OrderedTableOf[Desk] = OrderedTable()


def problems(made, **values):
    with pytest.raises(ScenarioError) as caught:
        made(**values)
    return {problem.path: problem for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("field", "value", "message", "hint"),
    [
        ("lanes", -2, "must be a whole number >= 0", ""),
        ("lanes", 2.5, "must be a whole number >= 0", ""),
        ("lanes", "3", "must be a whole number >= 0", "write numbers without quotes"),
        ("lanes", True, "must be a whole number >= 0", "a boolean is no number"),
        ("lanes", None, "must be a whole number >= 0", ""),
        ("share", 1.2, "must be a number between 0 and 1", "1.2 %? write 0.012"),
        ("share", 25, "must be a number between 0 and 1", "25 %? write 0.25"),
        ("share", -0.1, "must be a number between 0 and 1", ""),
        ("share", "7,5", "must be a number between 0 and 1", "write numbers with a decimal point and without quotes"),
        ("pace", 0, "must be a number > 0", ""),
        ("pace", float("nan"), "must be a finite number > 0", ""),
        ("pace", float("inf"), "must be a finite number > 0", ""),
        ("pace", True, "must be a number > 0", "a boolean is no number"),
        ("yard", -1, "must be a whole number >= 0, or 'unlimited'", ""),
        ("yard", 2.0, "must be a whole number >= 0, or 'unlimited'", ""),
        ("yard", None, "must be a whole number >= 0, or 'unlimited'", ""),
        ("law", 0.24, "must be a test law: a table with a kind", ""),
        ("status", "guessed", "is not one of the allowed values", ""),
        ("note", 3, "must be text", ""),
        ("from", "2025-02-30", "must be a date or date-time such as 2024-06-01 (day is out of range for month)", ""),
        ("from", 2025, "must be a date or date-time", ""),
    ],
)
def test_a_wrong_value_is_told_with_what_is_needed(field, value, message, hint):
    problem = problems(Desk, **{"lanes": 1, field: value})[field]
    assert (problem.message, problem.hint) == (message, hint)
    assert problem.value == value or value is None or value != value


def test_all_problems_of_all_objects_come_at_once_with_their_paths():
    found = problems(
        Office,
        desks={
            "one": {"lane": 3, "share": 2.0, "law": {"kind": "fixd", "value_h": 1.0}, "weights": [1, "2"]},
            "two": {"lanes": 1, "law": {"kind": "mix", "parts": [{"kind": "fixed", "value_h": -1.0, "x": 1}, {}]}},
        },
    )
    assert {path: (one.message, one.hint) for path, one in found.items()} == {
        "desks.one.lanes": ("is required", ""),
        "desks.one.lane": ("is not a known key", "did you mean 'lanes'?"),
        "desks.one.share": ("must be a number between 0 and 1", "2 %? write 0.02"),
        "desks.one.law.kind": ("is not a known test law", "did you mean 'fixed'?"),
        "desks.one.weights.1": ("must be a number", "write numbers without quotes"),
        "desks.two.law.parts.0.value_h": ("must be a number > 0", ""),
        "desks.two.law.parts.0.x": ("is not a known key", ""),
        "desks.two.law.parts.1.kind": ("is required", ""),
    }
    assert found["desks.one.law.kind"].allowed == "fixed, mix"


def test_model_validate_tells_the_same_as_the_class_itself():
    for value in ({"lanes": -1}, 3, "x", None, []):
        with pytest.raises(ScenarioError):
            Desk.model_validate(value)


def test_a_problem_raised_inside_keeps_its_place():
    found = problems(Office, desks={"a": {"lanes": 1, "figures": {"lanes": {"low": 3, "high": 2}, "lines": {}}}})
    assert found["desks.a.figures.lanes.low"].message == "must not be more than high"
    found = problems(Office, desks={"a": {"lanes": 1, "figures": {"lines": {}}}})
    assert found["desks.a.figures.lines"].hint == "did you mean 'lanes'?"


def test_lists_make_tuples_and_dates_make_instants():
    desk = Desk(lanes=1, weights=[1, 2.5], **{"from": dt.date(2024, 6, 1)})
    assert desk.weights == (1.0, 2.5)
    assert desk.from_ == dt.datetime(2024, 6, 1)
    assert Desk(lanes=1, from_="2024-06-01T12:30").from_ == dt.datetime(2024, 6, 1, 12, 30)


def test_replace_validates_and_leaves_the_old_object_alone():
    desk = Desk(lanes=1, note="as built")
    assert desk.replace(lanes=2) == Desk(lanes=2, note="as built")
    assert desk.replace(**{"from": "2024-06-01"}) == desk.replace(from_=dt.date(2024, 6, 1))
    assert desk.lanes == 1
    with pytest.raises(ScenarioError, match="lanes = -5: must be a whole number >= 0"):
        desk.replace(lanes=-5)
    with pytest.raises(ScenarioError, match="did you mean 'lanes'"):
        desk.replace(lane=5)


def test_objects_and_their_tables_cannot_be_changed():
    office = Office(desks={"a": {"lanes": 1}})
    with pytest.raises(ValueError, match="frozen"):
        office.desks = {}
    for change in (
        lambda: office.desks.update(b=1),
        lambda: office.desks.pop("a"),
        lambda: office.desks.__setitem__("a", 1),
        lambda: office.desks.clear(),
    ):
        with pytest.raises(TypeError, match="frozen"):
            change()
    given = {"a": {"lanes": 1}}
    office = Office(desks=given)
    given["b"] = {"lanes": 2}
    assert list(office.desks) == ["a"]


def test_equality_and_hash_are_by_content():
    one, other = Office(desks={"a": {"lanes": 1}}), Office(desks={"a": Desk(lanes=1)})
    assert one == other
    assert hash(one) == hash(other)
    assert one != Office(desks={"a": {"lanes": 2}})
    assert Desk(lanes=1) != Fixed(value_h=1.0)


def test_the_order_of_ordered_tables_counts():
    first, second = Desk(lanes=1), Desk(lanes=2)
    assert Office(desks={"a": first, "b": second}) == Office(desks={"b": second, "a": first})
    ordered = Office(desks={}, order={"a": first, "b": second})
    assert ordered != Office(desks={}, order={"b": second, "a": first})


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_copies_are_equal(copied):
    office = Office(desks={"a": {"lanes": 1, "law": {"kind": "mix", "parts": [{"kind": "fixed", "value_h": 2.0}]}}})
    again = copied(office)
    assert again == office
    assert isinstance(again.desks, FrozenDict)


def test_plain_data_gives_the_same_object_back_and_leaves_defaults_out():
    desk = Desk(lanes=1, law=Mix(parts=[Fixed(value_h=2.0)]), from_="2024-06-01", figures={"lanes": {"note": "x"}})
    data = desk.to_data()
    assert data == {
        "lanes": 1,
        "law": {"kind": "mix", "parts": [{"kind": "fixed", "value_h": 2.0}]},
        "from": dt.date(2024, 6, 1),
        "figures": {"lanes": {"note": "x"}},
    }
    assert Desk.model_validate(data) == desk


def test_a_kind_registered_later_is_known_at_once_and_need_not_be_a_model():
    @LAWS.register("late", times=3)
    class Late(Law):
        times: Count

    @LAWS.register("plain")
    class Plain:
        def __init__(self, speed=1.0):
            if speed < 0:
                raise ScenarioError([Problem("must be >= 0", "speed", speed)])
            self.speed = speed

    try:
        assert Desk(lanes=1, law={"kind": "late", "times": 3}).law == Late(times=3)
        assert Desk(lanes=1, law={"kind": "plain", "speed": 2.0}).law.speed == 2.0
        assert "law.speed" in problems(Desk, lanes=1, law={"kind": "plain", "speed": -2.0})
        assert "law" in problems(Desk, lanes=1, law={"kind": "plain", "sped": 2.0})
    finally:
        LAWS.unregister("late")
        LAWS.unregister("plain")
    assert "late" not in problems(Desk, lanes=1, law={"kind": "x"})["law.kind"].allowed


def test_the_schema_offers_every_kind_and_knows_descriptions():
    schema = json_schema(Office)
    offered = schema["$defs"]["test_law"]["oneOf"]
    assert [one["properties"]["kind"]["const"] for one in offered] == ["fixed", "mix"]
    assert offered[1]["properties"]["parts"]["items"] == {"$ref": "#/$defs/test_law"}
    assert all("kind" in one["required"] for one in offered)
    desk = schema["$defs"]["Desk"]
    assert desk["additionalProperties"] is False
    assert "from" in desk["properties"]
    assert desk["properties"]["source"]["description"] == "Source id, or the source in words."
