"""Both uncertainties on every surface: terminal, tables, JSON, report and picture, named apart."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from command_line import called
from test_uncertainty import ranged

import corridor_sim as cs
from corridor_sim.plots.tornado import _halves, end_means
from corridor_sim.report.uncertain import _sign, describe_uncertainty, uncertain_answers
from corridor_sim.results.called import Called
from corridor_sim.statistics import sign_chance

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
LANE = cs.AddLanes(checkpoint="astara_ir", direction="exit", stage="gate", lanes=1)


@pytest.fixture(scope="module")
def sure():
    base = ranged()
    faster = base.replace(name="faster").with_improvements(LANE)
    return cs.uncertainty(base, faster, draws=32, replications=2, rng=3, workers=1, at="astara")


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cs.save_scenario(ranged(), tmp_path / "base.toml")
    cs.save_scenario(ranged().replace(name="faster").with_improvements(LANE), tmp_path / "faster.toml")
    return "base.toml", "faster.toml"


def test_the_first_screen_names_both_intervals_apart_and_the_share_assumed(sure):
    text = describe_uncertainty(sure)
    first = text.split("At the stated values:")[0]
    assert "time to cross (TFI1) falls by" in first
    for name in ("sampling noise", "inputs", "sign", "hangs on"):
        assert f"  {name:<16}" in first
    assert "2 figures are drawn from ranges; 1 of these (50%) is assumed" in first
    assert "part of the corridor that astara hangs on" in " ".join(first.split())
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_page_tells_times_below_an_hour_in_minutes_with_all_that_stands_beside_them(sure):
    (_, in_hours), (_, in_minutes) = *uncertain_answers(sure), *uncertain_answers(sure, minutes=True)
    called_by, times = Called(sure.runs[1]), [k for k, label in enumerate(sure.labels) if label.indicator == "tfi1"]
    row_of = {called_by.place(one.kind, one.place, one.direction): k for k in times for one in [sure.labels[k]]}
    assert in_hours
    for hours, told in zip(in_hours, in_minutes, strict=True):
        row = row_of[told.place]
        below = max(map(abs, (sure.stated(row, 0), sure.stated(row), *sure.sampling(row)))) < 1.0
        assert (" min" in told.sentence) == below
        assert (" min (" in told.sampling) == below
        assert (" min (" in told.inputs) == below
        assert " min" not in hours.sentence + hours.sampling + hours.inputs


def test_the_answer_names_what_it_hangs_on_and_what_to_measure_first(sure):
    ((name, answers),) = uncertain_answers(sure)
    assert name == "faster"
    assert "astara ir, exit, gate: lanes (" in answers[0].hangs_on
    assert "measure" in answers[0].hangs_on


def test_one_scenario_alone_has_intervals_of_its_values():
    found = cs.uncertainty(ranged(), draws=8, replications=1, rng=3, workers=1, at="astara")
    text = " ".join(describe_uncertainty(found).split())
    assert "time to cross (TFI1):" in text
    assert "interaction of inputs and streams cannot be told apart" in text
    assert "8 draws are too few for 90 %" in text


def test_compare_with_inputs_gives_rows_with_both_intervals(files):
    result = called("compare", *files, "--inputs", "16", "-n", "1", "--workers", "1", "--format", "json", "-q")
    assert result.exit_code == 0
    body = json.loads(result.stdout)
    assert body["draws"]["draws"] == 16
    assert body["draws"]["interaction"] == "stands in the inputs' part"
    assert body["differences"]
    for row in body["differences"]:
        assert {"low", "high", "inputs_low", "inputs_high", "sign_holds"} <= set(row)
    crossing = next(r for r in body["differences"] if r["indicator"] == "tfi1" and r["direction"] == "IR>AZ")
    assert crossing["inputs_low"] < crossing["inputs_high"]
    assert crossing["low"] < crossing["high"]
    assert isinstance(crossing["sign_holds"], bool)


def test_compare_at_one_place_says_the_same_as_the_library(files, sure):
    asked = ["--inputs", "32", "--at", "astara", "--seed", "3", "--workers", "1", "-q"]
    text = called("compare", *files, *asked).stdout
    assert text.split("At the stated values:")[0] == sure.describe().split("At the stated values:")[0]
    shown = called("compare", *files, *asked, "--indicator", "tfi1").stdout
    assert "inputs_low" in shown
    assert "sign_holds" in shown


def test_auto_compares_everything_and_draws_at_the_place_that_changes_most(files):
    asked = ["-n", "6", "--workers", "1", "-q", "--seed", "3"]
    text = called("compare", *files, "--inputs", "auto", *asked).stdout
    first, rest = text.split("At the stated values:\n\n")
    assert "90 % of 64 draws" in first
    assert "6 replications at the stated values" in " ".join(first.split())
    assert "2 figures are drawn from ranges" in first
    plain = called("compare", *files, *asked).stdout
    assert rest.split("astara ir", 1)[1] == plain.split("astara ir", 1)[1]
    rows = json.loads(called("compare", *files, "--inputs", "auto", *asked, "--format", "json").stdout)["differences"]
    crossing = next(row for row in rows if row["indicator"] == "tfi1" and row["direction"] == "IR>AZ")
    assert crossing["inputs_low"] < crossing["inputs_high"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--inputs", "20"], "power of two"),
        (["--inputs", "many"], "'many' is neither a number of draws (a power of two, as 64) nor 'auto'"),
        (["--at", "astara"], "--at needs --inputs"),
        (["--prior", "uniform"], "--prior needs --inputs"),
        (["--picture", "tornado.png"], "tornado needs --inputs"),
    ],
)
def test_options_without_a_meaning_are_refused_before_anything_runs(files, options, told):
    result = called("compare", *files, *options)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_place_that_nobody_passes_is_bad_input(files):
    result = called("compare", *files, "--inputs", "4", "--at", "astra")
    assert result.exit_code == 2
    assert "did you mean 'astara'" in result.stderr


def test_plot_says_how_the_tornado_is_drawn(files):
    result = called("plot", *files, "--kind", "tornado", "-o", "t.png")
    assert result.exit_code == 2
    assert "compare --inputs" in result.stderr


def test_the_report_shows_both_intervals_first_and_the_tornado(files, sure):
    page = sure.to_html()
    answer = page[page.index("<h2>Answer</h2>") : page.index("At the stated values")]
    for words in ("Noise of sampling", "Inputs", "Hangs on", "2 figures are drawn from ranges"):
        assert words in answer
    assert "know nothing of wrong inputs" not in page
    assert "What one answer hangs on" in page
    result = called("report", *files, "--inputs", "8", "--at", "astara", "-o", "page.html", "--workers", "1", "-q")
    assert result.exit_code == 0
    assert "both uncertainties" in Path("page.html").read_text(encoding="utf-8")


def test_the_report_without_draws_says_that_inputs_are_left_out(sure):
    assert "know nothing of wrong inputs" in sure.comparison.to_html()


def test_the_tornado_has_a_bar_for_each_input_the_largest_effect_first(sure):
    ax = sure.plot.tornado()
    effects = sure.effects(sure.row("tfi1", kind="crossing", direction="IR>AZ"))
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert len(labels) == 2
    for label, name in zip(labels, effects["called"], strict=True):
        assert label.startswith(name)
    assert ax.yaxis_inverted()
    plt.close("all")


def test_a_bar_runs_from_the_mean_of_the_lowest_fifth_to_that_of_the_highest_about_the_mean_of_all_draws(sure):
    row = sure.row("tfi1", kind="crossing", place="astara", direction="IR>AZ")
    answers = sure.answers(row).mean(axis=1)
    first = sure.effects(row)["input"].iloc[0]
    place = sure.main.points[:, [one.name for one in sure.inputs].index(first)]
    ends = answers[place <= 0.2].mean(), answers[place >= 0.8].mean()
    ax = sure.plot.tornado()
    bars = [bar for bar in ax.patches if bar.get_y() + bar.get_height() / 2 == pytest.approx(0.0) and bar.get_width()]
    assert min(bar.get_x() for bar in bars) == pytest.approx(min(ends))
    assert max(bar.get_x() + bar.get_width() for bar in bars) == pytest.approx(max(ends))
    assert min(ends) < answers.mean() < max(ends)
    assert {round(bar.get_x(), 9) for bar in bars} >= {round(answers.mean(), 9)}
    lines = [line.get_xdata()[0] for line in ax.lines]
    assert lines[0] == pytest.approx(answers.mean())
    assert lines[1] == pytest.approx(sure.stated(row))
    plt.close(ax.figure)


def test_the_ends_of_bars_are_means_of_fifths_and_of_the_end_where_no_draw_is_in_a_fifth():
    place = np.linspace(0.0, 1.0, 11)
    assert end_means(place, 10.0 * place) == pytest.approx((1.0, 9.0))
    assert end_means(np.array([0.3, 0.5, 0.7]), np.array([1.0, 2.0, 5.0])) == (1.0, 5.0)


def test_a_bar_on_one_side_of_the_mean_is_not_drawn_as_if_it_reached_it():
    assert _halves(0.0, -2.0, 3.0) == [(-2.0, 0.0, 0), (0.0, 3.0, 1)]
    assert _halves(0.0, 1.0, 3.0) == [(1.0, 2.0, 0), (2.0, 3.0, 1)]


def test_the_tornado_of_results_is_refused_with_what_it_needs(sure):
    with pytest.raises(ValueError, match="--inputs"):
        cs.Comparison(sure.runs).plot.tornado()


def test_inputs_that_cannot_act_are_known_and_left_out_of_the_effects():
    base = ranged(
        legs__samur_moscow__figures={"length_km": {"low": 1700.0, "high": 1900.0, "range_reason": "x"}},
        legs__rasht_astara__cost_usd_tkm=0.06,
        legs__rasht_astara__figures={"cost_usd_tkm": {"low": 0.05, "high": 0.08, "range_reason": "x"}},
    )
    found = cs.uncertainty(base, draws=8, replications=1, rng=3, workers=1, at="astara")
    acts = {one.name: one.acts for one in found.inputs}
    assert acts == {
        "checkpoints.astara_ir.exit.gate.lanes": True,
        "flows.transit.per_day": True,
        "legs.rasht_astara.cost_usd_tkm": False,
        "legs.samur_moscow.length_km": False,
    }
    assert len(found.effects(found.row("tfi1", kind="crossing", direction="IR>AZ"), 0)) == 2


def test_an_input_that_moves_the_route_acts_although_it_is_a_price():
    shares = {"legs__baku_samur__cost_usd_tkm": 0.06}
    shares |= {"legs__baku_samur__figures": {"cost_usd_tkm": {"low": 0.0, "high": 9.0, "range_reason": "x"}}}
    found = cs.uncertainty(ranged(**shares), draws=4, replications=1, rng=3, workers=1, indicators="tfi1")
    acts = {one.name: one.acts for one in found.inputs}
    assert _routes(ranged(**shares), 0.0) != _routes(ranged(**shares), 9.0)
    assert acts["legs.baku_samur.cost_usd_tkm"]


def _routes(scenario, cost):
    from corridor_sim.model.resolution import resolve
    from corridor_sim.study.designs import with_values
    from corridor_sim.study.draws import routes_of

    return routes_of(resolve(with_values(scenario, {"legs.baku_samur.cost_usd_tkm": cost})))


def test_tables_of_the_draws_are_as_wide_as_those_of_the_comparison(sure):
    frame = sure.table()
    plain = sure.comparison.table()
    assert list(frame.columns[: plain.shape[1]]) == list(plain.columns)
    assert len(frame) == len(plain)
    assert np.isfinite(frame.loc[frame["indicator"] == "tfi1", "inputs_low"].astype(float)).all()


def test_draws_in_which_nothing_changes_are_told_in_the_sentence_of_the_sign():
    signs = {"uniform": sign_chance(-1.0, [-1.0, -2.0, 0.0, 0.0], corners=[-1.0])}
    assert _sign(signs).startswith("the same in 2 of 4 draws (uniform; no change in 2)")
    assert "no change" not in _sign({"uniform": sign_chance(-1.0, [-1.0, -2.0])})
