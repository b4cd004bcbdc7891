"""From statistics to one figure: signed, bounded nats per family, their sum, and the rank of the sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.evidence import FAMILIES
from detectors.evidence.expected import EXPECTED, Expected
from detectors.evidence.reference import Reference
from detectors.linking.members import INFRASTRUCTURE, Groups

NAMES = tuple(family.NAME for family in FAMILIES)
PURPOSE = np.array([name in ("capability", "elicitation") for name in NAMES])
DECISIVE = np.array([name in ("elicitation", "shared_prompts", "links", "replay") for name in NAMES])
DECISIVE_NATS = 2.0
"""New, even, busy and round the clock is any app on the day it goes viral. What it does not do is ask for reasoning,
work through many prompts together, or share cards and devices a few at a time: one of these must show."""
INFRASTRUCTURE_NATS = 4.0
"""A group around one card, device or network needs this much more: honest people share those with campaigns."""


@dataclass
class Judgement:
    """G groups judged by F families.

    Attributes:
        statistics: shape (F, G).
        nats: signed: for a campaign or against it, shape (F, G).
        total: their sum, shape (G,).
        surprise: −ln p of the total among honest groups, shape (G,).
        telling: whether what is asked speaks for extraction at all, and something that honest crowds do not do for a
            campaign, shape (G,).
    """

    statistics: NDArray
    nats: NDArray
    total: NDArray
    surprise: NDArray
    telling: NDArray


class Fusion:
    """Adds up the evidence of every family against references that honest groups keep up to date.

    Args:
        expected: how much each family counts, by its name.
        total: what the totals of honest groups reach with these weights, the shipped reference by default.
    """

    def __init__(self, expected: Mapping[str, Expected] = EXPECTED, total: Reference | None = None) -> None:
        self.expected = expected
        self.references = {name: Reference(name) for name in NAMES}
        self.total = total or Reference("total")

    @property
    def provisional(self) -> bool:
        """Whether the shipped reference still counts."""
        return self.total.provisional

    def judge(self, groups: Groups) -> Judgement:
        """Return what the families say of the groups."""
        statistics = np.stack([family.statistic(groups) for family in FAMILIES])
        nats = self.nats(statistics)
        total = self.totals(nats, groups.kind)
        return Judgement(statistics, nats, total, self.total.minus_ln_p(total), self.is_telling(nats))

    def nats(self, statistics: NDArray) -> NDArray[np.float64]:
        """Return the signed, weighed nats of statistics of shape (F, G)."""
        pairs = zip(NAMES, statistics, strict=True)
        return np.stack([self.expected[name].weigh(row, self.references[name].minus_ln_p(row)) for name, row in pairs])

    @staticmethod
    def totals(nats: NDArray, kind: NDArray) -> NDArray[np.float64]:
        """Return the total of each group, shape (G,)."""
        return np.asarray(nats.sum(0) - np.where(kind == INFRASTRUCTURE, INFRASTRUCTURE_NATS, 0.0))

    @staticmethod
    def is_telling(nats: NDArray) -> NDArray[np.bool_]:
        """Tell whether nats (F, …) speak for extraction, and show something that honest crowds do not do, shape (…)."""
        decisive = np.maximum(nats[DECISIVE], 0.0).sum(0) >= DECISIVE_NATS
        return np.asarray((nats[PURPOSE].sum(0) > 0.0) & decisive)

    def vote(self, judgement: Judgement, group: int, peak: float) -> None:
        """Let one group that is taken for honest join the references.

        Args:
            peak: the highest total that two judgements in a row reached: alerts are called by peaks, so peaks it is
                that they are compared with.
        """
        for name, row in zip(NAMES, judgement.statistics, strict=True):
            self.references[name].add(row[group])
        self.total.add(peak)

    def state(self) -> dict[str, list[float]]:
        """Return what `load` takes."""
        return {name: reference.state() for name, reference in [*self.references.items(), ("total", self.total)]}

    def load(self, state: dict[str, list[float]]) -> None:
        """Put back what `state` returned."""
        for name, reference in [*self.references.items(), ("total", self.total)]:
            reference.load(state[name])
