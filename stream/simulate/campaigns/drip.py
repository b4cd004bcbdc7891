"""Serve and harvest: a product relays its own users' sessions through thousands of accounts, a few requests each a day.

After Moonshot, GTG-16002 (`figures.REPORTED`): 5.6 requests an account and day, most accounts in Singapore and Japan,
reasoning signatures replayed across sessions. At a small scale the number of accounts has a floor, and their rate
stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.campaigns.operation import (
    balanced,
    head_count,
    reaches,
    recruit,
    rotation,
    tongues,
    varied,
    window,
)
from stream.simulate.campaigns.work import RELAYED
from stream.simulate.figures import DAY_MS, HUMAN_HOURS, REPORTED, TURN_GAP_S
from stream.simulate.fleet import Fleet, Phase, Tempo
from stream.simulate.identities import Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, PromptSet, promptset
from stream.simulate.world import World

PROFILE = Profile(
    {"pro": 0.45, "api": 0.3, "free": 0.25},
    {"self_serve": 0.95, "education": 0.05},
    {"email": 0.5, "phone": 0.5},
    {"first_party": 0.9, "aggregator-a": 0.1},
    "any",
    paid=0.75,
)
LANGUAGES = {"zh": 0.6, "en": 0.3, "ja": 0.06, "ko": 0.04}


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `drip`."""
    rng, reported = world.rng("campaign/drip"), REPORTED["drip"]
    length = reported.days / 14
    start, end = window(world, rng, (0.04, 0.25), (length, length))
    n = head_count(world, reported)
    slots, born = rotation(rng, n, start, end, (0.02, 0.1))
    exits = _exits(networks, rng, len(born))
    group = recruit(world, networks, rng, "drip", PROFILE, slots, born, languages=LANGUAGES, exits=exits)
    total = reported.exchanges / reported.days / reported.accounts * n * (end - start) / DAY_MS
    rhythm = s.product(s.daily(HUMAN_HOURS, 8), s.wobble(int(rng.integers(1 << 20)), 0.25), s.between(start, end))
    tempo = Tempo(
        s.scaled(rhythm, world.start, world.end, total),
        balanced(rng, n),
        float(rng.uniform(1.5, 2.5)),
        TURN_GAP_S,
        failover=True,
    )
    sessions = _sessions(world, rng, total)
    phases = [Phase(start, sessions, reaches(rng, len(sessions.kinds), len(CHAT)))]
    changes = (tongues(world, LANGUAGES),)
    world.populations.append(Fleet(world, "campaign/drip", group, slots, phases, tempo, changes=changes))


def _sessions(world: World, rng: np.random.Generator, total: float) -> PromptSet:
    """Return users' sessions: 0.2 to 0.5 of them inside the product's own prompts, the rest passed on as they are."""
    wrapped, captured = float(rng.uniform(0.2, 0.5)), max(int(total * rng.uniform(0.1, 0.4)), 1)
    kinds = [replace(k, captured=captured) for k in varied(rng, RELAYED)]
    plain = [replace(k, replay=0.02 if k.reasoning else 0.0, captured=captured) for k in CHAT]
    prompts = promptset(world, [*kinds, *plain])
    inside = np.arange(len(prompts.kinds)) < len(kinds)
    for mine, share in ((inside, wrapped), (~inside, 1 - wrapped)):
        prompts.weight[mine] *= share / prompts.weight[mine].sum()
    return prompts


def _exits(networks: Networks, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return (n, 3) exits, four fifths of them in Singapore and Japan: homes, and servers that small groups share."""
    country = rng.choice(["SG", "JP", "HK", "US"], n, p=[0.5, 0.3, 0.12, 0.08])
    own, servers = np.empty((n, 3), np.int64), np.empty((n, 3), np.int64)
    for name in np.unique(country):
        mine = np.flatnonzero(country == name)
        own[mine] = networks.private("home", 3 * len(mine), name).reshape(-1, 3)
        few = networks.private("hosting", len(mine) // 5 + 1, name if name == "SG" else None)
        servers[mine] = rng.choice(few, (len(mine), 3))
    exits = np.where(rng.random((n, 3)) < rng.uniform(0.15, 0.5), servers, own)
    return np.where(rng.random((n, 3)) < 0.1, networks.hub("vpn", 3 * n).reshape(n, 3), exits)
