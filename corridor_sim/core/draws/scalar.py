"""The variates of `variates.py` value by value, for compiled loops: the same operations, the same bits.

Importing this needs numba. A function takes words or numbers and gives a number, never an array,
so a loop may call it for every consignment at no cost. No `fastmath`: nothing is reordered and no
product is fused with a sum.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from corridor_sim.core.draws import elementary, variates, words, ziggurat
from corridor_sim.core.units import GRID_PER_H, LONGEST_H

whole: Any = njit(error_model="numpy")
inside: Any = njit(inline="always", error_model="numpy")
primitive: Any = intrinsic

WEYL, FIRST, SECOND = words.WEYL, words.FIRST, words.SECOND
FURTHER, THIRD, FOURTH = words.FURTHER, words.THIRD, words.FOURTH
BY_10, BY_11, BY_12, BY_27, BY_30, BY_31, BY_33 = (
    words.BY_10,
    words.BY_11,
    words.BY_12,
    words.BY_27,
    words.BY_30,
    words.BY_31,
    words.BY_33,
)
UNIT, LAYER, COARSE, I18 = words.UNIT, variates.LAYER, variates.COARSE, variates.I18

POWER_BITS, (CENTRE, LOG_CENTRE) = elementary.power_bits(), elementary.centres()
TO_PARTS, ROUND, STEP_HIGH, STEP_LOW = elementary.TO_PARTS, elementary.ROUND, elementary.STEP_HIGH, elementary.STEP_LOW
ROUND_H = ROUND / GRID_PER_H
E2, E3, LOWEST, HIGHEST = elementary.E2, elementary.E3, elementary.LOWEST, elementary.HIGHEST
I41, I2047, I45, I52, I127 = elementary.I41, elementary.I2047, elementary.I45, elementary.I52, elementary.I127
OFFSET, TOP, LOG2_HIGH, LOG2_LOW = elementary.OFFSET, elementary.TOP, elementary.LOG2_HIGH, elementary.LOG2_LOW
L2, L3, L4, L5, L6, L7 = (getattr(elementary, f"L{k}") for k in range(2, 8))

BASE = ziggurat.BASE
N_STEP, N_INNER, N_HIGH, N_LOW, N_TAIL = ziggurat.NORMAL
X_STEP, X_INNER, X_HIGH, X_LOW, X_TAIL = ziggurat.EXPONENTIAL

SALT_1, SALT_2, SALT_3, SALT_4, SALT_5, SALT_6, SALT_7, SALT_8 = map(words.salt, range(1, 9))
"""What is added to a word for its further word of that number; see the names in `variates`."""


@primitive  # type: ignore[untyped-decorator]
def bits_of(context: Any, x: Any) -> Any:
    """The bits of a float as a whole number."""
    del context, x

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        del context, signature
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), code


@primitive  # type: ignore[untyped-decorator]
def float_of(context: Any, bits: Any) -> Any:
    """The float of some bits."""
    del context, bits

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        del context, signature
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), code


@inside
def word(first, second, index):  # type: ignore[no-untyped-def]
    """`words.words` of one key and one index, all unsigned."""
    x = index * WEYL + first
    x = (x ^ (x >> BY_30)) * FIRST ^ second
    x = (x ^ (x >> BY_27)) * SECOND
    return x ^ (x >> BY_31)


@inside
def further(x, salt):  # type: ignore[no-untyped-def]
    """`words.further`, by its salt."""
    x = x + salt
    x = (x ^ (x >> BY_33)) * THIRD
    x = (x ^ (x >> BY_33)) * FOURTH
    return x ^ (x >> BY_33)


@inside
def uniform(x):  # type: ignore[no-untyped-def]
    """`words.uniform`."""
    return types.int64(x >> BY_11) * UNIT


@inside
def inner_uniform(x):  # type: ignore[no-untyped-def]
    """`words.inner_uniform`."""
    return (types.int64(x >> BY_12) + 0.5) * 2.0**-52


@inside
def exp(x):  # type: ignore[no-untyped-def]
    """`elementary.exp`."""
    return exp_between(min(max(x, LOWEST), HIGHEST))


@inside
def exp_between(x):  # type: ignore[no-untyped-def]
    """`elementary.exp` of a number that is known to lie between its limits."""
    shifted = x * TO_PARTS + ROUND
    k = shifted - ROUND
    bits = bits_of(shifted)
    r = x - k * STEP_HIGH
    r = r - k * STEP_LOW
    tail = (r * E3 + E2) * (r * r) + r
    power = float_of(POWER_BITS[bits & I2047] + (bits << I41))
    return tail * power + power


@whole
def log(x):  # type: ignore[no-untyped-def]
    """`elementary.log`."""
    bits = bits_of(x)
    offset = bits - OFFSET
    piece = (offset >> I45) & I127
    mantissa = float_of(bits - (offset & TOP))
    k = float(offset >> I52)
    centre = CENTRE[piece]
    r = (mantissa - centre) / centre
    square = r * r
    rest = (r * L7 + L6) * square
    rest = rest + r * L5
    rest = (rest + L4) * square
    rest = rest + r * L3
    rest = (rest + L2) * square
    rest = rest + k * LOG2_LOW
    head = LOG_CENTRE[piece] + k * LOG2_HIGH
    high = head + r
    return rest + ((head - high) + r) + high


@whole
def _normal_at_the_edge(seed, layer, x):  # type: ignore[no-untyped-def]
    while True:
        if layer == BASE:
            beyond = _normal_tail(further(seed, SALT_1))
            return -beyond if x < 0 else beyond
        height = uniform(further(seed, SALT_1)) * (N_HIGH[layer] - N_LOW[layer]) + N_LOW[layer]
        if height < exp(-0.5 * x * x):
            return x
        seed = further(seed, SALT_2)
        layer = types.int64(seed & LAYER)
        x = (types.int64(seed) >> I18) * N_STEP[layer]
        if abs(x) < N_INNER[layer]:
            return x


@whole
def _normal_tail(seed):  # type: ignore[no-untyped-def]
    while True:
        x = log(inner_uniform(further(seed, SALT_1))) / -N_TAIL
        y = -log(inner_uniform(further(seed, SALT_2)))
        if y + y > x * x:
            return N_TAIL + x
        seed = further(seed, SALT_3)


@inside
def normal(seed):  # type: ignore[no-untyped-def]
    """`variates.normal`."""
    layer = types.int64(seed & LAYER)
    x = (types.int64(seed) >> I18) * N_STEP[layer]
    if abs(x) < N_INNER[layer]:
        return x
    return _normal_at_the_edge(seed, layer, x)


@whole
def _exponential_at_the_edge(seed, layer, x):  # type: ignore[no-untyped-def]
    ahead = 0
    while True:
        if layer == BASE:
            ahead += 1
        else:
            height = uniform(further(seed, SALT_1)) * (X_HIGH[layer] - X_LOW[layer]) + X_LOW[layer]
            if height < exp(-x):
                break
        seed = further(seed, SALT_2)
        layer = types.int64(seed & LAYER)
        x = types.int64(seed >> BY_11) * X_STEP[layer]
        if x < X_INNER[layer]:
            break
    for _ in range(ahead):
        x += X_TAIL
    return x


@inside
def exponential(seed):  # type: ignore[no-untyped-def]
    """`variates.exponential`."""
    layer = types.int64(seed & LAYER)
    x = types.int64(seed >> BY_11) * X_STEP[layer]
    if x < X_INNER[layer]:
        return x
    return _exponential_at_the_edge(seed, layer, x)


@whole
def gamma_of(seed, d, c, quick):  # type: ignore[no-untyped-def]
    """`variates.gamma` of shape d + 1/3 >= 1, with c = (9 d)^(-1/2) and `variates.squeeze`."""
    while True:
        z = normal(seed)
        v = 1.0 + c * z
        coarse = types.int64(seed >> BY_10 & COARSE)
        square = z * z
        if square * square * quick + coarse <= 255.0:
            return v * (v * v) * d
        if v > 0:
            cube = v * v * v
            u = (inner_uniform(further(seed, SALT_4)) + coarse) * (1.0 / 256.0)
            if log(u) < (log(cube) + (1.0 - cube)) * d + 0.5 * square:
                return v * (v * v) * d
        seed = further(seed, SALT_5)


@inside
def on_grid(time_h):  # type: ignore[no-untyped-def]
    """A time >= 0, capped and rounded to the clock grid as the columns of draws are. [h]"""
    # A sum with this has its last bit at one point of the grid: the same as to scale, round and scale back.
    return (min(time_h, LONGEST_H) + ROUND_H) - ROUND_H


@whole
def normal_below(seed, bound):  # type: ignore[no-untyped-def]
    """`variates.normal_below`."""
    x = normal(seed)
    if x <= bound:
        return x
    rate = 0.5 * (math.sqrt(bound * bound + 4.0) - bound)
    while True:
        seed = further(seed, SALT_7)
        if bound >= 0:
            x = normal(seed)
            if x <= bound:
                return x
        else:
            x = exponential(seed) / -rate + bound
            off = x + rate
            if uniform(further(seed, SALT_8)) < exp(-0.5 * (off * off)):
                return x
