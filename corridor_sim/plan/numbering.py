"""In which order do elements come? Topological, by the itineraries that pass them."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from corridor_sim.plan.itineraries import Itinerary


def numbered(itineraries: Sequence[Sequence[str]]) -> tuple[list[str], bool]:
    """Element ids in topological order (ties by id), and whether they form a cycle."""
    after: dict[str, set[str]] = {id: set() for elements in itineraries for id in elements}
    for elements in itineraries:
        for id, other in itertools.pairwise(elements):
            after[id].add(other)
    before = Counter(other for others in after.values() for other in others)
    free, order = sorted(id for id in after if not before[id]), []
    while free:
        order.append(heapq.heappop(free))
        for other in after[order[-1]]:
            before[other] -= 1
            if not before[other]:
                heapq.heappush(free, other)
    return (order, False) if len(order) == len(after) else (_numbered_in_parts(after), True)


def _numbered_in_parts(after: Mapping[str, Collection[str]]) -> list[str]:
    """Element ids in topological order of the cycles that they form; `after` are those that follow each."""
    import networkx as nx

    graph = nx.DiGraph((id, other) for id, others in after.items() for other in others)
    graph.add_nodes_from(after)  # those that nothing follows or comes before
    whole = nx.condensation(graph)
    key = {n: min(data["members"]) for n, data in whole.nodes(data=True)}
    order = nx.lexicographical_topological_sort(whole, key=key.__getitem__)
    return [id for n in order for id in sorted(whole.nodes[n]["members"])]


def sequences(made: Itinerary) -> list[list[str]]:
    """Elements in the order in which they follow each other, also from the one that is left by balking."""
    if not made.left_at:
        return [made.elements]
    return [made.elements, [made.left_at, *made.elements[made.leaves_for : made.leaves_for + 1]]]
