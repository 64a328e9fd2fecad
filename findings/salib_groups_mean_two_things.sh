#!/usr/bin/env bash
# SALib 1.6.0 (PyPI). Seen 2026-11-29.
# Expected: `groups` in the problem says whose effect is measured together; the inputs of a group stay inputs of their own, as in the
#   Sobol sample of the same problem. The documentation of latin.sample ("N rows and D columns") has no word on groups.
# Happens: latin.sample gives every input of a group the same quantile, so they are correlated by 1; sobol.sample leaves them
#   independent. The same model has a variance of 0.33 by one and 0.17 by the other.
# Who meets it: whoever groups inputs of a corridor (all service times of a post) and reads a spread or a percentile off the sample.
# corridor_sim: has designs of its own; ranges move together only where the scenario says so (docs/uncertainty.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "salib==1.6.0" "numpy==2.4.6" "scipy==1.17.1" 2>/dev/null

cat > "$work/groups.py" <<'PY'
import numpy as np
from SALib.sample import latin, sobol

inputs = {"num_vars": 3, "names": ["entry_h", "exit_h", "road_h"], "bounds": [[0, 1]] * 3}
grouped = inputs | {"groups": ["post", "post", "road"]}
for name, sample in (("latin", latin.sample), ("sobol", sobol.sample)):
    for told, problem in (("no groups", inputs), ("groups", grouped)):
        drawn = sample(problem, 1024, seed=1)
        together = np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]
        print(f"{name}, {told}: correlation {abs(together):.1f}, variance of entry_h + exit_h {np.var(drawn[:, 0] + drawn[:, 1]):.2f}")
PY

cat > "$work/expected" <<'TXT'
latin, no groups: correlation 0.0, variance of entry_h + exit_h 0.17
latin, groups: correlation 1.0, variance of entry_h + exit_h 0.33
sobol, no groups: correlation 0.0, variance of entry_h + exit_h 0.17
sobol, groups: correlation 0.0, variance of entry_h + exit_h 0.17
TXT
"$work/venv/bin/python" "$work/groups.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
