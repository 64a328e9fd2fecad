"""Laws as numbers in arrays, for compiled loops.

`encode` turns laws into nodes of a `CodedLaws`; `compiled.value` reads it. A law that this module
does not know, such as one of a user, has no code; numpy draws it. To have a new law compiled, add
its kind and its numbers here and its value there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.draws.variates import squeeze
from corridor_sim.core.draws.words import WordArray
from corridor_sim.core.machine_code import compiled, earned
from corridor_sim.core.units import FloatArray
from corridor_sim.model.service_times import composed, simple
from corridor_sim.model.service_times.base import COMPILED, ServiceTime
from corridor_sim.model.service_times.codes import (
    CUT_LOGNORMAL,
    DETERMINISTIC,
    EMPIRICAL,
    EXPONENTIAL,
    GAMMA,
    HYPEREXPONENTIAL,
    LOGNORMAL,
    MIXTURE,
    SMALL_GAMMA,
    TRIANGULAR,
    UNIFORM,
    WEIBULL,
)

LEAST = 32
"""Fewer values than this are not worth a compiled call."""
SAVED = 15
"""What a compiled value saves. [ns, assumed from about 12 against 27]"""


class CodedLaws(NamedTuple):
    """Laws and the laws inside them, a node each.

    Attributes
    ----------
    kind
        What each node is. (node,)
    number
        Its parameters. (node, 5)
    place
        Where its table begins and how long it is; the node of its first inner law (the others
        follow); where the shifts to be added begin and how many they are. (node, 5)
    table
        Edges of choices, means, measured values, shifts.
    """

    kind: NDArray[np.int64]
    number: FloatArray
    place: NDArray[np.int64]
    table: FloatArray


Parts = tuple[int, tuple[float, ...], Sequence[float], tuple[ServiceTime, ...]]
"""Kind, numbers, table, inner laws."""


def _gamma(law: Any) -> Parts:
    shape = law._shape
    d = (shape + 1.0 if shape < 1 else shape) - 1.0 / 3.0
    numbers = d, 1.0 / float(np.sqrt(9.0 * d)), law.mean_h / shape, squeeze(d), -shape
    return SMALL_GAMMA if shape < 1 else GAMMA, numbers, (), ()


def _lognormal(law: simple.Lognormal) -> Parts:
    if law.truncate_h is None:
        return LOGNORMAL, (law._log_sd, law._median_h), (), ()
    return CUT_LOGNORMAL, (law._log_sd, law._median_h, law._bound, law.truncate_h), (), ()


def _triangular(law: simple.Triangular) -> Parts:
    low, mode, high = law.low_h, law.mode_h, law.high_h
    return TRIANGULAR, (low, mode, high, high - low), (), ()


def _edges(weights: Sequence[float]) -> list[float]:
    return list(np.cumsum(weights)[:-1].tolist())


PARTS: dict[type[ServiceTime], Callable[[Any], Parts]] = {
    simple.Deterministic: lambda law: (DETERMINISTIC, (law.value_h,), (), ()),
    simple.Exponential: lambda law: (EXPONENTIAL, (law.mean_h,), (), ()),
    simple.Erlang: _gamma,
    simple.Gamma: _gamma,
    simple.Lognormal: _lognormal,
    simple.Triangular: _triangular,
    simple.Uniform: lambda law: (UNIFORM, (law.high_h - law.low_h, law.low_h), (), ()),
    simple.Weibull: lambda law: (WEIBULL, (1 / law.shape, law.scale_h), (), ()),
    composed.Empirical: lambda law: (EMPIRICAL, (), law._ranked_h.tolist(), ()),
    composed.Hyperexponential: lambda law: (HYPEREXPONENTIAL, (), [*_edges(law.weights), *law.means_h], ()),
    composed.Mixture: lambda law: (MIXTURE, (), _edges(law.weights), law.laws),
}
"""By the class itself: a subclass may draw in another way."""


def encode(laws: Sequence[ServiceTime]) -> CodedLaws | None:
    """Laws as nodes, law k as node k; None if one of them, or of the laws inside, has no code.

    Examples
    --------
    >>> from corridor_sim.model.service_times import Exponential, Shifted
    >>> code = encode([Exponential(mean_h=0.3), Shifted(shift_h=0.1, law=Exponential(mean_h=0.2))])
    >>> code.kind.tolist(), code.number[:, 0].tolist(), code.table.tolist()
    ([1, 1], [0.3, 0.2], [0.1])
    """
    kind: list[int] = []
    number: list[tuple[float, ...]] = []
    place: list[list[int]] = []
    table: list[float] = []
    waiting: list[tuple[ServiceTime, tuple[float, ...]]] = [(law, ()) for law in laws]
    for law, after in waiting:  # grows
        inner, shifts = law, list(after)
        while type(inner) is composed.Shifted:
            shifts.insert(0, inner.shift_h)
            inner = inner.law
        if type(inner) not in PARTS:
            return None
        what, numbers, values, laws_inside = PARTS[type(inner)](inner)
        begin = len(table)
        table += [*values]
        kind.append(what)
        number.append((*numbers, *5 * (0.0,))[:5])
        if laws_inside:
            # What is added to a mixture is added to whichever law is chosen.
            place.append([begin, len(laws_inside) - 1, len(waiting), 0, 0])
            waiting += [(one, tuple(shifts)) for one in laws_inside]
        else:
            # Of a choice with as many means the table holds one edge less and the means.
            length = (len(values) + 1) // 2 - 1 if what == HYPEREXPONENTIAL else len(values)
            place.append([begin, length, -1, len(table), len(shifts)])
            table += shifts
    return CodedLaws(
        np.array(kind, dtype=np.int64),
        np.array(number, dtype=np.float64).reshape(-1, 5),
        np.array(place, dtype=np.int64).reshape(-1, 5),
        np.array(table, dtype=np.float64),
    )


@functools.lru_cache(maxsize=4096)
def _code(law: ServiceTime) -> CodedLaws | None:
    return encode([law])


def fill(
    law: ServiceTime, first: WordArray, second: WordArray, index: WordArray, out: FloatArray, *, on_grid: bool
) -> bool:
    """Write values of a law, by its keys and indices, into `out` by the compiled loop; False if there is none.

    Numba is not loaded for a few values (`earned`).
    """
    if len(out) < LEAST or not earned(SAVED * len(out)):
        return False
    code = _code(law)
    loop = compiled(_loop) if code is not None else None
    if loop is None or code is None:
        return False
    if not first.ndim:
        first, second = (np.broadcast_to(half, index.shape) for half in (first, second))
    loop(*code, 0, first, second, index, on_grid, out)
    return True


def _loop() -> Any:
    from corridor_sim.model.service_times import compiled as machine

    return machine.fill


COMPILED.append(fill)
