#!/usr/bin/env bash
# workalendar 17.0.0, holidays 0.109 (PyPI). Seen 2026-11-28.
# Expected: the public holidays of Kazakhstan after the amendments of 2022: Republic Day on 25 October is one again, 1 December (First
#   President) and the second day of December's Independence Day are none; of Russia in 2025 with the transfers of decree 1335 of 4
#   October 2024: 23 February and 8 March, a Sunday and a Saturday, are made good on 8 May and 13 June, not on the Mondays after.
# Happens: workalendar has 1 and 17 December and not 25 October in every year from 2023 on, and for Russia 24 February and 10 March
#   2025 as days off, 8 May and 13 June as working days; holidays has all of these as the law says.
# Who meets it: whoever takes days off of posts on the eastern branch (Kazakhstan) or at Samur and Verkhny Lars from such a package.
# corridor_sim: extra `calendars` reads holidays, and stores the list that was used with the run (D32).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "workalendar==17.0.0" "holidays==0.109" 2>/dev/null

cat > "$work/days.py" <<'PY'
import datetime

import holidays
from workalendar.asia import Kazakhstan
from workalendar.europe import Russia


def told(country, calendar, *days):
    for text in days:
        day = datetime.date.fromisoformat(text)
        print(country, day, "workalendar", day in dict(calendar.holidays(day.year)), "holidays", day in holidays.country_holidays(country))


told("KZ", Kazakhstan(), "2023-10-25", "2024-10-25", "2024-12-01", "2024-12-16", "2024-12-17", "2025-10-25")
told("RU", Russia(), "2025-02-24", "2025-03-10", "2025-05-08", "2025-06-12", "2025-06-13")
PY

cat > "$work/expected" <<'TXT'
KZ 2023-10-25 workalendar False holidays True
KZ 2024-10-25 workalendar False holidays True
KZ 2024-12-01 workalendar True holidays False
KZ 2024-12-16 workalendar True holidays True
KZ 2024-12-17 workalendar True holidays False
KZ 2025-10-25 workalendar False holidays True
RU 2025-02-24 workalendar True holidays False
RU 2025-03-10 workalendar True holidays False
RU 2025-05-08 workalendar False holidays True
RU 2025-06-12 workalendar True holidays True
RU 2025-06-13 workalendar False holidays True
TXT
"$work/venv/bin/python" "$work/days.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
