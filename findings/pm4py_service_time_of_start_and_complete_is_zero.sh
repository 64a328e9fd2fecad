#!/usr/bin/env bash
# pm4py 2.7.23.11 with pandas 3.1.1 (PyPI). Seen 2026-11-28.
# Expected: of a log whose events are `start` and `complete` of the standard lifecycle of XES, which pm4py reads and writes, the
#   service time of a stage is complete - start: half an hour and an hour at the booth, 45 minutes on average.
# Happens: `get_service_time` is 0 for every stage, and `insert_case_service_waiting_time` books the whole stay as waiting, without a
#   word: both take a start from a column `start_timestamp`, and where there is none, the time of the event itself. After
#   `interval_lifecycle.to_interval` (which drops `schedule`, and with it the queue) and with the column named, it is 45 minutes.
# Who meets it: anybody who asks an event log of a border whether trucks wait or are served; all of it is waiting then.
# corridor_sim: writes schedule, start and complete. Take waits as durations between schedule and start, as tests/unit/test_event_logs.py does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "pm4py==2.7.23.11" "pandas==3.1.1" 2>/dev/null

cat > "$work/service.py" <<'PY'
import pathlib
import sys

import pandas
import pm4py
from pm4py.objects.log.util import interval_lifecycle

EVENTS = [
    ("truck 1", "schedule", "08:00"), ("truck 1", "start", "09:00"), ("truck 1", "complete", "09:30"),
    ("truck 2", "schedule", "08:10"), ("truck 2", "start", "09:30"), ("truck 2", "complete", "10:30"),
]
log = pandas.DataFrame(
    [
        {
            "case:concept:name": case,
            "concept:name": "booth",
            "lifecycle:transition": word,
            "time:timestamp": pandas.Timestamp(f"2026-06-01 {time}", tz="UTC"),
        }
        for case, word, time in EVENTS
    ]
)
path = str(pathlib.Path(sys.argv[1]) / "log.xes")
pm4py.write_xes(log, path, show_progress_bar=False)
log = pm4py.read_xes(path, show_progress_bar=False)
log = log[log["lifecycle:transition"] != "schedule"]
print("RESULT events as they are:", f"{pm4py.get_service_time(log)['booth'] / 60:g} min of service")
times = pm4py.insert_case_service_waiting_time(log).groupby("case:concept:name").first()
for case, row in times.iterrows():
    print("RESULT", case, f"service {row['@@service_time'] / 60:g} min, waiting {row['@@waiting_time'] / 60:g} min")
between = pm4py.convert_to_dataframe(interval_lifecycle.to_interval(pm4py.convert_to_event_log(log)))
told = pm4py.get_service_time(between, start_timestamp_key="start_timestamp")
print("RESULT as intervals:", f"{told['booth'] / 60:g} min of service")
PY

cat > "$work/expected" <<'TXT'
RESULT events as they are: 0 min of service
RESULT truck 1 service 0 min, waiting 30 min
RESULT truck 2 service 0 min, waiting 60 min
RESULT as intervals: 45 min of service
TXT
"$work/venv/bin/python" -W ignore "$work/service.py" "$work" 2> /dev/null | grep ^RESULT > "$work/seen"
cat "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
