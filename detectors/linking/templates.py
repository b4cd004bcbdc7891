"""Paraphrases of one prompt, recognised by their SimHash, become one template."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

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
        self._simhash: dict[int, int] = {}
        self._bands: dict[int, list[tuple[int, int]]] = {}
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
        """Find the families of templates not seen before."""
        nearest, distance = self._nearest_centres(simhashes)
        for position, (template, simhash) in enumerate(zip(templates, simhashes.tolist(), strict=True)):
            if simhash and distance[position] <= SAME_FAMILY:
                self._family[template] = self._centre_family[nearest[position]]
                continue
            known = len(self._centre_family)
            self._family[template] = self._meet(template, simhash) if simhash else template
            if len(self._centre_family) > known:
                there = np.bitwise_count(simhashes ^ self._centres[known])
                nearer = there < distance
                nearest[nearer], distance[nearer] = known, there[nearer]

    def _nearest_centres(self, simhashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the number of the centre nearest to each SimHash, and its distance, shape (B,) each."""
        nearest, distance = np.zeros(len(simhashes), np.int64), np.full(len(simhashes), 65, np.uint8)
        for start in range(0, len(simhashes) if len(self._centres) else 0, 256):
            part = slice(start, start + 256)
            apart = np.bitwise_count(simhashes[part, None] ^ self._centres)
            nearest[part] = apart.argmin(1)
            distance[part] = apart.min(1)
        return nearest, distance

    def _meet(self, template: int, simhash: int) -> int:
        keys = _bands(simhash)
        for key in keys:
            for other, met in self._bands.get(key, ()):
                if (other ^ simhash).bit_count() <= SAME_FAMILY:
                    family = self._family[met]
                    self._centres = np.append(self._centres, np.uint64(other))
                    self._centre_family.append(family)
                    return family
        self._remember(template, simhash, keys)
        return template

    def _remember(self, template: int, simhash: int, keys: tuple[int, ...]) -> None:
        self._simhash[template] = simhash
        entry = (simhash, template)
        for key in keys:
            self._bands.setdefault(key, []).append(entry)

    def _forget(self) -> None:
        kept = list(self._family.items())[len(self._family) // 2 :]
        families = set(self._centre_family)
        self._family = dict(kept) | {family: family for family in families}
        alone = [(template, self._simhash[template]) for template, _ in kept if template in self._simhash]
        self._simhash, self._bands = {}, {}
        for template, simhash in alone:
            self._remember(template, simhash, _bands(simhash))

    def state(self) -> list:
        """Return what `load` takes."""
        return [list(self._family.items()), list(self._simhash.items()), self._centres.tolist(), self._centre_family]

    def load(self, state: Iterable) -> None:
        """Put back what `state` returned."""
        family, simhash, centres, centre_family = state
        self._family, self._simhash, self._bands = dict(family), {}, {}
        self._centres, self._centre_family = np.array(centres, np.uint64), list(centre_family)
        for template, value in simhash:
            self._remember(template, value, _bands(value))


def _bands(simhash: int) -> tuple[int, ...]:
    """Return the bucket of each of the four 16-bit bands of a SimHash."""
    return (
        simhash & 0xFFFF,
        1 << 16 | simhash >> 16 & 0xFFFF,
        2 << 16 | simhash >> 32 & 0xFFFF,
        3 << 16 | simhash >> 48,
    )
