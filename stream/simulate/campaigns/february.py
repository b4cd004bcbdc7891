"""The three campaigns reported in February 2026, as far as their shape was published (see `figures.FEBRUARY`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.simulate import schedules as s
from stream.simulate.campaigns.operation import Range, Work, balanced, recruit, rhythm, rotation, window, work_list
from stream.simulate.campaigns.work import (
    AGENT_CODING,
    AGENTIC,
    ANALYSIS,
    CODING,
    COMPUTER,
    ORCHESTRATION,
    POLICY,
    REASONING,
    RUBRIC,
    TRACES,
    VISION,
)
from stream.simulate.figures import FEBRUARY
from stream.simulate.fleet import Fleet, Phase, Tempo
from stream.simulate.identities import Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, promptset
from stream.simulate.world import World

VARIED = {"first_party": 0.5, "cloud-a": 0.2, "cloud-b": 0.14, "aggregator-a": 0.16}


@dataclass(frozen=True)
class Operation:
    """How one campaign works; ranges are drawn per seed. Times are shares of the run."""

    work: Work
    profile: Profile
    start: Range
    length: Range
    languages: dict[str, float]
    turns: float
    cards: tuple[int, int]
    replaced: Range
    """Share of the accounts that is banned, and replaced, on the way."""
    synchronised: bool = False
    later: Work = ()
    public_share: float = 0.0
    pivot: float = -1.0


OPERATIONS = {
    "deepseek": Operation(
        ((REASONING, 6), (RUBRIC, 4), (POLICY, 3)),
        Profile({"api": 0.7, "pro": 0.3}, {"self_serve": 0.8, "education": 0.2}, agents="client", keyed=True),
        (0.15, 0.35),
        (0.3, 0.5),
        {"en": 0.75, "zh": 0.25},
        1.0,
        (3, 8),
        (0.05, 0.2),
        synchronised=True,
    ),
    "moonshot": Operation(
        ((AGENTIC, 5), (CODING, 3), (ANALYSIS, 3), (COMPUTER, 2), (VISION, 2)),
        Profile(
            {"api": 0.45, "pro": 0.25, "team": 0.15, "free": 0.10, "enterprise": 0.05},
            {"self_serve": 0.6, "education": 0.15, "research": 0.12, "startup": 0.13},
            {"email": 0.4, "phone": 0.55, "document": 0.05},
            VARIED,
            "client",
            True,
            0.85,
        ),
        (0.04, 0.2),
        (0.75, 0.96),
        {"en": 0.8, "zh": 0.2},
        2.5,
        (1, 5),
        (0.08, 0.25),
        later=((TRACES, 4),),
    ),
    "minimax": Operation(
        ((AGENT_CODING, 7), (ORCHESTRATION, 5)),
        Profile(
            {"api": 0.65, "pro": 0.2, "max": 0.15},
            {"self_serve": 0.9, "startup": 0.1},
            paths={"first_party": 0.72, "cloud-a": 0.1, "aggregator-a": 0.18},
            agents="agent",
            keyed=True,
        ),
        (0.03, 0.25),
        (0.75, 0.97),
        {"en": 0.9, "zh": 0.1},
        5.0,
        (1, 6),
        (0.08, 0.3),
        public_share=0.3,
        pivot=0.5,
    ),
}


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the three campaigns."""
    for name in OPERATIONS:
        world.populations.append(campaign(world, networks, name))


def campaign(world: World, networks: Networks, name: str) -> Fleet:
    """Return the fleet of campaign `name`, at the world's scale; in less than a fortnight, its share of it."""
    rng, plan, figures = world.rng("campaign/" + name), OPERATIONS[name], FEBRUARY[name]
    start, end = window(world, rng, plan.start, plan.length)
    slots, born = rotation(
        rng, max(figures.least_accounts, round(figures.accounts * world.scale)), start, end, plan.replaced
    )
    group = recruit(
        world,
        networks,
        rng,
        name,
        plan.profile,
        slots,
        born,
        languages=plan.languages,
        cards=plan.cards,
        adopters=0.0 if plan.pivot >= 0 else 0.5,
    )
    total = figures.exchanges * world.scale * min(1.0, world.days / 14)
    phases = [Phase(start, work_list(world, rng, plan.work, total, plan.public_share))]
    if plan.later:
        later = start + int(rng.uniform(0.55, 0.75) * (end - start))
        phases.append(Phase(later, work_list(world, rng, (*plan.work, *plan.later), total, plan.public_share)))
    weights = balanced(rng, len(slots.account), plan.synchronised)
    tempo = Tempo(
        s.scaled(rhythm(rng, start, end, plan.synchronised), world.start, world.end, total),
        weights,
        plan.turns,
        errors=float(rng.uniform(0.003, 0.02)),
        failover=True,
        pulse_s=float(rng.choice([20, 60])) if plan.synchronised else 0.0,
    )
    return Fleet(
        world,
        "campaign/" + name,
        group,
        slots,
        phases,
        tempo,
        promptset(world, CHAT),
        float(rng.uniform(0.05, 0.20)),
        plan.pivot,
        float(rng.uniform(6, 20)),
    )
