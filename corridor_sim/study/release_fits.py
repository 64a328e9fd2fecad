"""From a time release study to figures of a scenario: service laws, shares of channels, volume and hours.

What the study cannot say is refused by name and not guessed (`ReleaseFit.refused`). The parts that read arrivals
are in `release_arrivals.py`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError, ScenarioError
from corridor_sim.core.units import FloatArray
from corridor_sim.files.overlays import read_document
from corridor_sim.files.packaged import is_called, located, packaged_files
from corridor_sim.files.scenario_files import load_scenario, loads
from corridor_sim.model.checkpoints import Checkpoint
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.stages import Stage
from corridor_sim.records.release_study import ReleaseStudy
from corridor_sim.records.study_columns import END, JOINING, START, StudyColumns
from corridor_sim.records.study_rows import read_release_study
from corridor_sim.results.law_fits import LawFit
from corridor_sim.results.release_fits import FittedFigure, ReleaseFit
from corridor_sim.statistics.intervals import require_confidence, t_quantile
from corridor_sim.statistics.shares import share_interval
from corridor_sim.study.law_fits import fit_law
from corridor_sim.study.release_arrivals import arrivals_of
from corridor_sim.study.release_gathered import DIGITS, Gathered

LAWS = ("gamma", "lognormal", "weibull", "exponential")
"""Fitted if nothing else is asked for: all their parameters have intervals."""
FEWEST = 5
"""Services that ended, below which no law is fitted."""
NEAR = 2.0
"""The kind of law that the scenario has is kept where its AIC is at most so much above the least [burnham2002]."""
ROUNDED = math.sqrt(0.5)
"""How far a duration between two rounded instants is taken to be off, in steps: its error is triangular over a step on
either side, and a flat one of the same variance is as wide as this. A whole step would make laws of short services too
narrow: with 500 services of 3 min (cv 0.5) on whole minutes the 95 % range of cv held it in 72 of 100 studies."""
DIFFER_P = 0.01
"""Channels whose services differ by chance less often than this are told apart in a note."""


def fit_release_study(
    study: ReleaseStudy | str | os.PathLike[str],
    scenario: str | os.PathLike[str],
    *,
    laws: str | Mapping[str, str] | None = None,
    confidence: float = 0.95,
) -> ReleaseFit:
    """Figures of a scenario from a time release study, with ranges as wide as the sample makes them.

    Fitted are: the service law of each stage of which the study has services; shares of risk channels, or of those
    sent to a stage; consignments a day and their hours. The rest is refused with its reason.

    Parameters
    ----------
    study : ReleaseStudy or path of its columns
    scenario : path or name of a packaged scenario
        It has the post and the stages that the study names.
    laws : str, or mapping of stage to str, optional
        Kinds of law to take. If not given, that of the scenario where the times do not speak against it, else the
        nearest of gamma, lognormal, weibull and exponential by AIC.
    confidence : float
        Of the ranges.

    Returns
    -------
    ReleaseFit
        ``fit.to_toml()`` is a scenario file that extends the scenario; ``fit.table()``, ``fit.describe()``.

    Raises
    ------
    ScenarioError
        For faults of the study's table or of the scenario.
    CorridorError
        If the scenario has not what the study names, or nothing can be fitted.

    Notes
    -----
    A service is known where its start and end were written down. With joining and end alone the wait and the service
    cannot be told apart; the time is a service where the stage has no lanes to wait for, or where the start follows:
    first come first served, everybody written down, a constant number of lanes, so that a start is the later of the
    joining and the instant at which a lane was free. Services that had not ended by the end of the study count as
    longer than they were by then. Intervals of parameters are symmetric in the logarithm, with Student's quantile.
    """
    require_confidence(confidence)
    if not isinstance(study, ReleaseStudy):
        study = read_release_study(study)
    arguments.instance("scenario", scenario, (str, os.PathLike), "the path of a file or the name of a packaged one")
    base = load_scenario(scenario)
    columns = study.columns
    post = _post(columns, base)
    found = Gathered(study, base, _raw(scenario), confidence)
    for stage in dict.fromkeys(event.stage for event in columns.events.values() if event.stage):
        wanted = laws if isinstance(laws, str) or laws is None else laws.get(stage)
        _fit_service(found, stage, post.stages(columns.direction), wanted)
    _fit_shares(found, post)
    arrivals_of(found)
    if not found.figures:
        why = "; ".join(f"{what}: {reason}" for what, reason in found.refused)
        raise CorridorError(f"nothing of {os.fspath(scenario)} can be fitted from {columns.name}: {why}")
    return _made(found, os.fspath(scenario))


def _made(found: Gathered, scenario: str) -> ReleaseFit:
    import pandas as pd

    columns = found.columns
    title = columns.about or f"Time release study {columns.name}"
    source = {"title": title, "note": f"{len(found.study)} consignments"}
    fit = ReleaseFit(
        columns.name,
        tuple(found.figures),
        tuple(found.refused),
        found.laws,
        pd.DataFrame(found.by_channel, columns=["stage", "channel", "n", "mean_h", "low_h", "high_h"]),
        {"sources": {columns.name: source}, **found.tables},
        tuple(found.removed),
        scenario if is_called(scenario) else Path(scenario).name,
        found.study.notes,
    )
    try:
        loads(fit.to_toml(), "the fitted scenario", None if is_called(scenario) else Path(scenario).parent)
    except ScenarioError as error:
        raise CorridorError(f"the fitted figures do not go with {scenario}:\n{error}") from error
    return fit


def _raw(scenario: str | os.PathLike[str]) -> Mapping[str, Any]:
    return read_document(located(os.fspath(scenario), "scenario", packaged_files)).data


def _post(columns: StudyColumns, base: Scenario) -> Checkpoint:
    known = base.corridor.checkpoints
    if columns.post not in known:
        raise CorridorError(f"the scenario has no post {columns.post!r}; it has {', '.join(known)}")
    post = known[columns.post]
    stages = post.stages(columns.direction)
    missing = [one.stage for one in columns.events.values() if one.stage and one.stage not in stages]
    if missing:
        text = ", ".join(dict.fromkeys(missing))
        raise CorridorError(f"{columns.post} ({columns.direction}) has no stage {text}; it has {', '.join(stages)}")
    return post


# ---------------------------------------------------------------- services


def services_of(
    study: ReleaseStudy, name: str, stages: Mapping[str, Stage]
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]] | str:
    """Bounds of the services at a stage, shape (consignments that began one,), and who they are; or why there are none.

    A service that had not ended has an infinite upper bound. [h]
    """
    columns = study.columns
    stage = stages[name]
    event: dict[str, FloatArray] = {one.at: study.of(key) for key, one in columns.events.items() if one.stage == name}
    if END not in event:
        return "its end was not written down"
    end = event[END]
    joined = event[JOINING] if JOINING in event else _joining(study, name, list(stages))
    if START in event:
        begin = event[START]
    elif joined is None:
        return "neither its start nor the joining of its queue was written down, nor the end of all stages before it"
    elif stage.lanes == "unlimited":
        begin = joined
    else:
        told = _starts(study, name, stage, joined, end)
        if isinstance(told, str):
            return told
        begin = told
    last = next(k for k, one in enumerate(columns.events.values()) if one.stage == name and one.at == END)
    here = ~np.isnan(begin) & ~(np.isnan(end) & study.later[:, last])  # who went on has ended, when is not known
    going = np.isnan(end[here])
    if going.any() and not math.isfinite(study.until_h):
        return "some had not ended, and when the study ended is not known"
    lasted = np.where(going, study.until_h, end[here]) - begin[here]
    step = ROUNDED * study.rounded_h
    low = np.maximum(lasted - step, 0.0)
    high = np.where(going, np.inf, lasted + step)
    return low, high, here


def _joining(study: ReleaseStudy, name: str, stages: Sequence[str]) -> FloatArray | None:
    """Who ends one stage joins the next: the latest end of the stages before, where all of them were written down."""
    columns = study.columns
    earlier = list(stages)[: list(stages).index(name)]
    ends = [k for k, one in enumerate(columns.events.values()) if one.at == END and one.stage in earlier]
    if not earlier or len(ends) < len(earlier):
        return None
    own = [k for k, one in enumerate(columns.events.values()) if one.stage == name]
    came = ~np.isnan(study.time_h[:, own]).all(axis=1) | (study.awaited == min(own))
    known = came & ~study.unwritten[:, ends].any(axis=1)
    return np.where(known, np.fmax.reduce(study.time_h[:, ends], axis=1), np.nan)


def _starts(study: ReleaseStudy, name: str, stage: Stage, joined: FloatArray, end: FloatArray) -> FloatArray | str:
    """Starts that follow from joinings and ends where the queue is first come first served; else why they do not."""
    apart = "only joining and end were written down, and it has lanes: wait and service cannot be told apart"
    if name not in study.columns.first_come_first_served:
        return f"{apart}; write down starts, or say first_come_first_served if everybody was written down"
    no = [
        (not study.columns.census, "not everybody was written down (census)"),
        (stage.opening_hours is not None or stage.lanes_by_hour is not None, "it has hours"),
        (stage.discipline != "fifo" or bool(stage.reserved), "it does not serve in order of joining"),
        (stage.extra_lanes is not None or bool(stage.outages) or stage.breakdown is not None, "its lanes change"),
    ]
    against = [why for wrong, why in no if wrong]
    if against:
        return f"{apart}; starts do not follow: {', '.join(against)}"
    assert isinstance(stage.lanes, int)
    missing = study.unwritten[:, [k for k, one in enumerate(study.columns.events.values()) if one.at == END]]
    if lost := int(missing.any(axis=1).sum()):
        return f"{apart}; starts do not follow: ends of {lost} were not written down"
    order = np.lexsort((end, joined))
    order = order[~np.isnan(joined[order])]
    start = np.full(len(joined), np.nan)
    busy: list[float] = []
    for k in order:
        busy = sorted([*busy])[-stage.lanes :]
        free = busy[0] if len(busy) == stage.lanes else -np.inf
        if not math.isfinite(free) and free > 0:
            break  # all lanes are held by services that had not ended
        start[k] = max(joined[k], free)
        busy.append(np.inf if np.isnan(end[k]) else float(end[k]))
    start[joined > study.came_until_h] = np.nan  # others who came later may stand before them
    wrong = np.flatnonzero(end < start - study.rounded_h)
    if len(wrong):
        return (
            f"ends do not go with {stage.lanes} lanes and first come first served: "
            f"consignment {study.consignments[wrong[0]]} and {len(wrong) - 1} more ended before a lane was free"
        )
    return start


def _fit_service(found: Gathered, name: str, stages: Mapping[str, Stage], wanted: str | None) -> None:
    columns, stage = found.columns, stages[name]
    where = ("checkpoints", columns.post, columns.direction, name)
    path = ".".join([*where, "service"])
    told = services_of(found.study, name, stages)
    if isinstance(told, str):
        found.refused.append((path, told))
        return
    low, high, here = told
    ended = int(np.isfinite(high).sum())
    if ended < FEWEST:
        found.refused.append((path, f"{ended} services ended; a law needs {FEWEST}"))
        return
    kinds = (wanted,) if wanted else LAWS
    try:
        fits = fit_law(low, kinds, upper=high)
    except (ArgumentError, ScenarioError) as error:
        found.refused.append((path, str(error)))
        return
    found.laws[name] = fits
    own = str(stage.service.to_data()["kind"]) if stage.service is not None else ""
    kept = [fit for fit in fits if fit.kind == own and fit.aic <= fits.best.aic + NEAR]
    fit = kept[0] if kept and not wanted else fits.best
    _set_law(
        found, where, stage, fit, ended, int(len(high) - ended), _by_channel(found, name, fit.kind, low, high, here)
    )


def _set_law(
    found: Gathered, where: tuple[str, ...], stage: Stage, fit: LawFit, ended: int, going: int, note: str
) -> None:
    """The law with the ranges of its parameters; what the scenario says of the law before is taken out."""
    here = found.table(*where)
    here["service"] = {"kind": fit.kind}
    found.take_out(*where, "service")  # tables of one kind of law are merged, and it has other parameters then
    for key in (found.raw.get("checkpoints", {}).get(where[1], {}).get(where[2], {}).get(where[3], {}) or {}).get(
        "figures", {}
    ):
        if key.split(".")[0] in ("service", "trucks_per_day"):
            found.take_out(*where, "figures", key)
    if stage.trucks_per_day is not None:
        found.take_out(*where, "trucks_per_day")
    stated = stage.service.to_data() if stage.service is not None else {}
    found.figures.append(
        FittedFigure(".".join([*where, "service.kind"]), stated.get("kind"), fit.kind, math.nan, math.nan, ended, note)
    )
    quantile = t_quantile(found.confidence, max(ended - len(fit.parameters), 1))
    for name, value in fit.parameters.items():
        half = quantile * fit.log_errors[name]
        ends = (value * math.exp(-half), value * math.exp(half)) if math.isfinite(half) else (math.nan, math.nan)
        still = f"{going} had not ended" if going else ""
        same = stated.get(name) if stated.get("kind") == fit.kind else None
        found.set_figure(where, f"service.{name}", float(value), *ends, ended, same, still)


def _by_channel(
    found: Gathered, stage: str, kind: str, low: FloatArray, high: FloatArray, here: NDArray[np.bool_]
) -> str:
    """Mean services by channel; a note where channels differ more than by chance, which one law cannot say."""
    from scipy.stats import chi2

    channel = found.study.channel[here]
    parts: list[LawFit] = []
    for name in found.columns.channels:
        mine = channel == name
        ended = int(np.isfinite(high[mine]).sum())
        row = {"stage": stage, "channel": name, "n": ended, "mean_h": math.nan, "low_h": math.nan, "high_h": math.nan}
        if ended >= FEWEST:
            try:
                fit = fit_law(low[mine], kind, upper=high[mine]).best
            except (ArgumentError, ScenarioError):
                continue
            parts.append(fit)
            mean = fit.law.mean_h
            spread = float(np.std((low + np.where(np.isfinite(high), high, low))[mine] / 2.0, ddof=1)) / math.sqrt(
                ended
            )
            half = t_quantile(found.confidence, ended - 1) * spread
            row |= {"mean_h": mean, "low_h": max(mean - half, 0.0), "high_h": mean + half}
        if mine.any():
            found.by_channel.append(row)
    if len(parts) < 2:
        return ""
    used = np.isin(channel, [name for name in found.columns.channels if int((channel == name).sum()) >= FEWEST])
    pooled = fit_law(low[used], kind, upper=high[used]).best
    gain = 2.0 * (sum(fit.log_likelihood for fit in parts) - pooled.log_likelihood)
    p = float(chi2.sf(gain, sum(fit.count for fit in parts) - pooled.count))
    if p >= DIFFER_P:
        return ""
    return f"channels differ (p = {p:.1g}), and a stage has one law: see by_channel; two stages could have one each"


# ---------------------------------------------------------------- shares


def _fit_shares(found: Gathered, post: Checkpoint) -> None:
    """Shares of risk channels where the scenario has them, else of those sent to a stage."""
    columns, study = found.columns, found.study
    where = ("checkpoints", columns.post)
    channels = post.channels.get(columns.direction)
    if channels is not None and columns.channel:
        path = f"checkpoints.{columns.post}.channels.{columns.direction}"
        names = list(channels.shares)
        if names != list(columns.channels):
            why = f"the study has {', '.join(columns.channels)}, the scenario {', '.join(names)}"
            found.refused.append((path, why))
        elif not np.isin(study.channel, names).any():
            found.refused.append((path, "no consignment has a channel"))
        elif channels.by_class:
            found.refused.append((path, "the scenario has shares by cargo class, the study has no classes"))
        else:
            _set_channels(found, post, where, channels.shares)
    for name, stage in post.stages(columns.direction).items():
        events = [key for key, one in columns.events.items() if one.stage == name]
        if not events or stage.channels:
            continue
        some = [key for key in events if columns.events[key].optional or columns.events[key].channels]
        if not some:
            continue
        path = f"checkpoints.{columns.post}.{columns.direction}.{name}.share"
        if stage.share_by_class:
            found.refused.append((path, "the scenario has shares by cargo class, the study has no classes"))
            continue
        first = study.events.index(events[0])
        later = ~np.isnan(study.time_h[:, first:]).all(axis=1)
        sent = ~np.isnan(study.of(events[0])) | study.unwritten[:, first]
        count, of = int(sent.sum()), int(later.sum())
        ends = share_interval(count, of, found.confidence)
        found.set_figure((*where, columns.direction, name), "share", count / of, *ends, of, stage.share)


def _set_channels(found: Gathered, post: Checkpoint, where: tuple[str, ...], stated: Mapping[str, float]) -> None:
    """Shares of the channels, with ranges that keep their sum."""
    channel, way, names = found.study.channel, found.columns.direction, list(stated)
    known = np.isin(channel, names)
    of, left = int(known.sum()), int((~known).sum())
    count = {name: int((channel == name).sum()) for name in names}
    share = {name: round(count[name] / of, DIGITS) for name in names}
    largest = max(names, key=lambda name: count[name])
    share[largest] = round(1.0 - math.fsum(value for name, value in share.items() if name != largest), DIGITS)
    note = f"{left} without a channel are left out" if left else ""
    path = f"checkpoints.{found.columns.post}.channels.{way}"
    source = found.columns.name
    found.table(*where, "channels", way).update({**share, "status": "derived", "source": source})
    for name in names:
        ends = share_interval(count[name], of, found.confidence)
        found.figures.append(FittedFigure(f"{path}.{name}", stated[name], share[name], *ends, of, note))
    # Channels that the same stages need are alike to the model. One of each kind moves, the largest of all against it.
    needs = {name: frozenset(k for k, s in post.stages(way).items() if name in (s.channels or names)) for name in names}
    ranges = found.table("ranges")
    group, below, above = f"{source}_channels", 0.0, 0.0
    exact = dict.fromkeys(names, "moves nothing that its like does not: see the ranges of the other channels")
    for kind in dict.fromkeys(needs.values()):
        alike = [name for name in names if needs[name] == kind]
        if largest in alike:
            continue
        mover = max(alike, key=lambda name: count[name])
        total = sum(count[name] for name in alike)
        low, high = share_interval(total, of, found.confidence)
        down = round(min(total / of - low, share[mover]), DIGITS)
        up = round(min(high - total / of, 1.0 - share[mover]), DIGITS)
        below, above = below + down, above + up
        why = f"{found.confidence:.0%} confidence interval of the study"
        ends_of = {"low": round(share[mover] - down, DIGITS), "high": round(share[mover] + up, DIGITS)}
        ranges[f"{group}_{mover}"] = {
            "of": [f"{path}.{mover}"], **ends_of, "group": group, "source": source, "reason": why,
        }  # fmt: skip
        del exact[mover]
    if below + above > 0 and share[largest] - above >= 0:
        ends_of = {"low": round(share[largest] - above, DIGITS), "high": round(share[largest] + below, DIGITS)}
        why = "moves against the others, so that the shares sum to 1"
        ranges[f"{group}_{largest}"] = {
            "of": [f"{path}.{largest}"], **ends_of, "group": group, "opposite": True, "source": source, "reason": why,
        }  # fmt: skip
        del exact[largest]
    elif exact.keys() != set(names):
        for name in names:
            ranges.pop(f"{group}_{name}", None)
        exact = dict.fromkeys(names, "no range of this share alone keeps the sum: vary it by hand")
    if exact:
        ranges[f"{group}_exact"] = {"of": [f"{path}.{name}" for name in exact], "exact": next(iter(exact.values()))}
    if not ranges:
        del found.tables["ranges"]
