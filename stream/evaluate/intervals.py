"""Means, shares and rates with 95 % confidence intervals that stay honest when the sample is small."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from scipy.special import betaincinv, gammaincinv, stdtrit

CONFIDENCE = 0.95
TAIL = (1 - CONFIDENCE) / 2


class Estimate(msgspec.Struct, kw_only=True):
    """A figure over `n` observations; `value` is None when there is none, `low` and `high` when no interval is known.

    `method`: `t` (Student, over seeds), `binomial` (exact, Clopper & Pearson 1934), `poisson` (exact, Garwood 1936),
    `one` (a single observation), `equal` (all observations alike: their spread says nothing) or `none`.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    method: str


def mean(observed: Sequence[float | None], ceiling: float | None = None) -> Estimate:
    """Return the mean of the observations that are not None, with Student's interval, cut at 0 and at `ceiling`.

    Args:
        ceiling: the largest possible value, if there is one; the smallest is 0 then. Where all observations are at the
            same end, the interval is the exact binomial one: a chance p of another value would have shown with
            1 − (1 − p)^n, and the other value lies at most at the other end.
    """
    values = [x for x in observed if x is not None]
    n = len(values)
    if not n:
        return Estimate(value=None, n=0, method="none")
    centre = math.fsum(values) / n
    if ceiling is not None and all(x in (0, ceiling) for x in values) and len(set(values)) == 1:
        at = proportion(n if values[0] else 0, n)
        assert at.low is not None
        assert at.high is not None
        return Estimate(value=centre, low=at.low * ceiling, high=at.high * ceiling, n=n, method="binomial")
    if n == 1:
        return Estimate(value=centre, n=1, method="one")
    if len(set(values)) == 1:
        return Estimate(value=values[0], n=n, method="equal")
    spread = math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (n - 1))
    half = float(stdtrit(n - 1, 1 - TAIL)) * spread / math.sqrt(n)
    high = centre + half if ceiling is None else min(centre + half, ceiling)
    return Estimate(value=centre, low=max(centre - half, min(0.0, *values)), high=high, n=n, method="t")


def proportion(successes: int, trials: int) -> Estimate:
    """Return the share of successes with its exact interval (Clopper & Pearson, Biometrika 26, 1934)."""
    if not trials:
        return Estimate(value=None, n=0, method="none")
    low = float(betaincinv(successes, trials - successes + 1, TAIL)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - TAIL)) if successes < trials else 1.0
    return Estimate(value=successes / trials, low=low, high=high, n=trials, method="binomial")


def rate(count: int, exposure: float) -> Estimate:
    """Return events per unit of exposure with the exact Poisson interval (Garwood, Biometrika 28, 1936).

    Without any event the upper bound is 3.69 / exposure.
    """
    if exposure <= 0:
        return Estimate(value=None, n=count, method="none")
    low = float(gammaincinv(count, TAIL)) if count else 0.0
    high = float(gammaincinv(count + 1, 1 - TAIL))
    return Estimate(value=count / exposure, low=low / exposure, high=high / exposure, n=count, method="poisson")
