"""Honest traffic that looks like a campaign: one generator per kind, in one table. All sizes are assumptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.arrivals import Schedule
from stream.simulate.figures import AGENT_GAP_S, BUSINESS_HOURS, DAY_MS, HOUR_MS, HUMAN_HOURS, TURN_GAP_S, Quantiles
from stream.simulate.fleet import Fleet, Phase, Tempo, one_each, uneven
from stream.simulate.identities import PERSON, TENANT, Profile, enrol, through, veterans
from stream.simulate.networks import Networks
from stream.simulate.prompts import AGENT_LOOP, CHAT, Kind, promptset, public_templates
from stream.simulate.world import World

COMPANY = through(TENANT, paths={"first_party": 1.0}, one_agent=True)
CONTRACT = through(COMPANY, plans={"enterprise": 1.0}, pathways={"enterprise": 1.0}, verifications={"contract": 1.0})
PUPIL = Profile(
    {"free": 0.95, "pro": 0.05}, {"education": 0.9, "self_serve": 0.1}, {"email": 0.8, "phone": 0.2}, paid=0.05
)
STARTER = through(TENANT, plans={"api": 1.0}, verifications={"email": 0.7, "phone": 0.3}, pathways={"self_serve": 1.0})
COT = ("chain_of_thought",)


@dataclass
class Crew:
    """One honest group to be: `per_day` requests of each account while the load is 1, `load` over time."""

    kind: str
    size: int
    profile: Profile
    prompts: list[Kind]
    per_day: float
    load: Schedule
    exits: np.ndarray
    created: np.ndarray | None = None
    one_owner: bool = True
    turns: float = 1.0
    gap: Quantiles = AGENT_GAP_S
    sigma: float = 0.3
    keys: np.ndarray | None = None
    pulse_s: float = 0.0
    errors: float = 0.004
    failover: bool = False
    adopts: np.ndarray | None = None
    languages: dict[str, float] | None = None

    def fleet(self, world: World, rng: np.random.Generator, number: int) -> Fleet:
        """Enrol the accounts and return their traffic."""
        n = self.size
        created = veterans(world, rng, n) if self.created is None else self.created
        owner = np.zeros(n, np.int64) if self.one_owner else None
        group = enrol(
            world,
            rng,
            n,
            self.kind,
            self.profile,
            exits=self.exits,
            created=created,
            cards=owner,
            devices=owner,
            organizations=owner,
            adopts=self.adopts,
            languages=self.languages,
        )
        load = s.product(self.load, level=self.per_day * n / 24)
        tempo = Tempo(load, uneven(rng, n, self.sigma), self.turns, self.gap, self.pulse_s, self.errors, self.failover)
        prompts = promptset(world, self.prompts, self.keys)
        return Fleet(world, f"{self.kind}/{number}", group, one_each(group), [Phase(0, prompts)], tempo)


def _day(world: World, rng: np.random.Generator, low: float = 0.05, high: float = 0.7) -> int:
    """Return some moment of the run, in ms, on the hour."""
    return world.start + int(rng.uniform(low, high) * world.days * 24) * HOUR_MS


def _office(rng: np.random.Generator, weekend: float = 0.15) -> Schedule:
    return s.daily(BUSINESS_HOURS, int(rng.choice([-8, -5, 0, 1, 8, 9])), weekend)


def nightly_evaluation(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A product's test suite every night: the same few hundred prompts, graded by a rubric."""
    n = int(rng.integers(3, 8))
    prompts = [
        Kind(("rubric_grading",), input=(1100, 0.3), items=300, flips=4, weight=2),
        Kind(("reasoning",), COT, items=300, output=(500, 0.4), flips=4),
        Kind(("coding",), items=200, flips=4),
    ]
    return Crew(
        "nightly_evaluation",
        n,
        COMPANY,
        prompts,
        45,
        s.nightly(float(rng.uniform(0, 6)), 1.5),
        np.repeat(net.private("hosting", 1), n),
    )


def synthetic_data(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A customer who makes training data, allowed by contract: day and night, even, few templates."""
    n = int(rng.integers(8, 17))
    prompts = [
        Kind((c,), COT if c == "reasoning" else (), input=(500, 0.5), output=(700, 0.5), items=6000)
        for c in ("reasoning", "data_analysis", "coding", "other", "other", "rubric_grading")
    ]
    return Crew(
        "synthetic_data", n, CONTRACT, prompts, 40, s.flat, rng.choice(net.private("hosting", 3), n), sigma=0.15
    )


def ci_review(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Bots that review every pull request of a company: one template, many keys."""
    n = int(rng.integers(12, 30))
    prompts = [Kind(("coding",), tools=4, input=(5200, 0.9), output=(420, 0.7), max_tokens=4096)]
    return Crew(
        "ci_review",
        n,
        COMPANY,
        prompts,
        16,
        _office(rng),
        rng.choice(net.private("hosting", 4), n),
        sigma=1.0,
        turns=1.6,
    )


def rag_backfill(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A whole archive summarised once, within two days or three, by new keys."""
    n, begin = int(rng.integers(4, 9)), _day(world, rng)
    created = begin - rng.integers(HOUR_MS, 3 * DAY_MS, n)
    return Crew(
        "rag_backfill",
        n,
        COMPANY,
        [Kind(("data_analysis",), input=(2600, 0.2), output=(110, 0.3))],
        160,
        s.between(begin, begin + min(2.5, world.days / 4) * DAY_MS),
        np.repeat(net.private("hosting", 1), n),
        created,
        sigma=0.05,
    )


def fallback_router(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A company's router: the same requests tried on other accounts and clouds when one is throttled."""
    n = int(rng.integers(10, 22))
    profile = through(COMPANY, paths={"first_party": 0.5, "cloud-a": 0.3, "cloud-b": 0.2})
    prompts = [
        Kind((c,), tools=t, input=(1200, 0.8))
        for c, t in (("other", 0), ("tool_use", 6), ("coding", 0), ("data_analysis", 0), ("tool_use", 3))
    ]
    return Crew(
        "fallback_router",
        n,
        profile,
        prompts,
        18,
        _office(rng, 0.5),
        rng.choice(net.private("hosting", 3), n),
        errors=0.05,
        failover=True,
    )


def drift_monitor(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Unrelated customers of one monitoring tool: its forty probes, every hour on the hour, word by word the same."""
    n = int(rng.integers(12, 25))
    prompts = [Kind(("reasoning",), COT, items=20, flips=5), Kind(("other",), items=20, flips=5)]
    return Crew(
        "drift_monitor",
        n,
        through(TENANT, one_agent=True),
        prompts,
        22,
        s.flat,
        net.private("hosting", n),
        one_owner=False,
        sigma=0.1,
        pulse_s=3600,
    )


def team_key(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """One key that a whole team uses from everywhere."""
    n = int(rng.integers(3, 7))
    return Crew(
        "team_key",
        n,
        through(COMPANY, agents="agent"),
        [*AGENT_LOOP, *CHAT],
        70,
        s.daily(HUMAN_HOURS, 1),
        net.mixed(n),
        one_owner=False,
        turns=4,
        gap=TURN_GAP_S,
        keys=np.concatenate([public_templates(world, rng, len(AGENT_LOOP)), world.numbers(len(CHAT))]),
    )


def reseller(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A gateway under contract: many end users behind few addresses, evenly spread over its accounts."""
    n = int(rng.integers(25, 60))
    profile = through(CONTRACT, pathways={"reseller": 1.0})
    prompts = [
        *CHAT,
        *AGENT_LOOP,
        *AGENT_LOOP,
        *(Kind((c,), input=(700, 0.9)) for c in ("other", "coding", "tool_use")),
    ]
    keys = np.concatenate([world.numbers(len(CHAT)), public_templates(world, rng, len(prompts) - len(CHAT))])
    return Crew(
        "reseller",
        n,
        profile,
        prompts,
        13,
        s.product(s.daily(HUMAN_HOURS, 8), s.wobble(7, 0.2)),
        rng.choice(net.private("hosting", 5), n),
        turns=2,
        gap=TURN_GAP_S,
        sigma=0.05,
        keys=keys,
        failover=True,
        errors=0.01,
    )


def day_one_benchmark(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Unrelated teams that run the same public benchmark on the new model, within hours of its release."""
    n = int(rng.integers(6, 12))
    prompts = [
        Kind((c,), COT if c == "reasoning" else (), items=800, output=(700, 0.5), flips=4)
        for c in ("reasoning", "coding", "vision", "reasoning")
    ]
    created = np.where(rng.random(n) < 0.5, world.release - DAY_MS, veterans(world, rng, n))
    return Crew(
        "day_one_benchmark",
        n,
        STARTER,
        prompts,
        220,
        s.decay(world.release, 0.8 * DAY_MS),
        net.private("hosting", n),
        created,
        False,
        sigma=0.6,
        adopts=np.full(n, world.release),
        keys=public_templates(world, rng, 4, 60),
    )


def reasoning_capture(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A regulated company that records the reasoning behind every answer, for its auditors."""
    n = int(rng.integers(5, 11))
    prompts = [
        Kind(
            (c, "reasoning"), ("chain_of_thought", "reasoning_tags"), input=(900, 0.8), output=(800, 0.5), reasoning=0.6
        )
        for c in ("data_analysis", "other", "other", "coding")
    ]
    return Crew(
        "reasoning_capture",
        n,
        CONTRACT,
        prompts,
        26,
        _office(rng),
        rng.choice(net.private("office", 2), n),
        sigma=0.5,
        turns=1.3,
    )


def classroom(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A course: new education accounts behind one address, one starter prompt, step by step, at lesson time."""
    n, lesson = int(rng.integers(100, 300)), float(rng.integers(8, 17))
    days = {int(d) for d in rng.choice(7, 3, replace=False)}
    first = _day(world, rng, 0.02, 0.3)
    base = s.product(s.nightly(lesson, 1.5), s.between(first, world.end))

    def load(times: np.ndarray) -> np.ndarray:
        return base(times) * np.isin(times // DAY_MS % 7, list(days)) + 0.02 * (times >= first)

    prompts = [Kind(("reasoning",), COT, input=(240, 0.3), output=(520, 0.4), items=30, flips=4, weight=14), *CHAT]
    prompts[1:] = [through_kind(k, k.weight / 12) for k in prompts[1:]]
    campus = net.private("campus", 1)
    exits = np.stack([np.repeat(campus, n), np.repeat(campus, n), net.private("home", n)], axis=1)
    return Crew(
        "classroom",
        n,
        PUPIL,
        prompts,
        2.5,
        load,
        exits,
        first - rng.integers(0, 2 * HOUR_MS, n),
        False,
        2.2,
        TURN_GAP_S,
        0.4,
        languages={"en": 1.0},
    )


def hackathon(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Two days, one hall's network, the sponsor's card, new accounts, the sponsor's agent template."""
    n, begin = int(rng.integers(50, 100)), _day(world, rng)
    prompts = [through_kind(k, 2.0) for k in AGENT_LOOP[:3]] + [through_kind(k, k.weight / 60) for k in CHAT]
    keys = np.concatenate([world.numbers(1).repeat(3), world.numbers(len(CHAT))])
    profile = through(STARTER, agents="agent")
    end = begin + min(2.0, world.days / 4) * DAY_MS
    return Crew(
        "hackathon",
        n,
        profile,
        prompts,
        22,
        s.product(s.between(begin, end), s.daily(HUMAN_HOURS**0.4, 0)),
        rng.choice(net.private("office", 2), n),
        begin - rng.integers(0, 6 * HOUR_MS, n),
        turns=6,
        sigma=0.8,
        keys=keys,
        errors=0.02,
    )


def viral_app(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """An app that asks its users to bring their own key: hundreds of new accounts, one template, small even volumes."""
    n, begin = int(rng.integers(250, 550)), _day(world, rng, 0.05, 0.4)
    created = begin + (rng.beta(1.4, 1.8, n) * (world.end - begin) * 0.9).astype(np.int64)
    prompts = [
        Kind(
            ("agentic", "tool_use") if rng.random() < 0.5 else ("reasoning",),
            tools=5,
            input=(1500, 0.4),
            output=(420, 0.4),
        )
    ]
    load = s.product(s.between(begin, world.end), s.daily(HUMAN_HOURS, int(rng.choice([-6, 1, 8]))))
    profile = through(STARTER, paths={"first_party": 1.0}, one_agent=True)
    return Crew("viral_app", n, profile, prompts, 3.2, load, net.mixed(n), created, False, 1.5, TURN_GAP_S, 0.3)


def model_launch(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """The crowd of launch day: newcomers and returners who try the prompts that go round, on the new model."""
    n = int(rng.integers(150, 320))
    created = np.where(
        rng.random(n) < 0.6,
        world.release + (rng.exponential(0.5, n) * DAY_MS).astype(np.int64),
        veterans(world, rng, n),
    )
    prompts = [Kind(("reasoning",), items=4, flips=5, weight=20), Kind(("coding",), items=4, flips=5, weight=20), *CHAT]
    load = s.product(s.decay(world.release, 1.2 * DAY_MS), s.daily(HUMAN_HOURS, 0))
    return Crew(
        "model_launch",
        n,
        PERSON,
        prompts,
        8,
        load,
        net.mixed(n),
        created,
        False,
        2,
        TURN_GAP_S,
        0.8,
        keys=np.concatenate([public_templates(world, rng, 2, 150), world.numbers(len(CHAT))]),
        adopts=np.full(n, world.release),
    )


def through_kind(kind: Kind, weight: float) -> Kind:
    """Return `kind` with another weight."""
    return Kind(**{**kind.__dict__, "weight": weight})


LOOKALIKES: dict[str, Callable[[World, Networks, np.random.Generator], Crew]] = {
    make.__name__: make
    for make in (
        nightly_evaluation,
        synthetic_data,
        ci_review,
        rag_backfill,
        fallback_router,
        drift_monitor,
        team_key,
        reseller,
        day_one_benchmark,
        reasoning_capture,
        classroom,
        hackathon,
        viral_app,
        model_launch,
    )
}


def lookalike(world: World, networks: Networks, kind: str, number: int) -> Fleet:
    """Return the `number`-th group of `kind`."""
    rng = world.rng(f"{kind}/{number}/identity")
    return LOOKALIKES[kind](world, networks, rng).fleet(world, rng, number)
