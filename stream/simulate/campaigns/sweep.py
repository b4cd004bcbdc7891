"""Probe, then scale: thousands of requests, each another extraction technique and most refused, then the winners.

After [Sep26] (`figures.SWEEP_TECHNIQUES`); how far the winners were scaled is assumed. There are never fewer than
`LEAST` techniques.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.campaigns.operation import (
    balanced,
    head_count,
    recruit,
    rhythm,
    rotation,
    volume,
    window,
    work_list,
)
from stream.simulate.campaigns.work import TECHNIQUES
from stream.simulate.figures import HOUR_MS, REPORTED, SWEEP_TECHNIQUES
from stream.simulate.fleet import Fleet, Phase, Tempo
from stream.simulate.identities import Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, promptset
from stream.simulate.world import World

LEAST = 600
PROFILE = Profile(
    {"api": 0.6, "pro": 0.3, "free": 0.1},
    {"self_serve": 0.85, "research": 0.1, "education": 0.05},
    agents="client",
    keyed=True,
)


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `sweep`."""
    rng, reported = world.rng("campaign/sweep"), REPORTED["sweep"]
    start, end = window(world, rng, (0.04, 0.2), (0.7, 0.78))
    turn = start + int(rng.uniform(0.2, 0.4) * (end - start))
    slots, born = rotation(rng, head_count(world, reported), turn, end, (0.05, 0.2))
    early = max(round(len(slots.account) * rng.uniform(0.5, 0.8)), 1)
    slots.start[:early, 0] = born[:early] = start + rng.integers(0, 6 * HOUR_MS, early)
    languages = {"en": 0.7, "zh": 0.2, "ja": 0.1}
    group = recruit(world, networks, rng, "sweep", PROFILE, slots, born, languages=languages)
    tries = max(SWEEP_TECHNIQUES * world.scale, LEAST) * min(1.0, world.days / 14)
    total = volume(world, reported, turn, end)
    probing = s.scaled(rhythm(rng, start, turn), world.start, world.end, tries)
    scaling = s.scaled(rhythm(rng, turn, end), world.start, world.end, total)

    def load(times: np.ndarray) -> np.ndarray:
        return probing(times) + scaling(times)

    won = rng.choice(len(TECHNIQUES) - 1, int(rng.integers(3, 6)), replace=False)
    winners = tuple((replace(TECHNIQUES[i], fresh=0.0, refusal=float(rng.uniform(0.03, 0.15))), 1) for i in won)
    phases = [Phase(start, promptset(world, TECHNIQUES)), Phase(turn, work_list(world, rng, winners, total))]
    errors = float(rng.uniform(0.003, 0.02))
    tempo = Tempo(load, balanced(rng, len(slots.account)), errors=errors, failover=True)
    cover = float(rng.uniform(0.02, 0.1))
    world.populations.append(Fleet(world, "campaign/sweep", group, slots, phases, tempo, promptset(world, CHAT), cover))
