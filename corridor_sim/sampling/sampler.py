"""Everything random of a plan, drawn before any engine runs; the only module that draws.

`Sampler.sample` draws the whole horizon of some replications at once,
`Sampler.stream` hands out the same draws window by window. Streams are found by
name (`streams.py`), consignments read them by their index in their flow, so the
numbers of a replication do not depend on the other replications, on the windows
or on what else is in the plan.

To add a role of random numbers, add a column to `_FlowDraws`, or for something that
belongs to an element see `elements.py`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import by_object, streams
from corridor_sim.core.draws.words import Key
from corridor_sim.core.errors import Problem, ScenarioError, SimulationError
from corridor_sim.core.limits import MAX_CONSIGNMENTS
from corridor_sim.core.units import FloatArray, distinct, to_grid
from corridor_sim.model.arrivals import BlockDraw
from corridor_sim.model.service_times import Deterministic, ServiceTime
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Variant
from corridor_sim.records.inputs import NUMBER_PER_FLOW, FlowInputs, LaterDraws, SampledInputs, StreamRows
from corridor_sim.records.visits import IntArray
from corridor_sim.sampling.columns import Column, drawn_by_index
from corridor_sim.sampling.elements import ElementDraws
from corridor_sim.sampling.releases import TOGETHER, whole_run

MEMORY_GB = 8.0
"""Most memory that one call of `Sampler.sample` may take. [GB]"""


class Sampler:
    """Draws of a plan under one root entropy.

    Parameters
    ----------
    plan : Plan
        Every flow needs `arrivals`.
    root : int
        Root entropy, see `streams.root_entropy`.
    max_consignments : float
        Refuse a plan that is expected to release more in one replication.
    memory_gb : float
        Refuse a call of `sample` that would need more.

    Raises
    ------
    ScenarioError
        Before anything is drawn, for a plan that cannot be sampled: a flow without
        arrivals, far too many consignments, variants without a share, one stream
        with two meanings.
    """

    def __init__(
        self, plan: Plan, root: int, *, max_consignments: float = MAX_CONSIGNMENTS, memory_gb: float = MEMORY_GB
    ) -> None:
        self.plan = plan
        self.root = root
        self.memory_gb = memory_gb
        # By object: flows may share their itineraries, which are slow to compare.
        known: dict[int, tuple[list[tuple[str, str]], tuple[_Key, ...]]] = {}
        for flow in plan.flows:
            if id(flow.variants) not in known:
                known[id(flow.variants)] = _of_itineraries(flow)
        problems = [problem for flow in plan.flows for problem in _problems(flow, known[id(flow.variants)][0])]
        if problems:
            raise ScenarioError(problems)
        self._columns = [known[id(flow.variants)][1] for flow in plan.flows]
        self.expected = tuple(flow.arrivals.expected_count(plan.horizon_h) for flow in plan.flows)
        """Mean number of consignments of each flow in one replication."""
        total = sum(self.expected)
        if not total <= max_consignments:
            flow, most = max(zip(plan.flows, self.expected, strict=True), key=lambda pair: pair[1])
            message = f"would create {total:.3g} consignments in each replication (limit {max_consignments:.3g})"
            hint = f"{most:.3g} of them belong to this flow; check its volume and the horizon"
            raise ScenarioError([Problem(message, f"flows.{flow.id}", hint=hint)])

    @property
    def bytes_per_replication(self) -> float:
        """Estimated size of the inputs of one replication, for choosing how many go together."""
        return math.fsum(
            8.0 * (count + 4 * math.sqrt(count) + 16) * (3 + sum(key.stored for key in keys))
            for count, keys in zip(self.expected, self._columns, strict=True)
        )

    def sample(self, replications: Iterable[int]) -> SampledInputs:
        """All draws of some replications over the whole horizon, padded.

        Raises
        ------
        SimulationError
            If that would need more than `memory_gb`; nothing has been drawn then.
        """
        rows = _checked(replications)
        need_gb = self.bytes_per_replication * len(rows) / 1e9
        if need_gb > self.memory_gb:
            fit = int(self.memory_gb * 1e9 / self.bytes_per_replication)
            advice = f"take at most {fit} replications at a time" if fit else "shorten the horizon"
            raise SimulationError(
                f"the inputs of {len(rows)} replications need about {need_gb:.3g} GB "
                f"(limit {self.memory_gb:.3g} GB); {advice}"
            )
        elements = ElementDraws(self.plan, self.root, rows)
        flows = tuple(flow.take(math.inf) for flow in self._draws(rows, keep=False))
        return elements.with_flows(flows, _highest(flows))

    def _draws(
        self, replications: Sequence[int], *, keep: bool, released: Sequence[FlowInputs | None] | None = None
    ) -> list[_FlowDraws | _Nobody]:
        """The draws of each flow, about to begin; the keys of all their streams are made at once."""
        given = released or [None] * len(self.plan.flows)
        nobody = [known is not None and not known.release_h.shape[1] for known in given]
        names = [
            (key.role, flow.id, key.entity)
            for flow, columns, is_empty in zip(self.plan.flows, self._columns, nobody, strict=True)
            if not is_empty
            for key in (_RELEASE, _ROUTE, *columns)
        ]
        keys = streams.keys_of(self.root, replications, names)
        # By object, as above: flows with the same itineraries have the same columns.
        kinds = {id(of): of for of, is_empty in zip(self._columns, nobody, strict=True) if not is_empty}
        drawn_when = {number: _When.of(columns, keep=keep) for number, columns in kinds.items()}
        found: list[_FlowDraws | _Nobody] = []
        at = 0
        for f, (columns, known) in enumerate(zip(self._columns, given, strict=True)):
            if known is not None and nobody[f]:
                found.append(_Nobody(known))
                continue
            found.append(_FlowDraws(self.plan, f, keys, at, drawn_when[id(columns)], keep=keep, given=known))
            at += 2 + len(columns)
        return found

    def stream(self, replications: Iterable[int], released: Sequence[FlowInputs | None] | None = None) -> BlockSampler:
        """The same draws, handed out window by window in order of release.

        `released` are flows whose releases and itineraries are known (another plan has the same), to be handed
        out at once; None in the place of a flow draws them.
        """
        return BlockSampler(self, _checked(replications), released)


class BlockSampler:
    """Draws of some replications, window after window; generators are kept in between.

    A window holds the same bits as the same consignments of `Sampler.sample`. Each costs a
    few calls a replication and stream: one with fewer than some hundred consignments of a
    flow costs mostly these.
    """

    def __init__(
        self, sampler: Sampler, replications: Sequence[int], released: Sequence[FlowInputs | None] | None = None
    ) -> None:
        self.plan = sampler.plan
        self.replications = np.asarray(replications, dtype=np.int64)
        self.since_h = 0.0
        """Consignments released before this instant have been handed out. [h]"""
        self._flows = sampler._draws(replications, keep=True, released=released or None)
        self._elements = ElementDraws(self.plan, sampler.root, replications)

    @property
    def done(self) -> bool:
        """Whether every consignment has been handed out."""
        return self.since_h > self.plan.horizon_h

    def next(self, until_h: float) -> SampledInputs:
        """Inputs of the consignments released in [`since_h`, until_h), inf for all that are left.

        ``number - flow * NUMBER_PER_FLOW`` is a consignment's index in its flow.
        Rows may have different counts and are padded as in `Sampler.sample`.
        Outages, crossings and cancellations are those of the whole horizon; with
        `when_full` there are crossings at least for all handed out so far.

        Raises
        ------
        ValueError
            If `until_h` lies before `since_h`.
        """
        if not until_h >= self.since_h:
            raise ValueError(f"windows go on in time: until_h = {until_h} is before {self.since_h}")
        if until_h == math.inf and self.since_h == 0.0:
            _draw_together([flow for flow in self._flows if isinstance(flow, _FlowDraws)])
        flows = tuple(flow.take(until_h) for flow in self._flows)
        self.since_h = until_h
        taken = np.stack([flow.taken for flow in self._flows]) if flows else np.zeros((0, 0), dtype=np.int64)
        return self._elements.with_flows(flows, taken.max(axis=1, initial=0))


# ---------------------------------------------------------------- one flow


@dataclass(frozen=True, slots=True)
class _Key:
    """A column of draws: durations by `laws`, or uniforms if there are none."""

    role: str
    entity: str
    laws: tuple[ServiceTime, ...] = ()

    @property
    def stored(self) -> int:
        """Arrays that take memory."""
        return sum(not isinstance(law, Deterministic) for law in self.laws) if self.laws else 1


_RELEASE, _ROUTE = _Key("release", ""), _Key("route", "")


class _Nobody:
    """A flow of which it is known that nobody is released; what else is known of its draws is handed on."""

    def __init__(self, given: FlowInputs) -> None:
        self.given = given
        self.taken = np.zeros(len(given.release_h), dtype=np.int64)

    def take(self, until_h: float) -> FlowInputs:  # noqa: ARG002
        """Nobody."""
        return self.given


class _When(NamedTuple):
    """Which columns are drawn ahead, and which where they are used; each with its row among those of its flow."""

    durations: tuple[tuple[int, _Key], ...]
    uniforms: tuple[tuple[int, _Key], ...]
    later_durations: dict[str, tuple[int, _Key]]
    later_uniforms: dict[str, tuple[int, _Key]]
    at: tuple[dict[str, int], dict[str, int]]
    """Rows of those that are drawn later: durations, and uniforms."""

    @classmethod
    def of(cls, columns: tuple[_Key, ...], *, keep: bool) -> _When:
        """Window by window (`keep`) the engine asks for what is used; only what has a sequence is drawn ahead."""
        # The releases and the routes stand before them.
        rows = list(enumerate(columns, start=2))
        asked = {row for row, key in rows if keep and key.laws and all(map(drawn_by_index, key.laws))}
        later = {key.entity: (row, key) for row, key in rows if row in asked}
        uniforms = tuple((row, key) for row, key in rows if not key.laws)
        later_uniforms = {key.entity: (row, key) for row, key in uniforms} if keep else {}
        at = tuple({name: row for name, (row, _) in some.items()} for some in (later, later_uniforms))
        return cls(
            tuple((row, key) for row, key in rows if key.laws and row not in asked),
            () if keep else uniforms,
            later,
            later_uniforms,
            (at[0], at[1]),
        )


class _Made(Mapping[str, Any]):
    """Columns by name, made when they are asked for."""

    def __init__(self, rows: Mapping[str, tuple[int, _Key]], make: Callable[[int, _Key], Any]) -> None:
        self._rows, self._make, self._found = rows, make, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            self._found[name] = self._make(*self._rows[name])
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows


class _FlowDraws:
    """Draws of one flow in order of release; `take` goes on where the last one ended."""

    def __init__(
        self,
        plan: Plan,
        f: int,
        keys: Key,
        begin: int,
        when: _When,
        *,
        keep: bool,
        given: FlowInputs | None = None,
    ) -> None:
        """From row `begin` on `keys` are those of the releases, of the routes and of each of the columns."""
        self.flow, self.f, self.horizon_h = plan.flows[f], f, plan.horizon_h
        self._since_h = 0.0
        self.given = given
        """Releases and itineraries, where they need not be drawn."""
        self._keys, self._begin, self._keep = keys, begin, keep
        self._drawn: tuple[FloatArray, IntArray, IntArray] | None = None
        """All its releases, the itineraries if there is but one, how many: where drawn with those of other flows."""
        self.taken = np.zeros(keys.first.shape[1], dtype=np.int64)
        """Consignments taken so far, by replication."""
        self._durations = {key.entity: self._columns(row, key) for row, key in when.durations}
        self._uniforms = {key.entity: self._uniform(row, key) for row, key in when.uniforms}
        self._later = LaterDraws()
        if keep:
            self._later = LaterDraws(
                _Made(when.later_durations, self._columns),
                _Made(when.later_uniforms, self._uniform),
                StreamRows(*keys, begin, when.at),
            )

    def _columns(self, row: int, key: _Key) -> tuple[Column, ...]:
        of = self._keys.at(self._begin + row)
        return tuple(Column(of, law, keep=self._keep) for law in key.laws)

    def _uniform(self, row: int, key: _Key) -> Column:  # noqa: ARG002 (as `_columns`)
        return Column(self._keys.at(self._begin + row), keep=self._keep)

    @functools.cached_property
    def release_keys(self) -> Key:
        """Keys of the releases."""
        return self._keys.at(self._begin)

    @functools.cached_property
    def _route(self) -> Column:
        return Column(self._keys.at(self._begin + 1), keep=self._keep)

    @functools.cached_property
    def _pending(self) -> list[FloatArray]:
        """Releases drawn and not taken yet."""
        return [np.empty(0)] * len(self.taken)

    @functools.cached_property
    def _over(self) -> NDArray[np.bool_]:
        """Whether all releases up to the horizon are drawn."""
        return np.zeros(len(self.taken), dtype=bool)

    @functools.cached_property
    def _draw(self) -> BlockDraw:
        """Draws releases of some replications."""
        draw: BlockDraw = self.flow.arrivals.block_sampler(self.release_keys)
        return draw

    def take(self, until_h: float) -> FlowInputs:
        """All draws of the consignments released before `until_h` and not taken yet (horizon included)."""
        if self.given is not None:
            assert until_h == math.inf
            return self._drawn_for(self.given.release_h, self.given.variant, self.given.count)
        since_h, self._since_h = self._since_h, until_h
        drawn, self._drawn = self._drawn, None
        if drawn is not None and len(self.flow.variants) == 1:
            return self._drawn_for(*drawn)
        more = self.flow.arrivals.expected_count(min(until_h, self.horizon_h), since_h) if until_h > since_h else 0.0
        if until_h == math.inf and since_h == 0.0:
            self._over[:] = True
            if drawn is not None:
                release_h, _, count = drawn
            else:
                release_h, count = whole_run(self.flow.arrivals, self.release_keys, more, self.horizon_h)
        else:
            release_h = self._releases(until_h, more)
            count = np.asarray((release_h < np.inf).sum(axis=1), dtype=np.int64)
        return self._drawn_for(release_h, self._variant(release_h, count), count)

    def _drawn_for(self, release_h: FloatArray, variant: IntArray, count: IntArray) -> FlowInputs:
        column = np.arange(release_h.shape[1])
        number: IntArray = self.f * NUMBER_PER_FLOW + column
        if self.taken.any():
            number = number + self.taken[:, None]
        else:
            # As `np.broadcast_to`, which takes longer than all the rest here.
            number = np.ndarray(release_h.shape, number.dtype, number, strides=(0, number.itemsize))
            number.flags.writeable = False
        self.taken += count
        return FlowInputs(
            release_h,
            variant,
            number,
            {key: tuple(column.take(count) for column in columns) for key, columns in self._durations.items()},
            {key: column.take(count) for key, column in self._uniforms.items()},
            self._later,
            count,
        )

    def _releases(self, until_h: float, expected: float) -> FloatArray:
        """The next releases, on the grid, before `until_h` and not after the horizon, padded. [h]"""
        parts = [[ahead] for ahead in self._pending]
        last_h = np.array([ahead[-1] if len(ahead) else -math.inf for ahead in self._pending])
        margin = int(3 * math.sqrt(expected)) + 8
        size = max(int(expected) - min((len(ahead) for ahead in self._pending), default=0), 0) + margin
        while len(which := np.flatnonzero((last_h < until_h) & ~self._over)):
            together = max(1, TOGETHER // size)
            for first in range(0, len(which), together):
                some = which[first : first + together]
                drawn = to_grid(self._draw(size, some))
                last_h[some] = drawn[:, -1]
                self._over[some] = drawn[:, -1] > self.horizon_h
                for row, instants in zip(some.tolist(), drawn, strict=True):
                    if self._over[row]:
                        instants = instants[: np.searchsorted(instants, self.horizon_h, side="right")]
                    parts[row].append(instants)
            size = margin
        released = []
        for row, found in enumerate(parts):
            ahead = np.concatenate(found) if len(found) > 1 else found[0]
            cut = int(np.searchsorted(ahead, until_h, side="left"))
            self._pending[row] = ahead[cut:].copy()
            released.append(ahead[:cut])
        release_h = np.full((len(released), max(map(len, released), default=0)), np.inf)
        for into, instants in zip(release_h, released, strict=True):
            into[: len(instants)] = instants
        return release_h

    def _variant(self, release_h: FloatArray, count: IntArray) -> IntArray:
        """Itineraries by the dated shares at the release (rule D13), -1 in the padding."""
        if len(self.flow.variants) == 1:
            return _the_only(release_h, count)
        instants, upto = _dated_shares(self.flow)
        uniform = self._route.take(count)
        if len(instants) == 1:
            return np.where(release_h < np.inf, np.searchsorted(upto[0], uniform, side="right"), -1)
        chosen = np.full(release_h.shape, -1, dtype=np.int64)
        for row, drawn, releases, many in zip(chosen, uniform, release_h, count.tolist(), strict=True):
            ends = [*np.searchsorted(releases[:many], instants[1:], side="left").tolist(), many]
            begin = 0
            for end, edges in zip(ends, upto, strict=True):
                if end > begin:
                    row[begin:end] = np.searchsorted(edges, drawn[begin:end], side="right")
                begin = end
        return chosen


def _the_only(release_h: FloatArray, count: IntArray) -> IntArray:
    """The itinerary where there is but one, -1 in the padding: only where that begins are releases looked at."""
    variant, least = np.zeros(release_h.shape, dtype=np.int64), int(count.min(initial=release_h.shape[1]))
    variant[:, least:] -= release_h[:, least:] == np.inf
    return variant


def _draw_together(flows: Sequence[_FlowDraws]) -> None:
    """Draw all releases of flows with equal arrivals at once: many of them cost little more than one then."""
    alike: dict[tuple[bytes, bytes], list[list[_FlowDraws]]] = {}
    for one in flows:
        plan = one.flow.arrivals
        if one.given is None and plan.process.has_gaps:
            groups = alike.setdefault((plan.rate.from_h.tobytes(), plan.rate.value.tobytes()), [])
            mine = next((group for group in groups if group[0].flow.arrivals == plan), None)
            if mine is None:
                groups.append([one])
            else:
                mine.append(one)
    for group in (group for groups in alike.values() for group in groups if len(group) > 1):
        plan, horizon_h = group[0].flow.arrivals, group[0].horizon_h
        rows = [one._begin for one in group]
        first, second = (half[rows].reshape(-1) for half in group[0]._keys)
        expected = plan.expected_count(horizon_h, 0.0)
        drawn, count = whole_run(plan, Key(first, second), expected, horizon_h)
        shape = len(group), len(group[0].taken)
        only = _the_only(drawn, count).reshape(*shape, drawn.shape[1])
        drawn, count = drawn.reshape(*shape, drawn.shape[1]), count.reshape(shape)
        for k, (one, most) in enumerate(zip(group, count.max(axis=1, initial=0).tolist(), strict=True)):
            one._drawn = drawn[k, :, :most], only[k, :, :most], count[k]


def _dated_shares(flow: FlowPlan) -> tuple[FloatArray, FloatArray]:
    """Instants of change, and from each on the cumulative shares of all variants but the last."""
    instants = distinct(np.concatenate([variant.share.from_h for variant in flow.variants]))
    upto = np.cumsum([variant.share(instants) for variant in flow.variants], axis=0)
    return instants, np.asarray((upto[:-1] / upto[-1]).T)


@by_object.once
def _of_itineraries(flow: FlowPlan) -> tuple[list[tuple[str, str]], tuple[_Key, ...]]:
    """What is wrong with the itineraries of a flow, and the streams that are read on them."""
    return _wrong(flow.variants), _column_keys(flow.variants)


def _column_keys(variants: tuple[Variant, ...]) -> tuple[_Key, ...]:
    """Every stream that the consignments of a flow with these itineraries read, besides release and route."""
    steps = [step for variant in variants for step in variant.steps]
    durations = {step.draws: tuple(law for _, law in step.laws) for step in steps if step.laws}
    patience = {step.patience.draws: (step.patience.law,) for step in steps if step.patience is not None}
    shares = {step.share_draws: "share" for step in steps if step.share is not None}
    reliefs = {relief.draws: "relief" for step in steps for relief in step.reliefs}
    return tuple(
        [_Key("duration", entity, laws) for entity, laws in sorted(durations.items())]
        + [_Key("patience", entity, laws) for entity, laws in sorted(patience.items())]
        + [_Key(role, entity) for entity, role in sorted({**reliefs, **shares}.items())]
    )


def _problems(flow: FlowPlan, wrong: Sequence[tuple[str, str]]) -> list[Problem]:
    """What makes a flow impossible to sample; `wrong` is what is wrong with its itineraries."""
    path = f"flows.{flow.id}"
    nothing = [Problem("has no arrivals, so its releases cannot be drawn", path)] if flow.arrivals is None else []
    return nothing + [Problem(text, path, value) if value else Problem(text, path) for text, value in wrong]


def _wrong(variants: tuple[Variant, ...]) -> list[tuple[str, str]]:
    """What makes itineraries impossible to sample, with the stream that it is about, "" if about none."""
    found = []
    laws: dict[str, tuple[ServiceTime, ...]] = {}
    for variant in variants:
        for step in variant.steps:
            mine = tuple(law for _, law in step.laws)
            if mine and laws.setdefault(step.draws, mine) != mine:
                found.append(("has one stream of durations with two sets of laws", step.draws))
    if len(variants) == 1 and variants[0].share.is_constant and 0 < variants[0].share.value[0] < np.inf:
        return found
    instants = distinct(np.concatenate([variant.share.from_h for variant in variants]))
    shares = np.array([variant.share(instants) for variant in variants])
    if not (np.isfinite(shares).all() and (shares >= 0).all() and (shares.sum(axis=0) > 0).all()):
        found.append(("has itineraries whose shares are negative or all 0 at some time", ""))
    return found


def _highest(flows: tuple[FlowInputs, ...]) -> IntArray:
    """Largest number of consignments in a replication, by flow."""
    return np.array([flow.count.max(initial=0) for flow in flows], dtype=np.int64)


def _checked(replications: Iterable[int]) -> tuple[int, ...]:
    """Replication numbers as a tuple. Raises ValueError if one is negative or comes twice."""
    rows = tuple(int(k) for k in replications)
    if any(k < 0 for k in rows) or len(set(rows)) < len(rows):
        raise ValueError("replications are different whole numbers >= 0")
    return rows
