"""Flows, rosters, costs and counts from Excel and CSV: the same as in TOML, or one error that names every cell.

`tables/flows_libreoffice_ru.xlsx` was saved by LibreOffice 7.4 under the locale ru-RU, from numbers with a decimal
comma and dates as 15.03.2024.
"""

import datetime as dt
import zipfile
from pathlib import Path

import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.core.errors import MissingExtra
from corridor_sim.files.sheets import dialect_of
from corridor_sim.model.provenance import figures_of

RUSSIAN = Path(__file__).parent / "tables" / "flows_libreoffice_ru.xlsx"
TOML = """schema = 1
name = "same"
extends = "teaching"
[flows.flour]
origin = "mill"
destination = "market"
cargo_class = "loaded"
per_day = 151.5
growth_from = 2024-01-01
load_t = 20.25
value_usd_t = 400
growth_per_year = 0.03
note = "проверено"
[flows.bread]
origin = "mill"
destination = "market"
cargo_class = "perishable"
per_day = 40.125
growth_from = 2024-03-15
load_t = 12.5
value_usd_t = 1234.5
growth_per_year = -0.01
note = "свежий, каждый день"
"""


@pytest.fixture
def workbook(tmp_path):
    """A function that writes sheets (lists of rows) to a workbook, and lets the test add to it."""
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")

    def write(sheets, also=lambda book, sheet: None):
        path = tmp_path / "tables.xlsx"
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
            date, time = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd hh:mm", "hh:mm"))
            for name, rows in sheets.items():
                sheet = book.add_worksheet(name)
                for r, row in enumerate(rows):
                    for c, value in enumerate(row):
                        if isinstance(value, (dt.datetime, dt.time)):
                            sheet.write_datetime(r, c, value, time if isinstance(value, dt.time) else date)
                        elif value is not None:
                            sheet.write(r, c, value)
                also(book, sheet)
        return path

    return write


def refused(path, base="teaching"):
    with pytest.raises(cs.ScenarioError) as caught:
        cs.import_tables(base, path)
    return str(caught.value)


def unsourced(base, path):
    """A scenario with tables over it that name no source, which is told."""
    with pytest.warns(cs.CorridorWarning, match="new values without a source are assumed"):
        return cs.import_tables(base, path)


def plain(flows):
    """Flows without what is said of single values: those of tables name their cells."""
    return {id: flow.replace(figures={}) for id, flow in flows.items()}


# ---------------------------------------------------------------- the same as in TOML


def test_a_workbook_saved_with_russian_settings_has_the_flows_of_the_toml():
    pytest.importorskip("python_calamine")
    assert plain(unsourced("teaching", RUSSIAN).flows) == plain(cs.loads(TOML).flows)


def test_a_csv_file_with_a_decimal_comma_has_the_flows_of_the_toml(tmp_path):
    (tmp_path / "flows.csv").write_text(
        "id;origin;destination;cargo_class;per_day;growth_from;load_t;value_usd_t;growth_per_year;note\n"
        "flour;mill;market;loaded;151,5;2024-01-01;20,25;400;0,03;проверено\n"
        'bread;mill;market;perishable;40,125;2024-03-15;12,5;1234,5;-0,01;"свежий, каждый день"\n',
        encoding="utf-8-sig",
    )
    assert plain(unsourced("teaching", tmp_path / "flows.csv").flows) == plain(cs.loads(TOML).flows)


def test_rosters_and_costs_are_laid_over_the_base(workbook):
    base = cs.load_scenario("teaching")
    lane = cs.AddLanes(at="checkpoints.northgate_a.exit.lanes", lanes=1)
    base = base.with_improvements(lane=lane)
    path = workbook(
        {
            "rosters": [
                ["checkpoint", "direction", "stage", "days", "from", "lanes"],
                ["northgate_a", "exit", "lanes", "Mon-Fri", dt.time(6, 0), 4],
                ["northgate_a", "exit", "lanes", "Mon-Fri", "20:00", 2],
                ["northgate_a", "exit", "lanes", "Sat-Sun", dt.time(8, 30), 1],
            ],
            "costs": [["improvement", "capex_usd", "life_years", "source"], ["lane", 2.5e6, 25, "a bill"]],
            "notes": [["not read"]],
        }
    )
    made = unsourced(base, path)
    roster = {"Mon-Fri 06:00": 4, "Mon-Fri 20:00": 2, "Sat-Sun 08:30": 1}
    assert made.checkpoints["northgate_a"].exit["lanes"].lanes_by_hour == roster
    figures = {key: {"source": "a bill"} for key in ("capex_usd", "life_years")}
    assert made.improvements["lane"] == lane.replace(capex_usd=2.5e6, life_years=25.0, figures=figures)
    assert made.flows == base.flows


def test_lists_and_fields_inside_others_have_columns(workbook):
    header = ["id", "holidays", "holiday_factor", "arrivals.kind", "arrivals.every_h", "per_day"]
    path = workbook({"flows": [header, ["flour", "2024-01-01; 2024-01-02", 0.5, "timetable", 6]]})
    flow = unsourced("teaching", path).flows["flour"]
    assert len(flow.holidays) == 2
    assert flow.arrivals == cs.RegularArrivals(every_h=6.0)
    assert flow.per_day == cs.load_scenario("teaching").flows["flour"].per_day


def test_import_writes_a_scenario_file_of_the_same_scenario(workbook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [["checkpoint", "direction", "stage", "from", "lanes"], ["northgate_a", "exit", "lanes", "00:00", 3]]
    path = workbook({"flows": [["id", "per_day"], ["flour", 99.5]], "rosters": rows})
    told = called("import", path, "--base", "teaching", "-o", "mine.toml")
    assert told.exit_code == 0, told.output
    written, made = cs.load_scenario("mine.toml"), unsourced("teaching", path)
    assert (written.flows, written.checkpoints) == (made.flows, made.checkpoints)
    assert called("import", path, "--base", "mine.toml", "-o", "again.toml").exit_code == 0
    again = cs.load_scenario("again.toml")
    assert again.checkpoints == made.checkpoints
    assert called("import", path, "--base", "teaching", "-o", "mine.csv").exit_code == 2


def test_counts_of_a_workbook_are_those_of_the_csv(workbook, tmp_path):
    times = [dt.datetime(2025, 6, 1, hour) for hour in (8, 9, 10)]
    path = workbook({"counts": [["time_utc", "vehicles"], *zip(times, [12, None, 15], strict=True)]})
    (tmp_path / "counts.csv").write_text(
        "time_utc,vehicles\n2025-06-01 08:00,12\n2025-06-01 09:00,\n2025-06-01 10:00,15\n", encoding="utf-8"
    )
    read, same = cs.queue_counts(path), cs.queue_counts(tmp_path / "counts.csv")
    assert (read.start, read.time_h.tolist(), read.count.tolist()) == (same.start, same.time_h.tolist(), [12.0, 15.0])


# ---------------------------------------------------------------- refused, with every cell


def test_every_wrong_cell_is_named_at_once(workbook):
    def also(book, sheet):
        sheet.write_formula(1, 1, '=VLOOKUP("x",Z1:Z9,1,FALSE)', None, "#N/A")
        sheet.merge_range(4, 0, 4, 1, "merged")
        sheet.set_row(2, None, None, {"hidden": True})

    rows = [["id", "per_day", "perday", "load_t"], ["flour", None, 3, 1], ["bread", 5], [7, 5], [], ["flour", 1]]
    told = refused(workbook({"flows": rows}, also))
    for place, text in (
        ("cell B2", "is an error of the spreadsheet"),
        ("cell A5:B5", "cells are merged"),
        ("cell A3", "its row is hidden"),
        ("cell C1", "did you mean 'per_day'"),
        ("cell A4", "must be a text: the id of the row"),
        ("cell A6", "is there twice"),
    ):
        line = next((line for line in told.splitlines() if f"sheet flows, {place}:" in line), "")
        assert text in line, (place, told)
    assert "'#N/A'" in told


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("151,5", "the cell holds a text: make it a number"),
        ("250", "the cell holds a text: make it a number"),
        (-3, ">= 0"),
        (True, "number"),
        (dt.time(8, 0), "is a time or a duration"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_file_sheet_and_cell(cell, told, workbook):
    found = refused(workbook({"flows": [[], ["id", "load_t", "per_day"], ["flour", None, cell]]}))
    assert "tables.xlsx, sheet flows, cell C3" in found
    assert told in found


def test_titles_above_the_header_are_refused_and_not_skipped(workbook):
    found = refused(workbook({"flows": [["Flows of 2024"], [], ["id", "per_day"], ["flour", 1]]}))
    assert "cell A1" in found
    assert "take titles above it out" in found


def test_a_formula_nobody_has_reckoned_is_refused(workbook, tmp_path):
    def also(book, sheet):
        sheet.write_formula(1, 1, "=100+50", None, 150)

    path = workbook({"flows": [["id", "per_day"], ["flour"]]}, also)
    assert unsourced("teaching", path).flows["flour"].per_day == 150
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "raw.xlsx", "w") as raw:
        for name in whole.namelist():
            raw.writestr(name, whole.read(name).replace(b"<v>150</v>", b""))
    found = refused(tmp_path / "raw.xlsx")
    assert "cell B2: has a formula without a stored value" in found
    as_openpyxl = (b"<f>100+50</f><v>150</v>", b"<f>100+50</f><v />"), (b"<f>100+50</f><v>150</v>", b"<v></v>")
    told = "cell B2: has a formula without a stored value", "cell B2: is a number without a value"
    for (before, after), words in zip(as_openpyxl, told, strict=True):
        with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "raw.xlsx", "w") as raw:
            assert any(before in whole.read(name) for name in whole.namelist())
            for name in whole.namelist():
                raw.writestr(name, whole.read(name).replace(before, after))
        assert words in refused(tmp_path / "raw.xlsx")


def test_a_formula_that_gives_an_empty_text_is_an_empty_cell(workbook, tmp_path):
    def also(book, sheet):
        sheet.write_formula(1, 2, '=IF(1=2,"x","")', None, "empty")

    path = workbook({"flows": [["id", "per_day", "load_t"], ["flour", 150]]}, also)
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "raw.xlsx", "w") as raw:
        for name in whole.namelist():
            raw.writestr(name, whole.read(name).replace(b"<v>empty</v>", b"<v></v>"))
    made = unsourced("teaching", tmp_path / "raw.xlsx").flows["flour"]
    base = cs.load_scenario("teaching").flows["flour"]
    assert (made.per_day, made.load_t) == (150, base.load_t)


def test_a_value_outside_of_the_range_of_the_base_says_where_to_state_the_range(workbook):
    figures = cs.load_scenario("teaching").to_data()["flows"]["flour"]
    path = workbook({"flows": [["id", "per_day"], ["flour", 1]]})
    wide = (
        "schema = 1\nname = 'wide'\nextends = 'teaching'\n[flows.flour]\nfigures.per_day = {low = %s, high = 140.0%s}\n"
    )
    assert figures["per_day"] == 130
    base = cs.loads(wide % ("100.0", ", range_reason = 'counted'"))
    told = refused(path, base)
    assert "sheet flows, cell B2: flows.flour.per_day = 1" in told
    assert "the range does not hold the value (allowed: 100 to 140)" in told
    assert "give the new range beside the value" in told
    base = cs.loads(wide % ("0.5", ", range_reason = 'counted'"))
    assert unsourced(base, path).flows["flour"].per_day == 1


SOURCED = """schema = 1
name = "sourced"
extends = "teaching"
[sources.count]
publisher = "a count"
title = "of trucks"
[flows.flour]
status = "published"
source = "count"
figures.per_day = { status = "published", source = "count", low = 100, high = 140, range_source = "count" }
figures.load_t = { status = "published", source = "count" }
"""


def figures(scenario, path):
    return {row.path: row for row in figures_of(scenario)}[path]


def test_a_value_brings_its_range_and_source_in_columns_beside_it(workbook, tmp_path):
    header = [
        "id",
        "per_day",
        "per_day.low",
        "per_day.high",
        "per_day.range_reason",
        "per_day.source",
        "per_day.status",
    ]
    row = ["flour", 300, 250, 350, "two weeks", "the weighbridge", "derived"]
    base = cs.loads(SOURCED)
    made = figures(cs.import_tables(base, workbook({"flows": [header, row]})), "flows.flour.per_day")
    assert (made.value, made.low, made.high, made.status, made.source) == (300, 250, 350, "derived", "the weighbridge")
    assert (made.range_reason, made.range_source) == ("two weeks", "")  # that of the old numbers is gone
    (tmp_path / "flows.csv").write_text(
        "\n".join(";".join(str(cell) for cell in line) for line in (header, row)), encoding="utf-8"
    )
    assert figures(cs.import_tables(base, tmp_path / "flows.csv"), "flows.flour.per_day") == made


def test_costs_and_rosters_have_the_columns_too(workbook):
    lane = cs.AddLanes(at="checkpoints.northgate_a.exit.lanes", lanes=1)
    base = cs.load_scenario("teaching").with_improvements(lane=lane)
    roster = ["checkpoint", "direction", "stage", "from", "lanes", "low", "high", "range_reason", "source"]
    path = workbook(
        {
            "costs": [
                ["improvement", "capex_usd", "capex_usd.low", "capex_usd.high", "capex_usd.range_reason", "source"],
                ["lane", 2.5e6, 2e6, 4e6, "a bid", "a bill"],
            ],
            "rosters": [roster, ["northgate_a", "exit", "lanes", "06:00", 4, 3, 5, "seen", "the shift book"]],
        }
    )
    made = cs.import_tables(base, path)
    cost = figures(made, "improvements.lane.capex_usd")
    assert (cost.low, cost.high, cost.source) == (2e6, 4e6, "a bill")
    lanes = figures(made, "checkpoints.northgate_a.exit.lanes.lanes_by_hour.06:00")
    assert (lanes.value, lanes.low, lanes.high, lanes.source) == (4, 3, 5, "the shift book")


def test_a_new_value_never_keeps_the_source_of_the_old_one(workbook):
    base = cs.loads(SOURCED)
    path = workbook({"flows": [["id", "per_day", "load_t"], ["flour", 120, base.flows["flour"].load_t]]})
    with pytest.warns(cs.CorridorWarning, match=r"tables\.xlsx, sheet flows, cell B2$"):
        made = cs.import_tables(base, path)
    row = figures(made, "flows.flour.per_day")
    assert (row.status, row.low, row.high, row.range_source) == ("assumed", 100, 140, "count")
    assert row.source == "tables.xlsx, sheet flows, cell B2"
    assert figures(made, "flows.flour.load_t").source == "count"  # the same value


def test_a_source_of_a_row_is_of_its_values_and_not_of_those_it_leaves_to_the_base(workbook):
    base = cs.loads(SOURCED)
    header = ["id", "per_day", "value_usd_t", "status", "source", "note", "value_usd_t.source"]
    made = cs.import_tables(
        base, workbook({"flows": [header, ["flour", 120, 410, "derived", "a letter", "of May", "a bill"]]})
    )
    row = figures(made, "flows.flour.per_day")
    assert (row.status, row.source, row.note, row.range_source) == ("derived", "a letter", "of May", "count")
    row = figures(made, "flows.flour.value_usd_t")
    assert (row.status, row.source) == ("", "a bill")  # nor has it the status of the old value
    row = figures(made, "flows.flour.load_t")
    assert (row.status, row.source) == ("published", "count")
    only = cs.import_tables(base, workbook({"flows": [["id", "source"], ["flour", "a letter"]]}))
    assert only.flows["flour"].source == "a letter"


def test_a_status_alone_does_not_bring_a_source_along(workbook):
    base = cs.loads(SOURCED)
    load = base.flows["flour"].load_t
    header = ["id", "per_day", "load_t", "status"]
    made = unsourced(base, workbook({"flows": [header, ["flour", 120, load, "conflicting"]]}))
    row, same = figures(made, "flows.flour.per_day"), figures(made, "flows.flour.load_t")
    assert (row.status, row.source) == ("conflicting", "tables.xlsx, sheet flows, cell B2")
    assert (same.status, same.source) == ("conflicting", "count")
    told = refused(workbook({"flows": [header, ["flour", 120, load, "published"]]}), base)
    assert "sheet flows, cell D2: flows.flour.status = 'published'" in told
    assert "per_day is new and has no source" in told
    told = refused(workbook({"flows": [["id", "per_day", "per_day.status"], ["flour", 120, "published"]]}), base)
    assert "cell C2" in told


def test_a_flow_that_the_base_has_not_is_assumed_at_its_row(workbook):
    header = ["id", "origin", "destination", "per_day", "load_t"]
    path = workbook({"flows": [header, ["salt", "mill", "market", 12, 20]]})
    with pytest.warns(cs.CorridorWarning, match=r"sheet flows, cells D2, E2$"):
        made = cs.import_tables("teaching", path)
    row = figures(made, "flows.salt.per_day")
    assert (row.status, row.source) == ("assumed", "tables.xlsx, sheet flows, cell A2")
    path = workbook({"flows": [[*header, "source"], ["salt", "mill", "market", 12, 20, "a letter"]]})
    assert cs.import_tables("teaching", path).flows["salt"].source == "a letter"


ROSTER = """schema = 1
name = "roster"
extends = "teaching"
[checkpoints.northgate_a.exit.lanes]
lanes_by_hour = { "06:00" = 3, "20:00" = 2 }
[checkpoints.northgate_a.exit.lanes.figures]
"lanes_by_hour.06:00" = { status = "published", source = "a plan", low = 2, high = 4, range_reason = "of the plan" }
"lanes_by_hour.20:00" = { status = "published", source = "a plan", exact = "of the plan" }
"""


def test_what_the_base_says_of_a_roster_goes_with_it(workbook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("roster.toml").write_text(ROSTER, encoding="utf-8")
    head = ["checkpoint", "direction", "stage", "days", "from", "lanes"]
    path = workbook(
        {"rosters": [head, *(["northgate_a", "exit", "lanes", "", *at] for at in (("06:00", 3), ("22:00", 1)))]}
    )
    seen = called("import", "tables.xlsx", "--base", "roster.toml", "-o", "mine.toml")
    assert seen.exit_code == 0, seen.output
    assert seen.stderr.splitlines()[-1].endswith("(give it in a column source): tables.xlsx, sheet rosters, cell F3")
    at = "checkpoints.northgate_a.exit.lanes.lanes_by_hour"
    for made in (cs.load_scenario("mine.toml"), unsourced("roster.toml", path)):
        same, new = figures(made, f"{at}.06:00"), figures(made, f"{at}.22:00")
        assert (same.status, same.source, same.low) == ("published", "a plan", 2)
        assert (new.status, new.source) == ("assumed", "tables.xlsx, sheet rosters, cell F3")
        assert len(made.checkpoints["northgate_a"].exit["lanes"].lanes_by_hour) == 2
    path = workbook({"rosters": [head, ["northgate_a", "exit", "lanes", "", "06:00", 9]]})
    told = refused(path, "roster.toml")
    assert "cell F2" in told
    assert "the range does not hold the value (allowed: 2 to 4)" in told
    assert told.endswith("give the new range beside the value: columns low, high and range_reason")
    packaged = ["yarag_kazmalyar_ru", "exit", "lanes", ""]
    told = refused(workbook({"rosters": [head, [*packaged, "08:00", 3], [*packaged, "20:00", 1]]}), "opening_2022")
    assert "cell F3" in told
    assert "does not hold the value (allowed: 2 to 3); give the new range beside the value: columns low, high" in told
    path = workbook(
        {
            "rosters": [
                [*head, "exact", "source"],
                ["northgate_a", "exit", "lanes", "", "06:00", 3, "an order", "an order"],
                ["northgate_a", "exit", "lanes", "Mon-Fri", "20:00", 1, "", "an order"],
            ]
        }
    )
    assert called("import", path, "--base", "roster.toml", "-o", "exact.toml").exit_code == 0
    row = figures(cs.load_scenario("exact.toml"), f"{at}.06:00")
    assert (row.low, row.exact, row.source, row.range_reason) == (None, "an order", "an order", "")


def test_why_the_old_value_was_exact_is_not_said_of_the_new_one(workbook):
    base = cs.loads(SOURCED.replace('load_t = { status = "published",', 'load_t = { exact = "a contract",'))
    assert figures(base, "flows.flour.load_t").exact == "a contract"
    made = unsourced(base, workbook({"flows": [["id", "load_t"], ["flour", 7]]}))
    assert figures(made, "flows.flour.load_t").exact != "a contract"


def test_the_command_line_names_the_cells_of_new_values_without_a_source(workbook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sourced.toml").write_text(SOURCED, encoding="utf-8")
    workbook({"flows": [["id", "per_day"], ["flour", 120], *([id, 10] for id in ("bread",))]})
    Path("flows.csv").write_text("id,load_t\nflour,7\n", encoding="utf-8")
    seen = called("import", "tables.xlsx", "flows.csv", "--base", "sourced.toml", "-o", "mine.toml")
    assert seen.exit_code == 2  # two rows of one id
    seen = called("import", "tables.xlsx", "--base", "sourced.toml", "-o", "mine.toml")
    assert seen.exit_code == 0, seen.output
    assert seen.stderr.splitlines()[-1] == (
        "corridor-sim: warning: new values without a source are assumed, and their source is the cell "
        "(give it in a column source): tables.xlsx, sheet flows, cells B2, B3"
    )
    row = figures(cs.load_scenario("mine.toml"), "flows.flour.per_day")
    assert (row.status, row.source) == ("assumed", "tables.xlsx, sheet flows, cell B2")
    many = "".join(f"extra_{n},mill,market,1,20\n" for n in range(9))
    Path("flows.csv").write_text("id,origin,destination,per_day,load_t\n" + many, encoding="utf-8")
    seen = called("import", "flows.csv", "--base", "sourced.toml", "-o", "many.toml")
    assert seen.stderr.splitlines()[-1].endswith(": flows.csv, cells D2, E2, D3, E3, D4, E4 and 12 more")


def test_counts_are_no_values_of_a_scenario_and_may_name_their_source(workbook):
    path = workbook(
        {"counts": [["time_utc", "vehicles", "source"], *([f"2025-06-01 0{k}:00", k, "a camera"] for k in (1, 2))]}
    )
    assert cs.queue_counts(path).count.tolist() == [1.0, 2.0]
    told = refused(path)
    assert "has no sheet to read: it has counts" in told
    assert "counts are read by predict" in told


def test_half_a_range_or_one_without_a_reason_is_named_at_its_cell(workbook):
    header = ["id", "per_day", "per_day.low", "per_day.high"]
    assert "cell C2" in refused(workbook({"flows": [header, ["flour", 300, 250, 350]]}))
    assert "a range needs a source or a reason" in refused(workbook({"flows": [header, ["flour", 300, 250, 350]]}))
    assert "cell C2" in refused(workbook({"flows": [header, ["flour", 300, 250]]}))
    for name in ("no_such.low", "id.low", "per_day.lo"):
        assert "is no column of this table" in refused(workbook({"flows": [["id", name], ["flour", 1]]})), name
    rows = [["staff_pool", "from", "members", "members.low"], ["officers", "06:00", 4, 3]]
    assert "cell D1: 'members.low' is no column of this table" in refused(workbook({"rosters": rows}))


def test_tables_that_change_nothing_are_refused(workbook):
    assert "there is no value in any row" in refused(workbook({"flows": [["id", "per_day"]]}))
    assert "there is no value in any row" in refused(workbook({"flows": [["id", "per_day"], ["flour"]]}))


def test_a_name_in_capitals_or_with_blanks_is_said(workbook):
    assert "call 'Flows ' 'flows'" in refused(workbook({"Flows ": [["id", "per_day"], ["flour", 1]]}))
    found = refused(workbook({"flows": [[" Id", "per_day"], ["flour", 1]]}))
    assert "write 'id', without blanks and in small letters" in found
    assert "titles" not in found


def test_a_line_for_excel_that_names_the_sign_is_taken_and_cells_of_csv_have_no_sheet(tmp_path):
    path = tmp_path / "flows.csv"
    for line_end in ("\n", "\r\n"):
        path.write_bytes("sep=;\nid;per_day;load_t\nflour;151,5;2,25\n".replace("\n", line_end).encode())
        assert unsourced("teaching", path).flows["flour"].per_day == 151.5
    path.write_text("sep=;\nid;per_day\nflour;-1;7\n", encoding="utf-8")
    assert "flows.csv, cell C3: '7' has no header above it" in refused(path)


def test_a_hidden_sheet_a_hidden_column_and_a_sheet_too_few_are_refused(workbook):
    def hide(book, sheet):
        sheet.set_column(1, 1, None, None, {"hidden": True})

    assert "its column is hidden" in refused(workbook({"flows": [["id", "per_day"], ["flour", 1]]}, hide))
    found = refused(workbook({"Sheet1": [["id"], ["flour"]]}))
    assert "has no sheet to read: it has Sheet1" in found


def test_an_improvement_or_stage_that_is_not_there_is_named(workbook):
    found = refused(workbook({"costs": [["improvement", "capex_usd"], ["no_such", 1]]}))
    assert "sheet costs, cell A2" in found
    rows = [["checkpoint", "direction", "stage", "from", "lanes"], ["northgate_a", "exit", "lanes", "25:00", 3]]
    assert "cell D2" in refused(workbook({"rosters": rows}))


def test_cells_values_and_names_are_told_in_one_look_and_nothing_that_follows(workbook):
    path = workbook(
        {
            "flows": [
                ["id", "origin", "destination", "per_day", "speed"],
                ["flour", "mil", "market", "151,5", None],
                ["salt", "mill", "markt", -3.0, None],
                [None, "mill", "market", 3.0, None],
            ],
            "rosters": [
                ["checkpoint", "direction", "stage", "days", "from", "lanes"],
                ["northgate_a", "exit", "lanes", "Mon-Fri", "06:00", 2],
                ["northgate_a", "exit", "lanes", "Sat,Sun", "24:30", 1],  # without it no number on Saturday
                ["northgate_a", "exit", "line", "Mon-Sun", "06:00", 2],
            ],
            "costs": [["improvement", "capex_usd"], ["second_scaner", 3e6]],
        }
    )
    with pytest.raises(cs.ScenarioError) as caught:
        cs.import_tables("teaching", path)
    cells = [one.file.partition("sheet ")[2].replace("cell ", "") for one in caught.value.problems]
    flows = {"flows, E1", "flows, A4", "flows, B2", "flows, D2", "flows, C3", "flows, D3"}
    assert len(cells) == 9
    assert set(cells) == {*flows, "rosters, E3", "rosters, C4", "costs, A2"}
    assert "did you mean 'northgate_a.exit.lanes'?" in str(caught.value)


def test_what_is_no_workbook_is_refused(tmp_path):
    pytest.importorskip("python_calamine")
    (tmp_path / "x.xlsx").write_text("no zip", encoding="utf-8")
    assert "cannot be read as a workbook" in refused(tmp_path / "x.xlsx")
    assert "save it as .xlsx" in refused(tmp_path / "x.xls")
    assert "cannot be read as a workbook" in refused(tmp_path / "gone.xlsx")


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    with pytest.raises(MissingExtra, match=r"corridor-sim\[excel\]"):
        cs.import_tables("teaching", RUSSIAN)


# ---------------------------------------------------------------- signs of CSV


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("id,x\na,1.5\n", (",", ".")),
        ("id;x\na;1,5\n", (";", ",")),
        ("id;x\na;1.5\n", (";", ".")),
        ("id\tx\na\t1,25\n", ("\t", ",")),
        ("id;x\na;7\n", (";", ".")),
        ("id;x;y\na;1,234;1,5\n", (";", ",")),
        ("x\n1.5\n", (",", ".")),
    ],
)
def test_signs_are_found_where_they_can_be_told(text, signs):
    assert dialect_of(text, "a.csv") == signs


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id;x, y\na;1\n", "which one is between cells"),
        ("id;x\na;1,234\n", "can be taken in two ways (1,234)"),
        ("id;x\na;1.234\n", "can be taken in two ways (1.234)"),
        ("id;x;y\na;1,5;1.5\n", "can be taken in two ways (1,5, 1.5)"),
    ],
)
def test_signs_that_can_be_taken_in_two_ways_are_an_error(text, told):
    with pytest.raises(cs.ScenarioError) as caught:
        dialect_of(text, "a.csv")
    assert told in str(caught.value)
    assert dialect_of(text, "a.csv", ";", ",") == (";", ",")
