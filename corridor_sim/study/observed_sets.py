"""Values of sets of upgrades that survive: a folder of small tables from which a search goes on.

Each table is a CSV file (content of the set, replication, value, ids) that is there whole or not at all, named by what
is in it: a file that was damaged is known by its name, told, set aside and made again. A value is found again
by what decides it: the base, the rows, the root entropy, and the improvements of the set. Budgets, rules and the
list of upgrades may change.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corridor_sim.core.errors import SimulationError, StoreWarning
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.portfolios import Set
from corridor_sim.study.whole_files import is_half, remove_left_behind, write_whole

COLUMNS = ("content", "replication", "value", "upgrades")


class ObservedSets:
    """Values by set and replication, in a folder.

    Parameters
    ----------
    folder : path
        Holds a folder ``sets-KEY`` for each question.
    question : mapping
        What decides a value beside the improvements of the set.
    improvements : sequence of mapping
        Of each upgrade by id.
    ids : sequence of str
        Of the upgrades, for whoever reads the files.

    Raises
    ------
    SimulationError
        If the disk does not give or take a file.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        question: Mapping[str, Any],
        improvements: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
    ) -> None:
        self.folder = Path(folder) / f"sets-{fingerprint(dict(question))}"
        self._contents = [fingerprint([one.to_data() for one in mine.values()]) for mine in improvements]
        self._ids = tuple(ids)
        self._values: dict[str, dict[int, float]] = {}
        with self._disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_left_behind(self.folder)
            for path in sorted(self.folder.glob("*.csv")):
                if not is_half(path):
                    self._read(path)

    def of(self, chosen: Set) -> Mapping[int, float]:
        """What is known of a set: value by replication."""
        return self._values.get(self._key(chosen), {})

    def add(self, sets: Sequence[Set], replications: Sequence[int], values: FloatArray) -> None:
        """Keep values, shape (set, replication)."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for one, row in zip(sets, values.tolist(), strict=True):
            key, named = self._key(one), " ".join(self._ids[u] for u in sorted(one))
            for replication, value in zip(replications, row, strict=True):
                table.writerow([key, replication, repr(value), named])
                self._values.setdefault(key, {})[replication] = value
        content = text.getvalue().encode()
        with self._disk():
            write_whole(self.folder / f"{_name(content)}.csv", content)

    def _key(self, chosen: Set) -> str:
        return fingerprint(sorted(self._contents[u] for u in chosen))

    def _read(self, path: Path) -> None:
        content = path.read_bytes()
        if _name(content) != path.stem:
            aside = path.with_suffix(".damaged")
            os.replace(path, aside)
            told = f"{path}: damaged, set aside as {aside.name}; what was in it is run again"
            warnings.warn(told, StoreWarning, stacklevel=2)
            return
        for line in csv.DictReader(io.StringIO(content.decode())):
            self._values.setdefault(line["content"], {})[int(line["replication"])] = float(line["value"])

    @contextlib.contextmanager
    def _disk(self) -> Any:
        try:
            yield
        except OSError as error:
            name = error.filename or self.folder
            raise SimulationError(f"not stored: {name}: {error.strerror or error}") from error


def _name(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()
