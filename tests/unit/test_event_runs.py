"""Itineraries, records, horizons and errors of the event engine."""

import numpy as np
import pytest
from event_plans import LAWS, Truck, a, dated, make, play, station, to

from corridor_sim.core.errors import SimulationError
from corridor_sim.engines.event import ledger, run, simulate
from corridor_sim.plan.elements import Delay
from corridor_sim.plan.steps import Relief, Step
from corridor_sim.records.inputs import FlowInputs, SampledInputs


def one(**rest):
    return {0: [[Step(element=0, laws=LAWS, draws="A", **rest)]]}


def test_a_share_is_read_when_the_consignment_comes_to_the_step():
    share = dated([(0, 0.2), (10, 0.8)])
    out = play(
        [station(lanes=9)],
        [a(t, 5, uniform={"red": 0.5}) for t in (9, 10, 11)],
        variants=one(share=share, share_draws="red"),
    )
    assert out.join("A") == [None, 10, 11]
    assert out.depart == [9, 15, 16]


def test_steps_of_one_share_draw_nest():
    steps = [
        Step(element=0, laws=LAWS, draws="A", share=dated(0.6), share_draws="red"),
        Step(element=1, laws=LAWS, draws="B", share=dated(0.3), share_draws="red"),
    ]
    trucks = [a(0, 1, 1, uniform={"red": u}) for u in (0.1, 0.4, 0.9)]
    out = play([station("A", 9), station("B", 9)], trucks, variants={0: [steps]})
    assert out.join("A") == [0, 0, None]
    assert out.join("B") == [1, None, None]


def test_a_factor_is_read_at_the_start_and_the_product_is_rounded_to_the_grid():
    out = play([station(lanes=9)], [a(0, 3), a(10, 3)], variants=one(factor=dated([(0, 1 / 3), (10, 0.1)])))
    assert out.service("A") == [1, round(0.3 * 2**20) / 2**20]
    assert out.finish("A") == [1, 10 + round(0.3 * 2**20) / 2**20]


def test_reliefs_shorten_or_skip_by_date():
    shorter = Relief(share=dated([(0, 0), (10, 0.5)]), factor=0.5, draws="aeo")
    skipped = Relief(share=dated(0.2), factor=0.0, draws="green")
    trucks = [
        a(9, 4, uniform={"aeo": 0.1, "green": 0.9}),
        a(10, 4, uniform={"aeo": 0.1, "green": 0.9}),
        a(10, 4, uniform={"aeo": 0.6, "green": 0.9}),
        a(10, 4, uniform={"aeo": 0.1, "green": 0.1}),
    ]
    out = play([station(lanes=9)], trucks, variants=one(reliefs=(shorter, skipped)))
    assert out.service("A") == [4, 2, 4, None]


def test_the_law_is_that_of_the_date_of_the_start_and_the_first_one_before():
    laws = ((5.0, None), (10.0, None), (20.0, None))
    steps = {0: [[Step(element=0, laws=laws, draws="A")]]}
    trucks = [Truck(t, {"A": (1.0, 2.0, 3.0)}) for t in (0, 9, 10, 20)]
    assert play([station(lanes=9)], trucks, variants=steps).service("A") == [1, 1, 2, 3]


def test_who_waits_is_served_in_the_time_in_force_as_it_starts():
    factor = dated([(0, 1), (5, 0.25), (6, 1)])
    out = play([station()], [a(0, 4), a(0, 4), a(0, 4), a(0, 4)], variants=one(factor=factor))
    assert out.start("A") == [0, 4, 8, 12]
    assert out.service("A") == [4, 4, 4, 4]
    out = play([station()], [a(0, 5), a(0, 4), a(0, 4), a(0, 4)], variants=one(factor=factor))
    assert out.start("A") == [0, 5, 6, 10]
    assert out.service("A") == [5, 1, 4, 4]


def test_who_is_to_be_passed_by_from_a_date_and_came_before_is_served_in_full():
    skipped = Relief(share=dated([(0, 0), (3, 1)]), factor=0.0, draws="green")
    trucks = [a(0, 4, uniform={"green": 0.5}), a(1, 4, uniform={"green": 0.5}), a(3, 4, uniform={"green": 0.5})]
    out = play([station()], trucks, variants=one(reliefs=(skipped,)))
    assert out.start("A") == [0, 4, None]
    assert out.service("A") == [4, 4, None]


def test_without_overrun_who_does_not_fit_starts_as_soon_as_the_time_in_force_fits():
    # Open 0-10 and 20-30. The second, of 8 h, would end at 12; from hour 6 on it takes 4 h and ends at 10.
    hours = dated([(0, 1), (10, 0), (20, 1), (30, 0)])
    factor = dated([(0, 1), (6, 0.5)])
    out = play([station(lanes=hours, closing="no_overrun")], [a(0, 4), a(0, 8), a(0, 8)], variants=one(factor=factor))
    assert out.start("A") == [0, 6, 20]
    assert out.finish("A") == [4, 10, 24]
    # A time that grows longer before there is a lane may fit no more.
    factor = dated([(0, 1), (4, 2)])
    out = play([station(lanes=hours, closing="no_overrun")], [a(0, 4), a(0, 5), a(0, 4)], variants=one(factor=factor))
    assert out.start("A") == [0, 20, None]


def test_the_time_that_was_read_at_the_start_stays_when_the_service_is_cut():
    hours = dated([(0, 1), (3, 0), (6, 1)])
    for closing, finish in (("suspend", 8), ("restart", 11)):
        plays = play([station(lanes=hours, closing=closing)], [a(0, 5)], variants=one(factor=dated([(0, 1), (4, 9)])))
        assert plays.finish("A") == [finish]


def test_the_factor_of_one_that_waited_for_room_is_read_when_it_starts():
    steps = {0: [[*to(0), Step(element=1, laws=LAWS, draws="B", factor=dated([(0, 1), (5, 2)]))]]}
    out = play([station("A"), station("B", yard=0)], [a(0, 1, 6), a(0, 1, 6)], variants=steps)
    assert out.join("B") == [1, 7]
    assert out.service("B") == [6, 12]


def test_each_consignment_takes_its_own_itinerary():
    elements = [station("A"), Delay(id="B"), station("C")]
    routes = {0: [to(0, 2), to(1, 2)]}
    out = play(elements, [a(0, 1, 9, 1), a(0, 1, 9, 1, variant=1)], variants=routes)
    assert out.depart == [2, 10]
    assert out.variant == [0, 1]


def test_visits_stand_in_order_of_joining_time_then_number():
    rows = [a(0, 5), a(3, 1, flow=1, number=7), a(3, 1, number=4), a(2, 1)]
    visits = play([station(rank=(0, 1))], rows).records.elements[0]
    assert visits.join_h.tolist() == [[0, 2, 3, 3]]
    assert visits.flow.tolist() == [[0, 0, 0, 1]]
    assert visits.index.tolist() == [[0, 1, 2, 0]]


def test_events_at_the_horizon_happen_and_later_ones_do_not():
    out = play([station(), station("B")], [a(0, 10, 0), a(10, 1), a(11, 1)], horizon_h=10)
    assert out.depart == [10, None, None]
    assert out.start("A") == [0, 10, None]
    assert out.finish("A") == [10, None, None]
    release = out.records.journeys[0].release_h[0]
    assert release[:2].tolist() == [0, 10]
    assert np.isnan(release[2])


def two_replications():
    rows = [make([station(lanes=2), station("B")], trucks) for trucks in ([a(0, 5, 1), a(1, 2, 2)], [a(2, 1, 1)])]
    plan = rows[0][0]
    (first,), (second,) = rows[0][1].flows, rows[1][1].flows

    def pad(array, fill):
        return np.concatenate([array, np.full((1, 1), fill, dtype=array.dtype)], axis=1)

    flow = FlowInputs(
        np.concatenate([first.release_h, pad(second.release_h, np.inf)]),
        np.concatenate([first.variant, pad(second.variant, -1)]),
        np.concatenate([first.number, pad(second.number, -1)]),
        {
            name: (np.concatenate([first.duration_h[name][0], pad(second.duration_h[name][0], 0)]),)
            for name in first.duration_h
        },
    )
    return plan, SampledInputs(np.array([4, 9]), (flow,))


def test_replications_do_not_depend_on_each_other_and_are_padded():
    plan, inputs = two_replications()
    both = simulate(plan, inputs)
    assert both.replications.tolist() == [4, 9]
    assert both.elements[0].count.tolist() == [2, 1]
    assert both.elements[0].flow.tolist() == [[0, 0], [0, -1]]
    assert both.journeys[0].variant.tolist() == [[0, 0], [0, -1]]
    assert both.journeys[0].depart_h[0].tolist() == [6, 5]
    assert both.journeys[0].depart_h[1, 0] == 4
    alone = simulate(plan, inputs.row(1))
    assert alone.elements[1].start_h.tolist() == [[3]]


def test_packing_visits_on_the_way_changes_nothing(monkeypatch):
    rows = [Truck(k, {"A": 7 * k % 5, "B": 3, "C": 1}, flow=k % 2) for k in range(60)]
    plan, inputs, _ = make([station("A", 2, rank=(1, 0)), station("B", 2), station("C", yard=1)], rows)
    at_once = simulate(plan, inputs)
    monkeypatch.setattr(ledger, "PACK_FROM", 4)
    monkeypatch.setattr(run, "TIDY_EVERY", 1)
    packed = []
    monkeypatch.setattr(ledger.Ledger, "_pack", lambda self, visits, pack=ledger.Ledger._pack: (
        packed.append(len(visits)), pack(self, visits)))  # fmt: skip
    assert simulate(plan, inputs).same_as(at_once) == ""
    assert len([count for count in packed if count]) > 10


def test_progress_is_told_after_each_replication():
    told = []
    simulate(*two_replications(), progress=told.append)
    assert told == [1, 1]


def test_a_flow_without_consignments_and_an_element_without_visits_are_no_matter():
    plan, inputs, _ = make([station(), station("B")], [a(0, 1)], variants={0: [to(0)]})
    records = simulate(plan, inputs)
    assert records.elements[1].flow.shape == (1, 0)
    assert records.elements[1].count.tolist() == [0]
    nobody = FlowInputs(np.empty((1, 0)), np.empty((1, 0), dtype=np.int64), np.empty((1, 0), dtype=np.int64),
                        {"A": (np.empty((1, 0)),)})  # fmt: skip
    assert simulate(plan, SampledInputs(np.array([0]), (nobody,))).journeys[0].count.tolist() == [0]


def test_releases_before_hour_0_are_taken():
    assert play([station(lanes=[(-9, 0), (-2, 1)])], [a(-5, 4), a(-3, 1)]).start("A") == [-2, 2]


def test_an_endless_horizon_ends_when_nothing_is_left():
    assert play([station()], [a(0, 1)], horizon_h=float("inf")).depart == [1]


def test_missing_draws_are_errors():
    plan, inputs, _ = make([station()], [a(0, 1)], variants=one(share=dated(0.5), share_draws="red"))
    with pytest.raises(SimulationError, match="flow f0: no uniforms were drawn for 'red'"):
        simulate(plan, inputs)
    plan, inputs, _ = make([station()], [a(0, 1)])
    bare = FlowInputs(inputs.flows[0].release_h, inputs.flows[0].variant, inputs.flows[0].number)
    with pytest.raises(SimulationError, match="1 laws but 0 arrays of durations for 'A'"):
        simulate(plan, SampledInputs(np.array([0]), (bare,)))


def deadlocked(**rest):
    # Outbound A then B, inbound B then A, no yards: from 5 on each holds the only lane the other needs.
    elements = [station("A", yard=0, **rest), station("B", yard=0)]
    return play(elements, [a(0, 5, 1), a(0, 1, 4, flow=1)], variants={0: [to(0, 1)], 1: [to(1, 0)]}, horizon_h=1000)


def test_a_deadlock_is_an_error_that_lists_who_waits():
    with pytest.raises(SimulationError) as error:
        deadlocked()
    text = str(error.value)
    assert "deadlock" in text
    assert "f0[0] has held A since 5 h and waits for room at B" in text
    assert "f1[0] has held B since 4 h and waits for room at A" in text


def test_blocked_for_want_of_an_opening_is_no_deadlock():
    out = play([station("A"), station("B", [(0, 1), (1, 0)], yard=0)], [a(0, 2, 1), a(0, 2, 1)])
    assert out.finish("A") == [2, None]
    assert out.leave("A") == [None, None]


def test_a_cycle_that_one_more_lane_would_loosen_later_is_no_deadlock():
    elements = [station("A", [(0, 1), (2000, 2)], yard=0), station("B", yard=0)]
    routes = {0: [to(0, 1)], 1: [to(1, 0)]}
    trucks = [a(0, 5, 1), a(0, 1, 4, flow=1)]
    assert play(elements, trucks, variants=routes, horizon_h=1000).depart == [None, None]
    assert play(elements, trucks, variants=routes, horizon_h=9000).depart == [2001, 2001]
