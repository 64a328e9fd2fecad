#!/usr/bin/env bash
# pyqueueing 0.1.1 and most-queue 2.9, beside Ciw 3.2.7 (PyPI). Seen 2026-11-29.
# Expected: Erlang A (M/M/c with patience) has a steady state at every load. most-queue cuts the states "when the tail becomes negligible",
#   pyqueueing says nothing of it; its mean_wait_answered is the "mean wait for answered customers only" (docstrings).
# Happens: the states end at 500 and at 1000, tail or not. 25 trucks an hour at 12 lanes of 1 an hour, patience 7 days: 2184 wait and 52 %
#   give up; told are 487 and 12 %, 985 and 23 %, with lanes 184 % and 159 % busy. And mean_wait_answered divides the waits of all, also of
#   those who gave up, by the number served: 1.31 h where it is 0.53 h.
# Who meets it: whoever asks a closed formula how many drivers turn back at an overloaded post: border queues have over 1000 trucks.
# corridor_sim: patience is simulated, and held to Erlang A where all states are summed (tests/theory/test_abandonment.py).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "pyqueueing==0.1.1" "most-queue==2.9" "ciw==3.2.7" "numpy==2.4.6" "scipy==1.17.1" 2>/dev/null

cat > "$work/patience.py" <<'PY'
import ciw
from most_queue.theory.impatience.mmn import MMnImpatienceCalc
from pyqueueing.models.erlang_a import ErlangA


def exact(arrivals, service, lanes, giving_up, states=20_000):
    """Queue length, share that gives up and mean wait of the served, from the birth and death rates."""
    weights = [1.0]
    for number in range(1, states):
        weights.append(weights[-1] * arrivals / (min(number, lanes) * service + max(number - lanes, 0) * giving_up))
        if weights[-1] > 1e200:
            weights = [weight / 1e200 for weight in weights]
    total = sum(weights)
    queue = sum(max(number - lanes, 0) * weight for number, weight in enumerate(weights)) / total
    served = sum(weights[:lanes]) / total
    waited, stays, time = 0.0, 1.0, 0.0
    for ahead, weight in enumerate(weights[lanes:]):
        rate = lanes * service + (ahead + 1) * giving_up
        share = (rate - giving_up) / rate
        stays, time = share * stays, share * (time + stays / rate)
        served += weight / total * stays
        waited += weight / total * time
    return queue, 1 - served, waited / served


def simulated(arrivals, service, lanes, giving_up):
    ciw.seed(1)
    run = ciw.Simulation(
        ciw.create_network(
            arrival_distributions=[ciw.dists.Exponential(arrivals)],
            service_distributions=[ciw.dists.Exponential(service)],
            number_of_servers=[lanes],
            reneging_time_distributions=[ciw.dists.Exponential(giving_up)],
        )
    )
    run.simulate_until_max_time(20_000)
    served = [record.waiting_time for record in run.get_all_records(only=["service"])]
    return sum(served) / len(served)


small = (2.0, 1.0, 1, 1.0)
print("1 lane, wait of the served:", f"{ErlangA(*small).mean_wait_answered():.3f}", "exact", f"{exact(*small)[2]:.3f}", "Ciw", f"{simulated(*small):.2f}")
border = (25.0, 1.0, 12, 1 / 168)
queue, gave_up, _ = exact(*border)
first = ErlangA(*border)
second = MMnImpatienceCalc(n=12, theta=1 / 168)
second.set_sources(25.0)
second.set_servers(1.0)
busy = second.run().utilization
print(f"exact: queue {queue:.0f}, {gave_up:.0%} give up")
print(f"pyqueueing: queue {first.mean_queue_length():.0f}, {first.prob_abandon():.0%} give up, lanes {first.utilization():.0%} busy")
print(f"most-queue: queue {second.get_mean_queue():.0f}, {second.get_abandonment_probability():.0%} give up, lanes {busy:.0%} busy")
PY

cat > "$work/expected" <<'TXT'
1 lane, wait of the served: 1.313 exact 0.526 Ciw 0.53
exact: queue 2184, 52% give up
pyqueueing: queue 487, 12% give up, lanes 184% busy
most-queue: queue 985, 23% give up, lanes 159% busy
TXT
"$work/venv/bin/python" "$work/patience.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
