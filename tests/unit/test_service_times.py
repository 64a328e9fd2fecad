"""Parameters of service-time laws: what is refused and how it is told; special values; measured values."""

import math

import numpy as np
import pytest
from scipy import stats

from corridor_sim.core.errors import ScenarioError
from corridor_sim.model.csv_columns import csv_files
from corridor_sim.model.schemas import KindOf
from corridor_sim.model.service_times import (
    SERVICE_TIMES,
    Deterministic,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    ServiceTime,
    scaled,
)


def make(kind, **values):
    return KindOf(SERVICE_TIMES).make({"kind": kind, **values}, ServiceTime)


def generator(seed=5):
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


EXPONENTIAL = {"kind": "exponential", "mean_h": 1.0}


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        ("exponential", {"mean_h": math.nan}, r"mean_h = nan: must be a finite number > 0"),
        ("exponential", {"mean_h": math.inf}, r"mean_h = inf: must be a finite number > 0"),
        ("exponential", {"mean_h": 0.0}, r"mean_h = 0.0: must be a number > 0"),
        ("exponential", {"mean_h": -1.0}, r"mean_h = -1.0: must be a number > 0"),
        ("exponential", {"mean_h": 1e300}, r"mean_h = 1e\+300: must be a number > 0 and <= 1000000"),
        ("exponential", {"mean_h": "0.5"}, r"mean_h = '0.5': must be a number .*without quotes"),
        ("exponential", {"mean_h": True}, r"mean_h = true: must be a number .*boolean"),
        ("exponential", {}, r"mean_h: is required"),
        ("exponential", {"mean_h": 1.0, "cv": 1.0}, r"cv: is not a known key"),
        ("deterministic", {"value_h": -0.1}, r"value_h = -0.1: must be a number >= 0"),
        ("erlang", {"k": 0, "mean_h": 1.0}, r"k = 0: must be a whole number >= 1"),
        ("erlang", {"k": 2.5, "mean_h": 1.0}, r"k = 2.5: must be a whole number >= 1"),
        ("gamma", {"mean_h": 1.0, "cv": -0.5}, r"cv = -0.5: must be a number >= 0.001"),
        ("gamma", {"mean_h": 1.0, "cv": 0.0}, r"cv = 0.0: must be a number >= 0.001"),
        ("lognormal", {"mean_h": 1.0, "sigma": 0.5}, r"mean_h with cv, or median_h with sigma; sigma is not the cv"),
        ("lognormal", {"mean_h": 1.0, "cv": 0.5, "sigma": 0.5}, r"mean_h with cv, or median_h with sigma"),
        ("lognormal", {"mean_h": 1.0}, r"mean_h with cv, or median_h with sigma"),
        ("lognormal", {"median_h": 1.0, "sigma": 0.5, "truncate_h": 0.1}, r"truncate_h = 0.1: leaves less than 0.1 %"),
        ("triangular", {"low_h": 0.2, "mode_h": 0.7, "high_h": 0.6}, r"needs low_h <= mode_h <= high_h .*mode_h 0.7"),
        ("triangular", {"low_h": 0.2, "mode_h": 0.2, "high_h": 0.2}, r"low_h < high_h"),
        ("uniform", {"low_h": 0.5, "high_h": 0.2}, r"low_h = 0.5: must not be more than high_h"),
        ("weibull", {"shape": 0.0, "scale_h": 1.0}, r"shape = 0.0: must be a number >= 0.1"),
        ("shifted", {"shift_h": -1.0, "law": EXPONENTIAL}, r"shift_h = -1.0: must be a number >= 0"),
        ("shifted", {"shift_h": 1.0, "law": {"kind": "exponential", "mean_h": -2.0}}, r"law.mean_h = -2.0: must be"),
        ("shifted", {"shift_h": 1.0, "law": {"kind": "exponental"}}, r"law.kind = 'exponental'.*mean 'exponential'"),
        ("mixture", {"weights": [0.5, 0.48], "laws": [EXPONENTIAL] * 2}, r"weights .*must sum to 1, sum to 0.98"),
        ("mixture", {"weights": [1.0], "laws": [EXPONENTIAL] * 2}, r"weights .*must be as many as laws"),
        ("mixture", {"weights": [], "laws": []}, r"weights .*at least one"),
        ("mixture", {"weights": [1.2, -0.2], "laws": [EXPONENTIAL] * 2}, r"weights.0 = 1.2"),
        ("hyperexponential", {"weights": [0.5, 0.52], "means_h": [1.0, 2.0]}, r"must sum to 1, sum to 1.02"),
        ("empirical", {"values_h": []}, r"values_h: must hold at least one value"),
        ("empirical", {"values_h": [0.2, -1.0]}, r"values_h.1 = -1.0: must be a number"),
        ("empirical", {}, r"values_h: is required"),
        ("empirical", {"csv": "stay.csv"}, r"column: is required with csv"),
        ("gama", {}, r"kind = 'gama': is not a known service-time law.*did you mean 'gamma'"),
    ],
)
def test_a_bad_parameter_is_told_with_its_name_value_and_range(kind, values, says):
    if kind in SERVICE_TIMES:
        with pytest.raises(ScenarioError, match=says):
            SERVICE_TIMES[kind](**values)
    with pytest.raises((ScenarioError, ValueError)):
        make(kind, **values)


def test_all_problems_of_a_law_are_told_at_once():
    with pytest.raises(ScenarioError) as caught:
        Gamma(mean_h=-1.0, cv=-1.0)
    assert [problem.path for problem in caught.value.problems] == ["mean_h", "cv"]


def test_weights_may_miss_one_by_rounding():
    assert make("hyperexponential", weights=[0.1] * 10, means_h=[1.0] * 10).mean_h == pytest.approx(1.0)


def test_a_law_of_no_time_is_accepted():
    assert Deterministic(value_h=0.0).mean_h == 0


def test_the_published_stay_in_azerbaijan_has_its_shares_after_truncation_at_a_day():
    """Median 11 min, sigma 1.86 fit the shares of 2018: 62 % under 20 min, 18.6 % over an hour (of 97 %)."""
    law = Lognormal(median_h=11 / 60, sigma=1.86, truncate_h=24.0)
    values = law.sampler(generator())(200_000)
    assert values.max() <= 24.0
    whole = stats.lognorm(1.86, scale=11 / 60)
    for limit_h in (20 / 60, 1.0, 6.0):
        share = whole.cdf(limit_h) / whole.cdf(24.0)
        error = math.sqrt(share * (1 - share) / len(values))
        assert abs((values <= limit_h).mean() - share) < 4 * error
    assert law.mean_h < Lognormal(median_h=11 / 60, sigma=1.86).mean_h


def test_truncation_changes_only_the_values_beyond_it():
    """Pairing: a law and its truncation share every draw that needs no second one."""
    whole = Lognormal(median_h=1.0, sigma=1.0).sampler(generator())(5000)
    cut = Lognormal(median_h=1.0, sigma=1.0, truncate_h=3.0).sampler(generator())(5000)
    kept = whole <= 3.0
    assert 0.5 < kept.mean() < 1
    assert np.array_equal(cut[kept], whole[kept])
    assert (cut[~kept] < 3.0).all()


@pytest.mark.parametrize(
    ("law", "reference"),
    [
        (Exponential(mean_h=0.4), stats.expon(scale=0.4)),
        (Gamma(mean_h=0.5, cv=0.8), stats.gamma(0.8**-2, scale=0.5 * 0.64)),
        (make("erlang", k=3, mean_h=0.3), stats.gamma(3, scale=0.1)),
        (Lognormal(mean_h=1.0, cv=0.5), stats.lognorm(math.sqrt(math.log(1.25)), scale=1 / math.sqrt(1.25))),
        (make("triangular", low_h=0.1, mode_h=0.2, high_h=0.6), stats.triang(0.2, loc=0.1, scale=0.5)),
        (make("weibull", shape=1.5, scale_h=0.5), stats.weibull_min(1.5, scale=0.5)),
        (make("uniform", low_h=0.2, high_h=0.5), stats.uniform(0.2, 0.3)),
    ],
    ids=lambda value: repr(value) if isinstance(value, ServiceTime) else "",
)
def test_values_have_the_distribution_function_of_the_textbook(law, reference):
    assert stats.kstest(law.sampler(generator())(20_000), reference.cdf).pvalue > 1e-3
    assert law.mean_h == pytest.approx(reference.mean())
    assert law.variance_h2 == pytest.approx(reference.var())


def test_a_hyperexponential_is_the_mixture_of_its_exponentials():
    law = make("hyperexponential", weights=[0.9, 0.1], means_h=[0.2, 2.0])

    def cdf(value):
        return 1 - 0.9 * np.exp(-value / 0.2) - 0.1 * np.exp(-value / 2.0)

    assert stats.kstest(law.sampler(generator())(20_000), cdf).pvalue > 1e-3


def test_other_weights_of_a_mixture_change_only_which_law_counts():
    laws = [{"kind": "gamma", "mean_h": 0.2, "cv": 0.5}, {"kind": "uniform", "low_h": 5.0, "high_h": 6.0}]
    one = make("mixture", weights=[0.8, 0.2], laws=laws).sampler(generator())(1000)
    other = make("mixture", weights=[0.7, 0.3], laws=laws).sampler(generator())(1000)
    same = (one >= 5) == (other >= 5)
    assert 0.8 < same.mean() < 1
    assert np.array_equal(one[same], other[same])


def test_scaling_a_truncated_law_scales_the_cut():
    law = scaled(Lognormal(median_h=0.2, sigma=1.0, truncate_h=2.0), 3.0)
    assert isinstance(law, Lognormal)
    assert law.truncate_h == 6.0


# ---------------------------------------------------------------- measured values


def test_measured_values_come_from_a_column_and_stay_with_the_law():
    with csv_files({"stay.csv": "truck,stay_h\n1,0.5\n\n2,0.25\n3,1.5\n"}.__getitem__):
        law = Empirical(csv="stay.csv", column="stay_h")
    assert law.values_h == (0.5, 0.25, 1.5)
    assert Empirical(**{key: value for key, value in law.to_data().items() if key != "kind"}) == law
    assert set(law.sampler(generator())(200)) == {0.25, 0.5, 1.5}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stay_h\n0.5\nlong\n-1\n", ["row 3, column stay_h: .*'long'", "row 4, column stay_h: .*'-1'"]),
        ("stay_h\nnan\n1_0\n", ["row 2.*'nan'", "row 3.*'1_0'"]),
        ("truck;stay_h\n1;0,5\n", ["column = 'stay_h': is not a column.*delimiter"]),
        ("truck,stay_h\n1,0,5\n", ["row 2 has 3 cells, the header 2"]),
        ("stay_h,stay_h\n1,2\n", ["is there more than once"]),
        ("stay_hours\n1\n", ["did you mean 'stay_hours'"]),
        ("", ["is not a column"]),
        ("stay_h\n", ["must hold at least one value"]),
        ('stay_h\n"0.5\n', ["is not CSV"]),
    ],
)
def test_a_bad_table_is_told_by_row_and_column(text, says):
    with csv_files(lambda path: text), pytest.raises(ScenarioError) as caught:
        Empirical(csv="stay.csv", column="stay_h")
    for part in says:
        assert caught.match(part)


def test_of_many_bad_rows_the_first_are_named_and_the_rest_counted():
    with (
        csv_files(lambda path: "stay_h\n" + "x\n" * 50),
        pytest.raises(ScenarioError, match="and 40 more rows") as caught,
    ):
        Empirical(csv="stay.csv", column="stay_h")
    assert len(caught.value.problems) == 11


def test_a_file_is_found_from_the_current_folder_unless_a_reader_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stay.csv").write_bytes("\ufeffstay_h;note\r\n0.5;ö\r\n".encode())
    assert Empirical(csv="stay.csv", column="stay_h", delimiter=";").values_h == (0.5,)
    with pytest.raises(ScenarioError, match=r"csv = 'none.csv': cannot be read"):
        Empirical(csv="none.csv", column="stay_h")
    (tmp_path / "old.csv").write_bytes(b"stay_h\n0.5 \x92\n")
    with pytest.raises(ScenarioError, match="cannot be read"):
        Empirical(csv="old.csv", column="stay_h")
