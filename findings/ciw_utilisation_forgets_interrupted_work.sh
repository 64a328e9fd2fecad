#!/usr/bin/env bash
# Ciw 3.2.7 (PyPI). Seen 2026-11-29.
# Expected: `server_utilisation` is the time that a server was busy with a customer over its time on duty (tutorial I, part 3,
#   "Collecting Results"). A lane that never runs out of trucks in its hours has 1; urgent trucks before others at load 0.8 have 0.8.
# Happens: with pre-emption only the last part of an interrupted service counts: the full lane has 0.70, load 0.8 is 0.70; records state
#   the whole service each time, so their sum is 0.97. And a run of whole days at a post that closes at night has None.
# Who meets it: whoever reads off how full the lanes of a post with hours or with urgent cargo are: a lane that is full looks a third idle.
# corridor_sim: `utilisation` counts the hours of a lane that were worked in, whatever was interrupted (S35 in docs/rules.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "ciw==3.2.7" 2>/dev/null

cat > "$work/busy.py" <<'PY'
import ciw


def post(preemption, until_h):
    """One lane from 0 to 8 every day, a truck every half hour, five hours each: never idle in its hours from 0:30 on."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Deterministic(0.5)],
        service_distributions=[ciw.dists.Deterministic(5.0)],
        number_of_servers=[ciw.Schedule(numbers_of_servers=[1, 0], shift_end_dates=[8.0, 24.0], preemption=preemption)],
    )
    run = ciw.Simulation(network)
    run.simulate_until_max_time(until_h)
    return run


def urgent_first(preemption):
    """One lane, two classes of load 0.4 each."""
    each = ("urgent", "other")
    network = ciw.create_network(
        arrival_distributions={one: [ciw.dists.Exponential(0.4)] for one in each},
        service_distributions={one: [ciw.dists.Exponential(1.0)] for one in each},
        priority_classes=({"urgent": 0, "other": 1}, [preemption]),
        number_of_servers=[1],
    )
    ciw.seed(3)
    run = ciw.Simulation(network)
    run.simulate_until_max_time(20_000)
    return run


for preemption in (False, "resume"):
    for until_h in (240.0, 244.0):
        found = post(preemption, until_h).transitive_nodes[0].server_utilisation
        told = found if found is None else f"{found:.2f}"
        print(f"hours, preemption {preemption}, {until_h:g} h: {told}")
for preemption in (False, "resume"):
    run = urgent_first(preemption)
    records = sum(record.service_time for record in run.get_all_records()) / 20_000
    found = run.transitive_nodes[0].server_utilisation
    print(f"urgent first, preemption {preemption}: utilisation {found:.2f}, service of all records {records:.2f}")
PY

cat > "$work/expected" <<'TXT'
hours, preemption False, 240 h: None
hours, preemption False, 244 h: 1.00
hours, preemption resume, 240 h: None
hours, preemption resume, 244 h: 0.70
urgent first, preemption False: utilisation 0.81, service of all records 0.81
urgent first, preemption resume: utilisation 0.70, service of all records 0.97
TXT
"$work/venv/bin/python" "$work/busy.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
