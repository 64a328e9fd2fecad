"""A class whose flows are taken out leaves warnings where it is named; a class that never was is an error."""

import pytest
from small_corridor import law, small

from corridor_sim.core.errors import ScenarioError
from corridor_sim.files.scenario_files import check, dumps, load_scenario, loads
from corridor_sim.model.improvements import PriorityClass
from corridor_sim.model.resolution import problems
from corridor_sim.plan.build import make_plan
from corridor_sim.results.input_differences import inputs_diff

STAGE = "checkpoints.samur_az.exit.documents"
NAMED = {
    "priority": {"discipline": "priority", "priority": ["perishable"]},
    "reserved": {"reserved": {"perishable": {"lanes": 1}}},
    "share_by_class": {"share_by_class": {"perishable": 0.5}},
    "factor_by_class": {"factor_by_class": {"perishable": 2.0}},
}
WITHOUT_FRUIT = 'schema = 1\nextends = "base.toml"\nremove = ["flows.fruit"]\n'


def base(**stage):
    return small(checkpoints__samur_az__exit__documents={"lanes": 4, "service": law(0.1), **stage})


def told(found):
    """Severity and path of each problem that speaks of a cargo class."""
    return [(one.severity, one.path) for one in found if "cargo class" in one.message]


@pytest.fixture
def overlay(tmp_path):
    def write(scenario, text):
        (tmp_path / "base.toml").write_text(dumps(scenario), encoding="utf-8")
        (tmp_path / "over.toml").write_text(text, encoding="utf-8")
        return tmp_path / "over.toml"

    return write


@pytest.mark.parametrize("field", NAMED)
def test_an_overlay_that_takes_the_flows_of_a_class_out_leaves_a_warning(overlay, field):
    file = overlay(base(**NAMED[field]), WITHOUT_FRUIT)
    assert told(check(file)) == [("warning", f"{STAGE}.{field}")]
    scenario = load_scenario(file)
    assert scenario.former_classes == ("perishable",)
    assert make_plan(scenario).flows


def test_channels_of_a_former_class_and_improvements_for_it_are_warnings_too(overlay):
    channels = {"green": 0.8, "yellow": 0.15, "red": 0.05,
                "by_class": {"perishable": {"green": 1, "yellow": 0, "red": 0}}}  # fmt: skip
    scenario = small(checkpoints__samur_az__channels={"exit": channels})
    scenario = scenario.with_improvements(first=PriorityClass(at=STAGE, priority=["perishable"]))
    assert told(check(overlay(scenario, WITHOUT_FRUIT))) == [
        ("warning", "checkpoints.samur_az.channels.exit.by_class"),
        ("warning", "improvements.first.priority"),
    ]


@pytest.mark.parametrize("field", ["priority", "reserved"])
def test_a_class_that_never_was_stays_an_error(overlay, field):
    wrong = f"[{STAGE}.reserved.perishabel]\nlanes = 1\n"
    if field == "priority":
        wrong = f'[{STAGE}]\ndiscipline = "priority"\npriority = ["perishabel"]\n'
    file = overlay(base(), WITHOUT_FRUIT + wrong)
    assert told(check(file)) == [("error", f"{STAGE}.{field}")]
    with pytest.raises(ScenarioError, match="is not the cargo class of any flow"):
        load_scenario(file)


def test_the_knowledge_goes_down_a_chain_of_files_and_comes_back_from_a_saved_one(overlay, tmp_path):
    file = overlay(base(**NAMED["priority"]), WITHOUT_FRUIT)
    (tmp_path / "third.toml").write_text('schema = 1\nextends = "over.toml"\nname = "third"\n', encoding="utf-8")
    third = load_scenario(tmp_path / "third.toml")
    assert third.former_classes == ("perishable",)
    assert loads(dumps(third)) == third
    assert told(problems(load_scenario(file))) == [("warning", f"{STAGE}.priority")]


def test_a_class_that_comes_back_is_no_former_class(overlay, tmp_path):
    overlay(base(**NAMED["priority"]), WITHOUT_FRUIT)
    again = '[flows.melons]\norigin = "baku"\ndestination = "moscow"\nper_day = 5\ncargo_class = "perishable"\n'
    (tmp_path / "third.toml").write_text('schema = 1\nextends = "over.toml"\n' + again, encoding="utf-8")
    assert load_scenario(tmp_path / "third.toml").former_classes == ()
    assert told(check(tmp_path / "third.toml")) == []


def test_taking_a_flow_out_by_override_is_like_an_overlay(overlay, tmp_path):
    overlay(base(**NAMED["priority"]), WITHOUT_FRUIT)
    scenario = load_scenario(tmp_path / "base.toml", {"flows.fruit": None})
    assert scenario.former_classes == ("perishable",)


def test_replace_with_other_flows_knows_the_classes_that_were():
    scenario = base(**NAMED["priority"])
    fewer = scenario.replace(flows={id: one for id, one in scenario.flows.items() if id != "fruit"})
    assert fewer.former_classes == ("perishable",)
    assert told(problems(fewer)) == [("warning", f"{STAGE}.priority")]
    assert fewer.replace(flows=scenario.flows) == scenario
    assert fewer.replace(name="other").former_classes == ("perishable",)
    strict = scenario.replace(flows=fewer.flows, former_classes=())
    assert told(problems(strict)) == [("error", f"{STAGE}.priority")]


def test_former_classes_are_no_input_that_differs():
    scenario = base()
    fewer = scenario.replace(flows={id: one for id, one in scenario.flows.items() if id != "fruit"})
    assert inputs_diff(scenario, fewer) == ["removes flows.fruit"]
