"""Every published capacity of a line, port, terminal, ship or canal limits something in the packaged data."""

import datetime as dt
import re
from pathlib import Path

import pytest

from corridor_sim.engines import compiled
from corridor_sim.files.scenario_files import load_corridor, load_scenario
from corridor_sim.plan.build import make_plan
from corridor_sim.plan.load import loads

DAYS = 365.25
TRAIN_T, IRANIAN_TRAIN_T, SHIP_T, TEU = 3014.0, 1740.0, 3000.0, 124.0
"""Net tonnes of a train and a ship, and containers of a ship or train, with which a capacity is in consignments."""

LINES = {
    # Leg: Mt a year one way, tonnes of a train.
    "rail_moscow_saratov": (60.0, TRAIN_T),
    "rail_saratov_aksaraiskaya": (60.0, TRAIN_T),
    "rail_aksaraiskaya_astrakhan": (60.0, TRAIN_T),
    "rail_astrakhan_makhachkala": (60.0, TRAIN_T),
    "rail_makhachkala_derbent": (60.0, TRAIN_T),
    "rail_derbent_samur_rail_ru": (60.0, TRAIN_T),
    "border_yalama": (11.0, TRAIN_T),
    "rail_yalama_rail_az_sumgait": (11.0, TRAIN_T),
    "rail_astara_station_az_astara_terminal_ir": (3.5, TRAIN_T),
    "rail_astara_terminal_ir_rasht": (15.0, TRAIN_T),
    "rail_rasht_qazvin": (7.0, IRANIAN_TRAIN_T),
    "rail_rasht_anzali": (7.0, IRANIAN_TRAIN_T),
    "rail_aprin_gorgan": (10.0, TRAIN_T),
    "rail_gorgan_incheh_borun": (10.0, TRAIN_T),
    "rail_incheh_borun_akyayla": (10.0, TRAIN_T),
    "rail_akyayla_bereket": (10.0, TRAIN_T),
    "rail_bereket_bolashak": (10.0, TRAIN_T),
    "rail_bolashak_uzen": (10.0, TRAIN_T),
    "rail_uzen_beyneu": (10.0, TRAIN_T),
    "rail_beyneu_atyrau": (10.0, TRAIN_T),
    "rail_atyrau_ganyushkino": (10.0, TRAIN_T),
    "rail_ganyushkino_aksaraiskaya": (10.0, TRAIN_T),
}
PORTS = {
    # Stage: Mt a year, or thousand TEU a year, both ways together; size of a consignment.
    "astrakhan.berths": (12.0e6, SHIP_T),
    "olya.berths": (4.37e6, SHIP_T),
    "makhachkala.berths": (3.0e6, SHIP_T),
    "makhachkala.harbour": (8.3e6, SHIP_T),
    "makhachkala.checkpoint": (9.0e6, SHIP_T),
    "anzali.berths": (10.0e6, SHIP_T),
    "amirabad.berths": (8.0e6, SHIP_T),
    "nowshahr.berths": ((35.0e6 - 10.0e6 - 8.0e6) / 3, SHIP_T),
    "alat.berths": (15.0e6, SHIP_T),
    "bandar_abbas.berths": (150.0e6, SHIP_T),
    "bandar_abbas.containers": (8000e3, TEU),
    "chabahar.berths": (2.5e6, SHIP_T),
    "nhava_sheva.containers": (7700e3, TEU),
    "mundra.containers": (7500e3, TEU),
    "aktau.containers": (140e3, TEU),
    "astara_terminal_ir.handling": (2.0e6, TRAIN_T),
}
TABLE = {
    # First words of a row of the table of bottlenecks: the fuller of these elements.
    "terminal of Astara, in and out": ["astara_terminal_ir.transfer.handling"],
    "line to that terminal": ["leg:rail_astara_station_az_astara_terminal_ir>"],
    "port of Amirabad": ["amirabad.transfer.berths"],
    "Moscow-Saratov-Aksaraiskaya": ["leg:rail_moscow_saratov>", "leg:rail_saratov_aksaraiskaya>"],
    "Samur-Yalama-Sumgait": ["leg:border_yalama>", "leg:rail_yalama_rail_az_sumgait<"],
    "handover at Samur and Yalama": ["samur_rail_ru.exit.handover", "yalama_rail_az.entry.handover"],
    "Bandar Abbas-Tehran": ["leg:rail_aprin_bafq>", "leg:rail_bafq_bandar_abbas<"],
    "Tehran-Gorgan": ["leg:rail_aprin_gorgan<", "leg:rail_aprin_gorgan>"],
    "ships to Iran from Astrakhan": ["leg:sea_astrakhan_amirabad_bulk>"],
    "Astrakhan-Derbent": ["leg:rail_astrakhan_makhachkala>", "leg:rail_makhachkala_derbent>"],
    "port of Astrakhan": ["astrakhan.transfer.berths"],
    "entrance of the canal at Astrakhan": ["astrakhan.transfer.canal"],
    "branch by Turkmenistan, change of gauge": ["leg:rail_bolashak_uzen<", "leg:rail_incheh_borun_akyayla<"],
    "port of Makhachkala, dry cargo": ["makhachkala.transfer.berths"],
    "port of Olya": ["olya.transfer.berths"],
    "Alat-Astara": ["leg:rail_alat_astara_station_az>"],
    "container ships Astrakhan-Anzali": ["leg:sea_astrakhan_anzali>"],
}
SINGLE_TRACK = {"rail_qazvin_aprin", "rail_aprin_bafq", "rail_bafq_bandar_abbas", "rail_aprin_amirabad"}
"""Lines without a published capacity that have the paths of a single track."""


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("north_south")


@pytest.fixture(scope="module")
def loads_of():
    def of(name):
        return {one.element: one.load for one in loads(make_plan(load_scenario(name)))}

    return {name: of(name) for name in ("observed_2023", "target_2028")}


@pytest.mark.parametrize("leg", LINES)
def test_a_line_takes_the_tonnes_that_are_published_for_it(corridor, leg):
    mt, train_t = LINES[leg]
    assert corridor.legs[leg].paths_per_day * train_t * DAYS / 1e6 == pytest.approx(mt, rel=0.011)


def test_the_line_to_astara_takes_five_million_tonnes_within_its_range(corridor):
    leg = corridor.legs["rail_alat_astara_station_az"]
    assert leg.paths_per_day == 5.0  # 4.5 trains of 3,014 t, rounded up
    assert 5e6 / DAYS / TRAIN_T < leg.paths_per_day < 15e6 / DAYS / TRAIN_T


@pytest.mark.parametrize("stage", PORTS)
def test_a_port_or_terminal_takes_what_is_published_for_it(corridor, stage):
    place, name = stage.split(".")
    total, of_one = PORTS[stage]
    at = corridor.places[place].transfer[name]
    assert at.lanes * 24 / at.cycle_h * of_one * DAYS == pytest.approx(total, rel=0.005)


def test_no_capacity_of_a_line_is_left_in_a_note(corridor):
    for id, leg in corridor.legs.items():
        assert "apacity" not in leg.note, id
        if leg.kind == "rail" and leg.paths_per_day is None:
            # No figure is published: volga bypass, spurs, and lines that no train of a scenario shares.
            assert id in {
                "rail_moscow_volgograd",
                "rail_volgograd_astrakhan",
                "rail_astrakhan_olya",
                "rail_sumgait_alat",
                "rail_sumgait_baku",
                "rail_baku_alat",
                "rail_aktau_beyneu",
                "rail_chabahar_zahedan",
                "rail_novorossiysk_moscow",
                "rail_st_petersburg_moscow",
                "rail_helsinki_st_petersburg",
            }, id


def test_single_track_in_iran_has_its_paths_and_the_change_of_gauge_at_sarakhs_its_wagons(corridor):
    assert {corridor.legs[id].paths_per_day for id in SINGLE_TRACK} == {11.0}
    assert corridor.legs["rail_bereket_sarakhs"].paths_per_day * 57 == pytest.approx(200, rel=0.01)


def test_ships_of_the_caspian_have_places_in_containers_and_sail_twice_a_week(corridor):
    for id, leg in corridor.legs.items():
        if leg.timetable is not None:
            assert (leg.timetable.places, leg.timetable.every_h) == (120, 84.0), id  # 100 to 131 TEU
    assert load_scenario("observed_2023").legs["sea_astrakhan_amirabad_bulk"].max_vehicles == 26


def test_the_canal_of_volga_and_don_is_open_eight_months_and_takes_what_it_took_in_2023(corridor):
    leg = corridor.legs["waterway_volgograd_novorossiysk"]
    assert 2 * leg.paths_per_day * 1365 * DAYS * 8 / 12 / 1e6 == pytest.approx(10.5, rel=0.01)
    winter = leg.closures["winter_2023"]
    open_days = 366 - (winter.until - winter.from_).days
    assert open_days / 366 * 12 == pytest.approx(8, abs=0.05)


@pytest.mark.parametrize("port", ["astrakhan", "olya"])
def test_ice_halves_the_ships_that_enter_the_canal(corridor, port):
    canal = corridor.places[port].transfer["canal"]
    assert canal.lanes_by_hour == {"Mar 16-Dec 14 00:00": 2, "Dec 15-Mar 15 00:00": 1}


def test_lines_ports_and_terminals_with_a_capacity_are_queues_of_the_whole_corridor(loads_of):
    for name in ("observed_2023", "target_2028"):
        used = loads_of[name]
        for leg in set(LINES) - {"rail_astara_terminal_ir_rasht", "rail_rasht_anzali"}:
            assert used.keys() & {f"leg:{leg}>", f"leg:{leg}<"}, (name, leg)
        for stage in ("astrakhan.berths", "olya.berths", "makhachkala.berths", "amirabad.berths"):
            assert used[stage.replace(".", ".transfer.")] > 0.15, (name, stage)


def test_in_2023_no_line_port_or_terminal_is_full(loads_of):
    rest = {id: load for id, load in loads_of["observed_2023"].items() if id.startswith("leg:") or "transfer" in id}
    assert len(rest) > 50
    assert max(rest.values()) < 0.75


def test_in_2028_the_terminal_of_astara_is_the_next_bottleneck(loads_of):
    rest = {id: load for id, load in loads_of["target_2028"].items() if id.startswith("leg:") or "transfer" in id}
    fullest = sorted(rest, key=rest.get, reverse=True)
    assert fullest[0] == "astara_terminal_ir.transfer.handling"
    # 5 Mt a year are guaranteed by rail, and 5 Mt a year is what the terminal is to take.
    assert rest[fullest[0]] == pytest.approx(1.0, abs=0.01)
    # Then the berths of Amirabad, where ships of both ways wait for the same ones.
    assert fullest[1] == "amirabad.transfer.berths"
    assert rest[fullest[1]] < 0.9


def test_other_trains_carry_no_tonnes_of_the_corridor():
    for name in ("observed_2023", "target_2028"):
        others = {id: flow for id, flow in load_scenario(name).flows.items() if id.startswith("other_")}
        assert len(others) == 14
        assert {(flow.load_t, flow.value_usd_t, flow.teu) for flow in others.values()} == {(0.0, 0.0, 0.0)}


def test_second_stations_and_the_sea_checkpoint_begin_before_the_run_of_2028():
    scenario = load_scenario("target_2028")
    begun = [one.from_ for id, one in scenario.improvements.items() if "yalama_2" in id or "makhachkala" in id]
    assert len(begun) == 7
    assert all(from_.date() < dt.date(2028, 1, 1) for from_ in begun)


def test_the_table_of_bottlenecks_has_the_loads_of_the_scenarios(loads_of):
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \|[^|]*\|[^|]*\| ([^|]*) \| ([^|]*?) ?\|$", text, re.M)
    found = {name: (a, b) for name, a, b in rows if re.match(r"\**0|\**1", a)}
    assert found.keys() == TABLE.keys()
    for name, elements in TABLE.items():
        for told, scenario in zip(found[name], ("observed_2023", "target_2028"), strict=True):
            if told:
                fuller = max(loads_of[scenario].get(element, 0.0) for element in elements)
                assert fuller == pytest.approx(float(told.strip("*")), abs=0.0075), (name, scenario)


def test_lars_and_red_bridge_have_room_for_some_of_the_trucks_of_samur_and_not_for_all():
    scenario = load_scenario("ways_round_2023")
    found = {one.element: one for one in loads(make_plan(scenario))}
    lars, bridge = found["verkhny_lars_ru.exit.lanes"], found["red_bridge_az.exit.lanes"]
    assert 0.7 < lars.load < 0.95
    assert 0.7 < bridge.load < 0.95
    lanes = scenario.checkpoints["verkhny_lars_ru"]
    a_day = sum(stage.lane_h_per_day / stage.cycle_h for stage in (lanes.exit["lanes"], lanes.entry["lanes"]))
    assert a_day == pytest.approx(1500)
    own = scenario.flows["lars_south"].per_day + scenario.flows["lars_north"].per_day
    assert a_day - own < 548  # trucks a day by Samur


def test_a_capacity_that_no_flow_uses_is_named_where_the_data_are_described(corridor):
    used = set()
    for name in ("observed_2023", "target_2028", "rasht_astara", "ways_round_2023", "routes_mumbai_moscow"):
        plan = make_plan(load_scenario(name))
        steps = (step for flow in plan.flows for variant in flow.variants for step in variant.steps)
        used |= {plan.elements[step.element].id.rstrip("<>") for step in steps}
    limited = {
        f"leg:{id}": id
        for id, leg in corridor.legs.items()
        if any(getattr(leg, name, None) is not None for name in ("paths_per_day", "max_vehicles", "timetable"))
    } | {
        f"{id}.transfer.{name}": f"{id}.{name}"
        for id, place in corridor.places.items()
        for name, stage in (place.transfer or {}).items()
        if stage.lanes != "unlimited"
    }
    assert len(limited) > 40
    text = (Path(__file__).parents[2] / "corridor_sim" / "data" / "north_south" / "README.md").read_text(
        encoding="utf-8"
    )
    table = text.partition("## Capacities that no flow uses")[2].partition("\n## ")[0].partition("|---")[2]
    rows = [row.split("|")[1] for row in table.splitlines()[1:] if row.startswith("|")]
    told = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    assert told == {name for element, name in limited.items() if element not in used}


def test_berths_for_lorries_and_containers_take_what_is_published():
    places = load_scenario("ways_round_2023").places
    for place, stage, total, of_one in (
        ("makhachkala", "ferries", 1.3e6, 20.0),
        ("alat", "ferries", 60e3, 1.0),
        ("alat", "containers", 150e3, TEU),
    ):
        at = places[place].transfer[stage]
        assert at.lanes * 24 / at.cycle_h * of_one * DAYS == pytest.approx(total, rel=0.005), (place, stage)


@pytest.mark.parametrize(
    "name",
    [
        "observed_2017",
        "observed_2023",
        "no_roadmap_2023",
        "roadmap_2018_2023",
        "target_2028",
        "rasht_astara",
        "routes_mumbai_moscow",
        "ways_round_2023",
    ],
)
def test_a_scenario_with_several_modes_runs_in_the_compiled_pass(name):
    assert compiled.refusals(make_plan(load_scenario(name))) == []
