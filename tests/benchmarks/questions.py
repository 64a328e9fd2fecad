"""What a user waits for, against something that does the same: paired rounds by CPU time, medians, answers checked.

Each program of `programs.py` runs in a process of its own, in turn with the one it is compared with; the
ratio of a question is the median of the ratios of the rounds. `written` makes the page of the documentation.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Answers = dict[str, float]


Check = Callable[[Answers, Answers, float], str]


def nothing(mine: Answers, other: Answers, scale: float) -> str:
    """There is nothing to check."""
    del mine, other, scale
    return ""


def near(share: float) -> Check:
    """A check that numbers of the same name are near each other, less so the less work is done."""

    def check(mine: Answers, other: Answers, scale: float) -> str:
        names = sorted(set(mine) & set(other))
        assert names, "no answers to compare"
        most = max(abs(mine[name] / other[name] - 1) for name in names)
        assert most <= share / math.sqrt(scale), f"answers differ by {most:.1%}: {mine}, {other}"
        return f"{names[0].split()[0]} within {most:.1%}"

    return check


def equal(mine: Answers, other: Answers, scale: float) -> str:
    """The numbers that both have are the same."""
    del scale
    names = set(mine) & set(other)
    assert names
    assert all(mine[name] == other[name] for name in names), (mine, other)
    return "same visits"


@dataclass(frozen=True)
class Question:
    """A program, what it is compared with, and the ratio that is aimed at (a number, or from the answers)."""

    text: str
    program: str
    reference: str
    target: float | Callable[[Answers], float]
    check: Check = nothing
    against_earlier: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    part: str = "year"

    def aim(self, answers: Answers) -> float:
        """The largest ratio that would do."""
        return self.target(answers) if callable(self.target) else self.target


PLAIN = {"CORRIDOR_SIM_FAST": "0"}


def differing(answers: Answers) -> float:
    """One, and a little more than the share of the visits that differ."""
    return 1 + 1.15 * answers["simulated again"]


QUESTIONS = (
    Question("year_2026_base, 20 replications", "year", "year", 0.35, near(0.01), True),
    Question("year_2026_base, 3 replications, without numba", "year_few", "year_few", 1.0, near(0.01), True, PLAIN),
    Question("baseline_2023, 10 replications", "baseline_2023", "baseline_2023", 0.45, near(0.01), True),
    Question("four-stage border, 250 x 10 days, to Cimba", "border", "cimba_border", 1 / 3, near(0.1), part="peers"),
    Question("the same border, to plain SimPy", "border", "simpy_border", 1 / 80, part="peers"),
    Question("tandem, 20 x 20,000 customers, to Cimba", "tandem", "cimba_tandem", 1 / 1.8, near(0.1), part="peers"),
    Question("a border with a balking post, to one without", "balking", "no_cliff", 3.0, near(0.01), part="cliffs"),
    Question("a border with a staff pool, to one without", "pool", "no_cliff", 3.0, near(0.01), part="cliffs"),
    Question("the README's comparison, to its base", "readme_comparison", "readme_base", differing, equal, part="same"),
    Question("one small post changed, to the base", "small_change", "small_change_base", 1.15, equal, part="same"),
    Question("a point of a sweep, 38 days x 2", "sweep", "sweep", 0.35, near(0.02), True, part="small"),
    Question("64 flows, to one with the same trucks", "flows_64", "flows_1", 1.5, near(0.05), part="flows"),
    Question("two processes, to one", "processes_2", "processes_1", 1.05, equal, part="processes"),
    Question(
        "two processes, to one that has another beside it",
        "processes_2",
        "processes_beside",
        1.05,
        equal,
        part="processes",
    ),
    Question("a worker that starts", "worker", "worker", 0.5, nothing, True, part="small"),
    Question("`import corridor_sim`, to importing its packages", "import_library", "imports", 0.5, part="small"),
    Question("`corridor-sim --help`, to importing its packages", "help", "imports", 1.5, part="small"),
    Question("`corridor-sim kinds`, to the same", "kinds", "imports", 1.5, part="small"),
    Question("`corridor-sim check teaching`, to the same", "check_teaching", "imports", 1.5, part="small"),
    Question("`corridor-sim check baseline_2023`, to the same", "check_2023", "imports", 1.5, part="small"),
)
PARTS = tuple(dict.fromkeys(question.part for question in QUESTIONS))
MEMORY_GB = 0.4
"""Aim for the year whatever the replications."""


@dataclass(frozen=True)
class Measured:
    """What one process took."""

    s: float
    answers: Answers
    gb: float


@dataclass(frozen=True)
class Answered:
    """A question with its rounds."""

    question: Question
    rounds: tuple[tuple[Measured, Measured], ...]
    checked: str

    @property
    def ratio(self) -> float:
        """Median over the rounds."""
        return statistics.median(mine.s / other.s for mine, other in self.rounds)

    @property
    def aim(self) -> float:
        """What was aimed at."""
        return self.question.aim(self.rounds[-1][0].answers)

    @property
    def gb(self) -> float:
        """Peak memory. [GB]"""
        return max(mine.gb for mine, _ in self.rounds)

    def row(self) -> list[str]:
        """As a row of the page."""
        mine, other = (statistics.median(pair[k].s for pair in self.rounds) for k in (0, 1))
        ratios = [a.s / b.s for a, b in self.rounds]
        spread = f"{self.ratio:.3g} ({min(ratios):.3g} to {max(ratios):.3g})"
        met = "met" if self.ratio <= self.aim else "**missed**"
        return [self.question.text, told(mine), told(other), spread, f"{self.aim:.3g}", met, self.checked]


def told(seconds: float) -> str:
    """Seconds, or nanoseconds where it is a visit's."""
    return f"{seconds * 1e9:.0f} ns" if seconds < 1e-3 else f"{seconds:.3g} s"


def measured(program: str, scale: float, root: Path, environment: dict[str, str], folder: Path) -> Measured:
    """One program in a process of its own, with the package of `root`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    paths = [str(root), *filter(None, [kept.get("PYTHONPATH")])]
    kept |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONPYCACHEPREFIX": str(folder / "code"), "OMP_NUM_THREADS": "1"}
    call = [sys.executable, str(HERE / "programs.py"), program, str(scale)]
    ran = subprocess.run(call, capture_output=True, text=True, env=kept | environment, cwd=folder)
    if ran.returncode:
        raise RuntimeError(f"{program}: {ran.stderr[-2000:]}")
    return Measured(**json.loads(ran.stdout.splitlines()[-1]))


def answered(question: Question, scale: float, rounds: int, earlier: Path | None) -> Answered | None:
    """Ask a question; None where there is nothing to compare with."""
    if (question.against_earlier and earlier is None) or (
        question.reference.startswith("cimba") and not version_of("cimba")
    ):
        return None
    other_root = earlier if question.against_earlier and earlier is not None else ROOT
    pairs, checked = [], ""
    with tempfile.TemporaryDirectory() as folder:
        for n in range(rounds):
            order = [(question.program, ROOT), (question.reference, other_root)]
            took = [
                measured(program, scale, root, question.environment, Path(folder))
                for program, root in (order if n % 2 == 0 else order[::-1])
            ]
            mine, other = took if n % 2 == 0 else took[::-1]
            checked = question.check(mine.answers, other.answers, scale)
            pairs.append((mine, other))
    return Answered(question, tuple(pairs), checked)


def version_of(package: str) -> str:
    """Version of a package, "" if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def ask(
    parts: tuple[str, ...],
    scale: float,
    rounds: int,
    earlier: Path | None,
    keep: Callable[[list[Answered]], object] = lambda _: None,
) -> list[Answered]:
    """Questions of some parts, told as they are answered; `keep` takes those so far after each."""
    found = []
    for question in QUESTIONS:
        if question.part not in parts:
            continue
        try:
            one = answered(question, scale, rounds, earlier)
        except (RuntimeError, AssertionError) as error:
            print(f"{question.text}: FAILED: {error}", flush=True)
            continue
        if one is None:
            print(f"{question.text}: nothing to compare with here", flush=True)
            continue
        print(" | ".join(one.row()), flush=True)
        found.append(one)
        keep(found)
    return found


# ---------------------------------------------------------------- the page

HEAD = """# Benchmarks

What a user waits for, as CPU time of one process and as a ratio to something that does the same work. Written by
`python tests/benchmarks/run.py --write` ({when}); the table is what was measured, misses included.

* Machine: {machine}.
* Versions: {versions}.
* Each program runs in a process of its own, in turn with the one it is compared with, {rounds} rounds. The ratio is the
  median of the ratios of the rounds (least and largest in brackets). A single time is good to a factor 1.7 on a shared
  machine, a ratio to about 15 %. Machine code is loaded before the clock starts, but where starting is what is timed.
  The compiled pass is asked for by name where it does the plan (`engine="auto"` takes it for long runs).
* Lines without "to" are compared with {earlier}. Its draws are others, so visits are compared, not rows.
* SimPy records nothing and Cimba mean queues; this library all its indicators.

| what | here | there | ratio | aim: at most | | answers |
|---|---|---|---|---|---|---|
"""


def machine() -> str:
    """The processor, cores, memory and system."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, {platform.system()}"


def written(found: list[Answered], rounds: int, scale: float, earlier: str) -> str:
    """The page."""
    packages = ("numpy", "numba", "simpy", "cimba", "pydantic", "networkx")
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {version}" for name in packages if (version := version_of(name))]
    text = HEAD.format(
        when=f"{dt.date.today():%d %B %Y}" + ("" if scale == 1 else f", {scale:g} of the work"),
        machine=machine(),
        versions=", ".join(versions),
        rounds=rounds,
        earlier=earlier or "an earlier version (not measured here)",
    )
    text += "".join(f"| {' | '.join(one.row())} |\n" for one in found)
    for one in found:
        if one.question.program == "year":
            met = "met" if one.gb <= MEMORY_GB else "**missed**"
            text += f"\nPeak memory of year_2026_base, 20 replications: {one.gb:.2f} GB (aim {MEMORY_GB} GB, {met}).\n"
    missed = [one for one in found if one.ratio > one.aim]
    text += f"\n{len(found) - len(missed)} of {len(found)} aims are met.\n"
    return text
