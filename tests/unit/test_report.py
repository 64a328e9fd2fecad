"""Reports: one page that needs nothing else, the same bytes each time, names that stay text, warnings in words."""

import base64
import hashlib
import re
import warnings
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from small_border import plan
from small_border import straight as truck

import corridor_sim as cs
from corridor_sim.core.errors import CorridorError
from corridor_sim.indicators.table import Table
from corridor_sim.report.answers import amount, answers
from corridor_sim.report.figures import stripped
from corridor_sim.report.page import report, to_html
from corridor_sim.report.parts import figures_used
from corridor_sim.results.results import Results

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"""{SCRIPT}"><img src=x onerror=alert(2)>' {{{{ 7 * 7 }}}} \u200fabc {"long" * 40}"""
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Tags, attributes and texts of a page; unclosed or crossed tags are an error."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.texts, self.open, self.ids = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


@pytest.fixture(scope="module")
def comparison():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.compare("teaching", "teaching_priority_lane", replications=4, rng=5, workers=1)


@pytest.fixture(scope="module")
def page(comparison):
    return Page(to_html(comparison))


@pytest.fixture(scope="module")
def hostile():
    scenario = cs.load_scenario("teaching")
    for path in (
        "checkpoints.northgate_a.name",
        "flows.flour.name",
        "places.mill.name",
        "improvements.second_scanner.name",
        "sources.invented.title",
        "sources.invented.url",
        "legs.bridge.note",
        "about",
    ):
        if "." in path:
            scenario = scenario.with_value(path, HOSTILE)
        else:
            scenario = scenario.replace(**{path: HOSTILE})
    scenario = scenario.replace(name=HOSTILE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(scenario, replications=3, rng=5, workers=1)


def test_the_table_of_posts_says_whom_wait_and_stay_are_over(page):
    assert page.text.count("Wait is over those who started by the end, stay over those who left.") == 1


def test_95_of_100_in_a_report_are_those_of_all_consignments(comparison, page):
    assert "95 of 100: of all consignments of all replications together." in page.text
    (found,) = (row for row in comparison.base.pooled_percentiles("tfi1_p95_pooled") if row[0].direction == "A>B")
    ((_, sentences),) = answers(comparison.base)
    told = [one.text for one in sentences if one.place.endswith("A→B") and "95 of 100" in one.text]
    assert len(told) == 1
    assert told[0].endswith(f"95 of 100 within {amount(found[1], unit='h')}.")


def test_a_report_has_every_part(page):
    for part in (
        "Answer",
        "What differs in the inputs",
        "Figures",
        "Differences",
        "Results of teaching",
        "How it was run",
        "Assumptions and sources",
        "To repeat it",
        "sampling noise only",
        "What does teaching_priority_lane change against teaching?",
        "bread lane a: Northgate A, exit, Truck lanes: reserved perishable lanes 0 -> 1; lanes 3 -> 4",
        "Invented for teaching",
        "corridor-sim report teaching teaching_priority_lane --replications 4 --seed 5 -o report.html",
        "terminating",
    ):
        assert part in page.text, part
    assert page.tags.count("svg") >= 8
    assert page.tags.count("figcaption") == page.tags.count("figure") == page.tags.count("svg")
    assert ("html", "lang", "en") in page.attributes


def test_on_a_narrow_screen_every_cell_says_what_it_is(page):
    """Rows become lists there: a cell without its header would be a bare number."""
    cells = page.tags.count("td")
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("td", "data-label")]
    assert len(labels) == cells > 100
    assert {"Place", "Difference", "time to cross (TFI1) [h]", "Value"} <= set(labels)
    assert "content: attr(data-label)" in page.text


def test_a_report_asks_for_nothing_and_runs_nothing(page):
    assert "script" not in page.tags
    assert not {"iframe", "object", "embed", "form", "base"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name != "style", (tag, value)
        if name in ("src", "href", "xlink:href", "srcset", "action"):
            assert value.startswith(("#", "data:")), (tag, name, value[:80])
        if name not in ("content", "xmlns", "xmlns:xlink"):
            assert "url(http" not in value, (tag, name, value)


def test_the_policy_allows_the_one_style_by_its_hash_and_nothing_else(comparison):
    text = to_html(comparison)
    styles = re.findall(r"<style[^>]*>(.*?)</style>", text, flags=re.DOTALL)
    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy


def test_the_same_results_give_the_same_bytes(comparison, tmp_path):
    first = report(comparison, tmp_path / "first.html")
    again = replace(comparison, runs=tuple(replace(run, wall_s=run.wall_s + 1) for run in comparison.runs))
    second = report(again, tmp_path / "second.html")
    assert first == tmp_path / "first.html"
    assert first.read_bytes() == second.read_bytes()


def test_a_report_does_not_overwrite_unless_told(comparison, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(CorridorError, match="exists"):
        cs.report(comparison, path)
    assert path.read_text(encoding="utf-8") == "mine"
    cs.report(comparison, str(path), overwrite=True, title="Mine")
    assert "<title>Mine</title>" in path.read_text(encoding="utf-8")


def test_names_stay_text(hostile):
    text = to_html(hostile, title=HOSTILE, question=HOSTILE)
    found = Page(text)
    assert "script" not in found.tags
    assert "img" not in found.tags
    assert SCRIPT not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in found.text
    assert found.text.count(HOSTILE) >= 5
    # A direction mark is shut in: every text that holds one is inside a bdi, a title or a pre.
    holders, inside = set(), []

    class Walk(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in VOID:
                inside.append(tag)

        def handle_endtag(self, tag):
            inside.pop()

        def handle_data(self, data):
            if "\u200f" in data:
                holders.add(inside[-1])

    Walk().feed(text)
    assert holders <= {"bdi", "title", "pre"}


def test_figures_and_text_of_the_command_are_safe_to_paste(hostile):
    command = re.search(r"<pre>(corridor-sim run .*?)</pre>", to_html(hostile), flags=re.DOTALL)[1]
    import html
    import shlex

    words = shlex.split(html.unescape(command))
    assert words[:2] == ["corridor-sim", "run"]
    assert words[2] == HOSTILE
    assert words[3:] == ["--replications", "3", "--seed", "5"]


def test_svg_loses_styles_comments_and_metadata_and_gains_a_description():
    given = (
        '<?xml version="1.0"?><!DOCTYPE svg><svg width="10pt" viewBox="0 0 1 1">\n'
        "<metadata><x>me</x></metadata><!-- --><b> --><style>*{a:b}</style>"
        '<path style="fill: none; stroke: #fff; stroke-width: 0.8" d="M 0 0"/></svg>'
    )
    found = str(stripped(given, '"a" < b'))
    assert found.startswith("<svg")
    assert 'fill="none" stroke="#fff" stroke-width="0.8" d="M 0 0"' in found
    assert 'aria-label="&#34;a&#34; &lt; b"' in found
    for gone in ("<!--", "metadata", "style=", "<style", "DOCTYPE", "10pt"):
        assert gone not in found


def test_amounts_are_in_the_unit_a_reader_would_choose():
    assert amount(0.5, 0.4, 0.6, "h") == "30.0 min (24.0 to 36.0)"
    assert amount(30.0, 20.0, 40.0, "h") == "30 h (20 to 40)"
    assert amount(0.0, unit="h") == "0 min"
    assert amount(float("nan"), unit="h") == "no value"
    assert amount(3.14159, 3.0, 3.3, "1/day") == "3.14 a day (3.00 to 3.30)"


def test_what_is_told_beside_hours_is_in_hours():
    assert amount(0.052, 0.046, 0.058, "h", beside=[1.99]) == "0.0520 h (0.0460 to 0.0580)"
    assert amount(0.052, 0.046, 0.058, "h", beside=[0.9, float("nan")]) == "3.12 min (2.76 to 3.48)"


def test_one_sentence_of_a_comparison_has_one_unit(comparison):
    for _, sentences in answers(comparison):
        for sentence in sentences:
            assert not (" min" in sentence.text and " h" in sentence.text), sentence.text
    told = [one.text for _, sentences in answers(comparison) for one in sentences]
    assert any(" h (" in text or " min (" in text for text in told)


def results_with(rows, name, replications=4):
    """Results of the small border with given rows: {label parts: values}."""
    from corridor_sim.indicators import Label

    labels = tuple(Label(*key) for key in rows)
    values = np.array(list(rows.values()), dtype=float).reshape(len(rows), replications)
    named = plan(name=name)
    return Results(named, named, Table(labels, values, np.arange(replications)), 7, "event", versions={})


CROSSING = ("tfi1", "h", "crossing", "ab")


def sentences(data):
    return [(name, one.tone, one.place, one.text) for name, part in answers(data) for one in part]


def test_a_fall_a_rise_and_a_doubt_are_said_in_words():
    base = results_with({CROSSING: [10, 11, 12, 13]}, "base")
    less = results_with({CROSSING: [8, 9.1, 10, 10.9]}, "less")
    more = results_with({CROSSING: [12, 13.1, 14, 14.9]}, "more")
    doubt = results_with({CROSSING: [12, 9, 14, 11]}, "doubt")
    # Differences -2, -1.9, -2, -2.1: mean -2, sd 0.0816, half-width 3.18245 * 0.0816 / 2 = 0.13.
    assert sentences(cs.Comparison((base, less)))[0][1:] == (
        "change",
        "ab",
        "time to cross falls by 2.00 h (1.87 to 2.13), from 11.5 h.",
    )
    assert "rises by 2.00 h (1.87 to 2.13)" in sentences(cs.Comparison((base, more)))[0][3]
    found = sentences(cs.Comparison((base, doubt)))
    assert found == [("doubt", "same", "ab", "time to cross: not distinguishable from the base.")]
    assert [one[1] for one in sentences(cs.Comparison((base, base)))] == ["same"]
    assert "exactly the same" in sentences(cs.Comparison((base, base)))[0][3]


def test_overload_comes_first_with_what_it_means():
    scenario = cs.load_scenario("teaching").with_value("flows.flour.per_day", 400.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        run = cs.run(scenario, replications=3, rng=1, workers=1)
        fine = cs.run("teaching", replications=3, rng=1, workers=1)
    assert run.overloaded()
    for data in (run, cs.Comparison((fine, run))):
        first = sentences(data)[0]
        assert first[1] == "overload"
        for word in ("load", "a day", "queue +", "unserved", "measure the horizon"):
            assert word in first[3]
    assert "measures the horizon" in Page(to_html(run)).text
    assert all(one[1] != "overload" for one in sentences(fine))


def test_only_figures_of_what_takes_part_are_listed():
    scenario = cs.load_scenario("baseline_2023")
    from corridor_sim.plan.build import make_plan

    run = Results(scenario, make_plan(scenario), Table((), np.empty((0, 1)), np.arange(1)), 1, "event")
    legs = {row.path.split(".")[1] for row in figures_used(run) if row.path.startswith("legs.")}
    spans = {span.id for flow in run.plan.flows for variant in flow.variants for span in variant.spans}
    assert legs
    assert legs <= spans
    assert legs < set(scenario.legs)


def test_a_plan_made_by_hand_can_be_reported():
    from small_border import records
    from small_border import table as indicators

    made = plan(name="by hand")
    found = indicators(records(made, [truck(1.0), truck(2.0, 1.0)]))
    text = to_html(Results(made, made, found, 3, "event", versions={"numpy": "x"}))
    assert "by hand" in text
    assert "of the plan" in text
    assert "one replication has no interval" in text
    assert "corridor-sim run" not in text
    Page(text)


def test_a_run_of_few_indicators_can_be_reported():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        run = cs.run("teaching", replications=3, rng=1, workers=1, indicators=["tfi1", "queue_by_day"])
    found = Page(to_html(run))
    assert "time to cross" in found.text
    assert "svg" in found.tags


def test_accessors_show_and_write_the_page(comparison, tmp_path):
    target = tmp_path / "page.html"
    text = comparison.to_html(target)
    assert target.read_text(encoding="utf-8") == text
    for shown in (comparison._repr_html_(), comparison.base._repr_html_()):
        found = Page(shown)
        assert "sampling noise only" in found.text
        assert "table" not in found.tags
        assert found.tags.count("svg") == 1


def test_what_a_notebook_shows_of_hostile_names_stays_text(hostile):
    for shown in (hostile._repr_html_(), cs.Comparison((hostile, hostile))._repr_html_()):
        assert SCRIPT not in shown
        assert "script" not in Page(shown).tags


def test_the_first_screen_of_a_comparison_is_the_answer_of_its_report(comparison):
    shown = Page(comparison._repr_html_()).text
    for _, sentences in answers(comparison):
        for sentence in sentences[:10]:
            assert sentence.text[1:] in shown
    assert "teaching_priority_lane against teaching; 2024-01-03 to 2024-01-15; 4 replications" in shown


@pytest.fixture(scope="module")
def sweep():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        grid = {"checkpoints.northgate_a.exit.lanes.lanes": [2, 3, 4]}
        return cs.sweep("teaching", grid, replications=3, rng=1, workers=1)


def test_the_first_screen_of_a_sweep_names_the_best_and_the_worst_point(sweep):
    found = Page(sweep._repr_html_())
    assert "least" in found.text
    assert "at Northgate A, exit, Truck lanes: lanes = 2." in found.text
    assert "table" not in found.tags
    assert found.tags.count("svg") == 1
    axes = sweep.plot.points()
    means = [
        values.mean() for run in sweep.runs for _, values in run.rows.select("delay_truck_h_per_day", kind="corridor")
    ]
    assert axes.lines[0].get_xdata().tolist() == [2, 3, 4]
    assert np.allclose(axes.lines[0].get_ydata(), means)


def test_the_first_screen_of_worth_and_of_an_appraisal_has_its_criteria():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        with_it = cs.load_scenario("teaching")
        comparison = cs.compare(with_it.without_improvements(), with_it, replications=3, rng=5, workers=1)
        worth = comparison.worth(discount_rate=0.06, capex_usd=2e5, life_years=20)
        appraisal = cs.appraise(comparison, discount_rate=0.06, years=20)
    shown = Page(worth._repr_html_())
    mean, low, high = (one / 1e6 for one in worth.npv_usd)
    assert f"US$ {mean:,.2f} ({low:,.2f} to {high:,.2f}) m" in shown.text
    assert shown.tags.count("svg") == 1
    shown = Page(appraisal._repr_html_())
    assert f"US$ {appraisal.npv_usd[0] / 1e6:,.2f} m" in shown.text
    assert shown.tags.count("svg") == 1


def test_a_value_that_some_replications_lack_says_how_many_have_it(comparison):
    rows = comparison.base.rows
    values = rows.values.copy()
    values[[label.indicator == "tfi1" for label in rows.labels], 0] = np.nan
    base = replace(comparison.base, rows=replace(rows, values=values))
    told = [
        sentence.text for _, sentences in answers(base) for sentence in sentences if "time to cross" in sentence.text
    ]
    assert told
    assert all(text.endswith(" In 3 of 4 replications.") for text in told)
    assert "(n 3)" in to_html(base)
    assert "(n 3)" not in to_html(comparison.base)
    both = cs.Comparison((base, comparison.runs[1]))
    assert "(n 3 of 4)" in to_html(both)


def test_a_sweep_of_two_factors_has_a_line_for_each_value_of_the_second():
    grid = {"checkpoints.northgate_a.exit.lanes.lanes": [2, 3, 4], "flows.flour.per_day": [60.0, 90.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        found = cs.sweep("teaching", grid, replications=2, rng=1, workers=1)
    axes = found.plot.points()
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown[:2] == ["Flour to market 60", "Flour to market 90"]
    means = [run.rows.row("delay_truck_h_per_day", kind="corridor").mean() for run in found.runs]
    lines = [
        line.get_ydata() for line in axes.lines if line.get_linestyle() in ("-", "--") and len(line.get_xdata()) == 3
    ]
    for k in range(2):
        wanted = [
            mean
            for point, mean in zip(found.points, means, strict=True)
            if point["flows.flour.per_day"] == (60.0, 90.0)[k]
        ]
        assert any(np.allclose(line, wanted) for line in lines)
