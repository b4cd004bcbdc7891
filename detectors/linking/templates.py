"""Paraphrases of one prompt, recognised by their SimHash, become one template."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

BANDS = 4
BAND_BITS = 16
SAME_FAMILY = 6
MAX_TEMPLATES = 200_000
"""Templates whose SimHash is remembered; the oldest half is forgotten beyond."""


class TemplateFamilies:
    """Maps template hashes to the hash of the family they belong to: the first template seen of it.

    Two unknown templates meet when one of four 16-bit bands of their SimHashes agrees, which is certain up to a
    Hamming distance of 3; the family then grows to distance 6 around its first member (unrelated texts are 32 ± 4
    apart). See Manku et al., WWW 2007.
    """

    def __init__(self) -> None:
        self._family: dict[int, int] = {}
        self._simhash: dict[int, int] = {}
        self._bands: dict[int, list[int]] = {}
        self._centres = np.zeros(0, np.uint64)
        self._centre_family: list[int] = []

    def canonical(self, templates: NDArray[np.uint64], simhashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the family of each template, shape (B,); a template without a SimHash (0) stands alone."""
        get = self._family.get
        found = [get(template) for template in templates.tolist()]
        if None in found:
            pairs = zip(found, templates.tolist(), simhashes.tolist(), strict=True)
            found = [self._join(template, simhash) if family is None else family for family, template, simhash in pairs]
        if len(self._family) > MAX_TEMPLATES:
            self._forget()
        return np.array(found, np.uint64)

    def _join(self, template: int, simhash: int) -> int:
        known = self._family.get(template)
        if known is not None:
            return known
        family = template
        if simhash:
            centre = self._nearest_centre(simhash)
            family = self._meet(template, simhash) if centre is None else centre
        self._family[template] = family
        return family

    def _nearest_centre(self, simhash: int) -> int | None:
        if not len(self._centres):
            return None
        distance = np.bitwise_count(self._centres ^ np.uint64(simhash))
        nearest = int(distance.argmin())
        return self._centre_family[nearest] if distance[nearest] <= SAME_FAMILY else None

    def _meet(self, template: int, simhash: int) -> int:
        for key in _bands(simhash):
            for other in self._bands.get(key, ()):
                if (self._simhash[other] ^ simhash).bit_count() <= SAME_FAMILY:
                    family = self._family[other]
                    self._centres = np.append(self._centres, np.uint64(self._simhash[other]))
                    self._centre_family.append(family)
                    return family
        self._remember(template, simhash)
        return template

    def _remember(self, template: int, simhash: int) -> None:
        self._simhash[template] = simhash
        for key in _bands(simhash):
            self._bands.setdefault(key, []).append(template)

    def _forget(self) -> None:
        kept = list(self._family.items())[len(self._family) // 2 :]
        families = set(self._centre_family)
        self._family = dict(kept) | {family: family for family in families}
        alone = [(template, self._simhash[template]) for template, _ in kept if template in self._simhash]
        self._simhash, self._bands = {}, {}
        for template, simhash in alone:
            self._remember(template, simhash)

    def state(self) -> list:
        """Return what `load` takes."""
        return [list(self._family.items()), list(self._simhash.items()), self._centres.tolist(), self._centre_family]

    def load(self, state: Iterable) -> None:
        """Put back what `state` returned."""
        family, simhash, centres, centre_family = state
        self._family, self._simhash, self._bands = dict(family), {}, {}
        self._centres, self._centre_family = np.array(centres, np.uint64), list(centre_family)
        for template, value in simhash:
            self._remember(template, value)


def _bands(simhash: int) -> list[int]:
    """Return the bucket of each of the four 16-bit bands of a SimHash."""
    return [band << BAND_BITS | (simhash >> band * BAND_BITS) & 0xFFFF for band in range(BANDS)]
