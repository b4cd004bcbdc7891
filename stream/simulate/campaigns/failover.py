"""A whole pool of accounts is banned at once; a second one that shares nothing with it goes on within minutes.

After Alibaba, GTG-16005 (`figures.REPORTED`): one fixed prompt injected into every request, a first pool of about 5,000
accounts with virtual cards and residential proxies. The second pool has its own cards, devices and addresses, and the
same templates and work lists.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.campaigns.operation import (
    balanced,
    by_account,
    crew_exits,
    head_count,
    recruit,
    rhythm,
    volume,
    window,
    work_list,
)
from stream.simulate.campaigns.work import TAGGED
from stream.simulate.figures import FRAUD_CARD_FANOUT, HOUR_MS, REPORTED
from stream.simulate.fleet import Fleet, Phase, Slots, Tempo
from stream.simulate.identities import NEVER, Profile
from stream.simulate.networks import Networks, grouped, shared
from stream.simulate.prompts import CHAT, promptset
from stream.simulate.world import World

MINUTE_MS = 60_000
PROFILE = Profile(
    {"api": 0.6, "pro": 0.3, "max": 0.1},
    {"self_serve": 0.85, "education": 0.1, "startup": 0.05},
    {"email": 0.75, "phone": 0.25},
    agents="client",
    keyed=True,
)


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `failover`; its accounts' kinds are `pool-1` and `pool-2`."""
    rng, reported = world.rng("campaign/failover"), REPORTED["failover"]
    start, end = window(world, rng, (0.04, 0.12), (0.78, 0.86))
    ban = start + int(rng.uniform(0.45, 0.65) * (end - start))
    slots = pools(rng, head_count(world, reported), start, ban)
    first = len(slots.account)
    born = by_account(slots, slots.start, int(slots.account.max()) + 1)
    second = len(born) - first
    group = recruit(
        world,
        networks,
        rng,
        "failover",
        PROFILE,
        slots,
        born,
        languages={"en": 0.6, "zh": 0.4},
        cards=np.concatenate([_cards(rng, first), 9 * first + _cards(rng, second)]),
        devices=np.concatenate([grouped(rng, first, 1, 4), 9 * first + grouped(rng, second, 1, 4)]),
        exits=_exits(networks, rng, first, second),
        roles=["pool-1"] * first + ["pool-2"] * second,
    )
    total = volume(world, reported, start, end)
    tempo = Tempo(
        s.scaled(rhythm(rng, start, end), world.start, world.end, total),
        balanced(rng, first),
        float(rng.uniform(1.2, 2.5)),
        errors=float(rng.uniform(0.003, 0.02)),
        failover=True,
    )
    phases = [Phase(start, work_list(world, rng, TAGGED, total, paraphrase=0.0))]
    cover = float(rng.uniform(0.05, 0.2))
    world.populations.append(
        Fleet(world, "campaign/failover", group, slots, phases, tempo, promptset(world, CHAT), cover)
    )


def pools(rng: np.random.Generator, n: int, start: int, ban: int) -> Slots:
    """Return `n` places of pool 1, banned within minutes of `ban` (ms); pool 2 takes over 0.7 to all of them."""
    account, begins, bans = (np.full((n, 2), v, np.int64) for v in (-1, NEVER, NEVER))
    account[:, 0], begins[:, 0] = np.arange(n), start + rng.integers(0, 12 * HOUR_MS, n)
    bans[:, 0] = ban + rng.integers(0, 10 * MINUTE_MS, n)
    spare = max(round(n * rng.uniform(0.7, 1.0)), 1)
    account[:spare, 1] = n + np.arange(spare)
    ready = rng.uniform(2, 8) * MINUTE_MS + rng.exponential(3 * MINUTE_MS, spare)
    begins[:spare, 1] = np.maximum(bans[:spare, 0], ban + ready.astype(np.int64))
    return Slots(account, begins, bans)


def _cards(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.where(rng.random(n) < 0.5, grouped(rng, n, 1, 5), n + shared(rng, n, FRAUD_CARD_FANOUT))


def _exits(networks: Networks, rng: np.random.Generator, first: int, second: int) -> np.ndarray:
    """Return the exits of both pools, (first + second, 3), none of them in common."""
    one, two = crew_exits(networks, rng, first), crew_exits(networks, rng, second, hubs=0.0)
    while (known := np.isin(two, one)).any():
        two[known] = networks.private("home", int(known.sum()))
    return np.concatenate([one, two])
