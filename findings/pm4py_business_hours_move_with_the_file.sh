#!/usr/bin/env bash
# pm4py 2.7.23.11 with pandas 3.1.1 (PyPI). Seen 2026-11-28.
# Expected: an event log written to XES and read back gives the same durations; the file keeps each instant with its offset.
# Happens: durations in business hours are taken on the clock of the column. A log in local time (Asia/Tehran) has 8 working hours from
#   09:00 to 17:00; read back from its own XES file the column is in UTC (05:30 to 13:30), the slots are not, and 4.5 hours are
#   left (4 for Baku). Nothing is said. A log without a zone comes back as UTC with the same figures and keeps its 8 hours.
# Who meets it: time release studies, where stays are told in working hours of the post and logs are exchanged as XES.
# corridor_sim: writes XES with the offset of the post in each instant, and no durations in working hours. Convert to the post's zone after reading, before measuring.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "pm4py==2.7.23.11" "pandas==3.1.1" 2>/dev/null

cat > "$work/hours.py" <<'PY'
import pathlib
import sys

import pandas
import pm4py

NINE_TO_FIVE = [(day * 86_400 + 9 * 3_600, day * 86_400 + 17 * 3_600) for day in range(5)]


def hours(log):
    return pm4py.get_all_case_durations(log, business_hours=True, business_hour_slots=NINE_TO_FIVE)[0] / 3_600


for zone in (None, "Asia/Tehran", "Asia/Baku"):
    log = pandas.DataFrame(
        {
            "case:concept:name": ["truck 1", "truck 1"],
            "concept:name": ["arrival", "gate out"],
            "time:timestamp": pandas.to_datetime(["2026-06-10 09:00", "2026-06-10 17:00"]).tz_localize(zone),
        }
    )
    path = str(pathlib.Path(sys.argv[1]) / "log.xes")
    pm4py.write_xes(log, path, show_progress_bar=False)
    back = pm4py.read_xes(path, show_progress_bar=False)
    print("RESULT", zone, f"{hours(log):g} h, read back {hours(back):g} h in", back["time:timestamp"].dt.tz)
PY

cat > "$work/expected" <<'TXT'
RESULT None 8 h, read back 8 h in UTC
RESULT Asia/Tehran 8 h, read back 4.5 h in UTC
RESULT Asia/Baku 8 h, read back 4 h in UTC
TXT
"$work/venv/bin/python" -W ignore "$work/hours.py" "$work" 2> /dev/null | grep ^RESULT > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
