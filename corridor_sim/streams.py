"""Random streams, found by name: who draws is part of the key, when is not.

A stream is keyed by (scheme, root entropy, replication, role, flow, entity).
The key has a fixed length and its names enter by a stable hash, so a new
checkpoint, lane or flow leaves every other stream alone, and two scenarios
that share a root share every draw they have in common (common random numbers).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import numpy as np

SCHEME = 1
"""Version of the keys; part of every key. A change of scheme changes every draw."""

Rng = int | Sequence[int] | np.random.SeedSequence | np.random.Generator | np.random.BitGenerator | None


def root_entropy(rng: Rng) -> int:
    """The root entropy that stands for `rng`; record it and the run can be repeated.

    An int is its own root (0 included). A SeedSequence is not changed, so the
    same one gives the same root twice; a Generator moves on. None draws fresh
    entropy from the operating system.

    Raises
    ------
    TypeError, ValueError
        For anything that numpy's SPEC 7 would not accept, or a negative number.
    """
    if isinstance(rng, (bool, str, bytes, float)):
        raise TypeError(f"rng must be a whole number >= 0, a SeedSequence, a Generator or None, got {rng!r}")
    if rng is None:
        entropy = np.random.SeedSequence().entropy
        assert isinstance(entropy, int)
        return entropy
    if isinstance(rng, (int, np.integer)):
        if rng < 0:
            raise ValueError(f"rng must be >= 0, got {rng}")
        return int(rng)
    if isinstance(rng, np.random.BitGenerator):
        rng = np.random.Generator(rng)
    if isinstance(rng, np.random.Generator):
        words = np.asarray(rng.integers(0, 2**32, size=4, dtype=np.uint32))
    else:
        sequence = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(list(rng))
        words = np.asarray(sequence.generate_state(4))
    return int.from_bytes(np.asarray(words, dtype="<u4").tobytes(), "little")


@functools.lru_cache(maxsize=65536)
def name_words(name: str) -> tuple[int, int]:
    """Two 32-bit words that stand for a name, the same on every machine (BLAKE2b)."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


def stream(root: int, replication: int, role: str, flow: str = "", entity: str = "") -> np.random.Generator:
    """The generator of one role of one entity for one flow in one replication.

    Parameters
    ----------
    root : int
        Root entropy, see `root_entropy`.
    replication : int
        From 0.
    role : str
        What is drawn: ``release``, ``duration``, ``share``, ``route``, ``outage``, ...
    flow, entity : str
        Ids; ``""`` where there is none.

    Examples
    --------
    >>> one = stream(7, 0, "duration", "export", "samur_az.exit.lanes").random()
    >>> one == stream(7, 0, "duration", "export", "samur_az.exit.lanes").random()
    True
    """
    key = (SCHEME, replication, *name_words(role), *name_words(flow), *name_words(entity))
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(root, spawn_key=key)))
