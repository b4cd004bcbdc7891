"""The honest crowd of a world: small users, API tenants and look-alikes."""

from __future__ import annotations

from collections.abc import Collection

from stream.errors import ConfigError
from stream.simulate.lookalikes import LOOKALIKES, lookalike
from stream.simulate.networks import Networks
from stream.simulate.people import chatters, developers
from stream.simulate.tenants import tenants as pools
from stream.simulate.world import World


def honest(world: World, networks: Networks, kinds: Collection[str] | None = None) -> None:
    """Add the honest crowd, and the look-alikes of `kinds`, all by default.

    Accounts grow with the square root of the scale, up to 90,000 small users (a quarter of them comes within three
    weeks), and tenants' requests with its 0.75th power: campaigns become a larger part of the traffic with the scale,
    as far as one machine can write it.

    Raises:
        ConfigError: an unknown kind.
    """
    wanted = set(LOOKALIKES if kinds is None else kinds)
    if wanted - set(LOOKALIKES):
        raise ConfigError(f"lookalikes: {min(wanted - set(LOOKALIKES))!r} is none of {', '.join(LOOKALIKES)}")
    people = round(min(8000 * world.growth(0.5), 60_000))
    world.populations.append(chatters(world, networks, max(3 * people // 2, 2500)))
    world.populations.append(developers(world, networks, max(people // 18, 120)))
    tenants = round(min(max(130 * world.growth(0.5), 60), 1600))
    world.populations += pools(world, networks, tenants, tenant_requests(world))
    for kind in LOOKALIKES:
        if kind in wanted:
            for number in range(max(1, round(world.growth(0.4)))):
                world.populations.append(lookalike(world, networks, kind, number))


def tenant_requests(world: World) -> float:
    """Return the expected requests of all API tenants over the run."""
    return 36_000 * max(world.growth(0.75), 0.2) * world.days / 14
