#!/usr/bin/env bash
# Khayyam 3.0.17, convertdate 2.5.1, jdatetime 6.1.1 (PyPI). Seen 2026-11-28.
# Expected: 1 Farvardin 1404, Novruz in Iran, is 21 March 2025, and 1403 has 366 days (calendar of the University of Tehran).
# Happens: Khayyam takes 1404 for the leap year instead of 1403 (the 2820-year cycle), so every day from 20 March 2025 to 20 March 2026
#   has the wrong Iranian date, and 30 Esfand 1403 does not exist in it. The two others are right for all years tried.
# Who meets it: whoever reads Iranian customs statistics or the decrees of a post by their Iranian dates: a year of them is a day off.
# corridor_sim: has no Iranian dates of its own; its calendars come from IANA zones and lists of dates. Known to the maintainers (issues 41,
#   43, 45 of pylover/khayyam, open), not mended in the release.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "khayyam==3.0.17" "convertdate==2.5.1" "jdatetime==6.1.1" 2>/dev/null

cat > "$work/novruz.py" <<'PY'
import datetime

import jdatetime
import khayyam
from convertdate import persian

for year in (1402, 1403, 1404, 1405, 1409):
    print(
        year,
        "khayyam",
        khayyam.JalaliDate(year, 1, 1).todate(),
        "convertdate",
        datetime.date(*persian.to_gregorian(year, 1, 1)),
        "jdatetime",
        jdatetime.date(year, 1, 1).togregorian(),
    )
print("leap 1403", khayyam.JalaliDate(1403, 1, 1).isleap, persian.leap(1403), jdatetime.date(1403, 1, 1).isleap())
PY

cat > "$work/expected" <<'TXT'
1402 khayyam 2023-03-21 convertdate 2023-03-21 jdatetime 2023-03-21
1403 khayyam 2024-03-20 convertdate 2024-03-20 jdatetime 2024-03-20
1404 khayyam 2025-03-20 convertdate 2025-03-21 jdatetime 2025-03-21
1405 khayyam 2026-03-21 convertdate 2026-03-21 jdatetime 2026-03-21
1409 khayyam 2030-03-21 convertdate 2030-03-21 jdatetime 2030-03-21
leap 1403 False True True
TXT
"$work/venv/bin/python" "$work/novruz.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
