#!/usr/bin/env bash
# pyworkforce 0.5.1 (PyPI). Seen 2026-11-28.
# Expected: ErlangC(...).waiting_probability(positions=n) is a probability for every number of positions, as the name says: 1 where the
#   load is not below the positions, for then the queue grows without end.
# Happens: the formula is used beyond its range: 4 trucks an hour of an hour each on 3 lanes wait with "probability" 1.684, and
#   service_level is 0; on 4 lanes it is 1.0, on 5 it is right (0.554). No warning.
# Who meets it: whoever screens numbers of lanes or staff by Erlang C before a simulation, sweeping from few lanes up.
# corridor_sim: cs.statistics and the screening of programmes give 1 and an infinite wait there (tests/theory).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "pyworkforce==0.5.1" 2>/dev/null

cat > "$work/lanes.py" <<'PY'
import warnings

from pyworkforce.queuing import ErlangC

warnings.simplefilter("error")
post = ErlangC(transactions=4, asa=60, aht=60, interval=60, shrinkage=0.0)
for lanes in (3, 4, 5):
    print(lanes, f"{post.waiting_probability(positions=lanes):.3f}", f"{post.service_level(positions=lanes):.3f}")
PY

cat > "$work/expected" <<'TXT'
3 1.684 0.000
4 1.000 0.000
5 0.554 0.796
TXT
"$work/venv/bin/python" "$work/lanes.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
