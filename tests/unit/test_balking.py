"""Balking: what is announced to a driver who reaches a post, worked out by hand, and the way he drives if he leaves."""

from dataclasses import replace

import pytest
from event_plans import Truck, a, dated, play, station
from small_corridor import flow, law, plan_with, small

from corridor_sim.core.errors import EngineRefusal
from corridor_sim.engines.batch import simulate as simulate_batch
from corridor_sim.files.scenario_files import dumps, loads
from corridor_sim.model.improvements import PreArrival
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.elements import PlanOutage, Reservation
from corridor_sim.plan.steps import PlanBalk, Relief, Step
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.study.run import run

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def at(element, mean_h, **rest):
    """A step whose planned mean is `mean_h`; the durations are those of the trucks."""
    return Step(element=element, laws=((0.0, Deterministic(value_h=mean_h)),), draws="ABCDEFGH"[element], **rest)


def leaves(elements, trucks, threshold_h, *steps, stages=None, others=(), **rest):
    """Which of the trucks leave for a station of their own; the first flow may, `others` are routes of the next."""
    stages = tuple(range(len(steps))) if stages is None else stages
    balk = PlanBalk(threshold_h=threshold_h, variant=1, at_step=0, stages=stages)
    away = Step(element=len(elements), laws=((0.0, None),), draws="Z")
    first, *later = steps
    route = (replace(first, balk=balk), *later)
    variants = {0: [route, (away,)], **{1 + k: [other] for k, other in enumerate(others)}}
    out = play([*elements, station("Z", 99)], trucks, variants=variants, **rest)
    return [joined is not None for joined in out.join("Z")]


TWO_STAGES = [station("A"), station("B")]
FOUR_TRUCKS = [a(0, 1, 5), a(0.5, 1, 5), a(1.5, 1, 5), a(2.6, 1, 5)]
# Planned means: 1 h at A, 2 h at B. A serves 0-1, 1-2, 2-3; B the first 1-6, the second waits there from 2 on.
#   at 0    A: 0 waiting, 1 free: 0      B: 0                               0
#   at 0.5  A: (0 + 1 - 0) x 1 / 1 = 1   B: 0 waiting, 1 free: 0            1
#   at 1.5  A: (0 + 1 - 0) x 1 / 1 = 1   B: (0 + 1 - 0) x 2 / 1 = 2         3
#   at 2.6  A: (0 + 1 - 0) x 1 / 1 = 1   B: (1 + 1 - 0) x 2 / 1 = 4         5


@pytest.mark.parametrize(
    ("threshold_h", "leave"),
    # At 0.99 the second leaves: the third finds A free and the first at B, 0 + 2, and so does the fourth.
    [(0.99, [0, 1, 1, 1]), (2.99, [0, 0, 1, 1]), (3.0, [0, 0, 0, 1]), (4.99, [0, 0, 0, 1]), (5.0, [0, 0, 0, 0])],
)
def test_the_announced_wait_is_the_sum_over_the_stages_of_the_post(threshold_h, leave):
    assert leaves(TWO_STAGES, FOUR_TRUCKS, threshold_h, at(0, 1), at(1, 2)) == leave


def test_by_choice_the_first_stage_alone_is_announced():
    assert leaves(TWO_STAGES, FOUR_TRUCKS, 1.0, at(0, 1), at(1, 2), stages=(0,)) == [0, 0, 0, 0]
    assert leaves(TWO_STAGES, FOUR_TRUCKS, 0.9, at(0, 1), at(1, 2), stages=(0,)) == [0, 1, 0, 0]


def test_a_stage_counts_by_the_share_that_needs_it():
    # Half: at 2.6 the announced wait is 1 + 0.5 x 4 = 3. All of these trucks are sent there (uniform 0).
    trucks = [Truck(one.release, one.take, uniform={"sent": 0.0}) for one in FOUR_TRUCKS]
    half = at(1, 2, share=dated(0.5), share_draws="sent")
    assert leaves(TWO_STAGES, trucks, 3.0, at(0, 1), half) == [0, 0, 0, 0]
    assert leaves(TWO_STAGES, trucks, 2.9, at(0, 1), half) == [0, 0, 0, 1]


def test_open_lanes_share_the_services_that_have_to_end_first():
    # At one instant: 0 + 1 - 2 and 1 + 1 - 2 wait for nobody, (2 + 1 - 2) x 3 / 2 = 1.5, (3 + 1 - 2) x 3 / 2 = 3.
    trucks = [a(0, 9), a(0, 9), a(0, 9), a(0, 9)]
    assert leaves([station("A", 2)], trucks, 2.9, at(0, 3)) == [0, 0, 0, 1]
    assert leaves([station("A", 2)], trucks, 1.4, at(0, 3)) == [0, 0, 1, 1]


def test_those_ahead_count_with_the_mean_of_their_own_class():
    # One of 4 h in service, two of 4 h wait: (2 + 1 - 0) x mean of (4, 4, 1) / 1 = 9.
    trucks = [a(0, 4, flow=1), a(1, 4, flow=1), a(2, 4, flow=1), a(3, 1)]
    assert leaves([station("A")], trucks, 8.99, at(0, 1), others=[(at(0, 4),)])[3]
    assert not leaves([station("A")], trucks, 9.0, at(0, 1), others=[(at(0, 4),)])[3]


def test_the_mean_has_the_factor_and_the_reliefs_in_force():
    # From 5 h on half as long, and a half of the trucks has 0.6 of that: 4 x 0.5 x (1 - 0.5 x 0.4) = 1.6.
    relief = Relief(share=dated(0.5), factor=0.6, draws="known")
    step = at(0, 4, factor=dated([(0, 1), (5, 0.5)]), reliefs=(relief,))
    trucks = [Truck(4, {"A": 4.0}, uniform={"known": 0.9}), Truck(6, {"A": 4.0}, uniform={"known": 0.9})]
    assert leaves([station("A")], trucks, 1.59, step) == [0, 1]
    assert leaves([station("A")], trucks, 1.6, step) == [0, 0]


LUNCH = [(0, 1), (12, 0), (13, 1)]


@pytest.mark.parametrize(
    ("elements", "wait_h"),
    [
        ([station("A", LUNCH)], 0.75),
        # Both open at 13: what is waited at the first is waited for the second too.
        ([station("A", LUNCH), station("B", LUNCH)], 0.75),
        ([station("A", LUNCH), station("B", [(0, 1), (12, 0), (14, 1)])], 1.75),
        ([station("A"), station("B", LUNCH)], 0.75),
    ],
    ids=["one stage", "both until 13", "until 13 and until 14", "the second only"],
)
def test_a_closed_stage_is_a_wait_until_it_opens(elements, wait_h):
    steps = [at(k, 0.1) for k in range(len(elements))]
    trucks = [a(12.25, 0.1, 0.1)]
    assert leaves(elements, trucks, wait_h, *steps) == [False]
    assert leaves(elements, trucks, wait_h - 0.01, *steps) == [True]


@pytest.mark.parametrize(
    ("closing", "wait_h"),
    [("finish", 0.5), ("suspend", 0.6), ("restart", 0.6)],
)
def test_at_reopening_interrupted_services_hold_their_lanes_and_ended_ones_do_not(closing, wait_h):
    # One begins at 11.9 and takes 1 h; announced at 12.5 are 0.5 h, and (0 + 1 - 0) x 0.1 where it still has to end.
    trucks = [a(11.9, 1), a(12.5, 0.1)]
    elements = [station("A", LUNCH, closing=closing)]
    assert leaves(elements, trucks, wait_h + 1e-9, at(0, 0.1)) == [0, 0]
    assert leaves(elements, trucks, wait_h - 0.01, at(0, 0.1)) == [0, 1]


def test_where_the_queue_is_cleared_only_who_came_after_the_closing_is_ahead():
    # Closed from 6 to 50. The second is served after the closing; announced are 50 - 7 = 43 h to the third and
    # 50 - 8 + (1 + 1 - 1) x 3 = 45 h to the fourth.
    elements = [station("A", [(0, 1), (6, 0), (50, 1)], closing="clear_queue")]
    trucks = [a(0, 10), a(1, 10), a(7, 3), a(8, 3)]
    assert leaves(elements, trucks, 45, at(0, 3)) == [0, 0, 0, 0]
    assert leaves(elements, trucks, 44.9, at(0, 3)) == [0, 0, 0, 1]
    assert leaves(elements, trucks, 42.9, at(0, 3)) == [0, 0, 1, 0]


@pytest.mark.parametrize("lanes", [[(0, 1), (12, 0)], [(0, 1), (12, 0), (2000, 1)]], ids=["for good", "after the run"])
def test_what_does_not_open_again_in_the_run_is_an_endless_wait(lanes):
    assert leaves([station("A", lanes)], [a(11, 1), a(12.5, 1)], 1e5, at(0, 1), horizon_h=1000) == [0, 1]


def test_an_outage_of_the_station_is_a_wait_until_its_end():
    # Down from 2 to 4 with one interrupted: at 3 it is 1 h and (0 + 1 - 0) x 0.5.
    elements = [station("A", outages=(PlanOutage(from_h=2, until_h=4),))]
    assert leaves(elements, [a(1, 3), a(3, 1)], 1.5, at(0, 0.5)) == [0, 0]
    assert leaves(elements, [a(1, 3), a(3, 1)], 1.4, at(0, 0.5)) == [0, 1]


def test_a_lane_that_is_down_is_not_open():
    # Lane 1 of 2 down from 0 to 9: at 2 one is in service and one waits, (1 + 1 - 0) x 3 / 1 = 6.
    elements = [station("A", 2, outages=(PlanOutage(from_h=0, until_h=9, lane=1),))]
    trucks = [a(0, 9), a(1, 9), a(2, 9)]
    assert leaves(elements, trucks, 6, at(0, 3)) == [0, 0, 0]
    assert leaves(elements, trucks, 5.9, at(0, 3)) == [0, 0, 1]


def test_lanes_kept_for_others_and_who_waits_for_them_do_not_count():
    # One general lane, one kept for the other flow, which has one in service and two waiting.
    kept = Reservation(flows=frozenset({1}), lanes=dated(1))
    elements = [station("A", 2, reserved=(kept,))]
    trucks = [a(0, 9, flow=1), a(0, 9, flow=1), a(0, 9, flow=1), a(1, 9), a(2, 9)]
    # To the last: (0 + 1 - 0) x 3 / 1 = 3.
    assert leaves(elements, trucks, 3, at(0, 3), others=[(at(0, 5),)]) == [0, 0, 0, 0, 0]
    assert leaves(elements, trucks, 2.9, at(0, 3), others=[(at(0, 5),)]) == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(("rank", "wait_h"), [((0, 1), 3), ((1, 0), 9), ((0, 0), 9)])
def test_only_those_who_are_not_less_urgent_stand_ahead(rank, wait_h):
    # One in service, two of the other flow wait, all with a mean of 3 h.
    trucks = [a(0, 9, flow=1), a(0, 9, flow=1), a(0, 9, flow=1), a(1, 9)]
    elements = [station("A", rank=rank)]
    assert not leaves(elements, trucks, wait_h, at(0, 3), others=[(at(0, 3),)])[3]
    assert leaves(elements, trucks, wait_h - 0.1, at(0, 3), others=[(at(0, 3),)])[3]


def test_who_waits_in_a_lane_for_room_at_the_next_stage_is_ahead_there():
    # B has no yard: the first is in B from 1 to 11, the second holds a lane of A from 2 on and asks for B.
    # At 3: A has a free lane, 0; B (1 + 1 - 0) x 2 / 1 = 4.
    elements = [station("A", 2), station("B", yard=0)]
    trucks = [a(0, 1, 10), a(1, 1, 10), a(3, 1, 10)]
    assert leaves(elements, trucks, 4, at(0, 1), at(1, 2)) == [0, 0, 0]
    assert leaves(elements, trucks, 3.9, at(0, 1), at(1, 2)) == [0, 0, 1]


# ---------------------------------------------------------------- from scenarios

BALK = {"crossing": "khanoba", "threshold_h": 2.0}


def scenario(balk=BALK, flows=("north",), **tables):
    kept = {name: None for name in ("fruit", "south", "transit", "east", "north") if name not in flows}
    return small(
        **{f"flows__{name}": None for name in kept},
        **{f"flows__{name}__balk": balk for name in flows},
        run__horizon_days=10,
        run__warm_up_days=0,
        **tables,
    )


def test_the_stages_of_the_post_are_those_with_lanes_that_the_class_needs():
    plan = plan_with(flows__north__balk=BALK, checkpoints__samur_az__exit__xray__share_by_class={"loaded": 0.5})
    variant = next(one for one in flow(plan, "north").variants if one.id == "samur")
    balk = next(step.balk for step in variant.steps if step.balk)
    assert [plan.elements[variant.steps[n].element].id for n in balk.stages] == [
        "samur_az.exit.documents", "samur_az.exit.xray",
    ]  # fmt: skip


def test_by_the_scope_of_the_file_only_the_first_stage_is_announced():
    text = dumps(scenario({**BALK, "scope": "first_stage"}))
    assert 'scope = "first_stage"' in text
    back = loads(text)
    assert back.flows["north"].balk.scope == "first_stage"
    assert scenario().flows["north"].balk.scope == "post"

    def left(balk):
        # A queue of days stands before the second stage; the first is quick.
        slow = {"lanes": 1, "service": law(2.0)}
        quick = {"lanes": 9, "service": law(0.01)}
        stages = {"weighbridge": quick, "documents": slow}
        found = run(scenario(balk, checkpoints__samur_az__exit=stages), replications=1, workers=1)
        return found.rows.row("throughput_per_day", kind="post", place="khanoba_az", direction="exit")[0]

    # 96 a day come, 12 a day can pass at Samur.
    assert left(BALK) > 60
    assert left({**BALK, "scope": "first_stage"}) == 0


def test_one_who_skips_the_first_stage_is_asked_at_the_next_and_nobody_is_asked_twice():
    stages = {"scan": {"lanes": 9, "service": law(0.01), "share": 0.3}, "documents": {"lanes": 1, "service": law(2.0)}}
    found = run(scenario(checkpoints__samur_az__exit=stages), replications=1, workers=1, records=True)
    visits = found.visits()
    back = visits[visits["element"] == "leg:baku_samur<"]
    scanned = visits[visits["element"] == "samur_az.exit.scan"]
    # 84 of 96 a day leave, those sent to the scan (30 %) as well as the others; who was scanned has not left after.
    assert len(back) > 700
    assert not set(back["consignment"]) & set(scanned["consignment"])


def test_the_way_back_takes_the_time_that_the_way_in_took():
    # Travel times differ from truck to truck.
    roads = {f"legs__{name}__speed_cv": 0.3 for name in ("baku_samur", "baku_khanoba")}
    stages = {"documents": {"lanes": 1, "service": law(0.5)}}
    found = run(scenario(checkpoints__samur_az__exit=stages, **roads), replications=2, workers=1, records=True)
    visits = found.visits().set_index(["replication", "consignment"])
    way_in, back, on = (
        visits[visits["element"] == f"leg:{leg}"] for leg in ("baku_samur>", "baku_samur<", "baku_khanoba>")
    )
    assert len(back) > 500
    assert way_in["service_h"].std() > 0.1
    assert (back["service_h"] == way_in["service_h"].loc[back.index]).all()
    assert (back["join_h"] == way_in["leave_h"].loc[back.index]).all()
    arrived = back["leave_h"].dropna()
    assert (on["join_h"].loc[arrived.index] == arrived).all()


def test_a_journey_is_as_long_as_what_was_driven():
    plan = plan_with(flows__north__balk=BALK)
    lengths = {variant.id: variant.length_km for variant in flow(plan, "north").variants}
    # 200 + 2 + 1800 by Samur, 340 + 2 + 1800 by Khanoba; 200 km there and 200 back before the latter.
    assert lengths == {"samur": 2002, "khanoba": 2142, "khanoba instead of samur": 2542}


def test_those_who_balk_are_counted_at_the_other_crossing_and_door_to_door():
    stages = {"documents": {"lanes": 1, "service": law(1.0)}}
    found = run(scenario(checkpoints__samur_az__exit=stages), replications=1, workers=1, records=True)
    journeys = found.journeys()
    took = (journeys["depart_h"] - journeys["release_h"]).groupby(journeys["variant"]).min()
    # 4 h in, 4 h back, 6.8 h to Khanoba, 0.1 + 0.1 h of documents, 0.1 h of border, 30 h to Moscow.
    assert took["khanoba instead of samur"] == pytest.approx(45.1, abs=1e-5)
    done = found.rows.row("tfi1", kind="crossing", place="khanoba", direction="AZ>RU")
    assert done[0] == pytest.approx(0.3, abs=0.01)


def test_a_driver_told_of_lunch_waits_for_its_end():
    # Nobody waits at Samur but at its hour off; 2 h are accepted.
    stages = {"documents": {"lanes": 20, "service": law(0.1), "opening_hours": ["13:00-12:00"]}}
    found = run(scenario(checkpoints__samur_az__exit=stages), replications=1, workers=1)
    row = found.rows.row("throughput_per_day", kind="post", place="khanoba_az", direction="exit")
    assert row[0] == 0


def test_an_announced_wait_falls_with_what_is_cleared_before_arrival():
    # A stage that pre-arrival processing spares 60 % of the class counts with the other 40 %.
    relief = PreArrival(at="checkpoints.samur_az.exit.documents", share=0.6, factor=0.0)
    plan = plan_with(relief, flows__north__balk=BALK)
    variant = next(one for one in flow(plan, "north").variants if one.id == "samur")
    asked = [n for n, step in enumerate(variant.steps) if step.balk]
    ids = [plan.elements[variant.steps[n].element].id for n in asked]
    # Documents may be skipped, and then the X-ray of 20 %.
    assert ids == ["samur_az.exit.documents", "samur_az.exit.xray"]


def test_batch_refuses_balking_by_name():
    plan = plan_with(flows__north__balk=BALK)
    with pytest.raises(EngineRefusal, match=r"balking at samur_az\.exit\.documents \(flow north\)"):
        simulate_batch(plan, Sampler(plan, 1).sample([0]))


def test_flows_may_balk_to_each_other_s_crossing():
    tables = {
        "flows__fruit__crossing_shares": {"start": {"samur": 0.0, "khanoba": 1.0}},
        "flows__north__balk": BALK,
        "flows__fruit__balk": {"crossing": "samur", "threshold_h": 2.0},
        "checkpoints__samur_az__exit": {"documents": {"lanes": 1, "service": law(0.5)}},
        "checkpoints__khanoba_az__exit": {"documents": {"lanes": 1, "service": law(2.0)}},
    }
    plan = plan_with(**tables)
    assert plan.cyclic
    found = run(small(**tables, run__horizon_days=10, run__warm_up_days=0), replications=1, workers=1, records=True)
    took = found.journeys().groupby("flow")["variant"].value_counts()
    assert took["north", "khanoba instead of samur"] > 100
    assert took["fruit", "samur instead of khanoba"] > 50
    visits = found.visits()
    assert (visits.groupby(["flow", "consignment", "element"]).size() == 1).all()
