"""What of a run is on the disk, what does its folder say of it, and what if the disk or a replication fails?"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corridor_sim.core.errors import SimulationError
from corridor_sim.core.local_time import zone_release
from corridor_sim.core.plugins import loaded
from corridor_sim.core.public_holidays import holidays_release
from corridor_sim.core.streams import SCHEME
from corridor_sim.indicators.table import Table, join
from corridor_sim.plan.plan import Plan
from corridor_sim.records.visits import IntArray
from corridor_sim.results.doubts import warnings_of
from corridor_sim.results.results import Results
from corridor_sim.study.execution import BlockResult, Failure, Job
from corridor_sim.study.keys import library_version, parts_of
from corridor_sim.study.store import Store, machine


def versions() -> dict[str, str]:
    """Versions that a rerun to the same bits needs to know."""
    return {
        "corridor_sim": library_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "stream_scheme": str(SCHEME),
        "time_zones": zone_release(),
        **({"holidays": release} if (release := holidays_release()) else {}),
        **{f"plug-in {name}": whence for name, whence in loaded().items()},
    }


def only_of(block: BlockResult, numbers: Sequence[int]) -> BlockResult:
    """The block with these replications alone."""
    wanted = np.isin(block.table.replications, numbers)
    return replace(block, table=block.table.only(block.table.replications[wanted]), visits=block.visits[wanted])


def about_run(scenario: Any, plan: Plan, job: Job, reason: str) -> dict[str, Any]:
    """What the folder of a run says of it."""
    return {
        **parts_of(scenario, plan, job.root, job.indicators, job.options),
        "scenario": scenario.name or "run",
        "engine": job.engine,
        "engine_reason": reason,
        "versions": {key: value for key, value in versions().items() if key != "corridor_sim"},
        "machine": machine(),
        "start": str(plan.start or ""),
        "horizon_h": plan.horizon_h,
        "warm_up_h": plan.warm_up_h,
        "counted_until_h": plan.counted_until_h,
        "units": "each row of labels.json names its unit; clock in hours from start, UTC",
    }


def text_of_scenario(scenario: Any) -> str:
    """The scenario as a file; "" for a plan."""
    if isinstance(scenario, Plan):
        return ""
    from corridor_sim.files.scenario_files import dumps

    return dumps(scenario)


@contextlib.contextmanager
def disk_of(plan: Plan) -> Iterator[None]:
    """A disk that does not take a file of the store is the failure of a run, named by its scenario."""
    try:
        yield
    except OSError as error:
        raise SimulationError(f"scenario {plan.name or 'run'!r}: not stored: {_of_disk(error)}") from error


def _of_disk(error: OSError) -> str:
    return f"{error.filename or 'a file of the store'}: {error.strerror or error}"


def stored_block(folder: Store, block: BlockResult, job: Job) -> BlockResult | Failure:
    """The block, once it is on the disk."""
    try:
        folder.save(block.table, block.visits)
    except OSError as error:
        numbers = tuple(int(r) for r in block.table.replications)
        return Failure.of(replace(job, replications=numbers), f"simulated, not stored: {_of_disk(error)}")
    return block


def error_of(failures: Sequence[Failure], folder: Store | None, most: int = 10) -> SimulationError:
    """One error that names every replication that failed, at most `most` lines of them."""
    lines = [str(failure) for failure in sorted(failures, key=lambda failure: failure.replications)]
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    kept = []
    if folder is not None:
        kept = [f"the other replications are kept in {folder.folder}; running again does only what is missing"]
    error = SimulationError("\n".join(lines[:most] + more + kept))
    details = next((failure.details for failure in failures if failure.details), "")
    if details:
        error.add_note(details)
    return error


def of_all_blocks(blocks: Sequence[tuple[Table, IntArray]], results: Results) -> Results:
    """Results of all blocks of a folder; as they are if they are of all."""
    if not blocks:
        return results
    visits = int(sum(count.sum() for _, count in blocks))
    whole = replace(results, rows=join([table for table, _ in blocks]), visits_count=visits)
    return replace(whole, warnings=warnings_of(whole))
