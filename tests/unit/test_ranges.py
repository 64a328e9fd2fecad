"""Ranges of figures: of one, of many that move together, sound or refused with one clear error each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_corridor import small

import corridor_sim as cs
from corridor_sim.model.flows import Profile
from corridor_sim.model.provenance import figures_of, range_problems, sound_figures
from corridor_sim.model.ranges import Range, RangeIndex
from corridor_sim.study.designs import with_values
from corridor_sim.study.input_space import InputSpace, ranged_figures

WHY = {"range_reason": "made up"}


def gate(**figures):
    return small(
        checkpoints__astara_ir__exit__gate={
            "lanes": 3,
            "service": {"kind": "gamma", "mean_h": 0.24, "cv": 0.3},
            "status": "derived",
            "source": "a count",
            "figures": figures,
        }
    )


def row(scenario, path):
    return {row.path: row for row in figures_of(scenario)}[path]


GATE = "checkpoints.astara_ir.exit.gate"


# ---------------------------------------------------------------- a figure of its own


def test_each_parameter_of_a_law_has_a_range_of_its_own_by_name():
    scenario = gate(**{
        "service": {"note": "five statements"},
        "service.mean_h": {"low": 0.2, "high": 0.3, "range_source": "a report"},
        "service.cv": {"status": "assumed", "low": 0.1, "high": 0.6, **WHY},
    })  # fmt: skip
    mean, cv = row(scenario, f"{GATE}.service.mean_h"), row(scenario, f"{GATE}.service.cv")
    assert (mean.status, mean.low, mean.high, mean.range_status) == ("derived", 0.2, 0.3, "sourced")
    assert (cv.status, cv.low, cv.high, cv.range_status) == ("assumed", 0.1, 0.6, "assumed")
    assert not row(scenario, f"{GATE}.lanes").range_status


def test_a_range_alone_leaves_the_status_of_the_table():
    found = row(gate(lanes={"low": 2, "high": 4, **WHY}), f"{GATE}.lanes")
    assert (found.status, found.source, found.whole, found.range_status) == ("derived", "a count", True, "assumed")


@pytest.mark.parametrize(
    ("figures", "path", "message"),
    [
        ({"lanes": {"low": 4, "high": 2, **WHY}}, "lanes.low", "must not be more than high"),
        ({"lanes": {"low": 2, **WHY}}, "lanes.high", "two ends"),
        ({"lanes": {"low": 2, "high": 4}}, "lanes.range_reason", "needs a source or a reason"),
        ({"lanes": {"alternatives": [3.0], **WHY}}, "lanes.alternatives", "two values that differ"),
        ({"lanes": {"alternatives": [3, 4], "low": 2, "high": 4, **WHY}}, "lanes.alternatives", "does not go with low"),
        ({"lanes": {"group": "g"}}, "lanes.group", "needs a range"),
        ({"lanes": {"opposite": True}}, "lanes.opposite", "needs a range"),
        ({"lanes": {"low": 2, "high": 4, "exact": "counted", **WHY}}, "lanes.exact", "does not go with a range"),
        ({"service": {"low": 0.2, "high": 0.3, **WHY}}, "service", "not one number"),
        ({"service.mean": {"low": 0.2, "high": 0.3, **WHY}}, "service.mean", "is not a figure of service"),
        ({"service.kind": {"low": 0.2, "high": 0.3, **WHY}}, "service.kind", "not one number"),
        ({"lines": {"low": 2, "high": 4, **WHY}}, "lines", "is not a field"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_range_is_one_clear_error(figures, path, message):
    with pytest.raises(cs.ScenarioError) as caught:
        gate(**figures)
    (problem,) = caught.value.problems
    assert problem.path == f"{GATE}.figures.{path}"
    assert message in problem.message


def test_the_parameters_that_can_be_ranged_are_named():
    with pytest.raises(cs.ScenarioError, match=r'"service.mean_h" or "service.cv"'):
        gate(service={"low": 0.2, "high": 0.3, **WHY})
    with pytest.raises(cs.ScenarioError, match="did you mean 'mean_h'"):
        gate(**{"service.mean": {"low": 0.2, "high": 0.3, **WHY}})


# ---------------------------------------------------------------- many figures at once


def test_figures_of_one_range_move_together_each_about_its_own_value():
    scenario = small(
        ranges={"volumes": {"of": ["flows.*.per_day"], "low_factor": 0.5, "high_factor": 2.0, "reason": "x"}}
    )
    volumes = [one for one in ranged_figures(scenario) if one.path.endswith("per_day")]
    assert len(volumes) > 1
    assert all((one.low, one.high) == (one.value / 2, one.value * 2) for one in volumes)
    assert len(InputSpace.of([volumes])) == 1
    apart = {"of": ["flows.*.per_day"], "low_factor": 0.5, "high_factor": 2.0, "reason": "x", "apart": True}
    assert len(InputSpace.of([ranged_figures(small(ranges={"volumes": apart}))])) == len(volumes)


def test_sources_that_contradict_each_other_are_drawn_one_or_the_other():
    scenario = cs.load_scenario("base_2024")
    lanes = [one for one in ranged_figures(scenario) if one.group == "lanes_of_the_second_bridge"]
    assert [(one.alternatives, one.low, one.high) for one in lanes] == [((1, 2), 1, 2)] * 2
    space = InputSpace.of([lanes])
    drawn = [set(space.values(0, [place], "uniform").values()) for place in (0.1, 0.4, 0.6, 0.9)]
    assert drawn == [{1}, {1}, {2}, {2}]


def test_shares_that_move_against_each_other_stay_whole():
    space = InputSpace.of([ranged_figures(cs.load_scenario("baseline_2023"))])
    for place in (0.0, 0.3, 1.0):
        values = space.values(0, [place] * len(space), "triangular")
        at = "flows.south_bilateral.crossing_shares.khanoba_open"
        assert values[f"{at}.samur"] + values[f"{at}.khanoba"] == pytest.approx(1.0, abs=1e-12)


def test_the_range_of_the_table_itself_comes_first():
    scenario = gate(lanes={"low": 2, "high": 4, **WHY}).replace(
        ranges={"lanes": {"of": ["checkpoints.*.*.gate.lanes"], "low": 1, "high": 9, "reason": "x"}}
    )
    assert row(scenario, f"{GATE}.lanes").high == 4
    assert row(scenario, f"{GATE}.lanes").group == ""


@pytest.mark.parametrize(
    ("range", "path", "message"),
    [
        ({"low": 1, "high": 2}, "reason", "needs a source or a reason"),
        ({"low": 3, "high": 2, "reason": "x"}, "low", "must not be more than high"),
        ({"low_factor": 1.2, "reason": "x"}, "high_factor", "two ends"),
        ({"low": 1, "high": 9, "low_factor": 0.5, "high_factor": 2, "reason": "x"}, "low_factor", "does not go with"),
        ({"reason": "x"}, "low", "needs two ends"),
        ({"low": 1, "high": 9, "exact": "x", "reason": "x"}, "exact", "does not go with a range"),
        ({"low": 1, "high": 9, "reason": "x", "apart": True, "group": "g"}, "apart", "does not go with a group"),
        ({"low": 1, "high": 9, "reason": "x", "of": []}, "of", "at least one figure"),
    ],
)
def test_what_is_wrong_with_a_range_of_many_is_one_clear_error(range, path, message):
    with pytest.raises(cs.ScenarioError) as caught:
        small(ranges={"some": {"of": ["flows.*.per_day"], **range}})
    (problem,) = caught.value.problems
    assert problem.path == f"ranges.some.{path}"
    assert message in problem.message


def problems_with(**range):
    found = range_problems(small(ranges={"some": {"reason": "x", **range}}))
    return [(problem.path, problem.message) for problem in found]


def test_a_range_must_hold_its_value():
    scenario = gate(lanes={"low": 4, "high": 6, **WHY})
    (problem,) = range_problems(scenario)
    assert (problem.path, problem.value, problem.allowed) == (f"{GATE}.lanes", 3.0, "4 to 6")
    with pytest.raises(cs.ScenarioError, match="does not hold the value"):
        sound_figures(scenario)
    (problem,) = range_problems(gate(lanes={"alternatives": [4, 5], **WHY}))
    assert problem.allowed == "4, 5"
    assert all("of ranges.some" in text for _, text in problems_with(of=["flows.*.per_day"], low=-2, high=-1))


def test_a_range_of_no_figure_names_the_nearest_one():
    ((path, message),) = problems_with(of=["flows.transit.per_days"], low=1, high=900)
    assert (path, message) == ("ranges.some.of", "is not a figure of this corridor")
    assert problems_with(of=["flows.*_train.per_day"], low=1, high=2) == []


def test_a_figure_has_one_range_only():
    wide = {"of": ["flows.*.per_day"], "low": 0, "high": 900, "reason": "x"}
    found = range_problems(small(ranges={"one": wide, "other": {**wide, "of": ["flows.transit.per_day"]}}))
    assert [(one.path, one.message) for one in found] == [
        ("flows.transit.per_day", "has two ranges, ranges.one and ranges.other")
    ]


def test_a_source_that_is_not_listed_is_an_error_where_sources_are():
    sources = {"counts": {"title": "Counts"}}
    wide = {"of": ["flows.*.per_day"], "low": 0, "high": 900, "source": "count"}
    (problem,) = range_problems(small(sources=sources, ranges={"some": wide}))
    assert (problem.path, problem.hint) == ("ranges.some.source", "did you mean 'counts'?")


# ---------------------------------------------------------------- files


TEXT = """
schema = 1
extends = "teaching"
[flows.flour]
per_day = 500.0
figures.per_day = { low = 100.0, high = 200.0, range_reason = "x" }
"""


def test_a_file_whose_range_does_not_hold_its_value_is_refused_with_file_and_line(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text(TEXT, encoding="utf-8")
    with pytest.raises(cs.ScenarioError, match=r"wrong.toml:5: flows.flour.per_day = 500.0: the range does not hold"):
        cs.load_scenario(file)
    (problem,) = [one for one in cs.check(file) if one.severity == "error"]
    assert "does not hold" in problem.message


def test_what_is_set_by_hand_may_lie_outside_the_range_of_what_it_replaces():
    scenario = cs.load_scenario("teaching", {"checkpoints.northgate_b.entry.xray.share": 0.9})
    assert scenario.checkpoints["northgate_b"].entry["xray"].share == 0.9
    with pytest.raises(cs.ScenarioError, match="does not hold the value"):
        ranged_figures(scenario)


def test_every_row_can_be_set_by_its_path():
    scenario = cs.load_scenario("baseline_2023")
    rows = [one for one in figures_of(scenario) if one.ranged]
    ends = {one.path: int(one.value) if one.whole else one.value for one in rows}
    again = {one.path: one.value for one in figures_of(with_values(scenario, ends)) if one.ranged}
    assert again == {one.path: one.value for one in rows}


def test_a_scenario_with_ranges_is_written_and_read_back():
    scenario = cs.load_scenario("teaching")
    assert scenario.ranges
    assert cs.loads(cs.dumps(scenario)) == scenario


# ---------------------------------------------------------------- seasons


def test_the_amplitude_of_a_profile_stretches_the_distance_from_its_mean():
    months = [1.3, 1.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 1.3]
    flat, half, whole = (Profile(month=months, month_amplitude=one).factors[2] for one in (0.0, 0.5, 1.0))
    assert (flat == 1.0).all()
    assert half.mean() == pytest.approx(1.0)
    assert half - 1.0 == pytest.approx((whole - 1.0) / 2)
    assert (whole == Profile(month=months).factors[2]).all()


def test_an_amplitude_below_which_a_month_is_negative_is_refused():
    with pytest.raises(cs.ScenarioError, match=r"must leave no month below 0.*at most 2"):
        Profile(month=[0.5] * 6 + [1.5] * 6, month_amplitude=2.5)
    assert Profile(month=[0.5] * 6 + [1.5] * 6, month_amplitude=2.0).factors[2].min() == 0.0


def test_other_weights_of_the_hour_have_an_amplitude_too():
    hours = [0.7] * 8 + [1.3] * 12 + [0.7] * 4
    assert (Profile(hour=hours, hour_amplitude=0.0).factors[0] == 1.0).all()


# ---------------------------------------------------------------- a range of one's own over a packaged one


def extending(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(f'schema = 1\nextends = "year_2026_base"\nname = "mine"\n{text}')
    return cs.check("mine.toml")


ACCEPTANCE = "checkpoints.astara_ir.acceptance.exit"


def test_an_extending_file_replaces_a_packaged_range_by_one_beside_the_figure(tmp_path, monkeypatch):
    figure = 'low = 240.0\nhigh = 300.0\nrange_reason = "a count of May"'
    problems = extending(tmp_path, monkeypatch, f"[{ACCEPTANCE}.figures.per_day]\n{figure}")
    assert not [one for one in problems if one.severity == "error"]
    found = row(cs.load_scenario("mine.toml"), f"{ACCEPTANCE}.per_day")
    assert (found.low, found.high, found.range_reason) == (240.0, 300.0, "a count of May")


def test_an_extending_file_replaces_a_packaged_range_of_many_under_its_name(tmp_path, monkeypatch):
    text = '[ranges.acceptance_out_of_iran]\nhigh = 300.0\nreason = "a count of May"'
    assert [one for one in extending(tmp_path, monkeypatch, text) if one.severity == "error"] == []
    assert row(cs.load_scenario("mine.toml"), f"{ACCEPTANCE}.per_day").high == 300.0


def test_other_ends_of_a_packaged_range_need_a_reason_of_their_own(tmp_path, monkeypatch):
    (problem,) = extending(tmp_path, monkeypatch, "[ranges.acceptance_out_of_iran]\nhigh = 300.0")
    assert (problem.file, problem.line, problem.path) == ("mine.toml", 4, "ranges.acceptance_out_of_iran.reason")
    assert "needs a source or a reason" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (
            f'[{ACCEPTANCE}.figures.per_day]\nlow = 260.0\nhigh = 300.0\nrange_reason = "x"',
            4,
            "does not hold the value",
        ),
        (f"[{ACCEPTANCE}]\nper_day = 500", 5, "the range of ranges.acceptance_out_of_iran does not hold the value"),
        (f'[ranges.mine]\nof = ["{ACCEPTANCE}.per_day"]\nlow = 1.0\nhigh = 300.0\nreason = "x"', 4, "has two ranges"),
    ],
)
def test_a_range_that_clashes_is_told_once_where_the_extending_file_states_it(tmp_path, monkeypatch, text, line, told):
    (problem,) = [one for one in extending(tmp_path, monkeypatch, text) if one.severity == "error"]
    assert (problem.file, problem.line) == ("mine.toml", line)
    assert told in problem.message
    with pytest.raises(cs.ScenarioError) as error:
        cs.load_scenario("mine.toml")
    assert str(error.value).count(told) == 1


@pytest.mark.parametrize(
    ("figures", "end"),
    [
        ({"lanes": {"low": -1, "high": 4, **WHY}}, "-1"),
        ({"service.mean_h": {"low": -0.6, "high": 0.3, **WHY}}, "-0.6"),
        ({"service.cv": {"low": 0.1, "high": 31.0, **WHY}}, "31"),
        ({"lanes": {"alternatives": [3, -2], **WHY}}, "-2"),
    ],
)
def test_a_range_that_reaches_what_its_figure_may_not_be_is_refused_where_it_is_read(figures, end):
    (problem,) = range_problems(gate(**figures))
    assert f"the range reaches to {end}, which is not allowed" in problem.message


def test_a_share_beyond_1_is_refused_in_its_range_and_one_within_is_not():
    shares = {"of": ["checkpoints.astara_ir.exit.xray.share"], "low": 0.1, "high": 1.4, "reason": "x"}
    scanner = {"xray": {"lanes": 1, "service": {"kind": "deterministic", "value_h": 0.1}, "share": 0.2}}
    (problem,) = range_problems(small(checkpoints__astara_ir__exit=scanner, ranges={"share": shares}))
    assert "reaches to 1.4" in problem.message
    assert not range_problems(small(checkpoints__astara_ir__exit=scanner, ranges={"share": shares | {"high": 1.0}}))


PARTS = st.sampled_from(["a", "b", "ab", "axb", "c"])
PATTERNS = st.lists(st.lists(PARTS | st.sampled_from(["*", "a*", "*b", "a*b"]), min_size=1, max_size=4), max_size=8)


@given(PATTERNS, st.lists(st.lists(PARTS, min_size=1, max_size=4), min_size=1, max_size=8))
def test_the_index_names_the_ranges_that_are_of_a_figure(patterns, paths):
    """Held against each range alone; those that write out the first part come first, then the last, then as given."""
    of = {f"r{n}": ".".join(parts) for n, parts in enumerate(patterns)}
    ranges = {id: Range(of=[pattern], low=1.0, high=2.0, reason="made up") for id, pattern in of.items()}
    index = RangeIndex(ranges)
    for path in map(".".join, paths):
        fitting = [id for id, one in ranges.items() if one.is_of(path)]
        fitting.sort(key=lambda id: ("*" in of[id].split(".")[0], "*" in of[id].split(".")[-1]))
        assert index.named(path) == [(id, of[id]) for id in fitting]
