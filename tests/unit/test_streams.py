"""Streams by name: stable bits, no two alike, seeded together or one by one."""

import itertools

import numpy as np
import pytest

from corridor_sim.core.streams import SEEDED_TOGETHER, name_words, root_entropy, stream, streams

KEY = ("duration", "export", "samur_az.exit.lanes")
ROOTS = [0, 7, 2**32 - 1, 2**32, 2**64 + 5, 2**127 + 3, 2**128 - 1, 2**128, 2**200 + 9]


@pytest.mark.parametrize("root", ROOTS)
def test_generators_seeded_together_are_those_made_one_by_one(root):
    replications = [*range(SEEDED_TOGETHER), 2**31, 2**32 - 1]
    for together, replication in zip(streams(root, replications, *KEY), replications, strict=True):
        alone = stream(root, replication, *KEY)
        assert np.array_equal(together.bit_generator.random_raw(3), alone.bit_generator.random_raw(3))
        assert together.spawn(2)[1].random() == alone.spawn(2)[1].random()
        assert together.spawn(1)[0].random() == alone.spawn(1)[0].random()


@pytest.mark.parametrize("replications", [[], [3], [*range(40), 2**32]])
def test_any_replications_may_be_seeded_together(replications):
    found = [generator.random() for generator in streams(1, replications, "route")]
    assert found == [stream(1, replication, "route").random() for replication in replications]


def test_the_bits_of_a_stream_are_pinned():
    """A change here changes every draw of every study: raise `streams.SCHEME` and say so."""
    assert stream(7, 0, *KEY).bit_generator.random_raw(2).tolist() == [5867029584808930740, 14561726915581999380]
    assert name_words("samur_az.exit.lanes") == (2114044975, 1527110350)


def test_every_part_of_the_key_makes_another_stream():
    keys = itertools.product([0, 1, 2**128], [0, 1], ["duration", "share"], ["", "a", "b"], ["", "a", "b"])
    first = [stream(*key).random() for key in keys]
    assert len(set(first)) == len(first) == 108


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
    with pytest.raises(TypeError, match="rng must be a whole number"):
        root_entropy(rng)
