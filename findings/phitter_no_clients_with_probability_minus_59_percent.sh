#!/usr/bin/env bash
# phitter 1.0.4 (PyPI). Seen 2026-11-29.
# Expected: of a queue simulated by QueueingSimulation, no_clients_prob() is the "probability of no having clients", system_utilization()
#   a share, and servers_utilization() the "utilization of all servers" (docstrings).
# Happens: service times are divided by the time, not by the time and the servers: with 2 lanes at load 0.8 each, nobody is there with
#   probability -0.59 (its own table of states says 0.12, theory 0.11) and the system is 1.59 used. The "utilization" of a server is
#   the share of trucks that it served: the only lane of a post that is idle half of the time is 100 % used.
# Who meets it: whoever simulates a post as M/M/c with it and reads how busy the lanes are.
# corridor_sim: utilisation is busy lane hours over open lane hours (docs/glossary.md), held to theory (tests/theory).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "phitter==1.0.4" "numpy==2.4.6" "scipy==1.17.1" "pandas==2.3.3" 2>/dev/null

cat > "$work/lanes.py" <<'PY'
import random

import numpy as np
from phitter.simulation import QueueingSimulation

for lanes, per_hour in ((1, 0.5), (2, 1.6)):
    random.seed(1)
    np.random.seed(1)
    queue = QueueingSimulation("exponential", {"lambda": per_hour}, "exponential", {"lambda": 1.0}, lanes)
    queue.run(3000)
    states = queue.number_probability_summary().set_index("Number of elements")["Exact Probability"]
    load = per_hour / lanes
    print(f"{lanes} lane(s) at load {load}: nobody there {queue.no_clients_prob():.2f}, by its table {states[0]:.2f}, theory {(1 - load) / (1 if lanes == 1 else 1 + load):.2f}")
    print(f"  system_utilization {queue.system_utilization():.2f}, servers_utilization", queue.servers_utilization()["Value"].round(2).tolist())
PY

cat > "$work/expected" <<'TXT'
1 lane(s) at load 0.5: nobody there 0.52, by its table 0.52, theory 0.50
  system_utilization 0.48, servers_utilization [1.0]
2 lane(s) at load 0.8: nobody there -0.59, by its table 0.12, theory 0.11
  system_utilization 1.59, servers_utilization [0.51, 0.49]
TXT
"$work/venv/bin/python" "$work/lanes.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
