"""Observations against predictions: what an interval holds, coverage and scores by hand, misses with their causes."""

import datetime as dt
import json
import math

import numpy as np
import pytest
from command_line import called
from small_corridor import law, small
from test_uncertainty import ranged

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError
from corridor_sim.files.packaged import scenario_files
from corridor_sim.results.validations import NO_CAUSE, Predicted, Validation
from corridor_sim.statistics.last_value import last_value_interval
from corridor_sim.statistics.scrambles import scrambled_points
from corridor_sim.study.observations import expected_counts, expected_per_day
from corridor_sim.study.packaged_figures import observed, packaged_figures
from corridor_sim.study.uncertainty import space_of

SPRING = {"posts": (("astara_ir", "exit"),), "since": dt.date(2024, 3, 1), "until": dt.date(2024, 4, 1)}
ROOM = {
    "checkpoints__astara_ir__exit__gate": {
        "lanes": 5,
        "service": law(1.0),
        "figures": {"lanes": {"low": 4, "high": 6, "status": "assumed", "source": "test", "range_reason": "x"}},
    }
}
"""Lanes that pass whatever comes: 40 to 80 a day."""
SETTINGS = {"draws": 64, "rng": 3, "workers": 1}
MADE_USE_OF = {"yarag_kazmalyar_2019": "observed_2017", "russia_2022_h1": "opening_2022"}
"""Figures that the traffic of a scenario was derived from, with it."""
NOT_FOR_THE_PRESS = {*MADE_USE_OF, "mumbai_moscow_eastern"}
"""Those that are listed for another reason than that the press told them: made use of, or not observed."""


def seen(name="count", value=50.0, **more):
    return cs.Observation(name=name, value=value, use="validation", **({} if "indicator" in more else SPRING) | more)


def even(name, value, **more):
    """An observation whose prediction is 1, 2, ... 19: its 90 % interval runs from 1 to 19."""
    return Predicted(name, "t", value, np.arange(1.0, 20.0), 0.9, **more)


# ---------------------------------------------------------------- figures over all, by hand


def test_coverage_and_scores_of_a_made_up_case_are_those_by_hand():
    made = Validation(
        (
            even("inside", 10.0, last=8.0, last_low=6.0, last_high=11.0),
            even("above", 21.0, last=20.0, last_low=15.0, last_high=25.0, cause="a strike"),
            even("alone", 2.0),
            even("press", 100.0, not_scored="a snapshot", last=1.0, last_low=0.5, last_high=2.0),
        )
    )
    assert made.coverage == pytest.approx(2 / 3)
    assert [one.name for one in made.missed] == ["above"]
    # Width 18; above is 2 outside, at 20 a unit: (18 + 40) / 21. Only what both predict is compared.
    assert made.score == pytest.approx((18 / 10 + 58 / 21) / 2)
    assert made.last_score == pytest.approx((5 / 10 + 10 / 21) / 2)
    assert made.about()["against_last_value"] == 2


def test_misses_come_first_the_worst_at_the_top_and_each_says_its_cause():
    made = Validation((even("met", 10.0), even("near", 20.0), even("far", 40.0, cause="a strike")))
    frame = made.table()
    assert frame["observation"].tolist() == ["far", "near", "met"]
    assert frame["cause"].tolist() == ["a strike", NO_CAUSE, ""]
    text = made.describe()
    assert text.index("- far: a strike") < text.index(f"- near: {NO_CAUSE}") < text.index("Met")
    assert "hold 1 of 3" in text


def test_one_observation_that_decides_the_mean_score_is_named_with_the_scores_of_the_rest():
    # Widths 18 over 10, 18 over 10 and 18 over 0.5 with 10 too high: of 1.8, 1.8 and 56 the last is most.
    made = Validation(
        (
            even("one", 10.0, last=10.0, last_low=5.0, last_high=15.0),
            even("two", 10.0, last=10.0, last_low=5.0, last_high=15.0),
            even("far", 0.5, last=0.5, last_low=0.25, last_high=1.0),
        )
    )
    assert made.deciding.name == "far"
    assert made.without("far") == (pytest.approx(1.8), pytest.approx(1.0))
    assert "far alone is 94 % of that mean; without it 1.80 against 1.00" in " ".join(made.describe().split()).replace(
        "94%", "94 %"
    )
    assert Validation(made.predicted[:2]).deciding is None


def test_a_worse_score_than_last_value_is_said():
    made = Validation((even("one", 10.0, last=10.0, last_low=9.5, last_high=10.5),))
    assert "NOT better than" in made.describe()


def test_the_interval_of_last_value_is_students_by_hand():
    # Three changes of +-0.2: t of 90 % with three degrees of freedom is 2.353363.
    low, high = last_value_interval(100.0, [0.2, -0.2, 0.2])
    assert math.log(high / 100.0) == pytest.approx(2.353363 * 0.2, rel=1e-6)
    assert low * high == pytest.approx(100.0**2)


@pytest.mark.parametrize(("last", "changes"), [(0.0, [0.1] * 4), (1.0, [0.1, 0.2]), (1.0, [0.1, 0.2, math.inf])])
def test_last_value_without_a_ratio_or_with_few_changes_is_refused(last, changes):
    with pytest.raises(ArgumentError):
        last_value_interval(last, changes)


def test_an_observation_has_no_part_in_the_spread_of_its_own_naive_forecast():
    chain = [
        seen("first", 40.0),
        seen("second", 44.0, earlier=("first",)),
        seen("third", 400.0, earlier=("second",)),
        seen("other", 50.0, earlier=(45.0, 47.0, 46.0)),
    ]
    made = {one.name: one for one in cs.validate(ranged(**ROOM), chain, **SETTINGS).predicted}
    assert made["third"].last == 44.0
    # The jump to 400 is in the naive interval of others alone.
    assert made["third"].last_high < 60.0
    assert made["other"].last_high > 300.0
    assert math.isnan(made["first"].last)


# ---------------------------------------------------------------- what an interval holds


def test_the_interval_of_a_count_holds_the_inputs_and_independent_arrivals():
    (one,) = cs.validate(ranged(**ROOM), [seen()], **SETTINGS).predicted
    low, high = one.interval
    # 40 to 80 a day, alike: 90 % is 42 to 78, and 1.4 a day of noise on top.
    assert low == pytest.approx(42.0, abs=1.5)
    assert high == pytest.approx(78.0, abs=1.5)
    assert one.holds == "what the inputs may be and the noise of independent arrivals"


def test_without_ranges_only_the_noise_is_left_and_the_interval_says_so():
    scenario = small(run__horizon_days=8, run__warm_up_days=1)
    (one,) = cs.validate(scenario, [seen()], **SETTINGS).predicted
    # 48 a day for 31 days: a standard deviation of sqrt(48 / 31) = 1.24.
    low, high = one.interval
    assert (low, high) == (pytest.approx(48 - 1.645 * 1.244, abs=0.15), pytest.approx(48 + 1.645 * 1.244, abs=0.15))
    assert "no input has a range" in one.holds


def test_the_error_of_an_observation_widens_and_what_the_model_may_be_off_only_on_request():
    given = [seen("exact"), seen("rough", sd=20.0, discrepancy_sd=30.0)]
    plain = cs.validate(ranged(**ROOM), given, **SETTINGS).predicted
    wide = cs.validate(ranged(**ROOM), given, discrepancy=True, **SETTINGS).predicted

    def width(one):
        return one.interval[1] - one.interval[0]

    assert width(plain[0]) < width(plain[1]) < width(wide[1])
    assert width(plain[0]) == width(wide[0])
    assert "error of the observation" in plain[1].holds
    assert "said to be off" in wide[1].holds


def test_what_is_never_negative_is_not_predicted_below_zero():
    (one,) = cs.validate(ranged(**ROOM), [seen(sd=100.0)], **SETTINGS).predicted
    assert one.interval[0] == 0.0


def test_a_row_of_a_run_is_predicted_with_inputs_and_noise_in_the_unit_of_the_observation():
    where = {"kind": "crossing", "place": "astara", "direction": "IR>AZ"}
    given = [seen(unit, 1.0, unit=unit, indicator="tfi1", where=where) for unit in ("h", "min", "days")]
    hours, minutes, days = cs.validate(ranged(), given, draws=8, rng=3, workers=1).predicted
    assert minutes.median == pytest.approx(60 * hours.median)
    assert days.median == pytest.approx(hours.median / 24)
    assert hours.holds == "what the inputs may be and the noise of a run"
    by_hand = cs.uncertainty(
        ranged(), draws=8, replications=1, rng=3, workers=1, priors=["uniform"], at="astara", indicators="tfi1"
    )
    row = by_hand.row("tfi1", **where)
    assert sorted(hours.draws) == pytest.approx(sorted(by_hand.main.values[row, 0].ravel()))


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
@pytest.mark.parametrize(
    "where",
    [
        {"kind": "post", "place": "astara_ir", "direction": "exit"},
        {"kind": "crossing", "place": "astara", "direction": "IR>AZ"},
    ],
)
def test_draws_in_which_more_comes_than_can_pass_are_counted_beside_a_wide_interval(where):
    # Sixty a day to two, three or four lanes of an hour each: two lanes pass 48. All else passes what comes.
    scenario = ranged(flows__transit__per_day=60.0, flows__transit__figures={})
    indicator = "wait_h" if where["kind"] == "post" else "tfi1"
    asked = seen("wait", 0.2, indicator=indicator, where=where, unit="h")
    (one,) = cs.validate(scenario, [asked], **SETTINGS).predicted
    space = space_of((scenario,))
    points, _ = scrambled_points(SETTINGS["draws"], len(space), SETTINGS["rng"])
    lanes = [next(iter(space.values(0, point, "uniform").values())) for point in points]
    assert {*lanes} == {2, 3, 4}
    assert one.overloads == (("astara_ir exit", lanes.count(2)),)
    assert one.overloaded_draws == lanes.count(2)


def test_where_one_observation_decides_its_overloaded_draws_are_told():
    near = {"last": 10.0, "last_low": 5.0, "last_high": 15.0}
    over = {"overloads": (("gate_b entry", 5), ("gate_a exit", 2)), "overloaded_draws": 6}
    far = even("far", 0.5, last=0.5, last_low=0.25, last_high=1.0, **over)
    text = " ".join(Validation((even("one", 10.0, **near), even("two", 10.0, **near), far)).describe().split())
    assert "In 6 of its 19 draws more comes than can pass at gate_b entry (5), gate_a exit (2)" in text
    plain = Validation((even("one", 10.0, **near), even("two", 10.0, **near))).describe()
    assert "can pass" not in plain


def test_rows_of_a_scenario_without_ranges_are_of_runs_alone():
    where = {"kind": "crossing", "place": "astara", "direction": "IR>AZ"}
    scenario = small(run__horizon_days=8, run__warm_up_days=1)
    (one,) = cs.validate(
        scenario, [seen(value=1.0, indicator="tfi1", where=where)], draws=8, rng=3, workers=1
    ).predicted
    alone = cs.run(scenario, replications=8, rng=3).rows.row("tfi1", **where)
    assert one.draws == pytest.approx(alone)


def test_tonnes_are_trucks_by_their_loads():
    scenario = small(run__horizon_days=8, run__warm_up_days=1, flows__transit__load_t=20.0)
    counts = [seen("trucks"), seen("tonnes", measure="tonnes")]
    trucks, tonnes = expected_per_day(scenario, counts)
    assert tonnes == pytest.approx(20.0 * trucks)
    (_, noise), (_, noise_t) = expected_counts(scenario, counts)
    assert noise == pytest.approx(math.sqrt(48.0 / 31.0), rel=1e-6)
    assert noise_t == pytest.approx(20.0 * noise)


def test_the_same_seed_gives_the_same_answer_and_workers_do_not_matter():
    given = [
        seen(),
        seen("row", 1.0, indicator="tfi1", where={"kind": "crossing", "place": "astara", "direction": "IR>AZ"}),
    ]
    one, other = (
        cs.validate(ranged(**ROOM), given, draws=8, rng=3, workers=workers)
        .table()
        .drop(columns=["last", "last_low", "last_high", "last_score"])
        .to_dict("records")
        for workers in (1, 2)
    )
    assert one == other


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("scenario", "observations", "told"),
    [
        (ranged(), "packaged", "leave out scenario"),
        (ranged(), 3, "must be a list of Observation"),
        (None, [seen()], "scenario is needed"),
        (ranged(), [seen(), seen()], "names of their own"),
        (ranged(), [seen(earlier=("nobody",))], "no observation 'nobody'"),
    ],
)
def test_what_cannot_be_asked_is_refused(scenario, observations, told):
    with pytest.raises(ArgumentError, match=told):
        cs.validate(scenario, observations, **SETTINGS)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"draws": 1}, "draws must be a whole number >= 2"),
        ({"confidence": 90}, r"confidence must be between 0 and 1, got 90; 90 %\? write 0.9"),
        ({"confidence": math.nan}, "confidence must be between 0 and 1"),
        ({"confidence": "high"}, "confidence must be a number"),
    ],
)
def test_settings_that_make_no_interval_are_refused(more, told):
    with pytest.raises(ArgumentError, match=told):
        cs.validate(ranged(), [seen()], **(SETTINGS | more))


def test_nothing_to_validate_is_refused():
    with pytest.raises(CorridorError, match="nothing to hold the model against"):
        cs.validate(ranged(), [cs.Observation(name="one", value=1.0, sd=1.0, **SPRING)], **SETTINGS)


def test_units_that_do_not_fit_are_refused():
    where = {"kind": "crossing", "place": "astara", "direction": "IR>AZ"}
    with pytest.raises(CorridorError, match="is in km/h, tfi1 in h"):
        cs.validate(ranged(), [seen(unit="km/h", indicator="tfi1", where=where)], draws=2, rng=3, workers=1)


def test_an_observation_that_judges_has_no_scenario_of_its_own():
    with pytest.raises(ScenarioError, match="for validation only"):
        cs.Observation(name="one", value=1.0, sd=1.0, scenario="base", **SPRING)


# ---------------------------------------------------------------- files, the terminal, the packaged corridor


def test_a_file_of_observations_is_validated_from_the_terminal(tmp_path):
    file = tmp_path / "seen.toml"
    file.write_text(
        "\n".join(
            f"""[observations.{name}]
value = {value}
unit = "1/day"
indicator = "throughput_per_day"
where = {{ kind = "post", place = "northgate_b", direction = "entry" }}
use = "validation"
earlier = [100.0, 104.0, 99.0, 103.0, 101.0]
cause = "{cause}"
"""
            for name, value, cause in (("passed", 165.0, ""), ("hoped", 210.0, "a second gate, not built"))
        ),
        encoding="utf-8",
    )
    options = [
        "validate",
        "teaching",
        "--observations",
        str(file),
        "--draws",
        "32",
        "--seed",
        "1",
        "--workers",
        "1",
        "-q",
    ]
    text = called(*options).output
    assert "hold 1 of 2" in text
    assert "- hoped: a second gate, not built" in text
    made = json.loads(called(*options, "--format", "json").output)
    assert made["coverage"] == 0.5
    assert [row["observation"] for row in made["rows"]] == ["hoped", "passed"]


def test_every_observation_of_the_corridor_marked_for_validation_is_predicted_or_named():
    listed, unanswered = packaged_figures()
    marked = {name for name, figure in observed().items() if figure["use"] == "validation"}
    predicted = {one.name for one in listed if one.use == "validation"}
    assert predicted | {name for name, _ in unanswered} == marked
    assert len(marked) == 31
    # Only what is a single count of the press, a bound or an assumption goes without an answer.
    assert all("not_scored" in observed()[name] for name, _ in unanswered)
    scored = [one for one in listed if one.use == "validation" and not one.not_scored]
    assert len(scored) == 13
    assert all(one.scenario for one in scored)


def test_single_counts_of_the_press_are_marked_and_nothing_else_that_was_counted_over_a_time():
    for name, figure in observed().items():
        if figure["use"] == "validation":
            snapshot = figure["quantity"] in ("queue", "wait_h") or figure["status"] == "assumed"
            assert ("not_scored" in figure) == (snapshot or name in NOT_FOR_THE_PRESS), name


def test_a_figure_that_a_scenario_of_its_time_was_derived_from_is_listed_and_not_scored():
    for name, scenario in MADE_USE_OF.items():
        assert observed()[name]["not_scored"].startswith("made use of"), name
        assert scenario in observed()[name]["not_scored"], name
    # The heads of these scenarios say what they are derived from.
    heads = {name: scenario_files()[name].read_text(encoding="utf-8") for name in MADE_USE_OF.values()}
    assert "trucks in all 342 a day (early 2019, the first count)" in heads["observed_2017"]
    assert "103,000 in the half-year" in heads["opening_2022"]
    value, days = observed()["russia_2022_h1"]["value"], 181
    assert value * days == pytest.approx(103_000, rel=0.001)


def test_the_tonnes_of_the_corridor_are_those_of_a_day():
    listed = {one.name: one for one in packaged_figures()[0]}
    assert listed["yarag_kazmalyar_tonnes_2024"].value == pytest.approx(3.7e6 / 366)


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_counts_of_the_packaged_corridor_are_validated():
    names = ("yarag_kazmalyar_2023", "yarag_kazmalyar_2024", "yarag_kazmalyar_tonnes_2024", "astara_out_2025_8m")
    listed = [one for one in packaged_figures()[0] if one.name in names]
    made = {one.name: one for one in cs.validate(None, listed, draws=4, workers=1).predicted}
    assert set(made) == set(names) - {"yarag_kazmalyar_2023"}
    assert made["yarag_kazmalyar_2024"].last == 548.0
    assert made["yarag_kazmalyar_tonnes_2024"].median == pytest.approx(10109, rel=0.2)
