"""Scenario -> Plan: everything that an engine needs, with improvements, calendars and routes resolved.

`make_plan` is the way in. Posts are in `posts.py`, legs in `legs.py`, volumes in
`demand.py`, values over time in `timelines.py`, the numbering in `build.py`;
`load.py` says how loaded each element is and gathers what `check` reports.
"""

from corridor_sim.flatten.build import make_plan, plan_of
from corridor_sim.flatten.load import Load, check, loads

__all__ = ["Load", "check", "loads", "make_plan", "plan_of"]
