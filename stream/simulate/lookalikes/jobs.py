"""What companies run: tests, training data by contract, reviews, archives, audits, many keys. Sizes are assumptions."""

from __future__ import annotations

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.figures import DAY_MS, HOUR_MS
from stream.simulate.identities import through
from stream.simulate.lookalikes.crew import COMPANY, CONTRACT, COT, Crew, moment, office, partly_new, sized
from stream.simulate.networks import Networks
from stream.simulate.prompts import Kind
from stream.simulate.world import World


def nightly_evaluation(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A product's test suite every night: the same few hundred prompts, graded by a rubric; the new model at once."""
    n = sized(world, rng, 4, 9)
    prompts = [
        Kind(("rubric_grading",), input=(1100, 0.3), items=300, flips=4, weight=2),
        Kind(("reasoning",), COT, items=300, output=(500, 0.4), flips=4),
        Kind(("coding",), items=200, flips=4),
    ]
    night = s.nightly(float(rng.uniform(0, 6)), 1.5)
    adopts = np.full(n, world.release + int(rng.integers(1, 30)) * HOUR_MS)
    exits = np.repeat(net.private("hosting", 1), n)
    return Crew("nightly_evaluation", n, COMPANY, prompts, 45, night, exits, sigma=0.1, adopts=adopts)


def synthetic_data(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A customer who makes training data, allowed by contract: day and night, even, step by step, few templates."""
    n = sized(world, rng, 10, 22)
    sorts = ("reasoning", "reasoning", "data_analysis", "coding", "other", "rubric_grading", "agentic")
    prompts = [
        Kind(
            (c,),
            COT if c in ("reasoning", "data_analysis") else (),
            input=(400, 0.5),
            output=(650, 0.5),
            items=6000,
            reasoning=0.6 if c == "reasoning" else 0.0,
        )
        for c in sorts
    ]
    created = partly_new(world, rng, n, 0.5, world.start - 6 * DAY_MS, 9 * DAY_MS)
    exits = rng.choice(net.private("hosting", 3), n)
    crew = Crew("synthetic_data", n, CONTRACT, prompts, 40, s.flat, exits, created, sigma=0.08)
    crew.failover, crew.errors = True, 0.01
    return crew


def ci_review(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Bots that review every pull request of a company: one template, many keys, whenever somebody pushes."""
    n = sized(world, rng, 16, 40)
    prompts = [Kind(("coding",), tools=4, input=(5200, 0.9), output=(420, 0.7), max_tokens=4096)]
    exits = rng.choice(net.private("hosting", 4), n)
    return Crew("ci_review", n, COMPANY, prompts, 16, office(rng), exits, sigma=1.0, turns=1.6)


def rag_backfill(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A whole archive summarised once, within two days or three, by new keys, all at the same rate."""
    n, begin = sized(world, rng, 6, 14), moment(world, rng)
    created = begin - rng.integers(HOUR_MS, 3 * DAY_MS, n)
    prompts = [Kind(("data_analysis",), input=(2600, 0.2), output=(110, 0.3))]
    load = s.between(begin, begin + min(2.5, world.days / 4) * DAY_MS)
    exits = np.repeat(net.private("hosting", 1), n)
    return Crew("rag_backfill", n, COMPANY, prompts, 130, load, exits, created, sigma=0.05)


def reasoning_capture(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A regulated company that records the reasoning behind every answer, for its auditors."""
    n = sized(world, rng, 6, 14)
    prompts = [
        Kind(
            (c, "reasoning"), ("chain_of_thought", "reasoning_tags"), input=(900, 0.8), output=(800, 0.5), reasoning=0.6
        )
        for c in ("data_analysis", "other", "other", "coding")
    ]
    exits = rng.choice(net.private("office", 2), n)
    return Crew("reasoning_capture", n, CONTRACT, prompts, 26, office(rng), exits, sigma=0.5, turns=1.3)


def key_owner(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A small firm that gave each of its services a key: one scheduler, all move together (as in ServeGen)."""
    n = sized(world, rng, 6, 14)
    prompts = [
        Kind((c,), tools=t, input=(float(rng.uniform(200, 2500)), 0.4), output=(float(rng.uniform(40, 600)), 0.5))
        for c, t in (("other", 0), ("tool_use", 4), ("data_analysis", 0), ("reasoning", 0))
    ]
    profile = through(COMPANY, plans={"api": 1.0}, verifications={"email": 0.3, "phone": 0.7})
    created = partly_new(world, rng, n, 0.4, moment(world, rng, 0.0, 0.5), 2 * DAY_MS)
    load = s.product(s.batches(int(rng.integers(1 << 20)), 5, 2.0, 0.2), s.wobble(int(rng.integers(1 << 20)), 0.4))
    exits = np.repeat(net.private("hosting", 1), n)
    return Crew("key_owner", n, profile, prompts, 50, load, exits, created, sigma=0.15, pulse_s=300)
