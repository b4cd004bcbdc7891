"""Paraphrases of one prompt, recognised by their SimHash, become one template."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detectors.linking.neighbours import Neighbours

SAME_FAMILY = 6
MAX_TEMPLATES = 200_000
"""Templates whose SimHash is remembered; the oldest half is forgotten beyond."""

MAX_CENTRES = 20_000
"""Families that are looked for around their first member; likewise."""


class TemplateFamilies:
    """Maps template hashes to the hash of the family they belong to: the first template seen of it.

    Two unknown templates meet when one of four 16-bit bands of their SimHashes agrees, which is certain up to a
    Hamming distance of 3; the family then grows to distance 6 around its first member (unrelated texts are 32 ± 4
    apart). See Manku et al., WWW 2007.
    """

    def __init__(self) -> None:
        self._family: dict[int, int] = {}
        self._alone: list[int] = []
        """Templates that met no other yet, in the order of their SimHashes."""
        self._neighbours = Neighbours(SAME_FAMILY)
        self._centres = np.zeros(0, np.uint64)
        self._centre_family: list[int] = []

    def canonical(self, templates: NDArray[np.uint64], simhashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the family of each template, shape (B,); a template without a SimHash (0) stands alone."""
        known = templates.tolist()
        found = list(map(self._family.get, known))
        if None in found:
            new = {known[i]: i for i, family in enumerate(found) if family is None}
            self._join(list(new), simhashes[list(new.values())])
            found = list(map(self._family.__getitem__, known))
        if len(self._family) > MAX_TEMPLATES:
            self._forget()
        if len(self._centre_family) > MAX_CENTRES:
            self._centres = self._centres[-MAX_CENTRES // 2 :]
            del self._centre_family[: -MAX_CENTRES // 2]
        return np.array(found, np.uint64)

    def family(self, template: int) -> int:
        """Return the family of one template; a template never seen stands alone."""
        return self._family.get(template, template)

    def _join(self, templates: list[int], simhashes: NDArray[np.uint64]) -> None:
        """Find the families of templates not seen before, in their order; those without a SimHash stand alone."""
        self._family.update(zip(templates, templates, strict=True))
        given = np.flatnonzero(simhashes)
        templates, simhashes = [templates[position] for position in given.tolist()], simhashes[given]
        families, alone = templates.copy(), np.ones(len(templates), bool)
        centre, distance = self._nearest_centres(simhashes)
        for position in np.flatnonzero(distance <= SAME_FAMILY).tolist():
            families[position], alone[position] = self._centre_family[centre[position]], False
        number, place = self._neighbours.of(simhashes)
        start = np.flatnonzero(np.diff(number, prepend=-1))
        known = len(self._neighbours)
        for position, places in zip(number[start].tolist(), np.split(place, start[1:]), strict=False):
            met = [other for other in places.tolist() if other < known or alone[other - known]]
            if not alone[position] or not met:
                continue
            other = met[0]
            simhash = self._neighbours[other] if other < known else int(simhashes[other - known])
            family = self._family[self._alone[other]] if other < known else templates[other - known]
            self._centres = np.append(self._centres, np.uint64(simhash))
            self._centre_family.append(family)
            near = np.bitwise_count(simhashes ^ np.uint64(simhash))
            near[:position] = 65
            for later in np.flatnonzero((near <= SAME_FAMILY) & (near < distance)).tolist():
                families[later], alone[later], distance[later] = family, False, near[later]
        self._family.update(zip(templates, families, strict=True))
        self._alone += [template for template, single in zip(templates, alone.tolist(), strict=True) if single]
        self._neighbours.add(simhashes[alone])

    def _nearest_centres(self, simhashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the number of the centre nearest to each SimHash, and its distance, shape (B,) each."""
        nearest, distance = np.zeros(len(simhashes), np.int64), np.full(len(simhashes), 65, np.uint8)
        for start in range(0, len(simhashes) if len(self._centres) else 0, 256):
            part = slice(start, start + 256)
            apart = np.bitwise_count(simhashes[part, None] ^ self._centres)
            nearest[part] = apart.argmin(1)
            distance[part] = apart.min(1)
        return nearest, distance

    def _forget(self) -> None:
        kept = dict(list(self._family.items())[len(self._family) // 2 :])
        alone = [place for place, template in enumerate(self._alone) if template in kept]
        simhashes = np.array([self._neighbours[place] for place in alone], np.uint64)
        self._family = kept | {family: family for family in self._centre_family}
        self._alone = [self._alone[place] for place in alone]
        self._neighbours = Neighbours(SAME_FAMILY)
        self._neighbours.add(simhashes)

    def state(self) -> list:
        """Return what `load` takes."""
        simhashes = [(template, self._neighbours[place]) for place, template in enumerate(self._alone)]
        return [list(self._family.items()), simhashes, self._centres.tolist(), self._centre_family]

    def load(self, state: Iterable) -> None:
        """Put back what `state` returned."""
        family, simhashes, centres, centre_family = state
        self._family, self._alone = dict(family), [template for template, _ in simhashes]
        self._neighbours = Neighbours(SAME_FAMILY)
        self._neighbours.add(np.array([simhash for _, simhash in simhashes], np.uint64))
        self._centres, self._centre_family = np.array(centres, np.uint64), list(centre_family)
