"""Published figures of ServeGen's three pools of language clients, on which `tenants` draws.

Source [ServeGen]: arXiv 2505.09999, github.com/alibaba/ServeGen. Figures of `m-large` and `m-mid` are those of the
published windows of one week; of `m-small` only the summary is at hand (Gini 0.84, largest client 0.30 and largest ten
0.93 of the requests, 131 of 253 pairs moving together); where that says nothing, `m-mid`'s stand in.

Simulated rates are a small part of the traces', and few requests in a window hide how uneven their gaps are. So the
upper ends of `cv`, and shares that depend on whether a window is empty (`late`, `brief`), are set such that what is
measured on simulated traffic comes out as published (`tests.benchmarks.detection.honest_world`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.simulate.figures import Quantiles


@dataclass(frozen=True)
class Volumes:
    """How the requests split over clients: the client at upper tail `at` has `value` requests, in any unit.

    Linear in the logarithms of both; beyond the ends the first and last slopes go on, so that the tail is as heavy for
    any number of clients.
    """

    at: tuple[float, ...]
    value: tuple[float, ...]

    def ranked(self, n: int) -> np.ndarray:
        """Return the shares of `n` clients, largest first; they sum to 1."""
        x, y = np.log(self.at), np.log(self.value)
        tail = np.log((np.arange(n) + 0.5) / n)
        inner = np.interp(tail, x, y)
        head = y[0] + (tail - x[0]) * (y[3] - y[0]) / (x[3] - x[0])
        share = np.exp(np.where(tail < x[0], head, inner))
        out: np.ndarray = share / share.sum()
        return out


@dataclass(frozen=True)
class Pool:
    """One pool of clients."""

    name: str
    clients: float
    """Share of all clients."""
    volumes: Volumes
    cv: Quantiles
    """Coefficient of variation of the gaps in a 10-minute window with 20 requests or more."""
    active: Quantiles
    """Share of windows with a request, between a client's first and last."""
    noise: Quantiles
    """Standard deviation of the log of the requests per window, from window to window."""
    flat: float
    """Share of the clients active in more than 80 % of the windows that are as busy by night as by day."""
    together: tuple[float, int]
    """Share of those that move together, and the largest number of one group."""
    late: float
    """Share that appears after the first day."""
    brief: float
    """Share that lives less than a day."""
    day_sigma: float
    uniform: float
    """Share with (p95 - p5) / p50 of input length below 0.25."""
    single: float
    """Share with more than half of the answers at one single output length."""
    input: Quantiles
    ratio: Quantiles
    """Output tokens per input token."""


_LARGE_VOLUMES = Volumes(
    (0.0037, 0.0111, 0.0185, 0.0333, 0.0704, 0.107, 0.144, 0.219, 0.293, 0.367, 0.441, 0.515, 0.589, 0.663, 0.737,
     0.811, 0.885, 1.0),
    (0.1688, 0.0849, 0.0824, 0.0659, 0.0335, 0.0109, 0.0091, 0.00565, 0.00313, 0.00195, 0.00133, 7.9e-4, 4.8e-4, 3.3e-4,
     1.5e-4, 8e-5, 3.1e-5, 1e-7),
)  # fmt: skip
_MID_VOLUMES = Volumes(
    (0.0049, 0.0147, 0.0245, 0.0441, 0.0931, 0.142, 0.191, 0.289, 0.387, 0.485, 0.583, 0.681, 0.779, 0.877, 1.0),
    (0.4637, 0.0621, 0.0547, 0.0284, 0.0223, 0.0105, 0.0077, 0.0038, 0.0026, 0.00124, 6e-4, 2.3e-4, 8.7e-5, 1.2e-5,
     1e-7),
)  # fmt: skip
_SMALL_VOLUMES = Volumes(
    (0.0116, 0.0349, 0.0581, 0.0814, 0.105, 0.15, 0.22, 0.27, 0.34, 0.5, 0.7, 0.9, 1.0),
    (0.30, 0.19, 0.13, 0.09, 0.07, 0.045, 0.018, 0.010, 0.005, 0.00127, 4e-4, 5.6e-5, 1e-6),
)

_DECILES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
POOLS = (
    Pool(
        "m-large",
        0.52,
        _LARGE_VOLUMES,
        Quantiles((0, 0.025, 0.055, 0.25, 0.5, 0.75, 0.95, 0.99, 1), (0.15, 0.28, 0.5, 0.97, 1.15, 2.1, 12, 16, 20)),
        Quantiles(_DECILES, (0.002, 0.029, 0.105, 0.50, 0.95, 1, 1)),
        Quantiles(_DECILES, (0.05, 0.13, 0.2, 0.35, 0.6, 0.8, 0.9)),
        flat=0.25,
        together=(0.09, 3),
        late=0.15,
        brief=0.17,
        day_sigma=0.30,
        uniform=0.20,
        single=0.03,
        input=Quantiles((0, 0.1, 0.5, 0.9, 1), (20, 100, 642, 1922, 30000)),
        ratio=Quantiles((0, 0.1, 0.5, 0.9, 1), (0.002, 0.009, 0.09, 0.56, 4)),
    ),
    Pool(
        "m-mid",
        0.35,
        _MID_VOLUMES,
        Quantiles((0, 0.004, 0.04, 0.25, 0.5, 0.75, 0.95, 0.99, 1), (0.3, 0.5, 0.9, 1.02, 1.27, 2.6, 19, 50, 80)),
        Quantiles(_DECILES, (0.004, 0.033, 0.148, 0.878, 1, 1, 1)),
        Quantiles(_DECILES, (0.1, 0.15, 0.25, 0.35, 0.6, 0.8, 0.9)),
        flat=0.20,
        together=(0.76, 33),
        late=0.05,
        brief=0.06,
        day_sigma=0.30,
        uniform=0.20,
        single=0.03,
        input=Quantiles((0, 0.1, 0.5, 0.9, 1), (30, 154, 430, 2650, 30000)),
        ratio=Quantiles((0, 0.1, 0.5, 0.9, 1), (0.002, 0.009, 0.125, 0.8, 4)),
    ),
    Pool(
        "m-small",
        0.13,
        _SMALL_VOLUMES,
        Quantiles((0, 0.007, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1), (0.3, 0.5, 0.9, 1.06, 1.21, 2.5, 11, 35, 60)),
        Quantiles(_DECILES, (0.004, 0.033, 0.148, 0.878, 1, 1, 1)),
        Quantiles(_DECILES, (0.1, 0.15, 0.25, 0.35, 0.6, 0.8, 0.9)),
        flat=0.41,
        together=(0.9, 16),
        late=0.11,
        brief=0.06,
        day_sigma=0.30,
        uniform=0.34,
        single=0.03,
        input=Quantiles((0, 0.1, 0.5, 0.9, 1), (30, 154, 385, 3364, 60000)),
        ratio=Quantiles((0, 0.1, 0.5, 0.9, 1), (0.002, 0.009, 0.10, 0.7, 4)),
    ),
)
