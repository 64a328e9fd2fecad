"""Runs that survive: a folder with one file a finished block, from which a run goes on or is read again.

A folder of one run says what it holds without this library::

    manifest.json    key and its parts, scenario, dates, root entropy, engine, versions, machine, units
    scenario.toml    the scenario as text
    labels.json      what each row of the blocks is
    blocks/*.npz     values (row, replication), written when a block is finished
    summary.csv      means with intervals, once a run has come to its end

A batch (`Batch`) is a folder of such folders, each named by its key: the content of the
scenario, the root entropy, the indicators with their options, the scheme of the random
streams and the version of the library (`keys.py`).

Every file is written under another name and moved into place, and every block has a
checksum, so the folder may be killed at any moment: running again with the same
scenario and root does only what is missing and ends in the same bytes. Blocks and labels
that were damaged meanwhile are named in a warning, set aside (``*.damaged``) and made
again. Two processes may work on one folder at once: neither sees half a file of the
other, and replications that both have simulated are the same to the bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corridor_sim.core.errors import CorridorError, StoreWarning
from corridor_sim.indicators import pools
from corridor_sim.indicators.base import Options
from corridor_sim.indicators.table import Label, Table, join
from corridor_sim.records.visits import IntArray
from corridor_sim.results.results import NOISE, Results
from corridor_sim.study.blocks import Block, Damaged, checksum_of_labels, read_block, without_overlap
from corridor_sim.study.keys import differences, key_of
from corridor_sim.study.whole_files import is_half, remove_left_behind, write_whole

SCHEMA = 2
"""Version of the folder's layout."""


class Batch:
    """A folder of runs, each in a folder of its own that is named by its key."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def of(self, key: str) -> Store:
        """The folder of one run.

        Raises
        ------
        CorridorError
            If this is the folder of a single run.
        """
        if (self.folder / "manifest.json").exists():
            raise CorridorError(f"{self.folder} holds a single run; a comparison or sweep needs a folder of its own")
        return Store(self.folder / key)


class Store:
    """The folder of one run."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._key = ""
        self._known: set[str] = set()
        self._held: set[int] = set()
        self._of_labels: tuple[tuple[Label, ...], str] = ((), "")

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The manifest, None if the folder holds no run yet.

        Raises
        ------
        CorridorError
            If there is a manifest that cannot be read.
        """
        path = self.folder / "manifest.json"
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CorridorError(f"{path}: not a manifest of a run ({error})") from None
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            layout = found.get("schema") if isinstance(found, dict) else found
            raise CorridorError(f"{path}: layout {layout!r} is unknown (this version writes {SCHEMA})")
        if found.get("key") != key_of(found):
            raise CorridorError(f"{path}: its key does not fit what it says of the run, so it was changed or damaged")
        return found

    def open(self, about: Mapping[str, Any], scenario: Any, scenario_text: str) -> None:
        """Begin a run in the folder, or go on with the one that is there.

        Parameters
        ----------
        about : mapping
            The parts of the key (`keys.PARTS`) and what else describes the run.
        scenario
            To say what differs where the folder holds another run.
        scenario_text : str
            As a file; empty for a plan made by hand.

        Raises
        ------
        CorridorError
            If the folder holds another run, or files of something else.
        """
        self._key = key_of(about)
        begun = self.folder.exists() and not all(self._is_a_beginning(path) for path in self.folder.iterdir())
        # Looked for second: another process may be beginning here too.
        found = self.manifest
        if found is None:
            if begun:
                raise CorridorError(f"{self.folder} is not empty and holds no run")
            found = {"schema": SCHEMA, **about, "key": self._key, "checksum_of_scenario": _checksum(scenario_text)}
            (self.folder / "blocks").mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / "manifest.json", _text(found))
        elif found["key"] != self._key:
            differ = differences(found, about, self._scenario_there(found), scenario)
            told = "; ".join(differ[:10]) + (f"; and {len(differ) - 10} more" if len(differ) > 10 else "")
            raise CorridorError(f"{self.folder} holds another run: {told}. Give another folder, or delete this one.")
        for folder in (self.folder, self.folder / "blocks"):
            folder.mkdir(exist_ok=True)
            remove_left_behind(folder)
        self._mend_scenario(found, scenario_text)

    @staticmethod
    def _is_a_beginning(path: Path) -> bool:
        """Whether a run that was killed before it had a manifest may have left this."""
        if path.is_dir():
            return path.name == "blocks" and not any(path.iterdir())
        return is_half(path)

    def _scenario_there(self, manifest: Mapping[str, Any]) -> Any:
        from corridor_sim.files.scenario_files import load_scenario

        with contextlib.suppress(CorridorError, OSError):
            return load_scenario(self._scenario(manifest))
        return None

    def _scenario(self, manifest: Mapping[str, Any]) -> Path:
        """The stored scenario, as it was when the run began; Damaged if it was changed since."""
        path = self.folder / "scenario.toml"
        if manifest["checksum_of_scenario"] is None:
            raise CorridorError(f"{self.folder}: the run was made from a plan by hand; there is no scenario to read")
        if not path.exists():
            raise Damaged(f"{path}: is missing")
        if _checksum(path.read_bytes()) != manifest["checksum_of_scenario"]:
            raise Damaged(f"{path}: was changed after the run had begun, so the results are not of what it says")
        return path

    def _mend_scenario(self, manifest: Mapping[str, Any], text: str) -> None:
        """Write the scenario where it is missing; where it was changed, set it aside and say so."""
        if manifest["checksum_of_scenario"] is None or not text:
            return
        path = self.folder / "scenario.toml"
        try:
            self._scenario(manifest)
        except Damaged as damage:
            if _checksum(text) != manifest["checksum_of_scenario"]:
                # The same content in other words (a name, a text, a source): the words of the first are lost.
                raise CorridorError(f"{damage}; put it back as it was, or give another folder") from None
            if path.exists():
                _set_aside(path, damage)
            write_whole(path, text.encode())

    def save(self, table: Table, visits: IntArray) -> None:
        """Write one finished block.

        Raises
        ------
        OSError
            If the disk does not take it; what was there stays as it was.
        """
        labels = self.folder / "labels.json"
        if not labels.exists():
            write_whole(labels, _labels_text(table.labels))
        if self._of_labels[0] != table.labels:
            self._of_labels = table.labels, checksum_of_labels(table.labels)
        counts = table.pools.arrays() if table.pools is not None else {}
        block = Block(self._key, self._of_labels[1], table.replications, table.values, visits, counts)
        write_whole(self.folder / "blocks" / block.name, block.to_bytes())
        self._known.add(block.name)
        self._held |= set(block.replications.tolist())

    def load(self, labels: Callable[[], tuple[Label, ...]] | None = None) -> list[tuple[Table, IntArray]]:
        """Tables of the blocks that are finished, each with its visits; no replication is there twice.

        Parameters
        ----------
        labels : callable, optional
            Labels of the run at hand, asked for if the stored ones are damaged. With it, damaged
            files are named in a `StoreWarning`, set aside and left out, so that they can be
            made again; without it they are an error.

        Raises
        ------
        CorridorError
            If a file cannot be read, or is damaged and `labels` is not given.
        """
        manifest = self.manifest or {}
        blocks: list[Block] = []
        for name in self._names():
            path = self.folder / "blocks" / name
            try:
                block = read_block(path, str(manifest.get("key")))
            except Damaged as damage:
                if labels is None:
                    raise CorridorError(f"{damage}; running again with this store makes it again") from None
                _set_aside(path, damage)
                continue
            self._known.add(name)
            blocks.append(block)
        blocks = without_overlap(blocks)
        self._held = {int(r) for block in blocks for r in block.replications}
        if not blocks:
            return []
        names = self._labels({block.labels for block in blocks}, labels)
        return [
            (Table(names, block.values, block.replications, pools.from_arrays(block.counts)), block.visits)
            for block in blocks
        ]

    def _names(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "blocks").glob("[!.]*.npz"))

    def _labels(self, checksums: set[str], again: Callable[[], tuple[Label, ...]] | None) -> tuple[Label, ...]:
        """The labels that the blocks were written with."""
        path = self.folder / "labels.json"
        try:
            if not path.exists():
                raise Damaged(f"{path}: is missing")
            try:
                found = tuple(Label(**row) for row in json.loads(path.read_bytes()))
            except (ValueError, TypeError) as error:
                raise Damaged(f"{path}: not a list of labels ({error})") from None
            if {checksum_of_labels(found)} != checksums:
                raise Damaged(f"{path}: does not fit the checksum in the blocks, so it was changed or damaged")
        except Damaged as damage:
            if again is None:
                raise CorridorError(f"{damage}; running again with this store makes it again") from None
            found = again()
            if {checksum_of_labels(found)} != checksums:
                raise CorridorError(f"{damage}; the indicators at hand have other rows: delete {self.folder}") from None
            _set_aside(path, damage)
            write_whole(path, _labels_text(found))
        return found

    def more_than(self, replications: IntArray) -> list[tuple[Table, IntArray]]:
        """All blocks of the folder, if it holds other replications than these; else none."""
        if set(self._names()) == self._known and self._held <= set(replications.tolist()):
            return []
        return self.load()

    def finish(self, results: Results) -> None:
        """Write the summary and what is only known at the end.

        Raises
        ------
        OSError
            If the disk does not take it; the blocks are there all the same.
        """
        summary = results.summary().to_csv(index=False, lineterminator=os.linesep)
        write_whole(self.folder / "summary.csv", summary.encode())
        manifest = self.manifest or {}
        manifest["finished"] = {
            "replications": [int(r) for r in results.rows.replications],
            "visits": results.visits_count,
            "warnings": list(results.warnings),
            "interval": NOISE,
        }
        write_whole(self.folder / "manifest.json", _text(manifest))


def load(folder: str | os.PathLike[str]) -> Results:
    """Results of a stored run, of as many replications as are finished.

    Raises
    ------
    CorridorError
        If the folder holds no run, no finished block, or no scenario to read it with; if the
        scenario, the labels or a block were changed or damaged.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "kept"
    >>> results = cs.run("teaching", replications=5, rng=1, workers=1, store=folder)
    >>> cs.load_results(folder).replications
    5
    """
    from corridor_sim.files.scenario_files import load_scenario
    from corridor_sim.plan.build import make_plan

    store = Store(folder)
    manifest = store.manifest
    if manifest is None:
        runs = sorted(path.parent.name for path in store.folder.glob("*/manifest.json"))
        batch = f"; it is a batch, load one of its runs: {', '.join(runs[:5])}" if runs else ""
        raise CorridorError(f"{store.folder} holds no run{batch}")
    text = store._scenario(manifest)
    blocks = store.load()
    if not blocks:
        raise CorridorError(f"{store.folder}: no block is finished yet")
    scenario = load_scenario(text)
    options: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in manifest["options"].items()}
    return Results(
        scenario=scenario,
        plan=make_plan(scenario),
        rows=join([table for table, _ in blocks]),
        root=int(manifest["root_entropy"]),
        engine=str(manifest["engine"]),
        engine_reason=str(manifest["engine_reason"]),
        options=Options(**options),
        visits_count=int(sum(visits.sum() for _, visits in blocks)),
        versions={"corridor_sim": str(manifest["library"]), **manifest["versions"]},
        warnings=tuple(manifest.get("finished", {}).get("warnings", ())),
    )


def machine() -> dict[str, str]:
    """What the run was made on."""
    return {"system": platform.system(), "machine": platform.machine(), "cores": str(os.cpu_count())}


def _set_aside(path: Path, damage: Damaged) -> None:
    if path.exists():
        os.replace(path, path.with_name(path.name + ".damaged"))
    warnings.warn(f"{damage}: set aside as {path.name}.damaged and made again", StoreWarning, stacklevel=2)


def _checksum(text: str | bytes) -> str | None:
    """Checksum of a text; None where there is none."""
    content = text.encode() if isinstance(text, str) else text
    return hashlib.blake2b(content, digest_size=8).hexdigest() if content else None


def _labels_text(labels: tuple[Label, ...]) -> bytes:
    return _text([asdict(label) for label in labels])


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, default=str) + "\n").encode()
