"""Many access pathways and account types, and no identifier in common: only what is asked, and when, ties them.

After Moonshot in [Feb26] (`figures.REPORTED`), "hundreds of fraudulent accounts over multiple access pathways", taken
to its end: through clouds and aggregators no card, device or address is known, and those known are each one's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.campaigns.operation import (
    balanced,
    head_count,
    lone_sign_ups,
    recruit,
    rhythm,
    rotation,
    volume,
    window,
    work_list,
)
from stream.simulate.campaigns.work import AGENTIC, ANALYSIS, CODING, COMPUTER
from stream.simulate.figures import REPORTED
from stream.simulate.fleet import Fleet, Phase, Tempo
from stream.simulate.identities import Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, promptset
from stream.simulate.world import World

PROFILE = Profile(
    {"api": 0.4, "pro": 0.2, "team": 0.15, "free": 0.1, "max": 0.08, "enterprise": 0.07},
    {"self_serve": 0.55, "education": 0.15, "research": 0.12, "startup": 0.13, "enterprise": 0.05},
    {"email": 0.4, "phone": 0.5, "document": 0.1},
    {"first_party": 0.3, "cloud-a": 0.27, "cloud-b": 0.18, "aggregator-a": 0.25},
    "client",
    True,
    0.8,
)
WORK = ((AGENTIC, 5), (CODING, 3), (ANALYSIS, 3), (COMPUTER, 2))


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `pathways`."""
    rng, reported = world.rng("campaign/pathways"), REPORTED["pathways"]
    start, end = window(world, rng, (0.04, 0.2), (0.7, 0.8))
    slots, born = rotation(rng, head_count(world, reported), start, end, (0.05, 0.2))
    n = len(born)
    group = recruit(
        world,
        networks,
        rng,
        "pathways",
        PROFILE,
        slots,
        born,
        languages={"en": 0.75, "zh": 0.25},
        cards=np.arange(n),
        devices=np.arange(n),
        exits=networks.mixed(n),
        created=lone_sign_ups(world, rng, born),
    )
    total = volume(world, reported, start, end)
    tempo = Tempo(
        s.scaled(rhythm(rng, start, end), world.start, world.end, total),
        balanced(rng, len(slots.account)),
        2.5,
        errors=float(rng.uniform(0.003, 0.02)),
        failover=True,
    )
    phases = [Phase(start, work_list(world, rng, WORK, total))]
    cover = float(rng.uniform(0.05, 0.2))
    world.populations.append(
        Fleet(world, "campaign/pathways", group, slots, phases, tempo, promptset(world, CHAT), cover)
    )
