"""Where in a TOML text does each value stand?

``tomllib`` forgets lines, and an error message without one is half a message.
`outline` scans the text once, never recursively and never failing: it only says
where keys are, and where nesting is too deep to be meant. Whether the text is
valid TOML is for ``tomllib`` to say.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field

MAX_DEPTH = 32
"""Deepest nesting of tables and lists that a file may have."""
MAX_KEY_LENGTH = 500
"""Longest key, in characters; an id is far shorter."""
MAX_NUMBERED = 1000
"""List elements that are given a line of their own; later ones are found by their list."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+|\#[^\n]*) | (?P<newline>\n)
    | (?P<string>
        \"\"\"(?:[^\\"]++|\\.|"(?!""))*+"{3,5} | '''(?:[^']++|'(?!''))*+'{3,5}
        | "(?:[^"\\\n]++|\\.)*+" | '[^'\n]*')
    | (?P<mark>[\[\]{},=])
    | (?P<bare>[^\s\[\]{},="'\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_KEY_PART = re.compile(r'"(?:[^"\\\n]++|\\.)*+"|\'[^\'\n]*\'|[^\s."\']+')
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


@dataclass(slots=True)
class Outline:
    """What `outline` found: lines (from 1) by dotted path; list elements by their number from 0."""

    lines: dict[str, int] = field(default_factory=dict)
    repeated: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Keys and tables that are set twice, with both lines."""
    beyond_limit: tuple[int, str] | None = None
    """Line at which nesting or a key passes its limit, where the scan stopped, and which limit."""


@dataclass(slots=True)
class _Frame:
    """A list or inline table that is open: its path and the number of its next element."""

    path: tuple[str, ...]
    is_list: bool
    element: int = 0


def key_parts(raw: str) -> tuple[str, ...]:
    """Parts of a dotted key as written, quotes and escapes resolved.

    Examples
    --------
    >>> key_parts('checkpoints."new post".exit')
    ('checkpoints', 'new post', 'exit')
    """
    return tuple(_unquoted(part) for part in _KEY_PART.findall(raw))


def outline(text: str) -> Outline:
    """Lines of all keys, tables and list elements of a TOML text.

    Invalid text is scanned as far as it makes sense. Time and memory are linear
    in the length of the text for any text.
    """
    found = Outline()
    newlines = [match.start() for match in re.finditer("\n", text)]
    explicit: set[str] = set()
    table: tuple[str, ...] = ()
    arrays: dict[tuple[str, ...], int] = {}
    stack: list[_Frame] = []
    path: tuple[str, ...] = ()
    state = "key"  # what comes next: a key, a value, or the end of a value
    key_from = header_from = -1
    at = 0

    def note(full: tuple[str, ...], offset: int, sets: bool = True) -> bool:
        line = bisect.bisect_left(newlines, offset) + 1
        if len(full) > MAX_DEPTH:
            found.beyond_limit = line, f"nesting must be at most {MAX_DEPTH} levels deep"
            return False
        if any(len(part) > MAX_KEY_LENGTH for part in full):
            found.beyond_limit = line, f"a key must be at most {MAX_KEY_LENGTH} characters long"
            return False
        for n in range(1, len(full)):
            found.lines.setdefault(".".join(full[:n]), line)
        dotted = ".".join(full)
        if sets and dotted in explicit:
            found.repeated.setdefault(dotted, (found.lines[dotted], line))
        elif sets:
            explicit.add(dotted)
            found.lines[dotted] = line
        found.lines.setdefault(dotted, line)
        return True

    def begin_element(offset: int) -> bool:
        """A value begins; inside a list it has a number of its own."""
        nonlocal path
        if stack and stack[-1].is_list:
            path = (*stack[-1].path, str(stack[-1].element))
            return stack[-1].element >= MAX_NUMBERED or note(path, offset)
        return True

    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return found
        kind, token, start = match.lastgroup, match.group(), at
        at = match.end()
        if kind == "space":
            continue
        if header_from >= 0:
            if kind == "newline":
                return found
            if token == "]":
                raw = text[header_from:start]
                is_array = raw.startswith("[")
                name = key_parts(raw.lstrip("["))
                if len(name) <= MAX_DEPTH:
                    name = _with_numbers(name, arrays)
                if is_array:
                    at += text[at : at + 1] == "]"
                    arrays[name] = arrays.get(name, -1) + 1
                    note(name, header_from, sets=False)
                    name = (*name, str(arrays[name]))
                if not note(name, header_from):
                    return found
                table, header_from, state = name, -1, "end"
            continue
        if kind == "newline":
            if not stack:
                if key_from >= 0:
                    return found
                state = "key"
            continue
        if state == "key":
            if token == "=" and key_from >= 0:
                parts = key_parts(text[key_from:start])
                path = (*(stack[-1].path if stack else table), *parts)
                if not note(path, key_from):
                    return found
                key_from, state = -1, "value"
            elif token == "[" and not stack and key_from < 0:
                header_from = at
            elif token in ("}", "]") and stack and key_from < 0:
                stack.pop()
                state = "end"
            elif kind == "mark" and not (token == "," and stack):
                return found
            elif key_from < 0 and kind != "mark":
                key_from = start
        elif state == "value":
            if token == "]" and stack and stack[-1].is_list:
                stack.pop()
                state = "end"
            elif token in ("[", "{"):
                if not begin_element(start):
                    return found
                if len(stack) >= MAX_DEPTH:
                    note(("",) * (MAX_DEPTH + 1), start)
                    return found
                stack.append(_Frame(path, token == "["))
                state = "value" if token == "[" else "key"
            elif kind == "mark":
                return found
            else:
                if not begin_element(start):
                    return found
                state = "end"
        elif token == ",":
            if not stack:
                return found
            stack[-1].element += 1
            state = "value" if stack[-1].is_list else "key"
        elif token in ("]", "}"):
            if not stack:
                return found
            stack.pop()
    return found


def _with_numbers(parts: tuple[str, ...], arrays: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """A header's path with the number of the array element it lies in."""
    full: tuple[str, ...] = ()
    for n, part in enumerate(parts):
        full = (*full, part)
        if full in arrays and n < len(parts) - 1:
            full = (*full, str(arrays[full]))
    return full


def _unquoted(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if not part.startswith('"'):
        return part

    def resolved(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] in "uU" and len(code) > 1:
            number = int(code[1:], 16)
            return chr(number) if number < 0x110000 else "?"
        return _ESCAPED.get(code, code)

    return _ESCAPE.sub(resolved, part[1:-1])
