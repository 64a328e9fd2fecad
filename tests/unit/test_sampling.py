"""Sampled inputs: the same bits however they are asked for, one stream for each meaning, refusals before drawing."""

import dataclasses
import math

import numpy as np
import pytest

from corridor_sim.core import streams
from corridor_sim.core.draws.words import uniform, words
from corridor_sim.core.errors import ScenarioError, SimulationError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.streams import generator, key
from corridor_sim.core.units import LONGEST_H, to_grid
from corridor_sim.model.arrivals import AllAtStart, ArrivalPlan, Batches, Poisson, RegularArrivals, Renewal, Trace
from corridor_sim.model.service_times import (
    Deterministic,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Mixture,
    ServiceTime,
    Shifted,
    Uniform,
    Weibull,
)
from corridor_sim.plan.elements import Delay, Departures, PlanBreakdown, Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Relief, Step, Variant
from corridor_sim.records.inputs import NUMBER_PER_FLOW
from corridor_sim.sampling.columns import CHUNK, Column
from corridor_sim.sampling.elements import outages
from corridor_sim.sampling.sampler import Sampler

HORIZON_H = 120.0
STAY = Lognormal(median_h=11 / 60, sigma=1.86, truncate_h=24.0)
ALWAYS = StepFunction.constant(1.0)


def step(element, *laws, draws="", **more):
    return Step(element=element, laws=tuple((24.0 * k, law) for k, law in enumerate(laws)), draws=draws, **more)


def poisson(per_h=3.0):
    hours = np.arange(HORIZON_H)
    return ArrivalPlan(process=Poisson(), rate=StepFunction(hours, per_h * (1 + 0.9 * np.sin(hours * math.pi / 12))))


def make_plan(horizon_h=HORIZON_H, per_h=3.0, **changes):
    """Lanes that fail, a stay, a ferry by timetable and one that leaves when full; two flows, one with a choice."""
    elements = (
        Station(
            id="a.lanes",
            lanes=StepFunction([0, 60], [2, 3]),
            breakdown=PlanBreakdown(up=Exponential(mean_h=20.0), down=Gamma(mean_h=1.0, cv=0.5), per_lane=True),
        ),
        Delay(id="a.stay"),
        Departures(
            id="ferry",
            depart_h=np.arange(6.0, horizon_h, 12.0),
            places=np.full(len(np.arange(6.0, horizon_h, 12.0)), 40),
            crossing=Uniform(low_h=20.0, high_h=30.0),
            cancel=0.3,
        ),
        Departures(id="barge", when_full=5, crossing=Exponential(mean_h=3.0)),
    )
    lanes = step(0, Gamma(mean_h=0.5, cv=0.8), Gamma(mean_h=0.3, cv=0.8), draws="a.lanes")
    relief = Relief(share=StepFunction.constant(0.3), factor=0.5, draws="pre")
    stay = step(1, STAY, draws="a.stay", share=StepFunction.constant(0.5), share_draws="channel", reliefs=(relief,))
    choice = (
        Variant(id="by_ferry", steps=(lanes, stay, step(2)), share=StepFunction([0, 48], [0.5, 0.1])),
        Variant(id="by_barge", steps=(stay, step(3)), share=StepFunction.constant(0.3)),
        Variant(id="by_land", steps=(lanes,), share=StepFunction([0, 96], [0.2, 0.9])),
    )
    flows = (
        FlowPlan(id="export", variants=choice, arrivals=poisson(per_h)),
        FlowPlan(
            id="import",
            variants=(Variant(id="only", steps=(step(0, Deterministic(value_h=0.24), draws="a.lanes"), step(3))),),
            arrivals=ArrivalPlan(process=Batches(size=[3, 8], weights=[0.5, 0.5]), rate=StepFunction.constant(2.0)),
        ),
    )
    return dataclasses.replace(Plan(elements=elements, flows=flows, horizon_h=horizon_h), **changes)


def rows_of(inputs, f, k):
    """Everything consignment by consignment in row k of flow f, padding cut off."""
    flow = inputs.flows[f]
    there = flow.variant[k] >= 0
    found = {"release": flow.release_h[k], "variant": flow.variant[k], "number": flow.number[k]}
    for name, arrays in flow.duration_h.items():
        found.update({("duration", name, i): array[k] for i, array in enumerate(arrays)})
    found.update({("uniform", name): array[k] for name, array in flow.uniform.items()})
    found = {name: values[there] for name, values in found.items()}
    # What a window leaves for later, asked for now.
    count = np.where(np.arange(len(flow.count)) == k, flow.count, 0)
    index = found["number"] - f * NUMBER_PER_FLOW
    for name, columns in flow.later.duration_h.items():
        found.update({("duration", name, i): column.at(count, index) for i, column in enumerate(columns)})
    found.update({("uniform", name): column.at(count, index) for name, column in flow.later.uniform.items()})
    return found


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        assert np.array_equal(found[name], expected[name]), name


def joined(windows, f, k):
    parts = [rows_of(window, f, k) for window in windows]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


# ---------------------------------------------------------------- shape and meaning


def test_inputs_lie_on_the_clock_grid_in_order_and_within_the_horizon():
    inputs = Sampler(make_plan(), 1).sample(range(5))
    for f, flow in enumerate(inputs.flows):
        there = flow.variant >= 0
        assert flow.release_h.shape == there.shape == (5, flow.count.max())
        assert np.array_equal(np.isfinite(flow.release_h), there)
        assert (flow.release_h[:, 1:] >= flow.release_h[:, :-1]).all()
        assert flow.release_h[there].max() <= HORIZON_H
        assert np.array_equal(flow.number[there] - f * NUMBER_PER_FLOW, np.nonzero(there)[1])
        for array in (flow.release_h, *(array for arrays in flow.duration_h.values() for array in arrays)):
            assert np.array_equal(array[there], to_grid(array[there]))
            assert (array[there] >= 0).all()
        for array in flow.uniform.values():
            assert ((array >= 0) & (array < 1)).all()
    assert set(inputs.flows[0].duration_h) == {"a.lanes", "a.stay"}
    assert set(inputs.flows[0].uniform) == {"channel", "pre"}


def test_dated_laws_of_a_step_read_the_same_draws():
    early, late = Sampler(make_plan(), 1).sample([0]).flows[0].duration_h["a.lanes"]
    there = early > 0.01
    np.testing.assert_allclose(late[there] / early[there], 0.6, rtol=1e-3)


def test_streams_are_those_of_their_names():
    """Whoever knows the key can draw the values again."""
    plan, root = make_plan(), 99
    flow = Sampler(plan, root).sample([4]).flows[0]
    n = int(flow.count[0])
    release = to_grid(plan.flows[0].arrivals.sampler(key(root, 4, "release", "export"))(n))
    assert np.array_equal(flow.release_h[0], release)
    service = to_grid(Gamma(mean_h=0.5, cv=0.8).at(key(root, 4, "duration", "export", "a.lanes"), range(n)))
    assert np.array_equal(flow.duration_h["a.lanes"][0][0], service)
    stay = to_grid(STAY.at(key(root, 4, "duration", "export", "a.stay"), range(n)))
    assert np.array_equal(flow.duration_h["a.stay"][0][0], stay)
    assert np.array_equal(
        flow.uniform["channel"][0], uniform(words(key(root, 4, "share", "export", "channel"), range(n)))
    )
    assert np.array_equal(flow.uniform["pre"][0], uniform(words(key(root, 4, "relief", "export", "pre"), range(n))))


def test_itineraries_follow_the_shares_on_the_day_of_release():
    plan = make_plan(per_h=300.0)
    flow = Sampler(plan, 3).sample([0]).flows[0]
    drawn = uniform(words(key(3, 0, "route", "export"), range(int(flow.count[0]))))
    for since_h, until_h, shares in ((0, 48, [0.5, 0.3, 0.2]), (48, 96, [0.1, 0.3, 0.2]), (96, 120, [0.1, 0.3, 0.9])):
        then = (flow.release_h[0] >= since_h) & (flow.release_h[0] < until_h)
        upto = np.cumsum(shares) / sum(shares)
        assert np.array_equal(flow.variant[0][then], np.searchsorted(upto[:2], drawn[then], side="right"))
        for v, share in enumerate(np.array(shares) / sum(shares)):
            assert abs((flow.variant[0][then] == v).mean() - share) < 4.5 * math.sqrt(share / then.sum())


def test_a_share_that_changes_at_the_instant_of_a_release_counts_already():
    first = Variant(id="first", steps=(), share=StepFunction([0, 2], [1.0, 0.0]))
    then = Variant(id="then", steps=(), share=StepFunction([0, 2], [0.0, 1.0]))
    arrivals = ArrivalPlan(process=RegularArrivals(every_h=1.0))
    plan = Plan(elements=(), flows=(FlowPlan(id="f", variants=(first, then), arrivals=arrivals),), horizon_h=4.0)
    assert Sampler(plan, 1).sample([0]).flows[0].variant.tolist() == [[0, 0, 1, 1, 1]]


def test_durations_beyond_any_clock_are_capped_so_that_the_grid_stays_exact():
    values = Column(streams.keys(1, [0], "duration", "f", "x"), Weibull(shape=0.1, scale_h=1e6)).take(np.array([5000]))
    assert values.max() == LONGEST_H
    assert np.array_equal(values, to_grid(values))


def test_a_release_at_the_horizon_happens_and_one_after_it_does_not():
    trace = FlowPlan(
        id="t", variants=(Variant(id="v", steps=()),), arrivals=ArrivalPlan(process=Trace(times_h=[0.0, 2.0, 2.25]))
    )
    inputs = Sampler(Plan(elements=(), flows=(trace,), horizon_h=2.0), 1).sample([0])
    assert inputs.flows[0].release_h.tolist() == [[0.0, 2.0]]


def test_flows_without_consignments_give_empty_rows():
    def flow(id, arrivals):
        return FlowPlan(id=id, variants=make_plan().flows[0].variants, arrivals=arrivals)

    flows = (
        flow("late", ArrivalPlan(process=RegularArrivals(every_h=500.0, first_h=400.0))),
        flow("nobody", ArrivalPlan(process=Poisson())),
        flow("none", ArrivalPlan(process=AllAtStart(count=0))),
    )
    sampler = Sampler(make_plan(flows=flows), 1)
    for inputs in (sampler.sample([0, 1]), sampler.stream([0, 1]).next(math.inf)):
        for part in inputs.flows:
            assert part.release_h.shape == (2, 0)
            drawn = part.duration_h.get("a.stay") or part.later.duration_h["a.stay"]
            assert isinstance(drawn[0], Column) or drawn[0].shape == (2, 0)
    assert sampler.sample([]).flows[0].release_h.shape == (0, 0)


# ---------------------------------------------------------------- the same bits however they are asked for


def test_a_replication_does_not_depend_on_those_beside_it():
    sampler = Sampler(make_plan(), 5)
    together = sampler.sample([0, 1, 2, 3, 17])
    for k, replication in enumerate([0, 1, 2, 3, 17]):
        alone = Sampler(make_plan(), 5).sample([replication])
        for f in range(2):
            assert_same(rows_of(alone, f, 0), rows_of(together, f, k))
        for e, rows in together.outages.items():
            assert alone.outages[e][0] == rows[k]
        assert np.array_equal(alone.crossing_h[2][0], together.crossing_h[2][k])
        assert np.array_equal(alone.cancelled[2][0], together.cancelled[2][k])


def test_the_order_of_replications_is_the_order_of_rows():
    sampler = Sampler(make_plan(), 5)
    forth, back = sampler.sample([2, 7]), sampler.sample([7, 2])
    for f in range(2):
        assert_same(rows_of(back, f, 0), rows_of(forth, f, 1))
    assert back.replications.tolist() == [7, 2]


@pytest.mark.parametrize("window_h", [0.75, 7.3, 24.0, 1000.0])
def test_windows_hold_the_same_bits_as_the_whole(window_h):
    sampler = Sampler(make_plan(), 5)
    whole = sampler.sample(range(3))
    blocks = sampler.stream(range(3))
    windows, until_h = [], 0.0
    while not blocks.done:
        since_h, until_h = until_h, until_h + window_h
        window = blocks.next(until_h)
        for flow in window.flows:
            released = flow.release_h[flow.variant >= 0]
            assert ((released >= since_h) & (released < until_h)).all()
        windows.append(window)
    for f in range(2):
        for k in range(3):
            assert_same(joined(windows, f, k), rows_of(whole, f, k))
    assert windows[0].outages == whole.outages
    assert np.array_equal(windows[-1].crossing_h[2], whole.crossing_h[2])
    assert np.array_equal(windows[-1].cancelled[2], whole.cancelled[2])
    shared = min(windows[-1].crossing_h[3].shape[1], whole.crossing_h[3].shape[1])
    assert np.array_equal(windows[-1].crossing_h[3][:, :shared], whole.crossing_h[3][:, :shared])


def test_flows_with_equal_arrivals_are_drawn_together_without_a_trace():
    plan = make_plan()
    export, others = plan.flows
    gaps = ArrivalPlan(process=Renewal(interarrival=Gamma(mean_h=1.0, cv=0.4)), rate=export.arrivals.rate)
    arrivals = [export.arrivals, gaps, poisson(3.0), gaps, poisson(7.0), poisson(3.0)]
    alike = tuple(dataclasses.replace(export, id=f"f{n}", arrivals=one) for n, one in enumerate(arrivals))
    plan = dataclasses.replace(plan, flows=(*alike, others))
    sampler = Sampler(plan, 5)
    alone, together = sampler.sample(range(3)), sampler.stream(range(3)).next(math.inf)
    for f in range(len(plan.flows)):
        assert alone.flows[f].release_h.tobytes() == together.flows[f].release_h.tobytes()
        for k in range(3):
            assert_same(rows_of(together, f, k), rows_of(alone, f, k))
    assert len({flow.release_h.tobytes() for flow in together.flows}) == len(plan.flows)


def test_windows_of_any_length_may_follow_each_other():
    sampler = Sampler(make_plan(), 5)
    blocks = sampler.stream([1])
    windows = [blocks.next(until_h) for until_h in (0.0, 0.5, 0.5, 30.0, 30.25, 119.0, math.inf)]
    assert blocks.done
    assert_same(joined(windows, 0, 0), rows_of(sampler.sample([1]), 0, 0))
    assert blocks.next(math.inf).flows[0].release_h.shape == (1, 0)
    with pytest.raises(ValueError, match="windows go on in time"):
        blocks.next(3.0)


def test_long_rows_are_drawn_in_chunks_without_a_trace():
    """More than one chunk of values a row, for laws with one and with several generators."""
    laws = (
        STAY,
        Exponential(mean_h=1.0),
        Hyperexponential(weights=[0.5, 0.5], means_h=[1.0, 2.0]),
        Mixture(weights=[0.5, 0.5], laws=[Exponential(mean_h=1.0), Uniform(low_h=0.0, high_h=1.0)]),
    )
    n = np.array([2 * CHUNK + 3, 5, CHUNK])
    for law in laws:
        values = Column(streams.keys(8, [0, 1, 2], "duration", "f", "e"), law).take(n)
        for k, count in enumerate(n):
            expected = to_grid(law.at(key(8, k, "duration", "f", "e"), range(int(count))))
            assert np.array_equal(values[k, :count], expected)


class InSequence(ServiceTime):
    """A law of a user that knows nothing of keys."""

    kind = "in_sequence"
    mean_h: float

    def sampler(self, rng):
        return lambda n: self.mean_h * rng.standard_exponential(n)


@pytest.mark.parametrize("law", [InSequence(mean_h=2.0), Shifted(shift_h=0.5, law=InSequence(mean_h=2.0))], ids=repr)
def test_a_law_that_has_a_sampler_only_is_drawn_in_sequence_from_a_generator_of_its_stream(law):
    assert not law.by_index
    column = Column(streams.keys(8, [0, 1], "duration", "f", "e"), law)
    counts = np.array([2 * CHUNK + 3, 7])
    values = column.take(counts)
    for k, count in enumerate(counts):
        expected = law.sampler(generator(key(8, k, "duration", "f", "e")))(int(count))
        assert np.array_equal(values[k, :count], to_grid(expected))
    kept = Column(streams.keys(8, [0, 1], "duration", "f", "e"), law, keep=True)
    parts = [kept.take(np.array([3, 4])), kept.take(np.array([5, 3]))]
    assert np.array_equal(np.concatenate([parts[0][0, :3], parts[1][0]]), values[0, :8])
    assert np.array_equal(np.concatenate([parts[0][1], parts[1][1, :3]]), values[1, :7])


def test_a_law_in_sequence_in_a_plan_is_drawn_ahead_and_the_others_later():
    steps = (step(0, InSequence(mean_h=0.5), draws="a.lanes"), step(1, STAY, draws="a.stay"))
    flow = FlowPlan(id="export", variants=(Variant(id="v", steps=steps),), arrivals=poisson())
    sampler = Sampler(make_plan(flows=(flow,)), 5)
    window = sampler.stream([0, 1]).next(math.inf)
    assert set(window.flows[0].duration_h) == {"a.lanes"}
    assert set(window.flows[0].later.duration_h) == {"a.stay"}
    for k in range(2):
        assert_same(rows_of(window, 0, k), rows_of(sampler.sample([0, 1]), 0, k))


@pytest.mark.parametrize("law", [None, STAY, Gamma(mean_h=0.5, cv=0.8), Deterministic(value_h=0.3)], ids=repr)
def test_any_value_of_a_column_is_the_same_alone(law):
    column = Column(streams.keys(8, [3, 0], "share", "f", "e"), law)
    whole = column.take(np.array([400, 300]))
    index = np.array([7, 399, 0, 5, 5, 299])
    assert np.array_equal(column.at(np.array([2, 4]), index), np.append(whole[0, index[:2]], whole[1, index[2:]]))


def test_a_column_goes_on_where_each_row_ended():
    def column(keep):
        return Column(streams.keys(8, [0, 1], "share", "f", "e"), keep=keep)

    counts = np.array([2 * CHUNK, CHUNK + 7]), np.array([3, CHUNK + 1])
    kept, whole = column(keep=True), column(keep=False).take(counts[0] + counts[1])
    first, second = (kept.take(count) for count in counts)
    for k in range(2):
        parts = first[k, : counts[0][k]], second[k, : counts[1][k]]
        assert np.array_equal(np.concatenate(parts), whole[k, : counts[0][k] + counts[1][k]])


def test_crossings_suffice_for_everybody_who_may_board_a_boat_that_leaves_when_full():
    sampler = Sampler(make_plan(), 5)
    blocks, boarders = sampler.stream(range(3)), 0
    while not blocks.done:
        window = blocks.next(blocks.since_h + 10.0)
        boarders += sum(flow.count for flow in window.flows)
        assert window.crossing_h[3].shape[1] >= (boarders // 5).max()


# ---------------------------------------------------------------- common random numbers (invariants 30, 31)


def test_another_flow_element_or_role_leaves_every_other_draw_alone():
    plan = make_plan()
    before = Sampler(plan, 5).sample(range(2))
    export = plan.flows[0]
    extra = step(4, Exponential(mean_h=1.0), draws="new", share=ALWAYS, share_draws="new_share")
    longer = tuple(dataclasses.replace(v, steps=(extra, *v.steps)) for v in export.variants)
    changed = dataclasses.replace(
        plan,
        elements=(*plan.elements, Station(id="new", lanes=ALWAYS, breakdown=plan.elements[0].breakdown)),
        flows=(dataclasses.replace(export, id="another"), dataclasses.replace(export, variants=longer), plan.flows[1]),
    )
    after = Sampler(changed, 5).sample(range(2))
    for k in range(2):
        found = rows_of(after, 1, k)
        expected = rows_of(before, 0, k)
        assert {key: len(found[key]) for key in expected} == {key: len(expected[key]) for key in expected}
        for name in expected.keys() - {"number"}:
            assert np.array_equal(found[name], expected[name]), name
    assert after.outages[0] == before.outages[0]
    assert np.array_equal(after.crossing_h[2], before.crossing_h[2])
    assert not np.array_equal(after.flows[0].release_h[0][:20], before.flows[0].release_h[0][:20])


def test_another_mean_of_a_service_scales_the_same_draws():
    def plan(mean_h):
        steps = (step(0, Gamma(mean_h=mean_h, cv=0.8), draws="a.lanes"), step(1, STAY, draws="a.stay"))
        flow = FlowPlan(id="export", variants=(Variant(id="v", steps=steps),), arrivals=poisson())
        return make_plan(flows=(flow,))

    one, other = (Sampler(plan(mean_h), 5).sample([0]).flows[0] for mean_h in (0.5, 1.0))
    np.testing.assert_allclose(
        other.duration_h["a.lanes"][0], 2 * one.duration_h["a.lanes"][0], atol=2 * 2.0**-20, rtol=0
    )
    assert np.array_equal(other.duration_h["a.stay"][0], one.duration_h["a.stay"][0])


def test_growth_adds_consignments_and_keeps_the_draws_of_those_there_were():
    one, other = (Sampler(make_plan(per_h=per_h), 5).sample([0]) for per_h in (3.0, 3.3))
    n = int(one.flows[0].count[0])
    assert other.flows[0].count[0] > n
    assert np.array_equal(other.flows[0].duration_h["a.stay"][0][:, :n], one.flows[0].duration_h["a.stay"][0])
    assert (other.flows[0].release_h[:, :n] <= one.flows[0].release_h).all()
    assert_same(rows_of(other, 1, 0), rows_of(one, 1, 0))


def test_a_longer_run_begins_with_the_shorter_one():
    short, long = (Sampler(make_plan(horizon_h), 5).sample([0]) for horizon_h in (60.0, HORIZON_H))
    for f in range(2):
        expected = rows_of(short, f, 0)
        n = len(expected["release"])
        assert_same({key: values[:n] for key, values in rows_of(long, f, 0).items()}, expected)
        assert (rows_of(long, f, 0)["release"][n:] > 60.0).all()
    begun = tuple(outage for outage in long.outages[0][0] if outage.from_h < 60.0)
    assert begun == short.outages[0][0]


def test_replications_flows_and_elements_have_draws_of_their_own():
    inputs = Sampler(make_plan(), 5).sample(range(2))
    other_root = Sampler(make_plan(), 6).sample(range(2))
    uniform = inputs.flows[0].uniform
    drawn = [*uniform["channel"][:, :50], *uniform["pre"][:, :50], other_root.flows[0].uniform["channel"][0, :50]]
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            assert not np.isin(one, other).any()


# ---------------------------------------------------------------- outages, cancellations


def test_outages_alternate_with_the_means_of_their_laws():
    station = Station(
        id="s", lanes=ALWAYS, breakdown=PlanBreakdown(up=Exponential(mean_h=9.0), down=Gamma(mean_h=1.0, cv=0.5))
    )
    drawn = outages(station, 3, 0, 200_000.0)
    begin, end = (np.array([getattr(o, name) for o in drawn]) for name in ("from_h", "until_h"))
    assert {outage.lane for outage in drawn} == {None}
    assert begin[0] > 0
    assert (begin[1:] > end[:-1]).all()
    assert begin[-1] < 200_000
    up, down = begin[1:] - end[:-1], end - begin
    assert abs(up.mean() - 9.0) < 4 * 9.0 / math.sqrt(len(up))
    assert abs(down.mean() - 1.0) < 4 * 0.5 / math.sqrt(len(down))


def test_every_lane_has_its_own_outages_and_a_further_lane_changes_none():
    def station(lanes):
        breakdown = PlanBreakdown(up=Exponential(mean_h=9.0), down=Exponential(mean_h=1.0), per_lane=True)
        return Station(id="s", lanes=StepFunction.constant(lanes), breakdown=breakdown)

    two, three = outages(station(2), 3, 0, 500.0), outages(station(3), 3, 0, 500.0)
    assert {outage.lane for outage in three} == {1, 2, 3}
    assert tuple(outage for outage in three if outage.lane != 3) == two
    assert two[0].from_h != next(outage for outage in two if outage.lane == 2).from_h


def test_a_repair_that_takes_no_time_is_no_outage():
    breakdown = PlanBreakdown(up=Exponential(mean_h=9.0), down=Deterministic(value_h=0.0))
    assert outages(Station(id="s", lanes=ALWAYS, breakdown=breakdown), 3, 0, 500.0) == ()


def test_a_lane_that_fails_without_end_is_refused():
    breakdown = PlanBreakdown(up=Exponential(mean_h=1e-6), down=Deterministic(value_h=0.0))
    elements = (Station(id="s", lanes=ALWAYS, breakdown=breakdown),)
    flow = FlowPlan(id="f", variants=(Variant(id="v", steps=()),), arrivals=ArrivalPlan(process=AllAtStart(count=1)))
    sampler = Sampler(Plan(elements=elements, flows=(flow,), horizon_h=100.0), 1)
    with pytest.raises(ScenarioError, match=r"s\.breakdown: would fail about 1e\+08 times"):
        sampler.sample([0])


def test_departures_are_cancelled_as_often_as_said():
    inputs = Sampler(make_plan(), 5).sample(range(400))
    cancelled = inputs.cancelled[2]
    assert cancelled.shape == inputs.crossing_h[2].shape == (400, 10)
    assert abs(cancelled.mean() - 0.3) < 4 * math.sqrt(0.21 / cancelled.size)
    assert 3 not in inputs.cancelled


# ---------------------------------------------------------------- refusals, before anything is drawn


def test_far_too_many_consignments_are_refused_with_the_flow_that_brings_them():
    plan = make_plan(per_h=1e12 / 24)
    with pytest.raises(ScenarioError, match=r"flows\.export: would create 5e\+12 consignments .*limit 1e\+08"):
        Sampler(plan, 1)
    with pytest.raises(ScenarioError, match=r"limit 100\b"):
        Sampler(make_plan(), 1, max_consignments=100)


def test_too_much_memory_is_refused_with_what_would_fit():
    sampler = Sampler(make_plan(), 1, memory_gb=0.001)
    with pytest.raises(
        SimulationError, match=r"inputs of 1000000 replications need about .* GB .*take at most \d+ repl"
    ):
        sampler.sample(range(1_000_000))
    fit = int(0.001e9 / sampler.bytes_per_replication)
    assert len(sampler.sample(range(fit)).replications) == fit


def test_the_estimate_of_memory_is_near_the_truth():
    sampler = Sampler(make_plan(per_h=50.0), 1)
    inputs = sampler.sample(range(20))
    held = sum(
        array.nbytes
        for flow in inputs.flows
        for array in [
            flow.release_h,
            flow.variant,
            flow.number,
            *flow.uniform.values(),
            *(a for arrays in flow.duration_h.values() for a in arrays if any(a.strides)),
        ]
    )
    assert 0.7 < held / (20 * sampler.bytes_per_replication) < 1.1


def test_plans_that_cannot_be_sampled_say_why_all_at_once():
    plan = make_plan()
    export, other = plan.flows
    two_laws = dataclasses.replace(
        export.variants[0], steps=(*export.variants[0].steps, step(1, Exponential(mean_h=1.0), draws="a.stay"))
    )
    no_share = Variant(id="v", steps=(), share=StepFunction([0, 5], [1.0, 0.0]))
    bad = dataclasses.replace(
        plan,
        flows=(
            dataclasses.replace(export, variants=(two_laws,)),
            dataclasses.replace(other, arrivals=None, variants=(no_share,)),
        ),
    )
    with pytest.raises(ScenarioError) as caught:
        Sampler(bad, 1)
    text = str(caught.value)
    assert "flows.export = 'a.stay': has one stream of durations with two sets of laws" in text
    assert "flows.import: has no arrivals" in text
    assert "flows.import: has itineraries whose shares are negative or all 0" in text


def test_replications_are_different_whole_numbers():
    sampler = Sampler(make_plan(), 1)
    for bad in ([-1], [1, 1]):
        with pytest.raises(ValueError, match="different whole numbers >= 0"):
            sampler.sample(bad)
