#!/usr/bin/env bash
# SimPy 4.1.2 (PyPI). Seen 2026-11-29.
# Expected: trucks of one priority leave a PriorityStore as they came. Its documentation sets it beside Store ("first-in first-out")
#   and says that the smallest item comes first; PriorityResource of the same library keeps equal priorities in their order.
# Happens: the store is a heap, and a heap does not keep the order of equals: of 8 trucks the second to leave is the third that came, the
#   last but one is the second. At a post at load 0.9 the mean wait is that of Store, the 99th percentile is 126 h instead of 38 h.
# Who meets it: whoever lets trucks with priorities (perishables, booked slots) wait in a PriorityStore: the tail of the wait is the heap's.
# corridor_sim: queues by class are ordered by arrival within a class (S03 and the rules of priority in docs/rules.md); no PriorityStore.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "simpy==4.1.2" 2>/dev/null

cat > "$work/store.py" <<'PY'
import random

import simpy


def leave():
    env = simpy.Environment()
    store = simpy.PriorityStore(env)
    order = []

    def post():
        for number in range(1, 9):
            yield store.put(simpy.PriorityItem(1, number))
        for _ in range(8):
            item = yield store.get()
            order.append(item.item)

    env.process(post())
    env.run()
    return order


def through_a_resource():
    env = simpy.Environment()
    gate = simpy.PriorityResource(env, 1)
    order = []

    def truck(number):
        with gate.request(priority=1) as request:
            yield request
            order.append(number)
            yield env.timeout(1)

    for number in range(1, 9):
        env.process(truck(number))
    env.run()
    return order


def waits(kind):
    random.seed(1)
    env = simpy.Environment()
    store = kind(env)
    told = []

    def arrivals():
        for _ in range(100_000):
            yield env.timeout(random.expovariate(0.9))
            yield store.put(simpy.PriorityItem(1, env.now) if kind is simpy.PriorityStore else simpy.PriorityItem(0, env.now))

    def officer():
        services = random.Random(2)
        while True:
            truck = yield store.get()
            told.append(env.now - truck.item)
            yield env.timeout(services.expovariate(1.0))

    env.process(arrivals())
    env.process(officer())
    env.run()
    told.sort()
    return f"mean {sum(told) / len(told):.2f}, 99th percentile {told[int(0.99 * len(told))]:.1f}, longest {told[-1]:.0f}"


print("PriorityStore", leave())
print("PriorityResource", through_a_resource())
print("Store:", waits(simpy.Store))
print("PriorityStore:", waits(simpy.PriorityStore))
PY

cat > "$work/expected" <<'TXT'
PriorityStore [1, 3, 7, 6, 8, 5, 2, 4]
PriorityResource [1, 2, 3, 4, 5, 6, 7, 8]
Store: mean 8.66, 99th percentile 38.1, longest 67
PriorityStore: mean 8.66, 99th percentile 126.2, longest 1210
TXT
"$work/venv/bin/python" "$work/store.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
