"""Places whose rows are those of a base: none that anything changed could reach, and rows that are really taken."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.indicators import Collector, Options
from corridor_sim.indicators.places import PlanView
from corridor_sim.indicators.same_places import same_places, tables_together
from corridor_sim.indicators.times import Wait, WaitPercentile
from corridor_sim.plan.shared_part import nothing_shared, shared_part
from corridor_sim.study.designs import with_values


@pytest.fixture(scope="module")
def plans():
    base = cs.load_scenario("baseline_2023")
    return [cs.make_plan(one) for one in (base, with_values(base, {"checkpoints.novo_filya_ru.entry.lanes.lanes": 2}))]


def found(base, plan, options=None):
    views = PlanView(base, np.arange(2)), PlanView(plan, np.arange(2), options or Options())
    return same_places(*views, shared_part(base, plan)), views


def test_all_places_of_the_same_plan_are_the_same(plans):
    places, (view, _) = found(plans[0], plans[0])
    assert {*view.span_places, *(("post", *key) for key in view.post_elements)} <= places


def test_a_post_that_differs_is_not_the_same_nor_is_its_crossing_nor_a_flow_through_it(plans):
    places, (_, view) = found(*plans)
    assert ("post", "novo_filya_ru", "entry") not in places
    assert ("post", "samur_az", "exit") in places
    through = [place for place in view.span_places if place[0] == "crossing" and "novo_filya" in str(place)]
    assert not {*through} & places
    for flow in plans[1].flows:
        passes = any(
            span.id == "novo_filya_ru" and span.direction == "entry" for v in flow.variants for span in v.spans
        )
        assert (("flow", flow.id, flow.direction) in places) is not passes


def test_nothing_is_the_same_with_other_options_or_another_value_of_time_there(plans):
    assert not found(plans[0], plans[0], Options(targets_h=(1.0,)))[0]
    assert not same_places(*found(*plans)[1], nothing_shared(plans[1]))
    flows = list(plans[0].flows)
    flows[0] = dataclasses.replace(flows[0], labels={**flows[0].labels, "value_of_time_usd_h": 1.0})
    places = found(plans[0], dataclasses.replace(plans[0], flows=tuple(flows)))[0]
    assert ("flow", flows[0].id, flows[0].direction) not in places
    assert any(("flow", flow.id, flow.direction) in places for flow in flows[1:])


def test_rows_of_places_that_are_the_same_are_those_of_the_base_itself(plans):
    base, other = Collector(plans[0], [0]), Collector(plans[0], [0])
    tables_together(base, [(other, shared_part(plans[0], plans[0]))])
    place = "post", "samur_az", "exit"
    rows = other.taken.rows(Wait, place)
    assert rows
    assert all(row is mine for row, mine in zip(rows, other.taken.rows_of[Wait][place], strict=True))
    assert base.taken.rows(Wait, place) is None


def test_rows_of_places_that_are_the_same_are_made_once(plans, monkeypatch):
    made = []
    of_post, pool_of = Wait._of_post, WaitPercentile._pool_of
    monkeypatch.setattr(Wait, "_of_post", lambda self, n, place: made.append(place) or of_post(self, n, place))
    monkeypatch.setattr(
        WaitPercentile, "_pool_of", lambda self, k, place: made.append(place) or pool_of(self, k, place)
    )
    base, same, other = (Collector(plan, [0]) for plan in (plans[0], *plans))
    shared = [shared_part(plans[0], plan) for plan in plans]
    tables_together(base, [(same, shared[0]), (other, shared[1])])
    times = {place: made.count(place) for place in made}
    assert times["post", "samur_az", "exit"] == 1
    assert times["post", "novo_filya_ru", "entry"] == 2
    assert {number for (kind, *_), number in times.items() if kind == "stage"} == {1, 2}
