"""Observations judge draws: which are ruled out, by what, what is left, and what is only kept for a check."""

import datetime as dt

import numpy as np
import pytest
from small_corridor import law
from test_uncertainty import ranged

import corridor_sim as cs
from corridor_sim.study.observations import expected_per_day, passed_per_day, time_of
from corridor_sim.study.packaged_figures import packaged_observations

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
SETTINGS = {"draws": 64, "replications": 1, "rng": 3, "workers": 1, "at": "astara", "priors": ["uniform"]}
SPRING = {"posts": (("astara_ir", "exit"),), "since": dt.date(2024, 3, 1), "until": dt.date(2024, 4, 1)}


ROOM = {
    "checkpoints__astara_ir__exit__gate": {
        "lanes": 5,
        "service": law(1.0),
        "figures": {"lanes": {"low": 4, "high": 6, "status": "assumed", "source": "test", "range_reason": "x"}},
    }
}
"""Lanes that pass whatever comes."""


def count(value=50.0, **more):
    return cs.Observation(name="count", value=value, **({"discrepancy_sd": 2.0, **SPRING} | more))


@pytest.fixture(scope="module")
def free():
    return cs.uncertainty(ranged(**ROOM), **SETTINGS)


def volumes(found, kept):
    """Drawn demand out of Iran, of the draws that are left or not."""
    number = [one.name for one in found.inputs].index("flows.transit.per_day")
    return 40.0 + 40.0 * found.main.points[kept, number]


def test_a_count_rules_out_the_draws_whose_demand_is_beyond_it():
    found = cs.uncertainty(ranged(**ROOM), observations=[count()], **SETTINGS)
    kept = found.main.kept
    # Two standard deviations of discrepancy, ruled out beyond 3: 44 to 56 a day are left.
    assert volumes(found, kept).max() < 56.0 < volumes(found, ~kept).max()
    assert volumes(found, kept).min() > 44.0 > volumes(found, ~kept).min()
    assert found.judged["uniform"].effective == kept.sum()
    assert found.judged["uniform"].table() == [("count", 64 - kept.sum(), 64 - kept.sum())]


def test_answers_are_those_of_the_draws_that_are_left_and_narrower(free):
    found = cs.uncertainty(ranged(**ROOM), observations=[count()], **SETTINGS)
    where = {"kind": "crossing", "direction": "IR>AZ"}
    row = found.row("throughput_per_day", **where)
    assert found.interval(row, 0).draws == found.judged["uniform"].effective
    assert found.interval(row, 0).width < 0.6 * free.interval(free.row("throughput_per_day", **where), 0).width
    assert "count rules out" in " ".join(found.describe().split())


def test_a_row_of_the_base_judges_as_well_and_need_not_be_a_main_row():
    where = {"kind": "stage", "place": "astara_ir.exit.gate"}
    queue = cs.Observation(name="queue", value=5.0, sd=0.3, indicator="queue_max", where=where, discrepancy_sd=0.4)
    found = cs.uncertainty(ranged(**ROOM), observations=[queue], **SETTINGS)
    simulated = found.main.values[found.row("queue_max", **where), 0].mean(axis=1)
    noise = np.std(found.runs[0].rows.row("queue_max", **where), ddof=1)
    far = np.abs(simulated - 5.0) / np.sqrt(0.3**2 + 0.4**2 + noise**2)
    assert np.array_equal(found.main.kept, far <= 3.0)
    assert 0 < found.main.kept.sum() < 64


def test_a_wrong_model_is_exposed_no_draw_survives_and_the_observation_is_named():
    with pytest.warns(cs.CorridorWarning, match="no draw of 64 survives the observations: count alone rules out all"):
        found = cs.uncertainty(ranged(**ROOM), observations=[count(value=200.0)], **SETTINGS)
    row = found.row("tfi1", kind="crossing", direction="IR>AZ")
    assert np.isnan(found.interval(row, 0).low)
    assert "no value in any draw" in " ".join(found.describe().split())


def test_few_survivors_are_a_warning():
    with pytest.warns(cs.CorridorWarning, match="only . of 64 draws survive"):
        cs.uncertainty(ranged(**ROOM), observations=[count(discrepancy_sd=0.5)], **SETTINGS)


def test_what_a_post_cannot_pass_is_not_counted():
    plan = cs.make_plan(ranged(checkpoints__astara_ir__acceptance={"exit": {"per_day": 30}}))
    assert passed_per_day(plan, SPRING["posts"]) == pytest.approx(30.0)
    assert passed_per_day(cs.make_plan(ranged()), SPRING["posts"]) == pytest.approx(48.0)


def test_a_scanner_that_few_need_is_no_limit_of_those_who_pass_it_by():
    scanner = {"lanes": 1, "service": law(1.0), "share": 0.2}
    post = {"gate": {"lanes": 5, "service": law(1.0)}, "xray": scanner}
    plan = cs.make_plan(ranged(checkpoints__astara_ir__exit=post))
    assert passed_per_day(plan, SPRING["posts"]) == pytest.approx(48.0)  # 9.6 a day are scanned, 24 could be
    slow = post | {"xray": scanner | {"service": law(5.0)}}
    plan = cs.make_plan(ranged(checkpoints__astara_ir__exit=slow))
    assert passed_per_day(plan, SPRING["posts"]) == pytest.approx(24.0)  # half of what comes to the scanner passes it


def test_a_count_is_of_its_own_time():
    grown = ranged(**ROOM, flows__transit__growth_per_year=1.0, flows__transit__growth_from=dt.date(2024, 1, 1))
    data = time_of(grown.to_data(), dt.date(2025, 1, 1), dt.date(2025, 1, 8))
    later = cs.make_plan(type(grown).model_validate(data))
    assert passed_per_day(later, SPRING["posts"]) == pytest.approx(2 * 48.0, rel=0.02)


def test_observations_for_validation_judge_nothing():
    with pytest.raises(cs.CorridorError, match="nothing judges"):
        cs.uncertainty(ranged(**ROOM), observations=[count(use="validation")], **SETTINGS)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"discrepancy_sd": 0.0}, "sd or discrepancy_sd > 0"),
        ({"use": "both"}, "use = 'both': is not known"),
        ({"until": dt.date(2024, 2, 1)}, "from since to until"),
        ({"indicator": "tfi1"}, "either an indicator or the posts"),
    ],
)
def test_an_observation_that_cannot_judge_is_refused_with_its_name(wrong, told):
    with pytest.raises(cs.ScenarioError, match=f"observation count.*{told}"):
        count(**wrong)


def test_the_packaged_counts_state_their_spread_before():
    for one in (*packaged_observations("calibration"), *packaged_observations("validation")):
        assert one.is_count
        assert one.discrepancy_sd > 0
        assert one.posts


def test_what_is_expected_of_counts_is_that_of_the_whole_plan_of_their_time():
    scenario = cs.load_scenario("year_2026_base")
    counts = packaged_observations("calibration")
    found = expected_per_day(scenario, counts)
    names = [one.name for one in counts]
    for name in ("astara_out_2025", "russia_2025_h1", "bilasuvar_2025"):
        one = counts[names.index(name)]
        plan = cs.make_plan(type(scenario).model_validate(time_of(scenario.to_data(), one.since, one.until)))
        assert found[names.index(name)] == pytest.approx(one.share * passed_per_day(plan, one.posts))
        assert found[names.index(name)] == pytest.approx(one.value, rel=0.05)


def test_the_count_of_a_border_is_that_of_the_posts_where_each_vehicle_is_seen_once():
    one = next(one for one in packaged_observations("calibration") if one.name == "russia_2024_h1")
    assert {post for post, _ in one.posts} == {"yarag_kazmalyar_ru", "tagirkent_kazmalyar_ru", "novo_filya_ru"}
    (found,) = expected_per_day(cs.load_scenario("baseline_2023"), [one])
    assert found == pytest.approx(one.value, rel=0.05)
