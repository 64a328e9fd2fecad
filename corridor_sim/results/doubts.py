"""What is doubtful about a run, in words: too few replications, more than can pass, hardly anybody served."""

from __future__ import annotations

from corridor_sim.results.called import Called
from corridor_sim.results.overload import hardly_served
from corridor_sim.results.results import Results

MORE_COMES = "more comes than can pass at"
"""How the warning of overload begins."""


def warnings_of(results: Results, *, ids: bool = False) -> tuple[str, ...]:
    """Statistical warnings about a run, in words; places by name, by id with `ids`."""
    called = Called(results, ids)
    found = []
    if results.replications < 2:
        found.append("one replication: there is no interval, so no difference can be distinguished from noise")
    elif results.replications < 5:
        found.append(f"only {results.replications} replications: the intervals are wide and themselves uncertain")
    over = list(results.overloaded().values())
    if over:
        named = "; ".join(f"{called.element(one.place)} ({one.words})" for one in over[:3])
        more = f" and {len(over) - 3} more" if len(over) > 3 else ""
        found.append(f"{MORE_COMES} {named}{more}: waits there measure the horizon")
    served = hardly_served(results.rows)
    if served:
        named = "; ".join(f"{called.somewhere(place)} ({share:.0%})" for place, share in list(served.items())[:3])
        more = f" and {len(served) - 3} more" if len(served) > 3 else ""
        found.append(f"under a tenth of those who came were served at {named}{more}")
    return tuple(found)
