"""Scenarios by name: which campaigns a world holds beside its honest crowd. A new one is a line in `SCENARIOS`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from stream.errors import ConfigError
from stream.simulate.campaigns import february
from stream.simulate.dials import Dial
from stream.simulate.lookalikes import LOOKALIKES, lookalike
from stream.simulate.networks import Networks
from stream.simulate.people import chatters, developers
from stream.simulate.tenants import Tenants
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


def honest(world: World, networks: Networks, kinds: Collection[str] | None = None) -> None:
    """Add the honest crowd, and the look-alikes of `kinds`, all by default.

    Accounts grow with the square root of the scale, up to 60,000 small users, and tenants' requests with its 0.75th
    power: campaigns become a larger part of the traffic with the scale, as far as one machine can write it.

    Raises:
        ConfigError: an unknown kind.
    """
    wanted = set(LOOKALIKES if kinds is None else kinds)
    if wanted - set(LOOKALIKES):
        raise ConfigError(f"lookalikes: {min(wanted - set(LOOKALIKES))!r} is none of {', '.join(LOOKALIKES)}")
    people = round(min(8000 * world.growth(0.5), 60_000))
    fortnight = world.days / 14
    world.populations.append(chatters(world, networks, max(people, 1500)))
    world.populations.append(developers(world, networks, max(people // 32, 90)))
    world.populations.append(
        Tenants(
            world,
            networks,
            round(min(max(130 * world.growth(0.5), 60), 1600)),
            26_000 * max(world.growth(0.75), 0.2) * fortnight,
        )
    )
    for kind in LOOKALIKES:
        if kind in wanted:
            for number in range(max(1, round(world.growth(0.4)))):
                world.populations.append(lookalike(world, networks, kind, number))


def quiet(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add nothing."""


SCENARIOS: dict[str, Scenario] = {
    "quiet": Scenario("the honest world alone: whatever is reported here is a false alarm", quiet),
    "seeds": Scenario("the three campaigns reported in February 2026", february.build),
}
