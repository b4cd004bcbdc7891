"""An attacker who knows what is looked for, with a dial for each evasion of DOMAIN (c).

The regime is [Jun26]'s 26 requests an account and day. Requests, the cover's included, are the same in number whatever
the dials; `accounts` spreads them over more accounts, each of them quieter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.campaigns.operation import (
    Work,
    crew_exits,
    lone_sign_ups,
    reaches,
    recruit,
    rotation,
    sign_ups,
    varied,
    volume,
    window,
    work_list,
)
from stream.simulate.campaigns.proxy import customers_prompts
from stream.simulate.campaigns.work import AGENTIC, ANALYSIS, CODING, REASONING
from stream.simulate.dials import Dial
from stream.simulate.figures import HUMAN_HOURS, REPORTED, TURN_GAP_S
from stream.simulate.fleet import Fleet, Phase, Slots, Tempo, uneven
from stream.simulate.identities import Group, Profile
from stream.simulate.networks import Networks, grouped
from stream.simulate.world import World

DIALS = {
    "shared": Dial(0.5, 0.0, 1.0, "share of the accounts that share a card, a device or exits with another"),
    "paraphrase": Dial(0.5, 0.0, 1.0, "share of the requests written anew, with another skeleton and SimHash"),
    "jitter": Dial(
        0.5, 0.0, 1.0, "0: batches of all accounts at once; 1: arrivals each on its own, by a person's hours"
    ),
    "spread": Dial(0.6, 0.0, 2.0, "sigma of the accounts' log-normal volumes"),
    "camouflage": Dial(0.4, 0.0, 0.95, "share of requests such as ordinary customers send"),
    "accounts": Dial(1.0, 0.25, 8.0, "times as many accounts, each with a rate as many times lower"),
}
PROFILE = Profile(
    {"pro": 0.5, "api": 0.3, "free": 0.15, "max": 0.05},
    {"self_serve": 0.85, "startup": 0.1, "education": 0.05},
    {"email": 0.4, "phone": 0.6},
    agents="any",
    paid=0.8,
)
LANGUAGES = {"en": 0.7, "zh": 0.3}
THINKING = replace(REASONING, elicitation=(), reasoning=0.35)
TABLES = replace(ANALYSIS, elicitation=(), capabilities=("data_analysis",))
FOCUS: tuple[Work, ...] = (
    ((REASONING, 2), (THINKING, 5), (CODING, 4)),
    ((AGENTIC, 5), (CODING, 5), (THINKING, 2)),
    ((THINKING, 4), (CODING, 4), (TABLES, 4)),
)


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `adaptive`; its `exchanges` leave the camouflage out."""
    rng, reported = world.rng("campaign/adaptive"), REPORTED["adaptive"]
    start, end = window(world, rng, (0.05, 0.15), (0.78, 0.84))
    base = max(reported.least_accounts, round(reported.accounts * world.scale))
    slots, born = rotation(rng, max(round(base * dials["accounts"]), 10), start, end, (0.03, 0.12))
    group = _accounts(world, networks, rng, slots, born, dials["shared"])
    total = volume(world, reported, start, end)
    focus = FOCUS[int(rng.integers(len(FOCUS)))]
    work = tuple((replace(kind, fresh=dials["paraphrase"]), 1) for kind in varied(rng, focus))
    phases = [Phase(start, work_list(world, rng, work, 2 * total, paraphrase=0.0), reaches(rng, len(work)))]
    cover, weights = customers_prompts(world, rng), uneven(rng, len(slots.account), dials["spread"])
    key = int(rng.integers(1 << 20))
    runs = s.product(s.batches(key, 4, 1.5, 0.03), s.between(start, end))
    alone = s.product(s.daily(HUMAN_HOURS, 8), s.between(start, end))
    jitter = dials["jitter"]
    tempos = {
        "batches": Tempo(s.scaled(runs, world.start, world.end, (1 - jitter) * total), weights, 1.3, pulse_s=30.0),
        "alone": Tempo(s.scaled(alone, world.start, world.end, jitter * total), weights, 1.6, TURN_GAP_S),
    }
    for name, tempo in tempos.items():
        tempo.failover, tempo.errors = True, 0.006
        world.populations.append(
            Fleet(
                world,
                f"campaign/adaptive/{name}",
                group,
                slots,
                phases,
                tempo,
                cover,
                dials["camouflage"],
                unrelated=True,
            )
        )


def _accounts(
    world: World, networks: Networks, rng: np.random.Generator, slots: Slots, born: np.ndarray, shared: float
) -> Group:
    """Enrol the accounts; `shared` of them have a card, a device or exits in common, and signed up in cohorts."""
    n = len(born)
    ties = rng.random(n) < shared
    has = rng.random((n, 3)) < (0.5, 0.4, 0.5)
    bare = ~has.any(axis=1)
    has[bare, rng.integers(0, 3, int(bare.sum()))] = True
    has &= ties[:, None]
    own = networks.private("home", 3 * n).reshape(n, 3)
    crews = crew_exits(networks, rng, n, hubs=0.0)
    return recruit(
        world,
        networks,
        rng,
        "adaptive",
        PROFILE,
        slots,
        born,
        languages=LANGUAGES,
        cards=_groups(rng, has[:, 0]),
        devices=_groups(rng, has[:, 1]),
        exits=np.where(has[:, 2:], crews, own),
        created=np.where(ties, sign_ups(world, rng, born), lone_sign_ups(world, rng, born)),
    )


def _groups(rng: np.random.Generator, tied: np.ndarray) -> np.ndarray:
    """Return group numbers (n,): the `tied` ones in groups of two to six, the others each alone."""
    out = np.arange(len(tied))
    out[tied] = len(tied) + grouped(rng, int(tied.sum()), 2, 6)
    return out
