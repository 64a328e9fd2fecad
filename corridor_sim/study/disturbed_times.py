"""From when until when a scenario is disturbed: the dates of what it has and its base has not."""

from __future__ import annotations

import math
from typing import Any

from corridor_sim.core.errors import ArgumentError
from corridor_sim.model.calendars import hours_after
from corridor_sim.model.paths import all_stages, local_time_of
from corridor_sim.model.resolution import resolve
from corridor_sim.model.scenario import Scenario


def disturbed_h(base: Scenario, other: Scenario) -> tuple[float, float]:
    """First and last hour of the run at which what `other` alone has is in force. [h]

    Improvements and outages count; an improvement that stands in both with other dates or values is two different ones.

    Raises
    ------
    ArgumentError
        If there is nothing dated that differs, or it does not begin or end within the run.
    """
    spans = _spans(other) - _spans(base)
    if not spans:
        text = (
            f"{other.name or 'the scenario'} has no dated improvement or outage that {base.name or 'its base'} has not"
        )
        raise ArgumentError(f"{text}: say from when until when with since and until")
    since, until = min(begin for *_, begin, _ in spans), max(end for *_, end in spans)
    horizon_h = other.run.horizon_h
    since = max(since, 0.0)
    if not since < horizon_h or not math.isfinite(until) or until >= horizon_h:
        when = "does not end" if not math.isfinite(until) or until >= horizon_h else "does not begin"
        raise ArgumentError(
            f"the disruption of {other.name or 'the scenario'} {when} within the run of {horizon_h:g} h: "
            "give what makes it dates `from` and `until`, a longer run, or say when with since and until"
        )
    return since, until


def _spans(scenario: Scenario) -> set[tuple[Any, ...]]:
    """What is dated, as (path, what, from, until) on the clock of the run."""
    found: set[tuple[Any, ...]] = set()
    for path, changes in resolve(scenario).changes.items():
        for one in changes:
            found.add((path, one.change.operation, repr(one.change.value), one.from_h, one.until_h))
    start = scenario.run.start_utc
    for path, stage in all_stages(scenario):
        local = local_time_of(scenario, path)
        for outage in stage.outages.values():
            begin, end = (hours_after(when, start, local) for when in (outage.from_, outage.until))
            found.add((path, "outage", repr(outage.lane), begin, end))
    return found
