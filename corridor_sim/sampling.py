"""Everything random of a plan, drawn before any engine runs; the only module that draws.

`Sampler.sample` draws the whole horizon of some replications at once,
`Sampler.stream` hands out the same draws window by window. Streams are found by
name (`streams.py`), consignments read them by their index in their flow, so the
numbers of a replication do not depend on the other replications, on the windows
or on what else is in the plan.

To add a role of chance, add a column to `_FlowDraws`, or for something that
belongs to an element see `element_draws.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corridor_sim import streams
from corridor_sim.draws import Column
from corridor_sim.element_draws import ElementDraws
from corridor_sim.errors import Problem, ScenarioError, SimulationError
from corridor_sim.inputs import NUMBER_PER_FLOW, FlowInputs, SampledInputs
from corridor_sim.model.service_times import Deterministic, Draw, ServiceTime
from corridor_sim.plan import FlowPlan, Plan
from corridor_sim.results import IntArray
from corridor_sim.units import FloatArray, to_grid

MAX_CONSIGNMENTS = 1e8
"""Most consignments in one replication, unless the caller says otherwise."""
SCANNED = 2048
"""Rows shorter than this are compared as a whole, longer ones are searched one by one."""
LARGE_WINDOW = 0.125
"""Share of a block drawn ahead from which a window is drawn for itself."""
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
        problems = [problem for flow in plan.flows for problem in _problems(flow)]
        if problems:
            raise ScenarioError(problems)
        self._columns = [_column_keys(flow) for flow in plan.flows]
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
        flows = tuple(
            _FlowDraws(self.plan, f, self.root, rows, keys, keep=False).take(math.inf)
            for f, keys in enumerate(self._columns)
        )
        return elements.with_flows(flows, _highest(flows))

    def stream(self, replications: Iterable[int], *, memory_gb: float = 0.25) -> BlockSampler:
        """The same draws, handed out window by window in order of release.

        `memory_gb` bounds what is drawn ahead of the window that was asked for.
        """
        return BlockSampler(self, _checked(replications), memory_gb)


class BlockSampler:
    """Draws of some replications, window after window; generators are kept in between.

    Draws are made ahead in blocks of time, so that small windows cost little: a
    block holds about `memory_gb`; a window that is large itself is drawn alone. It
    holds the same bits as the same consignments of `Sampler.sample`.
    """

    def __init__(self, sampler: Sampler, replications: Sequence[int], memory_gb: float) -> None:
        self.plan = sampler.plan
        self.replications = np.asarray(replications, dtype=np.int64)
        self.since_h = 0.0
        """Consignments released before this instant have been handed out. [h]"""
        self._flows = [
            _FlowDraws(self.plan, f, sampler.root, replications, keys, keep=True)
            for f, keys in enumerate(sampler._columns)
        ]
        self._elements = ElementDraws(self.plan, sampler.root, replications)
        blocks = math.ceil(sampler.bytes_per_replication * len(replications) / max(memory_gb * 1e9, 1.0))
        self.block_h = self.plan.horizon_h / max(blocks, 1)
        """Span of time that is drawn at once. [h]"""
        self._drawn_until_h = 0.0
        self._ahead: list[FlowInputs] = [flow.take(0.0) for flow in self._flows]
        rows = len(replications)
        self._cut_at = [np.zeros(rows, dtype=np.int64) for _ in self._flows]
        self._index = [np.zeros(rows, dtype=np.int64) for _ in self._flows]

    @property
    def done(self) -> bool:
        """Whether every consignment has been handed out."""
        return self.since_h > self.plan.horizon_h

    def next(self, until_h: float) -> SampledInputs:
        """Inputs of the consignments released in [`since_h`, until_h), inf for all that are left.

        ``number - flow * NUMBER_PER_FLOW`` is a consignment's index in its flow.
        Rows may have different counts and are padded as in `Sampler.sample`.
        Outages, crossings and cancellations are those of the whole horizon; with
        `when_full` there are crossings at least for everybody handed out so far.

        Raises
        ------
        ValueError
            If `until_h` lies before `since_h`.
        """
        if not until_h >= self.since_h:
            raise ValueError(f"windows go on in time: until_h = {until_h} is before {self.since_h}")
        if until_h > self._drawn_until_h:
            self._draw_ahead(until_h)
        flows = tuple(self._cut(f, until_h) for f in range(len(self._flows)))
        self.since_h = until_h
        highest = np.array([index.max(initial=0) for index in self._index], dtype=np.int64)
        return self._elements.with_flows(flows, highest)

    def _draw_ahead(self, until_h: float) -> None:
        # Whole windows, so that nothing is left over to be joined with the next; one window alone
        # where it is large, so that it need not be cut out.
        window_h = until_h - self.since_h
        ahead = self.block_h // window_h if 0 < window_h < self.block_h * LARGE_WINDOW else 1
        target_h = until_h if ahead <= 1 else max(until_h, self.since_h + ahead * window_h)
        if target_h >= self.plan.horizon_h:
            target_h = math.inf
        for f, flow in enumerate(self._flows):
            index = self._index[f].copy()
            rest = self._cut(f, math.inf)
            self._index[f] = index
            self._cut_at[f] = np.zeros_like(index)
            self._ahead[f] = _joined(rest, flow.take(target_h))
        self._drawn_until_h = target_h

    def _cut(self, f: int, until_h: float) -> FlowInputs:
        """Consignments drawn ahead that are released before `until_h` and not handed out yet."""
        ahead, cut_at, index = self._ahead[f], self._cut_at[f], self._index[f]
        upto = _before(ahead.release_h, until_h)
        count = upto - cut_at
        self._cut_at[f], self._index[f] = upto, index + count
        width = int(count.max(initial=0))
        if width == ahead.release_h.shape[1] and not cut_at.any() and (upto == ahead.count).all():
            return ahead
        column = np.arange(width)
        there = column < count[:, None]
        place = (np.arange(len(count)) * ahead.release_h.shape[1] + cut_at)[:, None] + column

        def pick(values: Any) -> Any:
            if _constant(values):
                return np.broadcast_to(values[:1, :1], place.shape)
            return values.take(place, mode="clip") if width else np.zeros(place.shape, dtype=values.dtype)

        return FlowInputs(
            np.where(there, pick(ahead.release_h), np.inf),
            np.where(there, pick(ahead.variant), -1),
            f * NUMBER_PER_FLOW + index[:, None] + column,
            {key: tuple(pick(values) for values in arrays) for key, arrays in ahead.duration_h.items()},
            {key: pick(values) for key, values in ahead.uniform.items()},
        )


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


class _FlowDraws:
    """Draws of one flow in order of release; `take` goes on where the last one ended."""

    def __init__(
        self, plan: Plan, f: int, root: int, replications: Sequence[int], keys: tuple[_Key, ...], keep: bool
    ) -> None:
        flow = plan.flows[f]
        self.flow, self.f, self.horizon_h = flow, f, plan.horizon_h
        self._since_h = 0.0
        self._draw: list[Draw] = [
            flow.arrivals.sampler(own) for own in streams.streams(root, replications, "release", flow.id)
        ]
        self._pending: list[FloatArray] = [np.empty(0) for _ in replications]
        self._over = [False for _ in replications]
        self._index = np.zeros(len(replications), dtype=np.int64)

        def column(role: str, entity: str, law: ServiceTime | None = None) -> Column:
            return Column(root, replications, role, flow.id, entity, law, keep)

        self._route = column("route", "")
        self._shares = _dated_shares(flow)
        self._durations = {
            key.entity: [column(key.role, key.entity, law) for law in key.laws] for key in keys if key.laws
        }
        self._uniforms = {key.entity: column(key.role, key.entity) for key in keys if not key.laws}

    def take(self, until_h: float) -> FlowInputs:
        """All draws of the consignments released before `until_h` and not taken yet (horizon included)."""
        since_h, self._since_h = self._since_h, until_h
        more = self.flow.arrivals.expected_count(min(until_h, self.horizon_h), since_h) if until_h > since_h else 0.0
        rows = [self._releases(row, until_h, more) for row in range(len(self._draw))]
        count = np.array([len(row) for row in rows], dtype=np.int64)
        release_h = np.full((len(rows), int(count.max(initial=0))), np.inf)
        for row, instants in zip(release_h, rows, strict=True):
            row[: len(instants)] = instants
        column = np.arange(release_h.shape[1])
        number = self.f * NUMBER_PER_FLOW + self._index[:, None] + column
        self._index += count
        variant = self._variant(rows, count)
        return FlowInputs(
            release_h,
            variant,
            number,
            {key: tuple(column.take(count) for column in columns) for key, columns in self._durations.items()},
            {key: column.take(count) for key, column in self._uniforms.items()},
        )

    def _releases(self, row: int, until_h: float, expected: float) -> FloatArray:
        """The next releases of one replication, on the grid, before `until_h` and not after the horizon."""
        ahead = self._pending[row]
        parts = [ahead]
        last_h = ahead[-1] if len(ahead) else -math.inf
        margin = int(3 * math.sqrt(expected)) + 8
        size = max(int(expected) - len(ahead), 0) + margin
        while last_h < until_h and not self._over[row]:
            drawn = to_grid(self._draw[row](size))
            last_h, size = float(drawn[-1]), margin
            if last_h > self.horizon_h:
                drawn = drawn[: np.searchsorted(drawn, self.horizon_h, side="right")]
                self._over[row] = True
            parts.append(drawn)
        ahead = np.concatenate(parts) if len(parts) > 1 else ahead
        cut = int(np.searchsorted(ahead, until_h, side="left"))
        self._pending[row] = ahead[cut:].copy()
        return ahead[:cut]

    def _variant(self, rows: list[FloatArray], count: IntArray) -> IntArray:
        """Itineraries by the dated shares at the release (DECISIONS 13), -1 in the padding."""
        chosen = np.full((len(rows), int(count.max(initial=0))), -1, dtype=np.int64)
        if len(self.flow.variants) == 1:
            for row, instants in zip(chosen, rows, strict=True):
                row[: len(instants)] = 0
            return chosen
        instants, upto = self._shares
        uniform = self._route.take(count)
        for row, drawn, releases in zip(chosen, uniform, rows, strict=True):
            ends = [*np.searchsorted(releases, instants[1:], side="left").tolist(), len(releases)]
            begin = 0
            for end, edges in zip(ends, upto, strict=True):
                if end > begin:
                    row[begin:end] = np.searchsorted(edges, drawn[begin:end], side="right")
                begin = end
        return chosen


def _dated_shares(flow: FlowPlan) -> tuple[FloatArray, FloatArray]:
    """Instants of change, and from each on the cumulative shares of all variants but the last."""
    instants = np.unique(np.concatenate([variant.share.from_h for variant in flow.variants]))
    upto = np.cumsum([variant.share(instants) for variant in flow.variants], axis=0)
    return instants, np.asarray((upto[:-1] / upto[-1]).T)


def _column_keys(flow: FlowPlan) -> tuple[_Key, ...]:
    """Every stream that the consignments of a flow read, besides release and route."""
    steps = [step for variant in flow.variants for step in variant.steps]
    durations = {step.draws: tuple(law for _, law in step.laws) for step in steps if step.laws}
    shares = {step.share_draws: "share" for step in steps if step.share is not None}
    reliefs = {relief.draws: "relief" for step in steps for relief in step.reliefs}
    return tuple(
        [_Key("duration", entity, laws) for entity, laws in sorted(durations.items())]
        + [_Key(role, entity) for entity, role in sorted({**reliefs, **shares}.items())]
    )


def _problems(flow: FlowPlan) -> list[Problem]:
    """What makes a flow impossible to sample."""
    path = f"flows.{flow.id}"
    found = []
    if flow.arrivals is None:
        found.append(Problem("has no arrivals, so its releases cannot be drawn", path))
    laws: dict[str, tuple[ServiceTime, ...]] = {}
    for variant in flow.variants:
        for step in variant.steps:
            mine = tuple(law for _, law in step.laws)
            if mine and laws.setdefault(step.draws, mine) != mine:
                found.append(Problem("has one stream of durations with two sets of laws", path, step.draws))
    instants = np.unique(np.concatenate([variant.share.from_h for variant in flow.variants]))
    shares = np.array([variant.share(instants) for variant in flow.variants])
    if not (np.isfinite(shares).all() and (shares >= 0).all() and (shares.sum(axis=0) > 0).all()):
        found.append(Problem("has itineraries whose shares are negative or all 0 at some time", path))
    return found


def _joined(first: FlowInputs, second: FlowInputs) -> FlowInputs:
    """Row by row the consignments of `first` and then those of `second`."""
    counts = first.count, second.count
    if not counts[0].any():
        return second
    if not counts[1].any():
        return first
    column = np.arange(int((counts[0] + counts[1]).max()))
    mine = column < counts[0][:, None]
    other = (column < (counts[0] + counts[1])[:, None]) & ~mine
    source = [
        np.arange(part.release_h.shape[1]) < count[:, None] for part, count in zip((first, second), counts, strict=True)
    ]

    def join(one: Any, two: Any, padding: float = 0) -> Any:
        if _constant(one) and _constant(two):
            return np.broadcast_to(one[:1, :1], mine.shape)
        out = np.full(mine.shape, padding, dtype=one.dtype)
        out[mine], out[other] = one[source[0]], two[source[1]]
        return out

    return FlowInputs(
        join(first.release_h, second.release_h, np.inf),
        join(first.variant, second.variant, -1),
        join(first.number, second.number),
        {
            key: tuple(join(one, two) for one, two in zip(arrays, second.duration_h[key], strict=True))
            for key, arrays in first.duration_h.items()
        },
        {key: join(values, second.uniform[key]) for key, values in first.uniform.items()},
    )


def _before(release_h: FloatArray, until_h: float) -> IntArray:
    """Number of releases before `until_h` in each row."""
    if release_h.shape[1] < SCANNED:
        return np.asarray((release_h < until_h).sum(axis=1), dtype=np.int64)
    return np.array([row.searchsorted(until_h) for row in release_h], dtype=np.int64)


def _constant(values: FloatArray) -> bool:
    """Whether an array holds one broadcast value (a deterministic law)."""
    return values.size > 1 and not any(values.strides)


def _highest(flows: tuple[FlowInputs, ...]) -> IntArray:
    """Largest number of consignments in a replication, by flow."""
    return np.array([flow.count.max(initial=0) for flow in flows], dtype=np.int64)


def _checked(replications: Iterable[int]) -> tuple[int, ...]:
    """Replication numbers as a tuple. Raises ValueError if one is negative or comes twice."""
    rows = tuple(int(k) for k in replications)
    if any(k < 0 for k in rows) or len(set(rows)) < len(rows):
        raise ValueError("replications are different whole numbers >= 0")
    return rows
