"""Safeguard arbitrage: refused and banned on the well guarded model, the campaign moves to a less guarded one.

After Zhipu, GTG-16006 (`figures.REPORTED`). When the safeguard comes, how much it refuses, and how fast the campaign
moves are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

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
from stream.simulate.campaigns.work import AGENTIC, COT, RUBRIC
from stream.simulate.events import mix
from stream.simulate.figures import HOUR_MS, REPORTED
from stream.simulate.fleet import Change, Fleet, Phase, Tempo
from stream.simulate.identities import Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, Kind, promptset
from stream.simulate.world import World

GUARDED, WEAKER = "atlas-large-4", "atlas-mid-4"
PROFILE = Profile(
    {"api": 0.65, "pro": 0.25, "team": 0.1},
    {"self_serve": 0.85, "education": 0.1, "research": 0.05},
    paths={"first_party": 0.8, "cloud-a": 0.1, "aggregator-a": 0.1},
    agents="client",
    keyed=True,
)
EXTRACTION = Kind(
    ("reasoning",), (*COT, "reasoning_tags"), input=(320, 0.5), output=(800, 0.5), reasoning=0.6, weight=8
)
WORK = ((EXTRACTION, 6), (AGENTIC, 4), (RUBRIC, 2))


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `arbitrage`."""
    rng, reported = world.rng("campaign/arbitrage"), REPORTED["arbitrage"]
    start, end = window(world, rng, (0.04, 0.15), (0.75, 0.85))
    slots, born = rotation(rng, head_count(world, reported), start, end, (0.1, 0.3))
    languages = {"en": 0.7, "zh": 0.3}
    group = recruit(world, networks, rng, "arbitrage", PROFILE, slots, born, languages=languages)
    total = volume(world, reported, start, end)
    tempo = Tempo(
        s.scaled(rhythm(rng, start, end), world.start, world.end, total),
        balanced(rng, len(slots.account)),
        float(rng.uniform(1.0, 2.0)),
        errors=float(rng.uniform(0.003, 0.02)),
        failover=True,
    )
    phases = [Phase(start, work_list(world, rng, WORK, total))]
    cover = float(rng.uniform(0.03, 0.15))
    changes = (_move(world, rng, start + int(rng.uniform(0.3, 0.55) * (end - start))),)
    world.populations.append(
        Fleet(
            world,
            "campaign/arbitrage",
            group,
            slots,
            phases,
            tempo,
            promptset(world, CHAT),
            cover,
            changes=changes,
        )
    )


def _move(world: World, rng: np.random.Generator, guarded_from: int) -> Change:
    """Return the change that refuses on the guarded model from `guarded_from` (ms) on, and then leaves it."""
    refusal, moved = float(rng.uniform(0.3, 0.6)), float(rng.uniform(0.85, 0.97))
    leaves, hours = guarded_from + int(rng.uniform(2, 12) * HOUR_MS), float(rng.uniform(6, 36))

    def change(rng: np.random.Generator, rows: np.ndarray) -> None:
        key = mix(np.where(rows["conversation"] > 0, rows["conversation"], rows["content"]) ^ np.uint64(0xA2))
        gone = moved * np.clip((rows["time"] - leaves) / (hours * HOUR_MS), 0, 1)
        away = (key >> np.uint64(11)).astype(float) / 2.0**53 < gone
        rows["model"] = np.where(away, world.models[WEAKER], world.models[GUARDED])
        refused = ~away & (rows["time"] >= guarded_from) & (rng.random(len(rows)) < refusal)
        rows["refused"] |= refused
        rows["output"] = np.where(refused, np.minimum(rows["output"], 90), rows["output"])
        rows["reasoning"] = np.where(refused, np.minimum(rows["reasoning"], 60), rows["reasoning"])

    return change
