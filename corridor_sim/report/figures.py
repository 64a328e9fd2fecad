"""Figures of a report as SVG that stands inside the page: no style, script, comment or address left in it.

matplotlib writes styles as ``style="..."``, which a strict content policy forbids;
here they become attributes of the same names, so that the page needs no exception.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

from markupsafe import Markup, escape

SALT = "corridor_sim"
"""Makes the ids inside an SVG the same in every run."""
_ALLOWED = re.compile(r"[a-z-]+")


def svg_of(figure: Any, description: str) -> Markup:
    """A figure as an ``<svg>`` element that is the same to the byte for the same figure.

    Parameters
    ----------
    figure : matplotlib Figure
    description : str
        What is to be seen, for those who do not see it.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "path"}), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; the tables have it in full.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return stripped(buffer.getvalue(), description)


def stripped(text: str, description: str) -> Markup:
    """SVG text as an element of a page: attributes for styles, no comments, no metadata, a description."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'style="([^"]*)"', lambda found: _attributes(found[1]), text)
    text = re.sub(r"\n\s*", "\n", text).strip()
    head, _, rest = text.partition(">")
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    # What matplotlib's style element says of everything.
    head += f' stroke-linejoin="round" stroke-linecap="butt" role="img" aria-label="{escape(description)}"'
    return Markup(f"{head}>{rest}")  # names in it are paths, ids are hashes, the description is escaped


def _attributes(style: str) -> str:
    found = {}
    for part in style.split(";"):
        name, _, value = part.partition(":")
        if _ALLOWED.fullmatch(name.strip()):
            found[name.strip()] = value.strip()
    return " ".join(f'{name}="{value}"' for name, value in found.items())
