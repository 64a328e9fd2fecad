"""Signs that no reader sees: which they are, and how a message shows them.

Control characters can move the cursor of a terminal, colour it, or turn the order of
the letters round, so that a text reads as another one.
"""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: part of the everyday spelling of Persian and other languages."""
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates of the text direction."""
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are drawn as nothing."""


def is_control(sign: str) -> bool:
    """Whether a sign steers what shows a text: control characters, line and page breaks, turns of the direction.

    Examples
    --------
    >>> [is_control(sign) for sign in ("\\x1b", "\\u202e", "\\u200c", "a")]
    [True, True, False, False]
    """
    return sign in _TURNS or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def is_invisible(sign: str) -> bool:
    """Whether a sign is not seen, or is a blank other than the usual one; joiners are not counted."""
    if sign in JOINERS or sign == " ":
        return False
    return sign in _BLANKS or unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")


def controls(text: str, lines: bool = False) -> list[str]:
    """The control characters of a text, each once; line breaks and tabs are allowed with `lines`."""
    if text.isprintable():
        return []
    return [sign for sign in dict.fromkeys(text) if is_control(sign) and not (lines and sign in "\n\t\r")]


def escaped(text: str) -> str:
    """The text with its control and other invisible characters written out, safe for a terminal.

    Examples
    --------
    >>> escaped("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(sign) if is_invisible(sign) else sign for sign in text)


def _written_out(sign: str) -> str:
    """The escape of a sign as Python writes it, also of one that Python takes for printable."""
    return sign.encode("unicode_escape").decode("ascii")
