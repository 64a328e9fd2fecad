"""Scenario -> Plan: everything that an engine needs, with improvements, calendars and routes resolved.

`plan.py` says what a Plan is, `elements.py` and `steps.py` what it is made of; `build.make_plan`
makes one from a scenario. Posts are in `posts.py`, legs in `legs.py`, volumes in `demand.py`, values
over time in `timelines.py`; `load.py` says how loaded each element is and gathers what `check` reports.
"""
