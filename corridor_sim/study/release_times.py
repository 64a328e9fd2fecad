"""Indicators of a time release study, and of what a scenario gives for the same events, side by side."""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections.abc import Sequence
from typing import Any

from corridor_sim.core.errors import CorridorError, CorridorWarning
from corridor_sim.model.arrivals import utc
from corridor_sim.records.release_study import ReleaseStudy, simulated_studies
from corridor_sim.records.study_rows import read_release_study
from corridor_sim.results.release_times import ReleaseTimes, observed_frame, simulated_frame
from corridor_sim.results.results import Results
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.study.asked_run import Runnable
from corridor_sim.study.run import run


def release_times(
    study: ReleaseStudy | str | os.PathLike[str],
    scenario: Runnable | Results | None = None,
    *,
    confidence: float = 0.95,
    replications: int | Sequence[int] | None = None,
    **settings: Any,
) -> ReleaseTimes:
    r"""Time from arrival to release by step, channel, agency, hour and day [wco2018], observed and simulated.

    Parameters
    ----------
    study : ReleaseStudy or path of its columns
        As `read_release_study` takes it.
    scenario : Scenario, path or name of a packaged one, or Results with records, optional
        What to hold it against. Its events are those that name a stage; counted are the consignments that join the
        first of them in the counted window of the run.
    confidence : float
        Of the intervals: of the study over its days, drawn again [efron1993], of a scenario over replications.
    replications, **settings
        As `run` takes them.

    Returns
    -------
    ReleaseTimes
        ``times.table()``, ``times.table(by="channel")``, ``times.describe()``.

    Raises
    ------
    ScenarioError
        For faults of the study's table or of the scenario.
    CorridorError
        If the run has not what the study names.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "id,came,gone\na,2026-05-11 00:30,2026-05-11 01:30\nb,2026-05-11 02:00,2026-05-11 02:30\n"
    >>> head = 'name = "study"\ncsv = "rows.csv"\nconsignment = "id"\nutc_offset_h = 4.0\n'
    >>> size = (folder / "rows.csv").write_text(rows)
    >>> size = (folder / "study.toml").write_text(head + "[events.came]\n[events.gone]\n")
    >>> found = cs.release_times(cs.read_release_study(folder / "study.toml"))
    >>> len(found.observed), found.simulated is None
    (26, True)
    """
    require_confidence(confidence)
    if not isinstance(study, ReleaseStudy):
        study = read_release_study(study)
    observed = observed_frame(study, confidence)
    if scenario is None:
        return ReleaseTimes(observed, None, study.columns.name, "", study.notes, confidence)
    if isinstance(scenario, Results):
        results = scenario
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorridorWarning)
            results = run(scenario, replications=replications, records=True, **settings)
    found = simulated(study, results)
    notes = [*study.notes]
    if not any(len(one) for one in found):
        raise CorridorError(
            f"nobody joins the first stage of {study.columns.name} in the counted window of {results.name}"
        )
    lost = [name for name, one in study.columns.events.items() if not one.stage]
    if lost:
        notes.append(f"of no stage, so not simulated: {', '.join(lost)}")
    notes += [f"{results.name}: {text}" for text in results.warnings]
    return ReleaseTimes(
        observed, simulated_frame(found, confidence), study.columns.name, results.name, tuple(notes), confidence
    )


def simulated(study: ReleaseStudy, results: Results) -> list[ReleaseStudy]:
    """What the study would have found in each replication of a run that kept its records.

    Raises
    ------
    CorridorError
        If the run kept none, has no dates, or not the stages that the study names.
    """
    records, start = results.records, results.plan.start
    if records is None:
        raise CorridorError("this run kept no records; run it again with records=True")
    if start is None:
        raise CorridorError("the run has no dates")
    columns = study.columns
    there = {element.id for element in results.plan.elements}
    lacking = [
        one.stage
        for one in columns.events.values()
        if one.stage and not there & {f"{columns.post}.{way}.{one.stage}" for way in (columns.direction, "both")}
    ]
    if lacking or not columns.post:
        text = ", ".join(dict.fromkeys(lacking)) or "post and direction"
        raise CorridorError(f"{results.name} has not what {columns.name} names: {text} of {columns.post}")
    if not isinstance(start, dt.datetime):
        start = dt.datetime.combine(start, dt.time())
    return simulated_studies(columns, records, utc(start), results.scope.from_h, results.scope.until_h)
