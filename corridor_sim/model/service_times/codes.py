"""Numbers that stand for the kinds of laws in compiled loops."""

DETERMINISTIC, EXPONENTIAL, GAMMA, SMALL_GAMMA, LOGNORMAL, CUT_LOGNORMAL = range(6)
TRIANGULAR, UNIFORM, WEIBULL, EMPIRICAL, HYPEREXPONENTIAL, MIXTURE = range(6, 12)
PLAIN = 9
"""Kinds below this need their five numbers only, no table."""
