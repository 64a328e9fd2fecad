"""In how many draws of the inputs more comes than can pass, at the posts that a row of a crossing or post is of.

A mean time or wait behind such a post measures how long the run is, so a few of these draws make its interval as
wide as they like. `validation.py` tells them beside the interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from corridor_sim.model.scenario import Scenario
from corridor_sim.results.uncertain import Uncertainty

LOAD = "saturation"
"""The row with the load of a post: who came in the counted window, over what its scarcest stage can pass. [-]"""


def posts_of_row(scenario: Scenario, where: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Posts, each with a direction, that a row is of: of a crossing both its posts, of something else none."""
    place, direction = str(where.get("place", "")), str(where.get("direction", ""))
    if where.get("kind") == "post":
        return ((place, direction),)
    if where.get("kind") != "crossing":
        return ()
    out, _, into = direction.partition(">")
    found = []
    for name, post in scenario.checkpoints.items():
        way = {out: "exit", into: "entry"}.get(post.country)
        if post.crossing == place and way:
            found.append((name, way))
    return tuple(found)


def overloaded_draws(
    made: Uncertainty, scenario: Scenario, where: Mapping[str, Any]
) -> tuple[tuple[tuple[str, int], ...], int]:
    """Posts of a row with the draws in which more came than can pass, most first, and draws with any of them.

    `made` holds the rows `LOAD` of one scenario. A draw counts where the mean load of its replications is above 1.
    """
    found, anywhere = [], np.zeros(len(made.main.values[0, 0]), dtype=bool)
    named = {(one.place, one.direction): k for k, one in enumerate(made.labels) if _is_load_of_a_post(one)}
    for place, direction in posts_of_row(scenario, where):
        row = named.get((place, direction))
        if row is None:
            continue
        over = made.answers(row, other=0).mean(axis=1) > 1
        anywhere |= over
        if over.any():
            found.append((f"{place} {direction}", int(over.sum())))
    return tuple(sorted(found, key=lambda one: (-one[1], one[0]))), int(anywhere.sum())


def _is_load_of_a_post(label: Any) -> bool:
    return label.indicator == LOAD and label.kind == "post" and not label.of and not label.cargo_class
