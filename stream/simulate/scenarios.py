"""Scenarios by name: which populations a world holds. A new one is a function and a line in `SCENARIOS`."""

from __future__ import annotations

from collections.abc import Callable, Collection

from stream.simulate.campaigns import OPERATIONS, campaign
from stream.simulate.lookalikes import LOOKALIKES, lookalike
from stream.simulate.networks import Networks
from stream.simulate.people import chatters, developers
from stream.simulate.tenants import Tenants
from stream.simulate.world import World


def honest(world: World, networks: Networks, kinds: Collection[str] = tuple(LOOKALIKES)) -> None:
    """Add the honest crowd, and the look-alikes of `kinds`.

    Accounts grow with the square root of the scale, up to 60,000 small users, and tenants' requests with its 0.75th
    power: campaigns become a larger part of the traffic with the scale, as far as one machine can write it.
    """
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
        if kind in kinds:
            for number in range(max(1, round(world.growth(0.4)))):
                world.populations.append(lookalike(world, networks, kind, number))


def quiet(world: World, networks: Networks) -> None:
    """The honest world alone: whatever is reported here is a false alarm."""
    honest(world, networks)


def seeds(world: World, networks: Networks) -> None:
    """The honest world and the three campaigns reported in February 2026."""
    honest(world, networks)
    for name in OPERATIONS:
        world.populations.append(campaign(world, networks, name))


SCENARIOS: dict[str, Callable[[World, Networks], None]] = {"seeds": seeds, "quiet": quiet}
