"""Crowds of strangers who do the same at the same time or place. All sizes are assumptions."""

from __future__ import annotations

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.figures import DAY_MS, HOUR_MS, HUMAN_HOURS, TURN_GAP_S
from stream.simulate.identities import PERSON, through, veterans
from stream.simulate.lookalikes.crew import COT, PUPIL, STARTER, Crew, moment, partly_new, sized, weighted
from stream.simulate.networks import Networks
from stream.simulate.prompts import AGENT_LOOP, CHAT, Kind, public_templates
from stream.simulate.world import World


def day_one_benchmark(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Unrelated teams that run one public benchmark, step by step, on the new model within hours of its release."""
    n = sized(world, rng, 14, 30)
    prompts = [
        Kind((c,), COT if c == "reasoning" else (), items=800, output=(700, 0.5), flips=4)
        for c in ("reasoning", "coding", "vision", "reasoning")
    ]
    created = partly_new(world, rng, n, 0.5, world.release - DAY_MS, 2 * DAY_MS)
    load, exits = s.decay(world.release, 0.8 * DAY_MS), net.private("hosting", n)
    crew = Crew("day_one_benchmark", n, STARTER, prompts, 160, load, exits, created, False, sigma=0.6)
    crew.adopts, crew.keys = np.full(n, world.release), public_templates(world, rng, 4, 60)
    return crew


def classroom(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A course: new education accounts behind one address, one starter prompt, step by step, at lesson time."""
    n, lesson = min(sized(world, rng, 150, 300), 900), float(rng.integers(8, 17))
    days = {int(d) for d in rng.choice(7, 3, replace=False)}
    first = moment(world, rng, 0.02, 0.3)
    base = s.product(s.nightly(lesson, 1.5), s.between(first, world.end))

    def load(times: np.ndarray) -> np.ndarray:
        return base(times) * np.isin(times // DAY_MS % 7, list(days)) + 0.02 * (times >= first)

    starter = Kind(("reasoning",), COT, input=(240, 0.3), output=(520, 0.4), items=30, flips=4, weight=14)
    campus = np.repeat(net.private("campus", 1), n)
    exits = np.stack([campus, campus, net.private("home", n)], axis=1)
    created = first - rng.integers(0, 2 * HOUR_MS, n)
    crew = Crew("classroom", n, PUPIL, [starter, *weighted(CHAT, 1 / 12)], 2.5, load, exits, created, False)
    crew.turns, crew.gap, crew.sigma, crew.languages = 2.2, TURN_GAP_S, 0.4, {"en": 1.0}
    return crew


def hackathon(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Two days, one hall's network, the sponsor's card, new accounts, the sponsor's agent template."""
    n, begin = sized(world, rng, 60, 120), moment(world, rng)
    prompts = [*weighted(AGENT_LOOP[:3], 1.0), *weighted(CHAT, 1 / 60)]
    keys = np.concatenate([world.numbers(1).repeat(3), world.numbers(len(CHAT))])
    end = begin + min(2.0, world.days / 4) * DAY_MS
    load = s.product(s.between(begin, end), s.daily(HUMAN_HOURS**0.4, 0))
    exits, created = rng.choice(net.private("office", 2), n), begin - rng.integers(0, 6 * HOUR_MS, n)
    crew = Crew("hackathon", n, through(STARTER, agents="agent"), prompts, 30, load, exits, created)
    crew.turns, crew.sigma, crew.keys, crew.errors = 6, 0.8, keys, 0.02
    return crew


def viral_app(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """An app that asks its users to bring their own key: hundreds of new accounts, one template, small even volumes."""
    n, begin = sized(world, rng, 350, 700), moment(world, rng, 0.05, 0.4)
    created = begin + (rng.beta(1.4, 1.8, n) * (world.end - begin) * 0.9).astype(np.int64)
    sort = ("agentic", "tool_use") if rng.random() < 0.5 else ("reasoning",)
    prompts = [Kind(sort, () if "agentic" in sort else COT, tools=5, input=(1500, 0.4), output=(420, 0.4))]
    load = s.product(s.between(begin, world.end), s.daily(HUMAN_HOURS, int(rng.choice([-6, 1, 8]))))
    profile = through(STARTER, paths={"first_party": 1.0}, one_agent=True)
    return Crew("viral_app", n, profile, prompts, 3.2, load, net.mixed(n), created, False, 1.5, TURN_GAP_S, 0.3)


def model_launch(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """The crowd of launch day: newcomers and returners who try the prompts that go round, on the new model."""
    n = sized(world, rng, 180, 360)
    new = world.release + (rng.exponential(0.5, n) * DAY_MS).astype(np.int64)
    created = np.where(rng.random(n) < 0.6, new, veterans(world, rng, n))
    prompts = [
        Kind(("reasoning",), COT, items=4, flips=5, weight=20),
        Kind(("coding",), items=4, flips=5, weight=20),
        *CHAT,
    ]
    load = s.product(s.decay(world.release, 1.2 * DAY_MS), s.daily(HUMAN_HOURS, 0))
    crew = Crew("model_launch", n, PERSON, prompts, 8, load, net.mixed(n), created, False, 2, TURN_GAP_S, 0.8)
    crew.keys = np.concatenate([public_templates(world, rng, 2, 150), world.numbers(len(CHAT))])
    crew.adopts = np.full(n, world.release)
    return crew


def popular_prompt(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A prompt that goes round for a few days: "show all your hidden reasoning"; often refused, always the same."""
    n, begin = sized(world, rng, 160, 340), moment(world, rng)
    prompts = [
        Kind(("reasoning",), (*COT, "reasoning_tags"), items=3, flips=4, output=(700, 0.6), refusal=0.15, weight=30),
        Kind(("policy_rewrite",), ("filter_evasion",), items=3, flips=4, refusal=0.4, weight=6),
        *weighted(CHAT, 0.3),
    ]
    created = partly_new(world, rng, n, 0.3, begin - DAY_MS, 4 * DAY_MS)
    load = s.product(s.decay(begin, 2.0 * DAY_MS), s.daily(HUMAN_HOURS, int(rng.choice([-6, 0, 8]))))
    return Crew("popular_prompt", n, PERSON, prompts, 7, load, net.mixed(n), created, False, 1.8, TURN_GAP_S, 0.9)
