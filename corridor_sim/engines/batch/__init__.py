"""The performance core: numpy over replications, element by element in topological order.

`simulate` gives the same bits as `engines.event.simulate`; `stream` gives the same
visits in chunks that need little memory; `refusals` names what is not done here.
Random numbers, hours and improvements are all resolved in the plan and its inputs. Where a
new mechanism goes: see `servers.py`.
"""

from corridor_sim.engines.batch.refusals import DOES, refusals
from corridor_sim.engines.batch.streaming import stream
from corridor_sim.engines.batch.whole_runs import simulate

__all__ = ["DOES", "refusals", "simulate", "stream"]
