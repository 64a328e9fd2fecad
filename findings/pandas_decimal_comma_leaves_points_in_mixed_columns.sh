#!/usr/bin/env bash
# pandas 3.1.1 (PyPI). Seen 2026-11-28.
# Expected: to_csv(sep=";", decimal=",") writes every number with a comma: "Character recognized as decimal separator" (page of DataFrame.to_csv).
# Happens: numbers in a column of objects (a text or a bound beside numbers) keep the point, so one file has both signs.
# Who meets it: whoever writes a table of inputs ("value" is 250, 0.35 or "unlimited") for a spreadsheet of a country with decimal commas,
#   where 0.35 is then a text and 1.5 the first of May.
# corridor_sim: turns them before it writes (report/tables.py, tests/unit/test_csv_dialects.py).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "pandas==3.1.1" 2>/dev/null

cat > "$work/table.py" <<'PY'
import pandas as pd

frame = pd.DataFrame({"input": ["share", "yard", "rate"], "old": [0.25, 2.5, 1.5], "new": [0.35, "unlimited", 1.5]})
print(frame.to_csv(sep=";", decimal=",", index=False), end="")
PY

cat > "$work/expected" <<'TXT'
input;old;new
share;0,25;0.35
yard;2,5;unlimited
rate;1,5;1.5
TXT
"$work/venv/bin/python" "$work/table.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
