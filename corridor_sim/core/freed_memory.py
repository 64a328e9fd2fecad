"""Memory that is freed serves again, instead of being given back to the system."""

from __future__ import annotations

from functools import cache

import numpy as np

LARGEST_BYTES = 30_000_000
"""Arrays up to this size are had from memory that was freed. glibc learns from pieces of at most 32 MiB. [bytes]"""


@cache
def serves_again() -> None:
    """Have the C library keep what is freed for what is made next.

    What is given back is asked for again page by page, each emptied by the system: for arrays that are made anew for
    each block of replications, and for those of the table, that takes longer than many a sum over them. glibc keeps
    pieces up to the size of the largest that it gave back so far, and gives back from twice as much on (`mallopt(3)`,
    ``M_MMAP_THRESHOLD``). The one here is never written, so it takes no memory. Other libraries do as they did, and so
    does glibc where the environment sets its thresholds (``MALLOC_TRIM_THRESHOLD_``, as workers of dask have it).
    """
    np.empty(LARGEST_BYTES, dtype=np.uint8)
