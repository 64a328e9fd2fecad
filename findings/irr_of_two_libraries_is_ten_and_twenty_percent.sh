#!/usr/bin/env bash
# numpy-financial 1.0.0, pyxirr 0.10.8 (PyPI). Seen 2026-11-28.
# Expected: irr() of the two is the rate at which the net present value of the flows is 0; neither reference page says which rate comes
#   where there are two, or that it tells.
# Happens: for -100, 230, -132 the one says 0.10 and the other 0.20; for -1000, 3000, -2200 it is 0.276 and 0.724. Both are roots, no
#   warning from either. At 15 %, between the roots, the first project is worth something, at 5 and 25 % it is not.
# Who meets it: whoever appraises a port or a post with a cost at the end (dredging, removal of a temporary terminal): the EIRR and the
#   decision depend on the package.
# corridor_sim: the EIRR of flows with several roots is NaN and the net present value decides (corridor_sim/statistics/economics.py).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "numpy-financial==1.0.0" "pyxirr==0.10.8" "numpy==2.4.6" 2>/dev/null

cat > "$work/rates.py" <<'PY'
import warnings

import numpy_financial
import pyxirr

warnings.simplefilter("error")
for flows in ([-100, 230, -132], [-1000, 3000, -2200], [-100, 60, 60]):
    print(flows, f"numpy-financial {numpy_financial.irr(flows):.3f}", f"pyxirr {pyxirr.irr(flows):.3f}")
print(*(f"{rate:.0%} {numpy_financial.npv(rate, [-100, 230, -132]):.2f}" for rate in (0.05, 0.15, 0.25)))
PY

cat > "$work/expected" <<'TXT'
[-100, 230, -132] numpy-financial 0.100 pyxirr 0.200
[-1000, 3000, -2200] numpy-financial 0.276 pyxirr 0.724
[-100, 60, 60] numpy-financial 0.131 pyxirr 0.131
5% -0.68 15% 0.19 25% -0.48
TXT
"$work/venv/bin/python" "$work/rates.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
