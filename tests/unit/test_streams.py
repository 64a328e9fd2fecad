"""Streams by name: stable words, no two alike, any value without the others."""

import itertools

import numpy as np
import pytest

from corridor_sim.core.draws.words import Key, further, words
from corridor_sim.core.streams import generator, key, key_of, keys, root_entropy

NAMES = ("duration", "export", "samur_az.exit.lanes")
ROOTS = [0, 7, 2**32 - 1, 2**32, 2**64 + 5, 2**127 + 3, 2**128 - 1, 2**128, 2**200 + 9]
PINNED_KEY = 10408480423994408428, 17605493418633988899
PINNED_WORDS = [8444265830267023108, 17639488026246209245, 6366893632381917431]
PINNED_FURTHER = [6629390065333485013]


@pytest.mark.parametrize("root", ROOTS)
def test_keys_of_many_replications_are_those_of_each(root):
    replications = [5, 0, 2**31, 2**32, 2**61]
    together = keys(root, replications, *NAMES)
    assert together.alone() == [key(root, replication, *NAMES) for replication in replications]


def test_the_words_of_a_stream_are_pinned():
    """A change here changes every draw of every study: raise `streams.SCHEME` and say so."""
    one = key(7, 0, *NAMES)
    assert (int(one.first), int(one.second)) == PINNED_KEY
    assert words(one, [0, 1, 2**40]).tolist() == PINNED_WORDS
    assert further(words(one, [0]), 1).tolist() == PINNED_FURTHER


def test_every_part_of_the_key_makes_another_stream():
    parts = itertools.product([0, 1, 2**128], [0, 1], ["duration", "share"], ["", "a", "b"], ["", "a", "b"])
    first = [int(words(key(*part), 0)) for part in parts]
    assert len(set(first)) == len(first) == 108


def test_names_do_not_run_into_each_other():
    assert key(1, 0, "duration", "ab", "c") != key(1, 0, "duration", "a", "bc")
    assert key(12, 0, "3", "a", "b") != key(1, 0, "23", "a", "b")


@pytest.mark.parametrize("size", [1, 7, 20_000, 50_001])
def test_words_are_the_same_in_any_order_any_subset_and_any_shape(size):
    one = key(3, 1, "share", "f", "e")
    whole = words(one, np.arange(size))
    rng = np.random.default_rng(1)
    some = rng.integers(0, size, size=(min(size, 60), 2))
    assert np.array_equal(words(one, some), whole[some])
    assert np.array_equal(words(one, np.arange(size)[::-1]), whole[::-1])
    cells = Key(np.full(size, one.first), np.full(size, one.second))
    assert np.array_equal(words(cells, np.arange(size)), whole)
    assert len(np.unique(whole)) == size


def test_a_generator_of_a_key_is_always_the_same_and_a_key_of_a_key_is_itself():
    one = key(3, 1, "share", "f", "e")
    assert generator(one).random() == generator(one).random() != generator(key(3, 2, "share", "f", "e")).random()
    assert key_of(one) is one
    assert key_of(np.random.default_rng(1)) == key_of(np.random.default_rng(1)) != key_of(np.random.default_rng(2))


def test_a_root_is_kept_as_it_is_or_made_once():
    assert root_entropy(0) == 0
    assert root_entropy(2**200) == 2**200
    sequence = np.random.SeedSequence(5)
    assert root_entropy(sequence) == root_entropy(sequence) == root_entropy(np.random.SeedSequence(5))
    generator = np.random.default_rng(5)
    assert root_entropy(generator) != root_entropy(generator)
    assert root_entropy(None) != root_entropy(None)


@pytest.mark.parametrize("rng", [-1, [1, -2]])
def test_a_negative_root_is_refused(rng):
    with pytest.raises(ValueError):
        root_entropy(rng)


@pytest.mark.parametrize("rng", [True, 1.5, "7", b"7"])
def test_what_is_no_source_of_entropy_is_refused(rng):
    with pytest.raises(ValueError, match="rng must be a whole number"):
        root_entropy(rng)
