"""A reseller's accounts that carry a campaign and unrelated customers at once.

After the network of more than 20,000 accounts in [Feb26] (`figures.REPORTED`). On the wire it is what open relay tools
make of it: one client on all accounts, conversations that stay on their account, many people's languages and topics
behind each, work that moves on at once when an account is throttled or banned.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.campaigns.operation import (
    balanced,
    head_count,
    reaches,
    recruit,
    rhythm,
    rotation,
    tongues,
    varied,
    volume,
    window,
    work_list,
)
from stream.simulate.campaigns.work import AGENT_CODING, ANALYSIS, ORCHESTRATION, REASONING
from stream.simulate.dials import Dial
from stream.simulate.figures import HUMAN_HOURS, REPORTED, TURN_GAP_S
from stream.simulate.fleet import Fleet, Phase, Slots, Tempo
from stream.simulate.identities import LANGUAGES, Group, Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import AGENT_LOOP, CHAT, PromptSet, promptset, public_templates
from stream.simulate.world import World

DIALS = {"campaign_share": Dial(0.25, 0.05, 1.0, "the campaign's share of the reseller's requests")}
PROFILE = Profile(
    {"pro": 0.4, "max": 0.3, "api": 0.3},
    {"self_serve": 0.9, "education": 0.05, "startup": 0.05},
    {"email": 0.5, "phone": 0.5},
    {"first_party": 0.85, "cloud-a": 0.08, "aggregator-a": 0.07},
    "relay",
)
CUSTOMERS = {**LANGUAGES, "zh": 0.4}
FOCUS = (((REASONING, 6), (ANALYSIS, 3)), ((AGENT_CODING, 6), (ORCHESTRATION, 4)))


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `proxy`: all of the reseller's accounts; its `exchanges` leave the customers' requests out."""
    rng, reported, share = world.rng("campaign/proxy"), REPORTED["proxy"], dials["campaign_share"]
    start, end = window(world, rng, (0.04, 0.15), (0.8, 0.85))
    slots, born = rotation(rng, head_count(world, reported), start, end, (0.05, 0.2))
    group = recruit(world, networks, rng, "proxy", PROFILE, slots, born, languages={"en": 0.7, "zh": 0.3}, cards=(2, 8))
    total = volume(world, reported, start, end)
    weights = balanced(rng, len(slots.account))
    load = s.scaled(rhythm(rng, start, end), world.start, world.end, share * total)
    focus = tuple((kind, 1) for kind in varied(rng, FOCUS[int(rng.integers(len(FOCUS)))]))
    work = work_list(world, rng, focus, share * total)
    tempo = Tempo(load, weights, 2.0, errors=0.01, failover=True)
    phases = [Phase(start, work, reaches(rng, len(focus)))]
    languages = tongues(world, {"en": 0.7, "zh": 0.3})
    world.populations.append(Fleet(world, "campaign/proxy", group, slots, phases, tempo, changes=(languages,)))
    if share < 1:
        world.populations.append(_customers(world, rng, group, slots, weights, (start, end), (1 - share) * total))


def customers_prompts(world: World, rng: np.random.Generator) -> PromptSet:
    """Return what all sorts of people ask: chats, and the popular agents' templates."""
    keys = np.concatenate([world.numbers(len(CHAT)), public_templates(world, rng, 3 * len(AGENT_LOOP))])
    return promptset(world, [*CHAT, *AGENT_LOOP * 3], keys)


def _customers(
    world: World,
    rng: np.random.Generator,
    group: Group,
    slots: Slots,
    weights: np.ndarray,
    span: tuple[int, int],
    total: float,
) -> Fleet:
    """Return the traffic of the reseller's other customers on the same accounts."""
    load = s.product(s.daily(HUMAN_HOURS, 8), s.wobble(int(rng.integers(1 << 20)), 0.2), s.between(*span))
    tempo = Tempo(s.scaled(load, world.start, world.end, total), weights, 2.4, TURN_GAP_S, errors=0.01, failover=True)
    phases = [Phase(span[0], customers_prompts(world, rng))]
    changes = (tongues(world, CUSTOMERS), _unrelated)
    return Fleet(world, "campaign/proxy/customers", group, slots, phases, tempo, changes=changes)


def _unrelated(_: np.random.Generator, rows: np.ndarray) -> None:
    rows["own"] = 0
