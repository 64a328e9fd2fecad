"""Every line of every shell block of the pages runs, in order, in a folder with the files that the page speaks of.

Commands of the library run in this process. What would take minutes runs shorter, as `SHORTER` says, and in full with
`--long`; what needs a network or another program is in `LEFT_OUT` with the reason. Neither list can grow unseen: an
entry that no page has, and a line that runs as nothing, fail.
"""

import itertools
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from corridor_sim.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "findings" / "README.md", *(ROOT / "docs").glob("*.md")])


def blocks(text, language):
    """Blocks of a language, with continued lines in one."""
    found = re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)
    return [re.sub(r"\\\n\s*", " ", block) for block in found]


def parts(line):
    """Commands of a line: what stands between ``&&``, without a comment."""
    words = shlex.split(line, comments=True)
    ends = [-1, *(n for n, word in enumerate(words) if word == "&&"), len(words)]
    return [words[a + 1 : b] for a, b in itertools.pairwise(ends)]


COMMANDS = {
    page: [part for block in blocks(page.read_text(encoding="utf-8"), "sh") for line in block.splitlines()
           for part in parts(line) if part]
    for page in PAGES
}  # fmt: skip
WITH_COMMANDS = [page for page in PAGES if COMMANDS[page]]

LEFT_OUT = {
    "python3 -m venv": "installs",
    ".venv/bin/python -m pip": "installs from a network",
    ".lowest/bin/python -m pip": "installs from a network",
    ".lowest/bin/uv pip": "installs from a network",
    ".newest/bin/python -m pip": "installs from a network",
    "python -m pip": "installs from a network",
    ".venv/bin/python -m pytest": "the suite itself",
    ".lowest/bin/python -m pytest": "the suite itself",
    ".newest/bin/python -m pytest": "the suite itself",
    "python -m pytest": "the suite itself",
    "python -m sphinx": "run by tests/unit/test_site.py",
    "bash findings/NAME.sh": "installs from a network",
    "eval ": "sets up the shell of the reader; tests/unit/test_cli.py completes words",
    "_CORRIDOR_SIM_COMPLETE=": "sets up the shell of the reader; tests/unit/test_cli.py completes words",
}
"""Beginnings of lines that are not run here, and why."""

DAYS = {"--horizon-days": "12"}
SHORTER = {
    "compare year_2026_base year_2026_roadmap --inputs auto": DAYS | {"-n": "2", "--inputs": "2"},
    "compare year_2026_base year_2026_roadmap --inputs 64": DAYS | {"--inputs": "2", "-n": "1"},
    "compare year_2026_base year_2026_roadmap --inputs 128": {
        "--horizon-days": "12", "--inputs": "4", "--waves": "1", "--observed": None,
    },
    "appraise year_2026_roadmap astara_into_iran_2026": {"--inputs": "2", "-n": "1", "--horizon-days": "200"},
    "appraise year_2026_roadmap two_lanes_at_samur.toml": {"-n": "2"},
    "portfolio growth_2028 samur_astara_2026_2030": {
        "--budget": ["2028=1e6"], "--inputs": None, "--picture": ["frontier.png", "build_order.png"],
        "--finalists": "2",
        "--screening": "2", "--horizon-days": "12", "--delta": "100000 h", "--at": ["astara"],
    },
    "run observed_2023": {"-n": "1", "--horizon-days": "30"},
    "compare no_roadmap_2023 observed_2023": {"-n": "1", "--horizon-days": "30"},
    "door-to-door routes_mumbai_moscow": {"--draws": "2", "-n": "1"},
    "equilibrium routes_mumbai_moscow": {"-n": "1", "--starts": "1"},
    "predict chop_zahony_2025 --scores": None,
    "validate my_border.toml": {"--draws": "8"},
    "compare teaching teaching_priority_lane --inputs 64": {"--inputs": "4", "-n": "1"},
    "disruption base.toml closed.toml --at": {"--inputs": "2", "-n": "2"},
    "disruption verkhny_lars lars_inspection_campaign": {"--inputs": "2", "-n": "2"},
    "disruption verkhny_lars": {"-n": "4"},
    "sweep teaching_lanes": {"-n": "2", "--horizon-days": "5"},
    "calibrate teaching": {"--draws": "8", "--waves": "1", "-n": "2"},
}  # fmt: skip
"""Beginnings of commands that take long, and the options they are run with instead: None leaves the option out, and
None for all only reads the command. With `--long` each runs as it stands."""
"""The ones only read: the score of every origin of a forecast takes minutes, and nothing makes it shorter."""

TEACHING = 'schema = 1\nextends = "teaching"\nname = "{0}"\n'
LANE = (
    '\n[improvements.more]\nkind = "add_lanes"\nat = "checkpoints.northgate_b.entry.{0}"\nlanes = 1\n'
    'status = "assumed"\nsource = "of the test"\n'
)
CLOSED = (
    '\n[improvements.closed]\nkind = "closure"\nat = "checkpoints.northgate_b.entry"\nfrom = 2024-01-08 05:00:00\n'
    'until = 2024-01-08 17:00:00\nstatus = "assumed"\nsource = "of the test"\n'
)
OBSERVED = """
[observations.passed]
value = 165.0
sd = 3.0
indicator = "throughput_per_day"
where = { kind = "post", place = "northgate_b", direction = "entry" }
use = "USE"
"""


def files_of(page, folder):
    """The files that a page speaks of: those it shows, those that lie beside it, and what its reader has."""
    text = page.read_text(encoding="utf-8")
    tables = blocks(text, "toml")
    given = {
        "README.md": {"two_more_lanes.toml": tables[0] if tables else ""},
        "own-border.md": dict(zip(("two_rivers.toml", "two_rivers_works.toml"), tables, strict=False)),
        "first-answer.md": {"longer_hours.toml": tables[0] if tables else ""},
        "for-planners.md": {"two_lanes_at_samur.toml": tables[0] if tables else ""},
        "measured.md": {
            "booth.csv": "minutes\n" + "\n".join(str(8 + 3 * k % 29) for k in range(60)) + "\n",
            "seen.toml": OBSERVED.replace("USE", "calibration"),
        },
        "validation.md": {
            "my_border.toml": TEACHING.format("mine"),
            "seen.toml": OBSERVED.replace("USE", "validation"),
        },
        "disruption.md": {
            "base.toml": TEACHING.format("base"),
            "closed.toml": TEACHING.format("closed") + CLOSED,
        },
        "portfolio.md": {
            "none.toml": TEACHING.format("none"),
            "scanner.toml": TEACHING.format("scanner") + LANE.format("xray"),
            "lane.toml": TEACHING.format("lane") + LANE.format("lanes"),
        },
    }
    for name, content in given.get(page.name, {}).items():
        (folder / name).write_text(content, encoding="utf-8")
    beside = {"time-release.md": "time_release", "recipes.md": "recipes"}.get(page.name)
    if beside:
        shutil.copytree(ROOT / "docs" / beside, folder / "docs" / beside)


def library(words):
    """Words of a command of the library, without the program; None for another command."""
    return words[1:] if re.fullmatch(r"(\.\w+/bin/)?corridor-sim", words[0]) else None


def known(words, table):
    """The entry of a table whose beginning a command has."""
    line = " ".join(words)
    return next((start for start in table if line.startswith(start)), None)


def shorter(words, options):
    """A command with other options: one that is there is replaced, one that is None is left out."""
    for name, value in options.items():
        while name in words:
            at = words.index(name)
            is_flag = at + 1 == len(words) or words[at + 1].startswith("--")
            words = words[:at] + words[at + (1 if is_flag else 2) :]
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            words = [*words, name, one]
    return words


def run_page(page, folder, monkeypatch, full):
    """Run the commands of a page in order; what each wrote to the terminal."""
    files_of(page, folder)
    monkeypatch.chdir(folder)
    outputs = []
    for words in COMMANDS[page]:
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
            continue
        mine = library(words)
        if mine is None:
            assert known(words, LEFT_OUT), f"{page.name}: {' '.join(words)}: run it, or say in LEFT_OUT why not"
            continue
        start = known(mine, SHORTER)
        if start is not None and not full:
            if SHORTER[start] is None:
                continue
            mine = shorter(mine, SHORTER[start])
        done = CliRunner().invoke(main, mine)
        assert done.exit_code == 0, f"{page.name}: corridor-sim {' '.join(mine)}\n{done.output}"
        outputs.append(done.stdout)
        for name in [after for word, after in itertools.pairwise(mine) if word in WRITES]:
            assert (Path.cwd() / name).exists(), f"{page.name}: {name} was not written"
    return outputs


WRITES = ("-o", "--output", "--picture", "--report", "--annex", "--store")


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_shell_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    run_page(page, tmp_path, monkeypatch, full=False)


@pytest.mark.long
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_shell_blocks_of_a_page_run_as_they_stand(page, tmp_path, monkeypatch):
    run_page(page, tmp_path, monkeypatch, full=True)


def test_what_is_left_out_or_shortened_is_on_a_page():
    lines = [words for page in WITH_COMMANDS for words in COMMANDS[page]]
    left = {known(words, LEFT_OUT) for words in lines if library(words) is None and words[0] != "cd"}
    short = {known(library(words), SHORTER) for words in lines if library(words) is not None}
    assert left == set(LEFT_OUT)
    assert short - {None} == set(SHORTER)


def test_not_much_is_left_out():
    assert len(LEFT_OUT) <= 14
    assert [start for start, options in SHORTER.items() if options is None] == ["predict chop_zahony_2025 --scores"]
    assert len(SHORTER) <= 18


def test_commands_stand_in_blocks_that_are_marked_as_shell():
    lost = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for language, block in re.findall(r"^```(\S*)\n(.*?)^```", text, flags=re.M | re.S):
            if language != "sh" and re.search(r"^(\$ )?(\.\w+/bin/)?corridor-sim ", block, flags=re.M):
                lost.append((page.name, block[:60]))
    assert [page for page, _ in lost] == ["scaling.md"], lost  # two terminals and a cluster: tests/unit/test_cluster.py


def test_a_command_is_made_shorter_by_its_options():
    words = ["compare", "a", "b", "--inputs", "64", "--observed", "--at", "x", "--at", "y"]
    assert shorter(words, {"--inputs": "2", "--observed": None, "--at": ["z"], "-n": "1"}) == [
        "compare", "a", "b", "--inputs", "2", "--at", "z", "-n", "1",
    ]  # fmt: skip
