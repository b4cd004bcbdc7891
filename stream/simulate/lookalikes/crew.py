"""What the look-alikes are made of: an honest group to be, its sorts of customer, and when it works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.arrivals import Schedule
from stream.simulate.figures import AGENT_GAP_S, BUSINESS_HOURS, HOUR_MS, Quantiles
from stream.simulate.fleet import Fleet, Phase, Tempo, one_each, uneven
from stream.simulate.identities import TENANT, Profile, enrol, through, veterans
from stream.simulate.prompts import Kind, promptset
from stream.simulate.world import World

COMPANY = through(TENANT, paths={"first_party": 1.0}, one_agent=True)
CONTRACT = through(COMPANY, plans={"enterprise": 1.0}, pathways={"enterprise": 1.0}, verifications={"contract": 1.0})
PUPIL = Profile(
    {"free": 0.95, "pro": 0.05}, {"education": 0.9, "self_serve": 0.1}, {"email": 0.8, "phone": 0.2}, paid=0.05
)
STARTER = through(TENANT, plans={"api": 1.0}, verifications={"email": 0.7, "phone": 0.3}, pathways={"self_serve": 1.0})
COT = ("chain_of_thought",)


@dataclass
class Crew:
    """One honest group to be: `per_day` requests of each account while the load is 1, `load` over time.

    With `one_owner` all accounts share organisation, device and card; `cards` and `devices` (size,) give other group
    numbers.
    """

    kind: str
    size: int
    profile: Profile
    prompts: Sequence[Kind]
    per_day: float
    load: Schedule
    exits: np.ndarray
    created: np.ndarray | None = None
    one_owner: bool = True
    turns: float = 1.0
    gap: Quantiles = AGENT_GAP_S
    sigma: float = 0.3
    keys: np.ndarray | None = None
    pulse_s: float = 0.0
    errors: float = 0.004
    failover: bool = False
    adopts: np.ndarray | None = None
    languages: dict[str, float] | None = None
    cards: np.ndarray | None = None
    devices: np.ndarray | None = None

    def fleet(self, world: World, rng: np.random.Generator, number: int) -> Fleet:
        """Enrol the accounts and return their traffic."""
        n = self.size
        created = veterans(world, rng, n) if self.created is None else self.created
        owner = np.zeros(n, np.int64) if self.one_owner else None
        group = enrol(
            world,
            rng,
            n,
            self.kind,
            self.profile,
            exits=self.exits,
            created=created,
            cards=owner if self.cards is None else self.cards,
            devices=owner if self.devices is None else self.devices,
            organizations=owner,
            adopts=self.adopts,
            languages=self.languages,
        )
        load = s.product(self.load, level=self.per_day * n / 24)
        tempo = Tempo(load, uneven(rng, n, self.sigma), self.turns, self.gap, self.pulse_s, self.errors, self.failover)
        prompts = promptset(world, self.prompts, self.keys)
        return Fleet(world, f"{self.kind}/{number}", group, one_each(group), [Phase(0, prompts)], tempo)


def sized(world: World, rng: np.random.Generator, low: int, high: int) -> int:
    """Return a number of accounts: `low` to `high` at the demonstration's scale, more of them at larger scales."""
    size = rng.integers(low, high + 1) * world.strength * float(np.clip(world.growth(0.25), 0.6, 4))
    return max(round(size), 3)


def moment(world: World, rng: np.random.Generator, low: float = 0.05, high: float = 0.7) -> int:
    """Return some moment of the run, in ms, on the hour."""
    return world.start + int(rng.uniform(low, high) * world.days * 24) * HOUR_MS


def office(rng: np.random.Generator, weekend: float = 0.15) -> s.Schedule:
    """Return the load of a working day somewhere."""
    return s.daily(BUSINESS_HOURS, int(rng.choice([-8, -5, 0, 1, 8, 9])), weekend)


def partly_new(world: World, rng: np.random.Generator, n: int, share: float, since: int, spread_ms: int) -> np.ndarray:
    """Return sign-up times: `share` of them from `since` on, within `spread_ms`, the others long before the run."""
    return np.where(rng.random(n) < share, since + rng.integers(0, max(spread_ms, 1), n), veterans(world, rng, n))


def weighted(kinds: Sequence[Kind], factor: float) -> list[Kind]:
    """Return `kinds` with their weights multiplied."""
    return [replace(kind, weight=kind.weight * factor) for kind in kinds]
