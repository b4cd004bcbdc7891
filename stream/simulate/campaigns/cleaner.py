"""A few hundred busy accounts that replay captured traces to have them cleaned, judged, filtered and written anew.

After Zhipu, GTG-16006 (`figures.REPORTED`): 273 accounts, about 730 requests an account and day at full scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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
from stream.simulate.campaigns.work import CLEANING
from stream.simulate.figures import REPORTED
from stream.simulate.fleet import Fleet, Phase, Tempo
from stream.simulate.identities import Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, promptset
from stream.simulate.world import World

PROFILE = Profile(
    {"api": 0.7, "pro": 0.15, "team": 0.15},
    {"self_serve": 0.75, "education": 0.15, "research": 0.1},
    {"email": 0.4, "phone": 0.6},
    {"first_party": 0.8, "cloud-a": 0.1, "aggregator-a": 0.1},
    "client",
    True,
)


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `cleaner`."""
    rng, reported = world.rng("campaign/cleaner"), REPORTED["cleaner"]
    start, end = window(world, rng, (0.05, 0.2), (0.7, 0.8))
    slots, born = rotation(rng, head_count(world, reported), start, end, (0.03, 0.15))
    languages = {"en": 0.6, "zh": 0.4}
    group = recruit(world, networks, rng, "cleaner", PROFILE, slots, born, languages=languages)
    total = volume(world, reported, start, end)
    captured = max(int(total * rng.uniform(0.2, 0.5)), 1)
    work = tuple((replace(kind, captured=captured), number) for kind, number in CLEANING)
    batches = bool(rng.random() < 0.5)
    tempo = Tempo(
        s.scaled(rhythm(rng, start, end, batches), world.start, world.end, total),
        balanced(rng, len(slots.account)),
        errors=float(rng.uniform(0.003, 0.02)),
        failover=True,
        pulse_s=60.0 if batches else 0.0,
    )
    phases = [Phase(start, work_list(world, rng, work, total))]
    cover = float(rng.uniform(0.02, 0.15))
    world.populations.append(
        Fleet(world, "campaign/cleaner", group, slots, phases, tempo, promptset(world, CHAT), cover)
    )
