"""API tenants after ServeGen: heavy tail, bursts, near-periodic windows, uniform lengths, synchronised key groups."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from stream.simulate import figures as f
from stream.simulate.arrivals import WINDOW_MS, scattered, window_counts
from stream.simulate.events import EVENT
from stream.simulate.figures import spread
from stream.simulate.identities import NEVER, TENANT, Group, enrol, veterans
from stream.simulate.networks import Networks, shared
from stream.simulate.people import fail
from stream.simulate.pools import POOLS, Pool
from stream.simulate.prompts import Kind, PromptSet, promptset, public_templates
from stream.simulate.world import World

_CAPABILITIES = {
    ("other",): 30,
    ("tool_use",): 14,
    ("coding",): 12,
    ("data_analysis",): 12,
    ("reasoning",): 9,
    ("tool_use", "agentic"): 8,
    ("vision",): 6,
    ("rubric_grading",): 4,
    ("coding", "tool_use"): 5,
}
_CLIENT_SHARE = 0.67  # [ServeGen] of the variance of a window's log CV lies between clients
_NEXT_WINDOW = 0.5  # [ServeGen] correlation of the rest from one window to the next
_RUN_WINDOWS = 4.0  # [ServeGen] windows of one run of a client that works in runs, about
_COMMON_SIGMA, _OWN_SIGMA = 0.47, 0.15  # [ServeGen] log requests per window of a synchronised group and of its members
_SWAYED_SHARE, _SWAY = 0.2, 0.6  # [ServeGen] pairwise correlation q99 0.18: some have a part of their noise in common
_GOLDEN = (5**0.5 - 1) / 2
_GRID = np.linspace(0, 1, 2003)[1:-1]
_SCORES = np.array([NormalDist().inv_cdf(p) for p in _GRID.tolist()])
_VOLUME_ACTIVE = 0.8  # [ServeGen] rank correlation of a client's requests and its share of active windows


def tenants(world: World, networks: Networks, n: int, requests: float) -> list[Tenants]:
    """Return about `n` tenants in pools like ServeGen's three, with `requests` over the run, each pool a third."""
    return [Tenants(world, networks, pool, max(round(n * pool.clients), 4), requests / len(POOLS)) for pool in POOLS]


class Tenants:
    """`n` API accounts of one pool, each with a rate envelope over 10-minute windows and its own burstiness.

    Args:
        requests: expected requests of all of them over the run.
    """

    def __init__(self, world: World, networks: Networks, pool: Pool, n: int, requests: float) -> None:
        rng = self._rng = world.rng("tenant/" + pool.name)
        self._world, self._pool, self._n = world, pool, n
        volume = pool.volumes.ranked(n) * np.exp(0.06 * rng.standard_normal(n))
        self.active = self._activity(volume)
        steady = np.flatnonzero(self.active > 0.8)
        self.flat = np.zeros(n, bool)
        self.flat[steady] = spread(rng, len(steady)) < pool.flat
        self.sync = self._groups(steady)
        self._level = _normal((np.arange(n) * _GOLDEN + rng.random()) % 1)  # even among the busiest, too
        self.active[self.sync >= 0] = 1.0
        self._noise = np.where(self.sync >= 0, _OWN_SIGMA, pool.noise.draw(rng, n))
        self._swayed = (self.sync < 0) & (rng.random(n) < _SWAYED_SHARE)
        self._zone = rng.choice([-8, -5, 0, 1, 8, 9], n)
        self.group = self._enrol(networks, volume)
        self._requests = volume / volume.sum() * requests
        self._rate = self._requests / (world.days * 144) / np.maximum(self._lifetime() * self.active, 1e-3)
        self._on = rng.random(n) < self.active
        self._recent = rng.standard_normal(n)
        self._day, self._today = -1, np.ones(n)
        self._prompts, self._first, self._count = self._templates()
        self._errors = rng.choice([0.0, 0.002, 0.01, 0.04], n, p=[0.4, 0.35, 0.2, 0.05])

    def draw(self, start: int, end: int) -> np.ndarray:
        """See `world.Population`."""
        who, times = self.arrivals(start, end)
        if not len(who):
            return np.empty(0, EVENT)
        rng, rows = self._rng, self.group.rows(who, times)
        self._prompts.fill(rows, self._first[who] + rng.integers(0, self._count[who]), rng)
        return fail(rng, rows, self._errors[who])

    def arrivals(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the members and times in ms of all requests in [start, end), both (m,)."""
        windows = np.arange(start, end, WINDOW_MS)
        on, cv = self._state(len(windows))
        expected = self._envelope(windows) * on
        # Bursts are no larger than an eighth of what a client sends at all: its total stays what it is.
        # A synchronised group's bursts come from what moves it.
        most = np.where(self.sync >= 0, 1.0, np.sqrt(1 + self._requests / 8))
        counts = window_counts(self._rng, expected, np.minimum(cv, most[:, None]))
        who, at = np.nonzero(counts)
        times = scattered(self._rng, windows[at], counts[who, at], cv[who, at])
        return np.repeat(who, counts[who, at]), times

    def _state(self, w: int) -> tuple[np.ndarray, np.ndarray]:
        """Return whether each client works in each of the next `w` windows, and its gaps' variation, both (n, w)."""
        rng, n = self._rng, self._n
        off = np.minimum(1 / np.maximum(_RUN_WINDOWS, self.active / np.maximum(1 - self.active, 1e-9)), 1)
        begin = np.minimum(off * self.active / np.maximum(1 - self.active, 1e-9), 1)
        on, recent = np.empty((n, w), bool), np.empty((n, w))
        for k in range(w):
            self._on = np.where(self._on, rng.random(n) >= off, rng.random(n) < begin) | (self.active > 0.995)
            fresh = rng.standard_normal(n)
            self._recent = _NEXT_WINDOW * self._recent + np.sqrt(1 - _NEXT_WINDOW**2) * fresh
            on[:, k], recent[:, k] = self._on, self._recent
        score = np.sqrt(_CLIENT_SHARE) * self._level[:, None] + np.sqrt(1 - _CLIENT_SHARE) * recent
        return on, self._pool.cv.at_level(_level(score))

    def _envelope(self, windows: np.ndarray) -> np.ndarray:
        """Return (n, w) expected requests per window in which a client works."""
        rng, w, pool = self._rng, len(windows), self._pool
        local = (windows // f.HOUR_MS + self._zone[:, None]) % 24
        shape = np.where(self.flat[:, None], 1.0, f.BUSINESS_HOURS[local])
        noise = rng.standard_normal((self._n, w))
        common = rng.standard_normal((self._n + 1, w))
        part = np.where(self._swayed, _SWAY, 0.0)[:, None]
        noise = (np.sqrt(1 - part) * noise + np.sqrt(part) * common[-1]) * self._noise[:, None]
        noise += np.where((self.sync >= 0)[:, None], common[self.sync] * _COMMON_SIGMA, 0.0)
        variance = (self._noise**2 + np.where(self.sync >= 0, _COMMON_SIGMA**2, 0.0))[:, None]
        alive = (windows >= self.group.born[:, None]) & (windows < self.group.died[:, None])
        if windows[0] // f.DAY_MS != self._day:
            self._day = windows[0] // f.DAY_MS
            self._today = np.exp(pool.day_sigma * rng.standard_normal(self._n) - pool.day_sigma**2 / 2)
        out: np.ndarray = self._rate[:, None] * shape * np.exp(noise - variance / 2) * self._today[:, None] * alive
        return out

    def _activity(self, volume: np.ndarray) -> np.ndarray:
        """Return the share of windows in which each client works: more of them the more it sends."""
        rng, n = self._rng, self._n
        order = np.linspace(1, -1, n) * 1.73
        score = _VOLUME_ACTIVE * order + np.sqrt(1 - _VOLUME_ACTIVE**2) * rng.standard_normal(n)
        level = (np.argsort(np.argsort(score)) + rng.random(n)) / n
        return np.clip(self._pool.active.at_level(level), np.minimum(12 * volume / volume.sum(), 1.0), 1.0)

    def _groups(self, steady: np.ndarray) -> np.ndarray:
        """Return the number of the group with which each client moves, -1 for most."""
        share, most = self._pool.together
        out = np.full(self._n, -1)
        members = self._rng.permutation(steady[1:])[: round(share * len(steady))]
        if len(members) >= 3:
            out[members] = np.arange(len(members)) // most
        return out

    def _lifetime(self) -> np.ndarray:
        span = self._world.end - self._world.start
        born, died = np.maximum(self.group.born, self._world.start), np.minimum(self.group.died, self._world.end)
        share: np.ndarray = (died - born) / span
        return share

    def _enrol(self, networks: Networks, volume: np.ndarray) -> Group:
        """Enrol the accounts; half of the synchronised groups are one owner's keys, half use one shared gateway."""
        world, rng, n, pool = self._world, self._rng, self._n, self._pool
        span = world.end - world.start
        free = (np.arange(n) >= 3) & (self.sync < 0)  # the largest, and the synchronised, are there throughout
        late = free & (spread(rng, n) * free.mean() < pool.late)
        brief = free & (rng.random(n) * free.mean() < np.where(late, 2.4, 0.5) * pool.brief)
        first = np.where(late, min(f.DAY_MS, span // 3), 0)
        born = world.start + (first + rng.random(n) * (0.95 * span - first)).astype(np.int64)
        born = np.where(late | brief, born, 0)
        died = np.where(brief, born + (rng.uniform(1, 22, n) * f.HOUR_MS).astype(np.int64), NEVER)
        created = np.where(
            (born > 0) & (rng.random(n) < 0.5),
            born - (rng.random(n) * 3 * f.DAY_MS).astype(np.int64),
            veterans(world, rng, n),
        )
        owned = (self.sync >= 0) & (self.sync % 2 == (0 if pool.together[1] < 20 else 1))
        owner = np.where(owned, n + self.sync, np.arange(n))
        cards = np.where(owned, 10 * n + self.sync, shared(rng, n, f.HONEST_CARD_FANOUT))
        gateway = np.where(self.sync >= 0, n + self.sync, np.arange(n))
        exits = networks.private("hosting", 2 * n)[gateway]
        return enrol(
            world, rng, n, "tenant", TENANT,
            exits=exits, created=created, born=born, died=died, cards=cards, devices=owner, organizations=owner,
        )  # fmt: skip

    def _templates(self) -> tuple[PromptSet, np.ndarray, np.ndarray]:
        rng, n, pool = self._rng, self._n, self._pool
        count = rng.integers(1, 5, n)
        first = np.cumsum(count) - count
        total = int(count.sum())
        owner = np.repeat(np.arange(n), count)
        tin = pool.input.at_level(spread(rng, n))
        tout = np.clip(tin * pool.ratio.at_level(spread(rng, n)), 1, 6000)
        uniform, single = spread(rng, n) < pool.uniform, spread(rng, n) < pool.single
        caps = list(_CAPABILITIES)
        weights = np.array(list(_CAPABILITIES.values()))
        draws = rng.choice(len(caps), total, p=weights / weights.sum())
        free, finite = rng.random(n) < 0.25, rng.random(n) < 0.3
        limits = rng.choice([0, 1024, 4096, 8192], n)
        limits = np.where(single & (tout > 30), np.maximum(tout * 0.75, 1).astype(np.int64), limits)
        kinds = [
            Kind(
                caps[c],
                tools=int(rng.integers(1, 12)) if "tool_use" in caps[c] else 0,
                input=(float(tin[o]), 0.05 if uniform[o] else float(rng.uniform(0.3, 1.1))),
                output=(float(tout[o]), 0.02 if single[o] and tout[o] <= 30 else 0.6),
                reasoning=0.7 if "reasoning" in caps[c] else 0.0,
                image=900 if "vision" in caps[c] else -1,
                items=int(rng.integers(50, 5000)) if finite[o] else 0,
                flips=int(rng.integers(2, 6)),
                free=bool(free[o]),
                max_tokens=int(limits[o]),
            )
            for o, c in zip(owner.tolist(), draws.tolist(), strict=True)
        ]
        keys = np.where(rng.random(total) < 0.25, public_templates(self._world, rng, total), self._world.numbers(total))
        return promptset(self._world, kinds, keys), first, count


def _normal(level: np.ndarray) -> np.ndarray:
    """Return the standard normal quantiles at `level`."""
    return np.interp(level, _GRID, _SCORES)


def _level(score: np.ndarray) -> np.ndarray:
    """Return the levels of standard normal `score`."""
    return np.interp(score, _SCORES, _GRID)
