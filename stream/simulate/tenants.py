"""API tenants after ServeGen: heavy tail, bursts, near-periodic windows, uniform lengths, synchronised key groups."""

from __future__ import annotations

import numpy as np

from stream.simulate import figures as f
from stream.simulate.arrivals import WINDOW_MS, renewal_times
from stream.simulate.events import EVENT
from stream.simulate.identities import NEVER, TENANT, Group, enrol, veterans
from stream.simulate.networks import Networks, grouped, shared
from stream.simulate.people import fail
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


class Tenants:
    """`n` API accounts, each with a rate envelope over 10-minute windows and its own burstiness.

    Args:
        requests: expected requests of all tenants over the run.
    """

    def __init__(self, world: World, networks: Networks, n: int, requests: float) -> None:
        rng = self._rng = world.rng("tenant")
        self._world, self._n = world, n
        self.sync = np.where(rng.random(n) < f.TENANT_SYNC_SHARE, grouped(rng, n, 4, 12), -1)
        self.group = self._enrol(networks)
        self.cv = f.TENANT_CV.draw(rng, n)
        self.flat = rng.random(n) < f.TENANT_FLAT_SHARE
        self.sporadic = ~self.flat & (rng.random(n) < f.TENANT_SPORADIC_SHARE)
        self._zone = rng.choice([-8, -5, 0, 1, 8, 9], n)
        self._jobs = rng.random((n, 2)) * 24
        volume = np.exp(np.clip(f.TENANT_SIGMA * rng.standard_normal(n), -7, 4.9))
        hourly = np.minimum(volume / volume.sum(), 0.16) * requests / (world.days * 24)
        self._rate = hourly / np.maximum(self._lifetime(), 0.02)
        self._rate = np.minimum(self._rate, 8 * hourly + 1e-9)
        self._owed = rng.random(n)
        self._prompts, self._first, self._count = self._templates()
        self._errors = rng.choice([0.0, 0.002, 0.01, 0.04], n, p=[0.4, 0.35, 0.2, 0.05])

    def draw(self, start: int, end: int) -> np.ndarray:
        """See `world.Population`."""
        windows = np.arange(start, end, WINDOW_MS)
        expected = self._envelope(windows)
        times = [self._arrivals(i, windows, expected[i]) for i in np.flatnonzero(expected.any(axis=1)).tolist()]
        who = np.repeat(np.flatnonzero(expected.any(axis=1)), [len(t) for t in times])
        if not len(who):
            return np.empty(0, EVENT)
        rng, rows = self._rng, self.group.rows(who, np.concatenate(times))
        self._prompts.fill(rows, self._first[who] + rng.integers(0, self._count[who]), rng)
        return fail(rng, rows, self._errors[who])

    def _arrivals(self, i: int, windows: np.ndarray, expected: np.ndarray) -> np.ndarray:
        times, self._owed[i] = renewal_times(self._rng, windows, expected, float(self.cv[i]), float(self._owed[i]))
        return times

    def _envelope(self, windows: np.ndarray) -> np.ndarray:
        """Return (n, w) expected requests per window."""
        rng, w = self._rng, len(windows)
        hours = windows / f.HOUR_MS
        local = (hours[None, :] + self._zone[:, None]) % 24
        shape = np.where(self.flat[:, None], 1.0, f.BUSINESS_HOURS[local.astype(int)])
        since = (local[:, :, None] - self._jobs[:, None, :]) % 24  # hours since each tenant's two daily jobs
        burst = np.where((since[:, :, 0] < 0.9) | (since[:, :, 1] < 0.5), 16.0, 0.0)
        shape = np.where(self.sporadic[:, None], burst, shape)
        noise = rng.standard_normal((self._n, w)) * 0.14
        common = rng.standard_normal((self._n + 1, w)) * 0.8
        noise = np.where((self.sync >= 0)[:, None], common[self.sync] + noise * 0.5, noise)
        day = np.exp(f.TENANT_DAY_SIGMA * rng.standard_normal((self._n, 1)) * (~self.flat[:, None] + 0.2))
        alive = (windows >= self.group.born[:, None]) & (windows < self.group.died[:, None])
        out: np.ndarray = self._rate[:, None] / 6 * shape * np.exp(noise - noise.var() / 2) * day * alive
        return out

    def _lifetime(self) -> np.ndarray:
        span = self._world.end - self._world.start
        born, died = np.maximum(self.group.born, self._world.start), np.minimum(self.group.died, self._world.end)
        share: np.ndarray = (died - born) / span
        return share

    def _enrol(self, networks: Networks) -> Group:
        world, rng, n = self._world, self._rng, self._n
        late = rng.random(n) < f.TENANT_LATE_SHARE
        span = world.end - world.start
        born = np.where(late, world.start + (rng.random(n) * 0.9 * span).astype(np.int64), 0)
        brief = late & (rng.random(n) < f.TENANT_SHORT_LIVED_SHARE / f.TENANT_LATE_SHARE)
        died = np.where(brief, born + (rng.uniform(2, 24, n) * f.HOUR_MS).astype(np.int64), NEVER)
        created = np.where(
            late & (rng.random(n) < 0.5),
            born - (rng.random(n) * 3 * f.DAY_MS).astype(np.int64),
            veterans(world, rng, n),
        )
        owner = np.where(self.sync >= 0, n + self.sync, np.arange(n))
        cards = np.where(self.sync >= 0, 10 * n + self.sync, shared(rng, n, f.HONEST_CARD_FANOUT))
        exits = networks.private("hosting", n)
        _, first = np.unique(owner, return_index=True)
        exits = exits[first[np.searchsorted(np.sort(np.unique(owner)), owner)]]
        return enrol(
            world,
            rng,
            n,
            "tenant",
            TENANT,
            exits=exits,
            created=created,
            born=born,
            died=died,
            cards=cards,
            devices=owner,
            organizations=owner,
        )

    def _templates(self) -> tuple[PromptSet, np.ndarray, np.ndarray]:
        rng, n = self._rng, self._n
        count = rng.integers(1, 5, n)
        first = np.cumsum(count) - count
        total = int(count.sum())
        owner = np.repeat(np.arange(n), count)
        tin = f.TENANT_INPUT.draw(rng, n)
        tout = np.clip(tin * f.TENANT_OUTPUT_RATIO.draw(rng, n), 2, 6000)
        uniform = rng.random(n) < f.TENANT_UNIFORM_SHARE
        caps = list(_CAPABILITIES)
        weights = np.array(list(_CAPABILITIES.values()))
        draws = rng.choice(len(caps), total, p=weights / weights.sum())
        free = rng.random(n) < 0.25
        finite = rng.random(n) < 0.3
        kinds = [
            Kind(
                caps[c],
                tools=int(rng.integers(1, 12)) if "tool_use" in caps[c] else 0,
                input=(float(tin[o]), 0.05 if uniform[o] else float(rng.uniform(0.3, 1.1))),
                output=(float(tout[o]), 0.02 if uniform[o] else 0.6),
                reasoning=0.7 if "reasoning" in caps[c] else 0.0,
                image=900 if "vision" in caps[c] else -1,
                items=int(rng.integers(50, 5000)) if finite[o] else 0,
                flips=int(rng.integers(2, 6)),
                free=bool(free[o]),
                max_tokens=int(rng.choice([0, 1024, 4096, 8192])),
            )
            for o, c in zip(owner.tolist(), draws.tolist(), strict=True)
        ]
        keys = np.where(rng.random(total) < 0.25, public_templates(self._world, rng, total), self._world.numbers(total))
        return promptset(self._world, kinds, keys), first, count
