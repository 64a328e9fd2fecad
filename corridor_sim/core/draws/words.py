"""Which 64 random bits has value k of a stream?

A word is a hash of a key of 128 bits and an index: the index times an odd constant (a Weyl
sequence, as in SplitMix64 [steele2014]) plus the first half of the key, then a finaliser of two
rounds [stafford2011] with the second half of the key between them. So the words of one stream
differ from each other, any of them can be had without the others, and streams have different
sequences, not different places in one. What a variate needs beyond its word are `further` words,
hashes of the word itself by another finaliser (that of MurmurHash3 [appleby2011]).

``tests/benchmarks/words_battery.py`` puts the words through a battery of tests.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.units import FloatArray

WordArray = NDArray[np.uint64]

WEYL = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
FURTHER = np.uint64(0xD1342543DE82EF95)
THIRD, FOURTH = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
BY_10, BY_11, BY_12, BY_27, BY_30, BY_31, BY_33 = map(np.uint64, (10, 11, 12, 27, 30, 31, 33))

PIECE = 16384
"""Values worked on at once, so that they and what is between stay in the cache."""
UNIT = 2.0**-53


class Key(NamedTuple):
    """The 128 bits that name a stream, as two words (uint64); arrays of words name a stream a cell."""

    first: Any
    second: Any

    def at(self, which: Any) -> Key:
        """The keys at some positions."""
        return Key(self.first[which], self.second[which])

    def alone(self) -> list[Key]:
        """The keys of an array one by one."""
        return [Key(one, other) for one, other in zip(self.first, self.second, strict=True)]


def words(key: Key, index: ArrayLike) -> WordArray:
    """The word of each index under each key, whose shapes are broadcast.

    Examples
    --------
    >>> key = Key(np.uint64(1), np.uint64(2))
    >>> bool((words(key, [5, 3, 5]) == words(key, range(6))[[5, 3, 5]]).all())
    True
    """
    numbers = np.asarray(index).astype(np.uint64, copy=False)
    first, second = np.asarray(key.first, dtype=np.uint64), np.asarray(key.second, dtype=np.uint64)
    shape = np.broadcast_shapes(numbers.shape, first.shape, second.shape)
    out = np.empty(shape, dtype=np.uint64)
    if numbers.ndim == 1 and not first.ndim and not second.ndim and len(numbers) > PIECE:
        for at in range(0, len(numbers), PIECE):
            _hash(numbers[at : at + PIECE], first, second, out[at : at + PIECE])
    elif shape and numbers.shape == first.shape == second.shape == (len(out),) and len(out) > PIECE:
        for at in range(0, len(out), PIECE):
            piece = slice(at, at + PIECE)
            _hash(numbers[piece], first[piece], second[piece], out[piece])
    else:
        _hash(numbers, first, second, out)
    return out


def _hash(index: WordArray, first: WordArray, second: WordArray, out: WordArray) -> None:
    np.multiply(index, WEYL, out=out)
    np.add(out, first, out=out)
    np.bitwise_xor(out, out >> BY_30, out=out)
    np.multiply(out, FIRST, out=out)
    np.bitwise_xor(out, second, out=out)
    np.bitwise_xor(out, out >> BY_27, out=out)
    np.multiply(out, SECOND, out=out)
    np.bitwise_xor(out, out >> BY_31, out=out)


def salt(number: int) -> np.uint64:
    """What is added to a word for its further word of some number."""
    return np.uint64(number * int(FURTHER) & 0xFFFFFFFFFFFFFFFF)


def further(word: WordArray, number: int) -> WordArray:
    """The further word of some number, from 1, of each word."""
    added = salt(number)
    result = np.empty(word.shape, dtype=np.uint64)
    flat, into = word.reshape(-1), result.reshape(-1)
    for at in range(0, flat.size, PIECE):
        out = into[at : at + PIECE]
        np.add(flat[at : at + PIECE], added, out=out)
        out ^= out >> BY_33
        out *= THIRD
        out ^= out >> BY_33
        out *= FOURTH
        out ^= out >> BY_33
    return result


def uniform(word: WordArray) -> FloatArray:
    """Uniforms in [0, 1) on the grid of 2^-53, from the upper 53 bits."""
    out = np.empty(word.shape)
    flat, into = word.reshape(-1), out.reshape(-1)
    for at in range(0, flat.size, PIECE):
        np.multiply((flat[at : at + PIECE] >> BY_11).view(np.int64), UNIT, out=into[at : at + PIECE])
    return out


def inner_uniform(word: WordArray) -> FloatArray:
    """Uniforms strictly between 0 and 1, the midpoints of the grid of 2^-52."""
    out = np.asarray((word >> BY_12).view(np.int64), dtype=np.float64)
    out += 0.5
    out *= 2.0**-52
    return out
