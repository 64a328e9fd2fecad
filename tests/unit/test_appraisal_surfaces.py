"""An appraisal on the command line and as a page: several years, draws of inputs, refusals that say what helps."""

import json

import pytest
from appraised_border import border, compared, drawn, ranged
from command_line import called

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.files.scenario_files import dumps

HOW = ("--discount-rate", "0.06", "--years", "10", "--workers", "1", "-n", "2", "-q")


@pytest.fixture
def files(tmp_path):
    """Paths of base and other."""

    def written(base, other):
        paths = []
        for name, scenario in (("base", base), ("other", other)):
            path = tmp_path / f"{name}.toml"
            path.write_text(dumps(scenario.replace(name=name)), encoding="utf-8")
            paths.append(str(path))
        return paths

    return written


def test_draws_of_the_inputs_give_the_second_interval_on_the_command_line(files, tmp_path):
    page = tmp_path / "worth.html"
    got = called(
        "appraise", *files(ranged(improvements=False), ranged()), *HOW, "--inputs", "16", "--discount-range", "0.03",
        "0.12", "--report", str(page),
    )  # fmt: skip
    assert got.exit_code == 0, got.output
    assert "inputs: NPV" in got.stdout
    assert "smallest to largest of 16 draws" in got.stdout
    assert "chance NPV > 0" in got.stdout
    assert "What the net present value hangs on" in page.read_text(encoding="utf-8")


def test_several_years_are_simulated_and_told_in_json(files):
    got = called(
        "appraise", *files(border(improvements=False), border()), *HOW, "--simulate", "2030,2026", "--format", "json"
    )
    assert got.exit_code == 0, got.output
    years = json.loads(got.stdout)["years"]
    assert [one["year"] for one in years][:3] == [2025, 2026, 2027]
    assert years[1]["benefits_usd"] > 0


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (("--simulate", "soon"), "no list of years"),
        (("--discount-range", "0.03", "0.12"), "--discount-range needs --inputs"),
        (("--growth-range", "0", "0.1"), "--growth-range needs --inputs"),
        (("--inputs", "5"), "--inputs:"),
        (("--elasticity", "-0.5"), "--elasticity needs --scale-usd"),
        (("--choose", "f=x"), "--choose needs --scale-usd"),
        (("--choose", "f"), "is not FLOW=CROSSING"),
        (("--scale-usd", "50", "--choose", "f=x", "--choose", "f=y"), "given twice"),
        (("--scale-usd", "50", "--elasticity", "-0.5"), "needs --elasticity-source"),
        (("--scale-usd", "50", "--reference-year", "2025"), "need --elasticity"),
        (("--scale-usd", "50", "--store", "folder"), "leave one out"),
    ],
)
def test_options_without_meaning_together_are_refused_before_anything_runs(files, more, text):
    got = called("appraise", *files(border(improvements=False), border()), *HOW, *more)
    assert got.exit_code == 2
    assert text in " ".join(got.stderr.split())


def test_measures_without_a_cost_are_refused_before_anything_runs(files, monkeypatch):
    monkeypatch.setattr("corridor_sim.cli.weighing.simulated", lambda *_, **__: pytest.fail("it was run"))
    free = border(capex=0.0)
    got = called("appraise", *files(border(improvements=False), free), *HOW)
    assert got.exit_code != 0
    assert "no cost is stated for lane" in got.stderr


def test_an_overloaded_base_is_refused_with_the_option_that_helps(files):
    got = called("appraise", *files(border(per_day=60.0, improvements=False), border(per_day=60.0)), *HOW)
    assert got.exit_code != 0
    told = " ".join(got.stderr.split())
    for words in ("p, exit s overloaded in the base", "--scale-usd with --elasticity", "--reference-year"):
        assert words in told
    # What the message says, done: the flow through the overloaded stage answers, at the cost of a lighter year.
    growing = {"growth_per_year": 0.2, "growth_from": "2026-01-01"}
    light = [
        one.replace(flows={"f": one.flows["f"].replace(per_day=58.0, **growing)})
        for one in (border(improvements=False), border())
    ]
    asked = ["--scale-usd", "50", "--elasticity", "-0.5", "--elasticity-source", "assumed", "--reference-year", "2024"]
    done = called("appraise", *files(*light), *HOW, *asked)
    assert done.exit_code == 0, done.output
    told = " ".join(done.stdout.split())
    assert "elasticity of -0.5 (source: assumed); at the cost of the base in 2024" in told
    assert "New traffic counts half" in told


def answering(per_day):
    """The border with ranges, and people who stay away when it takes long."""
    pair = ranged(per_day=per_day, improvements=False), ranged(per_day=per_day)
    behaviour = cs.Behaviour(50.0, {"f": ["x"]}, -0.8, "assumed: a worked case")
    return pair, behaviour


def test_in_each_draw_it_is_searched_for_who_stays_away_and_the_draw_is_the_appraisal_of_its_own_values():
    (base, lane), behaviour = answering((30.0, 42.0))
    how = {"discount_rate": 0.06, "years": 10}
    settings = {"behaviour": behaviour, "workers": 1, "replications": 2}
    found = cs.appraise_with_behaviour(base, lane, draws=2, growths_after=(0.0, 0.02), **how, **settings)
    compared_so, equilibria = cs.compare_with_behaviour(base, lane, **settings)
    alone = cs.appraise(compared_so, **how)
    assert found.npv_usd == alone.npv_usd
    assert found.rule_of_half
    # At the cost of the base demand is that of the scenario; with the lane it is quicker and more come.
    at_rest, with_lane = equilibria
    assert at_rest.demand_factor["f"] == pytest.approx(1.0, abs=0.01)
    assert 1.0 < with_lane.demand_factor["f"] < 2.0
    assert behaviour.told in found.notes
    assert "searched for in each of the 2 draws" in found.describe().replace("\n    ", " ")
    # The first draw by the way of the stated values.
    drawn = found.inputs
    names = [one.name for one in drawn.inputs]
    assert names[-1] == "growth after the last simulated year"
    point = dict(zip(names, drawn.points[0], strict=True))

    def at(name, low, high):
        return low + point[name] * (high - low)

    def of_draw(scenario):
        flow = scenario.flows["f"].replace(
            per_day=at("flows.f.per_day", 30.0, 42.0), figures={},
            value_of_time_usd_h=at("flows.f.value_of_time_usd_h", 10.0, 30.0),
        )  # fmt: skip
        lanes = {
            name: one.replace(capex_usd=at("improvements.lane.capex_usd", 1e5, 4e5), figures={})
            for name, one in scenario.improvements.items()
        }
        return scenario.replace(flows={"f": flow}, improvements=lanes)

    by_hand, _ = cs.compare_with_behaviour(of_draw(base), of_draw(lane), **settings)
    growth = at(names[-1], 0.0, 0.02)
    assert drawn.npv_usd[0] == pytest.approx(cs.appraise(by_hand, growth_after=growth, **how).npv_usd[0], rel=1e-9)


def test_a_behaviour_is_refused_without_a_source_and_where_nobody_is_named_who_answers():
    with pytest.raises(ArgumentError, match="needs its source"):
        cs.Behaviour(50.0, elasticity=-0.5)
    with pytest.raises(ArgumentError, match="of an elasticity"):
        cs.Behaviour(50.0, reference_year=2025)
    nobody = cs.Behaviour(50.0, elasticity=-0.5, source="assumed")
    with pytest.raises(CorridorError, match="say who answers"):
        cs.compare_with_behaviour(border(per_day=20.0, improvements=False), behaviour=nobody, replications=2, workers=1)
    with pytest.raises(ArgumentError, match="need draws"):
        cs.appraise_with_behaviour(
            border(improvements=False), border(), behaviour=cs.Behaviour(50.0, {"f": ["x"]}, -0.5, "assumed"),
            discount_rate=0.06, years=5, discount_rates=(0.03, 0.09), replications=2, workers=1,
        )  # fmt: skip


def test_the_page_has_criteria_who_gains_the_annex_and_the_same_bytes_each_time(tmp_path):
    found = cs.appraise(drawn(ranged(improvements=False), ranged()), discount_rate=0.06, years=5)
    page = found.to_html()
    assert page == found.to_html()
    texts = ["net present value", "EIRR", "first-year return", "paid back", "worth nothing if", "Who gains", "<svg"]
    texts += ["Annex: economic costs and benefits by year", "present value at 6 %", "transport cost"]
    for text in texts:
        assert text in page
    assert "know nothing of wrong inputs" not in page
    assert "-0.00" not in page
    alone = cs.appraise(compared(border(improvements=False), border()), discount_rate=0.06, years=5)
    assert "know nothing of wrong inputs" in alone.to_html()
    written = cs.report(found, tmp_path / "page.html")
    assert written.read_text(encoding="utf-8") == page


def test_names_on_the_page_stay_text():
    base, lane = border(improvements=False), border()
    hostile = lane.replace(name="<script>alert(1)</script>")
    page = cs.appraise(compared(base, hostile), discount_rate=0.06, years=5).to_html()
    assert "<script" not in page


def test_both_intervals_stand_on_the_first_screen_and_in_the_picture():
    sure = drawn(ranged(improvements=False), ranged(), draws=16)
    found = cs.appraise(sure, discount_rate=0.06, years=10)
    shown = found._repr_html_()
    assert "inputs: NPV" in shown
    assert "sampling noise only" in shown
    assert shown.count("<svg") == 1
    axes = found.plot.cash_flows()
    (band,) = [line for line in axes.lines if line.get_linewidth() == 7]
    interval = found.inputs.interval()
    assert band.get_ydata() == pytest.approx([interval.low / 1e6, interval.high / 1e6])
    assert axes.figure.get_supxlabel() == "with lane against base; 2025-2035; 5 replications, 16 draws of the inputs"


def test_every_cell_of_the_page_says_what_it_is():
    found = cs.appraise(compared(border(improvements=False), border()), discount_rate=0.06, years=10)
    page = found.to_html()
    assert page.count("<td") == page.count("data-label=") > 50
    assert 'data-label="total cost"' in page
