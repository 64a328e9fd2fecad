"""Whose the values of a file that extends another are: a new value never keeps what is said of the old one (rule D34).

Where a value comes from is said by its own entry in `figures`, else by its table, else by a table around it. A file
that extends another gives values into tables whose words are of other values; what would become false is said anew
here, in an entry of its own beside the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from corridor_sim.core.errors import Problem
from corridor_sim.model.base import NO_SOURCE, SAID
from corridor_sim.model.provenance import NO_FIGURES

Keys = tuple[str, ...]
"""Where something stands in the tables of a scenario file."""
Words = dict[str, str]
"""What is said of a value: status, source and note, as far as given."""
_NO_VALUES = (*SAID, "figures", "kind", "name", "about")
_NO_TABLES = ("sources", "ranges", "run")
"""Tables at the top whose values have no source of this kind."""
_NO_NUMBERS = NO_FIGURES - {"lat", "lon"}
_ENDS = ("low", "high", "low_factor", "high_factor", "alternatives", "exact")
"""Any of these makes another range of a figure."""
_OF_A_RANGE = ("range_source", "range_reason", "source", "reason")
_PRODUCT, _FACTORS = "trucks_per_day", ("lanes", "lanes_by_hour", "service")
"""What lanes pass a day follows from these, where the stage does not state it."""


@dataclass
class Resaid:
    """What is to be said anew when some tables are laid over others."""

    wanted: dict[Keys, Words] = field(default_factory=dict)
    """Words of values by path, true ones."""
    given: frozenset[Keys] = frozenset()
    """Values that are laid into objects of the base."""
    new: list[Keys] = field(default_factory=list)
    """New values to which no source was given, where the old ones have one: they are assumed."""
    problems: list[Problem] = field(default_factory=list)
    """New values that are said to be published, by nobody."""
    dropped: list[Keys] = field(default_factory=list)
    """Words of the base that were of values and ranges that are no more."""
    put_at: dict[Keys, Keys] = field(default_factory=dict)
    """Words that were said anew, by their path, each with the value that they are of."""

    def assumed_with(self, before: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        """Dotted paths of new values without a source, file by file, with those of the files `before`."""
        again = {".".join(path) for path in self.given}
        left = [tuple(path for path in paths if path not in again) for paths in before]
        return tuple(paths for paths in (*left, tuple(".".join(path) for path in self.new)) if paths)

    def put(self, data: dict[str, Any]) -> None:
        """Say it in the tables that were laid over each other, beside each value of which something else is said."""
        for path, words in self.wanted.items():
            if _told(_said(data, path)) != _told(words):
                table, name = _nearest_sourced(data, path)
                figures = table.setdefault("figures", {})
                entry = figures.get(name, {})
                figures[name] = {**{key: one for key, one in entry.items() if key not in SAID}, **words}
                at = (*path[: len(path) - name.count(".") - 1], "figures")
                self.put_at |= {at: path, (*at, name): path, **{(*at, name, key): path for key in words}}


def resaid(
    base: dict[str, Any], own: dict[str, Any], replaced: Sequence[Keys], name: str, taken: Mapping[Keys, Any]
) -> Resaid:
    """What must be said anew when `own` is laid over `base`; what `base` says of what is no more is taken out of it.

    Parameters
    ----------
    base, own : dict
        Tables of a scenario file and of one that extends it.
    replaced : sequence of paths
        Tables that `own` replaces as a whole.
    name : str
        What the source of values without one begins with: the file that gives them.
    taken : mapping
        What has been taken out of the base, by path: a value that `own` puts back is no new one.
    """
    laid_into = _laid_into(base, own)
    given = dict(_values(laid_into))
    found, gone = Resaid(given=frozenset(given)), [*taken, *replaced]
    for path, value in given.items():
        before, mine = _said(base, path), _said(own, path)
        is_new = any(path[: len(one)] == one for one in replaced) or not _same(_stood(base, taken, path), value)
        if mine.get("source"):
            found.wanted[path] = mine
        elif is_new and mine.get("status"):
            found.wanted[path] = mine
            if mine["status"] == "published" and (before.get("status") or before.get("source")):
                found.problems.append(_unsaid(own, path))
        elif is_new and (before.get("status") or before.get("source")):
            found.wanted[path] = {"status": "assumed", **mine, "source": f"{name}, {NO_SOURCE}"}
            found.new.append(path)
        elif not is_new and mine.get("status"):
            found.wanted[path] = {**before, "status": mine["status"]}
        elif not is_new:
            found.wanted[path] = before
        if is_new:
            found.wanted |= _product(base, own, path, found.wanted.get(path, {}))
    left = [path for path in _left(base, own, laid_into, given) if not any(path[: len(one)] == one for one in gone)]
    found.wanted |= {path: _said(base, path) for path in left}
    for path in gone:
        _forget(base, path, given)
    for path, value in given.items():
        if not _same(_stood(base, taken, path), value):
            found.dropped += _forget_words(base, path)
    found.dropped += _replace_ranges(base, own)
    return found


def set_by_hand(data: dict[str, Any], parts: Sequence[str], value: Any) -> Resaid:
    """The same for one value of `data` that is set by its path, or taken out (None)."""
    path = tuple(parts)
    own: Any = {} if value is None else value
    for part in reversed(path if value is not None else ()):
        own = {part: own}
    if "figures" in path[:-1] or path[-1] in (*SAID, "figures"):
        return Resaid()  # This is what is said of a value.
    old = _at(data, path)
    replaced = [path] if value is None or (isinstance(old, dict) and old != value) else []
    return resaid(data, own, replaced, "set by hand", {})


def _laid_into(base: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What `own` lays into objects of the base; those that the base has not say all of themselves."""
    if _over({}, base):
        return own
    found: dict[str, Any] = {}
    for key, table in own.items():
        known = base.get(key)
        if not isinstance(table, Mapping) or not isinstance(known, Mapping):
            continue
        is_said = bool(_over({}, known))
        found[key] = {id: one for id, one in table.items() if is_said or id in known}
    return found


def _unsaid(own: Mapping[str, Any], path: Keys) -> Problem:
    at: Keys = path
    for n in range(len(path) - 1, -1, -1):
        table = _at(own, path[:n])
        inside = ".".join(path[n:])
        if isinstance(_at(table, ("figures", inside, "status")), str):
            at = (*path[:n], "figures", inside, "status")
            break
        if isinstance(table, Mapping) and isinstance(table.get("status"), str):
            at = (*path[:n], "status")
            break
    text = f"{path[-1]} is new and has no source"
    hint = "name who publishes it in source, or say assumed"
    return Problem(text, ".".join(at), "published", "derived, conflicting, assumed", hint=hint)


def _product(base: Mapping[str, Any], own: Mapping[str, Any], path: Keys, words: Words) -> dict[Keys, Words]:
    """What is said of the product of lanes and time, where one of them is new and the product has a range."""
    for n in [n for n, part in enumerate(path) if part in _FACTORS]:
        product = (*path[:n], _PRODUCT)
        told = _at(own, (*path[:n], "figures", _PRODUCT))
        states = _at(own, product) is not None or _at(base, product) is not None
        if states or (isinstance(told, Mapping) and told.get("source")) or not words.get("source"):
            continue
        if isinstance(_at(base, (*path[:n], "figures", _PRODUCT)), Mapping) or _is_ranged(base, product):
            return {product: {"status": "derived", "source": words["source"]}}
    return {}


def _is_ranged(base: Mapping[str, Any], path: Keys) -> bool:
    """Whether the table `ranges` has a pattern that is of a figure."""
    ranges = base.get("ranges")
    for one in ranges.values() if isinstance(ranges, Mapping) else ():
        patterns = one.get("of") if isinstance(one, Mapping) else None
        for pattern in patterns if isinstance(patterns, list) else ():
            parts = pattern.split(".") if isinstance(pattern, str) else []
            if len(parts) == len(path) and all(map(fnmatchcase, path, parts)):
                return True
    return False


def _left(
    base: Mapping[str, Any], own: Mapping[str, Any], laid_into: Mapping[str, Any], given: Mapping[Keys, Any]
) -> Iterator[Keys]:
    """Values that are left to the base, in tables of which `own` names a source for the values that it gives."""
    for table in _tables(laid_into):
        mine, known = _at(own, table), _at(base, table)
        if not isinstance(known, Mapping) or not any(isinstance(mine.get(key), str) for key in ("status", "source")):
            continue
        if not any(key not in _NO_VALUES for key in mine):
            continue  # Words alone are of all of the table.
        for path, _ in _values(known, table):
            if path not in given and not _is_said_inside(own, path, len(table)) and _said(base, path):
                yield path


def _is_said_inside(own: Mapping[str, Any], path: Keys, depth: int) -> bool:
    """Whether `own` says something of a value that it does not give, in `figures` or in a table further inside."""
    for n in range(depth, len(path)):
        table = _at(own, path[:n])
        if not isinstance(table, Mapping):
            return False
        if n > depth and any(isinstance(table.get(key), str) for key in ("status", "source")):
            return True
        figures = table.get("figures", {})
        for entry in (figures.get(path[n]), figures.get(".".join(path[n:]))) if isinstance(figures, Mapping) else ():
            if isinstance(entry, Mapping) and (entry.get("status") or entry.get("source")):
                return True
    return False


def _forget(base: Mapping[str, Any], gone: Keys, given: Mapping[Keys, Any]) -> None:
    """Take out what is said of values that are no more."""
    for n in range(len(gone)):
        figures = _at(base, (*gone[:n], "figures"))
        for name in list(figures) if isinstance(figures, Mapping) else ():
            path = (*gone[:n], *name.split("."))
            if path[: len(gone)] == gone and path not in given:
                del figures[name]


def _forget_words(base: Mapping[str, Any], path: Keys) -> list[Keys]:
    """Take out who says the old value, and why it is exact; its range stays. Paths of what was there."""
    dropped = []
    for n in range(len(path)):
        at = (*path[:n], "figures", ".".join(path[n:]))
        entry = _at(base, at)
        if isinstance(entry, dict):
            dropped += [(*at, key) for key in (*SAID, "exact") if entry.pop(key, None) is not None]
    return dropped


def _replace_ranges(base: Mapping[str, Any], own: Mapping[str, Any], at: Keys = ()) -> list[Keys]:
    """Take out of the base the support of ranges that `own` gives other ends, and what does not go with these.

    Both tables stand at `at`.
    """
    dropped: list[Keys] = []
    for key, inner in own.items():
        old = base.get(key)
        if not isinstance(inner, Mapping) or not isinstance(old, Mapping):
            continue
        if at[-1:] == ("figures",) or at == ("ranges",):
            ends = [end for end in _ENDS if end in inner]
            if not ends or not isinstance(old, dict) or all(_same(old.get(end), inner[end]) for end in ends):
                continue
            words = [key for key in _OF_A_RANGE if at[-1:] != ("figures",) or key.startswith("range_")]
            two = {"low", "high"}, {"low_factor", "high_factor"}
            kept = next((pair for pair in two if pair & {*ends}), set())
            whole = ("group", "opposite", "apart") if "exact" in ends else ()
            gone = [one for one in (*words, *sorted({*_ENDS} - kept), *whole) if old.pop(one, None) is not None]
            dropped += [(*at, key, one) for one in gone]
        else:
            dropped += _replace_ranges(old, inner, (*at, key))
    return dropped


# ---------------------------------------------------------------- what tables say


def _said(data: Mapping[str, Any], path: Keys) -> Words:
    """Status, source and note of a value by its path, as `provenance` reads them of objects; {} if there are none."""
    words: Words = {}
    table: Any = data
    for n, part in enumerate(path):
        if not isinstance(table, Mapping):
            break
        words = _over(words, table)
        figures = table.get("figures")
        if isinstance(figures, Mapping) and n < len(path) - 1:
            words = _over(words, figures.get(part))
        table = table.get(part)
    for n in range(len(path) - 1, -1, -1):
        words = _over(words, _at(data, (*path[:n], "figures", ".".join(path[n:]))))
    return words


def _over(words: Words, table: Any) -> Words:
    """Words of a table or entry over those around it: a status or source does not take over the other one."""
    if not isinstance(table, Mapping):
        return words
    own = {key: table[key] for key in SAID if isinstance(table.get(key), str) and table[key]}
    return own if "status" in own or "source" in own else {**words, **own}


def _told(words: Words) -> tuple[str, ...]:
    return tuple(words.get(key, "") for key in SAID)


def _nearest_sourced(data: dict[str, Any], path: Keys) -> tuple[dict[str, Any], str]:
    """The innermost table around a value that says something of sources, and the path of the value in it."""
    for n in range(len(path) - 1, 0, -1):
        table = _at(data, path[:n])
        if isinstance(table, dict) and path[n - 1] != "figures" and any(key in table for key in (*SAID, "figures")):
            return table, ".".join(path[n:])
    return data, ".".join(path)


# ---------------------------------------------------------------- what tables hold


def _at(data: Any, path: Sequence[str]) -> Any:
    """What stands at a path, or None."""
    for part in path:
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def _stood(base: Mapping[str, Any], taken: Mapping[Keys, Any], path: Keys) -> Any:
    """What stood at a path before some was taken out, or None."""
    for one, value in taken.items():
        if path[: len(one)] == one:
            return _at(value, path[len(one) :])
    return _at(base, path)


def _values(table: Mapping[str, Any], at: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Numbers and lists of them in a table, with their paths; dates and texts are no figures."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            if key != "figures" and (at or key not in _NO_TABLES):
                yield from _values(value, (*at, key))
        elif key not in _NO_VALUES and key not in _NO_NUMBERS and _is_value(value):
            yield (*at, key), value


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return any(_is_value(one) or isinstance(one, Mapping) for one in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _tables(table: Mapping[str, Any], at: Keys = ()) -> Iterator[Keys]:
    """Paths of a table and of all inside it that may have a source."""
    yield at
    for key, value in table.items():
        if isinstance(value, Mapping) and key != "figures" and (at or key not in _NO_TABLES):
            yield from _tables(value, (*at, key))


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)
