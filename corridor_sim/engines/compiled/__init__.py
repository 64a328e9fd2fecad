"""The compiled pass: one replication after the other in machine code, counted as it happens (extra ``fast``).

It reads a Plan, as the other engines, but gives no visits: it fills the shared sums of the indicators
(`indicators/shared_sums.py`, `queue_levels.py`) with the very bits that the batch engine's visits would
give. `refusals` says what it does not do; `reduce` runs.
`prepare` compiles, which takes some 15 s of CPU the first time.
"""

from corridor_sim.engines.compiled.differing import Other
from corridor_sim.engines.compiled.refusals import DOES, not_counted, refusals, unavailable
from corridor_sim.engines.compiled.run import is_kept, prepare, reduce

__all__ = ["DOES", "Other", "is_kept", "not_counted", "prepare", "reduce", "refusals", "unavailable"]
