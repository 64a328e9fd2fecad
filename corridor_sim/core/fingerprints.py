"""A short name for content: the same for equal plans on every machine, another after any change.

Used to tell whether stored blocks belong to the run at hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from typing import Any

import numpy as np


def fingerprint(thing: Any) -> str:
    """BLAKE2b over the content of dataclasses, mappings, sequences, arrays and plain values, 16 hex digits.

    Raises
    ------
    TypeError
        For something that has no content to read.
    """
    hashed = hashlib.blake2b(digest_size=8)
    _feed(hashed, thing)
    return hashed.hexdigest()


def _feed(hashed: Any, thing: Any) -> None:
    def tag(text: str) -> None:
        hashed.update(text.encode() + b"\0")

    if thing is None or isinstance(thing, (bool, int, str, bytes, date, time)):
        tag(f"{type(thing).__name__}:{thing!r}")
    elif isinstance(thing, float):
        tag(f"float:{float(thing).hex()}")
    elif isinstance(thing, np.generic):
        _feed(hashed, thing.item())
    elif isinstance(thing, np.ndarray):
        tag(f"array:{thing.dtype.str}:{thing.shape}")
        hashed.update(np.ascontiguousarray(thing).tobytes())
    elif isinstance(thing, Mapping):
        tag(f"map:{len(thing)}")
        for key in sorted(thing, key=repr):
            _feed(hashed, key)
            _feed(hashed, thing[key])
    elif isinstance(thing, (frozenset, set)):
        tag(f"set:{len(thing)}")
        for one in sorted(thing, key=repr):
            _feed(hashed, one)
    elif isinstance(thing, (list, tuple)):
        tag(f"list:{len(thing)}")
        for one in thing:
            _feed(hashed, one)
    else:
        _feed_object(hashed, thing, tag)


def _feed_object(hashed: Any, thing: Any, tag: Any) -> None:
    tag(f"{type(thing).__module__}.{type(thing).__qualname__}")
    if hasattr(thing, "to_data"):
        _feed(hashed, thing.to_data())
    elif is_dataclass(thing):
        for column in fields(thing):
            tag(column.name)
            _feed(hashed, getattr(thing, column.name))
    elif hasattr(thing, "__getstate__") and thing.__getstate__() is not None:
        _feed(hashed, thing.__getstate__())
    elif getattr(thing, "__dict__", None):
        _feed(hashed, vars(thing))
    else:
        raise TypeError(f"cannot take the fingerprint of a {type(thing).__name__}")
