"""Networks, devices and cards: what accounts share, honestly or not.

Addresses come from 100.64.0.0/10 and 2001:db8::/32 alone, the same block for everyone on a network. The numbers of
autonomous systems are real ones of each category. Shapes are assumptions (see `figures`), except card fan-out.
"""

from __future__ import annotations

import numpy as np

from stream.simulate.figures import Quantiles
from stream.simulate.world import World

SYSTEMS: dict[str, tuple[tuple[int, str], ...]] = {
    "home": (
        (7922, "US"),
        (7018, "US"),
        (701, "US"),
        (20115, "US"),
        (3320, "DE"),
        (3209, "DE"),
        (3215, "FR"),
        (12322, "FR"),
        (2856, "GB"),
        (5089, "GB"),
        (3269, "IT"),
        (3352, "ES"),
        (4134, "CN"),
        (4837, "CN"),
        (2516, "JP"),
        (17676, "JP"),
        (4766, "KR"),
        (9318, "KR"),
        (28573, "BR"),
        (27699, "BR"),
        (9829, "IN"),
        (7473, "SG"),
        (9506, "SG"),
        (4760, "HK"),
        (3462, "TW"),
        (7545, "AU"),
        (852, "CA"),
        (577, "CA"),
        (12389, "RU"),
        (5617, "PL"),
        (1136, "NL"),
        (17974, "ID"),
        (45899, "VN"),
        (9121, "TR"),
    ),
    "mobile": (
        (21928, "US"),
        (20057, "US"),
        (22394, "US"),
        (55836, "IN"),
        (24560, "IN"),
        (9808, "CN"),
        (23693, "ID"),
        (26599, "BR"),
        (12576, "GB"),
        (9605, "JP"),
        (17639, "PH"),
        (37075, "UG"),
    ),
    "hosting": (
        (16509, "US"),
        (15169, "US"),
        (8075, "US"),
        (14061, "US"),
        (24940, "DE"),
        (16276, "FR"),
        (63949, "US"),
        (20473, "US"),
        (45102, "SG"),
        (132203, "SG"),
        (51167, "DE"),
        (60781, "NL"),
    ),
    "vpn": ((9009, "GB"), (212238, "NL"), (60068, "GB"), (136787, "SG"), (62240, "US"), (206092, "US")),
    "office": ((7018, "US"), (209, "US"), (3356, "US"), (1273, "GB"), (3320, "DE"), (2516, "JP"), (7473, "SG")),
    "campus": ((3, "US"), (32, "US"), (73, "US"), (786, "GB"), (680, "DE"), (4538, "CN"), (2907, "JP"), (1103, "NL")),
}
_ORDER = sorted({pair for pairs in SYSTEMS.values() for pair in pairs})
_HUBS = {"mobile": 14, "vpn": 24}
"""Exits per carrier and per VPN provider: carrier-grade NAT and VPN exits serve hundreds of accounts each."""


class Networks:
    """Hands out indexes of exits (address, autonomous system, country)."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self._world, self._rng = world, rng
        self._hubs = {
            kind: self._make(kind, np.repeat(np.arange(len(SYSTEMS[kind])), per)) for kind, per in _HUBS.items()
        }
        self._weights = {k: (w := 1 / np.arange(1, len(v) + 1) ** 0.6) / w.sum() for k, v in self._hubs.items()}

    def private(self, kind: str, n: int, country: str | None = None) -> np.ndarray:
        """Return `n` fresh exits on networks of `kind`, in `country` where such a network is known."""
        pairs = SYSTEMS[kind]
        fits = [i for i, (_, c) in enumerate(pairs) if c == country] or list(range(len(pairs)))
        return self._make(kind, self._rng.choice(fits, n))

    def hub(self, kind: str, n: int) -> np.ndarray:
        """Return `n` draws among the shared exits of `kind` (`mobile` or `vpn`)."""
        return self._rng.choice(self._hubs[kind], n, p=self._weights[kind])

    def mixed(self, n: int, hub_share: float = 0.10) -> np.ndarray:
        """Return (n, 3) exits of people: home first, then elsewhere; `hub_share` sit behind a VPN for good."""
        rng = self._rng
        home = self.private("home", n)
        phone = np.where(rng.random(n) < 0.6, self.hub("mobile", n), home)
        third = np.where(rng.random(n) < 0.3, self.private("home", n), home)
        home = np.where(rng.random(n) < hub_share, self.hub("vpn", n), home)
        return np.stack([home, phone, third], axis=1)

    def _make(self, kind: str, systems: np.ndarray) -> np.ndarray:
        rng, exits = self._rng, self._world.columns["exit"]
        wide = rng.random(len(systems)) < (0.25 if kind in ("home", "mobile") else 0.05)
        low = rng.integers(1, 1 << 14, len(systems))
        high = rng.integers(0, 1 << 16, (len(systems), 4))
        out = np.empty(len(systems), np.int32)
        for i, s in enumerate(systems.tolist()):
            asn, country = SYSTEMS[kind][s]
            block = _ORDER.index((asn, country))
            v4 = (100 << 24) + (64 << 16) + (block << 14) + int(low[i])
            address = (
                f"2001:db8:{block:x}:{high[i, 0]:x}::{high[i, 1]:x}:{high[i, 2]:x}"
                if wide[i]
                else ".".join(str(v4 >> s & 255) for s in (24, 16, 8, 0))
            )
            out[i] = exits.add(f',"client.address":"{address}","client.asn":{asn},"client.geo.country":"{country}"')
        return out


def shared(rng: np.random.Generator, n: int, fanout: Quantiles) -> np.ndarray:
    """Split `n` accounts at random into groups whose account-weighted sizes follow `fanout`; return group numbers."""
    sizes = fanout.draw(rng, 4 * n + 8).astype(np.int64)
    sizes = sizes[rng.random(len(sizes)) * sizes < 1]  # a random account sees `fanout`: a group of k is k times rarer
    sizes = np.append(sizes, max(n - int(sizes.sum()), 0))
    return rng.permutation(np.repeat(np.arange(len(sizes)), sizes)[:n])


def grouped(rng: np.random.Generator, n: int, least: int, most: int) -> np.ndarray:
    """Split `n` members in random order into groups of `least` to `most`; return group numbers (n,)."""
    sizes = rng.integers(least, most + 1, n // max(least, 1) + 1)
    labels = np.repeat(np.arange(len(sizes)), sizes)[:n]
    return rng.permutation(labels)
