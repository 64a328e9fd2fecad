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
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

SCHEME = 1
"""Version of the keys; part of every key. A change of scheme changes every draw."""

SEEDED_TOGETHER = 32
"""Fewer generators than this are faster made one by one."""

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
    seed = np.random.SeedSequence(root, spawn_key=_key(replication, role, flow, entity))
    return np.random.Generator(np.random.SFC64(seed))


def streams(
    root: int, replications: Sequence[int], role: str, flow: str = "", entity: str = ""
) -> list[np.random.Generator]:
    """`stream` of each of many replications: the same generators, seeded together.

    Examples
    --------
    >>> [g.random() for g in streams(7, range(2), "route")] == [stream(7, k, "route").random() for k in range(2)]
    True
    """
    if len(replications) < SEEDED_TOGETHER or max(replications) >= 2**32:
        return [stream(root, replication, role, flow, entity) for replication in replications]
    keys = [_key(replication, role, flow, entity) for replication in replications]
    return [
        np.random.Generator(np.random.SFC64(cast(np.random.SeedSequence, _Seed(root, key, state))))
        for key, state in zip(keys, _sfc64_states(root, keys), strict=True)
    ]


def _key(replication: int, role: str, flow: str, entity: str) -> tuple[int, ...]:
    return SCHEME, replication, *name_words(role), *name_words(flow), *name_words(entity)


class _Seed(np.random.bit_generator.ISpawnableSeedSequence):
    """A SeedSequence whose state is known already; it makes the real one only to spawn."""

    def __init__(self, root: int, key: tuple[int, ...], state: NDArray[np.uint64]) -> None:
        self.root, self.key, self.state = root, key, state
        self._whole: np.random.SeedSequence | None = None

    @property
    def whole(self) -> np.random.SeedSequence:
        """The SeedSequence that this stands for."""
        if self._whole is None:
            self._whole = np.random.SeedSequence(self.root, spawn_key=self.key)
        return self._whole

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        """The state that SFC64 asks for; anything else from the whole SeedSequence."""
        if n_words == 3 and np.dtype(dtype) == np.uint64:
            return self.state
        return self.whole.generate_state(n_words, dtype)

    def spawn(self, n_children: int) -> list[Any]:
        """Children of the whole SeedSequence."""
        return self.whole.spawn(n_children)


def _sfc64_states(root: int, keys: Sequence[tuple[int, ...]]) -> NDArray[np.uint64]:
    """``SeedSequence(root, spawn_key=key).generate_state(3, uint64)`` of many keys of 32-bit words.

    Constants and steps are those of ``numpy.random.SeedSequence``, which keeps them
    between versions [oneill2015]; a test compares the two.
    """
    words = [root >> shift & 0xFFFFFFFF for shift in range(0, max(root.bit_length(), 128), 32)]
    columns = [np.array([word], dtype=np.uint32) for word in words]
    columns += [column[:1] if (column == column[0]).all() else column for column in np.array(keys, dtype=np.uint32).T]
    factor = 0x43B0D7E5

    def hashed(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
        nonlocal factor
        value = value ^ np.uint32(factor)
        factor = factor * 0x931E8875 & 0xFFFFFFFF
        value = value * np.uint32(factor)
        return value ^ value >> np.uint32(16)

    def mixed(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.uint32]:
        value = one * np.uint32(0xCA01F9DD) - other * np.uint32(0x4973F715)
        return np.asarray(value ^ value >> np.uint32(16))

    pool = [hashed(column) for column in columns[:4]]
    for source in range(4):
        for target in range(4):
            if source != target:
                pool[target] = mixed(pool[target], hashed(pool[source]))
    for column in columns[4:]:
        for target in range(4):
            pool[target] = mixed(pool[target], hashed(column))
    state = np.empty((len(keys), 6), dtype=np.uint32)
    factor = 0x8B51F9DD
    for word in range(6):
        value = pool[word % 4] ^ np.uint32(factor)
        factor = factor * 0x58F38DED & 0xFFFFFFFF
        value = value * np.uint32(factor)
        state[:, word] = value ^ value >> np.uint32(16)
    pairs = state.astype(np.uint64)
    return pairs[:, 0::2] | pairs[:, 1::2] << np.uint64(32)
