"""Honest traffic that looks like a campaign: one maker per kind, in one table. All sizes are assumptions.

They grow with the scale and with `World.strength`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stream.simulate.fleet import Fleet
from stream.simulate.lookalikes import crowds, hubs, jobs, relays
from stream.simulate.lookalikes.crew import Crew
from stream.simulate.networks import Networks
from stream.simulate.world import World

__all__ = ["LOOKALIKES", "lookalike"]

LOOKALIKES: dict[str, Callable[[World, Networks, np.random.Generator], Crew]] = {
    make.__name__: make
    for make in (
        jobs.nightly_evaluation,
        jobs.synthetic_data,
        jobs.ci_review,
        jobs.rag_backfill,
        relays.fallback_router,
        relays.drift_monitor,
        relays.team_key,
        relays.reseller,
        crowds.day_one_benchmark,
        jobs.reasoning_capture,
        crowds.classroom,
        crowds.hackathon,
        crowds.viral_app,
        crowds.model_launch,
        jobs.key_owner,
        relays.agent_framework,
        crowds.popular_prompt,
        hubs.card_hub,
        hubs.university_vpn,
        hubs.carrier_nat,
        relays.gateway,
    )
}


def lookalike(world: World, networks: Networks, kind: str, number: int) -> Fleet:
    """Return the `number`-th group of `kind`."""
    rng = world.rng(f"{kind}/{number}/identity")
    return LOOKALIKES[kind](world, networks, rng).fleet(world, rng, number)
