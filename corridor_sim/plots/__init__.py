"""Pictures of results: each a function (data in, axes out) and a method of ``results.plot``.

Importing this package registers every plot; to add one, see `base.py`.
"""

from corridor_sim.plots import (
    changes,
    disruptions,
    law_fits,
    makeup,
    maps,
    predictions,
    programmes,
    queues,
    sweeps,
    timeline,
    times,
    tornado,
    worth,
)
from corridor_sim.plots.base import PLOTS

__all__ = [
    "PLOTS",
    "changes",
    "disruptions",
    "law_fits",
    "makeup",
    "maps",
    "predictions",
    "programmes",
    "queues",
    "sweeps",
    "timeline",
    "times",
    "tornado",
    "worth",
]
