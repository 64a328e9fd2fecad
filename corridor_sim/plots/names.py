"""How any name is drawn; what indicators are called is in `indicators/words.py`, places in `results/called.py`."""

from __future__ import annotations

from typing import Any

from corridor_sim.core.clean_text import LONGEST as LONGEST
from corridor_sim.core.clean_text import clean as clean


def drawn(text: Any, most: int = LONGEST) -> str:
    """A name as matplotlib draws it: no formula is read into its dollar signs, no line hidden for an underscore.

    >>> drawn("a $x$")
    'a \\\\$x\\\\$'
    """
    safe = clean(text, most).replace("$", r"\$")
    return f"\u200a{safe}" if safe.startswith("_") else safe
