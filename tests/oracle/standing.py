"""Who waits as the run begins: read from `run.initial_queue` by its own code (rule D41)."""

from oracle.words import on_grid


def standing(scenario):
    """(queue, flow, place, [joining times]) of those who wait somewhere as the run begins. [h]"""
    found = []
    for id, queue in scenario.run.initial_queue.items():
        n = len(queue.joined_h) or queue.count
        times = list(queue.joined_h) or [on_grid(-queue.over_h + queue.over_h / n * k) for k in range(n)]
        total = sum(queue.flows.values())
        exact = {flow: n * weight / total for flow, weight in queue.flows.items() if weight > 0}
        number = {flow: int(share) for flow, share in exact.items()}
        by_rest = sorted(exact, key=lambda flow: (int(exact[flow]) - exact[flow], flow))
        for flow in by_rest[: n - sum(number.values())]:
            number[flow] += 1
        line = sorted(((2 * k + 1) / (2 * m), flow) for flow, m in number.items() for k in range(m))
        for flow in sorted(number):
            mine = [time for (_, who), time in zip(line, times, strict=True) if who == flow]
            if mine:
                found.append((id, flow, queue.at, mine))
    return found
