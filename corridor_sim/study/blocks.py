"""One stored block of replications: its file, its checksum, and how damage is told.

A block names the run that it belongs to and the labels of its rows, and holds a
checksum of all of it: a block that was cut short, changed or carried over from another
folder is never taken for results.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators import pools
from corridor_sim.indicators.table import Label
from corridor_sim.records.visits import IntArray

ARRAYS = ("key", "labels", "replications", "values", "visits")


class Damaged(CorridorError):
    """A stored file that is not what was written; the message says which, and in what way."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Values (row, replication) and visits (replication,) of some replications of a run.

    `key` is that of the run, `labels` the checksum of the labels of the rows (`checksum_of_labels`),
    `counts` the arrays of its `PooledCounts`, which are of the block as a whole.
    """

    key: str
    labels: str
    replications: IntArray
    values: FloatArray
    visits: IntArray
    counts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of its file: the first and the last replication."""
        return f"{int(self.replications[0]):06d}-{int(self.replications[-1]):06d}.npz"

    def to_bytes(self) -> bytes:
        """The file of the block; the same block always gives the same bytes."""
        file = io.BytesIO()
        arrays: dict[str, Any] = {name: np.asarray(getattr(self, name)) for name in ARRAYS} | dict(self.counts)
        np.savez(file, checksum=np.array(self._checksum()), **arrays)
        return file.getvalue()

    def _checksum(self) -> str:
        counts = {name: np.asarray(array) for name, array in self.counts.items()}
        return fingerprint([*(getattr(self, name) for name in ARRAYS), {n: _plain(a) for n, a in counts.items()}])


def _plain(array: Any) -> Any:
    """Texts as such, so that how wide numpy keeps them does not show."""
    return str(array) if array.dtype.kind == "U" else array


def checksum_of_labels(labels: tuple[Label, ...]) -> str:
    """A checksum of what the rows of a table are."""
    return fingerprint("\n".join(repr(astuple(label)) for label in labels))


def read_block(path: Path, key: str) -> Block:
    """The block of a file.

    Raises
    ------
    Damaged
        If the file is not a whole block of the run `key`.
    CorridorError
        If it cannot be read at all.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorridorError(f"{path}: cannot be read ({error.strerror or error})") from None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        counts = {name: found[name] for name in sorted(pools.ARRAYS & set(found))}
        block = Block(
            str(found["key"]), str(found["labels"]), found["replications"], found["values"], found["visits"], counts
        )
        checksum = block._checksum()
    except Exception as error:  # Whatever a damaged archive makes numpy and zipfile raise.
        raise Damaged(f"{path}: not a whole block ({type(error).__name__}: {error})") from None
    if checksum != str(found["checksum"]):
        raise Damaged(f"{path}: its values do not fit its checksum, so it was changed or damaged")
    if block.key != key:
        raise Damaged(f"{path}: belongs to another run ({block.key}, not {key})")
    return block


def without_overlap(blocks: Sequence[Block]) -> list[Block]:
    """Blocks that share no replication and have as many as can be told quickly.

    Two processes that worked on one run at once may have cut it differently. The cut of each covers
    what it has run, so large blocks first or small ones first covers it in most cases; what neither
    covers counts as missing. A block is taken whole: its counts cannot be divided.
    """

    def taken(order: Sequence[Block]) -> list[Block]:
        found: list[Block] = []
        held: set[int] = set()
        for block in order:
            numbers = set(block.replications.tolist())
            if not numbers & held:
                found.append(block)
                held |= numbers
        return found

    small_first = sorted(blocks, key=lambda block: len(block.replications))
    both = [taken(small_first[::-1]), taken(small_first)]
    best = max(both, key=lambda found: sum(len(block.replications) for block in found))
    return sorted(best, key=lambda block: int(block.replications[0]))
