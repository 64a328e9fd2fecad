"""Commands that pages show are commands that there are: every word of them is read as the command line reads it."""

import re
import shlex
from pathlib import Path

import click
import pytest

from corridor_sim.cli import main
from corridor_sim.files.packaged import design_files, is_name, packaged_files

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "findings" / "README.md", *(ROOT / "docs").glob("*.md")])
SHELL = ("", "sh", "bash", "console", "text")


def blocks(text):
    """Blocks of a page that hold shell lines, with continued lines in one."""
    language, lines = None, []
    for line in text.split("\n"):
        if line.startswith("```"):
            if language is None:
                language, lines = line[3:].strip(), []
                continue
            if language in SHELL:
                yield re.sub(r"\\\n\s*", " ", "\n".join(lines))
            language = None
        elif language is not None:
            lines.append(line)


def inline(text):
    """Whole commands within the lines of a page."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    told = re.findall(r"(?<!`)`(corridor-sim [a-z-]+ [^`\n]+)`", outside)
    return [line for line in told if "..." not in line and "[" not in line and "\\|" not in line]


def commands(text):
    """Words of every command of the library that a page shows, without prompts, pipes and comments."""
    for block in [*blocks(text), *inline(text)]:
        for line in block.split("\n"):
            if "corridor-sim " not in line or line.lstrip().startswith("#") or "_CORRIDOR_SIM_COMPLETE" in line:
                continue
            words = shlex.split(re.sub(r"^.*?(?<![\w-])corridor-sim ", "", line), comments=True)
            ends = [n for n, word in enumerate(words) if word in ("|", ">", "&&", "||", ";", "2>")]
            yield words[: min(ends, default=len(words))]


CASES = [(page, words) for page in PAGES for words in commands(page.read_text(encoding="utf-8"))]


def without_options_of_the_group(words):
    """The command and its words, without what may stand before it."""
    while words[0].startswith("-"):
        words = words[2 if words[0] == "--import" else 1 :] or ["kinds"]
    return words


@pytest.mark.parametrize(
    ("page", "words"), CASES, ids=lambda value: getattr(value, "name", None) or " ".join(value)[:60]
)
def test_a_command_of_a_page_is_read(page, words):
    try:
        context = click.Context(main, info_name="corridor-sim")
        name, command, rest = main.resolve_command(context, without_options_of_the_group(list(words)))
        with command.make_context(name, rest, parent=context) as inner:
            named = [v for v in (inner.params.get(k) for k in ("base", "other", "file", "design")) if v]
            named += [one for k in ("files", "others") for one in inner.params.get(k) or ()]
    except click.ClickException as error:
        pytest.fail(f"{page.name}: corridor-sim {' '.join(words)}: {error.format_message()}")
    except click.exceptions.Exit:
        return  # --help and --version end here
    # A name that is no file is one that ships.
    known = {*packaged_files(), *design_files()}
    missing = [one for one in map(str, named) if is_name(one) and one.islower() and one not in known]
    assert missing == [] or set(missing) <= SPEAKING, page.name


SPEAKING = {"north_south", "book.xlsx"}
"""Words that stand for what a reader has."""


def test_pages_have_commands():
    assert len(CASES) > 50
    assert len({page for page, _ in CASES}) > 8
