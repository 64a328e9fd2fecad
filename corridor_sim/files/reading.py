"""One file into text and tables: sizes, encodings, syntax, and paths that stay inside a folder.

Everything that can be wrong with a file before its meaning is read is
reported here as a `ScenarioError` with file and line.
"""

from __future__ import annotations

import os
import pickle
import re
import stat
import tomllib
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.files.toml_lines import MAX_DEPTH, MAX_KEY_LENGTH, Outline, outline

MAX_BYTES = 1_000_000
"""Largest scenario file. Measured data belong in a CSV file. [bytes]"""
MAX_CSV_BYTES = 50_000_000
"""Largest CSV file. [bytes]"""

_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
MOST_SLIPS = 20
"""So many lines that are no TOML are told at once, in texts of a length that is quickly read again."""
_QUICKLY_READ = 200_000
_ONE_LINE = re.compile(r"^\s*[\w.\"'-]+\s*=")
"""A key and its value on a line of their own."""
_HINTS = (
    (re.compile(r"=\s*\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b"), "write a date as 2026-01-31"),
    (re.compile(r"=\s*[+-]?0\d"), "write numbers without leading zeros"),
    (re.compile(r"[=\[,]\s*\d{1,2}:\d\d\s*($|[\],#])"), 'write times of day in quotes: "08:30"'),
    (re.compile(r"=\s*[+-]?\d+,\d"), "write numbers with a decimal point"),
    (
        re.compile(r"=\s*(?i:true|false|yes|no|on|off|null|none)\b"),
        "write true or false in small letters; text in quotes",
    ),
    (
        re.compile(r"=\s*\d{4}-\d\d-\d\d[ T]\d\d:\d\d\s*($|[\],#}+Z-])"),
        "write a date and time with its seconds: 2026-10-27 15:00:00",
    ),
    (re.compile(r"=\s*\d{4}-\d\d-\d\d"), "the calendar must have this date and time"),
    (re.compile(r"^\s*[^=\[#]+:"), "write key = value, with an equals sign"),
)


def shown(path: Path) -> str:
    """A path as messages show it: from the current folder if it lies inside, else as it is."""
    absolute, here = os.path.abspath(path), os.getcwd()
    inside = os.path.commonpath([absolute, here]) == here if absolute[:1] == here[:1] else False
    return os.path.relpath(absolute, here) if inside else str(path)


def read_text(path: Path, limit: int = MAX_BYTES) -> str:
    """The text of a file: UTF-8, with or without byte order mark, line ends made ``\\n``.

    Raises
    ------
    ScenarioError
        If the file is absent, no regular file, unreadable, too large or not UTF-8.
    """
    file = shown(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ScenarioError([Problem("is a folder, not a file", file=file)])
        if not stat.S_ISREG(status.st_mode):
            raise ScenarioError([Problem("is no regular file", file=file)])
        if status.st_size > limit:
            text = f"has {status.st_size / 1e6:.1f} MB; at most {limit / 1e6:g} MB are read"
            raise ScenarioError([Problem(text, file=file)])
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError([_unreadable(path, error)]) from None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        hint = "save the file as UTF-8"
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            hint = "this looks like UTF-16; " + hint
        offset = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        line = content[:offset].count(b"\n") + 1
        text = f"is not UTF-8 at byte {offset} (0x{content[offset]:02x})"
        raise ScenarioError([Problem(text, file=file, line=line, hint=hint)]) from None


def _unreadable(path: Path, error: Exception) -> Problem:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if isinstance(error, FileNotFoundError):
        reason = "does not exist"
        if path.is_symlink():
            reason = "is a link to a file that does not exist"
        near = sorted(p.name for p in path.parent.glob("*.toml") if p.exists()) if path.parent.is_dir() else []
        return Problem(reason, file=shown(path), hint=nearest(path.name, near))
    return Problem(f"cannot be read: {reason}", file=shown(path))


def parse(text: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text; `outline` says where in it they stand.

    Raises
    ------
    ScenarioError
        With line, for text that is not TOML, sets a key twice or is nested beyond reason.
    """
    # The lines are worked out only where something is wrong: that takes as long as reading.
    if any(line.count(".") >= MAX_DEPTH for line in text.split("\n")):
        _keep_limits(text, file)  # before tomllib, whose time grows with the square of the parts of a key
    try:
        data: dict[str, Any] = pickle.loads(_tables(text))
    except RecursionError:
        _keep_limits(text, file)
        raise ScenarioError([Problem("is nested too deeply", file=file)]) from None
    except ValueError as error:
        _keep_limits(text, file)
        raise ScenarioError(_syntax_problems(text, file, str(error))) from None
    if _may_pass_limits(data):
        _keep_limits(text, file)
    return data


@lru_cache(maxsize=32)
def _tables(text: str) -> bytes:
    """The tables of a text; scenarios that are compared extend the same files, and what is read of one is changed."""
    return pickle.dumps(tomllib.loads(text), pickle.HIGHEST_PROTOCOL)


def _may_pass_limits(data: dict[str, Any]) -> bool:
    """Whether nesting or a key may be beyond its limit."""
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if any(len(key) > MAX_KEY_LENGTH for key in value):
                    return True
                value = value.values()
            inner += [item for item in value if isinstance(item, (dict, list))]
        if not inner:
            return False
        level = inner
    return True


def _keep_limits(text: str, file: str) -> Outline:
    """The outline of a text.

    Raises
    ------
    ScenarioError
        If nesting or a key is beyond its limit.
    """
    found = outline(text)
    if found.beyond_limit is not None:
        line, message = found.beyond_limit
        raise ScenarioError([Problem(message, file=file, line=line)])
    return found


def _syntax_problems(text: str, file: str, message: str) -> list[Problem]:
    """What is no TOML in a text: the first line of it, and further lines with slips that are known, each read alone."""
    found: list[Problem] = []
    lines = text.split("\n")
    while len(found) < MOST_SLIPS:
        problem = _syntax_problem("\n".join(lines), file, message, outline("\n".join(lines)))
        if found and not problem.hint:
            break  # it may only follow from the line that was left out
        found.append(problem)
        if not problem.hint or len(text) > _QUICKLY_READ:
            break
        if problem.line is None or not _ONE_LINE.match(lines[problem.line - 1]):
            break
        lines[problem.line - 1] = ""
        try:
            tomllib.loads("\n".join(lines))
        except RecursionError:
            break
        except ValueError as error:
            message = str(error)
        else:
            break
    return found


def _syntax_problem(text: str, file: str, message: str, found: Outline) -> Problem:
    place = _AT.search(message)
    lines = text.split("\n")
    line = int(place.group(1)) if place and place.group(1) else len(lines) if place else None
    if line is not None:
        for path, (first, second) in found.repeated.items():
            if second == line:
                return Problem(f"is set twice, first on line {first}", path, file=file, line=line)
    message = _AT.sub("", message)
    source = lines[line - 1] if line is not None else ""
    hint = next((hint for pattern, hint in _HINTS if pattern.search(source)), "")
    message = message[:1].lower() + message[1:]
    return Problem(f"is not TOML: {message}", "", source.strip()[:60] or None, file=file, line=line, hint=hint)


def resolve(name: str, folder: Path, root: Path, path: str) -> Path:
    """The file that a scenario file in `folder` calls `name`, kept inside `root`.

    Raises
    ------
    ScenarioError
        If the name is absolute, climbs out of `root`, or is a link that does.
        `path` is the key the name stands under.
    """
    outside = Problem(
        "is outside the folder of the scenario",
        path,
        name,
        hint="name a file in this folder or below, or a packaged name",
    )
    if "\0" in name or PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor:
        raise ScenarioError([outside])
    if "\\" in name:
        raise ScenarioError([Problem("must be written with /", path, name)])
    file = Path(os.path.normpath(folder / name))
    real_root = Path(os.path.realpath(root))
    if not Path(os.path.realpath(file)).is_relative_to(real_root):
        raise ScenarioError([outside])
    return file
