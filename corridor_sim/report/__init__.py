"""What is said of a run or a comparison: the terminal's text, tables, the HTML page.

``corridor_sim.report(...)`` writes the page: the room is the function at once, and loads it when
it is called. The page is in `page.py`, the terminal's words in `text.py`, tables in `tables.py`.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from corridor_sim.results.comparison import Comparison
    from corridor_sim.results.results import Results


def report(data: Results | Comparison, path: Any, *, overwrite: bool = False, **options: Any) -> Path:
    """Write results or a comparison as one HTML page; see `corridor_sim.report.page.report`."""
    from corridor_sim.report.page import report as written

    return written(data, path, overwrite=overwrite, **options)


class _CallableReport(types.ModuleType):
    """Lets ``corridor_sim.report(...)`` work: the name is the function's and the module's at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Path:
        return report(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableReport
