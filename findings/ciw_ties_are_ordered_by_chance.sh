#!/usr/bin/env bash
# Ciw 3.2.7 (PyPI). Seen 2026-11-28.
# Expected: a model without any randomness (every arrival and service fixed by Sequential and Deterministic) gives one answer.
# Happens: events of one instant are taken in an order drawn from the seed. A truck that reaches a slot exactly when it leaves gets it or
#   waits for the next; one that comes exactly at closing time is served or waits 16 hours; at a post without waiting room one that
#   comes when the server becomes free is served or turned away. Over 200 seeds 106 to 94. At the opening instant there is no such draw.
# Who meets it: whoever models timetables, opening hours or whole-hour arrivals, where ties are the rule; a fixed seed hides it.
# corridor_sim: ties have a stated order (S02 and the rules after it in docs/rules.md), held by the packaged traces.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "ciw==3.2.7" 2>/dev/null

cat > "$work/ties.py" <<'PY'
from collections import Counter

import ciw

NEVER = 9e9


def starts(node, arrivals, seed):
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*arrivals, NEVER])],
        service_distributions=[ciw.dists.Deterministic(1.0)],
        **node(),
    )
    run = ciw.Simulation(network)
    run.simulate_until_max_time(60)
    return tuple(f"{r.record_type} {r.service_start_date:g}" for r in sorted(run.get_all_records(), key=lambda r: r.id_number))


def slots():
    return {"number_of_servers": [ciw.Slotted(slots=[2.0, 4.0], slot_sizes=[1, 1])]}


def hours():
    return {"number_of_servers": [ciw.Schedule(numbers_of_servers=[1, 0], shift_end_dates=[8.0, 24.0], preemption=False)]}


def no_room():
    return {"number_of_servers": [1], "queue_capacities": [0]}


for name, node, arrivals in (
    ("slot at 2", slots, [2.0]),
    ("closes at 8", hours, [8.0]),
    ("opens at 24", hours, [24.0]),
    ("no room", no_room, [1.0, 1.0]),
):
    seen = Counter(starts(node, arrivals, seed) for seed in range(200))
    print(name, *(f"| {' and '.join(what)}: {count}" for what, count in sorted(seen.items())))
PY

cat > "$work/expected" <<'TXT'
slot at 2 | service 2: 106 | service 4: 94
closes at 8 | service 24: 94 | service 8: 106
opens at 24 | service 24: 200
no room | service 1 and rejection nan: 106 | service 1 and service 2: 94
TXT
"$work/venv/bin/python" "$work/ties.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
