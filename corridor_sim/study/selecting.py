"""Which of several scenarios is best: no more runs than it takes to say so.

With exact inputs a procedure of ranking and selection runs the scenarios in stages, one more replication only where
still in contention. Where inputs are drawn its promise is void, and every scenario is compared with the best of the
others over the draws, which all scenarios share.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError, CorridorError
from corridor_sim.core.limits import MAX_REPLICATIONS
from corridor_sim.core.streams import Rng, root_entropy
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators import INDICATORS, Collector
from corridor_sim.indicators.table import Label, Table
from corridor_sim.plan.build import Planned
from corridor_sim.plan.plan import Plan
from corridor_sim.results.called import Called
from corridor_sim.results.comparison import other_question, refuse
from corridor_sim.results.selected import BestUnderInputs, Selected
from corridor_sim.study.asked_rows import ids_at, is_at
from corridor_sim.study.asked_run import Runnable, options_of, planned_together, root_of
from corridor_sim.study.draws import asked_part
from corridor_sim.study.staged import Staged

METHODS = ("kn", "rinott", "ocba")
OF_OVERLOAD = "saturation"
CORRIDOR = {"kind": "corridor", "place": "all", "of": ""}


def select(
    scenarios: Iterable[Runnable],
    indicator: str,
    *,
    delta: float | str,
    alpha: float = 0.05,
    maximise: bool = False,
    method: str = "kn",
    common: bool = True,
    first: int = 10,
    step: int = 1,
    most: int = 1000,
    budget: int | None = None,
    draws: int | None = None,
    at: str | Iterable[str] = (),
    rng: Rng = None,
    store: str | os.PathLike[str] | None = None,
    where: dict[str, Any] | None = None,
    **settings: Any,
) -> Selected | BestUnderInputs:
    """The best of several scenarios by one indicator.

    Parameters
    ----------
    scenarios : iterable of Scenario, path or name
        Two or more that answer one question (horizon, window, options).
    indicator : str
        A row, as ``"delay_truck_h"``; smaller is better unless `maximise`.
    delta : float or str
        Indifference zone: a difference that does not matter, in the unit of the row; ``"0.5 h"`` names the unit.
    alpha : float
        Chance of a wrong choice that is allowed.
    method : {"kn", "rinott", "ocba"}
        ``"kn"`` eliminates one after the other [kim2001]; ``"rinott"`` runs a second stage as long as the spread of
        the first needs [rinott1978]; ``"ocba"`` spreads a fixed `budget` and promises nothing [chen2011].
    common : bool
        Common random numbers. Rinott and OCBA take scenarios for independent, so they need False.
    first, step, most : int
        Replications of the first stage; replications run at once afterwards; replications of a scenario at most.
    budget : int, optional
        Runs of all scenarios together, for ``"ocba"``.
    draws : int, optional
        Draw the inputs so often (a power of two) and compare with the best over the draws; `first` is then the
        number of replications at the stated values, and ``replications`` in `settings` that of each draw, as in
        `cs.uncertainty`.
    at : str or iterable of str
        Only the part of the corridor that these crossings or posts hang on, with the same numbers.
    rng
        Seed of all random streams; by default that of the first scenario.
    store : path, optional
        Folder that keeps the runs; going on finds them. Runs of a part (`at`) are not kept.
    where : dict, optional
        Columns that find the row: ``{"place": "samur_az", "direction": "exit"}``; by default the whole corridor.
    **settings
        As for `cs.run`; with `draws` as for `cs.uncertainty`.

    Returns
    -------
    Selected, or BestUnderInputs where inputs are drawn

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or a method that needs independent streams was given common ones.
    CorridorError
        If scenarios do not answer the same question, no row or several rows match, or a replication has no value.
    SimulationError
        If a replication failed.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> pair = [cs.load_scenario(name) for name in ("teaching", "teaching_priority_lane")]
    >>> found = cs.select(pair, "delay_truck_h", delta="50 h", rng=1, workers=1)
    >>> found.best
    'teaching_priority_lane'
    """
    if isinstance(scenarios, (str, os.PathLike)) or not isinstance(scenarios, Iterable):
        raise ArgumentError(f"scenarios must be a list of two scenarios or more, got {scenarios!r:.80}")
    given = planned_together(*scenarios)
    if len(given) < 2:
        raise ArgumentError(f"scenarios must be two or more, got {len(given)}")
    alpha = arguments.number("alpha", alpha, above=0, most=0.5)
    maximise, common = arguments.flag("maximise", maximise), arguments.flag("common", common)
    arguments.one_of("method", method, METHODS)
    first = arguments.whole("first", first, 2, MAX_REPLICATIONS)
    step, most = arguments.whole("step", step, 1), arguments.whole("most", most, first, MAX_REPLICATIONS)
    if method != "kn" and common:
        raise ArgumentError(
            f"method = {method!r} takes the scenarios for independent, and with common random numbers they are not: "
            "give common=False, or method='kn'"
        )
    if (method == "ocba") != (budget is not None):
        raise ArgumentError("budget is the number of runs of method='ocba', and is given with it alone")
    if draws is not None and (method != "kn" or not common):
        raise ArgumentError("draws are compared on common random numbers: leave method and common as they are")
    places = (at,) if isinstance(at, str) else tuple(at)
    asked = [(one.scenario.name or "run", one.plan, options_of(one.scenario)) for one in given]
    refuse([text for other in asked[1:] for text in other_question(asked[0], other)])
    names = _names(given)
    elements = ids_at(given[0].plan, places) if places else ()
    label = row_of(asked_part(given[0].plan, elements), indicator, where, elements, places)
    zone = zone_of(delta, label)
    root = root_of(given[0].scenario, rng)
    if draws is not None:
        return _under_inputs(given, names, label, zone, alpha, maximise, draws, places, root, store, first, settings)
    for own in ("replications", "indicators", "records"):
        if own in settings:
            raise ArgumentError(f"{own} is for select to say; it runs as many replications of what it needs")
    parts = [Planned(one.scenario, asked_part(one.plan, ids_at(one.plan, places) if places else ())) for one in given]
    roots = [root if common else root_entropy([root, k]) for k in range(len(given))]
    kinds = tuple(dict.fromkeys((kind_with(parts[0].plan, label), OF_OVERLOAD)))
    kept = None if places else store
    staged = Staged(parts, roots, row_value(label), str(label), step, kept, {**settings, "indicators": kinds})
    staged.run(range(len(parts)), range(first))
    found = _PROCEDURES[method](staged, _Wish(zone, alpha, maximise, first, most, budget))
    number, means, counts, eliminated, reached = found
    return Selected(
        names=names,
        label=label,
        delta=zone,
        alpha=alpha,
        method=method,
        common=common,
        maximise=maximise,
        number=number,
        means=means,
        replications=counts,
        eliminated_at=eliminated,
        reached=reached,
        root=root,
        warnings=tuple(staged.warnings),
        about=Called(given[0]).label(label),
    )


# ---------------------------------------------------------------- the procedures

Choice = tuple[int, tuple[float, ...], tuple[int, ...], tuple[int | None, ...], bool]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the procedures are asked for."""

    delta: float
    alpha: float
    maximise: bool
    first: int
    most: int
    budget: int | None


def _kn(staged: Staged, wish: _Wish) -> Choice:
    from corridor_sim.statistics import select_best

    options = len(staged.options)
    found = select_best(
        staged.observe,
        options,
        wish.delta,
        alpha=wish.alpha,
        n0=wish.first,
        maximise=wish.maximise,
        max_replications=wish.most,
    )
    return found.best, found.means, found.replications, found.eliminated_at, found.reached


def _rinott(staged: Staged, wish: _Wish) -> Choice:
    from corridor_sim.statistics.selection import rinott_h, two_stage_sizes

    options = range(len(staged.options))
    h = rinott_h(len(options), 1.0 - wish.alpha, wish.first)
    spread = [np.var([staged.values[k][r] for r in range(wish.first)], ddof=1) for k in options]
    sizes = two_stage_sizes(spread, h, wish.delta, wish.first)
    for k, size in zip(options, sizes, strict=True):
        staged.run([k], range(min(size, wish.most)))
    return _largest_mean(staged, wish, max(sizes) <= wish.most)


def _ocba(staged: Staged, wish: _Wish) -> Choice:
    from corridor_sim.statistics.selection import ocba_fractions

    options = range(len(staged.options))
    runs = arguments.whole("budget", wish.budget, wish.first * len(options))
    while (left := min(runs, wish.most * len(options)) - sum(staged.counts)) > 0:
        moments = [list(one.values()) for one in staged.values]
        means, sds = [float(np.mean(one)) for one in moments], [float(np.std(one, ddof=1)) for one in moments]
        after = sum(staged.counts) + min(left, max(len(options), runs // 20))
        try:
            share = ocba_fractions(means, np.maximum(sds, 1e-12 * (1.0 + np.abs(means))), wish.maximise)
        except ValueError:  # two share the best mean: evenly until they part
            share = np.full(len(options), 1.0 / len(options))
        wanted = np.maximum(after * share - staged.counts, 0.0)
        wanted = np.where(np.array(staged.counts) >= wish.most, 0.0, wanted)
        more = after - sum(staged.counts)
        whole = np.floor(wanted / max(wanted.sum(), 1e-12) * more).astype(int)
        if not whole.any():
            whole[int(np.argmax(wanted))] = 1
        for k in options:
            staged.run([k], range(min(staged.counts[k] + int(whole[k]), wish.most)))
    return _largest_mean(staged, wish, True)


def _largest_mean(staged: Staged, wish: _Wish, reached: bool) -> Choice:
    means = tuple(float(np.mean(list(one.values()))) for one in staged.values)
    number = int(np.argmax(means) if wish.maximise else np.argmin(means))
    return number, means, staged.counts, (None,) * len(means), reached


_PROCEDURES = {"kn": _kn, "rinott": _rinott, "ocba": _ocba}


def _under_inputs(
    given: Sequence[Planned],
    names: tuple[str, ...],
    label: Label,
    delta: float,
    alpha: float,
    maximise: bool,
    draws: int,
    places: tuple[str, ...],
    root: int,
    store: str | os.PathLike[str] | None,
    first: int,
    settings: dict[str, Any],
) -> BestUnderInputs:
    """The scenarios compared with the best over draws of the inputs [song2019]."""
    from corridor_sim.statistics import compare_over_draws, least_draws
    from corridor_sim.study.given_observations import what_leaves_more
    from corridor_sim.study.uncertainty import uncertainty

    draws = arguments.whole("draws", draws, 1, MAX_REPLICATIONS)
    if draws < least_draws(alpha):
        raise ArgumentError(f"draws must be at least {least_draws(alpha)} for alpha = {alpha:g}, got {draws}")
    settings = {"stated_replications": max(first, 5), "priors": ("uniform",), **settings}
    made = uncertainty(*given, draws=draws, rng=root, at=places, indicators=label.indicator, store=store, **settings)
    row = made.labels.index(label)
    _, _, values = made.main.only_kept()
    kept = values[row].mean(axis=2)
    if np.isnan(kept).any():
        raise CorridorError(f"{label} has no value in some draws: nobody came")
    warnings = []
    if (left := kept.shape[1]) < least_draws(alpha):
        more = what_leaves_more(left, draws, settings.get("waves", 1), least_draws(alpha))
        raise CorridorError(
            f"the observations leave {left} of {draws} draws, too few for alpha = {alpha:g} (at least "
            f"{least_draws(alpha)}): give {more}; or a larger alpha"
            + (f" ({left} draws allow {2 / (left + 1):.2g})" if left > 3 else "")
        )
    stated = np.array([run.rows.values[run.rows.labels.index(label)] for run in made.runs])
    n = stated.shape[1]
    difference = stated[:, None, :] - stated[None, :, :]
    noise = difference.std(axis=2, ddof=1) / math.sqrt(made.replications)
    found = compare_over_draws(kept, noise, n - 1, alpha, maximise)
    leading = kept.argmax(axis=0) if maximise else kept.argmin(axis=0)
    for one in made.runs[0].warnings:
        warnings.append(f"{names[0]}: {one}")
    return BestUnderInputs(
        names=names,
        label=label,
        delta=delta,
        alpha=alpha,
        maximise=maximise,
        means=found.means,
        intervals=found.intervals,
        share_best=tuple(float((leading == k).mean()) for k in range(len(names))),
        draws=kept.shape[1],
        replications=made.replications,
        prior=made.main.prior,
        root=root,
        warnings=tuple(warnings),
        about=Called(given[0]).label(label),
    )


# ---------------------------------------------------------------- the row


def row_of(
    plan: Plan,
    indicator: str,
    where: dict[str, Any] | None = None,
    elements: Sequence[str] = (),
    places: Sequence[str] = (),
) -> Label:
    """The one row of a plan that is meant; nothing is run to find it.

    Raises
    ------
    ArgumentError
        If no row or several rows match; the nearest names are told.
    """
    labels = [label for kind in INDICATORS for label in Collector(plan, [0], [kind]).finish().labels]
    arguments.one_of("indicator", indicator, dict.fromkeys(label.indicator for label in labels))
    wanted = {"cargo_class": "", "hour": None, "day": None, "of": ""}
    wanted |= where if where else {} if places else CORRIDOR
    for column in wanted:
        if column not in Label.__slots__:
            raise ArgumentError(f"where has no column {column!r} (known: {', '.join(Label.__slots__)})")
    fit = [one for one in labels if one.indicator == indicator and _fits(one, wanted)]
    fit = [one for one in fit if not places or is_at(one, elements, plan)]
    fit = list(dict.fromkeys(fit))
    if len(fit) != 1:
        there = list(dict.fromkeys(f"{one.kind} {one.place} {one.direction}".strip() for one in labels
                                   if one.indicator == indicator and _fits(one, {"cargo_class": "", "of": ""})
                                   and (not places or is_at(one, elements, plan))))  # fmt: skip
        asked = where or ({"at": ", ".join(places)} if places else CORRIDOR)
        told = ", ".join(f"{name} {value}" for name, value in asked.items() if value not in ("", None))
        raise ArgumentError(
            f"{f'{len(fit)} rows' if fit else 'no row'} of {indicator} {'match' if fit else 'matches'} {told}; say "
            f"which with where (kind, place, direction): {'; '.join(there[:8])}{', ...' if len(there) > 8 else ''}"
        )
    return fit[0]


def _fits(label: Label, wanted: dict[str, Any]) -> bool:
    return all(getattr(label, column) == value for column, value in wanted.items())


def kind_with(plan: Plan, label: Label) -> str:
    """The registered indicator that a row comes from."""
    return next(kind for kind in INDICATORS if label in Collector(plan, [0], [kind]).finish().labels)


def row_value(label: Label) -> Any:
    """A function that takes the values of one row out of a table, for `Staged`."""

    def value(_: int, rows: Table) -> FloatArray:
        return np.asarray(rows.values[rows.labels.index(label)])

    return value


def zone_of(delta: float | str, label: Label) -> float:
    """An indifference zone in the unit of a row; a text must name that unit."""
    if isinstance(delta, str):
        size, _, unit = delta.strip().partition(" ")
        try:
            found = float(size)
        except ValueError:
            raise ArgumentError(f"delta must be a number and a unit, as '0.5 {label.unit}', got {delta!r}") from None
        if unit.strip() not in ("", label.unit):
            raise ArgumentError(f"delta must be in {label.unit}, the unit of {label.indicator}, got {delta!r}")
        return arguments.number("delta", found, above=0)
    return arguments.number("delta", delta, above=0)


def _names(given: Sequence[Planned]) -> tuple[str, ...]:
    """A name for each, made different where scenarios share one."""
    names: list[str] = []
    for one in given:
        base = name = one.scenario.name or "run"
        count = 1
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return tuple(names)
