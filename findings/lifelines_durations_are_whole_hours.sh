#!/usr/bin/env bash
# lifelines 0.30.3 (PyPI). Seen 2026-11-29.
# Expected: datetimes_to_durations(starts, ends, freq="h") gives the durations in hours; its documentation: "array of floats
#   representing the durations with time units given by freq".
# Happens: the floats are whole units, cut downwards: a wait of 40 minutes is 0 hours, one of 1 h 59 min is 1. Waits with a mean of 1.32 h
#   get one of 0.84 h, and WeibullFitter refuses the zeros. With freq="s" and a division by 3600 the figures are right.
# Who meets it: whoever fits waits or clearance times from the timestamps of a post with lifelines, for which the function is recommended.
# corridor_sim: hours are floats in every table; no use of lifelines.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "lifelines==0.30.3" "pandas==2.3.3" "numpy==2.4.6" "scipy==1.17.1" 2>/dev/null

cat > "$work/waits.py" <<'PY'
import warnings

warnings.simplefilter("ignore")
import numpy as np
import pandas as pd
from lifelines import WeibullFitter
from lifelines.utils import datetimes_to_durations

minutes = np.round(90 * np.random.default_rng(1).weibull(2.0, 2000)).clip(1)
arrived = pd.Series(pd.Timestamp("2026-03-01") + pd.to_timedelta(np.arange(2000) * 10, unit="min"))
left = arrived + pd.to_timedelta(minutes, unit="min")
hours, _ = datetimes_to_durations(arrived, left, fill_date="2027-01-01", freq="h")
seconds, _ = datetimes_to_durations(arrived, left, fill_date="2027-01-01", freq="s")
print("40 and 119 minutes in hours:", datetimes_to_durations(["2026-03-01 10:00"] * 2, ["2026-03-01 10:40", "2026-03-01 11:59"], freq="h")[0])
print(f"mean wait: {minutes.mean() / 60:.3f} h, in hours {hours.mean():.3f}, in seconds {seconds.mean() / 3600:.3f}")
print(f"waits of 0 h: {int((hours == 0).sum())} of {len(hours)}")
try:
    WeibullFitter().fit(hours)
except ValueError as error:
    print("WeibullFitter of the hours:", str(error).split(".")[0])
fit = WeibullFitter().fit(seconds / 3600)
print(f"WeibullFitter of the seconds: scale {fit.lambda_:.2f} h, shape {fit.rho_:.2f}")
PY

cat > "$work/expected" <<'TXT'
40 and 119 minutes in hours: [0. 1.]
mean wait: 1.324 h, in hours 0.836, in seconds 1.324
waits of 0 h: 698 of 2000
WeibullFitter of the hours: This model does not allow for non-positive durations
WeibullFitter of the seconds: scale 1.49 h, shape 2.01
TXT
"$work/venv/bin/python" "$work/waits.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
