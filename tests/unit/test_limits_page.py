"""docs/limits.md says what the code holds."""

import re
from pathlib import Path

from corridor_sim.core import limits

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"


def test_every_limit_is_on_the_page_with_its_number():
    rows = dict(re.findall(r"^\| `([A-Z_, ]+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), flags=re.M))
    told = {}
    for names, values in rows.items():
        for name, value in zip(names.split(", "), values.split(", "), strict=True):
            told[name] = float(value.replace("_", ""))
    held = {name: float(value) for name, value in vars(limits).items() if name.isupper()}
    assert told == held
