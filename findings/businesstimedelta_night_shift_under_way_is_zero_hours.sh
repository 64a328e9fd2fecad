#!/usr/bin/env bash
# businesstimedelta 1.0.1 (PyPI). Seen 2026-11-29.
# Expected: a rule whose end is before its start is a shift over midnight (README, "Overnight Shifts"), and `difference` is the working time
#   between two instants: of a shift from 20:00 to 04:00, what is handled from 22:00 to 02:00 took 4 working hours.
# Happens: the part of a shift that was under way at the first instant is not counted: 22:00 to 02:00 is 0 hours, and so is the whole
#   shift from 20:00 to 04:00; from 19:00 it is 8. A calendar day is 4 hours and a week 52, not 8 and 56.
# Who meets it: whoever turns stamps of a customs post with a night shift into working hours: clearances at night took no time.
# corridor_sim: hours may run over midnight and over the end of the week (S22 in docs/rules.md, with its tests).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "businesstimedelta==1.0.1" "pytz==2026.2" 2>/dev/null

cat > "$work/night.py" <<'PY'
import datetime as dt

import businesstimedelta

night = businesstimedelta.WorkDayRule(start_time=dt.time(20), end_time=dt.time(4), working_days=range(7))
hours = businesstimedelta.Rules([night])


def by_the_minute(begin, end):
    """Working hours, counted minute by minute."""
    minutes = range(int((end - begin).total_seconds() // 60))
    at = (begin + dt.timedelta(minutes=k) for k in minutes)
    return sum(one.hour >= 20 or one.hour < 4 for one in at) / 60


def day(number, hour):
    return dt.datetime(2026, 6, number, hour)


for name, begin, end in (
    ("22:00 to 02:00", day(3, 22), day(4, 2)),
    ("20:00 to 04:00", day(3, 20), day(4, 4)),
    ("19:00 to 05:00", day(3, 19), day(4, 5)),
    ("a calendar day", day(3, 0), day(4, 0)),
    ("a week", day(1, 0), day(8, 0)),
):
    told = hours.difference(begin, end)
    print(f"{name}: {told.hours + told.seconds / 3600:g} h, by the minute {by_the_minute(begin, end):g} h")
PY

cat > "$work/expected" <<'TXT'
22:00 to 02:00: 0 h, by the minute 4 h
20:00 to 04:00: 0 h, by the minute 8 h
19:00 to 05:00: 8 h, by the minute 8 h
a calendar day: 4 h, by the minute 8 h
a week: 52 h, by the minute 56 h
TXT
"$work/venv/bin/python" "$work/night.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
