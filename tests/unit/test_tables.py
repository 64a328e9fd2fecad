"""Tables as text: nothing a spreadsheet would run, nothing that is not there shown as a number."""

import csv
import io
import json
import math

import numpy as np
import pandas as pd

from corridor_sim.report import tables


def test_cells_that_a_spreadsheet_reads_as_a_formula_get_an_apostrophe():
    bad = ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"]
    frame = pd.DataFrame({"=name": bad, "unit": ["-"] * 6, "value": [-1.5] * 6})
    rows = list(csv.reader(io.StringIO(tables.to_csv(frame), newline="")))
    assert rows[0] == ["'=name", "unit", "value"]
    assert [row[0] for row in rows[1:]] == [f"'{cell}".replace("\r", "\n") for cell in bad]
    assert {row[1] for row in rows[1:]} == {"-"}
    assert {row[2] for row in rows[1:]} == {"-1.5"}


def test_what_is_not_there_is_empty_in_csv_and_null_in_json():
    frame = pd.DataFrame({"mean": [math.nan, 2.0], "day": pd.array([None, 3], dtype="Int64"), "note": ["", None]})
    assert tables.to_csv(frame) == "mean,day,note\n,,\n2.0,3,\n"
    read = json.loads(tables.to_json(tables.records(frame)))
    assert read[0] == {"mean": None, "day": None, "note": ""}
    assert read[1]["mean"] == 2.0
    assert read[1]["day"] == 3


def test_json_knows_the_numbers_of_numpy_and_no_infinity():
    value = {"a": np.int64(3), "b": np.float64(0.5), "c": [math.inf, True, None], "d": np.bool_(True)}
    assert json.loads(tables.to_json(value)) == {"a": 3, "b": 0.5, "c": [None, True, None], "d": "True"}


def test_text_is_as_wide_as_told_and_numbers_stand_to_the_right():
    rows = [["one", 1.0, "short"], ["two two", 22.5, "a long remark that goes on and on until it must be wrapped"]]
    lines = tables.to_text(["what", "mean", "note"], rows, 40).splitlines()
    assert max(len(line) for line in lines) <= 40
    assert lines[1].startswith("one         1  short")
    assert lines[2].startswith("two two  22.5  a long")
    assert " ".join(" ".join(line.split()) for line in lines[2:]).endswith("until it must be wrapped")


def test_text_of_no_rows_is_the_header():
    assert tables.to_text(["a", "b"], []) == "a  b\n"


def test_text_shows_a_dash_for_what_is_not_there():
    assert tables.to_text(["a", "b"], [[math.nan, ""], [123456.7, None]]).splitlines()[1:] == [
        "      -  -",
        "123,457  -",
    ]
