"""The queue kernels: arrays of times in, arrays of times out, no chance inside.

Each answers one question about one kind of queue and is usable alone
(``corridor_sim.queues``). Times of shape (consignment,) or (replication,
consignment), in hours or any other unit; on the clock grid every form of a kernel
gives the same bits. A new kernel goes into the file whose question it answers, or
a new file, and is listed here.
"""

from corridor_sim.engines.queues.fifo import fifo
from corridor_sim.engines.queues.hours import Clock, Pool, pooled
from corridor_sim.engines.queues.layout import Pieces

__all__ = ["Clock", "Pieces", "Pool", "fifo", "pooled"]
