"""A second reading of a scenario, in plain Python: slow, obvious, and independent of plan and engines.

`scenario_oracle.simulate` is the whole of it; `compare` sets it beside the engines.
"""
