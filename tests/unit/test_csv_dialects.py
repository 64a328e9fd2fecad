"""CSV with a decimal comma, read and written; formats that contradict the ending of a file are refused by name."""

import io
import json
import tomllib

import pandas as pd
import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.model.csv_columns import csv_files, number
from corridor_sim.report.tables import to_csv

# ---------------------------------------------------------------- written


def test_a_table_with_a_decimal_comma_reads_back_to_the_same_values():
    frame = pd.DataFrame({"id": ["a; b", "c,d"], "x": [1.5, -2.25e-7], "n": [1, 2], "mixed": [0.5, "0.5 h"]})
    text = to_csv(frame, decimal_comma=True)
    back = pd.read_csv(io.StringIO(text), sep=";", decimal=",")
    assert back["x"].tolist() == frame["x"].tolist()
    assert back["id"].tolist() == ["a; b", "c,d"]
    assert back["mixed"].tolist() == ["0,5", "0.5 h"]
    assert "." not in text.replace("0.5 h", "")


def test_every_table_of_a_run_can_have_a_decimal_comma(tmp_path):
    told = called("run", "teaching", "-n", 2, "-q", "-o", tmp_path / "a.csv", "--decimal-comma")
    assert told.exit_code == 0, told.output
    assert called("run", "teaching", "-n", 2, "-q", "-o", tmp_path / "b.csv").exit_code == 0
    comma = pd.read_csv(tmp_path / "a.csv", sep=";", decimal=",")
    point = pd.read_csv(tmp_path / "b.csv")
    pd.testing.assert_frame_equal(comma, point)


def test_results_write_a_decimal_comma_where_asked(tmp_path):
    with pytest.warns(cs.CorridorWarning, match="only 2 replications"):
        results = cs.run("teaching", replications=2, rng=1)
    results.to_csv(tmp_path / "a.csv", decimal_comma=True)
    back = pd.read_csv(tmp_path / "a.csv", sep=";", decimal=",")
    assert back["value"].tolist() == pytest.approx(results.to_frame()["value"].tolist(), nan_ok=True)


# ---------------------------------------------------------------- formats and endings


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-o", "x.xlsx", "--format", "csv"], "x.xlsx"),
        (["-o", "x.csv", "--format", "json"], "x.csv says csv, --format says json"),
        (["-o", "x.json", "--format", "table"], "x.json says json, --format says table"),
        (["-o", "x.CSV", "--format", "json"], "says csv"),
        (["-o", "x.nc"], "corridor-sim export writes it"),
        (["-o", "x.gpkg", "--format", "csv"], "corridor-sim export writes it"),
        (["-o", "x.html"], "corridor-sim report writes it"),
        (["-o", "x.png"], "--picture"),
        (["-o", "x.toml"], "no format of run ends in .toml; it writes .csv, .json, .xlsx, .txt"),
        (["-o", "x.tsv", "--format", "csv"], "no format of run ends in .tsv"),
        (["--decimal-comma"], "--decimal-comma is of CSV"),
        (["--decimal-comma", "-o", "x.json"], "--decimal-comma is of CSV"),
    ],
)
def test_a_format_that_contradicts_the_file_is_refused_before_anything_is_run(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = called("run", "teaching", *words)
    assert found.exit_code == 2
    assert told in found.output
    assert not list(tmp_path.iterdir())


def test_a_sweep_is_not_sent_to_a_command_that_writes_no_sweeps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = called("sweep", "teaching_lanes", "-o", "x.parquet")
    assert found.exit_code == 2
    assert "does not write .parquet" in found.output
    assert "export" not in found.output


def test_a_command_without_tables_of_that_kind_says_which_formats_it_has(tmp_path):
    found = called("calibrate", "teaching", "--free", "a", "--observations", "packaged", "-o", tmp_path / "x.csv")
    assert found.exit_code == 2
    assert "this command does not write csv (formats: table, json)" in found.output


def test_the_ending_of_the_file_is_its_format(tmp_path):
    for ending in ("csv", "json", "txt"):
        assert called("run", "teaching", "-n", 2, "-q", "-o", tmp_path / f"x.{ending}").exit_code == 0
    assert len(pd.read_csv(tmp_path / "x.csv")) > 100
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["runs"]
    assert (tmp_path / "x.txt").read_text(encoding="utf-8").startswith("scenario      teaching")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["schema", "-o", "x.toml"], "schema writes .json, no .toml file"),
        (["schema", "-o", "x.csv"], "schema writes .json"),
        (["equilibrium", "ways_round_2023", "-o", "x.csv"], "equilibrium writes .toml, no .csv file"),
        (["fit-study", "study.toml", "teaching", "-o", "x.json"], "fit-study writes .toml, no .json file"),
    ],
)
def test_a_command_with_one_format_refuses_the_ending_of_another(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text("", encoding="utf-8")
    found = called(*words)
    assert found.exit_code == 2
    assert told in found.output
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


def test_a_fit_into_a_toml_file_is_the_law_alone(tmp_path):
    path = tmp_path / "times.csv"
    path.write_text("h\n" + "\n".join(f"{0.2 + 0.01 * (n % 7)}" for n in range(60)), encoding="utf-8")
    assert called("fit", path, "--column", "h", "--unit", "h", "-o", tmp_path / "law.toml").exit_code == 0
    assert tomllib.loads((tmp_path / "law.toml").read_text(encoding="utf-8"))
    found = called("fit", path, "--column", "h", "--unit", "h", "--format", "json", "-o", tmp_path / "other.toml")
    assert found.exit_code == 2
    assert "says toml, --format says json" in found.output
    assert not (tmp_path / "other.toml").exists()


def test_a_text_file_may_hold_any_text(tmp_path):
    assert called("run", "teaching", "-n", 2, "-q", "--format", "csv", "-o", tmp_path / "x.txt").exit_code == 0
    assert len(pd.read_csv(tmp_path / "x.txt")) > 100


# ---------------------------------------------------------------- read


def empirical(text, **more):
    with csv_files(lambda path: text):
        return cs.Empirical.model_validate({"csv": "times.csv", "column": "h", **more})


def test_measured_times_with_a_decimal_comma_are_those_with_a_point():
    comma = empirical("h;lane\n0,25;1\n1;2\n1,5e1;1\n", delimiter=";", decimal=",")
    point = empirical("h,lane\n0.25,1\n1,2\n1.5e1,1\n")
    assert comma.values_h == point.values_h == (0.25, 1.0, 15.0)


@pytest.mark.parametrize(
    ("text", "signs", "told"),
    [
        ("h;lane\n0,25;1\n", {"delimiter": ";"}, "got '0,25'; set decimal = \",\""),
        ("h;lane\n0.25;1\n", {"delimiter": ";", "decimal": ","}, "got '0.25'; set decimal = \".\""),
        ("h;lane\n1.234,5;1\n", {"delimiter": ";", "decimal": ","}, "got '1.234,5'"),
        ("h;lane\n1 234,5;1\n", {"delimiter": ";", "decimal": ","}, "got '1 234,5'"),
        ("h,lane\n0.25,1\n", {"decimal": ","}, "must be another sign than delimiter"),
        ("h;lane\n0,25;1\n", {"delimiter": ";", "decimal": "'"}, "must be the sign before decimals"),
    ],
)
def test_a_number_with_another_sign_is_refused_and_never_guessed(text, signs, told):
    with pytest.raises(cs.ScenarioError) as caught:
        empirical(text, **signs)
    assert told in str(caught.value)


def test_every_row_with_the_wrong_sign_is_named():
    with pytest.raises(cs.ScenarioError) as caught:
        empirical("h;lane\n0,25;1\n2;1\n0,75;1\n", delimiter=";")
    assert [problem.message[:5] for problem in caught.value.problems] == ["row 2", "row 4"]


@pytest.mark.parametrize("cell", ["1,5", "-0,25", "1e3", "7"])
def test_a_number_is_the_same_with_either_sign(cell):
    assert number(cell, ",") == float(cell.replace(",", "."))


def test_counts_and_times_are_read_with_a_decimal_comma(tmp_path):
    counts = tmp_path / "counts.csv"
    counts.write_text("time_utc;vehicles\n2025-06-01 08:00;12,0\n2025-06-01 09:00;15\n", encoding="utf-8")
    assert cs.queue_counts(counts, delimiter=";", decimal=",").count.tolist() == [12.0, 15.0]
    with pytest.raises(cs.ScenarioError, match='set decimal = ","'):
        cs.queue_counts(counts, delimiter=";")
    times = tmp_path / "times.csv"
    times.write_text("stay\n" + "\n".join(f"{k},5" for k in range(1, 30)) + "\n", encoding="utf-8")
    comma = cs.fit_law(times, "gamma", column="stay", delimiter=";", decimal=",")
    times.write_text("stay\n" + "\n".join(f"{k}.5" for k in range(1, 30)) + "\n", encoding="utf-8")
    pd.testing.assert_frame_equal(comma.table(), cs.fit_law(times, "gamma", column="stay").table())
    told = called("fit", times, "--delimiter", ";", "--decimal", ",", "--column", "stay")
    assert told.exit_code == 2
    assert 'set decimal = "."' in told.output
