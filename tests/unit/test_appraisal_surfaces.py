"""An appraisal on the command line and as a page: several years, draws of inputs, refusals that say what helps."""

import json

import pytest
from appraised_border import border, compared, drawn, ranged
from command_line import called

import corridor_sim as cs
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
        (("--inputs", "8", "--scale-usd", "50"), "leave one out"),
    ],
)
def test_options_without_meaning_together_are_refused_before_anything_runs(files, more, text):
    got = called("appraise", *files(border(improvements=False), border()), *HOW, *more)
    assert got.exit_code == 2
    assert text in " ".join(got.stderr.split())


def test_an_overloaded_base_is_refused_with_the_option_that_helps(files):
    got = called("appraise", *files(border(per_day=60.0, improvements=False), border(per_day=60.0)), *HOW)
    assert got.exit_code != 0
    assert "--scale-usd" in got.stderr


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
