"""The year 2023 on the posts of 2017 and of 2023, where lorries choose their crossing and demand answers to the wait.

``python what_the_roadmaps_bought.py FIRST STEP DRAWS FILE`` adds a line of JSON to a file for the draws
FIRST, FIRST + STEP... of DRAWS; several processes may share them. Of the corridor only lorries by the posts to
Russia and by Astara are run. What it gave stands in `docs/scenarios.md`. Demand has an elasticity of -0.7 to -1.1
to the cost of the journey, the likely range of many studies of haulage by road [oum1992], drawn with the other
inputs; the scale of the choice of crossing, 50 US$, is assumed.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np

import corridor_sim as cs
from corridor_sim.statistics.scrambles import scrambled_points
from corridor_sim.study.designs import with_values
from corridor_sim.study.uncertainty import space_of

SEED, SCALE_USD = 1, 50.0
FOLLOW = {
    "south_empty": "north_fresh",
    "south_empty_novo_filya": "north_fresh",
    "north_empty": "south_bilateral",
    "north_empty_novo_filya": "south_bilateral",
}
"""Empty lorries, and whom they fetch or brought."""
ASKED = ["wait_h", "delivered", "delay_truck_h", "delay_value_usd"]
HOW: dict[str, Any] = {"rng": SEED, "workers": 1, "replications": 1, "engine": "compiled", "indicators": ASKED}
SEARCH: dict[str, Any] = {"scale_usd": SCALE_USD, "starts": 1, "search_replications": 1, "target": 0.02, "most": 15}


def road(scenario: Any) -> Any:
    """The scenario with the lorries that pass Samur or Astara alone."""
    kept = {id: one for id, one in scenario.flows.items() if one.crossing_shares and not id.startswith("bilasuvar")}
    # Choices of mode are among flows that are left out here.
    return scenario.replace(flows=kept, choices={})


def told(results: Any) -> dict[str, float]:
    """Tonnes over the border to Russia, delay in all and its worth, waits at the posts."""
    border = cs.delivered(results, by=["border"]).query("border == 'AZ-RU' and quantity == 'tonnes'")
    found = {"tonnes": float(border["mean"].item())}
    for label, values in results.rows:
        if label.kind == "corridor" and label.indicator.startswith("delay") and not label.of:
            found[label.indicator] = float(np.nanmean(values))
        if label.kind == "post" and label.indicator == "wait_h" and not label.of:
            found[f"wait_h {label.place} {label.direction}"] = float(np.nanmean(values))
    return found


def main(first: int, step: int, draws: int, file: str) -> None:
    warnings.simplefilter("ignore", cs.CorridorWarning)
    pair = tuple(cs.load_scenario(name) for name in ("no_roadmap_2023", "observed_2023"))
    space = space_of(pair)
    points, _ = scrambled_points(draws, len(space) + 1, SEED)
    who = [
        id
        for id, flow in pair[1].flows.items()
        if any("khanoba" in entry.shares for entry in flow.crossing_shares.values())
    ]
    loaded = [id for id in who if pair[1].flows[id].load_t]
    for n in range(first, draws, step):
        without, observed = (
            road(with_values(scenario, space.values(k, points[n][:-1], "uniform"))) for k, scenario in enumerate(pair)
        )
        after = cs.equilibrium(observed, alternatives={id: ["samur", "khanoba"] for id in who}, **SEARCH, **HOW)
        before = cs.equilibrium(
            without,
            alternatives={id: ["samur"] for id in loaded},
            elasticity=-1.1 + 0.4 * float(points[n][-1]),
            reference={id: after.composite_usd[id] for id in loaded},
            follow=FOLLOW,
            **SEARCH,
            **HOW,
        )
        line = {
            "draw": n,
            "gaps": [before.gaps[-1], after.gaps[-1]],
            "with_behaviour": [told(before.results), told(after.results)],
            "without": [told(cs.run(one, **HOW)) for one in (without, observed)],
        }
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
