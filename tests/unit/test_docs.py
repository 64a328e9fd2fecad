"""The pages of docs/ say what is there: links and citations resolve, named tests and words exist, examples run."""

import pkgutil
import re
from pathlib import Path

import corridor_sim
from corridor_sim.indicators import INDICATORS
from corridor_sim.model.improvements import IMPROVEMENTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def text_of(name):
    return (DOCS / name).read_text(encoding="utf-8")


def test_words_of_the_glossary_that_look_like_names_are_in_the_code():
    words = set(re.findall(r"`([A-Za-z][A-Za-z_0-9]+)`", text_of("glossary.md")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "corridor_sim").rglob("*.py"))
    spoken = set(re.findall(r"\w+", code)) | {"queue_p50_km"}  # made of a number there
    known = {*corridor_sim.__all__, *INDICATORS, *IMPROVEMENTS, *spoken}
    assert sorted(words - known) == []


def test_the_newest_version_of_the_changelog_is_that_of_the_package():
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    assert versions == sorted(versions, key=lambda v: tuple(map(int, v.split("."))), reverse=True)
    assert corridor_sim.__version__.split(".dev")[0] == versions[0]


def test_every_new_path_of_a_moved_module_exists():
    rows = re.findall(r"^\| `.*\| (.*) \|$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    paths = re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)`", " ".join(rows))
    assert len(paths) > 40
    for path in paths:
        if not path.startswith("cs."):
            pkgutil.resolve_name(f"corridor_sim.{path}")
