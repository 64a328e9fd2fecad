#!/usr/bin/env bash
# dateparser 1.5.0 (PyPI). Seen 2026-11-29.
# Expected: in a given language one order of day, month and year for all dates with the year in four digits at the end: it is the order of
#   the language (settings page, DATE_ORDER and PREFER_LOCALE_DATE_ORDER); a leading zero says nothing.
# Happens: in Persian, Hungarian and Lithuanian 05/03/2026 is 5 March and 5/3/2026 is 3 May, without a warning, also with dots and hyphens.
#   From the 13th of a month on both are read alike, so most of a log looks right. Russian, Azerbaijani and Turkish are read alike.
# Who meets it: whoever reads logs of posts in Iran or on the border of Hungary that two clerks wrote: stays of two months, or below zero.
# corridor_sim: a log of a time release study states its forms, and a time that two of them read differently is refused (docs/time-release.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "dateparser==1.5.0" 2>/dev/null

cat > "$work/dates.py" <<'PY'
import warnings

import dateparser

warnings.simplefilter("ignore")
for language in ("fa", "hu", "lt", "ru", "az", "tr"):
    texts = ("05/03/2026", "5/3/2026", "05.03.2026", "5.3.2026", "5-3-2026", "15/3/2026")
    read = (dateparser.parse(text, languages=[language]) for text in texts)
    print(language, *(f"| {text}: {one:%d %B}" for text, one in zip(texts, read)))
PY

cat > "$work/expected" <<'TXT'
fa | 05/03/2026: 05 March | 5/3/2026: 03 May | 05.03.2026: 05 March | 5.3.2026: 03 May | 5-3-2026: 03 May | 15/3/2026: 15 March
hu | 05/03/2026: 05 March | 5/3/2026: 03 May | 05.03.2026: 05 March | 5.3.2026: 03 May | 5-3-2026: 03 May | 15/3/2026: 15 March
lt | 05/03/2026: 05 March | 5/3/2026: 03 May | 05.03.2026: 05 March | 5.3.2026: 03 May | 5-3-2026: 03 May | 15/3/2026: 15 March
ru | 05/03/2026: 05 March | 5/3/2026: 05 March | 05.03.2026: 05 March | 5.3.2026: 05 March | 5-3-2026: 05 March | 15/3/2026: 15 March
az | 05/03/2026: 05 March | 5/3/2026: 05 March | 05.03.2026: 05 March | 5.3.2026: 05 March | 5-3-2026: 05 March | 15/3/2026: 15 March
tr | 05/03/2026: 05 March | 5/3/2026: 05 March | 05.03.2026: 05 March | 5.3.2026: 05 March | 5-3-2026: 05 March | 15/3/2026: 15 March
TXT
LC_ALL=C "$work/venv/bin/python" "$work/dates.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
