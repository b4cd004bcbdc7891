"""Scenarios by name: which campaigns a world holds beside its honest crowd. A new one is a line in `SCENARIOS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stream.simulate.campaigns import (
    adaptive,
    arbitrage,
    cleaner,
    drip,
    failover,
    february,
    pathways,
    proxy,
    ramp,
    sweep,
)
from stream.simulate.dials import Dial
from stream.simulate.networks import Networks
from stream.simulate.world import World


@dataclass(frozen=True)
class Scenario:
    """The campaigns of one scenario, added by `build` to a world that holds the honest crowd already."""

    summary: str
    build: Callable[[World, Networks, Mapping[str, float]], None]
    """Called with a value for every dial."""
    dials: Mapping[str, Dial] = field(default_factory=dict)
    days: float = 14.0
    """Length of the run unless told otherwise."""


STRENGTH = {"strength": Dial(1.0, 0.1, 5.0, "size of the honest look-alikes")}


def quiet(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add nothing."""


SCENARIOS: dict[str, Scenario] = {
    "quiet": Scenario("the honest world alone: whatever is reported here is a false alarm", quiet, STRENGTH),
    "seeds": Scenario("the three campaigns reported in February 2026", february.build),
    "failover": Scenario("a banned pool of accounts, and a second one that goes on within minutes", failover.build),
    "proxy": Scenario("a reseller whose accounts carry a campaign among its customers", proxy.build, proxy.DIALS),
    "drip": Scenario("a product relays its users' sessions, 5.6 requests an account and day", drip.build),
    "cleaner": Scenario("few busy accounts that replay captured traces to clean them", cleaner.build),
    "sweep": Scenario("thousands of extraction techniques, most refused, then the winners at scale", sweep.build),
    "arbitrage": Scenario("a campaign that leaves the well guarded model for a weaker one", arbitrage.build),
    "pathways": Scenario("many access pathways and no identifier in common", pathways.build),
    "ramp": Scenario("slow growth that poisons what learns the ordinary", ramp.build, ramp.DIALS, ramp.DAYS),
    "adaptive": Scenario("an attacker who evades what is looked for", adaptive.build, adaptive.DIALS),
}
