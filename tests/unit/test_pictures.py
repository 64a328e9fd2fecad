"""What holds of every picture: what it is of stands under it, nothing lies on anything or out of the paper, a component
has one colour, and of an overloaded post it shows what there is to see.
"""

import datetime as dt
import io
import itertools
import pathlib
import re
import warnings

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

import corridor_sim as cs
from corridor_sim.core.rounding import decimals
from corridor_sim.plots import PLOTS, changes, makeup
from corridor_sim.plots.accessor import Plots
from corridor_sim.results.called import passage_name
from corridor_sim.results.worth import Worth

CHOP = "chop_zahony_2025"


@pytest.fixture(scope="module")
def data():
    """What there is a picture of, by the word with which plots say what they are of."""
    made = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        both = cs.load_scenario("teaching_priority_lane")
        none = both.without_improvements().replace(name="as it was")
        made["comparison"] = made["results"] = cs.compare(none, both, replications=3, rng=5, workers=1)
        made["scenario"] = both
        made["attribution"] = cs.attribute(both, replications=3, rng=5, workers=1, indicators=["delay_truck_h"])
        made["uncertainty"] = cs.uncertainty(none, both, draws=16, replications=1, rng=1, workers=1)
        made["sweep"] = cs.sweep(none, {"flows.flour.per_day": [80, 100]}, indicators=["wait_h"], replications=2)
        made["worth"] = made["comparison"].worth(discount_rate=0.06, capex_usd=1.2e6, opex_usd_year=4e4, life_years=15)
        lanes = cs.AddLanes(
            at="checkpoints.northgate_b.entry.xray", lanes=1, capex_usd=1.2e6, opex_usd_year=4e4, life_years=15
        )
        priced = cs.compare(none, none.replace(name="a scanner").with_improvements(s=lanes), replications=3, rng=1)
        made["appraisal"] = cs.appraise(priced, discount_rate=0.06, years=15)
        made["programme"] = programme(none)
        made["fits"] = cs.fit_law([12, 15, 9, 22, 14, 31, 11, 17, 26, 13, 19, 8], unit="min")
        made["prediction"] = cs.predict_queue(CHOP, dt.datetime(2025, 7, 12), horizon_h=24, draws=8, rng=1)
        shut = cs.Closure(
            at="checkpoints.northgate_b.entry", from_=dt.datetime(2024, 1, 8, 6), until=dt.datetime(2024, 1, 8, 18)
        )
        closed = none.with_improvements(shut).replace(name="closed")
        made["disruption"] = cs.disruption(none, closed, replications=3, rng=1, workers=1)
    return made


def programme(none):
    week = none.with_value("flows.flour.per_day", 120.0).replace(run=none.run.replace(horizon_days=4, warm_up_days=0))
    at = "checkpoints.northgate_"
    upgrades = {
        "scanner": cs.AddLanes(name="Second scanner", at=at + "b.entry.xray", lanes=1, capex_usd=3.0e6),
        "lane_out": cs.AddLanes(name="A lane out of A", at=at + "a.exit.lanes", lanes=1, capex_usd=2.0e6),
        "lane_back": cs.AddLanes(name="A lane back into A", at=at + "a.entry.lanes", lanes=1, capex_usd=2.0e6),
    }
    return cs.portfolio(
        week, upgrades, budget_usd={2024: 3.0e6, 2025: 2.0e6}, delta="100 h", draws=64, draw_replications=1,
        screening=2, rounds=1, finalists=3, first=6, most=8, workers=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def overloaded():
    """Twice what can pass, for forty days: stays of weeks."""
    busy = cs.load_scenario("teaching", {"run.horizon_days": 40, "flows.flour.per_day": 700.0}).without_improvements()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.run(busy, replications=3, rng=1, workers=1)


def of(name):
    return PLOTS.example(name).get("of", "results")


def ax_of(name, data):
    return getattr(Plots(data[of(name)]), name)()


PUBLIC = tuple(PLOTS)


def test_there_is_data_for_every_public_picture(data):
    assert {of(name) for name in PUBLIC} <= set(data)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_picture_says_under_it_what_it_is_of(name, data):
    said = ax_of(name, data).figure.get_supxlabel()
    named = {"fits": "12 times, measured", "prediction": CHOP, "scenario": "teaching_priority_lane"}
    assert said.startswith(named.get(of(name), said[:1])), said
    if of(name) != "fits":  # times that were measured have no period
        assert re.search(r"\d{4}-\d{2}-\d{2}|\d{4}-\d{4}|days", said), said
    if of(name) not in ("scenario", "fits"):
        assert re.search(r"\d+ (replications|draws)", said), said
    assert "none;" not in said


def test_a_worth_made_by_hand_has_no_line_and_is_drawn():
    nothing = (float("nan"),) * 3
    by_hand = Worth((1.0, 0.5, 1.5), nothing, nothing, nothing, 1.0, 2, np.array([0.5, 1.5]))
    assert by_hand.plot.npv().figure.get_supxlabel() == ""


# ---------------------------------------------------------------- nothing on anything, nothing off the paper


def boxes(ax):
    """What is written on a picture beside ticks and axes, and where."""
    figure = ax.figure
    figure.savefig(io.BytesIO(), dpi=100, format="png")
    texts = [text for text in ax.texts if text.get_text().strip()]
    found = [(text.get_text(), Text.get_window_extent(text)) for text in texts]
    legend = ax.get_legend()
    if legend is not None:
        found.append(("legend", legend.get_window_extent()))
    return found


@pytest.mark.parametrize("name", PUBLIC)
def test_nothing_is_written_off_the_paper_or_at_its_edge(name, data):
    ax = ax_of(name, data)
    found = boxes(ax)
    for axis in (ax.xaxis, ax.yaxis):
        found.append((axis.get_label().get_text(), axis.get_label().get_window_extent()))
        found += [(tick.get_text(), tick.get_window_extent()) for tick in axis.get_ticklabels() if tick.get_text()]
    wide, high = ax.figure.bbox.size
    off = [
        (text, box.bounds)
        for text, box in found
        if text and (box.x0 < 2 or box.x1 > wide - 2 or box.y0 < 0 or box.y1 > high)
    ]
    if name == "map":  # ticks out of the frame are not drawn
        off = [one for one in off if one[0] != "legend" and not re.fullmatch(r"[\u2212\d.]+", one[0])]
    assert not [one for one in off if not re.fullmatch(r"[\u2212\d.,]+", one[0])]


@pytest.mark.parametrize("name", PUBLIC)
def test_nothing_is_written_on_anything_else(name, data):
    found = boxes(ax_of(name, data))
    # Letters without ascenders or descenders fill about 0.7 of the line.
    small = [(text, box.padded(-0.15 * box.height)) for text, box in found]
    assert not [(a, b) for (a, one), (b, two) in itertools.combinations(small, 2) if one.overlaps(two)]


def test_the_legend_of_the_tornado_is_no_wider_than_its_axes(data):
    ax = ax_of("tornado", data)
    ax.figure.savefig(io.BytesIO(), dpi=100, format="png")
    assert ax.get_legend().get_window_extent().x1 <= ax.get_window_extent().x1 + 2
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x0 - 2


def test_no_number_of_the_frontier_lies_on_the_line_of_the_budget(data):
    ax = ax_of("frontier", data)
    numbers = {text: box for text, box in boxes(ax) if text.isdigit()}
    assert numbers
    budget = sum(data["programme"].budget_usd.values()) / 1e6
    at = ax.transData.transform((budget, 0.0))[0]
    assert all(not box.x0 <= at <= box.x1 for box in numbers.values())


# ---------------------------------------------------------------- components


def test_every_component_has_a_colour_of_its_own_that_can_be_told_apart():
    from corridor_sim.indicators.components import COMPONENTS

    assert set(makeup.COMPONENTS) == set(COMPONENTS)
    colours = [to_rgb(makeup.COMPONENT_COLOURS[name]) for name in COMPONENTS]
    apart = [np.linalg.norm(np.subtract(a, b)) for a, b in itertools.combinations(colours, 2)]
    assert min(apart) > 0.25


def test_a_component_has_the_same_colour_in_all_pictures(data):
    plan = data["comparison"].base.plan
    for size in (1, 2, 3):
        for names in itertools.combinations(makeup.COMPONENTS, size):
            styles = makeup.styles_of(names, plan)
            assert [styles[name][0] for name in names] == [makeup.COMPONENT_COLOURS[name] for name in names]


def test_as_many_stages_as_there_are_colours_have_one_each(data):
    plan = data["comparison"].base.plan
    styles = makeup.styles_of([f"stage_{n}" for n in range(8)], plan)
    assert len({colour for colour, _ in styles.values()}) == 8


def test_rows_too_short_to_be_read_are_one_line_of_components(overloaded):
    ax = overloaded.plot.components()
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert len(names) < 4
    short = names[-1]
    assert re.fullmatch(r"\d other passages?", short)
    told = [text.get_text().strip() for text in ax.texts]
    longest = max(
        float(values.mean())
        for label, values in overloaded.rows.select("stay_h", kind="post", cargo_class="")
        if f"{label.place[-1].upper()}, {label.direction}" not in " ".join(names)
    )
    assert len(told) == 1
    number = float(re.search(r"at most ([\d.]+) h", told[0]).group(1))
    assert number == pytest.approx(longest, rel=0.1)


# ---------------------------------------------------------------- what an overloaded post shows


def test_the_curve_of_stays_goes_to_the_longest(overloaded):
    ax = overloaded.plot.distribution()
    curve = ax.lines[0]
    last = overloaded.rows.row("stay_p95_h", kind="post", place="northgate_b", direction="entry").max()
    assert last > 168
    assert ax.get_xlim()[1] > last
    assert curve.get_ydata()[-1] == 1.0
    first, last = ax.get_xlim()
    assert curve.get_ydata()[curve.get_xdata() <= first].max() == 0.0
    shown = curve.get_xdata() <= last
    assert curve.get_ydata()[shown].max() == 1.0


def test_stays_beyond_the_last_step_are_told(overloaded):
    from corridor_sim.indicators.table import Table

    rows = overloaded.rows
    kept = [k for k, label in enumerate(rows.labels) if label.indicator != "stay_distribution" or label.of != "8784 h"]
    kept = [
        k for k in kept
        if rows.labels[k].indicator != "stay_distribution" or float(rows.labels[k].of.split()[0]) < 240
    ]  # fmt: skip
    cut = overloaded.with_rows(Table(tuple(rows.labels[k] for k in kept), rows.values[kept], rows.replications))
    ax = cut.plot.distribution()
    assert re.fullmatch(r"at most \d+\.\d% stay longer than 168 h", ax.texts[0].get_text())


def test_the_heat_map_of_a_queue_that_is_always_long_is_not_of_one_colour(overloaded):
    ax = overloaded.plot.queue_heatmap()
    image = ax.collections[0]
    seen = np.ptp(image.norm(image.get_array()))
    assert seen > 0.9
    assert "not from 0" in ax.figure.axes[1].get_ylabel()


def test_the_heat_map_of_a_queue_that_goes_away_begins_at_0(data):
    ax = data["comparison"].base.plot.queue_heatmap()
    assert ax.collections[0].norm.vmin == 0.0
    assert ax.figure.axes[1].get_ylabel() == "vehicles waiting, mean [1]"


def test_the_first_screen_of_what_was_asked_for_one_indicator_says_it():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        asked = {"replications": 3, "rng": 1, "workers": 1, "indicators": ["wait_h"]}
        both = cs.compare("teaching", "teaching_priority_lane", **asked)
        swept = cs.sweep("teaching", {"flows.flour.per_day": [80, 100]}, **asked)
    for found, words in ((both, "wait for lanes fall"), (both.base, "wait for lanes"), (swept, "Wait for lanes")):
        page = found._repr_html_()
        assert words in page, page[:500]
        assert "<li" in page
    assert "<svg" in both._repr_html_()
    assert "<svg" in swept._repr_html_()
    assert swept.plot.points().get_ylabel().startswith("wait for lanes")


def test_the_load_of_an_overloaded_post_is_told_once_on_a_page(overloaded):
    page = re.sub(r"<svg.*?</svg>", "", overloaded.to_html(), flags=re.DOTALL)
    head = page[: page.index("<h2>Figures")]
    text = re.sub(r"<[^>]*>", "", head)
    assert text.count("more comes than can pass") == len(overloaded.overloaded()) > 0
    elements = {element.id: element for element in overloaded.plan.elements}
    for id in overloaded.overloaded():
        element = elements[id]
        post = passage_name(overloaded, element.post, element.direction)
        assert f"{post}: load is" not in text


# ---------------------------------------------------------------- the waterfall


def test_an_attribution_calls_improvements_by_name(data):
    names = [label.get_text() for label in ax_of("attribution", data).get_yticklabels()]
    assert not [name for name in names if "_" in name]
    assert "Second scanner" in names


def test_a_waterfall_never_says_one_other_places(data):
    ax = data["comparison"].plot.delay(most=1)
    places = [label.get_text() for label in ax.get_yticklabels()]
    for most in range(1, 6):
        ax = data["comparison"].plot.delay(most=most)
        others = [label.get_text() for label in ax.get_yticklabels() if "other place" in label.get_text()]
        assert all(re.fullmatch(r"([2-9]|\d\d+) other places", name) for name in others), others
    assert places


def test_a_waterfall_says_no_more_digits_than_its_intervals_leave(data):
    """Two digits of the half-width, and none that is finer than what can be seen."""
    for ax in (data["comparison"].plot.delay(), data["comparison"].base.plot.delay(), ax_of("attribution", data)):
        texts = [text.get_text() for text in ax.texts]
        bars = [bar for bar in ax.patches if np.isclose(bar.get_height(), 0.6)]
        widest = max(abs(bar.get_width()) for bar in bars)
        assert len(texts) == len(bars)
        for text, bar, whisker in zip(texts, bars, [c for c in ax.containers if hasattr(c, "errorbar")], strict=False):
            (segment,) = whisker.errorbar.lines[2][0].get_segments()
            half = max(np.ptp(segment[:, 0]) / 2, changes.LEAST_PART * widest)
            told = float(text.replace(",", ""))
            assert told == pytest.approx(round(told, decimals(half)), abs=1e-9), (text, half)
            assert told == pytest.approx(bar.get_width(), abs=half / 10), (text, half)


def test_long_names_keep_their_end(data):
    """What tells two measures apart often stands last."""
    name = "Rebuilding of the second stage of the post at Northgate, lanes for trucks, "
    scenario = data["scenario"]
    first, second = list(scenario.improvements)[:2]
    for id, more in ((first, "entry"), (second, "exit")):
        scenario = scenario.with_value(f"improvements.{id}.name", name[-70:] + more)
    labels = [label.get_text().replace("\n", " ") for label in PLOTS["timeline"](scenario).get_yticklabels()]
    assert any(label.endswith("entry") for label in labels)
    assert any(label.endswith("exit") for label in labels)


def test_axes_of_years_have_no_thousands_and_large_numbers_have():
    from corridor_sim.plots.base import tidy

    ax = Figure().subplots()
    ax.plot([2023, 2038], [0, 180_000])
    tidy(ax)
    ax.figure.savefig(io.BytesIO(), format="png")
    assert "2024" in [label.get_text() for label in ax.get_xticklabels()]
    assert "150,000" in [label.get_text() for label in ax.get_yticklabels()]


def test_the_gallery_says_what_is_drawn_under_every_picture():
    text = (pathlib.Path(__file__).parents[2] / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert "scenario, period and replications" in text
