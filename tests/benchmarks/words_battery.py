"""Raw words for a battery of tests of randomness, on standard output.

PractRand (pracrand.sourceforge.net) reads them: ``python tests/benchmarks/words_battery.py PATTERN |
RNG_test stdin64 -tlmax 16GB``. Another one (dieharder -a -g 200, TestU01's smultin by a pipe) may.
Patterns: what is read next to what, so that a likeness between neighbours would show.
"""

import itertools
import sys

import numpy as np

from corridor_sim.core.draws.words import Key, further, words
from corridor_sim.core.streams import key, keys

ROWS = 1 << 16


def indices():
    """One stream, index after index."""
    one = key(1, 0, "duration", "export", "samur_az.exit.lanes")
    for at in itertools.count(step=ROWS):
        yield words(one, np.arange(at, at + ROWS, dtype=np.uint64))


def replications():
    """The same index of 1,024 replications side by side, then the next index."""
    some = keys(1, range(1024), "duration", "export", "samur_az.exit.lanes")
    for at in itertools.count(step=64):
        yield words(some, np.arange(at, at + 64, dtype=np.uint64)[:, None])


def entities():
    """The same index of 1,024 elements with numbered names side by side."""
    found = [key(1, 0, "duration", "export", f"post{k}") for k in range(1024)]
    some = Key(*(np.array(half, dtype=np.uint64) for half in zip(*found, strict=True)))
    for at in itertools.count(step=64):
        yield words(some, np.arange(at, at + 64, dtype=np.uint64)[:, None])


def first():
    """Index 0 alone of replication after replication: how keys are made."""
    for at in itertools.count(step=ROWS):
        yield words(keys(1, np.arange(at, at + ROWS), "duration", "export", "samur_az.exit.lanes"), 0)


def attempts():
    """Each word with its eight further words behind it."""
    for block in indices():
        yield np.stack([block, *(further(block, k) for k in range(1, 9))], axis=1)


def neighbours():
    """Keys that differ in one bit, as no hash of names would make them: 64 of the first and 64 of the second half."""
    base = 0x0123456789ABCDEF
    halves = [(base ^ 1 << b, base) for b in range(64)] + [(base, base ^ 1 << b) for b in range(64)]
    some = Key(*(np.array(half, dtype=np.uint64) for half in zip(*halves, strict=True)))
    for at in itertools.count(step=512):
        yield words(some, np.arange(at, at + 512, dtype=np.uint64)[:, None])


def reversed_bits():
    """One stream, each word with its bits in reverse order, so that tests of low bits see the high ones."""
    for block in indices():
        yield np.packbits(np.unpackbits(block.view(np.uint8), bitorder="little")).view(np.uint64).byteswap()


PATTERNS = [indices, replications, entities, first, attempts, neighbours, reversed_bits]

if __name__ == "__main__":
    pattern = {function.__name__: function for function in PATTERNS}[sys.argv[1]]
    try:
        for block in pattern():
            sys.stdout.buffer.write(np.ascontiguousarray(block).data)
    except BrokenPipeError:
        sys.stderr.close()
