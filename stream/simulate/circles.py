"""Who shares what with whom, honestly: companies, campuses, families, and people with several accounts. All assumed.

Card hubs are in `figures.HONEST_CARD_FANOUT`, carriers' and VPN exits in `networks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.simulate.figures import HONEST_CARD_FANOUT, Quantiles
from stream.simulate.networks import Networks, grouped, shared

COMPANY_SIZE = Quantiles((0, 0.2, 0.5, 0.8, 1), (2, 5, 18, 70, 400))
CAMPUS_SIZE = Quantiles((0, 0.5, 1), (15, 60, 400))


@dataclass(frozen=True)
class Mix:
    """Shares of the people that belong to a company, sit on a campus, share a home, or hold several accounts."""

    company: float
    campus: float
    family: float
    several: float


PEOPLE = Mix(0.12, 0.06, 0.16, 0.10)
BUILDERS = Mix(0.35, 0.06, 0.04, 0.20)


@dataclass
class Circles:
    """What `n` people share: group numbers (n,), equal where shared, and exits (n, 3)."""

    organizations: np.ndarray
    devices: np.ndarray
    cards: np.ndarray
    exits: np.ndarray


def circles(networks: Networks, rng: np.random.Generator, exits: np.ndarray, mix: Mix) -> Circles:
    """Return what people with `exits` of their own (n, 3) share when they belong together as in `mix`."""
    n = len(exits)
    out = Circles(np.arange(n), np.arange(n), shared(rng, n, HONEST_CARD_FANOUT), exits.copy())
    sort = rng.choice(5, n, p=[*mix_weights(mix)])
    for k, size in ((1, COMPANY_SIZE), (2, CAMPUS_SIZE)):
        mine = np.flatnonzero(sort == k)
        group = shared(rng, len(mine), size)
        door = networks.private("office" if k == 1 else "campus", int(group.max(initial=0)) + 1)
        out.exits[mine, 0] = door[group]
        if k == 1:
            out.organizations[mine] = n + group
            pays = rng.random(len(mine)) < 0.8
            out.cards[mine[pays]] = 10 * n + group[pays]
    for k, most in ((3, 5), (4, 6)):
        mine = np.flatnonzero(sort == k)
        group = grouped(rng, len(mine), 2, most)
        out.exits[mine, 0] = networks.private("home", int(group.max(initial=0)) + 1)[group]
        together = rng.random(len(mine)) < (0.5 if k == 3 else 0.8)
        out.devices[mine[together]] = k * n + group[together]
        pays = rng.random(len(mine)) < (0.4 if k == 3 else 0.7)
        out.cards[mine[pays]] = (10 + k) * n + group[pays]
        if k == 4:
            one = np.isin(group, np.flatnonzero(rng.random(int(group.max(initial=0)) + 1) < 0.5))
            out.organizations[mine[one]] = 4 * n + group[one]
    return out


def mix_weights(mix: Mix) -> tuple[float, ...]:
    """Return the chances of nothing in common, then of each circle."""
    some = (mix.company, mix.campus, mix.family, mix.several)
    return (1 - sum(some), *some)
