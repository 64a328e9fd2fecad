"""The exponential and the logarithm, made of +, -, *, / and bits alone.

Libraries differ in the last bit of both, and numpy differs from the C library that compiled code
calls. These two give the same bits in numpy and in compiled loops on every machine with IEEE 754
arithmetic. Both reduce the argument with a table of 128 values and end with a short
polynomial [tang1989] [tang1990]; errors are under 1 unit in the last place for `log` and under 1.1
for `exp` (measured: a test compares with 50 digits).
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.draws.words import PIECE
from corridor_sim.core.units import FloatArray

PARTS = 2048
"""Pieces of an octave in the table of `exp`."""
LOWEST, HIGHEST = -708.0, 709.0
"""`exp` takes an argument beyond these for the nearer one."""

# exp(x) = 2^(k / 2048) exp(r), r = x - k log(2) / 2048 in two parts: k times the first is exact.
TO_PARTS = 2954.639443740597
ROUND = 1.5 * 2.0**52
"""Adding it leaves a whole number in the low bits."""
LOG2_HIGH, LOG2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
"""log 2 in two parts, the first of 32 bits; the sum has 85 correct bits."""
STEP_HIGH, STEP_LOW = LOG2_HIGH / PARTS, LOG2_LOW / PARTS
E2, E3 = 1 / 2, 1 / 6
I41, I2047 = np.int64(41), np.int64(2047)

# log(m 2^k) = k log(2) + log(c) + log(1 + r), r = (m - c) / c, m from about 0.6875 to 1.375, c the middle of m's piece.
MIDDLES = 128
"""Pieces of an octave in the table of `log`."""
OFFSET = np.int64(0x3FE6000000000000 - (1 << 44))
"""Bits of a number just under 0.6875, where an octave begins, so that 1 is well inside a piece."""
L2, L3, L4, L5, L6, L7 = -1 / 2, 1 / 3, -1 / 4, 1 / 5, -1 / 6, 1 / 7
TOP = np.int64(-(1 << 52))
I45, I52, I127 = np.int64(45), np.int64(52), np.int64(127)


@cache
def power_bits() -> NDArray[np.int64]:
    """Bits of 2^(i / 2048), correctly rounded, less i << 41: adding k << 41 makes those of 2^(k / 2048)."""
    one = 1 << 120
    step = 2 * one
    for _ in range(PARTS.bit_length() - 1):
        step = math.isqrt(step * one)
    values, power = [], one
    for _ in range(PARTS):
        # Python rounds the quotient of two whole numbers correctly.
        values.append(power / one)
        power = power * step // one
    return np.array(values).view(np.int64) - (np.arange(PARTS, dtype=np.int64) << I41)


@cache
def centres() -> tuple[FloatArray, FloatArray]:
    """Middles of the pieces and their logarithms; the piece that holds 1 has 1 and 0."""
    begin = (np.arange(MIDDLES, dtype=np.int64) << I45) + OFFSET
    low, high = begin.view(np.float64), (begin + (np.int64(1) << I45)).view(np.float64)
    centre = (low + high) / 2
    centre[(low <= 1) & (high > 1)] = 1.0
    return centre, np.array([_log_of(Fraction(c)) for c in centre.tolist()])


def _log_of(value: Fraction) -> float:
    """log of a fraction near 1, correctly rounded but for ties: 2 artanh((v - 1) / (v + 1))."""
    scale = 1 << 120
    ratio = (value - 1) / (value + 1)
    x = ratio.numerator * scale // ratio.denominator
    square, power, total, k = x * x // scale, x, 0, 1
    while power and k < 400:
        total += power // k
        power, k = power * square // scale, k + 2
    return float(Fraction(2 * total, scale))


def exp(x: FloatArray, *, clip: bool = True) -> FloatArray:
    """e to the power of finite numbers; below -708 and above 709 as there (without `clip` they must not be).

    Examples
    --------
    >>> exp(np.array([0.0, 1.0])).tolist()
    [1.0, 2.718281828459045]
    """
    out = np.empty(x.shape)
    flat, into = x.reshape(-1), out.reshape(-1)
    for at in range(0, flat.size, PIECE):
        piece = flat[at : at + PIECE]
        _exp(np.minimum(np.maximum(piece, LOWEST), HIGHEST) if clip else piece, into[at : at + PIECE])
    return out


def _exp(x: FloatArray, out: FloatArray) -> None:
    shifted = x * TO_PARTS
    shifted += ROUND
    bits = shifted.view(np.int64)
    k = shifted - ROUND
    np.multiply(k, STEP_HIGH, out=out)
    r = np.subtract(x, out, out=out)
    k *= STEP_LOW
    r -= k
    # exp(r) - 1 = r + r^2 (E2 + r E3)
    square = np.multiply(r, r, out=k)
    tail = r * E3
    tail += E2
    tail *= square
    tail += r
    scale = power_bits().take(bits & I2047, mode="clip")
    bits <<= I41
    scale += bits
    power = scale.view(np.float64)
    np.multiply(tail, power, out=out)
    out += power


def log(x: FloatArray) -> FloatArray:
    """Natural logarithm of positive normal numbers.

    Examples
    --------
    >>> log(np.array([1.0, 2.0])).tolist()
    [0.0, 0.6931471805599453]
    """
    out = np.empty(x.shape)
    flat, into = x.reshape(-1), out.reshape(-1)
    for at in range(0, flat.size, PIECE):
        _log(flat[at : at + PIECE], into[at : at + PIECE])
    return out


def _log(x: FloatArray, out: FloatArray) -> None:
    bits = np.ascontiguousarray(x).view(np.int64)
    offset = bits - OFFSET
    piece = offset >> I45
    piece &= I127
    mantissa = (bits - (offset & TOP)).view(np.float64)
    offset >>= I52
    k = offset.astype(np.float64)
    middles, logs = centres()
    centre = middles.take(piece, mode="clip")
    r = mantissa - centre
    r /= centre
    # log(1 + r) = r + r^2 (L2 + r L3 + r^2 (L4 + r L5 + r^2 (L6 + r L7)))
    square = r * r
    np.multiply(r, L7, out=out)
    out += L6
    out *= square
    out += r * L5
    out += L4
    out *= square
    out += r * L3
    out += L2
    out *= square
    # The large parts last; k times the first part of log 2 is exact.
    out += k * LOG2_LOW
    k *= LOG2_HIGH
    head = logs.take(piece, mode="clip")
    head += k
    high = head + r
    # What was lost in head + r (head is 0 or the larger of the two).
    head -= high
    head += r
    out += head
    out += high
