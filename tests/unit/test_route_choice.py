"""Which way a flow takes: what a stage costs by the share of the class that needs it, and when that changes."""

import datetime as dt

import pytest
from small_corridor import day, element, flow, law, path_of, plan_with, small, step

from corridor_sim.model.improvements import InspectionShare
from corridor_sim.model.resolution import resolve
from corridor_sim.model.shares import share_at
from corridor_sim.study.run import run

XRAY = "checkpoints.samur_az.exit.xray"
CHANNELS = "checkpoints.samur_az.channels.exit"
# To Moscow by Samur 4 + 0.1 + 30 h of road, by Khanoba 2.8 h more. An inspection of 4 h costs Samur's way 4 h
# if all need it, 0.4 h if one in ten does.
INSPECTED = {"lanes": 9, "service": law(4.0)}
TEN_PER_CENT = {
    "share": {"xray": {**INSPECTED, "share": 0.1}},
    "channels": {"xray": {**INSPECTED, "channels": ["red"]}},
    "half of a channel": {"xray": {**INSPECTED, "channels": ["yellow", "red"], "share": 0.5}},
}


def corridor(stages, channels=None, **tables):
    documents = {"documents": {"lanes": 4, "service": law(0.1)}}
    channels = channels or {"green": 0.8, "yellow": 0.1, "red": 0.1}
    return {
        "checkpoints__samur_az__exit": {**documents, **stages},
        "checkpoints__samur_az__channels": {"exit": channels},
        **tables,
    }


@pytest.mark.parametrize("stages", TEN_PER_CENT.values(), ids=list(TEN_PER_CENT))
def test_one_in_ten_inspected_costs_the_same_however_it_is_said(stages):
    plan = plan_with(**corridor(stages))
    assert step(plan, "north", "samur_az.exit.xray").share.at(0) == pytest.approx(0.1)
    assert "samur_az.exit.documents" in path_of(plan, "north")


def test_an_inspection_of_all_sends_the_flow_the_other_way():
    assert "khanoba_az.exit.documents" in path_of(plan_with(**corridor({"xray": INSPECTED})), "north")


@pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")
@pytest.mark.parametrize("engine", ["event", "batch"])
@pytest.mark.parametrize("stages", TEN_PER_CENT.values(), ids=list(TEN_PER_CENT))
def test_all_168_trucks_a_day_pass_the_nearer_post(stages, engine):
    scenario = small(**corridor(stages), run__horizon_days=10, run__warm_up_days=2)
    found = run(scenario, replications=2, engine=engine, workers=1).rows
    passed = found.row("throughput_per_day", kind="post", place="samur_az", direction="exit")
    assert passed.tolist() == pytest.approx([168, 168], rel=0.1)  # north 96, fruit 24, transit 48


def test_each_class_has_the_route_of_its_own_channels():
    channels = {
        "green": 0.8, "yellow": 0.1, "red": 0.1,
        "by_class": {"perishable": {"green": 0.0, "yellow": 0.0, "red": 1.0}},
    }  # fmt: skip
    plan = plan_with(**corridor({"xray": {**INSPECTED, "channels": ["red"]}}, channels))
    assert "samur_az.exit.documents" in path_of(plan, "north")
    assert "khanoba_az.exit.documents" in path_of(plan, "fruit")


@pytest.mark.parametrize(
    ("improvement", "stages"),
    [
        (InspectionShare(at=CHANNELS, channels={"green": 0, "yellow": 0, "red": 1}), TEN_PER_CENT["channels"]),
        (InspectionShare(at=XRAY, share=1.0), TEN_PER_CENT["share"]),
        (InspectionShare(at=XRAY, share=1.0, cargo_class="loaded"), TEN_PER_CENT["share"]),
    ],
    ids=["channels", "share", "share of a class"],
)
def test_a_dated_share_moves_the_route_at_its_dates_and_not_before_or_after(improvement, stages):
    dated = improvement.replace(**{"from": dt.datetime(2024, 1, 10), "until": dt.datetime(2024, 1, 20)})
    plan = plan_with(dated, **corridor(stages))
    # Local to the post, four hours ahead of UTC.
    shares = {variant.id: variant.share for variant in flow(plan, "north").variants}
    during = [shares["khanoba"].at(day(10, -4) + hours) for hours in (-0.01, 0, 239.99, 240)]
    assert during == [0, 1, 1, 0]
    assert [shares["samur"].at(time_h) for time_h in (0, day(10), day(21))] == [1, 0, 1]


def test_a_route_reads_the_same_shares_as_the_plan():
    channels = {
        "green": 0.5, "yellow": 0.3, "red": 0.2,
        "by_class": {"perishable": {"green": 0.9, "yellow": 0.1, "red": 0.0}},
    }  # fmt: skip
    light = {"lanes": 9, "service": law(0.01)}
    stages = {
        "xray": {**light, "share": 0.5, "share_by_class": {"perishable": 0.25}, "channels": ["yellow", "red"]},
        "scan": {**light, "share": 0.4, "share_by_class": {"perishable": 0.6}},
    }
    improvements = {
        "stricter": {"kind": "inspection_share", "at": CHANNELS, "from": dt.datetime(2024, 1, 5),
                     "channels": {"green": 0.2, "yellow": 0.3, "red": 0.5}},
        "more": {"kind": "inspection_share", "at": f"{XRAY[:-4]}scan", "factor": 1.5, "ramp_up_days": 3,
                 "from": dt.datetime(2024, 1, 8), "until": dt.datetime(2024, 1, 15)},
    }  # fmt: skip
    scenario = small(**corridor(stages, channels), improvements=improvements)
    resolved, plan = resolve(scenario), plan_with(**corridor(stages, channels), improvements=improvements)
    post = scenario.checkpoints["samur_az"]
    for id, cargo_class in (("north", "loaded"), ("fruit", "perishable")):
        for name in stages:
            planned = step(plan, id, f"samur_az.exit.{name}").share
            for time_h in (0.0, day(5, -4), day(8), day(9), day(12), day(16)):
                found = share_at(
                    resolved.changes, "checkpoints.samur_az.exit", name, post.exit[name], post.channels["exit"],
                    cargo_class, time_h,
                )  # fmt: skip
                assert found == pytest.approx(planned.at(time_h), abs=1e-12), (id, name, time_h)
    assert element(plan, "samur_az.exit.scan").stage == "scan"
