#!/usr/bin/env bash
# SciPy 1.17.1 (PyPI). Seen 2026-11-28.
# Expected: scipy.stats.qmc.Sobol(90, scramble=True) with independent seeds gives independent randomisations, so that what two inputs
#   share by chance in one set of 128 points is another in the next, as with 128 random points (a correlation of some 0.09).
# Happens: some pairs of dimensions have a correlation of about 0.75 in size in every scramble, at 64 and at 128 points; 20 seeds in 20.
#   Scrambling changes the sign, not the tie. At 256 points it is 0 in some scrambles and 0.38 in others.
# Who meets it: whoever draws many uncertain inputs of a transport model by few Sobol points in several scrambles: an effect of one
#   input is told of another, and repeating the study with other scrambles confirms it.
# corridor_sim: deals the dimensions to the inputs anew in each scramble (docs/uncertainty.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "scipy==1.17.1" "numpy==2.4.6" 2>/dev/null

cat > "$work/tied.py" <<'PY'
import numpy as np
from scipy.stats import qmc

for pair, n in (((65, 86), 64), ((49, 55), 128), ((36, 86), 256)):
    sets = [qmc.Sobol(90, scramble=True, seed=seed).random(n) for seed in range(20)]
    sizes = sorted(abs(float(np.corrcoef(points[:, pair].T)[0, 1])) for points in sets)
    print(n, "points: correlation in size from", f"{sizes[0]:.1f}", "to", f"{sizes[-1]:.1f}")
PY

cat > "$work/expected" <<'TXT'
64 points: correlation in size from 0.7 to 0.8
128 points: correlation in size from 0.7 to 0.8
256 points: correlation in size from 0.0 to 0.4
TXT
"$work/venv/bin/python" "$work/tied.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
