"""Texts, pages and pictures call places, measures and inputs by name; ids stand there where they are asked for."""

import inspect
import re
import warnings

import matplotlib as mpl
import pytest
from command_line import called
from matplotlib import pyplot as plt
from matplotlib.text import Text

import corridor_sim as cs
from corridor_sim.plots import PLOTS
from corridor_sim.results.called import Called, input_called, place_name
from corridor_sim.results.leg_names import leg_called

mpl.use("Agg")
DAYS = {"run.horizon_days": 8, "run.warm_up_days": 1}
PAIR = ("do_nothing_2026", "roadmap_2024_2026")


def scenarios(*names):
    return [cs.load_scenario(name, DAYS) for name in names]


@pytest.fixture(scope="module")
def made():
    """Everything that speaks of places: runs, comparisons, draws, choices, sweeps, appraisals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        roads, small = scenarios(*PAIR), [cs.load_scenario(name) for name in ("teaching", "teaching_priority_lane")]
        who = cs.Behaviour(50.0, {"south_bilateral": ["samur", "khanoba"]})
        june = cs.load_scenario("growth_2028", {"run.horizon_days": 6, "run.warm_up_days": 1})
        points = {"checkpoints.northgate_b.entry.xray.lanes": [1, 2]}
        found = {
            "compare": cs.compare(*roads, replications=5, workers=1),
            "uncertainty": cs.uncertainty(*small, draws=8, replications=2, priors=("uniform",), workers=1),
            "select": cs.select(small, "wait_h", delta="0.2 h", rng=1, workers=1,
                                where={"kind": "post", "place": "northgate_b", "direction": "entry"}),
            "equilibria": cs.equilibria(june, behaviour=who, draws=2, target=0.05, workers=1, indicators=["wait_h"]),
            "equilibrium": cs.equilibrium("ways_round_2023", choices=True, replications=1, starts=1, workers=1),
            "sweep": cs.sweep(small[0], points, replications=2, workers=1),
        }  # fmt: skip
        return found | {"run": found["compare"].base, "teaching": found["uncertainty"].runs[1]}


def ids_in(made):
    """Ids that no name is like: of posts, elements, flows, legs and measures, with a mark that words do not have."""
    found = set()
    for results in (*made["compare"].runs, *made["uncertainty"].runs, made["equilibrium"].results):
        plan = results.plan
        found |= {element.id for element in plan.elements} | {flow.id for flow in plan.flows}
        found |= {element.id.removeprefix("leg:").rstrip("<>") for element in plan.elements}
        found |= set(plan.labels["posts"]) | set(results.scenario.improvements)
        found |= set(results.scenario.ranges) | set(results.scenario.choices)
    return {id for id in found if re.search(r"[_.:]", id)}


def spoken(text, ids):
    return sorted(id for id in ids if re.search(rf"(?<!\w){re.escape(id)}(?![\w])", text))


def without_marks(html):
    """What a page shows: no style, script, picture and no whole scenario file, and no path that stands under a name."""
    html = re.sub(r"<(style|script|svg|pre|code)\b.*?</\1>|data:image[^\"']*", " ", html, flags=re.S)
    return re.sub(r"<[^>]+>", " ", html)


WITH_IDS = ["run", "teaching", "compare", "uncertainty", "select", "equilibria", "equilibrium"]


@pytest.mark.parametrize("what", WITH_IDS)
def test_a_description_speaks_by_name_and_by_id_where_it_is_asked_for(what, made):
    ids = ids_in(made)
    assert len(ids) > 100
    assert spoken(made[what].describe(), ids) == []
    assert spoken(made[what].describe(ids=True), ids) != []


def test_every_description_of_places_can_speak_by_id():
    lacking = [
        name
        for name in cs.__all__
        if (told := getattr(getattr(cs, name), "describe", None)) and "ids" not in inspect.signature(told).parameters
    ]
    assert lacking == sorted(WITHOUT_PLACES)


WITHOUT_PLACES = ["ReleaseFit", "ReleaseTimes", "Validation"]
"""Of paths that go into a file; of agencies and channels as the log calls them; of observations as their file does."""


def test_warnings_speak_by_name(made):
    told = made["run"].warnings
    assert [text for text in told if "more comes than can pass at Astara IR, exit acceptance" in text]
    assert spoken("\n".join(told), ids_in(made)) == []


@pytest.mark.parametrize("what", ["run", "compare", "uncertainty", "sweep"])
def test_the_first_screen_speaks_by_name(what, made):
    assert spoken(without_marks(made[what]._repr_html_()), ids_in(made)) == []


@pytest.mark.parametrize("what", ["run", "compare", "uncertainty"])
def test_a_page_speaks_by_name(what, made):
    assert spoken(without_marks(made[what].to_html()), ids_in(made)) == []


OF_OTHERS = ["attribution", "build_order", "cash_flows", "disruption", "frontier", "npv", "prediction", "qq", "regret"]
OF_OTHERS += ["switching"]
"""Pictures of other results than these."""


@pytest.mark.parametrize("kind", list(PLOTS))
def test_a_picture_speaks_by_name(kind, made):
    drawn = 0
    for what in ("run", "teaching", "compare", "uncertainty", "sweep"):
        try:
            axes = getattr(made[what].plot, kind)()
        except (ValueError, AttributeError):
            continue
        drawn += 1
        figure = getattr(axes, "figure", axes)
        assert spoken("\n".join(text.get_text() for text in figure.findobj(Text)), ids_in(made)) == [], what
        plt.close("all")
    assert drawn or kind in OF_OTHERS


def test_an_input_is_called_by_the_place_of_its_figure():
    first, second = scenarios("teaching", "teaching_priority_lane")
    path = "improvements.bread_lane_a.capex_usd"
    assert input_called([first, second], "checkpoints.northgate_b.entry.xray.service.mean_h") == (
        "Northgate B, entry, X-ray: mean service time [h]"
    )
    assert input_called([first, second], path) == "bread lane a: capex [US$]"
    assert input_called([], path) == "bread lane a: capex [US$]"
    assert input_called([first], "lane_cycles") == "lane cycles"


def test_what_an_answer_hangs_on_is_called_by_name(made):
    sure = made["uncertainty"]
    effects = sure.effects(0, 1)
    assert set(effects["input"]) == {one.name for one in sure.inputs}
    assert "lane cycles" in set(effects["called"])
    assert "lane cycles (" in sure.describe()
    assert "lane_cycles (" in sure.describe(ids=True)


def test_a_row_is_called_by_place_class_and_part(made):
    row = {"kind": "post", "place": "northgate_b", "direction": "entry", "cargo_class": "loaded", "of": "slot_wait"}
    assert Called(made["teaching"]).row(row) == "Northgate B, entry, loaded, slot wait"
    assert Called(made["teaching"], ids=True).row(row) == "northgate_b entry loaded slot_wait"


COMMANDS = {
    "run": ["run", "teaching", "-n", "2", "--indicator", "wait_h"],
    "compare": ["compare", "teaching", "teaching_priority_lane", "-n", "2", "--indicator", "wait_h"],
    "sweep": ["sweep", "teaching_lanes", "-n", "2", "--horizon-days", "5"],
    "select": ["select", "teaching", "teaching_priority_lane", "--indicator", "wait_h", "--delta", "0.2 h",
               "--kind", "post", "--place", "northgate_b", "--direction", "entry"],
    "equilibrium": ["equilibrium", "ways_round_2023", "--choices", "-n", "1", "--starts", "1"],
    "door-to-door": ["door-to-door", "ways_round_2023", "--draws", "2", "-n", "1", "--flow", "south_bilateral"],
    "diff": ["diff", "teaching", "teaching_priority_lane"],
}  # fmt: skip


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_table_of_a_command_speaks_by_name_and_by_id_where_it_is_asked_for(command, made):
    ids = ids_in(made)
    plain = called(*COMMANDS[command])
    asked = called(*COMMANDS[command], "--ids")
    assert plain.exit_code == asked.exit_code == 0, plain.output + asked.output
    assert spoken(plain.stdout, ids) == []
    assert spoken(asked.stdout, ids) != []


def test_the_points_of_a_sweep_name_what_is_overloaded():
    told = called("sweep", "teaching_lanes", "-n", "2").stdout
    assert "  (1) tfi1 Northgate A – Northgate B, A→B [h]\n" in told
    assert re.search(r"14 .*Northgate B, entry\n", told)


# ---------------------------------------------------------------- legs and indicators without names of their own


def test_a_leg_without_a_name_is_called_by_its_ends_in_the_direction_of_travel(made):
    run = made["run"]
    assert place_name(run, "leg", "sea_astrakhan_anzali", "") == "Astrakhan – Bandar-e Anzali"
    assert place_name(run, "leg", "leg:sea_astrakhan_anzali>") == "Astrakhan → Bandar-e Anzali"
    assert place_name(run, "leg", "leg:sea_astrakhan_anzali<") == "Bandar-e Anzali → Astrakhan"
    assert place_name(run, "leg", "leg:border_samur<>") == "Yarag-Kazmalyar RU ↔ Samur AZ"
    assert input_called([run.scenario], "legs.border_samur.length_km") == "Yarag-Kazmalyar RU – Samur AZ: length [km]"


def test_legs_with_the_same_ends_are_told_apart_by_mode_or_by_id(made):
    scenario = made["run"].scenario
    assert leg_called(scenario, "rail_makhachkala_derbent", ">") == "Makhachkala → Derbent, rail"
    names = [leg_called(scenario, id, ">") for id in scenario.legs]
    assert len(names) == len(set(names)) > 90


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_a_leg_keeps_the_name_that_it_was_given_and_one_made_by_hand_its_id(made):
    scenario = cs.load_scenario("teaching")
    legs = {**scenario.legs, "bridge": scenario.legs["bridge"].replace(name="Old bridge")}
    run = cs.run(scenario.replace(legs=legs), replications=1, rng=1)
    assert place_name(run, "leg", "leg:bridge<") == "Old bridge ←"
    by_hand = cs.run(run.plan, replications=1, rng=1)
    assert place_name(by_hand, "leg", "leg:mill_northgate>") == "mill northgate →"


def test_what_is_made_small_is_called_by_name_and_by_id_where_it_is_asked_for(made):
    found = made["select"]
    assert found.describe().startswith("Best of 2 by wait for lanes at Northgate B, entry [h], smallest: ")
    assert "wait_h" in found.describe(ids=True).splitlines()[0]
