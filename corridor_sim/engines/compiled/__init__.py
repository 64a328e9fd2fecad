"""The compiled pass: one replication after the other in machine code, counted as it happens (extra ``fast``).

It reads a Plan, as the other engines, but gives no visits: it fills the shared sums of the indicators
(`indicators/shared_sums.py`, `queue_levels.py`) with the very bits that the batch engine's visits would
give. `refusals` says what it does not do; `reduce` runs.

How it walks a plan: windows of time, in each one element after the other in topological order. An element is served
by its own loop (`serving`) or by a kernel of the batch engine (`by_kernel`) for a whole window at once. Where no
kernel can, since stations look at each other at one instant or a station combines what has none (outages that requeue,
classes with outages, lanes kept with a closing), that part alone is worked through in time order, as the event engine
does it (`together`, `full`); `in_time_order` names it, and so does the header of a run.

`prepare` compiles, which takes 15 to 80 s of CPU the first time, as the plan needs.
"""

from corridor_sim.engines.compiled.differing import Other
from corridor_sim.engines.compiled.refusals import DOES, in_time_order, not_counted, refusals, unavailable
from corridor_sim.engines.compiled.run import is_kept, prepare, reduce

__all__ = ["DOES", "Other", "in_time_order", "is_kept", "not_counted", "prepare", "reduce", "refusals", "unavailable"]
