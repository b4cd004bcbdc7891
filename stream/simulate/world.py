"""The simulated provider: tables of accounts and attributes, its clock, and the merge of all populations."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from stream.simulate.events import EVENT, Fragments, mix
from stream.simulate.figures import DAY_MS, HOUR_MS, START_MS

SLICE_MS = 6 * HOUR_MS
RELEASE_SHARE = 0.58
"""When in the run the new model comes out, as a share of its length."""
OLD_MODELS = {"atlas-large-4": 0.35, "atlas-mid-4": 0.48, "atlas-small-4": 0.17}
NEW_MODEL = "atlas-large-5"


class Population(Protocol):
    """Something that makes traffic."""

    def draw(self, start: int, end: int) -> np.ndarray:
        """Return rows of EVENT of all that begins in [start, end) ms; conversations may run past `end`."""
        ...


class World:
    """State shared by all populations of a run.

    Args:
        seed: every population draws from its own generator, by this and its name; without one of them the others keep
            their traffic, and are dealt other identifiers and addresses.
        scale: 1.0 is the published volume of the campaigns.
        days: length of the run.
        strength: size of the honest look-alikes, 1.0 by default.
    """

    def __init__(self, seed: int, scale: float, days: float, strength: float = 1.0) -> None:
        self.seed, self.scale, self.days = seed, scale, days
        self.strength = strength
        self.start, self.end = START_MS, START_MS + int(days * DAY_MS)
        hour = round(days * 24 * RELEASE_SHARE)
        self.release = START_MS + (hour // 24 * 24 + 17 if days >= 2 else hour) * HOUR_MS
        self.accounts: list[str] = []
        self.account_ids: list[str] = []
        self.campaign: list[str | None] = []
        self.kind: list[str] = []
        self.populations: list[Population] = []
        self.columns = {name: Fragments() for name in ("exit", "device", "agent", "model", "language", "shape")}
        self.models = {m: self.columns["model"].add(f',"gen_ai.request.model":"{m}"') for m in (*OLD_MODELS, NEW_MODEL)}
        self._tokens = 0

    def rng(self, name: str) -> np.random.Generator:
        """Return the generator of the population called `name`."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def numbers(self, n: int) -> np.ndarray:
        """Return `n` fresh 64-bit numbers in no visible order, for identifiers of every sort."""
        first = self._tokens
        self._tokens += n
        return mix(np.arange(first, first + n, dtype=np.uint64) ^ mix(self.seed + (1 << 40)))

    def tokens(self, n: int) -> list[str]:
        """Return `n` fresh opaque identifiers of 16 hex digits."""
        return [f"{v:016x}" for v in self.numbers(n).tolist()]

    def growth(self, power: float) -> float:
        """Return how much larger than the demonstration (scale 0.005) something is that grows with scale^power."""
        return float((self.scale / 0.005) ** power)

    def slices(self) -> Iterator[np.ndarray]:
        """Yield the rows of all populations in time order, six hours at a time."""
        carry = np.empty(0, EVENT)
        for start in range(self.start, self.end, SLICE_MS):
            end = min(start + SLICE_MS, self.end)
            rows = np.concatenate([carry, *(p.draw(start, end) for p in self.populations)])
            np.maximum(rows["time"], start, out=rows["time"])
            carry = rows[rows["time"] >= end]
            rows = rows[rows["time"] < end]
            yield rows[np.argsort(rows["time"], kind="stable")]

    def tables(self) -> dict[str, list[str]]:
        """Return the fragment tables that `events.encode` joins."""
        return {"account": self.accounts, **{name: table.table() for name, table in self.columns.items()}}
