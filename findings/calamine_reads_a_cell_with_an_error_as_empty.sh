#!/usr/bin/env bash
# python-calamine 0.9.1, openpyxl 3.1.5 (PyPI). Seen 2026-11-28.
# Expected: a cell whose formula ended in #N/A or #DIV/0! can be told from one that was left empty; its page speaks of neither.
# Happens: to_python() gives '' for both; openpyxl gives the text of the error and None.
# Who meets it: whoever takes lanes, counts or costs of posts from a ministry's workbook, where a lookup that failed is #N/A: read with
#   calamine (also through pandas, engine="calamine") a post whose figure failed looks like one that has none.
# corridor_sim: looks at the XML of the sheet too, and names every cell with an error (tests/unit/test_import_tables.py).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "python-calamine==0.9.1" "openpyxl==3.1.5" "xlsxwriter==3.3.1" 2>/dev/null

cat > "$work/cells.py" <<'PY'
import sys

import openpyxl
import python_calamine
import xlsxwriter

path = sys.argv[1]
book = xlsxwriter.Workbook(path)
sheet = book.add_worksheet()
sheet.write_row(0, 0, ["post", "lanes"])
sheet.write(1, 0, "Astara")
sheet.write_formula(1, 1, '=VLOOKUP("Astara",D1:E9,2,FALSE)', None, "#N/A")
sheet.write(2, 0, "Samur")
sheet.write_formula(2, 1, "=250/0", None, "#DIV/0!")
sheet.write(3, 0, "Yalama")
sheet.write(4, 0, "Bilasuvar")
sheet.write(4, 1, 4)
book.close()
print("calamine", python_calamine.load_workbook(path).get_sheet_by_index(0).to_python()[1:])
print("openpyxl", [[cell.value for cell in row] for row in openpyxl.load_workbook(path, data_only=True).active][1:])
PY

cat > "$work/expected" <<'TXT'
calamine [['Astara', ''], ['Samur', ''], ['Yalama', ''], ['Bilasuvar', 4.0]]
openpyxl [['Astara', '#N/A'], ['Samur', '#DIV/0!'], ['Yalama', None], ['Bilasuvar', 4]]
TXT
"$work/venv/bin/python" "$work/cells.py" "$work/posts.xlsx" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
