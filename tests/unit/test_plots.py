"""Plots: axes with units come back, nothing global is touched, no name breaks a picture, a toy plot works at once."""

import copy
import dataclasses
import io
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from command_line import called
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError
from corridor_sim.indicators.table import Table
from corridor_sim.plots import PLOTS, changes, makeup
from corridor_sim.plots.accessor import Plots
from corridor_sim.plots.base import MODE_STYLE, mean_and_ends, new_axes, runs_of
from corridor_sim.plots.maps import CHANGE_COLOURS, LEG_COLOUR, _changes_h_day
from corridor_sim.plots.names import clean, drawn
from corridor_sim.plots.outline import within

COMPARING = [name for name in PLOTS if PLOTS.example(name).get("of") == "comparison"]
OF_RESULTS = [name for name in PLOTS if PLOTS.example(name).get("of", "results") == "results"]
HOSTILE = "$\\frac{<b>& \u200f_^ {x}$ $" + "long " * 40


@pytest.fixture(scope="module")
def comparison():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.compare("teaching", "teaching_priority_lane", replications=3, rng=5, workers=1)


@pytest.fixture(scope="module")
def attribution():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return cs.attribute(
            "teaching_priority_lane", replications=3, rng=5, workers=1, indicators=["delay_truck_h", "saturation"]
        )


def picture(ax):
    """PNG of the figure, drawn without a warning."""
    buffer = io.BytesIO()
    ax.figure.savefig(buffer, dpi=40)
    return buffer.getvalue()


def bars_of(ax):
    """The bars of a waterfall, from top to bottom."""
    return [bar for bar in ax.patches if np.isclose(bar.get_height(), 0.6)]


def texts(ax):
    legend = ax.get_legend()
    return [
        ax.get_title(),
        ax.get_title("left"),
        ax.get_xlabel(),
        ax.get_ylabel(),
        *(t.get_text() for t in ax.texts),
        *(label.get_text() for label in ax.get_yticklabels()),
        *((text.get_text() for text in legend.get_texts()) if legend else ()),
    ]


@pytest.mark.parametrize("name", OF_RESULTS + COMPARING)
def test_a_plot_gives_back_axes_with_units_and_touches_nothing_global(name, comparison):
    before = copy.deepcopy(dict(mpl.rcParams))
    ax = getattr(comparison.plot, name)()
    assert isinstance(ax, Axes)
    picture(ax)
    assert dict(mpl.rcParams) == before
    if not ax.axison:
        return
    labels = [ax.get_xlabel(), ax.get_ylabel(), *(other.get_ylabel() for other in ax.figure.axes if other is not ax)]
    told_units = [label for label in labels if "[" in label and "]" in label]
    assert told_units, labels
    assert all("date" in label or "[" in label for label in labels if label)


@pytest.mark.parametrize("name", OF_RESULTS)
def test_a_plot_draws_on_the_axes_it_is_given(name, comparison):
    given = Figure().subplots()
    assert getattr(comparison.base.plot, name)(ax=given) is given
    assert given.has_data() or not given.axison


@pytest.mark.parametrize("name", COMPARING)
def test_a_plot_of_differences_draws_on_the_axes_it_is_given_and_needs_a_comparison(name, comparison):
    given = Figure().subplots()
    assert getattr(comparison.plot, name)(ax=given) is given
    with pytest.raises(ValueError, match="draws a comparison"):
        getattr(comparison.base.plot, name)()


def test_pyplot_is_not_imported_by_a_plot():
    import subprocess
    import sys

    code = (
        "import sys, warnings, corridor_sim as cs; warnings.simplefilter('ignore'); "
        "cs.run('teaching', replications=2, workers=1).plot.queue(); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_every_run_of_a_comparison_is_in_the_legend(comparison):
    for name in ("queue", "time_distance", "distribution", "stay"):
        found = " ".join(texts(getattr(comparison.plot, name)()))
        assert "teaching_priority_lane" in found
        assert "teaching" in found.replace("teaching_priority_lane", "")


def test_differences_are_grey_exactly_where_they_are_not_distinguishable(comparison):
    frame = comparison.table("wait_h", kind="post", cargo_class="", of="")
    ax = comparison.plot.differences(indicator="wait_h", kind="post")
    marks = [line for line in ax.lines if line.get_linestyle() == "None" and len(line.get_xdata()) == 1]
    drawn_at = {float(line.get_ydata()[0]): line for line in marks if line.get_marker() == "o"}
    assert len(drawn_at) == len(frame)
    for y, verdict in enumerate(frame["verdict"]):
        grey = drawn_at[y].get_color() == changes.PALE
        assert grey == (verdict not in ("more", "less"))
        assert float(drawn_at[y].get_xdata()[0]) == pytest.approx(frame["difference"].iloc[y])
    assert "0.0" in {f"{x:.1f}" for line in ax.lines for x in np.atleast_1d(line.get_xdata())}


def test_the_waterfall_ends_where_the_other_scenario_is(comparison):
    ax = comparison.plot.delay()
    bars = bars_of(ax)
    delays = [
        float(run.rows.row("delay_truck_h_per_day", kind="corridor").mean())
        for run in (comparison.base, comparison.runs[1])
    ]
    assert bars[0].get_width() == pytest.approx(delays[0])
    assert bars[-1].get_width() == pytest.approx(delays[1])
    assert bars[0].get_width() + sum(bar.get_width() for bar in bars[1:-1]) == pytest.approx(delays[1])


def test_the_waterfall_of_one_run_adds_up_to_its_delay(comparison):
    run = comparison.base
    ax = run.plot.delay()
    told = {text.get_text() for text in ax.get_legend().get_texts()}
    colours = {to_hex(bar.get_facecolor()) for bar in ax.patches if bar.get_width()}
    assert ("not distinguishable from none" in told) == (changes.PALE in colours)
    bars = bars_of(ax)
    total = float(run.rows.row("delay_truck_h_per_day", kind="corridor").mean())
    assert sum(bar.get_width() for bar in bars[:-1]) == pytest.approx(total)
    assert bars[-1].get_width() == pytest.approx(total)


def test_improvements_and_what_they_do_to_each_other_add_up(attribution):
    ax = Plots(attribution).attribution()
    bars = bars_of(ax)
    widths = [bar.get_width() for bar in bars]
    assert len(bars) == len(attribution.improvements) + 3
    assert sum(widths[:-1]) == pytest.approx(widths[-1])
    frame = attribution.table().set_index("improvement")
    assert widths[1] == pytest.approx(frame["alone"].iloc[0])
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[0] == "none of them"
    assert names[-2:] == ["acting on each other", "all of them"]


def test_components_and_stages_add_up_to_the_stay(comparison):
    run = comparison.base
    for name in ("components", "segments"):
        ax = getattr(run.plot, name)()
        ends = {}
        for bar in ax.patches:
            y = round(bar.get_y() + bar.get_height() / 2)
            ends[y] = max(ends.get(y, 0.0), bar.get_x() + bar.get_width())
        for y, label in enumerate(ax.get_yticklabels()):
            post, direction = label.get_text().rsplit(", ", 1)
            place = f"northgate_{post[-1].lower()}"
            stay = run.rows.row("stay_h", kind="post", place=place, direction=direction).mean()
            # Stays of those that left, components of those that came: equal up to the few still inside.
            assert ends[y] == pytest.approx(float(stay), rel=0.05)


def test_a_post_is_chosen_and_an_unknown_one_is_refused(comparison):
    ax = comparison.plot.queue(post="northgate_a", direction="entry")
    assert "Northgate A (entry)" in ax.get_title()
    with pytest.raises(ValueError, match="no post 'nowhere'"):
        comparison.plot.queue(post="nowhere")
    with pytest.raises(ValueError, match="no flow 'nobody'"):
        comparison.plot.time_distance(flow="nobody")


def test_one_replication_is_drawn_without_intervals(comparison):
    run = comparison.base
    table = Table(run.rows.labels, run.rows.values[:, :1], run.rows.replications[:1])
    single = run.with_rows(table)
    for name in OF_RESULTS:
        assert len(picture(getattr(single.plot, name)())) > 500


def test_names_with_formulas_direction_marks_and_two_hundred_letters_can_be_drawn():
    scenario = cs.load_scenario("teaching")
    for path in (
        "checkpoints.northgate_a.name",
        "flows.flour.name",
        "places.mill.name",
        "improvements.second_scanner.name",
    ):
        scenario = scenario.with_value(path, HOSTILE)
    scenario = scenario.replace(name=HOSTILE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        run = cs.run(scenario, replications=2, rng=1, workers=1)
    other = cs.Comparison((run, run))
    for name in [*OF_RESULTS, *COMPARING, "timeline"]:
        ax = getattr(other.plot, name)()
        picture(ax)
        assert all(len(text) < 250 for text in texts(ax))
        assert not any("\u200f" in text for text in texts(ax))
    labels = [label.get_text() for label in other.plot.components().get_yticklabels()]
    assert len(set(labels)) == len(labels)


def test_clean_names_have_one_line_and_no_direction_marks():
    assert clean("a\u202eb\nc\x07") == "ab c"
    assert clean("x" * 50, 10) == "x" * 9 + "…"
    assert clean("می\u200cرود") == "می\u200cرود"
    assert drawn("_hidden").strip("\u200a") == "_hidden"
    assert drawn("5 $ and 6 $") == r"5 \$ and 6 \$"


def test_the_interval_of_few_values_is_that_of_students_t():
    # Values 1, 2, 3: sd 1, t(0.975, 2) = 4.302653, half-width 4.302653 / sqrt(3).
    mean, low, high = mean_and_ends(np.array([[1.0, 2.0, 3.0], [5.0, np.nan, np.nan]]))
    assert mean.tolist() == [2.0, 5.0]
    assert high[0] - 2.0 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert 2.0 - low[0] == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert np.isnan([low[1], high[1]]).all()


def test_a_map_without_coordinates_draws_the_network(comparison):
    ax = comparison.plot.map()
    assert ax.axison
    assert ax.get_xlabel() == "no place has coordinates: near is near by hours of travel [not to scale]"
    names = {text.get_text() for text in ax.texts}
    assert names == {"Mill", "Market", "Northgate A / Northgate B"}
    again = comparison.plot.map()
    assert [line.get_xdata().tolist() for line in ax.lines] == [line.get_xdata().tolist() for line in again.lines]


def test_legs_on_the_map_are_as_broad_as_their_traffic(comparison):
    base = comparison.base
    traffic = {}
    for label, values in base.rows.select("throughput_per_day", kind="leg"):
        traffic[label.place] = traffic.get(label.place, 0.0) + values.mean()
    ax = base.plot.map()
    drawn_legs = [line for line in ax.lines if len(line.get_xdata())]
    broad = [line.get_linewidth() for line in drawn_legs]
    largest = max(traffic.values())
    assert sorted(broad) == pytest.approx(sorted(0.8 + 4.2 * one / largest for one in traffic.values()))
    assert f"most {largest:,.0f} a day" in ax.get_legend().get_title().get_text()


def test_a_map_of_a_comparison_draws_how_the_delay_of_posts_differs(comparison):
    def by_post(run):
        found = {}
        for label, values in run.rows.select("delay_truck_h", kind="post", cargo_class="", of=""):
            found[label.place] = found.get(label.place, 0.0) + values
        return found

    base, run = comparison.runs[:2]
    before, after, days = by_post(base), by_post(run), base.scope.window_days
    changes = {post: (after[post] - before[post]).mean() / days for post in after}
    ax = comparison.plot.map(other=1)
    told = _changes_h_day(comparison, 1)
    assert {post: change for post, (change, _) in told.items()} == pytest.approx(changes)
    largest = max(map(abs, changes.values()))
    drawn_circles = [one for one in ax.collections if len(one.get_offsets()) and one.get_sizes()[0] >= 30]
    circles = sorted(float(one.get_sizes()[0]) for one in drawn_circles)
    assert circles == pytest.approx(sorted(30 + 600 * abs(one) / largest for one in changes.values()))
    assert "difference of delay from the base" in ax.get_legend().get_title().get_text()
    legend = {text.get_text() for text in ax.get_legend().get_texts()}
    words = {"less": "less delay", "more": "more delay", "not distinguishable": "not distinguishable"}
    assert {words[word] for _, word in told.values()} <= legend
    # Colours tell differences here: no leg has one of them, modes are told by dashes.
    assert not {to_hex(line.get_color()) for line in ax.lines} & {to_hex(one) for one in CHANGE_COLOURS.values()}
    assert {line.get_color() for line in ax.lines if line.get_label() in MODE_STYLE} == {LEG_COLOUR}


def test_a_map_of_differences_needs_a_comparison_and_the_number_of_a_scenario(comparison):
    for other in (0, len(comparison.runs)):
        with pytest.raises(ArgumentError, match="other must be from 1 to"):
            comparison.plot.map(other=other)
    with pytest.raises(ArgumentError, match="other is of a comparison"):
        comparison.base.plot.map(other=1)


def test_the_packaged_outline_has_the_caspian_and_can_be_left_out():
    scenario = cs.load_scenario("baseline_2023")
    ax, bare = PLOTS["map"](scenario), PLOTS["map"](scenario, outline=None)
    assert len(ax.lines) > len(bare.lines) + 10
    assert ax.get_xlim() == bare.get_xlim()
    west, east, south, north = *ax.get_xlim(), *ax.get_ylim()
    coast = np.vstack([xy for kind, xy in within(west, east, south, north) if kind == "coast"])
    # The coast at Astara lies at 38.43 N, 48.88 E; at Derbent at 42.06 N, 48.30 E.
    for lon, lat in ((48.88, 38.43), (48.30, 42.06)):
        assert np.hypot(*(coast - (lon, lat)).T).min() < 0.4


def test_the_map_leaves_out_what_has_no_coordinates_and_draws_an_outline():
    scenario = cs.load_scenario("baseline_2023")
    outline = {"type": "LineString", "coordinates": [[48.0, 40.0], [49.0, 41.0]]}
    ax = PLOTS["map"](scenario, outline=outline)
    assert ax.get_xlabel() == "longitude [°E]"
    assert any(np.array_equal(line.get_xdata(), [48.0, 49.0]) for line in ax.lines)
    names = " ".join(text.get_text() for text in ax.texts)
    assert "Samur" in names
    assert "Moscow" in names


def test_time_against_distance_is_not_drawn_from_legs_that_were_not_kept(comparison):
    rows = comparison.base.rows
    posts = [k for k, label in enumerate(rows.labels) if label.kind == "post"]
    table = Table(tuple(rows.labels[k] for k in posts), rows.values[posts], rows.replications)
    assert not dataclasses.replace(comparison.base, rows=table).plot.time_distance().axison
    assert comparison.base.plot.time_distance().axison


def test_reached_less_left_is_who_is_inside():
    scenario = (
        cs.load_scenario("year_2026_queue").with_value("run.horizon_days", 12.0).with_value("run.warm_up_days", 0.0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        results = cs.run(scenario, replications=2, rng=1, workers=1, records=True)
    ax = results.plot.cumulative(post="astara_ir", direction="exit")
    reached, left = (line.get_ydata() for line in ax.lines)
    visits = results.visits()
    mine = visits[(visits["post"] == "astara_ir") & (visits["direction"] == "exit")]
    passages = mine.groupby(["replication", "flow", "consignment"])
    begin, done = passages["join_h"].min(), passages["leave_h"].agg(lambda hours: hours.max(skipna=False))
    inside = ((begin < results.plan.horizon_h) & done.isna()).sum() / 2
    assert inside > 1000
    assert reached[-1] - left[-1] == inside
    assert reached[0] - left[0] == (begin <= 0).sum() / 2 == 1000


def test_totals_have_a_colour_and_a_legend_of_their_own(comparison):
    for ax in (comparison.plot.delay(), comparison.base.plot.delay()):
        total = mpl.colors.to_rgba(changes.TOTAL_COLOUR)
        bars = bars_of(ax)
        assert bars[-1].get_facecolor() == total
        assert total not in [bar.get_facecolor() for bar in bars[1:-1]]
        legend = ax.get_legend()
        handles = dict(zip([t.get_text() for t in legend.get_texts()], legend.get_patches(), strict=True))
        assert handles["total"].get_facecolor() == total


def test_a_component_has_one_colour_whatever_else_is_drawn(comparison):
    plan = comparison.base.plan
    few, many = makeup.styles_of(["service", "wait"], plan), makeup.styles_of(list(makeup.COMPONENTS), plan)
    assert few["wait"] == many["wait"]
    assert few["service"] == many["service"]
    assert len(set(many.values())) == len(makeup.COMPONENTS)


@pytest.mark.parametrize("name", OF_RESULTS + COMPARING)
def test_a_picture_says_scenario_period_and_replications(name, comparison):
    figure = getattr(comparison.plot, name)().figure
    said = figure.get_supxlabel()
    assert said == "teaching_priority_lane against teaching; 2024-01-03 to 2024-01-15; 3 replications"


def test_axes_that_are_given_are_left_without_a_line_of_their_figure(comparison):
    figure = Figure()
    comparison.plot.delay(ax=figure.subplots())
    assert figure.get_supxlabel() == ""


def test_a_toy_plot_is_at_once_a_method_and_a_kind_of_the_command_line(comparison, tmp_path):
    @PLOTS.register("toy")
    def toy(data, *, ax=None):
        """Number of replications."""
        ax = ax or Figure().subplots()
        ax.bar([0], [data.replications])
        return ax

    try:
        assert "toy" in dir(comparison.plot)
        assert comparison.base.plot.toy().patches[0].get_height() == 3
        out = tmp_path / "toy.svg"
        short = ["--replications", "2", "--horizon-days", "5", "--quiet"]
        done = called("plot", "teaching", "--kind", "toy", *short, "-o", out)
        assert done.exit_code == 0, done.output
        assert out.read_text(encoding="utf-8").startswith("<?xml")
        listed = called("kinds", "plots").output
        assert "toy" in listed
        assert "Number of replications." in listed
    finally:
        PLOTS.unregister("toy")
    with pytest.raises(AttributeError, match="toy"):
        comparison.plot.toy  # noqa: B018


def test_a_misspelt_plot_is_told_its_name(comparison):
    with pytest.raises(AttributeError, match="did you mean 'queue'"):
        comparison.plot.queu  # noqa: B018


def test_a_notebook_shows_a_picture_of_the_axes_that_a_plot_gives_back(comparison):
    assert comparison.plot.queue()._repr_png_().startswith(b"\x89PNG")
    assert not hasattr(Figure().subplots(), "_repr_png_")


def test_an_attribution_has_its_plots_and_those_of_its_comparison(attribution):
    assert attribution.plot.attribution().get_xlabel().startswith("truck-hours of delay [h]")
    assert attribution.plot.differences(indicator="saturation", kind="post").get_xlabel().startswith("load / capacity")
    assert isinstance(attribution.plot.timeline(), Axes)


def test_a_scenario_is_shown_in_a_notebook_with_its_names_as_text():
    scenario = cs.load_scenario("teaching").replace(name="<b>bold</b>")
    shown = scenario._repr_html_()
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown
    assert "<b>" not in shown
    for words in (
        "14 days from 2024-01-01",
        "Northgate A",
        "Second scanner (add_lanes, 2024-01-08)",
        "Fresh bread to market",
    ):
        assert words in shown


@pytest.mark.parametrize("name", ["baseline_2023", "routes_mumbai_moscow"])
def test_no_name_on_the_map_lies_on_another_or_out_of_the_frame(name):
    ax = PLOTS["map"](cs.load_scenario(name))
    picture(ax)
    frame = ax.get_window_extent()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without the line to the place
    assert len(boxes) > 20
    # Letters without ascenders or descenders fill about 0.7 of the line.
    small = [box.padded(-0.15 * box.height) for box in boxes]
    assert not [(k, n) for k in range(len(small)) for n in range(k) if small[k].overlaps(small[n])]
    assert all(frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1 for box in boxes)
    assert all(frame.y0 - 1 <= box.y0 and box.y1 <= frame.y1 + 1 for box in boxes)


# ---------------------------------------------------------------- planted mistakes


def good(data, *, ax=None):
    """The mean wait of every post."""
    ax = new_axes(ax)
    for _, run in runs_of(data):
        ax.plot(run.rows.select("wait_h", kind="post", cargo_class="").values.mean(axis=1))
    ax.set_xlabel("post [number]")
    ax.set_ylabel("wait [h]")
    return ax


def without_unit(data, *, ax=None):
    """An axis without its unit."""
    ax = good(data, ax=ax)
    ax.set_ylabel("wait")
    return ax


def on_other_axes(data, *, ax=None):
    """Not on the axes that were given."""
    return good(data)


def with_global_settings(data, *, ax=None):
    """Changes a setting of everybody's plots."""
    mpl.rcParams["font.size"] = 99.0
    return good(data, ax=ax)


@pytest.mark.parametrize(
    ("plot", "caught"),
    [(good, []), (without_unit, ["whole"]), (with_global_settings, ["whole"]), (on_other_axes, ["axes"])],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_mistake_planted_in_a_new_plot_is_caught(plot, caught, comparison):
    PLOTS.register("planted", of="results")(plot)
    found = []
    try:
        with mpl.rc_context():
            for name, test in (
                ("whole", test_a_plot_gives_back_axes_with_units_and_touches_nothing_global),
                ("axes", test_a_plot_draws_on_the_axes_it_is_given),
            ):
                try:
                    test("planted", comparison)
                except AssertionError:
                    found.append(name)
    finally:
        PLOTS.unregister("planted")
    assert found == caught


def test_the_command_line_draws_the_map_of_differences(tmp_path):
    short = ("-n", "2", "--horizon-days", "4", "--workers", "1", "-q")
    pair = ("plot", "teaching", "teaching_priority_lane", "--kind", "map", *short)
    assert called(*pair, "-o", tmp_path / "base.svg").exit_code == 0
    assert called(*pair, "--other", "1", "-o", tmp_path / "differs.svg").exit_code == 0
    assert (tmp_path / "differs.svg").read_bytes() != (tmp_path / "base.svg").read_bytes()
    for wrong, words in ((("--other", "2"), "--other 2 is the number of a scenario"), (("--other", "0"), "--other")):
        refused = called(*pair, *wrong, "-o", tmp_path / "never.svg")
        assert (refused.exit_code, (tmp_path / "never.svg").exists()) == (2, False)
        assert words in refused.stderr
    refused = called(
        "plot",
        "teaching",
        "teaching_priority_lane",
        "--kind",
        "queue",
        *short,
        "--other",
        "1",
        "-o",
        tmp_path / "never.svg",
    )
    assert refused.exit_code == 2
