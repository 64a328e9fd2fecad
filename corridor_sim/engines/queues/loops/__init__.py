"""How do the recursions read as plain loops, one consignment after the other, for a compiler?

Every loop serves any number of replications, keeps no more than the state of one, and
does the same maxima and sums in the same order as the other forms of its kernel, so the
bits are the same. Plain Python runs them too, slowly. `compiled` compiles them and lists
the types of their arguments: arrays have shape (replication, consignment) and may be
views of anything; tables of step functions have shape (1 or replication, piece) as in
`Pieces`. A loop calls no other, writes only where its docstring says so, and uses nothing
but numbers and places in arrays, which keeps it quick to compile.
"""

from corridor_sim.engines.queues.loops.blocking_line import line
from corridor_sim.engines.queues.loops.dated_reservations import reserved
from corridor_sim.engines.queues.loops.first_come import CLOSING, fifo, pooled
from corridor_sim.engines.queues.loops.limited_leg import limited_leg
from corridor_sim.engines.queues.loops.named_lanes import POLICY, lanes
from corridor_sim.engines.queues.loops.parked import parked
from corridor_sim.engines.queues.loops.urgent_first import priority

__all__ = ["CLOSING", "POLICY", "fifo", "lanes", "limited_leg", "line", "parked", "pooled", "priority", "reserved"]
