"""A name as one harmless line: without control and direction characters, not too long."""

from __future__ import annotations

import unicodedata
from typing import Any

LONGEST = 40
"""Characters of a name on an axis."""
_UNSEEN = ("Cc", "Cf", "Cs", "Co")
"""Categories of characters that are not drawn: control, format (direction marks), halves, private."""
_JOINERS = "\u200c\u200d"
"""Format characters that Persian and other names are spelt with."""


def clean(text: Any, most: int = LONGEST) -> str:
    """One line without control and direction characters, cut to `most` characters.

    >>> clean("a\\u202eb\\nc", 10)
    'ab c'
    """
    one_line = " ".join(str(text).split())
    seen = "".join(c for c in one_line if unicodedata.category(c) not in _UNSEEN or c in _JOINERS)
    return seen if len(seen) <= most else seen[: most - 1] + "…"
