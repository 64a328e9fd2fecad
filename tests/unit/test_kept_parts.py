"""A plan made from another one is the plan made alone, field by field; what is the same is the base's own object."""

import dataclasses
import datetime as dt
import random
from functools import cache, partial

import numpy as np
import pytest
from small_corridor import law, small

import corridor_sim as cs
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.files.packaged import scenario_files
from corridor_sim.model.kept_parts import is_same
from corridor_sim.model.resolution import resolve
from corridor_sim.plan.build import with_plan
from corridor_sim.study.designs import with_values


@cache
def packaged(name):
    return cs.load_scenario(name)


@cache
def base_plan(name):
    return with_plan(packaged(name))


def assert_same_plan(one, other, at="plan"):
    """Every field of two plans, in order; the path of the first that differs is told."""
    assert type(one) is type(other), at
    if isinstance(one, StepFunction):
        assert one.from_h.tobytes() == other.from_h.tobytes(), at
        assert one.value.tobytes() == other.value.tobytes(), at
    elif dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_same_plan(getattr(one, field.name), getattr(other, field.name), f"{at}.{field.name}")
    elif isinstance(one, dict):
        assert list(one) == list(other), at
        for key in one:
            assert_same_plan(one[key], other[key], f"{at}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), at
        for k, (mine, yours) in enumerate(zip(one, other, strict=True)):
            assert_same_plan(mine, yours, f"{at}[{k}]")
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, at
        assert one.tobytes() == other.tobytes(), at
    else:
        assert is_same(one, other), at


def assert_made_from(base, scenario, at):
    """The plan of a scenario that is made from a base is that made alone."""
    made, alone = with_plan(scenario, base).plan, cs.make_plan(scenario)
    assert_same_plan(made, alone, at)
    return made


def shared(base, plan):
    """Flows and elements of a plan that are the base's own objects."""
    mine = {id(one) for one in (*base.flows, *base.elements)}
    return [one.id for one in plan.flows if id(one) in mine], [one.id for one in plan.elements if id(one) in mine]


@pytest.mark.parametrize("name", sorted(scenario_files()))
def test_packaged_scenarios_made_from_each_other_are_those_made_alone(name):
    scenario, dice = packaged(name), random.Random(name)
    for other in dice.sample(sorted(scenario_files()), 2):
        assert_made_from(base_plan(other), scenario, f"{name} from {other}")
    for improvement in dice.sample(sorted(scenario.improvements), min(1, len(scenario.improvements))):
        without = scenario.without_improvements(improvement)
        if resolve(without).errors:
            continue
        assert_made_from(base_plan(name), without, f"{name} without {improvement}")


RICH = small(
    checkpoints__samur_az__exit__documents__gate={
        "queue_at": "checkpoints.samur_ru.entry", "close_at": 5, "open_below": 3,
    },
    checkpoints__samur_ru__acceptance={"entry": {"per_day": 90}},
    checkpoints__samur_ru__slots={"entry": {"per_day": 48, "every_h": 1.0}},
    checkpoints__astara_ir__holidays=["feast"],
    checkpoints__astara_ir__exit__gate={
        "lanes": 3, "service": law(0.1), "opening_hours": ["08:00-20:00"], "staff_pool": "p",
    },
    checkpoints__astara_az__entry__gate={"lanes": 3, "service": law(0.1), "reserved": {"transit": {"lanes": 1}}},
    calendars={"feast": {"dates": [dt.date(2024, 1, 9)]}},
    staff_pools={"p": {"members": 4}},
    profiles={"day": {"hour": [1.0] * 12 + [2.0] * 12}},
    flows__south__profile="day",
    flows__east__growth_per_year=0.1,
    flows__fruit__crossing_shares={"now": {"shares": {"samur": 0.6, "khanoba": 0.4}}},
    legs__baku_samur__bans={"night": {"hours": ["22:00-06:00"], "cargo_classes": ["loaded"]}},
    improvements={
        "lanes": {"kind": "add_lanes", "checkpoint": "samur_az", "direction": "exit", "stage": "documents", "lanes": 2},
    },
)  # fmt: skip
LEAVES = small(checkpoints__astara_ir__exit__gate__patience={"law": law(6.0)})
BALKS = small(flows__north__balk={"crossing": "khanoba", "threshold_h": 12})
RANDOM = {
    "small": small,
    "rich": lambda: RICH,
    "leaves": lambda: LEAVES,
    "balks": lambda: BALKS,
    **{
        name: partial(packaged, name)
        for name in ("teaching", "one_stop_samur_2026", "ways_round_2023", "lars_landslide")
    },
}
WORDS = {"schema", "name", "about", "note", "source", "figures", "sources", "ranges", "status"}


def leaves(data, path=()):
    """Paths of the values of a scenario's data, words left out."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        if key in WORDS:
            continue
        if isinstance(value, (dict, list)) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def other_value(dice, value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(value + dice.choice([-1, 1, 2]), 0)
    if isinstance(value, float):
        return value * dice.choice([0.5, 0.9, 1.25])
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=1)
    return value


def changed(dice, scenario, most):
    """The scenario with one to `most` random values changed or left out, and some of its tables in another order."""
    data = scenario.to_data()
    for path in dice.sample(list(leaves(data)), dice.randint(1, most)):
        at = data
        for key in path[:-1]:
            at = at[key]
        if isinstance(at, dict) and dice.random() < 0.2:
            at.pop(path[-1], None)
        else:
            at[path[-1]] = other_value(dice, at[path[-1]])
    if dice.random() < 0.2:
        table = dice.choice(["legs", "checkpoints", "flows", "improvements"])
        data[table] = dict(reversed(data.get(table, {}).items()))
    return type(scenario).model_validate(data)


@pytest.mark.parametrize("name", RANDOM)
def test_scenarios_with_random_values_changed_are_those_made_alone(name):
    dice, scenario, made = random.Random(name), RANDOM[name](), 0
    alone = with_plan(scenario)
    same_flows = same_elements = 0
    for number in range(3000):
        try:
            other = changed(dice, scenario, 3)
            base = with_plan(other)
        except cs.ScenarioError:
            continue
        there, back = (
            assert_made_from(one, two, f"{name} {number}") for one, two in ((alone, other), (base, scenario))
        )
        for one, plan in ((alone.plan, there), (base.plan, back)):
            flows, elements = shared(one, plan)
            same_flows, same_elements = same_flows + len(flows), same_elements + len(elements)
        made += 1
        if made == (60 if name in ("small", "rich", "leaves", "balks") else 6):
            break
    assert made >= 6
    assert same_elements > made * len(alone.plan.elements) // 2
    assert same_flows or name == "leaves"


def test_a_plan_from_a_base_takes_what_is_the_same_and_nothing_else():
    base = with_plan(small())
    other = with_plan(small(checkpoints__astara_ir__exit__gate={"lanes": 4, "service": law(0.1)}), base)
    flows, elements = shared(base.plan, other.plan)
    assert flows == ["east", "fruit", "north", "south"]
    assert [one.id for one in other.plan.elements if one.id not in elements] == ["astara_ir.exit.gate"]
    assert other.plan.flows[-1].arrivals is base.plan.flows[-1].arrivals
    later = with_plan(small(run__start=dt.date(2024, 1, 2)), base)
    assert shared(base.plan, later.plan) == ([], [])


def test_what_is_wrong_with_a_scenario_is_told_from_a_base_as_alone():
    base = with_plan(small())
    wrong = small(legs__ferry__open=False)
    with pytest.raises(cs.ScenarioError) as alone:
        cs.make_plan(wrong)
    with pytest.raises(cs.ScenarioError) as made:
        with_plan(wrong, base)
    assert made.value.problems == alone.value.problems


def test_entries_are_the_same_only_in_order_and_by_type():
    assert is_same((1, 2.0, "a", None), (1, 2.0, "a", None))
    assert not is_same(1, True)
    assert not is_same(0.0, -0.0)
    assert not is_same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert is_same(np.arange(3), np.arange(3))
    assert not is_same(np.arange(3), np.arange(3.0))
    assert is_same(cs.Deterministic(value_h=1.0), cs.Deterministic(value_h=1.0))
    assert not is_same(cs.Deterministic(value_h=1.0), cs.Exponential(mean_h=1.0))


def test_a_slow_post_is_left_for_another_road_and_a_gate_sees_a_new_stage_elsewhere():
    slow = small(checkpoints__samur_az__exit__documents={"lanes": 90, "service": law(9.0)})
    made = assert_made_from(with_plan(small()), slow, "slow post")
    (way,) = next(flow for flow in made.flows if flow.id == "north").variants
    assert way.id == "khanoba"
    data = RICH.to_data()
    data["checkpoints"]["samur_ru"]["entry"]["seals"] = {"lanes": 2, "service": law(0.1)}
    made = assert_made_from(with_plan(RICH), type(RICH).model_validate(data), "one more stage")
    (gate,) = made.elements[made.element_index("samur_az.exit.documents")].gates
    assert "samur_ru.entry.seals" in gate.queues


def test_with_values_validates_what_a_path_leads_into_and_keeps_the_rest():
    scenario = small()
    path = "checkpoints.astara_ir.exit.gate.lanes"
    changed = with_values(scenario, {path: 4})
    data = scenario.to_data()
    data["checkpoints"]["astara_ir"]["exit"]["gate"]["lanes"] = 4
    assert changed == type(scenario).model_validate(data)
    assert changed.to_data() == type(scenario).model_validate(data).to_data()
    assert changed.legs["ferry"] is scenario.legs["ferry"]
    assert changed.checkpoints["samur_az"] is scenario.checkpoints["samur_az"]
    with pytest.raises(cs.ScenarioError, match="lanes"):
        with_values(scenario, {path: -1})
