"""A campaign that grows a little every day, so that whatever learns the ordinary learns the campaign.

DOMAIN: growth of 1 to 5 % a day for a month poisons online models. The campaign ends with a given share of its peer
group's requests, the API tenants' and its own; its accounts stay near 26 requests a day (`figures.REPORTED`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.arrivals import Schedule
from stream.simulate.campaigns.operation import balanced, recruit, rotation, window, work_list
from stream.simulate.campaigns.work import AGENTIC, ANALYSIS, CODING, REASONING
from stream.simulate.crowd import tenant_requests
from stream.simulate.dials import Dial
from stream.simulate.figures import BUSINESS_HOURS, DAY_MS, REPORTED
from stream.simulate.fleet import Fleet, Phase, Tempo
from stream.simulate.identities import Profile
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, promptset
from stream.simulate.world import World

DAYS = 42.0
DIALS = {
    "growth_per_day": Dial(0.03, 0.005, 0.15, "growth of the campaign's requests from one day to the next"),
    "final_share": Dial(0.2, 0.02, 0.6, "its share, on the last day, of the API tenants' requests and its own"),
}
PROFILE = Profile(
    {"api": 0.8, "pro": 0.1, "team": 0.1},
    {"self_serve": 0.75, "startup": 0.15, "research": 0.1},
    {"email": 0.35, "phone": 0.5, "document": 0.15},
    {"first_party": 0.75, "cloud-a": 0.13, "aggregator-a": 0.12},
    "client",
    True,
)
WORK = ((REASONING, 4), (AGENTIC, 3), (CODING, 3), (ANALYSIS, 2))


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the campaign `ramp`, which runs to the end."""
    rng, growth, share = world.rng("campaign/ramp"), float(np.log1p(dials["growth_per_day"])), dials["final_share"]
    start, end = window(world, rng, (0.05, 0.1), (1.0, 1.0))
    final = tenant_requests(world) / world.days * share / (1 - share)
    reported = REPORTED["ramp"]
    rate = reported.exchanges / reported.days / reported.accounts
    slots, born = rotation(rng, max(reported.least_accounts, round(final / rate)), start, end, (0.03, 0.12))
    languages = {"en": 0.8, "zh": 0.2}
    group = recruit(world, networks, rng, "ramp", PROFILE, slots, born, languages=languages)
    total = final * -np.expm1(-growth * (end - start) / DAY_MS) / growth
    hours = 1 + float(rng.uniform(0.0, 0.6)) * (BUSINESS_HOURS - 1)
    rhythm = s.product(
        s.daily(hours, 8), s.wobble(int(rng.integers(1 << 20)), 0.35), s.between(start, end), _growing(start, growth)
    )
    tempo = Tempo(
        s.scaled(rhythm, world.start, world.end, total),
        balanced(rng, len(slots.account)),
        float(rng.uniform(1.0, 2.0)),
        errors=float(rng.uniform(0.003, 0.01)),
        failover=True,
    )
    phases = [Phase(start, work_list(world, rng, WORK, total))]
    cover = float(rng.uniform(0.05, 0.15))
    world.populations.append(Fleet(world, "campaign/ramp", group, slots, phases, tempo, promptset(world, CHAT), cover))


def _growing(start: int, growth: float) -> Schedule:
    return lambda times: np.exp(growth * np.maximum(times - start, 0) / DAY_MS)
