"""Random streams, found by name: who draws is part of the key, when is not.

A stream is keyed by (scheme, root entropy, replication, role, flow, entity), hashed to 128
bits; value k of it is a function of this key and of k (`draws.words`). A new checkpoint, lane or
flow therefore leaves every other draw alone, however many are drawn, and two scenarios that
share a root share every draw they have in common (common random numbers).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from corridor_sim.core.draws.words import Key, words
from corridor_sim.core.errors import ArgumentError

SCHEME = 2
"""Version of the keys and of how values follow from them; part of every key. A change of it changes every draw."""

# In words: numpy loads its generators, which we ask for entropy alone, when they are first named.
Rng: TypeAlias = "int | Sequence[int] | np.random.SeedSequence | np.random.Generator | np.random.BitGenerator | None"


def root_entropy(rng: Rng) -> int:
    """The root entropy that stands for `rng`; record it and the run can be repeated.

    An int is its own root (0 included). A SeedSequence is not changed, so the
    same one gives the same root twice; a Generator moves on. None draws fresh
    entropy from the operating system.

    Raises
    ------
    ArgumentError
        For anything that numpy's SPEC 7 would not accept, or a negative number.
    """
    if isinstance(rng, (bool, str, bytes, float)):
        raise ArgumentError(f"rng must be a whole number >= 0, a SeedSequence, a Generator or None, got {rng!r}")
    if rng is None:
        entropy = np.random.SeedSequence().entropy
        assert isinstance(entropy, int)
        return entropy
    if isinstance(rng, (int, np.integer)):
        if rng < 0:
            raise ArgumentError(f"rng must be a whole number >= 0, got {rng}")
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
def _framed(part: str) -> bytes:
    """A part of a name with its length before it, so that no two lists of parts give the same text."""
    text = part.encode()
    return len(text).to_bytes(8, "little") + text


def _name_words(root: int, names: Sequence[tuple[str, str, str]]) -> np.ndarray:
    """The keys of streams without their replication, shape (name, 2): BLAKE2b of their parts, the same everywhere."""
    begun = hashlib.blake2b(_framed(str(SCHEME)) + _framed(str(root)), digest_size=16)
    digests = []
    for role, flow, entity in names:
        one = begun.copy()
        one.update(_framed(role) + _framed(flow) + _framed(entity))
        digests.append(one.digest())
    return np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, 2).astype(np.uint64)


def keys(root: int, replications: Sequence[int], role: str, flow: str = "", entity: str = "") -> Key:
    """The keys of one role of one entity for one flow, one for each replication: arrays of words.

    Parameters
    ----------
    root : int
        Root entropy, see `root_entropy`.
    replications : sequence of int
        From 0, less than 2^62.
    role : str
        What is drawn: ``release``, ``duration``, ``share``, ``route``, ``outage``, ...
    flow, entity : str
        Ids; ``""`` where there is none.
    """
    return keys_of(root, replications, [(role, flow, entity)]).at(0)


def keys_of(root: int, replications: Sequence[int], names: Sequence[tuple[str, str, str]]) -> Key:
    """The keys of several streams at once, shape (name, replication); a name is (role, flow, entity), see `keys`.

    Examples
    --------
    >>> names = [("release", "export", ""), ("share", "export", "samur_az.exit.xray")]
    >>> bool((keys_of(7, [0, 5], names).at(1).first == keys(7, [0, 5], *names[1]).first).all())
    True
    """
    first, second = _name_words(root, names).T[:, :, None]
    numbers, name = np.asarray(replications, dtype=np.uint64), Key(first, second)
    return Key(words(name, 2 * numbers), words(name, 2 * numbers + np.uint64(1)))


def key(root: int, replication: int, role: str, flow: str = "", entity: str = "") -> Key:
    """The key of one replication, see `keys`.

    Examples
    --------
    >>> one = key(7, 0, "duration", "export", "samur_az.exit.lanes")
    >>> one == key(7, 0, "duration", "export", "samur_az.exit.lanes")
    True
    >>> words(one, [0, 1]).tolist() == words(one, [1, 0]).tolist()[::-1]
    True
    """
    return keys(root, [replication], role, flow, entity).at(0)


def generator(key: Key) -> np.random.Generator:
    """A generator for what is drawn in sequence only: laws and arrivals that know nothing of keys."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([SCHEME, int(key.first), int(key.second)])))


def key_of(source: Key | np.random.Generator) -> Key:
    """A key as it is; from a generator, the next two words."""
    if isinstance(source, Key):
        return source
    first, second = source.integers(0, 2**64, size=2, dtype=np.uint64)
    return Key(first, second)
