"""Standard variates of words: arrays of 64 random bits in, arrays of values out.

Each value depends on its own word alone, so any may be had without the others. Laws are exact:
normal and exponential by the ziggurat [marsaglia2000], gamma by the method of [marsagliatsang2000].
`scalar.py` has the same, value by value.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.draws.elementary import exp, log
from corridor_sim.core.draws.words import BY_10, BY_11, PIECE, WordArray, further, inner_uniform, uniform
from corridor_sim.core.draws.ziggurat import BASE, EXPONENTIAL, NORMAL, Layers
from corridor_sim.core.units import FloatArray

IntArray = NDArray[np.int64]
LAYER, COARSE = np.uint64(1023), np.uint64(255)
I18 = np.int64(18)

# Numbers of further words: what checks a value, what another attempt starts from, and so on.
CHECK, NEXT, TAIL_FIRST, TAIL_SECOND, TAIL_NEXT = 1, 2, 1, 2, 3
GAMMA_UNIFORM, GAMMA_NEXT, GAMMA_BOOST, BELOW_NEXT, BELOW_CHECK = 4, 5, 6, 7, 8


def normal(word: WordArray) -> FloatArray:
    """Standard normal values: bits 0 to 9 are the layer, 18 to 63 the place in it."""
    out = np.empty(word.shape)
    flat, into = word.reshape(-1), out.reshape(-1)
    left = []
    for at in range(0, flat.size, PIECE):
        some, x = flat[at : at + PIECE], into[at : at + PIECE]
        layer = (some & LAYER).view(np.int64)
        np.multiply(some.view(np.int64) >> I18, NORMAL.step.take(layer, mode="clip"), out=x)
        left.append(np.flatnonzero(np.abs(x) >= NORMAL.inner.take(layer, mode="clip")) + at)
    rest = np.concatenate(left) if left else np.empty(0, dtype=np.int64)
    if len(rest):
        into[rest] = _normal_at_the_edge(flat[rest], into[rest])
    return out


def _normal_at_the_edge(word: WordArray, x: FloatArray) -> FloatArray:
    """What becomes of the points `x` that are not surely under the density."""
    layer = (word & LAYER).view(np.int64)
    done = _under(NORMAL, layer, word, -0.5 * x * x)
    tail = np.flatnonzero(layer == BASE)
    if len(tail):
        beyond = _normal_tail(further(word[tail], CHECK))
        x[tail] = np.where(x[tail] < 0, -beyond, beyond)
        done[tail] = True
    again = np.flatnonzero(~done)
    if len(again):
        x[again] = normal(further(word[again], NEXT))
    return x


def _normal_tail(word: WordArray) -> FloatArray:
    """Normal values beyond the base layer [marsaglia1964]."""
    logs = log(inner_uniform(np.concatenate([further(word, TAIL_FIRST), further(word, TAIL_SECOND)])))
    x, y = logs[: len(word)] / -NORMAL.tail, -logs[len(word) :]
    again = np.flatnonzero(y + y <= x * x)
    x += NORMAL.tail
    if len(again):
        x[again] = _normal_tail(further(word[again], TAIL_NEXT))
    return x


def _under(layers: Layers, layer: IntArray, word: WordArray, log_density: FloatArray) -> NDArray[np.bool_]:
    """Whether a point at a random height between the edges of its layer lies under the density."""
    low = layers.low[layer]
    height = uniform(further(word, CHECK))
    height *= layers.high[layer] - low
    height += low
    return np.asarray(height < exp(log_density))


def exponential(word: WordArray) -> FloatArray:
    """Exponential values of mean 1: bits 0 to 9 are the layer, 11 to 63 the place in it."""
    out = np.empty(word.shape)
    flat, into = word.reshape(-1), out.reshape(-1)
    left = []
    for at in range(0, flat.size, PIECE):
        some, x = flat[at : at + PIECE], into[at : at + PIECE]
        layer = (some & LAYER).view(np.int64)
        np.multiply((some >> BY_11).view(np.int64), EXPONENTIAL.step.take(layer, mode="clip"), out=x)
        left.append(np.flatnonzero(x >= EXPONENTIAL.inner.take(layer, mode="clip")) + at)
    rest = np.concatenate(left) if left else np.empty(0, dtype=np.int64)
    if len(rest):
        into[rest] = _exponential_at_the_edge(flat[rest], into[rest])
    return out


def _exponential_at_the_edge(word: WordArray, x: FloatArray) -> FloatArray:
    """What becomes of the points `x` that are not surely under the density; the tail is the law itself, further on."""
    layer = (word & LAYER).view(np.int64)
    tail = layer == BASE
    again = np.flatnonzero(tail | ~_under(EXPONENTIAL, layer, word, -x))
    if len(again):
        x[again] = exponential(further(word[again], NEXT))
        x[tail] += EXPONENTIAL.tail
    return x


def gamma(word: WordArray, shape: float) -> FloatArray:
    """Gamma values of scale 1; a shape below 1 is that of shape + 1 times a power of a uniform."""
    if shape < 1:
        boost = exponential(further(word, GAMMA_BOOST))
        boost /= -shape
        return np.asarray(gamma(word, shape + 1.0) * exp(boost))
    return _gamma(word, shape - 1.0 / 3.0)


def _gamma(word: WordArray, d: float) -> FloatArray:
    """Gamma values of shape d + 1/3: d times the cube of 1 + c z, for the normal z of the word."""
    c, quick = 1.0 / float(np.sqrt(9.0 * d)), squeeze(d)
    z = normal(word)
    out = np.empty(word.shape)
    flat, normals, into = word.reshape(-1), z.reshape(-1), out.reshape(-1)
    left = []
    for at in range(0, flat.size, PIECE):
        x, v = normals[at : at + PIECE], into[at : at + PIECE]
        np.multiply(x, c, out=v)
        v += 1.0
        square = v * v
        v *= square
        # Bits 10 to 17 are the first of the uniform that decides; mostly they suffice.
        np.multiply(x, x, out=square)
        square *= square
        square *= quick
        square += (flat[at : at + PIECE] >> BY_10 & COARSE).view(np.int64)
        v *= d
        left.append(np.flatnonzero(square > 255.0) + at)
    rest = np.concatenate(left) if left else np.empty(0, dtype=np.int64)
    if len(rest):
        into[rest] = _gamma_at_the_edge(flat[rest], normals[rest], into[rest], d, c)
    return out


@functools.lru_cache(maxsize=4096)
def squeeze(d: float) -> float:
    """256 k for a k such that 1 - k z^4 never exceeds the chance with which a gamma value of normal z is kept.

    [marsagliatsang2000] has k = 0.0331 for all shapes; the least k for one shape falls as 1 / (108 d). With
    z = -t / c, t in (0, 1), the logarithm of the chance is 3 d (t + t^2/2 + t^3/3 + log(1 - t)), and positive z are
    kept more often. It is the largest quotient on a fine grid, and 3 % more. Whether a value is decided here or by
    logarithms does not change it.
    """
    t = (np.arange(4096) + 0.5) / 4096
    power = t**4 / 4
    for n in range(5, 40):
        power += t**n / n
    least = np.where(t < 0.5, power, -np.log1p(-t) - t - t**2 / 2 - t**3 / 3)
    return float(256.0 * 1.03 * (-np.expm1(-3.0 * d * least) / (81.0 * d**2 * t**4)).max())


def _gamma_at_the_edge(word: WordArray, z: FloatArray, value: FloatArray, d: float, c: float) -> FloatArray:
    """What becomes of values for which the first bits of the uniform do not decide."""
    v = 1.0 + c * z
    some = v > 0
    v[~some] = 1.0
    cube = v * v
    cube *= v
    u = inner_uniform(further(word, GAMMA_UNIFORM))
    u += (word >> BY_10 & COARSE).view(np.int64)
    u *= 1.0 / 256.0
    # log u < z^2 / 2 + d (1 - v^3 + log v^3)
    right = log(cube)
    right += 1.0 - cube
    right *= d
    right += 0.5 * (z * z)
    again = np.flatnonzero(~(some & (log(u) < right)))
    if len(again):
        value[again] = _gamma(further(word[again], GAMMA_NEXT), d)
    return value


def normal_below(word: WordArray, bound: float) -> FloatArray:
    """Standard normal values given that they are at most `bound`: the normal of the word itself, if it is.

    Others are drawn again: below a positive bound as they are, below a negative one from an
    exponential beyond it, kept with the right probability [robert1995].
    """
    out = normal(word)
    flat = out.reshape(-1)
    active = np.flatnonzero(flat > bound)
    now = word.reshape(-1)[active]
    rate = 0.5 * (float(np.sqrt(bound * bound + 4.0)) - bound)
    while len(active):
        now = further(now, BELOW_NEXT)
        if bound >= 0:
            x = normal(now)
            done = x <= bound
        else:
            x = exponential(now)
            x /= -rate
            x += bound
            off = x + rate
            done = uniform(further(now, BELOW_CHECK)) < exp(-0.5 * (off * off))
        flat[active[done]] = x[done]
        active, now = active[~done], now[~done]
    return out
