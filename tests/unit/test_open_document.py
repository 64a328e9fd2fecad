"""Tables from OpenDocument spreadsheets: the same as from Excel, and everything that is wrong with a cell by name.

`tables/tables_libreoffice.ods` and `tables/faults_libreoffice.ods` were saved by LibreOffice 7.4; the other sheets are
written by hand from the standard (OASIS OpenDocument 1.3), as programs other than LibreOffice write them.
"""

import datetime as dt
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.files.open_document import MAX_CELLS
from corridor_sim.files.sheets import read_workbook

FOLDER = Path(__file__).parent / "tables"
SAVED, FAULTS = FOLDER / "tables_libreoffice.ods", FOLDER / "faults_libreoffice.ods"
NAMES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "style", "table", "text")
)


@pytest.fixture
def document(tmp_path):
    """A function that writes the inside of a sheet ``flows`` to an .ods file, and something before the sheet."""

    def write(inside, before="", styles="", after=""):
        path = tmp_path / "tables.ods"
        text = (
            f"<office:document-content{NAMES}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
            f'<office:spreadsheet>{before}<table:table table:name="flows" table:style-name="ta1">{inside}</table:table>'
            f"{after}</office:spreadsheet></office:body></office:document-content>"
        )
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("content.xml", text)
        return path

    return write


def row(*cells, is_hidden=False, times=1):
    """A row; numbers and texts as cells of their types, what begins with < as it stands."""
    told = []
    for cell in cells:
        if isinstance(cell, str) and not cell.startswith("<"):
            cell = f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        elif cell is None or isinstance(cell, (int, float)):
            kind = f' office:value-type="float" office:value="{cell}"' if cell is not None else ""
            cell = f"<table:table-cell{kind}/>"
        told.append(cell)
    hidden = ' table:visibility="collapse"' if is_hidden else ""
    return f'<table:table-row{hidden} table:number-rows-repeated="{times}">{"".join(told)}</table:table-row>'


def cell(kind, value="", inside="", formula=""):
    names = {"float": "value", "percentage": "value", "currency": "value"}
    given = f' office:{names.get(kind, f"{kind}-value")}="{value}"' if value else ""
    told = f' office:value-type="{kind}"' if kind else ""
    return (
        f"<table:table-cell{told}{given}{f' table:formula={formula!r}' if formula else ''}>{inside}</table:table-cell>"
    )


def read(path):
    """The sheet ``flows``: rows as dicts of values by header, and what is wrong as texts."""
    (sheet,) = read_workbook(path, ("flows",))
    return [(n, {key: one.value for key, one in cells.items()}) for n, cells in sheet.rows], [
        str(problem).partition("cell ")[2] for problem in sheet.problems
    ]


def refused(path):
    with pytest.raises(cs.ScenarioError) as caught:
        cs.import_tables("teaching", path)
    return str(caught.value)


# ---------------------------------------------------------------- saved by LibreOffice


def test_a_document_of_libreoffice_says_the_same_as_the_toml():
    with pytest.warns(cs.CorridorWarning, match="new values without a source"):
        made = cs.import_tables("teaching", SAVED)
    flour, bread = made.flows["flour"], made.flows["bread"]
    assert (flour.per_day, flour.load_t, flour.value_usd_t, flour.growth_per_year) == (151.5, 20.25, 400.0, 0.03)
    assert (bread.per_day, bread.load_t, bread.value_usd_t, bread.growth_per_year) == (40.125, 12.5, 1234.5, -0.01)
    assert (flour.growth_from, bread.growth_from) == (dt.datetime(2024, 1, 1), dt.datetime(2024, 3, 15))
    assert (flour.note, bread.note) == ("проверено", "свежий, каждый день")  # the remark on a cell is none of it
    roster = {"Mon-Fri 06:00": 4, "Mon-Fri 20:00": 2, "Sat-Sun 08:30": 1}
    assert made.checkpoints["northgate_a"].exit["lanes"].lanes_by_hour == roster
    counts = cs.queue_counts(SAVED)
    assert (counts.start, counts.count.tolist()) == (dt.datetime(2025, 6, 1), [12.0, 15.0])
    assert (counts.time_h[1] - counts.time_h[0]) == 2.0


def test_every_fault_of_a_document_of_libreoffice_is_named_at_once():
    told = refused(FAULTS)
    for sheet, place, text in (
        ("flows", "B2", "'#N/A' is an error of the spreadsheet"),
        ("flows", "C2", "'#DIV/0!' is an error of the spreadsheet"),
        ("flows", "A3", "its row is hidden"),
        ("flows", "A5:B5", "cells are merged"),
        ("flows", "A6", "must be a text: the id of the row"),
        ("flows", "B7", "'1 day, 12:00:00' is a time or a duration"),
        ("flows", "D1", "its column is hidden"),
        ("flows", "A100", "is there twice"),
        ("costs", "A1", "the sheet is hidden"),
        ("rosters", "A3", "its row is hidden"),  # by a filter
    ):
        lines = [line for line in told.splitlines() if f"sheet {sheet}, cell {place}:" in line]
        assert any(text in line for line in lines), (place, told)
    assert len(told.splitlines()) == 13  # and the improvement and two staff pools that the base has not


def test_the_command_line_reads_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = called("import", SAVED, "--base", "teaching", "-o", "mine.toml")
    assert seen.exit_code == 0, seen.output
    assert cs.load_scenario("mine.toml").flows["flour"].per_day == 151.5
    seen = called("import", FAULTS, "--base", "teaching", "-o", "no.toml")
    assert seen.exit_code == 2
    assert "cell B2: '#N/A' is an error of the spreadsheet" in seen.stderr


def test_a_release_study_is_the_same_as_from_its_csv(document):
    folder = Path(__file__).parents[2] / "docs" / "time_release"
    rows = [line.split(",") for line in (folder / "study.csv").read_text(encoding="utf-8").splitlines()]
    path = document(
        "".join(
            row(*(cell("date", one.replace(" ", "T")) if one[:4] == "2026" else one or None for one in r)) for r in rows
        )
    )
    plain = cs.read_release_study(folder / "study.toml")
    columns = plain.columns.model_copy(update={"csv": "study.ods", "sheet": "flows"})
    read = cs.read_release_study(columns, csv_path=path)
    assert np.array_equal(plain.time_h, read.time_h, equal_nan=True)
    assert (plain.consignments, plain.channel.tolist()) == (read.consignments, read.channel.tolist())


# ---------------------------------------------------------------- by hand


def test_values_have_their_kinds(document):
    header = row("number", "share", "price", "day", "instant", "time", "span", "before", "truth", "text")
    values = row(
        cell("float", "7"),
        cell("percentage", "0.03"),
        cell("currency", "1234.5"),
        cell("date", "2024-03-15"),
        cell("date", "2024-03-15T08:30:15.500000000"),
        cell("time", "PT08H30M00S"),
        cell("time", "P1DT12H"),
        cell("time", "-PT01H00M00S"),
        cell("boolean", "true"),
        cell(
            "string",
            inside='<text:p>a<text:s text:c="2"/><text:span>b</text:span></text:p><text:p>c<text:tab/>d</text:p>',
        ),
    )
    ((number, cells),), problems = read(document(header + values))
    assert (number, problems) == (2, [])
    assert list(cells.values()) == [
        *(7, 0.03, 1234.5, dt.date(2024, 3, 15), dt.datetime(2024, 3, 15, 8, 30, 15, 500000), dt.time(8, 30)),
        *(dt.timedelta(hours=36), dt.timedelta(hours=-1), True, "a  b\nc\td"),
    ]
    assert isinstance(cells["truth"], bool)


def test_cells_and_rows_that_stand_for_many_are_counted(document):
    empty = '<table:table-cell table:number-columns-repeated="16000"/>'
    many = '<table:table-cell office:value-type="float" office:value="5" table:number-columns-repeated="2"/>'
    inside = (
        row(empty, times=3)
        + f"<table:table-header-rows>{row('id', 'a', 'b')}</table:table-header-rows>"
        + f"<table:table-row-group><table:table-row-group>{row('x', many, empty)}</table:table-row-group>"
        + "</table:table-row-group>"
        + row("y", None, 1, times=2)
        + row(empty, times=1048000)
    )
    rows, problems = read(document(inside))
    assert rows == [(5, {"id": "x", "a": 5, "b": 5}), (6, {"id": "y", "b": 1}), (7, {"id": "y", "b": 1})]
    assert problems == []


def test_formulas_errors_and_numbers_without_a_value_are_named(document):
    inside = row("a", "b", "c", "d", "e", "f", "g", "h") + row(
        cell("float", "150", "<text:p>150</text:p>", "of:=100+50"),
        cell("", formula="of:=100+50"),  # nobody has reckoned it
        cell("", inside="<text:p/>", formula="of:=IF(1=2;1;T(0))"),  # an empty text
        cell("float", "0", "<text:p>#DIV/0!</text:p>", "of:=1/0"),
        cell("float"),
        cell("float", "NaN"),
        cell("date", "2024-13-40"),
        cell("time", "8 h"),
    )
    ((_, cells),), problems = read(document(inside))
    assert cells == {"a": 150}
    assert problems == [
        "B2: has a formula without a stored value; open the file in a spreadsheet and save it",
        "D2: '#DIV/0!' is an error of the spreadsheet; mend its formula",
        "E2: is a number without a value; type it, or empty the cell",
        "F2: 'NaN' is a number without a value; type it, or empty the cell",
        "G2: '2024-13-40' is a date without a value; type it, or empty the cell",
        "H2: '8 h' is a time without a value; type it, or empty the cell",
    ]


def test_what_is_hidden_is_named_where_it_holds_values(document):
    columns = (
        '<table:table-column/><table:table-column table:visibility="collapse"/>'
        '<table:table-column table:visibility="collapse" table:number-columns-repeated="16382"/>'
    )
    inside = columns + row("id", "a") + row("x", 1) + row("y", is_hidden=True) + row(None, is_hidden=True, times=1000)
    style = (
        '<style:style style:name="ta1" style:family="table">'
        '<style:table-properties table:display="false"/></style:style>'
    )
    _, problems = read(document(inside, styles=style))
    assert [problem.partition(";")[0] for problem in problems] == [
        "A1: the sheet is hidden",
        "B1: its column is hidden",
        "A3: its row is hidden",
    ]


def test_cells_over_several_columns_or_rows_are_named(document):
    merged = (
        '<table:table-cell office:value-type="string" table:number-columns-spanned="2" table:number-rows-spanned="3">'
        "<text:p>x</text:p></table:table-cell><table:covered-table-cell/>"
    )
    _, problems = read(document(row("id", "a", "b") + row(None, merged)))
    assert problems == ["B2:C4: cells are merged; split them, a value in each"]


def test_changes_that_were_recorded_and_tables_inside_cells_are_no_rows(document):
    old = f"<table:tracked-changes><table:deletion>{row('old', 1)}</table:deletion></table:tracked-changes>"
    inner = f'<table:table-cell><table:table table:name="inner">{row("in", 9)}</table:table></table:table-cell>'
    other = f'<table:table table:name="notes">{row("other", 3)}</table:table>'
    rows, problems = read(document(row("id", "a") + row("x", 2, inner), before=old, after=other))
    assert (rows, problems) == ([(2, {"id": "x", "a": 2})], [])


def test_more_cells_than_any_table_has_are_refused_before_they_are_made(document):
    many = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16384"/>'
    told = refused(document(row("id") + row(many, times=1048000)))
    assert told.endswith(f"tables.ods: has more than {MAX_CELLS} cells with a value")


def test_what_is_no_document_or_has_no_such_sheet_is_refused(document, tmp_path):
    path = tmp_path / "x.ods"
    assert "cannot be read as a workbook" in refused(path)
    path.write_text("no zip", encoding="utf-8")
    assert "cannot be read as a workbook" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", b"\x00\x17 locked with a password")
    assert "cannot be read as a workbook" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "text")
    assert "cannot be read as a workbook" in refused(path)
    with pytest.raises(cs.ScenarioError, match="has no sheet to read: it has flows"):
        cs.queue_counts(document(row("id")))
    (tmp_path / "x.xls").write_text("", encoding="utf-8")
    assert "save it as .xlsx or .ods" in refused(tmp_path / "x.xls")


def test_it_is_read_without_the_library_that_excel_needs(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    assert cs.queue_counts(SAVED).count.tolist() == [12.0, 15.0]
