#!/usr/bin/env bash
# python-calamine 0.9.1, pandas 3.1.1, odfpy 1.4.1, openpyxl 3.1.5 (PyPI). Seen 2026-11-29.
# Expected: a duration in a workbook is a duration, in .ods as in .xlsx (OpenDocument 1.3, part 3, value type "time": an xsd:duration).
# Happens: of .ods calamine gives 8:30 h as a time of day and 36 h as the text of the XML; pandas with engine="odf" stops at 36 h ("hour must
#   be in 0..23"). Of .xlsx the same two are timedeltas, by calamine and by openpyxl.
# Who meets it: whoever takes stays at a border from a release study kept in LibreOffice: stays over a day are texts among times.
# corridor_sim: reads the XML of .ods itself: a longer duration is one, and is told where a number belongs (tests/unit/test_open_document.py).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    "python-calamine==0.9.1" "pandas==3.1.1" "odfpy==1.4.1" "openpyxl==3.1.5" 2>/dev/null

cat > "$work/stays.py" <<'PY'
import datetime as dt
import sys

import openpyxl
import pandas as pd
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P


def row(*cells):
    made = TableRow()
    for cell in cells:
        made.addElement(cell)
    return made


def cell(text, **told):
    made = TableCell(**told)
    made.addElement(P(text=text))
    return made


def seen(path, engine):
    try:
        return [f"{type(one).__name__} {one}" for one in pd.read_excel(path, engine=engine)["stay"]]
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


open_path, excel_path = sys.argv[1:]
book = OpenDocumentSpreadsheet()
sheet = Table(name="stays")
book.spreadsheet.addElement(sheet)
sheet.addElement(row(cell("stay", valuetype="string")))
sheet.addElement(row(cell("08:30:00", valuetype="time", timevalue="PT08H30M00S")))
sheet.addElement(row(cell("36:00:00", valuetype="time", timevalue="PT36H00M00S")))
book.save(open_path)
book = openpyxl.Workbook()
book.active.append(["stay"])
book.active.append([dt.timedelta(hours=8, minutes=30)])
book.active.append([dt.timedelta(hours=36)])
book.save(excel_path)
print("ods calamine", seen(open_path, "calamine"))
print("ods odf", seen(open_path, "odf"))
print("xlsx calamine", seen(excel_path, "calamine"))
print("xlsx openpyxl", seen(excel_path, "openpyxl"))
PY

cat > "$work/expected" <<'TXT'
ods calamine ['time 08:30:00', 'str PT36H00M00S']
ods odf DateParseError: hour must be in 0..23: 36:00:00
xlsx calamine ['Timedelta 0 days 08:30:00', 'Timedelta 1 days 12:00:00']
xlsx openpyxl ['Timedelta 0 days 08:30:00', 'Timedelta 1 days 12:00:00']
TXT
"$work/venv/bin/python" "$work/stays.py" "$work/stays.ods" "$work/stays.xlsx" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
