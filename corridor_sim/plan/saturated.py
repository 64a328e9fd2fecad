"""How many services lanes begin and complete between opening and closing if the queue never ends.

What a closing policy costs or adds cannot be read off open hours: lanes that
`finish` run over closing time, lanes under `no_overrun` stand idle before it, lanes
that `restart` lose what they began. Here a station alone, always asked for more, is
worked through one open stretch after the other, many copies side by side, on draws
of its own (fixed seed): a number of the plan, not of a run.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim.core.units import FloatArray, to_grid

Stretch = tuple[tuple[float, int], ...]
"""Pieces (hours, open lanes) from an opening to the next closing."""

COPIES = 400
"""Copies of the station side by side."""
STRETCHES = 12
"""Most stretches worked through one after the other by each copy; the first is left out."""
ENOUGH = 400
"""Services of one copy that are enough, after the first stretch."""
HARDLY = 1 / 400
"""Share of the open lane-hours that falls and the closing may move, by one hold each lane, and be left out."""
SEED = 20261128
BLOCK = 16 * COPIES
"""Holds drawn at once."""


@dataclass(frozen=True, slots=True)
class Holds:
    """The services that come to a station: laws with their factor and their share of all.

    `laws` are (share, factor, law); equal laws, factors and shares are the same holds.
    """

    laws: tuple[tuple[float, float, Any], ...]

    @classmethod
    def always(cls, hold_h: float) -> Holds:
        """Services that all take the same time."""
        return cls(((1.0, hold_h, _Unit()),))

    @property
    def mean_h(self) -> float:
        """Mean hold; NaN where a law has no known mean. [h]"""
        return float(sum(share * factor * getattr(law, "mean_h", np.nan) for share, factor, law in self.laws))

    def sampler(self, rng: np.random.Generator) -> Callable[[int], FloatArray]:
        """A function that draws the next `n` holds, on the clock grid as the engines have them. [h]"""
        shares = np.cumsum([share for share, _, _ in self.laws])
        drawn = [(factor, _in_blocks(law, law.sampler(rng))) for _, factor, law in self.laws]

        def draw(n: int) -> FloatArray:
            if len(drawn) == 1:
                return to_grid(drawn[0][0] * drawn[0][1](n))
            which = np.minimum(np.searchsorted(shares, rng.random(n) * shares[-1], side="right"), len(drawn) - 1)
            values = np.empty(n)
            for k, (factor, sample) in enumerate(drawn):
                here = which == k
                values[here] = factor * sample(int(here.sum()))
            return to_grid(values)

        return draw


def _in_blocks(law: Any, sample: Callable[[int], FloatArray]) -> Callable[[int], FloatArray]:
    """The same values one after the other, drawn many at a time where that does not move the other draws."""
    if not getattr(law, "by_index", False):
        return sample
    held, at = np.empty(0), 0

    def draw(n: int) -> FloatArray:
        nonlocal held, at
        if at + n > len(held):
            held, at = np.concatenate([held[at:], sample(max(n, BLOCK))]), 0
        at += n
        return held[at - n : at]

    return draw


@dataclass(frozen=True, slots=True)
class _Unit:
    """The law of 1 hour."""

    mean_h: float = 1.0

    def sampler(self, rng: np.random.Generator) -> Callable[[int], FloatArray]:  # noqa: ARG002
        """Ones. [h]"""
        return np.ones


@functools.lru_cache(maxsize=4096)
def served(stretch: Stretch, gap_h: float, closing: str, holds: Holds) -> float:
    """Mean number of services completed of those begun in a stretch, with the queue never empty.

    Parameters
    ----------
    stretch : tuple of (hours, lanes)
        From the opening to the closing; every piece has at least one lane.
    gap_h : float
        Hours closed between one stretch and the next like it.
    closing : {"finish", "suspend", "restart", "no_overrun"}
        What becomes of a service in progress at closing (rule S08).
    holds : Holds

    Returns
    -------
    float
        Services a stretch. For `suspend` no draw is needed: open lane-hours over the mean hold.

    Examples
    --------
    One lane, one hour, services of 0.9 h: the second one runs over closing time, or is not begun.

    >>> from corridor_sim.model.service_times import Deterministic
    >>> holds = Holds(((1.0, 1.0, Deterministic(value_h=0.9)),))
    >>> served(((1.0, 1),), 23.0, "finish", holds), served(((1.0, 1),), 23.0, "no_overrun", holds)
    (2.0, 1.0)
    """
    lane_h = sum(hours * lanes for hours, lanes in stretch)
    mean_h = holds.mean_h
    if closing == "suspend":
        return lane_h / mean_h
    # Without a gap it goes on: nothing closes, but the lanes may fall to those with which it begins again.
    lanes = [*(number for _, number in stretch), 0 if gap_h > 0 else stretch[0][1]]
    falls = sum(max(before - after, 0) for before, after in itertools.pairwise(lanes))
    if falls * mean_h < HARDLY * lane_h:
        return lane_h / mean_h
    chain = _Chain(stretch, gap_h, closing, holds)
    counts = [chain.work() for _ in range(min(STRETCHES, 2 + int(ENOUGH * mean_h / lane_h)))]
    return float(np.mean(counts[1:]))


class _Chain:
    """Copies of one station that work through the same stretch again and again."""

    def __init__(self, stretch: Stretch, gap_h: float, closing: str, holds: Holds) -> None:
        self.stretch, self.gap_h, self.closing = stretch, gap_h, closing
        self.end_h = sum(hours for hours, _ in stretch)
        most = max(lanes for _, lanes in stretch)
        self.free_h = np.zeros((COPIES, most))
        """When each lane falls free, sorted, from the opening on."""
        draw = holds.sampler(np.random.Generator(np.random.Philox(key=SEED)))
        self._draw: Callable[[int], FloatArray] = draw
        self._waiting = draw(COPIES)
        """The hold of the head of each queue."""
        self._lost = np.zeros((COPIES, 0))
        """Holds interrupted by `restart`, which come first at the next opening."""

    def work(self) -> float:
        """Services completed in one stretch, mean over the copies."""
        done = np.zeros(COPIES)
        ended = np.zeros(COPIES, dtype=bool)
        again = self._lost
        holding = np.full(self.free_h.shape, np.nan)
        taken = np.zeros(COPIES, dtype=np.int64)
        since = 0.0
        for hours, lanes in self.stretch:
            until, column = since + hours, self.free_h.shape[1] - lanes
            while True:
                # A start is allowed when fewer than `lanes` are in service: the sorted lanes say when.
                start = np.maximum(self.free_h[:, column], since)
                ready = (start < until) & ~ended
                if not ready.any():
                    break
                hold = self._waiting.copy()
                old = taken < np.isfinite(again).sum(axis=1) if again.shape[1] else np.zeros(COPIES, dtype=bool)
                if old.any():
                    hold[old] = again[old, taken[old]]
                finish = start + hold
                if self.closing == "no_overrun":
                    ended |= ready & (finish > self.end_h)
                    ready &= ~ended
                elif self.closing == "restart":
                    done += ready & (finish <= self.end_h)
                if self.closing != "restart":
                    done += ready
                self.free_h[ready, column] = finish[ready]
                holding[ready, column] = hold[ready]
                if self.closing == "restart":  # which holds are cut is asked only there
                    order = np.argsort(self.free_h, axis=1, kind="stable")
                    self.free_h = np.take_along_axis(self.free_h, order, axis=1)
                    holding = np.take_along_axis(holding, order, axis=1)
                else:
                    self.free_h.sort(axis=1)
                taken += ready
                fresh = ready & ~old
                if fresh.any():
                    self._waiting[fresh] = self._draw(int(fresh.sum()))
            since = until
        self._close(holding, again, taken)
        return float(done.mean())

    def _close(self, holding: FloatArray, again: FloatArray, taken: Any) -> None:
        """The lanes at the next opening."""
        if self.closing == "restart":
            cut = np.where(self.free_h > self.end_h, holding, np.nan)
            rest = again.copy()
            for column in range(rest.shape[1]):
                rest[taken > column, column] = np.nan
            # NaN last; the order among the others does not matter here.
            self._lost = np.sort(np.concatenate([cut, rest], axis=1), axis=1)
            self._lost = self._lost[:, ~np.isnan(self._lost).all(axis=0)]
            self.free_h = np.zeros_like(self.free_h)
        else:
            self.free_h = np.maximum(self.free_h - (self.end_h + self.gap_h), 0.0)


def stretches(from_h: Sequence[float], lanes: Sequence[float], until_h: float) -> list[tuple[float, Stretch, float]]:
    """The open stretches of a calendar of lanes on [0, until_h) as (opening, stretch, gap to the next opening)."""
    found: list[tuple[float, list[tuple[float, int]]]] = []
    starts = [0.0, *(float(at) for at in from_h[1:])]
    ends = [*starts[1:], max(until_h, starts[-1])]
    was_open = False
    for since, until, value in zip(starts, ends, lanes, strict=True):
        until = min(until, until_h)
        if until <= since:
            continue
        if value > 0:
            if not was_open:
                found.append((since, []))
            found[-1][1].append((until - since, int(value)))
        was_open = value > 0
    openings = [opening for opening, _ in found] + [np.inf]
    return [
        (opening, tuple(parts), openings[k + 1] - opening - sum(hours for hours, _ in parts))
        for k, (opening, parts) in enumerate(found)
    ]
