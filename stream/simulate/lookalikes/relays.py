"""Those through whom others send: routers, gateways, monitors, one key for many, frameworks. Sizes are assumptions."""

from __future__ import annotations

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.apps import apps
from stream.simulate.figures import DAY_MS, HUMAN_HOURS, TURN_GAP_S
from stream.simulate.identities import TENANT, Profile, adoption, through
from stream.simulate.lookalikes.crew import COMPANY, CONTRACT, COT, STARTER, Crew, office, partly_new, sized
from stream.simulate.networks import Networks
from stream.simulate.prompts import AGENT_LOOP, CHAT, Kind, public_templates
from stream.simulate.world import World


def fallback_router(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A company's router: the same requests tried on other accounts and clouds when one is throttled."""
    n = sized(world, rng, 14, 32)
    profile = through(COMPANY, paths={"first_party": 0.5, "cloud-a": 0.2, "cloud-b": 0.15, "aggregator-a": 0.15})
    prompts = [
        Kind((c,), tools=t, input=(1200, 0.8))
        for c, t in (("other", 0), ("tool_use", 6), ("coding", 0), ("data_analysis", 0), ("tool_use", 3))
    ]
    exits = rng.choice(net.private("hosting", 3), n)
    return Crew("fallback_router", n, profile, prompts, 18, office(rng, 0.5), exits, errors=0.07, failover=True)


def drift_monitor(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Unrelated customers of one monitoring tool: its forty probes from its addresses, on the hour, word by word."""
    n = sized(world, rng, 16, 40)
    prompts = [Kind(("reasoning",), COT, items=20, flips=5), Kind(("other",), items=20, flips=5)]
    profile = through(TENANT, one_agent=True)
    exits = np.where(rng.random(n) < 0.7, rng.choice(net.private("hosting", 2), n), net.private("hosting", n))
    crew = Crew("drift_monitor", n, profile, prompts, 22, s.flat, exits, one_owner=False, sigma=0.1, pulse_s=3600)
    crew.adopts = np.full(n, world.release)
    return crew


def team_key(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """One key that a whole team uses from everywhere."""
    n = sized(world, rng, 4, 8)
    prompts = [*AGENT_LOOP, *CHAT]
    keys = np.concatenate([public_templates(world, rng, len(AGENT_LOOP)), world.numbers(len(CHAT))])
    profile = through(COMPANY, agents="agent")
    load, exits = s.daily(HUMAN_HOURS, 1), net.mixed(n)
    return Crew("team_key", n, profile, prompts, 70, load, exits, one_owner=False, turns=4, gap=TURN_GAP_S, keys=keys)


def reseller(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A gateway under contract: many end users behind few addresses, evenly spread over accounts, some of them new."""
    n = sized(world, rng, 70, 150)
    created = partly_new(world, rng, n, 0.45, world.start - 10 * DAY_MS, round(world.days * DAY_MS) + 8 * DAY_MS)
    profile = through(CONTRACT, pathways={"reseller": 1.0})
    return _for_others(world, rng, "reseller", profile, created, rng.choice(net.private("hosting", 6), n))


def gateway(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A small reseller that nobody has checked: cards and devices for a few of its accounts each, three addresses.

    Its customers, who bring the agents and the chats that everybody has, stay on one account for a conversation.
    """
    n = sized(world, rng, 25, 60)
    created = partly_new(world, rng, n, 0.3, world.start - 60 * DAY_MS, round(world.days * DAY_MS) + 50 * DAY_MS)
    plans, paths = {"pro": 0.4, "max": 0.3, "api": 0.3}, {"first_party": 1.0}
    profile = through(STARTER, plans=plans, pathways={"reseller": 1.0}, paths=paths, one_agent=True)
    exits = rng.choice(net.private("hosting", 3), n)
    crew = _for_others(world, rng, "gateway", profile, created, exits, 0)
    crew.one_owner, crew.failover, crew.sigma = False, False, 0.3
    crew.cards = crew.devices = np.arange(n) // rng.integers(2, 7)
    return crew


def _for_others(
    world: World,
    rng: np.random.Generator,
    kind: str,
    profile: Profile,
    created: np.ndarray,
    exits: np.ndarray,
    products: int = 60,
) -> Crew:
    """Return accounts that serve others: their chats, everybody's agents, and some `products` of their customers'."""
    kinds, keys = apps(world, rng, products) if products else ([], np.zeros(0, np.uint64))
    prompts = [
        *CHAT,
        *AGENT_LOOP,
        *AGENT_LOOP,
        *(Kind((c,), input=(700, 0.9)) for c in ("other", "coding", "tool_use")),
    ]
    public = public_templates(world, rng, len(prompts) - len(CHAT))
    keys = np.concatenate([world.numbers(len(CHAT)), public, keys])
    load = s.product(s.daily(HUMAN_HOURS, 8), s.wobble(int(rng.integers(1 << 20)), 0.2))
    crew = Crew(kind, len(created), profile, [*prompts, *kinds], 22, load, exits, created)
    crew.turns, crew.gap, crew.sigma, crew.keys = 2, TURN_GAP_S, 0.05, keys
    crew.failover, crew.errors = True, 0.01
    return crew


def agent_framework(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Independent customers of one popular agent framework: its planner, its critic, its tool step, its user agent."""
    n = sized(world, rng, 30, 70)
    prompts = [
        Kind(("agentic", "tool_use"), tools=8, input=(3200, 0.7), output=(420, 0.7), flips=2, weight=5),
        Kind(("reasoning", "agentic"), COT, input=(1400, 0.6), output=(600, 0.6), reasoning=0.5, flips=3, weight=2),
        Kind(("rubric_grading",), input=(1700, 0.6), output=(180, 0.5), flips=3, weight=1.5),
        Kind(("coding", "tool_use"), tools=12, input=(5200, 0.8), output=(500, 0.8), flips=2, weight=2),
    ]
    profile = through(TENANT, one_agent=True, plans={"api": 0.9, "enterprise": 0.1})
    created = partly_new(world, rng, n, 0.35, world.start - 5 * DAY_MS, round(world.days * 0.8 * DAY_MS) + 5 * DAY_MS)
    crew = Crew("agent_framework", n, profile, prompts, 18, office(rng, 0.6), net.private("hosting", n), created, False)
    crew.turns, crew.sigma, crew.adopts = 5, 1.1, adoption(world, rng, n, 0.8)
    return crew
