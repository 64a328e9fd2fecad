#!/usr/bin/env bash
# xlsxwriter 3.3.1, openpyxl 3.1.5, python-calamine 0.9.1 (PyPI). Seen 2026-11-28.
# Expected: a number written to a workbook and read again is the same double, as from CSV, JSON or Parquet: the file holds decimal texts, for
#   which 17 digits do, and the page of write_number speaks of IEEE-754 doubles.
# Happens: xlsxwriter and openpyxl both write 16 significant digits, so that 572 of the doubles 1/1 to 1/1000 come back as a neighbour.
# Who meets it: whoever hands results over as a workbook and holds them against the run by ==, or takes a hash of the table.
# corridor_sim: says so (docs/exchange.md), and its test compares to 1e-15 (tests/unit/test_exchange.py).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "xlsxwriter==3.3.1" "openpyxl==3.1.5" "python-calamine==0.9.1" 2>/dev/null

cat > "$work/waits.py" <<'PY'
import sys

import openpyxl
import python_calamine
import xlsxwriter

folder = sys.argv[1]
waits_h = [1 / k for k in range(1, 1001)]
with xlsxwriter.Workbook(f"{folder}/x.xlsx") as book:
    book.add_worksheet().write_column(0, 0, waits_h)
book = openpyxl.Workbook()
for wait_h in waits_h:
    book.active.append([wait_h])
book.save(f"{folder}/o.xlsx")
for name in "xo":
    rows = python_calamine.load_workbook(f"{folder}/{name}.xlsx").get_sheet_by_index(0).to_python()
    same = sum(row[0] == wait_h for row, wait_h in zip(rows, waits_h, strict=True))
    print({"x": "xlsxwriter", "o": "openpyxl"}[name], same, "of", len(waits_h), "are the same")
PY

"$work/venv/bin/python" "$work/waits.py" "$work" > "$work/seen"
cat > "$work/expected" <<'TXT'
xlsxwriter 428 of 1000 are the same
openpyxl 428 of 1000 are the same
TXT
diff "$work/expected" "$work/seen" && echo "unchanged"
