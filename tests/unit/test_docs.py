"""The pages of docs/ say what is there: rules have reasons and tests, links and citations resolve, examples run."""

import ast
import itertools
import pkgutil
import re
import sys
import types
from pathlib import Path

import pytest

import corridor_sim
from corridor_sim.indicators import INDICATORS
from corridor_sim.model.arrivals import ARRIVALS
from corridor_sim.model.designs import FACTORS
from corridor_sim.model.improvements import IMPROVEMENTS
from corridor_sim.model.legs import LEGS
from corridor_sim.model.service_times import SERVICE_TIMES
from corridor_sim.plots import PLOTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "findings" / "README.md"])
CODE = sorted(path for folder in ("corridor_sim", "tests") for path in (ROOT / folder).rglob("*.py"))
REGISTRIES = (SERVICE_TIMES, ARRIVALS, LEGS, IMPROVEMENTS, INDICATORS, PLOTS, FACTORS)
KEY = re.compile(r"\[([a-z]+[12]\d{3}[a-z]?)\]")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def read(path):
    return path.read_text(encoding="utf-8")


def sections(name, head):
    """(number, title, text) of every heading of the third level that begins with a number like `head`."""
    found = re.split(rf"^### ({head}) (.+)$", read(DOCS / name), flags=re.M)
    parts = zip(found[1::3], found[2::3], found[3::3], strict=True)
    return [(number, title, re.split(r"^## ", text, flags=re.M)[0]) for number, title, text in parts]


RULES = sections("rules.md", r"[SD]\d\d")
INVARIANTS = sections("invariants.md", r"\d\d")


def functions_of(path):
    """Names of the test functions that a file defines."""
    tree = ast.parse(read(path))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test")}


def headings(text):
    """(level, title) of the headings of a page, without what looks like one in a block of code."""
    found = re.findall(r"^(#+) (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)
    return [(len(marks), title) for marks, title in found]


def anchors(text):
    """Anchors of the headings of a page, as GitHub makes them."""
    heads = [title for _, title in headings(text)]
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def python_blocks(path):
    return re.findall(r"^```(?:\{code-cell\} )?python\n(.*?)^```", read(path), flags=re.M | re.S)


# ---------------------------------------------------------------- rules and invariants


def test_every_rule_has_a_number_of_its_own_and_none_is_left_out():
    numbers = [number for number, _, _ in RULES]
    steps = [number for number in numbers if number.startswith("S")]
    assert steps == [f"S{n:02d}" for n in range(1, len(steps) + 1)]
    assert numbers == steps + [f"D{n:02d}" for n in range(1, len(numbers) - len(steps) + 1)]
    assert [number for number, _, _ in INVARIANTS] == [f"{n:02d}" for n in range(1, len(INVARIANTS) + 1)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule[0])
def test_a_rule_has_a_reason_and_a_test(rule):
    assert re.search(r"^Why: \w", rule[2], flags=re.M), rule[1]
    assert re.search(r"^Held by: `tests/", rule[2], flags=re.M), rule[1]


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant[0])
def test_an_invariant_has_a_test_or_says_that_it_has_none(invariant):
    assert re.search(r"^(Held by: `tests/|Not tested yet\.)", invariant[2], flags=re.M), invariant[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_test_named_on_a_page_exists(page):
    missing = [
        f"{file}::{name}"
        for file, name in TEST.findall(read(page))
        if not (ROOT / file).is_file() or name not in functions_of(ROOT / file)
    ]
    assert missing == []
    files = re.findall(r"`(tests/[\w/]+\.py)`", read(page))
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_every_citation_leads_to_a_rule_or_an_invariant():
    rules = {number for number, _, _ in RULES}
    invariants = {int(number) for number, _, _ in INVARIANTS}
    lost = []
    for path in CODE:
        text = read(path)
        where = path.relative_to(ROOT).as_posix()
        lost += [(where, found) for found in re.findall(r"\b[SD]\d\d\b", text) if found not in rules]
        for numbers in re.findall(r"\binvariants? ((?:\d+(?:, | and |-)?)+)", text):
            lost += [(where, n) for n in re.findall(r"\d+", numbers) if int(n) not in invariants]
    assert lost == []


def test_no_page_is_cited_that_is_not_in_the_repository():
    gone = re.compile("SEMANTICS|PROPERTIES|DECISIONS|shared/")
    files = [path for path in [*CODE, *PAGES] if path != Path(__file__)]
    found = [(path.relative_to(ROOT).as_posix(), gone.findall(read(path))) for path in files]
    assert [one for one in found if one[1]] == []


def test_every_page_has_a_place_in_the_site():
    trees = re.findall(r"```\{toctree\}\n(.*?)```", read(DOCS / "index.md"), flags=re.S)
    named = set(re.findall(r"^(?:.+ <)?([^:\s<>]\S*?)>?$", "\n".join(trees), flags=re.M))
    pages = {path.stem for path in [*DOCS.glob("*.md"), *DOCS.glob("*.rst")]} - {"index"}
    books = {f"../notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert sorted((pages | books) - named) == []
    assert [name for name in named if not list(DOCS.glob(f"{name}.*"))] == []


def test_the_reference_has_every_public_name_once():
    listed = re.findall(r"^   ([A-Za-z_]+)$", read(DOCS / "api.rst"), flags=re.M)
    assert sorted(listed) == sorted(corridor_sim.__all__)


def test_the_gallery_has_every_picture():
    assert set(re.findall(r"^### (\w+)$", read(DOCS / "gallery.md"), flags=re.M)) == set(PLOTS)


# ---------------------------------------------------------------- links, words, sources


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page):
    text = re.sub(r"^```.*?^```", "", read(page), flags=re.M | re.S)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        if not path.exists() or (anchor and anchor not in anchors(read(path))):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_has_one_top_heading_and_skips_no_level(page):
    """The contents beside the page list its first heading; a second one stands there as another page."""
    levels = [level for level, _ in headings(read(page))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_words_of_the_glossary_that_look_like_names_are_in_the_code():
    words = set(re.findall(r"`([A-Za-z][A-Za-z_0-9]+)`", read(DOCS / "glossary.md")))
    spoken = set(
        re.findall(r"\w+", "\n".join(read(path) for path in CODE if path.is_relative_to(ROOT / "corridor_sim")))
    )
    known = {*corridor_sim.__all__, *INDICATORS, *IMPROVEMENTS, *spoken, "queue_p50_km"}  # made of a number there
    assert sorted(words - known) == []


def test_every_source_cited_has_an_entry_and_every_entry_is_cited():
    entries = re.findall(r"^@\w+\{(\w+),", read(DOCS / "references.bib"), flags=re.M)
    assert len(entries) == len(set(entries))
    texts = [read(path) for path in [*CODE, *DOCS.glob("*.md")] if path != Path(__file__)]
    cited = {key for text in texts for key in KEY.findall(text)}
    assert sorted(cited - set(entries)) == []
    assert sorted(set(entries) - cited) == []


def test_an_entry_says_who_what_and_when():
    for entry in re.split(r"^@", read(DOCS / "references.bib"), flags=re.M)[1:]:
        key = re.match(r"\w+\{(\w+),", entry).group(1)
        for field in ("author", "title", "year"):
            assert re.search(rf"\b{field} = \{{", entry), (key, field)
        assert key.endswith(re.search(r"\byear = \{(\d{4})\}", entry).group(1)), key


def test_docstrings_cite_by_key_alone():
    written_out = re.compile(r"[A-Z][a-z]+ \(?(?:18|19|20)\d\d[),;]|\.\. \[\d+\]|\[\d+\]_")
    found = []
    for path in CODE:
        if path.is_relative_to(ROOT / "corridor_sim"):
            for node in ast.walk(ast.parse(read(path))):
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                    text = ast.get_docstring(node) or ""
                    found += [(path.name, hit) for hit in written_out.findall(text)]
    assert found == []


# ---------------------------------------------------------------- examples and the changelog


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent == DOCS and python_blocks(page)], ids=lambda path: path.name
)
def test_the_examples_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = [set(registry) for registry in REGISTRIES]
    try:
        notebook = types.ModuleType("__main__")  # as there, the main module has no file
        monkeypatch.setitem(sys.modules, "__main__", notebook)
        for number, block in enumerate(python_blocks(page), 1):
            exec(compile(block, f"{page.name}, block {number}", "exec"), notebook.__dict__)
    except corridor_sim.MissingExtra as lacking:
        pytest.skip(f"block {number}: {lacking}")
    finally:
        for registry, kinds in zip(REGISTRIES, before, strict=True):
            for kind in set(registry) - kinds:
                registry.unregister(kind)


def test_the_newest_version_of_the_changelog_is_that_of_the_package():
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", read(ROOT / "CHANGELOG.md"), flags=re.M)
    assert versions == sorted(versions, key=lambda v: tuple(map(int, v.split("."))), reverse=True)
    assert corridor_sim.__version__.split(".dev")[0] == versions[0]


def test_every_new_path_of_a_moved_module_exists():
    rows = re.findall(r"^\| `.*\| (.*) \|$", read(ROOT / "CHANGELOG.md"), flags=re.M)
    paths = re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)`", " ".join(rows))
    assert len(paths) > 40
    for path in paths:
        if not path.startswith("cs."):
            pkgutil.resolve_name(f"corridor_sim.{path}")


# What an example cannot show in a few lines; words of the page that does.
SHOWN_ON_PAGES = {
    "ReleaseFit": "`cs.fit_release_study",
    "fit_release_study": "`cs.fit_release_study",
    "appraise_with_behaviour": "`cs.appraise_with_behaviour",
    "compare_with_behaviour": "`cs.compare_with_behaviour",
}


def test_every_public_name_has_an_example():
    def shown(name):
        made = getattr(corridor_sim, name)
        return isinstance(made, types.ModuleType | tuple) or ">>>" in (made.__doc__ or "")

    assert [name for name in corridor_sim.__all__ if not shown(name) and name not in SHOWN_ON_PAGES] == []
    pages = "".join(read(path) for path in DOCS.glob("*.md"))
    assert [name for name, words in SHOWN_ON_PAGES.items() if words not in pages] == []


@pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")  # Astara is overloaded in June 2026
def test_the_example_of_the_readme_prints_what_stands_under_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown = re.search(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", read(ROOT / "README.md"), flags=re.M | re.S)
    assert python_blocks(ROOT / "README.md") == [shown[1]]
    exec(compile(shown[1], "README.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.split() == shown[2].split()
    assert (tmp_path / "samur.png").stat().st_size > 10_000
