#!/usr/bin/env bash
# SciPy 1.17.1 (PyPI). Seen 2026-11-28.
# Expected: scipy.optimize.minimize(method="Nelder-Mead") on f = (x - 1)^2 + (y + 2)^2 ends at (1, -2), or does not say success; the
#   reference page says that the first simplex is made from the start, and tolerances default to 1e-4.
# Happens: the step of a coordinate that is not exactly 0 is 5 % of it, so from (1e-17, 0.5) the simplex is flat in x for good: it ends
#   with success=True at f = 1, x still 0. From (0, 0.5), where the step is an absolute one, it ends at (1, -2).
# Who meets it: whoever fits log-parameters of service times divided by their mean: the logarithm of 1 comes out as 1e-17, not 0.
# corridor_sim: fits of laws (docs/measured.md) hand over a first simplex of their own.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "scipy==1.17.1" "numpy==2.4.6" 2>/dev/null

cat > "$work/fit.py" <<'PY'
from scipy.optimize import minimize

for start in ([1e-17, 0.5], [0.0, 0.5], [0.5, 0.5]):
    found = minimize(lambda p: (p[0] - 1.0) ** 2 + (p[1] + 2.0) ** 2, start, method="Nelder-Mead")
    print(start, "success" if found.success else "failed", *(f"{value:.3f}" for value in (*found.x, found.fun)))
PY

cat > "$work/expected" <<'TXT'
[1e-17, 0.5] success 0.000 -2.000 1.000
[0.0, 0.5] success 1.000 -2.000 0.000
[0.5, 0.5] success 1.000 -2.000 0.000
TXT
"$work/venv/bin/python" "$work/fit.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
