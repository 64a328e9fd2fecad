"""Runs that survive: a folder with one file a finished block, from which a run goes on or is read again.

A folder says what it holds without this library::

    manifest.json    scenario, dates, root entropy, engine, versions, machine, units
    scenario.toml    the scenario as text
    labels.json      what each row of the blocks is
    blocks/*.npz     values (row, replication), written when a block is finished
    summary.csv      means with intervals, once all blocks are there

A block is written under another name and moved into place, so that an
interrupted run leaves no half a block. Running again with the same scenario and
root does only what is missing and ends in the same bytes.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from corridor_sim.core.errors import CorridorError
from corridor_sim.indicators import pools
from corridor_sim.indicators.base import Options
from corridor_sim.indicators.table import Label, Table, join
from corridor_sim.records.visits import IntArray
from corridor_sim.results.results import NOISE, Results

SCHEMA = 1
"""Version of the folder's layout."""
ARRAYS = {"values", "replications", "visits"}


class Store:
    """The folder of one run."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

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
            raise CorridorError(
                f"{path}: layout {found.get('schema') if isinstance(found, dict) else found!r} is unknown"
            )
        return found

    def open(self, about: Mapping[str, Any], scenario_text: str) -> None:
        """Begin a run in the folder, or go on with the one that is there.

        Parameters
        ----------
        about : mapping
            ``fingerprint``, ``root_entropy`` and what else describes the run.

        Raises
        ------
        CorridorError
            If the folder holds another run, or files of something else.
        """
        found = self.manifest
        if found is not None:
            differ = [
                f"{key} is {found.get(key)!r} there and {about[key]!r} here"
                for key in ("fingerprint", "root_entropy", "indicators", "library")
                if found.get(key) != about[key]
            ]
            if differ:
                raise CorridorError(
                    f"{self.folder} holds another run: {'; '.join(differ)}. Give another folder, or delete this one."
                )
            return
        if self.folder.exists() and any(self.folder.iterdir()):
            raise CorridorError(f"{self.folder} is not empty and holds no run")
        (self.folder / "blocks").mkdir(parents=True, exist_ok=True)
        if scenario_text:
            _write(self.folder / "scenario.toml", scenario_text)
        _write(self.folder / "manifest.json", _text({"schema": SCHEMA, **about}))

    def save(self, table: Table, visits: IntArray) -> None:
        """Write one finished block."""
        labels = self.folder / "labels.json"
        if not labels.exists():
            _write(labels, _text([asdict(label) for label in table.labels]))
        first, last = int(table.replications[0]), int(table.replications[-1])
        path = self.folder / "blocks" / f"{first:06d}-{last:06d}.npz"
        half = path.with_name(f".{path.name}.{os.getpid()}.part")
        with half.open("wb") as file:
            counts = table.pools.arrays() if table.pools is not None else {}
            np.savez(file, values=table.values, replications=table.replications, visits=visits, **counts)
        os.replace(half, path)

    def load(self) -> list[tuple[Table, IntArray]]:
        """Tables of the blocks that are finished, each with its visits.

        Raises
        ------
        CorridorError
            If a block cannot be read.
        """
        labels = self._labels()
        found: list[tuple[Table, IntArray]] = []
        seen: set[int] = set()
        for path in sorted((self.folder / "blocks").glob("[!.]*.npz")):
            try:
                with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    if set(arrays.files) not in (ARRAYS, ARRAYS | pools.ARRAYS):
                        raise ValueError(f"holds {sorted(arrays.files)}")
                    table = Table(labels, arrays["values"], arrays["replications"], pools.from_arrays(arrays))
                    count = arrays["visits"]
            except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
                raise CorridorError(f"{path}: not a finished block ({error}); delete it to run it again") from None
            if seen & set(table.replications.tolist()):
                raise CorridorError(f"{path}: repeats replications of another block; delete one of them")
            seen |= set(table.replications.tolist())
            found.append((table, count))
        return found

    def _labels(self) -> tuple[Label, ...]:
        path = self.folder / "labels.json"
        if not path.exists():
            return ()
        return tuple(Label(**row) for row in json.loads(path.read_text(encoding="utf-8")))

    def finish(self, results: Results) -> None:
        """Write the summary and what is only known at the end."""
        results.summary().to_csv(self.folder / "summary.csv", index=False)
        manifest = self.manifest or {}
        manifest["finished"] = {
            "replications": [int(r) for r in results.rows.replications],
            "visits": results.visits_count,
            "warnings": list(results.warnings),
            "interval": NOISE,
        }
        _write(self.folder / "manifest.json", _text(manifest))


def load(folder: str | os.PathLike[str]) -> Results:
    """Results of a stored run, of as many replications as are finished.

    Raises
    ------
    CorridorError
        If the folder holds no run, no finished block, or no scenario to read it with.
    """
    from corridor_sim.files.scenario_files import load_scenario
    from corridor_sim.plan.build import make_plan

    store = Store(folder)
    manifest = store.manifest
    if manifest is None:
        raise CorridorError(f"{store.folder} holds no run")
    text = store.folder / "scenario.toml"
    if not text.exists():
        raise CorridorError(f"{store.folder}: the run was made from a plan by hand; there is no scenario to read")
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


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, default=str) + "\n"


def _write(path: Path, text: str) -> None:
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    half.write_text(text, encoding="utf-8")
    os.replace(half, path)
