"""Strangers who share an address or a card and nothing else. All sizes are assumptions."""

from __future__ import annotations

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.apps import apps
from stream.simulate.figures import DAY_MS, HUMAN_HOURS, TURN_GAP_S
from stream.simulate.identities import PERSON, Profile, through
from stream.simulate.lookalikes.crew import PUPIL, Crew, partly_new, sized
from stream.simulate.networks import Networks
from stream.simulate.prompts import CHAT, Kind
from stream.simulate.world import World

_ZONES = {"US": -6, "DE": 1, "GB": 0, "IN": 5, "CN": 8, "ID": 7, "BR": -3, "PH": 8, "UG": 3, "JP": 9}
_TONGUES = {"US": "en", "DE": "de", "GB": "en", "IN": "hi", "CN": "zh", "ID": "en", "BR": "pt", "JP": "ja"}


def card_hub(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """Customers of an issuer of virtual cards: hundreds on two card fingerprints, many of them new and behind VPNs."""
    n = sized(world, rng, 120, 280)
    profile = through(PERSON, plans={"pro": 0.6, "max": 0.15, "api": 0.25}, paid=1.0)
    created = partly_new(world, rng, n, 0.45, world.start - 10 * DAY_MS, round(world.days * 0.9 * DAY_MS) + 10 * DAY_MS)
    return _strangers(world, rng, "card_hub", profile, 3.0, net.mixed(n, 0.5), created, 8, rng.integers(0, 2, n))


def university_vpn(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A university's staff and students behind its VPN: three addresses, education and research accounts."""
    n = sized(world, rng, 120, 280)
    profile = through(PUPIL, pathways={"education": 0.6, "research": 0.25, "self_serve": 0.15})
    door = rng.choice(net.private("campus", 3), n)
    exits = np.stack([door, door, net.private("home", n)], axis=1)
    created = partly_new(world, rng, n, 0.25, world.start, round(world.days * 0.5 * DAY_MS))
    return _strangers(world, rng, "university_vpn", profile, 2.5, exits, created, int(rng.choice([-6, 0, 1])))


def carrier_nat(world: World, net: Networks, rng: np.random.Generator) -> Crew:
    """A carrier's customers behind two addresses of its address translation: one country, mostly one language."""
    n = sized(world, rng, 160, 360)
    country = str(rng.choice(["US", "IN", "CN", "ID", "BR", "PH", "UG"]))
    exits = rng.choice(net.private("mobile", 2, country), n)
    created = partly_new(world, rng, n, 0.2, world.start, round(world.days * 0.9 * DAY_MS))
    crew = _strangers(world, rng, "carrier_nat", PERSON, 2.0, exits, created, _ZONES[country])
    crew.languages = {_TONGUES.get(country, "en"): 0.85, "es": 0.05, "en": 0.1}
    return crew


def _strangers(
    world: World,
    rng: np.random.Generator,
    kind: str,
    profile: Profile,
    per_day: float,
    exits: np.ndarray,
    created: np.ndarray,
    zone: int,
    cards: np.ndarray | None = None,
) -> Crew:
    kinds, keys = apps(world, rng, 40)
    prompts: list[Kind] = [*CHAT, *kinds]
    crew = Crew(kind, len(created), profile, prompts, per_day, s.daily(HUMAN_HOURS, zone), exits, created, False)
    crew.turns, crew.gap, crew.sigma, crew.cards = 1.8, TURN_GAP_S, 1.2, cards
    crew.keys = np.concatenate([world.numbers(len(CHAT)), keys])
    return crew
