"""The packaged corridor: figures with sources, the graph of the sources, posts with the published capacity and stay."""

import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from corridor_sim.engines import batch
from corridor_sim.files.scenario_files import check, load_corridor, load_scenario
from corridor_sim.model.improvements import DemandGrowth
from corridor_sim.model.provenance import figures_of
from corridor_sim.model.ranges import RangeIndex
from corridor_sim.plan.build import make_plan
from corridor_sim.sampling.sampler import Sampler
from corridor_sim.study.designs import with_values
from corridor_sim.study.input_space import InputSpace, ranged_figures

ROOT = Path(__file__).parents[2]
DATA = ROOT / "corridor_sim" / "data" / "north_south"
SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))
TEXTS = sorted(DATA.glob("*.toml")) + SCENARIOS
DAYS = 365.25
OBSERVED = tomllib.loads((DATA / "validation.toml").read_text(encoding="utf-8"))["observed"]


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("north_south")


@pytest.fixture(scope="module")
def written_paths():
    return tomllib.loads((DATA / "paths.toml").read_text(encoding="utf-8"))["paths"]


def named_sources(path):
    found = re.findall(r'\b(?:range_|earlier_)?source = "([^"]+)"', path.read_text(encoding="utf-8"))
    return {id for text in found for id in text.split(", ")}


def known_sources(path):
    """Ids of the sources that a file may name: those of the corridor, its own and those of what it extends."""
    if path.parent != DATA:
        return set(load_scenario(path).sources)
    return set(load_corridor("north_south").sources)


# ---------------------------------------------------------------- figures and sources


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_source_named_in_a_file_is_in_the_list(path):
    assert named_sources(path) <= known_sources(path)


def test_every_listed_source_is_named_somewhere_and_says_what_it_is(corridor):
    named = set().union(*(named_sources(path) for path in TEXTS))
    assert set(corridor.sources) <= named
    for id, source in corridor.sources.items():
        assert source.title, id
        assert source.url.startswith("http") or source.publisher == "corridor_sim" or source.date, id


def test_every_thing_with_figures_has_a_status_and_a_source(corridor):
    things = [
        (f"{table}.{id}", thing)
        for table in ("places", "legs", "checkpoints", "profiles", "flows")
        for id, thing in getattr(corridor, table).items()
    ]
    for id, post in corridor.checkpoints.items():
        things += [
            (f"{id}.{way}.{name}", stage) for way in ("exit", "entry") for name, stage in post.stages(way).items()
        ]
        things += [(f"{id}.acceptance.{way}", quota) for way, quota in post.acceptance.items()]
    assert [id for id, thing in things if thing.status is None or not thing.source] == []
    assert len(things) > 250


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_packaged_figure_has_a_range_or_says_why_it_is_exact(path):
    rows = list(figures_of(load_scenario(path)))
    assert [row.path for row in rows if not row.range_status] == []
    assert [row.path for row in rows if not row.status] == []
    for row in rows:
        assert not row.range_source.startswith(("assumed_", "map_")), row.path
        assert row.range_status != "assumed" or len(row.range_reason) > 8, row.path
        assert row.low is None or row.low < row.high, row.path


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_number_of_places_legs_posts_and_flows_has_a_source_and_the_group_it_moves_with(path):
    scenario = load_scenario(path)
    rows = [row for row in figures_of(scenario) if row.path.split(".")[0] in ("places", "legs", "checkpoints", "flows")]
    assert [row.path for row in rows if not row.source] == []
    # All figures that a range names move together, of whatever table, but for those that have a range of their own.
    index, alone = RangeIndex(scenario.ranges), []
    for row in rows:
        shared = {id: scenario.ranges[id] for id in index.ids(row.path)}
        groups = {one.group or id: one.reason for id, one in shared.items() if one.ranged and not one.apart}
        if row.ranged and groups and row.group not in groups and row.range_reason in groups.values():
            alone.append(row.path)
    assert alone == []


def test_ranges_of_the_corridor_all_name_figures(corridor):
    paths = [row.path for row in figures_of(corridor)]
    assert [(id, one.names_nothing(paths)) for id, one in corridor.ranges.items() if one.names_nothing(paths)] == []


@pytest.mark.parametrize("end", [0.0, 1.0])
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_both_ends_of_all_ranges_can_be_planned(path, end):
    scenario = load_scenario(path)
    space = InputSpace.of([ranged_figures(scenario)])
    assert make_plan(with_values(scenario, space.values(0, np.full(len(space), end), "uniform"))).flows


def test_no_label_says_more_than_its_source():
    rows = {row.path: row for row in figures_of(load_scenario("year_2026_roadmap"))}
    quota, into_iran = (
        "checkpoints.astara_ir.acceptance.exit.per_day",
        "improvements.astara_acceptance_into_iran.per_day",
    )
    assert (rows[quota].status, rows[into_iran].status) == ("derived", "assumed")
    for path, row in rows.items():
        if path.endswith((".speed_cv", ".lanes.service.cv", ".xray.service.cv", ".documents.service.cv")):
            assert row.status == "assumed", path
        if path.endswith(".growth_per_year"):
            assert row.status == "derived", path


def test_a_published_length_has_a_source_with_an_address(corridor):
    for id, leg in corridor.legs.items():
        if leg.status == "published":
            assert corridor.sources[leg.source].url, id


def test_no_file_is_too_large():
    assert max(path.stat().st_size for path in TEXTS) < 500_000


# ---------------------------------------------------------------- the graph


def test_chains_written_out_are_legs_of_the_graph_that_join_up(corridor, written_paths):
    assert len(written_paths) == 18
    for name, path in written_paths.items():
        node = path["origin"]
        for id in path["legs"]:
            leg = corridor.legs[id]
            assert node in (leg.from_, leg.to), (name, id, node)
            node = leg.to if node == leg.from_ else leg.from_
        assert node == path["destination"], name


def test_chains_have_the_length_of_the_sources(corridor, written_paths):
    for name, path in written_paths.items():
        borders = [id for id in path["legs"] if corridor.legs[id].border]
        length_km = sum(corridor.legs[id].length_km for id in path["legs"])
        # The runs between posts are ours; the sources measure to the border.
        assert abs(length_km - path["length_km"]) <= len(borders) + 1e-9, name


def test_chains_have_the_moving_time_of_the_sources(corridor, written_paths):
    local = {id for id, leg in corridor.legs.items() if "Local haul" in leg.figures.get("speed_kmh", leg).note}
    compared = 0
    for name, path in written_paths.items():
        legs = {id: corridor.legs[id] for id in path["legs"]}
        if any(leg.kind == "road" and id not in local for id, leg in legs.items()):
            continue  # road speeds here include the rest of the driver
        # One leg carries the change of gauge in its travel time (36 h).
        moving_h = sum(leg.mean_travel_h - 36 * (leg.travel is not None) for leg in legs.values())
        assert moving_h == pytest.approx(path["moving_h"], rel=0.005), name
        compared += 1
    assert compared >= 11


def test_posts_face_each_other_over_one_border_leg(corridor):
    assert set(corridor.crossings) == {"samur", "khanoba", "shirvanovka", "astara", "bilasuvar", "yalama"}
    for crossing, posts in corridor.crossings.items():
        assert len(posts) == 2
        assert len({corridor.checkpoints[post].country for post in posts}) == 2
        assert len(corridor.border_legs(crossing)) == 1


def test_every_place_can_be_reached_over_legs(corridor):
    graph = corridor.graph.to_undirected()
    reached = {"moscow"}
    edge = ["moscow"]
    while edge:
        edge = [b for a in edge for b in graph.neighbors(a) if b not in reached]
        reached.update(edge)
    assert set(corridor.graph) - reached == set()


def test_ids_are_words_in_snake_case(corridor):
    for table in ("places", "checkpoints", "legs", "flows", "profiles", "sources"):
        for id in getattr(corridor, table):
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", id), id


# ---------------------------------------------------------------- posts


def trucks_per_day(corridor, post, way):
    """Mean capacity of the truck lanes over the hours of the day."""
    stage = corridor.checkpoints[post].stages(way)["lanes"]
    hours = sorted((int(clock[:2]), lanes) for clock, lanes in (stage.lanes_by_hour or {"00:00": stage.lanes}).items())
    around = [*hours, (hours[0][0] + 24, 0)]
    lane_h = sum(lanes * (after - start) for (start, lanes), (after, _) in itertools.pairwise(around))
    return lane_h / stage.cycle_h


@pytest.mark.parametrize(
    ("post", "both_ways"),
    [
        ("yarag_kazmalyar_ru", 1100),
        ("samur_az", 1000),
        ("tagirkent_kazmalyar_ru", 400),
        ("khanoba_az", 400),
        ("novo_filya_ru", 200),
        ("shirvanovka_az", 200),
    ],
)
def test_truck_lanes_give_the_capacity_that_planners_quote(corridor, post, both_ways):
    found = trucks_per_day(corridor, post, "exit") + trucks_per_day(corridor, post, "entry")
    assert found == pytest.approx(both_ways)


def test_the_iranian_posts_pass_what_was_seen_and_are_not_limited_by_lanes_before(corridor):
    for post in ("astara_ir", "astara_az", "bilasuvar_az", "bileh_savar_ir"):
        for way in ("exit", "entry"):
            assert 250 <= trucks_per_day(corridor, post, way) <= 500, (post, way)
    assert trucks_per_day(corridor, "astara_ir", "exit") >= 349
    for post in ("astara_ir", "astara_az"):
        assert corridor.checkpoints[post].acceptance["exit"].per_day == 250


def test_a_scanner_takes_83_trucks_a_day(corridor):
    scanners = [
        stage
        for post in corridor.checkpoints.values()
        for way in ("exit", "entry")
        for name, stage in post.stages(way).items()
        if name == "xray"
    ]
    assert len(scanners) == 16
    for stage in scanners:
        assert stage.lanes * 24 / stage.cycle_h == pytest.approx(83, abs=0.5)


def empty_stay_h(corridor, post, way):
    """Mean time at a post without a queue, over the trucks that take it in a mean month."""
    crossing = corridor.checkpoints[post].crossing
    outward = {"RU": "southbound", "AZ": "northbound"}[corridor.checkpoints[post].country]
    heading = outward if way == "exit" else {"southbound": "northbound", "northbound": "southbound"}[outward]
    trucks, hours = 0.0, 0.0
    for flow in corridor.flows.values():
        shares = [entry.shares for entry in flow.crossing_shares.values() if crossing in entry.shares]
        if not shares or flow.direction != heading:
            continue
        count = flow.per_day * shares[-1][crossing]
        trucks += count
        hours += count * sum(
            stage.cycle_h * stage.share_by_class.get(flow.cargo_class, stage.share)
            for stage in corridor.checkpoints[post].stages(way).values()
        )
    return hours / trucks


@pytest.mark.parametrize("post", ["yarag_kazmalyar_ru", "tagirkent_kazmalyar_ru"])
@pytest.mark.parametrize("way", ["exit", "entry"])
def test_the_unqueued_stay_in_a_russian_post_is_the_published_38_minutes(corridor, post, way):
    assert empty_stay_h(corridor, post, way) * 60 == pytest.approx(OBSERVED["stay_russian_post"]["value"], rel=0.02)


def test_a_truck_alone_at_yarag_kazmalyar_takes_38_minutes():
    """As above, but by running it: a fiftieth of the trucks, so that nearly none wait."""
    scenario = load_scenario("baseline_2023").with_improvements(few=DemandGrowth(factor=0.02))
    plan = make_plan(scenario)
    records = batch.simulate(plan, Sampler(plan, 11).sample(range(20)))
    stay_h, trucks = np.zeros(20), np.zeros(20)
    for element, visits in zip(plan.elements, records.elements, strict=True):
        if element.post == "yarag_kazmalyar_ru":
            went = np.isfinite(visits.leave_h) & (visits.leave_h <= plan.horizon_h)
            stay_h += np.where(went, visits.leave_h - visits.join_h, 0).sum(axis=1)
            if element.stage == "lanes":
                trucks += went.sum(axis=1)
    assert trucks.sum() > 5000
    mean_min = stay_h / trucks * 60
    error = mean_min.std(ddof=1) / np.sqrt(len(mean_min))
    assert abs(mean_min.mean() - 38) <= 4 * error + 0.5  # half a minute of waits and of the mix of June


def test_the_stay_in_an_azerbaijani_post_has_the_shares_of_2018(corridor):
    rng = np.random.default_rng(5)
    n = 200_000
    stay_h = np.zeros(n)
    for stage in corridor.checkpoints["samur_az"].stages("exit").values():
        taken = rng.random(n) < stage.share
        stay_h += taken * stage.service.sampler(rng)(n)
    under_20, over_60 = (stay_h < 20 / 60).mean(), (stay_h > 1).mean()
    assert under_20 == pytest.approx(OBSERVED["stay_azerbaijan_under_20"]["value"], abs=0.01)
    assert over_60 == pytest.approx(OBSERVED["stay_azerbaijan_over_60"]["value"], abs=0.01)
    assert 1 - under_20 - over_60 == pytest.approx(OBSERVED["stay_azerbaijan_20_to_60"]["value"], abs=0.015)
    assert (stay_h > 4).mean() == pytest.approx(0.044, abs=0.005)
    assert stay_h.mean() * 60 == pytest.approx(48.2, abs=1)


# ---------------------------------------------------------------- demand


def through(corridor, crossing, *, direction="", classes=()):
    """Trucks a day through a crossing, annual mean of 2023."""
    total = 0.0
    for flow in corridor.flows.values():
        shares = [entry.shares[crossing] for entry in flow.crossing_shares.values() if crossing in entry.shares]
        if shares and (not direction or flow.direction == direction) and (not classes or flow.cargo_class in classes):
            total += flow.per_day * shares[-1]
    return total


@pytest.mark.parametrize(
    ("crossing", "direction", "count"),
    [
        ("samur", "", 548),
        ("khanoba", "", 192),
        ("shirvanovka", "", 96),
        ("astara", "northbound", 209),
        ("astara", "southbound", 186),
        ("bilasuvar", "northbound", 174),
        ("bilasuvar", "southbound", 214),
    ],
)
def test_trucks_by_crossing_add_up_to_the_derived_counts(corridor, crossing, direction, count):
    assert through(corridor, crossing, direction=direction) == pytest.approx(count, rel=0.005)


def test_trucks_by_direction_split_as_counted(corridor):
    north = sum(through(corridor, crossing, direction="northbound") for crossing in ("samur", "khanoba", "shirvanovka"))
    south = sum(through(corridor, crossing, direction="southbound") for crossing in ("samur", "khanoba", "shirvanovka"))
    assert south / (north + south) == pytest.approx(52_000 / 103_000, abs=0.002)


@pytest.mark.parametrize("month", range(1, 13))
def test_season_and_perishables_at_the_border_to_russia_are_as_assumed(corridor, month):
    index = (1.3 if month in (5, 6, 10, 11) else 0.9) / (12.4 / 12)
    share = 0.6 if month in (11, 12, 1, 2, 3, 4, 5) else 0.35
    total = {"northbound": 0.0, "southbound": 0.0}
    fresh = 0.0
    for flow in corridor.flows.values():
        if not {"samur", "shirvanovka"} & {name for entry in flow.crossing_shares.values() for name in entry.shares}:
            continue
        weights = corridor.profiles[flow.profile].month
        trucks = flow.per_day * weights[month - 1] * 12 / sum(weights)
        total[flow.direction] += trucks
        fresh += trucks if flow.cargo_class == "perishable" else 0.0
    assert total["northbound"] == pytest.approx(414 * index, rel=0.005)
    assert total["southbound"] == pytest.approx(422 * index, rel=0.005)
    assert fresh / total["northbound"] == pytest.approx(share, abs=0.005)


def test_flows_take_the_crossings_that_they_are_meant_for_and_stay_on_roads():
    plan = make_plan(load_scenario("baseline_2023"))
    for flow in plan.flows:
        for variant in flow.variants:
            crossings = [span.id for span in variant.spans if span.kind == "crossing"]
            assert {span.mode for span in variant.spans if span.kind == "leg"} == {"road"}
            to_russia = {"moscow", "derbent"} & {flow.origin, flow.destination}
            to_iran = {"tehran", "rasht", "ardabil"} & {flow.origin, flow.destination}
            assert len(crossings) == bool(to_russia) + bool(to_iran), (flow.id, crossings)
            if to_russia and to_iran:
                assert "astara" in crossings


@pytest.mark.parametrize(("start", "before", "after"), [("2022-04-22", 0.0, 0.2), ("2023-03-10", 0.2, 0.26)])
def test_khanoba_takes_trucks_from_the_days_on_which_posts_opened(start, before, after):
    dated = {"run.start": start, "run.horizon_days": 14, "run.warm_up_days": 0}
    flow = next(flow for flow in make_plan(load_scenario("baseline_2023", dated)).flows if flow.id == "south_bilateral")
    by_crossing = {span.id: variant for variant in flow.variants for span in variant.spans if span.kind == "crossing"}
    opened_h = 7 * 24.0
    assert by_crossing["khanoba"].share.at(opened_h - 0.01) == pytest.approx(before)
    assert by_crossing["khanoba"].share.at(opened_h) == pytest.approx(after)
    assert by_crossing["samur"].share.at(opened_h) == pytest.approx(1 - after)


def test_tonnes_and_trade_of_road_and_rail_are_those_of_2023():
    scenario = load_scenario("road_and_rail_2023")
    tonnes, trade = 0.0, 0.0
    for flow in scenario.flows.values():
        if {"moscow", "derbent"} & {flow.origin, flow.destination}:
            yearly = flow.per_day * flow.load_t * DAYS
            tonnes += yearly
            trade += yearly * flow.value_usd_t * (flow.value_usd_t > 600)
    observed = OBSERVED["border_tonnes_2023"]
    assert observed["low"] <= tonnes <= observed["high"]
    assert trade == pytest.approx(OBSERVED["trade_2023"]["value"], rel=0.03)


# ---------------------------------------------------------------- scenarios


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_loads_and_has_nothing_wrong_with_it(path):
    found = check(path)
    assert [str(problem) for problem in found if problem.severity == "error"] == []
    assert load_scenario(path.stem).name == path.stem


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_both_engines_can_run_a_scenario(path):
    assert batch.refusals(make_plan(load_scenario(path))) == []


def test_a_variant_differs_from_its_base_by_measures_alone():
    base, roadmap = load_scenario("do_nothing_2026"), load_scenario("roadmap_2024_2026")
    assert roadmap.flows == base.flows
    assert roadmap.checkpoints == base.checkpoints
    assert roadmap.legs == base.legs
    assert roadmap.run == base.run
    assert set(base.improvements) < set(roadmap.improvements)
    assert all(
        one.from_ is not None and one.from_.year >= 2024 and one.source
        for name, one in roadmap.improvements.items()
        if name not in base.improvements
    )


def test_a_scenario_its_corridor_and_its_plan_say_in_one_line_what_they_are():
    scenario = load_scenario("year_2026_base")
    plan = make_plan(scenario)
    for thing in (scenario, scenario.corridor, plan):
        assert len(repr(thing)) < 500
        assert "\n" not in repr(thing)
        assert repr(thing) == str(thing)
        assert scenario.name in repr(thing)
        assert f"{len(scenario.flows)} flows" in repr(thing)
    for part in (f"{len(scenario.legs)} legs", "375 days from 2025-12-22", "2 improvements", "20 replications", "seed"):
        assert part in repr(scenario)
    for part in (f"{len(plan.elements)} elements", "9,000 h from 2025-12-22", "station"):
        assert part in repr(plan)


def test_the_line_of_a_scenario_stays_short_whatever_its_name():
    scenario = load_scenario("teaching").replace(name="a name " * 500)
    for thing in (scenario, make_plan(scenario)):
        assert len(repr(thing)) < 500
